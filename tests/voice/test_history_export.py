"""Exports: JSON that comes back as it went, Markdown that nothing said can break, and sound by sides."""

from __future__ import annotations

import json
import tempfile
import wave
from contextlib import closing
from datetime import UTC, timedelta, timezone
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mrblue_cli.audio.wav import wav_header
from mrblue_cli.core.errors import InputFileError, NothingFound
from mrblue_cli.voice.history import HistoryStore
from mrblue_cli.voice.history_export import about, from_json, moment, recorded_sound, to_json, to_markdown
from mrblue_cli.voice.history_model import Conversation, Line, storable

TEXT = st.text(max_size=60).map(storable)
SECONDS = st.floats(0, 2e9).map(lambda value: round(value, 3))
COUNT = st.integers(0, 2**53)
CONVERSATIONS = st.builds(
    Conversation, id=st.from_regex("[a-z0-9]{1,12}", fullmatch=True), started=SECONDS, updated=SECONDS,
    ended=st.none() | SECONDS, profile=TEXT, engine=TEXT, model=TEXT, language=TEXT, title=TEXT, turns=COUNT,
    cost_usd=st.none() | st.floats(0, 1e6), sittings=COUNT, recorded=st.booleans(),
)  # fmt: skip
LINES = st.lists(
    st.builds(
        Line, sitting=st.integers(1, 3), seq=COUNT, item_id=TEXT, who=st.sampled_from(["user", "assistant", "tool"]),
        text=TEXT.filter(bool), cut=st.booleans(), at_ms=COUNT, at=SECONDS,
    ),
    max_size=8, unique_by=lambda line: (line.sitting, line.seq),
)  # fmt: skip
ONE = Conversation(id="abc", started=0.0, updated=60.0, engine="local", model="m", title="port in use", turns=2)


@settings(max_examples=40)
@given(CONVERSATIONS, LINES)
def test_what_is_exported_comes_back_and_is_kept_as_it_was(conversation, lines):
    back = from_json(to_json(conversation, lines), "x")
    assert (back.conversation, list(back.lines)) == (conversation, lines)


@settings(max_examples=25)
@given(st.lists(st.tuples(CONVERSATIONS, LINES), min_size=1, max_size=3, unique_by=lambda pair: pair[0].id))
def test_and_goes_through_the_file_unchanged(exports):
    with tempfile.TemporaryDirectory() as folder, closing(HistoryStore(Path(folder) / "h.db")) as store:
        for conversation, lines in exports * 2:  # twice: the second replaces the first
            store.restore(conversation, lines)
        for conversation, lines in exports:
            assert store.find(conversation.id) == conversation
            assert store.lines(conversation.id) == sorted(lines, key=lambda line: (line.sitting, line.seq))


def test_the_keys_are_a_contract():
    document = json.loads(to_json(ONE, [Line(sitting=1, seq=1, item_id="i", who="user", text="hi", at=1.5)]))
    assert document == {
        "format": "mrblue-conversation-1",
        "conversation": {
            "id": "abc", "started": 0.0, "updated": 60.0, "ended": None, "profile": "", "engine": "local", "model": "m",
            "language": "", "title": "port in use", "turns": 2, "cost_usd": None, "sittings": 1, "recorded": False,
        },
        "lines": [
            {"sitting": 1, "seq": 1, "item_id": "i", "who": "user", "text": "hi", "cut": False, "at_ms": 0, "at": 1.5}
        ],
    }  # fmt: skip


BAD = [
    b"", b"{}", b"[]", b"not json", b"\xff\xfe", b"[" * 100_000,
    to_json(ONE, []).replace("mrblue-conversation-1", "mrblue-conversation-9").encode(),
    to_json(ONE, []).replace('"abc"', '"../../etc/passwd"').encode(),
    to_json(ONE, []).replace('"turns": 2', f'"turns": {10**30}').encode(),
    to_json(ONE, []).replace('"turns": 2', '"turns": -1').encode(),
]  # fmt: skip


@pytest.mark.parametrize("data", BAD, ids=range(len(BAD)))
def test_what_is_no_export_is_refused_by_name(data):
    with pytest.raises(InputFileError, match=r"backup\.json: not a conversation"):
        from_json(data, "backup.json")


def test_markdown_to_read():
    lines = [
        Line(sitting=1, seq=1, item_id="1", who="user", text="# not a heading\n\n---", at=0.0),
        Line(sitting=1, seq=2, item_id="2", who="assistant", text="Found it", cut=True, at=61.0),
    ]
    assert to_markdown(ONE, lines, UTC) == (
        "# port in use\n\n1970-01-01 00:00 · local m · 2 turns\n\n"
        "**You** 00:00:00\n> # not a heading\n>\n> ---\n\n**Blue** 00:01:01\n> Found it —\n"
    )


def test_times_are_those_of_the_place():
    assert moment(0.0, UTC) == "1970-01-01 00:00"
    assert moment(0.0, timezone(timedelta(hours=5, minutes=30))) == "1970-01-01 05:30"


def test_about_says_what_is_known():
    assert about(ONE) == "local m · 2 turns"
    known = Conversation(id="a", started=0, updated=0, turns=1, profile="tattoo", cost_usd=0.126, recorded=True)
    assert about(known) == "tattoo · 1 turn · $0.13 · recorded"


@pytest.fixture
def sound(tmp_path):
    path = tmp_path / "a.wav"
    frames = np.stack([np.arange(600_000), -np.arange(600_000)], axis=1).astype("<i2")
    path.write_bytes(wav_header(len(frames), channels=2) + frames.tobytes())
    return path, frames


@pytest.mark.parametrize(("side", "channel"), [("person", 0), ("assistant", 1)])
def test_one_side_of_a_recording(sound, tmp_path, side, channel):
    path, frames = sound
    one = tmp_path / "one.wav"
    one.write_bytes(b"".join(recorded_sound(path, side)))
    with wave.open(str(one)) as file:
        assert (file.getnchannels(), file.getframerate(), file.getnframes()) == (1, 24_000, len(frames))
        assert (np.frombuffer(file.readframes(len(frames)), dtype="<i2") == frames[:, channel]).all()


def test_both_sides_are_the_file_itself(sound):
    path, _ = sound
    assert b"".join(recorded_sound(path)) == path.read_bytes()


def test_no_recording_is_told(tmp_path):
    with pytest.raises(NothingFound, match="no sound"):
        next(recorded_sound(tmp_path / "none.wav"))
    with pytest.raises(InputFileError, match="cannot be read"):
        next(recorded_sound(tmp_path))
