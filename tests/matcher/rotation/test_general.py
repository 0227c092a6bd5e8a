"""Choosing and colouring where people dance both roles."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mrblue_cli.matcher.rotation.choice import SMALL, Choice, overfull
from mrblue_cli.matcher.rotation.general import CROWD, fill, likely
from mrblue_cli.matcher.rotation.methods import rotate
from tests.matcher.rotation.floors import BOTH, FOLLOWER, LEADER, check, dances, floor_of_roles, spread, total


def all_able(people):
    return ~np.eye(people, dtype=bool)


def weights_of(people, seed=0):
    draw = np.triu(np.random.default_rng(seed).integers(4100, 10001, (people, people)) / 100, 1)
    return draw + draw.T


def test_two_triangles_do_not_fit_into_two_tandas():
    # Inside each triangle 100, across 50: two tandas of the best pairs would be the triangles, which need three.
    weights = np.full((6, 6), 50.0)
    for triangle in ((0, 1, 2), (3, 4, 5)):
        for a, b in itertools.combinations(triangle, 2):
            weights[a, b] = weights[b, a] = 100.0
    chosen = Choice(weights, all_able(6), 2, 3).best()
    assert len(chosen) == 6
    assert overfull(6, chosen, 2) == []
    assert sum(weights[pair] for pair in chosen) == 500
    floor = floor_of_roles([BOTH] * 6, weights)
    rotation = check(floor, rotate(floor, 2, "vizing"), 2)
    assert total(floor, rotation) == 500
    assert not any(tanda.sits_out for tanda in rotation.tandas)


def test_odd_sets_are_found_on_small_floors_wherever_they_are():
    triangle = [(0, 1), (0, 2), (1, 2)]
    assert overfull(3, triangle, 2) == [(0, 1, 2)]
    assert overfull(3, triangle, 3) == []
    # Hanging on a bridge the triangle is not a connected part of its own.
    assert (0, 1, 2) in overfull(5, [*triangle, (2, 3), (3, 4)], 2)


def test_on_larger_floors_they_are_looked_for_among_connected_parts():
    triangle = [(0, 1), (0, 2), (1, 2)]
    assert overfull(SMALL + 1, [*triangle, (3, 4)], 2) == [(0, 1, 2)]
    assert overfull(SMALL + 1, [(0, 1), (1, 2), (3, 4)], 2) == []


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 30), st.integers(1, 6), st.integers(0, 20))
def test_everybody_of_both_roles_dances_as_often_as_numbers_allow(people, tandas, seed):
    floor = floor_of_roles([BOTH] * people, seed=seed)
    rotation = check(floor, rotate(floor, tandas, "vizing", seed=seed), tandas)
    assert spread(floor, rotation, BOTH) <= 1
    if tandas < people:
        assert len(rotation.tandas) == tandas
        assert sum(len(tanda.pairs) for tanda in rotation.tandas) == tandas * (people // 2)


@pytest.mark.parametrize("seed", range(4))
def test_mixed_floors_of_a_practica(seed):
    chance = np.random.default_rng(seed)
    roles = chance.choice([LEADER, FOLLOWER, BOTH], size=30, p=[0.4, 0.4, 0.2])
    blocked = [tuple(pair) for pair in chance.integers(0, 30, (20, 2)) if pair[0] != pair[1]]
    floor = floor_of_roles(roles, seed=seed, blocked=blocked)
    rotation = check(floor, rotate(floor, 5, "vizing"), 5)
    for role in (LEADER, FOLLOWER, BOTH):
        assert spread(floor, rotation, role) <= 1
    assert "uneven" not in rotation.note


def test_better_than_tanda_by_tanda():
    gains = []
    for seed in range(5):
        floor = floor_of_roles([BOTH] * 16, seed=seed)
        weights = np.nan_to_num(floor.scores)
        tie = np.ones((16, 16), dtype=np.int64)
        greedy = fill([[] for _ in range(5)], weights, all_able(16), tie)
        gains.append(
            total(floor, rotate(floor, 5, "vizing")) - sum(weights[pair] for pairs in greedy for pair in pairs)
        )  # fmt: skip
    assert min(gains) >= -1e-6
    assert max(gains) > 0


def test_the_idle_are_paired_and_those_who_sat_out_more_come_first():
    weights = weights_of(4)
    classes = fill([[(0, 1)], []], weights, all_able(4), np.ones((4, 4), dtype=np.int64))
    # Tanda 1 leaves 2 and 3; in tanda 2 all four are idle, and the pairs already danced are out.
    assert classes[0] == [(0, 1), (2, 3)]
    assert classes[1] in ([(0, 2), (1, 3)], [(0, 3), (1, 2)])
    waited = fill([[(0, 1)], [(0, 1)], []], weights[:3, :3], all_able(3), np.ones((3, 3), dtype=np.int64))
    assert all(2 in pair for pair in waited[2])


def test_a_fairness_unit_outweighs_any_score():
    weights = np.array([[0, 100, 0], [100, 0, 0], [0, 0, 0]], dtype=float)
    # 2 sat out twice, 0 and 1 once each: with the worst score 2 dances all the same.
    able = all_able(3)
    plan = fill([[(0, 1)], [], []], weights, able, np.ones((3, 3), dtype=np.int64))
    assert [len(pairs) for pairs in plan] == [1, 1, 1]
    assert all(2 in pair for pairs in plan[1:] for pair in pairs)


def test_small_floors_consider_every_pair():
    able = all_able(CROWD)
    assert likely(weights_of(CROWD), able, 5) is able


def test_a_crowd_considers_likely_pairs_and_loses_nothing():
    people, tandas = CROWD + 10, 4
    weights, able = weights_of(people, 3), all_able(people)
    near = likely(weights, able, tandas)
    assert (near == near.T).all()
    assert near.sum(axis=1).min() >= 3 * tandas + 12
    assert near.sum() < 0.8 * able.sum()
    some, every = (Choice(weights, mask, tandas, people // 2).best() for mask in (near, able))
    assert sum(weights[pair] for pair in some) == pytest.approx(sum(weights[pair] for pair in every))


def test_a_crowd_whose_scores_are_all_equal_still_all_dance():
    people = CROWD + 20
    floor = floor_of_roles([BOTH] * people, np.full((people, people), 70.0))
    rotation = check(floor, rotate(floor, 3, "vizing"), 3)
    assert set(dances(rotation).values()) == {3}


def test_in_a_crowd_with_few_possible_partners_none_is_lost():
    # Leaders in a ring with the two followers next to them, all at one score; everybody has exactly two partners.
    people = CROWD + 4
    roles = [LEADER, FOLLOWER] * (people // 2)
    able = np.zeros((people, people), dtype=bool)
    for row in range(people):
        able[row, (row + 1) % people] = able[(row + 1) % people, row] = True
    blocked = [(a, b) for a, b in itertools.combinations(range(people), 2) if not able[a, b]]
    floor = floor_of_roles(roles, blocked=blocked)
    rotation = check(floor, rotate(floor, 2, "vizing"), 2)
    assert set(dances(rotation).values()) == {2}
