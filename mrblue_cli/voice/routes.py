"""Headphones or loudspeaker: what the names tell, and what the sound server of a Linux desktop tells beyond them."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from typing import Any

from mrblue_cli.audio.gate import Route

_ON_THE_HEAD = (
    "headphone", "headset", "airpods", "earbud", "buds", "earphone", "earpiece", "hands-free", "handsfree", "kopfhörer",
    "auriculares", "a2dp", "bluez_output", "bluez_sink",
)  # fmt: skip
_IN_THE_ROOM = ("speaker", "soundbar", "hdmi", "lineout", "line out", "tv", "boombox", "altavoz")
"""Said of a Bluetooth device or of a port these words win: not everything on Bluetooth is worn."""
_ECHO_FREE = ("echo-cancel", "echocancel", "echo cancel", "echo_cancel")
_SERVER_DEVICES = ("default", "pulse", "pipewire", "sysdefault")
"""Names under which PortAudio shows "whatever the sound server has chosen"."""
_PATIENCE_SECONDS = 1.0

Ask = Callable[[tuple[str, ...]], object]
"""Puts one question to the sound server; gives what it says, parsed from JSON, or None."""


def ask_pactl(question: tuple[str, ...]) -> object:
    """Ask PulseAudio, or PipeWire in its place. None: there is none, or it does not answer in time."""
    # In other languages pactl writes decimal commas into its JSON.
    command = ["env", "LC_ALL=C", "pactl", "-f", "json", *question]
    try:
        done = subprocess.run(command, capture_output=True, timeout=_PATIENCE_SECONDS, check=True)  # noqa: S603 - fixed words
        return json.loads(done.stdout)
    except (OSError, subprocess.SubprocessError, ValueError):
        return None


def output_route(name: str, ask: Ask = ask_pactl) -> Route:
    """Where the output `name` plays. A loudspeaker when in doubt, since that needs the care."""
    lowered = name.lower()
    if lowered in _SERVER_DEVICES:
        return route_of_sink(_chosen(ask, "sink"))
    return route_of_words(lowered)


def is_echo_free(name: str, ask: Ask = ask_pactl) -> bool:
    """The input `name` is an echo canceller's output already: nothing is left to do about the loudspeaker."""
    if name.lower() in _SERVER_DEVICES:
        source = _chosen(ask, "source")
        name = f"{source.get('name')} {source.get('description')} {source.get('driver')}"
    return any(word in name.lower() for word in _ECHO_FREE)


def route_of_sink(sink: dict[str, Any]) -> Route:
    """From one sink as `pactl -f json list sinks` shows it: the port in use, else what kind of thing it is."""
    port = str(sink.get("active_port") or "").lower()
    if port:
        found = [item for item in _dicts(sink.get("ports")) if str(item.get("name")).lower() == port]
        kinds = " ".join(str(item.get("type", "")) for item in found)
        if _names(port + " " + kinds, _ON_THE_HEAD + _IN_THE_ROOM):
            return route_of_words(f"{port} {kinds}".lower())
    properties = sink.get("properties")
    form = properties.get("device.form_factor", "") if isinstance(properties, dict) else ""
    return route_of_words(f"{form} {sink.get('name', '')} {sink.get('description', '')}".lower())


def route_of_words(text: str) -> Route:
    """Guessed from a name; a loudspeaker when in doubt, since that needs the care."""
    worn = _names(text, _ON_THE_HEAD) and not _names(text, _IN_THE_ROOM)
    return Route.HEADPHONES if worn else Route.SPEAKERS


def _names(text: str, words: tuple[str, ...]) -> bool:
    return any(word in text.lower() for word in words)


def _chosen(ask: Ask, kind: str) -> dict[str, Any]:
    """The sound server's default sink or source; empty when nothing is known."""
    info = ask(("info",))
    name = info.get(f"default_{kind}_name") if isinstance(info, dict) else None
    return next((item for item in _dicts(ask(("list", f"{kind}s"))) if name and item.get("name") == name), {})


def _dicts(value: object) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
