"""Four hours of talk in virtual time: renewals that nobody notices, a few faults that are told, a weight that stays.

The session runs with ticks of 0.1 s instead of 0.02 s, which the voice detection (20 ms blocks) does not notice: a
fifth of the loop's rounds, the same conversation.
"""

from __future__ import annotations

import asyncio
import gc
import random
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import numpy as np

from mrblue_cli.assistant.reasoning import Reasoner
from mrblue_cli.audio.pcm import RATE, to_pcm
from mrblue_cli.audio.wav import WavAudio, parse_wav
from mrblue_cli.core.ids import RandomIds
from mrblue_cli.knowledge.base import KnowledgeBase, load_base
from mrblue_cli.protocol.session import Session
from mrblue_cli.voice import controls as do
from mrblue_cli.voice import events as ev
from mrblue_cli.voice.microphones import ClockMicrophone
from mrblue_cli.voice.options import TalkOptions
from mrblue_cli.voice.rungs import Rung, RungName
from mrblue_cli.voice.session import TalkSession
from mrblue_cli.voice.speakers import PacedSpeaker
from tests.fakes.aging_server import SESSION_SECONDS, AgingServer, Network, WallClock
from tests.fakes.cut_server import MARKS, REPLY_SECONDS, level_of, marked
from tests.fakes.virtual_time import LoopClock, run_virtual
from tests.fakes.weight import weight_of

HOUR = 3600.0
BASE = load_base()
WAV = parse_wav((Path(__file__).parent.parent.parent / "mrblue_cli/data/question.wav").read_bytes(), "question.wav")
LINE_BYTES = 1500
"""What a line of the dialogue may weigh for ever: its words twice, its names, its place."""
SPOKEN = to_pcm(WAV.samples)[: int(1.5 * RATE)]
CUTS = (0.4 * HOUR, 1.25 * HOUR, 3.3 * HOUR)
"""When the connection is lost; the second time the service stays away, and the talk goes on in writing."""
AWAY = (1.25 * HOUR, 2.5 * HOUR)
MODES = (ev.TurnMode.HANDS_FREE, ev.TurnMode.LOCAL_VAD, ev.TurnMode.LOCAL_VAD)
"""By the half hour: the server hears everything, or only what is said (which is quicker to simulate)."""
NO_NEW_SESSIONS = (2.9 * HOUR, 3.15 * HOUR)
"""Sessions stand, new ones are refused: a renewal has to wait."""


class Weighed(NamedTuple):
    weight: int
    tasks: int
    lines: int
    parts: dict[str, int]


class LongTalk:
    """A person who says something every one to two minutes."""

    def __init__(self, seconds=4 * HOUR, seed=1):
        self.seconds = seconds
        self.chance = random.Random(seed)
        self.events = []
        self.weights = {}
        self.said = []
        self.samples = Counter()
        self.first_words = {}

    def hold(self):
        run_virtual(self.main(), self.seconds + HOUR)
        return self

    async def main(self):
        clock = LoopClock()
        self.network = Network(2, down=(AWAY, NO_NEW_SESSIONS))
        self.below = Network(3)
        self.microphone = ClockMicrophone(clock)
        self.session = TalkSession(
            TalkOptions(reply_timeout_seconds=20),
            rungs=(
                Rung(RungName.REALTIME, "openai", self.network.connect, Session()),
                Rung(RungName.TEXT, "text", self.below.connect, Session(), hears=False),
            ),
            microphone=self.microphone,
            speaker=PacedSpeaker(clock),
            reasoner=Reasoner(BASE),
            clock=clock,
            wall=WallClock(),
            ids=RandomIds(),
            emit=self.see,
            tap=self,
            chance=self.chance.random,
            tick_seconds=0.1,
        )
        for moment in CUTS:
            asyncio.get_running_loop().call_later(moment, self.lose_connection)
        driving = asyncio.ensure_future(self.drive(clock))
        await self.session.run()
        await driving

    def lose_connection(self):
        self.network.server.cut()

    def see(self, event):
        if not isinstance(event, ev.Levels):
            self.events.append(event)

    def take(self, heard, played):
        """What really went out, by the reply it belongs to (`voice.ports.AudioTap`)."""
        if played.any():
            values, counts = np.unique(played, return_counts=True)
            self.samples.update(dict(zip(values.tolist(), counts.tolist(), strict=True)))

    async def drive(self, clock):
        try:
            await self.until(lambda: self.session.flow.settled)
            next_weighing = HOUR
            while clock.now() < self.seconds:
                await self.one_turn()
                await asyncio.sleep(self.chance.uniform(60, 120))
                if clock.now() >= next_weighing:
                    self.weigh(round(next_weighing / HOUR))
                    next_weighing += HOUR
            await self.until(lambda: self.session.flow.settled)
        finally:
            self.session.control(do.Quit())

    async def one_turn(self):
        mode = MODES[int(asyncio.get_running_loop().time() // (HOUR / 2)) % len(MODES)]
        if self.session.mode is not mode:
            self.session.control(do.SetTurnMode(mode))
        mark = len(self.said) % (MARKS - 1) + 1
        self.said.append(f"question {mark}")
        if self.chance.random() < 0.3 or not self.session.link.rung.hears:
            self.session.control(do.Say(self.said[-1]))
        else:
            self.microphone.load(WavAudio(marked(SPOKEN, mark) / np.float32(32767), RATE))
        count = len(self.said)
        await self.until(lambda: len(self.words()) == count and len(self.replies()) == count)
        await self.until(lambda: self.session.flow.settled)

    def weigh(self, hours):
        gc.collect()
        # Not what the talk only looks into, and not the other side.
        weight, parts = weight_of(self.session, but=(KnowledgeBase, Network, AgingServer, LongTalk))
        self.weights[hours] = Weighed(weight, len(asyncio.all_tasks()), len(self.words()) + len(self.replies()), parts)

    async def until(self, met):
        async with asyncio.timeout(120):
            while not met():
                await asyncio.sleep(0.1)

    def of(self, kind):
        return [event for event in self.events if isinstance(event, kind)]

    def words(self):
        return [event for event in self.of(ev.UserTranscript) if event.final]

    def replies(self):
        return [event for event in self.of(ev.AssistantTranscript) if event.final and event.text]

    @property
    def turns(self):
        return len(self.said)


def test_four_hours_of_talk():
    talk = LongTalk().hold()
    assert 4 * HOUR / 120 <= talk.turns <= 4 * HOUR / 60

    # No line is lost or doubled, no reply is spoken twice.
    assert [event.text for event in talk.words()] == talk.said
    assert len({event.item_id for event in talk.words()}) == talk.turns
    marks = [int(words.split()[1]) for words in talk.said]
    pieces = [event.text.split() for event in talk.replies()]
    assert [words[0] for words in pieces] == [f"answer-{mark}-0" for mark in marks]
    assert all(len(set(words)) == len(words) for words in pieces)
    assert len({event.item_id for event in talk.replies()}) == talk.turns
    cut = sum(event.heard_ms is not None for event in talk.replies())
    for mark, times in Counter(marks).items():
        heard = talk.samples[level_of(mark)] / RATE
        assert times * (REPLY_SECONDS - 0.05) - cut * REPLY_SECONDS <= heard <= times * REPLY_SECONDS

    # Three faults are told, each once; a dozen renewals are not.
    assert [(event.rung, event.reconnected) for event in talk.of(ev.RungChanged)] == [
        ("realtime", True),
        ("text", False),
        ("realtime", False),
        ("realtime", True),
    ]
    states = [event.state for event in talk.of(ev.StatusChanged)]
    assert states.count(ev.State.RECONNECTING) == len(CUTS)
    assert states.count(ev.State.CONNECTING) == 1
    assert talk.of(ev.Failure) == []
    assert len(talk.of(ev.SessionStarted)) == 1
    assert talk.network.opened + talk.below.opened >= 4 * 3
    # A session lives for twenty minutes, and for longer only while no new one could be had.
    ages = sorted(talk.network.ages)
    assert ages[-1] < SESSION_SECONDS
    assert ages[-2] < 1300
    assert talk.network.expired == talk.below.expired == 0
    (summary,) = talk.of(ev.Summary)
    assert summary.turns == talk.turns
    assert talk.events[-1] == ev.Ended("quit")

    # What it weighs grows with the words that were said, and with nothing else.
    first, last = talk.weights[1], talk.weights[4]
    assert last.weight - first.weight <= LINE_BYTES * (last.lines - first.lines), (first, last)
    assert last.tasks <= first.tasks
