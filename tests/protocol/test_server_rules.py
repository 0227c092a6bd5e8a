"""What our server accepts, what it refuses and in which words, and how items keep their places."""

from __future__ import annotations

import base64

import pytest

from mrblue_cli.core.ids import CountingIds
from mrblue_cli.protocol import client_events as c
from mrblue_cli.protocol import commands as cmd
from mrblue_cli.protocol import server_events as s
from mrblue_cli.protocol.items import ContentPart, Item, user_text
from mrblue_cli.protocol.server import ServerConversation
from mrblue_cli.protocol.session import Audio, AudioFormat, AudioInput, AudioOutput, ServerVad, Session, Transcription
from mrblue_cli.protocol.transitions import Turn
from tests.protocol.pair import silence


def serve(**vad):
    session = Session(
        type="realtime",
        model="m",
        output_modalities=["audio"],
        audio=Audio(
            input=AudioInput(turn_detection=ServerVad(**vad), transcription=Transcription()),
            output=AudioOutput(voice="joe"),
        ),
    )
    server = ServerConversation(session, ids=CountingIds(), expires_at=1)
    server.open()
    return server


def fault(outcome):
    assert [type(event) for event in outcome.send] == [s.Error]
    assert outcome.commands == ()
    return outcome.send[0].error


def update(**fields):
    return c.SessionUpdate(session=Session(**fields))


def heard(**fields):
    return update(audio=Audio(input=AudioInput(**fields)))


def spoken(**fields):
    return update(audio=Audio(output=AudioOutput(**fields)))


def ask(**fields):
    return c.CreateResponse(response=c.ResponseRequest(**fields))


def message(part, role="user"):
    return c.CreateItem(item=Item(type="message", role=role, content=(part,)))


VAD = "session.audio.input.turn_detection"
TEN_KB = base64.b64encode(silence(100)).decode()
REFUSED = [
    (heard(turn_detection=ServerVad(threshold=1.1)), "invalid_value", f"{VAD}.threshold"),
    (heard(turn_detection=ServerVad(silence_duration_ms=99)), "invalid_value", f"{VAD}.silence_duration_ms"),
    (heard(turn_detection=ServerVad(prefix_padding_ms=-1)), "invalid_value", f"{VAD}.prefix_padding_ms"),
    (heard(turn_detection=ServerVad(idle_timeout_ms=4999)), "invalid_value", f"{VAD}.idle_timeout_ms"),
    (heard(format=AudioFormat(type="audio/pcmu")), "invalid_value", "session.audio.input.format.type"),
    (heard(format=AudioFormat(rate=16_000)), "integer_below_min_value", "session.audio.input.format.rate"),
    (spoken(format=AudioFormat(rate=48_000)), "integer_below_min_value", "session.audio.output.format.rate"),
    (spoken(speed=0.1), "invalid_value", "session.audio.output.speed"),
    (spoken(speed=1.6), "invalid_value", "session.audio.output.speed"),
    (update(output_modalities=["text", "audio"]), "invalid_value", "session.output_modalities"),
    (update(output_modalities=[]), "invalid_value", "session.output_modalities"),
    (update(max_output_tokens=0), "invalid_value", "session.max_output_tokens"),
    (update(max_output_tokens=5000), "invalid_value", "session.max_output_tokens"),
    (update(temperature=2.0), "invalid_value", "session.temperature"),
    (ask(output_modalities=["text", "audio"]), "invalid_value", "response.output_modalities"),
    (ask(max_output_tokens=-1), "invalid_value", "response.max_output_tokens"),
    (ask(metadata={"k" * 65: "v"}), "string_above_max_length", "response.metadata"),
    (ask(metadata={"k": "v" * 513}), "string_above_max_length", "response.metadata"),
    (ask(metadata={str(n): "" for n in range(17)}), "invalid_value", "response.metadata"),
    (ask(input=[{"type": "item_reference", "id": "nope"}]), "invalid_value", "item_id"),
    (ask(input=[{"type": "message", "role": "user"}]), "missing_required_parameter", "item.content"),
    (ask(input=[{"role": "user"}]), "invalid_value", "response.input"),
    (message(ContentPart(type="input_text")), "missing_required_parameter", "item.content[0].text"),
    (message(ContentPart(type="input_audio")), "missing_required_parameter", "item.content[0].audio"),
    (message(ContentPart(type="input_audio", audio="?!")), "invalid_value", "item.content[0].audio"),
    (message(ContentPart(type="input_image")), "missing_required_parameter", "item.content[0].image_url"),
    (message(ContentPart(type="output_audio", audio=TEN_KB), "assistant"), "invalid_value", "item.content[0].type"),
    (message(ContentPart(type="input_text", text="x"), "robot"), "invalid_value", "item.role"),
    (c.CreateItem(item=Item(type="message", role="user")), "missing_required_parameter", "item.content"),
    (c.CreateItem(item=Item(type="mcp_call")), "invalid_value", "item.type"),
    (c.CreateItem(item=Item(type="function_call_output")), "missing_required_parameter", "item"),
    (c.ClearAudio(event_id="e" * 513), "string_above_max_length", "event_id"),
    (c.AppendAudio(audio="AAA"), "invalid_value", "audio"),
    (c.AppendAudio(audio="AAAA AAAA"), "invalid_value", "audio"),
]


@pytest.mark.parametrize(("event", "code", "param"), REFUSED, ids=lambda value: value if type(value) is str else None)
def test_a_refusal_names_the_parameter_and_changes_nothing(event, code, param):
    server = serve()
    before = (server.session, server.history, server.reply_state, server.turn_state)
    error = fault(server.receive(event))
    assert (error.code, error.param) == (code, param)
    assert before == (server.session, server.history, server.reply_state, server.turn_state)


def test_an_update_with_one_wrong_value_is_refused_whole():
    server = serve()
    wrong = update(instructions="new", audio=Audio(output=AudioOutput(speed=9.0)))
    fault(server.receive(wrong))
    assert server.session.instructions is c.UNSET


def test_an_error_echoes_the_event_id_but_not_a_novel():
    server = serve()
    assert fault(server.receive(c.CommitAudio(event_id="mine"))).event_id == "mine"
    assert len(fault(server.receive(c.CommitAudio(event_id="e" * 9999))).event_id) == 512


@pytest.mark.parametrize("speed", [0.25, 1, 1.5])
def test_bounds_are_inside(speed):
    assert isinstance(serve().receive(spoken(speed=speed)).send[0], s.SessionUpdated)


def test_too_much_audio_at_once_is_refused():
    server = serve()
    assert fault(server.receive(c.AppendAudio(audio="A" * (15 * 1024 * 1024 + 4)))).param == "audio"


def test_null_clears_and_absent_leaves_alone():
    server = serve()
    server.receive(heard(transcription=None))
    assert server.session.audio.input.transcription is None
    assert server.session.audio.input.turn_detection == ServerVad()
    assert server.session.audio.output.voice == "joe"


def test_without_transcription_the_words_stay_in_the_conversation_untold():
    server = serve()
    server.receive(heard(transcription=None))
    server.speech_started(0)
    item_id = server.speech_stopped(500)[1]
    assert server.transcript_delta(item_id, "hel").send == ()
    assert server.transcript_completed(item_id, "hello", 0.5).send == ()
    assert server.transcript_failed(item_id, "no").send == ()
    assert server.history[0].text == "hello"


def test_a_change_of_turn_detection_forgets_the_open_turn():
    server = serve()
    server.speech_started(0)
    outcome = server.receive(heard(turn_detection=None))
    assert cmd.TurnsConfigured(None) in outcome.commands
    assert server.turn_state is Turn.IDLE
    assert server.open_item is None
    server.receive(heard(turn_detection=ServerVad()))
    assert [type(event) for event in server.speech_started(100).send] == [s.SpeechStarted]


def test_an_update_that_leaves_turn_detection_alone_leaves_the_turn_open():
    server = serve()
    server.speech_started(0)
    server.receive(update(instructions="x"))
    assert server.turn_state is Turn.OPEN
    assert server.speech_stopped(500)[1] is not None


# Items ------------------------------------------------------------------------------------------------------------


def reply(server, text="one two three four", ms=1000):
    response_id = server.receive(c.CreateResponse()).send[0].response.id
    opening = server.reply_text(response_id, text).send
    server.reply_audio(response_id, silence(ms))
    return response_id, opening[0].item.key


def order(server):
    return [item.key for item in server.history]


def test_a_reply_keeps_the_place_where_it_began():
    server = serve(interrupt_response=False)
    server.receive(c.CreateItem(item=user_text("first", "u1")))
    response_id, item_id = reply(server)
    added = server.receive(c.CreateItem(item=user_text("meanwhile", "u2"))).send[0]
    assert added.previous_item_id == item_id
    done = server.reply_finished(response_id).send
    assert order(server) == ["u1", item_id, "u2"]
    assert [event.previous_item_id for event in done if isinstance(event, s.ItemDone)] == ["u1"]
    assert server.history[1].text == "one two three four"


def test_a_reply_can_be_read_while_it_is_made():
    server = serve()
    _, item_id = reply(server, "so far")
    retrieved = server.receive(c.RetrieveItem(item_id=item_id)).send[0]
    assert (retrieved.item.text, retrieved.item.status) == ("so far", "in_progress")


def test_a_cut_in_the_middle_of_a_reply_stands_at_its_end():
    server = serve()
    response_id, item_id = reply(server, "one two three four", 1000)
    cut = c.TruncateItem(item_id=item_id, content_index=0, audio_end_ms=500)
    assert isinstance(server.receive(cut).send[0], s.ItemTruncated)
    server.reply_text(response_id, " five six")
    server.reply_finished(response_id)
    assert server.history[-1].text == "one two"
    beyond = c.TruncateItem(item_id=item_id, content_index=0, audio_end_ms=501)
    assert "500ms is already shorter" in fault(server.receive(beyond)).message


def test_an_item_deleted_in_the_middle_of_its_reply_stays_deleted():
    server = serve()
    response_id, item_id = reply(server)
    server.receive(c.DeleteItem(item_id=item_id))
    done = server.reply_finished(response_id).send
    assert server.history == ()
    assert isinstance(done[-1], s.ResponseDone)
    assert not any(isinstance(event, s.ItemDone) for event in done)


def test_a_written_reply_cannot_be_truncated():
    server = serve()
    response_id = server.receive(ask(output_modalities=["text"])).send[0].response.id
    item_id = server.reply_text(response_id, "words").send[0].item.key
    for _ in range(2):
        error = fault(server.receive(c.TruncateItem(item_id=item_id, content_index=0, audio_end_ms=0)))
        assert error.code == "unsupported_content_type"
        server.reply_finished(response_id)


@pytest.mark.parametrize(
    ("previous", "expected"),
    [("root", ["x", "a", "b"]), ("a", ["a", "x", "b"]), (None, ["a", "b", "x"]), (c.UNSET, ["a", "b", "x"])],
)
def test_items_go_where_they_are_asked_to(previous, expected):
    server = serve()
    for name in ("a", "b"):
        server.receive(c.CreateItem(item=user_text(name, name)))
    added, done = server.receive(c.CreateItem(item=user_text("x", "x"), previous_item_id=previous)).send
    assert order(server) == expected
    place = expected.index("x")
    assert added.previous_item_id == done.previous_item_id == (expected[place - 1] if place else None)


def test_an_id_is_used_once():
    server = serve()
    server.receive(c.CreateItem(item=user_text("a", "a")))
    assert fault(server.receive(c.CreateItem(item=user_text("b", "a")))).param == "item.id"
    announced = server.speech_started(0).send[0].item_id
    assert fault(server.receive(c.CreateItem(item=user_text("b", announced)))).param == "item.id"


# Turns and replies ------------------------------------------------------------------------------------------------


def test_without_create_response_a_turn_starts_no_reply():
    server = serve(create_response=False)
    server.speech_started(0)
    outcome, item_id = server.speech_stopped(500)
    assert item_id is not None
    assert not any(isinstance(command, cmd.StartReply) for command in outcome.commands)


def test_without_interrupt_response_speech_leaves_the_reply_alone():
    server = serve(interrupt_response=False)
    response_id, _ = reply(server)
    assert [type(event) for event in server.speech_started(0).send] == [s.SpeechStarted]
    assert server.reply_text(response_id, "goes on").send
    outcome, _ = server.speech_stopped(400)
    assert not any(isinstance(event, s.ResponseCreated | s.Error) for event in outcome.send)


def test_speech_ends_the_reply_in_the_order_of_the_guide():
    server = serve()
    response_id, _ = reply(server)
    outcome = server.speech_started(0)
    assert [type(event) for event in outcome.send] == [
        s.SpeechStarted,
        s.AudioDone,
        s.AudioTranscriptDone,
        s.ContentPartDone,
        s.ItemDone,
        s.OutputItemDone,
        s.ResponseDone,
    ]
    done = outcome.send[-1].response
    assert (done.status, done.status_details) == ("cancelled", {"type": "cancelled", "reason": "turn_detected"})
    assert outcome.send[4].item.status == "incomplete"
    assert outcome.commands == (cmd.StopReply(response_id),)


def test_a_second_reply_is_refused_and_the_first_goes_on():
    server = serve()
    response_id, _ = reply(server)
    error = fault(server.receive(c.CreateResponse(event_id="e2")))
    assert (error.code, error.event_id) == ("conversation_already_has_active_response", "e2")
    assert server.reply_finished(response_id).send[-1].response.status == "completed"


def test_an_out_of_band_reply_is_cancelled_by_its_id_only():
    server = serve()
    reply(server)
    aside = server.receive(ask(conversation="none", output_modalities=["text"])).send[0].response.id
    server.receive(c.CancelResponse())
    assert server.reply_text(aside, "still here").send
    ended = server.receive(c.CancelResponse(response_id=aside)).send[-1].response
    assert (ended.id, ended.status_details["reason"]) == (aside, "client_cancelled")


def test_a_commit_needs_a_tenth_of_a_second():
    server = serve()
    server.receive(c.AppendAudio(audio=base64.b64encode(silence(99)).decode()))
    error = fault(server.receive(c.CommitAudio()))
    assert error.code == "input_audio_buffer_commit_empty"
    assert "99.00ms" in error.message
    server.receive(c.AppendAudio(audio=base64.b64encode(silence(1)).decode()))
    assert isinstance(server.receive(c.CommitAudio()).commands[0], cmd.TurnClosed)
    assert fault(server.receive(c.CommitAudio())).code == "input_audio_buffer_commit_empty"
