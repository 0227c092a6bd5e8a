"""Pictures of the screen in every state; a change shows in the diff. Renew them with `pytest --snapshot-update`."""

from __future__ import annotations

import pytest

from mrblue_cli.assistant.brain import KnowledgeBrain, Question
from mrblue_cli.assistant.reasoning import Reasoner
from mrblue_cli.assistant.thinking import Thought
from mrblue_cli.core.texts import tell
from mrblue_cli.tui.app import TalkApp
from mrblue_cli.tui.options import TuiOptions
from mrblue_cli.voice import events as ev
from tests.fakes import conversation
from tests.fakes.talk_handle import FakeTalkHandle

STATES = {
    "connecting": [],
    "listening": conversation.connected(),
    "hearing": [
        *conversation.connected(),
        ev.StatusChanged(ev.State.HEARING),
        ev.UserTranscript("q1", "I get address already in", False),
        ev.Thinking(Thought("analysing", "type: port in use", 0.7), 900, "q1"),
    ],
    "thinking": [*conversation.connected(), *conversation.question()],
    "speaking": [*conversation.connected(), *conversation.question(), *conversation.answer()],
    "muted": [*conversation.connected(), ev.StatusChanged(ev.State.MUTED)],
    "reconnecting": [*conversation.whole(), ev.StatusChanged(ev.State.RECONNECTING)],
    "cut": [*conversation.whole(), ev.AssistantTranscript("a1", "Found it: port already", True, 900)],
    "failed": [*conversation.whole(), ev.Failure("connect", "the connection was lost", True, "check the network")],
    "text-mode": [ev.SessionStarted("local", "m", "ga", ev.TurnMode.HANDS_FREE, None, None)],
}


def picture(snap_compare, events, size, theme="mrblue", press=()):
    handle = FakeTalkHandle()
    app = TalkApp(handle, TuiOptions(theme=theme))

    async def play(pilot):
        await pilot.pause()
        for event in events:
            handle.emit(event)
        await pilot.pause()
        for key in press:
            await pilot.press(key)
        app.screen.set_focus(None)
        await pilot.pause()
        await pilot.pause()

    assert snap_compare(app, terminal_size=size, run_before=play)


@pytest.mark.parametrize("state", STATES)
def test_every_state(snap_compare, state):
    picture(snap_compare, STATES[state], (120, 36))


@pytest.mark.parametrize("size", [(80, 24), (100, 30), (60, 20), (160, 45)], ids=str)
def test_every_size(snap_compare, size):
    picture(snap_compare, conversation.whole(), size)


def test_the_light_theme(snap_compare):
    picture(snap_compare, conversation.whole(), (120, 36), theme="mrblue-light")


def test_help(snap_compare):
    picture(snap_compare, conversation.whole(), (100, 34), press=["question_mark"])


@pytest.mark.usefixtures("spanish")
def test_in_spanish(snap_compare):
    text = "dirección ya en uso en el puerto 3000"
    reasoned = Reasoner(conversation.BASE, platform="linux").hear("q1", text, final=True)
    events = [
        *conversation.connected(),
        ev.UserTranscript("q1", text, True),
        *(ev.Thinking(thought, 2000, "q1") for thought in reasoned.thoughts),
        *(ev.KbHit("q1", hit) for hit in reasoned.hits),
        *conversation.answer(text=KnowledgeBrain(conversation.BASE, platform="linux").try_answer(Question(text))),
        ev.Advice(tell("now listening through '{name}'", name="USB")),
        ev.StatusChanged(ev.State.LISTENING),
    ]
    picture(snap_compare, events, (120, 36))
