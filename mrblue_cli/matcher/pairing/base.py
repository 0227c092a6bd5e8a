"""A practica as a table of scores, and what a method of pairing gives back. PURE.

Each method of the catalogue is `method(floor, *, seed=0, **parameters) -> Matching`: its `scalar` form is the plain
solver to read and to check against, its `fast` form the one that is used. Both reach the same aim; where several
pairings reach it, the two forms may differ unless a method's words say which one is meant.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from mrblue_cli.core.errors import UsageError
from mrblue_cli.matcher.columns import Floats, Ints
from mrblue_cli.matcher.compiled import Community
from mrblue_cli.matcher.model import Role
from mrblue_cli.matcher.recipe import Recipe
from mrblue_cli.matcher.scoring import is_directed, score, views

MOST_PEOPLE = 5000
"""A floor holds everybody's score with everybody and each one's view: two times 200 MB for 5,000 people."""
_CHUNK = 1 << 18
_TURNED = np.array([0, 2, 1, 3], dtype=np.int8)
"""Who leads, seen from the other side."""


class Floor(msgspec.Struct, frozen=True, kw_only=True):
    """People on one dance floor, ordered by id."""

    ids: tuple[str, ...]
    roles: npt.NDArray[np.uint8]
    """[n] 1 leader, 2 follower, 3 both. Roles that were fixed for the evening are fixed here."""
    scores: Floats
    """[n, n] 0..100, symmetric; NaN: the two cannot or must not dance together, and the diagonal."""
    views: Floats
    """[n, n] how much the row's person wants the column's; equals `scores` unless wishes are directed. NaN as above."""
    leads: npt.NDArray[np.int8] | None = None
    """[n, n] who leads best by level: 0 nobody can, 1 the row's person, 2 the column's, 3 either; None: not known."""

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
        """The same people in these roles, pairs that can no longer dance left out.

        Scores stay those of the two people in whichever of their orientations suits them better.
        """
        leads, follows = roles & Role.LEADER.value > 0, roles & Role.FOLLOWER.value > 0
        able = (leads[:, None] & follows[None, :]) | (follows[:, None] & leads[None, :])
        return msgspec.structs.replace(
            self,
            roles=roles,
            scores=np.where(able, self.scores, np.nan),
            views=np.where(able, self.views, np.nan),
            leads=None if self.leads is None else np.where(able, self._leads_as(leads, follows), 0).astype(np.int8),
        )

    def _leads_as(self, leads: npt.NDArray[np.bool_], follows: npt.NDArray[np.bool_]) -> npt.NDArray[np.int8]:
        assert self.leads is not None  # noqa: S101 - asked by the caller
        forward, backward = leads[:, None] & follows[None, :], follows[:, None] & leads[None, :]
        return np.where(forward & backward, self.leads, np.where(forward, 1, 2)).astype(np.int8)


class Matching(msgspec.Struct, frozen=True, kw_only=True):
    """Who dances with whom for one tanda."""

    pairs: tuple[tuple[int, int], ...]
    """Rows of a floor, the smaller first, in ascending order; nobody twice (more often only where `pair.flow` is given
    a capacity above 1)."""
    note: str = ""
    """What a person should know of this result: a tie rule, a seed, that no stable pairing exists."""
    blocking: tuple[tuple[int, int], ...] | None = None
    """Rows of those who would both rather dance with each other than as paired here, ascending; empty: the pairing is
    stable; None: the method does not ask."""

    def sits_out(self, floor: Floor) -> tuple[int, ...]:
        """Rows of those who do not dance."""
        dancing = {row for pair in self.pairs for row in pair}
        return tuple(row for row in range(len(floor)) if row not in dancing)


def matching(
    pairs: Sequence[tuple[int, int]], note: str = "", blocking: Sequence[tuple[int, int]] | None = None
) -> Matching:
    """A matching in its one order, whatever order a solver gave, in plain integers."""
    return Matching(pairs=_ordered(pairs), note=note, blocking=None if blocking is None else _ordered(blocking))


def _ordered(pairs: Sequence[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    return tuple(sorted((int(min(pair)), int(max(pair))) for pair in pairs))


def total(floor: Floor, pairs: Sequence[tuple[int, int]]) -> float:
    """The sum of the scores of these pairs."""
    return float(sum(floor.scores[a, b] for a, b in pairs))


def floor_of(community: Community, recipe: Recipe) -> Floor:
    """Everybody's score with everybody. Raises `UsageError` above `MOST_PEOPLE`."""
    n = len(community)
    if n > MOST_PEOPLE:
        raise UsageError(
            f"{n:,} people are too many for one floor: pairing takes up to {MOST_PEOPLE:,}",
            hint="split the file by city or evening; --all --top K has no such limit",
        )
    scores = np.full((n, n), np.nan)
    wanted = np.full((n, n), np.nan) if is_directed(recipe) else scores
    leads = np.zeros((n, n), dtype=np.int8)
    left, right = np.triu_indices(n, 1)
    for start in range(0, len(left), _CHUNK):
        a, b = left[start : start + _CHUNK], right[start : start + _CHUNK]
        found = score(community, a, b, recipe)
        overall = np.where(found.feasible, found.overall, np.nan)
        scores[a, b] = scores[b, a] = overall
        leads[a, b] = np.where(found.feasible, found.leads, 0)
        leads[b, a] = _TURNED[leads[a, b]]
        for one, other in ((a, b), (b, a)) if is_directed(recipe) else ():
            wanted[one, other] = np.where(found.feasible, views(community, one, other, recipe), np.nan)
    return Floor(ids=tuple(community.ids), roles=community.roles.copy(), scores=scores, views=wanted, leads=leads)
