"""Weighted tags of two people side by side: what the taste criteria share. PURE. Reads `music`: (tag, weight > 0).

Only ratios of weights mean anything, so most criteria read them scaled: the heaviest tag of a person weighs 1. That
also keeps squares and sums of very large weights finite.
"""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from mrblue_cli.matcher.compiled import Community, Floats, Ints, Ragged
from mrblue_cli.matcher.model import Role, User

Bools = npt.NDArray[np.bool_]


class SideBySide(msgspec.Struct, frozen=True):
    """The tags that either of two people named, for n pairs: one entry a tag and pair, by pair and then by tag, so that
    sums run in one order, whichever of the two comes first."""

    owner: Ints
    """[entries] which pair."""
    ours: Floats
    """[entries] the left person's value, 0 where not named."""
    theirs: Floats
    """[entries] the right person's."""

    def total(self, values: Floats, pairs: int) -> Floats:
        """[pairs] sums of `values` [entries] by pair."""
        return np.bincount(self.owner, weights=values, minlength=pairs).astype(np.float64, copy=False)


def peak(user: User) -> float:
    """The largest weight; 0 without tags."""
    return max((weight for _, weight in user.music), default=0.0)


def scaled(user: User) -> dict[str, float]:
    """Weights with the largest at 1."""
    most = peak(user)
    return {tag: weight / most for tag, weight in user.music}


def shares(user: User) -> dict[str, float]:
    """Weights that sum to 1."""
    weights = scaled(user)
    total = sum(weights.values())
    return {tag: weight / total for tag, weight in weights.items()}


def peaks_fast(community: Community) -> Floats:
    """[people] `peak` of everybody, kept."""

    def make() -> Floats:
        most = np.zeros(len(community))
        np.maximum.at(most, _owners(community.music_tags), community.music_weights.values)
        return most

    return community.derived("music peaks", make)


def scaled_fast(community: Community) -> Floats:
    """[entries] `scaled` of everybody, in the order of `music_tags`, kept."""

    def make() -> Floats:
        values: Floats = community.music_weights.values / peaks_fast(community)[_owners(community.music_tags)]
        return values

    return community.derived("music scaled", make)


def shares_fast(community: Community) -> Floats:
    """[entries] `shares` of everybody, kept."""

    def make() -> Floats:
        owner, weights = _owners(community.music_tags), scaled_fast(community)
        total = np.bincount(owner, weights=weights, minlength=len(community))
        return np.asarray(weights / total[owner])

    return community.derived("music shares", make)


def named(community: Community, left: Ints, right: Ints) -> Bools:
    """[n] whether both named music."""
    sizes = community.music_tags.sizes
    return np.asarray((sizes[left] > 0) & (sizes[right] > 0))


def side_by_side(community: Community, values: Floats, left: Ints, right: Ints) -> SideBySide:
    """`values` [entries of `music_tags`], all above 0, of two people over the union of their tags, for n pairs."""
    tags = community.music_tags
    (owner, at), (other, there) = entries(tags, left), entries(tags, right)
    width = max(1, len(community.music_names))
    # Both lists of keys ascend, pair by pair and tag by tag: a search finds what is in common without sorting.
    keys, wanted = owner * width + tags.values[at], other * width + tags.values[there]
    found = np.searchsorted(keys, wanted)
    common = np.zeros(len(wanted), dtype=np.bool_)
    inside = found < len(keys)
    common[inside] = keys[found[inside]] == wanted[inside]
    theirs = np.zeros(len(keys))
    theirs[found[common]] = values[there[common]]
    alone = ~common
    order = np.argsort(np.concatenate((keys, wanted[alone])), kind="stable")
    return SideBySide(
        np.concatenate((owner, other[alone]))[order],
        np.concatenate((values[at], np.zeros(int(alone.sum()))))[order],
        np.concatenate((theirs, values[there[alone]]))[order],
    )


def entries(ragged: Ragged, rows: Ints) -> tuple[Ints, Ints]:
    """The entries of these rows one after the other: which of `rows` each belongs to, and where its value is."""
    sizes = ragged.sizes[rows]
    owner = np.repeat(np.arange(len(rows), dtype=np.int64), sizes)
    first = np.cumsum(sizes) - sizes
    return owner, np.repeat(ragged.start[rows] - first, sizes) + np.arange(int(sizes.sum()), dtype=np.int64)


def percent(values: Any) -> Any:
    """0..1 as 0..100, rounding noise cut off; a number or an array."""
    return np.clip(100.0 * np.asarray(values, dtype=np.float64), 0.0, 100.0)


def likes(name: str, music: dict[str, float]) -> User:
    """A person for the worked examples."""
    return User(id=name, roles=Role.BOTH, music=tuple(sorted(music.items())))


def _owners(ragged: Ragged) -> Ints:
    return np.repeat(np.arange(len(ragged.start) - 1, dtype=np.int64), ragged.sizes)
