"""Events that almost fit: one wrong value must not cost the rest of the event."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrblue_cli.protocol import server_events as s
from mrblue_cli.protocol.codec import EventFault, GaCodec
from mrblue_cli.protocol.codec_beta import BetaCodec
from mrblue_cli.protocol.salvage import MAX_REPAIRS, salvage
from tests.protocol.json_values import JSON

CODECS = pytest.mark.parametrize("codec", [GaCodec(), BetaCodec()], ids=["ga", "beta"])
DEEP = '{"type":"response.done","x":' + "[" * 100_000 + "]" * 100_000 + "}"


def wire(**fields):
    return json.dumps(fields)


@CODECS
def test_null_content_does_not_lose_the_end_of_a_reply(codec):
    output = [{"type": "message", "id": "a", "content": None}, {"type": "mcp_call", "arguments": {"a": 1}}]
    response = {"id": "r", "status": "completed", "output": output, "usage": "n/a", "status_details": "fine"}
    done = codec.decode_server(wire(type="response.done", event_id=None, response=response))
    assert isinstance(done, s.ResponseDone)
    assert (done.response.id, done.response.status, done.response.usage) == ("r", "completed", None)
    assert [item.type for item in done.response.output] == ["message", "mcp_call"]
    assert done.response.output[0].parts == ()


ALMOST = [
    (
        {"type": "conversation.item.input_audio_transcription.completed", "item_id": "i", "transcript": None},
        s.TranscriptionCompleted(item_id="i", transcript=""),
    ),
    (
        {"type": "input_audio_buffer.speech_started", "item_id": "i", "audio_start_ms": 12.0, "event_id": None},
        s.SpeechStarted(item_id="i", audio_start_ms=12),
    ),
    (
        {"type": "error", "error": {"code": 500, "message": "broken"}},
        s.Error(error=s.ErrorDetail(message="broken")),
    ),
    ({"type": "error", "error": "broken"}, s.Error(error=s.ErrorDetail(message="broken"))),
    (
        {"type": "rate_limits.updated", "rate_limits": [{"name": "tokens", "limit": None, "remaining": 3}, 7]},
        s.RateLimitsUpdated(rate_limits=(s.RateLimit(name="tokens", remaining=3),)),
    ),
    (
        {"type": "response.created", "response": {"id": "r", "metadata": {"k": 1}, "output": None}},
        s.ResponseCreated(response=s.ResponseState(id="r", metadata={"k": 1}, output=None)),
    ),
]


@CODECS
@pytest.mark.parametrize(("table", "event"), ALMOST, ids=lambda value: getattr(value, "type", None))
def test_what_fits_is_kept(codec, table, event):
    assert codec.decode_server(json.dumps(table)) == event


@CODECS
@pytest.mark.parametrize(
    "table",
    [
        {"type": "session.created", "session": None},
        {"type": "response.done"},
        {"type": "conversation.item.deleted", "item_id": 5},
        {"type": ["response.done"]},
        {"type": "response.done", "response": [1]},
    ],
    ids=str,
)
def test_without_its_heart_an_event_is_unknown(codec, table):
    assert isinstance(codec.decode_server(json.dumps(table)), s.Unknown)


@CODECS
def test_bottomless_nesting_is_text_like_any_other(codec):
    assert isinstance(codec.decode_server(DEEP), s.Unknown)
    with pytest.raises(EventFault) as caught:
        codec.decode_client(DEEP)
    assert caught.value.code == "invalid_json"


@CODECS
@given(st.sampled_from(["id", "status", "status_details", "output", "usage", "metadata", "conversation_id"]), JSON)
def test_any_value_anywhere_keeps_the_id_and_the_end(codec, field, value):
    response = {"id": "r", "status": "failed"} | {field: value}
    done = codec.decode_server(wire(type="response.done", response=response))
    assert isinstance(done, s.ResponseDone)
    if field != "id":
        assert done.response.id == "r"


@given(st.dictionaries(st.sampled_from(["type", "event_id", "response", "rate_limits", "error", "item"]), JSON))
def test_salvage_never_raises_and_never_changes_its_input(table):
    before = json.dumps(table)
    salvage(table, s.ResponseDone)
    salvage(table, s.RateLimitsUpdated)
    assert json.dumps(table) == before


def test_repairs_are_bounded():
    hopeless = {"type": "rate_limits.updated", "rate_limits": [1] * (MAX_REPAIRS + 1)}
    assert salvage(hopeless, s.RateLimitsUpdated) is None
    assert salvage({**hopeless, "rate_limits": [1] * (MAX_REPAIRS - 1)}, s.RateLimitsUpdated) == s.RateLimitsUpdated()


@CODECS
def test_a_server_refuses_item_fields_that_do_not_exist(codec):
    item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "x"}], "colour": "red"}
    with pytest.raises(EventFault) as caught:
        codec.decode_client(wire(type="conversation.item.create", event_id="e", item=item))
    fault = caught.value
    assert (fault.code, fault.param, fault.event_id) == ("unknown_parameter", "item.colour", "e")


def test_modalities_that_are_no_list_are_named():
    with pytest.raises(EventFault) as caught:
        BetaCodec().decode_client('{"type":"session.update","session":{"modalities":5}}')
    assert caught.value.param == "session.output_modalities"
