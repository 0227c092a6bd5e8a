"""Waits before each try to connect again."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mrblue_cli.voice.backoff import FIRST_SECONDS, FLAPS, JITTER, STABLE_SECONDS, TOP_SECONDS, TRIES, Backoff


def test_five_tries_from_half_a_second_to_eight():
    backoff = Backoff(lambda: 0.0)
    assert [backoff.next_delay() for _ in range(6)] == [0.5, 1.0, 2.0, 4.0, 8.0, None]


@given(st.lists(st.floats(0, 1), min_size=TRIES, max_size=TRIES))
def test_jitter_shortens_and_never_lengthens(chances):
    drawn = iter(chances)
    backoff = Backoff(lambda: next(drawn))
    for number in range(TRIES):
        whole = min(TOP_SECONDS, FIRST_SECONDS * 2**number)
        assert whole * (1 - JITTER) <= backoff.next_delay() <= whole
    assert backoff.next_delay() is None


def test_a_good_connection_forgives_everything():
    backoff = Backoff(lambda: 0.0)
    for _ in range(4):
        backoff.next_delay()
    backoff.stood(STABLE_SECONDS)
    assert backoff.next_delay() == FIRST_SECONDS


def test_one_that_falls_at_once_gives_new_tries_but_no_shorter_waits():
    backoff = Backoff(lambda: 0.0)
    assert backoff.next_delay() == 0.5
    backoff.stood(1.0)
    assert [backoff.next_delay() for _ in range(TRIES)] == [1.0, 2.0, 4.0, 8.0, 8.0]


def test_a_server_that_takes_and_drops_for_ever_is_given_up():
    backoff = Backoff(lambda: 0.0)
    for _ in range(FLAPS):
        backoff.stood(0.0)
        assert backoff.next_delay() is not None
    backoff.stood(0.0)
    assert backoff.next_delay() is None
