"""Integrals over a measure that weighs groups of criteria, not only each by itself. PURE."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from mrblue_cli.core.errors import UsageError
from mrblue_cli.matcher.aggregation.shares import bounded, bounded_fast, shares, weighted
from mrblue_cli.matcher.columns import Floats
from mrblue_cli.matcher.registry import Entry, Example

SYNERGY = 0.5
"""Half way from the mean (0) to full synergy (1), where two criteria count only together."""
ADDITIVE = 0.0
Interactions = Sequence[Sequence[float]]
"""[m, m] symmetric: above 0 two criteria need each other, below 0 one stands in for the other."""


def choquet(
    scores: Sequence[float],
    weights: Sequence[float],
    *,
    synergy: float = SYNERGY,
    interactions: Interactions | None = None,
) -> float:
    """Choquet integral over a 2-additive measure.

    The weights w (summing to 1) are the Shapley values of the criteria, and I(i, j) = 2 synergy w(i) w(j) their
    interactions, unless `interactions` gives them. A group of criteria weighs
    mu(A) = sum over i in A of (w(i) - half the sum over j of I(i, j)) + sum over pairs in A of I(i, j).
    With synergy 1 this is `agg.owa` with exponent 2; what it adds is interactions of one's own.
    Raises `UsageError` for interactions under which a group could weigh more than a larger one.
    """
    part = shares(weights)
    pairs = _interactions(part, synergy, interactions)
    alone = [share - sum(pairs[i]) / 2 for i, share in enumerate(part)]

    def measure(group: list[int]) -> float:
        together = sum(pairs[i][j] for i in group for j in group if i < j)
        return sum(alone[i] for i in group) + together

    rising = sorted(range(len(scores)), key=lambda position: scores[position])
    total, below = 0.0, 0.0
    for at, position in enumerate(rising):
        total += (scores[position] - below) * measure(rising[at:])
        below = scores[position]
    return bounded(total)


def choquet_fast(
    matrix: Floats, weights: Floats, *, synergy: float = SYNERGY, interactions: Interactions | None = None
) -> Floats:
    """`choquet` of each row, by its closed form: the mean less half of sum(I(i, j) |s(i) - s(j)|) over pairs."""
    part = shares(weights)
    pairs = _interactions(part, synergy, interactions)
    total = weighted(matrix, part)
    for i in range(len(part)):
        for j in range(i):
            if pairs[i][j]:
                total -= pairs[i][j] / 2 * np.abs(matrix[:, i] - matrix[:, j])
    return bounded_fast(total)


def _interactions(part: list[float], synergy: float, given: Interactions | None) -> list[list[float]]:
    m = len(part)
    if given is None:
        if not -1 <= synergy <= 1:
            raise UsageError(f"the synergy of agg.choquet is {synergy:g}", hint="it lies between -1 and 1")
        return [[2 * synergy * part[i] * part[j] if i != j else 0.0 for j in range(m)] for i in range(m)]
    pairs = [[float(given[i][j]) if i != j else 0.0 for j in range(m)] for i in range(m)]
    for i in range(m):
        if any(pairs[i][j] != pairs[j][i] for j in range(m)):
            raise UsageError(
                f"the interactions of criterion {i + 1} differ by direction", hint="give a symmetric table"
            )
        if sum(abs(value) for value in pairs[i]) / 2 > part[i] + 1e-12:
            raise UsageError(
                f"the interactions of criterion {i + 1} outweigh it",
                hint="their sizes may sum to twice its weight at most",
            )
    return pairs


def sugeno(scores: Sequence[float], weights: Sequence[float], *, coupling: float = ADDITIVE) -> float:
    """Sugeno integral: the largest t such that the criteria with at least t weigh at least t (both out of 100).

    A group with share W of the weight weighs ((1 + c)^W - 1) / c, Sugeno's lambda-measure with lambda = coupling; W
    itself for coupling 0. Above 0 criteria count more together than apart. Raises `UsageError` unless coupling > -1.
    """
    _above_minus_one(coupling)
    part = shares(weights)
    best, reached = 0.0, 0.0
    for position in sorted(range(len(scores)), key=lambda position: -scores[position]):
        reached = min(1.0, reached + part[position])
        weight = math.expm1(reached * math.log1p(coupling)) / coupling if coupling else reached
        best = max(best, min(scores[position], 100.0 * weight))
    return bounded(min(best, max(scores)))


def sugeno_fast(matrix: Floats, weights: Floats, *, coupling: float = ADDITIVE) -> Floats:
    """`sugeno` of each row."""
    _above_minus_one(coupling)
    order = np.argsort(-matrix, axis=1, kind="stable")
    reached = np.minimum(1.0, np.cumsum(np.array(shares(weights))[order], axis=1))
    measure = np.expm1(reached * math.log1p(coupling)) / coupling if coupling else reached
    return bounded_fast(np.minimum(np.take_along_axis(matrix, order, axis=1), 100.0 * measure).max(axis=1))


def _above_minus_one(coupling: float) -> None:
    if not -1 < coupling < math.inf:
        raise UsageError(f"the coupling of agg.sugeno is {coupling:g}", hint="it lies above -1; 0 couples nothing")


ENTRIES: tuple[Entry, ...] = (
    Entry(
        name="agg.choquet",
        words="weights on groups of criteria: being good at one only counts less than being good at several",
        formula="sum(w s) - sum over pairs of I(i,j) |s(i) - s(j)| / 2, I(i,j) = w(i) w(j)",
        source="Grabisch 1996",
        scalar=choquet,
        fast=choquet_fast,
        examples=(
            Example(given={"scores": (100.0, 60.0), "weights": (0.5, 0.5)}, expected=75.0, note="80 - 0.25 * 40 / 2"),
            Example(
                given={"scores": (100.0, 60.0), "weights": (0.5, 0.5), "synergy": 1.0}, expected=70.0, note="80 - 10"
            ),
            Example(
                given={"scores": (100.0, 60.0), "weights": (0.5, 0.5), "interactions": ((0.0, -1.0), (-1.0, 0.0))},
                expected=100.0,
                note="one stands in for the other: the better counts",
            ),
        ),
        parameters={"synergy": SYNERGY},
    ),
    Entry(
        name="agg.sugeno",
        words="the score t that criteria of at least t weight reach (max-min fuzzy integral)",
        formula="max over i of min(s(i), 100 W(i)), s falling, W the weight of the i best",
        source="Sugeno 1974",
        scalar=sugeno,
        fast=sugeno_fast,
        examples=(
            Example(
                given={"scores": (100.0, 90.0, 50.0), "weights": (0.4, 0.3, 0.3)},
                expected=70.0,
                note="min(100, 40), min(90, 70), min(50, 100)",
            ),
            Example(given={"scores": (80.0, 30.0), "weights": (0.5, 0.5)}, expected=50.0),
            Example(
                given={"scores": (90.0, 10.0), "weights": (0.5, 0.5), "coupling": 3.0},
                expected=33.33,
                note="(4^0.5 - 1) / 3",
            ),
        ),
        parameters={"coupling": ADDITIVE},
    ),
)
