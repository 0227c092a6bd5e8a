"""Couples set apart, the rest as a table."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from mrblue_cli.core.errors import UsageError
from mrblue_cli.matcher.rotation.room import (
    couples_of,
    lasting,
    leading,
    mask_of,
    may_lead,
    mixed_of,
    pairs_of,
    sides_of,
    squared,
)
from tests.matcher.rotation.floors import BOTH, FOLLOWER, LEADER, floor_of_roles, two_sides


def test_sides_without_the_couple():
    floor = floor_of_roles([FOLLOWER, LEADER, LEADER, FOLLOWER, LEADER], blocked=[(2, 3)])
    sides = sides_of(floor, ((4, 0),))
    assert sides.leaders.tolist() == [1, 2]
    assert sides.followers.tolist() == [3]
    assert sides.able.tolist() == [[True], [False]]
    assert sides.scores[0, 0] == floor.scores[1, 3]
    assert sides.scores[1, 0] == 0
    assert sides.couples == ((0, 4),)
    assert sides.rows([(0, 0)]) == [(1, 3)]


def test_a_table_without_the_couple():
    floor = floor_of_roles([BOTH, LEADER, BOTH, LEADER, FOLLOWER])
    mixed = mixed_of(floor, ((2, 4),))
    assert mixed.people.tolist() == [0, 1, 3]
    assert mixed.able.tolist() == [[False, True, True], [True, False, False], [True, False, False]]
    # Two leaders cannot dance with each other, and both lead the one who dances both.
    assert mixed.leads.tolist() == [[False, False, False], [True, False, False], [True, False, False]]
    assert not mixed.scores[~mixed.able].any()


def test_scores_that_roles_contradict_are_no_dance():
    floor = floor_of_roles([BOTH, BOTH, BOTH])
    # Roles changed by hand, the scores of two leaders left in.
    floor = msgspec.structs.replace(floor, roles=np.array([LEADER, LEADER, FOLLOWER], dtype=np.uint8))
    assert not mixed_of(floor, ()).able[0, 1]
    with pytest.raises(UsageError, match="p000 and p001 cannot be kept together"):
        couples_of(floor, ((0, 1),))


def test_couples_have_one_order():
    floor = two_sides(3, 3)
    assert couples_of(floor, ((5, 0), (1, 3))) == couples_of(floor, ((1, 3), (0, 5))) == ((0, 5), (1, 3))
    assert couples_of(floor, ()) == ()


def test_a_blocked_couple_says_where_to_look():
    with pytest.raises(UsageError) as refused:
        couples_of(two_sides(2, 2, blocked=[(0, 1)]), ((0, 3),))
    assert refused.value.hint == "see why: mrblue match --explain A B"


@pytest.mark.parametrize(
    ("roles", "ways"),
    [((LEADER, FOLLOWER), (True, False)), ((BOTH, LEADER), (False, True)), ((BOTH, BOTH), (True, True))],
)
def test_roles_say_who_may_lead(roles, ways):
    floor = floor_of_roles(roles)
    assert (may_lead(floor)[0, 1], may_lead(floor)[1, 0]) == ways
    assert (leading(floor)[0, 1], leading(floor)[1, 0]) == ways


@pytest.mark.parametrize(
    ("better", "ways"), [(1, (True, False)), (2, (False, True)), (3, (True, True)), (0, (True, True))]
)  # fmt: skip
def test_levels_say_who_leads_of_two_who_both_may(better, ways):
    turned = {1: 2, 2: 1}.get(better, better)
    floor = floor_of_roles([BOTH, BOTH])
    floor = msgspec.structs.replace(floor, leads=np.array([[0, better], [turned, 0]], dtype=np.int8))
    assert (leading(floor)[0, 1], leading(floor)[1, 0]) == ways


@pytest.mark.parametrize(
    ("able", "tandas", "lasts"),
    [
        (np.ones((3, 5), dtype=bool), 9, 5),
        (np.ones((3, 5), dtype=bool), 4, 4),
        (np.zeros((3, 5), dtype=bool), 4, 0),
        (np.ones((0, 5), dtype=bool), 4, 0),
        (np.array([[True, False], [True, False], [True, False]]), 9, 3),
    ],
)
def test_how_long_new_partners_last(able, tandas, lasts):
    assert lasting(able, tandas) == lasts


def test_masks_and_pairs_are_two_views_of_one_thing():
    chosen = mask_of([[(0, 1), (1, 0)], [(0, 0)]], (2, 3))
    assert chosen.tolist() == [[True, True, False], [True, False, False]]
    assert pairs_of(chosen) == [(0, 0), (0, 1), (1, 0)]
    assert squared(np.array([0, 1, 3])) == 10
