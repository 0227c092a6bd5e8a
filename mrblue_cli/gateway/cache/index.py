"""Nearest questions: one matrix per partition, one multiplication per search.

A partition is a conversation up to its last message, with model, tools and sampling; most hold a handful of questions,
a few (a help desk's one system prompt) hold thousands. Exhaustive search stays below 3 ms at 10,000 questions and is
exact, so there is no approximate index to build, tune or save.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float32]

_FIRST_ROWS = 4


class Near(NamedTuple):
    """A question close to the one asked."""

    key: str
    text: str
    similarity: float
    """Cosine, -1..1."""


class _Entry(msgspec.Struct, frozen=True):
    partition: str
    text: str
    stored_at: float


class _Rows:
    """The vectors of one partition, packed without gaps; removal moves the last row into the hole."""

    __slots__ = ("_matrix", "keys", "row_of")

    def __init__(self, dimensions: int) -> None:
        self._matrix: Vector = np.empty((_FIRST_ROWS, dimensions), np.float32)
        self.keys: list[str] = []
        self.row_of: dict[str, int] = {}

    def put(self, key: str, vector: Vector) -> None:
        row = self.row_of.get(key)
        if row is None:
            row = len(self.keys)
            if row == len(self._matrix):
                self._resize(2 * row)
            self.keys.append(key)
            self.row_of[key] = row
        self._matrix[row] = vector

    def remove(self, key: str) -> None:
        hole = self.row_of.pop(key)
        last = self.keys.pop()
        count = len(self.keys)
        if hole != count:
            self._matrix[hole] = self._matrix[count]
            self.keys[hole] = last
            self.row_of[last] = hole
        if count > _FIRST_ROWS and count < len(self._matrix) // 4:
            self._resize(len(self._matrix) // 2)

    def nearest(self, vector: Vector, count: int) -> list[tuple[str, float]]:
        similarity = self._matrix[: len(self.keys)] @ vector
        every = count >= len(similarity)
        best = np.arange(len(similarity)) if every else np.argpartition(similarity, -count)[-count:]
        best = best[np.argsort(-similarity[best], kind="stable")]
        return [(self.keys[row], float(similarity[row])) for row in best]

    def _resize(self, rows: int) -> None:
        grown: Vector = np.empty((rows, self._matrix.shape[1]), np.float32)
        kept = min(rows, len(self._matrix))
        grown[:kept] = self._matrix[:kept]
        self._matrix = grown


class Index:
    """All questions known, bounded in number and age.

    Beyond `max_size` the one longest unused goes. Times are Unix seconds and come in with the questions.
    """

    def __init__(self, dimensions: int, *, max_size: int, ttl: float) -> None:
        self.dimensions = dimensions
        self._max_size = max_size
        self._ttl = ttl
        self._partitions: dict[str, _Rows] = {}
        self._entries: OrderedDict[str, _Entry] = OrderedDict()
        self._by_age: deque[tuple[float, str]] = deque()

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, key: str) -> bool:
        return key in self._entries

    def stored_at(self, key: str) -> float | None:
        """When the question's answer was stored; None when it is not here."""
        entry = self._entries.get(key)
        return None if entry is None else entry.stored_at

    def size_of(self, partition: str) -> int:
        """How many questions may be compared in a partition."""
        rows = self._partitions.get(partition)
        return 0 if rows is None else len(rows.keys)

    def add(self, key: str, partition: str, text: str, vector: Vector, *, stored_at: float) -> None:
        """Take in a question, or replace the one of that key. `vector`: float32 [dimensions], of length 1."""
        if vector.shape != (self.dimensions,):
            raise ValueError(f"a vector of shape {vector.shape} for an index of {self.dimensions} dimensions")
        self.remove(key)
        while len(self._entries) >= self._max_size:
            self.remove(next(iter(self._entries)))
        self._entries[key] = _Entry(partition, text, stored_at)
        self._by_age.append((stored_at, key))
        rows = self._partitions.get(partition)
        if rows is None:
            rows = self._partitions[partition] = _Rows(self.dimensions)
        rows.put(key, vector)

    def remove(self, key: str) -> None:
        """Forget a question; unknown keys are fine."""
        entry = self._entries.pop(key, None)
        if entry is None:
            return
        rows = self._partitions[entry.partition]
        rows.remove(key)
        if not rows.keys:
            del self._partitions[entry.partition]
        if len(self._by_age) > 2 * len(self._entries) + 64:
            self._by_age = deque((entry.stored_at, key) for key, entry in self._entries.items())

    def expire(self, now: float) -> None:
        """Forget what is older than the time to live. Entries that arrive late and old go a little later."""
        while self._by_age and self._by_age[0][0] + self._ttl <= now:
            stored_at, key = self._by_age.popleft()
            if self.stored_at(key) == stored_at:
                self.remove(key)

    def touch(self, key: str) -> None:
        """Mark a question as used just now."""
        if key in self._entries:
            self._entries.move_to_end(key)

    def nearest(self, partition: str, vector: Vector, count: int) -> list[Near]:
        """The `count` most similar questions of a partition, best first."""
        rows = self._partitions.get(partition)
        if rows is None:
            return []
        return [Near(key, self._entries[key].text, similarity) for key, similarity in rows.nearest(vector, count)]
