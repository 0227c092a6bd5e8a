"""The shell that talks to providers: one pooled HTTP client. It knows nothing of models, prices or retries."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import AsyncIterator, Mapping
from types import SimpleNamespace
from typing import Any, Protocol

import aiohttp

from mrblue_cli.gateway.model import CallError, Fault, FaultKind, HttpRequest

_GONE = (errno.ECONNRESET, errno.EPIPE, errno.ECONNABORTED)
_LINGER = 1.0
"""Seconds in which the last chunk of HTTP's framing must follow the end mark of a stream."""
_LINGER_BYTES = 4096
MAX_ANSWER = 256 * 1024 * 1024
"""Bytes of one plain answer; a larger one is a broken provider."""


class Incoming(Protocol):
    """One provider's answer, its head read and its body still to come."""

    status: int
    headers: Mapping[str, str]

    async def read(self) -> bytes:
        """The whole body. Raises `CallError` (BROKEN)."""
        ...

    def chunks(self) -> AsyncIterator[bytes]:
        """The body as it arrives. Raises `CallError` (BROKEN) when it is cut."""
        ...

    def close(self) -> None:
        """Done with it; an unread body closes its connection."""
        ...

    def ended(self) -> None:
        """Done with it, at the answer's own end mark: what HTTP still has to say may follow in a moment."""
        ...


class Upstream:
    """A connection pool over all providers. Make it inside a running loop."""

    def __init__(self, *, connect_timeout: float = 5.0) -> None:
        self.connect_timeout = connect_timeout
        self._lingering: set[asyncio.Task[None]] = set()
        trace = aiohttp.TraceConfig()
        trace.on_connection_reuseconn.append(_mark_reused)
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=30, ttl_dns_cache=60),
            timeout=aiohttp.ClientTimeout(total=None),
            cookie_jar=aiohttp.DummyCookieJar(),
            skip_auto_headers=("User-Agent",),
            trace_configs=[trace],
            trust_env=False,
        )

    async def open(self, request: HttpRequest) -> Incoming:
        """Send a request and read the answer's head. Raises `CallError` (CONNECT)."""
        first = SimpleNamespace(reused=False)
        try:
            return await self._send(request, first)
        except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError) as error:
            # A pooled connection that the peer closed while it was idle tells nothing about the peer.
            if not (first.reused and _closed_by_peer(error)):
                raise _connect_fault(request, error) from None
        except aiohttp.ClientError as error:
            raise _connect_fault(request, error) from None
        except (ValueError, TimeoutError) as error:
            raise _connect_fault(request, error) from None
        try:
            return await self._send(request, SimpleNamespace(reused=False))
        except (aiohttp.ClientError, TimeoutError) as error:
            raise _connect_fault(request, error) from None

    async def fetch(self, request: HttpRequest) -> tuple[int, bytes]:
        """Status and whole body. Raises `CallError`."""
        incoming = await self.open(request)
        try:
            return incoming.status, await incoming.read()
        finally:
            incoming.close()

    @property
    def connect_timeout(self) -> float:
        """Seconds a connection may take to come about."""
        return self._patience.sock_connect or 0.0

    @connect_timeout.setter
    def connect_timeout(self, seconds: float) -> None:
        self._patience = aiohttp.ClientTimeout(total=None, sock_connect=seconds)

    @property
    def session(self) -> aiohttp.ClientSession:
        """For what is not a provider (webhooks)."""
        return self._session

    async def close(self) -> None:
        """Close all connections."""
        for task in self._lingering:
            task.cancel()
        await asyncio.gather(*self._lingering, return_exceptions=True)
        await self._session.close()

    async def _send(self, request: HttpRequest, context: SimpleNamespace) -> Incoming:
        response = await self._session.request(
            request.method,
            request.url,
            data=_form(request) if request.parts else request.body,
            headers=request.headers,
            # A redirect would carry the key to wherever it points.
            allow_redirects=False,
            # Deadlines belong to the caller, who knows what is waited for; only connecting is ours.
            timeout=self._patience,
            trace_request_ctx=context,
        )
        return _HttpIncoming(response, self._lingering)


class _HttpIncoming:
    """`Incoming` over aiohttp."""

    __slots__ = ("_lingering", "_response", "headers", "status")

    def __init__(self, response: aiohttp.ClientResponse, lingering: set[asyncio.Task[None]]) -> None:
        self._response = response
        self._lingering = lingering
        self.status = response.status
        self.headers: Mapping[str, str] = _LowerCase(response.headers)

    async def read(self) -> bytes:
        try:
            length = self._response.content_length
            if length is not None and length <= MAX_ANSWER and "content-encoding" not in self.headers:
                return await self._response.read()
            parts, size = [], 0
            async for part in self._response.content.iter_any():
                size += len(part)
                if size > MAX_ANSWER:
                    self.close()
                    raise CallError(Fault(kind=FaultKind.BROKEN, message="The provider's answer is too large."))
                parts.append(part)
            return b"".join(parts)
        except (aiohttp.ClientError, OSError) as error:
            raise CallError(_cut(error)) from None

    def chunks(self) -> AsyncIterator[bytes]:
        return _Chunks(self._response.content)

    def close(self) -> None:
        # Gives the connection back when the body was read to its end, closes it otherwise.
        if self._response.content.at_eof():
            self._response.release()
        else:
            self._response.close()

    def ended(self) -> None:
        if self._response.content.at_eof():
            self._response.release()
            return
        # Closed now, the connection and its TLS handshake would be lost to the next request.
        task = asyncio.ensure_future(self._linger())
        self._lingering.add(task)
        task.add_done_callback(self._lingering.discard)

    async def _linger(self) -> None:
        size = 0
        try:
            async with asyncio.timeout(_LINGER):
                while size < _LINGER_BYTES and (data := await self._response.content.readany()):
                    size += len(data)
        except (aiohttp.ClientError, OSError):  # TimeoutError is one
            pass
        finally:
            self.close()


class _Chunks:
    """The body as it arrives. No generator: one that is left half way costs a task to clean up."""

    __slots__ = ("_content",)

    def __init__(self, content: aiohttp.StreamReader) -> None:
        self._content = content

    def __aiter__(self) -> _Chunks:
        return self

    async def __anext__(self) -> bytes:
        try:
            data = await self._content.readany()
        except (aiohttp.ClientError, OSError) as error:
            raise CallError(_cut(error)) from None
        if not data:
            raise StopAsyncIteration
        return data


class _LowerCase(Mapping[str, str]):
    """Header names are looked up in lower case; aiohttp's own table ignores case already."""

    __slots__ = ("_headers",)

    def __init__(self, headers: Mapping[str, str]) -> None:
        self._headers = headers

    def __getitem__(self, name: str) -> str:
        return self._headers[name]

    def __iter__(self) -> Any:
        return (name.lower() for name in self._headers)

    def __len__(self) -> int:
        return len(self._headers)


def _form(request: HttpRequest) -> aiohttp.FormData:
    form = aiohttp.FormData(quote_fields=False, default_to_multipart=True)
    for part in request.parts:
        if part.filename is None:
            form.add_field(part.name, part.data.decode("utf-8", "replace"))
        else:
            name = "".join(c if c.isprintable() and c not in '"\\' else "_" for c in part.filename)
            form.add_field(part.name, part.data, filename=name, content_type=part.content_type or _OCTETS)
    return form


_OCTETS = "application/octet-stream"


def _closed_by_peer(error: Exception) -> bool:
    return isinstance(error, aiohttp.ServerDisconnectedError) or getattr(error, "errno", None) in _GONE


def _connect_fault(request: HttpRequest, error: Exception) -> CallError:
    del request  # its address may be internal; the log names the route
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        reason = "its name cannot be resolved"
    elif isinstance(error, aiohttp.ClientConnectorCertificateError | aiohttp.ClientConnectorSSLError):
        reason = "its certificate was not accepted"
    elif isinstance(error, TimeoutError):
        reason = "it took too long to connect"
    elif isinstance(error, aiohttp.ClientConnectorError):
        reason = "the connection was refused"
    elif isinstance(error, aiohttp.ServerDisconnectedError | aiohttp.ClientOSError):
        reason = "the connection was closed before an answer came"
    elif isinstance(error, aiohttp.InvalidURL | ValueError):
        reason = "its address is not valid"
    else:
        reason = "the answer could not be read"
    return CallError(Fault(kind=FaultKind.CONNECT, message=f"The provider cannot be reached: {reason}."))


def _cut(error: Exception) -> Fault:
    del error  # its text may name internal addresses
    return Fault(kind=FaultKind.BROKEN, message="The provider's answer was cut off.")


async def _mark_reused(
    session: aiohttp.ClientSession,  # noqa: ARG001 - the signature is aiohttp's
    context: SimpleNamespace,
    parameters: aiohttp.TraceConnectionReuseconnParams,  # noqa: ARG001
) -> None:
    # Who uses the session for something else (webhooks) has no such note.
    if context.trace_request_ctx is not None:
        context.trace_request_ctx.reused = True


async def within(seconds: float, work: Any, message: str) -> Any:
    """Await `work` for at most `seconds`. Raises `CallError` (TIMEOUT) with the message."""
    try:
        async with asyncio.timeout(seconds):
            return await work
    except TimeoutError:
        raise CallError(Fault(kind=FaultKind.TIMEOUT, message=message)) from None
