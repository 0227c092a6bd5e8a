"""The client against servers that race, repeat themselves, leave things out, or refuse."""

from __future__ import annotations

import base64

import pytest

from mrblue_cli.core.ids import CountingIds
from mrblue_cli.protocol import client_events as c
from mrblue_cli.protocol import notices as n
from mrblue_cli.protocol import server_events as s
from mrblue_cli.protocol.client import MAX_BUSY_RETRIES, ClientConversation
from mrblue_cli.protocol.items import Item
from mrblue_cli.protocol.notices import AudioKey, Ownership, Played
from mrblue_cli.protocol.session import Audio, AudioOutput, SemanticVad, ServerVad, Session
from mrblue_cli.protocol.transitions import Reply, Turn
from tests.protocol.pair import silence


class Talk:
    """A client conversation that writes down everything it sends and says."""

    def __init__(self, ownership=Ownership.SERVER, vad=None):
        desired = Session(instructions="hi", audio=Audio(output=AudioOutput(voice="marin")))
        self.client = ClientConversation(desired, ownership=ownership, ids=CountingIds(), vad=vad)
        self.sent, self.notices = [], []
        self.hear(s.SessionCreated(session={"id": "sess", "type": "realtime"}))

    def do(self, outcome):
        self.sent += outcome.send
        self.notices += outcome.notices
        return outcome

    def hear(self, *events):
        for event in events:
            self.do(self.client.receive(event))

    def sends(self, kind):
        return [event for event in self.sent if isinstance(event, kind)]

    def says(self, kind):
        return [notice for notice in self.notices if isinstance(notice, kind)]

    def created(self, response_id="r"):
        self.hear(s.ResponseCreated(response=s.ResponseState(id=response_id, conversation_id="conv")))

    def done(self, response_id="r", status="completed", **fields):
        self.hear(s.ResponseDone(response=s.ResponseState(id=response_id, status=status, **fields)))

    def words(self, text, item_id="a", response_id="r"):
        self.hear(s.AudioTranscriptDelta(response_id=response_id, item_id=item_id, delta=text))

    def audio(self, ms, item_id="a", response_id="r"):
        delta = base64.b64encode(silence(ms)).decode()
        self.hear(s.AudioDelta(response_id=response_id, item_id=item_id, delta=delta))

    def error(self, code, *, event_id=None, message="no"):
        self.hear(s.Error(error=s.ErrorDetail(code=code, message=message, event_id=event_id)))


def call(number, arguments="{}"):
    return Item(type="function_call", id=f"f{number}", call_id=f"call_{number}", name="tool", arguments=arguments)


BUSY = "conversation_already_has_active_response"


# One ReplyDone for each ReplyStarted ------------------------------------------------------------------------------


def test_a_second_reply_before_the_end_of_the_first_leaves_no_loose_end():
    talk = Talk()
    talk.created("r1")
    talk.created("r2")
    talk.done("r1", "cancelled")
    assert talk.client.reply_state is Reply.ACTIVE
    talk.words("still here", response_id="r2")
    talk.done("r2")
    assert [x.response_id for x in talk.says(n.ReplyStarted)] == ["r1", "r2"]
    assert [x.response_id for x in talk.says(n.ReplyDone)] == ["r1", "r2"]
    assert talk.says(n.ReplyText)[-1].text == "still here"
    assert talk.client.reply_state is Reply.NONE


def test_repeated_events_are_told_once():
    talk = Talk()
    talk.created()
    talk.created()
    talk.done()
    talk.done()
    assert len(talk.says(n.ReplyStarted)) == len(talk.says(n.ReplyDone)) == 1


def test_an_end_without_an_id_is_the_end_of_the_active_reply():
    talk = Talk()
    talk.created("r7")
    talk.done("")
    assert talk.says(n.ReplyDone)[0].response_id == "r7"
    assert talk.client.reply_state is Reply.NONE


def test_nothing_of_a_reply_is_told_after_its_end():
    talk = Talk()
    talk.created()
    talk.done()
    before = list(talk.notices)
    talk.words("late")
    talk.audio(20)
    assert talk.notices == before


def test_out_of_band_replies_are_not_ours():
    talk = Talk()
    aside = s.ResponseState(id="oob", conversation_id=None, metadata={"topic": "x"})
    talk.hear(s.ResponseCreated(response=aside))
    talk.words("aside", response_id="oob")
    talk.done("oob", metadata={"topic": "x"})
    assert talk.says(n.ReplyStarted) == talk.says(n.ReplyText) == talk.says(n.ReplyDone) == []
    assert talk.client.reply_state is Reply.NONE


# Requests that are refused ----------------------------------------------------------------------------------------


def request_id(talk):
    return talk.sends(c.CreateResponse)[-1].event_id


@pytest.mark.parametrize("names_the_event", [True, False])
def test_a_refused_request_is_told_and_leaves_room_for_the_next(names_the_event):
    talk = Talk()
    talk.do(talk.client.send_text("one"))
    talk.error("rate_limit_exceeded", event_id=request_id(talk) if names_the_event else None)
    assert talk.client.reply_state is Reply.NONE
    assert [(x.code, x.fatal) for x in talk.says(n.ProtocolFailure)] == [("rate_limit_exceeded", False)]
    talk.do(talk.client.send_text("two"))
    assert len(talk.sends(c.CreateResponse)) == 2


@pytest.mark.parametrize("names_the_event", [True, False])
def test_words_typed_while_a_request_hangs_are_answered_when_it_is_refused(names_the_event):
    talk = Talk()
    talk.do(talk.client.send_text("one"))
    first = request_id(talk)
    talk.do(talk.client.send_text("two"))  # interrupts the first before it began
    assert talk.client.reply_state is Reply.DOOMED
    assert len(talk.sends(c.CreateResponse)) == 1
    talk.error("rate_limit_exceeded", event_id=first if names_the_event else None)
    assert len(talk.sends(c.CreateResponse)) == 2
    assert talk.client.reply_state is Reply.REQUESTED


def test_an_error_about_something_else_changes_no_request():
    talk = Talk()
    talk.do(talk.client.send_text("one"))
    talk.error("invalid_value", event_id="event_of_something_else")
    assert talk.client.reply_state is Reply.REQUESTED


@pytest.mark.parametrize("code", [BUSY, None])
def test_a_request_that_met_a_vad_reply_waits_for_its_end(code):
    talk = Talk()
    talk.do(talk.client.send_text("typed"))
    talk.created("vad")
    talk.error(code, event_id=request_id(talk) if code else None, message="already has an active response")
    assert len(talk.sends(c.CreateResponse)) == 1
    talk.done("vad")
    assert len(talk.sends(c.CreateResponse)) == 2
    assert talk.says(n.ProtocolFailure) == []


def test_a_refusal_that_arrives_after_the_other_reply_ended_asks_again():
    talk = Talk()
    talk.do(talk.client.send_text("typed"))
    talk.created("vad")
    talk.done("vad")
    talk.error(BUSY, event_id=request_id(talk))
    assert len(talk.sends(c.CreateResponse)) == 2


def test_after_esc_a_busy_refusal_asks_for_nothing():
    talk = Talk()
    talk.do(talk.client.send_text("typed"))
    talk.created("vad")
    talk.do(talk.client.interrupt())
    talk.error(BUSY, event_id=request_id(talk))
    talk.done("vad", "cancelled")
    assert len(talk.sends(c.CreateResponse)) == 1
    assert talk.client.reply_state is Reply.NONE


def test_a_server_that_is_always_busy_is_asked_a_few_times_only():
    talk = Talk()
    talk.do(talk.client.send_text("typed"))
    for _ in range(20):
        talk.error(BUSY, event_id=request_id(talk))
    assert len(talk.sends(c.CreateResponse)) == 1 + MAX_BUSY_RETRIES
    assert [x.code for x in talk.says(n.ProtocolFailure)][:1] == [BUSY]


# Errors -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("response_cancel_not_active", ""),
        ("input_audio_buffer_commit_empty", ""),
        ("item_truncate_invalid_item_id", ""),
        ("item_delete_invalid_item_id", ""),
        ("unsupported_content_type", ""),
        ("invalid_value", "Audio content of 900ms is already shorter than 950ms"),
        (None, "Cancellation failed: no active response found"),
        (None, "Error committing input audio buffer: buffer too small. Expected at least 100ms of audio"),
    ],
)
def test_races_that_every_client_runs_into_are_not_told(code, message):
    talk = Talk()
    talk.error(code, message=message)
    assert talk.says(n.ProtocolFailure) == []


@pytest.mark.parametrize(
    "code", ["insufficient_quota", "invalid_api_key", "account_deactivated", "billing_hard_limit_reached"]
)
def test_what_ends_a_session_is_told_as_fatal(code):
    talk = Talk()
    talk.error(code)
    assert [(x.code, x.fatal) for x in talk.says(n.ProtocolFailure)] == [(code, True)]


def test_a_refused_voice_is_left_out_of_the_next_try():
    talk = Talk()
    talk.error("cannot_update_voice")
    again = talk.sends(c.SessionUpdate)[-1].session
    assert again.type == "realtime"
    assert again.instructions == "hi"
    assert again.audio.input.turn_detection is not None
    assert again.audio.output.voice is c.UNSET
    assert talk.says(n.ProtocolFailure) == []


def test_every_update_names_the_session_type():
    talk = Talk()
    talk.do(talk.client.update_session(Session(instructions="be kind")))
    talk.do(talk.client.set_ownership(Ownership.CLIENT))
    assert [event.session.type for event in talk.sends(c.SessionUpdate)] == ["realtime"] * 3


# The person's words -----------------------------------------------------------------------------------------------


def test_deltas_that_come_after_the_whole_change_nothing():
    talk = Talk()
    delta = s.TranscriptionDelta(item_id="u", delta="port ")
    talk.hear(delta, s.TranscriptionCompleted(item_id="u", transcript=" Port in use. "), delta)
    assert [(x.text, x.final) for x in talk.says(n.UserText)] == [("port ", False), ("Port in use.", True)]


def test_transcripts_of_several_turns_keep_apart():
    talk = Talk()
    talk.hear(
        s.TranscriptionDelta(item_id="u2", delta="second "),
        s.TranscriptionDelta(item_id="u1", delta="first "),
        s.TranscriptionDelta(item_id="u2", delta="turn"),
        s.TranscriptionFailed(item_id="u1"),
        s.TranscriptionDelta(item_id="u1", delta="late"),
    )
    assert [(x.item_id, x.text, x.failed) for x in talk.says(n.UserText)] == [
        ("u2", "second ", False),
        ("u1", "first ", False),
        ("u2", "second turn", False),
        ("u1", "", True),
    ]


def test_server_vad_that_fires_after_the_turns_became_ours_is_ignored():
    talk = Talk()
    talk.do(talk.client.set_ownership(Ownership.CLIENT))
    talk.hear(s.SpeechStarted(item_id="u"), s.SpeechStopped(item_id="u"))
    assert talk.client.turn_state is Turn.IDLE
    assert talk.says(n.SpeechStarted) == talk.says(n.SpeechStopped) == []


# Turns that are shared ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "message",
    ["Unknown parameter: 'session.audio.input.turn_detection.interrupt_response'.", "create_response must be true"],
)
def test_a_server_that_refuses_the_flags_gets_the_turns_whole(message):
    talk = Talk(Ownership.SHARED)
    talk.error("unknown_parameter", message=message)
    assert talk.client.ownership is Ownership.SERVER
    first, second = (event.session.audio.input.turn_detection for event in talk.sends(c.SessionUpdate))
    assert (first.create_response, first.interrupt_response) == (False, False)
    assert (second.create_response, second.interrupt_response) == (True, True)
    assert talk.says(n.ProtocolFailure) == []
    talk.error("unknown_parameter", message=message)
    assert len(talk.sends(c.SessionUpdate)) == 2
    assert len(talk.says(n.ProtocolFailure)) == 1


def test_a_server_that_creates_replies_all_the_same_is_believed():
    talk = Talk(Ownership.SHARED)
    talk.hear(s.SpeechStarted(item_id="u"), s.SpeechStopped(item_id="u"), s.AudioCommitted(item_id="u"))
    talk.do(talk.client.ask_for_reply())
    asked = talk.sends(c.CreateResponse)[0].event_id
    talk.created("theirs")
    talk.error("conversation_already_has_active_response", event_id=asked)
    talk.done("theirs")
    assert len(talk.sends(c.CreateResponse)) == 1
    assert talk.client.ownership is Ownership.SERVER
    assert talk.client.reply_state is Reply.NONE
    assert [x.response_id for x in talk.says(n.ReplyStarted)] == ["theirs"]
    assert talk.says(n.ProtocolFailure) == []


def test_two_replies_to_one_turn_are_one_too_many():
    talk = Talk(Ownership.SHARED)
    talk.hear(s.AudioCommitted(item_id="u"))
    talk.do(talk.client.ask_for_reply())
    talk.created("theirs")
    talk.audio(500, response_id="theirs")
    talk.done("theirs")
    talk.created("ours")
    talk.audio(500, "b", response_id="ours")
    assert [event.response_id for event in talk.sends(c.CancelResponse)] == ["ours"]
    assert {notice.key.response_id for notice in talk.says(n.ReplyAudio)} == {"theirs"}
    assert talk.client.ownership is Ownership.SERVER
    talk.done("ours", status="cancelled")
    assert talk.client.reply_state is Reply.NONE


def test_a_reply_that_nobody_asked_for_is_heard():
    talk = Talk(Ownership.SHARED)
    talk.hear(s.AudioCommitted(item_id="u"))
    talk.created("theirs")
    talk.audio(500, response_id="theirs")
    assert talk.sends(c.CancelResponse) == []
    assert len(talk.says(n.ReplyAudio)) == 1
    assert talk.client.ownership is Ownership.SERVER


def test_where_meaning_is_not_known_silence_ends_the_turn():
    talk = Talk(vad=SemanticVad())
    assert isinstance(talk.sends(c.SessionUpdate)[0].session.audio.input.turn_detection, SemanticVad)
    talk.error("invalid_value", message="Invalid value: 'semantic_vad'. Supported values are: 'server_vad'.")
    assert isinstance(talk.sends(c.SessionUpdate)[1].session.audio.input.turn_detection, ServerVad)
    assert talk.says(n.ProtocolFailure) == []
    talk.error("invalid_value", message="Invalid value: 'semantic_vad'.")
    assert len(talk.says(n.ProtocolFailure)) == 1


# Interruptions ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("by", ["esc", "speech"])
def test_words_whose_audio_never_came_were_not_heard(by):
    talk = Talk()
    talk.created()
    talk.words("You should ")
    if by == "esc":
        talk.do(talk.client.interrupt())
    else:
        talk.hear(s.SpeechStarted(item_id="u"))
        talk.do(talk.client.interrupted(()))
    assert talk.says(n.ReplyText)[-1] == n.ReplyText("a", "", final=True, heard_ms=0)
    assert talk.sends(c.DeleteItem) == []
    talk.done(status="cancelled")
    assert [event.item_id for event in talk.sends(c.DeleteItem)] == ["a"]
    assert talk.sends(c.TruncateItem) == []


def test_an_item_that_began_after_esc_leaves_the_conversation():
    talk = Talk()
    talk.created()
    talk.do(talk.client.interrupt())
    talk.hear(s.OutputItemAdded(response_id="r", item=Item(type="message", id="late", role="assistant")))
    talk.hear(s.OutputItemAdded(response_id="r", item=call(1)))
    talk.audio(500, item_id="late")
    talk.done(status="cancelled")
    assert [event.item_id for event in talk.sends(c.DeleteItem)] == ["late"]
    assert talk.says(n.ReplyAudio) == []


def test_a_written_reply_that_was_cut_stays():
    talk = Talk()
    talk.created()
    talk.hear(s.TextDelta(response_id="r", item_id="a", delta="You read this"))
    talk.do(talk.client.interrupt())
    talk.done(status="cancelled")
    assert talk.sends(c.DeleteItem) == talk.sends(c.TruncateItem) == []


def test_a_reply_with_two_spoken_items_is_cut_where_it_was_heard():
    talk = Talk()
    talk.created()
    for item_id in ("a", "b"):
        talk.words("one two three four", item_id)
        talk.audio(1000, item_id)
    keys = [AudioKey("r", item_id, 0) for item_id in ("a", "b")]
    talk.do(talk.client.interrupt((Played(keys[0], 1000, complete=True), Played(keys[1], 400, complete=False))))
    cuts = [(event.item_id, event.audio_end_ms) for event in talk.sends(c.TruncateItem)]
    assert cuts == [("b", 400)]
    assert talk.says(n.ReplyText)[-1] == n.ReplyText("b", "one two", final=True, heard_ms=400)


# Tools ------------------------------------------------------------------------------------------------------------


def outputs(talk):
    return [(event.item.call_id, event.item.output) for event in talk.sends(c.CreateItem)]


def test_two_calls_are_answered_in_order_by_one_request():
    talk = Talk()
    talk.created()
    talk.hear(s.OutputItemDone(response_id="r", item=call(1)), s.OutputItemDone(response_id="r", item=call(2)))
    talk.hear(s.FunctionArgumentsDone(response_id="r", call_id="call_1", arguments="{}"))
    assert talk.says(n.ToolCall) == []
    talk.done(output=(call(1), call(2)))
    assert [x.call_id for x in talk.says(n.ToolCall)] == ["call_1", "call_2"]
    talk.do(talk.client.supply_tool_output("call_2", "two"))
    assert outputs(talk) == []
    talk.do(talk.client.supply_tool_output("call_1", "one"))
    assert outputs(talk) == [("call_1", "one"), ("call_2", "two")]
    assert len(talk.sends(c.CreateResponse)) == 1


def test_a_call_that_response_done_leaves_out_is_still_told():
    talk = Talk()
    talk.created()
    talk.hear(s.FunctionArgumentsDone(response_id="r", call_id="call_1", arguments='{"a":1}'))
    talk.hear(s.OutputItemDone(response_id="r", item=call(1, '{"a":1}')))
    talk.done(output=None)
    assert talk.says(n.ToolCall) == [n.ToolCall("call_1", "tool", '{"a":1}')]


@pytest.mark.parametrize("status", ["cancelled", "failed", "incomplete"])
def test_calls_of_a_reply_that_did_not_complete_never_run(status):
    talk = Talk()
    talk.created()
    talk.hear(s.OutputItemDone(response_id="r", item=call(1)))
    talk.done(status=status, output=(call(1),))
    assert talk.says(n.ToolCall) == []


def test_after_an_interruption_outputs_are_kept_and_no_reply_is_asked_for():
    talk = Talk()
    talk.created()
    talk.done(output=(call(1),))
    talk.do(talk.client.interrupt())
    talk.do(talk.client.supply_tool_output("call_1", "one"))
    assert outputs(talk) == [("call_1", "one")]
    assert talk.sends(c.CreateResponse) == []


def test_a_call_is_told_once_in_a_session():
    talk = Talk()
    for response_id in ("r1", "r2"):
        talk.created(response_id)
        talk.done(response_id, output=(call(1),))
    assert len(talk.says(n.ToolCall)) == 1


def test_a_turn_said_again_that_is_refused_does_not_swallow_the_next_commit():
    talk = Talk(Ownership.SHARED)
    talk.do(talk.client.hold_turns())
    talk.do(talk.client.say_again(silence(200)))
    talk.do(talk.client.release_turns())
    talk.error("input_audio_buffer_commit_empty")
    talk.hear(s.SpeechStarted(item_id="u", audio_start_ms=0), s.AudioCommitted(item_id="u"))
    assert talk.client.turn_state is Turn.IDLE
    assert [notice.item_id for notice in talk.says(n.TurnCommitted)] == ["u"]
    talk.do(talk.client.ask_for_reply())
    assert len(talk.sends(c.CreateResponse)) == 1
