"""The websocket client: carries events, knows nothing of audio or turns.

Connected means `session.created` arrived: servers accept the socket first and refuse the key afterwards.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass
from urllib.parse import urljoin

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, InvalidURI

from mrblue_cli.core.errors import AuthError, ConnectError, MrBlueError, ProviderError
from mrblue_cli.core.texts import tell
from mrblue_cli.protocol.client_events import ClientEvent
from mrblue_cli.protocol.codec import Codec, GaCodec, detect_dialect
from mrblue_cli.protocol.codec_beta import BetaCodec
from mrblue_cli.protocol.notices import Dialect
from mrblue_cli.protocol.server_events import Error, ErrorDetail, ServerEvent, SessionCreated
from mrblue_cli.realtime.endpoints import shown_host
from mrblue_cli.realtime.options import ConnectOptions
from mrblue_cli.realtime.socket import open_socket

_AUTH_CODES = {"invalid_api_key", "account_deactivated", "invalid_authentication"}
_MODEL_CODES = {"invalid_model", "missing_model", "model_not_found"}


_PASSING_CODES = {"server_error", "rate_limit_exceeded", "internal_error"}
RETRYABLE_CLOSES = frozenset({1001, 1005, 1006, 1011, 1012, 1013, 1015})
"""Going away, no code, broken, server error, restart, try later, TLS: a new connection may well stand
(voice-craft section 12). Other codes say that we are not wanted."""
_CLOSED_FOR_AUTH = 3000
_CLOSED_FOR_REQUEST = 4000


@dataclass(frozen=True, slots=True)
class CloseInfo:
    """Why a connection ended."""

    code: int
    reason: str

    @property
    def clean(self) -> bool:
        """True when it ended on purpose."""
        return self.code == 1000


class RealtimeConnection:
    """An open session. One reader, one writer; closing is idempotent."""

    def __init__(self, socket: ClientConnection, codec: Codec, created: SessionCreated) -> None:
        self._socket = socket
        self._codec = codec
        self._events: asyncio.Queue[ServerEvent | None] = asyncio.Queue()
        self._pump = asyncio.ensure_future(self._read())
        self.created = created
        self.closed: CloseInfo | None = None

    @property
    def dialect(self) -> Dialect:
        """The dialect spoken here."""
        return self._codec.dialect

    async def send(self, *events: ClientEvent) -> None:
        """Send events in order; raises `ConnectError` when the connection is gone."""
        for event in events:
            try:
                await self._socket.send(self._codec.encode_client(event))
            except ConnectionClosed:
                raise self._lost() from None

    def __aiter__(self) -> AsyncIterator[ServerEvent]:
        return self._iterate()

    async def _iterate(self) -> AsyncIterator[ServerEvent]:
        """Events as they come, until the connection ends; then `closed` says why."""
        while (event := await self._events.get()) is not None:
            yield event
        self._events.put_nowait(None)  # whoever reads again sees the end again

    async def close(self) -> None:
        """Say goodbye and let go of the socket."""
        await self._socket.close()
        self._pump.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._pump

    def lost_error(self) -> ConnectError:
        """The error to report when the other side ended the connection."""
        return self._lost()

    async def _read(self) -> None:
        # Never blocks on the consumer: a slow one must not hold back pongs (the server would close with 1011).
        try:
            async for message in self._socket:
                self._events.put_nowait(self._codec.decode_server(message))
        except ConnectionClosed:
            pass
        finally:
            self.closed = CloseInfo(self._socket.close_code or 1006, self._socket.close_reason or "")
            self._events.put_nowait(None)

    def _lost(self) -> ConnectError:
        code = self._socket.close_code or 1006
        what = tell("the connection was lost (code {code})", code=_with_reason(code, self._socket.close_reason))
        hint = tell("check the network, then start again")
        return ConnectError(what, hint=hint, retryable=code in RETRYABLE_CLOSES)


async def connect(options: ConnectOptions) -> RealtimeConnection:
    """Open a session; returns after `session.created`. Raises `ConnectError`, `AuthError` or `ProviderError`."""
    where = shown_host(options.url)
    try:
        socket = await open_socket(
            options.url, options.headers, timeout_seconds=options.connect_timeout_seconds, max_queue=None
        )
    except (OSError, InvalidHandshake, InvalidURI, TimeoutError, ValueError, ImportError) as error:
        raise _refused(where, error) from None
    try:
        async with asyncio.timeout(options.ready_timeout_seconds):
            return await _first_event(socket, options, where)
    except TimeoutError:
        await socket.close()
        what = tell(
            "{who} accepted the connection but opened no session within {seconds} s",
            who=where,
            seconds=f"{options.ready_timeout_seconds:.0f}",
        )
        hint = tell("is this a Realtime server? the path usually ends in /v1/realtime")
        raise ConnectError(what, hint=hint) from None
    except ConnectionClosed:
        raise _closed_early(where, socket) from None
    except BaseException:
        await socket.close()
        raise


async def _first_event(socket: ClientConnection, options: ConnectOptions, where: str) -> RealtimeConnection:
    ga = GaCodec()
    async for message in socket:
        event = ga.decode_server(message)
        if isinstance(event, Error):
            raise _told(where, event)
        if isinstance(event, SessionCreated):
            dialect = options.dialect or detect_dialect(event.session)
            codec: Codec = BetaCodec() if dialect is Dialect.BETA else ga
            return RealtimeConnection(socket, codec, event)
    raise _closed_early(where, socket)


def _closed_early(where: str, socket: ClientConnection) -> MrBlueError:
    """The error for a close that no `error` event announced; the reason may hold its code after a dot."""
    reason = socket.close_reason or ""
    code = reason.removeprefix("invalid_request_error").removeprefix(".")
    if socket.close_code == _CLOSED_FOR_AUTH or code in _AUTH_CODES:
        return _told(where, Error(error=ErrorDetail(code="invalid_api_key")))
    if socket.close_code == _CLOSED_FOR_REQUEST and code:
        return _told(where, Error(error=ErrorDetail(code=code)))
    number = socket.close_code or 1006
    what = tell(
        "{who} closed the connection before a session began (code {code})",
        who=where,
        code=_with_reason(number, reason),
    )
    hint = tell("check the address, the key and the model")
    return ConnectError(what, hint=hint, retryable=number in RETRYABLE_CLOSES)


def _with_reason(code: int, reason: str | None) -> str:
    return f"{code}: {reason}" if reason else str(code)


def _told(where: str, event: Error) -> MrBlueError:
    code, message = event.error.code or event.error.type, event.error.message
    if code in _AUTH_CODES:
        return AuthError(
            tell("{who} refused the key ({code})", who=where, code=code),
            hint=tell("check OPENAI_API_KEY, or the key of this address"),
        )
    if code in _MODEL_CODES:
        return ProviderError(f"{where}: {message or code}", hint=tell("choose another model: mrblue talk --model NAME"))
    if code in {"missing_part", "config", "component", "device"}:
        what, _, hint = message.partition("; ")
        return ProviderError(tell("the engine cannot start: {why}", why=what), hint=hint)
    passing = code in _PASSING_CODES
    return ProviderError(f"{where}: {message or code}", hint=tell("see mrblue doctor"), retryable=passing)


def _refused(where: str, error: Exception) -> MrBlueError:
    if isinstance(error, InvalidStatus):
        status = error.response.status_code
        if status in {401, 403}:
            return AuthError(
                tell("{who} refused the key ({code})", who=where, code=f"HTTP {status}"),
                hint=tell("check the key for this address"),
            )
        if 300 <= status < 400:
            to = shown_host(urljoin(f"ws://{where}", error.response.headers.get("Location", ""))) or tell(
                "another address"
            )
            hint = tell("if you trust {address}, give that address instead: a key is never sent on", address=to)
            what = tell("{who} redirects to {address} (HTTP {status})", who=where, address=to, status=status)
            return ConnectError(what, hint=hint, retryable=False)
        if status == 404:
            hint = tell("the path usually ends in /v1/realtime; is the model's name right?")
            what = tell("{who} has no Realtime service at this path (HTTP 404)", who=where)
            return ConnectError(what, hint=hint, retryable=False)
        return ConnectError(
            tell("{who} answered HTTP {status} instead of a websocket", who=where, status=status),
            hint=tell("try again, or see its status page"),
            retryable=status >= 500 or status in {408, 425, 429},
        )
    if isinstance(error, ImportError):
        return ConnectError(
            tell("the SOCKS proxy of this system needs one more package"),
            hint="pip install python-socks",
            retryable=False,
        )
    if isinstance(error, TimeoutError):
        return ConnectError(
            tell("{who} did not answer in time", who=where), hint=tell("check the address and the network")
        )
    if isinstance(error, ssl.SSLError):
        what = tell("no secure connection to {who}: {why}", who=where, why=error.reason)
        return ConnectError(what, hint=tell("is it wss:// there, or ws://?"), retryable=False)
    if isinstance(error, ConnectionRefusedError):
        what = tell("nothing listens at {who}", who=where)
        return ConnectError(what, hint=tell("is the server running, and is the port right?"))
    if isinstance(error, OSError):
        reason = error.strerror or str(error)
        what = tell("{who} cannot be reached: {why}", who=where, why=reason)
        return ConnectError(what, hint=tell("check the address and the network"))
    # An answer that breaks off is what a server sends that is just being restarted.
    retryable = isinstance(error, InvalidHandshake)
    what = tell("{who} does not speak websocket", who=where)
    return ConnectError(what, hint=tell("is this the address of a Realtime server?"), retryable=retryable)
