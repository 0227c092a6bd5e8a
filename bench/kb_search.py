"""How quick a search is, in process and as a whole process beside a bare Python."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

from bench.report import arguments, show, spread
from mrblue_cli.knowledge.base import load_base


def whole(command: list[str]) -> float:
    """Median seconds of a whole process."""
    times = []
    for _ in range(11):
        began = time.perf_counter()
        subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def main() -> None:
    options = arguments(__doc__ or "").parse_args()
    base = load_base()
    texts = [text for entry in base.entries for text in (*entry.matches, *entry.spoken)]
    times = []
    for text in texts * 3:
        began = time.perf_counter()
        base.search(text)
        times.append((time.perf_counter() - began) * 1000)
    command = [sys.executable, "-m", "mrblue_cli", "kb", "search", "--json", texts[0]]
    ours, bare = whole(command), whole([sys.executable, "-c", "pass"])
    rows = [
        (f"search, {len(base.entries)} entries", spread(times, "ms"), ""),
        ("whole process, mrblue kb search", f"{ours * 1000:.0f} ms", ""),
        ("... against a bare python -c pass", f"{ours / bare:.1f} times", ""),
    ]
    show("knowledge base search", rows, {"search_ms": times, "process": ours, "bare": bare}, options.json)


if __name__ == "__main__":
    main()
