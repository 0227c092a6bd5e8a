"""What all aggregations share: weights that sum to 1, and scores that stay on their scale. PURE."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from mrblue_cli.matcher.columns import Floats

UNDECIDED = 50.0
"""What an aggregation that compares alternatives says when there is nothing to tell them apart by."""


def shares(weights: Sequence[float] | Floats) -> list[float]:
    """Weights rescaled to sum to 1; all 0: equal ones. Both forms of an aggregation take theirs from here, so that
    they start from the same bits."""
    plain = [float(weight) for weight in weights]
    total = sum(plain)
    return [weight / total for weight in plain] if total > 0 else [1.0 / len(plain)] * len(plain)


def counted(weights: Sequence[float] | Floats) -> list[int]:
    """Positions of the criteria that count: those with weight, or all if none has any."""
    return [position for position, share in enumerate(shares(weights)) if share > 0]


def bounded(value: float) -> float:
    """0..100, rounding noise cut off."""
    return min(100.0, max(0.0, value))


def bounded_fast(values: npt.ArrayLike) -> Floats:
    """`bounded` of many."""
    return np.clip(np.asarray(values, dtype=np.float64), 0.0, 100.0)


def weighted(matrix: Floats, weights: Sequence[float]) -> Floats:
    """[n] weighted sums, column by column: a library's dot product may add equal rows in different orders."""
    total = np.zeros(len(matrix))
    for column, weight in enumerate(weights):
        total += weight * matrix[:, column]
    return total
