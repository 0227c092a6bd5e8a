"""The last failed command as a question."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrblue_cli.app.last_failure import after_command, last_failure, told
from mrblue_cli.assistant.breadcrumbs import Breadcrumb, Breadcrumbs
from mrblue_cli.core.errors import NothingFound
from mrblue_cli.knowledge.detect import detect
from mrblue_cli.settings.places import place


@pytest.fixture
def crumbs(monkeypatch):
    monkeypatch.delenv("TMUX", raising=False)
    return Breadcrumbs(place("data") / "breadcrumbs.jsonl")


def crumb(command, status, **metadata):
    return Breadcrumb("/srv", "command", 1.0, {"command": command, "status": status, **metadata})


@pytest.mark.parametrize(
    ("command", "status", "text"),
    [
        ("./run.sh --fast",
        126, "./run.sh --fast\n./run.sh: permission denied: the file cannot be executed (exit code 126)"),
        ("gti status", 127, "gti: command not found"),
        ("make test", 134, "make test\nmake: aborted (core dumped), exit code 134"),
        ("node app.js", 137, "node app.js\nnode: killed, out of memory, exit code 137"),
        ("./a.out", 139, "./a.out\n./a.out: segmentation fault (core dumped), exit code 139"),
        ("sleep 9", 143, "sleep 9\nsleep: terminated by SIGTERM, exit code 143"),
        ("make", 2, "make\nmake: exit status 2"),
        ("", 127, "the command: command not found"),
        ("   ", 1, "   \nthe command: exit status 1"),
    ],
)  # fmt: skip
def test_what_a_command_and_its_status_say(command, status, text):
    assert told(crumb(command, status)) == text


@pytest.mark.parametrize(
    ("status", "kind"), [(126, "permission"), (127, "command not found"), (137, "memory"), (139, "crashed")]
)
def test_what_is_told_is_understood(status, kind):
    found = detect(told(crumb("frobnicate", status)))
    assert found is not None
    assert kind in found.name


def test_nothing_is_known(crumbs):
    crumbs.add(crumb("ls", 0))
    crumbs.add(crumb("sleep 100", 130))
    with pytest.raises(NothingFound) as caught:
        last_failure()
    assert "shell-init" in caught.value.hint


def test_what_it_printed_is_the_question(crumbs):
    crumbs.add(crumb("npm start", 1, output="Error: listen EADDRINUSE"))
    crumbs.add(crumb("ls", 0))
    text, about = last_failure()
    assert text == "Error: listen EADDRINUSE"
    assert about == "the last failed command: npm start (exit status 1), its output"


@pytest.mark.parametrize("output", ["", " \n "])
def test_without_output_its_end_is_the_question(crumbs, output):
    crumbs.add(crumb("old", 1, output="something else"))
    crumbs.add(crumb("gti status", 127, output=output))
    text, about = last_failure()
    assert text == "gti: command not found"
    assert "mrblue run" in about


SCREEN = """
$ make
old output
$ ls
a b
$ make
cc -c x.c
x.c:1: error: expected ';'
$ mrblue ask
"""


@pytest.mark.parametrize(
    ("screen", "command", "expected"),
    [
        (SCREEN, "make", "cc -c x.c\nx.c:1: error: expected ';'"),
        (SCREEN, "ls", "a b\n$ make\ncc -c x.c\nx.c:1: error: expected ';'"),
        (SCREEN, "cmake", ""),
        ("$ make   \nboom\n\n\n", "make", "boom"),
        ("$ for x in 1\n> do false; done\nboom", "for x in 1\ndo false; done", "> do false; done\nboom"),
        ("$ make", "make", ""),
        ("", "make", ""),
        ("x\n", "", ""),
    ],
)
def test_what_stands_on_the_screen_below_a_command(screen, command, expected):
    assert after_command(screen, command) == expected


@given(st.text(), st.text())
def test_any_screen_and_command_do_no_harm(screen, command):
    assert isinstance(after_command(screen, command), str)
