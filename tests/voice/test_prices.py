"""Costs follow the dated table; nothing is guessed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrblue_cli.voice.prices import reply_charges


def reply_cost_usd(model, reported):
    costs = [charge.cost_usd for charge in reply_charges(model, reported)]
    return None if None in costs else sum(costs)


def usage(text_in=0, audio_in=0, text_out=0, audio_out=0, cached=0, cached_details=None):
    given_details = {"text_tokens": text_in, "audio_tokens": audio_in, "cached_tokens": cached}
    if cached_details is not None:
        given_details["cached_tokens_details"] = cached_details
    return {
        "input_token_details": given_details,
        "output_token_details": {"text_tokens": text_out, "audio_tokens": audio_out},
    }


def test_one_minute_each_way_costs_what_the_provider_says():
    # A minute of the person is 600 audio tokens, a minute of the assistant 1,200.
    assert reply_cost_usd("gpt-realtime-2.1", usage(audio_in=600)) == pytest.approx(0.0192)
    assert reply_cost_usd("gpt-realtime-2.1", usage(audio_out=1200)) == pytest.approx(0.0768)
    assert reply_cost_usd("gpt-realtime-2.1-mini", usage(audio_in=600)) == pytest.approx(0.006)


def test_cached_tokens_are_part_of_the_input_and_cheaper():
    fresh = reply_cost_usd("gpt-realtime-2.1", usage(text_in=1000))
    half = reply_cost_usd(
        "gpt-realtime-2.1", usage(text_in=1000, cached=500, cached_details={"text_tokens": 500, "audio_tokens": 0})
    )
    assert fresh == pytest.approx(0.004)
    assert half == pytest.approx(0.5 * 0.004 + 500 * 0.4 / 1e6)


def test_cached_without_details_counts_as_text_first():
    cost = reply_cost_usd("gpt-realtime-2.1", usage(text_in=100, audio_in=100, cached=150))
    assert cost == pytest.approx((100 * 0.4 + 50 * 0.4 + 50 * 32) / 1e6)


@pytest.mark.parametrize("reported", [None, {}, {"input_token_details": None, "output_token_details": "many"}, "many"])
def test_missing_or_odd_usage_bills_nothing(reported):
    assert reply_charges("gpt-realtime-2.1", reported) == ()


def test_an_unknown_model_has_no_price():
    assert reply_cost_usd("somebody-elses-model", usage(audio_in=600)) is None


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.integers(0, 3 * 10**6))
def test_a_cost_is_never_negative_and_never_above_the_fresh_price(text_in, audio_in, cached):
    cost = reply_cost_usd("gpt-realtime-2.1", usage(text_in=text_in, audio_in=audio_in, cached=cached))
    fresh = reply_cost_usd("gpt-realtime-2.1", usage(text_in=text_in, audio_in=audio_in))
    assert 0 <= cost <= fresh
