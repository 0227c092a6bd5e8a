"""The microphone's side of a talk: what it hears, when it may not hear, and the turns that come of it."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from mrblue_cli.audio.gate import EchoGate, Route
from mrblue_cli.audio.pcm import Pcm, rms
from mrblue_cli.audio.segmenter import SegmenterOptions
from mrblue_cli.audio.turns import Rule, TurnAct, TurnTaker
from mrblue_cli.audio.vad import WebRtcDetector
from mrblue_cli.core.clock import Clock
from mrblue_cli.core.errors import ComponentError
from mrblue_cli.voice import events as ev
from mrblue_cli.voice.flow import TurnFlow
from mrblue_cli.voice.options import TalkOptions
from mrblue_cli.voice.ports import MicrophonePort

MICROPHONE_LOST_SECONDS = 3.0
_RULES = {
    ev.TurnMode.HANDS_FREE: Rule.SERVER,
    ev.TurnMode.LOCAL_VAD: Rule.LOCAL,
    ev.TurnMode.PUSH_TO_TALK: Rule.KEY,
}


class _Talk(Protocol):
    """What the microphone's side needs of the session."""

    flow: TurnFlow

    def emit(self, event: ev.TalkEvent) -> None: ...


class Hearing:
    """Owns the microphone and the turn rules. Acts are returned; the session performs them."""

    def __init__(
        self, talk: _Talk, microphone: MicrophonePort | None, *, options: TalkOptions, route: Route, clock: Clock
    ) -> None:
        self._talk = talk
        self._microphone = microphone
        self._clock = clock
        self._gate = EchoGate(route)
        self.taker = TurnTaker(
            _RULES[options.turn_mode],
            WebRtcDetector(options.threshold),
            SegmenterOptions(silence_ms=options.silence_ms, prefix_ms=options.prefix_ms),
        )
        self.muted = False
        self.wanted = True
        """Somebody takes speech: not every way to talk does."""
        self.level = 0.0
        """Root mean square of the newest 40 ms, 0..1."""
        self.captured: Pcm = np.zeros(0, dtype=np.int16)
        """What the last tick let through."""
        self._heard_blocks = 0
        self._heard_at = clock.now()

    @property
    def name(self) -> str | None:
        """The device's name; None: there is none."""
        return None if self._microphone is None else self._microphone.name

    @property
    def speech(self) -> bool:
        """The newest block is speech."""
        return self.taker.speech

    def open(self) -> ev.Failure | None:
        """Open the device; blocking. What fails is returned to be told, and the talk goes on by text."""
        if self._microphone is None:
            return None
        try:
            self._microphone.open()
        except ComponentError as error:
            self._give_up()
            return ev.Failure(error.code, f"{error.what}; type instead of talking", False, error.hint)
        return None

    def close(self) -> None:
        """Let go of the device."""
        if self._microphone is not None:
            self._microphone.close()

    def change_mode(self, mode: ev.TurnMode) -> list[TurnAct]:
        """Take turns another way from now on; an open turn is thrown away."""
        return self.taker.change_rule(_RULES[mode])

    def mute(self, muted: bool) -> list[TurnAct]:
        """Close or open the microphone; closing completes an open turn."""
        acts = self.taker.end() if muted and not self.muted else []
        self.muted = muted
        return acts

    def tick(self, *, playing: bool, played: Pcm) -> list[TurnAct]:  # noqa: ARG002 - the echo canceller's far end
        """Take what the device captured. `playing`: a reply sounds; `played`: what went to the output meanwhile."""
        self.captured = np.zeros(0, dtype=np.int16)
        if self._microphone is None:
            return []
        pcm = self._microphone.read()
        acts = self._watch(self._microphone)
        # What is said while the connection is made again is kept for it.
        if len(pcm) == 0 or not (self._talk.flow.connected or self._talk.flow.reconnecting):
            return acts
        self.level = rms(pcm[-960:])
        # The talk key always gets through; otherwise a loudspeaker closes the microphone.
        gate = self._gate.is_open(playing=playing, samples=len(pcm)) or self.taker.is_open
        self.captured = pcm if gate and not self.muted else np.zeros_like(pcm)
        if not self.wanted:
            return acts
        return [*acts, *self.taker.hear(self.captured, replying=playing)]

    def _watch(self, microphone: MicrophonePort) -> list[TurnAct]:
        now = self._clock.now()
        flow = self._talk.flow
        if microphone.blocks_heard != self._heard_blocks:
            self._heard_blocks, self._heard_at = microphone.blocks_heard, now
            flow.microphone_ready = True
        elif now - self._heard_at > MICROPHONE_LOST_SECONDS + (0 if flow.microphone_ready else 7):
            word = "fell silent" if flow.microphone_ready else "gives no sound"
            hint = "plug it in again and restart the talk; meanwhile type, or see mrblue doctor"
            self._talk.emit(ev.Failure("device", f"microphone '{microphone.name}' {word}", False, hint))
            microphone.close()
            self._give_up()
            return self.taker.end()
        return []

    def _give_up(self) -> None:
        self._microphone = None
        self._talk.flow.microphone_ready = True
