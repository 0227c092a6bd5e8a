"""The scripted provider: its answers fit the request, are the same each time, and its faults are real faults."""

from __future__ import annotations

import base64
import io
import struct
import wave
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrblue_cli.audio.wav import parse_wav
from mrblue_cli.gateway.model import Call, CallError, FaultKind, Json, Part, Reply, Surface
from mrblue_cli.gateway.providers.registry import provider
from mrblue_cli.gateway.providers.scripted import LocalProvider, Scripted, ScriptedAnswer
from mrblue_cli.gateway.providers.scripted_media import beeps, vector, wav_seconds
from mrblue_cli.gateway.providers.scripted_text import Orders, example, orders, tokens
from tests.gateway.providers.samples import KINDS, Heard, chat, heard, read, target

DEMO = Scripted()
WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}, "days": {"type": "integer"}}},
    },
}
CLOCK = {"type": "function", "function": {"name": "getClock", "parameters": {"type": "object", "properties": {}}}}


def play(call: Call, **more: Any) -> ScriptedAnswer:
    aim = target("scripted", **more)
    assert DEMO.request(call, aim).url
    return DEMO.play(call, aim)


def replied(call: Call, **more: Any) -> Reply:
    made = play(call, **more)
    assert made.status == 200
    assert not made.cut
    return DEMO.reply(call, made.headers, b"".join(data for _, data in made.steps))


def streamed(text: str, prefill: str = "", aim: Json | None = None, **more: Any) -> Heard:
    call = chat([{"role": "user", "content": text}], stream=True, prefill=prefill, **more)
    made = play(call, **(aim or {}))
    assert made.status == 200
    return heard(read(DEMO.stream(call), [data for _, data in made.steps]))


def asked(text: str, **more: Any) -> Call:
    return chat([{"role": "user", "content": text}], **more)


def test_it_is_the_only_local_one_of_ours() -> None:
    assert [kind for kind in KINDS if isinstance(provider(kind), LocalProvider)] == ["scripted"]
    assert DEMO.traits.keyless


def test_it_says_what_it_is_and_repeats_the_question() -> None:
    reply = replied(asked("Which port is taken?"), model="demo-chat")
    assert "demo-chat is a script" in reply.text
    assert "not an AI" in reply.text
    assert "“Which port is taken?”" in reply.text
    assert "4 words" in reply.text
    assert reply.usage is not None
    assert reply.usage.output_tokens == len(tokens(reply.text))
    assert reply.finish == "stop"


def test_the_same_question_gets_the_same_answer_as_a_stream_too() -> None:
    first, again, stream = replied(asked("Hello?")), replied(asked("Hello?")), streamed("Hello?")
    assert first == again
    assert stream.text == first.text
    assert stream.usage == msgspec.to_builtins(first.usage)
    assert stream.ends == 1
    assert replied(asked("Goodbye?")).text != first.text


def test_limits_cut_and_say_so() -> None:
    reply = replied(asked("Hello?", max_tokens=5))
    assert (len(tokens(reply.text)), reply.finish) == (5, "length")
    assert streamed("Hello?", max_tokens=5).finish == "length"
    assert replied(asked("Hello?"), max_tokens=7).finish == "length"


def test_an_answer_goes_on_from_a_prefill() -> None:
    whole = streamed("Hello?").text
    half = whole[: len(whole) // 3]
    assert half + streamed("Hello?", prefill=half).text == whole
    assert streamed("Hello?", prefill="something else ").text == whole


def test_a_cut_answer_is_completed_by_the_next_one() -> None:
    first = streamed("Hello? /cut 9")
    assert first.fault == "broken"
    assert len(tokens(first.text)) == 9
    rest = streamed("Hello? /cut 9", prefill=first.text)
    assert not rest.fault
    assert first.text + rest.text == streamed("Hello?").text


# Tools and formats.


def test_it_calls_the_tool_that_is_spoken_of() -> None:
    call = asked('What is the weather in "Porto" for 3 days?', tools=[WEATHER, CLOCK])
    reply = replied(call)
    assert isinstance(reply.body, dict)
    calls = reply.body["choices"][0]["message"]["tool_calls"]
    assert [(one["function"]["name"], msgspec.json.decode(one["function"]["arguments"])) for one in calls] == [
        ("get_weather", {"city": "Porto", "days": 3})
    ]
    assert reply.finish == "tool_calls"
    call.stream = True
    made = heard(read(DEMO.stream(call), [data for _, data in play(call).steps]))
    assert made.tools == [["get_weather", calls[0]["function"]["arguments"]]]


@pytest.mark.parametrize(
    ("text", "choice", "names"),
    [
        ("hello", None, []),
        ("hello", "required", ["get_weather"]),
        ("hello", {"type": "function", "function": {"name": "getClock"}}, ["getClock"]),
        ("what does the clock say", None, ["getClock"]),
        ("weather and clock", None, ["get_weather", "getClock"]),
        ("weather and clock", "none", []),
    ],
)
def test_choices_of_tools(text: str, choice: Any, names: list[str]) -> None:
    more = {"tool_choice": choice} if choice else {}
    reply = replied(asked(text, tools=[WEATHER, CLOCK], **more))
    assert isinstance(reply.body, dict)
    calls = reply.body["choices"][0]["message"].get("tool_calls", [])
    assert [call["function"]["name"] for call in calls] == names


def test_a_tools_result_is_answered_in_words() -> None:
    messages = [
        {"role": "user", "content": "weather"},
        {"role": "assistant", "tool_calls": [{"id": "a", "function": {"name": "get_weather", "arguments": "{}"}}]},
        {"role": "tool", "tool_call_id": "a", "content": "sunny"},
    ]
    reply = replied(chat(messages, tools=[WEATHER]))
    assert "sunny" in reply.text
    assert reply.finish == "stop"


def test_json_fits_the_schema() -> None:
    schema = {
        "type": "object",
        "properties": {
            "city": {"type": "string", "maxLength": 5},
            "count": {"type": "integer", "minimum": 2, "maximum": 4},
            "kind": {"enum": ["cold", "warm"]},
            "tags": {"type": "array", "items": {"type": "string", "minLength": 8}, "minItems": 2},
            "when": {"type": "string", "format": "date"},
            "maybe": {"anyOf": [{"type": "null"}, {"type": "boolean"}]},
            "place": {"$ref": "#/$defs/place"},
            "both": {"allOf": [{"properties": {"a": {"const": 1}}}, {"properties": {"b": {"default": 2}}}]},
            "none": {"type": "null"},
            "list": {"type": ["null", "number"]},
        },
        "$defs": {"place": {"type": "object", "properties": {"lat": {"type": "number"}}}},
    }
    call = asked(
        "A warm day in Lisboa, 9 of them", response_format={"type": "json_schema", "json_schema": {"schema": schema}}
    )
    made = msgspec.json.decode(replied(call).text)
    assert made == {
        "city": "Lisbo",
        "count": 4,
        "kind": "warm",
        "tags": ["Lisboa d", "Lisboa d"],
        "when": "2026-01-31",
        "maybe": True,
        "place": {"lat": 9.0},
        "both": {"a": 1, "b": 2},
        "none": None,
        "list": 9.0,
    }
    plain = msgspec.json.decode(replied(asked("x", response_format={"type": "json_object"})).text)
    assert "demo" in plain["answer"]


def test_a_schema_without_a_bottom_ends() -> None:
    tree: Json = {"type": "object", "properties": {name: {"$ref": "#"} for name in "abcdefgh"}}
    assert isinstance(example(tree, "x"), dict)
    assert isinstance(example({"type": "array", "items": {"$ref": "#"}}, "x"), list)


WORDS = ["type", "properties", "items", "enum", "anyOf", "allOf", "$ref", "format", "minimum", "maximum", "minItems"]
SCHEMAS: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.text(max_size=8) | st.integers() | st.sampled_from(["object", "array", "#"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=4),
    max_leaves=12,
)


@given(SCHEMAS)
def test_any_schema_gives_json(schema: Any) -> None:
    assert msgspec.json.encode(example(schema, "seven 7 Dogs"))


# Orders.


@pytest.mark.parametrize(
    ("text", "want", "rest"),
    [
        ("hello", {}, "hello"),
        ("hello /fail 429 there", {"fail": 429}, "hello there"),
        ("/fail", {"fail": 503}, ""),
        ("/fail 200", {"fail": 503}, ""),
        ("/slow 2.5 /pace 0.1 x", {"slow": 2.5, "pace": 0.1}, "x"),
        ("/slow 999999", {"slow": 3600.0}, ""),
        ("/cut 40 @b", {}, ""),
        ("/cut 40 @a", {"cut": 40}, ""),
        ("/cut 40 @b /cut 3 @a", {"cut": 3}, ""),
        (
            "/garble /unended /filter /long /reset",
            {"garble": 5, "unended": True, "filter": True, "long": True, "reset": True},
            "",
        ),
        ("/failure path/fail /stall", {"stall": 10.0}, "/failure path/fail"),
    ],
)
def test_orders(text: str, want: Json, rest: str) -> None:
    assert orders(text, "a", Orders()) == (Orders(**want), rest)


@given(st.text(max_size=200))
def test_any_text_can_be_read_for_orders(text: str) -> None:
    made, rest = orders(text, "a", Orders())
    assert isinstance(made, Orders)
    assert orders(rest, "a", Orders())[0] == Orders() or "/" in rest


@pytest.mark.parametrize("status", [400, 401, 404, 429, 500, 503, 529])
def test_it_fails_as_it_is_told(status: int) -> None:
    made = play(asked(f"x /fail {status}"))
    fault = DEMO.fault(made.status, made.headers, made.steps[0][1])
    assert made.status == fault.status == status
    assert str(status) in fault.message
    assert fault.retry_after == (1.0 if status == 429 else None)


@pytest.mark.parametrize(
    ("order", "kind"), [("/filter", FaultKind.CONTENT_FILTER), ("/long", FaultKind.CONTEXT_TOO_LONG)]
)
def test_it_refuses_as_it_is_told(order: str, kind: FaultKind) -> None:
    made = play(asked(f"x {order}"))
    assert DEMO.fault(made.status, made.headers, made.steps[0][1]).kind is kind


def test_it_is_slow_stalls_and_paces_as_it_is_told() -> None:
    assert play(asked("x /slow 2")).steps[0][0] == 2.0
    steps = play(asked("x /slow 2 /pace 0.5 /stall 7", stream=True)).steps
    waits = [wait for wait, _ in steps]
    assert waits[0] == 2.0
    assert waits.count(7.5) == 1
    assert waits[1] == 0.5


def test_it_breaks_as_it_is_told() -> None:
    assert play(asked("x /reset")) == ScriptedAnswer(cut=True)
    made = play(asked("x /cut 4", stream=True))
    assert made.cut
    made = play(asked("x /cut 4"))
    assert made.cut
    with pytest.raises(CallError):
        DEMO.reply(asked("x"), made.headers, made.steps[0][1])
    with pytest.raises(CallError):
        replied(asked("x /garble"))
    assert streamed("x /garble 3").fault == "broken"
    ends = streamed("x /unended")
    assert (ends.fault, ends.ends) == ("broken", 0)
    assert ends.text == streamed("x").text


def test_a_route_may_be_flaky_or_steady_by_its_options() -> None:
    assert play(asked("x"), options=(("fail", "500"),)).status == 500
    assert play(asked("x"), options=(("slow", "1.5"), ("nonsense", "y"))).steps[0][0] == 1.5
    assert play(asked("x /fail 500"), options=(("steady", "true"),)).status == 200
    assert streamed("x", aim={"options": (("cut", "3"),)}).fault == "broken"
    assert not streamed("x", prefill="This ", aim={"options": (("cut", "3"),)}).fault


# Embeddings.


def embeddings(**body: Any) -> Call:
    return Call(surface=Surface.EMBEDDINGS, body={"model": "demo-embed", **body})


def vectors(call: Call) -> list[Any]:
    body = replied(call).body
    assert isinstance(body, dict)
    return [row["embedding"] for row in body["data"]]


def test_vectors_have_length_one_and_mean_something() -> None:
    near, same, far = vectors(embeddings(input=["the port is in use", "port already in use", "we dance the tango"]))
    assert len(near) == 256
    assert sum(value * value for value in near) == pytest.approx(1.0)
    dot = lambda a, b: sum(x * y for x, y in zip(a, b, strict=True))  # noqa: E731
    assert dot(near, same) > dot(near, far) + 0.2
    assert vectors(embeddings(input="the port is in use"))[0] == near


def test_vectors_in_other_forms() -> None:
    assert len(vectors(embeddings(input="x", dimensions=8))[0]) == 8
    packed = vectors(embeddings(input="x", dimensions=8, encoding_format="base64"))[0]
    assert struct.unpack("<8f", base64.b64decode(packed)) == pytest.approx(vector("x", 8))
    assert len(vectors(embeddings(input=[[1, 2], [3]]))) == 2
    assert len(vectors(embeddings(input=[1, 2]))) == 1


@pytest.mark.parametrize(
    "body", [{}, {"input": []}, {"input": [{}]}, {"input": "x", "dimensions": 0}, {"input": "x", "dimensions": 10**9}]
)
def test_what_cannot_be_embedded(body: Json) -> None:
    assert play(embeddings(**body)).status == 400


@given(st.text(max_size=100), st.integers(1, 64))
def test_any_text_has_a_vector_of_length_one(text: str, dimensions: int) -> None:
    made = vector(text, dimensions)
    assert len(made) == dimensions
    assert sum(value * value for value in made) == pytest.approx(1.0)


# Sound.


def transcription(stream: bool = False, data: bytes | None = None, **body: Any) -> Call:
    part = Part(name="file", data=data if data is not None else _wav(2.0), filename="a.wav")
    return Call(surface=Surface.TRANSCRIPTION, body=body, parts=(part,), stream=stream)


def _wav(seconds: float) -> bytes:
    made = io.BytesIO()
    with wave.open(made, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(b"\0\0" * int(16_000 * seconds))
    return made.getvalue()


def test_it_does_not_pretend_to_hear() -> None:
    reply = replied(transcription())
    assert "cannot hear" in reply.text
    assert "2.0 seconds" in reply.text
    assert reply.usage is not None
    assert reply.usage.seconds == 2.0
    assert "4 bytes" in replied(transcription(data=b"RIFF")).text


@pytest.mark.parametrize("form", ["json", "text", "srt", "vtt", "verbose_json"])
def test_transcripts_in_all_forms(form: str) -> None:
    reply = replied(transcription(response_format=form))
    assert "demo" in reply.text
    assert isinstance(reply.body, bytes) is (form in {"text", "srt", "vtt"})
    if form == "srt":
        assert "00:00:00,000 --> 00:00:02,000" in reply.text
    if form == "vtt":
        assert reply.text.startswith("WEBVTT")
    if isinstance(reply.body, dict) and form == "verbose_json":
        assert reply.body["duration"] == 2.0


def test_a_streamed_transcript() -> None:
    call = transcription(stream=True)
    made = heard(read(DEMO.stream(call), [data for _, data in play(call).steps]))
    assert made.text == replied(transcription()).text
    assert made.ends == 1


def speech(stream: bool = False, **body: Any) -> Call:
    return Call(surface=Surface.SPEECH, body={"model": "demo", "voice": "x", **body}, stream=stream)


def test_speech_is_one_beep_for_each_word() -> None:
    reply = replied(speech(input="one two three", response_format="mp3"))
    assert reply.content_type == "audio/wav"
    assert isinstance(reply.body, bytes)
    sound = parse_wav(reply.body, "demo")
    assert sound.rate == 24_000
    assert 0.3 < sound.seconds < 1.0
    assert 0.05 < float(abs(sound.samples).max()) < 0.3
    assert wav_seconds(reply.body) == pytest.approx(sound.seconds)
    assert reply.usage is not None
    assert reply.usage.characters == 13


def test_speech_bare_streamed_and_as_events() -> None:
    bare = replied(speech(input="one two", response_format="pcm"))
    assert (bare.body, bare.content_type) == (beeps("one two"), "audio/pcm")
    call = speech(stream=True, input="one two", response_format="pcm")
    pieces = read(DEMO.stream(call), [data for _, data in play(call).steps])
    assert b"".join(piece.raw for piece in pieces) == bare.body
    assert pieces[-1].end
    call = speech(stream=True, input="one two", response_format="pcm", stream_format="sse")
    pieces = read(DEMO.stream(call), [data for _, data in play(call).steps])
    assert pieces[0].data is not None
    assert base64.b64decode(pieces[0].data["audio"]) == bare.body


def test_speech_without_words_is_a_bad_request_and_long_ones_end() -> None:
    assert play(speech()).status == 400
    assert len(beeps("word " * 10_000)) < 24_000 * 2 * 10
    assert play(speech(input="x /fail 503")).status == 503
