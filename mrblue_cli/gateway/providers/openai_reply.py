"""Reads complete answers in OpenAI's shapes, and usage in all the forms that compatible providers give it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mrblue_cli.gateway.model import NANO, Call, CallError, Fault, FaultKind, Json, Reply, Usage
from mrblue_cli.gateway.providers.faults import fault_in_stream
from mrblue_cli.gateway.providers.wire import broken, count, decode_table, rows, string, table

FINISH: Mapping[str, str] = {
    "stop": "stop",
    "length": "length",
    "tool_calls": "tool_calls",
    "content_filter": "content_filter",
    "function_call": "tool_calls",
    # Seen at compatible servers:
    "end_turn": "stop",
    "eos": "stop",
    "eos_token": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "model_length": "length",
    "tool_use": "tool_calls",
    "safety": "content_filter",
    "sensitive": "content_filter",
}
"""Finish reasons in OpenAI's words; one that nobody knows yet counts as `stop`."""

FAILED = frozenset({"error", "abort", "network_error", "insufficient_system_resource"})
"""What servers give as a reason when they broke off."""


def finish_of(reason: Any) -> str:
    """One of OpenAI's four reasons; empty when none was given. Raises `CallError` when the provider broke off."""
    if not isinstance(reason, str) or not reason:
        return ""
    if reason in FAILED:
        raise CallError(fault_in_stream({"error": {"message": "the provider broke off its answer", "code": reason}}))
    return FINISH.get(reason, "stop")


def chat_usage(value: Any) -> Usage | None:
    """Usage of chat, embeddings or responses; None when nothing usable was said."""
    said = table(value)
    if not said:
        return None
    inputs = count(said.get("prompt_tokens", said.get("input_tokens")))
    outputs = count(said.get("completion_tokens", said.get("output_tokens")))
    into = table(said.get("prompt_tokens_details") or said.get("input_tokens_details"))
    out = table(said.get("completion_tokens_details") or said.get("output_tokens_details"))
    reasoning = count(out.get("reasoning_tokens", said.get("reasoning_tokens")))
    # xAI counts reasoning beside the visible tokens; the total tells.
    if reasoning and count(said.get("total_tokens")) == inputs + outputs + reasoning:
        outputs += reasoning
    # DeepSeek has its own name for what its cache gave; Moonshot and others put OpenAI's at the top.
    cached = count(into.get("cached_tokens", said.get("prompt_cache_hit_tokens", said.get("cached_tokens"))))
    cached_parts = table(into.get("cached_tokens_details"))
    return Usage(
        input_tokens=inputs,
        output_tokens=outputs,
        cached_input_tokens=min(cached, inputs),
        cache_write_tokens=min(count(into.get("cache_write_tokens")), inputs),
        audio_input_tokens=min(count(into.get("audio_tokens")), inputs),
        cached_audio_input_tokens=min(count(cached_parts.get("audio_tokens")), inputs),
        image_input_tokens=min(count(into.get("image_tokens")), inputs),
        audio_output_tokens=min(count(out.get("audio_tokens")), outputs),
        reasoning_tokens=min(reasoning, outputs),
        reported_nano=_reported(said.get("cost")),
    )


def _reported(cost: Any) -> int | None:
    """What OpenRouter says a call cost, US dollars, in billionths; others say nothing of the kind."""
    if isinstance(cost, bool) or not isinstance(cost, int | float) or not 0 <= cost < 1e6:
        return None
    return round(cost * NANO)


def media_usage(value: Any, seconds: Any = None) -> Usage | None:
    """Usage of transcription and speech: tokens, or a duration in seconds."""
    said = table(value)
    length = said.get("seconds", said.get("prompt_audio_seconds", seconds))
    length = float(length) if isinstance(length, int | float) and 0 < length < 1e9 else 0.0
    if said.get("type") == "duration" or not said:
        return Usage(seconds=length) if length else None
    into = table(said.get("input_token_details") or said.get("prompt_tokens_details"))
    inputs = count(said.get("input_tokens", said.get("prompt_tokens")))
    return Usage(
        input_tokens=inputs,
        output_tokens=count(said.get("output_tokens", said.get("completion_tokens"))),
        audio_input_tokens=min(count(into.get("audio_tokens")), inputs),
        seconds=length,
    )


def chat_reply(body: Json) -> Reply:
    """A chat completion. Raises `CallError` when it is an error in the guise of an answer, or has no choices."""
    if body.get("error"):
        raise CallError(fault_in_stream(body))
    choices = body.get("choices")
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
        raise CallError(broken("the provider's answer has no choices"))
    for choice in rows(choices):
        choice["finish_reason"] = finish_of(choice.get("finish_reason")) or "stop"
    message = table(choices[0].get("message"))
    return Reply(
        body=body,
        usage=chat_usage(body.get("usage")),
        finish=choices[0]["finish_reason"],
        text=string(message.get("content")),
    )


def embeddings_reply(body: Json) -> Reply:
    """Embeddings. Raises `CallError` (BROKEN) without any."""
    if body.get("error"):
        raise CallError(fault_in_stream(body))
    data = body.get("data")
    if not isinstance(data, list) or not data:
        raise CallError(broken("the provider's answer has no embeddings"))
    return Reply(body=body, usage=chat_usage(body.get("usage")))


def transcription_reply(call: Call, headers: Mapping[str, str], body: bytes) -> Reply:
    """A transcription: JSON, or text in one of the plain formats."""
    wanted = string(call.body.get("response_format")) or "json"
    if wanted in {"text", "srt", "vtt"}:
        kind = headers.get("content-type", "text/plain; charset=utf-8")
        return Reply(body=body, text=body.decode("utf-8", "replace").strip(), content_type=kind, finish="stop")
    data = decode_table(body)
    if data.get("error"):
        raise CallError(fault_in_stream(data))
    if not isinstance(data.get("text"), str):
        raise CallError(broken("the provider's answer has no transcript"))
    return Reply(
        body=data, usage=media_usage(data.get("usage"), data.get("duration")), finish="stop", text=data["text"]
    )


def speech_reply(call: Call, headers: Mapping[str, str], body: bytes) -> Reply:
    """Spoken text: the sound's bytes. Raises `CallError` when JSON came instead, or nothing."""
    kind = headers.get("content-type", "application/octet-stream")
    if "json" in kind:
        said = decode_table(body)
        raise CallError(
            fault_in_stream(said) if said.get("error") else broken("the provider sent JSON instead of sound")
        )
    if not body:
        raise CallError(broken("the provider sent no sound"))
    return Reply(body=body, usage=spoken(call), finish="stop", content_type=kind)


def spoken(call: Call) -> Usage:
    """What speech is billed by, counted from the request: no provider says it in an answer of bytes."""
    return Usage(characters=len(string(call.body.get("input"))))


def filtered(message: str, *, code: str = "content_filter") -> CallError:
    """The provider refuses the content in an answer of 200."""
    return CallError(Fault(kind=FaultKind.CONTENT_FILTER, message=message, type="invalid_request_error", code=code))
