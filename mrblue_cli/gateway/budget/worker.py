"""Who holds a reservation: this process, told apart from an earlier one that had the same number.

A process id alone is not enough, because systems reuse them. Linux gives the start time (proc(5), field 22 of `stat`),
the boot and the process id namespace, which tells containers on one machine apart.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import NamedTuple


class Worker(NamedTuple):
    """A process."""

    host: str
    """Machine, boot and process id namespace; only within the same one do process ids mean anything."""
    pid: int
    started: str
    """Start time in the kernel's units; empty where it cannot be told."""


def this_worker() -> Worker:
    """The calling process."""
    return Worker(_host(), os.getpid(), _started(os.getpid()) or "")


def is_gone(worker: Worker) -> bool:
    """Whether the process has certainly ended. False when that cannot be told from here."""
    if worker.host != _host() or sys.platform == "win32":
        return False
    if worker.started:
        return _started(worker.pid) != worker.started
    try:
        os.kill(worker.pid, 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False


def _host() -> str:
    parts = [os.uname().nodename] if hasattr(os, "uname") else [os.environ.get("COMPUTERNAME", "")]
    try:
        parts.append(Path("/proc/sys/kernel/random/boot_id").read_text().strip())
        parts.append(str(Path("/proc/self/ns/pid").stat().st_ino))
    except OSError:
        pass
    return "/".join(parts)


def _started(pid: int) -> str | None:
    """None: there is no such process, or the system does not say. A zombie has ended."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    # The second field is the program's name in parentheses, and may hold anything.
    fields = text.rpartition(")")[2].split()
    return None if fields[0] in "ZX" else fields[19]
