"""Edge colouring of two sides, and of any graph."""

from __future__ import annotations

import itertools
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mrblue_cli.core.errors import InternalError
from mrblue_cli.matcher.rotation.colouring import split
from mrblue_cli.matcher.rotation.plain import matchings, matchings_mixed, split_plain
from mrblue_cli.matcher.rotation.room import pairs_of
from mrblue_cli.matcher.rotation.vizing import Table, colour, squeeze

FEW = settings(max_examples=150, deadline=None)


@st.composite
def masks(draw, most=8):
    leaders, followers = draw(st.integers(1, most)), draw(st.integers(1, most))
    cells = draw(st.lists(st.booleans(), min_size=leaders * followers, max_size=leaders * followers))
    return np.array(cells).reshape(leaders, followers)


@st.composite
def graphs(draw, most=9):
    people = draw(st.integers(2, most))
    return people, draw(st.lists(st.sampled_from(list(itertools.combinations(range(people), 2))), unique=True))


def busiest(pairs):
    return max(Counter(person for pair in pairs for person in pair).values(), default=0)


def proper(classes):
    return all(len({person for pair in pairs for person in pair}) == 2 * len(pairs) for pairs in classes)


@FEW
@given(masks(), st.integers(0, 2))
def test_two_sides_need_no_more_tandas_than_the_busiest_has_partners(chosen, spare):
    tandas = max(1, chosen.sum(axis=0).max(), chosen.sum(axis=1).max()) + spare
    for classes in (split(chosen, int(tandas)), split_plain(chosen[:3, :3], int(tandas))):
        assert len(classes) == tandas
        for pairs in classes:
            assert len({a for a, _ in pairs}) == len({b for _, b in pairs}) == len(pairs)
        sizes = [len(pairs) for pairs in classes]
        assert max(sizes) - min(sizes) <= 1
    assert sorted(pair for pairs in split(chosen, int(tandas)) for pair in pairs) == pairs_of(chosen)
    assert sorted(p for pairs in split_plain(chosen[:3, :3], int(tandas)) for p in pairs) == pairs_of(chosen[:3, :3])


def test_too_few_tandas_are_a_fault_of_ours():
    with pytest.raises(InternalError, match="more partners than there are tandas"):
        split(np.ones((2, 3), dtype=bool), 2)


def test_no_pairs():
    assert split(np.zeros((2, 3), dtype=bool), 2) == [[], []]
    assert split(np.zeros((0, 3), dtype=bool), 1) == [[]]


def test_a_chain_is_swapped_when_no_tanda_suits_both():
    # The first two pairs take tanda 0; the third then needs the first leader's and the second follower's free tandas.
    chosen = np.array([[True, True], [True, False]])
    classes = split(chosen, 2)
    assert sorted(map(tuple, classes)) == [((0, 0),), ((0, 1), (1, 0))]


@FEW
@given(graphs())
def test_any_graph_needs_at_most_one_more(graph):
    people, pairs = graph
    classes = colour(people, pairs)
    assert len(classes) == busiest(pairs) + 1
    assert proper(classes)
    assert sorted(pair for found in classes for pair in found) == sorted(pairs)


@FEW
@given(graphs(), st.integers(0, 5))
def test_one_colour_fewer(graph, seed):
    people, pairs = graph
    weights = np.random.default_rng(seed).random((people, people))
    classes, homeless = squeeze(people, colour(people, pairs), weights, seed)
    assert len(classes) == busiest(pairs)
    assert proper(classes)
    assert sorted([pair for found in classes for pair in found] + homeless) == sorted(pairs)
    assert (classes, homeless) == squeeze(people, colour(people, pairs), weights, seed)


@FEW
@given(masks(most=5))
def test_two_sides_never_lack_a_colour_that_the_search_does_not_find(chosen):
    """Konig: as a general graph, two sides fit into as many colours as the busiest has partners."""
    pairs = [(a, len(chosen) + b) for a, b in pairs_of(chosen)]
    people = sum(chosen.shape)
    classes, homeless = squeeze(people, colour(people, pairs), np.ones((people, people)), 0)
    assert len(classes) == busiest(pairs)
    assert not homeless


@pytest.mark.parametrize("people", [4, 6, 8, 10, 12, 20, 40])
def test_an_even_round_is_found_without_the_spare_colour(people):
    pairs = list(itertools.combinations(range(people), 2))
    classes, homeless = squeeze(people, colour(people, pairs), np.ones((people, people)), 0)
    assert homeless == []
    assert [len(found) for found in classes] == [people // 2] * (people - 1)


@pytest.mark.parametrize("people", [3, 5, 7])
def test_an_odd_round_cannot_do_without_it(people):
    pairs = list(itertools.combinations(range(people), 2))
    _, homeless = squeeze(people, colour(people, pairs), np.ones((people, people)), 0)
    # n (n - 1) / 2 pairs, and n - 1 tandas hold (n - 1) / 2 each.
    assert len(homeless) >= (people - 1) // 2


def test_the_petersen_graph_needs_the_spare_colour():
    outer = [(k, (k + 1) % 5) for k in range(5)]
    inner = [(5 + k, 5 + (k + 2) % 5) for k in range(5)]
    pairs = [(min(pair), max(pair)) for pair in [*outer, *inner, *((k, k + 5) for k in range(5))]]
    classes = colour(10, pairs)
    assert proper(classes)
    assert len(classes) == 4
    fewer, homeless = squeeze(10, classes, np.ones((10, 10)), 0)
    assert proper(fewer)
    assert len(homeless) >= 1


def test_the_smallest_class_is_given_up_and_its_pairs_find_a_place():
    weights = np.ones((6, 6))
    assert squeeze(6, [[(2, 3), (4, 5)], [(0, 1)]], weights, 0) == ([[(0, 1), (2, 3), (4, 5)]], [])


def test_a_triangle_in_two_tandas_leaves_one_pair():
    classes, homeless = squeeze(3, [[(0, 1)], [(0, 2)], [(1, 2)]], np.ones((3, 3)), 0)
    assert proper(classes)
    assert sorted([*homeless, *(pair for found in classes for pair in found)]) == [(0, 1), (0, 2), (1, 2)]
    assert len(homeless) == 1


def test_a_table_guards_itself():
    table = Table(3, 1)
    table.put(0, 1, 0)
    with pytest.raises(InternalError):
        table.put(1, 2, 0)
    assert table.free(2) == [0]
    assert table.take(1, 0) == 0
    assert table.free(0) == [0]


def test_a_chain_ends_where_it_must():
    table = Table(4, 2)
    table.put(0, 1, 0)
    table.put(1, 2, 1)
    table.put(2, 3, 0)
    assert table.end(0, 0, 1) == 3
    assert table.end(3, 1, 0) == 3
    table.swap(0, 0, 1)
    assert table.classes() == [[(1, 2)], [(0, 1), (2, 3)]]


def test_all_matchings_are_counted_as_theory_says():
    # Complete tables: sum over k of C(n, k) C(m, k) k!; complete graphs: the telephone numbers.
    assert len(matchings(np.ones((3, 3), dtype=bool))) == 34
    assert len(matchings(np.ones((2, 4), dtype=bool))) == 21
    assert [len(matchings_mixed(~np.eye(n, dtype=bool))) for n in range(7)] == [1, 1, 2, 4, 10, 26, 76]
