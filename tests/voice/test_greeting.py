"""Who greets: the assistant, once, before the person says anything."""

from __future__ import annotations

import asyncio

from mrblue_cli.assistant.reasoning import Reasoner
from mrblue_cli.assistant.roles import GREET
from mrblue_cli.core.ids import CountingIds
from mrblue_cli.knowledge.base import load_base
from mrblue_cli.protocol import client_events as c
from mrblue_cli.protocol.session import Session
from mrblue_cli.voice import controls as do
from mrblue_cli.voice import events as ev
from mrblue_cli.voice.dialogue import Said, Who
from mrblue_cli.voice.options import TalkOptions
from mrblue_cli.voice.rungs import Rung, RungName
from mrblue_cli.voice.session import TalkSession
from mrblue_cli.voice.speakers import PacedSpeaker
from tests.fakes.realtime_server import MemoryServer
from tests.fakes.virtual_time import LoopClock, run_virtual

BASE = load_base()


def held(greeting, act, past=(), early=()):
    """A talk that is greeted, with what the person does beside it. Returns the events and what the server got."""
    events = []

    async def main():
        server = MemoryServer(reply="Welcome.")

        async def connect():
            return server

        clock = LoopClock()
        session = TalkSession(
            TalkOptions(greeting=greeting),
            rungs=(Rung(RungName.LOCAL, "local", connect, Session()),),
            microphone=None,
            speaker=PacedSpeaker(clock),
            reasoner=Reasoner(BASE),
            clock=clock,
            ids=CountingIds(),
            emit=events.append,
            past=past,
        )
        for text in early:
            session.control(do.Say(text))
        job = asyncio.ensure_future(act(session, events))
        await session.run()
        await job
        return server

    server = run_virtual(main(), 120)
    return events, [event.response for event in server.sent(c.CreateResponse)]


async def wait(session, _events):
    await asyncio.sleep(6)
    session.end("done")


def final(events):
    return [event.text for event in events if isinstance(event, ev.AssistantTranscript) and event.final]


def test_it_is_said_first_and_is_no_turn_of_the_person():
    events, requests = held("Welcome.", wait)
    assert [request.instructions for request in requests] == [f"{GREET}Welcome."]
    assert final(events) == ["Welcome."]
    assert not any(isinstance(event, ev.TurnMeasured) for event in events)
    states = [str(event.state) for event in events if isinstance(event, ev.StatusChanged)]
    assert states[-3:] == ["thinking", "speaking", "listening"]


def test_the_person_may_break_in():
    async def act(session, events):
        while not any(isinstance(event, ev.StatusChanged) and event.state is ev.State.SPEAKING for event in events):
            await asyncio.sleep(0.05)
        session.control(do.Say("address already in use port 3000"))
        await wait(session, events)

    events, requests = held("Welcome.", act)
    assert len(requests) == 2
    cut = next(event for event in events if isinstance(event, ev.AssistantTranscript) and event.heard_ms is not None)
    assert cut.heard_ms < 2000
    assert any(isinstance(event, ev.TurnMeasured) for event in events)


def test_nobody_is_greeted_twice_or_while_they_speak():
    _, requests = held("", wait)
    assert requests == []
    past = (Said("item_0", Who.USER, "hello"),)
    _, requests = held("Welcome.", wait, past=past)
    assert requests == []
    _, requests = held("Welcome.", wait, early=["address already in use"])
    assert len(requests) == 1
    assert GREET not in str(requests[0])
