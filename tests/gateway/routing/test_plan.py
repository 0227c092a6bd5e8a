"""The attempts of one request: the table of faults as a table of plans, then walks with invariants."""

from __future__ import annotations

import itertools
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mrblue_cli.gateway.model import FaultKind
from mrblue_cli.gateway.routing.backoff import backoff
from mrblue_cli.gateway.routing.health import Health, Lane
from mrblue_cli.gateway.routing.plan import Plan, Step, Stop, Try
from mrblue_cli.gateway.routing.routes import Route
from mrblue_cli.gateway.routing.table import RULES, client_status
from tests.gateway.routing.worlds import fault, health, plan, ranked, route

K = FaultKind
MAIN = route("main/big", priority=1)
TWIN = route("twin/big", priority=2)
OTHER = route("other/small", priority=3)


def play(
    made: Plan, state: Health, faults: list[tuple[FaultKind, float | None]], now: float = 0.0
) -> list[tuple[str, float]]:
    """Run the plan over these faults; what was tried after which wait, then "ok" or the kind of fault told."""
    told: list[tuple[str, float]] = []
    step: Step = made.first(now)
    for kind, after in [*faults, (None, None)]:  # type: ignore[list-item]
        if isinstance(step, Stop):
            told.append((step.fault.kind.value, 0.0))
            return told
        now += step.wait
        name = step.lane.ranked.route.id + (f"#{step.lane.key}" if step.lane.key else "")
        told.append((name, round(step.wait, 3)))
        state.began(step.lane, now)
        if kind is None:
            state.succeeded(step.lane, 0.1, now)
            told.append(("ok", 0.0))
            return told
        bad = fault(kind, after)
        state.failed(step.lane, bad, now)
        step = made.after(bad, now)
    raise AssertionError("unreachable")


@pytest.mark.parametrize(
    ("faults", "expected"),
    [
        ([], [("main/big", 0), ("ok", 0)]),
        # A stumble: the same model elsewhere at once; with nobody else for it, once more after the backoff.
        ([(K.SERVER, None)], [("main/big", 0), ("twin/big", 0), ("ok", 0)]),
        ([(K.CONNECT, None)], [("main/big", 0), ("twin/big", 0), ("ok", 0)]),
        ([(K.OVERLOADED, None)], [("main/big", 0), ("twin/big", 0), ("ok", 0)]),
        ([(K.TIMEOUT, None)], [("main/big", 0), ("twin/big", 0), ("ok", 0)]),
        (
            [(K.OVERLOADED, None), (K.TIMEOUT, None)],
            [("main/big", 0), ("twin/big", 0), ("other/small", 0), ("ok", 0)],
        ),
        # The provider names its time: worth waiting for only if short, and the twin needs no wait at all.
        ([(K.RATE_LIMITED, 1.0)], [("main/big", 0), ("twin/big", 0), ("ok", 0)]),
        # Faults of the request are told at once.
        ([(K.BAD_REQUEST, None)], [("main/big", 0), ("bad_request", 0)]),
        ([(K.CONTEXT_TOO_LONG, None)], [("main/big", 0), ("context_too_long", 0)]),
        ([(K.CONTENT_FILTER, None)], [("main/big", 0), ("content_filter", 0)]),
        ([(K.SERVER, None), (K.CONTENT_FILTER, None)], [("main/big", 0), ("twin/big", 0), ("content_filter", 0)]),
        # What a provider cannot express, or does not have, is no failure of anyone.
        ([(K.UNSUPPORTED, None)], [("main/big", 0), ("twin/big", 0), ("ok", 0)]),
        ([(K.NOT_FOUND, None)], [("main/big", 0), ("twin/big", 0), ("ok", 0)]),
        ([(K.AUTH, None)], [("main/big", 0), ("twin/big", 0), ("ok", 0)]),
    ],
)
def test_three_routes(faults: list[tuple[FaultKind, float | None]], expected: list[tuple[str, float]]) -> None:
    state = health()
    assert play(plan([MAIN, TWIN, OTHER], state), state, faults) == expected


@pytest.mark.parametrize(
    ("faults", "expected"),
    [
        # A different model is asked only after one more try of the asked one.
        ([(K.SERVER, None)], [("main/big", 0), ("main/big", 0.75), ("ok", 0)]),
        ([(K.SERVER, None)] * 2, [("main/big", 0), ("main/big", 0.75), ("other/small", 0), ("ok", 0)]),
        ([(K.RATE_LIMITED, 1.5)], [("main/big", 0), ("main/big", 1.5), ("ok", 0)]),
        ([(K.RATE_LIMITED, 9.0)], [("main/big", 0), ("other/small", 0), ("ok", 0)]),
        ([(K.RATE_LIMITED, None)], [("main/big", 0), ("other/small", 0), ("ok", 0)]),
        ([(K.OVERLOADED, None)], [("main/big", 0), ("other/small", 0), ("ok", 0)]),
        ([(K.TIMEOUT, None)], [("main/big", 0), ("other/small", 0), ("ok", 0)]),
        ([(K.QUOTA, None)], [("main/big", 0), ("other/small", 0), ("ok", 0)]),
    ],
)
def test_the_asked_model_and_another(
    faults: list[tuple[FaultKind, float | None]], expected: list[tuple[str, float]]
) -> None:
    state = health()
    assert play(plan([MAIN, OTHER], state), state, faults) == expected


@pytest.mark.parametrize(
    ("faults", "expected"),
    [
        ([(K.SERVER, None)], [("main/big", 0), ("main/big", 0.75), ("ok", 0)]),
        ([(K.RATE_LIMITED, 3.0)], [("main/big", 0), ("main/big", 3.0), ("ok", 0)]),
        (
            [(K.OVERLOADED, None)] * 4,
            [("main/big", 0), ("main/big", 0.75), ("main/big", 1.5), ("main/big", 3.0), ("overloaded", 0)],
        ),
        ([(K.RATE_LIMITED, 3600.0)], [("main/big", 0), ("rate_limited", 0)]),
        ([(K.AUTH, None)], [("main/big", 0), ("auth", 0)]),
        ([(K.NOT_FOUND, None)], [("main/big", 0), ("not_found", 0)]),
        ([(K.UNSUPPORTED, None)], [("main/big", 0), ("unsupported", 0)]),
    ],
)
def test_nowhere_else_to_go(faults: list[tuple[FaultKind, float | None]], expected: list[tuple[str, float]]) -> None:
    state = health()
    assert play(plan([MAIN], state), state, faults) == expected


def test_another_key_is_tried_for_a_fault_of_the_key_and_not_for_a_sick_provider() -> None:
    pool = route("main/big", keys=3)
    state = health()
    assert [name for name, _ in play(plan([pool], state), state, [(K.RATE_LIMITED, 30.0), (K.QUOTA, None)])] == [
        "main/big", "main/big#1", "main/big#2", "ok",
    ]  # fmt: skip
    state = health()
    tried = play(plan([pool, OTHER], state), state, [(K.OVERLOADED, None)])
    assert [name for name, _ in tried] == ["main/big", "other/small", "ok"]


def test_a_key_that_rests_is_left_alone_by_the_next_request() -> None:
    pool = route("main/big", keys=2)
    state = health()
    play(plan([pool], state), state, [(K.RATE_LIMITED, 30.0)])
    assert play(plan([pool], state), state, [], now=10.0)[0] == ("main/big#1", 0.0)
    assert state.ready_keys(pool, 31.0) == [0, 1]


def test_an_open_breaker_is_passed_over_and_probed_later() -> None:
    state = health(threshold=2, reset=60.0)
    for _ in range(2):
        play(plan([MAIN, OTHER], state), state, [(K.OVERLOADED, None)])
    assert play(plan([MAIN, OTHER], state), state, [], now=5.0)[0][0] == "other/small"
    assert play(plan([MAIN, OTHER], state), state, [], now=61.0)[0][0] == "main/big"


def test_when_nobody_is_available_the_client_hears_at_once_when_to_come_back() -> None:
    state = health(threshold=1, reset=60.0)
    play(plan([MAIN], state, max_retries=0), state, [(K.SERVER, None)])
    step = plan([MAIN], state).first(10.0)
    assert isinstance(step, Stop)
    assert step.fault.kind is K.OVERLOADED
    assert step.fault.retry_after == 50.0
    assert step.fault.code == "providers_unavailable"


def test_without_failover_there_is_one_try() -> None:
    state = health()
    assert play(plan([MAIN, TWIN], state, enabled=False), state, [(K.SERVER, None)]) == [
        ("main/big", 0), ("server", 0),
    ]  # fmt: skip


def test_retries_are_counted_over_all_routes() -> None:
    state = health()
    tried = play(plan([MAIN, TWIN, OTHER], state, max_retries=1), state, [(K.SERVER, None)] * 2)
    assert [name for name, _ in tried] == ["main/big", "twin/big", "server"]


def test_no_wait_goes_beyond_the_deadline() -> None:
    state = health()
    tried = play(plan([MAIN], state, deadline=2.0), state, [(K.RATE_LIMITED, 3.0)])
    assert [name for name, _ in tried] == ["main/big", "rate_limited"]


def test_a_request_too_long_for_a_route_goes_elsewhere_without_a_try() -> None:
    short = route("main/big", context=8_000)
    state = health()
    assert play(plan([short, OTHER], state, context=9_000), state, [])[0][0] == "other/small"
    assert play(plan([short], health(), context=9_000), state, [])[0][0] == "main/big", "its own word is better"


def test_only_providers_that_accept_a_prefill_go_on_with_a_broken_answer() -> None:
    able = route("able/small", priority=9, prefill=True)
    state = health()
    made = plan([MAIN, OTHER, able], state)
    first = made.first(0.0)
    assert isinstance(first, Try)
    state.began(first.lane, 0.0)
    state.failed(first.lane, fault(K.BROKEN), 0.0)
    going_on = made.continuation(0.0)
    assert going_on is not None
    assert going_on.lane.ranked.route.id == "able/small"
    assert made.continuation(0.0) is None
    assert plan([MAIN], state).continuation(0.0) is None


def test_equal_routes_share_by_weight() -> None:
    heavy, light = route("heavy/big", weight=3.0), route("light/big", weight=1.0)
    chance = random.Random(7).random
    counts = {"heavy/big": 0, "light/big": 0}
    for _ in range(2000):
        state = health()
        step = plan([heavy, light], state, chance=chance, balance="weight").first(0.0)
        assert isinstance(step, Try)
        counts[step.lane.ranked.route.id] += 1
    assert 0.70 < counts["heavy/big"] / 2000 < 0.80


def test_a_slow_route_gets_less_and_is_not_forgotten() -> None:
    quick, slow = route("quick/big"), route("slow/big")
    state = health()
    made = plan([quick, slow], state)
    for one, latency in ((quick, 0.1), (slow, 0.9)):
        lane = next(lane for group in made._groups(0.0) for lane in group if lane.ranked.route.id == one.id)
        for _ in range(20):
            state.began(lane, 0.0)
            state.succeeded(lane, latency, 0.0)
    chance = random.Random(3).random
    first = [plan([quick, slow], state, chance=chance).first(0.0) for _ in range(1000)]
    share = sum(isinstance(s, Try) and s.lane.ranked.route.id == "slow/big" for s in first) / 1000
    assert 0.05 < share < 0.15


ROUTES = (MAIN, route("twin/big", priority=2, keys=2), route("even/big", priority=2), OTHER)
KINDS = st.sampled_from(list(FaultKind))


@settings(max_examples=300)
@given(
    st.lists(st.tuples(KINDS, st.none() | st.floats(0, 100)), max_size=12),
    st.integers(0, 6),
    st.integers(1, 4),
    st.floats(0, 0.999),
)
def test_every_walk_ends_and_keeps_its_promises(
    faults: list[tuple[FaultKind, float | None]], retries: int, threshold: int, chance: float
) -> None:
    state = health(threshold=threshold)
    made = plan(list(ROUTES), state, max_retries=retries, chance=lambda: chance, max_delay=20.0)
    now, tries, counted = 0.0, [], 0
    step: Step = made.first(now)
    for kind, after in itertools.chain(faults, itertools.repeat((K.SERVER, None))):
        if isinstance(step, Stop):
            break
        assert step.wait <= 20.0
        now += step.wait
        ready = state.ready_keys(step.lane.ranked.route, now)
        assert step.lane.key in ready, "nobody is called who is known to be down"
        tries.append((step.lane.ranked.route.id, kind))
        state.began(step.lane, now)
        bad = fault(kind, after)
        state.failed(step.lane, bad, now)
        step = made.after(bad, now)
        if RULES[kind].final:
            assert isinstance(step, Stop)
            assert step.fault is bad, "told as it is"
        counted += kind is not K.UNSUPPORTED
        assert counted <= retries + 1
    assert isinstance(step, Stop)
    for one in ROUTES:
        gone = [i for i, (name, kind) in enumerate(tries) if name == one.id and kind is K.UNSUPPORTED]
        assert not gone or all(name != one.id for name, _ in tries[gone[0] + 1 :])
    assert all(r.in_flight == 0 for r in (state.of(one) for one in ROUTES))


@given(st.integers(0, 60), st.floats(0.001, 10), st.floats(0.001, 60), st.floats(0, 0.9999))
def test_backoff_grows_stays_within_bounds_and_never_vanishes(
    attempt: int, base: float, longest: float, chance: float
) -> None:
    wait = backoff(attempt, base, longest, chance)
    assert min(base, longest) / 2 <= wait <= longest
    assert wait <= backoff(attempt + 1, base, longest, chance) + 1e-9


def test_each_kind_of_fault_has_a_row_and_a_status() -> None:
    assert set(RULES) == set(FaultKind)
    assert client_status(K.BAD_REQUEST, 422) == 422
    assert client_status(K.BAD_REQUEST, None) == 400
    assert client_status(K.AUTH, 401) == 502, "a client must not think its own key was refused"
    assert client_status(K.RATE_LIMITED, 429) == 429
    assert client_status(K.CONTENT_FILTER, 500) == 400
    assert all(400 <= client_status(kind, None) < 600 for kind in FaultKind)


def test_when_the_requests_time_is_over_nobody_else_is_asked() -> None:
    state = health()
    made = plan([MAIN, TWIN], state, deadline=10.0)
    first = made.first(0.0)
    assert isinstance(first, Try)
    late = made.after(fault(K.TIMEOUT), 10.0)
    assert isinstance(late, Stop)
    assert late.fault.kind is K.TIMEOUT


def test_nobody_goes_on_with_an_answer_whose_time_is_over() -> None:
    heir = route("heir/big", priority=2, prefill=True)
    made = plan([MAIN, heir], health(), deadline=10.0)
    made.first(0.0)
    assert made.continuation(10.0) is None
    again = plan([MAIN, heir], health(), deadline=10.0)
    again.first(0.0)
    assert again.continuation(9.9) is not None


def waiting(state: Health, *routes: Route, **options: object) -> tuple[Plan, Try]:
    """A plan that waits to ask its first route again."""
    made = plan(list(routes), state, max_retries=2, max_delay=5.0, **options)
    first = made.first(0.0)
    assert isinstance(first, Try)
    state.began(first.lane, 0.0)
    state.failed(first.lane, fault(K.SERVER), 0.0)
    step = made.after(fault(K.SERVER), 0.0)
    assert isinstance(step, Try)
    assert step.wait > 0
    return made, step


def test_after_a_wait_the_same_lane_is_asked_when_it_may_be() -> None:
    state = health()
    made, step = waiting(state, MAIN)
    assert made.woken(step, 1.0) == Try(step.lane)


def test_after_a_wait_a_provider_that_others_found_dead_is_left_alone() -> None:
    state = health(threshold=3, reset=60.0)
    made, step = waiting(state, MAIN)
    for _ in range(2):
        state.began(step.lane, 0.5)
        state.failed(step.lane, fault(K.SERVER), 0.5)
    stopped = made.woken(step, 1.0)
    assert isinstance(stopped, Stop)
    assert stopped.fault.kind is K.SERVER


def test_after_a_wait_another_route_is_asked_in_the_place_of_a_dead_one() -> None:
    state = health(threshold=3, reset=60.0)
    made, step = waiting(state, MAIN, OTHER)
    for _ in range(2):
        state.began(step.lane, 0.5)
        state.failed(step.lane, fault(K.SERVER), 0.5)
    instead = made.woken(step, 1.0)
    assert isinstance(instead, Try)
    assert instead.lane.ranked.route.id == "other/small"
    assert instead.wait == 0


def test_waiting_for_a_dead_provider_ends() -> None:
    """However often it is found dead after a wait, the number of retries bounds it."""
    state = health(threshold=1, reset=2.0)
    made, step = waiting(state, MAIN)
    now, waits = 0.0, 0
    while isinstance(step, Try) and waits < 10:
        now, waits = now + step.wait, waits + 1
        state.adopt({"main/big": 2.0}, now)
        step = made.woken(step, now)  # type: ignore[assignment]
    assert isinstance(step, Stop)
    assert waits <= 3


@pytest.mark.parametrize("balance", ["latency", "weight"])
def test_a_weight_of_nothing_is_only_asked_when_nobody_else_can(balance: str) -> None:
    never = route("never/big", weight=0.0)
    chance = random.Random(7).random
    for _ in range(200):
        made = plan([never, MAIN], health(), balance=balance, chance=chance)
        first = made.first(0.0)
        assert isinstance(first, Try)
        assert first.lane.ranked.route.id == "main/big"
        second = made.after(fault(K.OVERLOADED), 0.0)
        assert isinstance(second, Try)
        assert second.lane.ranked.route.id == "never/big"


def test_a_group_whose_keys_all_rest_is_passed_over() -> None:
    state = health()
    pool = route("main/big", keys=2)
    for key in range(2):
        lane = Lane(ranked([pool], "big")[0], key)
        state.began(lane, 0.0)
        state.failed(lane, fault(K.RATE_LIMITED, 30.0), 0.0)
    assert play(plan([pool, TWIN], state), state, []) == [("twin/big", 0), ("ok", 0)]
    alone = plan([pool], state).first(1.0)
    assert isinstance(alone, Stop)
    assert alone.fault.retry_after == pytest.approx(29.0)
