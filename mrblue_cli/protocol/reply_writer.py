"""One reply as a server writes it: the right events, in the right order, with exactly one end."""

from __future__ import annotations

import base64
from typing import Any

import msgspec
from msgspec import UNSET

from mrblue_cli.core.ids import IdSource
from mrblue_cli.protocol import server_events as s
from mrblue_cli.protocol.items import ContentPart, Item
from mrblue_cli.protocol.session import BYTES_PER_MS
from mrblue_cli.protocol.usage import ModelsUsed

Events = tuple[s.ServerEvent, ...]


class ReplyWriter:
    """Writes one response: at most one message item of one part, then any number of function calls.

    `spoken` decides between audio with its transcript and text alone. `in_conversation` is false for out-of-band
    responses, whose items never enter the conversation.
    """

    def __init__(
        self, response_id: str, ids: IdSource, *, spoken: bool, conversation_id: str | None, metadata: dict[str, str]
    ) -> None:
        self.response_id = response_id
        self.spoken = spoken
        self.conversation_id = conversation_id
        self.text = ""
        self.audio_bytes = 0
        self.item_id: str | None = None
        self.finished = False
        self._metadata = metadata or None
        self._ids = ids
        self._item: Item | None = None
        self._calls: tuple[Item, ...] = ()
        self.models = ModelsUsed()
        """Paid models that helped to make this reply."""

    @property
    def in_conversation(self) -> bool:
        """False for an out-of-band reply."""
        return self.conversation_id is not None

    @property
    def audio_ms(self) -> int:
        """Milliseconds of audio written."""
        return self.audio_bytes // BYTES_PER_MS

    @property
    def item(self) -> Item | None:
        """The reply's message once it is complete, None when it never had one."""
        return self._item

    @property
    def takes_words(self) -> bool:
        """False once the message is complete: calls follow it, words do not."""
        return self._item is None and not self._calls

    @property
    def all_text(self) -> str:
        """The words and the arguments of the calls."""
        arguments = [call.arguments for call in self._calls if call.arguments is not UNSET]
        return " ".join((self.text, *arguments)).strip()

    def created(self) -> Events:
        """The opening event."""
        return (s.ResponseCreated(event_id=self._ids.new("event"), response=self._state("in_progress")),)

    def write_text(self, delta: str, previous_item_id: str | None) -> Events:
        """More words; the first of them opens the item."""
        opening = self._open(previous_item_id)
        self.text += delta
        place: dict[str, Any] = {
            "response_id": self.response_id,
            "item_id": self.item_id or "",
            "event_id": self._ids.new("event"),
        }
        event = s.AudioTranscriptDelta(delta=delta, **place) if self.spoken else s.TextDelta(delta=delta, **place)
        return (*opening, event)

    def write_audio(self, pcm: bytes, previous_item_id: str | None) -> Events:
        """More audio: PCM16 little-endian mono 24 kHz."""
        opening = self._open(previous_item_id)
        self.audio_bytes += len(pcm)
        delta = s.AudioDelta(
            event_id=self._ids.new("event"),
            response_id=self.response_id,
            item_id=self.item_id or "",
            delta=base64.b64encode(pcm).decode("ascii"),
        )
        return (*opening, delta)

    def close_message(self, status: str, previous_item_id: str | None) -> Events:
        """End the message, where there is one that still goes on. Status: completed or incomplete."""
        if self.item_id is None or self._item is not None:
            return ()
        return tuple(self._close_item(status, previous_item_id))

    def new_call(self, name: str, arguments: str) -> Item:
        """A call as it will stand in the conversation."""
        return Item(
            type="function_call",
            id=self._ids.new("item"),
            object="realtime.item",
            status="completed",
            call_id=self._ids.new("call"),
            name=name,
            arguments=arguments,
        )

    def write_call(self, call: Item, previous_item_id: str | None) -> Events:
        """One whole call; the message must be complete."""
        ids = self._ids
        output_index = (self._item is not None) + len(self._calls)
        self._calls += (call,)
        begun = msgspec.structs.replace(call, status="in_progress", arguments="")
        within: dict[str, Any] = {"response_id": self.response_id, "output_index": output_index}
        place = {**within, "item_id": call.key, "call_id": call.call_id}
        arguments = "" if call.arguments is UNSET else call.arguments
        events: list[s.ServerEvent] = [s.OutputItemAdded(event_id=ids.new("event"), item=begun, **within)]
        if self.in_conversation:
            events.append(s.ItemAdded(event_id=ids.new("event"), item=begun, previous_item_id=previous_item_id))
        if arguments:
            events.append(s.FunctionArgumentsDelta(event_id=ids.new("event"), delta=arguments, **place))
        done = s.FunctionArgumentsDone(event_id=ids.new("event"), name=call.name, arguments=arguments, **place)
        events.append(done)
        if self.in_conversation:
            events.append(s.ItemDone(event_id=ids.new("event"), item=call, previous_item_id=previous_item_id))
        return (*events, s.OutputItemDone(event_id=ids.new("event"), item=call, **within))

    def finish(
        self,
        status: str,
        previous_item_id: str | None,
        *,
        reason: str | None = None,
        error: dict[str, str] | None = None,
        usage: dict[str, object] | None = None,
    ) -> Events:
        """Close part, item and response. Status: completed, cancelled, failed, incomplete."""
        events = self.close_message("completed" if status == "completed" else "incomplete", previous_item_id)
        details = None
        if status != "completed":
            fields: dict[str, object] = {"type": status, "reason": reason, "error": error}
            details = {name: value for name, value in fields.items() if value is not None}
        self.finished = True
        done = self._state(status, details, usage)
        return (*events, s.ResponseDone(event_id=self._ids.new("event"), response=done))

    def snapshot(self) -> Item:
        """The item as it stands while the reply goes on."""
        return self._build_item("in_progress")

    def _open(self, previous_item_id: str | None) -> Events:
        if self.item_id is not None:
            return ()
        self.item_id = self._ids.new("item")
        item = self._build_item("in_progress")
        item = msgspec.structs.replace(item, content=())
        events: list[s.ServerEvent] = [
            s.OutputItemAdded(event_id=self._ids.new("event"), response_id=self.response_id, item=item)
        ]
        if self.in_conversation:
            added = s.ItemAdded(event_id=self._ids.new("event"), item=item, previous_item_id=previous_item_id)
            events.append(added)
        part = ContentPart(type="audio", transcript="") if self.spoken else ContentPart(type="text", text="")
        events.append(
            s.ContentPartAdded(
                event_id=self._ids.new("event"), response_id=self.response_id, item_id=self.item_id, part=part
            )
        )
        return tuple(events)

    def _close_item(self, status: str, previous_item_id: str | None) -> list[s.ServerEvent]:
        place: dict[str, Any] = {"response_id": self.response_id, "item_id": self.item_id or ""}
        ids = self._ids
        events: list[s.ServerEvent] = []
        if self.spoken:
            events.append(s.AudioDone(event_id=ids.new("event"), **place))
            events.append(s.AudioTranscriptDone(event_id=ids.new("event"), transcript=self.text, **place))
            part = ContentPart(type="audio", transcript=self.text)
        else:
            events.append(s.TextDone(event_id=ids.new("event"), text=self.text, **place))
            part = ContentPart(type="text", text=self.text)
        events.append(s.ContentPartDone(event_id=ids.new("event"), part=part, **place))
        self._item = self._build_item(status)
        if self.in_conversation:
            done = s.ItemDone(event_id=ids.new("event"), item=self._item, previous_item_id=previous_item_id)
            events.append(done)
        events.append(s.OutputItemDone(event_id=ids.new("event"), response_id=self.response_id, item=self._item))
        return events

    def _build_item(self, status: str) -> Item:
        if self.spoken:
            part = ContentPart(type="output_audio", transcript=self.text)
        else:
            part = ContentPart(type="output_text", text=self.text)
        return Item(
            type="message",
            id=self.item_id or "",
            object="realtime.item",
            status=status,
            role="assistant",
            content=(part,),
        )

    def _state(
        self, status: str, details: dict[str, object] | None = None, usage: dict[str, object] | None = None
    ) -> s.ResponseState:
        return s.ResponseState(
            id=self.response_id,
            status=status,
            status_details=details,
            output=(() if self._item is None else (self._item,)) + self._calls,
            conversation_id=self.conversation_id,
            output_modalities=["audio"] if self.spoken else ["text"],
            metadata=self._metadata,
            usage=usage,
        )
