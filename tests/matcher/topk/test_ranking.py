from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mrblue_cli.core.errors import UsageError
from mrblue_cli.matcher import registry
from mrblue_cli.matcher.topk import ranking
from mrblue_cli.matcher.topk.base import Found

few = settings(max_examples=40)
score = st.one_of(st.sampled_from((50.0, 80.0, 80.5, 100.0)), st.floats(0, 100))


@st.composite
def candidates(draw):
    n = draw(st.integers(0, 7))
    scores = draw(st.lists(st.one_of(score, st.just(math.nan)), min_size=n, max_size=n))
    alike = [[100.0] * n for _ in range(n)]
    for i in range(n):
        for j in range(i):
            alike[i][j] = alike[j][i] = draw(score)
    return scores, alike


@few
@given(given=candidates(), k=st.integers(0, 9), weight=st.sampled_from((0.0, 0.3, 0.7, 1.0)))
def test_mmr_in_both_forms(given, k, weight):
    scores, alike = given
    found = ranking.mmr(scores, alike, k, weight).tolist()
    assert found == ranking.mmr_plain(scores, alike, k, weight)
    shown = [row for row in found if row >= 0]
    assert len(set(shown)) == len(shown) == min(k, sum(not math.isnan(value) for value in scores))
    assert len(found) == k
    assert found[len(shown) :] == [-1] * (k - len(shown))
    assert not any(math.isnan(scores[row]) for row in shown)
    if weight == 1.0:
        assert shown == sorted(shown, key=lambda row: (-scores[row], row))


def test_a_twin_of_the_best_waits():
    scores, twins = [90.0, 89.0, 60.0, 50.0], np.full((4, 4), 10.0)
    twins[0, 1] = twins[1, 0] = 100.0
    # After 0: 62.3 - 30, 42 - 3, 35 - 3.
    assert ranking.mmr(scores, twins, 4).tolist() == [0, 2, 1, 3]
    assert ranking.mmr(scores, twins, 2, weight=0.95).tolist() == [0, 1]
    assert ranking.mmr([70.0, 70.0], np.zeros((2, 2)), 2).tolist() == [0, 1]


@pytest.mark.parametrize("weight", [-0.1, 1.1, math.nan])
def test_mmr_refuses_a_weight_that_is_none(weight):
    for form in (ranking.mmr, ranking.mmr_plain):
        with pytest.raises(UsageError, match="mmr"):
            form([1.0], [[100.0]], 1, weight)


def test_worked_examples():
    for entry in registry.family("rank"):
        assert entry.examples
        for example in entry.examples:
            for form in (entry.scalar, entry.fast):
                got = form(**example.given)
                if isinstance(got, Found):
                    assert got.rows.tolist() == example.expected.rows.tolist()
                    assert got.scores.tolist() == example.expected.scores.tolist()
                else:
                    assert tuple(map(int, got)) == example.expected


@st.composite
def lists(draw, most=4):
    """Lists of candidates that overlap a lot, with gaps at the end."""
    m, width = draw(st.integers(0, most)), draw(st.integers(0, 4))
    rows, scores = np.full((m, width), -1), np.full((m, width), np.nan)
    for person in range(m):
        entries = draw(st.lists(st.tuples(score, st.integers(0, 4)), max_size=width, unique_by=lambda entry: entry[1]))
        for place, (value, row) in enumerate(sorted(entries, key=lambda entry: (-entry[0], entry[1]))):
            rows[person, place], scores[person, place] = row, value
    return Found(rows=rows.astype(np.int64), scores=scores)


def check(found, shown, k, cap):
    """Lists as `Found` promises them, out of what was given, nobody above the cap. The total score."""
    assert shown.rows.shape == shown.scores.shape == (len(found.rows), k)
    rows = shown.rows[shown.rows >= 0]
    assert not len(rows) or np.bincount(rows).max() <= cap
    for person, (mine, scores) in enumerate(zip(shown.rows.tolist(), shown.scores.tolist(), strict=True)):
        entries = [(row, value) for row, value in zip(mine, scores, strict=True) if row >= 0]
        assert entries == sorted(entries, key=lambda entry: (-entry[1], entry[0]))
        assert mine[len(entries) :] == [-1] * (k - len(entries))
        assert all(math.isnan(value) for value in scores[len(entries) :])
        offered = dict(zip(found.rows[person].tolist(), found.scores[person].tolist(), strict=True))
        assert len({row for row, _ in entries}) == len(entries)
        assert all(offered[row] == value for row, value in entries)
    return float(np.nansum(shown.scores))


@few
@given(found=lists(), k=st.integers(1, 3), cap=st.integers(1, 3))
def test_exposure_has_the_largest_total_under_the_cap(found, k, cap):
    best = check(found, ranking.exposure_plain(found, k, cap), k, cap)
    assert check(found, ranking.exposure(found, k, cap), k, cap) == pytest.approx(best, abs=1e-6)


@few
@given(found=lists(), k=st.integers(1, 3), cap=st.integers(1, 3))
def test_beyond_the_bound_the_greedy_way_finds_at_least_half(found, k, cap):
    best = check(found, ranking.exposure_plain(found, k, cap), k, cap)
    assert check(found, ranking.exposure(found, k, cap, most_exact=-1), k, cap) >= best / 2 - 1e-9


def test_a_cap_that_binds_nobody_leaves_the_best_k():
    rng = np.random.default_rng(8)
    rows = np.array([rng.permutation(30)[:6] for _ in range(20)])
    scores = -np.sort(-rng.uniform(0, 100, (20, 6)), axis=1)
    shown = ranking.exposure(Found(rows=rows, scores=scores), 4, 20)
    assert shown.rows.tolist() == rows[:, :4].tolist()


def test_a_favourite_of_all_is_shown_where_it_matters_most():
    # Everybody has 0 first; the second choice of the last person is the worst one.
    rows = np.array([[0, 1], [0, 2], [0, 3]])
    scores = np.array([[99.0, 90.0], [98.0, 91.0], [97.0, 20.0]])
    shown = ranking.exposure(Found(rows=rows, scores=scores), 1, 1)
    assert shown.rows.tolist() == [[1], [2], [0]]
    greedy = ranking.exposure(Found(rows=rows, scores=scores), 1, 1, most_exact=0)
    assert greedy.rows.tolist() == [[0], [2], [3]]


def test_many_lists_at_once():
    rng = np.random.default_rng(9)
    favoured = rng.random(300) ** 3
    rows = np.array([np.argsort(-(favoured + rng.random(300)))[:12] for _ in range(300)])
    scores = -np.sort(-rng.uniform(40, 100, rows.shape), axis=1)
    found = Found(rows=rows, scores=scores)
    exact, greedy = ranking.exposure(found, 5, 8), ranking.exposure(found, 5, 8, most_exact=0)
    assert check(found, exact, 5, 8) >= check(found, greedy, 5, 8)
    assert ranking.exposure(found, 5, 8).rows.tolist() == exact.rows.tolist()


@pytest.mark.parametrize(("k", "cap"), [(0, 1), (1, 0), (-1, 2)])
def test_lists_of_nothing_are_refused(k, cap):
    nobody = Found(rows=np.zeros((0, 0), dtype=np.int64), scores=np.zeros((0, 0)))
    for form in (ranking.exposure, ranking.exposure_plain):
        with pytest.raises(UsageError, match="cannot make lists"):
            form(nobody, k, cap)
