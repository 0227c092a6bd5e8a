"""The echo canceller on loudspeakers: WebRTC's AEC3 from the extra `aec`, imported when it is first needed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

from mrblue_cli.audio.echo import FRAME, Alignment, PersonGate
from mrblue_cli.audio.pcm import RATE, Pcm
from mrblue_cli.audio.vad import SpeechDetector

INSTALL = 'pip install "mrblue-cli[aec]"'


class Canceller(Protocol):
    """Takes from the microphone what the loudspeaker put there."""

    def process(self, near: Pcm, far: Pcm) -> Pcm:
        """10 ms of both, PCM16 mono 24 kHz; one piece of what was played for each piece of what was captured."""
        ...


Maker = Callable[[int], Canceller | None]
"""Makes a canceller for a delay in ms (a first guess), or None: none is installed."""


def webrtc_canceller(delay_ms: int) -> Canceller | None:
    """AEC3 with its high-pass filter and nothing else: gain and noise are the recogniser's business."""
    try:
        import pywebrtc_audio
    except ImportError:
        return None
    made: Any = pywebrtc_audio.AudioProcessor(RATE, 1, echo_cancellation=True, stream_delay_ms=delay_ms)
    return made  # type: ignore[no-any-return]


class EchoFreeMicrophone:
    """From raw microphone and playback to what may be heard: alignment, canceller and gate in one."""

    def __init__(self, canceller: Canceller, detector: SpeechDetector) -> None:
        self._canceller = canceller
        self._alignment = Alignment()
        self._gate = PersonGate(detector)
        self._jumps = 0
        self.cancelled: Pcm = np.zeros(0, dtype=np.int16)
        """What the canceller left in the last call, before the gate."""

    @property
    def person_speaks(self) -> bool:
        """A person speaks over the reply."""
        return self._gate.open

    @property
    def warm(self) -> bool:
        """The canceller has heard the loudspeaker for long enough to be trusted."""
        return self._gate.warm

    def feed(self, near: Pcm, played: Pcm, *, playing: bool, latency_seconds: float) -> Pcm:
        """What may be heard of the newest stretch of the microphone."""
        near, far = self._alignment.feed(near, played)
        if self._alignment.jumps != self._jumps:
            self._jumps = self._alignment.jumps
            self._gate.unsettle()
        pieces = [
            self._canceller.process(near[at : at + FRAME], far[at : at + FRAME]) for at in range(0, len(near), FRAME)
        ]
        self.cancelled = np.concatenate([np.zeros(0, dtype=np.int16), *pieces])
        return self._gate.feed(self.cancelled, far, playing=playing, latency_seconds=latency_seconds)
