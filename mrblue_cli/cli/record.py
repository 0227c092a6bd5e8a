"""`mrblue record STATUS SECONDS PLACE`, the command on stdin: what the shell hooks call. Silent, and quick to start."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from mrblue_cli.assistant.breadcrumbs import Breadcrumb, Breadcrumbs
from mrblue_cli.core.errors import UsageError
from mrblue_cli.settings.places import breadcrumbs_file

_UNITS = {"us": 1e-6, "ms": 1e-3, "s": 1.0}
_MAX_COMMAND = 16_384


def record(arguments: Sequence[str]) -> int:
    """Keep one step; raises `UsageError` for arguments that make no sense."""
    try:
        status, seconds, where = int(arguments[0]), _seconds(arguments[1]), arguments[2]
    except (IndexError, ValueError):
        raise UsageError(
            "record is for the shell hooks: STATUS SECONDS PLACE, and the command on stdin",
            hint='switch them on with: eval "$(mrblue shell-init bash)"',
        ) from None
    command = sys.stdin.buffer.read(_MAX_COMMAND).decode("utf-8", "replace").strip()
    if command and command.split()[0] != "mrblue":
        keep("command", command, status, seconds, Path(where))
    return 0


def keep(action: str, command: str, status: int, seconds: float, where: Path, output: str = "") -> None:
    """Add a breadcrumb for a command."""
    metadata: dict[str, object] = {"command": command, "status": status, "seconds": round(max(0.0, seconds), 3)}
    branch = git_branch(where)
    if branch:
        metadata["branch"] = branch
    if output:
        metadata["output"] = output
    Breadcrumbs(breadcrumbs_file()).add(Breadcrumb(str(where), action, time.time(), metadata))


def git_branch(where: Path) -> str:
    """The branch checked out around a folder, read from git's own file; empty outside, a short id when detached."""
    for folder in (where, *where.parents):
        head = folder / ".git" / "HEAD"
        try:
            if (folder / ".git").is_file():
                # A worktree or submodule: the file says where its own HEAD lies.
                pointer = (folder / ".git").read_text(encoding="utf-8").removeprefix("gitdir:").strip()
                head = (folder / pointer) / "HEAD"
            text = head.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            continue
        return text.removeprefix("ref: refs/heads/") if text.startswith("ref: ") else text[:12]
    return ""


def _seconds(text: str) -> float:
    unit = next((unit for unit in ("us", "ms") if text.endswith(unit)), "")
    seconds = float(text.removesuffix(unit)) * _UNITS[unit or "s"]
    if not math.isfinite(seconds):
        raise ValueError(text)
    return seconds
