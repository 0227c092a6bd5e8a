"""When two people are both free. PURE. Reference section 1, rule 6; minutes of one UTC week."""

from __future__ import annotations

import numpy as np

from mrblue_cli.matcher.compiled import Community, Floats, Ints, Ragged
from mrblue_cli.matcher.criteria.base import Score, called, listed
from mrblue_cli.matcher.model import Role, User
from mrblue_cli.matcher.registry import Entry, Example

SESSION_MINUTES = 120.0


def common_minutes(a: User, b: User) -> int:
    """Minutes of the week in which both are free."""
    return sum(max(0, min(e, f) - max(s, t)) for s, e in a.hours for t, f in b.hours)


def common_minutes_fast(community: Community, left: Ints, right: Ints) -> Floats:
    """[n] common minutes; 0 also where unknown."""
    hours = community.hours
    total = np.zeros(len(left), dtype=np.float64)
    ours, theirs = hours.sizes[left] // 2, hours.sizes[right] // 2
    for i in range(int(ours.max(initial=0))):
        start, end = _interval(hours, left, i, ours)
        for j in range(int(theirs.max(initial=0))):
            other, last = _interval(hours, right, j, theirs)
            total += np.maximum(0, np.minimum(end, last) - np.maximum(start, other))
    return total


def _interval(hours: Ragged, rows: Ints, index: int, count: Ints) -> tuple[Ints, Ints]:
    """[n] the index-th interval of each row, empty where there are fewer."""
    if not len(hours.values):
        return np.zeros(len(rows), dtype=np.int64), np.zeros(len(rows), dtype=np.int64)
    there = index < count
    at = np.where(there, hours.start[rows] + 2 * index, 0)
    values = hours.values.astype(np.int64, copy=False)
    return np.where(there, values[at], 0), np.where(there, values[np.minimum(at + 1, len(values) - 1)], 0)


def unsaid(a: User, b: User) -> Score | None:
    """The unknown score when either gave no free time."""
    lacking = [called(user) for user in (a, b) if not user.hours]
    return Score(None, f"{listed(lacking)} gave no free time") if lacking else None


def enough(a: User, b: User, *, session_minutes: float = SESSION_MINUTES) -> Score:
    """Rule 6: common minutes a week against one session."""
    minutes = common_minutes(a, b)
    spoken = f"{minutes} min a week together" if minutes else "no free time together"
    value = 100.0 * min(1.0, minutes / session_minutes)
    return unsaid(a, b) or Score(value, f"{called(a)} and {called(b)} have {spoken}", spoken)


def enough_fast(community: Community, left: Ints, right: Ints, *, session_minutes: float = SESSION_MINUTES) -> Floats:
    """`enough` for many pairs; NaN: unknown."""
    sizes = community.hours.sizes
    values = 100.0 * np.minimum(1.0, common_minutes_fast(community, left, right) / session_minutes)
    return np.where((sizes[left] == 0) | (sizes[right] == 0), np.nan, values)


def _free(name: str, *hours: tuple[int, int]) -> User:
    return User(id=name, roles=Role.BOTH, hours=hours)


ENTRIES: tuple[Entry, ...] = (
    Entry(
        name="time.enough",
        words="minutes a week in which both are free, against one session",
        formula="min(1, common minutes / session minutes)",
        source="project",
        scalar=enough,
        fast=enough_fast,
        examples=(Example(given={"a": _free("a", (0, 240)), "b": _free("b", (150, 300))}, expected=75.0),),
        parameters={"session_minutes": SESSION_MINUTES},
    ),
)
