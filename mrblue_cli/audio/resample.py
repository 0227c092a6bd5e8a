"""Stateful sample-rate conversion: pieces of a stream come out as if converted whole."""

from __future__ import annotations

import numpy as np
import soxr

from mrblue_cli.audio.pcm import Floats, Pcm, to_floats, to_pcm


class Resampler:
    """Converts one direction of one stream. Qualities: QQ and LQ hold back little (for VAD), MQ and HQ sound right."""

    def __init__(self, rate_in: int, rate_out: int, quality: str = "HQ") -> None:
        self.rate_in = rate_in
        self.rate_out = rate_out
        self._taken = 0
        self._given = 0
        self._stream = soxr.ResampleStream(rate_in, rate_out, 1, dtype="float32", quality=quality)

    @property
    def held(self) -> int:
        """Output samples that the filter still holds back."""
        return max(0, round(self._taken * self.rate_out / self.rate_in) - self._given)

    def process(self, samples: Floats) -> Floats:
        """Convert the next piece; the first pieces may come back empty while the filter fills."""
        if self.rate_in == self.rate_out:
            return samples
        self._taken += len(samples)
        out: Floats = self._stream.resample_chunk(samples)
        self._given += len(out)
        return out

    def process_pcm(self, pcm: Pcm) -> Pcm:
        """Convert the next piece of 16-bit samples."""
        return pcm if self.rate_in == self.rate_out else to_pcm(self.process(to_floats(pcm)))

    def flush(self) -> Floats:
        """End the stream: return what was held back and start anew."""
        if self.rate_in == self.rate_out:
            return np.zeros(0, dtype=np.float32)
        tail: Floats = self._stream.resample_chunk(np.zeros(0, dtype=np.float32), last=True)
        self.clear()
        return tail

    def clear(self) -> None:
        """Forget the past, as after a gap in the stream."""
        self._taken = self._given = 0
        self._stream.clear()


def convert(samples: Floats, rate_in: int, rate_out: int) -> Floats:
    """Convert a whole recording at once."""
    if rate_in == rate_out:
        return samples
    converted: Floats = soxr.resample(samples, rate_in, rate_out, quality="HQ").astype(np.float32)
    return converted
