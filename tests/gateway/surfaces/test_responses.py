from __future__ import annotations

from typing import ClassVar

import msgspec
import pytest
from hypothesis import given

from mrblue_cli.gateway.model import CallError, Fault, FaultKind, Surface, Usage
from mrblue_cli.gateway.surfaces import TRANSLATORS
from mrblue_cli.gateway.surfaces.errors import openai_fault
from tests.gateway.surfaces import stock
from tests.gateway.surfaces.samples import completion, completions, raises, tool_call

RESPONSES = TRANSLATORS[Surface.RESPONSES]
BODY = {"model": "gpt-x", "input": "hi"}


def answer(reply, **body):
    response = RESPONSES.from_chat(reply, BODY | body)
    stock.response(response)
    return response


class TestFromChat:
    def test_a_plain_answer(self):
        response = answer(completion("Hello."))
        assert response["id"] == "resp_mrb_Abc123"
        assert (response["object"], response["status"], response["created_at"]) == (
            "response",
            "completed",
            1_700_000_000,
        )
        assert response["output"] == [
            {
                "id": "msg_mrb_Abc123_0",
                "type": "message",
                "status": "completed",
                "role": "assistant",
                "content": [{"type": "output_text", "text": "Hello.", "annotations": [], "logprobs": []}],
            }
        ]
        assert response["usage"] == {
            "input_tokens": 100,
            "input_tokens_details": {"cached_tokens": 60, "cache_write_tokens": 10},
            "output_tokens": 20,
            "output_tokens_details": {"reasoning_tokens": 5},
            "total_tokens": 120,
        }
        assert stock.response(response).output_text == "Hello."

    def test_what_was_asked_is_echoed(self):
        asked = {
            "instructions": "Be brief.",
            "metadata": {"a": "b"},
            "temperature": 0.0,
            "top_p": 0.5,
            "max_output_tokens": 9,
            "parallel_tool_calls": False,
            "tools": [{"type": "function", "name": "f", "parameters": {}, "strict": True}],
            "tool_choice": {"type": "function", "name": "f"},
            "text": {"format": {"type": "json_object"}},
            "user": "u",
        }
        response = answer(completion(), **asked)
        assert {key: response[key] for key in asked} == asked

    def test_defaults_are_filled_in(self):
        response = answer(completion())
        assert (response["temperature"], response["top_p"], response["tool_choice"]) == (1.0, 1.0, "auto")
        assert response["parallel_tool_calls"] is True
        assert response["text"] == {"format": {"type": "text"}}
        assert response["store"] is False
        assert response["error"] is response["incomplete_details"] is response["instructions"] is None

    @pytest.mark.parametrize(
        ("finish", "reason"), [("length", "max_output_tokens"), ("content_filter", "content_filter")]
    )
    def test_an_answer_that_was_cut(self, finish, reason):
        response = answer(completion(finish=finish))
        assert response["status"] == "incomplete"
        assert response["incomplete_details"] == {"reason": reason}
        assert response["output"][-1]["status"] == "incomplete"

    def test_thought_words_refusal_and_calls(self):
        response = answer(
            completion(
                "I look.", reasoning_content="hm", refusal="Or not.", tool_calls=[tool_call(), tool_call("call_2")]
            )
        )
        assert [item["type"] for item in response["output"]] == [
            "reasoning",
            "message",
            "function_call",
            "function_call",
        ]
        assert response["output"][0]["summary"] == [{"type": "summary_text", "text": "hm"}]
        assert [part["type"] for part in response["output"][1]["content"]] == ["output_text", "refusal"]
        assert response["output"][2] == {
            "id": "fc_mrb_Abc123_2",
            "type": "function_call",
            "status": "completed",
            "arguments": '{"city":"Paris"}',
            "call_id": "call_1",
            "name": "weather",
        }

    def test_the_items_of_an_answer_are_the_input_of_the_next_request(self):
        output = answer(completion("I look.", reasoning_content="hm", tool_calls=[tool_call()]))["output"]
        result = {"type": "function_call_output", "call_id": "call_1", "output": "rain"}
        chat = RESPONSES.to_chat(BODY | {"input": [{"role": "user", "content": "w?"}, *output, result]})
        assert [turn["role"] for turn in chat["messages"]] == ["user", "assistant", "tool"]
        assert chat["messages"][1] == {"role": "assistant", "content": "I look.", "tool_calls": [tool_call()]}

    def test_citations_are_flattened(self):
        where = {"url": "https://e.org", "title": "E", "start_index": 0, "end_index": 5}
        response = answer(completion("Hello", annotations=[{"type": "url_citation", "url_citation": where}]))
        assert response["output"][0]["content"][0]["annotations"] == [{"type": "url_citation", **where}]

    def test_log_probabilities_have_bytes(self):
        reply = completion("Hi")
        top = {"token": "Hi", "logprob": -0.1, "bytes": None}
        reply["choices"][0]["logprobs"] = {"content": [{**top, "top_logprobs": [top]}]}
        (row,) = answer(reply)["output"][0]["content"][0]["logprobs"]
        assert row["bytes"] == row["top_logprobs"][0]["bytes"] == []

    def test_a_call_without_an_id_gets_one_that_is_always_the_same(self):
        call = {"type": "function", "function": {"name": "f", "arguments": "{}"}}
        (item,) = answer(completion(None, tool_calls=[call]))["output"]
        assert item["call_id"] == "call_Abc123_0"

    def test_the_function_call_of_old(self):
        (item,) = answer(completion(None, function_call={"name": "f", "arguments": "{}"}))["output"]
        assert (item["type"], item["name"]) == ("function_call", "f")

    @pytest.mark.parametrize(
        "reply", [{}, {"choices": []}, {"choices": [5]}, {"id": [], "created": "x", "choices": [{}]}]
    )
    def test_an_odd_answer_is_an_empty_response(self, reply):
        response = answer(reply)
        assert response["output"] == []
        assert response["model"] == "gpt-x"
        assert response["usage"] is None

    @given(completions())
    def test_every_answer_is_the_stock_sdks(self, reply):
        response = answer(reply)
        items = [item["id"] for item in response["output"]]
        assert len(items) == len(set(items))


class TestNativeReply:
    RESPONSE: ClassVar = {
        "id": "resp_1",
        "object": "response",
        "status": "completed",
        "output": [
            {"type": "reasoning", "summary": [{"text": "hidden"}]},
            {"type": "message", "content": [{"type": "output_text", "text": "a"}, {"type": "refusal", "refusal": "b"}]},
        ],
        "usage": {
            "input_tokens": 9,
            "input_tokens_details": {"cached_tokens": 4},
            "output_tokens": 3,
            "output_tokens_details": {"reasoning_tokens": 2},
        },
    }

    def read(self, **change):
        return RESPONSES.native_reply(msgspec.json.encode(self.RESPONSE | change))

    def test_what_is_read(self):
        reply = self.read()
        assert reply.body == self.RESPONSE
        assert (reply.text, reply.finish) == ("ab", "stop")
        assert reply.usage == Usage(input_tokens=9, cached_input_tokens=4, output_tokens=3, reasoning_tokens=2)

    @pytest.mark.parametrize(
        ("change", "finish"),
        [
            ({"output": [{"type": "function_call"}]}, "tool_calls"),
            ({"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}, "length"),
            ({"status": "incomplete", "incomplete_details": {"reason": "content_filter"}}, "content_filter"),
            ({"status": "incomplete", "incomplete_details": None}, "length"),
            ({"status": "in_progress"}, ""),
            ({"status": "queued"}, ""),
        ],
    )
    def test_finish(self, change, finish):
        assert self.read(**change).finish == finish

    def test_no_usage_is_none(self):
        assert self.read(usage=None).usage is None

    def test_a_failed_response_is_a_fault(self):
        error = {"code": "rate_limit_exceeded", "message": "Slow down."}
        with pytest.raises(CallError, check=raises(FaultKind.RATE_LIMITED, None)):
            self.read(status="failed", error=error)

    @pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"{}", b'{"object":"list"}', b"\xff"])
    def test_anything_else_is_broken(self, body):
        with pytest.raises(CallError, check=raises(FaultKind.BROKEN, None)):
            RESPONSES.native_reply(body)


class TestErrors:
    def test_openais_shape(self):
        fault = Fault(kind=FaultKind.UNSUPPORTED, message="m", type="invalid_request_error", param="tools[0].type")
        assert RESPONSES.error(fault, 400)["error"] == {
            "message": "m",
            "type": "invalid_request_error",
            "param": "tools[0].type",
            "code": None,
        }

    @pytest.mark.parametrize(
        ("error", "kind"),
        [
            ({"code": "server_error"}, FaultKind.SERVER),
            ({"code": "rate_limit_exceeded"}, FaultKind.RATE_LIMITED),
            ({"code": "insufficient_quota", "type": "insufficient_quota"}, FaultKind.QUOTA),
            ({"code": "context_length_exceeded", "type": "invalid_request_error"}, FaultKind.CONTEXT_TOO_LONG),
            ({"type": "invalid_request_error", "param": "input"}, FaultKind.BAD_REQUEST),
            ({"code": "invalid_prompt"}, FaultKind.CONTENT_FILTER),
            ({"code": 500}, FaultKind.SERVER),
            ({}, FaultKind.SERVER),
        ],
    )
    def test_kind_of_an_error_in_an_answer(self, error, kind):
        fault = openai_fault(error)
        assert fault.kind is kind
        assert fault.message
