"""What all talks cost: sums of the record, by day, model, profile or conversation. Reads only, while others write."""

from __future__ import annotations

import contextlib
import sqlite3
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Literal

from mrblue_cli.app.talk_costs import BUSY_SECONDS, check_version, explained
from mrblue_cli.core.prices import NANO

By = Literal["day", "model", "profile", "conversation"]
_GROUPS: dict[By, tuple[str, str]] = {
    "day": ("date(at, 'unixepoch')", "name"),
    "model": ("model", "COALESCE(SUM(cost_nano), 0) DESC, name"),
    "profile": ("profile", "COALESCE(SUM(cost_nano), 0) DESC, name"),
    "conversation": ("conversation", "MIN(at)"),
}
_SUMS = """
  MIN(at), COUNT(DISTINCT conversation), COUNT(CASE WHEN kind = 'reply' THEN 1 END),
  COALESCE(SUM(text_input + audio_input + image_input), 0), COALESCE(SUM(cached_input), 0),
  COALESCE(SUM(text_output + audio_output), 0), SUM(cost_nano), COUNT(CASE WHEN cost_nano IS NULL THEN 1 END)
FROM charges WHERE at >= ? AND at < ?
"""


@dataclass(frozen=True, slots=True)
class Row:
    """Sums of one group."""

    name: str
    began: float = 0.0
    """Unix seconds of its first line."""
    conversations: int = 0
    replies: int = 0
    input_tokens: int = 0
    cached_tokens: int = 0
    """Of the input."""
    output_tokens: int = 0
    cost_nano: int | None = None
    """None: nothing of it has a known price."""
    unpriced: int = 0
    """Lines without a known price: in the tokens, not in the money."""

    @property
    def cost_usd(self) -> float | None:
        """US dollars."""
        return None if self.cost_nano is None else self.cost_nano / NANO


@dataclass(frozen=True, slots=True)
class CostReport:
    """All of it. Days are UTC."""

    first: str
    last: str
    by: By
    rows: tuple[Row, ...]
    total: Row


def read_costs(path: Path, *, days: int, by: By, now: float) -> CostReport:
    """The last `days` UTC days, today included; empty when nothing was ever kept. Raises `ConfigError`."""
    last = datetime.fromtimestamp(now, UTC).date()
    first = last - timedelta(days=days - 1)
    if not path.exists():
        return CostReport(first.isoformat(), last.isoformat(), by, (), Row("total"))
    span = (_midnight(first), _midnight(last + timedelta(days=1)))
    group, order = _GROUPS[by]
    try:
        address = f"{path.absolute().as_uri()}?mode=ro"
        with contextlib.closing(sqlite3.connect(address, uri=True, timeout=BUSY_SECONDS, isolation_level=None)) as base:
            check_version(base, path)
            # One moment for both, whatever is written meanwhile.
            base.execute("BEGIN")
            query = f"SELECT {group} AS name, {_SUMS} GROUP BY name ORDER BY {order}"
            rows = tuple(Row(*found) for found in base.execute(query, span))
            began, *sums = base.execute(f"SELECT {_SUMS}", span).fetchone()
    except sqlite3.Error as error:
        raise explained(path, error) from None
    return CostReport(first.isoformat(), last.isoformat(), by, rows, Row("total", began or 0.0, *sums))


def as_document(report: CostReport) -> dict[str, object]:
    """The report as JSON: stable keys, US dollars."""
    return {
        "from": report.first,
        "to": report.last,
        "by": report.by,
        "rows": [_row_document(row) for row in report.rows],
        "total": _row_document(report.total),
    }


def _row_document(row: Row) -> dict[str, object]:
    fields = asdict(row)
    del fields["cost_nano"]
    return {**fields, "cost_usd": row.cost_usd}


def _midnight(day: date) -> float:
    return datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()
