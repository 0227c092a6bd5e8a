"""The best k by comparing each person with everybody, in blocks: any recipe, plain arrays, exact. PURE.

Never more than a block of pairs is in memory. Pairs that cannot dance are left out before anything is scored.
"""

from __future__ import annotations

import numpy as np

from mrblue_cli.matcher.columns import Floats, Ints
from mrblue_cli.matcher.compiled import Community
from mrblue_cli.matcher.recipe import Recipe
from mrblue_cli.matcher.scoring import feasible, score
from mrblue_cli.matcher.topk.base import Found

_PAIRS = 1 << 18
"""Pairs scored at a time: about 100 MB with a dozen columns."""


class Scan:
    """Everybody against everybody."""

    engine = "arrays"

    def __init__(self, community: Community, recipe: Recipe) -> None:
        self._community = community
        self._recipe = recipe

    def order(self, rows: Ints) -> Ints:
        """Any order is as good as another."""
        return rows

    def find(self, rows: Ints, k: int) -> Found:
        """The best k of each row. Raises `UsageError` for an aggregation over all pairs of too many people."""
        found = Found(rows=np.full((len(rows), k), -1, dtype=np.int64), scores=np.full((len(rows), k), np.nan))
        n = len(self._community)
        height = max(1, _PAIRS // max(1, n))
        for start in range(0, len(rows), height):
            block = rows[start : start + height]
            self._block(block, found.rows[start : start + height], found.scores[start : start + height])
        return found

    def _block(self, block: Ints, rows: Ints, scores: Floats) -> None:
        n, k = len(self._community), rows.shape[1]
        owners, rights, found = [], [], []
        for first in range(0, n, _PAIRS):
            others = np.arange(first, min(n, first + _PAIRS), dtype=np.int64)
            left, right = np.repeat(block, len(others)), np.tile(others, len(block))
            owner = np.repeat(np.arange(len(block)), len(others))
            able = feasible(self._community, left, right, strict=self._recipe.strict)
            left, right, owner = left[able], right[able], owner[able]
            values = score(self._community, left, right, self._recipe).overall
            owner, right, values = _best(owner, right, values, k)
            owners.append(owner)
            rights.append(right)
            found.append(values)
        if not owners:
            return
        owner, right, values = _best(np.concatenate(owners), np.concatenate(rights), np.concatenate(found), k)
        place = _ranks(owner)
        rows[owner, place], scores[owner, place] = right, values


def _best(owner: Ints, right: Ints, values: Floats, k: int) -> tuple[Ints, Ints, Floats]:
    """Of each owner the k highest, ties by smaller row, in this order."""
    order = np.lexsort((right, -values, owner))
    order = order[_ranks(owner[order]) < k]
    return owner[order], right[order], values[order]


def _ranks(owner: Ints) -> Ints:
    """[n] how many of the same owner come before; `owner` is sorted."""
    if not len(owner):
        return owner
    starts = np.flatnonzero(np.r_[True, owner[1:] != owner[:-1]])
    return np.arange(len(owner)) - np.repeat(starts, np.diff(np.r_[starts, len(owner)]))
