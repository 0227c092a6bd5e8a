"""Anthropic's streamed message, from chat chunks or a complete message (Anthropic docs, "Streaming messages")."""

from __future__ import annotations

import msgspec

from mrblue_cli.gateway.model import Fault, Json, Piece
from mrblue_cli.gateway.sse import frame
from mrblue_cli.gateway.surfaces.chat import chat_usage, split_text
from mrblue_cli.gateway.surfaces.errors import anthropic_error, status_of
from mrblue_cli.gateway.surfaces.fields import rows, table, text
from mrblue_cli.gateway.surfaces.ids import seed
from mrblue_cli.gateway.surfaces.messages import head, stop_reason, write_usage
from mrblue_cli.gateway.surfaces.segments import Segment, Segmenter


def _event(kind: str, **fields: object) -> bytes:
    return frame({"type": kind, **fields}, kind)


class MessagesEncoder:
    """Chat chunks in, Anthropic's events out. Ends once: after `finish` or `fail` nothing more comes."""

    def __init__(self, body: Json) -> None:
        self._body = body
        self._out: list[bytes] = []
        self._parts = Segmenter(self)
        self._seed = "0"
        self._index = -1
        self._calls = self._refused = False
        self._over = False

    def feed(self, piece: Piece) -> list[bytes]:
        """The events for one piece."""
        if self._over:
            return []
        self._parts.feed(piece)
        return self._drain()

    def finish(self) -> list[bytes]:
        """The last blocks, then why it stopped, what it used, and the end."""
        if self._over:
            return []
        self._parts.end()
        self._over = True
        matched = self._parts.stop_sequence
        delta: Json = {"stop_reason": "", "stop_sequence": None}
        if self._parts.finish == "stop" and matched and matched in (self._body.get("stop_sequences") or []):
            delta |= {"stop_reason": "stop_sequence", "stop_sequence": matched}
        else:
            delta["stop_reason"] = stop_reason(self._parts.finish, calls=self._calls, refused=self._refused)
        usage = write_usage(chat_usage({"usage": self._parts.usage}))
        self._out.append(_event("message_delta", delta=delta, usage=usage))
        self._out.append(_event("message_stop"))
        return self._drain()

    def fail(self, fault: Fault) -> list[bytes]:
        """An error event, and no `message_stop`."""
        if self._over:
            return []
        self._over = True
        return [frame(anthropic_error(fault, status_of(fault)), "error")]

    def _drain(self) -> list[bytes]:
        out, self._out = self._out, []
        return out

    # What the segmenter calls

    def start(self, chunk: Json) -> None:
        """`message_start`; usage is not known yet and comes with the end."""
        self._seed = seed(chunk.get("id"))
        self._out.append(_event("message_start", message=head(chunk, self._body)))

    def open(self, segment: Segment) -> None:
        """A block begins."""
        self._index += 1
        block: Json
        if segment.call is not None:
            self._calls = True
            call = segment.call
            block = {"type": "tool_use", "id": call.call_id(self._seed), "name": call.name, "input": {}}
        elif segment.kind == "reasoning":
            block = {"type": "thinking", "thinking": "", "signature": ""}
        else:
            self._refused = self._refused or segment.kind == "refusal"
            block = {"type": "text", "text": ""}
        self._out.append(_event("content_block_start", index=self._index, content_block=block))

    def delta(self, segment: Segment, piece: str) -> None:
        """More of the block."""
        if segment.call is not None:
            delta = {"type": "input_json_delta", "partial_json": piece}
        elif segment.kind == "reasoning":
            delta = {"type": "thinking_delta", "thinking": piece}
        else:
            delta = {"type": "text_delta", "text": piece}
        self._out.append(_event("content_block_delta", index=self._index, delta=delta))

    def close(self, segment: Segment) -> None:  # noqa: ARG002 - the block that is open is the one to close
        """The block ends."""
        self._out.append(_event("content_block_stop", index=self._index))


def replay_message(message: Json) -> list[bytes]:
    """The events of a complete message; blocks without deltas (results of server tools) come whole."""
    usage = table(message.get("usage"))
    last = ("stop_reason", "stop_sequence", "stop_details", "container")
    begin = message | {"content": [], "stop_reason": None, "stop_sequence": None, "usage": usage | {"output_tokens": 0}}
    if "stop_details" in message:
        begin["stop_details"] = None
    frames = [_event("message_start", message=begin)]
    for index, block in enumerate(rows(message.get("content"))):
        empty, deltas = _pieces(block)
        frames.append(_event("content_block_start", index=index, content_block=empty))
        frames.extend(_event("content_block_delta", index=index, delta=delta) for delta in deltas)
        frames.append(_event("content_block_stop", index=index))
    delta = {key: message[key] for key in last if key in message}
    cumulative = {key: value for key, value in usage.items() if key.endswith("_tokens") or key in _CUMULATIVE}
    frames.append(_event("message_delta", delta=delta, usage={"output_tokens": 0} | cumulative))
    return [*frames, _event("message_stop")]


_CUMULATIVE = frozenset({"output_tokens_details", "server_tool_use"})


def _pieces(block: Json) -> tuple[Json, list[Json]]:
    """A block as it begins, and the deltas that make it whole."""
    kind = text(block.get("type"))
    if kind == "text":
        begin = block | {"text": ""} | ({"citations": []} if block.get("citations") else {})
        deltas: list[Json] = [{"type": "text_delta", "text": piece} for piece in split_text(text(block.get("text")))]
        cited = rows(block.get("citations"))
        return begin, deltas + [{"type": "citations_delta", "citation": citation} for citation in cited]
    if kind == "thinking":
        thought = [piece for piece in split_text(text(block.get("thinking"))) if piece]
        signed = {"type": "signature_delta", "signature": text(block.get("signature"))}
        deltas = [{"type": "thinking_delta", "thinking": piece} for piece in thought]
        return block | {"thinking": "", "signature": ""}, [*deltas, signed]
    if kind in {"tool_use", "server_tool_use"}:
        raw = msgspec.json.encode(table(block.get("input"))).decode()
        return block | {"input": {}}, [{"type": "input_json_delta", "partial_json": piece} for piece in split_text(raw)]
    return block, []
