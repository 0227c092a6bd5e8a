"""What goes into a score, and what is said of a recipe that cannot be."""

from __future__ import annotations

import math

import pytest

from mrblue_cli.core.errors import UsageError
from mrblue_cli.matcher.recipe import SLOTS, make_recipe


def test_the_baseline_has_the_weights_of_the_specification():
    recipe = make_recipe()
    shown = {choice.slot: (choice.entry, choice.weight) for choice in recipe.choices}
    assert shown == {
        "role": ("role.orient", 0.40),
        "level": ("level.table", 0.30),
        "location": ("geo.half", 0.15),
        "style": ("set.jaccard", 0.10),
        "schedule": ("time.enough", 0.05),
        "music": ("taste.ruzicka", 0.0),
        "age": ("age.window", 0.0),
    }


def test_a_weight_given_to_one_is_taken_from_all():
    recipe = make_recipe({"music": 0.25})
    assert recipe.weight("music") == pytest.approx(0.2)
    assert recipe.weight("role") == pytest.approx(0.32)
    assert sum(choice.weight for choice in recipe.choices) == pytest.approx(1)
    assert recipe.weight("history") == 0


def test_the_order_of_slots_is_that_of_the_specification():
    recipe = make_recipe({slot: 1 for slot in SLOTS if slot not in {"history", "preference", "mixed"}})
    order = [choice.slot for choice in recipe.choices]
    assert order == [slot for slot in SLOTS if slot in order]


def test_parameters_reach_the_entries_that_have_them():
    recipe = make_recipe({"music": 1}, {"music": "set.dice", "schedule": "time.slots"}, session_minutes=90)
    chosen = {choice.slot: choice.parameters for choice in recipe.choices}
    assert chosen["music"] == {"of": "music"}
    assert chosen["style"] == {"of": "styles"}
    assert chosen["schedule"] == {"session_minutes": 90}
    assert chosen["level"] == {}


@pytest.mark.parametrize(
    ("given", "said", "hint"),
    [
        ({"weights": {"levle": 1}}, "no criterion 'levle'", "did you mean level"),
        ({"entries": {"level": "level.gaus"}}, "no algorithm named 'level.gaus'", "did you mean level.gauss"),
        ({"entries": {"level": "geo.half"}}, "geo.half cannot fill level", "level.*"),
        ({"entries": {"wishes": "geo.half"}}, "wishes has one formula", "leave --wishes out"),
        ({"weights": {"level": -1}}, "weight of level is -1", "0 or more"),
        ({"weights": {"level": math.nan}}, "weight of level is nan", "0 or more"),
        ({"weights": dict.fromkeys(SLOTS, 0)}, "all weights are 0", "at least one"),
        ({"fuse": "two.sum"}, "two.sum", "algorithms two"),
        ({"aggregate": "agg.sum"}, "agg.sum", "algorithms agg"),
        ({"aggregate": "agg.min", "missing": "drop"}, "--missing drop goes with agg.mean", "leave one"),
        ({"session_minutes": 0}, "a session of 0 minutes", "120"),
    ],
)
def test_what_cannot_be_is_said_with_what_would(given, said, hint):
    with pytest.raises(UsageError) as told:
        make_recipe(**given)
    assert said in str(told.value)
    assert hint in told.value.hint
