"""What a gateway's configuration means: who is asked in which order, with which keys, at what price. Nobody is."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

import msgspec

from mrblue_cli.core.prices import NANO, Prices
from mrblue_cli.gateway.access.auth import is_loopback, key_required
from mrblue_cli.gateway.model import CallError, Surface
from mrblue_cli.gateway.options import (
    BudgetOptions,
    CacheOptions,
    FailoverOptions,
    GatewayOptions,
    ModelOptions,
    ProviderOptions,
)
from mrblue_cli.gateway.providers.base import Traits
from mrblue_cli.gateway.routing.build import build_table
from mrblue_cli.gateway.routing.routes import ANY_MODEL, Ranked, RouteTable
from mrblue_cli.settings.gateway import LoadedGateway
from mrblue_cli.settings.gateway_problems import Note, Problem
from mrblue_cli.settings.gateway_providers import ProviderStatus

PriceOf = Callable[[str, str, ModelOptions], Prices | None]
"""Of a provider's kind and a model there; None: not known."""

_TEXT = (Surface.CHAT, Surface.RESPONSES, Surface.MESSAGES)


class ModelLine(msgspec.Struct, frozen=True):
    """One model of a provider."""

    name: str
    upstream: str
    surfaces: tuple[str, ...]
    """Empty: whatever it is asked for."""
    price: str | None
    """In words; None: no price is known, its tokens are only counted."""


class ProviderLine(msgspec.Struct, frozen=True):
    """One provider, also one that is left out."""

    name: str
    kind: str
    priority: int | None
    """None: left out."""
    address: str
    keys: tuple[dict[str, str], ...]
    """`variable`, and where it was `found`: environment, keyring, or empty."""
    models: tuple[ModelLine, ...]


class TryLine(msgspec.Struct, frozen=True):
    """One route that a request may take."""

    provider: str
    model: str
    priority: int
    share: float
    """Of the requests that reach this place in the order, by weight alone."""
    same_model: bool


class RouteLine(msgspec.Struct, frozen=True):
    """The order of tries for one name a client may ask for."""

    surface: str
    model: str
    tries: tuple[TryLine, ...]


class Explanation(msgspec.Struct, frozen=True):
    """All of it."""

    file: str | None
    ok: bool
    providers: tuple[ProviderLine, ...]
    routes: tuple[RouteLine, ...]
    aliases: dict[str, str]
    words: dict[str, tuple[str, ...]]
    """Sentences about `door`, `failover`, `deadlines`, `cache`, `budget` and `limits`."""
    notes: tuple[Note, ...]
    problems: tuple[Problem, ...] = ()
    """Why it cannot be started all the same: no key was found. What stands above is then what it would be with keys."""


def explain(loaded: LoadedGateway, *, traits: Callable[[str], Traits], price: PriceOf) -> Explanation:
    """Explain a configuration. `traits` gives an adapter's traits by its kind."""
    options = loaded.options
    known = {state.name: state for state in loaded.providers}
    lines = [_provider(item, known.get(item.name), traits(item.kind), price) for item in options.providers]
    shown = {item.name for item in options.providers}
    lines += [
        ProviderLine(state.name, state.kind, None, "", _keys(state), ())
        for state in loaded.providers
        if state.name not in shown
    ]
    return Explanation(
        file=str(loaded.file) if loaded.file else None,
        ok=loaded.unfit is None,
        providers=tuple(lines),
        routes=_routes(build_table(options, traits)),
        aliases=dict(options.aliases),
        words={
            "door": _door(options),
            "failover": _failover(options.failover),
            "deadlines": _deadlines(options.failover),
            "cache": _cache(options.caching),
            "budget": _budget(options.budget),
            "limits": _limits(options),
        },
        notes=loaded.notes,
        problems=() if loaded.unfit is None else (loaded.unfit,),
    )


def _provider(provider: ProviderOptions, state: ProviderStatus | None, traits: Traits, price: PriceOf) -> ProviderLine:
    models = tuple(
        ModelLine(
            model.name,
            model.upstream or model.name,
            tuple(str(surface) for surface in model.surfaces),
            None if model.name == ANY_MODEL else priced(price(provider.kind, model.upstream or model.name, model)),
        )
        for model in provider.models
    )
    keys = _keys(state) if state is not None else ()
    return ProviderLine(
        provider.name, provider.kind, provider.priority, provider.base_url or traits.base_url, keys, models
    )


def _keys(state: ProviderStatus) -> tuple[dict[str, str], ...]:
    return tuple({"variable": key.variable, "found": key.origin} for key in state.keys)


def priced(prices: Prices | None) -> str | None:
    """Prices in words; None when there are none."""
    if prices is None:
        return None
    rates = prices.rates
    parts = []
    if rates.input is not None or rates.output is not None:
        parts.append(f"{_dollars(rates.input or 0)} in, {_dollars(rates.output or 0)} out per million tokens")
    if prices.hour is not None:
        parts.append(f"{_dollars(prices.hour)} per hour of audio")
    if prices.characters is not None:
        parts.append(f"{_dollars(prices.characters)} per million characters")
    if not rates.input and not rates.output and not prices.hour and not prices.characters:
        return "free"
    return "; ".join(parts)


def _routes(table: RouteTable) -> tuple[RouteLine, ...]:
    lines = []
    shown: set[str] = set()
    for surface in Surface:
        any_name = any(route.model == ANY_MODEL and route.serves(surface) for route in table.routes)
        for name in [*table.names(surface), *([ANY_MODEL] if any_name else [])]:
            # Whoever chats answers the two other shapes of text by the same routes.
            if surface in _TEXT and name in shown:
                continue
            tries = _tries(table, surface, name)
            if tries:
                lines.append(RouteLine(str(surface), name, tries))
                if surface is Surface.CHAT:
                    shown.add(name)
    return tuple(lines)


def _tries(table: RouteTable, surface: Surface, name: str) -> tuple[TryLine, ...]:
    try:
        candidates = table.candidates(surface, name)
    except CallError:  # an alias of a model that serves something else
        return ()
    groups: dict[tuple[int, int], float] = {}
    for ranked in candidates:
        groups[ranked.rank] = groups.get(ranked.rank, 0.0) + ranked.route.weight
    return tuple(_try(ranked, groups[ranked.rank]) for ranked in candidates)


def _try(ranked: Ranked, weights: float) -> TryLine:
    route = ranked.route
    share = route.weight / weights
    return TryLine(route.provider, ranked.model, route.priority, round(share, 3), ranked.same_model)


def _door(options: GatewayOptions) -> tuple[str, ...]:
    reach = "for this machine alone" if is_loopback(options.host) else "for whoever reaches this machine"
    keys = "clients need a virtual key" if key_required(options.host, options.require_key) else "no key is needed"
    lines = [f"listens on {options.host}:{options.port}, {reach}; {keys}"]
    if options.workers > 1:
        lines.append(f"{options.workers} processes share the work")
    shared = "shared with other gateways through Redis" if options.redis_url else "of this machine alone"
    lines.append(f"cache, budget, breakers and limits are {shared}")
    lines.append(f"ledger and keys are in {options.state_folder}")
    return tuple(lines)


def _failover(failover: FailoverOptions) -> tuple[str, ...]:
    if not failover.enabled:
        return ("off: the first provider's error goes to the client",)
    others = "other models may answer" if failover.models == "any" else "only the model that was asked for may answer"
    how = "weight and recent latency" if failover.balance == "latency" else "weight"
    lines = [
        f"at most {failover.max_retries} tries after the first; {others}",
        f"the same route again after {span(failover.retry_delay)}, then longer, at most {span(failover.max_delay)}",
        f"routes of equal priority share requests by {how}",
    ]
    breaker = failover.breaker
    if breaker.enabled:
        lines.append(
            f"a route that fails {breaker.failure_threshold} times in a row rests {span(breaker.reset_timeout)}, "
            "then is tried with one request"
        )
    else:
        lines.append("no circuit breaker: a route that is down is asked every time")
    return tuple(lines)


def _deadlines(failover: FailoverOptions) -> tuple[str, ...]:
    limits = failover.deadlines
    stream = f"{span(limits.first_token)} to the first token of a stream, {span(limits.idle)} between its pieces"
    return (
        f"{span(limits.connect)} to connect, {stream}",
        f"{span(limits.answer)} for a whole answer, {span(limits.total)} for a request with all its tries",
    )


def _cache(caching: CacheOptions) -> tuple[str, ...]:
    if not caching.enabled:
        return ("off",)
    lines = [
        f"repeated requests are answered from memory for {span(caching.ttl)}, at most {caching.max_size:,} answers"
    ]
    if caching.semantic and caching.embedder != "none":
        measure = (
            f"a similarity from {caching.similarity_threshold:g} on"
            if caching.error_bound is None
            else f"at most {caching.error_bound:.1%} wrong answers, learnt as it goes"
        )
        only = "reported only, not served" if caching.shadow else "served"
        lines.append(f"questions that mean the same are {only}: {measure}, and checked for what changes a meaning")
    else:
        lines.append("only the same request counts, not one that means the same")
    lines.append(
        "answers are shared between keys" if caching.shared_between_keys else "each key has answers of its own"
    )
    return tuple(lines)


def _budget(budget: BudgetOptions) -> tuple[str, ...]:
    limits = [
        f"${limit:,.2f} a {period}"
        for limit, period in ((budget.daily_limit, "day"), (budget.monthly_limit, "month"))
        if limit is not None
    ]
    unknown = "pass, counted in tokens" if budget.unknown_price == "allow" else "are refused"
    models = f"models without a price {unknown}"
    if not limits:
        return ("no limit; spend is recorded", models)
    lines = [f"{' and '.join(limits)} (UTC); beyond that requests are refused with 429"]
    for alert in sorted(budget.alerts, key=lambda item: item.threshold):
        told = ["a line in the log"]
        told += [f"a mail to {alert.email}"] if alert.email else []
        told += [f"a call to {urlsplit(alert.webhook).hostname}"] if alert.webhook else []
        what = {
            "notify": ", ".join(told),
            "throttle": f"slows requests down by {span(budget.throttle_delay)}, then asks "
            f"{budget.cheaper_model or 'the cheapest chat model'}",
            "block": "refuses requests with 429",
        }[alert.action]
        lines.append(f"at {alert.threshold:.0%}: {what}")
    return (*lines, models)


def _limits(options: GatewayOptions) -> tuple[str, ...]:
    limits = options.limits
    mib = 1024 * 1024
    sizes = f"bodies up to {limits.body_bytes / mib:g} MiB, uploads up to {limits.upload_bytes / mib:g} MiB"
    return (f"{limits.concurrent:,} requests at once; {sizes}",)


def span(seconds: float) -> str:
    """A length of time in words: `250 ms`, `1 s`, `5 min`, `2 h`."""
    if seconds < 1:
        return f"{seconds * 1000:g} ms"
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "min")):
        if (seconds >= 2 * size and seconds % size == 0) or seconds == size:
            return f"{seconds / size:g} {unit}"
    return f"{seconds:g} s"


def _dollars(nano: int) -> str:
    return f"${nano / NANO:,.2f}" if nano % (NANO // 100) == 0 else f"${nano / NANO:,.6f}".rstrip("0")
