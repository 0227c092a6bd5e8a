"""`rot.vizing`: several tandas for people of both roles. PURE."""

from __future__ import annotations

import numpy as np

from mrblue_cli.matcher.columns import Floats, Ints
from mrblue_cli.matcher.pairing.base import Floor
from mrblue_cli.matcher.rotation.base import Rotation
from mrblue_cli.matcher.rotation.choice import Choice
from mrblue_cli.matcher.rotation.plain import matchings_mixed
from mrblue_cli.matcher.rotation.room import Couples, Mask, Mixed, Pairs, mixed_of, pairs_of, squared
from mrblue_cli.matcher.rotation.sheet import arrange, sheet
from mrblue_cli.matcher.rotation.vizing import colour, squeeze

MOST_PLAIN = 6
CROWD = 60
"""People above whom the program looks at likely pairs only."""
_TIES = 30
_SCORES = 42
_FAIRNESS = 84
"""Bits: ties, then scores (in millionths), then fairness, each above the sum of all below it."""


def vizing(floor: Floor, tandas: int, *, seed: int = 0, together: Couples = ()) -> Rotation:
    """The best choice of pairs, then coloured with tandas; also for floors without dual-role people.

    Colouring may need one tanda more than there are. Then the lightest class is given up, its pairs are put into the
    others as far as they go, and whoever is idle then is paired anew; the note says how many pairs that cost. The same
    is done tanda by tanda, and the better of both is taken.
    """
    mixed = mixed_of(floor, together)
    classes, notes = rounds_of(mixed.scores, mixed, tandas, seed)
    return sheet(floor, arrange(classes, floor), mixed.couples, tandas, notes)


def vizing_plain(floor: Floor, tandas: int, *, seed: int = 0, together: Couples = ()) -> Rotation:  # noqa: ARG001
    """By trying everything for up to 6 people; above that tanda by tanda, each by trying everything."""
    mixed = mixed_of(floor, together)
    plans = _all_plans if len(mixed.people) <= MOST_PLAIN else _in_turn_plain
    busiest = _busiest(mixed.able)
    plan = plans(mixed, min(tandas, busiest))
    if tandas > busiest and sum(len(pairs) for pairs in plan) < int(mixed.able.sum()) // 2:
        plan = plans(mixed, busiest + 1)
    classes = [rows_of(mixed, pairs) for pairs in plan if pairs]
    return sheet(floor, arrange(classes, floor), mixed.couples, tandas)


def rounds_of(weights: Floats, mixed: Mixed, tandas: int, seed: int) -> tuple[list[Pairs], list[str]]:
    """Tandas without order, as rows of the floor, and what a person should know of them.

    `weights` [n, n] >= 0 say what a pair is worth.
    """
    lasts = min(tandas, _busiest(mixed.able))
    if lasts == 0:
        return [], []
    if tandas > lasts:
        return _rows(mixed, _all_pairs(mixed.able, lasts, weights, seed)), []
    tie = np.random.default_rng(seed).integers(1, 2**_TIES, mixed.able.shape)
    in_turn = fill([[] for _ in range(lasts)], weights, mixed.able, tie)
    most = max(len(pairs) for pairs in fill([[]], np.zeros(weights.shape), mixed.able, tie))
    chosen = _choice(weights, mixed.able, lasts, most, in_turn)
    if chosen is None:
        return _rows(mixed, in_turn), ["the floor is too large to choose all pairs at once: planned tanda by tanda"]
    classes, homeless = _coloured(len(mixed.people), chosen, lasts, weights, seed)
    planned = fill(classes, weights, mixed.able, tie)
    if _worth(in_turn, weights, lasts) < _worth(planned, weights, lasts):
        return _rows(mixed, in_turn), []
    left_out = {pair for pair in homeless if not any(pair in pairs for pairs in planned)}
    if not left_out:
        return _rows(mixed, planned), []
    told = (
        f"{len(left_out)} of the {len(chosen)} best pairs did not fit into {lasts} tandas: "
        "edge colouring may need one more"
    )
    return _rows(mixed, planned), [told]


def _choice(weights: Floats, able: Mask, tandas: int, most: int, in_turn: list[Pairs]) -> Pairs | None:
    near = likely(weights, able, tandas)
    chosen = Choice(weights, near, tandas, most).best()
    if near is not able and (chosen is None or _worth([chosen], weights, tandas) > _worth(in_turn, weights, tandas)):
        return Choice(weights, able, tandas, most).best()
    return chosen


def likely(weights: Floats, able: Mask, tandas: int) -> Mask:
    """[n, n] above `CROWD` people the pairs in which either is among the other's best 3 T + 12; else all.

    The full program of 200 people and 10 tandas took 25 times as long and chose the same pairs. Among equals a person's
    neighbours in order of rows come first, so that not everybody names the same few.
    """
    if len(able) <= CROWD:
        return able
    ahead = (np.arange(len(able))[None, :] - np.arange(len(able))[:, None]) % len(able)
    order = np.lexsort((ahead, np.where(able, -weights, np.inf)), axis=1)
    near = np.zeros(able.shape, dtype=np.bool_)
    np.put_along_axis(near, order[:, : 3 * tandas + 12], values=True, axis=1)
    return np.asarray(able & (near | near.T))


def _busiest(able: Mask) -> int:
    """The largest number of possible partners of one person."""
    return int(able.sum(axis=1).max()) if able.any() else 0


def _all_pairs(able: Mask, busiest: int, weights: Floats, seed: int) -> list[Pairs]:
    """Everybody with everybody they can dance with: in `busiest` tandas if that is found, else in one more.

    Three people who all can dance have two partners each and need three tandas.
    """
    classes = colour(len(able), pairs_of(np.triu(able)))
    fewer, homeless = squeeze(len(able), classes, weights, seed)
    return fewer if len(fewer) == busiest and not homeless else classes


def _coloured(people: int, pairs: Pairs, tandas: int, weights: Floats, seed: int) -> tuple[list[Pairs], Pairs]:
    classes = colour(people, pairs)
    homeless: Pairs = []
    if len(classes) > tandas:
        classes, homeless = squeeze(people, classes, weights, seed)
    return classes + [[] for _ in range(tandas - len(classes))], homeless


def fill(classes: list[Pairs], weights: Floats, able: Mask, tie: Ints) -> list[Pairs]:
    """The same tandas, in each of them the idle paired as well as can be with somebody new: fairness first.

    A matching of largest weight in whole numbers; `tie` [n, n] decides between equals, so that there is one answer.
    """
    from rustworkx import PyGraph, max_weight_matching

    left = able.copy()
    sits = np.full(len(able), len(classes), dtype=np.int64)
    for a, b in (pair for pairs in classes for pair in pairs):
        left[a, b] = left[b, a] = False
        sits[[a, b]] -= 1
    done = []
    for pairs in classes:
        idle = np.ones(len(able), dtype=np.bool_)
        idle[[person for pair in pairs for person in pair]] = False
        graph = PyGraph(multigraph=False)
        graph.add_nodes_from(range(len(able)))
        for a, b in zip(*np.nonzero(np.triu(left & idle[:, None] & idle[None, :])), strict=True):
            spared = int(2 * sits[a] - 1 + 2 * sits[b] - 1)
            score = round(float(weights[a, b]) * 1e6)
            graph.add_edge(int(a), int(b), (spared << _FAIRNESS) + (score << _SCORES) + int(tie[a, b]))
        more = [(min(pair), max(pair)) for pair in max_weight_matching(graph, weight_fn=int)]
        for a, b in more:
            left[a, b] = left[b, a] = False
            sits[[a, b]] -= 1
        done.append(sorted([*pairs, *more]))
    return done


def _worth(plan: list[Pairs], weights: Floats, tandas: int) -> tuple[int, float]:
    """The smaller the better: squared sit-outs, then minus the total."""
    sits = np.full(len(weights), tandas, dtype=np.int64)
    for a, b in (pair for pairs in plan for pair in pairs):
        sits[[a, b]] -= 1
    gained = sum(float(weights[pair]) for pairs in plan for pair in pairs)
    return squared(sits), round(-gained, 9)


def _rows(mixed: Mixed, plan: list[Pairs]) -> list[Pairs]:
    return [rows_of(mixed, pairs) for pairs in plan if pairs]


def rows_of(mixed: Mixed, pairs: Pairs) -> Pairs:
    """Pairs of this table as rows of the floor."""
    return [(int(mixed.people[a]), int(mixed.people[b])) for a, b in pairs]


def _all_plans(mixed: Mixed, tandas: int) -> list[Pairs]:
    """What dances is a set of pairs: after each tanda, every set that can have been danced, with one way to it."""
    ways: dict[frozenset[tuple[int, int]], list[Pairs]] = {frozenset(): []}
    options = [(frozenset(pairs), pairs) for pairs in matchings_mixed(mixed.able)]
    for _ in range(tandas):
        further: dict[frozenset[tuple[int, int]], list[Pairs]] = {}
        for danced, plan in ways.items():
            for chosen, pairs in options:
                if not danced & chosen:
                    further.setdefault(danced | chosen, [*plan, pairs])
        ways = further
    return min(ways.values(), key=lambda plan: (*_worth(plan, mixed.scores, tandas), plan))


def _in_turn_plain(mixed: Mixed, tandas: int) -> list[Pairs]:
    left, sits = mixed.able.copy(), np.full(len(mixed.people), tandas)
    plan = []
    for _ in range(tandas):

        def worth(pairs: Pairs, sits: Ints = sits) -> tuple[int, float]:
            spared = sum(2 * int(sits[a]) - 1 + 2 * int(sits[b]) - 1 for a, b in pairs)
            return spared, round(sum(float(mixed.scores[pair]) for pair in pairs), 9)

        pairs = max(matchings_mixed(left), key=worth)
        for a, b in pairs:
            left[a, b] = left[b, a] = False
            sits[[a, b]] -= 1
        plan.append(pairs)
    return plan
