"""Alternatives measured against the best and the worst of them all. List-wise, PURE.

`scalar(rows, weights) -> list[float]`, `fast(matrix [n, m], weights [m]) -> [n]`, 0..100. One alternative alone, and
alternatives that are all alike, get 50: there is nothing to measure against.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from mrblue_cli.core.errors import UsageError
from mrblue_cli.matcher.aggregation.shares import UNDECIDED, bounded, bounded_fast, shares
from mrblue_cli.matcher.columns import Floats
from mrblue_cli.matcher.registry import Entry, Example

GROUP = 0.5
"""VIKOR: how much the group's utility counts against the worst regret."""
Rows = Sequence[Sequence[float]]


def topsis(rows: Rows, weights: Sequence[float]) -> list[float]:
    """Distance to the worst imagined alternative, as a share of the distances to the best and the worst.

    Each criterion is divided by the root of its sum of squares, then weighted.
    """
    part = shares(weights)
    columns = list(zip(*rows, strict=True))
    lengths = [math.hypot(*column) or 1.0 for column in columns]
    best, least = [max(column) for column in columns], [min(column) for column in columns]
    found = []
    for row in rows:
        # Differences first: dividing before subtracting would lose the small ones.
        short = math.hypot(*(w * ((b - s) / size) for w, b, s, size in zip(part, best, row, lengths, strict=True)))
        ahead = math.hypot(*(w * ((s - z) / size) for w, z, s, size in zip(part, least, row, lengths, strict=True)))
        found.append(bounded(100.0 * ahead / (short + ahead)) if short + ahead > 0 else UNDECIDED)
    return found


def topsis_fast(matrix: Floats, weights: Floats) -> Floats:
    """`topsis` of all rows."""
    if not len(matrix):
        return np.zeros(0)
    short, ahead = np.zeros(len(matrix)), np.zeros(len(matrix))
    for column, share in enumerate(shares(weights)):
        values = matrix[:, column]
        top = values.max()
        # Scaled by the largest, so that squares of tiny scores do not vanish.
        size = float(top * np.sqrt(((values / top) ** 2).sum())) if top > 0 else 1.0
        short = np.hypot(short, share * ((top - values) / size))
        ahead = np.hypot(ahead, share * ((values - values.min()) / size))
    total = short + ahead
    return np.where(total > 0, bounded_fast(100.0 * ahead / np.where(total > 0, total, 1.0)), UNDECIDED)


def vikor(rows: Rows, weights: Sequence[float], *, group: float = GROUP) -> list[float]:
    """100 (1 - Q): Q mixes how far a pair is from the best in sum (share `group`) and in its worst criterion.

    Where all are equally far, that half of Q is 0.5. Raises `UsageError` unless 0 <= group <= 1.
    """
    _share(group)
    part = shares(weights)
    columns = list(zip(*rows, strict=True))
    sums, regrets = [], []
    for row in rows:
        total, regret = 0.0, 0.0
        for share, column, score in zip(part, columns, row, strict=True):
            span = max(column) - min(column)
            lost = share * ((max(column) - score) / span) if span > 0 else 0.0
            total, regret = total + lost, max(regret, lost)
        sums.append(total)
        regrets.append(regret)
    return [
        bounded(100.0 * (1.0 - (group * one + (1.0 - group) * other)))
        for one, other in zip(_scaled(sums), _scaled(regrets), strict=True)
    ]


def _scaled(values: list[float]) -> list[float]:
    """0 the least, 1 the most; 0.5 where they differ by rounding only."""
    span = max(values) - min(values) if values else 0.0
    return [(value - min(values)) / span if span > _ROUNDING else 0.5 for value in values]


_ROUNDING = 1e-12


def vikor_fast(matrix: Floats, weights: Floats, *, group: float = GROUP) -> Floats:
    """`vikor` of all rows."""
    _share(group)
    if not len(matrix):
        return np.zeros(0)
    total, regret = np.zeros(len(matrix)), np.zeros(len(matrix))
    for column, share in enumerate(shares(weights)):
        values = matrix[:, column]
        span = values.max() - values.min()
        lost = share * ((values.max() - values) / span) if span > 0 else np.zeros(len(matrix))
        total, regret = total + lost, np.maximum(regret, lost)
    one, other = (
        (part - part.min()) / span if (span := part.max() - part.min()) > _ROUNDING else np.full(len(matrix), 0.5)
        for part in (total, regret)
    )
    return bounded_fast(100.0 * (1.0 - (group * one + (1.0 - group) * other)))


def _share(group: float) -> None:
    if not 0 <= group <= 1:
        raise UsageError(f"the group share of agg.vikor is {group:g}", hint="it lies between 0 and 1")


ENTRIES: tuple[Entry, ...] = (
    Entry(
        name="agg.topsis",
        words="nearness to the ideal against the anti-ideal, among all feasible pairs",
        formula="d- / (d+ + d-), Euclid over w s / sqrt(sum(s^2))",
        source="Hwang & Yoon 1981",
        scalar=topsis,
        fast=topsis_fast,
        listwise=True,
        examples=(
            Example(
                given={"rows": ((40.0, 30.0), (30.0, 40.0), (0.0, 0.0)), "weights": (0.5, 0.5)},
                expected=(83.33, 83.33, 0.0),
                note="both columns are 50 long; the first two are 0.2 from the best and 1 from the worst, halved",
            ),
            Example(given={"rows": ((70.0, 20.0),), "weights": (0.5, 0.5)}, expected=(50.0,), note="alone"),
        ),
    ),
    Entry(
        name="agg.vikor",
        words="a compromise of most utility in sum and least regret in one criterion, among all feasible pairs",
        formula="1 - (v (S - min S) / (max S - min S) + (1-v) (R - min R) / (max R - min R)), v = 0.5",
        source="Opricovic & Tzeng 2004",
        scalar=vikor,
        fast=vikor_fast,
        listwise=True,
        examples=(
            Example(
                given={"rows": ((100.0, 0.0), (80.0, 60.0), (0.0, 100.0)), "weights": (0.5, 0.5)},
                expected=(0.0, 100.0, 0.0),
                note="S = 0.5, 0.3, 0.5; R = 0.5, 0.2, 0.5",
            ),
            Example(
                given={"rows": ((100.0, 0.0), (50.0, 60.0), (0.0, 80.0)), "weights": (0.75, 0.25)},
                expected=(100.0, 68.75, 0.0),
                note="S = 0.25, 0.4375, 0.75; R = 0.25, 0.375, 0.75",
            ),
        ),
        parameters={"group": GROUP},
    ),
)
