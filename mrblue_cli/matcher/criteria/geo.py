"""How far apart two people live. PURE. Reference section 1, rule 5."""

from __future__ import annotations

import math

import numpy as np

from mrblue_cli.matcher.compiled import Community, Floats, Ints
from mrblue_cli.matcher.criteria.base import Score, called
from mrblue_cli.matcher.model import Place, Role, User
from mrblue_cli.matcher.registry import Entry, Example

EARTH_KM = 6371.0088
"""Mean Earth radius, km (IUGG)."""
NEAR_KM, HALF_KM = 5.0, 25.0
SAME_CITY, SAME_COUNTRY, ABROAD = 100.0, 40.0, 0.0


def great_circle_km(a: Place, b: Place) -> float | None:
    """Haversine distance; None when either lacks coordinates."""
    if a.lat is None or a.lon is None or b.lat is None or b.lon is None:
        return None
    phi, other = math.radians(a.lat), math.radians(b.lat)
    half = math.sin((other - phi) / 2) ** 2
    half += math.cos(phi) * math.cos(other) * math.sin(math.radians(b.lon - a.lon) / 2) ** 2
    return 2 * EARTH_KM * math.asin(min(1.0, math.sqrt(half)))


def great_circle_km_fast(community: Community, left: Ints, right: Ints) -> Floats:
    """[n] haversine distances; NaN when either lacks coordinates."""
    phi, other = np.radians(community.lat[left]), np.radians(community.lat[right])
    half = np.sin((other - phi) / 2) ** 2
    half = half + np.cos(phi) * np.cos(other) * np.sin(np.radians(community.lon[right] - community.lon[left]) / 2) ** 2
    return np.asarray(2 * EARTH_KM * np.arcsin(np.minimum(1.0, np.sqrt(half))))


def by_name(a: Place, b: Place) -> float | None:
    """Rule 5 without coordinates: same city and country 100, same country 40, else 0; a country unsaid: None."""
    if not a.country or not b.country:
        return None
    if a.country != b.country:
        return ABROAD
    return SAME_CITY if a.city and a.city.casefold() == b.city.casefold() else SAME_COUNTRY


def by_name_fast(community: Community, left: Ints, right: Ints) -> Floats:
    """`by_name` for many pairs; NaN: unknown."""
    country, other = community.country[left], community.country[right]
    city = (community.city[left] == community.city[right]) & (community.city[left] >= 0)
    scores = np.where(country != other, ABROAD, np.where(city, SAME_CITY, SAME_COUNTRY))
    return np.where((country < 0) | (other < 0), np.nan, scores)


def decay(km: float) -> float:
    """100 up to 5 km, then halved every 25 km."""
    return 100.0 * math.exp2(-max(0.0, km - NEAR_KM) / HALF_KM)


def half(a: User, b: User) -> Score:
    """Rule 5."""
    km = great_circle_km(a.place, b.place)
    if km is not None:
        return Score(decay(km), f"{called(a)} and {called(b)} live {_distance(km)} apart", f"{_distance(km)} apart")
    return named(a, b)


def named(a: User, b: User) -> Score:
    """The score of names alone, with its reason."""
    value = by_name(a.place, b.place)
    if value is None:
        lacking = [called(user) for user in (a, b) if not user.place.country] or [called(a)]
        return Score(None, f"where {' and '.join(lacking)} live{'s' if len(lacking) == 1 else ''} is not known")
    words = {SAME_CITY: f"both live in {a.place.city}", SAME_COUNTRY: "same country", ABROAD: "different countries"}
    return Score(value, words[value] if value == SAME_CITY else f"they live in the {words[value]}", words[value])


def half_fast(community: Community, left: Ints, right: Ints) -> Floats:
    """Rule 5 for many pairs; NaN: unknown."""
    km = great_circle_km_fast(community, left, right)
    scores = 100.0 * np.exp2(-np.maximum(0.0, km - NEAR_KM) / HALF_KM)
    return np.where(np.isnan(km), by_name_fast(community, left, right), scores)


def _distance(km: float) -> str:
    return f"{km * 1000:.0f} m" if km < 1 else f"{km:.1f} km" if km < 100 else f"{km:.0f} km"


def _at(name: str, lat: float, lon: float) -> User:
    return User(id=name, roles=Role.BOTH, place=Place(lat=lat, lon=lon))


ENTRIES: tuple[Entry, ...] = (
    Entry(
        name="geo.half",
        words="100 up to 5 km, then halved every 25 km; city and country where coordinates are lacking",
        formula="100 * 2^(-max(0, km - 5) / 25), great-circle km",
        source="Sinnott 1984",
        scalar=half,
        fast=half_fast,
        examples=(
            Example(given={"a": _at("a", -34.6037, -58.3816), "b": _at("b", -34.5886, -58.4306)}, expected=100.0),
            Example(given={"a": _at("a", 52.52, 13.405), "b": _at("b", 52.3906, 13.0645)}, expected=54.05),
        ),
    ),
)
