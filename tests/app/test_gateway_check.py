"""What a configuration means, in data and in words."""

from __future__ import annotations

import msgspec
import pytest

from mrblue_cli.app.gateway_check import explain, priced, span
from mrblue_cli.cli.gateway_check import text
from mrblue_cli.core.prices import FREE, Prices, Rates
from mrblue_cli.gateway.budget.prices import prices_of
from mrblue_cli.gateway.model import Surface
from mrblue_cli.gateway.providers.base import Traits
from mrblue_cli.settings.gateway import load_gateway
from mrblue_cli.settings.gateway_problems import GatewayConfigError
from tests.settings.gateway_texts import ISSUE, KEYS, WHOLE, read


def traits(kind):
    return Traits(native=frozenset({Surface.CHAT, Surface.EMBEDDINGS}), base_url=f"https://{kind}.example/v1")


def explained(tmp_path, layout, env=None, name="c.yaml"):
    return explain(read(tmp_path, layout, name, env), traits=traits, price=prices_of)


def order(explanation, surface, model):
    (found,) = [line for line in explanation.routes if (line.surface, line.model) == (surface, model)]
    return [(item.provider, item.model, item.share) for item in found.tries]


def test_the_order_of_tries_is_the_one_that_requests_take(tmp_path):
    explanation = explained(tmp_path, ISSUE)
    assert order(explanation, "chat", "gpt-4o") == [
        ("openai", "gpt-4o", 1.0), ("groq", "llama-3.1-8b-instant", 1.0), ("anthropic", "claude-3-5-sonnet", 1.0),
    ]  # fmt: skip
    assert order(explanation, "chat", "claude-3-5-sonnet")[0] == ("anthropic", "claude-3-5-sonnet", 1.0)
    assert order(explanation, "transcription", "whisper-1") == [("openai", "whisper-1", 1.0)]
    assert order(explanation, "realtime", "gpt-4o-realtime") == [("openai", "gpt-4o-realtime", 1.0)]
    assert {line.surface for line in explanation.routes} == {"chat", "transcription", "realtime"}


def test_equal_priority_is_shared_by_weight(tmp_path):
    layout = """\
providers:
  - {name: openai, weight: 3, models: [m]}
  - {name: groq, weight: 1, models: [m]}
  - {name: anthropic, priority: 2}
aliases: {fast: m, only: groq/m}
failover: {models: same}
"""
    explanation = explained(tmp_path, layout)
    assert order(explanation, "chat", "m") == [("openai", "m", 0.75), ("groq", "m", 0.25)]
    assert order(explanation, "chat", "fast") == order(explanation, "chat", "m")
    assert order(explanation, "chat", "only") == [("groq", "m", 1.0)]
    assert order(explanation, "chat", "*") == [("anthropic", "*", 1.0)]
    assert order(explanation, "embeddings", "*") == [("anthropic", "*", 1.0)]
    lines = text(explanation)
    assert "  m: openai 75% | groq 25%" in lines
    assert "  any other name: anthropic" in lines
    assert "  fast means m" in lines


def test_keys_are_told_by_name_and_never_shown(tmp_path):
    explanation = explained(tmp_path, WHOLE, {**KEYS, "MAIL_PASSWORD": "hunter2"}, "c.toml")
    shown = msgspec.json.encode(explanation).decode() + "\n".join(text(explanation))
    for secret in (*KEYS.values(), "hunter2"):
        assert secret not in shown
    (openai, lab) = explanation.providers
    assert openai.keys == (
        {"variable": "OPENAI_API_KEY", "found": "environment"}, {"variable": "GROQ_API_KEY", "found": "environment"},
    )  # fmt: skip
    assert lab.keys == ()
    assert "    needs no key" in text(explanation)


def test_a_provider_without_its_key_is_shown_as_left_out(tmp_path):
    explanation = explained(tmp_path, ISSUE, {"OPENAI_API_KEY": "k"})
    assert [(item.name, item.priority) for item in explanation.providers] == [
        ("openai", 1), ("groq", None), ("anthropic", None),
    ]  # fmt: skip
    lines = text(explanation)
    assert "  groq: left out" in lines
    assert "    key GROQ_API_KEY: missing" in lines
    assert lines[0].endswith("good, with 3 warnings")
    assert len([line for line in lines if "groq is left out" in line]) == 1


def test_prices_are_known_or_said_to_be_unknown(tmp_path):
    layout = (
        "providers: [{name: openai, models: [gpt-4o, whisper-1, my-own, {name: x, input_price: 1, output_price: 2.5}]}]"
    )
    models = {line.name: line for line in explained(tmp_path, layout).providers[0].models}
    assert models["gpt-4o"].price == "$2.50 in, $10.00 out per million tokens"
    assert "per hour of audio" in models["whisper-1"].price
    assert models["my-own"].price is None
    assert models["x"].price == "$1.00 in, $2.50 out per million tokens"
    assert any("my-own" in line and "no price known" in line for line in text(explained(tmp_path, layout)))


def test_prices_in_words():
    assert priced(None) is None
    assert priced(FREE) == "free"
    assert priced(Prices(Rates(input=150_000_000, output=37_500_000))) == "$0.15 in, $0.0375 out per million tokens"
    assert priced(Prices(Rates(), characters=15_000_000_000)) == "$15.00 per million characters"


def test_what_is_set_is_said_in_words(tmp_path):
    words = explained(tmp_path, WHOLE, {**KEYS, "MAIL_PASSWORD": "hunter2"}, "c.toml").words
    assert "clients need a virtual key" in words["door"][0]
    assert "2 processes" in words["door"][1]
    assert "Redis" in words["door"][2]
    assert words["failover"][0] == "at most 5 tries after the first; only the model that was asked for may answer"
    assert words["failover"][1] == "the same route again after 250 ms, then longer, at most 20 s"
    assert "2.5 s to the first token" in words["deadlines"][0]
    assert "5 min for a request" in words["deadlines"][1]
    assert "for 2 h" in words["cache"][0]
    assert "at most 1.0% wrong answers" in words["cache"][1]
    assert words["budget"] == (
        "$5.00 a day and $100.00 a month (UTC); beyond that requests are refused with 429",
        "at 50%: a line in the log, a mail to ops@example.org, a call to hooks.example.org",
        "models without a price are refused",
    )


@pytest.mark.parametrize(
    ("layout", "part", "words"),
    [
        ("caching: {enabled: false}", "cache", "off"),
        ("caching: {semantic: false}", "cache", "only the same request"),
        ("caching: {shadow: true}", "cache", "reported only"),
        ("caching: {shared_between_keys: true}", "cache", "shared between keys"),
        ("failover: {enabled: false}", "failover", "goes to the client"),
        ("failover: {breaker: {enabled: false}}", "failover", "no circuit breaker"),
        ("failover: {balance: weight}", "failover", "share requests by weight"),
        ("budget: {}", "budget", "no limit; spend is recorded"),
        ("budget: {daily_limit: 1, alerts: [{threshold: 0.9, action: throttle}]}", "budget", "the cheapest chat model"),
        ("budget: {daily_limit: 1, alerts: [{threshold: 0.9, action: block}]}", "budget", "at 90%: refuses"),
        ("host: '::'", "door", "whoever reaches this machine; clients need a virtual key"),
        ("limits: {concurrent: 5}", "limits", "5 requests at once; bodies up to 25 MiB"),
    ],
)
def test_each_switch_changes_the_words(tmp_path, layout, part, words):
    explanation = explained(tmp_path, f"providers: [{{name: openai}}]\n{layout}")
    assert words in " ".join(explanation.words[part])
    assert any(words in line for line in text(explanation))


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.25, "250 ms"), (1, "1 s"), (60, "1 min"), (90, "90 s"), (600, "10 min"), (3600, "1 h"), (86_400, "1 d"),
     (2.5, "2.5 s")],
)  # fmt: skip
def test_lengths_of_time_in_words(seconds, words):
    assert span(seconds) == words


def test_without_any_key_a_file_is_explained_all_the_same(tmp_path):
    file = tmp_path / "c.yaml"
    file.write_text(ISSUE)
    loaded = load_gateway(file, environment={}, without_keys=True)
    explanation = explain(loaded, traits=traits, price=prices_of)
    assert order(explanation, "chat", "gpt-4o") == order(explained(tmp_path, ISSUE), "chat", "gpt-4o")
    assert explanation.ok is False
    assert [problem.path for problem in explanation.problems] == ["providers"]
    lines = text(explanation)
    assert "cannot be started: no key was found" in lines[0]
    assert "    key GROQ_API_KEY: missing" in lines
    assert "  openai, priority 1 at https://openai.example/v1" in lines
    with pytest.raises(GatewayConfigError, match="no key was found in OPENAI_API_KEY, GROQ_API_KEY"):
        load_gateway(file, environment={})


def test_the_models_of_the_usual_file_all_have_a_price(tmp_path):
    prices = {model.name: model.price for item in explained(tmp_path, ISSUE).providers for model in item.models}
    assert len(prices) == 5
    assert [name for name, price in prices.items() if price is None] == []
