"""What two people's sets of tags share. PURE. The baseline reads styles; `of` names another set."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from mrblue_cli.matcher.criteria import set_minhash, set_weighted
from mrblue_cli.matcher.criteria.set_base import (
    NOTHING,
    TWO_OF_FOUR,
    TWO_OF_TWO_AND_FOUR,
    Formula,
    Of,
    counted,
    counted_fast,
    counts,
    known,
    reasoned,
    tags,
    unsaid,
)
from mrblue_cli.matcher.registry import Entry, Example

__all__ = ["ENTRIES", "Of", "counts", "jaccard", "jaccard_fast", "known", "reasoned", "tags", "unsaid"]


def over_union(common: Any, ours: Any, theirs: Any) -> Any:
    """Common over union (Jaccard 1912)."""
    return common / (ours + theirs - common)


def over_mean_size(common: Any, ours: Any, theirs: Any) -> Any:
    """Common over the mean of the sizes (Dice 1945)."""
    return 2.0 * common / (ours + theirs)


def over_smaller(common: Any, ours: Any, theirs: Any) -> Any:
    """Common over the smaller set (Simpson 1943): 1 when one set holds the other."""
    return common / np.minimum(ours, theirs)


def over_geometric_size(common: Any, ours: Any, theirs: Any) -> Any:
    """Common over the geometric mean of the sizes (Ochiai 1957)."""
    return common / np.sqrt(ours * theirs)


def mean_containment(common: Any, ours: Any, theirs: Any) -> Any:
    """The mean of the shares that each set finds in the other (Kulczynski 1927)."""
    return (common / ours + common / theirs) / 2.0


def contrast(common: Any, ours: Any, theirs: Any, *, mine: float = 0.75, yours: float = 0.25) -> Any:
    """Common against what each has alone (Tversky 1977): what I like and you do not counts `mine`, the rest `yours`."""
    return common / (common + mine * (ours - common) + yours * (theirs - common))


jaccard = partial(counted, over_union)
"""Common over union, for two people."""
jaccard_fast = partial(counted_fast, over_union)
"""`jaccard` for many pairs; NaN: unknown."""


def _entry(
    name: str,
    words: str,
    formula: str,
    source: str,
    function: Formula,
    *expected: float,
    symmetric: bool = True,
    **parameters: float,
) -> Entry:
    """An entry over sizes, with what it says of the three pairs of the worked examples."""
    pairs = (TWO_OF_FOUR, TWO_OF_TWO_AND_FOUR, NOTHING)
    return Entry(
        name=name,
        words=words,
        formula=formula,
        source=source,
        scalar=partial(counted, function),
        fast=partial(counted_fast, function),
        examples=tuple(Example(given=pair, expected=value) for pair, value in zip(pairs, expected, strict=True)),
        symmetric=symmetric,
        parameters={"of": "styles", **parameters},
    )


ENTRIES: tuple[Entry, ...] = (
    _entry(
        "set.jaccard",
        "tags in common out of all tags of the two",
        "|A and B| / |A or B|",
        "Jaccard 1912",
        over_union,
        50.0,
        50.0,
        0.0,
    ),
    _entry(
        "set.dice",
        "tags in common, counted for both, out of the tags that both named",
        "2 |A and B| / (|A| + |B|)",
        "Dice 1945",
        over_mean_size,
        66.67,
        66.67,
        0.0,
    ),
    _entry(
        "set.overlap",
        "tags in common out of the shorter list",
        "|A and B| / min(|A|, |B|)",
        "Simpson 1943",
        over_smaller,
        66.67,
        100.0,
        0.0,
    ),
    _entry(
        "set.ochiai",
        "tags in common out of the geometric mean of the two lists' lengths",
        "|A and B| / sqrt(|A| |B|)",
        "Ochiai 1957",
        over_geometric_size,
        66.67,
        70.71,
        0.0,
    ),
    _entry(
        "set.kulczynski",
        "mean of the shares of each list that the other has too",
        "(|A and B| / |A| + |A and B| / |B|) / 2",
        "Kulczynski 1927",
        mean_containment,
        66.67,
        75.0,
        0.0,
    ),
    _entry(
        "set.tversky",
        "tags in common against tags of one alone; what the other lacks of mine weighs more than what I lack of theirs",
        "|A and B| / (|A and B| + mine |A only| + yours |B only|)",
        "Tversky 1977",
        contrast,
        66.67,
        80.0,
        0.0,
        symmetric=False,
        mine=0.75,
        yours=0.25,
    ),
    *set_weighted.ENTRIES,
    *set_minhash.ENTRIES,
)
