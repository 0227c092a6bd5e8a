"""The beta dialect loses nothing that it has a name for, and every name differs from GA where it should."""

from __future__ import annotations

import json

import pytest

from mrblue_cli.protocol import client_events as c
from mrblue_cli.protocol import server_events as s
from mrblue_cli.protocol.codec import EventFault, GaCodec
from mrblue_cli.protocol.codec_beta import BetaCodec
from mrblue_cli.protocol.items import ContentPart, Item
from mrblue_cli.protocol.session import Audio, AudioFormat, AudioInput, AudioOutput, SemanticVad, ServerVad, Session

GA, BETA = GaCodec(), BetaCodec()
PLACE = {"response_id": "r", "item_id": "a", "output_index": 1, "content_index": 2, "event_id": "e"}
SPOKEN = Item(type="message", id="a", role="assistant", content=(ContentPart(type="output_audio", transcript="hey"),))
WRITTEN = Item(type="message", id="a", role="assistant", content=(ContentPart(type="output_text", text="hey"),))
RESPONSE = s.ResponseState(id="r", output=(SPOKEN, WRITTEN), output_modalities=["text"], conversation_id="conv")

SERVER = [
    (s.Error(error=s.ErrorDetail(code="x", message="m", param="p")), "error"),
    (s.SessionUpdated(session={"id": "s", "modalities": ["text"]}), "session.updated"),
    (s.ItemAdded(item=SPOKEN, previous_item_id="p"), "conversation.item.created"),
    (s.ItemRetrieved(item=WRITTEN), "conversation.item.retrieved"),
    (s.ItemDeleted(item_id="a"), "conversation.item.deleted"),
    (s.ItemTruncated(item_id="a", audio_end_ms=5), "conversation.item.truncated"),
    (s.TranscriptionDelta(item_id="u", delta="x"), "conversation.item.input_audio_transcription.delta"),
    (s.TranscriptionCompleted(item_id="u", transcript="x"), "conversation.item.input_audio_transcription.completed"),
    (s.TranscriptionFailed(item_id="u"), "conversation.item.input_audio_transcription.failed"),
    (s.SpeechStarted(item_id="u", audio_start_ms=4), "input_audio_buffer.speech_started"),
    (s.SpeechStopped(item_id="u", audio_end_ms=4), "input_audio_buffer.speech_stopped"),
    (s.AudioCommitted(item_id="u", previous_item_id="p"), "input_audio_buffer.committed"),
    (s.AudioCleared(), "input_audio_buffer.cleared"),
    (s.ResponseCreated(response=RESPONSE), "response.created"),
    (s.ResponseDone(response=RESPONSE), "response.done"),
    (s.OutputItemAdded(response_id="r", item=SPOKEN), "response.output_item.added"),
    (s.OutputItemDone(response_id="r", item=WRITTEN), "response.output_item.done"),
    (s.ContentPartAdded(part=ContentPart(type="audio"), **PLACE), "response.content_part.added"),
    (s.ContentPartDone(part=ContentPart(type="text", text="x"), **PLACE), "response.content_part.done"),
    (s.TextDelta(delta="x", **PLACE), "response.text.delta"),
    (s.TextDone(text="x", **PLACE), "response.text.done"),
    (s.AudioDelta(delta="AAAA", **PLACE), "response.audio.delta"),
    (s.AudioDone(**PLACE), "response.audio.done"),
    (s.AudioTranscriptDelta(delta="x", **PLACE), "response.audio_transcript.delta"),
    (s.AudioTranscriptDone(transcript="x", **PLACE), "response.audio_transcript.done"),
    (s.FunctionArgumentsDelta(call_id="c", delta="{"), "response.function_call_arguments.delta"),
    (s.FunctionArgumentsDone(call_id="c", name="n", arguments="{}"), "response.function_call_arguments.done"),
    (s.RateLimitsUpdated(rate_limits=(s.RateLimit(name="tokens"),)), "rate_limits.updated"),
]


@pytest.mark.parametrize(("event", "name"), SERVER, ids=[name for _, name in SERVER])
def test_server_events_survive_beta_under_its_names(event, name):
    text = BETA.encode_server(event)
    assert json.loads(text)["type"] == name
    assert BETA.decode_server(text) == event


@pytest.mark.parametrize(("event", "name"), SERVER, ids=[name for _, name in SERVER])
def test_a_beta_reader_takes_ga_names_too(event, name):
    assert type(BETA.decode_server(GA.encode_server(event))) is type(event)


def test_every_server_event_is_either_named_or_absent_in_beta():
    covered = {type(event) for event, _ in SERVER} | {s.SessionCreated, s.ItemDone, s.TimeoutTriggered}
    assert covered == set(s.SERVER_EVENTS)
    assert BETA.encode_server(s.TimeoutTriggered()) is None


SESSIONS = [
    Session(),
    Session(instructions="", tools=[], output_modalities=["text"], temperature=0.8),
    Session(audio=Audio(input=AudioInput(turn_detection=None, transcription=None, noise_reduction=None))),
    Session(audio=Audio(input=AudioInput(turn_detection=SemanticVad(eagerness="high")))),
    Session(audio=Audio(input=AudioInput(turn_detection=ServerVad(silence_duration_ms=300)))),
    Session(audio=Audio(input=AudioInput(format=AudioFormat(type="audio/pcma")))),
    Session(audio=Audio(output=AudioOutput(format=AudioFormat(type="audio/pcmu"), voice="v", speed=0.5))),
    Session(max_output_tokens="inf", tool_choice="none"),
]


@pytest.mark.parametrize("session", SESSIONS, ids=str)
def test_sessions_survive_flattening(session):
    text = BETA.encode_client(c.SessionUpdate(session=session))
    assert "audio" not in json.loads(text)["session"]
    assert "type" not in json.loads(text)["session"]
    assert BETA.decode_client(text).session == session


def test_a_response_request_keeps_its_settings():
    request = c.ResponseRequest(
        conversation="none",
        output_modalities=["text"],
        instructions="x",
        max_output_tokens=7,
        metadata={"k": "v"},
        audio=c.ResponseAudio(output=AudioOutput(voice="v")),
    )
    text = BETA.encode_client(c.CreateResponse(response=request))
    assert json.loads(text)["response"]["modalities"] == ["text"]
    assert json.loads(text)["response"]["voice"] == "v"
    assert BETA.decode_client(text).response == request


BAD = [
    ({"input_audio_format": "mp3"}, "invalid_value"),
    ({"turn_detection": {"type": "psychic"}}, "invalid_value"),
    ({"audio_format": "pcm16"}, "unknown_parameter"),
    ({"max_response_output_tokens": "many"}, "invalid_value"),
]


@pytest.mark.parametrize(("session", "code"), BAD, ids=str)
def test_faults_in_flat_sessions_are_named(session, code):
    with pytest.raises(EventFault) as caught:
        BETA.decode_client(json.dumps({"type": "session.update", "event_id": "e", "session": session}))
    assert (caught.value.code, caught.value.event_id) == (code, "e")
