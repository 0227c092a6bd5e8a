"""Stable pairings, against the definition and against all of them listed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mrblue_cli.core.errors import UsageError
from mrblue_cli.matcher.pairing.base import Matching
from mrblue_cli.matcher.pairing.lattice import Lattice
from mrblue_cli.matcher.pairing.methods import named, pair
from mrblue_cli.matcher.pairing.plain import among, every
from mrblue_cli.matcher.pairing.preference import blocking, lists, ranks
from mrblue_cli.matcher.pairing.stable import propose
from tests.matcher.pairing.floors import FINE, crowd, floor, is_pairing, mixed, two_sided

STABLE = ("stable", "egalitarian", "regret")


def would_leave(people, pairs):
    """By the definition, written out: each of the two likes the other more than the partner, or has none."""
    partner = {**dict(pairs), **{b: a for a, b in pairs}}

    def prefers(one, other):
        if one not in partner:
            return True
        mine, offered = (-people.views[one, partner[one]], partner[one]), (-people.views[one, other], other)
        return offered < mine

    n = len(people)
    able = [(a, b) for a in range(n) for b in range(a + 1, n) if not np.isnan(people.scores[a, b])]
    return [(a, b) for a, b in able if partner.get(a) != b and prefers(a, b) and prefers(b, a)]


def stable_ones(people):
    return [pairs for pairs in every(people) if not would_leave(people, pairs)]


def rank_sum(people, pairs, rows):
    place = ranks(people)
    return sum(int(place[a, b]) for pair in pairs for a, b in (pair, pair[::-1]) if a in rows)


def worst_rank(people, pairs):
    place = ranks(people)
    return max((int(place[a, b]) for pair in pairs for a, b in (pair, pair[::-1])), default=0)


@settings(max_examples=80)
@given(two_sided(directed=True, most=8))
def test_stable_pairings_are_stable_and_the_best_of_their_kind(people):
    leaders, followers = (set(side.tolist()) for side in people.sides())
    everyone = leaders | followers
    all_stable = stable_ones(people)
    for side, rows in (("leader", leaders), ("follower", followers)):
        found = pair(people, "stable", proposes=side)
        assert is_pairing(people, found)
        assert found.pairs in all_stable
        assert rank_sum(people, found.pairs, rows) == min(rank_sum(people, pairs, rows) for pairs in all_stable)
        assert found == named("stable").scalar(people, proposes=side)
    fair = pair(people, "egalitarian")
    assert fair.pairs in all_stable
    assert rank_sum(people, fair.pairs, everyone) == min(rank_sum(people, pairs, everyone) for pairs in all_stable)
    assert fair == named("egalitarian").scalar(people)
    mild = pair(people, "regret")
    assert mild.pairs in all_stable
    assert worst_rank(people, mild.pairs) == min(worst_rank(people, pairs) for pairs in all_stable)
    assert mild == named("regret").scalar(people)


def several_stable(size, seed, groups=1):
    """Groups in which both sides want opposite things, with some noise: many stable pairings."""
    chance = np.random.default_rng(seed)
    part, row = size // groups, np.arange(size)
    turn = (row[None, :] - row[:, None]) % part
    same = row[None, :] // part == row[:, None] // part
    views = np.full((2 * size, 2 * size), 50.0)
    views[:size, size:] = np.where(same, 90 - 40 * turn / part, 30) + chance.normal(0, 8, (size, size))
    views[size:, :size] = (np.where(same, 50 + 40 * turn / part, 30) + chance.normal(0, 8, (size, size))).T
    return floor([1] * size + [2] * size, np.clip(views, 0, 100), np.clip(views, 0, 100))


MANY = [(4, seed, 2) for seed in range(8)] + [(5, seed, 1) for seed in range(6)]


@pytest.mark.parametrize("how", MANY)
def test_rotations_reach_every_stable_pairing_and_nothing_else(how):
    people = several_stable(*how)
    everyone = set(range(len(people)))
    wish, place = lists(people), ranks(people)
    lattice = Lattice(wish, place, propose(wish, place, people.sides()[0].tolist()))
    count = len(lattice.rotations)
    top = rank_sum(people, lattice.top.items(), everyone)
    reached = set()
    for chosen in range(1 << count):
        holds = {index for index in range(count) if chosen >> index & 1}
        if all(lattice.before[index] <= holds for index in holds):
            now = lattice.after(holds)
            assert sum(map(lattice.cost, holds)) == rank_sum(people, now.items(), everyone) - top
            reached.add(tuple(sorted(now.items())))
    assert reached == set(stable_ones(people))
    for name in STABLE:
        assert pair(people, name) == named(name).scalar(people), name


def test_among_them_are_choices_to_make():
    found = [{pair(several_stable(*how), name).pairs for name in STABLE} for how in MANY]
    assert max(map(len, found)) == 3
    assert sum(len(each) > 1 for each in found) >= 5


@pytest.mark.parametrize("size", [30, 80])
def test_large_floors_stay_stable(size):
    people = several_stable(size, size, 5)
    place = ranks(people)
    everyone = set(range(len(people)))
    found = {name: pair(people, name).pairs for name in STABLE}
    found["follower"] = pair(people, "stable", proposes="follower").pairs
    assert all(blocking(place, pairs) == [] for pairs in found.values())
    sums = {name: rank_sum(people, pairs, everyone) for name, pairs in found.items()}
    assert sums["egalitarian"] == min(sums.values())
    worst = {name: worst_rank(people, pairs) for name, pairs in found.items()}
    assert worst["regret"] == min(worst.values())


@settings(max_examples=80)
@given(two_sided(scores=FINE).filter(lambda people: len(np.unique(people.scores[~np.isnan(people.scores)])) * 2
                                     == (~np.isnan(people.scores)).sum()))  # fmt: skip
def test_with_distinct_scores_there_is_one_stable_pairing_and_it_is_the_greedy_one(people):
    assert len(stable_ones(people)) == 1
    greedy = pair(people, "greedy").pairs
    assert pair(people, "stable").pairs == greedy
    assert pair(people, "stable", proposes="follower").pairs == greedy
    assert pair(people, "egalitarian").pairs == pair(people, "regret").pairs == greedy
    assert pair(people, "roommates").pairs == greedy


@settings(max_examples=60)
@given(mixed(directed=True))
def test_what_blocks_is_what_the_definition_says(people):
    for pairs in list(every(people))[:20]:
        assert blocking(ranks(people), pairs) == would_leave(people, pairs)


def test_ranks_are_places_in_lists():
    people = crowd(3, 4, seed=2, grid=20.0, blocked=0.2, directed=True)
    place = ranks(people)
    for row, wish in enumerate(lists(people)):
        assert [place[row, other] for other in wish] == list(range(1, len(wish) + 1))
        assert all(place[row, other] == len(people) + 1 for other in set(range(len(people))) - set(wish))
        assert wish == sorted(wish, key=lambda other: (-people.views[row, other], other))


def test_the_proposing_side_is_one_of_two():
    with pytest.raises(UsageError, match="proposes is 'both'"):
        pair(crowd(2, 2), "stable", proposes="both")
    note = pair(crowd(2, 2), "stable", proposes="follower").note
    assert "followers propose" in note
    assert "smaller id" in note


@pytest.mark.parametrize("method", [*STABLE, "total", "leximin", "ttc", "online"])
def test_methods_of_two_sides_say_what_to_do_about_dual_role_people(method):
    with pytest.raises(UsageError, match="both roles") as caught:
        pair(crowd(1, 1, both=1), method)
    assert "--balance" in caught.value.hint


@settings(max_examples=150)
@given(mixed(directed=True))
def test_roommates_finds_a_stable_pairing_exactly_where_one_exists(people):
    all_stable = stable_ones(people)
    found = pair(people, "roommates")
    plain = named("roommates").scalar(people)
    assert is_pairing(people, found)
    assert list(found.blocking) == would_leave(people, found.pairs)
    if all_stable:
        assert found.pairs in all_stable
        assert plain.pairs in all_stable
    else:
        assert found.blocking
        assert len(found.blocking) >= len(plain.blocking) > 0
        assert "no stable pairing exists" in found.note
        assert np.isnan(people.scores[np.ix_(found.sits_out(people), found.sits_out(people))]).all()


def ring(size):
    """Each likes the next one best, then the one before: no stable pairing for an odd ring."""
    views = np.full((size, size), 50.0)
    for row in range(size):
        views[row, (row + 1) % size], views[row, row - 1] = 90, 80
    np.fill_diagonal(views, np.nan)
    return views


@pytest.mark.parametrize("size", [3, 5])
def test_an_odd_ring_has_no_stable_pairing_and_the_note_says_who_would_leave(size):
    views = ring(size)
    views[np.nan_to_num(views) == 50] = np.nan
    people = among(views.tolist())
    assert stable_ones(people) == []
    found = pair(people, "roommates")
    assert len(found.pairs) == size // 2
    assert len(found.blocking) == 1
    a, b = found.blocking[0]
    assert f"1 pair of people would rather dance with each other: {people.ids[a]} and {people.ids[b]}" in found.note


@pytest.mark.parametrize("rings", [1, 2, 3])
def test_each_odd_ring_costs_one_pair_that_would_leave(rings):
    n = 3 * rings
    views = np.full((n, n), np.nan)
    for start in range(0, n, 3):
        views[start : start + 3, start : start + 3] = ring(3)
    people = among(views.tolist())
    found = pair(people, "roommates")
    assert len(found.blocking) == rings == len(named("roommates").scalar(people).blocking)
    assert len(found.pairs) == rings


@given(st.integers(0, 2**16))
@settings(max_examples=25)
def test_roommates_of_one_mind_always_find_a_stable_pairing(seed):
    # One score for both people of a pair: taking the best pair first is stable, so one exists whatever the ties.
    people = crowd(2, 3, seed, grid=20.0, blocked=0.1, both=20)
    found = pair(people, "roommates")
    assert isinstance(found, Matching)
    assert found.blocking == ()
    assert would_leave(people, found.pairs) == []


@pytest.mark.parametrize("seed", range(6))
def test_roommates_on_a_larger_floor_says_truly_who_would_leave(seed):
    people = crowd(5, 5, seed, directed=True, both=50, blocked=0.1)
    found = pair(people, "roommates")
    assert is_pairing(people, found)
    assert list(found.blocking) == would_leave(people, found.pairs)
    assert len(found.blocking) < len(found.pairs) / 2
    assert ("no stable pairing exists" in found.note) is bool(found.blocking)


def test_a_note_names_three_pairs_and_counts_the_rest():
    n = 15
    views = np.full((n, n), np.nan)
    for start in range(0, n, 3):
        views[start : start + 3, start : start + 3] = ring(3)
    found = pair(among(views.tolist()), "roommates")
    assert len(found.blocking) == 5
    assert "5 pairs of people" in found.note
    assert "and 2 more" in found.note
    # Of each ring the two of smaller ids dance.
    assert found.pairs == tuple((start, start + 1) for start in range(0, n, 3))


def test_who_has_nobody_to_dance_with_does_not_spoil_stability():
    views = np.full((5, 5), np.nan)
    views[:4, :4] = [[np.nan, 9, 8, 7], [9, np.nan, 8, 7], [9, 8, np.nan, 7], [9, 8, 7, np.nan]]
    found = pair(among(views.tolist()), "roommates")
    assert found.pairs == ((0, 1), (2, 3))
    assert found.blocking == ()
    assert found.sits_out(among(views.tolist())) == (4,)


def test_the_side_with_the_surplus_leaves_the_same_people_out_whoever_proposes():
    # Rural hospitals: who sits out in one stable pairing does so in each.
    for seed in range(8):
        people = crowd(5, 7, seed, directed=True, blocked=0.3)
        out = {pair(people, "stable", proposes=side).sits_out(people) for side in ("leader", "follower")}
        out |= {pair(people, name).sits_out(people) for name in ("egalitarian", "regret")}
        assert len(out) == 1


def test_directed_wishes_make_the_proposing_side_matter():
    people = several_stable(5, 1)
    leaders, followers = people.sides()
    first, second = pair(people, "stable").pairs, pair(people, "stable", proposes="follower").pairs
    assert rank_sum(people, first, set(leaders.tolist())) < rank_sum(people, second, set(leaders.tolist()))
    assert rank_sum(people, first, set(followers.tolist())) > rank_sum(people, second, set(followers.tolist()))
