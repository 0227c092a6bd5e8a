"""The embedded engine as a child process: its models never make the screen wait, and it dies with its parent."""

from __future__ import annotations

import asyncio
import contextlib
import re
import sys
from pathlib import Path

from mrblue_cli.core.errors import ConnectError, MrBlueError, ProviderError
from mrblue_cli.core.texts import tell

READY = re.compile(r"^mrblue engine ready on (?P<url>\S+) token (?P<token>\S+)$")
START_SECONDS = 30.0


class EngineProcess:
    """Starts `mrblue engine` on a free port. Closing its standard input ends it, also when we are killed."""

    def __init__(self, process: asyncio.subprocess.Process, url: str, token: str) -> None:
        self._process = process
        self.url = url
        self.token = token

    @property
    def alive(self) -> bool:
        """False once it ended, however that came about."""
        return self._process.returncode is None

    @classmethod
    async def start(cls, config: Path | None = None, *, language: str = "") -> EngineProcess:
        """Start it and return as soon as it listens; its models load meanwhile. Raises what it reports.

        `language`: two-letter code of the talk; empty: that of the settings.
        """
        command = [sys.executable, "-m", "mrblue_cli"]
        if config is not None:
            command += ["--config", str(config)]
        process = await asyncio.create_subprocess_exec(
            *command, "engine", "--port", "0", "--parent-pipe", *(("--language", language) if language else ()),
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        try:
            async with asyncio.timeout(START_SECONDS):
                line = (await _pipe(process.stdout).readline()).decode().strip()
                ready = READY.match(line)
                if ready is None:
                    raise await _failure(process)
        except TimeoutError:
            process.kill()
            what = tell("the engine did not start within {seconds} s", seconds=f"{START_SECONDS:.0f}")
            raise ConnectError(what, hint=tell("see why with: mrblue engine")) from None
        except asyncio.CancelledError:
            process.kill()
            raise
        return cls(process, ready["url"], ready["token"])

    async def close(self) -> None:
        """End it: politely, then not."""
        if self._process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError, OSError):
            _writer(self._process.stdin).close()
        try:
            async with asyncio.timeout(3):
                await self._process.wait()
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()


async def _failure(process: asyncio.subprocess.Process) -> MrBlueError:
    """The child's own two lines of error, as our error."""
    said = (await _pipe(process.stderr).read()).decode(errors="replace").strip().splitlines()
    await process.wait()
    lines = [line.strip() for line in said if line.strip()]
    what = next((line.removeprefix("mrblue: ") for line in lines if line.startswith("mrblue: ")), "")
    hint = next((line.removeprefix("→ ") for line in lines if line.startswith("→ ")), "")
    why = what or (lines[-1] if lines else tell("it said nothing"))
    return ProviderError(
        tell("the engine cannot start: {why}", why=why), hint=hint or tell("see why with: mrblue engine")
    )


def _pipe(pipe: asyncio.StreamReader | None) -> asyncio.StreamReader:
    assert pipe is not None  # noqa: S101 - asked for above
    return pipe


def _writer(pipe: asyncio.StreamWriter | None) -> asyncio.StreamWriter:
    assert pipe is not None  # noqa: S101 - asked for above
    return pipe
