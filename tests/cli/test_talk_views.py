"""The JSON lines are a contract; the text view is for eyes."""

from __future__ import annotations

import json

import pytest

from mrblue_cli.assistant.thinking import Thought
from mrblue_cli.cli.talk_views import TextView, json_line, summary_lines
from mrblue_cli.knowledge.model import Entry, Hit, Risk, Solution
from mrblue_cli.voice.charges import Charge, ChargeKind
from mrblue_cli.voice.events import (
    Advice,
    AssistantTranscript,
    Ended,
    Failure,
    KbHit,
    Levels,
    RungChanged,
    SessionStarted,
    Spent,
    State,
    StatusChanged,
    Summary,
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


def summary(**fields):
    nothing = dict.fromkeys(("latency_p50_ms", "latency_p95_ms", "barge_in_stop_p95_ms", "total_usd"))
    counts = dict.fromkeys(("underruns", "overruns", "reconnects", "fallbacks", "input_tokens", "output_tokens"), 0)
    return Summary(**{"turns": 1, **nothing, **counts, **fields})


def test_the_session_ends_with_a_few_lines_and_none_about_what_did_not_happen():
    view = TextView()
    assert view.lines(summary()) == ["", "        turns: 1"]
    full = summary(
        turns=12, latency_p50_ms=612, latency_p95_ms=1240, barge_in_stop_p95_ms=40, underruns=2, overruns=1,
        reconnects=3, fallbacks=1, input_tokens=90_000, output_tokens=1500, total_usd=0.4321,
    )  # fmt: skip
    assert view.lines(full) == [
        "",
        "        turns: 12, answered after 0.61 s, 95 % within 1.24 s",
        "        $0.432 spent, 91,500 tokens",
        "        interrupted: silence within 40 ms (95 %)",
        "        connections made again: 3, changes of the way to talk: 1",
        "        gaps in the sound: 2 played, 1 heard",
    ]


@pytest.mark.parametrize(
    ("money", "line"),
    [
        ({"total_usd": 0.0}, None),
        ({"unpriced": 2, "input_tokens": 70}, "70 tokens, at no known price"),
        (
            {"total_usd": 0.5, "unpriced": 1, "input_tokens": 70},
            "$0.500 spent, 70 tokens, some of them at no known price",
        ),
    ],
)
def test_money_is_told_as_far_as_it_is_known(money, line):
    assert summary_lines(summary(**money))[1:] == ([] if line is None else [f"        {line}"])


def test_money_and_numbers_have_json_of_their_own():
    charge = Charge(
        ChargeKind.REPLY, "gpt-realtime-2.1", text_input=3, cost_nano=12_000, engine="openai", rung="realtime"
    )
    told = json.loads(json_line(Spent(0.1, 0.2, 1.0, (charge,))))
    assert (told["type"], told["turn_usd"], told["total_usd"], told["limit_usd"]) == ("spent", 0.1, 0.2, 1.0)
    assert told["charges"][0]["kind"] == "reply"
    assert json.loads(json_line(summary(turns=4)))["turns"] == 4


def test_another_way_to_talk_is_told_with_its_reason():
    change = RungChanged("local", "local", "nothing listens at host:1; the talk goes on with local", code="connect")
    assert TextView().lines(change) == ["        nothing listens at host:1; the talk goes on with local"]
    told = json.loads(json_line(change))
    assert (told["type"], told["rung"], told["reason"]) == ("rung", "local", change.reason)


def test_a_cut_reply_is_marked():
    assert TextView().lines(AssistantTranscript("a1", "Found it: the", True, 900)) == ["Blue    Found it: the —"]


def test_a_destructive_solution_carries_its_warning():
    view = TextView()
    view.lines(KbHit("i1", hit(risk=Risk.DESTRUCTIVE)))
    assert "        Stop the holder  ! deletes data" in view.lines(AssistantTranscript("a1", "Yes.", True))


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
