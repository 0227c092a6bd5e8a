"""The streamed response: from chat chunks, and from a complete response (OpenAI API reference, "Streaming events").

A stream of this kind has no `[DONE]`: `response.completed`, `response.incomplete` or `response.failed` ends it.
"""

from __future__ import annotations

from typing import Any

from mrblue_cli.gateway.model import Fault, FaultKind, Json, Piece
from mrblue_cli.gateway.sse import frame
from mrblue_cli.gateway.surfaces.chat import chat_usage, split_text
from mrblue_cli.gateway.surfaces.errors import openai_error, status_of
from mrblue_cli.gateway.surfaces.fields import rows, text
from mrblue_cli.gateway.surfaces.ids import OURS, seed
from mrblue_cli.gateway.surfaces.responses import (
    call_item,
    ended,
    frame_of,
    item_status,
    message_item,
    probabilities,
    reasoning_item,
    text_part,
)
from mrblue_cli.gateway.surfaces.segments import Segment, Segmenter

_CODES = {
    FaultKind.RATE_LIMITED: "rate_limit_exceeded",
    FaultKind.QUOTA: "rate_limit_exceeded",
    FaultKind.BAD_REQUEST: "invalid_prompt",
    FaultKind.CONTEXT_TOO_LONG: "invalid_prompt",
    FaultKind.CONTENT_FILTER: "invalid_prompt",
}
"""The few codes that a response's `error` may have; everything else is `server_error`."""


class _Events:
    """Numbers the events and keeps them until they are fetched."""

    def __init__(self) -> None:
        self._number = 0
        self._out: list[bytes] = []

    def add(self, kind: str, **fields: Any) -> None:
        self._out.append(frame({"type": kind, **fields, "sequence_number": self._number}, kind))
        self._number += 1

    def drain(self) -> list[bytes]:
        out, self._out = self._out, []
        return out


class ResponsesEncoder:
    """Chat chunks in, events of a response out. Ends once: after `finish` or `fail` nothing more comes."""

    def __init__(self, body: Json) -> None:
        self._body = body
        self._events = _Events()
        self._parts = Segmenter(self)
        self._response: Json = {}
        self._seed = "0"
        self._output: list[Json] = []
        self._item_id = ""
        self._content: list[Json] | None = None
        """Parts of the message that is open; None when none is."""
        self._over = False

    def feed(self, piece: Piece) -> list[bytes]:
        """The events for one piece."""
        if self._over:
            return []
        self._parts.feed(piece)
        return self._events.drain()

    def finish(self) -> list[bytes]:
        """The last items, then the whole response."""
        if self._over:
            return []
        self._over = True
        self._parts.end()
        self._end_message(item_status(self._parts.finish))
        usage = chat_usage({"usage": self._parts.usage})
        response = ended(self._response, self._parts.finish, self._output, usage)
        self._events.add(f"response.{response['status']}", response=response)
        return self._events.drain()

    def fail(self, fault: Fault) -> list[bytes]:
        """`response.failed` for clients that follow the response, and `error` for those that only know errors.

        The `error` event has its fields at both places where clients look: the stock SDK raises on an `error` object.
        """
        if self._over:
            return []
        self._over = True
        details = openai_error(fault, status_of(fault))["error"]
        if self._response:
            error = {"code": _CODES.get(fault.kind, "server_error"), "message": fault.message}
            self._events.add(
                "response.failed",
                response=self._response | {"status": "failed", "error": error, "output": self._output},
            )
        plain = {key: details[key] for key in ("code", "message", "param")}
        self._events.add("error", **plain, error=details)
        return self._events.drain()

    # What the segmenter calls

    def start(self, chunk: Json) -> None:
        """The response exists."""
        self._seed = seed(chunk.get("id"))
        self._response = frame_of(chunk, self._body)
        self._events.add("response.created", response=self._response)
        self._events.add("response.in_progress", response=self._response)

    def open(self, segment: Segment) -> None:
        """An item begins, or another part of the message that is open."""
        if segment.kind in {"text", "refusal"}:
            if self._content is None:
                self._content = []
                self._begin(message_item(self._new_id("msg"), [], "in_progress"))
            part = text_part("") if segment.kind == "text" else {"type": "refusal", "refusal": ""}
            self._events.add("response.content_part.added", **self._place(), part=part)
            return
        self._end_message()
        if segment.call is not None:
            call_id = segment.call.call_id(self._seed)
            self._begin(call_item(self._new_id("fc"), call_id, segment.call.name, "", "in_progress"))
        else:
            self._begin({"id": self._new_id("rs"), "type": "reasoning", "summary": []})
            part = {"type": "summary_text", "text": ""}
            self._events.add("response.reasoning_summary_part.added", **self._place(), part=part)

    def delta(self, segment: Segment, piece: str) -> None:
        """More of the part."""
        place = self._place()
        if segment.kind == "text":
            chances = probabilities(segment.logprobs)
            self._events.add("response.output_text.delta", **place, delta=piece, logprobs=chances)
        elif segment.kind == "refusal":
            self._events.add("response.refusal.delta", **place, delta=piece)
        elif segment.kind == "call":
            self._events.add("response.function_call_arguments.delta", **place, delta=piece)
        else:
            self._events.add("response.reasoning_summary_text.delta", **place, delta=piece)

    def close(self, segment: Segment) -> None:
        """The part is complete."""
        whole, place = segment.text, self._place()
        if segment.kind in {"text", "refusal"}:
            part = {"type": "refusal", "refusal": whole}
            if segment.kind == "text":
                part = text_part(whole, segment.seen, segment.annotations)
                _end_text(self._events, place, part)
            else:
                self._events.add("response.refusal.done", **place, refusal=whole)
            self._events.add("response.content_part.done", **place, part=part)
            if self._content is not None:
                self._content.append(part)
        elif segment.call is not None:
            call = segment.call
            status = item_status(self._parts.finish) if self._parts.last else "completed"
            self._events.add("response.function_call_arguments.done", **place, name=call.name, arguments=whole)
            self._end(call_item(self._item_id, call.call_id(self._seed), call.name, whole, status))
        else:
            _end_thought(self._events, place, whole)
            self._end(reasoning_item(self._item_id, whole))

    def _new_id(self, prefix: str) -> str:
        self._item_id = f"{prefix}_{OURS}{self._seed}_{len(self._output)}"
        return self._item_id

    def _place(self) -> Json:
        place: Json = {"item_id": self._item_id, "output_index": len(self._output)}
        if self._content is not None:
            place["content_index"] = len(self._content)
        elif self._item_id.startswith("rs_"):
            place["summary_index"] = 0
        return place

    def _begin(self, item: Json) -> None:
        self._events.add("response.output_item.added", output_index=len(self._output), item=item)

    def _end(self, item: Json) -> None:
        self._events.add("response.output_item.done", output_index=len(self._output), item=item)
        self._output.append(item)

    def _end_message(self, status: str = "completed") -> None:
        if self._content is not None:
            content, self._content = self._content, None
            self._end(message_item(self._item_id, content, status))


def _end_text(events: _Events, place: Json, part: Json) -> None:
    for index, note in enumerate(part["annotations"]):
        events.add("response.output_text.annotation.added", **place, annotation_index=index, annotation=note)
    events.add("response.output_text.done", **place, text=part["text"], logprobs=part.get("logprobs") or [])


def _end_thought(events: _Events, place: Json, thought: str) -> None:
    part = {"type": "summary_text", "text": thought}
    events.add("response.reasoning_summary_text.done", **place, text=thought)
    events.add("response.reasoning_summary_part.done", **place, part=part)


# A complete response

_EMPTY: dict[str, Json] = {
    "message": {"content": []},
    "reasoning": {"summary": []},
    "function_call": {"arguments": ""},
    "custom_tool_call": {"input": ""},
}
"""What items lack when they begin."""


def replay_response(response: Json) -> list[bytes]:
    """The events of a complete response; items without known deltas come whole."""
    events = _Events()
    begun = response | {"status": "in_progress", "output": [], "usage": None, "incomplete_details": None}
    begun.pop("completed_at", None)
    events.add("response.created", response=begun)
    events.add("response.in_progress", response=begun)
    for index, item in enumerate(rows(response.get("output"))):
        _replay_item(events, index, item)
    status = text(response.get("status"))
    events.add(f"response.{status if status in {'incomplete', 'failed'} else 'completed'}", response=response)
    return events.drain()


def _replay_item(events: _Events, index: int, item: Json) -> None:
    kind, place = text(item.get("type")), {"item_id": text(item.get("id")), "output_index": index}
    empty = item | _EMPTY.get(kind, {})
    if kind in _EMPTY and "status" in item:
        empty["status"] = "in_progress"
    events.add("response.output_item.added", output_index=index, item=empty)
    if kind == "message":
        for number, part in enumerate(rows(item.get("content"))):
            _replay_part(events, place | {"content_index": number}, part)
    elif kind == "reasoning":
        for number, part in enumerate(rows(item.get("summary"))):
            at, words = place | {"summary_index": number}, text(part.get("text"))
            events.add("response.reasoning_summary_part.added", **at, part=part | {"text": ""})
            for piece in split_text(words):
                events.add("response.reasoning_summary_text.delta", **at, delta=piece)
            _end_thought(events, at, words)
    elif kind == "function_call":
        words = text(item.get("arguments"))
        for piece in split_text(words):
            events.add("response.function_call_arguments.delta", **place, delta=piece)
        name = text(item.get("name"))
        events.add("response.function_call_arguments.done", **place, name=name, arguments=words)
    elif kind == "custom_tool_call":
        words = text(item.get("input"))
        for piece in split_text(words):
            events.add("response.custom_tool_call_input.delta", **place, delta=piece)
        events.add("response.custom_tool_call_input.done", **place, input=words)
    events.add("response.output_item.done", output_index=index, item=item)


def _replay_part(events: _Events, at: Json, part: Json) -> None:
    if part.get("type") == "output_text":
        empty = part | {"text": "", "annotations": []} | ({"logprobs": []} if "logprobs" in part else {})
        events.add("response.content_part.added", **at, part=empty)
        chances = rows(part.get("logprobs"))
        pieces = [text(part.get("text"))] if chances else split_text(text(part.get("text")))
        for piece in pieces:
            events.add("response.output_text.delta", **at, delta=piece, logprobs=chances)
        whole = {"text": text(part.get("text")), "annotations": rows(part.get("annotations")), "logprobs": chances}
        _end_text(events, at, whole)
    else:
        events.add("response.content_part.added", **at, part=part | {"refusal": ""})
        for piece in split_text(text(part.get("refusal"))):
            events.add("response.refusal.delta", **at, delta=piece)
        events.add("response.refusal.done", **at, refusal=text(part.get("refusal")))
    events.add("response.content_part.done", **at, part=part)
