"""The ear of one connection: keeps the audio that matters and says where turns begin and end. Time is samples."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mrblue_cli.assistant.turn_end import Completeness
from mrblue_cli.audio.pcm import RATE, Pcm, from_bytes, to_floats
from mrblue_cli.audio.resample import convert
from mrblue_cli.audio.segmenter import Boundary, Segmenter, SegmenterOptions, SpeechBegan, SpeechEnded
from mrblue_cli.audio.vad import SpeechDetector, WebRtcDetector, blocks
from mrblue_cli.engine.speech import Samples
from mrblue_cli.protocol.session import SemanticVad, ServerVad, TurnDetection

STT_RATE = 16_000
MAX_TURN_SECONDS = 600


@dataclass(frozen=True, slots=True)
class Patience:
    """Silence in ms that ends a turn, by what was said before it. `unknown`: the words are not recognised yet.

    Waiting for the words costs nothing: the reply needs them as well.
    """

    complete: int
    unsure: int
    incomplete: int
    unknown: int

    def after(self, completeness: Completeness) -> int:
        """The silence to wait for."""
        table = {Completeness.COMPLETE: self.complete, Completeness.INCOMPLETE: self.incomplete}
        return table.get(completeness, self.unsure)


_USUAL = Patience(complete=250, unsure=500, incomplete=2500, unknown=1200)
PATIENCE = {
    "low": Patience(complete=500, unsure=1000, incomplete=4000, unknown=1600),
    "medium": _USUAL,
    "auto": _USUAL,
    "high": Patience(complete=200, unsure=400, incomplete=1500, unknown=800),
}
"""By the eagerness of `semantic_vad`. 2.5 s for what is incomplete is what pipecat's smart turn waits at most."""


class Ear:
    """Hears one client's audio. With server VAD it reports boundaries; without, it only keeps what is appended."""

    def __init__(self) -> None:
        self._detector: SpeechDetector | None = None
        self._segmenter = Segmenter()
        self._pending: Pcm = np.zeros(0, dtype=np.int16)
        self._kept: list[Pcm] = []
        self._kept_samples = 0
        self._end = 0
        self._patience: Patience | None = None
        self._odd = b""

    @property
    def position_ms(self) -> int:
        """All audio appended this session."""
        return self._end * 1000 // RATE

    def configure(self, detection: TurnDetection | None) -> None:
        """Choose who detects turns; None: the client commits by hand. An open turn is forgotten."""
        self._segmenter = Segmenter(_options(detection), position=self._end - len(self._pending))
        self._patience = PATIENCE[detection.eagerness] if isinstance(detection, SemanticVad) else None
        if detection is None:
            self._detector = None
        else:
            threshold = detection.threshold if isinstance(detection, ServerVad) else 0.5
            self._detector = WebRtcDetector(threshold)

    @property
    def minds_meaning(self) -> bool:
        """What was said decides how long a pause may be; tell it with `judged`."""
        return self._patience is not None

    def judged(self, completeness: Completeness) -> None:
        """What was said before the pause that is going on sounds like this."""
        if self._patience is not None:
            self._segmenter.wait(self._patience.after(completeness))

    def forget(self) -> None:
        """Throw away what is kept."""
        self._kept.clear()
        self._kept_samples = 0
        self._segmenter.reset()

    def feed(self, data: bytes, *, replying: bool) -> tuple[Boundary, ...]:
        """Take appended audio. `replying`: a reply is being made, so more speech is asked for to interrupt it."""
        data = self._odd + data
        whole = len(data) - len(data) % 2
        self._odd = data[whole:]
        pcm = from_bytes(data[:whole])
        self._keep(pcm)
        if self._detector is None:
            return ()
        found: list[Boundary] = []
        ready, self._pending = blocks(pcm, self._pending)
        for block in ready:
            boundaries = self._segmenter.feed(self._detector.is_speech(block), interrupting=replying)
            found += boundaries
            for boundary in boundaries:
                if isinstance(boundary, SpeechBegan):
                    self._drop_before(boundary.from_sample)
        # A turn that has just ended is still to be taken by the caller.
        if not self._segmenter.talking and not any(isinstance(boundary, SpeechEnded) for boundary in found):
            options = self._segmenter.options
            recent = (options.prefix_ms + max(options.window_ms, options.interrupt_ms) + 100) * RATE // 1000
            self._drop_before(self._end - recent)
        return tuple(found)

    def audio(self, until_sample: int | None = None) -> Samples:
        """What is kept, for the recogniser: 16 kHz mono in -1..1, up to a position in the session's audio."""
        if not self._kept:
            return np.zeros(0, dtype=np.float32)
        joined = np.concatenate(self._kept)
        if until_sample is not None:
            start = self._end - self._kept_samples
            joined = joined[: max(0, until_sample - start)]
        return convert(to_floats(joined), RATE, STT_RATE)

    @property
    def kept_seconds(self) -> float:
        """Length of what is kept."""
        return self._kept_samples / RATE

    def _keep(self, pcm: Pcm) -> None:
        self._kept.append(pcm)
        self._kept_samples += len(pcm)
        self._end += len(pcm)
        if self._kept_samples > MAX_TURN_SECONDS * RATE:
            self._drop_before(self._end - MAX_TURN_SECONDS * RATE)

    def _drop_before(self, sample: int) -> None:
        start = self._end - self._kept_samples
        while self._kept and start + len(self._kept[0]) <= sample:
            start += len(self._kept[0])
            self._kept_samples -= len(self._kept.pop(0))
        if self._kept and start < sample:
            self._kept[0] = self._kept[0][sample - start :]
            self._kept_samples -= sample - start


def _options(detection: TurnDetection | None) -> SegmenterOptions:
    if isinstance(detection, ServerVad):
        return SegmenterOptions(
            silence_ms=detection.silence_duration_ms,
            prefix_ms=detection.prefix_padding_ms,
            hint_ms=min(120, detection.silence_duration_ms // 2),
        )
    if isinstance(detection, SemanticVad):
        return SegmenterOptions(silence_ms=PATIENCE[detection.eagerness].unknown)
    return SegmenterOptions()
