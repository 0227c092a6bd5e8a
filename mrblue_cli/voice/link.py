"""The connection under a talk: opens it, carries events both ways, says when it is up and when it is gone."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Any, Protocol

from mrblue_cli.core.clock import Clock
from mrblue_cli.core.errors import MrBlueError
from mrblue_cli.protocol.client_events import ClientEvent
from mrblue_cli.protocol.server_events import ServerEvent, SessionCreated
from mrblue_cli.voice.rungs import Rung, Transport


class _Talk(Protocol):
    """What the link needs of the session."""

    def link_up(self, rung: Rung, created: SessionCreated) -> None:
        """A session was opened on `rung`; everything sent from here on goes there."""
        ...

    def receive(self, event: ServerEvent) -> None:
        """The server said something."""
        ...


class Link:
    """Keeps the talk connected."""

    def __init__(self, talk: _Talk, rungs: Sequence[Rung], *, clock: Clock) -> None:
        assert rungs, "a talk needs at least one rung"  # noqa: S101 - a programming error
        self._talk = talk
        self._rungs = tuple(rungs)
        self._clock = clock
        self._transport: Transport | None = None
        self._outbox: asyncio.Queue[ClientEvent] = asyncio.Queue()
        self.rung = self._rungs[0]
        """The rung in use, or being tried."""

    def send(self, *events: ClientEvent) -> None:
        """Send events, in order, as soon as the connection takes them."""
        for event in events:
            self._outbox.put_nowait(event)

    async def run(self, may_begin: asyncio.Event) -> None:
        """Connect and carry events until the connection ends; raises the `MrBlueError` that says why.

        The first session is announced when `may_begin` is set: the devices open meanwhile.
        """
        self._transport = await self.rung.connect()
        await may_begin.wait()
        self._talk.link_up(self.rung, self._transport.created)
        jobs = [asyncio.ensure_future(job) for job in (self._read(self._transport), self._write(self._transport))]
        try:
            await asyncio.wait(jobs, return_when=asyncio.FIRST_COMPLETED)
            for job in jobs:
                if job.done():
                    job.result()
        finally:
            await stop(jobs)

    async def close(self) -> None:
        """Say goodbye; safe to call again."""
        if self._transport is not None:
            with contextlib.suppress(MrBlueError, OSError):
                await self._transport.close()

    async def _read(self, transport: Transport) -> None:
        async for event in transport:
            self._talk.receive(event)
        raise transport.lost_error()

    async def _write(self, transport: Transport) -> None:
        while True:
            await transport.send(await self._outbox.get())


async def stop(jobs: Sequence[asyncio.Future[Any]]) -> None:
    """Cancel tasks and wait for their end."""
    for job in jobs:
        job.cancel()
    for job in jobs:
        with contextlib.suppress(asyncio.CancelledError, MrBlueError):
            await job
