"""The microphone beside what was played: which samples belong together, and when what is left is a person.

Pure: samples go in, samples come out, time is counted in samples. The canceller itself stands behind `voice`.

Two streams from two devices are paired by arrival: what the output took up to now belongs to what the microphone gave
up to now. The echo comes later than what caused it, by the latency of both devices and the room, and finding that delay
is the canceller's work; but it never finds an echo that comes *before* its cause. So when the two arrive unevenly it is
the microphone that waits.
"""

from __future__ import annotations

import math
from collections import deque

import numpy as np

from mrblue_cli.audio.gate import CANCELLED_COUNTS_FROM, CANCELLED_LEAK, HOLD_SECONDS, counts_over_playback
from mrblue_cli.audio.pcm import BLOCK, RATE, Pcm, rms
from mrblue_cli.audio.vad import SpeechDetector, blocks

FRAME = 240
"""10 ms: what a canceller takes at once."""
WAIT_SAMPLES = 60 * RATE // 1000
"""The microphone waits this long for an output that tells nothing; then nothing was played."""
FAR_LIMIT_SAMPLES = 2 * RATE
_SLACK_SAMPLES = 30 * RATE // 1000
"""Blocks of 20 ms that come at their own times leave up to one block over; more is a clock that runs away."""
_JUMP_SAMPLES = 60 * RATE // 1000
_WATCH_SAMPLES = RATE // 2
_STEP_EVERY_SAMPLES = RATE // 5
"""One sample every 200 ms mends clocks that differ by 200 parts in a million; the canceller does not notice."""

WARM_UP_SECONDS = 3.0
"""Of sound from the loudspeaker, before the canceller is trusted (livekit and unmute wait as long)."""
AFTER_JUMP_SECONDS = 1.5
_AUDIBLE = 0.003
_ECHO_SECONDS = 0.3
"""What was played may come back for so long, behind the latency of the devices."""
_LONGEST_ECHO_BLOCKS = 50
_WINDOW_BLOCKS = 15
_PERSON_BLOCKS = 7
_QUIET_BLOCKS = 40
"""A person who has been heard may pause for this long (0.8 s) before the gate asks again."""


class Alignment:
    """Pairs microphone and playback sample by sample, in frames of 10 ms. Both PCM16 mono 24 kHz."""

    def __init__(self) -> None:
        self._near = _empty()
        self._far = _empty()
        self._started = False
        self._watched = 0
        self._least_far = self._least_near = FAR_LIMIT_SAMPLES
        self._step = 0
        self._since_step = 0
        self.jumps = 0
        """How often the two streams were put together anew because they had come apart by more than 60 ms."""
        self.steps = 0
        """Single samples left out (-) or doubled (+) so far because two clocks differ."""

    def feed(self, near: Pcm, far: Pcm) -> tuple[Pcm, Pcm]:
        """Take what was captured and what was played since the last call; returns equally long whole frames."""
        self._near = np.concatenate((self._near, near))
        self._far = np.concatenate((self._far, far))[-FAR_LIMIT_SAMPLES:]
        if not self._started:
            self._start()
        late = len(self._near) - WAIT_SAMPLES
        if late > len(self._far):
            self._far = np.concatenate((self._far, np.zeros(late - len(self._far), dtype=np.int16)))
        count = min(len(self._near), len(self._far)) // FRAME * FRAME
        pair = self._near[:count], self._far[:count]
        self._near, self._far = self._near[count:], self._far[count:]
        self._watch(count)
        return pair

    def _start(self) -> None:
        """The newest of both belong together; before the output opened, nothing was played."""
        if len(self._far) == 0 or len(self._near) == 0:
            # What was played while no microphone listened is nobody's echo.
            self._far = _empty()
            return
        self._started = True
        self._far = self._far[-len(self._near) :]
        self._far = np.concatenate((np.zeros(len(self._near) - len(self._far), dtype=np.int16), self._far))

    def _watch(self, count: int) -> None:
        """What is left over for half a second is not uneven arrival: clocks differ, or a device stood still."""
        self._least_far = min(self._least_far, len(self._far))
        self._least_near = min(self._least_near, len(self._near))
        self._since_step += count
        if self._step and self._since_step >= _STEP_EVERY_SAMPLES and len(self._far) > 1:
            self._since_step = 0
            self.steps += self._step
            self._far = self._far[1:] if self._step < 0 else np.concatenate((self._far[:1], self._far))
        self._watched += count
        if self._watched < _WATCH_SAMPLES:
            return
        if self._least_far > _JUMP_SAMPLES:
            self._far = self._far[self._least_far :]
            self.jumps += 1
            self._step = 0
        elif self._least_far > _SLACK_SAMPLES:
            self._step = -1
        elif self._least_near > _SLACK_SAMPLES:
            self._step = 1
        elif self._least_far < BLOCK and self._least_near < BLOCK:
            self._step = 0
        self._watched = 0
        self._least_far = self._least_near = FAR_LIMIT_SAMPLES


class PersonGate:
    """Full duplex behind a canceller: lets a person through while a reply plays, and nothing that is left of it.

    While a reply plays (and until the room is quiet again) the gate passes silence until 140 ms of the last 300 are
    speech that stands out of what the canceller may have left. Then it passes all 300 ms at once, so that no first word
    is lost, and what follows. Before the canceller has heard the loudspeaker for `WARM_UP_SECONDS` nobody gets through.
    """

    def __init__(self, detector: SpeechDetector) -> None:
        self._detector = detector
        self._pending = _empty()
        self._pending_far = _empty()
        self._kept: deque[Pcm] = deque(maxlen=_WINDOW_BLOCKS)
        self._counted: deque[bool] = deque(maxlen=_WINDOW_BLOCKS)
        self._played_levels: deque[float] = deque(maxlen=_LONGEST_ECHO_BLOCKS)
        self._echo_blocks = 0
        self._hold = 0
        self._quiet_blocks = _QUIET_BLOCKS
        self._warm_up = int(WARM_UP_SECONDS * RATE)
        self.open = False
        """A person speaks over the reply."""

    @property
    def warm(self) -> bool:
        """The canceller has heard the loudspeaker for long enough to be trusted."""
        return self._warm_up <= 0

    def unsettle(self) -> None:
        """The streams were put together anew: the canceller has to find the echo again."""
        self._warm_up = max(self._warm_up, int(AFTER_JUMP_SECONDS * RATE))

    def feed(self, cancelled: Pcm, played: Pcm, *, playing: bool, latency_seconds: float = 0.0) -> Pcm:
        """Take what the canceller left of the microphone and what was played meanwhile (equally long).

        Returns what may be heard; at the moment a person gets through that is more than went in.
        """
        if playing:
            self._hold = int((HOLD_SECONDS + latency_seconds) * RATE)
        heard, self._pending = blocks(cancelled, self._pending)
        far, self._pending_far = blocks(played, self._pending_far)
        self._echo_blocks = math.ceil((_ECHO_SECONDS + latency_seconds) * RATE / BLOCK)
        passed = [self._block(block, rms(beside), playing=playing) for block, beside in zip(heard, far, strict=True)]
        return np.concatenate([_empty(), *passed])

    def _block(self, block: Pcm, played: float, *, playing: bool) -> Pcm:
        guarded = playing or self._hold > 0
        if not playing:
            self._hold = max(0, self._hold - BLOCK)
        self._played_levels.append(played)
        if played > _AUDIBLE:
            self._warm_up -= BLOCK
        counts = self._counts(block)
        self._counted.append(counts)
        self._quiet_blocks = 0 if counts else self._quiet_blocks + 1
        person = sum(self._counted) >= _PERSON_BLOCKS
        if not guarded:
            self.open = person
        elif not self.warm or (self.open and self._quiet_blocks >= _QUIET_BLOCKS):
            self.open = False
        elif person:
            self.open = True
        if guarded and not self.open:
            self._kept.append(block)
            return np.zeros_like(block)
        out = np.concatenate([*self._kept, block]) if guarded else block
        self._kept.clear()
        return out

    def _counts(self, block: Pcm) -> bool:
        speech = self._detector.is_speech(block)
        loudest = max(list(self._played_levels)[-self._echo_blocks :])
        return speech and counts_over_playback(
            rms(block), loudest, leak=CANCELLED_LEAK, counts_from=CANCELLED_COUNTS_FROM
        )


def _empty() -> Pcm:
    return np.zeros(0, dtype=np.int16)
