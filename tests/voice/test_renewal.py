"""When a session is replaced before it ends."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mrblue_cli.voice.renewal import LAST_SECONDS, RENEW_AFTER_SECONDS, plan_renewal


def test_twenty_minutes_or_two_before_the_end():
    assert plan_renewal(born=0, expires_at=None, unix_now=None).due == RENEW_AFTER_SECONDS
    assert plan_renewal(born=5, expires_at=1000 + 600, unix_now=1000).due == 5 + 480
    assert plan_renewal(born=0, expires_at=1000 + 3600, unix_now=1000).due == RENEW_AFTER_SECONDS
    assert plan_renewal(born=0, expires_at=1000 + 3600, unix_now=1000, ages=False).due == 3480


def test_nobody_is_waited_for_longer_than_ten_seconds_before_the_end():
    plan = plan_renewal(born=0, expires_at=1600, unix_now=1000)
    assert not plan.may_swap(500, idle=False)
    assert plan.may_swap(500, idle=True)
    assert plan.may_open(575, idle=False)
    assert plan.may_swap(600 - LAST_SECONDS, idle=False)


def test_what_does_not_end_is_left_alone():
    for expires_at, unix_now in [(None, 5.0), (0, 5.0), (5, 5.0), (99, None)]:
        plan = plan_renewal(born=0, expires_at=expires_at, unix_now=unix_now, ages=False)
        assert not plan.may_open(1e9, idle=True)


@given(st.floats(0, 1e6), st.integers(1, 100_000), st.floats(1e9, 2e9))
def test_always_after_the_beginning_and_before_the_end(born, lives, unix_now):
    plan = plan_renewal(born=born, expires_at=int(unix_now) + lives + 1, unix_now=unix_now)
    assert born < plan.due <= plan.forced < born + lives + 1
