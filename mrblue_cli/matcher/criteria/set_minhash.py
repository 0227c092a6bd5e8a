"""Jaccard's index estimated from signatures of equal length, whatever the lengths of the lists. PURE. Approximate.

Two sets' smallest hash values are equal with a probability equal to their Jaccard index (Broder 1997), so that the
share of equal ones among many hash functions estimates it: with 128 the standard error is at most 4.4 points. The
hash functions are fixed: the same tags give the same signature in every community and on every machine.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from mrblue_cli.matcher.compiled import Community, Floats, Ints
from mrblue_cli.matcher.criteria.base import Score
from mrblue_cli.matcher.criteria.set_base import (
    NOTHING,
    Of,
    known,
    likes,
    reasoned,
    rows_of,
    tags,
    unsaid,
)
from mrblue_cli.matcher.model import User
from mrblue_cli.matcher.registry import Entry, Example

Signatures = npt.NDArray[np.uint32]
HASHES = 128
_CHUNK = 1 << 14
"""People, or pairs, at a time."""


def hashed(names: Iterable[str], hashes: int = HASHES) -> Signatures:
    """[names, hashes] what each hash function makes of each tag."""
    wanted = 4 * hashes
    # An extendable output: more hash functions leave the first ones as they are.
    made = b"".join(hashlib.shake_128(name.encode("utf-8", "surrogatepass")).digest(wanted) for name in names)
    return np.frombuffer(made, dtype="<u4").reshape(-1, hashes).astype(np.uint32)


def minhash(a: User, b: User, *, of: Of = "styles", hashes: int = HASHES) -> Score:
    """The share of hash functions whose smallest value is the same for both lists."""
    ours, theirs = tags(a, of), tags(b, of)
    if not ours or not theirs:
        return unsaid(a, b, of) or Score(None, "")
    first, second = (hashed(sorted(some), hashes).min(axis=0) for some in (ours, theirs))
    return reasoned(100.0 * float((first == second).sum()) / hashes, a, b, of)


def signatures(community: Community, of: Of, hashes: int = HASHES) -> Signatures:
    """[people, hashes] everybody's smallest values; all ones for who named nothing. 512 bytes each with 128."""
    return community.derived(("signatures", of, hashes), lambda: _signatures(community, of, hashes))


def _signatures(community: Community, of: Of, hashes: int) -> Signatures:
    ragged, names = rows_of(community, of)
    table = hashed(names.names, hashes)
    found = np.full((len(community), hashes), np.iinfo(np.uint32).max, dtype=np.uint32)
    some = np.flatnonzero(ragged.sizes > 0)
    for start in range(0, len(some), _CHUNK):
        rows = some[start : start + _CHUNK]
        taken = ragged.take(rows)
        found[rows] = np.minimum.reduceat(table[taken.values.astype(np.int64)], taken.start[:-1], axis=0)
    return found


def minhash_fast(community: Community, left: Ints, right: Ints, *, of: Of = "styles", hashes: int = HASHES) -> Floats:
    """`minhash` for many pairs; NaN: unknown."""
    made, sizes = signatures(community, of, hashes), rows_of(community, of)[0].sizes.astype(np.float64)
    values = np.zeros(len(left))
    for start in range(0, len(left), _CHUNK):
        chunk = slice(start, start + _CHUNK)
        values[chunk] = (made[left[chunk]] == made[right[chunk]]).sum(axis=1)
    return known(100.0 * values / hashes, sizes[left], sizes[right])


ENTRIES: tuple[Entry, ...] = (
    Entry(
        name="set.minhash",
        words="tags in common out of all tags of the two, estimated from signatures of fixed length",
        formula="share of 128 hash functions with the same smallest value in both sets",
        source="Broder 1997",
        scalar=minhash,
        fast=minhash_fast,
        examples=(
            Example(given={"a": likes("a", "salon", "vals"), "b": likes("b", "salon", "vals")}, expected=100.0),
            Example(given=NOTHING, expected=0.0, note="no tag in common: no hash value either"),
        ),
        approximate=True,
        parameters={"of": "styles", "hashes": HASHES},
    ),
)
