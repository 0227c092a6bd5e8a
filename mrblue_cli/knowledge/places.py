"""Where entries lie."""

from __future__ import annotations

from pathlib import Path


def bundled_folder() -> Path:
    """The entries that ship with the package: inside it when installed, beside it in a checkout."""
    package = Path(__file__).resolve().parent.parent
    inside = package / "kb"
    return inside if inside.is_dir() else package.parent / "kb"
