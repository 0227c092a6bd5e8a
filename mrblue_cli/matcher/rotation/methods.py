"""The methods of rotation, as entries of the catalogue. PURE."""

from __future__ import annotations

import difflib
from typing import Any

import numpy as np

from mrblue_cli.core.errors import UsageError
from mrblue_cli.matcher.model import Role
from mrblue_cli.matcher.pairing.base import Floor
from mrblue_cli.matcher.registry import Entry, Example
from mrblue_cli.matcher.rotation.base import Rotation, Tanda
from mrblue_cli.matcher.rotation.cyclic import circle, circle_plain, latin, latin_plain
from mrblue_cli.matcher.rotation.exact import exact, exact_plain
from mrblue_cli.matcher.rotation.general import vizing, vizing_plain
from mrblue_cli.matcher.rotation.golfer import GROUP, golfer, golfer_plain
from mrblue_cli.matcher.rotation.repeat import repeat, repeat_plain

OPEN_ROLES = frozenset({"rot.circle", "rot.vizing"})
"""Methods that take people who dance both roles as they are; the others need one role for each."""


def rotate(
    floor: Floor,
    tandas: int,
    method: str,
    *,
    seed: int = 0,
    together: tuple[tuple[int, int], ...] = (),
    **parameters: Any,
) -> Rotation:
    """A rotation by the method of this name, with or without "rot." before it.

    `together`: couples as rows of the floor, who dance with each other in every tanda. Raises `UsageError` for an
    unknown method or parameter, fewer than one tanda, a couple that cannot be, and dual-role people on a floor whose
    method needs one role for each.
    """
    entry = _entry(method)
    if tandas < 1:
        raise UsageError(f"{tandas} tandas are none", hint="give a whole number from 1 up, for example --rotate 4")
    unknown = sorted(set(parameters) - set(entry.parameters))
    if unknown:
        known = ", ".join(entry.parameters) or "none"
        raise UsageError(f"{entry.name} has no parameter '{unknown[0]}'", hint=f"it takes: {known}")
    assert entry.fast is not None  # noqa: S101 - every entry below has one
    found: Rotation = entry.fast(floor, tandas, seed=seed, together=together, **parameters)
    return found


def _entry(method: str) -> Entry:
    name = method if method.startswith("rot.") else f"rot.{method}"
    for entry in ENTRIES:
        if entry.name == name:
            return entry
    names = [entry.name for entry in ENTRIES]
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    raise UsageError(
        f"there is no rotation named '{method}'",
        hint=f"did you mean {near[0]}? see: mrblue match algorithms rot" if near else f"there are: {', '.join(names)}",
    )


def _floor(table: tuple[tuple[float, ...], ...]) -> Floor:
    """Leaders L1.. in rows, followers F1.. in columns; followers come first by id."""
    scores = np.array(table, dtype=np.float64)
    leaders, followers = scores.shape
    full = np.full((leaders + followers, leaders + followers), np.nan)
    full[followers:, :followers], full[:followers, followers:] = scores, scores.T
    return Floor(
        ids=(*(f"F{j + 1}" for j in range(followers)), *(f"L{i + 1}" for i in range(leaders))),
        roles=np.array([Role.FOLLOWER.value] * followers + [Role.LEADER.value] * leaders, dtype=np.uint8),
        scores=full,
        views=full,
    )


def _both(count: int, score: float) -> Floor:
    """People who dance both roles, all of whom fit equally well."""
    full = np.full((count, count), score)
    np.fill_diagonal(full, np.nan)
    roles = np.full(count, Role.BOTH.value, dtype=np.uint8)
    return Floor(ids=tuple(f"P{i + 1}" for i in range(count)), roles=roles, scores=full, views=full)


def _rotation(tandas: tuple[str, ...], people: int, first: int = 0, note: str = "") -> Rotation:
    """From lines like "1-2 3-1": the first leader with the second follower, and so on; leaders begin at row `first`."""
    made = []
    for line in tandas:
        pairs = tuple(
            (first + int(leader) - 1, int(follower) - 1)
            for leader, follower in (pair.split("-") for pair in line.split())
        )
        busy = {row for pair in pairs for row in pair}
        made.append(Tanda(pairs=pairs, sits_out=tuple(row for row in range(people) if row not in busy)))
    return Rotation(tandas=tuple(made), note=note)


_NINE = ((100.0, 85.0, 95.0), (100.0, 80.0, 45.0), (45.0, 80.0, 100.0))
"""The table of the reference, section 4."""
_TWO = ((90.0, 80.0), (80.0, 10.0))
_FIFTEEN = ((50.0,) * 5,) * 3

ENTRIES: tuple[Entry, ...] = (
    Entry(
        name="rot.circle",
        words="everyone meets everyone: one stays, the others move round, facing seats dance",
        formula="tanda t: i + j = -2t modulo the odd number of moving seats; two sides: seats add up to t",
        source="Kirkman 1847",
        scalar=circle_plain,
        fast=circle,
        examples=(
            # Seats 1 2 3 turn and 4 stays; who leads takes turns, the smaller id first.
            Example(
                given={"floor": _both(4, 80.0), "tandas": 3},
                expected=_rotation(("1-4 2-3", "1-2 3-4", "3-1 4-2"), 4),
                note="four people, three tandas: all six pairs",
            ),
            Example(given={"floor": _floor(_TWO), "tandas": 2}, expected=_rotation(("1-1 2-2", "1-2 2-1"), 4, first=2)),
        ),
    ),
    Entry(
        name="rot.latin",
        words="each tanda every leader moves on by one follower; the smaller side spread evenly over the larger",
        formula="tanda t: leader at seat s with follower s + t, modulo the larger side; seats floor(i m / n)",
        source="Euler 1782",
        scalar=latin_plain,
        fast=latin,
        examples=(
            # Leaders sit at 0, 1 and 3 of five seats: floor(5 i / 3).
            Example(
                given={"floor": _floor(_FIFTEEN), "tandas": 5},
                expected=_rotation(
                    ("1-1 2-2 3-4", "1-2 2-3 3-5", "1-3 2-4 3-1", "1-4 2-5 3-2", "1-5 2-1 3-3"), 8, first=5
                ),
                note="fifteen different pairs, every follower dances three",
            ),
            Example(
                given={"floor": _floor(_TWO), "tandas": 3},
                expected=_rotation(
                    ("1-1 2-2", "1-2 2-1"),
                    4,
                    first=2,
                    note="stops after 2 of 3 tandas: more would bring nobody a new partner",
                ),
            ),
        ),
    ),
    Entry(
        name="rot.repeat",
        words="the best pairing of each tanda in turn, nobody twice with the same person",
        formula="tanda by tanda: least sum of squared sit-outs so far, then largest sum of scores of new pairs",
        source="Kuhn 1955",
        scalar=repeat_plain,
        fast=repeat,
        examples=(
            Example(
                given={"floor": _floor(_NINE), "tandas": 2},
                expected=_rotation(("1-2 2-1 3-3", "1-1 2-3 3-2"), 6, first=3),
                note="85 + 100 + 100 = 285, then 100 + 45 + 80 = 225: 510",
            ),
            Example(given={"floor": _floor(_TWO), "tandas": 2}, expected=_rotation(("1-2 2-1", "1-1 2-2"), 4, first=2)),
        ),
    ),
    Entry(
        name="rot.exact",
        words="the best set of pairs for the whole evening, split into tandas by edge colouring",
        formula="max sum of scores over pairs, each person in at most T, sit-outs least in squares; then T matchings",
        source="Konig 1916",
        scalar=exact_plain,
        fast=exact,
        examples=(
            Example(
                given={"floor": _floor(_NINE), "tandas": 2},
                expected=_rotation(("1-1 2-2 3-3", "1-3 2-1 3-2"), 6, first=3),
                note="all but 85, 45 and 45: 280 + 275 = 555",
            ),
            Example(
                given={"floor": _floor(_TWO), "tandas": 1}, expected=_rotation(("1-2 2-1",), 4, first=2), note="160"
            ),
        ),
    ),
    Entry(
        name="rot.vizing",
        words="the best set of pairs among people of both roles, coloured with tandas",
        formula="T-fold choice, at most T (n - 1) / 2 pairs within odd sets of n; then colours by fans and chains",
        source="Misra & Gries 1992",
        scalar=vizing_plain,
        fast=vizing,
        examples=(
            Example(
                given={"floor": _floor(_NINE), "tandas": 2},
                expected=_rotation(("1-1 2-2 3-3", "1-3 2-1 3-2"), 6, first=3),
                note="without dual-role people the same as rot.exact",
            ),
        ),
    ),
    Entry(
        name="rot.golfer",
        words="groups that dance among themselves, then mix anew so that few meet again in a group",
        formula="local search on squared meetings in groups; in each round the best set of pairs inside groups",
        source="Harvey (CSPLib 010)",
        scalar=golfer_plain,
        fast=golfer,
        approximate=True,
        parameters={"group": GROUP},
        examples=(
            Example(
                given={"floor": _floor(_TWO), "tandas": 2},
                expected=_rotation(
                    ("1-1 2-2", "1-2 2-1"),
                    4,
                    first=2,
                    note="groups of about 4 mix anew every 2 tandas; "
                    "0 of 6 pairs of people share a group twice or more",
                ),
                note="one group of four is a whole floor",
            ),
        ),
    ),
)
