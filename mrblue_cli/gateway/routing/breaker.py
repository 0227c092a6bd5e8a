"""A circuit breaker per route (Nygard, "Release It!"): closed, open, half open. PURE: time comes in as an argument."""

from __future__ import annotations

import enum


class State(enum.StrEnum):
    """Whether calls go through."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"


class Breaker:
    """Opens after `threshold` failures in a row; after `reset` seconds one probe at a time decides."""

    def __init__(self, threshold: int, reset: float) -> None:
        self.threshold = threshold
        self.reset = reset
        self.failures = 0
        self._opened_at: float | None = None
        self._probing_since: float | None = None

    def state(self, now: float) -> State:
        """As a call would find it."""
        if self._opened_at is None:
            return State.CLOSED
        return State.OPEN if now < self._opened_at + self.reset else State.HALF_OPEN

    def ready(self, now: float) -> bool:
        """Whether a call may go through now; asking takes nothing."""
        state = self.state(now)
        return state is State.CLOSED or (state is State.HALF_OPEN and not self._probe_out(now))

    def acquire(self, now: float) -> bool:
        """Let a call through: True, and if half open it is the one probe."""
        if not self.ready(now):
            return False
        if self.state(now) is State.HALF_OPEN:
            self._probing_since = now
        return True

    def retry_at(self, now: float) -> float:
        """The earliest moment a call may go through."""
        if self._opened_at is None:
            return now
        if self._probe_out(now) and self._probing_since is not None:
            return self._probing_since + self.reset
        return max(now, self._opened_at + self.reset)

    def succeeded(self) -> None:
        """A call came back whole: closed."""
        self.failures = 0
        self._opened_at = self._probing_since = None

    def failed(self, now: float) -> bool:
        """A call failed; True when this opened the breaker. A failed probe opens it for another `reset` seconds."""
        self.failures += 1
        if self._probing_since is not None or self.failures >= self.threshold:
            # Failures of calls that were already on their way when it opened must not push the probe further away.
            was_open = self._opened_at is not None and self._probing_since is None
            if not was_open:
                self._opened_at = now
            self._probing_since = None
            return not was_open
        return False

    def abandoned(self) -> None:
        """A call ended without telling anything (the client left): a probe may be sent again."""
        self._probing_since = None

    def open_until(self, until: float) -> None:
        """Another process saw the route fail: open until then (for shared state)."""
        opened = until - self.reset
        if self._opened_at is None or opened > self._opened_at:
            self._opened_at = opened
            self.failures = max(self.failures, self.threshold)

    @property
    def opened_until(self) -> float | None:
        """When the next probe may go, None while closed."""
        return None if self._opened_at is None else self._opened_at + self.reset

    def _probe_out(self, now: float) -> bool:
        # A probe that never reported back (a lost worker) must not close the door for ever.
        return self._probing_since is not None and now < self._probing_since + self.reset
