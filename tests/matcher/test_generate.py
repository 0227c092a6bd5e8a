"""Made-up communities: the same from the same seed, clean to read, and shaped like real ones."""

from __future__ import annotations

import collections
import datetime as dt
import itertools
import json
import zoneinfo

import msgspec
import pytest

from mrblue_cli.core.errors import UsageError
from mrblue_cli.matcher.compiled import Community
from mrblue_cli.matcher.criteria.geo import great_circle_km
from mrblue_cli.matcher.generate import BLOCK, people
from mrblue_cli.matcher.generate_places import CITIES
from mrblue_cli.matcher.model import Place
from mrblue_cli.matcher.records import Reader
from tests.matcher.people import WEEK

JANUARY = dt.datetime(2026, 1, 15, tzinfo=dt.UTC)
MANY = list(people(3 * BLOCK, 7))


def test_the_same_seed_makes_the_same_people():
    assert list(people(300, 7)) == MANY[:300]
    assert list(people(300, 8)) != MANY[:300]


@pytest.mark.parametrize("count", [0, 1, 2, 60, 2048, 2050, 5000])
def test_people_do_not_depend_on_how_many_are_asked_for(count):
    found = list(people(count, 7))
    assert len(found) == count
    if count % 2 and MANY[count - 1].get("partners"):
        assert found[:-1] == MANY[: count - 1]
    else:
        assert found == MANY[:count]


def test_a_couple_that_is_cut_apart_names_nobody_who_is_missing():
    count = next(number for number in range(1, 2000, 2) if "partners" in MANY[number - 1])
    assert "partners" not in list(people(count, 7))[-1]


def test_they_come_one_by_one():
    assert next(people(10**12, 1))["id"] == "u000000"
    assert [raw["id"] for raw in itertools.islice(people(10**12, 1), 3)] == ["u000000", "u000001", "u000002"]


def test_they_are_read_without_a_word():
    reader = Reader(WEEK, "UTC", zoneinfo.ZoneInfo)
    users = [reader.read(raw, f"users[{index}]") for index, raw in enumerate(MANY)]
    reader.finish()
    assert reader.problems == []
    assert reader.warnings == []
    community = Community(user for user in users if user is not None)
    assert len(community) + len(reader.skipped) == len(MANY)
    assert 0.01 < len(reader.skipped) / len(MANY) < 0.04


def test_a_record_is_plain_json():
    for raw in MANY[:500]:
        assert json.loads(json.dumps(raw)) == raw
        assert msgspec.json.decode(msgspec.json.encode(raw)) == raw


def test_shares_are_those_of_a_real_scene():
    count = collections.Counter(tuple(raw["roles"]) for raw in MANY)
    shares = {roles: number / len(MANY) for roles, number in count.items()}
    assert shares["follower",] == pytest.approx(0.45, abs=0.04)
    assert shares["leader",] == pytest.approx(0.40, abs=0.04)
    assert shares["leader", "follower"] == pytest.approx(0.15, abs=0.03)
    for field, low, high in [
        ("styles", 0.87, 0.93),
        ("music", 0.60, 0.70),
        ("availability", 0.72, 0.78),
        ("location", 0.95, 0.99),
        ("age", 0.5, 0.6),
        ("age_pref", 0.2, 0.3),
        ("wishes", 0.05, 0.11),
        ("blocked", 0.003, 0.02),
        ("partners", 0.10, 0.18),
        ("history", 0.06, 0.13),
    ]:
        assert low < sum(field in raw for raw in MANY) / len(MANY) < high, field


def test_levels_spread_like_years_of_dancing():
    levels = [raw["follower_level"] for raw in MANY if "follower_level" in raw]
    assert all(level * 2 == int(level * 2) and 1 <= level <= 10 for level in levels)
    middle = sorted(levels)[len(levels) // 2]
    assert 4 <= middle <= 7
    assert sum(level == 10 for level in levels) / len(levels) < 0.15
    assert len(set(levels)) == 19


def test_small_communities_live_in_one_city_and_large_ones_in_many():
    first = {raw["location"]["city"] for raw in MANY[:100] if "location" in raw}
    assert len(first) == 1
    sizes = collections.Counter(raw["location"]["city"] for raw in MANY if "location" in raw)
    assert len(sizes) > 30
    ordered = sorted(sizes.values(), reverse=True)
    assert ordered[0] > 5 * ordered[20]


def test_people_live_near_the_city_that_they_name():
    centres = {city.name: Place(lat=city.lat, lon=city.lon) for city in CITIES}
    far = []
    for raw in MANY:
        place = raw.get("location", {})
        if "lat" in place:
            here = Place(lat=place["lat"], lon=place["lon"])
            far.append(great_circle_km(here, centres[place["city"]]))
    far.sort()
    assert 3 < far[len(far) // 2] < 15
    assert far[-1] < 200


def test_couples_are_mutual_and_live_together():
    by_id = {raw["id"]: raw for raw in MANY}
    couples = [raw for raw in MANY if "partners" in raw]
    assert couples
    for raw in couples:
        (other,) = raw["partners"]
        assert by_id[other]["partners"] == [raw["id"]]
        homes = [one["location"]["city"] for one in (raw, by_id[other]) if "location" in one]
        assert len(set(homes)) <= 1
        assert {*raw["roles"], *by_id[other]["roles"]} == {"leader", "follower"}


def test_nobody_names_somebody_who_is_not_there():
    for count in (51, 60, 999):
        found = list(people(count, 3))
        ids = {raw["id"] for raw in found}
        for raw in found:
            assert {*raw.get("blocked", ()), *raw.get("partners", ()), *raw.get("history", {})} <= ids - {raw["id"]}


def test_cities_are_in_their_time_zones():
    assert len({(city.name, city.country) for city in CITIES}) == len(CITIES) >= 60
    for city in CITIES:
        hours = JANUARY.astimezone(zoneinfo.ZoneInfo(city.tz)).utcoffset().total_seconds() / 3600
        assert abs(hours - city.lon / 15) < 2.5, city.name


@pytest.mark.parametrize(("count", "seed"), [(-1, 0), (1, -1)])
def test_what_cannot_be_made_is_refused(count, seed):
    with pytest.raises(UsageError):
        next(people(count, seed), None)
