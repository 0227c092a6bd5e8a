"""What tools, devices, renewal, money and odd servers do to each other, in virtual time."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from mrblue_cli.assistant.tools import Answer, Tool
from mrblue_cli.audio.gate import EchoChoice, Route
from mrblue_cli.audio.pcm import RATE
from mrblue_cli.protocol import client_events as c
from mrblue_cli.protocol import commands as cmd
from mrblue_cli.protocol import server_events as s
from mrblue_cli.voice import controls as do
from mrblue_cli.voice import events as ev
from tests.fakes.talk_world import LONG, Server, World
from tests.voice.test_interruption import murmur
from tests.voice.test_session import WAV

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
