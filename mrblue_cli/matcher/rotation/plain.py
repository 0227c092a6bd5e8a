"""Plain forms to read and to check against: every possibility tried, for a handful of people. PURE."""

from __future__ import annotations

import itertools
from functools import cache

import numpy as np

from mrblue_cli.core.errors import UsageError
from mrblue_cli.matcher.columns import Floats, Ints
from mrblue_cli.matcher.rotation.room import Mask, Pairs, pairs_of

MOST_STATES = 200_000
Plan = tuple[int, float, tuple[tuple[int, ...], ...]]
"""(squared sit-outs, minus the total, followers of each leader): the smallest is the best."""


def fold_plain(scores: Floats, able: Mask, tandas: int, before: Ints) -> Mask:
    """`fold.fold` by trying for each leader every set of followers. Raises `UsageError` when that is too much."""
    leaders, followers = able.shape
    if (tandas + 1) ** followers * 2**followers > MOST_STATES:
        raise UsageError(
            f"the plain form is for a handful of people, not for {leaders} leaders and {followers} followers",
            hint="use the fast form",
        )

    @cache
    def best(leader: int, danced: tuple[int, ...]) -> Plan:
        if leader == leaders:
            return sum((int(before[leaders + j]) + tandas - count) ** 2 for j, count in enumerate(danced)), 0.0, ()
        found = []
        partners = [j for j in range(followers) if able[leader, j] and danced[j] < tandas]
        for size in range(min(tandas, len(partners)) + 1):
            for taken in itertools.combinations(partners, size):
                rest = best(leader + 1, tuple(count + (j in taken) for j, count in enumerate(danced)))
                squares = rest[0] + (int(before[leader]) + tandas - size) ** 2
                gained = sum(float(scores[leader, j]) for j in taken)
                found.append((squares, round(rest[1] - gained, 10), (taken, *rest[2])))
        return min(found)

    chosen = np.zeros(able.shape, dtype=np.bool_)
    for leader, taken in enumerate(best(0, (0,) * followers)[2]):
        chosen[leader, list(taken)] = True
    return chosen


def split_plain(chosen: Mask, tandas: int) -> list[Pairs]:
    """Chosen pairs as tandas whose sizes are within one of each other, by trying."""
    pairs = pairs_of(chosen)
    classes: list[Pairs] = [[] for _ in range(tandas)]
    largest = -(-len(pairs) // tandas) if tandas else 0
    fewest = len(pairs) // tandas if tandas else 0

    def place(at: int) -> bool:
        if at == len(pairs):
            return all(len(found) >= fewest for found in classes)
        a, b = pairs[at]
        for found in classes:
            if len(found) < largest and all(a != c and b != d for c, d in found):
                found.append((a, b))
                if place(at + 1):
                    return True
                found.pop()
        return False

    place(0)
    return classes


def matchings(able: Mask) -> list[Pairs]:
    """Every matching of two sides, the empty one included."""
    leaders, followers = able.shape

    def grow(leader: int, used: frozenset[int]) -> list[Pairs]:
        if leader == leaders:
            return [[]]
        found = grow(leader + 1, used)
        for j in range(followers):
            if able[leader, j] and j not in used:
                found += [[(leader, j), *rest] for rest in grow(leader + 1, used | {j})]
        return found

    return grow(0, frozenset())


def matchings_mixed(able: Mask) -> list[Pairs]:
    """Every matching of one table, the empty one included."""
    n = len(able)

    def grow(person: int, used: frozenset[int]) -> list[Pairs]:
        if person == n:
            return [[]]
        found = grow(person + 1, used)
        if person not in used:
            for other in range(person + 1, n):
                if able[person, other] and other not in used:
                    found += [[(person, other), *rest] for rest in grow(person + 1, used | {person, other})]
        return found

    return grow(0, frozenset())
