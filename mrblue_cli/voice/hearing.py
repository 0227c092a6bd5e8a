"""The microphone's side of a talk: what it hears, when it may not hear, and the turns that come of it."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from mrblue_cli.audio.gate import EchoGate, Route
from mrblue_cli.audio.pcm import RATE, Pcm, rms
from mrblue_cli.audio.segmenter import SegmenterOptions
from mrblue_cli.audio.turns import Rule, TurnAct, TurnTaker
from mrblue_cli.audio.vad import WebRtcDetector
from mrblue_cli.core.clock import Clock
from mrblue_cli.core.errors import ComponentError
from mrblue_cli.voice import events as ev
from mrblue_cli.voice.flow import TurnFlow
from mrblue_cli.voice.options import TalkOptions
from mrblue_cli.voice.ports import MicrophonePort

_AFTER_LOSS_SECONDS = 0.5
"""Silence beyond the end of a turn that a server gets to hear, so that it closes the turn."""
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
        self,
        talk: _Talk,
        microphone: MicrophonePort | None,
        *,
        options: TalkOptions,
        route: Route,
        clock: Clock,  # noqa: ARG002
    ) -> None:
        self._talk = talk
        self._microphone = microphone
        self._options = options
        self._gate = EchoGate(route)
        self.taker = TurnTaker(
            _RULES[options.turn_mode],
            WebRtcDetector(options.threshold),
            SegmenterOptions(silence_ms=options.silence_ms, prefix_ms=options.prefix_ms),
        )
        self.muted = False
        self.level = 0.0
        """Root mean square of the newest 40 ms, 0..1."""
        self.captured: Pcm = np.zeros(0, dtype=np.int16)
        """What the last tick let through."""
        self._due: list[TurnAct] = []

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
            self.lose()
            return ev.Failure(error.code, f"{error.what}; type instead of talking", False, error.hint)
        return None

    def close(self) -> None:
        """Let go of the device."""
        if self._microphone is not None:
            self._microphone.close()

    @property
    def microphone(self) -> MicrophonePort | None:
        """The device in use; it may be gone."""
        return self._microphone

    def lose(self) -> None:
        """Go on without a microphone; an open turn is complete with what was said."""
        self._microphone = None
        self.level = 0.0
        self._talk.flow.microphone_ready = True
        self._due = self.taker.end()
        if self.taker.rule is Rule.SERVER and self._talk.flow.connected:
            silence = self._options.silence_ms / 1000 + _AFTER_LOSS_SECONDS
            self._due += self.taker.hear(np.zeros(int(silence * RATE), dtype=np.int16), replying=False)

    def replace(self, microphone: MicrophonePort) -> None:
        """Go on with another microphone, which is open."""
        self._microphone = microphone

    def use_route(self, route: Route) -> None:
        """Replies come out elsewhere from now on."""
        self._gate = EchoGate(route)

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
        acts, self._due = self._due, []
        if self._microphone is None:
            return acts
        pcm = self._microphone.read()
        if self._microphone.blocks_heard:
            self._talk.flow.microphone_ready = True
        if len(pcm) == 0 or not self._talk.flow.connected:
            return acts
        self.level = rms(pcm[-960:])
        # The talk key always gets through; otherwise a loudspeaker closes the microphone.
        gate = self._gate.is_open(playing=playing, samples=len(pcm)) or self.taker.is_open
        self.captured = pcm if gate and not self.muted else np.zeros_like(pcm)
        return [*acts, *self.taker.hear(self.captured, replying=playing)]
