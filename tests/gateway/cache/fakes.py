"""What the cache's tests stand on: a clock to set, an embedder that counts words, guards that look for a word."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np

from mrblue_cli.gateway.cache.service import CachedAnswer
from mrblue_cli.gateway.model import Usage

START = 1_800_000_000.0


class FakeClock:
    """Monotonic seconds and Unix seconds; both move only when told."""

    def __init__(self) -> None:
        self.time = START

    def now(self) -> float:
        return self.time

    def wall(self) -> float:
        return self.time


class WordEmbedder:
    """A direction per word (by hash), added up: shared words make texts similar. Counts what it is asked."""

    name = "words"

    def __init__(self, dimensions: int = 256) -> None:
        self.dimensions = dimensions
        self.texts: list[str] = []
        self.broken = False
        self.error: Exception = RuntimeError("out of order")
        self.learns = dimensions
        """Its dimensions, once it was used, when it was made with 0."""
        self.gate: asyncio.Event | None = None

    async def embed(self, texts: Sequence[str]) -> np.ndarray[Any, np.dtype[np.float32]]:
        self.texts.extend(texts)
        if self.gate is not None:
            await self.gate.wait()
        if self.broken:
            raise self.error
        self.dimensions = self.dimensions or self.learns
        return np.stack([embedding(text, self.dimensions) for text in texts])


def embedding(text: str, dimensions: int = 256) -> np.ndarray[Any, np.dtype[np.float32]]:
    vector = np.zeros(dimensions)
    for word in text.lower().split():
        vector += np.random.default_rng(zlib.crc32(word.strip("?.!,").encode())).normal(size=dimensions)
    length = np.linalg.norm(vector)
    return (vector / length if length else np.eye(1, dimensions)[0]).astype(np.float32)


class FakeVerdict(msgspec.Struct, frozen=True):
    allow: bool
    reason: str
    score: float


def judge(query: str, cached: str, similarity: float, threshold: float) -> FakeVerdict:
    """A guard that knows one trap."""
    if ("not" in query.split()) != ("not" in cached.split()):
        return FakeVerdict(allow=False, reason="negation", score=0.0)
    allow = similarity >= threshold
    return FakeVerdict(allow=allow, reason="same meaning" if allow else "not sure enough", score=similarity)


class FakeChoice(msgspec.Struct, frozen=True):
    place: int | None
    verdict: FakeVerdict


def choose(query: str, candidates: Sequence[tuple[str, float]], threshold: float) -> FakeChoice:
    """The first that the guard lets pass."""
    verdicts = [judge(query, text, similarity, threshold) for text, similarity in candidates]
    for place, verdict in enumerate(verdicts):
        if verdict.allow:
            return FakeChoice(place, verdict)
    return FakeChoice(None, verdicts[0])


def chat(text: str, **more: Any) -> dict[str, Any]:
    return {"model": "gpt-4o", "messages": [{"role": "user", "content": text}], **more}


def answer(text: str = "Paris.", *, at: float = START, frames: tuple[bytes, ...] = ()) -> CachedAnswer:
    body = {"id": "chatcmpl-1", "choices": [{"message": {"role": "assistant", "content": text}}]}
    return CachedAnswer(
        body=msgspec.json.encode(body),
        content_type="application/json",
        frames=frames,
        provider="scripted",
        model="gpt-4o",
        usage=Usage(input_tokens=3, output_tokens=2),
        cost_nano=1200,
        stored_at=at,
    )
