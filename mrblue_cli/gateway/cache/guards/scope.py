"""Scope: all, some, none, only, except, the first, at least. Pure."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from mrblue_cli.gateway.cache.guards import words
from mrblue_cli.gateway.cache.guards.reading import Reading

_BOUNDS: Final = (
    ("at least", re.compile(r"\b(at least|no less than|no fewer than|not less than|minimum of|or more)\b")),
    ("at most", re.compile(r"\b(at most|no more than|not more than|up to|maximum of|or less|or fewer)\b")),
    ("more than", re.compile(r"\b(?<!no )(?<!not )(more|greater|larger|bigger|higher|longer|older) than\b|\bexceed")),
    ("less than", re.compile(r"\b(?<!no )(?<!not )(less|fewer|smaller|lower|shorter|younger) than\b")),
)
_STRICT: Final = (("only", words.EXCLUSIVE), ("except", words.EXCEPTION), ("none", words.NONE))


@lru_cache(maxsize=1024)
def scope(reading: Reading) -> frozenset[str]:
    """Names of the classes of scope that a text mentions."""
    text = " ".join(reading.lower)
    have = set(reading.lower)
    found = {name for name, pattern in _BOUNDS if pattern.search(text)}
    found |= {name for name, table in _STRICT if not have.isdisjoint(table)}
    for name, table in (
        ("all", words.UNIVERSAL),
        ("some", words.EXISTENTIAL),
        ("most", words.MOST),
        ("few", words.FEW),
    ):
        if not have.isdisjoint(table):
            found.add(name)
    if "not only" in text:
        found.discard("only")
    return frozenset(found)


_RIVALS: Final = (
    {"all", "some"}, {"all", "none"}, {"all", "most"}, {"all", "few"}, {"most", "few"}, {"none", "some"},
    {"at least", "at most"}, {"more than", "less than"}, {"at least", "less than"}, {"at most", "more than"},
)  # fmt: skip


def check(one: Reading, other: Reading) -> str | None:
    """A reason when the texts speak of different shares of the same thing, or None."""
    mine, yours = scope(one), scope(other)
    odd = mine ^ yours
    if not odd:
        return None
    for name in ("only", "except", "at least", "at most", "more than", "less than"):
        if name in odd:
            return f"scope {name}"
    for pair in _RIVALS:
        if pair <= odd and len(pair & mine) == 1:
            return "scope " + " not ".join(sorted(pair))
    sequence = (set(one.lower) ^ set(other.lower)) & words.SEQUENCE
    return "sequence" if len(sequence & set(one.lower)) and len(sequence & set(other.lower)) else None
