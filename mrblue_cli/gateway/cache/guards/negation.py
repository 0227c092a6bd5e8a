"""Negation: what one text denies the other has to deny as well. Pure."""

from __future__ import annotations

from typing import Final, NamedTuple

from mrblue_cli.gateway.cache.guards import words
from mrblue_cli.gateway.cache.guards.lexicon import prefixed
from mrblue_cli.gateway.cache.guards.matching import Matching
from mrblue_cli.gateway.cache.guards.reading import Reading
from mrblue_cli.gateway.cache.guards.stems import stem

_SOFT: Final = frozenset(stem(word) for word in words.SOFT_NEGATORS)
_NO_NEGATION: Final = frozenset(
    {("no", "matter"), ("not", "only"), ("no", "."), ("no", ","), ("or", "not"), ("no", "doubt"), ("number", "no")}
)


class Denial(NamedTuple):
    """Negations of one text."""

    number: int
    targets: frozenset[str]
    """Keys of the words that follow a negator."""


def denial(reading: Reading) -> Denial:
    """Counts negators and what they stand before. "No, …" as an answer and "whether or not" do not count."""
    count = 0
    targets: set[str] = set()
    tokens = reading.tokens
    for place, low in enumerate(reading.lower):
        if low not in words.NEGATORS:
            continue
        after = reading.lower[place + 1] if place + 1 < len(tokens) else ""
        before = reading.lower[place - 1] if place else ""
        if (low, after) in _NO_NEGATION or (before, low) in _NO_NEGATION:
            continue
        count += 1
        ahead = next((later.key for later in tokens[place + 1 : place + 5] if later.content), "")
        targets.add(ahead)
    return Denial(count, frozenset(targets))


def check(one: Reading, other: Reading, found: Matching) -> str | None:
    """A reason when one side denies what the other does not, or None."""
    mine, yours = denial(one), denial(other)
    prefixes = _prefixes(found)
    if prefixes:
        return "negative prefix"
    if mine.number == yours.number:
        modals = _modals(one), _modals(other)
        return "modality" if modals[0] and modals[1] and modals[0].isdisjoint(modals[1]) else None
    fewer, rest = (found.left, mine) if mine.number < yours.number else (found.right, yours)
    soft = sum(token.key in _SOFT for token in fewer)
    return None if soft and rest.number + soft >= max(mine.number, yours.number) else "negation"


def _modals(reading: Reading) -> frozenset[str]:
    """What is denied: ability ("can not"), will ("will not"), duty ("should not")."""
    return frozenset(
        words.MODALS[before]
        for before, word in zip(reading.lower, reading.lower[1:], strict=False)
        if word == "not" and words.MODALS.get(before)
    )


def _prefixes(found: Matching) -> bool:
    """Whether a word stands against its own negation ("supported", "unsupported")."""
    return any(
        prefixed(here.key, there.key) or prefixed(there.key, here.key) for here in found.left for there in found.right
    )
