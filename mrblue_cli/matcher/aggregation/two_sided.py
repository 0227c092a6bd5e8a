"""Two views of one pair into one score, 0..100: the family `two`. PURE.

`scalar(p, q) -> score`, `fast(p [n], q [n]) -> [n]`, NaN unknown. `two.tu` looks at everybody: see `transfers`.
"""

from __future__ import annotations

import math

import numpy as np

from mrblue_cli.matcher.aggregation import transfers
from mrblue_cli.matcher.aggregation.shares import bounded, bounded_fast
from mrblue_cli.matcher.columns import Floats
from mrblue_cli.matcher.registry import Entry, Example


def harmonic(p: float, q: float) -> float:
    """Harmonic mean: near the worse side."""
    return bounded(2 * p * q / (p + q)) if p + q > 0 else 0.0


def harmonic_fast(p: Floats, q: Floats) -> Floats:
    """`harmonic` of many."""
    total = p + q
    means = bounded_fast(2 * p * q / np.where(total > 0, total, 1.0))
    return np.asarray(np.where(np.isnan(total) | (total > 0), means, 0.0))


def geometric(p: float, q: float) -> float:
    """Geometric mean: 0 as soon as one side says 0."""
    return bounded(math.sqrt(p * q))


def geometric_fast(p: Floats, q: Floats) -> Floats:
    """`geometric` of many."""
    return bounded_fast(np.sqrt(p * q))


def mean(p: float, q: float) -> float:
    """Arithmetic mean: one side's joy makes up for the other's doubt."""
    return (p + q) / 2


def mean_fast(p: Floats, q: Floats) -> Floats:
    """`mean` of many."""
    return np.asarray((p + q) / 2)


def worse(p: float, q: float) -> float:
    """The worse side."""
    return min(p, q)


def worse_fast(p: Floats, q: Floats) -> Floats:
    """`worse` of many."""
    return np.minimum(p, q)


def product(p: float, q: float) -> float:
    """The chance that both say yes, each being asked alone."""
    return p * q / 100.0


def product_fast(p: Floats, q: Floats) -> Floats:
    """`product` of many."""
    return np.asarray(p * q / 100.0)


def uninorm(p: float, q: float) -> float:
    """Views on one side of 50 strengthen each other; 100 wins over all but 0, and against 0 the answer is 0."""
    yes, no = (p / 100.0) * (q / 100.0), (1 - p / 100.0) * (1 - q / 100.0)
    # 0 with 100 would be 0 / 0.
    return bounded(100.0 * yes / (yes + no)) if yes + no > 0 else 0.0


def uninorm_fast(p: Floats, q: Floats) -> Floats:
    """`uninorm` of many."""
    yes, no = (p / 100.0) * (q / 100.0), (1 - p / 100.0) * (1 - q / 100.0)
    total = yes + no
    values = bounded_fast(100.0 * yes / np.where(total > 0, total, 1.0))
    return np.asarray(np.where(np.isnan(total) | (total > 0), values, 0.0))


_VIEWS = {"p": 100.0, "q": 25.0}
ENTRIES: tuple[Entry, ...] = (
    Entry(
        name="two.harmonic",
        words="harmonic mean of the two views (default)",
        formula="2 p q / (p + q); 0 when both are 0",
        source="Pizzato et al. 2010",
        scalar=harmonic,
        fast=harmonic_fast,
        examples=(
            Example(given=_VIEWS, expected=40.0),
            Example(given={"p": 0.0, "q": 0.0}, expected=0.0),
        ),
    ),
    Entry(
        name="two.geo",
        words="geometric mean of the two views",
        formula="sqrt(p q)",
        source="Neve & Palomares 2019",
        scalar=geometric,
        fast=geometric_fast,
        examples=(Example(given=_VIEWS, expected=50.0),),
    ),
    Entry(
        name="two.mean",
        words="arithmetic mean of the two views",
        formula="(p + q) / 2",
        source="Neve & Palomares 2019",
        scalar=mean,
        fast=mean_fast,
        examples=(Example(given=_VIEWS, expected=62.5),),
    ),
    Entry(
        name="two.min",
        words="the worse side",
        formula="min(p, q)",
        source="Zadeh 1965",
        scalar=worse,
        fast=worse_fast,
        examples=(Example(given=_VIEWS, expected=25.0),),
    ),
    Entry(
        name="two.product",
        words="both say yes",
        formula="p q",
        source="Zadeh 1965",
        scalar=product,
        fast=product_fast,
        examples=(
            Example(given=_VIEWS, expected=25.0),
            Example(given={"p": 50.0, "q": 50.0}, expected=25.0),
        ),
    ),
    Entry(
        name="two.uninorm",
        words="views above one half strengthen each other, views below weaken each other",
        formula="p q / (p q + (1-p)(1-q)); 0 for 0 with 1",
        source="Appel et al. 2017",
        scalar=uninorm,
        fast=uninorm_fast,
        examples=(
            Example(given=_VIEWS, expected=100.0, note="a full yes wins over every doubt but a full no"),
            Example(given={"p": 80.0, "q": 80.0}, expected=94.12, note="0.64 / 0.68"),
            Example(given={"p": 50.0, "q": 30.0}, expected=30.0, note="one half is neutral"),
            Example(given={"p": 0.0, "q": 100.0}, expected=0.0),
        ),
    ),
    transfers.ENTRY,
)
