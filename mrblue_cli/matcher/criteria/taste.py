"""How alike two people's weighted tastes are. PURE. Reads `music`: (tag, weight > 0); a list of tags weighs each 1.

Here: tastes as vectors (cosine, ruzicka, pearson) and as shares of a whole (bhatta, jsd). Rankings and decades have
files of their own.
"""

from __future__ import annotations

import math

import numpy as np

from mrblue_cli.matcher.compiled import Community, Floats, Ints
from mrblue_cli.matcher.criteria import sets, taste_decades, taste_ranks
from mrblue_cli.matcher.criteria.base import Score, here
from mrblue_cli.matcher.criteria.taste_base import (
    Bools,
    likes,
    named,
    peak,
    peaks_fast,
    percent,
    scaled,
    scaled_fast,
    shares,
    shares_fast,
    side_by_side,
)
from mrblue_cli.matcher.model import User
from mrblue_cli.matcher.registry import Entry, Example

FLAT = 1e-9
"""Weights whose spread is below this share of the largest count as all equal."""


def cosine(a: User, b: User) -> Score:
    """Cosine of the angle between the two lists of weights."""
    ours, theirs = scaled(a), scaled(b)
    if not ours or not theirs:
        return sets.unsaid(a, b, "music") or Score(None, "")
    dot = sum(ours[tag] * theirs[tag] for tag in sorted(ours.keys() & theirs.keys()))
    length = math.sqrt(sum(w * w for w in ours.values())) * math.sqrt(sum(w * w for w in theirs.values()))
    return sets.reasoned(float(percent(dot / length)), a, b, "music")


def cosine_fast(community: Community, left: Ints, right: Ints) -> Floats:
    """`cosine` for many pairs; NaN: unknown."""
    tags, n = side_by_side(community, scaled_fast(community), left, right), len(left)
    dot = tags.total(tags.ours * tags.theirs, n)
    length = np.sqrt(tags.total(tags.ours**2, n)) * np.sqrt(tags.total(tags.theirs**2, n))
    known = named(community, left, right)
    return np.where(known, percent(dot / np.where(known, length, 1.0)), np.nan)


def ruzicka(a: User, b: User) -> Score:
    """Weights in common over the larger of each: Jaccard's index for weighted tags."""
    ours, theirs = dict(a.music), dict(b.music)
    if not ours or not theirs:
        return sets.unsaid(a, b, "music") or Score(None, "")
    union = sorted(ours.keys() | theirs.keys())
    # Both in one unit, so that no sum overflows; a power of two, so that the ratio is the same to the last bit.
    unit = math.ldexp(1.0, math.frexp(max(peak(a), peak(b)))[1] - 1)
    least = sum(min(ours.get(tag, 0.0), theirs.get(tag, 0.0)) / unit for tag in union)
    most = sum(max(ours.get(tag, 0.0), theirs.get(tag, 0.0)) / unit for tag in union)
    return sets.reasoned(float(percent(least / most)), a, b, "music")


def ruzicka_fast(community: Community, left: Ints, right: Ints) -> Floats:
    """`ruzicka` for many pairs; NaN: unknown."""
    values = community.music_weights.values.astype(np.float64, copy=False)
    tags, n = side_by_side(community, values, left, right), len(left)
    peaks, known = peaks_fast(community), named(community, left, right)
    unit = np.ldexp(1.0, np.frexp(np.maximum(peaks[left], peaks[right]))[1] - 1)[tags.owner]
    least = tags.total(np.minimum(tags.ours, tags.theirs) / unit, n)
    most = tags.total(np.maximum(tags.ours, tags.theirs) / unit, n)
    return np.where(known, percent(least / np.where(known, most, 1.0)), np.nan)


def pearson(a: User, b: User, *, community: Community | None = None) -> Score:
    """Correlation over all tags that anybody in the community named; a tag that a person did not name weighs 0.

    Somebody who named every tag there is with one weight has no direction: two of them are alike (100), one of them
    says nothing about the other (50). Raises `UsageError` without a community.
    """
    community = here(community, "taste.pearson")
    ours, theirs = scaled(a), scaled(b)
    if not ours or not theirs:
        return sets.unsaid(a, b, "music") or Score(None, "")
    tags = sorted({*community.music_names.names, *ours, *theirs})
    u, v = ([weights.get(tag, 0.0) for tag in tags] for weights in (ours, theirs))
    flat = [max(weights) - min(weights) <= FLAT for weights in (u, v)]
    if any(flat):
        return sets.reasoned(100.0 if all(flat) else 50.0, a, b, "music")
    mean_u, mean_v = sum(u) / len(tags), sum(v) / len(tags)
    together = sum((x - mean_u) * (y - mean_v) for x, y in zip(u, v, strict=True))
    alone = math.sqrt(sum((x - mean_u) ** 2 for x in u)) * math.sqrt(sum((y - mean_v) ** 2 for y in v))
    return sets.reasoned(float(percent((1.0 + together / alone) / 2.0)), a, b, "music")


def pearson_fast(community: Community, left: Ints, right: Ints) -> Floats:
    """`pearson` for many pairs; NaN: unknown."""
    values, n, size = scaled_fast(community), len(left), max(1, len(community.music_names))
    tags, known = side_by_side(community, values, left, right), named(community, left, right)
    mean_u, mean_v = tags.total(tags.ours, n) / size, tags.total(tags.theirs, n) / size
    du, dv = tags.ours - mean_u[tags.owner], tags.theirs - mean_v[tags.owner]
    # What neither named is 0 on both sides, so each such tag adds the product of the two means.
    neither = size - np.bincount(tags.owner, minlength=n)
    together = tags.total(du * dv, n) + neither * (mean_u * mean_v)
    alone = np.sqrt(tags.total(du**2, n) + neither * mean_u**2) * np.sqrt(tags.total(dv**2, n) + neither * mean_v**2)
    flat = community.derived("music flat", lambda: _flat(community))
    one, both = flat[left] | flat[right], flat[left] & flat[right]
    moving = known & ~one
    scores = percent((1.0 + together / np.where(moving, alone, 1.0)) / 2.0)
    return np.where(known, np.where(both, 100.0, np.where(one, 50.0, scores)), np.nan)


def _flat(community: Community) -> Bools:
    """[people] who named every tag there is, all with one weight."""
    owner = np.repeat(np.arange(len(community)), community.music_tags.sizes)
    least = np.ones(len(community))
    np.minimum.at(least, owner, scaled_fast(community))
    return np.asarray((community.music_tags.sizes == len(community.music_names)) & (1.0 - least <= FLAT))


def bhatta(a: User, b: User) -> Score:
    """Overlap of two people's shares: how far both give the same part of their liking to the same tags."""
    p, q = shares(a), shares(b)
    if not p or not q:
        return sets.unsaid(a, b, "music") or Score(None, "")
    overlap = sum(math.sqrt(p[tag] * q[tag]) for tag in sorted(p.keys() & q.keys()))
    return sets.reasoned(float(percent(overlap)), a, b, "music")


def bhatta_fast(community: Community, left: Ints, right: Ints) -> Floats:
    """`bhatta` for many pairs; NaN: unknown."""
    tags = side_by_side(community, shares_fast(community), left, right)
    overlap = tags.total(np.sqrt(tags.ours * tags.theirs), len(left))
    return np.where(named(community, left, right), percent(overlap), np.nan)


def jsd(a: User, b: User) -> Score:
    """1 minus the Jensen-Shannon divergence of two people's shares in bits."""
    p, q = shares(a), shares(b)
    if not p or not q:
        return sets.unsaid(a, b, "music") or Score(None, "")
    divergence = 0.0
    for tag in sorted(p.keys() | q.keys()):
        ours, theirs = p.get(tag, 0.0), q.get(tag, 0.0)
        middle = (ours + theirs) / 2.0
        divergence += sum(share / 2.0 * math.log2(share / middle) for share in (ours, theirs) if share > 0)
    return sets.reasoned(float(percent(1.0 - divergence)), a, b, "music")


def jsd_fast(community: Community, left: Ints, right: Ints) -> Floats:
    """`jsd` for many pairs; NaN: unknown."""
    tags = side_by_side(community, shares_fast(community), left, right)
    middle = (tags.ours + tags.theirs) / 2.0
    divergence = np.zeros(len(left))
    for share in (tags.ours, tags.theirs):
        there = share > 0
        ratio = np.where(there, share, 1.0) / np.where(there, middle, 1.0)
        divergence += tags.total(share / 2.0 * np.log2(ratio), len(left))
    return np.where(named(community, left, right), percent(1.0 - divergence), np.nan)


_TWO_ONE = likes("a", {"pugliese": 2, "troilo": 1})
_ONE_ONE = likes("b", {"pugliese": 1, "troilo": 1})
_HALVES = likes("a", {"biagi": 1, "troilo": 1})
_OTHER_HALVES = likes("b", {"biagi": 1, "pugliese": 1})
_ALL = likes("c", {"biagi": 3, "pugliese": 3, "troilo": 3})
_STRANGER = likes("d", {"fresedo": 1})
_FOUR_TAGS = Community((_HALVES, _OTHER_HALVES, _STRANGER))
_THREE_TAGS = Community((_HALVES, _OTHER_HALVES, _ALL))

ENTRIES: tuple[Entry, ...] = (
    Entry(
        name="taste.cosine",
        words="angle between the two lists of weights",
        formula="sum(u v) / sqrt(sum(u^2) sum(v^2))",
        source="Salton et al. 1975",
        scalar=cosine,
        fast=cosine_fast,
        examples=(
            Example(
                given={"a": likes("a", {"biagi": 3, "troilo": 4}), "b": likes("b", {"troilo": 1})},
                expected=80.0,
                note="4 / (5 * 1)",
            ),
            Example(given={"a": _TWO_ONE, "b": _ONE_ONE}, expected=94.87, note="3 / sqrt(5 * 2)"),
        ),
    ),
    Entry(
        name="taste.ruzicka",
        words="weights in common over the larger of each",
        formula="sum(min(u, v)) / sum(max(u, v))",
        source="Ruzicka 1958",
        scalar=ruzicka,
        fast=ruzicka_fast,
        examples=(
            Example(given={"a": _TWO_ONE, "b": _ONE_ONE}, expected=66.67, note="(1 + 1) / (2 + 1)"),
            Example(given={"a": _HALVES, "b": _OTHER_HALVES}, expected=33.33, note="1 / 3"),
        ),
    ),
    Entry(
        name="taste.pearson",
        words="correlation of weights over all tags of the community, tags not named at 0",
        formula="(1 + r) / 2; no spread on one side: 50, on both: 100",
        source="Resnick et al. 1994",
        scalar=pearson,
        fast=pearson_fast,
        needs_community=True,
        examples=(
            Example(
                given={"a": _HALVES, "b": _OTHER_HALVES, "community": _FOUR_TAGS},
                expected=50.0,
                note="four tags, means 1/2: r = (1 - 1 - 1 + 1) / 4 / ... = 0",
            ),
            Example(
                given={"a": _HALVES, "b": _OTHER_HALVES, "community": _THREE_TAGS},
                expected=25.0,
                note="three tags, means 2/3: r = (1 - 4/3) / (2/3) = -1/2",
            ),
            Example(given={"a": _HALVES, "b": _ALL, "community": _THREE_TAGS}, expected=50.0, note="c has no spread"),
        ),
    ),
    Entry(
        name="taste.bhatta",
        words="overlap of shares: how far both give the same part of their liking to the same tags",
        formula="sum(sqrt(p q)), p and q weights that sum to 1",
        source="Bhattacharyya 1943",
        scalar=bhatta,
        fast=bhatta_fast,
        examples=(
            Example(given={"a": _HALVES, "b": _OTHER_HALVES}, expected=50.0, note="sqrt(1/2 * 1/2)"),
            Example(
                given={"a": likes("a", {"biagi": 4, "troilo": 1}), "b": likes("b", {"biagi": 1, "troilo": 4})},
                expected=80.0,
                note="2 * sqrt(0.8 * 0.2)",
            ),
        ),
    ),
    Entry(
        name="taste.jsd",
        words="1 minus the Jensen-Shannon divergence of shares, base 2",
        formula="1 - (KL(p, m) + KL(q, m)) / 2, m = (p + q) / 2",
        source="Lin 1991",
        scalar=jsd,
        fast=jsd_fast,
        examples=(
            Example(given={"a": _HALVES, "b": _OTHER_HALVES}, expected=50.0, note="half of each lies apart: 1/4 + 1/4"),
            Example(
                given={"a": _HALVES, "b": likes("b", {"troilo": 1})},
                expected=68.87,
                note="m = 3/4, 1/4: (log2(4/3) + log2(2/3) / 2 + 1/2) / 2 = 0.3113",
            ),
        ),
    ),
    *taste_ranks.ENTRIES,
    *taste_decades.ENTRIES,
)
