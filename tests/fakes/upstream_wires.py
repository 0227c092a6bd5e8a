"""How the providers' streams and answers look on the wire: text in, bytes out. No faults here."""

from __future__ import annotations

import json
from typing import NamedTuple

from tests.fakes.upstream import Asked, Said

MODEL = "upstream-model-2026"


def tokens(count: int) -> list[str]:
    """The tokens of the answer: every one different, with its space in front, as tokenisers have it."""
    return [f" w{n}" if n else "w0" for n in range(count)]


def text(count: int) -> str:
    """The whole answer of so many tokens."""
    return "".join(tokens(count))


FINISHES = {"stop": "end_turn", "length": "max_tokens", "content_filter": "refusal"}
"""Chat's finish reasons in Anthropic's words."""


class Wire(NamedTuple):
    """A stream in its parts; the tail holds finish, usage and end marker."""

    head: bytes
    tokens: list[bytes]
    tail: list[bytes]


def event(data, name: str = "") -> bytes:
    """One server-sent event."""
    said = data if isinstance(data, str) else json.dumps(data)
    return (f"event: {name}\n" if name else "").encode() + f"data: {said}\n\n".encode()


def prefill(asked: Asked) -> str:
    """What the request wants continued, empty when it wants an answer."""
    messages = asked.json.get("messages") or [{}]
    if messages[-1].get("role") != "assistant":
        return ""
    content = messages[-1]["content"]
    return content if isinstance(content, str) else "".join(part["text"] for part in content)


class Chat:
    """OpenAI's chat completions."""

    content_type = "text/event-stream"

    def usage(self, usage: Said):
        """The usage table."""
        return {
            "prompt_tokens": usage.input,
            "completion_tokens": usage.output,
            "total_tokens": usage.input + usage.output,
            "prompt_tokens_details": {"cached_tokens": usage.cached},
        }

    def plain(self, said: str, usage: Said, finish: str) -> bytes:
        """A whole answer."""
        message = {"role": "assistant", "content": said, "refusal": None}
        return json.dumps({
            "id": "chatcmpl-up", "object": "chat.completion", "created": 1_700_000_000, "model": MODEL,
            "choices": [{"index": 0, "message": message, "finish_reason": finish, "logprobs": None}],
            "usage": self.usage(usage),
        }).encode()  # fmt: skip

    def stream(self, words: list[str], usage: Said, finish: str, asked: Asked) -> Wire:
        """A stream; usage only for those who ask, as OpenAI has it."""

        def chunk(choices, **more):
            base = {"id": "chatcmpl-up", "object": "chat.completion.chunk", "created": 1_700_000_000, "model": MODEL}
            return event({**base, "choices": choices, **more})

        def choice(delta, stopped=None):
            return chunk([{"index": 0, "delta": delta, "finish_reason": stopped}])

        tail = [choice({}, finish)]
        if tells_usage(asked):
            tail.append(chunk([], usage=self.usage(usage)))
        return Wire(
            choice({"role": "assistant", "content": ""}),
            [choice({"content": word}) for word in words],
            [*tail, event("[DONE]")],
        )

    def error(self, status: int, kind: str, code: str | None, message: str) -> bytes:
        """An error body."""
        return json.dumps({"error": {"message": message, "type": kind, "param": None, "code": code}}).encode()


class Messages:
    """Anthropic's messages."""

    def usage(self, usage: Said):
        """Anthropic counts cached input beside, not inside, the input."""
        return {
            "input_tokens": usage.input - usage.cached,
            "cache_read_input_tokens": usage.cached,
            "cache_creation_input_tokens": 0,
            "output_tokens": usage.output,
        }

    def plain(self, said: str, usage: Said, finish: str) -> bytes:
        """A whole answer."""
        return json.dumps({
            "id": "msg_up", "type": "message", "role": "assistant", "model": MODEL, "stop_sequence": None,
            "content": [{"type": "text", "text": said}], "stop_reason": FINISHES[finish],
            "usage": self.usage(usage),
        }).encode()  # fmt: skip

    def stream(self, words: list[str], usage: Said, finish: str, asked: Asked) -> Wire:
        """A stream: input is reported at its head, output at its tail."""
        message = {
            "id": "msg_up", "type": "message", "role": "assistant", "model": MODEL, "content": [],
            "stop_reason": None, "stop_sequence": None, "usage": self.usage(usage._replace(output=1)),
        }  # fmt: skip
        block = {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
        ending = {
            "type": "message_delta",
            "delta": {"stop_reason": FINISHES[finish], "stop_sequence": None},
            "usage": {"output_tokens": usage.output},
        }
        said = [
            {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": word}} for word in words
        ]
        closing = [{"type": "content_block_stop", "index": 0}, ending, {"type": "message_stop"}]

        def named(data):
            return event(data, data["type"])

        return Wire(
            named({"type": "message_start", "message": message}) + named(block) + named({"type": "ping"}),
            [named(data) for data in said],
            [named(data) for data in closing],
        )

    def error(self, status: int, kind: str, code: str | None, message: str) -> bytes:
        """An error body."""
        names = {429: "rate_limit_error", 500: "api_error", 503: "api_error", 529: "overloaded_error"}
        return json.dumps({
            "type": "error",
            "error": {"type": names.get(status, "invalid_request_error"), "message": message},
        }).encode()  # fmt: skip


def wire_of(asked: Asked) -> Chat | Messages:
    """The shape that this endpoint speaks."""
    return Messages() if asked.path.endswith("/messages") else Chat()


def tells_usage(asked: Asked) -> bool:
    """Whether a stream says what it used: Anthropic's always, OpenAI's when asked to."""
    return asked.path.endswith("/messages") or bool((asked.json.get("stream_options") or {}).get("include_usage"))
