"""Requests and tokens per minute of each key, over all that serve: this process, this machine, or several machines.

`window` decides. What was admitted is kept in memory for one process, in a small SQLite file for the workers of one
machine, in Redis for several machines; a store that fails is replaced by memory, and said once.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Protocol, TypeVar

from mrblue_cli.gateway.access.keys import Caller
from mrblue_cli.gateway.access.window import WINDOW, Row, Verdict, Wait, Window, decide
from mrblue_cli.gateway.state import StateFile

__all__ = ["Limits", "Shared", "SqliteWindows", "Verdict", "Wait"]

T = TypeVar("T")
_MOST_WINDOWS = 20_000
_BUSY = 1.0
"""Seconds to wait for another worker. Each holds the file for some ten microseconds."""
_TRY_AGAIN = 5.0
"""Seconds between two looks at a file that could not be used."""
_CLEAN_EVERY = 256
_SCHEMA = """
CREATE TABLE IF NOT EXISTS rate_windows (
  key_id TEXT NOT NULL, second INTEGER NOT NULL, requests INTEGER NOT NULL, tokens INTEGER NOT NULL,
  PRIMARY KEY (key_id, second)
) WITHOUT ROWID;
"""
# One hash for each key: "r:SECOND" and "t:SECOND". The server's own clock counts, unless a time is handed in, so that
# machines whose clocks differ share one window. Gives whether it was admitted, the time in microseconds as text, and
# the hash as it was before, from which the caller tells how long to wait and what is left.
_SCRIPT = """
local micros = tonumber(ARGV[1])
if micros < 0 then
  local t = redis.call('TIME')
  micros = tonumber(t[1]) * 1000000 + tonumber(t[2])
end
local now = math.floor(micros / 1000000)
local requests, tokens, wanted, window = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local all = redis.call('HGETALL', KEYS[1])
local used_requests, used_tokens, newest = 0, 0, now
local live, old = {}, {}
for i = 1, #all, 2 do
  local second = tonumber(string.sub(all[i], 3))
  if math.abs(second - now) > window then
    old[#old + 1] = all[i]
  else
    live[#live + 1] = all[i]
    live[#live + 1] = all[i + 1]
    if second > newest then newest = second end
    if string.sub(all[i], 1, 1) == 'r' then
      used_requests = used_requests + tonumber(all[i + 1])
    else
      used_tokens = used_tokens + tonumber(all[i + 1])
    end
  end
end
if #old > 0 then redis.call('HDEL', KEYS[1], unpack(old)) end
local fits = (requests < 0 or used_requests + 1 <= requests) and (tokens < 0 or used_tokens + wanted <= tokens)
if fits then
  redis.call('HINCRBY', KEYS[1], 'r:' .. newest, 1)
  redis.call('HINCRBY', KEYS[1], 't:' .. newest, wanted)
  redis.call('EXPIRE', KEYS[1], 2 * window + 2)
end
return {fits and 1 or 0, string.format('%.0f', micros), live}
"""


class Shared(Protocol):
    """A connection to Redis that degrades: `gateway.shared.SharedRedis`."""

    async def run(
        self, name: str, action: Callable[[Any], Awaitable[T]], otherwise: Callable[[], T | Awaitable[T]]
    ) -> T:
        """The outcome of `action`, or of `otherwise` while Redis is lost."""
        ...


class Limits:
    """The limits of all keys. Times are Unix seconds."""

    def __init__(
        self,
        *,
        windows: SqliteWindows | None = None,
        redis: Shared | None = None,
        redis_clock: bool = True,
    ) -> None:
        """Memory alone; `windows` for several workers of one machine; `redis` for several machines.

        With `redis_clock`, Redis tells the time instead of the caller.
        """
        self._windows = windows
        self._redis = redis
        self._redis_clock = redis_clock
        self._local: dict[str, Window] = {}
        self._script: Any = None

    async def take(self, caller: Caller, tokens: int, now: float) -> Wait | None:
        """Admit one request that may use `tokens`, or say how long to wait."""
        return (await self.check(caller, tokens, now)).wait

    async def check(self, caller: Caller, tokens: int, now: float) -> Verdict:
        """As `take`, with what is left, for the headers of the answer."""
        if caller.requests_per_minute is None and caller.tokens_per_minute is None:
            return Verdict()
        wanted = max(0, tokens)
        if self._redis is None:
            return self._on_this_machine(caller, wanted, now)
        return await self._redis.run(
            "limits",
            lambda client: self._in_redis(client, caller, wanted, now),
            lambda: self._on_this_machine(caller, wanted, now),
        )

    async def give_back(self, caller: Caller, verdict: Verdict, unused: int, now: float) -> None:
        """Return tokens that were admitted and not used, so that a generous estimate does not fill the minute."""
        if unused <= 0 or verdict.tokens is None or verdict.wait is not None:
            return
        if self._redis is None:
            self._return_here(caller, verdict.second, unused, now)
            return

        async def there(client: Any) -> None:
            await client.hincrby(_redis_key(caller), f"t:{verdict.second}", -unused)
            await client.expire(_redis_key(caller), 2 * WINDOW + 2)

        await self._redis.run("limits", there, lambda: self._return_here(caller, verdict.second, unused, now))

    def close(self) -> None:
        """Close the file."""
        if self._windows is not None:
            self._windows.close()

    def _on_this_machine(self, caller: Caller, wanted: int, now: float) -> Verdict:
        requests, tokens = caller.requests_per_minute, caller.tokens_per_minute
        if self._windows is not None:
            verdict = self._windows.take(caller.key_id, now, requests=requests, tokens=tokens, wanted=wanted)
            if verdict is not None:
                return verdict
        return self._window(caller).take(now, requests=requests, tokens=tokens, wanted=wanted)

    def _return_here(self, caller: Caller, second: int, unused: int, now: float) -> None:
        if self._windows is None or not self._windows.give_back(caller.key_id, second, unused):
            self._window(caller).give_back(now, second, unused)

    def _window(self, caller: Caller) -> Window:
        window = self._local.get(caller.key_id)
        if window is None:
            if len(self._local) >= _MOST_WINDOWS:
                # Keys come from the table and are few; this only bounds what a strange use of it may cost.
                self._local.pop(next(iter(self._local)))
            window = self._local[caller.key_id] = Window()
        return window

    async def _in_redis(self, client: Any, caller: Caller, wanted: int, now: float) -> Verdict:
        requests, tokens = caller.requests_per_minute, caller.tokens_per_minute
        micros = -1 if self._redis_clock else int(now * 1e6)
        arguments = (micros, -1 if requests is None else requests, -1 if tokens is None else tokens, wanted, WINDOW)
        if self._script is None:
            self._script = client.register_script(_SCRIPT)
        _, at, flat = await self._script(keys=[_redis_key(caller)], args=arguments, client=client)
        counts: dict[int, list[int]] = {}
        for field, value in zip(flat[::2], flat[1::2], strict=True):
            name = field.decode() if isinstance(field, bytes) else field
            counts.setdefault(int(name[2:]), [0, 0])[name[0] == "t"] += int(value)
        rows: list[Row] = [(second, count[0], count[1]) for second, count in counts.items()]
        # The same rule as in the script, on the same numbers: it only adds how long to wait and what is left.
        return decide(rows, int(at) / 1e6, requests=requests, tokens=tokens, wanted=wanted)


class SqliteWindows:
    """Windows that the workers of one machine share. Not thread-safe: one per event loop.

    Best in a file of its own beside the ledger, so that the two never wait for each other.
    """

    def __init__(self, path: Path, *, on_lost: Callable[[str], None]) -> None:
        self._file = StateFile(path, _SCHEMA, busy=_BUSY)
        self._on_lost = on_lost
        self._taken = 0
        self._lost_at: float | None = None

    def take(self, key_id: str, now: float, *, requests: int | None, tokens: int | None, wanted: int) -> Verdict | None:
        """Decide and count in one transaction; None when the file cannot be used."""

        def decided(base: sqlite3.Connection) -> Verdict:
            rows = base.execute(
                "SELECT second, requests, tokens FROM rate_windows WHERE key_id = ? AND second BETWEEN ? AND ?",
                (key_id, int(now) - WINDOW, int(now) + WINDOW),
            ).fetchall()
            verdict = decide(rows, now, requests=requests, tokens=tokens, wanted=wanted)
            if verdict.wait is None:
                base.execute(
                    "INSERT INTO rate_windows VALUES (?, ?, 1, ?) ON CONFLICT (key_id, second) DO UPDATE SET "
                    "requests = requests + 1, tokens = tokens + excluded.tokens", (key_id, verdict.second, wanted),
                )  # fmt: skip
            self._taken += 1
            if self._taken % _CLEAN_EVERY == 1:
                base.execute(
                    "DELETE FROM rate_windows WHERE second NOT BETWEEN ? AND ?", (int(now) - WINDOW, int(now) + WINDOW)
                )
            return verdict

        return self._locked(decided, now)

    def give_back(self, key_id: str, second: int, unused: int) -> bool:
        """Subtract unused tokens where they were counted; false when the file cannot be used."""

        def subtracted(base: sqlite3.Connection) -> bool:
            base.execute(
                "UPDATE rate_windows SET tokens = MAX(0, tokens - ?) WHERE key_id = ? AND second = ?",
                (unused, key_id, second),
            )
            return True

        return self._locked(subtracted) or False

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _locked(self, work: Callable[[sqlite3.Connection], T], now: float | None = None) -> T | None:
        if self._lost_at is not None and (now is None or 0 <= now - self._lost_at < _TRY_AGAIN):
            return None
        try:
            base = self._file.open()
            base.execute("BEGIN IMMEDIATE")
            try:
                result = work(base)
            except BaseException:
                with contextlib.suppress(sqlite3.Error):
                    base.execute("ROLLBACK")
                raise
            base.execute("COMMIT")
        except (sqlite3.Error, OSError) as error:
            if self._lost_at is None:
                name = self._file.path.name
                self._on_lost(f"{name} cannot be used for limits ({error}): each worker keeps them for itself")
            self._lost_at = now if now is not None else 0.0
            self.close()
            return None
        self._lost_at = None
        return result


def _redis_key(caller: Caller) -> str:
    return f"mrblue:limits:{caller.key_id}"
