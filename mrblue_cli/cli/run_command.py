"""`mrblue run -- COMMAND`: run it untouched; when it fails, show the fix below its output."""

from __future__ import annotations

import shlex
import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from mrblue_cli.app.ask import Answered, AskOptions, ask
from mrblue_cli.app.passthrough import run
from mrblue_cli.assistant.breadcrumbs import Breadcrumb
from mrblue_cli.assistant.redact import redact
from mrblue_cli.cli.ask_view import show
from mrblue_cli.cli.errors import report
from mrblue_cli.cli.record import keep
from mrblue_cli.core.errors import MrBlueError, UsageError
from mrblue_cli.settings.memo import ask_settings

_KEPT_OUTPUT = 3_500


def run_command(
    context: typer.Context,
    command: Annotated[list[str] | None, typer.Argument(metavar="-- COMMAND [ARGUMENT …]")] = None,
) -> int:
    """Run a command; when it fails, show the fix below its output. Its exit status is ours."""
    if not command:
        raise UsageError("there is no command to run", hint="mrblue run -- npm run build")
    began = time.time()
    done = run(command)
    seconds = time.time() - began
    typed = shlex.join(command)
    crumb = Breadcrumb("", "run", began, {"command": typed, "status": done.status})
    try:
        keep("run", typed, done.status, seconds, Path.cwd(), _end(done.output) if crumb.failed else "")
    except OSError as error:
        report(f"the breadcrumb could not be kept: {error.strerror or error}", "check the space in the data folder")
    if crumb.failed:
        _explain(done.output, crumb, context.obj.config)
    return done.status


def _end(output: str) -> str:
    """The last of what was printed; redacted before it is cut, so that no secret loses the name that gives it away."""
    return redact(output[-4 * _KEPT_OUTPUT :])[-_KEPT_OUTPUT:]


def _explain(output: str, crumb: Breadcrumb, config: Path | None) -> None:
    """The fix on stderr, where it cannot get into what the command printed. Never turns into a failure of its own."""
    from mrblue_cli.app.last_failure import told

    text = output if output.strip() else told(crumb)
    try:
        settings = ask_settings(config)
        answered: Answered = ask(text, AskOptions(ai=False), settings, think=lambda _: None, write=lambda _: None)
    except MrBlueError as error:
        report(error.what, error.hint)
        return
    sys.stderr.write(f"\n── mrblue: exit status {crumb.status} ──\n")
    show(answered, sys.stderr)
