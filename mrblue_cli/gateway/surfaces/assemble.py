"""Complete answers from streams, for the cache and for accounting: what the client would have had without streaming."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from typing import Any, Protocol

import msgspec

from mrblue_cli.gateway.model import Json, Surface
from mrblue_cli.gateway.surfaces.fields import rows, table, text
from mrblue_cli.gateway.surfaces.toolcalls import ToolCalls


class Assembler(Protocol):
    """Collects the JSON of one stream."""

    def feed(self, data: Json) -> None:
        """One chunk or event. Never raises: what cannot be read is left out."""
        ...

    def complete(self) -> Json | None:
        """The complete answer in the surface's shape; None when nothing came that could be one."""
        ...


class ChatAssembler:
    """A chat completion from its chunks: all choices, tool calls, refusal, reasoning, log probabilities, audio."""

    def __init__(self) -> None:
        self._head: Json = {}
        self._choices: dict[int, _Choice] = {}
        self._usage: Json | None = None

    def feed(self, data: Json) -> None:
        """One chunk, usage-only chunks included."""
        head = self._head
        for key, value in data.items():
            # The first real value counts: Azure's first chunk has an empty id and model, others null fingerprints.
            if key not in {"choices", "usage", "object", "obfuscation"} and value and not head.get(key):
                head[key] = value
        if isinstance(usage := data.get("usage"), dict):
            self._usage = usage
        for row in rows(data.get("choices")):
            index = row.get("index", 0)
            if isinstance(index, int):
                self._choices.setdefault(index, _Choice()).feed(row)

    @property
    def finish(self) -> str:
        """The finish reason of the first choice, empty as long as there is none."""
        first = self._choices.get(0)
        return first.finish if first else ""

    def complete(self) -> Json | None:
        """The chat completion; None when no chunk had a choice."""
        if not self._choices:
            return None
        head = dict(self._head)
        answer: Json = {
            "id": text(head.pop("id", "")),
            "object": "chat.completion",
            "created": head.pop("created", 0),
            "model": text(head.pop("model", "")),
            **head,
        }
        seed = answer["id"].removeprefix("chatcmpl-")
        answer["choices"] = [self._choices[index].json(index, seed) for index in sorted(self._choices)]
        if self._usage is not None:
            answer["usage"] = self._usage
        return answer


class _Choice:
    def __init__(self) -> None:
        self.finish = ""
        self._texts: dict[str, list[str]] = {}
        self._other: Json = {}
        self._calls = ToolCalls()
        self._function: dict[str, str] = {}
        self._logprobs: dict[str, list[Any]] = {}
        self._extra: Json = {}
        self._audio: Json = {}
        self._sound: list[bytes] = []

    def feed(self, row: Json) -> None:
        self.finish = self.finish or text(row.get("finish_reason"))
        for key, value in table(row.get("logprobs")).items():
            if isinstance(value, list):
                self._logprobs.setdefault(key, []).extend(value)
        for key, value in row.items():
            if key not in {"index", "delta", "finish_reason", "logprobs"} and value is not None:
                self._extra[key] = value
        for key, value in table(row.get("delta")).items():
            if value is None or key == "role":
                continue
            if key == "tool_calls":
                for piece in rows(value):
                    self._calls.place(piece).add(piece)
            elif key == "function_call":
                for name in ("name", "arguments"):
                    self._function[name] = self._function.get(name, "") + text(table(value).get(name))
            elif key == "audio":
                self._hear(table(value))
            elif isinstance(value, str):
                self._texts.setdefault(key, []).append(value)
            elif key in {"content", "refusal"}:
                continue  # text in any other form is the adapter's to put right
            elif isinstance(value, list):
                known = self._other.setdefault(key, [])
                if isinstance(known, list):
                    known.extend(value)
            else:
                self._other[key] = value

    def _hear(self, audio: Json) -> None:
        for key, value in audio.items():
            if key == "transcript":
                self._audio[key] = self._audio.get(key, "") + text(value)
            elif key != "data":
                self._audio[key] = value
        if data := text(audio.get("data")):
            try:
                self._sound.append(base64.b64decode(data, validate=True))
            except (binascii.Error, ValueError):
                return  # a torn piece of sound is left out; the rest still plays

    def json(self, index: int, seed: str) -> Json:
        message: Json = {"role": "assistant", "content": None, "refusal": None}
        message |= {key: list(value) if isinstance(value, list) else value for key, value in self._other.items()}
        message |= {key: joined for key, parts in self._texts.items() if (joined := "".join(parts)) or key == "content"}
        calls = [call.json(seed) for call in self._calls.all if call.real]
        if calls:
            message["tool_calls"] = calls
        if calls or message["refusal"]:
            # A piece of empty text beside these is how many providers say that there is no text.
            message["content"] = message["content"] or None
        if self._function:
            message["function_call"] = self._function
        if self._audio or self._sound:
            audio: Json = {"id": "", "expires_at": 0, "transcript": "", **self._audio}
            message["audio"] = audio | {"data": base64.b64encode(b"".join(self._sound)).decode()}
        finish = self.finish or ("tool_calls" if calls else "stop")
        return {
            "index": index,
            "message": message,
            "logprobs": dict(self._logprobs) or None,
            "finish_reason": finish,
            **self._extra,
        }


class MessagesAssembler:
    """Anthropic's Message from its events."""

    def __init__(self) -> None:
        self._message: Json | None = None
        self._blocks: dict[int, Json] = {}
        self._parts: dict[int, dict[str, list[str]]] = {}

    def feed(self, data: Json) -> None:
        """One event."""
        kind, index = data.get("type"), data.get("index")
        if kind == "message_start":
            self._message = dict(table(data.get("message")))
        elif kind == "message_delta" and self._message is not None:
            self._message |= table(data.get("delta"))
            known = table(self._message.get("usage"))
            new = {key: value for key, value in table(data.get("usage")).items() if value is not None}
            self._message["usage"] = known | new
        elif isinstance(index, int):
            if kind == "content_block_start":
                self._blocks[index] = dict(table(data.get("content_block")))
            elif kind == "content_block_delta" and index in self._blocks:
                self._delta(index, table(data.get("delta")))

    def _delta(self, index: int, delta: Json) -> None:
        if delta.get("type") == "citations_delta":
            block = self._blocks[index]
            block["citations"] = [*(block.get("citations") or []), delta.get("citation")]
            return
        for key, value in delta.items():
            if key != "type" and isinstance(value, str):
                self._parts.setdefault(index, {}).setdefault(key, []).append(value)

    def complete(self) -> Json | None:
        """The message; None when the stream had no `message_start`."""
        if self._message is None:
            return None
        return self._message | {"content": [self._block(index) for index in sorted(self._blocks)]}

    def _block(self, index: int) -> Json:
        block = dict(self._blocks[index])
        for key, parts in self._parts.get(index, {}).items():
            joined = "".join(parts)
            if key == "partial_json":
                try:
                    block["input"] = msgspec.json.decode(joined) if joined.strip() else block.get("input", {})
                except (msgspec.DecodeError, RecursionError):  # cut by max_tokens: what came does not make an input
                    block["input"] = {}
            elif key == "signature":
                block[key] = joined
            else:
                block[key] = text(block.get(key)) + joined
        return block


class ResponsesAssembler:
    """OpenAI's Response: the last event carries it whole."""

    def __init__(self) -> None:
        self._response: Json | None = None

    def feed(self, data: Json) -> None:
        """One event."""
        if text(data.get("type")) in {"response.completed", "response.incomplete", "response.failed"}:
            self._response = table(data.get("response")) or None

    def complete(self) -> Json | None:
        """The response; None when the stream did not end."""
        return self._response


ASSEMBLERS: dict[Surface, Callable[[], Assembler]] = {
    Surface.CHAT: ChatAssembler,
    Surface.MESSAGES: MessagesAssembler,
    Surface.RESPONSES: ResponsesAssembler,
}
