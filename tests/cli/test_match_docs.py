"""docs/match.md: its sessions are what the program prints, its file is read, its options are those there are."""

from __future__ import annotations

import json
import re
import shlex

import pytest

from mrblue_cli.app.match_files import load
from tests.matches import WEEK
from tests.program import ROOT

PAGE = (ROOT / "docs" / "match.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")
SESSIONS = re.findall(r"```\n\$ mrblue match ([^\n]*)\n(.*?)```", f"{PAGE}\n{README}", re.DOTALL)


@pytest.mark.parametrize(("command", "shown"), SESSIONS, ids=range(len(SESSIONS)))
def test_a_session_of_the_page_is_what_is_printed(match, tmp_path, monkeypatch, command, shown):
    monkeypatch.chdir(tmp_path)
    done = match(*shlex.split(command))
    assert done.returncode == 0, done.stderr
    printed = [line.rstrip() for line in (done.stdout + done.stderr).splitlines()]
    # A line of three dots stands for any number of lines.
    first, *rest = [part.splitlines() for part in shown.split("…\n")]
    assert printed[: len(first)] == first
    if rest:
        assert printed[-len(rest[-1]) :] == rest[-1]
    else:
        assert len(printed) == len(first)


def test_the_page_shows_an_evening_and_a_file_that_is_read(tmp_path):
    assert len(SESSIONS) >= 5
    [example] = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
    path = tmp_path / "users.json"
    path.write_text(example, encoding="utf-8")
    loaded = load(path, week=WEEK)
    assert loaded.community.ids == ["ana", "leo"]
    assert len(json.loads(example)) == 2


def test_the_page_begins_with_what_the_score_is_and_is_not():
    first = " ".join(PAGE.split("```")[0].split())
    assert first.index("What the score is.") < first.index("What it is not.") < first.index("Joel, Eastwick & Finkel")


def test_every_option_is_on_the_page(match):
    options = set(re.findall(r"--[a-z-]+", match("--help").stdout)) - {"--help", "--users"}
    assert len(options) > 35
    missing = sorted(option for option in options if f"`{option}" not in PAGE and f" {option}" not in PAGE)
    assert missing == []


def test_the_page_counts_no_algorithms():
    assert not re.search(r"\b\d+ (algorithms|formulas|entries|methods)\b", PAGE)
