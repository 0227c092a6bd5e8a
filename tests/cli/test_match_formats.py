"""JSON, CSV and pages of `mrblue match`, and the files they go to."""

from __future__ import annotations

import csv
import gzip
import json
import os
import stat
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.matches import PEOPLE, USERS, file_of, person

PAIR = ["a", "b", "overall", "label", "feasible", "leads", "low", "high", "coverage", "breakdown"]
TERM = ["score", "weight", "points", "known", "why"]
SLOTS = ["role", "level", "location", "style", "schedule", "music", "age"]


@pytest.fixture
def users(tmp_path):
    return file_of(tmp_path)


@pytest.fixture
def as_json(match, users):
    def call(*options, path=users):
        done = match(path, *options, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return call


def check_pair(pair):
    """One PAIR of the design."""
    assert list(pair)[: len(PAIR)] == PAIR
    assert list(pair["breakdown"])[: len(SLOTS)] == SLOTS
    for term in pair["breakdown"].values():
        assert list(term)[: len(TERM)] == TERM
        assert term["known"] is (term["score"] is not None)
        assert term["why"]
        for number in (term["score"], term["weight"], term["points"]):
            assert number is None or round(number, 2) == number
    for name in ("overall", "low", "high", "coverage"):
        assert round(pair[name], 2) == pair[name]
    assert pair["low"] <= pair["overall"] <= pair["high"]
    assert sum(term["points"] for term in pair["breakdown"].values()) == pytest.approx(pair["overall"], abs=0.06)
    assert pair["leads"] in {"a", "b", "either", None}
    assert pair["feasible"] or pair["leads"] is None or pair["barred"]


def head(document):
    assert list(document)[:3] == ["users", "skipped", "warnings"]
    assert document["users"] == USERS
    assert [skipped["id"] for skipped in document["skipped"]] == ["zoe"]
    assert all(list(skipped) == ["id", "why"] for skipped in document["skipped"])


def test_the_default_document(as_json):
    document = as_json()
    head(document)
    assert list(document)[3:] == ["pairs"]
    for pair in document["pairs"]:
        check_pair(pair)
        assert pair["a"] < pair["b"]
        assert pair["feasible"]
    scores = [pair["overall"] for pair in document["pairs"]]
    assert scores == sorted(scores, reverse=True)
    seen = [(pair["a"], pair["b"]) for pair in document["pairs"]]
    assert len(seen) == len(set(seen))
    assert ("dan", "leo") not in seen


def test_top_is_the_length_of_the_lists_that_the_pairs_come_from(as_json, match, users):
    fewer, all_of_them = as_json("--top", "1")["pairs"], as_json("--top", "7")["pairs"]
    assert len(fewer) < len(all_of_them)
    assert fewer[0] == all_of_them[0]
    assert all(pair in all_of_them for pair in fewer)
    assert len(table(match(users, "--top", "1", "--csv").stdout)) == len(fewer)


def test_one_person(as_json):
    document = as_json("--for", "leo", "--top", "2")
    head(document)
    assert list(document)[3:] == ["for", "matches"]
    assert document["for"] == "leo"
    assert [pair["a"] for pair in document["matches"]] == ["leo", "leo"]
    for pair in document["matches"]:
        check_pair(pair)


def test_everybody(as_json):
    document = as_json("--all", "--top", "3")
    head(document)
    assert list(document["matches"]) == sorted(one["id"] for one in PEOPLE if one["id"] != "zoe")
    for identity, pairs in document["matches"].items():
        assert len(pairs) <= 3
        for pair in pairs:
            check_pair(pair)
            assert pair["a"] == identity
    alone = as_json("--for", "leo", "--top", "3")
    assert document["matches"]["leo"] == alone["matches"]


def test_two_people_explained(as_json):
    document = as_json("--explain", "leo", "ben")
    head(document)
    pair = document["pair"]
    check_pair(pair)
    assert (pair["a"], pair["b"], pair["feasible"], pair["leads"]) == ("ben", "leo", False, None)
    assert as_json("--explain", "ben", "leo") == document
    barred = as_json("--explain", "dan", "leo")["pair"]
    assert (barred["feasible"], barred["leads"]) == (False, "b")
    assert "asked not to be paired" in barred["barred"]
    views = as_json("--explain", "eva", "leo", "--weight", "wishes=0.5")["pair"]["breakdown"]["wishes"]["views"]
    assert views == {"a": 0.0, "b": None}


def test_nobody_is_an_empty_document(match, tmp_path):
    path = file_of(tmp_path, [PEOPLE[-1]])
    for options, more in (
        ([], {"pairs": []}),
        (["--all"], {"matches": {}}),
        (["--rotate", "2"], {"tandas": []}),
    ):
        document = json.loads(match(path, *options, "--json").stdout)
        assert document.items() >= {"users": 0, "warnings": [], **more}.items()
    document = json.loads(match(path, "--pair", "total", "--json").stdout)
    assert document.items() >= {"pairs": [], "total": 0, "mean": None, "worst": None, "sits_out": []}.items()


def test_a_pairing(as_json):
    document = as_json("--pair", "total", "--balance")
    head(document)
    assert document["method"] == "pair.total"
    scores = [pair["overall"] for pair in document["pairs"]]
    for pair in document["pairs"]:
        check_pair(pair)
        assert pair["leads"] in {"a", "b"}
    assert document["total"] == pytest.approx(sum(scores), abs=0.05)
    assert document["mean"] == pytest.approx(sum(scores) / len(scores), abs=0.05)
    assert document["worst"] == min(scores)
    dancing = {identity for pair in document["pairs"] for identity in (pair["a"], pair["b"])}
    assert len(dancing) == 2 * len(scores)
    assert dancing.isdisjoint(document["sits_out"])
    assert len(dancing) + len(document["sits_out"]) == USERS


def test_a_rotation(as_json):
    document = as_json("--rotate", "3", "--balance")
    head(document)
    assert 1 <= len(document["tandas"]) <= 3
    total = sum(pair["overall"] for tanda in document["tandas"] for pair in tanda["pairs"])
    assert document["total"] == pytest.approx(total, abs=0.1)
    seen = []
    for tanda in document["tandas"]:
        for pair in tanda["pairs"]:
            check_pair(pair)
            assert pair["leads"] in {"a", "b"}
            seen.append((pair["a"], pair["b"]))
        there = [identity for pair in tanda["pairs"] for identity in (pair["a"], pair["b"])] + tanda["sits_out"]
        assert len(there) == len(set(there)) == USERS
    assert len(seen) == len(set(seen))


def test_roles(as_json):
    document = as_json("--balance")
    head(document)
    assert document["chosen"] == ["cleo", "dan"]
    assert document["roles"]["ana"] == "follower"
    assert set(document["roles"].values()) == {"leader", "follower"}
    assert document["leaders"] + document["followers"] == USERS


def table(text):
    return list(csv.DictReader(text.splitlines()))


def test_csv_has_the_numbers_of_the_json(match, users, as_json):
    rows = table(match(users, "--all", "--csv").stdout)
    document = as_json("--all")["matches"]
    flat = [pair for pairs in document.values() for pair in pairs]
    assert len(rows) == len(flat)
    for row, pair in zip(rows, flat, strict=True):
        for name in ("overall", "low", "high", "coverage"):
            assert float(row[name]) == pair[name]
        assert row["label"] == pair["label"]
        assert row["leads"] == pair["leads"]
        for slot in SLOTS:
            score = pair["breakdown"][slot]["score"]
            assert row[slot] == ("" if score is None else f"{score:.2f}")
    leo = [row for row in rows if row["a"] == "leo"]
    assert [row["rank"] for row in leo] == [str(n) for n in range(1, len(leo) + 1)]


def test_csv_of_each_mode(match, users):
    assert list(table(match(users, "--csv").stdout)[0])[:5] == ["rank", "a", "a_name", "b", "b_name"]
    assert [row["a"] for row in table(match(users, "--for", "leo", "--top", "1", "--csv").stdout)] == ["leo"]
    [row] = table(match(users, "--explain", "leo", "ben", "--csv").stdout)
    assert (row["a"], row["b"], row["feasible"]) == ("ben", "leo", "no")
    pairs = table(match(users, "--pair", "total", "--balance", "--csv").stdout)
    assert sum(2 - (row["label"] == "sits out") for row in pairs) == USERS
    tandas = table(match(users, "--rotate", "2", "--balance", "--csv").stdout)
    assert {row["tanda"] for row in tandas} == {"1", "2"}
    roles = table(match(users, "--balance", "--csv").stdout)
    assert {row["id"]: row["chosen"] for row in roles}["cleo"] == "yes"


def test_a_spreadsheet_runs_nothing(match, users):
    text = match(users, "--all", "--csv").stdout
    rows = list(csv.reader(text.splitlines()))
    cells = [cell for row in rows for cell in row]
    assert "'=1+1" in cells
    assert "'@SUM(A1)" in cells
    assert not [cell for cell in cells if cell[:1] in {"=", "@", "+"}]


class Page(HTMLParser):
    """Whether every element is closed, and what a browser would load or run."""

    VOID = ("meta", "br", "link", "img", "input", "hr")

    def __init__(self, text):
        super().__init__()
        self.open, self.seen, self.words = [], [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)

    @property
    def text(self):
        return " ".join("".join(self.words).split())


MODES = [
    [], ["--all"], ["--for", "mia"], ["--explain", "mia", "ben"], ["--pair", "total", "--balance"],
    ["--rotate", "3", "--balance"], ["--balance"],
]  # fmt: skip


@pytest.mark.parametrize("mode", MODES, ids=str)
def test_a_page_is_whole_safe_and_says_what_it_is_not(match, users, mode):
    done = match(users, *mode, "--html")
    assert done.returncode == 0, done.stderr
    page = Page(done.stdout)
    assert done.stdout.startswith("<!DOCTYPE html>")
    tags = {tag for tag, _ in page.seen}
    assert not tags & {"script", "link", "img", "iframe", "object", "form", "base", "a"}
    assert not [
        (tag, name) for tag, attrs in page.seen for name in attrs if name.startswith("on") or name in {"src", "href"}
    ]
    assert "url(" not in done.stdout
    assert "@import" not in done.stdout
    assert "http" not in done.stdout.replace("http-equiv", "")
    assert "default-src 'none'" in done.stdout
    body = done.stdout[done.stdout.index("<body>") :]
    assert body.index("not chemistry") < body.index("people · ")
    assert "left out: zoe" in page.text
    if mode != ["--balance"]:
        assert "<script>alert('x')</script>" in page.text
    assert "<script" not in done.stdout


def test_the_heat_map_holds_numbers_and_not_only_colours(match, users):
    page = Page(match(users, "--html").stdout)
    cells = [attrs["title"] for tag, attrs in page.seen if tag == "td" and "title" in attrs]
    assert "Leo + Ana: " in " ".join(cells)
    assert not [cell for cell in cells if cell.startswith("Leo + Dan")]  # blocked
    assert not [cell for cell in cells if cell.startswith("Dan + Dan")]
    assert all(attrs.get("scope") in {"col", "row"} for tag, attrs in page.seen if tag == "th")


def test_a_heat_map_of_many_is_cut_to_the_best(match, tmp_path):
    crowd = [
        person(f"p{n:03}", ["leader" if n % 2 else "follower"], leader_level=1 + n % 9 if n % 2 else None,
               follower_level=None if n % 2 else 1 + n % 9)
        for n in range(140)
    ]  # fmt: skip
    page = Page(match(file_of(tmp_path, crowd), "--html", "--top", "1").stdout)
    assert "the 60 leaders and 60 followers with the best pairs" in page.text
    assert len([tag for tag, attrs in page.seen if tag == "td" and "title" in attrs]) == 3600


def before_the_heat(page):
    heat = next(at for at, (tag, attrs) in enumerate(page.seen) if "heat" in attrs.get("class", ""))
    return page.seen[:heat]


def test_a_rotation_has_a_sheet_for_each_tanda_and_each_dancer(match, users):
    page = Page(match(users, "--rotate", "2", "--balance", "--html").stdout)
    assert "Everybody with everybody" in page.text
    assert "Tanda 1" in page.text
    assert "Tanda 2" in page.text
    assert "For each dancer" in page.text
    rows = [attrs for tag, attrs in before_the_heat(page) if tag == "th" and attrs.get("scope") == "row"]
    assert len(rows) == USERS


def test_a_long_evening_is_never_wider_than_the_paper(match, tmp_path):
    crowd = [person(f"p{n:02}", ["leader" if n % 2 else "follower"]) for n in range(40)]
    page = Page(match(file_of(tmp_path, crowd), "--rotate", "17", "--html").stdout)
    rows = [attrs for tag, attrs in before_the_heat(page) if tag == "th" and attrs.get("scope") == "row"]
    assert len(rows) == 3 * 40
    tandas = [attrs for tag, attrs in before_the_heat(page) if tag == "th" and attrs.get("scope") == "col"]
    assert len(tandas) == 17 + 2 * 17
    assert "17 tandas by rot.exact" in page.text


def test_a_rotation_of_leaders_says_why_it_is_empty(match, tmp_path):
    page = Page(match(file_of(tmp_path, [person("a", ["leader"])]), "--rotate", "2", "--html").stdout)
    assert "One person alone has nobody to dance with." in page.text
    assert "For each dancer" not in page.text


def test_a_very_long_name_does_not_blow_up_the_heat_map(match, tmp_path):
    long = "Maximiliana-Theodora von und zu Hohenlohe"
    crowd = [person("a", ["leader"], name=long), person("b", ["follower"], name="Bo")]
    page = match(file_of(tmp_path, crowd), "--html").stdout
    assert f'<th scope="row" title="{long}">Maximiliana-Theodora von…</th>' in page
    assert '<th scope="col">Bo</th>' in page
    assert f'title="{long} + Bo: 70.00"' in page


# Files


def test_files_are_written_whole_and_standard_output_stays_clean(match, users, tmp_path):
    targets = {"--json": tmp_path / "o.json", "--csv": tmp_path / "o.csv", "--html": tmp_path / "o.html"}
    done = match(users, *(word for pair in targets.items() for word in pair))
    assert (done.returncode, done.stdout) == (0, "")
    assert [line for line in done.stderr.splitlines() if "wrote" in line] == [
        f"mrblue: wrote {path}" for path in targets.values()
    ]
    head(json.loads(targets["--json"].read_text(encoding="utf-8")))
    assert targets["--json"].read_text(encoding="utf-8") == match(users, "--json").stdout
    assert sorted(path.name for path in tmp_path.iterdir()) == ["o.csv", "o.html", "o.json", "users.json"]


def test_a_file_and_standard_output_together(match, users, tmp_path):
    done = match(users, "--html", tmp_path / "o.html", "--json")
    head(json.loads(done.stdout))
    assert (tmp_path / "o.html").exists()


def test_the_input_is_never_swallowed(match, users, tmp_path):
    before = users.read_bytes()
    plain = match(users, "--json").stdout
    assert match("--json", users).stdout == plain
    assert match("--top", "5", "--json", users).stdout == plain
    assert match(f"--json={users}").stdout == plain
    assert users.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["users.json"]


def test_the_input_is_never_overwritten(match, users, tmp_path):
    before = users.read_bytes()
    link, hard = tmp_path / "link.json", tmp_path / "hard.json"
    link.symlink_to(users)
    os.link(users, hard)
    for target in (users, link, hard):
        done = match(users, "--json", target)
        assert done.returncode == 2
        assert "would overwrite the people" in done.stderr
    other = file_of(tmp_path, PEOPLE[:2], "other.json")
    for options in ([users, "--json", other], ["--sample", "--csv", other], ["--json", other, users]):
        done = match(*options)
        assert done.returncode == 2
        assert "holds people" in done.stderr
    assert users.read_bytes() == before
    assert json.loads(other.read_text(encoding="utf-8")) == PEOPLE[:2]


@pytest.mark.parametrize("name", ["c.csv", "d.csv", "p.json.gz", "n.ndjson"])
def test_people_in_any_layout_are_kept(match, users, tmp_path, name):
    text = {
        "c.csv": b"\xef\xbb\xbfid;roles\r\nana;leader\r\n",
        "d.csv": b'roles,"id"\nleader,ana\n',
        "p.json.gz": gzip.compress(json.dumps(PEOPLE).encode()),
        "n.ndjson": b'{"id": "ana", "roles": "both"}\n',
    }[name]
    target = tmp_path / name
    target.write_bytes(text)
    assert "holds people" in match(users, "--csv", target).stderr
    assert target.read_bytes() == text


@pytest.mark.parametrize("mode", [[], ["--balance"], ["--explain", "cleo", "dan"], ["--all"]], ids=str)
@pytest.mark.parametrize("layout", ["--json", "--csv", "--html"])
def test_an_answer_of_ours_may_be_written_again(match, users, tmp_path, mode, layout):
    for _ in range(2):
        assert match(users, *mode, layout, tmp_path / "again").returncode == 0
    assert "dance both roles" in match(users, "--explain", "cleo", "dan", "--json").stdout


def test_what_cannot_be_looked_into_is_no_obstacle(match, users, tmp_path):
    target = tmp_path / "broken.gz"
    target.write_bytes(b"\x1f\x8b no gzip at all")
    assert match(users, "--csv", target).returncode == 0


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["--json"], "there is no file with people"),
        (["--top", "3"], "there is no file with people"),
        (["--json", "u.json", "--csv", "v.csv"], "which file holds the people is not clear"),
        (["u.json", "--json", "--csv"], "cannot both go to standard output"),
        (["u.json", "--json", "x", "--csv", "./x"], "name the same file"),
        (["u.json", "--json", "."], ". is a folder"),
        (["u.json", "--json", "no/such/o.json"], "there is no folder no/such"),
        (["none.json", "--json", "o.json"], "none.json"),
    ],
)
def test_files_that_make_no_sense(match, tmp_path, monkeypatch, args, words):
    monkeypatch.chdir(tmp_path)
    file_of(tmp_path, name="u.json")
    done = match(*args)
    assert done.returncode == 2
    assert words in done.stderr
    assert done.stdout == ""
    assert [path.name for path in tmp_path.iterdir()] == ["u.json"]


def test_an_older_answer_is_replaced_and_keeps_its_rights(match, users, tmp_path):
    target = tmp_path / "o.csv"
    target.write_text("old", encoding="utf-8")
    target.chmod(0o640)
    assert match(users, "--csv", target).returncode == 0
    assert target.read_text(encoding="utf-8").startswith("rank,")
    assert stat.S_IMODE(target.stat().st_mode) == 0o640
    linked = tmp_path / "link.csv"
    linked.symlink_to(target)
    assert match(users, "--for", "leo", "--csv", linked).returncode == 0
    assert linked.is_symlink()
    assert "leo" in target.read_text(encoding="utf-8")


def test_a_device_is_written_to_and_not_replaced(match, users):
    assert match(users, "--csv", "/dev/null").returncode == 0
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)


def test_a_disk_that_is_full_leaves_the_old_file(match, users):
    done = match(users, "--csv", "/dev/full")
    assert done.returncode == 2
    assert "/dev/full cannot be written" in done.stderr
