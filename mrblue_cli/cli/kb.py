"""`mrblue kb`: look into, search and check the knowledge base."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mrblue_cli.core.errors import InputFileError, NothingFound, UsageError

if TYPE_CHECKING:
    from mrblue_cli.knowledge.base import KnowledgeBase
    from mrblue_cli.knowledge.model import Entry, Solution

app = typer.Typer(help="Look into, search and check the knowledge base.", no_args_is_help=True, rich_markup_mode=None)
Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]

_TEMPLATE = """\
title: {title}
symptoms:            # text as programs print it; {{name}} captures a value for use in the steps
  - "the exact message, with {{port}} or {{file}} where it varies"
spoken:              # as a person says it
  - "the message in spoken words"
causes:
  - What usually causes it
solutions:           # most promising first
  - title: What to do
    why: Why it works, and what it changes.
    steps:           # a sentence that ends in a full stop is told, everything else is to be copied as it stands
      - "the-command --exactly {{port}}"
      - "Start your program again."
    success_rate: 80 # your estimate, in percent
    risk: safe       # safe | changes | destructive (never first)
    platforms: [linux, macos, windows]
sources: ["https://example.org/where-this-is-documented"]
matches: ["a real text that must find this entry first"]
rejects: ["a similar text that must not find it"]
"""


def _base(context: typer.Context) -> KnowledgeBase:
    from mrblue_cli.knowledge.base import load_base
    from mrblue_cli.settings.load import load
    from mrblue_cli.settings.places import place

    folders = load(file=context.obj.config).settings.knowledge.folders
    return load_base((Path(folder).expanduser() for folder in folders), cache=place("cache"))


def _print(document: Any) -> None:
    sys.stdout.write(json.dumps(document, ensure_ascii=False, indent=2) + "\n")


def _line(text: str = "") -> None:
    sys.stdout.write(f"{text}\n")


@app.command()
def search(
    context: typer.Context,
    text: Annotated[str, typer.Argument(help='The error text; "-" reads it from a pipe.')],
    top: Annotated[int, typer.Option(help="How many entries at most.", min=1, max=20)] = 3,
    as_json: Json = False,
) -> None:
    """Find the entry that fits an error text; exit code 1 when none does with confidence."""
    if text == "-":
        text = sys.stdin.read(1_000_000)
    if not text.strip():
        raise UsageError("there is no text to search for", hint='mrblue kb search "the error message"')
    result = _base(context).search(text, top=top)
    if as_json:
        hits = [{**_brief(hit.entry), "confidence": round(hit.confidence, 2)} for hit in result.hits]
        _print({"category": result.category, "type": result.error_type, "confident": result.confident, "hits": hits})
    elif result.confident:
        for hit in result.hits:
            _line(f"{hit.confidence:4.0%}  {hit.entry.title}  ({hit.entry.id})")
        for solution in result.hits[0].solutions:
            _solution(solution)
    if not result.confident:
        kind = f"; it looks like: {result.error_type}" if result.error_type else ""
        raise NothingFound(f"no entry fits with confidence{kind}", hint="give more of the error text")


@app.command("list")
def list_entries(
    context: typer.Context,
    category: Annotated[str | None, typer.Argument(help="Only this category.")] = None,
    as_json: Json = False,
) -> None:
    """List the entries."""
    base = _base(context)
    if category is not None and category not in base.categories:
        raise UsageError(f"there is no category '{category}'", hint=f"there are: {', '.join(base.categories)}")
    entries = [entry for entry in base.entries if category in (None, entry.category)]
    if as_json:
        _print([_brief(entry) for entry in entries])
        return
    width = max((len(entry.id) for entry in entries), default=0)
    for entry in entries:
        _line(f"{entry.id:<{width}}  {entry.title}")


@app.command()
def show(context: typer.Context, entry_id: Annotated[str, typer.Argument(metavar="ID")], as_json: Json = False) -> None:
    """Show one entry whole."""
    entry = _base(context).entry(entry_id)
    if as_json:
        _print(_whole(entry))
        return
    _line(f"{entry.title}  ({entry.id})")
    for title, lines in (("Looks like", entry.symptoms), ("Causes", entry.causes)):
        _line(f"\n{title}")
        for line in lines:
            _line(f"  - {line}")
    for solution in entry.solutions:
        _solution(solution)
    _line("\nSources")
    for source in entry.sources:
        _line(f"  {source}")


@app.command()
def stats(context: typer.Context, as_json: Json = False) -> None:
    """Count entries and solutions."""
    base = _base(context)
    solutions = sum(len(entry.solutions) for entry in base.entries)
    if as_json:
        _print({"entries": len(base.entries), "solutions": solutions, "categories": base.categories})
        return
    _line(f"{len(base.entries)} entries, {solutions} solutions, {len(base.categories)} categories")
    for category, count in base.categories.items():
        _line(f"  {count:4}  {category}")


@app.command()
def lint(
    folder: Annotated[Path | None, typer.Argument(help="A folder of entries; default: the bundled ones.")] = None,
    as_json: Json = False,
) -> None:
    """Check entries: schema, examples, sources, risks, duplicates. Exit code 2 when something must be mended."""
    from mrblue_cli.knowledge.lint import lint_folder
    from mrblue_cli.knowledge.loader import load_folder
    from mrblue_cli.knowledge.places import bundled_folder

    others = load_folder(bundled_folder()).entries if folder is not None else ()
    report = lint_folder(folder or bundled_folder(), others)
    if as_json:
        faults = [
            {"path": str(fault.path), "line": fault.line, "severity": fault.severity, "message": fault.message}
            for fault in report.faults
        ]
        _print({"entries": report.entries, "errors": report.errors, "faults": faults})
    else:
        for fault in report.faults:
            _line(str(fault))
        _line(
            f"{report.entries} entries checked, {report.errors} errors, {len(report.faults) - report.errors} warnings"
        )
    if report.errors:
        raise InputFileError(f"{report.errors} faults in the knowledge base", hint="mend what is listed above")


@app.command()
def new(
    entry_id: Annotated[str, typer.Argument(metavar="CATEGORY/SLUG")],
    folder: Annotated[Path, typer.Option(help="Your folder of entries.")] = Path("kb"),
) -> None:
    """Write a template for a new entry."""
    category, _, slug = entry_id.partition("/")
    if not all(part and all(c.isalnum() or c == "-" for c in part) for part in (category, slug)):
        raise UsageError(
            f"'{entry_id}' is no entry id", hint="write CATEGORY/SLUG in lower case, such as node/port-in-use"
        )
    path = folder / category / f"{slug}.yaml"
    if path.exists():
        raise UsageError(f"{path} exists already", hint="choose another name, or edit that file")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(_TEMPLATE.format(title=slug.replace("-", " ").capitalize()), encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path}: cannot be written: {error.strerror}", hint="choose another --folder") from None
    _line(f"wrote {path}; fill it in, then: mrblue kb lint {folder}")


def _brief(entry: Entry) -> dict[str, Any]:
    return {"id": entry.id, "title": entry.title, "category": entry.category}


def _whole(entry: Entry) -> dict[str, Any]:
    return {**entry._asdict(), "solutions": [way._asdict() for way in entry.solutions]}


def _solution(solution: Solution) -> None:
    warning = {"destructive": "  ! deletes data", "changes": "  changes your system", "safe": ""}[solution.risk]
    _line(f"\n{solution.title}  ({solution.success_rate} % by the editor's estimate){warning}")
    if solution.why:
        _line(f"  {solution.why}")
    for number, step in enumerate(solution.steps, 1):
        _line(f"  {number}  {step}")
