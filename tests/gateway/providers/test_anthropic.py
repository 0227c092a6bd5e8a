"""Chat as Anthropic's Messages API: messages, tools, formats, thinking, the ways of each generation; and back."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrblue_cli.gateway.model import Call, CallError, FaultKind, Json, Surface
from mrblue_cli.gateway.providers.anthropic_messages import arguments, ident
from mrblue_cli.gateway.providers.anthropic_models import claude, version
from mrblue_cli.gateway.providers.anthropic_request import JSON_TOOL, strict
from mrblue_cli.gateway.providers.anthropic_stream import FINISH
from mrblue_cli.gateway.providers.registry import provider
from mrblue_cli.gateway.sse import frame
from tests.gateway.providers.samples import chat, heard, read, sent, target

OLD, NEW, NEWEST = "claude-3-5-sonnet-20241022", "claude-sonnet-4-5", "claude-opus-4-7"
TOOL = {
    "type": "function",
    "function": {
        "name": "find_port",
        "description": "Finds it.",
        "parameters": {"type": "object", "properties": {"port": {"type": "integer"}}},
    },
}
SCHEMA = {
    "type": "object",
    "properties": {"port": {"type": "integer", "minimum": 1}, "why": {"type": ["string", "null"], "format": "x"}},
}
ASKED = {"type": "json_schema", "json_schema": {"name": "p", "schema": SCHEMA}}


def made(messages: Any = None, *, model: str = NEW, stream: bool = False, **more: Any) -> Json:
    return sent("anthropic", chat(messages, stream=stream, **more), model=model)


def refusal(call: Call, model: str = NEW) -> FaultKind:
    with pytest.raises(CallError) as caught:
        provider("anthropic").request(call, target("anthropic", model=model))
    return caught.value.fault.kind


@pytest.mark.parametrize(
    ("model", "at"),
    [
        ("claude-3-opus-20240229", (3, 0)),
        ("claude-3-5-sonnet-20241022", (3, 5)),
        ("claude-3-7-sonnet-latest", (3, 7)),
        ("claude-sonnet-4-20250514", (4, 0)),
        ("claude-opus-4-1-20250805", (4, 1)),
        ("claude-sonnet-4-5", (4, 5)),
        ("claude-haiku-4-5-20251001", (4, 5)),
        ("claude-opus-4-6", (4, 6)),
        ("claude-opus-4.7", (4, 7)),
        ("claude-fable-5", (5, 0)),
        ("anthropic.claude-3-5-sonnet-20241022-v2:0", (3, 5)),
        ("claude-2.1", (2, 1)),
        ("claude-instant", (1, 0)),
        ("claude-mythos-preview", (99, 0)),
        ("my-own-name", (99, 0)),
    ],
)
def test_versions_are_read_from_names(model: str, at: tuple[int, int]) -> None:
    assert version(model) == at


def test_each_generation_takes_something_away() -> None:
    assert claude(OLD).prefill
    assert claude(NEW).prefill
    assert not claude("claude-opus-4-6").prefill
    assert claude("claude-opus-4-6").sampling
    assert not claude(NEWEST).sampling
    assert not claude(OLD).budget
    assert claude("claude-3-7-sonnet").budget
    assert claude("claude-opus-4-6").adaptive
    assert not claude(OLD).schema
    assert claude(NEW).schema


def test_headers_and_address() -> None:
    request = provider("anthropic").request(chat(), target("anthropic", api_key="k", options=(("beta", "b-1"),)))
    assert request.url == "https://api.anthropic.com/v1/messages"
    assert request.headers["x-api-key"] == "k"
    assert request.headers["anthropic-version"] == "2023-06-01"
    assert request.headers["anthropic-beta"] == "b-1"
    assert "authorization" not in request.headers


# Messages.


def test_system_messages_stand_apart() -> None:
    body = made(
        [
            {"role": "system", "content": "one"},
            {"role": "user", "content": "hi"},
            {"role": "developer", "content": [{"type": "text", "text": "two", "cache_control": {"type": "ephemeral"}}]},
        ]
    )
    assert body["system"] == [
        {"type": "text", "text": "one"},
        {"type": "text", "text": "two", "cache_control": {"type": "ephemeral"}},
    ]
    assert body["messages"] == [{"role": "user", "content": [{"type": "text", "text": "hi"}]}]


def test_a_conversation_with_tools() -> None:
    calls = [
        {"id": "call_1", "type": "function", "function": {"name": "find_port", "arguments": '{"port": 3000}'}},
        {"id": "call:2", "type": "function", "function": {"name": "find_port", "arguments": ""}},
    ]
    body = made(
        [
            {"role": "user", "content": "look"},
            {"role": "assistant", "content": "I look.", "tool_calls": calls},
            {"role": "tool", "tool_call_id": "call_1", "content": "free"},
            {"role": "tool", "tool_call_id": "call:2", "content": [{"type": "text", "text": "taken"}]},
            {"role": "user", "content": "so?"},
        ],
        tools=[TOOL],
    )
    assert [turn["role"] for turn in body["messages"]] == ["user", "assistant", "user"]
    said, results = body["messages"][1]["content"], body["messages"][2]["content"]
    assert said[0] == {"type": "text", "text": "I look."}
    assert said[1] == {"type": "tool_use", "id": "call_1", "name": "find_port", "input": {"port": 3000}}
    assert said[2]["input"] == {}
    assert said[2]["id"] == results[1]["tool_use_id"] == ident("call:2")
    assert [block["type"] for block in results] == ["tool_result", "tool_result", "text"]
    assert results[1]["content"] == "taken"
    assert body["tools"] == [
        {"name": "find_port", "description": "Finds it.", "input_schema": TOOL["function"]["parameters"]}  # type: ignore[index]
    ]


def test_results_come_before_what_the_user_says() -> None:
    calls = [{"id": "a", "function": {"name": "f", "arguments": "{}"}}]
    body = made(
        [
            {"role": "user", "content": "q"},
            {"role": "assistant", "tool_calls": calls},
            {"role": "user", "content": "hurry"},
            {"role": "tool", "tool_call_id": "a", "content": "r"},
        ]
    )
    assert [block["type"] for block in body["messages"][-1]["content"]] == ["tool_result", "text"]


def test_tools_of_the_past_are_declared_and_not_offered() -> None:
    calls = [{"id": "a", "function": {"name": "f", "arguments": "{}"}}]
    body = made([{"role": "assistant", "tool_calls": calls}, {"role": "tool", "tool_call_id": "a", "content": "r"}])
    assert [tool["name"] for tool in body["tools"]] == ["f"]
    assert body["tool_choice"] == {"type": "none"}


def test_pictures_and_papers() -> None:
    parts = [
        {"type": "text", "text": "see"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,aGVs\nbG8="}, "cache_control": {"type": "x"}},
        {"type": "image_url", "image_url": {"url": "https://example.org/a.png", "detail": "low"}},
        {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBE"}},
    ]
    blocks = made([{"role": "user", "content": parts}])["messages"][0]["content"]
    assert blocks[1] == {
        "type": "image",
        "source": {"type": "base64", "media_type": "image/png", "data": "aGVsbG8="},
        "cache_control": {"type": "x"},
    }
    assert blocks[2] == {"type": "image", "source": {"type": "url", "url": "https://example.org/a.png"}}
    assert blocks[3]["type"] == "document"
    assert blocks[3]["title"] == "a.pdf"


@pytest.mark.parametrize(
    ("part", "kind"),
    [
        ({"type": "input_audio", "input_audio": {"data": "x", "format": "wav"}}, FaultKind.UNSUPPORTED),
        ({"type": "file", "file": {"file_id": "file-1"}}, FaultKind.UNSUPPORTED),
        ({"type": "image_url", "image_url": {"url": "data:image/bmp;base64,AAAA"}}, FaultKind.UNSUPPORTED),
        ({"type": "image_url", "image_url": {"url": "data:image/png;base64,A"}}, FaultKind.BAD_REQUEST),
        ({"type": "image_url", "image_url": {"url": "data:image/png,%00"}}, FaultKind.BAD_REQUEST),
        ({"type": "image_url", "image_url": {"url": "file:///etc/passwd"}}, FaultKind.BAD_REQUEST),
        ({"type": "image_url"}, FaultKind.BAD_REQUEST),
        ("just text", FaultKind.BAD_REQUEST),
    ],
)
def test_parts_that_cannot_go(part: Any, kind: FaultKind) -> None:
    assert refusal(chat([{"role": "user", "content": [part]}])) is kind


@pytest.mark.parametrize(
    ("messages", "kind"),
    [
        ([{"role": "alien", "content": "x"}], FaultKind.BAD_REQUEST),
        ([{"role": "user", "content": 7}], FaultKind.BAD_REQUEST),
        ([{"role": "system", "content": "only"}], FaultKind.UNSUPPORTED),
        ([{"role": "user", "content": ""}], FaultKind.UNSUPPORTED),
        ([{"role": "assistant", "tool_calls": [{"id": "x"}]}], FaultKind.BAD_REQUEST),
    ],
)
def test_messages_that_cannot_go(messages: Any, kind: FaultKind) -> None:
    assert refusal(chat(messages)) is kind


def test_empty_turns_are_left_out_and_like_ones_join() -> None:
    body = made(
        [
            {"role": "user", "content": "a"},
            {"role": "assistant", "content": None},
            {"role": "user", "content": "  "},
            {"role": "user", "content": "b"},
        ]
    )
    assert body["messages"] == [
        {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}
    ]


def test_a_mark_for_the_cache_on_a_message() -> None:
    body = made([{"role": "user", "content": "long", "cache_control": {"type": "ephemeral"}}])
    assert body["messages"][0]["content"][0]["cache_control"] == {"type": "ephemeral"}


@given(st.text(max_size=200))
def test_ids_and_arguments_always_fit(text: str) -> None:
    assert ident(text) == ident(ident(text))
    assert isinstance(arguments(text), dict)


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("", {}),
        ("{}", {}),
        ('{"a":1}', {"a": 1}),
        ("[1]", {"arguments": [1]}),
        ('{"a":', {"arguments": '{"a":'}),
        (None, {}),
    ],
)
def test_arguments_of_other_models(text: Any, want: Json) -> None:
    assert arguments(text) == want


# Settings.


def test_plain_settings() -> None:
    body = made(stop=["a", "  ", "b"], user="u-1", temperature=1.7, max_tokens=77, stream=True, seed=3, logit_bias={})
    assert body["stop_sequences"] == ["a", "b"]
    assert body["metadata"] == {"user_id": "u-1"}
    assert body["temperature"] == 1.0
    assert body["max_tokens"] == 77
    assert body["stream"] is True
    assert set(body) == {"model", "max_tokens", "messages", "stop_sequences", "metadata", "temperature", "stream"}
    assert made(stop="one")["stop_sequences"] == ["one"]


@pytest.mark.parametrize(("model", "limit"), [("claude-3-haiku-20240307", 4096), (OLD, 8192), (NEWEST, 8192)])
def test_a_limit_is_always_named(model: str, limit: int) -> None:
    assert made(model=model)["max_tokens"] == limit


def test_samplers_by_generation() -> None:
    assert made(model=OLD, temperature=0.5, top_p=0.9)["top_p"] == 0.9
    body = made(model=NEW, temperature=0.5, top_p=0.9)
    assert "top_p" not in body
    assert made(model=NEW, top_p=0.9)["top_p"] == 0.9
    body = made(model=NEWEST, temperature=0.5, top_p=0.9, top_k=5)
    assert not {"temperature", "top_p", "top_k"} & set(body)


@pytest.mark.parametrize(
    "more", [{"n": 2}, {"logprobs": True}, {"audio": {"voice": "x"}}, {"modalities": ["text", "audio"]}]
)
def test_what_claude_cannot(more: Json) -> None:
    assert refusal(chat(**more)) is FaultKind.UNSUPPORTED


@pytest.mark.parametrize(
    ("choice", "parallel", "want"),
    [
        (None, None, None),
        ("auto", None, None),
        ("required", None, {"type": "any"}),
        ("none", None, {"type": "none"}),
        ({"type": "function", "function": {"name": "find_port"}}, None, {"type": "tool", "name": "find_port"}),
        ("auto", False, {"type": "auto", "disable_parallel_tool_use": True}),
        ("required", False, {"type": "any", "disable_parallel_tool_use": True}),
        ("none", False, {"type": "none"}),
    ],
)
def test_choices_of_tools(choice: Any, parallel: bool | None, want: Json | None) -> None:
    more = {"tool_choice": choice, "parallel_tool_calls": parallel}
    body = made(tools=[TOOL], **{name: value for name, value in more.items() if value is not None})
    assert body.get("tool_choice") == want


def test_tools_of_other_kinds_cannot_go() -> None:
    assert refusal(chat(tools=[{"type": "web_search"}])) is FaultKind.UNSUPPORTED
    assert refusal(chat(tools=[TOOL], tool_choice={"type": "allowed_tools"})) is FaultKind.UNSUPPORTED


def test_a_tool_without_parameters_gets_an_empty_schema() -> None:
    body = made(tools=[{"type": "function", "function": {"name": "now"}, "cache_control": {"type": "ephemeral"}}])
    assert body["tools"] == [
        {"name": "now", "input_schema": {"type": "object", "properties": {}}, "cache_control": {"type": "ephemeral"}}
    ]


# Formats.


def test_new_models_hold_to_a_schema_by_themselves() -> None:
    body = made(response_format=ASKED)
    assert body["output_config"] == {
        "format": {
            "type": "json_schema",
            "schema": {
                "type": "object",
                "properties": {"port": {"type": "integer"}, "why": {"type": ["string", "null"]}},
                "additionalProperties": False,
            },
        }
    }
    assert "tools" not in body


def test_old_models_are_made_to_call_a_tool() -> None:
    body = made(model=OLD, response_format=ASKED)
    assert body["tools"][0]["name"] == JSON_TOOL
    assert body["tools"][0]["input_schema"] == SCHEMA
    assert body["tool_choice"] == {"type": "tool", "name": JSON_TOOL}


def test_with_tools_of_the_clients_own_they_are_told_in_words() -> None:
    body = made(model=OLD, response_format=ASKED, tools=[TOOL])
    assert [tool["name"] for tool in body["tools"]] == ["find_port"]
    assert "JSON schema" in body["system"][-1]["text"]
    assert "JSON object" in made(response_format={"type": "json_object"})["system"][-1]["text"]


def test_a_format_without_a_schema_is_a_bad_request() -> None:
    assert refusal(chat(response_format={"type": "json_schema"})) is FaultKind.BAD_REQUEST


def test_schemas_are_closed_all_the_way_down() -> None:
    schema = {
        "$defs": {"a": {"type": "object", "properties": {"x": {"type": "string", "format": "date", "pattern": "y"}}}},
        "anyOf": [{"$ref": "#/$defs/a"}, {"type": "null"}],
        "oneOf": [{"type": "array", "items": {"properties": {}}, "minItems": 2}],
    }
    made_of = strict(schema)
    assert made_of["$defs"]["a"] == {
        "type": "object",
        "properties": {"x": {"type": "string", "format": "date"}},
        "additionalProperties": False,
    }
    assert made_of["anyOf"] == [{"type": "array", "items": {"properties": {}, "additionalProperties": False}}]
    assert schema["$defs"]["a"]["properties"]["x"]["pattern"] == "y"  # type: ignore[index]


def test_a_schema_without_a_bottom_is_a_bad_request() -> None:
    deep: Json = {"type": "string"}
    for _ in range(3000):
        deep = {"type": "array", "items": deep}
    asked = {"type": "json_schema", "json_schema": {"schema": deep}}
    assert refusal(chat(response_format=asked)) is FaultKind.BAD_REQUEST


# Thinking.


@pytest.mark.parametrize(
    ("model", "effort", "thinking", "config"),
    [
        (OLD, "high", None, None),
        ("claude-3-7-sonnet", "low", {"type": "enabled", "budget_tokens": 2048}, None),
        (NEW, "high", {"type": "enabled", "budget_tokens": 16384}, None),
        (NEW, "none", None, None),
        ("claude-opus-4-6", "minimal", {"type": "adaptive"}, {"effort": "low"}),
        ("claude-opus-4-6", "xhigh", {"type": "adaptive"}, {"effort": "high"}),
        (NEWEST, "xhigh", {"type": "adaptive"}, {"effort": "xhigh"}),
        (NEWEST, "none", None, None),
        (NEWEST, "absurd", None, None),
    ],
)
def test_effort(model: str, effort: str, thinking: Json | None, config: Json | None) -> None:
    body = made(model=model, reasoning_effort=effort, temperature=0.5)
    assert body.get("thinking") == thinking
    assert body.get("output_config") == config
    assert ("temperature" in body) is (thinking is None and model != NEWEST)


def test_a_budget_fits_into_the_limit_or_is_left_out() -> None:
    body = made(reasoning_effort="high", max_tokens=4000)
    assert body["thinking"]["budget_tokens"] == 3488
    assert body["max_tokens"] == 4000
    assert "thinking" not in made(reasoning_effort="high", max_tokens=1200)
    body = made(reasoning_effort="medium")
    assert body["max_tokens"] == 8192 + 8192


def test_no_thinking_where_a_tool_is_forced_or_was_just_called() -> None:
    assert "thinking" not in made(reasoning_effort="high", tools=[TOOL], tool_choice="required")
    calls = [{"id": "a", "function": {"name": "f", "arguments": "{}"}}]
    turn = [{"role": "assistant", "tool_calls": calls}, {"role": "tool", "tool_call_id": "a", "content": "r"}]
    assert "thinking" not in made(turn, reasoning_effort="high")
    assert "thinking" in made(turn, reasoning_effort="high", model=NEWEST)


def test_a_clients_own_thinking_passes() -> None:
    own = {"type": "enabled", "budget_tokens": 1500}
    assert made(thinking=own)["thinking"] == own


# Going on.


def test_prefill_where_the_model_takes_it() -> None:
    call = chat(prefill="The port is  \n")
    body = sent("anthropic", call, model=NEW)
    assert body["messages"][-1] == {"role": "assistant", "content": "The port is"}
    assert refusal(call, "claude-opus-4-6") is FaultKind.UNSUPPORTED
    assert refusal(chat(prefill="x", response_format=ASKED)) is FaultKind.UNSUPPORTED
    assert refusal(chat(prefill="x", response_format=ASKED), OLD) is FaultKind.UNSUPPORTED
    assert refusal(chat(prefill="x", reasoning_effort="high")) is FaultKind.UNSUPPORTED


def test_a_clients_own_prefill_follows_the_same_rules() -> None:
    asked = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b "}]
    assert made(asked)["messages"][-1]["content"] == [{"type": "text", "text": "b"}]
    assert refusal(chat(asked), "claude-sonnet-4-6") is FaultKind.UNSUPPORTED


@pytest.mark.parametrize(
    ("prefill", "first", "text"), [("ab ", " cd", "cd"), ("ab ", "cd", "cd"), ("ab", " cd", " cd"), ("ab \n", " ", "")]
)
def test_blanks_between_a_prefill_and_the_rest_come_once(prefill: str, first: str, text: str) -> None:
    decoder = provider("anthropic").stream(chat(stream=True, prefill=prefill))
    delta = {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": first}}
    pieces = decoder.feed(frame(delta, "content_block_delta"))
    assert "".join(piece.text for piece in pieces) == text


# Its own shape.


def native(model: str = NEW, stream: bool = False, prefill: str = "", **more: Any) -> Json:
    body = {"model": "asked", "messages": [{"role": "user", "content": "hi"}], **more}
    call = Call(surface=Surface.MESSAGES, body=body, stream=stream, prefill=prefill)
    request = provider("anthropic").request(call, target("anthropic", model=model, max_tokens=100, temperature=0.3))
    return msgspec.json.decode(request.body)  # type: ignore[no-any-return]


def test_native_bodies_pass_with_our_model_and_bounds() -> None:
    body = native(system="be kind", tools=[{"type": "web_search_20250305"}], max_tokens=500, stream=True)
    assert body == {
        "model": NEW,
        "messages": [{"role": "user", "content": "hi"}],
        "system": "be kind",
        "tools": [{"type": "web_search_20250305"}],
        "max_tokens": 100,
        "temperature": 0.3,
        "stream": True,
    }
    assert native()["max_tokens"] == 100
    assert "stream" not in native()
    assert "temperature" not in native(thinking={"type": "enabled", "budget_tokens": 1024})
    assert "temperature" not in native(NEWEST, temperature=0.1)


def test_native_prefill() -> None:
    assert native(prefill="so ")["messages"][-1] == {"role": "assistant", "content": "so"}
    with pytest.raises(CallError):
        native(NEWEST, prefill="so")
    with pytest.raises(CallError):
        native(NEWEST, messages=[{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}])


@pytest.mark.parametrize("messages", [None, [], "x", ["x"]])
def test_native_messages_that_are_none(messages: Any) -> None:
    with pytest.raises(CallError) as caught:
        native(messages=messages)
    assert caught.value.fault.kind is FaultKind.BAD_REQUEST


# Streams, beside the samples.


def test_every_stop_reason_has_a_word() -> None:
    assert set(FINISH.values()) == {"stop", "length", "tool_calls", "content_filter"}
    for reason, word in FINISH.items():
        events = [
            frame({"type": "message_start", "message": {"id": "m"}}),
            frame(
                {
                    "type": "content_block_start",
                    "index": 0,
                    "content_block": {"type": "tool_use", "name": "f", "id": "a"},
                }
            ),
            frame({"type": "message_delta", "delta": {"stop_reason": reason}}),
            frame({"type": "message_stop"}),
        ]
        assert heard(read(provider("anthropic").stream(chat(stream=True)), events)).finish == word


def test_text_in_a_block_that_opens_with_it_is_not_lost() -> None:
    block = {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": "Hi"}}
    assert provider("anthropic").stream(chat(stream=True)).feed(frame(block))[0].text == "Hi"


def test_chunks_name_answer_and_model() -> None:
    start = {"type": "message_start", "message": {"id": "msg_1", "model": "claude-x", "usage": {"input_tokens": 1}}}
    piece = provider("anthropic").stream(chat(stream=True)).feed(frame(start))[0]
    assert piece.data is not None
    assert (piece.data["id"], piece.data["model"], piece.data["object"]) == (
        "msg_1",
        "claude-x",
        "chat.completion.chunk",
    )
    assert not piece.token
