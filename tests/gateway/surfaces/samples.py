"""Chat answers, strategies that make them, ways to cut them into streams, and a door that plays frames to clients."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import msgspec
from hypothesis import settings
from hypothesis import strategies as st

from mrblue_cli.gateway.model import CallError, FaultKind, Json, Piece
from mrblue_cli.gateway.sse import SseParser

USAGE: Json = {
    "prompt_tokens": 100,
    "completion_tokens": 20,
    "total_tokens": 120,
    "prompt_tokens_details": {"cached_tokens": 60, "cache_write_tokens": 10},
    "completion_tokens_details": {"reasoning_tokens": 5},
}


def tool_call(call_id: str = "call_1", name: str = "weather", arguments: str = '{"city":"Paris"}') -> Json:
    return {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}


def completion(
    content: str | None = "Hello there.", *, finish: str = "stop", usage: Json | None = None, **more: Any
) -> Json:
    """A chat completion; `more` are fields of the message."""
    message = {"role": "assistant", "content": content, "refusal": None, **more}
    return {
        "id": "chatcmpl-Abc123",
        "object": "chat.completion",
        "created": 1_700_000_000,
        "model": "gpt-test",
        "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": finish}],
        "usage": USAGE if usage is None else usage,
    }


def chunk(delta: Json | None = None, *, finish: str | None = None, index: int = 0, **more: Any) -> Piece:
    """A piece with one chat chunk."""
    row = {"index": index, "delta": {} if delta is None else delta, "finish_reason": finish, "logprobs": None}
    return Piece(data={**HEAD, "choices": [row], **more})


HEAD: Json = {
    "id": "chatcmpl-Abc123",
    "object": "chat.completion.chunk",
    "created": 1_700_000_000,
    "model": "gpt-test",
}
USED = Piece(data={**HEAD, "choices": [], "usage": USAGE})


def call_piece(index: int | None, *, call_id: str | None = None, name: str | None = None, arguments: str = "") -> Piece:
    """A piece with a part of one tool call."""
    function: Json = {"arguments": arguments}
    if name is not None:
        function["name"] = name
    call: Json = {"function": function}
    if index is not None:
        call["index"] = index
    if call_id is not None:
        call |= {"id": call_id, "type": "function"}
    return chunk({"tool_calls": [call]})


def run(encoder: Any, *pieces: Piece, end: bool = True) -> list[Json]:
    """The events that an encoder makes of pieces."""
    frames = [frame for piece in pieces for frame in encoder.feed(piece)]
    if end:
        frames += encoder.finish()
    return events(frames)


def events(frames: list[bytes]) -> list[Json]:
    """The JSON of frames; each must be one event whose name, if it has one, is its type."""
    found = []
    for frame in frames:
        parser = SseParser()
        (event,) = parser.feed(frame)
        assert not parser.pending
        if event.data == b"[DONE]":
            continue
        data = msgspec.json.decode(event.data)
        assert event.name in {"", data.get("type")}
        found.append(data)
    return found


def kinds(found: list[Json]) -> list[str]:
    return [event["type"] for event in found]


def raises(kind: FaultKind, param: str | None):
    """A check for `pytest.raises(CallError, check=...)`."""

    def check(error: BaseException) -> bool:
        assert isinstance(error, CallError)
        assert (error.fault.kind, error.fault.param) == (kind, param)
        assert error.fault.message.endswith(".")
        return True

    return check


# Strategies

few = settings(max_examples=40)
"""For nonsense, of which many kinds are tried in many places."""

words = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
some_words = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30)
names = st.text("abcdefgh_", min_size=1, max_size=8)
scalars = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | words
anything = st.recursive(
    scalars | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=5,
)
arguments = st.dictionaries(
    names, st.recursive(scalars, lambda inner: st.lists(inner, max_size=3), max_leaves=5), max_size=3
)


@st.composite
def completions(draw: st.DrawFn) -> Json:
    """Chat completions with reasoning, text or refusal, and tool calls, in every combination."""
    more: Json = {}
    if draw(st.booleans()):
        more["reasoning_content"] = draw(some_words)
    content = draw(st.none() | some_words)
    if draw(st.booleans()):
        more["refusal"] = draw(some_words)
    calls = [
        tool_call(f"call_{number}", draw(names), msgspec.json.encode(draw(arguments)).decode())
        for number in range(draw(st.integers(0, 3)))
    ]
    if calls:
        more["tool_calls"] = calls
    finish = draw(st.sampled_from(["stop", "length", "tool_calls", "content_filter"]))
    cached = draw(st.integers(0, 50))
    usage = {
        "prompt_tokens": draw(st.integers(100, 200)),
        "completion_tokens": draw(st.integers(0, 200)),
        "prompt_tokens_details": {"cached_tokens": cached, "cache_write_tokens": draw(st.integers(0, 50))},
        "completion_tokens_details": {"reasoning_tokens": draw(st.integers(0, 5))},
    }
    usage["total_tokens"] = usage["prompt_tokens"] + usage["completion_tokens"]
    return completion(content, finish=finish, usage=usage, **more)


def cuts(draw: st.DrawFn, whole: str) -> list[str]:
    """`whole` in pieces, some of them perhaps empty."""
    points = sorted(draw(st.lists(st.integers(0, len(whole)), max_size=4)))
    return [whole[start:stop] for start, stop in zip([0, *points], [*points, len(whole)], strict=True)]


@st.composite
def streams(draw: st.DrawFn, reply: Json, *, mixed: bool = False) -> list[Piece]:
    """One of the chunk streams that a completion may arrive as; `mixed`: pieces of parallel calls take turns."""
    choice = reply["choices"][0]
    message = choice["message"]
    pieces = [chunk({"role": "assistant", "content": ""})]
    for key in ("reasoning_content", "content", "refusal"):
        pieces += [chunk({"role": "assistant", key: piece}) for piece in cuts(draw, message.get(key) or "")]
    queues = []
    for index, call in enumerate(message.get("tool_calls") or []):
        function = call["function"]
        first, *rest = cuts(draw, function["arguments"])
        head = call_piece(index, call_id=call["id"], name=function["name"], arguments=first)
        queues.append([head, *(call_piece(index, arguments=piece) for piece in rest)])
    if mixed:
        heads = [queue.pop(0) for queue in queues]
        order = draw(st.permutations([number for number, queue in enumerate(queues) for _ in queue]))
        pieces += heads + [queues[number].pop(0) for number in order]
    else:
        pieces += [piece for queue in queues for piece in queue]
    pieces.append(chunk({}, finish=choice["finish_reason"]))
    for _ in range(draw(st.integers(0, 2))):  # the odd things that providers send
        odd = draw(
            st.sampled_from([Piece(), chunk(None), Piece(data={**HEAD, "choices": []}), Piece(data={"choices": None})])
        )
        pieces.insert(draw(st.integers(0, len(pieces))), odd)
    if draw(st.booleans()):
        pieces.append(chunk({}, finish="stop"))  # a second finish
    pieces.append(Piece(data={**HEAD, "choices": [], "usage": reply["usage"]}))
    return pieces


# The door


@contextmanager
def door(frames: list[bytes] | bytes, *, status: int = 200, content_type: str = "text/event-stream") -> Iterator[str]:
    """A server on loopback that answers every POST with these frames; yields its base URL."""
    payload = frames if isinstance(frames, bytes) else b"".join(frames)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(status)
            self.send_header("content-type", content_type)
            self.send_header("content-length", str(len(payload)))
            self.end_headers()
            self.wfile.write(payload)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
