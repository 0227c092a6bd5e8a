"""Levels: the functions of a gap, and which orientation counts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrblue_cli.matcher.compiled import Community
from mrblue_cli.matcher.criteria import level
from mrblue_cli.matcher.criteria import level_kernels as kernels
from mrblue_cli.matcher.model import Leads, Role, User
from mrblue_cli.matcher.registry import family

HALVES = np.arange(1.0, 10.5, 0.5)
compares = pytest.mark.parametrize("name", level.COMPARES)


def both(name, leads_at, follows_at):
    return User(id=name, roles=Role.BOTH, leader_level=leads_at, follower_level=follows_at)


def leader(name, at):
    return User(id=name, roles=Role.LEADER, leader_level=at)


def follower(name, at):
    return User(id=name, roles=Role.FOLLOWER, follower_level=at)


def test_every_symmetric_entry_can_be_tabulated():
    assert set(level.COMPARES) == {entry.name for entry in family("level") if entry.symmetric}


@compares
def test_a_wider_gap_never_scores_more_and_direction_does_not_matter(name):
    compare = level.COMPARES[name]
    grid = compare(HALVES[:, None], HALVES[None, :])
    np.testing.assert_array_equal(grid, grid.T)
    by_gap = compare(1.0, HALVES)
    assert (np.diff(by_gap) <= 0).all()
    assert by_gap[0] > by_gap[2] > by_gap[4]
    assert by_gap[0] == (100.0 if name != "level.trueskill" else pytest.approx(89.4427, abs=1e-4))
    assert ((grid >= 0) & (grid <= 100)).all()
    # Only the gap counts, not where on the scale it lies.
    np.testing.assert_allclose(compare(2.0, HALVES[2:]), by_gap[:-2], rtol=1e-15)


@compares
def test_unknown_levels_stay_unknown(name):
    assert np.isnan(level.COMPARES[name](np.array([np.nan, 3.0]), np.array([3.0, np.nan]))).all()


@given(st.sampled_from(HALVES.tolist()), st.sampled_from(HALVES.tolist()))
def test_elo_is_the_formula_with_the_expected_score(mine, yours):
    expected = 1 / (1 + 10 ** ((yours - mine) * 100 / 400))
    assert kernels.elo(mine, yours) == pytest.approx(100 * (1 - abs(2 * expected - 1)))


@given(st.sampled_from(HALVES.tolist()), st.sampled_from(HALVES.tolist()))
def test_trueskill_is_the_draw_quality_with_two_equal_spreads(mine, yours):
    # Herbrich et al.: the match quality matrix form for two teams of one.
    beta, spread, skills = 2.0, 1.0, np.array([mine, yours])
    team = np.array([[1.0], [-1.0]])
    noise = beta**2 * team.T @ team
    whole = noise + team.T @ np.diag([spread**2, spread**2]) @ team
    gap = skills @ team
    quality = np.exp(-0.5 * gap @ np.linalg.inv(whole) @ gap) * np.sqrt(np.linalg.det(noise) / np.linalg.det(whole))
    assert kernels.trueskill(mine, yours) == pytest.approx(100 * float(quality))


def test_stretch_peaks_one_level_above_and_falls_to_both_sides():
    views = kernels.stretch(4.0, HALVES)
    peak = int(np.argmax(views))
    assert HALVES[peak] == 5.0
    assert views[peak] == 100.0
    assert (np.diff(views[: peak + 1]) > 0).all()
    assert (np.diff(views[peak:]) < 0).all()


def test_the_unknown_way_does_not_count_against_the_known_one():
    a, b = both("a", 5, None), both("b", None, 6)
    assert level.oriented(level.table, a, b).value == 90
    assert level.oriented(level.table, a, b).leads is Leads.A
    assert level.oriented(level.table, b, a).leads is Leads.B


def test_it_is_said_who_gave_no_level_for_which_role():
    ana, ben = both("ana", 5, None), leader("ben", 4)
    for pair in ((ana, ben), (ben, ana)):
        told = level.oriented(level.table, *pair)
        assert (told.value, told.why) == (None, "ana gave no level as follower")
    told = level.stretch(follower("zoe", None), leader("ben", None))
    assert told.why == "ben gave no level as leader and zoe gave no level as follower"


def test_two_of_one_role_are_compared_in_it():
    assert level.oriented(level.table, leader("a", 3), leader("b", 5)).value == 70
    assert level.oriented(level.table, follower("a", 3), follower("b", 3.5)).value == 95
    assert level.oriented(level.table, follower("a", 3), follower("b", None)).value is None
    assert level.stretch(leader("a", 3), leader("b", 4)).value == 100


def test_the_two_views_of_a_stretch_speak_of_the_same_dance():
    # Nearest when b leads: b at 6, a follows at 5. When a leads, a would see b two above, at 4 and 6.
    a, b = both("a", 4, 5), both("b", 6, 6)
    mine, yours = level.stretch(a, b), level.stretch(b, a)
    assert (mine.value, mine.leads) == (100, Leads.B)
    assert (yours.value, yours.leads) == (pytest.approx(60.653, abs=1e-3), Leads.A)
    assert mine.why == "b is 1 level above a"
    assert yours.why == "a is 1 level below b"


def test_stretch_takes_the_mean_of_ways_that_are_equally_near():
    a, b = both("a", 5, 5), both("b", 7, 3)
    ahead, behind = kernels.stretch(5, 7), kernels.stretch(5, 3)
    told = level.stretch(a, b)
    assert told.leads is Leads.EITHER
    assert told.value == pytest.approx((ahead + behind) / 2)
    community = Community([a, b])
    assert level.stretch_fast(community, np.array([0]), np.array([1]))[0] == pytest.approx(told.value)
