"""May this request spend? Pure: limits and standings in, a decision out.

Limits are hard: what is spent, what is set aside for requests under way and what this one may cost together never pass
one. Throttling and blocking alerts act on what is spent and set aside before this request. Notifications go by what is
really spent, so that a large estimate which is given back alarms nobody.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from mrblue_cli.gateway.budget.model import ALL, Throttle, dollars
from mrblue_cli.gateway.model import Surface
from mrblue_cli.gateway.options import AlertOptions

CHAT_LIKE = frozenset({Surface.CHAT, Surface.RESPONSES, Surface.MESSAGES})
BUSY_RETRY_S = 15.0
"""When only requests under way stand in the way, some of them will soon give back what they do not use."""
LIMIT_REACHED = 1.0
NEARLY = 0.5
"""Share of a limit that must be spent before a request that does not fit counts as its end: one that asks for more than
all that is left of a hardly touched budget says something about itself, and nothing about the budget."""


class Standing(NamedTuple):
    """What one scope used in one period."""

    spent: int = 0
    reserved: int = 0


class Limit(NamedTuple):
    """One limit that applies to a request."""

    what: str
    """`daily` or `monthly`."""
    scope: str
    """`*` for all keys, else the key's id."""
    period: str
    """`2026-11-21` or `2026-11`."""
    amount: int
    ends_at: float
    """Unix time at which the next period begins."""

    @property
    def name(self) -> str:
        """For people."""
        return f"{self.what} budget" if self.scope == ALL else f"{self.what} budget of this key"


class Rules(NamedTuple):
    """What the configuration says about the way to a limit."""

    alerts: tuple[AlertOptions, ...] = ()
    delay_s: float = 1.0
    cheaper_model: str | None = None


class AlertDue(NamedTuple):
    """A threshold that is crossed; whoever remembers it decides whether it is news."""

    period: str
    scope: str
    what: str
    threshold: float
    action: str
    spent: int
    limit: int


class Block(NamedTuple):
    """Why not, and for how long."""

    what: str
    retry_after_s: float
    too_dear: bool = False
    """There is money left, but not as much as the request may cost."""


class Decision(NamedTuple):
    """What to do with one request."""

    block: Block | None = None
    throttle: Throttle | None = None
    alerts: tuple[AlertDue, ...] = ()


def decide(
    limits: Sequence[tuple[Limit, Standing]], amount: int | None, surface: Surface, rules: Rules, now: float
) -> Decision:
    """Judge one request that may cost `amount`, given each limit's standing before it.

    None is a call whose price is not known: it passes while there is any money left. What is known to cost nothing
    (a model on this machine) is neither blocked nor slowed.
    """
    due: list[AlertDue] = []
    block: Block | None = None
    throttle: Throttle | None = None
    for limit, standing in limits:
        due += crossed(limit, standing.spent, rules.alerts)
        if amount == 0:
            continue
        used = standing.spent + standing.reserved
        blocked = _blocked(limit, standing, amount or 0, rules.alerts, now)
        if blocked is not None and blocked.too_dear and surface in CHAT_LIKE:
            blocked = blocked._replace(what=f"{blocked.what} (less with a lower limit on its output)")
        if blocked is not None:
            full = amount is not None and amount <= limit.amount < standing.spent + amount
            if standing.spent >= limit.amount or (full and standing.spent >= _share(limit, NEARLY)):
                due.append(_due(limit, LIMIT_REACHED, "block", standing.spent))
            if block is None or blocked.retry_after_s > block.retry_after_s:
                block = blocked
        slowed = _throttle(limit, used, surface, rules)
        if slowed is not None:
            threshold, how = slowed
            due.append(_due(limit, threshold, "throttle", standing.spent))
            throttle = how if throttle is None or (how.model and not throttle.model) else throttle
    return Decision(block, None if block else throttle, tuple(dict.fromkeys(due)))


def crossed(limit: Limit, spent: int, alerts: Sequence[AlertOptions]) -> list[AlertDue]:
    """The thresholds that `spent` has reached."""
    return [
        _due(limit, alert.threshold, alert.action, spent) for alert in alerts if spent >= _share(limit, alert.threshold)
    ]


def stop_at(limit: Limit, alerts: Sequence[AlertOptions]) -> int | None:
    """The amount at which blocking alerts close the door before the limit itself does."""
    return min((_share(limit, alert.threshold) for alert in alerts if alert.action == "block"), default=None)


def _blocked(limit: Limit, standing: Standing, amount: int, alerts: Sequence[AlertOptions], now: float) -> Block | None:
    used = standing.spent + standing.reserved
    wait = max(1.0, limit.ends_at - now)
    stop = stop_at(limit, alerts)
    if stop is not None and used >= stop:
        what = f"the {limit.name} stops at {dollars(stop)}, and {dollars(used)} are spent or set aside"
        return Block(what, wait if standing.spent >= stop else min(wait, BUSY_RETRY_S))
    if used + amount <= limit.amount and used < limit.amount:
        return None
    what = f"the {limit.name} is {dollars(limit.amount)}: {dollars(standing.spent)} spent"
    if standing.reserved:
        what += f", {dollars(standing.reserved)} set aside for requests under way"
    if amount:
        what += f", and this request may cost up to {dollars(amount)}"
    passing = standing.reserved > 0 and standing.spent + amount <= limit.amount and standing.spent < limit.amount
    return Block(what, min(wait, BUSY_RETRY_S) if passing else wait, too_dear=amount > 0 and used < limit.amount)


def _throttle(limit: Limit, used: int, surface: Surface, rules: Rules) -> tuple[float, Throttle] | None:
    """First slower; from half the way between the threshold and the limit also by a cheaper model."""
    reached = [
        alert.threshold
        for alert in rules.alerts
        if alert.action == "throttle" and used >= _share(limit, alert.threshold)
    ]
    if not reached:
        return None
    threshold = min(reached)
    cheaper = surface in CHAT_LIKE and used >= _share(limit, (threshold + LIMIT_REACHED) / 2)
    return threshold, Throttle(delay_s=rules.delay_s, model=rules.cheaper_model if cheaper else None)


def _due(limit: Limit, threshold: float, action: str, spent: int) -> AlertDue:
    return AlertDue(limit.period, limit.scope, limit.what, threshold, action, spent, limit.amount)


def _share(limit: Limit, threshold: float) -> int:
    return round(limit.amount * threshold)
