"""An answer for the eye: coloured in a terminal, plain in a pipe, the same words in both."""

from __future__ import annotations

import os
import shutil
import textwrap
from collections.abc import Iterator
from typing import NamedTuple, TextIO

from mrblue_cli.app.ask import Answered
from mrblue_cli.knowledge.model import Hit, Risk, Solution, is_prose

_RISKS = {Risk.CHANGES: "changes your system", Risk.DESTRUCTIVE: "deletes data: make a copy first"}
_STYLES = {
    "title": "bold",
    "meta": "dim",
    "cause": "",
    "way": "bold",
    "why": "dim",
    "risk": "yellow",
    "danger": "bold red",
    "command": "bold #4aa8ff",
    "prose": "",
    "source": "dim underline",
    "plain": "",
}


class Span(NamedTuple):
    """Text of one kind."""

    text: str
    kind: str = "plain"


Line = tuple[Span, ...]


def show(answered: Answered, out: TextIO) -> None:
    """Write the answer: with colours and links when `out` is a terminal that wants them."""
    fancy = out.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    width = max(40, min(100, shutil.get_terminal_size((88, 24)).columns))
    content = list(lines(answered, width))
    if not fancy:
        out.write("".join("".join(span.text for span in line).rstrip() + "\n" for line in content))
        return
    from rich.console import Console
    from rich.text import Text

    console = Console(file=out, highlight=False, soft_wrap=True)
    for line in content:
        text = Text()
        for span in line:
            style = _STYLES[span.kind]
            text.append(span.text, style=f"{style} link {span.text}" if span.kind == "source" else style)
        console.print(text)


def lines(answered: Answered, width: int) -> Iterator[Line]:
    """Everything there is to say, line by line."""
    result = answered.result
    if not result.confident:
        yield from _unknown(answered, width)
        return
    best, *others = result.hits
    yield from _hit(answered, best, width)
    sure = [hit for hit in others if hit.confidence >= 0.2]
    if sure:
        yield ()
        yield (Span("Or perhaps", "meta"),)
        for hit in sure:
            yield (
                Span(f"  {hit.confidence:4.0%}  "),
                Span(hit.entry.title),
                Span(f"  mrblue kb show {hit.entry.id}", "meta"),
            )


def _unknown(answered: Answered, width: int) -> Iterator[Line]:
    kind = answered.kind
    if kind is None:
        yield (Span("Nothing in the knowledge base fits this.", "title"),)
        yield (Span("Give more of the error text, best its last lines; or ask a model: mrblue ask --ai", "meta"),)
        return
    yield (
        Span(f"No entry fits well enough. It looks like: {kind.name}", "title"),
        Span(f"  ({kind.category})", "meta"),
    )
    yield (Span("In general:"),)
    for check in kind.checks:
        yield from _wrapped(check, width, "  - ", "prose")


def _hit(answered: Answered, hit: Hit, width: int) -> Iterator[Line]:
    entry = hit.entry
    yield (Span(entry.title, "title"), Span(f"   {hit.confidence:.0%} sure · {entry.id}", "meta"))
    for cause in entry.causes[:3]:
        yield from _wrapped(cause, width, "  ", "cause")
    for number, way in enumerate(hit.solutions, 1):
        yield ()
        yield from _way(answered, entry.id, number, way, width)
    yield ()
    for source in entry.sources:
        yield (Span("  "), Span(source, "source"))


def _way(answered: Answered, entry: str, number: int, way: Solution, width: int) -> Iterator[Line]:
    yield (Span(f"{number}  {way.title}", "way"), Span(f"   {_rate(answered, entry, way)}", "meta"))
    if way.risk is not Risk.SAFE:
        kind = "danger" if way.risk is Risk.DESTRUCTIVE else "risk"
        yield (Span(f"   ! {_RISKS[way.risk]}", kind),)
    if way.why:
        yield from _wrapped(way.why, width, "   ", "why")
    for place, step in enumerate(way.steps, 1):
        if is_prose(step):
            yield from _wrapped(step, width, f"   {place}. ", "prose")
            continue
        head, *rest = step.rstrip("\n").split("\n")
        yield (Span(f"   {place}. "), Span(head, "command"))
        for line in rest:
            yield (Span("      "), Span(line, "command"))


def _rate(answered: Answered, entry: str, way: Solution) -> str:
    found = answered.tallies.get((entry, way.title))
    if found is None:
        return f"{way.success_rate} %, by the editor's estimate"
    worked, failed = found
    total = worked + failed
    return f"worked {worked} of {total} time{'s' if total > 1 else ''} here ({way.success_rate} %)"


def _wrapped(text: str, width: int, indent: str, kind: str) -> Iterator[Line]:
    for line in textwrap.wrap(
        text, width, initial_indent=indent, subsequent_indent=" " * len(indent), break_long_words=False,
        break_on_hyphens=False,
    ):  # fmt: skip
        yield (Span(line, kind),)
