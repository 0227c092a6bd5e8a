"""Many criteria into one score. PURE. `scalar(scores, weights) -> score`, `fast(matrix [n, m], weights [m]) -> [n]`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mrblue_cli.matcher.columns import Floats
from mrblue_cli.matcher.registry import Entry, Example


def mean(scores: Sequence[float], weights: Sequence[float]) -> float:
    """Weighted arithmetic mean."""
    return sum(weight * score for weight, score in zip(weights, scores, strict=True)) / sum(weights)


def mean_fast(scores: Floats, weights: Floats) -> Floats:
    """`mean` of each row."""
    return np.asarray(scores @ weights / weights.sum())


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
)
