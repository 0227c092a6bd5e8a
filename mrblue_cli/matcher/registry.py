"""The catalogue: each algorithm with its name, formula, source, scalar and vectorised form, and worked examples. PURE.

One entry = own name, formula, source, tests; a changed parameter is no new algorithm. The number anyone advertises is
`len(catalogue())`.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

_MODULES: dict[str, str] = {
    "role": "criteria.role",
    "level": "criteria.level",
    "geo": "criteria.geo",
    "set": "criteria.sets",
    "taste": "criteria.taste",
    "time": "criteria.time",
    "age": "criteria.age",
    "pref": "criteria.preference",
    "mix": "criteria.mixed",
    "hist": "criteria.history",
    "agg": "aggregation.aggregate",
    "two": "aggregation.two_sided",
    "pair": "pairing.methods",
    "rot": "rotation.methods",
    "top": "topk.methods",
    "rank": "topk.ranking",
}
"""Family to the module whose `ENTRIES` lists its entries; imported when asked for."""


class Example(msgspec.Struct, frozen=True, kw_only=True):
    """One worked example: arguments of the scalar form, and what must come out (to 2 decimals for scores)."""

    given: Mapping[str, Any]
    expected: Any
    note: str = ""


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One algorithm."""

    name: str
    """`family.word`, for example `level.gauss`."""
    words: str
    """What it does, in plain words."""
    formula: str
    source: str
    """Author and year, or "project"."""
    scalar: Callable[..., Any]
    """The plain form, written to be read; the fast one must equal it."""
    fast: Callable[..., Any] | None = None
    """The vectorised form (for criteria: see `criteria.base`)."""
    examples: tuple[Example, ...] = ()
    symmetric: bool = True
    """Whether swapping the two people (or the arguments) changes nothing. A criterion that is not gives a's
    view of b."""
    needs_community: bool = False
    """Whether the scalar form takes `community=` (counts, ranges or a graph over everybody)."""
    listwise: bool = False
    """Aggregation over all alternatives at once (ranks, ideals), not row by row."""
    needs_history: bool = False
    approximate: bool = False
    parameters: Mapping[str, Any] = {}
    """Names and defaults of what may be tuned."""

    @property
    def family(self) -> str:
        """The part before the dot."""
        return self.name.partition(".")[0]


def family(name: str) -> tuple[Entry, ...]:
    """The entries of one family, by name."""
    module = importlib.import_module(f"mrblue_cli.matcher.{_MODULES[name]}")
    return tuple(sorted(module.ENTRIES, key=lambda entry: entry.name))


def catalogue() -> tuple[Entry, ...]:
    """All entries, family by family in the order of the reference."""
    return tuple(entry for name in _MODULES for entry in family(name))


def find(name: str) -> Entry:
    """The entry of this name. Raises `KeyError`."""
    kind = name.partition(".")[0]
    if kind not in _MODULES:
        raise KeyError(name)
    for entry in family(kind):
        if entry.name == name:
            return entry
    raise KeyError(name)
