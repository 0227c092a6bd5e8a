"""A provider on 127.0.0.1 that answers, or fails, as its script says: bytes on a real socket, so that it can lie.

    async with Upstream([failing(503), answer(60)]) as first:
        ...  # first.url is the base URL, first.calls what it was asked, first.reported what it said it used

A script is one behaviour for ever, a list (the last one stays), or a function of the call. Behaviours are in
`upstream_behaviours`; each is an async function of an `Exchange`.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import struct
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

REASONS = {200: "OK", 400: "Bad Request", 401: "Unauthorized", 404: "Not Found", 429: "Too Many Requests"}
GONE = (ConnectionError, asyncio.IncompleteReadError, TimeoutError)
"""What the peer's leaving looks like."""


class Asked(NamedTuple):
    """One call as it came in; `at` is the loop's time in seconds."""

    number: int
    at: float
    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self):
        """The body as JSON."""
        return json.loads(self.body)


class Said(NamedTuple):
    """Usage that was reported to the caller."""

    input: int
    output: int
    cached: int = 0


class Exchange:
    """One call and the means to answer it."""

    def __init__(self, upstream: Upstream, asked: Asked, reader, writer):
        self.upstream, self.asked, self._reader, self._writer = upstream, asked, reader, writer
        self.open = True
        """Whether the connection may carry another call afterwards."""

    async def send(self, status: int, body: bytes, headers: dict[str, str] | None = None):
        """A whole answer."""
        head = {"content-type": "application/json", "content-length": str(len(body)), **(headers or {})}
        self._write_head(status, head)
        self._writer.write(body)
        await self._writer.drain()

    async def begin(self, status: int = 200, headers: dict[str, str] | None = None):
        """The head of an answer in chunks."""
        self._write_head(
            status, {"content-type": "text/event-stream", "transfer-encoding": "chunked", **(headers or {})}
        )
        await self._writer.drain()

    async def write(self, data: bytes):
        """One chunk."""
        self._writer.write(b"%x\r\n%s\r\n" % (len(data), data))
        await self._writer.drain()

    async def end(self):
        """The end of an answer in chunks, as HTTP has it."""
        self._writer.write(b"0\r\n\r\n")
        await self._writer.drain()

    async def hang_up(self):
        """Close in the middle: FIN, and no last chunk."""
        self.open = False

    async def reset(self):
        """Close rudely: with this option the kernel sends RST instead of FIN."""
        self.open = False
        peer = self._writer.get_extra_info("socket")
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    async def gone(self):
        """Wait until the peer gives up."""
        self.open = False
        self.upstream.waiting += 1
        try:
            with contextlib.suppress(*GONE):
                await self._reader.read()
        finally:
            self.upstream.waiting -= 1

    def report(self, usage: Said):
        """Note what the caller is being told."""
        self.upstream.reported.append(usage)

    def _write_head(self, status: int, headers: dict[str, str]):
        lines = [f"HTTP/1.1 {status} {REASONS.get(status, 'Status')}", *(f"{n}: {v}" for n, v in headers.items())]
        self._writer.write("\r\n".join(lines).encode() + b"\r\n\r\n")


Behaviour = Callable[[Exchange], Awaitable[None]]
Script = Behaviour | Sequence[Behaviour] | None


class Upstream:
    """The server. `choose`, when given, picks a behaviour from what was asked, instead of a script."""

    def __init__(self, script: Script = None, *, choose: Callable[[Asked], Behaviour] | None = None):
        self.script, self.choose = script, choose
        self.calls: list[Asked] = []
        self.reported: list[Said] = []
        self.connections = 0
        self.waiting = 0
        """Calls that wait for the peer to give up."""
        self._tasks: set[asyncio.Task] = set()
        self._broken: list[BaseException] = []

    async def __aenter__(self):
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0, limit=1 << 20)
        self.port = self._server.sockets[0].getsockname()[1]
        self.origin = f"http://127.0.0.1:{self.port}"
        self.url = f"{self.origin}/v1"
        return self

    async def __aexit__(self, *_):
        self._server.close()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()
        if self._broken:
            raise self._broken[0]  # a fake that fails must not look like a fault that was played

    @property
    def count(self) -> int:
        """Calls so far."""
        return len(self.calls)

    async def _connected(self, reader, writer):
        task = asyncio.current_task()
        self._tasks.add(task)
        self.connections += 1
        try:
            with contextlib.suppress(*GONE):
                while await self._one(reader, writer):
                    pass
        except asyncio.CancelledError:
            pass  # the test is over
        except BaseException as error:
            self._broken.append(error)
        finally:
            self._tasks.discard(task)
            writer.close()
            with contextlib.suppress(*GONE, asyncio.CancelledError):
                await writer.wait_closed()

    async def _one(self, reader, writer) -> bool:
        """Serve one call; true when another may follow."""
        asked = await self._read(reader)
        self.calls.append(asked)
        exchange = Exchange(self, asked, reader, writer)
        await self._behaviour(asked)(exchange)
        return exchange.open

    def _behaviour(self, asked: Asked) -> Behaviour:
        if self.choose is not None:
            return self.choose(asked)
        if callable(self.script):
            return self.script
        assert self.script, "an upstream without a script was called"
        return self.script[min(asked.number, len(self.script) - 1)]

    async def _read(self, reader) -> Asked:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.strip().split("\r\n")
        method, path, _ = first.split(" ")
        headers = {n.lower(): v.strip() for n, _, v in (line.partition(":") for line in lines)}
        if headers.get("transfer-encoding") == "chunked":
            body = b""
            while size := int(await reader.readline(), 16):
                body += await reader.readexactly(size)
                await reader.readline()
            await reader.readline()
        else:
            body = await reader.readexactly(int(headers.get("content-length", 0)))
        at = asyncio.get_running_loop().time()
        return Asked(len(self.calls), at, method, path, headers, body)
