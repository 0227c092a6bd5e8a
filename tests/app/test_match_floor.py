"""The use cases of one dance floor: pairs, rotations, roles, couples that stay together."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mrblue_cli.app.match_floor import Dance, balanced, paired, rotated
from mrblue_cli.matcher.model import Role
from mrblue_cli.matcher.pairing.base import floor_of
from mrblue_cli.matcher.registry import family
from tests.matches import both, case, follower, leader

FOUR = [leader("l1", 3), leader("l2", 6), follower("f1", 3), follower("f2", 6)]
COUPLE = [
    leader("l1", 3, partners=("f2",)), leader("l2", 6), follower("f1", 3), follower("f2", 6, partners=("l1",)),
]  # fmt: skip


def ids(found, dance):
    """Pairs as ids, and who leads."""
    names = found.community.ids
    return [
        (names[couple.left], names[couple.right], None if couple.leader is None else names[couple.leader])
        for couple in dance.couples
    ]


def test_pairs_of_the_largest_total():
    found = case(FOUR)
    result = paired(found, "total")
    assert ids(found, result.dance) == [("f1", "l1", "l1"), ("f2", "l2", "l2")]
    assert result.method == "pair.total"
    assert result.seed is None
    assert result.dance.sits_out == ()
    first, second = (couple.score for couple in result.dance.couples)
    assert result.dance.total == first + second
    assert result.dance.mean == pytest.approx((first + second) / 2)
    worst = result.dance.worst
    assert worst is not None
    assert (worst.left, worst.right) == (0, 2)  # a tie: the smaller ids


def test_who_sits_out():
    found = case([*FOUR, follower("f3", 9)])
    assert [found.community.ids[row] for row in paired(found, "total").dance.sits_out] == ["f3"]


def test_an_empty_dance_has_no_mean_and_no_worst():
    dance = Dance(couples=(), sits_out=())
    assert (dance.total, dance.mean, dance.worst) == (0.0, None, None)
    assert paired(case([]), "total").dance == dance


def test_chance_tells_its_seed():
    found = case(FOUR)
    assert paired(found, "lottery").seed == 0
    assert paired(found, "lottery", seed=5).seed == 5
    assert paired(found, "lottery", seed=5) == paired(found, "lottery", seed=5)


@pytest.mark.parametrize("side", ["leader", "follower"])
def test_either_side_may_propose(side):
    result = paired(case(FOUR), "stable", proposes=side)
    assert side in result.note


def test_couples_stay_together_whatever_the_scores_say():
    found = case(COUPLE)
    free, kept = paired(found, "total"), paired(found, "total", together=True)
    assert ids(found, free.dance) == [("f1", "l1", "l1"), ("f2", "l2", "l2")]
    assert ids(found, kept.dance) == [("f1", "l2", "l2"), ("f2", "l1", "l1")]
    assert [couple.kept for couple in kept.dance.couples] == [False, True]
    assert kept.dance.total < free.dance.total


def test_roles_are_fixed_first_only_for_methods_that_need_one_for_each():
    found = case([both("a", 5, 5), both("b", 5, 5), leader("l", 5)])
    assert paired(found, "blossom").balanced is None
    assert len(paired(found, "blossom").dance.couples) == 1
    for fixed in (paired(found, "total"), paired(found, "total", fix_roles=True), paired(found, "stable")):
        assert fixed.balanced is not None
        assert fixed.balanced.chosen == (0, 1)
        assert len(fixed.dance.couples) == 1
        assert all(couple.leader is not None for couple in fixed.dance.couples)


@pytest.mark.parametrize("entry", family("pair"), ids=lambda entry: entry.name)
def test_each_method_pairs_people_who_dance_both(entry):
    found = case([both("a", 5, 5), both("b", 5, 5), leader("l", 5), follower("m", 4)])
    assert len(paired(found, entry.name).dance.couples) >= 1


@pytest.mark.parametrize("entry", family("rot"), ids=lambda entry: entry.name)
def test_each_method_rotates_people_who_dance_both(entry):
    found = case([both("a", 5, 5), both("b", 5, 5), leader("l", 5), follower("m", 4)])
    assert len(rotated(found, 2, method=entry.name).tandas) >= 1


def test_a_couple_of_two_who_dance_both_gets_one_role_each():
    people = [both("a", 3, 8, partners=("b",)), both("b", 8, 5, partners=("a",)), leader("l", 5), follower("m", 5)]
    found = case(people)
    kept = paired(found, "total", together=True, fix_roles=True)
    # b leads at 8 and a follows at 8: the better way round.
    assert ids(found, kept.dance) == [("a", "b", "b"), ("l", "m", "l")]
    alike = case([both("a", 5, 5, partners=("b",)), both("b", 5, 5, partners=("a",))])
    assert ids(alike, paired(alike, "total", together=True, fix_roles=True).dance) == [("a", "b", "a")]
    assert ids(alike, paired(alike, "blossom").dance) == [("a", "b", None)]


def test_scores_are_of_the_way_in_which_they_dance():
    # As they are: 80 for two who dance both, levels 3 and 8 the better way round, 5 and 5 the other.
    found = case([both("a", 3, 8), both("b", 8, 5), leader("l", 1)])
    result = paired(found, "total", fix_roles=True)
    assert result.balanced is not None
    assert result.balanced.chosen == (0, 1)
    for couple in result.dance.couples:
        pair = result.case.pair(couple.left, couple.right, leader=couple.leader)
        assert pair.breakdown["role"].score == 100
        assert pair.overall == pytest.approx(couple.score)
        assert pair.leads == ("a" if couple.leader == couple.left else "b")
    assert paired(found, "blossom").balanced is None


def test_roles_for_an_evening():
    found = case([both("a", 5, 5), both("b", 5, 5), leader("l", 5), leader("m", 5)])
    result = balanced(found)
    assert result.roles[2:] == (Role.LEADER, Role.LEADER)
    assert result.chosen == (0, 1)
    assert result.roles[:2] == (Role.FOLLOWER, Role.FOLLOWER)
    assert (result.leaders, result.followers) == (2, 2)
    assert balanced(case(FOUR)).chosen == ()
    assert balanced(case([])).roles == ()


def test_a_rotation_meets_new_partners_and_states_who_leads():
    found = case([*FOUR, follower("f3", 5)])
    result = rotated(found, 2)
    assert result.method == "rot.exact"
    assert len(result.tandas) == 2
    met = [pair for dance in result.tandas for pair in ids(found, dance)]
    assert len({pair[:2] for pair in met}) == len(met) == 4
    assert all(leads in {"l1", "l2"} for _, _, leads in met)
    sits = [row for dance in result.tandas for row in dance.sits_out]
    assert len(sits) == len(set(sits)) == 2


def test_people_who_dance_both_rotate_by_colouring():
    found = case([both(name, 5, 5) for name in "abcd"])
    assert rotated(found, 3).method == "rot.vizing"
    assert rotated(found, 2, fix_roles=True).method == "rot.exact"
    assert rotated(found, 3, method="rot.circle").method == "rot.circle"
    assert rotated(found, 2, method="exact").balanced is not None


def test_a_couple_dances_together_all_evening():
    found = case([*COUPLE, leader("l3", 5), follower("f3", 5)])
    result = rotated(found, 2, together=True)
    for dance in result.tandas:
        [couple] = [couple for couple in dance.couples if couple.kept]
        assert ids(found, Dance(couples=(couple,), sits_out=())) == [("f2", "l1", "l1")]


people = st.lists(
    st.tuples(st.sampled_from(["l", "f", "b"]), st.sampled_from([None, 2, 5, 5.5, 9])), min_size=0, max_size=7
)


@settings(max_examples=25, deadline=None)
@given(people, st.sampled_from(["total", "greedy", "stable", "blossom", "bottleneck"]), st.booleans())
def test_every_pairing_is_possible_and_whole(drawn, method, together):
    made = [
        {"l": leader, "f": follower}[kind](f"p{index}", level) if kind != "b" else both(f"p{index}", level, level)
        for index, (kind, level) in enumerate(drawn)
    ]
    found = case(made)
    result = paired(found, method, fix_roles=True, together=together)
    dance = result.dance
    dancing = [row for couple in dance.couples for row in (couple.left, couple.right)]
    assert sorted([*dancing, *dance.sits_out]) == list(range(len(made)))
    floor = floor_of(result.case.community, result.case.recipe)
    assert not (floor.roles == Role.BOTH.value).any()
    for couple in dance.couples:
        assert couple.left < couple.right
        assert couple.score == pytest.approx(floor.scores[couple.left, couple.right])
        assert couple.leader in {couple.left, couple.right}
        other = couple.right if couple.leader == couple.left else couple.left
        assert Role.LEADER in Role(int(found.community.roles[couple.leader]))
        assert Role.FOLLOWER in Role(int(found.community.roles[other]))
    assert not np.isnan(dance.total)
