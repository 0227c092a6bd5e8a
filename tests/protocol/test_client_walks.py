"""A client against a server that says anything in any order, and a person who acts at any moment."""

from __future__ import annotations

import base64
import json

from hypothesis import given, settings
from hypothesis import strategies as st

from mrblue_cli.core.ids import CountingIds
from mrblue_cli.protocol import client_events as c
from mrblue_cli.protocol import notices as n
from mrblue_cli.protocol import server_events as s
from mrblue_cli.protocol.client import ClientConversation
from mrblue_cli.protocol.codec import SERVER_TYPES, GaCodec
from mrblue_cli.protocol.codec_beta import BetaCodec
from mrblue_cli.protocol.items import Item
from mrblue_cli.protocol.notices import Ownership, Played
from mrblue_cli.protocol.session import Session
from mrblue_cli.protocol.transitions import Reply
from tests.protocol.json_values import JSON
from tests.protocol.pair import silence

RESPONSES = st.sampled_from(["r1", "r2", "r3", ""])
ITEMS = st.sampled_from(["a", "b", "u"])
STATUS = st.sampled_from(["completed", "cancelled", "failed", "incomplete", "surprising"])
CODES = st.sampled_from(
    ["conversation_already_has_active_response", "response_cancel_not_active", "server_error", None]
)
CALL = Item(type="function_call", id="f", call_id="call", name="tool", arguments="{}")


def created(response_id, in_conversation):
    conversation_id, metadata = ("conv", None) if in_conversation else (None, {"aside": "1"})
    state = s.ResponseState(id=response_id, conversation_id=conversation_id, metadata=metadata)
    return s.ResponseCreated(response=state)


def done(response_id, status, output):
    return s.ResponseDone(response=s.ResponseState(id=response_id, status=status, output=output))


def audio(response_id, item_id, ms, odd):
    delta = base64.b64encode(silence(ms) + b"x" * odd).decode()
    return s.AudioDelta(response_id=response_id, item_id=item_id, delta=delta)


def error(code, event_id):
    return s.Error(error=s.ErrorDetail(code=code, message="no", event_id=event_id))


SERVER = st.one_of(
    st.builds(created, RESPONSES, st.booleans()),
    st.builds(done, RESPONSES, STATUS, st.sampled_from([(), None, (CALL,)])),
    st.builds(audio, RESPONSES, ITEMS, st.integers(0, 200), st.integers(0, 1)),
    st.builds(lambda r, i: s.AudioTranscriptDelta(response_id=r, item_id=i, delta="word "), RESPONSES, ITEMS),
    st.builds(lambda r, i: s.AudioDone(response_id=r, item_id=i), RESPONSES, ITEMS),
    st.builds(lambda r, i: s.TextDelta(response_id=r, item_id=i, delta="word "), RESPONSES, ITEMS),
    st.builds(
        lambda r, i: s.OutputItemAdded(response_id=r, item=Item(type="message", id=i, role="assistant")),
        RESPONSES,
        ITEMS,
    ),
    ITEMS.map(lambda i: s.SpeechStarted(item_id=i)),
    ITEMS.map(lambda i: s.SpeechStopped(item_id=i)),
    ITEMS.map(lambda i: s.AudioCommitted(item_id=i)),
    ITEMS.map(lambda i: s.TranscriptionDelta(item_id=i, delta="word ")),
    ITEMS.map(lambda i: s.TranscriptionCompleted(item_id=i, transcript="words")),
    st.builds(error, CODES, st.sampled_from([None, "event_1", "event_2"])),
)
PERSON = st.sampled_from(
    [
        "append",
        "start_turn",
        "commit_turn",
        "abandon_turn",
        "send_text",
        "interrupt",
        "interrupted",
        "own",
        "tool",
        "begin_turn",
        "ask_for_reply",
    ]
)


class Watch:
    """A client whose every outcome is checked as it comes."""

    def __init__(self, ownership):
        self.client = ClientConversation(Session(), ownership=ownership, ids=CountingIds())
        self.started, self.ended, self.silenced = [], [], set()
        self.received_bytes = {}
        self.last_key = None

    def hear(self, event):
        if isinstance(event, s.AudioDelta):
            key = (event.item_id, event.content_index)
            self.received_bytes[key] = self.received_bytes.get(key, 0) + len(base64.b64decode(event.delta))
        self.see(self.client.receive(event))

    def act(self, move, played_ms):
        client = self.client
        played = (Played(self.last_key, played_ms, complete=False),) if self.last_key else ()
        match move:
            case "append":
                self.see(client.append(silence(60)))
            case "send_text":
                self.see(client.send_text("hm", played), interrupts=True)
            case "interrupt" | "start_turn":
                self.see(getattr(client, move)(played), interrupts=True)
            case "interrupted":
                self.see(client.interrupted(played))
            case "commit_turn" | "abandon_turn" | "begin_turn" | "ask_for_reply":
                self.see(getattr(client, move)())
            case "own":
                self.see(client.set_ownership(Ownership.CLIENT))
            case "tool":
                self.see(client.supply_tool_output("call", "{}"))

    def see(self, outcome, *, interrupts=False):
        assert sum(isinstance(event, c.CreateResponse) for event in outcome.send) <= 1
        begun = {notice.response_id for notice in outcome.notices if isinstance(notice, n.ReplyStarted)}
        for event in outcome.send:
            match event:
                case c.CreateResponse():
                    assert self.client.reply_state is Reply.REQUESTED
                case c.CancelResponse():
                    assert event.response_id in {*self.started, *begun}
                    assert event.response_id not in self.ended or event.response_id in begun
                case c.TruncateItem():
                    received = self.received_bytes[event.item_id, event.content_index] // 48
                    assert 0 <= event.audio_end_ms <= received
        if interrupts:
            self.silenced |= set(self.started)
        for notice in outcome.notices:
            self.notice(notice)

    def notice(self, notice):
        match notice:
            case n.ReplyStarted():
                self.started.append(notice.response_id)
                if notice.response_id in self.ended:
                    self.ended.remove(notice.response_id)  # a server that uses an id twice
            case n.ReplyDone():
                assert notice.response_id in self.started
                assert notice.response_id not in self.ended
                self.ended.append(notice.response_id)
            case n.ReplyAudio():
                assert notice.pcm
                assert len(notice.pcm) % 2 == 0
                assert notice.key.response_id in self.started
                assert notice.key.response_id not in self.ended
                assert notice.key.response_id not in self.silenced
                self.last_key = notice.key


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.one_of(SERVER, SERVER, st.tuples(PERSON, st.integers(-50, 500))), min_size=5, max_size=80),
    st.sampled_from(Ownership),
)
def test_a_client_stays_sound_whatever_the_server_says(moves, ownership):
    watch = Watch(ownership)
    watch.hear(s.SessionCreated(session={}))
    for move in moves:
        if isinstance(move, tuple):
            watch.act(*move)
        else:
            watch.hear(move)
    # Once the server has ended everything, the person's words reach it at once.
    for response_id in ("r1", "r2", "r3", ""):
        watch.hear(done(response_id, "completed", ()))
    if watch.client.reply_state is Reply.NONE:
        assert any(isinstance(event, c.CreateResponse) for event in watch.client.send_text("hello").send)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(sorted(SERVER_TYPES)),
            st.dictionaries(
                st.sampled_from(["session", "item", "item_id", "response", "response_id", "delta", "error", "part"]),
                JSON | st.just({"id": "r", "type": "message", "content": [{"type": "audio"}]}),
                max_size=4,
            ),
        ),
        max_size=12,
    ),
    st.sampled_from([GaCodec(), BetaCodec()]),
)
def test_no_text_from_a_server_raises(events, codec):
    watch = Watch(Ownership.SERVER)
    for kind, fields in events:
        outcome = watch.client.receive(codec.decode_server(json.dumps({**fields, "type": kind})))
        for event in outcome.send:
            assert codec.encode_client(event)
