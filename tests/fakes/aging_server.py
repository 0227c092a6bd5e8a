"""Realtime servers for a whole afternoon: sessions that end after an hour, networks that fail at set times.

They hear, transcribe and answer as `cut_server` does, and keep nothing that a long test would have to carry.
"""

from __future__ import annotations

import asyncio
import random
from collections import deque

from mrblue_cli.audio.pcm import RATE, rms
from mrblue_cli.core.errors import ConnectError
from mrblue_cli.engine.detection import Ear
from mrblue_cli.protocol import commands as cmd
from mrblue_cli.protocol.server_events import Error, ErrorDetail
from mrblue_cli.protocol.session import turn_detection_of
from tests.fakes.cut_server import CutServer
from tests.fakes.virtual_time import LoopClock

SESSION_SECONDS = 3600
_LOUD = 0.003
"""Root mean square of a block that is speech to these servers; their world has no noise."""
_KEPT_BYTES = 60 * RATE * 2


class WallClock(LoopClock):
    """Unix time that goes with the virtual loop."""

    EPOCH = 1_800_000_000

    def now(self) -> float:
        return self.EPOCH + super().now()


class Loudness:
    """Implements `audio.vad.SpeechDetector`. The talk uses the real one; a second would double the time."""

    def is_speech(self, block):
        return bool(block.any()) and rms(block) > _LOUD

    def reset(self):
        pass


class SimpleEar(Ear):
    """The engine's ear without its model of speech."""

    def configure(self, detection):
        super().configure(detection)
        if detection is not None:
            self._detector = Loudness()


class AgingServer(CutServer):
    """One session: says when it expires, and keeps its word with `session_expired` and code 1001."""

    def __init__(self, chance, *, seconds=SESSION_SECONDS):
        super().__init__(chance, expires_at=int(WallClock().now()) + seconds)
        self.received = deque(maxlen=8)
        self.ear = SimpleEar()
        self.ear.configure(turn_detection_of(self.conversation.session))
        self.born = self.loop.time()
        self.expired = False
        self.dying = self.loop.call_later(seconds, self.expire)

    def expire(self):
        self.expired = not self.lost.is_set()
        detail = ErrorDetail(code="session_expired", message="the session reached its maximum duration")
        self.down.put_nowait((self.loop.time(), Error(error=detail)))
        self.loop.call_later(0.5, self.cut)

    def cut(self):
        self.dying.cancel()
        super().cut()

    def lost_error(self):
        return ConnectError("the connection was lost (code 1001)", hint="check the network", retryable=True)

    async def take_in(self):
        """As `CutServer` does, but what is due together is taken at once."""
        while True:
            due, event = await self.up.get()
            if due > self.loop.time():
                await asyncio.sleep(due - self.loop.time())
            self.received.append(event)
            self.apply(self.conversation.receive(event))

    def act(self, command):
        super().act(command)
        if isinstance(command, cmd.AudioArrived) and len(self.audio) > 2 * _KEPT_BYTES:
            gone = min(len(self.audio) - _KEPT_BYTES, self.audio_from)
            del self.audio[:gone]
            self.audio_from -= gone


class Network:
    """The way to one service. `down`: stretches of time in seconds, (from, until), in which no connection is made."""

    def __init__(self, seed, *, down=(), seconds=SESSION_SECONDS):
        self.chance = random.Random(seed)
        self.down = tuple(down)
        self.seconds = seconds
        self.ages = []
        """How old each session grew that is over."""
        self.expired = 0
        self.refused = 0
        self.server = None
        self.opened = 0

    async def connect(self):
        now = asyncio.get_running_loop().time()
        await asyncio.sleep(self.chance.uniform(0.01, 0.3))
        if any(begin <= now < end for begin, end in self.down):
            self.refused += 1
            raise ConnectError("nothing listens at host", hint="", retryable=True)
        self.opened += 1
        self.server = _Watched(self, self.chance, seconds=self.seconds)
        return self.server


class _Watched(AgingServer):
    def __init__(self, network, chance, *, seconds):
        self.network = network
        super().__init__(chance, seconds=seconds)

    def cut(self):
        if not self.lost.is_set():
            self.network.ages.append(self.loop.time() - self.born)
            self.network.expired += self.expired
        super().cut()
