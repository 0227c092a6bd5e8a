"""What a span tells of a request, and of one call of a provider: names and numbers, no text of anybody's. PURE.

Names follow the semantic conventions for HTTP servers and for generative AI
(opentelemetry.io/docs/specs/semconv/gen-ai); what they have no word for begins with `mrblue.`.
"""

from __future__ import annotations

from mrblue_cli.gateway.answers import Record
from mrblue_cli.gateway.model import NANO, Surface, Usage
from mrblue_cli.gateway.run import Noted

_LONGEST = 200
"""Characters of a name that a client chose."""
ROUTES = {
    Surface.CHAT: ("/v1/chat/completions", "chat"),
    Surface.RESPONSES: ("/v1/responses", "chat"),
    Surface.MESSAGES: ("/v1/messages", "chat"),
    Surface.EMBEDDINGS: ("/v1/embeddings", "embeddings"),
    Surface.TRANSCRIPTION: ("/v1/audio/transcriptions", "transcription"),
    Surface.SPEECH: ("/v1/audio/speech", "speech"),
}
_SYSTEMS = {"azure": "azure.ai.openai", "gemini": "gcp.gemini", "mistral": "mistral_ai", "xai": "x_ai"}
"""Kinds of ours that the conventions' list of `gen_ai.provider.name` calls otherwise."""

Attributes = dict[str, str | int | float | bool]


def request_attributes(record: Record) -> Attributes:
    """What the span of a request tells."""
    route, operation = ROUTES.get(record.surface, ("", record.surface.value))
    found: Attributes = {
        "http.request.method": "POST",
        "http.route": route,
        "http.response.status_code": record.status,
        "gen_ai.operation.name": operation,
        "gen_ai.request.model": record.asked[:_LONGEST],
        "mrblue.request_id": record.request_id,
        "mrblue.key_id": record.key_id,
        "mrblue.stream": record.stream,
        "mrblue.cache": record.cache,
        "mrblue.cache_reason": record.cache_reason,
        "mrblue.attempts": record.tries,
        "mrblue.throttled": record.throttled,
    }
    if record.provider:
        found["mrblue.provider"] = record.provider
        found["gen_ai.response.model"] = record.model
    if record.complete and record.tries:
        found["gen_ai.usage.input_tokens"] = record.input_tokens
        found["gen_ai.usage.output_tokens"] = record.output_tokens
    if record.cost_nano is not None:
        found["mrblue.cost_usd"] = record.cost_nano / NANO
    if record.saved_nano:
        found["mrblue.saved_usd"] = record.saved_nano / NANO
    if record.similarity is not None:
        found["mrblue.similarity"] = record.similarity
    if record.first_token is not None:
        found["mrblue.first_token_s"] = record.first_token
    if record.attempts and record.attempts[-1].outcome == "ok":
        found |= _provider(record.attempts[-1].kind)
    if (wrong := _error(record)) is not None:
        found["error.type"] = wrong
    return found


def attempt_attributes(record: Record, note: Noted) -> Attributes:
    """What the span of one call tells."""
    found: Attributes = {
        "gen_ai.operation.name": operation(record),
        "gen_ai.request.model": note.model,
        "mrblue.provider": note.provider,
        **_provider(note.kind),
    }
    if note.usage is not None:
        found |= _usage(note.usage)
    if note.first_token is not None:
        found["mrblue.first_token_s"] = note.first_token
    if note.outcome == "ok":
        found["gen_ai.response.model"] = note.model
    else:
        found["error.type"] = note.outcome
    return found


def operation(record: Record) -> str:
    """The conventions' word for what was asked."""
    return ROUTES.get(record.surface, ("", record.surface.value))[1]


def _provider(kind: str) -> Attributes:
    name = _SYSTEMS.get(kind, kind or "unknown")
    return {"gen_ai.provider.name": name, "gen_ai.system": name}  # the second is the first one's earlier name


def _usage(usage: Usage) -> Attributes:
    return {
        "gen_ai.usage.input_tokens": usage.input_tokens,
        "gen_ai.usage.output_tokens": usage.output_tokens,
        "mrblue.usage_estimated": usage.estimated,
    }


def _error(record: Record) -> str | None:
    """A word for what went wrong, never the message: providers quote prompts in theirs."""
    if record.fault is not None:
        return record.fault.code or record.fault.kind.value
    if record.status == 499:
        return "cancelled"
    return str(record.status) if record.status >= 500 else None
