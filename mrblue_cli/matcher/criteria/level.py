"""How far apart two people's levels are in the roles they would dance. PURE. Reference section 1, rule 4.

Each entry is one function of two levels (`level_kernels`); `oriented` and `oriented_fast` take the best known feasible
orientation, so that swapping the two people never changes a score. `level.stretch` alone is directed.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from mrblue_cli.matcher.compiled import Community, Floats, Ints
from mrblue_cli.matcher.criteria import level_kernels as kernels
from mrblue_cli.matcher.criteria.base import Score, called, listed
from mrblue_cli.matcher.criteria.level_kernels import KNOTS, SCORES, Compare, table
from mrblue_cli.matcher.criteria.role import A_LEADS, B_LEADS, can_lead, orientations
from mrblue_cli.matcher.model import Leads, Role, User
from mrblue_cli.matcher.registry import Entry, Example

__all__ = ["COMPARES", "ENTRIES", "KNOTS", "SCORES", "Compare", "leads_fast", "oriented", "oriented_fast", "table"]


def oriented(compare: Compare, a: User, b: User, **parameters: Any) -> Score:
    """The best known feasible orientation; with none feasible, the levels in the role that both dance."""
    if not can_lead(a, b) and not can_lead(b, a):
        return _same_role(compare, a, b, **parameters)
    known = [
        (float(compare(leads_at, follows_at, **parameters)), leads, leads_at, follows_at)
        for leader, follower, leads in _ways(a, b)
        if (leads_at := leader.leader_level) is not None and (follows_at := follower.follower_level) is not None
    ]
    if not known:
        return Score(None, _unsaid(a, b))
    best = max(score for score, *_ in known)
    ties = [item for item in known if item[0] == best]
    _, leads, leads_at, follows_at = ties[0]
    leader, follower = (a, b) if leads is Leads.A else (b, a)
    apart = _apart(leads_at, follows_at)
    why = f"{called(leader)} leads at {leads_at:g}, {called(follower)} follows at {follows_at:g}: {apart}"
    return Score(best, why, apart, Leads.EITHER if len(ties) == 2 else leads)


def oriented_fast(compare: Compare, community: Community, left: Ints, right: Ints, **parameters: Any) -> Floats:
    """`oriented` for many pairs; NaN: unknown."""
    forward, backward = _both(compare, community, left, right, **parameters)
    ways = orientations(community, left, right)
    best = np.fmax(np.where(ways & A_LEADS, forward, np.nan), np.where(ways & B_LEADS, backward, np.nan))
    if (ways == 0).any():
        best = np.where(ways == 0, compare(*_same_role_fast(community, left, right), **parameters), best)
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


def stretch(a: User, b: User, *, above: float = 1.0, spread: float = 2.0) -> Score:
    """How much a grows with b, in the orientation that rule 4 would choose; the mean of both where it is a tie.

    Were each side free to take the role that suits it, the two views could speak of two different dances.
    """
    chosen = oriented(table, a, b)
    if chosen.value is None:
        return chosen
    if chosen.leads is None:
        role = _shared_role(a)
        steps = [(a.level_as(role), b.level_as(role))]
    else:
        steps = [
            (a.leader_level, b.follower_level) if leads is Leads.A else (a.follower_level, b.leader_level)
            for *_, leads in _ways(a, b)
            if chosen.leads in (leads, Leads.EITHER)
        ]
    known = [(own, other) for own, other in steps if own is not None and other is not None]
    views = [float(kernels.stretch(own, other, above=above, spread=spread)) for own, other in known]
    told = listed([_step(own, other) for own, other in dict.fromkeys(known)])
    return Score(sum(views) / len(views), f"{called(b)} is {told} {called(a)}", _apart(*known[0]), chosen.leads)


def stretch_fast(community: Community, left: Ints, right: Ints, *, above: float = 1.0, spread: float = 2.0) -> Floats:
    """`stretch` for many pairs; NaN: unknown."""
    chosen = leads_fast(table, community, left, right)
    view = partial(kernels.stretch, above=above, spread=spread)
    leading = view(community.leader_level[left], community.follower_level[right])
    following = view(community.follower_level[left], community.leader_level[right])
    # Both orientations, none of which is known, come out as "either" too: their mean stays NaN.
    choices = [view(*_same_role_fast(community, left, right)), leading, following, (leading + following) / 2]
    return np.asarray(np.choose(chosen, choices), dtype=np.float64)


def _ways(a: User, b: User) -> list[tuple[User, User, Leads]]:
    """(leader, follower, who that is) of each feasible orientation."""
    both = ((a, b, Leads.A), (b, a, Leads.B))
    return [(leader, follower, leads) for leader, follower, leads in both if can_lead(leader, follower)]


def _both(compare: Compare, community: Community, left: Ints, right: Ints, **parameters: Any) -> tuple[Floats, Floats]:
    forward = compare(community.leader_level[left], community.follower_level[right], **parameters)
    backward = compare(community.leader_level[right], community.follower_level[left], **parameters)
    return forward, backward


def _shared_role(user: User) -> Role:
    return Role.LEADER if Role.LEADER in user.roles else Role.FOLLOWER


def _same_role(compare: Compare, a: User, b: User, **parameters: Any) -> Score:
    # Such a pair is never listed; the number only completes the sum that --explain shows.
    role = _shared_role(a)
    ours, theirs = a.level_as(role), b.level_as(role)
    if ours is None or theirs is None:
        return Score(None, _unsaid(a, b))
    return Score(float(compare(ours, theirs, **parameters)), f"in the role that both dance: {_apart(ours, theirs)}")


def _same_role_fast(community: Community, left: Ints, right: Ints) -> tuple[Floats, Floats]:
    """[n] levels of both in the left one's first role, which means something for pairs that share their only role."""
    leads = community.roles[left] & Role.LEADER.value > 0
    ours = np.where(leads, community.leader_level[left], community.follower_level[left])
    return ours, np.where(leads, community.leader_level[right], community.follower_level[right])


def _unsaid(a: User, b: User) -> str:
    """Who did not give the level in which role, of the roles that the two would take; the same for (b, a)."""
    asked = [
        taken for leader, follower, _ in _ways(a, b) for taken in ((leader, Role.LEADER), (follower, Role.FOLLOWER))
    ] or [(person, _shared_role(a)) for person in (a, b)]
    lacking = sorted({(person.id, called(person), role) for person, role in asked if person.level_as(role) is None})
    words = {Role.LEADER: "leader", Role.FOLLOWER: "follower"}
    return listed([f"{name} gave no level as {words[role]}" for _, name, role in lacking])


def _apart(ours: float, theirs: float) -> str:
    apart = abs(ours - theirs)
    return "same level" if apart == 0 else f"{_levels(apart)} apart"


def _levels(count: float) -> str:
    return f"{count:g} level{'' if count == 1 else 's'}"


def _step(own: float, other: float) -> str:
    if own == other:
        return "at the level of"
    return f"{_levels(abs(other - own))} {'above' if other > own else 'below'}"


table_scalar = partial(oriented, table)
"""Rule 4 for two people."""
table_fast = partial(oriented_fast, table)
"""Rule 4 for many pairs."""
COMPARES: dict[str, Compare] = {
    "level.table": table,
    "level.linear": kernels.linear,
    "level.gauss": kernels.gauss,
    "level.laplace": kernels.laplace,
    "level.epan": kernels.epan,
    "level.elo": kernels.elo,
    "level.trueskill": kernels.trueskill,
}
"""The pair function of each entry of this family that is symmetric in the two levels: what an index may tabulate."""


def _pair(leads_at: float, follows_at: float) -> dict[str, User]:
    return {
        "a": User(id="a", roles=Role.LEADER, leader_level=leads_at),
        "b": User(id="b", roles=Role.FOLLOWER, follower_level=follows_at),
    }


def _both_roles(name: str, leads_at: float, follows_at: float) -> User:
    return User(id=name, roles=Role.BOTH, leader_level=leads_at, follower_level=follows_at)


def _entry(
    name: str,
    words: str,
    formula: str,
    source: str,
    examples: tuple[tuple[float, float, float, str], ...],
    **parameters: float,
) -> Entry:
    """An entry whose function sees how far apart two levels are. Examples: leads at, follows at, score, note."""
    return Entry(
        name=name,
        words=words,
        formula=formula,
        source=source,
        scalar=partial(oriented, COMPARES[name]),
        fast=partial(oriented_fast, COMPARES[name]),
        examples=tuple(
            Example(given=_pair(leads_at, follows_at), expected=expected, note=note)
            for leads_at, follows_at, expected, note in examples
        ),
        parameters=parameters,
    )


_TWO_WAYS = {"a": _both_roles("a", 3, 8), "b": _both_roles("b", 8, 5)}
ENTRIES: tuple[Entry, ...] = (
    Entry(
        name="level.table",
        words="100, 90, 70, 50, 30 for 0, 1, 2, 3, 4 and more levels apart; straight lines between",
        formula="piecewise linear in d = |leader_level - follower_level|",
        source="project",
        scalar=table_scalar,
        fast=table_fast,
        examples=(
            Example(given=_pair(5, 6), expected=90.0),
            Example(given=_pair(2, 7), expected=30.0),
            Example(given=_pair(2, 3.5), expected=80.0, note="half levels lie on the line"),
            Example(given=_TWO_WAYS, expected=100.0, note="b leads a: 8 and 8; a leads b would be 3 and 5"),
        ),
    ),
    _entry(
        "level.linear",
        "falls evenly from 100 at the same level to 0 at the whole range of levels apart",
        "max(0, 1 - d / span)",
        "Gower 1971",
        ((1, 10, 0.0, "the whole range"), (5, 6, 88.89, "8/9"), (2, 6.5, 50.0, "half of the range")),
        span=kernels.SPAN,
    ),
    _entry(
        "level.gauss",
        "a bell curve: forgives small gaps, not large ones",
        "exp(-d^2 / (2 spread^2))",
        "Scholkopf & Smola 2002",
        ((5, 5, 100.0, ""), (5, 7, 60.65, "one spread: e^-0.5"), (9, 5, 13.53, "two spreads: e^-2")),
        spread=2.0,
    ),
    _entry(
        "level.laplace",
        "each level apart costs the same share of what is left",
        "exp(-d / tolerance)",
        "Shepard 1987",
        ((4, 7, 36.79, "e^-1"), (4, 5.5, 60.65, "e^-0.5"), (8, 8, 100.0, "")),
        tolerance=3.0,
    ),
    _entry(
        "level.epan",
        "a parabola that reaches 0 at the furthest gap that still counts",
        "max(0, 1 - (d / reach)^2)",
        "Epanechnikov 1969",
        ((5, 6, 96.0, "1 - 1/25"), (8, 5, 64.0, "1 - 9/25"), (2, 9, 0.0, "out of reach")),
        reach=5.0,
    ),
    _entry(
        "level.elo",
        "how even a contest would be if a level were worth 100 rating points",
        "1 - |2E - 1|, E = 1 / (1 + 10^(-d points / 400))",
        "Elo 1978",
        ((6, 6, 100.0, "E = 1/2"), (9, 5, 18.18, "400 points: E = 10/11"), (4, 6, 48.05, "200 points: E = 0.7597")),
        points=100.0,
    ),
    _entry(
        "level.trueskill",
        "chance of a draw when stated levels are means with a spread",
        "sqrt(2 beta^2 / c) exp(-d^2 / (2 c)), c = 2 beta^2 + 2 spread^2",
        "Herbrich et al. 2006",
        ((7, 7, 89.44, "sqrt(8/10)"), (7, 5, 73.23, "sqrt(0.8) e^-0.2"), (3, 7, 40.19, "sqrt(0.8) e^-0.8")),
        spread=1.0,
        beta=2.0,
    ),
    Entry(
        name="level.stretch",
        words="how much one grows with the other: most with a partner one level above one's own",
        formula="exp(-(other - own - above)^2 / (2 spread^2)), own and other level in the orientation of level.table",
        source="Vygotsky 1978",
        scalar=stretch,
        fast=stretch_fast,
        examples=(
            Example(given=_pair(5, 6), expected=100.0, note="one above"),
            Example(given=_pair(6, 5), expected=60.65, note="one below, two from the peak: e^-0.5"),
            Example(given=_pair(4, 4), expected=88.25, note="one from the peak: e^-0.125"),
            Example(given=_TWO_WAYS, expected=88.25, note="b leads a: 8 and 8"),
            Example(
                given={"a": _both_roles("a", 5, 5), "b": _both_roles("b", 4, 6)},
                expected=80.33,
                note="either way one apart: the mean of 100 and 60.65",
            ),
        ),
        symmetric=False,
        parameters={"above": 1.0, "spread": 2.0},
    ),
)
