"""Sets of tags against everybody's: tags that nobody named count too, rare ones weigh more, related ones help. PURE.

The plain forms raise `UsageError` without a community.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from mrblue_cli.core.errors import UsageError
from mrblue_cli.matcher.compiled import Community, Floats, Ints
from mrblue_cli.matcher.criteria.base import Score, called, here
from mrblue_cli.matcher.criteria.set_base import (
    NOTHING,
    TWO_OF_FOUR,
    Of,
    bits_of,
    counts,
    each_tag,
    known,
    likes,
    reasoned,
    rows_of,
    tags,
    unsaid,
)
from mrblue_cli.matcher.model import User
from mrblue_cli.matcher.registry import Entry, Example

Relatedness = Callable[[Ints, Ints], Floats]
_DENSE = 1024
"""Tags up to which relatedness is kept as a full square (8 MB)."""
_CHUNK = 1 << 14
"""Pairs of people whose tags are crossed at a time."""


def agreeing(a: User, b: User, *, community: Community | None = None, of: Of = "styles") -> Score:
    """Simple matching: tags that both named or neither did, out of all tags that anybody here named."""
    community = here(community, "set.smc")
    ours, theirs = tags(a, of), tags(b, of)
    if not ours or not theirs:
        return unsaid(a, b, of) or Score(None, "")
    everything = ours | theirs | set(rows_of(community, of)[1].names)
    value = 100.0 * (len(everything) - len(ours ^ theirs)) / len(everything)
    told = reasoned(value, a, b, of)
    apart = f"they differ in {len(ours ^ theirs)} of the {len(everything)} {of} that people here named"
    return Score(value, f"{told.why}; {apart}", told.brief)


def agreeing_fast(community: Community, left: Ints, right: Ints, *, of: Of = "styles") -> Floats:
    """`agreeing` for many pairs; NaN: unknown."""
    common, ours, theirs = counts(community, left, right, of)
    everything = max(1, len(rows_of(community, of)[1]))
    return known(100.0 * (everything - (ours + theirs - 2.0 * common)) / everything, ours, theirs)


def codes(community: Community, some: Iterable[str], of: Of) -> Ints:
    """Codes of tags in the order of their names. Raises `UsageError` for one that nobody in the community named."""
    names = rows_of(community, of)[1]
    found = np.array([names.code(tag) for tag in sorted(some)], dtype=np.int64)
    if (found < 0).any():
        raise UsageError("one of the two is not of this community", hint="score the two out of their file")
    return found


def frequencies(community: Community, of: Of) -> Ints:
    """[tags] how many people named each."""
    ragged, names = rows_of(community, of)
    codes = ragged.values.astype(np.int64)
    return community.derived(("tag frequencies", of), lambda: np.bincount(codes, minlength=len(names)))


def rarities(community: Community, of: Of) -> Floats:
    """[tags] ln(1 + people who named any tag / people who named this one): never 0, else a tag of all would vanish."""
    people = int((rows_of(community, of)[0].sizes > 0).sum())
    return community.derived(
        ("tag rarities", of), lambda: np.log(1.0 + people / np.maximum(frequencies(community, of), 1))
    )


def rare(a: User, b: User, *, community: Community | None = None, of: Of = "styles") -> Score:
    """Cosine of the two lists with each tag weighted by its rarity."""
    community = here(community, "set.tfidf")
    ours, theirs = tags(a, of), tags(b, of)
    if not ours or not theirs:
        return unsaid(a, b, of) or Score(None, "")
    weight = rarities(community, of)
    common, mine, yours = (
        sum(float(weight[code]) ** 2 for code in codes(community, some, of)) for some in (ours & theirs, ours, theirs)
    )
    return reasoned(min(100.0, 100.0 * common / math.sqrt(mine * yours)), a, b, of)


def rare_fast(community: Community, left: Ints, right: Ints, *, of: Of = "styles") -> Floats:
    """`rare` for many pairs; NaN: unknown."""
    ragged, _ = rows_of(community, of)
    square = rarities(community, of) ** 2
    bits = bits_of(community, of)
    pair, code = each_tag(community, left, of)
    shared = (bits[right[pair], code // 64] >> (code % 64).astype(np.uint64)) & np.uint64(1)
    common = np.bincount(pair, weights=square[code] * shared, minlength=len(left))
    norms = community.derived(("rarity norms", of), lambda: _row_sums(community, square, of))
    product = norms[left] * norms[right]
    values = np.minimum(100.0, 100.0 * common / np.sqrt(np.where(product > 0, product, 1.0)))
    return known(values, ragged.sizes[left].astype(np.float64), ragged.sizes[right].astype(np.float64))


def _row_sums(community: Community, weights: Floats, of: Of) -> Floats:
    """[people] the sum of the weights of each one's tags."""
    person, code = each_tag(community, np.arange(len(community), dtype=np.int64), of)
    return np.asarray(np.bincount(person, weights=weights[code], minlength=len(community)), dtype=np.float64)


def relatedness(community: Community, of: Of) -> Relatedness:
    """How related tags i and j are: people who named both, over the geometric mean of people who named each.

    1 for a tag and itself, 0 for two that nobody named together. It is the cosine of the two tags' columns of people,
    so that a cosine built on it stays within 0..1.
    """
    return community.derived(("tag relatedness", of), lambda: _relatedness(community, of))


def _relatedness(community: Community, of: Of) -> Relatedness:
    from scipy import sparse

    ragged, names = rows_of(community, of)
    ones = np.ones(len(ragged.values))
    named = sparse.csr_array((ones, ragged.values.astype(np.int64), ragged.start), shape=(len(community), len(names)))
    scale = 1.0 / np.sqrt(np.maximum(frequencies(community, of), 1))
    together: Any = (named.T @ named).tocsr()
    together.sort_indices()
    row_of = np.repeat(np.arange(len(names)), np.diff(together.indptr))
    # Both roots multiplied first: related(i, j) and related(j, i) then agree to the last bit.
    together.data = together.data * (scale[row_of] * scale[together.indices])
    if len(names) <= _DENSE:
        square = together.toarray()
        return lambda i, j: np.asarray(square[i, j], dtype=np.float64)
    return lambda i, j: np.asarray(together[i, j], dtype=np.float64).ravel()


def related(a: User, b: User, *, community: Community | None = None, of: Of = "styles") -> Score:
    """Soft cosine: tags that the same people name count as partly the same."""
    community = here(community, "set.soft")
    ours, theirs = tags(a, of), tags(b, of)
    if not ours or not theirs:
        return unsaid(a, b, of) or Score(None, "")
    relation = relatedness(community, of)

    def together(some: frozenset[str], others: frozenset[str]) -> float:
        i, j = codes(community, some, of), codes(community, others, of)
        # An exact sum: which of the two people comes first changes nothing.
        return math.fsum(relation(np.repeat(i, len(j)), np.tile(j, len(i))).tolist())

    value = min(100.0, 100.0 * together(ours, theirs) / math.sqrt(together(ours, ours) * together(theirs, theirs)))
    told = reasoned(value, a, b, of)
    if ours & theirs or value == 0:
        return told
    why = f"{called(a)} and {called(b)} have no {of} in common, but related ones"
    return Score(value, why, f"related {of}")


def related_fast(community: Community, left: Ints, right: Ints, *, of: Of = "styles") -> Floats:
    """`related` for many pairs; NaN: unknown."""
    everybody = np.arange(len(community), dtype=np.int64)
    norms = community.derived(("related norms", of), lambda: _together(community, everybody, everybody, of))
    # The smaller row first: sums then run in one order, whichever person is on the left.
    found = _together(community, np.minimum(left, right), np.maximum(left, right), of)
    product = norms[left] * norms[right]
    sizes = rows_of(community, of)[0].sizes.astype(np.float64)
    values = np.minimum(100.0, 100.0 * found / np.sqrt(np.where(product > 0, product, 1.0)))
    return known(values, sizes[left], sizes[right])


def _together(community: Community, left: Ints, right: Ints, of: Of) -> Floats:
    """[n] the sum of the relatedness of each tag of the one with each of the other."""
    relation, ragged = relatedness(community, of), rows_of(community, of)[0]
    total = np.zeros(len(left))
    for start in range(0, len(left), _CHUNK):
        a, b = left[start : start + _CHUNK], right[start : start + _CHUNK]
        pair, code = each_tag(community, a, of)
        # Every tag of the left one stands beside every tag of the right one.
        inner, other = each_tag(community, b[pair], of)
        weights = relation(code[inner], other)
        total[start : start + _CHUNK] = np.bincount(pair[inner], weights=weights, minlength=len(a))
    return np.where((ragged.sizes[left] > 0) & (ragged.sizes[right] > 0), total, 0.0)


_TWO_OF_FOUR = {**TWO_OF_FOUR, "community": Community(TWO_OF_FOUR.values())}
_NOTHING = {**NOTHING, "community": Community(NOTHING.values())}
_THIRD = likes("c", "nuevo", "salon")
_BRIDGED = {**NOTHING, "community": Community((*NOTHING.values(), _THIRD))}
_COMMON = likes("a", "nuevo", "salon"), likes("b", "nuevo", "vals"), likes("c", "salon"), likes("d", "vals")
_RARER = {"a": _COMMON[0], "b": _COMMON[2], "community": Community(_COMMON)}
ENTRIES: tuple[Entry, ...] = (
    Entry(
        name="set.smc",
        words="tags on which the two agree, named by both or by neither, out of all that people here named",
        formula="(|A and B| + |neither|) / |all tags|",
        source="Sokal & Michener 1958",
        scalar=agreeing,
        fast=agreeing_fast,
        examples=(
            Example(given=_TWO_OF_FOUR, expected=50.0, note="four tags in all, two agree"),
            Example(given=_RARER, expected=66.67, note="three tags: salon by both, vals by neither"),
            Example(given=_NOTHING, expected=0.0),
        ),
        needs_community=True,
        parameters={"of": "styles"},
    ),
    Entry(
        name="set.tfidf",
        words="cosine of the two lists in which a rare tag weighs more",
        formula="cosine of binary tags times ln(1 + N / n), n of N people named the tag",
        source="Salton & Buckley 1988",
        scalar=rare,
        fast=rare_fast,
        examples=(
            Example(given=_RARER, expected=70.71, note="all tags by 2 of 4: plain cosine, 1 / sqrt(2)"),
            Example(
                given=_TWO_OF_FOUR,
                expected=44.33,
                note="weights ln 2 for both's, ln 3 for one's: 2 ln2^2 / (2 ln2^2 + ln3^2)",
            ),
            Example(given=_NOTHING, expected=0.0),
        ),
        needs_community=True,
        parameters={"of": "styles"},
    ),
    Entry(
        name="set.soft",
        words="cosine of the two lists in which tags that the same people name count as partly the same",
        formula="a'Sb / sqrt(a'Sa b'Sb), s_ij = people with both tags / sqrt(people with i * people with j)",
        source="Sidorov et al. 2014",
        scalar=related,
        fast=related_fast,
        examples=(
            Example(given=_NOTHING, expected=0.0, note="nobody names both"),
            Example(given=_BRIDGED, expected=50.0, note="one of two each names both: 1 / sqrt(2 * 2)"),
            Example(
                given={"a": _THIRD, "b": NOTHING["a"], "community": _BRIDGED["community"]},
                expected=86.60,
                note="(1 + 1/2) / sqrt(1 + 1 + 2 * 1/2)",
            ),
        ),
        needs_community=True,
        parameters={"of": "styles"},
    ),
)
