"""Microphone and speaker through the sound server's own programs, for where PortAudio is missing or sees nothing.

WSL with WSLg is the common case: the sound server answers although no device is listed. `parec`, `pw-record` or
`arecord` write what they hear into a pipe, `pacat`, `pw-play` or `aplay` play what is written into theirs. One thread
each moves samples between the pipe and a ring; nothing else happens there.
"""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO, Any

import numpy as np

from mrblue_cli.audio.gate import Route
from mrblue_cli.audio.pcm import BLOCK, RATE, Pcm
from mrblue_cli.audio.ring import CaptureRing
from mrblue_cli.core.errors import DeviceError, MissingPart
from mrblue_cli.core.texts import tell
from mrblue_cli.voice.devices import Kind
from mrblue_cli.voice.microphones import RING_SECONDS
from mrblue_cli.voice.ports import Losses
from mrblue_cli.voice.speakers import PlayoutSpeaker

CAPTURE_MS = 20
PLAYBACK_MS = 40
_PIPE_BYTES = 4096
"""What a pipe holds is heard later: as little as the kernel allows (85 ms)."""
_PROOF_SECONDS = 0.3
"""A program that cannot reach its server ends by then."""
_END_SECONDS = 1.0

Find = Callable[[str], str | None]
"""Where a program is, None when it is not installed."""


@dataclass(frozen=True, slots=True)
class PipeTool:
    """A program that captures to its standard output or plays its standard input: PCM16 mono 24 kHz."""

    program: str
    arguments: tuple[str, ...]
    device_option: str
    """What comes before a device's name."""

    def command(self, device: str = "") -> list[str]:
        """The command line; without a device the server's default."""
        chosen = [self.device_option.format(device)] if device else []
        return [self.program, *chosen, *self.arguments]


_PULSE = ("--raw", "--format=s16le", f"--rate={RATE}", "--channels=1", "--client-name=mrblue", "--stream-name=talk")
_ALSA = ("-q", "-t", "raw", "-f", "S16_LE", "-r", str(RATE), "-c", "1")
_PIPEWIRE = ("--raw", "--format", "s16", "--rate", str(RATE), "--channels", "1")
TOOLS: dict[Kind, tuple[PipeTool, ...]] = {
    "input": (
        PipeTool("parec", (*_PULSE, f"--latency-msec={CAPTURE_MS}"), "--device={}"),
        PipeTool("pw-record", (*_PIPEWIRE, "--latency", f"{CAPTURE_MS}ms", "-"), "--target={}"),
        PipeTool("arecord", _ALSA, "--device={}"),
    ),
    "output": (
        PipeTool("pacat", ("--playback", *_PULSE, f"--latency-msec={PLAYBACK_MS}"), "--device={}"),
        PipeTool("pw-play", (*_PIPEWIRE, "--latency", f"{PLAYBACK_MS}ms", "-"), "--target={}"),
        PipeTool("aplay", (*_ALSA, f"--buffer-time={PLAYBACK_MS * 1000}"), "--device={}"),
    ),
}


def find_tools(kind: Kind, find: Find = shutil.which) -> tuple[PipeTool, ...]:
    """The programs of one direction that are installed; raises `MissingPart` when none is."""
    found = tuple(tool for tool in TOOLS[kind] if find(tool.program) is not None)
    if not found:
        names = ", ".join(tool.program for tool in TOOLS[kind])
        raise MissingPart(
            tell("none of {names} is installed", names=names),
            hint=tell("install one, for example: sudo apt-get install pulseaudio-utils"),
        )
    return found


class _Child:
    """A running program and one end of its pipe."""

    def __init__(self, command: list[str], kind: Kind) -> None:
        with tempfile.TemporaryFile() as said:
            pipe: Any = subprocess.PIPE
            try:
                # A session of its own: Ctrl-C in the terminal is for us, not for it.
                self.process = subprocess.Popen(  # noqa: S603 - our own table of commands
                    command,
                    stdin=pipe if kind == "output" else subprocess.DEVNULL,
                    stdout=pipe if kind == "input" else subprocess.DEVNULL,
                    stderr=said,
                    bufsize=0,
                    start_new_session=True,
                )
            except OSError as error:
                raise self._failed(command[0], error.strerror or str(error)) from None
            end = self.process.stdin if kind == "output" else self.process.stdout
            assert end is not None  # noqa: S101 - asked for above
            self.pipe: IO[bytes] = end
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(_PROOF_SECONDS)
                self.pipe.close()
                said.seek(0)
                lines = said.read(2000).decode(errors="replace").strip().splitlines()
                raise self._failed(command[0], lines[-1] if lines else f"exit code {self.process.returncode}")

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    def end(self) -> None:
        """Stop the program; its thread ends with its pipe."""
        self.process.terminate()
        try:
            self.process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    @staticmethod
    def _failed(program: str, why: str) -> DeviceError:
        return DeviceError(
            tell("{program} gives no sound: {why}", program=program, why=why),
            hint=tell("is the sound server running? see mrblue doctor"),
        )


class PipeMicrophone:
    """Captures through a program. Open it once."""

    backend = "pipes"

    def __init__(self, tool: PipeTool, name: str = "", device: str = "", *, echo_free: bool = False) -> None:
        self.name = name or tool.program
        self.echo_free = echo_free
        self.latency_seconds = CAPTURE_MS / 1000
        self._command = tool.command(device)
        self._ring = CaptureRing(RING_SECONDS * RATE)
        self._child: _Child | None = None
        self._thread: threading.Thread | None = None
        self._blocks = 0

    def open(self) -> None:
        """Start the program; blocking. Raises `DeviceError`."""
        self._child = _Child(self._command, "input")
        self._thread = threading.Thread(target=self._capture, args=(self._child.pipe,), daemon=True)
        self._thread.start()

    def _capture(self, pipe: IO[bytes]) -> None:
        rest = b""
        with contextlib.suppress(OSError, ValueError):
            while data := pipe.read(2 * BLOCK):
                data = rest + data
                even = len(data) // 2 * 2
                self._ring.write(np.frombuffer(data[:even], dtype="<i2").astype(np.int16))
                rest = data[even:]
                self._blocks += 1

    def read(self) -> Pcm:
        """Take everything captured since the last call."""
        return self._ring.read()

    @property
    def blocks_heard(self) -> int:
        """Pieces that the program delivered so far."""
        return self._blocks

    @property
    def lost_samples(self) -> int:
        """Samples dropped because nobody read in time."""
        return self._ring.lost

    @property
    def overflows(self) -> int:
        """The program does not tell."""
        return 0

    @property
    def losses(self) -> Losses:
        """What never arrived because nobody read in time."""
        return Losses(self._ring.gaps, -(-self._ring.lost // BLOCK))

    @property
    def active(self) -> bool:
        """False once the program ended."""
        return self._child is not None and self._child.alive

    @property
    def pid(self) -> int | None:
        """The program's process id."""
        return None if self._child is None else self._child.process.pid

    def close(self) -> None:
        """End the program."""
        child, self._child = self._child, None
        if child is not None:
            child.end()
            assert self._thread is not None  # noqa: S101 - started with the child
            self._thread.join(_END_SECONDS)
            child.pipe.close()


class PipeSpeaker(PlayoutSpeaker):
    """Plays through a program, silence included, as fast as it takes it. Open it once."""

    backend = "pipes"

    def __init__(self, tool: PipeTool, name: str = "", device: str = "", route: Route = Route.SPEAKERS) -> None:
        super().__init__(name or tool.program)
        self.route = route
        self._command = tool.command(device)
        self._child: _Child | None = None
        self._thread: threading.Thread | None = None
        self._ending = False

    def open(self) -> None:
        """Start the program; blocking. Raises `DeviceError`."""
        self._child = _Child(self._command, "output")
        _shrink(self._child.pipe)
        self._thread = threading.Thread(target=self._play, args=(self._child.pipe,), daemon=True)
        self._thread.start()

    def _play(self, pipe: IO[bytes]) -> None:
        # The pipe is small and the program takes no more than its buffer: a write waits as long as a block sounds.
        block = np.zeros(BLOCK, dtype=np.int16)
        with contextlib.suppress(OSError, ValueError):
            while not self._ending:
                self.ring.read_into(block)
                rest = memoryview(block.astype("<i2").tobytes())
                while rest:
                    rest = rest[pipe.write(rest) :]
                self._blocks += 1

    @property
    def latency_seconds(self) -> float:
        """What waits in the pipe, and in the program's buffer."""
        child = self._child
        return (_waiting(child.pipe) / 2 / RATE if child is not None else 0.0) + PLAYBACK_MS / 1000

    @property
    def underflows(self) -> int:
        """The program does not tell."""
        return 0

    @property
    def active(self) -> bool:
        """False once the program ended."""
        return self._child is not None and self._child.alive

    @property
    def pid(self) -> int | None:
        """The program's process id."""
        return None if self._child is None else self._child.process.pid

    def close(self) -> None:
        """End the program at once, whatever it still holds."""
        child, self._child = self._child, None
        self._ending = True
        if child is not None:
            child.end()
            assert self._thread is not None  # noqa: S101 - started with the child
            self._thread.join(_END_SECONDS)
            with contextlib.suppress(OSError):
                child.pipe.close()


def _shrink(pipe: IO[bytes]) -> None:
    import fcntl  # not on Windows, where none of these programs is

    # Only Linux can; elsewhere a reply is heard a second later and the truncation still right.
    with contextlib.suppress(OSError, AttributeError):
        fcntl.fcntl(pipe.fileno(), fcntl.F_SETPIPE_SZ, _PIPE_BYTES)


def _waiting(pipe: IO[bytes]) -> int:
    """Bytes in the pipe that nobody took yet."""
    import fcntl
    import termios

    try:
        told = fcntl.ioctl(pipe.fileno(), termios.FIONREAD, b"\0\0\0\0")
    except (OSError, ValueError):
        return 0
    return int.from_bytes(told, "little")
