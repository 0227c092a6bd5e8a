"""Chat messages as Anthropic's Messages API has them: system apart, tool results in user turns, blocks for parts."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from mrblue_cli.gateway.model import Json
from mrblue_cli.gateway.providers.wire import (
    bad_request,
    rows,
    short_hash,
    split_data_url,
    string,
    table,
    text_of,
    unsupported,
)

_ID = re.compile(r"[A-Za-z0-9_-]{1,128}\Z")
_IMAGES = {"image/jpeg", "image/png", "image/gif", "image/webp"}


def convert(messages: Any) -> tuple[list[Json], list[Json]]:
    """(system blocks, messages). Turns of one role that follow each other become one, as the API wants them.

    Raises `CallError`: BAD_REQUEST for malformed messages, UNSUPPORTED for audio and files by id.
    """
    if not isinstance(messages, list) or not messages:
        raise bad_request("messages must be a list of at least one message", "messages")
    system: list[Json] = []
    turns: list[Json] = []
    for message in messages:
        if not isinstance(message, dict):
            raise bad_request("each message must be an object", "messages")
        role = string(message.get("role"))
        if role in {"system", "developer"}:
            system += _blocks(message)
        elif role == "user":
            _add(turns, "user", _blocks(message))
        elif role == "assistant":
            _add(turns, "assistant", _assistant(message))
        elif role in {"tool", "function"}:
            _add(turns, "user", [_result(message)])
        else:
            raise bad_request(f"unknown role {role[:40]!r}", "messages")
    if not turns:
        raise unsupported("Claude needs at least one message that is not a system message", "messages")
    return system, turns


def _add(turns: list[Json], role: str, blocks: list[Json]) -> None:
    if not blocks:  # the API refuses empty turns
        return
    if turns and turns[-1]["role"] == role:
        blocks = turns.pop()["content"] + blocks
    # Results of tools must come before anything else that the user says.
    blocks = [*_of(blocks, "tool_result"), *(block for block in blocks if block["type"] != "tool_result")]
    turns.append({"role": role, "content": blocks})


def _of(blocks: list[Json], kind: str) -> list[Json]:
    return [block for block in blocks if block["type"] == kind]


def _blocks(message: Json) -> list[Json]:
    content = message.get("content")
    if isinstance(content, str):
        blocks = [{"type": "text", "text": content}] if content.strip() else []
    elif isinstance(content, list):
        blocks = [block for part in content if (block := _block(part)) is not None]
    elif content is None:
        blocks = []
    else:
        raise bad_request("a message's content must be text or a list of parts", "messages")
    if blocks and isinstance(message.get("cache_control"), dict):
        blocks[-1] = {**blocks[-1], "cache_control": message["cache_control"]}
    return blocks


def _block(part: Any) -> Json | None:
    if not isinstance(part, dict):
        raise bad_request("each part of a message must be an object", "messages")
    kind = string(part.get("type"))
    if kind in {"text", "refusal"}:
        text = string(part.get("text", part.get("refusal")))
        made: Json | None = {"type": "text", "text": text} if text.strip() else None
    elif kind == "image_url":
        made = {"type": "image", "source": _source(part)}
    elif kind == "file":
        made = _document(table(part.get("file")))
    else:
        raise unsupported(f"Claude does not take parts of type {kind[:40]!r}", "messages")
    if made is not None and isinstance(part.get("cache_control"), dict):
        made["cache_control"] = part["cache_control"]
    return made


def _source(part: Json) -> Json:
    image = part.get("image_url")
    url = string(image) or string(table(image).get("url"))
    data = split_data_url(url)
    if data is None:
        if not url.startswith(("https://", "http://")):
            raise bad_request("an image needs an http address or a data URL", "messages")
        return {"type": "url", "url": url}
    if data[0] not in _IMAGES:
        raise unsupported(f"Claude does not take images of type {data[0]}", "messages")
    return {"type": "base64", "media_type": data[0], "data": data[1]}


def _document(file: Json) -> Json:
    data = split_data_url(string(file.get("file_data")))
    if data is None or data[0] != "application/pdf":
        raise unsupported("Claude takes files only as PDF in a data URL", "messages")
    made: Json = {"type": "document", "source": {"type": "base64", "media_type": data[0], "data": data[1]}}
    if string(file.get("filename")):
        made["title"] = file["filename"]
    return made


def _assistant(message: Json) -> list[Json]:
    blocks = [block for block in _blocks(message) if block["type"] == "text"]
    for call in rows(message.get("tool_calls")):
        function = table(call.get("function"))
        name = string(function.get("name"))
        if not name:
            raise bad_request("a tool call needs a function with a name", "messages")
        blocks.append(
            {
                "type": "tool_use",
                "id": ident(call.get("id")),
                "name": name,
                "input": arguments(function.get("arguments")),
            }
        )
    return blocks


def _result(message: Json) -> Json:
    content = message.get("content")
    parts = [part for part in rows(content) if part.get("type") == "image_url"]
    made: Json = {"type": "tool_result", "tool_use_id": ident(message.get("tool_call_id") or message.get("name"))}
    if parts:
        made["content"] = _blocks({"content": content})
    else:
        made["content"] = text_of(content)
    if isinstance(message.get("cache_control"), dict):
        made["cache_control"] = message["cache_control"]
    return made


def ident(value: Any) -> str:
    """A tool call's id as the API takes it; another provider's odd one becomes a name that is the same each time."""
    text = string(value)
    return text if _ID.match(text) else f"toolu_{short_hash(text)}"


def arguments(value: Any) -> Json:
    """A tool call's arguments as an object; what another model wrote as broken JSON is passed on as text."""
    if isinstance(value, dict):
        return value
    text = string(value).strip()
    if not text:
        return {}
    try:
        made = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return {"arguments": text}
    return made if isinstance(made, dict) else {"arguments": made}
