"""What the adapters make, held against the stock clients' types: `openai` for answers, `anthropic` for requests."""

from __future__ import annotations

from typing import Any

import pytest
from anthropic.types.message_create_params import MessageCreateParamsNonStreaming, MessageCreateParamsStreaming
from openai.types import CreateEmbeddingResponse
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from pydantic import TypeAdapter

from mrblue_cli.gateway.model import Call, Surface
from mrblue_cli.gateway.providers.registry import provider
from mrblue_cli.gateway.providers.scripted import Scripted
from tests.gateway.providers.samples import Sample, chat, read, samples, sent, target

TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}
CALLS = [{"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}]
PICTURE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
TALK = [
    {"role": "system", "content": "be brief"},
    {"role": "user", "content": [{"type": "text", "text": "look"}, PICTURE]},
    {"role": "assistant", "content": None, "tool_calls": CALLS},
    {"role": "tool", "tool_call_id": "c1", "content": "ok"},
    {"role": "user", "content": "so?"},
]
ASKED = {"type": "json_schema", "json_schema": {"name": "x", "schema": {"type": "object", "properties": {}}}}
MAPPED = {"anthropic", "gemini", "cohere", "scripted"}


@pytest.mark.parametrize("sample", [one for one in samples(".sse") if one.kind in MAPPED], ids=repr)
def test_chunks_are_openais(sample: Sample) -> None:
    for piece in read(provider(sample.kind).stream(chat(stream=True)), [sample.data]):
        if piece.data is not None:
            made = ChatCompletionChunk.model_validate(piece.data, strict=True)
            assert bool(made.choices) != bool(made.usage)


@pytest.mark.parametrize("sample", [one for one in samples(".json") if one.kind in MAPPED], ids=repr)
def test_completions_are_openais(sample: Sample) -> None:
    if "fault" not in sample.want:
        body = provider(sample.kind).reply(chat(), {}, sample.data).body
        made = ChatCompletion.model_validate(body, strict=True)
        assert made.choices[0].message.role == "assistant"


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("more", [{}, {"tools": [TOOL], "tool_choice": "required"}, {"response_format": ASKED}])
def test_the_demo_speaks_openais(stream: bool, more: dict[str, Any]) -> None:
    demo, call = Scripted(), chat(stream=stream, **more)
    answer = demo.play(call, target("scripted"))
    if stream:
        for piece in read(demo.stream(call), [data for _, data in answer.steps]):
            assert piece.data is None or ChatCompletionChunk.model_validate(piece.data, strict=True)
    else:
        assert ChatCompletion.model_validate(demo.reply(call, {}, answer.steps[0][1]).body, strict=True)


def test_embeddings_are_openais() -> None:
    call = Call(surface=Surface.EMBEDDINGS, body={"model": "m", "input": "x"})
    demo = Scripted()
    bodies = [demo.reply(call, {}, demo.play(call, target("scripted")).steps[0][1]).body]
    bodies.append(provider("gemini").reply(call, {}, b'{"embeddings":[{"values":[0.5]}]}').body)
    bodies.append(provider("cohere").reply(call, {}, b'{"embeddings":{"float":[[0.5]]}}').body)
    for body in bodies:
        assert CreateEmbeddingResponse.model_validate(body, strict=True).data[0].index == 0


@pytest.mark.parametrize("model", ["claude-3-5-haiku", "claude-3-7-sonnet", "claude-sonnet-4-5", "claude-opus-4-7"])
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    "more",
    [
        {},
        {"tools": [TOOL], "tool_choice": {"type": "function", "function": {"name": "f"}}},
        {"tools": [TOOL], "parallel_tool_calls": False},
        {"response_format": ASKED, "stop": "x", "user": "u", "temperature": 0.5},
        {"reasoning_effort": "high", "max_tokens": 9000},
    ],
)
def test_requests_are_anthropics(model: str, stream: bool, more: dict[str, Any]) -> None:
    body = sent("anthropic", chat(TALK, stream=stream, **more), model=model)
    kind = MessageCreateParamsStreaming if stream else MessageCreateParamsNonStreaming
    known = set(kind.__required_keys__ | kind.__optional_keys__)
    sampling = {"temperature"}  # the client dropped it with the models that take it, which still answer
    assert set(body) - sampling <= known
    assert TypeAdapter(kind).validate_python(body)
