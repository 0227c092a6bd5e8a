"""The index: everybody stands in it once, and what nodes say of their people is true."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mrblue_cli.matcher.columns import Ragged
from mrblue_cli.matcher.compiled import Community
from mrblue_cli.matcher.model import Role, User
from mrblue_cli.matcher.recipe import make_recipe
from mrblue_cli.matcher.scoring import score
from mrblue_cli.matcher.topk import index
from mrblue_cli.matcher.topk import tables as c
from tests.matcher.strategies import communities
from tests.matcher.topk.crowds import crowd

few = settings(max_examples=40)


def people_below(t, node):
    """Places in tree order."""
    first, last = t.node_facts[node, [c.FIRST, c.LAST]].tolist()
    if t.node_facts[node, c.LEAF]:
        return list(range(first, last))
    return [place for child in range(first, last) for place in people_below(t, child)]


def check(community, recipe):
    t = index.build(community, recipe)
    n = len(community)
    assert sorted(t.facts[:, c.ROW].tolist()) == list(range(n))
    assert t.facts[t.place_of, c.ROW].tolist() == list(range(n))
    below = [people_below(t, node) for node in range(int(t.root_start[0]), int(t.root_start[-1]))]
    assert sorted(place for places in below for place in places) == list(range(n))
    for group in range(len(t.order)):
        for node in range(int(t.root_start[group]), int(t.root_start[group + 1])):
            assert set(t.facts[people_below(t, node), c.GROUP].tolist()) == {group}
    for node in range(len(t.node_facts)):
        holds(t, node)
    return t


def holds(t, node):
    people = people_below(t, node)
    facts, numbers, bits = t.facts[people], t.numbers[people], t.bits[people]
    of, most = t.node_facts[node], t.node_numbers[node]
    assert set(facts[:, c.FLAGS].tolist()) == {of[c.NODE_FLAGS]}
    assert set(facts[:, c.GROUP].tolist()) == {of[c.NODE_GROUP]}
    assert of[c.LOW_ROW] == facts[:, c.ROW].min()
    assert of[c.FEWEST] == facts[:, c.STYLES].min()
    assert (of[c.CITY_LOW], of[c.CITY_HIGH]) == (facts[:, c.CITY].min(), facts[:, c.CITY].max())
    assert (of[c.COUNTRY_LOW], of[c.COUNTRY_HIGH]) == (facts[:, c.COUNTRY].min(), facts[:, c.COUNTRY].max())
    if of[c.NODE_FLAGS] & c.PLACED:
        np.testing.assert_array_equal(most[:3], numbers[:, :3].min(axis=0))
        np.testing.assert_array_equal(most[3:6], numbers[:, :3].max(axis=0))
        one_place = len({tuple(place) for place in numbers[:, [c.PHI, c.LON]].tolist()}) == 1
        assert (of[c.SPOT] in people) if one_place else (of[c.SPOT] == -1)
    assert most[c.LEAST_MUSIC] == numbers[:, c.MUSIC].min()
    np.testing.assert_array_equal(t.node_bits[node, :5], np.bitwise_or.reduce(bits, axis=0))
    assert t.node_bits[node, c.STYLE_ALL] == np.bitwise_and.reduce(bits[:, c.STYLE_BITS])
    for column, start, values in (
        (c.SAME_HOURS, t.hour_start, t.hours),
        (c.SAME_MUSIC, t.music_start, list(zip(t.music_tags, t.music_weights, strict=True))),
    ):
        lists = [tuple(values[start[row] : start[row + 1]]) for row in facts[:, c.ROW].tolist()]
        assert (of[column] >= 0) == (len(set(lists)) == 1)
        if of[column] >= 0:
            assert tuple(values[start[of[column]] : start[of[column] + 1]]) == lists[0]


@few
@given(communities(1, 12))
def test_a_small_index_is_true(community):
    check(community, make_recipe({"music": 0.1, "age": 0.1}))


def test_a_tall_index_is_true():
    t = check(crowd(2500, seed=4), make_recipe())
    assert t.node_facts[:, c.LEAF].sum() > 100
    assert (t.node_facts[:, c.LEAF] == 0).sum() > 30


def test_arrays_are_read_only_and_of_one_type_each():
    for community in (crowd(5), crowd(300)):
        t = index.build(community, make_recipe())
        assert all(not column.flags.writeable and column.flags.c_contiguous for column in t)
        assert [column.dtype for column in t] == [column.dtype for column in index.build(crowd(9, 1), make_recipe())]


@few
@given(communities(2, 10), st.sampled_from(("half", "drop")), st.sampled_from(({}, {"music": 0.2}, {"role": 0.0})))
def test_no_pair_scores_above_the_bound_of_its_groups(community, missing, weights):
    recipe = make_recipe(weights, missing=missing)
    t = index.build(community, recipe)
    group = t.facts[t.place_of, c.GROUP]
    for a in range(len(community)):
        others = np.array([b for b in range(len(community)) if b != a])
        found = score(community, np.full(len(others), a), others, recipe)
        order = t.order[group[a]].tolist()
        for b, overall, able in zip(others.tolist(), found.overall, found.feasible, strict=True):
            if able:
                assert overall <= t.order_bound[group[a], order.index(group[b])] + 1e-9
    assert (np.diff(np.nan_to_num(t.order_bound, neginf=-1.0), axis=1) <= 0).all()


def test_the_bounds_of_the_reference():
    """Section 5: leaders with followers at levels 0, 1, 2, 3 and 4 apart, and people who dance both."""
    users = [User(id="a", roles=Role.LEADER, leader_level=5.0)]
    users += [User(id=f"f{apart}", roles=Role.FOLLOWER, follower_level=5.0 + apart) for apart in range(5)]
    community = Community([*users, User(id="x", roles=Role.BOTH, leader_level=5.0, follower_level=5.0)])
    t = index.build(community, make_recipe())
    group = t.facts[t.place_of, c.GROUP]
    bounds = dict(zip(t.order[group[0]].tolist(), t.order_bound[group[0]].tolist(), strict=True))
    assert [bounds[int(group[1 + apart])] for apart in range(5)] == pytest.approx([100, 97, 91, 85, 79])
    assert int(group[0]) not in bounds
    both = dict(zip(t.order[group[6]].tolist(), t.order_bound[group[6]].tolist(), strict=True))
    assert both[int(group[6])] == pytest.approx(92)


def test_a_file_of_odd_levels_makes_no_index_larger_than_its_people():
    many = Community(
        User(id=f"p{number}", roles=Role.LEADER, leader_level=1 + number / 1000)
        for number in range(index.MOST_GROUPS + 1)
    )
    assert not index.supports(many, make_recipe())
    assert not index.supports(Community([]), make_recipe())
    assert index.supports(crowd(10), make_recipe())


@given(st.lists(st.lists(st.integers(0, 2), max_size=4), min_size=1, max_size=12))
def test_equal_lists_are_found(rows):
    found = index._alike([Ragged.of(rows), Ragged.of([[value / 2 for value in row] for row in rows], np.float64)])
    for number, row in enumerate(rows):
        assert rows[int(found[number])] == row
    assert len(set(found.tolist())) == len({tuple(row) for row in rows})


@given(st.lists(st.tuples(st.integers(0, 10_079), st.integers(1, 600)), max_size=5))
def test_hours_of_the_week_as_bits(spans):
    minutes = [minute for start, length in spans for minute in (start, min(start + length, 10_080))]
    words = index._hour_bits(Ragged.of([minutes, []]))
    hours = {
        minute // 60 for start, end in zip(minutes[::2], minutes[1::2], strict=True) for minute in range(start, end)
    }
    assert [bool(words[0, hour // 64] >> np.uint64(hour % 64) & np.uint64(1)) for hour in range(192)] == [
        hour in hours for hour in range(192)
    ]
    assert not words[1].any()
