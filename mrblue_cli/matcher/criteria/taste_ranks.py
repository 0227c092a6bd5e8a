"""Tastes as rankings: the order of favourites counts, not the size of weights. PURE."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations

import numpy as np

from mrblue_cli.core.errors import UsageError
from mrblue_cli.matcher.compiled import Community, Floats, Ints
from mrblue_cli.matcher.criteria import sets
from mrblue_cli.matcher.criteria.base import Score
from mrblue_cli.matcher.criteria.taste_base import SideBySide, likes, named, percent, side_by_side
from mrblue_cli.matcher.model import User
from mrblue_cli.matcher.registry import Entry, Example

PERSISTENCE = 0.8
"""How likely a reader of a list of favourites goes on to the next one: five of them on average."""
Part = Callable[[Community, Ints, Ints], Floats]
_CELLS = 1 << 20
"""Most numbers in one table of pairs by tags; more pairs are done in parts."""


def kendall(a: User, b: User) -> Score:
    """Pairs of tags, out of those that either named, that both put in the same order.

    A tag not named comes after all named ones. A pair that only one of the two puts in an order counts half; one that
    neither does is left out. No pair ranked at all: the same tags, none preferred, 100.
    """
    ours, theirs = dict(a.music), dict(b.music)
    if not ours or not theirs:
        return sets.unsaid(a, b, "music") or Score(None, "")
    agreement, ranked = 0, 0
    for one, other in combinations(sorted(ours.keys() | theirs.keys()), 2):
        first = _order(ours.get(one, 0.0), ours.get(other, 0.0))
        second = _order(theirs.get(one, 0.0), theirs.get(other, 0.0))
        agreement += first * second
        ranked += first != 0 or second != 0
    value = (1.0 + agreement / ranked) / 2.0 if ranked else 1.0
    return sets.reasoned(float(percent(value)), a, b, "music")


def _order(one: float, other: float) -> int:
    return (one > other) - (one < other)


def kendall_fast(community: Community, left: Ints, right: Ints) -> Floats:
    """`kendall` for many pairs; NaN: unknown."""
    return _in_parts(community, left, right, _kendall_part)


def _kendall_part(community: Community, left: Ints, right: Ints) -> Floats:
    weights = community.music_weights.values.astype(np.float64, copy=False)
    tags = side_by_side(community, weights, left, right)
    u, v = _table(tags, tags.ours, len(left)), _table(tags, tags.theirs, len(left))
    agreement, ranked = np.zeros(len(left)), np.zeros(len(left))
    for column in range(u.shape[1] - 1):
        # Unused cells are NaN: neither larger nor smaller than anything, so they rank nothing.
        first = _orders(u[:, column : column + 1], u[:, column + 1 :])
        second = _orders(v[:, column : column + 1], v[:, column + 1 :])
        agreement += (first * second).sum(axis=1)
        ranked += ((first != 0) | (second != 0)).sum(axis=1)
    return np.where(ranked > 0, (1.0 + agreement / np.maximum(ranked, 1.0)) / 2.0, 1.0)


def _orders(one: Floats, other: Floats) -> np.ndarray[tuple[int, int], np.dtype[np.int8]]:
    return (one > other).astype(np.int8) - (one < other).astype(np.int8)


def _table(tags: SideBySide, values: Floats, pairs: int) -> Floats:
    """[pairs, most tags] entries laid out by pair, NaN where there are fewer."""
    sizes = np.bincount(tags.owner, minlength=pairs)
    place = np.arange(len(values)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    table = np.full((pairs, int(sizes.max(initial=0))), np.nan)
    table[tags.owner, place] = values
    return table


def rbo(a: User, b: User, *, p: float = PERSISTENCE) -> Score:
    """Overlap of the two lists of favourites at each depth, the top counting most, extrapolated beyond their ends.

    Tags of one weight share the better rank and all stand in the list from there on; agreement at a depth is twice the
    overlap over both sizes. Where one list has ended, the rest of it is taken to agree as well as it did up to its
    end. Raises `UsageError` for a `p` outside 0..1.
    """
    _checked(p)
    ours, theirs = sorted((_ranks(a), _ranks(b)), key=len)
    if not ours:
        return sets.unsaid(a, b, "music") or Score(None, "")
    short, long = len(ours), len(theirs)
    total, agreement, at_end = 0.0, 0.0, 0.0
    for depth in range(1, long + 1):
        seen = {tag for tag, rank in theirs.items() if rank <= depth}
        mine = {tag for tag, rank in ours.items() if rank <= depth}
        if depth <= short:
            agreement = at_end = 2.0 * len(mine & seen) / (len(mine) + len(seen))
        else:
            agreement = 2.0 * (len(mine & seen) + (depth - short) * at_end) / (depth + len(seen))
        total += agreement * p**depth
    return sets.reasoned(float(percent(agreement * p**long + (1.0 - p) / p * total)), a, b, "music")


def _ranks(user: User) -> dict[str, int]:
    """1 for the heaviest tag; equal weights share the better rank."""
    return {tag: 1 + sum(other > weight for _, other in user.music) for tag, weight in user.music}


def _checked(p: float) -> None:
    if not 0.0 < p < 1.0:
        raise UsageError(f"taste.rbo takes a p between 0 and 1, not {p:g}", hint=f"the default is {PERSISTENCE:g}")


def rbo_fast(community: Community, left: Ints, right: Ints, *, p: float = PERSISTENCE) -> Floats:
    """`rbo` for many pairs; NaN: unknown."""
    _checked(p)
    return _in_parts(community, left, right, lambda community, left, right: _rbo_part(community, left, right, p))


def _rbo_part(community: Community, left: Ints, right: Ints, p: float) -> Floats:
    sizes, n = community.music_tags.sizes, len(left)
    short, long = np.minimum(sizes[left], sizes[right]), np.maximum(sizes[left], sizes[right])
    tags = side_by_side(community, community.derived("music ranks", lambda: _ranks_fast(community)), left, right)
    depths = int(long.max(initial=0)) + 1
    common = np.where((tags.ours > 0) & (tags.theirs > 0), np.maximum(tags.ours, tags.theirs), 0.0)
    overlap, ours, theirs = (_by_depth(tags, ranks, depths, n) for ranks in (common, tags.ours, tags.theirs))
    swapped = sizes[left] > sizes[right]
    mine, seen = np.where(swapped, theirs, ours), np.where(swapped, ours, theirs)
    total, agreement, at_end = np.zeros(n), np.zeros(n), np.zeros(n)
    for depth in range(1, depths):
        within, beyond = depth <= short, (depth > short) & (depth <= long)
        both = overlap[depth]
        at_end = np.where(within, 2.0 * both / np.maximum(mine[depth] + seen[depth], 1.0), at_end)
        further = 2.0 * (both + (depth - short) * at_end) / (depth + seen[depth])
        agreement = np.where(within, at_end, np.where(beyond, further, agreement))
        total += np.where(within | beyond, agreement * p**depth, 0.0)
    return np.asarray(agreement * np.power(p, long) + (1.0 - p) / p * total)


def _ranks_fast(community: Community) -> Floats:
    """[entries] `_ranks` of everybody, in the order of `music_tags`."""
    sizes = community.music_tags.sizes
    owner = np.repeat(np.arange(len(community)), sizes)
    weights = community.music_weights.values
    order = np.lexsort((-weights, owner))
    first = np.repeat(np.cumsum(sizes) - sizes, sizes)
    fresh = np.ones(len(order), dtype=np.bool_)
    fresh[1:] = (owner[1:] != owner[:-1]) | (weights[order][1:] != weights[order][:-1])
    ranks = np.zeros(len(order))
    ranks[order] = np.maximum.accumulate(np.where(fresh, np.arange(len(order)), 0)) - first + 1
    return ranks


def _by_depth(tags: SideBySide, ranks: Floats, depths: int, pairs: int) -> Floats:
    """[depths, pairs] how many tags have a rank from 1 to this depth."""
    there = ranks > 0
    at = ranks[there].astype(np.int64) * pairs + tags.owner[there]
    return np.bincount(at, minlength=depths * pairs).reshape(depths, pairs).cumsum(axis=0).astype(np.float64)


def _in_parts(community: Community, left: Ints, right: Ints, score: Part) -> Floats:
    """`score`, 0..1, of many pairs as 0..100, a part at a time so that its tables stay small; NaN: unknown."""
    widest = 1 + 2 * int(community.music_tags.sizes.max(initial=0))
    step = max(1, _CELLS // widest)
    found = np.empty(len(left))
    for start in range(0, len(left), step):
        part = slice(start, start + step)
        found[part] = percent(score(community, left[part], right[part]))
    return np.where(named(community, left, right), found, np.nan)


_DUO = likes("a", {"biagi": 2, "troilo": 1})
_ODD_DUO = likes("b", {"pugliese": 1, "troilo": 2})

ENTRIES: tuple[Entry, ...] = (
    Entry(
        name="taste.kendall",
        words="pairs of tags that both put in the same order, out of the pairs that either puts in an order",
        formula="(1 + (same - opposite) / ranked by either) / 2, over the tags that either named",
        source="Kendall 1938",
        scalar=kendall,
        fast=kendall_fast,
        examples=(
            Example(
                given={
                    "a": likes("a", {"biagi": 3, "pugliese": 2, "troilo": 1}),
                    "b": likes("b", {"biagi": 3, "pugliese": 1, "troilo": 2}),
                },
                expected=66.67,
                note="three pairs, one the other way round: (1 + (2 - 1) / 3) / 2",
            ),
            Example(
                given={"a": likes("a", {"biagi": 1, "troilo": 1}), "b": likes("b", {"biagi": 1, "troilo": 2})},
                expected=50.0,
                note="the one pair is ranked by b alone",
            ),
            Example(
                given={"a": likes("a", {"biagi": 1}), "b": likes("b", {"troilo": 2})},
                expected=0.0,
                note="each puts the own tag first",
            ),
        ),
    ),
    Entry(
        name="taste.rbo",
        words="overlap of the lists of favourites at each depth, the top counting most",
        formula="A(l) p^l + (1 - p)/p sum(A(d) p^d, d = 1..l), A(d) agreement to depth d, extrapolated past the end",
        source="Webber et al. 2010",
        scalar=rbo,
        fast=rbo_fast,
        parameters={"p": PERSISTENCE},
        examples=(
            Example(
                given={"a": _DUO, "b": _ODD_DUO},
                expected=40.0,
                note="A = 0, 1/2 at depths 1, 2: 0.5 * 0.64 + 0.25 * (0.5 * 0.64)",
            ),
            Example(
                given={"a": likes("a", {"troilo": 1}), "b": _ODD_DUO},
                expected=100.0,
                note="the shorter list agrees to its end and is taken to go on so",
            ),
            Example(
                given={"a": likes("a", {"biagi": 1, "troilo": 1}), "b": _ODD_DUO},
                expected=53.33,
                note="a's two share rank 1: A = 2/3, 1/2; 0.5 * 0.64 + 0.25 * (0.8 * 2/3 + 0.5 * 0.64)",
            ),
        ),
    ),
)
