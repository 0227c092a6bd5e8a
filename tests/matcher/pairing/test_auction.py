"""Bids in whole numbers, from coarse to fine."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mrblue_cli.matcher.pairing.auction import GRID, _phase, _phases, _units
from mrblue_cli.matcher.pairing.base import total
from mrblue_cli.matcher.pairing.methods import pair
from mrblue_cli.matcher.pairing.plain import between
from mrblue_cli.matcher.pairing.sides import table
from tests.matcher.pairing.floors import crowd, is_pairing


def test_increments_shrink_to_one_unit():
    assert _phases(np.array([[0]])) == [1]
    steps = _phases(np.array([[1000]]))
    assert steps[-1] == 1
    assert steps[0] >= 250
    assert all(coarse == 5 * fine for coarse, fine in itertools.pairwise(steps))


def test_one_unit_of_score_is_worth_more_than_all_pairs_together():
    sides = table(between([[50, 50 + GRID, None]] * 3))
    units = _units(sides)
    assert units.shape == (3, 3)
    assert (units[:, 2] == 0).all()
    # A bid of 1 per person adds up to less than what one pair more, or a millionth of a point, is worth.
    assert (units[:, 1] - units[:, 0] == 4 * 4).all()
    assert units[0, 0] % 16 == 4


@given(st.integers(1, 6).flatmap(lambda n: st.lists(st.integers(0, 30), min_size=n * n, max_size=n * n)))
@settings(max_examples=80)
def test_after_a_phase_nobody_would_gain_more_than_the_increment_elsewhere(numbers):
    size = int(len(numbers) ** 0.5)
    worth = np.array(numbers, dtype=np.int64).reshape(size, size)
    price = np.zeros(size, dtype=np.int64)
    for step in (9, 3, 1):
        columns, price = _phase(worth, price, step)
        assert sorted(columns.tolist()) == list(range(size))
        gain = worth - price
        assert (gain[np.arange(size), columns] >= gain.max(axis=1) - step).all()


@pytest.mark.parametrize("surplus", [(12, 3), (3, 12), (1, 9)])
def test_rivals_for_a_few_partners_do_not_bid_for_ever(surplus):
    # Equal scores for all: without coarse bids first, rivals would raise the price unit by unit.
    people = crowd(*surplus, grid=50.0)
    found = pair(people, "auction")
    assert is_pairing(people, found)
    assert len(found.pairs) == min(surplus)
    assert total(people, found.pairs) == pytest.approx(total(people, pair(people, "total").pairs))
