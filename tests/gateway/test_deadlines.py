"""Who gets more time before the first token."""

from __future__ import annotations

import pytest

from mrblue_cli.gateway.deadlines import deadlines_for
from mrblue_cli.gateway.options import DeadlineOptions

USUAL = DeadlineOptions()


@pytest.mark.parametrize(
    "model",
    ["o3", "o4-mini", "openai/o1-pro", "gpt-5", "gpt-5-mini", "deepseek-reasoner", "deepseek-r1", "qwen3-thinking",
     "magistral-medium", "grok-4"],
)  # fmt: skip
def test_models_that_think_by_nature(model: str) -> None:
    found = deadlines_for(USUAL, {}, model)
    assert found.first_token == 120.0
    assert found.answer == 600.0
    assert found.total == USUAL.total


@pytest.mark.parametrize("model", ["gpt-4o", "claude-sonnet-4-5", "llama-3.1-8b-instant", "command-r1x", "pro3"])
def test_models_that_answer_at_once(model: str) -> None:
    assert deadlines_for(USUAL, {}, model) is USUAL


@pytest.mark.parametrize(
    "body",
    [
        {"reasoning_effort": "high"},
        {"reasoning": {"effort": "medium"}},
        {"thinking": {"type": "enabled", "budget_tokens": 4000}},
        {"thinking": {"type": "adaptive"}},
    ],
)
def test_requests_that_ask_for_thought(body: dict) -> None:
    assert deadlines_for(USUAL, body, "some-model").first_token == 120.0


@pytest.mark.parametrize(
    "body",
    [{"reasoning_effort": "none"}, {"reasoning_effort": "minimal"}, {"thinking": {"type": "disabled"}}],
)
def test_requests_that_ask_a_thinker_not_to(body: dict) -> None:
    assert deadlines_for(USUAL, body, "gpt-5") is USUAL


def test_never_longer_than_the_whole() -> None:
    short = DeadlineOptions(first_token=1.0, answer=2.0, total=3.0)
    found = deadlines_for(short, {}, "o3")
    assert (found.first_token, found.answer) == (3.0, 3.0)
    assert deadlines_for(DeadlineOptions(answer=900.0, total=600.0), {}, "o3").answer == 900.0


@pytest.mark.parametrize(
    "body", [{"reasoning": "high"}, {"reasoning_effort": 7}, {"thinking": []}, {"reasoning": None}]
)
def test_malformed_wishes_are_no_wishes(body: dict) -> None:
    assert deadlines_for(USUAL, body, "gpt-4o") is USUAL
