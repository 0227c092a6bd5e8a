"""Rule 5 and its kin: decays, names in place of coordinates, the tree of places."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrblue_cli.matcher.compiled import Community
from mrblue_cli.matcher.criteria import geo
from mrblue_cli.matcher.model import Place, Role, User
from mrblue_cli.matcher.registry import family, find

KM = 180 / math.pi / geo.EARTH_KM
MEASURED = [entry for entry in family("geo") if entry.name != "geo.admin"]


def living(name, **place):
    return User(id=name, roles=Role.BOTH, place=Place(**place))


def east(km, lat=0.0):
    """Two people so many km apart on a parallel near the equator."""
    return living("a", lat=lat, lon=0.0), living("b", lat=lat, lon=km * KM)


@pytest.mark.parametrize(
    ("km", "value"),
    [(0, 100), (4.99, 100), (5, 100), (30, 50), (55, 25), (80, 12.5), (130, 3.125), (5 + 12.5, 70.710678)],
)
def test_rule_5_halves_every_25_km_beyond_5(km, value):
    assert geo.half(*east(km)).value == pytest.approx(value, abs=1e-5)
    assert geo.decay(km) == pytest.approx(value, abs=1e-5)


BY_NAME = [
    ({"city": "Berlin", "country": "DE"}, {"city": "BERLIN", "country": "DE"}, 100),
    ({"city": "Straße", "country": "DE"}, {"city": "STRASSE", "country": "DE"}, 100),
    ({"city": "Berlin", "country": "DE"}, {"city": "Hamburg", "country": "DE"}, 40),
    ({"city": "Berlin", "country": "DE"}, {"country": "DE"}, 40),
    ({"country": "DE"}, {"country": "DE"}, 40),
    ({"city": "Paris", "country": "FR"}, {"city": "Paris", "country": "US"}, 0),
    ({"city": "Berlin", "country": "DE"}, {"lat": 52.52, "lon": 13.4, "city": "Berlin", "country": "DE"}, 100),
    ({"city": "Paris"}, {"city": "Paris"}, None),
    ({"city": "Paris"}, {"city": "Paris", "country": "FR"}, None),
    ({}, {"city": "Paris", "country": "FR"}, None),
    ({}, {"lat": 1.0, "lon": 1.0}, None),
]


@pytest.mark.parametrize("entry", MEASURED, ids=lambda entry: entry.name)
@pytest.mark.parametrize(("mine", "yours", "value"), BY_NAME)
def test_names_count_where_either_lacks_coordinates(entry, mine, yours, value):
    a, b = living("a", **mine), living("b", **yours)
    community = Community([a, b])
    for one, other in ((a, b), (b, a)):
        assert entry.scalar(one, other).value == value
        (fast,) = entry.fast(community, np.array([community.rows[one.id]]), np.array([community.rows[other.id]]))
        assert math.isnan(fast) if value is None else fast == value


@pytest.mark.parametrize("entry", MEASURED, ids=lambda entry: entry.name)
def test_coordinates_count_before_names(entry):
    # Two suburbs on two sides of a border, and two towns of one name far apart.
    near = living("a", lat=0, lon=0, country="DE"), living("b", lat=0, lon=0.01, country="FR")
    far = living("a", lat=0, lon=0, city="X", country="US"), living("b", lat=0, lon=9, city="X", country="US")
    assert entry.scalar(*near).value > 95
    assert entry.scalar(*far).value < 5


@pytest.mark.parametrize("entry", MEASURED, ids=lambda entry: entry.name)
@given(steps=st.lists(st.floats(0, 2000), min_size=2, max_size=12).map(sorted))
def test_further_away_never_scores_more(entry, steps):
    people = [living("0", lat=0, lon=0)] + [living(f"p{n:02}", lat=0, lon=km * KM) for n, km in enumerate(steps)]
    community = Community(people)
    rows = np.arange(1, len(people))
    found = entry.fast(community, np.zeros_like(rows), rows)
    assert (np.diff(found) <= 1e-9).all()
    assert ((found >= 0) & (found <= 100)).all()


@pytest.mark.parametrize("entry", MEASURED, ids=lambda entry: entry.name)
@pytest.mark.parametrize("pair", [((90, 0), (90, 135)), ((-90, 20), (-90, -77)), ((12, 180), (12, -180))])
def test_one_point_with_two_names_is_one_place(entry, pair):
    (lat, lon), (lat2, lon2) = pair
    assert entry.scalar(living("a", lat=lat, lon=lon), living("b", lat=lat2, lon=lon2)).value == 100


def test_what_is_said():
    assert geo.half(*east(0.3)).brief == "300 m apart"
    assert geo.half(*east(0.99996)).brief == "1.0 km apart"
    assert geo.half(*east(27.19)).why == "a and b live 27.2 km apart"
    assert geo.half(*east(99.97)).brief == "100 km apart"
    assert geo.half(*east(1500.4)).brief == "1500 km apart"
    assert geo.cell(*east(12)).brief == "1 cell of 10 km apart"
    assert geo.cell(*east(1)).why == "a and b live in the same cell of the map"
    french, german = living("a", country="FR"), living("b", country="DE")
    assert geo.half(french, german).why == "they live in different countries"
    assert geo.half(french, living("b", country="FR")).why == "they live in the same country"
    assert geo.half(living("b"), living("a")).why == "a and b gave no place to compare"
    # Somebody with coordinates did say where; what is lacking is a country to compare with.
    assert geo.half(french, living("b", lat=1.0, lon=1.0)).why == "b gave no country to compare"


@pytest.mark.parametrize(
    ("mine", "yours", "depth"),
    [
        ({"city": "Bonn", "region": "NRW", "country": "DE"}, {"city": "bonn", "region": "nrw", "country": "DE"}, 3),
        ({"city": "Bonn", "region": "NRW", "country": "DE"}, {"city": "Bonn", "country": "DE"}, 3),
        ({"city": "Bonn", "region": "NRW", "country": "DE"}, {"city": "Köln", "region": "NRW", "country": "DE"}, 2),
        ({"region": "NRW", "country": "DE"}, {"city": "Köln", "region": "NRW", "country": "DE"}, 2),
        ({"city": "Bonn", "country": "DE"}, {"city": "Köln", "region": "NRW", "country": "DE"}, 1),
        ({"city": "Halle", "region": "A", "country": "DE"}, {"city": "Halle", "region": "B", "country": "DE"}, 1),
        ({"country": "DE"}, {"country": "DE"}, 1),
        ({"city": "X", "region": "R", "country": "DE"}, {"city": "X", "region": "R", "country": "FR"}, 0),
        ({"city": "X", "region": "R"}, {"city": "X", "region": "R", "country": "FR"}, None),
    ],
)
def test_the_tree_of_places(mine, yours, depth):
    entry = find("geo.admin")
    a, b = living("a", **mine), living("b", **yours)
    expected = None if depth is None else pytest.approx(100 * depth / 3)
    assert entry.scalar(a, b).value == expected
    assert entry.scalar(b, a).value == expected
    (fast,) = entry.fast(Community([a, b]), np.array([0]), np.array([1]))
    assert math.isnan(fast) if depth is None else fast == expected


def test_coordinates_do_not_move_the_tree_of_places():
    a, b = living("a", lat=0, lon=0, country="DE", city="Bonn"), living("b", lat=50, lon=50, country="DE", city="Bonn")
    assert find("geo.admin").scalar(a, b).value == 100
