"""A Realtime service on a real loopback socket that fails on request: closes, aborts, goes silent, refuses, dies."""

from __future__ import annotations

import asyncio
import http
import random
import time
from typing import Any

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from mrblue_cli.protocol.codec import GaCodec
from mrblue_cli.protocol.server_events import Error, ErrorDetail
from tests.fakes.cut_server import CutServer


class Service:
    """Speaks as `tests.fakes.cut_server` does: it hears marks, answers what it was told, transcribes late."""

    def __init__(self, seed: int = 1, *, session_seconds: int = 0) -> None:
        self._chance = random.Random(seed)
        self._codec = GaCodec()
        self._session_seconds = session_seconds
        self._server: Server | None = None
        self._port = 0
        self._open: dict[ServerConnection, asyncio.Future[None]] = {}
        self.refuse: int | None = None
        """Answer the upgrade with this HTTP status."""
        self.sessions = 0

    @property
    def url(self) -> str:
        """Where it listens, up or down."""
        return f"ws://127.0.0.1:{self._port}/v1/realtime"

    async def up(self) -> None:
        """Listen; always on the same port."""
        self._server = await serve(
            self._one, "127.0.0.1", self._port, process_request=self._gate, compression=None, ping_interval=None
        )
        self._port = next(iter(self._server.sockets)).getsockname()[1]

    async def down(self) -> None:
        """Listen no more, and break every connection."""
        if self._server is not None:
            self._server.close(close_connections=False)
            self.abort()
            await self._server.wait_closed()

    def abort(self) -> None:
        """Break every connection without a word."""
        for socket in self._open:
            socket.transport.abort()

    async def close(self, code: int | None) -> None:
        """End every connection with this code; None: with none (the other side sees 1005)."""
        for socket in tuple(self._open):
            if code is None:
                async with socket.send_context():
                    socket.protocol.send_close()
            else:
                await socket.close(code, "bench")

    def stall(self) -> None:
        """Neither read nor write any more, and keep the connections."""
        for socket, speaking in self._open.items():
            speaking.cancel()
            socket.transport.pause_reading()

    async def tell_error(self, code: str, message: str) -> None:
        """An error event on every connection."""
        text = self._codec.encode_server(Error(error=ErrorDetail(code=code, message=message)))
        for socket in tuple(self._open):
            await socket.send(str(text))

    def _gate(self, connection: ServerConnection, _request: Any) -> Any:
        if self.refuse is None:
            return None
        return connection.respond(http.HTTPStatus(self.refuse), "no\n")

    async def _one(self, socket: ServerConnection) -> None:
        self.sessions += 1
        expires = int(time.time()) + self._session_seconds if self._session_seconds else 0
        server = CutServer(self._chance, expires_at=expires)
        await socket.send(str(self._codec.encode_server(server.created)))

        async def speak() -> None:
            async for event in server:
                await socket.send(str(self._codec.encode_server(event)))

        self._open[socket] = asyncio.ensure_future(speak())
        ending = None
        if self._session_seconds:
            ending = asyncio.ensure_future(self._expire(socket))
        try:
            async for message in socket:
                await server.send(self._codec.decode_client(message))
        except ConnectionClosed:
            pass
        finally:
            speaking = self._open.pop(socket)
            jobs = [speaking, *([ending] if ending is not None else [])]
            for job in jobs:
                job.cancel()
            await asyncio.gather(*jobs, return_exceptions=True)
            await server.close()

    async def _expire(self, socket: ServerConnection) -> None:
        await asyncio.sleep(self._session_seconds)
        await socket.close(1001, "the session reached its maximum duration")
