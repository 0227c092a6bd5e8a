"""What the client of a stream gets, piece by piece, and what the cache may keep of it."""

from __future__ import annotations

from typing import Protocol

from mrblue_cli.gateway.model import CallError, Fault, Json, Piece, Surface
from mrblue_cli.gateway.sse import DONE, frame
from mrblue_cli.gateway.surfaces import TRANSLATORS, chat
from mrblue_cli.gateway.surfaces.assemble import ASSEMBLERS, Assembler, ChatAssembler
from mrblue_cli.gateway.surfaces.base import StreamEncoder


class Writer(Protocol):
    """Turns pieces into the bytes of the client's stream."""

    resumable: bool
    """Whether a continuation by another provider would fit what was sent so far."""

    def feed(self, piece: Piece) -> bytes:
        """Bytes for a piece, often none."""
        ...

    def resume(self) -> None:
        """What follows comes from another provider, in the middle of the same answer."""
        ...

    def finish(self, note: str) -> bytes:
        """The end of a complete answer; `note` is a remark for whoever reads the raw stream."""
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


class ChatWriter:
    """Chat completion chunks; a client that did not ask for usage does not get its chunk."""

    def __init__(self, body: Json) -> None:
        options = body.get("stream_options")
        self._usage_wanted = isinstance(options, dict) and options.get("include_usage") is True
        self._assembler = ChatAssembler()
        self._texts: list[str] = []
        self._identity: Json = {}
        self._resumed = False
        self.resumable = body.get("n") in (None, 1) and not body.get("logprobs") and "audio" not in body

    def feed(self, piece: Piece) -> bytes:
        data = piece.data
        if data is None:
            return b""  # comments and marks; the end mark is ours to send
        self._assembler.feed(data)
        if piece.text:
            self._texts.append(piece.text)
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

    def finish(self, note: str) -> bytes:
        return b": %s\n\n%s" % (note.encode(), DONE) if note else DONE

    def fail(self, fault: Fault) -> bytes:
        return b"".join(chat.fail_chat(fault))

    def text(self) -> str:
        return "".join(self._texts)

    def complete(self) -> Json | None:
        return self._assembler.complete()


class TranslatedWriter:
    """Another surface, from chat chunks."""

    def __init__(self, surface: Surface, body: Json) -> None:
        self._translator = TRANSLATORS[surface]
        self._encoder: StreamEncoder = self._translator.encoder(body)
        self._assembler = ChatAssembler()
        self._texts: list[str] = []
        self._body = body
        self.resumable = True

    def feed(self, piece: Piece) -> bytes:
        if piece.data is not None:
            self._assembler.feed(piece.data)
            if _calls_tools(piece.data.get("choices") or []):
                self.resumable = False
        if piece.text:
            self._texts.append(piece.text)
        return b"".join(self._encoder.feed(piece))

    def resume(self) -> None:
        """The encoder keeps its own identity; nothing to change."""

    def finish(self, note: str) -> bytes:
        # The surface's last event is its end mark, so a remark after it could be taken for more; it goes before.
        end = b"".join(self._encoder.finish())
        return b": %s\n\n%s" % (note.encode(), end) if note else end

    def fail(self, fault: Fault) -> bytes:
        return b"".join(self._encoder.fail(fault))

    def text(self) -> str:
        return "".join(self._texts)

    def complete(self) -> Json | None:
        whole = self._assembler.complete()
        try:
            return None if whole is None else self._translator.from_chat(whole, self._body)
        except CallError:
            return None


class NativeWriter:
    """Events that pass as they come."""

    resumable = False

    def __init__(self, surface: Surface, body: Json) -> None:
        self._surface = surface
        self._body = body
        self._texts: list[str] = []
        self._assembler: Assembler = ASSEMBLERS[surface]()

    def feed(self, piece: Piece) -> bytes:
        if piece.text:
            self._texts.append(piece.text)
        if piece.data is not None:
            self._assembler.feed(piece.data)
        return piece.raw

    def resume(self) -> None:
        """Never asked: nobody can continue these."""

    def finish(self, note: str) -> bytes:  # noqa: ARG002 - the end has passed already
        return b""

    def fail(self, fault: Fault) -> bytes:
        return b"".join(TRANSLATORS[self._surface].encoder(self._body).fail(fault))

    def text(self) -> str:
        return "".join(self._texts)

    def complete(self) -> Json | None:
        return self._assembler.complete()


def writer_for(surface: Surface, spoken: Surface, body: Json) -> Writer:
    """The writer for a client of `surface` when the provider speaks `spoken`."""
    if surface is Surface.CHAT:
        return ChatWriter(body)
    return NativeWriter(surface, body) if spoken is surface else TranslatedWriter(surface, body)


def _calls_tools(choices: list[Json]) -> bool:
    return any((choice.get("delta") or {}).get("tool_calls") for choice in choices)


def _without_role(choice: Json) -> Json:
    delta = choice.get("delta")
    if not isinstance(delta, dict) or "role" not in delta:
        return choice
    return {**choice, "delta": {key: value for key, value in delta.items() if key != "role"}}
