"""Comparing everybody in blocks: blocks of any size give the same."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mrblue_cli.matcher.recipe import make_recipe
from mrblue_cli.matcher.topk import scan
from mrblue_cli.matcher.topk.scan import Scan
from tests.matcher.topk.crowds import crowd


def test_blocks_of_rows_and_of_columns(monkeypatch):
    community, recipe = crowd(90, seed=9), make_recipe({"wishes": 0.2})
    rows = np.arange(90, dtype=np.int64)
    whole = Scan(community, recipe).find(rows, 6)
    for pairs in (1, 7, 90, 1000):
        # The size of a block is the only thing that a smaller community cannot stand in for.
        monkeypatch.setattr(scan, "_PAIRS", pairs)
        found = Scan(community, recipe).find(rows, 6)
        np.testing.assert_array_equal(found.rows, whole.rows)
        np.testing.assert_array_equal(found.scores, whole.scores)


items = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 9), st.sampled_from((50.0, 60.0, 70.0))), unique=True)


@given(items, st.integers(1, 4))
def test_the_best_of_each_owner(items, k):
    owner, right, values = (np.array([item[column] for item in items]) for column in range(3))
    found = scan._best(owner.astype(np.int64), right.astype(np.int64), values.astype(np.float64), k)
    expected = []
    for one in range(4):
        mine = sorted((-value, other) for who, other, value in items if who == one)[:k]
        expected += [(one, other, -value) for value, other in mine]
    assert list(zip(*(column.tolist() for column in found), strict=True)) == expected
