"""Redis that may go away: every use names what to do without it.

Several gateways share answers, budgets, breakers and limits through one Redis. None of that is worth an outage: an
operation has a short time limit, and when Redis is gone it is answered locally, at once, until a probe in the
background finds Redis back. One warning per outage, not one per request.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar
from urllib.parse import urlsplit

import redis.asyncio
from redis.asyncio.connection import BlockingConnectionPool
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisGone
from redis.exceptions import RedisError, ResponseError
from redis.exceptions import TimeoutError as RedisSlow

from mrblue_cli.core.clock import Clock
from mrblue_cli.core.errors import ConfigError

T = TypeVar("T")

_LOST = (RedisGone, RedisSlow, OSError, TimeoutError)


class SharedRedis:
    """One pool of connections that degrades.

    `on_lost` and `on_back` get one line each per outage; it names host, port and database, never user or password.
    `limit` is the longest an operation may take, `probe_every` the time between two looks at a lost Redis (seconds).
    """

    def __init__(
        self,
        url: str,
        *,
        clock: Clock,
        on_lost: Callable[[str], None],
        on_back: Callable[[str], None] | None = None,
        limit: float = 0.5,
        probe_every: float = 3.0,
        connections: int = 16,
    ) -> None:
        """Nothing connects yet. Raises `ConfigError` for an address that is none."""
        self.where = _place(url)
        self.healthy = True
        """Whether the last word from Redis was a good one."""
        self.outages = 0
        """How often it was lost. A rise means: it may have come back empty."""
        self._clock = clock
        self._on_lost = on_lost
        self._on_back = on_back
        self._limit = limit
        self._probe_every = probe_every
        self._probe_at = 0.0
        self._probe: asyncio.Task[None] | None = None
        self._complained: set[str] = set()
        try:
            pool = BlockingConnectionPool.from_url(
                url,
                protocol=2,  # one shape of answers, whatever the server's version
                max_connections=connections,
                timeout=limit,
                socket_timeout=limit,
                socket_connect_timeout=limit,
                retry=Retry(NoBackoff(), 0),  # going on without beats waiting
            )
        except (ValueError, TypeError):
            # The library's text may repeat the address, and with it the password.
            raise _bad_address(self.where) from None
        self._client: redis.asyncio.Redis = redis.asyncio.Redis.from_pool(pool)

    def __repr__(self) -> str:
        """Without user and password."""
        return f"SharedRedis({self.where}, {'healthy' if self.healthy else 'lost'})"

    async def run(
        self,
        name: str,
        action: Callable[[redis.asyncio.Redis], Awaitable[T]],
        otherwise: Callable[[], T | Awaitable[T]],
    ) -> T:
        """What `action` returns, or `otherwise` does when Redis is gone, slow, or refuses the command.

        `name` says in warnings what was tried. Other errors of `action` are its own and pass through.
        """
        if not self.healthy:
            self._look_again()
            return await _value(otherwise)
        try:
            async with asyncio.timeout(self._limit):
                return await action(self._client)
        except _LOST as error:
            self._lost(name, error)
        except ResponseError as error:
            # Redis lives and says no (out of memory, read only, a foreign value under our key): nothing to probe for.
            self._refused(name, error)
        except RedisError as error:
            self._lost(name, error)
        return await _value(otherwise)

    async def close(self) -> None:
        """End the probe and the connections."""
        if self._probe is not None:
            self._probe.cancel()
            await asyncio.gather(self._probe, return_exceptions=True)
        await self._client.aclose()

    def _lost(self, name: str, error: Exception) -> None:
        if not self.healthy:
            return  # others were under way when it went
        self.healthy = False
        self.outages += 1
        self._probe_at = self._clock.now() + self._probe_every
        self._on_lost(
            f"Redis at {self.where} is lost ({name}: {type(error).__name__}); going on with this machine alone"
        )

    def _refused(self, name: str, error: Exception) -> None:
        if name in self._complained:
            return
        self._complained.add(name)
        # The server's words name commands and limits, not values; the first one is its error code.
        self._on_lost(f"Redis at {self.where} refuses {name} ({str(error).partition(' ')[0]}); doing that locally")

    def _look_again(self) -> None:
        """Probe in the background, so that no request waits for a Redis that may never answer."""
        if self._clock.now() < self._probe_at or (self._probe is not None and not self._probe.done()):
            return
        self._probe_at = self._clock.now() + self._probe_every
        self._probe = asyncio.create_task(self._ping())

    async def _ping(self) -> None:
        try:
            # Connections from before the outage are dead or hold half an answer.
            await self._client.connection_pool.disconnect()
            async with asyncio.timeout(self._limit):
                await self._client.ping()
        except (*_LOST, RedisError):
            return
        self.healthy = True
        if self._on_back is not None:
            self._on_back(f"Redis at {self.where} is back")


async def _value(otherwise: Callable[[], T | Awaitable[T]]) -> T:
    result = otherwise()
    return await result if isinstance(result, Awaitable) else result


def _place(url: str) -> str:
    """Host, port and database of an address. Raises `ConfigError`."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise _bad_address("") from None
    if parts.scheme == "unix" and parts.path:
        return parts.path
    if parts.scheme not in {"redis", "rediss"} or not parts.hostname:
        raise _bad_address("")
    database = parts.path.strip("/")
    return f"{parts.hostname}:{port or 6379}" + (f"/{database}" if database.isdigit() else "")


def _bad_address(where: str) -> ConfigError:
    return ConfigError(
        f"the Redis address{' of ' + where if where else ''} cannot be used",
        hint="write it as redis://[user:password@]host[:port][/database], rediss:// for TLS, or unix:///path",
    )
