"""Whole conversations in virtual time while devices come and go: every fault in every state, and the talk goes on."""

from __future__ import annotations

import asyncio
import os

import numpy as np
import pytest

from mrblue_cli.audio.gate import Route
from mrblue_cli.audio.pcm import RATE, to_pcm
from mrblue_cli.protocol import client_events as c
from mrblue_cli.voice import controls as do
from mrblue_cli.voice import events as ev
from mrblue_cli.voice.device_watch import Side
from mrblue_cli.voice.sound_system import SoundSystem
from tests.fakes.portaudio import FakeDevice, FakePortAudio
from tests.fakes.sound_server import FakePulse
from tests.voice.test_session import LONG, WAV, Talk

QUESTION = to_pcm(WAV.samples)


def no_programs(_):
    return None


class Desk(Talk):
    """A talk on devices that are plugged in and out; PortAudio alone, unless there is a sound server."""

    def __init__(self, *devices, pulse=None, inputs="", outputs="", **server):
        super().__init__(**server)
        self.route = None
        self.library = FakePortAudio(*devices)
        self.pulse = pulse or FakePulse()
        self.pulse.alive = pulse is not None
        self.pulse.pid = os.getpid()
        self.sound = SoundSystem(
            wanted_input=inputs, wanted_output=outputs, load=self.library, server=self.pulse.server(), find=no_programs
        )

    def talk(self, act):
        """Run `act(self)` beside the talk; it ends when `act` does."""
        self.microphone = self._first(Side.MICROPHONE)
        self.speaker = self._first(Side.SPEAKER)

        async def with_flow(_):
            flowing = asyncio.ensure_future(self._flow())
            try:
                await self.until(lambda: self.session.flow.connected)
                await asyncio.wait_for(act(self), 120)
            finally:
                self.session.control(do.Quit())
                flowing.cancel()

        self.hold(act=with_flow, microphone=self.microphone is not None)
        assert self.events[-1] == ev.Ended("quit")
        assert self.library.streams == []
        return self

    async def _flow(self):
        while True:
            self.library.flow(0.01)
            await asyncio.sleep(0.01)

    def _first(self, side):
        try:
            return self.sound.choices(side)[0].port
        except Exception:
            return None

    def lines(self):
        """What the person was told about devices."""
        told = [event for event in self.events if isinstance(event, ev.Failure | ev.Advice)]
        return [getattr(event, "message", None) or event.text for event in told]

    async def told(self, words):
        await self.until(lambda: any(words in line for line in self.lines()))

    def stream(self, kind):
        return next(stream for stream in self.library.streams if stream.options["kind"] == kind)

    async def settle(self):
        await self.until(lambda: self.session.flow.settled)


def headset(**options):
    return FakeDevice("USB headset", inputs=1, outputs=2, hears=0.0, **options)


def built_in():
    return FakeDevice("Built-in", inputs=1, outputs=2, hears=0.0)


async def ask(desk, device):
    """Say the question into a device and wait for the reply to sound."""
    desk.library.plugged[desk.library.plugged.index(device)].speech = QUESTION.copy()
    await desk.until(lambda: desk.session.flow.audible)


async def nothing(_desk, _device):
    pass


async def speak(desk, device):
    device.speech = QUESTION.copy()
    await desk.until(lambda: desk.session.flow.hearing)


async def wait_for_reply(desk, device):
    desk.server.deaf = True
    desk.session.control(do.Say("hello?"))
    await desk.until(lambda: desk.session.flow.awaiting_reply)
    desk.server.deaf = False


STATES = {"idle": nothing, "hearing": speak, "thinking": wait_for_reply, "speaking": ask}


def unplug(desk, device):
    desk.library.unplug(device)


def freeze(_desk, device):
    device.works = False


@pytest.mark.parametrize("fault", [unplug, freeze])
@pytest.mark.parametrize("state", STATES)
def test_a_headset_that_goes_in_any_state_comes_back(state, fault):
    device = headset()

    async def act(desk):
        await desk.settle()
        await STATES[state](desk, device)
        fault(desk, device)
        await desk.told("microphone 'USB headset' is gone")
        await desk.told("speaker 'USB headset' is gone")
        await asyncio.sleep(8)
        device.works = True
        desk.library.plugged[:] = [device]
        await desk.told("listening again through 'USB headset'")
        await desk.told("heard again through 'USB headset'")
        await desk.until(lambda: desk.session.flow.settled)
        device.speech = QUESTION.copy()
        turns = desk.session.turns_finished
        await desk.until(lambda: desk.session.turns_finished > turns)

    desk = Desk(device).talk(act)
    assert len([line for line in desk.lines() if "is gone" in line]) == 2
    assert len([line for line in desk.lines() if "again through" in line]) == 2
    assert all(not failure.fatal for failure in desk.of(ev.Failure))


def test_the_default_takes_over_at_once_and_a_reply_goes_on_from_the_sample():
    first, other = headset(), built_in()

    async def act(desk):
        await desk.settle()
        desk.session.control(do.Say("tell me"))
        await desk.until(lambda: desk.session.flow.audible)
        await asyncio.sleep(5)
        desk.library.unplug(first)
        await desk.told("heard again through 'Built-in'")
        desk.out = desk.stream("output")
        await desk.until(lambda: desk.session.turns_finished == 1)

    desk = Desk(first, other, **LONG).talk(act)
    assert sorted(desk.lines()) == [
        "listening again through 'Built-in'",
        "microphone 'USB headset' is gone: type, or plug it in again; I keep looking",
        "replies are heard again through 'Built-in'",
        "speaker 'USB headset' is gone: replies are shown; I keep looking",
    ]
    # 20 s of reply, of which about 5 s were heard on the first device.
    assert np.count_nonzero(desk.out.sound[:, 0]) / RATE == pytest.approx(15.0, abs=0.3)
    (final,) = [event for event in desk.of(ev.AssistantTranscript) if event.final]
    assert (final.text, final.heard_ms) == (LONG["reply"], None)


def test_without_a_speaker_the_reply_is_shown_and_a_new_one_takes_over_in_the_middle():
    device, microphone = headset(), FakeDevice("Webcam", inputs=1, hears=0.0)

    async def act(desk):
        await desk.settle()
        desk.session.control(do.Say("tell me"))
        await desk.until(lambda: desk.session.flow.audible)
        await asyncio.sleep(3)
        desk.library.unplug(device)
        await desk.told("speaker 'USB headset' is gone")
        await asyncio.sleep(5)
        assert desk.session.speaking.name is None
        assert desk.session.hearing.name == "Webcam"
        desk.library.plugged.append(device)
        await desk.told("heard again through 'USB headset'")
        desk.out = desk.stream("output")
        await desk.until(lambda: desk.session.turns_finished == 1)

    desk = Desk(microphone, device, **LONG).talk(act)
    heard = np.count_nonzero(desk.out.sound[:, 0]) / RATE
    # The first 3 s went to the headset, some seconds were only shown, the rest is heard.
    assert 1.0 < heard < 16.0
    assert len([event for event in desk.of(ev.AssistantTranscript) if event.final]) == 1


def test_a_turn_that_is_open_when_the_microphone_goes_is_answered_with_what_was_said():
    microphone, speaker = FakeDevice("Webcam", inputs=1, hears=0.0), FakeDevice("HDMI", outputs=2)

    async def act(desk):
        await desk.settle()
        await speak(desk, microphone)
        await asyncio.sleep(1)
        desk.library.unplug(microphone)
        await desk.until(lambda: desk.session.turns_finished == 1)
        desk.session.control(do.Say("and typed"))
        await desk.until(lambda: desk.session.turns_finished == 2)

    desk = Desk(microphone, speaker).talk(act)
    assert desk.states().count("hearing you") == 1
    assert len(desk.of(ev.TurnMeasured)) == 2


@pytest.mark.parametrize("mode", [ev.TurnMode.PUSH_TO_TALK, ev.TurnMode.LOCAL_VAD])
def test_a_turn_that_we_own_is_committed_when_the_microphone_goes(mode):
    microphone, speaker = FakeDevice("Webcam", inputs=1, hears=0.0), FakeDevice("HDMI", outputs=2)

    async def act(desk):
        await desk.settle()
        desk.session.control(do.TalkKey(down=True))
        await speak(desk, microphone)
        await asyncio.sleep(1)
        desk.library.unplug(microphone)
        await desk.until(lambda: desk.session.turns_finished == 1)

    desk = Desk(microphone, speaker)
    desk.mode = mode
    desk.talk(act)
    assert len(desk.server.sent(c.CommitAudio)) == 1


def test_a_microphone_that_is_plugged_in_later_is_heard():
    speaker, late = FakeDevice("HDMI", outputs=2), FakeDevice("Webcam", inputs=1, hears=0.0)

    async def act(desk):
        await desk.settle()
        await asyncio.sleep(3)
        desk.library.plugged.append(late)
        await desk.told("listening again through 'Webcam'")
        late.speech = QUESTION.copy()
        await desk.until(lambda: desk.session.turns_finished == 1)

    Desk(speaker).talk(act)


def test_a_microphone_that_is_slow_to_begin_is_waited_for():
    slow = FakeDevice("Bluetooth headset", inputs=1, outputs=2, hears=0.0, first_after=3.0)

    async def act(desk):
        await desk.settle()
        assert desk.session.now_ms >= 3000

    assert Desk(slow).talk(act).of(ev.Failure) == []


def test_a_busy_loop_is_not_a_lost_device():
    device = headset()

    async def act(desk):
        await desk.settle()
        await asyncio.sleep(1)
        asyncio.get_running_loop().offset += 30.0  # the machine slept
        await asyncio.sleep(3)

    assert Desk(device).talk(act).of(ev.Failure) == []


def test_devices_that_never_come_back_are_looked_for_as_long_as_the_talk_lasts_and_it_ends_in_time():
    device = headset()

    async def act(desk):
        await desk.settle()
        desk.library.unplug(device)
        await desk.told("speaker 'USB headset' is gone")
        await asyncio.sleep(60)
        desk.session.control(do.Say("jwt expired"))
        await desk.until(lambda: desk.session.turns_finished == 1)

    desk = Desk(device).talk(act)
    assert len(desk.lines()) == 2


def test_the_named_device_is_returned_to_in_a_quiet_moment():
    named, other = headset(), built_in()

    async def act(desk):
        await desk.settle()
        desk.library.unplug(named)
        await desk.told("replies are heard again through 'Built-in'")
        desk.session.control(do.Say("tell me"))
        await desk.until(lambda: desk.session.flow.audible)
        desk.library.plugged.append(named)
        await desk.until(lambda: desk.session.turns_finished == 1)
        assert desk.session.speaking.name == "Built-in"
        await desk.told("replies now come out of 'USB headset'")
        await desk.told("now listening through 'USB headset'")

    desk = Desk(named, other, inputs="headset", outputs="headset", **LONG).talk(act)
    assert desk.session.hearing.name == "USB headset"


# The sound server -------------------------------------------------------------------------------------------------


def test_a_new_default_that_our_stream_followed_is_only_told():
    pulse = FakePulse(("hdmi", "headphones"), ("mic",))

    async def act(desk):
        await desk.settle()
        before = list(desk.library.streams)
        assert desk.session.speaking.name == "The hdmi"
        pulse.streams = [("Sink", 1)]
        pulse.default_sink = "headphones"
        await desk.told("replies now come out of 'The headphones'")
        assert desk.session.speaking.route is Route.HEADPHONES
        assert desk.library.streams == before

    Desk(FakeDevice("default", inputs=32, outputs=32, hears=0.0), pulse=pulse).talk(act)


def test_a_new_default_that_our_stream_did_not_follow_is_opened():
    pulse = FakePulse(("hdmi", "headphones"), ("mic", "webcam"))

    async def act(desk):
        await desk.settle()
        before = desk.stream("input"), desk.stream("output")
        pulse.streams = [("Sink", 0), ("Source", 0)]
        pulse.default_sink, pulse.default_source = "headphones", "webcam"
        await desk.told("replies now come out of 'The headphones'")
        await desk.told("now listening through 'The webcam'")
        assert desk.stream("input") is not before[0]
        assert desk.stream("output") is not before[1]

    assert Desk(FakeDevice("default", inputs=32, outputs=32, hears=0.0), pulse=pulse).talk(act).of(ev.Failure) == []


def test_a_sound_server_that_dies_and_comes_back():
    pulse, device = FakePulse(), FakeDevice("default", inputs=32, outputs=32, hears=0.0)

    async def act(desk):
        await desk.settle()
        desk.library.unplug(device)
        pulse.alive = False
        await desk.told("microphone 'The mic' is gone")
        desk.session.control(do.Say("jwt expired"))
        await desk.until(lambda: desk.session.turns_finished == 1)
        pulse.alive = True
        desk.library.plugged.append(device)
        await desk.told("listening again through 'The mic'")
        await desk.told("heard again through 'The speaker'")

    Desk(device, pulse=pulse).talk(act)
