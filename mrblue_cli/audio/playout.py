"""Playing a reply as it arrives: start late enough not to stutter, stop at once, and know what was really heard.

Works on the producer's side of a `PlaybackRing`; the device's callback only reads from the ring. Jitter and fades
follow what real clients do: start at 120 ms queued, short linear fades, a wait that grows with each underrun.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable
from dataclasses import dataclass

import numpy as np

from mrblue_cli.audio.pcm import RATE, Pcm, to_floats, to_pcm
from mrblue_cli.audio.resample import convert
from mrblue_cli.audio.ring import PlaybackRing

FADE_MS = 15
BRINK_MS = 40
"""So little queued in the middle of a reply will probably run dry before the next look: fade it out."""
START_MS = 120
UNDERRUN_STEP_MS = 20
MAX_START_MS = 300


@dataclass(slots=True)
class _Stretch:
    key: Hashable
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class PlayedStream:
    """How much of one stream was really heard, and whether that was all there is."""

    key: Hashable
    played_samples: int
    complete: bool


@dataclass(frozen=True, slots=True)
class UnheardStream:
    """One stream as it stood when its device was left, in samples at the rate of `Unheard`."""

    key: Hashable
    heard: int
    finished: bool


@dataclass(frozen=True, slots=True)
class Unheard:
    """What a device that was left had not brought to the ear, in order; another device goes on with it."""

    rate: int
    streams: tuple[UnheardStream, ...] = ()
    pieces: tuple[tuple[Hashable, Pcm], ...] = ()
    underruns: int = 0
    paused: bool = False


class Playout:
    """Feeds one device stream at `rate` Hz. `guard` is the largest block the device takes at once, in samples."""

    def __init__(self, ring: PlaybackRing, *, rate: int = RATE, guard: int = 0) -> None:
        self._ring = ring
        self._rate = rate
        self._guard = guard
        self._fade = rate * FADE_MS // 1000
        self._brink = rate * BRINK_MS // 1000
        self._tail_faded = False
        self._waiting: deque[tuple[Hashable, Pcm]] = deque()
        self._waiting_samples = 0
        self._stretches: deque[_Stretch] = deque()
        self._past: dict[Hashable, int] = {}
        self._received: dict[Hashable, int] = {}
        self._finished: set[Hashable] = set()
        self._flowing = False
        self._start_ms = START_MS
        self._surely_heard = 0
        self._taken_back: deque[tuple[Hashable, Pcm]] = deque()
        """While paused: what had been handed to the ring and was not played, oldest first."""
        self._paused_at: int | None = None
        """While paused: the place in the ring from which nothing counts as heard."""
        self.underruns = 0

    @property
    def queued_samples(self) -> int:
        """Samples received that the device has not taken yet."""
        return self._waiting_samples + self._ring.queued

    @property
    def paused(self) -> bool:
        """True between `pause` and `resume` (or `stop`)."""
        return self._paused_at is not None

    @property
    def sounding(self) -> bool:
        """True from the first sample of a reply that the device took to the last one it has been given."""
        return self._ring.queued > 0 and bool(self._stretches) and self._ring.read > self._stretches[0].start

    @property
    def drained(self) -> bool:
        """True when everything received was handed to the device."""
        return self.queued_samples == 0

    def add(self, key: Hashable, pcm: Pcm) -> None:
        """Queue a piece of the stream `key`."""
        self._received[key] = self._received.get(key, 0) + len(pcm)
        self._waiting.append((key, pcm))
        self._waiting_samples += len(pcm)
        self.pump()

    def finish(self, key: Hashable) -> None:
        """No more will come for this stream: play it even if it is short."""
        if key in self._received:
            self._finished.add(key)
        self.pump()

    def pump(self) -> None:
        """Move samples towards the device; call it after every change and every 20 ms."""
        if self.paused:
            return
        self._note_underrun()
        if not self._flowing:
            due = self._waiting and (
                self._waiting_samples >= self._start_ms * self._rate // 1000 or self._waiting[-1][0] in self._finished
            )
            if not due:
                return
            self._flowing = True
            key, pcm = self._waiting[0]
            self._waiting[0] = (key, _fade_in(pcm, self._fade))
        elif self._tail_faded and self._waiting:
            # It did not run dry after all: what comes now rises from the faded tail.
            key, pcm = self._waiting[0]
            self._waiting[0] = (key, _fade_in(pcm, self._fade))
        if self._waiting:
            self._tail_faded = False
        while self._waiting and self._ring.space:
            key, pcm = self._waiting.popleft()
            taken = self._write(key, pcm)
            if taken < len(pcm):
                self._waiting.appendleft((key, pcm[taken:]))
        promised = not all(key in self._finished for key in self._received)
        if promised and self._flowing and not self._tail_faded and self._ring.queued <= self._brink:
            self._ring.fade_tail(self._fade, self._guard)
            self._tail_faded = True
        if self._waiting_samples == 0 and not promised:
            # Nothing more is promised: running dry from here on is an end, not an underrun.
            self._flowing = self._ring.queued > 0

    def pause(self) -> None:
        """Fall silent within a fade and keep everything that was not heard, the fade included; see `resume`.

        What has left the ring is still heard: only the ring's own samples are taken back.
        """
        if self.paused:
            return
        start, samples = self._ring.take_back(self._fade, self._guard)
        for stretch in self._stretches:
            if stretch.end > start:
                piece = samples[max(stretch.start, start) - start : stretch.end - start]
                self._taken_back.append((stretch.key, piece))
                self._waiting_samples += len(piece)
                stretch.end = max(stretch.start, start)
        self._stretches = deque(stretch for stretch in self._stretches if stretch.end > stretch.start)
        self._paused_at = start
        self._flowing = self._tail_faded = False

    def resume(self) -> None:
        """Go on from the sample where the fade of `pause` began: nothing is lost, nothing but the fade comes twice."""
        if self._paused_at is None:
            return
        start, self._paused_at = self._paused_at, None
        # The callback was reading while the ring was cut: what it took beyond the fade was heard, and in full.
        overtaken = self._ring.read - start
        if overtaken > self._fade:
            self._count_heard(start, overtaken)
        self._waiting.extendleft(reversed(self._taken_back))
        self._taken_back.clear()
        self.pump()

    def _count_heard(self, start: int, count: int) -> None:
        while count > 0 and self._taken_back:
            key, pcm = self._taken_back.popleft()
            taken = min(count, len(pcm))
            self._stretches.append(_Stretch(key, start, start + taken))
            if taken < len(pcm):
                self._taken_back.appendleft((key, pcm[taken:]))
            self._waiting_samples -= taken
            start, count = start + taken, count - taken

    def stop(self, latency_samples: int = 0) -> tuple[PlayedStream, ...]:
        """Fall silent within a fade and report what was heard of each stream that is not long over.

        `latency_samples` have left the ring and have not reached the ear yet.
        """
        report = self.report(latency_samples)
        self._waiting.clear()
        self._taken_back.clear()
        self._paused_at = None
        self._waiting_samples = 0
        self._ring.cut(self._fade, self._guard)
        self._stretches.clear()
        self._past.clear()
        self._received.clear()
        self._finished.clear()
        self._flowing = self._tail_faded = False
        return report

    def report(self, latency_samples: int = 0) -> tuple[PlayedStream, ...]:
        """What was heard of each stream so far; floored, never more than was received."""
        heard_to = self._heard_to(latency_samples)
        totals = dict(self._past)
        for stretch in self._stretches:
            inside = min(max(heard_to, stretch.start), stretch.end) - stretch.start
            totals[stretch.key] = totals.get(stretch.key, 0) + inside
        return tuple(
            PlayedStream(key, min(totals.get(key, 0), received), totals.get(key, 0) >= received)
            for key, received in self._received.items()
        )

    def forget_heard(self, latency_samples: int = 0) -> tuple[Hashable, ...]:
        """Drop finished streams that were heard whole and return their keys."""
        self._settle(latency_samples)
        over = [item.key for item in self.report(latency_samples) if item.complete and item.key in self._finished]
        for key in over:
            self._received.pop(key, None)
            self._past.pop(key, None)
            self._finished.discard(key)
        self._stretches = deque(stretch for stretch in self._stretches if stretch.key not in over)
        return tuple(over)

    def leave(self, latency_samples: int = 0) -> Unheard:
        """What another device has to go on with, when this one takes no more; nothing is left here.

        What was on its way to the ear counts as unheard: a syllable twice is better than a syllable lost.
        """
        heard_to = self._heard_to(latency_samples)
        heard = {item.key: item.played_samples for item in self.report(latency_samples)}
        pieces: list[tuple[Hashable, Pcm]] = []
        for stretch in self._stretches:
            pcm = self._ring.between(max(heard_to, stretch.start), stretch.end)
            if len(pcm):
                pieces.append((stretch.key, pcm))
        pieces += [*self._taken_back, *self._waiting]
        streams = tuple(UnheardStream(key, count, key in self._finished) for key, count in heard.items())
        paused = self.paused
        self.stop()
        return Unheard(self._rate, streams, tuple(pieces), self.underruns, paused)

    def take_over(self, unheard: Unheard) -> None:
        """Go on where another device stopped, at this one's rate. Nothing may have been added here before."""
        self.underruns += unheard.underruns
        if unheard.paused:
            self.pause()
        for stream in unheard.streams:
            heard = stream.heard * self._rate // unheard.rate
            self._past[stream.key] = self._received[stream.key] = heard
        for key, pcm in unheard.pieces:
            same = unheard.rate == self._rate
            self.add(key, pcm if same else to_pcm(convert(to_floats(pcm), unheard.rate, self._rate)))
        for stream in unheard.streams:
            if stream.finished:
                self.finish(stream.key)

    def _write(self, key: Hashable, pcm: Pcm) -> int:
        start = self._ring.written
        taken = self._ring.write(pcm)
        self._waiting_samples -= taken
        if self._stretches and self._stretches[-1].key == key and self._stretches[-1].end == start:
            self._stretches[-1].end += taken
        else:
            self._stretches.append(_Stretch(key, start, start + taken))
        return taken

    def _heard_to(self, latency_samples: int) -> int:
        """The place in the ring that has reached the ear. Silence behind the last sample pushes it out, too."""
        idle, read = self._ring.idle, self._ring.read
        if idle > 0 and idle >= latency_samples:
            self._surely_heard = read
        return max(self._surely_heard, read - max(0, latency_samples - idle))

    def _settle(self, latency_samples: int) -> None:
        heard_to = self._heard_to(latency_samples)
        while self._stretches and self._stretches[0].end <= heard_to:
            stretch = self._stretches.popleft()
            self._past[stretch.key] = self._past.get(stretch.key, 0) + stretch.end - stretch.start

    def _note_underrun(self) -> None:
        if not self._flowing or self._ring.queued:
            return
        self._flowing = False
        if self._received and not all(key in self._finished for key in self._received):
            self.underruns += 1
            self._start_ms = min(MAX_START_MS, self._start_ms + UNDERRUN_STEP_MS)
        else:
            self._start_ms = max(START_MS, self._start_ms - UNDERRUN_STEP_MS // 4)


def _fade_in(pcm: Pcm, fade: int) -> Pcm:
    length = min(fade, len(pcm))
    faded = pcm.copy()
    faded[:length] = (faded[:length] * np.linspace(0.0, 1.0, length, endpoint=False)).astype(np.int16)
    return faded
