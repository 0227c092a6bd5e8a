"""The turn sequences of the Realtime guide, client and server joined in memory, in both dialects."""

from __future__ import annotations

import pytest

from mrblue_cli.protocol import notices as n
from mrblue_cli.protocol.client_events import CancelResponse, ClearAudio, CommitAudio, CreateResponse, TruncateItem
from mrblue_cli.protocol.codec import GaCodec
from mrblue_cli.protocol.codec_beta import BetaCodec
from mrblue_cli.protocol.notices import Ownership, Played
from mrblue_cli.protocol.session import SemanticVad, ServerVad
from mrblue_cli.protocol.transitions import Reply, Turn
from tests.protocol.pair import ConversationPair, silence


@pytest.fixture(params=[GaCodec, BetaCodec], ids=["ga", "beta"])
def codec(request):
    return request.param()


def names(events):
    return [type(event).__name__ for event in events]


def test_connect_asks_for_what_we_want(codec):
    pair = ConversationPair(codec=codec)
    pair.exchange()
    ready = pair.kinds(n.SessionReady)[0]
    assert (ready.model, ready.dialect, ready.expires_at) == ("test-model", codec.dialect, 3600)
    assert pair.kinds(n.SessionConfigured)
    assert pair.server.session.instructions == "be brief"
    assert pair.server.session.audio.input.turn_detection.silence_duration_ms == 500


def test_server_vad_turn_in_the_order_of_the_guide(codec):
    pair = ConversationPair(codec=codec)
    pair.exchange()
    pair.server_sent.clear()
    pair.from_client(pair.client.append(silence(900)))
    pair.exchange()
    pair.from_server(pair.server.speech_started(120))
    outcome, item_id = pair.server.speech_stopped(800)
    pair.from_server(outcome)
    response_id = pair.speak()
    pair.from_server(pair.server.transcript_completed(item_id, "port in use", 0.7))
    pair.from_server(pair.server.reply_finished(response_id))
    pair.exchange()
    assert names(pair.server_sent) == [
        "SpeechStarted",
        "SpeechStopped",
        "AudioCommitted",
        "ItemAdded",
        "ItemDone",
        "ResponseCreated",
        "OutputItemAdded",
        "ItemAdded",
        "ContentPartAdded",
        "AudioTranscriptDelta",
        "AudioDelta",
        "TranscriptionCompleted",
        "AudioDone",
        "AudioTranscriptDone",
        "ContentPartDone",
        "ItemDone",
        "OutputItemDone",
        "ResponseDone",
    ]
    assert pair.kinds(n.UserText)[-1].text == "port in use"
    assert pair.kinds(n.ReplyText)[-1] == n.ReplyText(pair.kinds(n.ReplyText)[-1].item_id, "Found it.", final=True)
    assert sum(len(audio.pcm) for audio in pair.kinds(n.ReplyAudio)) == len(silence(1000))
    done = pair.kinds(n.ReplyDone)
    assert [(x.status, x.reason) for x in done] == [("completed", None)]
    assert done[0].usage["output_token_details"]["audio_tokens"] == 20
    assert [item.text for item in pair.server.history] == ["port in use", "Found it."]


def test_push_to_talk_turn(codec):
    pair = ConversationPair(Ownership.CLIENT, codec)
    pair.exchange()
    assert pair.server.session.audio.input.turn_detection is None
    pair.client_sent.clear()
    pair.from_client(pair.client.start_turn())
    pair.from_client(pair.client.append(silence(400)))
    pair.from_client(pair.client.commit_turn())
    assert names(pair.client_sent) == ["ClearAudio", "AppendAudio", "CommitAudio", "CreateResponse"]
    pair.exchange()
    assert pair.client.reply_state is Reply.ACTIVE
    pair.from_server(pair.server.reply_finished(pair.speak()))
    pair.exchange()
    assert pair.client.reply_state is Reply.NONE
    assert pair.errors() == []


def test_a_tap_too_short_is_cleared_not_sent(codec):
    pair = ConversationPair(Ownership.CLIENT, codec)
    pair.exchange()
    pair.from_client(pair.client.start_turn())
    pair.from_client(pair.client.append(silence(99)))
    pair.client_sent.clear()
    pair.from_client(pair.client.commit_turn())
    assert names(pair.client_sent) == ["ClearAudio"]
    assert pair.kinds(n.TurnTooShort)
    assert pair.client.turn_state is Turn.IDLE
    pair.exchange()
    assert pair.errors() == []


def test_a_typed_turn(codec):
    pair = ConversationPair(codec=codec)
    pair.exchange()
    pair.from_client(pair.client.send_text("npm ERR! EACCES"))
    pair.exchange()
    pair.from_server(pair.server.reply_finished(pair.speak("Use sudo? No.", 300)))
    pair.exchange()
    assert [item.text for item in pair.server.history] == ["npm ERR! EACCES", "Use sudo? No."]
    assert pair.kinds(n.UserText)[0].final


def played(pair, ms, complete=False):
    return (Played(pair.kinds(n.ReplyAudio)[-1].key, ms, complete),)


def test_speaking_over_the_reply_cuts_it_on_both_sides(codec):
    pair = ConversationPair(codec=codec)
    pair.exchange()
    pair.from_client(pair.client.send_text("hello"))
    pair.exchange()
    response_id = pair.speak("one two three four five six seven eight nine ten", 10_000)
    pair.exchange()
    pair.from_client(pair.client.append(silence(500)))
    pair.exchange()
    pair.from_server(pair.server.speech_started(100))
    late = pair.server.reply_audio(response_id, silence(100))
    assert late.send == ()
    pair.deliver_to_client()
    assert pair.kinds(n.StopPlayback)
    pair.from_client(pair.client.interrupted(played(pair, 5000)))
    pair.exchange()
    done = pair.kinds(n.ReplyDone)[-1]
    assert (done.status, done.reason) == ("cancelled", "turn_detected")
    heard = pair.kinds(n.ReplyText)[-1]
    assert (heard.text, heard.heard_ms, heard.final) == ("one two three four five", 5000, True)
    assert pair.server.history[-1].text == "one two three four five"
    assert [event for event in pair.client_sent if isinstance(event, CancelResponse)] == []
    assert pair.errors() == []


def test_speech_after_generation_finished_still_truncates(codec):
    pair = ConversationPair(codec=codec)
    pair.exchange()
    pair.from_client(pair.client.send_text("hello"))
    pair.exchange()
    pair.from_server(pair.server.reply_finished(pair.speak("a b c d", 4000)))
    pair.exchange()
    pair.from_client(pair.client.append(silence(500)))
    pair.exchange()
    pair.from_server(pair.server.speech_started(100))
    pair.deliver_to_client()
    pair.from_client(pair.client.interrupted(played(pair, 2000)))
    pair.exchange()
    truncations = [event for event in pair.client_sent if isinstance(event, TruncateItem)]
    assert [event.audio_end_ms for event in truncations] == [2000]
    assert pair.server.history[-1].text == "a b"


def test_a_reply_heard_to_its_end_is_never_truncated(codec):
    pair = ConversationPair(codec=codec)
    pair.exchange()
    pair.from_client(pair.client.send_text("hello"))
    pair.exchange()
    pair.from_server(pair.server.reply_finished(pair.speak("a b c d", 4000)))
    pair.exchange()
    pair.from_client(pair.client.played_out(pair.kinds(n.ReplyAudio)[-1].key))
    pair.from_client(pair.client.append(silence(500)))
    pair.exchange()
    pair.from_server(pair.server.speech_started(100))
    pair.exchange()
    assert pair.kinds(n.StopPlayback) == []
    pair.from_client(pair.client.interrupted(played(pair, 4000, complete=True)))
    assert not any(isinstance(event, TruncateItem) for event in pair.client_sent)


def test_esc_cancels_truncates_and_holds_the_next_request(codec):
    pair = ConversationPair(Ownership.CLIENT, codec)
    pair.exchange()
    pair.from_client(pair.client.send_text("hello"))
    pair.exchange()
    pair.speak("one two three four", 4000)
    pair.exchange()
    pair.client_sent.clear()
    pair.from_client(pair.client.send_text("no, wait", played(pair, 1000)))
    assert names(pair.client_sent) == ["CancelResponse", "TruncateItem", "CreateItem"]
    pair.exchange()
    assert names(pair.client_sent)[-1] == "CreateResponse"
    assert len(pair.started()) == 2
    assert pair.errors() == []
    assert pair.kinds(n.ReplyDone)[-1].reason == "client_cancelled"


def test_a_cancel_before_the_reply_began_is_remembered(codec):
    pair = ConversationPair(Ownership.CLIENT, codec)
    pair.exchange()
    pair.from_client(pair.client.send_text("hello"))
    pair.from_client(pair.client.interrupt())
    assert not any(isinstance(event, CancelResponse) for event in pair.client_sent)
    pair.exchange()
    assert [event.response_id for event in pair.client_sent if isinstance(event, CancelResponse)] == ["resp_1"]
    assert pair.kinds(n.ReplyDone)[-1].status == "cancelled"
    assert pair.client.reply_state is Reply.NONE


def test_cancel_that_crosses_the_end_is_benign(codec):
    pair = ConversationPair(Ownership.CLIENT, codec)
    pair.exchange()
    pair.from_client(pair.client.send_text("hello"))
    pair.exchange()
    response_id = pair.speak("a b", 500)
    pair.deliver_to_client()
    pair.from_server(pair.server.reply_finished(response_id))
    pair.from_client(pair.client.interrupt(played(pair, 100)))
    pair.exchange()
    assert pair.errors() == ["response_cancel_not_active"]
    assert pair.kinds(n.ProtocolFailure) == []


def test_a_reply_that_fails_is_told_once(codec):
    pair = ConversationPair(codec=codec)
    pair.exchange()
    pair.from_client(pair.client.send_text("hello"))
    pair.exchange()
    pair.from_server(pair.server.reply_failed("resp_1", "insufficient_quota", "no money left"))
    pair.exchange()
    assert [(x.code, x.fatal) for x in pair.kinds(n.ProtocolFailure)] == [("insufficient_quota", True)]
    assert pair.kinds(n.ReplyDone)[-1].status == "failed"


def test_switching_who_owns_the_turns(codec):
    pair = ConversationPair(codec=codec)
    pair.exchange()
    pair.from_client(pair.client.set_ownership(Ownership.CLIENT))
    pair.exchange()
    assert pair.server.session.audio.input.turn_detection is None
    pair.from_client(pair.client.set_ownership(Ownership.SERVER))
    pair.exchange()
    assert pair.server.session.audio.input.turn_detection is not None


def test_an_abandoned_turn_leaves_nothing(codec):
    pair = ConversationPair(Ownership.CLIENT, codec)
    pair.exchange()
    pair.from_client(pair.client.start_turn())
    pair.from_client(pair.client.append(silence(500)))
    pair.from_client(pair.client.abandon_turn())
    pair.exchange()
    assert pair.server.history == ()
    assert pair.started() == []
    kinds = [event for event in pair.client_sent if isinstance(event, CommitAudio | CreateResponse)]
    assert kinds == []
    assert isinstance(pair.client_sent[-1], ClearAudio)


def test_a_late_acknowledgement_does_not_close_the_next_turn(codec):
    pair = ConversationPair(Ownership.CLIENT, codec)
    pair.exchange()
    for _ in range(2):
        pair.from_client(pair.client.start_turn())
        pair.from_client(pair.client.append(silence(300)))
        pair.from_client(pair.client.commit_turn())
        pair.from_client(pair.client.start_turn())
        pair.exchange()
        pair.from_client(pair.client.append(silence(300)))
        pair.client_sent.clear()
        pair.from_client(pair.client.commit_turn())
        assert isinstance(pair.client_sent[0], CommitAudio)
        pair.exchange()


def shared_turn(pair):
    """The server hears a turn; returns its item."""
    pair.from_server(pair.server.speech_started(120))
    outcome, item_id = pair.server.speech_stopped(800)
    pair.from_server(outcome)
    pair.exchange()
    return item_id


def test_shared_turns_are_heard_by_the_server_and_answered_when_we_ask():
    pair = ConversationPair(Ownership.SHARED)
    pair.exchange()
    detection = pair.server.session.audio.input.turn_detection
    assert (detection.create_response, detection.interrupt_response) == (False, False)
    item_id = shared_turn(pair)
    assert pair.kinds(n.TurnCommitted) == [n.TurnCommitted(item_id)]
    assert pair.client.turn_state is Turn.IDLE
    assert pair.started() == []
    pair.from_client(pair.client.ask_for_reply())
    pair.exchange()
    assert len(pair.started()) == 1
    pair.speak()
    pair.exchange()
    pair.from_server(pair.server.speech_started(2000))
    pair.exchange()
    assert pair.kinds(n.StopPlayback) == []
    assert pair.client.reply_state is Reply.ACTIVE
    outcome, cough = pair.server.speech_stopped(2200)
    pair.from_server(outcome)
    pair.exchange()
    pair.from_client(pair.client.forget_turn(cough))
    pair.exchange()
    assert cough not in [item.key for item in pair.server.history]
    assert len(pair.started()) == 1
    heard = tuple(Played(key, 300, False) for key in pair.client._ledger.unsettled())
    pair.from_client(pair.client.interrupt(heard))
    pair.from_client(pair.client.ask_for_reply())
    pair.exchange()
    assert pair.kinds(n.ReplyDone)[0].status == "cancelled"
    assert len(pair.started()) == 2


def test_a_beta_server_owns_the_turns_whole():
    pair = ConversationPair(Ownership.SHARED, BetaCodec())
    pair.client._vad = SemanticVad()
    pair.exchange()
    assert pair.client.ownership is Ownership.SERVER
    detection = pair.server.session.audio.input.turn_detection
    assert isinstance(detection, ServerVad)
    assert (detection.create_response, detection.interrupt_response) == (True, True)
    pair.from_client(pair.client.set_ownership(Ownership.CLIENT))
    pair.from_client(pair.client.set_ownership(Ownership.SHARED))
    assert pair.client.ownership is Ownership.SERVER


def test_a_cough_in_a_turn_of_ours_leaves_the_reply_alone(codec):
    pair = ConversationPair(Ownership.CLIENT, codec)
    pair.exchange()
    pair.from_client(pair.client.start_turn())
    pair.from_client(pair.client.append(silence(300)))
    pair.from_client(pair.client.commit_turn())
    pair.exchange()
    pair.speak()
    pair.from_client(pair.client.begin_turn())
    pair.from_client(pair.client.append(silence(300)))
    pair.from_client(pair.client.commit_turn(ask=False))
    pair.exchange()
    assert len(pair.started()) == 1
    assert pair.client.reply_state is Reply.ACTIVE
    assert [type(event) for event in pair.client_sent].count(CancelResponse) == 0
    assert len(pair.kinds(n.TurnCommitted)) == 2
