"""What the cache keeps and hands out. Frozen values; msgpack-ready, because they travel through Redis."""

from __future__ import annotations

from typing import Literal

import msgspec

from mrblue_cli.gateway.model import Surface, Usage

Kind = Literal["hit-exact", "hit-semantic", "miss", "bypass"]


class CachedAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """One complete answer, as it can be given again."""

    body: bytes
    """The complete plain answer in the surface's shape (JSON); audio bytes for speech."""
    content_type: str
    frames: tuple[bytes, ...] = ()
    """The server-sent events as sent to the client; empty when the answer was plain."""
    provider: str
    model: str
    usage: Usage | None = None
    cost_nano: int | None = None
    """What it cost, in billionths of a US dollar; None: no price known."""
    stored_at: float
    """Unix seconds."""

    @property
    def size(self) -> int:
        """Bytes it holds in memory, near enough for a bound."""
        return len(self.body) + sum(map(len, self.frames)) + 48 * len(self.frames) + 512


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """A question whose answer is kept: what the semantic tier compares with."""

    key: str
    """The exact key under which the answer lies; 64 hex digits."""
    partition: str
    """What must be equal before two questions may be compared; 64 hex digits."""
    text: str
    vector: bytes
    """The embedding as little-endian float32, of length 1."""
    stored_at: float
    """Unix seconds, as in the answer."""


class Verify(msgspec.Struct, frozen=True, kw_only=True):
    """A hit that was withheld so that the fresh answer can be compared with it (see `bound`)."""

    key: str
    similarity: float


class Ticket(msgspec.Struct, frozen=True, kw_only=True):
    """What `store` needs to know of the lookup before it. Opaque to the pipeline."""

    surface: Surface
    key: str
    partition: str = ""
    """Empty: the answer joins the exact tier only."""
    question: str = ""
    vector: bytes = b""
    """The question's embedding, when the lookup had to make it."""
    verify: Verify | None = None


class Lookup(msgspec.Struct, frozen=True, kw_only=True):
    """What the cache says to a request, and why."""

    kind: Kind
    reason: str
    """Stable words fit for a header: lower case letters, digits, dots and hyphens."""
    answer: CachedAnswer | None = None
    ticket: Ticket | None = None
    """Hand it to `store` with the fresh answer; None: nothing is to be stored."""
    similarity: float | None = None
    """Of the nearest question, when one was compared."""

    @property
    def header(self) -> str:
        """The value of `x-mrblue-cache`."""
        return f"{self.kind};reason={self.reason}"
