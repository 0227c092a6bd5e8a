"""Gemini's answers as chat completions: complete ones, streams, and embeddings."""

from __future__ import annotations

import math
import struct
from base64 import b64encode
from collections.abc import Mapping
from typing import Any

from mrblue_cli.gateway.model import Call, CallError, Json, Piece, Reply, Usage
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
    short_hash,
    string,
    table,
)
from mrblue_cli.gateway.sse import Event

FINISH: Mapping[str, str] = {
    "STOP": "stop",
    "MAX_TOKENS": "length",
    "SAFETY": "content_filter",
    "RECITATION": "content_filter",
    "BLOCKLIST": "content_filter",
    "PROHIBITED_CONTENT": "content_filter",
    "SPII": "content_filter",
    "LANGUAGE": "content_filter",
    "IMAGE_SAFETY": "content_filter",
    "IMAGE_PROHIBITED_CONTENT": "content_filter",
    "IMAGE_RECITATION": "content_filter",
}
FAILED = frozenset(
    {"MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "TOO_MANY_TOOL_CALLS", "MISSING_THOUGHT_SIGNATURE"}
    | {"MALFORMED_RESPONSE", "NO_IMAGE", "IMAGE_OTHER", "OTHER"}
)
"""The model broke off: what there is of the answer is no answer."""


def usage_of(value: Any) -> Usage | None:
    """Gemini counts thoughts beside the visible tokens, and what tools put in beside the prompt."""
    said = table(value)
    if not said:
        return None
    inputs = count(said.get("promptTokenCount")) + count(said.get("toolUsePromptTokenCount"))
    thoughts = count(said.get("thoughtsTokenCount"))
    outputs = count(said.get("candidatesTokenCount")) + thoughts
    kinds = _by_kind(said.get("promptTokensDetails"))
    cached = _by_kind(said.get("cacheTokensDetails"))
    return Usage(
        input_tokens=inputs,
        output_tokens=outputs,
        cached_input_tokens=min(count(said.get("cachedContentTokenCount")), inputs),
        audio_input_tokens=min(kinds.get("AUDIO", 0), inputs),
        cached_audio_input_tokens=min(cached.get("AUDIO", 0), inputs),
        image_input_tokens=min(kinds.get("IMAGE", 0), inputs),
        audio_output_tokens=min(_by_kind(said.get("candidatesTokensDetails")).get("AUDIO", 0), outputs),
        reasoning_tokens=thoughts,
    )


def _by_kind(value: Any) -> dict[str, int]:
    return {string(part.get("modality")): count(part.get("tokenCount")) for part in rows(value)}


def blocked(data: Json) -> str:
    """Why the prompt was refused, empty when it was not."""
    return string(table(data.get("promptFeedback")).get("blockReason"))


def finish_of(reason: str, *, calls: bool) -> str:
    """OpenAI's word. Raises `CallError` when the model broke off."""
    if reason in FAILED:
        raise CallError(broken(f"the model broke off its answer ({reason})"))
    said = FINISH.get(reason, "stop")
    return "tool_calls" if calls and said == "stop" else said


def tool_call(part: Json, answer: str, place: int) -> Json:
    """A call of a function; Gemini often gives it no id, so it gets one from the answer's and its place."""
    call = table(part.get("functionCall"))
    name = string(call.get("name"))
    made: Json = {
        "id": string(call.get("id")) or f"call_{short_hash(answer, name, str(place))}",
        "type": "function",
        "function": {"name": name, "arguments": encode(table(call.get("args"))).decode()},
    }
    if string(part.get("thoughtSignature")):  # Google's own place for it in OpenAI's shape
        made["extra_content"] = {"google": {"thought_signature": part["thoughtSignature"]}}
    return made


def reply(headers: Mapping[str, str], body: bytes) -> Reply:
    """A complete answer as a chat completion. Raises `CallError`: BROKEN, CONTENT_FILTER."""
    data = decode_table(body)
    if data.get("error"):
        raise CallError(fault_in_stream(data))
    candidates = rows(data.get("candidates"))
    if not candidates:
        reason = blocked(data)
        if reason:
            raise filtered(f"the provider refuses this prompt ({reason[:40]})")
        raise CallError(broken("the provider's answer has no candidates"))
    ident = string(data.get("responseId"))
    choices = [_choice(candidate, ident) for candidate in candidates]
    usage = usage_of(data.get("usageMetadata"))
    made = completion(
        ident=ident or f"gemini-{short_hash(body.decode('utf-8', 'replace'))}",
        model=string(data.get("modelVersion")),
        created=date_of(headers),
        choices=choices,
        usage=usage,
    )
    return Reply(body=made, usage=usage, finish=choices[0][1], text=string(choices[0][0]["content"]))


def _choice(candidate: Json, ident: str) -> tuple[Json, str]:
    parts = rows(table(candidate.get("content")).get("parts"))
    text = "".join(string(part.get("text")) for part in parts if not part.get("thought"))
    thought = "".join(string(part.get("text")) for part in parts if part.get("thought"))
    asked = [part for part in parts if isinstance(part.get("functionCall"), dict)]
    calls = [tool_call(part, ident, place) for place, part in enumerate(asked)]
    finish = finish_of(string(candidate.get("finishReason")), calls=bool(calls))
    if finish == "content_filter" and not text and not calls:
        raise filtered(f"the provider refuses to answer this ({string(candidate.get('finishReason'))[:40]})")
    message: Json = {"content": text if text or not calls else None, "refusal": None}
    if thought:
        message["reasoning_content"] = thought
    if calls:
        message["tool_calls"] = calls
    return message, finish


class ContentStream(EventStream):
    """`streamGenerateContent?alt=sse`. Its end is a finish reason, after which the connection closes."""

    def __init__(self) -> None:
        super().__init__()
        self._make = ChunkMaker()
        self._usage: Usage | None = None
        self._calls: dict[int, int] = {}
        self._finished_choices: set[int] = set()
        self._any = False

    def _event(self, event: Event) -> list[Piece]:
        data = self._read(event)
        if data is None:
            if event.data.strip() == b"[DONE]":  # some proxies add it
                return []
            return [self._fail("the provider sent a chunk that is not JSON")]
        if data.get("error"):
            return [self._report(data)]
        self._make.ident = self._make.ident or string(data.get("responseId"))
        self._make.model = self._make.model or string(data.get("modelVersion"))
        self._usage = usage_of(data.get("usageMetadata")) or self._usage
        if blocked(data) and not self._any:
            return [self._refuse(blocked(data))]
        pieces: list[Piece] = []
        for candidate in rows(data.get("candidates")):
            pieces += self._candidate(candidate)
            if self._over:
                break
        return pieces

    def _refuse(self, reason: str) -> Piece:
        self._over = True
        return Piece(fault=filtered(f"the provider refuses this ({reason[:40]})").fault, usage=self._usage)

    def _candidate(self, candidate: Json) -> list[Piece]:
        index = count(candidate.get("index"))
        pieces = []
        for part in rows(table(candidate.get("content")).get("parts")):
            pieces += self._part(part, index)
        reason = string(candidate.get("finishReason"))
        if not reason or index in self._finished_choices:
            return pieces
        try:
            finish = finish_of(reason, calls=index in self._calls)
        except CallError as error:
            self._over = True
            return [*pieces, Piece(fault=error.fault, usage=self._usage)]
        if finish == "content_filter" and not self._any:
            return [self._refuse(reason)]
        self._finished_choices.add(index)
        return [*pieces, self._make.finish(finish, index=index)]

    def _part(self, part: Json, index: int) -> list[Piece]:
        if isinstance(part.get("functionCall"), dict):
            place = self._calls.get(index, 0)
            self._calls[index] = place + 1
            self._any = True
            call = tool_call(part, self._make.ident, place)
            return [self._make.delta({"tool_calls": [{"index": place, **call}]}, index=index)]
        text = string(part.get("text"))
        if not text:
            return []
        self._any = True
        return [self._make.delta({"reasoning_content" if part.get("thought") else "content": text}, index=index)]

    def _finished(self) -> list[Piece]:
        if 0 not in self._finished_choices:
            return super()._finished()
        counted = [self._make.usage(self._usage)] if self._usage is not None else []
        return [*counted, end()]


def embeddings_reply(call: Call, body: bytes, model: str) -> Reply:
    """Embeddings in OpenAI's shape; packed when the client asked for base64. Raises `CallError` (BROKEN)."""
    data = decode_table(body)
    if data.get("error"):
        raise CallError(fault_in_stream(data))
    vectors = [row.get("values") for row in rows(data.get("embeddings"))]
    return embeddings(call, vectors, usage_of(data.get("usageMetadata")), model)


def embeddings(call: Call, vectors: list[Any], usage: Usage | None, model: str) -> Reply:
    """The shape of OpenAI's answer around vectors; each must be a list of finite numbers."""
    packs = call.body.get("encoding_format") == "base64"
    rows_made: list[Json] = []
    for index, vector in enumerate(vectors):
        if not isinstance(vector, list) or not vector or not all(_finite(value) for value in vector):
            raise CallError(broken("the provider's answer has an embedding that is no list of numbers"))
        held = b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode() if packs else vector
        rows_made.append({"object": "embedding", "index": index, "embedding": held})
    if not rows_made:
        raise CallError(broken("the provider's answer has no embeddings"))
    used = usage.input_tokens if usage is not None else 0
    counted = {"prompt_tokens": used, "total_tokens": used}
    return Reply(body={"object": "list", "data": rows_made, "model": model, "usage": counted}, usage=usage)


def _finite(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and abs(value) < 1e30
