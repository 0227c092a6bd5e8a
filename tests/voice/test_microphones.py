"""Capture from a device and from recordings, without a device."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrblue_cli.audio.pcm import BLOCK, RATE, rms
from mrblue_cli.audio.wav import WavAudio
from mrblue_cli.core.errors import DeviceError
from mrblue_cli.voice.devices import choose_device
from mrblue_cli.voice.microphones import RING_SECONDS, ClockMicrophone, DeviceMicrophone
from mrblue_cli.voice.ports import Losses
from tests.fakes.clock import ManualClock
from tests.fakes.portaudio import FakeDevice, FakePortAudio


def plugged(*devices, wanted=None):
    fake = FakePortAudio(*devices)
    return fake, DeviceMicrophone(choose_device("input", wanted, fake)[0], fake)


@pytest.mark.parametrize("rates", [(24_000,), (48_000,), (44_100,), (16_000,)])
@pytest.mark.parametrize("channels", [(1,), (2,)])
def test_a_second_is_a_second_at_24_khz_whatever_the_device_runs_at(rates, channels):
    fake, microphone = plugged(FakeDevice("USB", inputs=2, rate=float(rates[0]), rates=rates, channels=channels))
    microphone.open()
    got = []
    for _ in range(50):
        fake.flow(0.02)
        got.append(microphone.read())
    pcm = np.concatenate(got)
    held = 0 if rates == (24_000,) else 0.08 * RATE
    assert RATE - held <= len(pcm) <= RATE
    assert microphone.blocks_heard == 50
    assert rms(pcm[RATE // 4 : RATE // 2]) == pytest.approx(0.1, rel=0.05)
    assert (microphone.lost_samples, microphone.overflows) == (0, 0)


def test_nothing_flows_before_it_is_opened_nor_after_it_is_closed():
    fake, microphone = plugged(FakeDevice("USB", inputs=1))
    assert len(microphone.read()) == 0
    microphone.open()
    microphone.close()
    microphone.close()
    fake.flow(1.0)
    assert microphone.blocks_heard == 0
    assert fake.streams == []


def test_a_late_reader_loses_the_oldest_and_it_is_counted():
    fake, microphone = plugged(FakeDevice("USB", inputs=1))
    microphone.open()
    fake.flow(RING_SECONDS + 0.5)
    assert len(microphone.read()) == RING_SECONDS * RATE
    assert microphone.lost_samples == RATE // 2
    assert microphone.losses == Losses(1, 25)


def test_sound_that_the_system_dropped_is_counted():
    fake, microphone = plugged(FakeDevice("USB", inputs=1))
    microphone.open()
    fake.flow(0.1, status=True)
    fake.flow(0.1)
    assert microphone.overflows == 5
    assert microphone.losses == Losses(5, 5)


def test_a_device_that_does_not_start_is_one_clear_line():
    _, microphone = plugged(
        FakeDevice("USB", inputs=1, start_error="Error starting stream: Device unavailable [-9985]")
    )
    with pytest.raises(DeviceError, match="microphone 'USB' cannot be opened"):
        microphone.open()
    microphone.close()


def recording(seconds, rate=RATE):
    return WavAudio(np.full(int(seconds * rate), 0.25, dtype=np.float32), rate)


def test_a_recording_is_spoken_at_the_pace_of_the_clock_between_silences():
    clock = ManualClock()
    microphone = ClockMicrophone(clock)
    assert len(microphone.read()) == 0
    microphone.open()
    clock.advance(0.5)
    quiet = microphone.read()
    assert len(quiet) == RATE // 2
    assert not quiet.any()
    microphone.load(recording(1.0))
    assert not microphone.finished
    clock.advance(0.6)
    assert np.all(microphone.read() > 8000)
    assert not microphone.finished
    clock.advance(0.6)
    tail = microphone.read()
    assert np.count_nonzero(tail) == pytest.approx(0.4 * RATE, abs=2)
    assert microphone.finished
    assert microphone.blocks_heard == 85


@pytest.mark.parametrize("rate", [8000, 44_100, 96_000])
def test_recordings_of_any_rate_take_as_long_as_they_are(rate):
    clock = ManualClock()
    microphone = ClockMicrophone(clock)
    microphone.open()
    microphone.load(recording(1.0, rate))
    clock.advance(2.0)
    assert np.count_nonzero(microphone.read()) == pytest.approx(RATE, rel=0.01)


@given(st.lists(st.floats(0, 0.3), max_size=40))
def test_whatever_the_steps_of_the_clock_every_block_is_whole_and_none_is_lost(steps):
    clock = ManualClock()
    microphone = ClockMicrophone(clock)
    microphone.open()
    total = 0
    for step in steps:
        clock.advance(step)
        total += len(microphone.read())
        assert total % BLOCK == 0
        assert clock.now() * RATE - BLOCK - 1 <= total <= clock.now() * RATE
