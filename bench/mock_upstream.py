"""An OpenAI-compatible upstream that costs next to nothing: fixed bytes from one event loop.

The model's name says how a stream goes: `mock` sends its tokens at once, `mock-paced` one every 2 ms. A plain
answer comes at once, from `mock-paced` after 5 ms (which is quick, for a provider).
On standard output: one line `mock upstream ready on http://127.0.0.1:PORT/v1`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from typing import cast

TOKENS = 16
PACE = 0.002
"""Seconds between the tokens of a paced stream."""
THINKING = 0.005
"""Seconds before a plain answer of `mock-paced`."""
USAGE = {"prompt_tokens": 12, "completion_tokens": TOKENS, "total_tokens": 12 + TOKENS}
WORDS = [f"tok{n} " for n in range(TOKENS)]
"""`tok` is what the load generator looks for to know the first token."""


def _plain() -> bytes:
    message = {"role": "assistant", "content": "".join(WORDS), "refusal": None}
    body = json.dumps({
        "id": "chatcmpl-mock", "object": "chat.completion", "created": 1_700_000_000, "model": "mock",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}], "usage": USAGE,
    }).encode()  # fmt: skip
    head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    return head.encode() + body


def _chunk(choices: list[object], **more: object) -> bytes:
    base = {"id": "chatcmpl-mock", "object": "chat.completion.chunk", "created": 1_700_000_000, "model": "mock"}
    event = b"data: " + json.dumps({**base, "choices": choices, **more}).encode() + b"\n\n"
    return b"%x\r\n%s\r\n" % (len(event), event)


def _choice(delta: dict[str, str], stopped: str | None = None) -> bytes:
    return _chunk([{"index": 0, "delta": delta, "finish_reason": stopped}])


PLAIN = _plain()
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
FIRST = _choice({"role": "assistant", "content": ""})
PIECES = [_choice({"content": word}) for word in WORDS]
STOP = _choice({}, "stop")
WITH_USAGE = STOP + _chunk([], usage=USAGE)
END = b"e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n"


class Mock(asyncio.Protocol):
    """One connection; calls come one after the other."""

    def __init__(self) -> None:
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._out = cast("asyncio.Transport", transport)  # uvloop's is one in all but ancestry

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        size = content_length(self._buffer[:end])
        if len(self._buffer) < end + 4 + size:
            return
        body = self._buffer[end + 4 : end + 4 + size]
        self._buffer = self._buffer[end + 4 + size :]
        self._answer(body)

    def _answer(self, body: bytes) -> None:
        if b'"stream":true' not in body and b'"stream": true' not in body:
            if b"mock-paced" in body:
                asyncio.get_running_loop().call_later(THINKING, self._say, PLAIN)
            else:
                self._out.write(PLAIN)
            return
        tail = (WITH_USAGE if b"include_usage" in body else STOP) + END
        if b"mock-paced" not in body:
            self._out.write(HEAD + FIRST)
            for piece in PIECES:
                self._out.write(piece)
            self._out.write(tail)
            return
        self._out.write(HEAD + FIRST + PIECES[0])
        self._paced(1, tail)

    def _say(self, data: bytes) -> None:
        if not self._out.is_closing():
            self._out.write(data)

    def _paced(self, number: int, tail: bytes) -> None:
        if number < TOKENS:
            later = asyncio.get_running_loop().call_later
            later(PACE, self._next, number, tail)
        else:
            self._out.write(tail)

    def _next(self, number: int, tail: bytes) -> None:
        self._say(PIECES[number])
        self._paced(number + 1, tail)


def content_length(head: bytes) -> int:
    """From a request's or an answer's head; 0 when it is not there."""
    _, found, rest = head.lower().partition(b"content-length:")
    return int(rest.split(b"\r\n", 1)[0]) if found else 0


async def serve(port: int) -> None:
    """Until killed, or until standard input ends."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Mock, "127.0.0.1", port, backlog=1024)
    print(f"mock upstream ready on http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1", flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


def main() -> None:
    """Listen."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    options = parser.parse_args()
    import uvloop

    uvloop.run(serve(options.port))


if __name__ == "__main__":
    main()
