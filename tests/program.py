"""The program as a process of its own, from any folder, and without the developer's settings."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def environment(**more):
    """What a child needs to find this checkout; None takes a variable away."""
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    env = {**os.environ, "PYTHONPATH": path, "TERM": "xterm", "TMUX": "", **more}
    return {name: value for name, value in env.items() if value is not None}


def python(code, *args, env=None, timeout=60):
    """Run Python code with this checkout importable."""
    return subprocess.run(
        [sys.executable, "-c", code, *args],
        capture_output=True,
        text=True,
        env=env or environment(),
        timeout=timeout,
        check=False,
    )


def mrblue(*args, stdin="", env=None, cwd=None, timeout=60):
    """Run `mrblue`; bytes on stdin give bytes back."""
    return subprocess.run(
        [sys.executable, "-m", "mrblue_cli", *args],
        capture_output=True,
        text=isinstance(stdin, str),
        input=stdin,
        env=env or environment(),
        cwd=cwd,
        timeout=timeout,
        check=False,
    )
