"""A community as arrays: one row a person, ordered by id, so that fast forms work on columns. PURE.

Unknown numbers are NaN, unknown codes -1, unknown sets empty. Row order is the order of ids: ties break by row.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property

import numpy as np
import numpy.typing as npt

from mrblue_cli.matcher.model import User

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Words = npt.NDArray[np.uint64]


class Vocabulary:
    """Names to codes, in sorted order, so that input order never matters."""

    def __init__(self, names: Iterable[str]) -> None:
        self.names: tuple[str, ...] = tuple(sorted(set(names)))
        self._codes = {name: code for code, name in enumerate(self.names)}

    def code(self, name: str) -> int:
        """The code, -1 for a name that is not there."""
        return self._codes.get(name, -1)

    def __len__(self) -> int:
        """How many names."""
        return len(self.names)


class Ragged:
    """Rows of different length in two arrays: row i is `values[start[i]:start[i + 1]]`."""

    def __init__(self, rows: Sequence[Sequence[float]], dtype: type = np.int64) -> None:
        self.start: Ints = np.zeros(len(rows) + 1, dtype=np.int64)
        np.cumsum([len(row) for row in rows], out=self.start[1:])
        self.values = np.fromiter((value for row in rows for value in row), dtype=dtype, count=int(self.start[-1]))

    def row(self, index: int) -> npt.NDArray[np.generic]:
        """One row."""
        return self.values[self.start[index] : self.start[index + 1]]

    @property
    def sizes(self) -> Ints:
        """The length of each row."""
        return np.diff(self.start)


class Community:
    """People as values and as columns. Columns are made when first asked for."""

    def __init__(self, users: Iterable[User]) -> None:
        """Order of input does not matter. Raises `ValueError` for an id that comes twice."""
        self.users: tuple[User, ...] = tuple(sorted(users, key=lambda user: user.id))
        self.rows: dict[str, int] = {user.id: row for row, user in enumerate(self.users)}
        if len(self.rows) != len(self.users):
            raise ValueError("an id comes twice")

    def __len__(self) -> int:
        """How many people."""
        return len(self.users)

    @cached_property
    def roles(self) -> npt.NDArray[np.uint8]:
        """[n] 1 leader, 2 follower, 3 both."""
        return np.array([user.roles.value for user in self.users], dtype=np.uint8)

    @cached_property
    def leader_level(self) -> Floats:
        """[n] 1..10, NaN unknown."""
        return _numbers(user.leader_level for user in self.users)

    @cached_property
    def follower_level(self) -> Floats:
        """[n] 1..10, NaN unknown."""
        return _numbers(user.follower_level for user in self.users)

    @cached_property
    def lat(self) -> Floats:
        """[n] degrees, NaN unknown."""
        return _numbers(user.place.lat for user in self.users)

    @cached_property
    def lon(self) -> Floats:
        """[n] degrees, NaN unknown."""
        return _numbers(user.place.lon for user in self.users)

    @cached_property
    def age(self) -> Floats:
        """[n] years, NaN unknown."""
        return _numbers(user.age for user in self.users)

    @cached_property
    def countries(self) -> Vocabulary:
        """Country codes."""
        return Vocabulary(user.place.country for user in self.users if user.place.country)

    @cached_property
    def country(self) -> Ints:
        """[n] code of the country, -1 unknown."""
        return np.array([self.countries.code(user.place.country) for user in self.users], dtype=np.int64)

    @cached_property
    def cities(self) -> Vocabulary:
        """City names with their country, casefolded (`berlin|DE`): the same name abroad is another city."""
        return Vocabulary(_city(user) for user in self.users if user.place.city)

    @cached_property
    def city(self) -> Ints:
        """[n] code of the city, -1 unknown."""
        return np.array([self.cities.code(_city(user)) for user in self.users], dtype=np.int64)

    @cached_property
    def style_names(self) -> Vocabulary:
        """All style tags."""
        return Vocabulary(tag for user in self.users for tag in user.styles)

    @cached_property
    def styles(self) -> Words:
        """[n, words] style tags as bits; all zero: unknown."""
        return _bits(
            [[self.style_names.code(tag) for tag in user.styles] for user in self.users], len(self.style_names)
        )

    @cached_property
    def music_names(self) -> Vocabulary:
        """All music tags."""
        return Vocabulary(tag for user in self.users for tag, _ in user.music)

    @cached_property
    def music_tags(self) -> Ragged:
        """Codes of each person's music tags, ascending."""
        return Ragged([[self.music_names.code(tag) for tag, _ in user.music] for user in self.users])

    @cached_property
    def music_weights(self) -> Ragged:
        """Their weights, in the same order."""
        return Ragged([[weight for _, weight in user.music] for user in self.users], dtype=np.float64)

    @cached_property
    def hours(self) -> Ragged:
        """Free minutes of the week: start, end, start, end, … ascending; empty: unknown."""
        return Ragged([[minute for interval in user.hours for minute in interval] for user in self.users])


def _numbers(values: Iterable[float | None]) -> Floats:
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)


def _city(user: User) -> str:
    return f"{user.place.city.casefold()}|{user.place.country}" if user.place.city else ""


def _bits(rows: Sequence[Sequence[int]], size: int) -> Words:
    words = max(1, -(-size // 64))
    found = np.zeros((len(rows), words), dtype=np.uint64)
    for index, codes in enumerate(rows):
        for code in codes:
            found[index, code // 64] |= np.uint64(1) << np.uint64(code % 64)
    return found
