"""`mrblue ask`: the fix for an error text, or for the last failed command."""

from __future__ import annotations

from typing import Annotated

import typer

from mrblue_cli.app.ask import AskOptions
from mrblue_cli.cli.ask_run import run_ask


def ask(
    context: typer.Context,
    text: Annotated[
        str | None,
        typer.Argument(help='The error text; "-" or nothing reads a pipe; nothing at all: the last failed command.'),
    ] = None,
    top: Annotated[int | None, typer.Option(help="How many entries at most.", min=1, max=20)] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
    ai: Annotated[bool | None, typer.Option("--ai/--no-ai", help="Let a chat model answer as well.")] = None,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Tell how the answer came about.")] = False,
    feedback: Annotated[
        bool | None, typer.Option("--feedback/--no-feedback", help="Ask for one key afterwards: did it help?")
    ] = None,
) -> int:
    """Find the fix for an error; exit code 1 when nothing fits with confidence."""
    return run_ask(AskOptions(text, top, as_json, ai, verbose, feedback, context.obj.config))
