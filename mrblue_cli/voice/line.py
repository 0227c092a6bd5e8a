"""One open connection: a reader and a writer from the moment it stands, so that nothing that arrives is lost."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from mrblue_cli.core.errors import ConnectError, MrBlueError
from mrblue_cli.core.texts import tell
from mrblue_cli.protocol.client_events import ClientEvent
from mrblue_cli.protocol.server_events import Error, ServerEvent, SessionUpdated
from mrblue_cli.voice.legs import Leg
from mrblue_cli.voice.rungs import Transport

CONFIGURED_SECONDS = 2.0
"""A server that never confirms its settings is talked to all the same."""
_DRAIN_SECONDS = 1.0


class Line:
    """Carries events both ways. What arrives before `go_live` waits, and is told then."""

    def __init__(
        self,
        transport: Transport,
        leg: Leg,
        rung: int,
        *,
        receive: Callable[[ServerEvent], None],
        may_send: Callable[[], Awaitable[None]],
    ) -> None:
        self.transport = transport
        self.leg = leg
        self.rung = rung
        self._receive = receive
        self._may_send = may_send
        self._live = False
        self._early: list[ServerEvent] = []
        self._outbox: asyncio.Queue[ClientEvent] = asyncio.Queue()
        self._taken = asyncio.Event()
        self._failed: asyncio.Future[MrBlueError] = asyncio.get_running_loop().create_future()
        self._reader: asyncio.Future[MrBlueError] = asyncio.ensure_future(self._read())
        self._writer: asyncio.Future[MrBlueError] = asyncio.ensure_future(self._write())

    @property
    def alive(self) -> bool:
        """The connection stands, as far as is known."""
        return not (self._reader.done() or self._writer.done() or self._failed.done())

    def send(self, *events: ClientEvent) -> None:
        """Send events, in order, as soon as the connection takes them."""
        for event in events:
            self._outbox.put_nowait(event)

    def fail(self, error: MrBlueError) -> None:
        """Treat the connection as lost, for this reason."""
        if not self._failed.done():
            self._failed.set_result(error)

    async def configured(self) -> None:
        """Wait until the server has taken its settings. Raises the `MrBlueError` that ended the connection instead."""
        taken: asyncio.Future[Any] = asyncio.ensure_future(self._taken.wait())
        jobs: list[asyncio.Future[Any]] = [taken, self._reader, self._writer]
        try:
            await asyncio.wait(jobs, timeout=CONFIGURED_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await stop([taken])
        if not self.alive:
            raise await self.ended()

    def go_live(self) -> None:
        """From here on events are told as they arrive."""
        early, self._early = self._early, []
        self._live = True
        for event in early:
            self._receive(event)

    async def ended(self) -> MrBlueError:
        """Wait for the end and return its reason. What a listener raises about an event is raised here."""
        jobs: list[asyncio.Future[Any]] = [self._reader, self._writer, self._failed]
        await asyncio.wait(jobs, return_when=asyncio.FIRST_COMPLETED)
        if not self._reader.done() and not self._failed.done():
            # Sending failed first: what had arrived by then still counts.
            await asyncio.wait([self._reader], timeout=_DRAIN_SECONDS)
        if self._failed.done():
            return self._failed.result()
        return self._reader.result() if self._reader.done() else self._writer.result()

    async def close(self) -> None:
        """Stop both and say goodbye."""
        await stop([self._reader, self._writer])
        with contextlib.suppress(MrBlueError, OSError):
            await self.transport.close()

    async def _read(self) -> MrBlueError:
        async for event in self.transport:
            if isinstance(event, SessionUpdated):
                self._taken.set()
            if isinstance(event, Error) and event.error.code == "session_expired":
                # The close that follows may come late, or with a code that would keep us out.
                return ConnectError(tell("the session reached its greatest age"), retryable=True)
            if self._live:
                self._receive(event)
            else:
                self._early.append(event)
        return self.transport.lost_error()

    async def _write(self) -> MrBlueError:
        while True:
            event = await self._outbox.get()
            await self._may_send()
            try:
                await self.transport.send(event)
            except MrBlueError as error:
                return error


async def stop(jobs: Sequence[asyncio.Future[Any]]) -> None:
    """Cancel tasks and wait for their end."""
    for job in jobs:
        job.cancel()
    for job in jobs:
        with contextlib.suppress(asyncio.CancelledError, MrBlueError):
            await job
