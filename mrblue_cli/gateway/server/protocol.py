"""HTTP/1.1 on the socket: uvicorn's protocol, with bounds on the head of a request and refusals in JSON.

uvicorn's parser takes a head of any size, waits for it without end, and answers what is no HTTP in plain text.
"""

from __future__ import annotations

import asyncio
import base64
import secrets
from typing import Any

import msgspec
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from mrblue_cli.gateway.server.http import bad
from mrblue_cli.gateway.server.realtime import UVICORN_OPTIONS
from mrblue_cli.gateway.surfaces import chat

HEAD_BYTES = 64 * 1024
"""Of request line and headers. A long key and a cookie take a few kilobytes."""
HEAD_LINES = 200
HEAD_SECONDS = 30.0
"""From the first byte of a head (or the opening of the connection) to its last."""
_HANDSHAKE_LINES = 100
_HANDSHAKE_LINE = 8000
"""What the websocket protocol takes, less some room."""
_ONCE = (b"sec-websocket-key", b"sec-websocket-version", b"origin", b"host")
_PHRASES = {400: "Bad Request", 431: "Request Header Fields Too Large"}


class GatewayProtocol(HttpToolsProtocol):
    """One connection."""

    head_seconds = HEAD_SECONDS

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._head = False
        """A head has begun and is not whole."""
        self._size = 0
        self._too_large = False
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Somebody connects."""
        super().connection_made(transport)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is closed."""
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Bytes have come."""
        if self.transport.is_closing():
            return  # what follows a refusal is nobody's
        super().data_received(data)
        if self._head and not self.transport.is_closing():
            # Only here when a head comes in more than one piece.
            self._size += len(data)
            if self._size > HEAD_BYTES:
                self._refuse_head()
            elif self._timer is None:
                self._wait()

    def on_message_begin(self) -> None:
        """A head begins."""
        self._head, self._size, self._too_large = True, 0, False
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        """Its address, or a piece of it."""
        super().on_url(url)
        self._too_large = self._too_large or len(self.url) > HEAD_BYTES

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header line. Those behind a chunked body (trailers) are left out: nothing here asks for them."""
        if not self._head:
            return
        self._size += len(name) + len(value)
        if self._size > HEAD_BYTES or len(self.headers) >= HEAD_LINES:
            self._too_large = True
        else:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The head is whole."""
        self._head = False
        self._stop_waiting()
        if self._too_large:
            raise ValueError("the head is too large")  # makes the parser stop, and `send_400_response` answer
        super().on_headers_complete()

    def handle_websocket_upgrade(self) -> None:
        """Hand over to the websocket protocol what it can read; it answers 500 to bytes it does not expect."""
        if flaw := handshake_flaw(self.scope["method"], self.url, self.headers):
            self._refuse(400, f"This is no websocket handshake: {flaw}.")
        else:
            super().handle_websocket_upgrade()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP: in OpenAI's error shape, and never into the middle of another answer."""
        self._head = False
        self._stop_waiting()
        if self._too_large:
            self._refuse_head()
        else:
            self._refuse(400, msg)

    def _refuse_head(self) -> None:
        self._too_large = True
        what = f"The head of the request is larger than {HEAD_BYTES // 1024} KiB or has more than {HEAD_LINES} lines."
        self._refuse(431, what)

    def _refuse(self, status: int, what: str) -> None:
        if self.cycle is None or self.cycle.response_complete:
            body = msgspec.json.encode(chat.error(bad(what, status=status), status))
            head = (
                f"HTTP/1.1 {status} {_PHRASES[status]}\r\ncontent-type: application/json\r\n"
                f"content-length: {len(body)}\r\nx-request-id: req_{secrets.token_hex(12)}\r\nconnection: close\r\n\r\n"
            )
            self.transport.write(head.encode() + body)
        self.transport.close()

    def _wait(self) -> None:
        self._timer = self.loop.call_later(self.head_seconds, self._too_late)

    def _stop_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _too_late(self) -> None:
        self._timer = None
        if self.transport.is_closing():
            return
        if self.cycle is None or self.cycle.response_complete:
            self.transport.close()
        else:
            self._wait()  # an answer is on its way; the next head may take until it is there


def handshake_flaw(method: str, url: bytes, headers: list[tuple[bytes, bytes]]) -> str:
    """What keeps a request to upgrade from being a handshake (RFC 6455, 4.2.1); empty: nothing."""
    said: dict[bytes, list[bytes]] = {}
    for name, value in headers:
        said.setdefault(name, []).append(value)
    if method != "GET":
        return f"its method is {method}"
    if len(headers) > _HANDSHAKE_LINES or any(len(line) > _HANDSHAKE_LINE for line in (url, *(v for _, v in headers))):
        return "its head is too large"
    if not all(line.isascii() for pair in headers for line in pair):
        return "its headers are not ASCII"
    if any(
        len(said.get(name, ())) > 1 for name in (b"sec-websocket-key", b"sec-websocket-version", b"origin", b"host")
    ):
        return "a header comes twice"
    try:
        key = base64.b64decode(b"".join(said.get(b"sec-websocket-key", ())), validate=True)
    except ValueError:
        key = b""
    if len(key) != 16:
        return "sec-websocket-key is not 16 bytes in base64"
    if said.get(b"sec-websocket-version") != [b"13"]:
        return "sec-websocket-version is not 13"
    return ""


SERVER_OPTIONS: dict[str, Any] = {
    **UVICORN_OPTIONS,
    "http": GatewayProtocol,
    "log_config": None,
    "access_log": False,
    "server_header": False,
    "proxy_headers": False,  # who asks is told by keys, never by a header that anybody can send
}
"""How uvicorn is set up, whoever starts it."""
