"""The gateway at one glance: a status document in, something rich can draw out. Narrow screens lose columns."""

from __future__ import annotations

from collections.abc import Callable

from rich.console import Group
from rich.table import Table
from rich.text import Text

from mrblue_cli.gateway.status import BudgetRow, CacheRow, LimitRow, RouteRow, Status

_DOTS = {"up": "●", "degraded": "◐", "probing": "◐", "down": "○", "idle": "·"}
_STYLES = {"degraded": "yellow", "probing": "yellow", "down": "bold red", "idle": "dim"}
_NEARLY = 0.8
"""Share of a limit from which on it is shown as a warning."""


def screen(status: Status | None, *, url: str, width: int, problem: str = "") -> Group:
    """The whole picture; `problem` says why it is not fresh, `status` is the last one seen."""
    parts: list[Text | Table] = []
    if problem:
        parts.append(_line("○ ", problem, style="bold red"))
    if status is None:
        parts.append(_line("  ", f"waiting for {url}", style="dim"))
        return Group(*parts)
    parts.append(_head(status, url))
    parts.append(_cache(status.cache))
    parts.append(_budget(status.budget))
    parts.extend(_line("! ", warning, style="yellow") for warning in status.warnings)
    parts.append(_routes(status.routes, width, stale=bool(problem)))
    return Group(*parts)


def _head(status: Status, url: str) -> Text:
    told = status.requests
    words = [f"up {duration(status.uptime_s)}"]
    if status.workers > 1:
        words.append(f"{status.workers} workers")
    words.append(f"{told.total:,} requests, {told.failed:,} failed, {told.refused:,} refused")
    words.append(f"{told.in_flight:,} in flight")
    if told.realtime_sessions:
        words.append(f"{told.realtime_sessions:,} realtime")
    line = Text("mrblue gateway ", style="bold blue")
    line.append(f"{clean(url)}  ", style="default")
    line.append(" · ".join(words), style="default")
    return line


def _cache(row: CacheRow) -> Text:
    if row.hit_rate is None:
        words = "nothing looked up yet"
    else:
        looked = row.hit_exact + row.hit_semantic + row.miss
        hits = f"{row.hit_exact:,} exact, {row.hit_semantic:,} semantic"
        words = f"{row.hit_rate:.0%} hits ({hits} of {looked:,})"
    if row.bypass:
        words += f", {row.bypass:,} bypassed"
    return _line("cache   ", words)


def _budget(row: BudgetRow) -> Text:
    line = Text("budget  ", style="dim")
    for name, period in (("today", row.daily), ("month", row.monthly)):
        line.append(f"{name} {_limit(period)}   ", style=_warning(period))
    line.append(f"since start {money(row.since_start_usd)}", style="dim")
    return line


def _limit(row: LimitRow) -> str:
    if row.limit_usd is None:
        return money(row.spent_usd)
    share = f" ({row.spent_usd / row.limit_usd:.0%})" if row.limit_usd > 0 else ""
    return f"{money(row.spent_usd)} of {money(row.limit_usd)}{share}"


def _warning(row: LimitRow) -> str:
    return "bold yellow" if row.limit_usd and row.spent_usd >= _NEARLY * row.limit_usd else "default"


_Cell = Callable[[RouteRow], str]
_REST = 0
_COLUMNS: tuple[tuple[str, int, int, bool, _Cell], ...] = (
    # name, narrowest screen that still has it, its width (the model takes what is left), numbers right, the cell
    ("provider", 0, 10, False, lambda row: clean(row.provider)),
    ("model", 50, _REST, False, lambda row: clean(row.model)),
    ("prio", 130, 4, True, lambda row: "" if row.priority is None else str(row.priority)),
    ("health", 0, 10, False, lambda row: f"{_DOTS.get(row.health, '?')} {clean(row.health)}"),
    ("breaker", 90, 9, False, lambda row: clean(row.breaker)),
    ("calls", 40, 7, True, lambda row: f"{row.calls:,}"),
    ("failed", 60, 6, True, lambda row: f"{row.failures:,}"),
    ("p50", 30, 6, True, lambda row: milliseconds(row.p50_ms)),
    ("p95", 70, 6, True, lambda row: milliseconds(row.p95_ms)),
    ("first token", 130, 11, True, lambda row: milliseconds(row.first_token_ms)),
    ("last fault", 115, 20, False, lambda row: clean(row.last_fault or "")),
)
_GAP = 2


def _routes(rows: list[RouteRow], width: int, *, stale: bool) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0), header_style="dim", style="dim" if stale else "")
    shown = [column for column in _COLUMNS if width >= column[1]]
    rest = max(width - sum(column[2] + _GAP for column in shown), 8)
    longest = max((len(row.model) for row in rows), default=0)
    for name, _, wide, right, _ in shown:
        fitting = min(rest, max(longest, len(name))) if wide == _REST else wide
        table.add_column(name, justify="right" if right else "left", no_wrap=True, overflow="ellipsis", width=fitting)
    for row in rows:
        table.add_row(*(Text(cell(row)) for *_, cell in shown), style=_STYLES.get(row.health, ""))
    return table


def _line(head: str, words: str, *, style: str = "default") -> Text:
    line = Text(head, style=style if head.strip() in {"○", "!"} else "dim")
    line.append(clean(words), style=style)
    return line


def clean(text: str) -> str:
    """Without what a terminal would obey: names come from a server."""
    return "".join(character if character.isprintable() else " " for character in text)


def milliseconds(value: float | None) -> str:
    """Short and aligned: `850 ms`, `1.3 s`, or a dash."""
    if value is None:
        return "—"
    return f"{value:.0f} ms" if value < 1000 else f"{value / 1000:.1f} s"


def money(value: float) -> str:
    """Small sums keep their cents' fractions."""
    return f"${value:,.2f}" if value >= 1 or value == 0 else f"${value:.4f}"


def duration(seconds: float) -> str:
    """`45 s`, `12 min`, `3 h 20 min`, `2 d 4 h`."""
    whole = int(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, hours, days = whole // 60 % 60, whole // 3600 % 24, whole // 86400
    if days:
        return f"{days} d {hours} h"
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"
