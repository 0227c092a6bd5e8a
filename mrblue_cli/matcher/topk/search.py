"""Finds everybody's best k, exactly: by the compiled index where it serves, else by comparing everybody. PURE."""

from __future__ import annotations

import importlib.util
from typing import Any, Protocol

import numpy as np

from mrblue_cli.matcher.columns import Ints
from mrblue_cli.matcher.compiled import Community
from mrblue_cli.matcher.recipe import Recipe
from mrblue_cli.matcher.topk import index
from mrblue_cli.matcher.topk.base import Found
from mrblue_cli.matcher.topk.scan import Scan
from mrblue_cli.matcher.topk.tables import Tables, frozen

WORTH_COMPILING = 9_000_000
"""Pairs from which the index pays: 3,000 people against each other take arrays as long as numba takes to compile."""


class Search(Protocol):
    """The best of some people. Threads may share one."""

    @property
    def engine(self) -> str:
        """`compiled` or `arrays`."""
        ...

    def order(self, rows: Ints) -> Ints:
        """The same rows in the order in which they are found fastest."""
        ...

    def find(self, rows: Ints, k: int) -> Found:
        """The best k of each row, by falling unrounded score, ties by smaller row."""
        ...


def prepare(community: Community, recipe: Recipe, *, queries: int | None = None, engine: str = "auto") -> Search:
    """What finds the best for this recipe. `queries`: how many people will be asked about; all by default.

    `engine`: "auto" decides by the number of pairs; "compiled" takes the index wherever the recipe allows it and numba
    is there; "arrays" never.
    """
    pairs = len(community) * (len(community) if queries is None else queries)
    wanted = engine == "compiled" or (engine == "auto" and pairs >= WORTH_COMPILING)
    if wanted and importlib.util.find_spec("numba") is not None and index.supports(community, recipe):
        return Compiled(index.build(community, recipe))
    return Scan(community, recipe)


class Compiled:
    """Search through the index. Holds nothing but arrays, so that another process can be handed one."""

    engine = "compiled"

    def __init__(self, tables: Tables) -> None:
        self.tables = tables
        self.counters = np.zeros(3, dtype=np.int64)
        """Nodes opened, people looked at, pairs scored in full, so far. Threads may lose a few of each other's."""

    def __reduce__(self) -> tuple[Any, ...]:
        """Arrays that another process was handed may be writable: compiled code knows one kind, read-only ones."""
        return Compiled._of, (tuple(self.tables),)

    @classmethod
    def _of(cls, columns: tuple[Any, ...]) -> Compiled:
        return cls(Tables(*(frozen(column, column.dtype) for column in columns)))

    def order(self, rows: Ints) -> Ints:
        """Neighbours of the tree one after the other: they look at the same nodes."""
        return rows[np.argsort(self.tables.place_of[rows], kind="stable")]

    def find(self, rows: Ints, k: int) -> Found:
        """The best k of each row."""
        from mrblue_cli.matcher.topk import kernel

        # Nobody has more partners than there are people; the room for the rest is filled at the end.
        most = min(k, len(self.tables.facts))
        found_rows = np.empty((len(rows), most), dtype=np.int64)
        found_scores = np.empty((len(rows), most), dtype=np.float64)
        nodes, counters = len(self.tables.node_numbers), np.zeros(3, dtype=np.int64)
        room = np.empty(nodes), np.empty(nodes, dtype=np.int32), np.empty(nodes, dtype=np.int32)
        queries = np.array(rows, dtype=np.int64)
        if most:
            kernel.search(self.tables, queries, found_rows, found_scores, *room, counters)
        self.counters += counters
        if most < k:
            extra = ((0, 0), (0, k - most))
            found_rows = np.pad(found_rows, extra, constant_values=-1)
            found_scores = np.pad(found_scores, extra, constant_values=np.nan)
        return Found(rows=found_rows, scores=found_scores)
