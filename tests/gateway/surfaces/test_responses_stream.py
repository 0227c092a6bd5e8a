from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrblue_cli.gateway.model import Fault, FaultKind, Piece, Surface
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
    kinds,
    run,
    streams,
    tool_call,
)

RESPONSES = TRANSLATORS[Surface.RESPONSES]
BODY = {"model": "gpt-x", "input": "hi"}


def play(*pieces: Piece, body=BODY):
    found = run(RESPONSES.encoder(body), *pieces)
    for event in found:
        stock.response_event(event)
    check_order(found)
    return found


def check_order(found):
    """Numbered without gaps; items begin and end in order; deltas add up to what `done` says; the end holds it all."""
    assert [event["sequence_number"] for event in found] == list(range(len(found)))
    assert kinds(found)[:2] == ["response.created", "response.in_progress"]
    assert found[-1]["type"] in {"response.completed", "response.incomplete"}
    done, opened, grown = [], None, ""
    for event in found[2:-1]:
        assert event["output_index"] == len(done)
        match event["type"]:
            case "response.output_item.added":
                assert opened is None
                opened = event["item"]["id"]
            case "response.output_item.done":
                assert event["item"]["id"] == opened
                opened = None
                done.append(event["item"])
            case kind:
                assert event["item_id"] == opened
                if kind.endswith("part.added"):
                    grown = ""
                elif kind.endswith(".delta"):
                    grown += event["delta"]
                elif kind.endswith(".done") and "part" not in event:
                    whole = [event[key] for key in ("text", "arguments", "refusal", "input") if key in event]
                    assert whole == [grown]
                    grown = ""
    assert opened is None
    assert found[-1]["response"]["output"] == done


def final(found):
    assembler = ASSEMBLERS[Surface.RESPONSES]()
    for event in found:
        assembler.feed(event)
    return assembler.complete()


class TestEncoder:
    def test_a_plain_stream(self):
        found = play(
            chunk({"role": "assistant", "content": ""}), chunk({"content": "Hel"}), chunk({"content": "lo"}), USED
        )
        assert kinds(found) == [
            "response.created",
            "response.in_progress",
            "response.output_item.added",
            "response.content_part.added",
            "response.output_text.delta",
            "response.output_text.delta",
            "response.output_text.done",
            "response.content_part.done",
            "response.output_item.done",
            "response.completed",
        ]
        assert found[0]["response"]["status"] == "in_progress"
        assert found[0]["response"]["usage"] is None
        assert found[-1]["response"]["usage"]["input_tokens"] == 100

    def test_each_piece_comes_out_at_once(self):
        encoder = RESPONSES.encoder(BODY)
        encoder.feed(chunk({"content": "a"}))
        assert kinds(events(encoder.feed(chunk({"content": "b"})))) == ["response.output_text.delta"]

    def test_a_call(self):
        found = play(
            call_piece(0, call_id="c1", name="f"), call_piece(0, arguments='{"a":1}'), chunk(finish="tool_calls")
        )
        assert kinds(found)[2:-1] == [
            "response.output_item.added",
            "response.function_call_arguments.delta",
            "response.function_call_arguments.done",
            "response.output_item.done",
        ]
        (item,) = final(found)["output"]
        assert (item["call_id"], item["name"], item["arguments"]) == ("c1", "f", '{"a":1}')

    def test_a_thought(self):
        found = play(chunk({"reasoning_content": "h"}), chunk({"reasoning_content": "m"}), chunk({"content": "a"}))
        assert kinds(found)[2:8] == [
            "response.output_item.added",
            "response.reasoning_summary_part.added",
            "response.reasoning_summary_text.delta",
            "response.reasoning_summary_text.delta",
            "response.reasoning_summary_text.done",
            "response.reasoning_summary_part.done",
        ]
        assert [item["type"] for item in final(found)["output"]] == ["reasoning", "message"]

    def test_words_and_a_refusal_are_parts_of_one_message(self):
        found = play(chunk({"content": "a"}), chunk({"refusal": "b"}), chunk(finish="stop"))
        (item,) = final(found)["output"]
        assert [part["type"] for part in item["content"]] == ["output_text", "refusal"]
        assert [event["content_index"] for event in found if event["type"] == "response.content_part.done"] == [0, 1]

    def test_words_after_a_call_are_another_message(self):
        found = play(
            chunk({"content": "a"}), call_piece(0, call_id="c", name="f", arguments="{}"), chunk({"content": "b"})
        )
        assert [item["type"] for item in final(found)["output"]] == ["message", "function_call", "message"]

    def test_a_cut_answer_is_incomplete_in_its_last_item(self):
        found = play(
            chunk({"content": "a"}), call_piece(0, call_id="c", name="f", arguments='{"x'), chunk(finish="length")
        )
        response = final(found)
        assert found[-1]["type"] == "response.incomplete"
        assert response["incomplete_details"] == {"reason": "max_output_tokens"}
        assert [item["status"] for item in response["output"]] == ["completed", "incomplete"]

    def test_log_probabilities_and_citations(self):
        row = {"token": "Hi", "logprob": -0.1, "bytes": None, "top_logprobs": []}
        where = {"url": "https://e.org", "title": "E", "start_index": 0, "end_index": 2}
        first = chunk({"content": "Hi"})
        first.data["choices"][0]["logprobs"] = {"content": [row], "refusal": None}
        found = play(
            first, chunk({"annotations": [{"type": "url_citation", "url_citation": where}]}), chunk(finish="stop")
        )
        part = final(found)["output"][0]["content"][0]
        assert part["logprobs"] == [row | {"bytes": []}]
        assert part["annotations"] == [{"type": "url_citation", **where}]
        assert "response.output_text.annotation.added" in kinds(found)
        delta = next(event for event in found if event["type"] == "response.output_text.delta")
        assert delta["logprobs"][0]["token"] == "Hi"

    def test_nothing_at_all_is_an_empty_response(self):
        found = play()
        assert final(found)["output"] == []

    def test_the_function_call_of_old(self):
        found = play(
            chunk({"function_call": {"name": "f", "arguments": '{"a"'}}),
            chunk({"function_call": {"arguments": ":1}"}}),
            chunk(finish="function_call"),
        )
        (made,) = final(found)["output"]
        assert (made["name"], made["arguments"]) == ("f", '{"a":1}')

    def test_empty_pieces_that_never_become_a_call_are_none(self):
        found = play(chunk({"content": "a"}), chunk({"tool_calls": [{}]}), chunk(finish="length"))
        (made,) = final(found)["output"]
        assert made["type"] == "message"

    def test_nothing_comes_after_the_end(self):
        encoder = RESPONSES.encoder(BODY)
        run(encoder, chunk({"content": "a"}))
        fault = Fault(kind=FaultKind.BROKEN, message="m")
        assert encoder.finish() == encoder.feed(chunk({"content": "b"})) == encoder.fail(fault) == []


class TestFail:
    def fail(self, kind=FaultKind.BROKEN, *pieces):
        encoder = RESPONSES.encoder(BODY)
        before = [frame for piece in pieces for frame in encoder.feed(piece)]
        found = events(before + encoder.fail(Fault(kind=kind, message="Cut.", param="input")))
        assert encoder.finish() == []
        for event in found:
            stock.response_event(event)
        assert [event["sequence_number"] for event in found] == list(range(len(found)))
        return found

    def test_the_response_fails_and_then_an_error_says_why(self):
        found = self.fail(FaultKind.BROKEN, chunk({"content": "a"}))
        assert kinds(found)[-2:] == ["response.failed", "error"]
        failed, error = found[-2:]
        assert failed["response"]["status"] == "failed"
        assert failed["response"]["error"] == {"code": "server_error", "message": "Cut."}
        assert (error["message"], error["param"]) == ("Cut.", "input")
        assert error["error"]["message"] == "Cut."

    def test_before_anything_came_there_is_only_the_error(self):
        assert kinds(self.fail(FaultKind.TIMEOUT)) == ["error"]

    @pytest.mark.parametrize(
        ("kind", "code"),
        [
            (FaultKind.RATE_LIMITED, "rate_limit_exceeded"),
            (FaultKind.CONTENT_FILTER, "invalid_prompt"),
            (FaultKind.TIMEOUT, "server_error"),
        ],
    )
    def test_the_codes_that_a_response_may_have(self, kind, code):
        assert self.fail(kind, chunk({"content": "a"}))[-2]["response"]["error"]["code"] == code

    def test_complete_items_are_kept(self):
        found = self.fail(FaultKind.BROKEN, chunk({"reasoning_content": "hm"}), chunk({"content": "a"}))
        assert [item["type"] for item in found[-2]["response"]["output"]] == ["reasoning"]


class TestProperties:
    @given(st.data())
    def test_any_stream_of_an_answer_ends_in_the_same_response_as_the_answer(self, data):
        reply = data.draw(completions())
        found = play(*data.draw(streams(reply, mixed=data.draw(st.booleans()))))
        assert final(found) == RESPONSES.from_chat(reply, BODY)

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
                st.builds(
                    lambda key, text: chunk({key: text}),
                    st.sampled_from(["content", "refusal", "reasoning"]),
                    st.sampled_from(["", "x", 5, None]),
                ),
                st.builds(lambda finish: chunk(finish=finish), st.sampled_from(["stop", "length", "odd"])),
                st.builds(
                    lambda choices: Piece(data={**HEAD, "choices": choices}), st.sampled_from([None, [], [5], [{}], {}])
                ),
                st.just(USED),
            ),
            max_size=12,
        )
    )
    def test_no_order_of_pieces_breaks_the_order_of_events(self, pieces):
        play(*pieces)


class TestReplay:
    @given(completions())
    def test_a_replayed_response_is_the_response(self, reply):
        response = RESPONSES.from_chat(reply, BODY)
        found = events(RESPONSES.replay(response))
        for event in found:
            stock.response_event(event)
        check_order(found)
        assert final(found) == response

    def test_a_replay_looks_like_the_stream_it_was(self):
        reply = completion("Hi.", finish="tool_calls", reasoning_content="hm", tool_calls=[tool_call()])
        streamed = play(
            chunk({"reasoning_content": "hm"}),
            chunk({"content": "Hi."}),
            call_piece(0, call_id="call_1", name="weather", arguments='{"city":"Paris"}'),
            chunk(finish="tool_calls"),
            USED,
        )
        assert events(RESPONSES.replay(RESPONSES.from_chat(reply, BODY))) == streamed

    def test_items_of_openais_own_survive(self):
        response = RESPONSES.from_chat(completion(), BODY) | {
            "completed_at": 5,
            "output": [
                {
                    "id": "ws_1",
                    "type": "web_search_call",
                    "status": "completed",
                    "action": {"type": "search", "query": "q"},
                },
                {"id": "ctc_1", "type": "custom_tool_call", "call_id": "c", "name": "patch", "input": "*** begin"},
                {"id": "rs_1", "type": "reasoning", "summary": [], "encrypted_content": "xyz"},
                {
                    "id": "msg_1",
                    "type": "message",
                    "status": "completed",
                    "role": "assistant",
                    "phase": "final_answer",
                    "content": [
                        {
                            "type": "output_text",
                            "text": "long " * 500,
                            "annotations": [{"type": "file_path", "file_id": "f", "index": 0}],
                        }
                    ],
                },
            ],
        }
        found = events(RESPONSES.replay(response))
        for event in found:
            stock.response_event(event)
        check_order(found)
        assert final(found) == response
        assert "completed_at" not in found[0]["response"]

    def test_an_incomplete_response_ends_as_one(self):
        found = events(RESPONSES.replay(RESPONSES.from_chat(completion(finish="length"), BODY)))
        assert found[-1]["type"] == "response.incomplete"
        assert found[0]["response"]["incomplete_details"] is None
