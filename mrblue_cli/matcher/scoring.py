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
from mrblue_cli.matcher import listwise, registry
from mrblue_cli.matcher.compiled import Community, Floats, Ints
from mrblue_cli.matcher.criteria import level, role, wishes
from mrblue_cli.matcher.criteria.base import Score, called, listed
from mrblue_cli.matcher.criteria.role import can_lead
from mrblue_cli.matcher.model import UNKNOWN_COUNTS, Leads, Pair, Term, User
from mrblue_cli.matcher.recipe import Choice, Recipe

MOST_FOR_LISTWISE = listwise.MOST_FOR_LISTWISE


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
    if listwise.looks_at_everybody(recipe):
        left, right, people = _rows(a, b, community, recipe.aggregate)
        low = high = overall = float(_among_all(people, left, right, recipe)[0])
        shown = weights
    else:
        overall, low, high, shown = _add_up(values, weights, recipe)
    coverage = sum(weight for weight, value in zip(weights, values, strict=True) if value is not None)
    raw = [
        share * (UNKNOWN_COUNTS if value is None else value) for share, value in zip(shown, values, strict=True)
    ]  # fmt: skip
    if recipe.aggregate != "agg.mean":
        # Points always add up to the overall score, whatever formed it.
        base = raw if sum(raw) > 0 else shown
        raw = [overall * part / sum(base) for part in base]
    possible = can_lead(a, b) or can_lead(b, a)
    leads = _leads(a, b, verdicts) if possible else None
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
    breakdown["role"] = _with_leader(breakdown["role"], a, b, leads)
    barred = wishes.barred(a, b, strict=recipe.strict)
    return Pair(
        a=a.id,
        b=b.id,
        overall=overall,
        feasible=possible and not barred,
        leads=leads,
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
    brief = _both_briefs(a, b, forward, backward)
    fuse = registry.find(recipe.fuse)
    if fuse.listwise:
        left, right, people = _rows(a, b, community, recipe.fuse)
        fused = float(_in_market(people, left, right, choice, recipe)[0])
    else:
        fused = float(fuse.scalar(forward.value, backward.value))
    return Score(fused, why, brief, forward.leads), views


def _both_briefs(a: User, b: User, forward: Score, backward: Score) -> str:
    """What a directed criterion says of both sides in few words: once if both see the same, else by name."""
    if forward.brief != backward.brief:
        # Who is better served comes first, so that swapping the two changes nothing but a tie.
        sides = sorted(((a, forward), (b, backward)), key=lambda side: -(side[1].value or 0.0))
        told = [
            said.brief if f" {called(one)} " in f" {said.brief} " else f"{said.brief} for {called(one)}"
            for one, said in sides
            if said.brief
        ]
        return (" and " if forward.value == backward.value else ", but ").join(told)
    if forward.brief and forward.value != backward.value:
        return f"{forward.brief} ({forward.value:.0f} for {called(a)}, {backward.value:.0f} for {called(b)})"
    return forward.brief


def _with_leader(term: Term, a: User, b: User, leads: Leads | None) -> Term:
    """The role term of two people who dance both roles also says whose leading suits their levels."""
    if leads in {None, Leads.EITHER} or not (can_lead(a, b) and can_lead(b, a)):
        return term
    who = called(a if leads is Leads.A else b)
    why = f"{term.why}, and their levels fit better when {who} leads"
    return msgspec.structs.replace(term, why=why, brief=f"{term.brief}, {who} leads" if term.brief else f"{who} leads")


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
        return float(registry.find(recipe.aggregate).scalar(full, weights))
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
            fuse = registry.find(recipe.fuse)
            if fuse.listwise:
                values = _in_market(community, left, right, choice, recipe)
            else:
                assert fuse.fast is not None  # noqa: S101 - likewise
                values = fuse.fast(values, entry.fast(community, right, left, **choice.parameters))
        found[:, column] = values
    return found


def score(community: Community, left: Ints, right: Ints, recipe: Recipe) -> Scores:
    """What `explain` says of n pairs of rows, as numbers.

    An aggregation over all pairs gives no range (low and high are overall) and 0 to a pair that cannot dance. Raises
    `UsageError` where it does not suit the community (see `listwise`).
    """
    left, right = np.asarray(left, dtype=np.int64), np.asarray(right, dtype=np.int64)
    values = terms(community, left, right, recipe)
    weights = np.array([choice.weight for choice in recipe.choices])
    known = ~np.isnan(values)
    coverage = in_order(known.astype(np.float64), weights)
    if listwise.looks_at_everybody(recipe):
        overall = low = high = _among_all(community, left, right, recipe)
    else:
        overall = _overall(values, weights, recipe)
        low, high = (_mixed_fast(values, weights, recipe, unknown) for unknown in (0.0, 100.0))
    return Scores(
        overall=overall,
        feasible=feasible(community, left, right, strict=recipe.strict),
        leads=leads(community, left, right, recipe),
        low=low,
        high=high,
        coverage=coverage,
        terms=values,
    )


def views(community: Community, left: Ints, right: Ints, recipe: Recipe) -> Floats:
    """[n] how much the left person wants the right one: the score with directed criteria not fused."""
    left, right = np.asarray(left, dtype=np.int64), np.asarray(right, dtype=np.int64)
    if not listwise.looks_at_everybody(recipe):
        values = _viewed(community, left, right, recipe)
        return _overall(values, np.array([choice.weight for choice in recipe.choices]), recipe)
    if not is_directed(recipe):
        return _among_all(community, left, right, recipe)
    return listwise.views(
        community,
        left,
        right,
        recipe,
        feasible=lambda a, b: feasible(community, a, b, strict=recipe.strict),
        terms=lambda a, b: terms(community, a, b, recipe),
        viewed=lambda a, b: _viewed(community, a, b, recipe),
    )


def is_directed(recipe: Recipe) -> bool:
    """Whether the two people of a pair may see it differently; if not, `views` are the scores."""
    return not all(_entry(choice).symmetric for choice in recipe.choices if choice.weight > 0)


def _viewed(community: Community, left: Ints, right: Ints, recipe: Recipe) -> Floats:
    """[n, criteria] as `terms`, directed ones as the left person sees them."""
    values = np.empty((len(left), len(recipe.choices)), dtype=np.float64)
    for column, choice in enumerate(recipe.choices):
        values[:, column] = _one_view(community, left, right, choice)
    return values


def _one_view(community: Community, left: Ints, right: Ints, choice: Choice) -> Floats:
    fast = _entry(choice).fast
    assert fast is not None  # noqa: S101 - as above
    return np.asarray(fast(community, left, right, **choice.parameters), dtype=np.float64)


def _among_all(community: Community, left: Ints, right: Ints, recipe: Recipe) -> Floats:
    return listwise.overall(
        community,
        left,
        right,
        recipe,
        feasible=lambda a, b: feasible(community, a, b, strict=recipe.strict),
        terms=lambda a, b: terms(community, a, b, recipe),
    )


def _in_market(community: Community, left: Ints, right: Ints, choice: Choice, recipe: Recipe) -> Floats:
    return listwise.fused(
        community,
        left,
        right,
        choice,
        recipe,
        feasible=lambda a, b: feasible(community, a, b, strict=recipe.strict),
        viewed=lambda a, b: _one_view(community, a, b, choice),
    )


def _rows(a: User, b: User, community: Community | None, name: str) -> tuple[Ints, Ints, Community]:
    """Two people as rows. Raises `UsageError` without a community that holds both."""
    if community is None or a.id not in community.rows or b.id not in community.rows:
        raise UsageError(f"{name} compares all pairs with each other", hint="score the two out of their file")
    return np.array([community.rows[a.id]]), np.array([community.rows[b.id]]), community


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
    coverage = in_order(known.astype(np.float64), weights)
    shares = np.where(known, weights / np.where(coverage > 0, coverage, 1.0)[:, None], 0.0)
    return np.where(coverage > 0, _dot_rows(np.nan_to_num(values), shares), UNKNOWN_COUNTS)


def _mixed_fast(values: Floats, weights: Floats, recipe: Recipe, unknown: float) -> Floats:
    full = np.where(np.isnan(values), unknown, values)
    if recipe.aggregate == "agg.mean":
        return in_order(full, weights)
    entry = registry.find(recipe.aggregate)
    assert entry.fast is not None  # noqa: S101 - each aggregation has one; the walk over the catalogue sees to it
    return np.asarray(entry.fast(full, weights), dtype=np.float64)


def in_order(values: Floats, weights: Floats) -> Floats:
    """[n] weighted sums, column by column in the order of the plain form: a library's dot product may add in another.

    Rounding is monotone: values no larger never sum up to more.
    """
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
    """One line that an organiser could say to both: what speaks for the pair, then what speaks against it, each with
    the weightiest first, then what nobody knows."""
    if not pair.feasible:
        return pair.barred or pair.breakdown["role"].why
    told = [term for term in pair.breakdown.values() if term.weight > 0 and term.brief and term.score is not None]
    for_it = sorted((term for term in told if _speaks_for(term)), key=lambda term: -term.weight * (term.score or 0.0))
    against = sorted(
        (term for term in told if not _speaks_for(term)), key=lambda term: -term.weight * (100.0 - (term.score or 0.0))
    )
    # Of two who said nothing but their roles there is nothing to tell.
    line = ", ".join(term.brief for term in for_it) or ("their roles fit, little else does" if told else "")
    if against:
        line += f"; weak point{'s' if len(against) > 1 else ''}: {', '.join(term.brief for term in against)}"
    unknown = [slot for slot, term in pair.breakdown.items() if term.weight > 0 and not term.known]
    if unknown:
        return f"{line}{'; ' if line else ''}{listed(unknown)} not known"
    # With --missing drop no term keeps the weight of what is unknown, but the coverage still tells.
    return line if pair.coverage > 1 - 1e-9 else f"{line}; {1 - pair.coverage:.0%} of what counts is not known"


def _speaks_for(term: Term) -> bool:
    return term.score is not None and term.score >= UNKNOWN_COUNTS
