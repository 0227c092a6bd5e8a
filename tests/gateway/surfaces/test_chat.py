from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrblue_cli.gateway.model import CallError, Fault, FaultKind, Usage
from mrblue_cli.gateway.sse import DONE
from mrblue_cli.gateway.surfaces.chat import (
    ChatAssembler,
    chat_usage,
    error,
    fail_chat,
    replay_chat,
    split_text,
    validate_chat,
)
from tests.gateway.surfaces import stock
from tests.gateway.surfaces.samples import (
    USAGE,
    anything,
    completion,
    completions,
    events,
    few,
    raises,
    tool_call,
    words,
)

GOOD = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}


def assemble(frames):
    assembler = ChatAssembler()
    for event in events(frames):
        assembler.feed(event)
    return assembler.complete()


class TestReplay:
    @given(completions())
    def test_what_is_replayed_assembles_to_what_was_stored(self, reply):
        assert assemble(replay_chat(reply, True)) == reply

    @given(completions(), st.booleans())
    def test_every_chunk_and_every_answer_is_the_stock_sdks(self, reply, include_usage):
        frames = replay_chat(reply, include_usage)
        assert frames[-1] == DONE
        for event in events(frames):
            stock.chat_chunk(event)
        stock.chat(assemble(frames))

    def test_usage_comes_in_a_last_chunk_of_its_own_and_only_when_asked_for(self):
        *body, last = events(replay_chat(completion(), True))
        assert last["usage"] == USAGE
        assert last["choices"] == []
        assert all(event["usage"] is None for event in body)
        assert all("usage" not in event for event in events(replay_chat(completion(), False)))

    def test_several_choices_keep_their_index(self):
        reply = completion("one")
        second = {
            **reply["choices"][0],
            "index": 1,
            "message": {"role": "assistant", "content": "two", "refusal": None},
        }
        reply["choices"].append(second)
        assert assemble(replay_chat(reply, True)) == reply

    def test_several_tool_calls_keep_ids_and_arguments(self):
        calls = [tool_call("a", "f", "{}"), tool_call("b", "g", '{"x":' + '"y"' * 1 + "}")]
        reply = completion(None, finish="tool_calls", tool_calls=calls)
        found = events(replay_chat(reply, False))
        begun = [call for event in found for call in event["choices"][0]["delta"].get("tool_calls", []) if "id" in call]
        assert [(call["index"], call["id"], call["function"]["name"]) for call in begun] == [
            (0, "a", "f"),
            (1, "b", "g"),
        ]
        assert assemble(replay_chat(reply, True)) == reply

    def test_a_long_text_comes_in_pieces(self):
        text = "word " * 1000
        found = events(replay_chat(completion(text), False))
        pieces = [event["choices"][0]["delta"].get("content", "") for event in found]
        assert max(map(len, pieces)) <= 400
        assert "".join(pieces) == text

    def test_log_probabilities_stay_with_their_text(self):
        row = {"token": "Hi", "logprob": -0.1, "bytes": [72, 105], "top_logprobs": []}
        reply = completion("Hi")
        reply["choices"][0]["logprobs"] = {"content": [row]}
        found = events(replay_chat(reply, True))
        with_text = next(event for event in found if event["choices"] and event["choices"][0]["delta"].get("content"))
        assert with_text["choices"][0]["logprobs"] == {"content": [row]}
        assert assemble(replay_chat(reply, True)) == reply

    def test_log_probabilities_without_text_are_kept_too(self):
        reply = completion(None, finish="tool_calls", tool_calls=[tool_call()])
        reply["choices"][0]["logprobs"] = {"content": [{"token": "t"}]}
        assert assemble(replay_chat(reply, True)) == reply

    def test_annotations_audio_and_a_custom_tool_survive(self):
        reply = completion(
            "cited",
            annotations=[
                {"type": "url_citation", "url_citation": {"url": "u", "title": "t", "start_index": 0, "end_index": 1}}
            ],
            audio={"id": "audio_1", "expires_at": 5, "transcript": "cited", "data": "UklGRg=="},
            tool_calls=[{"id": "c", "type": "custom", "custom": {"name": "patch", "input": "*** begin"}}],
        )
        assert assemble(replay_chat(reply, True)) == reply

    def test_head_fields_survive(self):
        reply = completion() | {"system_fingerprint": "fp_1", "service_tier": "default"}
        assert assemble(replay_chat(reply, True)) == reply

    @given(words, st.integers(1, 10))
    def test_splitting_loses_nothing(self, text, size):
        pieces = list(split_text(text, size))
        assert "".join(pieces) == text
        assert all(len(piece) <= size for piece in pieces)
        assert pieces


class TestUsage:
    def test_every_part_is_read(self):
        usage = {
            "prompt_tokens": 50,
            "completion_tokens": 9,
            "prompt_tokens_details": {
                "cached_tokens": 20,
                "audio_tokens": 3,
                "image_tokens": 4,
                "cache_write_tokens": 5,
            },
            "completion_tokens_details": {"audio_tokens": 2, "reasoning_tokens": 1},
        }
        assert chat_usage({"usage": usage}) == Usage(
            input_tokens=50,
            output_tokens=9,
            cached_input_tokens=20,
            cache_write_tokens=5,
            audio_input_tokens=3,
            image_input_tokens=4,
            audio_output_tokens=2,
            reasoning_tokens=1,
        )

    @pytest.mark.parametrize("reply", [{}, {"usage": None}, {"usage": 7}, {"usage": []}])
    def test_none_when_the_provider_did_not_say(self, reply):
        assert chat_usage(reply) is None

    @given(st.dictionaries(st.sampled_from([*USAGE]), anything))
    @few
    def test_nonsense_counts_as_nothing(self, usage):
        found = chat_usage({"usage": usage})
        assert found is not None
        assert found.input_tokens >= 0
        assert found.output_tokens >= 0

    def test_negative_and_infinite_counts_are_none(self):
        assert chat_usage({"usage": {"prompt_tokens": -5, "completion_tokens": float("inf")}}) == Usage()


class TestErrors:
    def test_openais_shape(self):
        fault = Fault(kind=FaultKind.BAD_REQUEST, message="No.", param="model", code="odd")
        assert error(fault, 400) == {
            "error": {"message": "No.", "type": "invalid_request_error", "param": "model", "code": "odd"}
        }

    @pytest.mark.parametrize(
        ("kind", "status", "type_", "code"),
        [
            (FaultKind.RATE_LIMITED, 429, "rate_limit_error", "rate_limit_exceeded"),
            (FaultKind.QUOTA, 429, "rate_limit_error", "insufficient_quota"),
            (FaultKind.AUTH, 401, "authentication_error", None),
            (FaultKind.NOT_FOUND, 404, "not_found_error", "model_not_found"),
            (FaultKind.SERVER, 500, "server_error", None),
            (FaultKind.OVERLOADED, 503, "server_error", None),
            (FaultKind.TIMEOUT, 504, "timeout_error", None),
            (FaultKind.CONTENT_FILTER, 400, "invalid_request_error", "content_filter"),
            (FaultKind.CONTEXT_TOO_LONG, 400, "invalid_request_error", "context_length_exceeded"),
            (FaultKind.BAD_REQUEST, 422, "invalid_request_error", None),
        ],
    )
    def test_type_and_code_follow_the_fault(self, kind, status, type_, code):
        body = error(Fault(kind=kind, message="m"), status)["error"]
        assert (body["type"], body["code"]) == (type_, code)

    def test_a_broken_stream_ends_with_an_error_and_without_done(self):
        (frame,) = fail_chat(Fault(kind=FaultKind.BROKEN, message="Cut."))
        assert frame != DONE
        assert msgspec.json.decode(frame.removeprefix(b"data: "))["error"]["message"] == "Cut."


class TestValidate:
    def test_what_is_right_passes(self):
        validate_chat(GOOD)
        validate_chat(
            {
                "model": "m",
                "messages": [
                    {"role": "developer", "content": "be brief"},
                    {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "file", "file": {}}]},
                    {"role": "assistant", "content": None, "tool_calls": [tool_call()]},
                    {"role": "tool", "tool_call_id": "call_1", "content": "sunny"},
                    {"role": "assistant", "content": "It is sun"},
                ],
                "temperature": 0,
                "max_tokens": 5,
                "max_completion_tokens": 5,
                "n": 2,
                "stop": ["a"],
                "stream": True,
                "stream_options": {"include_usage": True},
                "tools": [{"type": "function", "function": {"name": "f"}}, {"type": "custom", "custom": {"name": "g"}}],
                "tool_choice": {"type": "function", "function": {"name": "f"}},
                "response_format": {"type": "json_object"},
                "seed": -1,
                "unknown": object(),
            }
        )

    def test_null_is_the_same_as_absent(self):
        validate_chat(
            GOOD | dict.fromkeys(["temperature", "max_tokens", "n", "stop", "tools", "stream", "tool_choice"])
        )

    @pytest.mark.parametrize(
        ("change", "param"),
        [
            ({"model": None}, "model"),
            ({"model": ""}, "model"),
            ({"model": 5}, "model"),
            ({"messages": None}, "messages"),
            ({"messages": []}, "messages"),
            ({"messages": "hi"}, "messages"),
            ({"messages": {"role": "user"}}, "messages"),
            ({"messages": ["hi"]}, "messages[0]"),
            ({"messages": [{"content": "hi"}]}, "messages[0].role"),
            ({"messages": [{"role": "robot", "content": "hi"}]}, "messages[0].role"),
            ({"messages": [{"role": 1, "content": "hi"}]}, "messages[0].role"),
            ({"messages": [{"role": "user"}]}, "messages[0].content"),
            ({"messages": [{"role": "user", "content": 5}]}, "messages[0].content"),
            ({"messages": [{"role": "user", "content": ["x"]}]}, "messages[0].content[0]"),
            ({"messages": [{"role": "user", "content": [{"text": "x"}]}]}, "messages[0].content[0].type"),
            ({"messages": [{"role": "tool", "content": "x"}]}, "messages[0].tool_call_id"),
            ({"messages": [{"role": "assistant", "tool_calls": {}}]}, "messages[0].tool_calls"),
            ({"messages": [{"role": "assistant", "tool_calls": [1]}]}, "messages[0].tool_calls[0]"),
            ({"messages": [{"role": "assistant", "tool_calls": [{}]}]}, "messages[0].tool_calls[0].function"),
            (
                {"messages": [{"role": "assistant", "tool_calls": [{"function": {}}]}]},
                "messages[0].tool_calls[0].function.name",
            ),
            ({"stream": "yes"}, "stream"),
            ({"stream": 1}, "stream"),
            ({"stream_options": True}, "stream_options"),
            ({"temperature": "hot"}, "temperature"),
            ({"temperature": True}, "temperature"),
            ({"temperature": 2.5}, "temperature"),
            ({"temperature": float("nan")}, "temperature"),
            ({"top_p": -0.1}, "top_p"),
            ({"max_tokens": 0}, "max_tokens"),
            ({"max_tokens": 1.5}, "max_tokens"),
            ({"max_tokens": True}, "max_tokens"),
            ({"max_completion_tokens": "9"}, "max_completion_tokens"),
            ({"n": 0}, "n"),
            ({"n": 1000}, "n"),
            ({"stop": 5}, "stop"),
            ({"stop": ["a", 5]}, "stop[1]"),
            ({"tools": {}}, "tools"),
            ({"tools": ["f"]}, "tools[0]"),
            ({"tools": [{}]}, "tools[0].type"),
            ({"tools": [{"type": "function"}]}, "tools[0].function"),
            ({"tools": [{"type": "function", "function": {}}]}, "tools[0].function.name"),
            (
                {"tools": [{"type": "function", "function": {"name": "f", "parameters": []}}]},
                "tools[0].function.parameters",
            ),
            ({"tool_choice": 5}, "tool_choice"),
            ({"tool_choice": {}}, "tool_choice.type"),
            ({"response_format": "json"}, "response_format"),
            ({"response_format": {}}, "response_format.type"),
            ({"user": 5}, "user"),
            ({"seed": "x"}, "seed"),
            ({"presence_penalty": 9}, "presence_penalty"),
        ],
    )
    def test_what_is_surely_wrong_is_refused_with_its_place(self, change, param):
        with pytest.raises(CallError, check=raises(FaultKind.BAD_REQUEST, param)):
            validate_chat(GOOD | change)

    @given(st.dictionaries(st.sampled_from([*GOOD, "tools", "stop", "n", "tool_choice", "response_format"]), anything))
    @few
    def test_no_body_raises_anything_else(self, body):
        try:
            validate_chat(GOOD | body)
        except CallError as refused:
            assert refused.fault.kind is FaultKind.BAD_REQUEST
            assert refused.fault.param

    @given(st.dictionaries(st.sampled_from(["role", "content", "tool_calls", "tool_call_id"]), anything))
    @few
    def test_no_message_raises_anything_else(self, message):
        try:
            validate_chat({"model": "m", "messages": [message]})
        except CallError as refused:
            assert refused.fault.param.startswith("messages")
