"""How each route has been doing lately: calls, failures, latency over a window, the last fault.

Plain numbers in memory, cheap to record; percentiles are worked out when somebody looks. Samples of several workers
are put together before that, since percentiles cannot be added.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Sequence

import msgspec

from mrblue_cli.gateway.model import Fault, FaultKind
from mrblue_cli.gateway.status import RouteRow

WINDOW = 300.0
"""Seconds that latencies and the share of failures look back."""
_SAMPLES = 256
"""Kept per route; on a busy route they reach back less than the window."""
_DEGRADED_SHARE = 0.2
"""Of recent calls that failed."""
_NOT_THE_ROUTES_FAULT = {FaultKind.BAD_REQUEST, FaultKind.CONTEXT_TOO_LONG, FaultKind.CONTENT_FILTER}


class Sample(msgspec.Struct, frozen=True, array_like=True):
    """One call."""

    at: float
    """Unix seconds, so that workers can be compared."""
    seconds: float
    first_token: float | None
    failed: bool


class RouteRecord(msgspec.Struct, kw_only=True):
    """What is known of one route in one worker, or in all together."""

    provider: str
    model: str
    calls: int = 0
    failures: int = 0
    samples: list[Sample] = msgspec.field(default_factory=list)
    last_fault: str = ""
    last_fault_at: float = 0.0
    """Unix seconds."""
    breaker: str = "closed"


class RouteStats:
    """One worker's routes."""

    def __init__(self) -> None:
        self._records: dict[tuple[str, str], RouteRecord] = {}
        self._samples: dict[tuple[str, str], deque[Sample]] = {}

    def record(
        self,
        provider: str,
        model: str,
        *,
        now: float,
        seconds: float,
        first_token: float | None = None,
        fault: Fault | None = None,
    ) -> None:
        """One call ended; `now` is Unix seconds. A fault of the request itself is not the route's failure."""
        record = self._of(provider, model)
        failed = fault is not None and fault.kind not in _NOT_THE_ROUTES_FAULT
        record.calls += 1
        if failed:
            assert fault is not None  # noqa: S101 - narrows the type
            record.failures += 1
            record.last_fault, record.last_fault_at = fault.kind.value, now
        self._samples[provider, model].append(Sample(now, seconds, first_token, failed))

    def breaker(self, provider: str, model: str, state: str) -> None:
        """The breaker moved to `closed`, `half-open` or `open`."""
        self._of(provider, model).breaker = state

    def records(self) -> list[RouteRecord]:
        """A copy that may be sent to another worker."""
        return [
            msgspec.structs.replace(record, samples=list(self._samples[key])) for key, record in self._records.items()
        ]

    def _of(self, provider: str, model: str) -> RouteRecord:
        record = self._records.get((provider, model))
        if record is None:
            record = self._records[provider, model] = RouteRecord(provider=provider, model=model)
            self._samples[provider, model] = deque(maxlen=_SAMPLES)
        return record


_WORST = ("closed", "half-open", "open")


def merged(records: Iterable[RouteRecord]) -> dict[tuple[str, str], RouteRecord]:
    """The same routes of several workers as one: counts add up, the worst breaker and the latest fault stand."""
    whole: dict[tuple[str, str], RouteRecord] = {}
    for record in records:
        key = (record.provider, record.model)
        known = whole.get(key)
        if known is None:
            whole[key] = msgspec.structs.replace(record, samples=list(record.samples))
            continue
        known.calls += record.calls
        known.failures += record.failures
        known.samples.extend(record.samples)
        if record.last_fault_at > known.last_fault_at:
            known.last_fault, known.last_fault_at = record.last_fault, record.last_fault_at
        known.breaker = max(known.breaker, record.breaker, key=_severity)
    return whole


def row_of(record: RouteRecord, *, priority: int | None, now: float) -> RouteRow:
    """A line of the status document; `now` is Unix seconds."""
    recent = [sample for sample in record.samples if now - sample.at <= WINDOW]
    good = sorted(sample.seconds for sample in recent if not sample.failed)
    first = sorted(sample.first_token for sample in recent if sample.first_token is not None and not sample.failed)
    return RouteRow(
        provider=record.provider,
        model=record.model,
        priority=priority,
        health=_health(record, recent),
        breaker=record.breaker,
        calls=record.calls,
        failures=record.failures,
        p50_ms=percentile_ms(good, 0.5),
        p95_ms=percentile_ms(good, 0.95),
        first_token_ms=percentile_ms(first, 0.5),
        last_fault=f"{record.last_fault} {_ago(now - record.last_fault_at)}" if record.last_fault else None,
    )


def percentile_ms(ordered: Sequence[float], share: float) -> float | None:
    """The nearest-rank percentile of ascending seconds, in milliseconds; None of none."""
    if not ordered:
        return None
    rank = max(math.ceil(share * len(ordered)), 1)
    return round(ordered[rank - 1] * 1000, 1)


def _health(record: RouteRecord, recent: Sequence[Sample]) -> str:
    if record.breaker == "open":
        return "down"
    if record.breaker == "half-open":
        return "probing"
    if not recent:
        return "idle"
    failed = sum(sample.failed for sample in recent)
    return "degraded" if failed >= _DEGRADED_SHARE * len(recent) else "up"


def _severity(state: str) -> int:
    return _WORST.index(state) if state in _WORST else 0


def _ago(seconds: float) -> str:
    if seconds < 90:
        return f"{max(seconds, 0):.0f} s ago"
    return f"{seconds / 60:.0f} min ago" if seconds < 5400 else f"{seconds / 3600:.0f} h ago"
