"""The recording of both sides: aligned in time, right at any moment, and never a danger to the talk."""

from __future__ import annotations

import stat
import wave

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrblue_cli.audio.pcm import RATE
from mrblue_cli.voice.recording import SLACK_SAMPLES, Aligner, Recorder
from tests.fakes.clock import ManualClock

TICK = RATE // 50


def tone(count, value=1000):
    return np.full(count, value, dtype=np.int16)


NONE = tone(0)


def align(pieces):
    """Run pieces (now, heard, played) through an aligner to its end."""
    aligner = Aligner()
    out = [aligner.add(*piece) for piece in pieces]
    return np.concatenate([*out, aligner.rest()])


def read(path):
    with wave.open(str(path)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (2, 2, RATE)
        return np.frombuffer(file.readframes(file.getnframes()), dtype="<i2").reshape(-1, 2)


def test_two_steady_streams_lie_side_by_side():
    frames = align([(n * TICK, tone(TICK, n), tone(TICK, -n)) for n in range(1, 101)])
    assert frames.shape == (100 * TICK, 2)
    assert (frames[:, 0] == -frames[:, 1]).all()


def test_a_side_that_only_gives_its_words_lies_where_they_were_said():
    pieces = [(n * TICK, tone(TICK), tone(TICK, 7) if 100 < n <= 110 else NONE) for n in range(1, 201)]
    frames = align(pieces)
    said = np.flatnonzero(frames[:, 1] == 7)
    assert (said[0], len(said)) == (100 * TICK, 10 * TICK)
    assert len(frames) == 200 * TICK


def test_a_microphone_that_is_lost_and_found_keeps_its_place():
    pieces = [(n * TICK, tone(TICK) if not 50 < n <= 150 else NONE, tone(TICK, 7)) for n in range(1, 201)]
    frames = align(pieces)
    assert (frames[:, 1] == 7).all()
    silent = np.flatnonzero(frames[:, 0] == 0)
    assert (silent[0], len(silent)) == (50 * TICK, 100 * TICK)


def test_jitter_of_blocks_makes_no_holes():
    pieces = [(n * TICK, tone(5 * TICK) if n % 5 == 0 else NONE, tone(TICK, 7)) for n in range(1, 101)]
    frames = align(pieces)
    assert (frames[:, 0] == 1000).all()


def test_a_loop_that_stood_still_loses_nothing():
    pieces = [(TICK, tone(TICK), tone(TICK, 7)), (51 * TICK, tone(50 * TICK), tone(50 * TICK, 7))]
    frames = align(pieces)
    assert (frames == (1000, 7)).all()
    assert len(frames) == 51 * TICK


def test_a_clock_that_runs_fast_is_brought_back():
    pieces = [(n * TICK, tone(TICK + 20), tone(TICK, 7)) for n in range(1, 1001)]
    frames = align(pieces)
    assert 0 <= len(frames) - 1000 * TICK <= SLACK_SAMPLES + TICK


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3000), st.integers(0, 3000)), max_size=30))
def test_frames_come_once_in_order_and_never_far_from_the_clock(steps):
    aligner, now, out = Aligner(), 0, 0
    for ticks, heard, played in steps:
        now += ticks * TICK
        out += len(aligner.add(now, tone(heard), tone(played)))
        assert out <= now + SLACK_SAMPLES + 3000
    total = out + len(aligner.rest())
    assert total <= now + SLACK_SAMPLES + 3000
    assert len(aligner.rest()) == 0


class Taken:
    """A recorder, driven by hand."""

    def __init__(self, path):
        self.clock = ManualClock()
        self.recorder = Recorder(path, self.clock)
        self.recorder.start()

    def take(self, ticks, heard=1000, played=7):
        for _ in range(ticks):
            self.clock.advance(0.02)
            self.recorder.take(tone(TICK, heard), tone(TICK, played))
        return self


def test_the_file_is_right_at_any_moment(tmp_path):
    path = tmp_path / "recordings" / "abc.wav"
    taken = Taken(path)
    for number in range(1, 4):
        taken.take(50).recorder.flush(last=False)
        frames = read(path)
        assert abs(len(frames) - number * RATE) <= 2
        assert (frames == (1000, 7)).all()
    taken.recorder.flush(last=True)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_nothing_is_recorded_before_the_session_begins(tmp_path):
    clock = ManualClock()
    recorder = Recorder(tmp_path / "a.wav", clock)
    recorder.take(tone(TICK), tone(TICK))
    recorder.start()
    clock.advance(0.02)
    recorder.take(tone(TICK), tone(TICK))
    recorder.start()
    recorder.flush(last=True)
    assert len(read(tmp_path / "a.wav")) == TICK


def test_a_resumed_talk_goes_on_behind_what_was_recorded_also_after_a_kill(tmp_path):
    path = tmp_path / "a.wav"
    Taken(path).take(50).recorder.flush(last=True)
    whole = path.read_bytes()
    path.write_bytes(whole + b"\x01\x02\x03")  # killed in the middle of a frame
    Taken(path).take(50, heard=500).recorder.flush(last=True)
    frames = read(path)
    assert abs(len(frames) - 2 * RATE) <= 2
    assert (frames[: RATE - 2, 0] == 1000).all()
    assert (frames[RATE + 2 :, 0] == 500).all()


def test_a_place_where_nothing_can_be_written_is_told_once(tmp_path):
    (tmp_path / "file").write_text("in the way")
    taken = Taken(tmp_path / "file" / "a.wav")
    for _ in range(3):
        taken.take(10).recorder.flush(last=False)
    taken.recorder.flush(last=True)
    (trouble,) = taken.recorder.troubles
    assert "the recording ends here" in trouble.what


class FullDisk:
    """A file with room for so many bytes; takes what fits and says how much, as a raw file does."""

    def __init__(self, file, room):
        self.file, self.room = file, room

    def seek(self, *args):
        return self.file.seek(*args)

    def write(self, data):
        fits = data[: max(0, self.room - self.file.tell())]
        return self.file.write(fits)

    def close(self):
        self.file.close()


def test_a_full_disk_ends_the_recording_and_leaves_a_good_file(tmp_path):
    path = tmp_path / "a.wav"
    taken = Taken(path)
    taken.take(10).recorder.flush(last=False)
    taken.recorder._file = FullDisk(taken.recorder._file, room=50_001)
    for _ in range(3):
        taken.take(10).recorder.flush(last=False)
    taken.recorder.flush(last=True)
    (trouble,) = taken.recorder.troubles
    assert "No space left" in trouble.what
    frames = read(path)
    assert len(frames) == (50_001 - 44) // 4
    assert (frames == (1000, 7)).all()


def test_a_disk_that_does_not_answer_ends_the_recording(tmp_path):
    taken = Taken(tmp_path / "a.wav").take(1500)
    (trouble,) = taken.recorder.troubles
    assert "too slow" in trouble.what
    taken.recorder.flush(last=True)
    assert not (tmp_path / "a.wav").exists()


@pytest.mark.parametrize("ticks", [0, 1])
def test_a_short_recording_is_a_good_file(tmp_path, ticks):
    Taken(tmp_path / "a.wav").take(ticks).recorder.flush(last=True)
    assert abs(len(read(tmp_path / "a.wav")) - ticks * TICK) <= 1
