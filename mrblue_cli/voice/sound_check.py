"""Open the devices, record a second, play a tone: what `mrblue doctor` tells about sound."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import cast

import numpy as np

from mrblue_cli.audio.pcm import RATE, dbfs, rms
from mrblue_cli.core.clock import Clock, SystemClock
from mrblue_cli.core.errors import ComponentError
from mrblue_cli.core.texts import tell
from mrblue_cli.protocol.notices import AudioKey
from mrblue_cli.voice.device_watch import Side
from mrblue_cli.voice.microphones import DeviceMicrophone
from mrblue_cli.voice.pipes import PipeMicrophone, PipeSpeaker
from mrblue_cli.voice.sound_system import Backend, Choice, SoundSystem
from mrblue_cli.voice.speakers import DeviceSpeaker

_FIRST_BLOCK_SECONDS = 5.0
_TONE_SECONDS, _TONE_LIMIT_SECONDS = 0.3, 5.0
_SILENT_DBFS = -70
_LOOK_SECONDS = 0.01
Microphone = DeviceMicrophone | PipeMicrophone
Speaker = DeviceSpeaker | PipeSpeaker
_TONE = AudioKey("doctor", "tone", 0)


@dataclass(frozen=True, slots=True)
class SoundReport:
    """What one device did."""

    ok: bool
    device: str
    """Its name; before one was found, what was asked for."""
    detail: str
    hint: str = ""


class SoundCheck:
    """Tries the devices out; blocking, a few seconds each. `sound` makes the ways to a named device; tests bring
    their own, and their own time."""

    def __init__(
        self,
        sound: Callable[[str], SoundSystem],
        *,
        clock: Clock | None = None,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._sound = sound
        self._clock = clock or SystemClock()
        self._pause = pause

    def microphone(self, wanted: str = "") -> SoundReport:
        """Record one second from the chosen microphone, or the first that gives a sound."""
        return self._try(Side.MICROPHONE, wanted)

    def speaker(self, wanted: str = "") -> SoundReport:
        """Play a short soft tone on the chosen speaker, or the first that takes it."""
        return self._try(Side.SPEAKER, wanted)

    def _try(self, side: Side, wanted: str) -> SoundReport:
        """Every way in the order in which a talk tries them, up to the first that works."""
        sound = self._sound(wanted)
        try:
            choices = sound.choices(side)
        except ComponentError as error:
            return SoundReport(False, wanted, error.what, error.hint)
        reports: list[SoundReport] = []
        for choice in choices:
            report = self._one(side, choice, wanted)
            reports.append(report)
            if report.ok:
                break
        if not reports[-1].ok and (why := sound.why(side)) is not None:
            # A way that is missing altogether, such as PortAudio, is the first thing to mend.
            return SoundReport(False, wanted, _joined(why.what, reports[0].detail), why.hint)
        best = reports[-1] if reports[-1].ok else reports[0]
        if best is not reports[0]:
            return replace(best, detail=_joined(best.detail, tell("instead of: {what}", what=reports[0].detail)))
        return best

    def _one(self, side: Side, choice: Choice, wanted: str) -> SoundReport:
        port = choice.port
        name = tell("{name} (through {backend})", name=port.name or wanted, backend=choice.backend)
        try:
            port.open()
        except ComponentError as error:
            return SoundReport(False, wanted, error.what, error.hint)
        try:
            if side is Side.MICROPHONE:
                return self._record(name, cast("Microphone", port), choice.advice)
            return self._sound_out(name, cast("Speaker", port), choice.advice)
        finally:
            port.close()

    def _record(self, name: str, microphone: Microphone, advice: str | None) -> SoundReport:
        began = self._clock.now()
        self._until(lambda: microphone.blocks_heard > 0, _FIRST_BLOCK_SECONDS)
        first = self._clock.now() - began
        if microphone.blocks_heard == 0:
            return SoundReport(False, name, "opens, but gives no sound", "choose another: --input-device NAME")
        microphone.read()
        self._pause(1.0)
        level = dbfs(rms(microphone.read()))
        detail = f"first sound after {first:.1f} s, level {level:.0f} dBFS"
        hint = ""
        if level < _SILENT_DBFS:
            detail += " (silent: muted, or nobody spoke)"
            hint = "speak while it listens; if it stays silent, see whether it is muted or the terminal may not use it"
        return SoundReport(True, name, _joined(detail, _dropped(microphone.overflows), advice), hint)

    def _sound_out(self, name: str, speaker: Speaker, advice: str | None) -> SoundReport:
        ticks = np.arange(int(_TONE_SECONDS * RATE)) / RATE
        tone = (np.sin(2 * np.pi * 440 * ticks) * np.hanning(len(ticks)) * 3000).astype("<i2")
        speaker.play(_TONE, tone.tobytes())
        speaker.finish(_TONE)

        def over() -> bool:
            speaker.pump()
            return speaker.drained

        if not self._until(over, _TONE_LIMIT_SECONDS):
            return SoundReport(False, name, "opens, but takes no sound", "choose another: --output-device NAME")
        # What the device took is on its way still; closing now would cut it off.
        self._pause(speaker.latency_seconds)
        detail = f"a tone was played; taken for {speaker.route.value}"
        return SoundReport(True, name, _joined(detail, _dropped(speaker.underflows), advice))

    def _until(self, met: Callable[[], bool], limit_seconds: float) -> bool:
        end = self._clock.now() + limit_seconds
        while not met():
            if self._clock.now() >= end:
                return False
            self._pause(_LOOK_SECONDS)
        return True


def check_microphone(wanted: str = "", backend: Backend = "auto") -> SoundReport:
    """Record one second from the chosen microphone."""
    return SoundCheck(lambda name: SoundSystem(wanted_input=name, backend=backend)).microphone(wanted)


def check_speaker(wanted: str = "", backend: Backend = "auto") -> SoundReport:
    """Play a short soft tone on the chosen speaker."""
    return SoundCheck(lambda name: SoundSystem(wanted_output=name, backend=backend)).speaker(wanted)


def _dropped(blocks: int) -> str | None:
    return f"the system dropped sound {blocks} times: this machine is busy" if blocks else None


def _joined(*parts: str | None) -> str:
    return "; ".join(part for part in parts if part)
