"""What a client may send. Source: OpenAI Realtime API reference, client events."""

from __future__ import annotations

from typing import Any, Literal

import msgspec
from msgspec import UNSET, UnsetType

from mrblue_cli.protocol.items import Item
from mrblue_cli.protocol.session import AudioOutput, Config, Modality, Session


class _ClientEvent(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="type"):
    event_id: str | UnsetType = UNSET
    """Echoed in the error that answers a faulty event."""


class SessionUpdate(_ClientEvent, frozen=True, kw_only=True, tag="session.update"):
    """Change the configuration; acknowledged by `session.updated`."""

    session: Session


class AppendAudio(_ClientEvent, frozen=True, kw_only=True, tag="input_audio_buffer.append"):
    """Base64 of wire audio; never acknowledged."""

    audio: str


class CommitAudio(_ClientEvent, frozen=True, kw_only=True, tag="input_audio_buffer.commit"):
    """Close the person's turn by hand."""


class ClearAudio(_ClientEvent, frozen=True, kw_only=True, tag="input_audio_buffer.clear"):
    """Forget what was appended since the last commit."""


class CreateItem(_ClientEvent, frozen=True, kw_only=True, tag="conversation.item.create"):
    """Put an item into the conversation; `previous_item_id` `root` means first, absent means last."""

    item: Item
    previous_item_id: str | UnsetType | None = UNSET


class RetrieveItem(_ClientEvent, frozen=True, kw_only=True, tag="conversation.item.retrieve"):
    """Ask for an item as the server holds it."""

    item_id: str


class TruncateItem(_ClientEvent, frozen=True, kw_only=True, tag="conversation.item.truncate"):
    """Tell the server how much of a spoken reply was heard."""

    item_id: str
    content_index: int
    audio_end_ms: int


class DeleteItem(_ClientEvent, frozen=True, kw_only=True, tag="conversation.item.delete"):
    """Remove an item from the conversation."""

    item_id: str


class ResponseAudio(Config, frozen=True, kw_only=True):
    """Audio settings of one response."""

    output: AudioOutput | UnsetType = UNSET


class ResponseRequest(Config, frozen=True, kw_only=True):
    """Settings of one response; absent means as the session says."""

    conversation: Literal["auto", "none"] | UnsetType = UNSET
    input: list[dict[str, Any]] | UnsetType = UNSET
    instructions: str | UnsetType = UNSET
    output_modalities: list[Modality] | UnsetType = UNSET
    audio: ResponseAudio | UnsetType = UNSET
    tools: list[dict[str, Any]] | UnsetType = UNSET
    tool_choice: str | dict[str, Any] | UnsetType = UNSET
    parallel_tool_calls: bool | UnsetType = UNSET
    reasoning: dict[str, Any] | UnsetType | None = UNSET
    max_output_tokens: int | Literal["inf"] | UnsetType = UNSET
    temperature: float | UnsetType = UNSET
    metadata: dict[str, str] | UnsetType | None = UNSET
    prompt: dict[str, Any] | UnsetType | None = UNSET


class CreateResponse(_ClientEvent, frozen=True, kw_only=True, tag="response.create"):
    """Ask for a reply."""

    response: ResponseRequest | UnsetType = UNSET


class CancelResponse(_ClientEvent, frozen=True, kw_only=True, tag="response.cancel"):
    """Stop a reply; without an id, the active one of the default conversation."""

    response_id: str | UnsetType = UNSET


class ClearOutputAudio(_ClientEvent, frozen=True, kw_only=True, tag="output_audio_buffer.clear"):
    """WebRTC and SIP only; a websocket server refuses it."""


ClientEvent = (
    SessionUpdate
    | AppendAudio
    | CommitAudio
    | ClearAudio
    | CreateItem
    | RetrieveItem
    | TruncateItem
    | DeleteItem
    | CreateResponse
    | CancelResponse
    | ClearOutputAudio
)
CLIENT_EVENTS: tuple[type[_ClientEvent], ...] = (
    SessionUpdate,
    AppendAudio,
    CommitAudio,
    ClearAudio,
    CreateItem,
    RetrieveItem,
    TruncateItem,
    DeleteItem,
    CreateResponse,
    CancelResponse,
    ClearOutputAudio,
)
