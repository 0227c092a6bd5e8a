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

from mrblue_cli.core.errors import MrBlueError
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
EMBED_LIMIT = 3.0
"""Seconds for one embedding: a client waits for it."""
HOLD_OFF = 10.0
"""Seconds that an embedder is left alone after it failed, so that not every request waits for its time limit."""

_UNFIT_FOR_HEADER = re.compile(r"[^a-z0-9.]+")


class Verdict(Protocol):
    """What the guards say of a pair of questions."""

    @property
    def allow(self) -> bool: ...
    @property
    def reason(self) -> str: ...
    @property
    def score(self) -> float: ...


class Choice(Protocol):
    """Which of several kept questions may answer, if any."""

    @property
    def place(self) -> int | None: ...
    @property
    def verdict(self) -> Verdict: ...


Choose = Callable[[str, Sequence[tuple[str, float]], float], Choice]
"""(query, [(kept question, similarity)] nearest first, threshold) -> choice; pure."""


class Embedder(Protocol):
    """Turns texts into vectors of length 1."""

    @property
    def name(self) -> str:
        """Tells models apart."""
        ...

    @property
    def dimensions(self) -> int:
        """Length of a vector; 0 while it is not known."""
        ...

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
        choose: Choose,
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
        self._chosen = choose
        self._threshold = threshold if bound is None else threshold - LOOSER
        self._wall = wall
        self._chance = chance
        self._bound = bound
        self._warn = warn
        self._one = asyncio.Semaphore(1)
        self._waiting = 0
        self._failing = False
        self._resume_at = 0.0
        self.behind = False
        """Whether there is more of other gateways' questions to read."""
        self._max_size = max_size
        self._ttl = ttl
        self.index: Index | None = None
        """None until the embedder knows how long its vectors are."""
        self._open_index()

    async def search(self, key: RequestKey, control: Control) -> Found:
        """The nearest question that passes the guards and whose answer is still there."""
        if self.index is not None:
            await self.sync()
            if not self.index.size_of(key.partition):
                return Found(reason="first-time")  # nothing to compare with: the embedding can wait for `remember`
        if self._waiting >= WAITING:
            return Found(reason="embedder-busy")
        self._waiting += 1
        try:
            vector = await self._embed(key.question)
        finally:
            self._waiting -= 1
        if vector is None or self.index is None:
            return Found(reason="embedder-failed")
        return await self._choose(self.index, key, vector, control)

    async def _choose(self, index: Index, key: RequestKey, vector: Vector, control: Control) -> Found:
        data = vector.tobytes()
        refusal = ""
        nearest = index.nearest(key.partition, vector, NEIGHBOURS)
        best = nearest[0].similarity if nearest else None
        left = [near for near in nearest if near.similarity >= FLOOR]
        while left and not refusal:
            choice = self._chosen(key.question, [(near.text, near.similarity) for near in left], self._threshold)
            if choice.place is None:
                refusal = _why_not(choice.verdict, left[0].similarity)
                break
            near = left.pop(choice.place)
            answer = await self._store.get(near.key)
            if answer is None:
                index.remove(near.key)  # gone meanwhile: another one may stand for it
                refusal = "" if left else "expired"
            elif not control.accepts(answer.stored_at, self._wall()):
                refusal = "" if left else "too-old"
            else:
                index.touch(near.key)
                return self._decide(near, answer, data)
        if not refusal:
            refusal = "first-time" if best is None else _below(best)
        return Found(reason=refusal, similarity=best, vector=data)

    def _decide(self, near: Near, answer: CachedAnswer, data: bytes) -> Found:
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
        if vector is None or self.index is None:
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
        index = self.index
        if index is None:
            return
        news = await self._store.news()
        self.behind = news.more
        if news.questions:
            index.expire(self._wall())
        for question in news.questions:
            known = index.stored_at(question.key)
            if known is not None and known >= question.stored_at:
                continue
            vector = self._sound(np.frombuffer(question.vector, "<f4") if len(question.vector) % 4 == 0 else None)
            if vector is not None:
                index.add(question.key, question.partition, question.text, vector, stored_at=question.stored_at)

    async def catch_up(self) -> None:
        """Read on until nothing is left."""
        while self.behind:
            await self.sync()

    def forget(self, key: str) -> None:
        """The answer of this key is gone."""
        if self.index is not None:
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
        """float32 [texts, dimensions], or None when the embedder fails or is left alone after a failure."""
        if 0 < self._resume_at - self._wall() <= HOLD_OFF:
            return None
        try:
            async with asyncio.timeout(EMBED_LIMIT):
                vectors = await self._embedder.embed(texts)
        except Exception as error:  # noqa: BLE001  # whatever an embedder does wrong, the request goes on without
            late = f"no answer within {EMBED_LIMIT:g} s" if isinstance(error, TimeoutError) else type(error).__name__
            self._failed(error.what if isinstance(error, MrBlueError) else late)
            return None
        self._open_index()
        if self.index is None or vectors.shape != (len(texts), self.index.dimensions):
            self._failed(f"it gave a table of {vectors.shape} for {len(texts)} texts")
            return None
        self._failing = False
        self._resume_at = 0.0
        return np.ascontiguousarray(vectors, np.float32)

    def _open_index(self) -> None:
        dimensions = self._embedder.dimensions
        if self.index is None and dimensions > 0:
            self.index = Index(dimensions, max_size=self._max_size, ttl=self._ttl)

    def _failed(self, why: str) -> None:
        self._resume_at = self._wall() + HOLD_OFF
        if not self._failing:
            self._failing = True
            name = self._embedder.name
            self._warn(f"semantic cache: the embedder {name} fails ({why}); exact hits only until it works again")

    def _sound(self, vector: Vector | None) -> Vector | None:
        """The vector if it can be compared: right size, finite, of length 1."""
        if vector is None or self.index is None or vector.shape != (self.index.dimensions,):
            return None
        length = float(np.linalg.norm(vector.astype(np.float64)))
        return vector.astype(np.float32, copy=False) if abs(length - 1.0) < 0.01 else None


def _why_not(verdict: Verdict, similarity: float) -> str:
    """Why the judge refuses, as words for the header. A score says: no guard objects, but it is not sure enough."""
    if verdict.score > 0:
        return _below(verdict.score)
    word = _UNFIT_FOR_HEADER.sub("-", verdict.reason.lower()).strip("-")[:40]
    return _below(similarity) if word == "not-similar" else f"guard-{word or 'refused'}"


def _below(figure: float) -> str:
    """Cut, not rounded: 0.9496 is below 0.95 and should not read as equal to it."""
    return f"below-threshold-{int(figure * 100) / 100:.2f}"
