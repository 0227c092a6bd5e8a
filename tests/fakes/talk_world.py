"""Whole talks over servers that come and go, in virtual time: what one part does while another is busy."""

from __future__ import annotations

import asyncio
import dataclasses

import numpy as np
import pytest

from mrblue_cli.assistant.reasoning import Reasoner
from mrblue_cli.assistant.tools import ToolBox
from mrblue_cli.audio.pcm import RATE
from mrblue_cli.audio.wav import WavAudio
from mrblue_cli.core.errors import ConnectError
from mrblue_cli.core.ids import CountingIds
from mrblue_cli.protocol import client_events as c
from mrblue_cli.protocol import commands as cmd
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
from tests.voice.test_session import BASE, quiet

LONG = " ".join(f"word{number}" for number in range(100))
BOTH = pytest.mark.parametrize("mode", [ev.TurnMode.HANDS_FREE, ev.TurnMode.LOCAL_VAD])
UNIX = 1_800_000_000


class WallClock(LoopClock):
    """Unix seconds."""

    def now(self):
        return UNIX + super().now()


class OwnIds(CountingIds):
    """The servers count as well, each from one."""

    def new(self, prefix):
        return super().new(f"own_{prefix}")


class Server(MemoryServer):
    """One connection of a world; it keeps what it was asked, and may be slow to begin a reply."""

    def __init__(self, world):
        self.world = world
        self.open = True
        self.orders = []
        super().__init__(
            heard=world.heard, heard_after=world.heard_after, reply=world.reply, reply_seconds=world.reply_seconds
        )
        if world.lives is not None:
            self.created.session["expires_at"] = int(UNIX + LoopClock().now() + world.lives)

    def drop(self):
        if self.open:
            self.open = False
            super().drop()

    def lost_error(self):
        return ConnectError("the connection was lost (code 1006)", hint="check the network", retryable=True)

    async def send(self, *events):
        if self.world.lag and not isinstance(events[0], c.AppendAudio):
            await asyncio.sleep(self.world.lag)
        await super().send(*events)

    def apply(self, outcome):
        if self.open:
            super().apply(outcome)

    def act(self, command):
        if isinstance(command, cmd.StartReply):
            self.orders.append(command)
            if self.world.reply_after is None:
                return
            asyncio.get_running_loop().call_later(self.world.reply_after, super().act, command)
            return
        super().act(command)

    def knows(self):
        """Role and words of the conversation as it was told, oldest first; speech has no words here."""
        return [(item.role, item.text) for item in self.conversation.history if item.type == "message"]


class World:
    """One talk over as many connections as it takes, on one rung or several."""

    def __init__(self, mode=ev.TurnMode.HANDS_FREE, *, lower=None, heard="port in use", **server):
        self.mode, self.lower, self.heard = mode, lower, heard
        self.heard_after = server.get("heard_after", 0.0)
        self.reply = server.get("reply", LONG)
        self.reply_seconds = server.get("reply_seconds", 20.0)
        self.reply_after = server.get("reply_after", 0.0)
        self.events, self.servers, self.lowers, self.options = [], [], [], {}
        self.down = False
        self.join_seconds = 0.2
        self.lag = 0.0
        """Seconds on the way to the server."""
        self.lives = None
        """Seconds until a session expires."""
        self.tools = ()
        self.past = ()
        self.server_class = Server

    def hold(self, act):
        async def main():
            clock = LoopClock()
            self.microphone = ClockMicrophone(clock)
            self.speaker = PacedSpeaker(clock)
            rungs = [Rung(RungName.REALTIME, "openai", self.connect, Session())]
            if self.lower is not None:
                rungs.append(dataclasses.replace(self.lower, connect=self.connect_lower))
            self.session = TalkSession(
                TalkOptions(turn_mode=self.mode, **{"reply_timeout_seconds": 20, **self.options}),
                rungs=rungs,
                microphone=self.microphone,
                speaker=self.speaker,
                reasoner=Reasoner(BASE),
                clock=clock,
                ids=OwnIds(),
                emit=self.events.append,
                toolbox=ToolBox(self.tools),
                past=self.past,
                wall=WallClock(),
            )
            acting = asyncio.ensure_future(self.play(act))
            await self.session.run()
            acting.cancel()
            if acting.done() and not acting.cancelled():
                acting.result()

        run_virtual(main(), 4000)
        return self

    async def play(self, act):
        try:
            await self.until(lambda: self.session.flow.settled)
            await act(self)
        finally:
            self.session.control(do.Quit())

    async def connect(self):
        await asyncio.sleep(self.join_seconds)
        if self.down:
            raise ConnectError("nothing listens at host", hint="", retryable=True)
        self.servers.append(self.server_class(self))
        return self.servers[-1]

    async def connect_lower(self):
        await asyncio.sleep(self.join_seconds)
        self.lowers.append(Server(self))
        return self.lowers[-1]

    @property
    def server(self):
        return self.servers[-1]

    async def until(self, met, seconds=60.0):
        async with asyncio.timeout(seconds):
            while not met():
                await asyncio.sleep(0.01)

    def say(self, *parts):
        pieces = [quiet(part) if isinstance(part, float) else part for part in parts]
        self.microphone.load(WavAudio(np.concatenate(pieces), RATE))

    def of(self, kind):
        return [event for event in self.events if isinstance(event, kind)]

    def words(self):
        return [event.text for event in self.of(ev.UserTranscript) if event.final]

    def replies(self):
        return [event for event in self.of(ev.AssistantTranscript) if event.final and event.text]

    def cuts(self):
        return [event for event in self.replies() if event.heard_ms is not None]

    def states(self):
        return [str(event.state) for event in self.of(ev.StatusChanged)]


TEXT = Rung(RungName.TEXT, "text", None, Session(), hears=False, speaks=False)
LOCAL = Rung(RungName.LOCAL, "local", None, Session())
