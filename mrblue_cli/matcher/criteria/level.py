"""How far apart two people's levels are in the roles they would dance. PURE. Reference section 1, rule 4.

Each entry is one pair function over (leader's leader_level, follower's follower_level); `oriented` and
`oriented_fast` take
the best known feasible orientation, so that swapping the two people never changes a score.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from mrblue_cli.matcher.compiled import Community, Floats, Ints
from mrblue_cli.matcher.criteria.base import Score, called
from mrblue_cli.matcher.criteria.role import A_LEADS, B_LEADS, can_lead, orientations
from mrblue_cli.matcher.model import Leads, Role, User
from mrblue_cli.matcher.registry import Entry, Example

Compare = Callable[..., Any]
"""`compare(leader, follower, **parameters)` on floats or on arrays of levels: 0..100."""
KNOTS = (0.0, 1.0, 2.0, 3.0, 4.0)
SCORES = (100.0, 90.0, 70.0, 50.0, 30.0)


def oriented(compare: Compare, a: User, b: User, **parameters: Any) -> Score:
    """The best known feasible orientation; with none feasible, the levels in the role that both dance."""
    known = []
    for leader, follower, leads in ((a, b, Leads.A), (b, a, Leads.B)):
        ours, theirs = leader.leader_level, follower.follower_level
        if can_lead(leader, follower) and ours is not None and theirs is not None:
            known.append((float(compare(ours, theirs, **parameters)), leads, (ours, theirs)))
    if not can_lead(a, b) and not can_lead(b, a):
        return _same_role(compare, a, b, **parameters)
    if not known:
        return Score(None, f"the level of {_unsaid(a, b)} is not known")
    best = max(score for score, _, _ in known)
    ties = [item for item in known if item[0] == best]
    leads = Leads.EITHER if len(ties) == 2 else ties[0][1]
    leader, follower = (b, a) if ties[0][1] is Leads.B else (a, b)
    apart = abs(ties[0][2][0] - ties[0][2][1])
    why = (
        f"{called(leader)} leads at {ties[0][2][0]:g}, {called(follower)} follows at {ties[0][2][1]:g}: {_apart(apart)}"
    )
    return Score(best, why, _apart(apart), leads)


def oriented_fast(compare: Compare, community: Community, left: Ints, right: Ints, **parameters: Any) -> Floats:
    """`oriented` for many pairs; NaN: unknown."""
    forward, backward = _both(compare, community, left, right, **parameters)
    ways = orientations(community, left, right)
    best = np.fmax(np.where(ways & A_LEADS, forward, np.nan), np.where(ways & B_LEADS, backward, np.nan))
    if (ways == 0).any():
        a_leads = community.roles[left] == Role.LEADER.value
        column_a = np.where(a_leads, community.leader_level[left], community.follower_level[left])
        column_b = np.where(a_leads, community.leader_level[right], community.follower_level[right])
        best = np.where(ways == 0, compare(column_a, column_b, **parameters), best)
    return np.asarray(best, dtype=np.float64)


def leads_fast(
    compare: Compare, community: Community, left: Ints, right: Ints, **parameters: Any
) -> npt.NDArray[np.int8]:
    """[n] who leads by level: 0 nobody can, 1 A, 2 B, 3 either (equal, or no level is known)."""
    forward, backward = _both(compare, community, left, right, **parameters)
    ways = orientations(community, left, right).astype(np.int8)
    by_level = np.where(forward > backward, A_LEADS, np.where(backward > forward, B_LEADS, 3))
    by_level = np.where(np.isnan(backward) & ~np.isnan(forward), A_LEADS, by_level)
    by_level = np.where(np.isnan(forward) & ~np.isnan(backward), B_LEADS, by_level)
    return np.where(ways == 3, by_level, ways).astype(np.int8)


def _both(compare: Compare, community: Community, left: Ints, right: Ints, **parameters: Any) -> tuple[Floats, Floats]:
    forward = compare(community.leader_level[left], community.follower_level[right], **parameters)
    backward = compare(community.leader_level[right], community.follower_level[left], **parameters)
    return forward, backward


def _same_role(compare: Compare, a: User, b: User, **parameters: Any) -> Score:
    # Such a pair is never listed; the number only completes the sum that --explain shows.
    role = Role.LEADER if Role.LEADER in a.roles else Role.FOLLOWER
    levels = a.level_as(role), b.level_as(role)
    if levels[0] is None or levels[1] is None:
        return Score(None, f"the level of {_unsaid(a, b)} is not known")
    return Score(
        float(compare(*levels, **parameters)), f"in the role that both dance: {_apart(abs(levels[0] - levels[1]))}"
    )


def _unsaid(a: User, b: User) -> str:
    lacking = [called(user) for user in (a, b) if _lacks(user)]
    return " and ".join(lacking) if lacking else "one of them in the role needed"


def _lacks(user: User) -> bool:
    return all(user.level_as(role) is None for role in (Role.LEADER, Role.FOLLOWER) if role in user.roles)


def _apart(apart: float) -> str:
    return "same level" if apart == 0 else f"{apart:g} level{'' if apart == 1 else 's'} apart"


def table(leader: Any, follower: Any) -> Any:
    """Rule 4: 100, 90, 70, 50, 30 for 0, 1, 2, 3, 4 and more levels apart, linear between."""
    return np.interp(np.abs(np.subtract(leader, follower)), KNOTS, SCORES)


def table_scalar(a: User, b: User) -> Score:
    """Rule 4 for two people."""
    return oriented(table, a, b)


def table_fast(community: Community, left: Ints, right: Ints) -> Floats:
    """Rule 4 for many pairs."""
    return oriented_fast(table, community, left, right)


COMPARES: dict[str, Compare] = {"level.table": table}
"""The pair function of each entry of this family that is symmetric in the two levels: what an index may tabulate."""


def _leader(level: float) -> User:
    return User(id="a", roles=Role.LEADER, leader_level=level)


def _follower(level: float) -> User:
    return User(id="b", roles=Role.FOLLOWER, follower_level=level)


ENTRIES: tuple[Entry, ...] = (
    Entry(
        name="level.table",
        words="100, 90, 70, 50, 30 for 0, 1, 2, 3, 4 and more levels apart; straight lines between",
        formula="piecewise linear in d = |leader_level - follower_level|",
        source="project",
        scalar=table_scalar,
        fast=table_fast,
        examples=(
            Example(given={"a": _leader(5), "b": _follower(6)}, expected=90.0),
            Example(given={"a": _leader(2), "b": _follower(7)}, expected=30.0),
            Example(given={"a": _leader(2), "b": _follower(3.5)}, expected=80.0, note="half levels lie on the line"),
        ),
    ),
)
