"""The choice of pairs for the whole evening, against trying everything."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from mrblue_cli.core.errors import UsageError
from mrblue_cli.matcher.rotation.fold import SMALL, fold, ideal_squares, least_squares, sat_out
from mrblue_cli.matcher.rotation.plain import fold_plain
from mrblue_cli.matcher.rotation.room import squared


@st.composite
def tables(draw, most=4):
    """(scores, able, tandas, earlier sit-outs), with ties and gaps."""
    leaders, followers = draw(st.integers(1, most)), draw(st.integers(1, most))
    size = leaders * followers
    scores = draw(st.lists(st.sampled_from([0.0, 41.0, 60.0, 60.5, 99.0]), min_size=size, max_size=size))
    able = draw(st.lists(st.sampled_from([True, True, True, False]), min_size=size, max_size=size))
    before = draw(st.lists(st.integers(0, 3), min_size=leaders + followers, max_size=leaders + followers))
    shape = leaders, followers
    return np.array(scores).reshape(shape), np.array(able).reshape(shape), draw(st.integers(1, 4)), np.array(before)


@settings(max_examples=150, deadline=None)
@given(tables())
def test_as_good_as_trying_everything(table):
    scores, able, tandas, before = table
    chosen, judge = fold(scores, able, tandas, before), fold_plain(scores, able, tandas, before)
    assert not (chosen & ~able).any()
    assert chosen.sum(axis=0).max() <= tandas
    assert chosen.sum(axis=1).max() <= tandas
    assert squared(before + sat_out(chosen, tandas)) == squared(before + sat_out(judge, tandas))
    assert scores[chosen].sum() == pytest.approx(scores[judge].sum())


@settings(max_examples=60, deadline=None)
@given(tables())
def test_the_least_squares_and_its_bound_without_a_solver(table):
    scores, able, tandas, before = table
    least = squared(before + sat_out(fold_plain(scores, able, tandas, before), tandas))
    assert least_squares(able, tandas, before) == least
    assert ideal_squares(able, tandas, before) <= least
    if able.all() and tandas <= min(able.shape):
        assert ideal_squares(able, tandas, before) == least


@settings(max_examples=60, deadline=None)
@given(tables(most=3))
def test_no_plan_has_more_dances_or_evener_sit_outs(table):
    """Least squares mean: as many dances as possible, and among those plans the smallest spread on both sides."""
    scores, able, tandas, _ = table
    chosen = fold(scores, able, tandas)
    pairs = list(zip(*np.nonzero(able), strict=True))
    most, spreads = 0, []
    for bits in itertools.product([False, True], repeat=len(pairs)):
        plan = np.zeros(able.shape, dtype=bool)
        for taken, pair in zip(bits, pairs, strict=True):
            plan[pair] = taken
        if max(plan.sum(axis=0).max(), plan.sum(axis=1).max()) > tandas or plan.sum() < most:
            continue
        if plan.sum() > most:
            most, spreads = plan.sum(), []
        spreads.append((np.ptp(plan.sum(axis=1)), np.ptp(plan.sum(axis=0))))
    assert chosen.sum() == most
    assert np.ptp(chosen.sum(axis=1)) == min(rows for rows, _ in spreads)
    assert np.ptp(chosen.sum(axis=0)) == min(columns for _, columns in spreads)


def test_one_possible_partner_shared_by_two():
    able = np.array([[True, False], [True, False], [True, True]])
    chosen = fold(np.ones(able.shape), able, 2)
    # The first follower can dance twice, the second once, with the third leader: nobody who has a partner is left out.
    assert chosen.tolist() == [[True, False], [True, False], [False, True]]


def test_those_who_sat_out_dance():
    scores = np.array([[90.0, 80.0], [85.0, 70.0], [50.0, 41.0]])
    able = np.ones(scores.shape, dtype=bool)
    assert fold(scores, able, 1).tolist() == [[False, True], [True, False], [False, False]]
    waited = fold(scores, able, 1, np.array([0, 0, 1, 0, 0]))
    # 90 + 41 = 131 beats 80 + 50 and 85 + 41.
    assert waited.tolist() == [[True, False], [False, False], [False, True]]


@pytest.mark.parametrize("shape", [(0, 0), (0, 3), (2, 0)])
def test_an_empty_side(shape):
    able = np.ones(shape, dtype=bool)
    assert fold(np.zeros(shape), able, 3).shape == shape
    assert least_squares(able, 3, np.zeros(sum(shape), dtype=np.int64)) == 9 * sum(shape)


def test_no_tandas():
    assert not fold(np.ones((2, 2)), np.ones((2, 2), dtype=bool), 0).any()


@pytest.mark.parametrize(("leaders", "followers", "tandas"), [(30, 30, 6), (25, 40, 7), (40, 25, 7), (12, 90, 5)])
def test_the_solver_ends_in_whole_numbers_that_keep_the_rules(leaders, followers, tandas):
    chance = np.random.default_rng(leaders)
    scores = chance.uniform(41, 100, (leaders, followers))
    able = chance.random((leaders, followers)) > 0.1
    chosen = fold(scores, able, tandas)
    many, few = (0, 1) if leaders < followers else (1, 0)
    assert set(chosen.sum(axis=few)) == {tandas}
    assert np.ptp(chosen.sum(axis=many)) <= 1
    # No exchange of partners between two leaders gains anything: a necessary condition of the optimum.
    for a, b in itertools.combinations(range(min(leaders, 12)), 2):
        ours, theirs = np.flatnonzero(chosen[a] & ~chosen[b]), np.flatnonzero(chosen[b] & ~chosen[a])
        for x, y in itertools.product(ours, theirs):
            if able[a, y] and able[b, x]:
                assert scores[a, y] + scores[b, x] <= scores[a, x] + scores[b, y] + 1e-6


def test_the_plain_form_refuses_a_crowd():
    with pytest.raises(UsageError, match="not for 9 leaders and 9 followers"):
        fold_plain(np.ones((9, 9)), np.ones((9, 9), dtype=bool), 3, np.zeros(18, dtype=np.int64))


def whole(scores, tandas):
    """The largest total of a full table at once, the smaller side always dancing: the program written out."""
    leaders, followers = scores.shape
    pair = np.arange(leaders * followers)
    system = np.zeros((leaders + followers, len(pair)))
    system[pair // followers, pair] = system[leaders + pair % followers, pair] = 1
    few = system[:leaders] if leaders <= followers else system[leaders:]
    many = system[leaders:] if leaders <= followers else system[:leaders]
    dances = tandas * len(few) / len(many)
    limits = np.concatenate([np.full(len(many), np.ceil(dances)), np.full(len(many), -np.floor(dances))])
    found = linprog(
        -scores.ravel(),
        A_eq=few,
        b_eq=np.full(len(few), tandas),
        A_ub=np.concatenate([many, -many]),
        b_ub=limits,
        bounds=(0, 1),
        method="highs-ds",
    )
    return -found.fun


@pytest.mark.parametrize(("leaders", "followers", "tandas"), [(70, 70, 3), (64, 80, 4), (90, 60, 3)])
@pytest.mark.parametrize("ties", [False, True])
def test_a_large_table_that_begins_with_likely_pairs_ends_with_the_best(leaders, followers, tandas, ties):
    assert leaders * followers > SMALL
    chance = np.random.default_rng(leaders)
    scores = chance.uniform(41, 100, (leaders, followers))
    if ties:
        # Everybody wants the same few people: the likely pairs are far from enough.
        scores = np.round(scores / 20) * 10 + chance.integers(0, 2, followers) * 40.0
    chosen = fold(scores, np.ones(scores.shape, dtype=bool), tandas)
    assert scores[chosen].sum() == pytest.approx(whole(scores, tandas))


def test_a_large_table_of_equals():
    scores = np.full((80, 80), 70.0)
    chosen = fold(scores, np.ones(scores.shape, dtype=bool), 5)
    assert (chosen.sum(axis=0) == 5).all()
    assert (chosen.sum(axis=1) == 5).all()


def test_a_large_table_in_which_few_can_dance_with_whom_they_would_not_name_first():
    # The first ten leaders can dance with the last three followers only, who are everybody else's favourites.
    able = np.ones((70, 70), dtype=bool)
    able[:10, :67] = False
    scores = np.where(np.arange(70) >= 67, 99.0, 50.0) + np.zeros((70, 1))
    chosen = fold(scores, able, 3)
    # Nine dances for those ten, as even as can be; the others have 67 followers of their own.
    assert sorted(chosen[:10].sum(axis=1)) == [0] + [1] * 9
    assert (chosen[10:].sum(axis=1) == 3).all()
