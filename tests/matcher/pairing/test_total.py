"""The largest total, by every method that promises it, against all pairings tried."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mrblue_cli.core.errors import UsageError
from mrblue_cli.matcher.pairing.assignment import cheapest
from mrblue_cli.matcher.pairing.base import total
from mrblue_cli.matcher.pairing.methods import ENTRIES, pair
from mrblue_cli.matcher.pairing.plain import MOST_BY_HAND, between, every, exact_total
from tests.matcher.pairing.floors import FINE, crowd, floor, is_pairing, mixed, two_sided

SAME_TOTAL = ("total", "hungarian", "auction", "flow", "blossom")
FORMS = {entry.name.removeprefix("pair."): (entry.scalar, entry.fast) for entry in ENTRIES}


def best_total(people):
    return max(exact_total(people, pairs) for pairs in every(people))


@settings(max_examples=80)
@given(two_sided())
def test_the_largest_total_is_that_of_all_pairings_tried(people):
    most = best_total(people)
    for name in SAME_TOTAL:
        for form in FORMS[name]:
            found = form(people)
            assert is_pairing(people, found)
            assert total(people, found.pairs) == pytest.approx(most, abs=1e-6), (name, form)


@settings(max_examples=40)
@given(two_sided(scores=FINE))
def test_the_largest_total_of_scores_without_ties(people):
    most = best_total(people)
    for name in SAME_TOTAL:
        for form in FORMS[name]:
            assert total(people, form(people).pairs) == pytest.approx(most, abs=1e-6), (name, form)


@settings(max_examples=60)
@given(two_sided())
def test_nobody_sits_out_beside_somebody_to_dance_with(people):
    for name in SAME_TOTAL:
        out = FORMS[name][1](people).sits_out(people)
        assert np.isnan(people.scores[np.ix_(out, out)]).all(), name


@settings(max_examples=60)
@given(mixed())
def test_blossom_finds_the_largest_total_where_people_dance_both_roles(people):
    plain, quick = (form(people) for form in FORMS["blossom"])
    assert is_pairing(people, quick)
    assert is_pairing(people, plain)
    assert exact_total(people, quick.pairs) == exact_total(people, plain.pairs)
    assert len(quick.pairs) == len(plain.pairs)


def test_blossom_tells_scores_apart_by_the_last_digits_and_prefers_more_pairs():
    # An odd ring of three with one hair of difference, and two who share a score of exactly one pair.
    hair = 2.0**-38
    cells = [[None, 80.0, 80.0 + hair], [None, None, 80.0], [None] * 3]
    assert pair(floor([3, 3, 3], cells), "blossom").pairs == ((0, 2),)
    chain = [[None, 50.0, None, None], [None, None, 100.0, None], [None, None, None, 50.0], [None] * 4]
    assert pair(floor([3] * 4, chain), "blossom").pairs == ((0, 1), (2, 3))


@pytest.mark.parametrize("name", ["total", "hungarian", "flow", "blossom"])
@pytest.mark.parametrize(("leaders", "followers"), [(40, 40), (25, 45), (45, 20)])
def test_methods_agree_on_a_full_floor(name, leaders, followers):
    people = crowd(leaders, followers, seed=3, blocked=0.2)
    found = pair(people, name)
    assert is_pairing(people, found)
    assert total(people, found.pairs) == pytest.approx(total(people, pair(people, "total").pairs), abs=1e-6)


@pytest.mark.parametrize("grid", [None, 1.0, 20.0])
@pytest.mark.parametrize("seed", range(3))
def test_the_auction_agrees_with_the_hungarian_method(grid, seed):
    people = crowd(30, 24 + seed * 6, seed=seed, grid=grid, blocked=0.1)
    sold = pair(people, "auction")
    assert is_pairing(people, sold)
    # Scores are read to a millionth.
    best = total(people, pair(people, "hungarian").pairs)
    assert total(people, sold.pairs) == pytest.approx(best, abs=1e-6 * 30)


@given(st.integers(1, 6).flatmap(lambda n: st.lists(st.integers(-9, 9), min_size=n * n, max_size=n * n)))
@settings(max_examples=60)
def test_the_quick_hungarian_form_equals_the_plain_one(numbers):
    import itertools

    size = int(len(numbers) ** 0.5)
    cost = np.array(numbers, dtype=float).reshape(size, size)
    found = cheapest(cost)
    assert sorted(found) == list(range(size))
    least = min(sum(cost[row, column] for row, column in enumerate(way)) for way in itertools.permutations(range(size)))
    assert cost[np.arange(size), found].sum() == least


def test_the_two_tables_of_the_specification():
    crossed = between([[90, 80], [80, 10]])
    assert [total(crossed, pair(crossed, name).pairs) for name in ("stable", "greedy", "total")] == [100, 100, 160]
    worst = {name: min(crossed.scores[p] for p in pair(crossed, name).pairs) for name in ("stable", "total")}
    assert worst == {"stable": 10, "total": 80}
    uneven = between([[100, 60], [60, 30]])
    values = {name: [uneven.scores[p] for p in pair(uneven, name).pairs] for name in ("total", "bottleneck")}
    assert (sum(values["total"]), min(values["total"])) == (130, 30)
    assert (sum(values["bottleneck"]), min(values["bottleneck"])) == (120, 60)


def test_the_plain_form_says_how_many_it_can_take():
    with pytest.raises(UsageError, match=f"{MOST_BY_HAND + 2} people"):
        FORMS["total"][0](crowd(7, 7))


def test_500_by_500_is_paired_whole():
    people = crowd(500, 500, seed=1)
    found = pair(people, "total")
    assert is_pairing(people, found)
    assert len(found.pairs) == 500


@pytest.mark.parametrize("capacity", [2, (2, 1, 0, 2, 1, 1)])
@pytest.mark.parametrize("seed", range(6))
def test_flow_with_room_for_several_partners(capacity, seed):
    people = crowd(3, 3, seed=seed, grid=10.0, blocked=0.2)
    room = [capacity] * 6 if isinstance(capacity, int) else capacity
    cells = [(a, b) for a in range(6) for b in range(a + 1, 6) if not np.isnan(people.scores[a, b])]
    most = 0.0
    for chosen in range(1 << len(cells)):
        pairs = [cell for bit, cell in enumerate(cells) if chosen >> bit & 1]
        if all(sum(row in cell for cell in pairs) <= room[row] for row in range(6)):
            most = max(most, total(people, pairs))
    for form in FORMS["flow"]:
        found = form(people, capacity=capacity).pairs
        assert len(found) == len(set(found))
        assert all(sum(row in cell for cell in found) <= room[row] for row in range(6))
        assert total(people, found) == pytest.approx(most, abs=1e-6)


@pytest.mark.parametrize("capacity", [-1, (1, 2), (1, 1, 1, -1)])
def test_a_capacity_that_does_not_fit_is_refused(capacity):
    with pytest.raises(UsageError, match="capacity"):
        pair(between([[90, 80], [80, 10]]), "flow", capacity=capacity)


@pytest.mark.parametrize("name", SAME_TOTAL)
def test_pairs_that_add_nothing_dance_all_the_same(name):
    people = between([[0, None], [None, 0], [50, 0]])
    for form in FORMS[name]:
        found = form(people).pairs
        assert len(found) == 2
        assert total(people, found) == 50
