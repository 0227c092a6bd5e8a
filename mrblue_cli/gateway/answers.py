"""One request and its answer, as the pipeline sees them; the web server turns HTTP into these and back."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator
from typing import Protocol

import msgspec

from mrblue_cli.gateway.access.keys import Caller
from mrblue_cli.gateway.model import Fault, FaultKind, Json, Part, Surface
from mrblue_cli.gateway.routing.table import client_status
from mrblue_cli.gateway.run import Noted
from mrblue_cli.gateway.surfaces import TRANSLATORS, chat

STOPPING = Fault(
    kind=FaultKind.OVERLOADED,
    message="The gateway is being stopped, and the time it gives to requests under way is over. Please try again.",
    type="server_error",
    code="gateway_stopping",
    retry_after=1.0,
)
"""What those hear who are still waiting when the gateway ends."""
_TYPES = frozenset({
    "application/json", "application/octet-stream", "application/x-subrip",
    "text/event-stream", "text/plain", "text/vtt",
})  # fmt: skip


class Ask(msgspec.Struct, kw_only=True):
    """One authenticated request."""

    surface: Surface
    body: Json
    caller: Caller
    request_id: str
    parts: tuple[Part, ...] = ()
    control: str = ""
    """The request's cache-control header."""
    traceparent: str = ""
    """The request's own place in a trace (W3C Trace Context), and what travels with it."""
    tracestate: str = ""

    @property
    def stream(self) -> bool:
        """Whether the client wants server-sent events."""
        match self.surface:
            case Surface.EMBEDDINGS:
                return False
            case Surface.SPEECH:
                return self.body.get("stream_format") == "sse"
            case Surface.TRANSCRIPTION:  # a form's field is text
                return str(self.body.get("stream", "")).lower() in ("true", "1")
            case _:
                return self.body.get("stream") is True


class BrokenOff(Exception):  # no fault to tell: the connection itself has to say it
    """An answer of bytes cannot be completed: the connection must break, so that half a sound does not look whole."""


class Frames(Protocol):
    """An answer in pieces. Whoever has it must close it, read or not: that settles it."""

    def __aiter__(self) -> AsyncIterator[bytes]:
        """Itself."""
        ...

    async def aclose(self) -> None:
        """The client has gone, or has it all."""
        ...


class Answer(msgspec.Struct, kw_only=True):
    """What goes back."""

    status: int = 200
    headers: dict[str, str] = {}
    content_type: str = "application/json"
    body: bytes = b""
    frames: Frames | None = None
    """Set for streams."""


class Record(msgspec.Struct, kw_only=True):
    """Everything decided about one request: what the log line, the metrics and the traces are made of."""

    request_id: str
    key_id: str
    surface: Surface
    asked: str
    """The model the client named."""
    stream: bool
    began: float
    cache: str = "bypass"
    cache_reason: str = "refused"
    """As long as nobody has asked the cache: the request was turned away before."""
    similarity: float | None = None
    attempts: list[Noted] = []
    tries: int = 0
    """Calls made to providers."""
    provider: str = ""
    model: str = ""
    status: int = 0
    fault: Fault | None = None
    throttled: bool = False
    limits: dict[str, str] = {}
    """What is left of the key's rate limits, as headers."""
    input_tokens: int = 0
    output_tokens: int = 0
    cost_nano: int | None = None
    saved_nano: int = 0
    seconds: float = 0.0
    first_token: float | None = None
    """Seconds from the request to the first token of a stream."""
    complete: bool = False
    traceparent: str = ""
    tracestate: str = ""


def refusal(surface: Surface, fault: Fault) -> Answer:
    """An error answer in the surface's own shape."""
    status = client_status(fault.kind, fault.status)
    translator = TRANSLATORS.get(surface)
    body = translator.error(fault, status) if translator is not None else chat.error(fault, status)
    headers = {}
    if fault.retry_after is not None:
        headers["retry-after"] = str(max(1, math.ceil(fault.retry_after)))
    if fault.code in ("budget_exceeded", "price_unknown"):
        # The stock clients would try again a few times; that cannot help before the period is over.
        headers["x-should-retry"] = "false"
    return Answer(status=status, headers=headers, body=msgspec.json.encode(body))


def safe_type(content_type: str) -> str:
    """A provider's content type, when it is one of what these surfaces answer with; else plain bytes.

    Never HTML or a picture with scripts: a browser that asks the gateway must not run what a provider sends.
    """
    main = content_type.partition(";")[0].strip().lower()
    if main in _TYPES or (main.startswith("audio/") and len(main) > len("audio/")):
        return safe_header(content_type)
    return "application/octet-stream"


def safe_header(text: str) -> str:
    """A value that cannot break out of its header: printable ASCII only, at most 200 characters."""
    return "".join(c if " " <= c <= "~" else "?" for c in text[:200])
