"""What is done to a list of the best before it is shown. PURE."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import numpy.typing as npt

from mrblue_cli.core.errors import UsageError
from mrblue_cli.matcher.columns import Floats, Ints
from mrblue_cli.matcher.registry import Entry, Example
from mrblue_cli.matcher.topk.base import Found

RELEVANCE = 0.7
"""`mmr`: how much the score counts against likeness to those already chosen."""
MOST_EXACT = 300_000
"""Entries (people times candidates) up to which `exposure` is exact: about two seconds."""


def mmr(
    scores: Floats | Sequence[float],
    similarity: Floats | Sequence[Sequence[float]],
    k: int,
    weight: float = RELEVANCE,
) -> Ints:
    """[k] candidates, each the best by weight * score - (1 - weight) * its largest similarity to those before it.

    `scores` [n] and `similarity` [n, n] (symmetric) are 0..100; a NaN score is no candidate. Ties go to the smaller
    row; -1 where candidates run out. Raises `UsageError` unless 0 <= weight <= 1.
    """
    _share(weight)
    relevance = np.asarray(scores, dtype=np.float64)
    alike = np.asarray(similarity, dtype=np.float64).reshape(len(relevance), len(relevance))
    chosen = np.full(max(0, k), -1, dtype=np.int64)
    left = ~np.isnan(relevance)
    closest = np.zeros(len(relevance))
    for place in range(min(len(chosen), int(left.sum()))):
        value = np.where(left, weight * relevance - (1 - weight) * closest, -np.inf)
        best = int(np.argmax(value))
        chosen[place], left[best] = best, False
        closest = np.maximum(closest, alike[best])
    return chosen


def mmr_plain(
    scores: Sequence[float], similarity: Sequence[Sequence[float]], k: int, weight: float = RELEVANCE
) -> list[int]:
    """`mmr`, looking at all those chosen each time."""
    _share(weight)
    chosen: list[int] = []
    candidates = [row for row, score in enumerate(scores) if score == score]  # noqa: PLR0124 - false for NaN alone
    while candidates and len(chosen) < k:
        values = [
            weight * scores[row] - (1 - weight) * max((similarity[other][row] for other in chosen), default=0.0)
            for row in candidates
        ]
        chosen.append(candidates.pop(values.index(max(values))))
    return chosen + [-1] * (k - len(chosen))


def _share(weight: float) -> None:
    if not 0 <= weight <= 1:
        raise UsageError(f"the weight of rank.mmr is {weight:g}", hint="1 looks at scores only, 0 at variety only")


def exposure(found: Found, k: int, cap: int, *, most_exact: int = MOST_EXACT) -> Found:
    """[m, k] lists out of longer ones, such that nobody is shown in more than `cap` of them.

    Of all ways to do so, one with the largest total score: a transport problem, solved exactly by linear programming
    (its corners are whole numbers). Above `most_exact` entries the best entry that still fits is taken, again and
    again, ties by smaller candidate, then by smaller person: at least half of that total. Each list is by falling
    score, ties by smaller row. Raises `UsageError` unless k and cap are 1 or more.
    """
    _positive(k, cap)
    people, places = np.nonzero((found.rows >= 0) & ~np.isnan(found.scores))
    rows, scores = found.rows[people, places], found.scores[people, places]
    # In one order whatever order a list came in.
    order = np.lexsort((rows, people))
    people, rows, scores = people[order], rows[order], scores[order]
    choose = _exactly if len(rows) <= most_exact else _greedily
    shown = choose(people, rows, scores, k, cap)
    return _lists(len(found.rows), people[shown], rows[shown], scores[shown], k)


def _exactly(people: Ints, rows: Ints, scores: Floats, k: int, cap: int) -> npt.NDArray[np.bool_]:
    """[entries] which to show."""
    from scipy.optimize import linprog
    from scipy.sparse import coo_array, vstack

    if not len(rows):
        return np.zeros(0, dtype=np.bool_)
    one, entries = np.ones(len(rows)), np.arange(len(rows))
    _, candidate = np.unique(rows, return_inverse=True)
    lists = coo_array((one, (people, entries)), shape=(int(people.max()) + 1, len(rows)))
    showings = coo_array((one, (candidate, entries)), shape=(int(candidate.max()) + 1, len(rows)))
    limits = np.concatenate((np.full(lists.shape[0], float(k)), np.full(showings.shape[0], float(cap))))
    # The dual simplex ends in a corner; an inner point could share an entry out between two people.
    solved = linprog(-scores, A_ub=vstack((lists, showings)).tocsr(), b_ub=limits, bounds=(0, 1), method="highs-ds")
    return np.asarray(solved.x > 0.5)


def _greedily(people: Ints, rows: Ints, scores: Floats, k: int, cap: int) -> npt.NDArray[np.bool_]:
    """[entries] which to show."""
    shown = np.zeros(len(rows), dtype=np.bool_)
    lengths = [0] * (int(people.max(initial=-1)) + 1)
    times = [0] * (int(rows.max(initial=-1)) + 1)
    order = np.lexsort((people, rows, -scores))
    for entry, person, row in zip(order.tolist(), people[order].tolist(), rows[order].tolist(), strict=True):
        if lengths[person] < k and times[row] < cap:
            shown[entry] = True
            lengths[person] += 1
            times[row] += 1
    return shown


def _lists(m: int, people: Ints, rows: Ints, scores: Floats, k: int) -> Found:
    order = np.lexsort((rows, -scores, people))
    people, rows, scores = people[order], rows[order], scores[order]
    place = np.arange(len(people)) - np.searchsorted(people, people)
    found, kept = np.full((m, k), -1, dtype=np.int64), np.full((m, k), np.nan)
    found[people, place], kept[people, place] = rows, scores
    return Found(rows=found, scores=kept)


def exposure_plain(found: Found, k: int, cap: int) -> Found:
    """`exposure` by trying each way to fill each list: for a handful of people."""
    _positive(k, cap)
    lists = [
        [(int(row), float(score)) for row, score in zip(rows, scores, strict=True) if row >= 0]
        for rows, scores in zip(found.rows, found.scores, strict=True)
    ]
    shown = _best([sorted(entries, key=lambda entry: (-entry[1], entry[0])) for entries in lists], k, cap, {})[1]
    people = [person for person, entries in enumerate(shown) for _ in entries]
    rows = [row for entries in shown for row, _ in entries]
    scores = [score for entries in shown for _, score in entries]
    return _lists(
        len(lists),
        np.array(people, dtype=np.int64),
        np.array(rows, dtype=np.int64),
        np.array(scores, dtype=np.float64),
        k,
    )


_Entries = list[tuple[int, float]]


def _best(lists: list[_Entries], k: int, cap: int, times: dict[int, int]) -> tuple[float, list[_Entries]]:
    """The largest total of the lists still to fill, and what each shows."""
    if not lists:
        return 0.0, []
    free = [entry for entry in lists[0] if times.get(entry[0], 0) < cap]
    best: tuple[float, list[_Entries]] = (-1.0, [])
    for size in range(min(k, len(free)), -1, -1):
        for part in combinations(free, size):
            after = dict(times)
            for row, _ in part:
                after[row] = after.get(row, 0) + 1
            total, rest = _best(lists[1:], k, cap, after)
            total += sum(score for _, score in part)
            if total > best[0] + 1e-9:
                best = total, [list(part), *rest]
    return best


def _positive(k: int, cap: int) -> None:
    if k < 1 or cap < 1:
        raise UsageError(f"rank.exposure cannot make lists of {k} with a cap of {cap}", hint="both are 1 or more")


def _found(rows: Sequence[Sequence[int]], scores: Sequence[Sequence[float]]) -> Found:
    return Found(rows=np.array(rows, dtype=np.int64), scores=np.array(scores, dtype=np.float64))


_ALIKE = ((100.0, 100.0, 0.0), (100.0, 100.0, 0.0), (0.0, 0.0, 100.0))
ENTRIES: tuple[Entry, ...] = (
    Entry(
        name="rank.mmr",
        words="relevance minus redundancy: the next best that is not like those already chosen",
        formula="argmax of w s(i) - (1-w) max over chosen j of sim(i, j), w = 0.7",
        source="Carbonell & Goldstein 1998",
        scalar=mmr_plain,
        fast=mmr,
        examples=(
            Example(
                given={"scores": (90.0, 88.0, 60.0), "similarity": _ALIKE, "k": 3},
                expected=(0, 2, 1),
                note="after 0: 61.6 - 30 for 1, 42 - 0 for 2",
            ),
            Example(given={"scores": (90.0, 88.0, 60.0), "similarity": _ALIKE, "k": 2, "weight": 1.0}, expected=(0, 1)),
        ),
        parameters={"weight": RELEVANCE},
    ),
    Entry(
        name="rank.exposure",
        words="cap on how often one person is shown in everybody's lists, at the largest total score",
        formula="max sum(s(p, c) x(p, c)), sum over c <= k, sum over p <= cap, x 0 or 1",
        source="Singh & Joachims 2018",
        scalar=exposure_plain,
        fast=exposure,
        examples=(
            Example(
                given={
                    "found": _found(((2, 3), (2, 3)), ((90.0, 80.0), (85.0, 40.0))),
                    "k": 1,
                    "cap": 1,
                },
                expected=_found(((3,), (2,)), ((80.0,), (85.0,))),
                note="80 + 85 is more than 90 + 40",
            ),
        ),
    ),
)
