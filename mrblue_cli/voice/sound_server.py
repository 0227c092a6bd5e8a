"""What PulseAudio or PipeWire say of their devices, through `pactl`: defaults, names, headphones, Bluetooth.

PortAudio sees one device called "default" there and learns of changes only by closing everything; the server knows
better and is asked in a few milliseconds. Where there is no `pactl`, all of this is simply unknown.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from mrblue_cli.audio.gate import Route
from mrblue_cli.voice.devices import Kind
from mrblue_cli.voice.routes import is_echo_free, route_of_words

Run = Callable[[Sequence[str]], str | None]
"""Runs a command and gives what it printed, None when it failed."""
_ASK_SECONDS = 3.0
_CARDS = Path("/proc/asound/cards")
_LISTS: dict[Kind, str] = {"input": "sources", "output": "sinks"}
_STREAMS: dict[Kind, tuple[str, str]] = {"input": ("source-outputs", "Source"), "output": ("sink-inputs", "Sink")}
_HEADPHONE_FORMS = ("headset", "headphone", "hands-free", "portable")
_PROPERTY = re.compile(r'^\t\t([\w.\-]+) = "(.*)"$')
_FIELD = re.compile(r"^\t([A-Z][\w ]*): (.*)$")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One sink or source of the sound server."""

    name: str
    """As the server's tools take it."""
    title: str
    """As a person knows it."""
    kind: Kind
    index: str = ""
    bluetooth: bool = False
    headphones: bool = False
    monitor: bool = False
    """A source that carries what a sink plays; nobody speaks there."""
    device: str = ""
    """Equal for the input and the output of one headset; empty: unknown."""

    @property
    def route(self) -> Route:
        """By what the device says of itself, else by its name."""
        return Route.HEADPHONES if self.headphones else route_of_words(self.title)

    @property
    def echo_free(self) -> bool:
        """An echo canceller's output."""
        return is_echo_free(f"{self.name} {self.title}", lambda _question: None)


@dataclass(frozen=True, slots=True)
class ServerState:
    """Everything at one moment."""

    inputs: tuple[Endpoint, ...] = ()
    outputs: tuple[Endpoint, ...] = ()
    default_input: str = ""
    default_output: str = ""
    hardware: str = ""
    """The sound cards that the kernel knows; changes when one is plugged in or out."""

    def default(self, kind: Kind) -> Endpoint | None:
        """What sound goes to, or comes from, unless a program asks for something else."""
        wanted = self.default_input if kind == "input" else self.default_output
        return next((one for one in self.of(kind) if one.name == wanted), None)

    def of(self, kind: Kind) -> tuple[Endpoint, ...]:
        """All of one direction."""
        return self.inputs if kind == "input" else self.outputs

    @property
    def fingerprint(self) -> tuple[str, ...]:
        """Equal as long as no device came or went."""
        return (self.hardware, *sorted(one.name for one in (*self.inputs, *self.outputs)))


class SoundServer:
    """Asks the server; every question is a short-lived program, so call it beside the event loop."""

    def __init__(self, run: Run | None = None, cards: Path = _CARDS) -> None:
        self._run = run or _run
        self._cards = cards

    def state(self) -> ServerState | None:
        """What there is now; None: nobody can be asked."""
        hardware = self._hardware()
        info = self._run(("info",))
        if info is None:
            return ServerState(hardware=hardware) if hardware else None
        told = dict(line.split(": ", 1) for line in info.splitlines() if ": " in line)
        return ServerState(
            tuple(parse_endpoints(self._run(("list", "sources")) or "", "input")),
            tuple(parse_endpoints(self._run(("list", "sinks")) or "", "output")),
            told.get("Default Source", ""),
            told.get("Default Sink", ""),
            hardware,
        )

    def streams_on(self, kind: Kind, pids: Collection[int]) -> frozenset[str]:
        """Indices of the sinks (or sources) that streams of these processes are connected to."""
        listing, word = _STREAMS[kind]
        return frozenset(parse_streams(self._run(("list", listing)) or "", word, pids))

    def _hardware(self) -> str:
        try:
            return self._cards.read_text(encoding="utf-8", errors="replace")
        except OSError:
            return ""


def parse_endpoints(listing: str, kind: Kind) -> Iterator[Endpoint]:
    """The devices in the output of `pactl list sinks` or `sources`."""
    blocks = [_block(text) for text in _split(listing)]
    titles = [fields.get("Description", "") for _, fields, _ in blocks]
    for index, fields, said in blocks:
        name, title = fields.get("Name", ""), fields.get("Description", "")
        port, form = fields.get("Active Port", "").lower(), said.get("device.form_factor", "")
        bluetooth = said.get("device.bus") == "bluetooth" or name.startswith("bluez")
        yield Endpoint(
            name,
            title if title and titles.count(title) == 1 else name,
            kind,
            index,
            bluetooth,
            headphones="headphone" in port or "headset" in port or form in _HEADPHONE_FORMS,
            monitor=said.get("device.class") == "monitor" or name.endswith(".monitor"),
            device=said.get("device.string", said.get("api.bluez5.address", "")) if bluetooth else "",
        )


def parse_streams(listing: str, word: str, pids: Collection[int]) -> Iterator[str]:
    """To which device (its index) each stream of these processes is connected, from `pactl list sink-inputs`."""
    wanted = {str(pid) for pid in pids}
    for text in _split(listing):
        _, fields, said = _block(text)
        if said.get("application.process.id") in wanted and word in fields:
            yield fields[word]


def _split(listing: str) -> list[str]:
    return [block for block in re.split(r"\n(?=\S)", listing) if "#" in block.split("\n", 1)[0]]


def _block(text: str) -> tuple[str, dict[str, str], dict[str, str]]:
    head, *lines = text.splitlines()
    fields = {found[1]: found[2] for found in map(_FIELD.match, lines) if found}
    said = {found[1]: found[2] for found in map(_PROPERTY.match, lines) if found}
    return head.rsplit("#", 1)[-1], fields, said


def _run(arguments: Sequence[str]) -> str | None:
    if shutil.which("pactl") is None:
        return None
    try:
        # The words are translated otherwise.
        done = subprocess.run(  # noqa: S603 - fixed words only
            ["/usr/bin/env", "LC_ALL=C", "pactl", *arguments],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_ASK_SECONDS,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout if done.returncode == 0 else None
