"""Partners taken in turn, traded, or met at the door. PURE."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mrblue_cli.core.errors import UsageError
from mrblue_cli.matcher.pairing.base import Floor, Matching, matching
from mrblue_cli.matcher.pairing.plain import between
from mrblue_cli.matcher.pairing.preference import lists
from mrblue_cli.matcher.pairing.sides import chosen
from mrblue_cli.matcher.registry import Entry, Example

Couples = Sequence[tuple[int, int]]


def ttc_plain(floor: Floor, *, seed: int = 0, current: Couples = (), trades: str = "leader") -> Matching:  # noqa: ARG001 - no chance here
    """Top trading cycles, one cycle at a time, drawn anew after each."""
    traders, others = chosen(floor, trades, "trades")
    owner = _owners(floor, current, set(traders.tolist()))
    free_traders, free_others = set(traders.tolist()), set(others.tolist())
    wish = lists(floor)
    pairs: list[tuple[int, int]] = []
    while free_traders:
        wants = {who: next((x for x in wish[who] if x in free_others), None) for who in free_traders}
        leaving = {who for who, wanted in wants.items() if wanted is None}
        if leaving:
            free_traders -= leaving
            continue
        # A partner without an owner is free for whoever is first in line.
        asks = {x: owner[x] if owner.get(x) in free_traders else min(free_traders) for x in free_others}
        who = min(free_traders)
        seen: list[int] = []
        while who not in seen:
            seen.append(who)
            who = asks[wants[who] or 0]
        cycle = seen[seen.index(who) :]
        pairs.extend((trader, wants[trader] or 0) for trader in cycle)
        free_others -= {wants[trader] or 0 for trader in cycle}
        free_traders -= set(cycle)
    return matching(pairs, _trade_note(trades))


def ttc(floor: Floor, *, seed: int = 0, current: Couples = (), trades: str = "leader") -> Matching:  # noqa: ARG001 - as above
    """The same along one path that is never walked twice; 1,000 by 1,000 in about a second.

    Nobody who trades ends with a partner they like less than the `current` one, and no group could have traded better
    among themselves. The other side's wishes count only in who can dance with whom.
    """
    traders, _ = chosen(floor, trades, "trades")
    owner = _owners(floor, current, set(traders.tolist()))
    wish = lists(floor)
    taken = [False] * len(floor)
    at = [0] * len(floor)
    pairs: list[tuple[int, int]] = []
    path: list[tuple[int, int]] = []
    line = iter(traders.tolist())
    first = next(line, None)
    while first is not None:
        if taken[first]:
            first = next(line, None)
            continue
        if path and taken[path[-1][1]]:
            who = path.pop()[0]
        else:
            owned = owner.get(path[-1][1], first) if path else first
            who = first if taken[owned] else owned
        start = next((index for index, (trader, _) in enumerate(path) if trader == who), len(path))
        if start < len(path):
            for trader, wanted in path[start:]:
                pairs.append((trader, wanted))
                taken[trader] = taken[wanted] = True
            del path[start:]
            continue
        while at[who] < len(wish[who]) and taken[wish[who][at[who]]]:
            at[who] += 1
        if at[who] == len(wish[who]):
            taken[who] = True
        else:
            path.append((who, wish[who][at[who]]))
    return matching(pairs, _trade_note(trades))


def _owners(floor: Floor, current: Couples, traders: set[int]) -> dict[int, int]:
    """The trader whose present partner each of the others is. Raises `UsageError` for pairs that cannot be."""
    owner: dict[int, int] = {}
    for pair in current:
        a, b = (int(row) for row in pair)
        trader, partner = (a, b) if a in traders else (b, a)
        inside = min(a, b) >= 0 and max(a, b) < len(floor)
        if not inside or np.isnan(floor.scores[a, b]):
            names = " and ".join(floor.ids[row] if 0 <= row < len(floor) else f"row {row}" for row in (a, b))
            raise UsageError(f"{names} cannot dance together", hint="give current partners who can, or leave them out")
        if partner in owner or trader in owner.values():
            twice = floor.ids[partner if partner in owner else trader]
            raise UsageError(f"{twice} has two current partners", hint="give each person one current partner at most")
        owner[partner] = trader
    return owner


def _trade_note(trades: str) -> str:
    return f"{trades}s trade, each at least as well off as with the current partner; without one, smaller ids first"


def online_plain(floor: Floor, *, seed: int = 0, arrives: str = "leader") -> Matching:
    """Those at the door in turn; each gets the free partner whose number, drawn beforehand, is smallest."""
    guests, hosts = chosen(floor, arrives, "arrives")
    coming, numbers = _drawn(len(guests), len(hosts), seed)
    number = dict(zip(hosts.tolist(), numbers, strict=True))
    pairs: list[tuple[int, int]] = []
    for guest in (int(guests[place]) for place in coming):
        able = [host for host in number if not np.isnan(floor.scores[guest, host])]
        if able:
            host = min(able, key=number.__getitem__)
            pairs.append((guest, host))
            del number[host]
    return matching(pairs, _door_note(arrives, seed))


def online(floor: Floor, *, seed: int = 0, arrives: str = "leader") -> Matching:
    """The same over arrays: 2,500 by 2,500 in well under a second.

    No score is looked at, only who can dance with whom: on average at least 63 % of the most pairs there could be.
    """
    guests, hosts = chosen(floor, arrives, "arrives")
    coming, numbers = _drawn(len(guests), len(hosts), seed)
    # Hosts in the order of their numbers: the first free one who can dance is the one.
    hosts = hosts[np.argsort(numbers)]
    free = np.ones(len(hosts), dtype=np.bool_)
    pairs: list[tuple[int, int]] = []
    for guest in guests[coming].tolist() if len(hosts) else ():
        able = free & ~np.isnan(floor.scores[guest, hosts])
        place = int(np.argmax(able))
        if able[place]:
            free[place] = False
            pairs.append((guest, int(hosts[place])))
    return matching(pairs, _door_note(arrives, seed))


def _drawn(guests: int, hosts: int, seed: int) -> tuple[list[int], list[int]]:
    """The order in which guests come, and each host's number."""
    chance = np.random.default_rng(seed)
    return chance.permutation(guests).tolist(), chance.permutation(hosts).tolist()


def _door_note(arrives: str, seed: int) -> str:
    return f"{arrives}s walk in one by one, order and numbers drawn by lot, seed {seed}"


_TRADE = between([[50, 90, 10], [80, 60, 20], [90, 80, 70]])
_VACANT = between([[50, 90], [80, 60], [90, 70]])
_NARROW = between([[90, None], [80, None], [None, 70]])
ENTRIES: tuple[Entry, ...] = (
    Entry(
        name="pair.ttc",
        words="one side trades from its current partners until nobody can trade to advantage",
        formula="top trading cycles: each asks for the best free partner, each partner for the owner, rings trade",
        source="Shapley & Scarf 1974",
        scalar=ttc_plain,
        fast=ttc,
        parameters={"current": (), "trades": "leader"},
        examples=(
            Example(
                given={"floor": _TRADE, "current": ((0, 3), (1, 4), (2, 5))},
                expected=matching([(0, 4), (1, 3), (2, 5)], _trade_note("leader")),
                note="a1 and a2 swap; a3 would like b1 or b2, but has nothing that they want",
            ),
            Example(
                given={"floor": _VACANT, "current": ((2, 4),)},
                expected=matching([(0, 4), (2, 3)], _trade_note("leader")),
                note="b1 is nobody's and goes to a1 as first in line, who trades her to a3 for b2",
            ),
        ),
    ),
    Entry(
        name="pair.online",
        words="people walk in and get the free partner with the smallest number drawn beforehand",
        formula="ranking: first free feasible partner in a random order; on average (1 - 1/e) of the most pairs",
        source="Karp et al. 1990",
        scalar=online_plain,
        fast=online,
        parameters={"arrives": "leader"},
        examples=(
            Example(
                given={"floor": _NARROW},
                expected=matching([(0, 3), (2, 4)], _door_note("leader", 0)),
                note="whatever the numbers: b2 can only dance with a3, and a1 comes before a2",
            ),
        ),
    ),
)
