"""One request from its key to the ledger: limits, cache, budget, route, stream, account. The order is DESIGN's."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Protocol

import msgspec

from mrblue_cli.gateway.access.limits import Limits
from mrblue_cli.gateway.answers import Answer, Ask, Record, refusal, safe_header
from mrblue_cli.gateway.attempt import Attempt
from mrblue_cli.gateway.budget.cost import cost_nano
from mrblue_cli.gateway.budget.estimate import estimate
from mrblue_cli.gateway.budget.service import Budget, BudgetExceeded, Reservation
from mrblue_cli.gateway.cache.service import Cache, CachedAnswer, Lookup
from mrblue_cli.gateway.model import NANO, CallError, Fault, FaultKind, Json, Piece, Reply, Surface, Usage
from mrblue_cli.gateway.options import GatewayOptions
from mrblue_cli.gateway.replay import plain_answer, streamed_answer
from mrblue_cli.gateway.routing.health import Lane
from mrblue_cli.gateway.routing.plan import Plan
from mrblue_cli.gateway.routing.routes import Ranked, RouteTable
from mrblue_cli.gateway.run import Run, Surroundings
from mrblue_cli.gateway.surfaces import TRANSLATORS, chat
from mrblue_cli.gateway.writers import Writer, writer_for

_encode = msgspec.json.Encoder().encode
_TEXT = frozenset({Surface.CHAT, Surface.RESPONSES, Surface.MESSAGES})
_EVENT_STREAM = "text/event-stream; charset=utf-8"
_CACHED_FRAMES = 2 * 1024 * 1024
"""Bytes of one stream that the cache keeps at most."""


class Observer(Protocol):
    """Told of each request when it is over."""

    def finished(self, record: Record) -> None:
        """Log it, count it, trace it."""
        ...


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
        self._observer = observer
        self._chance = chance
        self._wall = wall

    async def answer(self, ask: Ask) -> Answer:
        """Serve one request. Faults become error answers; nothing else is raised but cancellation."""
        record = Record(
            request_id=ask.request_id,
            key_id=ask.caller.key_id,
            surface=ask.surface,
            asked=str(ask.body.get("model", "")),
            stream=ask.stream,
            began=self._around.clock.now(),
            attempts=[],
        )
        try:
            return await self._served(ask, record)
        except CallError as error:
            return self._refused(ask.surface, error.fault, record)
        except BudgetExceeded as error:
            fault = Fault(
                kind=FaultKind.QUOTA,
                message=error.what,
                type="insufficient_quota",
                code=error.code,
                retry_after=error.retry_after_s,
            )
            return self._refused(ask.surface, fault, record)
        except asyncio.CancelledError:
            self._finish(record, status=499)
            raise

    async def _served(self, ask: Ask, record: Record) -> Answer:
        candidates = self._permitted(ask)
        guess = estimate(ask.surface, ask.body, _ceiling(candidates[0]))
        await self._within_limits(ask, guess, record)
        lookup = await self._looked_up(ask, record)
        if lookup is not None and lookup.answer is not None:
            return await self._from_cache(ask, lookup, lookup.answer, record)
        if lookup is not None and lookup.reason == "only-if-cached":
            message = "This is not in the cache, and the request asks for nothing else (cache-control: only-if-cached)."
            raise CallError(Fault(kind=FaultKind.TIMEOUT, message=message))
        first = candidates[0].route
        reservation = await self._budget.reserve(
            request_id=ask.request_id,
            key_id=ask.caller.key_id,
            key_limits=ask.caller.limits,
            estimate_nano=cost_nano(first.kind, _upstream_name(candidates[0]), guess, first.options),
            surface=ask.surface,
            model=candidates[0].model,
        )
        job = _Job(ask, record, lookup, reservation)
        try:
            candidates = await self._throttled(job, candidates)
            run = self._run(ask, candidates, guess)
        except BaseException:
            await self._budget.settle(reservation, ())
            raise
        if ask.surface is Surface.SPEECH or (ask.surface is Surface.TRANSCRIPTION and ask.stream):
            return await self._passed_through(job, run)
        return await (self._streamed(job, run) if ask.stream else self._plain(job, run))

    def _run(self, ask: Ask, candidates: tuple[Ranked, ...], guess: Usage) -> Run:
        now = self._around.clock.now()
        ends_at = now + self._options.failover.deadlines.total
        plan = Plan(
            candidates,
            self._around.health,
            self._options.failover,
            chance=self._chance,
            deadline=ends_at,
            context=guess.input_tokens if ask.surface in _TEXT else 0,
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
        candidates = self.table.candidates(ask.surface, model)
        if ask.caller.models:
            candidates = tuple(one for one in candidates if ask.caller.allows(one.model, one.route.id))
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

    async def _within_limits(self, ask: Ask, guess: Usage, record: Record) -> None:
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

    async def _throttled(self, job: _Job, candidates: tuple[Ranked, ...]) -> tuple[Ranked, ...]:
        """Near the limit: slower, then cheaper."""
        throttle = job.reservation.throttle
        if throttle is None:
            return candidates
        job.record.throttled = True
        if throttle.delay_s > 0:
            await self._around.sleep(throttle.delay_s)
        if throttle.model and job.ask.surface in _TEXT and throttle.model != candidates[0].model:
            return self.table.candidates(job.ask.surface, throttle.model)
        return candidates

    async def _looked_up(self, ask: Ask, record: Record) -> Lookup | None:
        if self._cache is None:
            return None
        lookup = await self._cache.lookup(
            surface=ask.surface, body=ask.body, key_id=ask.caller.key_id, control=ask.control
        )
        record.cache, record.cache_reason, record.similarity = lookup.kind, lookup.reason, lookup.similarity
        return lookup

    async def _from_cache(self, ask: Ask, lookup: Lookup, stored: CachedAnswer, record: Record) -> Answer:
        record.provider, record.model = stored.provider, stored.model
        record.saved_nano = stored.cost_nano or 0
        record.cost_nano = 0
        reservation = await self._budget.reserve(
            request_id=ask.request_id,
            key_id=ask.caller.key_id,
            key_limits=ask.caller.limits,
            estimate_nano=0,
            surface=ask.surface,
            model=stored.model,
        )
        await self._budget.settle(reservation, (), cache=lookup.kind, saved_nano=record.saved_nano)
        record.complete = True
        headers = self._headers(record)
        self._finish(record, status=200)
        if ask.stream and ask.surface in _TEXT:
            frames = streamed_answer(ask.surface, ask.body, stored)
            return Answer(headers=headers, content_type=_EVENT_STREAM, frames=_all_of(frames))
        return Answer(headers=headers, content_type=stored.content_type, body=plain_answer(stored))

    async def _plain(self, job: _Job, run: Run) -> Answer:
        try:
            lane, attempt, reply = await run.make(Attempt.plain)
            attempt.close()
            usage = run.used(attempt)
            run.succeeded(lane, attempt, usage)
            body = self._body(job.ask, lane, attempt, reply)
        finally:
            await self._settled(job, run)
        self._answered(job.record, lane, usage)
        job.record.complete = True
        headers = self._headers(job.record)
        if reply.finish != "content_filter":
            await self._stored(job, body, reply.content_type, (), usage)
        self._finish(job.record, status=200)
        return Answer(headers=headers, content_type=reply.content_type, body=body)

    @staticmethod
    def _body(ask: Ask, lane: Lane, attempt: Attempt, reply: Reply) -> bytes:
        if isinstance(reply.body, bytes):
            return reply.body
        if attempt.call.surface is not ask.surface:
            try:
                return _encode(TRANSLATORS[ask.surface].from_chat(reply.body, ask.body))
            except CallError:
                raise
            except Exception as error:  # the shape of a provider's answer is not ours to trust
                message = f"{lane.ranked.route.provider} sent an answer that cannot be read."
                raise CallError(Fault(kind=FaultKind.BROKEN, message=message)) from error
        return _encode(reply.body)

    async def _streamed(self, job: _Job, run: Run) -> Answer:
        """Nothing goes to the client before the first real token, so everything until then can be tried elsewhere."""
        try:
            lane, attempt, pieces = await run.make(Attempt.start)
        except BaseException:
            await self._settled(job, run)
            raise
        job.record.first_token = self._around.clock.now() - job.record.began
        self._answered(job.record, lane, None)
        headers = self._headers(job.record)
        frames = self._frames(job, run, lane, attempt, pieces)
        return Answer(headers=headers, content_type=_EVENT_STREAM, frames=frames)

    async def _frames(
        self, job: _Job, run: Run, lane: Lane, attempt: Attempt, pieces: list[Piece]
    ) -> AsyncIterator[bytes]:
        ask, record = job.ask, job.record
        writer = writer_for(ask.surface, attempt.call.surface, ask.body)
        kept = _Kept()
        usage: Usage | None = None
        try:
            while pieces:
                data = b"".join([writer.feed(piece) for piece in pieces])
                if data:
                    kept.add(data)
                    yield data
                try:
                    pieces = await attempt.more()
                except CallError as error:
                    run.broke(lane, attempt, error.fault)
                    going_on = await run.go_on(writer.text()) if _resumable(writer, attempt) else None
                    if going_on is None:
                        record.fault = error.fault
                        yield writer.fail(error.fault)
                        return
                    lane, attempt, pieces = going_on
                    writer.resume()
                    self._answered(record, lane, None)
            attempt.close()
            usage = run.used(attempt)
            run.succeeded(lane, attempt, usage)
            record.complete = True
            self._answered(record, lane, usage)
            record.cost_nano = _total(run)
            end = writer.finish(_cost_note(record))
            kept.add(end)
            # Settled before the last word, so that who reads the usage after the stream finds this request in it.
            await self._settled(job, run)
            if kept.frames and attempt.finish != "content_filter":
                await self._stored_stream(job, writer, kept, usage)
            if end:
                yield end
        finally:
            if usage is None and record.fault is None:
                run.left(lane, attempt)
            await self._settled(job, run)
            self._finish(record, status=200 if record.complete else 499 if record.fault is None else 502)

    async def _passed_through(self, job: _Job, run: Run) -> Answer:
        """Bytes that nobody here reads: speech, and transcripts as they grow."""
        try:
            lane, attempt, incoming = await run.make(Attempt.head)
        except BaseException:
            await self._settled(job, run)
            raise
        self._answered(job.record, lane, None)
        content_type = incoming.headers.get("content-type", "application/octet-stream")
        chunks = incoming.chunks()

        async def frames() -> AsyncIterator[bytes]:
            kept = _Kept()
            try:
                async for data in chunks:
                    kept.add(data)
                    yield data
                usage = run.used(attempt)
                run.succeeded(lane, attempt, usage)
                job.record.complete = True
                self._answered(job.record, lane, usage)
                await self._settled(job, run)
                if kept.frames:
                    await self._stored(job, b"".join(kept.frames), content_type, (), usage)
            except CallError as error:
                job.record.fault = error.fault
                run.broke(lane, attempt, error.fault)
                raise
            finally:
                if not job.record.complete and job.record.fault is None:
                    run.left(lane, attempt)
                attempt.close()
                await self._settled(job, run)
                self._finish(job.record, status=200 if job.record.complete else 502)

        return Answer(headers=self._headers(job.record), content_type=safe_header(content_type), frames=frames())

    async def _settled(self, job: _Job, run: Run) -> None:
        """The reservation becomes what was really spent. Once, and even if the client has gone."""
        job.record.attempts = run.notes
        if job.settled:
            return
        job.settled = True
        job.record.cost_nano = _total(run)
        settle = self._budget.settle(job.reservation, tuple(run.charges), cache=job.record.cache)
        await asyncio.shield(settle)

    async def _stored(self, job: _Job, body: bytes, content_type: str, frames: tuple[bytes, ...], usage: Usage) -> None:
        if self._cache is None or job.lookup is None or job.lookup.ticket is None:
            return
        record = job.record
        answer = CachedAnswer(
            body=body,
            content_type=content_type,
            frames=frames,
            provider=record.provider,
            model=record.model,
            usage=usage,
            cost_nano=record.cost_nano,
            stored_at=self._wall(),
        )
        await self._cache.store(job.lookup.ticket, answer)

    async def _stored_stream(self, job: _Job, writer: Writer, kept: _Kept, usage: Usage) -> None:
        if self._cache is None or job.lookup is None or job.lookup.ticket is None:
            return
        whole: Json | None = writer.complete()
        if whole is not None:
            await self._stored(job, _encode(whole), "application/json", tuple(kept.frames), usage)

    def _answered(self, record: Record, lane: Lane, usage: Usage | None) -> None:
        record.provider = lane.ranked.route.provider
        record.model = lane.ranked.model
        if usage is not None:
            record.input_tokens, record.output_tokens = usage.input_tokens, usage.output_tokens

    def _refused(self, surface: Surface, fault: Fault, record: Record) -> Answer:
        record.fault = fault
        if record.attempts:
            record.provider, record.model = record.attempts[-1].provider, record.attempts[-1].model
        answer = refusal(surface, fault)
        answer.headers.update(self._headers(record))
        self._finish(record, status=answer.status)
        return answer

    def _headers(self, record: Record) -> dict[str, str]:
        headers = {
            **record.limits,
            "x-mrblue-attempts": str(len(record.attempts) or (1 if record.stream and record.provider else 0)),
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

    def _finish(self, record: Record, *, status: int) -> None:
        record.status = status
        record.seconds = self._around.clock.now() - record.began
        self._observer.finished(record)


class _Job:
    """A request that holds a reservation."""

    __slots__ = ("ask", "lookup", "record", "reservation", "settled")

    def __init__(self, ask: Ask, record: Record, lookup: Lookup | None, reservation: Reservation) -> None:
        self.ask = ask
        self.record = record
        self.lookup = lookup
        self.reservation = reservation
        self.settled = False


class _Kept:
    """The bytes of a stream, as long as they are few enough to keep."""

    def __init__(self) -> None:
        self.frames: list[bytes] = []
        self._size = 0

    def add(self, data: bytes) -> None:
        self._size += len(data)
        if self._size > _CACHED_FRAMES:
            self.frames = []
        elif data:
            self.frames.append(data)


def usd(nano: int) -> str:
    """US dollars with up to nine decimals, no exponent."""
    text = f"{nano // NANO}.{nano % NANO:09d}".rstrip("0")
    return text + "0" if text.endswith(".") else text


def _total(run: Run) -> int | None:
    """What the request cost with all its attempts; None when no price is known for one of them."""
    total = 0
    for charge in run.charges:
        if charge.cost_nano is None:
            return None
        total += charge.cost_nano
    return total


def _cost_note(record: Record) -> str:
    return "" if record.cost_nano is None else f"x-mrblue-cost-usd {usd(record.cost_nano)}"


def _resumable(writer: Writer, attempt: Attempt) -> bool:
    return writer.resumable and not attempt.finish and bool(writer.text())


def _ceiling(ranked: Ranked) -> int | None:
    options = ranked.route.options
    return options.max_tokens if options is not None else None


def _upstream_name(ranked: Ranked) -> str:
    return ranked.model if ranked.route.model == "*" else ranked.route.targets[0].model


def _bad(message: str, param: str) -> Fault:
    return Fault(kind=FaultKind.BAD_REQUEST, message=message, status=400, type="invalid_request_error", param=param)


async def _all_of(frames: list[bytes]) -> AsyncIterator[bytes]:
    for data in frames:
        yield data
