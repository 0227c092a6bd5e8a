"""A room in virtual time: what the loudspeaker plays comes back to the microphone late, reflected and with noise."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np

from mrblue_cli.assistant.reasoning import Reasoner
from mrblue_cli.audio.gate import EchoChoice, Route
from mrblue_cli.audio.pcm import RATE, to_pcm
from mrblue_cli.audio.resample import convert
from mrblue_cli.audio.wav import parse_wav
from mrblue_cli.core.ids import RandomIds
from mrblue_cli.knowledge.base import load_base
from mrblue_cli.protocol import commands as cmd
from mrblue_cli.protocol import server_events as s
from mrblue_cli.protocol.session import Session
from mrblue_cli.voice import controls as do
from mrblue_cli.voice import events as ev
from mrblue_cli.voice.microphones import ClockMicrophone
from mrblue_cli.voice.options import TalkOptions
from mrblue_cli.voice.rungs import Rung, RungName
from mrblue_cli.voice.session import TalkSession
from mrblue_cli.voice.speakers import PacedSpeaker
from tests.fakes.realtime_server import MemoryServer
from tests.fakes.virtual_time import LoopClock, run_virtual

WAV = parse_wav(
    (Path(__file__).parent.parent.parent / "mrblue_cli/data/question.wav").read_bytes(), "question.wav"
).samples
"""A person's question at a natural level, -22 dBFS."""


BASE = load_base()


def assistant_voice(seconds):
    """Speech of another, lower voice, with the pauses that a reply has."""
    low = convert(WAV, RATE, int(RATE * 1.18))
    parts = [low, np.zeros(RATE // 5, dtype=np.float32), low[len(low) // 3 :], np.zeros(RATE // 2, dtype=np.float32)]
    once = np.concatenate(parts)
    return to_pcm(np.tile(once, int(seconds * RATE) // len(once) + 1)[: int(seconds * RATE)])


def impulse_response(delay_ms, gain_db, seed=1):
    """Taps of a small room as (sample, gain): the direct way and a decaying tail of reflections over 50 ms."""
    chance = np.random.default_rng(seed)
    late = np.sort(chance.choice(np.arange(12, 1200), 24, replace=False))
    gains = np.concatenate(([1.0], chance.standard_normal(24) * 0.35 * np.exp(-late / 350)))
    return np.concatenate(([0], late)) + delay_ms * RATE // 1000, gains * 10 ** (gain_db / 20)


class EchoRoom:
    """The air between the two: `hear` gives what arrives at the microphone."""

    def __init__(self, delay_ms=60, gain_db=-6.0, noise_dbfs=-65.0):
        self.taps, self.gains = impulse_response(delay_ms, gain_db)
        self.noise = 10 ** (noise_dbfs / 20) * 32768
        self.chance = np.random.default_rng(7)
        self.reach = int(self.taps.max()) + 1
        self.air = np.zeros(self.reach)
        self.start = -self.reach
        self.at = 0

    def play(self, pcm):
        self.air = np.concatenate((self.air, pcm))

    def hear(self, count):
        """The next `count` samples; what was not played yet is silence."""
        short = self.at + count - (self.start + len(self.air))
        air = np.concatenate((self.air, np.zeros(max(0, short))))
        begin = self.at - self.start
        echo = np.zeros(count)
        for tap, gain in zip(self.taps, self.gains, strict=True):
            echo += gain * air[begin - tap : begin - tap + count]
        self.at += count
        drop = self.at - self.start - self.reach
        if drop > 0:
            self.air, self.start = self.air[drop:], self.start + drop
        return echo + self.chance.standard_normal(count) * self.noise


class RoomMicrophone(ClockMicrophone):
    """Hears the person (what is loaded) and the room."""

    def __init__(self, clock, room):
        super().__init__(clock, "room microphone")
        self.room = room

    def say(self, samples):
        self._content = to_pcm(samples)

    def read(self):
        person = super().read()
        both = person + self.room.hear(len(person))
        return np.clip(both, -32768, 32767).astype(np.int16)


class RoomSpeaker(PacedSpeaker):
    """A loudspeaker in the room."""

    route = Route.SPEAKERS

    def __init__(self, clock, room):
        super().__init__(clock)
        self.name = "loudspeaker"
        self.room = room

    def take_played(self):
        played = super().take_played()
        self.room.play(played)
        return played


class SpeakingServer(MemoryServer):
    """Replies with speech, so that its echo is speech, too. `started`: when its ear heard a turn begin."""

    def __init__(self, *, voice, **options):
        super().__init__(**options)
        self.voice = voice.astype("<i2").tobytes()
        self.started = []

    def apply(self, outcome):
        for event in outcome.send:
            if isinstance(event, s.SpeechStarted):
                self.started.append(asyncio.get_running_loop().time())
        super().apply(outcome)

    def act(self, command):
        if isinstance(command, cmd.StartReply):
            response_id = command.response_id
            self.apply(self.conversation.reply_text(response_id, self.reply))
            self.apply(self.conversation.reply_audio(response_id, self.voice))
            self.apply(self.conversation.reply_finished(response_id))
        else:
            super().act(command)


class RoomTalk:
    """A talk on a loudspeaker. `script(talk)` drives it; everything runs in virtual time."""

    def __init__(
        self,
        *,
        delay_ms=60,
        gain_db=-6.0,
        echo=EchoChoice.AUTO,
        mode=ev.TurnMode.HANDS_FREE,
        reply_seconds=20.0,
        voice=None,
        noise_dbfs=-65.0,
        tick_seconds=0.02,
    ):
        self.tick_seconds = tick_seconds
        self.noise_dbfs = noise_dbfs
        self.voice = assistant_voice(reply_seconds) if voice is None else voice
        self.delay_ms, self.gain_db, self.echo, self.mode = delay_ms, gain_db, echo, mode
        self.events = []

    def hold(self, script):
        async def main():
            clock = LoopClock()
            room = EchoRoom(self.delay_ms, self.gain_db, self.noise_dbfs)
            self.server = SpeakingServer(voice=self.voice)
            self.microphone, self.speaker = RoomMicrophone(clock, room), RoomSpeaker(clock, room)
            self.session = TalkSession(
                TalkOptions(turn_mode=self.mode, echo=self.echo),
                rungs=(Rung(RungName.LOCAL, "local", self._connect, Session()),),
                microphone=self.microphone,
                speaker=self.speaker,
                reasoner=Reasoner(BASE),
                clock=clock,
                ids=RandomIds(),
                emit=self.events.append,
                tick_seconds=self.tick_seconds,
            )

            async def drive():
                try:
                    await self.until(lambda: self.session.flow.settled)
                    await script(self)
                finally:
                    self.session.control(do.Quit())

            job = asyncio.ensure_future(drive())
            await self.session.run()
            job.result()

        run_virtual(main(), 7200)
        return self

    async def _connect(self):
        return self.server

    async def until(self, met, seconds=60.0):
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        while not met():
            assert loop.time() < end, "it never happened"
            await asyncio.sleep(0.02)

    async def reply(self, text="tell me"):
        """Have one reply played to its end."""
        before = self.session.turns_finished
        self.session.control(do.Say(text))
        await self.until(lambda: self.session.turns_finished > before and self.session.flow.settled)

    async def speak_over(self, after=1.0, samples=WAV):
        """Speak while a reply plays; returns how many seconds until the loudspeaker fell silent, or None.

        It falls silent when the reply is held to be judged; that the reply then ends is for the test to see.
        """
        self.session.control(do.Say("tell me"))
        await self.until(lambda: self.session.flow.audible)
        await asyncio.sleep(after)
        began = asyncio.get_running_loop().time()
        self.microphone.say(samples)
        cuts = len(self.of_cut())
        spoken = len(samples) / RATE + 1.5
        while asyncio.get_running_loop().time() < began + spoken:
            if self.session.flow.paused or len(self.of_cut()) > cuts:
                return asyncio.get_running_loop().time() - began
            await asyncio.sleep(0.01)
        return None

    def of(self, kind):
        return [event for event in self.events if isinstance(event, kind)]

    def of_cut(self):
        return [event for event in self.of(ev.AssistantTranscript) if event.heard_ms is not None]
