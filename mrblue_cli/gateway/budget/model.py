"""The vocabulary of the budget. Money is whole nano-dollars, times are Unix seconds, days and months are UTC."""

from __future__ import annotations

from typing import Literal

import msgspec

from mrblue_cli.gateway.model import NANO, KeyLimits, Surface, Usage

ALL = "*"
"""The scope of the totals over every key."""

Outcome = Literal["ok", "failed", "cancelled", "unknown", "none"]
"""`unknown`: the process died, or never came back, while the call was under way: the money may have been spent.
`none`: the request ended without a billed call (a cache hit, or no provider did any work)."""


class Charge(msgspec.Struct, frozen=True):
    """One call to a provider, as it is billed."""

    provider: str
    model: str
    usage: Usage
    cost_nano: int | None
    """None: no price is known; the tokens are counted."""
    outcome: str
    """ok, failed or cancelled."""


class Throttle(msgspec.Struct, frozen=True, kw_only=True):
    """How a request is slowed down near a limit."""

    delay_s: float
    model: str | None = None
    """A cheaper model to send a chat request to instead; None: the asked one."""


class Reservation(msgspec.Struct, frozen=True, kw_only=True):
    """Money set aside for one request, until it is settled."""

    id: int
    """The ledger's own number; request ids come from outside and may repeat."""
    request_id: str
    key_id: str
    amount_nano: int
    surface: Surface
    model: str
    day: str
    """UTC day (`2026-11-21`) that is charged, whenever the call ends."""
    throttle: Throttle | None = None
    key_limits: KeyLimits = KeyLimits()

    @property
    def month(self) -> str:
        """UTC month (`2026-11`) that is charged."""
        return self.day[:7]


class BudgetExceeded(Exception):
    """A limit does not allow this request.

    `what` may be shown to the caller; `retry_after_s` is how long to wait before there is money again; `code` is a
    stable word for machines: `budget_exceeded` or `price_unknown`.
    """

    def __init__(self, what: str, retry_after_s: float, code: str = "budget_exceeded") -> None:
        super().__init__(what)
        self.what = what
        self.retry_after_s = retry_after_s
        self.code = code


def dollars(nano: int) -> str:
    """An amount for people: cents, and as many digits below them as a small amount needs."""
    sign, value = ("-" if nano < 0 else ""), abs(nano)
    whole, rest = divmod(value, NANO)
    digits = f"{rest:09d}"
    shown = 2 if whole or rest >= NANO // 10 or not rest else 4 if rest >= NANO // 10_000 else 9
    if shown < 9:
        step = 10 ** (9 - shown)
        whole, rest = divmod((value + step // 2) // step * step, NANO)
        digits = f"{rest:09d}"
    return f"{sign}${whole:,}.{digits[:shown]}"
