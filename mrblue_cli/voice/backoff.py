"""How long to wait before each try to connect again. Pure. Numbers: voice-craft section 12."""

from __future__ import annotations

from collections.abc import Callable

FIRST_SECONDS = 0.5
TOP_SECONDS = 8.0
TRIES = 5
JITTER = 0.25
STABLE_SECONDS = 10.0
FLAPS = 8
"""Connections in a row that stood for less: nobody can talk like that."""


class Backoff:
    """Counts the tries of one rung. `chance` gives numbers in 0..1, so that many clients do not come back at once."""

    def __init__(self, chance: Callable[[], float], *, tries: int = TRIES) -> None:
        self._chance = chance
        self._tries = tries
        self.reset()

    def next_delay(self) -> float | None:
        """Seconds to wait before the next try: doubled each time, up to a quarter less. None: all tries are used up."""
        if self._made >= self._tries or self._flaps > FLAPS:
            return None
        whole = min(TOP_SECONDS, FIRST_SECONDS * 2.0**self._doublings)
        self._made += 1
        self._doublings += 1
        return whole * (1.0 - JITTER * min(1.0, max(0.0, self._chance())))

    def stood(self, seconds: float) -> None:
        """A connection stood this long. After one that fell at once the waits go on growing: a server that takes
        everybody and drops them again is not to be hurried."""
        self._made = 0
        if seconds >= STABLE_SECONDS:
            self.reset()
        else:
            self._flaps += 1

    def reset(self) -> None:
        """Another rung, or a good connection: another count."""
        self._made = self._doublings = self._flaps = 0
