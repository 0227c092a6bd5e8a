"""Opening a websocket the careful way, for clients of a Realtime server and for the gateway's relay."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection
from websockets.asyncio.client import connect as websocket_connect

MAX_MESSAGE_BYTES = 32 * 1024 * 1024


class _OpenSocket(websocket_connect):
    """Follows no redirect: the library would send the key on to whatever host the answer names."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        """Hand the answer to the caller as it is."""
        return exc


async def open_socket(
    url: str, headers: Sequence[tuple[str, str]], *, timeout_seconds: float, max_queue: int | None
) -> ClientConnection:
    """An open socket: uncompressed, pinged, no redirects, no proxy on the way to this machine.

    `max_queue` frames wait unread before the peer is slowed down; None: never. Raises what the library raises:
    `OSError`, `InvalidHandshake`, `InvalidURI`, `TimeoutError`, `ValueError`, `ImportError` (a SOCKS proxy).
    """
    return await _OpenSocket(
        url,
        additional_headers=list(headers),
        compression=None,
        max_size=MAX_MESSAGE_BYTES,
        max_queue=max_queue,
        open_timeout=timeout_seconds,
        ping_interval=20,
        ping_timeout=20,
        close_timeout=2,
        proxy=None if _is_local(url) else True,
    )


def _is_local(url: str) -> bool:
    return urlsplit(url).hostname in {"127.0.0.1", "localhost", "::1"}
