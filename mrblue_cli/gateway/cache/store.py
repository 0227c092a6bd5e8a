"""Where answers lie: what a store is, and the one in this process's memory."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from mrblue_cli.gateway.cache.records import CachedAnswer, Question

MAX_BYTES = 64 * 1024 * 1024
"""All answers of one process together."""


class News(NamedTuple):
    """What other processes published."""

    questions: Sequence[Question]
    """A bounded helping, oldest first."""
    more: bool
    """True: ask again, there is more to read at once."""


NOTHING_NEW = News((), more=False)


class Store(Protocol):
    """Keeps answers by key, and lets several processes know each other's questions."""

    async def get(self, key: str) -> CachedAnswer | None:
        """The answer, unless it is unknown or has outlived its time."""
        ...

    async def put(self, key: str, answer: CachedAnswer) -> bool:
        """Keep an answer, in place of an older one. False: it is too large to keep."""
        ...

    async def publish(self, question: Question) -> None:
        """Let the other processes know of a question."""
        ...

    async def news(self) -> News:
        """Questions that others published since the last call."""
        ...

    def on_gone(self, forget: Callable[[str], None]) -> None:
        """Have `forget` called with the key of each answer that no process can get any more."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...


class _Kept(NamedTuple):
    answer: CachedAnswer
    size: int


class MemoryStore:
    """Answers in this process: least recently used go first, bounded by number and by bytes.

    `wall` gives Unix seconds; `ttl` counts from `CachedAnswer.stored_at`. An answer of more than a sixteenth of
    `max_bytes` is not kept at all, so that one cannot push out everything else.
    """

    def __init__(self, *, max_size: int, ttl: float, wall: Callable[[], float], max_bytes: int = MAX_BYTES) -> None:
        self._max_size = max_size
        self._max_bytes = max_bytes
        self._ttl = ttl
        self._wall = wall
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._by_age: deque[tuple[float, str]] = deque()
        self._forget: Callable[[str], None] = _ignore
        self.bytes = 0
        """Held at present, by `CachedAnswer.size`."""

    def __len__(self) -> int:
        return len(self._kept)

    def on_gone(self, forget: Callable[[str], None]) -> None:
        """Have `forget` called with each key that leaves."""
        self._forget = forget

    async def get(self, key: str) -> CachedAnswer | None:
        """The answer, unless it is unknown or has outlived its time."""
        kept = self._kept.get(key)
        if kept is None:
            return None
        if kept.answer.stored_at + self._ttl <= self._wall():
            self._drop(key)
            return None
        self._kept.move_to_end(key)
        return kept.answer

    async def put(self, key: str, answer: CachedAnswer) -> bool:
        """Keep an answer, in place of an older one. False: it is too large to keep."""
        self._purge()
        size = answer.size
        if size > self._max_bytes // 16:
            self._drop(key)
            return False
        old = self._kept.pop(key, None)
        if old is not None:
            self.bytes -= old.size
        self._kept[key] = _Kept(answer, size)
        self._by_age.append((answer.stored_at, key))
        self.bytes += size
        while len(self._kept) > self._max_size or self.bytes > self._max_bytes:
            self._drop(next(iter(self._kept)))
        return True

    async def publish(self, question: Question) -> None:
        """Nobody else is here."""

    async def news(self) -> News:
        """Nobody else is here."""
        return NOTHING_NEW

    async def close(self) -> None:
        """Nothing to let go of."""

    def _drop(self, key: str) -> None:
        kept = self._kept.pop(key, None)
        if kept is None:
            return
        self.bytes -= kept.size
        self._forget(key)

    def _purge(self) -> None:
        """Let go of what has outlived its time, so that memory is not held by answers nobody asks for."""
        now = self._wall()
        while self._by_age and self._by_age[0][0] + self._ttl <= now:
            stored_at, key = self._by_age.popleft()
            kept = self._kept.get(key)
            if kept is not None and kept.answer.stored_at == stored_at:
                self._drop(key)
        if len(self._by_age) > 2 * len(self._kept) + 64:
            self._by_age = deque((kept.answer.stored_at, key) for key, kept in self._kept.items())


def _ignore(_key: str) -> None:
    """Nobody wants to know."""
