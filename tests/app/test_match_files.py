"""A community from each kind of file, and what is said about files that are none."""

from __future__ import annotations

import datetime as dt
import gzip
import io
import json
import os
import subprocess
import sys

import msgspec
import pytest

from mrblue_cli.app.match_files import Loaded, Skipped, load
from mrblue_cli.app.match_people import written
from mrblue_cli.core.errors import InputFileError, UsageError
from mrblue_cli.matcher.generate import people
from mrblue_cli.matcher.model import Role

WEEK = dt.date(2026, 6, 4)
ANN = {"id": "ann", "roles": ["leader"], "leader_level": 7}
BOB = {"id": "bob", "roles": ["follower"], "follower_level": 6.5}


def write(tmp_path, content, name="users.json"):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def loaded(tmp_path, content, **options) -> Loaded:
    return load(write(tmp_path, content), week=WEEK, **options)


def ids(tmp_path, content, **options):
    return loaded(tmp_path, content, **options).community.ids


def refused(tmp_path, content, **options):
    """What is said, without the name of the file."""
    path = write(tmp_path, content)
    with pytest.raises(InputFileError) as caught:
        load(path, week=WEEK, **options)
    assert caught.value.what.startswith(str(path))
    assert caught.value.hint
    assert "\n" not in caught.value.hint
    return caught.value.what.removeprefix(str(path)).lstrip(": ")


def lines(*people):
    return "".join(json.dumps(person) + "\n" for person in people)


LIST = json.dumps([ANN, BOB])
LAYOUTS = {
    "list": LIST,
    "indented": json.dumps([ANN, BOB], indent=4),
    "users": json.dumps({"users": [ANN, BOB]}),
    "ndjson": lines(ANN, BOB),
    "ndjson with gaps": f"\n{json.dumps(ANN)}\r\n\r\n  {json.dumps(BOB)}",
    "csv": "id,roles,leader_level,follower_level\nann,leader,7,\nbob,follower,,6.5\n",
    "semicolons": "id;roles;leader_level;follower_level\r\nann;leader;7\r\nbob;follower;;6,5\r\n",
    "tabs": "id\troles\tleader_level\tfollower_level\nann\tleader\t7\t\nbob\tfollower\t\t6.5\n",
    "excel": 'sep=;\r\nID;Roles;Leader Level;followerLevel\r\n="ann";leader;7,0;\r\n="bob";follower;;"6,5"\r\n',
    "mac": "id,roles,leader_level,follower_level\rann,leader,7,\rbob,follower,,6.5\r",
}


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_says_the_same(tmp_path, layout, mark, packed):
    content = mark + LAYOUTS[layout].encode()
    found = loaded(tmp_path, gzip.compress(content) if packed else content)
    assert found.community.ids == ["ann", "bob"]
    ann, bob = (found.community.user(row) for row in (0, 1))
    assert (ann.roles, ann.leader_level) == (Role.LEADER, 7.0)
    assert (bob.roles, bob.follower_level) == (Role.FOLLOWER, 6.5)
    assert found.warnings == ()
    assert found.skipped == ()
    assert found.week == dt.date(2026, 6, 1)


def test_standard_input():
    assert load(None, week=WEEK, stdin=io.BytesIO(LIST.encode())).community.ids == ["ann", "bob"]
    assert load(None, week=WEEK, stdin=io.BytesIO(gzip.compress(LIST.encode()))).community.ids == ["ann", "bob"]
    with pytest.raises(InputFileError, match="standard input is empty"):
        load(None, week=WEEK, stdin=io.BytesIO())
    with pytest.raises(InputFileError, match=r"standard input: users\[0\].roles: is missing"):
        load(None, week=WEEK, stdin=io.BytesIO(b'[{"id": "a"}]'))


def test_standard_input_of_the_process(tmp_path):
    script = (
        "import datetime; from mrblue_cli.app.match_files import load;"
        "print(load(None, week=datetime.date(2026, 6, 1)).community.ids)"
    )
    done = subprocess.run([sys.executable, "-c", script], input=LIST, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['ann', 'bob']"


def test_a_machine_without_time_zones_says_so():
    # PYTHONTZPATH replaces the folders in which the standard library looks.
    script = (
        "import sys; sys.modules['tzdata'] = None\n"
        "from mrblue_cli.app.match_files import zone_named\n"
        "print(zone_named('UTC'))\n"
        "try: zone_named('Europe/Berlin')\n"
        "except Exception as error: print(type(error).__name__, error.hint)"
    )
    env = os.environ | {"PYTHONTZPATH": ""}
    done = subprocess.run([sys.executable, "-c", script], env=env, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["UTC", "MissingPart pip install tzdata"]


@pytest.mark.parametrize("content", ["[]", '{"users": []}', " [ ] ", "id,roles\n", '{"users":[]}\n\n'])
def test_nobody_is_a_community_too(tmp_path, content):
    assert ids(tmp_path, content) == []


@pytest.mark.parametrize("indent", [None, 2])
def test_one_person_alone_is_a_community(tmp_path, indent):
    assert ids(tmp_path, json.dumps(ANN, indent=indent)) == ["ann"]


def test_who_takes_no_part_is_told(tmp_path):
    found = loaded(tmp_path, json.dumps([ANN | {"active": False}, BOB]))
    assert found.community.ids == ["bob"]
    assert found.skipped == (Skipped("ann", "not active"),)


def test_names_around_the_people_are_warned_about(tmp_path):
    found = loaded(tmp_path, json.dumps({"version": 3, "users": [ANN], "at": {}}))
    assert found.warnings == ('top-level name "version" is not read', 'top-level name "at" is not read')


def test_the_zone_is_that_of_who_names_none(tmp_path):
    free = [{"day": "mon", "start": "19:00", "end": "20:00"}]
    content = json.dumps([ANN | {"availability": free}, BOB | {"availability": free, "tz": "Asia/Tokyo"}])
    found = loaded(tmp_path, content, zone="Europe/Berlin").community
    assert found.user(0).hours == ((17 * 60, 18 * 60),)
    assert found.user(1).hours == ((10 * 60, 11 * 60),)
    with pytest.raises(UsageError, match="no time zone named"):
        loaded(tmp_path, content, zone="Europe/Atlantis")


@pytest.mark.parametrize("zone", ["America", "../etc/passwd", "/etc/passwd", "a\0b", "x" * 5000, "", "\udcff"])
def test_no_name_of_a_zone_leads_astray(tmp_path, zone):
    assert "users[0].tz" in refused(tmp_path, json.dumps([ANN | {"tz": zone}]))


def test_paths_are_the_same_in_both_layouts(tmp_path):
    bad = BOB | {"follower_level": 11}
    for content in (json.dumps([ANN, bad]), json.dumps({"users": [ANN, bad]})):
        assert refused(tmp_path, content).startswith("users[1].follower_level: 11 is out of range")


def test_lines_are_named_where_a_person_has_one(tmp_path):
    bad = BOB | {"follower_level": 11}
    assert refused(tmp_path, f"\n{lines(ANN, bad)}").startswith("users[1].follower_level (line 3): 11 ")
    table = 'id,roles,follower_level,note\nann,leader,,\n\n"b\nob",follower,3,\nc,follower,11,x\n'
    found = refused(tmp_path, table)
    assert "users[1].id (line 4): " in found
    assert "users[2].follower_level (line 6): 11 is out of range" in found


@pytest.mark.parametrize("word", ["NaN", "Infinity", "-Infinity", "1e999", "1" + "0" * 400, "1" + "0" * 6000])
def test_numbers_that_are_none_name_their_field(tmp_path, word):
    text = json.dumps([ANN, BOB]).replace("6.5", word)
    assert refused(tmp_path, text).startswith("users[1].follower_level: ")
    text = lines(ANN, BOB).replace("6.5", word)
    assert refused(tmp_path, text).startswith("users[1].follower_level (line 2): ")


@pytest.mark.parametrize("content", ['[{"id": "a", "roles": ["both"], "other": NaN}]', '{"id":"a","roles":[],"x":NaN}'])
def test_nan_where_nobody_reads_is_no_json_either(tmp_path, content):
    assert "users[0]" in refused(tmp_path, content)


@pytest.mark.parametrize(
    ("content", "path"),
    [
        ('[{"id": "a", "roles": ["both"], "id": "b"}]', "users[0].id"),
        ('[{"id" : "a", "roles": ["both"], "id": "b"}]', "users[0].id"),
        ('{"users": [{"id": "a", "roles": ["both"], "location": {"lat": 1, "lat": 2, "lon": 3}}]}',
         "users[0].location.lat"),
        ('[{"id":"a","roles":["both"],"music":{"x":1,"x":2}}]', "users[0].music.x"),
        ('[{"id":"a","roles":["both"],"availability":[{"day":"mon","day":"tue","start":"1:00","end":"2:00"}]}]',
         "users[0].availability[0].day"),
    ],
)  # fmt: skip
def test_keys_that_stand_twice(tmp_path, content, path):
    assert refused(tmp_path, content).startswith(f"{path}: stands twice")
    assert refused(tmp_path, lines(ANN) + '{"id":"z","roles":[],"id":"y"}\n').count("line 2") == 2


def test_what_only_looks_like_a_key_that_stands_twice(tmp_path):
    tricky = ANN | {"name": 'say "id": twice', "city\\": 1, "styles": ['\\":', ' :":', "a\\"]}
    found = loaded(tmp_path, json.dumps([tricky]))
    assert found.community.user(0).name == 'say "id": twice'


def test_the_careful_way_reads_as_the_quick_one(tmp_path):
    # Half a character in a field that nobody reads sends the whole document the careful way.
    careful = json.dumps({"users": [ANN | {"note": "?"}, BOB], "at": 1}).replace("?", "\\ud800")
    found = loaded(tmp_path, careful)
    assert found.community.ids == ["ann", "bob"]
    assert found.warnings == (
        'unknown field "note" (at users[0].note)',
        'top-level name "at" is not read',
    )


def test_names_that_stand_twice_around_the_people(tmp_path):
    text = '{"users": [], "a": 1, "a": 2}'
    assert "the name a stands twice" in refused(tmp_path, text)
    text = f'{{"users": {LIST}, "users": []}}'
    assert "the name users stands twice" in refused(tmp_path, text)


@pytest.mark.parametrize(
    ("content", "line", "column", "words"),
    [
        ('[{"id": "a", "roles": ["both"]},\n {"id" "b"}]', 2, 8, "a colon is missing"),
        ("[\n1,\n\n  x]", 4, 3, "no value; texts stand in double quotes"),
        (f"{LIST[:-1]},]", 1, len(LIST) + 1, "a comma too many before ]"),
        (f"{LIST[:-2]},}}]", 1, len(LIST), "a comma too many before }"),
        ("[\n// people\n{}]", 2, 1, "comments have no place"),
        ("[{'id': 1}]", 1, 3, "a name in double quotes is missing"),
        ('[{"id":', 1, 8, "ends too early"),
        ('[{"id": "a', 1, 9, "quotes that open here are never closed"),
        ('[{"id": "a" "roles": []}]', 1, 13, "a comma is missing"),
        (r'[{"id": "\q"}]', 1, 10, "backslash"),
        (f"{LIST} x", 1, len(LIST) + 2, "more text"),
        (LIST[:-1], 1, len(LIST), "comma or ]"),
        ('{"users": [],\n "é": 1,}', 2, 9, "name in quotes"),
        ('{"users"\n: {}}', 2, 3, "not a list"),
        ('{"a": 1}', 1, 1, "no people"),
        ("{}", 1, 1, "no people"),
        ('["é", {"id": "\x01"}]', 1, 15, "control character"),
        ("[01]", 1, 3, "comma or ]"),
        ("[" * 200_000, 1, 2, "too deeply"),
        ('[{"id":' + "[" * 5000, 1, 2, "too deeply"),
        ('{"users":' * 5000, 1, 10, ""),
        ("hello\nworld", 1, 1, 'no column "id"'),
        ('"id"', 1, 1, ""),
        ("name,roles\nann,leader\n", 1, 1, 'no column "id"'),
        ("id,id\n", 1, 1, "column id stands twice"),
        ("id,leader_level,leaderLevel\n", 1, 1, "column leader_level stands twice"),
        ('id,roles\nann,leader\n"bob,leader\n', 3, 1, "cannot be read"),
        ('id,roles\n"a"b,leader\n', 2, 1, "cannot be read"),
        ("id,roles\n" + "x" * 200_000, 2, 1, "field larger"),
    ],
)  # fmt: skip
def test_a_document_that_breaks_names_the_place(tmp_path, content, line, column, words):
    if content == '"id"':
        assert ids(tmp_path, content) == []
        return
    found = refused(tmp_path, content)
    assert f"line {line}, column {column}: " in found
    assert words in found


def test_what_stands_in_front_of_the_break_is_checked_too(tmp_path):
    found = refused(tmp_path, '[{"id": "a", "roles": []},\n {"id": }]')
    assert "users[0].roles: is empty" in found
    assert "line 2, column 9" in found


def test_a_broken_line_is_one_of_many(tmp_path):
    found = refused(tmp_path, lines(ANN) + '{"id": }\n' + lines(BOB | {"age": 5}) + "[\n")
    assert "users[1] (line 2): is not valid JSON" in found
    assert "users[2].age (line 3)" in found
    assert "users[3] (line 4): is not valid JSON" in found


def test_at_most_twenty_problems_are_told(tmp_path):
    found = refused(tmp_path, json.dumps([{"id": f"a{number}"} for number in range(500)]))
    assert found.startswith("500 things are wrong\n")
    assert found.count("\n") == 21
    assert found.endswith("\n  and 480 more")


def test_half_a_character_is_refused_where_it_stands(tmp_path):
    assert refused(tmp_path, '[{"id": "\\ud800", "roles": ["both"]}]').startswith("users[0].id: ")
    assert ids(tmp_path, '[{"id": "a", "roles": ["both"], "unread": "\\ud800"}]') == ["a"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b" \n\t\n", "is empty"),
        (b"\xef\xbb\xbf", "is empty"),
        (gzip.compress(b""), "is empty"),
        ("[]".encode("utf-16"), "is UTF-16"),
        ('[{"id"'.encode("utf-16-le"), "is UTF-16"),
        ('[{"id"'.encode("utf-16-be"), "is UTF-16"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "is not text"),
        (b"PK\x03\x04\x14\0\x06\0xl/workbook", "workbook"),
        (b'[{"id": "\xff"}]', "line 1, column 10: not UTF-8"),
        (b'["a", \n{"id": "\xe9t\xe9"}]', "line 2, column 9: not UTF-8"),
        (b"id,roles\njos\xe9,leader\n", "line 2, column 4: not UTF-8 text; in a spreadsheet choose: CSV UTF-8"),
        (b'{"id":"a","roles":[]}\n{"id":"\xff"}', "users[1] (line 2): is not valid JSON: not UTF-8"),
        (gzip.compress(LIST.encode())[:-9], "damaged gzip"),
        (b"\x1f\x8b\x08rubbish", "damaged gzip"),
        (gzip.compress(LIST.encode()) + b"tail", "damaged gzip"),
        (gzip.compress(gzip.compress(LIST.encode())), "packed twice"),
    ],
)
def test_files_that_are_no_text(tmp_path, content, words):
    assert words in refused(tmp_path, content)


def test_gzip_in_several_parts_is_one_document(tmp_path):
    half = len(LIST) // 2
    content = gzip.compress(LIST[:half].encode()) + gzip.compress(LIST[half:].encode()) + b"\0" * 512
    assert ids(tmp_path, content) == ["ann", "bob"]


def test_a_file_that_unpacks_without_end_ends(tmp_path):
    bomb = gzip.compress(b"[" + b" " * 50_000_000)
    assert len(bomb) < 100_000
    assert "holds more than 2000000 bytes of text" in refused(tmp_path, bomb, most_bytes=2_000_000)
    assert "holds more than 100 bytes" in refused(tmp_path, b"[" + b" " * 101, most_bytes=100)


def test_files_that_cannot_be_opened(tmp_path):
    with pytest.raises(InputFileError, match="there is no file"):
        load(tmp_path / "nothing.json", week=WEEK)
    with pytest.raises(InputFileError, match="is a directory"):
        load(tmp_path, week=WEEK)
    with pytest.raises(InputFileError, match="cannot be read"):
        load(tmp_path / "a\0b", week=WEEK)
    with pytest.raises(InputFileError, match=r"no file|cannot be read"):
        load(write(tmp_path, LIST) / "below", week=WEEK)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="the superuser reads everything")
def test_a_file_that_may_not_be_read(tmp_path):
    path = write(tmp_path, LIST)
    path.chmod(0)
    with pytest.raises(InputFileError, match="cannot be read"):
        load(path, week=WEEK)


def test_every_column_of_a_table(tmp_path):
    header = (
        "id,name,roles,leader_level,follower_level,lat,lon,city,country,region,styles,music,availability,tz,age,age_min,"
        "age_max,max_km,level_min,level_max,blocked,partners,history,active,lead_share"
    )
    row = (
        "ann,Ann B.,leader|follower,7,6.5,52.5,13.4,Berlin,de,Berlin,Salon|vals|,pugliese:2|Troilo,"
        "mon 19:00-22:00|thu 20:00-23:30,UTC,30,25,40,10,3,8,bob|cleo,bob,bob:3|cleo,TRUE,0.25"
    )
    rest = "bob,,both" + "," * 22 + "\ncleo,,follower" + "," * 20 + ",no,\n"
    found = loaded(tmp_path, f"{header}\n{row}\n{rest}")
    assert found.warnings == ()
    assert found.skipped == (Skipped("cleo", "not active"),)
    nested = {
        "id": "ann",
        "name": "Ann B.",
        "roles": ["leader", "follower"],
        "leader_level": 7,
        "follower_level": 6.5,
        "location": {"lat": 52.5, "lon": 13.4, "city": "Berlin", "country": "DE", "region": "Berlin"},
        "styles": ["salon", "vals"],
        "music": {"pugliese": 2, "troilo": 1},
        "availability": ["mon 19:00-22:00", "thu 20:00-23:30"],
        "age": 30,
        "age_pref": {"min": 25, "max": 40},
        "wishes": {"max_km": 10, "level_min": 3, "level_max": 8},
        "blocked": ["bob", "cleo"],
        "partners": ["bob"],
        "history": {"bob": 3, "cleo": 1},
        "lead_share": 0.25,
    }
    others = [{"id": "bob", "roles": ["both"]}, {"id": "cleo", "roles": ["follower"], "active": False}]
    same = loaded(tmp_path, json.dumps([nested, *others]))
    assert found.community.user(0) == same.community.user(0)
    assert found.community.user(1) == same.community.user(1)


def test_columns_that_nobody_reads_are_warned_about(tmp_path):
    found = loaded(tmp_path, "id,roles,phone,,shoe size\nann,leader,1,,2\nbob,leader,3,,4\n")
    assert found.warnings == ('column "phone" is not read', 'column "shoe size" is not read')


@pytest.mark.parametrize(
    ("row", "path", "words"),
    [
        ("ann,leader,seven,", "users[0].leader_level (line 2)", "text where a number is wanted"),
        ("ann,leader,nan,", "users[0].leader_level (line 2)", "NaN is not a finite number"),
        ("ann,leader,inf,", "users[0].leader_level (line 2)", "Infinity"),
        ("ann,leader,1e999,", "users[0].leader_level (line 2)", "Infinity"),
        ("ann,leader,1_0,", "users[0].leader_level (line 2)", "text where"),
        ("ann,leader,٧,", "users[0].leader_level (line 2)", "text where"),
        ('ann,leader,"1,234.5",', "users[0].leader_level (line 2)", "text where"),
        (f"ann,leader,{'9' * 3000},", "users[0].leader_level (line 2)", "text where"),
        ("ann,,7,", "users[0].roles (line 2)", "is missing"),
        (",leader,7,", "users[0].id (line 2)", "is missing"),
        ("ann,leader;follower,7,", "users[0].roles[0] (line 2)", "is not a role"),
        ("ann,  ,7,", "users[0].roles (line 2)", "is missing"),
        ("ann,leader,7,maybe", "users[0].active (line 2)", "is not true or false"),
        ("ann,leader,7,,,x", "users[0] (line 2)", "has 6 cells where the header has 4"),
    ],
)
def test_cells_that_are_none(tmp_path, row, path, words):
    found = refused(tmp_path, f"id,roles,leader_level,active\n{row}\n")
    assert found.startswith(f"{path}: ")
    assert words in found


def test_a_thousand_made_up_people_in_each_layout(tmp_path):
    every = list(people(1000, 11))
    packed = gzip.compress(msgspec.json.encode({"users": every}))
    one = loaded(tmp_path, json.dumps(every)).community
    two = loaded(tmp_path, lines(*every)).community
    three = loaded(tmp_path, packed).community
    assert one.ids == two.ids == three.ids
    assert [one.user(row) for row in range(len(one))] == [two.user(row) for row in range(len(two))]
    assert one.user(500) == three.user(500)


def test_made_up_people_survive_a_table(tmp_path):
    every = list(people(500, 4))
    same = loaded(tmp_path, json.dumps(every))
    found = loaded(tmp_path, "".join(written(every, "csv")))
    assert found.warnings == same.warnings
    assert found.skipped == same.skipped
    one, two = found.community, same.community
    assert [one.user(row) for row in range(len(one))] == [two.user(row) for row in range(len(two))]


def test_the_order_of_a_file_does_not_matter(tmp_path):
    every = list(people(200, 2))
    one = loaded(tmp_path, json.dumps(every)).community
    two = loaded(tmp_path, json.dumps(every[::-1])).community
    assert [one.user(row) for row in range(len(one))] == [two.user(row) for row in range(len(two))]


def test_an_error_quotes_no_control_characters(tmp_path):
    found = refused(tmp_path, json.dumps([{"id": "\x1b[2J\n", "roles": ["\x07"], "\x1b": 1, "music": {"\x1b": 0}}]))
    assert all(line.isprintable() for line in found.splitlines())
