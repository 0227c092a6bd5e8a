"""Everybody's ten best partners, exact: a plain loop, numpy, SQL and `mrblue match`, side by side in one run.

First all four must find the same people with the same scores in a small community. Then each is timed on communities of
growing size. Only ours runs in full: the others compare a sample of people with everybody, and their time for all is
what that pace would take. Each size runs in a process of its own, whose memory is that of the whole: people, index and
lists.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

from bench.match_contestants import AllPairs, Lists, Loop, Sql
from bench.report import arguments, show
from mrblue_cli.app.match_files import zone_named
from mrblue_cli.app.match_search import best, cores, make_ready
from mrblue_cli.matcher.compiled import Community
from mrblue_cli.matcher.generate import people
from mrblue_cli.matcher.recipe import make_recipe
from mrblue_cli.matcher.records import Reader

SIZES = (20_000, 100_000, 1_000_000)
GOALS = {20_000: "2 s", 100_000: "20 s", 1_000_000: "10 min, 4 GB"}
K = 10
SEED = 1
CHECKED = 600
"""People of the community in which all four must agree."""
SAMPLED = {Loop.name: 200_000, AllPairs.name: 2_000_000, Sql.name: 8_000_000}
"""Pairs that each of the others compares."""
MOST_FOR_OTHERS = 100_000
"""People that the others are given: their pace depends little on it, their memory does."""


def community_of(count_: int) -> Community:
    """Made-up people, read as if they came from a file."""
    reader = Reader(dt.date(2026, 3, 30), "UTC", zone_named)
    read = (reader.read(raw, f"users[{index}]") for index, raw in zip(count(), people(count_, SEED), strict=False))
    return Community(user for user in read if user is not None)


def lists(rows: Any, scores: Any) -> Lists:
    """Found as pairs of row and score."""
    pairs = zip(rows.tolist(), scores.tolist(), strict=True)
    return [[(row, score) for row, score in zip(*pair, strict=True) if row >= 0] for pair in pairs]


def agree(name: str, found: Lists, expected: Lists) -> None:
    """The same scores, and the same people but where scores tie within rounding. Raises `SystemExit`."""
    for mine, theirs in zip(found, expected, strict=True):
        same = len(mine) == len(theirs) and np.allclose(
            [score for _, score in mine], [score for _, score in theirs], rtol=0, atol=1e-9
        )
        scores = [score for _, score in theirs]
        for place, ((row, _), (other, score)) in enumerate(zip(mine, theirs, strict=False)):
            near = sum(abs(one - score) < 1e-9 for one in scores) > 1 or place == len(theirs) - 1
            same = same and (row == other or near)
        if not same:
            raise SystemExit(f"{name} finds other partners:\n{mine}\n{theirs}")


def check() -> None:
    """All four on everybody of a small community."""
    community = community_of(CHECKED)
    rows = list(range(len(community)))
    found = make_ready(community, make_recipe()).search.find(np.array(rows), K)
    from mrblue_cli.matcher.topk.search import prepare

    compiled = prepare(community, make_recipe(), engine="compiled").find(np.array(rows), K)
    expected = lists(compiled.rows, compiled.scores)
    agree("the arrays engine", lists(found.rows, found.scores), expected)
    for make in (Loop, AllPairs, Sql):
        agree(make.name, make(community).find(rows, K), expected)


def measure(size: int, *, alone: bool) -> dict[str, Any]:
    """One size: ours in full, the others on samples. In this process."""
    began = time.perf_counter()
    community = community_of(size)
    n = len(community)
    figures: dict[str, Any] = {"people": n, "read_s": time.perf_counter() - began}
    figures["people_gb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    ready = make_ready(community, make_recipe())
    figures["index_s"] = ready.index_seconds
    # From people in memory to lists in memory: the index is built again and counts.
    began = time.perf_counter()
    found = best(community, make_recipe(), K)
    figures["ours_s"] = time.perf_counter() - began
    figures["peak_gb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    chance = np.random.default_rng(0)
    asked = np.sort(chance.choice(n, min(n, 5000), replace=False))
    counters = getattr(ready.search, "counters", np.zeros(3))
    counters[:] = 0
    ready.search.find(asked, K)
    figures["share_scored"] = float(counters[2]) / len(asked) / n
    figures["share_looked_at"] = float(counters[1]) / len(asked) / n
    if alone:
        return figures
    smaller = community
    if n > MOST_FOR_OTHERS:
        smaller = Community(community.user(row) for row in range(MOST_FOR_OTHERS))
        again = best(smaller, make_recipe(), K)
        found = again
    figures["others"] = {}
    for make in (Loop, AllPairs, Sql):
        contestant = make(smaller)
        rows = np.sort(chance.choice(len(smaller), max(2, SAMPLED[make.name] // len(smaller)), replace=False)).tolist()
        began = time.perf_counter()
        theirs = contestant.find(rows, K)
        seconds = time.perf_counter() - began
        agree(make.name, theirs, lists(found.rows[rows], found.scores[rows]))
        pace = len(rows) * len(smaller) / seconds
        figures["others"][make.name] = {"pairs_per_s": pace, "all_s": n * n / pace, "sampled_rows": len(rows)}
    return figures


def compiling() -> tuple[float, float]:
    """Seconds to compile the search with nothing kept from before, and to load it in the next process."""
    with tempfile.TemporaryDirectory() as folder:
        first, later = (_child(["--first"], NUMBA_CACHE_DIR=folder) for _ in range(2))
    assert first["compiled_now"]
    assert not later["compiled_now"]
    return first["seconds"], later["seconds"]


def _child(options: list[str], **environment: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "bench.match", *options]
    done = subprocess.run(command, env={**os.environ, **environment}, check=True, capture_output=True, text=True)
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def spoken(seconds: float) -> str:
    """Seconds, minutes, hours or days."""
    for unit, length in (("days", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.1f} {unit}"
    return f"{seconds:.2f} s"


def rows_of(size: int, figures: dict[str, Any]) -> list[tuple[str, str, str]]:
    """The lines of one size."""
    n, ours = figures["people"], figures["ours_s"]
    rows = [(f"{size:,} people: mrblue match, {cores()} threads", spoken(ours), GOALS.get(size, ""))]
    rows.append(
        ("... memory at most (with people alone)", f"{figures['peak_gb']:.2f} GB ({figures['people_gb']:.2f})", "")
    )
    rows.append(("... index, in this time", spoken(figures["index_s"]), ""))
    rows.append(("... pairs settled a second", f"{n * n / ours:.2g}", ""))
    looked, scored = figures["share_looked_at"], figures["share_scored"]
    rows.append(("... pairs looked at, scored in full", f"{looked:.3%}, {scored:.4%}", ""))
    for name, other in figures.get("others", {}).items():
        told = f"{spoken(other['all_s'])} ({other['all_s'] / ours:,.0f} x)"
        rows.append((f"... {name}, from {other['sampled_rows']} people at {other['pairs_per_s']:.1e}/s", told, ""))
    return rows


def main() -> None:
    """Everything, or one part of it in a process of its own."""
    parser = arguments(__doc__ or "")
    parser.add_argument("--users", type=int, default=SIZES[-1], help="leave larger communities out")
    parser.add_argument("--ours-only", action="store_true", help="do not time the others")
    parser.add_argument("--size", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--first", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.first:
        ready = make_ready(community_of(4000), make_recipe())
        print(json.dumps({"seconds": ready.compile_seconds, "compiled_now": ready.compiled_now}))
        return
    if given.size:
        print(json.dumps(measure(given.size, alone=given.ours_only)))
        return
    check()
    sizes = [size for size in SIZES if size <= given.users] or [given.users]
    first, later = compiling()
    figures: dict[str, Any] = {"compile_first_s": first, "load_later_s": later}
    rows = [(f"all four agree on everybody of {CHECKED} people", "yes", "")]
    rows.append(("compiling the search, first run only", spoken(first), "15 s"))
    rows.append(("loading it later, numba included", spoken(later), ""))
    for size in sizes:
        options = ["--size", str(size), *(["--ours-only"] if given.ours_only else [])]
        figures[str(size)] = _child(options)
        rows += rows_of(size, figures[str(size)])
    show(f"Everybody's {K} best partners", rows, figures, Path(given.json) if given.json else None)


if __name__ == "__main__":
    main()
