"""The last failed command as a question: what it printed where that is known, else what its end tells."""

from __future__ import annotations

import os
import shutil
import subprocess

from mrblue_cli.assistant.breadcrumbs import Breadcrumb, Breadcrumbs
from mrblue_cli.core.errors import NothingFound
from mrblue_cli.settings.places import breadcrumbs_file

_MEANINGS = {
    126: "permission denied: the file cannot be executed (exit code 126)",
    127: "command not found",
    134: "aborted (core dumped), exit code 134",
    137: "killed, out of memory, exit code 137",
    139: "segmentation fault (core dumped), exit code 139",
    143: "terminated by SIGTERM, exit code 143",
}
_PANE_LINES = 300


def last_failure() -> tuple[str, str]:
    """The text to search for, and where it comes from. Raises `NothingFound` when no failure is known."""
    crumb = Breadcrumbs(breadcrumbs_file()).last_failed()
    if crumb is None:
        raise NothingFound(
            "no failed command is known",
            hint='give the text: mrblue ask "…"; or let the shell tell: eval "$(mrblue shell-init bash)"',
        )
    output = str(crumb.metadata.get("output", "")) or _from_tmux(crumb)
    about = f"the last failed command: {crumb.command} (exit status {crumb.status})"
    if output.strip():
        return output, f"{about}, its output"
    return told(crumb), f"{about}; what it printed is not known: mrblue run -- COMMAND keeps it"


def told(crumb: Breadcrumb) -> str:
    """What a command and its exit status say alone."""
    program = crumb.command.split()[0] if crumb.command.split() else "the command"
    meaning = _MEANINGS.get(crumb.status)
    if crumb.status == 127:
        return f"{program}: command not found"
    return f"{crumb.command}\n{program}: {meaning or f'exit status {crumb.status}'}"


def _from_tmux(crumb: Breadcrumb) -> str:
    """What stands in this tmux pane after the command was typed; empty without tmux."""
    if not os.environ.get("TMUX") or not crumb.command or shutil.which("tmux") is None:
        return ""
    try:
        done = subprocess.run(  # noqa: S603 - fixed arguments
            ["tmux", "capture-pane", "-p", "-J", "-S", f"-{_PANE_LINES}"],  # noqa: S607 - the person's own tmux
            capture_output=True, text=True, timeout=2, check=False, errors="replace",
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return after_command(done.stdout, crumb.command) if done.returncode == 0 else ""


def after_command(screen: str, command: str) -> str:
    """The lines of a screen between the last prompt with this command and the next question to mrblue."""
    lines = screen.rstrip().splitlines()
    first = command.partition("\n")[0].rstrip()
    if not first:
        return ""
    places = [place for place, line in enumerate(lines) if line.rstrip().endswith(first)]
    if not places:
        return ""
    rest = lines[places[-1] + 1 :]
    end = next((place for place, line in enumerate(rest) if "mrblue ask" in line), len(rest))
    return "\n".join(rest[:end])
