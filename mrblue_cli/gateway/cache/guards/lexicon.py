"""The word lists as tables over stems: synonyms, opposites, families."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Final

from mrblue_cli.gateway.cache.guards import words
from mrblue_cli.gateway.cache.guards.opposites_data import FAMILIES, PAIRS
from mrblue_cli.gateway.cache.guards.stems import stem
from mrblue_cli.gateway.cache.guards.synonyms import GROUPS


def _key(word: str) -> str:
    return word if word in words.FUNCTION else stem(word)


def _groups(text: str) -> Mapping[str, frozenset[int]]:
    table: dict[str, set[int]] = defaultdict(set)
    for number, line in enumerate(text.replace("|", "\n").strip().splitlines()):
        for word in line.split():
            table[_key(word)].add(number)
    return {word: frozenset(numbers) for word, numbers in table.items()}


def _pairs(text: str) -> Mapping[str, frozenset[str]]:
    table: dict[str, set[str]] = defaultdict(set)
    for pair in text.split():
        one, _, other = pair.partition("/")
        table[_key(one)].add(_key(other))
        table[_key(other)].add(_key(one))
    return {word: frozenset(others) for word, others in table.items()}


SYNONYMS: Final = _groups(" ".join(GROUPS.split()))
OPPOSITES: Final = _pairs(PAIRS)
KIN: Final = _groups(" ".join(FAMILIES.split()))
_NONE: Final[frozenset[int]] = frozenset()
_NO_WORDS: Final[frozenset[str]] = frozenset()


def synonyms(one: str, other: str) -> bool:
    """Whether two keys may stand for each other."""
    return not SYNONYMS.get(one, _NONE).isdisjoint(SYNONYMS.get(other, _NONE))


def opposites(one: str, other: str) -> bool:
    """Whether two keys are opposites, by list or by a negative prefix."""
    return other in OPPOSITES.get(one, _NO_WORDS) or prefixed(one, other) or prefixed(other, one)


def prefixed(one: str, other: str) -> bool:
    """Whether `one` is `other` behind a negative prefix ("unhealthy", "healthy")."""
    return len(other) > 2 and one.endswith(other) and one[: -len(other)].rstrip("-") in words.NEGATIVE_PREFIXES


def kin(one: str, other: str) -> bool:
    """Whether both belong to a family of which only one can be meant (two week days, two databases)."""
    return one != other and not KIN.get(one, _NONE).isdisjoint(KIN.get(other, _NONE))
