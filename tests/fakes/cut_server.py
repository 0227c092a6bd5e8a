"""Realtime servers that are cut off at any event, in either direction, with what is under way lost.

They really hear: a recording carries a mark in its lowest bits, and its "transcript" is that mark. They know only what
they were told: a reply answers the newest words of their own history. Replies are streamed, transcripts come late.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter

import numpy as np

from mrblue_cli.audio.pcm import RATE, from_bytes
from mrblue_cli.audio.segmenter import SpeechBegan, SpeechEnded
from mrblue_cli.core.errors import ConnectError
from mrblue_cli.core.ids import CountingIds
from mrblue_cli.engine.detection import Ear
from mrblue_cli.protocol import commands as cmd
from mrblue_cli.protocol.notices import Dialect
from mrblue_cli.protocol.server import ServerConversation
from mrblue_cli.protocol.session import Session

REPLY_SECONDS = 1.5
PIECES = 6
MARKS = 16
LEVEL = 1000
"""Reply audio to mark k is `LEVEL + 100 * k`, sample for sample."""


def marked(pcm, mark):
    """A recording that says `mark` (1..15) to these servers; sounds the same."""
    return np.where(pcm == 0, 0, (pcm & ~np.int16(MARKS - 1)) | np.int16(mark)).astype(np.int16)


def mark_of(pcm):
    marks = Counter((pcm[np.abs(pcm) >= MARKS] & (MARKS - 1)).tolist())
    return marks.most_common(1)[0][0] if marks else 0


def level_of(mark):
    return LEVEL + 100 * mark


class CutServer:
    """Implements `voice.rungs.Transport`. `cut_after`: ("told"|"heard", events) or ("time", seconds)."""

    dialect = Dialect.GA

    def __init__(self, chance, *, cut_after=None, expires_at=0):
        self.chance = chance
        self.cut_after = cut_after
        self.loop = asyncio.get_running_loop()
        self.conversation = ServerConversation(
            Session(type="realtime", model="cut", output_modalities=["audio"]), ids=CountingIds(), expires_at=expires_at
        )
        self.ear = Ear()
        self.lag = chance.uniform(0.01, 0.08)
        self.down = asyncio.Queue()
        self.up = asyncio.Queue()
        self.lost = asyncio.Event()
        self.told = self.heard_events = 0
        self.audio = bytearray()
        self.texts = {}
        self.received = []
        self.ended_by = "cut"
        self.jobs = {asyncio.ensure_future(self.take_in())}
        self.replies = {}
        self.audio_from = 0
        outcome = self.conversation.open()
        self.created = outcome.send[0]
        self.apply(type(outcome)((), outcome.commands))
        if cut_after is not None and cut_after[0] == "time":
            self.loop.call_later(cut_after[1], self.cut)

    def cut(self):
        """The connection is gone in this moment: whatever is under way never arrives."""
        if not self.lost.is_set():
            self.lost.set()
            self.down.put_nowait((0.0, None))
            for job in (*self.jobs, *self.replies.values()):
                job.cancel()

    # Transport

    async def send(self, *events):
        for event in events:
            if self.lost.is_set():
                raise self.lost_error()
            self.up.put_nowait((self.loop.time() + self.lag, event))

    def __aiter__(self):
        return self.events()

    async def events(self):
        while True:
            due, event = await self.down.get()
            await asyncio.sleep(max(0.0, due - self.loop.time()))
            if self.lost.is_set() or event is None:
                return
            self.told += 1
            if self.cut_after == ("told", self.told):
                self.cut()
            yield event

    def lost_error(self):
        return ConnectError("the connection was lost (code 1006)", hint="check the network", retryable=True)

    async def close(self):
        self.ended_by = "client" if not self.lost.is_set() else self.ended_by
        self.cut()

    # The server itself

    async def take_in(self):
        while True:
            due, event = await self.up.get()
            await asyncio.sleep(max(0.0, due - self.loop.time()))
            self.heard_events += 1
            self.received.append(event)
            self.apply(self.conversation.receive(event))
            if self.cut_after == ("heard", self.heard_events):
                self.cut()

    def apply(self, outcome):
        for event in outcome.send:
            self.down.put_nowait((self.loop.time() + self.lag, event))
        for command in outcome.commands:
            self.act(command)

    def act(self, command):
        match command:
            case cmd.AudioArrived():
                self.audio += command.pcm
                for boundary in self.ear.feed(command.pcm, replying=bool(self.replies)):
                    self.on_boundary(boundary)
            case cmd.AudioForgotten():
                self.ear.forget()
                self.audio_from = len(self.audio)
            case cmd.TurnsConfigured():
                self.ear.configure(command.detection)
            case cmd.TurnClosed():
                self.hear(command.item_id)
            case cmd.StartReply():
                self.replies[command.response_id] = asyncio.ensure_future(self.reply(command.response_id))
            case cmd.StopReply():
                job = self.replies.pop(command.response_id, None)
                if job is not None:
                    job.cancel()

    def on_boundary(self, boundary):
        if isinstance(boundary, SpeechBegan):
            self.apply(self.conversation.speech_started(boundary.at_sample * 1000 // RATE))
        elif isinstance(boundary, SpeechEnded):
            outcome, item_id = self.conversation.speech_stopped(boundary.at_sample * 1000 // RATE)
            if item_id is not None:
                self.hear(item_id)
            self.apply(outcome)

    def hear(self, item_id):
        """Understand what was appended since the last turn; the words are told later."""
        said = from_bytes(bytes(self.audio[self.audio_from :]))
        self.audio_from = len(self.audio)
        self.texts[item_id] = f"question {mark_of(said)}"
        self.jobs.add(asyncio.ensure_future(self.transcribe(item_id)))

    async def transcribe(self, item_id):
        if self.chance.random() < 0.5:
            await asyncio.sleep(self.chance.uniform(0.02, 0.2))
            self.apply(self.conversation.transcript_delta(item_id, "quest"))
        await asyncio.sleep(self.chance.uniform(0.0, 0.9))
        self.apply(self.conversation.transcript_completed(item_id, self.texts[item_id], 1.0))

    def newest_words(self):
        for item in reversed(self.conversation.history):
            if item.type == "message" and item.role == "user":
                return self.texts.get(item.key) or item.text
        return "nothing"

    def said(self):
        """The conversation as this server knows it, one text a line."""
        return [self.texts.get(item.key) or item.text for item in self.conversation.history if item.type == "message"]

    async def reply(self, response_id):
        await asyncio.sleep(self.chance.uniform(0.05, 0.4))
        words = self.newest_words()
        mark = int(words.split()[-1]) if words.split()[-1].isdigit() else 0
        samples = np.full(int(REPLY_SECONDS * RATE) // PIECES, level_of(mark), dtype="<i2").tobytes()
        for piece in range(PIECES):
            self.apply(self.conversation.reply_text(response_id, f"answer-{mark}-{piece} "))
            self.apply(self.conversation.reply_audio(response_id, samples))
            await asyncio.sleep(self.chance.uniform(0.0, 0.2))
        self.replies.pop(response_id, None)
        self.apply(self.conversation.reply_finished(response_id))


class CutWorld:
    """The network of one talk: each connection stands a while; the cuts that are left are spent one by one."""

    def __init__(self, seed, cuts, *, refusals=0.3):
        self.chance = random.Random(seed)
        self.cuts_left = cuts
        self.refusals = refusals
        self.servers = []
        self.refused = 0

    @property
    def cuts(self):
        return sum(server.ended_by == "cut" and server.lost.is_set() for server in self.servers)

    async def connect(self):
        await asyncio.sleep(self.chance.uniform(0.01, 0.3))
        if self.servers and self.refused < 2 and self.chance.random() < self.refusals:
            self.refused += 1
            raise ConnectError("nothing listens at host", hint="", retryable=True)
        self.refused = 0
        cut_after = None
        if self.cuts_left:
            self.cuts_left -= 1
            kind = self.chance.choice(["told", "told", "heard", "time"])
            cut_after = (
                kind,
                self.chance.uniform(0.0, 8.0)
                if kind == "time"
                else self.chance.randint(1, 60 if kind == "told" else 300),
            )
        self.servers.append(CutServer(self.chance, cut_after=cut_after))
        return self.servers[-1]
