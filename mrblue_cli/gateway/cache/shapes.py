"""How each surface's request is read for the cache: which fields count, and which requests are not for a cache. PURE.

Sources: OpenAI API reference (chat completions, responses, embeddings, speech), Anthropic API reference (messages).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from mrblue_cli.gateway.cache.normal import (
    Reading,
    Refused,
    keep_content,
    keep_fields,
    keep_turn,
    settle,
    tables,
    tool_choice,
    trim,
)
from mrblue_cli.gateway.model import Json, Surface

_DELIVERY = ("stream", "stream_options", "service_tier", "prompt_cache_retention")
"""How an answer is sent, at what price and how fast: not what it says."""
_WHO = ("user", "safety_identifier", "prompt_cache_key", "metadata")
"""Who asks. The partition by key keeps tenants apart; within one, the same request has the same answer."""

_CHAT_IGNORED = frozenset((*_DELIVERY, *_WHO, "messages", "store"))
_CHAT_DEFAULTS: dict[str, Any] = {
    "n": 1, "presence_penalty": 0, "frequency_penalty": 0, "logprobs": False, "parallel_tool_calls": True,
    "response_format": {"type": "text"}, "logit_bias": {}, "tools": [], "functions": [], "stop": [],
    "modalities": ["text"],
}  # fmt: skip

# An answer of this surface repeats metadata, user and the like: a kept one must not tell another request's.
_RESPONSES_IGNORED = frozenset((*_DELIVERY, "input", "instructions"))
_RESPONSES_DEFAULTS: dict[str, Any] = {
    "background": False, "truncation": "disabled", "include": [], "text": {"format": {"type": "text"}},
    "parallel_tool_calls": True, "tools": [], "top_logprobs": 0, "metadata": {},
}  # fmt: skip

_MESSAGES_IGNORED = frozenset((*_DELIVERY, "messages", "system", "metadata", "cache_control"))
_MESSAGES_DEFAULTS: dict[str, Any] = {
    "stop_sequences": [], "tools": [], "thinking": {"type": "disabled"}, "mcp_servers": [],
}  # fmt: skip
_MESSAGES_HOSTED = ("web_search", "web_fetch", "code_execution", "tool_search", "mcp")


def read_chat(body: Json) -> Reading:
    """Chat completions."""
    modalities = body.get("modalities")
    if body.get("audio") is not None or (type(modalities) is list and "audio" in modalities):
        raise Refused("audio-output")  # it carries an id that expires, and is spoken anew each time
    if body.get("store") is True:
        raise Refused("store")  # the client wants it on record at the provider
    if body.get("web_search_options") is not None:
        raise Refused("hosted-tool")  # depends on the hour
    reading = Reading()
    keep_fields(reading, body, _CHAT_IGNORED, _CHAT_DEFAULTS)
    fields = reading.fields
    if type(stop := fields.get("stop")) is str:
        fields["stop"] = [stop]
    if "max_tokens" not in fields and "max_completion_tokens" in fields:
        fields["max_tokens"] = fields.pop("max_completion_tokens")
    _client_tools(body, hosted=lambda kind: kind not in {"function", "custom"})
    tool_choice(reading, "auto")
    if "n" in fields:
        reading.only_exact("several-answers")
    for message in tables(body.get("messages")):
        if message.get("role") in {"tool", "function"}:
            reading.only_exact("tool-results")
        keep_turn(reading, message)
    return reading


def read_responses(body: Json) -> Reading:
    """OpenAI's Responses. Without `store` the answer is on record at the provider and its id stays good to go on from;
    with `store: false` it is not: these two are kept apart."""
    if body.get("previous_response_id") is not None or body.get("conversation") is not None:
        raise Refused("conversation")  # most of the request lies at the provider
    if body.get("background") is True:
        raise Refused("background")
    if body.get("store") is True:
        raise Refused("store")
    if body.get("prompt") is not None:
        raise Refused("stored-prompt")  # its text can change there
    reading = Reading()
    keep_fields(reading, body, _RESPONSES_IGNORED, _RESPONSES_DEFAULTS)
    if body.get("instructions") is not None:
        reading.fields["instructions"] = keep_content(reading, body["instructions"])
    _client_tools(body, hosted=lambda kind: kind not in {"function", "custom"})
    tool_choice(reading, "auto")
    asked = body.get("input")
    items = [{"role": "user", "content": asked}] if type(asked) is str else tables(asked)
    for item in items:
        kind = item.get("type", "message")
        if kind == "item_reference":
            raise Refused("conversation")
        if kind != "message":
            reading.only_exact("tool-results" if str(kind).endswith("_output") else "not-text")
        keep_turn(reading, {name: value for name, value in item.items() if (name, value) != ("type", "message")})
    return reading


def read_messages(body: Json) -> Reading:
    """Anthropic's Messages."""
    if body.get("mcp_servers") or body.get("container") is not None:
        raise Refused("hosted-tool")
    reading = Reading()
    keep_fields(reading, body, _MESSAGES_IGNORED, _MESSAGES_DEFAULTS)
    if body.get("system") not in (None, "", []):
        reading.fields["system"] = keep_content(reading, body["system"])
    _client_tools(body, hosted=lambda kind: str(kind).startswith(_MESSAGES_HOSTED))
    if "tools" in reading.fields:
        reading.fields["tools"] = [
            {name: settle(value) for name, value in tool.items() if name != "cache_control"} for tool in body["tools"]
        ]
    tool_choice(reading, {"type": "auto"})
    for message in tables(body.get("messages")):
        keep_turn(reading, message)
    return reading


def read_embeddings(body: Json) -> Reading:
    """Embeddings. Texts stay as they are, white space included: each of its bytes moves the vector."""
    reading = Reading()
    reading.only_exact("embeddings")
    fields = {name: value for name, value in body.items() if value is not None and name not in {"user", "input"}}
    if fields.get("encoding_format") == "float":
        del fields["encoding_format"]
    asked = body.get("input")
    one = type(asked) is str or (type(asked) is list and asked != [] and all(type(item) is int for item in asked))
    reading.fields = {**fields, "input": [asked] if one else asked}
    return reading


def read_speech(body: Json) -> Reading:
    """Text to speech."""
    if type(body.get("input")) is not str:
        raise Refused("malformed")
    reading = Reading()
    reading.only_exact("speech")
    defaults = {"response_format": "mp3", "speed": 1, "stream_format": "audio", "instructions": ""}
    keep_fields(reading, body, frozenset(("input",)), defaults)
    reading.fields["input"] = trim(body["input"])
    return reading


def _client_tools(body: Json, *, hosted: Callable[[Any], bool]) -> None:
    """Refuse tools that the provider runs itself: they look at a world that changes, or change it."""
    for tool in tables(body.get("tools") or []):
        kind = tool.get("type")
        if kind is not None and hosted(kind):
            raise Refused("hosted-tool")


READERS: Mapping[Surface, Callable[[Json], Reading]] = MappingProxyType(
    {
        Surface.CHAT: read_chat,
        Surface.RESPONSES: read_responses,
        Surface.MESSAGES: read_messages,
        Surface.EMBEDDINGS: read_embeddings,
        Surface.SPEECH: read_speech,
    }
)
"""The surfaces that are cached."""
