"""An error bound that the user sets, kept by learning from each kept answer how far it may be trusted. PURE.

After vCache (Schroeder et al. 2025, "vCache: Verified Semantic Prompt Caching", arXiv 2502.03771): each entry has its
own logistic model of P(correct | similarity), and a candidate is either served or withheld so that the fresh answer can
be compared with it. Three things differ:

- The bound holds for the share of wrong answers among semantic hits, not among all requests. So a candidate is served
  only when the model is sure enough, never as a gamble that the many misses would dilute.
- vCache fits by maximum likelihood and takes a confidence band from asymptotics, which hold for many observations; an
  entry sees few. Here the model is a posterior over a grid of curves `ceiling * sigmoid(steepness * (s - centre))`. The
  ceiling below 1 is for entries that are wrong now and then at any similarity ("what is the weather?"). What all
  entries taught is the prior of the next one (empirical Bayes), so that a new entry need not start from nothing.
- A share of the trusted hits is checked for ever, and the allowance follows what the checks find (adaptive conformal
  inference; Gibbs and Candes 2021, arXiv 2106.00170): the bound holds in the long run where the curves do not fit.
"""

from __future__ import annotations

import math
from collections import OrderedDict

import numpy as np
from numpy.typing import NDArray

Weights = NDArray[np.float64]
_Small = NDArray[np.float32]

CHECKED = 0.05
"""Share of trusted hits that are withheld and checked all the same, in the long run."""
_YOUNG = 20.0
"""Checks that passed after which half of the trusted hits are still checked: trust in the model is earned as well."""

_CENTRES = np.linspace(0.68, 1.04, 19)
_STEEPNESS = (30.0, 100.0, 400.0)
_FAULTS = {0.0: 0.40, 0.2: 0.20, 2.0: 0.15, 6.0: 0.15, 20.0: 0.10}
"""How often an entry is wrong at any similarity, in units of the bound: prior weight. Those just above the bound
decide how many observations it takes to trust an entry."""
_OPEN_MIND = 4.0
"""How many entries' worth of evidence the first prior counts."""
_MEMORY = 800.0
"""How many entries' worth of evidence the learnt prior holds at most; older evidence fades."""
_LEAST = 1e-4


class Curves:
    """The grid of curves for one bound, with its first prior."""

    def __init__(self, bound: float) -> None:
        tops = [(max(0.5, 1.0 - fault * bound), weight) for fault, weight in _FAULTS.items()]
        grid = [(centre, steep, top, weight) for centre in _CENTRES for steep in _STEEPNESS for top, weight in tops]
        self._centre, self._steep, self._top, weights = np.array(grid).T
        self.prior: Weights = weights / weights.sum()

    def at(self, similarity: float) -> Weights:
        """P(correct | similarity) under each curve."""
        sigmoid = 1.0 / (1.0 + np.exp(-np.clip(self._steep * (similarity - self._centre), -50, 50)))
        chances: Weights = np.clip(self._top * sigmoid, _LEAST, 1.0 - _LEAST)
        return chances


def assured(chances: Weights, posterior: Weights) -> float:
    """The best lower bound of P(correct): over all quantiles, the mass above one times the chance there.

    vCache's minimum over its confidence levels, with posterior mass in the place of coverage.
    """
    order = np.argsort(-chances)
    return float(np.max(np.cumsum(posterior[order]) * chances[order]))


class _Model:
    """What one entry taught."""

    __slots__ = ("evidence", "share")

    def __init__(self, curves: int) -> None:
        self.evidence: _Small = np.zeros(curves, np.float32)
        """Log-likelihood of the observations under each curve."""
        self.share: _Small | None = None
        """Its posterior, as last added to the common prior."""


class ErrorBound:
    """Decides for each candidate whether it is served, so that at most `bound` of the served ones are wrong.

    Knows the `max_size` entries observed last. Takes chance as an argument; asks for no clock.
    """

    def __init__(self, bound: float, *, max_size: int = 10_000) -> None:
        """`bound`: 0..1. Raises ValueError outside of it."""
        if not 0.0 <= bound <= 1.0:
            raise ValueError(f"an error bound of {bound}: it is a share, 0 to 1")
        self.bound = bound
        self.allowance = 0.8 * bound
        """The error that the models may foresee for a hit: starts careful, follows the checks, never above `bound`."""
        self._passed = 0.0
        self._max_size = max_size
        self._curves = Curves(bound)
        self._first = self._curves.prior * _OPEN_MIND
        self._models: OrderedDict[str, _Model] = OrderedDict()
        self._common: Weights = self._first.copy()

    def serve(self, key: str, similarity: float, chance: float) -> bool:
        """True: serve the entry. False: withhold it, ask the model, and tell `learn`. `chance`: uniform in 0..1."""
        return chance >= self.checked and self.trusts(key, similarity)

    @property
    def checked(self) -> float:
        """Share of trusted hits that is checked now: many at first and after a wrong one, `CHECKED` in the long run."""
        return max(CHECKED, _YOUNG / (_YOUNG + self._passed))

    def trusts(self, key: str, similarity: float) -> bool:
        """Whether what is known of the entry keeps a hit at this similarity within the allowance."""
        if self.bound >= 1.0:
            return True
        return assured(self._curves.at(similarity), self._posterior(self._models.get(key))) >= 1.0 - self.allowance

    def learn(self, key: str, similarity: float, *, right: bool) -> None:
        """Take in one comparison: would the entry's answer have been right?"""
        if self.trusts(key, similarity):
            self._adapt(right=right)
        model = self._models.pop(key, None) or _Model(len(self._first))
        self._models[key] = model
        if len(self._models) > self._max_size:
            self._models.popitem(last=False)
        chances = self._curves.at(similarity)
        model.evidence += np.log(chances if right else 1.0 - chances).astype(np.float32)
        if model.share is not None:
            # Its own evidence must not count twice, once as its prior.
            self._common = np.maximum(self._common - model.share, self._first / 2)
        share = self._posterior(model)
        model.share = share.astype(np.float32)
        self._common += share
        total = float(self._common.sum())
        if total > _MEMORY:
            self._common *= _MEMORY / total

    def forget(self, key: str) -> None:
        """The entry is gone. What it taught about entries in general stays."""
        self._models.pop(key, None)

    def _adapt(self, *, right: bool) -> None:
        """Move the allowance: far down for a wrong answer, a little up for a right one; level at `bound` wrong."""
        self._passed = self._passed + 1 if right else self._passed / 2
        step = self.bound / 2
        moved = self.allowance + step * (self.bound - (0.0 if right else 1.0))
        self.allowance = min(self.bound, max(self.bound / 20, moved))

    def _posterior(self, model: _Model | None) -> Weights:
        common = self._common
        if model is None:
            prior: Weights = common / common.sum()
            return prior
        if model.share is not None:
            common = np.maximum(common - model.share, self._first / 2)
        weights: Weights = common * np.exp(model.evidence - float(model.evidence.max()))
        total = float(weights.sum())
        return weights / total if math.isfinite(total) and total > 0 else self._curves.prior
