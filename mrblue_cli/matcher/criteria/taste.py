"""How alike two people's weighted tastes are. PURE. Reads `music`: (tag, weight > 0)."""

from __future__ import annotations

import numpy as np

from mrblue_cli.matcher.compiled import Community, Floats, Ints
from mrblue_cli.matcher.criteria import sets
from mrblue_cli.matcher.criteria.base import Score
from mrblue_cli.matcher.model import Role, User
from mrblue_cli.matcher.registry import Entry, Example


def ruzicka(a: User, b: User) -> Score:
    """Weights in common over the larger of each: Jaccard's index for weighted tags."""
    ours, theirs = dict(a.music), dict(b.music)
    if not ours or not theirs:
        return sets.unsaid(a, b, "music") or Score(None, "")
    union = sorted(ours.keys() | theirs.keys())
    least = sum(min(ours.get(tag, 0.0), theirs.get(tag, 0.0)) for tag in union)
    most = sum(max(ours.get(tag, 0.0), theirs.get(tag, 0.0)) for tag in union)
    return sets.reasoned(100.0 * least / most, a, b, "music")


def dense(community: Community, rows: Ints) -> Floats:
    """[n, tags] weights of the music tags, 0 where not named."""
    sizes = community.music_tags.sizes[rows]
    start = community.music_tags.start[rows]
    found = np.zeros((len(rows), max(1, len(community.music_names))))
    owner = np.repeat(np.arange(len(rows)), sizes)
    first = np.cumsum(sizes) - sizes
    at = np.repeat(start - first, sizes) + np.arange(int(sizes.sum()), dtype=np.int64)
    found[owner, community.music_tags.values[at].astype(np.int64)] = community.music_weights.values[at]
    return found


def ruzicka_fast(community: Community, left: Ints, right: Ints) -> Floats:
    """`ruzicka` for many pairs; NaN: unknown."""
    a, b = dense(community, left), dense(community, right)
    most = np.maximum(a, b).sum(axis=1)
    values = 100.0 * np.minimum(a, b).sum(axis=1) / np.where(most > 0, most, 1.0)
    return np.where(a.any(axis=1) & b.any(axis=1), values, np.nan)


def _likes(name: str, **music: float) -> User:
    return User(id=name, roles=Role.BOTH, music=tuple(sorted(music.items())))


ENTRIES: tuple[Entry, ...] = (
    Entry(
        name="taste.ruzicka",
        words="weights in common over the larger of each",
        formula="sum(min(u, v)) / sum(max(u, v))",
        source="Ruzicka 1958",
        scalar=ruzicka,
        fast=ruzicka_fast,
        examples=(
            Example(
                given={"a": _likes("a", pugliese=2, troilo=1), "b": _likes("b", pugliese=1, troilo=1)}, expected=66.67
            ),
        ),
    ),
)
