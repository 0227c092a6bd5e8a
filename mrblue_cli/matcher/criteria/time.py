"""When two people are both free. PURE. Reference section 1, rule 6; minutes of one UTC week."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from mrblue_cli.matcher.compiled import Community, Floats, Ints, Ragged
from mrblue_cli.matcher.criteria.base import Score, called, listed
from mrblue_cli.matcher.model import WEEK, Role, User
from mrblue_cli.matcher.registry import Entry, Example

SESSION_MINUTES = 120.0


def common_minutes(a: User, b: User) -> int:
    """Minutes of the week in which both are free."""
    return sum(max(0, min(e, f) - max(s, t)) for s, e in a.hours for t, f in b.hours)


def common_minutes_fast(community: Community, left: Ints, right: Ints) -> Floats:
    """[n] common minutes; 0 also where unknown."""
    total = np.zeros(len(left), dtype=np.float64)
    for start, end in _common_fast(community, left, right):
        total += np.maximum(0, end - start)
    return total


def _common_fast(community: Community, left: Ints, right: Ints) -> Iterator[tuple[Ints, Ints]]:
    """[n] start and [n] end of what the i-th interval of the one shares with the j-th of the other, for each i and j;
    an end at or before its start: nothing."""
    hours = community.hours
    ours, theirs = hours.sizes[left] // 2, hours.sizes[right] // 2
    for i in range(int(ours.max(initial=0))):
        start, end = _interval(hours, left, i, ours)
        for j in range(int(theirs.max(initial=0))):
            other, last = _interval(hours, right, j, theirs)
            yield np.maximum(start, other), np.minimum(end, last)


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
    lacking = sorted((user.id, called(user)) for user in (a, b) if not user.hours)
    return Score(None, f"{listed([name for _, name in lacking])} gave no free time") if lacking else None


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


def common_stretches(a: User, b: User) -> list[int]:
    """Lengths in minutes of each stretch in which both are free. One that goes on over the end of the week is one."""
    shared = sorted((max(s, t), min(e, f)) for s, e in a.hours for t, f in b.hours if max(s, t) < min(e, f))
    lengths = [end - start for start, end in shared]
    if len(shared) > 1 and shared[0][0] == 0 and shared[-1][1] == WEEK:
        lengths = [lengths[-1] + lengths[0], *lengths[1:-1]]
    return lengths


def slots(a: User, b: User, *, session_minutes: float = SESSION_MINUTES, wanted: int = 2) -> Score:
    """How many whole sessions fit into the time that both are free, against how many are wanted a week."""
    found = sum(math.floor(length / session_minutes) for length in common_stretches(a, b))
    spoken = f"{found} session{'' if found == 1 else 's'} of {session_minutes:g} min a week together"
    spoken = spoken if found else f"never free together for {session_minutes:g} min at a time"
    value = 100.0 * min(1.0, found / wanted)
    why = f"{called(a)} and {called(b)} have {spoken}" if found else f"{called(a)} and {called(b)} are {spoken}"
    return unsaid(a, b) or Score(value, why, spoken)


def slots_fast(
    community: Community, left: Ints, right: Ints, *, session_minutes: float = SESSION_MINUTES, wanted: int = 2
) -> Floats:
    """`slots` for many pairs; NaN: unknown."""
    found, head, tail = (np.zeros(len(left), dtype=np.float64) for _ in range(3))
    for start, end in _common_fast(community, left, right):
        length = np.maximum(0, end - start)
        found += np.floor(length / session_minutes)
        # At most one stretch begins with the week, and one ends with it.
        head += np.where(start == 0, length, 0)
        tail += np.where(end == WEEK, length, 0)
    joined = np.floor((head + tail) / session_minutes)
    joined -= np.floor(head / session_minutes) + np.floor(tail / session_minutes)
    # A stretch over the whole week is its own neighbour.
    found += np.where(head == WEEK, 0.0, joined)
    sizes = community.hours.sizes
    return np.where((sizes[left] == 0) | (sizes[right] == 0), np.nan, 100.0 * np.minimum(1.0, found / wanted))


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
        examples=(
            Example(given={"a": _free("a", (0, 240)), "b": _free("b", (150, 300))}, expected=75.0),
            Example(given={"a": _free("a", (0, 60), (600, 660)), "b": _free("b", (30, 630))}, expected=50.0),
            Example(given={"a": _free("a", (0, 60)), "b": _free("b", (60, 120))}, expected=0.0, note="they only touch"),
        ),
        parameters={"session_minutes": SESSION_MINUTES},
    ),
    Entry(
        name="time.slots",
        words="whole sessions that fit into the time in which both are free, against two a week",
        formula="min(1, sum over common stretches of floor(minutes / session minutes) / wanted)",
        source="Allen 1983",
        scalar=slots,
        fast=slots_fast,
        examples=(
            Example(given={"a": _free("a", (0, 240)), "b": _free("b", (60, 300))}, expected=50.0, note="180 min: one"),
            Example(
                given={"a": _free("a", (0, 90), (600, 690)), "b": _free("b", (0, 700))},
                expected=0.0,
                note="180 min, but in two stretches too short",
            ),
            Example(
                given={"a": _free("a", (0, 60), (10020, WEEK)), "b": _free("b", (0, WEEK))},
                expected=50.0,
                note="an hour on each side of Sunday's midnight",
            ),
            Example(given={"a": _free("a", (0, 600)), "b": _free("b", (0, 240), (300, 420))}, expected=100.0),
        ),
        parameters={"session_minutes": SESSION_MINUTES, "wanted": 2},
    ),
)
