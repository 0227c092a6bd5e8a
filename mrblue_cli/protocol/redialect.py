"""Between the dialects, frame by frame, for a relay: renames what differs and passes everything else as it came.

The codecs read whole events into types; a relay must not, since it would lose fields it does not know and would copy
audio for nothing. Here a frame is opened one level deep, its fields stay raw bytes; only those that differ are read.

Source: OpenAI Realtime API reference and beta-to-GA migration guide.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import msgspec

from mrblue_cli.protocol.codec import UNREADABLE, EventFault
from mrblue_cli.protocol.codec_beta import (
    PARTS_FROM_BETA,
    PARTS_TO_BETA,
    TYPES_FROM_BETA,
    TYPES_TO_BETA,
    rename_parts,
    response_from_beta,
    response_to_beta,
    session_from_beta,
    session_to_beta,
)
from mrblue_cli.protocol.notices import Dialect

Table = dict[str, Any]
Change = Callable[[Table], Table]
_Fields = dict[str, Any]
"""A frame one level deep: `msgspec.Raw` where untouched."""

_OPEN = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ENCODE = msgspec.json.Encoder().encode

TRANSCRIPTION_TYPES = {
    "session.created": "transcription_session.created",
    "session.updated": "transcription_session.updated",
    "session.update": "transcription_session.update",
}
"""Beta has event types of its own where GA tells a transcription session by `session.type`."""
_FROM_TRANSCRIPTION = {beta: ga for ga, beta in TRANSCRIPTION_TYPES.items()}
_ONLY_GA = frozenset({"conversation.item.done", "input_audio_buffer.timeout_triggered"})
_WITH_SESSION = frozenset({"session.created", "session.updated", "session.update", *_FROM_TRANSCRIPTION})
_WITH_RESPONSE = frozenset({"response.created", "response.done"})
_WITH_ITEM = frozenset(
    {
        "conversation.item.added",
        "conversation.item.created",
        "conversation.item.done",
        "conversation.item.retrieved",
        "response.output_item.added",
        "response.output_item.done",
    }
)


class Redialect:
    """Translates for one client and one server; holds the little state of one session."""

    def __init__(self, client: Dialect, server: Dialect) -> None:
        self.client = client
        self.server = server
        self.needed = client is not server
        self._open_items: dict[str, msgspec.Raw | None] = {}

    def to_server(self, kind: str, text: str) -> str:
        """A client's frame in the server's dialect. Raises `EventFault` when it cannot be said there."""
        if not self.needed:
            return text
        try:
            if self.server is Dialect.GA:
                return _client_to_ga(kind, text)
            return _client_to_beta(kind, text)
        except UNREADABLE as error:
            raise EventFault("invalid_value", f"Invalid value: {error}.", param=_place(kind)) from None

    def to_client(self, kind: str, text: str) -> tuple[str, ...]:
        """A server's frame in the client's dialect: none where it has no such event, two where one says two things.

        Never raises: what cannot be read goes on as it came.
        """
        if not self.needed:
            return (text,)
        try:
            if self.client is Dialect.GA:
                return self._server_to_ga(kind, text)
            return _server_to_beta(kind, text)
        except UNREADABLE:
            return (text,)

    def _server_to_ga(self, kind: str, text: str) -> tuple[str, ...]:
        if kind == "conversation.item.created":
            return self._item_created(text)
        if kind == "response.output_item.done":
            return self._output_item_done(text)
        return (_server_frame(kind, text, TYPES_FROM_BETA, _session_in, _response_in, PARTS_FROM_BETA),)

    def _item_created(self, text: str) -> tuple[str, ...]:
        """GA tells an item's begin and its end; beta's one event is both, unless the item is still being made."""
        fields = _open(text)
        item = rename_parts(_table(fields.get("item")), PARTS_FROM_BETA)
        fields["type"], fields["item"] = "conversation.item.added", item
        added = _close(fields)
        if item.get("status") == "in_progress" and isinstance(item.get("id"), str):
            self._open_items[item["id"]] = fields.get("previous_item_id")
            return (added,)
        return (added, _close(_as_done(fields)))

    def _output_item_done(self, text: str) -> tuple[str, ...]:
        fields = _open(text)
        fields["item"] = item = rename_parts(_table(fields.get("item")), PARTS_FROM_BETA)
        done = _close(fields)
        if item.get("id") not in self._open_items:
            return (done,)
        previous = self._open_items.pop(item["id"])
        end: _Fields = {name: fields[name] for name in ("event_id", "item") if name in fields}
        if previous is not None:
            end["previous_item_id"] = previous
        return (_close(_as_done({"type": "", **end})), done)


def _client_to_ga(kind: str, text: str) -> str:
    if kind in {"session.update", "transcription_session.update"}:
        fields = _open(text)
        fields["type"] = "session.update"
        transcription = kind != "session.update"
        fields["session"] = session_request_to_ga(_table(fields.get("session")), transcription=transcription)
        return _close(fields)
    return _client_frame(kind, text, response_request_to_ga, PARTS_FROM_BETA)


def _client_to_beta(kind: str, text: str) -> str:
    if kind == "session.update":
        fields = _open(text)
        session = _table(fields.get("session"))
        if session.get("type") == "transcription":
            fields["type"] = TRANSCRIPTION_TYPES[kind]
        fields["session"] = session_to_beta(session)
        return _close(fields)
    return _client_frame(kind, text, _response_request_to_beta, PARTS_TO_BETA)


def _client_frame(kind: str, text: str, response: Change, parts: dict[str, str]) -> str:
    if kind == "response.create":
        fields = _open(text)
        given = _value(fields.get("response"))
        if given is None:
            return text
        fields["response"] = response(_checked(given))
        return _close(fields)
    if kind == "conversation.item.create":
        fields = _open(text)
        fields["item"] = rename_parts(_table(fields.get("item")), parts)
        return _close(fields)
    return text


def _server_to_beta(kind: str, text: str) -> tuple[str, ...]:
    if kind in _ONLY_GA:
        return ()
    return (_server_frame(kind, text, TYPES_TO_BETA, session_to_beta, response_to_beta, PARTS_TO_BETA),)


def _server_frame(
    kind: str, text: str, types: dict[str, str], session: Change, response: Change, parts: dict[str, str]
) -> str:
    name = types.get(kind, kind)
    if kind in _WITH_SESSION:
        return _session_frame(kind, text, session)
    if kind in _WITH_RESPONSE:
        fields = _open(text)
        fields["response"] = _with_items(response(_table(fields.get("response"))), "output", parts)
        return _close(fields)
    if kind in _WITH_ITEM:
        fields = _open(text)
        fields["type"], fields["item"] = name, rename_parts(_table(fields.get("item")), parts)
        return _close(fields)
    return text if name is kind else retype(text, kind, name)


def _session_frame(kind: str, text: str, change: Change) -> str:
    fields = _open(text)
    session = _table(fields.get("session"))
    name = kind
    if change is session_to_beta and session.get("type") == "transcription":
        name = TRANSCRIPTION_TYPES[kind]
    elif kind in _FROM_TRANSCRIPTION:
        name = _FROM_TRANSCRIPTION[kind]
        session["type"] = "transcription"
    fields["type"], fields["session"] = name, change(session)
    return _close(fields)


def retype(text: str, kind: str, name: str) -> str:
    """The same frame under another type; audio inside is copied, never read."""
    for head in (f'{{"type":"{kind}"', f'{{"type": "{kind}"'):
        if text.startswith(head):  # nearly every frame of nearly every server
            return f'{{"type":"{name}"{text[len(head) :]}'
    fields = _open(text)
    fields["type"] = name
    return _close(fields)


def with_model(text: str, asked: str, real: str) -> str:
    """A `session.update` that names the model as the client knows it, with the name the server knows."""
    if asked == real or '"model"' not in text:
        return text
    try:
        fields = _open(text)
        session = _open(fields["session"])
        if _value(session.get("model")) != asked:
            return text
    except (*UNREADABLE, KeyError):
        return text
    return _close({**fields, "session": {**session, "model": real}})


def session_request_to_ga(flat: Table, *, transcription: bool = False) -> Table:
    """A beta client's session as GA servers take it: typed, with the rate of PCM, without the temperature.

    Raises `ValueError` or `TypeError` for what is no session.
    """
    session = session_from_beta(flat)
    session.pop("temperature", None)  # GA refuses it
    session["type"] = "transcription" if transcription else "realtime"
    for side in cast("Table", session.get("audio") or {}).values():
        _rate_of_pcm(side)
    return _tool_choice(session)


def response_request_to_ga(flat: Table) -> Table:
    """A beta client's response settings as GA servers take them."""
    response = response_from_beta(flat)
    response.pop("temperature", None)
    for side in cast("Table", response.get("audio") or {}).values():
        _rate_of_pcm(side)
    return _with_items(_tool_choice(response), "input", PARTS_FROM_BETA)


def _response_request_to_beta(response: Table) -> Table:
    return _with_items(response_to_beta(response), "input", PARTS_TO_BETA)


def _session_in(flat: Table) -> Table:
    """A beta server's session for a GA client; fields without a place in GA stay, since clients ignore them."""
    kind = flat.get("type", "realtime")
    try:
        session = session_from_beta(flat)
    except ValueError:  # a format of the server's own: the rest is worth more than none
        session = dict(flat)
    session["type"] = kind
    for side in cast("Table", session.get("audio") or {}).values():
        _rate_of_pcm(side)
    return session


def _response_in(flat: Table) -> Table:
    response = response_from_beta(flat)
    for side in cast("Table", response.get("audio") or {}).values():
        _rate_of_pcm(side)
    return response


def _rate_of_pcm(side: Table) -> None:
    form = side.get("format")
    if form == {"type": "audio/pcm"}:
        side["format"] = {"type": "audio/pcm", "rate": 24_000}


def _tool_choice(table: Table) -> Table:
    """Chat's nested way to name a function, which some beta servers asked for, in GA's flat one."""
    choice = table.get("tool_choice")
    if isinstance(choice, dict) and isinstance(choice.get("function"), dict):
        table["tool_choice"] = {"type": "function", "name": choice["function"].get("name")}
    return table


def _with_items(table: Table, name: str, parts: dict[str, str]) -> Table:
    items = table.get(name)
    if isinstance(items, list):
        table[name] = [rename_parts(item, parts) if isinstance(item, dict) else item for item in items]
    return table


def _as_done(fields: _Fields) -> _Fields:
    """The same item's end, told under an id of its own."""
    done = {**fields, "type": "conversation.item.done"}
    event_id = _value(fields.get("event_id"))
    if isinstance(event_id, str):
        done["event_id"] = f"{event_id}_done"
    return done


def _open(text: str | msgspec.Raw) -> _Fields:
    return cast("_Fields", _OPEN.decode(text))


def _value(raw: Any) -> Any:
    return msgspec.json.decode(raw) if isinstance(raw, msgspec.Raw) else raw


def _table(raw: Any) -> Table:
    return _checked(_value(raw))


def _checked(value: Any) -> Table:
    if not isinstance(value, dict):
        raise ValueError("not an object")  # noqa: TRY004 - callers treat it as any other unreadable text
    return value


def _close(fields: _Fields) -> str:
    return _ENCODE(fields).decode()


def _place(kind: str) -> str:
    if kind in _WITH_SESSION:
        return "session"
    return "item" if kind == "conversation.item.create" else "response"
