"""One try at one provider, with its deadlines. What to do when it fails is the plan's business, not this module's."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any, TypeVar

import msgspec

from mrblue_cli.core.clock import Clock
from mrblue_cli.gateway.local import play
from mrblue_cli.gateway.model import Call, CallError, Fault, FaultKind, Piece, Reply, Surface, Target, Usage
from mrblue_cli.gateway.options import DeadlineOptions
from mrblue_cli.gateway.providers.base import Provider, StreamDecoder
from mrblue_cli.gateway.upstream import Incoming, Upstream, within

T = TypeVar("T")
_ERROR_BODY = 64 * 1024
"""Bytes of an error answer that are read; nobody needs more to say what went wrong."""
_AUDIO = frozenset({Surface.SPEECH, Surface.TRANSCRIPTION})
_NO_TIME_LEFT = "The request took longer than the gateway's total time limit."


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
        puzzled: Callable[[Exception], None] = lambda _error: None,
    ) -> None:
        """`ends_at`: the moment (of `clock`) when the whole request's time is up.

        `puzzled` hears of an adapter's exceptions that no contract foresees; to the plan they are faults.
        """
        self.call = call
        self.target = target
        self.usage: Usage | None = None
        self.counted = False
        """The provider told the usage of what it broke off."""
        self.finish = ""
        self.tokens = 0
        """Pieces that carried a real token."""
        self.text_length = 0
        self.reached = False
        """The provider answered 2xx, so it may charge."""
        self.out_of_time = False
        """The request's own time was over, which says nothing about the provider."""
        self.content_type = ""
        self.began = clock.now()
        self.first_token_at: float | None = None
        self._provider = provider
        self._upstream = upstream
        self._deadlines = deadlines
        self._clock = clock
        self._ends_at = ends_at
        self._puzzled = puzzled
        self._incoming: Incoming | None = None
        self._chunks: AsyncIterator[bytes] | None = None
        self._decoder: StreamDecoder | None = None
        self._ended = False
        self._marked = False
        """The end mark itself came, so the connection is in order."""

    @property
    def latency(self) -> float:
        """Seconds to the first token; of a plain answer, to now."""
        return (self.first_token_at or self._clock.now()) - self.began

    async def plain(self) -> Reply:
        """The whole answer. Raises `CallError`."""
        reply: Reply = await self._within(self._deadlines.answer, self._plain(), "did not answer within")
        return reply

    async def start(self) -> list[Piece]:
        """The pieces of a stream up to its first real token, or to its end if it has none. Raises `CallError`."""
        # Sound is made as a whole before its first byte, by models that cannot stream.
        patience = self._deadlines.answer if self.call.surface in _AUDIO else self._deadlines.first_token
        pieces: list[Piece] = await self._within(patience, self._start(), "sent no token within")
        return pieces

    async def more(self) -> list[Piece]:
        """The next pieces; empty when the stream has ended properly. Raises `CallError`."""
        try:
            pieces: list[Piece] = await self._within(self._deadlines.idle, self._read(), "sent nothing for")
        except CallError as error:
            if self._said_all and error.fault.kind in (FaultKind.BROKEN, FaultKind.TIMEOUT):
                self._ended = True
                return []
            raise
        return pieces

    def close(self) -> None:
        """Give the connection back, or drop it."""
        if self._incoming is not None:
            if self._marked:
                self._incoming.ended()
            else:
                self._incoming.close()
            self._incoming = None

    @property
    def _said_all(self) -> bool:
        """The model said why it stopped: a lost end mark takes nothing from the answer, unless it has more choices."""
        return bool(self.finish) and self.call.body.get("n") in (None, 1)

    async def _within(self, seconds: float, work: Coroutine[Any, Any, Any], what: str) -> Any:
        left = self._ends_at - self._clock.now()
        if left > seconds:
            return await within(seconds, work, f"{self.target.provider} {what} {seconds:g} s.")
        if left <= 0:
            work.close()
            self.out_of_time = True
            raise CallError(Fault(kind=FaultKind.TIMEOUT, message=_NO_TIME_LEFT))
        try:
            return await within(left, work, _NO_TIME_LEFT)
        except CallError as error:
            self.out_of_time = error.fault.message == _NO_TIME_LEFT
            raise

    async def _plain(self) -> Reply:
        incoming = await self._open()
        reply = self._read_whole(incoming, await incoming.read())
        self.usage, self.finish, self.text_length = reply.usage, reply.finish, len(reply.text)
        self._ended = True
        return reply

    async def _start(self) -> list[Piece]:
        incoming = await self._open()
        self.content_type = incoming.headers.get("content-type", "")
        if self._comes_whole():
            return await self._whole(incoming)
        self._chunks = incoming.chunks()
        self._decoder = self._ask(FaultKind.BROKEN, self._provider.stream, self._as_it_comes())
        pieces: list[Piece] = []
        while not self.tokens and not self._ended and not self.finish:
            pieces += await self._read()
        if not self.tokens and not self.finish:
            raise CallError(Fault(kind=FaultKind.BROKEN, message=f"{self.target.provider} sent an empty answer."))
        return pieces

    def _as_it_comes(self) -> Call:
        """The call by which the answer is read: servers that do not know events send bare sound."""
        if self.call.surface is not Surface.SPEECH or "event-stream" in self.content_type:
            return self.call
        body = {name: value for name, value in self.call.body.items() if name != "stream_format"}
        return msgspec.structs.replace(self.call, body=body)

    def _comes_whole(self) -> bool:
        """Models that cannot stream send a transcript as JSON or text; some servers send an error instead of sound."""
        if self.call.surface is Surface.TRANSCRIPTION:
            return "event-stream" not in self.content_type
        return self.call.surface is Surface.SPEECH and "json" in self.content_type

    async def _whole(self, incoming: Incoming) -> list[Piece]:
        body = await incoming.read()
        reply = self._read_whole(incoming, body)
        piece = Piece(raw=body, text=reply.text, token=True, finish=reply.finish or "stop", usage=reply.usage, end=True)
        return self._taken([piece])

    def _read_whole(self, incoming: Incoming, body: bytes) -> Reply:
        return self._ask(FaultKind.BROKEN, self._provider.reply, self.call, incoming.headers, body)

    async def _open(self) -> Incoming:
        request = self._ask(FaultKind.UNSUPPORTED, self._provider.request, self.call, self.target)
        local = getattr(self._provider, "play", None)  # a LocalProvider; isinstance on a protocol is slow each time
        if local is not None:
            self._incoming = incoming = play(local(self.call, self.target), asyncio.sleep)
        else:
            self._incoming = incoming = await self._upstream.open(request)
        if not 200 <= incoming.status < 300:
            body = (await _some(incoming))[:_ERROR_BODY]
            raise CallError(self._ask(FaultKind.SERVER, self._provider.fault, incoming.status, incoming.headers, body))
        self.reached = True
        return incoming

    def _ask(self, kind: FaultKind, step: Callable[..., T], *given: Any) -> T:
        """One step of the adapter. An exception it should not raise is a fault of `kind`, so that others may serve."""
        try:
            return step(*given)
        except CallError:
            raise
        except Exception as error:
            self._puzzled(error)
            said = "cannot express the request" if kind is FaultKind.UNSUPPORTED else "sent what cannot be read"
            raise CallError(Fault(kind=kind, message=f"{self.target.provider} {said}.")) from error

    async def _read(self) -> list[Piece]:
        """At least one piece, or none at the proper end."""
        if self._ended:
            return []
        assert self._chunks is not None  # noqa: S101 - `start` ran
        assert self._decoder is not None  # noqa: S101
        pieces: list[Piece] = []
        while not pieces and not self._ended:
            try:
                data = await anext(self._chunks)
            except StopAsyncIteration:
                return self._taken(self._ask(FaultKind.BROKEN, self._decoder.close), closing=True)
            pieces = self._taken(self._ask(FaultKind.BROKEN, self._decoder.feed, data))
        return pieces

    def _taken(self, pieces: list[Piece], *, closing: bool = False) -> list[Piece]:
        """Keep count, and raise the fault that a piece carries."""
        good: list[Piece] = []
        for piece in pieces:
            if piece.fault is not None:
                if piece.usage is not None:
                    self.usage, self.counted = piece.usage, True
                if closing and self._said_all and piece.fault.kind is FaultKind.BROKEN:
                    break
                if good:
                    # What came before the fault is handed on; the decoder repeats nothing, so the fault is kept.
                    self._chunks = _Raising(piece.fault)
                    return good
                raise CallError(piece.fault)
            self._count(piece)
            good.append(piece)
            if piece.end:
                self._ended = self._marked = True
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
