"""How long to wait before each try to connect again. Pure. Numbers: voice-craft section 12."""

from __future__ import annotations

from collections.abc import Callable

FIRST_SECONDS = 0.5
TOP_SECONDS = 8.0
TRIES = 5
JITTER = 0.25
STABLE_SECONDS = 10.0


class Backoff:
    """Counts the tries of one rung. `chance` gives numbers in 0..1, so that many clients do not come back at once."""

    def __init__(self, chance: Callable[[], float], *, tries: int = TRIES) -> None:
        self._chance = chance
        self._tries = tries
        self._made = 0

    def next_delay(self) -> float | None:
        """Seconds to wait before the next try: doubled each time, up to a quarter less. None: all tries are used up."""
        if self._made >= self._tries:
            return None
        whole = min(TOP_SECONDS, FIRST_SECONDS * 2.0**self._made)
        self._made += 1
        return whole * (1.0 - JITTER * min(1.0, max(0.0, self._chance())))

    def stood(self, seconds: float) -> None:
        """A connection stood this long. One that falls at once must not begin the count anew, or it would go on for
        ever without anybody talking."""
        if seconds >= STABLE_SECONDS:
            self._made = 0

    def reset(self) -> None:
        """Another rung, another count."""
        self._made = 0
