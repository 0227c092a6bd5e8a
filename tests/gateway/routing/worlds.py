"""Small worlds for the routing tests: routes by a few words, plans with a scripted chance."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from mrblue_cli.gateway.model import Fault, FaultKind, Surface, Target
from mrblue_cli.gateway.options import BreakerOptions, FailoverOptions
from mrblue_cli.gateway.routing.health import Health
from mrblue_cli.gateway.routing.plan import Plan
from mrblue_cli.gateway.routing.routes import Ranked, Route, RouteTable


def route(
    name: str,
    *,
    priority: int = 1,
    weight: float = 1.0,
    keys: int = 1,
    prefill: bool = False,
    surfaces: Sequence[Surface] = (Surface.CHAT,),
    context: int | None = None,
) -> Route:
    """`provider/model` with as many keys as asked for."""
    provider, _, model = name.partition("/")
    return Route(
        provider=provider,
        kind="openai",
        model=model,
        priority=priority,
        weight=weight,
        surfaces=frozenset(surfaces),
        targets=tuple(
            Target(provider=provider, model=model, url=f"http://{provider}.test", api_key=f"key-{n}")
            for n in range(keys)
        ),
        key_weights=(1.0,) * keys,
        prefill=prefill,
        context=context,
    )


def fault(kind: FaultKind, retry_after: float | None = None) -> Fault:
    """A fault of this kind."""
    return Fault(kind=kind, message=f"a fault: {kind}", retry_after=retry_after)


def health(*, threshold: int = 5, reset: float = 60.0, enabled: bool = True) -> Health:
    """Health of nobody yet."""
    return Health(BreakerOptions(enabled=enabled, failure_threshold=threshold, reset_timeout=reset))


def plan(
    routes: Sequence[Route],
    state: Health,
    *,
    model: str | None = None,
    surface: Surface = Surface.CHAT,
    chance: Callable[[], float] = lambda: 0.5,
    deadline: float = 1e9,
    context: int = 0,
    **options: object,
) -> Plan:
    """A plan for the model (default: the first route's) over a table of these routes."""
    return Plan(
        ranked(routes, model or routes[0].model, surface),
        state,
        FailoverOptions(**options),  # type: ignore[arg-type]
        chance=chance,
        deadline=deadline,
        context=context,
    )


def ranked(routes: Sequence[Route], model: str, surface: Surface = Surface.CHAT) -> tuple[Ranked, ...]:
    """The candidates for a model."""
    return RouteTable(routes).candidates(surface, model)
