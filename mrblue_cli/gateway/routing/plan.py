"""The attempts of one request: who is asked next, after which wait, and when to stop. PURE.

A plan is fed faults and answers steps. It never calls anything: `pipeline` does, and tells it what happened.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import msgspec

from mrblue_cli.gateway.model import Fault, FaultKind
from mrblue_cli.gateway.options import FailoverOptions
from mrblue_cli.gateway.routing.backoff import backoff
from mrblue_cli.gateway.routing.health import Health, Lane
from mrblue_cli.gateway.routing.routes import Ranked
from mrblue_cli.gateway.routing.table import RULES


class Try(msgspec.Struct, frozen=True):
    """Ask this lane, after `wait` seconds."""

    lane: Lane
    wait: float = 0.0


class Stop(msgspec.Struct, frozen=True):
    """Nobody else to ask: tell the client."""

    fault: Fault


Step = Try | Stop


class Plan:
    """One request's attempts."""

    def __init__(
        self,
        candidates: Sequence[Ranked],
        health: Health,
        options: FailoverOptions,
        *,
        chance: Callable[[], float],
        deadline: float = math.inf,
        context: int = 0,
    ) -> None:
        """`chance` gives uniform numbers in [0, 1); `deadline` is the moment when no further attempt makes sense;
        `context` the tokens that the request needs at least."""
        fitting = [c for c in candidates if c.route.context is None or c.route.context >= context]
        self._candidates = tuple(fitting or candidates) if options.enabled else tuple(candidates[:1])
        self._health = health
        self._options = options
        self._chance = chance
        self._deadline = deadline
        self._retries = 0
        self._repeats: dict[str, int] = {}
        self._tried: list[Lane] = []
        self._ruled_out: set[str] = set()
        self._spent_lanes: set[tuple[str, int]] = set()
        self._last: Fault | None = None

    @property
    def attempts(self) -> int:
        """Calls made so far."""
        return len(self._tried)

    def first(self, now: float) -> Step:
        """Whom to ask first."""
        return self._next(now)

    def after(self, fault: Fault, now: float) -> Step:
        """What to do after the last lane failed before anything was sent to the client."""
        lane = self._tried[-1]
        route = lane.ranked.route
        rule = RULES[fault.kind]
        if rule.final:
            return Stop(fault)
        self._last = self._worse(self._last, fault)
        if fault.kind is FaultKind.UNSUPPORTED:
            self._ruled_out.add(route.id)
            return self._next(now)
        if self._retries >= self._options.max_retries or not self._options.enabled or now >= self._deadline:
            return Stop(fault)
        self._retries += 1
        if not rule.again:
            self._spent_lanes.add((route.id, lane.key))
            if not rule.cools_key:
                self._ruled_out.add(route.id)
        repeats = self._repeats.get(route.id, 0)
        if repeats < rule.repeats and (wait := self._repeat_wait(lane, fault, repeats, now)) is not None:
            # Another way to the same model needs no wait; a different model is only asked after the repeat.
            other = self._pick(now, same_model_as=lane)
            if other is not None:
                return self._go(other)
            self._repeats[route.id] = repeats + 1
            return self._go(lane, wait)
        return self._next(now)

    def woken(self, step: Try, now: float) -> Step:
        """After the wait of `step`: the same lane, unless somebody else has found it dead, or probes it, meanwhile."""
        breaker = self._health.of(step.lane.ranked.route).breaker
        if breaker is None or breaker.ready(now):
            return Try(step.lane)
        if self._last is not None and (self._retries >= self._options.max_retries or now >= self._deadline):
            return Stop(self._last)
        self._retries += 1
        self._tried.pop()
        return self._next(now)

    def continuation(self, now: float) -> Try | None:
        """Who may go on with an answer that broke off after its first token: only providers that accept a prefill."""
        if not self._options.enabled or self._retries >= self._options.max_retries or now >= self._deadline:
            return None
        self._retries += 1
        for group in self._groups(now):
            able = [lane for lane in group if lane.ranked.route.prefill and lane not in self._tried]
            if able:
                return self._go(able[0])
        return None

    def _next(self, now: float) -> Step:
        fresh = self._pick(now)
        if fresh is not None:
            return self._go(fresh)
        return self._again(now)

    def _pick(self, now: float, *, same_model_as: Lane | None = None) -> Lane | None:
        """The best ready lane that was not tried yet."""
        for group in self._groups(now):
            for lane in group:
                if lane in self._tried:
                    continue
                if same_model_as is not None and lane.ranked.model != same_model_as.ranked.model:
                    continue
                if any(t.ranked.route.id == lane.ranked.route.id for t in self._tried) and not self._key_at_fault():
                    continue  # a sick provider is not better with another key
                return lane
        return None

    def _key_at_fault(self) -> bool:
        return self._last is not None and RULES[self._last.kind].cools_key

    def _again(self, now: float) -> Step:
        """Nobody is left who was not asked: come back to one that may have recovered, else stop."""
        options = [
            (max(self._health.ready_at(c.route, now), now + self._wait()), c)
            for c in self._candidates
            if c.route.id not in self._ruled_out
            and any((c.route.id, key) not in self._spent_lanes for key in range(len(c.route.targets)))
        ]
        if self._last is None:
            return self._all_down(options, now)
        options = [(at, c) for at, c in options if at - now <= self._options.max_delay and at < self._deadline]
        if not options:
            return Stop(self._last)
        at, ranked = min(options, key=lambda one: (one[1].rank, one[0]))
        keys = self._health.of(ranked.route).key_rests
        usable = [k for k in range(len(keys)) if (ranked.route.id, k) not in self._spent_lanes]
        key = min(usable, key=lambda k: keys[k])
        return self._go(Lane(ranked, key), at - now)

    def _all_down(self, options: list[tuple[float, Ranked]], now: float) -> Step:
        """Before the first call: every breaker is open or every key rests. Failing at once beats queueing."""
        soonest = min((self._health.ready_at(c.route, now) for _, c in options), default=now)
        wait = max(0.0, soonest - now)
        names = ", ".join(dict.fromkeys(c.route.provider for c in self._candidates))
        fault = Fault(
            kind=FaultKind.OVERLOADED,
            message=f"No provider for this model is available right now ({names}); next try in {math.ceil(wait)} s.",
            type="server_error",
            code="providers_unavailable",
            retry_after=wait,
        )
        return Stop(fault)

    def _repeat_wait(self, lane: Lane, fault: Fault, repeats: int, now: float) -> float | None:
        """Seconds before the same lane is tried again, None when that is too long to be worth it."""
        state = self._health.of(lane.ranked.route)
        if state.breaker is not None and not state.breaker.ready(now):
            return None
        wait = backoff(repeats, self._options.retry_delay, self._options.max_delay, self._chance())
        if fault.retry_after is not None:
            # A provider that names its time is worth waiting for only while the client would not notice much.
            if fault.retry_after > 2 * self._options.retry_delay and len(self._candidates) > 1:
                return None
            wait = max(fault.retry_after, 0.0)
        elif fault.kind is FaultKind.RATE_LIMITED and len(self._candidates) > 1:
            return None
        if wait > self._options.max_delay or now + wait >= self._deadline:
            return None
        return wait

    def _wait(self) -> float:
        return backoff(max(0, self._retries - 1), self._options.retry_delay, self._options.max_delay, self._chance())

    def _go(self, lane: Lane, wait: float = 0.0) -> Try:
        self._tried.append(lane)
        return Try(lane, wait)

    def _groups(self, now: float) -> list[list[Lane]]:
        """Ready lanes by rank, each group in the order of a weighted draw."""
        groups: dict[tuple[int, int], list[tuple[float, Lane]]] = {}
        for ranked in self._candidates:
            if ranked.route.id in self._ruled_out:
                continue
            for key in self._health.ready_keys(ranked.route, now):
                if (ranked.route.id, key) not in self._spent_lanes:
                    lane = Lane(ranked, key)
                    groups.setdefault(ranked.rank, []).append((self._draw(lane), lane))
        return [[lane for _, lane in sorted(group, key=lambda one: one[0])] for _, group in sorted(groups.items())]

    def _draw(self, lane: Lane) -> float:
        """Smaller goes first: a weighted draw without replacement (Efraimidis and Spirakis, 2006)."""
        route = lane.ranked.route
        weight = route.weight * (route.key_weights[lane.key] if lane.key < len(route.key_weights) else 1.0)
        if self._options.balance == "latency":
            weight /= self._health.load(route)
        return -math.log(1.0 - self._chance()) / max(weight, 1e-9)

    @staticmethod
    def _worse(last: Fault | None, fault: Fault) -> Fault:
        """The fault to tell at the end: what a provider said beats what could not be expressed."""
        return last if last is not None and fault.kind is FaultKind.UNSUPPORTED else fault
