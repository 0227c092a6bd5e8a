"""What an organiser reads out to two dancers."""

from __future__ import annotations

import pytest
from hypothesis import given, settings

from mrblue_cli.matcher.model import Leads, Place, Role, User, Wishes
from mrblue_cli.matcher.recipe import make_recipe
from mrblue_cli.matcher.scoring import explain, reason
from tests.matcher.strategies import people

BASELINE = make_recipe()
BERLIN, POTSDAM = Place(lat=52.5200, lon=13.4050), Place(lat=52.3906, lon=13.0645)


def ana(**more):
    return User(**{"id": "a", "name": "Ana", "roles": Role.FOLLOWER, "follower_level": 6.0, **more})


def bo(**more):
    return User(**{"id": "b", "name": "Bo", "roles": Role.LEADER, "leader_level": 5.0, **more})


FULL = {"place": BERLIN, "styles": ("salon", "vals"), "hours": ((0, 90),)}


def test_what_speaks_for_a_pair_comes_weightiest_first():
    line = reason(explain(ana(**FULL), bo(**{**FULL, "place": POTSDAM}), BASELINE))
    # Points: 40, 27, 10 (both styles), 8.1, 3.75.
    assert line == "Bo leads, 1 level apart, both like salon and vals, 27.2 km apart, 90 min a week together"


def test_weak_points_come_last_and_are_called_so():
    line = reason(explain(ana(**FULL), bo(**{**FULL, "leader_level": 1.0}), BASELINE))
    assert line.endswith("; weak point: 5 levels apart")
    assert line.startswith("Bo leads, ")
    line = reason(explain(ana(**FULL), bo(leader_level=2.0, hours=((80, 200),), styles=("nuevo",)), BASELINE))
    # The level costs 21 points, the styles 10, the time 4.6.
    assert "; weak points: 4 levels apart, no styles in common, 10 min a week together" in line


def test_what_nobody_said_is_named():
    line = reason(explain(ana(styles=("salon",)), bo(styles=("salon",)), BASELINE))
    assert line == "Bo leads, 1 level apart, both like salon; location and schedule not known"
    line = reason(explain(ana(follower_level=None), bo(), BASELINE))
    assert line == "Bo leads; level, location, style and schedule not known"
    line = reason(explain(ana(follower_level=None), bo(), make_recipe(missing="drop")))
    assert line == "Bo leads; 60% of what counts is not known"


def test_who_leads_among_two_who_dance_both_roles():
    cleo = User(id="c", name="Cleo", roles=Role.BOTH, leader_level=3, follower_level=8)
    dora = User(id="d", name="Dora", roles=Role.BOTH, leader_level=8, follower_level=5)
    for pair in (explain(cleo, dora, BASELINE), explain(dora, cleo, BASELINE)):
        assert reason(pair).startswith("both dance both roles, Dora leads, same level")
        assert pair.breakdown["role"].why.endswith("both dance both roles, and their levels fit better when Dora leads")
    even = User(id="e", name="Eli", roles=Role.BOTH, leader_level=8, follower_level=8)
    pair = explain(even, User(id="f", name="Fay", roles=Role.BOTH, leader_level=8, follower_level=8), BASELINE)
    assert pair.leads is Leads.EITHER
    assert reason(pair).startswith("both dance both roles, same level")


def test_two_who_cannot_dance_are_told_why():
    assert reason(explain(bo(), bo(id="c", name="Cy"), BASELINE)) == "Bo and Cy both only lead"
    line = reason(explain(ana(blocked=frozenset({"b"})), bo(), BASELINE))
    assert line == "one of the two asked not to be paired with the other"
    # Nobody learns who it was.
    assert line == reason(explain(ana(), bo(blocked=frozenset({"a"})), BASELINE))
    strict = make_recipe(strict=True)
    assert reason(explain(ana(wishes=Wishes(level_min=8)), bo(), strict)) == "a wish of one of the two is not met"


WISHING = make_recipe({"wishes": 0.5})


def test_both_sides_are_heard_where_they_differ():
    choosy = ana(wishes=Wishes(level_min=8), place=BERLIN)
    pair = explain(choosy, bo(wishes=Wishes(max_km=20), place=BERLIN), WISHING)
    term = pair.breakdown["wishes"]
    assert term.views == (0.0, 100.0)
    assert term.brief == "as Bo wished, but Ana wished for somebody at level 8 or more"
    assert term.why == ("Ana wished for somebody at level 8 or more, which Bo is not; Ana is what Bo wished for")
    assert f"weak point: {term.brief}" in reason(pair)


def test_both_sides_are_heard_once_where_they_agree():
    stretch = make_recipe({"level": 1.0}, {"level": "level.stretch"})
    pair = explain(ana(), bo(), stretch)
    views = pair.breakdown["level"].views
    assert views[0] != views[1]
    assert f"1 level apart ({views[0]:.0f} for Ana, {views[1]:.0f} for Bo)" in reason(pair)
    pair = explain(ana(follower_level=5.0), bo(), stretch)
    assert pair.breakdown["level"].brief == "same level"
    wished = ana(wishes=Wishes(max_km=20), place=BERLIN), bo(wishes=Wishes(max_km=20), place=BERLIN)
    assert explain(*wished, WISHING).breakdown["wishes"].brief == "as Ana wished and as Bo wished"


@pytest.mark.parametrize("aggregate", ["agg.mean", "agg.geo", "agg.min", "agg.logodds"])
@settings(max_examples=12)
@given(group=people(2, 4))
def test_each_pair_has_a_reason_and_points_that_add_up(aggregate, group):
    recipe = make_recipe({"wishes": 0.3, "music": 0.1, "age": 0.1}, aggregate=aggregate)
    for i, a in enumerate(group):
        for b in group[:i]:
            pair = explain(a, b, recipe)
            line = reason(pair)
            assert line.strip(" ;,") == line != ""
            assert sum(term.points for term in pair.breakdown.values()) == pytest.approx(pair.overall)
            for term in pair.breakdown.values():
                if pair.feasible and term.weight and term.known and term.brief:
                    assert term.brief in line
            if pair.feasible and pair.coverage < 1 - 1e-9:
                assert line.endswith("not known")
