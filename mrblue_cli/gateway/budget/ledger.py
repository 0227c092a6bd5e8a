"""The ledger: money set aside, money spent, and running totals that always equal the sum of the lines.

Each change is one short `BEGIN IMMEDIATE` transaction, so that several processes see one order of things, and a killed
process leaves either all of a change or nothing. In WAL mode with `synchronous=NORMAL` a commit survives the death of
the process; only the machine losing power may take the last moments (sqlite.org, "Write-Ahead Logging", section 2.1
and PRAGMA synchronous).

A reservation whose process is gone is not given back: the provider may have done the work. It becomes a line with the
estimate as its cost and the outcome `unknown`; if the truth arrives after all, it takes that line's place.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

import msgspec

from mrblue_cli.gateway.budget.calendar import day_of
from mrblue_cli.gateway.budget.model import ALL, Charge, Reservation
from mrblue_cli.gateway.budget.policy import AlertDue, Decision, Limit, Standing
from mrblue_cli.gateway.budget.schema import connect, explained
from mrblue_cli.gateway.budget.worker import Worker, is_gone, this_worker
from mrblue_cli.gateway.model import Surface, Usage

BUSY_S = 2.0
"""How long a transaction may wait for another process; theirs take a fraction of a millisecond."""
_LOOK_AGAIN_S = 0.00005
"""SQLite's own way of waiting sleeps for one to a hundred milliseconds: far longer than anybody holds the lock."""
CHECKPOINT_PAGES = 8000
"""Pages of the log after which a writer itself moves it into the file; usually `checkpoint` has been there first."""
_LONGEST_NAME = 256
_LARGEST = 1 << 53
_RESERVE_TOTAL = """
INSERT INTO totals (period, scope, reserved, version) VALUES (?, ?, ?, 1)
ON CONFLICT DO UPDATE SET reserved = reserved + excluded.reserved, version = version + 1
RETURNING spent, reserved, version
"""
_SETTLE_TOTAL = """
UPDATE totals SET reserved = reserved - ?, spent = spent + ?, saved = saved + ?, calls = calls + ?,
  input_tokens = input_tokens + ?, output_tokens = output_tokens + ?, version = version + 1
WHERE period = ? AND scope = ? RETURNING spent, reserved, version
"""
_LINE = "INSERT INTO charges VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_encode = msgspec.json.Encoder().encode
_UNKNOWN_USAGE = Usage(estimated=True)


class Snapshot(NamedTuple):
    """A total as it stands, with the number of its state: a later state has a higher one."""

    period: str
    scope: str
    spent: int = 0
    reserved: int = 0
    version: int = 0
    saved: int = 0
    """This, and what follows, is only filled in by `Ledger.totals`."""
    calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0


class Reserved(NamedTuple):
    """What became of a request for money."""

    reservation: Reservation | None
    """None: blocked."""
    decision: Decision
    news: list[AlertDue]
    """Alerts that nobody had remembered before."""
    totals: list[Snapshot]
    """The totals it counts in, itself included. Empty when blocked."""


class _Open(NamedTuple):
    """What a settlement must know of its reservation."""

    id: int
    request_id: str
    key_id: str
    surface: str
    model: str
    day: str
    amount: int


Judge = Callable[[Sequence[Standing]], Decision]


class Ledger:
    """One connection to the file. Not for use by two threads at once."""

    def __init__(self, path: Path, *, busy_s: float = BUSY_S, worker: Worker | None = None) -> None:
        """Open the file, or make it. Raises `LedgerError`."""
        self.path = path
        self._busy_s = busy_s
        self._base = connect(path, busy_s=busy_s, checkpoint_pages=CHECKPOINT_PAGES)
        self._base.execute("PRAGMA busy_timeout=0")
        with self._change():
            self.worker = self._register(worker or this_worker())
            self._base.execute("INSERT OR IGNORE INTO ledger_facts VALUES ('id', ?)", (uuid4().hex,))
        row = self._base.execute("SELECT value FROM ledger_facts WHERE name = 'id'").fetchone()
        self.id: str = row[0]

    def close(self) -> None:
        """Close the file."""
        self._base.close()

    def reserve(
        self, *, request_id: str, key_id: str, surface: Surface, model: str, amount: int | None, now: float,
        limits: Sequence[Limit] = (), judge: Judge | None = None,
    ) -> Reserved:  # fmt: skip
        """Set `amount` aside if `judge` lets it, given the standing of each of `limits` before it.

        An amount of None is a call without a known price; it is counted as zero. Raises `LedgerError`.
        """
        day = day_of(now)
        request_id, key_id, model = _text(request_id), _text(key_id), _text(model)
        amount = None if amount is None else _count(amount)
        with self._change() as base:
            totals = [
                Snapshot(*scope, *row)
                for scope in _scopes(day, key_id)
                for row in base.execute(_RESERVE_TOTAL, (*scope, amount or 0)).fetchall()
            ]
            standing = {(it.period, it.scope): Standing(it.spent, it.reserved - (amount or 0)) for it in totals}
            decision = judge([standing[limit.period, limit.scope] for limit in limits]) if judge else Decision()
            if decision.block is not None:
                base.execute("ROLLBACK")
                self._patiently("BEGIN IMMEDIATE")
                return Reserved(None, decision, self._remember(decision.alerts, now), [])
            number = base.execute(
                "INSERT INTO reservations VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?)",
                (self.worker, now, day, request_id, key_id, surface.value, model, amount),
            ).lastrowid
            news = self._remember(decision.alerts, now)
        reservation = Reservation(
            id=number or 0, request_id=request_id, key_id=key_id, amount_nano=amount or 0, surface=surface,
            model=model, day=day, throttle=decision.throttle,
        )  # fmt: skip
        return Reserved(reservation, decision, news, totals)

    def settle(
        self, reservation: Reservation, charges: Sequence[Charge], now: float, *, cache: str = "miss", saved: int = 0
    ) -> list[Snapshot]:
        """Put what was really spent in the place of what was set aside; returns the totals it counts in.

        Changes nothing, and returns nothing, when this was settled before. With no charges, one line says that the
        request came and cost nothing. Raises `LedgerError`.
        """
        with self._change() as base:
            held = self._take(reservation)
            if held is None:
                return []
            opened = _Open(
                reservation.id, reservation.request_id, reservation.key_id, reservation.surface.value,
                reservation.model, reservation.day, held,
            )  # fmt: skip
            return _write_lines(base, opened, charges or (_nothing(reservation.model),), now, cache, saved)

    def release(self, reservation: Reservation) -> list[Snapshot]:
        """Give back what was set aside, as if it had never been. Nothing happens when it was settled before."""
        with self._change() as base:
            if not base.execute("DELETE FROM reservations WHERE id = ?", (reservation.id,)).rowcount:
                return []
            return _change_totals(base, reservation.day, reservation.key_id, (reservation.amount_nano, 0, 0, 0, 0, 0))

    def resolve_lost(self, now: float, *, older_than_s: float) -> int:
        """Turn reservations nobody will settle into lines with the outcome `unknown`; returns how many.

        Those of processes that have ended, and those older than any request may be. Raises `LedgerError`.
        """
        rows = self._read("SELECT DISTINCT worker FROM reservations")
        gone = [number for (number,) in rows if number != self.worker and self._is_gone(number)]
        chosen = f"SELECT * FROM reservations WHERE opened_at < ? OR worker IN ({','.join('?' * len(gone))})"  # noqa: S608
        values = (now - older_than_s, *gone)
        if not self._read(chosen + " LIMIT 1", values):
            return 0
        with self._change() as base:
            # Asked again inside the transaction: another worker may have done it in between.
            lost = base.execute(chosen, values).fetchall()
            for number, _worker, _opened, day, request_id, key_id, surface, model, amount in lost:
                base.execute("DELETE FROM reservations WHERE id = ?", (number,))
                opened = _Open(number, request_id, key_id, surface, model, day, amount or 0)
                _write_lines(base, opened, (Charge("", model, _UNKNOWN_USAGE, amount, "unknown"),), now, "miss", 0)
        return len(lost)

    def mark_alerts(self, alerts: Sequence[AlertDue], now: float) -> list[AlertDue]:
        """Remember that these thresholds were crossed; returns those that nobody had remembered before."""
        if not alerts:
            return []
        with self._change():
            return self._remember(alerts, now)

    def alert_sent(self, alert: AlertDue) -> None:
        """An alert has reached whoever it was for (or every try has failed)."""
        with self._change() as base:
            base.execute(
                "UPDATE alerts SET sent = 1 WHERE period = ? AND scope = ? AND what = ? AND threshold = ? "
                "AND action = ?", alert[:5],
            )  # fmt: skip

    def orphaned_alerts(self) -> list[AlertDue]:
        """Alerts whose process ended before it had sent them; they are this worker's from now on."""
        rows = self._read("SELECT DISTINCT worker FROM alerts WHERE sent = 0")
        taken: list[AlertDue] = []
        for (number,) in rows:
            if number == self.worker or not self._is_gone(number):
                continue
            with self._change() as base:
                taken += [
                    AlertDue(*row)
                    for row in base.execute(
                        "UPDATE alerts SET worker = ? WHERE worker = ? AND sent = 0 "
                        "RETURNING period, scope, what, threshold, action, spent, amount",
                        (self.worker, number),
                    ).fetchall()
                ]
        return taken

    def totals(self, day: str, key_id: str | None = None) -> list[Snapshot]:
        """The totals of this day and its month: of one key and all, or of every key."""
        query = f"SELECT {', '.join(Snapshot._fields)} FROM totals WHERE period IN (?, ?)"  # noqa: S608 - our own names
        if key_id is None:
            rows = self._read(query, (day, day[:7]))
        else:
            rows = self._read(query + " AND scope IN (?, ?)", (day, day[:7], ALL, key_id))
        return [Snapshot(*row) for row in rows]

    def _read(self, query: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        try:
            return self._patiently(query, values).fetchall()
        except sqlite3.Error as error:
            raise explained(self.path, error) from None

    def _take(self, reservation: Reservation) -> int | None:
        """Remove the reservation, or the guess that took its place. Returns what is still held for it."""
        if self._base.execute("DELETE FROM reservations WHERE id = ?", (reservation.id,)).rowcount:
            return reservation.amount_nano
        guess = self._base.execute(
            "DELETE FROM charges WHERE reservation = ? AND outcome = 'unknown' RETURNING cost_nano", (reservation.id,)
        ).fetchone()
        if guess is None:
            return None
        _change_totals(self._base, reservation.day, reservation.key_id, (0, -(guess[0] or 0), 0, -1, 0, 0))
        return 0

    def _remember(self, alerts: Sequence[AlertDue], now: float) -> list[AlertDue]:
        return [
            alert
            for alert in alerts
            if self._base.execute(
                "INSERT OR IGNORE INTO alerts VALUES (?, ?, ?, ?, ?, ?, ?, 0, ?, ?)",
                (*alert[:5], now, self.worker, alert.spent, alert.limit),
            ).rowcount
        ]

    def _register(self, worker: Worker) -> int:
        known = self._base.execute(
            "SELECT id FROM workers WHERE host = ? AND pid = ? AND started = ?", tuple(worker)
        ).fetchone()
        if known is not None:
            return int(known[0])
        number = self._base.execute("INSERT INTO workers VALUES (NULL, ?, ?, ?)", tuple(worker)).lastrowid
        return number or 0

    def _is_gone(self, number: int) -> bool:
        row = self._base.execute("SELECT host, pid, started FROM workers WHERE id = ?", (number,)).fetchone()
        return row is not None and is_gone(Worker(*row))

    def _patiently(self, statement: str, values: Sequence[object] = ()) -> sqlite3.Cursor:
        """Run the first statement of a transaction, while others hold the file: wait for them, but not for long."""
        until = time.monotonic() + self._busy_s
        while True:
            try:
                return self._base.execute(statement, values)
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() >= until:
                    raise
            time.sleep(_LOOK_AGAIN_S)

    @contextmanager
    def _change(self) -> Iterator[sqlite3.Connection]:
        try:
            self._patiently("BEGIN IMMEDIATE")
            try:
                yield self._base
                self._base.execute("COMMIT")
            finally:
                if self._base.in_transaction:
                    self._base.execute("ROLLBACK")
        except sqlite3.Error as error:
            raise explained(self.path, error) from None


def checkpoint(path: Path) -> None:
    """Move the log into the file, on a connection of its own; for a thread, since it waits for the disk."""
    try:
        base = sqlite3.connect(path, timeout=0.1, isolation_level=None)
        try:
            base.execute("PRAGMA wal_checkpoint(PASSIVE)")
        finally:
            base.close()
    except sqlite3.Error as error:
        raise explained(path, error) from None


def _write_lines(
    base: sqlite3.Connection, opened: _Open, charges: Sequence[Charge], now: float, cache: str, saved: int
) -> list[Snapshot]:
    spent = given = made = 0
    saved = _count(saved)
    for number, charge in enumerate(charges):
        usage = charge.usage
        cost = None if charge.cost_nano is None else _count(charge.cost_nano)
        tokens_in, tokens_out = _count(usage.input_tokens), _count(usage.output_tokens)
        base.execute(
            _LINE,
            (
                opened.id, number, now, opened.day, opened.request_id, opened.key_id, opened.surface,
                _text(charge.provider), _text(charge.model), charge.outcome, cache, cost, 0 if number else saved,
                tokens_in, tokens_out, _encode(usage).decode(),
            ),
        )  # fmt: skip
        spent += cost or 0
        given += tokens_in
        made += tokens_out
    return _change_totals(base, opened.day, opened.key_id, (opened.amount, spent, saved, 1, given, made))


def _change_totals(
    base: sqlite3.Connection, day: str, key_id: str, change: tuple[int, int, int, int, int, int]
) -> list[Snapshot]:
    """Take from what is reserved (first), add to the others."""
    return [
        Snapshot(*scope, *row)
        for scope in _scopes(day, key_id)
        for row in base.execute(_SETTLE_TOTAL, (*change, *scope)).fetchall()
    ]


def _nothing(model: str) -> Charge:
    return Charge("", model, Usage(), 0, "none")


def _scopes(day: str, key_id: str) -> tuple[tuple[str, str], ...]:
    """The totals that a request of this key counts in. Without a key there are only those of all."""
    everyone = ((day, ALL), (day[:7], ALL))
    return (*everyone, (day, key_id), (day[:7], key_id)) if key_id else everyone


def _text(value: str) -> str:
    """Names come from clients: no lone surrogates, which SQLite cannot hold, and no novels."""
    return value[:_LONGEST_NAME].encode("utf-8", "replace").decode()


def _count(value: int) -> int:
    """Counts come from providers: never negative, and small enough that sums stay exact everywhere (2^53)."""
    return min(max(value, 0), _LARGEST)
