"""Sound devices through PortAudio, imported on first use: a machine without it can still talk by text."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from mrblue_cli.audio.gate import Route
from mrblue_cli.audio.pcm import BLOCK, RATE
from mrblue_cli.core.errors import DeviceError, MissingPart
from mrblue_cli.core.texts import tell
from mrblue_cli.voice.routes import route_of_words

Kind = Literal["input", "output"]
Loader = Callable[[], Any]
"""Gives the sounddevice module; tests give one of their own."""


@dataclass(frozen=True, slots=True)
class Device:
    """One device for one direction. `index` None: the system's default."""

    index: int | None
    name: str
    kind: Kind
    rate: float
    """Its own default sample rate, Hz."""
    told_route: Route | None = None
    """What the system says of it, where it says something."""
    echo_free: bool = False
    """The system says that it is an echo canceller's output."""

    @property
    def route(self) -> Route:
        """What the system says, else guessed from the name alone; `voice.routes` knows more once the device is open."""
        return self.told_route or route_of_words(self.name)


def library() -> Any:
    """The sounddevice module; raises `MissingPart` with the command that installs what is missing."""
    try:
        import sounddevice
    except OSError:
        raise MissingPart("PortAudio, the sound library, is not installed", hint=_install_hint()) from None
    except ImportError as error:
        raise MissingPart(f"sound support is not installed ({error.name})", hint="pip install sounddevice") from None
    return sounddevice


def list_devices(kind: Kind, load: Loader = library) -> tuple[Device, ...]:
    """All devices of one direction; raises `MissingPart`."""
    found = []
    sounddevice = load()
    try:
        listed = sounddevice.query_devices()
    except sounddevice.PortAudioError:
        return ()
    for index, raw in enumerate(listed):
        if raw[f"max_{kind}_channels"] > 0:
            found.append(Device(index, str(raw["name"]), kind, float(raw["default_samplerate"])))
    return tuple(found)


def choose_device(kind: Kind, wanted: str | None, load: Loader = library) -> tuple[Device, str | None]:
    """The device that a person asked for by index, by name or by part of its name (in this order), else the default.

    Returns it with a line of advice when the wish could not be met. Raises `DeviceError` when there is none at all.
    """
    devices = list_devices(kind, load)
    if wanted:
        found = _wanted(devices, wanted.strip().lower())
        if found is not None:
            return found, None
    default = _default(kind, load)
    if default is None:
        what = tell("no microphone was found") if kind == "input" else tell("no speaker was found")
        raise DeviceError(what, hint=tell("plug one in, or see what is there: mrblue doctor"))
    advice = None
    if wanted:
        advice = no_match(kind, wanted, default.name)
    return default, advice


def no_match(kind: Kind, wanted: str, name: str) -> str:
    """The line for a wish that no device meets: `name` is used instead."""
    if kind == "input":
        return tell("no input device matches '{wanted}'; using {name}", wanted=wanted, name=name)
    return tell("no output device matches '{wanted}'; using {name}", wanted=wanted, name=name)


def refresh(load: Loader = library) -> None:
    """Read the device list anew. PortAudio freezes it at start; every stream must be closed first."""
    sounddevice = load()
    # After a start that failed there is nothing to end; it has to be tried again all the same.
    with contextlib.suppress(sounddevice.PortAudioError):
        sounddevice._terminate()  # noqa: SLF001 - the only way PortAudio offers
    sounddevice._initialize()  # noqa: SLF001


def open_input(device: Device, callback: Callable[..., None], load: Loader = library) -> tuple[Any, int]:
    """A capture stream, not yet started, and its rate: 24 kHz if the device takes it, else its own."""
    # Low latency starves input behind PulseAudio when a core is busy; nobody hears the difference on the way in.
    return _open(load(), "InputStream", device, callback, latency="high")


def open_output(device: Device, callback: Callable[..., None], load: Loader = library) -> tuple[Any, int]:
    """A playback stream, not yet started, and its rate."""
    return _open(load(), "OutputStream", device, callback, latency=0.05)


def start_stream(stream: Any, device: Device, load: Loader = library) -> None:
    """Start it; raises `DeviceError`, with the stream closed."""
    try:
        stream.start()
    except load().PortAudioError as error:
        close_stream(stream)
        raise _cannot_open(device, error) from None


def close_stream(stream: Any) -> None:
    """Stop and close a stream that may be gone already; None is fine."""
    if stream is None:
        return
    for end in (stream.abort, stream.close):
        # A device that vanished fails to stop; there is nothing left to do about it.
        with contextlib.suppress(Exception):
            end()


def is_active(stream: Any) -> bool:
    """Whether a started stream still runs; False when the device ended it, or there is none."""
    try:
        return stream is not None and bool(stream.active)
    except Exception:  # noqa: BLE001 - a stream in ruins may say anything
        return False


def _open(
    sounddevice: Any, kind: str, device: Device, callback: Callable[..., None], *, latency: object
) -> tuple[Any, int]:
    failure: Exception | None = None
    # Some drivers take neither a foreign rate nor fewer channels than they have; only opening tells.
    for channels in (1, 2):
        for rate in dict.fromkeys((RATE, int(device.rate))):
            try:
                stream = getattr(sounddevice, kind)(
                    device=device.index,
                    samplerate=rate,
                    channels=channels,
                    dtype="int16",
                    blocksize=BLOCK * rate // RATE,
                    latency=latency,
                    callback=callback,
                )
            except (sounddevice.PortAudioError, ValueError) as error:
                failure = failure or error
            else:
                return stream, rate
    raise _cannot_open(device, failure)


def _cannot_open(device: Device, failure: Exception | None) -> DeviceError:
    # "Error opening InputStream: Device unavailable [PaErrorCode -9985]": what stands between is for people.
    reason = str(failure).split("[")[0].split("Stream: ")[-1].strip().rstrip(":")
    if device.kind == "input":
        what = tell("microphone '{name}' cannot be opened: {reason}", name=device.name, reason=reason)
    else:
        what = tell("speaker '{name}' cannot be opened: {reason}", name=device.name, reason=reason)
    return DeviceError(what, hint=tell("is another program using it, and may the terminal use it? see mrblue doctor"))


def _wanted(devices: tuple[Device, ...], wanted: str) -> Device | None:
    by_index = [device for device in devices if wanted == str(device.index)]
    by_name = [device for device in devices if wanted == device.name.lower()]
    by_part = [device for device in devices if wanted in device.name.lower()]
    return next(iter(by_index + by_name + by_part), None)


def _default(kind: Kind, load: Loader) -> Device | None:
    sounddevice = load()
    try:
        raw = sounddevice.query_devices(kind=kind)
    except (sounddevice.PortAudioError, ValueError):
        return None
    return Device(None, str(raw["name"]), kind, float(raw["default_samplerate"]))


def _install_hint() -> str:
    if sys.platform == "darwin":
        return "install it with: brew install portaudio"
    if sys.platform == "win32":
        return "install it again with: pip install --force-reinstall sounddevice"
    return "install it with: sudo apt-get install libportaudio2 libasound2-plugins"
