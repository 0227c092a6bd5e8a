"""A real Redis of the tests' own: started on a free port, stopped by its pid, nothing written to disk."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import threading
from pathlib import Path

import pytest

PROGRAM = shutil.which("redis-server")
needs_redis = pytest.mark.skipif(
    PROGRAM is None, reason="redis-server is not installed (Debian, Ubuntu: apt-get install redis-server)"
)


class RedisServer:
    """`redis-server` as a child process. `stop` and `start` keep the port, so that an outage can be played."""

    def __init__(self, folder: Path, *, password: str = "") -> None:
        self._folder = folder
        self._password = password
        self._process: subprocess.Popen[str] | None = None
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]

    @property
    def url(self) -> str:
        login = f":{self._password}@" if self._password else ""
        return f"redis://{login}127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Returns when it takes connections."""
        assert PROGRAM is not None
        command = [PROGRAM, "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        command += ["--dir", str(self._folder), "--loglevel", "notice"]
        if self._password:
            command += ["--requirepass", self._password]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self._process = process
        assert process.stdout is not None
        guard = threading.Timer(20.0, process.kill)
        guard.start()
        said = []
        for line in process.stdout:
            said.append(line)
            if "Ready to accept connections" in line:
                guard.cancel()
                return
        guard.cancel()
        raise AssertionError("redis-server did not start:\n" + "".join(said))

    def stop(self) -> None:
        """Kill it on the spot; connections are reset."""
        self._end(signal.SIGKILL)

    def freeze(self) -> None:
        """Keep the connections open and answer nothing."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Go on."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def _end(self, how: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(how)
        process.wait(20)
        if process.stdout is not None:
            process.stdout.close()
