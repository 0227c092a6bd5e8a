"""Find the entry that fits a text, or say nothing.

Exact symptom patterns first; then lexical evidence: how much of a known phrase's weight (rare words weigh more) is in
the text, allowing for what recognisers and fingers do to words. One confidence comes out of both.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass, replace
from itertools import pairwise

from rapidfuzz import fuzz, process

from mrblue_cli.knowledge.captures import fields_of, fill, is_valid, loose_values
from mrblue_cli.knowledge.detect import detect
from mrblue_cli.knowledge.index import GENERIC, PLAIN, Index, Phrase
from mrblue_cli.knowledge.model import Entry, Hit, Risk, SearchResult, Solution
from mrblue_cli.knowledge.normalize import clean, spoken_to_text, words

CONFIDENT = 0.55
"""Below this we would rather say nothing than mislead."""
_SHOWN = 0.2
_FUZZY_MIN = 82.0
_MAX_QUERY_WORDS = 400
_SHORT_QUERY_WORDS = 16


@dataclass(frozen=True, slots=True)
class _Evidence:
    score: float
    matched: tuple[str, ...]
    captures: dict[str, str]


def search(index: Index, text: str, *, top: int = 3) -> SearchResult:
    """Rank the entries for a text; hits best first, `confident` only when the best stands out."""
    cleaned = spoken_to_text(clean(text))
    found: dict[int, _Evidence] = {}
    for number, evidence in (*_by_pattern(index, cleaned), *_by_words(index, cleaned)):
        old = found.get(number)
        if old is None or evidence.score > old.score:
            found[number] = _Evidence(
                evidence.score, evidence.matched, {**(old.captures if old else {}), **evidence.captures}
            )
        elif evidence.captures:
            found[number] = replace(old, captures={**evidence.captures, **old.captures})
    ranked = sorted(found.items(), key=lambda item: (-item[1].score, index.entries[item[0]].id))[: max(top, 2)]
    hits = tuple(
        _hit(index.entries[number], evidence, cleaned) for number, evidence in ranked if evidence.score >= _SHOWN
    )
    confident = bool(hits) and hits[0].confidence >= CONFIDENT
    kind = detect(text)
    category = hits[0].entry.category if confident else (kind.category if kind else None)
    return SearchResult(text, category, confident, hits[:top], kind.name if kind else None)


def _by_pattern(index: Index, text: str) -> list[tuple[int, _Evidence]]:
    lowered = text.lower()
    found = []
    for pattern in index.patterns:
        if pattern.anchor and pattern.anchor not in lowered:
            continue
        match = None
        for match in pattern.regex.finditer(text):  # noqa: B007 - the last one: causes stand at the end of logs
            pass
        if match is None:
            continue
        captures = {name: value.strip() for name, value in match.groupdict().items() if is_valid(name, value.strip())}
        # A longer literal is harder to meet by chance.
        score = 0.99 - 0.35 * math.exp(-pattern.literal / 9.0)
        if pattern.literal < 5:
            score = 0.3
        found.append((pattern.entry, _Evidence(score, (pattern.source,), captures)))
    return found


def _by_words(index: Index, text: str) -> list[tuple[int, _Evidence]]:
    asked = words(text)[-_MAX_QUERY_WORDS:]
    known, heard = _known_words(index, asked)
    bias = 0.04 if detect(text) is not None else -0.08
    content = {word: quality for word, quality in known.items() if word not in PLAIN}
    if not content:
        return []
    query_weight = sum(index.weights.get(word, 1.5) for word in set(asked) if word not in PLAIN and not word.isdigit())
    touched: defaultdict[int, float] = defaultdict(float)
    for word, quality in content.items():
        for position in index.postings.get(word, ()):
            touched[position] += quality * index.weights[word]
    best: dict[int, _Evidence] = {}
    for position, weight in touched.items():
        phrase = index.phrases[position]
        if weight < 0.4 * phrase.weight:
            continue
        evidence = _judge(index, phrase, known, heard, query_weight, bias)
        if evidence is not None and (phrase.entry not in best or evidence.score > best[phrase.entry].score):
            best[phrase.entry] = evidence
    return list(best.items())


def _judge(
    index: Index, phrase: Phrase, known: dict[str, float], asked: list[str], query_weight: float, bias: float
) -> _Evidence | None:
    """Score one phrase: its coverage, the share of the query it explains, and whether the words stand in order.

    `bias` speaks for texts in which an error type was recognised and against those without any.
    """
    shared = [word for word in dict.fromkeys(phrase.words) if word in known]
    telling = [word for word in shared if word not in PLAIN and word not in GENERIC and not word.isdigit()]
    strength = sum(known[word] * index.weights[word] for word in telling)
    if strength < 2.2 or (len(shared) < 2 and len(phrase.words) > 1):
        return None
    covered = sum(known[word] * index.weights[word] for word in shared) / phrase.weight
    explained = sum(known[word] * index.weights[word] for word in shared if word not in PLAIN) / max(query_weight, 0.1)
    # A short text that is about the error explains itself by it; a long log never does.
    talk = 0.28 if len(asked) <= _SHORT_QUERY_WORDS else 0.10
    raw = (0.78 - talk) * min(1.0, covered) + talk * min(1.0, explained) + 0.22 * _order(phrase.words, asked)
    raw += bias
    score = 1.0 / (1.0 + math.exp(-(raw - 0.70) * 14.0))
    # Few telling words leave room for chance, however well they fit.
    score *= min(1.0, 0.55 + strength / 9.0)
    return _Evidence(min(0.97, score), (phrase.source,), {})


def _order(phrase: tuple[str, ...], asked: list[str]) -> float:
    """Share of the phrase's neighbours that are neighbours in the query too (half for one word between them)."""
    if len(phrase) < 2:
        return 1.0
    places: defaultdict[str, list[int]] = defaultdict(list)
    for position, word in enumerate(asked):
        places[word].append(position)
    found = 0.0
    for first, second in pairwise(phrase):
        gaps = [
            after - before for before in places.get(first, ()) for after in places.get(second, ()) if after > before
        ]
        nearest = min(gaps, default=99)
        found += 1.0 if nearest == 1 else 0.5 if nearest == 2 else 0.0
    return found / (len(phrase) - 1)


def _known_words(index: Index, asked: list[str]) -> tuple[dict[str, float], list[str]]:
    """Words of the query that the index knows, with how sure we are of each, and the query so corrected."""
    known: dict[str, float] = {}
    meant: dict[str, tuple[str, ...]] = {}
    for word in dict.fromkeys(asked):
        if word in index.weights:
            known[word] = 1.0
            continue
        parts = _split_run(index, word)
        for part in parts:
            known.setdefault(part, 0.95)
        if not parts and len(word) >= 4 and not word.isdigit():
            near = process.extractOne(word, index.vocabulary, scorer=fuzz.ratio, score_cutoff=_FUZZY_MIN)
            if near is not None:
                known[near[0]] = max(known.get(near[0], 0.0), near[1] / 100.0 - 0.08)
                parts = (near[0],)
        meant[word] = parts or (word,)
    heard = [part for word in asked for part in meant.get(word, (word,))]
    # A recogniser cuts identifiers apart: "e address in use", "econn refused".
    for first, second in pairwise(asked):
        joined = first + second
        if len(joined) >= 5 and joined in index.weights and joined not in known:
            known[joined] = 0.95
    return known, heard


def _split_run(index: Index, word: str) -> tuple[str, ...]:
    """Cut run-together words ("modulenotfounderror") into known ones, or return nothing."""
    if len(word) < 7 or not word.isalpha():
        return ()
    best: list[tuple[str, ...] | None] = [()] + [None] * len(word)
    for end in range(1, len(word) + 1):
        for start in range(max(0, end - 14), end - 1):
            piece, before = word[start:end], best[start]
            usable = piece in index.weights and (len(piece) >= 3 or piece in {"in", "is", "no", "on", "to", "of"})
            if before is not None and usable:
                candidate = (*before, piece)
                current = best[end]
                if current is None or len(candidate) < len(current):
                    best[end] = candidate
    pieces = best[len(word)]
    return pieces if pieces is not None and len(pieces) <= 5 else ()


def _hit(entry: Entry, evidence: _Evidence, text: str) -> Hit:
    wanted = {name for solution in entry.solutions for step in solution.steps for name in fields_of(step)}
    values = {**loose_values(text, wanted - set(evidence.captures)), **evidence.captures}
    solutions = tuple(_filled(solution, values) for solution in _safe_first(entry.solutions))
    return Hit(entry, round(evidence.score, 4), evidence.matched, values, solutions)


def _safe_first(solutions: tuple[Solution, ...]) -> tuple[Solution, ...]:
    """Destructive ways out are never first, whatever an entry says."""
    return tuple(sorted(solutions, key=lambda solution: solution.risk is Risk.DESTRUCTIVE))


def _filled(solution: Solution, values: dict[str, str]) -> Solution:
    return replace(solution, steps=tuple(fill(step, values) for step in solution.steps))
