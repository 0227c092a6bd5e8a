"""What is known of each route: resting keys, latency, calls in flight, and what a reload keeps of it."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrblue_cli.gateway.model import FaultKind
from mrblue_cli.gateway.routing.breaker import State
from mrblue_cli.gateway.routing.health import Health, Lane
from mrblue_cli.gateway.routing.routes import Route
from mrblue_cli.gateway.routing.table import QUOTA_REST, RULES
from tests.gateway.routing.worlds import fault, health, ranked, route

K = FaultKind


def lane(of: Route, key: int = 0) -> Lane:
    """A lane of this route."""
    return Lane(ranked([of], of.model)[0], key)


def test_a_key_rests_as_long_as_the_provider_asks_and_the_others_do_not() -> None:
    main, state = route("main/big", keys=2), health()
    state.began(lane(main), 0.0)
    state.failed(lane(main), fault(K.RATE_LIMITED, 30.0), 0.0)
    assert state.ready_keys(main, 29.9) == [1]
    assert state.ready_keys(main, 30.0) == [0, 1]
    assert state.ready_at(main, 1.0) == 1.0


def test_limits_in_a_row_rest_longer_each_time_until_one_call_is_good() -> None:
    main, state = route("main/big"), health()
    rests = []
    now = 0.0
    for _ in range(8):
        state.began(lane(main), now)
        state.failed(lane(main), fault(K.RATE_LIMITED), now)
        rests.append(state.ready_at(main, now) - now)
        now += 100.0
    assert rests == [1, 2, 4, 8, 16, 32, 60, 60]
    state.began(lane(main), now)
    state.succeeded(lane(main), 0.1, now)
    state.began(lane(main), now)
    state.failed(lane(main), fault(K.RATE_LIMITED), now)
    assert state.ready_at(main, now) - now == 1


@pytest.mark.parametrize("kind", [K.QUOTA, K.AUTH])
def test_a_key_that_a_person_must_see_to_rests_a_minute(kind: FaultKind) -> None:
    main, state = route("main/big"), health()
    state.began(lane(main), 0.0)
    state.failed(lane(main), fault(kind), 0.0)
    assert state.ready_at(main, 0.0) == QUOTA_REST
    assert state.breaker_state(main, 0.0) is State.CLOSED


@pytest.mark.parametrize("kind", list(FaultKind))
def test_each_fault_does_to_the_breaker_what_its_rule_says(kind: FaultKind) -> None:
    main, state = route("main/big"), health(threshold=1)
    state.began(lane(main), 0.0)
    state.failed(lane(main), fault(kind), 0.0)
    assert (state.breaker_state(main, 0.0) is State.OPEN) is RULES[kind].breaker


def test_a_probe_that_tells_nothing_makes_room_for_the_next() -> None:
    main, state = route("main/big"), health(threshold=1, reset=10.0)
    state.began(lane(main), 0.0)
    state.failed(lane(main), fault(K.SERVER), 0.0)
    state.began(lane(main), 10.0)
    assert state.ready_keys(main, 10.0) == []
    state.abandoned(lane(main))
    assert state.ready_keys(main, 10.0) == [0]


def test_the_load_grows_with_latency_and_calls_in_flight() -> None:
    main, state = route("main/big"), health()
    unknown = state.load(main)
    state.began(lane(main), 0.0)
    assert state.load(main) == 2 * unknown
    state.succeeded(lane(main), 2.0, 0.0)
    assert state.load(main) == 2.0
    state.began(lane(main), 0.0)
    state.succeeded(lane(main), 1.0, 0.0)
    assert 1.0 < state.load(main) < 2.0
    state.began(lane(main), 3600.0)
    state.succeeded(lane(main), 1.0, 3600.0)
    assert state.load(main) == pytest.approx(1.0)


@given(ends=st.lists(st.sampled_from(["good", "bad", "left"]), max_size=30))
def test_what_began_and_ended_is_never_in_flight(ends: list[str]) -> None:
    main, state = route("main/big"), health()
    for _ in ends:
        state.began(lane(main), 0.0)
    assert state.of(main).in_flight == len(ends)
    for end in ends:
        if end == "good":
            state.succeeded(lane(main), 0.1, 0.0)
        elif end == "bad":
            state.failed(lane(main), fault(K.SERVER), 0.0)
        else:
            state.abandoned(lane(main))
    assert state.of(main).in_flight == 0


# Reloads


def reloaded(old: Health, *routes: Route) -> Health:
    """Health after a reload with these routes."""
    new = health()
    new.inherit(old, routes)
    return new


def test_a_reload_keeps_what_is_known_of_the_same_routes() -> None:
    main, state = route("main/big"), health(threshold=1)
    state.began(lane(main), 0.0)
    state.failed(lane(main), fault(K.SERVER), 0.0)
    again = reloaded(state, route("main/big", priority=7, weight=3.0))
    assert again.breaker_state(main, 1.0) is State.OPEN
    assert reloaded(state).opened(1.0) == {}


def test_calls_under_way_at_a_reload_end_on_both_sides_of_it() -> None:
    main, state = route("main/big"), health()
    state.began(lane(main), 0.0)
    again = reloaded(state, main)
    assert again.of(main).in_flight == 1
    state.succeeded(lane(main), 0.1, 0.0)
    assert again.of(main).in_flight == 0


@pytest.mark.parametrize(("before", "after"), [(2, 1), (1, 2)])
def test_a_call_under_way_does_not_bring_back_keys_that_are_gone(before: int, after: int) -> None:
    """It ends after the reload, and reports for a lane that may not exist any more."""
    old_route, new_route = route("main/big", keys=before), route("main/big", keys=after)
    state = health()
    state.began(lane(old_route, before - 1), 0.0)
    again = reloaded(state, new_route)
    state.failed(lane(old_route, before - 1), fault(K.RATE_LIMITED, 9.0), 0.0)
    assert again.ready_keys(new_route, 0.0) == list(range(after))


def test_a_new_key_does_not_rest_for_the_old_ones_faults() -> None:
    main, state = route("main/big"), health()
    state.began(lane(main), 0.0)
    state.failed(lane(main), fault(K.AUTH), 0.0)
    target = msgspec.structs.replace(main.targets[0], api_key="a-better-key")
    changed = msgspec.structs.replace(main, targets=(target,))
    assert state.ready_keys(main, 1.0) == []
    assert reloaded(state, changed).ready_keys(changed, 1.0) == [0]


def test_what_others_found_dead_is_left_alone_here_too() -> None:
    main, state = route("main/big"), health(reset=60.0)
    state.of(main)
    state.adopt({"main/big": 5.0, "unknown/one": 5.0, "main/other": -1.0}, 100.0)
    assert state.breaker_state(main, 104.9) is State.OPEN
    assert state.breaker_state(main, 105.0) is State.HALF_OPEN
    assert state.opened(101.0) == {"main/big": pytest.approx(4.0)}
