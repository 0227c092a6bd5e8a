"""The attempts of one request, made: the plan decides, this asks, waits, and keeps account of every call."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol, TypeVar

import msgspec

from mrblue_cli.core.clock import Clock
from mrblue_cli.gateway.attempt import Attempt
from mrblue_cli.gateway.budget.prices import cost_nano
from mrblue_cli.gateway.budget.service import Charge
from mrblue_cli.gateway.deadlines import deadlines_for
from mrblue_cli.gateway.model import Call, CallError, Fault, FaultKind, Json, Part, Piece, Surface, Usage
from mrblue_cli.gateway.options import DeadlineOptions
from mrblue_cli.gateway.providers.base import Provider
from mrblue_cli.gateway.routing.health import Health, Lane
from mrblue_cli.gateway.routing.plan import Plan, Step, Stop
from mrblue_cli.gateway.routing.table import RULES
from mrblue_cli.gateway.surfaces import TRANSLATORS
from mrblue_cli.gateway.upstream import Upstream

T = TypeVar("T")
TEXT = frozenset({Surface.CHAT, Surface.RESPONSES, Surface.MESSAGES})


class Noted(msgspec.Struct, frozen=True):
    """One attempt as the log tells it."""

    provider: str
    model: str
    outcome: str
    """`ok`, a kind of fault, or `cancelled`."""
    seconds: float
    first_token: float | None = None
    fault: Fault | None = None
    began: float = 0.0
    """On the clock of the request."""
    kind: str = ""
    """The adapter."""
    usage: Usage | None = None
    """What was booked; None: nothing."""


class Watcher(Protocol):
    """Told of each attempt as it ends (metrics)."""

    def attempted(self, lane: Lane, note: Noted) -> None:
        """One attempt has ended."""
        ...

    def charged(self, charge: Charge) -> None:
        """A call was booked."""
        ...

    def puzzled(self, error: Exception) -> None:
        """Something was raised that no contract foresees: a defect of an adapter's, or of ours."""
        ...


class Surroundings(msgspec.Struct, frozen=True, kw_only=True):
    """What every request shares."""

    providers: Mapping[str, Provider]
    """Adapters by kind."""
    health: Health
    upstream: Upstream
    deadlines: DeadlineOptions
    clock: Clock
    sleep: Callable[[float], Awaitable[None]]
    watcher: Watcher


class Run:
    """One request on its way through providers."""

    def __init__(
        self,
        around: Surroundings,
        plan: Plan,
        *,
        surface: Surface,
        body: Json,
        parts: tuple[Part, ...],
        stream: bool,
        estimate: Usage,
        ends_at: float,
    ) -> None:
        self.charges: list[Charge] = []
        self.notes: list[Noted] = []
        self.tries = 0
        """Calls made, the one under way included."""
        self.surface = surface
        self._around = around
        self._plan = plan
        self._body = body
        self._parts = parts
        self._stream = stream
        self._estimate = estimate
        self._ends_at = ends_at
        self._chat_body: Json | None = None

    async def make(self, work: Callable[[Attempt], Awaitable[T]]) -> tuple[Lane, Attempt, T]:
        """Ask until somebody answers. Raises `CallError` with what the client should hear."""
        around = self._around
        step: Step = self._plan.first(around.clock.now())
        while True:
            if isinstance(step, Stop):
                raise CallError(step.fault)
            if step.wait > 0:
                await around.sleep(step.wait)
                step = self._plan.woken(step, around.clock.now())
                continue
            try:
                return step.lane, *await self._one(step.lane, work)
            except CallError as error:
                step = self._plan.after(error.fault, around.clock.now())

    async def go_on(self, prefill: str, made: int) -> tuple[Lane, Attempt, list[Piece]] | None:
        """Have somebody continue an answer that broke off after `made` tokens; None when nobody can."""
        while (step := self._plan.continuation(self._around.clock.now())) is not None:
            try:
                return step.lane, *await self._one(step.lane, Attempt.start, prefill, made)
            except CallError as error:
                if RULES[error.fault.kind].final and error.fault.kind is not FaultKind.BAD_REQUEST:
                    return None  # a refusal of the content is not routed around here either
        return None

    def succeeded(self, lane: Lane, attempt: Attempt, usage: Usage) -> None:
        """The answer is whole: its charge, its latency."""
        now = self._around.clock.now()
        self._around.health.succeeded(lane, attempt.latency, now)
        self._charge(lane, usage, "ok")
        self._note(lane, attempt, "ok", used=usage)

    def broke(self, lane: Lane, attempt: Attempt, fault: Fault) -> None:
        """It failed, before or after its first token."""
        if attempt.out_of_time:
            self._around.health.abandoned(lane)
        else:
            self._around.health.failed(lane, fault, self._around.clock.now())
        attempt.close()
        used = None
        if attempt.tokens or attempt.usage is not None or (attempt.reached and RULES[fault.kind].spent):
            used = self.used(attempt)
            self._charge(lane, used, "failed")
        self._note(lane, attempt, fault.kind.value, fault, used=used)

    def left(self, lane: Lane, attempt: Attempt, fault: Fault | None = None) -> None:
        """The client went away; with `fault`, we failed ourselves. Neither says anything about the provider."""
        outcome = "cancelled" if fault is None else "failed"
        self._around.health.abandoned(lane)
        attempt.close()
        used = None
        if attempt.reached:
            used = self.used(attempt)
            self._charge(lane, used, outcome)
        self._note(lane, attempt, outcome, fault, used=used)

    def puzzled(self, error: Exception) -> None:
        """Something was raised that no contract foresees."""
        self._around.watcher.puzzled(error)

    def used(self, attempt: Attempt) -> Usage:
        """What the provider said it used, else our count: the estimate's input and the text that came."""
        said = attempt.usage
        if said is not None and self.surface is Surface.SPEECH:
            # Sound comes without a count of tokens, and its characters alone do not price what is billed by tokens.
            said = said if said.input_tokens or said.output_tokens else None
        if said is not None and (attempt.finish or attempt.counted or not self._stream or self.surface not in TEXT):
            return said
        if self.surface is Surface.SPEECH:
            return self._estimate
        # Four characters a token is what providers' guides give for English; code and other languages take more.
        made = max(attempt.tokens, -(-attempt.text_length // 4))
        if said is not None:
            # Some tell the input at the beginning and the output at the end, which never came.
            return msgspec.structs.replace(said, output_tokens=max(made, said.output_tokens), estimated=True)
        heard = min(made, self._estimate.audio_output_tokens)
        return msgspec.structs.replace(self._estimate, output_tokens=made, audio_output_tokens=heard, estimated=True)

    async def _one(
        self, lane: Lane, work: Callable[[Attempt], Awaitable[T]], prefill: str = "", made: int = 0
    ) -> tuple[Attempt, T]:
        around = self._around
        route = lane.ranked.route
        target = route.targets[lane.key]
        if target.model != lane.ranked.model and route.model == "*":
            target = msgspec.structs.replace(target, model=lane.ranked.model)
        attempt = Attempt(
            around.providers[route.kind],
            self._call(lane, prefill, made),
            target,
            upstream=around.upstream,
            deadlines=deadlines_for(around.deadlines, self._body, target.model),
            clock=around.clock,
            ends_at=self._ends_at,
            puzzled=around.watcher.puzzled,
        )
        around.health.began(lane, attempt.began)
        self.tries += 1
        try:
            return attempt, await work(attempt)
        except CallError as error:
            fault = error.fault
            if prefill and fault.kind is FaultKind.BAD_REQUEST:
                # A provider that cannot go on from a prefill is not sick, and the request is not bad.
                fault = msgspec.structs.replace(fault, kind=FaultKind.UNSUPPORTED)
            self.broke(lane, attempt, fault)
            raise
        except BaseException:
            self.left(lane, attempt)
            raise

    def _call(self, lane: Lane, prefill: str, made: int) -> Call:
        try:
            return self._translated(lane, prefill, made)
        except CallError:
            raise
        except Exception as error:
            self.puzzled(error)
            message = f"The request cannot be put into the words of {lane.ranked.route.provider}."
            raise CallError(Fault(kind=FaultKind.UNSUPPORTED, message=message)) from error

    def _translated(self, lane: Lane, prefill: str, made: int) -> Call:
        native = self._around.providers[lane.ranked.route.kind].traits.native
        translator = TRANSLATORS.get(self.surface)
        # A translated stream is in the middle of its events: who goes on must speak chat, even if it could pass it on.
        passes = self.surface in native and self.surface in lane.ranked.route.surfaces and not prefill
        if translator is None:
            body = _less(self._body, made) if prefill else self._body
            return Call(surface=self.surface, body=body, stream=self._stream, parts=self._parts, prefill=prefill)
        if passes:
            return Call(surface=self.surface, body=translator.to_native(self._body), stream=self._stream)
        if self._chat_body is None:
            self._chat_body = translator.to_chat(self._body)
        body = _less(self._chat_body, made) if prefill else self._chat_body
        return Call(surface=Surface.CHAT, body=body, stream=self._stream, prefill=prefill)

    def _charge(self, lane: Lane, usage: Usage, outcome: str) -> None:
        route = lane.ranked.route
        model = lane.ranked.model
        upstream = route.targets[lane.key].model if route.model != "*" else model
        cost = cost_nano(route.kind, upstream, usage, route.options)
        charge = Charge(route.provider, model, usage, cost, outcome)
        self.charges.append(charge)
        self._around.watcher.charged(charge)

    def _note(
        self, lane: Lane, attempt: Attempt, outcome: str, fault: Fault | None = None, *, used: Usage | None
    ) -> None:
        now = self._around.clock.now()
        first = None if attempt.first_token_at is None else attempt.first_token_at - attempt.began
        note = Noted(
            lane.ranked.route.provider,
            lane.ranked.model,
            outcome,
            now - attempt.began,
            first,
            fault,
            began=attempt.began,
            kind=lane.ranked.route.kind,
            usage=used,
        )
        self.notes.append(note)
        self._around.watcher.attempted(lane, note)


def _less(body: Json, made: int) -> Json:
    """The chat request with what was made already taken from its limit: two parts together keep to what was asked."""
    limits = {name: body[name] for name in ("max_tokens", "max_completion_tokens") if isinstance(body.get(name), int)}
    return {**body, **{name: max(1, limit - made) for name, limit in limits.items()}}
