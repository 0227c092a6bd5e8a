"""Services of single requests that fail, over real sockets; and a talk whose process is killed."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import Any

from bench.resilience_rows import PROCESS, SOCKETS, Row, Stamped
from mrblue_cli.app.talk import Conversation
from mrblue_cli.settings.load import load
from mrblue_cli.voice import events as ev
from mrblue_cli.voice.headless import Type
from mrblue_cli.voice.history import HistoryStore
from tests.fakes.speech_service import running_service

ROOT = Path(__file__).parent.parent
QUESTIONS = ("what is the capital of France", "address already in use port 3000", "and jwt expired")


async def batch(fault: str, lines: int, answers: int, **faults: list[object]) -> Row:
    """Three typed turns on the way of single requests, writing below it; `faults` by route."""
    row, events = Row(fault, SOCKETS), Stamped()
    async with running_service() as service:
        service.faults = dict(faults)
        overrides: dict[str, Any] = {
            "talk": {"fallback": ["batch,text"]},
            "history": {"keep": False},
            "batch": {"base_url": service.url},
            "chat": {"base_url": service.url, "model": "m"},
        }
        talk = Conversation(load(overrides=overrides), events.append)
        began = asyncio.get_running_loop().time()
        async with asyncio.timeout(60):
            await talk.run_script([Type(text) for text in QUESTIONS], output=None)
    row.told = [line for line in events.told() if "private" not in line]
    row.seconds = events.first("goes on", began)
    row.lines(QUESTIONS, events.finals(ev.UserTranscript))
    spoken = events.finals(ev.AssistantTranscript)
    row.note = f"{len(spoken)} of {len(QUESTIONS)} turns answered"
    row.expect(f"{len(spoken)} answers", holds=len(spoken) >= answers)
    row.expect(f"told {len(row.told)} lines", holds=len(row.told) <= lines)
    row.expect("an error ended the talk", holds=events[-1] == ev.Ended("done"))
    return row


def killed() -> Row:
    """`kill -9` while a reply is spoken; the history is read by another process afterwards."""
    row = Row("`kill -9` in the middle of a talk", PROCESS)
    with tempfile.TemporaryDirectory() as folder:
        env = {**os.environ, "XDG_DATA_HOME": folder, "XDG_CONFIG_HOME": folder}
        child = subprocess.Popen(
            [sys.executable, "-m", "tests.app.history_child", "talk", "0.4"],
            stdout=subprocess.PIPE, text=True, cwd=ROOT, env=env,
        )  # fmt: skip
        assert child.stdout is not None
        child.stdout.readline()
        time.sleep(4.0)
        moment = time.time()
        child.kill()
        printed = child.stdout.read()
        child.wait()
        shown = [json.loads(line) for line in printed.splitlines() if line.endswith("}")]
        finals = {one["id"]: one for one in shown if one["final"]}
        with closing(HistoryStore(next(Path(folder).rglob("history.db")))) as store:
            (conversation,) = store.conversations()
            kept = {line.item_id: line for line in store.lines(conversation.id)}
    due = [one for one in finals.values() if one["at"] < moment - 1.0]
    row.lost = sum(one["id"] not in kept or kept[one["id"]].text != one["text"] for one in due)
    late = sum(one["id"] not in kept for one in finals.values())
    row.note = f"{len(finals)} lines seen, {len(kept)} kept, {late} of the last second missing"
    row.expect("nothing was said", holds=len(due) > 4)
    return row


async def all_rows() -> list[Row]:
    """Every fault of this kind."""
    rows = [
        await batch("chat service: one fault (500), then well", 1, 2, chat=[500, None]),
        await batch("chat service: 500 for good", 2, 2, chat=[500]),
        await batch("speech service: 500 for good", 2, 2, speech=[500]),
        await batch("chat service: out of credit (429)", 1, 3, chat=["quota"]),
        await batch("chat service: answer breaks off once", 1, 2, chat=["cut", None]),
    ]
    return [*rows, await asyncio.get_running_loop().run_in_executor(None, killed)]
