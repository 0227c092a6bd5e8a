"""A talk in a process of its own, to be killed: says on stdout, with the time of day, what the person has seen."""

from __future__ import annotations

import asyncio
import json
import sys
import time

from mrblue_cli.app.talk import Conversation
from mrblue_cli.settings.load import load
from mrblue_cli.voice import events as ev
from mrblue_cli.voice.headless import Type
from tests.app.memory_rungs import MemoryRungs

TURNS = 200


def tell(event):
    if isinstance(event, ev.SessionStarted):
        print("ready", flush=True)
    if isinstance(event, ev.UserTranscript | ev.AssistantTranscript):
        row = {"at": time.time(), "id": event.item_id, "text": event.text, "final": event.final}
        print(json.dumps(row), flush=True)


async def main(name, reply_seconds):
    conversation = Conversation(load(overrides={"talk": {"engine": "local"}, "history": {"record": True}}), tell)
    conversation._rungs = MemoryRungs(reply=f"{name} " + "word " * 20, reply_seconds=reply_seconds)
    await conversation.run_script([Type(f"{name} question {n}") for n in range(TURNS)], output=None)


asyncio.run(main(sys.argv[1], float(sys.argv[2])))
