"""The platform's folders for settings, data and caches.

`platformdirs` decides; on Linux its rule (the XDG base directory specification, version 0.8) is applied here directly,
because importing the library takes as long as half of `mrblue ask`. A test holds the two together.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

_LINUX = {
    "config": ("XDG_CONFIG_HOME", ".config"),
    "data": ("XDG_DATA_HOME", ".local/share"),
    "cache": ("XDG_CACHE_HOME", ".cache"),
}


def place(kind: str, environment: Mapping[str, str] | None = None) -> Path:
    """mrblue's folder of a kind: `config`, `data` or `cache`. It need not exist yet."""
    system: str = sys.platform
    if system == "linux":
        env = os.environ if environment is None else environment
        variable, below = _LINUX[kind]
        named = env.get(variable, "").strip()
        return (Path(named) if named else Path("~").expanduser() / below) / "mrblue"
    import platformdirs

    folder: Path = getattr(platformdirs, f"user_{kind}_path")("mrblue")
    return folder


def breadcrumbs_file() -> Path:
    """Where the last commands are kept."""
    return place("data") / "breadcrumbs.jsonl"


def feedback_file() -> Path:
    """Where reports of what helped are kept."""
    return place("data") / "feedback.db"
