"""How near two people are in the whole graph of who danced with whom. PURE."""

from __future__ import annotations

import numpy as np

from mrblue_cli.core.errors import UsageError
from mrblue_cli.matcher.compiled import Community, Floats, Ints
from mrblue_cli.matcher.criteria.base import Score, called, here
from mrblue_cli.matcher.criteria.history_graph import (
    Dense,
    contacts,
    danced,
    degrees,
    graph,
    known_fast,
    members,
    ones,
    rows_of,
    shared,
    some_of,
    unmet,
)
from mrblue_cli.matcher.model import User
from mrblue_cli.matcher.registry import Entry, Example

MOST_FOR_WALK = 3000
MOST_FOR_SIMRANK = 3000
"""People with a history: both keep a table of everybody with everybody (72 MB each)."""
RESTART = 0.15
DECAY, ROUNDS = 0.8, 10
_REST = 1e-14
"""A walk is followed until this share of it is left."""


def walk(a: User, b: User, *, restart: float = RESTART, community: Community | None = None) -> Score:
    """How often a walk over dances that begins at a, and goes back there now and then, is at b.

    From each person the walk goes on to one they danced with, those danced with more often more likely; before each
    step it goes back to a with chance `restart`. Where it is, r_a(b), depends on how much each of the two dances, so
    r_a(b) sqrt(dances of a / dances of b) is taken, which is the same from b to a, over the geometric mean of the same
    from a to a and from b to b: 100 for oneself, 0 where no chain of partners leads. Raises `UsageError` without a
    community, above `MOST_FOR_WALK` people with a history, for a `restart` outside 0..1.
    """
    community = here(community, "hist.walk")
    _checked(restart, "hist.walk", "restart", RESTART)
    members(community, "hist.walk", MOST_FOR_WALK)
    met, (one, other) = contacts(community), rows_of(community, a, b)
    unknown = unmet(met, community, a, b)
    if unknown:
        return unknown
    # From the smaller row to the larger, so that swapping the two changes not even the rounding.
    start, end = sorted((one, other))
    ours, theirs = (_visits(community, row, restart) for row in (start, end))
    balance = np.sqrt(sum(met[start].values()) / sum(met[end].values()))
    value = min(100.0, float(100.0 * ours[end] * balance / np.sqrt(ours[start] * theirs[end])))
    if other in met[one]:
        return Score(value, f"{called(a)} and {called(b)} danced together before", "danced together before")
    names = shared(community, met, one, other)
    if names:
        return Score(value, f"{called(a)} and {called(b)} both danced with {some_of(names)}", "partners in common")
    if value > 0:
        return Score(value, f"a chain of partners leads from {called(a)} to {called(b)}", "linked by partners")
    return Score(0.0, f"no chain of partners leads from {called(a)} to {called(b)}", "no partners link them")


def _visits(community: Community, row: int, restart: float) -> Floats:
    """[people] share of time of a walk from `row`, step by step; kept."""

    def make() -> Floats:
        dances = graph(community)
        strength = np.asarray(dances.sum(axis=1))
        flow = np.zeros(len(community))
        flow[row], left, total = 1.0, 1.0, np.zeros(len(community))
        while left > _REST:
            total += restart * left * flow
            # The graph is symmetric, so what comes in from all sides is a plain product.
            flow = dances @ np.divide(flow, strength, out=np.zeros_like(flow), where=strength > 0)
            left *= 1.0 - restart
        return total

    return community.derived(("walk", row, restart), make)


def walk_fast(community: Community, left: Ints, right: Ints, *, restart: float = RESTART) -> Floats:
    """`walk` for many pairs; NaN: unknown."""
    _checked(restart, "hist.walk", "restart", RESTART)
    rows = members(community, "hist.walk", MOST_FOR_WALK)
    near = community.derived(("walks", restart), lambda: Dense(community, _nearness(community, rows, restart)))
    return np.where(known_fast(community, left, right), near.at(left, right), np.nan)


def _nearness(community: Community, rows: Ints, restart: float) -> Floats:
    """[members, members] 0..100: all walks at once, as the inverse of a symmetric matrix."""
    dances = graph(community)[rows][:, rows].toarray()
    root = np.sqrt(dances.sum(axis=1))
    table = np.eye(len(rows)) - (1.0 - restart) * dances / root[:, None] / root[None, :]
    visits = np.linalg.inv(table) if len(rows) else table
    own = np.sqrt(np.diag(visits))
    near = visits / own[:, None] / own[None, :]
    # Rounding leaves the two halves a hair apart and unlinked people a hair off 0.
    near = (near + near.T) / 2.0
    return np.clip(100.0 * np.where(_linked(community, rows), near, 0.0), 0.0, 100.0)


def _linked(community: Community, rows: Ints) -> np.ndarray[tuple[int, int], np.dtype[np.bool_]]:
    from scipy.sparse.csgraph import connected_components

    _, part = connected_components(graph(community)[rows][:, rows], directed=False)
    return np.asarray(part[:, None] == part[None, :])


def simrank(
    a: User, b: User, *, decay: float = DECAY, rounds: int = ROUNDS, community: Community | None = None
) -> Score:
    """How similar b is to those a danced with, and a to those b danced with; similar: danced with similar people.

    SimRank says how alike two people of one side are: s(x, x) = 1, else `decay` times the mean similarity of x's
    partners with y's, worked out in `rounds` rounds from nothing. A leader and a follower are mostly not alike in this
    sense, so a pair scores the mean similarity of b to a's partners (b among them counts 1), averaged with the other
    way round. Raises `UsageError` without a community, above `MOST_FOR_SIMRANK` people with a history, for a `decay`
    outside 0..1 or fewer than one round.
    """
    community = here(community, "hist.simrank")
    _checked(decay, "hist.simrank", "decay", DECAY)
    _checked_rounds(rounds)
    rows = members(community, "hist.simrank", MOST_FOR_SIMRANK)
    met, (one, other) = contacts(community), rows_of(community, a, b)
    unknown = unmet(met, community, a, b)
    if unknown:
        return unknown
    place = {int(row): index for index, row in enumerate(rows)}
    alike = community.derived(("simrank", decay, rounds), lambda: _similar(community, rows, decay, rounds))
    ours = float(np.mean([alike[place[one], place[row]] for row in met[other]]))
    theirs = float(np.mean([alike[place[other], place[row]] for row in met[one]]))
    value = min(100.0, 50.0 * (ours + theirs))
    how = "much like" if value >= 50.0 else "somewhat like" if value >= 20.0 else "hardly like"
    why = f"{called(a)} and {called(b)} are {how} those whom the other danced with"
    return Score(value, why, f"{how} each other's partners")


def _similar(community: Community, rows: Ints, decay: float, rounds: int) -> Floats:
    """[members, members] SimRank, person by person."""
    met = contacts(community)
    place = {int(row): index for index, row in enumerate(rows)}
    partners = [[place[other] for other in met[int(row)]] for row in rows]
    table = np.eye(len(rows))
    for _ in range(rounds):
        half = np.array([table[known].mean(axis=0) for known in partners])
        table = decay * np.array([half[:, known].mean(axis=1) for known in partners])
        np.fill_diagonal(table, 1.0)
    return table


def simrank_fast(
    community: Community, left: Ints, right: Ints, *, decay: float = DECAY, rounds: int = ROUNDS
) -> Floats:
    """`simrank` for many pairs; NaN: unknown."""
    _checked(decay, "hist.simrank", "decay", DECAY)
    _checked_rounds(rounds)
    rows = members(community, "hist.simrank", MOST_FOR_SIMRANK)
    fit = community.derived(
        ("simranks", decay, rounds), lambda: Dense(community, _fits(community, rows, decay, rounds))
    )
    return np.where(known_fast(community, left, right), fit.at(left, right), np.nan)


def _fits(community: Community, rows: Ints, decay: float, rounds: int) -> Floats:
    """[members, members] 0..100 `simrank` of everybody with everybody, as products of a sparse matrix."""
    step = ones(community)[rows][:, rows]
    step.data = np.repeat(1.0 / degrees(community)[rows], np.diff(step.indptr))
    table = np.eye(len(rows))
    for _ in range(rounds):
        table = decay * (step @ (step @ table).T)
        np.fill_diagonal(table, 1.0)
    half = step @ table
    return np.asarray(np.minimum(100.0, 50.0 * (half + half.T)))


def _checked(value: float, entry: str, name: str, default: float) -> None:
    if not 0.0 < value < 1.0:
        raise UsageError(f"{entry} takes a {name} between 0 and 1, not {value:g}", hint=f"the default is {default:g}")


def _checked_rounds(rounds: int) -> None:
    if rounds < 1:
        raise UsageError(f"hist.simrank takes one round or more, not {rounds}", hint=f"the default is {ROUNDS}")


_LINE = (danced("a", "f"), danced("b", "g"), danced("f", "b"), danced("g"))
_LINE_OF_FOUR = Community(_LINE)
_CHAIN = (danced("a", "m"), danced("b", "m"), danced("m"), danced("x", "y"), danced("y"))
_CHAIN_AND_COUPLE = Community(_CHAIN)

ENTRIES: tuple[Entry, ...] = (
    Entry(
        name="hist.walk",
        words="how often a walk over dances that begins at one and goes back there now and then is at the other",
        formula="K(a, b) / sqrt(K(a, a) K(b, b)), K = restart (I - (1 - restart) D^-1/2 W D^-1/2)^-1, W times danced",
        source="Tong et al. 2006",
        scalar=walk,
        fast=walk_fast,
        needs_community=True,
        needs_history=True,
        parameters={"restart": RESTART},
        examples=(
            Example(
                given={"a": _CHAIN[3], "b": _CHAIN[4], "community": _CHAIN_AND_COUPLE},
                expected=85.0,
                note="a couple: K is proportional to 1, 0.85 / 0.85, 1",
            ),
            Example(
                given={"a": _CHAIN[0], "b": _CHAIN[1], "community": _CHAIN_AND_COUPLE},
                expected=56.56,
                note="a-m-b: q^2 / (1 - q^2), q = 0.85 / sqrt(2)",
            ),
            Example(
                given={"a": _CHAIN[0], "b": _CHAIN[3], "community": _CHAIN_AND_COUPLE},
                expected=0.0,
                note="no chain of partners",
            ),
        ),
    ),
    Entry(
        name="hist.simrank",
        words="b is similar to those a danced with and a to those b danced with; similar: danced with similar people",
        formula="(mean(s(a, y), y danced with b) + mean(s(b, x), x danced with a)) / 2, "
        "s(x, y) = decay * mean of s over their partners, s(x, x) = 1",
        source="Jeh & Widom 2002",
        scalar=simrank,
        fast=simrank_fast,
        needs_community=True,
        needs_history=True,
        parameters={"decay": DECAY, "rounds": ROUNDS},
        examples=(
            Example(
                given={"a": _LINE[0], "b": _LINE[3], "community": _LINE_OF_FOUR, "rounds": 2},
                expected=56.0,
                note="a-f-b-g: s(a, b) = s(f, g) = 0.4 (1 + s(f, g)): 0.4, 0.56",
            ),
            Example(
                given={"a": _LINE[0], "b": _LINE[2], "community": _LINE_OF_FOUR, "rounds": 2},
                expected=89.0,
                note="they danced: ((1 + 0.56) / 2 + 1) / 2",
            ),
            Example(
                given={"a": _LINE[0], "b": _LINE[3], "community": _LINE_OF_FOUR},
                expected=66.66,
                note="2/3 (1 - 0.4^10)",
            ),
        ),
    ),
)
