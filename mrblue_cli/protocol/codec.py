"""From wire text to events and back, for the GA shape; `codec_beta` builds on it.

Two kinds of fault: the peer's server events are read tolerantly (what cannot be read becomes `Unknown`), a client's
events strictly (`EventFault` carries what an `error` event must say).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Protocol, cast

import msgspec
from msgspec import UNSET

from mrblue_cli.protocol.client_events import CLIENT_EVENTS, ClientEvent, CreateItem, SessionUpdate
from mrblue_cli.protocol.items import ITEM_FIELDS
from mrblue_cli.protocol.notices import Dialect
from mrblue_cli.protocol.salvage import salvage
from mrblue_cli.protocol.server_events import SERVER_EVENTS, ServerEvent, Unknown

UNREADABLE = (ValueError, TypeError, AttributeError, RecursionError)
"""What text from a stranger can raise while it is read (msgspec's and the decoder's errors are ValueErrors)."""


class EventFault(Exception):
    """A client event that cannot be accepted; the fields go into the `error` event that answers it."""

    def __init__(self, code: str, message: str, *, param: str | None = None, event_id: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.param = param
        self.event_id = event_id


class Codec(Protocol):
    """One dialect's mapping between wire text and the neutral events."""

    dialect: Dialect

    def encode_client(self, event: ClientEvent) -> str:
        """Render a client event."""
        ...

    def decode_client(self, text: str | bytes) -> ClientEvent:
        """Read a client event; raises `EventFault`."""
        ...

    def encode_server(self, event: ServerEvent) -> str | None:
        """Render a server event; None where the dialect has no such event."""
        ...

    def decode_server(self, text: str | bytes) -> ServerEvent:
        """Read a server event; never raises."""
        ...


class _Header(msgspec.Struct):
    type: str = ""
    event_id: str | None = None


_HEADER = msgspec.json.Decoder(_Header)
CLIENT_TYPES = {cast("str", kind.__struct_config__.tag): kind for kind in CLIENT_EVENTS}
SERVER_TYPES = {cast("str", kind.__struct_config__.tag): kind for kind in SERVER_EVENTS}
_CLIENT_DECODERS = {name: msgspec.json.Decoder(kind) for name, kind in CLIENT_TYPES.items()}
_SERVER_DECODERS = {name: msgspec.json.Decoder(kind) for name, kind in SERVER_TYPES.items()}
_ENCODER = msgspec.json.Encoder()


class GaCodec:
    """The shape api.openai.com speaks today."""

    dialect = Dialect.GA

    def encode_client(self, event: ClientEvent) -> str:
        """Render a client event; the beta-only `temperature` is left out."""
        if isinstance(event, SessionUpdate) and event.session.temperature is not UNSET:
            session = msgspec.structs.replace(event.session, temperature=UNSET)
            event = msgspec.structs.replace(event, session=session)
        return _ENCODER.encode(event).decode()

    def decode_client(self, text: str | bytes) -> ClientEvent:
        """Read a client event strictly; raises `EventFault`."""
        header = read_header(text)
        decoder = _CLIENT_DECODERS.get(header.type)
        if decoder is None:
            raise unknown_type(header.type, header.event_id)
        try:
            event = cast("ClientEvent", decoder.decode(text))
        except msgspec.ValidationError as error:
            raise fault_of(error, header.event_id) from None
        if isinstance(event, CreateItem):
            check_item_fields(as_table(text)["item"], header.event_id)
        if isinstance(event, SessionUpdate) and event.session.temperature is not UNSET:
            message = "Unknown parameter: 'session.temperature'."
            raise EventFault("unknown_parameter", message, param="session.temperature", event_id=header.event_id)
        return event

    def encode_server(self, event: ServerEvent) -> str | None:
        """Render a server event."""
        return _ENCODER.encode(event).decode()

    def decode_server(self, text: str | bytes) -> ServerEvent:
        """Read a server event; what is unknown or malformed becomes `Unknown`."""
        try:
            kind = _HEADER.decode(text).type
            decoder = _SERVER_DECODERS.get(kind)
            if decoder is None:
                return unknown(kind, text)
            return cast("ServerEvent", decoder.decode(text))
        except msgspec.ValidationError:
            return read_tolerantly(text)
        except UNREADABLE:
            return unknown("malformed", text)


def read_tolerantly(text: str | bytes, change: Callable[[dict[str, Any]], dict[str, Any]] | None = None) -> ServerEvent:
    """Read a server event that does not fit its type; `change` translates it first. Never raises."""
    try:
        table = as_table(text)
        table = change(table) if change else table
        name = table.get("type")
        kind = SERVER_TYPES.get(name) if isinstance(name, str) else None
        if kind is None:
            return unknown(name if isinstance(name, str) else "malformed", text)
        event = salvage(table, kind)
    except UNREADABLE:
        return unknown("malformed", text)
    return unknown("malformed", text) if event is None else cast("ServerEvent", event)


def read_header(text: str | bytes) -> _Header:
    """Read `type` and `event_id` of a client event; raises `EventFault` when it is no JSON object with them."""
    try:
        header = _HEADER.decode(text)
    except msgspec.ValidationError as error:
        raise EventFault("invalid_event", f"The event could not be read: {error}.") from None
    except UNREADABLE as error:
        raise EventFault("invalid_json", f"The event is not valid JSON: {error}.") from None
    if not header.type:
        message = "Missing required parameter: 'type'."
        raise EventFault("missing_required_parameter", message, param="type", event_id=header.event_id)
    return header


def unknown_type(kind: str, event_id: str | None) -> EventFault:
    """The fault for an event type that does not exist; the message lists those that do."""
    known = ", ".join(f"'{name}'" for name in CLIENT_TYPES)
    message = f"Invalid value: '{kind[:80]}'. Supported values are: {known}."
    return EventFault("invalid_value", message, param="type", event_id=event_id)


_MISSING = re.compile(r"missing required field `(?P<name>[^`]+)`")
_EXTRA = re.compile(r"contains unknown field `(?P<name>[^`]+)`")
_AT = re.compile(r" - at `\$\.?(?P<path>[^`]*)`")


def fault_of(error: msgspec.ValidationError, event_id: str | None) -> EventFault:
    """Turn a validation error into the protocol's words, with the parameter's path."""
    text = str(error)
    at = _AT.search(text)
    place = at["path"] if at else ""
    for pattern, code, word in (
        (_MISSING, "missing_required_parameter", "Missing required parameter"),
        (_EXTRA, "unknown_parameter", "Unknown parameter"),
    ):
        found = pattern.search(text)
        if found:
            param = ".".join(part for part in (place, found["name"]) if part)
            return EventFault(code, f"{word}: '{param}'.", param=param, event_id=event_id)
    reason = _AT.sub("", text)
    return EventFault("invalid_value", f"Invalid value for '{place}': {reason}.", param=place, event_id=event_id)


def check_item_fields(item: dict[str, Any], event_id: str | None) -> None:
    """Refuse fields that no item has: `Item` itself reads tolerantly, since servers invent fields."""
    for name in item:
        if name not in ITEM_FIELDS:
            param = f"item.{name[:80]}"
            raise EventFault("unknown_parameter", f"Unknown parameter: '{param}'.", param=param, event_id=event_id)


def unknown(kind: str, text: str | bytes) -> Unknown:
    """Keep the start of an unreadable event for the log."""
    raw = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    return Unknown(type=kind, raw=raw[:2000])


def detect_dialect(session: dict[str, Any]) -> Dialect:
    """Tell the dialect from the session that `session.created` carries; GA where it says nothing."""
    if any(key in session for key in ("type", "audio", "output_modalities")):
        return Dialect.GA
    if any(key in session for key in ("modalities", "input_audio_format", "voice", "turn_detection")):
        return Dialect.BETA
    return Dialect.GA


def as_table(text: str | bytes) -> dict[str, Any]:
    """Parse a JSON object; raises `ValueError` otherwise."""
    value = msgspec.json.decode(text)
    if not isinstance(value, dict):
        raise ValueError("not an object")  # noqa: TRY004 - callers treat it as any other unreadable text
    return value
