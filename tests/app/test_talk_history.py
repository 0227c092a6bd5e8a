"""The history of whole talks: kept, resumed, private, recorded; and killed at any moment."""

from __future__ import annotations

import contextlib
import json
import random
import subprocess
import sys
import time
import wave
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from mrblue_cli.app import talk as talk_module
from mrblue_cli.app.talk import Conversation
from mrblue_cli.app.talk_history import (
    DAY_SECONDS,
    existing_history,
    forget,
    history_file,
    open_history,
    past,
    recording_file,
    resumed,
)
from mrblue_cli.audio.wav import parse_wav
from mrblue_cli.core.errors import NothingFound, UsageError
from mrblue_cli.settings.load import load
from mrblue_cli.voice import events as ev
from mrblue_cli.voice.dialogue import Who
from mrblue_cli.voice.headless import Speak, Type
from mrblue_cli.voice.history import HistoryStore
from mrblue_cli.voice.history_model import Conversation as Row
from tests.app.memory_rungs import MemoryRungs
from tests.fakes.clock import ManualClock
from tests.fakes.virtual_time import LoopClock, run_virtual
from tests.program import environment, mrblue


class Held:
    """A talk from its settings to its end, on a server in memory, in virtual time."""

    def __init__(self, *steps, resume=None, rungs=None, **history):
        self.events = []

        async def main():
            settings = load(overrides={"talk": {"engine": "ws://127.0.0.1:1"}, "history": history})
            self.conversation = Conversation(settings, self.events.append, clock=LoopClock(), resume=resume)
            self.conversation._rungs = rungs or MemoryRungs()
            script = [Type(step) if isinstance(step, str) else step for step in steps]
            await self.conversation.run_script(script, output=None)

        run_virtual(main(), 600)

    def of(self, kind):
        return [event for event in self.events if isinstance(event, kind)]


def kept():
    """Conversations and their lines."""
    with closing(HistoryStore(history_file())) as store:
        return [
            (one, [(line.who, line.text, line.cut) for line in store.lines(one.id)]) for one in store.conversations()
        ]


def test_a_talk_is_kept():
    Held("address already in use")
    ((one, lines),) = kept()
    assert lines == [("user", "address already in use", False), ("assistant", "Found it. Stop the process.", False)]
    assert (one.engine, one.model, one.language, one.turns) == ("local", "memory", "en", 1)
    assert one.profile == "blue"
    assert one.title == "address already in use"
    assert one.ended is not None
    assert not recording_file(one.id).exists()


@pytest.mark.parametrize("history", [{"keep": False}, {"keep": False, "keep_days": 1}])
def test_a_private_talk_leaves_no_trace(history, tmp_path):
    held = Held("my little secret", **history)
    assert not history_file().parent.exists()
    for file in tmp_path.rglob("*"):
        assert not file.is_file() or b"little secret" not in file.read_bytes(), file
    assert [event.text for event in held.of(ev.Advice)] == ["private: nothing of this conversation is kept"]


def test_what_was_said_before_is_shown_told_to_the_session_and_neither_kept_twice_nor_measured():
    Held("first question")
    held = Held("second question", resume="last")
    shown = [event for event in held.events if getattr(event, "earlier", False)]
    assert [(type(event), event.text) for event in shown] == [
        (ev.UserTranscript, "first question"),
        (ev.AssistantTranscript, "Found it. Stop the process."),
    ]
    assert held.events.index(shown[-1]) < held.events.index(held.of(ev.SessionStarted)[0])
    session = held.conversation._session
    assert [said.text for said in session.dialogue.said][:3] == [
        "first question",
        "Found it. Stop the process.",
        "second question",
    ]
    assert len(held.of(ev.TurnMeasured)) == 1
    ((one, lines),) = kept()
    assert [text for _, text, _ in lines] == [
        "first question", "Found it. Stop the process.", "second question", "Found it. Stop the process.",
    ]  # fmt: skip
    assert (one.sittings, one.turns, one.title) == (2, 2, "first question")


def test_a_resumed_private_talk_adds_nothing():
    Held("first question")
    before = kept()
    held = Held("second question", resume="last", keep=False)
    assert [said.text for said in held.conversation._history.past] == ["first question", "Found it. Stop the process."]
    assert kept() == before


def test_what_cannot_be_resumed_is_told_before_anything_begins():
    with pytest.raises(NothingFound, match="no conversation is kept yet"):
        Held("x", resume="last")
    Held("first question")
    with pytest.raises(NothingFound, match="begins with 'zzz'"):
        Held("x", resume="zzz")


def test_past_is_what_was_said_with_ids_of_our_own():
    Held("first question", "second question")
    said = past("last")
    assert [one.item_id for one in said] == ["past_1", "past_2", "past_3", "past_4"]
    assert [one.who for one in said] == [Who.USER, Who.ASSISTANT] * 2
    assert resumed().conversation.turns == 2


def test_a_recorded_talk_says_so_and_has_both_sides():
    held = Held("first question", record=True)
    ((one, _),) = kept()
    path = recording_file(one.id)
    assert one.recorded
    assert f"this conversation is recorded: {path}" in [event.text for event in held.of(ev.Advice)]
    with wave.open(str(path)) as file:
        assert (file.getnchannels(), file.getframerate()) == (2, 24_000)
        seconds = file.getnframes() / 24_000
        sound = file.readframes(file.getnframes())
    assert 1.9 <= seconds <= 20
    assert sound.count(b"\x00\x00\x10\x20") > 40_000  # the reply, to the right of silence


def test_a_spoken_turn_lies_in_the_recording_as_it_was_heard():
    """The question to the left, whole and first; the reply to the right, as long as it was, after the silence."""
    question = parse_wav((Path(talk_module.__file__).parent.parent / "data/question.wav").read_bytes(), "question.wav")
    held = Held(Speak(question, "question.wav"), record=True)
    ((one, _),) = kept()
    with wave.open(str(recording_file(one.id))) as file:
        frames = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2").reshape(-1, 2)
    (turn,) = held.of(ev.TurnMeasured)
    assert turn.first_sample_ms is not None
    asked, answered = (np.flatnonzero(np.abs(frames[:, side]) > 200) / 24_000 for side in (0, 1))
    assert asked[-1] - asked[0] == pytest.approx(len(question.samples) / question.rate, abs=0.5)
    assert answered[-1] - answered[0] == pytest.approx(2.0, abs=0.1)
    gap = (turn.first_sample_ms - turn.speech_end_ms) / 1000
    assert answered[0] - asked[-1] == pytest.approx(gap, abs=0.25)


def test_a_conversation_may_be_recorded_from_its_second_sitting_on():
    Held("first question")
    Held("second question", resume="last", record=True)
    ((one, _),) = kept()
    assert one.recorded
    first = recording_file(one.id).stat().st_size
    Held("third question", resume="last", record=True)
    assert recording_file(one.id).stat().st_size > first + 2 * 96_000


def test_private_and_recorded_exclude_each_other():
    with pytest.raises(UsageError, match="private"):
        Held("x", keep=False, record=True)


def test_old_conversations_go_at_the_beginning_of_a_talk_with_their_recordings():
    with closing(HistoryStore(history_file())) as store:
        for name, age in (("old2345", 11), ("new2345", 9), ("res2345", 11)):
            at = time.time() - age * DAY_SECONDS
            store.begin(Row(id=name, started=at, updated=at))
    for name in ("old2345", "new2345"):
        recording_file(name).parent.mkdir(exist_ok=True)
        recording_file(name).write_bytes(b"sound")
    Held("hello", keep_days=10, resume="res")
    assert {one.id for one, _ in kept()} == {"new2345", "res2345"}
    assert [path.name for path in recording_file("x").parent.iterdir()] == ["new2345.wav"]


def test_a_history_that_cannot_be_used_is_told_once_and_the_talk_goes_on():
    history_file().parent.mkdir(parents=True)
    history_file().write_text("this is no database, whatever its name may say" * 100)
    events = []
    history = open_history(load(), lambda event: (events.append(event), history.see(event)), clock=ManualClock())
    history.begin()
    deadline = time.monotonic() + 20
    while not events and time.monotonic() < deadline:
        history.see(ev.UserTranscript("u1", "hello", final=True))
        time.sleep(0.01)
    history.see(ev.UserTranscript("u2", "hello again", final=True))
    history.see(ev.Ended("quit"))
    history.close()
    (failure,) = events
    assert (failure.code, failure.fatal) == ("history", False)
    assert "not a database" in failure.message
    assert "move the file away" in failure.hint
    assert history_file().read_text().startswith("this is no database")


def test_forgetting_says_what_it_could_not_remove():
    Held("hello")
    ((one, _),) = kept()
    recording_file(one.id).mkdir(parents=True)
    with closing(existing_history()) as store, pytest.raises(UsageError, match="cannot be removed"):
        forget(store, [one])


def test_a_profile_that_is_a_file_is_found_again_from_anywhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.toml").write_text('instructions = "Be kind."')
    settings = load(overrides={"talk": {"engine": "ws://127.0.0.1:1", "profile": "mine.toml"}})
    history = open_history(settings, lambda event: None, clock=ManualClock())
    history.begin()
    history.see(ev.UserTranscript("u1", "hello", final=True))
    history.close()
    ((one, _),) = kept()
    assert one.profile == str(tmp_path / "mine.toml")


def test_looking_makes_no_file():
    assert existing_history() is None
    assert not history_file().exists()


def test_killed_at_any_moment_all_but_the_last_second_is_there(tmp_path):
    """Three talks at once on one file, each killed with SIGKILL, in the middle of whatever it does."""
    chance = random.Random(6)
    children = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.app.history_child", f"talk{number}", str(seconds)],
            stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parent.parent.parent,
            env=environment(XDG_DATA_HOME=str(tmp_path / "data")),
        )
        for number, seconds in enumerate((0.1, 60.0, 0.3))
    ]  # fmt: skip
    killed = []
    with contextlib.ExitStack() as stack:
        for child in children:
            stack.enter_context(child)
            stack.callback(child.kill)
        for child in children:
            assert child.stdout.readline() == "ready\n"
        began = time.monotonic()
        for number, delay in enumerate(sorted(chance.uniform(1.8, 3.2) for _ in children)):
            time.sleep(max(0.0, began + delay - time.monotonic()))
            moment = time.time()
            children[number].kill()
            killed.append((moment, children[number].stdout.read()))
    with closing(HistoryStore(history_file())) as store:
        assert store._base.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        conversations = store.conversations()
        assert len(conversations) == 3
        lines = {line.text.split()[0]: {} for one in conversations for line in store.lines(one.id)}
        for one in conversations:
            for line in store.lines(one.id):
                lines[line.text.split()[0]][line.item_id] = line
            assert one.ended is None
    partial_lines = 0
    for number, (moment, printed) in enumerate(killed):
        rows = [json.loads(row) for row in printed.splitlines() if row.endswith("}")]
        due = {row["id"]: row for row in rows if row["at"] < moment - 1.0}
        assert due, printed
        for item_id, row in due.items():
            line = lines[f"talk{number}"][item_id]
            if row["final"]:
                assert (line.text, line.cut) == (row["text"], False)
            else:
                partial_lines += line.cut
                assert row["text"].startswith(line.text) or line.text == row["text"]
    assert partial_lines, "one of them was killed in the middle of a long reply"
    for one in conversations:
        with wave.open(str(recording_file(one.id))) as file:
            assert file.getnframes() > 12_000
    listed = mrblue("history", "list", env=environment(XDG_DATA_HOME=str(tmp_path / "data")))
    assert listed.returncode == 0
    assert all(one.id in listed.stdout for one in conversations)
    shown = mrblue("history", "show", "last", env=environment(XDG_DATA_HOME=str(tmp_path / "data")))
    assert "question 0" in shown.stdout
