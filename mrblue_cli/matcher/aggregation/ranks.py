"""Alternatives compared with each other, criterion by criterion. List-wise, PURE.

`scalar(rows, weights) -> list[float]`, `fast(matrix [n, m], weights [m]) -> [n]`, 0..100. Equal scores share their
ranks, so that order of input never matters. The fast forms sort each criterion: n log n time, a few arrays of n.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from mrblue_cli.core.errors import UsageError
from mrblue_cli.matcher.aggregation.shares import UNDECIDED, bounded, bounded_fast, counted, shares
from mrblue_cli.matcher.columns import Floats
from mrblue_cli.matcher.registry import Entry, Example

INDIFFERENCE, PREFERENCE = 5.0, 30.0
"""PROMETHEE: points of difference that mean nothing, and that mean full preference."""
RRF = 60.0
Rows = Sequence[Sequence[float]]


def promethee(
    rows: Rows, weights: Sequence[float], *, indifference: float = INDIFFERENCE, preference: float = PREFERENCE
) -> list[float]:
    """PROMETHEE II: how much a pair is preferred to all others, less how much they are preferred to it.

    Preference in a criterion is 0 up to `indifference` points of difference, 1 from `preference` points on, a
    straight line between (the linear criterion with indifference area). The net flow -1..1 becomes 0..100; one
    alternative alone gets 50. Raises `UsageError` unless 0 <= indifference < preference.
    """
    _thresholds(indifference, preference)
    part = shares(weights)

    def prefers(gap: float) -> float:
        return min(1.0, max(0.0, (gap - indifference) / (preference - indifference)))

    found = []
    for mine in rows:
        flow = 0.0
        for theirs in rows:
            for share, a, b in zip(part, mine, theirs, strict=True):
                flow += share * (prefers(a - b) - prefers(b - a))
        found.append(bounded(50.0 + 50.0 * flow / (len(rows) - 1)) if len(rows) > 1 else UNDECIDED)
    return found


def promethee_fast(
    matrix: Floats, weights: Floats, *, indifference: float = INDIFFERENCE, preference: float = PREFERENCE
) -> Floats:
    """`promethee` of all rows, without a table of rows by rows: sorted scores and their running sums."""
    _thresholds(indifference, preference)
    n = len(matrix)
    if n < 2:
        return np.full(n, UNDECIDED)
    flow = np.zeros(n)
    for column, share in enumerate(shares(weights)):
        values = matrix[:, column]
        flow += share * (
            _preferred(values, indifference, preference) - _preferred(-values, indifference, preference)
        )  # fmt: skip
    return bounded_fast(50.0 + 50.0 * flow / (n - 1))


def _preferred(values: Floats, indifference: float, preference: float) -> Floats:
    """[n] the sum over all others of how much each value is preferred to theirs."""
    rising = np.sort(values)
    sums = np.concatenate(([0.0], np.cumsum(rising)))
    full = np.searchsorted(rising, values - preference, side="right")
    partly = np.maximum(full, np.searchsorted(rising, values - indifference, side="left"))
    count = partly - full
    line = (count * (values - indifference) - (sums[partly] - sums[full])) / (preference - indifference)
    return np.asarray(full + line)


def _thresholds(indifference: float, preference: float) -> None:
    if not 0 <= indifference < preference:
        raise UsageError(
            f"agg.promethee cannot be indifferent up to {indifference:g} and prefer from {preference:g} points",
            hint="0 <= indifference < preference",
        )


def lexicographic(rows: Rows, weights: Sequence[float]) -> list[float]:
    """The weightiest criterion decides; the next one only between equals, and so on.

    Criteria of equal weight stand in their order, those without weight decide nothing. The score is the share of the
    other alternatives that a pair beats, equals counting half; one alternative alone gets 50.
    """
    order = _order(weights)
    keys = [tuple(row[position] for position in order) for row in rows]
    return [_beaten(key, keys) for key in keys]


def _beaten(mine: object, all_of_them: Sequence[object]) -> float:
    """The share of the others that are less, equals counting half, out of 100."""
    if len(all_of_them) < 2:
        return UNDECIDED
    less = sum(other < mine for other in all_of_them)  # type: ignore[operator]
    equal = sum(other == mine for other in all_of_them) - 1
    return 100.0 * (less + equal / 2) / (len(all_of_them) - 1)


def lexicographic_fast(matrix: Floats, weights: Floats) -> Floats:
    """`lexicographic` of all rows."""
    n = len(matrix)
    if n < 2:
        return np.full(n, UNDECIDED)
    ranked = matrix[:, _order(weights)]
    order = np.lexsort(ranked.T[::-1])
    starts = np.concatenate(([True], (ranked[order][1:] != ranked[order][:-1]).any(axis=1)))
    return 100.0 * _middle(starts, order) / (n - 1)


def _middle(starts: npt.NDArray[np.bool_], order: npt.NDArray[np.intp]) -> Floats:
    """[n] how many come before each, equals counting half; `starts` marks the first of each group of equals."""
    first = np.flatnonzero(starts)
    sizes = np.diff(np.concatenate((first, [len(starts)])))
    found = np.empty(len(starts))
    found[order] = np.repeat(first + (sizes - 1) / 2, sizes)
    return found


def _order(weights: Sequence[float] | Floats) -> list[int]:
    part = shares(weights)
    return sorted(counted(weights), key=lambda position: -part[position])


def borda(rows: Rows, weights: Sequence[float]) -> list[float]:
    """In each criterion the share of the others that a pair beats, equals counting half; their weighted mean."""
    part = shares(weights)
    columns = list(zip(*rows, strict=True))
    found = []
    for row in rows:
        total = 0.0
        for share, score, column in zip(part, row, columns, strict=True):
            total += share * _beaten(score, column)
        found.append(bounded(total))
    return found


def borda_fast(matrix: Floats, weights: Floats) -> Floats:
    """`borda` of all rows."""
    n = len(matrix)
    if n < 2:
        return np.full(n, UNDECIDED)
    total = np.zeros(n)
    for column, share in enumerate(shares(weights)):
        total += share * (100.0 * _before(matrix[:, column]) / (n - 1))
    return bounded_fast(total)


def _before(values: Floats) -> Floats:
    """[n] how many are less, equals counting half."""
    order = np.argsort(values, kind="stable")
    ranked = values[order]
    return _middle(np.concatenate(([True], ranked[1:] != ranked[:-1])), order)


def rrf(rows: Rows, weights: Sequence[float], *, k: float = RRF) -> list[float]:
    """Reciprocal rank fusion: 1 / (k + rank) in each criterion, weighted; 100 for one that is first in all.

    Ranks begin at 1; equals share the best of theirs, so that a criterion in which all are alike holds nobody back.
    Raises `UsageError` unless k >= 0.
    """
    _not_negative(k)
    part = shares(weights)
    columns = list(zip(*rows, strict=True))
    found = []
    for row in rows:
        total = 0.0
        for share, score, column in zip(part, row, columns, strict=True):
            better = sum(other > score for other in column)
            total += share * ((k + 1) / (k + 1 + better))
        found.append(bounded(100.0 * total))
    return found


def rrf_fast(matrix: Floats, weights: Floats, *, k: float = RRF) -> Floats:
    """`rrf` of all rows."""
    _not_negative(k)
    total = np.zeros(len(matrix))
    for column, share in enumerate(shares(weights)):
        values = matrix[:, column]
        better = len(values) - np.searchsorted(np.sort(values), values, side="right")
        total += share * ((k + 1) / (k + 1 + better))
    return bounded_fast(100.0 * total)


def _not_negative(k: float) -> None:
    if not k >= 0:
        raise UsageError(f"the k of agg.rrf is {k:g}", hint="it is 0 or more; the source takes 60")


_TABLE = ((90.0, 50.0), (70.0, 50.0), (50.0, 90.0))
ENTRIES: tuple[Entry, ...] = (
    Entry(
        name="agg.promethee",
        words="net outranking flow: how much a pair is preferred to all feasible pairs, less the reverse",
        formula="50 + 50 sum(w (P(d) - P(-d))) / (n-1), P(d) = (d-5)/25 cut to 0..1",
        source="Brans & Vincke 1985",
        scalar=promethee,
        fast=promethee_fast,
        listwise=True,
        examples=(
            Example(
                given={"rows": ((90.0,), (70.0,), (72.0,)), "weights": (1.0,)},
                expected=(78.0, 35.0, 37.0),
                note="P(20) = 0.6, P(18) = 0.52, P(2) = 0: flows 0.56, -0.3, -0.26",
            ),
            Example(given={"rows": ((70.0,),), "weights": (1.0,)}, expected=(50.0,), note="alone"),
        ),
        parameters={"indifference": INDIFFERENCE, "preference": PREFERENCE},
    ),
    Entry(
        name="agg.lex",
        words="criteria in strict order of weight, the next only between equals; share of feasible pairs beaten",
        formula="(less + equal / 2) / (n-1), by lexicographic order",
        source="Fishburn 1974",
        scalar=lexicographic,
        fast=lexicographic_fast,
        listwise=True,
        examples=(
            Example(
                given={"rows": ((80.0, 100.0), (100.0, 10.0), (100.0, 20.0)), "weights": (0.6, 0.4)},
                expected=(0.0, 50.0, 100.0),
            ),
            Example(
                given={"rows": ((80.0, 100.0), (100.0, 10.0), (100.0, 20.0)), "weights": (1.0, 0.0)},
                expected=(0.0, 75.0, 75.0),
                note="what has no weight decides nothing",
            ),
        ),
    ),
    Entry(
        name="agg.borda",
        words="sum of ranks: in each criterion the share of feasible pairs beaten",
        formula="sum(w (less + equal / 2)) / (n-1)",
        source="Borda 1781",
        scalar=borda,
        fast=borda_fast,
        listwise=True,
        examples=(
            Example(
                given={"rows": _TABLE, "weights": (0.5, 0.5)},
                expected=(62.5, 37.5, 50.0),
                note="2, 1, 0 beaten and 0.5, 0.5, 2 beaten, of 2 others",
            ),
        ),
    ),
    Entry(
        name="agg.rrf",
        words="sum of 1 / (60 + rank) over the criteria, 100 for a pair that is first in all",
        formula="61 sum(w / (60 + rank))",
        source="Cormack et al. 2009",
        scalar=rrf,
        fast=rrf_fast,
        listwise=True,
        examples=(
            Example(
                given={"rows": _TABLE, "weights": (0.5, 0.5)},
                expected=(99.19, 98.39, 98.41),
                note="ranks 1, 2, 3 and 2, 2, 1: 61/61, 61/62, 61/63 and 61/62, 61/62, 61/61",
            ),
        ),
        parameters={"k": RRF},
    ),
)
