"""PURE: Realtime events, the GA and beta dialects, and both sides of the conversation machine.

No sockets, files, threads, clocks or randomness; ids come in as `core.ids.IdSource`.
Imports `core` only (plus msgspec).
"""
