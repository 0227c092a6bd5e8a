"""One request from its key to the ledger: limits, cache, budget, route, stream, account. The order is DESIGN's."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable

from mrblue_cli.gateway import delivery
from mrblue_cli.gateway.access.keys import Caller
from mrblue_cli.gateway.access.limits import Limits
from mrblue_cli.gateway.access.window import Verdict
from mrblue_cli.gateway.answers import Answer, Ask, Record, refusal
from mrblue_cli.gateway.budget.estimate import estimate
from mrblue_cli.gateway.budget.prices import cost_nano
from mrblue_cli.gateway.budget.service import Budget, BudgetExceeded, LedgerError, Reservation
from mrblue_cli.gateway.cache.service import Cache, CachedAnswer, Lookup
from mrblue_cli.gateway.job import Books, Job, Observer, headers_of
from mrblue_cli.gateway.model import CallError, Fault, FaultKind, Surface, Usage
from mrblue_cli.gateway.options import GatewayOptions
from mrblue_cli.gateway.replay import plain_answer, streamed_answer
from mrblue_cli.gateway.routing.plan import Plan
from mrblue_cli.gateway.routing.routes import Ranked, RouteTable
from mrblue_cli.gateway.run import TEXT, Run, Surroundings
from mrblue_cli.gateway.surfaces import chat

_LONGEST_NAME = 256
_NAME_LENGTH = 200
"""Characters of a model's name that logs keep."""


class Pipeline:
    """All requests but realtime ones. One instance serves until a reload puts another in its place."""

    def __init__(
        self,
        options: GatewayOptions,
        table: RouteTable,
        around: Surroundings,
        *,
        cache: Cache | None,
        budget: Budget,
        limits: Limits,
        observer: Observer,
        chance: Callable[[], float],
        wall: Callable[[], float],
    ) -> None:
        """`chance` gives uniform numbers in [0, 1), `wall` Unix seconds."""
        self.table = table
        self._options = options
        self._around = around
        self._cache = cache
        self._budget = budget
        self._limits = limits
        self._chance = chance
        self._wall = wall
        self._books = Books(cache=cache, budget=budget, limits=limits, observer=observer, clock=around.clock, wall=wall)

    async def answer(self, ask: Ask) -> Answer:
        """Serve one request. Faults become error answers; nothing else is raised but cancellation."""
        record = Record(
            request_id=ask.request_id,
            key_id=ask.caller.key_id,
            surface=ask.surface,
            asked=asked[:_NAME_LENGTH] if isinstance(asked := ask.body.get("model"), str) else "",
            stream=ask.stream,
            began=self._around.clock.now(),
            attempts=[],
            traceparent=ask.traceparent,
            tracestate=ask.tracestate,
        )
        try:
            return await self._served(ask, record)
        except CallError as error:
            return self._refused(ask.surface, error.fault, record)
        except BudgetExceeded as error:
            known = error.code != "price_unknown"
            fault = Fault(
                kind=FaultKind.QUOTA if known else FaultKind.BAD_REQUEST,
                message=error.what,
                status=None if known else 403,
                type="insufficient_quota" if known else "invalid_request_error",
                code=error.code,
                retry_after=error.retry_after_s if known else None,
            )
            return self._refused(ask.surface, fault, record)
        except asyncio.CancelledError:
            self._books.close(record, 499)
            raise

    async def _served(self, ask: Ask, record: Record) -> Answer:
        candidates = self._permitted(ask)
        guess = estimate(ask.surface, ask.body, _ceiling(candidates[0]), ask.parts)
        verdict = await self._within_limits(ask, guess, record)
        try:
            lookup = await self._looked_up(ask, record)
            if lookup is not None and lookup.answer is not None:
                answer = await self._from_cache(ask, lookup, lookup.answer, record)
                await self._give_back(ask, guess, verdict)
                return answer
            reservation = await self._reserved(ask, _dearest(candidates, guess), candidates[0].model)
        except (CallError, BudgetExceeded):
            await self._give_back(ask, guess, verdict)
            raise
        return await self._made(Job(self._books, ask, record, lookup, reservation), candidates, guess, verdict)

    async def _made(self, job: Job, candidates: tuple[Ranked, ...], guess: Usage, verdict: Verdict) -> Answer:
        """An answer of a provider's, now that the money for it is set aside."""
        job.wants(candidates[0].model)
        job.expects(guess.input_tokens + guess.output_tokens, verdict)
        try:
            run = self._run(job.ask, await self._throttled(job, candidates, guess), guess)
        except BaseException:
            await job.settle(None)
            raise
        if job.ask.stream or job.ask.surface is Surface.SPEECH:
            return await delivery.streamed(job, run)
        return await delivery.plain(job, run)

    async def _give_back(self, ask: Ask, guess: Usage, verdict: Verdict) -> None:
        """Nothing was asked of anybody: the key's tokens are its own again."""
        await self._limits.give_back(ask.caller, verdict, guess.input_tokens + guess.output_tokens, self._wall())

    async def _reserved(self, ask: Ask, price: int | None, model: str) -> Reservation | None:
        """Money set aside; None when the ledger fails and there is no limit, or nothing to pay.

        Raises `BudgetExceeded`, `CallError`.
        """
        try:
            return await self._budget.reserve(
                request_id=ask.request_id,
                key_id=ask.caller.key_id,
                key_limits=ask.caller.limits,
                estimate_nano=price,
                surface=ask.surface,
                model=model,
            )
        except LedgerError as error:
            limits, budget = ask.caller.limits, self._options.budget
            if price != 0 and any(
                x is not None
                for x in (limits.daily_nano, limits.monthly_nano, budget.daily_limit, budget.monthly_limit)
            ):
                message = (
                    "The gateway cannot write its ledger, and a budget is set: it does not spend what it cannot count."
                )
                raise CallError(
                    Fault(kind=FaultKind.OVERLOADED, message=message, code="ledger_unavailable", retry_after=10.0)
                ) from error
            return None

    def _run(self, ask: Ask, candidates: tuple[Ranked, ...], guess: Usage) -> Run:
        now = self._around.clock.now()
        ends_at = now + self._options.failover.deadlines.total
        plan = Plan(
            candidates,
            self._around.health,
            self._options.failover,
            chance=self._chance,
            deadline=ends_at,
            context=guess.input_tokens if ask.surface in TEXT else 0,
        )
        return Run(
            self._around,
            plan,
            surface=ask.surface,
            body=ask.body,
            parts=ask.parts,
            stream=ask.stream,
            estimate=guess,
            ends_at=ends_at,
        )

    def _permitted(self, ask: Ask) -> tuple[Ranked, ...]:
        if ask.surface is Surface.CHAT:
            chat.validate_chat(ask.body)
        model = ask.body.get("model")
        if not isinstance(model, str) or not model:
            raise CallError(_bad("The request names no model.", "model"))
        if len(model) > _LONGEST_NAME:
            raise CallError(_bad(f"The model's name is longer than {_LONGEST_NAME} characters.", "model"))
        candidates = self.table.candidates(ask.surface, model)
        if ask.caller.models:
            candidates = _allowed(ask.caller, candidates)
            if not candidates or not candidates[0].same_model:
                fault = Fault(
                    kind=FaultKind.BAD_REQUEST,
                    message=f"This key may not use the model '{model}'.",
                    status=403,
                    type="invalid_request_error",
                    code="model_not_allowed",
                    param="model",
                )
                raise CallError(fault)
        return candidates

    async def _within_limits(self, ask: Ask, guess: Usage, record: Record) -> Verdict:
        verdict = await self._limits.check(ask.caller, guess.input_tokens + guess.output_tokens, self._wall())
        record.limits = verdict.headers()
        wait = verdict.wait
        if wait is not None and wait.never:
            message = f"The request may use more {wait.what} than this key may use in a minute."
            raise CallError(Fault(kind=FaultKind.BAD_REQUEST, message=message, status=413, code="rate_limit_exceeded"))
        if wait is not None:
            fault = Fault(
                kind=FaultKind.RATE_LIMITED,
                message=f"Rate limit reached for this key: {wait.what}. Try again in {wait.seconds:.3g} s.",
                type="requests",
                code="rate_limit_exceeded",
                retry_after=wait.seconds,
            )
            raise CallError(fault)
        return verdict

    async def _throttled(self, job: Job, candidates: tuple[Ranked, ...], guess: Usage) -> tuple[Ranked, ...]:
        """Near the limit: slower, then cheaper."""
        throttle = job.throttle
        if throttle is None:
            return candidates
        job.record.throttled = True
        if throttle.delay_s > 0:
            await self._around.sleep(throttle.delay_s)
        if not throttle.model or job.ask.surface not in TEXT:
            return candidates
        try:
            found = self.table.candidates(job.ask.surface, throttle.model)
        except CallError:
            return candidates  # no model of that name serves this: nothing to fall back on
        # Only the cheaper model: falling back from it to a dearer one would spend what is to be spared.
        cheaper = tuple(one for one in _allowed(job.ask.caller, found) if one.same_model)
        asked, instead = _prices(candidates[:1], guess), _prices(cheaper, guess)
        known = [price for price in instead if price is not None]
        if not known:
            return candidates
        if asked[0] is not None and max(known) >= asked[0]:
            return tuple(one for one in candidates if one.same_model)
        return cheaper

    async def _looked_up(self, ask: Ask, record: Record) -> Lookup | None:
        if self._cache is None:
            record.cache_reason = "disabled"
            return None
        try:
            found = await self._cache.lookup(
                surface=ask.surface, body=ask.body, key_id=ask.caller.key_id, control=ask.control
            )
        except Exception as error:  # noqa: BLE001 - a defect of the cache costs a repeated answer, not this one
            self._around.watcher.puzzled(error)
            record.cache_reason = "failed"
            return None
        record.cache, record.cache_reason, record.similarity = found.kind, found.reason, found.similarity
        if found.answer is None and found.reason == "only-if-cached":
            message = "This is not in the cache, and the request asks for nothing else (cache-control: only-if-cached)."
            raise CallError(Fault(kind=FaultKind.TIMEOUT, message=message))
        return found

    async def _from_cache(self, ask: Ask, lookup: Lookup, stored: CachedAnswer, record: Record) -> Answer:
        record.provider, record.model = stored.provider, stored.model
        record.saved_nano = stored.cost_nano or 0
        record.cost_nano = 0
        reservation = await self._reserved(ask, 0, stored.model)
        if reservation is not None:
            await self._budget.settle(reservation, (), cache=lookup.kind, saved_nano=record.saved_nano)
        record.complete = True
        headers = headers_of(record)
        self._books.close(record, 200)
        if ask.stream and ask.surface in TEXT:
            frames = streamed_answer(ask.surface, ask.body, stored)
            return Answer(headers=headers, content_type=delivery.EVENT_STREAM, frames=_all_of(frames))
        return Answer(headers=headers, content_type=stored.content_type, body=plain_answer(stored))

    def _refused(self, surface: Surface, fault: Fault, record: Record) -> Answer:
        record.fault = fault
        if record.attempts:
            record.provider, record.model = record.attempts[-1].provider, record.attempts[-1].model
        answer = refusal(surface, fault)
        answer.headers.update(headers_of(record))
        self._books.close(record, answer.status)
        return answer


def _ceiling(ranked: Ranked) -> int | None:
    options = ranked.route.options
    return options.max_tokens if options is not None else None


def _allowed(caller: Caller, candidates: tuple[Ranked, ...]) -> tuple[Ranked, ...]:
    """Those that the key may use, by the names that they really have: an alias opens nothing."""
    return tuple(one for one in candidates if caller.allows(one.model, f"{one.route.provider}/{one.model}"))


def _dearest(candidates: tuple[Ranked, ...], guess: Usage) -> int | None:
    """What the request may cost at most, wherever it ends up; None when the asked model has no known price."""
    prices = _prices(candidates, guess)
    return None if prices[0] is None else max(price for price in prices if price is not None)


def _prices(candidates: tuple[Ranked, ...], guess: Usage) -> list[int | None]:
    return [cost_nano(one.route.kind, _upstream_name(one), guess, one.route.options) for one in candidates]


def _upstream_name(ranked: Ranked) -> str:
    return ranked.model if ranked.route.model == "*" else ranked.route.targets[0].model


def _bad(message: str, param: str) -> Fault:
    return Fault(kind=FaultKind.BAD_REQUEST, message=message, status=400, type="invalid_request_error", param=param)


async def _all_of(frames: list[bytes]) -> AsyncGenerator[bytes]:
    for data in frames:
        yield data
