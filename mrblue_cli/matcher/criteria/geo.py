"""How far apart two people live. PURE. Reference section 1, rule 5.

Where either lacks coordinates, names decide: city and country. `geo.admin` sees names alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from mrblue_cli.matcher.compiled import Community, Floats, Ints
from mrblue_cli.matcher.criteria import geo_grid
from mrblue_cli.matcher.criteria.base import Score, called, listed
from mrblue_cli.matcher.criteria.geo_distance import (
    EARTH_KM,
    geodesic_km,
    geodesic_km_fast,
    great_circle_km,
    great_circle_km_fast,
)
from mrblue_cli.matcher.model import Place, Role, User
from mrblue_cli.matcher.registry import Entry, Example

__all__ = ["EARTH_KM", "ENTRIES", "HALF_KM", "NEAR_KM", "by_name", "great_circle_km", "great_circle_km_fast", "half"]
NEAR_KM, HALF_KM = 5.0, 25.0
SAME_CITY, SAME_COUNTRY, ABROAD = 100.0, 40.0, 0.0
Decay = Callable[..., Any]
"""`decay(km, **parameters)` on a number or an array: 0..100, never rising; NaN stays NaN."""


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


def named(a: User, b: User) -> Score:
    """The score of names alone, with its reason."""
    value = by_name(a.place, b.place)
    if value is None:
        lacking = sorted((user.id, called(user)) for user in (a, b) if not user.place.country)
        said = "no country" if any(user.place.lat is not None for user in (a, b)) else "no place"
        return Score(None, f"{listed([name for _, name in lacking])} gave {said} to compare")
    if value == SAME_CITY:
        return Score(value, f"both live in {a.place.city}", f"both live in {a.place.city}")
    if value == SAME_COUNTRY:
        return Score(value, "they live in the same country", "only the country in common")
    return Score(value, "they live in different countries", "different countries")


def halved(km: Any, *, near_km: float = NEAR_KM, half_km: float = HALF_KM) -> Any:
    """100 up to 5 km, then halved every 25 km."""
    return 100.0 * np.exp2(-np.maximum(0.0, km - near_km) / half_km)


def bell(km: Any, *, spread_km: float = 20.0) -> Any:
    """A Gaussian of the distance (Ingram 1971): flat nearby, nothing far away."""
    return 100.0 * np.exp(-0.5 * (km / spread_km) ** 2)


def power(km: Any, *, half_km: float = 25.0, steepness: float = 2.0) -> Any:
    """50 at `half_km`, then a power of the distance (Hansen 1959): a long tail."""
    return 100.0 / (1.0 + (km / half_km) ** steepness)


def decay(km: float) -> float:
    """100 up to 5 km, then halved every 25 km."""
    return float(halved(km))


Measure = tuple[Callable[[Place, Place], float | None], Callable[[Community, Ints, Ints], Floats]]
SPHERE: Measure = great_circle_km, great_circle_km_fast
ELLIPSOID: Measure = geodesic_km, geodesic_km_fast


def measured(fall: Decay, measure: Measure, a: User, b: User, **parameters: float) -> Score:
    """A decay of the distance; by name where it is not known."""
    km = measure[0](a.place, b.place)
    if km is None:
        return named(a, b)
    value = float(fall(km, **parameters))
    apart = "at the same place" if round(km * 1000) == 0 else f"{_distance(km)} apart"
    return Score(value, f"{called(a)} and {called(b)} live {apart}", apart)


def measured_fast(
    fall: Decay, measure: Measure, community: Community, left: Ints, right: Ints, **parameters: float
) -> Floats:
    """`measured` for many pairs; NaN: unknown."""
    km = measure[1](community, left, right)
    return np.where(np.isnan(km), by_name_fast(community, left, right), fall(km, **parameters))


half = partial(measured, halved, SPHERE)
"""Rule 5."""
half_fast = partial(measured_fast, halved, SPHERE)
"""Rule 5 for many pairs; NaN: unknown."""


def cell(a: User, b: User, *, cell_km: float = geo_grid.CELL_KM, rings: int = 10) -> Score:
    """100 in the same cell of the grid, less by an equal step for each ring of cells between, 0 at `rings`."""
    places = (a.place, b.place)
    if any(place.lat is None or place.lon is None for place in places):
        return named(a, b)
    n = geo_grid.cells_per_face(cell_km)
    lat, lon = (np.array([getattr(place, name) for place in places], dtype=np.float64) for name in ("lat", "lon"))
    (x, y, z), (u, v, w) = geo_grid.cells(lat, lon, n).tolist()
    apart = geo_grid.rings((x, y, z), (u, v, w), n)
    brief = f"{apart} cell{'' if apart == 1 else 's'} of {cell_km:g} km apart" if apart else "same cell of the map"
    why = f"{called(a)} and {called(b)} live {brief}" if apart else f"{called(a)} and {called(b)} live in the {brief}"
    return Score(max(0.0, 100.0 * (1.0 - apart / rings)), why, brief)


def cell_fast(
    community: Community, left: Ints, right: Ints, *, cell_km: float = geo_grid.CELL_KM, rings: int = 10
) -> Floats:
    """`cell` for many pairs; NaN: unknown."""
    n = geo_grid.cells_per_face(cell_km)
    cells = community.derived(("cells", n), lambda: geo_grid.cells(community.lat, community.lon, n))
    apart = geo_grid.rings_fast(cells[left], cells[right], n)
    unknown = np.isnan(community.lat[left]) | np.isnan(community.lat[right])
    return np.where(unknown, by_name_fast(community, left, right), np.maximum(0.0, 100.0 * (1.0 - apart / rings)))


DEPTHS = ("", "country", "region", "city")
"""What two people share at each depth of the tree of places."""


def admin(a: User, b: User) -> Score:
    """Wu & Palmer (1994) on the tree world, country, region, city: twice the shared depth over the sum of the depths.

    Everybody lives in some city, so each depth is 3, named or not: who names less is never nearer for it. A city is
    shared by name within the country, unless the two name different regions.
    """
    ours, theirs = a.place, b.place
    if not ours.country or not theirs.country:
        lacking = sorted((user.id, called(user)) for user in (a, b) if not user.place.country)
        return Score(None, f"{listed([name for _, name in lacking])} gave no country")
    if ours.country != theirs.country:
        return Score(0.0, "they live in different countries", "different countries")
    region, other = ours.region.casefold(), theirs.region.casefold()
    shared = 1
    if region and region == other:
        shared = 2
    if by_name(ours, theirs) == SAME_CITY and (region == other or not region or not other):
        shared = 3
    name = {1: ours.country, 2: ours.region, 3: ours.city}[shared]
    return Score(100.0 * 2 * shared / (3 + 3), f"both live in the same {DEPTHS[shared]}, {name}", f"both in {name}")


def admin_fast(community: Community, left: Ints, right: Ints) -> Floats:
    """`admin` for many pairs; NaN: unknown."""
    regions = community.derived("folded regions", lambda: _folded_regions(community))
    region, other = regions[left], regions[right]
    same_region = (region >= 0) & (region == other)
    same_city = (community.city[left] >= 0) & (community.city[left] == community.city[right])
    same_city &= same_region | (region < 0) | (other < 0)
    shared = np.where(same_city, 3, np.where(same_region, 2, 1))
    country, abroad = community.country[left], community.country[right]
    scores = np.where(country == abroad, 100.0 * 2 * shared / (3 + 3), 0.0)
    return np.where((country < 0) | (abroad < 0), np.nan, scores)


def _folded_regions(community: Community) -> Ints:
    """[n] a code of the region's name without regard to case, -1 unknown."""
    names = [name.casefold() for name in community.region_names.names]
    codes = {name: code for code, name in enumerate(sorted(set(names)))}
    return np.array([codes[name] for name in names] + [-1], dtype=np.int64)[community.region]


def _distance(km: float) -> str:
    metres = round(km * 1000)
    return f"{metres} m" if metres < 1000 else f"{km:.1f} km" if km < 99.95 else f"{km:.0f} km"


def _at(name: str, lat: float, lon: float) -> User:
    return User(id=name, roles=Role.BOTH, place=Place(lat=lat, lon=lon))


def _east(degrees: float) -> dict[str, User]:
    """Two people on the equator: a degree of longitude is 111.195 km on the sphere, 111.319 km on the ellipsoid."""
    return {"a": _at("a", 0, 0), "b": _at("b", 0, degrees)}


def _in(name: str, country: str, city: str = "", region: str = "") -> User:
    return User(id=name, roles=Role.BOTH, place=Place(city=city, country=country, region=region))


_KM = 180 / math.pi / EARTH_KM
"""Degrees of longitude on the equator of the sphere."""
_BERLIN, _POTSDAM = _at("a", 52.52, 13.405), _at("b", 52.3906, 13.0645)
_SAME_CITY = {"a": _in("a", "DE", "Berlin"), "b": _in("b", "DE", "berlin")}
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
            Example(given={"a": _BERLIN, "b": _POTSDAM}, expected=54.05),
            Example(given=_east(30 * _KM), expected=50.0, note="30 km"),
            Example(given=_SAME_CITY, expected=100.0),
            Example(given={"a": _in("a", "DE", "Berlin"), "b": _at("b", 52.52, 13.405)}, expected=None),
        ),
    ),
    Entry(
        name="geo.gauss",
        words="a bell curve of the distance: nearly flat across a city, almost nothing two towns away",
        formula="exp(-km^2 / (2 spread_km^2)), great-circle km",
        source="Ingram 1971",
        scalar=partial(measured, bell, SPHERE),
        fast=partial(measured_fast, bell, SPHERE),
        examples=(
            Example(given=_east(20 * _KM), expected=60.65, note="20 km: e^-0.5"),
            Example(given=_east(40 * _KM), expected=13.53, note="40 km: e^-2"),
            Example(given=_SAME_CITY, expected=100.0),
        ),
        parameters={"spread_km": 20.0},
    ),
    Entry(
        name="geo.power",
        words="50 at 25 km, with a long tail: somebody far off still counts a little",
        formula="1 / (1 + (km / half_km)^steepness), great-circle km",
        source="Hansen 1959",
        scalar=partial(measured, power, SPHERE),
        fast=partial(measured_fast, power, SPHERE),
        examples=(
            Example(given=_east(25 * _KM), expected=50.0),
            Example(given=_east(75 * _KM), expected=10.0, note="1 / (1 + 9)"),
            Example(given={"a": _in("a", "DE", "Berlin"), "b": _in("b", "DE", "Köln")}, expected=40.0),
        ),
        parameters={"half_km": 25.0, "steepness": 2.0},
    ),
    Entry(
        name="geo.geodesic",
        words="100 up to 5 km, then halved every 25 km, measured on the ellipsoid instead of the sphere",
        formula="100 * 2^(-max(0, km - near_km) / half_km), km on WGS84",
        source="Vincenty 1975",
        scalar=partial(measured, halved, ELLIPSOID),
        fast=partial(measured_fast, halved, ELLIPSOID),
        examples=(
            Example(given=_east(math.degrees(30 / 6378.137)), expected=50.0, note="30 km along the equator"),
            Example(given=_east(math.degrees(55 / 6378.137)), expected=25.0, note="55 km along the equator"),
            Example(given={"a": _in("a", "DE"), "b": _in("b", "FR")}, expected=0.0),
        ),
        parameters={"near_km": NEAR_KM, "half_km": HALF_KM},
    ),
    Entry(
        name="geo.cell",
        words="100 in the same 10 km cell of a grid over the globe, 10 less for each ring of cells between",
        formula="max(0, 1 - steps between neighbouring cells / rings), cells of a cube's faces cut by equal angles",
        source="Sahr et al. 2003",
        scalar=cell,
        fast=cell_fast,
        examples=(
            Example(given=_east(0.04), expected=100.0, note="cells of 90/1001 degree: the middle one ends at 0.045"),
            Example(given=_east(0.3), expected=70.0, note="0.3 degrees are 3.34 cells from a cell's middle: 3 rings"),
            Example(given={"a": _at("a", 0.3, 0), "b": _at("b", 0, 0.5)}, expected=40.0, note="6 rings east, 3 north"),
        ),
        parameters={"cell_km": geo_grid.CELL_KM, "rings": 10},
    ),
    Entry(
        name="geo.admin",
        words="how deep a place the two share: city 100, region 67, country 33",
        formula="2 depth of the shared place / (3 + 3), country 1, region 2, city 3",
        source="Wu & Palmer 1994",
        scalar=admin,
        fast=admin_fast,
        examples=(
            Example(given=_SAME_CITY, expected=100.0),
            Example(
                given={"a": _in("a", "DE", "Köln", "NRW"), "b": _in("b", "DE", "Bonn", "NRW")},
                expected=66.67,
                note="4/6",
            ),
            Example(given={"a": _in("a", "DE"), "b": _in("b", "DE")}, expected=33.33, note="2/6: no city is not one"),
            Example(
                given={"a": _in("a", "US", "Springfield", "Illinois"), "b": _in("b", "US", "Springfield", "Ohio")},
                expected=33.33,
                note="two cities of one name",
            ),
            Example(given={"a": _in("a", "FR", "Paris"), "b": _in("b", "US", "Paris")}, expected=0.0),
        ),
    ),
)
