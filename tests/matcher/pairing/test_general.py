"""Methods for any floor: greedy, most, lottery; trades, walk-ins and shares; and what all methods have in common."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mrblue_cli.core.errors import UsageError
from mrblue_cli.matcher.compiled import Community
from mrblue_cli.matcher.model import Role, User
from mrblue_cli.matcher.pairing.base import Floor, floor_of, total
from mrblue_cli.matcher.pairing.methods import ENTRIES, named, pair
from mrblue_cli.matcher.pairing.plain import among, between, every
from mrblue_cli.matcher.recipe import make_recipe
from tests.matcher.pairing.floors import crowd, floor, is_pairing, mixed, two_sided

NAMES = tuple(entry.name.removeprefix("pair.") for entry in ENTRIES)
ANY_FLOOR = ("blossom", "greedy", "lottery", "most", "roommates")
SAME_PAIRS = ("greedy", "lottery", "stable", "egalitarian", "regret", "ttc", "online")


def test_there_are_eighteen_of_them_each_with_words_and_examples():
    assert len(set(NAMES)) == len(NAMES) == 18
    for entry in ENTRIES:
        assert entry.words
        assert entry.formula
        assert entry.examples
        assert entry.approximate is (entry.name == "pair.sinkhorn")


@pytest.mark.parametrize("entry", ENTRIES, ids=NAMES)
def test_examples_hold_for_both_forms(entry):
    for example in entry.examples:
        assert entry.scalar(**example.given) == example.expected
        assert entry.fast(**example.given) == example.expected


@settings(max_examples=60)
@given(two_sided(directed=True), st.integers(0, 9))
def test_each_method_gives_a_pairing_and_the_same_one_again(people, seed):
    for name in NAMES:
        found = pair(people, name, seed=seed)
        assert is_pairing(people, found), name
        assert pair(people, f"pair.{name}", seed=seed) == found
        assert is_pairing(people, named(name).scalar(people, seed=seed)), name


@settings(max_examples=40)
@given(mixed(directed=True), st.integers(0, 9))
def test_methods_without_sides_take_dual_role_people(people, seed):
    for name in ANY_FLOOR:
        assert is_pairing(people, pair(people, name, seed=seed)), name


@settings(max_examples=60)
@given(two_sided(directed=True), st.integers(0, 9))
def test_methods_with_one_answer_give_it_in_both_forms(people, seed):
    for name in SAME_PAIRS:
        assert named(name).scalar(people, seed=seed) == named(name).fast(people, seed=seed), name


@pytest.mark.parametrize("roles", [[], [1], [2], [1, 1], [2, 2], [1, 2]])
@pytest.mark.parametrize("name", NAMES)
def test_small_and_one_sided_floors(name, roles):
    people = floor(roles, [[80.0] * 2] * 2)
    expected = ((0, 1),) if roles == [1, 2] else ()
    for form in (named(name).scalar, named(name).fast):
        assert form(people).pairs == expected


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("size", [2, 3])
def test_a_floor_without_a_feasible_pair(name, size):
    people = floor([1] * size + [2] * 3, [[None] * 6] * 6)
    for form in (named(name).scalar, named(name).fast):
        assert form(people).pairs == ()


@pytest.mark.parametrize("name", NAMES)
def test_the_order_of_input_does_not_matter(name):
    people = [
        User(id=f"p{row}", roles=Role(1 + row % 2), leader_level=1 + row % 4, follower_level=1 + row % 3)
        for row in range(14)
    ]
    chance = np.random.default_rng(1)
    found = set()
    for _ in range(4):
        order = chance.permutation(len(people))
        found.add(pair(floor_of(Community(people[row] for row in order), make_recipe()), name))
    assert len(found) == 1


def test_wrong_names_and_parameters_are_refused_with_a_way_out():
    people = crowd(2, 2)
    for method, parameters, words, hint in (
        ("totl", {}, "no way of pairing named 'totl'", "did you mean total?"),
        ("zzz", {}, "'zzz'", "there are: auction, blossom"),
        ("total", {"least": 3}, "pair.total takes no 'least'", "nothing but a seed"),
        ("most", {"lest": 3}, "pair.most takes no 'lest'", "it takes least"),
        ("most", {"least": 101.0}, "least is 101", "0 to 100"),
        ("most", {"least": float("nan")}, "least is nan", "0 to 100"),
        ("lottery", {"seed": -1}, "the seed is -1", "0 or more"),
        ("sinkhorn", {"blur": 0}, "blur is 0", "for example 1"),
        ("ttc", {"trades": "both"}, "trades is 'both'", "leader or follower"),
        ("online", {"arrives": ""}, "arrives is ''", "leader or follower"),
    ):
        with pytest.raises(UsageError, match=words) as caught:
            pair(people, method, **parameters)
        assert hint in caught.value.hint


@settings(max_examples=60)
@given(mixed())
def test_greedy_reaches_half_the_largest_total_and_leaves_no_better_pair(people):
    found = pair(people, "greedy").pairs
    assert 2 * total(people, found) >= total(people, pair(people, "blossom").pairs) - 1e-6
    score_of = {row: people.scores[pair] for pair in found for row in pair}
    for a, b in zip(*np.nonzero(~np.isnan(people.scores)), strict=True):
        assert max(score_of.get(a, -1), score_of.get(b, -1)) >= people.scores[a, b]


@settings(max_examples=80)
@given(st.one_of(mixed(), two_sided()), st.sampled_from([0.0, 50.0, 60.0, 90.0]))
def test_most_has_as_many_pairs_above_the_floor_as_there_can_be(people, least):
    allowed = [pairs for pairs in every(people) if all(people.scores[p] >= least for p in pairs)]
    for form in (named("most").scalar, named("most").fast):
        found = form(people, least=least)
        assert is_pairing(people, found)
        assert found.pairs in allowed
        assert len(found.pairs) == max(map(len, allowed))
        assert f"{least:g} or more" in found.note


def test_each_seed_draws_its_own_order_and_says_so():
    people = crowd(12, 12, seed=4, directed=True)
    for name in ("lottery", "online"):
        found = [pair(people, name, seed=seed) for seed in range(5)]
        assert len({each.pairs for each in found}) > 1
        assert all(f"seed {seed}" in each.note for seed, each in enumerate(found))


@settings(max_examples=80)
@given(two_sided(directed=True, most=8), st.data(), st.sampled_from(["leader", "follower"]))
def test_trading_leaves_nobody_worse_off_and_no_group_with_a_better_trade(people, data, side):
    current = data.draw(st.sampled_from(list(every(people))))
    found = pair(people, "ttc", current=current, trades=side)
    assert found == named("ttc").scalar(people, current=current, trades=side)
    traders = people.sides()[side == "follower"].tolist()

    def partner(pairs):
        return {a if a in traders else b: b if a in traders else a for a, b in pairs}

    owns, has = partner(current), partner(found.pairs)

    def likes(who, one, other):
        """Strictly, by views and then by smaller row."""
        return other is None or (-people.views[who, one], one) < (-people.views[who, other], other)

    assert all(who in has and not likes(who, owns[who], has[who]) for who in owns)
    for size in range(1, len(owns) + 1):
        for group in itertools.permutations(owns, size):
            # Each of the group takes what the next one owns: never better for one and no worse for all.
            gives = [owns[who] for who in (*group[1:], group[0])]
            if any(np.isnan(people.scores[who, new]) for who, new in zip(group, gives, strict=True)):
                continue
            ups = [likes(who, new, has[who]) for who, new in zip(group, gives, strict=True)]
            same = [new == has[who] for who, new in zip(group, gives, strict=True)]
            assert not (any(ups) and all(up or equal for up, equal in zip(ups, same, strict=True)))


@pytest.mark.parametrize(
    ("current", "words"),
    [
        (((0, 1),), "a1 and a2 cannot dance together"),
        (((0, 2), (0, 3)), "a1 has two"),
        (((0, 2), (1, 2)), "b1 has two"),
        (((0, 9),), "a1 and row 9"),
        (((-1, 0),), "row -1"),
    ],
)
def test_current_partners_that_cannot_be_are_refused(current, words):
    with pytest.raises(UsageError, match=words):
        pair(between([[90, 80], [80, 10]]), "ttc", current=current)


@settings(max_examples=40)
@given(two_sided(most=8), st.sampled_from(["leader", "follower"]), st.integers(0, 5))
def test_walk_ins_turn_nobody_away_who_could_dance(people, side, seed):
    found = pair(people, "online", arrives=side, seed=seed)
    out = found.sits_out(people)
    assert np.isnan(people.scores[np.ix_(out, out)]).all()
    assert found == named("online").scalar(people, arrives=side, seed=seed)
    assert 2 * len(found.pairs) >= max(map(len, every(people)))


def test_on_average_walk_ins_make_most_of_the_pairs_there_could_be():
    # The hard case: later guests can only dance with hosts whom earlier ones may have taken.
    size = 20
    table = [[80.0 if host >= guest else None for host in range(size)] for guest in range(size)]
    counts = [len(pair(between(table), "online", seed=seed).pairs) for seed in range(60)]
    assert np.mean(counts) >= (1 - 1 / np.e) * size


@pytest.mark.parametrize("grid", [None, 0.1, 1.0, 5.0, 20.0])
def test_shares_come_within_half_a_point_a_person_of_the_largest_total(grid):
    chance = np.random.default_rng(7)
    for seed in range(12):
        people = crowd(*chance.integers(1, 12, 2).tolist(), seed=seed, grid=grid, blocked=(0, 0.2, 0.5)[seed % 3])
        best = total(people, pair(people, "total").pairs)
        assert best - total(people, pair(people, "sinkhorn").pairs) <= 0.5 * len(people)
        if len(people) < 9:
            assert best - total(people, named("sinkhorn").scalar(people).pairs) <= 0.5 * len(people)


def test_a_sharper_plan_is_nearer_to_the_largest_total():
    people = crowd(30, 30, seed=9)
    best = total(people, pair(people, "total").pairs)
    gaps = [best - total(people, pair(people, "sinkhorn", blur=blur).pairs) for blur in (16.0, 1.0, 0.05)]
    assert gaps[0] > gaps[1] >= gaps[2] - 1e-9
    assert gaps[2] == pytest.approx(0, abs=0.05)


def test_floors_written_down():
    people = between([[90, None], [80, 70], [60, 50]])
    assert people.ids == ("a1", "a2", "a3", "b1", "b2")
    assert people.roles.tolist() == [1, 1, 1, 2, 2]
    assert np.array_equal(people.scores, people.scores.T, equal_nan=True)
    directed = between([[90]], [[50]])
    assert (directed.views[0, 1], directed.views[1, 0], directed.scores[0, 1]) == (90, 50, 70)
    dual = among([[1, 80, None], [60, None, 40], [30, 20, None]])
    assert np.isnan(dual.scores.diagonal()).all()
    assert np.isnan(dual.views[2, 0])
    assert (dual.scores[0, 1], dual.views[1, 2]) == (70, 40)
    with pytest.raises(ValueError, match="up to 99"):
        between([[50.0]] * 198)
    ids = between([[50.0]] * 12).ids
    assert list(ids) == sorted(ids)
    assert isinstance(people, Floor)
