"""The exact search against comparing everybody: compiled, arrays, and plain, in rows and in scores."""

from __future__ import annotations

import pickle

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mrblue_cli.core.errors import UsageError
from mrblue_cli.matcher import registry
from mrblue_cli.matcher.compiled import Community
from mrblue_cli.matcher.model import AgeRange, Place, Role, User, Wishes
from mrblue_cli.matcher.recipe import make_recipe
from mrblue_cli.matcher.scoring import feasible, score
from mrblue_cli.matcher.topk.methods import plain
from mrblue_cli.matcher.topk.search import WORTH_COMPILING, prepare
from tests.matcher.strategies import communities
from tests.matcher.topk.crowds import crowd, twins

WEIGHTS = (
    {},
    {"music": 0.1},
    {"music": 0.2, "age": 0.3},
    {"location": 0.0},
    {"style": 0.0, "schedule": 1.0},
    {"role": 0.0, "level": 0.0, "location": 1.0, "style": 0.0, "schedule": 0.0},
    {"level": 0.0},
    {"role": 0.0, "level": 0.0, "location": 0.0, "style": 0.0, "schedule": 1.0},
)
recipes = st.builds(
    make_recipe,
    st.sampled_from(WEIGHTS),
    st.sampled_from(({}, {}, {"level": "level.gauss"}, {"level": "level.linear"})),
    missing=st.sampled_from(("half", "drop")),
    strict=st.booleans(),
    session_minutes=st.sampled_from((120.0, 37.5)),
)


def everybody(community):
    return np.arange(len(community), dtype=np.int64)


def agree(found, other, community, recipe):
    """The same scores; the same rows, but where forms differ in the last bit of a score and thus in a tie."""
    np.testing.assert_allclose(found.scores, other.scores, rtol=0, atol=1e-9)
    np.testing.assert_array_equal(found.rows < 0, other.rows < 0)
    for row, (mine, theirs) in enumerate(zip(found.rows, other.rows, strict=True)):
        assert len(set(mine[mine >= 0].tolist())) == (mine >= 0).sum()
        differs = mine != theirs
        if differs.any():
            left = np.full(int(differs.sum()), row)
            again = score(community, left, mine[differs], recipe)
            np.testing.assert_allclose(again.overall, other.scores[row][differs], rtol=0, atol=1e-9)
            assert feasible(community, left, mine[differs], strict=recipe.strict).all()


@given(community=communities(0, 10), recipe=recipes, k=st.sampled_from((1, 2, 3, 5, 20)))
def test_the_index_finds_what_comparing_everybody_finds(community, recipe, k):
    rows = everybody(community)
    search = prepare(community, recipe, engine="compiled")
    assert search.engine == ("compiled" if len(community) else "arrays")
    found = search.find(rows, k)
    assert found.rows.shape == found.scores.shape == (len(community), k)
    agree(found, prepare(community, recipe, engine="arrays").find(rows, k), community, recipe)


@settings(max_examples=40)
@given(community=communities(0, 7), recipe=recipes, k=st.integers(1, 8))
def test_both_engines_find_what_the_plain_form_finds(community, recipe, k):
    rows = everybody(community)
    expected = plain(community, recipe, rows, k)
    for engine in ("compiled", "arrays"):
        agree(prepare(community, recipe, engine=engine).find(rows, k), expected, community, recipe)


@pytest.mark.parametrize("missing", ["half", "drop"])
@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("weights", WEIGHTS[:5])
def test_a_crowd_of_many_leaves(missing, strict, weights):
    community = crowd(700, seed=3)
    recipe = make_recipe(weights, missing=missing, strict=strict)
    rows = everybody(community)[::7]
    found = prepare(community, recipe, engine="compiled").find(rows, 10)
    expected = prepare(community, recipe, engine="arrays").find(rows, 10)
    np.testing.assert_allclose(found.scores, expected.scores, rtol=0, atol=1e-9)
    assert (found.rows != expected.rows).mean() < 0.02


def test_more_tags_than_bits():
    styles = [f"style {number:03d}" for number in range(150)]
    community = crowd(400, seed=5, styles=styles[:3] + styles)
    recipe = make_recipe({"style": 2.0})
    rows = everybody(community)
    found = prepare(community, recipe, engine="compiled").find(rows, 6)
    agree(found, prepare(community, recipe, engine="arrays").find(rows, 6), community, recipe)


@settings(max_examples=25)
@given(st.integers(2, 300), st.integers(1, 12), st.integers(0, 5))
def test_k_is_a_prefix_and_each_row_stands_for_itself(n, k, seed):
    """The best k are the first k of the best 40, whoever else is asked about, in whatever order."""
    community = crowd(n, seed)
    search = prepare(community, make_recipe(), engine="compiled")
    rows = np.random.default_rng(seed).integers(0, n, 30)
    found, longer = search.find(rows, k), search.find(np.sort(rows), 40)
    np.testing.assert_array_equal(found.rows[np.argsort(rows, kind="stable")], longer.rows[:, :k])
    np.testing.assert_array_equal(found.scores[np.argsort(rows, kind="stable")], longer.scores[:, :k])


@settings(max_examples=25)
@given(community=communities(2, 9), recipe=recipes, data=st.data())
def test_the_order_of_input_changes_nothing(community, recipe, data):
    users = [community.user(row) for row in range(len(community))]
    shuffled = Community(data.draw(st.permutations(users)))
    rows = everybody(community)
    for engine in ("compiled", "arrays"):
        found, again = (prepare(one, recipe, engine=engine).find(rows, 4) for one in (community, shuffled))
        np.testing.assert_array_equal(found.rows, again.rows)
        np.testing.assert_array_equal(found.scores, again.scores)


def test_scores_are_the_same_from_both_sides_to_the_bit():
    community = crowd(200, seed=8)
    found = prepare(community, make_recipe({"music": 0.1}), engine="compiled").find(everybody(community), 199)
    seen = {
        (row, other): value
        for row, (others, values) in enumerate(zip(found.rows.tolist(), found.scores.tolist(), strict=True))
        for other, value in zip(others, values, strict=True)
        if other >= 0
    }
    assert len(seen) > 10_000
    assert all(seen[other, row] == value for (row, other), value in seen.items())


SAME = {
    "styles": ("salon", "vals"),
    "hours": ((0, 100),),
    "music": (("biagi", 1.0), ("troilo", 2.0)),
    "age": 30.0,
    "age_pref": AgeRange(min=20.0, max=40.0),
}
BERLIN = Place(lat=52.52, lon=13.405, city="Berlin", country="DE")
LEADER = User(id="l", roles=Role.LEADER, leader_level=5.0, place=BERLIN, **SAME)
FOLLOWER = User(id="f", roles=Role.FOLLOWER, follower_level=6.0, place=Place(lat=52.39, lon=13.06), **SAME)
BOTH = User(id="b", roles=Role.BOTH, leader_level=5.0, follower_level=6.5, place=BERLIN, **SAME)
FAR = msgspec.structs.replace(FOLLOWER, music=(("biagi", 1.0), ("canaro", 4.0)), hours=((30, 200),))


@pytest.mark.parametrize(
    ("one", "other"),
    [(BOTH, None), (LEADER, FOLLOWER), (User(id="x", roles=Role.BOTH), None), (LEADER, FAR)],
    ids=["all alike", "two kinds, apart", "nothing known", "two kinds, other music and hours"],
)
@pytest.mark.parametrize("missing", ["half", "drop"])
def test_a_crowd_of_ties_is_no_crowd_of_comparisons(one, other, missing):
    community = twins(20_000, one, other)
    search = prepare(community, make_recipe({"music": 0.1, "age": 0.1}, missing=missing), engine="compiled")
    rows = everybody(community)[:: 499 * 2]
    found = search.find(rows, 10)
    # All tie: the ten smallest ids that fit, and next to no one else was looked at.
    # Even rows lead where there are two kinds, and so does every row asked about: their partners are the odd ones.
    numbers = range(12) if other is None else range(1, 30, 2)
    for index, row in enumerate(rows.tolist()):
        assert found.rows[index].tolist() == [number for number in numbers if number != row][:10]
        assert len(set(found.scores[index].tolist())) == 1
    assert search.counters[1] < 100 * len(rows)


def test_people_apart_are_found_by_looking_at_few():
    community = crowd(3000, seed=1, spread_km=60.0)
    search = prepare(community, make_recipe(), engine="compiled")
    search.find(everybody(community), 5)
    nodes, looked, scored = (search.counters / len(community)).tolist()
    assert 0 < scored < looked < len(community) / 4
    assert nodes > 0


def test_blocked_people_and_hard_wishes_never_meet():
    picky = msgspec.structs.replace(LEADER, id="picky", wishes=Wishes(max_km=5.0, level_min=7.0))
    people = [
        picky,
        msgspec.structs.replace(FOLLOWER, id="far", follower_level=8.0),
        msgspec.structs.replace(FOLLOWER, id="low", place=BERLIN),
        msgspec.structs.replace(FOLLOWER, id="no", place=BERLIN, follower_level=8.0, blocked=frozenset({"picky"})),
        msgspec.structs.replace(FOLLOWER, id="nowhere", place=Place(), follower_level=8.0),
        msgspec.structs.replace(FOLLOWER, id="who", place=BERLIN, follower_level=None),
        msgspec.structs.replace(FOLLOWER, id="yes", place=BERLIN, follower_level=8.0),
    ]
    community = Community(people)
    rows = np.array([community.rows["picky"]])
    for strict, expected in ((True, {"yes", "nowhere", "who"}), (False, {"yes", "nowhere", "who", "far", "low"})):
        for engine in ("compiled", "arrays"):
            found = prepare(community, make_recipe(strict=strict), engine=engine).find(rows, 9)
            assert {community.ids[row] for row in found.rows[0] if row >= 0} == expected


def test_what_the_index_cannot_bound_goes_to_arrays():
    community = crowd(30)
    rows = everybody(community)
    for recipe in (
        make_recipe(aggregate="agg.geo"),
        make_recipe(entries={"level": "level.stretch"}),
        make_recipe(entries={"role": "role.chance"}),
        make_recipe(entries={"location": "geo.geodesic"}),
        make_recipe(entries={"style": "set.dice"}),
        make_recipe({"wishes": 0.2}, strict=True),
        make_recipe(aggregate="agg.borda"),
    ):
        search = prepare(community, recipe, engine="compiled")
        assert search.engine == "arrays"
        found = search.find(rows, 3)
        left = np.repeat(rows, 3)[found.rows.ravel() >= 0]
        right = found.rows.ravel()[found.rows.ravel() >= 0]
        np.testing.assert_array_equal(
            score(community, left, right, recipe).overall, found.scores.ravel()[found.rows.ravel() >= 0]
        )
    # An entry without weight counts for nothing and stands in nobody's way.
    music = make_recipe({"music": 0.0}, {"music": "set.dice"})
    assert prepare(community, music, engine="compiled").engine == "compiled"


def test_an_aggregation_over_all_pairs_says_when_there_are_too_many():
    community = twins(2100, LEADER, FOLLOWER)
    with pytest.raises(UsageError, match="people"):
        prepare(community, make_recipe(aggregate="agg.borda")).find(np.array([0]), 1)


def test_few_questions_need_no_index():
    community, recipe = crowd(60), make_recipe()
    assert prepare(community, recipe).engine == "arrays"
    many = twins(4000, LEADER, FOLLOWER)
    assert len(many) ** 2 > WORTH_COMPILING
    assert prepare(many, recipe).engine == "compiled"
    assert prepare(many, recipe, queries=1).engine == "arrays"
    assert prepare(many, recipe, engine="arrays").engine == "arrays"


@pytest.mark.parametrize("n", [0, 1])
@pytest.mark.parametrize("engine", ["compiled", "arrays"])
def test_nobody_and_one(n, engine):
    community = twins(n, BOTH)
    found = prepare(community, make_recipe(), engine=engine).find(everybody(community), 3)
    assert found.rows.tolist() == [[-1, -1, -1]] * n
    assert np.isnan(found.scores).all()
    assert found.scores.shape == (n, 3)


def test_a_search_handed_to_another_process_finds_the_same():
    community = crowd(200, seed=2)
    for engine in ("compiled", "arrays"):
        search = prepare(community, make_recipe(), engine=engine)
        found, again = (one.find(everybody(community), 5) for one in (search, pickle.loads(pickle.dumps(search))))  # noqa: S301 - our own bytes
        np.testing.assert_array_equal(found.rows, again.rows)
        np.testing.assert_array_equal(found.scores, again.scores)


def test_neighbours_are_asked_about_one_after_the_other():
    community = crowd(300)
    rows = everybody(community)[::-3]
    search = prepare(community, make_recipe(), engine="compiled")
    assert sorted(search.order(rows).tolist()) == sorted(rows.tolist())
    assert (np.diff(search.tables.place_of[search.order(rows)]) > 0).all()


def test_the_entries_name_both_forms():
    assert {entry.name for entry in registry.family("top")} == {"top.bound", "top.ta"}
