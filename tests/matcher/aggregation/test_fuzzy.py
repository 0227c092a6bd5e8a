from __future__ import annotations

from itertools import chain, combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mrblue_cli.core.errors import UsageError
from mrblue_cli.matcher.aggregation import fuzzy, means
from mrblue_cli.matcher.aggregation.shares import shares
from tests.matcher.aggregation.tables import tables

few = settings(max_examples=20)


def groups(m):
    return chain.from_iterable(combinations(range(m), size) for size in range(m + 1))


def weighs(group, m, **parameters):
    """The measure of a group: the Choquet integral of 100 inside and 0 outside."""
    return fuzzy.choquet([100.0 * (i in group) for i in range(m)], **parameters) / 100


@pytest.mark.parametrize("synergy", [-1.0, -0.3, 0.0, 0.5, 1.0])
def test_a_larger_group_never_weighs_less_and_everything_weighs_one(synergy):
    weights = [0.4, 0.3, 0.2, 0.1]
    table = {frozenset(group): weighs(group, 4, weights=weights, synergy=synergy) for group in groups(4)}
    assert table[frozenset()] == 0.0
    assert table[frozenset(range(4))] == pytest.approx(1.0)
    for small, weight in table.items():
        for large, more in table.items():
            if small < large:
                assert weight <= more + 1e-12


def test_weights_are_shapley_values():
    weights = [0.5, 0.3, 0.2]
    table = {frozenset(group): weighs(group, 3, weights=weights, synergy=0.8) for group in groups(3)}
    for i, weight in enumerate(weights):
        rest = [j for j in range(3) if j != i]
        # A group of size s stands before i in s! (2 - s)! of the 3! orders.
        value = sum(
            (1, 0.5, 1)[len(group)] / 3 * (table[frozenset({*group, i})] - table[frozenset(group)])
            for size in range(3)
            for group in combinations(rest, size)
        )
        assert value == pytest.approx(weight)


@few
@given(table=tables(min_rows=1), synergy=st.sampled_from((-1.0, -0.4, 0.0, 0.7, 1.0)))
def test_choquet_of_any_synergy_in_both_forms(table, synergy):
    matrix, weights = table
    fast = fuzzy.choquet_fast(matrix, weights, synergy=synergy)
    plain = [fuzzy.choquet(row, weights.tolist(), synergy=synergy) for row in matrix.tolist()]
    assert fast == pytest.approx(plain, abs=1e-9)
    if synergy == 0.0:
        assert fast == pytest.approx(means.mean_fast(matrix, weights), abs=1e-9)
    if synergy == 1.0:
        assert fast == pytest.approx(means.owa_fast(matrix, weights, exponent=2.0), abs=1e-9)


@few
@given(table=tables(min_rows=1), part=st.floats(-1, 1))
def test_interactions_of_ones_own_in_both_forms(table, part):
    matrix, weights = table
    given_shares = shares(weights)
    m = len(given_shares)
    pairs = [[0.0] * m for _ in range(m)]
    if m > 1:
        # The first two criteria interact as much as the lighter one of them bears.
        pairs[0][1] = pairs[1][0] = 2 * part * min(given_shares[:2])
    fast = fuzzy.choquet_fast(matrix, weights, interactions=pairs)
    plain = [fuzzy.choquet(row, weights.tolist(), interactions=pairs) for row in matrix.tolist()]
    assert fast == pytest.approx(plain, abs=1e-9)


def test_choquet_refuses_measures_under_which_more_is_less():
    for form in (
        lambda **rest: fuzzy.choquet((50.0, 60.0), (0.5, 0.5), **rest),
        lambda **rest: fuzzy.choquet_fast(np.array([[50.0, 60.0]]), np.array([0.5, 0.5]), **rest),
    ):
        with pytest.raises(UsageError, match="outweigh"):
            form(interactions=((0.0, 1.1), (1.1, 0.0)))
        with pytest.raises(UsageError, match="direction"):
            form(interactions=((0.0, 0.4), (0.5, 0.0)))
        with pytest.raises(UsageError, match="synergy"):
            form(synergy=1.5)


@few
@given(table=tables(min_rows=1), coupling=st.sampled_from((-0.9, 0.0, 0.5, 3.0)))
def test_sugeno_is_the_largest_score_reached_by_that_much_weight(table, coupling):
    matrix, weights = table
    part = shares(weights)
    found = fuzzy.sugeno_fast(matrix, weights, coupling=coupling)
    plain = [fuzzy.sugeno(row, weights.tolist(), coupling=coupling) for row in matrix.tolist()]
    assert found == pytest.approx(plain, abs=1e-9)

    def within(row, group):
        least = min(row[i] for i in group)
        reached = sum(share for share, score in zip(part, row, strict=True) if score >= least)
        return min(least, 100 * (((1 + coupling) ** reached - 1) / coupling if coupling else reached))

    for row, value in zip(matrix.tolist(), found.tolist(), strict=True):
        # Over all groups, not only those that a sort gives.
        best = max(within(row, group) for group in groups(len(row)) if group)
        assert value == pytest.approx(best, abs=1e-7)


@pytest.mark.parametrize("coupling", [-1.0, -2.0, float("nan"), float("inf")])
def test_sugeno_refuses_couplings_without_a_measure(coupling):
    with pytest.raises(UsageError, match="coupling"):
        fuzzy.sugeno((50.0,), (1.0,), coupling=coupling)
    with pytest.raises(UsageError, match="coupling"):
        fuzzy.sugeno_fast(np.array([[50.0]]), np.ones(1), coupling=coupling)
