"""The client's side of a conversation: no sockets, no clock, no audio device.

Every method returns an `Outcome`: events to send, in order, and notices for the application. `response.create` has one
owner, here: it is never sent while another reply is active.
"""

from __future__ import annotations

import base64
import binascii

from msgspec import UNSET, UnsetType

from mrblue_cli.core.ids import IdSource
from mrblue_cli.protocol import notices as n
from mrblue_cli.protocol import server_events as s
from mrblue_cli.protocol.client_events import (
    AppendAudio,
    CancelResponse,
    ClearAudio,
    ClientEvent,
    CommitAudio,
    CreateItem,
    CreateResponse,
    DeleteItem,
    ResponseRequest,
    SessionUpdate,
)
from mrblue_cli.protocol.codec import detect_dialect
from mrblue_cli.protocol.errors import Severity, severity_of
from mrblue_cli.protocol.items import Item, user_text
from mrblue_cli.protocol.outcome import NOTHING, Outcome
from mrblue_cli.protocol.reply_ends import break_off, cut_stream, was_noticed, withdraw
from mrblue_cli.protocol.reply_ledger import ReplyLedger
from mrblue_cli.protocol.session import (
    BYTES_PER_MS,
    ServerVad,
    Session,
    TurnDetection,
)
from mrblue_cli.protocol.tool_calls import ToolCalls
from mrblue_cli.protocol.transitions import Reply, ReplyMove, Side, Turn, TurnMove, next_reply, next_turn
from mrblue_cli.protocol.user_words import UserWords
from mrblue_cli.protocol.wanted import Wanted

__all__ = ["CHUNK_BYTES", "NOTHING", "ClientConversation", "Outcome"]

MIN_COMMIT_MS = 100
"""Servers refuse a commit of less audio."""
CHUNK_BYTES = 100 * BYTES_PER_MS
"""At most this much audio in one event."""
MAX_BUSY_RETRIES = 3
"""How often a request is repeated that a server refused because of a reply nobody told us about."""


class ClientConversation:
    """One session with one server.

    `desired` is the configuration to ask for; its turn detection is replaced to fit `ownership`. `vad` is what to ask
    for when the server hears the turns, `plain_vad` what to fall back to where it knows no other than `server_vad`.

    `ownership` SHARED becomes SERVER on a server that cannot do it: in the beta dialect, where the two flags came late,
    where they are refused, and where the server creates replies all the same.
    """

    def __init__(
        self,
        desired: Session,
        *,
        ownership: n.Ownership,
        ids: IdSource,
        vad: TurnDetection | None = None,
        plain_vad: ServerVad | None = None,
    ) -> None:
        self._wanted = Wanted(desired, ownership, vad, plain_vad)
        self._ids = ids
        self._ledger = ReplyLedger()
        self._words = UserWords()
        self._response_id: str | None = None
        self._open_responses: set[str] = set()
        self._create_event_id: str | None = None
        """Of the last request: the reply that began since may be another one, and ours refused."""
        self._create_abandoned = False
        """The person interrupted after the last request."""
        self._created_since_request = False
        self._turn_unanswered = True
        """No reply began since the person last said something."""
        self._create_due = False
        self._busy_retries = 0
        self._appended_bytes = 0
        self._calls = ToolCalls()
        self._repeats = 0
        """Turns said again, whose commit the server has not confirmed yet."""
        self.reply_due = False
        """After `lose`: a reply was asked for, or had begun, and nothing of it was heard."""
        self.turn_state = Turn.IDLE
        self.reply_state = Reply.NONE
        self.dialect = n.Dialect.GA

    @property
    def ownership(self) -> n.Ownership:
        """Who decides about turns now."""
        return self._wanted.ownership

    # What the person does -------------------------------------------------------------------------------------

    def append(self, pcm: bytes) -> Outcome:
        """Send microphone audio: PCM16 little-endian mono 24 kHz, 20 to 100 ms at a time."""
        if not pcm:
            return NOTHING
        self._appended_bytes += len(pcm)
        return Outcome(send=(AppendAudio(audio=base64.b64encode(pcm).decode("ascii")),))

    def start_turn(self, played: tuple[n.Played, ...] = ()) -> Outcome:
        """Client-owned turns: the person begins. Cuts a reply in progress and clears what the server buffered."""
        return self.interrupt(played) + self.begin_turn()

    def begin_turn(self) -> Outcome:
        """Client-owned turns: the person begins, and a reply in progress is left alone (it may be a cough)."""
        self.turn_state = next_turn(Side.CLIENT, self.turn_state, TurnMove.BEGIN)
        self._appended_bytes = 0
        return Outcome(send=(ClearAudio(),))

    def commit_turn(self, *, ask: bool = True) -> Outcome:
        """Client-owned turns: the person is done. Under 100 ms of audio is thrown away, not sent.

        `ask` False: whether that needs a reply is still open; see `ask_for_reply` and `forget_turn`.
        """
        if self.turn_state is Turn.IDLE:
            return NOTHING
        if self._appended_bytes < MIN_COMMIT_MS * BYTES_PER_MS:
            return self.abandon_turn() + Outcome(notices=(n.TurnTooShort(),))
        self.turn_state = next_turn(Side.CLIENT, self.turn_state, TurnMove.COMMIT)
        self._appended_bytes = 0
        committed = Outcome(send=(CommitAudio(),))
        return committed + self._ask_for_reply() if ask else committed

    def ask_for_reply(self) -> Outcome:
        """Answer what was committed; waits for the end of a reply that is still being made."""
        return self._ask_for_reply()

    def forget_turn(self, item_id: str) -> Outcome:
        """What was committed was no turn (a cough, "mm-hm"): it leaves the conversation."""
        return Outcome(send=(DeleteItem(item_id=item_id),))

    def abandon_turn(self) -> Outcome:
        """Forget what the person has said since the turn began."""
        self.turn_state = next_turn(Side.CLIENT, self.turn_state, TurnMove.CLEAR)
        self._appended_bytes = 0
        return Outcome(send=(ClearAudio(),))

    def send_text(self, text: str, played: tuple[n.Played, ...] = ()) -> Outcome:
        """Typed words instead of speech; cuts a reply in progress."""
        item = user_text(text, self._ids.new("item"))
        outcome = self.interrupt(played) + Outcome(
            send=(CreateItem(item=item),), notices=(n.UserText(item.key, text, final=True),)
        )
        return outcome + self._ask_for_reply()

    def open_with(self, instructions: str) -> Outcome:
        """Ask for a reply before the person has said anything, with instructions for this one reply."""
        return self._ask_for_reply(instructions)

    def interrupt(self, played: tuple[n.Played, ...] = ()) -> Outcome:
        """Stop the reply: cancel it if it is still being made, and tell the server how much of it was heard.

        `played` is what the player reports after it fell silent. A reply that was asked for and has not begun is
        remembered and cancelled when it begins: a cancel sent before that would be lost (livekit/agents#6157, #6244).
        """
        send: tuple[ClientEvent, ...] = ()
        self._create_due = False
        self._create_abandoned = True
        self._calls.interrupted()
        if self.reply_state is Reply.ACTIVE and self._response_id is not None:
            send = (CancelResponse(response_id=self._response_id),)
        dropped = self._drop_reply()
        self.reply_state = next_reply(Side.CLIENT, self.reply_state, ReplyMove.CANCEL)
        return Outcome(send=send) + dropped + self.interrupted(played)

    def interrupted(self, played: tuple[n.Played, ...]) -> Outcome:
        """Answer to `StopPlayback`: the server stops the reply by itself, and learns here how much was heard."""
        heard = {report.key: report for report in played}
        outcome = NOTHING
        for key in self._ledger.unsettled():
            report = heard.get(key)
            if report is not None:
                outcome += cut_stream(self._ledger, key, report)
        for key in self._ledger.unsettled():
            self._ledger.settle(key)
        return outcome

    def played_out(self, key: n.AudioKey) -> Outcome:
        """The player finished this stream: nothing of it can be cut any more."""
        if not self._ledger.is_finished(key):
            return NOTHING
        self._ledger.settle(key)
        if not self._ledger.is_broken(key):
            return NOTHING
        words, heard_ms = self._ledger.text(key.item_id).rstrip(), self._ledger.received_ms(key)
        return Outcome(notices=(n.ReplyText(key.item_id, words, final=True, heard_ms=heard_ms),))

    @property
    def plays(self) -> bool:
        """Audio that was received may still be unplayed."""
        return bool(self._ledger.unsettled())

    @property
    def open_responses(self) -> frozenset[str]:
        """Replies that have begun and not ended."""
        return frozenset(self._open_responses)

    # From one session to the next -----------------------------------------------------------------------------

    def tell(self, *items: Item) -> Outcome:
        """Put items of an earlier session into this one."""
        return Outcome(send=tuple(CreateItem(item=item) for item in items))

    def hold_turns(self) -> Outcome:
        """Until `release_turns` the server takes no audio for speech: turns of an earlier session are said again."""
        if self.ownership is n.Ownership.CLIENT:
            return NOTHING
        self._wanted.turns_held = True
        return self._ask_for_session(self._wanted.turns_alone)

    def say_again(self, pcm: bytes) -> Outcome:
        """A whole turn of an earlier session, without asking for a reply. PCM16 little-endian mono 24 kHz."""
        self._repeats += 1
        return Outcome(send=(*_pieces(pcm), CommitAudio()))

    def release_turns(self) -> Outcome:
        """The server listens again."""
        if not self._wanted.turns_held:
            return NOTHING
        self._wanted.turns_held = False
        return self._ask_for_session(self._wanted.turns_alone)

    def lose(self, heard: frozenset[str]) -> Outcome:
        """The connection is gone. `heard`: the responses of which something was heard, or will be.

        What was received of those goes on playing and ends there; the others never happened and are due again.
        """
        self.reply_due = self.reply_state is Reply.REQUESTED or self._create_due
        outcome = NOTHING
        for response_id in sorted(self._open_responses):
            if not self._ledger.is_stale(response_id, ""):
                if response_id in heard or was_noticed(self._ledger, response_id):
                    outcome += break_off(self._ledger, response_id)
                else:
                    self.reply_due = True
                    outcome += withdraw(self._ledger, response_id)
            done = n.ReplyDone(response_id, "incomplete", "connection_lost", None)
            outcome += Outcome(notices=(done,))
        self._open_responses.clear()
        self._response_id, self._create_due, self.reply_state = None, False, Reply.NONE
        return outcome

    def set_ownership(self, ownership: n.Ownership) -> Outcome:
        """Change who decides about turns, from now on."""
        ownership = self._wanted.possible(ownership)
        if ownership is self.ownership:
            return NOTHING
        self._wanted.ownership = ownership
        outcome = self.abandon_turn() if self.turn_state is not Turn.IDLE else NOTHING
        return outcome + self._ask_for_session(self._wanted.turns_alone)

    def update_session(self, change: Session) -> Outcome:
        """Change the configuration; the voice is left out once audio was spoken (it is fixed then)."""
        self._wanted.change(change)
        return self._ask_for_session(change)

    def supply_tool_output(self, call_id: str, output: str) -> Outcome:
        """Answer a tool call with a string (JSON text where the tool returns data).

        When a response made several calls, their outputs leave together, in the order of the calls, once the last is
        there; one request for a reply follows, unless the person interrupted.
        """
        outputs, reply_wanted = self._calls.supply(call_id, output)
        items = (
            Item(type="function_call_output", id=self._ids.new("item"), call_id=name, output=text)
            for name, text in outputs
        )
        outcome = Outcome(send=tuple(CreateItem(item=item) for item in items))
        return outcome + self._ask_for_reply() if outputs and reply_wanted else outcome

    # What the server says -------------------------------------------------------------------------------------

    def receive(self, event: s.ServerEvent) -> Outcome:
        """Take in one server event; unknown ones change nothing."""
        match event:
            case s.AudioDelta() | s.AudioDone() | s.AudioTranscriptDelta() | s.AudioTranscriptDone():
                return self._on_stream(event)
            case s.TextDelta() | s.TextDone():
                return self._on_stream(event)
            case s.SessionCreated() | s.SessionUpdated():
                return self._on_session(event)
            case s.SpeechStarted() | s.SpeechStopped() | s.AudioCommitted() | s.AudioCleared():
                return self._on_buffer(event)
            case s.TranscriptionDelta() | s.TranscriptionCompleted() | s.TranscriptionFailed():
                return self._words.receive(event)
            case s.ResponseCreated():
                return self._on_response_created(event.response)
            case s.ResponseDone():
                return self._on_response_done(event.response)
            case s.OutputItemAdded():
                self._ledger.list_item(event.response_id, event.item)
                return NOTHING
            case s.OutputItemDone() | s.FunctionArgumentsDone():
                self._calls.note(event)
                return NOTHING
            case s.RateLimitsUpdated():
                limits = event.rate_limits
                return Outcome(
                    notices=tuple(n.RateLimited(x.name, x.limit, x.remaining, x.reset_seconds) for x in limits)
                )
            case s.Error():
                return self._on_error(event.error)
            case _:
                return NOTHING

    def _on_session(self, event: s.SessionCreated | s.SessionUpdated) -> Outcome:
        if isinstance(event, s.SessionUpdated):
            return Outcome(notices=(n.SessionConfigured(),))
        session = event.session
        self.dialect = detect_dialect(session)
        if self.dialect is n.Dialect.BETA:
            self._wanted.plainly()
        expires = session.get("expires_at")
        ready = n.SessionReady(
            session_id=str(session.get("id", "")),
            model=str(session.get("model", "")),
            dialect=self.dialect,
            expires_at=expires if isinstance(expires, int) else None,
        )
        return self._ask_for_session(self._wanted.whole) + Outcome(notices=(ready,))

    def _on_buffer(self, event: s.ServerEvent) -> Outcome:
        match event:
            case s.SpeechStarted() | s.SpeechStopped() if self.ownership is n.Ownership.CLIENT:
                return NOTHING  # sent before the server knew that the turns are ours now
            case s.SpeechStarted():
                self.turn_state = next_turn(Side.CLIENT, self.turn_state, TurnMove.BEGIN)
                outcome = Outcome(notices=(n.SpeechStarted(event.item_id, event.audio_start_ms),))
                replying = bool(self._ledger.unsettled()) or self.reply_state is Reply.ACTIVE
                if replying and self.ownership is n.Ownership.SERVER:
                    outcome += self._server_interrupts()
                return outcome
            case s.SpeechStopped():
                self.turn_state = next_turn(Side.CLIENT, self.turn_state, TurnMove.STOP)
                return Outcome(notices=(n.SpeechStopped(event.item_id, event.audio_end_ms),))
            case s.AudioCommitted() if self._repeats:
                self._repeats -= 1
                return Outcome(notices=(n.TurnCommitted(event.item_id),))
            case s.AudioCommitted():
                self._turn_unanswered = True
                # What we committed ourselves moved the state then; the person may have begun the next turn since.
                if self.ownership is not n.Ownership.CLIENT:
                    self.turn_state = next_turn(Side.CLIENT, self.turn_state, TurnMove.COMMIT)
                return Outcome(notices=(n.TurnCommitted(event.item_id),))
            case _:
                return NOTHING

    def _server_interrupts(self) -> Outcome:
        """The server heard the person over the reply: drop late audio, ask the application for silence."""
        return self._drop_reply() + Outcome(notices=(n.StopPlayback(),))

    def _drop_reply(self) -> Outcome:
        """Ignore the rest of what is being said; words whose audio never came were not heard."""
        said: list[n.Notice] = []
        for response_id in sorted(self._open_responses):
            self._ledger.drop_response(response_id)
            for item_id in self._ledger.unheard_words(response_id):
                self._ledger.set_text(item_id, "")
                said.append(n.ReplyText(item_id, "", final=True, heard_ms=0))
        return Outcome(notices=tuple(said))

    def _on_response_created(self, response: s.ResponseState) -> Outcome:
        if response.conversation_id is None and response.metadata:
            return NOTHING  # out of band: whoever asked for it routes it by id
        if response.id in self._open_responses:
            return NOTHING
        outcome = NOTHING
        if self.ownership is n.Ownership.SHARED and self.reply_state is Reply.NONE:
            # The server creates replies by itself, as it was asked not to. When this turn has one already, because
            # both of us thought of it, one is enough.
            self.reply_state = Reply.NONE if self._turn_unanswered else Reply.DOOMED
            self._wanted.share_no_more()
            outcome = self.set_ownership(n.Ownership.SERVER)
        doomed = self.reply_state is Reply.DOOMED
        self._turn_unanswered = False
        self.reply_state = next_reply(Side.CLIENT, self.reply_state, ReplyMove.CREATE)
        self._response_id = response.id
        self._open_responses.add(response.id)
        self._busy_retries = 0
        self._created_since_request = True
        outcome += Outcome(notices=(n.ReplyStarted(response.id),))
        if doomed:
            self._ledger.drop_response(response.id)
            outcome += Outcome(send=(CancelResponse(response_id=response.id),))
        return outcome

    def _on_response_done(self, response: s.ResponseState) -> Outcome:
        response_id = response.id or self._response_id or ""
        if response_id not in self._open_responses:
            return self._ask_if_due()
        self._open_responses.discard(response_id)
        if response_id == self._response_id:
            self.reply_state = next_reply(Side.CLIENT, self.reply_state, ReplyMove.FINISH)
            self._response_id = None
        self._ledger.finish_response(response_id)
        unheard = self._ledger.never_heard(response_id)
        details = response.status_details if isinstance(response.status_details, dict) else {}
        reason = details.get("reason")
        calls = self._calls.ended(response)
        done = n.ReplyDone(response_id, response.status, reason if isinstance(reason, str) else None, response.usage)
        outcome = Outcome(tuple(DeleteItem(item_id=item_id) for item_id in unheard), (*calls, done))
        fault = details.get("error")
        if response.status == "failed":
            outcome += self._reply_failed(fault if isinstance(fault, dict) else {})
        return outcome + self._ask_if_due()

    def _reply_failed(self, fault: dict[str, object]) -> Outcome:
        code, message = str(fault.get("code") or "response_failed"), str(fault.get("message") or "the reply failed")
        severity = severity_of(s.ErrorDetail(code=code, message=message))
        return Outcome(notices=(n.ProtocolFailure(code, message, fatal=severity is Severity.FATAL),))

    def _on_stream(self, event: s.ServerEvent) -> Outcome:
        assert isinstance(  # noqa: S101 - narrows the union for the type checker
            event,
            s.AudioDelta | s.AudioDone | s.AudioTranscriptDelta | s.AudioTranscriptDone | s.TextDelta | s.TextDone,
        )
        if self._ledger.is_stale(event.response_id, event.item_id) or event.response_id not in self._open_responses:
            return NOTHING
        written = isinstance(event, s.TextDelta | s.TextDone)
        self._ledger.list_part(event.response_id, event.item_id, written=written)
        key = n.AudioKey(event.response_id, event.item_id, event.content_index)
        match event:
            case s.AudioDelta():
                return self._on_audio(key, event.delta)
            case s.AudioDone():
                self._ledger.finish_audio(key)
                return Outcome(notices=(n.ReplyAudioDone(key),))
            case s.AudioTranscriptDelta() | s.TextDelta():
                text = self._ledger.add_text(event.item_id, event.delta)
                return Outcome(notices=(n.ReplyText(event.item_id, text, final=False),))
            case s.AudioTranscriptDone():
                text = self._ledger.set_text(event.item_id, event.transcript)
            case s.TextDone():
                text = self._ledger.set_text(event.item_id, event.text)
        return Outcome(notices=(n.ReplyText(event.item_id, text, final=True),))

    def _on_audio(self, key: n.AudioKey, delta: str) -> Outcome:
        try:
            chunk = base64.b64decode(delta, validate=True)
        except (binascii.Error, ValueError):
            return Outcome(notices=(n.ProtocolFailure("invalid_audio", "the server sent broken audio", fatal=False),))
        self._wanted.voice_is_fixed = True
        pcm = self._ledger.add_audio(key, chunk)
        return Outcome(notices=(n.ReplyAudio(key, pcm),)) if pcm else NOTHING

    def _on_error(self, error: s.ErrorDetail) -> Outcome:
        severity = severity_of(error)
        if severity is Severity.BUSY:
            return self._on_busy(error)
        if self._create_event_id is not None and error.event_id == self._create_event_id:
            self._refused()
        if self._repeats and error.code == "input_audio_buffer_commit_empty":
            self._repeats -= 1  # what was said again is nothing to this server; the next commit is a real one
        if severity is Severity.BENIGN:
            return self._ask_if_due()
        if error.event_id is None:
            # Some servers do not say which event they refused. Should it not have been ours, the reply that comes
            # is taken all the same.
            self._refused()
        code = error.code or error.type or "error"
        if self._wanted.refused(error):
            return self._ask_for_session(self._wanted.whole)
        if code == "cannot_update_voice":
            self._wanted.voice_is_fixed = True
            return self._ask_for_session(self._wanted.whole)
        failure = Outcome(notices=(n.ProtocolFailure(code, error.message, fatal=severity is Severity.FATAL),))
        return failure + self._ask_if_due()

    def _on_busy(self, error: s.ErrorDetail) -> Outcome:
        """Another reply is active: ours waits for its end, unless the person interrupted since it was asked for."""
        ours = self._create_event_id is not None and error.event_id in {None, self._create_event_id}
        wanted = ours and not self._create_abandoned
        if ours and self.ownership is n.Ownership.SHARED and self._created_since_request:
            # The server created a reply by itself, as it was asked not to: let it own the turns whole.
            self._refused()
            self._wanted.share_no_more()
            return self.set_ownership(n.Ownership.SERVER)
        self._refused()
        if wanted and self._response_id is None:
            # Nothing that we know of is active: its end crossed the refusal, or the server is confused.
            self._busy_retries += 1
            if self._busy_retries > MAX_BUSY_RETRIES:
                self._busy_retries = 0
                failure = n.ProtocolFailure("conversation_already_has_active_response", error.message, fatal=False)
                return Outcome(notices=(failure,))
        self._create_due = self._create_due or wanted
        return self._ask_if_due()

    def _refused(self) -> None:
        self.reply_state = next_reply(Side.CLIENT, self.reply_state, ReplyMove.REFUSE)
        self._create_event_id = None

    # Helpers --------------------------------------------------------------------------------------------------

    def _ask_for_session(self, change: Session) -> Outcome:
        return Outcome(send=(SessionUpdate(session=self._wanted.as_update(change)),))

    def _ask_if_due(self) -> Outcome:
        return self._ask_for_reply() if self._create_due and self.reply_state is Reply.NONE else NOTHING

    def _ask_for_reply(self, instructions: str | UnsetType = UNSET) -> Outcome:
        if self.reply_state is not Reply.NONE:
            self._create_due = True
            return NOTHING
        self._create_due = False
        self._create_event_id = self._ids.new("event")
        self._create_abandoned = self._created_since_request = False
        self.reply_state = next_reply(Side.CLIENT, self.reply_state, ReplyMove.REQUEST)
        # Beta models fall into answering typed text with text unless told otherwise.
        modalities = self._wanted.desired.output_modalities
        plain = modalities is UNSET and instructions is UNSET
        request = UNSET if plain else ResponseRequest(output_modalities=modalities, instructions=instructions)
        return Outcome(send=(CreateResponse(event_id=self._create_event_id, response=request),))


def _pieces(pcm: bytes) -> tuple[AppendAudio, ...]:
    parts = (pcm[at : at + CHUNK_BYTES] for at in range(0, len(pcm), CHUNK_BYTES))
    return tuple(AppendAudio(audio=base64.b64encode(part).decode("ascii")) for part in parts)
