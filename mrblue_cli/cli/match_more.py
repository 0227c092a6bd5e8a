"""The commands around `mrblue match`: the catalogue, the schema, invented communities."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from mrblue_cli.cli.errors import report


def algorithms(
    family: Annotated[
        str | None, typer.Argument(metavar="FAMILY", help="Only this family (level, agg, pair, …), or one name.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
) -> None:
    """List the catalogue: what each algorithm does, and who published it."""
    from mrblue_cli.app.match import algorithms as listed

    found = listed(family)
    if as_json:
        import msgspec

        document = {"count": len(found), "algorithms": [msgspec.to_builtins(entry) for entry in found]}
        sys.stdout.write(json.dumps(document, ensure_ascii=False, indent=2) + "\n")
        return
    width = max(len(entry.name) for entry in found)
    for entry in found:
        marks = [
            word
            for word, there in (
                ("needs history", entry.needs_history),
                ("approximate", entry.approximate),
                ("directed", entry.directed),
                ("over all pairs at once", entry.listwise),
            )
            if there
        ]
        sys.stdout.write(f"{entry.name:<{width}}  {entry.words}  [{', '.join([entry.source, *marks])}]\n")
        if family == entry.name:
            sys.stdout.write(f"{'':<{width}}  {entry.formula}\n")
            for name, value in entry.parameters.items():
                sys.stdout.write(f"{'':<{width}}  {name} = {value}\n")
    sys.stdout.write(f"\n{len(found)} algorithm{'' if len(found) == 1 else 's'}\n")


def schema() -> None:
    """Print the JSON Schema of users.json."""
    from mrblue_cli.matcher.schema import json_schema

    sys.stdout.write(json.dumps(json_schema(), ensure_ascii=False, indent=2) + "\n")


def generate(
    users: Annotated[int, typer.Option("--users", metavar="N", min=0, max=10_000_000, help="How many people.")],
    seed: Annotated[int, typer.Option(metavar="S", min=0, help="The same seed gives the same people.")] = 0,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Default: standard output.")] = None,
    layout: Annotated[str | None, typer.Option("--format", metavar="json|ndjson|csv", help="Default: json.")] = None,
) -> None:
    """Invent a community, for tests and demos: cities, levels, tastes, free evenings, couples, gaps."""
    from mrblue_cli.app.match_people import LAYOUTS, written
    from mrblue_cli.cli.match_options import one_of
    from mrblue_cli.cli.match_write import check_target, write_all
    from mrblue_cli.matcher.generate import people

    one_of("--format", layout, LAYOUTS)
    if out is not None:
        check_target(out)
    for path in write_all({"people": out}, {"people": lambda: written(people(users, seed), layout or "json")}):
        report(f"wrote {path}")
