"""Small column types: names as codes, rows of different length in two arrays. PURE."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Words = npt.NDArray[np.uint64]
UNKNOWN = -1
"""The code of a name that was not given."""


class Vocabulary:
    """Names to codes in sorted order, so that the order of input never matters."""

    def __init__(self, names: Iterable[str]) -> None:
        self.names: tuple[str, ...] = tuple(sorted(set(names)))
        self._codes = {name: code for code, name in enumerate(self.names)}

    def code(self, name: str) -> int:
        """The code, -1 for a name that is not there."""
        return self._codes.get(name, UNKNOWN)

    def name(self, code: int) -> str:
        """The name, empty for -1."""
        return self.names[code] if code >= 0 else ""

    def __len__(self) -> int:
        """How many names."""
        return len(self.names)


class Ragged:
    """Rows of different length: row i is `values[start[i]:start[i + 1]]`."""

    def __init__(self, start: Ints, values: npt.NDArray[np.int64] | npt.NDArray[np.float64]) -> None:
        self.start = start
        self.values = values

    @classmethod
    def of(cls, rows: Sequence[Sequence[float]], dtype: type = np.int64) -> Ragged:
        """From rows as lists."""
        start = np.zeros(len(rows) + 1, dtype=np.int64)
        np.cumsum([len(row) for row in rows], out=start[1:])
        values = (value for row in rows for value in row)
        return cls(start, np.fromiter(values, dtype=dtype, count=int(start[-1])))

    def row(self, index: int) -> npt.NDArray[np.int64] | npt.NDArray[np.float64]:
        """One row."""
        return self.values[self.start[index] : self.start[index + 1]]

    @property
    def sizes(self) -> Ints:
        """[rows] the length of each."""
        return np.diff(self.start)

    def take(self, order: Ints) -> Ragged:
        """The same rows in another order."""
        sizes = self.sizes[order]
        start = np.zeros(len(order) + 1, dtype=np.int64)
        np.cumsum(sizes, out=start[1:])
        # Position of each value of the new array in the old one: its row's old start plus its place in the row.
        source = np.repeat(self.start[:-1][order] - start[:-1], sizes) + np.arange(int(start[-1]), dtype=np.int64)
        return Ragged(start, self.values[source])

    def remapped(self, codes: Ints) -> Ragged:
        """With each value replaced by `codes[value]`, for codes that changed their meaning. Rows are sorted anew."""
        values: Ints = codes[self.values.astype(np.int64)]
        owner = np.repeat(np.arange(len(self.start) - 1), self.sizes)
        return Ragged(self.start, values[np.lexsort((values, owner))])

    def bits(self, size: int) -> Words:
        """[rows, words] codes below `size` as bits."""
        words = max(1, -(-size // 64))
        found = np.zeros((len(self.start) - 1, words), dtype=np.uint64)
        owner = np.repeat(np.arange(len(self.start) - 1), self.sizes)
        codes = self.values.astype(np.int64)
        np.bitwise_or.at(found, (owner, codes // 64), np.uint64(1) << (codes % 64).astype(np.uint64))
        return found


class RaggedBuilder:
    """Rows appended one by one, in little memory."""

    def __init__(self, kind: str) -> None:
        """`kind`: type code of `array`, "q" or "d"."""
        self._values: array[float] = array(kind)
        self._ends: array[int] = array("q", [0])

    def append(self, row: Iterable[float]) -> None:
        """One row."""
        self._values.extend(row)
        self._ends.append(len(self._values))

    def done(self) -> Ragged:
        """All rows."""
        ends = np.array(self._ends, dtype=np.int64)
        if self._values.typecode == "q":
            return Ragged(ends, np.array(self._values, dtype=np.int64))
        return Ragged(ends, np.array(self._values, dtype=np.float64))


class NameBuilder:
    """Names seen so far, as codes in the order of first sight; `done` gives them in sorted order."""

    def __init__(self) -> None:
        self._codes: dict[str, int] = {}

    def code(self, name: str) -> int:
        """The code, -1 for an empty name."""
        return self._codes.setdefault(name, len(self._codes)) if name else UNKNOWN

    def done(self) -> tuple[Vocabulary, Ints]:
        """The vocabulary, and for each old code (and for -1, at the end) the new one."""
        vocabulary = Vocabulary(self._codes)
        return vocabulary, np.array([vocabulary.code(name) for name in self._codes] + [UNKNOWN], dtype=np.int64)
