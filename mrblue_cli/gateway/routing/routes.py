"""Which routes may answer a request, and in which order of groups. PURE.

A route is a model at a provider; its lanes are the keys it may use. A request for a model goes to the routes of that
name by priority; where the policy allows it, other models of the same surface follow, best priority first.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

import msgspec

from mrblue_cli.gateway.model import CallError, Fault, FaultKind, Surface, Target
from mrblue_cli.gateway.options import ModelOptions

ANY_MODEL = "*"
_TEXT = frozenset({Surface.CHAT, Surface.RESPONSES, Surface.MESSAGES})
_LONGEST_NAME = 128
_CROSS_MODEL = _TEXT | {Surface.TRANSCRIPTION, Surface.SPEECH}
"""Vectors of two embedding models cannot be compared, and a realtime session names its own model."""


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """One model at one provider."""

    provider: str
    kind: str
    model: str
    """The name clients ask for; `*` takes any."""
    priority: int = 1
    weight: float = 1.0
    surfaces: frozenset[Surface] = frozenset({Surface.CHAT})
    targets: tuple[Target, ...] = ()
    """One per key of the pool, at least one."""
    key_weights: tuple[float, ...] = ()
    context: int | None = None
    prefill: bool = False
    options: ModelOptions | None = None

    @property
    def id(self) -> str:
        """`provider/model`, unique in a table."""
        return f"{self.provider}/{self.model}"

    def serves(self, surface: Surface) -> bool:
        """Whether the surface can be had here, natively or through chat."""
        return surface in self.surfaces or (surface in _TEXT and Surface.CHAT in self.surfaces)


class Ranked(msgspec.Struct, frozen=True, kw_only=True):
    """A candidate and where it stands: smaller first; candidates of equal rank share the load."""

    route: Route
    rank: tuple[int, int]
    """(0 for the asked model and 1 for another one, priority)."""
    model: str
    """The name to ask for upstream when the route takes any."""

    @property
    def same_model(self) -> bool:
        """Whether this is what the client asked for."""
        return self.rank[0] == 0


class RouteTable:
    """All routes, indexed by the names clients use."""

    def __init__(
        self, routes: Iterable[Route], *, aliases: Iterable[tuple[str, str]] = (), other_models: bool = True
    ) -> None:
        self.routes = tuple(routes)
        self._aliases = dict(aliases)
        self._other_models = other_models
        self._by_name: dict[str, list[Route]] = {}
        for route in self.routes:
            self._by_name.setdefault(route.model, []).append(route)
        self._memo: dict[tuple[Surface, str], tuple[Ranked, ...]] = {}

    def candidates(self, surface: Surface, model: str) -> tuple[Ranked, ...]:
        """Who may answer, best rank first. Raises `CallError` (NOT_FOUND) with the nearest name we have."""
        found = self._memo.get((surface, model))
        if found is None:
            found = self._find(surface, model)
            if any(ranked.route.model == model for ranked in found):  # names that only `*` takes are without number
                self._memo[surface, model] = found
        return found

    def names(self, surface: Surface | None = None) -> list[str]:
        """The model names clients may ask for, aliases last."""
        known = dict.fromkeys(
            route.model
            for route in self.routes
            if route.model != ANY_MODEL and (surface is None or route.serves(surface))
        )
        return [*known, *(name for name in self._aliases if name not in known)]

    def known_as(self, model: str) -> list[str]:
        """What a name that clients use stands for: the model, and the model at each provider (`openai/gpt-4o`)."""
        name, only = self._resolved(model)
        at = [r.provider for r in self._by_name.get(name, []) or self._by_name.get(ANY_MODEL, [])]
        return [name, *(f"{provider}/{name}" for provider in at if only in ("", provider))]

    def _find(self, surface: Surface, model: str) -> tuple[Ranked, ...]:
        name, only = self._resolved(model)
        exact = [r for r in self._by_name.get(name, ()) if r.serves(surface) and only in ("", r.provider)]
        named = exact or [r for r in self._by_name.get(ANY_MODEL, ()) if r.serves(surface) and only in ("", r.provider)]
        if not named:
            raise CallError(self.unknown(surface, model, name))
        ranked = [Ranked(route=r, rank=(0, r.priority), model=name) for r in named]
        if self._other_models and surface in _CROSS_MODEL and not only:
            ranked += [
                Ranked(route=r, rank=(1, r.priority), model=r.model)
                for r in self.routes
                if r.model not in (name, ANY_MODEL) and r.serves(surface)
            ]
        return tuple(sorted(ranked, key=lambda one: one.rank))

    def _resolved(self, model: str) -> tuple[str, str]:
        """The route's name and, when the client named one, the only provider it may be at."""
        name = self._aliases.get(model, model)
        if name in self._by_name:
            return name, ""
        provider, slash, rest = name.partition("/")
        if slash and any(route.provider == provider for route in self.routes):
            return rest, provider
        return name, ""

    def unknown(self, surface: Surface, model: str, name: str = "") -> Fault:
        """The fault for a model that nobody serves here, with the nearest that somebody does."""
        known = self.names(surface)
        shown = model if len(model) <= _LONGEST_NAME else f"{model[:_LONGEST_NAME]}…"
        if name in self._by_name:
            message = f"The model '{shown}' is not configured for {surface}."
        else:
            message = f"The model '{shown}' is not configured in this gateway."
        # A name of megabytes would keep the comparison, and with it everybody else, busy for seconds.
        near = difflib.get_close_matches(shown, known, n=1)
        if near:
            message += f" Did you mean '{near[0]}'?"
        elif known:
            message += f" For {surface} there is: {', '.join(known[:8])}{', …' if len(known) > 8 else ''}."
        return Fault(
            kind=FaultKind.NOT_FOUND,
            message=message,
            status=404,
            type="invalid_request_error",
            code="model_not_found",
            param="model",
        )
