"""Common time, counted minute by minute."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrblue_cli.matcher.compiled import Community
from mrblue_cli.matcher.criteria import time
from mrblue_cli.matcher.model import WEEK, Role, User


@st.composite
def free(draw):
    """Merged intervals in one week, often at its edges."""
    edge = st.one_of(st.sampled_from([0, 30, 120, 600, WEEK - 120, WEEK - 30, WEEK]), st.integers(0, WEEK))
    edges = sorted(draw(st.lists(edge, max_size=8, unique=True)))
    edges = edges[: len(edges) // 2 * 2]
    return tuple(zip(edges[::2], edges[1::2], strict=True))


def person(name, *hours):
    return User(id=name, roles=Role.BOTH, hours=hours)


def minutes(user):
    found = np.zeros(WEEK, dtype=bool)
    for start, end in user.hours:
        found[start:end] = True
    return found


def stretches(both):
    """Lengths of runs on the circle of the week, by walking it from a minute that is not free."""
    if both.all():
        return [WEEK]
    turned = np.roll(both, -int(np.flatnonzero(~both)[0]))
    edges = np.flatnonzero(np.diff(np.concatenate(([False], turned, [False])).astype(int)))
    return (edges[1::2] - edges[::2]).tolist()


@given(free(), free(), st.sampled_from([30.0, 90.0, 120.0, 7.5]))
def test_slots_and_minutes_are_those_of_a_walk_round_the_week(mine, yours, session):
    a, b = person("a", *mine), person("b", *yours)
    both = minutes(a) & minutes(b)
    assert time.common_minutes(a, b) == both.sum()
    assert sorted(time.common_stretches(a, b)) == sorted(stretches(both))
    community, rows = Community([a, b]), (np.array([0, 1]), np.array([1, 0]))
    if not mine or not yours:
        assert np.isnan(time.slots_fast(community, *rows)).all()
        assert time.slots(a, b).value is None
        return
    whole = sum(int(length // session) for length in stretches(both))
    for wanted in (1, 3, 20):
        expected = 100 * min(1, whole / wanted)
        assert time.slots(a, b, session_minutes=session, wanted=wanted).value == pytest.approx(expected)
        fast = time.slots_fast(community, *rows, session_minutes=session, wanted=wanted)
        assert fast.tolist() == pytest.approx([expected] * 2)
    enough = 100 * min(1, both.sum() / session)
    assert time.enough_fast(community, *rows, session_minutes=session).tolist() == pytest.approx([enough] * 2)


def test_a_week_that_is_free_throughout_is_not_its_own_neighbour():
    # 103 sessions of 97 minutes fit into it, and 89 minutes are left: counted twice they would make one more.
    a, b = person("a", (0, WEEK)), person("b", (0, WEEK))
    fast = time.slots_fast(Community([a, b]), np.array([0]), np.array([1]), session_minutes=97.0, wanted=200)
    assert fast.tolist() == [51.5]
    assert time.slots(a, b, session_minutes=97.0, wanted=200).value == 51.5


def test_what_is_said():
    a, b = person("a", (0, 300)), person("b", (60, 200))
    assert time.slots(a, b).why == "a and b have 1 session of 120 min a week together"
    assert time.slots(a, person("b", (290, 400))).why == "a and b are never free together for 120 min at a time"
    assert time.slots(person("b"), person("a")).why == "a and b gave no free time"
    assert time.enough(a, person("b", (300, 400))).why == "a and b have no free time together"
