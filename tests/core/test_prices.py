"""The table finds what it should and nothing else; the sum is exact."""

from __future__ import annotations

import json
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrblue_cli.core import prices
from mrblue_cli.core.prices import Counts, Prices, PriceTable, Rates, cost_nano, find, nano, table

TODAY = "2026-11-21"
counts = st.integers(0, 10**7)
rates = st.builds(Rates, *[st.one_of(st.none(), st.integers(0, 10**11)) for _ in Rates._fields]).map(
    lambda it: it._replace(input=it.input or 0)
)
usages = st.builds(Counts, *[counts for _ in Counts._fields])


def small(**more):
    return PriceTable(
        {
            "dated": TODAY,
            "priced_like": {},
            "free": ["mine"],
            "vendors": {"acme": "acme"},
            "aliases": {},
            "rows": [{"kind": "acme", "model": "m", "input": 1, **more}],
        }
    )


@pytest.mark.parametrize(
    ("kind", "model", "dollars_in", "dollars_out"),
    [
        ("openai", "gpt-4o", 2.5, 10),
        ("openai", "gpt-4o-2024-08-06", 2.5, 10),
        ("openai", "gpt-4o-2024-05-13", 5, 15),
        ("openai", "gpt-4o-mini", 0.15, 0.6),
        ("openai", "gpt-4o-mini-2024-07-18", 0.15, 0.6),
        ("openai", "gpt-5-chat-latest", 1.25, 10),
        ("openai", "gpt-4-0613", 30, 60),
        ("openai", "ft:gpt-4o-mini-2024-07-18:acme::abc123", 0.3, 1.2),
        ("azure", "gpt-4o", 2.5, 10),
        ("azure", "gpt-35-turbo", 0.5, 1.5),
        ("anthropic", "claude-3-5-sonnet", 3, 15),
        ("anthropic", "claude-3-5-sonnet-20241022", 3, 15),
        ("anthropic", "claude-3-5-haiku-latest", 0.8, 4),
        ("anthropic", "claude-opus-4-20250514", 15, 75),
        ("anthropic", "claude-opus-4-1-20250805", 15, 75),
        ("gemini", "models/gemini-2.5-flash", 0.3, 2.5),
        ("gemini", "gemini-2.0-flash-001", 0.1, 0.4),
        ("gemini", "gemini-flash-latest", 0.75, 3.75),
        ("groq", "llama-3.1-8b-instant", 0.05, 0.08),
        ("mistral", "mistral-small-latest", 0.15, 0.6),
        ("cohere", "command-r-08-2024", 0.15, 0.6),
        ("ai21", "jamba-large", 2, 8),
        ("xai", "grok-4-0709", 3, 15),
        ("openrouter", "openai/gpt-4o", 2.5, 10),
        ("openrouter", "anthropic/claude-3.5-sonnet", 3, 15),
        ("openrouter", "meta-llama/llama-3.3-70b-instruct:free", 0, 0),
        ("ollama", "whatever", 0, 0),
        ("scripted", "demo", 0, 0),
    ],
)
def test_models_are_found_by_name_date_or_alias(kind, model, dollars_in, dollars_out):
    found = find(kind, model, TODAY)
    assert (found.rates.input, found.rates.output) == (nano(dollars_in), nano(dollars_out))


@pytest.mark.parametrize(
    ("kind", "model"),
    [
        ("openai", "gpt-4o-min"),
        ("openai", "gpt-4o-mini-turbo"),
        ("openai", "gpt-4o-2024-08"),
        ("openai", "gpt"),
        ("openai", ""),
        ("openai", "claude-3-5-sonnet"),
        ("openai-compatible", "gpt-4o"),
        ("openrouter", "openai/gpt-4o:nitro"),
        ("openrouter", "nobody/gpt-4o"),
        ("openrouter", "gpt-4o"),
        ("mistral", "mistral-large-latest"),
    ],
)
def test_nothing_is_found_by_the_beginning_of_its_name(kind, model):
    assert find(kind, model, TODAY) is None


def test_prices_follow_their_dates():
    assert find("openai", "o3", "2025-06-09").rates.output == nano(40)
    assert find("openai", "o3", "2025-06-10").rates.output == nano(8)
    assert find("gemini", "gemini-3.8-flash", "2026-12-31").rates.input == nano(0.75)
    assert find("gemini", "gemini-3.8-flash", "2027-01-01").rates.input == nano(1.5)
    late = small(**{"from": "2030-01-01"})
    assert late.find("acme", "m", TODAY).rates.input == nano(1)


def test_every_row_has_a_source_a_date_and_a_price():
    rows = json.loads((Path(prices.__file__).parent.parent / "data" / "prices.json").read_text())["rows"]
    seen = set()
    for row in rows:
        assert row["source"].startswith("https://"), row
        assert len(row["checked"]) == 10, row
        assert {"input", "hour", "characters"} & set(row), row
        assert not set(row) - {*Rates._fields, "kind", "model", "from", "source", "checked", "hour", "characters",
                               "long", "peak", "least_seconds"}, row  # fmt: skip
        place = (row["kind"], row["model"], row.get("from"))
        assert place not in seen
        seen.add(place)
        cached, fresh = row.get("cached"), row.get("input")
        assert cached is None or cached < fresh, row
        assert row.get("output", fresh) is None or row.get("output", fresh or 0) >= 0
    kinds = {row["kind"] for row in rows}
    assert kinds >= {
        "openai",
        "anthropic",
        "gemini",
        "groq",
        "mistral",
        "cohere",
        "ai21",
        "together",
        "deepseek",
        "xai",
    }
    assert len(table().models()) > 200


def test_the_parts_cost_what_the_table_says():
    # 1,000 in of which 400 cached and 100 written, 200 out, at Claude 3.5 Sonnet's prices.
    claude = find("anthropic", "claude-3-5-sonnet", TODAY)
    assert cost_nano(claude, Counts(input=1000, cached=400, cache_write=100, output=200)) == (
        500 * 3000 + 400 * 300 + 100 * 3750 + 200 * 15000
    )
    realtime = find("openai", "gpt-realtime-2.1", TODAY)
    assert cost_nano(
        realtime, Counts(input=700, audio_input=600, cached=150, cached_audio=100, output=1300, audio_output=1200)
    ) == (50 * 4000 + 50 * 400 + 500 * 32000 + 100 * 400 + 100 * 24000 + 1200 * 64000)
    assert cost_nano(find("openai", "whisper-1", TODAY), Counts(micros=60_000_000)) == nano(0.006)
    assert cost_nano(find("openai", "tts-1", TODAY), Counts(characters=1_000_000)) == nano(15)
    assert cost_nano(find("groq", "whisper-large-v3", TODAY), Counts(micros=1)) == round(nano(0.111) / 360)


def test_long_requests_and_peak_hours_cost_more():
    gemini = find("gemini", "gemini-2.5-pro", TODAY)
    assert cost_nano(gemini, Counts(input=200_000, output=1)) == 200_000 * 1250 + 10_000
    assert cost_nano(gemini, Counts(input=200_001, output=1)) == 200_001 * 2500 + 15_000
    deepseek = find("deepseek", "deepseek-v4-pro", TODAY)
    quiet, peak = (cost_nano(deepseek, Counts(input=1000), hour) for hour in (12, 6))
    assert (quiet, peak) == (660_000, 1_320_000)
    assert cost_nano(deepseek, Counts(input=1000)) == peak


def test_what_is_billed_otherwise_than_it_was_counted_has_no_cost():
    assert cost_nano(find("openai", "tts-1", TODAY), Counts(input=10)) is None
    assert cost_nano(find("openai", "whisper-1", TODAY), Counts(characters=10)) is None
    assert cost_nano(find("openai", "gpt-4o", TODAY), Counts(micros=10)) is None
    assert cost_nano(find("openai", "tts-1", TODAY), Counts()) == 0


@given(rates, usages)
def test_a_cost_is_never_negative_and_is_rounded_once(some, used):
    cost = cost_nano(Prices(some), used)
    assert cost is None or cost >= 0
    dearest = max(rate or 0 for rate in some)
    assert (cost or 0) <= -(-dearest * (used.input + used.output) // 10**6) + 1


@given(rates, usages, st.integers(0, 10**6), st.sampled_from(["input", "output"]))
def test_more_tokens_never_cost_less(some, used, more, part):
    before = cost_nano(Prices(some), used._replace(input=used.input + 1))
    after = cost_nano(Prices(some), used._replace(input=used.input + 1)._replace(**{
        part: getattr(used, part) + (part == "input") + more}))  # fmt: skip
    assert after >= before


@given(st.integers(0, 10**11), st.integers(0, 10**11), counts, counts)
def test_the_sum_is_that_of_its_parts(given_rate, made_rate, given_tokens, made_tokens):
    both = Prices(Rates(input=given_rate, output=made_rate))
    exact = Fraction(given_rate * given_tokens + made_rate * made_tokens, 10**6)
    cost = cost_nano(both, Counts(input=given_tokens, output=made_tokens))
    assert abs(cost - exact) <= Fraction(1, 2)
    assert cost == int(exact + Fraction(1, 2))


@given(st.integers(0, 10**12))
def test_dollars_become_nano_dollars_without_loss(amount):
    assert nano(Decimal(amount) / 10**9) == amount
