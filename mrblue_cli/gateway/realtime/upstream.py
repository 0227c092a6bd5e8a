"""Opening a session at a provider: tried one after the other until one says `session.created`.

Servers accept the socket first and refuse the key afterwards, so an open socket means nothing. Nothing of a provider
that failed reaches the client.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, cast

import msgspec
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, InvalidURI

from mrblue_cli.core.clock import Clock
from mrblue_cli.gateway.model import CallError, Fault, FaultKind, Json, Target
from mrblue_cli.gateway.realtime.address import RealtimeRoute, upstream_address
from mrblue_cli.gateway.realtime.faults import (
    all_failed,
    fault_of_close,
    fault_of_error,
    fault_of_status,
    plain_fault,
)
from mrblue_cli.gateway.realtime.handshake import Ask
from mrblue_cli.gateway.realtime.options import RelayOptions
from mrblue_cli.protocol.codec import detect_dialect
from mrblue_cli.protocol.codec_beta import session_to_beta
from mrblue_cli.protocol.notices import Dialect
from mrblue_cli.realtime.socket import open_socket

Attempted = Callable[[Target, Fault | None, float], None]
"""Told after each try: where, what went wrong (None: it opened), seconds it took."""

_ENCODE = msgspec.json.Encoder().encode
_CREATED = {"session.created", "transcription_session.created"}
_UPDATED = {"session.updated", "transcription_session.updated"}
_UNREAD_FRAMES = 64
_GIVE_UP = {FaultKind.BAD_REQUEST, FaultKind.CONTENT_FILTER, FaultKind.CONTEXT_TOO_LONG}
"""The request's own faults: no other provider would do better."""


class Upstream(msgspec.Struct):
    """A session that a provider has opened."""

    socket: ClientConnection
    target: Target
    dialect: Dialect
    first: list[tuple[str, str]]
    """(type, frame) of what it has said so far, to be handed to the client."""


async def open_any(
    routes: Sequence[RealtimeRoute],
    ask: Ask,
    *,
    options: RelayOptions,
    clock: Clock,
    config: Json | None = None,
    attempted: Attempted | None = None,
) -> Upstream:
    """The first route that opens a session. Raises `CallError` with one fault for all when none does.

    `config` is a session in the GA shape that is applied before the client sees `session.created`.
    """
    faults: list[Fault] = []
    for route in routes:
        began = clock.now()
        try:
            upstream = await _open(route, ask, options, config)
        except CallError as error:
            faults.append(error.fault)
            if attempted is not None:
                attempted(route.target, error.fault, clock.now() - began)
            if error.fault.kind in _GIVE_UP:
                break
        else:
            if attempted is not None:
                attempted(route.target, None, clock.now() - began)
            return upstream
    raise CallError(all_failed(faults))


async def _open(route: RealtimeRoute, ask: Ask, options: RelayOptions, config: Json | None) -> Upstream:
    provider = route.target.provider
    url, headers = upstream_address(route, ask)
    try:
        socket = await open_socket(url, headers, timeout_seconds=options.connect, max_queue=_UNREAD_FRAMES)
    except InvalidStatus as error:
        answer = error.response
        raise CallError(
            fault_of_status(provider, answer.status_code, _seconds(answer.headers.get("Retry-After")))
        ) from None
    except TimeoutError:
        raise CallError(plain_fault(provider, FaultKind.TIMEOUT)) from None
    except (InvalidHandshake, InvalidURI, ValueError):
        raise CallError(plain_fault(provider, FaultKind.BROKEN)) from None
    except (OSError, ImportError):
        raise CallError(plain_fault(provider, FaultKind.CONNECT)) from None
    try:
        async with asyncio.timeout(options.ready):
            return await _session(socket, route, config)
    except TimeoutError:
        await _drop(socket)
        raise CallError(plain_fault(provider, FaultKind.TIMEOUT)) from None
    except ConnectionClosed:
        code, reason = socket.close_code or 1006, socket.close_reason or ""
        raise CallError(fault_of_close(provider, code, reason)) from None
    except BaseException:
        await _drop(socket)
        raise


async def _session(socket: ClientConnection, route: RealtimeRoute, config: Json | None) -> Upstream:
    """Read up to `session.created`, and up to `session.updated` when there is a configuration to apply."""
    provider, first = route.target.provider, list[tuple[str, str]]()
    dialect = route.dialect
    applied = config is None
    while True:
        text = await socket.recv(decode=True)
        event = _read(text, provider)
        kind = str(event.get("type"))
        session = event.get("session")
        if kind == "error":
            if any(name in _CREATED for name, _ in first):
                raise CallError(_config_refused(provider, event.get("error")))
            raise CallError(fault_of_error(provider, event.get("error")))
        if kind in _UPDATED and not applied:
            first = [_with_session(*frame, session) for frame in first]
            applied = True
        else:
            first.append((kind, text))
        if kind in _CREATED:
            seen = detect_dialect(session) if isinstance(session, dict) else Dialect.GA
            dialect = route.dialect or (Dialect.BETA if kind.startswith("transcription_") else seen)
            if config is not None:
                await socket.send(_update(config, dialect))
        if applied and any(name in _CREATED for name, _ in first):
            return Upstream(socket, route.target, dialect or Dialect.GA, first)


def _update(config: Json, dialect: Dialect) -> str:
    """The event that applies a stored configuration; the model was named when the socket opened."""
    session = {name: value for name, value in config.items() if name != "model"}
    kind = "session.update"
    if dialect is Dialect.BETA:
        if session.get("type") == "transcription":
            kind = "transcription_session.update"
        session = session_to_beta(session)
    return _ENCODE({"type": kind, "session": session}).decode()


def _with_session(kind: str, text: str, session: Any) -> tuple[str, str]:
    """The client sees one `session.created`, with the configuration already in force."""
    if kind not in _CREATED:
        return kind, text
    return kind, _ENCODE({**msgspec.json.decode(text), "session": session}).decode()


def _config_refused(provider: str, error: Any) -> Fault:
    """Another provider may take the configuration: compatible servers lack parts of it."""
    told = error if isinstance(error, dict) else {}
    param = told.get("param")
    what = f" ({param})" if isinstance(param, str) and param else ""
    message = f"{provider} refused the session configuration of the client secret{what}"
    return Fault(kind=FaultKind.UNSUPPORTED, message=message, param=param if isinstance(param, str) else None)


def _read(text: str, provider: str) -> Json:
    try:
        event = msgspec.json.decode(text)
    except (ValueError, RecursionError):
        event = None
    if not isinstance(event, dict):
        raise CallError(plain_fault(provider, FaultKind.BROKEN))
    return cast("Json", event)


def _seconds(text: str | None) -> float | None:
    return float(text) if text and text.isdigit() else None


async def _drop(socket: ClientConnection) -> None:
    """Let go without a goodbye: whoever failed need not be waited for."""
    socket.transport.abort()
    await socket.wait_closed()
