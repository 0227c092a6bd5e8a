"""One process that serves: the gateway under uvicorn, stopped gracefully, given other options while it runs."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import socket
from collections.abc import Callable
from typing import Any

from mrblue_cli.core.errors import MrBlueError
from mrblue_cli.gateway.gateway import FIXED, Gateway
from mrblue_cli.gateway.options import GatewayOptions

DRAIN = 10.0
"""Seconds that requests under way get when the gateway stops."""
FAREWELL = 2.0
"""Seconds after that for telling whoever still waits, and for writing the account."""


class Serving:
    """A gateway behind a listening socket."""

    def __init__(self, options: GatewayOptions, listener: socket.socket) -> None:
        """Raises `ConfigError` for options that cannot work."""
        self.gateway = Gateway(options)
        self._listener = listener
        self._asked = asyncio.Event()
        self._hurry = asyncio.Event()
        self._changing = asyncio.Lock()

    async def run(self, ready: Callable[[], None]) -> None:
        """Serve until `stop`. Raises `MrBlueError` when it cannot start."""
        import uvicorn

        from mrblue_cli.gateway.server.app import build_app
        from mrblue_cli.gateway.server.protocol import SERVER_OPTIONS

        gateway = self.gateway
        for name in ("uvicorn.error", "asyncio"):
            gateway.log.take_over(name)
            logging.getLogger(name).setLevel(logging.ERROR)
        await gateway.start()
        # The gateway is opened and closed here, where its errors can be told; uvicorn would only log them.
        config = uvicorn.Config(
            build_app(gateway),
            lifespan="off",
            **SERVER_OPTIONS,
            timeout_keep_alive=75,
        )
        config.load()
        server = uvicorn.Server(config)
        server.lifespan = config.lifespan_class(config)
        try:
            await server.startup(sockets=[self._listener])
            # What is loaded by now stays: looking through it for garbage would stop every stream for some milliseconds.
            gc.collect()
            gc.freeze()
            ready()
            ticking = asyncio.create_task(server.main_loop())
            await self._asked.wait()
            server.should_exit = True
            await ticking
            await self._end(server)
        finally:
            await gateway.close()

    def stop(self) -> None:
        """Take no more requests, and end when those under way are done."""
        self._asked.set()

    def hurry(self) -> None:
        """Do not wait for those under way any longer."""
        self._asked.set()
        self._hurry.set()

    async def apply(self, read: Callable[[], GatewayOptions]) -> None:
        """Serve by other options from now on. Raises `MrBlueError`; then nothing has changed."""
        async with self._changing:
            await self.gateway.reload(await asyncio.to_thread(read))

    async def _end(self, server: Any) -> None:
        """Let requests finish, then end them with a word, then leave whoever still holds on."""
        closing = asyncio.create_task(server.shutdown(sockets=[self._listener]))
        hurry = asyncio.create_task(self._hurry.wait())
        try:
            await asyncio.wait({closing, hurry}, timeout=DRAIN, return_when=asyncio.FIRST_COMPLETED)
            if not closing.done():
                self.gateway.stopping = True
                server.force_exit = True
                tasks = set(server.server_state.tasks)
                for task in tasks:
                    task.cancel()
                if tasks:
                    await asyncio.wait(tasks, timeout=FAREWELL)
        finally:
            hurry.cancel()
            closing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await closing


def report_reload(say: Callable[..., None], running: GatewayOptions, wanted: GatewayOptions) -> None:
    """One line: what is served from now on, and what has to wait for a restart."""
    models = len({model.name for one in wanted.providers for model in one.models})
    line = f"reloaded: {_count(len(wanted.providers), 'provider')}, {_count(models, 'model')}"
    waits = [name for name in FIXED if getattr(running, name) != getattr(wanted, name)]
    if waits:
        say(f"{line}; only a restart changes {', '.join(waits)}", level="warning")
    else:
        say(line)


def report_refusal(say: Callable[..., None], error: MrBlueError) -> None:
    """One line: why the configuration before stays in force."""
    first, *rest = [part.strip() for part in error.what.split("\n")]
    what = f"{first}: {'; '.join(rest)}" if rest else first
    hint = f" ({error.hint})" if error.hint else ""
    say(f"reload refused, the configuration before stays in force: {what}{hint}", level="error")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
