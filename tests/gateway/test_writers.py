"""What the client of a stream gets, piece by piece: identity, usage, ends, and what may be gone on with."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrblue_cli.gateway.answers import BrokenOff
from mrblue_cli.gateway.model import Fault, FaultKind, Json, Piece, Surface
from mrblue_cli.gateway.sse import DONE, SseParser, frame
from mrblue_cli.gateway.writers import BytesWriter, ChatWriter, NativeWriter, TranslatedWriter, writer_for

BROKEN = Fault(kind=FaultKind.BROKEN, message="It was cut.")
ASKED: Json = {"model": "m", "messages": []}


def piece(content: str = "", *, ident: str = "chatcmpl-1", finish: str | None = None, **delta: object) -> Piece:
    """A chat chunk as a decoder gives it."""
    data: Json = {
        "id": ident,
        "object": "chat.completion.chunk",
        "created": 7,
        "model": f"model-of-{ident}",
        "choices": [{"index": 0, "delta": ({"content": content} if content else {}) | delta, "finish_reason": finish}],
    }
    return Piece(data=data, raw=frame(data), text=content, token=bool(content or delta), finish=finish or "")


def usage_piece() -> Piece:
    """The chunk without choices that tells the usage."""
    data: Json = {"id": "chatcmpl-1", "choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 2}}
    return Piece(data=data, raw=frame(data))


def events(sent: bytes) -> list[Json]:
    """The JSON of what was sent; marks are left out."""
    return [msgspec.json.decode(each.data) for each in SseParser().feed(sent) if each.data != b"[DONE]"]


def test_a_chat_stream_passes_byte_for_byte() -> None:
    writer = ChatWriter({**ASKED, "stream_options": {"include_usage": True}}, kept=True)
    pieces = [piece("Hello"), piece(" there"), piece(finish="stop"), usage_piece()]
    assert b"".join(writer.feed(each) for each in pieces) == b"".join(each.raw for each in pieces)
    assert writer.feed(Piece(raw=DONE, end=True)) == b"", "the end mark is ours to send"
    assert writer.finish() == DONE
    assert writer.text() == "Hello there"
    whole = writer.complete()
    assert whole is not None
    assert whole["choices"][0]["message"]["content"] == "Hello there"
    assert whole["usage"]["completion_tokens"] == 2


@pytest.mark.parametrize("options", [None, {}, {"include_usage": False}, "yes"])
def test_usage_is_only_for_those_who_ask(options: object) -> None:
    writer = ChatWriter({**ASKED, "stream_options": options}, kept=False)
    assert writer.feed(usage_piece()) == b""


def test_who_goes_on_with_an_answer_goes_on_under_its_name() -> None:
    writer = ChatWriter(ASKED, kept=True)
    writer.feed(piece("Hello", role="assistant"))
    writer.resume()
    sent = events(writer.feed(piece(" there", ident="chatcmpl-2", role="assistant")))
    assert [(each["id"], each["model"]) for each in sent] == [("chatcmpl-1", "model-of-chatcmpl-1")]
    assert sent[0]["choices"][0]["delta"] == {"content": " there"}, "a second role begins a second message"
    assert writer.text() == "Hello there"


@pytest.mark.parametrize("more", [{"n": 2}, {"logprobs": True}, {"audio": {"voice": "alloy"}}])
def test_some_answers_cannot_be_gone_on_with(more: Json) -> None:
    assert ChatWriter({**ASKED, "n": 1}, kept=False).resumable
    assert not ChatWriter({**ASKED, **more}, kept=False).resumable


@pytest.mark.parametrize(
    "writer", [ChatWriter(ASKED, kept=False), TranslatedWriter(Surface.MESSAGES, ASKED, kept=False)]
)
def test_a_call_of_a_tool_is_nobody_elses(writer: ChatWriter | TranslatedWriter) -> None:
    writer.feed(piece("I look."))
    assert writer.resumable
    call = {"index": 0, "id": "call_1", "type": "function", "function": {"name": "look", "arguments": "{"}}
    writer.feed(piece(tool_calls=[call]))
    assert not writer.resumable


@pytest.mark.parametrize("surface", [Surface.CHAT, Surface.MESSAGES, Surface.RESPONSES])
@pytest.mark.parametrize("begun", [True, False])
def test_a_broken_answer_never_looks_whole(surface: Surface, begun: bool) -> None:
    writer = writer_for(surface, Surface.CHAT, {**ASKED, "max_tokens": 9, "input": "x"})
    sent = writer.feed(piece("Hello")) if begun else b""
    sent += writer.fail(BROKEN)
    kinds = [each.get("type") for each in events(sent)]
    assert b"[DONE]" not in sent
    assert not {"message_stop", "response.completed"} & set(kinds)
    assert "error" in events(sent)[-1]
    assert "It was cut." in sent.decode()


def native(*kinds: str) -> list[Piece]:
    """Events of Anthropic's stream; the last one is the end when it is `message_stop`."""
    return [Piece(data={"type": kind}, raw=frame({"type": kind}, kind), end=kind == "message_stop") for kind in kinds]


def test_a_native_stream_has_one_end_whoever_says_it() -> None:
    for kinds in (("message_start", "message_delta", "message_stop"), ("message_start", "message_delta")):
        writer = NativeWriter(Surface.MESSAGES, ASKED, kept=False)
        sent = b"".join(writer.feed(each) for each in native(*kinds)) + writer.finish()
        assert [each["type"] for each in events(sent)] == ["message_start", "message_delta", "message_stop"]


def test_a_native_stream_of_responses_ends_by_itself() -> None:
    writer = NativeWriter(Surface.RESPONSES, ASKED, kept=False)
    assert writer.finish() == b""


def test_what_nobody_wants_to_keep_is_not_put_together() -> None:
    for surface, spoken in ((Surface.CHAT, Surface.CHAT), (Surface.MESSAGES, Surface.CHAT), (Surface.MESSAGES,) * 2):
        writer = writer_for(surface, spoken, {**ASKED, "max_tokens": 9}, kept=False)
        writer.feed(piece("Hello"))
        assert writer.complete() is None


def test_half_a_sound_breaks_the_connection_and_half_a_transcript_says_so() -> None:
    with pytest.raises(BrokenOff):
        BytesWriter("audio/mpeg").fail(BROKEN)
    assert events(BytesWriter("text/event-stream; charset=utf-8").fail(BROKEN))[0]["error"]["message"] == "It was cut."
    writer = writer_for(Surface.SPEECH, Surface.SPEECH, {}, content_type="audio/mpeg")
    assert (writer.feed(Piece(raw=b"ID3")), writer.finish(), writer.complete(), writer.resumable) == (
        b"ID3",
        b"",
        None,
        False,
    )


@given(words=st.lists(st.text(min_size=1, max_size=8), min_size=1, max_size=12), seam=st.integers(0, 12))
def test_an_answer_of_two_parts_reads_as_one(words: list[str], seam: int) -> None:
    """Whatever the words and wherever the seam: text sent, text remembered and text kept are the same."""
    writer = ChatWriter(ASKED, kept=True)
    sent = b""
    for number, word in enumerate(words):
        if number == seam:
            writer.resume()
        sent += writer.feed(piece(word, ident="chatcmpl-1" if number < seam else "chatcmpl-2"))
    said = "".join(each["choices"][0]["delta"].get("content", "") for each in events(sent))
    whole = writer.complete()
    assert whole is not None
    assert said == writer.text() == whole["choices"][0]["message"]["content"] == "".join(words)
    if seam:
        assert {each["id"] for each in events(sent)} == {"chatcmpl-1"}


@pytest.mark.parametrize("surface", [Surface.CHAT, Surface.MESSAGES])
def test_an_answer_without_end_is_not_held_in_memory(surface: Surface) -> None:
    writer = writer_for(surface, Surface.CHAT, {**ASKED, "max_tokens": 9})
    writer.forget()
    for _ in range(201):
        writer.feed(piece("x" * 1000))
    assert (writer.resumable, writer.text(), writer.complete()) == (False, "", None)
    short = writer_for(surface, Surface.CHAT, {**ASKED, "max_tokens": 9})
    for _ in range(200):
        short.feed(piece("x" * 1000))
    assert short.resumable
    assert len(short.text()) == 200_000
