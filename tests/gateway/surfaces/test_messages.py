from __future__ import annotations

from typing import ClassVar

import msgspec
import pytest
from hypothesis import given

from mrblue_cli.gateway.model import CallError, Fault, FaultKind, Surface, Usage
from mrblue_cli.gateway.surfaces import TRANSLATORS
from mrblue_cli.gateway.surfaces.errors import anthropic_fault
from mrblue_cli.gateway.surfaces.messages import read_usage, write_usage
from tests.gateway.surfaces import stock
from tests.gateway.surfaces.samples import completion, completions, raises, tool_call

MESSAGES = TRANSLATORS[Surface.MESSAGES]
BODY = {"model": "claude-x", "max_tokens": 10, "messages": []}


def answer(reply, **body):
    message = MESSAGES.from_chat(reply, BODY | body)
    stock.message(message)
    return message


class TestFromChat:
    def test_a_plain_answer(self):
        assert answer(completion("Hello.")) == {
            "id": "msg_Abc123",
            "type": "message",
            "role": "assistant",
            "model": "gpt-test",
            "content": [{"type": "text", "text": "Hello."}],
            "stop_reason": "end_turn",
            "stop_sequence": None,
            "usage": {
                "input_tokens": 30,
                "cache_creation_input_tokens": 10,
                "cache_read_input_tokens": 60,
                "output_tokens": 20,
                "output_tokens_details": {"thinking_tokens": 5},
            },
        }

    @pytest.mark.parametrize(
        ("finish", "stop"),
        [
            ("stop", "end_turn"),
            ("length", "max_tokens"),
            ("tool_calls", "tool_use"),
            ("content_filter", "refusal"),
            ("odd", "end_turn"),
        ],
    )
    def test_stop_reasons(self, finish, stop):
        assert answer(completion(finish=finish))["stop_reason"] == stop

    def test_thought_text_and_calls_in_this_order(self):
        message = answer(
            completion(
                "I look.", finish="tool_calls", reasoning_content="hm", tool_calls=[tool_call(), tool_call("call_2")]
            )
        )
        assert [block["type"] for block in message["content"]] == ["thinking", "text", "tool_use", "tool_use"]
        assert message["content"][2] == {
            "type": "tool_use",
            "id": "call_1",
            "name": "weather",
            "input": {"city": "Paris"},
        }

    def test_calls_count_more_than_a_finish_that_forgets_them(self):
        assert answer(completion(None, finish="stop", tool_calls=[tool_call()]))["stop_reason"] == "tool_use"

    def test_a_refusal_is_text_and_a_stop_reason(self):
        message = answer(completion(None, refusal="I will not."))
        assert message["content"] == [{"type": "text", "text": "I will not."}]
        assert message["stop_reason"] == "refusal"

    def test_the_stop_sequence_when_the_provider_names_it(self):
        reply = completion("a")
        reply["choices"][0]["stop_reason"] = "END"
        message = answer(reply, stop_sequences=["END"])
        assert (message["stop_reason"], message["stop_sequence"]) == ("stop_sequence", "END")
        assert answer(reply)["stop_reason"] == "end_turn"

    @pytest.mark.parametrize("arguments", ["", "  ", "null", "{}"])
    def test_a_call_without_arguments(self, arguments):
        (block,) = answer(completion(None, tool_calls=[tool_call(arguments=arguments)]))["content"]
        assert block["input"] == {}

    @pytest.mark.parametrize("arguments", ['{"city":', "[1]", '"x"', "not json", "[" * 100_000])
    def test_arguments_that_are_no_object_make_a_broken_answer(self, arguments):
        reply = completion(None, finish="tool_calls", tool_calls=[tool_call(arguments=arguments)])
        with pytest.raises(CallError, check=raises(FaultKind.BROKEN, None)):
            MESSAGES.from_chat(reply, BODY)

    def test_a_call_that_was_cut_by_the_limit_is_left_out(self):
        message = answer(completion("I look.", finish="length", tool_calls=[tool_call(arguments='{"city":')]))
        assert [block["type"] for block in message["content"]] == ["text"]
        assert message["stop_reason"] == "max_tokens"

    def test_a_call_without_an_id_gets_one_that_is_always_the_same(self):
        call = {"type": "function", "function": {"name": "f", "arguments": "{}"}}
        first, again = (answer(completion(None, tool_calls=[call]))["content"][0]["id"] for _ in range(2))
        assert first == again == "call_Abc123_0"

    def test_the_function_call_of_old(self):
        (block,) = answer(completion(None, function_call={"name": "f", "arguments": '{"a":1}'}))["content"]
        assert (block["name"], block["input"]) == ("f", {"a": 1})

    @pytest.mark.parametrize(
        "reply", [{}, {"choices": []}, {"choices": [None]}, {"id": 5, "choices": [{"message": 3}]}]
    )
    def test_an_odd_answer_is_an_empty_message(self, reply):
        message = answer(reply)
        assert message["content"] == []
        assert message["model"] == "claude-x"

    @given(completions())
    def test_every_answer_is_the_stock_sdks(self, reply):
        try:
            answer(reply)
        except CallError as broken:
            assert broken.fault.kind is FaultKind.BROKEN

    @given(completions())
    def test_usage_adds_up_again(self, reply):
        usage = read_usage(answer(reply)["usage"])
        given_usage = reply["usage"]
        assert usage.input_tokens == given_usage["prompt_tokens"]
        assert usage.output_tokens == given_usage["completion_tokens"]
        assert usage.cached_input_tokens == given_usage["prompt_tokens_details"]["cached_tokens"]


class TestUsage:
    def test_cached_input_stands_beside_the_rest(self):
        usage = Usage(input_tokens=100, cached_input_tokens=60, cache_write_tokens=10, output_tokens=3)
        body = write_usage(usage)
        assert (body["input_tokens"], body["cache_read_input_tokens"], body["cache_creation_input_tokens"]) == (
            30,
            60,
            10,
        )
        assert read_usage(body) == usage

    def test_more_cached_than_read_is_no_negative_count(self):
        assert write_usage(Usage(input_tokens=1, cached_input_tokens=5))["input_tokens"] == 0


class TestNativeReply:
    MESSAGE: ClassVar = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude",
        "content": [{"type": "text", "text": "a"}, {"type": "tool_use", "id": "t"}, {"type": "text", "text": "b"}],
        "stop_reason": "tool_use",
        "usage": {
            "input_tokens": 5,
            "output_tokens": 2,
            "cache_read_input_tokens": 7,
            "cache_creation_input_tokens": None,
        },
    }

    def test_what_is_read(self):
        reply = MESSAGES.native_reply(msgspec.json.encode(self.MESSAGE))
        assert reply.body == self.MESSAGE
        assert (reply.text, reply.finish) == ("ab", "tool_calls")
        assert reply.usage == Usage(input_tokens=12, output_tokens=2, cached_input_tokens=7)

    def test_no_usage_is_none(self):
        assert MESSAGES.native_reply(b'{"type":"message","content":[]}').usage is None

    @pytest.mark.parametrize(
        ("stop", "finish"),
        [
            ("end_turn", "stop"),
            ("stop_sequence", "stop"),
            ("max_tokens", "length"),
            ("refusal", "content_filter"),
            ("pause_turn", "stop"),
            (None, ""),
        ],
    )
    def test_finish(self, stop, finish):
        assert MESSAGES.native_reply(msgspec.json.encode(self.MESSAGE | {"stop_reason": stop})).finish == finish

    @pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"{}", b'{"type":"error"}', b"\xff\xfe"])
    def test_anything_else_is_broken(self, body):
        with pytest.raises(CallError, check=raises(FaultKind.BROKEN, None)):
            MESSAGES.native_reply(body)


class TestErrors:
    @pytest.mark.parametrize(
        ("status", "type_"),
        [
            (400, "invalid_request_error"),
            (401, "authentication_error"),
            (402, "billing_error"),
            (403, "permission_error"),
            (404, "not_found_error"),
            (413, "request_too_large"),
            (422, "invalid_request_error"),
            (429, "rate_limit_error"),
            (500, "api_error"),
            (502, "api_error"),
            (504, "timeout_error"),
            (529, "overloaded_error"),
        ],
    )
    def test_type_by_status(self, status, type_):
        body = MESSAGES.error(Fault(kind=FaultKind.SERVER, message="m"), status)
        assert body == {"type": "error", "error": {"type": type_, "message": "m"}, "request_id": None}

    def test_the_place_is_part_of_the_message(self):
        fault = Fault(kind=FaultKind.BAD_REQUEST, message="Wrong.", param="messages.0.role")
        assert MESSAGES.error(fault, 400)["error"]["message"] == "messages.0.role: Wrong."
        named = Fault(kind=FaultKind.BAD_REQUEST, message="'model' is required.", param="model")
        assert MESSAGES.error(named, 400)["error"]["message"] == "'model' is required."

    @pytest.mark.parametrize(
        ("type_", "kind"),
        [
            ("overloaded_error", FaultKind.OVERLOADED),
            ("rate_limit_error", FaultKind.RATE_LIMITED),
            ("billing_error", FaultKind.QUOTA),
            ("authentication_error", FaultKind.AUTH),
            ("invalid_request_error", FaultKind.BAD_REQUEST),
            ("timeout_error", FaultKind.TIMEOUT),
            ("api_error", FaultKind.SERVER),
            ("new_error", FaultKind.SERVER),
        ],
    )
    def test_kind_of_an_error_event(self, type_, kind):
        fault = anthropic_fault({"type": "error", "error": {"type": type_, "message": "m"}})
        assert (fault.kind, fault.message) == (kind, "m")
        assert anthropic_fault({}).message
