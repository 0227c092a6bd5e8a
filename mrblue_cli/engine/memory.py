"""The engine in this process: a connection without a socket, for the rungs that need no models of their own."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable

from mrblue_cli.core.errors import ConnectError, RemoteError
from mrblue_cli.core.ids import IdSource, RandomIds
from mrblue_cli.engine.health import Health
from mrblue_cli.engine.session import EngineParts, EngineSession
from mrblue_cli.protocol.client_events import ClientEvent
from mrblue_cli.protocol.notices import Dialect
from mrblue_cli.protocol.server_events import ResponseDone, ServerEvent, SessionCreated
from mrblue_cli.protocol.session import Session

SESSION_SECONDS = 365 * 24 * 3600
"""Nothing here runs out; the protocol wants a time."""


class MemoryTransport:
    """One session, carried in memory. It ends when it is closed, or when what it stands on is gone for good."""

    dialect = Dialect.GA
    created: SessionCreated

    def __init__(
        self, parts: EngineParts, defaults: Session, *, ids: IdSource, expires_at: int, health: Health
    ) -> None:
        self._health = health
        self._events: asyncio.Queue[ServerEvent | None] = asyncio.Queue()
        self._over = False
        self._gone: ConnectError | None = None
        self._session = EngineSession(parts, defaults, ids=ids, expires_at=expires_at, send=self._put, lost=self._lose)
        self._session.open()
        created = self._events.get_nowait()
        assert isinstance(created, SessionCreated)  # noqa: S101 - what a session says first
        self.created = created

    async def send(self, *events: ClientEvent) -> None:
        """Send events in order; raises `ConnectError` when the session is over."""
        for event in events:
            if self._over:
                raise self.lost_error()
            self._session.receive(event)

    def __aiter__(self) -> AsyncIterator[ServerEvent]:
        return self._iterate()

    async def _iterate(self) -> AsyncIterator[ServerEvent]:
        while (event := await self._events.get()) is not None:
            yield event
        self._events.put_nowait(None)  # whoever reads again sees the end again

    def lost_error(self) -> ConnectError:
        """Why it ended."""
        return self._gone or ConnectError("the session is closed", retryable=False)

    async def close(self) -> None:
        """Stop all its work; safe to call again."""
        self._end()
        await self._session.close()

    def _put(self, event: ServerEvent) -> None:
        if self._over:
            return
        if isinstance(event, ResponseDone) and event.response.status == "completed" and event.response.output:
            self._health.succeeded()
        self._events.put_nowait(event)

    def _lose(self, error: RemoteError) -> bool:
        gone = self._health.failed(error)
        if gone is None:
            return False
        self._gone = self._gone or gone
        self._end()
        return True

    def _end(self) -> None:
        if not self._over:
            self._over = True
            self._events.put_nowait(None)


class MemoryEngine:
    """Opens sessions in this process. `parts` are shared by them, as by the sessions of a server.

    `at_close` lets go of what the brain holds.
    """

    def __init__(
        self,
        parts: EngineParts,
        defaults: Session,
        *,
        ids: IdSource | None = None,
        unix_now: Callable[[], float] = time.time,
        at_close: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._at_close = at_close
        self._parts = parts
        self._defaults = defaults
        self._health = Health()
        self._ids = ids or RandomIds()
        self._unix_now = unix_now

    async def open(self) -> MemoryTransport:
        """A new session, once what it stands on is ready; raises `MrBlueError`."""
        await self._parts.speech.warm()
        expires_at = int(self._unix_now()) + SESSION_SECONDS
        return MemoryTransport(self._parts, self._defaults, ids=self._ids, expires_at=expires_at, health=self._health)

    async def close(self) -> None:
        """Let go of connections and models; safe to call again."""
        await self._parts.speech.close()
        if self._at_close is not None:
            await self._at_close()
