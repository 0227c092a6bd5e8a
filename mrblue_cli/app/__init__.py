"""Use cases and wiring. Returns values and event streams; never prints, never exits."""
