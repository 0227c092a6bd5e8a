"""The wire, both ways, in both dialects; hostile text never gets past a `EventFault` or an `Unknown`."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrblue_cli.protocol import client_events as c
from mrblue_cli.protocol import server_events as s
from mrblue_cli.protocol.codec import EventFault, GaCodec, detect_dialect
from mrblue_cli.protocol.codec_beta import BetaCodec
from mrblue_cli.protocol.items import ContentPart, Item, user_text
from mrblue_cli.protocol.notices import Dialect
from mrblue_cli.protocol.session import Audio, AudioFormat, AudioInput, AudioOutput, ServerVad, Session, Transcription

GA, BETA = GaCodec(), BetaCodec()
CONFIG = Session(
    instructions="hi",
    output_modalities=["audio"],
    max_output_tokens=100,
    audio=Audio(
        input=AudioInput(format=AudioFormat(), transcription=Transcription(language="en"), turn_detection=ServerVad()),
        output=AudioOutput(format=AudioFormat(), voice="marin", speed=1.0),
    ),
)
CLIENT = [
    c.SessionUpdate(event_id="e1", session=CONFIG),
    c.SessionUpdate(session=Session(audio=Audio(input=AudioInput(turn_detection=None)))),
    c.AppendAudio(audio="AAAA"),
    c.CommitAudio(),
    c.ClearAudio(event_id="x"),
    c.CreateItem(item=user_text("hello", "i1"), previous_item_id="root"),
    c.RetrieveItem(item_id="i1"),
    c.TruncateItem(item_id="i1", content_index=0, audio_end_ms=12),
    c.DeleteItem(item_id="i1"),
    c.CreateResponse(),
    c.CreateResponse(response=c.ResponseRequest(output_modalities=["audio"], instructions="short")),
    c.CancelResponse(response_id="r"),
]


@pytest.mark.parametrize("codec", [GA, BETA], ids=["ga", "beta"])
@pytest.mark.parametrize("event", CLIENT, ids=lambda event: type(event).__name__)
def test_client_events_survive_the_wire(codec, event):
    assert codec.decode_client(codec.encode_client(event)) == event


ITEM = Item(type="message", id="a", role="assistant", content=(ContentPart(type="output_audio", transcript="hey"),))
SERVER = [
    s.Error(event_id="s1", error=s.ErrorDetail(code="x", message="m", event_id="e1")),
    s.ItemAdded(event_id="s2", item=ITEM, previous_item_id="p"),
    s.AudioDelta(event_id="s3", response_id="r", item_id="a", delta="AAAA"),
    s.AudioTranscriptDone(event_id="s4", response_id="r", item_id="a", transcript="hey"),
    s.TextDelta(event_id="s5", response_id="r", item_id="a", delta="h"),
    s.ResponseDone(
        event_id="s6",
        response=s.ResponseState(id="r", status="completed", output=(ITEM,), output_modalities=["audio"], usage={}),
    ),
    s.RateLimitsUpdated(event_id="s7", rate_limits=(s.RateLimit(name="tokens", limit=9, remaining=1),)),
]


@pytest.mark.parametrize("event", SERVER, ids=lambda event: type(event).__name__)
def test_server_events_survive_ga(event):
    assert GA.decode_server(GA.encode_server(event)) == event


def test_beta_names_on_the_wire():
    table = json.loads(BETA.encode_server(SERVER[2]))
    assert table["type"] == "response.audio.delta"
    done = json.loads(BETA.encode_server(SERVER[5]))
    assert done["response"]["modalities"] == ["text", "audio"]
    assert done["response"]["output"][0]["content"][0]["type"] == "audio"
    assert BETA.encode_server(s.ItemDone(item=ITEM)) is None
    flat = json.loads(BETA.encode_client(CLIENT[0]))["session"]
    assert flat == {
        "instructions": "hi",
        "modalities": ["text", "audio"],
        "max_response_output_tokens": 100,
        "input_audio_format": "pcm16",
        "output_audio_format": "pcm16",
        "input_audio_transcription": {"language": "en"},
        "turn_detection": {
            "type": "server_vad",
            "threshold": 0.5,
            "prefix_padding_ms": 300,
            "silence_duration_ms": 500,
            "create_response": True,
            "interrupt_response": True,
        },
        "voice": "marin",
        "speed": 1.0,
    }


def test_the_dialect_shows_in_the_session():
    assert detect_dialect({"type": "realtime", "audio": {}}) is Dialect.GA
    assert detect_dialect({"modalities": ["text"], "voice": "alloy"}) is Dialect.BETA
    assert detect_dialect({"id": "sess"}) is Dialect.GA


FAULTS = [
    ("nonsense", "invalid_json", None),
    ("[1]", "invalid_event", None),
    ("{}", "missing_required_parameter", "type"),
    ('{"type":"no.such","event_id":"e9"}', "invalid_value", "type"),
    ('{"type":"input_audio_buffer.append"}', "missing_required_parameter", "audio"),
    ('{"type":"input_audio_buffer.append","audio":5}', "invalid_value", "audio"),
    ('{"type":"input_audio_buffer.commit","more":1}', "unknown_parameter", "more"),
    (
        '{"type":"session.update","session":{"audio":{"input":{"gain":2}}}}',
        "unknown_parameter",
        "session.audio.input.gain",
    ),
]


@pytest.mark.parametrize(("text", "code", "param"), FAULTS)
def test_a_faulty_client_event_is_named(text, code, param):
    with pytest.raises(EventFault) as caught:
        GA.decode_client(text)
    assert (caught.value.code, caught.value.param) == (code, param)


def test_the_fault_echoes_the_event_id():
    with pytest.raises(EventFault) as caught:
        GA.decode_client('{"type":"conversation.item.delete","event_id":"mine"}')
    assert caught.value.event_id == "mine"


def test_temperature_belongs_to_beta():
    text = '{"type":"session.update","session":{"temperature":0.8}}'
    assert BETA.decode_client(text).session.temperature == 0.8
    with pytest.raises(EventFault):
        GA.decode_client(text)


def test_unknown_events_and_fields_pass_by():
    assert GA.decode_server('{"type":"server.invented","x":1}').type == "server.invented"
    event = GA.decode_server('{"type":"response.output_audio.delta","delta":"AA==","obfuscation":"zzz"}')
    assert event == s.AudioDelta(delta="AA==")
    odd = '{"type":"response.done","response":{"id":"r","status":"failed","status_details":"boom","output":null}}'
    assert GA.decode_server(odd).response.output is None


@pytest.mark.parametrize("codec", [GA, BETA], ids=["ga", "beta"])
@given(st.one_of(st.text(max_size=60), st.binary(max_size=60)))
def test_garbage_is_unknown_to_clients_and_a_fault_to_servers(codec, text):
    assert isinstance(codec.decode_server(text), s.Unknown)
    with pytest.raises(EventFault):
        codec.decode_client(text)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize("codec", [GA, BETA], ids=["ga", "beta"])
@given(st.sampled_from(sorted(["session.update", "response.create", "conversation.item.create"])), JSON)
def test_wrong_shapes_never_crash(codec, kind, value):
    name = {"session.update": "session", "response.create": "response"}.get(kind, "item")
    try:
        codec.decode_client(json.dumps({"type": kind, name: value}))
    except EventFault as fault:
        assert fault.message
