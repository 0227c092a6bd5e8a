"""The two small interfaces behind which the speech models stand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]
"""Mono samples in -1..1; the rate is named by whoever passes them."""


@dataclass(frozen=True, slots=True)
class Transcript:
    """What a recogniser made of one stretch of speech."""

    text: str
    no_speech: bool = False
    """True when the recogniser holds that nobody spoke; `text` is then empty."""
    confidence: float | None = None
    """0..1, the mean token probability where the recogniser has one."""


class SpeechToText(Protocol):
    """A recogniser. Blocking: call it from a worker thread; one call at a time."""

    name: str

    def warm(self) -> None:
        """Load the model and run it once. Raises `MissingPart` or `ConfigError`."""
        ...

    def transcribe(self, samples: Samples, *, prompt: str = "", language: str | None = "en") -> Transcript:
        """Transcribe 16 kHz mono samples. `prompt` carries vocabulary; empty means none."""
        ...


class TextToSpeech(Protocol):
    """A voice. Blocking: call it from a worker thread; one call at a time."""

    name: str
    sample_rate: int
    """Hz, of the samples that `speak` yields."""

    def warm(self) -> None:
        """Load the model and run it once. Raises `MissingPart` or `ConfigError`."""
        ...

    def speak(self, text: str, *, speed: float = 1.0) -> Iterator[Samples]:
        """Yield the spoken clause in pieces, as soon as each is ready."""
        ...
