"""Whole conversations in virtual time: real voice detection, real protocol on both sides, real playout, no waiting."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import pytest

from mrblue_cli.assistant.reasoning import Reasoner
from mrblue_cli.audio.gate import EchoChoice, Route
from mrblue_cli.audio.pcm import RATE
from mrblue_cli.audio.wav import WavAudio, parse_wav
from mrblue_cli.core.errors import AuthError, DeviceError
from mrblue_cli.core.ids import RandomIds
from mrblue_cli.knowledge.base import load_base
from mrblue_cli.protocol import client_events as c
from mrblue_cli.protocol.session import Session
from mrblue_cli.voice import controls as do
from mrblue_cli.voice import events as ev
from mrblue_cli.voice.headless import HeadlessScript, Speak, Type
from mrblue_cli.voice.microphones import ClockMicrophone
from mrblue_cli.voice.options import TalkOptions
from mrblue_cli.voice.rungs import Rung, RungName
from mrblue_cli.voice.session import TalkSession
from mrblue_cli.voice.speakers import PacedSpeaker
from tests.fakes.realtime_server import MemoryServer
from tests.fakes.virtual_time import LoopClock, run_virtual

BASE = load_base()
WAV = parse_wav((Path(__file__).parent.parent.parent / "mrblue_cli/data/question.wav").read_bytes(), "question.wav")


def quiet(seconds):
    return np.zeros(int(seconds * RATE), dtype=np.float32)


def say(*parts):
    """A recording of questions and pauses (seconds)."""
    pieces = [WAV.samples if part == "question" else quiet(part) for part in parts]
    return Speak(WavAudio(np.concatenate(pieces), RATE), "spoken.wav")


class Talk:
    """One session on a memory server in virtual time."""

    def __init__(self, tmp_path=None, mode=ev.TurnMode.HANDS_FREE, route=None, echo=EchoChoice.AUTO, **server):
        self.events = []
        self.echo = echo
        self.server_options = server
        self.mode, self.route = mode, route
        self.options = {}
        self.server_class = MemoryServer
        self.output = None if tmp_path is None else tmp_path / "reply.wav"
        self.connect_error = None
        self.microphone = None
        self.speaker = None
        self.sound = None

    def hold(self, *steps, act=None, microphone=True):
        """Run the steps; `act(talk)` may run beside them. Returns the events."""

        async def main():
            clock = LoopClock()
            self.server = self.server_class(**self.server_options)
            self.microphone = self.microphone or ClockMicrophone(clock)
            self.speaker = self.speaker or PacedSpeaker(clock, self.output)
            self.session = TalkSession(
                TalkOptions(
                    turn_mode=self.mode, route=self.route, echo=self.echo, reply_timeout_seconds=10, **self.options
                ),
                rungs=(Rung(RungName.LOCAL, "local", self.connect, Session()),),
                microphone=self.microphone if microphone else None,
                speaker=self.speaker,
                reasoner=Reasoner(BASE),
                clock=clock,
                ids=RandomIds(),  # the server in memory counts, and would meet the same names
                emit=self.events.append,
                sound=self.sound,
            )
            script = HeadlessScript(self.session, self.microphone, steps, clock=clock, silence_ms=500)
            jobs = [asyncio.ensure_future(script.run())] if steps else []
            if act is not None:
                jobs.append(asyncio.ensure_future(act(self)))
            await self.session.run()
            for job in jobs:
                if job.done() and not job.cancelled():
                    job.result()
                job.cancel()
            self.unheard = script.unheard

        run_virtual(main(), 600)
        return self.events

    async def connect(self):
        if self.connect_error is not None:
            raise self.connect_error
        return self.server

    def of(self, kind):
        return [event for event in self.events if isinstance(event, kind)]

    def states(self):
        return [str(event.state) for event in self.of(ev.StatusChanged)]

    async def until(self, met):
        while not met():
            await asyncio.sleep(0.01)


def test_a_hands_free_turn_from_speech_to_silence(tmp_path):
    talk = Talk(tmp_path)
    talk.hold(say("question"))
    assert talk.states() == ["connecting", "listening", "hearing you", "thinking", "speaking", "listening"]
    assert talk.of(ev.UserTranscript)[-1].final
    assert talk.of(ev.KbHit)[0].hit.entry.id == "node/port-in-use"
    stages = [event.thought.stage for event in talk.of(ev.Thinking)]
    assert stages == ["understanding", "analysing", "analysing", "generating"]
    final = [event for event in talk.of(ev.AssistantTranscript) if event.final]
    assert [(event.text, event.heard_ms) for event in final] == [("Found it. Stop the process.", None)]
    (turn,) = talk.of(ev.TurnMeasured)
    assert 480 <= turn.commit_ms - turn.speech_end_ms <= 620
    assert 0 <= turn.first_sample_ms - turn.commit_ms <= 150
    assert (turn.barge_in_stop_ms, turn.underruns, turn.cost_usd) == (None, 0, 0.0)
    assert talk.events[-1] == ev.Ended("done")
    reply = parse_wav(talk.output.read_bytes(), "reply.wav")
    assert (reply.rate, len(reply.samples)) == (RATE, 2 * RATE)


def test_two_recordings_are_two_turns():
    talk = Talk()
    talk.hold(say("question"), say("question"))
    assert len(talk.of(ev.TurnMeasured)) == 2
    assert talk.unheard == []


def test_a_turn_without_words_is_told_once_until_there_are_some():
    talk = Talk(heard="", reply="", reply_seconds=0)
    talk.hold(say("question"), say("question"))
    told = [event.text for event in talk.of(ev.Advice) if "no words" in event.text]
    assert told == ["no words could be made out: say it again"]


def test_a_typed_turn_needs_no_microphone():
    talk = Talk()
    talk.hold(Type("npm ERR! code EACCES"), microphone=False)
    assert talk.of(ev.UserTranscript)[0].text == "npm ERR! code EACCES"
    (turn,) = talk.of(ev.TurnMeasured)
    assert turn.speech_end_ms is None
    assert turn.latency_ms is not None
    assert "hearing you" not in talk.states()


@pytest.mark.parametrize("mode", [ev.TurnMode.PUSH_TO_TALK, ev.TurnMode.LOCAL_VAD])
def test_turns_that_we_own(mode):
    talk = Talk(mode=mode)
    talk.hold(say("question"))
    assert len(talk.of(ev.TurnMeasured)) == 1
    assert len(talk.server.sent(c.CommitAudio)) == 1
    assert len(talk.server.sent(c.CreateResponse)) == 1
    assert "hearing you" in talk.states()
    sent = sum(len(event.audio) for event in talk.server.sent(c.AppendAudio)) * 3 / 4 / 2 / RATE
    assert len(WAV.samples) / RATE - 0.4 <= sent <= len(WAV.samples) / RATE + 1.2


def test_the_key_commits_at_once_and_a_short_tap_sends_nothing():
    async def act(talk):
        await talk.until(lambda: talk.session.flow.settled)
        talk.session.control(do.TalkKey(down=True))
        await asyncio.sleep(1)
        released = talk.session.now_ms
        talk.session.control(do.TalkKey(down=False))
        await talk.until(lambda: talk.server.sent(c.CommitAudio))
        talk.commit_took = talk.session.now_ms - released
        await talk.until(lambda: talk.session.turns_finished == 1 and talk.session.flow.settled)
        await asyncio.sleep(1)
        talk.microphone.close()
        talk.session.hearing.taker._recent.clear()
        talk.session.control(do.TalkKey(down=True))
        talk.session.control(do.TalkKey(down=False))
        await asyncio.sleep(0.2)
        talk.session.control(do.Quit())

    talk = Talk(mode=ev.TurnMode.PUSH_TO_TALK)
    talk.hold(act=act)
    assert talk.commit_took <= 50
    assert len(talk.server.sent(c.CommitAudio)) == 1
    assert any("too short" in event.text for event in talk.of(ev.Advice))
    assert talk.events[-1] == ev.Ended("quit")


LONG = {"reply": " ".join(f"word{number}" for number in range(100)), "reply_seconds": 20.0}


def test_speaking_over_a_reply_stops_it_and_keeps_what_was_heard(tmp_path):
    talk = Talk(tmp_path, **LONG)
    talk.hold(say("question", 5.0, "question"))
    cut = [event for event in talk.of(ev.AssistantTranscript) if event.heard_ms is not None]
    assert len(cut) == 1
    heard_ms = cut[0].heard_ms
    assert 3000 <= heard_ms <= 6500
    words = cut[0].text.split()
    assert words == LONG["reply"].split()[: len(words)]
    assert len(words) == pytest.approx(100 * heard_ms / 20_000, abs=2)
    (truncation,) = talk.server.sent(c.TruncateItem)
    assert truncation.audio_end_ms == heard_ms
    assert talk.server.sent(c.CancelResponse) == []
    first, second = talk.of(ev.TurnMeasured)
    assert 0 <= first.barge_in_stop_ms <= 100
    assert second.barge_in_stop_ms is None
    # What went out: the heard part with its fade, then the second reply.
    played = len(parse_wav(talk.output.read_bytes(), "r").samples) / RATE
    assert played == pytest.approx(heard_ms / 1000 + 20.0, abs=0.1)


def test_a_loudspeaker_without_echo_canceller_is_half_duplex():
    talk = Talk(route=Route.SPEAKERS, echo=EchoChoice.HALF_DUPLEX, **LONG)
    talk.hold(say("question", 5.0, "question"))
    assert talk.server.sent(c.TruncateItem) == []
    assert len(talk.of(ev.TurnMeasured)) == 1


def test_the_talk_key_gets_through_a_loudspeaker():
    async def act(talk):
        await talk.until(lambda: talk.session.flow.settled)
        talk.session.control(do.Say("tell me"))
        await talk.until(lambda: talk.session.flow.audible)
        await asyncio.sleep(2)
        talk.session.control(do.TalkKey(down=True))
        await talk.until(lambda: talk.session.flow.settled)
        talk.session.control(do.Quit())

    talk = Talk(route=Route.SPEAKERS, echo=EchoChoice.HALF_DUPLEX, **LONG)
    talk.hold(act=act)
    (cut,) = [event for event in talk.of(ev.AssistantTranscript) if event.heard_ms is not None]
    assert 1900 <= cut.heard_ms <= 2200


def test_esc_stops_and_the_next_words_are_answered():
    async def act(talk):
        await talk.until(lambda: talk.session.flow.settled)
        talk.session.control(do.Say("first"))
        await talk.until(lambda: talk.session.flow.audible)
        talk.session.control(do.StopReply())
        talk.session.control(do.Say("second"))
        await talk.until(lambda: talk.session.turns_finished == 2)
        talk.session.control(do.Quit())

    talk = Talk(**LONG)
    talk.hold(act=act)
    finals = [event for event in talk.of(ev.AssistantTranscript) if event.final]
    assert [event.heard_ms is not None for event in finals] == [True, False]
    assert talk.of(ev.Failure) == []


def test_what_is_typed_before_the_connection_is_answered_after_it():
    async def act(talk):
        talk.session.control(do.Say("jwt expired"))
        await talk.until(lambda: talk.session.turns_finished == 1)
        talk.session.control(do.Quit())

    talk = Talk()
    talk.hold(act=act, microphone=False)
    assert talk.of(ev.UserTranscript)[0].text == "jwt expired"


def test_muted_means_silence_on_the_wire():
    async def act(talk):
        await talk.until(lambda: talk.session.flow.settled)
        talk.session.control(do.SetMuted(True))
        talk.microphone.load(WAV)
        await asyncio.sleep(6)
        talk.session.control(do.Quit())

    talk = Talk()
    talk.hold(act=act)
    assert talk.states()[-1] == "muted"
    assert talk.of(ev.UserTranscript) == []


def test_modes_can_be_changed_while_talking():
    async def act(talk):
        await talk.until(lambda: talk.session.flow.settled)
        talk.session.control(do.SetTurnMode(ev.TurnMode.PUSH_TO_TALK))
        talk.session.control(do.TalkKey(down=True))
        talk.microphone.load(WAV)
        await asyncio.sleep(3)
        talk.session.control(do.TalkKey(down=False))
        await talk.until(lambda: talk.session.turns_finished == 1)
        talk.session.control(do.Quit())

    talk = Talk()
    talk.hold(act=act)
    assert len(talk.server.sent(c.CommitAudio)) == 1


def test_a_recording_without_speech_is_told():
    talk = Talk()
    talk.hold(Speak(WavAudio(quiet(2.0), RATE), "empty.wav"))
    assert talk.unheard == ["empty.wav"]
    (failure,) = talk.of(ev.Failure)
    assert (failure.code, failure.fatal) == ("no_speech", False)
    assert talk.events[-1] == ev.Ended("done")


def test_a_reply_that_never_comes_is_told_and_the_talk_goes_on():
    async def act(talk):
        await talk.until(lambda: talk.session.flow.settled)
        talk.server.deaf = True
        talk.session.control(do.Say("hello?"))
        await talk.until(lambda: talk.of(ev.Failure))
        assert talk.session.flow.settled
        talk.session.control(do.Quit())

    talk = Talk()
    talk.hold(act=act)
    assert talk.of(ev.Failure)[0].code == "reply_timeout"


def test_a_lost_connection_ends_with_one_clear_line():
    async def act(talk):
        await talk.until(lambda: talk.session.flow.audible)
        talk.server.drop()

    talk = Talk(**LONG)
    talk.hold(say("question"), act=act)
    assert [(event.code, event.fatal) for event in talk.of(ev.Failure)] == [("connect", True)]
    assert talk.events[-1] == ev.Ended("error")


def test_a_refused_key_ends_before_it_began():
    talk = Talk()
    talk.connect_error = AuthError("host refused the key", hint="check it")
    talk.hold(Type("x"))
    assert talk.of(ev.Failure) == [ev.Failure("auth", "host refused the key", True, "check it")]
    assert talk.events[-1] == ev.Ended("error")


class BrokenMicrophone(ClockMicrophone):
    def __init__(self):
        super().__init__(LoopClock())

    def open(self):
        raise DeviceError("microphone 'USB' cannot be opened", hint="plug it in")


def test_a_microphone_that_cannot_be_opened_leaves_text():
    talk = Talk()
    talk.microphone = BrokenMicrophone()
    talk.hold(Type("jwt expired"))
    (failure,) = talk.of(ev.Failure)
    assert not failure.fatal
    assert "type instead" in failure.message
    assert len(talk.of(ev.TurnMeasured)) == 1


def test_a_microphone_that_vanishes_is_told_and_text_goes_on():
    async def act(talk):
        await talk.until(lambda: talk.session.flow.settled)
        await asyncio.sleep(1)
        talk.microphone._from = None
        await talk.until(lambda: talk.of(ev.Failure))
        talk.session.control(do.Say("jwt expired"))
        await talk.until(lambda: talk.session.turns_finished == 1)
        talk.session.control(do.Quit())

    talk = Talk()
    talk.hold(act=act)
    (failure,) = talk.of(ev.Failure)
    assert (failure.code, failure.fatal) == ("device", False)
    assert "is gone: type instead" in failure.message


class DyingSpeaker(PacedSpeaker):
    """Takes nothing more after half a second of a reply."""

    name = "USB headset"

    def pump(self):
        if self.samples_taken < RATE // 2:
            super().pump()


def test_a_speaker_that_vanishes_is_told_and_the_reply_is_shown():
    talk = Talk(**LONG)
    talk.speaker = DyingSpeaker(LoopClock())
    talk.hold(Type("jwt expired"), Type("and again"))
    (failure,) = talk.of(ev.Failure)
    assert (failure.code, failure.fatal) == ("device", False)
    assert "is gone: replies are shown" in failure.message
    assert len(talk.of(ev.TurnMeasured)) == 2
    assert [event.text for event in talk.of(ev.AssistantTranscript) if event.final] == [LONG["reply"]] * 2


@pytest.mark.parametrize("state", ["listening", "hearing you", "thinking", "speaking"])
def test_quitting_in_every_state(state):
    async def act(talk):
        await talk.until(lambda: state in talk.states())
        talk.session.control(do.Quit())

    talk = Talk(**LONG)
    talk.hold(say("question"), act=act)
    assert talk.events[-1] == ev.Ended("quit")
    assert len(talk.of(ev.Ended)) == 1


def test_half_an_hour_of_talk_loses_nothing():
    talk = Talk(reply_seconds=3.0)
    talk.hold(*[say("question", 1.0)] * 60)
    assert len(talk.of(ev.TurnMeasured)) == 60
    assert talk.of(ev.Failure) == []
    assert sum(turn.underruns for turn in talk.of(ev.TurnMeasured)) == 0
