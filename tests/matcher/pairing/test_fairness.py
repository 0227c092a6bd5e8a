"""Worst pairs and ranks, against all pairings tried."""

from __future__ import annotations

import itertools
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mrblue_cli.core.errors import UsageError
from mrblue_cli.matcher.pairing.base import total
from mrblue_cli.matcher.pairing.lexicographic import assign
from mrblue_cli.matcher.pairing.methods import named, pair
from mrblue_cli.matcher.pairing.plain import between, every
from tests.matcher.pairing.floors import FINE, crowd, is_pairing, two_sided


def vector(people, pairs):
    return sorted(float(people.scores[p]) for p in pairs)


def places(people, pairs, side):
    """How many pairs are a first, second, … choice of this side, equals sharing a place."""
    rows = set(people.sides()[side == "follower"].tolist())
    counts = Counter()
    for a, b in pairs:
        who, other = (a, b) if a in rows else (b, a)
        counts[int((people.views[who] > people.views[who, other]).sum())] += 1
    return [counts[place] for place in range(len(people))]


@settings(max_examples=80)
@given(st.one_of(two_sided(most=8), two_sided(most=8, scores=FINE)))
def test_bottleneck_has_the_best_worst_pair_and_then_the_largest_total(people):
    every_one = list(every(people))
    best = max((len(p), min(vector(people, p), default=0.0), round(sum(vector(people, p)), 6)) for p in every_one)
    for form in (named("bottleneck").scalar, named("bottleneck").fast):
        found = form(people)
        assert is_pairing(people, found)
        values = vector(people, found.pairs)
        assert (len(found.pairs), min(values, default=0.0), round(sum(values), 6)) == best


@settings(max_examples=80)
@given(st.one_of(two_sided(most=8), two_sided(most=8, scores=FINE)))
def test_leximin_has_the_best_ascending_scores(people):
    best = max((len(pairs), vector(people, pairs)) for pairs in every(people))
    for form in (named("leximin").scalar, named("leximin").fast):
        found = form(people)
        assert is_pairing(people, found)
        assert (len(found.pairs), vector(people, found.pairs)) == best


@settings(max_examples=80)
@given(two_sided(most=8, directed=True), st.sampled_from(["leader", "follower"]))
def test_rankmax_has_most_first_choices_then_second_ones(people, side):
    best = max(places(people, pairs, side) for pairs in every(people))
    for form in (named("rankmax").scalar, named("rankmax").fast):
        found = form(people, chooses=side)
        assert is_pairing(people, found)
        assert places(people, found.pairs, side) == best
        assert f"choices of the {side}s" in found.note


@given(st.integers(1, 5).flatmap(lambda n: st.lists(st.integers(0, 6), min_size=n * n, max_size=n * n)), st.booleans())
@settings(max_examples=120)
def test_counts_of_classes_are_best_in_strict_order(numbers, fewest):
    size = int(len(numbers) ** 0.5)
    classes = np.array(numbers, dtype=np.int64).reshape(size, size)

    def counts(columns):
        used = [int(classes[row, column]) for row, column in enumerate(columns)]
        return [used.count(value) * (1 if fewest else -1) for value in range(7)]

    found = assign(classes, fewest=fewest).tolist()
    assert sorted(found) == list(range(size))
    assert counts(found) == min(counts(way) for way in itertools.permutations(range(size)))


@pytest.mark.parametrize("grid", [None, 1.0, 10.0])
def test_on_a_full_floor_each_method_is_best_at_its_own_aim(grid):
    people = crowd(30, 26, seed=5, grid=grid, blocked=0.3)
    found = {name: pair(people, name) for name in ("total", "bottleneck", "leximin")}
    assert all(is_pairing(people, each) for each in found.values())
    values = {name: vector(people, each.pairs) for name, each in found.items()}
    assert len(values["bottleneck"]) == len(values["leximin"]) >= len(values["total"])
    assert values["leximin"][0] == values["bottleneck"][0]
    assert values["leximin"] >= values["bottleneck"]
    assert total(people, found["total"].pairs) >= total(people, found["bottleneck"].pairs) - 1e-6
    assert total(people, found["bottleneck"].pairs) >= total(people, found["leximin"].pairs) - 1e-6


def test_leximin_cannot_be_made_better_by_an_exchange():
    people = crowd(40, 40, seed=8)
    pairs = list(pair(people, "leximin").pairs)
    own = vector(people, pairs)
    for one, two in itertools.combinations(range(len(pairs)), 2):
        (a, b), (c, d) = pairs[one], pairs[two]
        swapped = [*(p for at, p in enumerate(pairs) if at not in {one, two}), (a, d), (c, b)]
        assert vector(people, swapped) <= own


def test_the_side_that_chooses_is_one_of_two():
    with pytest.raises(UsageError, match="chooses is 'us'"):
        pair(crowd(2, 2), "rankmax", chooses="us")


@pytest.mark.parametrize("name", ["bottleneck", "leximin"])
def test_most_pairs_come_before_the_total(name):
    # a2 can only dance with b2: two pairs at 40 and 45 against one at 100.
    people = between([[40, 100], [None, 45]])
    assert pair(people, name).pairs == ((0, 2), (1, 3))
    assert pair(people, "total").pairs == ((0, 3),)
