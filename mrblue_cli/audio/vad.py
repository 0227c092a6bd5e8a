"""Is somebody speaking in these 20 ms? WebRTC's detector over an adaptive noise floor."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import webrtcvad

from mrblue_cli.audio.pcm import BLOCK, Pcm, dbfs, rms
from mrblue_cli.audio.resample import Resampler

_VAD_RATE = 16_000
_VAD_FRAME = 320


class SpeechDetector(Protocol):
    """Judges 20 ms at a time. Stands between us and the model, so that another one can take its place."""

    def is_speech(self, block: Pcm) -> bool:
        """Judge one block of 480 samples at 24 kHz."""
        ...

    def reset(self) -> None:
        """Forget the past."""
        ...


class WebRtcDetector:
    """The WebRTC detector knows speech from noise by spectrum; the floor keeps quiet hum and hiss from counting.

    `threshold` in 0..1 is the server VAD's: higher asks for louder and clearer speech. The floor follows the quietest
    recent level and speech must stand `margin` decibels above it.
    """

    def __init__(self, threshold: float = 0.5) -> None:
        self._vad = webrtcvad.Vad(round(1 + 2 * min(1.0, max(0.0, threshold))))
        self._margin_db = 3.0 + 9.0 * threshold
        self._least_dbfs = -60.0 + 20.0 * threshold
        self.reset()

    def reset(self) -> None:
        """Forget the noise floor and the filter's past."""
        self._resampler = Resampler(24_000, _VAD_RATE, "QQ")
        self._pending = np.zeros(0, dtype=np.int16)
        self._floor_dbfs = -60.0

    def is_speech(self, block: Pcm) -> bool:
        """Judge one block of 480 samples at 24 kHz."""
        level = dbfs(rms(block))
        # Falls at once, rises 1.5 dB a second: pauses between words set it, words barely move it.
        rise = 0.03 if level > self._floor_dbfs else 0.0
        self._floor_dbfs = (
            max(-75.0, min(level, self._floor_dbfs + rise)) if level < self._floor_dbfs else (self._floor_dbfs + rise)
        )
        self._pending = np.concatenate((self._pending, self._resampler.process_pcm(block)))
        voiced = False
        while len(self._pending) >= _VAD_FRAME:
            frame, self._pending = self._pending[:_VAD_FRAME], self._pending[_VAD_FRAME:]
            voiced = self._vad.is_speech(frame.astype("<i2").tobytes(), _VAD_RATE)
        loud = level >= max(self._least_dbfs, self._floor_dbfs + self._margin_db)
        return voiced and loud


def blocks(pcm: Pcm, pending: Pcm) -> tuple[list[Pcm], Pcm]:
    """Cut a stream into whole blocks of 480 samples; what is left waits for the next call."""
    joined = np.concatenate((pending, pcm)) if len(pending) else pcm
    whole = len(joined) // BLOCK
    return [joined[i * BLOCK : (i + 1) * BLOCK] for i in range(whole)], joined[whole * BLOCK :]
