"""Answers shared by several gateways through Redis.

Answers lie under their exact key with a time to live. Questions are appended to one stream per embedder; each process
reads on from the last one it saw, at most every 200 ms and only when it looks something up, and keeps its own index.
What comes from Redis is not trusted: it is decoded strictly, and what does not parse is not there.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import msgspec
import redis.asyncio

from mrblue_cli.core.clock import Clock
from mrblue_cli.gateway.cache.keys import LONGEST_QUESTION
from mrblue_cli.gateway.cache.records import CachedAnswer, Question
from mrblue_cli.gateway.cache.store import NOTHING_NEW, MemoryStore, News
from mrblue_cli.gateway.shared import SharedRedis

PREFIX = "mrblue:cache:1:"
"""The number is the format's: a gateway of another one neither reads nor disturbs these."""
POLL = 0.2
"""Seconds between two looks for others' questions."""
HELPING = 256
"""Questions read at once: about 400 kB, a few milliseconds."""
SKEW = 300.0
"""Seconds that another machine's clock may be ahead."""

_HEX = re.compile(r"[0-9a-f]{64}\Z")
_STREAM_ID = re.compile(rb"[0-9]{1,20}-[0-9]{1,20}\Z")


class _Sealed(msgspec.Struct, frozen=True):
    """An answer with the key it belongs to, so that a value under a foreign key is noticed."""

    key: str
    answer: CachedAnswer


_encode = msgspec.msgpack.Encoder().encode
_decode_answer = msgspec.msgpack.Decoder(_Sealed).decode
_decode_question = msgspec.msgpack.Decoder(Question).decode


class RedisStore:
    """A store over `SharedRedis`. While that is lost, `local` answers: it holds what this process stored itself.

    `wall` gives Unix seconds and `clock` monotonic ones; `space` names embedder and dimensions, because vectors of two
    embedders cannot be compared.
    """

    def __init__(
        self,
        shared: SharedRedis,
        local: MemoryStore,
        *,
        clock: Clock,
        wall: Callable[[], float],
        ttl: float,
        max_size: int,
        space: str = "",
    ) -> None:
        self._shared = shared
        self._local = local
        self._clock = clock
        self._wall = wall
        self._ttl = ttl
        self._max_size = max_size
        self._stream = f"{PREFIX}questions:{re.sub(r'[^A-Za-z0-9._-]', '-', space)}"
        self._seen = b"0-0"
        self._poll_at = clock.now()
        self._outages = shared.outages

    def on_gone(self, forget: Callable[[str], None]) -> None:
        """Nothing is gone for good while Redis may hold it; the index lets go by age and number."""

    async def get(self, key: str) -> CachedAnswer | None:
        """The answer, unless it is unknown, unreadable or has outlived its time."""

        async def fetch(client: redis.asyncio.Redis) -> CachedAnswer | None:
            return self._read(key, await client.get(PREFIX + key))

        return await self._shared.run("reading an answer", fetch, lambda: self._local.get(key))

    async def put(self, key: str, answer: CachedAnswer) -> bool:
        """Keep an answer here and in Redis. False: it is too large to keep."""
        if not await self._local.put(key, answer):
            return False
        left = answer.stored_at + self._ttl - self._wall()
        if left <= 0:
            return False
        data = _encode(_Sealed(key, answer))

        async def write(client: redis.asyncio.Redis) -> None:
            await client.set(PREFIX + key, data, px=max(1, int(left * 1000)))

        await self._shared.run("keeping an answer", write, _nothing)
        return True

    async def publish(self, question: Question) -> None:
        """Append a question to the stream, which keeps about as many as one index holds."""
        data = _encode(question)

        async def append(client: redis.asyncio.Redis) -> None:
            async with client.pipeline(transaction=False) as pipe:
                pipe.xadd(self._stream, {b"q": data}, maxlen=self._max_size, approximate=True)
                pipe.pexpire(self._stream, int(self._ttl * 1000) + 1)
                await pipe.execute()

        await self._shared.run("publishing a question", append, _nothing)

    async def news(self) -> News:
        """Questions published since the last call, at most a helping; none between two polls.

        After an outage the stream is read again from its start: Redis may have come back empty, or with questions
        that were written while we could not read.
        """
        if self._clock.now() < self._poll_at:
            return NOTHING_NEW
        if self._shared.outages != self._outages and self._shared.healthy:
            self._outages = self._shared.outages
            self._seen = b"0-0"
        since = self._seen
        self._poll_at = self._clock.now() + POLL  # before the wait: several lookups at once poll once

        async def read(client: redis.asyncio.Redis) -> Any:
            return await client.xrange(self._stream, min=b"(" + since, count=HELPING)

        entries = await self._shared.run("reading questions", read, tuple)
        more = len(entries) >= HELPING
        if more:
            self._poll_at = self._clock.now()
        found = []
        for entry in entries:
            number, question = _read_entry(entry)
            if number is not None:
                self._seen = number
            if question is not None and self._timely(question.stored_at):
                found.append(question)
        return News(found, more=more)

    async def close(self) -> None:
        """The connection belongs to whoever made it."""

    def _read(self, key: str, data: Any) -> CachedAnswer | None:
        if not isinstance(data, bytes):
            return None
        try:
            sealed = _decode_answer(data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None
        return sealed.answer if sealed.key == key and self._timely(sealed.answer.stored_at) else None

    def _timely(self, stored_at: float) -> bool:
        """Not too old, not from the future, not NaN."""
        return -self._ttl < stored_at - self._wall() <= SKEW


def _read_entry(entry: Any) -> tuple[bytes | None, Question | None]:
    """Id and question of a stream entry as Redis gives it: (id, {field: value}), in one list or two."""
    number, fields = entry
    if not isinstance(number, bytes) or _STREAM_ID.match(number) is None:
        return None, None
    data = fields.get(b"q") if isinstance(fields, dict) else None
    if not isinstance(data, bytes):
        return number, None
    try:
        question = _decode_question(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return number, None
    sound = _HEX.match(question.key) and _HEX.match(question.partition) and 0 < len(question.text) <= LONGEST_QUESTION
    return number, question if sound else None


def _nothing() -> None:
    """Without Redis there is nobody to tell."""
