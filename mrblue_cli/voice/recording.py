"""The recording of a talk: a stereo WAV, the person left, the assistant right, written while they speak.

Both sides lie where the clock says they were heard: a device that comes late, pauses or is gone leaves silence, and
never shifts what follows. The header is right at any moment, so that a kill loses no more than the last flush.
"""

from __future__ import annotations

import errno
import os
import threading
from collections import deque
from pathlib import Path
from typing import BinaryIO

import numpy as np

from mrblue_cli.audio.pcm import RATE, Pcm
from mrblue_cli.audio.wav import wav_header
from mrblue_cli.core.clock import Clock
from mrblue_cli.core.texts import tell
from mrblue_cli.voice.history_keeper import Trouble

CHANNELS = 2
FRAME_BYTES = 2 * CHANNELS
HEADER_BYTES = len(wav_header(0, RATE, CHANNELS))
SLACK_SAMPLES = RATE // 5
"""How far a side may lie from the clock before it is moved: blocks and ticks jitter, and clocks of devices drift."""
_HOLD_SAMPLES = RATE // 2
"""A side that has given nothing for so long gives silence."""
_MAX_WAITING_SECONDS = 20
_MAX_FRAMES = (2**32 - 100) // FRAME_BYTES
"""Twelve hours: a WAV file cannot say more."""


class Aligner:
    """Lays two streams side by side. Pure: positions are samples since the recording began."""

    def __init__(self) -> None:
        self._sides: tuple[list[Pcm], list[Pcm]] = ([], [])
        self._ends = [0, 0]
        self._done = 0

    def add(self, now: int, heard: Pcm, played: Pcm) -> Pcm:
        """Take the stretches that end at `now`; returns the frames that are complete: int16, shape (n, 2)."""
        for side, pcm in enumerate((heard, played)):
            self._place(side, now, pcm)
        return self._take(max(min(self._ends), min(now - _HOLD_SAMPLES, max(self._ends))))

    def rest(self) -> Pcm:
        """What is left at the end."""
        return self._take(max(self._ends))

    def _place(self, side: int, now: int, pcm: Pcm) -> None:
        if len(pcm) == 0:
            return
        off = now - len(pcm) - self._ends[side]
        if off > SLACK_SAMPLES:
            self._append(side, np.zeros(off, dtype=np.int16))
        elif off < -SLACK_SAMPLES:
            pcm = pcm[-off:]  # a device whose clock runs fast: a fifth of a second of it, once in an hour
        self._append(side, pcm)

    def _append(self, side: int, pcm: Pcm) -> None:
        self._sides[side].append(pcm)
        self._ends[side] += len(pcm)

    def _take(self, until: int) -> Pcm:
        count = max(0, until - self._done)
        frames = np.zeros((count, CHANNELS), dtype=np.int16)
        for side, pieces in enumerate(self._sides):
            if self._ends[side] < until:
                self._append(side, np.zeros(until - self._ends[side], dtype=np.int16))
            whole = np.concatenate(pieces) if pieces else np.zeros(0, dtype=np.int16)
            frames[:, side] = whole[:count]
            pieces[:] = [whole[count:]] if len(whole) > count else []
        self._done += count
        return frames


class Recorder:
    """`AudioTap` and `Keeper`: takes sound on the talk's thread, writes it on the disk's. An older file goes on."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self.path = path
        self._clock = clock
        self._began: float | None = None
        self._lock = threading.Lock()
        self._waiting: deque[tuple[int, Pcm, Pcm]] = deque()
        self._waiting_samples = 0
        self._aligner = Aligner()
        self._file: BinaryIO | None = None
        self._frames = 0
        self._over = False
        self.troubles: deque[Trouble] = deque()
        """What the person should be told; the talk's thread takes it from here."""

    def start(self) -> None:
        """Record from now on: before this, the talk is only being prepared. Later calls change nothing."""
        if self._began is None:
            self._began = self._clock.now()

    def take(self, heard: Pcm, played: Pcm) -> None:
        """The newest stretch of both sides."""
        if self._began is None or self._over:
            return
        now = self._clock.now()
        with self._lock:
            self._waiting.append((int((now - self._began) * RATE), heard, played))
            self._waiting_samples += len(heard) + len(played)
            slow = self._waiting_samples > 2 * _MAX_WAITING_SECONDS * RATE
        if slow:
            self._give_up(tell("the disk is too slow for the recording: it ends here"))

    def flush(self, *, last: bool) -> None:
        """Write what is complete."""
        if self._over:
            self._close()
            return
        with self._lock:
            waiting = list(self._waiting)
            self._waiting.clear()
            self._waiting_samples = 0
        frames = [self._aligner.add(*piece) for piece in waiting]
        if last:
            frames.append(self._aligner.rest())
        try:
            self._write(np.concatenate(frames) if frames else np.zeros((0, CHANNELS), dtype=np.int16))
        except OSError as error:
            words = error.strerror or str(error)
            self._give_up(tell("{path}: the recording ends here: {words}", path=self.path, words=words))
        if last:
            self._close()

    def _write(self, frames: Pcm) -> None:
        if self._file is None:
            self._open()
        if len(frames) == 0 or self._file is None:
            return
        if self._frames + len(frames) > _MAX_FRAMES:
            self._give_up(tell("the recording is twelve hours long: it ends here"))
            return
        self._file.seek(HEADER_BYTES + FRAME_BYTES * self._frames)
        data = frames.astype("<i2").tobytes()
        written = self._file.write(data)
        self._frames += written // FRAME_BYTES
        # The samples first, then the header that counts them: at no moment does it promise too much.
        self._file.seek(0)
        self._file.write(wav_header(self._frames, RATE, CHANNELS))
        if written < len(data):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def _open(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(self.path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o600)
        self._file = os.fdopen(handle, "r+b", buffering=0)
        size = self._file.seek(0, os.SEEK_END)
        self._frames = max(0, size - HEADER_BYTES) // FRAME_BYTES
        self._file.seek(0)
        self._file.write(wav_header(self._frames, RATE, CHANNELS))

    def _give_up(self, what: str) -> None:
        self._over = True
        self.troubles.append(Trouble(what, tell("the talk goes on; its words are kept as before")))
        with self._lock:
            self._waiting.clear()

    def _close(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            file.close()
