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
_SWEEPS = 500
_CLOSE = 1e-3


def sinkhorn_plain(floor: Floor, *, seed: int = 0, blur: float = BLUR) -> Matching:  # noqa: ARG001 - no chance here; one signature for all
    """The plan in plain loops. Up to about 20 people."""
    sides = table(floor)
    worth = (sides.square() / _checked(blur)).tolist()
    columns = np.full(len(worth), -1, dtype=np.int64)
    rows_left, columns_left = list(range(len(worth))), list(range(len(worth)))
    while rows_left:
        part = [[worth[row][column] for column in columns_left] for row in rows_left]
        plan = _plan_plain(part)
        cells = [(i, j) for i in range(len(part)) for j in range(len(part)) if plan[i][j] > 0.5]
        flat = [value for row in plan for value in row]
        settled = cells or [divmod(max(range(len(flat)), key=flat.__getitem__), len(part))]
        for i, j in settled:
            columns[rows_left[i]] = columns_left[j]
        rows_left = [row for i, row in enumerate(rows_left) if i not in {cell[0] for cell in settled}]
        columns_left = [column for j, column in enumerate(columns_left) if j not in {cell[1] for cell in settled}]
    return matching(sides.pairs(columns), _note(blur))


def _plan_plain(worth: list[list[float]]) -> list[list[float]]:
    """The share of each cell, rows and columns summing to 1."""
    size = range(len(worth))
    row_price, column_price = [0.0 for _ in size], [0.0 for _ in size]
    for _ in range(_SWEEPS):
        row_price = [_log_sum([worth[i][j] - column_price[j] for j in size]) for i in size]
        before = column_price
        column_price = [_log_sum([worth[i][j] - row_price[i] for i in size]) for j in size]
        if max(abs(new - old) for new, old in zip(column_price, before, strict=True)) < _CLOSE:
            break
    return [[math.exp(worth[i][j] - row_price[i] - column_price[j]) for j in size] for i in size]


def _log_sum(values: list[float]) -> float:
    top = max(values)
    return top + math.log(sum(math.exp(value - top) for value in values))


def sinkhorn(floor: Floor, *, seed: int = 0, blur: float = BLUR) -> Matching:  # noqa: ARG001 - as above
    """The same over arrays: 100 by 100 in about a second.

    Whoever has more than half of somebody's share in the plan dances with them; where nobody has, the largest share
    decides; the rest is planned anew. `blur` in score points: smaller is nearer to the largest total, and slower.
    """
    sides = table(floor)
    worth = sides.square() / _checked(blur)
    columns = np.full(len(worth), -1, dtype=np.int64)
    rows_left, columns_left = np.arange(len(worth)), np.arange(len(worth))
    while len(rows_left):
        plan = _plan(worth[np.ix_(rows_left, columns_left)])
        rows, partners = np.nonzero(plan > 0.5)
        if not len(rows):
            rows, partners = (np.array([place]) for place in divmod(int(np.argmax(plan)), len(plan)))
        columns[rows_left[rows]] = columns_left[partners]
        rows_left, columns_left = np.delete(rows_left, rows), np.delete(columns_left, partners)
    return matching(sides.pairs(columns), _note(blur))


def _plan(worth: Floats) -> Floats:
    row_price, column_price = np.zeros(len(worth)), np.zeros(len(worth))
    for _ in range(_SWEEPS):
        row_price = _log_sums(worth - column_price[None, :])
        before = column_price
        column_price = _log_sums(worth.T - row_price[None, :])
        if np.abs(column_price - before).max() < _CLOSE:
            break
    return np.asarray(np.exp(worth - row_price[:, None] - column_price[None, :]))


def _log_sums(values: Floats) -> Floats:
    top = values.max(axis=1)
    return np.asarray(top + np.log(np.exp(values - top[:, None]).sum(axis=1)))


def _checked(blur: float) -> float:
    if not 0 < blur < math.inf:
        raise UsageError(f"blur is {blur:g}", hint="blur is more than 0 score points, for example 1")
    return blur


def _note(blur: float) -> str:
    return f"near the largest total, not exactly it; blurred by {blur:g} points"


ENTRIES: tuple[Entry, ...] = (
    Entry(
        name="pair.sinkhorn",
        words="near the largest total: a blurred plan of shares, rounded to pairs",
        formula="plan = exp((s - u - v)/blur) with rows and columns summing to 1; shares over one half become pairs",
        source="Cuturi 2013",
        scalar=sinkhorn_plain,
        fast=sinkhorn,
        approximate=True,
        parameters={"blur": BLUR},
        examples=tuple(
            type(example)(given=example.given, expected=matching(example.expected.pairs, _note(BLUR)), note=example.note)
            for example in EXAMPLES
        ),
    ),
)
