"""Every WAV file is hostile until parsed."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrblue_cli.audio.pcm import to_pcm
from mrblue_cli.audio.wav import parse_wav, wav_header
from mrblue_cli.core.errors import InputFileError


def wav(samples, *, rate=24_000, channels=1, bits=16, tag=1, size=None, extensible=False):
    """Any WAV file; `samples` is float, one row a frame."""
    frames = np.asarray(samples, dtype=np.float64).reshape(-1, channels)
    if tag == 3:
        body = frames.astype(f"<f{bits // 8}").tobytes()
    elif bits == 8:
        body = (frames * 127 + 128).astype(np.uint8).tobytes()
    elif bits == 24:
        wide = (frames * (2**31 - 1)).astype("<i4").reshape(-1, 1).view(np.uint8).reshape(-1, 4)
        body = wide[:, 1:].tobytes()
    else:
        body = (frames * (2 ** (bits - 1) - 1)).astype(f"<i{bits // 8}").tobytes()
    block = channels * bits // 8
    form = struct.pack("<HHIIHH", 0xFFFE if extensible else tag, channels, rate, rate * block, block, bits)
    if extensible:
        form += struct.pack("<HHI", 22, bits, 0) + struct.pack("<H", tag) + bytes(14)
    size = len(body) if size is None else size
    head = b"RIFF" + struct.pack("<I", 4 + 8 + len(form) + 8 + len(body)) + b"WAVE"
    return head + b"fmt " + struct.pack("<I", len(form)) + form + b"data" + struct.pack("<I", size & 0xFFFFFFFF) + body


TONE = np.sin(np.linspace(0, 40, 2000)) * 0.5


@pytest.mark.parametrize(("bits", "tag"), [(8, 1), (16, 1), (24, 1), (32, 1), (32, 3), (64, 3)])
@pytest.mark.parametrize("extensible", [False, True])
def test_every_encoding_gives_the_same_sound(bits, tag, extensible):
    audio = parse_wav(wav(TONE, bits=bits, tag=tag, extensible=extensible), "a.wav")
    assert audio.rate == 24_000
    assert np.max(np.abs(audio.samples - TONE)) < (0.02 if bits == 8 else 0.001)


@pytest.mark.parametrize("rate", [8000, 11025, 16_000, 22_050, 44_100, 48_000, 96_000])
def test_every_usual_rate_is_kept(rate):
    audio = parse_wav(wav(TONE, rate=rate), "a.wav")
    assert audio.rate == rate
    assert audio.seconds == pytest.approx(2000 / rate)


def test_stereo_is_mixed_down():
    frames = np.stack([np.full(100, 0.5), np.full(100, -0.1)], axis=1)
    assert np.allclose(parse_wav(wav(frames, channels=2), "a.wav").samples, 0.2, atol=0.001)


def test_a_streamed_file_of_unknown_length_runs_to_its_end():
    for size in (0xFFFFFFFF, 0):
        assert len(parse_wav(wav(TONE, size=size), "a.wav").samples) == 2000


def test_an_empty_file_with_a_comment_is_empty():
    with pytest.raises(InputFileError, match="no sound"):
        parse_wav(wav([]) + b"LIST" + struct.pack("<I", 4) + b"INFO", "a.wav")


def test_a_day_of_sound_does_not_overflow_the_header():
    assert struct.unpack("<I", wav_header(2**31)[40:44]) == (0xFFFFFFFF,)
    assert len(wav_header(2**40)) == 44


def test_what_we_write_we_can_read():
    pcm = to_pcm(TONE.astype(np.float32))
    data = wav_header(len(pcm)) + pcm.astype("<i2").tobytes()
    assert np.allclose(parse_wav(data, "x").samples, TONE, atol=0.001)


GOOD = wav(TONE)
BAD = [
    (b"", "empty"),
    (b"hello, this is a text file", "not a WAV file"),
    (b"ID3\x04" + bytes(200), "not a WAV file"),
    (GOOD[:30], "cut off or damaged"),
    (GOOD[:12], "cut off or damaged"),
    (GOOD[:-500], "500 bytes are missing"),
    (wav([]), "no sound"),
    (wav(TONE, tag=7), "encoding 7 with 16 bits is not supported"),
    (wav(np.zeros((10, 9)), channels=9), "9 channels"),
    (wav(TONE, rate=1000), "1000 Hz"),
]


@pytest.mark.parametrize(("data", "what"), BAD, ids=[what for _, what in BAD])
def test_a_bad_file_is_named_with_what_to_do(data, what):
    with pytest.raises(InputFileError) as caught:
        parse_wav(data, "question.wav")
    assert "question.wav" in caught.value.what
    assert what in caught.value.what
    assert caught.value.hint


def test_nan_and_infinity_become_sound_that_can_be_played():
    samples = parse_wav(wav([0.0, np.nan, np.inf, -np.inf], bits=32, tag=3), "a.wav").samples
    assert np.all(np.abs(samples) <= 1.0)


@given(st.integers(1, 8), st.binary(min_size=64, max_size=256), st.sampled_from([32, 64]))
def test_any_bits_taken_for_floats_become_sound_that_can_be_played(channels, noise, bits):
    frame = channels * bits // 8
    body = (noise * frame)[: len(noise) // frame * frame or frame]
    data = wav(np.zeros((len(body) // frame, channels)), channels=channels, bits=bits, tag=3)[: -len(body)] + body
    samples = parse_wav(data, "a.wav").samples
    assert samples.dtype == np.float32
    assert np.all(np.abs(samples) <= 1.0)


@given(st.binary(max_size=200))
def test_garbage_is_refused_never_a_crash(data):
    try:
        parse_wav(data, "g.wav")
    except InputFileError as error:
        assert error.hint


@given(st.data())
def test_mutated_files_are_read_or_refused(data):
    raw = bytearray(GOOD)
    for _ in range(data.draw(st.integers(1, 6))):
        raw[data.draw(st.integers(0, 60))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(raw)))
    try:
        audio = parse_wav(bytes(raw[:cut]), "m.wav")
    except InputFileError:
        return
    assert np.all(np.isfinite(audio.samples))
    assert audio.rate > 0
