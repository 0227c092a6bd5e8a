"""Providers that speak OpenAI's chat completions with differences: `dialects.py` says which, this applies them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from mrblue_cli.gateway.model import Call, Json, Part, Reply, Surface, Target
from mrblue_cli.gateway.providers.base import StreamDecoder, Traits
from mrblue_cli.gateway.providers.dialects import DIALECTS, Dialect
from mrblue_cli.gateway.providers.openai import OpenAI, fill_chat
from mrblue_cli.gateway.providers.openai_reply import chat_reply
from mrblue_cli.gateway.providers.openai_stream import ChatStream
from mrblue_cli.gateway.providers.wire import (
    bad_request,
    bearer,
    decode_table,
    encode,
    option,
    rows,
    short_hash,
    string,
    table,
    text_of,
    unsupported,
)

_NO_EFFORT = re.compile(r"grok-(?:4(?:$|-(?!\d+\.)|\.20)|3(?:$|-(?!mini))|2|code|build)")
"""Grok models that answer `reasoning_effort` with an error (xAI, reasoning guide): they reason as they like."""
_GROK_REASONS = re.compile(r"grok-(?:4|3-mini|code|build)")
_TOOL_ID = re.compile(r"[A-Za-z0-9]{9}\Z")


class Compatible(OpenAI):
    """One of the compatible providers."""

    def __init__(self, kind: str, dialect: Dialect | None = None) -> None:
        self.kind = kind
        self.dialect = dialect or DIALECTS[kind]
        self.traits = Traits(
            native=self.dialect.native,
            prefill=bool(self.dialect.prefill),
            base_url=self.dialect.base_url,
            key_variable=self.dialect.key_variable,
            keyless=self.dialect.keyless,
        )

    def url(self, call: Call, target: Target) -> str:
        """Where the call goes; a provider may have another base for going on from a prefill."""
        if call.prefill and self.dialect.prefill_base and not target.endpoint:
            ours = not target.url or target.url.rstrip("/").removesuffix("/v1") == self.dialect.base_url
            if ours:
                return f"{self.dialect.prefill_base}/chat/completions"
        return super().url(call, target)

    def auth(self, target: Target) -> dict[str, str]:
        """The key; OpenRouter also likes to know who asks, when the configuration says so."""
        made = bearer(target.api_key)
        if self.kind == "openrouter":
            made.update({"http-referer": option(target, "referer"), "x-title": option(target, "title")})
        return made

    def chat(self, body: Json, call: Call, target: Target) -> Json:
        """The body, with everything that this provider has otherwise."""
        said = self.dialect
        fill_chat(body, call, target)
        if said.limit_name != "max_tokens" and "max_tokens" in body:
            body[said.limit_name] = body.pop("max_tokens")
        elif self.kind != "openai-compatible" and "max_completion_tokens" in body:
            body[said.limit_name] = body.pop("max_completion_tokens")
        if not said.stream_options:
            body.pop("stream_options", None)
        for name in said.refused:
            if body.pop(name, None):
                raise unsupported(f"{target.provider} does not know {name}", name)
        for name in said.ignored:
            body.pop(name, None)
        for ours, theirs in said.renamed.items():
            if ours in body:
                body[theirs] = body.pop(ours)
        if body.get("tool_choice") == "required":
            body["tool_choice"] = said.required_tool
        if self.kind == "xai":
            without_grok_limits(body, target.model)
        messages = self.messages(body.get("messages"), target)
        body["messages"] = with_schema(body, messages) if said.schema != "yes" else messages
        if self.kind == "mistral":
            body["messages"] = in_order(body["messages"])
        self.go_on(body, call, target)
        return body

    def embeddings(self, body: Json) -> Json:
        """The body of an embeddings call."""
        body = super().embeddings(body)
        for ours, theirs in self.dialect.renamed_embeddings.items():
            if ours in body:
                body[theirs] = body.pop(ours)
        return {name: value for name, value in body.items() if name not in self.dialect.ignored}

    def form(self, call: Call, target: Target) -> tuple[Part, ...]:
        """The form of a transcription."""
        wanted = string(call.body.get("response_format"))
        if wanted in self.dialect.refused_transcripts:
            raise unsupported(f"{target.provider} gives no transcripts as {wanted}", "response_format")
        return super().form(call, target)

    def messages(self, value: Any, target: Target) -> list[Json]:
        """Messages as this provider takes them; the same objects where nothing changes."""
        if not isinstance(value, list):
            raise bad_request("messages must be a list", "messages")
        return [self.message(item, target) if isinstance(item, dict) else item for item in value]

    def message(self, message: Json, target: Target) -> Json:
        """One message."""
        said, made = self.dialect, message
        if not said.developer and message.get("role") == "developer":
            made = {**made, "role": "system"}
        if not said.names and "name" in made:
            made = {name: value for name, value in made.items() if name != "name"}
        content = message.get("content")
        if isinstance(content, list):
            if said.flat_text:
                if any(part.get("type") != "text" for part in rows(content)):
                    raise unsupported(f"{target.provider} takes only text", "messages")
                made = {**made, "content": text_of(content)}
            elif not said.image_urls and any(_linked(part) for part in rows(content)):
                raise unsupported(f"{target.provider} does not fetch images; send them as data URLs", "messages")
        return made

    def go_on(self, body: Json, call: Call, target: Target) -> None:
        """Adds the broken answer that is to be continued; marks one that the client left at the end itself."""
        way = self.dialect.prefill
        messages: list[Json] = body["messages"]
        if call.prefill:
            if not way:
                raise unsupported(f"{target.provider} does not go on from a broken answer")
            messages = [*messages, {"role": "assistant", "content": call.prefill}]
        last = messages[-1] if messages else {}
        # DeepSeek takes the mark only at its beta address, where a client's own prefill does not go.
        marks = way == "prefix" and (call.prefill or not self.dialect.prefill_base)
        if marks and table(last).get("role") == "assistant" and not last.get("tool_calls"):
            messages = [*messages[:-1], {**last, "prefix": True}]
        body["messages"] = messages

    def reply(self, call: Call, headers: Mapping[str, str], body: bytes) -> Reply:
        """A complete answer."""
        amend = _AMENDS.get(self.kind)
        if call.surface is not Surface.CHAT or amend is None:
            return super().reply(call, headers, body)
        data = decode_table(body)
        amend(data)
        return chat_reply(data)

    def chat_stream(self, call: Call) -> StreamDecoder:  # noqa: ARG002
        """A decoder that knows this provider's ways."""
        return ChatStream(amend=_AMENDS.get(self.kind), lax_end=self.dialect.lax_end)


def _linked(part: Json) -> bool:
    return not string(table(part.get("image_url")).get("url", "data:")).startswith("data:")


def without_grok_limits(body: Json, model: str) -> None:
    """Grok's reasoning models refuse penalties and stop words (xAI, reasoning guide)."""
    if _NO_EFFORT.search(model):
        body.pop("reasoning_effort", None)
    if _GROK_REASONS.search(model) and "non-reasoning" not in model:
        body.pop("presence_penalty", None)
        body.pop("frequency_penalty", None)
        if body.pop("stop", None):
            raise unsupported(f"{model} does not know stop words", "stop")


def with_schema(body: Json, messages: list[Json]) -> list[Json]:
    """For providers that know only `json_object`: the schema becomes an instruction. Changes `body` at its top."""
    asked = table(body.get("response_format"))
    if string(asked.get("type")) not in {"json_schema", "json_object"}:
        return messages
    schema = table(asked.get("json_schema")).get("schema")
    body["response_format"] = {"type": "json_object"}
    if schema is None:
        return messages
    return [{"role": "system", "content": schema_text(table(schema))}, *messages]


def schema_text(schema: Json) -> str:
    """The instruction that stands in for a JSON schema."""
    return "Answer with one JSON object and nothing else. It must fit this JSON schema:\n" + encode(schema).decode()


def in_order(messages: list[Any]) -> list[Json]:
    """Mistral's rules: ids of tool calls have nine letters or digits, and an answer stands between tool and user."""
    made: list[Any] = []
    before = ""
    for message in messages:
        if not isinstance(message, dict):
            made.append(message)
            continue
        role = string(message.get("role"))
        if before == "tool" and role == "user":
            made.append({"role": "assistant", "content": "I have the results."})
        if role == "tool" and "tool_call_id" in message:
            message = {**message, "tool_call_id": tool_id(string(message["tool_call_id"]))}  # noqa: PLW2901
        elif rows(message.get("tool_calls")):
            calls = [{**call, "id": tool_id(string(call.get("id")))} for call in rows(message["tool_calls"])]
            message = {**message, "tool_calls": calls}  # noqa: PLW2901
        made.append(message)
        before = role
    return made


def tool_id(ident: str) -> str:
    """The id itself where Mistral takes it, else one made from it, the same each time."""
    return ident if _TOOL_ID.match(ident) else short_hash(ident, length=9)


def _groq(chunk: Json) -> bool:
    """Groq's older streams carry usage in `x_groq`."""
    usage = table(chunk.get("x_groq")).get("usage")
    if usage is None or chunk.get("usage") is not None:
        return False
    chunk["usage"] = usage
    return True


def _mistral(chunk: Json) -> bool:
    """Magistral gives content as a list of thinking and text."""
    changed = False
    for choice in rows(chunk.get("choices")):
        delta = table(choice.get("delta") or choice.get("message"))
        if isinstance(delta.get("content"), list):
            parts = rows(delta["content"])
            thought = "".join(text_of(part.get("thinking")) for part in parts if part.get("type") == "thinking")
            delta["content"] = text_of([part for part in parts if part.get("type") == "text"])
            if thought:
                delta["reasoning_content"] = thought
            changed = True
    return changed


_AMENDS = {"groq": _groq, "mistral": _mistral}
