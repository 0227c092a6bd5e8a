"""Is somebody speaking in these 20 ms? WebRTC's detector over an adaptive noise floor."""

from __future__ import annotations

from collections import deque
from typing import Protocol

import numpy as np
import webrtcvad

from mrblue_cli.audio.pcm import BLOCK, Pcm, dbfs, rms
from mrblue_cli.audio.resample import Resampler

_VAD_RATE = 16_000
_VAD_FRAME = 320
_RECENT_BLOCKS, _TALKING_BLOCKS, _TALKING_RELIEF_DB = 10, 3, 3.5
_FLOOR_SECONDS = 3
_HALF_SECOND_BLOCKS, _UNSURE_BLOCKS = 25, 50
_DIGITAL_SILENCE_DBFS, _LOWEST_DBFS, _UNSURE_DBFS = -90.0, -75.0, -42.0


class SpeechDetector(Protocol):
    """Judges 20 ms at a time. Stands between us and the model, so that another one can take its place."""

    def is_speech(self, block: Pcm) -> bool:
        """Judge one block of 480 samples at 24 kHz."""
        ...

    def reset(self) -> None:
        """Forget the past."""
        ...


class WebRtcDetector:
    """The WebRTC detector knows speech from noise by spectrum; the floor keeps hum, hiss and fans from counting.

    `threshold` in 0..1 is the server VAD's: higher asks for louder and clearer speech. Speech must stand a margin above
    the noise floor to begin, and less of one to go on, so that soft word endings are not lost.
    """

    def __init__(self, threshold: float = 0.5) -> None:
        threshold = min(1.0, max(0.0, threshold))
        self._vad = webrtcvad.Vad(round(1 + 2 * threshold))
        self._margin_db = 3.0 + 10.0 * threshold
        self._least_dbfs = -60.0 + 20.0 * threshold
        self.reset()

    def reset(self) -> None:
        """Forget the noise floor and the filter's past."""
        self._resampler = Resampler(24_000, _VAD_RATE, "QQ")
        self._pending = np.zeros(0, dtype=np.int16)
        self._floor = NoiseFloor()
        self._recent: deque[bool] = deque(maxlen=_RECENT_BLOCKS)

    def is_speech(self, block: Pcm) -> bool:
        """Judge one block of 480 samples at 24 kHz."""
        level = dbfs(rms(block))
        floor = self._floor.follow(level)
        self._pending = np.concatenate((self._pending, self._resampler.process_pcm(block)))
        voiced = False
        while len(self._pending) >= _VAD_FRAME:
            frame, self._pending = self._pending[:_VAD_FRAME], self._pending[_VAD_FRAME:]
            voiced = self._vad.is_speech(frame.astype("<i2").tobytes(), _VAD_RATE)
        talking = sum(self._recent) >= _TALKING_BLOCKS
        margin = self._margin_db - (_TALKING_RELIEF_DB if talking else 0.0)
        speech = voiced and level >= max(self._least_dbfs, floor + margin)
        self._recent.append(speech)
        return speech


class NoiseFloor:
    """How loud the room is when nobody speaks: the quietest block of the last three seconds.

    Speech does not lift it, since nobody speaks three seconds without a gap of 20 ms, and a fan that starts is known
    after three seconds. Digital silence (a muted or gated microphone, a gap in a recording) says nothing about the room
    and is left out: otherwise the room's own noise would count as speech as soon as the microphone opens again.
    """

    def __init__(self) -> None:
        self._past: deque[float] = deque(maxlen=_FLOOR_SECONDS * 2 - 1)
        self._quietest = 0.0
        self._blocks = 0

    def follow(self, level_dbfs: float) -> float:
        """Take the next block's level and return the floor, both in dBFS."""
        if level_dbfs > _DIGITAL_SILENCE_DBFS:
            self._blocks += 1
            self._quietest = min(self._quietest, level_dbfs)
        floor = min((self._quietest, *self._past))
        if self._blocks <= _UNSURE_BLOCKS:
            # Somebody may be speaking from the first block on: do not take that for the room.
            floor = min(floor, _UNSURE_DBFS)
        if level_dbfs > _DIGITAL_SILENCE_DBFS and self._blocks % _HALF_SECOND_BLOCKS == 0:
            self._past.append(self._quietest)
            self._quietest = 0.0
        return max(_LOWEST_DBFS, floor)


def blocks(pcm: Pcm, pending: Pcm) -> tuple[list[Pcm], Pcm]:
    """Cut a stream into whole blocks of 480 samples; what is left waits for the next call."""
    joined = np.concatenate((pending, pcm)) if len(pending) else pcm
    whole = len(joined) // BLOCK
    return [joined[i * BLOCK : (i + 1) * BLOCK] for i in range(whole)], joined[whole * BLOCK :]
