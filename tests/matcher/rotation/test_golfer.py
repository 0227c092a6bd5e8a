"""Groups that mix anew."""

from __future__ import annotations

import itertools
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mrblue_cli.core.errors import UsageError
from mrblue_cli.matcher.rotation.golfer import golfer, rounds, search
from mrblue_cli.matcher.rotation.methods import rotate
from tests.matcher.rotation.floors import FOLLOWER, LEADER, check, spread, two_sides


def meetings(found):
    return Counter(pair for part in found for rows in part.groups for pair in itertools.combinations(rows, 2))


@settings(max_examples=50, deadline=None)
@given(
    leaders=st.integers(1, 9),
    followers=st.integers(1, 9),
    tandas=st.integers(1, 8),
    group=st.sampled_from([4, 6, 8]),
    seed=st.integers(0, 9),
)
def test_everybody_is_in_one_group_of_each_round(leaders, followers, tandas, group, seed):
    floor = two_sides(leaders, followers, seed=seed)
    found = rounds(floor, tandas, seed=seed, group=group)
    for part in found:
        assert sorted(row for rows in part.groups for row in rows) == list(range(len(floor)))
        sizes = [len(rows) for rows in part.groups]
        assert max(sizes) - min(sizes) <= 2
        for side in (range(leaders), range(leaders, len(floor))):
            shares = [len(set(side) & set(rows)) for rows in part.groups]
            assert max(shares) - min(shares) <= 1
        assert len(part.tandas) <= group // 2
    rotation = check(floor, golfer(floor, tandas, seed=seed, group=group), tandas)
    assert [sorted(tanda.pairs) for tanda in rotation.tandas] == [sorted(p) for part in found for p in part.tandas]
    assert spread(floor, rotation, LEADER) <= 1
    assert spread(floor, rotation, FOLLOWER) <= 1


def test_few_meet_again():
    floor = two_sides(16, 16)
    found = rounds(floor, 6)
    counts = meetings(found)
    # Three rounds of eight groups of four: 144 meetings of 496 pairs. By chance about 13 pairs would meet again.
    assert sum(counts.values()) == 144
    assert sum(times > 1 for times in counts.values()) <= 4
    assert max(counts.values()) <= 2


def test_with_equal_numbers_all_dance_inside_their_group():
    floor = two_sides(12, 12)
    for part in rounds(floor, 4):
        home = {row: number for number, rows in enumerate(part.groups) for row in rows}
        assert all(home[a] == home[b] for pairs in part.tandas for a, b in pairs)
        assert len(part.tandas) == 2
    assert "another group" not in golfer(floor, 4).note


def test_the_note_counts_what_it_could_not_avoid():
    floor = two_sides(4, 4)
    rotation = check(floor, golfer(floor, 4), 4)
    assert rotation.note.startswith("groups of about 4 mix anew every 2 tandas; ")
    assert rotation.note.endswith("pairs of people share a group twice or more")
    crowded = check(two_sides(3, 8), golfer(two_sides(3, 8), 6), 6)
    assert "dances are with somebody of another group" in crowded.note


@pytest.mark.parametrize("group", [0, 2, 3, 5, -4])
def test_a_group_that_cannot_be(group):
    with pytest.raises(UsageError, match=f"a group of {group} cannot be"):
        rotate(two_sides(4, 4), 2, "golfer", group=group)


def test_a_larger_group_stays_together_longer():
    found = rounds(two_sides(8, 8), 8, group=8)
    assert [len(part.tandas) for part in found] == [4, 4]
    assert [len(part.groups) for part in found] == [2, 2]


def test_chance_comes_from_the_seed_alone():
    floor = two_sides(10, 10)
    assert rounds(floor, 6, seed=1) == rounds(floor, 6, seed=1)
    assert rounds(floor, 6, seed=1) != rounds(floor, 6, seed=2)


def test_the_search_parts_those_who_met():
    # Two groups of two leaders and two followers, in which everybody met; swapping a pair of each side parts them.
    costs = np.ones((8, 8), dtype=np.int64)
    for group in ((0, 1, 4, 5), (2, 3, 6, 7)):
        for a, b in itertools.permutations(group, 2):
            costs[a, b] = 3
    member = search(costs, np.array([[2, 2], [2, 2]]), np.random.default_rng(0))
    for number in (0, 1):
        rows = np.flatnonzero(member == number)
        assert sum(costs[a, b] == 3 for a, b in itertools.combinations(rows, 2)) == 2
