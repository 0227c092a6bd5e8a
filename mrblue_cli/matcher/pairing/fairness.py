"""Pairings that look after the worst pair, or after ranks, before the total. PURE."""

from __future__ import annotations

import numpy as np

from mrblue_cli.matcher.columns import Floats, Ints
from mrblue_cli.matcher.pairing import lexicographic
from mrblue_cli.matcher.pairing.base import Floor, Matching, matching
from mrblue_cli.matcher.pairing.plain import Pairs, best, between, exact_total
from mrblue_cli.matcher.pairing.sides import chosen, table
from mrblue_cli.matcher.registry import Entry, Example

_PER_PAIR = 1e4
"""Added to each pair where the number of pairs goes first: more than any exchange of partners can change a total."""


def bottleneck_plain(floor: Floor, *, seed: int = 0) -> Matching:  # noqa: ARG001 - no chance here; one signature for all
    """Every pairing tried. Up to 12 people."""
    floor.sides()
    return matching(best(floor, lambda pairs: (len(pairs), _worst(floor, pairs), exact_total(floor, pairs))))


def _worst(floor: Floor, pairs: Pairs) -> float:
    return min((float(floor.scores[a, b]) for a, b in pairs), default=0.0)


def bottleneck(floor: Floor, *, seed: int = 0) -> Matching:  # noqa: ARG001 - as above
    """Halving over the scores for the highest floor that as many can stand on; 500 by 500 in well under a second."""
    from scipy.optimize import linear_sum_assignment

    sides = table(floor)
    values = np.unique(sides.scores[sides.able])
    if not len(values):
        return matching([])
    most = _most(sides.able)
    low, high = 0, len(values) - 1
    while low < high:
        middle = (low + high + 1) // 2
        if _most(sides.able & (sides.scores >= values[middle])) == most:
            low = middle
        else:
            high = middle - 1
    worth = sides.square()
    open_cells = worth > 0
    open_cells[: len(sides.leaders), : len(sides.followers)] &= sides.scores >= values[low]
    _, columns = linear_sum_assignment(np.where(open_cells, worth + _PER_PAIR * len(worth), 0.0), maximize=True)
    found = sides.pairs(columns)
    return matching([(a, b) for a, b in found if floor.scores[a, b] >= values[low]])


def _most(able: lexicographic.Cells) -> int:
    return int((lexicographic.first(able) >= 0).sum())


def leximin_plain(floor: Floor, *, seed: int = 0) -> Matching:  # noqa: ARG001 - as above
    """Every pairing tried. Up to 12 people."""
    floor.sides()
    return matching(best(floor, lambda pairs: (len(pairs), sorted(floor.scores[a, b] for a, b in pairs))))


def leximin(floor: Floor, *, seed: int = 0) -> Matching:  # noqa: ARG001 - as above
    """Fewest people sitting out, then fewest pairs at the lowest score, then at the next. 500 by 500: two seconds."""
    sides = table(floor)
    values, places = np.unique(sides.scores[sides.able], return_inverse=True)
    size = max(sides.scores.shape)
    classes = np.zeros((size, size), dtype=np.int64)
    inner = classes[: len(sides.leaders), : len(sides.followers)]
    inner[sides.able] = places + 1
    if not len(values):
        return matching([])
    return matching(sides.pairs(lexicographic.assign(classes, fewest=True)))


def rankmax_plain(floor: Floor, *, seed: int = 0, chooses: str = "leader") -> Matching:  # noqa: ARG001 - as above
    """Every pairing tried. Up to 12 people."""
    choosing, others = chosen(floor, chooses, "chooses")
    place = {
        (int(row), int(other)): int(rank)
        for row, ranks in zip(choosing, _shared_ranks(floor.views[np.ix_(choosing, others)]), strict=True)
        for other, rank in zip(others, ranks, strict=True)
    }

    def profile(pairs: Pairs) -> list[int]:
        ranks = [place.get(pair, place.get(pair[::-1], 0)) for pair in pairs]
        return [ranks.count(rank) for rank in range(1, len(others) + 1)]

    return matching(best(floor, profile), _says_who(chooses))


def rankmax(floor: Floor, *, seed: int = 0, chooses: str = "leader") -> Matching:  # noqa: ARG001 - as above
    """As many first choices of one side as possible, then second ones. 500 by 500: under a second."""
    choosing, others = chosen(floor, chooses, "chooses")
    ranks = _shared_ranks(floor.views[np.ix_(choosing, others)])
    size = max(ranks.shape)
    classes = np.full((size, size), size, dtype=np.int64)
    inner = classes[: ranks.shape[0], : ranks.shape[1]]
    inner[ranks > 0] = ranks[ranks > 0] - 1
    columns = lexicographic.assign(classes, fewest=False)[: len(choosing)]
    pairs = [
        (int(row), int(others[column]))
        for row, column, own in zip(choosing, columns, ranks, strict=True)
        if column < len(others) and own[column] > 0
    ]
    return matching(pairs, _says_who(chooses))


def _shared_ranks(views: Floats) -> Ints:
    """[n, m] 1 for the best liked of each row; equals share a place; 0: cannot dance."""
    ranks = np.zeros(views.shape, dtype=np.int64)
    for row, wanted in enumerate(views):
        known = ~np.isnan(wanted)
        ordered = np.sort(-wanted[known])
        ranks[row, known] = np.searchsorted(ordered, -wanted[known], side="left") + 1
    return ranks


def _says_who(chooses: str) -> str:
    return f"choices of the {chooses}s count; people they like equally share a place"


_EQUAL_WORST = between([[90, 50, 40], [50, 60, 95], [40, 90, 55]])
_CHOICES = between([[90, 80, 10], [90, 20, 80], [80, 90, 10]])
ENTRIES: tuple[Entry, ...] = (
    Entry(
        name="pair.bottleneck",
        words="as many pairs as possible, then the best worst pair, then the largest total",
        formula="max min s(pair) over pairings of most pairs",
        source="Gross 1959",
        scalar=bottleneck_plain,
        fast=bottleneck,
        examples=(
            Example(
                given={"floor": between([[100, 60], [60, 30]])},
                expected=matching([(0, 3), (1, 2)]),
                note="60 + 60, worst 60; the largest total 130 has a pair at 30",
            ),
            Example(given={"floor": between([[90, 80], [80, 10]])}, expected=matching([(0, 3), (1, 2)])),
        ),
    ),
    Entry(
        name="pair.leximin",
        words="as many pairs as possible, then the best worst pair, then the best second worst, and so on",
        formula="lexicographic max of the ascending scores over pairings of most pairs",
        source="Burkard & Rendl 1991",
        scalar=leximin_plain,
        fast=leximin,
        examples=(
            Example(
                given={"floor": _EQUAL_WORST},
                expected=matching([(0, 3), (1, 5), (2, 4)]),
                note="90, 95, 90; the diagonal has 90, 60, 55",
            ),
            Example(
                given={"floor": between([[50, 80, 70], [90, 50, 60], [60, 100, 55]])},
                expected=matching([(0, 5), (1, 3), (2, 4)]),
                note="70, 90, 100",
            ),
        ),
    ),
    Entry(
        name="pair.rankmax",
        words="as many first choices of one side as possible, then second choices, and so on",
        formula="lexicographic max of (pairs that are a first choice, second choice, ...)",
        source="Irving et al. 2006",
        scalar=rankmax_plain,
        fast=rankmax,
        parameters={"chooses": "leader"},
        examples=(
            Example(
                given={"floor": _CHOICES},
                expected=matching([(0, 3), (1, 5), (2, 4)], _says_who("leader")),
                note="a1 and a3 get their first choice, a2 the second",
            ),
            Example(
                given={"floor": between([[90, 80], [90, 20]]), "chooses": "follower"},
                expected=matching([(0, 3), (1, 2)], _says_who("follower")),
                note="b1 likes both leaders equally, b2 likes a1: two first choices",
            ),
        ),
    ),
)
