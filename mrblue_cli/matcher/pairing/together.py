"""Couples who stay together, taken off the floor before the others are paired. PURE."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np

from mrblue_cli.matcher.columns import Ints
from mrblue_cli.matcher.compiled import Community
from mrblue_cli.matcher.pairing.base import Floor, Matching, matching
from mrblue_cli.matcher.scoring import feasible

Couples = tuple[tuple[int, int], ...]


def couples(community: Community) -> Couples:
    """(row, row) of two who name each other as partners and can dance together, the smaller row first, ascending.

    Each person is in one couple at most: who has several such partners stays with the one of smallest id who is free.
    """
    left = np.repeat(np.arange(len(community)), community.partners.sizes)
    right = community.partners.values.astype(np.int64)
    named = set(zip(left.tolist(), right.tolist(), strict=True))
    mutual = sorted((a, b) for a, b in named if a < b and (b, a) in named)
    if not mutual:
        return ()
    pairs = np.array(mutual, dtype=np.int64)
    able = feasible(community, pairs[:, 0], pairs[:, 1], strict=False)
    taken: set[int] = set()
    found = []
    for (a, b), can in zip(mutual, able.tolist(), strict=True):
        if can and a not in taken and b not in taken:
            found.append((a, b))
            taken |= {a, b}
    return tuple(found)


def split(floor: Floor, together: Sequence[tuple[int, int]]) -> tuple[Couples, Floor, Ints]:
    """The couples who can dance on this floor, the floor without them, and the old row of each of its rows.

    A couple whose two roles, wishes or block lists keep them apart on this floor is left to be paired like all others.
    """
    kept = tuple(
        sorted((int(min(pair)), int(max(pair))) for pair in together if not np.isnan(floor.scores[pair[0], pair[1]]))
    )
    gone = {row for pair in kept for row in pair}
    rows = np.array([row for row in range(len(floor)) if row not in gone], dtype=np.int64)
    square = np.ix_(rows, rows)
    rest = msgspec.structs.replace(
        floor,
        ids=tuple(floor.ids[row] for row in rows),
        roles=floor.roles[rows],
        scores=floor.scores[square],
        views=floor.views[square],
        leads=None if floor.leads is None else floor.leads[square],
    )
    return kept, rest, rows


def joined(fixed: Couples, rest: Matching, rows: Ints) -> Matching:
    """The pairing of the rest, in rows of the whole floor, with the couples who stayed together."""
    back = [(int(rows[a]), int(rows[b])) for a, b in rest.pairs]
    leaving = None if rest.blocking is None else [(int(rows[a]), int(rows[b])) for a, b in rest.blocking]
    return matching([*fixed, *back], rest.note, leaving)
