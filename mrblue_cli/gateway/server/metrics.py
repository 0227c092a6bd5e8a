"""Counters for Prometheus. What clients send never becomes a label: names the configuration does not know are `other`.

Each worker has a registry of its own; `samples` of several are added up by `exposition`. The library's own way for
several processes is not used: it is chosen by an environment variable before the library is first imported, and keeps a
file per process for each kind of metric for ever.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import Metric

from mrblue_cli.gateway.model import NANO, Fault, Surface, Usage

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
OTHER = "other"
_FIRST_TOKEN_BUCKETS = (0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1, 1.5, 2.5, 5, 10, 20)
_TOTAL_BUCKETS = (0.005, 0.025, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60, 120, 300)
_BREAKER_VALUES = {"closed": 0, "half-open": 1, "open": 2}
_LARGEST = {"mrblue_breaker_state", "mrblue_budget_spent_usd", "mrblue_budget_limit_usd"}
"""Gauges that tell the same thing from every worker, or whose worst counts; the others are added up."""


class Samples(msgspec.Struct, array_like=True):
    """One family of one worker."""

    name: str
    help: str
    type: str
    values: list[tuple[str, dict[str, str], float]]


class _Family:
    """A metric with its labelled children at hand: looking them up in the library costs more than counting."""

    def __init__(self, metric: Any) -> None:
        self._metric = metric
        self._children: dict[tuple[str, ...], Any] = {}

    def of(self, *labels: str) -> Any:
        """The child with these labels."""
        child = self._children.get(labels)
        if child is None:
            child = self._children[labels] = self._metric.labels(*labels)
        return child

    def forget(self, *labels: str) -> None:
        """Stop telling this one."""
        if self._children.pop(labels, None) is not None:
            self._metric.remove(*labels)


class Metrics:
    """One worker's counters. Every `observe_*` takes a few microseconds."""

    def __init__(self, *, providers: Iterable[str] = (), models: Iterable[str] = ()) -> None:
        self.registry = CollectorRegistry(auto_describe=False)
        self._providers: set[str] = set()
        self._models: set[str] = set()
        self.learn(providers=providers, models=models)
        self._requests = self._counter("requests", "Answers to clients.", "surface", "model", "provider", "status")
        self._attempts = self._counter("attempts", "Calls of providers.", "provider", "outcome")
        self._faults = self._counter("faults", "What went wrong at providers.", "provider", "kind")
        self._breaker = self._gauge("breaker_state", "0 closed, 1 half-open, 2 open.", "provider", "model")
        self._first = self._histogram("first_token_seconds", "From request to first token.", _FIRST_TOKEN_BUCKETS)
        self._total = self._histogram("request_seconds", "From request to the end of the answer.", _TOTAL_BUCKETS)
        self._cache = self._counter("cache_lookups", "Cache lookups.", "kind")
        self._tokens = self._counter("tokens", "Tokens used at providers.", "provider", "model", "direction")
        self._cost = self._counter("cost_usd", "Spent at providers, US dollars.", "provider", "model")
        self._saved = self._counter("cache_saved_usd", "Spared by the cache, US dollars.")
        self._unpriced = self._counter("unpriced_calls", "Calls of models without a price.", "provider", "model")
        self._spent = self._gauge("budget_spent_usd", "Spent in the period, US dollars.", "period")
        self._limit = self._gauge("budget_limit_usd", "Limit of the period, US dollars.", "period")
        self._in_flight = self._gauge("in_flight", "Requests being answered.").of()
        self._sessions = self._gauge("realtime_sessions", "Open realtime sessions.").of()
        self._ended = self._counter("realtime_sessions_ended", "Realtime sessions by who ended them.", "by")

    def learn(self, *, providers: Iterable[str] = (), models: Iterable[str] = ()) -> None:
        """Names of the configuration, which may become labels; also after a reload."""
        self._providers.update(providers)
        self._models.update(models)

    def observe_request(
        self,
        *,
        surface: Surface,
        model: str,
        provider: str,
        status: int,
        seconds: float,
        first_token: float | None = None,
    ) -> None:
        """One answer to a client, whole; seconds. `provider` is empty when none was asked, as on a cache hit."""
        known = self._model(model)
        code = str(status) if 100 <= status <= 599 else OTHER
        self._requests.of(surface.value, known, self._provider(provider), code).inc()
        self._total.of(surface.value, known).observe(seconds)
        if first_token is not None:
            self._first.of(surface.value, known).observe(first_token)

    def observe_attempt(self, provider: str, fault: Fault | None) -> None:
        """One call of a provider."""
        name = self._provider(provider)
        if fault is None:
            self._attempts.of(name, "ok").inc()
        else:
            self._attempts.of(name, "fault").inc()
            self._faults.of(name, fault.kind.value).inc()

    def observe_cache(self, kind: str, saved_nano: int = 0) -> None:
        """One lookup: hit-exact, hit-semantic, miss or bypass."""
        self._cache.of(kind).inc()
        if saved_nano > 0:
            self._saved.of().inc(saved_nano / NANO)

    def observe_usage(self, provider: str, model: str, usage: Usage, cost_nano: int | None) -> None:
        """What a call used; no cost means that no price is known."""
        name, known = self._provider(provider), self._model(model)
        for direction, count in (
            ("input", usage.input_tokens),
            ("output", usage.output_tokens),
            ("cached_input", usage.cached_input_tokens),
            ("audio_input", usage.audio_input_tokens),
            ("audio_output", usage.audio_output_tokens),
        ):
            if count > 0:
                self._tokens.of(name, known, direction).inc(count)
        if cost_nano is None:
            self._unpriced.of(name, known).inc()
        elif cost_nano > 0:
            self._cost.of(name, known).inc(cost_nano / NANO)

    def observe_breaker(self, provider: str, model: str, state: str) -> None:
        """A breaker moved to closed, half-open or open."""
        self._breaker.of(self._provider(provider), self._model(model)).set(_BREAKER_VALUES.get(state, 0))

    def observe_budget(self, period: str, spent_nano: int, limit_nano: int | None) -> None:
        """Where a period (daily, monthly) stands."""
        self._spent.of(period).set(spent_nano / NANO)
        if limit_nano is None:
            self._limit.forget(period)
        else:
            self._limit.of(period).set(limit_nano / NANO)

    def request_began(self) -> None:
        """Pair it with `request_ended`."""
        self._in_flight.inc()

    def request_ended(self) -> None:
        """Once for each `request_began`."""
        self._in_flight.dec()

    def session_began(self) -> None:
        """A realtime session opened."""
        self._sessions.inc()

    def session_ended(self, by: str) -> None:
        """Once for each `session_began`; `by` as in `SessionEnd`."""
        self._sessions.dec()
        self._ended.of(by).inc()

    def samples(self) -> list[Samples]:
        """All of it as plain values."""
        return [
            Samples(
                family.name,
                family.documentation,
                family.type,
                [(s.name, dict(s.labels), s.value) for s in family.samples],
            )
            for family in self.registry.collect()
        ]

    def _provider(self, name: str) -> str:
        return name if name in self._providers else (OTHER if name else "none")

    def _model(self, name: str) -> str:
        return name if name in self._models else OTHER

    def _counter(self, name: str, words: str, *labels: str) -> _Family:
        return _family(Counter(f"mrblue_{name}", words, labels, registry=self.registry), labels)

    def _gauge(self, name: str, words: str, *labels: str) -> _Family:
        return _family(Gauge(f"mrblue_{name}", words, labels, registry=self.registry), labels)

    def _histogram(self, name: str, words: str, buckets: tuple[float, ...]) -> _Family:
        labels = ("surface", "model")
        return _family(Histogram(f"mrblue_{name}", words, labels, buckets=buckets, registry=self.registry), labels)


def _family(metric: Any, labels: tuple[str, ...]) -> _Family:
    return _Family(metric if labels else _Single(metric))


class _Single:
    """A metric without labels, asked for like one with."""

    def __init__(self, metric: Any) -> None:
        self._metric = metric

    def labels(self) -> Any:
        return self._metric


def added(workers: Iterable[tuple[list[Samples], bool]]) -> list[Samples]:
    """The samples of all workers as those of one; the flag says whether the worker still runs.

    Counters of workers that ended stay, or sums would fall; their gauges go.
    """
    families: dict[str, Samples] = {}
    sums: dict[str, dict[tuple[str, tuple[tuple[str, str], ...]], float]] = {}
    for samples, alive in workers:
        for family in samples:
            if family.type == "gauge" and not alive:
                continue
            families.setdefault(family.name, family)
            known = sums.setdefault(family.name, {})
            for name, labels, value in family.values:
                if name.endswith("_created"):
                    continue  # a time, which cannot be added
                key = (name, tuple(labels.items()))
                if family.name in _LARGEST:
                    known[key] = max(known.get(key, value), value)
                else:
                    known[key] = known.get(key, 0.0) + value
    return [
        Samples(
            name,
            family.help,
            family.type,
            [(sample, dict(labels), value) for (sample, labels), value in sums[name].items()],
        )
        for name, family in families.items()
    ]


class _Fixed:
    """A collector of given values."""

    def __init__(self, samples: Iterable[Samples]) -> None:
        self._samples = samples

    def collect(self) -> Iterable[Metric]:
        for family in self._samples:
            metric = Metric(family.name, family.help, family.type)
            for name, labels, value in family.values:
                metric.add_sample(name, labels, value)
            yield metric


def exposition(samples: Iterable[Samples]) -> bytes:
    """The text that `GET /metrics` answers, of type `CONTENT_TYPE`."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Fixed(samples))
    return generate_latest(registry)
