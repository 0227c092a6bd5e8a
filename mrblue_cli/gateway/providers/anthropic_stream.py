"""Anthropic's answers as chat completions: complete ones, and streams of message events."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mrblue_cli.gateway.model import Call, CallError, Json, Piece, Reply, Usage
from mrblue_cli.gateway.providers.anthropic_request import JSON_TOOL
from mrblue_cli.gateway.providers.faults import fault_in_stream
from mrblue_cli.gateway.providers.openai_reply import filtered
from mrblue_cli.gateway.providers.openai_stream import EventStream
from mrblue_cli.gateway.providers.wire import (
    ChunkMaker,
    broken,
    completion,
    count,
    date_of,
    decode_table,
    encode,
    end,
    rows,
    string,
    table,
)
from mrblue_cli.gateway.sse import Event

FINISH: Mapping[str, str] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "tool_use": "tool_calls",
    "pause_turn": "stop",
    "refusal": "content_filter",
    "model_context_window_exceeded": "length",
}


def usage_of(said: Json) -> Usage:
    """Anthropic counts what it read from and wrote to its cache beside the input; ours is the whole."""
    read, written = count(said.get("cache_read_input_tokens")), count(said.get("cache_creation_input_tokens"))
    output = count(said.get("output_tokens"))
    thought = count(table(said.get("output_tokens_details")).get("thinking_tokens"))
    return Usage(
        input_tokens=count(said.get("input_tokens")) + read + written,
        output_tokens=output,
        cached_input_tokens=read,
        cache_write_tokens=written,
        reasoning_tokens=min(thought, output),
    )


def reply(headers: Mapping[str, str], body: bytes) -> Reply:
    """A complete message as a chat completion. Raises `CallError`: BROKEN; CONTENT_FILTER for a bare refusal."""
    data = decode_table(body)
    if data.get("type") == "error" or "error" in data:
        raise CallError(fault_in_stream(data))
    if not isinstance(data.get("content"), list):
        raise CallError(broken("the provider's answer has no content"))
    blocks = rows(data["content"])
    text = "".join(string(block.get("text")) for block in blocks if block.get("type") == "text")
    thought = "".join(string(block.get("thinking")) for block in blocks if block.get("type") == "thinking")
    calls, finish = [], FINISH.get(string(data.get("stop_reason")), "stop")
    for block in blocks:
        if block.get("type") == "tool_use" and block.get("name") == JSON_TOOL:
            text, finish = _json(block.get("input")), "stop" if finish == "tool_calls" else finish
        elif block.get("type") == "tool_use":
            function = {"name": string(block.get("name")), "arguments": _json(block.get("input"))}
            calls.append({"id": string(block.get("id")), "type": "function", "function": function})
    if finish == "content_filter" and not text and not calls:
        raise filtered("the provider refuses to answer this")
    message: Json = {"content": text if text or not calls else None, "refusal": None}
    if thought:
        message["reasoning_content"] = thought
    if calls:
        message["tool_calls"] = calls
    usage = usage_of(table(data.get("usage"))) if isinstance(data.get("usage"), dict) else None
    made = completion(
        ident=string(data.get("id")),
        model=string(data.get("model")),
        created=date_of(headers),
        choices=[(message, finish)],
        usage=usage,
    )
    return Reply(body=made, usage=usage, finish=finish, text=text)


def _json(value: Any) -> str:
    return encode(table(value)).decode()


class MessageStream(EventStream):
    """Message events into chat chunks (message_start, content_block_*, message_delta, message_stop, ping, error)."""

    def __init__(self, call: Call) -> None:
        super().__init__()
        self._make = ChunkMaker()
        self._said: Json = {}
        self._blocks: dict[Any, Json] = {}
        self._calls = 0
        self._any = False
        self._finish = ""
        # Blanks at the end of a prefill were not sent, since the API refuses them; the answer begins with them again.
        self._blank = call.prefill[len(call.prefill.rstrip()) :]

    def _event(self, event: Event) -> list[Piece]:
        data = self._read(event)
        if data is None:
            return [self._fail("the provider sent an event that is not JSON")]
        match data.get("type"):
            case "message_start":
                return self._start(table(data.get("message")))
            case "content_block_start":
                return self._open(data.get("index"), table(data.get("content_block")))
            case "content_block_delta":
                return self._delta(data.get("index"), table(data.get("delta")))
            case "content_block_stop":
                return self._shut(data.get("index"))
            case "message_delta":
                return self._stopped(data)
            case "message_stop":
                return self._done()
            case "error":
                return [self._report(data)]
            case _:  # ping, and what may come in later versions
                return []

    def _start(self, message: Json) -> list[Piece]:
        self._make.ident, self._make.model = string(message.get("id")), string(message.get("model"))
        self._said = {**table(message.get("usage"))}
        return [self._make.delta({"content": ""}, token=False)]

    def _open(self, index: Any, block: Json) -> list[Piece]:
        kind, name = block.get("type"), string(block.get("name"))
        if not isinstance(index, int):
            return []
        if kind == "tool_use":
            self._blocks[index] = {"json": name == JSON_TOOL, "place": self._calls, "empty": True}
            if name == JSON_TOOL:
                return []
            self._calls += 1
            self._any = True
            function = {"name": name, "arguments": ""}
            call = {"index": self._calls - 1, "id": string(block.get("id")), "type": "function", "function": function}
            return [self._make.delta({"tool_calls": [call]})]
        text = string(block.get("text"))
        return self._text(text) if kind == "text" and text else []

    def _text(self, text: str) -> list[Piece]:
        if self._blank:
            lead = len(text) - len(text.lstrip())
            text = text[min(lead, len(self._blank)) :]
            self._blank = ""
        if not text:
            return []
        self._any = True
        return [self._make.delta({"content": text})]

    def _delta(self, index: Any, delta: Json) -> list[Piece]:
        match delta.get("type"):
            case "text_delta":
                return self._text(string(delta.get("text")))
            case "thinking_delta":
                thought = string(delta.get("thinking"))
                return [self._make.delta({"reasoning_content": thought})] if thought else []
            case "input_json_delta":
                return self._input(index, string(delta.get("partial_json")))
            case _:  # signatures and citations have no place in chat
                return []

    def _input(self, index: Any, part: str) -> list[Piece]:
        block = self._blocks.get(index) if isinstance(index, int) else None
        if block is None or not part:
            return []
        block["empty"] = False
        if block["json"]:
            return self._text(part)
        return [self._make.delta({"tool_calls": [{"index": block["place"], "function": {"arguments": part}}]})]

    def _shut(self, index: Any) -> list[Piece]:
        block = self._blocks.pop(index, None) if isinstance(index, int) else None
        if block is None or not block["empty"]:
            return []
        # A tool without arguments sends none; chat's clients parse them as JSON all the same.
        block["empty"] = False
        if block["json"]:
            return self._text("{}")
        return [self._make.delta({"tool_calls": [{"index": block["place"], "function": {"arguments": "{}"}}]})]

    def _stopped(self, data: Json) -> list[Piece]:
        said = table(data.get("usage"))
        self._said.update({name: value for name, value in said.items() if value is not None})
        reason = string(table(data.get("delta")).get("stop_reason"))
        if not reason or self._finish:
            return []
        self._finish = FINISH.get(reason, "stop")
        if self._finish == "tool_calls" and not self._calls:
            self._finish = "stop"  # only the tool for JSON was called
        if self._finish == "content_filter" and not self._any:
            self._over = True
            return [Piece(fault=filtered("the provider refuses to answer this").fault, usage=usage_of(self._said))]
        return [self._make.finish(self._finish)]

    def _done(self) -> list[Piece]:
        if not self._finish:
            return [self._fail("the provider ended its answer without a reason")]
        self._over = True
        counted = [self._make.usage(usage_of(self._said))] if self._said else []
        return [*counted, end()]
