"""Two views of one pair into one score, 0..100. PURE. `scalar(p, q) -> score`, `fast(p [n], q [n]) -> [n]`, NaN
unknown."""

from __future__ import annotations

import numpy as np

from mrblue_cli.matcher.columns import Floats
from mrblue_cli.matcher.registry import Entry, Example


def harmonic(p: float, q: float) -> float:
    """Harmonic mean: near the worse side."""
    return 2 * p * q / (p + q) if p + q > 0 else 0.0


def harmonic_fast(p: Floats, q: Floats) -> Floats:
    """`harmonic` of many."""
    total = p + q
    means = 2 * p * q / np.where(total > 0, total, 1.0)
    return np.asarray(np.where(np.isnan(total) | (total > 0), means, 0.0))


ENTRIES: tuple[Entry, ...] = (
    Entry(
        name="two.harmonic",
        words="harmonic mean of the two views (default)",
        formula="2 p q / (p + q); 0 when both are 0",
        source="Pizzato et al. 2010",
        scalar=harmonic,
        fast=harmonic_fast,
        examples=(Example(given={"p": 100.0, "q": 25.0}, expected=40.0),),
    ),
)
