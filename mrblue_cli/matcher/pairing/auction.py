"""The largest total by bidding. PURE. Bertsekas 1988."""

from __future__ import annotations

import numpy as np

from mrblue_cli.matcher.columns import Ints
from mrblue_cli.matcher.pairing.assignment import EXAMPLES
from mrblue_cli.matcher.pairing.base import Floor, Matching, matching
from mrblue_cli.matcher.pairing.sides import Table, table
from mrblue_cli.matcher.registry import Entry

GRID = 1e-6
"""Scores are read to a millionth; the total is the largest for scores so rounded."""
_SHRINK = 5
"""How much finer the bids of each phase are than those of the phase before."""


def _units(sides: Table) -> Ints:
    """[N, N] whole numbers for which bids of 1 are fine enough: a pairing within 1 per person of the best is the best.

    A pair counts one unit more than its score, so that of equal totals more pairs win.
    """
    able = sides.square() > 0
    size = len(able)
    worth = np.zeros((size, size), dtype=np.int64)
    rounded = np.rint(np.nan_to_num(sides.scores) / GRID).astype(np.int64)
    worth[: rounded.shape[0], : rounded.shape[1]] = rounded * (size + 1) + 1
    return np.where(able, worth * (size + 1), 0)


def _phases(worth: Ints) -> list[int]:
    """Bid increments, coarse to fine, the last one 1."""
    steps = [1]
    while steps[-1] < int(worth.max(initial=0)) // 4:
        steps.append(steps[-1] * _SHRINK)
    return steps[::-1]


def auction_plain(floor: Floor, *, seed: int = 0) -> Matching:  # noqa: ARG001 - no chance here; one signature for all
    """One leader bids at a time, in order of rows. Up to about 40 couples."""
    sides = table(floor)
    worth: list[list[int]] = _units(sides).tolist()
    size = len(worth)
    price = [0] * size
    follower_of = [-1] * size
    for step in _phases(_units(sides)):
        follower_of, leader_of = [-1] * size, [-1] * size
        waiting = list(range(size))[::-1]
        while waiting:
            leader = waiting.pop()
            gain = [worth[leader][other] - price[other] for other in range(size)]
            wanted = gain.index(max(gain))
            second = max((value for other, value in enumerate(gain) if other != wanted), default=gain[wanted])
            price[wanted] += gain[wanted] - second + step
            if leader_of[wanted] >= 0:
                follower_of[leader_of[wanted]] = -1
                waiting.append(leader_of[wanted])
            leader_of[wanted], follower_of[leader] = leader, wanted
    return matching(sides.pairs(np.array(follower_of, dtype=np.int64)))


def auction(floor: Floor, *, seed: int = 0) -> Matching:  # noqa: ARG001 - as above
    """All without a partner bid at once; the highest bid wins, of equal ones the smaller row. To 500 couples."""
    sides = table(floor)
    worth = _units(sides)
    price = np.zeros(len(worth), dtype=np.int64)
    columns = np.full(len(worth), -1, dtype=np.int64)
    for step in _phases(worth):
        columns, price = _phase(worth, price, step)
    return matching(sides.pairs(columns))


def _phase(worth: Ints, price: Ints, step: int) -> tuple[Ints, Ints]:
    """Bids until everybody has a partner: the follower of each leader, and the prices then."""
    size = len(worth)
    price = price.copy()
    follower_of, leader_of = np.full(size, -1, dtype=np.int64), np.full(size, -1, dtype=np.int64)
    while len(waiting := np.flatnonzero(follower_of < 0)):
        gain = worth[waiting] - price
        turn = np.arange(len(waiting))
        wanted = np.argmax(gain, axis=1)
        first = gain[turn, wanted]
        gain[turn, wanted] = np.iinfo(np.int64).min
        second = gain.max(axis=1) if size > 1 else first
        bid = price[wanted] + first - second + step
        # Last write wins: written from the lowest bid up, and of equal bids the smaller row last.
        order = np.lexsort((-waiting, bid))
        best = np.full(size, -1, dtype=np.int64)
        best[wanted[order]] = order
        asked = np.flatnonzero(best >= 0)
        winner = waiting[best[asked]]
        losers = leader_of[asked]
        follower_of[losers[losers >= 0]] = -1
        leader_of[asked], follower_of[winner] = winner, asked
        price[asked] = bid[best[asked]]
    return follower_of, price


ENTRIES: tuple[Entry, ...] = (
    Entry(
        name="pair.auction",
        words="leaders bid for followers until nobody would rather have another; bids get finer phase by phase",
        formula="max sum of s(pair) for scores rounded to a millionth; last bid increment under 1/N of a unit",
        source="Bertsekas 1988",
        scalar=auction_plain,
        fast=auction,
        examples=EXAMPLES,
    ),
)
