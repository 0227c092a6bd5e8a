"""Vectors and sounds of the scripted provider: counted from the text, the same each time."""

from __future__ import annotations

import base64
import hashlib
import math
import re
import struct
from typing import Any

from mrblue_cli.gateway.model import Json
from mrblue_cli.gateway.providers.wire import string

DIMENSIONS = 256
MAX_DIMENSIONS = 4096
SPEECH_RATE = 24_000
MAX_BEEPS = 40


def vector(text: str, dimensions: int = DIMENSIONS) -> list[float]:
    """A vector of length 1 from hashed words and trigrams: texts that share words lie near each other."""
    values = [0.0] * dimensions
    plain = text.lower()
    padded = " ".join(["", *re.findall(r"[^\W_]+", plain), ""])
    features = [*((word, 1.0) for word in padded.split()), *((padded[i : i + 3], 0.3) for i in range(len(padded) - 2))]
    for feature, weight in [*features, (f"={text}", 0.05)]:
        digest = hashlib.blake2b(feature.encode("utf-8", "surrogatepass"), digest_size=8).digest()
        number = int.from_bytes(digest, "little")
        values[(number >> 1) % dimensions] += weight if number & 1 else -weight
    length = math.sqrt(sum(value * value for value in values)) or 1.0
    return [value / length for value in values]


def packed(values: list[float]) -> str:
    """Base64 of little-endian float32, which OpenAI's clients ask for."""
    return base64.b64encode(struct.pack(f"<{len(values)}f", *values)).decode()


def texts_to_embed(value: Any) -> list[str] | None:
    """The texts of an embeddings request; lists of tokens count as the text of their numbers. None: malformed."""
    if isinstance(value, str):
        return [value]
    if not isinstance(value, list) or not value:
        return None
    if all(isinstance(item, int) for item in value):
        return [" ".join(str(item) for item in value)]
    made = [
        item if isinstance(item, str) else " ".join(map(str, item)) for item in value if isinstance(item, str | list)
    ]
    return made if len(made) == len(value) else None


def wav_seconds(data: bytes) -> float | None:
    """Seconds of a plain WAV, by its header; None for anything else."""
    if len(data) < 44 or data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        return None
    rate = struct.unpack_from("<I", data, 28)[0]
    return (len(data) - 44) / rate if rate else None


def transcript(size: int, seconds: float | None) -> str:
    """What the demo says it heard: it does not pretend."""
    length = f", {seconds:.1f} seconds long" if seconds is not None else ""
    return f"This is the demo of the mrblue gateway. It received a sound of {size} bytes{length}, and cannot hear."


def timed(text: str, form: str, seconds: float) -> bytes:
    """The transcript as subtitles."""
    stamp = f"{int(seconds) // 3600:02d}:{int(seconds) // 60 % 60:02d}:{seconds % 60:06.3f}"
    if form == "srt":
        return f"1\n00:00:00,000 --> {stamp.replace('.', ',')}\n{text}\n\n".encode()
    return f"WEBVTT\n\n00:00:00.000 --> {stamp}\n{text}\n\n".encode()


def verbose(text: str, seconds: float) -> Json:
    """The transcript with times."""
    segment = {"id": 0, "start": 0.0, "end": seconds, "text": text, "tokens": [], "temperature": 0.0}
    rest = {"seek": 0, "avg_logprob": 0.0, "compression_ratio": 1.0, "no_speech_prob": 0.0}
    return {
        "task": "transcribe",
        "language": "english",
        "duration": seconds,
        "text": text,
        "segments": [segment | rest],
    }


def beeps(text: str) -> bytes:
    """One short tone for each word, 24 kHz PCM16 mono: plainly a machine's, never mistaken for speech."""
    import numpy as np

    from mrblue_cli.audio.pcm import Floats, to_pcm

    words = string(text).split()[:MAX_BEEPS] or [""]
    blocks: list[Floats] = []
    for word in words:
        length = 0.05 + 0.012 * min(len(word), 15)
        times = np.arange(int(length * SPEECH_RATE), dtype=np.float32) / SPEECH_RATE
        pitch = 440.0 * 2 ** (sum(word.encode("utf-8", "replace")) % 12 / 12)
        fade = np.minimum(1.0, np.minimum(times, times[::-1]) / 0.008)  # without it each tone would click
        blocks.append((0.2 * fade * np.sin(2 * np.pi * pitch * times)).astype(np.float32))
        blocks.append(np.zeros(int(0.04 * SPEECH_RATE), dtype=np.float32))
    return to_pcm(np.concatenate(blocks)).astype("<i2").tobytes()


def wav(pcm: bytes) -> bytes:
    """The sound with a header."""
    from mrblue_cli.audio.wav import wav_header

    return wav_header(len(pcm) // 2, SPEECH_RATE) + pcm
