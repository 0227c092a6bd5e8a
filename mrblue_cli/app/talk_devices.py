"""Microphone and speaker for a talk, from settings; what is missing is told, and text goes on."""

from __future__ import annotations

from collections.abc import Callable

from mrblue_cli.core.clock import Clock
from mrblue_cli.core.errors import ComponentError
from mrblue_cli.settings.schema import TalkSection
from mrblue_cli.voice.devices import choose_device
from mrblue_cli.voice.events import Advice, Failure, TalkEvent
from mrblue_cli.voice.microphones import DeviceMicrophone
from mrblue_cli.voice.ports import MicrophonePort, SpeakerPort
from mrblue_cli.voice.speakers import DeviceSpeaker, PacedSpeaker


def microphone_of(talk: TalkSection, emit: Callable[[TalkEvent], None]) -> MicrophonePort | None:
    """The microphone to use, None when there is none."""
    try:
        device, advice = choose_device("input", talk.input_device)
    except ComponentError as error:
        emit(Failure(error.code, f"{error.what}: type instead of talking", fatal=False, hint=error.hint))
        return None
    _advise(advice, emit)
    return DeviceMicrophone(device)


def speaker_of(talk: TalkSection, emit: Callable[[TalkEvent], None], clock: Clock) -> SpeakerPort:
    """The speaker to use; without one replies are shown, at the pace at which they would be heard."""
    try:
        device, advice = choose_device("output", talk.output_device)
    except ComponentError as error:
        emit(Failure(error.code, f"{error.what}: replies are shown, not heard", fatal=False, hint=error.hint))
        return PacedSpeaker(clock)
    _advise(advice, emit)
    return DeviceSpeaker(device)


def _advise(advice: str | None, emit: Callable[[TalkEvent], None]) -> None:
    if advice:
        emit(Advice(advice))
