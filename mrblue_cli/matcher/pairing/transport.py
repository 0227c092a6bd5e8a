"""A pairing out of entropic transport. PURE. Cuturi 2013."""

from __future__ import annotations

import math

import numpy as np

from mrblue_cli.core.errors import UsageError
from mrblue_cli.matcher.columns import Floats
from mrblue_cli.matcher.pairing.assignment import EXAMPLES
from mrblue_cli.matcher.pairing.base import Floor, Matching, matching
from mrblue_cli.matcher.pairing.sides import table
from mrblue_cli.matcher.registry import Entry

BLUR = 1.0
"""Score points: differences far below are blurred, so that near-equal partners share a person until rounding."""
_COARSE = 64.0
"""Score points of the first plan; each next one is half as blurred, from the prices of the one before."""
_SWEEPS = 100
"""At most, for each plan."""
_CLOSE = 0.01
"""A plan stands when no price moves by more than this share of the blur."""

_LACKING = 0.9
"""Cells are settled together while what they lack of a whole share sums to less: were the plan a mix of best pairings,
at least one of those would then hold all of these cells."""


def sinkhorn_plain(floor: Floor, *, seed: int = 0, blur: float = BLUR) -> Matching:  # noqa: ARG001 - no chance here; one signature for all
    """The plan in plain loops. Up to about 20 people."""
    sides = table(floor)
    steps = _steps(blur)
    worth = sides.square().tolist()
    columns = np.full(len(worth), -1, dtype=np.int64)
    rows_left, columns_left = list(range(len(worth))), list(range(len(worth)))
    while rows_left:
        part = [[worth[row][column] for column in columns_left] for row in rows_left]
        plan = _plan_plain(part, steps)
        cells = sorted((-plan[i][j], i, j) for i in range(len(part)) for j in range(len(part)))
        settled, lacking = [cells[0][1:]], 1 + cells[0][0]
        for share, i, j in cells[1:]:
            lacking += 1 + share
            if lacking >= _LACKING or -share <= 0.5:
                break
            settled.append((i, j))
        for i, j in settled:
            columns[rows_left[i]] = columns_left[j]
        rows_left = [row for i, row in enumerate(rows_left) if i not in {cell[0] for cell in settled}]
        columns_left = [column for j, column in enumerate(columns_left) if j not in {cell[1] for cell in settled}]
    return matching(sides.pairs(columns), _note(blur))


def _plan_plain(worth: list[list[float]], steps: list[float]) -> list[list[float]]:
    """The share of each cell; each column sums to 1, each row nearly so."""
    size = range(len(worth))
    row_price, column_price = [0.0 for _ in size], [0.0 for _ in size]
    for blur in steps:
        for _ in range(_SWEEPS):
            row_price = [blur * _log_sum([(worth[i][j] - column_price[j]) / blur for j in size]) for i in size]
            before = column_price
            column_price = [blur * _log_sum([(worth[i][j] - row_price[i]) / blur for i in size]) for j in size]
            if max(abs(new - old) for new, old in zip(column_price, before, strict=True)) < _CLOSE * blur:
                break
    return [[math.exp((worth[i][j] - row_price[i] - column_price[j]) / steps[-1]) for j in size] for i in size]


def _log_sum(values: list[float]) -> float:
    top = max(values)
    return top + math.log(sum(math.exp(value - top) for value in values))


def sinkhorn(floor: Floor, *, seed: int = 0, blur: float = BLUR) -> Matching:  # noqa: ARG001 - as above
    """The same over arrays: 200 by 200 in about a second, 500 by 500 in ten.

    The largest shares of the plan become pairs, as many as surely go together, and the rest is planned anew.
    `blur` in score points: smaller is nearer to the largest total, and slower.
    """
    sides = table(floor)
    steps = _steps(blur)
    worth = sides.square()
    columns = np.full(len(worth), -1, dtype=np.int64)
    rows_left, columns_left = np.arange(len(worth)), np.arange(len(worth))
    while len(rows_left):
        plan = _plan(worth[np.ix_(rows_left, columns_left)], steps)
        order = np.argsort(-plan, axis=None, kind="stable")[: len(plan)]
        share = plan.ravel()[order]
        rows, partners = np.divmod(order, len(plan))
        # The first cell always; no two of the others are over a half in one row or column, lacking under 1 in all.
        take = (np.cumsum(1 - share) < _LACKING) & (share > 0.5)
        count = max(1, int(np.argmin(np.append(take, False))))
        rows, partners = rows[:count], partners[:count]
        columns[rows_left[rows]] = columns_left[partners]
        rows_left, columns_left = np.delete(rows_left, rows), np.delete(columns_left, partners)
    return matching(sides.pairs(columns), _note(blur))


def _plan(worth: Floats, steps: list[float]) -> Floats:
    row_price, column_price = np.zeros(len(worth)), np.zeros(len(worth))
    for blur in steps:
        for _ in range(_SWEEPS):
            row_price = blur * _log_sums((worth - column_price[None, :]) / blur)
            before = column_price
            column_price = blur * _log_sums((worth.T - row_price[None, :]) / blur)
            if np.abs(column_price - before).max() < _CLOSE * blur:
                break
    return np.asarray(np.exp((worth - row_price[:, None] - column_price[None, :]) / steps[-1]))


def _log_sums(values: Floats) -> Floats:
    top = values.max(axis=1)
    return np.asarray(top + np.log(np.exp(values - top[:, None]).sum(axis=1)))


def _steps(blur: float) -> list[float]:
    """Blurs from coarse to the one asked for. Raises `UsageError`."""
    if not 1e-6 <= blur < math.inf:
        raise UsageError(f"blur is {blur:g}", hint="blur is a millionth of a score point or more, for example 1")
    steps = [blur]
    while steps[-1] < _COARSE:
        steps.append(steps[-1] * 2)
    return steps[::-1]


def _note(blur: float) -> str:
    return f"near the largest total, not exactly it; blurred by {blur:g} points"


ENTRIES: tuple[Entry, ...] = (
    Entry(
        name="pair.sinkhorn",
        words="near the largest total: a blurred plan of shares, rounded to pairs",
        formula="plan = exp((s - u - v)/blur), rows and columns summing to 1; its largest shares become pairs",
        source="Cuturi 2013",
        scalar=sinkhorn_plain,
        fast=sinkhorn,
        approximate=True,
        parameters={"blur": BLUR},
        examples=tuple(
            type(example)(
                given=example.given, expected=matching(example.expected.pairs, _note(BLUR)), note=example.note
            )
            for example in EXAMPLES
        ),
    ),
)
