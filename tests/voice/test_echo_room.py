"""Whole talks on a loudspeaker in a simulated room: nothing interrupts itself, and a person gets through."""

from __future__ import annotations

import asyncio
import base64

import numpy as np
import pytest

from mrblue_cli.audio.gate import Duplex, EchoChoice, Route
from mrblue_cli.audio.pcm import RATE, dbfs, from_bytes, rms, to_pcm
from mrblue_cli.audio.wav import WavAudio
from mrblue_cli.protocol import client_events as c
from mrblue_cli.voice import controls as do
from mrblue_cli.voice import events as ev
from tests.fakes.echo_room import WAV, RoomTalk


async def until_calm(talk):
    await talk.until(lambda: talk.session.flow.settled)
    await asyncio.sleep(0.7)


async def replies(talk, seconds):
    """Have replies played for so long; nobody speaks."""
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    while loop.time() < end:
        await talk.reply()
        await asyncio.sleep(0.5)


def talk_for(seconds, **options):
    async def script(talk):
        await replies(talk, seconds)
        talk.phantoms = len(talk.server.started)
        talk.times = []
        for after in (1.2, 2.3):
            cuts = len(talk.of_cut())
            talk.times.append(await talk.speak_over(after))
            await talk.until(lambda: talk.microphone.finished)
            await asyncio.sleep(1.0)
            assert len(talk.of_cut()) == cuts + 1, "what was held was not ended"
            talk.session.control(do.StopReply())
            await until_calm(talk)

    return RoomTalk(**options).hold(script)


@pytest.mark.parametrize(("delay_ms", "seconds"), [(40, 10), (60, 600), (90, 10), (120, 10)])
def test_no_reply_interrupts_itself_and_a_person_gets_through(delay_ms, seconds):
    # Ten minutes at one delay; `bench.talk_echo` does so at all. Longer ticks there keep the test short.
    talk = talk_for(seconds, delay_ms=delay_ms, reply_seconds=8.0, tick_seconds=0.1 if seconds > 100 else 0.02)
    assert talk.session.hearing.duplex is Duplex.CANCELLED
    assert talk.phantoms == 0
    assert all(took is not None and took <= 0.5 for took in talk.times), talk.times
    assert len(talk.server.started) == 2
    assert talk.of(ev.Failure) == talk.of(ev.Advice) == []


def test_turns_that_we_own_get_through_as_well():
    talk = talk_for(10, mode=ev.TurnMode.LOCAL_VAD, reply_seconds=8.0)
    assert all(took is not None and took <= 0.5 for took in talk.times), talk.times
    assert talk.phantoms == 0
    assert len(talk.server.sent(c.CommitAudio)) == 2


def test_the_first_seconds_of_a_loudspeaker_are_not_interrupted_but_by_the_key():
    async def script(talk):
        assert await talk.speak_over(after=0.3, samples=WAV[: int(1.5 * RATE)]) is None
        assert talk.of_cut() == []
        talk.session.control(do.TalkKey(down=True))
        await talk.until(talk.of_cut)
        await until_calm(talk)
        # What the canceller learnt in the first reply holds for the next.
        assert await talk.speak_over(after=1.0) is not None
        await until_calm(talk)
        # A device that was opened anew has to be learnt anew.
        talk.session.hearing.use_route(Route.SPEAKERS)
        assert await talk.speak_over(after=0.3, samples=WAV[: int(1.5 * RATE)]) is None

    RoomTalk(reply_seconds=6.0).hold(script)


def test_the_words_said_over_a_reply_arrive_whole():
    async def script(talk):
        await replies(talk, 4)
        first = len(talk.server.sent(c.AppendAudio))
        await talk.speak_over(1.0)
        await asyncio.sleep(3.0)
        sent = b"".join(base64.b64decode(event.audio) for event in talk.server.sent(c.AppendAudio)[first:])
        talk.session.control(do.StopReply())
        talk.sent = from_bytes(sent)

    talk = RoomTalk(reply_seconds=8.0).hold(script)
    cut = talk.of_cut()[0]
    assert 900 <= cut.heard_ms <= 2000
    # Where the question lies in what was sent, and how much of each half of it.
    likeness = np.correlate(talk.sent[::8].astype(float), to_pcm(WAV)[::8].astype(float))
    start = 8 * int(np.argmax(likeness))
    half = len(WAV) // 2
    for part in (slice(0, half), slice(half, 2 * half)):
        sent, said = rms(talk.sent[start:][part]), rms(to_pcm(WAV)[part])
        assert dbfs(sent) == pytest.approx(dbfs(said), abs=6)


@pytest.mark.parametrize("echo", [EchoChoice.HALF_DUPLEX, EchoChoice.AUTO])
def test_half_duplex_hears_no_echo_and_nobody_until_the_room_is_quiet(echo, monkeypatch):
    if echo is EchoChoice.AUTO:
        monkeypatch.setitem(__import__("sys").modules, "pywebrtc_audio", None)

    async def script(talk):
        await replies(talk, 30)
        assert await talk.speak_over(1.0) is None
        await until_calm(talk)
        assert talk.server.started == []
        # Afterwards the microphone is open as ever.
        talk.microphone.load(WavAudio(WAV, RATE))
        await talk.until(lambda: talk.server.started)
        await until_calm(talk)

    talk = RoomTalk(echo=echo, delay_ms=120, reply_seconds=8.0).hold(script)
    assert talk.session.hearing.duplex is Duplex.HALF
    advice = [event.text for event in talk.of(ev.Advice)]
    # A person who chose it need not be told; another is told once, with what to do.
    assert len(advice) == (1 if echo is EchoChoice.AUTO else 0)
    assert all("mrblue-cli[aec]" in text for text in advice)


def test_without_any_of_it_a_reply_does_interrupt_itself():
    """The room is one in which the tests above could fail."""

    async def script(talk):
        talk.session.control(do.Say("tell me"))
        await talk.until(talk.of_cut, 10)

    talk = RoomTalk(echo=EchoChoice.OFF).hold(script)
    assert talk.session.hearing.duplex is Duplex.FULL
    assert talk.server.started
