"""Cohere by its own API, version 2: chat and embed. Source: Cohere API reference."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mrblue_cli.gateway.model import Call, Fault, HttpRequest, Json, Reply, Surface, Target
from mrblue_cli.gateway.providers import cohere_stream
from mrblue_cli.gateway.providers.base import StreamDecoder, Traits
from mrblue_cli.gateway.providers.faults import classify
from mrblue_cli.gateway.providers.wire import (
    address,
    bad_request,
    bearer,
    encode,
    headers,
    limit_of,
    option,
    rows,
    stop_words,
    string,
    table,
    text_of,
    unsupported,
)

_SETTINGS = {
    "top_p": "p",
    "top_k": "k",
    "frequency_penalty": "frequency_penalty",
    "presence_penalty": "presence_penalty",
    "seed": "seed",
    "safety_mode": "safety_mode",
}


class Cohere:
    """The adapter."""

    kind = "cohere"
    traits = Traits(
        native=frozenset({Surface.CHAT, Surface.EMBEDDINGS}),
        base_url="https://api.cohere.com/v2",
        key_variable="CO_API_KEY",
    )

    def request(self, call: Call, target: Target) -> HttpRequest:
        """The call over HTTP."""
        if call.surface is Surface.CHAT:
            path, body = "chat", chat_body(call, target)
        elif call.surface is Surface.EMBEDDINGS:
            path, body = "embed", embed_body(call, target)
        else:
            raise unsupported(f"{target.provider} has no {call.surface.value} endpoint")
        sent = headers(target, bearer(target.api_key), stream=call.stream)
        return HttpRequest(url=address(target, self.traits.base_url, path), headers=sent, body=encode(body))

    def reply(self, call: Call, headers: Mapping[str, str], body: bytes) -> Reply:
        """A complete answer."""
        if call.surface is Surface.EMBEDDINGS:
            return cohere_stream.embed_reply(call, body)
        return cohere_stream.reply(headers, body, string(call.body.get("model")))

    def stream(self, call: Call) -> StreamDecoder:
        """A decoder for one streamed answer."""
        return cohere_stream.EventsStream(string(call.body.get("model")))

    def fault(self, status: int, headers: Mapping[str, str], body: bytes) -> Fault:
        """What an error means."""
        return classify(status, headers, body)


def chat_body(call: Call, target: Target) -> Json:
    """The body of `/v2/chat`. Raises `CallError` for what Cohere cannot do."""
    body = call.body
    if call.prefill:
        raise unsupported(f"{target.provider} does not go on from a broken answer")
    if isinstance(body.get("n"), int) and body["n"] > 1:
        raise unsupported("Cohere gives one answer at a time", "n")
    if body.get("logprobs") or body.get("top_logprobs"):
        raise unsupported("Cohere's logprobs have another shape", "logprobs")
    made: Json = {"model": target.model, "messages": messages(body.get("messages")), "stream": call.stream}
    for ours, theirs in _SETTINGS.items():
        if body.get(ours) is not None:
            made[theirs] = body[ours]
    heat = body.get("temperature")
    heat = target.temperature if heat is None else heat
    if heat is not None:
        made["temperature"] = heat
    limit = limit_of(body, target)
    if limit is not None:
        made["max_tokens"] = limit
    words = stop_words(body)
    if words:
        made["stop_sequences"] = words[:5]
    _tools(made, body)
    _format(made, body)
    if body.get("reasoning_effort") == "none":
        made["thinking"] = {"type": "disabled"}
    return made


def messages(value: Any) -> list[Json]:
    """Messages as Cohere has them: the same roles, tool calls beside a plan instead of content."""
    if not isinstance(value, list) or not value:
        raise bad_request("messages must be a list of at least one message", "messages")
    return [_message(item) for item in value]


def _message(message: Any) -> Json:
    if not isinstance(message, dict):
        raise bad_request("each message must be an object", "messages")
    role, content = message.get("role"), message.get("content")
    match role:
        case "system" | "developer":
            return {"role": "system", "content": text_of(content)}
        case "user":
            return {"role": "user", "content": _content(content)}
        case "assistant":
            calls = [_call(call) for call in rows(message.get("tool_calls"))]
            if calls:
                plan = text_of(content)
                return {"role": "assistant", "tool_calls": calls, **({"tool_plan": plan} if plan else {})}
            return {"role": "assistant", "content": text_of(content)}
        case "tool":
            ident = string(message.get("tool_call_id"))
            return {"role": "tool", "tool_call_id": ident, "content": text_of(content)}
        case _:
            raise bad_request(f"unknown role {str(role)[:40]!r}", "messages")


def _content(content: Any) -> str | list[Json]:
    if not isinstance(content, list):
        return text_of(content)
    kinds = {string(part.get("type")) for part in rows(content)}
    if kinds - {"text", "image_url"}:
        odd = min(kinds - {"text", "image_url"})
        raise unsupported(f"Cohere does not take parts of type {odd[:40]!r}", "messages")
    return content if "image_url" in kinds else text_of(content)


def _call(call: Json) -> Json:
    function = table(call.get("function"))
    if not string(function.get("name")):
        raise bad_request("a tool call needs a function with a name", "messages")
    arguments = string(function.get("arguments")) or "{}"
    return {
        "id": string(call.get("id")),
        "type": "function",
        "function": {"name": function["name"], "arguments": arguments},
    }


def _tools(made: Json, body: Json) -> None:
    tools = rows(body.get("tools"))
    if any(tool.get("type") != "function" for tool in tools):
        raise unsupported("Cohere knows only functions as tools", "tools")
    choice = body.get("tool_choice")
    named = string(table(table(choice).get("function")).get("name"))
    if named:  # it cannot name one, but it can be left with one
        tools = [tool for tool in tools if table(tool.get("function")).get("name") == named]
    if not tools:
        return
    empty: Json = {"type": "object", "properties": {}}
    made["tools"] = [
        {"type": "function", "function": {"parameters": empty, **_known(table(tool.get("function")))}} for tool in tools
    ]
    if named or choice == "required":
        made["tool_choice"] = "REQUIRED"
    elif choice == "none":
        made["tool_choice"] = "NONE"


def _known(function: Json) -> Json:
    return {name: function[name] for name in ("name", "description", "parameters") if function.get(name) is not None}


def _format(made: Json, body: Json) -> None:
    asked = table(body.get("response_format"))
    if string(asked.get("type")) not in {"json_object", "json_schema"}:
        return
    if "tools" in made:
        raise unsupported("Cohere takes either tools or a JSON format, not both", "response_format")
    schema = table(table(asked.get("json_schema")).get("schema"))
    made["response_format"] = {"type": "json_object", **({"json_schema": schema} if schema else {})}


def embed_body(call: Call, target: Target) -> Json:
    """The body of `/v2/embed`. What the texts are for comes from the request, the configuration, or is documents."""
    value = call.body.get("input")
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list) or not texts:
        raise bad_request("input must be a text or a list of texts", "input")
    if not all(isinstance(text, str) for text in texts):
        raise unsupported("Cohere embeds texts, not tokens", "input")
    purpose = string(call.body.get("input_type")) or option(target, "input_type") or "search_document"
    made: Json = {"model": target.model, "texts": texts, "input_type": purpose, "embedding_types": ["float"]}
    if call.body.get("dimensions") is not None:
        made["output_dimension"] = call.body["dimensions"]
    return made
