"""A Realtime server in memory: the real server side of the protocol and the real ear, answers from the test."""

from __future__ import annotations

import asyncio

from mrblue_cli.audio.pcm import RATE
from mrblue_cli.audio.segmenter import SpeechBegan, SpeechEnded
from mrblue_cli.core.errors import ConnectError
from mrblue_cli.core.ids import CountingIds
from mrblue_cli.engine.detection import Ear
from mrblue_cli.protocol import commands as cmd
from mrblue_cli.protocol.notices import Dialect
from mrblue_cli.protocol.server import ServerConversation
from mrblue_cli.protocol.server_events import SessionCreated
from mrblue_cli.protocol.session import Session


class MemoryServer:
    """Implements `voice.session.Transport`. Replies say `reply` in `reply_seconds` of sound, all at once.

    `heard`: what is recognised in every turn, or a list, one text a turn (None: the transcript never comes).
    `heard_after`: how late, in seconds. `sound`: the samples of every reply, as bytes.
    """

    dialect = Dialect.GA

    def __init__(
        self,
        *,
        heard="address already in use port 3000",
        heard_after=0.0,
        reply="Found it. Stop the process.",
        reply_seconds=2.0,
        sound=None,
    ):
        self.heard, self.heard_after = heard, heard_after
        self.reply = reply
        self.sound = b"\x10\x20" * int(reply_seconds * RATE) if sound is None else sound
        self.conversation = ServerConversation(
            Session(type="realtime", model="memory", output_modalities=["audio"]), ids=CountingIds(), expires_at=0
        )
        self.ear = Ear()
        self.received = []
        self.out = asyncio.Queue()
        self.deaf = False
        self.lost = False
        outcome = self.conversation.open()
        self.created = outcome.send[0]
        assert isinstance(self.created, SessionCreated)
        self.apply(type(outcome)((), outcome.commands))

    async def send(self, *events):
        if self.lost:
            raise self.lost_error()
        for event in events:
            self.received.append(event)
            if self.deaf:
                continue
            self.apply(self.conversation.receive(event))

    def __aiter__(self):
        return self.events()

    async def events(self):
        while (event := await self.out.get()) is not None:
            yield event

    def drop(self):
        self.lost = True
        self.out.put_nowait(None)

    def lost_error(self):
        return ConnectError("the connection was lost (code 1006)", hint="check the network")

    async def close(self):
        self.out.put_nowait(None)

    def sent(self, kind):
        return [event for event in self.received if isinstance(event, kind)]

    def apply(self, outcome):
        for event in outcome.send:
            self.out.put_nowait(event)
        for command in outcome.commands:
            self.act(command)

    def act(self, command):
        match command:
            case cmd.AudioArrived():
                for boundary in self.ear.feed(command.pcm, replying=False):
                    self.on_boundary(boundary)
            case cmd.AudioForgotten():
                self.ear.forget()
            case cmd.TurnsConfigured():
                self.ear.configure(command.detection)
            case cmd.TurnClosed():
                self.transcribe(command.item_id)
            case cmd.StartReply():
                response_id = command.response_id
                self.apply(self.conversation.reply_text(response_id, self.reply))
                self.apply(self.conversation.reply_audio(response_id, self.sound))
                self.apply(self.conversation.reply_finished(response_id))

    def on_boundary(self, boundary):
        if isinstance(boundary, SpeechBegan):
            self.apply(self.conversation.speech_started(boundary.at_sample * 1000 // RATE))
        elif isinstance(boundary, SpeechEnded):
            outcome, item_id = self.conversation.speech_stopped(boundary.at_sample * 1000 // RATE)
            if item_id is not None:
                self.apply(type(outcome)(outcome.send[:-1], ()))
                self.transcribe(item_id)
                self.apply(type(outcome)(outcome.send[-1:], outcome.commands))

    def transcribe(self, item_id):
        text = self.heard.pop(0) if isinstance(self.heard, list) else self.heard
        if text is None:
            return

        def tell():
            self.apply(self.conversation.transcript_completed(item_id, text, 1.0))

        if self.heard_after:
            asyncio.get_running_loop().call_later(self.heard_after, tell)
        else:
            tell()
