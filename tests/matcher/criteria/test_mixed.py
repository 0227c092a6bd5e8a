"""Mixed criteria: by hand, by libraries, and where matrices have no inverse."""

from __future__ import annotations

import warnings

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from scipy.spatial import distance

from mrblue_cli.core.errors import UsageError
from mrblue_cli.matcher import registry
from mrblue_cli.matcher.compiled import Community
from mrblue_cli.matcher.criteria import mixed
from mrblue_cli.matcher.model import Place, Role, User
from tests.matcher.strategies import people

ENTRIES = {entry.name: entry for entry in registry.family("mix")}
quick = settings(deadline=None, max_examples=40)


def person(name, level=None, age=None, minutes=None, **more):
    hours = ((0, minutes),) if minutes else ()
    return User(id=name, roles=Role.FOLLOWER, follower_level=level, age=age, hours=hours, **more)


def matrix(name, community, **parameters):
    n = len(community)
    left, right = np.repeat(np.arange(n), n), np.tile(np.arange(n), n)
    return ENTRIES[name].fast(community, left, right, **parameters).reshape(n, n)


def test_each_field_by_hand():
    berlin, paris = Place(city="Berlin", country="DE"), Place(city="Paris", country="FR")
    a = person("a", 2, 20, 60, place=berlin, styles=("salon",), music=(("troilo", 1.0),))
    b = person("b", 6, 40, 120, place=paris, styles=("salon", "vals"), music=(("biagi", 1.0),))
    c = person("c", 10, 60, 180, place=Place(city="BERLIN", country="DE"))
    community = Community((a, b, c))
    assert mixed.differences(a, b, community) == {
        "level": 0.5,
        "age": 0.5,
        "free time": 0.5,
        "city": 1.0,
        "country": 1.0,
        "styles": 0.5,
        "music": 1.0,
    }
    assert mixed.differences(a, c, community) == {
        "level": 1.0,
        "age": 1.0,
        "free time": 1.0,
        "city": 0.0,
        "country": 0.0,
    }
    assert ENTRIES["mix.gower"].scalar(a, c, community=community).value == pytest.approx(40)
    assert ENTRIES["mix.heom"].scalar(a, c, community=community).value == pytest.approx(100 * (1 - 0.6**0.5))
    assert ENTRIES["mix.gower"].scalar(a, c, community=community).why == (
        "a and c are alike in city and country, far apart in level, age and free time"
    )


@quick
@given(people(2, 6))
def test_one_large_difference_costs_more_in_heom_than_in_gower(made):
    gower, heom = (matrix(name, Community(made)) for name in ("mix.gower", "mix.heom"))
    np.testing.assert_array_equal(np.isnan(gower), np.isnan(heom))
    known = ~np.isnan(gower)
    assert (heom[known] <= gower[known] + 1e-9).all()
    np.testing.assert_array_equal((gower[known] == 100), (heom[known] == 100))


def test_somebody_from_outside_the_range_is_at_its_end():
    community = Community((person("a", 2), person("b", 6)))
    found = mixed.differences(person("a", 2), person("z", 10), community)
    assert found == {"level": 1.0}


@quick
@given(people(1, 6))
def test_a_field_alone_in_one_value_has_no_range_and_no_difference(made):
    same = [msgspec.structs.replace(user, age=30.0) for user in made]
    community = Community(same)
    assert mixed.ranges(community)[1] == 0
    apart = mixed.differences_fast(community, np.arange(len(same)), np.arange(len(same))[::-1])
    assert (apart[:, 1] == 0).all()


def numbers(seed, count=40):
    """Everybody said everything; level, age and free time go together."""
    chance = np.random.default_rng(seed)
    level = chance.integers(2, 21, count) / 2
    age = np.clip(18 + 4 * level + chance.normal(0, 8, count), 18, 90)
    minutes = chance.integers(30, 1000, count)
    places = [Place(lat=float(lat), lon=float(lon)) for lat, lon in chance.normal(50, 3, (count, 2))]
    return [person(f"p{n:02}", float(level[n]), float(age[n]), int(minutes[n]), place=places[n]) for n in range(count)]


@pytest.mark.parametrize("seed", range(3))
def test_mahalanobis_is_that_of_a_library(seed):
    community = Community(numbers(seed))
    points = mixed._points(community)
    covariance = np.cov(points.T, bias=True)
    shrunk = 0.75 * covariance + 0.25 * np.diag(np.diag(covariance))
    squared = distance.squareform(distance.pdist(points, "mahalanobis", VI=np.linalg.inv(shrunk))) ** 2
    np.testing.assert_allclose(matrix("mix.mahalanobis", community, shrink=0.25), 100 * 2 ** (-squared / 12), atol=1e-6)


def test_two_people_drawn_at_random_are_about_two_k_apart():
    people_ = [msgspec.structs.replace(user, place=Place()) for user in numbers(5, 60)]
    community = Community(people_)
    found = matrix("mix.mahalanobis", community, shrink=1e-9)
    squared = -6 * np.log2(found[~np.eye(60, dtype=bool)] / 100)
    assert squared.mean() == pytest.approx(6 * 60 / 59, rel=1e-6)


@quick
@given(people(2, 6))
def test_units_do_not_matter_to_mahalanobis(made):
    in_months = [msgspec.structs.replace(user, age=user.age and user.age * 12) for user in made]
    years, months = (matrix("mix.mahalanobis", Community(crowd)) for crowd in (made, in_months))
    np.testing.assert_allclose(years, months, rtol=0, atol=1e-9)


def test_matrices_without_an_inverse_are_no_trouble():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        # Age says nothing that level does not say; everybody is free as much, in one place.
        line = [person(f"p{n}", 1 + n, 20 + 10 * n, 90, place=Place(lat=52.5, lon=13.4)) for n in range(5)]
        found = matrix("mix.mahalanobis", Community(line))
        assert np.isfinite(found).all()
        assert np.diag(found) == pytest.approx(100)
        assert found[0, 1] > found[0, 2] > found[0, 4] > 0
        twins = [person(f"p{n}", 5, 30, 90) for n in range(4)]
        assert matrix("mix.mahalanobis", Community(twins)) == pytest.approx(100)
        one = Community([person("alone", 5)])
        assert matrix("mix.mahalanobis", one) == pytest.approx(100)
        nothing = Community([person("a"), person("b")])
        assert np.isnan(matrix("mix.mahalanobis", nothing)).all()


def test_the_date_line_is_no_border():
    fiji = [Place(lat=-17.0, lon=lon) for lon in (179.99, -179.99, 178.0)]
    community = Community([person(f"p{n}", place=place) for n, place in enumerate(fiji)])
    found = matrix("mix.mahalanobis", community)
    assert found[0, 1] > 99
    assert found[0, 2] < 60


@pytest.mark.parametrize("shrink", [0.0, -0.1, 1.1, float("nan")])
def test_a_shrink_is_a_share(shrink):
    community = Community((person("a", 1), person("b", 2)))
    with pytest.raises(UsageError, match="shrink"):
        ENTRIES["mix.mahalanobis"].scalar(person("a", 1), person("b", 2), community=community, shrink=shrink)
    with pytest.raises(UsageError, match="shrink"):
        matrix("mix.mahalanobis", community, shrink=shrink)
