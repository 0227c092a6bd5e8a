"""Right and wrong answers of the semantic cache, beside a bare cosine threshold, on four public sets of pairs.

`python -m bench.cache_quality [--data FOLDER] [--vectors FILE] [--json FILE]`; one configuration, the shipped default.
The judgement was fitted on one half of each file; "held out" is the other half, "all" the whole.

- rewrites (GPTCache's own benchmark): all originals are stored, every rewrite is asked. Right: its original is
  served. Wrong: another one is. Unseen: half of the originals stored, rewrites of the others asked; any hit is false.
- paws (PAWS-Wiki): one sentence stored, the other asked; traps have the same words in another order.
- cannot (CANNOT): the same with negations and antonyms.
- banking (Banking77): questions in shuffled order, each looked up among those before it, stored when missed.
"""

from __future__ import annotations

import asyncio
import random
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from bench import cache_data, report
from mrblue_cli.gateway.cache.embedder import bundled
from mrblue_cli.gateway.cache.guards import choose, judge

THRESHOLD = 0.95
NEAREST = 5
SEEDS = (1, 2, 3, 4, 5)
Vectors = dict[str, npt.NDArray[np.float32]]
Rule = Callable[[str, list[tuple[str, float]]], int | None]
"""Asked; stored texts with their cosines, nearest first -> place of the one that is served, or None."""


def ours(asked: str, near: list[tuple[str, float]]) -> int | None:
    """The product's judgement at the default threshold."""
    return choose(asked, near, THRESHOLD).place


def bare(asked: str, near: list[tuple[str, float]]) -> int | None:
    """A cosine threshold and nothing else."""
    return 0 if near and (near[0][1] >= THRESHOLD or near[0][0] == asked) else None


class Store:
    """Stored texts with their vectors; serves what the rule picks among the nearest."""

    def __init__(self, rule: Rule, known: Vectors, size: int) -> None:
        self.rule, self.known = rule, known
        self.texts: list[str] = []
        self.table = np.zeros((size, 384), np.float32)

    def add(self, text: str) -> None:
        """Store a text."""
        self.table[len(self.texts)] = self.known[text]
        self.texts.append(text)

    def ask(self, text: str) -> int | None:
        """Number of the stored text that is served, or None."""
        cosines = self.table[: len(self.texts)] @ self.known[text]
        near = np.argsort(-cosines, kind="stable")[:NEAREST]
        place = self.rule(text, [(self.texts[number], float(cosines[number])) for number in near])
        return None if place is None else int(near[place])


class Shares(NamedTuple):
    """What came of the questions, 0 … 1."""

    right: float
    wrong: float
    of: int


def rewrites(pairs: Sequence[tuple[str, str]], rule: Rule, known: Vectors, asked: Callable[[str], bool]) -> Shares:
    """Rewrites against all stored originals; an equal text stored twice is the same answer."""
    store = Store(rule, known, len(pairs))
    for origin, _ in pairs:
        store.add(origin)
    right = wrong = of = 0
    for origin, similar in pairs:
        if asked(origin):
            of += 1
            served = store.ask(similar)
            right += served is not None and store.texts[served] == origin
            wrong += served is not None and store.texts[served] != origin
    return Shares(right / of, wrong / of, of)


def unseen(pairs: Sequence[tuple[str, str]], rule: Rule, known: Vectors) -> Shares:
    """Rewrites whose originals were never stored."""
    store = Store(rule, known, len(pairs))
    kept = {origin for origin, _ in pairs if cache_data.held_out(origin)}
    for origin in kept:
        store.add(origin)
    others = [similar for origin, similar in pairs if origin not in kept]
    return Shares(0.0, sum(store.ask(similar) is not None for similar in others) / len(others), len(others))


def pairwise(pairs: Sequence[cache_data.Pair], rule: Rule, known: Vectors, asked: Callable[[str], bool]) -> Shares:
    """Share of true paraphrases served (right) and of traps served (wrong)."""
    served = {True: 0, False: 0}
    of = {True: 0, False: 0}
    for one, other, same in pairs:
        if asked(one):
            of[same] += 1
            served[same] += rule(other, [(one, float(known[one] @ known[other]))]) is not None
    return Shares(served[True] / of[True], served[False] / of[False], of[True] + of[False])


def banking(
    rows: Sequence[tuple[str, str]], rule: Rule, known: Vectors, asked: Callable[[str], bool]
) -> tuple[float, float, int]:
    """A stream of questions: hit rate, wrong among hits (another intent), hits in all; over all seeds."""
    hits = wrong = of = 0
    for seed in SEEDS:
        order = [row for row in rows if asked(row[0])]
        random.Random(seed).shuffle(order)
        store = Store(rule, known, len(order))
        intents: list[str] = []
        for text, intent in order:
            of += 1
            served = store.ask(text)
            if served is None:
                store.add(text)
                intents.append(intent)
            else:
                hits += 1
                wrong += intents[served] != intent
    return hits / of, wrong / max(hits, 1), hits


def measure(data: cache_data.Data, known: Vectors, rule: Rule, asked: Callable[[str], bool]) -> dict[str, float]:
    """All figures of one rule."""
    found = rewrites(data.rewrites, rule, known, asked)
    paws, cannot = pairwise(data.paws, rule, known, asked), pairwise(data.cannot, rule, known, asked)
    rate, wrong, hits = banking(data.banking, rule, known, asked)
    return {
        "rewrites_right": found.right,
        "rewrites_wrong": found.wrong,
        "unseen_hits": unseen(data.rewrites, rule, known).wrong,
        "paws_traps_served": paws.wrong,
        "paws_paraphrases_served": paws.right,
        "cannot_opposites_served": cannot.wrong,
        "cannot_paraphrases_served": cannot.right,
        "banking_wrong_among_hits": wrong,
        "banking_hit_rate": rate,
        "banking_hits": hits,
    }


GOALS = {
    "rewrites_right": ">= 60 %",
    "rewrites_wrong": "<= 1 %",
    "paws_traps_served": "<= 5 %",
    "cannot_opposites_served": "<= 1 %",
    "banking_wrong_among_hits": "<= 1 %",
}


def speeds(data: cache_data.Data, known: Vectors) -> dict[str, float]:
    """Milliseconds: one judgement (texts read afresh), one embedding by length."""
    chance = random.Random(3)
    pairs = chance.sample(data.paws, 400) + [cache_data.Pair(a, b, True) for a, b in chance.sample(data.rewrites, 400)]
    taken = []
    for one, other, _ in pairs:
        cosine = float(known[one] @ known[other])
        begin = time.perf_counter()
        judge(one, other, cosine, THRESHOLD)
        taken.append((time.perf_counter() - begin) * 1000)
    figures = {"judge_ms_p50": statistics.median(taken), "judge_ms_p95": report.percentile(taken, 0.95)}
    words = " ".join(text for text, _ in data.banking[:80]).split()
    return figures | asyncio.run(_embedding_speeds(words))


async def _embedding_speeds(words: list[str]) -> dict[str, float]:
    """Median milliseconds of one call, by length."""
    embedder = bundled()
    await embedder.embed(["load the model"])
    figures = {}
    for count in (8, 16, 32, 64):
        taken = []
        for place in range(24):
            text = " ".join(words[place * 5 : place * 5 + count])
            begin = time.perf_counter()
            await embedder.embed([text])
            taken.append((time.perf_counter() - begin) * 1000)
        figures[f"embed_ms_p50_{count}_words"] = statistics.median(taken)
    await embedder.close()
    return figures


def main() -> None:
    """Measure, print, write."""
    parser = report.arguments("Right and wrong answers of the semantic cache")
    parser.add_argument("--data", type=Path, default=cache_data.FOLDER, help="folder with the public files")
    parser.add_argument("--vectors", type=Path, help="keep the vectors in this file (.npz) between runs")
    options = parser.parse_args()
    absent = cache_data.missing(options.data)
    if absent:
        print(f"skipped, the evaluation data is not here: {absent}")
        return
    data = cache_data.load(options.data)
    known = cache_data.vectors(data.texts(), options.vectors)
    everything = measure(data, known, ours, lambda _: True)
    held = measure(data, known, ours, cache_data.held_out)
    plain = measure(data, known, bare, lambda _: True)
    rows = [("", "bare 0.95 | ours | ours, held out", "")]
    for name, value in everything.items():
        shown = [_show(name, figures[name]) for figures in (plain, everything, held)]
        assert value >= 0
        rows.append((name.replace("_", " "), " | ".join(shown), GOALS.get(name, "")))
    timing = speeds(data, known)
    rows += [(name.replace("_", " "), f"{value:.2f}", "") for name, value in timing.items()]
    figures: dict[str, object] = {"ours": everything, "ours_held_out": held, "bare": plain, "milliseconds": timing}
    report.show("Semantic cache, threshold 0.95", rows, figures, options.json)


def _show(name: str, value: float) -> str:
    return f"{value:.0f}" if name == "banking_hits" else f"{value:6.1%}" if value >= 0.1 else f"{value:6.2%}"


if __name__ == "__main__":
    main()
