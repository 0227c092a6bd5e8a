"""What every adapter must do, whoever is behind it."""

from __future__ import annotations

import copy
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mrblue_cli.gateway.model import Call, CallError, Fault, FaultKind, Reply, Surface, Usage
from mrblue_cli.gateway.providers.registry import kinds, provider, takes_prefill
from tests.gateway.providers.samples import FAMILIES, KEY, KINDS, Sample, calls_of, chat, heard, read, samples, target


def quick(examples: int) -> settings:
    """Few examples, since every adapter gets them; slow machines do not fail for being slow."""
    return settings(max_examples=examples, deadline=None, suppress_health_check=[HealthCheck.too_slow])


STREAMS, REPLIES = samples(".sse"), samples(".json")
READ_BY_SURFACES = {Surface.RESPONSES, Surface.MESSAGES}
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**40), 2**40)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
NAMES = st.sampled_from(
    [
        "type",
        "error",
        "message",
        "choices",
        "delta",
        "content",
        "text",
        "index",
        "finish_reason",
        "usage",
        "tool_calls",
        "function",
        "arguments",
        "candidates",
        "parts",
        "functionCall",
        "promptFeedback",
        "finishReason",
        "id",
        "stop_reason",
        "content_block",
        "partial_json",
        "code",
        "status",
        "detail",
    ]
)
SHAPED = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 600)
    | st.text(max_size=20)
    | st.sampled_from(["error", "text", "message_start"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=5),
    max_leaves=20,
)


def test_every_kind_is_known_to_these_tests() -> None:
    assert set(KINDS) == set(kinds())


@pytest.mark.parametrize("kind", KINDS)
def test_the_adapter_calls_itself_by_its_kind_and_says_where_it_is(kind: str) -> None:
    adapter = provider(kind)
    assert adapter.kind == kind
    assert Surface.CHAT in adapter.traits.native
    assert adapter.traits.keyless or adapter.traits.key_variable.endswith("_KEY")
    base = adapter.traits.base_url
    assert base.startswith(("https://", "http://localhost", "scripted://")) or kind in {"azure", "openai-compatible"}
    assert not base.endswith("/")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("stream", [False, True])
def test_the_key_is_in_a_header_and_nowhere_else(kind: str, stream: bool) -> None:
    adapter = provider(kind)
    for call in calls_of(adapter):
        call.stream = stream
        made = adapter.request(call, target(kind))
        assert [name for name, value in made.headers.items() if KEY in value], call.surface
        assert KEY not in made.url
        assert KEY.encode() not in made.body
        assert not any(KEY.encode() in part.data for part in made.parts)
        assert KEY not in repr(made)
        assert KEY not in repr(target(kind))


@pytest.mark.parametrize("kind", [kind for kind in KINDS if provider(kind).traits.keyless])
def test_without_a_key_no_header_pretends_to_have_one(kind: str) -> None:
    made = provider(kind).request(chat(), target(kind, api_key=""))
    assert "authorization" not in made.headers


@pytest.mark.parametrize("kind", KINDS)
def test_a_request_leaves_the_call_as_it_was(kind: str) -> None:
    adapter = provider(kind)
    body = _rich_body()
    for call in [Call(surface=Surface.CHAT, body=body, stream=True), *calls_of(adapter)]:
        before = copy.deepcopy(call.body)
        try:
            adapter.request(call, target(kind, max_tokens=10, temperature=0.5))
        except CallError as error:
            assert error.fault.kind in {FaultKind.UNSUPPORTED, FaultKind.BAD_REQUEST}
        assert call.body == before


def _rich_body() -> dict[str, Any]:
    tool = {
        "type": "function",
        "function": {"name": "f", "parameters": {"type": "object", "properties": {"x": {"type": "string"}}}},
    }
    calls = [{"id": "call 1", "type": "function", "function": {"name": "f", "arguments": '{"x":"1"}'}}]
    return {
        "model": "m",
        "messages": [
            {"role": "developer", "content": "Be short.", "name": "boss"},
            {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]},
            {"role": "assistant", "content": None, "tool_calls": calls},
            {"role": "tool", "tool_call_id": "call 1", "content": "ok"},
            {"role": "user", "content": "and?"},
        ],
        "tools": [tool],
        "max_tokens": 500,
        "temperature": 0.2,
        "user": "u",
        "store": True,
        "stream_options": {"include_usage": False},
        "seed": 4,
    }


@pytest.mark.parametrize("kind", KINDS)
def test_defaults_fill_and_bounds_bind(kind: str) -> None:
    adapter = provider(kind)
    for asked, want in ((None, 50), (20, 20), (90, 50)):
        more = {} if asked is None else {"max_tokens": asked}
        body = msgspec.json.decode(adapter.request(chat(**more), target(kind, max_tokens=50, temperature=0.25)).body)
        settings_of = body.get("generationConfig", body)
        limits = [
            settings_of[name]
            for name in ("max_tokens", "max_completion_tokens", "maxOutputTokens")
            if name in settings_of
        ]
        assert limits == [want]
        assert settings_of["temperature"] == 0.25
    body = msgspec.json.decode(adapter.request(chat(temperature=0.75), target(kind, temperature=0.25)).body)
    assert body.get("generationConfig", body)["temperature"] == 0.75


@pytest.mark.parametrize("kind", KINDS)
def test_an_endpoint_is_the_whole_address(kind: str) -> None:
    made = provider(kind).request(chat(), target(kind, url="https://proxy.example.org/x/y", endpoint=True))
    assert made.url == "https://proxy.example.org/x/y"


@pytest.mark.parametrize("kind", KINDS)
def test_configured_headers_win_and_line_breaks_are_refused(kind: str) -> None:
    adapter = provider(kind)
    made = adapter.request(chat(), target(kind, headers=(("Accept", "x/y"), ("X-Team", "blue"))))
    assert made.headers["accept"] == "x/y"
    assert made.headers["x-team"] == "blue"
    with pytest.raises(CallError) as caught:
        adapter.request(chat(), target(kind, api_key="good\r\nx-evil: 1"))
    assert caught.value.fault.kind is FaultKind.AUTH
    assert "evil" not in caught.value.fault.message


@pytest.mark.parametrize("kind", KINDS)
def test_a_surface_that_it_does_not_have_is_unsupported(kind: str) -> None:
    adapter = provider(kind)
    for surface in set(Surface) - adapter.traits.native:
        with pytest.raises(CallError) as caught:
            adapter.request(Call(surface=surface, body={"input": "x"}), target(kind))
        assert caught.value.fault.kind is FaultKind.UNSUPPORTED


@pytest.mark.parametrize("kind", KINDS)
def test_prefill_goes_out_or_is_refused_just_as_the_traits_say(kind: str) -> None:
    adapter = provider(kind)
    call = chat(stream=True, prefill="The port is")
    accepts = takes_prefill(adapter, target(kind).model)
    assert adapter.traits.prefill or not accepts
    if kind == "scripted":
        assert adapter.request(call, target(kind)).url
    elif accepts:
        last = msgspec.json.decode(adapter.request(call, target(kind)).body)["messages"][-1]
        assert last["role"] == "assistant"
        assert "The port is" in str(last["content"])
    else:
        with pytest.raises(CallError) as caught:
            adapter.request(call, target(kind))
        assert caught.value.fault.kind is FaultKind.UNSUPPORTED


@pytest.mark.parametrize("kind", KINDS)
def test_messages_that_are_none_are_a_bad_request_or_the_providers_to_judge(kind: str) -> None:
    for messages in (None, [], "hi", 5, [7]):
        call = Call(surface=Surface.CHAT, body={"model": "m", "messages": messages})
        try:
            made = provider(kind).request(call, target(kind))
        except CallError as error:
            assert error.fault.kind is FaultKind.BAD_REQUEST, messages
        else:
            assert made.body


ODD = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-9, 9)
    | st.sampled_from(
        [
            "user",
            "assistant",
            "tool",
            "system",
            "function",
            "text",
            "image_url",
            "file",
            "input_audio",
            "auto",
            "none",
            "required",
            "json_schema",
            "json_object",
            "object",
            "array",
            "string",
            "high",
            "{}",
            "x",
            "",
        ]
    ),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "role",
                    "content",
                    "type",
                    "text",
                    "image_url",
                    "url",
                    "file",
                    "file_data",
                    "input_audio",
                    "format",
                    "data",
                    "name",
                    "tool_calls",
                    "id",
                    "function",
                    "arguments",
                    "tool_call_id",
                    "parameters",
                    "properties",
                    "json_schema",
                    "schema",
                    "cache_control",
                    "extra_content",
                    "google",
                    "enum",
                    "items",
                    "anyOf",
                    "$ref",
                ]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=14,
)
FIELDS = [
    "tools",
    "tool_choice",
    "response_format",
    "stop",
    "n",
    "user",
    "temperature",
    "max_tokens",
    "reasoning_effort",
    "thinking",
    "max_completion_tokens",
    "stream_options",
    "modalities",
    "logprobs",
    "parallel_tool_calls",
    "input",
    "dimensions",
    "encoding_format",
    "input_type",
    "instructions",
    "reasoning",
    "response_format",
    "stream_format",
    "language",
]


@pytest.mark.parametrize("kind", FAMILIES)
@given(
    messages=st.lists(
        ODD
        | st.fixed_dictionaries(
            {"role": st.sampled_from(["user", "assistant", "tool", "system"]), "content": ODD},
            optional={"tool_calls": st.lists(ODD, max_size=2), "tool_call_id": ODD},
        ),
        max_size=4,
    )
    | ODD,
    body=st.dictionaries(st.sampled_from(FIELDS), ODD, max_size=4),
    prefill=st.sampled_from(["", "go on "]),
    model=st.sampled_from(["claude-3-5-sonnet", "claude-opus-4-7", "gemini-3-pro", "o3", "x/../y"]),
)
@quick(12)
def test_odd_requests_are_refused_or_sent_and_nothing_else(
    kind: str, messages: Any, body: dict[str, Any], prefill: str, model: str
) -> None:
    adapter = provider(kind)
    for surface in sorted(adapter.traits.native):
        call = Call(surface=surface, body={**body, "messages": messages}, stream=bool(prefill), prefill=prefill)
        before = copy.deepcopy(call.body)
        for limit in (None, 5):
            try:
                assert adapter.request(call, target(kind, model=model, max_tokens=limit)).url
            except CallError as error:
                assert error.fault.kind in {FaultKind.UNSUPPORTED, FaultKind.BAD_REQUEST}
                assert error.fault.message
        assert call.body == before
        if surface not in READ_BY_SURFACES:
            adapter.stream(call).close()


# Streams.


@pytest.mark.parametrize("sample", STREAMS, ids=repr)
def test_a_stream_says_what_was_said(sample: Sample) -> None:
    pieces = read(provider(sample.kind).stream(chat(stream=True)), [sample.data])
    made, want = heard(pieces), sample.want
    assert made.text == want["text"]
    assert made.reasoning == want.get("reasoning", "")
    assert made.tools == want.get("tools", [])
    assert made.fault == want.get("fault", "")
    assert made.finish == want.get("finish", "")
    assert made.usage == want.get("usage")
    assert made.ends == (0 if made.fault else 1)


@pytest.mark.parametrize("sample", STREAMS, ids=repr)
@given(data=st.data())
@quick(6)
def test_the_pieces_do_not_depend_on_how_the_bytes_come(sample: Sample, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.sets(st.integers(0, len(sample.data)), max_size=12)))
    blocks = [sample.data[a:b] for a, b in zip([0, *cuts], [*cuts, len(sample.data)], strict=True)]
    adapter = provider(sample.kind)
    assert read(adapter.stream(chat(stream=True)), blocks) == read(adapter.stream(chat(stream=True)), [sample.data])


@pytest.mark.parametrize("sample", STREAMS, ids=repr)
def test_byte_by_byte_with_crlf_it_is_the_same(sample: Sample) -> None:
    adapter = provider(sample.kind)
    windows = sample.data.replace(b"\n", b"\r\n")
    slow = read(adapter.stream(chat(stream=True)), [windows[at : at + 1] for at in range(len(windows))])
    assert slow == read(adapter.stream(chat(stream=True)), [sample.data])


@pytest.mark.parametrize("sample", STREAMS, ids=repr)
def test_a_stream_that_stops_anywhere_is_never_taken_for_whole(sample: Sample) -> None:
    adapter = provider(sample.kind)
    whole = heard(read(adapter.stream(chat(stream=True)), [sample.data]))
    for at in range(0, len(sample.data), 7):
        made = heard(read(adapter.stream(chat(stream=True)), [sample.data[:at]]))
        assert bool(made.ends) != bool(made.fault)
        if made.ends:
            assert (made.text, made.tools, made.finish) == (whole.text, whole.tools, whole.finish)


@pytest.mark.parametrize("sample", STREAMS, ids=repr)
def test_after_the_end_nothing_more_comes(sample: Sample) -> None:
    decoder = provider(sample.kind).stream(chat(stream=True))
    decoder.feed(sample.data)
    decoder.close()
    assert decoder.feed(sample.data) == []
    assert decoder.close() == []


@pytest.mark.parametrize("sample", [s for s in STREAMS if s.kind in {"openai", "together", "groq"}], ids=repr)
def test_raw_events_are_the_bytes_that_came_or_empty(sample: Sample) -> None:
    for piece in read(provider(sample.kind).stream(chat(stream=True)), [sample.data]):
        if piece.raw:
            assert piece.raw in sample.data
            assert piece.raw.endswith(b"\n\n")
            if piece.data is not None:
                assert msgspec.json.decode(piece.raw.removeprefix(b"data: ")) == piece.data


@pytest.mark.parametrize("kind", FAMILIES)
@given(
    junk=st.lists(
        st.binary(max_size=60) | JSON.map(lambda value: b"data: " + msgspec.json.encode(value) + b"\n\n"),
        max_size=6,
    )
)
@quick(12)
def test_hostile_bytes_never_raise(kind: str, junk: list[bytes]) -> None:
    made = heard(read(provider(kind).stream(chat(stream=True)), junk))
    assert bool(made.ends) != bool(made.fault)


@pytest.mark.parametrize("kind", FAMILIES)
@given(values=st.lists(SHAPED, max_size=5), status=st.integers(300, 599))
@quick(20)
def test_odd_json_never_raises(kind: str, values: list[Any], status: int) -> None:
    adapter = provider(kind)
    decoder = adapter.stream(chat(stream=True))
    for value in values:
        decoder.feed(b"data: " + msgspec.json.encode(value) + b"\n\n")
    decoder.close()
    for value in values:
        body = msgspec.json.encode(value)
        fault = adapter.fault(status, {}, body)
        assert isinstance(fault, Fault)
        assert fault.message
        for surface in adapter.traits.native - READ_BY_SURFACES - {Surface.SPEECH}:
            try:
                assert isinstance(adapter.reply(Call(surface=surface, body={}), {}, body), Reply)
            except CallError as error:
                assert error.fault.message


@pytest.mark.parametrize("kind", FAMILIES)
@given(
    body=st.binary(max_size=200),
    head=st.dictionaries(st.sampled_from(["retry-after", "date", "retry-after-ms"]), st.text(max_size=30)),
)
@quick(12)
def test_bytes_that_are_no_json_never_raise(kind: str, body: bytes, head: dict[str, str]) -> None:
    adapter = provider(kind)
    fault = adapter.fault(429, head, body)
    assert fault.kind in {FaultKind.RATE_LIMITED, FaultKind.QUOTA}
    assert fault.retry_after is None or fault.retry_after >= 0
    with pytest.raises(CallError):
        adapter.reply(chat(), head, b"\xff" + body)


# Complete answers.


@pytest.mark.parametrize("sample", REPLIES, ids=repr)
def test_a_reply_says_what_was_said(sample: Sample) -> None:
    adapter, want = provider(sample.kind), sample.want
    head = {"date": "Sat, 21 Nov 2026 11:00:00 GMT"}
    if "fault" in want:
        with pytest.raises(CallError) as caught:
            adapter.reply(chat(), head, sample.data)
        assert caught.value.fault.kind.value == want["fault"]
        return
    made = adapter.reply(chat(), head, sample.data)
    assert isinstance(made.body, dict)
    assert made.text == want["text"]
    assert made.finish == want["finish"]
    assert made.usage == (None if want["usage"] is None else Usage(**want["usage"]))
    choice = made.body["choices"][0]
    assert choice["finish_reason"] == want["finish"]
    called = [
        [call["function"]["name"], call["function"]["arguments"]] for call in choice["message"].get("tool_calls") or []
    ]
    assert called == want.get("tools", [])
    assert choice["message"].get("reasoning_content", "") == want.get("reasoning", "")
    assert made.body["object"] == "chat.completion"
    assert made.body["created"] > 1_700_000_000
