"""Time comes in as an argument, so that tests own it."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """A monotonic clock in seconds. Only differences mean anything."""

    def now(self) -> float:
        """Seconds since an arbitrary fixed point."""
        ...


class SystemClock:
    """The machine's monotonic clock."""

    def now(self) -> float:
        """Seconds since an arbitrary fixed point."""
        return time.monotonic()


class UnixClock:
    """The machine's calendar clock. It may jump; for moments that others name in Unix time."""

    def now(self) -> float:
        """Seconds since 1970."""
        return time.time()
