"""Pairings that need no sides: anybody with anybody they can dance with. PURE."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from mrblue_cli.core.errors import UsageError
from mrblue_cli.matcher.model import Role
from mrblue_cli.matcher.pairing.assignment import total
from mrblue_cli.matcher.pairing.base import Floor, Matching, matching
from mrblue_cli.matcher.pairing.plain import among, best, between, exact_total
from mrblue_cli.matcher.registry import Entry, Example

UNIT = 2.0**-40
"""Scores as whole numbers of this: a trillionth of a point, under half of which rounding moves a pair."""
GOOD = 60.0


def greedy_plain(floor: Floor, *, seed: int = 0) -> Matching:  # noqa: ARG001 - no chance here; one signature for all
    """The best pair of those still free, again and again; of equal pairs the one of smaller rows."""
    pairs: list[tuple[int, int]] = []
    free = set(range(len(floor)))
    while True:
        able = [
            (-float(floor.scores[a, b]), a, b) for a in free for b in free if a < b and not np.isnan(floor.scores[a, b])
        ]
        if not able:
            return matching(pairs, _GREEDY)
        _, a, b = min(able)
        pairs.append((a, b))
        free -= {a, b}


def greedy(floor: Floor, *, seed: int = 0) -> Matching:  # noqa: ARG001 - as above
    """The same from one sorted list: 2,000 people in under a second."""
    left, right = np.nonzero(np.triu(~np.isnan(floor.scores), 1))
    order = np.argsort(-floor.scores[left, right], kind="stable")
    free = np.ones(len(floor), dtype=np.bool_)
    pairs: list[tuple[int, int]] = []
    # Whoever is taken in one stretch leaves the list before the next, so most pairs are never looked at one by one.
    while len(order):
        stretch, order = order[: 4 * len(floor)], order[4 * len(floor) :]
        for a, b in zip(left[stretch].tolist(), right[stretch].tolist(), strict=True):
            if free[a] and free[b]:
                free[a] = free[b] = False
                pairs.append((a, b))
        order = order[free[left[order]] & free[right[order]]]
    return matching(pairs, _GREEDY)


_GREEDY = "of equal pairs the one of smaller ids first"


def blossom_plain(floor: Floor, *, seed: int = 0) -> Matching:  # noqa: ARG001 - as above
    """Every pairing tried. Up to 12 people."""
    return matching(best(floor, lambda pairs: (exact_total(floor, pairs), len(pairs))))


def blossom(floor: Floor, *, seed: int = 0) -> Matching:  # noqa: ARG001 - as above
    """By blossoms (Galil 1986, as rustworkx has them), exact for scores rounded to 2^-40 of a point.

    400 people who all dance both roles take about two seconds, 1,000 half a minute. Where nobody dances both, it is
    pair.total that gives the answer, and takes 2,500 by 2,500 in two seconds.
    """
    if not (floor.roles == Role.BOTH.value).any():
        return total(floor)
    able = np.triu(~np.isnan(floor.scores), 1)
    # A pair counts one more than its score in units so fine that no number of pairs makes up for one unit of score.
    worth = {
        (a, b): round(score / UNIT) * (len(floor) + 1) + 1
        for a, b, score in zip(*(side.tolist() for side in np.nonzero(able)), floor.scores[able].tolist(), strict=True)
    }
    return matching(_heaviest(len(floor), worth))


def _heaviest(people: int, worth: dict[tuple[int, int], int]) -> list[tuple[int, int]]:
    """Pairs of largest total worth; edges go in by rows, so that the answer never depends on the order of input."""
    import rustworkx

    graph: Any = rustworkx.PyGraph(multigraph=False)
    graph.add_nodes_from(range(people))
    graph.add_edges_from([(a, b, weight) for (a, b), weight in worth.items()])
    return list(rustworkx.max_weight_matching(graph, weight_fn=int))


def most_plain(floor: Floor, *, seed: int = 0, least: float = GOOD) -> Matching:  # noqa: ARG001 - as above
    """Every pairing tried. Up to 12 people."""
    high = _at_least(floor, least)
    return matching(best(floor, len, lambda pairs: all(high[pair] for pair in pairs)), _floor_note(least))


def most(floor: Floor, *, seed: int = 0, least: float = GOOD) -> Matching:  # noqa: ARG001 - as above
    """Hopcroft & Karp (as scipy has them) between sides, blossoms where people dance both roles. 2,000 people: 1 s."""
    high = _at_least(floor, least)
    if (floor.roles == Role.BOTH.value).any():
        left, right = np.nonzero(np.triu(high, 1))
        worth = dict.fromkeys(zip(left.tolist(), right.tolist(), strict=True), 1)
        return matching(_heaviest(len(floor), worth), _floor_note(least))
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import maximum_bipartite_matching

    leaders, followers = floor.sides()
    columns = maximum_bipartite_matching(csr_matrix(high[np.ix_(leaders, followers)]), perm_type="column")
    pairs = [(int(a), int(followers[column])) for a, column in zip(leaders, columns, strict=True) if column >= 0]
    return matching(pairs, _floor_note(least))


def _at_least(floor: Floor, least: float) -> npt.NDArray[np.bool_]:
    if not 0 <= least <= 100:
        raise UsageError(f"least is {least:g}", hint="least is a score from 0 to 100")
    return np.asarray(np.nan_to_num(floor.scores, nan=-1.0) >= least)


def _floor_note(least: float) -> str:
    return f"only pairs of {least:g} or more"


def lottery_plain(floor: Floor, *, seed: int = 0) -> Matching:
    """Each in turn takes the free partner they want most; of equals the smaller row."""
    pairs: list[tuple[int, int]] = []
    free = list(range(len(floor)))
    for person in np.random.default_rng(seed).permutation(len(floor)).tolist():
        wanted = [(-floor.views[person, other], other) for other in free if not np.isnan(floor.scores[person, other])]
        if person in free and wanted:
            _, partner = min(wanted)
            pairs.append((person, partner))
            free = [other for other in free if other not in {person, partner}]
    return matching(pairs, _drawn(seed))


def lottery(floor: Floor, *, seed: int = 0) -> Matching:
    """The same over arrays: 5,000 people in under a second."""
    pairs: list[tuple[int, int]] = []
    free = np.ones(len(floor), dtype=np.bool_)
    for person in np.random.default_rng(seed).permutation(len(floor)).tolist():
        if not free[person]:
            continue
        wanted = np.where(free & ~np.isnan(floor.scores[person]), floor.views[person], -np.inf)
        partner = int(np.argmax(wanted))
        if wanted[partner] > -np.inf:
            pairs.append((person, partner))
            free[[person, partner]] = False
    return matching(pairs, _drawn(seed))


def _drawn(seed: int) -> str:
    return f"order drawn by lot, seed {seed}"


_SQUARE = [[None, 70, 100, 10], [70, None, 60, 90], [100, 60, None, 20], [10, 90, 20, None]]
_CHAIN = [[None, 80, None, None], [80, None, 90, None], [None, 90, None, 80], [None, None, 80, None]]
ENTRIES: tuple[Entry, ...] = (
    Entry(
        name="pair.greedy",
        words="the best pair first, then the best of those still free; at least half the largest total",
        formula="repeat: arg max s(pair) among free people",
        source="Avis 1983",
        scalar=greedy_plain,
        fast=greedy,
        examples=(
            Example(given={"floor": among(_SQUARE)}, expected=matching([(0, 2), (1, 3)], _GREEDY), note="100, then 90"),
            Example(
                given={"floor": among(_CHAIN)},
                expected=matching([(1, 2)], _GREEDY),
                note="90, where the largest total is 80 + 80 = 160",
            ),
            Example(given={"floor": between([[90, 80], [80, 10]])}, expected=matching([(0, 2), (1, 3)], _GREEDY)),
        ),
    ),
    Entry(
        name="pair.blossom",
        words="the largest total also where people dance both roles",
        formula="max sum of s(pair) over all pairings of a graph that may have odd rings; of equal totals more pairs",
        source="Edmonds 1965; Galil 1986",
        scalar=blossom_plain,
        fast=blossom,
        examples=(
            Example(given={"floor": among(_CHAIN)}, expected=matching([(0, 1), (2, 3)]), note="80 + 80 against 90"),
            Example(given={"floor": among(_SQUARE)}, expected=matching([(0, 2), (1, 3)]), note="100 + 90 = 190"),
        ),
    ),
    Entry(
        name="pair.most",
        words="as many pairs as possible among those of at least a given score",
        formula="max number of pairs with s(pair) >= least",
        source="Hopcroft & Karp 1973",
        scalar=most_plain,
        fast=most,
        parameters={"least": GOOD},
        examples=(
            Example(given={"floor": among(_CHAIN)}, expected=matching([(0, 1), (2, 3)], _floor_note(60))),
            Example(given={"floor": among(_CHAIN), "least": 85.0}, expected=matching([(1, 2)], _floor_note(85))),
            Example(
                given={"floor": between([[90, 80], [80, 10]])},
                expected=matching([(0, 3), (1, 2)], _floor_note(60)),
                note="the diagonal would hold one pair of 60 or more",
            ),
        ),
    ),
    Entry(
        name="pair.lottery",
        words="people take the free partner they want most, in an order drawn by lot",
        formula="random serial dictatorship over the views of each person",
        source="Abdulkadiroglu & Sonmez 1998",
        scalar=lottery_plain,
        fast=lottery,
        examples=(
            Example(
                given={"floor": between([[90, 80], [80, 10]])},
                expected=matching([(0, 2), (1, 3)], _drawn(0)),
                note="the first drawn is b1, who takes a1",
            ),
        ),
    ),
)
