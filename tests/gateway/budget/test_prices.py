"""Costs in the gateway's terms: usage, overrides, and what a provider reports itself."""

from __future__ import annotations

import math

import pytest

from mrblue_cli.gateway.budget.prices import cheapest_chat_model, cost_nano, is_free
from mrblue_cli.gateway.model import NANO, Surface, Usage
from mrblue_cli.gateway.options import ModelOptions, ProviderOptions
from tests.gateway.budget.conftest import START

MILLION = Usage(input_tokens=1_000_000, output_tokens=1_000_000)


def cost(kind, model, usage=MILLION, **prices):
    override = ModelOptions(name=model, **prices) if prices else None
    return cost_nano(kind, model, usage, override, at=START)


def test_a_call_costs_what_the_table_says():
    assert cost("openai", "gpt-4o") == 12_500_000_000
    assert cost("openai", "gpt-4o", Usage(input_tokens=100, cached_input_tokens=40, output_tokens=7)) == (
        60 * 2500 + 40 * 1250 + 7 * 10_000
    )


def test_reasoning_is_part_of_the_output():
    plain = Usage(input_tokens=10, output_tokens=50)
    thought = Usage(input_tokens=10, output_tokens=50, reasoning_tokens=40)
    assert cost("openai", "o3", plain) == cost("openai", "o3", thought)


def test_unknown_models_have_no_cost_and_free_ones_have_none_to_pay():
    assert cost("openai", "mystery") is None
    assert cost("openai-compatible", "gpt-4o") is None
    assert cost("ollama", "llama3") == 0
    assert is_free("scripted")
    assert not is_free("openai")


def test_prices_of_the_configuration_stand_over_the_table():
    assert cost("openai-compatible", "mine", input_price=1.0, output_price=2.0) == 3 * NANO
    assert cost("openai", "gpt-4o", output_price=20.0) == (2.5 + 20) * NANO
    half_cached = Usage(input_tokens=1_000_000, cached_input_tokens=500_000)
    assert cost("openai", "gpt-4o", half_cached, input_price=4.0) == 4 * NANO
    assert cost("openai", "gpt-4o", half_cached, input_price=4.0, cached_price=1.0) == 2.5 * NANO
    assert cost("ollama", "llama3", input_price=0.1) == NANO // 10


def test_what_the_provider_says_it_cost_is_believed():
    reported = Usage(input_tokens=10, output_tokens=10, reported_nano=1234)
    assert cost("openrouter", "nobody/knows", reported) == 1234
    assert cost("openrouter", "nobody/knows", Usage(reported_nano=-5)) == 0


@pytest.mark.parametrize("seconds", [math.nan, math.inf, -1.0, 1e300])
def test_odd_lengths_of_audio_never_fail(seconds):
    assert cost("openai", "whisper-1", Usage(seconds=seconds)) >= 0


def test_the_cheapest_chat_model_is_one_that_can_chat():
    providers = [
        ProviderOptions(
            name="openai",
            kind="openai",
            models=tuple(
                ModelOptions(name=name)
                for name in ("gpt-4o", "text-embedding-3-small", "whisper-1", "gpt-audio-mini", "mystery", "*")
            ),
        ),
        ProviderOptions(
            name="groq",
            kind="groq",
            models=(
                ModelOptions(name="fast", upstream="llama-3.1-8b-instant"),
                ModelOptions(name="llama3-8b-8192", surfaces=(Surface.EMBEDDINGS,)),
            ),
        ),
    ]
    assert cheapest_chat_model(providers[:1], at=START) == "gpt-4o"
    assert cheapest_chat_model(providers, at=START) == "fast"
    assert cheapest_chat_model([], at=START) is None
