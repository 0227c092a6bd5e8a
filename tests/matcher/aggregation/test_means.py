from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mrblue_cli.core.errors import UsageError
from mrblue_cli.matcher.aggregation import means
from tests.matcher.aggregation.tables import tables

few = settings(max_examples=20)


@few
@given(table=tables(min_rows=1), p=st.sampled_from((-60.0, -3.0, -1.0, -0.25, 0.0, 0.5, 1.0, 2.0, 60.0)))
def test_power_means_of_any_p_in_both_forms(table, p):
    matrix, weights = table
    fast = means.power_fast(matrix, weights, p=p)
    assert fast == pytest.approx([means.power(row, weights.tolist(), p=p) for row in matrix.tolist()], abs=1e-9)


@few
@given(table=tables(min_rows=1))
def test_power_means_rise_with_p(table):
    matrix, weights = table
    steps = [means.power_fast(matrix, weights, p=p) for p in (-50, -1, 0, 1, 3, 50)]
    for lower, higher in pairwise(steps):
        assert (lower <= higher + 1e-7).all()
    assert means.power_fast(matrix, weights, p=1.0) == pytest.approx(means.mean_fast(matrix, weights))
    assert means.power_fast(matrix, weights, p=0.0) == pytest.approx(means.geometric_fast(matrix, weights))


def test_power_by_hand():
    # Quadratic mean of 30 and 40: sqrt((900 + 1600) / 2).
    assert means.power((30, 40), (1, 1), p=2) == pytest.approx(math.sqrt(1250))
    assert means.power((0.0, 100.0), (0.01, 0.99)) == 0.0
    assert means.power((0.0, 100.0), (0.5, 0.5), p=1) == 50.0
    assert means.power((1e-300, 100.0), (0.5, 0.5), p=-20) < 1e-290


@pytest.mark.parametrize("p", [math.inf, -math.inf, math.nan])
def test_power_of_no_number_is_refused(p):
    with pytest.raises(UsageError, match="power mean"):
        means.power((50.0,), (1.0,), p=p)
    with pytest.raises(UsageError, match="power mean"):
        means.power_fast(np.array([[50.0]]), np.ones(1), p=p)


def test_one_zero_ruins_a_geometric_mean_only_if_it_counts():
    table = np.array([[0.0, 100.0, 100.0]])
    assert means.geometric_fast(table, np.array([0.01, 0.5, 0.49])).tolist() == [0.0]
    assert means.geometric_fast(table, np.array([0.0, 0.5, 0.5])) == pytest.approx([100.0])


@few
@given(table=tables(min_rows=1))
def test_the_worst_criterion_is_below_every_mean(table):
    matrix, weights = table
    for mean in (means.mean_fast, means.geometric_fast, means.power_fast, means.owa_fast):
        assert (means.worst_fast(matrix, weights) <= mean(matrix, weights) + 1e-9).all()


def owa_by_points(row, weights, exponent):
    """The mean of what fraction r of the weight reaches, r drawn evenly, seen through r^exponent: by small steps."""
    steps = 20_000
    ranked = sorted(zip(row, weights, strict=True), reverse=True)
    edges = np.cumsum([weight for _, weight in ranked]) / sum(weights)
    middle = (np.arange(steps) + 0.5) / steps
    values = np.array([score for score, _ in ranked])[np.minimum(np.searchsorted(edges, middle), len(row) - 1)]
    return float((values * exponent * middle ** (exponent - 1)).mean())


@pytest.mark.parametrize("exponent", [1.0, 2.0, 3.5])
def test_owa_against_small_steps(exponent):
    row, weights = [70.0, 100.0, 20.0, 55.0], [0.1, 0.4, 0.3, 0.2]
    assert means.owa(row, weights, exponent=exponent) == pytest.approx(owa_by_points(row, weights, exponent), abs=0.05)


@few
@given(table=tables(min_rows=1), exponent=st.sampled_from((0.5, 1.0, 2.0, 5.0)))
def test_owa_of_any_exponent_in_both_forms(table, exponent):
    matrix, weights = table
    fast = means.owa_fast(matrix, weights, exponent=exponent)
    assert fast == pytest.approx(
        [means.owa(row, weights.tolist(), exponent=exponent) for row in matrix.tolist()], abs=1e-9
    )
    if exponent == 1.0:
        assert fast == pytest.approx(means.mean_fast(matrix, weights), abs=1e-9)


@pytest.mark.parametrize("exponent", [0.0, -1.0, math.inf, math.nan])
def test_owa_of_a_bad_exponent_is_refused(exponent):
    with pytest.raises(UsageError, match="exponent"):
        means.owa((50.0,), (1.0,), exponent=exponent)
    with pytest.raises(UsageError, match="exponent"):
        means.owa_fast(np.array([[50.0]]), np.ones(1), exponent=exponent)
