"""Patterns known before the evening."""

from __future__ import annotations

import itertools
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mrblue_cli.matcher.rotation.cyclic import facing, met, seats, shifted
from mrblue_cli.matcher.rotation.methods import rotate
from tests.matcher.rotation.floors import BOTH, FOLLOWER, LEADER, check, floor_of_roles, two_sides

MANY = settings(max_examples=100, deadline=None)


@MANY
@given(st.integers(1, 20), st.integers(0, 20))
def test_seats_are_spread_so_evenly_that_any_stretch_holds_its_share(few, more):
    ring = few + more
    taken = np.zeros(ring, dtype=int)
    taken[seats(few, ring)] = 1
    assert taken.sum() == few
    for length in range(1, ring):
        counts = [taken.take(range(start, start + length), mode="wrap").sum() for start in range(ring)]
        assert max(counts) - min(counts) <= 1


@pytest.mark.parametrize("pattern", [shifted, facing])
@MANY
@given(leaders=st.integers(1, 9), followers=st.integers(1, 9))
def test_a_whole_round_is_everybody_with_everybody_and_fair_after_every_tanda(pattern, leaders, followers):
    ring = max(leaders, followers)
    plan = pattern(leaders, followers, ring)
    assert sorted(pair for pairs in plan for pair in pairs) == list(
        itertools.product(range(leaders), range(followers))
    )  # fmt: skip
    danced = Counter()
    for pairs in plan:
        assert len(pairs) == min(leaders, followers)
        danced.update([("leader", a) for a, _ in pairs] + [("follower", b) for _, b in pairs])
        for side, count in (("leader", leaders), ("follower", followers)):
            so_far = [danced[side, number] for number in range(count)]
            assert max(so_far) - min(so_far) <= 1


def test_every_leader_moves_on_by_one_follower():
    assert shifted(3, 3, 3) == [
        [(0, 0), (1, 1), (2, 2)],
        [(0, 1), (1, 2), (2, 0)],
        [(0, 2), (1, 0), (2, 1)],
    ]
    assert shifted(3, 5, 2) == [[(0, 0), (1, 1), (2, 3)], [(0, 1), (1, 2), (2, 4)]]


def test_sides_turn_against_each_other():
    assert facing(3, 3, 2) == [[(0, 0), (1, 2), (2, 1)], [(0, 1), (1, 0), (2, 2)]]


@pytest.mark.parametrize("people", range(2, 13))
def test_a_circle_lets_everybody_meet_everybody_once(people):
    plan = met(people, 99)
    assert len(plan) == people - 1 + people % 2
    assert sorted(pair for pairs in plan for pair in pairs) == list(itertools.combinations(range(people), 2))
    for pairs in plan:
        assert len({person for pair in pairs for person in pair}) == 2 * len(pairs) == people - people % 2


def test_circle_stops_when_everybody_has_met():
    floor = floor_of_roles([BOTH] * 5)
    rotation = check(floor, rotate(floor, 9, "circle"), 9)
    assert len(rotation.tandas) == 5
    assert [len(tanda.sits_out) for tanda in rotation.tandas] == [1] * 5
    assert rotation.note == "stops after 5 of 9 tandas: more would bring nobody a new partner"


@pytest.mark.parametrize("name", ["latin", "circle"])
def test_a_blocked_pair_costs_nobody_a_dance(name):
    floor = two_sides(6, 6, blocked=[(0, 0), (3, 4)])
    rotation = check(floor, rotate(floor, 3, name), 3)
    assert not any(tanda.sits_out for tanda in rotation.tandas)
    assert rotation.note.startswith("some pairs of the pattern cannot dance, so it was planned anew")
    # Most of the pattern stays.
    drawn = {pair for pairs in (shifted if name == "latin" else facing)(6, 6, 3) for pair in pairs}
    kept = sum((a, b - 6) in drawn for tanda in rotation.tandas for a, b in tanda.pairs)
    assert kept >= 15


@pytest.mark.parametrize("name", ["latin", "circle"])
def test_a_blocked_pair_beyond_the_tandas_asked_for_changes_nothing(name):
    blocked = (shifted if name == "latin" else facing)(5, 5, 5)[4]
    assert rotate(two_sides(5, 5, blocked=blocked), 4, name) == rotate(two_sides(5, 5), 4, name)


def test_circle_with_people_of_one_role_among_those_of_both():
    floor = floor_of_roles([BOTH, LEADER, BOTH, FOLLOWER, BOTH, BOTH, LEADER, FOLLOWER])
    rotation = check(floor, rotate(floor, 4, "circle"), 4)
    assert not any(tanda.sits_out for tanda in rotation.tandas)
    assert rotation.note.startswith("some pairs of the pattern cannot dance")


def test_a_pattern_does_not_look_at_scores():
    assert rotate(two_sides(4, 6, seed=1), 5, "latin") == rotate(two_sides(4, 6, seed=2), 5, "latin")
