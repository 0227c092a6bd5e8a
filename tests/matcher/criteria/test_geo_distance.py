"""Distances on the sphere and on the ellipsoid, against geodesy's own numbers and another road to them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrblue_cli.matcher.compiled import Community
from mrblue_cli.matcher.criteria import geo_distance as distance
from mrblue_cli.matcher.model import Place, Role, User

QUARTER = math.pi / 2 * distance.EARTH_KM
places = st.builds(Place, lat=st.floats(-90, 90), lon=st.floats(-180, 180))


def at(lat, lon):
    return Place(lat=lat, lon=lon)


def dms(degrees, minutes, seconds):
    return degrees + minutes / 60 + seconds / 3600


def fast(measure, *pairs):
    people = [
        User(id=f"{n:03}{side}", roles=Role.BOTH, place=place)
        for n, pair in enumerate(pairs)
        for side, place in zip("ab", pair, strict=True)
    ]
    rows = np.arange(len(pairs)) * 2
    return measure(Community(people), rows, rows + 1)


CORNERS = {
    "the same place": (at(52.52, 13.405), at(52.52, 13.405), 0.0, 0.0),
    "one pole, two longitudes": (at(90, 0), at(90, 135), 0.0, 0.0),
    "across the antimeridian": (at(0, 179.75), at(0, -179.75), QUARTER / 180, 55.659745),
    "the antimeridian twice": (at(10, 180), at(10, -180), 0.0, 0.0),
    "equator to pole": (at(0, 0), at(90, 0), QUARTER, 10001.965729),
    "a degree of the equator": (at(0, 0), at(0, 1), QUARTER / 90, 111.319491),
    "pole to pole": (at(90, 10), at(-90, -20), 2 * QUARTER, 20003.931459),
    # The published test line of the Geocentric Datum of Australia, on an ellipsoid that differs by 0.1 mm.
    "Flinders Peak to Buninyon": (
        at(-dms(37, 57, 3.72030), dms(144, 25, 29.52440)),
        at(-dms(37, 39, 10.15610), dms(143, 55, 35.38390)),
        None,
        54.972271,
    ),
}


@pytest.mark.parametrize("name", CORNERS)
@pytest.mark.parametrize("swapped", [False, True])
def test_known_lines(name, swapped):
    a, b, sphere, ellipsoid = CORNERS[name]
    a, b = (b, a) if swapped else (a, b)
    if sphere is not None:
        assert distance.great_circle_km(a, b) == pytest.approx(sphere, abs=1e-6)
        assert fast(distance.great_circle_km_fast, (a, b))[0] == pytest.approx(sphere, abs=1e-6)
    assert distance.geodesic_km(a, b) == pytest.approx(ellipsoid, abs=1e-6)
    assert fast(distance.geodesic_km_fast, (a, b))[0] == pytest.approx(ellipsoid, abs=1e-6)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (at(0, 0), at(0, 180)),
        (at(0, 0), at(0, 179.9)),
        (at(0.5, 0), at(-0.5, 179.7)),
        (at(30, 10), at(-30, -170)),
        (at(-30, 10), at(29.9, -170.1)),
    ],
)
def test_nearly_antipodal_places_get_a_number_all_the_same(a, b):
    half_round = 2 * QUARTER
    for found in (distance.geodesic_km(a, b), distance.geodesic_km(b, a), fast(distance.geodesic_km_fast, (a, b))[0]):
        assert found == pytest.approx(half_round, rel=0.008)
        assert found == pytest.approx(distance.geodesic_km(a, b), abs=1e-6)


@given(places, places)
def test_ellipsoid_and_sphere_differ_by_half_a_percent_at_most(a, b):
    sphere, ellipsoid = distance.great_circle_km(a, b), distance.geodesic_km(a, b)
    assert ellipsoid == distance.geodesic_km(b, a)
    assert sphere == distance.great_circle_km(b, a)
    assert 0 <= sphere <= 2 * QUARTER
    assert ellipsoid == pytest.approx(sphere, rel=0.0068, abs=1e-6)


@given(places, places, places)
def test_no_detour_is_shorter(a, b, c):
    for measure in (distance.great_circle_km, distance.geodesic_km):
        assert measure(a, c) <= (measure(a, b) + measure(b, c)) * 1.01 + 1e-6


@given(st.lists(st.tuples(places, places), max_size=6))
def test_fast_equals_scalar(pairs):
    for plain, many in (
        (distance.great_circle_km, distance.great_circle_km_fast),
        (distance.geodesic_km, distance.geodesic_km_fast),
    ):
        assert fast(many, *pairs) == pytest.approx([plain(*pair) for pair in pairs], rel=1e-9, abs=1e-5)


def test_a_geodesic_is_as_long_as_the_curve_drawn_along_it():
    # A meridian's length by summing small steps of the ellipse, from 10 to 50 degrees north.
    phi = np.radians(np.linspace(10, 50, 200_001))
    square = distance.FLATTENING * (2 - distance.FLATTENING)
    radius = distance.EQUATOR_KM * (1 - square) / (1 - square * np.sin(phi) ** 2) ** 1.5
    length = float(np.sum((radius[1:] + radius[:-1]) / 2 * np.diff(phi)))
    assert distance.geodesic_km(at(10, 7), at(50, 7)) == pytest.approx(length, abs=1e-6)


def test_without_coordinates_there_is_no_distance():
    assert distance.great_circle_km(at(1, 1), Place(city="Berlin")) is None
    assert distance.geodesic_km(Place(), at(1, 1)) is None
    found = [fast(measure, (at(1, 1), Place()), (at(0, 0), at(0, 1))) for measure in (
        distance.great_circle_km_fast, distance.geodesic_km_fast
    )]  # fmt: skip
    assert np.isnan(found).tolist() == [[True, False], [True, False]]
