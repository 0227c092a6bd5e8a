"""The parts of one streamed chat answer in order, for surfaces whose streams name where each part begins and ends.

Chat chunks may mix: text again after a tool call, two calls piece by piece in turns. Anthropic's stream has one open
block at a time. So parts stand in a queue; the first one flows, the others wait until it is known to be complete.
"""

from __future__ import annotations

from typing import Literal, Protocol

import msgspec

from mrblue_cli.gateway.model import Json, Piece
from mrblue_cli.gateway.surfaces.fields import rows, table, text
from mrblue_cli.gateway.surfaces.toolcalls import ToolCall, ToolCalls

Kind = Literal["text", "refusal", "reasoning", "call"]


class Segment:
    """One part of an answer."""

    __slots__ = ("annotations", "call", "kind", "logprobs", "opened", "seen", "sent", "waiting")

    def __init__(self, kind: Kind, call: ToolCall | None = None) -> None:
        self.kind = kind
        self.call = call
        self.opened = False
        self.waiting: list[str] = []
        """Text that has come and has not been sent."""
        self.sent: list[str] = []
        self.annotations: list[Json] = []
        self.logprobs: list[Json] = []
        """Of the text that has not been sent."""
        self.seen: list[Json] = []
        """Of the text that was sent."""

    @property
    def text(self) -> str:
        """All that was sent."""
        return "".join(self.sent)


class Renderer(Protocol):
    """Writes a surface's events for parts that come one after the other."""

    def start(self, chunk: Json) -> None:
        """The answer begins; `chunk` is the first with something in it."""

    def open(self, segment: Segment) -> None:
        """A part begins."""

    def delta(self, segment: Segment, piece: str) -> None:
        """More of the open part."""

    def close(self, segment: Segment) -> None:
        """The open part is complete."""


class Segmenter:
    """Feeds a renderer with the parts of the first choice."""

    def __init__(self, renderer: Renderer) -> None:
        self._renderer = renderer
        self._queue: list[Segment] = []
        self._calls = ToolCalls()
        self._by_slot: dict[int, Segment] = {}
        self.started = False
        self.finish = ""
        self.stop_sequence: str | None = None
        self.usage: Json | None = None
        self._ended = False

    @property
    def last(self) -> bool:
        """While a part is closed: whether it is the answer's last one."""
        return self._ended and not self._queue

    def feed(self, piece: Piece) -> None:
        """One piece of the stream; whatever is not a chunk with something in it is passed over."""
        chunk = piece.data
        if chunk is None:
            return
        if isinstance(usage := chunk.get("usage"), dict):
            self.usage = usage
        for row in rows(chunk.get("choices")):
            if row.get("index", 0) != 0:
                continue  # neither surface has a word for a second choice
            if not self.started:
                self.started = True
                self._renderer.start(chunk)
            self._take(table(row.get("delta")), table(row.get("logprobs")))
            if not self.finish:
                self.finish = text(row.get("finish_reason"))
                matched = row.get("stop_reason")
                self.stop_sequence = matched if isinstance(matched, str) else None
        self._flow()

    def end(self) -> None:
        """The answer is complete: everything that waited comes out."""
        if not self.started:
            self.started = True
            self._renderer.start({})
        self._ended = True
        self._queue = [segment for segment in self._queue if segment.call is None or segment.call.real]
        while self._queue:
            self._send(self._queue[0])
            self._close()

    def _take(self, delta: Json, logprobs: Json) -> None:
        if reasoning := text(delta.get("reasoning_content")) or text(delta.get("reasoning")):
            self._tail("reasoning").waiting.append(reasoning)
        if words := text(delta.get("content")):
            segment = self._tail("text")
            segment.waiting.append(words)
            segment.logprobs.extend(rows(logprobs.get("content")))
        if refusal := text(delta.get("refusal")):
            self._tail("refusal").waiting.append(refusal)
        if notes := rows(delta.get("annotations")):
            self._tail("text").annotations.extend(notes)
        for piece in rows(delta.get("tool_calls")):
            self._call(piece)
        if old := table(delta.get("function_call")):  # the form before tool calls: one call, never an id
            self._call({"index": 0, "function": old})

    def _call(self, piece: Json) -> None:
        call = self._calls.place(piece)
        new = call.add(piece)
        segment = self._by_slot.get(call.slot)
        if segment is None:
            segment = self._by_slot[call.slot] = Segment("call", call)
            self._queue.append(segment)
        if new:
            segment.waiting.append(new)

    def _tail(self, kind: Kind) -> Segment:
        if not self._queue or self._queue[-1].kind != kind:
            self._queue.append(Segment(kind))
        return self._queue[-1]

    def _flow(self) -> None:
        while self._queue:
            first = self._queue[0]
            if first.call is None or (first.call.name and (first.call.id or first.waiting)):
                self._send(first)
            if len(self._queue) == 1 or not _complete(first):
                return
            self._close()

    def _send(self, segment: Segment) -> None:
        if not segment.opened:
            segment.opened = True
            self._renderer.open(segment)
        if segment.waiting:
            new = "".join(segment.waiting)
            segment.waiting.clear()
            segment.sent.append(new)
            self._renderer.delta(segment, new)
            segment.seen.extend(segment.logprobs)
            segment.logprobs.clear()

    def _close(self) -> None:
        self._renderer.close(self._queue.pop(0))


def _complete(segment: Segment) -> bool:
    """Whether a part with another one behind it can grow no more."""
    if segment.call is None:
        return True
    if not segment.opened:
        return False
    try:
        return isinstance(msgspec.json.decode(segment.text), dict)
    except (msgspec.DecodeError, RecursionError):
        return False
