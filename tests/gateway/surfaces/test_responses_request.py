from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrblue_cli.gateway.model import CallError, FaultKind, Surface
from mrblue_cli.gateway.surfaces import TRANSLATORS
from mrblue_cli.gateway.surfaces.chat import validate_chat
from tests.gateway.surfaces.samples import anything, completion, few, raises, tool_call

to_chat = TRANSLATORS[Surface.RESPONSES].to_chat
GOOD = {"model": "gpt-x", "input": "hi"}
IMAGE = {"type": "input_image", "image_url": "data:image/png;base64,iVBORw==", "detail": "auto"}
IMAGE_PART = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw=="}}
TOOL = {
    "type": "function",
    "name": "weather",
    "description": "Tells it",
    "parameters": {"type": "object"},
    "strict": True,
}


def talk(*items, **more):
    """The chat messages of items."""
    chat = to_chat({"model": "gpt-x", "input": list(items), **more})
    validate_chat(chat)
    return chat["messages"]


def user(*parts):
    return {"type": "message", "role": "user", "content": list(parts)}


def call(call_id="call_1", name="weather", arguments="{}"):
    return {"type": "function_call", "id": "fc_1", "call_id": call_id, "name": name, "arguments": arguments}


def result(call_id="call_1", output="rain"):
    return {"type": "function_call_output", "call_id": call_id, "output": output}


class TestInput:
    def test_a_string(self):
        assert to_chat(GOOD) == {"model": "gpt-x", "messages": [{"role": "user", "content": "hi"}]}

    def test_instructions_come_first(self):
        assert to_chat(GOOD | {"instructions": "Be brief."})["messages"] == [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "hi"},
        ]

    def test_messages_with_and_without_a_type(self):
        turns = talk({"role": "developer", "content": "d"}, user({"type": "input_text", "text": "u"}))
        assert turns == [{"role": "system", "content": "d"}, {"role": "user", "content": "u"}]

    def test_an_earlier_answer(self):
        said = {
            "type": "message",
            "role": "assistant",
            "id": "msg_1",
            "status": "completed",
            "content": [{"type": "output_text", "text": "a", "annotations": []}, {"type": "refusal", "refusal": "b"}],
        }
        assert talk(user({"type": "input_text", "text": "u"}), said)[1] == {"role": "assistant", "content": "ab"}

    def test_an_image(self):
        (turn,) = talk(user({"type": "input_text", "text": "see"}, IMAGE))
        assert turn["content"] == [{"type": "text", "text": "see"}, IMAGE_PART]

    def test_an_image_in_detail(self):
        (turn,) = talk(user(IMAGE | {"detail": "high"}))
        assert turn["content"][0]["image_url"]["detail"] == "high"

    def test_sound(self):
        sound = {"data": "UklGRg==", "format": "wav"}
        (turn,) = talk(user({"type": "input_audio", "input_audio": sound}))
        assert turn["content"] == [{"type": "input_audio", "input_audio": sound}]

    def test_a_thought_is_left_out(self):
        thought = {"type": "reasoning", "id": "rs_1", "summary": []}
        assert [turn["role"] for turn in talk(user({"type": "input_text", "text": "u"}), thought)] == ["user"]


class TestCalls:
    def test_a_call_joins_the_words_before_it(self):
        said = {"role": "assistant", "content": "I look."}
        turns = talk({"role": "user", "content": "w?"}, said, call(), call("call_2"), result(), result("call_2"))
        assert [turn["role"] for turn in turns] == ["user", "assistant", "tool", "tool"]
        assert turns[1]["content"] == "I look."
        assert [made["id"] for made in turns[1]["tool_calls"]] == ["call_1", "call_2"]
        assert turns[2] == {"role": "tool", "tool_call_id": "call_1", "content": "rain"}

    def test_a_call_alone(self):
        assert talk({"role": "user", "content": "w?"}, call())[1] == {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": "{}"}}],
        }

    def test_a_call_after_a_result_is_a_new_turn(self):
        turns = talk({"role": "user", "content": "w?"}, call(), result(), call("call_2"), result("call_2"))
        assert [turn["role"] for turn in turns] == ["user", "assistant", "tool", "assistant", "tool"]

    def test_thoughts_do_not_part_calls(self):
        thought = {"type": "reasoning", "id": "rs_1", "summary": []}
        turns = talk({"role": "user", "content": "w?"}, thought, call(), thought, call("call_2"))
        assert len(turns[1]["tool_calls"]) == 2

    def test_a_result_in_parts(self):
        parts = [{"type": "input_text", "text": "a"}, {"type": "input_text", "text": "b"}]
        assert talk(call(), result(output=parts))[1]["content"] == "a\n\nb"

    def test_images_of_results_follow_all_results(self):
        turns = talk(call(), call("call_2"), result(output=[IMAGE]), result("call_2"), {"role": "user", "content": "?"})
        assert [turn["role"] for turn in turns] == ["assistant", "tool", "tool", "user", "user"]
        assert turns[1]["content"] == "The result is in the images that follow."
        assert turns[3]["content"][1] == IMAGE_PART

    def test_images_at_the_very_end_are_not_lost(self):
        assert talk(call(), result(output=[IMAGE]))[-1]["content"][1] == IMAGE_PART


class TestTools:
    def test_a_function(self):
        (tool,) = to_chat(GOOD | {"tools": [TOOL]})["tools"]
        assert tool == {"type": "function", "function": {key: TOOL[key] for key in TOOL if key != "type"}}

    def test_nulls_are_left_out(self):
        bare = {"type": "function", "name": "f", "parameters": None, "strict": None, "description": None}
        assert to_chat(GOOD | {"tools": [bare]})["tools"][0]["function"] == {"name": "f"}

    @pytest.mark.parametrize("choice", ["auto", "none", "required"])
    def test_choice_in_a_word(self, choice):
        assert to_chat(GOOD | {"tools": [TOOL], "tool_choice": choice})["tool_choice"] == choice

    def test_choice_of_a_function(self):
        chat = to_chat(GOOD | {"tools": [TOOL], "tool_choice": {"type": "function", "name": "weather"}})
        assert chat["tool_choice"] == {"type": "function", "function": {"name": "weather"}}

    def test_allowed_tools_leave_out_the_others(self):
        choice = {"type": "allowed_tools", "mode": "required", "tools": [{"type": "function", "name": "weather"}]}
        chat = to_chat(GOOD | {"tools": [TOOL, TOOL | {"name": "other"}], "tool_choice": choice})
        assert [tool["function"]["name"] for tool in chat["tools"]] == ["weather"]
        assert chat["tool_choice"] == "required"

    def test_in_turn(self):
        assert to_chat(GOOD | {"tools": [TOOL], "parallel_tool_calls": False})["parallel_tool_calls"] is False

    def test_no_tools_means_no_choice(self):
        chat = to_chat(GOOD | {"tools": [], "tool_choice": "auto", "parallel_tool_calls": True})
        assert set(chat) == {"model", "messages"}


class TestSettings:
    def test_sampling_and_limits(self):
        chat = to_chat(
            GOOD
            | {
                "temperature": 0.2,
                "top_p": 0.5,
                "max_output_tokens": 50,
                "reasoning": {"effort": "low", "summary": "auto"},
                "safety_identifier": "u1",
                "metadata": {"a": "b"},
                "store": False,
                "truncation": "disabled",
                "include": [],
                "service_tier": "auto",
                "prompt_cache_key": "k",
            }
        )
        assert chat == {
            "model": "gpt-x",
            "messages": [{"role": "user", "content": "hi"}],
            "max_tokens": 50,
            "temperature": 0.2,
            "top_p": 0.5,
            "reasoning_effort": "low",
            "user": "u1",
        }

    def test_a_stream_asks_for_usage(self):
        chat = to_chat(GOOD | {"stream": True})
        assert (chat["stream"], chat["stream_options"]) == (True, {"include_usage": True})

    def test_a_schema(self):
        form = {"type": "json_schema", "name": "n", "schema": {"type": "object"}, "strict": True, "description": "d"}
        assert to_chat(GOOD | {"text": {"format": form, "verbosity": "low"}})["response_format"] == {
            "type": "json_schema",
            "json_schema": {"name": "n", "schema": {"type": "object"}, "strict": True, "description": "d"},
        }

    def test_json_and_text(self):
        chat = to_chat(GOOD | {"text": {"format": {"type": "json_object"}}})
        assert chat["response_format"] == {"type": "json_object"}
        assert "response_format" not in to_chat(GOOD | {"text": {"format": {"type": "text"}}})

    def test_log_probabilities(self):
        chat = to_chat(GOOD | {"top_logprobs": 3, "include": ["message.output_text.logprobs"]})
        assert (chat["logprobs"], chat["top_logprobs"]) == (True, 3)
        assert to_chat(GOOD | {"include": ["message.output_text.logprobs"]})["logprobs"] is True


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"model": None}, "model"),
        ({"model": 3}, "model"),
        ({"input": None}, "input"),
        ({"input": 3}, "input"),
        ({"input": []}, "input"),
        ({"input": ["hi"]}, "input[0]"),
        ({"input": [{}]}, "input[0].type"),
        ({"input": [{"type": 5}]}, "input[0].type"),
        ({"input": [{"role": "robot", "content": "x"}]}, "input[0].role"),
        ({"input": [{"type": "message", "content": "x"}]}, "input[0].role"),
        ({"input": [{"role": "user"}]}, "input[0].content"),
        ({"input": [{"role": "user", "content": ["x"]}]}, "input[0].content[0]"),
        ({"input": [{"role": "user", "content": [{}]}]}, "input[0].content[0].type"),
        ({"input": [{"role": "user", "content": [{"type": "input_text"}]}]}, "input[0].content[0].text"),
        ({"input": [{"role": "user", "content": [{"type": "input_image"}]}]}, "input[0].content[0].image_url"),
        ({"input": [{"role": "user", "content": [{"type": "input_audio"}]}]}, "input[0].content[0].input_audio"),
        ({"input": [{"role": "assistant", "content": [IMAGE]}]}, "input[0].content"),
        ({"input": [{"type": "function_call", "name": "f"}]}, "input[0].call_id"),
        ({"input": [{"type": "function_call", "call_id": "c"}]}, "input[0].name"),
        ({"input": [call(arguments=5)]}, "input[0].arguments"),
        ({"input": [{"type": "function_call_output", "output": "x"}]}, "input[0].call_id"),
        ({"input": [{"type": "function_call_output", "call_id": "c"}]}, "input[0].output"),
        ({"input": [result(output=[5])]}, "input[0].output[0]"),
        ({"instructions": 5}, "instructions"),
        ({"max_output_tokens": 0}, "max_output_tokens"),
        ({"temperature": "x"}, "temperature"),
        ({"top_p": 5}, "top_p"),
        ({"stream": "x"}, "stream"),
        ({"metadata": "x"}, "metadata"),
        ({"tools": "x"}, "tools"),
        ({"tools": ["x"]}, "tools[0]"),
        ({"tools": [{}]}, "tools[0].type"),
        ({"tools": [{"type": "function"}]}, "tools[0].name"),
        ({"tools": [TOOL | {"parameters": "x"}]}, "tools[0].parameters"),
        ({"tool_choice": 5}, "tool_choice"),
        ({"tools": [TOOL], "tool_choice": "any"}, "tool_choice"),
        ({"tools": [TOOL], "tool_choice": {}}, "tool_choice.type"),
        ({"tools": [TOOL], "tool_choice": {"type": "function"}}, "tool_choice.name"),
        ({"text": "x"}, "text"),
        ({"text": {"format": {}}}, "text.format.type"),
        ({"text": {"format": {"type": "xml"}}}, "text.format.type"),
        ({"text": {"format": {"type": "json_schema", "schema": {}}}}, "text.format.name"),
        ({"text": {"format": {"type": "json_schema", "name": "n"}}}, "text.format.schema"),
        ({"reasoning": "x"}, "reasoning"),
        ({"reasoning": {"effort": "huge"}}, "reasoning.effort"),
        ({"include": "x"}, "include"),
        ({"top_logprobs": 99}, "top_logprobs"),
    ],
)
def test_what_is_malformed_is_refused_with_its_place(change, param):
    with pytest.raises(CallError, check=raises(FaultKind.BAD_REQUEST, param)):
        to_chat(GOOD | change)


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"previous_response_id": "resp_1"}, "previous_response_id"),
        ({"conversation": "conv_1"}, "conversation"),
        ({"background": True}, "background"),
        ({"prompt": {"id": "p"}}, "prompt"),
        ({"tools": [{"type": "web_search"}]}, "tools[0].type"),
        ({"tools": [{"type": "custom", "name": "x"}]}, "tools[0].type"),
        ({"tools": [TOOL], "tool_choice": {"type": "file_search"}}, "tool_choice"),
        ({"input": [{"type": "item_reference", "id": "x"}]}, "input[0]"),
        ({"input": [{"type": "web_search_call", "id": "x"}]}, "input[0]"),
        ({"input": [user({"type": "input_file", "file_id": "f"})]}, "input[0].content[0]"),
        ({"input": [user({"type": "input_image", "file_id": "f"})]}, "input[0].content[0].file_id"),
    ],
)
def test_what_chat_cannot_say_is_left_to_native_providers(change, param):
    with pytest.raises(CallError, check=raises(FaultKind.UNSUPPORTED, param)):
        to_chat(GOOD | change)


def test_state_that_is_switched_off_is_no_state():
    to_chat(GOOD | {"previous_response_id": None, "background": False, "store": True, "conversation": None})


def test_the_request_is_not_changed():
    body = GOOD | {"input": [user(IMAGE), call(), result(output=[IMAGE])], "tools": [TOOL]}
    before = msgspec.json.encode(body)
    to_chat(body)
    assert msgspec.json.encode(body) == before


FIELDS = [
    "model",
    "input",
    "instructions",
    "tools",
    "tool_choice",
    "text",
    "reasoning",
    "stream",
    "include",
    "metadata",
]
TYPES = ["message", "function_call", "function_call_output", "reasoning", "input_text", "input_image"]
items = st.fixed_dictionaries(
    {"type": st.sampled_from(TYPES)},
    optional=dict.fromkeys(["role", "content", "call_id", "name", "arguments", "output"], anything),
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

    @given(st.lists(items, min_size=1, max_size=3))
    @few
    def test_no_items_raise_anything_else(self, given_items):
        try:
            to_chat(GOOD | {"input": given_items})
        except CallError as refused:
            assert refused.fault.param.startswith("input[")


class TestToNative:
    to_native = staticmethod(TRANSLATORS[Surface.RESPONSES].to_native)

    def test_what_an_answer_of_ours_added_is_left_out(self):
        reply = completion("I look.", finish="tool_calls", reasoning_content="hm", tool_calls=[tool_call()])
        response = TRANSLATORS[Surface.RESPONSES].from_chat(reply, GOOD)
        body = GOOD | {"input": [{"role": "user", "content": "w?"}, *response["output"], result()]}
        native = self.to_native(body)
        assert [item.get("type") for item in native["input"]] == [
            None,
            "message",
            "function_call",
            "function_call_output",
        ]
        assert not any("id" in item for item in native["input"])
        assert to_chat(native) == to_chat(body)

    def test_what_a_provider_made_passes_as_it_is(self):
        body = GOOD | {
            "input": [{"type": "reasoning", "id": "rs_1", "summary": []}, call()],
            "previous_response_id": "resp_1",
        }
        assert self.to_native(body) is body

    @pytest.mark.parametrize("given_input", ["hi", None, [5, None], [{"id": 5}]])
    def test_odd_input_passes_too(self, given_input):
        body = {"input": given_input}
        assert self.to_native(body) is body

    def test_a_response_of_ours_is_stored_nowhere(self):
        response = TRANSLATORS[Surface.RESPONSES].from_chat(completion(), GOOD)
        with pytest.raises(CallError, check=raises(FaultKind.BAD_REQUEST, "previous_response_id")):
            self.to_native(GOOD | {"previous_response_id": response["id"]})
