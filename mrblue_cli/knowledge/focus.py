"""Which lines of a long text are about what went wrong."""

from __future__ import annotations

import re

from mrblue_cli.knowledge.lexicon import FRAME, MARKS, PLAIN
from mrblue_cli.knowledge.normalize import raw_words

WHOLE_WORDS = 45
"""Texts of at most this many words are one piece."""
_LINES = 10
_FEW_LINES = 8
_MAX_LINE = 1_500
_NO_DIGITS = str.maketrans("", "", "0123456789")
_MARK = re.compile("|".join(re.escape(mark) for mark in MARKS))


def focus(text: str, weights: dict[str, float]) -> list[str]:
    """The pieces to judge by their words, in the order of the text: a short one's lines and itself, else what tells."""
    if len(text) < 3_000 and len(raw_words(text.lower())) <= WHOLE_WORDS:
        lines = [line for line in text.splitlines() if line.strip() and not FRAME.match(line)]
        return [*lines, text] if 2 <= len(lines) <= _FEW_LINES else [text]
    ranked: dict[str, tuple[float, int, str]] = {}
    lines = text.splitlines()
    for number, line in enumerate(lines):
        if len(line) < 4:
            continue
        lowered = line[:_MAX_LINE].lower()
        shape = lowered.translate(_NO_DIGITS)
        if shape in ranked:
            continue
        ranked[shape] = (_telling(line, lowered, weights) + 1.5 * number / len(lines), number, line[:_MAX_LINE])
    best = sorted(ranked.values(), reverse=True)[:_LINES]
    return [line for _, _, line in sorted(best, key=lambda item: item[1])]


def _telling(line: str, lowered: str, weights: dict[str, float]) -> float:
    marks = len(set(_MARK.findall(lowered)))
    known = sum(weights.get(word, 0.0) for word in set(raw_words(lowered)) if word not in PLAIN)
    score = 4.0 * min(marks, 3) + min(known, 20.0)
    return score * 0.3 if FRAME.match(line) else score
