"""Floors for the tests of rotation, and the rules that every rotation keeps."""

from __future__ import annotations

import itertools
from collections import Counter

import numpy as np
from hypothesis import strategies as st

from mrblue_cli.matcher.pairing.base import Floor

LEADER, FOLLOWER, BOTH = 1, 2, 3


def floor_of_roles(roles, scores=None, *, seed=0, blocked=()):
    """People p0, p1, ... in these roles; `scores` [n, n] or chance; `blocked` pairs of rows cannot dance."""
    n = len(roles)
    roles = np.array(roles, dtype=np.uint8)
    if scores is None:
        scores = np.random.default_rng(seed).integers(4100, 10001, (n, n)) / 100
    scores = np.triu(np.asarray(scores, dtype=np.float64).reshape(n, n), 1)
    scores += scores.T
    leads, follows = roles & LEADER > 0, roles & FOLLOWER > 0
    able = (leads[:, None] & follows[None, :]) | (follows[:, None] & leads[None, :])
    np.fill_diagonal(able, val=False)
    for a, b in blocked:
        able[a, b] = able[b, a] = False
    table = np.where(able, scores, np.nan)
    return Floor(ids=tuple(f"p{row:03d}" for row in range(n)), roles=roles, scores=table, views=table)


def two_sides(leaders, followers, *, seed=0, blocked=()):
    """Leaders first. `blocked`: (leader, follower) by their place on their side."""
    roles = [LEADER] * leaders + [FOLLOWER] * followers
    return floor_of_roles(roles, seed=seed, blocked=[(a, leaders + b) for a, b in blocked])


def floor_of_table(table):
    """Leaders in rows, followers in columns; None: cannot dance."""
    table = np.array([[np.nan if cell is None else cell for cell in row] for row in table], dtype=np.float64)
    leaders, followers = table.shape
    full = np.full((leaders + followers,) * 2, np.nan)
    full[:leaders, leaders:], full[leaders:, :leaders] = table, table.T
    roles = np.array([LEADER] * leaders + [FOLLOWER] * followers, dtype=np.uint8)
    ids = (*(f"L{i + 1}" for i in range(leaders)), *(f"M{j + 1}" for j in range(followers)))
    return Floor(ids=ids, roles=roles, scores=full, views=full)


def total(floor, rotation):
    return round(sum(floor.scores[pair] for tanda in rotation.tandas for pair in tanda.pairs), 6)


def dances(rotation):
    return Counter(row for tanda in rotation.tandas for pair in tanda.pairs for row in pair)


def sits(floor, rotation, *, without=()):
    """Sit-outs of each row that is not in a couple kept together."""
    kept = {row for pair in without for row in pair}
    danced = dances(rotation)
    return {row: len(rotation.tandas) - danced[row] for row in range(len(floor)) if row not in kept}


def squares(floor, rotation, *, without=()):
    return sum(count**2 for count in sits(floor, rotation, without=without).values())


def spread(floor, rotation, role, *, without=()):
    counts = [count for row, count in sits(floor, rotation, without=without).items() if floor.roles[row] == role]
    return max(counts, default=0) - min(counts, default=0)


def check(floor, rotation, tandas, together=()):
    """What holds of every rotation, whatever the method."""
    assert len(rotation.tandas) <= tandas
    kept = {frozenset(pair) for pair in together}
    seen = set()
    for tanda in rotation.tandas:
        rows = [row for pair in tanda.pairs for row in pair]
        assert len(rows) == len(set(rows)), "somebody twice in one tanda"
        assert sorted([*rows, *tanda.sits_out]) == list(range(len(floor)))
        assert list(tanda.sits_out) == sorted(tanda.sits_out)
        assert list(tanda.pairs) == sorted(tanda.pairs)
        for leader, follower in tanda.pairs:
            assert not np.isnan(floor.scores[leader, follower]), "cannot dance"
            assert floor.roles[leader] & LEADER
            assert floor.roles[follower] & FOLLOWER
        found = {frozenset(pair) for pair in tanda.pairs}
        assert kept <= found, "a couple apart"
        assert not (found - kept) & seen, "the same two twice"
        seen |= found
    if len(rotation.tandas) < tandas:
        assert "stops after" in rotation.note or "nobody here" in rotation.note
    return rotation


@st.composite
def sided(draw, most=6, blocked=True):
    """A floor of leaders and followers in any order of ids, some pairs blocked, many ties; and a number of tandas."""
    roles = draw(st.lists(st.sampled_from([LEADER, FOLLOWER]), max_size=2 * most))
    return _scored(draw, roles, blocked=blocked), draw(st.integers(1, most + 2))


@st.composite
def mixed(draw, most=7, blocked=True):
    """Likewise with people of both roles."""
    roles = draw(st.lists(st.sampled_from([LEADER, FOLLOWER, BOTH, BOTH]), max_size=most))
    return _scored(draw, roles, blocked=blocked), draw(st.integers(1, 5))


@st.composite
def tiny(draw):
    """At most four leaders and four followers, up to four tandas: small enough to try everything."""
    leaders, followers = draw(st.integers(0, 4)), draw(st.integers(0, 4))
    roles = draw(st.permutations([LEADER] * leaders + [FOLLOWER] * followers))
    return _scored(draw, roles, blocked=True), draw(st.integers(1, 4))


def _scored(draw, roles, *, blocked):
    n = len(roles)
    values = st.sampled_from([41.0, 60.0, 60.0, 72.5, 88.25, 100.0])
    scores = draw(st.lists(values, min_size=n * n, max_size=n * n))
    pairs = list(itertools.combinations(range(n), 2))
    barred = draw(st.lists(st.sampled_from(pairs), max_size=n)) if blocked and pairs else []
    return floor_of_roles(roles, scores, blocked=barred)


@st.composite
def with_couples(draw, floors):
    """A floor, a number of tandas, and up to two couples kept together."""
    floor, tandas = draw(floors)
    possible = [(a, b) for a, b in itertools.combinations(range(len(floor)), 2) if not np.isnan(floor.scores[a, b])]
    couples = []
    for _ in range(draw(st.integers(0, 2))):
        free = [pair for pair in possible if not any(set(pair) & set(other) for other in couples)]
        if free:
            pair = draw(st.sampled_from(free))
            couples.append(pair if draw(st.booleans()) else pair[::-1])
    return floor, tandas, tuple(couples)
