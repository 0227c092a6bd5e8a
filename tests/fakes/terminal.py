"""A terminal for a program under test: a real pty, with somebody who reads and types."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import termios
import time
from contextlib import suppress

PATIENCE = 30.0
"""Seconds after which a test gives up on what should come at once; reached only when something is broken."""


class Terminal:
    """Runs a command on a pty of its own, in a session of its own. Use it with `with`."""

    def __init__(self, command, *, env, cwd=None, rows=31, columns=117):
        self.seen = b""
        self.status = None
        """As a shell tells it, once it has ended."""
        self.pid, self.handle = pty.fork()
        if self.pid == 0:
            try:
                if cwd is not None:
                    os.chdir(cwd)
                fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
                os.execvpe(command[0], list(command), env)  # noqa: S606 - a test's own command
            finally:
                os._exit(127)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.status is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self.handle)

    @property
    def text(self):
        """What was shown so far."""
        return self.seen.decode("utf-8", "replace").replace("\r\n", "\n")

    def type(self, keys):
        """Press keys."""
        data = keys.encode() if isinstance(keys, str) else keys
        while data:
            data = data[os.write(self.handle, data) :]

    def resize(self, rows, columns):
        """Change the size; the program gets SIGWINCH."""
        fcntl.ioctl(self.handle, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def read(self):
        """Take what is there; False at the end."""
        ready, _, _ = select.select([self.handle], [], [], 0.05)
        if not ready:
            return True
        try:
            data = os.read(self.handle, 65_536)
        except OSError:
            data = b""
        self.seen += data
        return bool(data)

    def expect(self, text, *, after=0):
        """Read until the text was shown at or after a place; gives the place behind it."""
        wanted = text.encode()
        end = time.monotonic() + PATIENCE
        while wanted not in self.seen[after:]:
            if not self.read() or time.monotonic() > end:
                raise AssertionError(f"{text!r} was not shown:\n{self.text}")
        return self.seen.index(wanted, after) + len(wanted)

    def until(self, holds):
        """Keep the terminal flowing until something holds outside of it."""
        end = time.monotonic() + PATIENCE
        while not holds():
            if time.monotonic() > end:
                raise AssertionError(f"it never came to hold:\n{self.text}")
            self.read()

    def wait(self):
        """Read to the end; the exit status."""
        end = time.monotonic() + PATIENCE
        while self.read():
            if time.monotonic() > end:
                raise AssertionError(f"it does not end:\n{self.text}")
        _, ended = os.waitpid(self.pid, 0)
        code = os.waitstatus_to_exitcode(ended)
        self.status = 128 - code if code < 0 else code
        return self.status
