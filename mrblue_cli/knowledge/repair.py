"""What fingers and recognisers do to words, undone: typos, words run together, identifiers cut apart."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import NamedTuple

from mrblue_cli.knowledge.compiled import Index
from mrblue_cli.knowledge.lexicon import HEARD_AS

_SURE = 0.95
_HEARD = 0.9
_CUTOFF = 80.0
_MOST_WORDS = 40
_LINKS = frozenset(("in", "is", "no", "on", "to", "of"))


class Repairs(NamedTuple):
    """What words were meant to be."""

    quality: dict[str, float]
    """Known terms that were meant, each with how sure we are (0..1)."""
    meant: dict[str, tuple[str, ...]]
    """A word of the query to the known ones in its place."""


def repaired(index: Index, asked: list[str]) -> Repairs:
    """Known terms that unknown words of the query were meant to be."""
    from rapidfuzz import fuzz, process  # loaded only when a text is not understood as it stands

    weights = index.tables.weights
    found: dict[str, float] = {}
    meant: dict[str, tuple[str, ...]] = {}
    for first, second in pairwise(asked):
        joined = first + second
        if len(joined) >= 5 and joined in weights and (first not in weights or second not in weights):
            found[joined] = _SURE
            meant[first] = (joined,)
    for word in asked:
        if word in HEARD_AS and HEARD_AS[word] in weights:
            found[HEARD_AS[word]] = _HEARD
            meant[word] = (HEARD_AS[word],)
    unknown = [word for word in dict.fromkeys(asked) if word not in weights and not word.isdigit()]
    for word in unknown[:_MOST_WORDS]:
        parts = split_run(weights, word)
        for part in parts:
            found[part] = _SURE
        if not parts and len(word) >= 4:
            choices = index.buckets.get(word[0], []) + (index.buckets.get(word[1], []) if len(word) > 5 else [])
            near = process.extractOne(word, _alike(choices, len(word)), scorer=fuzz.ratio, score_cutoff=_CUTOFF)
            if near is not None:
                parts = (near[0],)
                found[near[0]] = max(found.get(near[0], 0.0), near[1] / 100.0 - 0.08)
        if parts:
            meant.setdefault(word, parts)
    return Repairs(found, meant)


def _alike(words: Iterable[str], length: int) -> list[str]:
    return [word for word in words if abs(len(word) - length) <= 3]


def split_run(weights: dict[str, float], word: str) -> tuple[str, ...]:
    """Cut run-together words ("nosuchfile") into known ones, the fewest; nothing when it cannot be done."""
    if len(word) < 7 or not word.isalpha():
        return ()
    best: list[tuple[str, ...] | None] = [()] + [None] * len(word)
    for end in range(1, len(word) + 1):
        for start in range(max(0, end - 14), end - 1):
            piece, before = word[start:end], best[start]
            usable = piece in weights and (len(piece) >= 4 or piece in _LINKS or (len(piece) == 3 and start > 0))
            if before is not None and usable:
                candidate = (*before, piece)
                current = best[end]
                if current is None or len(candidate) < len(current):
                    best[end] = candidate
    pieces = best[len(word)]
    return pieces if pieces is not None and len(pieces) <= 5 else ()
