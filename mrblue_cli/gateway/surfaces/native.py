"""Reading along a stream that passes in its own shape: tokens, usage, faults, proper end; `raw` is kept as it came."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from mrblue_cli.gateway.model import Json, Piece
from mrblue_cli.gateway.sse import Event, EventTooLong, SseParser
from mrblue_cli.gateway.surfaces.errors import anthropic_fault, broken, openai_fault
from mrblue_cli.gateway.surfaces.fields import table, text
from mrblue_cli.gateway.surfaces.messages import finish_reason, read_usage
from mrblue_cli.gateway.surfaces.responses import read_usage as read_responses_usage
from mrblue_cli.gateway.surfaces.responses import response_fault, response_finish

_decode = msgspec.json.Decoder().decode


class EventReader:
    """Bytes of server-sent events to pieces; `read` fills in what an event means."""

    def __init__(self, read: Callable[[Json, Piece], None], end: str) -> None:
        self._read = read
        self._end = end
        self._parser = SseParser()
        self._over = False

    def feed(self, data: bytes) -> list[Piece]:
        """The pieces of the events that are complete now; after a fault or the end nothing more comes."""
        if self._over:
            return []
        try:
            events = self._parser.feed(data)
        except EventTooLong:
            self._over = True
            return [Piece(fault=broken("The provider sent an event without an end."))]
        pieces = []
        for event in events:
            piece = self._piece(event)
            pieces.append(piece)
            if piece.fault is not None or piece.end:
                self._over = True
                break
        return pieces

    def close(self) -> list[Piece]:
        """The connection ended."""
        if self._over:
            return []
        self._over = True
        return [Piece(fault=broken(f"The provider's stream ended without {self._end}."))]

    def _piece(self, event: Event) -> Piece:
        piece = Piece(raw=event.raw)
        if event.data == b"[DONE]":  # not part of either surface, but compatible servers add it; the end says more
            return piece
        try:
            data = _decode(event.data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            data = None
        if not isinstance(data, dict):
            return Piece(fault=broken("The provider sent an event that is not JSON."))
        piece.data = data
        self._read(data, piece)
        return piece


def messages_reader() -> EventReader:
    """For Anthropic's stream; proper end: `message_stop`."""
    usage: Json = {}

    def read(data: Json, piece: Piece) -> None:
        kind = text(data.get("type"))
        if kind == "content_block_delta":
            delta = table(data.get("delta"))
            piece.text = text(delta.get("text"))
            piece.token = bool(piece.text or text(delta.get("thinking")) or text(delta.get("partial_json")))
        elif kind == "content_block_start":
            block = table(data.get("content_block"))
            inner_kind = text(block.get("type"))
            piece.text = text(block.get("text")) if inner_kind == "text" else ""
            # Of a call the name alone is a token; a text or a thought begins empty.
            piece.token = bool(piece.text) or inner_kind not in {"text", "thinking", ""}
        elif kind in {"message_start", "message_delta"}:
            inner = table(data.get("message")) if kind == "message_start" else data
            if isinstance(new := inner.get("usage"), dict):
                usage.update((key, value) for key, value in new.items() if value is not None)
                piece.usage = read_usage(usage)
            piece.finish = finish_reason(text(table(data.get("delta")).get("stop_reason")))
        elif kind == "message_stop":
            piece.end = True
        elif kind == "error":
            piece.fault = anthropic_fault(data)

    return EventReader(read, "message_stop")


_TEXT = frozenset({"response.output_text.delta", "response.refusal.delta"})


def responses_reader() -> EventReader:
    """For OpenAI's stream; proper end: `response.completed` or `response.incomplete`."""

    def read(data: Json, piece: Piece) -> None:
        kind = text(data.get("type"))
        if kind.endswith(".delta"):
            delta = text(data.get("delta"))
            piece.token = bool(delta)
            piece.text = delta if kind in _TEXT else ""
        elif kind == "response.output_item.added":
            # A call of whatever kind is a token; a message or a thought begins empty.
            piece.token = text(table(data.get("item")).get("type")) not in {"message", "reasoning", ""}
        elif kind in {"response.completed", "response.incomplete"}:
            response = table(data.get("response"))
            piece.usage = read_responses_usage(response)
            piece.finish = response_finish(response)
            piece.end = True
        elif kind == "response.failed":
            response = table(data.get("response"))
            piece.usage = read_responses_usage(response)
            piece.fault = response_fault(response)
        elif kind == "error":
            piece.fault = openai_fault(table(data.get("error")) or data)

    return EventReader(read, "response.completed")
