"""Entries compiled for search: patterns, words with their weights, phrases."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from mrblue_cli.knowledge.captures import FIELD, compile_pattern, literal_length
from mrblue_cli.knowledge.model import Entry
from mrblue_cli.knowledge.normalize import words

# Words of ordinary talk: they carry no evidence, and a text of nothing else is no error.
PLAIN = frozenset(
    [
        "a",
        "about",
        "after",
        "again",
        "all",
        "already",
        "also",
        "am",
        "an",
        "and",
        "any",
        "are",
        "as",
        "at",
        "be",
        "because",
        "been",
        "before",
        "but",
        "by",
        "can",
        "could",
        "did",
        "do",
        "does",
        "doing",
        "down",
        "for",
        "from",
        "get",
        "gets",
        "getting",
        "go",
        "got",
        "had",
        "has",
        "have",
        "he",
        "help",
        "her",
        "here",
        "his",
        "how",
        "i",
        "if",
        "in",
        "into",
        "is",
        "it",
        "its",
        "just",
        "know",
        "let",
        "like",
        "me",
        "my",
        "need",
        "no",
        "not",
        "now",
        "of",
        "off",
        "on",
        "one",
        "or",
        "our",
        "out",
        "over",
        "own",
        "please",
        "put",
        "said",
        "say",
        "says",
        "see",
        "she",
        "should",
        "so",
        "some",
        "still",
        "tell",
        "than",
        "that",
        "the",
        "their",
        "them",
        "then",
        "there",
        "these",
        "they",
        "thing",
        "this",
        "those",
        "to",
        "too",
        "try",
        "trying",
        "up",
        "us",
        "use",
        "used",
        "using",
        "very",
        "want",
        "was",
        "way",
        "we",
        "were",
        "what",
        "when",
        "where",
        "which",
        "while",
        "who",
        "why",
        "will",
        "with",
        "would",
        "you",
        "your",
        "s",
        "t",
        "m",
        "re",
        "ve",
        "ll",
        "d",
        "keep",
        "keeps",
        "says",
        "saying",
        "hi",
        "hello",
        "hey",
        "thanks",
        "thank",
        "okay",
        "ok",
        "yes",
        "yeah",
        "um",
        "uh",
        "hmm",
        "maybe",
        "really",
        "problem",
        "issue",
    ]
)
# Words that errors share: some evidence, never enough alone.
GENERIC = frozenset(
    [
        "error",
        "errors",
        "failed",
        "failure",
        "fail",
        "cannot",
        "could",
        "unable",
        "invalid",
        "found",
        "file",
        "line",
        "code",
        "message",
        "app",
        "server",
        "run",
        "running",
        "start",
        "started",
        "server",
        "test",
        "build",
        "install",
        "installed",
        "command",
        "name",
        "value",
        "data",
        "user",
        "version",
        "request",
        "response",
        "exception",
        "err",
        "npm",
        "node",
        "python",
        "java",
        "docker",
        "git",
        "in",
        "exit",
        "status",
        "process",
    ]
)


@dataclass(frozen=True, slots=True)
class Phrase:
    """One way in which an entry's error is put, as words."""

    entry: int
    words: tuple[str, ...]
    weight: float
    """Sum of the words' weights."""
    source: str


@dataclass(frozen=True, slots=True)
class Pattern:
    """A symptom as a regular expression."""

    entry: int
    regex: re.Pattern[str]
    literal: int
    """Characters of the symptom that are its own words."""
    anchor: str
    """Its longest lower-case literal run: a cheap first look."""
    source: str


class Index:
    """Built once per set of entries; searching never changes it."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self.entries = tuple(entries)
        raw = [(number, words(FIELD.sub(" ", text)), text) for number, text in self._texts()]
        holders: defaultdict[str, set[int]] = defaultdict(set)
        for number, found, _ in raw:
            for word in found:
                holders[word].add(number)
        total = max(1, len(self.entries))
        self.weights = {word: self._weight(word, len(numbers), total) for word, numbers in holders.items()}
        self.phrases = tuple(
            Phrase(number, tuple(found), sum(self.weights[word] for word in set(found)), text)
            for number, found, text in raw
            if any(word not in PLAIN for word in found)
        )
        self.postings: defaultdict[str, list[int]] = defaultdict(list)
        for position, phrase in enumerate(self.phrases):
            for word in set(phrase.words):
                if word not in PLAIN:
                    self.postings[word].append(position)
        self.vocabulary = tuple(word for word in self.weights if len(word) >= 4 and not word.isdigit())
        self.patterns = tuple(self._patterns())

    def _texts(self) -> Iterable[tuple[int, str]]:
        for number, entry in enumerate(self.entries):
            for text in (*entry.symptoms, *entry.spoken, entry.title):
                yield number, text

    def _weight(self, word: str, holders: int, total: int) -> float:
        if word in PLAIN:
            return 0.15
        weight = math.log(1 + (total + 1) / holders)
        if word in GENERIC:
            return 0.35 * weight
        return weight

    def _patterns(self) -> Iterable[Pattern]:
        for number, entry in enumerate(self.entries):
            for symptom in entry.symptoms:
                literals = [part.strip().lower() for part in FIELD.split(symptom)[::3]]
                anchor = max((piece for part in literals for piece in part.split()), key=len, default="")
                yield Pattern(number, compile_pattern(symptom), literal_length(symptom), anchor, symptom)


def common_terms(index: Index) -> tuple[str, ...]:
    """Words of the index, the most distinctive that several phrases share first."""
    counts = Counter(word for phrase in index.phrases for word in set(phrase.words))
    ranked = sorted(index.vocabulary, key=lambda word: (-counts[word] * index.weights[word], word))
    return tuple(word for word in ranked if word not in PLAIN)
