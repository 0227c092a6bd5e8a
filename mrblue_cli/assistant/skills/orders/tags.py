"""Words to tags: what in an utterance is a number, an item, a size, an ingredient, a turn of phrase. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from mrblue_cli.assistant.skills.base import plain
from mrblue_cli.assistant.skills.orders.menu import Menu
from mrblue_cli.assistant.skills.orders.words import Language, language_of

MAX_WORDS = 400
"""Nobody orders in more words in one breath; what comes after is not read."""
ALIKE, NEAR = 82.0, 5.0
"""How alike (0..100) a misheard name must be to be taken, and by how much more than the next."""
_SHORTEST = 4
"""Shorter words are too easily alike."""


class Kind(StrEnum):
    """What a stretch of words is."""

    ITEM = "item"
    CATEGORY = "category"
    SIZE = "size"
    MODIFIER = "modifier"
    NUMBER = "number"
    WITH = "with"
    WITHOUT = "without"
    MORE = "more"
    AND = "and"
    BREAK = "break"
    CORRECT = "correct"
    MAYBE = "maybe"
    REMOVE = "remove"
    INSTEAD = "instead"
    SWAP = "swap"
    CLEAR = "clear"
    ADD = "add"
    EVERY = "every"
    EVERYTHING = "everything"
    LAST = "last"
    FILLER = "filler"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Tag:
    """A stretch of words with what it means."""

    kind: Kind
    value: str = ""
    """An id of the menu, a number, or the words themselves where they are unknown."""
    readings: tuple[tuple[Kind, str], ...] = ()
    """Everything it may mean, the likeliest first."""

    def may_be(self, kind: Kind) -> bool:
        """Whether it could be read as this."""
        return self.kind is kind or any(one is kind for one, _ in self.readings)


def stem(word: str) -> str:
    """A word without its plural: cokes and coke, limones and limon, fries and fry come out the same."""
    if len(word) > 3 and word.endswith("s") and not word.endswith("ss"):
        word = word[:-1]
    if len(word) > 3 and word.endswith("e"):
        word = word[:-1]
    return f"{word[:-1]}i" if len(word) > 2 and word.endswith("y") else word


def stemmed(text: str) -> tuple[str, ...]:
    """A phrase as it is compared."""
    return tuple(stem(word) for word in words_of(text))


def words_of(text: str) -> list[str]:
    """Plain words: an apostrophe parts a word as a blank does."""
    return plain(text).replace("'", " ").split()


class Lexicon:
    """All phrases of a menu and a language, longest first."""

    def __init__(self, menu: Menu, code: str) -> None:
        language = language_of(code)
        self.language: Language = language
        self._phrases: dict[tuple[str, ...], list[tuple[Kind, str]]] = {}
        self._names: dict[str, tuple[Kind, str]] = {}
        """Names of items and ingredients for comparing what was misheard."""
        for kind, parts in (
            (Kind.ITEM, menu.item),
            (Kind.CATEGORY, menu.category),
            (Kind.SIZE, menu.size),
            (Kind.MODIFIER, menu.modifier),
        ):
            for part in parts:
                for name in (*part.spoken(code), *part.plural.values()):
                    self._note(name, kind, part.id, fuzzy=kind in {Kind.ITEM, Kind.MODIFIER})
        for word, number in language.numbers.items():
            self._note(word, Kind.NUMBER, str(number))
        for kind, phrases in (
            (Kind.CORRECT, language.correct), (Kind.MAYBE, language.maybe_correct), (Kind.REMOVE, language.remove),
            (Kind.INSTEAD, language.instead), (Kind.SWAP, language.swap), (Kind.CLEAR, language.clear),
            (Kind.WITH, language.with_), (Kind.WITHOUT, language.without), (Kind.MORE, language.more),
            (Kind.ADD, language.add), (Kind.AND, language.and_), (Kind.EVERY, language.every),
            (Kind.EVERYTHING, language.everything), (Kind.LAST, language.last),
            (Kind.FILLER, (*language.filler, *language.done, *language.yes)),
        ):  # fmt: skip
            for phrase in phrases:
                self._note(phrase, kind, phrase)
        self.longest = max(map(len, self._phrases))

    def _note(self, phrase: str, kind: Kind, value: str, *, fuzzy: bool = False) -> None:
        key = stemmed(phrase)
        if not key:
            return
        readings = self._phrases.setdefault(key, [])
        if (kind, value) not in readings:
            readings.append((kind, value))
        if fuzzy and len("".join(key)) >= _SHORTEST:
            self._names.setdefault(" ".join(words_of(phrase)), (kind, value))

    def at(self, stems: tuple[str, ...]) -> tuple[tuple[Kind, str], ...]:
        """What exactly these words may mean; empty: nothing that is known."""
        return tuple(self._phrases.get(stems, ()))

    def nearest(self, words: str) -> tuple[Kind, str] | None:
        """The one name that was probably meant; None: none is near enough, or two are."""
        from rapidfuzz import fuzz, process  # only when something was misheard

        found = process.extract(words, list(self._names), scorer=fuzz.ratio, limit=6, score_cutoff=ALIKE - NEAR)
        if not found or found[0][1] < ALIKE:
            return None
        best = self._names[found[0][0]]
        rivals = [self._names[name] for name, score, _ in found[1:] if found[0][1] - score < NEAR]
        return best if all(rival == best for rival in rivals) else None


class _Key:
    """Lets a menu be a key of the cache by identity: it holds tables, which cannot be hashed."""

    def __init__(self, menu: Menu, code: str) -> None:
        self.menu, self.code = menu, code

    def __hash__(self) -> int:
        return hash((id(self.menu), self.code))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Key) and other.menu is self.menu and other.code == self.code


@lru_cache(maxsize=16)
def _lexicon(key: _Key) -> Lexicon:
    return Lexicon(key.menu, key.code)


def lexicon(menu: Menu, code: str) -> Lexicon:
    """The phrases of a menu in a language, made once."""
    return _lexicon(_Key(menu, code))


_PIECES = re.compile(r"[^\W_]+(?:['’&][^\W_]+)*|[,.;:!?&]")


def pieces_of(text: str) -> list[str]:
    """Words and stops, plain; `2x` and `x2` are numbers."""
    found: list[str] = []
    bare = "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))
    for piece in _PIECES.findall(bare):
        if piece in ",.;:!?":
            found.append(piece)
        elif times := re.fullmatch(r"x?(\d{1,6})x?", piece):
            found.append(times[1])
        else:
            found += piece.replace("’", "'").replace("'", " ").split()
    return found[:MAX_WORDS]


def tag(text: str, menu: Menu, code: str) -> list[Tag]:
    """The utterance as tags; the longest phrase wins, numbers of two words are one."""
    known = lexicon(menu, code)
    pieces = pieces_of(text)
    stems = [stem(piece) for piece in pieces]
    return list(_misheard(_numbers(_exact(pieces, stems, known), known.language), known))


def _exact(pieces: list[str], stems: list[str], known: Lexicon) -> Iterator[Tag]:
    place = 0
    while place < len(pieces):
        if pieces[place] in {",", ".", ";", ":", "!", "?"}:
            yield Tag(Kind.BREAK)
            place += 1
            continue
        if pieces[place] == "ones":
            yield Tag(Kind.FILLER, "ones")
            place += 1
            continue
        if pieces[place].isdigit():
            yield Tag(Kind.NUMBER, str(int(pieces[place])))
            place += 1
            continue
        for length in range(min(known.longest, len(pieces) - place), 0, -1):
            readings = known.at(tuple(stems[place : place + length]))
            if readings:
                yield Tag(*readings[0], readings)
                place += length
                break
        else:
            yield Tag(Kind.UNKNOWN, pieces[place])
            place += 1


def _numbers(tags: Iterable[Tag], language: Language) -> Iterator[Tag]:
    """`twenty` `five` is one number; `treinta` `y` `dos`, too."""
    waiting = list(tags)
    place = 0
    tens = {str(language.numbers[word]) for word in language.tens}
    while place < len(waiting):
        one = waiting[place]
        if one.kind is Kind.NUMBER and one.value in tens:
            after = place + 1
            if language.joint and after < len(waiting) and waiting[after].kind is Kind.AND:
                after += 1
            unit = waiting[after] if after < len(waiting) else None
            joined = bool(language.joint) == (after == place + 2)
            if joined and unit is not None and unit.kind is Kind.NUMBER and 0 < int(unit.value) < 10 and unit.readings:
                yield Tag(Kind.NUMBER, str(int(one.value) + int(unit.value)))
                place = after + 1
                continue
        yield one
        place += 1


def _misheard(tags: Iterable[Tag], known: Lexicon) -> Iterator[Tag]:
    """Runs of unknown words: the longest stretch of up to three that is nearly a name is taken for it."""
    waiting = list(tags)
    place = 0
    while place < len(waiting):
        if waiting[place].kind is not Kind.UNKNOWN:
            yield waiting[place]
            place += 1
            continue
        for length in (3, 2, 1):
            run = waiting[place : place + length]
            if len(run) < length or any(one.kind is not Kind.UNKNOWN for one in run):
                continue
            words = " ".join(one.value for one in run)
            found = known.nearest(words) or known.nearest(words.rstrip("s")) if len(words) >= _SHORTEST else None
            if found is not None:
                yield Tag(*found, (found,))
                place += length
                break
        else:
            yield waiting[place]
            place += 1
