"""OpenAI's own API: what is sent for each surface, and how answers of audio and embeddings are read."""

from __future__ import annotations

import base64
import sys
from types import ModuleType
from typing import Any

import msgspec
import pytest

from mrblue_cli.gateway.model import Call, CallError, FaultKind, Part, Piece, Reply, Surface, Usage
from mrblue_cli.gateway.providers.openai import translator
from mrblue_cli.gateway.providers.openai_reply import FAILED, FINISH, chat_usage, finish_of, media_usage
from mrblue_cli.gateway.providers.openai_stream import ChatStream, MediaStream
from mrblue_cli.gateway.providers.registry import provider
from mrblue_cli.gateway.sse import MAX_EVENT, frame
from tests.gateway.providers.samples import chat, heard, read, sent, target

ADAPTER = provider("openai")
SOUND = Part(name="file", data=b"RIFF", filename="a.wav", content_type="audio/wav")


@pytest.mark.parametrize(
    ("surface", "path"),
    [
        (Surface.CHAT, "chat/completions"),
        (Surface.RESPONSES, "responses"),
        (Surface.EMBEDDINGS, "embeddings"),
        (Surface.SPEECH, "audio/speech"),
    ],
)
@pytest.mark.parametrize("url", ["", "https://proxy.example.org/v1", "https://proxy.example.org/v1/"])
def test_addresses(surface: Surface, path: str, url: str) -> None:
    call = Call(surface=surface, body={"messages": [], "input": "x"})
    base = url.rstrip("/") or "https://api.openai.com/v1"
    assert ADAPTER.request(call, target("openai", url=url)).url == f"{base}/{path}"


def test_sound_is_asked_for_as_it_comes() -> None:
    made = ADAPTER.request(Call(surface=Surface.SPEECH, body={"input": "x"}, stream=True), target("openai"))
    assert made.headers["accept"] == "*/*"
    assert ADAPTER.request(chat(stream=True), target("openai")).headers["accept"] == "text/event-stream"
    assert ADAPTER.request(chat(), target("openai")).headers["accept"] == "application/json"


def test_accounts_come_from_options() -> None:
    made = ADAPTER.request(chat(), target("openai", options=(("organization", "org-1"), ("project", "proj_2"))))
    assert made.headers["openai-organization"] == "org-1"
    assert made.headers["openai-project"] == "proj_2"
    assert "openai-project" not in ADAPTER.request(chat(), target("openai")).headers


@pytest.mark.parametrize("model", ["o1", "o3-mini", "o4-mini", "gpt-5", "gpt-5-mini", "gpt-5.2", "gpt-6", "openai/o3"])
def test_reasoning_models_get_the_new_name_and_no_sampling(model: str) -> None:
    body = sent(
        "openai", chat(max_tokens=9, temperature=0.3, top_p=0.5, presence_penalty=1, logprobs=True), model=model
    )
    assert body["max_completion_tokens"] == 9
    assert not {"max_tokens", "temperature", "top_p", "presence_penalty", "logprobs"} & set(body)
    assert body["model"] == model


@pytest.mark.parametrize("model", ["gpt-4o", "gpt-4.1-mini", "gpt-3.5-turbo", "chatgpt-4o-latest", "omni-thing"])
def test_other_models_keep_theirs(model: str) -> None:
    body = sent("openai", chat(max_tokens=9, temperature=0.3), model=model)
    assert (body["max_tokens"], body["temperature"]) == (9, 0.3)
    body = sent("openai", chat(max_completion_tokens=8), model=model)
    assert body["max_completion_tokens"] == 8
    assert "max_tokens" not in body


def test_configured_temperature_does_not_reach_reasoning_models() -> None:
    assert "temperature" not in sent("openai", chat(), model="o3", temperature=0.5)


@pytest.mark.parametrize(
    ("model", "effort", "kept"),
    [("gpt-5.1", "none", True), ("gpt-5.1", "low", False), ("gpt-5", "none", False), ("gpt-5-chat-latest", None, True)],
)
def test_sampling_stays_where_reasoning_is_off(model: str, effort: str | None, kept: bool) -> None:
    more = {"reasoning_effort": effort} if effort else {}
    assert ("temperature" in sent("openai", chat(temperature=0.4, **more), model=model)) is kept


def test_streams_always_ask_for_usage() -> None:
    body = sent("openai", chat(stream=True))
    assert body["stream"] is True
    assert body["stream_options"] == {"include_usage": True}
    body = sent("openai", chat(stream=True, stream_options={"include_usage": False, "include_obfuscation": False}))
    assert body["stream_options"] == {"include_usage": True, "include_obfuscation": False}


def test_a_plain_call_has_no_trace_of_streaming() -> None:
    body = sent("openai", _was_stream())
    assert "stream" not in body
    assert "stream_options" not in body


def _was_stream() -> Call:
    call = chat(stream_options={"include_usage": True})
    call.body["stream"] = True
    return call


def test_everything_else_passes_untouched() -> None:
    more = {"tools": [{"type": "custom", "x": 1}], "metadata": {"a": "b"}, "new_thing": [1, {"y": None}], "n": 2}
    body = sent("openai", chat(**more))
    assert {name: body[name] for name in more} == more


def test_an_odd_limit_is_left_to_the_provider() -> None:
    assert sent("openai", chat(max_tokens="many"), max_tokens=5)["max_tokens"] == "many"


def test_what_json_cannot_hold_is_a_bad_request() -> None:
    with pytest.raises(CallError) as caught:
        ADAPTER.request(chat([{"role": "user", "content": object()}]), target("openai"))
    assert caught.value.fault.kind is FaultKind.BAD_REQUEST


def test_responses_bodies() -> None:
    call = Call(surface=Surface.RESPONSES, body={"input": "x", "model": "m", "temperature": 0.1}, stream=True)
    body = msgspec.json.decode(ADAPTER.request(call, target("openai", max_tokens=5)).body)
    assert body["max_output_tokens"] == 16  # the least that the endpoint takes
    assert body["stream"] is True
    assert body["temperature"] == 0.1
    call = Call(surface=Surface.RESPONSES, body={"input": "x", "temperature": 0.1})
    body = msgspec.json.decode(ADAPTER.request(call, target("openai", model="o3", max_tokens=500)).body)
    assert body["max_output_tokens"] == 500
    assert body["stream"] is False
    assert "temperature" not in body


def test_embeddings_pass_as_they_are() -> None:
    call = Call(surface=Surface.EMBEDDINGS, body={"input": [1, 2], "encoding_format": "base64", "stream": False})
    body = msgspec.json.decode(ADAPTER.request(call, target("openai", max_tokens=5, temperature=1.0)).body)
    assert body == {"input": [1, 2], "encoding_format": "base64", "model": "some-model"}


def test_embeddings_are_read() -> None:
    answer = {"object": "list", "data": [{"embedding": [1.0]}], "usage": {"prompt_tokens": 8, "total_tokens": 8}}
    made = ADAPTER.reply(Call(surface=Surface.EMBEDDINGS, body={}), {}, msgspec.json.encode(answer))
    assert made.usage == Usage(input_tokens=8)
    assert made.body == answer
    for wrong in ({"data": []}, {"error": {"message": "no"}}, {}):
        with pytest.raises(CallError):
            ADAPTER.reply(Call(surface=Surface.EMBEDDINGS, body={}), {}, msgspec.json.encode(wrong))


# Transcription.


def _transcribe(body: dict[str, Any], stream: bool = False) -> Call:
    return Call(surface=Surface.TRANSCRIPTION, body={"model": "m", **body}, parts=(SOUND,), stream=stream)


def test_a_transcription_is_a_form() -> None:
    call = _transcribe({"language": "de", "timestamp_granularities": ["word", "segment"], "prompt": None})
    made = ADAPTER.request(call, target("openai", model="whisper-1", temperature=0.2))
    assert made.url.endswith("/audio/transcriptions")
    assert made.body == b""
    assert "content-type" not in made.headers
    fields = [(part.name, part.data) for part in made.parts]
    assert fields == [
        ("model", b"whisper-1"),
        ("language", b"de"),
        ("timestamp_granularities[]", b"word"),
        ("timestamp_granularities[]", b"segment"),
        ("temperature", b"0.2"),
        ("file", b"RIFF"),
    ]


def test_a_streamed_transcription_says_so_and_a_plain_one_does_not() -> None:
    made = ADAPTER.request(_transcribe({}, stream=True), target("openai"))
    assert ("stream", b"true") in [(part.name, part.data) for part in made.parts]
    made = ADAPTER.request(_transcribe({"stream": "true"}), target("openai"))
    assert "stream" not in [part.name for part in made.parts]


def test_a_transcription_without_a_file_is_a_bad_request() -> None:
    with pytest.raises(CallError) as caught:
        ADAPTER.request(Call(surface=Surface.TRANSCRIPTION, body={}), target("openai"))
    assert (caught.value.fault.kind, caught.value.fault.param) == (FaultKind.BAD_REQUEST, "file")


@pytest.mark.parametrize(
    ("form", "head", "body", "text", "usage"),
    [
        ("json", "application/json", b'{"text":"hi"}', "hi", None),
        ("json", "", b'{"text":"hi","usage":{"type":"duration","seconds":3}}', "hi", Usage(seconds=3.0)),
        (
            "json",
            "",
            b'{"text":"hi","usage":{"input_tokens":14,"output_tokens":9,"input_token_details":{"audio_tokens":14}}}',
            "hi",
            Usage(input_tokens=14, output_tokens=9, audio_input_tokens=14),
        ),
        ("verbose_json", "", b'{"text":"hi","duration":2.5,"segments":[]}', "hi", Usage(seconds=2.5)),
        ("text", "text/plain", b"hi\n", "hi", None),
        ("srt", "text/plain", b"1\n00:00\nhi\n", "1\n00:00\nhi", None),
        ("vtt", "text/vtt", b"WEBVTT\n\nhi", "WEBVTT\n\nhi", None),
    ],
)
def test_transcripts(form: str, head: str, body: bytes, text: str, usage: Usage | None) -> None:
    made = ADAPTER.reply(_transcribe({"response_format": form}), {"content-type": head} if head else {}, body)
    assert (made.text, made.usage, made.finish) == (text, usage, "stop")
    assert isinstance(made.body, bytes) is (form in {"text", "srt", "vtt"})
    if isinstance(made.body, bytes):
        assert made.content_type == head
        assert made.body == body


@pytest.mark.parametrize("body", [b"{}", b"[]", b"hi", b'{"text":5}', b'{"error":{"message":"no"}}'])
def test_transcripts_that_are_none(body: bytes) -> None:
    with pytest.raises(CallError):
        ADAPTER.reply(_transcribe({}), {}, body)


def test_a_streamed_transcription_is_read() -> None:
    events = [
        frame({"type": "transcript.text.delta", "delta": "Hello "}),
        frame({"type": "transcript.text.delta", "delta": "you"}),
        frame({"type": "transcript.text.done", "text": "Hello you", "usage": {"type": "duration", "seconds": 4}}),
        b"data: [DONE]\n\n",
    ]
    pieces = read(ADAPTER.stream(_transcribe({}, stream=True)), events)
    made = heard(pieces)
    assert (made.text, made.finish, made.ends) == ("Hello you", "stop", 1)
    assert pieces[-1].usage == Usage(seconds=4.0)
    assert b"".join(piece.raw for piece in pieces) == b"".join(events[:3])


@pytest.mark.parametrize(
    "data",
    [
        b"data: {\n\n",
        frame({"type": "error", "error": {"message": "no"}}),
        frame({"type": "transcript.text.delta"}),
        b"",
    ],
)
def test_a_broken_media_stream_is_a_fault(data: bytes) -> None:
    assert heard(read(MediaStream("transcript.text"), [data])).fault


# Speech.


def _speak(stream: bool = False, **more: Any) -> Call:
    return Call(surface=Surface.SPEECH, body={"input": "Hello — you", "voice": "x", **more}, stream=stream)


def test_speech_is_bytes() -> None:
    made = ADAPTER.reply(_speak(), {"content-type": "audio/mpeg"}, b"\xff\xfb")
    assert (made.body, made.content_type, made.usage) == (b"\xff\xfb", "audio/mpeg", Usage(characters=11))


@pytest.mark.parametrize(
    ("kind", "body"),
    [("application/json", b'{"error":{"message":"no"}}'), ("application/json", b"{}"), ("audio/mpeg", b"")],
)
def test_speech_that_is_none(kind: str, body: bytes) -> None:
    with pytest.raises(CallError):
        ADAPTER.reply(_speak(), {"content-type": kind}, body)


def test_streamed_speech_passes_as_it_comes() -> None:
    pieces = read(ADAPTER.stream(_speak(stream=True)), [b"ab", b"", b"\n\ncd"])
    assert [piece.raw for piece in pieces] == [b"ab", b"\n\ncd", b""]
    assert [piece.token for piece in pieces] == [True, True, False]
    assert pieces[-1].end
    assert pieces[-1].usage == Usage(characters=11)
    assert read(ADAPTER.stream(_speak(stream=True)), [])[0].fault is not None


def test_streamed_speech_as_events() -> None:
    sound = base64.b64encode(b"snd").decode()
    events = [
        frame({"type": "speech.audio.delta", "audio": sound}),
        frame({"type": "speech.audio.done", "usage": {"input_tokens": 3, "output_tokens": 50, "total_tokens": 53}}),
    ]
    pieces = read(ADAPTER.stream(_speak(stream=True, stream_format="sse")), events)
    assert pieces[0].token
    assert pieces[1].end
    assert pieces[1].usage == Usage(input_tokens=3, output_tokens=50)


# Usage, finish reasons, odd chunks.


@pytest.mark.parametrize(
    ("value", "usage"),
    [
        (None, None),
        ({}, None),
        ("x", None),
        ({"prompt_tokens": 3}, Usage(input_tokens=3)),
        ({"input_tokens": 3, "output_tokens": 4}, Usage(input_tokens=3, output_tokens=4)),
        ({"prompt_tokens": -3, "completion_tokens": True}, Usage()),
        ({"prompt_tokens": 2.0, "completion_tokens": "9"}, Usage(input_tokens=2)),
        ({"prompt_tokens": 5, "cached_tokens": 3}, Usage(input_tokens=5, cached_input_tokens=3)),
        (
            {"prompt_tokens": 5, "prompt_tokens_details": {"cached_tokens": 9}},
            Usage(input_tokens=5, cached_input_tokens=5),
        ),
        (
            {
                "prompt_tokens": 9,
                "prompt_tokens_details": {
                    "cached_tokens": 4,
                    "audio_tokens": 6,
                    "image_tokens": 2,
                    "cached_tokens_details": {"audio_tokens": 3},
                },
                "completion_tokens": 8,
                "completion_tokens_details": {"audio_tokens": 5, "reasoning_tokens": 1},
            },
            Usage(
                input_tokens=9,
                output_tokens=8,
                cached_input_tokens=4,
                audio_input_tokens=6,
                cached_audio_input_tokens=3,
                image_input_tokens=2,
                audio_output_tokens=5,
                reasoning_tokens=1,
            ),
        ),
    ],
)
def test_usage(value: Any, usage: Usage | None) -> None:
    assert chat_usage(value) == usage


def test_media_usage_without_anything_is_unknown() -> None:
    assert media_usage(None) is None
    assert media_usage({"type": "duration", "seconds": -1}) is None
    assert media_usage({"prompt_audio_seconds": 7, "prompt_tokens": 2}) == Usage(input_tokens=2, seconds=7.0)


def test_finish_reasons() -> None:
    four = {"stop", "length", "tool_calls", "content_filter"}
    assert set(FINISH.values()) == four
    assert all(finish_of(reason) == reason for reason in four)
    assert finish_of("function_call") == "tool_calls"
    assert finish_of("something_new") == "stop"
    assert finish_of(None) == finish_of("") == finish_of(7) == ""
    for reason in FAILED:
        with pytest.raises(CallError):
            finish_of(reason)


def test_an_answer_without_choices_is_broken() -> None:
    for body in ({}, {"choices": []}, {"choices": [5]}, {"choices": "x"}):
        with pytest.raises(CallError) as caught:
            ADAPTER.reply(chat(), {}, msgspec.json.encode(body))
        assert caught.value.fault.kind is FaultKind.BROKEN


def test_an_answer_that_broke_off_is_none() -> None:
    body = {"choices": [{"message": {"content": "x"}, "finish_reason": "error"}]}
    with pytest.raises(CallError):
        ADAPTER.reply(chat(), {}, msgspec.json.encode(body))


def test_an_event_without_an_end_is_broken() -> None:
    decoder = ChatStream()
    assert decoder.feed(b"data: ") == []
    pieces: list[Piece] = []
    block = b"x" * (4 * 1024 * 1024)
    for _ in range(MAX_EVENT // len(block) + 1):
        pieces += decoder.feed(block)
    assert [piece.fault.kind for piece in pieces if piece.fault] == [FaultKind.BROKEN]


def test_audio_in_chat_counts_as_a_token() -> None:
    chunk = {"choices": [{"index": 0, "delta": {"audio": {"data": "AA=="}}, "finish_reason": None}]}
    assert ChatStream().feed(frame(chunk))[0].token


def test_a_role_alone_is_no_token() -> None:
    for delta in (
        {"role": "assistant"},
        {"role": "assistant", "content": ""},
        {"content": None, "tool_calls": []},
        None,
    ):
        assert not ChatStream().feed(frame({"choices": [{"index": 0, "delta": delta}]}))[0].token


# What belongs to the surfaces is asked of them.


class FakeTranslator:
    """Stands where the surface's translator will be."""

    def native_stream(self) -> str:
        return "the surface's decoder"

    def native_reply(self, body: bytes) -> Reply:
        return Reply(body=body, text="the surface's reply")


@pytest.mark.parametrize(("kind", "surface"), [("openai", Surface.RESPONSES), ("anthropic", Surface.MESSAGES)])
def test_native_surfaces_are_read_by_their_translator(
    kind: str, surface: Surface, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = ModuleType("mrblue_cli.gateway.surfaces")
    module.TRANSLATORS = {surface: FakeTranslator()}  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "mrblue_cli.gateway.surfaces", module)
    call = Call(surface=surface, body={}, stream=True)
    assert isinstance(translator(surface), FakeTranslator)
    assert str(provider(kind).stream(call)) == "the surface's decoder"
    assert provider(kind).reply(call, {}, b"{}").text == "the surface's reply"


@pytest.mark.parametrize(
    ("cost", "nano"),
    [(0.00123, 1_230_000), (0, 0), (2, 2_000_000_000), (None, None), (True, None), (-1, None), ("0.1", None)],
)
def test_a_provider_that_says_what_a_call_cost_is_heard(cost, nano):
    usage = chat_usage({"prompt_tokens": 3, "completion_tokens": 4, "cost": cost})
    assert usage is not None
    assert usage.reported_nano == nano
