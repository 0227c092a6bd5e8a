"""The vocabulary of the gateway: surfaces, usage, faults, calls and the pieces of a stream.

Bodies travel as plain JSON tables in the wire's own shape. Chat completions are the common tongue: what a client asks
in another shape is turned into it (`surfaces`), what a provider speaks otherwise is turned from it (`providers`),
unless both ends speak the same shape and the body can pass as it is.
"""

from __future__ import annotations

import enum
from typing import Any

import msgspec

Json = dict[str, Any]

NANO = 1_000_000_000
"""Money is counted in whole billionths of a US dollar, so that sums are exact."""


class Surface(enum.StrEnum):
    """What a client asks for; one per family of endpoints."""

    CHAT = "chat"
    RESPONSES = "responses"
    MESSAGES = "messages"
    EMBEDDINGS = "embeddings"
    TRANSCRIPTION = "transcription"
    SPEECH = "speech"
    REALTIME = "realtime"


class Usage(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a call used. Every part is inside its whole: cached and audio inside input, reasoning inside output."""

    input_tokens: int = 0
    output_tokens: int = 0
    cached_input_tokens: int = 0
    """Read from the provider's own prompt cache."""
    cache_write_tokens: int = 0
    """Written to the provider's prompt cache (Anthropic bills these above the normal price)."""
    audio_input_tokens: int = 0
    cached_audio_input_tokens: int = 0
    image_input_tokens: int = 0
    audio_output_tokens: int = 0
    reasoning_tokens: int = 0
    seconds: float = 0.0
    """Length of audio, where a model is billed by time."""
    characters: int = 0
    """Length of text to speak, where a model is billed by characters."""
    estimated: bool = False
    """Counted by us, because the provider did not say."""


class FaultKind(enum.StrEnum):
    """Why a call failed, as far as routing is concerned."""

    CONNECT = "connect"
    """No connection, or reset before an answer: the provider did no work that we know of."""
    RATE_LIMITED = "rate_limited"
    QUOTA = "quota"
    """The provider account has no money or quota left: a key's fault, not the request's."""
    OVERLOADED = "overloaded"
    """503, 529: too busy."""
    SERVER = "server"
    """Another 5xx."""
    TIMEOUT = "timeout"
    """A deadline of ours passed, or 408/504 from the provider."""
    BROKEN = "broken"
    """The answer was cut, malformed, or ended without its end marker."""
    AUTH = "auth"
    """401/403: our key is wrong there."""
    NOT_FOUND = "not_found"
    """The provider does not have this model or endpoint (any more)."""
    BAD_REQUEST = "bad_request"
    """A fault of the request itself: no other provider would do better."""
    CONTEXT_TOO_LONG = "context_too_long"
    CONTENT_FILTER = "content_filter"
    """The provider refuses the content. Never routed around."""
    UNSUPPORTED = "unsupported"
    """This provider cannot express the request (found before sending); another one may."""


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """One failure, in words that may be shown: never a key, a header or an internal address."""

    kind: FaultKind
    message: str
    status: int | None = None
    """HTTP status of the provider, None when there was no answer."""
    type: str = ""
    code: str | None = None
    param: str | None = None
    retry_after: float | None = None
    """Seconds the provider asked us to wait."""


class CallError(Exception):
    """A fault on its way through code that cannot return it."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.message)
        self.fault = fault


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """One part of a multipart form (transcription)."""

    name: str
    data: bytes
    filename: str | None = None
    content_type: str | None = None


class Call(msgspec.Struct, kw_only=True):
    """What is asked of a provider, in one of the shapes it speaks."""

    surface: Surface
    body: Json
    """The request's JSON (for transcription: the form's plain fields). Adapters must not change it in place."""
    stream: bool = False
    parts: tuple[Part, ...] = ()
    prefill: str = ""
    """Text of a broken answer to go on from; only handed to providers whose `Traits.prefill` is true."""


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """Where one attempt goes: a model of a provider, with one of its keys."""

    provider: str
    """The provider's name in the configuration."""
    model: str
    """The model's name at the provider."""
    url: str
    """Base URL without a trailing slash (`https://api.openai.com/v1`), or the full endpoint when `endpoint` is set."""
    endpoint: bool = False
    """True: `url` is the whole address, nothing is appended."""
    api_key: str = ""
    max_tokens: int | None = None
    """Filled in when the request names none, and an upper bound when it does."""
    temperature: float | None = None
    """Filled in when the request names none."""
    headers: tuple[tuple[str, str], ...] = ()
    options: tuple[tuple[str, str], ...] = ()
    """Provider-specific settings, for example ("api_version", "2025-04-01-preview") for Azure."""

    def __repr__(self) -> str:
        """Without the key."""
        return f"Target({self.provider}/{self.model})"


class HttpRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What goes over the wire."""

    url: str
    headers: dict[str, str]
    body: bytes
    method: str = "POST"
    parts: tuple[Part, ...] = ()
    """When set, the request is multipart/form-data and `body` is ignored."""

    def __repr__(self) -> str:
        """Without headers, which hold the key."""
        return f"HttpRequest({self.method} {self.url.partition('?')[0]})"


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """A complete answer in the surface's shape."""

    body: Json | bytes
    """JSON for most surfaces; bytes for speech and for transcription in a text format."""
    usage: Usage | None = None
    """None: the provider did not say."""
    finish: str = ""
    """Chat's finish_reason of the first choice: stop, length, tool_calls, content_filter; empty when there is none."""
    text: str = ""
    """Visible text of the first choice, for counting and for the cache."""
    content_type: str = "application/json"


class Piece(msgspec.Struct, kw_only=True):
    """One unit of a stream: a chat completion chunk, or an event of a surface that passes as it is."""

    data: Json | None = None
    """The chunk or event as JSON; None for marks such as `[DONE]` and for comments."""
    raw: bytes = b""
    """The server-sent event as it came, blank line included, when it may be sent on unchanged; else empty."""
    text: str = ""
    """New visible text of the first choice."""
    token: bool = False
    """A real token: text, reasoning, refusal, audio or a piece of a tool call. A role alone is none."""
    finish: str = ""
    """Set once, when the model says why it stopped."""
    usage: Usage | None = None
    fault: Fault | None = None
    """The provider reported an error inside the stream, or sent something that cannot be read."""
    end: bool = False
    """The stream's proper end marker."""


class KeyLimits(msgspec.Struct, frozen=True, kw_only=True):
    """What one virtual key may spend, in billionths of a US dollar; None: no limit."""

    daily_nano: int | None = None
    monthly_nano: int | None = None
