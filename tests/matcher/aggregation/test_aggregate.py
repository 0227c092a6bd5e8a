"""What all aggregations have in common, entry by entry."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mrblue_cli.matcher import registry
from tests.matcher.aggregation.tables import scores, tables

few = settings(max_examples=10)
ENTRIES = registry.family("agg")
POINTWISE = [entry for entry in ENTRIES if not entry.listwise]
LISTWISE = [entry for entry in ENTRIES if entry.listwise]
IDEMPOTENT = ("agg.mean", "agg.geo", "agg.power", "agg.min", "agg.owa", "agg.choquet", "agg.sugeno")
RISING = (*IDEMPOTENT, "agg.logodds", "agg.logit")
REFERENCE = {
    *("agg.mean", "agg.geo", "agg.power", "agg.min", "agg.owa", "agg.choquet", "agg.sugeno", "agg.topsis"),
    *("agg.vikor", "agg.promethee", "agg.lex", "agg.borda", "agg.rrf", "agg.logodds", "agg.logit"),
}
by_name = pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)


def plain(entry, matrix, weights, **parameters):
    """The scalar form over a whole table."""
    rows, given = matrix.tolist(), weights.tolist()
    if entry.listwise:
        return entry.scalar(rows, given, **parameters)
    return [entry.scalar(row, given, **parameters) for row in rows]


def test_the_family_is_that_of_the_reference():
    assert {entry.name for entry in ENTRIES} == REFERENCE
    assert [entry.name for entry in ENTRIES if entry.needs_history] == ["agg.logit"]


@by_name
def test_worked_examples(entry):
    assert entry.examples
    for example in entry.examples:
        assert entry.scalar(**example.given) == pytest.approx(example.expected, abs=0.005), example.note
        rest = {name: value for name, value in example.given.items() if name not in {"scores", "rows", "weights"}}
        table = np.array(example.given["rows"] if entry.listwise else [example.given["scores"]])
        expected = example.expected if entry.listwise else [example.expected]
        assert entry.fast(table, np.array(example.given["weights"]), **rest) == pytest.approx(expected, abs=0.005)


@by_name
@settings(max_examples=30)
@given(table=tables())
def test_the_fast_form_says_the_same_and_stays_on_the_scale(entry, table):
    matrix, weights = table
    fast = entry.fast(matrix, weights)
    assert fast.shape == (len(matrix),)
    assert fast.dtype == np.float64
    assert ((fast >= 0) & (fast <= 100)).all()
    assert fast == pytest.approx(plain(entry, matrix, weights), abs=1e-9)


@by_name
@few
@given(table=tables(min_rows=1), data=st.data())
def test_order_of_rows_and_of_criteria_does_not_matter(entry, table, data):
    matrix, weights = table
    order = data.draw(st.permutations(range(len(matrix))))
    assert entry.fast(matrix[order], weights) == pytest.approx(entry.fast(matrix, weights)[order], abs=1e-9)
    if entry.name != "agg.lex":  # criteria of equal weight stand in their order there
        columns = data.draw(st.permutations(range(len(weights))))
        turned = entry.fast(matrix[:, columns], weights[columns])
        assert turned == pytest.approx(entry.fast(matrix, weights), abs=1e-9)


@by_name
@few
@given(table=tables(min_rows=1), noise=st.floats(0, 100))
def test_a_criterion_without_weight_says_nothing(entry, table, noise):
    matrix, weights = table
    weights[0] = 1.0
    more = np.column_stack((matrix, np.linspace(0, noise, len(matrix))))
    assert entry.fast(more, np.append(weights, 0.0)) == pytest.approx(entry.fast(matrix, weights), abs=1e-9)


@by_name
@few
@given(table=tables(min_rows=1), scale=st.floats(0.01, 1000))
def test_weights_count_by_their_shares(entry, table, scale):
    matrix, weights = table
    assert entry.fast(matrix, weights * scale) == pytest.approx(entry.fast(matrix, weights), abs=1e-6)


@by_name
def test_all_weights_zero_means_equal_ones(entry):
    matrix = np.array([[90.0, 10.0], [50.0, 50.0], [20.0, 70.0]])
    assert entry.fast(matrix, np.zeros(2)) == pytest.approx(entry.fast(matrix, np.ones(2)))


@by_name
@few
@given(table=tables(min_rows=2))
def test_a_pair_that_is_nowhere_worse_never_scores_less(entry, table):
    matrix, weights = table
    matrix[0] = np.maximum(matrix[0], matrix[1])
    found = entry.fast(matrix, weights)
    assert found[0] >= found[1] - 1e-9


@pytest.mark.parametrize("entry", [entry for entry in POINTWISE if entry.name in RISING], ids=lambda entry: entry.name)
@few
@given(table=tables(min_rows=1, max_rows=1), data=st.data())
def test_a_better_criterion_never_lowers_the_score(entry, table, data):
    matrix, weights = table
    column = data.draw(st.integers(0, len(weights) - 1))
    better = matrix.copy()
    better[0, column] = max(matrix[0, column], data.draw(scores))
    assert entry.fast(better, weights)[0] >= entry.fast(matrix, weights)[0] - 1e-9


@pytest.mark.parametrize("entry", [e for e in POINTWISE if e.name in IDEMPOTENT], ids=lambda entry: entry.name)
@few
@given(table=tables(min_rows=1), same=scores)
def test_means_lie_between_the_worst_and_the_best(entry, table, same):
    matrix, weights = table
    weights = weights + 0.01
    found = entry.fast(matrix, weights)
    assert (found >= matrix.min(axis=1) - 1e-9).all()
    assert (found <= matrix.max(axis=1) + 1e-9).all()
    assert entry.fast(np.full_like(matrix, same), weights) == pytest.approx(np.full(len(matrix), same), abs=1e-9)


@pytest.mark.parametrize("entry", LISTWISE, ids=lambda entry: entry.name)
def test_nothing_to_compare_is_undecided(entry):
    weights = np.array([0.7, 0.3])
    assert entry.fast(np.zeros((0, 2)), weights).tolist() == []
    assert entry.scalar([], [0.7, 0.3]) == []
    alone = 100.0 if entry.name == "agg.rrf" else 50.0  # alone one is first by rank
    assert entry.fast(np.array([[90.0, 20.0]]), weights) == pytest.approx([alone])
    alike = entry.fast(np.full((3, 2), 70.0), weights)
    assert alike == pytest.approx(np.full(3, alone))


def test_two_thousand_peoples_pairs_need_no_table_of_pairs_by_pairs():
    matrix = np.random.default_rng(5).integers(0, 101, (100_000, 3)).astype(np.float64)
    weights = np.array([0.5, 0.3, 0.2])
    for entry in LISTWISE:
        found = entry.fast(matrix, weights)
        # 100,000 by 100,000 doubles would be 80 GB.
        assert len(found) == 100_000
        assert np.isfinite(found).all()
