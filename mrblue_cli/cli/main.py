"""The `mrblue` program."""

from __future__ import annotations


def main() -> None:
    """Run the command line."""
    raise SystemExit(0)
