"""What is answered, as JSON schemas. Whatever a provider adds is passed on, so other fields may always be there."""

from __future__ import annotations

import msgspec

from mrblue_cli.gateway.server.openapi_requests import TABLE, TEXT, Json, rows, table
from mrblue_cli.gateway.status import Status

_WHOLE: Json = {"type": "integer", "minimum": 0}
_NUMBER: Json = {"type": "number"}
_MAYBE_TEXT: Json = {"type": ["string", "null"]}


def answers() -> dict[str, Json]:
    """The answers' schemas by name."""
    _, status = msgspec.json.schema_components([Status], ref_template="#/components/schemas/{name}")
    return {**_errors(), **_text(), **_others(), **status}


def _errors() -> dict[str, Json]:
    error = table(
        {"message": TEXT, "type": _MAYBE_TEXT, "param": _MAYBE_TEXT, "code": _MAYBE_TEXT},
        "message",
        "type",
        "param",
        "code",
    )
    anthropic = table({"type": TEXT, "message": TEXT}, "type", "message")
    return {
        "Error": table({"error": error}, "error", description="OpenAI's shape."),
        "AnthropicError": table({"type": {"const": "error"}, "error": anthropic}, "type", "error"),
    }


def _text() -> dict[str, Json]:
    usage = table({"prompt_tokens": _WHOLE, "completion_tokens": _WHOLE, "total_tokens": _WHOLE})
    message = table({"role": {"const": "assistant"}, "content": _MAYBE_TEXT, "tool_calls": rows(TABLE)}, "role")
    choice = table(
        {"index": _WHOLE, "message": message, "finish_reason": _MAYBE_TEXT}, "index", "message", "finish_reason"
    )
    item = table({"type": TEXT}, "type")
    tokens = table({"input_tokens": _WHOLE, "output_tokens": _WHOLE}, "input_tokens", "output_tokens")
    return {
        "ChatCompletion": table(
            {
                "id": TEXT,
                "object": {"const": "chat.completion"},
                "created": _WHOLE,
                "model": TEXT,
                "choices": rows(choice),
                "usage": usage,
            },
            "id",
            "object",
            "created",
            "model",
            "choices",
        ),
        "Response": table(
            {
                "id": TEXT,
                "object": {"const": "response"},
                "status": TEXT,
                "model": TEXT,
                "output": rows(item),
                "usage": {"anyOf": [tokens, {"type": "null"}]},
            },
            "id",
            "object",
            "status",
            "output",
        ),
        "Message": table(
            {
                "id": TEXT,
                "type": {"const": "message"},
                "role": {"const": "assistant"},
                "model": TEXT,
                "content": rows(item),
                "stop_reason": _MAYBE_TEXT,
                "usage": tokens,
            },
            "id",
            "type",
            "role",
            "content",
            "stop_reason",
            "usage",
        ),
        "TokenCount": table({"input_tokens": _WHOLE}, "input_tokens"),
    }


def _others() -> dict[str, Json]:
    vector = table(
        {"object": {"const": "embedding"}, "index": _WHOLE, "embedding": {"anyOf": [rows(_NUMBER), TEXT]}},
        "index",
        "embedding",
    )
    model = table(
        {"id": TEXT, "object": {"const": "model"}, "created": _WHOLE, "owned_by": TEXT},
        "id",
        "object",
        "created",
        "owned_by",
    )
    scope = table(
        {"spent_usd": _NUMBER, "reserved_usd": _NUMBER, "limit_usd": {"type": ["number", "null"]}},
        "spent_usd",
        "reserved_usd",
    )
    return {
        "Embeddings": table(
            {"object": {"const": "list"}, "data": rows(vector), "model": TEXT}, "object", "data", "model"
        ),
        "Transcription": table({"text": TEXT}, "text"),
        "ClientSecret": table(
            {"value": TEXT, "expires_at": _WHOLE, "session": TABLE}, "value", "expires_at", "session"
        ),
        "BetaSession": table(
            {"id": TEXT, "object": TEXT, "client_secret": table({"value": TEXT, "expires_at": _WHOLE})}, "client_secret"
        ),
        "Model": model,
        "Models": table(
            {"object": {"const": "list"}, "data": rows({"$ref": "#/components/schemas/Model"})}, "object", "data"
        ),
        "Usage": table(
            {
                "object": {"const": "usage"},
                "day": TEXT,
                "month": TEXT,
                "key": TEXT,
                "today": scope,
                "this_month": scope,
                "keys": TABLE,
            },
            "object",
            "day",
            "month",
            "key",
            "today",
            "this_month",
        ),
        "Health": table(
            {
                "status": {"enum": ["ok", "degraded", "down"]},
                "uptime_s": _NUMBER,
                "routes_up": _WHOLE,
                "routes": _WHOLE,
            },
            "status",
        ),
    }
