"""Frames between the dialects: what has a name in both survives the way there and back, all else is left alone."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrblue_cli.protocol.codec import EventFault, GaCodec
from mrblue_cli.protocol.codec_beta import TYPES_TO_BETA
from mrblue_cli.protocol.notices import Dialect
from mrblue_cli.protocol.redialect import Redialect, retype, session_request_to_ga, with_model
from tests.protocol.json_values import JSON

DIALOGUES = sorted((Path(__file__).parent.parent / "data" / "dialogues").glob("*.jsonl"))
GA, BETA = Dialect.GA, Dialect.BETA


def frames(direction):
    """(dialect, frame) of every dialogue, in order."""
    found = []
    for path in DIALOGUES:
        head, *steps = [json.loads(line) for line in path.read_text().splitlines()]
        dialect = Dialect(head.get("dialect", "ga"))
        for step in steps:
            tables = step.get(direction, [])
            found += [(dialect, table) for table in ([tables] if isinstance(tables, dict) else tables)]
    return found


def to_client(client, server, table, translator=None):
    translator = translator or Redialect(client, server)
    return [json.loads(text) for text in translator.to_client(table["type"], json.dumps(table))]


def to_server(client, server, table):
    return json.loads(Redialect(client, server).to_server(table["type"], json.dumps(table)))


def without_gas_own(table):
    """A GA frame without what beta has no word for."""
    table = json.loads(json.dumps(table))
    for name in ("session", "response"):
        part = table.get(name)
        if isinstance(part, dict):
            for field in ("truncation", "prompt", "include", "reasoning", "parallel_tool_calls"):
                part.pop(field, None)
            detection = part.get("audio", {}).get("input", {}).get("turn_detection")
            if detection:
                detection.pop("idle_timeout_ms", None)
    return table


def sorted_modalities(table):
    for name in ("session", "response"):
        part = table.get(name)
        if isinstance(part, dict) and isinstance(part.get("modalities"), list):
            part["modalities"] = sorted(part["modalities"])
    return table


def test_server_frames_of_every_beta_dialogue_survive_the_way_through_ga():
    count = 0
    for dialect, table in frames("server"):
        if dialect is not BETA:
            continue
        there = Redialect(GA, BETA).to_client(table["type"], json.dumps(table))
        back = [frame for text in there for frame in Redialect(BETA, GA).to_client(json.loads(text)["type"], text)]
        told = [sorted_modalities(json.loads(text)) for text in back]
        expected = sorted_modalities(table)
        for session in (told[0].get("session"), expected.get("session")):
            if session:
                session.pop("type", None)
        assert told == [expected]
        count += 1
    assert count > 10


def test_server_frames_of_every_ga_dialogue_survive_the_way_through_beta():
    count = 0
    for dialect, table in frames("server"):
        if dialect is not GA:
            continue
        there = to_client(BETA, GA, table)
        if table["type"] in {"conversation.item.done", "input_audio_buffer.timeout_triggered"}:
            assert there == []
            continue
        (beta,) = there
        assert beta["type"] == TYPES_TO_BETA.get(table["type"], table["type"])
        back = to_client(GA, BETA, beta)[0]
        if back != table:
            assert without_gas_own(back) == without_gas_own(table)
        count += 1
    assert count > 100


def test_client_frames_of_every_dialogue_survive_in_both_directions():
    count = 0
    for dialect, table in frames("sends"):
        other = BETA if dialect is GA else GA
        there = to_server(dialect, other, table)
        back = to_server(other, dialect, there)
        back.get("session", {}).pop("type", None)
        table.get("session", {}).pop("type", None)
        assert back == table
        count += 1
    assert count > 20


BETA_SESSION = st.fixed_dictionaries(
    {},
    optional={
        "model": st.text(max_size=5),
        "modalities": st.sampled_from([["text"], ["text", "audio"]]),
        "instructions": st.text(max_size=20),
        "voice": st.sampled_from(["alloy", "verse"]),
        "speed": st.floats(0.25, 1.5),
        "input_audio_format": st.sampled_from(["pcm16", "g711_ulaw", "g711_alaw"]),
        "output_audio_format": st.sampled_from(["pcm16", "g711_ulaw", "g711_alaw"]),
        "input_audio_transcription": st.none() | st.just({"model": "whisper-1", "language": "en"}),
        "input_audio_noise_reduction": st.none() | st.just({"type": "near_field"}),
        "turn_detection": st.none() | st.just({"type": "server_vad", "threshold": 0.3}),
        "tools": st.just([]) | st.just([{"type": "function", "name": "f", "parameters": {"type": "object"}}]),
        "tool_choice": st.sampled_from(["auto", "none"]) | st.just({"type": "function", "name": "f"}),
        "max_response_output_tokens": st.integers(1, 4096) | st.just("inf"),
        "tracing": st.none() | st.just("auto"),
    },
)


@given(BETA_SESSION)
def test_any_beta_session_survives_ga_and_is_accepted_there(session):
    table = {"type": "session.update", "event_id": "e", "session": session}
    there = to_server(BETA, GA, table)
    assert there["session"]["type"] == "realtime"
    GaCodec().decode_client(json.dumps(there))  # strict: raises on anything GA does not have
    back = to_server(GA, BETA, there)
    assert back == table


@given(JSON, st.sampled_from(["session.update", "response.create", "conversation.item.create", "made.up"]))
def test_whatever_a_client_says_is_translated_or_refused(value, kind):
    for field in ("session", "response", "item"):
        for client, server in ((GA, BETA), (BETA, GA)):
            text = json.dumps({"type": kind, field: value})
            try:
                assert isinstance(json.loads(Redialect(client, server).to_server(kind, text)), dict)
            except EventFault as fault:
                assert fault.code == "invalid_value"


SERVER_KINDS = sorted({*TYPES_TO_BETA, *TYPES_TO_BETA.values(), "session.created", "response.done", "x"})


@given(JSON, st.sampled_from(SERVER_KINDS), st.sampled_from(["session", "response", "item", "delta"]))
def test_whatever_a_server_says_reaches_the_client(value, kind, field):
    for client, server in ((GA, BETA), (BETA, GA)):
        table = {"type": kind, field: value}
        for text in Redialect(client, server).to_client(kind, json.dumps(table)):
            assert isinstance(json.loads(text), dict)


def test_the_same_dialect_passes_the_very_text():
    text = '{ "type" : "session.update" }'
    for dialect in (GA, BETA):
        translator = Redialect(dialect, dialect)
        assert not translator.needed
        assert translator.to_server("session.update", text) is text
        assert translator.to_client("session.created", text) == (text,)


def test_audio_is_renamed_without_being_read():
    for text in (
        '{"type":"response.audio.delta","delta":"AA","x":[1.0e5]}',
        '{"type": "response.audio.delta", "delta": "AA", "x": [1.0e5]}',
        '{"delta":"response.audio.delta","type":"response.audio.delta","x":[1.0e5]}',
    ):
        (told,) = Redialect(GA, BETA).to_client("response.audio.delta", text)
        assert json.loads(told) == {**json.loads(text), "type": "response.output_audio.delta"}
        assert "1.0e5" in told
    quoting = '{"delta":"\\"type\\":\\"a\\"","type":"a"}'
    assert json.loads(retype(quoting, "a", "b")) == {"delta": '"type":"a"', "type": "b"}


def item(status, item_id="i"):
    part = {"type": "audio", "transcript": "hey"}
    return {"id": item_id, "type": "message", "role": "assistant", "status": status, "content": [part]}


def test_beta_items_begin_and_end_for_a_ga_client():
    translator = Redialect(GA, BETA)
    created = {"type": "conversation.item.created", "event_id": "e", "previous_item_id": "p", "item": item("completed")}
    added, done = to_client(GA, BETA, created, translator)
    assert (added["type"], done["type"]) == ("conversation.item.added", "conversation.item.done")
    assert added["event_id"] != done["event_id"]
    assert added["item"]["content"][0]["type"] == "output_audio"
    created["item"] = item("in_progress")
    assert [frame["type"] for frame in to_client(GA, BETA, created, translator)] == ["conversation.item.added"]
    ended = {"type": "response.output_item.done", "event_id": "f", "response_id": "r", "item": item("completed")}
    done, output = to_client(GA, BETA, ended, translator)
    assert (done["type"], done["previous_item_id"]) == ("conversation.item.done", "p")
    assert "response_id" not in done
    assert output["type"] == "response.output_item.done"
    assert len(to_client(GA, BETA, ended, translator)) == 1  # an item ends once
    out_of_band = {**ended, "item": item("completed", "other")}
    assert len(to_client(GA, BETA, out_of_band, translator)) == 1


def test_transcription_sessions_have_event_types_of_their_own_in_beta():
    update = {"type": "transcription_session.update", "session": {"input_audio_transcription": {"model": "w"}}}
    there = to_server(BETA, GA, update)
    session = {"type": "transcription", "audio": {"input": {"transcription": {"model": "w"}}}}
    assert there == {"type": "session.update", "session": session}
    assert to_server(GA, BETA, there) == update
    for kind in ("created", "updated"):
        told = {"type": f"session.{kind}", "session": {"id": "s", **session}}
        (beta,) = to_client(BETA, GA, told)
        assert beta["type"] == f"transcription_session.{kind}"
        assert to_client(GA, BETA, beta) == [told]


def test_what_ga_refuses_is_left_out_and_what_it_asks_for_put_in():
    flat = {
        "temperature": 0.8,
        "input_audio_format": "pcm16",
        "tool_choice": {"type": "function", "function": {"name": "f"}},
    }
    session = session_request_to_ga(flat)
    assert session == {
        "type": "realtime",
        "audio": {"input": {"format": {"type": "audio/pcm", "rate": 24_000}}},
        "tool_choice": {"type": "function", "name": "f"},
    }
    assert flat["temperature"] == 0.8  # the client's own is left alone
    request = {
        "type": "response.create",
        "response": {"temperature": 1, "output_audio_format": "pcm16", "max_tokens": 5, "input": [item("completed")]},
    }
    response = to_server(BETA, GA, request)["response"]
    assert response["audio"] == {"output": {"format": {"type": "audio/pcm", "rate": 24_000}}}
    assert response["max_output_tokens"] == 5
    assert response["input"][0]["content"][0]["type"] == "output_audio"
    assert "temperature" not in response
    assert (
        to_server(GA, BETA, {"type": "response.create", "response": response})["response"]["output_audio_format"]
        == "pcm16"
    )


def test_a_server_with_a_format_of_its_own_is_still_understood():
    table = {"type": "session.created", "session": {"id": "s", "modalities": ["text"], "input_audio_format": "opus"}}
    (told,) = to_client(GA, BETA, table)
    assert told["session"]["type"] == "realtime"
    assert told["session"]["input_audio_format"] == "opus"


@pytest.mark.parametrize(
    ("session", "expected"),
    [
        ({"model": "voice", "x": 1}, {"model": "real", "x": 1}),
        ({"model": "other"}, {"model": "other"}),
        ({"audio": {"input": {"transcription": {"model": "voice"}}}}, None),
        ([], None),
        ({"model": None}, None),
    ],
)
def test_the_model_is_renamed_only_where_the_client_named_its_own(session, expected):
    text = json.dumps({"type": "session.update", "session": session})
    renamed = with_model(text, "voice", "real")
    assert json.loads(renamed)["session"] == (session if expected is None else expected)
    assert with_model(text, "real", "real") is text


def test_a_frame_without_a_response_stays_as_it_is():
    text = '{"type":"response.create","response":null}'
    assert Redialect(BETA, GA).to_server("response.create", text) == text
    assert msgspec.json.decode(text)["response"] is None
