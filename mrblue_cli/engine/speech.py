"""The small interfaces behind which the speech models stand: one model each, and both as a session uses them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
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
    usage: dict[str, object] | None = None
    """What a paid recogniser took, in the shape of the protocol; None: it cost nothing."""


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


class Speech(Protocol):
    """Hearing and speaking for any number of sessions, without blocking the loop. A cancelled call stops its work."""

    @property
    def passes_are_free(self) -> bool:
        """True: recognise while the person still speaks, and speak a probable answer ahead. False: once, at the end."""
        ...

    @property
    def billed_voice(self) -> str:
        """The model under which spoken characters are billed; empty: they are not."""
        ...

    @property
    def hearing_is_idle(self) -> bool:
        """True when no recognition runs or waits."""
        ...

    async def warm(self) -> None:
        """Get ready; raises `MrBlueError`."""
        ...

    async def hear(self, samples: Samples, prompt: str, language: str) -> Transcript:
        """Transcribe 16 kHz mono samples."""
        ...

    def prepare(self, clause: str, speed: float) -> None:
        """Speak a clause into memory, because it will probably be wanted in a moment."""
        ...

    def say(self, clause: str, speed: float) -> AsyncIterator[bytes]:
        """Speak a clause: PCM16 mono 24 kHz in pieces, as soon as they are there."""
        ...

    async def close(self) -> None:
        """Let go of everything; safe to call again."""
        ...


class NoSpeech:
    """Neither ear nor voice: for a session in writing."""

    passes_are_free = False
    billed_voice = ""
    hearing_is_idle = True

    async def warm(self) -> None:
        """Nothing to do."""

    async def hear(self, samples: Samples, prompt: str, language: str) -> Transcript:
        """Nobody hears."""
        del samples, prompt, language
        return Transcript("", no_speech=True)

    def prepare(self, clause: str, speed: float) -> None:
        """Nothing to do."""
        del clause, speed

    async def say(self, clause: str, speed: float) -> AsyncIterator[bytes]:
        """Nobody speaks."""
        del clause, speed
        silence: tuple[bytes, ...] = ()
        for pcm in silence:
            yield pcm

    async def close(self) -> None:
        """Nothing to do."""
