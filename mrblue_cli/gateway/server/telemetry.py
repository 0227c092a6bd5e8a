"""From what the pipeline and the relay report to counters, the status board, and the documents made of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec

from mrblue_cli import __version__
from mrblue_cli.gateway.access.keys import ANONYMOUS, Caller
from mrblue_cli.gateway.answers import Record
from mrblue_cli.gateway.budget.service import BudgetUsage, Charge, ScopeUsage
from mrblue_cli.gateway.model import NANO, Fault, Json, Surface, Target
from mrblue_cli.gateway.realtime.ports import SessionEnd
from mrblue_cli.gateway.routing.health import Health, Lane
from mrblue_cli.gateway.routing.routes import RouteTable
from mrblue_cli.gateway.run import Noted
from mrblue_cli.gateway.server.board import Board
from mrblue_cli.gateway.server.metrics import Metrics
from mrblue_cli.gateway.server.route_stats import RouteStats


class Telemetry:
    """One worker's view, and through the board that of all workers."""

    def __init__(self, *, wall: Callable[[], float], folder: Path | None) -> None:
        """`folder` is shared by the workers of this machine; None: there is one."""
        self._wall = wall
        self._metrics = Metrics()
        self._stats = RouteStats()
        self._board = Board(self._metrics, self._stats, unix_now=wall, folder=folder)

    def learn(self, table: RouteTable) -> None:
        """The names that may become labels; also after a reload."""
        self._metrics.learn(
            providers={route.provider for route in table.routes},
            models={route.model for route in table.routes} | set(table.names()),
        )

    # What happens.

    def began(self) -> None:
        """A request came in."""
        self._metrics.request_began()

    def ended(self) -> None:
        """It is out again, whichever way."""
        self._metrics.request_ended()

    def finished(self, record: Record) -> None:
        """One request was decided."""
        self._metrics.observe_request(
            surface=record.surface,
            model=record.asked,
            provider=record.provider if record.tries else "",
            status=record.status,
            seconds=record.seconds,
            first_token=record.first_token,
        )
        self._metrics.observe_cache(record.cache, record.saved_nano)

    def turned_away(self, surface: Surface, status: int) -> None:
        """A request that was refused at the door."""
        self._metrics.observe_request(surface=surface, model="", provider="", status=status, seconds=0.0)

    def attempted(self, lane: Lane, note: Noted) -> None:
        """One call of a provider is over; a client that left is no fault of anybody."""
        route = lane.ranked.route
        self._metrics.observe_attempt(note.provider, note.fault)
        self._stats.record(
            note.provider,
            route.model,
            now=self._wall(),
            seconds=note.seconds,
            first_token=note.first_token,
            fault=note.fault,
        )

    def charged(self, charge: Charge) -> None:
        """A call was booked."""
        self._metrics.observe_usage(charge.provider, charge.model, charge.usage, charge.cost_nano)

    def realtime(self) -> _Sessions:
        """Told of realtime sessions."""
        return _Sessions(self._metrics, self._stats, self._wall)

    def publish(self) -> None:
        """Leave the numbers for the other workers."""
        self._board.publish()

    # What is asked.

    def page(self, table: RouteTable, health: Health, now: float, budget: BudgetUsage | None) -> bytes:
        """Prometheus' text format."""
        self._look(table, health, now)
        if budget is not None:
            self._count(budget)
        return self._board.exposition()

    def status(self, table: RouteTable, health: Health, now: float, budget: BudgetUsage, warnings: list[str]) -> Json:
        """The document of `/v1/status`."""
        self._look(table, health, now)
        self._count(budget)
        priorities = {(route.provider, route.model): route.priority for route in table.routes}
        document: Json = msgspec.to_builtins(
            self._board.status(priorities=priorities, version=__version__, warnings=warnings)
        )
        return document

    def _count(self, budget: BudgetUsage) -> None:
        for period, scope in (("daily", budget.today), ("monthly", budget.this_month)):
            limit = None if scope.limit_usd is None else round(scope.limit_usd * NANO)
            self._metrics.observe_budget(period, round(scope.spent_usd * NANO), limit)

    def _look(self, table: RouteTable, health: Health, now: float) -> None:
        for route in table.routes:
            state = health.breaker_state(route, now).value
            self._metrics.observe_breaker(route.provider, route.model, state)
            self._stats.breaker(route.provider, route.model, state)


def usage_document(usage: BudgetUsage, caller: Caller) -> Json:
    """The document of `/v1/usage`: a key sees itself, callers without one see everything."""
    document: Json = {
        "object": "usage",
        "day": usage.day,
        "month": usage.month,
        "key": caller.key_id,
        "over_all_machines": usage.shared,
    }
    if caller.key_id != ANONYMOUS.key_id:
        nothing = ScopeUsage(spent_usd=0.0, reserved_usd=0.0)
        own = (usage.keys_today.get(caller.key_id, nothing), usage.keys_this_month.get(caller.key_id, nothing))
        limits = (caller.limits.daily_nano, caller.limits.monthly_nano)
        for name, scope, limit in zip(("today", "this_month"), own, limits, strict=True):
            given = None if limit is None else limit / NANO
            document[name] = msgspec.to_builtins(msgspec.structs.replace(scope, limit_usd=given))
        return document
    document["today"] = msgspec.to_builtins(usage.today)
    document["this_month"] = msgspec.to_builtins(usage.this_month)
    document["keys"] = {
        key: {
            "today": msgspec.to_builtins(usage.keys_today.get(key)),
            "this_month": msgspec.to_builtins(usage.keys_this_month.get(key)),
        }
        for key in sorted(usage.keys_today.keys() | usage.keys_this_month.keys())
    }
    return document


class _Sessions:
    """`realtime.ports.Observer`: sessions as counters."""

    def __init__(self, metrics: Metrics, stats: RouteStats, wall: Callable[[], float]) -> None:
        self._metrics = metrics
        self._stats = stats
        self._wall = wall

    def attempted(self, target: Target, fault: Fault | None, seconds: float) -> None:
        """One try to open a session at a provider."""
        self._metrics.observe_attempt(target.provider, fault)
        self._stats.record(target.provider, target.model, now=self._wall(), seconds=seconds, fault=fault)

    def opened(self, target: Target) -> None:  # noqa: ARG002 - counted over all
        """A client's session runs."""
        self._metrics.session_began()

    def ended(self, target: Target, end: SessionEnd) -> None:  # noqa: ARG002
        """It is over."""
        self._metrics.session_ended(end.by)
