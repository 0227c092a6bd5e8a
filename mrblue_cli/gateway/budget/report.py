"""What the ledger says about spending: by day, model, key or provider, what the cache saved, and where it is heading.

Read-only, on a connection of its own, while the gateway writes.
"""

from __future__ import annotations

import calendar as months
import contextlib
import sqlite3
from datetime import date, timedelta
from pathlib import Path
from typing import Literal

import msgspec

from mrblue_cli.gateway.budget.calendar import DAY, day_of
from mrblue_cli.gateway.budget.schema import connect_to_read, explained, has_ledger
from mrblue_cli.gateway.model import NANO

By = Literal["day", "model", "key", "provider"]
PROJECTION_DAYS = 7
_CACHE_ROW = "(cache)"
_UNKNOWN_ROW = "(never reported)"
_NO_KEY = "(no key)"
_LEAST_SHARE_OF_A_DAY = 1 / 24
_GROUPS: dict[By, str] = {
    "day": "day",
    "model": "model",
    "key": f"CASE key_id WHEN '' THEN '{_NO_KEY}' ELSE key_id END",
    "provider": (
        f"CASE WHEN provider <> '' THEN provider WHEN outcome = 'unknown' THEN '{_UNKNOWN_ROW}' "
        f"WHEN cache LIKE 'hit%' THEN '{_CACHE_ROW}' ELSE '(none)' END"
    ),
}
_SUMS = """
  COUNT(DISTINCT reservation), SUM(input_tokens), SUM(output_tokens), SUM(cost_nano), SUM(saved_nano),
  COUNT(CASE WHEN line = 0 AND cache LIKE 'hit%' THEN 1 END),
  SUM(CASE WHEN outcome IN ('failed', 'cancelled') THEN cost_nano END),
  SUM(CASE WHEN outcome = 'unknown' THEN cost_nano END),
  COUNT(CASE WHEN outcome IN ('failed', 'cancelled') THEN 1 END),
  COUNT(CASE WHEN outcome = 'unknown' THEN 1 END)
FROM charges WHERE day >= ? AND day <= ?
"""


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """Sums of one group. Money in nano-dollars."""

    name: str
    requests: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    spent: int = 0
    saved: int = 0
    """What the answers from the cache had cost when they were made."""
    cache_hits: int = 0
    failed: int = 0
    """Of `spent`: calls that failed or were cut off, and were billed all the same."""
    unknown: int = 0
    """Of `spent`: estimates of calls whose process ended before they did."""
    failed_calls: int = 0
    unknown_calls: int = 0


class Unpriced(msgspec.Struct, frozen=True, kw_only=True):
    """A model without a known price."""

    provider: str
    model: str
    calls: int
    input_tokens: int
    output_tokens: int


class Projection(msgspec.Struct, frozen=True, kw_only=True):
    """Where the month is heading. Money in nano-dollars."""

    month: str
    so_far: int
    a_day: int
    total: int
    method: str


class Open(msgspec.Struct, frozen=True, kw_only=True):
    """Requests under way."""

    count: int = 0
    reserved: int = 0
    oldest_s: float = 0.0


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """All of it."""

    first: str
    last: str
    by: By
    rows: list[Row]
    total: Row
    open: Open
    projection: Projection | None
    unpriced: list[Unpriced]


def read_report(path: Path, *, days: int, by: By, now: float) -> Report:
    """The report of the last `days` UTC days, today included. Empty when there is no ledger. Raises `LedgerError`."""
    last = day_of(now)
    first = (date.fromisoformat(last) - timedelta(days=days - 1)).isoformat()
    nothing = Report(
        first=first, last=last, by=by, rows=[], total=Row(name="total"), open=Open(), projection=None, unpriced=[]
    )
    if not path.exists():
        return nothing
    with contextlib.closing(connect_to_read(path)) as base:
        try:
            if not has_ledger(base):
                return nothing
            # One moment for all of it, whatever is written meanwhile.
            base.execute("BEGIN")
            return Report(
                first=first,
                last=last,
                by=by,
                rows=_rows(base, by, first, last),
                total=_total(base, first, last),
                open=_open(base, now),
                projection=_projection(base, now),
                unpriced=_unpriced(base, first, last),
            )
        except sqlite3.Error as error:
            raise explained(path, error) from None


def _rows(base: sqlite3.Connection, by: By, first: str, last: str) -> list[Row]:
    group = _GROUPS[by]
    order = "1" if by == "day" else "COALESCE(SUM(cost_nano), 0) DESC, 1"
    query = f"SELECT {group} AS name, {_SUMS} GROUP BY name ORDER BY {order}"
    return [_row(*row) for row in base.execute(query, (first, last))]


def _total(base: sqlite3.Connection, first: str, last: str) -> Row:
    return _row("total", *base.execute(f"SELECT {_SUMS}", (first, last)).fetchone())


def _row(name: str, *sums: int | None) -> Row:
    names = Row.__struct_fields__[1:]
    return Row(name=name, **{field: value or 0 for field, value in zip(names, sums, strict=True)})


def _open(base: sqlite3.Connection, now: float) -> Open:
    count, reserved, oldest = base.execute(
        "SELECT COUNT(*), SUM(amount_nano), MIN(opened_at) FROM reservations"
    ).fetchone()
    return Open(count=count, reserved=reserved or 0, oldest_s=round(max(0.0, now - oldest), 1) if count else 0.0)


def _unpriced(base: sqlite3.Connection, first: str, last: str) -> list[Unpriced]:
    rows = base.execute(
        "SELECT provider, model, COUNT(*), SUM(input_tokens), SUM(output_tokens) FROM charges "
        "WHERE cost_nano IS NULL AND day >= ? AND day <= ? GROUP BY provider, model "
        "ORDER BY SUM(input_tokens) + SUM(output_tokens) DESC, provider, model",
        (first, last),
    )
    return [
        Unpriced(provider=provider, model=model, calls=calls, input_tokens=given, output_tokens=made)
        for provider, model, calls, given, made in rows
    ]


def _projection(base: sqlite3.Connection, now: float) -> Projection | None:
    """What is spent so far, plus the mean of the last full days for every day that is left."""
    today = date.fromisoformat(day_of(now))
    begun = base.execute("SELECT MIN(day) FROM charges").fetchone()[0]
    if begun is None:
        return None
    month = today.isoformat()[:7]
    since = max(date.fromisoformat(begun), today - timedelta(days=PROJECTION_DAYS))
    full_days = (today - since).days
    so_far = _spent(base, f"{month}-01", today.isoformat())
    share = now % DAY / DAY
    if full_days > 0:
        a_day = _spent(base, since.isoformat(), (today - timedelta(days=1)).isoformat()) // full_days
        method = f"spent so far + days left × mean of the last {full_days} full day{'s' if full_days > 1 else ''}"
    elif share >= _LEAST_SHARE_OF_A_DAY:
        a_day = round(_spent(base, today.isoformat(), today.isoformat()) / share)
        method = "spent so far + days left × today's pace (there is no full day yet)"
    else:
        return None
    left = months.monthrange(today.year, today.month)[1] - today.day + (1 - share)
    return Projection(month=month, so_far=so_far, a_day=a_day, total=so_far + round(a_day * left), method=method)


def _spent(base: sqlite3.Connection, first: str, last: str) -> int:
    row = base.execute("SELECT SUM(cost_nano) FROM charges WHERE day >= ? AND day <= ?", (first, last)).fetchone()
    return row[0] or 0


def as_document(report: Report) -> dict[str, object]:
    """The report as JSON: stable keys, US dollars."""
    projection = report.projection
    return {
        "from": report.first,
        "to": report.last,
        "by": report.by,
        "rows": [_row_document(row) for row in report.rows],
        "total": _row_document(report.total),
        "cache": {
            "hits": report.total.cache_hits,
            "saved_usd": report.total.saved / NANO,
            "with_cache_usd": report.total.spent / NANO,
            "without_cache_usd": (report.total.spent + report.total.saved) / NANO,
        },
        "open": {
            "count": report.open.count,
            "reserved_usd": report.open.reserved / NANO,
            "oldest_s": report.open.oldest_s,
        },
        "projection": None
        if projection is None
        else {
            "month": projection.month,
            "so_far_usd": projection.so_far / NANO,
            "a_day_usd": projection.a_day / NANO,
            "total_usd": projection.total / NANO,
            "method": projection.method,
        },
        "unpriced": [msgspec.structs.asdict(one) for one in report.unpriced],
    }


def _row_document(row: Row) -> dict[str, object]:
    return {
        "name": row.name,
        "requests": row.requests,
        "input_tokens": row.input_tokens,
        "output_tokens": row.output_tokens,
        "spent_usd": row.spent / NANO,
        "cache_hits": row.cache_hits,
        "saved_usd": row.saved / NANO,
        "failed_calls": row.failed_calls,
        "failed_usd": row.failed / NANO,
        "unknown_calls": row.unknown_calls,
        "unknown_usd": row.unknown / NANO,
    }
