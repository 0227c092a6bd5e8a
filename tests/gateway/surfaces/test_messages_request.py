from __future__ import annotations

from typing import ClassVar

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrblue_cli.gateway.model import CallError, FaultKind, Surface
from mrblue_cli.gateway.surfaces import TRANSLATORS
from mrblue_cli.gateway.surfaces.chat import validate_chat
from tests.gateway.surfaces.samples import anything, few, raises

to_chat = TRANSLATORS[Surface.MESSAGES].to_chat
GOOD = {"model": "claude-x", "max_tokens": 100, "messages": [{"role": "user", "content": "hi"}]}
PNG = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw=="}}
PNG_PART = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw=="}}
TOOL = {"name": "weather", "description": "Tells it", "input_schema": {"type": "object", "properties": {}}}


def talk(*messages, **more):
    """The chat messages of a conversation."""
    chat = to_chat(GOOD | {"messages": list(messages)} | more)
    validate_chat(chat)
    return chat["messages"]


def user(*blocks):
    return {"role": "user", "content": list(blocks)}


def said(*blocks):
    return {"role": "assistant", "content": list(blocks)}


def text(words):
    return {"type": "text", "text": words}


class TestConversation:
    def test_the_least_request(self):
        assert to_chat(GOOD) == {
            "model": "claude-x",
            "messages": [{"role": "user", "content": "hi"}],
            "max_tokens": 100,
        }

    @pytest.mark.parametrize("system", ["Be brief.", [text("Be brief.")]])
    def test_the_system_prompt_comes_first(self, system):
        assert talk(user(text("hi")), system=system)[0] == {"role": "system", "content": "Be brief."}

    def test_system_blocks_are_joined_and_cache_marks_left_out(self):
        system = [text("One.") | {"cache_control": {"type": "ephemeral"}}, text("Two.")]
        assert talk(user(text("hi")), system=system)[0]["content"] == "One.\n\nTwo."

    def test_a_system_turn_in_the_middle_stays_there(self):
        roles = [turn["role"] for turn in talk(user(text("a")), {"role": "system", "content": "b"}, user(text("c")))]
        assert roles == ["user", "system", "user"]

    def test_images_inline_and_by_address(self):
        by_url = {"type": "image", "source": {"type": "url", "url": "https://example.org/a.png"}}
        (turn,) = talk(user(text("see"), PNG, by_url))
        assert turn["content"] == [
            {"type": "text", "text": "see"},
            PNG_PART,
            {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}},
        ]

    def test_a_document_of_plain_text_is_told_as_text(self):
        document = {
            "type": "document",
            "title": "Rules",
            "source": {"type": "text", "media_type": "text/plain", "data": "No."},
        }
        assert talk(user(document, text("Why?")))[0]["content"] == "Rules\n\nNo.\n\nWhy?"

    def test_a_search_result_is_told_as_text(self):
        result = {"type": "search_result", "title": "T", "source": "https://e.org", "content": [text("Found.")]}
        assert talk(user(result))[0]["content"] == "T\nhttps://e.org\nFound."

    def test_a_prefill_stays_the_last_message(self):
        assert talk(user(text("2+2?")), {"role": "assistant", "content": "The answer is"})[-1] == {
            "role": "assistant",
            "content": "The answer is",
        }

    def test_thoughts_are_left_out(self):
        thought = {"type": "thinking", "thinking": "hm", "signature": "s"}
        assert talk(user(text("a")), said(thought, {"type": "redacted_thinking", "data": "x"}, text("b")))[1] == {
            "role": "assistant",
            "content": "b",
        }


class TestTools:
    CALL: ClassVar = {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {"city": "Köln"}}

    def test_calls_and_results(self):
        result = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "rain"}
        turns = talk(user(text("w?")), said(text("I look."), self.CALL), user(result, text("and?")))
        assert turns[1]["content"] == "I look."
        (call,) = turns[1]["tool_calls"]
        assert (call["id"], call["type"], call["function"]["name"]) == ("toolu_1", "function", "weather")
        assert msgspec.json.decode(call["function"]["arguments"]) == {"city": "Köln"}
        assert turns[2:] == [
            {"role": "tool", "tool_call_id": "toolu_1", "content": "rain"},
            {"role": "user", "content": "and?"},
        ]

    def test_a_call_without_text_has_no_content(self):
        assert talk(user(text("w?")), said(self.CALL))[1]["content"] is None

    def test_results_come_before_what_the_user_says_beside_them(self):
        one = {"type": "tool_result", "tool_use_id": "1", "content": "x"}
        two = {"type": "tool_result", "tool_use_id": "2", "content": [text("y"), text("z")]}
        turns = talk(user(text("note"), one, two))
        assert [turn["role"] for turn in turns] == ["tool", "tool", "user"]
        assert turns[1]["content"] == "y\n\nz"

    def test_a_failed_result_says_so(self):
        failed = {"type": "tool_result", "tool_use_id": "1", "content": "no such city", "is_error": True}
        assert talk(user(failed))[0]["content"] == "Error: no such city"
        assert talk(user(failed | {"content": None}))[0]["content"] == "Error"

    def test_an_empty_result_is_an_empty_string(self):
        assert talk(user({"type": "tool_result", "tool_use_id": "1"}))[0]["content"] == ""

    def test_images_of_results_follow_all_results(self):
        shot = {"type": "tool_result", "tool_use_id": "1", "content": [PNG]}
        plain = {"type": "tool_result", "tool_use_id": "2", "content": "ok"}
        first, second, third = talk(user(shot, plain))
        assert first["content"] == "The result is in the images that follow."
        assert second["tool_call_id"] == "2"
        assert third["role"] == "user"
        assert third["content"] == [{"type": "text", "text": "Images from the result of tool call 1:"}, PNG_PART]

    def test_definitions(self):
        (tool,) = to_chat(GOOD | {"tools": [TOOL | {"strict": True, "cache_control": {}, "type": "custom"}]})["tools"]
        assert tool == {
            "type": "function",
            "function": {
                "name": "weather",
                "description": "Tells it",
                "parameters": {"type": "object", "properties": {}},
                "strict": True,
            },
        }

    @pytest.mark.parametrize(
        ("choice", "expected"),
        [
            ({"type": "auto"}, {"tool_choice": "auto"}),
            ({"type": "any"}, {"tool_choice": "required"}),
            ({"type": "none"}, {"tool_choice": "none"}),
            (
                {"type": "tool", "name": "weather"},
                {"tool_choice": {"type": "function", "function": {"name": "weather"}}},
            ),
            (
                {"type": "auto", "disable_parallel_tool_use": True},
                {"tool_choice": "auto", "parallel_tool_calls": False},
            ),
            ({"type": "auto", "disable_parallel_tool_use": False}, {"tool_choice": "auto"}),
        ],
    )
    def test_choice(self, choice, expected):
        chat = to_chat(GOOD | {"tools": [TOOL], "tool_choice": choice})
        assert {key: chat[key] for key in ("tool_choice", "parallel_tool_calls") if key in chat} == expected

    def test_no_tools_means_no_choice(self):
        chat = to_chat(GOOD | {"tools": [], "tool_choice": {"type": "auto"}})
        assert not {"tools", "tool_choice"} & set(chat)


class TestSettings:
    def test_sampling_and_stops(self):
        chat = to_chat(
            GOOD
            | {
                "temperature": 0.5,
                "top_p": 0.9,
                "top_k": 40,
                "stop_sequences": ["END"],
                "metadata": {"user_id": "u1"},
                "service_tier": "auto",
            }
        )
        assert chat["temperature"] == 0.5
        assert chat["top_p"] == 0.9
        assert chat["stop"] == ["END"]
        assert chat["user"] == "u1"
        assert not {"top_k", "metadata", "service_tier", "stop_sequences"} & set(chat)

    def test_a_stream_asks_for_usage(self):
        chat = to_chat(GOOD | {"stream": True})
        assert chat["stream"] is True
        assert chat["stream_options"] == {"include_usage": True}
        assert "stream" not in to_chat(GOOD | {"stream": False})

    @pytest.mark.parametrize(("budget", "effort"), [(1024, "low"), (4096, "medium"), (16384, "high"), (60000, "high")])
    def test_a_thinking_budget_becomes_an_effort(self, budget, effort):
        chat = to_chat(GOOD | {"thinking": {"type": "enabled", "budget_tokens": budget}})
        assert chat["reasoning_effort"] == effort

    @pytest.mark.parametrize("kind", ["disabled", "adaptive", "between_tools"])
    def test_thinking_without_a_measure_leaves_it_to_the_provider(self, kind):
        assert "reasoning_effort" not in to_chat(GOOD | {"thinking": {"type": kind}})

    @pytest.mark.parametrize(("said", "meant"), [("low", "low"), ("high", "high"), ("xhigh", "high"), ("max", "high")])
    def test_effort(self, said, meant):
        chat = to_chat(GOOD | {"thinking": {"type": "adaptive"}, "output_config": {"effort": said}})
        assert chat["reasoning_effort"] == meant

    CLOSED: ClassVar = {
        "type": "object",
        "properties": {"a": {"type": "array", "items": {"type": "string"}}},
        "required": ["a"],
        "additionalProperties": False,
    }

    @pytest.mark.parametrize("place", ["output_config", "output_format"])
    def test_a_schema_to_answer_in(self, place):
        form = {"type": "json_schema", "schema": self.CLOSED}
        chat = to_chat(GOOD | ({"output_config": {"format": form}} if place == "output_config" else {place: form}))
        assert chat["response_format"] == {
            "type": "json_schema",
            "json_schema": {"name": "answer", "schema": self.CLOSED, "strict": True},
        }

    @pytest.mark.parametrize(
        "schema",
        [
            {**CLOSED, "required": []},
            {**CLOSED, "additionalProperties": True},
            {"anyOf": [CLOSED, {"type": "object", "properties": {"b": {}}}]},
        ],
    )
    def test_a_schema_that_strict_mode_would_refuse_is_not_strict(self, schema):
        form = {"type": "json_schema", "schema": schema}
        chat = to_chat(GOOD | {"output_config": {"format": form}})
        assert chat["response_format"]["json_schema"]["strict"] is False


BAD = [
    ({"model": None}, "model"),
    ({"model": ["x"]}, "model"),
    ({"max_tokens": None}, "max_tokens"),
    ({"max_tokens": "many"}, "max_tokens"),
    ({"max_tokens": -1}, "max_tokens"),
    ({"messages": None}, "messages"),
    ({"messages": []}, "messages"),
    ({"messages": "hi"}, "messages"),
    ({"messages": ["hi"]}, "messages.0"),
    ({"messages": [{"content": "hi"}]}, "messages.0.role"),
    ({"messages": [{"role": "tool", "content": "hi"}]}, "messages.0.role"),
    ({"messages": [{"role": "user"}]}, "messages.0.content"),
    ({"messages": [{"role": "user", "content": 5}]}, "messages.0.content"),
    ({"messages": [user("x")]}, "messages.0.content.0"),
    ({"messages": [user({"text": "x"})]}, "messages.0.content.0.type"),
    ({"messages": [user({"type": "text"})]}, "messages.0.content.0.text"),
    ({"messages": [user({"type": "image"})]}, "messages.0.content.0.source"),
    ({"messages": [user({"type": "image", "source": {}})]}, "messages.0.content.0.source.type"),
    (
        {"messages": [user({"type": "image", "source": {"type": "base64", "data": "x"}})]},
        "messages.0.content.0.source.media_type",
    ),
    ({"messages": [user({"type": "image", "source": {"type": "url"}})]}, "messages.0.content.0.source.url"),
    ({"messages": [user({"type": "tool_result"})]}, "messages.0.content.0.tool_use_id"),
    (
        {"messages": [user({"type": "tool_result", "tool_use_id": "1", "content": [5]})]},
        "messages.0.content.0.content.0",
    ),
    (
        {"messages": [user({"type": "tool_result", "tool_use_id": "1", "is_error": "yes"})]},
        "messages.0.content.0.is_error",
    ),
    ({"messages": [said({"type": "tool_use", "name": "f", "input": {}})]}, "messages.0.content.0.id"),
    ({"messages": [said({"type": "tool_use", "id": "1", "input": {}})]}, "messages.0.content.0.name"),
    ({"messages": [said({"type": "tool_use", "id": "1", "name": "f", "input": "x"})]}, "messages.0.content.0.input"),
    ({"system": 5}, "system"),
    ({"system": [PNG]}, "system.0"),
    ({"temperature": 2}, "temperature"),
    ({"top_p": "x"}, "top_p"),
    ({"top_k": 1.5}, "top_k"),
    ({"stop_sequences": "END"}, "stop_sequences"),
    ({"stop_sequences": [5]}, "stop_sequences.0"),
    ({"stream": "yes"}, "stream"),
    ({"metadata": "me"}, "metadata"),
    ({"metadata": {"user_id": 5}}, "metadata.user_id"),
    ({"tools": {}}, "tools"),
    ({"tools": [5]}, "tools.0"),
    ({"tools": [{"input_schema": {}}]}, "tools.0.name"),
    ({"tools": [{"name": "f"}]}, "tools.0.input_schema"),
    ({"tools": [TOOL], "tool_choice": "auto"}, "tool_choice"),
    ({"tools": [TOOL], "tool_choice": {}}, "tool_choice.type"),
    ({"tools": [TOOL], "tool_choice": {"type": "some"}}, "tool_choice.type"),
    ({"tools": [TOOL], "tool_choice": {"type": "tool"}}, "tool_choice.name"),
    ({"thinking": {"type": "enabled"}}, "thinking.budget_tokens"),
    ({"thinking": {}}, "thinking.type"),
    ({"output_config": {"effort": "extreme"}}, "output_config.effort"),
    ({"output_config": {"format": {"type": "json_schema"}}}, "output_config.format.schema"),
]


@pytest.mark.parametrize(("change", "param"), BAD)
def test_what_is_malformed_is_refused_with_its_place(change, param):
    with pytest.raises(CallError, check=raises(FaultKind.BAD_REQUEST, param)):
        to_chat(GOOD | change)


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"max_tokens": 0}, "max_tokens"),
        ({"tools": [{"type": "web_search_20250305", "name": "web_search"}]}, "tools.0.type"),
        ({"messages": [user({"type": "document", "source": {"type": "base64"}})]}, "messages.0.content.0"),
        ({"messages": [user({"type": "container_upload", "file_id": "f"})]}, "messages.0.content.0"),
        ({"messages": [said({"type": "server_tool_use", "id": "1"})]}, "messages.0.content.0"),
        (
            {"messages": [user({"type": "image", "source": {"type": "file", "file_id": "f"}})]},
            "messages.0.content.0.source",
        ),
        ({"container": "c1"}, "container"),
        ({"mcp_servers": [{}]}, "mcp_servers"),
        ({"output_config": {"format": {"type": "grammar"}}}, "output_config.format.type"),
    ],
)
def test_what_chat_cannot_say_is_left_to_native_providers(change, param):
    with pytest.raises(CallError, check=raises(FaultKind.UNSUPPORTED, param)):
        to_chat(GOOD | change)


def test_the_request_is_not_changed():
    body = GOOD | {"system": [text("s")], "messages": [user(text("a"), PNG)], "tools": [TOOL]}
    before = msgspec.json.encode(body)
    to_chat(body)
    assert msgspec.json.encode(body) == before


FIELDS = ["model", "max_tokens", "messages", "system", "tools", "tool_choice", "thinking", "output_config", "stream"]
KINDS = ["text", "image", "tool_use", "tool_result", "document", "search_result", "thinking"]
blocks = st.fixed_dictionaries(
    {"type": st.sampled_from(KINDS)},
    optional=dict.fromkeys(["text", "source", "id", "name", "input", "content", "tool_use_id", "title"], anything),
)


class TestHostile:
    @given(st.dictionaries(st.sampled_from(FIELDS), anything))
    @few
    def test_no_body_raises_anything_else(self, body):
        for whole in (body, GOOD | body):
            try:
                validate_chat(to_chat(whole))
            except CallError as refused:
                assert refused.fault.kind in {FaultKind.BAD_REQUEST, FaultKind.UNSUPPORTED}
                assert refused.fault.param

    @given(st.lists(blocks, max_size=3), st.sampled_from(["user", "assistant", "system"]))
    @few
    def test_no_blocks_raise_anything_else(self, content, role):
        try:
            to_chat(GOOD | {"messages": [{"role": role, "content": content}]})
        except CallError as refused:
            assert refused.fault.param.startswith("messages.0")


class TestToNative:
    to_native = staticmethod(TRANSLATORS[Surface.MESSAGES].to_native)
    OURS: ClassVar = {"type": "thinking", "thinking": "hm", "signature": ""}
    THEIRS: ClassVar = {"type": "thinking", "thinking": "hm", "signature": "sig"}

    def test_a_thought_of_another_provider_is_left_out(self):
        body = GOOD | {"messages": [user(text("a")), said(self.OURS, text("b")), user(text("c"))]}
        assert self.to_native(body)["messages"] == [user(text("a")), said(text("b")), user(text("c"))]

    def test_a_turn_of_thought_alone_keeps_its_place(self):
        (turn,) = self.to_native(GOOD | {"messages": [said(self.OURS)]})["messages"]
        assert turn["content"] == [text("(no answer)")]

    @pytest.mark.parametrize(
        "messages", [[said(THEIRS, text("b"))], [user(OURS)], "x", None, [5], [{"role": "assistant"}]]
    )
    def test_everything_else_passes_as_it_is(self, messages):
        body = GOOD | {"messages": messages}
        assert self.to_native(body) is body

    def test_the_request_is_not_changed(self):
        body = GOOD | {"messages": [said(self.OURS, text("b"))]}
        before = msgspec.json.encode(body)
        self.to_native(body)
        assert msgspec.json.encode(body) == before


def test_a_schema_as_deep_as_can_be_is_no_danger():
    schema = {"type": "object"}
    for _ in range(5000):
        schema = {"items": schema}
    chat = to_chat(GOOD | {"output_config": {"format": {"type": "json_schema", "schema": schema}}})
    assert chat["response_format"]["json_schema"]["strict"] is True
