"""Chat and embeddings by Cohere's second API; and back."""

from __future__ import annotations

import base64
import struct
from typing import Any

import msgspec
import pytest

from mrblue_cli.gateway.model import Call, CallError, FaultKind, Json, Surface, Usage
from mrblue_cli.gateway.providers.cohere_stream import FAILED, FINISH, usage_of
from mrblue_cli.gateway.providers.registry import provider
from mrblue_cli.gateway.sse import frame
from tests.gateway.providers.samples import chat, heard, read, sent, target

TOOLS = [
    {"type": "function", "function": {"name": "find_port", "strict": True, "parameters": {"type": "object"}}},
    {"type": "function", "function": {"name": "now"}},
]
PICTURE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}


def made(messages: Any = None, **more: Any) -> Json:
    return sent("cohere", chat(messages, **more))


def refusal(call: Call) -> FaultKind:
    with pytest.raises(CallError) as caught:
        provider("cohere").request(call, target("cohere"))
    return caught.value.fault.kind


def test_addresses_and_key() -> None:
    request = provider("cohere").request(chat(), target("cohere", api_key="k"))
    assert request.url == "https://api.cohere.com/v2/chat"
    assert request.headers["authorization"] == "Bearer k"
    embed = Call(surface=Surface.EMBEDDINGS, body={"input": "x"})
    assert provider("cohere").request(embed, target("cohere")).url == "https://api.cohere.com/v2/embed"


def test_a_conversation() -> None:
    calls = [{"id": "c1", "type": "function", "function": {"name": "find_port", "arguments": '{"p":1}'}, "extra": 1}]
    body = made(
        [
            {"role": "developer", "content": [{"type": "text", "text": "be "}, {"type": "text", "text": "brief"}]},
            {"role": "user", "content": [{"type": "text", "text": "look"}]},
            {"role": "assistant", "content": "I look.", "tool_calls": calls},
            {"role": "tool", "tool_call_id": "c1", "content": [{"type": "text", "text": "free"}]},
            {"role": "assistant", "content": "It is free."},
            {"role": "user", "content": [{"type": "text", "text": "see"}, PICTURE]},
        ]
    )
    call = {"id": "c1", "type": "function", "function": {"name": "find_port", "arguments": '{"p":1}'}}
    assert body["messages"] == [
        {"role": "system", "content": "be brief"},
        {"role": "user", "content": "look"},
        {"role": "assistant", "tool_calls": [call], "tool_plan": "I look."},
        {"role": "tool", "tool_call_id": "c1", "content": "free"},
        {"role": "assistant", "content": "It is free."},
        {"role": "user", "content": [{"type": "text", "text": "see"}, PICTURE]},
    ]


def test_settings() -> None:
    body = made(
        top_p=0.9, top_k=3, frequency_penalty=0.1, presence_penalty=0.2, seed=7, temperature=0.3,
        max_tokens=9, stop="x", user="u", reasoning_effort="none", parallel_tool_calls=False,
    )  # fmt: skip
    assert body == {
        "model": "command-a-03-2025",
        "messages": body["messages"],
        "stream": False,
        "p": 0.9,
        "k": 3,
        "frequency_penalty": 0.1,
        "presence_penalty": 0.2,
        "seed": 7,
        "temperature": 0.3,
        "max_tokens": 9,
        "stop_sequences": ["x"],
        "thinking": {"type": "disabled"},
    }


@pytest.mark.parametrize(
    ("choice", "names", "want"),
    [
        (None, ["find_port", "now"], None),
        ("auto", ["find_port", "now"], None),
        ("required", ["find_port", "now"], "REQUIRED"),
        ("none", ["find_port", "now"], "NONE"),
        ({"type": "function", "function": {"name": "now"}}, ["now"], "REQUIRED"),
    ],
)
def test_tools(choice: Any, names: list[str], want: str | None) -> None:
    body = made(tools=TOOLS, **({"tool_choice": choice} if choice else {}))
    assert [tool["function"]["name"] for tool in body["tools"]] == names
    assert body.get("tool_choice") == want
    assert "strict" not in body["tools"][0]["function"]
    assert all("parameters" in tool["function"] for tool in body["tools"])


def test_formats() -> None:
    schema = {"type": "object", "required": ["a"], "properties": {"a": {"type": "string"}}}
    asked = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}
    assert made(response_format=asked)["response_format"] == {"type": "json_object", "json_schema": schema}
    assert made(response_format={"type": "json_object"})["response_format"] == {"type": "json_object"}
    assert "response_format" not in made(response_format={"type": "text"})
    assert refusal(chat(response_format=asked, tools=TOOLS)) is FaultKind.UNSUPPORTED


@pytest.mark.parametrize(
    ("messages", "more", "kind"),
    [
        (None, {"n": 2}, FaultKind.UNSUPPORTED),
        (None, {"logprobs": True}, FaultKind.UNSUPPORTED),
        (None, {"tools": [{"type": "web"}]}, FaultKind.UNSUPPORTED),
        ([{"role": "user", "content": [{"type": "input_audio"}]}], {}, FaultKind.UNSUPPORTED),
        ([{"role": "alien"}], {}, FaultKind.BAD_REQUEST),
        ([{"role": "assistant", "tool_calls": [{}, {"id": "x"}]}], {}, FaultKind.BAD_REQUEST),
    ],
)
def test_what_cannot_go(messages: Any, more: Json, kind: FaultKind) -> None:
    assert refusal(chat(messages, **more)) is kind


def test_every_finish_reason_has_a_word() -> None:
    assert set(FINISH.values()) == {"stop", "length", "tool_calls", "content_filter"}
    for reason, word in FINISH.items():
        events = [
            frame({"type": "content-delta", "index": 0, "delta": {"message": {"content": {"text": "x"}}}}),
            frame({"type": "message-end", "delta": {"finish_reason": reason}}),
        ]
        assert heard(read(provider("cohere").stream(chat(stream=True)), events)).finish == word
    for reason in FAILED:
        event = frame({"type": "message-end", "delta": {"finish_reason": reason}})
        assert heard(read(provider("cohere").stream(chat(stream=True)), [event])).fault == "server"


def test_a_bare_refusal_is_the_filters() -> None:
    event = frame({"type": "message-end", "delta": {"finish_reason": "ERROR_TOXIC"}})
    assert heard(read(provider("cohere").stream(chat(stream=True)), [event])).fault == "content_filter"
    body = msgspec.json.encode({"message": {"content": []}, "finish_reason": "ERROR_TOXIC"})
    with pytest.raises(CallError) as caught:
        provider("cohere").reply(chat(), {}, body)
    assert caught.value.fault.kind is FaultKind.CONTENT_FILTER


@pytest.mark.parametrize("event", [{"message": "internal"}, {"type": "error", "error": {"message": "no"}}])
def test_errors_inside_a_stream(event: Json) -> None:
    assert heard(read(provider("cohere").stream(chat(stream=True)), [frame(event)])).fault == "server"


def test_billed_units_count_for_more() -> None:
    said = {"billed_units": {"input_tokens": 5}, "tokens": {"input_tokens": 500, "output_tokens": 9}}
    assert usage_of(said) == Usage(input_tokens=5)
    assert usage_of({"tokens": {"input_tokens": 500}}) == Usage(input_tokens=500)
    assert usage_of({"billed_units": {"search_units": 1}}) is None
    assert usage_of(None) is None


def test_embeddings() -> None:
    call = Call(surface=Surface.EMBEDDINGS, body={"model": "asked", "input": "a", "dimensions": 256})
    body = sent("cohere", call, model="embed-v4.0")
    assert body == {
        "model": "embed-v4.0",
        "texts": ["a"],
        "input_type": "search_document",
        "embedding_types": ["float"],
        "output_dimension": 256,
    }
    call.body["input_type"] = "search_query"
    assert sent("cohere", call)["input_type"] == "search_query"
    del call.body["input_type"]
    assert sent("cohere", call, options=(("input_type", "clustering"),))["input_type"] == "clustering"
    for value in (None, [], [1]):
        assert refusal(Call(surface=Surface.EMBEDDINGS, body={"input": value})) in {
            FaultKind.BAD_REQUEST,
            FaultKind.UNSUPPORTED,
        }


def test_embeddings_come_back() -> None:
    answer = {"id": "e", "embeddings": {"float": [[0.5, 1.0]]}, "meta": {"billed_units": {"input_tokens": 3}}}
    call = Call(surface=Surface.EMBEDDINGS, body={"model": "asked", "input": "a", "encoding_format": "base64"})
    reply = provider("cohere").reply(call, {}, msgspec.json.encode(answer))
    assert reply.usage == Usage(input_tokens=3)
    assert isinstance(reply.body, dict)
    assert struct.unpack("<2f", base64.b64decode(reply.body["data"][0]["embedding"])) == (0.5, 1.0)
    assert reply.body["usage"] == {"prompt_tokens": 3, "total_tokens": 3}
    for wrong in ({}, {"embeddings": {"int8": [[1]]}}, {"embeddings": {"float": [None]}}):
        with pytest.raises(CallError):
            provider("cohere").reply(call, {}, msgspec.json.encode(wrong))
