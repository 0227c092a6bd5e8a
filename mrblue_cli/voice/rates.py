"""The server's rate limits: when to warn, and when the next turn will not fit (voice-craft section 15). Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass

from mrblue_cli.protocol.notices import RateLimited

LOW_SHARE = 0.2
SHORT_WAIT_SECONDS = 20.0
"""So long a person waits rather than going on with a lesser voice."""
_LONGEST_WINDOW_SECONDS = 86_400.0


@dataclass(frozen=True, slots=True)
class LowRate:
    """Under 20 % is left; told once until the limit is whole again."""

    name: str
    share: float
    reset_seconds: float


@dataclass(frozen=True, slots=True)
class NoRoom:
    """The next turn will not fit before the limit is whole again."""

    name: str
    reset_seconds: float

    @property
    def worth_waiting(self) -> bool:
        """Waiting is shorter than a person's patience."""
        return self.reset_seconds <= SHORT_WAIT_SECONDS


class RateWatch:
    """Follows the limits by name. Times are seconds of any one clock."""

    def __init__(self) -> None:
        self._quiet_until: dict[str, float] = {}

    def see(self, limit: RateLimited, now: float, next_turn_tokens: int) -> tuple[LowRate | NoRoom, ...]:
        """What a report means. `next_turn_tokens`: the estimate of the next reply, 0 when there is none yet."""
        if limit.limit <= 0 or limit.name not in {"tokens", "requests"}:
            return ()
        seconds = limit.reset_seconds if math.isfinite(limit.reset_seconds) else 0.0
        seconds = min(max(0.0, seconds), _LONGEST_WINDOW_SECONDS)
        found: list[LowRate | NoRoom] = []
        share = max(0, limit.remaining) / limit.limit
        if share < LOW_SHARE and now >= self._quiet_until.get(limit.name, -math.inf):
            self._quiet_until[limit.name] = now + seconds
            found.append(LowRate(limit.name, share, seconds))
        need = max(1, next_turn_tokens) if limit.name == "tokens" else 1
        # A turn larger than the whole limit never fits: waiting for it would be waiting for ever.
        if limit.remaining < min(need, limit.limit) and seconds > 0:
            found.append(NoRoom(limit.name, seconds))
        return tuple(found)
