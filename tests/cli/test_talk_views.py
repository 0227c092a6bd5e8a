"""The JSON lines are a contract; the text view is for eyes."""

from __future__ import annotations

import json

import pytest

from mrblue_cli.assistant.thinking import Thought
from mrblue_cli.cli.talk_views import TextView, json_line
from mrblue_cli.knowledge.model import Entry, Hit, Risk, Solution
from mrblue_cli.voice.events import (
    Advice,
    AssistantTranscript,
    Ended,
    Failure,
    KbHit,
    Levels,
    SessionStarted,
    State,
    StatusChanged,
    Thinking,
    TurnMeasured,
    TurnMode,
    UserTranscript,
)


def hit(entry_id="node/port-in-use", title="Port already in use", confidence=0.9444, risk=Risk.CHANGES):
    solution = Solution("Stop the holder", ("lsof -i :3000", "kill <PID>"), 90, risk)
    entry = Entry(
        id=entry_id,
        title=title,
        category="node",
        symptoms=("EADDRINUSE",),
        spoken=(),
        causes=("another process",),
        solutions=(solution,),
        sources=(),
        matches=(),
        rejects=(),
    )
    return Hit(entry=entry, confidence=confidence, solutions=(solution,))


TURN = TurnMeasured(
    speech_end_ms=100,
    commit_ms=600,
    first_audio_ms=700,
    first_sample_ms=820,
    barge_in_stop_ms=None,
    underruns=0,
    usage={"total_tokens": 3},
    cost_usd=0.0,
)

CONTRACT = [
    (
        SessionStarted("local", "whisper-base", "ga", TurnMode.HANDS_FREE),
        {"type": "session", "engine": "local", "model": "whisper-base", "dialect": "ga"},
    ),
    (
        UserTranscript("i1", "größe", True),
        {"type": "user_transcript", "item_id": "i1", "text": "größe", "final": True},
    ),
    (
        KbHit("i1", hit()),
        {"type": "kb_hit", "id": "node/port-in-use", "title": "Port already in use", "confidence": 0.94},
    ),
    (
        Thinking(Thought("analysing", "port in use", 0.987), 120, "i1"),
        {"type": "thinking", "stage": "analysing", "text": "port in use", "confidence": "high"},
    ),
    (
        Thinking(Thought("understanding", "2 words"), 5),
        {"type": "thinking", "stage": "understanding", "text": "2 words", "confidence": None},
    ),
    (
        AssistantTranscript("a1", "Found", True, 420),
        {"type": "assistant_transcript", "item_id": "a1", "text": "Found", "final": True, "heard_ms": 420},
    ),
    (StatusChanged(State.HEARING), {"type": "status", "state": "hearing you"}),
    (
        TURN,
        {
            "type": "turn",
            "speech_end_ms": 100,
            "commit_ms": 600,
            "first_audio_ms": 700,
            "first_sample_ms": 820,
            "barge_in_stop_ms": None,
            "underruns": 0,
            "usage": {"total_tokens": 3},
            "cost_usd": 0.0,
            "overruns": 0,
            "dropped_chunks": 0,
        },
    ),
    (
        Failure("connect", "gone", True, "try again"),
        {"type": "error", "code": "connect", "message": "gone", "fatal": True},
    ),
    (Ended("done"), {"type": "end", "reason": "done"}),
]


@pytest.mark.parametrize(("event", "fields"), CONTRACT, ids=lambda value: type(value).__name__)
def test_each_event_renders_the_keys_of_the_contract(event, fields):
    line = json_line(event)
    assert line is not None
    assert "\n" not in line
    assert json.loads(line) == fields
    assert next(iter(json.loads(line))) == "type"


@pytest.mark.parametrize("event", [Advice("half duplex"), Levels(0.1, 0.2)])
def test_what_is_for_screens_only_has_no_json(event):
    assert json_line(event) is None


def test_text_shows_the_question_the_fix_and_the_answer_in_reading_order():
    view = TextView()
    events = [
        SessionStarted("local", "whisper-base", "ga", TurnMode.HANDS_FREE),
        UserTranscript("i1", "i get add", False),
        UserTranscript("i1", "I get address already in use", True),
        KbHit("i1", hit(confidence=0.4)),
        KbHit("i1", hit()),
        AssistantTranscript("a1", "Found it", False),
        AssistantTranscript("a1", "Found it: the port is taken.", True),
        TURN,
        Ended("done"),
    ]
    lines = [line for event in events for line in view.lines(event)]
    assert lines == [
        "mrblue  local engine · whisper-base",
        "",
        "You     I get address already in use",
        "Fix     Port already in use  (94%)",
        "        Stop the holder",
        "        1  lsof -i :3000",
        "        2  kill <PID>",
        "Blue    Found it: the port is taken.",
        "        answered after 0.72 s",
    ]


def test_a_cut_reply_is_marked():
    assert TextView().lines(AssistantTranscript("a1", "Found it: the", True, 900)) == ["Blue    Found it: the —"]


def test_a_destructive_solution_carries_its_warning():
    view = TextView()
    view.lines(KbHit("i1", hit(risk=Risk.DESTRUCTIVE)))
    assert "        Stop the holder  ! destroys data" in view.lines(AssistantTranscript("a1", "Yes.", True))


def test_the_same_fix_is_shown_once():
    view = TextView()
    view.lines(KbHit("i1", hit()))
    assert len(view.lines(AssistantTranscript("a1", "One.", True))) > 1
    view.lines(KbHit("i2", hit()))
    assert view.lines(AssistantTranscript("a2", "Two.", True)) == ["Blue    Two."]


def test_what_was_said_in_an_earlier_sitting_is_marked():
    asked = UserTranscript("past_1", "port in use", final=True, earlier=True)
    told = AssistantTranscript("past_2", "Found", True, heard_ms=0, earlier=True)
    assert json.loads(json_line(asked)) == {
        "type": "user_transcript", "item_id": "past_1", "text": "port in use", "final": True, "earlier": True,
    }  # fmt: skip
    assert json.loads(json_line(told))["earlier"] is True
    view = TextView()
    assert view.lines(asked) == ["  You     port in use"]
    assert view.lines(told) == ["  Blue    Found —"]
    assert view.lines(UserTranscript("item_1", "now", final=True)) == ["", "You     now"]
