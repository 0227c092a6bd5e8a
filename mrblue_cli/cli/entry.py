"""Where the program begins: `mrblue ask` in its common forms, and the shell hooks, without the command line
library; the rest with it.

Typer takes longer to import than `ask` takes to find its answer, and `ask` is what people run all day.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from mrblue_cli.cli.errors import run


def main() -> None:
    """Run the command line and exit with its code."""
    arguments = sys.argv[1:]
    # Whoever closed them (`>&-`) wants no answer, but the exit code still tells.
    sys.stdout = sys.stdout or Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - as long as the program
    sys.stderr = sys.stderr or Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115
    sys.exit(run(lambda: _dispatch(arguments), debug="--debug" in arguments))


def _dispatch(arguments: Sequence[str]) -> object:
    if arguments[:1] == ["ask"]:
        gc.disable()  # it ends before there is garbage worth looking for; the look would take a tenth of its time
        from mrblue_cli.cli.quick import quick_options

        options = quick_options(arguments[1:])
        if options is not None:
            from mrblue_cli.cli.ask_run import run_ask

            return run_ask(options)
        gc.enable()
    if arguments[:1] == ["record"]:
        from mrblue_cli.cli.record import record

        return record(arguments[1:])
    from mrblue_cli.cli.main import app

    return app(list(arguments), prog_name="mrblue", standalone_mode=False)
