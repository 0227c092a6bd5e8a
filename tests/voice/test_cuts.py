"""Two hundred cuts at random points of conversations, in virtual time: nothing lost, nothing twice, told once."""

from __future__ import annotations

import asyncio
from collections import Counter
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from mrblue_cli.assistant.reasoning import Reasoner
from mrblue_cli.audio.pcm import RATE, Pcm, to_pcm
from mrblue_cli.audio.wav import WavAudio, parse_wav
from mrblue_cli.core.ids import CountingIds
from mrblue_cli.knowledge.base import load_base
from mrblue_cli.protocol.session import Session
from mrblue_cli.voice import controls as do
from mrblue_cli.voice import events as ev
from mrblue_cli.voice.microphones import ClockMicrophone
from mrblue_cli.voice.options import TalkOptions
from mrblue_cli.voice.rungs import Rung, RungName
from mrblue_cli.voice.session import TalkSession
from mrblue_cli.voice.speakers import PacedSpeaker
from tests.fakes.cut_server import REPLY_SECONDS, CutWorld, level_of, marked
from tests.fakes.virtual_time import LoopClock, run_virtual

BASE = load_base()
WAV = parse_wav((Path(__file__).parent.parent.parent / "mrblue_cli/data/question.wav").read_bytes(), "question.wav")
SPOKEN = to_pcm(WAV.samples)[: int(1.5 * RATE)]
CUTS = 5
SEEDS = range(40)
PATIENCE_SECONDS = 90.0


class OwnIds(CountingIds):
    """The servers count as well, each from one; what we name ourselves stays apart from that."""

    def new(self, prefix):
        return super().new(f"own_{prefix}")


class Played:
    """Implements `voice.ports.AudioTap`: counts the samples of each reply that really went out."""

    def __init__(self):
        self.samples = Counter()

    def take(self, heard: Pcm, played: Pcm):
        values, counts = np.unique(played, return_counts=True)
        self.samples.update(dict(zip(values.tolist(), counts.tolist(), strict=True)))

    def seconds(self, mark):
        return self.samples[level_of(mark)] / RATE


class CutTalk:
    """One conversation, spoken and typed, over connections that are cut; it lasts until all cuts are spent."""

    def __init__(self, seed, cuts=CUTS, mode=ev.TurnMode.HANDS_FREE):
        self.world = CutWorld(seed, cuts)
        self.mode = mode
        self.events = []
        self.played = Played()
        self.turns = 0

    def hold(self):
        run_virtual(self.main(), 1000)
        return self

    async def main(self):
        clock = LoopClock()
        self.microphone = ClockMicrophone(clock)
        self.session = TalkSession(
            TalkOptions(turn_mode=self.mode, reply_timeout_seconds=20),
            rungs=(Rung(RungName.REALTIME, "openai", self.world.connect, Session()),),
            microphone=self.microphone,
            speaker=PacedSpeaker(clock),
            reasoner=Reasoner(BASE),
            clock=clock,
            ids=OwnIds(),
            emit=self.events.append,
            tap=self.played,
            chance=self.world.chance.random,
        )
        driving = asyncio.ensure_future(self.drive())
        await self.session.run()
        driving.cancel()
        if driving.done() and not driving.cancelled():
            driving.result()

    async def drive(self):
        chance = self.world.chance
        try:
            await self.until(lambda: self.session.flow.settled)
            while self.world.cuts < CUTS or self.turns < 2:
                self.turns = mark = self.turns + 1
                if chance.random() < 0.25:
                    self.session.control(do.Say(f"question {mark}"))
                else:
                    by_key = self.mode is ev.TurnMode.PUSH_TO_TALK
                    if by_key:
                        self.session.control(do.TalkKey(down=True))
                    self.microphone.load(WavAudio(marked(SPOKEN, mark) / np.float32(32767), RATE))
                    await self.until(lambda: self.microphone.finished)
                    if by_key:
                        self.session.control(do.TalkKey(down=False))
                await self.until(lambda mark=mark: self.answered(mark))
            await self.until(lambda: self.session.flow.settled)
        finally:
            self.session.end("done")

    def answered(self, mark):
        words = any(e.text == f"question {mark}" for e in self.finals(ev.UserTranscript))
        return words and self.session.flow.settled and any(f"answer-{mark}-" in e.text for e in self.replies())

    async def until(self, met):
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not met():
                await asyncio.sleep(0.02)
            await asyncio.sleep(self.world.chance.uniform(0.0, 0.4))

    def of(self, kind):
        return [event for event in self.events if isinstance(event, kind)]

    def finals(self, kind):
        return [event for event in self.of(kind) if event.final]

    def replies(self):
        return [event for event in self.finals(ev.AssistantTranscript) if event.text]


def check(talk):
    """No line lost or doubled, no reply spoken twice, told once."""
    said = [event.text for event in talk.finals(ev.UserTranscript)]
    assert said == [f"question {mark}" for mark in range(1, talk.turns + 1)]
    assert len({event.item_id for event in talk.finals(ev.UserTranscript)}) == talk.turns
    for mark in range(1, talk.turns + 1):
        lines = [event for event in talk.replies() if f"answer-{mark}-" in event.text]
        assert len(lines) == 1, lines
        pieces = lines[0].text.split()
        assert pieces == [f"answer-{mark}-{piece}" for piece in range(len(pieces))]
        heard = talk.played.seconds(mark)
        assert 0 < heard <= REPLY_SECONDS
        if lines[0].heard_ms is None:
            assert heard >= REPLY_SECONDS - 0.05
    assert len({event.item_id for event in talk.replies()}) == talk.turns
    losses = [event for event in talk.of(ev.StatusChanged) if event.state is ev.State.RECONNECTING]
    assert [event.reconnected for event in talk.of(ev.RungChanged)] == [True] * len(losses)
    assert 1 <= len(losses) <= CUTS
    assert talk.of(ev.Failure) == []
    assert len(talk.of(ev.SessionStarted)) == 1
    assert talk.events[-1] == ev.Ended("done")
    assert [said.text for said in talk.session.dialogue.said if said.who == "user"] == said
    known = talk.world.servers[-1].said()
    assert [words for words in known if words.startswith("question")] == said
    for before, words in pairwise(known):
        if words.startswith("answer"):
            assert before.split()[-1] == words.split("-")[1]  # each answer stands behind its question


@pytest.mark.parametrize("seed", SEEDS)
def test_a_conversation_survives_five_cuts(seed):
    talk = CutTalk(seed).hold()
    check(talk)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("mode", [ev.TurnMode.PUSH_TO_TALK, ev.TurnMode.LOCAL_VAD])
def test_turns_that_we_own_survive_as_well(seed, mode):
    check(CutTalk(seed, mode=mode).hold())
