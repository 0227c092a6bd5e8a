"""HTTP in and out on bare ASGI: bodies within limits, answers, streams that notice when the client leaves.

Starlette does the routing; the hot endpoints are ASGI callables of their own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import msgspec
from starlette.types import Message, Receive, Scope, Send

from mrblue_cli.gateway.answers import Answer, BrokenOff, Frames
from mrblue_cli.gateway.model import CallError, Fault, FaultKind, Json

_decode = msgspec.json.Decoder().decode
_PATIENCE = 60.0
"""Seconds in which a client must take a piece of a stream, or send a piece of its request."""
_AS_IT_SAYS = (b"x-content-type-options", b"nosniff")
_DEPTH = 200
"""Nesting beyond this is an attack on parsers further on, not a request."""


def headers_of(scope: Scope) -> dict[str, str]:
    """The request's headers in lower case; of repeated ones the first."""
    found: dict[str, str] = {}
    for name, value in scope["headers"]:
        found.setdefault(name.decode("latin-1"), value.decode("latin-1"))
    return found


async def read_body(receive: Receive, headers: Mapping[str, str], limit: int, seconds: float = 60.0) -> bytes:
    """The request's body.

    Raises `CallError`: 413 beyond `limit` bytes, 408 when nothing comes for `seconds`, 400 when the client leaves.
    """
    length = headers.get("content-length", "")
    if length.isdecimal() and int(length) > limit:
        raise CallError(_too_large(limit))
    parts: list[bytes] = []
    size = 0
    try:
        while True:
            async with asyncio.timeout(seconds):
                message = await receive()
            if message["type"] != "http.request":
                raise CallError(bad("The request's body ended early."))
            part: bytes = message.get("body", b"")
            size += len(part)
            if size > limit:
                raise CallError(_too_large(limit))
            if not message.get("more_body"):
                return part if not parts else b"".join([*parts, part])
            parts.append(part)
    except TimeoutError:
        raise CallError(bad(f"The request's body stopped: nothing came for {seconds:g} s.", status=408)) from None


def parse_json(body: bytes) -> Json:
    """The body as a JSON object. Raises `CallError` (400) that says where it is broken."""
    try:
        value = _decode(body)
    except UnicodeDecodeError as error:
        raise CallError(bad(f"The body is not UTF-8: byte {error.start} of a text is wrong.")) from None
    except msgspec.DecodeError as error:
        raise CallError(bad(f"The body is not valid JSON: {_short(str(error))}")) from None
    except RecursionError:
        raise CallError(bad("The body is nested too deeply.")) from None
    if not isinstance(value, dict):
        raise CallError(bad("The body must be a JSON object."))
    if body.count(b"[") + body.count(b"{") > _DEPTH and _deeper_than(value, _DEPTH):
        raise CallError(bad(f"The body is nested more than {_DEPTH} levels deep."))
    return value


async def send_answer(answer: Answer, extra: Mapping[str, str], receive: Receive, send: Send) -> None:
    """Send it; a stream ends early, and its work is cancelled, when the client leaves."""
    headers = [(b"content-type", answer.content_type.encode("latin-1", "replace")), _AS_IT_SAYS]
    headers += [(k.encode("latin-1"), v.encode("latin-1", "replace")) for k, v in answer.headers.items()]
    headers += [(k.encode("latin-1"), v.encode("latin-1", "replace")) for k, v in extra.items()]
    if answer.frames is None:
        headers.append((b"content-length", str(len(answer.body)).encode()))
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": answer.body})
        return
    headers += [(b"cache-control", b"no-cache"), (b"x-accel-buffering", b"no")]
    head = {"type": "http.response.start", "status": answer.status, "headers": headers}
    await _send_frames(answer.frames, head, receive, send)


async def _send_frames(
    frames: Frames, head: Message, receive: Receive, send: Send, *, patience: float = _PATIENCE
) -> None:
    client = _Client(receive, patience)
    try:
        await client.take(send, head)
        async for data in frames:
            await client.take(send, {"type": "http.response.body", "body": data, "more_body": True})
        client.let_go()
        await send({"type": "http.response.body", "body": b""})
    except asyncio.CancelledError:
        if not client.gone:
            raise
        client.task.uncancel()
    except BrokenOff:
        pass  # an answer that is not ended makes the server break the connection
    finally:
        client.let_go()
        await frames.aclose()


class _Client:
    """Watches who reads: when they leave, or take nothing for too long, the work for them is cancelled."""

    def __init__(self, receive: Receive, patience: float) -> None:
        """To be made in the task that serves."""
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - a request is served in a task
        self.task = task
        self.gone = False
        self._loop = asyncio.get_running_loop()
        self._patience = patience
        self._since: float | None = None
        """When what is being sent was handed over; None between two pieces."""
        self._watcher = asyncio.ensure_future(self._watch(receive))
        self._look_again = self._loop.call_later(patience, self._look)

    async def take(self, send: Send, message: Message) -> None:
        """Hand it over; waits while the client's buffers are full."""
        self._since = self._loop.time()
        await send(message)
        self._since = None

    def let_go(self) -> None:
        """Watch no longer."""
        self._watcher.cancel()
        self._look_again.cancel()

    async def _watch(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self._leave()

    def _look(self) -> None:
        if self._since is not None and self._loop.time() - self._since >= self._patience:
            self._leave()
        else:
            self._look_again = self._loop.call_later(self._patience, self._look)

    def _leave(self) -> None:
        self.gone = True
        self.task.cancel()


def bad(message: str, param: str | None = None, *, status: int = 400) -> Fault:
    """A fault of the request itself."""
    return Fault(kind=FaultKind.BAD_REQUEST, message=message, status=status, type="invalid_request_error", param=param)


def _too_large(limit: int) -> Fault:
    return bad(f"The body is larger than the {limit / 1_048_576:g} MiB that this gateway takes.", status=413)


def _short(text: str) -> str:
    return text if len(text) <= 200 else text[:200] + "…"


def _deeper_than(value: Any, levels: int) -> bool:
    """Whether lists and tables are nested deeper; walks without recursion."""
    layer = [value]
    for _ in range(levels):
        layer = [
            inner
            for outer in layer
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, dict | list)
        ]
        if not layer:
            return False
    return True
