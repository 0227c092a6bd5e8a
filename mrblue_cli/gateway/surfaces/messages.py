"""Anthropic's `/v1/messages` in terms of chat completions (Anthropic API reference, "Messages" and "Errors")."""

from __future__ import annotations

import msgspec

from mrblue_cli.gateway.model import CallError, Fault, Json, Reply, Surface, Usage
from mrblue_cli.gateway.providers.base import StreamDecoder
from mrblue_cli.gateway.surfaces import messages_request
from mrblue_cli.gateway.surfaces.base import StreamEncoder
from mrblue_cli.gateway.surfaces.chat import chat_usage
from mrblue_cli.gateway.surfaces.errors import anthropic_error, broken
from mrblue_cli.gateway.surfaces.fields import count, rows, table, text
from mrblue_cli.gateway.surfaces.ids import seed

_STOPS = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "function_call": "tool_use",
    "content_filter": "refusal",
}
_FINISHES = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "pause_turn": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "refusal": "content_filter",
}


def stop_reason(finish: str, *, calls: bool, refused: bool) -> str:
    """Anthropic's word for chat's finish reason. Calls count more than a provider that says "stop" after them."""
    reason = _STOPS.get(finish, "end_turn")
    if reason != "end_turn":
        return reason
    return "tool_use" if calls else "refusal" if refused else reason


def finish_reason(stop: str) -> str:
    """Chat's word for Anthropic's stop reason; unknown ones end a turn."""
    return _FINISHES.get(stop, "stop") if stop else ""


def write_usage(usage: Usage | None) -> Json:
    """Anthropic's usage: input does not include what was read from the prompt cache or written to it."""
    used = usage or Usage()
    body: Json = {
        "input_tokens": max(0, used.input_tokens - used.cached_input_tokens - used.cache_write_tokens),
        "cache_creation_input_tokens": used.cache_write_tokens,
        "cache_read_input_tokens": used.cached_input_tokens,
        "output_tokens": used.output_tokens,
    }
    if used.reasoning_tokens:
        body["output_tokens_details"] = {"thinking_tokens": used.reasoning_tokens}
    return body


def read_usage(usage: Json) -> Usage:
    """Ours from Anthropic's, where cached input is counted beside the rest."""
    read, written = count(usage.get("cache_read_input_tokens")), count(usage.get("cache_creation_input_tokens"))
    return Usage(
        input_tokens=count(usage.get("input_tokens")) + read + written,
        output_tokens=count(usage.get("output_tokens")),
        cached_input_tokens=read,
        cache_write_tokens=written,
        reasoning_tokens=count(table(usage.get("output_tokens_details")).get("thinking_tokens")),
    )


def head(chunk: Json, body: Json) -> Json:
    """The message before it has content, from a chat completion or chunk."""
    return {
        "id": f"msg_{seed(chunk.get('id'))}",
        "type": "message",
        "role": "assistant",
        "model": text(chunk.get("model")) or text(body.get("model")),
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": write_usage(None),
    }


class Messages:
    """The translator of the messages surface."""

    surface = Surface.MESSAGES

    def to_chat(self, body: Json) -> Json:
        """The chat request. Raises `CallError`."""
        return messages_request.to_chat(body)

    def to_native(self, body: Json) -> Json:
        """The body for a provider that speaks this surface. What is malformed is left for it to judge."""
        return messages_request.to_native(body)

    def from_chat(self, reply: Json, body: Json) -> Json:
        """The message. Raises `CallError` (BROKEN) when the arguments of a complete tool call are no JSON object."""
        choice = next(iter(rows(reply.get("choices"))), {})
        said, finish = table(choice.get("message")), text(choice.get("finish_reason"))
        content: list[Json] = []
        if thought := text(said.get("reasoning_content")) or text(said.get("reasoning")):
            content.append({"type": "thinking", "thinking": thought, "signature": ""})
        refusal = text(said.get("refusal"))
        content.extend({"type": "text", "text": words} for words in (text(said.get("content")), refusal) if words)
        calls = rows(said.get("tool_calls"))
        if function := table(said.get("function_call")):
            calls = [*calls, {"function": function}]
        name = seed(reply.get("id"))
        blocks = [_tool_use(call, f"call_{name}_{index}", finish) for index, call in enumerate(calls)]
        content.extend(block for block in blocks if block is not None)
        message = head(reply, body)
        matched = choice.get("stop_reason")  # vLLM and its kin name the stop sequence here
        if finish == "stop" and isinstance(matched, str) and matched in (body.get("stop_sequences") or []):
            message |= {"stop_reason": "stop_sequence", "stop_sequence": matched}
        else:
            message["stop_reason"] = stop_reason(finish, calls=bool(calls), refused=bool(refusal))
        return message | {"content": content, "usage": write_usage(chat_usage(reply))}

    def encoder(self, body: Json) -> StreamEncoder:
        """Chat chunks to Anthropic's events."""
        from mrblue_cli.gateway.surfaces.messages_stream import MessagesEncoder

        return MessagesEncoder(body)

    def native_stream(self) -> StreamDecoder:
        """Reads Anthropic's own events."""
        from mrblue_cli.gateway.surfaces.native import messages_reader

        return messages_reader()

    def native_reply(self, body: bytes) -> Reply:
        """Reads Anthropic's own answer. Raises `CallError` (BROKEN)."""
        try:
            message = msgspec.json.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            message = None
        if not isinstance(message, dict) or message.get("type") != "message":
            raise CallError(broken("The provider's answer is not a message."))
        blocks = rows(message.get("content"))
        usage = message.get("usage")
        return Reply(
            body=message,
            usage=read_usage(usage) if isinstance(usage, dict) else None,
            finish=finish_reason(text(message.get("stop_reason"))),
            text="".join(text(block.get("text")) for block in blocks if block.get("type") == "text"),
        )

    def replay(self, reply: Json) -> list[bytes]:
        """The events of a complete message."""
        from mrblue_cli.gateway.surfaces.messages_stream import replay_message

        return replay_message(reply)

    def error(self, fault: Fault, status: int) -> Json:
        """Anthropic's error body."""
        return anthropic_error(fault, status)


def _tool_use(call: Json, call_id: str, finish: str) -> Json | None:
    function = table(call.get("function"))
    raw = text(function.get("arguments")).strip()
    try:
        arguments = msgspec.json.decode(raw) if raw else {}
    except (msgspec.DecodeError, RecursionError):
        arguments = raw
    if arguments is None:
        arguments = {}
    if not isinstance(arguments, dict):
        if finish in {"length", "content_filter"}:
            return None  # cut in the middle of the call; the stop reason says so
        raise CallError(broken("The model called a tool with arguments that are not a JSON object."))
    name = text(function.get("name"))
    return {"type": "tool_use", "id": text(call.get("id")) or call_id, "name": name, "input": arguments}
