"""One try at one provider, with its deadlines. What to do when it fails is the plan's business, not this module's."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from typing import Any

from mrblue_cli.core.clock import Clock
from mrblue_cli.gateway.local import play
from mrblue_cli.gateway.model import Call, CallError, Fault, FaultKind, HttpRequest, Piece, Reply, Target, Usage
from mrblue_cli.gateway.options import DeadlineOptions
from mrblue_cli.gateway.providers.base import Provider, StreamDecoder
from mrblue_cli.gateway.upstream import Incoming, Upstream, within

_ERROR_BODY = 64 * 1024
"""Bytes of an error answer that are read; nobody needs more to say what went wrong."""


class Attempt:
    """Send a call, read its answer."""

    def __init__(
        self,
        provider: Provider,
        call: Call,
        target: Target,
        *,
        upstream: Upstream,
        deadlines: DeadlineOptions,
        clock: Clock,
        ends_at: float,
    ) -> None:
        """`ends_at`: the moment (of `clock`) when the whole request's time is up."""
        self.call = call
        self.target = target
        self.usage: Usage | None = None
        self.finish = ""
        self.tokens = 0
        """Pieces that carried a real token."""
        self.text_length = 0
        self.reached = False
        """The provider answered 2xx, so it may charge."""
        self.began = clock.now()
        self.first_token_at: float | None = None
        self._provider = provider
        self._upstream = upstream
        self._deadlines = deadlines
        self._clock = clock
        self._ends_at = ends_at
        self._incoming: Incoming | None = None
        self._chunks: AsyncIterator[bytes] | None = None
        self._decoder: StreamDecoder | None = None
        self._ended = False

    @property
    def latency(self) -> float:
        """Seconds to the first token; of a plain answer, to now."""
        return (self.first_token_at or self._clock.now()) - self.began

    async def plain(self) -> Reply:
        """The whole answer. Raises `CallError`."""
        reply: Reply = await self._within(self._deadlines.answer, self._plain(), "did not answer within")
        return reply

    async def head(self) -> Incoming:
        """The head of a 2xx answer whose body passes through as bytes (speech). Raises `CallError`."""
        incoming: Incoming = await self._within(self._deadlines.answer, self._open(), "did not answer within")
        return incoming

    async def start(self) -> list[Piece]:
        """The pieces of a stream up to its first real token, or to its end if it has none. Raises `CallError`."""
        pieces: list[Piece] = await self._within(self._deadlines.first_token, self._start(), "sent no token within")
        return pieces

    async def more(self) -> list[Piece]:
        """The next pieces; empty when the stream has ended properly. Raises `CallError`."""
        pieces: list[Piece] = await self._within(self._deadlines.idle, self._read(), "sent nothing for")
        return pieces

    def close(self) -> None:
        """Give the connection back, or drop it."""
        if self._incoming is not None:
            self._incoming.close()
            self._incoming = None

    async def _within(self, seconds: float, work: Coroutine[Any, Any, Any], what: str) -> Any:
        left = self._ends_at - self._clock.now()
        if left <= seconds:
            return await within(max(left, 0.0), work, "The request took longer than the gateway's total time limit.")
        return await within(seconds, work, f"{self.target.provider} {what} {seconds:g} s.")

    async def _plain(self) -> Reply:
        incoming = await self._open()
        reply = self._provider.reply(self.call, incoming.headers, await incoming.read())
        self.usage, self.finish, self.text_length = reply.usage, reply.finish, len(reply.text)
        self._ended = True
        return reply

    async def _start(self) -> list[Piece]:
        incoming = await self._open()
        self._chunks = incoming.chunks()
        self._decoder = self._provider.stream(self.call)
        pieces: list[Piece] = []
        while not self.tokens and not self._ended and not self.finish:
            pieces += await self._read()
        return pieces

    async def _open(self) -> Incoming:
        request: HttpRequest = self._provider.request(self.call, self.target)
        local = getattr(self._provider, "play", None)  # a LocalProvider; isinstance on a protocol is slow each time
        if local is not None:
            self._incoming = incoming = play(local(self.call, self.target), asyncio.sleep)
        else:
            self._incoming = incoming = await self._upstream.open(request)
        if not 200 <= incoming.status < 300:
            body = (await _some(incoming))[:_ERROR_BODY]
            raise CallError(self._provider.fault(incoming.status, incoming.headers, body))
        self.reached = True
        return incoming

    async def _read(self) -> list[Piece]:
        """At least one piece, or none at the proper end."""
        assert self._chunks is not None  # noqa: S101 - `start` ran
        assert self._decoder is not None  # noqa: S101
        while not self._ended:
            try:
                data = await anext(self._chunks)
            except StopAsyncIteration:
                return self._taken(self._decoder.close(), closing=True)
            pieces = self._taken(self._decoder.feed(data))
            if pieces:
                return pieces
        return []

    def _taken(self, pieces: list[Piece], *, closing: bool = False) -> list[Piece]:
        """Keep count, and raise the fault that a piece carries."""
        good: list[Piece] = []
        for piece in pieces:
            if piece.fault is not None:
                if closing and self.finish and piece.fault.kind is FaultKind.BROKEN:
                    break  # the model said why it stopped; a missing end mark takes nothing from the answer
                if good:
                    # What came before the fault is handed on; the decoder repeats nothing, so the fault is kept.
                    self._chunks = _Raising(piece.fault)
                    return good
                raise CallError(piece.fault)
            self._count(piece)
            good.append(piece)
            if piece.end:
                self._ended = True
                break
        self._ended = self._ended or closing
        return good

    def _count(self, piece: Piece) -> None:
        if piece.token:
            self.tokens += 1
            if self.first_token_at is None:
                self.first_token_at = self._clock.now()
        self.text_length += len(piece.text)
        if piece.usage is not None:
            self.usage = piece.usage
        if piece.finish:
            self.finish = piece.finish


async def _some(incoming: Incoming) -> bytes:
    """The beginning of an error's body; what cannot be read does not matter."""
    parts, size = [], 0
    try:
        async for part in incoming.chunks():
            parts.append(part)
            size += len(part)
            if size >= _ERROR_BODY:
                break
    except CallError:
        pass
    return b"".join(parts)


class _Raising:
    """Chunks that are only a fault."""

    def __init__(self, fault: Fault) -> None:
        self._fault = fault

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        raise CallError(self._fault)
