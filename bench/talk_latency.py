"""How long a person waits: end of speech to the first sample of the answer, over spoken questions on the local engine;
speaking over a reply to silence; talk key to commit; start to listening. Runs the real program and its real models."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from bench.questions import QUESTIONS, Voices, save
from bench.report import arguments, percentile, show, spread
from mrblue_cli.audio.wav import parse_wav

TALK = [sys.executable, "-m", "mrblue_cli", "talk", "--headless", "--engine", "local", "--json"]


def talk(*args: str) -> list[tuple[float, dict]]:
    """Run the program; events with the seconds since it was started."""
    began = time.monotonic()
    process = subprocess.Popen(
        [*TALK, *args], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL, text=True
    )
    assert process.stdout is not None
    return [(time.monotonic() - began, json.loads(line)) for line in process.stdout]


def turns(events: list[tuple[float, dict]]) -> list[dict]:
    """The turn records."""
    return [event for _, event in events if event["type"] == "turn"]


async def key_to_commit(count: int) -> list[float]:
    """Seconds from the released talk key to the commit's arrival at a server, over a real loopback socket."""
    from websockets.asyncio.server import serve

    from mrblue_cli.assistant.reasoning import Reasoner
    from mrblue_cli.core.clock import SystemClock
    from mrblue_cli.core.ids import RandomIds
    from mrblue_cli.knowledge.base import load_base
    from mrblue_cli.protocol.session import Session
    from mrblue_cli.realtime.client import connect
    from mrblue_cli.realtime.options import ConnectOptions
    from mrblue_cli.voice.controls import Quit, TalkKey
    from mrblue_cli.voice.events import TurnMode
    from mrblue_cli.voice.microphones import ClockMicrophone
    from mrblue_cli.voice.options import TalkOptions
    from mrblue_cli.voice.rungs import Rung, RungName
    from mrblue_cli.voice.session import TalkSession
    from mrblue_cli.voice.speakers import PacedSpeaker

    arrived: asyncio.Queue[float] = asyncio.Queue()

    async def serve_one(socket: object) -> None:
        await socket.send(json.dumps({"type": "session.created", "session": {"id": "s", "type": "realtime"}}))  # type: ignore[attr-defined]
        async for message in socket:  # type: ignore[attr-defined]
            if '"input_audio_buffer.commit"' in message:
                arrived.put_nowait(time.monotonic())
                await socket.send(json.dumps({"type": "input_audio_buffer.committed", "item_id": "u"}))  # type: ignore[attr-defined]

    clock, waits = SystemClock(), []
    async with serve(serve_one, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        here = ConnectOptions(f"ws://127.0.0.1:{port}/")
        options = TalkOptions(turn_mode=TurnMode.PUSH_TO_TALK)
        session = TalkSession(
            options, rungs=(Rung(RungName.LOCAL, "local", lambda: connect(here), Session()),),
            microphone=ClockMicrophone(clock), speaker=PacedSpeaker(clock), reasoner=Reasoner(load_base()), clock=clock,
            ids=RandomIds(), emit=lambda _: None,
        )  # fmt: skip
        running = asyncio.ensure_future(session.run())
        while not session.flow.settled:  # noqa: ASYNC110 - a state of several parts
            await asyncio.sleep(0.01)
        for _ in range(count):
            session.control(TalkKey(down=True))
            await asyncio.sleep(0.25)
            released = time.monotonic()
            session.control(TalkKey(down=False))
            waits.append(await arrived.get() - released)
        session.control(Quit())
        await running
    return waits


def main() -> None:
    parser = arguments(__doc__ or "")
    parser.add_argument("--questions", type=int, default=len(QUESTIONS))
    parser.add_argument("--interruptions", type=int, default=20)
    parser.add_argument("--only-keys", action="store_true", help="measure the talk key alone")
    options = parser.parse_args()
    if options.only_keys:
        keys = asyncio.run(key_to_commit(20))
        rows = [("talk key to commit at the server", spread([k * 1000 for k in keys], "ms"), "50 ms")]
        show("talk key", rows, {"key_to_commit": keys}, options.json)
        return
    voices = Voices()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        inputs: list[str] = []
        asked = QUESTIONS[: options.questions]
        for number, question in enumerate(asked):
            path = folder / f"q{number:02}.wav"
            save(voices.speak(question.spoken, "piper"), path)
            inputs += ["--input", str(path)]
        events = talk(*inputs)
        answered = turns(events)
        hits = [event["id"] for _, event in events if event["type"] == "kb_hit"]
        found = sum(question.entry in hits for question in asked)
        waits = [
            (turn["first_sample_ms"] - turn["speech_end_ms"]) / 1000 for turn in answered if turn["first_sample_ms"]
        ]
        after_commit = [(t["first_sample_ms"] - t["commit_ms"]) / 1000 for t in answered if t["first_sample_ms"]]
        listening = next(at for at, event in events if event.get("state") == "listening")

        first = parse_wav(Path(inputs[1]).read_bytes(), "q").samples
        over = folder / "over.wav"
        save(np.concatenate((first, np.zeros(24_000 * 3, dtype=np.float32), first)), over)
        stops = [
            turn["barge_in_stop_ms"] / 1000
            for turn in turns(talk(*["--input", str(over)] * options.interruptions))
            if turn["barge_in_stop_ms"] is not None
        ]
    keys = asyncio.run(key_to_commit(20))
    rows = [
        ("spoken questions answered", f"{len(waits)} of {len(asked)}", ""),
        ("... that found their entry", f"{found} of {len(asked)}", ""),
        ("end of speech to first sample", spread(waits), "p50 1.0 s, stretch 0.7 s"),
        ("end of turn (commit) to first sample", spread(after_commit), ""),
        ("speaking over it to silence", spread([s * 1000 for s in stops], "ms") if stops else "none", "p95 100 ms"),
        ("... interruptions", str(len(stops)), ""),
        ("talk key to commit at the server", spread([k * 1000 for k in keys], "ms"), "50 ms"),
        ("start of the program to listening", f"{listening:.2f} s", "3 s"),
    ]
    figures = {
        "first_sample_p95": percentile(waits, 0.95), "waits": waits, "after_commit": after_commit, "stops": stops,
        "key_to_commit": keys, "listening": listening, "found": found, "asked": len(asked),
    }  # fmt: skip
    show("talk latency", rows, figures, options.json)


if __name__ == "__main__":
    main()
