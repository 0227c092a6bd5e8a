"""Aggregations that look at everybody, from inside the score, a floor and an explanation."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mrblue_cli.core.errors import UsageError
from mrblue_cli.matcher import registry, scoring
from mrblue_cli.matcher.aggregation.transfers import tu
from mrblue_cli.matcher.compiled import Community
from mrblue_cli.matcher.model import Place, Role, User, Wishes
from mrblue_cli.matcher.pairing.base import floor_of
from mrblue_cli.matcher.recipe import make_recipe
from tests.matcher.strategies import people

LISTWISE = [entry.name for entry in registry.family("agg") if entry.listwise]
DIRECTED = {"role": 1.0, "level": 1.0, "location": 0.0, "style": 0.0, "schedule": 0.0, "wishes": 1.0}
few = settings(max_examples=6)


def everybody(community):
    return np.triu_indices(len(community), 1)


def leader(name, level=None, **more):
    return User(id=name, roles=Role.LEADER, leader_level=level, **more)


def follower(name, level=None, **more):
    return User(id=name, roles=Role.FOLLOWER, follower_level=level, **more)


@pytest.mark.parametrize("name", LISTWISE)
@few
@given(group=people(2, 7), strict=st.booleans())
def test_scores_are_those_of_the_plain_form_over_all_feasible_pairs(name, group, strict):
    recipe, community = make_recipe(aggregate=name, strict=strict), Community(group)
    left, right = everybody(community)
    found = scoring.score(community, left, right, recipe)
    rows = found.terms[found.feasible]
    plain = registry.find(name).scalar(
        np.where(np.isnan(rows), 50.0, rows).round(9).tolist(), [choice.weight for choice in recipe.choices]
    )
    assert found.overall[found.feasible] == pytest.approx(plain, abs=1e-9)
    assert (found.overall[~found.feasible] == 0).all()
    assert found.low.tolist() == found.high.tolist() == found.overall.tolist()
    # Either way round, and in any order of input.
    turned = scoring.score(Community(group[::-1]), right, left, recipe)
    assert turned.overall.tolist() == found.overall.tolist()


@pytest.mark.parametrize("name", LISTWISE)
@few
@given(group=people(2, 6))
def test_an_explanation_says_the_same_as_the_table(name, group):
    recipe, community = make_recipe(aggregate=name), Community(group)
    left, right = everybody(community)
    found = scoring.score(community, left, right, recipe)
    for n, (i, j) in enumerate(zip(left.tolist(), right.tolist(), strict=True)):
        a, b = community.user(i), community.user(j)
        for pair in (scoring.explain(a, b, recipe, community), scoring.explain(b, a, recipe, community)):
            assert pair.overall == pair.low == pair.high == found.overall[n]
            assert sum(term.points for term in pair.breakdown.values()) == pytest.approx(pair.overall)
            assert pair.feasible == found.feasible[n]


@pytest.mark.parametrize("name", LISTWISE)
def test_a_floor_holds_the_same_scores_as_the_table(name):
    community = Community([leader("a", 5), leader("b", 8), follower("c", 5), follower("d", 2)])
    recipe = make_recipe(aggregate=name)
    floor = floor_of(community, recipe)
    left, right = everybody(community)
    found = scoring.score(community, left, right, recipe)
    expected = np.where(found.feasible, found.overall, np.nan)
    assert floor.scores[left, right] == pytest.approx(expected, nan_ok=True)
    assert floor.scores[right, left] == pytest.approx(expected, nan_ok=True)
    # Nothing directed has weight: what one wants is what both get.
    assert floor.views == pytest.approx(floor.scores, nan_ok=True)
    # a with c (levels 5 and 5) beats all others.
    assert np.nanargmax(floor.scores) == 2


def test_strict_wishes_leave_pairs_out_of_the_comparison():
    far = Wishes(max_km=10)
    group = [
        leader("a", 5, place=Place(lat=52.5, lon=13.4), wishes=far),
        follower("b", 5, place=Place(lat=52.5, lon=13.4)),
        follower("c", 5, place=Place(lat=48.9, lon=2.4)),
    ]
    both, near = (
        scoring.score(
            Community(group), np.array([0, 0]), np.array([1, 2]), make_recipe(aggregate="agg.borda", strict=strict)
        )
        for strict in (False, True)
    )
    assert both.overall.tolist() == pytest.approx([57.5, 42.5])  # better by location (0.15) alone
    assert near.overall.tolist() == [50.0, 0.0]
    assert near.feasible.tolist() == [True, False]


def wishing():
    return [
        leader("a", 5, wishes=Wishes(level_min=4)),
        leader("b", 7, wishes=Wishes(level_min=8)),
        follower("c", 5, wishes=Wishes(level_min=6)),
        follower("d", 9, wishes=Wishes(level_min=6, level_max=8)),
    ]


def test_directed_views_are_compared_in_one_list_of_both_sides():
    community, recipe = Community(wishing()), make_recipe(DIRECTED, aggregate="agg.topsis")
    left, right = np.array([0, 0, 1, 1]), np.array([2, 3, 2, 3])
    weights = [choice.weight for choice in recipe.choices]
    pointwise = [scoring._viewed(community, one, other, recipe) for one, other in ((left, right), (right, left))]
    table = np.concatenate(pointwise)
    plain = registry.find("agg.topsis").scalar(np.where(np.isnan(table), 50.0, table).tolist(), weights)
    assert scoring.views(community, left, right, recipe) == pytest.approx(plain[:4])
    assert scoring.views(community, right, left, recipe) == pytest.approx(plain[4:])
    # a likes c more than c likes a.
    floor = floor_of(community, recipe)
    assert floor.views[0, 2] > floor.views[2, 0]
    assert floor.scores[0, 2] == floor.scores[2, 0]


def test_a_community_too_large_to_compare_is_refused_at_once():
    many = scoring.MOST_FOR_LISTWISE + 1
    community = Community(leader(f"p{n:05}", 5) if n % 2 else follower(f"p{n:05}", 5) for n in range(many))
    one = np.array([0])
    with pytest.raises(UsageError, match="2,001 people are too many"):
        scoring.score(community, one, one + 1, make_recipe(aggregate="agg.vikor"))
    with pytest.raises(UsageError, match=r"two\.tu"):
        scoring.score(community, one, one + 1, make_recipe(DIRECTED, fuse="two.tu"))
    # Without a directed criterion there is no market to settle.
    assert scoring.score(community, one, one + 1, make_recipe(fuse="two.tu")).overall[0] > 0


def test_two_people_without_their_community_cannot_be_compared():
    a, b = leader("a", 5), follower("b", 5)
    for recipe in (make_recipe(aggregate="agg.borda"), make_recipe(DIRECTED, fuse="two.tu")):
        wish = [msgspec.structs.replace(user, wishes=Wishes(level_min=4)) for user in (a, b)]
        for community in (None, Community([a, follower("c")])):
            with pytest.raises(UsageError, match="compares all pairs"):
                scoring.explain(*wish, recipe, community)


def test_nobody_and_a_room_without_pairs():
    for group in ([], [leader("a", 5)], [leader("a", 5), leader("b", 5)]):
        floor = floor_of(Community(group), make_recipe(aggregate="agg.promethee"))
        assert np.isnan(floor.scores).all()


def test_a_market_fuses_both_views_over_all_feasible_pairs():
    community, recipe = Community(wishing()), make_recipe(DIRECTED, fuse="two.tu")
    left, right = np.array([0, 0, 1, 1]), np.array([2, 3, 2, 3])
    found = scoring.score(community, left, right, recipe)
    slot = [choice.slot for choice in recipe.choices].index("wishes")
    # a: level 4 or more; b: 8 or more; c: 6 or more; d: 6 to 8.
    likes, liked = [[100.0, 100.0], [0.0, 100.0]], [[0.0, 0.0], [100.0, 100.0]]
    assert found.terms[:, slot] == pytest.approx(np.ravel(tu(likes, liked)))
    pair = scoring.explain(community.user(1), community.user(3), recipe, community)
    assert pair.breakdown["wishes"].score == pytest.approx(found.terms[3, slot])
    assert pair.breakdown["wishes"].views == (100.0, 100.0)
    assert pair.overall == pytest.approx(found.overall[3])
    # Everybody wants b and d, so they cost each other some of the 100.
    assert 70 < pair.breakdown["wishes"].score < 95


@few
@given(group=people(2, 7))
def test_a_market_never_changes_a_score_by_order(group):
    recipe = make_recipe({"wishes": 0.5}, {"level": "level.stretch"}, fuse="two.tu")
    community = Community(group)
    left, right = everybody(community)
    found = scoring.score(community, left, right, recipe)
    turned = scoring.score(Community(group[::-1]), right, left, recipe)
    assert turned.overall == pytest.approx(found.overall, abs=1e-9)
    assert ((found.overall >= 0) & (found.overall <= 100)).all()
    for n, (i, j) in enumerate(zip(left.tolist(), right.tolist(), strict=True)):
        pair = scoring.explain(community.user(i), community.user(j), recipe, community)
        assert pair.overall == pytest.approx(found.overall[n], abs=1e-9)


def evenings(seed=6, size=24):
    """People who danced with those near their own level, wherever these live."""
    rng = np.random.default_rng(seed)
    levels = rng.integers(1, 11, size).astype(float)
    places = [Place(lat=50 + 3 * rng.random(), lon=10.0) for _ in range(size)]
    ids = [f"p{n:02}" for n in range(size)]
    group = []
    for n in range(size):
        danced = [m for m in range(size) if n % 2 != m % 2 and abs(levels[n] - levels[m]) <= 1]
        make = leader if n % 2 else follower
        history = tuple((ids[m], 2.0) for m in danced) if n % 2 else ()
        group.append(make(ids[n], levels[n], place=places[n], history=history))
    return Community(group)


def test_logistic_weights_learn_from_who_danced_with_whom():
    community = evenings()
    recipe = make_recipe({"role": 0.2, "level": 0.1, "location": 0.7}, aggregate="agg.logit")
    left, right = everybody(community)
    found = scoring.score(community, left, right, recipe)
    mean = scoring.score(community, left, right, make_recipe({"role": 0.2, "level": 0.1, "location": 0.7}))
    level = found.terms[:, 1]
    danced, not_danced = found.feasible & (level >= 90), found.feasible & (level < 90)
    # The given weights look at places; people looked at levels.
    assert found.overall[danced].min() > found.overall[not_danced].max()
    assert mean.overall[danced].min() < mean.overall[not_danced].max()
    pair = scoring.explain(community.user(0), community.user(1), recipe, community)
    n = int(np.flatnonzero((left == 0) & (right == 1))[0])
    assert pair.overall == found.overall[n]
    assert scoring.views(community, left, right, recipe).tolist() == found.overall.tolist()


def test_learning_where_nobody_danced_is_refused():
    community = Community([leader("a", 5), follower("b", 5, history=(("gone", 3.0),))])
    with pytest.raises(UsageError, match="learns from who danced"):
        floor_of(community, make_recipe(aggregate="agg.logit"))
