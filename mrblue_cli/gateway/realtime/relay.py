"""One session: a client's accepted websocket on this side, a provider's on the other, frames both ways.

Up to `session.created` another provider may be tried; after that the session lives and dies with its own. Frames pass
as text; each is read once for its type, and changed only where the two sides speak different dialects.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import MutableMapping, Sequence
from typing import Any

import msgspec
from websockets.exceptions import ConnectionClosed

from mrblue_cli.core.clock import Clock
from mrblue_cli.core.ids import IdSource
from mrblue_cli.gateway.model import CallError, Fault, FaultKind, Json
from mrblue_cli.gateway.realtime.address import RealtimeRoute
from mrblue_cli.gateway.realtime.faults import CLOSE_EXPIRED, close_code, close_of, close_reason, error_event
from mrblue_cli.gateway.realtime.handshake import Ask
from mrblue_cli.gateway.realtime.options import RelayOptions
from mrblue_cli.gateway.realtime.pipe import Pipe
from mrblue_cli.gateway.realtime.ports import Account, ClientSocket, Observer, SessionEnd
from mrblue_cli.gateway.realtime.upstream import Upstream, open_any
from mrblue_cli.gateway.realtime.usage import RESPONSE_CREATED, RESPONSE_DONE, Meter
from mrblue_cli.protocol.codec import EventFault, read_header
from mrblue_cli.protocol.redialect import Redialect, with_model

_LOG = logging.getLogger("mrblue.gateway.realtime")
_BUSY = "conversation_already_has_active_response"


class _Frame(msgspec.Struct):
    type: str = ""


class _Id(msgspec.Struct):
    id: str | None = None


class _Told(msgspec.Struct):
    code: str | None = None
    event_id: str | None = None


class _ServerFrame(msgspec.Struct):
    response: _Id | None = None
    error: _Told | None = None


_KIND = msgspec.json.Decoder(_Frame)
_PARTS = msgspec.json.Decoder(_ServerFrame)


async def relay(
    client: ClientSocket,
    ask: Ask,
    routes: Sequence[RealtimeRoute],
    *,
    account: Account,
    options: RelayOptions,
    clock: Clock,
    ids: IdSource,
    observer: Observer,
    config: Json | None = None,
    stop: asyncio.Event | None = None,
) -> SessionEnd:
    """Carry one session to its end. `client` is accepted; `stop` ends the session when the gateway goes down."""
    hello = asyncio.ensure_future(client.receive())
    opening = asyncio.ensure_future(
        open_any(routes, ask, options=options, clock=clock, config=config, attempted=observer.attempted)
    )
    try:
        upstream = await _opened(hello, opening)
        if upstream is None:
            return SessionEnd(by="client", code=1006, reason="gone before the session began")
        session = _Session(client, upstream, ask, account=account, options=options, clock=clock, ids=ids)
        observer.opened(upstream.target)
        end = SessionEnd(by="gateway", code=1011, reason="internal error")
        try:
            end = await session.run(hello, stop or asyncio.Event())
        finally:
            observer.ended(upstream.target, end)
    except CallError as error:
        code, reason = close_of(error.fault)
        end = SessionEnd(by="provider", code=code, reason=reason, fault=error.fault)
        await farewell(client, end, ids)
    finally:
        hello.cancel()
        await account.close()
    return end


async def _opened(
    hello: asyncio.Future[MutableMapping[str, Any]], opening: asyncio.Future[Upstream]
) -> Upstream | None:
    """The open session, None when the client left meanwhile. Raises `CallError`."""
    try:
        waiting: set[asyncio.Future[Any]] = {hello, opening}
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        if not opening.done() and hello.result()["type"] == "websocket.disconnect":
            return None
        return await opening
    finally:
        if not opening.done():
            opening.cancel()
            with contextlib.suppress(asyncio.CancelledError, CallError):
                (await opening).socket.transport.abort()  # it opened in the very moment it was not wanted any more


async def farewell(client: ClientSocket, end: SessionEnd, ids: IdSource) -> None:
    """Tell the client why, and close; silent when it is gone already."""
    with contextlib.suppress(Exception):  # whatever the server raises for a client that left
        if end.fault is not None:
            await client.send({"type": "websocket.send", "text": error_event(end.fault, ids.new("event"))})
        await client.send({"type": "websocket.close", "code": end.code, "reason": close_reason(end.reason)})


class _Session:
    """The running session. One task a direction, one that watches the clock; the first that ends, ends it."""

    def __init__(
        self,
        client: ClientSocket,
        upstream: Upstream,
        ask: Ask,
        *,
        account: Account,
        options: RelayOptions,
        clock: Clock,
        ids: IdSource,
    ) -> None:
        self._client = client
        self._socket = upstream.socket
        self._target = upstream.target
        self._first = upstream.first
        self._asked_model = ask.model
        self._account = account
        self._options = options
        self._clock = clock
        self._ids = ids
        self._translate = Redialect(ask.dialect, upstream.dialect)
        self._meter = Meter(upstream.target.model)
        self._pipe = Pipe(options.buffer_bytes)
        self._granted: deque[str] = deque()
        """Event ids of `response.create`s that were let through and have not begun."""
        self._leaving = False
        self._quiet = asyncio.Event()
        self._refusal: asyncio.Future[Fault] = asyncio.get_running_loop().create_future()
        self._told_error = False
        self._last_frame = clock.now()

    async def run(self, hello: asyncio.Future[MutableMapping[str, Any]], stop: asyncio.Event) -> SessionEnd:
        """Run to the end, settle what was used, close both sides."""
        reader = asyncio.ensure_future(self._read())
        writer = asyncio.ensure_future(self._write())
        others: list[asyncio.Future[SessionEnd]] = [
            asyncio.ensure_future(part)
            for part in (self._uplink(hello), self._watch(), self._refused(), _stopped(stop))
        ]
        try:
            done, _ = await asyncio.wait({reader, writer, *others}, return_when=asyncio.FIRST_COMPLETED)
            end = _outcome(next(task for task in (*others, writer, reader) if task in done))
            await self._finish(end, reader, writer)
        finally:
            for task in (reader, writer, *others):
                task.cancel()
            await asyncio.gather(reader, writer, *others, return_exceptions=True)
            self._socket.transport.abort()
            await self._socket.wait_closed()
            for bill in self._meter.unfinished():
                await self._account.on_usage(self._target, bill.model, bill.usage)
        return end

    async def _finish(
        self, end: SessionEnd, reader: asyncio.Future[SessionEnd], writer: asyncio.Future[SessionEnd]
    ) -> None:
        """Stop replies that nobody will hear, tell the client, wait a little for what the replies used."""
        if end.by != "provider":
            self._leaving = True
            for response_id in self._meter.open_responses:
                await self._cancel_response(response_id)
        self._pipe.close()
        if end.by != "client":
            await asyncio.wait({writer}, timeout=self._options.flush)
            writer.cancel()
            await asyncio.gather(writer, return_exceptions=True)
            await farewell(self._client, end, self._ids)
        if end.by != "provider":
            await self._settle(reader)
            with contextlib.suppress(OSError, TimeoutError):
                async with asyncio.timeout(self._options.settle):
                    await self._socket.close(close_code(end.code) if end.by == "client" else 1000)

    async def _settle(self, reader: asyncio.Future[SessionEnd]) -> None:
        self._check_quiet()
        quiet = asyncio.ensure_future(self._quiet.wait())
        waiting: set[asyncio.Future[Any]] = {quiet, reader}
        try:
            await asyncio.wait(waiting, timeout=self._options.settle, return_when=asyncio.FIRST_COMPLETED)
        finally:
            quiet.cancel()

    async def _uplink(self, hello: asyncio.Future[MutableMapping[str, Any]]) -> SessionEnd:
        message = await hello
        while message["type"] != "websocket.disconnect":
            self._last_frame = self._clock.now()
            try:
                await self._forward(message.get("text"))
            except EventFault as fault:
                told = Fault(kind=FaultKind.BAD_REQUEST, message=fault.message, code=fault.code, param=fault.param)
                await self._pipe.put(error_event(told, self._ids.new("event"), about=fault.event_id))
            except ConnectionClosed:
                await asyncio.Future()  # the reader says how the provider ended
            message = await self._client.receive()
        return SessionEnd(by="client", code=message.get("code") or 1005, reason=message.get("reason") or "")

    async def _forward(self, text: str | None) -> None:
        if text is None:
            raise EventFault("invalid_event", "Binary frames are not accepted; send JSON text.")
        header = read_header(text)
        if header.type == "response.create":
            refused = await self._account.allow()
            if refused is not None:
                await self._pipe.put(error_event(refused, self._ids.new("event"), about=header.event_id))
                return
        elif header.type == "session.update":
            text = with_model(text, self._asked_model, self._target.model)
        try:
            text = self._translate.to_server(header.type, text)
        except EventFault as fault:
            fault.event_id = header.event_id
            raise
        if header.type == "response.create":
            self._granted.append(header.event_id or "")
        await self._socket.send(text)

    async def _read(self) -> SessionEnd:
        for kind, text in self._first:
            self._meter.see(kind, text)
            await self._deliver(kind, text)
        try:
            while True:
                message = await self._socket.recv()
                if isinstance(message, str):
                    self._last_frame = self._clock.now()
                    await self._take(message)
        except ConnectionClosed:
            return self._lost()

    async def _take(self, text: str) -> None:
        try:
            kind = _KIND.decode(text).type
        except (ValueError, RecursionError):
            kind = ""  # some clients read what strict JSON forbids, such as NaN: it passes as it came
        bill = self._meter.see(kind, text)
        if bill is not None:
            await self._account.on_usage(self._target, bill.model, bill.usage)
            if self._meter.only_listens:
                await self._ask_again()  # no reply will ever be asked for here
        self._told_error = kind == "error"
        if self._told_error:
            text = self._on_error(text)
        await self._deliver(kind, text)
        if kind == RESPONSE_CREATED:
            await self._on_response_created(text)
        elif kind == RESPONSE_DONE:
            self._check_quiet()

    async def _deliver(self, kind: str, text: str) -> None:
        for frame in self._translate.to_client(kind, text):
            await self._pipe.put(frame)

    def _on_error(self, text: str) -> str:
        """A refused `response.create` will not begin; and no error shows the provider's key."""
        told = _parts(text).error or _Told()
        if told.event_id is not None and told.event_id in self._granted:
            self._granted.remove(told.event_id)
        elif told.code == _BUSY and self._granted:
            self._granted.popleft()
        self._check_quiet()
        key = self._target.api_key
        return text.replace(key, "[key]") if key else text

    async def _on_response_created(self, text: str) -> None:
        response = _parts(text).response
        response_id = response.id if response is not None else None
        if self._leaving:
            await self._cancel_response(response_id or "")
        if self._granted:
            self._granted.popleft()
            return
        await self._ask_again()  # the server began it by itself: voice detection

    async def _ask_again(self) -> None:
        """Ask the budget about what the client did not ask for; used up, it ends the session."""
        refused = await self._account.allow()
        if refused is not None and not self._refusal.done():
            self._refusal.set_result(refused)

    async def _cancel_response(self, response_id: str) -> None:
        event: Json = {"type": "response.cancel"}
        if response_id:
            event["response_id"] = response_id
        with contextlib.suppress(ConnectionClosed):
            await self._socket.send(msgspec.json.encode(event).decode())

    def _check_quiet(self) -> None:
        if not self._meter.open_responses and not self._granted:
            self._quiet.set()
        else:
            self._quiet.clear()

    def _lost(self) -> SessionEnd:
        """The provider ended it; told plainly, unless it said why itself."""
        code, reason = self._socket.close_code or 1006, self._socket.close_reason or ""
        key = self._target.api_key
        reason = reason.replace(key, "[key]") if key else reason
        fault = None
        if code not in {1000, 1005} and not self._told_error:
            words = f": {reason}" if reason else ""
            message = f"{self._target.provider} ended the session (code {code}{words}). Open a new one to go on."
            fault = Fault(kind=FaultKind.BROKEN, message=message, code="session_lost")
        return SessionEnd(by="provider", code=close_code(code), reason=reason, fault=fault)

    async def _write(self) -> SessionEnd:
        while (frame := await self._pipe.get()) is not None:
            try:
                await self._client.send({"type": "websocket.send", "text": frame})
            except Exception:  # noqa: BLE001 - each ASGI server has its own for a client that left
                return SessionEnd(by="client", code=1006, reason="the connection was lost")
        return SessionEnd(by="gateway")  # flushed; whoever closed the pipe knows why

    async def _watch(self) -> SessionEnd:
        """Ends a session that is too long or too quiet."""
        began = self._clock.now()
        while True:
            now = self._clock.now()
            idle_left = self._last_frame + self._options.idle - now
            left = began + self._options.session - now
            if left <= 0:
                return _limit("Your session hit its maximum duration.", "session_expired")
            if idle_left <= 0:
                return _limit(f"Nothing was said for {self._options.idle:.0f} seconds.", "idle_timeout")
            await asyncio.sleep(min(left, idle_left))

    async def _refused(self) -> SessionEnd:
        fault = await self._refusal
        code, reason = close_of(fault)
        return SessionEnd(by="budget", code=code, reason=reason, fault=fault)


def _outcome(task: asyncio.Future[SessionEnd]) -> SessionEnd:
    """How the session ended; a defect of ours ends it too, and is told without its details."""
    try:
        return task.result()
    except Exception:  # noqa: BLE001 - whatever it is, the client must be told and the provider let go
        _LOG.exception("a realtime session broke")
        fault = Fault(kind=FaultKind.SERVER, message="The gateway failed. Open a new session to go on.")
        return SessionEnd(by="gateway", code=1011, reason="internal error", fault=fault)


async def _stopped(stop: asyncio.Event) -> SessionEnd:
    await stop.wait()
    fault = Fault(kind=FaultKind.OVERLOADED, message="The gateway is shutting down.", code="shutting_down")
    return SessionEnd(by="gateway", code=1012, reason="service restart", fault=fault)


def _limit(message: str, code: str) -> SessionEnd:
    fault = Fault(kind=FaultKind.BAD_REQUEST, message=message, code=code)
    return SessionEnd(by="limit", code=CLOSE_EXPIRED, reason=code, fault=fault)


def _parts(text: str) -> _ServerFrame:
    try:
        return _PARTS.decode(text)
    except (ValueError, RecursionError):
        return _ServerFrame()
