"""Averages of one pair's criteria. PURE.

All of them lie between the worst and the best score, give c for c everywhere, and never fall when a score rises.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from mrblue_cli.core.errors import UsageError
from mrblue_cli.matcher.aggregation.shares import bounded, bounded_fast, counted, shares, weighted
from mrblue_cli.matcher.columns import Floats
from mrblue_cli.matcher.registry import Entry, Example

HARMONIC = -1.0
MOST = 2.0
"""Exponent of the quantifier "most of the criteria"; 1 would be the mean, larger ones look at the worst."""


def mean(scores: Sequence[float], weights: Sequence[float]) -> float:
    """Weighted arithmetic mean."""
    return bounded(sum(share * score for share, score in zip(shares(weights), scores, strict=True)))


def mean_fast(matrix: Floats, weights: Floats) -> Floats:
    """`mean` of each row."""
    return bounded_fast(weighted(matrix, shares(weights)))


def geometric(scores: Sequence[float], weights: Sequence[float]) -> float:
    """Weighted geometric mean; 0 as soon as one criterion that counts is 0."""
    used = [(share, score) for share, score in zip(shares(weights), scores, strict=True) if share > 0]
    if any(score <= 0 for _, score in used):
        return 0.0
    return bounded(math.exp(sum(share * math.log(score) for share, score in used)))


def geometric_fast(matrix: Floats, weights: Floats) -> Floats:
    """`geometric` of each row."""
    used = counted(weights)
    values, part = matrix[:, used], [shares(weights)[position] for position in used]
    some = (values <= 0).any(axis=1)
    logs = np.log(np.where(values > 0, values, 1.0))
    return np.where(some, 0.0, bounded_fast(np.exp(weighted(logs, part))))


def power(scores: Sequence[float], weights: Sequence[float], *, p: float = HARMONIC) -> float:
    """Power mean: p = -1 harmonic, 1 arithmetic, 2 quadratic; 0 is the geometric mean, its limit.

    With p <= 0 one criterion of 0 makes it 0. Raises `UsageError` for a p that is not a finite number.
    """
    _finite(p)
    if p == 0:
        return geometric(scores, weights)
    used = [(share, score) for share, score in zip(shares(weights), scores, strict=True) if share > 0]
    # Scaled by the score that dominates, so that no power overflows.
    scale = max(score for _, score in used) if p > 0 else min(score for _, score in used)
    if scale <= 0:
        return 0.0
    return bounded(scale * sum(share * (score / scale) ** p for share, score in used) ** (1 / p))


def power_fast(matrix: Floats, weights: Floats, *, p: float = HARMONIC) -> Floats:
    """`power` of each row."""
    _finite(p)
    if p == 0:
        return geometric_fast(matrix, weights)
    used = counted(weights)
    values, part = matrix[:, used], [shares(weights)[position] for position in used]
    scale = values.max(axis=1) if p > 0 else values.min(axis=1)
    safe = np.where(scale > 0, scale, 1.0)
    # Where the smallest score is 0 the answer is 0 whatever the powers say.
    with np.errstate(over="ignore", under="ignore", divide="ignore"):
        powers = (np.where(scale[:, None] > 0, values, 1.0) / safe[:, None]) ** p
    return np.where(scale > 0, bounded_fast(safe * weighted(powers, part) ** (1 / p)), 0.0)


def _finite(p: float) -> None:
    if not math.isfinite(p):
        raise UsageError(f"a power mean of p = {p:g} is no number", hint="agg.min is its limit for small p")


def worst(scores: Sequence[float], weights: Sequence[float]) -> float:
    """The worst criterion that has weight."""
    return min(score for share, score in zip(shares(weights), scores, strict=True) if share > 0)


def worst_fast(matrix: Floats, weights: Floats) -> Floats:
    """`worst` of each row."""
    return np.asarray(matrix[:, counted(weights)].min(axis=1))


def owa(scores: Sequence[float], weights: Sequence[float], *, exponent: float = MOST) -> float:
    """Scores in falling order, weighted by place: with T the weight of what is at least as good, each gets the rise
    of T^exponent.

    Exponent 1 is the mean; above 1 the worse criteria count more, below 1 the better ones. Raises `UsageError` unless
    exponent > 0.
    """
    _positive(exponent)
    part = shares(weights)
    total, reached = 0.0, 0.0
    for position in sorted(range(len(scores)), key=lambda position: -scores[position]):
        before, reached = reached, min(1.0, reached + part[position])
        total += scores[position] * (reached**exponent - before**exponent)
    return bounded(total)


def owa_fast(matrix: Floats, weights: Floats, *, exponent: float = MOST) -> Floats:
    """`owa` of each row."""
    _positive(exponent)
    order = np.argsort(-matrix, axis=1, kind="stable")
    reached = np.minimum(1.0, np.cumsum(np.array(shares(weights))[order], axis=1)) ** exponent
    rise = np.diff(reached, axis=1, prepend=0.0)
    return bounded_fast((np.take_along_axis(matrix, order, axis=1) * rise).sum(axis=1))


def _positive(exponent: float) -> None:
    if not 0 < exponent < math.inf:
        raise UsageError(
            f"the exponent of agg.owa is {exponent:g}", hint="it is above 0: 2 for most criteria, 1 for the mean"
        )


ENTRIES: tuple[Entry, ...] = (
    Entry(
        name="agg.mean",
        words="weighted arithmetic mean",
        formula="sum(w s) / sum(w)",
        source="Keeney & Raiffa 1976",
        scalar=mean,
        fast=mean_fast,
        examples=(Example(given={"scores": (100.0, 90.0, 50.0), "weights": (0.4, 0.3, 0.3)}, expected=82.0),),
    ),
    Entry(
        name="agg.geo",
        words="weighted geometric mean: one criterion of 0 makes it 0",
        formula="prod(s^w), weights summing to 1",
        source="Aczel & Saaty 1983",
        scalar=geometric,
        fast=geometric_fast,
        examples=(
            Example(given={"scores": (100.0, 25.0), "weights": (0.5, 0.5)}, expected=50.0),
            Example(given={"scores": (80.0, 10.0), "weights": (2.0, 1.0)}, expected=40.0, note="cube root of 64,000"),
            Example(given={"scores": (100.0, 0.0), "weights": (0.9, 0.1)}, expected=0.0),
            Example(given={"scores": (100.0, 0.0), "weights": (1.0, 0.0)}, expected=100.0, note="no weight, no word"),
        ),
    ),
    Entry(
        name="agg.power",
        words="power mean; -1 is the harmonic mean, near the worse criteria",
        formula="(sum(w s^p) / sum(w))^(1/p), p = -1",
        source="Dyckhoff & Pedrycz 1984",
        scalar=power,
        fast=power_fast,
        examples=(
            Example(given={"scores": (100.0, 25.0), "weights": (0.5, 0.5)}, expected=40.0),
            Example(given={"scores": (60.0, 20.0), "weights": (3.0, 1.0)}, expected=40.0, note="4 / (3/60 + 1/20)"),
            Example(given={"scores": (30.0, 40.0), "weights": (0.5, 0.5), "p": 2.0}, expected=35.36),
        ),
        parameters={"p": HARMONIC},
    ),
    Entry(
        name="agg.min",
        words="the worst criterion that has weight",
        formula="min(s), over w > 0",
        source="Wald 1950",
        scalar=worst,
        fast=worst_fast,
        examples=(
            Example(given={"scores": (100.0, 90.0, 30.0), "weights": (0.4, 0.3, 0.3)}, expected=30.0),
            Example(given={"scores": (100.0, 90.0, 30.0), "weights": (0.5, 0.5, 0.0)}, expected=90.0),
        ),
    ),
    Entry(
        name="agg.owa",
        words="weights by rank of score: what most of the criteria reach",
        formula="sum(s(i) (T(i)^2 - T(i-1)^2)), s falling, T the weight of the i best",
        source="Yager 1988",
        scalar=owa,
        fast=owa_fast,
        examples=(
            Example(given={"scores": (100.0, 60.0), "weights": (0.5, 0.5)}, expected=70.0, note="100/4 + 60 * 3/4"),
            Example(given={"scores": (100.0, 90.0, 50.0), "weights": (0.4, 0.3, 0.3)}, expected=71.2),
        ),
        parameters={"exponent": MOST},
    ),
)
