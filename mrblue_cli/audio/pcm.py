"""Samples, bytes and levels. PCM16 little-endian mono unless said otherwise."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Pcm = NDArray[np.int16]
Floats = NDArray[np.float32]

RATE = 24_000
"""Hz, of everything between capture and playback."""
BLOCK = 480
"""Samples in a block of 20 ms."""
BLOCK_SECONDS = BLOCK / RATE
SILENCE_DBFS = -96.0
_METER_FLOOR_DBFS = -54.0


def to_pcm(samples: Floats) -> Pcm:
    """Convert samples in -1..1 to 16 bit; louder ones are clipped, not wrapped; NaN becomes silence."""
    # Asking first is three times cheaper for the blocks of 20 ms that come all day.
    clean = samples if np.isfinite(samples).all() else np.nan_to_num(samples, nan=0.0, posinf=1.0, neginf=-1.0)
    pcm: Pcm = np.clip(np.rint(clean * 32767.0), -32768, 32767).astype(np.int16)
    return pcm


def to_floats(pcm: Pcm) -> Floats:
    """Convert 16-bit samples to -1..1."""
    return pcm.astype(np.float32) / np.float32(32768.0)


def from_bytes(data: bytes) -> Pcm:
    """View little-endian bytes as samples; the length must be even."""
    return np.frombuffer(data, dtype="<i2").astype(np.int16, copy=False)


def rms(pcm: Pcm) -> float:
    """Root mean square in 0..1."""
    if pcm.size == 0:
        return 0.0
    values = pcm.astype(np.float64)
    return math.sqrt(float(np.dot(values, values)) / pcm.size) / 32768.0


def dbfs(level: float) -> float:
    """A root mean square as decibels below full scale, never under `SILENCE_DBFS`."""
    return max(SILENCE_DBFS, 20.0 * math.log10(level)) if level > 0 else SILENCE_DBFS


def meter(level: float) -> float:
    """A root mean square as a meter reading in 0..1: even in decibels, as loudness is perceived."""
    return min(1.0, max(0.0, 1.0 - dbfs(level) / _METER_FLOOR_DBFS))
