"""The schema says yes to what the reader accepts and no to what it refuses, where a schema can say so."""

from __future__ import annotations

import json
import math
from importlib import resources

import jsonschema
import pytest

from mrblue_cli.matcher.generate import people
from mrblue_cli.matcher.records_names import ALIASES, FIELDS
from mrblue_cli.matcher.schema import json_schema
from tests.matcher.people import person, read

SCHEMA = json_schema()
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
REFUSED = [
    {"id": None},
    {"id": ""},
    {"id": " "},
    {"id": 7},
    {"id": "a\nb"},
    {"roles": None},
    {"roles": []},
    {"roles": ["lead"]},
    {"roles": 3},
    {"name": 5},
    {"leader_level": 11},
    {"leader_level": 0.5},
    {"leaderLevel": 7.25},
    {"follower_level": "7"},
    {"follower_level": True},
    {"leader_level": 10**400},
    {"leader_level": 5, "leaderLevel": 5},
    {"location": "Berlin"},
    {"location": {"lat": 52.5}},
    {"location": {"lat": 52.5, "lng": None}},
    {"location": {"lat": 91, "lon": 0}},
    {"location": {"latitude": 1, "longitude": -181}},
    {"location": {"lat": 1, "latitude": 1, "lon": 2}},
    {"location": {"country": "Germany"}},
    {"location": {"city": 5}},
    {"styles": "salon"},
    {"styles": [5]},
    {"music": "troilo"},
    {"music": {"troilo": 0}},
    {"music": {"troilo": "2"}},
    {"availability": {}},
    {"availability": [5]},
    {"availability": [{"day": "mon", "start": "19:00"}]},
    {"availability": [{"day": "mo", "start": "19:00", "end": "20:00"}]},
    {"availability": [{"day": "mon", "start": "24:00", "end": "20:00"}]},
    {"availability": [{"day": "mon", "start": "19:00", "end": "25:00"}]},
    {"availability": ["monday evening"]},
    {"tz": 5},
    {"tz": ""},
    {"age": 17},
    {"age": "30"},
    {"age_pref": {"min": 17}},
    {"age_pref": [20, 30]},
    {"wishes": {"max_km": -1}},
    {"wishes": {"levelMin": 0.5}},
    {"blocked": "p1"},
    {"blocked": [5]},
    {"partners": [""]},
    {"history": {"p1": 0}},
    {"history": "p1"},
    {"active": "false"},
    {"active": 0},
    {"lead_share": 1.5},
]
ACCEPTED = [
    {},
    {"roles": "both"},
    {"name": None, "leader_level": None, "location": None, "age_pref": None, "wishes": None, "availability": None},
    {"leaderLevel": 7.5, "follower_level": 0},
    {"location": {"lat": -34.6, "lng": -58.4}},
    {"location": {"latitude": 52.5, "longitude": 13.4, "city": "Berlin", "country": "de"}},
    {"location": {"lat": None, "lon": None}},
    {"styles": [], "music": ["troilo"]},
    {"music": {"troilo": 0.5}},
    {"availability": [{"day": "mon", "start": "19:00", "end": "24:00"}, "tue 19:00-22:00"], "tz": "UTC"},
    {"availability": [{"dayOfWeek": "sunday", "startTime": "22:00", "endTime": "01:30"}]},
    {"agePref": {"min": 20}, "age": 18},
    {"wishes": {"maxKm": 5, "level_min": 0}},
    {"history": ["p1", "p1"], "blocked": [], "partners": ["p2"]},
    {"active": False, "leadShare": 0.5},
    {"unheard_of": {"anything": []}},
]


def test_the_schema_is_one():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert json.loads(json.dumps(SCHEMA)) == SCHEMA
    assert SCHEMA["$schema"].endswith("2020-12/schema")


@pytest.mark.parametrize("fields", REFUSED, ids=str)
def test_what_the_reader_refuses_the_schema_refuses(fields):
    raw = person() | fields
    assert read(raw)[1]
    assert not VALIDATOR.is_valid([raw])


@pytest.mark.parametrize("fields", ACCEPTED, ids=str)
def test_what_the_schema_accepts_the_reader_accepts(fields):
    raw = person() | fields
    assert read(raw)[1] == []
    VALIDATOR.validate([raw])
    VALIDATOR.validate({"users": [raw], "meta": 1})


@pytest.mark.parametrize("document", [5, None, "x", {}, {"people": []}, {"users": {}}, [5], [[]]])
def test_documents_that_are_none(document):
    assert not VALIDATOR.is_valid(document)


def test_an_empty_community_is_one():
    VALIDATOR.validate([])


def test_the_sample_and_made_up_people_are_valid():
    sample = json.loads((resources.files("mrblue_cli") / "data" / "community.json").read_text("utf-8"))
    VALIDATOR.validate(sample)
    VALIDATOR.validate(list(people(400, 5)))


def test_every_field_and_alias_is_described():
    user = SCHEMA["$defs"]["user"]["properties"]
    assert user.keys() == ALIASES[""].keys()
    assert set(FIELDS) <= user.keys()
    assert user["location"]["properties"].keys() == ALIASES["location"].keys()
    assert user["wishes"]["properties"].keys() == ALIASES["wishes"].keys()
    assert user["age_pref"]["properties"].keys() == ALIASES["age_pref"].keys()
    assert all("description" in field for field in user.values())


def test_not_a_number_is_refused_by_the_reader_alone():
    # JSON has no NaN, so no schema needs to know it.
    assert read(person(age=math.nan))[1]
