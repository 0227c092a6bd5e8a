"""Gradient boosted trees of depth three with monotone features, in numpy: enough to fit the cache's judgement.

Friedman, "Greedy function approximation: a gradient boosting machine" (2001), second-order steps, histograms. A
feature with a declared direction never moves the score the other way: bounds are handed down the tree.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
DEPTH = 3
_NODES = 2**DEPTH - 1


class Model(NamedTuple):
    """Fitted trees: per tree seven features, seven edges (left when value <= edge) and eight leaves, in heap order."""

    base: float
    features: npt.NDArray[np.int64]
    edges: Array
    leaves: Array

    def log_odds(self, rows: Array) -> Array:
        """Raw output for rows [n, d]."""
        total = np.full(len(rows), self.base)
        every = np.arange(len(rows))
        for features, edges, leaves in zip(self.features, self.edges, self.leaves, strict=True):
            node = np.zeros(len(rows), np.int64)
            for _ in range(DEPTH):
                node = 2 * node + 1 + (rows[every, features[node]] > edges[node])
            total += leaves[node - _NODES]
        return total


class _Split(NamedTuple):
    feature: int
    bin: int
    left: float
    right: float


class Booster:
    """Fits a `Model`."""

    def __init__(
        self, directions: list[int], *, rounds: int, rate: float, ridge: float, least: float, seed: int = 0
    ) -> None:
        self.directions = directions
        self.rounds, self.rate, self.ridge, self.least = rounds, rate, ridge, least
        self.chance = np.random.default_rng(seed)

    def fit(self, rows: Array, labels: Array, weights: Array) -> Model:
        """Rows [n, d], labels 0/1, weights [n]."""
        shares = np.linspace(0, 1, 33)[1:-1]
        edges = [np.unique(np.quantile(rows[:, f], shares)) for f in range(rows.shape[1])]
        bins = np.stack([np.searchsorted(edges[f], rows[:, f], side="left") for f in range(rows.shape[1])], axis=1)
        prior = float(weights @ labels / weights.sum())
        base = float(np.log(prior / (1 - prior)))
        output = np.full(len(rows), base)
        trees = []
        for _ in range(self.rounds):
            chance = 1 / (1 + np.exp(-output))
            slope, bend = weights * (labels - chance), weights * chance * (1 - chance)
            seen = self.chance.random(len(rows)) < 0.8
            allowed = np.flatnonzero(self.chance.random(rows.shape[1]) < 0.6)
            tree, node = self._grow(bins, edges, slope, bend, weights, seen, allowed)
            output += tree[2][node - _NODES]
            trees.append(tree)
        return Model(base, *(np.array(part) for part in zip(*trees, strict=True)))

    def _grow(self, bins, edges, slope, bend, weights, seen, allowed):  # noqa: ANN001, ANN202
        """One tree, and the leaf of every row."""
        node = np.zeros(len(bins), np.int64)
        features, cuts = np.zeros(_NODES, np.int64), np.full(_NODES, np.inf)
        values = np.zeros(2 * _NODES + 1)
        bounds = {0: (-np.inf, np.inf)}
        for place in range(_NODES):
            inside = np.flatnonzero((node == place) & seen)
            split = (
                self._split(bins, edges, slope, bend, weights, inside, allowed, bounds[place]) if len(inside) else None
            )
            low, high = bounds[place]
            left, right = 2 * place + 1, 2 * place + 2
            here = node == place
            if split is None:
                values[left] = values[right] = values[place]
                bounds[left] = bounds[right] = bounds[place]
                node[here] = left
                continue
            features[place], cuts[place] = split.feature, edges[split.feature][split.bin]
            values[left], values[right] = split.left, split.right
            middle, way = (split.left + split.right) / 2, self.directions[split.feature]
            bounds[left] = (low, min(high, middle)) if way > 0 else (max(low, middle), high) if way < 0 else (low, high)
            bounds[right] = (
                (max(low, middle), high) if way > 0 else (low, min(high, middle)) if way < 0 else (low, high)
            )
            node[here] = np.where(bins[here, split.feature] <= split.bin, left, right)
        return (features, cuts, self.rate * values[_NODES:]), node

    def _split(self, bins, edges, slope, bend, weights, inside, allowed, bounds) -> _Split | None:  # noqa: ANN001
        """The best cut of the rows inside a node, or None when none gains."""
        slopes, bends, whole = slope[inside].sum(), bend[inside].sum(), weights[inside].sum()
        best, found = 1e-3, None
        for feature in allowed:
            size = len(edges[feature]) + 1
            if size < 2:
                continue
            column = bins[inside, feature]
            g = np.bincount(column, slope[inside], size)[:-1].cumsum()
            h = np.bincount(column, bend[inside], size)[:-1].cumsum()
            w = np.bincount(column, weights[inside], size)[:-1].cumsum()
            left = np.clip(g / (h + self.ridge), *bounds)
            right = np.clip((slopes - g) / (bends - h + self.ridge), *bounds)
            gain = (
                (g * left - 0.5 * (h + self.ridge) * left**2)
                + ((slopes - g) * right - 0.5 * (bends - h + self.ridge) * right**2)
                - 0.5 * slopes**2 / (bends + self.ridge)
            )
            gain[(w < self.least) | (whole - w < self.least)] = -1
            gain[self.directions[feature] * (right - left) < 0] = -1
            place = int(gain.argmax())
            if gain[place] > best:
                best, found = gain[place], _Split(int(feature), place, float(left[place]), float(right[place]))
        return found
