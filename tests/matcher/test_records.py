"""Every rule of the table of fields, one by one."""

from __future__ import annotations

import datetime as dt
import math

import pytest

from mrblue_cli.core.errors import UsageError
from mrblue_cli.matcher.model import AgeRange, Place, Role, User, Wishes
from tests.matcher.people import good, person, read, reader, refused, warned

HUGE = 10**400


def test_id_and_roles_are_enough():
    assert read({"id": "a", "roles": ["leader"]})[0] == User(id="a", roles=Role.LEADER)


def test_null_is_as_good_as_absent():
    fields = [
        "name",
        "leader_level",
        "follower_level",
        "location",
        "styles",
        "music",
        "availability",
        "tz",
        "age",
        "age_pref",
        "wishes",
        "blocked",
        "partners",
        "history",
        "active",
        "lead_share",
    ]
    assert good(**dict.fromkeys(fields)) == good()
    assert good(location=dict.fromkeys(("lat", "lon", "city", "country", "region"))) == good()
    assert good(wishes={"max_km": None}, age_pref={"min": None}) == good()


@pytest.mark.parametrize("raw", [None, 5, "ann", [], [{"id": "a"}], True])
def test_a_person_is_an_object(raw):
    assert read(raw)[1][0].startswith("users[0]: is ")


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "is missing"),
        ("", "is empty"),
        ("  ", "is empty"),
        (7, "7 is not text"),
        (True, "true is not text"),
        (["a"], "a list of 1 is not text"),
        ("a\nb", "control character"),
        ("a\x1b[2J", "control character"),
        ("a\u202eb", "control character"),
        ("\ud800", "control character or half of one"),
    ],
)
def test_ids_that_nobody_can_have(value, words):
    problem = refused(id=value)
    assert problem.startswith("users[0].id: ")
    assert words in problem
    assert problem.isprintable()


@pytest.mark.parametrize("value", ["a", "u 1", "Ñandú", "用户", "a/b:c|d", "x" * 5000])
def test_ids_are_kept_as_they_are(value):
    assert good(id=value).id == value


def test_an_id_with_a_space_at_its_end_is_odd():
    user, warning = warned(id="a ")
    assert user.id == "a "
    assert "begins or ends with a space" in warning


def test_an_id_that_comes_twice_names_both_places():
    found = reader()
    for index, name in enumerate(["a", "b", "c", "d", "b"]):
        made = found.read({"id": name, "roles": ["both"]}, f"users[{index}]", line=index + 2)
    assert made is None
    assert found.problem_count == 1
    assert "users[1].id (line 3) and users[4].id (line 6)" in found.problems[0].what
    assert found.problems[0].path == "users[4].id (line 6)"


@pytest.mark.parametrize(
    ("value", "role"),
    [
        (["leader"], Role.LEADER),
        (["follower"], Role.FOLLOWER),
        (["leader", "follower"], Role.BOTH),
        (["follower", "leader", "leader"], Role.BOTH),
        (["both"], Role.BOTH),
        ("both", Role.BOTH),
        ("leader", Role.LEADER),
        ([" Follower "], Role.FOLLOWER),
    ],
)
def test_roles(value, role):
    assert good(roles=value).roles is role


@pytest.mark.parametrize(
    ("value", "where", "words"),
    [
        (None, "roles", "is missing"),
        ([], "roles", "is empty"),
        ("", "roles[0]", '"" is not a role'),
        ({}, "roles", "not a list"),
        (3, "roles", "not a list"),
        (["lead"], "roles[0]", '"lead" is not a role'),
        (["leader", 2], "roles[1]", "2 is not a role"),
        (["leader", ["follower"]], "roles[1]", "a list of 1 is not a role"),
    ],
)
def test_roles_that_are_none(value, where, words):
    problem = refused(roles=value)
    assert problem.startswith(f"users[0].{where}: ")
    assert words in problem


@pytest.mark.parametrize("field", ["leader_level", "follower_level", "leaderLevel", "followerLevel"])
@pytest.mark.parametrize("value", [1, 1.0, 1.5, 7, 9.5, 10, 10.0])
def test_levels(field, value):
    user = good(**{field: value})
    found = user.leader_level if "leader" in field else user.follower_level
    assert found == value
    assert type(found) is float


@pytest.mark.parametrize("value", [0, 0.0, -0.0, None])
def test_a_level_of_nothing_is_unknown(value):
    assert good(leader_level=value).leader_level is None


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (11, "11 is out of range"),
        (0.5, "0.5 is out of range"),
        (-1, "-1 is out of range"),
        (7.25, "7.25 is not a half step"),
        (math.nan, "NaN is not a finite number"),
        (math.inf, "Infinity is not a finite number"),
        (-math.inf, "-Infinity is not a finite number"),
        ("7", "without the quotes"),
        ("seven", "text where a number is wanted"),
        (True, "true is not a number"),
        (False, "false is not a number"),
        ([7], "a list of 1 is not a number"),
        ({}, "an object is not a number"),
        (HUGE, "a number of about 401 digits is out of range"),
        (-HUGE, "out of range"),
        (1e308, "out of range"),
    ],
)
def test_levels_that_are_none(value, words):
    problem = refused(leader_level=value)
    assert problem.startswith("users[0].leader_level: ")
    assert words in problem
    assert len(problem) < 200


@pytest.mark.parametrize(("role", "field"), [("leader", "follower_level"), ("follower", "leader_level")])
def test_a_level_of_a_role_not_danced_is_not_used(role, field):
    user, warning = warned(roles=[role], **{field: 5})
    assert user.leader_level is None
    assert user.follower_level is None
    assert warning.startswith(f"{field} of somebody who does not dance that role")
    assert good(roles=[role], **{field: 0}).leader_level is None
    assert "out of range" in refused(roles=[role], **{field: 50})


def test_places():
    user = good(location={"lat": -34.6, "lon": 180, "city": " Buenos Aires ", "country": "ar", "region": "CABA"})
    assert user.place == Place(lat=-34.6, lon=180.0, city="Buenos Aires", country="AR", region="CABA")
    assert good(location={"latitude": 1, "longitude": 2}).place == Place(lat=1.0, lon=2.0)
    assert good(location={"lat": 1, "lng": 2}).place == Place(lat=1.0, lon=2.0)
    assert good(location={}).place == Place()
    assert good(location={"country": ""}).place == Place()


@pytest.mark.parametrize(
    ("value", "where", "words"),
    [
        ("Berlin", "location", "not an object"),
        ({"lat": 52.5}, "location.lon", "is missing though lat is given"),
        ({"lng": 13.4, "lat": None}, "location.lat", "is missing though lon is given"),
        ({"lat": 90.5, "lon": 0}, "location.lat", "90.5 is out of range"),
        ({"lat": 0, "lon": -180.1}, "location.lon", "-180.1 is out of range"),
        ({"lat": "52.5", "lon": 13}, "location.lat", "without the quotes"),
        ({"lat": math.nan, "lon": 13}, "location.lat", "NaN"),
        ({"lat": True, "lon": 13}, "location.lat", "true is not a number"),
        ({"lat": 1, "latitude": 1, "lon": 2}, "location.lat", "given twice: as lat and as latitude"),
        ({"country": "Germany"}, "location.country", "not a country code"),
        ({"country": "DEU"}, "location.country", "not a country code"),
        ({"country": "D1"}, "location.country", "not a country code"),
        ({"country": "ſt"}, "location.country", "not a country code"),
        ({"country": 49}, "location.country", "49 is not text"),
        ({"city": 5}, "location.city", "5 is not text"),
        ({"city": "\ud800"}, "location.city", "half of a character"),
    ],
)
def test_places_that_are_none(value, where, words):
    problem = refused(location=value)
    assert problem.startswith(f"users[0].{where}: ")
    assert words in problem


def test_the_middle_of_nowhere_is_warned_about():
    user, warning = warned(location={"lat": 0, "lon": -0.0})
    assert user.place.lat == 0
    assert "exactly 0,0" in warning
    assert good(location={"lat": 0, "lon": 0.1}).place.lat == 0


def test_styles_are_folded_sorted_and_told_apart():
    assert good(styles=[" Salón", "SALO\u0301N", "vals", "Straße", "STRASSE"]).styles == ("salón", "strasse", "vals")
    assert good(styles=[]).styles == ()
    user, warning = warned(styles=["vals", " ", ""])
    assert user.styles == ("vals",)
    assert "an empty tag is left out" in warning


@pytest.mark.parametrize(
    ("value", "where"),
    [("salon", "styles"), ({"salon": 1}, "styles"), (["a", 5], "styles[1]"), ([["a"]], "styles[0]"), ("", "styles")],
)
def test_styles_that_are_none(value, where):
    assert refused(styles=value).startswith(f"users[0].{where}: ")


def test_music_is_a_list_or_weighed():
    assert good(music=["Troilo", "pugliese", "troilo "]).music == (("pugliese", 1.0), ("troilo", 1.0))
    assert good(music={"Troilo": 2, "pugliese": 0.5}).music == (("pugliese", 0.5), ("troilo", 2.0))
    user, warning = warned(music={"Troilo": 2, "troilo": 5, "TROILO": 1})
    assert user.music == (("troilo", 5.0),)
    assert "comes twice" in warning
    assert warned(music={"": 3, "a": 1})[0].music == (("a", 1.0),)
    assert warned(music=["", "a"])[0].music == (("a", 1.0),)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("troilo", "not a list"),
        ({"troilo": 0}, 'music["troilo"]: 0 is out of range'),
        ({"troilo": -1}, "out of range"),
        ({"troilo": math.inf}, "finite"),
        ({"troilo": "2"}, "without the quotes"),
        ({"troilo": True}, "not a number"),
        ({"troilo": None}, "null is not a number"),
        ({"troilo": HUGE}, "out of range"),
        ({"\ud800": 1}, "not a tag"),
        ([3], "music[0]: 3 is not a tag"),
    ],
)
def test_music_that_is_none(value, words):
    assert words in refused(music=value)


@pytest.mark.parametrize("value", [18, 18.5, 120])
def test_ages(value):
    assert good(age=value).age == value


@pytest.mark.parametrize("value", [17, 17.99, 121, 0, -5, "30", True, math.nan, HUGE, [30]])
def test_ages_that_are_none(value):
    assert refused(age=value).startswith("users[0].age: ")


def test_ages_wished_for():
    assert good(age_pref={"min": 30, "max": 30}).age_pref == AgeRange(min=30.0, max=30.0)
    assert good(agePref={"min": 30}).age_pref == AgeRange(min=30.0)
    assert good(age_pref={}).age_pref is None
    assert "min 50 is more than max 40" in refused(age_pref={"min": 50, "max": 40})
    assert refused(age_pref={"min": 17}).startswith("users[0].age_pref.min: ")
    assert refused(age_pref={"max": "40"}).startswith("users[0].age_pref.max: ")
    assert "not an object" in refused(age_pref=[30, 40])


def test_wishes():
    whole = good(wishes={"max_km": 10, "level_min": 3, "level_max": 7.25}).wishes
    assert whole == Wishes(max_km=10.0, level_min=3.0, level_max=7.25)
    assert good(wishes={"maxKm": 10, "levelMin": 3, "levelMax": 7.25}).wishes == whole
    assert good(wishes={"level_min": 0}).wishes == Wishes()
    assert "level_min 8 is more than level_max 3" in refused(wishes={"level_min": 8, "level_max": 3})
    for field, value in [("max_km", -1), ("max_km", math.inf), ("level_min", 0.5), ("level_max", 11), ("max_km", "5")]:
        assert refused(wishes={field: value}).startswith(f"users[0].wishes.{field}: ")
    assert "not an object" in refused(wishes=5)


def test_other_people():
    found = reader()
    for number in range(4):
        found.read(person(number), f"users[{number}]")
    raw = person(9, blocked=["p2", "p1", "p2"], partners=["p3", "p0"], history={"p1": 3, "p0": 2.0})
    user = found.read(raw, "users[4]")
    found.finish()
    assert user.blocked == {"p1", "p2"}
    assert user.partners == ("p0", "p3")
    assert user.history == (("p0", 2.0), ("p1", 3.0))
    assert found.warnings == []


def test_a_list_of_partners_of_the_past_counts_each_once():
    user, _, _ = read(person(history=["b", "a", "b"]))
    assert user.history == (("a", 1.0), ("b", 2.0))


def test_unknown_people_are_one_warning_each_kind():
    found = reader()
    found.read(person(0, blocked=["x1", "x2", "x3", "x4", "p1"], partners=["x1"], history={"y": 1}), "users[0]")
    found.read(person(1, blocked=["x5"]), "users[1]")
    found.finish()
    assert found.warnings == [
        '5 unknown ids in blocked: "x1", "x2", "x3" and 2 more',
        '1 unknown id in partners: "x1"',
        '1 unknown id in history: "y"',
    ]


def test_who_is_not_active_is_no_unknown_person():
    found = reader()
    assert found.read(person(0, active=False), "users[0]") is None
    found.read(person(1, blocked=["p0"]), "users[1]")
    found.finish()
    assert found.warnings == []
    assert [(skipped.id, skipped.why) for skipped in found.skipped] == [("p0", "not active")]


@pytest.mark.parametrize("field", ["blocked", "partners", "history"])
def test_oneself_is_left_out(field):
    user, warning = warned(**{field: ["p0"]})
    assert user == good()
    assert f"one's own id stands in {field}" in warning
    if field == "history":
        assert warned(history={"p0": 2})[0] == good()


@pytest.mark.parametrize(
    ("field", "value", "where"),
    [
        ("blocked", "p1", "blocked"),
        ("blocked", {"p1": 1}, "blocked"),
        ("blocked", ["p1", 5], "blocked[1]"),
        ("blocked", [""], "blocked[0]"),
        ("partners", [None], "partners[0]"),
        ("partners", [["p1"]], "partners[0]"),
        ("partners", 0, "partners"),
        ("history", "p1", "history"),
        ("history", [5], "history[0]"),
        ("history", [["a"]], "history[0]"),
        ("history", {"p1": 0}, 'history["p1"]'),
        ("history", {"p1": -2}, 'history["p1"]'),
        ("history", {"p1": "2"}, 'history["p1"]'),
        ("history", {"p1": math.nan}, 'history["p1"]'),
        ("history", {"p1": True}, 'history["p1"]'),
        ("history", {" ": 1}, "history"),
        ("history", {"": 1}, "history"),
    ],
)
def test_other_people_that_are_none(field, value, where):
    assert refused(**{field: value}).startswith(f"users[0].{where}: ")


@pytest.mark.parametrize("value", ["false", 0, 1, "", [], math.nan])
def test_active_is_yes_or_no(value):
    assert "is not true or false" in refused(active=value)


def test_somebody_inactive_is_checked_all_the_same():
    assert "out of range" in refused(active=False, age=5)


def test_the_share_of_leading():
    assert good(lead_share=0.25).lead_share == 0.25
    assert good(leadShare=1).lead_share == 1.0
    assert refused(lead_share=1.5).startswith("users[0].lead_share: ")
    user, warning = warned(roles=["leader"], lead_share=0.5)
    assert user.lead_share is None
    assert "dances one role" in warning


def test_names_are_for_people_to_read():
    assert good(name=" Ana\u0301 ").name == "Aná"
    assert refused(name=5).startswith("users[0].name: ")
    assert "half of a character" in refused(name="\udfff")
    user, warning = warned(name="A\x1b[2Jna\u202e")
    assert user.name == "A [2Jna"
    assert "control characters" in warning


def test_an_unknown_field_is_one_warning_with_its_count():
    found = reader()
    for number in range(3):
        found.read(person(number, shoes=41, location={"zip": number}), f"users[{number}]")
    found.read(person(3, leaderlevel=3), "users[3]")
    found.read(person(4, Styles=["salon"]), "users[4]")
    assert found.warnings == [
        'unknown field "shoes" (3 times, first at users[0].shoes)',
        'unknown field "location.zip" (3 times, first at users[0].location.zip)',
        "unknown field \"leaderlevel\" (at users[3].leaderlevel; did you mean 'leader_level'?)",
        "unknown field \"Styles\" (at users[4].Styles; did you mean 'styles'?)",
    ]


def test_a_thousand_unknown_fields_stay_a_short_list():
    _, problems, warnings = read(person(**{f"f{number}\x1b": 1 for number in range(1000)}))
    assert problems == []
    assert len(warnings) == 41
    assert warnings[-1] == "and 960 more warnings of other kinds"
    assert all(line.isprintable() for line in warnings)


@pytest.mark.parametrize(
    ("one", "other", "field"),
    [
        ("leader_level", "leaderLevel", "leader_level"),
        ("lead_share", "leadShare", "lead_share"),
        ("age_pref", "agePref", "age_pref"),
        ("tz", "timezone", "tz"),
    ],
)
def test_a_field_given_both_ways_is_refused(one, other, field):
    value = {"leader_level": 5, "lead_share": 0.5, "age_pref": {"min": 20}, "tz": "UTC"}[field]
    assert refused(**{one: value, other: value}).startswith(
        f"users[0].{field}: is given twice: as {one} and as {other}"
    )


def test_reading_goes_on_and_counts_what_it_does_not_list():
    found = reader()
    for number in range(50):
        assert found.read(person(number, age=5, leader_level=99), f"users[{number}]") is None
    assert found.problem_count == 100
    assert len(found.problems) == 20
    paths = ["users[0].leader_level", "users[0].age", "users[1].leader_level"]
    assert [problem.path for problem in found.problems[:3]] == paths


def test_every_fault_of_one_person_is_told():
    bad = {"id": "", "roles": ["x"], "age": 5, "tz": "Mars", "styles": 5, "music": 5, "active": 5}
    _, problems, _ = read(bad)
    assert {line.split(":")[0] for line in problems} == {
        f"users[0].{field}" for field in ("id", "roles[0]", "age", "tz", "styles", "music", "active")
    }


def test_the_reader_itself_wants_a_real_zone_and_week():
    with pytest.raises(UsageError, match="no time zone"):
        reader(zone="Mars/Olympus")
    with pytest.raises(UsageError, match="too far away"):
        reader(week=dt.date(9999, 12, 31))
