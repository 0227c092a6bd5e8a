"""The ladder and the renewal in virtual time, with servers that are there, gone, or refuse."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from mrblue_cli.assistant.reasoning import Reasoner
from mrblue_cli.assistant.tools import Answer, Tool, ToolBox
from mrblue_cli.core.errors import AuthError, ConnectError
from mrblue_cli.knowledge.base import load_base
from mrblue_cli.protocol import client_events as c
from mrblue_cli.protocol import server_events as s
from mrblue_cli.protocol.items import Item
from mrblue_cli.protocol.server import ServerOutcome
from mrblue_cli.protocol.session import Session
from mrblue_cli.voice import controls as do
from mrblue_cli.voice import events as ev
from mrblue_cli.voice.options import TalkOptions
from mrblue_cli.voice.rungs import Rung, RungName
from mrblue_cli.voice.session import TalkSession
from mrblue_cli.voice.speakers import PacedSpeaker
from tests.fakes.cut_server import CutServer, CutWorld
from tests.fakes.virtual_time import LoopClock, run_virtual
from tests.voice.test_cuts import OwnIds

BASE = load_base()
HOUR = 3600.0


class Place:
    """Where one rung connects to: `error` set means that nobody is there."""

    def __init__(self, name, *, lives=None, error=None):
        self.name, self.lives, self.error = name, lives, error
        self.tries = 0
        self.world = CutWorld(1, 0, refusals=0.0)

    async def connect(self):
        self.tries += 1
        await asyncio.sleep(0.05)
        if self.error is not None:
            raise self.error
        now = asyncio.get_running_loop().time()
        server = CutServer(self.world.chance, expires_at=0 if self.lives is None else int(now + self.lives))
        self.world.servers.append(server)
        if self.lives is not None:
            server.loop.call_later(self.lives, server.cut)
        return server

    @property
    def server(self):
        return self.world.servers[-1]

    @property
    def open(self):
        return [server for server in self.world.servers if not server.lost.is_set()]


GONE = ConnectError("nothing listens there", hint="", retryable=True)


class Climb:
    """A typed talk over several rungs; `act(talk)` is the story."""

    def __init__(self, *places, names=(RungName.REALTIME, RungName.BATCH, RungName.TEXT), toolbox=None):
        self.places, self.names, self.toolbox = places, names, toolbox
        self.events = []

    def hold(self, act, limit=600):
        async def main():
            clock = LoopClock()
            self.session = TalkSession(
                TalkOptions(),
                rungs=[
                    Rung(name, place.name, place.connect, Session(), hears=name is not RungName.TEXT)
                    for name, place in zip(self.names, self.places, strict=False)
                ],
                microphone=None,
                speaker=PacedSpeaker(clock),
                reasoner=Reasoner(BASE),
                clock=clock,
                wall=clock,
                ids=OwnIds(),
                emit=self.events.append,
                toolbox=self.toolbox,
                tick_seconds=0.1 if limit > 1000 else 0.02,
            )

            async def story():
                try:
                    await act(self)
                finally:
                    self.session.end("done")

            telling = asyncio.ensure_future(story())
            await self.session.run()
            await telling

        run_virtual(main(), limit)
        return self

    async def settled(self):
        async with asyncio.timeout(60):
            while not self.session.flow.settled:
                await asyncio.sleep(0.05)

    async def ask(self, number):
        self.session.control(do.Say(f"question {number}"))
        async with asyncio.timeout(60):
            while not any(
                f"answer-{number}-5" in event.text for event in self.of(ev.AssistantTranscript) if event.final
            ):
                await asyncio.sleep(0.05)
        await self.settled()

    def answered(self, number):
        return any(f"answer-{number}-5" in event.text for event in self.of(ev.AssistantTranscript) if event.final)

    def of(self, kind):
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def told(self):
        return [(event.rung, event.reconnected) for event in self.of(ev.RungChanged)]


def test_a_refused_key_at_the_start_goes_on_below_and_is_told_once():
    async def act(talk):
        await talk.settled()
        await talk.ask(1)

    talk = Climb(Place("openai", error=AuthError("openai refused the key")), Place("batch")).hold(act)
    (told,) = talk.of(ev.RungChanged)
    assert (told.rung, told.engine, told.reconnected) == ("batch", "batch", False)
    assert "refused the key" in told.reason
    assert talk.of(ev.Failure) == []


def test_when_no_rung_stands_the_first_reason_is_the_one_failure():
    async def act(talk):
        await asyncio.sleep(1)

    talk = Climb(Place("openai", error=AuthError("openai refused the key")), Place("batch", error=GONE)).hold(act)
    assert [(event.code, event.fatal) for event in talk.of(ev.Failure)] == [("auth", True)]
    assert talk.events[-1] == ev.Ended("error")


def test_down_after_five_tries_and_up_again_when_it_can():
    async def act(talk):
        best = talk.places[0]
        await talk.settled()
        await talk.ask(1)
        best.error, before = GONE, best.tries
        best.server.cut()
        await talk.ask(2)
        talk.tries = best.tries - before
        assert talk.session.link.rung.name is RungName.BATCH
        best.error = None
        async with asyncio.timeout(60):
            while talk.session.link.rung.name is not RungName.REALTIME:
                await asyncio.sleep(0.1)
        await talk.ask(3)

    talk = Climb(Place("openai"), Place("batch")).hold(act)
    assert talk.tries == 5
    assert talk.told == [("batch", False), ("realtime", False)]
    assert [event.state for event in talk.of(ev.StatusChanged)].count(ev.State.RECONNECTING) == 1
    questions = [words for words in talk.places[0].server.said() if words.startswith("question")]
    assert questions == ["question 1", "question 2", "question 3"]
    assert talk.places[1].open == []


def test_a_fault_that_no_new_connection_mends_goes_down_at_once():
    async def act(talk):
        await talk.settled()
        detail = s.ErrorDetail(code="insufficient_quota", message="you exceeded your quota")
        talk.places[0].server.down.put_nowait((0.0, s.Error(error=detail)))
        await talk.ask(1)

    talk = Climb(Place("openai"), Place("batch")).hold(act)
    assert talk.places[0].tries == 1
    assert talk.told == [("batch", False)]
    assert talk.of(ev.Failure) == []


def test_the_person_may_ask_for_the_way_back():
    async def act(talk):
        await talk.settled()
        talk.session.control(do.RetryEngine())
        await asyncio.sleep(1)
        talk.places[0].error = None
        talk.session.control(do.RetryEngine())
        await asyncio.sleep(1)
        assert talk.session.link.rung.name is RungName.REALTIME
        talk.session.control(do.RetryEngine())

    talk = Climb(Place("openai", error=GONE), Place("batch")).hold(act)
    assert talk.told == [("batch", False), ("realtime", False)]
    said = [event.text for event in talk.of(ev.Advice)]
    assert said == ["not yet: nothing listens there", "this is the best way to talk that there is"]


def test_stepping_down_for_a_limit_waits_for_silence_and_drops_nothing():
    async def act(talk):
        await talk.settled()
        talk.session.control(do.Say("question 1"))
        while not talk.session.flow.audible:
            await asyncio.sleep(0.05)
        assert talk.session.link.step_down("the limit is used up")
        assert not talk.session.link.step_down("again")
        await asyncio.sleep(0.3)
        assert talk.session.link.rung.name is RungName.REALTIME
        await asyncio.sleep(5)
        assert talk.session.link.rung.name is RungName.BATCH
        await talk.ask(2)

    talk = Climb(Place("openai"), Place("batch")).hold(act)
    assert talk.told[0] == ("batch", False)
    assert "limit is used up" in talk.of(ev.RungChanged)[0].reason
    whole = [event for event in talk.of(ev.AssistantTranscript) if event.final and event.text]
    assert [event.heard_ms for event in whole] == [None, None]


def test_holding_delays_what_is_sent_and_loses_nothing():
    async def act(talk):
        await talk.settled()
        talk.session.link.hold(5.0)
        began = talk.session.now_ms
        await talk.ask(1)
        assert talk.session.now_ms - began >= 5000

    Climb(Place("openai")).hold(act)


def test_below_all_rungs_the_talk_goes_on_in_writing():
    async def act(talk):
        await talk.settled()
        await talk.ask(1)

    talk = Climb(Place("openai", error=GONE), Place("batch", error=GONE), Place("text")).hold(act)
    (told,) = talk.of(ev.RungChanged)
    assert told.rung == "text"
    assert "type instead" in told.reason
    assert not talk.session.hearing.wanted


def test_four_hours_with_sessions_of_one_nobody_notices():
    async def act(talk):
        await talk.settled()
        for number in range(1, 13):
            await talk.ask(number)
            await asyncio.sleep(HOUR / 3 - 20)

    talk = Climb(Place("openai", lives=HOUR)).hold(act, limit=5 * HOUR)
    assert talk.told == []
    assert talk.of(ev.Failure) == []
    assert len(talk.of(ev.SessionStarted)) == 1
    assert ev.State.RECONNECTING not in [event.state for event in talk.of(ev.StatusChanged)]
    place = talk.places[0]
    assert 10 <= place.tries <= 14
    said = [event.text for event in talk.of(ev.UserTranscript) if event.final]
    assert said == [f"question {number}" for number in range(1, 13)]
    assert [words for words in place.server.said() if words.startswith("question")] == said
    assert place.open == []


def test_a_session_that_expires_all_the_same_is_made_anew():
    async def act(talk):
        await talk.settled()
        detail = s.ErrorDetail(code="session_expired", message="60 minutes")
        talk.places[0].server.down.put_nowait((0.0, s.Error(error=detail)))
        await asyncio.sleep(3)
        await talk.ask(1)

    talk = Climb(Place("openai")).hold(act)
    assert talk.told == [("realtime", True)]
    assert talk.of(ev.Failure) == []


def test_what_is_typed_while_nobody_listens_is_shown_at_once_and_answered_later():
    async def act(talk):
        await talk.settled()
        await talk.ask(1)
        talk.places[0].error = GONE
        talk.places[0].server.cut()
        await asyncio.sleep(0.1)
        talk.session.control(do.Say("question 2"))
        assert talk.of(ev.UserTranscript)[-1].text == "question 2"
        talk.places[0].error = None
        await talk.settled()
        async with asyncio.timeout(10):
            while not talk.answered(2):
                await asyncio.sleep(0.05)

    talk = Climb(Place("openai")).hold(act)
    assert [event.text for event in talk.of(ev.UserTranscript)] == ["question 1", "question 2"]
    creates = [event.item.text for event in talk.places[0].server.received if isinstance(event, c.CreateItem)]
    assert creates == ["question 1", " ".join(f"answer-1-{piece}" for piece in range(6)), "question 2"]
    kinds = [type(event) for event in talk.places[0].server.received]
    assert kinds == [c.SessionUpdate, c.CreateItem, c.CreateItem, c.CreateItem, c.CreateResponse]


class Nothing(msgspec.Struct, frozen=True):
    """No parameters."""


@pytest.mark.parametrize("seconds", [0.1, 5.0])
def test_a_tool_under_way_finishes_once_and_the_next_session_learns_of_it(seconds):
    ran = []

    async def run(_):
        ran.append(1)
        await asyncio.sleep(seconds)
        return Answer({"found": "a table for two"}, "there is a table")

    async def act(talk):
        await talk.settled()
        server = talk.places[0].server
        server.conversation.receive = lambda event: ServerOutcome()  # what it says comes from here
        talk.session.control(do.Say("question 1"))
        await asyncio.sleep(0.1)
        call = Item(type="function_call", id="call", call_id="call_1", name="look", arguments="{}")
        done = s.ResponseState(id="r", status="completed", output=(call,), conversation_id="x")
        began = s.ResponseState(id="r", status="in_progress", conversation_id="x")
        for event in (s.ResponseCreated(response=began), s.ResponseDone(response=done)):
            server.down.put_nowait((0.0, event))
        while not ran:
            await asyncio.sleep(0.01)
        server.cut()
        async with asyncio.timeout(30):
            while not talk.answered(1):
                await asyncio.sleep(0.05)

    toolbox = ToolBox((Tool("look", "Look for a table.", Nothing, run),))
    talk = Climb(Place("openai"), toolbox=toolbox).hold(act)
    assert ran == [1]
    notes = [item for item in talk.places[0].server.conversation.history if item.role == "system"]
    assert len(notes) == 1
    assert "a table for two" in notes[0].text
    asked = [event for event in talk.places[0].server.received if isinstance(event, c.CreateResponse)]
    assert len(asked) == 1
