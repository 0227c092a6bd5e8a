"""A talk on the room's devices with a server in memory that answers with sound at once: JSON events out, texts in.

Arguments: `auto` or `pipes` (PortAudio is hidden then, as where it is not installed).
"""

from __future__ import annotations

import asyncio
import json
import sys

from mrblue_cli.app.talk_devices import microphone_of, speaker_of
from mrblue_cli.assistant.reasoning import Reasoner
from mrblue_cli.audio.gate import Route
from mrblue_cli.core.clock import SystemClock
from mrblue_cli.core.errors import MissingPart
from mrblue_cli.core.ids import CountingIds
from mrblue_cli.knowledge.base import load_base
from mrblue_cli.protocol.session import Session
from mrblue_cli.voice import events as ev
from mrblue_cli.voice.controls import Quit, Say
from mrblue_cli.voice.devices import library
from mrblue_cli.voice.options import TalkOptions
from mrblue_cli.voice.rungs import Rung, RungName
from mrblue_cli.voice.session import TalkSession
from mrblue_cli.voice.sound_system import SoundSystem
from tests.fakes.realtime_server import MemoryServer


def hidden():
    raise MissingPart("PortAudio, the sound library, is not installed", hint="install it")


def show(event):
    match event:
        case ev.Failure():
            line = {"type": "error", "text": event.message, "fatal": event.fatal}
        case ev.Advice():
            line = {"type": "advice", "text": event.text}
        case ev.StatusChanged():
            line = {"type": "status", "text": str(event.state)}
        case ev.UserTranscript() | ev.TurnMeasured() | ev.Ended() | ev.SessionStarted():
            line = {"type": type(event).__name__, "text": repr(event)}
        case _:
            return
    print(json.dumps(line), flush=True)


async def main():
    clock = SystemClock()
    sound = SoundSystem(load=library if sys.argv[1] == "auto" else hidden)
    server = MemoryServer(reply_seconds=12.0)

    async def connect():
        return server

    session = TalkSession(
        TalkOptions(route=Route.HEADPHONES),
        rungs=(Rung(RungName.LOCAL, "local", connect, Session()),),
        microphone=microphone_of(sound, show),
        speaker=speaker_of(sound, show, clock),
        reasoner=Reasoner(load_base()),
        clock=clock,
        ids=CountingIds(),
        emit=show,
        sound=sound,
    )
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)

    async def type_lines():
        async for line in reader:
            session.control(Say(line.decode().strip()))
        session.control(Quit())

    typing = asyncio.ensure_future(type_lines())
    await session.run()
    typing.cancel()


if __name__ == "__main__":
    asyncio.run(main())
