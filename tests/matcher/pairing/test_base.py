"""Floors and pairings as values, and the tools that the methods share."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mrblue_cli.core.errors import UsageError
from mrblue_cli.matcher import registry
from mrblue_cli.matcher.compiled import Community
from mrblue_cli.matcher.model import Leads, Role, User, Wishes
from mrblue_cli.matcher.pairing.base import MOST_PEOPLE, Matching, floor_of, matching, total
from mrblue_cli.matcher.pairing.plain import among, best, between, every, exact_total
from mrblue_cli.matcher.pairing.sides import MORE, chosen, table
from mrblue_cli.matcher.recipe import make_recipe
from mrblue_cli.matcher.scoring import explain, is_directed
from tests.matcher.pairing.floors import crowd, floor, mixed

LEADERS_AND_FOLLOWERS = (1, 2, 3)


def people(count):
    return [
        User(
            id=f"p{row}",
            roles=Role(LEADERS_AND_FOLLOWERS[row % 3]),
            leader_level=float(1 + row % 5) if row % 3 != 1 else None,
            follower_level=float(2 + row % 4) if row % 3 != 0 else None,
            blocked=frozenset({"p1"}) if row == 0 else frozenset(),
        )
        for row in range(count)
    ]


def test_a_floor_holds_what_explain_says_of_each_two():
    users, recipe = people(9), make_recipe()
    made = floor_of(Community(users), recipe)
    codes = {None: 0, Leads.A: 1, Leads.B: 2, Leads.EITHER: 3}
    for a, one in enumerate(users):
        for b, other in enumerate(users):
            said = explain(one, other, recipe)
            if a == b or not said.feasible:
                assert np.isnan(made.scores[a, b])
                assert np.isnan(made.views[a, b])
                assert made.leads[a, b] == 0
            else:
                assert made.scores[a, b] == made.scores[b, a] == pytest.approx(said.overall, abs=1e-9)
                assert made.leads[a, b] == codes[said.leads]
    # A block list works both ways and can be told from the roles alone.
    assert np.isnan(made.scores[0, 1])


def test_a_floor_with_wishes_holds_both_views():
    users = [
        User(id="a", roles=Role.LEADER, leader_level=5, wishes=Wishes(level_min=5)),
        User(id="b", roles=Role.FOLLOWER, follower_level=4, wishes=Wishes(level_max=6)),
    ]
    plain, wished = make_recipe(), make_recipe({"wishes": 0.5})
    assert not is_directed(plain)
    assert is_directed(wished)
    same = floor_of(Community(users), plain)
    assert np.array_equal(same.views, same.scores, equal_nan=True)
    made = floor_of(Community(users), wished)
    # b is what nobody asked for: a wanted level 5 or more; a is what b asked for.
    assert made.views[0, 1] < made.scores[0, 1] + 1e-9 < made.views[1, 0]
    assert made.scores[0, 1] == pytest.approx(explain(*users, wished).overall, abs=1e-9)


def test_too_many_people_for_one_floor_are_refused():
    crowded = Community(User(id=f"{row:05}", roles=Role.LEADER) for row in range(MOST_PEOPLE + 1))
    with pytest.raises(UsageError, match="5,001 people"):
        floor_of(crowded, make_recipe())


def test_fixed_roles_leave_out_pairs_and_say_who_leads_now():
    users = [User(id=name, roles=Role.BOTH, leader_level=5, follower_level=5) for name in "abc"]
    made = floor_of(Community(users), make_recipe())
    assert made.leads.tolist() == [[0, 3, 3], [3, 0, 3], [3, 3, 0]]
    fixed = made.with_roles(np.array([1, 2, 3], dtype=np.uint8))
    assert fixed.leads.tolist() == [[0, 1, 1], [2, 0, 2], [2, 1, 0]]
    assert np.isnan(fixed.scores.diagonal()).all()
    twice = fixed.with_roles(np.array([1, 1, 2], dtype=np.uint8))
    assert np.isnan(twice.scores[0, 1])
    assert twice.leads.tolist() == [[0, 0, 1], [0, 0, 1], [2, 2, 0]]
    assert twice.scores[0, 2] == made.scores[0, 2]
    assert among([[None, 50], [60, None]]).with_roles(np.array([1, 2], dtype=np.uint8)).leads is None


def test_a_matching_has_one_order_and_knows_who_sits_out():
    found = matching([(5, 2), (np.int64(0), np.int64(3))], "why", [(4, 1)])
    assert found == Matching(pairs=((0, 3), (2, 5)), note="why", blocking=((1, 4),))
    assert found.sits_out(crowd(3, 3)) == (1, 4)
    assert matching([]).blocking is None


def test_totals():
    made = between([[90, 80.25], [80, 10]])
    assert total(made, ()) == 0
    assert total(made, [(0, 3), (2, 1)]) == exact_total(made, ((0, 3), (1, 2))) == 160.25


@pytest.mark.parametrize(("people", "count"), [(0, 1), (1, 1), (2, 2), (3, 4), (4, 10), (5, 26), (6, 76), (7, 232)])
def test_every_pairing_comes_once(people, count):
    # The number of involutions: each person is left alone or has one partner.
    made = floor([3] * people, [[50.0] * people] * people)
    found = list(every(made))
    assert len(found) == len(set(found)) == count


@pytest.mark.parametrize(("side", "count"), [(1, 2), (2, 7), (3, 34), (4, 209)])
def test_every_pairing_of_two_sides_comes_once(side, count):
    assert len(set(every(crowd(side, side)))) == count


@settings(max_examples=40)
@given(mixed(most=6))
def test_every_pairing_keeps_to_what_is_feasible(made):
    for pairs in every(made):
        rows = [row for pair in pairs for row in pair]
        assert len(rows) == len(set(rows))
        assert all(not np.isnan(made.scores[pair]) for pair in pairs)


def test_of_equal_pairings_the_one_of_smaller_rows_is_best():
    made = floor([3] * 4, [[50.0] * 4] * 4)
    assert best(made, len) == ((0, 1), (2, 3))
    assert best(made, len, lambda pairs: (0, 1) not in pairs) == ((0, 2), (1, 3))
    assert best(made, len, lambda pairs: not pairs) == ()


def test_a_table_of_two_sides_and_its_square():
    made = floor([2, 1, 2, 1, 2], [[None, 70, None, 0, None], [None, None, 80, None, None], *[[None] * 5] * 3])
    sides = table(made)
    assert (sides.leaders.tolist(), sides.followers.tolist()) == ([1, 3], [0, 2, 4])
    assert sides.able.tolist() == [[True, True, False], [True, False, False]]
    assert sides.square().tolist() == [[70 + MORE, 80 + MORE, 0], [MORE, 0, 0], [0, 0, 0]]
    assert sides.pairs(np.array([1, 0, 2])) == [(1, 2), (3, 0)]
    assert sides.pairs(np.array([2, -1, 0])) == []


def test_a_side_by_its_name():
    made = crowd(2, 3)
    assert [side.tolist() for side in chosen(made, "leader", "x")] == [[0, 1], [2, 3, 4]]
    assert [side.tolist() for side in chosen(made, "follower", "x")] == [[2, 3, 4], [0, 1]]
    with pytest.raises(UsageError, match="x is 'leaders'"):
        chosen(made, "leaders", "x")


def test_the_registry_finds_them():
    assert registry.find("pair.total").source == "Jonker & Volgenant 1987"
    assert len(registry.family("pair")) == 18
    assert {entry.family for entry in registry.family("pair")} == {"pair"}


def test_the_solvers_load_only_when_they_are_used():
    script = (
        "import sys; import mrblue_cli.matcher.pairing.methods, mrblue_cli.matcher.pairing.balance,"
        " mrblue_cli.matcher.pairing.together; print([m for m in ('scipy', 'rustworkx', 'numba') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@given(st.integers(0, 99))
@settings(max_examples=20)
def test_crowds_are_floors(seed):
    made = crowd(3, 2, seed, blocked=0.3, directed=True, both=2)
    assert np.array_equal(made.scores, made.scores.T, equal_nan=True)
    assert np.array_equal(np.isnan(made.scores), np.isnan(made.views))
    assert np.isnan(made.scores[0, 1])
    assert np.isnan(made.scores[3, 4])
