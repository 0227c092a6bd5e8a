"""The server's side of a conversation: no sockets, no models, no clock.

Client events and the engine's facts go in; server events and commands for the engine come out. Invariants (tested by
random walks): one active reply in the default conversation, exactly one end per beginning, nothing of a reply after
its end, a clear resets the turn, a refused event changes nothing.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import Any

import msgspec
from msgspec import UNSET

from mrblue_cli.core.ids import IdSource
from mrblue_cli.protocol import client_events as c
from mrblue_cli.protocol import server_events as s
from mrblue_cli.protocol.codec import EventFault
from mrblue_cli.protocol.commands import (
    AudioArrived,
    AudioForgotten,
    Command,
    SessionChanged,
    StartReply,
    StopReply,
    TurnClosed,
    TurnsConfigured,
)
from mrblue_cli.protocol.history import ItemHistory, check_item
from mrblue_cli.protocol.items import ContentPart, Item
from mrblue_cli.protocol.reply_writer import ReplyWriter
from mrblue_cli.protocol.session import BYTES_PER_MS, Session, merge, turn_detection_of, voice_of
from mrblue_cli.protocol.session_rules import MAX_EVENT_ID_CHARS, check_event_id, check_request, check_session
from mrblue_cli.protocol.transitions import Reply, ReplyMove, Side, Turn, TurnMove, next_reply, next_turn
from mrblue_cli.protocol.usage import usage_of

MAX_APPEND_CHARS = 15 * 1024 * 1024
MIN_COMMIT_MS = 100


@dataclass(frozen=True, slots=True)
class ServerOutcome:
    """What follows: events to send, in order, then commands for the engine, in order."""

    send: tuple[s.ServerEvent, ...] = ()
    commands: tuple[Command, ...] = ()

    def __add__(self, other: ServerOutcome) -> ServerOutcome:
        return ServerOutcome(self.send + other.send, self.commands + other.commands)


NOTHING = ServerOutcome()


class ServerConversation:
    """One client's session. `defaults` is the configuration before any update; `expires_at` is in Unix seconds."""

    def __init__(self, defaults: Session, *, ids: IdSource, expires_at: int) -> None:
        self.session = defaults
        self.turn_state = Turn.IDLE
        self.reply_state = Reply.NONE
        self._ids = ids
        self._expires_at = expires_at
        self._session_id = ids.new("sess")
        self._conversation_id = ids.new("conv")
        self._history = ItemHistory()
        self._replies: dict[str, ReplyWriter] = {}
        self._default_reply: str | None = None
        self._buffered_bytes = 0
        self._speech_item: str | None = None
        self._spoke_audio = False

    @property
    def history(self) -> tuple[Item, ...]:
        """The conversation as it stands, cut replies cut; oldest first."""
        return self._history.items

    @property
    def open_item(self) -> str | None:
        """The user item that will hold the speech going on, None when nobody speaks."""
        return self._speech_item

    # From the client ------------------------------------------------------------------------------------------

    def open(self) -> ServerOutcome:
        """The first event of a session, and the engine's first orders."""
        created = s.SessionCreated(event_id=self._event_id(), session=self._session_table())
        detection = turn_detection_of(self.session)
        return ServerOutcome((created,), (SessionChanged(self.session), TurnsConfigured(detection)))

    def receive(self, event: c.ClientEvent) -> ServerOutcome:
        """Take in one client event; a fault becomes an `error` event and changes nothing."""
        event_id = None if event.event_id is UNSET else event.event_id
        try:
            if event_id is not None:
                check_event_id(event_id)
            return self._accept(event)
        except EventFault as fault:
            event_id = event_id and event_id[:MAX_EVENT_ID_CHARS]
            return self.refuse(EventFault(fault.code, fault.message, param=fault.param, event_id=event_id))

    def refuse(self, fault: EventFault) -> ServerOutcome:
        """The `error` event for a fault, also for one that was found while decoding."""
        detail = s.ErrorDetail(code=fault.code, message=fault.message, param=fault.param, event_id=fault.event_id)
        return ServerOutcome((s.Error(event_id=self._event_id(), error=detail),))

    def _accept(self, event: c.ClientEvent) -> ServerOutcome:
        match event:
            case c.AppendAudio():
                return self._append(event)
            case c.CommitAudio():
                return self._commit()
            case c.ClearAudio():
                return self._clear()
            case c.SessionUpdate():
                return self._update(event.session)
            case c.CreateItem():
                return self._create_item(event)
            case c.RetrieveItem():
                item = self._history.find(event.item_id)
                return ServerOutcome((s.ItemRetrieved(event_id=self._event_id(), item=item),))
            case c.TruncateItem():
                self._history.truncate(event.item_id, event.content_index, event.audio_end_ms)
                truncated = s.ItemTruncated(
                    event_id=self._event_id(),
                    item_id=event.item_id,
                    content_index=event.content_index,
                    audio_end_ms=event.audio_end_ms,
                )
                return ServerOutcome((truncated,))
            case c.DeleteItem():
                self._history.delete(event.item_id)
                return ServerOutcome((s.ItemDeleted(event_id=self._event_id(), item_id=event.item_id),))
            case c.CreateResponse():
                return self._create_response(event.response)
            case c.CancelResponse():
                return self._cancel(event)
            case c.ClearOutputAudio():
                message = "output_audio_buffer.clear is only available over WebRTC and SIP."
                raise EventFault("invalid_value", message, param="type")

    def _append(self, event: c.AppendAudio) -> ServerOutcome:
        if len(event.audio) > MAX_APPEND_CHARS:
            raise EventFault("invalid_value", "Audio chunks are limited to 15 MiB.", param="audio")
        try:
            pcm = base64.b64decode(event.audio, validate=True)
        except (binascii.Error, ValueError):
            raise EventFault("invalid_value", "Invalid 'audio': not valid base64.", param="audio") from None
        self._buffered_bytes += len(pcm)
        return ServerOutcome((), (AudioArrived(pcm),))

    def _commit(self) -> ServerOutcome:
        buffered_ms = self._buffered_bytes / BYTES_PER_MS
        if buffered_ms < MIN_COMMIT_MS:
            message = (
                f"Error committing input audio buffer: buffer too small. Expected at least {MIN_COMMIT_MS}ms of audio, "
                f"but buffer only has {buffered_ms:.2f}ms of audio."
            )
            raise EventFault("input_audio_buffer_commit_empty", message)
        outcome, item_id = self._commit_item()
        return outcome + ServerOutcome((), (TurnClosed(item_id),))

    def _clear(self) -> ServerOutcome:
        self._buffered_bytes = 0
        self._speech_item = None
        self.turn_state = next_turn(Side.SERVER, self.turn_state, TurnMove.CLEAR)
        return ServerOutcome((s.AudioCleared(event_id=self._event_id()),), (AudioForgotten(),))

    def _update(self, change: Session) -> ServerOutcome:
        if change.type is not UNSET and change.type != "realtime":
            raise EventFault("invalid_value", "Only sessions of type 'realtime' are served.", param="session.type")
        if change.model is not UNSET and change.model != self.session.model:
            raise EventFault("invalid_value", "The model of a session cannot be changed.", param="session.model")
        merged = merge(self.session, change)
        check_session(merged)
        if self._spoke_audio and voice_of(merged) != voice_of(self.session):
            message = "Cannot update a conversation's voice if assistant audio is present."
            raise EventFault("cannot_update_voice", message, param="session.audio.output.voice")
        before = turn_detection_of(self.session)
        self.session = merged
        commands: tuple[Command, ...] = (SessionChanged(merged),)
        if turn_detection_of(merged) != before:
            # The detector starts anew, so no end of the open turn will be reported.
            self._speech_item = None
            self.turn_state = next_turn(Side.SERVER, self.turn_state, TurnMove.CLEAR)
            commands += (TurnsConfigured(turn_detection_of(merged)),)
        updated = s.SessionUpdated(event_id=self._event_id(), session=self._session_table())
        return ServerOutcome((updated,), commands)

    def _create_item(self, event: c.CreateItem) -> ServerOutcome:
        check_item(event.item)
        taken = {self._speech_item, *(item.key for item in self._history.items)}
        if event.item.key and event.item.key in taken:
            raise EventFault("invalid_value", "An item with this id already exists.", param="item.id")
        item = msgspec.structs.replace(
            event.item, id=event.item.key or self._ids.new("item"), object="realtime.item", status="completed"
        )
        asked = None if event.previous_item_id is UNSET else event.previous_item_id
        before = self._history.insert(item, asked)
        return ServerOutcome(self._added(item, before))

    def _create_response(self, asked: Any) -> ServerOutcome:
        request = c.ResponseRequest() if asked is UNSET else asked
        check_request(request)
        out_of_band = request.conversation == "none"
        if not out_of_band and self.reply_state is Reply.ACTIVE:
            active = self._default_reply
            message = f"Conversation already has an active response in progress: {active}. Wait until it is finished."
            raise EventFault("conversation_already_has_active_response", message)
        history = None
        if request.input is not UNSET:
            history = tuple(self._input_item(raw) for raw in request.input)
        return self._start_reply(request, history, out_of_band=out_of_band)

    def _input_item(self, raw: dict[str, Any]) -> Item:
        if raw.get("type") == "item_reference":
            return self._history.find(str(raw.get("id")), "invalid_value")
        try:
            item = msgspec.convert(raw, Item)
        except msgspec.ValidationError as error:
            raise EventFault("invalid_value", f"Invalid 'response.input': {error}.", param="response.input") from None
        check_item(item)
        return item

    def _cancel(self, event: c.CancelResponse) -> ServerOutcome:
        response_id = self._default_reply if event.response_id is UNSET else event.response_id
        if response_id is None or response_id not in self._replies:
            raise EventFault("response_cancel_not_active", "Cancellation failed: no active response found")
        return self._stop(response_id, "client_cancelled")

    # From the engine ------------------------------------------------------------------------------------------

    def speech_started(self, at_ms: int) -> ServerOutcome:
        """Server VAD: speech began `at_ms` into all audio appended. Interrupts the reply when configured so."""
        detection = turn_detection_of(self.session)
        if detection is None or self.turn_state is Turn.OPEN:
            return NOTHING
        self.turn_state = next_turn(Side.SERVER, self.turn_state, TurnMove.BEGIN)
        self._speech_item = self._ids.new("item")
        started = s.SpeechStarted(event_id=self._event_id(), item_id=self._speech_item, audio_start_ms=at_ms)
        outcome = ServerOutcome((started,))
        if detection.interrupt_response and self._default_reply is not None:
            outcome += self._stop(self._default_reply, "turn_detected")
        return outcome

    def speech_stopped(self, at_ms: int) -> tuple[ServerOutcome, str | None]:
        """Server VAD: the turn is over. Commits it and, when configured so, starts the reply.

        Returns the outcome and the user item's id; the id is None when no turn was open.
        """
        detection = turn_detection_of(self.session)
        if detection is None or self.turn_state is not Turn.OPEN or self._speech_item is None:
            return NOTHING, None
        self.turn_state = next_turn(Side.SERVER, self.turn_state, TurnMove.STOP)
        stopped = s.SpeechStopped(event_id=self._event_id(), item_id=self._speech_item, audio_end_ms=at_ms)
        committed, item_id = self._commit_item()
        outcome = ServerOutcome((stopped,)) + committed
        if detection.create_response and self.reply_state is Reply.NONE:
            outcome += self._start_reply(c.ResponseRequest(), None, out_of_band=False)
        return outcome, item_id

    def transcript_delta(self, item_id: str, delta: str) -> ServerOutcome:
        """More words of what the person said."""
        if not delta or not self._tells_transcripts:
            return NOTHING
        return ServerOutcome((s.TranscriptionDelta(event_id=self._event_id(), item_id=item_id, delta=delta),))

    def transcript_completed(
        self, item_id: str, transcript: str, seconds: float, usage: dict[str, object] | None = None
    ) -> ServerOutcome:
        """All words of what the person said, from `seconds` of audio; `usage` as a paid recogniser told it."""
        self._history.transcribed(item_id, transcript)
        if not self._tells_transcripts:
            return NOTHING
        usage = usage or {"type": "duration", "seconds": round(seconds, 2)}
        event = s.TranscriptionCompleted(event_id=self._event_id(), item_id=item_id, transcript=transcript, usage=usage)
        return ServerOutcome((event,))

    def transcript_failed(self, item_id: str, message: str) -> ServerOutcome:
        """The person's words could not be transcribed."""
        if not self._tells_transcripts:
            return NOTHING
        error = s.ErrorDetail(type="transcription_error", code="transcription_failed", message=message)
        return ServerOutcome((s.TranscriptionFailed(event_id=self._event_id(), item_id=item_id, error=error),))

    def reply_text(self, response_id: str, delta: str) -> ServerOutcome:
        """More words of a reply; ignored once the reply has ended."""
        reply = self._replies.get(response_id)
        if reply is None or not delta or not reply.takes_words:
            return NOTHING
        return self._written(reply, reply.write_text(delta, self._previous(reply)))

    def reply_audio(self, response_id: str, pcm: bytes) -> ServerOutcome:
        """More audio of a reply; ignored once the reply has ended."""
        reply = self._replies.get(response_id)
        if reply is None or not pcm or not reply.takes_words:
            return NOTHING
        self._spoke_audio = True
        return self._written(reply, reply.write_audio(pcm, self._previous(reply)))

    def reply_call(self, response_id: str, name: str, arguments: str) -> ServerOutcome:
        """The reply asks for a tool, with `arguments` as JSON text. Its words are over then; more calls may follow."""
        reply = self._replies.get(response_id)
        if reply is None:
            return NOTHING
        closing = self._settled(reply, reply.close_message("completed", self._previous(reply)))
        call = reply.new_call(name, arguments)
        before = self._history.insert(call) if reply.in_conversation else None
        return ServerOutcome(closing + reply.write_call(call, before))

    def reply_used(self, response_id: str, model: str, **counts: float | None) -> None:
        """A paid model helped with this reply: see `protocol.usage` for the names of the counts."""
        reply = self._replies.get(response_id)
        if reply is not None:
            reply.models.add(model, **counts)

    def reply_finished(self, response_id: str) -> ServerOutcome:
        """The reply is complete."""
        return self._end(response_id, "completed")

    def reply_failed(self, response_id: str, code: str, message: str) -> ServerOutcome:
        """The reply could not be made."""
        return self._end(response_id, "failed", error={"type": "server_error", "code": code, "message": message})

    @property
    def _tells_transcripts(self) -> bool:
        """False once a client set `transcription` to null: the words stay in the conversation, untold."""
        audio = self.session.audio
        return audio is UNSET or audio.input is UNSET or audio.input.transcription is not None

    # Helpers --------------------------------------------------------------------------------------------------

    def _event_id(self) -> str:
        return self._ids.new("event")

    def _session_table(self) -> dict[str, Any]:
        table = msgspec.to_builtins(self.session)
        head = {"id": self._session_id, "object": "realtime.session", "expires_at": self._expires_at}
        return {**table, **head}

    def _commit_item(self) -> tuple[ServerOutcome, str]:
        item_id = self._speech_item or self._ids.new("item")
        self._speech_item = None
        self._buffered_bytes = 0
        self.turn_state = next_turn(Side.SERVER, self.turn_state, TurnMove.COMMIT)
        item = Item(
            type="message",
            id=item_id,
            object="realtime.item",
            status="completed",
            role="user",
            content=(ContentPart(type="input_audio", transcript=None),),
        )
        before = self._history.insert(item)
        committed = s.AudioCommitted(event_id=self._event_id(), item_id=item_id, previous_item_id=before)
        return ServerOutcome((committed, *self._added(item, before))), item_id

    def _added(self, item: Item, before: str | None) -> tuple[s.ServerEvent, ...]:
        return (
            s.ItemAdded(event_id=self._event_id(), item=item, previous_item_id=before),
            s.ItemDone(event_id=self._event_id(), item=item, previous_item_id=before),
        )

    def _start_reply(
        self, request: c.ResponseRequest, history: tuple[Item, ...] | None, *, out_of_band: bool
    ) -> ServerOutcome:
        response_id = self._ids.new("resp")
        modalities = request.output_modalities
        if modalities is UNSET:
            modalities = self.session.output_modalities
        spoken = modalities is UNSET or "audio" in modalities
        metadata = request.metadata if isinstance(request.metadata, dict) else {}
        conversation_id = None if out_of_band else self._conversation_id
        reply = ReplyWriter(response_id, self._ids, spoken=spoken, conversation_id=conversation_id, metadata=metadata)
        self._replies[response_id] = reply
        if not out_of_band:
            self._default_reply = response_id
            self.reply_state = next_reply(Side.SERVER, self.reply_state, ReplyMove.CREATE)
        instructions = request.instructions
        if instructions is UNSET:
            instructions = "" if self.session.instructions is UNSET else self.session.instructions
        start = StartReply(
            response_id, instructions, spoken, history, in_conversation=not out_of_band, tools=self._tools(request)
        )
        return ServerOutcome(reply.created(), (start,))

    def _tools(self, request: c.ResponseRequest) -> tuple[dict[str, Any], ...]:
        """What may be called in a reply: the request's own tools or the session's, as far as the choice allows."""
        tools = self.session.tools if request.tools is UNSET else request.tools
        choice = self.session.tool_choice if request.tool_choice is UNSET else request.tool_choice
        if tools is UNSET or choice == "none":
            return ()
        named = choice.get("name") if isinstance(choice, dict) and choice.get("type") == "function" else None
        return tuple(tool for tool in tools if named is None or tool.get("name") == named)

    def _stop(self, response_id: str, reason: str) -> ServerOutcome:
        return self._end(response_id, "cancelled", reason=reason) + ServerOutcome((), (StopReply(response_id),))

    def _end(
        self, response_id: str, status: str, *, reason: str | None = None, error: dict[str, str] | None = None
    ) -> ServerOutcome:
        reply = self._replies.pop(response_id, None)
        if reply is None:
            return NOTHING
        if response_id == self._default_reply:
            self._default_reply = None
            move = ReplyMove.CANCEL if status == "cancelled" else ReplyMove.FINISH
            self.reply_state = next_reply(Side.SERVER, self.reply_state, move)
        heard = self._history.items if reply.in_conversation else ()
        instructions = "" if self.session.instructions is UNSET else self.session.instructions
        usage = reply.models.laid_over(usage_of(heard, instructions, reply.all_text, reply.audio_ms))
        events = reply.finish(status, self._previous(reply), reason=reason, error=error, usage=usage)
        return ServerOutcome(self._settled(reply, events))

    def _settled(self, reply: ReplyWriter, events: tuple[s.ServerEvent, ...]) -> tuple[s.ServerEvent, ...]:
        """Write the reply's message down once it is complete; `events` are those that tell of its end."""
        if reply.item is not None and not self._history.settle(reply.item, reply.audio_ms if reply.spoken else None):
            # Deleted meanwhile: nobody is to take it for an item of the conversation.
            events = tuple(event for event in events if not isinstance(event, s.ItemDone))
        return events

    def _written(self, reply: ReplyWriter, events: tuple[s.ServerEvent, ...]) -> ServerOutcome:
        """Keep the conversation up to date: the item has its place from its first delta, before whatever comes then."""
        if reply.in_conversation:
            if isinstance(events[0], s.OutputItemAdded):
                self._history.insert(events[0].item)
            self._history.settle(reply.snapshot(), reply.audio_ms if reply.spoken else None)
        return ServerOutcome(events)

    def _previous(self, reply: ReplyWriter) -> str | None:
        return self._history.before(reply.item_id) if reply.item_id else self._history.last_id
