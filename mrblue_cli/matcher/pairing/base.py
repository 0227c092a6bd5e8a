"""A practica as a table of scores, and what a method of pairing gives back. PURE.

Each method of the catalogue is `method(floor, *, seed=0, **parameters) -> Matching`: its `scalar` form is the plain
solver
to read and to check against, its `fast` form the one that is used.
"""

from __future__ import annotations

import msgspec
import numpy as np
import numpy.typing as npt

from mrblue_cli.core.errors import UsageError
from mrblue_cli.matcher.columns import Floats, Ints
from mrblue_cli.matcher.compiled import Community
from mrblue_cli.matcher.model import Role
from mrblue_cli.matcher.recipe import Recipe
from mrblue_cli.matcher.scoring import score, views

MOST_PEOPLE = 5000
"""A floor holds everybody's score with everybody: 5,000 people are 200 MB."""
_CHUNK = 1 << 18


class Floor(msgspec.Struct, frozen=True, kw_only=True):
    """People on one dance floor, ordered by id."""

    ids: tuple[str, ...]
    roles: npt.NDArray[np.uint8]
    """[n] 1 leader, 2 follower, 3 both. Roles that were fixed for the evening are fixed here."""
    scores: Floats
    """[n, n] 0..100, symmetric; NaN: the two cannot or must not dance together, and the diagonal."""
    views: Floats
    """[n, n] how much the row's person wants the column's; equals `scores` unless wishes are directed. NaN as above."""

    def __len__(self) -> int:
        """How many people."""
        return len(self.ids)

    def sides(self) -> tuple[Ints, Ints]:
        """Rows of leaders and of followers. Raises `UsageError` while somebody still dances both roles."""
        if (self.roles == Role.BOTH.value).any():
            who = self.ids[int(np.flatnonzero(self.roles == Role.BOTH.value)[0])]
            raise UsageError(
                f"{who} dances both roles, and this method needs one role for each",
                hint="fix the roles first with --balance, or use --pair blossom",
            )
        return np.flatnonzero(self.roles == Role.LEADER.value), np.flatnonzero(self.roles == Role.FOLLOWER.value)

    def with_roles(self, roles: npt.NDArray[np.uint8]) -> Floor:
        """The same people in these roles, pairs that can no longer dance left out."""
        leads, follows = roles & Role.LEADER.value > 0, roles & Role.FOLLOWER.value > 0
        able = (leads[:, None] & follows[None, :]) | (follows[:, None] & leads[None, :])
        return msgspec.structs.replace(
            self,
            roles=roles,
            scores=np.where(able, self.scores, np.nan),
            views=np.where(able, self.views, np.nan),
        )


class Matching(msgspec.Struct, frozen=True, kw_only=True):
    """Who dances with whom for one tanda."""

    pairs: tuple[tuple[int, int], ...]
    """Rows of a floor, the smaller first, in ascending order; nobody twice."""
    note: str = ""
    """What a person should know of this result: a tie rule, a seed, that no stable pairing exists."""

    def sits_out(self, floor: Floor) -> tuple[int, ...]:
        """Rows of those who do not dance."""
        dancing = {row for pair in self.pairs for row in pair}
        return tuple(row for row in range(len(floor)) if row not in dancing)


def matching(pairs: list[tuple[int, int]], note: str = "") -> Matching:
    """A matching in its one order, whatever order a solver gave."""
    return Matching(pairs=tuple(sorted((min(pair), max(pair)) for pair in pairs)), note=note)


def floor_of(community: Community, recipe: Recipe) -> Floor:
    """Everybody's score with everybody. Raises `UsageError` above `MOST_PEOPLE`."""
    n = len(community)
    if n > MOST_PEOPLE:
        raise UsageError(
            f"{n:,} people are too many for one floor: pairing takes up to {MOST_PEOPLE:,}",
            hint="split the file by city or evening; --all --top K has no such limit",
        )
    scores, wanted = np.full((n, n), np.nan), np.full((n, n), np.nan)
    left, right = np.triu_indices(n, 1)
    for start in range(0, len(left), _CHUNK):
        a, b = left[start : start + _CHUNK], right[start : start + _CHUNK]
        found = score(community, a, b, recipe)
        overall = np.where(found.feasible, found.overall, np.nan)
        scores[a, b] = scores[b, a] = overall
        for one, other in ((a, b), (b, a)):
            wanted[one, other] = np.where(found.feasible, views(community, one, other, recipe), np.nan)
    return Floor(ids=tuple(community.ids), roles=community.roles.copy(), scores=scores, views=wanted)
