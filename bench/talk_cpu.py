"""What talking costs: processor time of an idle and of a talking session, memory over half an hour of conversation.

The idle session runs on real PortAudio in a private PulseAudio room where there is one, else on the clock microphone;
the half hour is simulated, through the real session, protocol and voice detection.
"""

from __future__ import annotations

import gc
import shutil
import subprocess
import sys
import time

import psutil

from bench.report import arguments, show
from tests.sound.server import missing, running_room
from tests.voice.test_session import Talk, say

SECONDS = 15


def idle(env: dict[str, str] | None) -> float:
    """Share of a core of an idle conversation, without the engine's process; devices when `env` names a room."""
    code = (
        "import asyncio, sys, time\n"
        "from mrblue_cli.app.talk import Conversation\n"
        "from mrblue_cli.settings.load import load\n"
        "async def main():\n"
        "    talk = Conversation(load(overrides={'talk': {'engine': 'local'}}), lambda event: None)\n"
        "    job = asyncio.ensure_future(talk.run())\n"
        "    while not (talk._session and talk._session.flow.settled): await asyncio.sleep(0.1)\n"
        "    await asyncio.sleep(2); began = time.process_time()\n"
        f"    await asyncio.sleep({SECONDS}); print((time.process_time() - began) / {SECONDS}); job.cancel()\n"
        "    try: await job\n"
        "    except asyncio.CancelledError: pass\n"
        "asyncio.run(main())\n"
    )
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
    return float(done.stdout)


def talking() -> float:
    """Share of a core, engine included, while a question is asked and answered."""
    command = [sys.executable, "-m", "mrblue_cli", "talk", "--headless", "--engine", "local", "--json"]
    question = "mrblue_cli/data/question.wav"
    process = subprocess.Popen(
        [*command, *["--input", question] * 3],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        stdin=subprocess.DEVNULL,
    )
    assert process.stdout is not None
    for line in process.stdout:
        if b'"listening"' in line:
            break
    began = time.monotonic()
    watched = psutil.Process(process.pid)
    used = 0.0
    while process.poll() is None:
        try:
            family = [watched, *watched.children(recursive=True)]
            used = max(used, sum(sum(member.cpu_times()[:2]) for member in family))
        except psutil.NoSuchProcess:
            break
        if not process.stdout.peek(1):
            break
        process.stdout.readline()
    process.wait()
    return used / max(0.1, time.monotonic() - began)


def half_hour() -> tuple[float, float, int]:
    """Resident megabytes after the first minutes and at the end of 30 minutes of simulated talk, and its turns."""
    me, marks = psutil.Process(), []

    def once(minutes: int) -> int:
        talk = Talk(reply_seconds=3.0)
        talk.hold(*[say("question", 1.0)] * (minutes * 6))
        turns = len([event for event in talk.events if type(event).__name__ == "TurnMeasured"])
        gc.collect()
        marks.append(me.memory_info().rss / 2**20)
        return turns

    once(5)
    return marks[0], (once(30), marks[1])[1], 180


def main() -> None:
    options = arguments(__doc__ or "").parse_args()
    reason = missing() if shutil.which("pulseaudio") else "no PulseAudio"
    if reason is None:
        with running_room() as room:
            resting, where = idle(room.env), "PortAudio in a PulseAudio room"
    else:
        resting, where = idle(None), f"no devices ({reason})"
    busy = talking()
    early, late, turns = half_hour()
    rows = [
        (f"idle session, {where}", f"{resting:.1%} of a core", "5 %"),
        ("talking, engine included", f"{busy:.0%} of a core", ""),
        ("memory after 5 min of simulated talk", f"{early:.0f} MB", ""),
        (f"memory after 30 min more ({turns} turns)", f"{late:.0f} MB", "flat"),
    ]
    figures = {"idle": resting, "talking": busy, "memory_early_mb": early, "memory_late_mb": late}
    show("talk: processor and memory", rows, figures, options.json)


if __name__ == "__main__":
    main()
