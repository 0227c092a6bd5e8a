"""Name the family of an error, also when no entry fits."""

from __future__ import annotations

import re
from itertools import zip_longest

from mrblue_cli.knowledge.error_types import ERROR_TYPES, ErrorType
from mrblue_cli.knowledge.normalize import clean, spoken_to_text

_TAIL = 40_000
_BETWEEN = re.compile(r"[^a-z0-9_\n]+")
_BY_FIRST_WORD: dict[str, list[tuple[str, int]]] = {}
for _number, _kind in enumerate(ERROR_TYPES):
    for _phrase in _kind.phrases:
        _BY_FIRST_WORD.setdefault(_phrase.split(" ", 1)[0], []).append((f" {_phrase} ", _number))


def detect(text: str) -> ErrorType | None:
    """The type whose words come last, since causes stand at the end of logs; in one line the longest wins."""
    return detect_clean(spoken_to_text(clean(text)))


def detect_clean(text: str) -> ErrorType | None:
    """The same for a text that is cleaned already."""
    said = " " + _BETWEEN.sub(" ", text[-_TAIL:].lower()).replace("\n", " \n ") + " "
    best: tuple[int, int, int] | None = None
    # `ERR_CONNECTION_REFUSED` is named by its code as it stands, and by its words.
    for version in (said, said.replace("_", " ")) if "_" in said else (said,):
        for word in set(version.split()):
            for phrase, number in _BY_FIRST_WORD.get(word, ()):
                place = version.rfind(phrase)
                if place >= 0:
                    found = (version.count("\n", 0, place), len(phrase), -number)
                    if best is None or found > best:
                        best = found
    return ERROR_TYPES[-best[2]] if best else None


def error_types() -> tuple[ErrorType, ...]:
    """All named types."""
    return ERROR_TYPES


def types_in(text: str) -> frozenset[str]:
    """The names of all types whose words stand in a text."""
    said = f" {_BETWEEN.sub(' ', text.lower()).replace(chr(10), ' ')} "
    said = f"{said}{said.replace('_', ' ')}"
    return frozenset(
        ERROR_TYPES[number].name
        for word in set(said.split())
        for phrase, number in _BY_FIRST_WORD.get(word, ())
        if phrase in said
    )


def spoken_families() -> tuple[str, ...]:
    """One phrase of each family as a person says it, in plain words; one of every category in turn."""
    by_category: dict[str, list[str]] = {}
    for kind in ERROR_TYPES:
        plain = (text for text in kind.phrases if text.replace(" ", "").isalpha() and 3 <= len(text.split()) <= 6)
        phrase = next(plain, "")
        if phrase:
            by_category.setdefault(kind.category, []).append(phrase)
    rounds = zip_longest(*by_category.values(), fillvalue="")
    return tuple(phrase for turn in rounds for phrase in turn if phrase)


def type_named(name: str | None) -> ErrorType | None:
    """The type with this name."""
    return next((kind for kind in ERROR_TYPES if kind.name == name), None)
