"""`mrblue feedback`: what helped and what did not, kept on this machine."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from mrblue_cli.assistant.feedback import FeedbackStore, Tally
from mrblue_cli.core.errors import UsageError
from mrblue_cli.knowledge.model import Hit
from mrblue_cli.settings.places import feedback_file, place


def store() -> FeedbackStore:
    """The reports of this machine."""
    return FeedbackStore(feedback_file())


def feedback(
    context: typer.Context,
    entry: Annotated[str | None, typer.Argument(help="The entry's id, such as node/port-in-use.")] = None,
    outcome: Annotated[str | None, typer.Argument(metavar="worked|failed", help="What became of it.")] = None,
    solution: Annotated[int, typer.Option(help="Which way out, counted as `mrblue kb show` does.", min=1)] = 1,
    export: Annotated[bool, typer.Option("--export", help="Print all counts as JSON, for maintainers.")] = False,
) -> None:
    """Report whether a way out helped; success rates and their order follow."""
    if export:
        sys.stdout.write(json.dumps(exported(store().tallies()), indent=2, ensure_ascii=False) + "\n")
        return
    if entry is None or outcome not in {"worked", "failed"}:
        raise UsageError(
            "say which entry, and whether it worked or failed", hint="mrblue feedback node/port-in-use worked"
        )
    from mrblue_cli.knowledge.base import load_base
    from mrblue_cli.settings.memo import ask_settings

    folders = (Path(folder).expanduser() for folder in ask_settings(context.obj.config).folders)
    known = load_base(folders, cache=place("cache")).entry(entry)
    if solution > len(known.solutions):
        raise UsageError(
            f"{entry} has {len(known.solutions)} ways out, not {solution}",
            hint=f"see them with: mrblue kb show {entry}",
        )
    title = known.solutions[solution - 1].title
    store().add(entry, title, worked=outcome == "worked")
    tally = store().tallies((entry,))[entry, title]
    sys.stdout.write(f"{title}: worked {tally.worked} of {tally.total} here\n")


def exported(tallies: dict[tuple[str, str], Tally]) -> dict[str, object]:
    """Counts alone: no texts, no places, no times."""
    rows = [
        {"entry": entry, "solution": title, "worked": tally.worked, "failed": tally.failed}
        for (entry, title), tally in sorted(tallies.items())
    ]
    return {"format": "mrblue-feedback-1", "reports": rows}


def ask_one_key(hit: Hit) -> None:
    """Ask in the terminal whether the first way helped; any other key means: later."""
    try:
        import termios
        import tty
    except ImportError:
        return
    handle = sys.stdin.fileno()
    before = termios.tcgetattr(handle)
    try:
        # First this, which throws away what was typed before: keys count from when the question stands there.
        tty.setcbreak(handle)
        sys.stdout.write("\nDid it help?  w worked · f failed · any other key: later ")
        sys.stdout.flush()
        key = sys.stdin.read(1).lower()
    except KeyboardInterrupt:
        key = ""
    finally:
        termios.tcsetattr(handle, termios.TCSADRAIN, before)
    said = {"w": "worked", "f": "failed"}.get(key)
    sys.stdout.write(f"{said or 'later'}\n")
    if said:
        store().add(hit.entry.id, hit.solutions[0].title, worked=said == "worked")
    else:
        sys.stdout.write(f"  mrblue feedback {hit.entry.id} worked|failed\n")
