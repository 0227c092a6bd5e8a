"""Open the devices, record a second, play a tone: what `mrblue doctor` tells about sound."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from mrblue_cli.audio.pcm import RATE, dbfs, rms
from mrblue_cli.core.clock import Clock, SystemClock
from mrblue_cli.core.errors import ComponentError
from mrblue_cli.protocol.notices import AudioKey
from mrblue_cli.voice.devices import Device, Loader, choose_device, library
from mrblue_cli.voice.microphones import DeviceMicrophone
from mrblue_cli.voice.speakers import DeviceSpeaker

_FIRST_BLOCK_SECONDS = 5.0
_TONE_SECONDS, _TONE_LIMIT_SECONDS = 0.3, 5.0
_SILENT_DBFS = -70
_LOOK_SECONDS = 0.01
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
    """Tries the devices out; blocking, a few seconds each. Tests bring their own sound library and time."""

    def __init__(
        self, load: Loader = library, *, clock: Clock | None = None, pause: Callable[[float], None] = time.sleep
    ) -> None:
        self._load = load
        self._clock = clock or SystemClock()
        self._pause = pause

    def microphone(self, wanted: str = "") -> SoundReport:
        """Record one second from the chosen microphone."""
        try:
            device, advice = choose_device("input", wanted, self._load)
            microphone = DeviceMicrophone(device, self._load)
            microphone.open()
        except ComponentError as error:
            return SoundReport(False, wanted, error.what, error.hint)
        try:
            return self._record(device, microphone, advice)
        finally:
            microphone.close()

    def speaker(self, wanted: str = "") -> SoundReport:
        """Play a short soft tone on the chosen speaker."""
        try:
            device, advice = choose_device("output", wanted, self._load)
            speaker = DeviceSpeaker(device, self._load)
            speaker.open()
        except ComponentError as error:
            return SoundReport(False, wanted, error.what, error.hint)
        try:
            return self._sound(device, speaker, advice)
        finally:
            speaker.close()

    def _record(self, device: Device, microphone: DeviceMicrophone, advice: str | None) -> SoundReport:
        began = self._clock.now()
        self._until(lambda: microphone.blocks_heard > 0, _FIRST_BLOCK_SECONDS)
        first = self._clock.now() - began
        if microphone.blocks_heard == 0:
            return SoundReport(False, device.name, "opens, but gives no sound", "choose another: --input-device NAME")
        microphone.read()
        self._pause(1.0)
        level = dbfs(rms(microphone.read()))
        detail = f"first sound after {first:.1f} s, level {level:.0f} dBFS"
        hint = ""
        if level < _SILENT_DBFS:
            detail += " (silent: muted, or nobody spoke)"
            hint = "speak while it listens; if it stays silent, see whether it is muted or the terminal may not use it"
        return SoundReport(True, device.name, _joined(detail, _dropped(microphone.overflows), advice), hint)

    def _sound(self, device: Device, speaker: DeviceSpeaker, advice: str | None) -> SoundReport:
        ticks = np.arange(int(_TONE_SECONDS * RATE)) / RATE
        tone = (np.sin(2 * np.pi * 440 * ticks) * np.hanning(len(ticks)) * 3000).astype("<i2")
        speaker.play(_TONE, tone.tobytes())
        speaker.finish(_TONE)

        def over() -> bool:
            speaker.pump()
            return speaker.drained

        if not self._until(over, _TONE_LIMIT_SECONDS):
            return SoundReport(False, device.name, "opens, but takes no sound", "choose another: --output-device NAME")
        # What the device took is on its way still; closing now would cut it off.
        self._pause(speaker.latency_seconds)
        detail = f"a tone was played; taken for {device.route.value}"
        return SoundReport(True, device.name, _joined(detail, _dropped(speaker.underflows), advice))

    def _until(self, met: Callable[[], bool], limit_seconds: float) -> bool:
        end = self._clock.now() + limit_seconds
        while not met():
            if self._clock.now() >= end:
                return False
            self._pause(_LOOK_SECONDS)
        return True


def check_microphone(wanted: str = "") -> SoundReport:
    """Record one second from the chosen microphone."""
    return SoundCheck().microphone(wanted)


def check_speaker(wanted: str = "") -> SoundReport:
    """Play a short soft tone on the chosen speaker."""
    return SoundCheck().speaker(wanted)


def _dropped(blocks: int) -> str | None:
    return f"the system dropped sound {blocks} times: this machine is busy" if blocks else None


def _joined(*parts: str | None) -> str:
    return "; ".join(part for part in parts if part)
