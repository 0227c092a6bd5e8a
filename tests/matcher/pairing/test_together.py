"""Couples who stay together."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mrblue_cli.matcher.compiled import Community
from mrblue_cli.matcher.model import Role, User
from mrblue_cli.matcher.pairing.base import floor_of
from mrblue_cli.matcher.pairing.methods import pair
from mrblue_cli.matcher.pairing.together import couples, joined, split
from mrblue_cli.matcher.recipe import make_recipe
from tests.matcher.pairing.floors import crowd, is_pairing, mixed


def person(name, roles, *partners, blocked=()):
    return User(id=name, roles=roles, partners=partners, blocked=frozenset(blocked))


LEAD, FOLLOW, BOTH = Role.LEADER, Role.FOLLOWER, Role.BOTH


@pytest.mark.parametrize(
    ("people", "found"),
    [
        ((person("a", LEAD, "b"), person("b", FOLLOW, "a")), ((0, 1),)),
        ((person("a", LEAD, "b"), person("b", FOLLOW)), ()),
        ((person("a", LEAD, "b"), person("b", LEAD, "a")), ()),
        ((person("a", LEAD, "b"), person("b", FOLLOW, "a", blocked=["a"])), ()),
        ((person("a", LEAD, "a", "z"),), ()),
        ((person("a", BOTH, "c", "b"), person("b", BOTH, "a", "c"), person("c", BOTH, "a", "b")), ((0, 1),)),
        # a and b cannot dance together, so each is free for somebody else.
        (
            (
                person("a", LEAD, "b", "c"),
                person("b", LEAD, "a", "d"),
                person("c", FOLLOW, "a"),
                person("d", FOLLOW, "b"),
            ),
            ((0, 2), (1, 3)),
        ),
        ((), ()),
    ],
)
def test_couples_name_each_other_and_can_dance(people, found):
    assert couples(Community(people)) == found
    assert couples(Community(reversed(people))) == found


@settings(max_examples=60)
@given(mixed(directed=True), st.data())
def test_the_rest_is_paired_without_them(people, data):
    rows = data.draw(st.permutations(range(len(people))))
    wanted = tuple(zip(rows[:2:2], rows[1:2:2], strict=False)) + tuple(zip(rows[2:4:2], rows[3:4:2], strict=False))
    fixed, rest, back = split(people, wanted)
    assert all(not np.isnan(people.scores[couple]) for couple in fixed)
    assert set(fixed) <= {tuple(sorted(couple)) for couple in wanted}
    assert rest.ids == tuple(people.ids[row] for row in back)
    assert np.array_equal(rest.scores, people.scores[np.ix_(back, back)], equal_nan=True)
    assert np.array_equal(rest.views, people.views[np.ix_(back, back)], equal_nan=True)
    for method in ("blossom", "roommates"):
        inner = pair(rest, method)
        whole = joined(fixed, inner, back)
        assert is_pairing(people, whole)
        assert set(fixed) <= set(whole.pairs)
        assert len(whole.pairs) == len(fixed) + len(inner.pairs)
        assert whole.note == inner.note
        assert (whole.blocking is None) == (inner.blocking is None)


def test_who_would_leave_is_told_in_rows_of_the_whole_floor():
    people = crowd(4, 4, seed=3, directed=True)
    fixed, rest, back = split(people, ((5, 1),))
    assert fixed == ((1, 5),)
    inner = pair(rest, "stable")
    assert joined(fixed, inner, back).blocking == ()
    moved = joined(fixed, type(inner)(pairs=(), blocking=((0, 3),)), back)
    assert moved.blocking == ((0, int(back[3])),)


def test_a_floor_of_a_community_without_a_couple():
    community = Community([person("a", LEAD, "b"), person("b", FOLLOW, "a"), person("c", FOLLOW), person("d", BOTH)])
    people = floor_of(community, make_recipe())
    fixed, rest, back = split(people, couples(community))
    assert (fixed, rest.ids, back.tolist()) == (((0, 1),), ("c", "d"), [2, 3])
    assert rest.leads is not None
    assert rest.leads.tolist() == [[0, 2], [1, 0]]
