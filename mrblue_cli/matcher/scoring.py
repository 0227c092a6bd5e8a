"""The score of two people: plain form with reasons, and the same numbers for many pairs at once. PURE.

Reference section 1. Both forms add up in the order of the recipe, so that they agree to the last bit where the
criteria do.
"""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from mrblue_cli.core.errors import UsageError
from mrblue_cli.matcher import registry
from mrblue_cli.matcher.compiled import Community, Floats, Ints
from mrblue_cli.matcher.criteria import level, role, wishes
from mrblue_cli.matcher.criteria.base import Score
from mrblue_cli.matcher.criteria.role import can_lead
from mrblue_cli.matcher.model import Leads, Pair, Term, User
from mrblue_cli.matcher.recipe import Choice, Recipe

UNKNOWN_COUNTS = 50.0
MOST_FOR_LISTWISE = 2000
"""People up to which an aggregation over all pairs at once is offered: it needs every pair in memory."""


class Scores(msgspec.Struct, frozen=True, kw_only=True):
    """Scores of n pairs."""

    overall: Floats
    """[n] 0..100, unrounded."""
    feasible: npt.NDArray[np.bool_]
    """[n]"""
    leads: npt.NDArray[np.int8]
    """[n] 0 nobody, 1 the left one, 2 the right one, 3 either."""
    low: Floats
    high: Floats
    coverage: Floats
    terms: Floats
    """[n, criteria] 0..100, NaN unknown, in the order of the recipe."""


def explain(a: User, b: User, recipe: Recipe, community: Community | None = None) -> Pair:
    """How two people fit, term by term. `community` is for criteria that look at everybody. Raises `UsageError`."""
    verdicts = [_verdict(choice, a, b, recipe, community) for choice in recipe.choices]
    values = [score.value for score, _ in verdicts]
    weights = [choice.weight for choice in recipe.choices]
    overall, low, high, shown = _add_up(values, weights, recipe)
    coverage = sum(weight for weight, value in zip(weights, values, strict=True) if value is not None)
    raw = [
        share * (UNKNOWN_COUNTS if value is None else value) for share, value in zip(shown, values, strict=True)
    ]  # fmt: skip
    if recipe.aggregate != "agg.mean" and sum(raw) > 0:
        # Points always add up to the overall score, whatever formed it.
        raw = [overall * part / sum(raw) for part in raw]
    breakdown = {
        choice.slot: Term(
            score=score.value,
            weight=share,
            points=points,
            known=score.value is not None,
            why=score.why,
            brief=score.brief,
            views=views,
        )
        for choice, (score, views), share, points in zip(recipe.choices, verdicts, shown, raw, strict=True)
    }
    barred = wishes.barred(a, b, strict=recipe.strict)
    possible = can_lead(a, b) or can_lead(b, a)
    return Pair(
        a=a.id,
        b=b.id,
        overall=overall,
        feasible=possible and not barred,
        leads=_leads(a, b, verdicts) if possible else None,
        low=low,
        high=high,
        coverage=coverage,
        breakdown=breakdown,
        barred=barred if possible else "",
    )


def _entry(choice: Choice) -> registry.Entry:
    return wishes.ENTRY if choice.entry == wishes.ENTRY.name else registry.find(choice.entry)


def _verdict(
    choice: Choice, a: User, b: User, recipe: Recipe, community: Community | None
) -> tuple[Score, tuple[float | None, float | None] | None]:
    entry = _entry(choice)
    parameters = dict(choice.parameters)
    if entry.needs_community:
        if community is None:
            raise UsageError(f"{entry.name} needs the whole community", hint="score the two out of their file")
        parameters["community"] = community
    forward: Score = entry.scalar(a, b, **parameters)
    if entry.symmetric:
        return forward, None
    backward: Score = entry.scalar(b, a, **parameters)
    views = forward.value, backward.value
    # Both sides may say the same: what is lacking, or what is shared.
    why = forward.why if forward.why == backward.why else f"{forward.why}; {backward.why}"
    if forward.value is None or backward.value is None:
        return Score(None, why, "", forward.leads), views
    fused = float(registry.find(recipe.fuse).scalar(forward.value, backward.value))
    return Score(fused, why, forward.brief, forward.leads), views


def _leads(a: User, b: User, verdicts: list[tuple[Score, Any]]) -> Leads:
    if not can_lead(a, b):
        return Leads.B
    if not can_lead(b, a):
        return Leads.A
    decided = [score.leads for score, _ in verdicts if score.leads not in (None, Leads.EITHER)]
    return decided[0] if decided and decided[0] is not None else Leads.EITHER


def _add_up(
    values: list[float | None], weights: list[float], recipe: Recipe
) -> tuple[float, float, float, list[float]]:
    """Overall, low, high, and the weights that made the overall score."""
    low, half, high = (_mixed(values, weights, recipe, unknown) for unknown in (0.0, UNKNOWN_COUNTS, 100.0))
    if recipe.missing == "half":
        return half, low, high, weights
    total = sum(weight for weight, value in zip(weights, values, strict=True) if value is not None)
    if total == 0:
        return UNKNOWN_COUNTS, low, high, weights
    shown = [0.0 if value is None else weight / total for weight, value in zip(weights, values, strict=True)]
    overall = 0.0
    for weight, value in zip(shown, values, strict=True):
        overall += weight * (value or 0.0)
    return overall, low, high, shown


def _mixed(values: list[float | None], weights: list[float], recipe: Recipe, unknown: float) -> float:
    full = [unknown if value is None else value for value in values]
    if recipe.aggregate != "agg.mean":
        entry = registry.find(recipe.aggregate)
        if entry.listwise:
            raise UsageError(f"{entry.name} compares all pairs with each other", hint="score a whole file with it")
        return float(entry.scalar(full, weights))
    total = 0.0
    for weight, value in zip(weights, full, strict=True):
        total += weight * value
    return total


def terms(community: Community, left: Ints, right: Ints, recipe: Recipe) -> Floats:
    """[n, criteria] each criterion of the recipe for n pairs of rows, directed views fused; NaN unknown."""
    found = np.empty((len(left), len(recipe.choices)), dtype=np.float64)
    for column, choice in enumerate(recipe.choices):
        entry = _entry(choice)
        assert entry.fast is not None  # noqa: S101 - each criterion has one; the walk over the catalogue sees to it
        values = entry.fast(community, left, right, **choice.parameters)
        if not entry.symmetric:
            fuse = registry.find(recipe.fuse).fast
            assert fuse is not None  # noqa: S101 - likewise
            values = fuse(values, entry.fast(community, right, left, **choice.parameters))
        found[:, column] = values
    return found


def score(community: Community, left: Ints, right: Ints, recipe: Recipe) -> Scores:
    """What `explain` says of n pairs of rows, as numbers. Raises `UsageError` for an aggregation over all pairs."""
    left, right = np.asarray(left, dtype=np.int64), np.asarray(right, dtype=np.int64)
    values = terms(community, left, right, recipe)
    weights = np.array([choice.weight for choice in recipe.choices])
    known = ~np.isnan(values)
    coverage = _dot(known.astype(np.float64), weights)
    low, high = (_mixed_fast(values, weights, recipe, unknown) for unknown in (0.0, 100.0))
    return Scores(
        overall=_overall(values, weights, recipe),
        feasible=feasible(community, left, right, strict=recipe.strict),
        leads=leads(community, left, right, recipe),
        low=low,
        high=high,
        coverage=coverage,
        terms=values,
    )


def views(community: Community, left: Ints, right: Ints, recipe: Recipe) -> Floats:
    """[n] how much the left person wants the right one: the score with directed criteria not fused."""
    values = np.empty((len(left), len(recipe.choices)), dtype=np.float64)
    for column, choice in enumerate(recipe.choices):
        entry = _entry(choice)
        assert entry.fast is not None  # noqa: S101 - as above
        values[:, column] = entry.fast(community, left, right, **choice.parameters)
    return _overall(values, np.array([choice.weight for choice in recipe.choices]), recipe)


def feasible(community: Community, left: Ints, right: Ints, *, strict: bool) -> npt.NDArray[np.bool_]:
    """[n] whether a pair may be listed: two people with a role for each, neither blocks the other, wishes if strict."""
    able = (role.orientations(community, left, right) > 0) & (left != right)
    return np.asarray(able & wishes.allowed(community, left, right, strict=strict))


def leads(community: Community, left: Ints, right: Ints, recipe: Recipe) -> npt.NDArray[np.int8]:
    """[n] 0 nobody can, 1 the left one, 2 the right one, 3 either."""
    choice = next(choice for choice in recipe.choices if choice.slot == "level")
    if choice.entry not in level.COMPARES:
        return level.leads_fast(level.table, community, left, right)
    return level.leads_fast(level.COMPARES[choice.entry], community, left, right, **choice.parameters)


def _overall(values: Floats, weights: Floats, recipe: Recipe) -> Floats:
    if recipe.missing == "half":
        return _mixed_fast(values, weights, recipe, UNKNOWN_COUNTS)
    known = ~np.isnan(values)
    coverage = _dot(known.astype(np.float64), weights)
    shares = np.where(known, weights / np.where(coverage > 0, coverage, 1.0)[:, None], 0.0)
    return np.where(coverage > 0, _dot_rows(np.nan_to_num(values), shares), UNKNOWN_COUNTS)


def _mixed_fast(values: Floats, weights: Floats, recipe: Recipe, unknown: float) -> Floats:
    full = np.where(np.isnan(values), unknown, values)
    if recipe.aggregate == "agg.mean":
        return _dot(full, weights)
    entry = registry.find(recipe.aggregate)
    if entry.listwise:
        raise UsageError(f"{entry.name} compares all pairs with each other", hint="use it on a whole file")
    assert entry.fast is not None  # noqa: S101 - each aggregation has one; the walk over the catalogue sees to it
    return np.asarray(entry.fast(full, weights), dtype=np.float64)


def _dot(values: Floats, weights: Floats) -> Floats:
    """Column by column, in the order of the plain form: a library's dot product may add in another order."""
    total = np.zeros(len(values))
    for column, weight in enumerate(weights):
        total += weight * values[:, column]
    return total


def _dot_rows(values: Floats, weights: Floats) -> Floats:
    total = np.zeros(len(values))
    for column in range(values.shape[1]):
        total += weights[:, column] * values[:, column]
    return total


def reason(pair: Pair) -> str:
    """One line that a dancer would accept: what speaks for the pair, the weightiest first, then what does not."""
    told = [term for term in pair.breakdown.values() if term.weight > 0 and term.brief]
    good = [term.brief for term in told if term.score is not None and term.score >= UNKNOWN_COUNTS]
    poor = [term.brief for term in told if term.score is not None and term.score < UNKNOWN_COUNTS]
    line = "; ".join(good) or "little speaks for it"
    return f"{line}; but {', '.join(poor)}" if poor else line
