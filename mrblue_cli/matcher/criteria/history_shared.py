"""What two people's circles of partners have in common. PURE."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from mrblue_cli.matcher.compiled import Community, Floats, Ints
from mrblue_cli.matcher.criteria.base import Score, called, here
from mrblue_cli.matcher.criteria.history_graph import (
    Contacts,
    contacts,
    danced,
    degrees,
    known_fast,
    ones,
    picked,
    rows_of,
    shared,
    some_of,
    unmet,
)
from mrblue_cli.matcher.model import User
from mrblue_cli.matcher.registry import Entry, Example

if TYPE_CHECKING:
    from scipy.sparse import csr_array


def adamic(a: User, b: User, *, community: Community | None = None) -> Score:
    """Partners whom both danced with; one who danced with few people says more than one who danced with everybody.

    The sum of 1 / ln(partners of the shared one) has no upper end, so it is divided by the geometric mean of what
    each person would share with somebody of exactly the same partners: 100 for the same partners, 0 for none shared.
    Raises `UsageError` without a community.
    """
    community = here(community, "hist.adamic")
    met, (one, other) = contacts(community), rows_of(community, a, b)
    unknown = unmet(met, community, a, b)
    if unknown:
        return unknown
    common = sum(_rarity(met, row) for row in sorted(met[one].keys() & met[other].keys()))
    own = math.prod(sum(_rarity(met, row) for row in met[person]) for person in (one, other))
    names = shared(community, met, one, other)
    if not names:
        return Score(0.0, f"{called(a)} and {called(b)} have no partner in common", "no partner in common")
    why = f"{called(a)} and {called(b)} both danced with {some_of(names)}"
    return Score(min(100.0, 100.0 * common / math.sqrt(own)), why, f"both danced with {some_of(names, 2)}")


def _rarity(met: Contacts, row: int) -> float:
    # A partner of one person alone can be shared by nobody; it counts as one of two, so that no logarithm is 0.
    return 1.0 / math.log(max(2, len(met[row])))


def adamic_fast(community: Community, left: Ints, right: Ints) -> Floats:
    """`adamic` for many pairs; NaN: unknown."""
    graph = ones(community)
    rarity = 1.0 / np.log(np.maximum(2.0, degrees(community)))
    own = graph @ rarity
    weighted = graph.copy()
    weighted.data = np.repeat(rarity, np.diff(graph.indptr))
    common = picked(left, right, len(community), lambda rows: graph[rows] @ weighted)
    known = known_fast(community, left, right)
    limit = np.sqrt(np.where(known, own[left] * own[right], 1.0))
    return np.where(known, np.minimum(100.0, 100.0 * common / limit), np.nan)


def rcf(a: User, b: User, *, community: Community | None = None) -> Score:
    """Whether b's partners are people like a, and a's partners people like b.

    Likeness of two people is Jaccard's index of their partners. a's side of the score is the mean likeness to a of
    those whom b danced with (a counts as like a: the two danced together already), b's side the other way round; the
    harmonic mean of both, so that one side alone does not do. Raises `UsageError` without a community.
    """
    community = here(community, "hist.rcf")
    met, (one, other) = contacts(community), rows_of(community, a, b)
    unknown = unmet(met, community, a, b)
    if unknown:
        return unknown
    ours = sum(_alike(met, one, row) for row in met[other]) / len(met[other])
    theirs = sum(_alike(met, other, row) for row in met[one]) / len(met[one])
    value = 200.0 * (ours * theirs) / (ours + theirs) if ours + theirs > 0 else 0.0
    if not value:
        why = f"{called(a)} and {called(b)} have not both danced with people like the other"
        return Score(0.0, why, "no partners like the other's")
    most = max(met[other], key=lambda row: (_alike(met, one, row), -row))
    if most == one:
        return Score(min(100.0, value), f"{called(a)} and {called(b)} danced together before", "danced together before")
    like = community.names[most] or community.ids[most]
    why = f"{called(b)} danced with {like}, who shares partners with {called(a)}"
    return Score(min(100.0, value), why, f"{called(b)} danced with people like {called(a)}")


def _alike(met: Contacts, one: int, other: int) -> float:
    common = len(met[one].keys() & met[other].keys())
    return common / (len(met[one]) + len(met[other]) - common)


def rcf_fast(community: Community, left: Ints, right: Ints) -> Floats:
    """`rcf` for many pairs; NaN: unknown."""
    graph, count = ones(community), degrees(community)
    alike = community.derived("contact likeness", lambda: _likeness(graph, count))
    n, known = len(community), known_fast(community, left, right)
    ours = picked(left, right, n, lambda rows: alike[rows] @ graph) / np.where(known, count[right], 1.0)
    theirs = picked(left, right, n, lambda rows: graph[rows] @ alike) / np.where(known, count[left], 1.0)
    total = ours + theirs
    means = 200.0 * (ours * theirs) / np.where(total > 0, total, 1.0)
    return np.where(known, np.minimum(100.0, means), np.nan)


def _likeness(graph: csr_array, count: Floats) -> csr_array:
    """[people, people] Jaccard's index of partners, sparse."""
    common = (graph @ graph).tocoo()
    values = common.data / (count[common.row] + count[common.col] - common.data)
    common.data = values
    return common.tocsr()


_CIRCLE = (danced("a", "x", "y"), danced("b", "x", "z"), danced("x"), danced("y"), danced("z"))
_CIRCLE_OF_FIVE = Community(_CIRCLE)
_LINE = (danced("a", "f"), danced("f", "b"), danced("b", "g"), danced("g"))
_LINE_OF_FOUR = Community(_LINE)

ENTRIES: tuple[Entry, ...] = (
    Entry(
        name="hist.adamic",
        words="partners in common, those with few partners weigh more; leaders and followers who never change roles "
        "share none",
        formula="sum(1 / ln partners(z), z shared) / sqrt(the same over a's partners * over b's)",
        source="Adamic & Adar 2003",
        scalar=adamic,
        fast=adamic_fast,
        needs_community=True,
        needs_history=True,
        examples=(
            Example(
                given={"a": _CIRCLE[0], "b": _CIRCLE[1], "community": _CIRCLE_OF_FIVE},
                expected=50.0,
                note="one of two shared, all weigh 1 / ln 2",
            ),
            Example(
                given={"a": _LINE[0], "b": _LINE[1], "community": _LINE_OF_FOUR},
                expected=0.0,
                note="they danced together, but share nobody",
            ),
        ),
    ),
    Entry(
        name="hist.rcf",
        words="b danced with people like a, and a with people like b; like: the same partners",
        formula="harmonic mean of mean(J(a, y), y danced with b) and mean(J(b, x), x danced with a), J Jaccard's index",
        source="Xia et al. 2015",
        scalar=rcf,
        fast=rcf_fast,
        needs_community=True,
        needs_history=True,
        examples=(
            Example(
                given={"a": _LINE[0], "b": _LINE[3], "community": _LINE_OF_FOUR},
                expected=50.0,
                note="a-f-b-g: g's only partner b shares f with a, J = 1/2, and a's only partner f shares b with g",
            ),
            Example(
                given={"a": _LINE[0], "b": _LINE[2], "community": _LINE_OF_FOUR},
                expected=0.0,
                note="two apart in a line: b's partners f and g share nobody with a",
            ),
        ),
    ),
)
