"""What speaks for an entry: symptoms that fit as patterns, and words that the text shares with its phrases."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from mrblue_cli.knowledge.captures import FIELD, is_valid
from mrblue_cli.knowledge.compiled import Index
from mrblue_cli.knowledge.lexicon import PLAIN
from mrblue_cli.knowledge.normalize import raw_words, terms
from mrblue_cli.knowledge.repair import Repairs

_CANDIDATES = 12
_MOST_CANDIDATES = 40
_LEAST_SHARE = 0.3
_LEAST_COVER = 0.2
_WELL_COVERED = 0.6
_RIVALS = 10
_UNKNOWN_WEIGHT = 2.5
_LINE = 2_000
_MANY_HOLDERS = 0.25
_SCALE = 8.0
"""The weight of words at which evidence is two thirds complete."""


class Features(NamedTuple):
    """What is known about one candidate, each 0..1; `confidence` weighs them."""

    pattern: float = 0.0
    """The weight of the best symptom that fits, saturating."""
    patterns: float = 0.0
    """The same, of all its symptoms that fit together."""
    cover: float = 0.0
    """Share of its best phrase's weight that is in the text."""
    order: float = 0.0
    """Share of that phrase's neighbours that are neighbours in the text."""
    explained: float = 0.0
    """Share of the text's (its line's) weight that the phrase explains."""
    strength: float = 0.0
    """How telling the shared words are, saturating."""
    overall: float = 0.0
    """Share of the text's weight that all words of the entry explain."""
    affinity: float = 0.0
    """How much the text's words belong to its category."""
    alone: float = 0.0
    """How telling the words are that it explains and its rivals do not, saturating."""
    kin: float = 0.0
    """1 when the text's error type is one of the entry's."""
    late: float = 0.0
    """How far down the evidence stands: causes come at the end."""


class Candidate:
    """An entry with what speaks for it."""

    __slots__ = ("captures", "entry", "explains", "features", "matched")

    def __init__(self, entry: int, features: Features | None = None) -> None:
        self.entry = entry
        self.features = features or Features()
        self.matched: dict[str, None] = {}
        """Symptoms and phrases that fitted, the patterns first."""
        self.captures: dict[str, str] = {}
        self.explains: set[str] = set()
        """Words of the text that its fitting symptoms and well covered phrases hold."""


class Said(NamedTuple):
    """A piece of the text as words."""

    order: list[str]
    quality: dict[str, float]
    """Known terms and how sure we are of each; repaired words count less."""
    weight: float
    """What all its words weigh."""
    late: float
    following: dict[str, set[str]]
    """Each word to the words that come right after it, or after one in between."""


def said(index: Index, piece: str, late: float, repairs: Repairs | None = None) -> Said:
    """A piece's known words with their qualities."""
    order = terms(piece)
    weights = index.tables.weights
    distinct = dict.fromkeys(order)
    quality = {word: 1.0 for word in distinct if word in weights}
    if repairs is not None:
        for word, sure in repairs.quality.items():
            quality.setdefault(word, sure)
        order = [part for word in order for part in repairs.meant.get(word, (word,))]
        distinct = dict.fromkeys(order)
    weight = sum(
        weights.get(word, 0.3 if word.isdigit() else _UNKNOWN_WEIGHT) for word in distinct if word not in PLAIN
    )
    return Said(order, quality, weight, late, _following(order))


class Fitting(NamedTuple):
    """A symptom that fits."""

    entry: int
    symptom: str
    weight: float
    """What its own words weigh."""
    late: float
    """How far down it stands, 0..1."""
    whole: float
    """Share of its line (or lines) that it accounts for, captured values included, 0..1."""
    captures: dict[str, str]


def by_pattern(index: Index, text: str) -> Iterator[Fitting]:
    """The symptoms that fit as patterns."""
    lowered = text.lower()
    present = set(raw_words(lowered))
    places = [place for word in present for place in index.tables.first_words.get(word, ())]
    places += index.tables.first_words.get("", ())
    for place in sorted(places):
        entry, symptom, needs, weight = index.pattern(place)
        if not all(word in present for word in needs):
            continue
        found = _last_match(index, symptom, needs, text, lowered)
        if found is not None:
            start, end, groups = found
            first = text.rfind("\n", 0, start) + 1
            last = text.find("\n", end)
            line = len(text[first : len(text) if last < 0 else last].strip())
            captures = {name: value.strip() for name, value in groups.items() if is_valid(name, value.strip())}
            yield Fitting(
                entry, symptom, weight, start / max(1, len(text)), min(1.0, (end - start) / max(1, line)), captures
            )


def _last_match(
    index: Index, symptom: str, needs: tuple[str, ...], text: str, lowered: str
) -> tuple[int, int, dict[str, str]] | None:
    """The last place where a symptom fits, looked for around its rarest word: causes stand at the end of logs."""
    regex = index.regex(symptom)
    if len(text) <= _LINE or not needs:
        match = None
        for match in regex.finditer(text[: 10 * _LINE]):  # noqa: B007 - the last one is wanted
            pass
        return (match.start(), match.end(), match.groupdict("")) if match else None
    end = len(lowered)
    for _ in range(50):
        place = lowered.rfind(needs[0], 0, end)
        if place < 0:
            return None
        begin = max(0, place - _LINE // 2)
        match = regex.search(text[begin : place + _LINE])
        if match is not None:
            return begin + match.start(), begin + match.end(), match.groupdict("")
        end = place
    return None


def candidates(index: Index, pieces: Sequence[Said], text: str, kind: str | None) -> list[Candidate]:
    """Every entry worth judging, with its features. `kind` is the text's error type."""
    found: dict[int, Candidate] = {}
    fitting: defaultdict[int, list[Fitting]] = defaultdict(list)
    for fits in by_pattern(index, text):
        candidate = found.setdefault(fits.entry, Candidate(fits.entry))
        candidate.matched[fits.symptom] = None
        candidate.explains.update(terms(FIELD.sub(" ", fits.symptom)))
        fitting[fits.entry].append(fits)
    for entry, rows in fitting.items():
        rows.sort(key=lambda row: (row.weight, row.late))
        for row in rows:
            # Values of the heaviest symptom win.
            found[entry].captures.update(row.captures)
        heaviest = rows[-1]
        both = heaviest.weight + 0.4 * sum(row.weight for row in rows[:-1])
        found[entry].features = Features(
            pattern=_saturate(heaviest.weight),
            patterns=_saturate(both),
            explained=max(row.whole for row in rows),
            late=heaviest.late,
        )
    affinity = _affinities(index, pieces)
    for piece in pieces:
        _judge_piece(index, piece, found)
    _set_apart(index, list(found.values()))
    for candidate in found.values():
        share = affinity.get(index.category(candidate.entry), 0.0)
        kin = float(kind in index.tables.types[candidate.entry])
        candidate.features = candidate.features._replace(affinity=share, kin=kin)
    return list(found.values())


def _judge_piece(index: Index, piece: Said, found: dict[int, Candidate]) -> None:
    weights, limit = index.tables.weights, _MANY_HOLDERS * index.size
    sums: defaultdict[int, float] = defaultdict(float)
    for common in (False, True):
        for word, sure in piece.quality.items():
            holders = index.holders(word)
            if (len(holders) > max(limit, 12)) is common:
                weight = sure * weights[word]
                for number in holders if not common else [n for n in holders if n in sums]:
                    sums[number] += weight
    least = _LEAST_SHARE * max(sums.values(), default=0.0)
    worth = [number for number, weight in sums.items() if weight >= least]
    best = sorted(worth, key=lambda number: (-sums[number], number))[:_MOST_CANDIDATES]
    # Many entries may share the few telling words of a short text: which one says just that is seen phrase by phrase.
    near = 0.95 * sums[best[0]] if best else 0.0
    best = [number for place, number in enumerate(best) if place < _CANDIDATES or sums[number] >= near]
    for number in dict.fromkeys((*best, *(entry for entry in found if entry in sums))):
        lexical, source, explains = _best_phrase(index, number, piece, sums[number])
        if source is None:
            continue
        old = found.get(number)
        if old is None:
            old = found[number] = Candidate(number, lexical)
            old.matched[source] = None
            old.explains = explains
        else:
            old.explains |= explains
            if not old.features.pattern:
                old.matched.setdefault(source)
            old.features = _merged(old.features, lexical)


def _merged(old: Features, new: Features) -> Features:
    better = new if _lexical(new) > _lexical(old) else old
    return better._replace(
        pattern=old.pattern,
        patterns=old.patterns,
        explained=max(old.explained if old.pattern else 0.0, better.explained),
        overall=max(old.overall, new.overall),
        late=old.late if old.pattern else better.late,
    )


def _lexical(features: Features) -> float:
    return (features.cover + features.order + 0.5 * features.explained) * features.strength


def _best_phrase(index: Index, number: int, piece: Said, total: float) -> tuple[Features, str | None, set[str]]:
    """The features of an entry's best phrase, its text, and the words that all well covered phrases share."""
    weights = index.tables.weights
    quality = piece.quality
    best, source = Features(), None
    explains: set[str] = set()
    overall = min(1.0, total / max(piece.weight, 0.1))
    for words, weight, text, example in index.phrases(number):
        if total < _LEAST_COVER * weight:
            continue
        shared = [word for word in words if word in quality]
        if len(shared) < 2 and len(words) > 1:
            continue
        telling = sum(quality[word] * weights[word] for word in shared if word not in PLAIN)
        if not telling:
            continue
        held = sum(quality[word] * weights[word] for word in shared)
        cover = min(1.0, held / weight) * (0.9 if example else 1.0)
        if cover >= _WELL_COVERED:
            explains.update(shared)
        if cover < _LEAST_COVER or (cover + 1.5) * _saturate(telling) < _lexical(best):
            continue
        features = Features(
            cover=cover,
            order=_order(words, piece.following),
            explained=min(1.0, telling / max(piece.weight, 0.1)),
            strength=_saturate(telling),
            overall=overall,
            late=piece.late,
        )
        if source is None or _lexical(features) > _lexical(best):
            best, source = features, text
    return best, source, explains


def _set_apart(index: Index, found: list[Candidate]) -> None:
    """Weigh what each candidate explains by how few of its rivals explain it too.

    Sister entries share the frame of a message ("blocked by CORS policy", "error: failed to push"); which one is meant
    stands in the words that they do not share.
    """
    weights = index.tables.weights
    ranked = sorted(found, key=lambda item: -(item.features.patterns + _lexical(item.features)))[:_RIVALS]
    holders: defaultdict[str, int] = defaultdict(int)
    for candidate in ranked:
        for word in candidate.explains:
            holders[word] += 1
    for candidate in ranked:
        own = sum(
            weights.get(word, 0.0) * (1.0 - (holders[word] - 1) / len(ranked))
            for word in candidate.explains
            if word not in PLAIN
        )
        candidate.features = candidate.features._replace(alone=_saturate(own))


def _following(order: list[str]) -> dict[str, set[str]]:
    found: defaultdict[str, set[str]] = defaultdict(set)
    for gap in (1, 2):
        for first, second in zip(order, order[gap:], strict=False):
            found[first].add(second)
    return found


def _order(words: tuple[str, ...], following: Mapping[str, set[str]]) -> float:
    if len(words) < 2:
        return 1.0 if words and words[0] in following else 0.5
    return sum(second in following.get(first, ()) for first, second in pairwise(words)) / (len(words) - 1)


def _affinities(index: Index, pieces: Sequence[Said]) -> dict[str, float]:
    """How the telling words of the text spread over the categories; the largest is 1."""
    sums: defaultdict[str, float] = defaultdict(float)
    limit = max(4.0, 0.1 * index.size)
    for word in {word for piece in pieces for word in piece.quality}:
        holders = index.holders(word)
        if not holders or len(holders) > limit:
            continue
        share = index.tables.weights[word] / len(holders)
        for number in holders:
            sums[index.category(number)] += share
    top = max(sums.values(), default=1.0)
    return {category: value / top for category, value in sums.items()}


def _saturate(weight: float) -> float:
    return 1.0 - math.exp(-weight / _SCALE)
