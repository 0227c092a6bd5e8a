"""Pairings of two sides that no two people would leave for each other. PURE."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mrblue_cli.matcher.columns import Ints
from mrblue_cli.matcher.pairing.base import Floor, Matching, matching
from mrblue_cli.matcher.pairing.lattice import Lattice, least_cut
from mrblue_cli.matcher.pairing.plain import Pairs, best, between
from mrblue_cli.matcher.pairing.preference import TIE_RULE, blocking, lists, ranks
from mrblue_cli.matcher.pairing.sides import chosen
from mrblue_cli.matcher.registry import Entry, Example


def propose(wish: list[list[int]], place: Ints, proposers: list[int]) -> dict[int, int]:
    """Deferred acceptance (Gale & Shapley 1962): the partner of each proposer who has one."""
    holds: dict[int, int] = {}
    asked = dict.fromkeys(proposers, 0)
    waiting = proposers[::-1]
    while waiting:
        person = waiting.pop()
        while asked[person] < len(wish[person]):
            other = wish[person][asked[person]]
            asked[person] += 1
            rival = holds.get(other)
            if rival is None or place[other, person] < place[other, rival]:
                holds[other] = person
                if rival is not None:
                    waiting.append(rival)
                break
    return {person: other for other, person in holds.items()}


def stable_plain(floor: Floor, *, seed: int = 0, proposes: str = "leader") -> Matching:  # noqa: ARG001 - no chance here
    """Of all stable pairings the one in which the proposing side has the best partners. Up to 12 people."""
    rows, _ = chosen(floor, proposes, "proposes")
    return _tried(floor, lambda place, pairs: _rank_sum(place, pairs, set(rows.tolist())), proposes)


def stable(floor: Floor, *, seed: int = 0, proposes: str = "leader") -> Matching:  # noqa: ARG001 - as above
    """Deferred acceptance; 1,000 by 1,000 in about a second."""
    rows, _ = chosen(floor, proposes, "proposes")
    pairs = propose(lists(floor), ranks(floor), rows.tolist())
    return matching(list(pairs.items()), _note(proposes), [])


def egalitarian_plain(floor: Floor, *, seed: int = 0) -> Matching:  # noqa: ARG001 - as above
    """All stable pairings tried. Up to 12 people."""
    leaders, _ = floor.sides()
    side = set(leaders.tolist())
    return _tried(floor, lambda place, pairs: (_rank_sum(place, pairs), _rank_sum(place, pairs, side)), "")


def egalitarian(floor: Floor, *, seed: int = 0) -> Matching:  # noqa: ARG001 - as above
    """The least sum of ranks by rotations and a minimum cut; 1,000 by 1,000 in about two seconds."""
    leaders, _ = floor.sides()
    wish, place = lists(floor), ranks(floor)
    lattice = Lattice(wish, place, propose(wish, place, leaders.tolist()))
    pairs = lattice.after(least_cut(lattice))
    return matching(list(pairs.items()), _note(""), [])


def regret_plain(floor: Floor, *, seed: int = 0) -> Matching:  # noqa: ARG001 - as above
    """All stable pairings tried. Up to 12 people."""
    leaders, _ = floor.sides()
    side = set(leaders.tolist())
    return _tried(floor, lambda place, pairs: (_worst_rank(place, pairs), _rank_sum(place, pairs, side)), "")


def regret(floor: Floor, *, seed: int = 0) -> Matching:  # noqa: ARG001 - as above
    """The least worst rank (Gusfield 1987); 1,000 by 1,000 in about two seconds.

    From the pairing that leaders like most: while it is a follower who is worst off, that follower turns the partner
    down, and everybody moves as little as that asks for. Leaders only lose by it, so the search is over as soon as one
    of them is among the worst off, or the follower can get nobody better.
    """
    leaders, _ = floor.sides()
    wish, place = lists(floor), ranks(floor)
    lattice = Lattice(wish, place, propose(wish, place, leaders.tolist()))
    now = dict(lattice.top)
    found, least = dict(now), _regret_of(place, now)
    while now:
        worst = _regret_of(place, now)
        if any(place[leader, follower] == worst for leader, follower in now.items()):
            break
        unlucky = min(follower for leader, follower in now.items() if place[follower, leader] == worst)
        better = _turned_down(wish, place, now, unlucky)
        if better is None:
            break
        now = better
        if _regret_of(place, now) < least:
            found, least = dict(now), _regret_of(place, now)
    return matching(list(found.items()), _note(""), [])


def _regret_of(place: Ints, pairs: dict[int, int]) -> int:
    return max((max(int(place[a, b]), int(place[b, a])) for a, b in pairs.items()), default=0)


def _turned_down(wish: list[list[int]], place: Ints, now: dict[int, int], follower: int) -> dict[int, int] | None:
    """The stable pairing nearest to `now` in which this follower has a better partner; None: there is none."""
    now = dict(now)
    holds = {other: leader for leader, other in now.items()}
    person = holds[follower]
    while True:
        for other in wish[person][int(place[person, now[person]]) :]:
            rival = holds.get(other)
            # Who sits out in one stable pairing does so in all: a proposal there means that none is left.
            if rival is None:
                return None
            if place[other, person] < place[other, rival]:
                break
        else:
            return None
        now[person], holds[other] = other, person
        if other == follower:
            return now
        person = rival


def _tried(floor: Floor, cost: Callable[[Ints, Pairs], Any], proposes: str) -> Matching:
    place = ranks(floor)

    def value(pairs: Pairs) -> tuple[int, ...]:
        costs = cost(place, pairs)
        return tuple(-part for part in (costs if isinstance(costs, tuple) else (costs,)))

    pairs = best(floor, value, lambda pairs: not blocking(place, pairs))
    return matching(pairs, _note(proposes), [])


def _rank_sum(place: Ints, pairs: Pairs, side: set[int] | None = None) -> int:
    both = [*pairs, *(pair[::-1] for pair in pairs)]
    return int(sum(place[a, b] for a, b in both if side is None or a in side))


def _worst_rank(place: Ints, pairs: Pairs) -> int:
    return max((max(int(place[a, b]), int(place[b, a])) for a, b in pairs), default=0)


def _note(proposes: str) -> str:
    return f"{proposes}s propose; {TIE_RULE}" if proposes else TIE_RULE


_CROSSED = between([[90, 80], [80, 10]])
_OPPOSED = between([[90, 80], [70, 95]], [[60, 90], [80, 50]])
_RING = between([[90, 80, 70], [70, 90, 80], [80, 70, 90]], [[70, 80, 90], [90, 70, 80], [80, 90, 70]])
ENTRIES: tuple[Entry, ...] = (
    Entry(
        name="pair.stable",
        words="deferred acceptance: one side proposes, the other keeps the best offer so far",
        formula="no two people both prefer each other to their partners; best such pairing for the side that proposes",
        source="Gale & Shapley 1962",
        scalar=stable_plain,
        fast=stable,
        parameters={"proposes": "leader"},
        examples=(
            Example(
                given={"floor": _CROSSED},
                expected=matching([(0, 2), (1, 3)], _note("leader"), []),
                note="90 + 10 = 100, worst 10",
            ),
            Example(given={"floor": _OPPOSED}, expected=matching([(0, 2), (1, 3)], _note("leader"), [])),
            Example(
                given={"floor": _OPPOSED, "proposes": "follower"},
                expected=matching([(0, 3), (1, 2)], _note("follower"), []),
                note="each follower gets the first choice, each leader the second",
            ),
        ),
    ),
    Entry(
        name="pair.egalitarian",
        words="of all stable pairings the one with the least sum of ranks; of several the one that leaders like most",
        formula="min over stable pairings of the sum of both partners' ranks",
        source="Irving, Leather & Gusfield 1987",
        scalar=egalitarian_plain,
        fast=egalitarian,
        examples=(
            Example(
                given={"floor": _RING},
                expected=matching([(0, 3), (1, 4), (2, 5)], _note(""), []),
                note="ranks 1 + 3 for each pair, 12 in all, as in the other two stable pairings: leaders decide",
            ),
            Example(given={"floor": _CROSSED}, expected=matching([(0, 2), (1, 3)], _note(""), [])),
        ),
    ),
    Entry(
        name="pair.regret",
        words="of all stable pairings the one whose worst rank is best; of several the one that leaders like most",
        formula="min over stable pairings of the largest rank",
        source="Gusfield 1987",
        scalar=regret_plain,
        fast=regret,
        examples=(
            Example(
                given={"floor": _RING},
                expected=matching([(0, 4), (1, 5), (2, 3)], _note(""), []),
                note="everybody has the second choice; in the other two stable pairings one side has its third",
            ),
            Example(given={"floor": _CROSSED}, expected=matching([(0, 2), (1, 3)], _note(""), [])),
        ),
    ),
)
