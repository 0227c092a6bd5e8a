"""The one place where errors become lines and exit codes (DESIGN, section 4)."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable
from typing import Any

from mrblue_cli.core import errors as e

INTERRUPTED = 130
INTERNAL = 70
_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})
_EXIT_CODES: tuple[tuple[type[e.MrBlueError], int], ...] = (
    (e.NothingFound, 1),
    (e.UsageError, 2),
    (e.ConfigError, 3),
    (e.ComponentError, 4),
    (e.RemoteError, 5),
)
_CODES_BY_WORD = {
    "nothing_found": 1,
    "no_speech": 1,
    "usage": 2,
    "bad_input": 2,
    "config": 3,
    "component": 4,
    "device": 4,
    "missing_part": 4,
    "internal": INTERNAL,
}


def exit_code_of(error: e.MrBlueError) -> int:
    """The exit code of an error."""
    return next((code for kind, code in _EXIT_CODES if isinstance(error, kind)), INTERNAL)


def exit_code_of_word(code: str) -> int:
    """The exit code of a failure in the event stream; what a server reports is a matter of the network (5)."""
    return _CODES_BY_WORD.get(code, 5)


def report(what: str, hint: str = "") -> None:
    """One line of what, one line of what to do, on stderr."""
    sys.stderr.write(f"mrblue: {what}\n")
    if hint:
        sys.stderr.write(f"  → {hint}\n")
    sys.stderr.flush()


def run(command: Callable[[], Any], *, debug: bool) -> int:
    """Run the program and return its exit code; no traceback reaches a person without --debug."""
    try:
        return _outcome(command())
    except e.MrBlueError as error:
        if debug:
            _print_traceback()
        report(error.what, error.hint)
        return exit_code_of(error)
    except KeyboardInterrupt:
        return INTERRUPTED
    except SystemExit as ending:
        # The command line library ends the program itself when the reader of a pipe has gone (`… | head`).
        return _after_exit(ending)
    except Exception as error:  # noqa: BLE001 - the last line of defence between a defect and a person
        # The command line library's own ways to end, without importing it for commands that do without.
        if type(error).__name__ == "Exit" and hasattr(error, "exit_code"):
            return int(error.exit_code)
        if type(error).__name__ == "Abort":
            return INTERRUPTED
        if hasattr(error, "format_message"):
            # A usage error, of whichever copy of click the command line library carries.
            report(error.format_message() or "a required argument is missing", f"see: {_named(error)} --help")
            return 2
        if isinstance(error, OSError) and error.errno in _NO_ROOM and error.filename is None:
            report(f"what it prints cannot be written: {error.strerror}", "make room there, or print to another place")
            _leave_unwritten()
            return 2
        if debug:
            _print_traceback()
        report(f"internal error: {error!r}", "run it again with --debug, and report what it prints")
        return INTERNAL


def _named(error: Exception) -> str:
    """The command whose help tells more: without the word of a hidden command, which nobody types."""
    context = getattr(error, "ctx", None)
    while context is not None and getattr(context.command, "hidden", False):
        context = context.parent
    return "mrblue" if context is None else str(context.command_path)


def _after_exit(ending: SystemExit) -> int:
    if isinstance(ending.__context__, BrokenPipeError):
        _leave_unwritten()
        return 0
    return ending.code if isinstance(ending.code, int) else 0


def _leave_unwritten() -> None:
    """The interpreter would try once more to write what is left, and complain."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _outcome(value: object) -> int:
    return value if isinstance(value, int) else 0


def _print_traceback() -> None:
    import traceback  # takes longer to import than the fastest command takes

    traceback.print_exc()
