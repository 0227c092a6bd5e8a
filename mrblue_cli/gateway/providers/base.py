"""What a provider is: two pure mappings, one for plain answers and one for streams, and a few traits.

An adapter is made once and holds no state of a call. `request` turns a call into HTTP; `reply` and `stream` turn what
comes back into the surface's shape; `fault` says in routing's terms what went wrong.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import msgspec

from mrblue_cli.gateway.model import Call, Fault, HttpRequest, Piece, Reply, Surface, Target


class Traits(msgspec.Struct, frozen=True, kw_only=True):
    """What routing must know of a provider."""

    native: frozenset[Surface] = frozenset({Surface.CHAT})
    """Surfaces whose bodies it takes and gives in OpenAI's (for MESSAGES: Anthropic's) own shape. An adapter whose wire
    format differs names CHAT here as well, since its `request` takes chat bodies; what it does inside is its own."""
    prefill: bool = False
    """Goes on from a last assistant message instead of answering it."""
    base_url: str = ""
    key_variable: str = ""
    """The environment variable that holds the key by custom, for example GROQ_API_KEY."""
    keyless: bool = False
    """Works without a key (Ollama, the scripted provider)."""


class StreamDecoder(Protocol):
    """Turns the bytes of one streamed answer into pieces."""

    def feed(self, data: bytes) -> list[Piece]:
        """Pieces that are complete now. Unreadable data is a piece with a fault (kind BROKEN), never an exception."""
        ...

    def close(self) -> list[Piece]:
        """The connection ended: the last pieces. Ending without the end marker is a piece with a BROKEN fault."""
        ...


class Provider(Protocol):
    """One provider's mappings. Third parties register theirs under the entry point group `mrblue.providers`."""

    kind: str
    traits: Traits

    def request(self, call: Call, target: Target) -> HttpRequest:
        """The call over HTTP. Raises `CallError` (UNSUPPORTED, BAD_REQUEST) when it cannot be expressed here."""
        ...

    def reply(self, call: Call, headers: Mapping[str, str], body: bytes) -> Reply:
        """A 2xx answer in the surface's shape. Raises `CallError` (BROKEN; CONTENT_FILTER when refused in a 200)."""
        ...

    def stream(self, call: Call) -> StreamDecoder:
        """A decoder for one streamed answer: chat chunks, or events as they are for another native surface."""
        ...

    def fault(self, status: int, headers: Mapping[str, str], body: bytes) -> Fault:
        """What a non-2xx answer means. Header names are lower case. Never raises."""
        ...
