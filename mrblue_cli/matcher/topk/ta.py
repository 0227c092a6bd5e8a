"""The threshold algorithm: the best k from one sorted list for each criterion. PURE.

Fagin, Lotem and Naor, "Optimal aggregation algorithms for middleware" (2003). The lists are read in parallel; whoever
turns up in one is scored in full. No one who has not turned up yet can score more than a person made of the last values
read, which is the threshold; the search is over when the k-th best so far is above it. The lists of one person depend
on that person, so they have to be sorted first, and the saving is in what is scored: a method to compare with.
"""

from __future__ import annotations

import numpy as np

from mrblue_cli.matcher.columns import Floats, Ints
from mrblue_cli.matcher.compiled import Community
from mrblue_cli.matcher.model import UNKNOWN_COUNTS
from mrblue_cli.matcher.recipe import Recipe
from mrblue_cli.matcher.scoring import feasible, in_order, terms
from mrblue_cli.matcher.topk.base import Found


def serves(recipe: Recipe) -> bool:
    """Whether a better value in one criterion can never make a score worse, and the sum is that of the mean."""
    return recipe.aggregate == "agg.mean" and recipe.missing == "half"


def threshold(community: Community, recipe: Recipe, rows: Ints, k: int) -> Found:
    """The best k of each row. Call `serves` first."""
    found = Found(rows=np.full((len(rows), k), -1, dtype=np.int64), scores=np.full((len(rows), k), np.nan))
    everyone = np.arange(len(community), dtype=np.int64)
    weights = np.array([choice.weight for choice in recipe.choices])
    used = np.flatnonzero(weights > 0)
    for index, row in enumerate(np.asarray(rows).tolist()):
        able = everyone[feasible(community, np.full_like(everyone, row), everyone, strict=recipe.strict)]
        values = terms(community, np.full_like(able, row), able, recipe)[:, used]
        values = np.where(np.isnan(values), UNKNOWN_COUNTS, values)
        best, scores, _ = read(values, weights[used], k)
        found.rows[index, : len(best)], found.scores[index, : len(best)] = able[best], scores
    return found


def read(values: Floats, weights: Floats, k: int) -> tuple[Ints, Floats, int]:
    """The best k of n by weighted sum, ties by smaller number; their scores; how many had to be scored.

    `values` [n, m]: one column for each list.
    """
    n, lists = values.shape
    if not n or not k:
        return np.zeros(0, dtype=np.int64), np.zeros(0), 0
    order = np.argsort(-values, axis=0, kind="stable")
    # The depth at which each one first turns up in any list.
    depth = np.full(n, n)
    for column in range(lists):
        depth[order[:, column]] = np.minimum(depth[order[:, column]], np.arange(n))
    limits = in_order(np.take_along_axis(values, order, axis=0), weights)
    step = 1
    while True:
        last = min(n, step) - 1
        seen = np.flatnonzero(depth <= last)
        scores = in_order(values[seen], weights)
        # At a score equal to the threshold somebody unseen may tie with a smaller number: only above it is it over.
        if last == n - 1 or (len(seen) >= k and np.partition(scores, len(scores) - k)[-k] > limits[last]):
            best = np.lexsort((seen, -scores))[:k]
            return seen[best], scores[best], len(seen)
        step *= 2
