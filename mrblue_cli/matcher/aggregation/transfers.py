"""Two views in a market where a dancer can dance with one person only: equilibrium with transfers. PURE.

Choo & Siow 2006: with surplus p + q of a pair, the number mu of matches of two people solves
mu(i, j) = exp((p + q) / 2t) sqrt(mu(i, 0) mu(0, j)), each person's matches and the time alone mu(i, 0) summing to 1.
Tomita et al. 2023 rank by mu. Views are on 0..1 here, t is the temperature.

As a score: t log mu(i, j) = (p + q) / 2 + t (a(i) + b(j)), with a, b the logs of sqrt(mu(i, 0)) and sqrt(mu(0, j)): the
mean of both views less what each side's being sought after costs. Taken against the same market with everybody's
surplus at its mean, it is on the scale of the views: a market of equal views c scores c, the mean of two views is what
they score alone, somebody sought after more than others scores less with each of them. Where everybody may dance with
everybody of the other side the order of pairs is that of mu. Cut to 0..100.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from mrblue_cli.core.errors import UsageError
from mrblue_cli.matcher.aggregation.shares import bounded, bounded_fast
from mrblue_cli.matcher.columns import Floats, Ints
from mrblue_cli.matcher.model import UNKNOWN_COUNTS
from mrblue_cli.matcher.registry import Entry, Example

TEMPERATURE = 1.0
"""Spread of what people want beyond what is stated, on views of 0..1; Choo & Siow's unit."""
LEAST_TEMPERATURE = 0.1
"""Below, time alone is so short that rounding shows."""
_SWEEPS, _CLOSE = 10_000, 1e-13
_DIRECT = 300
"""People up to which a linear system is solved outright."""
Table = Sequence[Sequence[float]]


def tu(p: Any, q: Any, *, temperature: float = TEMPERATURE) -> Any:
    """Scores [leaders][followers] of views p and q (the leaders' and the followers', 0..100), or one score of two
    numbers: a market of these two, where it is their mean.

    By iterative proportional fitting, as in the sources, with one more step a sweep: one factor on one side and its
    inverse on the other, which plain fitting finds slowly in a balanced market. Raises `UsageError` below the least
    temperature.
    """
    _warm(temperature)
    if isinstance(p, float | int):
        return float(tu(((p,),), ((q,),), temperature=temperature)[0][0])
    if not p or not p[0]:
        return [[] for _ in p]
    joy: list[list[float]] = [
        [(one + other) / 200.0 for one, other in zip(ours, theirs, strict=True)]
        for ours, theirs in zip(p, q, strict=True)
    ]
    level = sum(map(sum, joy)) / (len(joy) * len(joy[0]))
    ours, theirs = _fit(joy, temperature)
    plain_ours, plain_theirs = _fit([[level] * len(row) for row in joy], temperature)
    return [
        [
            bounded(100.0 * (value + temperature * (ours[i] - plain_ours[i] + theirs[j] - plain_theirs[j])))
            for j, value in enumerate(row)
        ]
        for i, row in enumerate(joy)
    ]


def _fit(joy: list[list[float]], temperature: float) -> tuple[list[float], list[float]]:
    """Logs of sqrt(mu(i, 0)) and sqrt(mu(0, j))."""
    pull = [[math.exp(value / temperature) for value in row] for row in joy]
    ours, theirs = [1.0] * len(pull), [1.0] * len(pull[0])
    for _ in range(_SWEEPS):
        before = ours
        ours = [_alone(sum(k * b for k, b in zip(row, theirs, strict=True))) for row in pull]
        theirs = [_alone(sum(row[j] * a for row, a in zip(pull, ours, strict=True))) for j in range(len(theirs))]
        free, other = sum(a * a for a in ours), sum(b * b for b in theirs)
        gap = len(ours) - len(theirs)
        # Time alone of one side less that of the other is the difference in heads; this factor makes it so.
        root = math.sqrt(gap * gap + 4 * free * other)
        # Two ways to write one root; each cancels where the other does not.
        factor = math.sqrt((root + gap) / (2 * free) if gap >= 0 else 2 * other / (root - gap))
        ours, theirs = [a * factor for a in ours], [b / factor for b in theirs]
        if max(abs(math.log(a / b)) for a, b in zip(ours, before, strict=True)) < _CLOSE:
            break
    return [math.log(a) for a in ours], [math.log(b) for b in theirs]


def _alone(pull: float) -> float:
    """The positive root of x^2 + x pull = 1."""
    return 1.0 / (pull / 2 + math.sqrt(1.0 + pull * pull / 4))


def tu_fast(p: Floats, q: Floats, *, temperature: float = TEMPERATURE) -> Floats:
    """`tu` of matrices [L, F]. NaN: unknown, counts 50 in the market and stays NaN."""
    p, q = np.atleast_2d(np.asarray(p, dtype=np.float64)), np.atleast_2d(np.asarray(q, dtype=np.float64))
    leaders, followers = np.divmod(np.arange(p.size), max(1, p.shape[1]))
    found = market(p.shape[0] + p.shape[1], leaders, p.shape[0] + followers, p.ravel(), q.ravel(), temperature)
    return found.reshape(p.shape)


def market(n: int, left: Ints, right: Ints, p: Floats, q: Floats, temperature: float = TEMPERATURE) -> Floats:
    """[pairs] scores of the pairs (left, right) of n people, each pair once, that may dance; p is left's view of
    right, q the reverse. NaN: unknown, counts 50 in the market and stays NaN.

    Roles do not matter: who dances both may be in pairs with anybody. Memory n^2.
    """
    _warm(temperature)
    if not len(left):
        return np.zeros(0)
    joy = (np.where(np.isnan(p), UNKNOWN_COUNTS, p) + np.where(np.isnan(q), UNKNOWN_COUNTS, q)) / 200.0
    sought = _equilibrium(n, left, right, joy / temperature)
    plain = _equilibrium(n, left, right, np.full(len(joy), joy.mean() / temperature))
    rise = sought - plain
    scores = bounded_fast(100.0 * (joy + temperature * (rise[left] + rise[right])))
    return np.where(np.isnan(p) | np.isnan(q), np.nan, scores)


def _equilibrium(n: int, left: Ints, right: Ints, joy: Floats) -> Floats:
    """[n] logs a of sqrt(time alone): exp(2 a(i)) + sum over j of exp(joy(i, j) + a(i) + a(j)) = 1.

    That is the gradient of a strictly convex function of a, so Newton's method with halved steps finds the one
    solution, also where fitting in turns would crawl (dual-role people, a market that falls into parts).
    """
    pull = np.zeros((n, n))
    pull[left, right] = pull[right, left] = np.exp(joy)

    def matches(a: Floats) -> Floats:
        size = np.exp(a)
        return np.asarray(size[:, None] * pull * size)

    def height(a: Floats, shared: Floats) -> float:
        return float((np.exp(2 * a).sum() + shared.sum()) / 2 - a.sum())

    a = -0.5 * np.log1p(pull.sum(axis=1))
    shared = matches(a)
    now = height(a, shared)
    for _ in range(200):
        alone, danced = np.exp(2 * a), shared.sum(axis=1)
        gap = alone + danced - 1.0
        curvature = shared
        curvature[np.diag_indices(n)] = 2 * alone + danced
        step = np.clip(_newton_step(curvature, gap), -1.0, 1.0)
        while True:
            shared = matches(a - step)
            then = height(a - step, shared)
            # Near the bottom heights differ by rounding only, while steps still gain digits.
            if then <= now + _CLOSE * abs(now) or np.abs(step).max() < _CLOSE:
                break
            step /= 2
        a, now = a - step, then
        if np.abs(step).max() < _CLOSE * 10:
            break
    return np.asarray(a)


def _newton_step(curvature: Floats, gap: Floats) -> Floats:
    """The solution of curvature step = gap, positive definite."""
    from scipy.linalg import solve

    if len(gap) > _DIRECT:
        from scipy.sparse import diags_array
        from scipy.sparse.linalg import cg

        # All but a few directions bend alike here, so that conjugate gradients need some dozen products.
        inverse = diags_array(1.0 / np.diagonal(curvature))
        step, failed = cg(curvature, gap, rtol=1e-13, atol=1e-15, maxiter=300, M=inverse)
        if not failed:
            return np.asarray(step)
    return np.asarray(solve(curvature, gap, assume_a="pos"))


def _warm(temperature: float) -> None:
    if not LEAST_TEMPERATURE <= temperature < math.inf:
        raise UsageError(
            f"the temperature of two.tu is {temperature:g}", hint=f"it is {LEAST_TEMPERATURE:g} or more; 1 is usual"
        )


ENTRY = Entry(
    name="two.tu",
    words="equilibrium with transfers: being sought after by many costs",
    formula="(p + q)/2 + t (a(i) + b(j)), against a market of equal views; a, b logs of sqrt(time alone)",
    source="Choo & Siow 2006; Tomita et al. 2023",
    scalar=tu,
    fast=tu_fast,
    listwise=True,
    examples=(
        Example(given={"p": 100.0, "q": 25.0}, expected=62.5, note="two people alone: their mean"),
        Example(
            given={"p": ((80.0, 80.0), (80.0, 80.0)), "q": ((40.0, 40.0), (40.0, 40.0))},
            expected=((60.0, 60.0), (60.0, 60.0)),
            note="nobody is sought after more than others",
        ),
    ),
    parameters={"temperature": TEMPERATURE},
)
