"""Hostile clients and impatient engines against the server alone: whatever they do, in any order."""

from __future__ import annotations

import base64

from hypothesis import given, settings
from hypothesis import strategies as st

from mrblue_cli.core.ids import CountingIds
from mrblue_cli.protocol import client_events as c
from mrblue_cli.protocol import commands as cmd
from mrblue_cli.protocol import server_events as s
from mrblue_cli.protocol.codec import GaCodec
from mrblue_cli.protocol.codec_beta import BetaCodec
from mrblue_cli.protocol.items import Item, user_text
from mrblue_cli.protocol.server import ServerConversation
from mrblue_cli.protocol.session import Audio, AudioInput, ServerVad, Session
from mrblue_cli.protocol.transitions import Reply, Turn
from tests.protocol.pair import silence

IDS = st.sampled_from(["item_1", "item_2", "item_3", "mine", "nope", "root"])
REPLIES = st.sampled_from(["newest", "newest", "newest", "resp_1", "resp_2", "resp_9"])
"""`newest` becomes the id of the reply that began last."""
MS = st.integers(-5, 400)


def heard(detection):
    return c.SessionUpdate(session=Session(audio=Audio(input=AudioInput(turn_detection=detection))))


def ask(**fields):
    return c.CreateResponse(response=c.ResponseRequest(**fields))


CLIENT = st.one_of(
    st.sampled_from(
        [
            c.CommitAudio(),
            c.ClearAudio(),
            c.CreateResponse(),
            c.CancelResponse(),
            ask(conversation="none", input=[], output_modalities=["text"]),
            ask(output_modalities=["text"]),
            c.CreateItem(item=Item(type="function_call_output", call_id="call_1", output="{}")),
            heard(None),
            heard(ServerVad()),
            heard(ServerVad(interrupt_response=False, create_response=False)),
            heard(ServerVad(threshold=7)),
        ]
    ),
    st.integers(0, 120).map(lambda ms: c.AppendAudio(audio=base64.b64encode(silence(ms)).decode())),
    st.builds(lambda key, before: c.CreateItem(item=user_text("hi", key), previous_item_id=before), IDS, IDS),
    st.builds(lambda key, ms: c.TruncateItem(item_id=key, content_index=0, audio_end_ms=ms), IDS, MS),
    IDS.map(lambda key: c.DeleteItem(item_id=key)),
    IDS.map(lambda key: c.RetrieveItem(item_id=key)),
    REPLIES.map(lambda key: c.CancelResponse(response_id=key)),
)
ENGINE = st.one_of(
    st.integers(0, 9000).map(lambda ms: ("speech_started", ms)),
    st.integers(0, 9000).map(lambda ms: ("speech_stopped", ms)),
    REPLIES.map(lambda key: ("reply_text", key, "word ")),
    REPLIES.map(lambda key: ("reply_audio", key, silence(50))),
    REPLIES.map(lambda key: ("reply_call", key, "look", '{"for": "it"}')),
    REPLIES.map(lambda key: ("reply_finished", key)),
    REPLIES.map(lambda key: ("reply_failed", key, "server_error", "no")),
    IDS.map(lambda key: ("transcript_completed", key, "heard", 0.4)),
)

MAKING = st.sampled_from(
    [c.CreateResponse(), ("reply_text", "newest", "word "), ("reply_audio", "newest", silence(50)), heard(ServerVad())]
)
"""What keeps a reply going, so that walks reach far."""


class Watch:
    """Checks every outcome as it comes."""

    def __init__(self, server):
        self.server = server
        self.active = {}
        self.ended = set()
        self.default = None
        self.added = set()
        self.announced = set()
        self.newest = "resp_0"

    def fitting(self, event):
        """The event as a client could send it: with ids that it has seen, or of its own."""
        if isinstance(event, c.CancelResponse) and event.response_id == "newest":
            return c.CancelResponse(response_id=self.newest)
        if isinstance(event, c.CreateItem) and event.item.key not in {*self.announced, "mine", "nope"}:
            return c.ClearAudio()
        return event

    def see(self, outcome):
        for event in outcome.send:
            self.event(event)
            for codec in (GaCodec(), BetaCodec()):
                text = codec.encode_server(event)
                assert text is None or type(codec.decode_server(text)) is type(event)
        for command in outcome.commands:
            if isinstance(command, cmd.StartReply):
                assert command.response_id in self.active
            if isinstance(command, cmd.StopReply):
                assert command.response_id in self.ended
        keys = [item.key for item in self.server.history]
        assert len(keys) == len(set(keys)), "an item stands twice"
        assert (self.server.reply_state is Reply.ACTIVE) == (self.default is not None)
        assert (self.server.turn_state is Turn.OPEN) == (self.server.open_item is not None)

    def event(self, event):
        if isinstance(event, s.SpeechStarted):
            self.announced.add(event.item_id)
        match event:
            case s.ResponseCreated():
                reply = event.response
                assert reply.id not in self.active
                assert reply.id not in self.ended
                if reply.conversation_id is not None:
                    assert self.default is None, "two replies in the conversation"
                    self.default = reply.id
                self.active[reply.id] = reply
                self.newest = reply.id
            case s.ResponseDone():
                del self.active[event.response.id]
                self.ended.add(event.response.id)
                if event.response.id == self.default:
                    self.default = None
                assert event.response.usage is not None
                output = event.response.output
                assert [item.type for item in output] == sorted((item.type for item in output), reverse=True)
                assert sum(item.type == "message" for item in output) <= 1
            case s.ItemAdded():
                assert event.item.key not in self.added
                self.added.add(event.item.key)
                self.announced.add(event.item.key)
            case s.ItemDone():
                assert event.item.key in self.added
            case s.ItemDeleted():
                self.added.discard(event.item_id)
            case _ if getattr(event, "response_id", ""):
                assert event.response_id in self.active, f"{type(event).__name__} outside its reply"


@settings(max_examples=300, deadline=None)
@given(st.lists(st.one_of(CLIENT, ENGINE, MAKING), min_size=12, max_size=80))
def test_whatever_happens_the_stream_of_events_is_sound(moves):
    session = Session(
        type="realtime",
        model="m",
        output_modalities=["audio"],
        audio=Audio(input=AudioInput(turn_detection=ServerVad())),
    )
    server = ServerConversation(session, ids=CountingIds(), expires_at=1)
    watch = Watch(server)
    watch.see(server.open())
    for move in moves:
        if not isinstance(move, tuple):
            before = (server.session, server.history, server.turn_state, server.reply_state)
            outcome = server.receive(watch.fitting(move))
            if outcome.send and isinstance(outcome.send[0], s.Error):
                assert outcome.commands == ()
                assert before == (server.session, server.history, server.turn_state, server.reply_state)
            if isinstance(move, c.ClearAudio):
                assert server.turn_state is Turn.IDLE
        else:
            name, *arguments = (watch.newest if value == "newest" else value for value in move)
            outcome = getattr(server, name)(*arguments)
            outcome = outcome[0] if name == "speech_stopped" else outcome
        watch.see(outcome)
    for response_id in list(watch.active):
        watch.see(server.reply_finished(response_id))
    assert not watch.active
