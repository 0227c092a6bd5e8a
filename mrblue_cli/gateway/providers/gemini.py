"""Google's Gemini by its native API (v1beta): generateContent, streamGenerateContent, batchEmbedContents."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from mrblue_cli.gateway.model import Call, Fault, FaultKind, HttpRequest, Reply, Surface, Target
from mrblue_cli.gateway.providers import gemini_stream
from mrblue_cli.gateway.providers.base import StreamDecoder, Traits
from mrblue_cli.gateway.providers.faults import fault_of, read_value
from mrblue_cli.gateway.providers.gemini_request import chat_body, embeddings_body
from mrblue_cli.gateway.providers.patience import span
from mrblue_cli.gateway.providers.wire import address, encode, headers, rows, segment, string, table, unsupported


class Gemini:
    """The adapter. The key travels in a header, never in the address."""

    kind = "gemini"
    traits = Traits(
        native=frozenset({Surface.CHAT, Surface.EMBEDDINGS}),
        base_url="https://generativelanguage.googleapis.com/v1beta",
        key_variable="GEMINI_API_KEY",
    )

    def request(self, call: Call, target: Target) -> HttpRequest:
        """The call over HTTP."""
        if call.surface is Surface.CHAT:
            body, verb = chat_body(call, target), "streamGenerateContent" if call.stream else "generateContent"
        elif call.surface is Surface.EMBEDDINGS:
            body, verb = embeddings_body(call, target), "batchEmbedContents"
        else:
            raise unsupported(f"{target.provider} has no {call.surface.value} endpoint")
        sent = headers(target, {"x-goog-api-key": target.api_key}, stream=call.stream)
        return HttpRequest(url=self._url(call, target, verb), headers=sent, body=encode(body))

    def _url(self, call: Call, target: Target, verb: str) -> str:
        family, _, name = target.model.rpartition("/")
        family = family if family in {"models", "tunedModels"} else ""
        place = f"{family or 'models'}/{segment(name if family else target.model)}"
        url = address(target, self.traits.base_url, f"{place}:{verb}")
        if not call.stream:
            return url
        # A configured endpoint names one verb; a stream needs the other.
        if target.endpoint and ":generateContent" in url:
            url = url.replace(":generateContent", ":streamGenerateContent")
        return url if "alt=sse" in url else f"{url}{'&' if '?' in url else '?'}alt=sse"

    def reply(self, call: Call, headers: Mapping[str, str], body: bytes) -> Reply:
        """A complete answer."""
        if call.surface is Surface.EMBEDDINGS:
            return gemini_stream.embeddings_reply(call, body, string(call.body.get("model")))
        return gemini_stream.reply(headers, body)

    def stream(self, call: Call) -> StreamDecoder:  # noqa: ARG002
        """A decoder for one streamed answer."""
        return gemini_stream.ContentStream()

    def fault(self, status: int, headers: Mapping[str, str], body: bytes) -> Fault:
        """What an error means. Gemini says "quota" for every limit; the details tell a minute's from a day's."""
        try:
            value: Any = msgspec.json.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            value = {}
        said = read_value(value)
        first = value[0] if isinstance(value, list) and value else value
        details = rows(table(table(first).get("error")).get("details"))
        kind = _kind(status, details)
        fault = fault_of(status, headers, said, kind)
        fault = msgspec.structs.replace(fault, code=string(said.type) or fault.code)
        delay = next((span(string(row.get("retryDelay"))) for row in details if row.get("retryDelay")), None)
        if delay is not None and fault.retry_after is None and kind in {FaultKind.RATE_LIMITED, FaultKind.QUOTA}:
            return msgspec.structs.replace(fault, retry_after=delay)
        return fault


def _kind(status: int, details: list[dict[str, Any]]) -> FaultKind | None:
    reasons = {string(row.get("reason")) for row in details}
    if status == 400 and reasons & {"API_KEY_INVALID", "API_KEY_EXPIRED"}:
        return FaultKind.AUTH
    if status != 429:
        return None
    spent = [violation for row in details for violation in rows(row.get("violations"))]
    for violation in spent:
        if "PerDay" in string(violation.get("quotaId")) or violation.get("quotaValue") == "0":
            return FaultKind.QUOTA
    return FaultKind.RATE_LIMITED
