"""Which rung comes next."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mrblue_cli.voice.ladder import COOLDOWN_SECONDS, FORGIVEN_SECONDS, MAX_COOLDOWN_SECONDS, Ladder


def test_down_rung_by_rung_until_none_is_left():
    ladder = Ladder(3)
    assert [ladder.failed(0.0), ladder.failed(1.0), ladder.failed(2.0)] == [1, 2, None]


def test_a_single_rung_has_no_other():
    assert Ladder(1).failed(0.0) is None
    assert not Ladder(1).below()


def test_a_rung_that_failed_rests_and_is_offered_again():
    ladder = Ladder(2)
    ladder.failed(0.0)
    ladder.stands(1, 0.5)
    assert ladder.better(COOLDOWN_SECONDS - 0.1) is None
    assert ladder.better(COOLDOWN_SECONDS) == 0
    assert ladder.better(0.6, asked=True) == 0


def test_each_failed_probe_doubles_the_rest_up_to_five_minutes():
    ladder = Ladder(2)
    ladder.failed(0.0)
    ladder.stands(1, 0.0)
    now, rests = COOLDOWN_SECONDS, []
    for _ in range(7):
        ladder.probe_failed(0, now)
        rest = next(seconds for seconds in range(1, 1000) if ladder.better(now + seconds) == 0)
        rests.append(rest)
        now += rest
    assert rests == [20, 40, 80, 160, 300, 300, 300]
    assert rests[-1] == MAX_COOLDOWN_SECONDS


def test_a_rung_that_stood_long_has_no_past():
    ladder = Ladder(2)
    ladder.failed(0.0)
    ladder.stands(1, 0.0)
    ladder.probe_failed(0, 10.0)
    ladder.stands(0, 100.0)
    now = 100.0 + FORGIVEN_SECONDS
    ladder.failed(now)
    ladder.stands(1, now)
    assert ladder.better(now + COOLDOWN_SECONDS) == 0


def test_when_a_low_rung_fails_the_best_that_is_rested_comes_next():
    ladder = Ladder(3)
    ladder.failed(0.0)
    ladder.stands(1, 0.0)
    assert ladder.failed(60.0) == 0


@given(
    st.integers(1, 5), st.lists(st.tuples(st.floats(0, 400), st.sampled_from(["fail", "stand", "probe"])), max_size=60)
)
def test_no_rung_is_tried_again_before_its_rest_is_over(count, moves):
    ladder, now, failed_at = Ladder(count), 0.0, {}
    for wait, move in moves:
        now += wait
        if move == "fail":
            lost = ladder.current
            failed_at[lost] = now
            found = ladder.failed(now)
            assert found != lost
            if found is None:
                ladder.stands(lost, now)
        elif move == "stand":
            ladder.stands(ladder.current, now)
        else:
            found = ladder.better(now)
            if found is not None:
                failed_at[found] = now
                ladder.probe_failed(found, now)
        if found := ladder.better(now):
            assert found < ladder.current
        assert all(ladder.better(now) != rung for rung, at in failed_at.items() if now - at < COOLDOWN_SECONDS)
