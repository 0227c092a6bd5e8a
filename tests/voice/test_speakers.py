"""Playback to a device that moves when the test says so, and to files: what is told as played is what went out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrblue_cli.audio.gate import Route
from mrblue_cli.audio.pcm import RATE
from mrblue_cli.audio.wav import parse_wav
from mrblue_cli.core.errors import DeviceError, InputFileError
from mrblue_cli.protocol.notices import AudioKey, Played
from mrblue_cli.voice.devices import choose_device
from mrblue_cli.voice.speakers import DeviceSpeaker, PacedSpeaker
from tests.fakes.clock import ManualClock
from tests.fakes.portaudio import FakeDevice, FakePortAudio

KEY = AudioKey("resp", "item", 0)


def tone(seconds, value=4000):
    return np.full(int(seconds * RATE), value, dtype="<i2").tobytes()


def plugged(**options):
    fake = FakePortAudio(FakeDevice("USB", outputs=2, **options))
    speaker = DeviceSpeaker(choose_device("output", None, fake)[0], fake)
    return fake, speaker


def run(fake, speaker, seconds):
    for _ in range(round(seconds / 0.02)):
        speaker.pump()
        fake.flow(0.02)
    speaker.pump()


@pytest.mark.parametrize("rates", [(24_000,), (48_000,), (44_100,)])
@pytest.mark.parametrize("channels", [(1,), (2,)])
def test_a_reply_comes_out_whole_on_every_channel(rates, channels):
    fake, speaker = plugged(rate=float(rates[0]), rates=rates, channels=channels)
    speaker.open()
    (stream,) = fake.streams
    speaker.play(KEY, tone(1.0))
    speaker.finish(KEY)
    run(fake, speaker, 1.5)
    assert speaker.drained
    assert np.count_nonzero(np.abs(stream.sound[:, 0]) > 3500) == pytest.approx(rates[0], rel=0.03)
    assert np.array_equal(stream.sound[:, 0], stream.sound[:, -1])
    assert speaker.heard_out() == (KEY,)
    assert speaker.underruns == 0


@pytest.mark.parametrize("rates", [(24_000,), (48_000,)])
def test_played_is_what_the_device_took_less_its_latency(rates):
    fake, speaker = plugged(rates=rates)
    speaker.open()
    (stream,) = fake.streams
    speaker.play(KEY, tone(5.0))
    run(fake, speaker, 1.0)
    (played,) = speaker.stop()
    # The stream's own figure, until the device tells the time of its next block.
    assert (played.played_ms, played.complete) == (940, False)
    stream.dac_seconds = 0.25
    run(fake, speaker, 0.1)
    speaker.play(KEY, tone(5.0))
    run(fake, speaker, 1.0)
    assert speaker.latency_seconds == pytest.approx(0.25)
    assert speaker.stop()[0].played_ms == pytest.approx(750, abs=1)


@pytest.mark.parametrize("nonsense", [-3.0, 0.0, 1e9])
def test_a_driver_whose_times_mean_nothing_is_not_believed(nonsense):
    fake, speaker = plugged()
    speaker.open()
    fake.streams[0].dac_seconds = nonsense
    run(fake, speaker, 0.1)
    assert speaker.latency_seconds == 0.06


@pytest.mark.parametrize("dac_seconds", [0.0, 0.03, 0.3])
def test_a_reply_that_was_heard_to_its_end_is_not_reported_as_cut(dac_seconds):
    fake, speaker = plugged()
    speaker.open()
    fake.streams[0].dac_seconds = dac_seconds
    speaker.play(KEY, tone(1.0))
    speaker.finish(KEY)
    run(fake, speaker, 1.4)
    assert speaker.stop() in {(), (Played(KEY, 1000, True),)}


def test_stopping_is_silence_within_a_block():
    fake, speaker = plugged()
    speaker.open()
    (stream,) = fake.streams
    speaker.play(KEY, tone(5.0))
    run(fake, speaker, 0.5)
    assert speaker.sounding
    assert speaker.level > 0.1
    speaker.stop()
    before = len(stream.sound)
    run(fake, speaker, 0.5)
    after = stream.sound[before:, 0]
    assert not after[480:].any()
    assert np.all(np.diff(after[:480].astype(int)) <= 0)
    assert speaker.drained
    assert not speaker.sounding
    assert speaker.level == 0


def test_blocks_in_which_the_system_fell_silent_are_counted():
    fake, speaker = plugged()
    speaker.open()
    fake.flow(0.1, status=True)
    assert speaker.underflows == 5


def test_a_device_that_does_not_start_is_one_clear_line():
    _, speaker = plugged(start_error="Error starting stream: Device unavailable [PaErrorCode -9985]")
    with pytest.raises(DeviceError, match="speaker 'USB' cannot be opened"):
        speaker.open()
    speaker.close()


@pytest.mark.parametrize("rates", [((24_000,), (24_000,)), ((48_000,), (24_000,)), ((24_000,), (44_100,))])
def test_another_device_goes_on_from_the_sample_at_which_one_was_left(rates):
    fake, speaker = plugged(rate=float(rates[0][0]), rates=rates[0])
    speaker.open()
    ramp = np.linspace(1000, 30_000, 5 * RATE).astype("<i2")
    speaker.play(KEY, ramp.tobytes())
    run(fake, speaker, 2.0)
    speaker.close()
    other = FakePortAudio(FakeDevice("Other", outputs=2, rate=float(rates[1][0]), rates=rates[1]))
    heir = DeviceSpeaker(choose_device("output", None, other)[0], other)
    heir.open()
    heir.take_over(speaker.leave())
    speaker.play(KEY, tone(1.0))
    (stream,) = other.streams
    run(other, heir, 0.5)
    # 2 s were taken, of which the latency of 60 ms had not been heard.
    assert stream.sound[rates[1][0] // 4, 0] == pytest.approx(ramp[int((1.94 + 0.25) * RATE)], rel=0.02)
    heir.finish(KEY)
    run(other, heir, 3.2)
    assert heir.drained
    assert heir.heard_out() == (KEY,)


def test_what_was_heard_counts_on_the_next_device_and_what_arrives_there_follows():
    fake, speaker = plugged()
    speaker.open()
    speaker.play(KEY, tone(2.0))
    run(fake, speaker, 1.0)
    speaker.close()
    clock, heir = paced()
    heir.take_over(speaker.leave())
    heir.play(KEY, tone(1.0))
    pass_time(clock, heir, 0.5)
    assert heir.stop() == (Played(KEY, 1440, False),)


def test_a_speaker_that_was_stopped_leaves_nothing():
    fake, speaker = plugged()
    speaker.open()
    speaker.play(KEY, tone(2.0))
    run(fake, speaker, 1.0)
    speaker.stop()
    assert speaker.leave().pieces == ()
    assert speaker.leave().streams == ()


# Without a device ----------------------------------------------------------------------------------------------------


def paced(path=None):
    clock = ManualClock()
    speaker = PacedSpeaker(clock, path)
    speaker.open()
    return clock, speaker


def pass_time(clock, speaker, seconds, step=0.02):
    for _ in range(round(seconds / step)):
        clock.advance(step)
        speaker.pump()


def test_a_file_is_played_at_the_pace_of_the_clock(tmp_path):
    path = tmp_path / "reply.wav"
    clock, speaker = paced(path)
    speaker.play(KEY, tone(2.0))
    speaker.finish(KEY)
    pass_time(clock, speaker, 1.0)
    assert not speaker.drained
    # The header is right at any moment: this is what a kill would leave.
    assert len(parse_wav(path.read_bytes(), "reply.wav").samples) == RATE
    pass_time(clock, speaker, 1.5)
    assert speaker.drained
    assert speaker.heard_out() == (KEY,)
    speaker.close()
    speaker.close()
    audio = parse_wav(path.read_bytes(), "reply.wav")
    assert (audio.rate, len(audio.samples)) == (RATE, 2 * RATE)


def test_an_interrupted_file_holds_what_was_heard_and_the_fade(tmp_path):
    path = tmp_path / "reply.wav"
    clock, speaker = paced(path)
    speaker.play(KEY, tone(5.0))
    pass_time(clock, speaker, 1.5)
    (played,) = speaker.stop()
    assert (played.key, played.played_ms, played.complete) == (KEY, 1500, False)
    pass_time(clock, speaker, 1.0)
    speaker.close()
    samples = parse_wav(path.read_bytes(), "reply.wav").samples
    assert 1500 <= len(samples) * 1000 / RATE <= 1520
    assert abs(samples[-1]) < 0.01


def test_replies_follow_one_another_without_the_pauses_between_them(tmp_path):
    path = tmp_path / "reply.wav"
    clock, speaker = paced(path)
    for number in range(3):
        key = AudioKey("resp", f"item{number}", 0)
        speaker.play(key, tone(0.5))
        speaker.finish(key)
        pass_time(clock, speaker, 3.0)
    speaker.close()
    assert len(parse_wav(path.read_bytes(), "reply.wav").samples) == 1.5 * RATE


def test_nobody_listens_and_time_passes_all_the_same():
    clock, speaker = paced()
    assert speaker.name is None
    speaker.play(KEY, tone(1.0))
    speaker.finish(KEY)
    pass_time(clock, speaker, 0.9)
    assert not speaker.drained
    pass_time(clock, speaker, 0.3)
    assert speaker.drained


@pytest.mark.parametrize(("path", "why"), [("/dev/full", "No space"), ("no/such/folder/x.wav", "No such file")])
def test_a_file_that_cannot_be_written_is_named_with_what_to_do(path, why):
    if path == "/dev/full" and not Path(path).exists():
        pytest.skip("no /dev/full here")
    with pytest.raises(InputFileError, match=why) as caught:
        PacedSpeaker(ManualClock(), Path(path)).open()
    assert path in caught.value.what
    assert caught.value.hint


def test_an_existing_file_is_replaced_not_mixed(tmp_path):
    path = tmp_path / "reply.wav"
    path.write_bytes(b"x" * 100_000)
    paced(path)[1].close()
    assert path.stat().st_size == 44


@given(st.lists(st.tuples(st.sampled_from(["play", "wait", "stop"]), st.integers(1, 400)), max_size=30))
def test_the_sum_of_what_was_played_is_what_went_out(steps):
    clock, speaker = paced()
    taken = 0
    for number, (step, milliseconds) in enumerate(steps):
        if step == "play":
            speaker.play(AudioKey("r", f"i{number}", 0), tone(milliseconds / 1000))
        elif step == "wait":
            pass_time(clock, speaker, milliseconds / 1000, 0.01)
        else:
            told = sum(played.played_ms for played in speaker.stop())
            went = (speaker.samples_taken - taken) * 1000 / RATE
            assert went - max(1, number + 1) <= told <= went
            pass_time(clock, speaker, 0.05)
            taken = speaker.samples_taken


@pytest.mark.parametrize("rate", [24_000, 48_000, 44_100])
def test_what_was_played_is_told_with_its_silence_at_the_wires_rate(rate):
    fake, speaker = plugged(rate=float(rate), rates=(rate,))
    speaker.open()
    told = []

    def pass_time(seconds):
        for _ in range(round(seconds / 0.02)):
            speaker.pump()
            fake.flow(0.02)
            told.append(speaker.take_played())

    pass_time(1.0)
    speaker.play(KEY, tone(0.5))
    speaker.finish(KEY)
    pass_time(2.0)
    played = np.concatenate(told)
    # Three seconds are three seconds, less what the filter holds back: nothing runs away.
    assert len(played) == pytest.approx(3 * RATE, abs=0 if rate == RATE else 0.04 * RATE)
    loud = np.flatnonzero(np.abs(played) > 2000)
    assert loud[0] / RATE == pytest.approx(1.0, abs=0.03)
    assert (loud[-1] - loud[0]) / RATE == pytest.approx(0.5, abs=0.02)
    assert len(speaker.take_played()) == 0


def test_what_was_played_is_kept_for_two_seconds_only():
    fake, speaker = plugged()
    speaker.open()
    run(fake, speaker, 5.0)
    assert len(speaker.take_played()) == 2 * RATE


def test_a_speaker_on_a_clock_tells_its_silence_too():
    clock = ManualClock()
    speaker = PacedSpeaker(clock)
    speaker.open()
    clock.advance(1.0)
    speaker.pump()
    assert np.array_equal(speaker.take_played(), np.zeros(RATE))
    speaker.play(KEY, tone(0.2))
    speaker.finish(KEY)
    clock.advance(0.5)
    speaker.pump()
    played = speaker.take_played()
    assert len(played) == RATE // 2
    assert np.count_nonzero(played) == pytest.approx(0.2 * RATE, abs=10)


@pytest.mark.parametrize(
    ("port", "route"), [("headset-output", Route.HEADPHONES), ("analog-output-speaker", Route.SPEAKERS)]
)
def test_the_route_is_asked_for_when_the_device_is_opened(port, route):
    answers = {
        ("info",): {"default_sink_name": "card"},
        ("list", "sinks"): [{"name": "card", "active_port": port}],
    }
    fake = FakePortAudio(FakeDevice("default", outputs=2))
    speaker = DeviceSpeaker(choose_device("output", None, fake)[0], fake, answers.get)
    assert speaker.route is Route.SPEAKERS
    speaker.open()
    assert speaker.route is route
