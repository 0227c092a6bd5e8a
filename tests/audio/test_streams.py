"""PCM, rings and resampling: nothing is lost, nothing is invented, pieces equal the whole."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrblue_cli.audio.pcm import RATE, dbfs, from_bytes, meter, rms, to_floats, to_pcm
from mrblue_cli.audio.resample import Resampler, convert
from mrblue_cli.audio.ring import CaptureRing, PlaybackRing

SIZES = st.lists(st.integers(0, 70), max_size=40)


def test_samples_clip_and_round_trip():
    assert to_pcm(np.array([2.0, -2.0, np.nan, 0.0], dtype=np.float32)).tolist() == [32767, -32768, 0, 0]
    pcm = np.array([-32768, -1, 0, 1, 32767], dtype=np.int16)
    assert np.max(np.abs(to_pcm(to_floats(pcm)) - pcm)) <= 1
    assert from_bytes(b"\x01\x00\xff\xff").tolist() == [1, -1]


def test_levels():
    assert rms(np.zeros(0, dtype=np.int16)) == 0
    assert rms(np.full(480, 16384, dtype=np.int16)) == pytest.approx(0.5)
    assert dbfs(0.5) == pytest.approx(-6.02, abs=0.01)
    assert dbfs(0) == -96
    assert meter(0) == 0
    assert meter(1.0) == 1.0
    assert 0 < meter(0.01) < meter(0.1) < 1


@given(SIZES)
def test_a_capture_ring_gives_the_newest_and_counts_the_rest(sizes):
    ring = CaptureRing(100)
    stream = np.arange(sum(sizes), dtype=np.int64).astype(np.int16)
    taken, position = [], 0
    for number, size in enumerate(sizes):
        ring.write(stream[position : position + size])
        position += size
        if number % 3 == 2:
            taken += ring.read().tolist()
    taken += ring.read().tolist()
    assert len(taken) + ring.lost == len(stream)
    assert taken == sorted(taken)
    assert taken[-50:] == stream[-50:].tolist()[-len(taken[-50:]) :] if taken else True


@given(SIZES, SIZES)
def test_a_playback_ring_is_first_in_first_out(writes, reads):
    ring = PlaybackRing(100)
    sent, heard, value = [], [], 0
    for number in range(max(len(writes), len(reads))):
        if number < len(writes):
            block = (np.arange(value, value + writes[number]) % 30_000).astype(np.int16)
            count = ring.write(block)
            sent += block[:count].tolist()
            value += count
        if number < len(reads):
            out = np.full(reads[number], 7, dtype=np.int16)
            got = ring.read_into(out)
            heard += out[:got].tolist()
            assert not out[got:].any()
    assert heard == sent[: len(heard)]
    assert ring.queued == len(sent) - len(heard)
    assert ring.space == 100 - ring.queued


@given(st.integers(0, 100), st.integers(0, 100), st.integers(0, 30), st.integers(0, 30))
def test_a_cut_leaves_at_most_guard_and_fade(written, read, fade, guard):
    ring = PlaybackRing(100)
    ring.write(np.full(written, 1000, dtype=np.int16))
    ring.read_into(np.zeros(min(read, written), dtype=np.int16))
    before = ring.queued
    left = ring.cut(fade, guard)
    assert left == ring.queued <= min(before, guard + fade)
    out = np.zeros(100, dtype=np.int16)
    ring.read_into(out)
    assert np.all(np.diff(out[:left].astype(int)) <= 0)


class Interrupted:
    """Memory in the middle of whose copying the device's callback runs, once."""

    def __init__(self, data, callback):
        self.data, self.callback = data, callback

    def _interrupt(self):
        callback, self.callback = self.callback, None
        if callback is not None:
            callback()

    def __getitem__(self, key):
        found = self.data[key].copy()
        self._interrupt()
        return found

    def __setitem__(self, key, value):
        self._interrupt()
        self.data[key] = value


def test_each_stretch_that_was_lost_is_a_gap():
    ring = CaptureRing(100)
    for written, gaps in ((100, 0), (250, 1), (10, 1), (101, 2)):
        ring.write(np.zeros(written, dtype=np.int16))
        ring.read()
        assert ring.gaps == gaps
    assert ring.lost == 151


def test_what_the_callback_overwrites_while_it_is_copied_is_lost_not_mixed_up():
    ring = CaptureRing(100)
    ring.write(np.arange(100, dtype=np.int16))
    ring._data = Interrupted(ring._data, lambda: ring.write(np.arange(100, 130, dtype=np.int16)))
    assert ring.read().tolist() == list(range(30, 100))
    assert ring.lost == 30
    assert ring.read().tolist() == list(range(100, 130))
    assert ring.lost == 30


@pytest.mark.parametrize("block", [10, 40, 100])
def test_a_cut_during_a_callback_leaves_no_more_than_the_fade(block):
    ring = PlaybackRing(1000)
    ring.write(np.full(500, 1000, dtype=np.int16))
    ring._data = Interrupted(ring._data, lambda: ring.read_into(np.zeros(block, dtype=np.int16)))
    ring.cut(fade=30, guard=0)
    assert ring.queued == max(0, 30 - block)
    out = np.full(50, 7, dtype=np.int16)
    assert ring.read_into(out) == max(0, 30 - block)
    assert not out[max(0, 30 - block) :].any()
    # The ring goes on as if nothing had happened.
    assert ring.write(np.full(200, 5, dtype=np.int16)) == 200
    assert ring.queued == 200
    out = np.zeros(200, dtype=np.int16)
    assert ring.read_into(out) == 200
    assert np.all(out == 5)


@pytest.mark.parametrize("rates", [(24_000, 16_000), (22_050, 24_000), (24_000, 48_000), (44_100, 24_000)])
def test_pieces_resample_like_the_whole(rates):
    source, target = rates
    tone = np.sin(2 * np.pi * 440 * np.arange(source) / source).astype(np.float32) * 0.5
    stream = Resampler(source, target, "HQ")
    pieces = [stream.process(tone[start : start + 480]) for start in range(0, len(tone), 480)]
    joined = np.concatenate([*pieces, stream.flush()])
    assert len(joined) == pytest.approx(target, abs=2)
    whole = convert(tone, source, target)
    inner = slice(500, min(len(whole), len(joined)) - 500)
    assert np.max(np.abs(joined[inner] - whole[inner])) < 0.01


def test_equal_rates_pass_through():
    stream = Resampler(RATE, RATE)
    samples = np.ones(10, dtype=np.float32)
    assert stream.process(samples) is samples
    assert stream.held == 0
    assert len(stream.flush()) == 0


def test_what_a_filter_holds_back_is_known():
    stream = Resampler(48_000, 24_000, "HQ")
    out = stream.process(np.zeros(4800, dtype=np.float32))
    assert stream.held == 2400 - len(out)
    stream.clear()
    assert stream.held == 0
