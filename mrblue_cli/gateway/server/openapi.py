"""The OpenAPI document: what is served, described as far as the gateway itself looks at it."""

from __future__ import annotations

from typing import Any

from mrblue_cli import __version__

Json = dict[str, Any]
_TEXT: Json = {"type": "string"}
_MODEL: Json = {"type": "string", "minLength": 1, "description": "A model of this gateway; see /v1/models."}
_STREAM: Json = {"type": "boolean", "default": False}
_MESSAGE: Json = {
    "type": "object",
    "required": ["role"],
    "properties": {"role": {"type": "string"}, "content": {}},
    "additionalProperties": True,
}


def document(models: list[str]) -> Json:
    """OpenAPI 3.1, with the models as examples."""
    model = {**_MODEL, "examples": models[:5]} if models else _MODEL
    posts = {
        "/v1/chat/completions": _post("Chat completion", _chat(model), stream=True),
        "/v1/responses": _post(
            "Response", _object({"model": model, "input": {}, "stream": _STREAM}, ["model", "input"]), stream=True
        ),
        "/v1/messages": _post(
            "Message, in Anthropic's shape",
            _object(
                {
                    "model": model,
                    "max_tokens": {"type": "integer", "minimum": 1},
                    "messages": {"type": "array", "items": _MESSAGE, "minItems": 1},
                    "stream": _STREAM,
                },
                ["model", "max_tokens", "messages"],
            ),
            stream=True,
        ),
        "/v1/embeddings": _post(
            "Embeddings",
            _object(
                {
                    "model": model,
                    "input": {"anyOf": [_TEXT, {"type": "array", "items": _TEXT, "minItems": 1}]},
                    "encoding_format": {"enum": ["float", "base64"]},
                    "dimensions": {"type": "integer", "minimum": 1},
                },
                ["model", "input"],
            ),
        ),
        "/v1/audio/speech": _post(
            "Speech", _object({"model": model, "input": _TEXT, "voice": {}}, ["model", "input", "voice"]), binary=True
        ),
        "/v1/audio/transcriptions": _post(
            "Transcription",
            _object({"model": model, "file": {"type": "string", "format": "binary"}}, ["model", "file"]),
            kind="multipart/form-data",
        ),
        "/v1/realtime/client_secrets": _post(
            "A secret of this gateway for one realtime client",
            _object(
                {
                    "expires_after": _object(
                        {"anchor": _TEXT, "seconds": {"type": "integer", "minimum": 10, "maximum": 7200}}, []
                    ),
                    "session": {"type": "object"},
                },
                [],
            ),
        ),
    }
    gets = {
        "/v1/models": _get("Models a client may ask for"),
        "/v1/usage": _get("What was spent, and what the limits are"),
        "/v1/status": _get("Routes, breakers, cache and spend right now"),
        "/health": _get("Whether the gateway can serve", open_to_all=True),
        "/metrics": _get("Prometheus metrics", kind="text/plain"),
    }
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "mrblue gateway",
            "version": __version__,
            "description": "One OpenAI-compatible door to every provider. Every address is served without /v1 as well.",
        },
        "security": [{"bearer": []}, {"key": []}],
        "paths": {path: {"post": operation} for path, operation in posts.items()}
        | {path: {"get": operation} for path, operation in gets.items()},
        "components": {
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "key": {"type": "apiKey", "in": "header", "name": "x-api-key"},
            },
            "schemas": {
                "Error": _object(
                    {
                        "error": _object(
                            {
                                "message": _TEXT,
                                "type": {"type": ["string", "null"]},
                                "param": {"type": ["string", "null"]},
                                "code": {"type": ["string", "null"]},
                            },
                            ["message"],
                        )
                    },
                    ["error"],
                )
            },
        },
    }


def _chat(model: Json) -> Json:
    return _object(
        {
            "model": model,
            "messages": {"type": "array", "items": _MESSAGE, "minItems": 1},
            "stream": _STREAM,
            "temperature": {"type": ["number", "null"], "minimum": 0, "maximum": 2},
            "max_tokens": {"type": ["integer", "null"], "minimum": 1},
            "max_completion_tokens": {"type": ["integer", "null"], "minimum": 1},
            "tools": {"type": "array", "items": {"type": "object"}},
            "response_format": {"type": "object"},
        },
        ["model", "messages"],
    )


def _object(properties: Json, required: list[str]) -> Json:
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": True}


def _post(
    summary: str, schema: Json, *, stream: bool = False, binary: bool = False, kind: str = "application/json"
) -> Json:
    answers: Json = {"application/octet-stream": {}, "audio/*": {}} if binary else {"application/json": {}}
    if stream:
        answers["text/event-stream"] = {}
    return {
        "summary": summary,
        "requestBody": {"required": True, "content": {kind: {"schema": schema}}},
        "responses": {"200": {"description": summary, "content": answers}, **_errors()},
    }


def _get(summary: str, *, kind: str = "application/json", open_to_all: bool = False) -> Json:
    operation: Json = {
        "summary": summary,
        "responses": {"200": {"description": summary, "content": {kind: {}}}, **_errors()},
    }
    if open_to_all:
        operation["security"] = []
    return operation


def _errors() -> Json:
    error = {
        "description": "What is wrong, in OpenAI's (for /v1/messages: Anthropic's) error shape",
        "content": {"application/json": {}},
    }
    return {str(status): error for status in (400, 401, 403, 404, 405, 413, 415, 422, 429, 500, 502, 503, 504)}
