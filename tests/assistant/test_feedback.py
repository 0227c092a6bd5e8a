"""What helped here: numbers that can be checked by hand, an order that follows, and nothing lost."""

from __future__ import annotations

import json
import signal
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrblue_cli.assistant.feedback import PRIOR_STRENGTH, FeedbackStore, Tally, apply, tally_of
from mrblue_cli.core.errors import ConfigError
from mrblue_cli.knowledge.model import Entry, Hit, Risk, SearchResult, Solution
from tests.program import environment


def way(title, rate, risk=Risk.SAFE):
    return Solution(title, (f"do {title}",), rate, risk)


def hit(name, confidence, *ways):
    entry = Entry(f"x/{name}", name, "x", (), (), (), ways, (), (), ())
    return Hit(entry, confidence, solutions=ways)


def found(*hits):
    return SearchResult("q", None, True, hits)


def titles(result, place=0):
    return [item.title for item in result.hits[place].solutions]


@pytest.fixture
def store(tmp_path):
    return FeedbackStore(tmp_path / "deep" / "feedback.db")


# (prior + reports) by hand: (8 × prior + worked) / (8 + reports)
@pytest.mark.parametrize(
    ("prior", "worked", "failed", "percent"),
    [
        (90, 0, 0, 90.0),
        (90, 1, 0, 100 * 8.2 / 9),
        (90, 0, 1, 80.0),
        (90, 7, 2, 100 * 14.2 / 17),
        (50, 7, 2, 100 * 11 / 17),
        (50, 4, 4, 50.0),
        (0, 0, 3, 0.0),
        (0, 8, 0, 50.0),
        (100, 0, 2, 80.0),
        (100, 5, 0, 100.0),
        (25, 92, 0, 94.0),
    ],
)
def test_the_posterior_is_what_one_computes_by_hand(prior, worked, failed, percent):
    assert PRIOR_STRENGTH == 8
    assert Tally(worked, failed).rate(prior) == pytest.approx(percent)


@given(st.integers(0, 100), st.integers(0, 10_000), st.integers(0, 10_000))
def test_the_posterior_lies_between_prior_and_counts_and_moves_the_right_way(prior, worked, failed):
    rate = Tally(worked, failed).rate(prior)
    bounds = [prior] + ([100 * worked / (worked + failed)] if worked + failed else [])
    assert min(bounds) - 1e-9 <= rate <= max(bounds) + 1e-9
    assert Tally(worked + 1, failed).rate(prior) >= rate - 1e-9
    assert Tally(worked, failed + 1).rate(prior) <= rate + 1e-9


def test_reports_are_counted_per_entry_and_solution(store):
    for entry, title, worked in (
        ("x/a", "one", True), ("x/a", "one", True), ("x/a", "one", False), ("x/a", "two", False), ("x/b", "one", True),
    ):  # fmt: skip
        store.add(entry, title, worked=worked, now=1.0)
    assert store.tallies() == {("x/a", "one"): Tally(2, 1), ("x/a", "two"): Tally(0, 1), ("x/b", "one"): Tally(1, 0)}
    assert store.tallies(("x/b",)) == {("x/b", "one"): Tally(1, 0)}
    assert store.tallies(("x/b", "x/c")) == {("x/b", "one"): Tally(1, 0)}
    assert store.tallies(()) == {}


def test_odd_names_are_data(store):
    name = "x/'; DROP TABLE reports; --"
    store.add(name, 'ü\n"', worked=True)
    assert store.tallies((name,)) == {(name, 'ü\n"'): Tally(1, 0)}


def test_reading_makes_no_file(store, tmp_path):
    assert store.tallies() == {}
    assert list(tmp_path.rglob("feedback*")) == []


@pytest.mark.parametrize(
    "content", [b"not a database at all, but long enough to look at" * 40, b"SQLite format 3\0" * 99]
)
def test_a_damaged_file_is_a_config_error_that_names_it(tmp_path, content):
    path = tmp_path / "feedback.db"
    path.write_bytes(content)
    for use in (lambda: FeedbackStore(path).tallies(), lambda: FeedbackStore(path).add("x/a", "one", worked=True)):
        with pytest.raises(ConfigError) as caught:
            use()
        assert str(path) in caught.value.what
        assert caught.value.hint
    assert path.read_bytes() == content


def test_an_unwritable_place_is_a_config_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError):
        FeedbackStore(tmp_path / "file" / "feedback.db").add("x/a", "one", worked=True)


ADD_AND_WAIT = """
import sys
from pathlib import Path
from mrblue_cli.assistant.feedback import FeedbackStore
store = FeedbackStore(Path(sys.argv[1]))
for number in range(5):
    store.add("x/a", "one", worked=True)
print("added", flush=True)
sys.stdin.read()
"""


def test_a_report_survives_kill_9(tmp_path):
    path = tmp_path / "feedback.db"
    child = subprocess.Popen(
        [sys.executable, "-c", ADD_AND_WAIT, str(path)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment(),
    )  # fmt: skip
    with child:
        assert child.stdout.readline() == b"added\n"
        child.kill()
    assert child.returncode == -signal.SIGKILL
    assert FeedbackStore(path).tallies() == {("x/a", "one"): Tally(5, 0)}
    FeedbackStore(path).add("x/a", "one", worked=False)
    assert FeedbackStore(path).tallies() == {("x/a", "one"): Tally(5, 1)}


ADD_MANY = """
import sys
from pathlib import Path
from mrblue_cli.assistant.feedback import FeedbackStore
sys.stdin.readline()
for number in range(20):
    FeedbackStore(Path(sys.argv[1])).add("x/a", "one", worked=number % 2 == 0)
"""


def test_processes_that_report_at_once_all_count(tmp_path):
    path = tmp_path / "feedback.db"
    children = [
        subprocess.Popen([sys.executable, "-c", ADD_MANY, str(path)], stdin=subprocess.PIPE, env=environment())
        for _ in range(3)
    ]
    for child in children:
        child.stdin.write(b"go\n")
        child.stdin.flush()
    for child in children:
        child.communicate()
        assert child.returncode == 0
    assert FeedbackStore(path).tallies() == {("x/a", "one"): Tally(30, 30)}


def test_without_reports_nothing_changes():
    result = found(hit("a", 0.9, way("low", 20), way("high", 80)))
    assert apply(result, {}) is result
    other = {("x/other", "low"): Tally(9, 0)}
    assert apply(result, other) == result


def test_the_order_of_ways_follows_the_reports():
    result = found(hit("a", 0.9, way("first", 90), way("second", 60), way("third", 50)))
    # first: 7.2/18 = 40 %; third: (4 + 6)/14 = 71.4 %; second stays at 60 %
    tallies = {("x/a", "first"): Tally(0, 10), ("x/a", "third"): Tally(6, 0)}
    ranked = apply(result, tallies)
    assert titles(ranked) == ["third", "second", "first"]
    assert [item.success_rate for item in ranked.hits[0].solutions] == [71, 60, 40]
    assert ranked.hits[0].confidence == 0.9
    assert titles(result) == ["first", "second", "third"]


def test_equal_rates_keep_the_editors_order():
    result = found(hit("a", 0.9, way("first", 50), way("second", 50), way("third", 40)))
    # third: (3.2 + 4)/(8 + 6.4)…: 4 worked, 2 failed make 7.2/14 = 51 %
    ranked = apply(result, {("x/a", "third"): Tally(4, 2)})
    assert titles(ranked) == ["third", "first", "second"]


@given(
    st.lists(st.tuples(st.integers(0, 100), st.sampled_from(Risk)), min_size=1, max_size=6),
    st.lists(st.tuples(st.integers(0, 200), st.integers(0, 200)), min_size=6, max_size=6),
)
def test_a_destructive_way_never_comes_before_another(ways, counts):
    kinds = [way(f"way {place}", rate, risk) for place, (rate, risk) in enumerate(ways)]
    kinds.sort(key=lambda item: item.risk is Risk.DESTRUCTIVE)
    tallies = {("x/a", item.title): Tally(*count) for item, count in zip(kinds, counts, strict=False)}
    ranked = apply(found(hit("a", 0.9, *kinds)), tallies).hits[0].solutions
    dangers = [item.risk is Risk.DESTRUCTIVE for item in ranked]
    assert dangers == sorted(dangers)
    assert {item.title for item in ranked} == {item.title for item in kinds}
    safe = [item.success_rate for item in ranked if item.risk is not Risk.DESTRUCTIVE]
    if any(tally.total for tally in tallies.values()):
        assert safe == sorted(safe, reverse=True)


HELPED = {("x/b", "way"): Tally(20, 0)}


@pytest.mark.parametrize(
    ("first", "second", "order"),
    [
        (0.90, 0.86, ["x/b", "x/a"]),
        (0.54, 0.50, ["x/b", "x/a"]),
        (0.90, 0.84, ["x/a", "x/b"]),
        (0.52, 0.49, ["x/a", "x/b"]),
        (0.30, 0.30, ["x/a", "x/b"]),
    ],
)
def test_near_ties_are_settled_only_between_hits_that_both_go_as_right(first, second, order):
    ranked = apply(found(hit("a", first, way("way", 50)), hit("b", second, way("way", 50))), HELPED)
    assert [item.entry.id for item in ranked.hits] == order
    assert [item.confidence for item in ranked.hits] == [first, second]


def test_little_is_not_enough_to_change_the_answer():
    near = found(hit("a", 0.9, way("way", 90)), hit("b", 0.9, way("way", 90)))
    # 8.2/9 is 1.1 points above the prior of 90 %
    assert apply(near, {("x/b", "way"): Tally(1, 0)}).hits[0].entry.id == "x/a"
    failed = apply(near, {("x/a", "way"): Tally(0, 5)})
    assert [item.entry.id for item in failed.hits] == ["x/b", "x/a"]


def test_what_is_known_of_a_way_is_found_by_its_title():
    item = hit("a", 0.9, way("one", 50), way("two", 50))
    tallies = {("x/a", "two"): Tally(1, 2)}
    assert tally_of(item, item.solutions[0], tallies) == Tally()
    assert tally_of(item, item.solutions[1], tallies).total == 3


def test_an_export_holds_counts_alone(store):
    from mrblue_cli.cli.feedback import exported

    store.add("x/b", "one", worked=True, now=123456.0)
    store.add("x/a", "two", worked=False, now=123456.0)
    assert exported(store.tallies()) == {
        "format": "mrblue-feedback-1",
        "reports": [
            {"entry": "x/a", "solution": "two", "worked": 0, "failed": 1},
            {"entry": "x/b", "solution": "one", "worked": 1, "failed": 0},
        ],
    }
    assert "123456" not in json.dumps(exported(store.tallies()))
