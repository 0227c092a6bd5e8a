"""Fit ranking and confidence of the search: `python -m bench.ask_calibrate [--write]`.

Learns from the entries' own examples, each kept out of the index while it is asked, whole and damaged in the ways
people and recognisers damage texts; from the same texts with the right entry taken away (what is asked is not in the
base); and from ordinary talk made here. It never reads the evaluation set in tests/data/ask; `bench.ask_quality`
measures on that.
"""

from __future__ import annotations

import argparse
import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from bench.talk_texts import borrowing_texts, ordinary_texts
from mrblue_cli.knowledge import confidence
from mrblue_cli.knowledge.compiled import Index, build
from mrblue_cli.knowledge.confidence import Manner
from mrblue_cli.knowledge.lexicon import PLAIN
from mrblue_cli.knowledge.loader import load_folder
from mrblue_cli.knowledge.places import bundled_folder
from mrblue_cli.knowledge.retrieval import judge

TARGET = Path(confidence.__file__).with_name("calibration.py")
_WHITE = re.compile(r"\s+")
_LOG = [
    "2026-03-04T10:00:01.123Z INFO  server started", "[10:00:02] GET /health 200 3ms", "> build", "> tsc && vite build",
    "Collecting requests", "added 312 packages in 9s", "DEBUG worker 3 idle", "Step 4/9 : RUN make", "ok  pkg/api 0.3s",
    "12:00:01 I/Choreographer(1378): Skipped 30 frames", "Compiling app v0.1.0", "info  - Linting and checking types",
]  # fmt: skip


class Asked(NamedTuple):
    """One question with its right entry, None when there is none."""

    text: str
    right: str | None
    weight: float


def damaged(text: str, chance: random.Random) -> Iterator[str]:
    """The ways in which a text arrives."""
    yield text
    lines = [line for line in text.splitlines() if line.strip()]
    words = text.split()
    if len(lines) > 1:
        yield chance.choice(lines)
    yield _WHITE.sub(" ", re.sub(r"[^A-Za-z0-9' ]+", " ", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text))).lower().strip()
    if len(words) > 5:
        half = len(words) // 2 + 1
        yield " ".join(words[:half] if chance.random() < 0.5 else words[-half:]).lower()
    yield typed(text, chance)
    yield heard(text, chance)
    yield "\n".join([*chance.sample(_LOG, 4), *lines, *chance.sample(_LOG, 2)])


_HEARD = {
    "daemon": "damon", "npm": "mpm", "cors": "course", "eacces": "e access", "nginx": "engine x", "sudo": "sue do",
    "json": "jason", "async": "a sink", "kubectl": "cube control", "redis": "read is", "postgres": "post gress",
    "pip": "pep", "sql": "sequel", "py": "pie", "econnrefused": "econn refused", "enoent": "eno ent", "git": "get",
    "eaddrinuse": "e address in use", "host": "hosts", "permission": "permissions", "denied": "tonight",
    "tls": "tea ls", "found": "fond", "module": "modules", "cannot": "can not", "can't": "can not",
    "undefined": "on defined",
}  # fmt: skip


def heard(text: str, chance: random.Random) -> str:
    """What a recogniser may make of the last line when a person reads it out: no marks, some words misheard."""
    line = [line for line in text.splitlines() if line.strip()][-1]
    spoken = re.sub(r"[^A-Za-z0-9' ]+", " ", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", line)).lower().split()[:16]
    known = [place for place, word in enumerate(spoken) if word in _HEARD]
    for place in known[: 1 + chance.randrange(2)]:
        spoken[place] = _HEARD[spoken[place]]
    if not known and len(spoken) > 2:
        del spoken[chance.randrange(len(spoken))]
    return " ".join(spoken)


def typed(text: str, chance: random.Random) -> str:
    """Two slips of the fingers."""
    letters = list(text)
    for _ in range(2):
        place = chance.randrange(max(1, len(letters) - 1))
        if len(letters) > 1 and letters[place].isalpha():
            if chance.random() < 0.5:
                del letters[place]
            else:
                letters[place - 1 : place + 1] = reversed(letters[place - 1 : place + 1])
    return "".join(letters)


def halves() -> list[tuple[Index, list[Asked]]]:
    """Two indexes, each without the half of the examples that it is asked."""
    entries = load_folder(bundled_folder()).entries
    chance = random.Random(7)
    made = []
    for side in (0, 1):
        known = [entry._replace(matches=entry.matches[1 - side :: 2]) for entry in entries]
        asked = [
            Asked(text, entry.id, 1.0)
            for entry in entries
            for example in entry.matches[side::2]
            for text in damaged(example, chance)
        ]
        made.append((build(known), asked))
    return made


def gather(seed: int = 3) -> tuple[list[np.ndarray], list[int], list[Manner], list[float]]:
    """For each question: the candidates' features, which is right (-1: none), its manner, its weight."""
    chance = random.Random(seed)
    features: list[np.ndarray] = []
    rights: list[int] = []
    manners: list[Manner] = []
    weights: list[float] = []

    def keep(rows: list[tuple[float, ...]], right: int, manner: Manner, weight: float) -> None:
        features.append(np.array(rows))
        rights.append(right)
        manners.append(manner)
        weights.append(weight)

    for index, asked in halves():
        for question in asked:
            found = judge(index, question.text)
            ids = [index.name(item.candidate.entry) for item in found.ranked]
            rows = [tuple(item.candidate.features) for item in found.ranked]
            if question.right in ids:
                keep(rows, ids.index(question.right), found.manner, question.weight)
            if chance.random() < 0.5:
                left = [row for row, name in zip(rows, ids, strict=True) if name != question.right]
                if left:
                    keep(left, -1, found.manner, 0.5)
        for text in (*ordinary_texts(), *borrowing_texts(borrowed(index, chance))):
            found = judge(index, text)
            if found.ranked:
                keep([tuple(item.candidate.features) for item in found.ranked], -1, found.manner, 2.0)
    return features, rights, manners, weights


def borrowed(index: Index, chance: random.Random) -> Iterator[tuple[str, str]]:
    """Pairs of telling words of one phrase."""
    for number in range(index.size):
        words = [
            word
            for word in chance.choice(index.phrases(number)).words
            if word.isalpha() and len(word) > 3 and word not in PLAIN
        ]
        if len(words) >= 2:
            first, second = chance.sample(words, 2)
            yield first, second


def fit_ranking(features: list[np.ndarray], rights: list[int], weights: list[float]) -> np.ndarray:
    """Weights that put the right candidate first: a softmax over each question's candidates, by gradient."""
    width = features[0].shape[1]
    found = np.array(confidence.RANK[1:])
    kept = [(rows, right, weight) for rows, right, weight in zip(features, rights, weights, strict=True) if right >= 0]
    step, moment = 0.5, np.zeros(width)
    for _ in range(150):
        gradient = np.zeros(width)
        for rows, right, weight in kept:
            scores = rows @ found
            chances = np.exp(scores - scores.max())
            chances /= chances.sum()
            gradient += weight * (rows[right] - chances @ rows)
        moment = 0.9 * moment + gradient / len(kept) - 0.002 * found / 10
        found = np.maximum(found + step * moment, 0.0)
    return found


def fit_logistic(inputs: np.ndarray, labels: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Newton's method with a little ridge; the first column is the constant."""
    rows = np.hstack([np.ones((len(inputs), 1)), inputs])
    found = np.zeros(rows.shape[1])
    for _ in range(40):
        chances = 1 / (1 + np.exp(-np.clip(rows @ found, -30, 30)))
        slope = rows.T @ (weights * (labels - chances)) - 0.5 * found
        curve = (rows * (weights * chances * (1 - chances))[:, None]).T @ rows + 0.5 * np.eye(rows.shape[1])
        found = found + np.linalg.solve(curve, slope)
    return found


def main() -> None:
    """Gather, fit, print; with --write keep it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help=f"write {TARGET.name}")
    options = parser.parse_args()
    features, rights, manners, weights = gather()
    ranking = fit_ranking(features, rights, weights)
    inputs, labels, kept = [], [], []
    for rows, right, manner, weight in zip(features, rights, manners, weights, strict=True):
        scores = rows @ ranking - 6.0
        best = int(scores.argmax())
        rival = max((score for place, score in enumerate(scores) if place != best), default=-8.0)
        inputs.append(confidence.inputs(float(scores[best]), float(rival), manner))
        labels.append(float(best == right))
        kept.append(weight)
    trust = fit_logistic(np.array(inputs), np.array(labels), np.array(kept))
    first = [float(row) for row, right in zip(labels, rights, strict=True) if right >= 0]
    print(f"{len(labels)} questions, {len(first)} with an answer, right first {np.mean(first):.1%}")
    lines = (
        '"""Fitted by `python -m bench.ask_calibrate --write`, not by hand. What they mean: `confidence`."""\n\n'
        "from __future__ import annotations\n\n"
        f"RANK = ({', '.join(f'{value:.3f}' for value in (-6.0, *ranking))})\n"
        f"TRUST = ({', '.join(f'{value:.3f}' for value in trust)})\n"
    )
    print(lines)
    if options.write:
        TARGET.write_text(lines, encoding="utf-8")


if __name__ == "__main__":
    main()
