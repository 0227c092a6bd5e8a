"""Find the entry that fits a text, or say nothing."""

from __future__ import annotations

from typing import NamedTuple

from mrblue_cli.knowledge.captures import fields_of, fill, loose_values
from mrblue_cli.knowledge.compiled import Index
from mrblue_cli.knowledge.confidence import CONFIDENT, YIELDING, Manner, fit, trust
from mrblue_cli.knowledge.detect import detect_clean
from mrblue_cli.knowledge.error_types import ErrorType
from mrblue_cli.knowledge.evidence import Candidate, Said, candidates, said
from mrblue_cli.knowledge.focus import focus
from mrblue_cli.knowledge.lexicon import MARKS, PLAIN
from mrblue_cli.knowledge.model import Hit, Risk, SearchResult, Solution
from mrblue_cli.knowledge.normalize import clean, spoken_to_text
from mrblue_cli.knowledge.repair import repaired

_SHOWN = 0.03
_SURE = 0.93
_CAUSE = 0.5
_SHORT_WORDS = 60


class Ranked(NamedTuple):
    """A candidate with how well it fits (log odds) and the chance that it is right."""

    candidate: Candidate
    fit: float
    confidence: float


class Findings(NamedTuple):
    """All that a search found, before it becomes an answer."""

    ranked: list[Ranked]
    manner: Manner
    text: str
    kind: ErrorType | None


def search(index: Index, text: str, *, top: int = 3) -> SearchResult:
    """Rank the entries for a text; hits best first, `confident` only when the best can be trusted."""
    found = judge(index, text)
    hits = tuple(_hit(index, item, found.text) for item in found.ranked[:top] if item.confidence >= _SHOWN)
    confident = bool(hits) and hits[0].confidence >= CONFIDENT
    kind = found.kind
    category = hits[0].entry.category if confident else (kind.category if kind else None)
    return SearchResult(text, category, confident, hits, kind.name if kind else None)


def judge(index: Index, text: str) -> Findings:
    """Rank every candidate; typos are repaired only when the text as it stands is not understood."""
    cleaned = spoken_to_text(clean(text))
    kind = detect_clean(cleaned)
    name = kind.name if kind else None
    pieces = focus(cleaned, index.tables.weights)
    spoken = [said(index, piece, (place + 1) / len(pieces)) for place, piece in enumerate(pieces)]
    manner = _manner(cleaned, spoken, kind)
    ranked = _ranked(candidates(index, spoken, cleaned, name), manner, index)
    if spoken and (not ranked or ranked[0].confidence < _SURE) and sum(len(p.order) for p in spoken) <= _SHORT_WORDS:
        mended = [
            said(index, piece, old.late, repaired(index, old.order)) for piece, old in zip(pieces, spoken, strict=True)
        ]
        if any(len(new.quality) > len(old.quality) for new, old in zip(mended, spoken, strict=True)):
            again = _ranked(candidates(index, mended, cleaned, name), _manner(cleaned, mended, kind), index)
            if again and (not ranked or again[0].confidence > ranked[0].confidence):
                ranked = again
    return Findings(ranked, manner, cleaned, kind)


def _ranked(found: list[Candidate], manner: Manner, index: Index) -> list[Ranked]:
    wrappers = index.tables.wrappers
    # "Unhandled rejection", "unit failed", "exit code 1": where the cause stands beside it, the cause is asked for.
    causes = any(item.features.pattern >= _CAUSE and item.entry not in wrappers for item in found)
    scored = [(fit(item.features) - (YIELDING if causes and item.entry in wrappers else 0.0), item) for item in found]
    scored.sort(key=lambda pair: (-pair[0], index.name(pair[1].entry)))
    ranked = [
        Ranked(item, own, trust(own, _rival(scored, place), manner)) for place, (own, item) in enumerate(scored[:20])
    ]
    # The order is that of fit; far behind, the trust of a smaller fit may come out a hair above the one before it.
    for place in range(1, len(ranked)):
        least = min(ranked[place].confidence, ranked[place - 1].confidence)
        ranked[place] = ranked[place]._replace(confidence=least)
    return ranked


def _rival(scored: list[tuple[float, Candidate]], place: int) -> float:
    """The fit of the best other candidate."""
    other = 1 if place == 0 else 0
    return scored[other][0] if other < len(scored) else -8.0


def _manner(text: str, pieces: list[Said], kind: ErrorType | None) -> Manner:
    lowered = text[-20_000:].lower()
    error = 0.5 * (kind is not None) + 0.25 * min(2, sum(mark in lowered for mark in MARKS))
    words = [word for piece in pieces for word in piece.order]
    known = {word for piece in pieces for word in piece.quality if word not in PLAIN}
    ordinary = sum(word not in known for word in words)
    return Manner(error, ordinary / len(words) if words else 1.0)


def _hit(index: Index, item: Ranked, text: str) -> Hit:
    entry = index.entry(item.candidate.entry)
    wanted = {name for solution in entry.solutions for step in solution.steps for name in fields_of(step)}
    captures = item.candidate.captures
    values = {**loose_values(text[-20_000:], wanted - set(captures)), **captures}
    solutions = tuple(_filled(solution, values) for solution in _safe_first(entry.solutions))
    return Hit(entry, round(item.confidence, 4), tuple(item.candidate.matched), values, solutions)


def _safe_first(solutions: tuple[Solution, ...]) -> tuple[Solution, ...]:
    """Destructive ways out are never first, whatever an entry says."""
    return tuple(sorted(solutions, key=lambda solution: solution.risk is Risk.DESTRUCTIVE))


def _filled(solution: Solution, values: dict[str, str]) -> Solution:
    return solution._replace(steps=tuple(fill(step, values) for step in solution.steps))
