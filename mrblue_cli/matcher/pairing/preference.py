"""Who would rather dance with whom, and what it means that a pairing is stable. PURE.

One notion for all stable methods: a person's list holds everybody they can dance with, the best liked (`floor.views`)
first, equals by smaller row, so that lists are strict. A pair blocks a pairing when each of the two stands higher on
the other's list than the partner there, or has none.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from mrblue_cli.matcher.columns import Ints
from mrblue_cli.matcher.pairing.base import Floor

TIE_RULE = "of two people liked equally the one of smaller id counts as liked more"


def lists(floor: Floor) -> list[list[int]]:
    """Each person's list, the best liked first."""
    wanted = np.where(_able(floor), floor.views, -np.inf)
    order = np.argsort(-wanted, axis=1, kind="stable")
    counts = (wanted > -np.inf).sum(axis=1).tolist()
    return [row[:count] for row, count in zip(order.tolist(), counts, strict=True)]


def ranks(floor: Floor) -> Ints:
    """[n, n] the place of the column's person on the row's list, from 1; n + 1: not on it."""
    n = len(floor)
    wanted = np.where(_able(floor), floor.views, -np.inf)
    order = np.argsort(-wanted, axis=1, kind="stable")
    places = np.empty((n, n), dtype=np.int64)
    np.put_along_axis(places, order, np.broadcast_to(np.arange(1, n + 1), (n, n)), axis=1)
    return np.where(wanted > -np.inf, places, n + 1)


def _able(floor: Floor) -> npt.NDArray[np.bool_]:
    known = ~np.isnan(floor.scores) & ~np.isnan(floor.views)
    return np.asarray(known & known.T)


def blocking(place: Ints, pairs: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Pairs of rows that block a pairing, ascending. `place` as from `ranks`."""
    n = len(place)
    # Nobody on a list is worse than no partner.
    has = np.full(n, n + 1, dtype=np.int64)
    for a, b in pairs:
        has[a], has[b] = place[a, b], place[b, a]
    better = place < has[:, None]
    left, right = np.nonzero(np.triu(better & better.T, 1))
    return list(zip(left.tolist(), right.tolist(), strict=True))
