"""A chat model that calls tools, over a real socket; and its messages, checked without one."""

from __future__ import annotations

import json
from itertools import pairwise
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrblue_cli.assistant.brain import CallTool, Exchange, KnowledgeBrain, Question, ToolSpec
from mrblue_cli.assistant.chat import ChatBrain
from mrblue_cli.assistant.chat_messages import CallsRead, messages_of
from mrblue_cli.assistant.options import ChatOptions
from mrblue_cli.core.errors import AuthError, ConnectError, ProviderError, RemoteError
from mrblue_cli.knowledge.base import load_base
from tests.fakes.speech_service import KEY, running_service

LOOK = ToolSpec("look", "looks", {"type": "object", "properties": {"for": {"type": "string"}}})
KNOWLEDGE = KnowledgeBrain(load_base())


def options(url, **more):
    return ChatOptions(base_url=url, model="m", api_key=KEY, timeout_seconds=0.5, **more)


async def answered(url, question, **more):
    brain = ChatBrain(options(url, **more), KNOWLEDGE)
    try:
        return [piece async for piece in brain.answer(question)]
    finally:
        await brain.close()


async def test_calls_are_put_together_and_come_after_the_words():
    calls = [("look", '{"for": "a cat"}'), ("look", '{"for": "a dog"}')]
    uses = []
    async with running_service(calls=calls) as service:
        pieces = await answered(service.url, Question("what is it?", tools=(LOOK,), count=uses.append))
    assert pieces == [CallTool(name, arguments) for name, arguments in calls]
    (asked,) = service.of("chat")
    assert asked["tools"] == [
        {"type": "function", "function": {"name": "look", "description": "looks", "parameters": LOOK.parameters}}
    ]
    assert [use.model for use in uses] == ["m", "m"]
    assert (uses[1].input_tokens, uses[1].cached_tokens, uses[1].output_tokens) == (50, 30, 7)


async def test_outputs_go_back_with_the_ids_of_their_calls():
    history = (
        Exchange("user", "hello"),
        Exchange("assistant", "hi"),
        Exchange("assistant", "Let me see."),
        Exchange("tool", '{"say": "a cat"}', CallTool("look", '{"for": "it"}'), "call_7"),
        Exchange("tool", '{"say": "a dog"}', CallTool("look", "no json"), "call_8"),
    )
    async with running_service(calls=[("look", "{}")]) as service:
        pieces = await answered(service.url, Question("what is it?", history, tools=(LOOK,), after=3))
    assert "".join(pieces) == "Paris is the capital."
    messages = service.of("chat")[0]["messages"]
    roles = [message["role"] for message in messages]
    assert roles == ["system", "user", "assistant", "user", "assistant", "assistant", "tool", "tool"]
    assert messages[3]["content"] == "what is it?"
    assert [call["id"] for call in messages[5]["tool_calls"]] == ["call_7", "call_8"]
    assert [call["function"]["arguments"] for call in messages[5]["tool_calls"]] == ['{"for": "it"}', "{}"]
    assert [message["tool_call_id"] for message in messages[6:]] == ["call_7", "call_8"]


async def test_without_tools_none_are_named():
    async with running_service() as service:
        await answered(service.url, Question("hm", (Exchange("tool", "{}", CallTool("look", "{}"), "c"),), after=1))
    (asked,) = service.of("chat")
    assert "tools" not in asked
    assert not any("tool_calls" in message for message in asked["messages"])
    assert "look({}) answered" in asked["messages"][-1]["content"]


@pytest.mark.parametrize(
    ("fault", "kind", "code"),
    [
        (401, AuthError, "auth"),
        (429, ProviderError, "rate_limit_exceeded"),
        ("quota", ProviderError, "insufficient_quota"),
        (500, ProviderError, "server_error"),
        (404, ProviderError, "not_found"),
        ("stall", ConnectError, "connect"),
    ],
)
async def test_strictly_a_failure_is_raised(fault, kind, code):
    async with running_service() as service:
        service.faults["chat"] = [fault]
        with pytest.raises(RemoteError) as caught:
            await answered(service.url, Question("hm"), strict=True)
    assert (type(caught.value), caught.value.code) == (kind, code)
    assert KEY not in caught.value.what
    assert len(service.of("chat")) == (2 if fault == 500 else 1)


async def failing(pieces, got):
    """Takes what comes until it fails; returns the error."""
    try:
        async for piece in pieces:
            got.append(piece)
    except RemoteError as error:
        return error
    raise AssertionError("it did not fail")


async def test_strictly_half_an_answer_is_said_and_then_raised():
    got = []
    async with running_service() as service:
        service.faults["chat"] = ["cut"]
        brain = ChatBrain(options(service.url, strict=True), KNOWLEDGE)
        caught = await failing(brain.answer(Question("hm")), got)
        await brain.close()
    assert got == ["Paris is "]
    assert caught.code == "cut"


def pieces_of(name, arguments, index, cuts):
    places = sorted({0, len(arguments), *(cut % (len(arguments) + 1) for cut in cuts)})
    texts = [arguments[a:b] for a, b in pairwise(places)] or [""]
    first = SimpleNamespace(index=index, function=SimpleNamespace(name=name, arguments=None))
    return [first, *(SimpleNamespace(index=index, function=SimpleNamespace(name=None, arguments=x)) for x in texts)]


@given(st.lists(st.text(max_size=20), min_size=1, max_size=4), st.lists(st.integers(0, 30), max_size=4), st.booleans())
def test_calls_survive_any_cut(arguments, cuts, numbered):
    read = CallsRead()
    for index, text in enumerate(arguments):
        for piece in pieces_of(f"tool{index}", text, index if numbered else None, cuts):
            read.feed([piece])
    assert read.calls == tuple(CallTool(f"tool{index}", text or "{}") for index, text in enumerate(arguments))


def test_nonsense_in_a_stream_is_no_call():
    read = CallsRead()
    read.feed(None)
    read.feed([SimpleNamespace(index=0, function=None), SimpleNamespace()])
    assert read.calls == ()


EXCHANGES = st.sampled_from(
    [
        Exchange("user", "a"),
        Exchange("assistant", "b"),
        Exchange("system", "c"),
        Exchange("tool", "{}", CallTool("look", "{}"), "call_1"),
        Exchange("tool", "{}"),
        Exchange("assistant", ""),
    ]
)


@given(st.lists(EXCHANGES, max_size=20), st.integers(0, 20), st.booleans())
def test_every_output_follows_a_message_that_called_it(history, after, offered):
    tools = (LOOK,) if offered else ()
    question = Question("q", tuple(history), tools=tools, after=min(after, len(history)))
    messages = messages_of(question, "be kind")
    assert json.dumps(messages)
    assert messages[0] == {"role": "system", "content": "be kind"}
    assert sum(message == {"role": "user", "content": "q"} for message in messages) == 1
    open_calls = []
    for message in messages:
        if message["role"] == "tool":
            open_calls.remove(message["tool_call_id"])
        else:
            assert open_calls == []
            open_calls = [call["id"] for call in message.get("tool_calls", ())]
            assert offered or not open_calls
    assert open_calls == []
