"""A set of pairs of two sides split into tandas: edge colouring of a bipartite graph (Konig 1916). PURE."""

from __future__ import annotations

from mrblue_cli.core.errors import InternalError
from mrblue_cli.matcher.rotation.room import Mask, Pairs, pairs_of

Table = list[list[int]]
"""[person][tanda] the partner, -1: none."""


def split(chosen: Mask, tandas: int) -> list[Pairs]:
    """`tandas` matchings that together are the pairs of `chosen` [l, f], their sizes within one of each other.

    Each pair takes the first tanda in which both
    are free; if there is none, the chain of pairs that dance in the leader's or the follower's free tanda is swapped
    first: on two sides it cannot come back to the follower. Raises `InternalError` if somebody has more than `tandas`
    partners.
    """
    left, right = chosen.shape
    at: Table = [[-1] * tandas for _ in range(left + right)]
    for a, column in pairs_of(chosen):
        b = left + column
        free_a, free_b = _free(at[a]), _free(at[b])
        if not free_a or not free_b:
            raise InternalError("somebody has more partners than there are tandas")
        shared = [tanda for tanda in free_a if tanda in free_b]
        tanda = shared[0] if shared else free_a[0]
        if not shared:
            _swap(at, b, tanda, free_b[0])
        at[a][tanda], at[b][tanda] = b, a
    _level(at, left, tandas)
    return [[(a, at[a][tanda] - left) for a in range(left) if at[a][tanda] >= 0] for tanda in range(tandas)]


def _free(row: list[int]) -> list[int]:
    return [tanda for tanda, partner in enumerate(row) if partner < 0]


def _swap(at: Table, start: int, one: int, other: int) -> None:
    """Along the chain that leaves `start` in tanda `one` and goes on in turns, the two tandas change places.

    `start` must be free in tanda `other`.
    """
    chain = [start]
    tanda = one
    while (following := at[chain[-1]][tanda]) >= 0:
        chain.append(following)
        tanda = other if tanda == one else one
    for person in chain:
        row = at[person]
        row[one], row[other] = row[other], row[one]


def _level(at: Table, left: int, tandas: int) -> None:
    """Sizes within one of each other: a chain that has one pair more in the fuller tanda is swapped."""
    while tandas > 1:
        sizes = [sum(1 for a in range(left) if at[a][tanda] >= 0) for tanda in range(tandas)]
        full, bare = sizes.index(max(sizes)), sizes.index(min(sizes))
        if sizes[full] - sizes[bare] < 2:
            return
        # Such a chain begins and ends with a pair of the fuller tanda; one exists because that tanda has more pairs.
        start = next(p for p in range(len(at)) if at[p][full] >= 0 and at[p][bare] < 0 and _gains(at, p, full, bare))
        _swap(at, start, full, bare)


def _gains(at: Table, start: int, full: int, bare: int) -> bool:
    person, tanda, steps = start, full, 0
    while (following := at[person][tanda]) >= 0:
        person, steps = following, steps + 1
        tanda = bare if tanda == full else full
    return steps % 2 == 1
