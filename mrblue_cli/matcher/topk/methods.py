"""The ways to the best k, as entries of the catalogue. PURE.

Each is `method(community, recipe, rows, k) -> Found`. The plain form compares everybody in full.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mrblue_cli.matcher.columns import Ints
from mrblue_cli.matcher.compiled import Community
from mrblue_cli.matcher.model import Place, Role, User
from mrblue_cli.matcher.recipe import Choice, Recipe
from mrblue_cli.matcher.registry import Entry, Example
from mrblue_cli.matcher.topk import ta
from mrblue_cli.matcher.topk.base import Found
from mrblue_cli.matcher.topk.scan import Scan


def plain(community: Community, recipe: Recipe, rows: Ints, k: int) -> Found:
    """Everybody with everybody, one pair after the other; sorted by falling score, then by smaller id."""
    from mrblue_cli.matcher.scoring import explain

    found = Found(rows=np.full((len(rows), k), -1, dtype=np.int64), scores=np.full((len(rows), k), np.nan))
    users = [community.user(row) for row in range(len(community))]
    for index, row in enumerate(np.asarray(rows).tolist()):
        ranked = []
        for other, user in enumerate(users):
            pair = explain(users[row], user, recipe, community)
            if other != row and pair.feasible:
                ranked.append((-pair.overall, other))
        for place, (score, other) in enumerate(sorted(ranked)[:k]):
            found.rows[index, place], found.scores[index, place] = other, -score
    return found


def bound(community: Community, recipe: Recipe, rows: Ints, k: int) -> Found:
    """Best first through groups and trees by an upper bound; a recipe that has none is compared in full."""
    from mrblue_cli.matcher.topk.search import prepare

    return prepare(community, recipe, engine="compiled").find(np.asarray(rows, dtype=np.int64), k)


def threshold(community: Community, recipe: Recipe, rows: Ints, k: int) -> Found:
    """Fagin's threshold algorithm; a recipe that is not a plain mean is compared in full."""
    if not ta.serves(recipe):
        return Scan(community, recipe).find(np.asarray(rows, dtype=np.int64), k)
    return ta.threshold(community, recipe, np.asarray(rows, dtype=np.int64), k)


def _given() -> dict[str, Any]:
    # Ana follows at 6. Ben: 100, 90, 100, 50, 50: 89.5. Cem: 100, 70, 100, 50, 50: 83.5. Dan, the same as Cem, ties and
    # comes after him by id. Eva only follows and is no partner for Ana.
    place, slots = Place(lat=52.52, lon=13.405), (("role", "role.orient", 0.40), ("level", "level.table", 0.30))
    rest = ("location", "geo.half", 0.15), ("style", "set.jaccard", 0.10), ("schedule", "time.enough", 0.05)
    leaders = [
        User(id=name, roles=Role.LEADER, leader_level=level, place=place)
        for name, level in (("ben", 5.0), ("cem", 4.0), ("dan", 8.0))
    ]
    others = [User(id=name, roles=Role.FOLLOWER, follower_level=6.0, place=place) for name in ("ana", "eva")]
    choices = tuple(Choice(slot=slot, entry=entry, weight=weight) for slot, entry, weight in (*slots, *rest))
    return {
        "community": Community([*leaders, *others]),
        "recipe": Recipe(choices=choices),
        "rows": np.array([0], dtype=np.int64),
        "k": 4,
    }


_EXAMPLE = Example(
    given=_given(),
    expected=Found(rows=np.array([[1, 2, 3, -1]]), scores=np.array([[89.5, 83.5, 83.5, np.nan]])),
    note="Cem and Dan are both two levels off: the tie goes to the smaller id",
)
ENTRIES: tuple[Entry, ...] = (
    Entry(
        name="top.bound",
        words="groups by role and level, each a tree by place and taste, opened by falling bound until none can matter",
        formula="0.40 role + 0.30 level + 0.15 place + 0.10 style + 0.05 schedule, each at its most below a node",
        source="project",
        scalar=plain,
        fast=bound,
        examples=(_EXAMPLE,),
    ),
    Entry(
        name="top.ta",
        words="a sorted list for each criterion, read in parallel until nobody unread can be among the best",
        formula="stop when the k-th score > sum(w_i * last value read in list i)",
        source="Fagin et al. 2003",
        scalar=plain,
        fast=threshold,
        examples=(_EXAMPLE,),
    ),
)
