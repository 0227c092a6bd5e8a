"""The embedded Realtime server: speech-to-text, brain and text-to-speech behind `protocol/`'s server side.

May import `realtime`, `assistant` and what lies below them; never `voice`.
"""
