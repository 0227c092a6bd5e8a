"""The rules of the baseline written a second time, straight from the specification, against the product's own."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings

from mrblue_cli.matcher.model import Role
from mrblue_cli.matcher.recipe import make_recipe
from mrblue_cli.matcher.scoring import explain, score
from tests.matcher.strategies import communities

WEIGHTS = (0.40, 0.30, 0.15, 0.10, 0.05)


def ways(a, b):
    found = []
    if Role.LEADER in a.roles and Role.FOLLOWER in b.roles:
        found.append((a, b))
    if Role.LEADER in b.roles and Role.FOLLOWER in a.roles:
        found.append((b, a))
    return found


def role(a, b):
    return {0: 0.0, 1: 100.0, 2: 80.0}[len(ways(a, b))]


def level(a, b):
    gaps = [
        abs(leader.leader_level - follower.follower_level)
        for leader, follower in ways(a, b)
        if leader.leader_level is not None and follower.follower_level is not None
    ]
    if not gaps:
        return None
    gap = min(gaps)
    knots = [100, 90, 70, 50, 30]
    if gap >= 4:
        return 30.0
    below = math.floor(gap)
    return knots[below] + (gap - below) * (knots[below + 1] - knots[below])


def vector(place):
    phi, theta = math.radians(place.lat), math.radians(place.lon)
    return np.array([math.cos(phi) * math.cos(theta), math.cos(phi) * math.sin(theta), math.sin(phi)])


def location(a, b):
    p, q = a.place, b.place
    if None not in {p.lat, p.lon, q.lat, q.lon}:
        # The spherical law of cosines by vectors: another road to the same distance than the product's.
        u, v = vector(p), vector(q)
        km = 6371.0088 * math.atan2(np.linalg.norm(np.cross(u, v)), float(u @ v))
        return 100 * 0.5 ** (max(0, km - 5) / 25)
    if not p.country or not q.country:
        return None
    if p.country != q.country:
        return 0.0
    return 100.0 if p.city and p.city.lower() == q.city.lower() else 40.0


def style(a, b):
    ours, theirs = set(a.styles), set(b.styles)
    return 100 * len(ours & theirs) / len(ours | theirs) if ours and theirs else None


def schedule(a, b):
    if not a.hours or not b.hours:
        return None
    free = [set().union(*(range(*span) for span in user.hours)) for user in (a, b)]
    return 100 * min(1, len(free[0] & free[1]) / 120)


def by_the_rules(a, b):
    terms = [rule(a, b) for rule in (role, level, location, style, schedule)]
    fill = lambda unknown: sum(w * (unknown if t is None else t) for w, t in zip(WEIGHTS, terms, strict=True))  # noqa: E731
    known = sum(w for w, t in zip(WEIGHTS, terms, strict=True) if t is not None)
    overall = round(fill(50), 2)
    label = "excellent" if overall > 80 else "good" if overall > 60 else "fair"
    return terms, fill(50), fill(0), fill(100), known, label if known >= 0.70 - 1e-9 else "not enough data"


@settings(max_examples=60, deadline=None)
@given(communities(2, 8))
def test_scores_follow_the_rules(community):
    recipe = make_recipe()
    people = [community.user(row) for row in range(len(community))]
    left, right = np.triu_indices(len(people), 1)
    fast = score(community, left, right, recipe)
    for n, (i, j) in enumerate(zip(left.tolist(), right.tolist(), strict=True)):
        a, b = people[i], people[j]
        if not ways(a, b):
            assert not fast.feasible[n]
            continue
        terms, overall, low, high, known, label = by_the_rules(a, b)
        pair = explain(a, b, recipe)
        shown = [pair.breakdown[slot].score for slot in ("role", "level", "location", "style", "schedule")]
        assert [term is None for term in shown] == [term is None for term in terms]
        assert [term or 0 for term in shown] == pytest.approx([term or 0 for term in terms], abs=1e-6)
        for found in ((pair.overall, pair.low, pair.high), (fast.overall[n], fast.low[n], fast.high[n])):
            assert found == pytest.approx((overall, low, high), abs=1e-6)
        assert pair.coverage == pytest.approx(known)
        if abs(overall - 60) > 0.01 and abs(overall - 80) > 0.01:
            assert pair.label == label
