"""Chat and embeddings by Gemini's native API: messages, schemas, tools, thinking, addresses; and back."""

from __future__ import annotations

import base64
import struct
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrblue_cli.gateway.model import Call, CallError, FaultKind, Json, Surface, Usage
from mrblue_cli.gateway.providers.gemini_request import UNSIGNED, version
from mrblue_cli.gateway.providers.gemini_schema import convert
from mrblue_cli.gateway.providers.gemini_stream import FAILED, FINISH, usage_of
from mrblue_cli.gateway.providers.registry import provider
from mrblue_cli.gateway.sse import frame
from tests.gateway.providers.samples import chat, heard, read, sent, target

TOOL = {
    "type": "function",
    "function": {
        "name": "find_port",
        "description": "d",
        "parameters": {"type": "object", "properties": {"p": {"type": "integer"}}},
    },
}
CALLS = [{"id": "c1", "type": "function", "function": {"name": "find_port", "arguments": '{"p": 3000}'}}]


def made(messages: Any = None, *, model: str = "gemini-2.5-flash", **more: Any) -> Json:
    return sent("gemini", chat(messages, **more), model=model)


def refusal(call: Call, model: str = "gemini-2.5-flash") -> FaultKind:
    with pytest.raises(CallError) as caught:
        provider("gemini").request(call, target("gemini", model=model))
    return caught.value.fault.kind


def embed(body: Json) -> Call:
    return Call(surface=Surface.EMBEDDINGS, body={"model": "asked", **body})


# Where.

BASE = "https://generativelanguage.googleapis.com/v1beta"


@pytest.mark.parametrize(
    ("model", "place"),
    [
        ("gemini-2.5-flash", "models/gemini-2.5-flash"),
        ("models/gemini-2.5-flash", "models/gemini-2.5-flash"),
        ("tunedModels/mine", "tunedModels/mine"),
        ("../../v1/secrets?x=", "models/..%2F..%2Fv1%2Fsecrets%3Fx%3D"),
        ("a b#c", "models/a%20b%23c"),
    ],
)
def test_addresses(model: str, place: str) -> None:
    adapter = provider("gemini")
    assert adapter.request(chat(), target("gemini", model=model)).url == f"{BASE}/{place}:generateContent"
    streamed = adapter.request(chat(stream=True), target("gemini", model=model)).url
    assert streamed == f"{BASE}/{place}:streamGenerateContent?alt=sse"
    assert (
        adapter.request(embed({"input": "x"}), target("gemini", model=model)).url
        == f"{BASE}/{place}:batchEmbedContents"
    )


def test_a_configured_endpoint_streams_too() -> None:
    url = f"{BASE}/models/gemini-1.5-pro:generateContent"
    adapter = provider("gemini")
    assert adapter.request(chat(), target("gemini", url=url, endpoint=True)).url == url
    streamed = adapter.request(chat(stream=True), target("gemini", url=url, endpoint=True)).url
    assert streamed == f"{BASE}/models/gemini-1.5-pro:streamGenerateContent?alt=sse"


def test_the_key_has_a_header_of_its_own() -> None:
    request = provider("gemini").request(chat(), target("gemini", api_key="AIzaX"))
    assert request.headers["x-goog-api-key"] == "AIzaX"
    assert "AIzaX" not in request.url


# Messages.


def test_a_conversation() -> None:
    body = made(
        [
            {"role": "system", "content": "be brief"},
            {"role": "user", "content": "look"},
            {"role": "assistant", "content": "I look.", "tool_calls": CALLS},
            {"role": "tool", "tool_call_id": "c1", "content": '{"free": false}'},
            {"role": "user", "content": "so?"},
        ],
        tools=[TOOL],
    )
    assert body["systemInstruction"] == {"parts": [{"text": "be brief"}]}
    assert body["contents"] == [
        {"role": "user", "parts": [{"text": "look"}]},
        {
            "role": "model",
            "parts": [{"text": "I look."}, {"functionCall": {"name": "find_port", "args": {"p": 3000}}}],
        },
        {
            "role": "user",
            "parts": [{"functionResponse": {"name": "find_port", "response": {"free": False}}}, {"text": "so?"}],
        },
    ]
    assert body["tools"] == [
        {
            "functionDeclarations": [
                {
                    "name": "find_port",
                    "description": "d",
                    "parameters": {
                        "type": "OBJECT",
                        "properties": {"p": {"type": "INTEGER"}},
                        "propertyOrdering": ["p"],
                    },
                }
            ]
        }
    ]
    assert "generationConfig" not in body


@pytest.mark.parametrize(
    ("content", "response"),
    [
        ("plain", {"result": "plain"}),
        ("[1]", {"result": [1]}),
        ("", {}),
        ([{"type": "text", "text": '{"a":1}'}], {"a": 1}),
    ],
)
def test_results_are_objects(content: Any, response: Json) -> None:
    turn = [{"role": "assistant", "tool_calls": CALLS}, {"role": "tool", "tool_call_id": "c1", "content": content}]
    assert made(turn)["contents"][1]["parts"][0]["functionResponse"]["response"] == response


def test_signatures_of_thought_come_back() -> None:
    signed = [{**CALLS[0], "extra_content": {"google": {"thought_signature": "c2ln"}}}, {**CALLS[0], "id": "c2"}]
    turn = [{"role": "assistant", "tool_calls": signed}]
    parts = made(turn, model="gemini-3-pro-preview")["contents"][0]["parts"]
    assert parts[0]["thoughtSignature"] == "c2ln"
    assert "thoughtSignature" not in parts[1]
    foreign = made([{"role": "assistant", "tool_calls": CALLS}], model="gemini-3-pro-preview")
    assert foreign["contents"][0]["parts"][0]["thoughtSignature"] == UNSIGNED
    older = made([{"role": "assistant", "tool_calls": CALLS}])
    assert "thoughtSignature" not in older["contents"][0]["parts"][0]


def test_media() -> None:
    parts = [
        {"type": "image_url", "image_url": {"url": "data:image/webp;base64,AAAA"}},
        {"type": "image_url", "image_url": {"url": "https://example.org/a/b.png?sig=1"}},
        {"type": "image_url", "image_url": "https://example.org/picture"},
        {"type": "image_url", "image_url": "https://[odd/a.gif#x"},
        {"type": "input_audio", "input_audio": {"data": "UklG", "format": "wav"}},
        {"type": "file", "file": {"file_data": "data:application/pdf;base64,JVBE"}},
    ]
    assert made([{"role": "user", "content": parts}])["contents"][0]["parts"] == [
        {"inlineData": {"mimeType": "image/webp", "data": "AAAA"}},
        {"fileData": {"fileUri": "https://example.org/a/b.png?sig=1", "mimeType": "image/png"}},
        {"fileData": {"fileUri": "https://example.org/picture", "mimeType": "image/jpeg"}},
        {"fileData": {"fileUri": "https://[odd/a.gif#x", "mimeType": "image/gif"}},
        {"inlineData": {"mimeType": "audio/wav", "data": "UklG"}},
        {"inlineData": {"mimeType": "application/pdf", "data": "JVBE"}},
    ]


@pytest.mark.parametrize(
    ("messages", "kind"),
    [
        ([{"role": "user", "content": [{"type": "video"}]}], FaultKind.UNSUPPORTED),
        ([{"role": "user", "content": [{"type": "file", "file": {"file_id": "x"}}]}], FaultKind.UNSUPPORTED),
        (
            [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "gopher://x"}}]}],
            FaultKind.BAD_REQUEST,
        ),
        ([{"role": "user", "content": [{"type": "input_audio"}]}], FaultKind.BAD_REQUEST),
        ([{"role": "user", "content": 5}], FaultKind.BAD_REQUEST),
        ([{"role": "alien", "content": "x"}], FaultKind.BAD_REQUEST),
        ([{"role": "system", "content": "alone"}], FaultKind.UNSUPPORTED),
        ([{"role": "tool", "tool_call_id": "nowhere", "content": "x"}], FaultKind.BAD_REQUEST),
        ([{"role": "assistant", "tool_calls": [{"id": "x"}]}], FaultKind.BAD_REQUEST),
    ],
)
def test_messages_that_cannot_go(messages: Any, kind: FaultKind) -> None:
    assert refusal(chat(messages)) is kind


# Settings.


def test_settings() -> None:
    body = made(
        temperature=1.5, top_p=0.9, top_k=4, n=2, seed=7, presence_penalty=0.1, frequency_penalty=0.2,
        stop=["a", "b", "c", "d", "e", "f"], max_completion_tokens=9, user="u", logit_bias={},
    )  # fmt: skip
    assert body["generationConfig"] == {
        "temperature": 1.5,
        "topP": 0.9,
        "topK": 4,
        "candidateCount": 2,
        "seed": 7,
        "presencePenalty": 0.1,
        "frequencyPenalty": 0.2,
        "maxOutputTokens": 9,
        "stopSequences": ["a", "b", "c", "d", "e"],
    }


@pytest.mark.parametrize(
    ("choice", "want"),
    [
        ("auto", None),
        ("none", {"mode": "NONE"}),
        ("required", {"mode": "ANY"}),
        (
            {"type": "function", "function": {"name": "find_port"}},
            {"mode": "ANY", "allowedFunctionNames": ["find_port"]},
        ),
    ],
)
def test_choices_of_tools(choice: Any, want: Json | None) -> None:
    config = made(tools=[TOOL], tool_choice=choice).get("toolConfig")
    assert config == ({"functionCallingConfig": want} if want else None)


def test_a_tool_without_parameters_has_none() -> None:
    tools = [{"type": "function", "function": {"name": "now", "parameters": {"type": "object", "properties": {}}}}]
    assert made(tools=tools)["tools"] == [{"functionDeclarations": [{"name": "now", "description": ""}]}]


@pytest.mark.parametrize(
    ("model", "effort", "want"),
    [
        ("gemini-2.0-flash", "high", None),
        ("gemini-2.5-flash", "none", {"thinkingBudget": 0}),
        ("gemini-2.5-pro", "none", {"thinkingBudget": 128}),
        ("gemini-2.5-pro", "medium", {"thinkingBudget": 8192}),
        ("gemini-3-pro-preview", "none", {"thinkingLevel": "low"}),
        ("gemini-3-pro-preview", "medium", {"thinkingLevel": "high"}),
        ("gemini-3.1-pro-preview", "medium", {"thinkingLevel": "medium"}),
        ("gemini-3-flash-preview", "minimal", {"thinkingLevel": "minimal"}),
        ("gemini-flash-latest", "high", {"thinkingLevel": "high"}),
        ("gemini-2.5-flash", "absurd", None),
    ],
)
def test_effort(model: str, effort: str, want: Json | None) -> None:
    config = made(model=model, reasoning_effort=effort).get("generationConfig", {})
    assert config.get("thinkingConfig") == want


def test_versions() -> None:
    assert version("gemini-1.5-pro-002") == (1, 5)
    assert version("gemini-3-pro") == (3, 0)
    assert version("something") == (99, 0)


def test_formats() -> None:
    assert made(response_format={"type": "json_object"})["generationConfig"] == {"responseMimeType": "application/json"}
    schema = {"type": "object", "properties": {"a": {"type": "string"}}, "additionalProperties": False}
    asked = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}
    config = made(response_format=asked)["generationConfig"]
    assert config["responseSchema"] == {
        "type": "OBJECT",
        "properties": {"a": {"type": "STRING"}},
        "propertyOrdering": ["a"],
    }
    assert "generationConfig" not in made(response_format={"type": "text"})
    assert refusal(chat(response_format=asked, tools=[TOOL])) is FaultKind.UNSUPPORTED
    assert "responseSchema" in made(response_format=asked, tools=[TOOL], model="gemini-3-flash")["generationConfig"]


@pytest.mark.parametrize(
    "more", [{"logprobs": True}, {"audio": {}} | {"audio": {"voice": "x"}}, {"tools": [{"type": "web"}]}]
)
def test_what_gemini_cannot(more: Json) -> None:
    assert refusal(chat(**more)) is FaultKind.UNSUPPORTED


# Schemas.


@pytest.mark.parametrize(
    ("schema", "want"),
    [
        ({"type": "string", "format": "email", "minLength": 2}, {"type": "STRING", "minLength": 2}),
        ({"type": "string", "format": "date-time"}, {"type": "STRING", "format": "date-time"}),
        ({"type": ["integer", "null"], "exclusiveMinimum": 3}, {"type": "INTEGER", "nullable": True}),
        ({"enum": ["a", "b"]}, {"type": "STRING", "enum": ["a", "b"]}),
        ({"type": "integer", "enum": [1, 2]}, {"type": "INTEGER"}),
        ({"const": "x"}, {"type": "STRING", "enum": ["x"]}),
        ({"type": "array"}, {"type": "ARRAY", "items": {"type": "STRING"}}),
        ({"items": {"type": "number"}, "maxItems": 3}, {"type": "ARRAY", "items": {"type": "NUMBER"}, "maxItems": 3}),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, {"type": "STRING", "nullable": True}),
        (
            {"oneOf": [{"type": "string"}, {"type": "number"}], "description": "d"},
            {"anyOf": [{"type": "STRING"}, {"type": "NUMBER"}], "description": "d"},
        ),
        ({"type": "object"}, {"type": "OBJECT"}),
        ({"type": "object", "properties": {"a": {}}, "required": ["a", "ghost"]},
         {"type": "OBJECT", "properties": {"a": {}}, "required": ["a"], "propertyOrdering": ["a"]}),
        ({"$ref": "#/$defs/n", "title": "t", "$defs": {"n": {"type": "number"}}}, {"type": "NUMBER", "title": "t"}),
        ({"$ref": "http://elsewhere/x"}, {}),
        (
            {"allOf": [{"properties": {"a": {"type": "string"}}, "required": ["a"]}, {"$ref": "#/$defs/b"}],
             "$defs": {"b": {"properties": {"b~/": {"type": "boolean"}}}}},
            {"type": "OBJECT", "properties": {"a": {"type": "STRING"}, "b~/": {"type": "BOOLEAN"}}, "required": ["a"],
             "propertyOrdering": ["a", "b~/"]},
        ),
        ("no schema", {}),
        ({"type": "alien"}, {}),
    ],
)  # fmt: skip
def test_schemas(schema: Any, want: Json) -> None:
    assert convert(schema) == want


def test_a_schema_that_contains_itself_cannot_go() -> None:
    tree = {"type": "object", "properties": {"left": {"$ref": "#"}, "right": {"$ref": "#"}}}
    with pytest.raises(CallError) as caught:
        convert(tree)
    assert caught.value.fault.kind is FaultKind.UNSUPPORTED


def test_a_small_schema_that_unfolds_to_a_huge_one_is_refused_at_once() -> None:
    defs = {
        f"d{at}": {"type": "object", "properties": {name: {"$ref": f"#/$defs/d{at + 1}"} for name in "abcdefgh"}}
        for at in range(14)
    }
    with pytest.raises(CallError):
        convert({"$ref": "#/$defs/d0", "$defs": {**defs, "d14": {"type": "string"}}})


SCHEMAS: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.integers() | st.text(max_size=5) | st.sampled_from(["string", "object", "array", "null"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["type", "properties", "items", "anyOf", "allOf", "oneOf", "$ref", "enum", "required", "const", "a"]
            ),
            inner | st.just("#") | st.just("#/properties/a"),
            max_size=4,
        )
    ),
    max_leaves=15,
)


@given(SCHEMAS)
def test_any_schema_becomes_one_or_is_refused(schema: Any) -> None:
    try:
        assert isinstance(convert(schema), dict)
    except CallError as error:
        assert error.fault.kind is FaultKind.UNSUPPORTED


# Answers, beside the samples.


def test_reasons_are_told_apart() -> None:
    assert set(FINISH.values()) == {"stop", "length", "content_filter"}
    assert not FAILED & set(FINISH)
    for reason in FAILED:
        event = frame({"candidates": [{"content": {"parts": [{"text": "x"}]}, "finishReason": reason}]})
        assert heard(read(provider("gemini").stream(chat(stream=True)), [event])).fault == "broken"
    for reason, word in FINISH.items():
        event = frame({"candidates": [{"content": {"parts": [{"text": "x"}]}, "finishReason": reason}]})
        assert heard(read(provider("gemini").stream(chat(stream=True)), [event])).finish == word


def test_signatures_go_out_where_google_puts_them() -> None:
    part = {"functionCall": {"name": "f", "args": {}}, "thoughtSignature": "c2ln"}
    body = msgspec.json.encode(
        {"candidates": [{"content": {"parts": [part]}, "finishReason": "STOP"}], "responseId": "r"}
    )
    reply = provider("gemini").reply(chat(), {}, body)
    assert isinstance(reply.body, dict)
    call = reply.body["choices"][0]["message"]["tool_calls"][0]
    assert call["extra_content"] == {"google": {"thought_signature": "c2ln"}}
    assert call["id"].startswith("call_")
    again = provider("gemini").reply(chat(), {}, body)
    assert again == reply


def test_two_candidates_are_two_choices() -> None:
    one = {"content": {"parts": [{"text": "a"}]}, "finishReason": "STOP"}
    body = msgspec.json.encode({"candidates": [one, {**one, "index": 1}]})
    reply = provider("gemini").reply(chat(n=2), {}, body)
    assert isinstance(reply.body, dict)
    assert [choice["index"] for choice in reply.body["choices"]] == [0, 1]
    events = [frame({"candidates": [{**one, "index": 1}]}), frame({"candidates": [{**one, "index": 0}]})]
    made_of = heard(read(provider("gemini").stream(chat(stream=True)), events))
    assert (made_of.text, made_of.finish, made_of.ends) == ("a", "stop", 1)


def test_usage_with_sound_and_tools() -> None:
    usage = usage_of(
        {
            "promptTokenCount": 10,
            "toolUsePromptTokenCount": 5,
            "candidatesTokenCount": 3,
            "promptTokensDetails": [{"modality": "AUDIO", "tokenCount": 8}],
            "cacheTokensDetails": [{"modality": "AUDIO", "tokenCount": 2}],
            "candidatesTokensDetails": [{"modality": "AUDIO", "tokenCount": 3}],
            "cachedContentTokenCount": 4,
        }
    )
    assert usage == Usage(
        input_tokens=15,
        output_tokens=3,
        cached_input_tokens=4,
        audio_input_tokens=8,
        cached_audio_input_tokens=2,
        audio_output_tokens=3,
    )


# Embeddings.


def test_embeddings_are_asked_for_one_by_one() -> None:
    body = sent("gemini", embed({"input": ["a", "b"], "dimensions": 8}), model="gemini-embedding-001")
    assert body["requests"] == [
        {"model": "models/gemini-embedding-001", "content": {"parts": [{"text": text}]}, "outputDimensionality": 8}
        for text in ("a", "b")
    ]
    assert len(sent("gemini", embed({"input": "a"}))["requests"]) == 1


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (None, FaultKind.BAD_REQUEST),
        ([], FaultKind.BAD_REQUEST),
        ([1, 2], FaultKind.UNSUPPORTED),
        ([[1]], FaultKind.UNSUPPORTED),
    ],
)
def test_inputs_that_cannot_be_embedded(value: Any, kind: FaultKind) -> None:
    assert refusal(embed({"input": value})) is kind


def test_embeddings_come_back_in_openais_shape() -> None:
    answer = msgspec.json.encode({"embeddings": [{"values": [0.5, -1]}, {"values": [1, 0]}]})
    reply = provider("gemini").reply(embed({"input": ["a", "b"]}), {}, answer)
    assert isinstance(reply.body, dict)
    assert [row["embedding"] for row in reply.body["data"]] == [[0.5, -1], [1, 0]]
    assert [row["index"] for row in reply.body["data"]] == [0, 1]
    assert reply.body["model"] == "asked"
    assert reply.usage is None
    packed = provider("gemini").reply(embed({"input": ["a"], "encoding_format": "base64"}), {}, answer)
    assert isinstance(packed.body, dict)
    assert struct.unpack("<2f", base64.b64decode(packed.body["data"][0]["embedding"])) == (0.5, -1.0)


@pytest.mark.parametrize(
    "answer",
    [{}, {"embeddings": []}, {"embeddings": [{"values": ["x"]}]}, {"embeddings": [{"values": [1e39]}]}, {"error": {}}],
)
def test_embeddings_that_are_none(answer: Json) -> None:
    with pytest.raises(CallError):
        provider("gemini").reply(embed({"input": "a", "encoding_format": "base64"}), {}, msgspec.json.encode(answer))
