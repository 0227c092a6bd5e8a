"""Leaders against followers as one table, for methods of two sides. PURE."""

from __future__ import annotations

import msgspec
import numpy as np
import numpy.typing as npt

from mrblue_cli.core.errors import UsageError
from mrblue_cli.matcher.columns import Floats, Ints
from mrblue_cli.matcher.pairing.base import Floor

MORE = 2.0**-30
"""What a pair counts above its score (a billionth): of equal totals the pairing of more people wins."""


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """The scores between two sides."""

    leaders: Ints
    """[L] rows of the floor, ascending."""
    followers: Ints
    """[F] likewise."""
    scores: Floats
    """[L, F] 0..100; NaN: the two cannot dance."""

    @property
    def able(self) -> npt.NDArray[np.bool_]:
        """[L, F] who can dance with whom."""
        return ~np.isnan(self.scores)

    def square(self) -> Floats:
        """[N, N] scores a billionth up, N the larger side; 0 where two cannot dance and beside the smaller side.

        A full assignment of this square is a pairing in which whoever gets a 0 sits out.
        """
        size = max(self.scores.shape)
        worth = np.zeros((size, size))
        worth[: len(self.leaders), : len(self.followers)] = np.where(self.able, self.scores + MORE, 0.0)
        return worth

    def pairs(self, columns: Ints) -> list[tuple[int, int]]:
        """Pairs of rows from each leader's column in a square (or -1), sitting out left out."""
        found = []
        for leader, column in enumerate(columns[: len(self.leaders)].tolist()):
            if 0 <= column < len(self.followers) and not np.isnan(self.scores[leader, column]):
                found.append((int(self.leaders[leader]), int(self.followers[column])))
        return found


def table(floor: Floor) -> Table:
    """Raises `UsageError` while somebody dances both roles."""
    leaders, followers = floor.sides()
    return Table(leaders=leaders, followers=followers, scores=floor.scores[np.ix_(leaders, followers)])


def chosen(floor: Floor, side: str, parameter: str) -> tuple[Ints, Ints]:
    """The rows of the side that a parameter names, then the other side's. Raises `UsageError` for another word."""
    leaders, followers = floor.sides()
    if side == "leader":
        return leaders, followers
    if side == "follower":
        return followers, leaders
    raise UsageError(f"{parameter} is '{side}'", hint=f"{parameter} is leader or follower")
