from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mrblue_cli.core.errors import UsageError
from mrblue_cli.matcher.aggregation import ideals
from tests.matcher.aggregation.tables import tables

few = settings(max_examples=20)


def test_topsis_by_hand():
    # Columns (3, 4, 0) and (4, 3, 12) are 5 and 13 long; weights 1/2. Row 0: 1/10 and 8/26 short of the best.
    found = ideals.topsis([[3, 4], [4, 3], [0, 12]], [1, 1])
    short = math.hypot(0.5 * 1 / 5, 0.5 * 8 / 13), math.hypot(0, 0.5 * 9 / 13), math.hypot(0.5 * 4 / 5, 0)
    ahead = math.hypot(0.5 * 3 / 5, 0.5 * 1 / 13), math.hypot(0.5 * 4 / 5, 0), math.hypot(0, 0.5 * 9 / 13)
    assert found == pytest.approx([100 * a / (a + s) for a, s in zip(ahead, short, strict=True)])


@few
@given(table=tables(min_rows=1), scale=st.floats(0.01, 1))
def test_topsis_does_not_mind_the_unit_of_a_criterion(table, scale):
    matrix, weights = table
    scaled = matrix.copy()
    scaled[:, 0] *= scale
    assert ideals.topsis_fast(scaled, weights) == pytest.approx(ideals.topsis_fast(matrix, weights), abs=1e-6)


@few
@given(table=tables(min_rows=2))
def test_topsis_gives_the_ideal_all_and_the_anti_ideal_nothing(table):
    matrix, weights = table
    matrix[0], matrix[1] = 100.0, 0.0
    found = ideals.topsis_fast(matrix, weights)
    assert found[:2] == pytest.approx([100.0, 0.0])


def test_tiny_scores_do_not_vanish():
    table = np.array([[3e-200, 0.0], [0.0, 4e-200], [3e-200, 4e-200]])
    assert ideals.topsis_fast(table, np.ones(2)) == pytest.approx([50.0, 50.0, 100.0])
    assert ideals.topsis(table.tolist(), [1, 1]) == pytest.approx([50.0, 50.0, 100.0])


@few
@given(table=tables(min_rows=1), group=st.sampled_from((0.0, 0.25, 0.5, 1.0)))
def test_vikor_of_any_mix_in_both_forms(table, group):
    matrix, weights = table
    fast = ideals.vikor_fast(matrix, weights, group=group)
    assert fast == pytest.approx(ideals.vikor(matrix.tolist(), weights.tolist(), group=group), abs=1e-9)


def test_vikor_weighs_the_sum_against_the_worst_regret():
    # Row 0 is best in sum, row 1 has the least regret; row 2 is worst in both.
    table, weights = [[100.0, 40.0], [60.0, 60.0], [0.0, 100.0]], [0.6, 0.4]
    lost = [0.4 * 60 / 60, 0.6 * 40 / 100 + 0.4 * 40 / 60, 0.6]
    regret = [0.4, 0.4 * 40 / 60, 0.6]
    assert lost == pytest.approx([0.4, 0.50667, 0.6], abs=1e-5)
    by_sum = [100 * (1 - (one - 0.4) / 0.2) for one in lost]
    by_regret = [100 * (1 - (one - regret[1]) / (0.6 - regret[1])) for one in regret]
    assert ideals.vikor(table, weights, group=1.0) == pytest.approx(by_sum)
    assert ideals.vikor(table, weights, group=0.0) == pytest.approx(by_regret)
    both = [(one + other) / 2 for one, other in zip(by_sum, by_regret, strict=True)]
    assert ideals.vikor(table, weights) == pytest.approx(both)


@pytest.mark.parametrize("group", [-0.1, 1.1, math.nan])
def test_vikor_refuses_a_share_that_is_none(group):
    with pytest.raises(UsageError, match="group"):
        ideals.vikor([[1.0]], [1.0], group=group)
    with pytest.raises(UsageError, match="group"):
        ideals.vikor_fast(np.ones((1, 1)), np.ones(1), group=group)
