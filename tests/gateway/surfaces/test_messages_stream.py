from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrblue_cli.gateway.model import CallError, Fault, FaultKind, Piece, Surface
from mrblue_cli.gateway.surfaces import TRANSLATORS
from mrblue_cli.gateway.surfaces.assemble import ASSEMBLERS
from tests.gateway.surfaces import stock
from tests.gateway.surfaces.samples import (
    HEAD,
    USED,
    call_piece,
    chunk,
    completion,
    completions,
    events,
    few,
    kinds,
    run,
    streams,
    tool_call,
)

MESSAGES = TRANSLATORS[Surface.MESSAGES]
BODY = {"model": "claude-x", "max_tokens": 10, "messages": []}


def play(*pieces: Piece, body=BODY):
    found = run(MESSAGES.encoder(body), *pieces)
    for event in found:
        stock.message_event(event)
    check_order(found)
    return found


def check_order(found):
    """One block open at a time, indexes in order, one start, one end."""
    assert found[0]["type"] == "message_start"
    assert kinds(found)[-2:] == ["message_delta", "message_stop"]
    opened = None
    count = 0
    for event in found[1:-2]:
        match event["type"]:
            case "content_block_start":
                assert opened is None
                assert event["index"] == count
                opened, count = event["index"], count + 1
            case "content_block_delta":
                assert event["index"] == opened
            case "content_block_stop":
                assert event["index"] == opened
                opened = None
            case other:
                pytest.fail(f"{other} in the middle")
    assert opened is None


def assembled(found):
    assembler = ASSEMBLERS[Surface.MESSAGES]()
    for event in found:
        assembler.feed(event)
    return assembler.complete()


class TestEncoder:
    def test_a_plain_stream(self):
        found = play(
            chunk({"role": "assistant", "content": ""}), chunk({"content": "Hel"}), chunk({"content": "lo"}), USED
        )
        assert kinds(found) == [
            "message_start",
            "content_block_start",
            "content_block_delta",
            "content_block_delta",
            "content_block_stop",
            "message_delta",
            "message_stop",
        ]
        start = found[0]["message"]
        assert (start["id"], start["model"], start["content"], start["stop_reason"]) == (
            "msg_Abc123",
            "gpt-test",
            [],
            None,
        )
        assert found[2]["delta"] == {"type": "text_delta", "text": "Hel"}
        assert found[-2]["delta"] == {"stop_reason": "end_turn", "stop_sequence": None}
        assert found[-2]["usage"]["input_tokens"] == 30
        assert found[-2]["usage"]["cache_read_input_tokens"] == 60

    def test_each_piece_comes_out_at_once(self):
        encoder = MESSAGES.encoder(BODY)
        encoder.feed(chunk({"role": "assistant"}))
        assert kinds(events(encoder.feed(chunk({"content": "a"})))) == ["content_block_start", "content_block_delta"]
        assert kinds(events(encoder.feed(chunk({"content": "b"})))) == ["content_block_delta"]

    def test_a_call_flows_too(self):
        encoder = MESSAGES.encoder(BODY)
        begun = events(encoder.feed(call_piece(0, call_id="c1", name="f")))
        assert kinds(begun) == ["message_start", "content_block_start"]
        assert begun[1]["content_block"] == {"type": "tool_use", "id": "c1", "name": "f", "input": {}}
        (more,) = events(encoder.feed(call_piece(0, arguments='{"a"')))
        assert more["delta"] == {"type": "input_json_delta", "partial_json": '{"a"'}

    def test_thought_then_text(self):
        found = play(chunk({"reasoning_content": "hm"}), chunk({"content": "a"}), chunk(finish="stop"))
        assert [block["type"] for block in assembled(found)["content"]] == ["thinking", "text"]

    def test_the_other_name_of_a_thought(self):
        found = play(chunk({"reasoning": "hm"}))
        assert assembled(found)["content"][0]["thinking"] == "hm"

    def test_calls_whose_pieces_take_turns_come_out_one_after_the_other(self):
        found = play(
            call_piece(0, call_id="a", name="f"),
            call_piece(1, call_id="b", name="g"),
            call_piece(0, arguments='{"x":'),
            call_piece(1, arguments='{"y":2}'),
            call_piece(0, arguments="1}"),
            chunk(finish="tool_calls"),
        )
        inputs = [(block["id"], block["input"]) for block in assembled(found)["content"]]
        assert inputs == [("a", {"x": 1}), ("b", {"y": 2})]

    def test_a_complete_call_makes_room_for_the_next_at_once(self):
        encoder = MESSAGES.encoder(BODY)
        encoder.feed(call_piece(0, call_id="a", name="f", arguments="{}"))
        found = events(encoder.feed(call_piece(1, call_id="b", name="g")))
        assert kinds(found) == ["content_block_stop", "content_block_start"]

    def test_text_after_a_call(self):
        found = play(
            chunk({"content": "a"}), call_piece(0, call_id="c", name="f", arguments="{}"), chunk({"content": "b"})
        )
        assert [block["type"] for block in assembled(found)["content"]] == ["text", "tool_use", "text"]
        assert found[-2]["delta"]["stop_reason"] == "tool_use"

    def test_a_call_without_an_id_or_with_a_late_name(self):
        found = play(call_piece(0, arguments='{"a"'), call_piece(0, name="f", arguments=":1}"))
        (block,) = assembled(found)["content"]
        assert (block["id"], block["name"], block["input"]) == ("call_Abc123_0", "f", {"a": 1})

    def test_parallel_calls_that_all_say_index_0(self):
        found = play(
            call_piece(0, call_id="a", name="f", arguments="{}"),
            call_piece(0, call_id="b", name="g", arguments='{"z":1}'),
        )
        assert [block["id"] for block in assembled(found)["content"]] == ["a", "b"]

    def test_calls_without_any_index(self):
        found = play(
            call_piece(None, call_id="a", name="f"),
            call_piece(None, arguments="{}"),
            call_piece(None, call_id="b", name="g", arguments='{"z":'),
            call_piece(None, call_id="b", arguments="1}"),
        )
        assert [(block["id"], block["input"]) for block in assembled(found)["content"]] == [("a", {}), ("b", {"z": 1})]

    def test_an_id_and_a_name_that_are_repeated_are_taken_once(self):
        piece = call_piece(0, call_id="a", name="f", arguments="")
        found = play(piece, piece, call_piece(0, call_id="a", name="f", arguments="{}"))
        (block,) = assembled(found)["content"]
        assert (block["id"], block["name"]) == ("a", "f")

    def test_a_refusal(self):
        found = play(chunk({"refusal": "No."}), chunk(finish="stop"))
        assert assembled(found)["content"] == [{"type": "text", "text": "No."}]
        assert found[-2]["delta"]["stop_reason"] == "refusal"

    def test_the_first_finish_counts(self):
        found = play(chunk({"content": "a"}), chunk(finish="length"), chunk(finish="stop"))
        assert found[-2]["delta"]["stop_reason"] == "max_tokens"

    def test_the_stop_sequence(self):
        last = Piece(
            data={**HEAD, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop", "stop_reason": "END"}]}
        )
        found = play(chunk({"content": "a"}), last, body=BODY | {"stop_sequences": ["END"]})
        assert found[-2]["delta"] == {"stop_reason": "stop_sequence", "stop_sequence": "END"}

    def test_other_choices_are_passed_over(self):
        found = play(chunk({"content": "a"}), chunk({"content": "z"}, index=1))
        assert assembled(found)["content"] == [{"type": "text", "text": "a"}]

    def test_nothing_at_all_is_an_empty_message(self):
        found = play()
        assert assembled(found)["content"] == []
        assert found[0]["message"]["model"] == "claude-x"

    def test_the_function_call_of_old(self):
        found = play(
            chunk({"function_call": {"name": "f", "arguments": '{"a"'}}),
            chunk({"function_call": {"arguments": ":1}"}}),
            chunk(finish="function_call"),
        )
        (made,) = assembled(found)["content"]
        assert (made["name"], made["input"]) == ("f", {"a": 1})

    def test_empty_pieces_that_never_become_a_call_are_none(self):
        found = play(chunk({"content": "a"}), chunk({"tool_calls": [{}]}), chunk(finish="length"))
        (made,) = assembled(found)["content"]
        assert made["type"] == "text"

    def test_nothing_comes_after_the_end(self):
        encoder = MESSAGES.encoder(BODY)
        run(encoder, chunk({"content": "a"}))
        fault = Fault(kind=FaultKind.BROKEN, message="m")
        assert encoder.finish() == encoder.feed(chunk({"content": "b"})) == encoder.fail(fault) == []

    @pytest.mark.parametrize(
        ("kind", "type_"),
        [
            (FaultKind.OVERLOADED, "overloaded_error"),
            (FaultKind.BROKEN, "api_error"),
            (FaultKind.TIMEOUT, "timeout_error"),
            (FaultKind.RATE_LIMITED, "rate_limit_error"),
        ],
    )
    def test_a_broken_answer_ends_with_an_error(self, kind, type_):
        encoder = MESSAGES.encoder(BODY)
        encoder.feed(chunk({"content": "a"}))
        (frame,) = encoder.fail(Fault(kind=kind, message="Cut."))
        assert frame.startswith(b"event: error\n")
        (event,) = events([frame])
        assert event["error"] == {"type": type_, "message": "Cut."}
        assert encoder.finish() == []


class TestProperties:
    @given(st.data())
    def test_any_stream_of_an_answer_makes_the_same_message_as_the_answer(self, data):
        reply = data.draw(completions())
        pieces = data.draw(streams(reply, mixed=data.draw(st.booleans())))
        found = play(*pieces)
        try:
            expected = MESSAGES.from_chat(reply, BODY)
        except CallError:
            return
        made = assembled(found)
        texts = [block.get("text", "") for block in expected.pop("content") if block["type"] == "text"]
        assert [block.get("text", "") for block in made.pop("content") if block["type"] == "text"] == texts
        assert made == expected

    @given(st.data())
    def test_blocks_are_the_same_too(self, data):
        reply = data.draw(completions())
        found = play(*data.draw(streams(reply)))
        assert assembled(found)["content"] == MESSAGES.from_chat(reply, BODY)["content"]

    @given(
        st.lists(
            st.one_of(
                st.builds(call_piece, st.integers(0, 2) | st.none(), arguments=st.text("{}[]1,", max_size=3)),
                st.builds(
                    call_piece,
                    st.integers(0, 2) | st.none(),
                    call_id=st.sampled_from("abc") | st.none(),
                    name=st.sampled_from("fg") | st.none(),
                ),
                st.builds(lambda text: chunk({"content": text}), st.sampled_from(["", "x"])),
                st.builds(lambda finish: chunk(finish=finish), st.sampled_from(["stop", "tool_calls", "odd"])),
                st.builds(
                    lambda data: Piece(data=data),
                    st.dictionaries(st.sampled_from(["choices", "usage", "id"]), st.none()),
                ),
                st.builds(lambda delta: chunk({"tool_calls": delta}), st.sampled_from([5, [5], [None], [{}], {}])),
                st.just(USED),
            ),
            max_size=12,
        )
    )
    def test_no_order_of_pieces_breaks_the_order_of_events(self, pieces):
        play(*pieces)


class TestReplay:
    @given(completions())
    def test_a_replayed_message_is_the_message(self, reply):
        try:
            message = MESSAGES.from_chat(reply, BODY)
        except CallError:
            return
        found = events(MESSAGES.replay(message))
        check_order(found)
        for event in found:
            stock.message_event(event)
        assert assembled(found) == message

    def test_blocks_of_anthropics_own_survive(self):
        citation = {
            "type": "char_location",
            "cited_text": "x",
            "document_index": 0,
            "document_title": None,
            "start_char_index": 0,
            "end_char_index": 1,
        }
        message = MESSAGES.from_chat(completion(), BODY) | {
            "content": [
                {"type": "thinking", "thinking": "hm" * 500, "signature": "sig"},
                {"type": "redacted_thinking", "data": "xyz"},
                {"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {"query": "q"}},
                {"type": "web_search_tool_result", "tool_use_id": "s1", "content": []},
                {"type": "text", "text": "cited", "citations": [citation]},
            ],
            "stop_reason": "end_turn",
            "stop_details": None,
        }
        found = events(MESSAGES.replay(message))
        check_order(found)
        assert assembled(found) == message

    def test_the_start_does_not_know_the_end(self):
        start = events(MESSAGES.replay(MESSAGES.from_chat(completion("long " * 300), BODY)))[0]["message"]
        assert (start["stop_reason"], start["usage"]["output_tokens"], start["content"]) == (None, 0, [])


class TestAssembler:
    def test_nothing_is_none(self):
        assert assembled([]) is None
        assert assembled([{"type": "content_block_start", "index": 0}, {"type": "message_delta"}]) is None

    def test_usage_of_the_end_counts_over_that_of_the_start(self):
        message = assembled(
            [
                {"type": "message_start", "message": {"id": "m", "usage": {"input_tokens": 9, "output_tokens": 1}}},
                {
                    "type": "message_delta",
                    "delta": {"stop_reason": "end_turn"},
                    "usage": {"output_tokens": 7, "x": None},
                },
            ]
        )
        assert message["usage"] == {"input_tokens": 9, "output_tokens": 7}

    def test_an_input_that_was_cut_is_empty(self):
        found = play(call_piece(0, call_id="a", name="f", arguments='{"city'), chunk(finish="length"))
        assert assembled(found)["content"][0]["input"] == {}

    @given(
        st.lists(
            st.dictionaries(
                st.sampled_from(["type", "index", "delta", "message", "content_block", "usage"]),
                st.none()
                | st.integers(0, 2)
                | st.sampled_from(["message_start", "content_block_delta", "content_block_start", "message_delta"]),
            ),
            max_size=6,
        )
    )
    @few
    def test_nonsense_raises_nothing(self, found):
        assembled(found)


def test_arguments_are_sent_as_they_came():
    raw = '{ "a" : 1.0 }'
    found = play(*(call_piece(0, call_id="c", name="f", arguments=raw[:5]), call_piece(0, arguments=raw[5:])))
    sent = "".join(e["delta"]["partial_json"] for e in found if e["type"] == "content_block_delta")
    assert sent == raw
    assert msgspec.json.decode(sent) == msgspec.json.decode(tool_call(arguments=raw)["function"]["arguments"])
