"""When to replace a session that will end by itself. Pure. Numbers: voice-craft section 12."""

from __future__ import annotations

from dataclasses import dataclass

RENEW_AFTER_SECONDS = 20 * 60.0
EARLY_SECONDS = 120.0
LAST_SECONDS = 10.0
"""If nobody is ever quiet: renew in the middle of it rather than lose the session."""
RETRY_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Renewal:
    """The two moments of one session, in seconds of the session's clock; infinity where there is none."""

    due: float
    """From here on, when nobody speaks and nothing plays."""
    forced: float
    """From here on, whoever speaks."""

    def may_open(self, now: float, *, idle: bool) -> bool:
        """Time to open the next connection."""
        # Never before it is due: a session that is short from the start would open the next one at once, which would
        # have grown old itself by the time it is used.
        return now >= max(self.due, self.forced - RETRY_SECONDS) or (idle and now >= self.due)

    def may_swap(self, now: float, *, idle: bool) -> bool:
        """Time to go over to the next connection, which stands."""
        return now >= self.forced or (idle and now >= self.due)


def plan_renewal(*, born: float, expires_at: int | None, unix_now: float | None, ages: bool = True) -> Renewal:
    """Plan for a session opened at `born` (session clock, seconds).

    `expires_at`: Unix seconds as the server told, None or a past time where it told nothing of use; `unix_now`: the
    Unix time at `born`, None where no such clock is at hand. `ages`: renew after 20 minutes in any case, as services
    that grow slow or dear with the length of a session want it.
    """
    due = born + RENEW_AFTER_SECONDS if ages else float("inf")
    forced = float("inf")
    if expires_at is not None and unix_now is not None and expires_at > unix_now:
        left = expires_at - unix_now
        # A session that is short from the start is renewed in its last third, not at once and for ever.
        due = min(due, born + max(left - EARLY_SECONDS, left * 2 / 3))
        forced = born + max(left - LAST_SECONDS, left * 5 / 6)
    return Renewal(min(due, forced), forced)
