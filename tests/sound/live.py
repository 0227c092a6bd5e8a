"""A headless conversation on real devices for the tests: JSON lines out, typed lines in, the end of input quits."""

from __future__ import annotations

import asyncio
import sys

from mrblue_cli.app.talk import Conversation
from mrblue_cli.cli.talk import _Sink
from mrblue_cli.settings.load import load
from mrblue_cli.voice.controls import Quit, Say


async def main() -> int:
    sink = _Sink(as_json=True)
    conversation = Conversation(load(overrides={"talk": {"engine": "local"}}), sink)
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)

    async def type_lines() -> None:
        async for line in reader:
            conversation.control(Say(line.decode().strip()))
        conversation.control(Quit())

    typing = asyncio.ensure_future(type_lines())
    await conversation.run()
    typing.cancel()
    return 1 if sink.fatal_code else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
