"""Open the devices, record a second, play a tone: what `mrblue doctor` tells about sound."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from mrblue_cli.audio.pcm import RATE, dbfs, rms
from mrblue_cli.core.errors import ComponentError
from mrblue_cli.protocol.notices import AudioKey
from mrblue_cli.voice.devices import choose_device
from mrblue_cli.voice.microphones import DeviceMicrophone
from mrblue_cli.voice.speakers import DeviceSpeaker

_FIRST_BLOCK_SECONDS = 5.0
_TONE = AudioKey("doctor", "tone", 0)


@dataclass(frozen=True, slots=True)
class SoundReport:
    """What one device did."""

    ok: bool
    device: str
    detail: str
    hint: str = ""


def check_microphone(wanted: str = "") -> SoundReport:
    """Record one second from the chosen microphone."""
    try:
        device, advice = choose_device("input", wanted)
        microphone = DeviceMicrophone(device)
        microphone.open()
    except ComponentError as error:
        return SoundReport(False, wanted, error.what, error.hint)
    try:
        began = time.monotonic()
        while microphone.blocks_heard == 0 and time.monotonic() - began < _FIRST_BLOCK_SECONDS:
            time.sleep(0.01)
        first = time.monotonic() - began
        if microphone.blocks_heard == 0:
            return SoundReport(False, device.name, "opens, but gives no sound", "choose another: --input-device NAME")
        microphone.read()
        time.sleep(1.0)
        level = dbfs(rms(microphone.read()))
    finally:
        microphone.close()
    quiet = " (silent: muted, or nobody spoke)" if level < -70 else ""
    note = f"; {advice}" if advice else ""
    return SoundReport(True, device.name, f"first sound after {first:.1f} s, level {level:.0f} dBFS{quiet}{note}")


def check_speaker(wanted: str = "") -> SoundReport:
    """Play a short soft tone on the chosen speaker."""
    try:
        device, advice = choose_device("output", wanted)
        speaker = DeviceSpeaker(device)
        speaker.open()
    except ComponentError as error:
        return SoundReport(False, wanted, error.what, error.hint)
    try:
        ticks = np.arange(int(0.3 * RATE)) / RATE
        tone = (np.sin(2 * np.pi * 440 * ticks) * np.hanning(len(ticks)) * 3000).astype("<i2")
        speaker.play(_TONE, tone.tobytes())
        speaker.finish(_TONE)
        began = time.monotonic()
        while not speaker.drained and time.monotonic() - began < 3.0:
            speaker.pump()
            time.sleep(0.01)
        played = speaker.drained
    finally:
        speaker.close()
    if not played:
        return SoundReport(False, device.name, "opens, but takes no sound", "choose another: --output-device NAME")
    kind = device.route.value
    return SoundReport(True, device.name, f"a tone was played; taken for {kind}{'; ' + advice if advice else ''}")
