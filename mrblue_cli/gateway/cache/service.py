"""The cache as the pipeline sees it: look up, store, close. Every outcome says why."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

import msgspec

from mrblue_cli.gateway.cache.control import Control, read_control
from mrblue_cli.gateway.cache.keys import RequestKey, Uncacheable, request_key
from mrblue_cli.gateway.cache.records import CachedAnswer, Kind, Lookup, Question, Ticket, Verify
from mrblue_cli.gateway.cache.store import MemoryStore, Store
from mrblue_cli.gateway.model import Json, Surface
from mrblue_cli.gateway.options import CacheOptions

if TYPE_CHECKING:
    from mrblue_cli.gateway.cache.semantic import Choose, Embedder, SemanticTier

__all__ = ["Cache", "CachedAnswer", "Kind", "Lookup", "Question", "Ticket", "Verify"]

PENDING = 256
"""Answers whose question waits to be embedded; further ones join the exact tier only."""
CLOSING = 5.0
"""Seconds that `close` waits for them."""


class Cache:
    """Exact tier, then the semantic one.

    `store`: None keeps answers in this process. `embedder` and `choose` open the semantic tier; both or neither.
    `wall` gives Unix seconds, `chance` a number in 0..1 (it picks which trusted hits are checked, when an error bound
    is set). `warn` gets single lines for the log.
    """

    def __init__(
        self,
        options: CacheOptions,
        *,
        store: Store | None = None,
        embedder: Embedder | None = None,
        choose: Choose | None = None,
        wall: Callable[[], float] = time.time,
        chance: Callable[[], float] = random.random,
        warn: Callable[[str], None] = lambda _line: None,
    ) -> None:
        """Raises ValueError for an embedder without guards: similarity alone serves wrong answers."""
        self._options = options
        self._wall = wall
        self._warn = warn
        self._store: Store = store or MemoryStore(max_size=options.max_size, ttl=options.ttl, wall=wall)
        self._pending: set[asyncio.Task[None]] = set()
        self._dropped = False
        self._catching_up = False
        self._semantic: SemanticTier | None = None
        if embedder is None or not (options.enabled and options.semantic):
            return
        if choose is None:
            raise ValueError("an embedder needs guards: pass choose")
        from mrblue_cli.gateway.cache.bound import ErrorBound
        from mrblue_cli.gateway.cache.semantic import SemanticTier

        self._semantic = SemanticTier(
            store=self._store,
            embedder=embedder,
            choose=choose,
            threshold=options.similarity_threshold,
            max_size=options.max_size,
            ttl=options.ttl,
            wall=wall,
            chance=chance,
            bound=None if options.error_bound is None else ErrorBound(options.error_bound, max_size=options.max_size),
            warn=warn,
        )
        self._store.on_gone(self._semantic.forget)

    async def lookup(self, *, surface: Surface, body: Json, key_id: str, control: str = "") -> Lookup:
        """What is kept for a request, and a ticket to store the fresh answer with when there is nothing.

        `key_id` names the virtual key, `control` is the request's `cache-control` header. A bypass may carry a ticket
        (`no-cache`: do not read, do store). `miss;reason=only-if-cached` has none: the client wants 504, not a call.
        """
        if not self._options.enabled:
            return Lookup(kind="bypass", reason="disabled")
        wants = read_control(control)
        if not wants.write:
            return Lookup(kind="bypass", reason="no-store")
        owner = "" if self._options.shared_between_keys else key_id
        key = request_key(surface, body, owner, semantic=self._semantic is not None)
        if isinstance(key, Uncacheable):
            return Lookup(kind="bypass", reason=key.reason)
        ticket = Ticket(surface=surface, key=key.exact, partition=key.partition, question=key.question)
        if not wants.read:
            return Lookup(kind="bypass", reason="no-cache", ticket=ticket)
        found = await self._find(key, wants, ticket)
        if found.answer is not None:
            if not self._options.shadow:
                return msgspec.structs.replace(found, ticket=None)
            found = msgspec.structs.replace(found, kind="miss", reason=f"shadow-{found.kind}", answer=None)
        if wants.only_if_cached:
            return Lookup(kind="miss", reason="only-if-cached", similarity=found.similarity)
        return found

    async def store(self, ticket: Ticket, answer: CachedAnswer) -> None:
        """Keep a complete, good answer. Embedding its question happens behind the caller's back."""
        kept = await self._store.put(ticket.key, answer)
        if not kept or self._semantic is None or not ticket.question:
            return
        if len(self._pending) >= PENDING:
            if not self._dropped:
                self._dropped = True
                self._warn(
                    "semantic cache: answers come faster than they can be embedded; some join the exact tier only"
                )
            return
        # The answer itself is held only where it will be compared: many may wait, and the store's bound counts bytes.
        self._behind(self._semantic.remember(ticket, answer.stored_at, answer.body if ticket.verify else b""))

    async def settled(self) -> None:
        """Wait until all that was stored can be found."""
        while self._pending:
            await asyncio.wait(tuple(self._pending))

    async def close(self) -> None:
        """Finish what is pending, for a few seconds at most, and let go of the store."""
        if self._pending:
            _, late = await asyncio.wait(tuple(self._pending), timeout=CLOSING)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        await self._store.close()

    async def _find(self, key: RequestKey, wants: Control, ticket: Ticket) -> Lookup:
        answer = await self._store.get(key.exact)
        if answer is not None and wants.accepts(answer.stored_at, self._wall()):
            return Lookup(kind="hit-exact", reason="same-request", answer=answer, ticket=ticket)
        if self._semantic is None or not key.partition:
            reason = "first-time" if answer is None else "too-old"
            if answer is None and key.exact_only and self._semantic is not None:
                reason = f"exact-only-{key.exact_only}"
            return Lookup(kind="miss", reason=reason, ticket=ticket)
        found = await self._semantic.search(key, wants)
        if self._semantic.behind and not self._catching_up:
            self._catching_up = True
            self._behind(self._catch_up(self._semantic))
        reason = "too-old" if answer is not None and found.reason == "first-time" else found.reason
        return Lookup(
            kind="miss" if found.answer is None else "hit-semantic",
            reason=reason,
            answer=found.answer,
            ticket=msgspec.structs.replace(ticket, vector=found.vector, verify=found.verify),
            similarity=found.similarity,
        )

    async def _catch_up(self, semantic: SemanticTier) -> None:
        try:
            await semantic.catch_up()
        finally:
            self._catching_up = False

    def _behind(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._pending.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._pending.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._warn(f"semantic cache: a question could not be kept ({type(error).__name__})")
