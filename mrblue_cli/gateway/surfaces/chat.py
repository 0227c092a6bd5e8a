"""Chat completions themselves: checking a request, reading usage, replaying an answer as a stream, errors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mrblue_cli.gateway.model import Fault, Json, Usage
from mrblue_cli.gateway.sse import DONE, frame
from mrblue_cli.gateway.surfaces.assemble import ChatAssembler
from mrblue_cli.gateway.surfaces.errors import openai_error, status_of
from mrblue_cli.gateway.surfaces.fields import bad, check, count, maybe, need, number, objects, rows, table, text, whole

__all__ = ["ChatAssembler", "chat_usage", "error", "fail_chat", "replay_chat", "split_text", "validate_chat"]

PIECE = 400
"""Characters in one piece of a replayed text: small enough that a client shows it as it comes."""


def error(fault: Fault, status: int) -> Json:
    """OpenAI's error body."""
    return openai_error(fault, status)


def fail_chat(fault: Fault) -> list[bytes]:
    """The end of a broken chat stream: an error event, and no `[DONE]` that could make it look complete."""
    return [frame(openai_error(fault, status_of(fault)))]


def split_text(words: str, size: int = PIECE) -> Iterator[str]:
    """`words` in pieces of at most `size` characters; one empty piece for an empty text."""
    for start in range(0, max(len(words), 1), size):
        yield words[start : start + size]


# Usage


def chat_usage(reply: Json) -> Usage | None:
    """Usage of a chat completion or of a chunk; None when it has none."""
    usage = reply.get("usage")
    if not isinstance(usage, dict):
        return None
    read, made = table(usage.get("prompt_tokens_details")), table(usage.get("completion_tokens_details"))
    return Usage(
        input_tokens=count(usage.get("prompt_tokens")),
        output_tokens=count(usage.get("completion_tokens")),
        cached_input_tokens=count(read.get("cached_tokens")),
        cache_write_tokens=count(read.get("cache_write_tokens")) or count(read.get("cache_creation_tokens")),
        audio_input_tokens=count(read.get("audio_tokens")),
        image_input_tokens=count(read.get("image_tokens")),
        audio_output_tokens=count(made.get("audio_tokens")),
        reasoning_tokens=count(made.get("reasoning_tokens")),
    )


# Replay


def replay_chat(reply: Json, include_usage: bool) -> list[bytes]:
    """A complete chat completion as the stream it could have been, `[DONE]` included.

    With `include_usage` a last chunk without choices carries the usage, and all others say null, as OpenAI does.
    """
    plain = {key: value for key, value in reply.items() if key not in {"choices", "usage"}}
    head = plain | {"object": "chat.completion.chunk"} | ({"usage": None} if include_usage else {})
    frames = []
    for choice in rows(reply.get("choices")):
        extra = {key: value for key, value in choice.items() if key not in {"message", "finish_reason", "logprobs"}}
        for delta, logprobs in _deltas(table(choice.get("message")), choice.get("logprobs")):
            row = extra | {"delta": delta, "logprobs": logprobs, "finish_reason": None}
            frames.append(frame(head | {"choices": [row]}))
        last = extra | {"delta": {}, "logprobs": None, "finish_reason": choice.get("finish_reason")}
        frames.append(frame(head | {"choices": [last]}))
    if include_usage:
        frames.append(frame(head | {"choices": [], "usage": reply.get("usage")}))
    return [*frames, DONE]


def _deltas(message: Json, logprobs: Any) -> Iterator[tuple[Json, Any]]:
    """The deltas of a message, the log probabilities with the text that they belong to."""
    yield {"role": "assistant"}, None
    for key, value in message.items():
        if value is None or key in {"role", "content", "refusal", "tool_calls", "function_call", "audio"}:
            continue
        if isinstance(value, str):  # reasoning, under the name that the provider gives it
            yield from (({key: piece}, None) for piece in split_text(value))
        else:
            yield {key: value}, None
    for key in ("content", "refusal"):
        if isinstance(words := message.get(key), str):
            if logprobs is None:
                yield from (({key: piece}, None) for piece in split_text(words))
            else:
                yield {key: words}, logprobs
                logprobs = None
    if logprobs is not None:
        yield {}, logprobs
    for index, call in enumerate(rows(message.get("tool_calls"))):
        kind = "custom" if call.get("type") == "custom" else "function"
        key = "input" if kind == "custom" else "arguments"
        body = table(call.get(kind))
        yield {"tool_calls": [call | {"index": index, kind: body | {key: ""}}]}, None
        for piece in split_text(text(body.get(key))):
            if piece:
                yield {"tool_calls": [{"index": index, "type": kind, kind: {key: piece}}]}, None
    for key in ("function_call", "audio"):
        if isinstance(message.get(key), dict):
            yield {key: message[key]}, None


# Requests

_ROLES = frozenset({"system", "developer", "user", "assistant", "tool", "function"})


def validate_chat(body: Json) -> None:
    """Raise `CallError` (BAD_REQUEST, with `param`) for what is surely wrong. Unknown fields are left alone."""
    need(body, "model", str)
    messages = objects(need(body, "messages", list), "messages")
    if not messages:
        raise bad("messages", "'messages' must hold at least one message.")
    for index, message in enumerate(messages):
        _validate_message(message, f"messages[{index}].")
    for key in ("stream", "logprobs", "parallel_tool_calls", "store"):
        maybe(body, key, bool)
    for key in ("user", "reasoning_effort", "service_tier", "prompt_cache_key"):
        maybe(body, key, str)
    for key in ("stream_options", "response_format", "metadata", "logit_bias", "prediction", "audio"):
        maybe(body, key, dict)
    for key in ("max_tokens", "max_completion_tokens", "n"):
        whole(body, key, 1)
    whole(body, "n", 1, 128)
    whole(body, "top_logprobs", 0)
    maybe(body, "seed", int)
    number(body, "temperature", 0, 2)
    number(body, "top_p", 0, 1)
    number(body, "frequency_penalty", -2, 2)
    number(body, "presence_penalty", -2, 2)
    _validate_stop(body.get("stop"))
    if (form := body.get("response_format")) is not None:
        need(form, "type", str, "response_format.")
    _validate_tools(body)


def _validate_message(message: Json, at: str) -> None:
    role = need(message, "role", str, at)
    if role not in _ROLES:
        raise bad(f"{at}role", f"'{at}role' must be one of {', '.join(sorted(_ROLES))}; it is '{role[:40]}'.")
    content = message.get("content")
    if isinstance(content, list):
        for index, part in enumerate(objects(content, f"{at}content")):
            need(part, "type", str, f"{at}content[{index}].")
    elif content is None:
        if role in {"system", "developer", "user"}:
            raise bad(f"{at}content", f"'{at}content' is required.")
    else:
        check(content, str, f"{at}content")
    if role == "tool":
        need(message, "tool_call_id", str, at)
    calls = objects(maybe(message, "tool_calls", list, at) or [], f"{at}tool_calls")
    for index, call in enumerate(calls):
        if call.get("type", "function") == "function":
            function = need(call, "function", dict, f"{at}tool_calls[{index}].")
            need(function, "name", str, f"{at}tool_calls[{index}].function.")


def _validate_stop(stop: Any) -> None:
    if isinstance(stop, list):
        for index, word in enumerate(stop):
            check(word, str, f"stop[{index}]")
    elif stop is not None and not isinstance(stop, str):
        raise bad("stop", "'stop' must be a string or a list of strings.")


def _validate_tools(body: Json) -> None:
    tools = objects(maybe(body, "tools", list) or [], "tools")
    for index, tool in enumerate(tools):
        at = f"tools[{index}]."
        if need(tool, "type", str, at) == "function":
            function = need(tool, "function", dict, at)
            need(function, "name", str, f"{at}function.")
            maybe(function, "parameters", dict, f"{at}function.")
            maybe(function, "description", str, f"{at}function.")
    choice = body.get("tool_choice")
    if isinstance(choice, dict):
        need(choice, "type", str, "tool_choice.")
    elif choice is not None:
        check(choice, str, "tool_choice")
