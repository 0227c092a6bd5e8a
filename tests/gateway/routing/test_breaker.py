"""The circuit breaker: opens, waits, probes once, closes."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from mrblue_cli.gateway.routing.breaker import Breaker, State


def test_failures_in_a_row_open_it_and_a_success_between_them_does_not() -> None:
    breaker = Breaker(3, 10.0)
    assert not breaker.failed(0)
    assert not breaker.failed(1)
    breaker.succeeded()
    assert not breaker.failed(2)
    assert not breaker.failed(3)
    assert breaker.failed(4), "the third in a row"
    assert breaker.state(4) is State.OPEN
    assert not breaker.acquire(13.9)


def test_one_probe_at_a_time_goes_through_when_half_open() -> None:
    breaker = Breaker(1, 10.0)
    breaker.failed(0)
    assert breaker.state(10.0) is State.HALF_OPEN
    assert breaker.acquire(10.0)
    assert not breaker.acquire(10.0)
    assert not breaker.ready(12.0)


def test_a_probe_that_succeeds_closes_it() -> None:
    breaker = Breaker(2, 10.0)
    breaker.failed(0)
    breaker.failed(0)
    assert breaker.acquire(11.0)
    breaker.succeeded()
    assert breaker.state(11.0) is State.CLOSED
    assert not breaker.failed(12.0), "counting starts anew"


def test_a_probe_that_fails_opens_it_for_another_full_time() -> None:
    breaker = Breaker(2, 10.0)
    breaker.failed(0)
    breaker.failed(0)
    assert breaker.acquire(11.0)
    assert breaker.failed(12.0)
    assert not breaker.ready(21.9)
    assert breaker.ready(22.0)


def test_a_probe_that_is_given_up_lets_another_go() -> None:
    breaker = Breaker(1, 10.0)
    breaker.failed(0)
    assert breaker.acquire(10.0)
    breaker.abandoned()
    assert breaker.acquire(10.5)


def test_a_probe_that_never_reports_back_does_not_close_the_door_for_ever() -> None:
    breaker = Breaker(1, 10.0)
    breaker.failed(0)
    assert breaker.acquire(10.0)
    assert breaker.retry_at(11.0) == 20.0
    assert breaker.acquire(20.0)


def test_calls_under_way_when_it_opened_do_not_push_the_probe_away() -> None:
    breaker = Breaker(2, 10.0)
    breaker.failed(0)
    breaker.failed(0)
    assert not breaker.failed(9.0), "a straggler"
    assert breaker.ready(10.0)


def test_what_another_process_saw_opens_it_here() -> None:
    breaker = Breaker(5, 10.0)
    breaker.open_until(107.0)
    assert breaker.state(100.0) is State.OPEN
    assert breaker.ready(107.0)
    breaker.open_until(103.0)
    assert breaker.opened_until == 107.0, "older news change nothing"


@given(
    st.integers(1, 6),
    st.lists(st.tuples(st.sampled_from(["ok", "bad", "left", "wait"]), st.floats(0, 30)), max_size=60),
)
def test_while_open_a_dead_provider_gets_at_most_one_call_per_reset_time(
    threshold: int, steps: list[tuple[str, float]]
) -> None:
    """Walks of any kind: the number of calls let through is bounded, and it never stays shut for ever."""
    breaker, now, reset = Breaker(threshold, 10.0), 0.0, 10.0
    probes: list[float] = []
    for what, pause in steps:
        now += pause
        was = breaker.state(now)
        if not breaker.acquire(now):
            assert breaker.retry_at(now) > now
            assert breaker.retry_at(now) <= now + reset
            continue
        if was is State.HALF_OPEN:
            probes.append(now)
        if what == "ok":
            breaker.succeeded()
            probes.clear()
            assert breaker.state(now) is State.CLOSED
        elif what == "bad":
            breaker.failed(now)
        elif what == "left":
            breaker.abandoned()
            if was is State.HALF_OPEN:
                probes.pop()
        assert all(later - earlier >= reset for earlier, later in itertools.pairwise(probes))
