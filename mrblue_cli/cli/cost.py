"""`mrblue cost`: what all talks cost."""

from __future__ import annotations

import enum
import json
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from mrblue_cli.cli.language import speak

if TYPE_CHECKING:
    from mrblue_cli.app.talk_costs_report import CostReport, Row


class Group(enum.StrEnum):
    """What the rows are."""

    DAY = "day"
    MODEL = "model"
    PROFILE = "profile"
    CONVERSATION = "conversation"


def cost(
    context: typer.Context,
    days: Annotated[int, typer.Option(help="How many days back, today included (UTC).", min=1, max=3660)] = 30,
    by: Annotated[Group, typer.Option(help="What to add up by.")] = Group.DAY,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
) -> None:
    """What talks cost: by day, model, profile or conversation. Private talks are not in it."""
    import time

    from mrblue_cli.app.talk_costs import costs_file
    from mrblue_cli.app.talk_costs_report import as_document, read_costs
    from mrblue_cli.core.texts import tell

    speak(context)
    path = costs_file()
    report = read_costs(path, days=days, by=by.value, now=time.time())
    if as_json:
        sys.stdout.write(json.dumps(as_document(report), ensure_ascii=False, indent=2) + "\n")
        return
    if report.rows:
        _write_table(report)
        if report.total.unpriced:
            _line()
            _line(
                tell(
                    "Without a known price, so in the tokens and not in the money: {count}.",
                    count=f"{report.total.unpriced:,}",
                )
            )
    else:
        _line(tell("No talk cost anything from {first} to {last} (UTC).", first=report.first, last=report.last))
    if (path.parent / "gateway.sqlite3").exists():
        _line(tell("What the gateway spent: mrblue gateway cost"))


def _write_table(report: CostReport) -> None:
    from mrblue_cli.core.texts import tell
    from mrblue_cli.voice.money import dollars

    first = {
        "day": tell("day"), "model": tell("model"), "profile": tell("profile"), "conversation": tell("conversation")
    }[report.by]  # fmt: skip
    titles = [
        first,
        tell("talks"),
        tell("replies"),
        tell("tokens in"),
        tell("cached"),
        tell("tokens out"),
        tell("spent"),
    ]

    def cells(name: str, row: Row) -> list[str]:
        counts = (row.conversations, row.replies, row.input_tokens, row.cached_tokens, row.output_tokens)
        spent = "–" if row.cost_usd is None else dollars(row.cost_usd)
        return [name, *(f"{count:,}" for count in counts), spent]

    table = [titles, *(cells(_named(report, row), row) for row in report.rows), cells(tell("total"), report.total)]
    widths = [max(len(line[place]) for line in table) for place in range(len(titles))]
    rule = "─" * (sum(widths) + 2 * (len(widths) - 1))
    for number, line in enumerate(table):
        if number in {1, len(table) - 1}:
            _line(rule)
        name, *rest = line
        padded = [cell.rjust(width) for cell, width in zip(rest, widths[1:], strict=True)]
        _line("  ".join([name.ljust(widths[0]), *padded]))


def _named(report: CostReport, row: Row) -> str:
    """Names come from servers and files: nothing that a terminal would obey."""
    from datetime import UTC, datetime

    name = "".join(character if character.isprintable() else "�" for character in row.name)[:60] or "–"
    if report.by != "conversation":
        return name
    return f"{datetime.fromtimestamp(row.began, UTC):%Y-%m-%d %H:%M}  {name}"


def _line(text: str = "") -> None:
    sys.stdout.write(f"{text}\n")
