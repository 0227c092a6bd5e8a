"""The beta dialect as a renaming of the GA shape. Speakers: speaches, older Azure deployments, some compatibles."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, cast

import msgspec

from mrblue_cli.protocol.client_events import ClientEvent
from mrblue_cli.protocol.codec import (
    CLIENT_TYPES,
    UNREADABLE,
    EventFault,
    as_table,
    check_item_fields,
    fault_of,
    read_header,
    read_tolerantly,
    unknown_type,
)
from mrblue_cli.protocol.notices import Dialect
from mrblue_cli.protocol.server_events import ItemDone, ServerEvent, TimeoutTriggered

Table = dict[str, Any]

TYPES_TO_BETA = {
    "conversation.item.added": "conversation.item.created",
    "response.output_text.delta": "response.text.delta",
    "response.output_text.done": "response.text.done",
    "response.output_audio.delta": "response.audio.delta",
    "response.output_audio.done": "response.audio.done",
    "response.output_audio_transcript.delta": "response.audio_transcript.delta",
    "response.output_audio_transcript.done": "response.audio_transcript.done",
}
TYPES_FROM_BETA = {beta: ga for ga, beta in TYPES_TO_BETA.items()}
PARTS_TO_BETA = {"output_text": "text", "output_audio": "audio"}
PARTS_FROM_BETA = {beta: ga for ga, beta in PARTS_TO_BETA.items()}
_FORMATS_TO_BETA = {"audio/pcm": "pcm16", "audio/pcmu": "g711_ulaw", "audio/pcma": "g711_alaw"}
_FORMATS_FROM_BETA = {beta: ga for ga, beta in _FORMATS_TO_BETA.items()}
_ONLY_GA = ("type", "prompt", "reasoning", "truncation", "include", "parallel_tool_calls")


class BetaCodec:
    """Flat sessions, the older event names, one `item.created` where GA has added and done."""

    dialect = Dialect.BETA

    def encode_client(self, event: ClientEvent) -> str:
        """Render a client event."""
        table = cast("Table", msgspec.to_builtins(event))
        if "session" in table:
            table["session"] = session_to_beta(table["session"])
        if "response" in table:
            table["response"] = response_to_beta(table["response"])
        if "item" in table:
            table["item"] = rename_parts(table["item"], PARTS_TO_BETA)
        return json.dumps(table)

    def decode_client(self, text: str | bytes) -> ClientEvent:
        """Read a client event strictly; raises `EventFault`."""
        header = read_header(text)
        kind = CLIENT_TYPES.get(header.type)
        if kind is None:
            raise unknown_type(header.type, header.event_id)
        try:
            table = as_table(text)
            for name, change in (("session", session_from_beta), ("response", response_from_beta)):
                if isinstance(table.get(name), dict):
                    table[name] = change(table[name])
            if isinstance(table.get("item"), dict):
                check_item_fields(table["item"], header.event_id)
                table["item"] = rename_parts(table["item"], PARTS_FROM_BETA)
            return cast("ClientEvent", msgspec.convert(table, kind))
        except msgspec.ValidationError as error:
            raise fault_of(error, header.event_id) from None
        except UNREADABLE as error:
            raise EventFault("invalid_value", f"Invalid value: {error}.", event_id=header.event_id) from None

    def encode_server(self, event: ServerEvent) -> str | None:
        """Render a server event; None for those beta does not have."""
        if isinstance(event, ItemDone | TimeoutTriggered):
            return None
        table = cast("Table", msgspec.to_builtins(event))
        return json.dumps(_server(table, TYPES_TO_BETA, PARTS_TO_BETA, session_to_beta, response_to_beta))

    def decode_server(self, text: str | bytes) -> ServerEvent:
        """Read a server event; what is unknown or malformed becomes `Unknown`."""
        return read_tolerantly(text, _server_in)


def _server_in(table: Table) -> Table:
    # `session` stays as the server wrote it: only its readers know what they look for.
    return _server(table, TYPES_FROM_BETA, PARTS_FROM_BETA, lambda session: session, _response_in)


def _server(
    table: Table,
    types: dict[str, str],
    parts: dict[str, str],
    session: Callable[[Table], Table],
    response: Callable[[Table], Table],
) -> Table:
    changed = dict(table)
    kind = changed.get("type")
    changed["type"] = types.get(kind, kind) if isinstance(kind, str) else ""
    if isinstance(changed.get("item"), dict):
        changed["item"] = rename_parts(changed["item"], parts)
    if isinstance(changed.get("session"), dict):
        changed["session"] = session(changed["session"])
    if isinstance(changed.get("response"), dict):
        changed["response"] = response(changed["response"])
        output = changed["response"].get("output")
        if isinstance(output, list | tuple):
            items = [rename_parts(item, parts) if isinstance(item, dict) else item for item in output]
            changed["response"]["output"] = items
    return changed


def rename_parts(item: Table, parts: dict[str, str]) -> Table:
    """An item with the types of its content renamed by a table."""
    content = item.get("content")
    if not isinstance(content, list | tuple):
        return item
    renamed = [_renamed(part, parts) if isinstance(part, dict) else part for part in content]
    return {**item, "content": renamed}


def _renamed(part: Table, parts: dict[str, str]) -> Table:
    kind = part.get("type")
    return {**part, "type": parts.get(kind, kind)} if isinstance(kind, str) else part


def session_to_beta(session: Table) -> Table:
    """Flatten a GA session; fields that beta lacks are dropped."""
    flat = {name: value for name, value in session.items() if name not in {*_ONLY_GA, "audio", "output_modalities"}}
    audio = session.get("audio") or {}
    heard, spoken = audio.get("input") or {}, audio.get("output") or {}
    if "output_modalities" in session:
        modalities = session["output_modalities"]
        flat["modalities"] = ["text", "audio"] if "audio" in modalities else modalities
    for side, prefix in ((heard, "input"), (spoken, "output")):
        if "format" in side:
            flat[f"{prefix}_audio_format"] = _FORMATS_TO_BETA.get(side["format"].get("type"), "pcm16")
    for ga, beta in (
        ("noise_reduction", "input_audio_noise_reduction"),
        ("transcription", "input_audio_transcription"),
        ("turn_detection", "turn_detection"),
    ):
        if ga in heard:
            flat[beta] = heard[ga]
    if isinstance(flat.get("turn_detection"), dict):
        flat["turn_detection"] = {k: v for k, v in flat["turn_detection"].items() if k != "idle_timeout_ms"}
    for name in ("voice", "speed"):
        if name in spoken:
            flat[name] = spoken[name]
    if "max_output_tokens" in flat:
        flat["max_response_output_tokens"] = flat.pop("max_output_tokens")
    return flat


def session_from_beta(flat: Table) -> Table:
    """Nest a beta session; unknown fields stay, so that strict reading names them."""
    session = dict(flat)
    heard: Table = {}
    spoken: Table = {}
    for prefix, side in (("input", heard), ("output", spoken)):
        name = session.pop(f"{prefix}_audio_format", None)
        if name is not None:
            if name not in _FORMATS_FROM_BETA:
                raise ValueError(f"'{prefix}_audio_format' must be one of {', '.join(_FORMATS_FROM_BETA)}")
            side["format"] = {"type": _FORMATS_FROM_BETA[name]}
    for beta, ga in (
        ("input_audio_noise_reduction", "noise_reduction"),
        ("input_audio_transcription", "transcription"),
        ("turn_detection", "turn_detection"),
    ):
        if beta in session:
            heard[ga] = session.pop(beta)
    for name in ("voice", "speed"):
        if name in session:
            spoken[name] = session.pop(name)
    if "modalities" in session:
        modalities = session.pop("modalities")
        session["output_modalities"] = _one_modality(modalities)
    if "max_response_output_tokens" in session:
        session["max_output_tokens"] = session.pop("max_response_output_tokens")
    audio = {name: side for name, side in (("input", heard), ("output", spoken)) if side}
    return {**session, "audio": audio} if audio else session


def _one_modality(modalities: Any) -> Any:
    """GA knows text or audio (which brings its words); what is no list stays, so that strict reading names it."""
    return ["audio"] if isinstance(modalities, list) and "audio" in modalities else modalities


def response_to_beta(response: Table) -> Table:
    """Rename a response's (or a response request's) fields."""
    table = {name: value for name, value in response.items() if name not in {*_ONLY_GA, "audio", "output_modalities"}}
    if response.get("output_modalities") is not None:
        modalities = response["output_modalities"]
        table["modalities"] = ["text", "audio"] if "audio" in modalities else modalities
    spoken = (response.get("audio") or {}).get("output") or {}
    if "voice" in spoken:
        table["voice"] = spoken["voice"]
    if spoken.get("format"):
        table["output_audio_format"] = _FORMATS_TO_BETA.get(spoken["format"].get("type"), "pcm16")
    if "max_output_tokens" in table:
        table["max_response_output_tokens"] = table.pop("max_output_tokens")
    return table


def response_from_beta(table: Table) -> Table:
    """Rename a beta response request's fields; unknown ones stay, so that strict reading names them."""
    response = dict(table)
    if "modalities" in response:
        modalities = response.pop("modalities")
        response["output_modalities"] = _one_modality(modalities)
    output: Table = {}
    if "voice" in response:
        output["voice"] = response.pop("voice")
    name = response.pop("output_audio_format", None)
    if name is not None:
        output["format"] = {"type": _FORMATS_FROM_BETA.get(name, name)}
    for beta in ("max_response_output_tokens", "max_tokens"):
        if beta in response:
            response["max_output_tokens"] = response.pop(beta)
    return {**response, "audio": {"output": output}} if output else response


def _response_in(table: Table) -> Table:
    response = dict(table)
    if "modalities" in response:
        response["output_modalities"] = response.pop("modalities")
    return response
