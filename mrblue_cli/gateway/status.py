"""The document behind `GET /v1/status` and `mrblue gateway top`: what an operator wants to see at one glance.

Written by the server from its counters, read by the command; a reader takes any field as absent, so that the two may
be of different versions. Times are milliseconds where the name says so, else seconds; money is US dollars.
"""

from __future__ import annotations

from typing import Any

import msgspec

from mrblue_cli.gateway.model import Json


class RouteRow(msgspec.Struct, kw_only=True):
    """One model of one provider. Latencies are those of the last few minutes, None when nothing was called."""

    provider: str = ""
    model: str = ""
    priority: int | None = None
    health: str = "idle"
    """idle, up, degraded, probing or down."""
    breaker: str = "closed"
    """closed, half-open or open."""
    calls: int = 0
    failures: int = 0
    p50_ms: float | None = None
    p95_ms: float | None = None
    first_token_ms: float | None = None
    """Median of the streams."""
    last_fault: str | None = None
    """Its kind and how long ago, such as `timeout 12 s ago`."""


class RequestRow(msgspec.Struct, kw_only=True):
    """Requests of clients since the start."""

    total: int = 0
    failed: int = 0
    """Answered 5xx."""
    refused: int = 0
    """Answered 4xx."""
    in_flight: int = 0
    realtime_sessions: int = 0


class CacheRow(msgspec.Struct, kw_only=True):
    """Cache lookups since the start; `hit_rate` is of those that were looked up (bypasses left out)."""

    hit_exact: int = 0
    hit_semantic: int = 0
    miss: int = 0
    bypass: int = 0
    hit_rate: float | None = None


class LimitRow(msgspec.Struct, kw_only=True):
    """One budget period."""

    spent_usd: float = 0.0
    limit_usd: float | None = None


class BudgetRow(msgspec.Struct, kw_only=True):
    """What was spent."""

    daily: LimitRow = msgspec.field(default_factory=LimitRow)
    monthly: LimitRow = msgspec.field(default_factory=LimitRow)
    since_start_usd: float = 0.0


class Status(msgspec.Struct, kw_only=True):
    """All of it."""

    version: str = ""
    uptime_s: float = 0.0
    workers: int = 1
    routes: list[RouteRow] = msgspec.field(default_factory=list)
    requests: RequestRow = msgspec.field(default_factory=RequestRow)
    cache: CacheRow = msgspec.field(default_factory=CacheRow)
    budget: BudgetRow = msgspec.field(default_factory=BudgetRow)
    tokens: dict[str, int] = msgspec.field(default_factory=dict)
    """By direction: input, output, cached_input, audio_input, audio_output."""
    warnings: list[str] = msgspec.field(default_factory=list)
    """What is not as it should be: Redis lost, prices unknown."""


def read_status(document: bytes) -> Status:
    """Read the document. Raises `ValueError` when it is none."""
    return msgspec.json.decode(document, type=Status, strict=False)


def to_json(status: Status) -> Json:
    """As a table for the answer, stable keys."""
    table: Any = msgspec.to_builtins(status)
    return dict(table)
