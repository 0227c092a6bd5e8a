"""What the client of a stream gets, piece by piece, and what the cache may keep of it."""

from __future__ import annotations

from typing import Protocol

from mrblue_cli.gateway.answers import BrokenOff
from mrblue_cli.gateway.model import CallError, Fault, Json, Piece, Surface
from mrblue_cli.gateway.sse import DONE, frame
from mrblue_cli.gateway.surfaces import TRANSLATORS, chat
from mrblue_cli.gateway.surfaces.assemble import ASSEMBLERS, Assembler, ChatAssembler
from mrblue_cli.gateway.surfaces.base import StreamEncoder


class Writer(Protocol):
    """Turns pieces into the bytes of the client's stream."""

    resumable: bool
    """Whether a continuation by another provider would fit what was sent so far."""
    remarks: bool
    """Whether a comment may stand before the end."""

    def feed(self, piece: Piece) -> bytes:
        """Bytes for a piece, often none."""
        ...

    def resume(self) -> None:
        """What follows comes from another provider, in the middle of the same answer."""
        ...

    def finish(self) -> bytes:
        """The end of a complete answer."""
        ...

    def fail(self, fault: Fault) -> bytes:
        """The end of an answer that broke off."""
        ...

    def text(self) -> str:
        """The visible text sent so far."""
        ...

    def complete(self) -> Json | None:
        """The whole answer in the surface's plain shape, for the cache; None when it cannot be told."""
        ...

    def forget(self) -> None:
        """Nobody will ask for `complete`."""
        ...


_LONGEST_PREFILL = 200_000
"""Characters. What is longer fits no provider's context as a prefill, and is not held in memory for it."""


class _Said:
    """The visible text so far, as long as somebody could go on from it."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._room = _LONGEST_PREFILL

    def add(self, text: str) -> bool:
        """False: it is too long now, and forgotten."""
        self._room -= len(text)
        if self._room < 0:
            self._parts = []
            return False
        self._parts.append(text)
        return True

    def text(self) -> str:
        return "".join(self._parts)


class ChatWriter:
    """Chat completion chunks; a client that did not ask for usage does not get its chunk."""

    remarks = True

    def __init__(self, body: Json, *, kept: bool) -> None:
        """`kept`: somebody will ask for `complete`."""
        options = body.get("stream_options")
        self._usage_wanted = isinstance(options, dict) and options.get("include_usage") is True
        self._assembler = ChatAssembler() if kept else None
        self._said = _Said()
        self._identity: Json = {}
        self._resumed = False
        self.resumable = body.get("n") in (None, 1) and not body.get("logprobs") and "audio" not in body

    def feed(self, piece: Piece) -> bytes:
        data = piece.data
        if data is None:
            return b""  # comments and marks; the end mark is ours to send
        if self._assembler is not None:
            self._assembler.feed(data)
        if piece.text and self.resumable:
            self.resumable = self._said.add(piece.text)
        choices = data.get("choices")
        if not choices and "usage" in data and not self._usage_wanted:
            return b""
        if not self._identity:
            self._identity = {key: data[key] for key in ("id", "model", "created", "object") if key in data}
        if choices and _calls_tools(choices):
            self.resumable = False
        if self._resumed:
            return frame({**data, **self._identity, "choices": [_without_role(one) for one in choices or []]})
        return piece.raw or frame(data)

    def resume(self) -> None:
        self._resumed = True

    def finish(self) -> bytes:
        return DONE

    def fail(self, fault: Fault) -> bytes:
        return b"".join(chat.fail_chat(fault))

    def text(self) -> str:
        return self._said.text()

    def complete(self) -> Json | None:
        return None if self._assembler is None else self._assembler.complete()

    def forget(self) -> None:
        self._assembler = None


class TranslatedWriter:
    """Another surface, from chat chunks."""

    remarks = True

    def __init__(self, surface: Surface, body: Json, *, kept: bool) -> None:
        self._translator = TRANSLATORS[surface]
        self._encoder: StreamEncoder = self._translator.encoder(body)
        self._assembler = ChatAssembler() if kept else None
        self._said = _Said()
        self._body = body
        self.resumable = True

    def feed(self, piece: Piece) -> bytes:
        if piece.data is not None:
            if self._assembler is not None:
                self._assembler.feed(piece.data)
            if self.resumable and _calls_tools(piece.data.get("choices") or []):
                self.resumable = False
        if piece.text and self.resumable:
            self.resumable = self._said.add(piece.text)
        return b"".join(self._encoder.feed(piece))

    def resume(self) -> None:
        """The encoder keeps its own identity; nothing to change."""

    def finish(self) -> bytes:
        return b"".join(self._encoder.finish())

    def fail(self, fault: Fault) -> bytes:
        return b"".join(self._encoder.fail(fault))

    def text(self) -> str:
        return self._said.text()

    def complete(self) -> Json | None:
        whole = None if self._assembler is None else self._assembler.complete()
        try:
            return None if whole is None else self._translator.from_chat(whole, self._body)
        except CallError:
            return None

    def forget(self) -> None:
        self._assembler = None


class NativeWriter:
    """Events that pass as they come."""

    resumable = False
    remarks = False

    def __init__(self, surface: Surface, body: Json, *, kept: bool) -> None:
        self._surface = surface
        self._body = body
        self._ended = False
        self._assembler: Assembler | None = ASSEMBLERS[surface]() if kept else None

    def feed(self, piece: Piece) -> bytes:
        if piece.data is not None and self._assembler is not None:
            self._assembler.feed(piece.data)
        self._ended = self._ended or piece.end
        return piece.raw

    def resume(self) -> None:
        """Never asked: nobody can continue these."""

    def finish(self) -> bytes:
        # A provider may hang up after it said why it stopped; the client still waits for the end mark.
        return frame({"type": "message_stop"}, "message_stop") if not self._ended and self._is_messages else b""

    @property
    def _is_messages(self) -> bool:
        return self._surface is Surface.MESSAGES

    def fail(self, fault: Fault) -> bytes:
        return b"".join(TRANSLATORS[self._surface].encoder(self._body).fail(fault))

    def text(self) -> str:
        return ""

    def complete(self) -> Json | None:
        return None if self._assembler is None else self._assembler.complete()

    def forget(self) -> None:
        self._assembler = None


class BytesWriter:
    """Sound, and transcripts, as they come."""

    resumable = False
    remarks = False

    def __init__(self, content_type: str) -> None:
        self._events = "event-stream" in content_type

    def feed(self, piece: Piece) -> bytes:
        return piece.raw

    def resume(self) -> None:
        """Never asked: nobody can continue these."""

    def finish(self) -> bytes:
        return b""

    def fail(self, fault: Fault) -> bytes:
        if not self._events:
            raise BrokenOff
        return b"".join(chat.fail_chat(fault))

    def text(self) -> str:
        return ""

    def complete(self) -> Json | None:
        return None

    def forget(self) -> None:
        """Nothing was kept."""


def writer_for(surface: Surface, spoken: Surface, body: Json, *, content_type: str = "", kept: bool = True) -> Writer:
    """The writer for a client of `surface` when the provider speaks `spoken`; `kept`: the cache may want the whole."""
    if surface is Surface.CHAT:
        return ChatWriter(body, kept=kept)
    if surface in (Surface.SPEECH, Surface.TRANSCRIPTION):
        return BytesWriter(content_type)
    if spoken is surface:
        return NativeWriter(surface, body, kept=kept)
    return TranslatedWriter(surface, body, kept=kept)


def _calls_tools(choices: list[Json]) -> bool:
    return any(
        isinstance(choice, dict) and isinstance(delta := choice.get("delta"), dict) and delta.get("tool_calls")
        for choice in choices
    )


def _without_role(choice: Json) -> Json:
    delta = choice.get("delta")
    if not isinstance(delta, dict) or "role" not in delta:
        return choice
    return {**choice, "delta": {key: value for key, value in delta.items() if key != "role"}}
