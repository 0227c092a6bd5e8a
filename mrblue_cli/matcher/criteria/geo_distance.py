"""Kilometres between two places: on the sphere, and on the ellipsoid. PURE."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from mrblue_cli.matcher.compiled import Community, Floats, Ints
from mrblue_cli.matcher.model import Place

EARTH_KM = 6371.0088
"""Mean Earth radius, km (IUGG)."""
EQUATOR_KM, FLATTENING = 6378.137, 1 / 298.257223563
"""WGS84."""
POLE_KM = EQUATOR_KM * (1 - FLATTENING)
STEPS = 1e9
"""A kilometre has so many: great circles are rounded to a micrometre. Two people who live equally far away, one to the
east and one to the west, say, are then a tie; without, the last bits of a sine would decide, in each form another way.
"""
_ENOUGH = 1e-12
"""Radians of longitude, 6 micrometres on the ground: Vincenty's iteration stops when it moves less."""
_ROUNDS = 60
"""An ordinary pair needs 3 to 6; one that needs more lies nearly antipodal, where the iteration may not settle."""


def great_circle_km(a: Place, b: Place) -> float | None:
    """Haversine distance, to a micrometre; None when either lacks coordinates."""
    if a.lat is None or a.lon is None or b.lat is None or b.lon is None:
        return None
    phi, other = math.radians(a.lat), math.radians(b.lat)
    half = math.sin((other - phi) / 2) ** 2
    half += math.cos(phi) * math.cos(other) * math.sin(math.radians(b.lon - a.lon) / 2) ** 2
    return math.floor(2 * EARTH_KM * math.asin(min(1.0, math.sqrt(half))) * STEPS + 0.5) / STEPS


def great_circle_km_fast(community: Community, left: Ints, right: Ints) -> Floats:
    """[n] haversine distances, to a micrometre; NaN when either lacks coordinates."""
    return _haversine(*_coordinates(community, left, right))


def _coordinates(community: Community, left: Ints, right: Ints) -> tuple[Floats, Floats, Floats, Floats]:
    return community.lat[left], community.lon[left], community.lat[right], community.lon[right]


def _haversine(lat: Floats, lon: Floats, lat2: Floats, lon2: Floats) -> Floats:
    phi, other = np.radians(lat), np.radians(lat2)
    half = np.sin((other - phi) / 2) ** 2
    half = half + np.cos(phi) * np.cos(other) * np.sin(np.radians(lon2 - lon) / 2) ** 2
    return np.asarray(np.floor(2 * EARTH_KM * np.arcsin(np.minimum(1.0, np.sqrt(half))) * STEPS + 0.5) / STEPS)


def geodesic_km(a: Place, b: Place) -> float | None:
    """The shortest way on the WGS84 ellipsoid (Vincenty 1975, inverse method); None when either lacks coordinates.

    Nearly antipodal places, where the method does not settle, get the great circle's length: within 0.6 % there.
    """
    if a.lat is None or a.lon is None or b.lat is None or b.lon is None:
        return None
    # One order of the two places: the same bits whichever person comes first.
    (lat, lon), (lat2, lon2) = sorted(((a.lat, a.lon), (b.lat, b.lon)))
    u, v = (math.atan((1 - FLATTENING) * math.tan(math.radians(phi))) for phi in (lat, lat2))
    span = math.remainder(math.radians(lon2 - lon), 2 * math.pi)
    both_sin, both_cos = math.sin(u) * math.sin(v), math.cos(u) * math.cos(v)
    turn = span
    for _ in range(_ROUNDS):
        sin_way = math.hypot(
            math.cos(v) * math.sin(turn), math.cos(u) * math.sin(v) - math.sin(u) * math.cos(v) * math.cos(turn)
        )
        cos_way = both_sin + both_cos * math.cos(turn)
        if sin_way == 0:
            return 0.0 if cos_way > 0 else great_circle_km(a, b)
        way = math.atan2(sin_way, cos_way)
        sin_azimuth = both_cos * math.sin(turn) / sin_way
        square = max(0.0, 1 - sin_azimuth**2)
        # On the equator the midpoint's latitude has no meaning and no weight.
        middle = cos_way - 2 * both_sin / square if square > 0 else 0.0
        c = FLATTENING / 16 * square * (4 + FLATTENING * (4 - 3 * square))
        before, turn = (
            turn,
            span
            + (1 - c) * FLATTENING * sin_azimuth * (way + c * sin_way * (middle + c * cos_way * (2 * middle**2 - 1))),
        )
        if abs(turn) > math.pi:
            break
        if abs(turn - before) < _ENOUGH:
            return float(_length(way, sin_way, cos_way, middle, square))
    return great_circle_km(a, b)


def geodesic_km_fast(community: Community, left: Ints, right: Ints) -> Floats:
    """[n] `geodesic_km`; NaN when either lacks coordinates. Pairs leave the iteration as they settle."""
    lat, lon, lat2, lon2 = _coordinates(community, left, right)
    swap = (lat > lat2) | ((lat == lat2) & (lon > lon2))
    lat, lat2 = np.where(swap, lat2, lat), np.where(swap, lat, lat2)
    lon, lon2 = np.where(swap, lon2, lon), np.where(swap, lon, lon2)
    found = _haversine(lat, lon, lat2, lon2)
    rows = np.flatnonzero(~np.isnan(found))
    u, v = (np.arctan((1 - FLATTENING) * np.tan(np.radians(phi[rows]))) for phi in (lat, lat2))
    span = np.radians(lon2[rows] - lon[rows])
    span -= 2 * np.pi * np.rint(span / (2 * np.pi))
    turn = span.copy()
    for _ in range(_ROUNDS):
        if not len(rows):
            break
        both_sin, both_cos = np.sin(u) * np.sin(v), np.cos(u) * np.cos(v)
        sin_way = np.hypot(np.cos(v) * np.sin(turn), np.cos(u) * np.sin(v) - np.sin(u) * np.cos(v) * np.cos(turn))
        cos_way = both_sin + both_cos * np.cos(turn)
        apart = sin_way > 0
        way = np.arctan2(sin_way, cos_way)
        sin_azimuth = both_cos * np.sin(turn) / np.where(apart, sin_way, 1.0)
        square = np.maximum(0.0, 1 - sin_azimuth**2)
        middle = np.where(square > 0, cos_way - 2 * both_sin / np.where(square > 0, square, 1.0), 0.0)
        c = FLATTENING / 16 * square * (4 + FLATTENING * (4 - 3 * square))
        step = way + c * sin_way * (middle + c * cos_way * (2 * middle**2 - 1))
        after = span + (1 - c) * FLATTENING * sin_azimuth * step
        settled = (np.abs(after - turn) < _ENOUGH) & apart & (np.abs(after) <= np.pi)
        length = _length(way, sin_way, cos_way, middle, square)
        found[rows[settled]] = length[settled]
        found[rows[~apart & (cos_way > 0)]] = 0.0
        # What is left with the great circle: exactly antipodal pairs, and those whose turn left the half circle.
        going = ~settled & apart & (np.abs(after) <= np.pi)
        rows, u, v, span, turn = rows[going], u[going], v[going], span[going], after[going]
    return found


def _length(way: Any, sin_way: Any, cos_way: Any, middle: Any, square: Any) -> Any:
    """Kilometres of a settled geodesic: the arc on the auxiliary sphere, corrected for the ellipsoid's series."""
    k = square * (EQUATOR_KM**2 - POLE_KM**2) / POLE_KM**2
    scale = 1 + k / 16384 * (4096 + k * (-768 + k * (320 - 175 * k)))
    b = k / 1024 * (256 + k * (-128 + k * (74 - 47 * k)))
    inner = cos_way * (2 * middle**2 - 1) - b / 6 * middle * (4 * sin_way**2 - 3) * (4 * middle**2 - 3)
    return POLE_KM * scale * (way - b * sin_way * (middle + b / 4 * inner))
