"""The file of the last fifty steps: whole, small, private, and free of secrets."""

from __future__ import annotations

import json
import stat
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrblue_cli.assistant.breadcrumbs import KEPT, Breadcrumb, Breadcrumbs
from tests.program import environment

SECRET = "hunter2" + "hunter2"


def step(number, **metadata):
    return Breadcrumb("/work", "command", float(number), {"command": f"step {number}", "status": 0, **metadata})


@pytest.fixture
def path(tmp_path):
    return tmp_path / "deep" / "breadcrumbs.jsonl"


@pytest.fixture
def crumbs(path):
    return Breadcrumbs(path)


def test_what_is_added_comes_back(crumbs):
    crumb = Breadcrumb("/a b", "run", 12.5, {"command": "ls ü\n-la", "status": 3, "seconds": 0.25, "branch": "main"})
    crumbs.add(crumb)
    assert crumbs.latest() == (crumb,)
    assert (crumb.command, crumb.status, crumb.failed) == ("ls ü\n-la", 3, True)


def test_nothing_is_kept_at_first(crumbs):
    assert crumbs.latest() == ()
    assert crumbs.last_failed() is None
    crumbs.clear()


def test_the_newest_fifty_are_kept(crumbs, path):
    for number in range(KEPT + 7):
        crumbs.add(step(number))
    assert KEPT == 50
    assert [crumb.time for crumb in crumbs.latest()] == [float(number) for number in range(7, 57)]
    assert len(path.read_text().splitlines()) == KEPT


def test_secrets_never_reach_the_file(crumbs, path):
    crumbs.add(
        Breadcrumb(
            f"/srv/x?token={SECRET}",
            "run",
            1.0,
            {"command": f"mycli --password {SECRET}", "status": 1, "output": f"tried https://me:{SECRET}@host/"},
        )
    )
    assert SECRET not in path.read_text()
    assert "[redacted]" in crumbs.latest()[0].command
    left = [file for file in path.parent.iterdir() if SECRET in file.read_text()]
    assert left == []


def test_only_the_owner_can_read_the_file(crumbs, path):
    crumbs.add(step(1))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) & 0o077 == 0
    crumbs.add(step(2))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "line",
    [
        "", "{", "null", "[]", "7", '"text"', "{}", "\x00\x00", '{"place": "/", "action": "a", "time": 1}',
        '{"place": "/", "action": "a", "time": 1, "metadata": []}',
        '{"place": "/", "action": "a", "time": "soon", "metadata": {}}',
        '{"place": "/", "action": "a", "time": NaN, "metadata": {}}',
        '{"place": "/", "action": "a", "time": 1e300, "metadata": {}}',
        '{"place": "/", "action": "a", "time": -Infinity, "metadata": {}}',
        '{"place": "/", "action": "a", "time": 1' + "0" * 400 + ', "metadata": {}}',
        '{"place": "/", "action": "a", "time": 1, "meta', "[" * 100_000,
    ],
    ids=lambda line: line[:60] or "empty",
)  # fmt: skip
def test_damaged_lines_are_skipped_and_swept_away(crumbs, path, line):
    crumbs.add(step(1))
    with path.open("a") as file:
        file.write(line + "\n")
    assert [crumb.time for crumb in crumbs.latest()] == [1.0]
    crumbs.add(step(2))
    assert [json.loads(row)["time"] for row in path.read_text().splitlines()] == [1.0, 2.0]


def test_bytes_that_are_no_text_do_no_harm(crumbs, path):
    crumbs.add(step(1))
    path.write_bytes(b"\xff\xfe\x80\n" + path.read_bytes())
    assert [crumb.time for crumb in crumbs.latest()] == [1.0]


@given(command=st.text(max_size=40), place=st.text(max_size=20))
def test_any_text_makes_one_line(tmp_path_factory, command, place):
    path = tmp_path_factory.mktemp("any") / "breadcrumbs.jsonl"
    crumbs = Breadcrumbs(path)
    crumbs.add(Breadcrumb(place, "command", 1.0, {"command": command, "status": 1}))
    crumbs.add(step(2))
    assert [crumb.time for crumb in crumbs.latest()] == [1.0, 2.0]


@pytest.mark.parametrize("text", ["a\u2028b", "a\x85b", "a\x1cb", "a\x0cb", "a\r\nb"])
def test_odd_line_ends_do_not_tear_a_line(crumbs, text):
    crumbs.add(step(1, command=text))
    assert crumbs.latest()[0].command == text


def test_names_that_are_no_unicode_are_kept_as_far_as_they_go(crumbs):
    # What `os.fsdecode` makes of a folder whose name is Latin-1.
    crumbs.add(Breadcrumb("/srv/caf\udce9", "command", 1.0, {"command": "ls \udce9", "status": 1}))
    assert crumbs.latest()[0].place.startswith("/srv/caf")


def test_of_a_long_output_the_end_is_kept(crumbs):
    crumbs.add(step(1, output="start " + "x" * 100_000 + " the error"))
    output = crumbs.latest()[0].metadata["output"]
    assert output.endswith(" the error")
    assert len(output) == 4_000


@pytest.mark.parametrize("status", [0, 130, 148])
def test_success_and_interruption_are_no_failures(status):
    assert not step(1, status=status).failed


@pytest.mark.parametrize("status", [1, 2, 126, 127, 137, 139, 255, -1])
def test_every_other_status_is_a_failure(status):
    assert step(1, status=status).failed


def test_the_last_failure_is_the_newest(crumbs):
    for number, status in enumerate((1, 2, 0, 130)):
        crumbs.add(step(number, status=status))
    assert crumbs.last_failed().status == 2


def test_a_status_that_is_no_number_counts_as_unknown():
    assert Breadcrumb("/", "command", 1.0, {"status": "bad"}).status == 0
    assert Breadcrumb("/", "command", 1.0).command == ""


def test_clearing_forgets(crumbs, path):
    crumbs.add(step(1))
    crumbs.clear()
    assert crumbs.latest() == ()
    assert not path.exists()


def test_an_unwritable_place_raises(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match=r".+"):
        Breadcrumbs(tmp_path / "file" / "breadcrumbs.jsonl").add(step(1))


def test_a_folder_in_the_files_place_raises_and_leaves_nothing_behind(tmp_path):
    path = tmp_path / "breadcrumbs.jsonl"
    path.mkdir()
    with pytest.raises(OSError, match=r".+"):
        Breadcrumbs(path).add(step(1))
    assert sorted(file.name for file in tmp_path.iterdir() if file.suffix != ".lock") == ["breadcrumbs.jsonl"]


ADDER = """
import sys
from pathlib import Path
from mrblue_cli.assistant.breadcrumbs import Breadcrumb, Breadcrumbs
crumbs = Breadcrumbs(Path(sys.argv[1]))
sys.stdin.readline()
for number in range(12):
    crumbs.add(Breadcrumb(sys.argv[2], "command", float(number), {"command": "x", "status": 0}))
"""


def test_processes_that_write_at_once_all_leave_their_steps(path):
    adders = [
        subprocess.Popen([sys.executable, "-c", ADDER, str(path), name], stdin=subprocess.PIPE, env=environment())
        for name in ("a", "b", "c")
    ]
    for adder in adders:
        adder.stdin.write(b"go\n")
        adder.stdin.flush()
    for adder in adders:
        adder.communicate()
        assert adder.returncode == 0
    kept = Breadcrumbs(path).latest()
    for name in ("a", "b", "c"):
        assert [crumb.time for crumb in kept if crumb.place == name] == [float(number) for number in range(12)]
    assert {file.name for file in path.parent.iterdir()} == {"breadcrumbs.jsonl", "breadcrumbs.lock"}
