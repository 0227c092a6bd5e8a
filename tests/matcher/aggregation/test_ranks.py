from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mrblue_cli.core.errors import UsageError
from mrblue_cli.matcher.aggregation import ranks
from tests.matcher.aggregation.tables import tables

few = settings(max_examples=20)
FORMS = pytest.mark.parametrize("form", ["plain", "fast"])


def call(name, form, rows, weights, **parameters):
    if form == "plain":
        return getattr(ranks, name)(rows, weights, **parameters)
    return getattr(ranks, f"{name}_fast")(np.array(rows, dtype=np.float64), np.array(weights), **parameters).tolist()


@few
@given(table=tables(min_rows=2), thresholds=st.sampled_from(((0.0, 1.0), (0.0, 50.0), (5.0, 30.0), (10.0, 10.5))))
def test_promethee_of_any_thresholds_in_both_forms(table, thresholds):
    matrix, weights = table
    rest = dict(zip(("indifference", "preference"), thresholds, strict=True))
    fast = ranks.promethee_fast(matrix, weights, **rest)
    assert fast == pytest.approx(ranks.promethee(matrix.tolist(), weights.tolist(), **rest), abs=1e-9)
    # What one gains the others lose: flows sum to 0.
    assert fast.mean() == pytest.approx(50.0)


@FORMS
def test_promethee_does_not_see_small_differences(form):
    # 84 is preferred to 76 by 3 of 25 points, to 80 not at all.
    assert call("promethee", form, [[80.0], [84.0], [76.0]], [1.0]) == pytest.approx([50.0, 53.0, 47.0])
    assert call("promethee", form, [[0.0], [100.0]], [1.0]) == pytest.approx([0.0, 100.0])


@pytest.mark.parametrize("thresholds", [(30.0, 30.0), (-1.0, 30.0), (40.0, 30.0), (math.nan, 30.0)])
@FORMS
def test_promethee_refuses_thresholds_out_of_order(form, thresholds):
    with pytest.raises(UsageError, match="indifferent"):
        call("promethee", form, [[1.0]], [1.0], indifference=thresholds[0], preference=thresholds[1])


@FORMS
def test_the_weightiest_criterion_decides_alone(form):
    rows = [[10.0, 60.0, 100.0], [90.0, 60.0, 0.0], [100.0, 59.9, 100.0], [10.0, 60.0, 100.0]]
    # Second first (weight 5), then first (weight 3), then third.
    assert call("lexicographic", form, rows, [3.0, 5.0, 1.0]) == pytest.approx([50.0, 100.0, 0.0, 50.0])
    # Equal weights: in their order.
    assert call("lexicographic", form, rows, [1.0, 1.0, 1.0]) == pytest.approx([50 / 3, 200 / 3, 100.0, 50 / 3])


@few
@given(table=tables(min_rows=2))
def test_scores_by_lexicographic_order_are_in_that_order(table):
    matrix, weights = table
    order = sorted((i for i in range(len(weights)) if weights[i] > 0 or not weights.any()), key=lambda i: -weights[i])
    keys = [tuple(row[order]) for row in matrix]
    found = ranks.lexicographic_fast(matrix, weights)
    for one, key in zip(found, keys, strict=True):
        for other, rival in zip(found, keys, strict=True):
            assert (key > rival) == (one > other)


@few
@given(table=tables(min_rows=2))
def test_borda_counts_beaten_rivals(table):
    matrix, weights = table
    found = ranks.borda_fast(matrix, weights)
    assert found.mean() == pytest.approx(50.0)
    if len(matrix) == 2 and len(weights) == 1:
        assert found[0] == (100.0 if matrix[0, 0] > matrix[1, 0] else 50.0 if matrix[0, 0] == matrix[1, 0] else 0.0)


@FORMS
def test_borda_ignores_by_how_much_promethee_does_not(form):
    near, far = [[90.0], [52.0], [50.0]], [[90.0], [88.0], [50.0]]
    assert call("borda", form, near, [1.0]) == call("borda", form, far, [1.0]) == [100.0, 50.0, 0.0]
    assert call("promethee", form, near, [1.0])[1] < call("promethee", form, far, [1.0])[1]


@FORMS
def test_reciprocal_ranks_by_hand(form):
    # Two lists of three: first and second place, as with the source's k of 60.
    rows = [[9.0, 8.0], [8.0, 9.0], [1.0, 1.0]]
    first_and_second = 100 * 61 * (0.5 / 61 + 0.5 / 62)
    assert call("rrf", form, rows, [1.0, 1.0]) == pytest.approx([first_and_second, first_and_second, 100 * 61 / 63])
    assert call("rrf", form, rows, [1.0, 0.0], k=0.0) == pytest.approx([100.0, 50.0, 100 / 3])


@FORMS
@pytest.mark.parametrize("k", [-1.0, math.nan])
def test_reciprocal_ranks_of_a_negative_constant_are_refused(form, k):
    with pytest.raises(UsageError, match="rrf"):
        call("rrf", form, [[1.0]], [1.0], k=k)
