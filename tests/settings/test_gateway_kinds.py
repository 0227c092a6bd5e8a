"""What configuration knows of the kinds is what their adapters say."""

from __future__ import annotations

import pytest

from mrblue_cli.gateway.providers.registry import kinds, provider
from mrblue_cli.settings.gateway_kinds import base_of, kind_named, kind_of, kinds_by_custom


def test_every_kind_there_is_is_known():
    for name in kinds():
        known, traits = kind_of(name), provider(name).traits
        assert (known.variable, known.base_url, known.keyless) == (traits.key_variable, traits.base_url, traits.keyless)
    assert kind_of("groq").openai
    assert not kind_of("anthropic").openai
    assert kind_of("telepathy") is None


def test_who_is_asked_by_custom_needs_a_key_and_has_an_address():
    assert [name for name, _ in kinds_by_custom()][:2] == ["openai", "anthropic"]
    assert all(kind.variable.endswith("_KEY") and kind.base_url and not kind.keyless for _, kind in kinds_by_custom())


@pytest.mark.parametrize(
    ("name", "kind"),
    [("openai", "openai"), ("OpenAI", "openai"), ("google", "gemini"), ("azure_openai", "azure"), ("grok", "xai"),
     ("together_ai", "together"), ("vllm", "vllm"), ("telepathy", "")],
)  # fmt: skip
def test_names_by_custom(name, kind):
    assert kind_named(name) == kind


@pytest.mark.parametrize(
    ("endpoint", "base"),
    [("https://x.example/v1/chat/completions", "https://x.example/v1"),
     ("wss://x.example/v1/realtime", "https://x.example/v1"),
     ("https://x.example/v1/chat/completions?a=b", ""), ("https://x.example/v1/messages", ""),
     ("https://x.example", "")],
)  # fmt: skip
def test_the_base_of_an_address(endpoint, base):
    assert base_of(endpoint) == base
