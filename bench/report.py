"""A small table on the screen, the same as JSON in a file, with machine and date."""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path


def arguments(description: str) -> argparse.ArgumentParser:
    """A parser with the option that all benchmarks share."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    return parser


def percentile(values: Iterable[float], share: float) -> float:
    """The value below which this share of the values lies (nearest rank)."""
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, max(0, -(-int(share * 100) * len(ranked) // 100) - 1))]


def machine() -> str:
    """Processor, cores and Python."""
    name = platform.processor() or platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        name = next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        pass
    return f"{name}, {os.cpu_count()} cores, Python {platform.python_version()}"


def show(title: str, rows: Sequence[tuple[str, str, str]], figures: dict[str, object], target: Path | None) -> None:
    """Print rows of (figure, result, goal)."""
    today = datetime.now(UTC).date().isoformat()
    print(f"\n{title}  ({today}; {machine()})")
    width = max(len(row[0]) for row in rows)
    for name, result, goal in rows:
        print(f"  {name:<{width}}  {result:>22}  {f'goal {goal}' if goal else ''}")
    if target is not None:
        table = {"title": title, "date": today, "machine": machine(), "figures": figures}
        target.write_text(json.dumps(table, indent=2) + "\n")


def spread(values: Sequence[float], unit: str = "s") -> str:
    """Median and p95 in words."""
    return f"p50 {statistics.median(values):.2f} p95 {percentile(values, 0.95):.2f} {unit}"
