"""What each entry of role, level, geo, set, time and age promises, over people drawn at random."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mrblue_cli.matcher.compiled import Community
from mrblue_cli.matcher.model import AgeRange, Place, Role, User
from mrblue_cli.matcher.recipe import make_recipe
from mrblue_cli.matcher.registry import family, find
from mrblue_cli.matcher.scoring import explain, score
from tests.matcher.strategies import communities, people

FAMILIES = {"role": "role", "level": "level", "geo": "location", "set": "style", "time": "schedule", "age": "age"}
ENTRIES = [entry for name in FAMILIES for entry in family(name)]
NAMES = [entry.name for entry in ENTRIES]
WANTED = """
    role.orient role.chance
    level.table level.linear level.gauss level.laplace level.epan level.elo level.trueskill level.stretch
    geo.half geo.gauss geo.power geo.geodesic geo.cell geo.admin
    set.jaccard set.dice set.overlap set.ochiai set.kulczynski set.tversky set.smc set.tfidf set.soft set.minhash
    time.enough time.slots age.window age.trapezoid
"""
DIRECTED = {"level.stretch", "set.tversky", "age.trapezoid"}
each = pytest.mark.parametrize("entry", ENTRIES, ids=NAMES)


def everybody(community):
    """Every ordered pair, oneself included."""
    rows = np.arange(len(community))
    return np.repeat(rows, len(rows)), np.tile(rows, len(rows))


def shared(entry, community):
    return {"community": community} if entry.needs_community else {}


def choices(entry):
    return [{"of": "styles"}, {"of": "music"}] if entry.family == "set" else [{}]


def test_the_families_are_complete():
    assert sorted(NAMES) == sorted(WANTED.split())
    assert {entry.name for entry in ENTRIES if not entry.symmetric} == DIRECTED
    assert {entry.name for entry in ENTRIES if entry.needs_community} == {"set.smc", "set.tfidf", "set.soft"}
    assert {entry.name for entry in ENTRIES if entry.approximate} == {"set.minhash"}


@each
def test_worked_examples(entry):
    assert len(entry.examples) >= 2
    assert len({example.expected for example in entry.examples}) >= 2
    for example in entry.examples:
        found = entry.scalar(**example.given)
        assert (found.value if found.value is None else round(found.value, 2)) == example.expected
        pair = [example.given["a"], example.given["b"]]
        community = example.given.get("community", Community(pair))
        rows = [np.array([community.rows[person.id]]) for person in pair]
        (fast,) = entry.fast(community, *rows)
        assert math.isnan(fast) if found.value is None else fast == pytest.approx(found.value, abs=1e-9)


@each
@settings(max_examples=20)
@given(drawn=people(max_size=6))
def test_fast_equals_scalar_and_both_keep_their_word(entry, drawn):
    community = Community(drawn)
    persons = [community.user(row) for row in range(len(community))]
    left, right = everybody(community)
    for of in choices(entry):
        parameters = {**entry.parameters, **of}
        fast = entry.fast(community, left, right, **parameters)
        back = entry.fast(community, right, left, **parameters)
        assert fast.shape == left.shape
        assert not ((fast < 0) | (fast > 100)).any()
        if entry.symmetric:
            np.testing.assert_array_equal(fast, back)
        for n, (i, j) in enumerate(zip(left.tolist(), right.tolist(), strict=True)):
            told = entry.scalar(persons[i], persons[j], **parameters, **shared(entry, community))
            assert (told.value is None) == math.isnan(fast[n])
            assert told.value is None or fast[n] == pytest.approx(told.value, abs=1e-9)
            assert told.value is None or 0 <= told.value <= 100
            assert told.why
            assert "None" not in told.why
            if entry.symmetric:
                assert (
                    told.value == entry.scalar(persons[j], persons[i], **parameters, **shared(entry, community)).value
                )


@each
def test_the_stated_parameters_are_the_defaults(entry):
    community = Community(_ready())
    left, right = everybody(community)
    np.testing.assert_array_equal(
        entry.fast(community, left, right), entry.fast(community, left, right, **entry.parameters)
    )
    for name, value in entry.parameters.items():
        other = "music" if name == "of" else value * 2
        changed = entry.fast(community, left, right, **{name: other})
        assert not np.array_equal(changed, entry.fast(community, left, right), equal_nan=True), name


def _ready():
    return [
        User(
            id=f"p{number}",
            roles=Role.BOTH,
            leader_level=1 + number,
            follower_level=9 - number,
            place=Place(lat=50.0, lon=number * number * 0.09, country="DE", city=f"c{number % 2}"),
            styles=tuple(sorted({"salon", f"t{number % 3}", f"u{number % 2}"})),
            music=tuple((tag, 1.0) for tag in ("biagi", "troilo")[: 1 + number % 2]),
            hours=((number * 60, number * 60 + 300),),
            age=30.0 + 3 * number,
            age_pref=AgeRange(min=30.0, max=36.0),
            lead_share=number / 5,
        )
        for number in range(6)
    ]


@each
def test_no_people_one_person_no_pairs(entry):
    for community in (Community([]), Community([User(id="a", roles=Role.BOTH)]), Community(_ready())):
        nobody = np.zeros(0, dtype=np.int64)
        assert entry.fast(community, nobody, nobody).shape == (0,)
    alone = np.zeros(1, dtype=np.int64)
    assert entry.fast(Community([User(id="a", roles=Role.BOTH)]), alone, alone).shape == (1,)


@each
def test_somebody_who_said_nothing_is_unknown(entry):
    silent, talker = User(id="a", roles=Role.BOTH), _ready()[1]
    if entry.name == "role.orient":
        return
    community = Community([silent, talker])
    for one, other in ((silent, talker), (talker, silent)):
        told = entry.scalar(one, other, **shared(entry, community))
        assert told.value is None
        assert "a" in told.why.split()
    assert np.isnan(entry.fast(community, np.array([0, 1]), np.array([1, 0]))).all()


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=8)
@given(community=communities(min_size=2, max_size=4), strict=st.booleans())
def test_swapping_changes_no_score_of_a_recipe_with_it(name, community, strict):
    entry = find(name)
    slot = FAMILIES[entry.family]
    recipe = make_recipe({slot: 0.5}, {slot: name}, strict=strict)
    left, right = np.triu_indices(len(community), 1)
    forth, back = score(community, left, right, recipe), score(community, right, left, recipe)
    np.testing.assert_allclose(forth.overall, back.overall, rtol=0, atol=1e-12)
    np.testing.assert_array_equal(forth.feasible, back.feasible)
    np.testing.assert_array_equal(np.array([0, 2, 1, 3])[forth.leads], back.leads)
    for n, (i, j) in enumerate(zip(left.tolist(), right.tolist(), strict=True)):
        a, b = community.user(i), community.user(j)
        pair, swapped = explain(a, b, recipe, community), explain(b, a, recipe, community)
        assert pair.overall == pytest.approx(swapped.overall, abs=1e-12)
        assert pair.overall == pytest.approx(forth.overall[n], abs=1e-9)
        assert {None: 0, "a": 1, "b": 2, "either": 3}[pair.leads] == forth.leads[n]
        assert {None: 0, "a": 2, "b": 1, "either": 3}[swapped.leads] == forth.leads[n]


@each
def test_the_order_in_which_people_come_changes_nothing(entry):
    forth, back = Community(_ready()), Community(reversed(_ready()))
    left, right = everybody(forth)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_array_equal(entry.fast(forth, left, right), entry.fast(back, left, right))
