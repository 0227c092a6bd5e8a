"""The people of a floor as the methods of rotation need them: couples set apart, the rest as a table. PURE."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from mrblue_cli.core.errors import UsageError
from mrblue_cli.matcher.columns import Floats, Ints
from mrblue_cli.matcher.model import Role
from mrblue_cli.matcher.pairing.base import Floor

Mask = npt.NDArray[np.bool_]
Couples = tuple[tuple[int, int], ...]
"""Rows of a floor, the smaller first."""
Pairs = list[tuple[int, int]]
"""Of one tanda."""
_OTHER_LEADS = 2
"""In `Floor.leads`."""


class Sides(msgspec.Struct, frozen=True, kw_only=True):
    """Leaders and followers who change partners."""

    leaders: Ints
    """[l] rows of the floor, ascending."""
    followers: Ints
    """[f] likewise."""
    scores: Floats
    """[l, f] 0..100; 0 where the two cannot dance."""
    able: Mask
    """[l, f] whether the two can dance."""
    couples: Couples
    """Those who do not change."""

    def rows(self, pairs: list[tuple[int, int]]) -> list[tuple[int, int]]:
        """Pairs of this table as (leader, follower) rows of the floor."""
        return [(int(self.leaders[i]), int(self.followers[j])) for i, j in pairs]


class Mixed(msgspec.Struct, frozen=True, kw_only=True):
    """People who change partners, some of whom dance both roles."""

    people: Ints
    """[n] rows of the floor, ascending."""
    scores: Floats
    """[n, n] 0..100, symmetric; 0 where the two cannot dance."""
    able: Mask
    """[n, n] whether the two can dance, symmetric."""
    leads: Mask
    """[n, n] whether the row's person may lead the column's."""
    couples: Couples


def mask_of(plan: Sequence[Pairs], shape: tuple[int, ...]) -> Mask:
    """[l, f] the pairs of some tandas."""
    chosen = np.zeros(shape, dtype=np.bool_)
    for pairs in plan:
        for pair in pairs:
            chosen[pair] = True
    return chosen


def pairs_of(chosen: Mask) -> Pairs:
    """The indices that are set, ascending."""
    return [(int(a), int(b)) for a, b in zip(*np.nonzero(chosen), strict=True)]


def squared(counts: Ints) -> int:
    """How many sit-outs there are and how uneven, in one number: the sum of their squares."""
    return int((counts * counts).sum())


def sides_of(floor: Floor, together: Couples) -> Sides:
    """Two sides. Raises `UsageError` for dual-role people and for couples that cannot be."""
    couples = couples_of(floor, together)
    kept = {row for pair in couples for row in pair}
    leaders, followers = (np.array([row for row in side if row not in kept], dtype=np.int64) for side in floor.sides())
    scores = floor.scores[np.ix_(leaders, followers)]
    able = ~np.isnan(scores)
    return Sides(
        leaders=leaders, followers=followers, scores=np.where(able, scores, 0.0), able=able, couples=couples
    )  # fmt: skip


def mixed_of(floor: Floor, together: Couples) -> Mixed:
    """Everybody in one table. Raises `UsageError` for couples that cannot be."""
    couples = couples_of(floor, together)
    kept = {row for pair in couples for row in pair}
    people = np.array([row for row in range(len(floor)) if row not in kept], dtype=np.int64)
    leads = may_lead(floor)[np.ix_(people, people)]
    scores = floor.scores[np.ix_(people, people)]
    able = ~np.isnan(scores) & (leads | leads.T)
    np.fill_diagonal(able, val=False)
    return Mixed(people=people, scores=np.where(able, scores, 0.0), able=able, leads=leads & able, couples=couples)


def may_lead(floor: Floor) -> Mask:
    """[n, n] whether the row's person may lead the column's, by their roles."""
    leads, follows = floor.roles & Role.LEADER.value > 0, floor.roles & Role.FOLLOWER.value > 0
    return np.asarray(leads[:, None] & follows[None, :])


def leading(floor: Floor) -> Mask:
    """[n, n] whether the row's person leads the column's, or may: both ways where it does not matter who does.

    Where roles leave it open the levels decide, because the score counts the better way; equal or unknown leave it
    open still.
    """
    may = may_lead(floor)
    if floor.leads is None:
        return may
    return np.asarray(may & ~(may.T & (floor.leads == _OTHER_LEADS)))


def couples_of(floor: Floor, together: Couples) -> Couples:
    """Couples kept together, checked, in their one order. Raises `UsageError`."""
    leads = may_lead(floor)
    found = sorted({(min(pair), max(pair)) for pair in together})
    seen: set[int] = set()
    for a, b in found:
        if not (0 <= a < b < len(floor)):
            raise UsageError(
                f"a couple kept together names rows {a} and {b} of a floor of {len(floor)} people",
                hint="a couple is two different people of this floor",
            )
        if np.isnan(floor.scores[a, b]) or not (leads[a, b] or leads[b, a]):
            raise UsageError(
                f"{floor.ids[a]} and {floor.ids[b]} cannot be kept together: they cannot dance with each other",
                hint="see why: mrblue match --explain A B",
            )
        for row in (a, b):
            if row in seen:
                raise UsageError(
                    f"{floor.ids[row]} is in two couples kept together", hint="name one partner for each person"
                )
            seen.add(row)
    return tuple(found)


def lasting(able: Mask, tandas: int) -> int:
    """How many tandas can bring new pairs on two sides: nobody can dance with more partners than they have.

    Konig's theorem gives that many matchings for all possible pairs.
    """
    if not able.any():
        return 0
    return min(tandas, int(max(able.sum(axis=0).max(), able.sum(axis=1).max())))
