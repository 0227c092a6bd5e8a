"""Random walks over both sides at once; whatever happens, the invariants hold."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mrblue_cli.core.ids import CountingIds
from mrblue_cli.protocol import client_events as c
from mrblue_cli.protocol import notices as n
from mrblue_cli.protocol import server_events as s
from mrblue_cli.protocol.items import user_text
from mrblue_cli.protocol.notices import Ownership, Played
from mrblue_cli.protocol.server import ServerConversation
from mrblue_cli.protocol.session import Audio, AudioInput, ServerVad, Session
from mrblue_cli.protocol.transitions import Reply
from tests.protocol.pair import ConversationPair, silence

MOVES = st.sampled_from(
    [
        "append",
        "start_turn",
        "commit_turn",
        "abandon_turn",
        "send_text",
        "interrupt",
        "speech_started",
        "speech_stopped",
        "reply_text",
        "reply_audio",
        "reply_call",
        "reply_finished",
        "reply_failed",
        "tool_answers",
        "to_client",
        "to_server",
        "own_client",
        "own_server",
        "silence",
        "begin_turn",
        "ask_for_reply",
        "own_shared",
    ]
)


class Walker:
    """Applies moves in any order, as real people, engines and networks do."""

    def __init__(self, pair):
        self.pair = pair
        self.answered = set()

    def play(self):
        audio = self.pair.kinds(n.ReplyAudio)
        return (Played(audio[-1].key, 70, complete=False),) if audio else ()

    def step(self, move):
        pair, client, server = self.pair, self.pair.client, self.pair.server
        started = pair.started()
        reply = started[-1].response_id if started else "resp_none"
        match move:
            case "append":
                pair.from_client(client.append(silence(60)))
            case "ask_for_reply" if client.ownership is not Ownership.SERVER:
                pair.from_client(client.ask_for_reply())
            case "own_shared":
                pair.from_client(client.set_ownership(Ownership.SHARED))
            case "start_turn" | "begin_turn" | "commit_turn" | "abandon_turn":
                if client.ownership is Ownership.CLIENT:
                    pair.from_client(getattr(client, move)())
            case "send_text":
                pair.from_client(client.send_text("hm", self.play()))
            case "interrupt":
                pair.from_client(client.interrupt(self.play()))
            case "silence":
                pair.from_client(client.interrupted(self.play()))
            case "speech_started":
                pair.from_server(server.speech_started(10))
            case "speech_stopped":
                pair.from_server(server.speech_stopped(20)[0])
            case "reply_text":
                pair.from_server(server.reply_text(reply, "word "))
            case "reply_audio":
                pair.from_server(server.reply_audio(reply, silence(100)))
            case "reply_call":
                pair.from_server(server.reply_call(reply, "look", '{"for": "it"}'))
            case "tool_answers":
                asked = {notice.call_id for notice in pair.kinds(n.ToolCall)} - self.answered
                for call_id in sorted(asked):
                    self.answered.add(call_id)
                    pair.from_client(client.supply_tool_output(call_id, "{}"))
            case "reply_finished":
                pair.from_server(server.reply_finished(reply))
            case "reply_failed":
                pair.from_server(server.reply_failed(reply, "server_error", "no"))
            case "to_client":
                pair.deliver_to_client()
            case "to_server":
                pair.deliver_to_server()
            case "own_client":
                pair.from_client(client.set_ownership(Ownership.CLIENT))
            case "own_server":
                pair.from_client(client.set_ownership(Ownership.SERVER))


def check_server_stream(events):
    """One active reply at most, one end per beginning, nothing of a reply after its end."""
    active, ended = set(), set()
    for event in events:
        if isinstance(event, s.ResponseCreated):
            assert not active, "two replies at once"
            assert event.response.id not in ended
            active.add(event.response.id)
        elif isinstance(event, s.ResponseDone):
            assert event.response.id in active
            active.remove(event.response.id)
            ended.add(event.response.id)
        elif getattr(event, "response_id", None):
            assert event.response_id in active, f"{type(event).__name__} outside its reply"
    return active


@settings(max_examples=300, deadline=None)
@given(st.lists(MOVES, max_size=80), st.sampled_from(Ownership))
def test_random_walks_keep_the_invariants(moves, ownership):
    pair = ConversationPair(ownership)
    walker = Walker(pair)
    pair.exchange()
    for move in moves:
        walker.step(move)
    pair.exchange()
    active = check_server_stream(pair.server_sent)
    for response_id in active:
        pair.from_server(pair.server.reply_finished(response_id))
    pair.exchange()
    for command in pair.started():
        pair.from_server(pair.server.reply_finished(command.response_id))
        pair.exchange()
    assert not check_server_stream(pair.server_sent)
    # A client that has heard everything is never left waiting for a reply that will not come.
    assert pair.client.reply_state is Reply.NONE
    started = [notice.response_id for notice in pair.kinds(n.ReplyStarted)]
    finished = [notice.response_id for notice in pair.kinds(n.ReplyDone)]
    assert sorted(started) == sorted(finished)
    calls = [notice.call_id for notice in pair.kinds(n.ToolCall)]
    assert len(calls) == len(set(calls)), "a tool was asked for twice"
    serious = [notice for notice in pair.kinds(n.ProtocolFailure) if notice.code != "server_error"]
    assert serious == []


@given(st.lists(st.binary(max_size=9), max_size=30))
def test_odd_bytes_are_carried_never_dropped(chunks):
    pair = ConversationPair()
    pair.exchange()
    pair.from_client(pair.client.send_text("x"))
    pair.exchange()
    start = pair.started()[-1].response_id
    pair.from_server(pair.server.reply_text(start, "y"))
    for chunk in chunks:
        pair.from_server(pair.server.reply_audio(start, chunk))
    pair.exchange()
    heard = b"".join(notice.pcm for notice in pair.kinds(n.ReplyAudio))
    sent = b"".join(chunks)
    assert heard == sent[: len(sent) - len(sent) % 2]
    assert all(len(notice.pcm) % 2 == 0 for notice in pair.kinds(n.ReplyAudio))


def server():
    session = Session(
        type="realtime",
        model="m",
        output_modalities=["audio"],
        audio=Audio(input=AudioInput(turn_detection=ServerVad())),
    )
    conversation = ServerConversation(session, ids=CountingIds(), expires_at=1)
    conversation.open()
    return conversation


def code(outcome):
    assert len(outcome.send) == 1
    assert outcome.commands == ()
    return outcome.send[0].error.code


REFUSED = [
    (c.CommitAudio(), "input_audio_buffer_commit_empty"),
    (c.CancelResponse(), "response_cancel_not_active"),
    (c.CancelResponse(response_id="resp_9"), "response_cancel_not_active"),
    (c.TruncateItem(item_id="nope", content_index=0, audio_end_ms=1), "item_truncate_invalid_item_id"),
    (c.DeleteItem(item_id="nope"), "item_delete_invalid_item_id"),
    (c.RetrieveItem(item_id="nope"), "item_not_found"),
    (c.ClearOutputAudio(), "invalid_value"),
    (c.AppendAudio(audio="not base64!"), "invalid_value"),
    (c.SessionUpdate(session=Session(output_modalities=["text", "audio"])), "invalid_value"),
    (c.SessionUpdate(session=Session(model="other")), "invalid_value"),
    (c.SessionUpdate(session=Session(type="transcription")), "invalid_value"),
    (
        c.SessionUpdate(session=Session(audio=Audio(input=AudioInput(turn_detection=ServerVad(threshold=2.0))))),
        "invalid_value",
    ),
    (c.CreateItem(item=user_text("x", "a"), previous_item_id="nope"), "invalid_value"),
]


@pytest.mark.parametrize(("event", "expected"), REFUSED, ids=lambda value: type(value).__name__)
def test_a_refused_event_says_why_and_changes_nothing(event, expected):
    conversation = server()
    before = (conversation.session, conversation.history, conversation.reply_state, conversation.turn_state)
    assert code(conversation.receive(event)) == expected
    assert before == (conversation.session, conversation.history, conversation.reply_state, conversation.turn_state)


def test_truncating_text_or_beyond_the_end_is_refused():
    conversation = server()
    conversation.receive(c.CreateItem(item=user_text("typed", "typed")))
    assert code(conversation.receive(c.TruncateItem(item_id="typed", content_index=0, audio_end_ms=0))) == (
        "unsupported_content_type"
    )
    conversation.receive(c.CreateResponse())
    conversation.reply_text("resp_1", "words here")
    conversation.reply_audio("resp_1", silence(500))
    conversation.reply_finished("resp_1")
    item_id = conversation.history[-1].key
    beyond = conversation.receive(c.TruncateItem(item_id=item_id, content_index=0, audio_end_ms=501))
    assert beyond.send[0].error.message == "Audio content of 500ms is already shorter than 501ms"
    assert code(conversation.receive(c.TruncateItem(item_id=item_id, content_index=0, audio_end_ms=-1))) == (
        "integer_below_min_value"
    )


def test_out_of_band_replies_run_beside_and_leave_no_trace():
    conversation = server()
    conversation.receive(c.CreateResponse())
    request = c.ResponseRequest(conversation="none", metadata={"topic": "x"}, output_modalities=["text"], input=[])
    outcome = conversation.receive(c.CreateResponse(response=request))
    created = outcome.send[0]
    assert created.response.conversation_id is None
    assert created.response.metadata == {"topic": "x"}
    conversation.reply_text(created.response.id, "aside")
    done = conversation.reply_finished(created.response.id).send[-1]
    assert (done.response.status, done.response.metadata) == ("completed", {"topic": "x"})
    assert conversation.history == ()
    assert conversation.reply_state is Reply.ACTIVE


def test_the_voice_is_fixed_once_it_has_spoken():
    conversation = server()
    conversation.receive(c.CreateResponse())
    conversation.reply_audio("resp_1", silence(10))
    from mrblue_cli.protocol.session import AudioOutput

    change = Session(audio=Audio(output=AudioOutput(voice="other")))
    assert code(conversation.receive(c.SessionUpdate(session=change))) == "cannot_update_voice"


def test_broken_audio_from_a_server_is_a_note_not_a_crash():
    pair = ConversationPair()
    pair.exchange()
    pair.from_client(pair.client.send_text("x"))
    pair.exchange()
    pair.from_client(
        pair.client.receive(
            s.AudioDelta(response_id="resp_1", item_id="i", delta=base64.b64encode(b"xx").decode()[:-1])
        )
    )
    assert pair.kinds(n.ProtocolFailure)[-1].code == "invalid_audio"
