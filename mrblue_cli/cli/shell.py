"""`mrblue shell-init`: the hook for a shell; `mrblue breadcrumbs`: what it kept."""

from __future__ import annotations

import json
import sys
from datetime import datetime
from typing import Annotated

import typer

from mrblue_cli.app.shell_hooks import HOOKS
from mrblue_cli.assistant.breadcrumbs import Breadcrumbs
from mrblue_cli.core.errors import UsageError
from mrblue_cli.settings.places import breadcrumbs_file


def shell_init(shell: Annotated[str, typer.Argument(metavar="zsh|bash|fish")]) -> None:
    """Print the hook that remembers the last 50 commands: eval "$(mrblue shell-init bash)"."""
    if shell not in HOOKS:
        raise UsageError(f"there is no hook for '{shell}'", hint=f"there are: {', '.join(HOOKS)}")
    sys.stdout.write(HOOKS[shell])


def breadcrumbs(
    clear: Annotated[bool, typer.Option("--clear", help="Forget them all.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
) -> None:
    """Show the last commands as mrblue remembers them (at most 50, secrets taken out)."""
    kept = Breadcrumbs(breadcrumbs_file())
    if clear:
        kept.clear()
        sys.stdout.write("forgotten\n")
        return
    found = kept.latest()
    if as_json:
        rows = [
            {"place": crumb.place, "action": crumb.action, "time": crumb.time, "metadata": dict(crumb.metadata)}
            for crumb in found
        ]
        sys.stdout.write(json.dumps(rows, ensure_ascii=False, indent=2) + "\n")
        return
    for crumb in found:
        at = datetime.fromtimestamp(crumb.time).astimezone().strftime("%H:%M:%S")
        branch = f" ({crumb.metadata['branch']})" if crumb.metadata.get("branch") else ""
        sys.stdout.write(f"{at}  {crumb.status:>3}  {crumb.place}{branch}  {crumb.command}\n")
    if not found:
        sys.stdout.write('nothing is kept yet: eval "$(mrblue shell-init bash)", or mrblue run -- COMMAND\n')
