"""The commands around `mrblue match`, long searches, and people written out again."""

from __future__ import annotations

import csv
import gzip
import json

import pytest

from mrblue_cli.app.match_files import load
from mrblue_cli.app.match_people import LAYOUTS, written
from mrblue_cli.matcher import registry
from mrblue_cli.matcher.generate import people
from tests.cli.test_commands import complaint
from tests.matches import PEOPLE, WEEK, file_of, person


def test_the_catalogue_names_sources_and_counts_itself(match):
    done = match("algorithms")
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    entries = registry.catalogue()
    assert lines[-1] == f"{len(entries)} algorithms"
    for entry, line in zip(entries, lines, strict=False):
        assert line.startswith(f"{entry.name} ")
        assert entry.words in line
        assert entry.source in line
    assert "a symmetric word" not in done.stdout


def test_one_family_one_entry_and_json(match):
    family = match("algorithms", "level").stdout.splitlines()
    assert all(line.startswith("level.") for line in family[:-2])
    only = match("algorithms", "time.enough").stdout
    assert "min(1, common minutes / session minutes)" in only
    assert "session_minutes = 120" in only
    assert only.endswith("1 algorithm\n")
    document = json.loads(match("algorithms", "two", "--json").stdout)
    assert document["count"] == len(document["algorithms"]) == len(registry.family("two"))
    assert {"name", "words", "formula", "source"} <= set(document["algorithms"][0])


def test_marks_tell_what_an_entry_needs(match):
    for line in match("algorithms", "hist").stdout.splitlines()[:-2]:
        assert "needs history" in line


def test_an_unknown_family(match):
    assert "'levels'" in complaint(match("algorithms", "levels"), 2)


def test_the_schema_is_json(match):
    document = json.loads(match("schema").stdout)
    assert document["$schema"].startswith("https://json-schema.org/")


def test_people_are_invented_again_alike(match, tmp_path):
    one, other = match("generate", "--users", 20, "--seed", 3).stdout, match("generate", "--users", 20, "--seed", 3)
    assert one == other.stdout
    assert one != match("generate", "--users", 20, "--seed", 4).stdout
    target = tmp_path / "made.json"
    done = match("generate", "--users", 20, "--seed", 3, "--out", target)
    assert (done.returncode, done.stdout) == (0, "")
    assert target.read_text(encoding="utf-8") == one
    assert "The best pairs" in match(target).stdout
    again = match("generate", "--users", 5, "--out", target)
    assert "holds people" in complaint(again, 2)
    assert target.read_text(encoding="utf-8") == one


@pytest.mark.parametrize("layout", LAYOUTS)
def test_each_layout_is_read_back_as_the_same_people(tmp_path, layout):
    made = list(people(60, 5))
    path = tmp_path / "made"
    path.write_text("".join(written(iter(made), layout)), encoding="utf-8")
    plain = tmp_path / "plain.json"
    plain.write_text(json.dumps(made), encoding="utf-8")
    one, other = load(path, week=WEEK), load(plain, week=WEEK)
    assert one.community.ids == other.community.ids
    assert len(one.community) > 50
    for row in range(len(one.community)):
        assert one.community.user(row) == other.community.user(row)
    assert [skipped.id for skipped in one.skipped] == [skipped.id for skipped in other.skipped]


def test_a_written_table_holds_every_field(tmp_path):
    full = person(
        "a", ["leader", "follower"], name='Ann, "A"', leader_level=5.5, location={"lat": 1.5, "lon": 2, "city": "C",
        "country": "DE", "region": "R"}, styles=["x", "y"], music={"troilo": 2, "biagi": 1.5}, tz="Europe/Berlin",
        availability=[{"day": "mon", "start": "19:00", "end": "22:00"}], age=30, age_pref={"min": 20},
        wishes={"max_km": 12.5, "level_min": 2}, blocked=["b"], partners=["c"], history={"c": 3}, active=False,
        lead_share=0.25,
    )  # fmt: skip
    [row] = csv.DictReader("".join(written([full], "csv")).splitlines())
    assert row["name"] == 'Ann, "A"'
    assert row["music"] == "troilo:2|biagi:1.5"
    assert row["availability"] == "mon 19:00-22:00"
    assert (row["roles"], row["age_min"], row["age_max"]) == ("leader|follower", "20", "")
    assert (row["max_km"], row["history"], row["active"], row["lead_share"]) == ("12.5", "c:3", "false", "0.25")
    assert "".join(written([], "json")) == "[\n\n]\n"
    assert "".join(written([], "ndjson")) == ""


def test_generate_refuses_what_it_cannot_do(match, tmp_path):
    assert "--format: there is no 'xml'" in complaint(match("generate", "--users", 3, "--format", "xml"), 2)
    assert "there is no folder" in complaint(match("generate", "--users", 3, "--out", tmp_path / "no" / "f"), 2)
    assert match("generate").returncode == 2
    assert match("generate", "--users", -1).returncode == 2
    assert match("generate", "--users", 0, "--format", "ndjson").stdout == ""


def test_packed_files_are_read(match, tmp_path):
    path = tmp_path / "users.json.gz"
    path.write_bytes(gzip.compress(json.dumps(PEOPLE).encode()))
    assert match(path, "--json").stdout == match(file_of(tmp_path), "--json").stdout
