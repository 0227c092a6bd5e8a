"""What is known of each route right now: breaker, resting keys, recent latency, calls in flight. PURE."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

import msgspec

from mrblue_cli.gateway.model import Fault, FaultKind
from mrblue_cli.gateway.options import BreakerOptions
from mrblue_cli.gateway.routing.breaker import Breaker, State
from mrblue_cli.gateway.routing.routes import Ranked, Route
from mrblue_cli.gateway.routing.table import QUOTA_REST, RULES

_HALF_LIFE = 30.0
"""Seconds after which an old latency weighs half."""
_UNKNOWN_LATENCY = 0.5
"""Seconds assumed of a route nobody has asked yet, so that it gets its chance."""


class Lane(msgspec.Struct, frozen=True):
    """A candidate with one of its keys."""

    ranked: Ranked
    key: int


class RouteHealth:
    """One route's state."""

    __slots__ = ("breaker", "in_flight", "key_rests", "latency", "latency_at", "pool", "rate_limits")

    def __init__(self, breaker: Breaker | None, pool: tuple[tuple[str, str], ...]) -> None:
        """`pool`: address and key of each lane."""
        self.breaker = breaker
        self.pool = pool
        keys = max(1, len(pool))
        self.key_rests = [-math.inf] * keys
        self.rate_limits = [0] * keys
        """429s in a row of each key, for those that do not say how long to wait."""
        self.latency: float | None = None
        self.latency_at = 0.0
        self.in_flight = 0


class Health:
    """The state of all routes; the pipeline reports, the plan asks."""

    def __init__(
        self, options: BreakerOptions, *, retry_delay: float = 1.0, on_open: Callable[[str], None] | None = None
    ) -> None:
        self._options = options
        self._retry_delay = retry_delay
        self._on_open = on_open
        self._routes: dict[str, RouteHealth] = {}

    def of(self, route: Route) -> RouteHealth:
        """The route's state, made when first asked for."""
        found = self._routes.get(route.id)
        if found is None:
            options = self._options
            breaker = Breaker(options.failure_threshold, options.reset_timeout) if options.enabled else None
            found = self._routes[route.id] = RouteHealth(breaker, _pool(route))
        return found

    def ready_keys(self, route: Route, now: float) -> list[int]:
        """The keys a call could use now; empty when the breaker is open or all keys rest."""
        state = self.of(route)
        if state.breaker is not None and not state.breaker.ready(now):
            return []
        return [key for key, until in enumerate(state.key_rests) if until <= now]

    def ready_at(self, route: Route, now: float) -> float:
        """When a call could go there again."""
        state = self.of(route)
        opens = state.breaker.retry_at(now) if state.breaker is not None else now
        return max(opens, min(state.key_rests), now)

    def began(self, lane: Lane, now: float) -> None:
        """A call goes out."""
        state = self.of(lane.ranked.route)
        state.in_flight += 1
        if state.breaker is not None:
            state.breaker.acquire(now)

    def succeeded(self, lane: Lane, latency: float, now: float) -> None:
        """A whole answer came back; `latency` is seconds to the first token (plain: to the answer)."""
        state = self._ended(lane)
        state.rate_limits[lane.key] = 0
        if state.breaker is not None:
            state.breaker.succeeded()
        if state.latency is None:
            state.latency = latency
        else:
            keep = 0.7 * 0.5 ** (max(0.0, now - state.latency_at) / _HALF_LIFE)
            state.latency = keep * state.latency + (1.0 - keep) * latency
        state.latency_at = now

    def failed(self, lane: Lane, fault: Fault, now: float) -> None:
        """A call failed; what follows stands in the table of rules."""
        state = self._ended(lane)
        rule = RULES[fault.kind]
        if rule.cools_key:
            state.key_rests[lane.key] = now + self._rest(state, lane.key, fault)
        if rule.breaker:
            if fault.retry_after is not None:
                state.key_rests[lane.key] = max(state.key_rests[lane.key], now + fault.retry_after)
            if state.breaker is not None and state.breaker.failed(now) and self._on_open is not None:
                self._on_open(lane.ranked.route.id)
        elif state.breaker is not None:
            if rule.final:
                # The provider answered sensibly: it is alive.
                state.breaker.succeeded()
            else:
                state.breaker.abandoned()

    def abandoned(self, lane: Lane) -> None:
        """A call ended without a verdict: the client left."""
        state = self._ended(lane)
        if state.breaker is not None:
            state.breaker.abandoned()

    def load(self, route: Route) -> float:
        """Expected wait, for balancing: recent latency times the calls before us."""
        state = self.of(route)
        latency = _UNKNOWN_LATENCY if state.latency is None else max(state.latency, 1e-3)
        return latency * (1 + state.in_flight)

    def breaker_state(self, route: Route, now: float) -> State:
        """For tables and metrics."""
        breaker = self.of(route).breaker
        return breaker.state(now) if breaker is not None else State.CLOSED

    def opened(self, now: float) -> dict[str, float]:
        """Routes whose breaker is open, with the seconds until the next probe (for shared state)."""
        return {
            name: until - now
            for name, state in self._routes.items()
            if state.breaker is not None and (until := state.breaker.opened_until) is not None and until > now
        }

    def adopt(self, opened: dict[str, float], now: float) -> None:
        """Take over what other processes saw fail; names we do not have are ignored."""
        for name, seconds in opened.items():
            state = self._routes.get(name)
            if state is not None and state.breaker is not None and seconds > 0:
                state.breaker.open_until(now + min(seconds, state.breaker.reset))

    def inherit(self, old: Health, routes: Iterable[Route]) -> None:
        """After a reload: share what `old` knows of the routes whose addresses and keys are still the same.

        Requests under way go on reporting to `old`, whose lanes may be fewer or more than those of now.
        """
        for route in routes:
            state = old._routes.get(route.id)
            if state is not None and state.pool == _pool(route):
                self._routes[route.id] = state

    def _ended(self, lane: Lane) -> RouteHealth:
        state = self.of(lane.ranked.route)
        state.in_flight = max(0, state.in_flight - 1)
        return state

    def _rest(self, state: RouteHealth, key: int, fault: Fault) -> float:
        if fault.kind is not FaultKind.RATE_LIMITED:
            return max(QUOTA_REST, fault.retry_after or 0.0)
        state.rate_limits[key] += 1
        if fault.retry_after is not None:
            return fault.retry_after
        return min(60.0, self._retry_delay * 2.0 ** min(state.rate_limits[key] - 1, 10))


def _pool(route: Route) -> tuple[tuple[str, str], ...]:
    return tuple((target.url, target.api_key) for target in route.targets)
