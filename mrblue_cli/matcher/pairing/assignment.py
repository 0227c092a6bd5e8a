"""The largest total between leaders and followers. PURE.

Every score is 0 or more, so an extra pair never lowers a total; two who cannot dance are never paired, and of equal
totals the one with more pairs is taken.
"""

from __future__ import annotations

import numpy as np

from mrblue_cli.matcher.columns import Floats, Ints
from mrblue_cli.matcher.pairing.base import Floor, Matching, matching
from mrblue_cli.matcher.pairing.plain import best, between, exact_total
from mrblue_cli.matcher.pairing.sides import table
from mrblue_cli.matcher.registry import Entry, Example


def total_plain(floor: Floor, *, seed: int = 0) -> Matching:  # noqa: ARG001 - no chance here; one signature for all
    """Every pairing tried. Up to 12 people."""
    floor.sides()
    return matching(best(floor, lambda pairs: (exact_total(floor, pairs), len(pairs))))


def total(floor: Floor, *, seed: int = 0) -> Matching:  # noqa: ARG001 - as above
    """By shortest augmenting paths (Jonker & Volgenant 1987, as scipy has them): 500 by 500 at once."""
    from scipy.optimize import linear_sum_assignment

    sides = table(floor)
    _, columns = linear_sum_assignment(sides.square(), maximize=True)
    return matching(sides.pairs(columns))


def hungarian_plain(floor: Floor, *, seed: int = 0) -> Matching:  # noqa: ARG001 - as above
    """Kuhn's method in plain loops: prices on both sides, and one cheapest augmenting path for each leader."""
    sides = table(floor)
    worth = sides.square()
    return matching(sides.pairs(np.array(_cheapest((-worth).tolist()), dtype=np.int64)))


def hungarian(floor: Floor, *, seed: int = 0) -> Matching:  # noqa: ARG001 - as above
    """The same, a row at a time: 300 by 300 in about a second, more where many scores are equal."""
    sides = table(floor)
    return matching(sides.pairs(cheapest(-sides.square())))


def _cheapest(cost: list[list[float]]) -> list[int]:
    """The column of each row in a full assignment of least cost."""
    size = len(cost)
    row_price, column_price = [0.0] * size, [0.0] * size
    column_of, row_of = [-1] * size, [-1] * size
    for row in range(size):
        # Reduced costs are never negative, so the nearest free column is found as Dijkstra finds it.
        distance = [cost[row][column] - row_price[row] - column_price[column] for column in range(size)]
        via = [row] * size
        settled: list[int] = []
        while True:
            column = min((c for c in range(size) if c not in settled), key=distance.__getitem__)
            owner = row_of[column]
            if owner < 0:
                break
            settled.append(column)
            for other in range(size):
                far = distance[column] + cost[owner][other] - row_price[owner] - column_price[other]
                if other not in settled and far < distance[other]:
                    distance[other], via[other] = far, owner
        reach = distance[column]
        row_price[row] += reach
        for passed in settled:
            row_price[row_of[passed]] += reach - distance[passed]
            column_price[passed] -= reach - distance[passed]
        _flip(row, column, via, column_of, row_of)
    return column_of


def cheapest(cost: Floats) -> Ints:
    """[N] the column of each row in a full assignment of the square `cost` of least sum."""
    size = len(cost)
    row_price, column_price = np.zeros(size), np.zeros(size)
    column_of, row_of = [-1] * size, [-1] * size
    for row in range(size):
        distance = cost[row] - row_price[row] - column_price
        via = np.full(size, row)
        is_open = np.ones(size, dtype=np.bool_)
        settled: list[int] = []
        while True:
            column = int(np.argmin(np.where(is_open, distance, np.inf)))
            owner = row_of[column]
            if owner < 0:
                break
            settled.append(column)
            is_open[column] = False
            far = distance[column] + cost[owner] - row_price[owner] - column_price
            nearer = is_open & (far < distance)
            distance[nearer], via[nearer] = far[nearer], owner
        gain = distance[column] - distance[settled]
        row_price[row] += distance[column]
        row_price[[row_of[passed] for passed in settled]] += gain
        column_price[settled] -= gain
        _flip(row, column, via.tolist(), column_of, row_of)
    return np.array(column_of, dtype=np.int64)


def _flip(row: int, column: int, via: list[int], column_of: list[int], row_of: list[int]) -> None:
    """Exchanges the columns along the path that ends in a free one."""
    while True:
        owner = via[column]
        left = column_of[owner]
        column_of[owner], row_of[column] = column, owner
        if owner == row:
            return
        column = left


_CROSSED = between([[90, 80], [80, 10]])
_WIDE = between([[50, 60, 70], [90, None, 80]])
EXAMPLES = (
    Example(
        given={"floor": _CROSSED},
        expected=matching([(0, 3), (1, 2)]),
        note="80 + 80 = 160, against 90 + 10 = 100",
    ),
    Example(
        given={"floor": between([[100, 60], [60, 30]])}, expected=matching([(0, 2), (1, 3)]), note="130 against 120"
    ),
    Example(given={"floor": _WIDE}, expected=matching([(0, 4), (1, 2)]), note="70 + 90 = 160; b2 sits out"),
)
ENTRIES: tuple[Entry, ...] = (
    Entry(
        name="pair.total",
        words="the largest total of scores between leaders and followers (default)",
        formula="max sum of s(pair); of equal totals more pairs",
        source="Jonker & Volgenant 1987",
        scalar=total_plain,
        fast=total,
        examples=EXAMPLES,
    ),
    Entry(
        name="pair.hungarian",
        words="the same optimum by the Hungarian method, written to be read",
        formula="max sum of s(pair), by prices u(leader) + v(follower) >= s(pair), equal on every pair made",
        source="Kuhn 1955",
        scalar=hungarian_plain,
        fast=hungarian,
        examples=EXAMPLES,
    ),
)
