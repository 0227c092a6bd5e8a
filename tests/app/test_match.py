"""The use cases of lists: who fits one person, or everybody."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrblue_cli.app.match import (
    BEST,
    Case,
    How,
    Lists,
    Searching,
    algorithms,
    best_pairs,
    case_of,
    coming_monday,
    each,
    everyone,
    explained,
    find_method,
    likeness,
    one,
    open_case,
    partners_of,
)
from mrblue_cli.app.match_files import Loaded, Skipped
from mrblue_cli.core.errors import InputFileError, UsageError
from mrblue_cli.matcher import registry
from mrblue_cli.matcher.compiled import Community
from mrblue_cli.matcher.recipe import make_recipe
from mrblue_cli.matcher.topk.base import Found
from tests.matches import WEEK, both, case, file_of, follower, leader


@given(st.dates(min_value=dt.date(2000, 1, 1), max_value=dt.date(2100, 1, 1)))
def test_the_coming_monday_is_today_or_within_a_week(day):
    monday = coming_monday(day)
    assert monday.weekday() == 0
    assert 0 <= (monday - day).days <= 6


def test_a_week_is_named_by_its_monday(tmp_path):
    path = file_of(tmp_path)
    assert open_case(path, How(), week=WEEK + dt.timedelta(days=4)).loaded.week == WEEK


def test_a_misspelt_criterion_is_told_before_the_file_is_read(tmp_path):
    missing = tmp_path / "not-there.json"
    with pytest.raises(UsageError, match="muzic"):
        open_case(missing, How(weights={"muzic": 1.0}), week=WEEK)
    with pytest.raises(InputFileError):
        open_case(missing, How(), week=WEEK)


def test_an_entry_without_weight_is_warned_about():
    people = [leader("l", 5), follower("f", 5)]
    assert "music has weight 0" in case(people, entries={"music": "taste.ruzicka"}).warnings[0]
    assert case(people, entries={"music": "taste.ruzicka"}, weights={"music": 0.1}).warnings == ()
    assert case(people, entries={"level": "level.table"}).warnings == ()


def test_what_needs_a_history_is_refused_only_where_there_are_people():
    entries = [entry for entry in registry.family("hist") if entry.needs_history]
    if not entries:
        pytest.skip("the family is not there")
    how = {"entries": {"history": entries[0].name}, "weights": {"history": 0.2}}
    with pytest.raises(UsageError, match="who danced with whom"):
        case([leader("l"), follower("f")], **how)
    assert case([], **how).recipe.weight("history") > 0
    assert case([leader("l", history=(("f", 2.0),)), follower("f")], **how).recipe.weight("history") > 0


def test_session_minutes_reach_the_schedule():
    people = [leader("l", hours=((0, 60),)), follower("f", hours=((0, 60),))]
    assert case(people).pair(0, 1).breakdown["schedule"].score == 50
    assert case(people, session_minutes=60).pair(0, 1).breakdown["schedule"].score == 100


def community_of(*names):
    return [follower(identity, 5, name=name) for identity, name in names]


def test_an_unknown_id_is_answered_with_the_nearest():
    found = case(community_of(("anna1", "Anna"), ("anna2", "Anna Bell"), ("bert", "Bert")))
    assert found.row("bert") == 2
    with pytest.raises(UsageError, match="'anna3'") as error:
        found.row("anna3")
    assert "anna1" in error.value.hint
    with pytest.raises(UsageError) as error:
        found.row("Bert")
    assert error.value.hint == "that is a name; the id is: bert"
    with pytest.raises(UsageError) as error:
        found.row("ANNA BELL")
    assert error.value.hint.endswith("anna2")
    with pytest.raises(UsageError) as error:
        found.row("#")
    assert error.value.hint == "ids look like this: anna1"
    with pytest.raises(UsageError) as error:
        case([]).row("x")
    assert error.value.hint == "there is nobody in the file"


def test_a_person_who_was_left_out_is_told_so():
    loaded = Loaded(Community([leader("l")]), (Skipped("zoe", "not active"),), (), WEEK)
    with pytest.raises(UsageError, match="'zoe' was left out: not active"):
        Case(loaded, make_recipe()).row("zoe")


def test_left_out_people_come_by_id():
    skipped = (Skipped("z", "not active"), Skipped("a", "not active"))
    assert [one.id for one in case_of(Loaded(Community([]), skipped, (), WEEK), How()).skipped] == ["a", "z"]


def test_a_pair_begins_with_the_smaller_id_or_the_one_asked_about():
    found = case([follower("a", 5), leader("b", 5)])
    assert (found.pair(1, 0).a, found.pair(1, 0).leads) == ("a", "b")
    turned = found.pair(0, 1, first=1)
    assert (turned.a, turned.b, turned.leads) == ("b", "a", "a")
    assert turned.overall == found.pair(0, 1).overall


def test_the_leader_may_be_fixed_from_outside():
    found = case([both("a", 5, 5), both("b", 5, 5)])
    assert found.pair(0, 1).leads == "either"
    assert found.pair(0, 1, leader=1).leads == "b"
    assert found.pair(0, 1, leader=1, first=1).leads == "a"


def lists_of(scores):
    """Everybody's whole list out of a symmetric table."""
    n = len(scores)
    rows, values = np.full((n, n), -1), np.full((n, n), np.nan)
    for row in range(n):
        others = [other for other in range(n) if other != row and not np.isnan(scores[row, other])]
        others.sort(key=lambda other: (-scores[row, other], other))
        rows[row, : len(others)], values[row, : len(others)] = others, scores[row, others]
    return rows, values


@given(st.integers(0, 7), st.integers(1, 6), st.data())
def test_the_best_pairs_are_the_best_of_all(n, k, data):
    scores = np.full((n, n), np.nan)
    for one_ in range(n):
        for other in range(one_ + 1, n):
            value = data.draw(st.sampled_from([np.nan, 50.0, 70.0, 90.0]))
            scores[one_, other] = scores[other, one_] = value
    rows, values = lists_of(scores)
    lists = Lists(rows=np.arange(n), found=Found(rows=rows, scores=values)).first(k)
    found = best_pairs(lists, most=2 * k)
    every = [(a, b) for a in range(n) for b in range(a + 1, n) if not np.isnan(scores[a, b])]
    every.sort(key=lambda pair: (-scores[pair], pair))
    assert list(each(found)) == every[: 2 * k]


def test_pairs_come_one_by_one_whatever_their_number():
    pairs = np.arange(100_000).reshape(-1, 2)
    assert list(each(pairs)) == [tuple(pair) for pair in pairs.tolist()]


SIX = [
    leader("l1", 3), leader("l2", 6), leader("l3", 9),
    follower("f1", 3), follower("f2", 6), follower("f3", 8),
]  # fmt: skip


def test_everybody_gets_their_best():
    found = case(SIX)
    lists = everyone(found, 2, Searching())
    ids = found.community.ids
    best = {ids[row]: [ids[other] for other in lists.of(row)] for row in lists.rows.tolist()}
    assert best == {
        "f1": ["l1", "l2"], "f2": ["l2", "l1"], "f3": ["l3", "l2"],
        "l1": ["f1", "f2"], "l2": ["f2", "f3"], "l3": ["f3", "f2"],
    }  # fmt: skip
    assert [pair.b for pair in partners_of(found, lists, 0)] == best["f1"]


def test_one_gets_the_same_as_in_the_lists_of_everybody():
    found = case(SIX)
    lists = everyone(found, 3, Searching())
    for row, name in enumerate(found.community.ids):
        alone = one(found, name, 3, Searching())
        assert alone.rows.tolist() == [row]
        assert alone.of(0) == lists.of(row)


@pytest.mark.parametrize("people", [[], [leader("l", 5)], [leader("l", 5), leader("m", 5)]])
def test_nobody_to_dance_with_is_an_empty_list(people):
    lists = everyone(case(people), BEST, Searching())
    assert all(lists.of(index) == [] for index in range(len(people)))
    assert list(each(best_pairs(lists))) == []


def test_progress_ends_with_everybody():
    seen = []
    everyone(case(SIX), 2, Searching(), on_progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (6, 6)


def test_likeness_is_of_candidates_and_leaves_the_role_out():
    people = [
        leader("a", 5, styles=("salon",)), leader("b", 5, styles=("salon",)), leader("c", 9, styles=("nuevo",)),
    ]  # fmt: skip
    found = case(people)
    alike = likeness(found, np.array([0, 1, 2]))
    assert alike.shape == (3, 3)
    assert alike[0, 1] == 100
    # level: 4 apart is 30 at weight 0.30; style: 0 at weight 0.10; all else is unknown and left out
    assert alike[0, 2] == pytest.approx(30 * 0.30 / 0.40)
    assert np.allclose(alike, alike.T)
    assert likeness(found, np.array([], dtype=np.int64)).shape == (0, 0)
    assert likeness(case(people, weights=dict.fromkeys(
        ("level", "location", "style", "schedule"), 0.0)), np.array([0, 1])).tolist() == [[0, 0], [0, 0]]  # fmt: skip


def test_a_diverse_list_prefers_people_who_differ():
    near = [follower(f"f{n}", 5, styles=("salon",)) for n in range(3)]
    found = case([leader("l", 5, styles=("salon",)), *near, follower("g", 4, styles=("nuevo", "salon"))])
    plain = one(found, "l", 2, Searching())
    varied = one(found, "l", 2, Searching(diverse=True))
    ids = found.community.ids
    assert [ids[row] for row in plain.of(0)] == ["f0", "f1"]
    assert [ids[row] for row in varied.of(0)] == ["f0", "g"]
    everybody = everyone(found, 2, Searching(diverse=True))
    assert everybody.of(found.row("l")) == varied.of(0)


def test_nobody_is_shown_more_often_than_allowed():
    crowd = [follower(f"f{n}", 5) for n in range(6)]
    found = case([leader("l1", 5), leader("l2", 5), *crowd])
    free = everyone(found, 2, Searching())
    capped = everyone(found, 2, Searching(max_shown=3))
    assert np.bincount(free.found.rows[free.found.rows >= 0]).max() == 6
    assert np.bincount(capped.found.rows[capped.found.rows >= 0]).max() == 3


def test_explaining_takes_two_people():
    found = case(SIX)
    assert explained(found, "l1", "f1") == explained(found, "f1", "l1")
    assert explained(found, "l1", "l2").feasible is False
    with pytest.raises(UsageError, match="twice"):
        explained(found, "l1", "l1")
    with pytest.raises(UsageError, match="nobody"):
        explained(found, "l1", "l9")


def test_the_catalogue_is_listed_whole_by_family_or_by_name():
    assert [entry.name for entry in algorithms()] == [entry.name for entry in registry.catalogue()]
    assert {entry.name.partition(".")[0] for entry in algorithms("level")} == {"level"}
    [only] = algorithms("time.enough")
    assert only.parameters == {"session_minutes": "120"}
    assert (only.directed, only.needs_history, only.approximate, only.listwise) == (False, False, False, False)
    with pytest.raises(UsageError, match="levels") as error:
        algorithms("levels")
    assert error.value.hint.startswith("did you mean level? ")


def test_a_method_is_found_by_either_name():
    assert find_method("pair", "total") is find_method("pair", "pair.total")
    with pytest.raises(UsageError, match="no method of pairing named 'totl'") as error:
        find_method("pair", "totl")
    assert "pair.total" in error.value.hint
    with pytest.raises(UsageError, match="no method of rotation"):
        find_method("rot", "pair.total")


@pytest.mark.parametrize("people", [(), (leader("ana"),)])
def test_with_nobody_to_dance_with_the_answer_is_empty_also_where_a_history_is_needed(people):
    hows = [How(weights={"history": 0.5}, entries={"history": entry.name}) for entry in registry.family("hist")]
    hows += [How(aggregate="agg.logit"), How(weights={"preference": 0.5})]
    for how in hows:
        made = case_of(Loaded(Community(people), (), (), WEEK), how)
        assert everyone(made, 3, Searching()).found.rows.tolist() == [[-1, -1, -1]] * len(people)
