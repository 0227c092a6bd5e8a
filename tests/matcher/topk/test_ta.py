"""The threshold algorithm: as right as comparing everybody, and scoring fewer."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from mrblue_cli.matcher import registry
from mrblue_cli.matcher.recipe import make_recipe
from mrblue_cli.matcher.topk import ta
from mrblue_cli.matcher.topk.methods import plain
from mrblue_cli.matcher.topk.scan import Scan
from tests.matcher.strategies import communities
from tests.matcher.topk.crowds import crowd

WEIGHTS = np.array([0.5, 0.3, 0.2])


tables = st.lists(st.lists(st.sampled_from((0.0, 50.0, 70.0, 100.0)), min_size=3, max_size=3), max_size=30)


@given(tables, st.integers(1, 6))
def test_the_best_of_a_table(values, k):
    table = np.array(values).reshape(-1, 3)
    best, scores, scored = ta.read(table, WEIGHTS, k)
    full = [sum(weight * value for weight, value in zip(WEIGHTS.tolist(), row, strict=True)) for row in table.tolist()]
    expected = sorted(range(len(full)), key=lambda number: (-full[number], number))[:k]
    assert best.tolist() == expected
    assert scores.tolist() == [full[number] for number in expected]
    assert min(k, len(table)) <= scored <= len(table)


def test_a_clear_winner_ends_it_soon():
    table = np.vstack([[100.0, 100.0, 100.0], np.random.default_rng(1).random((5000, 3)) * 90])
    best, scores, scored = ta.read(table, WEIGHTS, 1)
    assert (best.tolist(), scores.tolist()) == ([0], [100.0])
    assert scored < 10


def test_a_tie_at_the_threshold_is_no_reason_to_stop():
    """The third has the score of the first two and a smaller number than what is read first in no list."""
    table = np.array([[60.0, 60.0, 60.0], [60.0, 60.0, 60.0], [60.0, 60.0, 60.0]])
    assert ta.read(table, WEIGHTS, 1)[0].tolist() == [0]
    assert ta.read(table[:, :1], np.array([1.0]), 2)[0].tolist() == [0, 1]


def test_nobody():
    best, scores, scored = ta.read(np.zeros((0, 3)), WEIGHTS, 4)
    assert (len(best), len(scores), scored) == (0, 0, 0)


@settings(max_examples=40)
@given(communities(0, 8), st.sampled_from(({}, {"music": 0.3})), st.booleans(), st.integers(1, 9))
def test_everybodys_best(community, weights, strict, k):
    recipe = make_recipe(weights, strict=strict)
    rows = np.arange(len(community), dtype=np.int64)
    found, expected = registry.find("top.ta").fast(community, recipe, rows, k), plain(community, recipe, rows, k)
    np.testing.assert_allclose(found.scores, expected.scores, rtol=0, atol=1e-9)
    np.testing.assert_array_equal(found.rows, expected.rows)


def test_it_reads_the_same_as_arrays_do():
    community, recipe = crowd(300, seed=6), make_recipe({"music": 0.1})
    rows = np.arange(0, 300, 5, dtype=np.int64)
    found, expected = ta.threshold(community, recipe, rows, 7), Scan(community, recipe).find(rows, 7)
    np.testing.assert_array_equal(found.rows, expected.rows)
    np.testing.assert_array_equal(found.scores, expected.scores)


def test_a_recipe_that_is_no_plain_mean_is_compared_in_full():
    community = crowd(40, seed=7)
    rows = np.arange(40, dtype=np.int64)
    for recipe in (make_recipe(aggregate="agg.min"), make_recipe(missing="drop")):
        assert not ta.serves(recipe)
        found = registry.find("top.ta").fast(community, recipe, rows, 3)
        np.testing.assert_array_equal(found.rows, Scan(community, recipe).find(rows, 3).rows)
