"""Small floors as hypothesis draws them: ties, people who cannot dance together, sides of different size or none."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from mrblue_cli.matcher.model import Role
from mrblue_cli.matcher.pairing.base import Floor

SCORES = st.sampled_from([0.0, 10.0, 40.0, 49.5, 50.0, 60.0, 60.0, 70.25, 80.0, 90.0, 99.9, 100.0])
FINE = st.floats(41, 100).map(lambda value: round(value, 3))


def floor(roles, cells, views=None):
    """People of these roles; `cells[a][b]` with a < b is a score or None. `views` [n][n] likewise, read where able."""
    n = len(roles)
    roles = np.array(roles, dtype=np.uint8)
    scores, wanted = np.full((n, n), np.nan), np.full((n, n), np.nan)
    for a in range(n):
        for b in range(a + 1, n):
            able = (roles[a] & 1 and roles[b] & 2) or (roles[b] & 1 and roles[a] & 2)
            if able and cells[a][b] is not None:
                scores[a, b] = scores[b, a] = cells[a][b]
                wanted[a, b], wanted[b, a] = (cells[a][b],) * 2 if views is None else (views[a][b], views[b][a])
    return Floor(ids=tuple(f"p{row:03}" for row in range(n)), roles=roles, scores=scores, views=wanted)


@st.composite
def floors(draw, roles=(1, 2), most=7, directed=False, scores=SCORES, blocked=True):
    chosen = draw(st.lists(st.sampled_from([Role(role) for role in roles]), max_size=most))
    n = len(chosen)
    share = st.one_of(st.none(), scores, scores, scores) if blocked else scores
    cells = draw(st.lists(st.lists(share, min_size=n, max_size=n), min_size=n, max_size=n))
    views = draw(st.lists(st.lists(scores, min_size=n, max_size=n), min_size=n, max_size=n)) if directed else None
    return floor([role.value for role in chosen], cells, views)


def two_sided(**more):
    return floors(**more)


def mixed(**more):
    return floors(roles=(1, 2, 3, 3, 3), **more)


def crowd(leaders, followers, seed=0, *, grid=None, blocked=0.0, directed=False, both=0):
    """A floor of any size: random scores, on a grid if asked for."""
    n = leaders + followers + both
    chance = np.random.default_rng(seed)
    roles = np.array([1] * leaders + [2] * followers + [3] * both, dtype=np.uint8)
    views = chance.uniform(41, 100, (n, n))
    if grid:
        views = np.round(views / grid) * grid
    views = views if directed else np.triu(views, 1) + np.triu(views, 1).T
    scores = (views + views.T) / 2
    leads, follows = roles & 1 > 0, roles & 2 > 0
    able = (leads[:, None] & follows[None, :]) | (follows[:, None] & leads[None, :])
    out = np.triu(chance.random((n, n)) < blocked, 1)
    able &= ~(out | out.T) & ~np.eye(n, dtype=bool)
    ids = tuple(f"p{row:04}" for row in range(n))
    return Floor(ids=ids, roles=roles, scores=np.where(able, scores, np.nan), views=np.where(able, views, np.nan))


def is_pairing(floor, found):
    """Nobody twice, only people who can dance together, in the one order."""
    rows = [row for pair in found.pairs for row in pair]
    assert len(rows) == len(set(rows))
    assert all(a < b and not np.isnan(floor.scores[a, b]) for a, b in found.pairs)
    assert list(found.pairs) == sorted(found.pairs)
    assert all(type(row) is int for row in rows)
    return True
