"""Microphone and speaker for a talk, from settings; what is missing is told, and text goes on."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from mrblue_cli.core.clock import Clock
from mrblue_cli.core.errors import ComponentError
from mrblue_cli.core.texts import tell
from mrblue_cli.settings.schema import TalkSection
from mrblue_cli.voice.device_watch import BOTH, Side
from mrblue_cli.voice.events import Advice, Failure, TalkEvent
from mrblue_cli.voice.ports import MicrophonePort, SpeakerPort
from mrblue_cli.voice.sound_system import Choice, SoundSystem
from mrblue_cli.voice.speakers import PacedSpeaker

Emit = Callable[[TalkEvent], None]


def sound_of(talk: TalkSection, *sides: Side) -> SoundSystem:
    """This machine's sound, as the settings want it; for the given sides of a talk, or both."""
    return SoundSystem(
        wanted_input=talk.input_device,
        wanted_output=talk.output_device,
        backend=talk.audio,
        sides=frozenset(sides or BOTH),
    )


def microphone_of(sound: SoundSystem, emit: Emit) -> MicrophonePort | None:
    """The microphone to try first, None when there is none."""
    try:
        choice = _first(sound, Side.MICROPHONE, emit)
    except ComponentError as error:
        emit(Failure(error.code, tell("{what}: type instead of talking", what=error.what), False, error.hint))
        return None
    return cast("MicrophonePort", choice.port)


def speaker_of(sound: SoundSystem, emit: Emit, clock: Clock) -> SpeakerPort:
    """The speaker to try first; without one replies are shown, at the pace at which they would be heard."""
    try:
        choice = _first(sound, Side.SPEAKER, emit)
    except ComponentError as error:
        emit(Failure(error.code, tell("{what}: replies are shown, not heard", what=error.what), False, error.hint))
        return PacedSpeaker(clock)
    return cast("SpeakerPort", choice.port)


def _first(sound: SoundSystem, side: Side, emit: Emit) -> Choice:
    choice = sound.choices(side)[0]
    if choice.advice:
        emit(Advice(choice.advice))
    return choice
