"""Whole talks in virtual time about what one part of the session does while another is in the middle of something."""

from __future__ import annotations

import asyncio

import pytest

from mrblue_cli.audio.pcm import RATE
from mrblue_cli.protocol import client_events as c
from mrblue_cli.protocol import commands as cmd
from mrblue_cli.voice import controls as do
from mrblue_cli.voice import events as ev
from mrblue_cli.voice.dialogue import Said, Who
from mrblue_cli.voice.rungs import RungName
from tests.fakes.talk_world import BOTH, LOCAL, TEXT, Server, World
from tests.voice.test_interruption import murmur
from tests.voice.test_session import WAV

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
