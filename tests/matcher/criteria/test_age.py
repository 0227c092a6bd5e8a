"""Wished ages."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrblue_cli.matcher.compiled import Community
from mrblue_cli.matcher.criteria import age
from mrblue_cli.matcher.model import AgeRange, Role, User

years = st.floats(18, 120).map(lambda value: round(value * 2) / 2)
ends = st.one_of(st.none(), years)


def aged(name, value, low=None, high=None):
    return User(id=name, roles=Role.BOTH, age=value, age_pref=AgeRange(min=low, max=high))


@given(years, ends, ends)
def test_a_window_is_where_the_trapezoid_is_full(value, low, high):
    if low is not None and high is not None and low > high:
        low, high = high, low
    a, b = aged("a", 50, low, high), aged("b", value)
    full = (low is None or low <= value) and (high is None or value <= high)
    assert (age.trapezoid(a, b).value == 100) is full
    assert age.window(a, b).value == (100 if full else 0)
    assert age.trapezoid(b, a).value == 100


@pytest.mark.parametrize(
    ("value", "score"), [(24, 80), (25, 100), (40, 100), (40.5, 90), (42.5, 50), (45, 0), (60, 0), (20, 0), (18, 0)]
)
def test_outside_it_fades_over_five_years(value, score):
    a, b = aged("a", 30, 25, 40), aged("b", value)
    assert age.trapezoid(a, b).value == pytest.approx(score)
    assert age.trapezoid_fast(Community([a, b]), np.array([0]), np.array([1]))[0] == pytest.approx(score)


def test_it_counts_only_between_people_who_both_gave_both():
    whole = aged("a", 30, 25, 40)
    for lacking in (User(id="b", roles=Role.BOTH, age=30), User(id="b", roles=Role.BOTH, age_pref=AgeRange())):
        community = Community([whole, lacking])
        for one, other in ((whole, lacking), (lacking, whole)):
            told = age.trapezoid(one, other)
            assert (told.value, told.why) == (None, "b gave no age or no wished ages")
            assert age.window(one, other).value is None
        for fast in (age.trapezoid_fast, age.window_fast):
            assert np.isnan(fast(community, np.array([0, 1]), np.array([1, 0]))).all()


def test_no_sentence_tells_an_age():
    told = [age.trapezoid(aged("a", 33, 25, 40), aged("b", value)) for value in (37, 41, 58)]
    told.append(age.window(aged("a", 33, 25, 40), aged("b", 58)))
    assert not any(digit.isdigit() for score in told for digit in score.why + score.brief)
