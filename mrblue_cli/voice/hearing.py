"""The microphone's side of a talk: what it hears, when it may not hear, and the turns that come of it."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from mrblue_cli.audio.gate import Duplex, EchoGate, Route, duplex_for
from mrblue_cli.audio.pcm import RATE, Pcm, rms
from mrblue_cli.audio.segmenter import SegmenterOptions
from mrblue_cli.audio.turns import Rule, TurnAct, TurnTaker
from mrblue_cli.audio.vad import WebRtcDetector
from mrblue_cli.core.errors import ComponentError
from mrblue_cli.core.texts import tell
from mrblue_cli.voice import events as ev
from mrblue_cli.voice.echo_canceller import INSTALL, EchoFreeMicrophone, Maker, webrtc_canceller
from mrblue_cli.voice.flow import TurnFlow
from mrblue_cli.voice.options import TalkOptions
from mrblue_cli.voice.ports import NO_LOSSES, Losses, Lossy, MicrophonePort

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
        canceller: Maker = webrtc_canceller,
    ) -> None:
        self._talk = talk
        self._microphone = microphone
        self._options = options
        self._threshold = options.threshold
        self._choice = options.echo
        self._fixed_route = options.route
        self._make_canceller = canceller
        self._gate = EchoGate(route)
        self._route = route
        self._way: Duplex | None = None
        self._echo_free: EchoFreeMicrophone | None = None
        self._advised = False
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
        """The newest stretch of the microphone as it may be heard: without echo, silent where it is muted or rests."""
        self._due: list[TurnAct] = []
        self._lost_before = NO_LOSSES

    @property
    def name(self) -> str | None:
        """The device's name; None: there is none."""
        return None if self._microphone is None else self._microphone.name

    @property
    def losses(self) -> Losses:
        """What the microphone lost so far; nothing where that is not known."""
        now = self._microphone.losses if isinstance(self._microphone, Lossy) else NO_LOSSES
        before = self._lost_before
        return Losses(before.stretches + now.stretches, before.chunks + now.chunks)

    @property
    def speech(self) -> bool:
        """The newest block is speech."""
        return self.taker.speech

    @property
    def burst_ms(self) -> int:
        """How long the person has been speaking, in ms; 0 when they are silent."""
        return self.taker.burst_ms

    def open(self) -> ev.Failure | None:
        """Open the device; blocking. What fails is returned to be told, and the talk goes on by text."""
        if self._microphone is None:
            return None
        try:
            self._microphone.open()
        except ComponentError as error:
            self.lose()
            return ev.Failure(error.code, tell("{what}: type instead of talking", what=error.what), False, error.hint)
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
        self._leave()
        self.level = 0.0
        self._talk.flow.microphone_ready = True
        self._due = self.taker.end()
        if self.taker.rule is Rule.SERVER and (self._talk.flow.connected or self._talk.flow.reconnecting):
            silence = self._options.silence_ms / 1000 + _AFTER_LOSS_SECONDS
            self._due += self.taker.hear(np.zeros(int(silence * RATE), dtype=np.int16), replying=False)

    def replace(self, microphone: MicrophonePort) -> None:
        """Go on with another microphone, which is open."""
        self._leave()
        self._microphone = microphone

    def _leave(self) -> None:
        self._lost_before, self._microphone = self.losses, None

    def change_mode(self, mode: ev.TurnMode) -> list[TurnAct]:
        """Take turns another way from now on; an open turn is thrown away."""
        return self.taker.change_rule(_RULES[mode])

    def mute(self, muted: bool) -> list[TurnAct]:
        """Close or open the microphone; closing completes an open turn."""
        acts = self.taker.end() if muted and not self.muted else []
        self.muted = muted
        return acts

    @property
    def duplex(self) -> Duplex | None:
        """How microphone and loudspeaker live together; None: not decided yet, since nothing was heard."""
        return self._way

    def use_route(self, route: Route) -> None:
        """Replies come out there from now on; call it whenever a device was opened. The echo is learnt anew."""
        self._route, self._way = route, None

    def tick(self, *, playing: bool, played: Pcm, output_latency: float = 0.0) -> list[TurnAct]:
        """Take what the device captured.

        `playing`: a reply sounds; `played`: what went to the output meanwhile, silence included; `output_latency`: how
        long, in seconds, that takes to the ear.
        """
        self.captured = np.zeros(0, dtype=np.int16)
        acts, self._due = self._due, []
        if self._microphone is None:
            return acts
        pcm = self._microphone.read()
        if self._microphone.blocks_heard:
            self._talk.flow.microphone_ready = True
        latency = output_latency + float(getattr(self._microphone, "latency_seconds", 0.0))
        heard, over_reply = self._without_echo(pcm, playing=playing, played=played, latency=latency)
        if len(self.captured):
            self.level = rms(self.captured[-960:])
        if self.muted:
            self.captured, heard = np.zeros_like(self.captured), np.zeros_like(heard)
        # What is said while the connection is made again is kept for it.
        listened_to = self.wanted and (self._talk.flow.connected or self._talk.flow.reconnecting)
        if len(heard) == 0 or not listened_to:
            return acts
        # Who got through the gate speaks for sure: the rules for speech over a reply were its rules.
        return [*acts, *self.taker.hear(heard, replying=playing and not over_reply)]

    def _without_echo(self, pcm: Pcm, *, playing: bool, played: Pcm, latency: float) -> tuple[Pcm, bool]:
        """What may be heard of the microphone, and whether somebody speaks over a reply."""
        self._settle_route(latency)
        if self._echo_free is not None:
            heard = self._echo_free.feed(pcm, played, playing=playing, latency_seconds=latency)
            self.captured = self._echo_free.cancelled
            # The talk key always gets through.
            by_key = self.taker.is_open and self.taker.rule is Rule.KEY
            return (self.captured, False) if by_key else (heard, self._echo_free.person_speaks)
        if self._way is Duplex.HALF:
            is_open = self._gate.is_open(playing=playing, samples=len(pcm), latency_seconds=latency)
            pcm = pcm if is_open or self.taker.is_open else np.zeros_like(pcm)
        self.captured = pcm
        return pcm, False

    def _settle_route(self, latency: float) -> None:
        """Decide how to live with the loudspeaker, once for each route; what a person should know of it is told."""
        if self._way is not None:
            return
        echo_free = bool(getattr(self._microphone, "echo_free", False))
        route = self._fixed_route or (Route.HEADPHONES if echo_free else self._route)
        wanted = duplex_for(route, self._choice, canceller=True)
        canceller = self._make_canceller(round(latency * 1000)) if wanted is Duplex.CANCELLED else None
        self._echo_free = None if canceller is None else EchoFreeMicrophone(canceller, WebRtcDetector(self._threshold))
        self._gate = EchoGate(route)
        self._way = duplex_for(route, self._choice, canceller=canceller is not None)
        if wanted is Duplex.CANCELLED and canceller is None and not self._advised:
            self._advised = True
            what = tell(
                "the microphone rests while a reply plays; to speak over it use headphones, or {command}",
                command=INSTALL,
            )
            self._talk.emit(ev.Advice(what))
