"""Which routes may answer a request, and in which order."""

from __future__ import annotations

import pytest

from mrblue_cli.gateway.model import CallError, FaultKind, Surface
from mrblue_cli.gateway.routing.routes import RouteTable
from tests.gateway.routing.worlds import route

GPT = route("openai/gpt-4o", priority=1)
GPT_AZURE = route("azure/gpt-4o", priority=2)
LLAMA = route("groq/llama-3.1-8b", priority=2)
CLAUDE = route("anthropic/claude", priority=3)
SMALL = route("openai/text-embedding-3-small", surfaces=[Surface.EMBEDDINGS])
LARGE = route("openai/text-embedding-3-large", surfaces=[Surface.EMBEDDINGS])
WHISPER = route("openai/whisper-1", surfaces=[Surface.TRANSCRIPTION])
ALL = (CLAUDE, LLAMA, GPT_AZURE, GPT, SMALL, LARGE, WHISPER)


def names(table: RouteTable, surface: Surface, model: str) -> list[str]:
    return [one.route.id for one in table.candidates(surface, model)]


def test_the_asked_model_comes_first_by_priority_then_the_others_by_theirs() -> None:
    assert names(RouteTable(ALL), Surface.CHAT, "gpt-4o") == [
        "openai/gpt-4o", "azure/gpt-4o", "groq/llama-3.1-8b", "anthropic/claude",
    ]  # fmt: skip


def test_asking_for_a_model_of_low_priority_still_puts_it_first() -> None:
    assert names(RouteTable(ALL), Surface.CHAT, "claude")[:2] == ["anthropic/claude", "openai/gpt-4o"]


def test_other_models_only_when_the_policy_allows_them() -> None:
    table = RouteTable(ALL, other_models=False)
    assert names(table, Surface.CHAT, "gpt-4o") == ["openai/gpt-4o", "azure/gpt-4o"]


def test_embeddings_never_cross_models() -> None:
    assert names(RouteTable(ALL), Surface.EMBEDDINGS, "text-embedding-3-small") == ["openai/text-embedding-3-small"]


def test_responses_and_messages_are_served_through_chat() -> None:
    for surface in (Surface.RESPONSES, Surface.MESSAGES):
        assert names(RouteTable(ALL), surface, "claude")[0] == "anthropic/claude"


def test_a_provider_before_the_name_pins_the_request_to_it() -> None:
    assert names(RouteTable(ALL), Surface.CHAT, "azure/gpt-4o") == ["azure/gpt-4o"]


def test_a_model_whose_own_name_has_a_slash_is_no_pin() -> None:
    llama = route("together/meta-llama/Llama-3")
    assert names(RouteTable([llama]), Surface.CHAT, "meta-llama/Llama-3") == ["together/meta-llama/Llama-3"]


def test_aliases_lead_to_models_and_to_pinned_models() -> None:
    table = RouteTable(ALL, aliases=[("fast", "llama-3.1-8b"), ("ours", "azure/gpt-4o")])
    assert names(table, Surface.CHAT, "fast")[0] == "groq/llama-3.1-8b"
    assert names(table, Surface.CHAT, "ours") == ["azure/gpt-4o"]
    assert table.names()[-2:] == ["fast", "ours"]


def test_a_star_takes_names_that_nobody_else_has() -> None:
    star = route("ollama/*", priority=9)
    table = RouteTable([GPT, star])
    found = table.candidates(Surface.CHAT, "qwen3")
    assert [(one.route.id, one.model) for one in found] == [("ollama/*", "qwen3"), ("openai/gpt-4o", "gpt-4o")]
    assert names(table, Surface.CHAT, "gpt-4o") == ["openai/gpt-4o"]
    assert "*" not in table.names()


@pytest.mark.parametrize(
    ("model", "hint"),
    [
        ("gpt-4", "Did you mean 'gpt-4o'?"),
        ("zzz", "there is: claude, llama-3.1-8b, gpt-4o"),
        ("whisper-1", "not configured for chat"),
    ],
)
def test_an_unknown_model_is_told_with_what_there_is(model: str, hint: str) -> None:
    with pytest.raises(CallError) as caught:
        RouteTable(ALL).candidates(Surface.CHAT, model)
    fault = caught.value.fault
    assert fault.kind is FaultKind.NOT_FOUND
    assert (fault.status, fault.code, fault.param) == (404, "model_not_found", "model")
    assert hint in fault.message


def test_names_of_strangers_do_not_fill_the_memory() -> None:
    table = RouteTable([route("ollama/*")])
    for number in range(50):
        table.candidates(Surface.CHAT, f"model-{number}")
    assert len(table._memo) == 0
