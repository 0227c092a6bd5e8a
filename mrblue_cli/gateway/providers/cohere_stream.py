"""Cohere's answers as chat completions: complete ones, streams of typed events, and embeddings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mrblue_cli.gateway.model import Call, CallError, Json, Piece, Reply, Usage
from mrblue_cli.gateway.providers.faults import fault_in_stream
from mrblue_cli.gateway.providers.gemini_stream import embeddings
from mrblue_cli.gateway.providers.openai_reply import filtered
from mrblue_cli.gateway.providers.openai_stream import EventStream
from mrblue_cli.gateway.providers.wire import (
    ChunkMaker,
    broken,
    completion,
    count,
    date_of,
    decode_table,
    end,
    rows,
    string,
    table,
)
from mrblue_cli.gateway.sse import Event

FINISH: Mapping[str, str] = {
    "COMPLETE": "stop",
    "STOP_SEQUENCE": "stop",
    "MAX_TOKENS": "length",
    "TOOL_CALL": "tool_calls",
    "ERROR_TOXIC": "content_filter",
}
FAILED = frozenset({"ERROR", "TIMEOUT", "ERROR_LIMIT", "USER_CANCEL"})


def usage_of(value: Any) -> Usage | None:
    """What is billed, since that is what the budget must agree with; all tokens when that is not said."""
    said = table(value)
    billed, whole = table(said.get("billed_units")), table(said.get("tokens"))
    counted = billed if "input_tokens" in billed or "output_tokens" in billed else whole
    if not counted:
        return None
    inputs = count(counted.get("input_tokens"))
    cached = min(count(said.get("cached_tokens")), inputs)
    return Usage(input_tokens=inputs, output_tokens=count(counted.get("output_tokens")), cached_input_tokens=cached)


def finish_of(reason: str) -> str:
    """OpenAI's word. Raises `CallError` when the model broke off."""
    if reason in FAILED:
        raise CallError(fault_in_stream({"error": {"message": f"the provider broke off its answer ({reason})"}}))
    return FINISH.get(reason, "stop")


def reply(headers: Mapping[str, str], body: bytes, model: str) -> Reply:
    """A complete answer as a chat completion. Raises `CallError`: BROKEN, CONTENT_FILTER."""
    data = decode_table(body)
    said = data.get("message")
    if not isinstance(said, dict):
        raise CallError(fault_in_stream(data) if "error" in data else broken("the provider's answer has no message"))
    parts = rows(said.get("content"))
    text = "".join(string(part.get("text")) for part in parts)
    thought = string(said.get("tool_plan")) + "".join(string(part.get("thinking")) for part in parts)
    calls = [
        {"id": string(call.get("id")), "type": "function", "function": _function(call)}
        for call in rows(said.get("tool_calls"))
    ]
    finish = finish_of(string(data.get("finish_reason")))
    if finish == "content_filter" and not text:
        raise filtered("the provider refuses to answer this")
    message: Json = {"content": text if text or not calls else None, "refusal": None}
    if thought:
        message["reasoning_content"] = thought
    if calls:
        message["tool_calls"] = calls
    usage = usage_of(data.get("usage"))
    made = completion(
        ident=string(data.get("id")), model=model, created=date_of(headers), choices=[(message, finish)], usage=usage
    )
    return Reply(body=made, usage=usage, finish=finish, text=text)


def _function(call: Json) -> Json:
    function = table(call.get("function"))
    return {"name": string(function.get("name")), "arguments": string(function.get("arguments")) or "{}"}


class EventsStream(EventStream):
    """Events named by their `type`: message-start, content-*, tool-plan-delta, tool-call-*, citation-*, message-end."""

    def __init__(self, model: str) -> None:
        super().__init__()
        self._make = ChunkMaker()
        self._make.model = model
        self._places: dict[Any, int] = {}
        self._silent: set[int] = set()
        self._any = False

    def _event(self, event: Event) -> list[Piece]:
        data = self._read(event)
        if data is None:
            return [self._fail("the provider sent an event that is not JSON")]
        message = table(table(data.get("delta")).get("message"))
        match data.get("type"):
            case "message-start":
                self._make.ident = string(data.get("id"))
                return [self._make.delta({"content": ""}, token=False)]
            case "content-start" | "content-delta":
                part = table(message.get("content"))
                return self._say("content", part.get("text")) + self._say("reasoning_content", part.get("thinking"))
            case "tool-plan-delta":
                return self._say("reasoning_content", message.get("tool_plan"))
            case "tool-call-start":
                return self._call(data.get("index"), table(message.get("tool_calls")))
            case "tool-call-delta":
                return self._arguments(data.get("index"), table(table(message.get("tool_calls")).get("function")))
            case "tool-call-end":
                return self._call_end(data.get("index"))
            case "message-end":
                return self._done(table(data.get("delta")))
            case None if "error" in data or "message" in data:
                return [self._report(data)]
            case "error":
                return [self._report(data)]
            case _:  # citations, debug, and what may come
                return []

    def _say(self, name: str, text: Any) -> list[Piece]:
        if not isinstance(text, str) or not text:
            return []
        self._any = True
        return [self._make.delta({name: text})]

    def _call(self, index: Any, call: Json) -> list[Piece]:
        if not isinstance(index, int):
            return []
        place = self._places.setdefault(index, len(self._places))
        function = table(call.get("function"))
        given = string(function.get("arguments"))
        if not given:
            self._silent.add(place)
        self._any = True
        opening = {"index": place, "id": string(call.get("id")), "type": "function"}
        named = {"name": string(function.get("name")), "arguments": given}
        return [self._make.delta({"tool_calls": [{**opening, "function": named}]})]

    def _arguments(self, index: Any, function: Json) -> list[Piece]:
        place = self._places.get(index) if isinstance(index, int) else None
        part = string(function.get("arguments"))
        if place is None or not part:
            return []
        self._silent.discard(place)
        return [self._make.delta({"tool_calls": [{"index": place, "function": {"arguments": part}}]})]

    def _call_end(self, index: Any) -> list[Piece]:
        place = self._places.get(index) if isinstance(index, int) else None
        if place is None or place not in self._silent:
            return []
        self._silent.discard(place)
        return [self._make.delta({"tool_calls": [{"index": place, "function": {"arguments": "{}"}}]})]

    def _done(self, delta: Json) -> list[Piece]:
        self._over = True
        usage = usage_of(delta.get("usage"))
        try:
            finish = finish_of(string(delta.get("finish_reason")))
            if finish == "content_filter" and not self._any:
                raise filtered("the provider refuses to answer this")
        except CallError as error:
            return [Piece(fault=error.fault, usage=usage)]
        counted = [self._make.usage(usage)] if usage is not None else []
        return [self._make.finish(finish), *counted, end()]


def embed_reply(call: Call, body: bytes) -> Reply:
    """Embeddings in OpenAI's shape."""
    data = decode_table(body)
    vectors = table(data.get("embeddings")).get("float")
    units = table(table(data.get("meta")).get("billed_units"))
    usage = Usage(input_tokens=count(units["input_tokens"])) if "input_tokens" in units else None
    return embeddings(call, vectors if isinstance(vectors, list) else [], usage, string(call.body.get("model")))
