"""A conversation from a script: recordings are spoken, texts are typed, each waits for its answer to end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mrblue_cli.audio.wav import WavAudio
from mrblue_cli.core.clock import Clock
from mrblue_cli.core.texts import tell
from mrblue_cli.voice.controls import Say, TalkKey
from mrblue_cli.voice.events import Failure, TurnMode
from mrblue_cli.voice.microphones import ClockMicrophone
from mrblue_cli.voice.session import TalkSession

_POLL_SECONDS = 0.02
_CALM_SECONDS = 0.6
"""Nothing may go on for this long, plus the end-of-turn silence, before the next step."""
_PATIENCE_SECONDS = 4.0
"""A recording in which nobody spoke: wait this long before saying so."""


@dataclass(frozen=True, slots=True)
class Speak:
    """Play a recording into the microphone; `source` names it in errors."""

    audio: WavAudio
    source: str


@dataclass(frozen=True, slots=True)
class Type:
    """Type a text."""

    text: str


Step = Speak | Type


class HeadlessScript:
    """Drives one session through its steps, then ends it."""

    def __init__(
        self, session: TalkSession, microphone: ClockMicrophone, steps: Sequence[Step], *, clock: Clock, silence_ms: int
    ) -> None:
        self._session = session
        self._microphone = microphone
        self._steps = steps
        self._clock = clock
        self._calm_seconds = _CALM_SECONDS + silence_ms / 1000
        self.unheard: list[str] = []
        """Recordings in which no speech was noticed."""

    async def run(self) -> None:
        """Play every step; the session ends with reason `done`."""
        await self._until(lambda: self._session.flow.settled)
        for step in self._steps:
            if isinstance(step, Type):
                await self._type(step)
            else:
                await self._speak(step)
        self._session.end("done")

    async def _type(self, step: Type) -> None:
        before = self._session.turns_finished
        self._session.control(Say(step.text))
        await self._until(lambda: self._session.turns_finished > before and self._session.flow.settled)

    async def _speak(self, step: Speak) -> None:
        before = self._session.turns_finished
        by_key = self._session.mode is TurnMode.PUSH_TO_TALK
        if by_key:
            self._session.control(TalkKey(down=True))
        self._microphone.load(step.audio)
        await self._until(lambda: self._microphone.finished)
        if by_key:
            self._session.control(TalkKey(down=False))
        ended = self._clock.now()
        calm_since: float | None = None
        while True:
            now = self._clock.now()
            calm_since = (calm_since or now) if self._session.flow.settled else None
            if calm_since is not None and now - calm_since >= self._calm_seconds:
                if self._session.turns_finished > before:
                    return
                if now - ended > _PATIENCE_SECONDS:
                    break
            await asyncio.sleep(_POLL_SECONDS)
        self.unheard.append(step.source)
        what = tell("no speech was noticed in {file}", file=step.source)
        hint = tell("is it loud enough, and at least a third of a second of speech?")
        self._session.emit(Failure("no_speech", what, fatal=False, hint=hint))

    async def _until(self, met: Callable[[], bool]) -> None:
        while not met():  # noqa: ASYNC110 - what is awaited is a state of several parts, not one event
            await asyncio.sleep(_POLL_SECONDS)
