"""The whole judgement: traps, rewrites, properties that hold for any text."""

from __future__ import annotations

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from mrblue_cli.gateway.cache.guards import FLOOR, choose, judge
from mrblue_cli.gateway.cache.guards.model import score
from tests.gateway.cache.guards import pairs

texts = st.text(max_size=120)
sentences = st.lists(
    st.sampled_from(
        [
            "how",
            "do",
            "i",
            "the",
            "a",
            "my",
            "server",
            "card",
            "is",
            "not",
            "in",
            "from",
            "to",
            "Paris",
            "python",
            "3",
            "v1.2",
            "load_data()",
            "delete",
            "and",
            ",",
            "?",
            "fast",
            "slow",
            "why",
        ]
    ),
    max_size=14,
).map(" ".join)
cosines = st.floats(-1.0, 1.0)


@pytest.mark.parametrize("pair", pairs.DIFFERENT, ids=lambda pair: pair[1][:40])
@pytest.mark.parametrize("similarity", [0.94, 0.985])
def test_traps_are_never_served(pair: tuple[str, str], similarity: float) -> None:
    assert not judge(*pair, similarity, 0.95).allow
    assert not judge(pair[1], pair[0], similarity, 0.95).allow


@pytest.mark.parametrize("pair", pairs.ORDER_STOPS, ids=lambda pair: pair[1][:40])
def test_exchanged_roles_are_not_served_at_a_lower_threshold_either(pair: tuple[str, str]) -> None:
    assert not judge(*pair, 0.99, 0.85).allow


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("How do I reset my password?", "how do i reset my password"),
        ("What is it?", " What  is it? "),
        ("Don’t do it", "Don't do it."),
        ("", ""),
        ("???", "???"),
        ("日本語", "日本語"),
    ],
)
def test_equal_texts_are_served_whatever_their_vectors(one: str, other: str) -> None:
    verdict = judge(one, other, 1.0, 0.95)
    assert verdict.allow
    assert verdict.score >= 0.95


def test_nothing_is_served_below_the_floor_or_without_a_number() -> None:
    pair = ("How do I reset my password?", "How can I reset my password?")
    assert judge(*pair, 0.985, 0.9).allow
    assert not judge(*pair, FLOOR - 0.01, 0.0).allow
    assert not judge(*pair, float("nan"), 0.0).allow


def test_case_counts_where_it_means_something() -> None:
    assert not judge("what does ls -A do", "what does ls -a do", 1.0, 0.95).allow


def test_code_with_another_layout_is_other_code() -> None:
    one = "What does this do?\nfor a in b:\n    a()\n    c()"
    other = "What does this do?\nfor a in b:\n    a()\nc()"
    assert judge(one, other, 1.0, 0.95).reason == "other layout"
    assert judge(one, one + "\n", 1.0, 0.95).reason == "identical"


def test_texts_too_long_to_compare_are_served_only_when_equal() -> None:
    long = "all work and no play " * 600
    assert judge(long, long, 1.0, 0.95).allow
    verdict = judge(long, long + "today", 1.0, 0.95)
    assert not verdict.allow
    assert verdict.reason == "too long to compare"


def test_the_threshold_decides() -> None:
    pair = ("How do I reset my password?", "How can I reset my password?")
    value = judge(*pair, 0.98, 0.5).score
    assert 0.5 < value < 1
    assert judge(*pair, 0.98, value).allow
    assert not judge(*pair, 0.98, min(1.0, value + 1e-6)).allow


def test_more_similar_vectors_never_lower_the_score() -> None:
    pair = ("How do I list all running containers?", "How can I show all the running containers?")
    scores = [judge(*pair, 0.9 + step / 100, 0.95).score for step in range(11)]
    assert scores == sorted(scores)
    assert scores[-1] > scores[0]


@given(texts, texts, cosines)
@example("\x00", "\ud800", 0.99)
@example("`", "``", 1.0)
@example("1:2:3.4", "..", 1.0)
def test_any_text_gets_a_verdict(one: str, other: str, cosine: float) -> None:
    verdict = judge(one, other, cosine, 0.95)
    assert 0.0 <= verdict.score <= 1.0
    assert verdict.allow == (verdict.score >= 0.95)
    assert verdict.reason
    assert verdict.reason.isascii()
    assert verdict.reason.isprintable()


@given(texts, cosines)
def test_the_same_text_is_always_served(text: str, cosine: float) -> None:
    assert judge(text, text, cosine, 0.95).allow


@given(sentences, sentences, cosines)
def test_the_order_of_the_two_makes_no_difference(one: str, other: str, cosine: float) -> None:
    assert judge(one, other, cosine, 0.95) == judge(other, one, cosine, 0.95)


@given(sentences, st.integers(0, 14))
@settings(max_examples=200)
def test_adding_not_is_never_served(sentence: str, place: int) -> None:
    words = sentence.split()
    assume("not" not in words)
    negated = [*words[:place], "not", *words[place:]]
    assert not judge(sentence, " ".join(negated), 1.0, 0.5).allow


@given(sentences, st.integers(2, 10**9), st.integers(2, 10**9))
def test_another_number_is_never_served(sentence: str, one: int, other: int) -> None:
    assume(one != other)
    assert not judge(f"{sentence} number {one}", f"{sentence} number {other}", 1.0, 0.5).allow


@given(sentences)
def test_another_identifier_is_never_served(sentence: str) -> None:
    assert not judge(f"{sentence} read_table()", f"{sentence} write_table()", 1.0, 0.5).allow


def test_scores_stay_within_bounds_for_extreme_features() -> None:
    from mrblue_cli.gateway.cache.guards.features import NAMES

    for value in (-1e9, 0.0, 1e9):
        assert 0.0 < score([value] * len(NAMES)) < 1.0


PASSWORD = "How do I reset my password?"


def test_the_nearest_candidate_without_objection_is_chosen() -> None:
    choice = choose(
        PASSWORD,
        [
            ("How don't I reset my password?", 0.995),
            ("How can I reset my password?", 0.99),
            ("What is a router?", 0.91),
        ],
        0.9,
    )
    assert choice.place == 1
    assert choice.verdict.allow


def test_an_equal_text_wins_over_nearer_ones() -> None:
    choice = choose(PASSWORD, [("How can I reset my password?", 0.999), (PASSWORD.lower(), 0.99)], 0.95)
    assert choice.place == 1
    assert choice.verdict.reason == "identical"


def test_rivals_are_a_miss() -> None:
    near, better = ("How do I reset my own old password?", 0.99), ("How can I reset my password?", 0.989)
    assert judge(PASSWORD, *near, 0.0).score < judge(PASSWORD, *better, 0.0).score
    choice = choose(PASSWORD, [near, better], 0.01)
    assert choice.place is None
    assert choice.verdict.reason == "several candidates compete"


def test_a_tie_between_different_texts_is_a_miss_and_between_equal_ones_is_not() -> None:
    near, tied = ("How can I reset my password?", 0.99), ("how can I reset the password?", 0.9899)
    assert judge(PASSWORD, *near, 0.5).allow
    assert judge(PASSWORD, *tied, 0.5).allow
    assert choose(PASSWORD, [near, tied], 0.5).place is None
    assert choose(PASSWORD, [near, (tied[0], 0.95)], 0.5).place == 0
    assert choose(PASSWORD, [near, near], 0.5).place == 0


def test_no_candidate_and_no_allowed_candidate_are_misses() -> None:
    assert choose(PASSWORD, [], 0.95).place is None
    choice = choose(PASSWORD, [("Why do I reset my password?", 0.99)], 0.95)
    assert choice.place is None
    assert choice.verdict.reason == "asks how not why"
