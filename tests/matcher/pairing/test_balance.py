"""Roles fixed for the evening."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings

from mrblue_cli.matcher.compiled import Community
from mrblue_cli.matcher.model import Role, User
from mrblue_cli.matcher.pairing.balance import balance, balanced
from mrblue_cli.matcher.pairing.base import floor_of, total
from mrblue_cli.matcher.pairing.methods import pair
from mrblue_cli.matcher.recipe import make_recipe
from tests.matcher.pairing.floors import crowd, floor, mixed


def person(name, roles, lead=None, follow=None):
    return User(id=name, roles=roles, leader_level=lead, follower_level=follow)


@settings(max_examples=120)
@given(mixed(most=8))
def test_fixed_roles_keep_the_largest_total(people):
    roles = balance(people)
    assert set(roles.tolist()) <= {1, 2}
    fixed = people.roles != 3
    assert (roles[fixed] == people.roles[fixed]).all()
    open_total = total(people, pair(people, "blossom").pairs)
    assert total(people, pair(people.with_roles(roles), "total").pairs) == pytest.approx(open_total, abs=1e-6)


def test_people_without_a_partner_join_the_smaller_side():
    cells = [[None] * 6 for _ in range(6)]
    told = balanced(floor([1, 3, 3, 3, 3, 3], cells))
    assert told.roles.tolist() == [1, 2, 1, 2, 1, 2]
    assert (told.before, told.after) == ((1, 0, 5), (3, 3))
    assert (told.leads, told.follows) == ((2, 4), (1, 3, 5))


def test_of_two_who_dance_both_the_better_leader_leads():
    people = [person("a", Role.BOTH, 3, 8), person("b", Role.BOTH, 8, 5)]
    people += [person("c", Role.BOTH, 6, 6), person("d", Role.BOTH, 6, 6)]
    open_floor = floor_of(Community(people), make_recipe())
    assert open_floor.leads is not None
    assert (open_floor.leads[0, 1], open_floor.leads[1, 0], open_floor.leads[2, 3]) == (2, 1, 3)
    assert balance(open_floor, together=((0, 1), (2, 3))).tolist() == [2, 1, 1, 2]
    # Without levels the smaller id leads.
    assert balance(msgspec.structs.replace(open_floor, leads=None), together=((0, 1),)).tolist()[:2] == [1, 2]


def test_couples_are_partners_whatever_the_total():
    cells = [[None, 50, 100, 100], [None, None, 100, 100], [None] * 3 + [100], [None] * 4]
    people = floor([3, 3, 1, 1], cells)
    assert balance(people).tolist() == [2, 2, 1, 1]
    assert sorted(balance(people, together=((0, 1),)).tolist()[:2]) == [1, 2]


def test_a_couple_that_cannot_dance_here_is_balanced_like_everybody():
    cells = [[None, None, 90], [None, None, 80], [None] * 3]
    assert balance(floor([3, 3, 2], cells), together=((0, 1),)).tolist() == balance(floor([3, 3, 2], cells)).tolist()


def test_nobody_and_everybody_fixed():
    assert balance(floor([], [])).tolist() == []
    people = crowd(3, 2)
    told = balanced(people)
    assert told.before == (3, 2, 0)
    assert told.after == (3, 2)
    assert told.leads == told.follows == ()
    assert np.array_equal(told.roles, people.roles)
