"""The gateway's rules for realtime sessions: who may open one, where it goes, and what each reply costs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec

from mrblue_cli.core.ids import IdSource
from mrblue_cli.gateway.access.keys import Caller
from mrblue_cli.gateway.budget.prices import cost_nano
from mrblue_cli.gateway.budget.service import Budget, BudgetExceeded, Charge, LedgerError, Reservation
from mrblue_cli.gateway.model import CallError, Fault, FaultKind, Surface, Target, Usage
from mrblue_cli.gateway.realtime.address import RealtimeRoute
from mrblue_cli.gateway.routing.health import Health
from mrblue_cli.gateway.routing.routes import RouteTable

_ONE_REPLY = Usage(input_tokens=4_000, audio_input_tokens=2_000, output_tokens=1_500, audio_output_tokens=1_200)
"""What one reply is taken to cost before it is known: a minute of speech over a short conversation."""


class Rules(Protocol):
    """What this door needs of the gateway; read anew for each session, so that a reload shows."""

    table: RouteTable
    health: Health
    budget: Budget

    def caller_of_token(self, token: str) -> Caller | Fault:
        """Who holds a key."""
        ...

    def caller_of_id(self, key_id: str) -> Caller | Fault:
        """Who minted an ephemeral key."""
        ...

    def charged(self, charge: Charge) -> None:
        """A reply was booked (metrics)."""
        ...

    def monotonic(self) -> float:
        """Now, for breakers."""
        ...


class GatewayDoor:
    """`realtime.ports.Door` over a gateway."""

    def __init__(self, rules: Rules, ids: IdSource) -> None:
        self._rules = rules
        self._ids = ids

    async def authenticate(self, token: str) -> Caller | Fault:
        """Who holds this key."""
        return self._rules.caller_of_token(token)

    async def caller(self, key_id: str) -> Caller | Fault:
        """Who minted an ephemeral key."""
        return self._rules.caller_of_id(key_id)

    def routes(self, caller: Caller, model: str) -> Sequence[RealtimeRoute] | Fault:
        """Where the session may go: healthy routes first, by priority."""
        rules = self._rules
        names = [route.model for route in rules.table.routes if Surface.REALTIME in route.surfaces]
        asked = model or (names[0] if names else "")
        try:
            found = rules.table.candidates(Surface.REALTIME, asked)
        except CallError as error:
            return error.fault
        # By the names that the routes really have: an alias opens nothing.
        ranked = [one for one in found if caller.allows(one.model, f"{one.route.provider}/{one.model}")]
        if not ranked:
            return Fault(
                kind=FaultKind.BAD_REQUEST,
                message=f"This key may not use the model '{asked}'.",
                status=403,
                code="model_not_allowed",
                param="model",
            )
        now = rules.monotonic()
        # A breaker that is open does not forbid the last resort: with nobody else, the session is tried all the same.
        ordered = sorted(ranked, key=lambda one: not rules.health.ready_keys(one.route, now))
        return [
            RealtimeRoute(target=target if one.route.model != "*" else msgspec.structs.replace(target, model=one.model))
            for one in ordered
            for target in one.route.targets
        ]

    def account(self, caller: Caller, model: str) -> SessionAccount:
        """The budget of a new session."""
        return SessionAccount(self._rules, caller, model, self._ids.new("rt"))


class SessionAccount:
    """Money of one session: set aside before each reply, settled with its usage."""

    def __init__(self, rules: Rules, caller: Caller, model: str, session_id: str) -> None:
        self._rules = rules
        self._caller = caller
        self._model = model
        self._session_id = session_id
        self._held: list[Reservation] = []
        self._replies = 0

    async def allow(self) -> Fault | None:
        """Set the price of a reply aside; a fault when the budget does not have it."""
        try:
            self._held.append(await self._reserve(self._price(_ONE_REPLY)))
        except BudgetExceeded as error:
            return Fault(
                kind=FaultKind.QUOTA,
                message=error.what,
                type="insufficient_quota",
                code=error.code,
                retry_after=error.retry_after_s,
            )
        except LedgerError:
            message = "The gateway cannot write its ledger now, and does not spend what it cannot count."
            return Fault(kind=FaultKind.OVERLOADED, message=message, code="ledger_unavailable", retry_after=10.0)
        return None

    async def on_usage(self, target: Target, model: str, usage: Usage) -> None:
        """Charge what a reply, or a transcription at its own model, used."""
        charge = Charge(target.provider, model, usage, self._cost(target, model, usage), "ok")
        self._rules.charged(charge)
        if self._held:
            await self._rules.budget.settle(self._held.pop(0), (charge,))
            return
        # The reply was made and must be on the books, limit or not; what follows it is refused by `allow`.
        self._replies += 1
        await self._rules.budget.book(
            request_id=f"{self._session_id}.{self._replies}",
            key_id=self._caller.key_id,
            key_limits=self._caller.limits,
            surface=Surface.REALTIME,
            model=self._model,
            charges=(charge,),
        )

    async def close(self) -> None:
        """Give back what was set aside and not used."""
        for reservation in self._held:
            await self._rules.budget.settle(reservation, ())
        self._held.clear()

    async def _reserve(self, amount: int | None) -> Reservation:
        self._replies += 1
        return await self._rules.budget.reserve(
            request_id=f"{self._session_id}.{self._replies}",
            key_id=self._caller.key_id,
            key_limits=self._caller.limits,
            estimate_nano=amount,
            surface=Surface.REALTIME,
            model=self._model,
        )

    def _price(self, usage: Usage) -> int | None:
        try:
            ranked = self._rules.table.candidates(Surface.REALTIME, self._model)
        except CallError:
            return None
        first = ranked[0].route
        return cost_nano(first.kind, first.targets[0].model, usage, first.options)

    def _cost(self, target: Target, model: str, usage: Usage) -> int | None:
        for route in self._rules.table.routes:
            if route.provider == target.provider and any(one.model == model for one in route.targets):
                return cost_nano(route.kind, model, usage, route.options)
        kind = next((r.kind for r in self._rules.table.routes if r.provider == target.provider), "openai")
        return cost_nano(kind, model, usage, None)
