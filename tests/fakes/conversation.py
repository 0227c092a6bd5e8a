"""A realistic piece of conversation, as events; for the screen's tests and pictures."""

from __future__ import annotations

from mrblue_cli.assistant.thinking import Thought
from mrblue_cli.knowledge.base import load_base
from mrblue_cli.voice.events import (
    AssistantTranscript,
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

BASE = load_base()
SESSION = SessionStarted("local", "mrblue-local", "ga", TurnMode.HANDS_FREE, "MacBook microphone", "speakers")
QUESTION = "I get address already in use on port 3000."
ANSWER = (
    "Found it: port already in use. Another process still listens on the port. First, lsof -i :3000. Then, kill <PID>. "
    "The rest is on the screen."
)


def hits(item_id="q1", text=QUESTION):
    return [KbHit(item_id, hit) for hit in BASE.search(f"{text} docker port allocated").hits]


def question(item_id="q1", text=QUESTION):
    return [
        StatusChanged(State.HEARING),
        UserTranscript(item_id, text, True),
        Thinking(Thought("understanding", "heard 9 words"), 2000, item_id),
        Thinking(Thought("analysing", "type: port in use", 0.9), 2010, item_id),
        Thinking(Thought("analysing", "2 candidates, best 97 %: Port already in use", 0.97), 2020, item_id),
        *[KbHit(item_id, hit) for hit in BASE.search(text).hits],
        StatusChanged(State.THINKING),
    ]


def answer(item_id="a1", text=ANSWER):
    return [
        Thinking(Thought("generating", "reply started"), 2480),
        StatusChanged(State.SPEAKING),
        AssistantTranscript(item_id, text, False),
        Levels(0.1, 0.7),
        AssistantTranscript(item_id, text, True),
        TurnMeasured(1500, 2000, 2400, 2510, None, 0, None, 0.0),
    ]


def connected():
    return [SESSION, StatusChanged(State.LISTENING), Levels(0.3, 0.0), Levels(0.6, 0.0), Levels(0.2, 0.0)]


def whole():
    return [*connected(), *question(), *answer(), StatusChanged(State.LISTENING)]
