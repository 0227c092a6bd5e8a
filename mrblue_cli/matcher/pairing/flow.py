"""The largest total where people may dance with several partners. PURE. Ahuja, Magnanti & Orlin 1993."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mrblue_cli.core.errors import UsageError
from mrblue_cli.matcher.columns import Ints
from mrblue_cli.matcher.pairing.assignment import EXAMPLES
from mrblue_cli.matcher.pairing.base import Floor, Matching, matching
from mrblue_cli.matcher.pairing.plain import between
from mrblue_cli.matcher.pairing.sides import MORE, table
from mrblue_cli.matcher.registry import Entry, Example

Capacity = int | Sequence[int]


def flow_plain(floor: Floor, *, seed: int = 0, capacity: Capacity = 1) -> Matching:  # noqa: ARG001 - no chance here
    """One pair more at a time, each along the way of largest gain, until no way gains. Up to about 20 people."""
    leaders, followers = (side.tolist() for side in floor.sides())
    room = _room(floor, capacity).tolist()
    danced: set[tuple[int, int]] = set()
    while True:
        # Gains from a leader with room over pairs to be made and pairs to be undone, by repeated improvement.
        gain = {a: 0.0 if room[a] > 0 else -np.inf for a in leaders} | dict.fromkeys(followers, -np.inf)
        via: dict[int, int] = {}
        for _ in range(len(floor)):
            for a in leaders:
                for b in followers:
                    score = float(floor.scores[a, b]) + MORE
                    if (a, b) in danced and gain[b] - score > gain[a] + MORE / 4:
                        gain[a], via[a] = gain[b] - score, b
                    elif (a, b) not in danced and gain[a] + score > gain[b] + MORE / 4:
                        gain[b], via[b] = gain[a] + score, a
        end = max((b for b in followers if room[b] > 0), key=lambda b: gain[b], default=None)
        if end is None or not gain[end] > 0:
            return matching(sorted(danced), _note(room_of=capacity))
        step, room[end] = end, room[end] - 1
        while step in via:
            danced ^= {(via[step], step) if step in followers else (step, via[step])}
            step = via[step]
        room[step] -= 1


def flow(floor: Floor, *, seed: int = 0, capacity: Capacity = 1) -> Matching:  # noqa: ARG001 - as above
    """As a linear programme (HiGHS), whose corners are whole for flows; 500 by 500 in four seconds.

    `capacity`: pairs for each person, one number for all or one for each row; no pair dances twice.
    """
    from scipy.optimize import linprog
    from scipy.sparse import csr_matrix

    sides = table(floor)
    room = _room(floor, capacity)
    leader, follower = np.nonzero(sides.able)
    if not len(leader):
        return matching([], _note(room_of=capacity))
    a, b = sides.leaders[leader], sides.followers[follower]
    count = np.arange(len(a))
    ones = np.ones(2 * len(a))
    bounds = csr_matrix((ones, (np.concatenate([a, b]), np.concatenate([count, count]))), shape=(len(floor), len(a)))
    found = linprog(-floor.scores[a, b], A_ub=bounds, b_ub=room, bounds=(0, 1), method="highs-ds")
    danced = found.x > 0.5
    left = room - np.bincount(np.concatenate([a[danced], b[danced]]), minlength=len(floor))
    # A pair of score 0 adds nothing to a total, so the programme may have left it out: nobody who can dance waits.
    for pair in np.flatnonzero(~danced).tolist():
        if left[a[pair]] > 0 and left[b[pair]] > 0:
            danced[pair] = True
            left[[a[pair], b[pair]]] -= 1
    return matching(list(zip(a[danced].tolist(), b[danced].tolist(), strict=True)), _note(room_of=capacity))


def _room(floor: Floor, capacity: Capacity) -> Ints:
    """[n] pairs for each person. Raises `UsageError`."""
    if isinstance(capacity, int):
        capacity = [capacity] * len(floor)
    if len(capacity) != len(floor) or any(count < 0 for count in capacity):
        raise UsageError(
            f"capacity {list(capacity)} does not fit {len(floor)} people",
            hint="give one number for all, or one of 0 or more for each person",
        )
    return np.array(capacity, dtype=np.int64)


def _note(room_of: Capacity) -> str:
    if isinstance(room_of, int):
        return "" if room_of == 1 else f"up to {room_of} partners for each person"
    return "as many partners for each person as they have room for"


_HOSTS = between([[90, 80, 70], [60, 75, 85]])
ENTRIES: tuple[Entry, ...] = (
    Entry(
        name="pair.flow",
        words="the largest total as a flow, where each person may have several partners",
        formula="max sum of s(pair) x(pair), 0 <= x <= 1, sum of x at each person <= capacity",
        source="Ahuja et al. 1993",
        scalar=flow_plain,
        fast=flow,
        parameters={"capacity": 1},
        examples=(
            *EXAMPLES,
            Example(
                given={"floor": _HOSTS, "capacity": (2, 1, 1, 1, 1)},
                expected=matching([(0, 2), (0, 3), (1, 4)], _note(room_of=(1,))),
                note="a1 dances with two: 90 + 80 + 85 = 255",
            ),
        ),
    ),
)
