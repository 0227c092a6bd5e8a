"""The compatible providers: what each has otherwise, and that the others are left alone."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrblue_cli.gateway.model import Call, CallError, FaultKind, Json, Part, Surface
from mrblue_cli.gateway.providers.compatible import in_order, tool_id
from mrblue_cli.gateway.providers.dialects import DIALECTS
from mrblue_cli.gateway.providers.registry import provider
from tests.gateway.providers.samples import chat, sent, target

COMPATIBLE = sorted(DIALECTS)
SCHEMA = {"type": "object", "properties": {"port": {"type": "integer"}}, "required": ["port"]}
ASKED = {"type": "json_schema", "json_schema": {"name": "port", "schema": SCHEMA, "strict": True}}
PICTURE = {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}}


@pytest.mark.parametrize(
    ("kind", "url"),
    [
        ("groq", "https://api.groq.com/openai/v1/chat/completions"),
        ("mistral", "https://api.mistral.ai/v1/chat/completions"),
        ("together", "https://api.together.xyz/v1/chat/completions"),
        ("openrouter", "https://openrouter.ai/api/v1/chat/completions"),
        ("deepseek", "https://api.deepseek.com/chat/completions"),
        ("xai", "https://api.x.ai/v1/chat/completions"),
        ("ollama", "http://localhost:11434/v1/chat/completions"),
        ("fireworks", "https://api.fireworks.ai/inference/v1/chat/completions"),
        ("cerebras", "https://api.cerebras.ai/v1/chat/completions"),
        ("perplexity", "https://api.perplexity.ai/chat/completions"),
        ("lmstudio", "http://localhost:1234/v1/chat/completions"),
        ("vllm", "http://localhost:8000/v1/chat/completions"),
        ("openai-compatible", "http://127.0.0.1:9/v1/chat/completions"),
    ],
)
def test_where_they_are(kind: str, url: str) -> None:
    made = provider(kind).request(chat(), target(kind))
    assert made.url == url
    assert made.headers["authorization"].startswith("Bearer ")


def test_every_compatible_provider_is_in_that_list() -> None:
    listed = test_where_they_are.pytestmark[0].args[1]  # type: ignore[attr-defined]
    assert sorted(kind for kind, _ in listed) == COMPATIBLE


def test_an_unknown_server_needs_an_address() -> None:
    with pytest.raises(CallError) as caught:
        provider("openai-compatible").request(chat(), target("openai-compatible", url=""))
    assert "base_url" in caught.value.fault.message


def test_an_unknown_server_gets_the_body_as_it_is() -> None:
    body = {
        "messages": [{"role": "developer", "content": [{"type": "text", "text": "x"}, PICTURE], "name": "n"}],
        "store": True,
        "logit_bias": {"1": 2},
        "response_format": ASKED,
        "tool_choice": "required",
        "max_completion_tokens": 7,
        "own_thing": 1,
    }
    made = sent("openai-compatible", Call(surface=Surface.CHAT, body=body))
    assert made == {**body, "model": "some-model"}


@pytest.mark.parametrize("kind", COMPATIBLE)
def test_what_a_dialect_ignores_or_refuses(kind: str) -> None:
    said = DIALECTS[kind]
    for name in said.ignored:
        assert name not in sent(kind, chat(**{name: {"a": 1}}))
    for name in said.refused:
        with pytest.raises(CallError) as caught:
            provider(kind).request(chat(**{name: [1]}), target(kind))
        assert (caught.value.fault.kind, caught.value.fault.param) == (FaultKind.UNSUPPORTED, name)
        assert name not in sent(kind, chat(**{name: False}))
    for ours, theirs in said.renamed.items():
        made = sent(kind, chat(**{ours: 5}))
        assert made[theirs] == 5
        assert ours not in made


@pytest.mark.parametrize("kind", COMPATIBLE)
@pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens"])
def test_the_limit_goes_by_one_name(kind: str, name: str) -> None:
    made = sent(kind, chat(**{name: 6}))
    names = [key for key in ("max_tokens", "max_completion_tokens") if key in made]
    assert len(names) == 1
    assert made[names[0]] == 6
    if kind != "openai-compatible":
        assert names == [DIALECTS[kind].limit_name]


@pytest.mark.parametrize("kind", COMPATIBLE)
def test_usage_of_streams_is_asked_for_where_that_is_known(kind: str) -> None:
    made = sent(kind, chat(stream=True))
    assert made["stream"] is True
    assert ("stream_options" in made) is DIALECTS[kind].stream_options


@pytest.mark.parametrize("kind", COMPATIBLE)
def test_developer_becomes_system_and_names_go(kind: str) -> None:
    said = DIALECTS[kind]
    asked = [{"role": "developer", "content": "x"}, {"role": "user", "content": "y", "name": "me"}]
    made = sent(kind, chat(asked))["messages"]
    assert made[0]["role"] == ("developer" if said.developer else "system")
    assert ("name" in made[1]) is said.names


@pytest.mark.parametrize("kind", COMPATIBLE)
def test_pictures_by_address(kind: str) -> None:
    said = DIALECTS[kind]
    call = chat([{"role": "user", "content": [{"type": "text", "text": "what"}, PICTURE]}])
    if said.flat_text or not said.image_urls:
        with pytest.raises(CallError) as caught:
            provider(kind).request(call, target(kind))
        assert caught.value.fault.kind is FaultKind.UNSUPPORTED
    else:
        assert sent(kind, call)["messages"] == call.body["messages"]


def test_pictures_inside_reach_ollama() -> None:
    part = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    call = chat([{"role": "user", "content": [part]}])
    assert sent("ollama", call)["messages"][0]["content"] == [part]


@pytest.mark.parametrize("kind", COMPATIBLE)
def test_schemas(kind: str) -> None:
    made = sent(kind, chat(response_format=ASKED))
    if DIALECTS[kind].schema == "yes":
        assert made["response_format"] == ASKED
        assert len(made["messages"]) == 1
    else:
        assert made["response_format"] == {"type": "json_object"}
        assert made["messages"][0]["role"] == "system"
        assert '"required":["port"]' in made["messages"][0]["content"]
    assert sent(kind, chat(response_format={"type": "json_object"}))["response_format"] == {"type": "json_object"}
    assert sent(kind, chat(response_format={"type": "text"})).get("response_format", {"type": "text"}) == {
        "type": "text"
    }


# DeepSeek.


def test_deepseek_flattens_text() -> None:
    asked = [{"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}]
    assert sent("deepseek", chat(asked))["messages"][0]["content"] == "ab"


@pytest.mark.parametrize("url", ["", "https://api.deepseek.com", "https://api.deepseek.com/v1"])
def test_deepseek_goes_on_at_its_beta_address(url: str) -> None:
    made = provider("deepseek").request(chat(prefill="The port"), target("deepseek", url=url))
    assert made.url == "https://api.deepseek.com/beta/chat/completions"
    assert msgspec.json.decode(made.body)["messages"][-1] == {
        "role": "assistant",
        "content": "The port",
        "prefix": True,
    }


def test_deepseek_behind_a_proxy_stays_there() -> None:
    made = provider("deepseek").request(chat(prefill="x"), target("deepseek", url="https://proxy.example.org"))
    assert made.url == "https://proxy.example.org/chat/completions"
    plain = provider("deepseek").request(chat(), target("deepseek"))
    assert plain.url == "https://api.deepseek.com/chat/completions"


def test_deepseek_gets_no_mark_outside_its_beta() -> None:
    asked = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]
    assert sent("deepseek", chat(asked))["messages"] == asked


# Mistral.


def test_mistral_has_its_own_words() -> None:
    made = sent("mistral", chat(tool_choice="required", seed=7, user="u", stream=True))
    assert made["tool_choice"] == "any"
    assert made["random_seed"] == 7
    assert not {"seed", "user", "stream_options"} & set(made)


def test_mistral_is_told_to_go_on() -> None:
    asked = [{"role": "user", "content": "a"}]
    mine = {"role": "assistant", "content": "b"}
    made = sent("mistral", chat(asked, prefill="so"))["messages"]
    assert made[-1] == {"role": "assistant", "content": "so", "prefix": True}
    assert sent("mistral", chat([*asked, mine]))["messages"][-1] == {**mine, "prefix": True}


def test_mistrals_order() -> None:
    calls = [{"id": "call_long_id_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}]
    asked: list[Any] = [
        {"role": "user", "content": "a"},
        {"role": "assistant", "content": "", "tool_calls": calls},
        {"role": "tool", "tool_call_id": "call_long_id_1", "content": "1"},
        {"role": "user", "content": "b"},
    ]
    made = in_order(asked)
    assert [message["role"] for message in made] == ["user", "assistant", "tool", "assistant", "user"]
    ident = made[1]["tool_calls"][0]["id"]
    assert ident == made[2]["tool_call_id"]
    assert len(ident) == 9
    assert ident.isalnum()
    assert asked[1]["tool_calls"] is calls
    assert calls[0]["id"] == "call_long_id_1"


@given(st.text(max_size=40))
def test_ids_for_mistral_are_the_same_each_time(ident: str) -> None:
    made = tool_id(ident)
    assert made == tool_id(ident) == tool_id(made)
    assert len(made) == 9


def test_an_id_that_mistral_gave_stays() -> None:
    assert tool_id("aB3dE6gH9") == "aB3dE6gH9"


# xAI.


@pytest.mark.parametrize(
    ("model", "effort"),
    [
        ("grok-4", False),
        ("grok-4-0709", False),
        ("grok-4-fast-reasoning", False),
        ("grok-4.20-reasoning", False),
        ("grok-code-fast-1", False),
        ("grok-build-0.1", False),
        ("grok-3", False),
        ("grok-3-mini", True),
        ("grok-4.3", True),
        ("grok-4.5", True),
        ("grok-5", True),
    ],
)
def test_grok_and_effort(model: str, effort: bool) -> None:
    made = sent("xai", chat(reasoning_effort="low"), model=model)
    assert ("reasoning_effort" in made) is effort


@pytest.mark.parametrize("model", ["grok-4", "grok-3-mini", "grok-code-fast-1", "grok-4.3"])
def test_reasoning_grok_knows_no_penalties_and_no_stop_words(model: str) -> None:
    made = sent("xai", chat(presence_penalty=1, frequency_penalty=1), model=model)
    assert not {"presence_penalty", "frequency_penalty"} & set(made)
    with pytest.raises(CallError) as caught:
        provider("xai").request(chat(stop=["x"]), target("xai", model=model))
    assert caught.value.fault.kind is FaultKind.UNSUPPORTED


@pytest.mark.parametrize("model", ["grok-3", "grok-4-fast-non-reasoning"])
def test_other_groks_do(model: str) -> None:
    made = sent("xai", chat(presence_penalty=1, stop=["x"]), model=model)
    assert (made["presence_penalty"], made["stop"]) == (1, ["x"])


# Others.


def test_openrouter_is_told_who_asks_when_configured() -> None:
    adapter = provider("openrouter")
    made = adapter.request(chat(), target("openrouter", options=(("referer", "https://x.org"), ("title", "X"))))
    assert made.headers["http-referer"] == "https://x.org"
    assert made.headers["x-title"] == "X"
    assert "x-title" not in adapter.request(chat(), target("openrouter")).headers


def test_perplexity_has_no_tools() -> None:
    with pytest.raises(CallError):
        provider("perplexity").request(chat(tools=[{"type": "function"}]), target("perplexity"))


@pytest.mark.parametrize(
    ("kind", "surfaces"),
    [
        ("groq", {Surface.TRANSCRIPTION, Surface.SPEECH}),
        ("mistral", {Surface.EMBEDDINGS, Surface.TRANSCRIPTION}),
        ("xai", {Surface.RESPONSES}),
        ("deepseek", set()),
        ("ollama", {Surface.EMBEDDINGS}),
    ],
)
def test_what_else_they_do(kind: str, surfaces: set[Surface]) -> None:
    assert provider(kind).traits.native == surfaces | {Surface.CHAT}


@pytest.mark.parametrize(("form", "goes"), [("json", True), ("verbose_json", True), ("srt", False), ("vtt", False)])
def test_groq_gives_no_subtitles(form: str, goes: bool) -> None:
    part = Part(name="file", data=b"x", filename="a.wav")
    call = Call(surface=Surface.TRANSCRIPTION, body={"response_format": form}, parts=(part,))
    if goes:
        assert provider("groq").request(call, target("groq")).parts
    else:
        with pytest.raises(CallError) as caught:
            provider("groq").request(call, target("groq"))
        assert caught.value.fault.kind is FaultKind.UNSUPPORTED


def test_mistral_embeds_with_its_own_words() -> None:
    call = Call(surface=Surface.EMBEDDINGS, body={"input": "x", "dimensions": 64, "user": "u"})
    assert sent("mistral", call) == {"input": "x", "model": "some-model", "output_dimension": 64}


def test_embeddings_go_to_their_own_place() -> None:
    call = Call(surface=Surface.EMBEDDINGS, body={"input": "x"})
    made = provider("together").request(call, target("together"))
    assert made.url == "https://api.together.xyz/v1/embeddings"


@pytest.mark.parametrize("kind", ["groq", "ollama"])
def test_prefill_as_a_plain_last_message(kind: str) -> None:
    made: list[Json] = sent(kind, chat(prefill="The port"))["messages"]
    assert made[-1] == {"role": "assistant", "content": "The port"}


# AI21.


def test_ai21_gets_only_what_it_names() -> None:
    made = sent("ai21", chat(max_tokens=3, seed=1, user="u", logit_bias={}, top_p=0.5, stop="x", stream=True))
    assert set(made) == {"model", "messages", "max_tokens", "top_p", "stop", "stream"}


def test_ai21_and_formats() -> None:
    made = sent("ai21", chat(response_format=ASKED))
    assert made["response_format"] == {"type": "json_object"}
    assert "port" in made["messages"][0]["content"]
    assert "response_format" not in sent("ai21", chat(response_format={"type": "text"}))


@pytest.mark.parametrize(
    "more",
    [
        {"tool_choice": "required"},
        {"tool_choice": {"type": "function", "function": {"name": "f"}}},
        {"tools": [{"type": "custom"}]},
        {"n": 2, "stream": True},
        {"logprobs": True},
        {"messages": [{"role": "user", "content": [PICTURE]}]},
    ],
)
def test_what_ai21_cannot(more: dict[str, Any]) -> None:
    stream = bool(more.get("stream"))
    call = chat(more.pop("messages", None), **{name: value for name, value in more.items() if name != "stream"})
    call.stream = stream
    with pytest.raises(CallError) as caught:
        provider("ai21").request(call, target("ai21"))
    assert caught.value.fault.kind is FaultKind.UNSUPPORTED


def test_ai21_without_a_choice_of_tools() -> None:
    tools = [{"type": "function", "function": {"name": "f"}}]
    assert sent("ai21", chat(tools=tools, tool_choice="auto"))["tools"] == tools
    assert "tools" not in sent("ai21", chat(tools=tools, tool_choice="none"))


# Azure.


@pytest.mark.parametrize(
    ("url", "version", "want"),
    [
        ("https://r.openai.azure.com", "", "https://r.openai.azure.com/openai/v1/chat/completions"),
        ("https://r.openai.azure.com/", "v1", "https://r.openai.azure.com/openai/v1/chat/completions"),
        ("https://r.openai.azure.com/openai/v1/", "", "https://r.openai.azure.com/openai/v1/chat/completions"),
        (
            "https://r.openai.azure.com/openai",
            "preview",
            "https://r.openai.azure.com/openai/v1/chat/completions?api-version=preview",
        ),
        (
            "https://r.openai.azure.com",
            "2024-10-21",
            "https://r.openai.azure.com/openai/deployments/my%20gpt%2F..%2Fx/chat/completions?api-version=2024-10-21",
        ),
    ],
)
def test_azures_addresses(url: str, version: str, want: str) -> None:
    options = (("api_version", version),) if version else ()
    made = provider("azure").request(chat(), target("azure", url=url, model="my gpt/../x", options=options))
    assert made.url == want


def test_azures_other_surfaces() -> None:
    options = (("api_version", "2025-04-01-preview"),)
    call = Call(surface=Surface.EMBEDDINGS, body={"input": "x"})
    made = provider("azure").request(call, target("azure", model="emb", options=options))
    assert made.url.endswith("/openai/deployments/emb/embeddings?api-version=2025-04-01-preview")
    call = Call(surface=Surface.RESPONSES, body={"input": "x"})
    made = provider("azure").request(call, target("azure", model="emb", options=options))
    assert made.url.endswith("/openai/responses?api-version=2025-04-01-preview")


def test_an_azure_endpoint_gets_its_version_once() -> None:
    full = "https://r.openai.azure.com/openai/deployments/d/chat/completions"
    options = (("api_version", "2024-10-21"),)
    made = provider("azure").request(chat(), target("azure", url=full, endpoint=True, options=options))
    assert made.url == f"{full}?api-version=2024-10-21"
    full += "?api-version=2023-01-01"
    made = provider("azure").request(chat(), target("azure", url=full, endpoint=True, options=options))
    assert made.url == full


@pytest.mark.parametrize("model", [".", "..", ""])
def test_a_deployment_cannot_climb(model: str) -> None:
    options = (("api_version", "2024-10-21"),)
    with pytest.raises(CallError):
        provider("azure").request(chat(), target("azure", model=model, options=options))


def test_azures_keys_and_tokens() -> None:
    made = provider("azure").request(chat(), target("azure", api_key="k"))
    assert made.headers["api-key"] == "k"
    assert "authorization" not in made.headers
    made = provider("azure").request(chat(), target("azure", api_key="k", options=(("auth", "bearer"),)))
    assert made.headers["authorization"] == "Bearer k"
    assert "api-key" not in made.headers


def test_azure_needs_an_address_and_may_be_told_the_model() -> None:
    with pytest.raises(CallError):
        provider("azure").request(chat(), target("azure", url=""))
    made = sent("azure", chat(max_tokens=5), model="my-deployment", options=(("base_model", "o3"),))
    assert made["max_completion_tokens"] == 5
    assert made["model"] == "my-deployment"


def test_azures_filter_names_the_prompt() -> None:
    fault = provider("azure").fault(400, {}, b'{"error":{"code":"content_filter","message":"no"}}')
    assert (fault.kind, fault.param) == (FaultKind.CONTENT_FILTER, "prompt")
