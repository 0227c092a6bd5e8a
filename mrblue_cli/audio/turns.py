"""From microphone blocks to turns, in the three ways a person may take them. Pure: time is samples, keys are calls."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from enum import Enum, auto

import numpy as np

from mrblue_cli.audio.pcm import BLOCK, RATE, Pcm
from mrblue_cli.audio.segmenter import Segmenter, SegmenterOptions, SpeechBegan, SpeechEnded
from mrblue_cli.audio.vad import SpeechDetector, blocks

PREROLL_MS = 500
KEY_PREROLL_MS = 300
"""Sent from before the talk key: people begin to speak as they press it."""
KEY_TAIL_MS = 200
"""At most this much is recorded after the key, and only while speech still goes on."""
KEY_LIMIT_SECONDS = 60
"""A forgotten key must not record for ever."""

BURST_GAP_MS = 400
"""Silence that parts one burst of speech from the next; words of one phrase follow closer."""


class Rule(Enum):
    """Who decides where a turn begins and ends."""

    SERVER = auto()
    """Everything is streamed; the server's VAD decides."""
    LOCAL = auto()
    """Our VAD decides."""
    KEY = auto()
    """The talk key decides."""


@dataclass(frozen=True, slots=True)
class Stream:
    """Send this audio: inside a turn, or all of it when the server decides."""

    pcm: Pcm
    speech: bool = False
    """Our own voice detection takes it for speech."""


@dataclass(frozen=True, slots=True)
class Begin:
    """A turn begins; `pcm` was said before it was noticed."""

    pcm: Pcm


@dataclass(frozen=True, slots=True)
class Commit:
    """The turn is complete."""


@dataclass(frozen=True, slots=True)
class Discard:
    """The turn came to nothing."""


TurnAct = Stream | Begin | Commit | Discard


class TurnTaker:
    """Feed it the microphone; it says what to send and when. One rule at a time."""

    def __init__(self, rule: Rule, detector: SpeechDetector, options: SegmenterOptions | None = None) -> None:
        self.rule = rule
        self._detector = detector
        self._segmenter = Segmenter(options)
        self._recent: deque[Pcm] = deque(maxlen=PREROLL_MS // 20)
        self._pending: Pcm = np.zeros(0, dtype=np.int16)
        self._open = False
        self._closing_blocks: int | None = None
        self._turn_samples = 0
        self.speech = False
        """The newest block is speech."""
        self.burst_ms = 0
        """How much was spoken since the last gap of `BURST_GAP_MS`, in ms."""
        self._gap_ms = 0

    @property
    def is_open(self) -> bool:
        """A turn that we own is being recorded."""
        return self._open

    def change_rule(self, rule: Rule) -> list[TurnAct]:
        """Take turns another way from now on; an open turn is thrown away."""
        self.rule = rule
        self._segmenter.reset()
        return self._close(Discard())

    def press(self) -> list[TurnAct]:
        """The talk key went down."""
        if self.rule is not Rule.KEY or self._open:
            return []
        self._open, self._closing_blocks, self._turn_samples = True, None, 0
        return [Begin(self._preroll(KEY_PREROLL_MS))]

    def release(self) -> list[TurnAct]:
        """The talk key went up: the turn is complete, but for the end of a word that is still being said."""
        if self.rule is not Rule.KEY or not self._open or self._closing_blocks is not None:
            return []
        if not self.speech:
            return self._close(Commit())
        self._closing_blocks = KEY_TAIL_MS // 20
        return []

    def discard(self) -> list[TurnAct]:
        """Throw the open turn away (Esc)."""
        self._segmenter.reset()
        return self._close(Discard())

    def end(self) -> list[TurnAct]:
        """The microphone is closed (muted): an open turn is complete with what was said."""
        self._segmenter.reset()
        return self._close(Commit())

    def hear(self, pcm: Pcm, *, replying: bool) -> list[TurnAct]:
        """Take captured audio. `replying`: a reply sounds, so more speech is needed to interrupt it."""
        ready, self._pending = blocks(pcm, self._pending)
        acts: list[TurnAct] = []
        for block in ready:
            self.speech = self._detector.is_speech(block)
            self._count_burst()
            acts += self._block(block, replying=replying)
            self._recent.append(block)
        return acts

    def _count_burst(self) -> None:
        if self.speech:
            self.burst_ms += 20
            self._gap_ms = 0
            return
        self._gap_ms += 20
        if self._gap_ms >= BURST_GAP_MS:
            self.burst_ms = 0

    def _block(self, block: Pcm, *, replying: bool) -> list[TurnAct]:
        if self.rule is Rule.SERVER:
            return [Stream(block, self.speech)]
        if self.rule is Rule.KEY:
            return self._by_key(block)
        acts: list[TurnAct] = []
        for boundary in self._segmenter.feed(self.speech, interrupting=replying):
            if isinstance(boundary, SpeechBegan):
                before = (self._segmenter.position - boundary.from_sample) * 1000 // RATE
                acts.append(Begin(self._preroll(before)))
                self._open, self._turn_samples = True, 0
            elif isinstance(boundary, SpeechEnded):
                acts += [Stream(block), *self._close(Commit())]
        if self._open and not any(isinstance(act, Commit) for act in acts):
            acts.append(Stream(block))
        return acts

    def _by_key(self, block: Pcm) -> list[TurnAct]:
        if not self._open:
            return []
        self._turn_samples += BLOCK
        acts: list[TurnAct] = [Stream(block)]
        if self._turn_samples >= KEY_LIMIT_SECONDS * RATE:
            return acts + self._close(Commit())
        if self._closing_blocks is not None:
            self._closing_blocks -= 1
            if self._closing_blocks <= 0 or not self.speech:
                acts += self._close(Commit())
        return acts

    def _close(self, act: TurnAct) -> list[TurnAct]:
        if not self._open:
            return []
        self._open, self._closing_blocks, self._turn_samples = False, None, 0
        return [act]

    def _preroll(self, milliseconds: int) -> Pcm:
        count = min(len(self._recent), max(0, milliseconds // 20))
        if count == 0:
            return np.zeros(0, dtype=np.int16)
        return np.concatenate(list(self._recent)[-count:])
