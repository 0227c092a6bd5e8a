"""A client without manners: bytes as they are onto the socket, and whatever comes back, taken apart by hand."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import Any, NamedTuple

GONE = (ConnectionError, asyncio.IncompleteReadError, BrokenPipeError)


class Got(NamedTuple):
    """One answer."""

    status: int
    head: bytes
    headers: list[tuple[str, str]]
    body: bytes
    whole: bool
    """Whether the body came to its proper end."""

    def header(self, name: str) -> str:
        """The value of a header that must not come twice; empty when it is missing."""
        found = [value for key, value in self.headers if key == name]
        assert len(found) <= 1, f"{name} comes {len(found)} times"
        return found[0] if found else ""

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


class Line:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @classmethod
    async def open(cls, address: str) -> Line:
        """Connect to `http://HOST:PORT`."""
        host, _, port = address.removeprefix("http://").rpartition(":")
        return cls(*await asyncio.open_connection(host, int(port), limit=1 << 24))

    async def send(self, data: bytes) -> None:
        """Put bytes on the wire; a peer that has hung up is no error, its answer may still be there."""
        with contextlib.suppress(*GONE):
            self.writer.write(data)
            await self.writer.drain()

    async def answer(self, *, head_only: bool = False) -> Got | None:
        """The next final answer; None when the connection ends before one."""
        while True:
            try:
                head = await self.reader.readuntil(b"\r\n\r\n")
            except GONE:
                return None
            status, headers = parsed(head)
            if status == 101:
                return Got(status, head, headers, b"", whole=True)
            if status >= 200:
                break
        body, whole = b"", True
        if not head_only and status not in {204, 304}:
            body, whole = await self._body(dict(headers))
        return Got(status, head, headers, body, whole)

    async def _body(self, headers: dict[str, str]) -> tuple[bytes, bool]:
        parts: list[bytes] = []
        try:
            if headers.get("transfer-encoding") == "chunked":
                while size := int(await self.reader.readuntil(b"\r\n"), 16):
                    parts.append((await self.reader.readexactly(size + 2))[:-2])
                await self.reader.readexactly(2)
            else:
                parts.append(await self.reader.readexactly(int(headers["content-length"])))
        except GONE:
            return b"".join(parts), False
        return b"".join(parts), True

    def end(self) -> None:
        """Say that no more bytes come, and go on listening."""
        with contextlib.suppress(OSError, RuntimeError):
            self.writer.write_eof()

    async def close(self) -> None:
        """Hang up."""
        self.writer.close()
        with contextlib.suppress(*GONE):
            await self.writer.wait_closed()


def parsed(head: bytes) -> tuple[int, list[tuple[str, str]]]:
    """Status and headers, names in lower case; anything that is not plain HTTP fails here."""
    first, *lines = head[:-4].split(b"\r\n")
    version, status, _reason = first.split(b" ", 2)
    assert version == b"HTTP/1.1", first
    found = []
    for line in lines:
        name, colon, value = line.partition(b": ")
        assert colon, line
        assert name
        assert not name.strip(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-"), line
        found.append((name.decode().lower(), value.decode("latin-1")))
    return int(status), found


async def exchange(address: str, data: bytes, *, head_only: bool = False) -> Got | None:
    """One request on a connection of its own."""
    line = await Line.open(address)
    try:
        await line.send(data)
        return await line.answer(head_only=head_only)
    finally:
        await line.close()


def request(
    path: bytes | str = b"/v1/chat/completions",
    body: bytes = b"",
    *more: tuple[bytes | str, bytes | str],
    method: bytes = b"POST",
    content_type: bytes = b"application/json",
    length: int | None = -1,
) -> bytes:
    """A request as bytes; `length`: what content-length says, -1 the truth, None nothing."""
    lines = [method + b" " + _bytes(path) + b" HTTP/1.1", b"host: 127.0.0.1"]
    if content_type:
        lines.append(b"content-type: " + content_type)
    if length is not None:
        lines.append(b"content-length: %d" % (len(body) if length < 0 else length))
    lines += [_bytes(name) + b": " + _bytes(value) for name, value in more]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def _bytes(text: bytes | str) -> bytes:
    return text if isinstance(text, bytes) else text.encode("latin-1")
