"""Whether two people suit each other's wished ages. PURE. Counts only between people who both gave age and range."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from mrblue_cli.matcher.compiled import Community, Floats, Ints
from mrblue_cli.matcher.criteria.base import Score, called, listed
from mrblue_cli.matcher.model import AgeRange, Role, User
from mrblue_cli.matcher.registry import Entry, Example


def unsaid(a: User, b: User) -> Score | None:
    """The unknown score when either did not give both age and range."""
    lacking = sorted((user.id, called(user)) for user in (a, b) if user.age is None or user.age_pref is None)
    return Score(None, f"{listed([name for _, name in lacking])} gave no age or no wished ages") if lacking else None


def inside(age: float, span: AgeRange) -> bool:
    """Whether an age lies in a range; an open end lets everybody in."""
    return outside(age, span) == 0


def window(a: User, b: User) -> Score:
    """100 when each is inside the other's range, else 0."""
    if a.age is None or b.age is None or a.age_pref is None or b.age_pref is None:
        return unsaid(a, b) or Score(None, "")
    if inside(b.age, a.age_pref) and inside(a.age, b.age_pref):
        return Score(100.0, f"{called(a)} and {called(b)} each have an age that the other wished for", "ages as wished")
    return Score(
        0.0, f"{called(a)} and {called(b)} do not both have an age that the other wished for", "ages not as wished"
    )


def window_fast(community: Community, left: Ints, right: Ints) -> Floats:
    """`window` for many pairs; NaN: unknown."""
    fits = (_outside_fast(community, left, right) == 0) & (_outside_fast(community, right, left) == 0)
    return np.where(said(community, left) & said(community, right), np.where(fits, 100.0, 0.0), np.nan)


def said(community: Community, rows: Ints) -> npt.NDArray[np.bool_]:
    """[n] who gave both age and range."""
    return community.asks_age[rows] & ~np.isnan(community.age[rows])


def outside(age: float, span: AgeRange) -> float:
    """Years by which an age misses a range; 0 inside."""
    below = 0.0 if span.min is None else span.min - age
    above = 0.0 if span.max is None else age - span.max
    return max(0.0, below, above)


def _outside_fast(community: Community, one: Ints, other: Ints) -> Floats:
    """[n] years by which the other's age misses the one's range; an unknown age misses none."""
    age = community.age[other]
    below, above = community.number("age_min")[one] - age, age - community.number("age_max")[one]
    return np.fmax(0.0, np.fmax(below, above))


def trapezoid(a: User, b: User, *, fade_years: float = 5.0) -> Score:
    """How b's age suits a: 100 inside a's range, falling evenly to 0 at `fade_years` outside it."""
    if a.age is None or b.age is None or a.age_pref is None or b.age_pref is None:
        return unsaid(a, b) or Score(None, "")
    missed = outside(b.age, a.age_pref)
    value = 100.0 * max(0.0, 1.0 - missed / fade_years)
    if missed == 0:
        return Score(value, f"{called(b)} has an age that {called(a)} wished for", "ages as wished")
    # The years themselves stay out of the sentence: who reads it could tell an age that was given for matching only.
    near = "just outside the ages" if value > 0 else "far from the ages"
    return Score(value, f"{called(b)} is {near} that {called(a)} wished for", "ages not quite as wished")


def trapezoid_fast(community: Community, left: Ints, right: Ints, *, fade_years: float = 5.0) -> Floats:
    """`trapezoid` for many pairs; NaN: unknown."""
    values = 100.0 * np.maximum(0.0, 1.0 - _outside_fast(community, left, right) / fade_years)
    return np.where(said(community, left) & said(community, right), values, np.nan)


def _aged(name: str, age: float, low: float, high: float) -> User:
    return User(id=name, roles=Role.BOTH, age=age, age_pref=AgeRange(min=low, max=high))


ENTRIES: tuple[Entry, ...] = (
    Entry(
        name="age.window",
        words="100 when each is inside the other's wished range, else 0",
        formula="[age_b in range_a] and [age_a in range_b]",
        source="project",
        scalar=window,
        fast=window_fast,
        examples=(
            Example(given={"a": _aged("a", 30, 25, 40), "b": _aged("b", 40, 30, 50)}, expected=100.0),
            Example(given={"a": _aged("a", 30, 25, 39), "b": _aged("b", 40, 30, 50)}, expected=0.0),
        ),
    ),
    Entry(
        name="age.trapezoid",
        words="100 inside one's wished range, fading to 0 five years outside it",
        formula="max(0, 1 - years outside / fade_years), of b's age and a's range",
        source="Zadeh 1965",
        scalar=trapezoid,
        fast=trapezoid_fast,
        examples=(
            Example(given={"a": _aged("a", 30, 25, 40), "b": _aged("b", 40, 30, 50)}, expected=100.0, note="the edge"),
            Example(given={"a": _aged("a", 30, 25, 39), "b": _aged("b", 40, 30, 50)}, expected=80.0, note="1 of 5"),
            Example(given={"a": _aged("a", 30, 45, 60), "b": _aged("b", 40, 30, 50)}, expected=0.0, note="5 of 5"),
        ),
        symmetric=False,
        parameters={"fade_years": 5.0},
    ),
)
