"""What people ask of a partner, and who is kept apart."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mrblue_cli.matcher.compiled import Community
from mrblue_cli.matcher.criteria import wishes
from mrblue_cli.matcher.model import AgeRange, Place, Role, User, Wishes
from mrblue_cli.matcher.recipe import make_recipe
from mrblue_cli.matcher.scoring import explain, score
from tests.matcher.strategies import communities

HERE, THERE = Place(lat=0.0, lon=0.0), Place(lat=0.0, lon=0.2)
"""22.24 km apart."""


def leader(name, **more):
    return User(id=name, roles=Role.LEADER, **more)


def follower(name, **more):
    return User(id=name, roles=Role.FOLLOWER, **more)


@settings(max_examples=60)
@given(communities(min_size=1, max_size=6), st.booleans())
def test_fast_equals_scalar(community, strict):
    rows = np.arange(len(community))
    left, right = np.repeat(rows, len(rows)), np.tile(rows, len(rows))
    fast, allowed = wishes.met_fast(community, left, right), wishes.allowed(community, left, right, strict=strict)
    people = [community.user(row) for row in rows]
    for n, (i, j) in enumerate(zip(left.tolist(), right.tolist(), strict=True)):
        told = wishes.met(people[i], people[j])
        assert math.isnan(fast[n]) if told.value is None else fast[n] == pytest.approx(told.value, abs=1e-9)
        assert told.why
        if i != j:
            assert allowed[n] == (wishes.barred(people[i], people[j], strict=strict) == "")
            assert allowed[n] == allowed[j * len(rows) + i]


@pytest.mark.parametrize(
    ("asked", "value"),
    [
        ({"wishes": Wishes(max_km=23)}, 100),
        ({"wishes": Wishes(max_km=22)}, 0),
        ({"wishes": Wishes(level_min=5)}, 100),
        ({"wishes": Wishes(level_min=5.5)}, 0),
        ({"wishes": Wishes(level_max=4.5)}, 0),
        ({"wishes": Wishes(max_km=22, level_min=4, level_max=6)}, 50),
        ({"age": 40.0, "age_pref": AgeRange(min=30, max=50)}, 100),
        ({"age": 40.0, "age_pref": AgeRange(max=29)}, 0),
        ({"age": 40.0, "age_pref": AgeRange(max=29), "wishes": Wishes(max_km=23, level_min=1)}, 200 / 3),
        ({"age_pref": AgeRange(max=29)}, None),
        ({}, None),
    ],
)
def test_the_share_of_wishes_that_are_met(asked, value):
    a = leader("a", place=HERE, leader_level=9, **asked)
    b = follower("b", place=THERE, follower_level=5, age=30.0, age_pref=AgeRange())
    found = wishes.met(a, b).value
    assert found is None if value is None else found == pytest.approx(value)


def test_the_level_that_counts_is_the_one_in_the_role_they_would_take():
    a = leader("a", wishes=Wishes(level_min=6))
    b = User(id="b", roles=Role.BOTH, leader_level=9, follower_level=3)
    assert wishes.met(a, b).value == 0
    assert wishes.met(follower("a", wishes=Wishes(level_min=6)), b).value == 100


def test_what_cannot_be_checked_excludes_nobody():
    a = leader("a", wishes=Wishes(max_km=1, level_min=9), age=30.0, age_pref=AgeRange(min=90))
    assert wishes.met(a, follower("b")).value is None
    assert wishes.barred(a, follower("b"), strict=True) == ""


@pytest.mark.parametrize("strict", [False, True])
def test_a_blocked_pair_is_apart_whoever_asked_and_nobody_is_told_who(strict):
    a, b, c = leader("a", blocked=frozenset({"b", "gone"})), follower("b"), follower("c")
    community = Community([a, b, c])
    left, right = np.array([0, 1, 0, 2]), np.array([1, 0, 2, 0])
    assert wishes.allowed(community, left, right, strict=strict).tolist() == [False, False, True, True]
    words = {wishes.barred(a, b, strict=strict), wishes.barred(b, a, strict=strict)}
    assert words == {"one of the two asked not to be paired with the other"}


def test_strict_turns_a_missed_wish_into_a_bar():
    a, b = leader("a", place=HERE, wishes=Wishes(max_km=10)), follower("b", place=THERE)
    community, rows = Community([a, b]), (np.array([0]), np.array([1]))
    for strict in (False, True):
        recipe = make_recipe(strict=strict)
        pair = explain(b, a, recipe)
        assert pair.feasible is not strict
        assert bool(score(community, *rows, recipe).feasible[0]) is not strict
        assert bool(pair.barred) is strict
        # A bar takes nothing off the score: it only keeps the pair out of lists.
        assert pair.overall == explain(a, b, make_recipe()).overall


def test_wishes_are_fused_from_both_sides():
    a = leader("a", place=HERE, wishes=Wishes(max_km=23))
    b = follower("b", place=THERE, wishes=Wishes(max_km=10))
    term = explain(a, b, make_recipe({"wishes": 1})).breakdown["wishes"]
    assert term.views == (100, 0)
    assert term.score == 0
    mine, yours = term.why.split("; ")
    assert "10 km" in yours
    assert "10 km" not in mine
