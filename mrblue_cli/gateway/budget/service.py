"""The budget as the rest of the gateway sees it: reserve before a call, settle after it.

Both are a fraction of a millisecond on the event loop (`bench/gateway_ledger.py`). What waits for a disk or a network,
moving the write-ahead log and sending alerts, happens behind them.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from mrblue_cli.gateway.budget import calendar
from mrblue_cli.gateway.budget.ledger import Ledger, Reserved, Snapshot, checkpoint
from mrblue_cli.gateway.budget.model import (
    ALL,
    BudgetExceeded,
    Charge,
    Reservation,
    Throttle,
    dollars,
)
from mrblue_cli.gateway.budget.policy import (
    LIMIT_REACHED,
    AlertDue,
    Decision,
    Limit,
    Rules,
    Standing,
    crossed,
    decide,
    stop_at,
)
from mrblue_cli.gateway.budget.schema import LEDGER_FILE, LedgerError
from mrblue_cli.gateway.budget.shared_totals import Ceiling, Shared, SharedTotals
from mrblue_cli.gateway.model import NANO, KeyLimits, Surface
from mrblue_cli.gateway.options import BudgetOptions

__all__ = [
    "LEDGER_FILE", "Budget", "BudgetExceeded", "BudgetUsage", "Charge", "KeyLimits", "LedgerError", "Reservation",
    "ScopeUsage", "Throttle",
]  # fmt: skip

SWEEP_S = 60.0
LOST_MARGIN_S = 60.0
"""Added to the longest a request may take, before its reservation counts as lost."""
CLOSE_GRACE_S = 3.0
_CHECKPOINT_EVERY = 400
"""Changes between two moves of the log; about 2,400 pages."""
_UNSETTLED_KEPT = 10_000
_log = logging.getLogger("mrblue.gateway.budget")

Alarm = Callable[[AlertDue], Awaitable[None]]


class ScopeUsage(msgspec.Struct, frozen=True, kw_only=True):
    """What one scope used in one period, in US dollars. Counts and savings are this machine's."""

    spent_usd: float
    reserved_usd: float
    limit_usd: float | None = None
    saved_usd: float = 0.0
    """What the answers from the cache had cost when they were made."""
    requests: int = 0
    input_tokens: int = 0
    output_tokens: int = 0


class BudgetUsage(msgspec.Struct, frozen=True, kw_only=True):
    """What was used today and this month (UTC)."""

    day: str
    month: str
    today: ScopeUsage
    this_month: ScopeUsage
    keys_today: dict[str, ScopeUsage] = {}
    keys_this_month: dict[str, ScopeUsage] = {}
    shared: bool = False
    """True: over all machines."""


class _Wanted(NamedTuple):
    request_id: str
    key_id: str
    surface: Surface
    model: str
    amount: int | None


class _Unsettled(NamedTuple):
    reservation: Reservation
    charges: Sequence[Charge]
    cache: str
    saved_nano: int


class Budget:
    """Limits over a ledger. Made and used on one event loop; several processes may share the file."""

    def __init__(
        self, options: BudgetOptions, path: Path, *, request_limit_s: float = 600.0, cheaper_model: str | None = None,
        alarm: Alarm | None = None, redis: Shared | None = None, now: Callable[[], float] = time.time,
    ) -> None:  # fmt: skip
        """Open the ledger at `path` (a file), and count what a killed process left open.

        `request_limit_s`: longest a request may take. `cheaper_model`: where throttled chat requests go when the
        options name none. `alarm`: tells people (`alerts.Alerts.send`). Raises `LedgerError`.
        """
        self.configure(options, cheaper_model)
        self._path = path
        self._now = now
        self._alarm = alarm
        self._lost_after_s = request_limit_s + LOST_MARGIN_S
        self._ledger = Ledger(path)
        self._shared = SharedTotals(redis, self._ledger.id) if redis is not None else None
        self._asking = asyncio.Lock()
        self._known: set[tuple[str, str, str, float, str]] = set()
        self._unsettled: deque[_Unsettled] = deque(maxlen=_UNSETTLED_KEPT)
        self._jobs: set[asyncio.Task[None]] = set()
        self._changes = 0
        self._swept_at = now()
        self._checkpointing = False
        self._unsent: list[AlertDue] = []
        self._recover()

    def configure(self, options: BudgetOptions, cheaper_model: str | None = None) -> None:
        """Take other limits from now on; what was spent and set aside stays."""
        self._options = options
        self._daily = _nano(options.daily_limit)
        self._monthly = _nano(options.monthly_limit)
        self._rules = Rules(options.alerts, options.throttle_delay, options.cheaper_model or cheaper_model)

    @property
    def shared(self) -> bool:
        """Whether other machines are asked, so that settling may wait; else it runs to its end at once."""
        return self._shared is not None

    async def reserve(
        self, *, request_id: str, key_id: str, key_limits: KeyLimits, estimate_nano: int | None, surface: Surface,
        model: str,
    ) -> Reservation:  # fmt: skip
        """Set `estimate_nano` aside: the most this request may cost; None when no price is known.

        Raises `BudgetExceeded`, and `LedgerError` when the file cannot be used.
        """
        if estimate_nano is None and self._options.unknown_price == "block":
            raise BudgetExceeded(
                f"no price is known for the model {model!r}, and the gateway is set to refuse such models "
                "(budget.unknown_price); give the model an input_price and output_price",
                0.0,
                "price_unknown",
            )
        now = self._now()
        self._background(now)
        wanted = _Wanted(request_id, key_id, surface, model, estimate_nano)
        limits = self._limits(key_id, key_limits, now)
        if self._shared is None:
            reservation, decision = self._reserve_here(wanted, limits, now)[:2]
        else:
            # One at a time: what is not yet granted would count against the next ones.
            async with self._asking:
                reservation, decision = await self._reserve_everywhere(self._shared, wanted, limits, now)
        if decision.block is not None:
            raise BudgetExceeded(decision.block.what, decision.block.retry_after_s)
        assert reservation is not None  # noqa: S101 - the ledger gives one unless it blocks
        return msgspec.structs.replace(reservation, throttle=decision.throttle, key_limits=key_limits)

    async def settle(
        self, reservation: Reservation, charges: Sequence[Charge], *, cache: str = "miss", saved_nano: int = 0
    ) -> None:
        """Count what was really spent. Settling twice counts once.

        When the ledger cannot be written just now it is kept and tried again with the next one; if this process dies
        first, the estimate counts.
        """
        self._unsettled.append(_Unsettled(reservation, charges, cache, saved_nano))
        self._background(self._now())
        await self._settle_waiting()

    async def book(
        self, *, request_id: str, key_id: str, key_limits: KeyLimits, surface: Surface, model: str,
        charges: Sequence[Charge],
    ) -> None:  # fmt: skip
        """Write down what was spent without asking first: replies that a realtime server starts by itself.

        No limit refuses it, since the money is gone; it counts against what is asked for next. Raises `LedgerError`.
        """
        wanted = _Wanted(request_id, key_id, surface, model, 0)
        reservation = self._reserve_here(wanted, (), self._now())[0]
        assert reservation is not None  # noqa: S101 - without limits nothing blocks
        await self.settle(msgspec.structs.replace(reservation, key_limits=key_limits), charges)

    async def release(self, reservation: Reservation) -> None:
        """Give everything back without a line: the request was never sent anywhere. Raises `LedgerError`."""
        await self._publish(self._ledger.release(reservation))

    async def usage(self, key_id: str | None = None) -> BudgetUsage:
        """What was used, of all and of each key, or of one key. Raises `LedgerError`."""
        day = calendar.day_of(self._now())
        totals = self._ledger.totals(day, key_id)
        everywhere = await self._publish(totals)
        standings = [Standing(it.spent, it.reserved) for it in totals] if everywhere is None else everywhere
        limits = {(day, ALL): self._daily, (day[:7], ALL): self._monthly}
        scopes = {
            (it.period, it.scope): _usage(it, at, limits.get((it.period, it.scope)))
            for it, at in zip(totals, standings, strict=True)
        }

        def everyone(period: str) -> ScopeUsage:
            return scopes.get((period, ALL)) or _usage(Snapshot(period, ALL), Standing(), limits[period, ALL])

        def keys(period: str) -> dict[str, ScopeUsage]:
            return {scope: used for (when, scope), used in scopes.items() if when == period and scope != ALL}

        return BudgetUsage(
            day=day, month=day[:7], today=everyone(day), this_month=everyone(day[:7]), keys_today=keys(day),
            keys_this_month=keys(day[:7]), shared=everywhere is not None,
        )  # fmt: skip

    async def close(self, *, grace_s: float = CLOSE_GRACE_S) -> None:
        """Write what waits, give alerts a moment to go out, close the file.

        An alert that does not get out in time is sent by the next process that opens the ledger.
        """
        await self._settle_waiting()
        if self._jobs:
            _done, late = await asyncio.wait(set(self._jobs), timeout=grace_s)
            for job in late:
                job.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        self._ledger.close()

    def _reserve_here(self, wanted: _Wanted, limits: Sequence[Limit], now: float) -> Reserved:
        """Against the totals of this machine."""

        def judge(standings: Sequence[Standing]) -> Decision:
            return self._judge(wanted, limits, standings, now)

        held = self._ledger.reserve(
            request_id=wanted.request_id, key_id=wanted.key_id, surface=wanted.surface, model=wanted.model,
            amount=wanted.amount, now=now, limits=limits, judge=judge if limits else None,
        )  # fmt: skip
        self._ring(held.decision, held.news)
        return held

    async def _reserve_everywhere(
        self, shared: SharedTotals, wanted: _Wanted, limits: Sequence[Limit], now: float
    ) -> tuple[Reservation | None, Decision]:
        """Here first, then against the totals of all machines."""
        held = self._reserve_here(wanted, limits, now)
        if held.reservation is None:
            return None, held.decision
        by_scope = {(limit.period, limit.scope): limit for limit in limits}
        bound = [by_scope.get((it.period, it.scope)) for it in held.totals]
        # What is known to cost nothing is announced, and never refused.
        ceilings = [
            Ceiling(limit.amount, stop_at(limit, self._rules.alerts))
            if limit and wanted.amount != 0
            else Ceiling(None, None)
            for limit in bound
        ]
        try:
            standings = await shared.reserve(held.totals, wanted.amount or 0, ceilings)
        except BaseException:
            self._ledger.release(held.reservation)
            raise
        if standings is None:
            return held.reservation, held.decision
        known = {(it.period, it.scope): at for it, at in zip(held.totals, standings, strict=True)}
        decision = self._judge(wanted, limits, [known[limit.period, limit.scope] for limit in limits], now)
        self._ring(decision, self._ledger.mark_alerts(decision.alerts, now))
        if decision.block is not None:
            await self._publish(self._ledger.release(held.reservation))
        return held.reservation, decision

    def _judge(self, wanted: _Wanted, limits: Sequence[Limit], standings: Sequence[Standing], now: float) -> Decision:
        judged = decide(list(zip(limits, standings, strict=True)), wanted.amount, wanted.surface, self._rules, now)
        return self._unknown_alerts(judged)

    async def _settle_waiting(self) -> None:
        while self._unsettled:
            item = self._unsettled.popleft()
            try:
                totals = self._ledger.settle(
                    item.reservation, item.charges, self._now(), cache=item.cache, saved=item.saved_nano
                )
            except LedgerError as error:
                self._unsettled.appendleft(item)
                _log.error("what was spent cannot be written now, and will be tried again: %s", error.what)
                return
            self._changes += 1
            self._spent(totals, item.reservation, await self._publish(totals))

    def _spent(
        self, totals: Sequence[Snapshot], reservation: Reservation, everywhere: Sequence[Standing] | None
    ) -> None:
        """Tell of thresholds that this charge has crossed."""
        if not self._rules.alerts:
            return
        now = self._now()
        spent = everywhere or [Standing(it.spent, it.reserved) for it in totals]
        at = {(it.period, it.scope): standing for it, standing in zip(totals, spent, strict=True)}
        # A call that ended after midnight is charged to yesterday, whose thresholds are no news any more.
        limits = [
            it for it in self._limits(reservation.key_id, reservation.key_limits, now) if (it.period, it.scope) in at
        ]
        due = [alert for it in limits for alert in crossed(it, at[it.period, it.scope].spent, self._rules.alerts)]
        decision = self._unknown_alerts(Decision(alerts=tuple(due)))
        try:
            self._ring(decision, self._ledger.mark_alerts(decision.alerts, now))
        except LedgerError as error:
            _log.error("an alert cannot be written down: %s", error.what)

    async def _publish(self, totals: Sequence[Snapshot]) -> list[Standing] | None:
        return await self._shared.publish(totals) if self._shared is not None and totals else None

    def _limits(self, key_id: str, key_limits: KeyLimits, now: float) -> list[Limit]:
        day = calendar.day_of(now)
        chosen = [
            ("daily", ALL, day, self._daily),
            ("monthly", ALL, day[:7], self._monthly),
            ("daily", key_id, day, key_limits.daily_nano if key_id else None),
            ("monthly", key_id, day[:7], key_limits.monthly_nano if key_id else None),
        ]
        return [
            Limit(what, scope, period, amount, (calendar.day_end if what == "daily" else calendar.month_end)(now))
            for what, scope, period, amount in chosen
            if amount is not None
        ]

    def _unknown_alerts(self, decision: Decision) -> Decision:
        """Without the alerts that this process has seen told; the ledger knows about the other processes."""
        if not decision.alerts:
            return decision
        return decision._replace(alerts=tuple(it for it in decision.alerts if it[:5] not in self._known))

    def _ring(self, decision: Decision, news: Sequence[AlertDue]) -> None:
        self._known.update(alert[:5] for alert in decision.alerts)
        for alert in news:
            self._start(self._tell(alert))

    async def _tell(self, alert: AlertDue) -> None:
        if self._shared is None or await self._shared.is_news(alert):
            of = "all keys" if alert.scope == ALL else f"key {alert.scope}"
            full = (alert.threshold, alert.action) == (LIMIT_REACHED, "block")
            _log.warning(
                "budget: %s of %s %s (%s, %s): %s spent; action: %s",
                "the end" if full else f"{alert.threshold:.0%}", dollars(alert.limit), alert.what, alert.period, of,
                dollars(alert.spent), alert.action,
            )  # fmt: skip
            if self._alarm is not None:
                await self._alarm(alert)
        try:
            self._ledger.alert_sent(alert)
        except LedgerError as error:
            _log.error("an alert that was sent cannot be ticked off: %s", error.what)

    def _recover(self) -> None:
        lost = self._ledger.resolve_lost(self._now(), older_than_s=self._lost_after_s)
        if lost:
            _log.warning("budget: %d request(s) ended without a word; their estimates are counted as spent", lost)
        self._unsent += self._ledger.orphaned_alerts()

    def _background(self, now: float) -> None:
        """What is done now and then, started by the requests themselves."""
        if self._unsent:
            self._ring(Decision(), self._unsent)
            self._unsent = []
        if now - self._swept_at >= SWEEP_S or now < self._swept_at:
            self._swept_at = now
            self._start(self._sweep())
        if self._changes >= _CHECKPOINT_EVERY and not self._checkpointing:
            self._changes = 0
            self._checkpointing = True
            self._start(self._move_log())

    async def _sweep(self) -> None:
        day = calendar.day_of(self._now())
        self._known = {known for known in self._known if known[0] in {day, day[:7]}}
        try:
            self._recover()
            # Also for keys that are quiet: what Redis missed while it was away.
            await self._publish(self._ledger.totals(day))
        except LedgerError as error:
            _log.error("the ledger cannot be looked after: %s", error.what)

    async def _move_log(self) -> None:
        try:
            await asyncio.to_thread(checkpoint, self._path)
        except LedgerError as error:
            _log.error("the ledger's log cannot be moved into its file: %s", error.what)
        finally:
            self._checkpointing = False

    def _start(self, job: Awaitable[None]) -> None:
        task = asyncio.ensure_future(job)
        self._jobs.add(task)
        task.add_done_callback(self._jobs.discard)


def _usage(totals: Snapshot, at: Standing, limit: int | None) -> ScopeUsage:
    return ScopeUsage(
        spent_usd=at.spent / NANO,
        reserved_usd=at.reserved / NANO,
        limit_usd=None if limit is None else limit / NANO,
        saved_usd=totals.saved / NANO,
        requests=totals.calls,
        input_tokens=totals.input_tokens,
        output_tokens=totals.output_tokens,
    )


def _nano(amount: float | None) -> int | None:
    return None if amount is None else round(amount * NANO)
