"""Criteria as evidence: log odds that two people suit each other, out of given or learnt weights. PURE."""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from mrblue_cli.core.errors import UsageError
from mrblue_cli.matcher.aggregation.shares import bounded, bounded_fast, counted, shares, weighted
from mrblue_cli.matcher.columns import Floats
from mrblue_cli.matcher.registry import Entry, Example

M, U, PRIOR = 0.75, 0.25, 0.5
"""How often two people who suit each other agree in a criterion, how often any two do, and how many do suit.

Conventions of this project, to be replaced by a community's own shares: mirrored, so that a criterion of 50, as an
unknown one counts, speaks neither for nor against."""
SLOPE = 6.0
"""Steepness before anything is learnt: a mean of 100 gives 95.3, of 50 gives 50."""
RIDGE = 1.0
Chance = float | Sequence[float]
"""One for all criteria, or one each."""


def logodds(
    scores: Sequence[float], weights: Sequence[float], *, m: Chance = M, u: Chance = U, prior: float = PRIOR
) -> float:
    """Chance out of 100 that two people suit each other, each criterion being a piece of evidence.

    A criterion of a out of 1 adds a log(m / u) + (1 - a) log((1 - m) / (1 - u)) to the log odds of `prior`, times its
    weight divided by the mean weight of those that count. Raises `UsageError` for chances that are not inside 0..1.
    """
    agree, differ = _evidence(m, u, prior, len(scores))
    total = math.log(prior / (1 - prior))
    many, part = len(counted(weights)), shares(weights)
    for position, score in enumerate(scores):
        degree = score / 100.0
        total += many * part[position] * (degree * agree[position] + (1 - degree) * differ[position])
    return _chance(total)


def logodds_fast(matrix: Floats, weights: Floats, *, m: Chance = M, u: Chance = U, prior: float = PRIOR) -> Floats:
    """`logodds` of each row."""
    agree, differ = _evidence(m, u, prior, matrix.shape[1])
    degree, part = matrix / 100.0, [len(counted(weights)) * share for share in shares(weights)]
    evidence = degree * np.array(agree) + (1 - degree) * np.array(differ)
    return _chance_fast(math.log(prior / (1 - prior)) + weighted(evidence, part))


def _evidence(m: Chance, u: Chance, prior: float, size: int) -> tuple[list[float], list[float]]:
    suits, any_two = ([float(chance)] * size if isinstance(chance, float | int) else list(chance) for chance in (m, u))
    if len(suits) != size or len(any_two) != size:
        raise UsageError(f"agg.logodds needs m and u for {size} criteria", hint="give one number for all or one each")
    for name, chance in (("prior", prior), *(("m", one) for one in suits), *(("u", one) for one in any_two)):
        if not 0 < chance < 1:
            raise UsageError(f"the {name} of agg.logodds is {chance:g}", hint="chances lie between 0 and 1")
    agree = [math.log(one / other) for one, other in zip(suits, any_two, strict=True)]
    return agree, [math.log((1 - one) / (1 - other)) for one, other in zip(suits, any_two, strict=True)]


def _chance(log_odds: float) -> float:
    # The logistic function, in a form that never overflows.
    return bounded(50.0 + 50.0 * math.tanh(log_odds / 2))


def _chance_fast(log_odds: Floats) -> Floats:
    return bounded_fast(50.0 + 50.0 * np.tanh(log_odds / 2))


class Learnt(msgspec.Struct, frozen=True, kw_only=True):
    """What a regression learnt: log odds = intercept + sum(coefficient * score / 100)."""

    intercept: float
    coefficients: tuple[float, ...]
    """One a criterion; 0 for one without weight."""


def beforehand(weights: Sequence[float] | Floats, slope: float = SLOPE) -> Learnt:
    """What is believed before anything is learnt: the organiser's weights, 50 for a mean of 50."""
    return Learnt(intercept=-slope / 2, coefficients=tuple(slope * share for share in shares(weights)))


def learn(
    matrix: Floats, danced: npt.NDArray[np.bool_], weights: Floats, *, ridge: float = RIDGE, slope: float = SLOPE
) -> Learnt:
    """Logistic regression on pairs (rows) that danced and pairs that did not, drawn towards `beforehand`.

    Minimises sum(c log(1 + exp(-z))) over pairs that danced, the same with +z over the others, plus ridge / 2 times
    the squared distance of (intercept, coefficients) from `beforehand`. c = 1 for pairs that danced; the others
    together count as much as those, so that 50 means: as much like one group as like the other. Criteria without
    weight take no part. Newton's method on a strictly convex function: one answer, no chance. With no pair of either
    kind nothing is learnt.
    """
    used = counted(weights)
    prior = beforehand(weights, slope)
    start = np.array([prior.intercept, *(prior.coefficients[position] for position in used)])
    many = int(danced.sum())
    if not 0 < many < len(danced):
        return prior
    inputs = np.column_stack((np.ones(len(matrix)), matrix[:, used] / 100.0))
    count = np.where(danced, 1.0, many / (len(danced) - many))
    sign = np.where(danced, -1.0, 1.0)

    def loss(beta: Floats) -> float:
        return float(count @ np.logaddexp(0.0, sign * (inputs @ beta)) + ridge / 2 * ((beta - start) ** 2).sum())

    beta, now = start, loss(start)
    for _ in range(100):
        chance = 0.5 + 0.5 * np.tanh(inputs @ beta / 2)
        gradient = inputs.T @ (count * (chance - danced)) + ridge * (beta - start)
        curvature = (inputs * (count * chance * (1 - chance))[:, None]).T @ inputs + ridge * np.eye(len(beta))
        step = np.linalg.solve(curvature, gradient)
        # A full step may overshoot where the curve is flat; halved often enough, it goes down. Near the bottom losses
        # differ by rounding only, while steps still gain digits.
        while (then := loss(beta - step)) > now + 1e-13 * abs(now) and np.abs(step).max() > 1e-12:
            step /= 2
        beta, now = beta - step, then
        if np.abs(step).max() < 1e-10:
            break
    coefficients = np.zeros(len(prior.coefficients))
    coefficients[used] = beta[1:]
    return Learnt(intercept=float(beta[0]), coefficients=tuple(coefficients.tolist()))


def logit(scores: Sequence[float], weights: Sequence[float], *, learnt: Learnt | None = None) -> float:
    """Chance out of 100 by a logistic regression; `learnt` by `learn`, None: `beforehand`."""
    model = learnt or beforehand(weights)
    total = model.intercept
    for coefficient, score in zip(model.coefficients, scores, strict=True):
        total += coefficient * score / 100.0
    return _chance(total)


def logit_fast(matrix: Floats, weights: Floats, *, learnt: Learnt | None = None) -> Floats:
    """`logit` of each row."""
    model = learnt or beforehand(weights)
    return _chance_fast(model.intercept + weighted(matrix / 100.0, model.coefficients))


ENTRIES: tuple[Entry, ...] = (
    Entry(
        name="agg.logodds",
        words="sum of log likelihood ratios, as a chance",
        formula="logistic(log odds + sum(w / mean w (a log(m/u) + (1-a) log((1-m)/(1-u))))), a = s/100, m 3/4, u 1/4",
        source="Fellegi & Sunter 1969",
        scalar=logodds,
        fast=logodds_fast,
        examples=(
            Example(given={"scores": (100.0,), "weights": (1.0,)}, expected=75.0, note="odds m / u = 3"),
            Example(given={"scores": (100.0, 100.0), "weights": (0.5, 0.5)}, expected=90.0, note="odds 9"),
            Example(given={"scores": (100.0, 0.0), "weights": (0.5, 0.5)}, expected=50.0, note="odds 3 / 3"),
            Example(
                given={"scores": (100.0, 0.0), "weights": (0.5, 0.5), "m": 0.9, "u": 0.5, "prior": 0.5},
                expected=26.47,
                note="odds 1.8 * 0.2 = 0.36",
            ),
        ),
        parameters={"m": M, "u": U, "prior": PRIOR},
    ),
    Entry(
        name="agg.logit",
        words="logistic weights learnt from who danced with whom, drawn towards the given ones",
        formula="1 / (1 + exp(-(b0 + sum(b s/100)))), ridge regression around b = 6 w, b0 = -3",
        source="Cox 1958",
        scalar=logit,
        fast=logit_fast,
        needs_history=True,
        examples=(
            Example(given={"scores": (50.0, 50.0), "weights": (0.5, 0.5)}, expected=50.0, note="nothing learnt yet"),
            Example(given={"scores": (100.0, 100.0), "weights": (0.5, 0.5)}, expected=95.26, note="1 / (1 + e^-3)"),
            Example(
                given={
                    "scores": (50.0, 100.0),
                    "weights": (0.5, 0.5),
                    "learnt": Learnt(intercept=-2.0, coefficients=(4.0, 0.0)),
                },
                expected=50.0,
                note="-2 + 4 * 0.5",
            ),
        ),
        parameters={"learnt": None},
    ),
)
