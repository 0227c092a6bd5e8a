"""The semantic tier: a question close enough in meaning to one whose answer is kept, and guarded against traps.

Imported only when there is an embedder: it brings numpy.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec
import numpy as np

from mrblue_cli.gateway.cache.answers import LONGEST, agree, said, undecided
from mrblue_cli.gateway.cache.bound import ErrorBound
from mrblue_cli.gateway.cache.control import Control
from mrblue_cli.gateway.cache.index import Index, Near, Vector
from mrblue_cli.gateway.cache.keys import RequestKey
from mrblue_cli.gateway.cache.records import CachedAnswer, Question, Ticket, Verify
from mrblue_cli.gateway.cache.store import Store

NEIGHBOURS = 5
FLOOR = 0.6
"""Similarity below which a question is not even judged."""
LOOSER = 0.1
"""How far below the threshold candidates are considered when an error bound decides: it finds out which are good."""
WAITING = 8
"""Lookups that may wait for the embedder at once; more go on without the semantic tier rather than queue up."""
EMBED_LIMIT = 5.0
"""Seconds for one embedding."""

_UNFIT_FOR_HEADER = re.compile(r"[^a-z0-9.]+")


class Verdict(Protocol):
    """What the guards say of a pair of questions."""

    @property
    def allow(self) -> bool: ...
    @property
    def reason(self) -> str: ...
    @property
    def score(self) -> float: ...


Judge = Callable[[str, str, float, float], Verdict]
"""(query, kept question, similarity, threshold) -> verdict; pure."""


class Embedder(Protocol):
    """Turns texts into vectors of length 1."""

    name: str
    dimensions: int

    async def embed(self, texts: Sequence[str]) -> Vector:
        """float32 [texts, dimensions]."""
        ...


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What the search came to."""

    reason: str
    answer: CachedAnswer | None = None
    """None: a miss."""
    similarity: float | None = None
    vector: bytes = b""
    verify: Verify | None = None


class SemanticTier:
    """Search and upkeep of the index. `warn` gets one line when the embedder begins to fail."""

    def __init__(
        self,
        *,
        store: Store,
        embedder: Embedder,
        judge: Judge,
        threshold: float,
        max_size: int,
        ttl: float,
        wall: Callable[[], float],
        chance: Callable[[], float],
        bound: ErrorBound | None,
        warn: Callable[[str], None],
    ) -> None:
        self._store = store
        self._embedder = embedder
        self._judge = judge
        self._threshold = threshold if bound is None else threshold - LOOSER
        self._wall = wall
        self._chance = chance
        self._bound = bound
        self._warn = warn
        self._one = asyncio.Semaphore(1)
        self._waiting = 0
        self._failing = False
        self.behind = False
        """Whether there is more of other gateways' questions to read."""
        self.index = Index(embedder.dimensions, max_size=max_size, ttl=ttl)

    async def search(self, key: RequestKey, control: Control) -> Found:
        """The nearest question that passes the guards and whose answer is still there."""
        await self.sync()
        if not self.index.size_of(key.partition):
            return Found(reason="first-time")
        if self._waiting >= WAITING:
            return Found(reason="embedder-busy")
        self._waiting += 1
        try:
            vector = await self._embed(key.question)
        finally:
            self._waiting -= 1
        if vector is None:
            return Found(reason="embedder-failed")
        return await self._choose(key, vector, control)

    async def _choose(self, key: RequestKey, vector: Vector, control: Control) -> Found:
        data = vector.tobytes()
        refusal = ""
        nearest = self.index.nearest(key.partition, vector, NEIGHBOURS)
        for near in nearest:
            if near.similarity < FLOOR:
                break
            verdict = self._judge(key.question, near.text, near.similarity, self._threshold)
            if not verdict.allow:
                refusal = refusal or _why_not(verdict.reason, near.similarity)
                continue
            answer = await self._store.get(near.key)
            if answer is None:
                self.index.remove(near.key)
                refusal = refusal or "expired"
            elif not control.accepts(answer.stored_at, self._wall()):
                refusal = refusal or "too-old"
            else:
                return self._decide(near, answer, data)
        best = nearest[0].similarity if nearest else None
        if not refusal:
            refusal = "first-time" if best is None else _why_not("below-threshold", best)
        return Found(reason=refusal, similarity=best, vector=data)

    def _decide(self, near: Near, answer: CachedAnswer, data: bytes) -> Found:
        self.index.touch(near.key)
        if self._bound is not None and not self._bound.serve(near.key, near.similarity, self._chance()):
            verify = Verify(key=near.key, similarity=near.similarity)
            return Found(reason="verify", similarity=near.similarity, vector=data, verify=verify)
        reason = f"similar-{near.similarity:.2f}"
        return Found(reason=reason, answer=answer, similarity=near.similarity, vector=data)

    async def remember(self, ticket: Ticket, stored_at: float, body: bytes) -> None:
        """Take a stored answer's question into the index and tell the other gateways.

        When a hit was withheld, `body` is the fresh answer: it is compared, and the result learnt.
        """
        async with self._one:  # lookups, for which a client waits, go first
            if ticket.verify is not None and await self._verified(ticket, ticket.verify, body):
                return  # the older question stands for both: what is learnt stays in one place
            if ticket.vector:
                vector: Vector | None = np.frombuffer(ticket.vector, np.float32)
            else:
                vector = await self._embed(ticket.question)
        if vector is None:
            return
        self.index.expire(self._wall())
        self.index.add(ticket.key, ticket.partition, ticket.question, vector, stored_at=stored_at)
        await self._store.publish(
            Question(
                key=ticket.key,
                partition=ticket.partition,
                text=ticket.question,
                vector=vector.astype("<f4").tobytes(),
                stored_at=stored_at,
            )
        )

    async def sync(self) -> None:
        """Take in what other gateways published: one helping, so that no lookup waits for long. See `behind`."""
        news = await self._store.news()
        self.behind = news.more
        if news.questions:
            self.index.expire(self._wall())
        for question in news.questions:
            known = self.index.stored_at(question.key)
            if known is not None and known >= question.stored_at:
                continue
            vector = self._sound(np.frombuffer(question.vector, "<f4") if len(question.vector) % 4 == 0 else None)
            if vector is not None:
                self.index.add(question.key, question.partition, question.text, vector, stored_at=question.stored_at)

    async def catch_up(self) -> None:
        """Read on until nothing is left."""
        while self.behind:
            await self.sync()

    def forget(self, key: str) -> None:
        """The answer of this key is gone."""
        self.index.remove(key)
        if self._bound is not None:
            self._bound.forget(key)

    async def _verified(self, ticket: Ticket, verify: Verify, body: bytes) -> bool:
        """Compare the fresh answer with the withheld one and learn; whether they agree."""
        kept = await self._store.get(verify.key)
        if kept is None or self._bound is None:
            return False
        ours, theirs = said(ticket.surface, body), said(ticket.surface, kept.body)
        if ours is None or theirs is None:
            return False  # nothing was learnt either way
        closeness = None
        if undecided(ours, theirs):
            vectors = await self._embed_all([ours.text[:LONGEST], theirs.text[:LONGEST]])
            closeness = None if vectors is None else float(vectors[0] @ vectors[1])
        same = agree(ours, theirs, lambda: closeness)
        self._bound.learn(verify.key, verify.similarity, right=same)
        return same

    async def _embed(self, text: str) -> Vector | None:
        vectors = await self._embed_all([text])
        return None if vectors is None else self._sound(vectors[0])

    async def _embed_all(self, texts: list[str]) -> Vector | None:
        try:
            async with asyncio.timeout(EMBED_LIMIT):
                vectors = await self._embedder.embed(texts)
        except Exception as error:  # noqa: BLE001  # whatever an embedder does wrong, the request goes on without
            self._failed(type(error).__name__)
            return None
        if vectors.shape != (len(texts), self.index.dimensions):
            self._failed(f"it gave a table of {vectors.shape} for {len(texts)} texts")
            return None
        self._failing = False
        return np.ascontiguousarray(vectors, np.float32)

    def _failed(self, why: str) -> None:
        if not self._failing:
            self._failing = True
            self._warn(
                f"semantic cache: the embedder {self._embedder.name} fails ({why}); going on with exact hits only"
            )

    def _sound(self, vector: Vector | None) -> Vector | None:
        """The vector if it can be compared: right size, finite, of length 1."""
        if vector is None or vector.shape != (self.index.dimensions,):
            return None
        length = float(np.linalg.norm(vector.astype(np.float64)))
        return vector.astype(np.float32, copy=False) if abs(length - 1.0) < 0.01 else None


def _why_not(reason: str, similarity: float) -> str:
    """A guard's reason as words for the header."""
    word = _UNFIT_FOR_HEADER.sub("-", reason.lower()).strip("-")[:40]
    if word in {"threshold", "below-threshold", "similarity"}:
        # Cut, not rounded: 0.9496 is below 0.95 and should not read as equal to it.
        return f"below-threshold-{int(similarity * 100) / 100:.2f}"
    return word if word.startswith(("guard-", "below-")) else f"guard-{word or 'refused'}"
