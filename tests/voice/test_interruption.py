"""Sounds over a reply, in virtual time: what is nothing pauses it, what is meant stops it, not a sample is lost."""

from __future__ import annotations

import asyncio

import msgspec
import numpy as np
import pytest

from mrblue_cli.audio.pcm import RATE
from mrblue_cli.audio.playout import FADE_MS
from mrblue_cli.audio.wav import WavAudio, wav_header
from mrblue_cli.protocol import client_events as c
from mrblue_cli.protocol.session import SemanticVad, turn_detection_of
from mrblue_cli.voice import controls as do
from mrblue_cli.voice import events as ev
from mrblue_cli.voice.headless import Speak
from mrblue_cli.voice.options import TurnEnd
from tests.fakes.realtime_server import MemoryServer
from tests.voice.test_session import WAV, Talk, quiet

FADE = FADE_MS * RATE // 1000
REPLY_SECONDS = 12
SAMPLES = (np.arange(REPLY_SECONDS * RATE) % 30_000 + 1).astype(np.int16)
REPLY = {"sound": SAMPLES.tobytes(), "reply": " ".join(f"word{number}" for number in range(60))}
BOTH = pytest.mark.parametrize("mode", [ev.TurnMode.HANDS_FREE, ev.TurnMode.LOCAL_VAD])


def cough(seconds=0.25, seed=1):
    return np.random.default_rng(seed).normal(0, 0.2, int(seconds * RATE)).clip(-1, 1).astype(np.float32)


def murmur(seconds=0.35):
    """A voice, for less than half a second."""
    return WAV.samples[int(0.7 * RATE) : int((0.7 + seconds) * RATE)]


def spoken(*parts):
    """The question, then sounds and pauses (seconds), then a last pause."""
    pieces = [WAV.samples, *(quiet(part) if isinstance(part, float) else part for part in parts), quiet(1.0)]
    return Speak(WavAudio(np.concatenate(pieces), RATE), "spoken.wav")


def output(talk):
    return np.frombuffer(talk.output.read_bytes()[len(wav_header(0)) :], dtype="<i2")


def without_fades(played, reply):
    """Follow a reply through what was played: returns the places where it was resumed; fails on any other difference.

    Every sample of the reply differs from its neighbours, so that a lost or doubled one cannot hide.
    """
    resumed, at, place = [], FADE, FADE
    while place < len(played):
        length = min(len(played) - place, len(reply) - at, 2 * RATE)
        differs = np.flatnonzero(played[place : place + length] != reply[at : at + length])
        if len(differs) == 0:
            place, at = place + length, at + length
            if at == len(reply):
                assert place == len(played)
                return resumed
            continue
        # A fade out begins here (its first sample is unchanged), then the same stretch fades in.
        start = place + int(differs[0]) - 1
        at += start - place
        assert np.all(np.abs(played[start : start + FADE]) <= np.abs(reply[at : at + FADE]))
        again = start + FADE
        assert np.all(np.abs(played[again : again + FADE]) <= np.abs(reply[at : at + FADE]))
        resumed.append(at)
        place, at = again + FADE, at + FADE
    raise AssertionError("the reply was not played to its end")


def cuts(talk):
    return [event for event in talk.of(ev.AssistantTranscript) if event.heard_ms is not None]


def texts(talk):
    return [event.text for event in talk.of(ev.UserTranscript) if event.final]


@BOTH
@pytest.mark.parametrize(
    ("sound", "heard"), [(cough(0.34), ""), (murmur(), "Mm-hm."), (murmur(0.4), "Okay, yeah."), (murmur(), "[cough]")]
)
def test_what_is_nothing_pauses_and_the_reply_goes_on(tmp_path, mode, sound, heard):
    talk = Talk(tmp_path, mode=mode, **REPLY, heard=["port in use", heard], heard_after=0.3)
    talk.hold(spoken(4.0, sound))
    assert cuts(talk) == []
    assert talk.server.sent(c.TruncateItem) == talk.server.sent(c.CancelResponse) == []
    assert len(talk.server.sent(c.CreateResponse)) == 1
    (deleted,) = talk.server.sent(c.DeleteItem)
    assert [item.key for item in talk.server.conversation.history if item.role == "user"] != []
    assert deleted.item_id not in [item.key for item in talk.server.conversation.history]
    assert texts(talk) == ["port in use"]
    assert talk.states()[-4:] == ["speaking", "hearing you", "speaking", "listening"]
    (turn,) = talk.of(ev.TurnMeasured)
    assert turn.barge_in_stop_ms is None
    assert turn.underruns == 0
    assert [event.text for event in talk.of(ev.AssistantTranscript) if event.final] == [REPLY["reply"]]
    assert len(without_fades(output(talk), SAMPLES)) == 1


@BOTH
@pytest.mark.parametrize("heard", ["Stop.", "No.", "Wait!", "And on Windows?", "para", "yeah but why is it so"])
def test_words_stop_it_though_they_are_short(tmp_path, mode, heard):
    talk = Talk(tmp_path, mode=mode, **REPLY, heard=["port in use", heard], heard_after=0.3)
    talk.hold(spoken(4.0, murmur()))
    (cut,) = cuts(talk)
    assert 3000 <= cut.heard_ms <= 4700
    (truncation,) = talk.server.sent(c.TruncateItem)
    assert truncation.audio_end_ms == cut.heard_ms
    assert talk.server.sent(c.DeleteItem) == []
    assert len(talk.server.sent(c.CreateResponse)) == 2
    assert texts(talk) == ["port in use", heard]
    first, second = talk.of(ev.TurnMeasured)
    assert 0 <= first.barge_in_stop_ms <= 100
    assert second.first_sample_ms is not None
    played = output(talk)
    heard_samples = len(played) - len(SAMPLES)
    assert cut.heard_ms == (heard_samples - FADE) * 1000 // RATE


@BOTH
def test_half_a_second_of_speech_stops_it_before_any_word_is_known(mode):
    times = {}

    async def act(talk):
        await talk.until(lambda: talk.session.flow.paused)
        times["paused"] = talk.session.now_ms
        await talk.until(lambda: cuts(talk))
        times["stopped"] = talk.session.now_ms

    talk = Talk(mode=mode, **REPLY)
    talk.hold(spoken(4.0, WAV.samples), act=act)
    assert 100 <= times["stopped"] - times["paused"] <= 500
    assert len(talk.server.sent(c.CreateResponse)) == 2
    assert len(talk.of(ev.TurnMeasured)) == 2


def test_a_reply_waits_two_seconds_for_words_and_stops_when_they_come_late(tmp_path):
    states = []

    async def act(talk):
        await talk.until(lambda: talk.session.flow.paused)
        began = talk.session.now_ms
        await talk.until(lambda: not talk.session.flow.paused)
        states.append(talk.session.now_ms - began)
        await talk.until(lambda: cuts(talk))
        states.append(talk.session.now_ms - began)

    talk = Talk(tmp_path, **REPLY, heard=["port in use", "stop"], heard_after=4.0)
    talk.hold(spoken(7.0, murmur()), act=act)
    resumed, stopped = states
    assert 1980 <= resumed <= 2060
    assert 4000 <= stopped <= 5000
    assert len(talk.server.sent(c.CreateResponse)) == 2


def test_words_that_never_come_cost_two_seconds(tmp_path):
    talk = Talk(tmp_path, **REPLY, heard=["port in use", None, "jwt expired"])
    talk.hold(spoken(4.0, murmur()), spoken())
    assert cuts(talk) == []
    assert len(talk.server.sent(c.CreateResponse)) == 2
    assert len(talk.of(ev.TurnMeasured)) == 2


def test_a_cough_while_the_answer_is_made_leaves_it_alone(tmp_path):
    async def act(talk):
        await talk.until(lambda: talk.session.flow.settled)
        talk.server.deaf = True
        talk.session.control(do.Say("tell me"))
        talk.microphone.load(WavAudio(np.concatenate((quiet(0.2), cough(0.25))), RATE))
        await talk.until(lambda: len(talk.server.sent(c.CreateResponse)) == 1)
        talk.server.deaf = False
        await talk.server.send(c.CreateResponse())
        await talk.until(lambda: talk.session.turns_finished == 1)
        talk.session.control(do.Quit())

    talk = Talk(tmp_path, **REPLY, heard=[""])
    talk.hold(act=act)
    assert cuts(talk) == []
    without_fades(output(talk), SAMPLES)


def test_a_cough_before_a_word_waits_for_the_word(tmp_path):
    talk = Talk(tmp_path, **REPLY, heard=["port in use", "", "and on windows"], heard_after=0.8)
    talk.hold(spoken(4.0, cough(), 0.8, WAV.samples))
    assert len(cuts(talk)) == 1
    assert len(talk.server.sent(c.CreateResponse)) == 2
    assert texts(talk) == ["port in use", "and on windows"]


@pytest.mark.parametrize("control", [do.StopReply(), do.Say("typed"), do.TalkKey(down=True)])
def test_a_key_or_typed_words_during_the_pause_stop_it(control):
    async def act(talk):
        await talk.until(lambda: talk.session.flow.paused)
        talk.session.control(control)
        assert not talk.session.flow.paused
        await asyncio.sleep(1)
        assert not talk.session.speaking.playing or isinstance(control, do.Say)

    talk = Talk(**REPLY, heard=["port in use", "mm-hm"], heard_after=0.5)
    talk.hold(spoken(4.0, murmur()), act=act)
    assert len(cuts(talk)) == 1


def test_without_it_any_speech_stops_the_reply():
    talk = Talk(**REPLY, heard=["port in use", "mm-hm"])
    talk.options = {"false_interruption": False}
    talk.hold(spoken(4.0, murmur()))
    assert len(cuts(talk)) == 1
    update = talk.server.sent(c.SessionUpdate)[0].session.audio.input.turn_detection
    assert (update.create_response, update.interrupt_response) == (True, True)
    assert talk.server.sent(c.CreateResponse) == []


def test_two_hundred_bursts_stop_nothing(tmp_path):
    random = np.random.default_rng(7)
    parts = []
    for number in range(200):
        parts += [float(random.uniform(0.75, 1.0)), cough(float(random.uniform(0.05, 0.36)), seed=number)]
    minutes = sum(part if isinstance(part, float) else len(part) / RATE for part in parts) + 5
    samples = (np.arange(int(minutes * RATE)) % 30_000 + 1).astype(np.int16)
    talk = Talk(tmp_path, sound=samples.tobytes(), heard=["port in use"] + [""] * 200, heard_after=0.2)
    talk.hold(spoken(2.0, *parts))
    assert cuts(talk) == []
    assert len(talk.of(ev.TurnMeasured)) == 1
    resumed = without_fades(output(talk), samples)
    assert 120 <= len(resumed) <= 200


class EagerServer(MemoryServer):
    """Creates replies by itself, whatever it was told; refuses a second one as the service does."""

    def on_boundary(self, boundary):
        detection = turn_detection_of(self.conversation.session)
        told = self.conversation.session
        if detection is not None and not detection.create_response:
            eager = msgspec.structs.replace(detection, create_response=True)
            heard = msgspec.structs.replace(told.audio.input, turn_detection=eager)
            audio = msgspec.structs.replace(told.audio, input=heard)
            self.conversation.session = msgspec.structs.replace(told, audio=audio)
        super().on_boundary(boundary)
        self.conversation.session = told


def test_a_server_that_answers_unasked_is_let_to():
    talk = Talk(**REPLY)
    talk.server_class = EagerServer
    talk.hold(spoken(), spoken())
    assert len(talk.of(ev.TurnMeasured)) == 2
    assert talk.of(ev.Failure) == []
    assert len([event for event in talk.of(ev.AssistantTranscript) if event.final]) == 2


def test_the_end_by_meaning_is_asked_for_and_the_replies_stay_ours():
    talk = Talk(**REPLY)
    talk.options = {"turn_end": TurnEnd.MEANING}
    talk.hold(spoken())
    detection = talk.server.sent(c.SessionUpdate)[0].session.audio.input.turn_detection
    assert detection == SemanticVad(create_response=False, interrupt_response=False)
    assert len(talk.of(ev.TurnMeasured)) == 1
    assert len(talk.server.sent(c.CreateResponse)) == 1
