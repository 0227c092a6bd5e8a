"""Several fields of two people compared at once: how alike they are as dancers. PURE.

Fields: numbers (level: the highest known, age, free minutes a week), names (city with its country, country), tags
(styles, music); for Mahalanobis numbers alone, and where they live as a point on the unit sphere, so that the date line
is no border. What either did not say is left out and the rest counts in full, as Gower does.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from mrblue_cli.core.errors import UsageError
from mrblue_cli.matcher.columns import Ragged
from mrblue_cli.matcher.compiled import Community, Floats, Ints
from mrblue_cli.matcher.criteria import sets
from mrblue_cli.matcher.criteria.base import Score, called, here, listed
from mrblue_cli.matcher.model import Role, User
from mrblue_cli.matcher.registry import Entry, Example

NUMBERS = ("level", "age", "free time")
SHRINK = 0.1
"""Part of every correlation that is taken away, so that fields which say the same can be told apart from nothing."""
_NEXT_DOOR = 1e-5
"""On the unit sphere, 64 m: a community that lives closer together than this has one home."""


def numbers(user: User) -> tuple[float | None, ...]:
    """A person's numbers, in the order of `NUMBERS`."""
    levels = [level for level in (user.leader_level, user.follower_level) if level is not None]
    minutes = sum(end - start for start, end in user.hours)
    return max(levels, default=None), user.age, float(minutes) if user.hours else None


def numbers_fast(community: Community) -> Floats:
    """[people, numbers] NaN unknown; kept."""

    def make() -> Floats:
        level = np.fmax(community.leader_level, community.follower_level)
        return np.column_stack((level, community.age, _minutes(community.hours)))

    return community.derived("mixed numbers", make)


def _minutes(hours: Ragged) -> Floats:
    """[people] free minutes a week; NaN: unknown."""
    owner = np.repeat(np.arange(len(hours.start) - 1), hours.sizes)
    signs = np.where(np.arange(len(hours.values)) % 2 == 0, -1.0, 1.0)
    total = np.bincount(owner, weights=signs * hours.values, minlength=len(hours.start) - 1)
    return np.where(hours.sizes > 0, total, np.nan)


def ranges(community: Community) -> Floats:
    """[numbers] largest minus smallest in the community; 0 where all are equal or none is known. Kept."""

    def make() -> Floats:
        values = numbers_fast(community)
        most = np.fmax.reduce(values, axis=0, initial=-np.inf)
        return np.where(np.isfinite(most), most - np.fmin.reduce(values, axis=0, initial=np.inf), 0.0)

    return community.derived("mixed ranges", make)


def differences(a: User, b: User, community: Community) -> dict[str, float]:
    """How far apart the two are in each field that both know, 0..1, by name."""
    found: dict[str, float] = {}
    for name, ours, theirs, span in zip(NUMBERS, numbers(a), numbers(b), ranges(community), strict=True):
        if ours is not None and theirs is not None:
            found[name] = min(1.0, abs(ours - theirs) / span) if span > 0 else float(ours != theirs)
    one, other = a.place, b.place
    if one.city and other.city:
        same = one.city.casefold() == other.city.casefold() and one.country == other.country
        found["city"] = float(not same)
    if one.country and other.country:
        found["country"] = float(one.country != other.country)
    for of in ("styles", "music"):
        ours_tags, their_tags = sets.tags(a, of), sets.tags(b, of)
        if ours_tags and their_tags:
            found[of] = 1.0 - len(ours_tags & their_tags) / len(ours_tags | their_tags)
    return found


def differences_fast(community: Community, left: Ints, right: Ints) -> Floats:
    """[n, fields] `differences` for many pairs; NaN: unknown."""
    values, spans = numbers_fast(community), ranges(community)
    columns: list[Floats] = []
    for index, span in enumerate(spans):
        apart = np.abs(values[left, index] - values[right, index])
        columns.append(np.minimum(1.0, apart / span) if span > 0 else np.where(apart > 0, 1.0, apart))
    for codes in (community.city, community.country):
        ours, theirs = codes[left], codes[right]
        columns.append(np.where((ours < 0) | (theirs < 0), np.nan, (ours != theirs).astype(np.float64)))
    for of in ("styles", "music"):
        common, ours_size, their_size = sets.counts(community, left, right, of)
        union = np.maximum(ours_size + their_size - common, 1.0)
        columns.append(sets.known(1.0 - common / union, ours_size, their_size))
    return np.column_stack(columns)


def gower(a: User, b: User, *, community: Community | None = None) -> Score:
    """Mean similarity over the fields that both know; numbers by the range in the community, tags by Jaccard's index.

    Raises `UsageError` without a community.
    """
    apart = differences(a, b, here(community, "mix.gower"))
    if not apart:
        return _unsaid(a, b)
    return _said(100.0 * sum(1.0 - value for value in apart.values()) / len(apart), a, b, apart)


def gower_fast(community: Community, left: Ints, right: Ints) -> Floats:
    """`gower` for many pairs; NaN: unknown."""
    apart = differences_fast(community, left, right)
    known = ~np.isnan(apart)
    count = known.sum(axis=1)
    total = np.where(known, 1.0 - apart, 0.0).sum(axis=1)
    return np.where(count > 0, 100.0 * total / np.maximum(count, 1), np.nan)


def heom(a: User, b: User, *, community: Community | None = None) -> Score:
    """1 minus the root mean square difference: one field far apart weighs more than several a little apart.

    The source counts a field that is not known as wholly different; here it is left out, as unknown is never 0
    elsewhere. Raises `UsageError` without a community.
    """
    apart = differences(a, b, here(community, "mix.heom"))
    if not apart:
        return _unsaid(a, b)
    mean = sum(value**2 for value in apart.values()) / len(apart)
    return _said(100.0 * max(0.0, 1.0 - math.sqrt(mean)), a, b, apart)


def heom_fast(community: Community, left: Ints, right: Ints) -> Floats:
    """`heom` for many pairs; NaN: unknown."""
    apart = differences_fast(community, left, right)
    count = (~np.isnan(apart)).sum(axis=1)
    mean = np.nansum(apart**2, axis=1) / np.maximum(count, 1)
    return np.where(count > 0, 100.0 * np.maximum(0.0, 1.0 - np.sqrt(mean)), np.nan)


class Spread(NamedTuple):
    """How a community's numbers scatter."""

    deviation: Floats
    """[fields] standard deviation; 1 where everybody is the same."""
    correlation: Floats
    """[fields, fields] shrunk, so that it always has an inverse."""


def spread(community: Community, shrink: float) -> Spread:
    """From the people who know each field. What somebody did not say counts as the mean: that keeps the matrix of
    correlations possible, which one from pairwise counts need not be. Kept."""

    def make() -> Spread:
        values = _points(community)
        known = ~np.isnan(values)
        count = np.maximum(known.sum(axis=0), 1)
        middle = np.nansum(values, axis=0) / count
        off = np.where(known, values - middle, 0.0)
        deviation = np.sqrt((off**2).sum(axis=0) / count)
        # Rounding is no spread, neither of a mean nor of a point on the sphere.
        least = np.where(np.arange(len(middle)) < len(NUMBERS), 1e-9 * np.abs(middle), _NEXT_DOOR)
        varies = deviation > least
        deviation = np.where(varies, deviation, 1.0)
        scaled = np.where(varies, off / deviation, 0.0)
        products = scaled.T @ scaled
        own = np.sqrt(np.where(varies, np.diag(products), 1.0))
        correlation = (1.0 - shrink) * products / own[:, None] / own[None, :]
        np.fill_diagonal(correlation, 1.0)
        return Spread(deviation, correlation)

    return community.derived(("mixed spread", shrink), make)


def _points(community: Community) -> Floats:
    """[people, fields] numbers, then x, y, z of where they live; NaN unknown; kept."""

    def make() -> Floats:
        lat, lon = np.radians(community.lat), np.radians(community.lon)
        sphere = (np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat))
        known = ~np.isnan(lat) & ~np.isnan(lon)
        return np.column_stack((numbers_fast(community), *(np.where(known, axis, np.nan) for axis in sphere)))

    return community.derived("mixed points", make)


def mahalanobis(a: User, b: User, *, shrink: float = SHRINK, community: Community | None = None) -> Score:
    """How far apart two people's numbers and homes are, against how they scatter and go together in the community.

    d^2 = delta' S^-1 delta over the k known fields, S their shrunk covariance. Two people drawn at random are 2 k apart
    on average, so 100 * 2^(-d^2 / 2k) gives such a pair about 50. Raises `UsageError` without a community and for a
    `shrink` outside 0..1 (0 left out: then two fields that say the same have no inverse).
    """
    community = here(community, "mix.mahalanobis")
    _checked(shrink)
    ours, theirs = _point(a), _point(b)
    known = [index for index in range(len(ours)) if ours[index] is not None and theirs[index] is not None]
    if not known:
        return _unsaid(a, b)
    scatter = spread(community, shrink)
    delta = np.array([((ours[i] or 0.0) - (theirs[i] or 0.0)) / scatter.deviation[i] for i in known])
    squared = float(delta @ np.linalg.solve(scatter.correlation[np.ix_(known, known)], delta))
    value = 100.0 * 2.0 ** (-max(0.0, squared) / (2 * len(known)))
    why = f"{called(a)} and {called(b)} are {math.sqrt(max(0.0, squared)):.1f} spreads of this community apart"
    fields = [name for i, name in enumerate((*NUMBERS, "home")) if i in known]
    return Score(value, f"{why} in {listed(fields)}")


def _point(user: User) -> tuple[float | None, ...]:
    if user.place.lat is None or user.place.lon is None:
        return (*numbers(user), None, None, None)
    lat, lon = math.radians(user.place.lat), math.radians(user.place.lon)
    return (*numbers(user), math.cos(lat) * math.cos(lon), math.cos(lat) * math.sin(lon), math.sin(lat))


def mahalanobis_fast(community: Community, left: Ints, right: Ints, *, shrink: float = SHRINK) -> Floats:
    """`mahalanobis` for many pairs; NaN: unknown."""
    _checked(shrink)
    scatter, values = spread(community, shrink), _points(community)
    delta = (values[left] - values[right]) / scatter.deviation
    known = ~np.isnan(delta)
    # Few kinds of gaps: one inverse each.
    kinds = known @ (1 << np.arange(known.shape[1]))
    found = np.full(len(left), np.nan)
    for kind in np.unique(kinds[kinds > 0]):
        mine = np.flatnonzero(kinds == kind)
        fields = np.flatnonzero(known[mine[0]])
        part = delta[np.ix_(mine, fields)]
        inverse = np.linalg.inv(scatter.correlation[np.ix_(fields, fields)])
        # Term by term: a library's product may round differently in another batch of pairs, and untie equals.
        squared = np.zeros(len(mine))
        for one, other in np.ndindex(inverse.shape):
            squared += inverse[one, other] * (part[:, one] * part[:, other])
        found[mine] = 100.0 * np.exp2(-np.maximum(0.0, squared) / (2 * len(fields)))
    return found


def _checked(shrink: float) -> None:
    if not 0.0 < shrink <= 1.0:
        raise UsageError(
            f"mix.mahalanobis takes a shrink above 0 up to 1, not {shrink:g}", hint=f"the default is {SHRINK:g}"
        )


def _unsaid(a: User, b: User) -> Score:
    return Score(None, f"{called(a)} and {called(b)} said nothing that can be compared")


def _said(value: float, a: User, b: User, apart: dict[str, float]) -> Score:
    near = [name for name, how in apart.items() if how <= 0.25]
    far = [name for name, how in apart.items() if how >= 0.75]
    parts = [f"alike in {listed(near)}"] * bool(near) + [f"far apart in {listed(far)}"] * bool(far)
    why = f"{called(a)} and {called(b)} are {', '.join(parts) or 'neither alike nor far apart in anything'}"
    return Score(value, why, f"alike in {listed(near[:2])}" if near else f"far apart in {listed(far[:2])}" * bool(far))


def _person(name: str, level: float | None = None, age: float | None = None, *styles: str) -> User:
    return User(id=name, roles=Role.LEADER, leader_level=level, age=age, styles=tuple(sorted(styles)))


_A, _B, _C = _person("a", 4, 30), _person("b", 6, 40, "salon"), _person("c", 8, 70, "salon", "vals")
_THREE = Community((_A, _B, _C))
_CORNERS = tuple(_person(name, level, age) for name, level, age in zip("wxyz", (4, 4, 6, 6), (30, 50) * 2, strict=True))
_FOUR = Community(_CORNERS)

ENTRIES: tuple[Entry, ...] = (
    Entry(
        name="mix.gower",
        words="mean similarity of level, age, free time, city, country, styles and music; fields not known left out",
        formula="mean(1 - |x - y| / range, [x = y], Jaccard) over the fields that both know",
        source="Gower 1971",
        scalar=gower,
        fast=gower_fast,
        needs_community=True,
        examples=(
            Example(given={"a": _A, "b": _B, "community": _THREE}, expected=62.5, note="(1 - 2/4 + 1 - 10/40) / 2"),
            Example(
                given={"a": _B, "b": _C, "community": _THREE},
                expected=41.67,
                note="(1 - 2/4 + 1 - 30/40 + 1/2) / 3",
            ),
        ),
    ),
    Entry(
        name="mix.heom",
        words="Euclidean distance over range-scaled numbers, equal or unequal names, and tags; unknown fields left out",
        formula="1 - sqrt(mean(d^2)), d as in mix.gower",
        source="Wilson & Martinez 1997",
        scalar=heom,
        fast=heom_fast,
        needs_community=True,
        examples=(
            Example(
                given={"a": _A, "b": _B, "community": _THREE}, expected=60.47, note="1 - sqrt((0.25 + 0.0625) / 2)"
            ),
            Example(
                given={"a": _B, "b": _C, "community": _THREE},
                expected=40.49,
                note="1 - sqrt((0.25 + 0.5625 + 0.25) / 3)",
            ),
        ),
    ),
    Entry(
        name="mix.mahalanobis",
        words="distance in level, age, free time and home, scaled by how they scatter together in the community",
        formula="2^(-d^2 / 2k), d^2 = delta' S^-1 delta over k known fields, S covariance with correlations shrunk",
        source="Mahalanobis 1936",
        scalar=mahalanobis,
        fast=mahalanobis_fast,
        needs_community=True,
        parameters={"shrink": SHRINK},
        examples=(
            Example(
                given={"a": _CORNERS[0], "b": _CORNERS[1], "community": _FOUR},
                expected=50.0,
                note="no correlation; two deviations in age: d^2 = 4, k = 2",
            ),
            Example(given={"a": _CORNERS[0], "b": _CORNERS[3], "community": _FOUR}, expected=25.0, note="d^2 = 4 + 4"),
            Example(
                given={"a": _CORNERS[0], "b": _CORNERS[3], "community": Community((_CORNERS[0], _CORNERS[3]))},
                expected=48.21,
                note="wholly correlated, shrunk to 0.9: d^2 = 8 / 1.9",
            ),
        ),
    ),
)
