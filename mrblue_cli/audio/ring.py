"""A ring for one producer and one consumer, safe without locks: each side advances only its own counter."""

from __future__ import annotations

import numpy as np

from mrblue_cli.audio.pcm import RATE, Pcm


class CaptureRing:
    """Holds the newest samples; when the consumer is late the oldest are lost, and counted.

    `write` runs in the device callback: it copies into preallocated memory and advances one integer.
    """

    def __init__(self, capacity: int) -> None:
        self._data = np.zeros(capacity, dtype=np.int16)
        self._capacity = capacity
        self._written = 0
        self._read = 0
        self.lost = 0
        """Samples dropped so far because nobody read in time."""
        self.gaps = 0
        """Stretches in which that happened."""

    def write(self, block: Pcm) -> None:
        """Append samples; more than the capacity keeps the newest."""
        count = len(block)
        if count > self._capacity:
            self._written += count - self._capacity
            block = block[-self._capacity :]
            count = self._capacity
        start = self._written % self._capacity
        first = min(count, self._capacity - start)
        self._data[start : start + first] = block[:first]
        self._data[: count - first] = block[first:]
        self._written += count

    def read(self) -> Pcm:
        """Take everything that waits, oldest first; an own copy."""
        written = self._written
        lost = self.lost
        if written - self._read > self._capacity:
            self.lost += written - self._capacity - self._read
            self._read = written - self._capacity
        count = written - self._read
        start = self._read % self._capacity
        first = min(count, self._capacity - start)
        out = np.concatenate((self._data[start : start + first], self._data[: count - first]))
        self._read = written
        # The callback may have gone on meanwhile and overwritten the oldest of what was copied.
        torn = min(count, max(0, self._written - self._capacity - (written - count)))
        self.lost += torn
        self.gaps += self.lost > lost
        return out[torn:]


class PlaybackRing:
    """Samples on their way to a device; the producer may take back what the device has not read yet.

    `read_into` runs in the device callback. The producer leaves `guard` samples ahead of the reader alone whenever it
    changes what is already there, since the callback may be reading them at that moment. When `cut` takes samples back
    that the callback is just reading, `written` falls behind `read` for a moment; every reader of the two allows for it
    and the next `write` mends it. `memory`: how many samples of its output it keeps for `output`.
    """

    def __init__(self, capacity: int, *, memory: int = 2 * RATE) -> None:
        self._data = np.zeros(capacity, dtype=np.int16)
        self._capacity = capacity
        self.written = 0
        """Samples ever written; the producer's counter."""
        self.read = 0
        """Samples ever handed to the device; the consumer's counter."""
        self.idle = 0
        """Samples of silence that the device took since the last real one; the consumer's counter, too."""
        self.output = CaptureRing(memory)
        """What the device took lately, silence included: what an echo can come of."""

    @property
    def queued(self) -> int:
        """Samples that wait for the device."""
        return max(0, self.written - self.read)

    @property
    def space(self) -> int:
        """Samples that still fit."""
        return self._capacity - self.queued

    def write(self, block: Pcm) -> int:
        """Append as many samples as fit and return how many did."""
        self.written = max(self.written, self.read)
        count = min(len(block), self.space)
        start = self.written % self._capacity
        first = min(count, self._capacity - start)
        self._data[start : start + first] = block[:first]
        self._data[: count - first] = block[first:count]
        self.written += count
        return count

    def read_into(self, out: Pcm) -> int:
        """Fill `out` with what waits and return how many samples that were; the rest becomes silence."""
        count = min(len(out), self.queued)
        start = self.read % self._capacity
        first = min(count, self._capacity - start)
        out[:first] = self._data[start : start + first]
        out[first:count] = self._data[: count - first]
        out[count:] = 0
        self.read += count
        self.idle = len(out) - count + (0 if count else self.idle)
        self.output.write(out)
        return count

    def recent(self, count: int) -> Pcm:
        """The samples handed over last, for a meter."""
        count = min(count, self.read, self._capacity)
        index = np.arange(self.read - count, self.read) % self._capacity
        return self._data[index]

    def between(self, start: int, end: int) -> Pcm:
        """The samples from place `start` to `end`, counted as `written` counts; what is overwritten is left out."""
        index = np.arange(max(start, self.written - self._capacity), min(end, self.written)) % self._capacity
        return self._data[index]

    def fade_tail(self, fade: int, guard: int) -> None:
        """Fade the newest samples to silence, because nothing may follow them; the guard is left alone."""
        length = min(fade, self.queued - guard)
        if length > 0:
            index = np.arange(self.written - length, self.written) % self._capacity
            self._data[index] = (self._data[index] * np.linspace(1.0, 0.0, length)).astype(np.int16)

    def cut(self, fade: int, guard: int) -> int:
        """Fade to silence over `fade` samples behind the guard and drop the rest; returns how many still play."""
        self._fade_out(self.read + guard, fade)
        return self.queued

    def take_back(self, fade: int, guard: int) -> tuple[int, Pcm]:
        """As `cut`; returns the place where the fade begins and, as they were, all samples from there on."""
        start = min(self.read + guard, max(self.read, self.written))
        count = max(0, self.written - start)
        place = start % self._capacity
        first = min(count, self._capacity - place)
        samples = np.concatenate((self._data[place : place + first], self._data[: count - first]))
        self._fade_out(start, fade)
        return start, samples

    def _fade_out(self, start: int, fade: int) -> None:
        length = max(0, min(fade, self.written - start))
        if length:
            index = np.arange(start, start + length) % self._capacity
            self._data[index] = (self._data[index] * np.linspace(1.0, 0.0, length)).astype(np.int16)
        # An absolute place, whatever the callback has read since: what lies behind the fade never plays.
        self.written = min(self.written, start + fade)
