from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mrblue_cli.core.errors import UsageError
from mrblue_cli.matcher.aggregation.transfers import ENTRY, market, tu, tu_fast
from tests.matcher.aggregation.tables import scores


@st.composite
def views(draw, most=5):
    shape = draw(st.tuples(st.integers(1, most), st.integers(1, most)))
    size = shape[0] * shape[1]
    both = [draw(st.lists(scores, min_size=size, max_size=size)) for _ in range(2)]
    return tuple(np.array(one).reshape(shape) for one in both)


def matches(p, q, temperature):
    """mu by plain fitting in turns, as the sources write it: A^2 + A sum(K B) = 1, B^2 + B sum(K A) = 1."""
    pull = np.exp((p + q) / 200 / temperature)
    a, b = np.ones(p.shape[0]), np.ones(p.shape[1])
    for _ in range(20_000):
        half = pull @ b / 2
        a = np.sqrt(1 + half**2) - half
        half = a @ pull / 2
        b = np.sqrt(1 + half**2) - half
    return a[:, None] * pull * b, a, b


@settings(max_examples=25)
@given(views=views(), temperature=st.sampled_from((0.1, 0.3, 1.0, 4.0)))
def test_both_forms_agree(views, temperature):
    p, q = views
    fast = tu_fast(p, q, temperature=temperature)
    assert fast.shape == p.shape
    assert ((fast >= 0) & (fast <= 100)).all()
    assert fast == pytest.approx(np.array(tu(p.tolist(), q.tolist(), temperature=temperature)), abs=1e-9)
    # The other side's table is the same table turned round.
    assert tu_fast(q.T, p.T, temperature=temperature) == pytest.approx(fast.T, abs=1e-9)


def test_the_order_of_pairs_is_that_of_the_matches_in_equilibrium():
    rng = np.random.default_rng(2)
    p, q = rng.uniform(20, 80, (2, 4, 6))
    mu, alone, other = matches(p, q, 1.0)
    assert mu.sum(axis=1) + alone**2 == pytest.approx(np.ones(4))
    assert mu.sum(axis=0) + other**2 == pytest.approx(np.ones(6))
    found = tu_fast(p, q)
    assert 0 < found.min() < found.max() < 100
    assert np.argsort(found, axis=None).tolist() == np.argsort(mu, axis=None).tolist()
    # On a logarithmic scale of 100 points a unit.
    logs = 100 * np.log(mu)
    assert found - found[0, 0] == pytest.approx(logs - logs[0, 0], abs=1e-6)


@given(same=scores, shape=st.tuples(st.integers(1, 6), st.integers(1, 6)))
@settings(max_examples=20)
def test_where_everybody_likes_everybody_alike_nobody_pays(same, shape):
    views = np.full(shape, same)
    assert tu_fast(views, views) == pytest.approx(views)


@given(p=scores, q=scores)
@settings(max_examples=20)
def test_two_people_alone_get_their_mean(p, q):
    assert tu(p, q) == pytest.approx((p + q) / 2)
    assert tu_fast(np.array([[p]]), np.array([[q]]))[0, 0] == pytest.approx((p + q) / 2)


def test_being_sought_after_costs():
    # Every leader adores the first follower; she likes them no more than the others do.
    adored = np.array([[100.0, 50.0, 50.0]] * 3)
    back = np.full((3, 3), 50.0)
    found = tu_fast(adored, back)
    assert (found[:, 0] < 75 - 5).all()
    # Adored by one alone, she costs less.
    lone = np.where(np.eye(3) > 0, adored, 50.0)
    assert tu_fast(lone, back)[0, 0] > found[0, 0] + 3


def test_examples_and_empty_markets():
    for example in ENTRY.examples:
        assert np.array(tu(**example.given)) == pytest.approx(np.array(example.expected), abs=0.005)
    assert tu_fast(np.zeros((0, 3)), np.zeros((0, 3))).shape == (0, 3)
    assert tu_fast(np.zeros((2, 0)), np.zeros((2, 0))).shape == (2, 0)
    assert tu([], []) == []
    assert tu([[], []], [[], []]) == [[], []]


def test_an_unknown_view_counts_half_and_stays_unknown():
    p, q = np.array([[90.0, np.nan], [20.0, 40.0]]), np.array([[70.0, 30.0], [np.nan, 80.0]])
    found = tu_fast(p, q)
    assert np.isnan(found).tolist() == [[False, True], [True, False]]
    filled = tu_fast(np.nan_to_num(p, nan=50.0), np.nan_to_num(q, nan=50.0))
    assert found[~np.isnan(found)] == pytest.approx(filled[~np.isnan(found)])


def test_people_who_dance_both_roles_are_in_one_market_with_all():
    # Three people who may all dance with each other, two of them fond of the third, and one leader with nobody.
    left, right = np.array([0, 0, 1]), np.array([1, 2, 2])
    joy = np.array([50.0, 90.0, 90.0])
    found = market(4, left, right, joy, joy)
    assert found[1] == pytest.approx(found[2])
    assert found[1] < 90
    # The equilibrium itself: everybody's matches and time alone sum to 1, as logs of the scores tell again.
    alone = market(3, left, right, joy, joy)
    assert alone == pytest.approx(found)
    one_pair = market(5, np.array([1]), np.array([4]), np.array([30.0]), np.array([60.0]))
    assert one_pair == pytest.approx([45.0])


def test_a_market_that_falls_into_parts_is_settled_part_by_part():
    rng = np.random.default_rng(4)
    p, q = rng.uniform(0, 100, (2, 8))
    left, right = np.array([0, 0, 1, 1]), np.array([2, 3, 2, 3])
    # Two separate markets of two leaders and two followers, one solved alone and both at once.
    both = market(8, np.concatenate((left, left + 4)), np.concatenate((right, right + 4)), p, q)
    repeated = market(8, np.concatenate((left, left + 4)), np.concatenate((right, right + 4)), p[[*range(4)] * 2],
                      q[[*range(4)] * 2])  # fmt: skip
    assert repeated[:4] == pytest.approx(repeated[4:])
    assert repeated[:4] == pytest.approx(market(4, left, right, p[:4], q[:4]))
    assert np.isfinite(both).all()


@pytest.mark.parametrize("temperature", [0.0, -1.0, 0.05, float("nan"), float("inf")])
def test_a_market_too_cold_is_refused(temperature):
    with pytest.raises(UsageError, match="temperature"):
        tu(100.0, 25.0, temperature=temperature)
    with pytest.raises(UsageError, match="temperature"):
        tu_fast(np.ones((1, 1)), np.ones((1, 1)), temperature=temperature)


def test_a_large_market_is_settled_as_exactly_as_a_small_one():
    p, q = np.random.default_rng(7).uniform(0, 100, (2, 170, 150))
    p[:, 0] = 100.0
    assert tu_fast(p, q) == pytest.approx(np.array(tu(p.tolist(), q.tolist())), abs=1e-9)
