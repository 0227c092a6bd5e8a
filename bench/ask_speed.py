"""How quick `mrblue ask` is: the whole process beside a bare Python, in process, with 10,000 entries, on a long log."""

from __future__ import annotations

import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from bench.ask_quality import load_cases
from bench.report import arguments, percentile, show
from mrblue_cli.knowledge.base import KnowledgeBase, load_base
from mrblue_cli.knowledge.model import Entry

TEXT = "Error: listen EADDRINUSE: address already in use :::3000"
RUNS = 41


def processes(commands: Sequence[list[str]], environment: dict[str, str]) -> list[list[float]]:
    """Milliseconds of whole processes, the commands in turn, so that all of them see the same machine."""
    times: list[list[float]] = [[] for _ in commands]
    for _ in range(RUNS):
        for row, command in zip(times, commands, strict=True):
            began = time.perf_counter()
            subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment, check=False)
            row.append((time.perf_counter() - began) * 1000)
    return times


def timed(work: Callable[[str], object], texts: Sequence[str]) -> list[float]:
    """Milliseconds for each text."""
    times = []
    for text in texts:
        began = time.perf_counter()
        work(text)
        times.append((time.perf_counter() - began) * 1000)
    return times


def multiplied(entries: Sequence[Entry], count: int) -> list[Entry]:
    """Many different entries: the real ones, and more of them with their words changed."""
    chance = random.Random(1)
    made = list(entries)
    while len(made) < count:
        entry = chance.choice(entries)
        number = len(made)

        def changed(text: str, mark: int = number) -> str:
            words = text.split(" ")
            words[chance.randrange(len(words))] += f"x{mark}"
            return " ".join(words)

        made.append(
            entry._replace(
                id=f"{entry.category}/made-{number}",
                symptoms=tuple(changed(text) for text in entry.symptoms),
                spoken=tuple(changed(text) for text in entry.spoken),
                matches=(),
            )
        )
    return made


def long_log(lines: int = 5_000) -> str:
    """A log with one error in its middle."""
    chance = random.Random(2)
    log = [
        f"2026-03-04T10:{n // 60 % 60:02}:{n % 60:02}.{chance.randrange(1000):03}Z \x1b[32mINFO\x1b[0m "
        f"[worker-{n % 7}] request {chance.getrandbits(64):016x} GET /api/items/{n} 200 {chance.randrange(90)}ms"
        for n in range(lines)
    ]
    log[lines // 2] = "2026-03-04T10:41:40.001Z \x1b[31mERROR\x1b[0m [worker-1] " + TEXT
    return "\n".join(log)


def main() -> None:
    """Measure and print."""
    options = arguments(__doc__ or "").parse_args()
    base = load_base()
    texts = [case.text for case in load_cases() if case.error]
    for text in texts[:40]:
        base.search(text)
    inside = timed(base.search, texts)
    many = KnowledgeBase(multiplied(base.entries, 10_000))
    timed(many.search, texts[:40])
    wide = timed(many.search, texts)
    log = long_log()
    long = timed(base.search, [log] * 9)
    found = base.search(log)
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "XDG_CACHE_HOME": folder, "XDG_DATA_HOME": folder, "XDG_CONFIG_HOME": folder}
        program = str(Path(sys.executable).with_name("mrblue"))
        ours = [program, "ask", "--json", TEXT]
        began = time.perf_counter()
        subprocess.run(ours, stdout=subprocess.DEVNULL, env=environment, check=False)
        first = time.perf_counter() - began
        asked, bare = processes([ours, [sys.executable, "-c", "pass"]], environment)
    ratio = statistics.median(asked) / statistics.median(bare)
    rows = [
        ("whole process, ask --json", f"p50 {statistics.median(asked):.0f} ms", "<= 200 ms"),
        ("  p95", f"{percentile(asked, 0.95):.0f} ms", ""),
        ("  bare python -c pass", f"p50 {statistics.median(bare):.1f} ms", ""),
        ("  against the bare one", f"{ratio:.1f} times", "<= 8 times"),
        ("  the first time, building the index", f"{first:.2f} s", ""),
        (f"in process, {base.size} entries, {len(texts)} texts", f"p50 {statistics.median(inside):.2f} ms", "<= 3 ms"),
        ("  p95", f"{percentile(inside, 0.95):.2f} ms", ""),
        ("in process, 10,000 entries", f"p50 {statistics.median(wide):.2f} ms", "<= 20 ms"),
        ("  p95", f"{percentile(wide, 0.95):.2f} ms", ""),
        ("a log of 5,000 lines", f"p50 {statistics.median(long):.0f} ms", "<= 300 ms"),
        ("  finds", found.hits[0].entry.id if found.hits else "nothing", ""),
    ]
    figures: dict[str, object] = {
        "process_ms": asked, "bare_ms": bare, "ratio": ratio, "first_s": first, "inside_ms": inside,
        "ten_thousand_ms": wide, "long_log_ms": long,
    }  # fmt: skip
    show("ask: speed", rows, figures, options.json)


if __name__ == "__main__":
    main()
