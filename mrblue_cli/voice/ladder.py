"""Which way to hold the conversation next. Pure policy; source: voice-craft section 13.

Rungs are numbers, 0 is the best. Times are seconds of any one clock.
"""

from __future__ import annotations

from dataclasses import dataclass

COOLDOWN_SECONDS = 10.0
MAX_COOLDOWN_SECONDS = 300.0
FORGIVEN_SECONDS = 60.0
"""A rung that stood this long before it failed has no past."""


@dataclass(slots=True)
class _Record:
    penalty: float = 0.0
    cool_until: float = float("-inf")


class Ladder:
    """Down when a rung fails, up again when a better one has cooled down."""

    def __init__(self, count: int, *, cooldown_seconds: float = COOLDOWN_SECONDS) -> None:
        self._records = [_Record() for _ in range(count)]
        self._cooldown = cooldown_seconds
        self._tried: set[int] = set()
        self._stood_since: float | None = None
        self.current = 0
        """The rung in use, or being tried."""

    def failed(self, now: float) -> int | None:
        """The current rung is of no use: which to try next. Each is tried once before one stands; None: none is left.

        The best that is not cooling down comes first, which may be one above that has cooled down meanwhile.
        """
        if self._stood_since is not None and now - self._stood_since >= FORGIVEN_SECONDS:
            self._records[self.current].penalty = 0.0
        self._stood_since = None
        self._cool(self.current, now)
        self._tried.add(self.current)
        free = [rung for rung in range(len(self._records)) if rung not in self._tried and self._is_cool(rung, now)]
        if not free:
            return None
        self.current = free[0]
        return self.current

    def stands(self, rung: int, now: float) -> None:
        """The talk goes on on this rung."""
        self.current = rung
        self._tried.clear()
        self._stood_since = now

    def better(self, now: float, *, asked: bool = False) -> int | None:
        """The best rung above the current one that may be tried; `asked`: the person wants it, cooled down or not."""
        above = range(self.current)
        return next((rung for rung in above if asked or self._is_cool(rung, now)), None)

    def probe_failed(self, rung: int, now: float) -> None:
        """A better rung was tried beside the current one and does not stand: wait twice as long."""
        self._cool(rung, now)

    def below(self) -> bool:
        """There is a rung under the current one."""
        return self.current + 1 < len(self._records)

    def _is_cool(self, rung: int, now: float) -> bool:
        return now >= self._records[rung].cool_until

    def _cool(self, rung: int, now: float) -> None:
        record = self._records[rung]
        doubled = record.penalty * 2 if record.penalty else self._cooldown
        record.penalty = min(MAX_COOLDOWN_SECONDS, doubled)
        record.cool_until = now + record.penalty
