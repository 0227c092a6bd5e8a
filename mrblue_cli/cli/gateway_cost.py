"""`mrblue gateway cost`: what was spent, what the cache saved, and where the month is heading."""

from __future__ import annotations

import csv
import enum
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mrblue_cli.core.errors import InputFileError, UsageError

if TYPE_CHECKING:
    from mrblue_cli.gateway.budget.report import Report, Row


class Group(enum.StrEnum):
    """What the rows are."""

    DAY = "day"
    MODEL = "model"
    KEY = "key"
    PROVIDER = "provider"


def cost(
    days: Annotated[int, typer.Option(help="How many days back, today included (UTC).", min=1, max=3660)] = 30,
    by: Annotated[Group, typer.Option(help="What to add up by.")] = Group.DAY,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="The rows as CSV on stdout.")] = False,
    state: Annotated[
        Path | None, typer.Option(help="The gateway's state folder; default: mrblue's data folder.", metavar="FOLDER")
    ] = None,
) -> None:
    """What the gateway spent: by day, model, key or provider; what the cache saved; where the month is heading."""
    if as_json and as_csv:
        raise UsageError("--json and --csv exclude each other", hint="choose one")
    import time

    from mrblue_cli.gateway.budget.report import as_document, read_report
    from mrblue_cli.gateway.budget.schema import LEDGER_FILE

    path = _folder(state) / LEDGER_FILE
    report = read_report(path, days=days, by=by.value, now=time.time())
    if as_json:
        sys.stdout.write(json.dumps(as_document(report), ensure_ascii=False, indent=2) + "\n")
    elif as_csv:
        _write_csv(report)
    elif not report.rows:
        _line(f"Nothing was counted from {report.first} to {report.last} (UTC) in {path}.")
        _write_open(report)
    else:
        _write_table(report)
        _write_summary(report)


def _folder(state: Path | None) -> Path:
    if state is None:
        from mrblue_cli.settings.places import place

        return place("data")
    if not state.is_dir():
        raise InputFileError(f"{state}: there is no such folder", hint="name the gateway's state folder with --state")
    return state


def _write_csv(report: Report) -> None:
    from mrblue_cli.gateway.budget.report import as_document

    document = as_document(report)
    rows = document["rows"]
    fields = list(document["total"])  # type: ignore[call-overload]
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow([report.by, *fields[1:]])
    for row in rows:  # type: ignore[attr-defined]
        writer.writerow([_harmless(row["name"]), *(_plain(row[field]) for field in fields[1:])])


def _harmless(name: str) -> str:
    """A spreadsheet takes some first characters for a formula."""
    name = _shown(name)
    return f"'{name}" if name[:1] in {"=", "+", "-", "@", "\t", "\r"} else name


def _plain(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value:.9f}".rstrip("0").rstrip(".")


def _write_table(report: Report) -> None:
    from mrblue_cli.gateway.budget.model import dollars

    titles = [report.by, "requests", "tokens in", "tokens out", "cache hits", "spent", "cache saved"]

    def cells(row: Row) -> list[str]:
        counts = (row.requests, row.input_tokens, row.output_tokens, row.cache_hits)
        return [_shown(row.name), *(f"{count:,}" for count in counts), dollars(row.spent), dollars(row.saved)]

    table = [titles, *(cells(row) for row in report.rows), cells(report.total)]
    widths = [max(len(line[place]) for line in table) for place in range(len(titles))]
    rule = "─" * (sum(widths) + 2 * (len(widths) - 1))
    for number, line in enumerate(table):
        if number in {1, len(table) - 1}:
            _line(rule)
        first, *rest = line
        padded = [cell.rjust(width) for cell, width in zip(rest, widths[1:], strict=True)]
        _line("  ".join([first.ljust(widths[0]), *padded]))


def _write_summary(report: Report) -> None:
    from mrblue_cli.gateway.budget.model import dollars

    total = report.total
    _line()
    _line(f"With the cache {dollars(total.spent)}, without it {dollars(total.spent + total.saved)}.")
    if total.failed_calls:
        _line(f"Failed or cut off, and billed: {_many(total.failed_calls, 'call')}, {dollars(total.failed)}.")
    if total.unknown_calls:
        _line(f"Never reported (estimates): {_many(total.unknown_calls, 'call')}, {dollars(total.unknown)}.")
    _write_open(report)
    if report.projection is not None:
        it = report.projection
        _line(
            f"{it.month} so far {dollars(it.so_far)}, projected {dollars(it.total)}: {it.method} ({dollars(it.a_day)})."
        )
    if report.unpriced:
        _line("Without a known price, so not in any sum of money:")
        for one in report.unpriced:
            tokens = f"{_many(one.calls, 'call')}, {one.input_tokens:,} tokens in, {one.output_tokens:,} out"
            _line(f"  {_shown(one.provider)}/{_shown(one.model)}: {tokens}")


def _write_open(report: Report) -> None:
    if report.open.count:
        from mrblue_cli.gateway.budget.model import dollars

        what = f"{_many(report.open.count, 'request')}, {dollars(report.open.reserved)} set aside"
        _line(f"Under way: {what}, the oldest for {report.open.oldest_s:,.0f} s.")


def _shown(name: str) -> str:
    """Names come from clients: nothing that a terminal would obey."""
    return "".join(character if character.isprintable() else "�" for character in name)[:60]


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _line(text: str = "") -> None:
    sys.stdout.write(f"{text}\n")
