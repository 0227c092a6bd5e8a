from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrblue_cli.gateway.model import Surface
from mrblue_cli.gateway.surfaces.assemble import ASSEMBLERS, ChatAssembler, ResponsesAssembler
from tests.gateway.surfaces import stock
from tests.gateway.surfaces.samples import HEAD, USAGE, USED, anything, call_piece, chunk, completions, few, streams


def assemble(*pieces):
    assembler = ChatAssembler()
    for piece in pieces:
        if piece.data is not None:
            assembler.feed(piece.data)
    return assembler.complete()


def message(*pieces):
    return assemble(*pieces)["choices"][0]["message"]


class TestChat:
    @given(st.data())
    def test_any_stream_of_an_answer_assembles_to_it(self, data):
        reply = data.draw(completions())
        made = assemble(*data.draw(streams(reply, mixed=data.draw(st.booleans()))))
        stock.chat(made)
        # Whether there was no text or an empty one cannot be told from a stream.
        said = made["choices"][0]["message"]
        said["content"] = said["content"] or reply["choices"][0]["message"]["content"]
        assert made == reply

    def test_nothing_is_none(self):
        assert assemble() is None
        assert assemble(USED) is None

    def test_usage_of_a_last_chunk(self):
        assert assemble(chunk({"content": "a"}), chunk(finish="stop"), USED)["usage"] == USAGE
        assert "usage" not in assemble(chunk({"content": "a"}))

    def test_choices_in_any_order(self):
        made = assemble(chunk({"content": "b"}, index=1), chunk({"content": "a"}), chunk({"content": "B"}, index=1))
        assert [choice["message"]["content"] for choice in made["choices"]] == ["a", "bB"]
        assert [choice["index"] for choice in made["choices"]] == [0, 1]

    def test_the_first_finish_counts(self):
        assembler = ChatAssembler()
        assert assembler.finish == ""
        for piece in (chunk({"content": "a"}), chunk(finish="length"), chunk(finish="stop")):
            assembler.feed(piece.data)
        assert assembler.finish == "length"
        assert assembler.complete()["choices"][0]["finish_reason"] == "length"

    def test_a_finish_that_never_came_is_guessed(self):
        assert assemble(chunk({"content": "a"}))["choices"][0]["finish_reason"] == "stop"
        assert assemble(call_piece(0, call_id="c", name="f"))["choices"][0]["finish_reason"] == "tool_calls"

    def test_a_first_chunk_without_names_as_azure_sends_it(self):
        first = chunk()
        first.data.update(id="", model="", created=0, prompt_filter_results=[{"prompt_index": 0}])
        made = assemble(first, chunk({"content": "a"}))
        assert (made["id"], made["model"], made["created"]) == (HEAD["id"], HEAD["model"], HEAD["created"])
        assert made["prompt_filter_results"] == [{"prompt_index": 0}]

    def test_log_probabilities_are_joined(self):
        pieces = [chunk({"content": letter}) for letter in "ab"]
        for piece in pieces:
            piece.data["choices"][0]["logprobs"] = {"content": [{"token": "t"}], "refusal": None}
        assert assemble(*pieces)["choices"][0]["logprobs"] == {"content": [{"token": "t"}] * 2}

    def test_thoughts_under_either_name_and_lists_of_details(self):
        said = message(
            chunk({"reasoning": "h", "reasoning_details": [{"n": 1}]}),
            chunk({"reasoning": "m", "reasoning_details": [{"n": 2}]}),
            chunk({"reasoning_content": "x"}),
        )
        assert (said["reasoning"], said["reasoning_content"]) == ("hm", "x")
        assert said["reasoning_details"] == [{"n": 1}, {"n": 2}]

    def test_sound_is_joined_as_bytes(self):
        parts = [b"RIFF1", b"23", b"4567"]  # lengths that leave padding in the middle
        deltas = [{"audio": {"data": base64.b64encode(part).decode()}} for part in parts]
        said = message(
            chunk({"audio": {"id": "audio_1", "transcript": "he"}}),
            *(chunk(delta) for delta in deltas),
            chunk({"audio": {"transcript": "y", "expires_at": 7}}),
            chunk({"audio": {"data": "torn!"}}),
        )
        assert base64.b64decode(said["audio"]["data"]) == b"".join(parts)
        assert (said["audio"]["id"], said["audio"]["transcript"], said["audio"]["expires_at"]) == ("audio_1", "hey", 7)

    def test_the_function_call_of_old(self):
        said = message(
            chunk({"function_call": {"name": "f", "arguments": ""}}), chunk({"function_call": {"arguments": "{}"}})
        )
        assert said["function_call"] == {"name": "f", "arguments": "{}"}

    def test_empty_text_beside_a_call_is_no_text(self):
        assert message(chunk({"content": ""}), call_piece(0, call_id="c", name="f"))["content"] is None
        assert message(chunk({"content": ""}))["content"] == ""

    def test_empty_pieces_that_never_become_a_call_are_none(self):
        said = message(chunk({"content": "a", "tool_calls": [{}]}), chunk({"tool_calls": [{"index": 1, "id": "x"}]}))
        assert "tool_calls" not in said
        assert said["content"] == "a"

    def test_what_a_provider_adds_to_choices_and_messages_is_kept(self):
        piece = chunk({"content": "a", "provider_fields": {"x": 1}})
        piece.data["choices"][0]["content_filter_results"] = {"hate": {"filtered": False}}
        (choice,) = assemble(piece)["choices"]
        assert choice["content_filter_results"] == {"hate": {"filtered": False}}
        assert choice["message"]["provider_fields"] == {"x": 1}

    def test_content_that_is_no_text_is_left_out(self):
        assert message(chunk({"content": [{"type": "text"}], "refusal": 5}))["content"] is None

    def test_completing_twice_is_the_same(self):
        assembler = ChatAssembler()
        for piece in (chunk({"content": "a", "annotations": [{"type": "x"}]}), chunk(finish="stop"), USED):
            assembler.feed(piece.data)
        assert assembler.complete() == assembler.complete()


@pytest.mark.parametrize("surface", [Surface.CHAT, Surface.MESSAGES, Surface.RESPONSES])
@given(
    st.lists(
        st.dictionaries(st.sampled_from(["type", "id", "choices", "usage", "response", "index"]), anything), max_size=4
    )
)
@few
def test_nonsense_raises_nothing(surface, rows):
    assembler = ASSEMBLERS[surface]()
    for row in rows:
        assembler.feed(row)
    assembler.complete()


@given(
    st.lists(st.dictionaries(st.sampled_from(["index", "delta", "finish_reason", "logprobs"]), anything), max_size=4)
)
@few
def test_nonsense_in_choices_raises_nothing(rows):
    assembler = ChatAssembler()
    assembler.feed({"choices": rows})
    assembler.complete()


@given(
    st.lists(
        st.dictionaries(st.sampled_from(["content", "refusal", "tool_calls", "audio", "function_call", "x"]), anything),
        max_size=4,
    )
)
@few
def test_nonsense_in_deltas_raises_nothing_and_the_answer_keeps_its_types(deltas):
    assembler = ChatAssembler()
    for delta in deltas:
        assembler.feed({"choices": [{"index": 0, "delta": delta}]})
    made = assembler.complete()
    if made is not None:
        said = made["choices"][0]["message"]
        assert said["content"] is None or isinstance(said["content"], str)
        assert said["refusal"] is None or isinstance(said["refusal"], str)


class TestResponses:
    @pytest.mark.parametrize("kind", ["response.completed", "response.incomplete", "response.failed"])
    def test_the_last_event_holds_it_all(self, kind):
        assembler = ResponsesAssembler()
        assembler.feed({"type": "response.created", "response": {"id": "r", "status": "in_progress"}})
        assert assembler.complete() is None
        assembler.feed({"type": kind, "response": {"id": "r"}})
        assert assembler.complete() == {"id": "r"}
