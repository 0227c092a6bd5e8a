"""A clock that moves only when told."""

from __future__ import annotations


class ManualClock:
    """Implements `core.clock.Clock`; starts at zero."""

    def __init__(self, start: float = 0.0) -> None:
        self._now = start

    def now(self) -> float:
        return self._now

    def advance(self, seconds: float) -> None:
        assert seconds >= 0
        self._now += seconds
