"""Each guard, both ways: what it stops and what it lets through."""

from __future__ import annotations

import pytest

from mrblue_cli.gateway.cache.guards import checks, entities, language, negation, numbers, opposites, question, scope
from mrblue_cli.gateway.cache.guards.matching import match
from mrblue_cli.gateway.cache.guards.reading import read
from tests.gateway.cache.guards import pairs


def objections(one: str, other: str) -> dict[str, str | None]:
    """What each guard says about a pair."""
    here, there = read(one), read(other)
    found = match(here, there)
    return {
        "negation": negation.check(here, there, found),
        "numbers": numbers.check(here, there),
        "entities": entities.check(here, there, found),
        "opposites": opposites.check(here, there, found),
        "question": question.check(here, there),
        "scope": scope.check(here, there),
        "language": language.check(here, there),
    }


STOPS = [
    *(("negation", pair) for pair in pairs.NEGATION_STOPS),
    *(("numbers", pair) for pair in pairs.NUMBERS_STOP),
    *(("entities", pair) for pair in pairs.ENTITIES_STOP),
    *(("opposites", pair) for pair in pairs.OPPOSITES_STOP),
    *(("question", pair) for pair in pairs.QUESTION_STOPS),
    *(("scope", pair) for pair in pairs.SCOPE_STOPS),
    *(("language", pair) for pair in pairs.LANGUAGE_STOPS),
]
PASSES = [
    *pairs.NEGATION_PASSES,
    *pairs.NUMBERS_PASS,
    *pairs.ENTITIES_PASS,
    *pairs.OPPOSITES_PASS,
    *pairs.QUESTION_PASSES,
    *pairs.SCOPE_PASSES,
    *pairs.LANGUAGE_PASSES,
]


@pytest.mark.parametrize(("guard", "pair"), STOPS, ids=lambda value: value if isinstance(value, str) else value[1][:40])
def test_a_trap_is_stopped_in_both_directions(guard: str, pair: tuple[str, str]) -> None:
    assert any(objections(*pair).values()), f"no guard objects; {guard} should"
    assert any(objections(pair[1], pair[0]).values())


@pytest.mark.parametrize("pair", PASSES, ids=lambda pair: pair[0][:40])
def test_a_rewrite_passes_in_both_directions(pair: tuple[str, str]) -> None:
    for one, other in (pair, pair[::-1]):
        said = {guard: reason for guard, reason in objections(one, other).items() if reason}
        assert not said


@pytest.mark.parametrize(
    ("guard", "pair"),
    [
        ("negation", ("The build works.", "The build does not work.")),
        ("numbers", ("List five ideas.", "List three ideas.")),
        ("entities", ("What does load_dataset() do?", "What does load_metric() do?")),
        ("opposites", ("Send money to my account.", "Send money from my account.")),
        ("question", ("Who wrote the report?", "When was the report written?")),
        ("scope", ("Only admins may log in.", "Admins may log in.")),
        ("language", ("Where is my order?", "我的订单在哪里")),
    ],
)
def test_it_is_the_right_guard_that_objects(guard: str, pair: tuple[str, str]) -> None:
    assert objections(*pair)[guard]


def test_the_first_objection_is_told() -> None:
    here, there = read("Wait 30 seconds."), read("Wait 40 seconds.")
    assert checks.first_objection(here, there, match(here, there)) == "numbers"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("How many users are there?", "count"),
        ("how long does it take", "duration"),
        ("Why is it slow?", "why"),
        ("What's the cost of it?", "price"),
        ("When does it open?", "when"),
        ("Where is it?", "where"),
        ("Who wrote it?", "who"),
        ("How do I do it?", "how"),
        ("Is there a way to do it?", "how"),
        ("What does it mean?", "define"),
        ("Is it slow?", "whether"),
        ("Should I do it?", "advice"),
        ("It is slow.", "other"),
        ("Can you write a poem?", "other"),
        ("what happens when it fails", "outcome"),
        ("", "other"),
    ],
)
def test_kinds_of_questions(text: str, kind: str) -> None:
    assert question.kind(read(text)) == kind


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("twenty five", ["25"]),
        ("two hundred", ["200"]),
        ("3 million", ["3000000"]),
        ("1,234", ["1234"]),
        ("3.50", ["3.5"]),
        ("none at all", []),
        ("a dozen eggs", ["12"]),
        ("the third try", ["3"]),
    ],
)
def test_numbers_are_read(text: str, values: list[str]) -> None:
    assert [amount.value for amount in numbers.amounts(read(text))] == values
