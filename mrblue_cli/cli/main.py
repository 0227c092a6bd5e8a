"""The `mrblue` program: global options, and one module per command. Heavy parts load inside the commands."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from mrblue_cli import __version__
from mrblue_cli.cli import (
    ask,
    cost,
    doctor,
    engine,
    feedback,
    gateway,
    history,
    kb,
    match,
    profiles,
    run_command,
    shell,
    talk,
)

app = typer.Typer(
    name="mrblue",
    help="A voice assistant that lives in the terminal: say or paste an error, hear and see the fix.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@dataclass(frozen=True, slots=True)
class Globals:
    """What every command may need."""

    config: Path | None
    debug: bool


def _version(value: bool) -> None:
    if value:
        sys.stdout.write(f"mrblue {__version__}\n")
        raise typer.Exit


@app.callback()
def _globals(
    context: typer.Context,
    config: Annotated[Path | None, typer.Option(help="Use this configuration file.", metavar="FILE")] = None,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
    version: Annotated[  # noqa: ARG001 - handled by its callback
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    context.obj = Globals(config, debug)


app.command("talk", cls=talk.TalkCommand)(talk.talk)
app.command("ask")(ask.ask)
app.command("run", context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})(
    run_command.run_command
)
app.command("feedback")(feedback.feedback)
app.command("shell-init")(shell.shell_init)
app.command("breadcrumbs")(shell.breadcrumbs)
app.command("engine")(engine.engine)
app.command("doctor")(doctor.doctor)
app.command("cost")(cost.cost)
app.add_typer(match.app, name="match")
app.add_typer(gateway.app, name="gateway")
app.add_typer(kb.app, name="kb")
app.add_typer(profiles.app, name="profiles")
app.add_typer(history.app, name="history")
