"""The rules of a rotation, for every method of the catalogue and floors of every shape."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mrblue_cli.matcher.pairing.base import Floor
from mrblue_cli.matcher.rotation.methods import ENTRIES, rotate
from tests.matcher.rotation.floors import (
    BOTH,
    FOLLOWER,
    LEADER,
    check,
    dances,
    floor_of_roles,
    mixed,
    sided,
    sits,
    spread,
    total,
    two_sides,
    with_couples,
)

SIDED = [entry.name for entry in ENTRIES]
DUAL = ["rot.circle", "rot.vizing"]
FEW = settings(max_examples=40, deadline=None)


@pytest.mark.parametrize("name", SIDED)
@FEW
@given(case=with_couples(sided()))
def test_two_sides(name, case):
    floor, tandas, together = case
    check(floor, rotate(floor, tandas, name, together=together), tandas, together)


@pytest.mark.parametrize("name", DUAL)
@FEW
@given(case=with_couples(mixed()))
def test_people_of_both_roles(name, case):
    floor, tandas, together = case
    check(floor, rotate(floor, tandas, name, together=together), tandas, together)


@pytest.mark.parametrize("name", SIDED)
@FEW
@given(leaders=st.integers(1, 9), followers=st.integers(1, 9), tandas=st.integers(1, 11), seed=st.integers(0, 99))
def test_sit_outs_within_one_when_everybody_can_dance_with_everybody(name, leaders, followers, tandas, seed):
    floor = two_sides(leaders, followers, seed=seed)
    rotation = check(floor, rotate(floor, tandas, name, seed=seed), tandas)
    assert spread(floor, rotation, LEADER) <= 1
    assert spread(floor, rotation, FOLLOWER) <= 1
    assert "uneven" not in rotation.note
    assert all(len(tanda.pairs) == min(leaders, followers) for tanda in rotation.tandas)
    if name != "rot.vizing":
        assert len(rotation.tandas) == min(tandas, max(leaders, followers))


@pytest.mark.parametrize("name", DUAL)
@FEW
@given(people=st.integers(2, 9), tandas=st.integers(1, 10), seed=st.integers(0, 99))
def test_sit_outs_within_one_when_everybody_dances_both_roles(name, people, tandas, seed):
    floor = floor_of_roles([BOTH] * people, seed=seed)
    rotation = check(floor, rotate(floor, tandas, name, seed=seed), tandas)
    assert spread(floor, rotation, BOTH) <= 1


@pytest.mark.parametrize("name", DUAL)
@FEW
@given(people=st.integers(2, 9), tandas=st.integers(1, 8), seed=st.integers(0, 99))
def test_each_leads_half_of_what_either_could_lead(name, people, tandas, seed):
    floor = floor_of_roles([BOTH] * people, seed=seed)
    rotation = rotate(floor, tandas, name, seed=seed)
    for row in range(people):
        led = sum(row == leader for tanda in rotation.tandas for leader, _ in tanda.pairs)
        assert abs(2 * led - dances(rotation)[row]) <= 1


@pytest.mark.parametrize("name", SIDED)
@pytest.mark.parametrize(
    "roles",
    [[], [LEADER], [FOLLOWER], [LEADER, LEADER], [FOLLOWER] * 3],
    ids=["none", "one", "one more", "two", "three"],
)
def test_nobody_to_dance_with(name, roles):
    rotation = rotate(floor_of_roles(roles), 3, name)
    assert rotation.tandas == ()
    assert rotation.note == "nobody here can dance with anybody else"


@pytest.mark.parametrize("name", SIDED)
def test_two_people(name):
    floor = floor_of_roles([FOLLOWER, LEADER])
    rotation = rotate(floor, 4, name)
    assert [tanda.pairs for tanda in rotation.tandas] == [((1, 0),)]
    assert rotation.note.startswith("stops after 1 of 4 tandas: more would bring nobody a new partner")


@pytest.mark.parametrize("name", SIDED)
def test_one_person_of_one_role_among_many(name):
    floor = two_sides(1, 4)
    rotation = check(floor, rotate(floor, 4, name), 4)
    assert sits(floor, rotation) == {0: 0, 1: 3, 2: 3, 3: 3, 4: 3}


@pytest.mark.parametrize("name", SIDED)
def test_only_a_couple_kept_together(name):
    floor = floor_of_roles([FOLLOWER, LEADER])
    rotation = rotate(floor, 3, name, together=((0, 1),))
    assert [tanda.pairs for tanda in rotation.tandas] == [((1, 0),)] * 3
    assert rotation.note == ""


@pytest.mark.parametrize("name", SIDED)
def test_a_couple_kept_together_leaves_the_others_fair(name):
    floor = two_sides(4, 6)
    rotation = check(floor, rotate(floor, 4, name, together=((5, 1),)), 4, ((5, 1),))
    counts = sits(floor, rotation, without=((5, 1),))
    assert {counts[row] for row in (0, 2, 3)} == {0}
    assert {counts[row] for row in (4, 6, 7, 8, 9)} == {1, 2}


@pytest.mark.parametrize("name", DUAL)
def test_a_couple_of_both_roles_takes_turns(name):
    floor = floor_of_roles([BOTH] * 6)
    rotation = check(floor, rotate(floor, 3, name, together=((4, 1),)), 3, ((4, 1),))
    assert [next(pair for pair in tanda.pairs if 1 in pair) for tanda in rotation.tandas] == [(1, 4), (4, 1), (1, 4)]


@pytest.mark.parametrize("name", SIDED)
@settings(max_examples=15, deadline=None)
@given(case=sided(most=5), seed=st.integers(0, 3))
def test_the_same_again(name, case, seed):
    floor, tandas = case
    assert rotate(floor, tandas, name, seed=seed) == rotate(floor, tandas, name, seed=seed)


@pytest.mark.parametrize("name", SIDED)
def test_who_cannot_dance_often_enough_is_named(name):
    # The first leader has one possible partner, who is the only one that she shares with him.
    floor = two_sides(3, 3, blocked=[(0, 1), (0, 2)])
    rotation = check(floor, rotate(floor, 3, name), 3)
    assert sits(floor, rotation)[0] == 2
    assert "p000 2 times, other leaders 0" in rotation.note


@pytest.mark.parametrize("name", ["rot.latin", "rot.repeat", "rot.exact", "rot.golfer"])
def test_two_sided_methods_ask_for_fixed_roles(name):
    with pytest.raises(Exception, match="p001 dances both roles"):
        rotate(floor_of_roles([LEADER, BOTH, FOLLOWER]), 2, name)


@pytest.mark.parametrize("name", SIDED)
def test_a_score_of_nought_is_still_a_dance(name):
    floor = two_sides(2, 2)
    nothing = np.where(np.isnan(floor.scores), np.nan, 0.0)
    floor = Floor(ids=floor.ids, roles=floor.roles, scores=nothing, views=nothing)
    rotation = check(floor, rotate(floor, 2, name), 2)
    assert len(rotation.tandas) == 2
    assert total(floor, rotation) == 0
    assert not any(tanda.sits_out for tanda in rotation.tandas)
