"""What the rules of the baseline promise of any two people."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mrblue_cli.core.errors import UsageError
from mrblue_cli.matcher.compiled import Community
from mrblue_cli.matcher.model import Leads, Role, User
from mrblue_cli.matcher.recipe import make_recipe
from mrblue_cli.matcher.scoring import explain, reason, score
from tests.matcher.strategies import communities, people, users

BASELINE = make_recipe()


def ways(a, b):
    """Feasible orientations: a word for who leads."""
    pairs = (("a", a.roles, b.roles), ("b", b.roles, a.roles))
    return {word for word, leads, follows in pairs if Role.LEADER in leads and Role.FOLLOWER in follows}


def turned(leads):
    return {Leads.A: Leads.B, Leads.B: Leads.A}.get(leads, leads)


@given(users("a"), users("b"), st.sampled_from(["half", "drop"]))
def test_swapping_changes_nothing(a, b, missing):
    recipe = make_recipe({"music": 0.1, "age": 0.1, "wishes": 0.1}, missing=missing)
    forth, back = explain(a, b, recipe), explain(b, a, recipe)
    for field in ("overall", "low", "high", "coverage"):
        assert getattr(forth, field) == pytest.approx(getattr(back, field), abs=1e-12)
    assert (forth.feasible, forth.leads, forth.label) == (back.feasible, turned(back.leads), back.label)
    for slot, term in forth.breakdown.items():
        assert term.score == back.breakdown[slot].score
        assert (term.views or (0, 0)) == tuple(reversed(back.breakdown[slot].views or (0, 0)))


@given(users("a"), users("b"))
def test_feasible_is_a_matter_of_roles(a, b):
    found, able = explain(a, b, BASELINE), ways(a, b)
    assert found.feasible is bool(able)
    assert found.breakdown["role"].score == {0: 0, 1: 100, 2: 80}[len(able)]
    if len(able) == 1:
        assert found.leads == able.pop()
    elif not able:
        assert found.leads is None


@given(users("a", complete=True), users("b", complete=True))
def test_no_pair_that_can_dance_falls_below_the_floor(a, b):
    able, found = ways(a, b), explain(a, b, BASELINE)
    if any(person.place.lat is None for person in (a, b)) and not (a.place.country and b.place.country):
        return  # one gave coordinates, the other a country: no place to compare
    assert found.coverage == pytest.approx(1.0)
    assert found.low == found.overall == found.high
    if able:
        assert found.overall >= {1: 49.0, 2: 41.0}[len(able)] - 1e-9
    else:
        assert found.overall <= 60.0 + 1e-9


@given(users("a"), users("b"))
def test_low_and_high_embrace_the_score_and_points_add_up(a, b):
    found = explain(a, b, BASELINE)
    assert 0 <= found.low <= found.overall <= found.high <= 100 + 1e-9
    # An unknown counts half: the score lies in the middle of its range.
    assert found.overall == pytest.approx((found.low + found.high) / 2)
    assert found.high - found.low == pytest.approx(100 * (1 - found.coverage), abs=1e-9)
    assert sum(term.points for term in found.breakdown.values()) == pytest.approx(found.overall)
    assert sum(term.weight for term in found.breakdown.values()) == pytest.approx(1)
    assert all(term.why for term in found.breakdown.values())
    assert reason(found)


@settings(max_examples=50)
@given(people(2, 6), st.booleans(), st.randoms(use_true_random=False))
def test_the_order_of_input_changes_nothing(drawn, strict, chance):
    recipe = make_recipe({"music": 0.2}, strict=strict)
    shuffled = list(drawn)
    chance.shuffle(shuffled)
    first, second = Community(drawn), Community(shuffled)
    left, right = np.triu_indices(len(drawn), 1)
    ours, theirs = score(first, left, right, recipe), score(second, left, right, recipe)
    for field in ("overall", "low", "high", "coverage", "terms", "feasible", "leads"):
        np.testing.assert_array_equal(getattr(ours, field), getattr(theirs, field))


@settings(max_examples=50)
@given(communities(0, 6), st.sampled_from(["half", "drop"]), st.booleans())
def test_one_pair_at_a_time_or_many_at_once(community, missing, strict):
    recipe = make_recipe({"age": 0.1, "wishes": 0.2}, missing=missing, strict=strict)
    left, right = np.triu_indices(len(community), 1)
    found = score(community, left, right, recipe)
    for n, (i, j) in enumerate(zip(left.tolist(), right.tolist(), strict=True)):
        pair = explain(community.user(i), community.user(j), recipe)
        shown = (found.overall[n], found.low[n], found.high[n], found.coverage[n])
        assert shown == pytest.approx((pair.overall, pair.low, pair.high, pair.coverage), abs=1e-9)
        assert bool(found.feasible[n]) is pair.feasible
        assert {0: None, 1: "a", 2: "b", 3: "either"}[int(found.leads[n])] == pair.leads


def test_nobody_is_paired_with_themselves():
    community = Community([User(id="a", roles=Role.BOTH)])
    found = score(community, np.array([0]), np.array([0]), BASELINE)
    assert not found.feasible.any()
    empty = score(Community([]), np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64), BASELINE)
    assert empty.overall.shape == (0,)
    assert empty.terms.shape == (0, len(BASELINE.choices))


@pytest.mark.parametrize("minutes", [0, -5, float("nan"), float("inf")])
def test_a_session_lasts_longer_than_nothing(minutes):
    with pytest.raises(UsageError, match="session"):
        make_recipe(session_minutes=minutes)


def test_what_both_sides_say_alike_is_said_once():
    recipe = make_recipe({"age": 0.5}, {"age": "age.trapezoid"})
    found = explain(User(id="a", roles=Role.LEADER), User(id="b", roles=Role.FOLLOWER), recipe)
    assert found.breakdown["age"].why == "a and b gave no age or no wished ages"
