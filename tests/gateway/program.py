"""`mrblue gateway` as a process of its own: the real program, its signals, and its log."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import aiohttp
import psutil

from tests.program import environment

PATIENCE = 20.0
"""Seconds after which something that does not happen has failed."""


async def until(condition: Callable[[], bool], what: str) -> None:
    """Look until it is so. Whoever waits for another process can only look."""
    try:
        async with asyncio.timeout(PATIENCE):
            while not condition():
                await asyncio.sleep(0.01)
    except TimeoutError:
        raise AssertionError(f"never: {what}") from None


class Program:
    """A gateway that serves."""

    def __init__(self, process: subprocess.Popen[bytes], address: str, log: Path):
        self.process, self.address, self._log = process, address, log
        self.chat = f"{address}/v1/chat/completions"

    @property
    def log(self) -> str:
        """What it wrote to standard error so far."""
        return self._log.read_text()

    async def says(self, words: str) -> str:
        """Wait for a line with these words; returns the line."""

        def line() -> str | None:
            return next((one for one in self.log.splitlines() if words in one), None)

        try:
            await until(lambda: line() is not None, words)
        except AssertionError as error:
            raise AssertionError(f"{error}; it said:\n{self.log}") from None
        return line() or ""

    def send(self, number: int) -> None:
        """A signal."""
        self.process.send_signal(number)

    async def ended(self) -> int:
        """Its exit code, once it has ended."""
        await until(lambda: self.process.poll() is not None, "the end of the program")
        return int(self.process.returncode)

    async def refuses(self) -> None:
        """Wait until it takes no connections any more."""
        host, port = self.address.removeprefix("http://").split(":")

        def refused() -> bool:
            with socket.socket() as probe:
                return probe.connect_ex((host, int(port))) != 0

        await until(refused, "connections are refused")

    def workers(self) -> list[int]:
        """The process ids of its living children."""
        living = []
        with contextlib.suppress(psutil.NoSuchProcess):  # it has ended, and has none
            for child in psutil.Process(self.process.pid).children():
                with contextlib.suppress(psutil.NoSuchProcess):  # gone while we looked
                    if child.status() != psutil.STATUS_ZOMBIE:
                        living.append(child.pid)
        return living


@contextlib.asynccontextmanager
async def gateway_program(
    folder: Path, *args: str, config: str = "", **variables: str | None
) -> AsyncIterator[Program]:
    """`mrblue gateway` on a free port with its state under `folder`; `config` is the text of its file."""
    command = ["--port", "0", "--state", str(folder / "state"), *args]
    if config:
        write_config(folder, config)
        command += ["--config", str(folder / "gateway.toml")]
    log, out = folder / "log.txt", folder / "out.txt"
    with log.open("w") as said, out.open("w") as printed:
        process = subprocess.Popen(  # noqa: ASYNC220 - starting it takes no time worth an await
            [sys.executable, "-m", "mrblue_cli", "gateway", *command],
            stdin=subprocess.DEVNULL, stdout=printed, stderr=said, env=environment(**variables), start_new_session=True,
        )  # fmt: skip
    family: list[int] = []
    try:
        await until(lambda: out.read_text().endswith("\n") or process.poll() is not None, "the ready line")
        line = out.read_text()
        assert line.startswith("mrblue gateway ready on http://"), f"{line!r}; it said:\n{log.read_text()}"
        program = Program(process, line.split()[-1], log)
        family = program.workers()
        yield program
    finally:
        if process.poll() is None:
            process.kill()
            process.wait(PATIENCE)
        for pid in family:
            with contextlib.suppress(ProcessLookupError, psutil.NoSuchProcess):
                if psutil.Process(pid).cmdline()[1:3] == ["-m", "mrblue_cli"]:
                    os.kill(pid, signal.SIGKILL)  # one that outlived its supervisor fails its test, not the next one


def write_config(folder: Path, text: str) -> None:
    """Put the configuration in place, at once and whole."""
    (folder / "draft").write_text(text)
    (folder / "draft").replace(folder / "gateway.toml")


def config_for(url: str, *models: str, more: str = "") -> str:
    """One provider at `url`; a call of 12 + 10 tokens costs 156 millionths of a dollar."""
    rows = ", ".join(f'{{name = "{name}", input_price = 3.0, output_price = 12.0}}' for name in models or ("m-1",))
    return (
        f"{more}\n[caching]\nenabled = false\n[failover]\nmax_retries = 0\n"
        f'[[providers]]\nname = "p"\nkind = "openai-compatible"\nbase_url = "{url}"\nmodels = [{rows}]\n'
    )


def session() -> aiohttp.ClientSession:
    """A client without a connection pool: with one, a worker would get all requests or none."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(force_close=True, limit=0), timeout=aiohttp.ClientTimeout(total=PATIENCE)
    )
