"""Posts a document to a service: tried again where that helps, never done twice, never sent where it should not go."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import email.utils
import http.client
import ipaddress
import json
import random
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from mrblue_cli.core.errors import ConfigError, ConnectError, ProviderError
from mrblue_cli.core.texts import tell

TRIES = 3
TRY_SECONDS = 8.0
"""Of one try, connecting included."""
PATIENCE_SECONDS = 10.0
"""A service that asks for a longer wait is told of instead."""
POST_SECONDS = TRIES * TRY_SECONDS + PATIENCE_SECONDS
_FIRST_WAIT, _LONGEST_WAIT = 0.4, 4.0
_MAX_ANSWER_BYTES = 64 * 1024
_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class Delivery:
    """A document that arrived."""

    status: int
    tries: int
    answer: dict[str, Any]
    """What the service said, when it was a JSON object."""


class Poster:
    """Posts to one address. Each document has a key that stays the same over all tries: the receiver sees repeats."""

    def __init__(
        self,
        url: str,
        setting: str,
        *,
        allow_http: bool = False,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        chance: Callable[[], float] = random.random,
        try_seconds: float = TRY_SECONDS,
        unix_now: Callable[[], float] = lambda: dt.datetime.now(tz=dt.UTC).timestamp(),
    ) -> None:
        self._url = checked(url, setting, allow_http=allow_http)
        self.host = urlsplit(url).hostname or ""
        self._sleep = sleep
        self._chance = chance
        self._try_seconds = try_seconds
        self._unix_now = unix_now

    async def post(self, document: dict[str, Any], key: str) -> Delivery:
        """Send it; returns when it arrived. Raises `ConnectError` or `ProviderError`, without the address."""
        body = json.dumps(document, ensure_ascii=False).encode()
        headers = {"Content-Type": "application/json", "Accept": "application/json", "Idempotency-Key": key}
        trouble = ""
        for number in range(1, TRIES + 1):
            asked: float | None = None
            try:
                status, waiting, text = await self._once(body, headers)
            except TimeoutError:
                trouble = tell("it did not answer in time")
            except (OSError, http.client.HTTPException):
                trouble = tell("it cannot be reached")
            else:
                if 200 <= status < 300:
                    return Delivery(status, number, _object(text))
                trouble = tell("it answered with status {status}", status=status)
                self._give_up(status, trouble)
                asked = retry_after(waiting, self._unix_now())
            if number < TRIES:
                await self._wait(number, asked)
        raise ConnectError(
            tell("{host} did not take it: {trouble}", host=self.host, trouble=trouble),
            hint=tell("say it again in a moment; it is not done twice"),
        )

    def _give_up(self, status: int, trouble: str) -> None:
        """Raise for answers that another try cannot change."""
        if 300 <= status < 400:
            raise ProviderError(
                tell("{host} sends us to another address, which is not followed", host=self.host),
                hint=tell("correct the address in the settings"),
            )
        if status not in _AGAIN:
            raise ProviderError(tell("{host} refused it: {trouble}", host=self.host, trouble=trouble))

    async def _once(self, body: bytes, headers: dict[str, str]) -> tuple[int, str, bytes]:
        """One try: status, the header that asks for a wait, the beginning of what was said."""
        parts = urlsplit(self._url)
        secure = parts.scheme == "https"
        kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
        connection = kind(self.host, parts.port, timeout=self._try_seconds)
        path = f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"

        def ask() -> tuple[int, str, bytes]:
            connection.request("POST", path, body=body, headers=headers)
            response = connection.getresponse()
            return response.status, response.getheader("Retry-After", ""), response.read(_MAX_ANSWER_BYTES)

        try:
            async with asyncio.timeout(self._try_seconds):
                return await asyncio.to_thread(ask)
        finally:
            # Also ends a thread that still waits for an answer in small drops.
            with contextlib.suppress(OSError):
                if connection.sock is not None:
                    connection.sock.shutdown(socket.SHUT_RDWR)
            connection.close()

    async def _wait(self, number: int, asked: float | None) -> None:
        if asked is not None and asked > PATIENCE_SECONDS:
            raise ProviderError(
                tell("{host} is busy and asks for {seconds} seconds", host=self.host, seconds=f"{asked:.0f}"),
                hint=tell("try again then; it is not done twice"),
            )
        # Full jitter (Brooker, "Exponential Backoff And Jitter"), but never sooner than was asked for.
        own = min(_LONGEST_WAIT, _FIRST_WAIT * 2 ** (number - 1)) * (0.5 + self._chance() / 2)
        await self._sleep(max(own, asked or 0.0))


def checked(url: str, setting: str, *, allow_http: bool) -> str:
    """The address, if it may be posted to. Raises `ConfigError`, without what may be secret in it."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        parts = urlsplit("")
    host, scheme = parts.hostname or "", parts.scheme
    if not host or scheme not in {"http", "https"} or "@" in parts.netloc or not url.isprintable() or " " in url:
        raise ConfigError(
            tell("{setting} is no web address that can be used", setting=setting),
            hint=tell("https://HOST/PATH, without a name and password in it"),
        )
    if scheme == "http" and not (allow_http or _is_loopback(host)):
        raise ConfigError(
            tell("{setting} is not encrypted and leads to another machine", setting=setting),
            hint=tell("use https, or set [tools] allow_http = true"),
        )
    return url


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def retry_after(header: str, unix_now: float) -> float | None:
    """Seconds that a `Retry-After` asks for (RFC 9110, section 10.2.3: seconds or a date); None: it does not say."""
    text = header.strip()
    if not text:
        return None
    if text.isdigit() and len(text) < 9:
        return float(text)
    try:
        when = email.utils.parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    if when.tzinfo is None:
        when = when.replace(tzinfo=dt.UTC)
    return max(0.0, when.timestamp() - unix_now)


def _object(text: bytes) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
