"""What the lab saw fits the entries, and the lab itself can fail."""

from __future__ import annotations

import shutil

import pytest

from lab.__main__ import CaseFailed, play
from lab.case import Case, load_cases, printed_match
from lab.report import HERE, PAGE, reports, updated
from mrblue_cli.knowledge.loader import load_folder
from mrblue_cli.knowledge.places import bundled_folder

ENTRIES = {entry.id: entry for entry in load_folder(bundled_folder()).entries}
REPORTS = reports()


def test_two_hundred_entries_carry_what_a_tool_printed():
    assert len({case.entry for report in REPORTS for case in report.cases}) >= 200
    assert all(report.version for report in REPORTS)


@pytest.mark.parametrize("report", REPORTS, ids=lambda report: report.tool)
def test_what_was_printed_stands_in_the_entry(report):
    for case in report.cases:
        assert case.entry in ENTRIES
        assert case.printed in ENTRIES[case.entry].matches, case.entry


def test_the_page_shows_the_results():
    page = PAGE.read_text(encoding="utf-8")
    assert updated(page, REPORTS) == page, "run: python -m lab.report"


@pytest.mark.parametrize("path", sorted((HERE / "cases").glob("*.yaml")), ids=lambda path: path.stem)
def test_every_case_can_be_read_and_has_its_entry(path):
    for case in load_cases(path).cases:
        assert case.entry in ENTRIES


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
@pytest.mark.parametrize("name", ["git/not-a-repository", "git/detached-head"])
def test_a_case_is_played_for_real(name):
    case = next(case for case in load_cases(HERE / "cases" / "git.yaml").cases if case.entry == name)
    assert play(case, ENTRIES[name]).entry == name


ENTRY = ENTRIES["git/not-a-repository"]
PRINTS = f"echo {ENTRY.matches[0]!r}"


@pytest.mark.parametrize(
    ("case", "message"),
    [
        (Case(entry=ENTRY.id, provoke="echo all is well", cure="true"), "none of the entry's matches"),
        (Case(entry=ENTRY.id, provoke=PRINTS, cure="false"), "cure exits with 1"),
        (Case(entry=ENTRY.id, provoke=PRINTS, cure="true"), "still printed"),
        (Case(entry=ENTRY.id, provoke=PRINTS, cure="true", confirm="exit 3"), "exits with 3"),
        (Case(entry=ENTRY.id, setup="exit 7", provoke=PRINTS, cure="true"), "setup exits with 7"),
        (Case(entry=ENTRY.id, provoke=PRINTS, cure="sleep 60", seconds=1), "cure exits with 124"),
    ],
)
def test_a_case_that_does_not_go_as_it_says_fails(case, message):
    with pytest.raises(CaseFailed, match=message):
        play(case, ENTRY)


def test_every_line_of_a_match_must_be_printed():
    assert printed_match("a  b\nc d\n", ("x", "a b\nc d")) == "a b\nc d"
    assert printed_match("a b\n", ("a b\nc d",)) is None
    assert printed_match("anything", ("",)) is None
