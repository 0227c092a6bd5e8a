"""`mrblue history`: what it prints, what it writes, what it forgets, and its exit codes."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
import wave
from contextlib import closing
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from mrblue_cli.app.talk_history import history_file, recording_file
from mrblue_cli.audio.wav import wav_header
from mrblue_cli.cli.errors import run
from mrblue_cli.cli.history_view import excerpt, harmless, list_lines, show_lines
from mrblue_cli.cli.main import app
from mrblue_cli.voice.history import HistoryStore
from mrblue_cli.voice.history_model import Conversation, Line
from tests.program import environment, mrblue

DAY = 86_400.0
FIRST = Conversation(
    id="abc2345", started=10 * DAY, updated=10 * DAY + 90, ended=10 * DAY + 90, engine="local", model="m",
    title="address already in use", turns=1, cost_usd=0.0, recorded=True,
)  # fmt: skip
SECOND = Conversation(id="xyz2345", started=20 * DAY, updated=20 * DAY + 5, title="wake \x1b[31mword", turns=0)
LINES = [
    Line(sitting=1, seq=1, item_id="i1", who="user", text="address already in use\non port 3000", at=10 * DAY),
    Line(sitting=1, seq=2, item_id="i2", who="assistant", text="Found it", cut=True, at=10 * DAY + 1),
    Line(sitting=2, seq=1, item_id="i3", who="tool", text="find(x) -> y", at=11 * DAY),
]


@pytest.fixture
def kept():
    """Two conversations, one with sound."""
    with closing(HistoryStore(history_file())) as store:
        store.restore(FIRST, LINES)
        store.restore(SECOND, [Line(sitting=1, seq=1, item_id="i1", who="user", text="wake \x1b[31mword", at=20 * DAY)])
    recording_file(FIRST.id).parent.mkdir()
    recording_file(FIRST.id).write_bytes(wav_header(2, channels=2) + bytes(range(8)))


@pytest.fixture
def history(capsysbinary):
    """`mrblue history` in this process."""

    def call(*args):
        capsysbinary.readouterr()
        code = run(lambda: app(["history", *map(str, args)], standalone_mode=False), debug=False)
        printed = capsysbinary.readouterr()
        return SimpleNamespace(code=code, out=printed.out.decode("utf-8", "replace"), raw=printed.out,
                               err=printed.err.decode())  # fmt: skip

    return call


@pytest.fixture
def kept_nothing():
    """No conversation was kept, before or after."""
    yield
    assert not history_file().parent.exists()


def ids():
    with closing(HistoryStore(history_file())) as store:
        return [one.id for one in store.conversations()]


def test_list_newest_first(history, kept):
    done = history("list")
    assert done.code == 0
    head, *rows = done.out.splitlines()
    assert head.split() == ["id", "began", "lasted", "turns", "cost", "first", "words"]
    assert [row.split()[0] for row in rows] == ["xyz2345", "abc2345"]
    assert "2 min" in rows[1]
    assert rows[1].endswith("$0.00  address already in use")
    assert "\x1b" not in done.out
    assert [row.split()[0] for row in history("list", "--limit", 1).out.splitlines()] == ["id", "xyz2345"]


def test_list_as_json(history, kept):
    found = json.loads(history("list", "--json").out)["conversations"]
    assert [one["id"] for one in found] == ["xyz2345", "abc2345"]
    assert found[1]["started"] == 10 * DAY


def test_nothing_kept_is_no_error_for_a_list_and_makes_no_file(history):
    assert history("list").out.startswith("No conversation is kept yet")
    assert json.loads(history("list", "--json").out) == {"conversations": []}
    assert history("search", "x").code == 1
    assert json.loads(history("search", "x", "--json").out) == {"found": []}
    assert history("show", "last").code == 1
    assert history("export", "abc").code == 1
    assert history("delete", "last", "--yes").code == 1
    assert history("delete", "--all", "--yes").out == "0 conversations deleted\n"
    assert not history_file().exists()


def test_show(history, kept):
    shown = history("show", "abc").out.splitlines()
    assert shown[0].startswith("abc2345 · ")
    assert shown[0].endswith(" · local m · 1 turn · $0.00 · recorded")
    assert [line[10:] for line in shown[2:5]] == [
        "You   address already in use",
        "      on port 3000",
        "Blue  Found it —",
    ]
    assert "— resumed " in shown[6]
    assert "\x1b" not in history("show", "last").out
    assert json.loads(history("show", "abc", "--json").out)["format"] == "mrblue-conversation-1"


def test_search(history, kept):
    done = history("search", "port", "3000")
    assert done.code == 0
    assert done.out.splitlines()[1] == "  You: address already in use on port 3000"
    (found,) = json.loads(history("search", "port 3000", "--json").out)["found"]
    assert (found["conversation"]["id"], found["line"]["seq"]) == ("abc2345", 1)
    none = history("search", "zebra")
    assert (none.code, none.out) == (1, "")
    assert "nobody said 'zebra'" in none.err


@pytest.mark.parametrize("words", ['"', "'", "a AND", "NEAR(", "*", "-", "x:y", "^", "%", "\\", "; DROP TABLE lines"])
def test_search_takes_any_words(history, kept, words):
    assert history("search", "--", words).code in {0, 1}
    assert ids() == ["xyz2345", "abc2345"]


def test_export_and_import(history, kept, tmp_path):
    file = tmp_path / "out.json"
    assert history("export", "abc", "--format", "json", "--output", file).code == 0
    assert file.read_text() == history("export", "abc", "--format", "json").out
    assert history("delete", "abc", "--yes").out == "1 conversation deleted\n"
    assert history("import", file).out == "abc2345\n"
    assert history("export", "abc", "--format", "json").out == file.read_text()
    assert history("export", "abc").out.startswith("# address already in use\n")
    file.write_text("{}")
    assert history("import", file).code == 2
    assert history("import", tmp_path / "none.json").code == 2


def test_export_of_sound(history, kept, tmp_path):
    assert history("export", "abc", "--format", "wav").raw == recording_file("abc2345").read_bytes()
    one = tmp_path / "one.wav"
    assert history("export", "abc", "--format", "wav", "--side", "assistant", "--output", one).code == 0
    with wave.open(str(one)) as file:
        assert (file.getnchannels(), file.readframes(9)) == (1, bytes([2, 3, 6, 7]))
    missing = tmp_path / "missing.wav"
    done = history("export", "xyz", "--format", "wav", "--output", missing)
    assert done.code == 1
    assert "--record" in done.err
    assert not missing.exists()
    assert history("export", "abc", "--side", "person").code == 2
    assert history("export", "abc", "--output", tmp_path / "no" / "folder.md").code == 2


def test_delete_forgets_words_and_sound(history, kept):
    assert history("delete", "abc", "--yes").code == 0
    assert ids() == ["xyz2345"]
    assert not recording_file("abc2345").exists()
    assert b"address already" not in b"".join(
        file.read_bytes() for file in history_file().parent.iterdir() if file.is_file()
    )


def test_delete_before_a_day(history, kept):
    day = datetime.fromtimestamp(15 * DAY, tz=UTC).strftime("%Y-%m-%d")
    assert history("delete", "--before", day, "--yes").out == "1 conversation deleted\n"
    assert ids() == ["xyz2345"]
    lost = recording_file("zzz2345")
    lost.write_bytes(b"whose conversation is gone")
    assert history("delete", "--all", "-y").out == "1 conversation deleted\n"
    assert not lost.exists()


@pytest.mark.parametrize(
    "args",
    [
        (),
        ("abc", "--all"),
        ("--before", "yesterday", "--yes"),
        ("--before", "0000-00-00", "--yes"),
        ("abc",),
        ("--all",),
    ],
)
def test_delete_wants_to_be_understood(history, kept, args):
    done = history("delete", *args)
    assert (done.code, done.out) == (2, "")
    assert "→" in done.err
    assert len(ids()) == 2


@pytest.mark.parametrize(("answer", "left"), [("y", 1), ("n", 2), ("", 2)])
def test_delete_asks_in_a_terminal(kept, answer, left):
    ours, theirs = pty.openpty()
    args = [sys.executable, "-m", "mrblue_cli", "history", "delete", "abc"]
    with subprocess.Popen(args, stdin=theirs, stdout=subprocess.PIPE, stderr=theirs, env=environment()) as child:
        shown = b""
        while b"[y/N]" not in shown:
            shown += os.read(ours, 1000)
        os.write(ours, answer.encode() + b"\n")
        assert child.wait(30) == (0 if left == 1 else 2)
    os.close(ours)
    os.close(theirs)
    assert b"Delete abc2345 for good?" in shown
    assert len(ids()) == left


def test_ids_that_fit_several_or_none(history, kept):
    with closing(HistoryStore(history_file())) as store:
        store.begin(Conversation(id="abd2345", started=1.0, updated=1.0))
    assert history("show", "ab").code == 2
    assert history("show", "q").code == 1


def test_a_broken_file_is_a_matter_of_configuration(history, kept):
    history_file().write_text("no database " * 1000)
    done = history("list")
    assert (done.code, done.out) == (3, "")
    assert "move the file away" in done.err


def test_times_are_those_of_the_persons_place(kept):
    env = {"TZ": "Asia/Kolkata"}
    out = mrblue("history", "list", env={**os.environ, **env}).stdout
    assert "1970-01-11 05:30" in out


def test_durations_and_empty_titles():
    rows = [
        Conversation(id=str(seconds), started=0.0, updated=float(seconds))
        for seconds in (5, 600, 7200, 400_000)
    ]  # fmt: skip
    told = [line.split("  ") for line in list_lines(rows, UTC)]
    assert [[cell.strip() for cell in line if cell.strip()][2] for line in told[1:]] == [
        "5 s",
        "10 min",
        "2.0 h",
        "5 d",
    ]
    assert told[1][-1] == "(nothing said)"


def test_an_excerpt_is_around_the_words():
    text = "a" * 100 + " needle " + "b" * 100
    told = excerpt(text, ["needle"], 40)
    assert "needle" in told
    assert told[0] == told[-1] == "…"
    assert len(told) <= 42
    assert excerpt("short", ["x"]) == "short"


def test_nothing_said_reaches_the_terminal_as_a_command():
    assert harmless("a\x1b[2Jb\x07\nc\u202e") == "a [2Jb  c "
    lines = [Line(sitting=1, seq=1, item_id="i", who="user", text="\x1b]0;x\x07\n\x1b[2J", at=0.0)]
    assert not any("\x1b" in line for line in show_lines(SECOND, lines, UTC))


RESUME = [
    (("--resume", "--headless", "--text", "x"), 1, "no conversation is kept yet"),
    (("--headless", "--text", "x", "--resume"), 1, "no conversation is kept yet"),
    (("--headless", "--resume", "abc", "--text", "x"), 1, "no conversation begins with 'abc'"),
    (("--headless", "--resume=abc", "--text", "x"), 1, "no conversation begins with 'abc'"),
    (("--headless", "--text", "x", "--private", "--record"), 2, "a private conversation cannot be recorded"),
]


@pytest.mark.parametrize(("args", "code", "told"), RESUME)
def test_talk_takes_an_id_to_resume_or_none(capsys, kept_nothing, args, code, told):
    assert run(lambda: app(["talk", "--engine", "ws://127.0.0.1:1", *args], standalone_mode=False), debug=False) == code
    printed = capsys.readouterr()
    assert told in printed.err
    assert printed.out == ""


def test_a_typed_private_overrules_a_recording_that_is_only_configured(capsys, kept_nothing, monkeypatch):
    monkeypatch.setenv("MRBLUE_HISTORY_RECORD", "true")
    args = ["talk", "--engine", "ws://127.0.0.1:1", "--headless", "--text", "x", "--private"]
    run(lambda: app(args, standalone_mode=False), debug=False)
    printed = capsys.readouterr()
    assert "private: nothing of this conversation is kept" in printed.err
    assert "cannot be recorded" not in printed.err


@pytest.mark.parametrize(("typed", "profile"), [((), "mine"), (("--profile", "blue"), "blue")])
def test_a_resumed_talk_keeps_its_profile_unless_another_is_named(capsys, tmp_path, typed, profile):
    (tmp_path / "mine.toml").write_text('instructions = "Be kind."')
    names = {"mine": str(tmp_path / "mine.toml"), "blue": "blue"}
    with closing(HistoryStore(history_file())) as store:
        store.restore(Conversation(id="res2345", started=1.0, updated=1.0, profile=names["mine"]), LINES)
    to = ["--engine", "ws://127.0.0.1:1", "--fallback", "none"]
    run(lambda: app(["talk", *to, "--headless", "--text", "x", "--resume", *typed], standalone_mode=False), debug=False)
    assert "address already in use" in capsys.readouterr().out
    with closing(HistoryStore(history_file())) as store:
        (one,) = store.conversations()
        assert [line.who for line in store.lines("res2345")][-1] == "note"  # the connection that failed
    assert (one.profile, one.sittings) == (names[profile], 3)


@pytest.mark.parametrize(("typed", "told"), [((), "Tú "), (("--language", "en"), "You ")])
def test_a_resumed_talk_goes_on_in_its_language_unless_another_is_typed(capsys, typed, told):
    with closing(HistoryStore(history_file())) as store:
        store.restore(Conversation(id="res2345", started=1.0, updated=1.0, language="es"), LINES)
    args = ["talk", "--fallback", "text", "--headless", "--text", "x", "--resume", *typed]
    assert run(lambda: app(args, standalone_mode=False), debug=False) == 0
    assert f"\n{told}" in capsys.readouterr().out
