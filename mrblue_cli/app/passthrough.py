"""Run a command as if nobody stood between, and keep the end of what it printed.

On a terminal the command gets a terminal of its own (a pty), so that colours, progress bars and questions stay; keys,
window size and signals are passed on. Without one, its two streams are passed on as they are.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import FrameType

from mrblue_cli.core.errors import UsageError

KEPT_BYTES = 256 * 1024
_CHUNK = 65_536
_SILENCE = 0.1
_LAST_WORDS = 1.0
"""Seconds to wait for the last output of a command that left something running."""
_FORWARDED = ("SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2")


@dataclass(frozen=True, slots=True)
class Finished:
    """How a command ended."""

    status: int
    """As a shell tells it: the exit status, or 128 and the signal's number."""
    output: str
    """The end of what it printed, both streams in the order of their arrival."""


class _Tail:
    def __init__(self) -> None:
        self._data = bytearray()

    def add(self, data: bytes) -> None:
        self._data += data
        if len(self._data) > 2 * KEPT_BYTES:
            del self._data[:-KEPT_BYTES]

    def text(self) -> str:
        return bytes(self._data[-KEPT_BYTES:]).decode("utf-8", "replace")


def run(command: Sequence[str]) -> Finished:
    """Run it to its end. Raises `UsageError` when there is no such program."""
    if sys.platform != "win32" and sys.stdout.isatty() and sys.stdin.isatty():
        return _on_terminal(command)
    return _on_pipes(command)


def _missing(program: str, error: OSError) -> UsageError:
    return UsageError(f"{program}: {error.strerror or error}", hint="check its name, and that its folder is on PATH")


def _status(code: int) -> int:
    return 128 - code if code < 0 else code


def _on_pipes(command: Sequence[str]) -> Finished:
    try:
        process = subprocess.Popen(list(command), stdout=subprocess.PIPE, stderr=subprocess.PIPE)  # noqa: S603 - asked for
    except OSError as error:
        raise _missing(command[0], error) from None
    tail = _Tail()
    with _signals_to(process.pid), selectors.DefaultSelector() as selector:
        for stream, target in ((process.stdout, 1), (process.stderr, 2)):
            if stream is not None:
                selector.register(stream, selectors.EVENT_READ, target)
        while selector.get_map():
            for key, _ in selector.select():
                data = os.read(key.fd, _CHUNK)
                if not data:
                    selector.unregister(key.fileobj)
                    continue
                tail.add(data)
                _write(key.data, data)
        return Finished(_status(process.wait()), tail.text())


def _on_terminal(command: Sequence[str]) -> Finished:
    import pty
    import termios
    import tty

    tail = _Tail()
    with _endings() as endings:
        told, tell = os.pipe()
        child, terminal = pty.fork()
        if child == 0:
            try:
                os.execvp(command[0], list(command))  # noqa: S606 - asked for
            except OSError as error:
                os.write(tell, str(error.errno).encode())
            finally:
                os._exit(127)
        os.close(tell)
        with os.fdopen(told, "rb") as failure:
            # The handle closes by itself when the program begins.
            reason = failure.read()
        if reason:
            os.waitpid(child, 0)
            os.close(terminal)
            raise _missing(command[0], OSError(int(reason), os.strerror(int(reason))))
        keyboard = sys.stdin.fileno()
        before = termios.tcgetattr(keyboard)
        try:
            _copy_size(terminal)
            tty.setraw(keyboard, termios.TCSADRAIN)  # the default would throw away what was typed ahead
            with _signals_to(child), _sizes_to(terminal):
                ended = _copy(keyboard, terminal, child, endings, tail)
        finally:
            termios.tcsetattr(keyboard, termios.TCSADRAIN, before)
            os.close(terminal)
    return Finished(_status(os.waitstatus_to_exitcode(ended)), tail.text())


def _copy(keyboard: int, terminal: int, child: int, endings: int, tail: _Tail) -> int:
    """Keys in, output out, until the command has closed its terminal or has ended; how it ended.

    What it leaves running in the background may keep the terminal open for ever, so that its end alone counts.
    """
    with selectors.DefaultSelector() as selector:
        for handle in (terminal, keyboard, endings):
            selector.register(handle, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                data = _read(key.fd)
                if key.fd == endings:
                    ended, status = os.waitpid(child, os.WNOHANG)
                    if ended:
                        _drain(terminal, tail)
                        return status
                elif key.fd == terminal:
                    if not data:
                        return os.waitpid(child, 0)[1]
                    tail.add(data)
                    _write(1, data)
                elif data:
                    _write(terminal, data)
                else:
                    selector.unregister(keyboard)


def _drain(terminal: int, tail: _Tail) -> None:
    """What the command printed last may still be on its way through the terminal."""
    waited = 0.0
    with selectors.DefaultSelector() as selector:
        selector.register(terminal, selectors.EVENT_READ)
        while waited < _LAST_WORDS:
            began = time.monotonic()
            ready = selector.select(_SILENCE)
            waited += time.monotonic() - began
            data = _read(terminal) if ready else b""
            if not data:
                return
            tail.add(data)
            _write(1, data)


def _read(handle: int) -> bytes:
    try:
        return os.read(handle, _CHUNK)
    except OSError:
        # Linux reports the closed end of a pty as an input error.
        return b""


@contextlib.contextmanager
def _endings() -> Iterator[int]:
    """A handle that can be read once a child has ended, or another signal has come."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    watched = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    before = signal.signal(signal.SIGCHLD, lambda *_: None)
    try:
        yield reader
    finally:
        signal.signal(signal.SIGCHLD, before)
        signal.set_wakeup_fd(watched)
        os.close(reader)
        os.close(writer)


def _write(target: int, data: bytes) -> None:
    """All of it; a reader that has gone away is the command's business, which hears of it at its own next write."""
    view = memoryview(data)
    with contextlib.suppress(BrokenPipeError):
        while view:
            view = view[os.write(target, view) :]


def _copy_size(terminal: int) -> None:
    import fcntl
    import termios

    with contextlib.suppress(OSError):
        size = fcntl.ioctl(sys.stdin.fileno(), termios.TIOCGWINSZ, b"\0" * 8)
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, size)


@contextlib.contextmanager
def _sizes_to(terminal: int) -> Iterator[None]:
    def resized(_number: int, _frame: FrameType | None) -> None:
        _copy_size(terminal)

    before = signal.signal(signal.SIGWINCH, resized)
    try:
        yield
    finally:
        signal.signal(signal.SIGWINCH, before)


@contextlib.contextmanager
def _signals_to(child: int) -> Iterator[None]:
    """Signals meant for the command reach it; Ctrl-C reaches it from the terminal, and must not end us before it."""

    def forward(number: int, _frame: FrameType | None) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, number)

    before = {}
    for name in _FORWARDED:
        number = getattr(signal, name, None)
        if number is not None:
            before[number] = signal.signal(number, forward)
    # Handled, not ignored: an ignored signal would be inherited by what is started later.
    before[signal.SIGINT] = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
