"""Whole talks in virtual time about what one part of the session does while another is in the middle of something."""

from __future__ import annotations

import asyncio
import dataclasses

import msgspec
import numpy as np
import pytest

from mrblue_cli.assistant.reasoning import Reasoner
from mrblue_cli.assistant.tools import Answer, Tool, ToolBox
from mrblue_cli.audio.gate import EchoChoice, Route
from mrblue_cli.audio.pcm import RATE
from mrblue_cli.audio.wav import WavAudio
from mrblue_cli.core.errors import ConnectError
from mrblue_cli.core.ids import CountingIds
from mrblue_cli.protocol import client_events as c
from mrblue_cli.protocol import commands as cmd
from mrblue_cli.protocol import server_events as s
from mrblue_cli.protocol.session import Session
from mrblue_cli.voice import controls as do
from mrblue_cli.voice import events as ev
from mrblue_cli.voice.dialogue import Said, Who
from mrblue_cli.voice.microphones import ClockMicrophone
from mrblue_cli.voice.options import TalkOptions
from mrblue_cli.voice.rungs import Rung, RungName
from mrblue_cli.voice.session import TalkSession
from mrblue_cli.voice.speakers import PacedSpeaker
from tests.fakes.realtime_server import MemoryServer
from tests.fakes.virtual_time import LoopClock, run_virtual
from tests.voice.test_interruption import murmur
from tests.voice.test_session import BASE, WAV, quiet

LONG = " ".join(f"word{number}" for number in range(100))
BOTH = pytest.mark.parametrize("mode", [ev.TurnMode.HANDS_FREE, ev.TurnMode.LOCAL_VAD])


UNIX = 1_800_000_000


class WallClock(LoopClock):
    """Unix seconds."""

    def now(self):
        return UNIX + super().now()


class OwnIds(CountingIds):
    """The servers count as well, each from one."""

    def new(self, prefix):
        return super().new(f"own_{prefix}")


class Server(MemoryServer):
    """One connection of a world; it keeps what it was asked, and may be slow to begin a reply."""

    def __init__(self, world):
        self.world = world
        self.open = True
        self.orders = []
        super().__init__(
            heard=world.heard, heard_after=world.heard_after, reply=world.reply, reply_seconds=world.reply_seconds
        )
        if world.lives is not None:
            self.created.session["expires_at"] = int(UNIX + LoopClock().now() + world.lives)

    def drop(self):
        if self.open:
            self.open = False
            super().drop()

    def lost_error(self):
        return ConnectError("the connection was lost (code 1006)", hint="check the network", retryable=True)

    async def send(self, *events):
        if self.world.lag and not isinstance(events[0], c.AppendAudio):
            await asyncio.sleep(self.world.lag)
        await super().send(*events)

    def apply(self, outcome):
        if self.open:
            super().apply(outcome)

    def act(self, command):
        if isinstance(command, cmd.StartReply):
            self.orders.append(command)
            if self.world.reply_after is None:
                return
            asyncio.get_running_loop().call_later(self.world.reply_after, super().act, command)
            return
        super().act(command)

    def knows(self):
        """Role and words of the conversation as it was told, oldest first; speech has no words here."""
        return [(item.role, item.text) for item in self.conversation.history if item.type == "message"]


class World:
    """One talk over as many connections as it takes, on one rung or several."""

    def __init__(self, mode=ev.TurnMode.HANDS_FREE, *, lower=None, heard="port in use", **server):
        self.mode, self.lower, self.heard = mode, lower, heard
        self.heard_after = server.get("heard_after", 0.0)
        self.reply = server.get("reply", LONG)
        self.reply_seconds = server.get("reply_seconds", 20.0)
        self.reply_after = server.get("reply_after", 0.0)
        self.events, self.servers, self.lowers, self.options = [], [], [], {}
        self.down = False
        self.join_seconds = 0.2
        self.lag = 0.0
        """Seconds on the way to the server."""
        self.lives = None
        """Seconds until a session expires."""
        self.tools = ()
        self.past = ()
        self.server_class = Server

    def hold(self, act):
        async def main():
            clock = LoopClock()
            self.microphone = ClockMicrophone(clock)
            self.speaker = PacedSpeaker(clock)
            rungs = [Rung(RungName.REALTIME, "openai", self.connect, Session())]
            if self.lower is not None:
                rungs.append(dataclasses.replace(self.lower, connect=self.connect_lower))
            self.session = TalkSession(
                TalkOptions(turn_mode=self.mode, **{"reply_timeout_seconds": 20, **self.options}),
                rungs=rungs,
                microphone=self.microphone,
                speaker=self.speaker,
                reasoner=Reasoner(BASE),
                clock=clock,
                ids=OwnIds(),
                emit=self.events.append,
                toolbox=ToolBox(self.tools),
                past=self.past,
                wall=WallClock(),
            )
            acting = asyncio.ensure_future(self.play(act))
            await self.session.run()
            acting.cancel()
            if acting.done() and not acting.cancelled():
                acting.result()

        run_virtual(main(), 4000)
        return self

    async def play(self, act):
        try:
            await self.until(lambda: self.session.flow.settled)
            await act(self)
        finally:
            self.session.control(do.Quit())

    async def connect(self):
        await asyncio.sleep(self.join_seconds)
        if self.down:
            raise ConnectError("nothing listens at host", hint="", retryable=True)
        self.servers.append(self.server_class(self))
        return self.servers[-1]

    async def connect_lower(self):
        await asyncio.sleep(self.join_seconds)
        self.lowers.append(Server(self))
        return self.lowers[-1]

    @property
    def server(self):
        return self.servers[-1]

    async def until(self, met, seconds=60.0):
        async with asyncio.timeout(seconds):
            while not met():
                await asyncio.sleep(0.01)

    def say(self, *parts):
        pieces = [quiet(part) if isinstance(part, float) else part for part in parts]
        self.microphone.load(WavAudio(np.concatenate(pieces), RATE))

    def of(self, kind):
        return [event for event in self.events if isinstance(event, kind)]

    def words(self):
        return [event.text for event in self.of(ev.UserTranscript) if event.final]

    def replies(self):
        return [event for event in self.of(ev.AssistantTranscript) if event.final and event.text]

    def cuts(self):
        return [event for event in self.replies() if event.heard_ms is not None]

    def states(self):
        return [str(event.state) for event in self.of(ev.StatusChanged)]


TEXT = Rung(RungName.TEXT, "text", None, Session(), hears=False, speaks=False)
LOCAL = Rung(RungName.LOCAL, "local", None, Session())


# Speech over a reply, and a cut -----------------------------------------------------------------------------------


@BOTH
@pytest.mark.parametrize(("said", "stops"), [("stop", True), ("mm-hm", False)])
def test_words_over_a_reply_count_though_the_connection_is_lost_before_they_are_known(mode, said, stops):
    async def act(world):
        world.session.control(do.Say("tell me"))
        await world.until(lambda: world.session.flow.audible)
        await asyncio.sleep(2)
        world.say(murmur(), 1.5)
        await world.until(lambda: world.session.flow.paused)
        await asyncio.sleep(1.2)  # the turn is complete, its words are not back
        world.server.drop()
        await world.until(lambda: len(world.servers) == 2 and world.session.flow.connected)
        await asyncio.sleep(8)
        world.playing = world.session.speaking.playing
        await world.until(lambda: world.session.flow.settled)

    world = World(mode, heard=[said, said], heard_after=1.0).hold(act)
    assert len(world.cuts()) == stops
    asked = [event for server in world.servers for event in server.sent(c.CreateResponse)]
    assert len(asked) == 1 + stops
    assert world.of(ev.Failure) == []


def test_a_short_word_said_while_the_connection_is_away_is_answered():
    async def act(world):
        world.session.control(do.Say("tell me"))
        await world.until(lambda: world.session.flow.audible)
        await asyncio.sleep(2)
        world.down = True
        world.server.drop()
        world.say(murmur(), 1.5)
        await asyncio.sleep(1.6)
        world.down = False
        await world.until(lambda: len(world.servers) == 2 and world.session.flow.connected)
        await asyncio.sleep(5)
        await world.until(lambda: world.session.flow.settled)

    world = World(ev.TurnMode.LOCAL_VAD, heard=["stop"]).hold(act)
    assert len(world.cuts()) == 1
    assert len(world.servers[1].sent(c.CreateResponse)) == 1
    assert world.words() == ["tell me", "stop"]


def test_a_turn_that_was_finished_while_away_does_not_unsettle_the_next_ones():
    async def act(world):
        world.down = True
        world.server.drop()
        world.say(WAV.samples, 1.0)
        await asyncio.sleep(len(WAV.samples) / RATE + 1)
        world.down = False
        await world.until(lambda: world.session.flow.audible)
        await asyncio.sleep(2)
        world.say(murmur(), 3.0)
        await world.until(lambda: world.session.flow.paused)
        await asyncio.sleep(4)
        await world.until(lambda: world.session.flow.settled)

    world = World(ev.TurnMode.LOCAL_VAD, heard=["port in use", "stop"], heard_after=0.3).hold(act)
    assert world.words() == ["port in use", "stop"]
    assert len(world.cuts()) == 1
    assert len(world.servers[-1].sent(c.CreateResponse)) == 2


@BOTH
def test_a_cut_while_somebody_speaks_over_the_reply(mode):
    async def act(world):
        world.session.control(do.Say("tell me"))
        await world.until(lambda: world.session.flow.audible)
        await asyncio.sleep(2)
        world.say(WAV.samples, 2.0)
        await world.until(lambda: world.session.flow.paused)
        world.server.drop()
        await world.until(lambda: len(world.servers) == 2 and world.session.flow.connected)
        await asyncio.sleep(6)
        await world.until(lambda: world.session.flow.settled)

    world = World(mode).hold(act)
    assert len(world.cuts()) == 1
    assert world.words() == ["tell me", "port in use"]
    assert len(world.servers[1].sent(c.CreateResponse)) == 1


def test_a_forgotten_cough_stays_forgotten_in_the_next_session():
    async def act(world):
        world.session.control(do.Say("tell me"))
        await world.until(lambda: world.session.flow.audible)
        await asyncio.sleep(1)
        world.say(murmur(), 1.5)
        await world.until(lambda: world.servers[0].sent(c.DeleteItem))
        world.server.drop()
        await world.until(lambda: len(world.servers) == 2 and world.session.flow.connected)
        await world.until(lambda: world.session.flow.settled)

    world = World(heard=["mm-hm"]).hold(act)
    assert world.words() == ["tell me"]
    assert len(world.replies()) == 1
    assert next(words for _, words in world.servers[1].knows()) == "tell me"
    assert len(world.servers[1].sent(c.CommitAudio)) == 0
    assert len(world.servers[1].sent(c.CreateResponse)) == 0


# What was asked for, and taken back -------------------------------------------------------------------------------


def test_esc_holds_though_the_connection_is_lost_before_the_reply_begins():
    async def act(world):
        world.server.deaf = True
        world.session.control(do.Say("tell me"))
        await asyncio.sleep(0.1)
        world.session.control(do.StopReply())
        world.server.drop()
        await world.until(lambda: len(world.servers) == 2 and world.session.flow.connected)
        await asyncio.sleep(3)
        assert world.session.flow.settled

    world = World().hold(act)
    assert world.replies() == []
    assert world.servers[1].sent(c.CreateResponse) == []


def test_a_greeting_that_was_lost_is_asked_for_again():
    async def act(world):
        await world.until(lambda: len(world.servers) == 2)
        await world.until(lambda: world.session.flow.settled and world.replies())

    async def first(world):
        await world.until(lambda: world.servers and world.servers[0].sent(c.CreateResponse))
        world.servers[0].drop()
        world.reply_after = 0.0

    world = World(reply="Hello!", reply_seconds=1.0, reply_after=None)
    world.options["greeting"] = "Hello!"
    play = world.play

    async def both(act):
        await first(world)
        await play(act)

    world.play = both
    world.hold(act)
    asked = [server.sent(c.CreateResponse) for server in world.servers]
    assert [len(events) for events in asked] == [1, 1]
    assert asked[1][0].response.instructions == asked[0][0].response.instructions


def test_a_resumed_talk_is_told_once_and_in_order_to_every_session():
    async def act(world):
        await world.until(lambda: world.session.flow.settled)
        world.session.control(do.Say("third"))
        await world.until(lambda: world.session.turns_finished == 1)
        world.server.drop()
        await world.until(lambda: len(world.servers) == 2 and world.session.flow.settled)

    world = World(reply="Fine.", reply_seconds=1.0)
    world.options["greeting"] = "Hello!"
    world.past = (Said("item_1", Who.USER, "first"), Said("item_2", Who.ASSISTANT, "second", cut=True))
    world.hold(act)
    told = [("user", "first"), ("assistant", "second —"), ("user", "third"), ("assistant", "Fine.")]
    assert world.servers[0].knows() == told
    assert world.servers[1].knows() == told
    assert [said.text for said in world.session.dialogue.said] == ["first", "second", "third", "Fine."]


def test_typed_words_while_away_are_told_and_answered_once():
    async def act(world):
        world.down = True
        world.server.drop()
        await world.until(lambda: world.session.flow.reconnecting)
        world.session.control(do.Say("one"))
        world.session.control(do.Say("two"))
        world.down = False
        await world.until(lambda: world.session.flow.connected)
        await world.until(lambda: world.session.flow.settled)

    world = World(reply="Fine.", reply_seconds=1.0).hold(act)
    assert world.words() == ["one", "two"]
    assert world.servers[1].knows() == [("user", "one"), ("user", "two"), ("assistant", "Fine.")]


# Ways down and up -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", list(ev.TurnMode))
def test_down_to_writing_in_the_middle_of_a_word_and_up_again(mode):
    async def act(world):
        world.down = True
        if mode is ev.TurnMode.PUSH_TO_TALK:
            world.session.control(do.TalkKey(down=True))
        world.say(WAV.samples, 60.0)
        await asyncio.sleep(1.5)
        world.server.drop()
        await world.until(lambda: world.lowers and world.session.flow.connected)
        await asyncio.sleep(0.5)
        assert world.session.flow.settled
        world.session.control(do.Say("typed"))
        await world.until(lambda: world.session.turns_finished == 1)
        world.down = False
        await world.until(lambda: world.session.link.rung.name is RungName.REALTIME, 120.0)
        world.session.control(do.Say("again"))
        await world.until(lambda: world.session.turns_finished == 2)

    world = World(mode, lower=TEXT, reply="Fine.", reply_seconds=1.0).hold(act)
    assert [event.rung for event in world.of(ev.RungChanged)] == ["text", "realtime"]
    assert world.servers[-1].knows()[:2] == [("user", "typed"), ("assistant", "Fine.")]


def test_the_talk_key_in_writing_tells_that_nobody_listens():
    async def act(world):
        world.down = True
        world.server.drop()
        await world.until(lambda: world.lowers and world.session.flow.connected)
        before = len(world.of(ev.Advice))
        world.session.control(do.TalkKey(down=True))
        await asyncio.sleep(1)
        world.session.control(do.TalkKey(down=False))
        await asyncio.sleep(1)
        assert world.session.flow.settled
        assert len(world.of(ev.Advice)) == before + 1

    world = World(ev.TurnMode.PUSH_TO_TALK, lower=TEXT).hold(act)
    assert world.lowers[0].sent(c.CommitAudio) == []
    assert world.lowers[0].sent(c.CreateResponse) == []


class Broke(Server):
    """A server whose account is empty: the reply fails."""

    def act(self, command):
        if isinstance(command, cmd.StartReply):
            self.apply(self.conversation.reply_failed(command.response_id, "insufficient_quota", "no money"))
            return
        super().act(command)


def test_a_question_that_met_an_empty_account_is_answered_below():
    async def act(world):
        world.session.control(do.Say("tell me"))
        await world.until(lambda: world.lowers and world.session.flow.connected)
        await asyncio.sleep(3)

    world = World(lower=LOCAL, reply="Fine.", reply_seconds=1.0)
    world.server_class = Broke
    world.hold(act)
    assert [event.text for event in world.replies()] == ["Fine."]


def test_what_is_put_off_for_a_limit_does_not_hold_another_way():
    async def act(world):
        world.session.link.hold(50)
        world.down = True
        world.server.drop()
        await world.until(lambda: world.lowers and world.session.flow.connected)
        world.session.control(do.Say("tell me"))
        await world.until(lambda: world.session.turns_finished == 1, 10.0)

    World(lower=LOCAL, reply="Fine.", reply_seconds=1.0).hold(act)


def test_who_waits_for_a_limit_is_not_told_that_the_server_is_late():
    async def act(world):
        world.session.link.hold(50)
        world.session.control(do.Say("tell me"))
        await world.until(lambda: world.session.turns_finished == 1, 70.0)

    world = World(reply="Fine.", reply_seconds=1.0).hold(act)
    assert world.of(ev.Failure) == []
    assert len(world.replies()) == 1


# Tools ------------------------------------------------------------------------------------------------------------


class Nothing(msgspec.Struct, frozen=True):
    """No parameters."""


class Asker(Server):
    """Its first reply asks for a tool; who was told a result speaks."""

    def act(self, command):
        if isinstance(command, cmd.StartReply) and not self.world.asked:
            self.world.asked = True
            self.apply(self.conversation.reply_call(command.response_id, "look", "{}"))
            self.apply(self.conversation.reply_finished(command.response_id))
            return
        super().act(command)


def tool_world(seconds, **server):
    async def look(_):
        await asyncio.sleep(seconds)
        return Answer({"seen": "a cat"}, "It is a cat.")

    world = World(reply="A cat.", reply_seconds=1.0, **server)
    world.asked = False
    world.tools = (Tool("look", "looks", Nothing, look, seconds=200),)
    world.server_class = Asker
    return world


def test_a_slow_tool_whose_session_is_gone_is_answered_in_the_next():
    async def act(world):
        world.session.control(do.Say("what is it?"))
        await world.until(lambda: world.session.tools.running)
        await asyncio.sleep(1)
        world.server.drop()
        await world.until(lambda: world.session.turns_finished == 1, 90.0)

    world = tool_world(40)
    world.lag = 0.05
    world.hold(act)
    assert world.of(ev.Failure) == []
    assert [event.text for event in world.replies()] == ["A cat."]
    assert [role for role, _ in world.servers[1].knows()] == ["user", "system", "assistant"]


def test_nobody_waits_for_a_tool_that_was_interrupted_before_the_cut():
    async def act(world):
        world.session.control(do.Say("what is it?"))
        await world.until(lambda: world.session.tools.running)
        world.session.control(do.StopReply())
        world.server.drop()
        await world.until(lambda: not world.session.tools.running)
        await asyncio.sleep(3)

    world = tool_world(5).hold(act)
    assert world.replies() == []
    assert [role for role, _ in world.servers[1].knows()] == ["user", "system"]


# Devices, modes, muting -------------------------------------------------------------------------------------------


def test_a_microphone_lost_while_away_ends_the_turn():
    async def act(world):
        world.down = True
        world.say(WAV.samples)
        await asyncio.sleep(1.5)
        world.server.drop()
        await asyncio.sleep(0.3)
        world.microphone._from = None
        await world.until(lambda: world.session.hearing.name is None)
        world.down = False
        await world.until(lambda: len(world.servers) == 2 and world.session.flow.connected)
        await world.until(lambda: world.words() and world.session.flow.settled, 30.0)

    world = World(reply="Fine.", reply_seconds=1.0).hold(act)
    assert world.words() == ["port in use"]
    assert len(world.replies()) == 1


def test_the_way_of_taking_turns_changes_in_the_middle_of_a_word():
    async def act(world):
        world.say(WAV.samples, 1.0)
        await world.until(lambda: world.session.flow.hearing)
        world.session.control(do.SetTurnMode(ev.TurnMode.PUSH_TO_TALK))
        await asyncio.sleep(3)
        assert world.session.flow.settled

    World().hold(act)


@pytest.mark.parametrize("mode", [ev.TurnMode.PUSH_TO_TALK, ev.TurnMode.LOCAL_VAD])
def test_a_recording_goes_on_over_a_cut(mode):
    async def act(world):
        if mode is ev.TurnMode.PUSH_TO_TALK:
            world.session.control(do.TalkKey(down=True))
        world.say(WAV.samples, 1.0)
        await asyncio.sleep(1.0)
        world.server.drop()
        await world.until(lambda: len(world.servers) == 2 and world.session.flow.connected)
        world.servers[1].drop()
        await world.until(lambda: len(world.servers) == 3 and world.session.flow.connected)
        await world.until(lambda: world.microphone.finished)
        if mode is ev.TurnMode.PUSH_TO_TALK:
            world.session.control(do.TalkKey(down=False))
        await world.until(lambda: world.session.turns_finished == 1)

    world = World(mode, reply="Fine.", reply_seconds=1.0).hold(act)
    assert world.words() == ["port in use"]
    sent = sum(len(event.audio) for event in world.servers[-1].sent(c.AppendAudio)) * 3 / 4 / 2 / RATE
    assert sent >= 3.0


def test_half_duplex_and_muted_talks_are_renewed_like_any_other():
    async def act(world):
        world.session.control(do.Say("tell me"))
        await world.until(lambda: world.session.turns_finished == 1)
        world.session.control(do.SetMuted(True))
        await world.until(lambda: len(world.servers) == 2, 100.0)
        world.say(WAV.samples, 1.0)
        await asyncio.sleep(8)
        assert world.session.hearing.muted
        world.session.control(do.SetMuted(False))
        world.say(WAV.samples, 1.0)
        await world.until(lambda: world.session.turns_finished == 2)

    world = World(reply="Fine.", reply_seconds=1.0)
    world.lives = 60
    world.options |= {"route": Route.SPEAKERS, "echo": EchoChoice.HALF_DUPLEX}
    world.hold(act)
    assert world.words() == ["tell me", "port in use"]
    assert world.of(ev.RungChanged) == []


# Renewal that nobody can put off ----------------------------------------------------------------------------------


def test_a_session_that_ends_in_the_middle_of_everything_is_renewed_in_the_middle_of_it():
    """A reply sounds, a tool is at work and somebody speaks, one after the other, as a session of a minute ends."""

    async def act(world):
        world.session.control(do.Say("what is it?"))
        await world.until(lambda: len(world.servers) == 2 and world.session.conversation.reply_state == "none")
        assert world.session.tools.running
        await world.until(lambda: world.session.turns_finished == 1, 120.0)
        world.say(*[part for _ in range(12) for part in (WAV.samples, 0.1)], 2.0)
        await world.until(lambda: len(world.servers) == 3, 90.0)
        assert world.session.flow.hearing or world.session.continuity.utterances.speaking
        await world.until(lambda: world.session.turns_finished == 2, 90.0)

    world = tool_world(55)
    world.lives = 50
    world.hold(act)
    assert world.of(ev.Failure) == []
    assert world.of(ev.RungChanged) == []
    assert world.words() == ["what is it?", "port in use"]
    assert [event.text for event in world.replies()] == ["A cat.", "A cat."]
    assert "reconnecting" not in world.states()
    assert [role for role, _ in world.servers[-1].knows()][:3] == ["user", "system", "assistant"]


class Priced(Server):
    """A model with a price, which tells what each reply used."""

    def __init__(self, world):
        super().__init__(world)
        self.created.session["model"] = "gpt-realtime-2.1"

    def apply(self, outcome):
        usage = {"input_token_details": {"text_tokens": 1000}, "output_token_details": {"audio_tokens": 1000}}
        send = tuple(
            msgspec.structs.replace(event, response=msgspec.structs.replace(event.response, usage=usage))
            if isinstance(event, s.ResponseDone)
            else event
            for event in outcome.send
        )
        super().apply(type(outcome)(send, outcome.commands))


def priced_world(**server):
    world = World(reply="Fine.", **server)
    world.server_class = Priced
    return world


def test_the_money_ends_while_the_connection_is_away():
    async def act(world):
        world.session.control(do.Say("one"))
        await world.until(lambda: world.session.spending.closing)
        world.server.drop()
        await world.until(lambda: world.session.flow.reconnecting)
        world.session.control(do.Say("two"))
        await asyncio.sleep(40)

    world = priced_world(reply_seconds=3.0)
    world.options["max_cost_usd"] = 0.0001
    world.hold(act)
    assert world.events[-1] == ev.Ended("max_cost")
    assert world.words() == ["one"]
    assert len(world.replies()) == 1
    assert len([event for event in world.of(ev.Advice) if "this talk ends here" in event.text]) == 1
    assert sum(len(server.sent(c.CreateResponse)) for server in world.servers) == 1


# Servers with habits ----------------------------------------------------------------------------------------------


class Twice(Server):
    """Says everything about a reply twice."""

    def apply(self, outcome):
        again = [event for event in outcome.send if isinstance(event, s.ResponseCreated | s.ResponseDone | s.AudioDone)]
        super().apply(outcome)
        super().apply(type(outcome)(tuple(again), ()))


def test_a_server_that_repeats_itself_is_heard_once():
    async def act(world):
        for number in range(3):
            world.session.control(do.Say(f"question {number}"))
            await world.until(lambda number=number: world.session.turns_finished == number + 1)
        await asyncio.sleep(1)

    world = World(reply="Fine.", reply_seconds=1.0)
    world.server_class = Twice
    world.hold(act)
    assert len(world.replies()) == 3
    assert len(world.server.sent(c.CreateResponse)) == 3
    assert world.session.flow.settled


def test_two_sessions_that_count_alike_do_not_mix_up_their_replies():
    """The first session's reply still sounds when the second one's, of the same names, is lost before it is heard."""

    async def act(world):
        world.session.control(do.Say("one"))
        await world.until(lambda: world.session.flow.audible)
        world.server.drop()
        await world.until(lambda: len(world.servers) == 2 and world.session.flow.connected)
        server = world.server
        outcome = server.conversation.receive(c.CreateResponse())
        server.apply(type(outcome)(outcome.send, ()))
        (order,) = outcome.commands
        server.apply(server.conversation.reply_audio(order.response_id, server.sound[:RATE]))
        await asyncio.sleep(0.5)
        world.server.drop()
        await world.until(lambda: len(world.servers) == 3 and world.session.flow.connected)
        await world.until(lambda: world.session.flow.settled)

    world = World(ev.TurnMode.PUSH_TO_TALK, reply_seconds=5.0).hold(act)
    assert world.replies()[0].text == LONG
    assert world.cuts() == []
    assert world.speaker.samples_taken >= 5 * RATE
    assert world.servers[2].sent(c.CreateResponse) == []


def test_two_cuts_while_the_talk_is_told():
    async def act(world):
        for number in range(3):
            world.session.control(do.Say(f"question {number}"))
            await world.until(lambda number=number: world.session.turns_finished == number + 1)
        world.lag = 0.05  # so that the connection is lost between two lines
        world.session.control(do.Say("last"))
        world.server.drop()
        for count, seconds in ((2, 0.03), (3, 0.12)):  # before it takes its settings, and between two lines
            await world.until(lambda count=count: len(world.servers) == count)
            await asyncio.sleep(seconds)
            world.server.drop()
        await world.until(lambda: len(world.servers) == 4 and world.session.turns_finished == 4)

    world = World(reply="Fine.", reply_seconds=1.0).hold(act)
    told = [line for number in range(3) for line in (("user", f"question {number}"), ("assistant", "Fine."))]
    assert world.server.knows() == [*told, ("user", "last"), ("assistant", "Fine.")]
    assert world.words() == ["question 0", "question 1", "question 2", "last"]
    assert len(world.replies()) == 4
    assert len(world.of(ev.RungChanged)) == world.states().count("reconnecting") == 2


def test_an_evening_of_talk_keeps_no_sound():
    """Words stay; what was spoken and heard goes: two hundred turns, with coughs, on one connection."""

    async def act(world):
        for number in range(200):
            world.session.control(do.Say(f"question {number}"))
            if number % 4 == 0:
                await world.until(lambda: world.session.flow.audible)
                world.say(murmur(), 1.0)
            await world.until(lambda number=number: world.session.turns_finished == number + 1)
            await world.until(lambda: world.session.flow.settled)
        await asyncio.sleep(20)

    world = World(reply="Fine.", reply_seconds=1.5, heard="mm-hm").hold(act)
    kept = world.session.continuity.utterances
    assert kept.completed == ()
    assert len(kept.in_progress()) <= 150_000
    assert world.speaker.report() == ()
    assert world.session.continuity._old == []
    assert world.words() == [f"question {number}" for number in range(200)]
    assert world.cuts() == []
