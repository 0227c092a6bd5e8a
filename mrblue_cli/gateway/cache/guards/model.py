"""The fitted part of the judgement: boosted trees over the features of a pair, kept as numbers. Pure.

Trees are complete, of depth three: seven splits (feature, edge; left when value <= edge) in heap order, then eight
leaves. `bench.cache_calibrate` fits them (gradient boosting after Friedman 2001, with monotone features).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from mrblue_cli.gateway.cache.guards.coefficients import BASE, SHIFT, TREES

_Tree = tuple[tuple[int, ...], tuple[float, ...], tuple[float, ...]]


def _unpack(text: str) -> tuple[_Tree, ...]:
    trees = []
    for line in text.replace("\n", " ").split(";"):
        numbers = line.split()
        if numbers:
            trees.append(
                (tuple(map(int, numbers[0:7])), tuple(map(float, numbers[7:14])), tuple(map(float, numbers[14:22])))
            )
    return tuple(trees)


_TREES: Final = _unpack(TREES)


def log_odds(features: Sequence[float]) -> float:
    """Raw output of the trees for one row of features."""
    total = BASE
    for splits, edges, leaves in _TREES:
        node = 0 if features[splits[0]] <= edges[0] else 1
        node = 2 * node + (features[splits[1 + node]] > edges[1 + node])
        total += leaves[2 * node + (features[splits[3 + node]] > edges[3 + node])]
    return total


def score(features: Sequence[float]) -> float:
    """How sure it is that one answer serves both texts, 0 … 1; 0.95 is the strictness of the published figures."""
    return 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, log_odds(features) + SHIFT))))
