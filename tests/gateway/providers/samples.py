"""The samples under tests/data/providers, and what the tests of all adapters share."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from mrblue_cli.gateway.model import Call, Json, Part, Piece, Surface, Target
from mrblue_cli.gateway.providers.base import Provider, StreamDecoder
from mrblue_cli.gateway.providers.registry import provider

FOLDER = Path(__file__).parents[2] / "data" / "providers"
KEY = "sk-test-3F9aQ77zLkP0vWxYb2Nm"
KINDS = [
    "openai",
    "azure",
    "anthropic",
    "gemini",
    "cohere",
    "ai21",
    "groq",
    "mistral",
    "together",
    "openrouter",
    "deepseek",
    "xai",
    "ollama",
    "fireworks",
    "cerebras",
    "perplexity",
    "lmstudio",
    "vllm",
    "openai-compatible",
    "scripted",
]
FAMILIES = [
    "openai",
    "azure",
    "anthropic",
    "gemini",
    "cohere",
    "ai21",
    "groq",
    "mistral",
    "deepseek",
    "xai",
    "ollama",
    "openai-compatible",
    "scripted",
]
"""Kinds whose code or data differ enough to be worth random tests of their own."""
MODELS = {"anthropic": "claude-sonnet-4-5", "gemini": "gemini-2.5-flash", "cohere": "command-a-03-2025"}


class Sample(msgspec.Struct, frozen=True):
    """One file and what is expected of it."""

    kind: str
    name: str
    data: bytes
    want: dict[str, Any]

    def __repr__(self) -> str:
        return f"{self.kind}-{self.name}"


def samples(ending: str) -> list[Sample]:
    """All samples whose names end so."""
    found = []
    for kind in sorted(path.name for path in FOLDER.iterdir() if path.is_dir()):
        expected = json.loads((FOLDER / kind / "expected.json").read_text("utf-8"))
        found += [
            Sample(kind, name, (FOLDER / kind / name).read_bytes(), want)
            for name, want in expected.items()
            if name.endswith(ending)
        ]
    return found


def target(kind: str, **more: Any) -> Target:
    """A target of this kind, with a key to look for."""
    url = {"azure": "https://res.openai.azure.com", "openai-compatible": "http://127.0.0.1:9/v1"}.get(kind, "")
    base = {"provider": kind, "model": MODELS.get(kind, "some-model"), "url": url, "api_key": KEY}
    return Target(**{**base, **more})


def chat(messages: Any = None, *, stream: bool = False, prefill: str = "", **more: Any) -> Call:
    """A chat call."""
    asked = messages if messages is not None else [{"role": "user", "content": "Which port is taken?"}]
    return Call(surface=Surface.CHAT, body={"model": "m", "messages": asked, **more}, stream=stream, prefill=prefill)


def calls_of(adapter: Provider) -> list[Call]:
    """One call for each surface that an adapter speaks, apart from those that surfaces read."""
    bodies: dict[Surface, Json] = {
        Surface.EMBEDDINGS: {"model": "m", "input": ["one", "two"]},
        Surface.TRANSCRIPTION: {"model": "m", "language": "de"},
        Surface.SPEECH: {"model": "m", "input": "Hello.", "voice": "alloy"},
    }
    part = Part(name="file", data=b"RIFF....", filename="a.wav", content_type="audio/wav")
    return [
        chat(),
        *(
            Call(surface=surface, body=body, parts=(part,) if surface is Surface.TRANSCRIPTION else ())
            for surface, body in bodies.items()
            if surface in adapter.traits.native
        ),
    ]


def sent(kind: str, call: Call, **more: Any) -> Json:
    """The body that an adapter makes of a call."""
    made: Json = msgspec.json.decode(provider(kind).request(call, target(kind, **more)).body)
    return made


def read(decoder: StreamDecoder, blocks: Iterable[bytes]) -> list[Piece]:
    """All pieces of a stream that comes in these blocks."""
    pieces: list[Piece] = []
    for block in blocks:
        pieces += decoder.feed(block)
    return pieces + decoder.close()


class Heard(msgspec.Struct):
    """A stream put together again, as a client would."""

    text: str = ""
    reasoning: str = ""
    finish: str = ""
    usage: dict[str, Any] | None = None
    fault: str = ""
    ends: int = 0
    tools: list[list[str]] = msgspec.field(default_factory=list)


def heard(pieces: list[Piece]) -> Heard:
    """What the pieces say; fails when they contradict themselves."""
    made = Heard()
    for piece in pieces:
        assert not made.ends, "a piece after the end"
        assert not made.fault, "a piece after a fault"
        made.text += piece.text
        if piece.finish:
            assert not made.finish, "two finish reasons"
            made.finish = piece.finish
        if piece.usage is not None:
            made.usage = msgspec.to_builtins(piece.usage)
        if piece.fault is not None:
            made.fault = piece.fault.kind.value
        made.ends += piece.end
        for choice in (piece.data or {}).get("choices", []):
            if choice.get("index", 0) == 0:
                _delta(made, choice.get("delta") or {}, piece)
    return made


def _delta(made: Heard, delta: Json, piece: Piece) -> None:
    thought = delta.get("reasoning_content") or delta.get("reasoning") or ""
    made.reasoning += thought
    if thought or delta.get("content") or delta.get("tool_calls") or delta.get("refusal"):
        assert piece.token, f"a token that does not count as one: {delta}"
    for call in delta.get("tool_calls") or []:
        if call["index"] == len(made.tools):
            made.tools.append([call["function"]["name"], ""])
            assert call["id"], "a tool call without an id"
        made.tools[call["index"]][1] += call["function"].get("arguments", "")
