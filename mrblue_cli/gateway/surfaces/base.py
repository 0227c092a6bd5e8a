"""What a surface is: how one family of client endpoints turns into chat completions and back.

Only RESPONSES and MESSAGES need a translator. When the chosen provider speaks the surface natively the body
passes as it is, and the translator only reads along (`native`), for usage, first token and end.
"""

from __future__ import annotations

from typing import Protocol

from mrblue_cli.gateway.model import Fault, Json, Piece, Reply, Surface
from mrblue_cli.gateway.providers.base import StreamDecoder


class StreamEncoder(Protocol):
    """Turns the chat chunks of one answer into the surface's events."""

    def feed(self, piece: Piece) -> list[bytes]:
        """Server-sent events, as bytes, for a piece of a chat stream."""
        ...

    def finish(self) -> list[bytes]:
        """The events after the last piece of a complete answer."""
        ...

    def fail(self, fault: Fault) -> list[bytes]:
        """The events that end a broken answer so that no client takes it for a complete one."""
        ...


class Translator(Protocol):
    """One surface in terms of chat completions."""

    surface: Surface

    def to_chat(self, body: Json) -> Json:
        """The chat request. Raises `CallError`: BAD_REQUEST when malformed, UNSUPPORTED for what chat cannot say."""
        ...

    def to_native(self, body: Json) -> Json:
        """The body for a provider that speaks the surface: without what only we made up in earlier answers.

        Raises `CallError` (BAD_REQUEST) when it goes on from an answer of ours that no provider has stored.
        """
        ...

    def from_chat(self, reply: Json, body: Json) -> Json:
        """The surface's answer from a chat completion; `body` is the surface's request."""
        ...

    def encoder(self, body: Json) -> StreamEncoder:
        """A stream in the surface's shape from chat chunks."""
        ...

    def native_stream(self) -> StreamDecoder:
        """Reads a stream in the surface's own shape: pieces carry `raw`, text, token, usage, fault and end."""
        ...

    def native_reply(self, body: bytes) -> Reply:
        """Reads a complete answer in the surface's own shape. Raises `CallError` (BROKEN)."""
        ...

    def replay(self, reply: Json) -> list[bytes]:
        """The events that stream a complete answer (for the cache), end included."""
        ...

    def error(self, fault: Fault, status: int) -> Json:
        """The surface's error body."""
        ...
