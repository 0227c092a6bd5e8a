"""Headsets that cannot do two things well: opening a Bluetooth headset's microphone turns its sound into a telephone's.

The change costs up to 3 s and leaves 8 or 16 kHz mono in both directions, so another microphone is the better one while
replies come out of such a headset (voice-craft, section 2). Pure: names and what the sound server says go in.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from mrblue_cli.voice.sound_server import Endpoint

_WORDS = ("bluetooth", "bluez", "airpods", "hands-free", "earbuds", "galaxy buds", "pixel buds", "beats ")
_BUILT_IN = ("built-in", "builtin", "internal", "macbook", "imac", "array", "integrated")
_COMMON = {
    *("headset", "headphones", "headphone", "hands", "free", "audio", "stereo", "mono", "microphone", "mic"),
    *("speakers", "speaker", "bluetooth", "bluez", "input", "output", "sink", "source", "analog", "digital"),
    *("device", "usb", "default", "pro", "hfp", "a2dp", "the", "ag"),
}


def is_bluetooth(name: str) -> bool:
    """By the name that the system gives it; False when in doubt."""
    lowered = f"{name.lower()} "
    return any(word in lowered for word in _WORDS)


def same_headset(one: str, other: str) -> bool:
    """Whether two names can belong to one headset: equal, or they share a word that tells something."""
    return one.lower() == other.lower() or bool(_telling(one) & _telling(other))


def other_microphone(names: Sequence[str], headset: str) -> str | None:
    """The name of the microphone to use instead of the headset's; built-in ones first. None: there is no other."""
    others = [name for name in names if not is_bluetooth(name) and not same_headset(name, headset)]
    built_in = [name for name in others if any(word in name.lower() for word in _BUILT_IN)]
    return next(iter(built_in + others), None)


def other_source(sources: Sequence[Endpoint], default: Endpoint | None, output: Endpoint | None) -> Endpoint | None:
    """The same with what the sound server says; None: there is no other, or no need."""
    if default is None or output is None or not (default.bluetooth and output.bluetooth):
        return None
    if default.device and output.device and default.device != output.device:
        return None
    return next((one for one in sources if not one.bluetooth and not one.monitor), None)


def _telling(name: str) -> set[str]:
    return {word for word in re.findall(r"[a-z0-9]{2,}", name.lower()) if word not in _COMMON}
