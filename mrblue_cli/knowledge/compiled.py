"""Entries compiled for search: words with their weights, phrases, symptom patterns.

Built once per set of entries; searching never changes it.
"""

from __future__ import annotations

import marshal
import math
import re
from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import Any, NamedTuple, overload

from mrblue_cli.knowledge.captures import FIELD, compile_pattern
from mrblue_cli.knowledge.detect import types_in
from mrblue_cli.knowledge.lexicon import FRAME, GENERIC, PLAIN
from mrblue_cli.knowledge.model import Entry, Risk, Solution
from mrblue_cli.knowledge.normalize import raw_words, spoken_to_text, terms

_PLAIN_WEIGHT = 0.12
_GENERIC_SHARE = 0.4
_NUMBER_SHARE = 0.5
_EXAMPLE_LINE_TERMS = 40
_SHARED_BY_MOST = 2


class Phrase(NamedTuple):
    """One way in which an entry's error is put."""

    words: tuple[str, ...]
    """Its terms in order, no repetitions."""
    weight: float
    """Sum of the terms' weights."""
    source: str
    example: bool
    """True for a line of an entry's `matches`: how it looked once, not how it is put."""


class Pattern(NamedTuple):
    """A symptom to be tried as a regular expression, compiled when it is first needed."""

    entry: int
    symptom: str
    needs: tuple[str, ...]
    """Lower-case words that stand whole in every text it fits, rarest first."""
    weight: float
    """How much its own words say: the sum of their weights."""


class Packed(Sequence[memoryview]):
    """Rows in one block of memory, such as a mapped file."""

    def __init__(self, block: memoryview, ends: array[int]) -> None:
        self._block = block
        self._ends = ends
        """Where the first row begins, then where each ends."""

    def __len__(self) -> int:
        return len(self._ends) - 1

    @overload
    def __getitem__(self, place: int) -> memoryview: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[memoryview]: ...
    def __getitem__(self, place: int | slice) -> memoryview | Sequence[memoryview]:
        if isinstance(place, slice):
            return [self[number] for number in range(*place.indices(len(self)))]
        return self._block[self._ends[place] : self._ends[place + 1]]


class Tables(NamedTuple):
    """What is kept in a file. Rows that few searches touch stay packed (`marshal`) until one does."""

    ids: tuple[str, ...]
    weights: dict[str, float]
    holders: dict[str, bytes]
    """Term to the entries that hold it (an array of unsigned ints), for terms that are not plain."""
    first_words: dict[str, tuple[int, ...]]
    """The rarest needed word of a pattern to the patterns that need it; "" for patterns without any."""
    types: tuple[tuple[str, ...], ...]
    """Per entry: names of the error types that its symptoms and spoken forms are of."""
    wrappers: frozenset[int]
    """Entries whose message only says that something failed."""
    entries: Sequence[bytes | memoryview]
    phrases: Sequence[bytes | memoryview]
    """Per entry: rows of (words, weight, source, example), see `Phrase`."""
    patterns: Sequence[bytes | memoryview]
    """Rows of (entry, symptom, needs, weight), see `Pattern`."""


class Index:
    """Tables with what is made from them on demand."""

    def __init__(self, tables: Tables) -> None:
        self.tables = tables
        self._entries: dict[int, Entry] = {}
        self._phrases: dict[int, tuple[Phrase, ...]] = {}
        self._patterns: dict[int, Pattern] = {}
        self._regexes: dict[str, re.Pattern[str]] = {}

    @property
    def size(self) -> int:
        """How many entries there are."""
        return len(self.tables.ids)

    def name(self, number: int) -> str:
        """An entry's id, without unpacking it."""
        return self.tables.ids[number]

    def category(self, number: int) -> str:
        """An entry's category, without unpacking it."""
        return self.tables.ids[number].partition("/")[0]

    def holders(self, word: str) -> array[int]:
        """The entries that hold a term; none for plain and unknown ones."""
        return array("I", self.tables.holders.get(word, b""))

    def entry(self, number: int) -> Entry:
        """An entry by its place."""
        found = self._entries.get(number)
        if found is None:
            found = self._entries[number] = _thaw(_unpacked(self.tables.entries[number]))
        return found

    def phrases(self, number: int) -> tuple[Phrase, ...]:
        """The phrases of an entry."""
        found = self._phrases.get(number)
        if found is None:
            rows = _unpacked(self.tables.phrases[number])
            found = self._phrases[number] = tuple(Phrase(*row) for row in rows)
        return found

    def pattern(self, place: int) -> Pattern:
        """A pattern by its place."""
        found = self._patterns.get(place)
        if found is None:
            found = self._patterns[place] = Pattern(*_unpacked(self.tables.patterns[place]))
        return found

    def regex(self, symptom: str) -> re.Pattern[str]:
        """A symptom's pattern."""
        found = self._regexes.get(symptom)
        if found is None:
            found = self._regexes[symptom] = compile_pattern(symptom)
        return found

    @cached_property
    def buckets(self) -> dict[str, list[str]]:
        """Words of four letters and more by their first letter, for repairing typos."""
        found: dict[str, list[str]] = defaultdict(list)
        for word in self.tables.weights:
            if len(word) >= 4 and not word.isdigit():
                found[word[0]].append(word)
        return found


def build(entries: Iterable[Entry], *, examples: bool = True) -> Index:
    """Compile entries. Without `examples` their `matches` are no evidence, so that they can be used to measure."""
    kept = tuple(entries)
    per_entry = _phrases(kept, examples)
    holders: defaultdict[str, set[int]] = defaultdict(set)
    for number, phrases in enumerate(per_entry):
        for found, _, _ in phrases:
            for word in found:
                holders[word].add(number)
    weights = {word: _weight(word, len(numbers), len(kept)) for word, numbers in holders.items()}
    patterns = [pattern for number, entry in enumerate(kept) for pattern in _patterns(number, entry, weights)]
    first_words: defaultdict[str, list[int]] = defaultdict(list)
    for place, pattern in enumerate(patterns):
        first_words[pattern.needs[0] if pattern.needs else ""].append(place)
    rows = [
        [(found, sum(weights[word] for word in found), source, example) for found, source, example in row]
        for row in per_entry
    ]
    return Index(
        Tables(
            ids=tuple(entry.id for entry in kept),
            weights=weights,
            holders={word: array("I", sorted(found)).tobytes() for word, found in holders.items() if word not in PLAIN},
            first_words={word: tuple(places) for word, places in first_words.items()},
            types=tuple(tuple(sorted(types_in("\n".join((*entry.symptoms, *entry.spoken))))) for entry in kept),
            wrappers=frozenset(number for number, entry in enumerate(kept) if entry.wrapper),
            entries=tuple(marshal.dumps(_freeze(entry)) for entry in kept),
            phrases=tuple(marshal.dumps(row) for row in rows),
            patterns=tuple(marshal.dumps(tuple(pattern)) for pattern in patterns),
        )
    )


def _phrases(entries: tuple[Entry, ...], examples: bool) -> list[list[tuple[tuple[str, ...], str, bool]]]:
    """Per entry: words, text, whether it is an example. Lines that several entries' examples share tell nothing."""
    rows = [[(_distinct(text), source, example) for text, source, example in _texts(e, examples)] for e in entries]
    shared = Counter(words for row in rows for words in {words for words, _, example in row if example})
    return [[phrase for phrase in row if not phrase[2] or shared[phrase[0]] <= _SHARED_BY_MOST] for row in rows]


def _unpacked(data: bytes | memoryview) -> Any:
    return marshal.loads(data)  # noqa: S302 - packed by `build`; a file of them carries a checksum, see `store`


def common_terms(index: Index) -> tuple[str, ...]:
    """Words of the index, those first that are distinctive and stand in several phrases."""
    phrases = [phrase for number in range(index.size) for phrase in index.phrases(number) if not phrase.example]
    counts = Counter(word for phrase in phrases for word in phrase.words)
    weights = index.tables.weights
    kept = (word for word in counts if len(word) >= 4 and not word.isdigit() and word not in PLAIN)
    return tuple(sorted(kept, key=lambda word: (-counts[word] * weights[word], word)))


def _texts(entry: Entry, examples: bool) -> Iterator[tuple[str, str, bool]]:
    for text in (*entry.symptoms, entry.title):
        yield FIELD.sub(" ", text), text, False
    for text in entry.spoken:
        yield spoken_to_text(FIELD.sub(" ", text)), text, False
    if examples:
        for line in dict.fromkeys(line.strip() for text in entry.matches for line in text.splitlines()):
            if line and len(line.split()) <= _EXAMPLE_LINE_TERMS and not FRAME.match(line):
                yield line, line, True


def _distinct(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(terms(text)))


def _weight(word: str, holders: int, total: int) -> float:
    """Rare words say more: the logarithm of how few entries hold one (inverse document frequency)."""
    if word in PLAIN:
        return _PLAIN_WEIGHT
    weight = math.log(1 + (total + 1) / holders)
    if word in GENERIC:
        weight *= _GENERIC_SHARE
    return weight * _NUMBER_SHARE if word.isdigit() else weight


def _patterns(number: int, entry: Entry, weights: dict[str, float]) -> Iterator[Pattern]:
    for symptom in entry.symptoms:
        found = dict.fromkeys(_needed(symptom))
        own = set(terms(FIELD.sub(" ", symptom)))
        ranked = tuple(sorted(found, key=lambda word: (-weights.get(word, 0.0), word)))
        yield Pattern(number, symptom, ranked, sum(weights.get(word, 0.0) for word in own))


def _needed(symptom: str) -> Iterator[str]:
    """Words of a symptom that no captured value can run into."""
    position = 0
    pieces: list[str] = []
    for match in FIELD.finditer(symptom):
        pieces.append(symptom[position : match.start()])
        position = match.end()
    pieces.append(symptom[position:])
    for place, piece in enumerate(pieces):
        text = piece.lower()
        # A value may follow its neighbour without a blank, and may hold the letters beside it.
        start = re.match(r"[a-z0-9]+", text) if place > 0 else None
        end = re.search(r"[a-z0-9]+$", text) if place < len(pieces) - 1 else None
        yield from raw_words(text[start.end() if start else 0 : end.start() if end else len(text)])


def _freeze(entry: Entry) -> Any:
    solutions = tuple(
        (item.title, item.steps, item.success_rate, item.risk.value, item.platforms, item.why)
        for item in entry.solutions
    )
    return (
        entry.id, entry.title, entry.category, entry.symptoms, entry.spoken, entry.causes, solutions, entry.sources,
        entry.matches, entry.rejects, entry.wrapper,
    )  # fmt: skip


def _thaw(row: tuple[object, ...]) -> Entry:
    frozen: tuple[tuple[str, tuple[str, ...], int, str, tuple[str, ...], str], ...] = row[6]  # type: ignore[assignment]
    solutions = tuple(
        Solution(title, steps, rate, Risk(risk), platforms, why) for title, steps, rate, risk, platforms, why in frozen
    )
    values: list[Any] = [*row[:6], solutions, *row[7:]]
    return Entry(*values)
