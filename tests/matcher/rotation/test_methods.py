"""Worked examples of the reference, the plain forms against the fast ones, and what `rotate` refuses."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mrblue_cli.core.errors import UsageError
from mrblue_cli.matcher import registry
from mrblue_cli.matcher.rotation.methods import ENTRIES, rotate
from tests.matcher.rotation.floors import (
    BOTH,
    FOLLOWER,
    LEADER,
    check,
    dances,
    floor_of_roles,
    floor_of_table,
    mixed,
    sided,
    squares,
    tiny,
    total,
    two_sides,
    with_couples,
)

NINE = floor_of_table([[100, 85, 95], [100, 80, 45], [45, 80, 100]])
BY_NAME = {entry.name: entry for entry in ENTRIES}
SOME = settings(max_examples=60, deadline=None)


@pytest.mark.parametrize("form", ["scalar", "fast"])
def test_repeat_on_the_table_of_the_reference(form):
    rotation = getattr(BY_NAME["rot.repeat"], form)(NINE, 2)
    totals = [sum(NINE.scores[pair] for pair in tanda.pairs) for tanda in rotation.tandas]
    assert totals == [285, 225]
    assert rotation.note == ""


@pytest.mark.parametrize("form", ["scalar", "fast"])
@pytest.mark.parametrize("name", ["rot.exact", "rot.vizing"])
def test_exact_on_the_table_of_the_reference(name, form):
    rotation = getattr(BY_NAME[name], form)(NINE, 2)
    totals = [sum(NINE.scores[pair] for pair in tanda.pairs) for tanda in rotation.tandas]
    assert totals == [280, 275]
    assert total(NINE, rotation) == 555


@pytest.mark.parametrize("form", ["scalar", "fast"])
def test_latin_with_three_leaders_and_five_followers(form):
    floor = two_sides(3, 5)
    rotation = check(floor, getattr(BY_NAME["rot.latin"], form)(floor, 5), 5)
    assert len({pair for tanda in rotation.tandas for pair in tanda.pairs}) == 15
    assert [dances(rotation)[row] for row in range(3, 8)] == [3] * 5


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_examples(entry):
    assert entry.examples
    for example in entry.examples:
        for form in (entry.scalar, entry.fast):
            assert form(**example.given) == example.expected


@settings(max_examples=100, deadline=None)
@given(tiny())
def test_exact_is_as_good_as_trying_everything(case):
    floor, tandas = case
    plain, fast = BY_NAME["rot.exact"].scalar(floor, tandas), rotate(floor, tandas, "exact")
    check(floor, plain, tandas)
    assert len(fast.tandas) == len(plain.tandas)
    assert squares(floor, fast) == squares(floor, plain)
    assert total(floor, fast) == total(floor, plain)


@SOME
@given(with_couples(tiny()))
def test_repeat_takes_the_best_tanda_each_time(case):
    """Also where many are equally good: what is danced first decides what is left."""
    floor, tandas, together = case
    plain = BY_NAME["rot.repeat"].scalar(floor, tandas, together=together)
    assert rotate(floor, tandas, "repeat", together=together) == plain


@SOME
@given(tiny())
def test_repeat_is_as_fair_as_exact_and_never_better(case):
    floor, tandas = case
    greedy, best = rotate(floor, tandas, "repeat"), rotate(floor, tandas, "exact")
    assert len(greedy.tandas) == len(best.tandas)
    assert squares(floor, greedy) == squares(floor, best)
    assert total(floor, greedy) <= total(floor, best) + 1e-6


@pytest.mark.parametrize("name", ["rot.latin", "rot.circle"])
@SOME
@given(case=with_couples(sided()))
def test_a_ring_that_turns_says_the_same_as_the_formula(name, case):
    floor, tandas, together = case
    entry = BY_NAME[name]
    assert entry.scalar(floor, tandas, together=together) == entry.fast(floor, tandas, together=together)


@SOME
@given(mixed())
def test_a_circle_that_moves_says_the_same_as_the_formula(case):
    floor, tandas = case
    assert BY_NAME["rot.circle"].scalar(floor, tandas) == BY_NAME["rot.circle"].fast(floor, tandas)


@settings(max_examples=80, deadline=None)
@given(mixed(most=6))
def test_vizing_is_as_good_as_trying_everything(case):
    floor, tandas = case
    plain, fast = BY_NAME["rot.vizing"].scalar(floor, tandas), rotate(floor, tandas, "vizing")
    check(floor, plain, tandas)
    assert len(fast.tandas) == len(plain.tandas)
    assert squares(floor, fast) == squares(floor, plain)
    assert total(floor, fast) == total(floor, plain)


@SOME
@given(tiny())
def test_vizing_equals_exact_without_people_of_both_roles(case):
    floor, tandas = case
    general, two_sided = rotate(floor, tandas, "vizing"), rotate(floor, tandas, "exact")
    assert squares(floor, general) == squares(floor, two_sided)
    assert total(floor, general) == total(floor, two_sided)


@pytest.mark.parametrize("name", ["rot.golfer", "rot.vizing"])
@settings(max_examples=30, deadline=None)
@given(case=with_couples(tiny()))
def test_the_plain_forms_keep_the_rules(name, case):
    floor, tandas, together = case
    check(floor, BY_NAME[name].scalar(floor, tandas, together=together), tandas, together)


@settings(max_examples=10, deadline=None)
@given(st.integers(7, 8), st.integers(1, 3))
def test_the_plain_form_of_vizing_goes_tanda_by_tanda_above_six_people(people, tandas):
    floor = floor_of_roles([BOTH] * people, seed=people)
    plain = check(floor, BY_NAME["rot.vizing"].scalar(floor, tandas), tandas)
    fast = rotate(floor, tandas, "vizing")
    assert squares(floor, fast) <= squares(floor, plain)
    if squares(floor, fast) == squares(floor, plain):
        assert total(floor, fast) >= total(floor, plain) - 1e-6


def test_every_method_of_the_reference_is_there():
    assert sorted(BY_NAME) == ["rot.circle", "rot.exact", "rot.golfer", "rot.latin", "rot.repeat", "rot.vizing"]
    assert [entry.name for entry in registry.family("rot")] == sorted(BY_NAME)
    assert [entry.name for entry in ENTRIES if entry.approximate] == ["rot.golfer"]


@pytest.mark.parametrize("name", ["exact", "rot.exact"])
def test_a_method_goes_by_its_short_or_long_name(name):
    assert total(NINE, rotate(NINE, 2, name)) == 555


def test_an_unknown_method():
    with pytest.raises(UsageError, match="no rotation named 'exakt'") as refused:
        rotate(NINE, 2, "exakt")
    assert "rot.exact" in refused.value.hint
    with pytest.raises(UsageError) as refused:
        rotate(NINE, 2, "zzzzzzzzz")
    assert "rot.circle, rot.latin" in refused.value.hint


@pytest.mark.parametrize("tandas", [0, -1])
def test_no_tandas(tandas):
    with pytest.raises(UsageError, match="tandas are none"):
        rotate(NINE, tandas, "exact")


def test_an_unknown_parameter():
    with pytest.raises(UsageError, match=r"rot\.exact has no parameter 'group'") as refused:
        rotate(NINE, 2, "exact", group=4)
    assert refused.value.hint == "it takes: none"
    with pytest.raises(UsageError) as refused:
        rotate(NINE, 2, "golfer", size=4)
    assert refused.value.hint == "it takes: group"


@pytest.mark.parametrize(
    ("together", "what"),
    [
        (((0, 0),), "names rows 0 and 0"),
        (((0, 9),), "names rows 0 and 9 of a floor of 6"),
        (((-1, 2),), "names rows -1 and 2"),
        (((0, 1),), "L1 and L2 cannot be kept together"),
        (((0, 3), (3, 1)), "M1 is in two couples"),
    ],
)
@pytest.mark.parametrize("name", [entry.name for entry in ENTRIES])
def test_a_couple_that_cannot_be(name, together, what):
    with pytest.raises(UsageError, match=what):
        rotate(NINE, 2, name, together=together)


def test_a_couple_named_twice_is_one():
    assert rotate(NINE, 2, "exact", together=((0, 3), (3, 0))) == rotate(NINE, 2, "exact", together=((0, 3),))


@pytest.mark.parametrize("name", [entry.name for entry in ENTRIES])
def test_whoever_comes_first_by_id_makes_no_difference_to_the_rules(name):
    """Leaders before followers by id, or in between, or after: as many dances, as fair."""
    counts = set()
    for roles in (
        [LEADER] * 4 + [FOLLOWER] * 6,
        [FOLLOWER] * 6 + [LEADER] * 4,
        [LEADER, FOLLOWER] * 4 + [FOLLOWER] * 2,
    ):
        floor = floor_of_roles(roles)
        rotation = check(floor, rotate(floor, 4, name), 4)
        counts.add((sum(len(tanda.pairs) for tanda in rotation.tandas), squares(floor, rotation)))
    assert len(counts) == 1


def test_the_best_total_does_not_depend_on_the_order_of_people():
    chance = np.random.default_rng(5)
    floor = two_sides(7, 9, seed=5)
    expected = total(floor, rotate(floor, 4, "exact"))
    for _ in range(3):
        order = chance.permutation(16)
        shuffled = floor_of_roles(floor.roles[order], np.nan_to_num(floor.scores[np.ix_(order, order)]))
        assert total(shuffled, rotate(shuffled, 4, "exact")) == pytest.approx(expected)
