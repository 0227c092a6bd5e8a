"""The canceller itself on a simulated room (voice-craft, section 17.7), and what is done where it is not installed."""

from __future__ import annotations

import numpy as np
import pytest

from mrblue_cli.audio.pcm import RATE, dbfs, rms, to_pcm
from mrblue_cli.audio.vad import WebRtcDetector
from mrblue_cli.voice.echo_canceller import EchoFreeMicrophone, webrtc_canceller
from tests.fakes.echo_room import WAV, EchoRoom, assistant_voice

LEARN = 4 * RATE


def canceller(delay_ms=0):
    made = webrtc_canceller(delay_ms)
    assert made is not None, "the extra aec is part of the test environment"
    return made


def in_room(far, room, person=None):
    """What the microphone hears, and what is left of it behind the canceller."""
    room.play(far)
    near = room.hear(len(far))
    if person is not None:
        near[LEARN : LEARN + len(person)] += person
    near = np.clip(near, -32768, 32767).astype(np.int16)
    microphone = EchoFreeMicrophone(canceller(), WebRtcDetector())
    clean = []
    for at in range(0, len(far), 480):
        piece = slice(at, at + 480)
        microphone.feed(near[piece], far[piece], playing=True, latency_seconds=0.0)
        clean.append(microphone.cancelled)
    clean = np.concatenate(clean)
    assert len(clean) == len(near)
    return near, clean


def decibels(pcm):
    return dbfs(rms(pcm))


@pytest.mark.parametrize("delay_ms", [40, 120])
def test_the_echo_is_taken_away(delay_ms):
    near, clean = in_room(assistant_voice(10.0), EchoRoom(delay_ms, -6.0))
    assert decibels(near[LEARN:]) - decibels(clean[LEARN:]) >= 15


def test_a_person_beside_a_pausing_loudspeaker_is_kept():
    person = to_pcm(WAV)
    far = assistant_voice(9.0)
    far[LEARN - RATE // 2 :] = 0
    _, clean = in_room(far, EchoRoom(40, -6.0), person)
    assert decibels(clean[LEARN : LEARN + len(person)]) == pytest.approx(decibels(person), abs=1.5)


def test_a_person_over_the_loudspeaker_is_kept_within_a_few_decibels():
    person = to_pcm(WAV)
    near, clean = in_room(assistant_voice(9.0), EchoRoom(40, -6.0), person)
    kept = clean[LEARN : LEARN + len(person)]
    assert decibels(kept) == pytest.approx(decibels(person), abs=6)
    # It is the person that was kept: behind the canceller they stand 20 dB above what is left of the echo.
    rest = clean[LEARN + len(person) + RATE // 2 :]
    assert decibels(kept) - decibels(rest) > 20
    assert decibels(near[LEARN + len(person) + RATE // 2 :]) - decibels(rest) > 15


@pytest.mark.parametrize("parts_per_million", [100, -100])
def test_two_clocks_that_differ_leave_no_echo_and_nobody_speaking(parts_per_million):
    far, room = assistant_voice(30.0), EchoRoom(60, -6.0)
    room.play(far)
    stretch = 1 + parts_per_million / 1e6
    heard = room.hear(len(far))
    near = np.interp(np.arange(int(len(heard) / stretch)) * stretch, np.arange(len(heard)), heard).astype(np.int16)
    microphone = EchoFreeMicrophone(canceller(60), WebRtcDetector())
    left, got, spoke = [], 0, False
    for played in range(480, len(far), 480):
        captured = min(len(near), int(played / stretch))
        microphone.feed(near[got:captured], far[played - 480 : played], playing=True, latency_seconds=0.06)
        got = captured
        left.append(microphone.cancelled)
        spoke = spoke or microphone.person_speaks
    left = np.concatenate(left)[LEARN:]
    assert decibels(near[LEARN:]) - decibels(left) >= 15
    assert not spoke


def test_a_canceller_that_is_not_there(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pywebrtc_audio", None)
    assert webrtc_canceller(40) is None
