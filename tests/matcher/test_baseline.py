"""The worked examples of the baseline, as they stand in the specification."""

from __future__ import annotations

import numpy as np
import pytest

from mrblue_cli.matcher.compiled import Community
from mrblue_cli.matcher.model import Leads, Place, Role, User
from mrblue_cli.matcher.recipe import make_recipe
from mrblue_cli.matcher.scoring import explain, score

BASELINE = make_recipe()
BUENOS_AIRES, NEARBY = Place(lat=-34.6037, lon=-58.3816), Place(lat=-34.5886, lon=-58.4306)
BERLIN, POTSDAM = Place(lat=52.5200, lon=13.4050), Place(lat=52.3906, lon=13.0645)
TWO_OF_FOUR = ("milonga", "salon", "vals"), ("nuevo", "salon", "vals")


def leader(name, level=None, **more):
    return User(id=name, roles=Role.LEADER, leader_level=level, **more)


def follower(name, level=None, **more):
    return User(id=name, roles=Role.FOLLOWER, follower_level=level, **more)


E1 = (
    follower("a", 6, place=BUENOS_AIRES, styles=TWO_OF_FOUR[0], hours=((0, 90),)),
    leader("b", 5, place=NEARBY, styles=TWO_OF_FOUR[1], hours=((0, 300),)),
)
SAME = {"styles": ("salon",), "hours": ((0, 240),)}
E2 = (
    User(id="c", roles=Role.BOTH, leader_level=3, follower_level=8, place=BERLIN, **SAME),
    User(id="d", roles=Role.BOTH, leader_level=8, follower_level=5, place=POTSDAM, **SAME),
)
E3 = (
    follower("a", 7, place=BERLIN, styles=TWO_OF_FOUR[0], hours=((0, 60),)),
    leader("b", 2, place=BERLIN, styles=TWO_OF_FOUR[1], hours=((0, 60),)),
)
TEN = tuple(f"t{n}" for n in range(10))
E4 = (
    follower("a", 7, place=BERLIN, styles=TEN[:3], hours=((0, 24),)),
    leader("b", 5, place=BERLIN, styles=TEN, hours=((0, 24),)),
)
E5 = (leader("a", 5, place=BERLIN, **SAME), leader("b", 5, place=BERLIN, **SAME))
E6 = (follower("a", 6, styles=TWO_OF_FOUR[0]), leader("b", 5, styles=TWO_OF_FOUR[1]))
E7 = (follower("a"), leader("b"))
CASES = {
    "E1": (E1, (100, 90, 100, 50, 75), 90.75, "excellent", 1.0),
    "E2": (E2, (80, 100, 54.05, 100, 100), 85.11, "excellent", 1.0),
    "E3": (E3, (100, 30, 100, 50, 50), 71.50, "good", 1.0),
    "E4": (E4, (100, 70, 100, 30, 20), 80.00, "good", 1.0),
    "E5": (E5, (0, 100, 100, 100, 100), 60.00, "fair", 1.0),
    "E6": (E6, (100, 90, None, 50, None), 82.00, "excellent", 0.80),
    "E7": (E7, (100, None, None, None, None), 70.00, "not enough data", 0.40),
}
SLOTS = ("role", "level", "location", "style", "schedule")


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("swapped", [False, True])
def test_worked_example(name, swapped):
    people, terms, overall, label, coverage = CASES[name]
    pair = explain(*(reversed(people) if swapped else people), BASELINE)
    assert [None if (s := pair.breakdown[slot].score) is None else round(s, 2) for slot in SLOTS] == list(terms)
    assert round(pair.overall, 2) == overall
    assert pair.label == label
    assert pair.coverage == pytest.approx(coverage)
    assert sum(term.points for term in pair.breakdown.values()) == pytest.approx(pair.overall)
    assert pair.feasible is (name != "E5")
    assert all(term.why for term in pair.breakdown.values())


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("missing", ["half", "drop"])
def test_the_fast_form_says_the_same(name, missing):
    people = CASES[name][0]
    recipe = make_recipe(missing=missing)
    plain = explain(*people, recipe)
    found = score(Community(people), np.array([0]), np.array([1]), recipe)
    assert found.overall[0] == pytest.approx(plain.overall, abs=1e-9)
    assert (found.low[0], found.high[0]) == pytest.approx((plain.low, plain.high), abs=1e-9)
    assert found.coverage[0] == pytest.approx(plain.coverage)
    assert bool(found.feasible[0]) is plain.feasible
    assert {0: None, 1: Leads.A, 2: Leads.B, 3: Leads.EITHER}[int(found.leads[0])] is plain.leads


def test_unknown_gives_a_range_and_dropping_rescales():
    pair = explain(*E6, BASELINE)
    assert (round(pair.low, 2), round(pair.high, 2)) == (72.00, 92.00)
    assert round(explain(*E6, make_recipe(missing="drop")).overall, 2) == 90.00
    pair = explain(*E7, BASELINE)
    assert (round(pair.low, 2), round(pair.high, 2)) == (40.00, 100.00)


def test_the_better_orientation_counts_and_is_named():
    assert explain(*E2, BASELINE).leads is Leads.B
    assert explain(*reversed(E2), BASELINE).leads is Leads.A


def test_a_level_that_is_not_known_is_not_zero():
    assert explain(follower("a", 7), leader("b"), BASELINE).breakdown["level"].score is None
