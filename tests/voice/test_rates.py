"""Rate limits: a warning once per window, and whether the next turn fits."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrblue_cli.protocol.notices import RateLimited
from mrblue_cli.voice.rates import LowRate, NoRoom, RateWatch


def tokens(remaining, seconds=30.0, limit=1000, name="tokens"):
    return RateLimited(name, limit, remaining, seconds)


def test_a_warning_under_a_fifth_once_per_window():
    watch = RateWatch()
    assert watch.see(tokens(200), 0.0, 10) == ()
    assert watch.see(tokens(199), 1.0, 10) == (LowRate("tokens", pytest.approx(0.199), 30.0),)
    assert watch.see(tokens(150), 5.0, 10) == ()
    assert watch.see(tokens(100), 31.0, 10) == (LowRate("tokens", 0.1, 30.0),)


def test_each_limit_has_its_own_window():
    watch = RateWatch()
    assert len(watch.see(tokens(10), 0.0, 1)) == 1
    assert len(watch.see(tokens(10, name="requests"), 0.0, 1)) == 1


def test_a_turn_that_will_not_fit():
    watch = RateWatch()
    low, full = watch.see(tokens(150, seconds=12.0), 0.0, 400)
    assert isinstance(low, LowRate)
    assert full == NoRoom("tokens", 12.0)
    assert full.worth_waiting
    assert not NoRoom("tokens", 21.0).worth_waiting
    assert watch.see(tokens(600), 1.0, 400) == ()
    assert watch.see(tokens(0, name="requests", limit=10), 2.0, 0)[-1] == NoRoom("requests", 30.0)


def test_a_turn_larger_than_the_limit_waits_for_the_whole_limit_only():
    watch = RateWatch()
    assert watch.see(tokens(1000), 0.0, 5000) == ()
    assert watch.see(tokens(900), 0.0, 5000) == (NoRoom("tokens", 30.0),)


@given(
    st.text(max_size=8) | st.sampled_from(["tokens", "requests"]), st.integers(), st.integers(),
    st.floats(allow_nan=True, allow_infinity=True), st.integers(0, 10**6),
)  # fmt: skip
def test_hostile_limits_give_sane_findings(name, limit, remaining, seconds, need):
    for found in RateWatch().see(RateLimited(name, limit, remaining, seconds), 0.0, need):
        assert math.isfinite(found.reset_seconds)
        assert 0 <= found.reset_seconds <= 86_400
        if isinstance(found, LowRate):
            assert 0 <= found.share < 0.2
