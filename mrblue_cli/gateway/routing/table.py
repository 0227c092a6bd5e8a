"""What each kind of fault means for routing: one row per kind. PURE.

The rows follow what the providers document: a fault of the request is told as it is; a fault of a key moves to the next
key; a fault of the provider is tried once more where it is likely to pass, then elsewhere.
"""

from __future__ import annotations

import msgspec

from mrblue_cli.gateway.model import FaultKind


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """How a fault is met before anything was sent to the client."""

    final: bool = False
    """Told to the client at once; never routed around."""
    repeats: int = 0
    """Times the same route is tried again, after a backoff, before a different model is asked. Another route or
    key for the same model goes first, without a wait."""
    breaker: bool = False
    """Counts against the route's circuit breaker."""
    cools_key: bool = False
    """The key rests (for as long as the provider asks), not the route."""
    again: bool = True
    """May be tried again on the same route when there is nowhere else to go."""
    spent: bool = True
    """Whether the provider may have charged for the attempt's input."""
    status: int = 502
    """What the client gets when this was the last word, unless the provider's own status fits."""


RULES: dict[FaultKind, Rule] = {
    FaultKind.CONNECT: Rule(repeats=1, breaker=True, spent=False, status=502),
    FaultKind.SERVER: Rule(repeats=1, breaker=True, spent=False, status=502),
    FaultKind.BROKEN: Rule(repeats=1, breaker=True, status=502),
    FaultKind.OVERLOADED: Rule(breaker=True, spent=False, status=503),
    FaultKind.TIMEOUT: Rule(breaker=True, status=504),
    FaultKind.RATE_LIMITED: Rule(repeats=1, cools_key=True, spent=False, status=429),
    FaultKind.QUOTA: Rule(cools_key=True, again=False, spent=False, status=429),
    FaultKind.AUTH: Rule(cools_key=True, again=False, spent=False, status=502),
    FaultKind.NOT_FOUND: Rule(again=False, spent=False, status=404),
    FaultKind.UNSUPPORTED: Rule(again=False, spent=False, status=400),
    FaultKind.BAD_REQUEST: Rule(final=True, spent=False, status=400),
    FaultKind.CONTEXT_TOO_LONG: Rule(final=True, spent=False, status=400),
    FaultKind.CONTENT_FILTER: Rule(final=True, status=400),
}

QUOTA_REST = 60.0
"""Seconds a key rests that has no quota left or was refused: a person must act, a call a minute notices."""


def client_status(kind: FaultKind, provider_status: int | None) -> int:
    """The HTTP status for the client: the provider's own for faults of the request, ours for everything else."""
    rule = RULES[kind]
    if rule.final and provider_status is not None and 400 <= provider_status < 500:
        return provider_status
    return rule.status
