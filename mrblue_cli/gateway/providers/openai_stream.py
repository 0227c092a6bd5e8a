"""Reads streams in OpenAI's shapes: chat completion chunks, transcription events, speech as bytes or events.

Each chunk is parsed once; its bytes are kept so that they can be passed on as they came.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from mrblue_cli.gateway.model import CallError, Json, Piece, Usage
from mrblue_cli.gateway.providers.faults import fault_in_stream
from mrblue_cli.gateway.providers.openai_reply import chat_usage, finish_of, media_usage
from mrblue_cli.gateway.providers.wire import broken, string
from mrblue_cli.gateway.sse import Event, EventTooLong, SseParser

_decode = msgspec.json.Decoder().decode


class EventStream:
    """The frame of every decoder of server-sent events: subclasses give `_event` and `_finished`.

    After a fault or the end nothing more comes out, so the pieces do not depend on how the bytes were split.
    """

    def __init__(self) -> None:
        self._parser = SseParser()
        self._over = False

    def feed(self, data: bytes) -> list[Piece]:
        """The pieces that are complete now."""
        if self._over:
            return []
        try:
            events = self._parser.feed(data)
        except EventTooLong:
            return [self._fail("the provider sent an event without an end")]
        return self._pieces(events)

    def close(self) -> list[Piece]:
        """The last pieces; a fault when the end marker has not come."""
        if self._over:
            return []
        pieces: list[Piece] = []
        if self._parser.pending:  # some servers leave out the blank line after their last event
            pieces = self._pieces(self._parser.feed(b"\n\n"))
        if not self._over:
            pieces += self._finished()
            self._over = True
        return pieces

    def _pieces(self, events: list[Event]) -> list[Piece]:
        pieces: list[Piece] = []
        for event in events:
            pieces += self._event(event)
            if self._over:
                break
        return pieces

    def _fail(self, message: str) -> Piece:
        self._over = True
        return Piece(fault=broken(message))

    def _report(self, value: Any) -> Piece:
        """An error that came as an event."""
        self._over = True
        return Piece(fault=fault_in_stream(value))

    def _read(self, event: Event) -> Json | None:
        """The event's JSON object, None when it is none."""
        try:
            value = _decode(event.data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None
        return value if isinstance(value, dict) else None

    def _event(self, event: Event) -> list[Piece]:
        raise NotImplementedError

    def _finished(self) -> list[Piece]:
        return [self._fail("the provider's stream ended without its end marker")]


Amend = Callable[[Json], bool]
"""Brings a chunk into OpenAI's shape in place; True when it changed something."""


class ChatStream(EventStream):
    """Chat completion chunks. `amend` mends a provider's differences; `lax_end`: a finish reason is end enough."""

    def __init__(self, amend: Amend | None = None, *, lax_end: bool = False) -> None:
        super().__init__()
        self._amend = amend
        self._lax_end = lax_end
        self._stopped = False

    def _event(self, event: Event) -> list[Piece]:
        if event.data.strip() == b"[DONE]":
            self._over = True
            return [Piece(raw=event.raw, end=True)]
        data = self._read(event)
        if data is None:
            return [self._fail("the provider sent a chunk that is not JSON")]
        if event.name == "error" or data.get("error"):
            return [self._report(data)]
        return [self._chunk(data, event.raw)]

    def _chunk(self, data: Json, raw: bytes) -> Piece:
        if self._amend is not None and self._amend(data):
            raw = b""
        piece = Piece(data=data, raw=raw)
        choices = data.get("choices")
        if isinstance(choices, list):
            for choice in choices:
                if isinstance(choice, dict):
                    self._choice(choice, piece)
        usage = data.get("usage")
        if usage is not None:
            piece.usage = chat_usage(usage)
        return piece

    def _choice(self, choice: Json, piece: Piece) -> None:
        delta = choice.get("delta")
        first = not choice.get("index")
        if isinstance(delta, dict):
            content = delta.get("content")
            if content:
                piece.token = True
                if first and isinstance(content, str):
                    piece.text += content
            elif any(delta.get(name) for name in _TOKENS):
                piece.token = True
        reason = choice.get("finish_reason")
        if reason:
            self._finish(choice, reason, first, piece)

    def _finish(self, choice: Json, reason: Any, first: bool, piece: Piece) -> None:
        try:
            said = finish_of(reason)
        except CallError as error:
            self._over = True
            piece.fault, piece.raw, piece.data = error.fault, b"", None
            return
        if said != reason:
            choice["finish_reason"] = said
            piece.raw = b""
        if first:
            piece.finish = said
            self._stopped = True

    def _finished(self) -> list[Piece]:
        if self._lax_end and self._stopped:
            return [Piece(raw=b"data: [DONE]\n\n", end=True)]
        return super()._finished()


_TOKENS = ("tool_calls", "reasoning_content", "reasoning", "refusal", "audio", "function_call", "reasoning_details")


class MediaStream(EventStream):
    """Events of audio endpoints: `<what>.delta` and one `<what>.done`, which is the end."""

    def __init__(self, what: str) -> None:
        super().__init__()
        self._what = what

    def _event(self, event: Event) -> list[Piece]:
        if event.data.strip() == b"[DONE]":
            self._over = True
            return [Piece(raw=event.raw, end=True)]
        data = self._read(event)
        if data is None:
            return [self._fail("the provider sent an event that is not JSON")]
        kind = data.get("type")
        if data.get("error") or kind == "error":
            return [self._report(data)]
        piece = Piece(data=data, raw=event.raw)
        if kind == f"{self._what}.delta":
            piece.text = string(data.get("delta"))
            piece.token = bool(piece.text or data.get("audio"))
        elif kind == f"{self._what}.done":
            piece.usage = media_usage(data.get("usage"))
            piece.finish, piece.end, self._over = "stop", True, True
        return [piece]


class BytesStream:
    """Audio as bytes: each read is a piece; where it ends only HTTP's framing can tell."""

    def __init__(self, usage: Usage | None = None) -> None:
        self._usage = usage
        self._over = False
        self._any = False

    def feed(self, data: bytes) -> list[Piece]:
        """One piece for what came."""
        if self._over or not data:
            return []
        self._any = True
        return [Piece(raw=data, token=True)]

    def close(self) -> list[Piece]:
        """The end, or a fault when there was no sound at all."""
        if self._over:
            return []
        self._over = True
        if not self._any:
            return [Piece(fault=broken("the provider sent no sound"))]
        return [Piece(finish="stop", usage=self._usage, end=True)]
