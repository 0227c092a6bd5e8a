"""One total function from what is the case to one of ten words; levels in words."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrblue_cli.assistant.status import Situation, Status, status_of
from mrblue_cli.assistant.thinking import STAGES, Level, Thought, level_of

FLAGS = ("preparing", "paused", "reporting", "hearing", "validating", "asking_model", "working")
WORDS = ("training", "paused", "learning", "monitoring", "reviewing", "escalated", "active")
CONFIDENCES = (None, 0.0, 0.49, 0.5, 0.8, 1.0)
ALL = [
    Situation(**dict(zip(FLAGS, flags, strict=True)), answered=answered, confidence=confidence)
    for flags in product((False, True), repeat=len(FLAGS))
    for answered, confidence in product((False, True), CONFIDENCES)
]


def test_every_combination_has_a_status():
    assert len(ALL) == 2**8 * 6
    assert all(isinstance(status_of(now), Status) for now in ALL)


def test_each_of_the_ten_is_reached():
    assert {status_of(now) for now in ALL} == set(Status)
    assert set(Status) == {
        "active", "monitoring", "learning", "paused", "escalated", "reviewing", "confident", "uncertain", "training",
        "idle",
    }  # fmt: skip


@pytest.mark.parametrize(("flag", "word"), zip(FLAGS, WORDS, strict=True))
def test_one_thing_at_a_time(flag, word):
    assert status_of(Situation(**{flag: True})) == word


def test_the_most_pressing_comes_first():
    for now in ALL:
        first = next((word for flag, word in zip(FLAGS, WORDS, strict=True) if getattr(now, flag)), None)
        if first is not None:
            assert status_of(now) == first


@pytest.mark.parametrize(
    ("answered", "confidence", "word"),
    [
        (False, None, "idle"),
        (False, 1.0, "idle"),
        (True, None, "uncertain"),
        (True, 0.0, "uncertain"),
        (True, 0.49, "uncertain"),
        (True, 0.5, "confident"),
        (True, 1.0, "confident"),
    ],
)
def test_at_rest_the_standing_answer_decides(answered, confidence, word):
    assert status_of(Situation(answered=answered, confidence=confidence)) == word


@pytest.mark.parametrize(
    ("confidence", "level"),
    [(0.0, "low"), (0.4999, "low"), (0.5, "medium"), (0.7999, "medium"), (0.8, "high"), (1.0, "high")],
)
def test_levels_begin_where_they_say(confidence, level):
    assert level_of(confidence) == level
    assert Thought("note", "x", confidence).level is Level(level)


@given(st.floats(0, 1), st.floats(0, 1))
def test_more_confidence_never_lowers_the_level(one, other):
    order = [Level.LOW, Level.MEDIUM, Level.HIGH]
    low, high = sorted((one, other))
    assert order.index(level_of(low)) <= order.index(level_of(high))


def test_a_thought_without_confidence_has_no_level():
    assert Thought("understanding", "x").level is None


def test_the_promised_stages_have_their_names():
    assert list(STAGES.values())[:4] == [
        "understanding context",
        "analysing intent",
        "generating the response",
        "validating quality",
    ]
