"""What a server may send. Source: OpenAI Realtime API reference, server events.

Unknown fields are ignored, and anything a server might leave out has a default: clients must be tolerant.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from mrblue_cli.protocol.items import ContentPart, Item


class _ServerEvent(msgspec.Struct, frozen=True, kw_only=True, tag_field="type"):
    event_id: str = ""


class ErrorDetail(msgspec.Struct, frozen=True, kw_only=True):
    """What went wrong; `event_id` names the client event at fault."""

    type: str = "invalid_request_error"
    code: str | None = None
    message: str = ""
    param: str | None = None
    event_id: str | None = None


class Error(_ServerEvent, frozen=True, kw_only=True, tag="error"):
    """A fault; the session goes on unless a close follows."""

    error: ErrorDetail


class SessionCreated(_ServerEvent, frozen=True, kw_only=True, tag="session.created"):
    """The connection is real. `session` stays as the server wrote it: shapes differ by dialect."""

    session: dict[str, Any]


class SessionUpdated(_ServerEvent, frozen=True, kw_only=True, tag="session.updated"):
    """The effective configuration."""

    session: dict[str, Any]


class ItemAdded(_ServerEvent, frozen=True, kw_only=True, tag="conversation.item.added"):
    """An item entered the conversation (beta: conversation.item.created)."""

    item: Item
    previous_item_id: str | None = None


class ItemDone(_ServerEvent, frozen=True, kw_only=True, tag="conversation.item.done"):
    """An item is complete (GA only)."""

    item: Item
    previous_item_id: str | None = None


class ItemRetrieved(_ServerEvent, frozen=True, kw_only=True, tag="conversation.item.retrieved"):
    """The item that was asked for."""

    item: Item


class ItemDeleted(_ServerEvent, frozen=True, kw_only=True, tag="conversation.item.deleted"):
    """The item is gone."""

    item_id: str


class ItemTruncated(_ServerEvent, frozen=True, kw_only=True, tag="conversation.item.truncated"):
    """The item was cut to what was heard."""

    item_id: str
    content_index: int = 0
    audio_end_ms: int = 0


class TranscriptionDelta(
    _ServerEvent, frozen=True, kw_only=True, tag="conversation.item.input_audio_transcription.delta"
):
    """More words of what the person said."""

    item_id: str
    content_index: int = 0
    delta: str | None = ""


class TranscriptionCompleted(
    _ServerEvent, frozen=True, kw_only=True, tag="conversation.item.input_audio_transcription.completed"
):
    """All words of what the person said; replaces the deltas."""

    item_id: str
    content_index: int = 0
    transcript: str = ""
    usage: dict[str, Any] | None = None


class TranscriptionFailed(
    _ServerEvent, frozen=True, kw_only=True, tag="conversation.item.input_audio_transcription.failed"
):
    """The person's words could not be transcribed."""

    item_id: str
    content_index: int = 0
    error: ErrorDetail = ErrorDetail()


class SpeechStarted(_ServerEvent, frozen=True, kw_only=True, tag="input_audio_buffer.speech_started"):
    """Speech began, at an offset into all audio appended; `item_id` will hold it."""

    item_id: str = ""
    audio_start_ms: int = 0


class SpeechStopped(_ServerEvent, frozen=True, kw_only=True, tag="input_audio_buffer.speech_stopped"):
    """Speech ended."""

    item_id: str = ""
    audio_end_ms: int = 0


class AudioCommitted(_ServerEvent, frozen=True, kw_only=True, tag="input_audio_buffer.committed"):
    """The person's turn became an item."""

    item_id: str = ""
    previous_item_id: str | None = None


class AudioCleared(_ServerEvent, frozen=True, kw_only=True, tag="input_audio_buffer.cleared"):
    """The buffer was emptied."""


class TimeoutTriggered(_ServerEvent, frozen=True, kw_only=True, tag="input_audio_buffer.timeout_triggered"):
    """Nobody spoke for the idle timeout (GA only)."""

    item_id: str = ""
    audio_start_ms: int = 0
    audio_end_ms: int = 0


class ResponseState(msgspec.Struct, frozen=True, kw_only=True):
    """A reply as the server reports it."""

    id: str = ""
    object: str = "realtime.response"
    status: str = "in_progress"
    status_details: Any = None
    """`{type, reason, error{type, code, message}}`; some servers send a string."""
    output: tuple[Item, ...] | None = ()
    conversation_id: str | None = None
    """None: an out-of-band response."""
    output_modalities: list[str] | None = None
    metadata: dict[str, Any] | None = None
    usage: dict[str, Any] | None = None


class ResponseCreated(_ServerEvent, frozen=True, kw_only=True, tag="response.created"):
    """A reply begins."""

    response: ResponseState


class ResponseDone(_ServerEvent, frozen=True, kw_only=True, tag="response.done"):
    """A reply ended; exactly one for each that began."""

    response: ResponseState


class _OfResponse(_ServerEvent, frozen=True, kw_only=True):
    response_id: str = ""
    output_index: int = 0


class OutputItemAdded(_OfResponse, frozen=True, kw_only=True, tag="response.output_item.added"):
    """The reply gained an item."""

    item: Item


class OutputItemDone(_OfResponse, frozen=True, kw_only=True, tag="response.output_item.done"):
    """An item of the reply is complete."""

    item: Item


class _OfPart(_OfResponse, frozen=True, kw_only=True):
    item_id: str = ""
    content_index: int = 0


class ContentPartAdded(_OfPart, frozen=True, kw_only=True, tag="response.content_part.added"):
    """A part of an item begins."""

    part: ContentPart


class ContentPartDone(_OfPart, frozen=True, kw_only=True, tag="response.content_part.done"):
    """A part of an item is complete."""

    part: ContentPart


class TextDelta(_OfPart, frozen=True, kw_only=True, tag="response.output_text.delta"):
    """More written words of the reply."""

    delta: str = ""


class TextDone(_OfPart, frozen=True, kw_only=True, tag="response.output_text.done"):
    """All written words of the part."""

    text: str = ""


class AudioDelta(_OfPart, frozen=True, kw_only=True, tag="response.output_audio.delta"):
    """More audio of the reply, base64."""

    delta: str = ""


class AudioDone(_OfPart, frozen=True, kw_only=True, tag="response.output_audio.done"):
    """No more audio for this part."""


class AudioTranscriptDelta(_OfPart, frozen=True, kw_only=True, tag="response.output_audio_transcript.delta"):
    """More spoken words of the reply."""

    delta: str = ""


class AudioTranscriptDone(_OfPart, frozen=True, kw_only=True, tag="response.output_audio_transcript.done"):
    """All spoken words of the part."""

    transcript: str = ""


class FunctionArgumentsDelta(_OfResponse, frozen=True, kw_only=True, tag="response.function_call_arguments.delta"):
    """More of a function call's arguments; nothing acts on a part of them."""

    item_id: str = ""
    call_id: str = ""
    delta: str = ""


class FunctionArgumentsDone(_OfResponse, frozen=True, kw_only=True, tag="response.function_call_arguments.done"):
    """A function call's arguments; acted on only once the response completed."""

    item_id: str = ""
    call_id: str = ""
    name: str | UnsetType = UNSET
    arguments: str = ""


class RateLimit(msgspec.Struct, frozen=True, kw_only=True):
    """One limit and what is left of it."""

    name: str = ""
    limit: int = 0
    remaining: int = 0
    reset_seconds: float = 0.0


class RateLimitsUpdated(_ServerEvent, frozen=True, kw_only=True, tag="rate_limits.updated"):
    """What is left after a reply."""

    rate_limits: tuple[RateLimit, ...] = ()


class Unknown(msgspec.Struct, frozen=True, kw_only=True):
    """An event we do not know, or could not read: kept for the log, otherwise ignored."""

    type: str
    raw: str = ""


ServerEvent = (
    Error
    | SessionCreated
    | SessionUpdated
    | ItemAdded
    | ItemDone
    | ItemRetrieved
    | ItemDeleted
    | ItemTruncated
    | TranscriptionDelta
    | TranscriptionCompleted
    | TranscriptionFailed
    | SpeechStarted
    | SpeechStopped
    | AudioCommitted
    | AudioCleared
    | TimeoutTriggered
    | ResponseCreated
    | ResponseDone
    | OutputItemAdded
    | OutputItemDone
    | ContentPartAdded
    | ContentPartDone
    | TextDelta
    | TextDone
    | AudioDelta
    | AudioDone
    | AudioTranscriptDelta
    | AudioTranscriptDone
    | FunctionArgumentsDelta
    | FunctionArgumentsDone
    | RateLimitsUpdated
    | Unknown
)
SERVER_EVENTS: tuple[type[_ServerEvent], ...] = (
    Error,
    SessionCreated,
    SessionUpdated,
    ItemAdded,
    ItemDone,
    ItemRetrieved,
    ItemDeleted,
    ItemTruncated,
    TranscriptionDelta,
    TranscriptionCompleted,
    TranscriptionFailed,
    SpeechStarted,
    SpeechStopped,
    AudioCommitted,
    AudioCleared,
    TimeoutTriggered,
    ResponseCreated,
    ResponseDone,
    OutputItemAdded,
    OutputItemDone,
    ContentPartAdded,
    ContentPartDone,
    TextDelta,
    TextDone,
    AudioDelta,
    AudioDone,
    AudioTranscriptDelta,
    AudioTranscriptDone,
    FunctionArgumentsDelta,
    FunctionArgumentsDone,
    RateLimitsUpdated,
)
