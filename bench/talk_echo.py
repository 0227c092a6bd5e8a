"""A loudspeaker that the microphone hears: what is left of the echo, phantom turns, how fast a person gets through.

The echo is at -6 dB and at four delays. Simulated talk in virtual time through the real session, protocol and voice
detection; replies and person are recorded speech, the room has reflections and noise (`tests.fakes.echo_room`). Ways:
the canceller, half duplex without it, and nothing at all, to show that in this room a talk does interrupt itself.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Sequence

import numpy as np

from bench.report import arguments, show
from mrblue_cli.audio.gate import EchoChoice
from mrblue_cli.audio.pcm import RATE, dbfs, rms
from mrblue_cli.audio.vad import WebRtcDetector
from mrblue_cli.voice import controls as do
from mrblue_cli.voice.echo_canceller import EchoFreeMicrophone, webrtc_canceller
from tests.fakes.echo_room import WAV, EchoRoom, RoomTalk, assistant_voice

DELAYS_MS = (40, 60, 90, 120)
LEVELS_DB = (0, 0, 0, 0, -6, -6)
"""Of the person who speaks over a reply, against the natural level of the recording (-22 dBFS)."""
LOUDER_DB = (0, 6)
"""Echoes that are as loud at the microphone as the reply itself, and louder."""
SOFTER_DB = (0, 0, -6, -6, -12, -12)


def echo_left(delay_ms: int) -> tuple[float, float, float]:
    """Decibels taken away in the first second, after three seconds, and the share of a core that took."""
    canceller = webrtc_canceller(delay_ms)
    if canceller is None:
        raise SystemExit('the canceller is not installed: pip install -e ".[aec]"')
    far, room = assistant_voice(20.0), EchoRoom(delay_ms)
    room.play(far)
    near = room.hear(len(far)).astype(np.int16)
    microphone = EchoFreeMicrophone(canceller, WebRtcDetector())
    clean = []
    began = time.process_time()
    for at in range(0, len(far), 480):
        microphone.feed(near[at : at + 480], far[at : at + 480], playing=True, latency_seconds=0.0)
        clean.append(microphone.cancelled)
    cost = (time.process_time() - began) / (len(far) / RATE)
    left = np.concatenate(clean)
    first, later = (
        dbfs(rms(near[piece])) - dbfs(rms(left[piece])) for piece in (slice(0, RATE), slice(3 * RATE, None))
    )
    return first, later, cost


def talk(
    delay_ms: int, echo: EchoChoice, minutes: float, *, gain_db: float = -6.0, levels: Sequence[int] = LEVELS_DB
) -> tuple[int, list[float | None]]:
    """Turns that nobody began in so many minutes of replies, and the seconds until a person was let through."""
    phantoms = 0
    times: list[float | None] = []

    async def script(room: RoomTalk) -> None:
        nonlocal phantoms
        loop = asyncio.get_running_loop()
        end = loop.time() + 60 * minutes
        while loop.time() < end:
            room.session.control(do.Say("tell me"))
            await room.until(lambda: room.session.flow.audible, 120)
            await room.until(lambda: room.session.flow.settled or loop.time() >= end, 120)
            await asyncio.sleep(0.5)
        phantoms = len(room.server.started)
        room.session.control(do.StopReply())
        await asyncio.sleep(1.5)
        for number, level in enumerate(levels):
            times.append(await room.speak_over(1.0 + 0.7 * number, WAV * 10 ** (level / 20)))
            await room.until(lambda: room.microphone.finished)
            await asyncio.sleep(1.0)
            room.session.control(do.StopReply())
            await room.until(lambda: room.session.flow.settled)
            await asyncio.sleep(0.7)

    RoomTalk(delay_ms=delay_ms, gain_db=gain_db, echo=echo, tick_seconds=0.04).hold(script)
    return phantoms, times


def seconds(times: list[float | None]) -> str:
    """How many got through, and how fast."""
    heard = [value for value in times if value is not None]
    told = f"{len(heard)} of {len(times)}"
    return f"{told}, median {statistics.median(heard):.2f} s, worst {max(heard):.2f} s" if heard else told


def main() -> None:
    """Measure and show."""
    parser = arguments(__doc__ or "")
    parser.add_argument("--minutes", type=float, default=10.0, help="of simulated talk for each delay and way")
    options = parser.parse_args()
    rows: list[tuple[str, str, str]] = []
    figures: dict[str, object] = {}
    for delay_ms in DELAYS_MS:
        first, later, cost = echo_left(delay_ms)
        rows.append((f"{delay_ms} ms: echo taken away, first second / later", f"{first:.0f} / {later:.0f} dB", "15 dB"))
        rows.append((f"{delay_ms} ms: canceller and gate, share of a core", f"{cost:.1%}", ""))
        figures[f"{delay_ms}_db"] = [round(first, 1), round(later, 1)]
        for way in (EchoChoice.AEC, EchoChoice.HALF_DUPLEX):
            phantoms, times = talk(delay_ms, way, options.minutes)
            rows.append((f"{delay_ms} ms, {way}: phantom turns in {options.minutes:g} min", str(phantoms), "0"))
            rows.append((f"{delay_ms} ms, {way}: a person over a reply gets through", seconds(times), ""))
            figures[f"{delay_ms}_{way}"] = {"phantoms": phantoms, "seconds": times}
    minutes = min(2.0, options.minutes)
    for gain_db in LOUDER_DB:
        phantoms, times = talk(90, EchoChoice.AEC, minutes, gain_db=gain_db, levels=SOFTER_DB)
        rows.append((f"90 ms, {gain_db:+d} dB, aec: phantom turns in {minutes:g} min", str(phantoms), "0"))
        for level in sorted(set(SOFTER_DB), reverse=True):
            these = [took for took, at in zip(times, SOFTER_DB, strict=True) if at == level]
            rows.append((f"... a person {-level} dB below the recording's level", seconds(these), ""))
        figures[f"90_{gain_db:+d}"] = {"phantoms": phantoms, "seconds": times}
    phantoms, _ = talk(60, EchoChoice.OFF, 1.0, levels=())
    rows.append(("60 ms, off: phantom turns in 1 min", str(phantoms), ""))
    figures["60_off"] = {"phantoms": phantoms}
    show("Echo on a loudspeaker", rows, figures, options.json)


if __name__ == "__main__":
    main()
