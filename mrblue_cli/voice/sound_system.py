"""Every way to a microphone and a speaker on this machine, best first. Opening decides what works, not the platform.

PortAudio comes first, the sound server's own programs second; a device that a person named before the default. Blocking
throughout: call it beside the event loop.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from mrblue_cli.audio.gate import Route
from mrblue_cli.core.errors import ComponentError, DeviceError
from mrblue_cli.core.texts import tell
from mrblue_cli.voice import bluetooth
from mrblue_cli.voice.device_watch import BOTH, Side
from mrblue_cli.voice.devices import Device, Kind, Loader, choose_device, library, list_devices, no_match, refresh
from mrblue_cli.voice.microphones import DeviceMicrophone
from mrblue_cli.voice.pipes import Find, PipeMicrophone, PipeSpeaker, PipeTool, find_tools
from mrblue_cli.voice.ports import MicrophonePort, SpeakerPort
from mrblue_cli.voice.sound_server import Endpoint, ServerState, SoundServer
from mrblue_cli.voice.speakers import DeviceSpeaker

Backend = Literal["auto", "portaudio", "pipes"]
_KINDS: dict[Side, Kind] = {Side.MICROPHONE: "input", Side.SPEAKER: "output"}
SUBSTITUTE = 3
"""Rank of what is used while the device that the person named is not there."""
_SERVER_NAMES = ("default", "pulse", "pipewire", "sysdefault")
"""What PortAudio calls the sound server's default device."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One device that may be opened."""

    port: MicrophonePort | SpeakerPort
    advice: str = ""
    """A line for the person, if this one is used."""
    rank: int = 1
    """Lowest first: 0 named by the person, or suits better; 1 PortAudio; 2 the server's programs; 3 `SUBSTITUTE`."""

    @property
    def backend(self) -> str:
        """How it is reached: `portaudio` or `pipes`."""
        return getattr(self.port, "backend", "")


@dataclass(frozen=True, slots=True)
class News:
    """What changed since the devices were opened."""

    changed: bool | None
    """Devices came or went; None: nothing here can tell."""
    moved: tuple[tuple[Side, Endpoint, bool], ...] = ()
    """The system's default is another one now. True: our stream went there by itself."""


class SoundSystem:
    """Chooses devices, and knows what the system says about them. `sides`: those that the talk wants."""

    def __init__(
        self,
        *,
        wanted_input: str = "",
        wanted_output: str = "",
        backend: Backend = "auto",
        sides: frozenset[Side] = frozenset(BOTH),
        load: Loader = library,
        server: SoundServer | None = None,
        find: Find = shutil.which,
    ) -> None:
        self.sides = sides
        self._wanted: dict[Side, str] = {Side.MICROPHONE: wanted_input.strip(), Side.SPEAKER: wanted_output.strip()}
        self._backend = backend
        self._load = load
        self._server = server or SoundServer()
        self._find = find
        self._fingerprint: tuple[str, ...] | None = None
        self._defaults: dict[Side, str] = {}
        self._silent: set[tuple[Side, str]] = set()
        self._why: dict[Side, ComponentError | None] = {}

    def choices(self, side: Side) -> list[Choice]:
        """Devices to try to open, in this order; raises the `ComponentError` that says why there is none."""
        state = self._server.state()
        if state is not None and self._fingerprint is None:
            self._fingerprint = state.fingerprint
        default = None if state is None else state.default(_KINDS[side])
        if default is not None:
            self._defaults[side] = default.name
        found: list[Choice] = []
        failure: ComponentError | None = None
        self._why[side] = None
        for way in self._ways():
            try:
                found += way(side, state)
            except ComponentError as error:
                failure = failure or error
                self._why[side] = None if found else failure
        if not found:
            raise failure or DeviceError(tell("no device was found"))
        # A way that opened and never gave a sound comes last, unless all ways are such.
        silent = {backend for of, backend in self._silent if of is side}
        if silent >= {one.backend for one in found}:
            self._silent -= {(side, backend) for backend in silent}
            silent = set()
        return sorted(found, key=lambda one: (one.backend in silent, one.rank))

    def why(self, side: Side) -> ComponentError | None:
        """Why the best way, such as PortAudio, is not among the choices; to be told when none of them can be opened."""
        return self._why.get(side)

    def distrust(self, side: Side, backend: str) -> None:
        """This way opened, but nothing flowed: try the others first."""
        self._silent.add((side, backend))

    def refresh(self) -> None:
        """Read the list of devices anew; everything must be closed."""
        state = self._server.state()
        self._fingerprint = None if state is None else state.fingerprint
        if self._backend != "pipes":
            # Without PortAudio, or with one that does not start again, `choices` fails and says what to do about it.
            with contextlib.suppress(Exception):
                refresh(self._load)

    def news(self, ports: dict[Side, MicrophonePort | SpeakerPort]) -> News:
        """What changed since the ports in use were opened."""
        state = self._server.state()
        if state is None:
            return News(None)
        if self._fingerprint is None:
            self._fingerprint = state.fingerprint
        moved = []
        for side, port in ports.items():
            default = state.default(_KINDS[side])
            known = self._defaults.get(side)
            if default is None or self._wanted[side]:
                continue
            self._defaults[side] = default.name
            if known is not None and known != default.name:
                moved.append((side, default, self._followed(side, port, default)))
        return News(state.fingerprint != self._fingerprint, tuple(moved))

    def _followed(self, side: Side, port: MicrophonePort | SpeakerPort, default: Endpoint) -> bool:
        pid = getattr(port, "pid", None) or os.getpid()
        return self._server.streams_on(_KINDS[side], (pid,)) == {default.index}

    def _ways(self) -> tuple[Callable[[Side, ServerState | None], list[Choice]], ...]:
        ways: dict[str, tuple[Callable[[Side, ServerState | None], list[Choice]], ...]] = {
            "auto": (self._portaudio, self._pipes),
            "portaudio": (self._portaudio,),
            "pipes": (self._pipes,),
        }
        return ways[self._backend]

    def _portaudio(self, side: Side, state: ServerState | None) -> list[Choice]:
        kind, wanted = _KINDS[side], self._wanted[side]
        device, advice = choose_device(kind, wanted or None, self._load)
        port = self._port(side, self._titled(device, state))
        if advice:
            return [Choice(port, advice, SUBSTITUTE)]
        if wanted:
            # The named one may be there and refuse to open: the default then.
            default = self._titled(choose_device(kind, None, self._load)[0], state)
            line = tell("'{wanted}' cannot be used; using {name}", wanted=wanted, name=default.name)
            return [Choice(port, rank=0), Choice(self._port(side, default), line, SUBSTITUTE)]
        spared = side is Side.MICROPHONE and (state is None or not state.inputs)
        return [*(self._without_headset(device) if spared else ()), Choice(port)]

    def _pipes(self, side: Side, state: ServerState | None) -> list[Choice]:
        kind, wanted = _KINDS[side], self._wanted[side]
        state = state or ServerState()
        default = state.default(kind)
        named = _matching(state.of(kind), wanted.lower()) if wanted else None
        instead = None
        if side is Side.MICROPHONE and not wanted:
            instead = bluetooth.other_source(state.inputs, default, state.default("output"))
        found = []
        for tool in find_tools(kind, self._find):
            # ALSA's programs know ALSA's names, which are not the server's.
            asks_server = tool.program not in ("arecord", "aplay")
            if asks_server and named is not None:
                found.append(Choice(_pipe(tool, kind, named, named.name), rank=0))
            elif asks_server and instead is not None and default is not None:
                found.append(Choice(_pipe(tool, kind, instead, instead.name), _spared(instead.title, default.title), 0))
            elif wanted:
                port = _pipe(tool, kind, default)
                line = no_match(kind, wanted, port.name or tool.program)
                found.append(Choice(port, line, SUBSTITUTE))
            else:
                found.append(Choice(_pipe(tool, kind, default), rank=2))
        return found

    def _port(self, side: Side, device: Device) -> MicrophonePort | SpeakerPort:
        # What the server says of a device was asked here already.
        if side is Side.MICROPHONE:
            return DeviceMicrophone(device, self._load, _asked)
        return DeviceSpeaker(device, self._load, _asked)

    @staticmethod
    def _titled(device: Device, state: ServerState | None) -> Device:
        """The default device under the name that a person knows."""
        default = None if state is None else state.default(device.kind)
        if default is None or device.name.lower() not in _SERVER_NAMES:
            return device
        return dataclasses.replace(device, name=default.title, told_route=default.route, echo_free=default.echo_free)

    def _without_headset(self, device: Device) -> list[Choice]:
        """Another microphone, where the default one belongs to the Bluetooth headset that replies come out of."""
        try:
            output = choose_device("output", self._wanted[Side.SPEAKER] or None, self._load)[0].name
        except ComponentError:
            return []
        if not (bluetooth.is_bluetooth(output) or bluetooth.is_bluetooth(device.name)):
            return []
        if not bluetooth.same_headset(device.name, output):
            return []
        inputs = list_devices("input", self._load)
        name = bluetooth.other_microphone([one.name for one in inputs], output)
        other = next((one for one in inputs if one.name == name), None)
        return [] if other is None else [Choice(self._port(Side.MICROPHONE, other), _spared(other.name, output))]


def _pipe(tool: PipeTool, kind: Kind, endpoint: Endpoint | None, device: str = "") -> PipeMicrophone | PipeSpeaker:
    title = "" if endpoint is None else endpoint.title
    if kind == "input":
        return PipeMicrophone(tool, title, device, echo_free=endpoint is not None and endpoint.echo_free)
    return PipeSpeaker(tool, title, device, Route.SPEAKERS if endpoint is None else endpoint.route)


def _asked(_question: tuple[str, ...]) -> None:
    return None


def _matching(endpoints: Sequence[Endpoint], wanted: str) -> Endpoint | None:
    exact = [one for one in endpoints if wanted in (one.index, one.name.lower(), one.title.lower())]
    part = [one for one in endpoints if wanted in one.title.lower() or wanted in one.name.lower()]
    return next(iter(exact + part), None)


def _spared(microphone: str, headset: str) -> str:
    return tell(
        "listening through '{microphone}': the microphone of '{headset}' would make it sound like a telephone "
        "(--input-device takes it all the same)",
        microphone=microphone,
        headset=headset,
    )
