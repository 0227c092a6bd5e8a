"""Opposites and directions: "enable" against "disable", "before" against "after", "to" against "from". Pure."""

from __future__ import annotations

from collections import defaultdict
from typing import Final

from mrblue_cli.gateway.cache.guards.lexicon import OPPOSITES, kin, opposites
from mrblue_cli.gateway.cache.guards.matching import Matching
from mrblue_cli.gateway.cache.guards.question import kind
from mrblue_cli.gateway.cache.guards.reading import Reading
from mrblue_cli.gateway.cache.guards.stems import stem

_TURNING: Final = frozenset(
    stem(word)
    for word in [
        "avoid",
        "skip",
        "undo",
        "revert",
        "cancel",
        "disable",
        "prevent",
        "opposite",
        "alternative",
        "replacement",
        "disadvantage",
        "drawback",
        "downside",
        "risk",
        "danger",
        "history",
        "difference",
        "compare",
        "comparison",
        "versus",
        "instead",
        "fake",
        "illegal",
        "fail",
        "failed",
        "failing",
        "broken",
        "error",
        "wrong",
        "stop",
        "limit",
        "example",
        "test",
        "deprecated",
    ]
)
"""Words that make another request of one when added to it."""
_LITTLE: Final = frozenset(
    [
        "before",
        "after",
        "with",
        "without",
        "up",
        "down",
        "in",
        "out",
        "on",
        "off",
        "above",
        "below",
        "over",
        "under",
        "into",
        "onto",
        "for",
        "against",
        "to",
        "from",
        "inside",
        "outside",
        "more",
        "less",
        "most",
        "least",
        "many",
        "few",
        "much",
        "little",
        "all",
        "none",
        "some",
        "always",
        "never",
        "both",
        "neither",
        "he",
        "she",
        "him",
        "her",
        "his",
    ]
)


def check(one: Reading, other: Reading, found: Matching) -> str | None:
    """A reason when a word stands against its opposite, or None."""
    for here in found.left:
        for there in found.right:
            if opposites(here.key, there.key):
                return f"opposites {_show(here.text)}/{_show(there.text)}"
            if kin(here.key, there.key):
                return f"{_show(here.text)} is not {_show(there.text)}"
    turning = next((token for token in (*found.left, *found.right) if token.key in _TURNING), None)
    if turning is not None and (
        kind(one) != "other" or kind(other) != "other" or len(one.content) + len(other.content) < 20
    ):
        return f"only one says {_show(turning.text)}"
    if _exchanged(one, other):
        return "opposites changed places"
    if _little(one, other):
        return "opposite direction"
    return "opposite direction" if _directions(one, other) else None


def _exchanged(one: Reading, other: Reading) -> bool:
    """Whether two opposites that both texts hold stand in another order ("the risk increases, the gain decreases")."""
    for place, first in enumerate(one.content):
        for second in one.content[place + 1 :]:
            if second.key in OPPOSITES.get(first.key, frozenset()):
                there = [token.key for token in other.content]
                if first.key in there and second.key in there and there.index(first.key) > there.index(second.key):
                    return True
    return False


def _show(word: str) -> str:
    """A word as far as a header may carry it."""
    return "".join(letter for letter in word.lower() if letter.isascii() and letter.isalnum())[:20]


def _little(one: Reading, other: Reading) -> bool:
    """Opposed function words of which each side has one that the other lacks."""
    mine = _LITTLE.intersection(one.lower)
    yours = _LITTLE.intersection(other.lower)
    only_mine, only_yours = mine - yours, yours - mine
    return any(not OPPOSITES.get(word, frozenset()).isdisjoint(only_yours) for word in only_mine)


def _directions(one: Reading, other: Reading) -> bool:
    """Whether some noun has opposed prepositions before it: "to my account" against "from my account"."""
    mine, yours = _governed(one), _governed(other)
    for noun, prepositions in mine.items():
        theirs = yours.get(noun)
        if not theirs or prepositions & theirs:
            continue
        if any(not OPPOSITES.get(word, frozenset()).isdisjoint(theirs) for word in prepositions):
            return True
    return False


def _governed(reading: Reading) -> dict[str, set[str]]:
    """For each content word, the little word of direction that governs it, at most three words back."""
    table: dict[str, set[str]] = defaultdict(set)
    for token in reading.content:
        for place in range(token.place - 1, max(-1, token.place - 4), -1):
            word = reading.lower[place]
            if word in _LITTLE:
                table[token.key].add(word)
                break
            if reading.tokens[place].kind == "mark":
                break
    return table
