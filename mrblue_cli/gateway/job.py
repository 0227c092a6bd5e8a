"""One request that holds a reservation: its account, its place in the cache, its record. Settled exactly once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

from mrblue_cli.core.clock import Clock
from mrblue_cli.gateway.access.limits import Limits
from mrblue_cli.gateway.access.window import Verdict
from mrblue_cli.gateway.answers import Ask, Record, safe_header
from mrblue_cli.gateway.budget.service import Budget, Charge, LedgerError, Reservation, Throttle
from mrblue_cli.gateway.cache.service import Cache, CachedAnswer, Lookup
from mrblue_cli.gateway.model import NANO, Usage
from mrblue_cli.gateway.routing.health import Lane
from mrblue_cli.gateway.run import Run


class Observer(Protocol):
    """Told of each request when it is over."""

    @property
    def stopping(self) -> bool:
        """Whether what is still under way is being ended: the gateway's time is up."""
        ...

    def finished(self, record: Record) -> None:
        """Log it, count it, trace it."""
        ...

    def puzzled(self, error: Exception) -> None:
        """Something was raised that no contract foresees."""
        ...


class Books:
    """What every job writes to."""

    def __init__(
        self,
        *,
        cache: Cache | None,
        budget: Budget,
        limits: Limits,
        observer: Observer,
        clock: Clock,
        wall: Callable[[], float],
    ) -> None:
        """`wall` gives Unix seconds."""
        self.cache = cache
        self.budget = budget
        self.limits = limits
        self.clock = clock
        self.wall = wall
        self.observer = observer

    @property
    def stopping(self) -> bool:
        """Whether the gateway ends what is under way."""
        return self.observer.stopping

    def close(self, record: Record, status: int) -> None:
        """The request is over."""
        record.status = status
        record.seconds = self.clock.now() - record.began
        self.observer.finished(record)


class Job:
    """A request on its way."""

    def __init__(
        self, books: Books, ask: Ask, record: Record, lookup: Lookup | None, reservation: Reservation | None
    ) -> None:
        """Without a reservation (the ledger failed, and no limit is set) nothing is settled."""
        self.ask = ask
        self.record = record
        self._books = books
        self._lookup = lookup
        self._reservation = reservation
        self._settled = False
        self._wanted = ""
        self._expected = 0
        self._verdict = Verdict()

    def wants(self, model: str) -> None:
        """The model whose answers the cache takes under this request's key: not a substitute's."""
        self._wanted = model

    def expects(self, tokens: int, verdict: Verdict) -> None:
        """How many tokens were taken from the key's rate limit, and when."""
        self._expected = tokens
        self._verdict = verdict

    @property
    def throttle(self) -> Throttle | None:
        """How this request is to be slowed down."""
        return None if self._reservation is None else self._reservation.throttle

    @property
    def now(self) -> float:
        """Seconds on the request's clock."""
        return self._books.clock.now()

    @property
    def wall(self) -> float:
        """Unix seconds."""
        return self._books.wall()

    @property
    def stopping(self) -> bool:
        """Whether the gateway, not the client, ends this request."""
        return self._books.stopping

    @property
    def storable(self) -> bool:
        """Whether the cache would take the answer."""
        return (
            self._books.cache is not None
            and self._lookup is not None
            and self._lookup.ticket is not None
            and self.record.model == self._wanted
        )

    def served_by(self, lane: Lane, run: Run, usage: Usage | None = None) -> None:
        """Note who answers, after how many tries, and what it used once that is known."""
        record = self.record
        record.provider, record.model = lane.ranked.route.provider, lane.ranked.model
        record.tries = run.tries
        if usage is not None:
            record.input_tokens, record.output_tokens = usage.input_tokens, usage.output_tokens

    async def settle(self, run: Run | None) -> None:
        """The reservation becomes what was really spent. Once, and even if the client has gone."""
        if self._settled:
            return
        self._settled = True
        if run is not None:
            self.record.attempts, self.record.tries = run.notes, run.tries
            self.record.cost_nano = total_of(run)
        settling = self._settle(None if run is None else tuple(run.charges))
        if self._books.budget.shared:
            await asyncio.shield(settling)
        else:
            await settling  # waits for nothing, so that nothing can cancel it half way; a task would cost more

    async def _settle(self, charges: tuple[Charge, ...] | None) -> None:
        """None: nobody was asked at all."""
        books = self._books
        if self._reservation is not None:
            try:
                if charges is None:
                    await books.budget.release(self._reservation)
            except LedgerError:
                charges = ()  # settling is tried again until the ledger takes it; releasing is not
            if charges is not None:
                await books.budget.settle(self._reservation, charges, cache=self.record.cache)
        used = sum(charge.usage.input_tokens + charge.usage.output_tokens for charge in charges or ())
        if used < self._expected:
            await books.limits.give_back(self.ask.caller, self._verdict, self._expected - used, books.wall())

    async def keep(self, body: bytes, content_type: str, frames: tuple[bytes, ...], usage: Usage) -> None:
        """Let the cache have a complete answer, unless it is a substitute's."""
        if not self.storable or self._books.cache is None or self._lookup is None or self._lookup.ticket is None:
            return
        answer = CachedAnswer(
            body=body,
            content_type=content_type,
            frames=frames,
            provider=self.record.provider,
            model=self.record.model,
            usage=usage,
            cost_nano=self.record.cost_nano,
            stored_at=self._books.wall(),
        )
        try:
            await self._books.cache.store(self._lookup.ticket, answer)
        except Exception as error:  # noqa: BLE001 - the client has a good answer coming, whatever the cache makes of it
            self._books.observer.puzzled(error)

    def close(self, status: int) -> None:
        """The request is over."""
        self._books.close(self.record, status)


def headers_of(record: Record) -> dict[str, str]:
    """What the answer's head tells of the decisions so far."""
    headers = {
        **record.limits,
        "x-mrblue-attempts": str(record.tries),
        "x-mrblue-cache": safe_header(f"{record.cache};reason={record.cache_reason}"),
    }
    if record.provider:
        headers["x-mrblue-provider"] = safe_header(record.provider)
        headers["x-mrblue-model"] = safe_header(record.model)
    if record.cost_nano is not None and (record.complete or not record.stream):
        headers["x-mrblue-cost-usd"] = usd(record.cost_nano)
    if record.throttled:
        headers["x-mrblue-budget"] = "throttled"
    return headers


def usd(nano: int) -> str:
    """US dollars with up to nine decimals, no exponent."""
    text = f"{nano // NANO}.{nano % NANO:09d}".rstrip("0")
    return text + "0" if text.endswith(".") else text


def total_of(run: Run) -> int | None:
    """What the request cost with all its attempts; None when no price is known for one of them."""
    total = 0
    for charge in run.charges:
        if charge.cost_nano is None:
            return None
        total += charge.cost_nano
    return total
