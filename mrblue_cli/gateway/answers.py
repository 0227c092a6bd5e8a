"""One request and its answer, as the pipeline sees them; the web server turns HTTP into these and back."""

from __future__ import annotations

from collections.abc import AsyncIterator

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
        return self.body.get("stream") is True or self.body.get("stream") == "true"


class Answer(msgspec.Struct, kw_only=True):
    """What goes back."""

    status: int = 200
    headers: dict[str, str] = {}
    content_type: str = "application/json"
    body: bytes = b""
    frames: AsyncIterator[bytes] | None = None
    """Set for streams; must be closed (`aclose`) when the client leaves."""


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
        headers["retry-after"] = str(max(1, round(fault.retry_after + 0.5)))
    if fault.code in ("budget_exceeded", "price_unknown"):
        # The stock clients would try again a few times; that cannot help before the period is over.
        headers["x-should-retry"] = "false"
    return Answer(status=status, headers=headers, body=msgspec.json.encode(body))


def safe_header(text: str) -> str:
    """A value that cannot break out of its header: printable ASCII only, at most 200 characters."""
    return "".join(c if " " <= c <= "~" else "?" for c in text[:200])
