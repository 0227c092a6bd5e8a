"""Scores that depend on all pairs of a community: by rank or ideal, by learnt weights, in a market of views. PURE.

The alternatives are all feasible pairs, each once, so that swapping two people or the order of input changes nothing.
What is found over them is kept with the community. Unknown criteria count 50, as in the mean; differences under a
billionth of a point are rounding and tell no two pairs apart.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import numpy as np
import numpy.typing as npt

from mrblue_cli.core.errors import UsageError
from mrblue_cli.matcher import registry
from mrblue_cli.matcher.compiled import Community, Floats, Ints
from mrblue_cli.matcher.model import UNKNOWN_COUNTS
from mrblue_cli.matcher.recipe import Choice, Recipe

MOST_FOR_LISTWISE = 2000
"""People up to which an aggregation over all pairs at once is offered: it needs every pair in memory."""
_CHUNK = 1 << 17
_DIGITS = 9
Feasible = Callable[[Ints, Ints], npt.NDArray[np.bool_]]
Terms = Callable[[Ints, Ints], Floats]
"""[n, criteria] 0..100 for n pairs of rows, NaN unknown."""


class Alternatives(msgspec.Struct, frozen=True, kw_only=True):
    """All feasible pairs of a community, by rows, the smaller first, in ascending order."""

    people: int
    left: Ints
    right: Ints
    keys: Ints
    """left * people + right, ascending."""

    def at(self, left: Ints, right: Ints) -> Ints:
        """[n] which alternative each pair is, whichever way round; -1: none."""
        if not len(self.keys):
            return np.full(len(left), -1, dtype=np.int64)
        wanted = np.minimum(left, right) * self.people + np.maximum(left, right)
        found = np.minimum(np.searchsorted(self.keys, wanted), len(self.keys) - 1)
        return np.where(self.keys[found] == wanted, found, -1)


def looks_at_everybody(recipe: Recipe) -> bool:
    """Whether the aggregation compares a pair with all others, or learns from them."""
    entry = registry.find(recipe.aggregate)
    return entry.listwise or entry.needs_history


def overall(
    community: Community, left: Ints, right: Ints, recipe: Recipe, *, feasible: Feasible, terms: Terms
) -> Floats:
    """[n] scores of pairs among all alternatives; 0 for a pair that is none. Raises `UsageError` for a community too
    large, and for one to learn from in which nobody danced."""
    pairs = _alternatives(community, recipe, recipe.aggregate, feasible)
    return _lookup(_scores(community, recipe, pairs, terms), pairs.at(left, right))


def views(
    community: Community,
    left: Ints,
    right: Ints,
    recipe: Recipe,
    *,
    feasible: Feasible,
    terms: Terms,
    viewed: Terms,
) -> Floats:
    """[n] as `overall`, for the left one's view: the alternatives are both sides' views (`viewed`) of all feasible
    pairs, in one list. What is learnt is learnt from `terms`."""
    pairs = _alternatives(community, recipe, recipe.aggregate, feasible)

    def make() -> Floats:
        matrix = np.concatenate((_filled(viewed, pairs.left, pairs.right), _filled(viewed, pairs.right, pairs.left)))
        return _aggregated(community, recipe, pairs, matrix, terms)

    scores = community.derived(("views among all", _key(recipe)), make)
    at = pairs.at(left, right)
    return _lookup(scores, np.where((at >= 0) & (left > right), at + len(pairs.keys), at))


def fused(
    community: Community,
    left: Ints,
    right: Ints,
    choice: Choice,
    recipe: Recipe,
    *,
    feasible: Feasible,
    viewed: Callable[[Ints, Ints], Floats],
) -> Floats:
    """[n] both views of one directed criterion, fused in the market of all feasible pairs; NaN unknown.

    `viewed(left, right)` [n] is the left one's view, 0..100. A pair that is no alternative is fused as two people
    alone.
    """
    from mrblue_cli.matcher.aggregation.transfers import market

    pairs = _alternatives(community, recipe, recipe.fuse, feasible)

    def make() -> Floats:
        forward, backward = viewed(pairs.left, pairs.right), viewed(pairs.right, pairs.left)
        return market(len(community), pairs.left, pairs.right, forward, backward)

    scores = community.derived(("market", recipe.strict, msgspec.json.encode(choice, order="deterministic")), make)
    at = pairs.at(left, right)
    found = _lookup(scores, at)
    alone = at < 0
    if alone.any():
        found[alone] = (viewed(left[alone], right[alone]) + viewed(right[alone], left[alone])) / 2
    return found


def _alternatives(community: Community, recipe: Recipe, name: str, feasible: Feasible) -> Alternatives:
    n = len(community)
    if n > MOST_FOR_LISTWISE:
        raise UsageError(
            f"{name} compares all pairs with each other: {n:,} people are too many, it takes up to "
            f"{MOST_FOR_LISTWISE:,}",
            hint="split the file by city, or use agg.mean or another aggregation that looks at one pair at a time",
        )

    def make() -> Alternatives:
        left, right = np.triu_indices(n, 1)
        parts = [
            feasible(left[start : start + _CHUNK], right[start : start + _CHUNK])
            for start in range(0, len(left), _CHUNK)
        ]
        there = np.concatenate(parts) if parts else np.zeros(0, dtype=np.bool_)
        left, right = left[there].astype(np.int64), right[there].astype(np.int64)
        return Alternatives(people=n, left=left, right=right, keys=left * n + right)

    return community.derived(("alternatives", recipe.strict), make)


def _scores(community: Community, recipe: Recipe, pairs: Alternatives, terms: Terms) -> Floats:
    def make() -> Floats:
        return _aggregated(community, recipe, pairs, _filled(terms, pairs.left, pairs.right), terms)

    return community.derived(("among all", _key(recipe)), make)


def _aggregated(community: Community, recipe: Recipe, pairs: Alternatives, matrix: Floats, terms: Terms) -> Floats:
    entry = registry.find(recipe.aggregate)
    assert entry.fast is not None  # noqa: S101 - each aggregation has one; the walk over the catalogue sees to it
    weights = np.array([choice.weight for choice in recipe.choices])
    if not entry.needs_history:
        return np.asarray(entry.fast(matrix, weights), dtype=np.float64)
    from mrblue_cli.matcher.aggregation.odds import Learnt, learn

    def make() -> Learnt:
        danced = _danced(community, pairs)
        if len(danced) and not danced.any():
            raise UsageError(
                f"{entry.name} learns from who danced with whom, and no two who can dance here have",
                hint="give people a 'history' in the file, or use another aggregation",
            )
        return learn(_filled(terms, pairs.left, pairs.right), danced, weights)

    learnt = community.derived(("learnt", _key(recipe)), make)
    return np.asarray(entry.fast(matrix, weights, learnt=learnt), dtype=np.float64)


def _danced(community: Community, pairs: Alternatives) -> npt.NDArray[np.bool_]:
    """[alternatives] whether either of the two counts the other among the people danced with."""
    owner = np.repeat(np.arange(len(community), dtype=np.int64), community.history.sizes)
    other = community.history.values.astype(np.int64)
    found = np.zeros(len(pairs.keys) + 1, dtype=np.bool_)
    found[pairs.at(owner, other)] = True
    return found[:-1]


def _filled(terms: Terms, left: Ints, right: Ints) -> Floats:
    parts = [
        terms(left[start : start + _CHUNK], right[start : start + _CHUNK])
        for start in range(0, max(1, len(left)), _CHUNK)
    ]
    matrix = np.concatenate(parts)
    return np.asarray(np.where(np.isnan(matrix), UNKNOWN_COUNTS, matrix).round(_DIGITS))


def _lookup(scores: Floats, at: Ints) -> Floats:
    # Position -1, no alternative, finds the 0 at the end.
    return np.concatenate((scores, [0.0]))[at]


def _key(recipe: Recipe) -> bytes:
    return msgspec.json.encode(recipe, order="deterministic")
