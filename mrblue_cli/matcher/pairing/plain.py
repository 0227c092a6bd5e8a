"""Small floors written down, and every pairing of one: what the quick methods are checked against. PURE."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from mrblue_cli.core.errors import UsageError
from mrblue_cli.matcher.columns import Floats
from mrblue_cli.matcher.model import Role
from mrblue_cli.matcher.pairing.base import Floor

MOST_BY_HAND = 12
"""People up to which every pairing is tried: 12 who all dance both roles have 140,152 pairings."""
Pairs = tuple[tuple[int, int], ...]
Row = Sequence[float | None]


def between(scores: Sequence[Row], wanted: Sequence[Row] | None = None) -> Floor:
    """Leaders a1, a2, … (rows of the table, and first rows of the floor) and followers b1, b2, … (its columns).

    None: the two cannot dance. `wanted` is the followers' view in the same shape; None: they see it as the leaders do.
    """
    table = _numbers(scores)
    back = table if wanted is None else _numbers(wanted)
    leads, follows = table.shape
    if leads + follows > 198:
        raise ValueError("up to 99 on each side, so that ids sort as rows do")
    width = 1 if max(leads, follows) < 10 else 2
    n = leads + follows
    views, both = np.full((n, n), np.nan), np.full((n, n), np.nan)
    views[:leads, leads:], views[leads:, :leads] = table, back.T
    both[:leads, leads:] = (table + back) / 2
    both[leads:, :leads] = both[:leads, leads:].T
    roles = np.array([Role.LEADER.value] * leads + [Role.FOLLOWER.value] * follows, dtype=np.uint8)
    names = [f"a{row:0{width}}" for row in range(1, leads + 1)] + [f"b{row:0{width}}" for row in range(1, follows + 1)]
    return Floor(ids=tuple(names), roles=roles, scores=both, views=views)


def among(views: Sequence[Row]) -> Floor:
    """People who all dance both roles, each row how much that person wants the others; None: cannot dance."""
    wanted = _numbers(views)
    np.fill_diagonal(wanted, np.nan)
    able = ~np.isnan(wanted) & ~np.isnan(wanted.T)
    wanted = np.where(able, wanted, np.nan)
    roles = np.full(len(wanted), Role.BOTH.value, dtype=np.uint8)
    ids = tuple(f"p{row:02}" for row in range(1, len(wanted) + 1))
    return Floor(ids=ids, roles=roles, scores=(wanted + wanted.T) / 2, views=wanted)


def _numbers(rows: Sequence[Row]) -> Floats:
    return np.array([[np.nan if value is None else value for value in row] for row in rows], dtype=np.float64)


def every(floor: Floor) -> Iterator[Pairs]:
    """Each set of feasible pairs in which nobody comes twice, also the empty one. Raises `UsageError` above 12."""
    if len(floor) > MOST_BY_HAND:
        raise UsageError(
            f"trying every pairing of {len(floor)} people would not end",
            hint=f"the plain form is for up to {MOST_BY_HAND} people",
        )
    able = ~np.isnan(floor.scores)
    return _every(tuple(range(len(floor))), able.tolist())


def _every(rows: tuple[int, ...], able: list[list[bool]]) -> Iterator[Pairs]:
    if not rows:
        yield ()
        return
    first, rest = rows[0], rows[1:]
    for index, other in enumerate(rest):
        if able[first][other]:
            for pairs in _every(rest[:index] + rest[index + 1 :], able):
                yield ((first, other), *pairs)
    yield from _every(rest, able)


def best(floor: Floor, value: Callable[[Pairs], Any], among_: Callable[[Pairs], bool] | None = None) -> Pairs:
    """The pairing of largest value; of equals the first in the order of `every`, which begins with smaller rows."""
    found: Pairs = ()
    most: Any = None
    for pairs in every(floor):
        if among_ is not None and not among_(pairs):
            continue
        worth = value(pairs)
        if most is None or worth > most:
            found, most = pairs, worth
    return found


def exact_total(floor: Floor, pairs: Pairs) -> float:
    """The sum of scores, the same for any order of the pairs, rounded to a billionth."""
    return round(math.fsum(floor.scores[a, b] for a, b in pairs), 9)
