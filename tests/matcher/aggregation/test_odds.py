from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mrblue_cli.core.errors import UsageError
from mrblue_cli.matcher.aggregation import odds
from tests.matcher.aggregation.tables import tables

few = settings(max_examples=20)
chances = st.floats(0.01, 0.99)


@few
@given(table=tables(min_rows=1), m=chances, u=chances, prior=chances)
def test_evidence_of_any_chances_in_both_forms(table, m, u, prior):
    matrix, weights = table
    each = [m] * len(weights)
    fast = odds.logodds_fast(matrix, weights, m=each, u=u, prior=prior)
    plain = [odds.logodds(row, weights.tolist(), m=m, u=u, prior=prior) for row in matrix.tolist()]
    assert fast == pytest.approx(plain, abs=1e-9)


def test_evidence_is_bayes_rule_for_plain_agreement():
    # Agree in the first, differ in the second, agree in the third; a quarter of all pairs suit.
    m, u, prior = (0.9, 0.8, 0.6), (0.3, 0.4, 0.5), 0.25
    suits, not_suits = prior * 0.9 * 0.2 * 0.6, (1 - prior) * 0.3 * 0.6 * 0.5
    found = odds.logodds((100, 0, 100), (1, 1, 1), m=m, u=u, prior=prior)
    assert found == pytest.approx(100 * suits / (suits + not_suits))


def test_an_unknown_criterion_speaks_neither_for_nor_against():
    assert odds.logodds((100, 50), (1, 1)) == pytest.approx(odds.logodds((100,), (1,)))
    assert odds.logodds((0, 50, 50), (1, 1, 1)) == pytest.approx(25.0)


@pytest.mark.parametrize("bad", [{"m": 0.0}, {"u": 1.0}, {"prior": 0.0}, {"m": (0.5, 1.2)}, {"u": math.nan}])
def test_chances_that_are_none_are_refused(bad):
    with pytest.raises(UsageError, match="logodds"):
        odds.logodds((50.0, 50.0), (1, 1), **bad)
    with pytest.raises(UsageError, match="logodds"):
        odds.logodds_fast(np.full((1, 2), 50.0), np.ones(2), **bad)


def test_a_chance_for_each_criterion_or_one_for_all():
    with pytest.raises(UsageError, match="2 criteria"):
        odds.logodds((50.0, 50.0), (1, 1), m=(0.5, 0.6, 0.7))


def history(size=400, seed=3):
    """Pairs of three criteria; who danced was decided by the second, not by the first."""
    rng = np.random.default_rng(seed)
    matrix = rng.uniform(0, 100, (size, 3))
    danced = rng.random(size) < 1 / (1 + np.exp(-(matrix[:, 1] / 100 * 8 - 5)))
    return matrix, danced


WEIGHTS = np.array([0.6, 0.2, 0.2])


def test_learning_finds_what_people_went_by():
    matrix, danced = history()
    learnt = odds.learn(matrix, danced, WEIGHTS)
    assert learnt.coefficients[1] > 5
    assert abs(learnt.coefficients[0]) < 2
    found = odds.logit_fast(matrix, WEIGHTS, learnt=learnt)
    before = odds.logit_fast(matrix, WEIGHTS)
    assert found[danced].mean() - found[~danced].mean() > 30 > before[danced].mean() - before[~danced].mean()
    plain = [odds.logit(row, WEIGHTS.tolist(), learnt=learnt) for row in matrix.tolist()]
    assert found == pytest.approx(plain, abs=1e-9)


def test_learning_ends_at_the_bottom_of_its_valley():
    matrix, danced = history(60, 4)
    learnt = odds.learn(matrix, danced, WEIGHTS, ridge=0.5)
    start = np.array([-3.0, 3.6, 1.2, 1.2])
    count = np.where(danced, 1.0, danced.sum() / (~danced).sum())

    def height(beta):
        z = beta[0] + matrix / 100 @ beta[1:]
        return (count * np.logaddexp(0, np.where(danced, -z, z))).sum() + 0.25 * ((beta - start) ** 2).sum()

    bottom = np.array([learnt.intercept, *learnt.coefficients])
    for step in np.concatenate((np.eye(4), -np.eye(4))) * 1e-3:
        assert height(bottom + step) > height(bottom)


def test_learning_is_the_same_whatever_comes_first_and_without_chance():
    matrix, danced = history()
    order = np.random.default_rng(1).permutation(len(matrix))
    one, other = odds.learn(matrix, danced, WEIGHTS), odds.learn(matrix[order], danced[order], WEIGHTS)
    assert other.coefficients == pytest.approx(one.coefficients, abs=1e-9)
    assert odds.learn(matrix, danced, WEIGHTS) == one


def test_the_fewer_dances_the_nearer_to_the_given_weights():
    matrix, danced = history()
    prior = np.array(odds.beforehand(WEIGHTS).coefficients)
    gaps = []
    for many in (2, 20, 200):
        some = danced & (np.cumsum(danced) <= many)
        gaps.append(np.abs(np.array(odds.learn(matrix, some, WEIGHTS).coefficients) - prior).max())
    assert gaps == sorted(gaps)
    assert odds.learn(matrix, danced, WEIGHTS, ridge=1e9).coefficients == pytest.approx(prior, abs=1e-5)


def test_nothing_to_learn_from_leaves_the_given_weights():
    matrix, _ = history()
    for danced in (np.zeros(len(matrix), dtype=bool), np.ones(len(matrix), dtype=bool)):
        assert odds.learn(matrix, danced, WEIGHTS) == odds.beforehand(WEIGHTS)
    assert odds.learn(np.zeros((0, 3)), np.zeros(0, dtype=bool), WEIGHTS) == odds.beforehand(WEIGHTS)


def test_a_criterion_without_weight_is_not_learnt():
    matrix, danced = history()
    assert odds.learn(matrix, danced, np.array([0.5, 0.0, 0.5])).coefficients[1] == 0.0


def test_groups_that_fall_apart_completely_still_have_an_answer():
    matrix = np.array([[0.0], [10.0], [90.0], [100.0]])
    learnt = odds.learn(matrix, np.array([False, False, True, True]), np.ones(1), ridge=1e-6)
    found = odds.logit_fast(matrix, np.ones(1), learnt=learnt)
    assert np.isfinite(found).all()
    assert found[0] < 1
    assert found[3] > 99
