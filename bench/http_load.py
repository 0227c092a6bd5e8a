"""A load generator that weighs little: HTTP/1.1 by hand over kept connections, the next request after each answer."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from typing import NamedTuple, cast
from urllib.parse import urlsplit

from bench.mock_upstream import content_length

TOKEN = b"tok"
"""What the first token looks like in the mock's streams."""


class Seen(NamedTuple):
    """One answer; times are seconds since its request was written."""

    status: int
    first_token: float
    """0 when there was none."""
    total: float
    head: bytes
    """The answer's head in lower case."""


class Load(NamedTuple):
    """All answers of one run, in the order of their ends."""

    answers: list[Seen]
    seconds: float

    @property
    def rate(self) -> float:
        """Requests a second."""
        return len(self.answers) / self.seconds

    @property
    def totals(self) -> list[float]:
        """Latencies in milliseconds."""
        return [answer.total * 1000 for answer in self.answers]

    @property
    def first_tokens(self) -> list[float]:
        """Times to the first token in milliseconds."""
        return [answer.first_token * 1000 for answer in self.answers]

    @property
    def bad(self) -> int:
        """Answers other than 200."""
        return sum(answer.status != 200 for answer in self.answers)


class LoadError(Exception):
    """A connection ended under a request."""


def request(url: str, body: bytes, headers: Sequence[tuple[str, str]] = ()) -> bytes:
    """A POST as bytes."""
    parts = urlsplit(url)
    lines = [f"POST {parts.path} HTTP/1.1", f"host: {parts.netloc}", "content-type: application/json"]
    lines += [f"content-length: {len(body)}", *(f"{name}: {value}" for name, value in headers)]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


class _Connection(asyncio.Protocol):
    """Sends the requests of a shared queue one after the other."""

    def __init__(self, requests: Iterator[bytes], answers: list[Seen]) -> None:
        self._requests, self._answers = requests, answers
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._out = cast("asyncio.Transport", transport)  # uvloop's is one in all but ancestry

    def start(self) -> None:
        """Send the next request, or close."""
        following = next(self._requests, None)
        if following is None:
            self._out.close()
            self.done.set_result(None)
            return
        self._head = b""
        self._body = b""
        self._need: int | None = None
        self._first = 0.0
        self._sent = time.perf_counter()
        self._out.write(following)

    def data_received(self, data: bytes) -> None:
        now = time.perf_counter()
        self._body += data
        if not self._head:
            end = self._body.find(b"\r\n\r\n")
            if end < 0:
                return
            self._head, self._body = self._body[:end].lower(), self._body[end + 4 :]
            if b"transfer-encoding: chunked" not in self._head:
                self._need = content_length(self._head)
        if not self._first and TOKEN in self._body:
            self._first = now - self._sent
        complete = self._body.endswith(b"0\r\n\r\n") if self._need is None else len(self._body) >= self._need
        if complete:
            self._answers.append(Seen(int(self._head[9:12]), self._first, now - self._sent, self._head))
            self.start()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(LoadError(f"connection lost: {exc}"))


async def load(url: str, requests: Sequence[bytes], connections: int) -> Load:
    """Send all requests over so many connections, which are opened before the clock starts."""
    parts = urlsplit(url)
    assert parts.hostname
    assert parts.port
    host, port = parts.hostname, parts.port
    loop = asyncio.get_running_loop()
    answers: list[Seen] = []
    queue = iter(requests)
    opened = [
        (await loop.create_connection(lambda: _Connection(queue, answers), host, port))[1] for _ in range(connections)
    ]
    began = time.perf_counter()
    for connection in opened:
        connection.start()
    await asyncio.gather(*(connection.done for connection in opened))
    return Load(answers, time.perf_counter() - began)
