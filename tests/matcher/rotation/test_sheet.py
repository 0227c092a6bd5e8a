"""Order of tandas, who leads, what the note says."""

from __future__ import annotations

from collections import Counter

import msgspec
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from mrblue_cli.matcher.rotation.leading import share_the_lead
from mrblue_cli.matcher.rotation.methods import rotate
from mrblue_cli.matcher.rotation.sheet import arrange, sheet, sit_outs, uneven
from tests.matcher.rotation.floors import BOTH, FOLLOWER, LEADER, floor_of_roles, floor_of_table, two_sides

EITHER = np.ones((12, 12), dtype=bool)


def test_the_strongest_tanda_comes_first():
    floor = floor_of_table([[50, 90], [90, 50]])
    assert arrange([[(0, 2), (1, 3)], [(0, 3), (1, 2)]], floor) == [[(0, 3), (1, 2)], [(0, 2), (1, 3)]]


def test_then_the_order_spares_people_two_sit_outs_in_a_row():
    # One leader, three followers; M1 is the strongest. All orders leave two to wait, so the stronger comes next.
    floor = floor_of_table([[90, 60, 70]])
    assert arrange([[(0, 1)], [(0, 2)], [(0, 3)]], floor) == [[(0, 1)], [(0, 3)], [(0, 2)]]
    # Two leaders, four followers: after M1 and M2 come M3 and M4, though another tanda with M1 is stronger.
    floor = floor_of_table([[90, 90, 50, 50], [90, 90, 50, 80]])
    classes = [[(0, 2), (1, 3)], [(0, 3), (1, 5)], [(0, 4), (1, 2)], [(0, 5), (1, 4)]]
    assert arrange(classes, floor)[:2] == [[(0, 2), (1, 3)], [(0, 5), (1, 4)]]


def test_equals_go_by_rows():
    floor = floor_of_table([[70, 70], [70, 70]])
    assert arrange([[(1, 2), (0, 3)], [(1, 3), (0, 2)]], floor) == [[(0, 2), (1, 3)], [(0, 3), (1, 2)]]


def test_no_tandas():
    floor = floor_of_roles([])
    assert arrange([], floor) == []
    assert sheet(floor, [], (), 3).note == "nobody here can dance with anybody else"


@settings(max_examples=80, deadline=None)
@given(st.lists(st.lists(st.integers(0, 11), min_size=2, max_size=12, unique=True), max_size=6))
def test_the_order_of_classes_given_does_not_matter(drawn):
    floor = floor_of_roles([BOTH] * 12, seed=1)
    classes = [list(zip(rows[::2], rows[1::2], strict=False)) for rows in drawn]
    assert arrange(classes, floor) == arrange(classes[::-1], floor)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.lists(st.integers(0, 11), min_size=2, max_size=12, unique=True), max_size=8))
def test_everybody_leads_half_when_either_may(drawn):
    plan = [[(min(pair), max(pair)) for pair in zip(rows[::2], rows[1::2], strict=False)] for rows in drawn]
    led = share_the_lead(plan, EITHER)
    assert [sorted((min(pair), max(pair)) for pair in pairs) for pairs in led] == [sorted(pairs) for pairs in plan]
    leads = Counter(leader for pairs in led for leader, _ in pairs)
    follows = Counter(follower for pairs in led for _, follower in pairs)
    assert all(abs(leads[row] - follows[row]) <= 1 for row in range(12))


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.lists(st.integers(0, 8), min_size=2, max_size=9, unique=True), max_size=6),
    st.lists(st.sampled_from([LEADER, FOLLOWER, BOTH]), min_size=9, max_size=9),
)
def test_roles_decide_where_they_can(drawn, roles):
    roles = np.array(roles)
    may = (roles[:, None] & LEADER > 0) & (roles[None, :] & FOLLOWER > 0)
    plan = [
        [(a, b) for a, b in zip(rows[::2], rows[1::2], strict=False) if may[a, b] or may[b, a]] for rows in drawn
    ]  # fmt: skip
    for pairs in share_the_lead(plan, may):
        assert all(may[pair] for pair in pairs)


def test_who_must_follow_elsewhere_leads_where_either_may():
    # Row 0 dances both, with leaders in two tandas, then twice with people of both roles, who lead elsewhere.
    roles = np.array([BOTH, LEADER, LEADER, BOTH, BOTH])
    may = (roles[:, None] & LEADER > 0) & (roles[None, :] & FOLLOWER > 0)
    led = share_the_lead([[(0, 1)], [(0, 2)], [(0, 3)], [(0, 4)]], may)
    assert led == [[(1, 0)], [(2, 0)], [(0, 3)], [(0, 4)]]


def test_a_chain_is_turned_round():
    # Greedily by rows 0 leads 1 and 2 leads 3 before 0 and 2 meet people who can only follow.
    roles = np.array([BOTH, BOTH, BOTH, BOTH, FOLLOWER, FOLLOWER])
    may = (roles[:, None] & LEADER > 0) & (roles[None, :] & FOLLOWER > 0)
    plan = [[(0, 1), (2, 3)], [(0, 4), (2, 5)]]
    assert share_the_lead(plan, may) == [[(1, 0), (3, 2)], [(0, 4), (2, 5)]]


def test_the_note_names_the_unlucky_and_spares_the_reader_a_long_list():
    floor = two_sides(9, 3)
    plan = [[(0, 9), (1, 10), (2, 11)], [(0, 10), (1, 11), (2, 9)]]
    assert uneven(floor, plan, ()) == (
        "sit-outs are uneven, for want of possible partners: p003 2 times, p004 2 times, p005 2 times, p006 2 times, "
        "p007 2 times and 1 more, other leaders 0"
    )
    assert sit_outs(floor, plan, ((0, 9),)) == {1: 0, 2: 0, 3: 2, 4: 2, 5: 2, 6: 2, 7: 2, 8: 2, 10: 0, 11: 0}


def test_a_couple_that_always_dances_does_not_make_others_unlucky():
    floor = two_sides(3, 2)
    rotation = rotate(floor, 2, "exact", together=((0, 3),))
    assert rotation.note == ""
    assert all((0, 3) in tanda.pairs for tanda in rotation.tandas)


def test_the_note_gives_the_span_of_the_others():
    floor = two_sides(3, 3)
    plan = [[(0, 3), (1, 4)], [(0, 4)], [(0, 5), (1, 3)]]
    # Leaders sit out 0, 1 and 3 times, followers 1, 1 and 2.
    assert uneven(floor, plan, ()) == (
        "sit-outs are uneven, for want of possible partners: p002 3 times, other leaders 0 or 1"
    )


def test_levels_decide_who_leads_where_roles_do_not():
    floor = floor_of_roles([BOTH] * 4)
    better = np.array([[0, 2, 3, 3], [1, 0, 3, 3], [3, 3, 0, 1], [3, 3, 2, 0]], dtype=np.int8)
    floor = msgspec.structs.replace(floor, leads=better)
    # 1 leads 0 and 2 leads 3 by level; whoever followed there leads elsewhere, where nothing decides.
    found = [tanda.pairs for tanda in sheet(floor, [[(0, 1), (2, 3)], [(0, 2), (1, 3)]], (), 2).tandas]
    assert found == [((1, 0), (2, 3)), ((0, 2), (3, 1))]
    # A couple kept together takes turns only where nothing decides.
    assert [tanda.pairs for tanda in sheet(floor, [], ((0, 1),), 2).tandas] == [((1, 0),), ((1, 0),)]
    assert [tanda.pairs for tanda in sheet(floor, [], ((0, 2),), 2).tandas] == [((0, 2),), ((2, 0),)]


def test_roles_fixed_for_the_evening_come_before_levels():
    floor = floor_of_roles([BOTH, BOTH])
    floor = msgspec.structs.replace(floor, leads=np.array([[0, 2], [1, 0]], dtype=np.int8))
    fixed = floor.with_roles(np.array([LEADER, FOLLOWER], dtype=np.uint8))
    assert sheet(fixed, [[(0, 1)]], (), 1).tandas[0].pairs == ((0, 1),)
    assert sheet(floor, [[(0, 1)]], (), 1).tandas[0].pairs == ((1, 0),)
