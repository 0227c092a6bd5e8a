"""What a request pays for the budget: microseconds of `reserve` and `settle` on the event loop.

One process alone, then four that write the same ledger at once. `commit` is the same file with one empty transaction
each, the least that a change can cost here. The write-ahead log is moved while they work, as in the gateway.

    python -m bench.gateway_ledger [--calls 5000] [--processes 4]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import sqlite3
import tempfile
import time
from pathlib import Path

from mrblue_cli.gateway.budget.model import Charge, KeyLimits
from mrblue_cli.gateway.budget.service import LEDGER_FILE, Budget
from mrblue_cli.gateway.model import NANO, Surface, Usage
from mrblue_cli.gateway.options import AlertOptions, BudgetOptions

OPTIONS = BudgetOptions(
    daily_limit=50.0, monthly_limit=1500.0, alerts=(AlertOptions(threshold=0.8), AlertOptions(threshold=0.95))
)
CHARGE = Charge("openai", "gpt-4o", Usage(input_tokens=900, output_tokens=300), 5_250, "ok")


def main() -> None:
    """Print the table, then one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=5000)
    parser.add_argument("--processes", type=int, default=4)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = {"commit": {"alone": _summary(_commits(Path(folder) / "commits.sqlite3", given.calls))}}
        alone = _worker(Path(folder) / "alone" / LEDGER_FILE, given.calls)
        shared = Path(folder) / "shared" / LEDGER_FILE
        with multiprocessing.get_context("spawn").Pool(given.processes) as pool:
            crowd = pool.starmap(_worker, [(shared, given.calls)] * given.processes)
        for number, name in enumerate(("reserve", "settle")):
            together = sorted(taken for each in crowd for taken in each[number])
            found[name] = {"alone": _summary(alone[number]), f"{given.processes} at once": _summary(together)}
    print(f"{'':<10}{'':<12}{'p50':>8}{'p95':>8}{'p99':>8}{'max':>9}   µs")
    for name, cases in found.items():
        for case, it in cases.items():
            print(f"{name:<10}{case:<12}{it['p50']:>8.0f}{it['p95']:>8.0f}{it['p99']:>8.0f}{it['max']:>9.0f}")
    print(json.dumps(found))


def _worker(path: Path, calls: int) -> tuple[list[float], list[float]]:
    return asyncio.run(_calls(path, calls))


async def _calls(path: Path, calls: int) -> tuple[list[float], list[float]]:
    budget = Budget(OPTIONS, path)
    limits = KeyLimits(daily_nano=10 * NANO)
    reserving, settling = [], []
    for number in range(calls):
        began = time.perf_counter()
        held = await budget.reserve(
            request_id=f"req_{number}", key_id="team", key_limits=limits, estimate_nano=20_000, surface=Surface.CHAT,
            model="gpt-4o",
        )  # fmt: skip
        between = time.perf_counter()
        await budget.settle(held, (CHARGE,))
        ended = time.perf_counter()
        reserving.append((between - began) * 1e6)
        settling.append((ended - between) * 1e6)
        await asyncio.sleep(0)  # where the gateway would wait for a provider
    await budget.close()
    return reserving, settling


def _commits(path: Path, calls: int) -> list[float]:
    base = sqlite3.connect(path, isolation_level=None)
    base.execute("PRAGMA journal_mode=WAL")
    base.execute("PRAGMA synchronous=NORMAL")
    base.execute("CREATE TABLE one (value INTEGER)")
    base.execute("INSERT INTO one VALUES (0)")
    taken = []
    for _ in range(calls):
        began = time.perf_counter()
        base.execute("BEGIN IMMEDIATE")
        base.execute("UPDATE one SET value = value + 1")
        base.execute("COMMIT")
        taken.append((time.perf_counter() - began) * 1e6)
    base.close()
    return taken


def _summary(taken: list[float]) -> dict[str, float]:
    ordered = sorted(taken)
    return {
        "p50": round(ordered[len(ordered) // 2], 1),
        "p95": round(ordered[int(len(ordered) * 0.95)], 1),
        "p99": round(ordered[int(len(ordered) * 0.99)], 1),
        "max": round(ordered[-1], 1),
    }


if __name__ == "__main__":
    main()
