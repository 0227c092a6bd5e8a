"""Which routes other gateways have found dead: a hash in Redis, each field a route and when it may be probed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mrblue_cli.gateway.shared import SharedRedis

_KEY = "mrblue:gateway:breakers"
_LONGEST = 3600.0
"""Seconds. Times from Redis are not trusted beyond this."""


class SharedBreakers:
    """Exchanges open breakers. Times are seconds from now, because the clocks of two machines differ."""

    def __init__(self, redis: SharedRedis) -> None:
        self._redis = redis
        self._told: dict[str, float] = {}

    async def exchange(self, opened: dict[str, float]) -> dict[str, float]:
        """Tell the others what is open here and return what is open anywhere; our own while Redis is lost."""
        nothing: Callable[[], dict[str, float]] = dict

        async def run(client: Any) -> dict[str, float]:
            seconds, micros = await client.time()
            now = int(seconds) + int(micros) / 1e6
            if opened:
                await client.hset(_KEY, mapping={name: f"{now + left:.3f}" for name, left in opened.items()})
                await client.expire(_KEY, int(_LONGEST))
            rows = await client.hgetall(_KEY)
            found = {}
            for name, until in rows.items():
                left = _number(until) - now
                if left <= 0:
                    await client.hdel(_KEY, name)
                elif left <= _LONGEST:
                    found[_text(name)] = left
            return found

        return await self._redis.run("breakers", run, nothing)


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        return 0.0


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
