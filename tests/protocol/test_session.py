"""Configurations: what absent and null mean, and how changes lie over one another."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from mrblue_cli.protocol.session import (
    Audio,
    AudioFormat,
    AudioInput,
    AudioOutput,
    NoiseReduction,
    SemanticVad,
    ServerVad,
    Session,
    Transcription,
    merge,
    turn_detection_of,
    voice_of,
)

HEARD = st.builds(
    AudioInput,
    format=st.sampled_from([UNSET, AudioFormat()]),
    noise_reduction=st.sampled_from([UNSET, None, NoiseReduction(type="near_field")]),
    transcription=st.sampled_from([UNSET, None, Transcription(model="m"), Transcription(language="en")]),
    turn_detection=st.sampled_from([UNSET, None, ServerVad(), SemanticVad(eagerness="low")]),
)
SPOKEN = st.builds(
    AudioOutput,
    voice=st.sampled_from([UNSET, "marin", {"id": "voice_1"}]),
    speed=st.sampled_from([UNSET, 1.0, 1.5]),
)
SESSIONS = st.builds(
    Session,
    instructions=st.sampled_from([UNSET, "", "be brief"]),
    tools=st.sampled_from([UNSET, [], [{"type": "function", "name": "f"}]]),
    tracing=st.sampled_from([UNSET, None, "auto"]),
    audio=st.sampled_from([UNSET]) | st.builds(Audio, input=HEARD | st.just(UNSET), output=SPOKEN | st.just(UNSET)),
)


@given(SESSIONS)
def test_nothing_changes_nothing(session):
    assert merge(session, Session()) == session
    assert merge(Session(), session) == session


@given(SESSIONS, SESSIONS)
def test_the_same_change_twice_is_one_change(base, change):
    once = merge(base, change)
    assert merge(once, change) == once


@given(SESSIONS, SESSIONS, SESSIONS)
def test_changes_can_be_gathered_first(base, first, second):
    assert merge(merge(base, first), second) == merge(base, merge(first, second))


@given(SESSIONS, SESSIONS)
def test_what_a_change_names_holds_afterwards(base, change):
    merged = merge(base, change)
    for name in ("instructions", "tools", "tracing"):
        value = getattr(change, name)
        assert getattr(merged, name) == (getattr(base, name) if value is UNSET else value)
    if change.audio is not UNSET and change.audio.input is not UNSET:
        detection = change.audio.input.turn_detection
        if detection is not UNSET:
            assert turn_detection_of(merged) == detection


@given(SESSIONS)
def test_absent_fields_never_reach_the_wire_and_null_does(session):
    table = msgspec.json.decode(msgspec.json.encode(session))
    assert ("tracing" in table) == (session.tracing is not UNSET)
    assert msgspec.convert(table, Session) == session


def test_the_detection_in_force():
    assert turn_detection_of(Session()) is None
    assert turn_detection_of(Session(audio=Audio())) is None
    assert turn_detection_of(Session(audio=Audio(input=AudioInput()))) is None
    assert turn_detection_of(Session(audio=Audio(input=AudioInput(turn_detection=ServerVad())))) == ServerVad()


@pytest.mark.parametrize(("voice", "name"), [("marin", "marin"), ({"id": "voice_1"}, "voice_1"), (UNSET, None)])
def test_the_voice_in_force(voice, name):
    assert voice_of(Session(audio=Audio(output=AudioOutput(voice=voice)))) == name
    assert voice_of(Session()) is None
