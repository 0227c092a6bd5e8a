"""WAV bytes to samples and back. Every file is hostile until parsed. Format: RIFF/WAVE, Microsoft multimedia
specification 1994 with WAVE_FORMAT_EXTENSIBLE."""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np

from mrblue_cli.audio.pcm import RATE, Floats
from mrblue_cli.core.errors import InputFileError

_PCM, _FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE
_STREAMED = 0xFFFFFFFF
_TRAILERS = {b"LIST", b"id3 ", b"ID3 ", b"bext", b"fact", b"cue ", b"JUNK"}
"""Chunks that follow sound: behind a data chunk of size 0 they mean that it is empty, not that its size is unknown."""
MAX_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class WavAudio:
    """Mono samples in -1..1 at `rate` Hz."""

    samples: Floats
    rate: int

    @property
    def seconds(self) -> float:
        """Length."""
        return len(self.samples) / self.rate


@dataclass(frozen=True, slots=True)
class _Format:
    tag: int
    channels: int
    rate: int
    bits: int

    @property
    def frame_bytes(self) -> int:
        return self.channels * self.bits // 8


def parse_wav(data: bytes, source: str) -> WavAudio:
    """Read a WAV file: 8 to 32-bit PCM or 32/64-bit float, 1 to 8 channels (mixed down), 4 to 192 kHz.

    A data chunk whose size says "unknown" (all ones or 0, as streaming writers leave it) runs to the end of the file.
    A data chunk shorter than its header says means a broken copy and is refused. `source` names the file in errors.
    Raises `InputFileError`.
    """
    if not data:
        raise InputFileError(f"{source}: the file is empty", hint="record it again, or give another WAV file")
    if len(data) < 12 or data[:4] not in {b"RIFF", b"RF64"} or data[8:12] != b"WAVE":
        raise InputFileError(
            f"{source}: not a WAV file", hint="convert it first, for example: ffmpeg -i INPUT -ac 1 out.wav"
        )
    form, body = _chunks(data, source)
    usable = len(body) - len(body) % form.frame_bytes
    if usable == 0:
        raise InputFileError(f"{source}: the WAV file holds no sound", hint="record it again")
    if usable // form.frame_bytes > MAX_SECONDS * form.rate:
        raise InputFileError(f"{source}: longer than {MAX_SECONDS // 60} minutes", hint="cut it into pieces")
    # Cleaned before it is mixed: the mean of infinities is no sound.
    clean = np.nan_to_num(_decode(body[:usable], form), nan=0.0, posinf=1.0, neginf=-1.0)
    frames = np.clip(clean, -1.0, 1.0).reshape(-1, form.channels)
    samples: Floats = np.ascontiguousarray(frames.mean(axis=1, dtype=np.float32) if form.channels > 1 else frames[:, 0])
    return WavAudio(samples, form.rate)


def _chunks(data: bytes, source: str) -> tuple[_Format, bytes]:
    form: _Format | None = None
    offset = 12
    while offset + 8 <= len(data):
        name = data[offset : offset + 4]
        size = struct.unpack_from("<I", data, offset + 4)[0]
        start = offset + 8
        if name == b"fmt ":
            form = _format(data[start : start + size], source)
        elif name == b"data":
            if form is None:
                raise InputFileError(f"{source}: the WAV header is damaged", hint="record or convert it again")
            if size == _STREAMED or (size == 0 and start < len(data) and data[start : start + 4] not in _TRAILERS):
                return form, data[start:]
            if start + size > len(data):
                missing = start + size - len(data)
                raise InputFileError(
                    f"{source}: the WAV file is cut off, {missing} bytes are missing", hint="copy or record it again"
                )
            return form, data[start : start + size]
        offset = start + size + size % 2
    raise InputFileError(f"{source}: the WAV header is cut off or damaged", hint="copy or record it again")


def _format(body: bytes, source: str) -> _Format:
    if len(body) < 16:
        raise InputFileError(f"{source}: the WAV header is cut off or damaged", hint="copy or record it again")
    tag, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", body)
    if tag == _EXTENSIBLE and len(body) >= 26:
        tag = struct.unpack_from("<H", body, 24)[0]
    kind = (tag, bits)
    if kind not in {(_PCM, 8), (_PCM, 16), (_PCM, 24), (_PCM, 32), (_FLOAT, 32), (_FLOAT, 64)}:
        raise InputFileError(
            f"{source}: WAV encoding {tag} with {bits} bits is not supported",
            hint="convert it to 16-bit PCM, for example: ffmpeg -i INPUT -c:a pcm_s16le out.wav",
        )
    if not 1 <= channels <= 8:
        raise InputFileError(f"{source}: {channels} channels; 1 to 8 are supported", hint="mix it down to mono")
    if not 4_000 <= rate <= 192_000:
        raise InputFileError(f"{source}: {rate} Hz; 4 to 192 kHz are supported", hint="resample it to 24 kHz")
    return _Format(tag, channels, rate, bits)


def _decode(body: bytes, form: _Format) -> Floats:
    if form.tag == _FLOAT:
        with np.errstate(over="ignore", invalid="ignore"):
            return np.frombuffer(body, dtype=f"<f{form.bits // 8}").astype(np.float32)
    if form.bits == 8:
        return (np.frombuffer(body, dtype=np.uint8).astype(np.float32) - 128.0) / 128.0
    if form.bits == 24:
        triples = np.frombuffer(body, dtype=np.uint8).reshape(-1, 3)
        wide = np.zeros((len(triples), 4), dtype=np.uint8)
        wide[:, 1:] = triples
        return (wide.view("<i4")[:, 0] / np.float64(2**31)).astype(np.float32)
    scale = np.float64(2 ** (form.bits - 1))
    return (np.frombuffer(body, dtype=f"<i{form.bits // 8}") / scale).astype(np.float32)


def wav_header(frames: int, rate: int = RATE, channels: int = 1) -> bytes:
    """The 44 bytes before `frames` frames of PCM16. Sizes end at 4 GiB (a day, mono): beyond that, "unknown"."""
    width = 2 * channels
    size = min(frames * width, _STREAMED)
    whole = min(36 + size, _STREAMED)
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, _PCM, channels, rate, rate * width, width, 16)
    return struct.pack("<4sI4s", b"RIFF", whole, b"WAVE") + form + struct.pack("<4sI", b"data", size)
