"""Faults where time matters more than sockets: cuts at random moments, devices, coughs, echo, money. Virtual time."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import numpy as np

from bench.resilience_rows import VIRTUAL, Row, Stamped
from mrblue_cli.audio.gate import EchoChoice
from mrblue_cli.audio.pcm import to_pcm
from mrblue_cli.voice import controls as do
from mrblue_cli.voice import events as ev
from mrblue_cli.voice.headless import Type
from tests.fakes.echo_room import RoomTalk
from tests.fakes.portaudio import FakeDevice
from tests.fakes.sound_server import FakePulse
from tests.voice.test_cuts import CUTS, CutTalk, check
from tests.voice.test_device_keeper import Desk
from tests.voice.test_interruption import REPLY, SAMPLES, cough, cuts, murmur, output, spoken, texts, without_fades
from tests.voice.test_session import LONG, WAV, Talk
from tests.voice.test_spending import Dear

QUESTION = to_pcm(WAV.samples)
AWAY_SECONDS = 8.0


def random_cuts(conversations: int) -> Row:
    """Connections that break at random events, in either direction, with everything under way lost."""
    row = Row(f"{conversations * CUTS} cuts at random moments of {conversations} conversations", VIRTUAL)
    turns, losses = 0, 0
    for seed in range(conversations):
        talk = CutTalk(seed).hold()
        turns += talk.turns
        losses += len(talk.of(ev.RungChanged))
        row.lines([f"question {n + 1}" for n in range(talk.turns)], [e.text for e in talk.finals(ev.UserTranscript)])
        for mark in range(1, talk.turns + 1):
            lines = [event for event in talk.replies() if f"answer-{mark}-" in event.text]
            row.lost += not lines
            row.twice += len(lines) > 1
        try:
            check(talk)
        except AssertionError as error:
            row.wrong.append(f"conversation {seed}: {str(error).splitlines()[0]}")
    row.told = ["one line for each loss"]
    row.note = f"{turns} turns, told {losses} times"
    return row


# Devices ------------------------------------------------------------------------------------------------------------


def _webcam() -> FakeDevice:
    return FakeDevice("Webcam", inputs=1, hears=0.0)


def _speaker() -> FakeDevice:
    return FakeDevice("USB speaker", outputs=2)


def _headset() -> FakeDevice:
    return FakeDevice("USB headset", inputs=1, outputs=2, hears=0.0)


def _built_in() -> FakeDevice:
    return FakeDevice("Built-in", inputs=1, outputs=2, hears=0.0)


def device_row(
    fault: str, desk: Any, act: Callable[[Any], Awaitable[float]], back: str, lines: int, turns: int | None = None
) -> Row:
    """`act` does the fault and returns since when the person waits; `back`: words of the line that says it is over."""
    row, since = Row(fault, VIRTUAL), 0.0
    desk.events = Stamped()

    async def whole(talk: Any) -> None:
        nonlocal since
        await talk.settle()
        since = await act(talk)
        await talk.told(back)
        await talk.until(lambda: talk.session.flow.settled and not talk.session.times.is_open)
        await asyncio.sleep(0.5)  # what has left us is on its way to the ear for some 60 ms
        before = talk.session.turns_finished
        talk.session.control(do.Say("and now"))
        await talk.until(lambda: talk.session.turns_finished > before)
        await talk.settle()

    try:
        desk.talk(whole)
    except TimeoutError:
        row.wrong.append("it never came back")
    row.told = list(dict.fromkeys(desk.events.told()))
    row.seconds = desk.events.first(back, since)
    made = len(desk.of(ev.TurnMeasured))
    row.lost = 0 if turns is None else max(0, turns - made)
    row.doubled = 0 if turns is None else max(0, made - turns)
    row.expect(f"told {len(row.told)} lines", holds=len(row.told) == lines)
    row.expect("a reply was cut", holds=not [e for e in desk.of(ev.AssistantTranscript) if e.heard_ms is not None])
    row.expect("the talk ended", holds=all(not failure.fatal for failure in desk.of(ev.Failure)))
    return row


def _now() -> float:
    return asyncio.get_running_loop().time()


async def _sounding(desk: Any, seconds: float) -> None:
    desk.session.control(do.Say("tell me"))
    await desk.until(lambda: desk.session.flow.audible)
    await asyncio.sleep(seconds)


def devices() -> list[Row]:
    """Devices that go and come."""
    webcam, speaker, headset, built_in = _webcam(), _speaker(), _headset(), _built_in()

    async def microphone(desk: Any) -> float:
        webcam.speech = QUESTION.copy()
        await desk.until(lambda: desk.session.flow.hearing)
        await asyncio.sleep(1.0)
        desk.library.unplug(webcam)
        await asyncio.sleep(AWAY_SECONDS)
        desk.library.plugged.append(webcam)
        return _now()

    async def mute_speaker(desk: Any) -> float:
        await _sounding(desk, 3.0)
        desk.library.unplug(speaker)
        await asyncio.sleep(AWAY_SECONDS)
        desk.library.plugged.append(speaker)
        return _now()

    async def taken_over(desk: Any) -> float:
        await _sounding(desk, 5.0)
        desk.library.unplug(headset)
        return _now()

    async def frozen(desk: Any) -> float:
        await asyncio.sleep(1.0)
        both = desk.library.plugged[0]
        both.works = False
        await asyncio.sleep(AWAY_SECONDS)
        both.works = True
        return _now()

    async def followed(desk: Any) -> float:
        desk.pulse.streams = [("Sink", 0), ("Source", 0)]
        desk.pulse.default_sink, desk.pulse.default_source = "headphones", "webcam"
        return _now()

    async def server_died(desk: Any) -> float:
        device = desk.library.plugged[0]
        desk.library.unplug(device)
        desk.pulse.alive = False
        await asyncio.sleep(AWAY_SECONDS)
        desk.pulse.alive = True
        desk.library.plugged.append(device)
        return _now()

    everything = FakeDevice("default", inputs=32, outputs=32, hears=0.0)
    pulse = FakePulse(("hdmi", "headphones"), ("mic", "webcam"))
    return [
        device_row(
            "microphone unplugged in a sentence, 8 s (PortAudio alone)", Desk(webcam, _speaker()), microphone,
            "listening again through 'Webcam'", 2, 2,
        ),
        device_row(
            "speaker unplugged in a reply, 8 s (PortAudio alone)", Desk(_webcam(), speaker, **LONG), mute_speaker,
            "heard again through 'USB speaker'", 2, 2,
        ),
        device_row(
            "headset unplugged in a reply, another device is there", Desk(headset, built_in, **LONG), taken_over,
            "heard again through 'Built-in'", 4, 2,
        ),
        device_row(
            "headset freezes for 8 s (stream open, no sound)", Desk(_headset()), frozen,
            "heard again through 'USB headset'", 4, 1,
        ),
        device_row(
            "default microphone and speaker changed", Desk(everything, pulse=pulse), followed,
            "now listening through 'The webcam'", 2, 1,
        ),
        device_row(
            "sound server dies, back 8 s later", Desk(everything, pulse=FakePulse()), server_died,
            "heard again through 'The speaker'", 4, 1,
        ),
    ]  # fmt: skip


# Sounds over a reply ------------------------------------------------------------------------------------------------


def interruption(fault: str, sound: Any, heard: str, *, stops: bool) -> Row:
    """A sound over a reply of 12 s. Nothing: the reply goes on from the sample. Words: it stops."""
    row = Row(fault, VIRTUAL)
    with tempfile.TemporaryDirectory() as folder:
        talk: Any = Talk(Path(folder), **REPLY, heard=["port in use", heard], heard_after=0.3)
        talk.events = Stamped()
        talk.hold(spoken(4.0, sound))
        played = output(talk)
    states = list(zip(talk.events, talk.events.at, strict=True))
    over = [at for event, at in states if isinstance(event, ev.StatusChanged) and event.state is ev.State.HEARING]
    after = [at for event, at in states if isinstance(event, ev.StatusChanged) and at > over[-1]]
    row.told = talk.events.told()
    row.expect(f"told {len(row.told)} lines", holds=not row.told)
    said = ["port in use", heard] if stops else ["port in use"]
    row.lines(said, texts(talk))
    row.expect("it was not stopped" if stops else "it was stopped", holds=bool(cuts(talk)) is stops)
    if stops:
        stop_ms = talk.of(ev.TurnMeasured)[0].barge_in_stop_ms
        row.note = f"silent {stop_ms} ms after the first sound was held for speech"
    else:
        row.note = f"held for {after[0] - over[-1]:.1f} s, then goes on from the sample"
        try:
            row.expect("not held once", holds=len(without_fades(played, SAMPLES)) == 1)
        except AssertionError as error:
            row.wrong.append(f"not from the sample: {error}")
    return row


def echo(fault: str, way: EchoChoice, *, gets_through: bool, minutes: float = 1.0) -> Row:
    """A loudspeaker beside the microphone, at -6 dB and 90 ms."""
    row = Row(fault, VIRTUAL)
    found: list[float | None] = []

    async def script(room: Any) -> None:
        end = _now() + 60 * minutes
        while _now() < end:
            await room.reply()
            await asyncio.sleep(0.5)
        row.twice += len(room.of_cut())
        row.expect(f"{len(room.server.started)} turns that nobody began", holds=not room.server.started)
        found.append(await room.speak_over(1.0))
        await room.until(lambda: room.microphone.finished)
        await asyncio.sleep(1.5)
        room.session.control(do.StopReply())
        await room.until(lambda: room.session.flow.settled)

    talk = RoomTalk(delay_ms=90, echo=way, reply_seconds=10.0, tick_seconds=0.04)
    talk.events = Stamped()
    talk.hold(script)
    row.told = talk.events.told()
    took = found[0] if found else None
    row.expect("a person got through, or did not", holds=(took is not None) is gets_through)
    row.note = f"a person over a reply is heard after {took:.2f} s" if took else "a person over a reply is not heard"
    return row


def money() -> Row:
    """The limit is reached in the second turn."""
    row, talk = Row("`--max-cost` reached", VIRTUAL), Dear(max_cost=0.15)
    talk.events = Stamped()
    talk.hold(Type("one"), Type("two"), Type("three"))
    row.told = talk.events.told()
    row.expect("it did not end politely", holds=talk.events[-1] == ev.Ended("max_cost"))
    row.expect(f"told {len(row.told)} lines", holds=len(row.told) == 1)
    spent = talk.of(ev.Spent)[-1].total_usd
    row.expect(f"{spent} spent", holds=spent is not None and spent <= 0.15)
    row.expect("a reply was cut", holds=not [e for e in talk.of(ev.AssistantTranscript) if e.heard_ms is not None])
    row.note = f"${spent:.3f} of $0.150 spent, the talk ends after the reply"
    return row


def all_rows(conversations: int) -> list[Row]:
    """Every fault of this kind, one after the other."""
    return [
        random_cuts(conversations),
        *devices(),
        interruption("a cough over a reply", cough(0.34), "", stops=False),
        interruption('"mm-hm" over a reply', murmur(), "Mm-hm.", stops=False),
        interruption('"stop" over a reply', murmur(), "Stop.", stops=True),
        interruption(
            "a question over a reply", np.asarray(WAV.samples, dtype=np.float32), "and on windows", stops=True
        ),
        echo("loudspeaker heard by the microphone, canceller, 1 min", EchoChoice.AEC, gets_through=True),
        echo("... half duplex, 1 min", EchoChoice.HALF_DUPLEX, gets_through=False),
        money(),
    ]
