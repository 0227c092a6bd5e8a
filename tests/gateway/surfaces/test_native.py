from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrblue_cli.gateway.model import FaultKind, Surface, Usage
from mrblue_cli.gateway.sse import MAX_EVENT, frame
from mrblue_cli.gateway.surfaces import TRANSLATORS
from tests.gateway.surfaces.samples import completion, completions, few, tool_call

MESSAGES, RESPONSES = TRANSLATORS[Surface.MESSAGES], TRANSLATORS[Surface.RESPONSES]
FULL = completion(
    "Hello there.", finish="tool_calls", reasoning_content="hm", tool_calls=[tool_call(), tool_call("call_2", "g")]
)
BODIES = {
    Surface.MESSAGES: {"model": "m", "max_tokens": 5},
    Surface.RESPONSES: {"model": "m"},
}


def frames_of(surface, reply=FULL):
    translator = TRANSLATORS[surface]
    return translator.replay(translator.from_chat(reply, BODIES[surface]))


def read(surface, *data: bytes):
    reader = TRANSLATORS[surface].native_stream()
    return [piece for block in data for piece in reader.feed(block)] + reader.close()


def event(**fields):
    return frame(fields, fields["type"])


@pytest.mark.parametrize("surface", [Surface.MESSAGES, Surface.RESPONSES])
class TestBoth:
    def test_a_whole_stream(self, surface):
        frames = frames_of(surface)
        pieces = read(surface, *frames)
        assert [piece.raw for piece in pieces] == frames
        assert "".join(piece.text for piece in pieces) == "Hello there."
        assert [piece.finish for piece in pieces if piece.finish] == ["tool_calls"]
        assert [piece.end for piece in pieces] == [False] * (len(pieces) - 1) + [True]
        assert not any(piece.fault for piece in pieces)
        usage = [piece.usage for piece in pieces if piece.usage][-1]
        assert usage == Usage(
            input_tokens=100, output_tokens=20, cached_input_tokens=60, cache_write_tokens=10, reasoning_tokens=5
        )

    @given(st.data())
    def test_any_cut_of_the_bytes_reads_the_same(self, surface, data):
        whole = b"".join(frames_of(surface))
        points = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=6)))
        parts = [whole[start:stop] for start, stop in zip([0, *points], [*points, len(whole)], strict=True)]
        assert read(surface, *parts) == read(surface, whole)

    @given(st.data())
    @few
    def test_every_true_prefix_is_a_broken_answer(self, surface, data):
        whole = b"".join(frames_of(surface))
        cut = data.draw(st.integers(0, len(whole) - 1))
        *pieces, last = read(surface, whole[:cut])
        assert last.fault is not None
        assert last.fault.kind is FaultKind.BROKEN
        assert not last.raw
        assert not any(piece.end for piece in pieces)

    @given(completions())
    def test_what_was_encoded_reads_back(self, surface, reply):
        translator = TRANSLATORS[surface]
        reply["choices"][0]["message"].pop("tool_calls", None)  # their arguments are tested with each surface
        complete = translator.native_reply(msgspec.json.encode(translator.from_chat(reply, BODIES[surface])))
        pieces = read(surface, *frames_of(surface, reply))
        assert "".join(piece.text for piece in pieces) == complete.text
        assert [piece.finish for piece in pieces if piece.finish] == [complete.finish]
        assert [piece.usage for piece in pieces if piece.usage][-1] == complete.usage
        message = reply["choices"][0]["message"]
        spoken = any(message.get(key) for key in ("content", "refusal", "reasoning_content"))
        assert any(piece.token for piece in pieces) == spoken

    def test_head_and_empty_parts_are_no_tokens(self, surface):
        pieces = read(surface, *frames_of(surface, completion("Hi.")))
        first = next(number for number, piece in enumerate(pieces) if piece.token)
        assert pieces[first].text == "Hi."
        assert not any(piece.text for piece in pieces[:first])

    def test_a_call_is_a_token_from_its_name_on(self, surface):
        pieces = read(surface, *frames_of(surface, completion(None, tool_calls=[tool_call()])))
        first = next(piece for piece in pieces if piece.token)
        assert "added" in first.data["type"] or first.data["type"] == "content_block_start"

    def test_nothing_is_read_after_the_end(self, surface):
        frames = frames_of(surface)
        reader = TRANSLATORS[surface].native_stream()
        reader.feed(b"".join(frames) + frames[0])
        assert reader.feed(frames[0]) == reader.close() == []

    @pytest.mark.parametrize("data", [b"data: {\n\n", b"data: [1]\n\n", b"data: nothing\n\n", b"data: \xff\n\n"])
    def test_what_cannot_be_read_is_a_fault(self, surface, data):
        (piece,) = read(surface, data)
        assert piece.fault.kind is FaultKind.BROKEN
        assert piece.raw == b""

    def test_an_event_without_an_end_is_a_fault(self, surface):
        (piece,) = read(surface, b"data: " + b"x" * MAX_EVENT)
        assert piece.fault.kind is FaultKind.BROKEN

    def test_comments_and_a_stray_done_are_passed_over(self, surface):
        frames = frames_of(surface)
        pieces = read(surface, b": keep-alive\n\n", frames[0], b"data: [DONE]\n\n", *frames[1:])
        assert pieces[-1].end
        assert not any(piece.fault for piece in pieces)

    @given(
        st.lists(
            st.dictionaries(
                st.sampled_from(["type", "delta", "usage", "message", "response", "item", "error", "content_block"]),
                st.sampled_from(
                    [
                        None,
                        5,
                        [],
                        {},
                        "x",
                        "message_start",
                        "message_delta",
                        "content_block_delta",
                        "content_block_start",
                        "response.completed",
                        "response.failed",
                        "response.output_item.added",
                        "response.output_text.delta",
                        "error",
                    ]
                ),
            ),
            max_size=4,
        )
    )
    @few
    def test_nonsense_raises_nothing(self, surface, rows):
        read(surface, *(frame(row) for row in rows))


class TestMessages:
    def test_usage_is_known_from_the_start(self):
        start = event(
            type="message_start",
            message={"usage": {"input_tokens": 5, "cache_read_input_tokens": 7, "output_tokens": 1}},
        )
        end = event(type="message_delta", delta={"stop_reason": "end_turn"}, usage={"output_tokens": 9})
        first, second, _ = read(Surface.MESSAGES, start, end)
        assert first.usage == Usage(input_tokens=12, cached_input_tokens=7, output_tokens=1)
        assert second.usage == Usage(input_tokens=12, cached_input_tokens=7, output_tokens=9)

    @pytest.mark.parametrize(
        ("type_", "kind"), [("overloaded_error", FaultKind.OVERLOADED), ("api_error", FaultKind.SERVER)]
    )
    def test_an_error_event_is_a_fault(self, type_, kind):
        (piece,) = read(Surface.MESSAGES, event(type="error", error={"type": type_, "message": "m"}))
        assert (piece.fault.kind, piece.fault.message) == (kind, "m")

    def test_a_ping_is_nothing_but_passes(self):
        ping = event(type="ping")
        piece, _ = read(Surface.MESSAGES, ping)
        assert (piece.raw, piece.token, piece.text, piece.end) == (ping, False, "", False)

    @pytest.mark.parametrize(
        ("delta", "token"),
        [
            ({"type": "thinking_delta", "thinking": "h"}, True),
            ({"type": "input_json_delta", "partial_json": ""}, False),
            ({"type": "input_json_delta", "partial_json": "{"}, True),
            ({"type": "signature_delta", "signature": "s"}, False),
            ({"type": "citations_delta", "citation": {}}, False),
        ],
    )
    def test_tokens(self, delta, token):
        piece, _ = read(Surface.MESSAGES, event(type="content_block_delta", index=0, delta=delta))
        assert piece.token is token
        assert piece.text == ""


class TestResponses:
    def test_a_failed_response_is_a_fault_with_its_usage(self):
        failed = {
            "error": {"code": "rate_limit_exceeded", "message": "m"},
            "usage": {"input_tokens": 5, "output_tokens": 0},
        }
        (piece,) = read(Surface.RESPONSES, event(type="response.failed", response=failed))
        assert (piece.fault.kind, piece.usage) == (FaultKind.RATE_LIMITED, Usage(input_tokens=5))

    @pytest.mark.parametrize(
        "fields",
        [
            {"code": "context_length_exceeded", "message": "m", "param": None},
            {"error": {"code": "context_length_exceeded", "message": "m", "type": "invalid_request_error"}},
        ],
    )
    def test_both_shapes_of_the_error_event(self, fields):
        (piece,) = read(Surface.RESPONSES, event(type="error", **fields))
        assert (piece.fault.kind, piece.fault.message) == (FaultKind.CONTEXT_TOO_LONG, "m")

    def test_an_incomplete_response_is_a_proper_end(self):
        response = {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}
        (piece,) = read(Surface.RESPONSES, event(type="response.incomplete", response=response))
        assert piece.end
        assert piece.finish == "length"

    def test_a_refusal_is_visible_and_a_thought_is_not(self):
        refusal, thought, _ = read(
            Surface.RESPONSES,
            event(type="response.refusal.delta", delta="No."),
            event(type="response.reasoning_summary_text.delta", delta="hm"),
        )
        assert (refusal.text, refusal.token) == ("No.", True)
        assert (thought.text, thought.token) == ("", True)
