"""Whether two people suit each other's wished ages. PURE. Counts only between people who both gave age and range."""

from __future__ import annotations

import numpy as np

from mrblue_cli.matcher.compiled import Community, Floats, Ints
from mrblue_cli.matcher.criteria.base import Score, called, listed
from mrblue_cli.matcher.model import AgeRange, Role, User
from mrblue_cli.matcher.registry import Entry, Example


def unsaid(a: User, b: User) -> Score | None:
    """The unknown score when either did not give both age and range."""
    lacking = [called(user) for user in (a, b) if user.age is None or user.age_pref is None]
    return Score(None, f"{listed(lacking)} gave no age or no wished ages") if lacking else None


def inside(age: float, span: AgeRange) -> bool:
    """Whether an age lies in a range; an open end lets everybody in."""
    return (span.min is None or span.min <= age) and (span.max is None or age <= span.max)


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
    fits = np.ones(len(left), dtype=np.bool_)
    for one, other in ((left, right), (right, left)):
        low = np.nan_to_num(community.number("age_min")[one], nan=-np.inf, neginf=-np.inf)
        high = np.nan_to_num(community.number("age_max")[one], nan=np.inf, posinf=np.inf)
        fits &= (low <= community.age[other]) & (community.age[other] <= high)
    return np.where(said(community, left) & said(community, right), np.where(fits, 100.0, 0.0), np.nan)


def said(community: Community, rows: Ints) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """[n] who gave both age and range."""
    return community.asks_age[rows] & ~np.isnan(community.age[rows])


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
)
