"""The rule of the sliding window: never more than the limit in any minute, and waiting as told is enough."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrblue_cli.gateway.access.window import WINDOW, Left, Verdict, Wait, Window, decide, duration

NOW = 1_800_000_000.0
STEPS = st.lists(st.tuples(st.floats(0, 40), st.integers(0, 30)), max_size=60)


class Rows:
    """The rule over bare rows, as the stores outside of this process keep them."""

    def __init__(self):
        self.counts = {}

    def take(self, now, *, requests, tokens, wanted):
        rows = [(second, *count) for second, count in self.counts.items()]
        verdict = decide(rows, now, requests=requests, tokens=tokens, wanted=wanted)
        if verdict.wait is None:
            count = self.counts.setdefault(verdict.second, [0, 0])
            count[0] += 1
            count[1] += wanted
        return verdict


@pytest.mark.parametrize("make", [Window, Rows])
@given(steps=STEPS, requests=st.integers(1, 8), tokens=st.integers(1, 60))
def test_no_minute_holds_more_than_the_limit(make, steps, requests, tokens):
    window, now, admitted = make(), NOW, []
    for pause, wanted in steps:
        now += pause
        if window.take(now, requests=requests, tokens=tokens, wanted=wanted).wait is None:
            admitted.append((now, wanted))
    for start, _ in admitted:
        inside = [wanted for at, wanted in admitted if start <= at < start + WINDOW]
        assert len(inside) <= requests
        assert sum(inside) <= tokens


@given(steps=STEPS, requests=st.integers(1, 8) | st.none(), tokens=st.integers(1, 60) | st.none())
def test_memory_and_rows_decide_alike(steps, requests, tokens):
    window, rows, now = Window(), Rows(), NOW
    for pause, wanted in steps:
        now += pause
        one = window.take(now, requests=requests, tokens=tokens, wanted=wanted)
        two = rows.take(now, requests=requests, tokens=tokens, wanted=wanted)
        assert one.wait == two.wait
        assert [left and left.remaining for left in (one.requests, one.tokens)] == [
            left and left.remaining for left in (two.requests, two.tokens)
        ]


@given(steps=STEPS, requests=st.integers(1, 8), tokens=st.integers(1, 60))
def test_who_waits_as_told_is_admitted_and_not_before(steps, requests, tokens):
    window, now = Window(), NOW
    for pause, wanted in steps:
        now += pause
        wait = window.take(now, requests=requests, tokens=tokens, wanted=wanted).wait
        if wait is None:
            continue
        if wait.never:
            assert wanted > tokens
            continue
        assert 0 < wait.seconds <= WINDOW + 1
        early = now + wait.seconds - 0.01
        if early > now:
            assert window.take(early, requests=requests, tokens=tokens, wanted=wanted).wait is not None
        now = math.ceil((now + wait.seconds) * 1000) / 1000
        assert window.take(now, requests=requests, tokens=tokens, wanted=wanted).wait is None


def test_a_burst_across_the_minutes_border_is_no_way_around():
    window = Window()
    admitted = [window.take(NOW + 59.9, requests=5, tokens=None, wanted=0).wait is None for _ in range(5)]
    admitted += [window.take(NOW + 60.1, requests=5, tokens=None, wanted=0).wait is None for _ in range(5)]
    assert admitted == [True] * 5 + [False] * 5


def test_one_limit_does_not_use_up_the_other():
    window = Window()
    assert window.take(NOW, requests=2, tokens=10, wanted=20).wait == Wait(0.0, "tokens", never=True)
    assert window.take(NOW, requests=2, tokens=10, wanted=10).wait is None
    assert window.take(NOW, requests=2, tokens=10, wanted=1).wait == Wait(61.0, "tokens")
    assert window.take(NOW, requests=2, tokens=10, wanted=0).wait is None
    assert window.take(NOW, requests=2, tokens=10, wanted=0).wait == Wait(61.0, "requests")


def test_tokens_given_back_are_there_again():
    window = Window()
    taken = window.take(NOW, requests=None, tokens=100, wanted=100)
    window.give_back(NOW + 1, taken.second, 60)
    assert window.take(NOW + 1, requests=None, tokens=100, wanted=60).wait is None
    window.give_back(NOW + 1, taken.second, 10**9)
    assert window.take(NOW + 2, requests=None, tokens=100, wanted=40).wait is None
    assert window.take(NOW + 2, requests=None, tokens=100, wanted=1).wait is not None
    window.give_back(NOW + 500, taken.second, 60)
    assert window.take(NOW + 500, requests=None, tokens=100, wanted=100).wait is None
    assert window.take(NOW + 500, requests=None, tokens=100, wanted=1).wait is not None


@pytest.mark.parametrize("make", [Window, Rows])
def test_a_clock_set_back_a_little_stays_strict_and_far_is_forgiven(make):
    window = make()
    assert window.take(NOW, requests=2, tokens=None, wanted=0).wait is None
    assert window.take(NOW - 30, requests=2, tokens=None, wanted=0).wait is None
    assert window.take(NOW - 30, requests=2, tokens=None, wanted=0).wait is not None
    assert window.take(NOW + 59, requests=2, tokens=None, wanted=0).wait is not None
    # A clock that was a day ahead and was put right must not shut the door for a day.
    assert window.take(NOW - 86_400, requests=2, tokens=None, wanted=0).wait is None


def test_headers_are_those_of_openai():
    verdict = Verdict(Wait(2.25, "requests"), Left(60, 0, 59.5), Left(1000, 999, 0.017))
    assert verdict.headers() == {
        "x-ratelimit-limit-requests": "60", "x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "1m0s",
        "x-ratelimit-limit-tokens": "1000", "x-ratelimit-remaining-tokens": "999", "x-ratelimit-reset-tokens": "17ms",
        "retry-after": "3", "retry-after-ms": "2250",
    }  # fmt: skip
    assert Verdict().headers() == {}
    assert "retry-after" not in Verdict(Wait(0.0, "tokens", never=True)).headers()


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0s"), (-1, "0s"), (0.0001, "1ms"), (0.5, "500ms"), (1, "1s"), (59.2, "1m0s"), (361, "6m1s")],
)
def test_lengths_of_time_are_written_as_openai_does(seconds, text):
    assert duration(seconds) == text
