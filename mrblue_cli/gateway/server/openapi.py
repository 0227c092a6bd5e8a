"""The OpenAPI document: what is served, described as far as the gateway itself looks at it."""

from __future__ import annotations

from mrblue_cli import __version__
from mrblue_cli.gateway.server.openapi_answers import answers
from mrblue_cli.gateway.server.openapi_requests import TEXT, Json, requests

_REFUSALS = {
    400: "The request is not valid; `param` names the place.",
    401: "No key, or none that is known.",
    403: "The key may not do this, or a foreign web page asks.",
    404: "The model, or the address, is not served here.",
    405: "The address is asked for with another method; see `allow`.",
}
_BODY_REFUSALS = {
    408: "The body stopped half way.",
    413: "The body is too large.",
    415: "The content type is another one than this address takes.",
    422: "The provider could not process the request.",
    429: "A budget or a rate limit is reached, here or at every provider; see `retry-after`.",
    502: "No provider gave a usable answer.",
    503: "Nobody is free to answer now; see `retry-after`.",
    504: "No provider answered in time.",
}
_HEADERS = {
    "x-request-id": "The request's own id, or one made here; the log has it.",
    "x-mrblue-provider": "Who answered.",
    "x-mrblue-model": "Which model answered.",
    "x-mrblue-attempts": "Calls made to providers.",
    "x-mrblue-cache": "hit-exact, hit-semantic, miss or bypass, with the reason.",
    "x-mrblue-cost-usd": "What it cost, where that is known at the head.",
}


def document(models: list[str]) -> Json:
    """OpenAPI 3.1, with the models as examples."""
    posts = {
        "/v1/chat/completions": _post("Chat completion", "ChatRequest", "ChatCompletion", stream=True),
        "/v1/responses": _post("Response", "ResponsesRequest", "Response", stream=True),
        "/v1/messages": _post(
            "Message, in Anthropic's shape", "MessagesRequest", "Message", stream=True, anthropic=True
        ),
        "/v1/messages/count_tokens": _post(
            "Upper bound of a message's tokens", "MessagesRequest", "TokenCount", anthropic=True
        ),
        "/v1/embeddings": _post("Embeddings", "EmbeddingsRequest", "Embeddings"),
        "/v1/audio/speech": _post("Speech", "SpeechRequest", ""),
        "/v1/audio/transcriptions": _post(
            "Transcription", "TranscriptionRequest", "Transcription", kind="multipart/form-data", stream=True
        ),
        "/v1/realtime/client_secrets": _post(
            "A secret of this gateway for one realtime client", "ClientSecretRequest", "ClientSecret"
        ),
        "/v1/realtime/sessions": _post("The same for beta clients", "BetaSessionRequest", "BetaSession"),
        "/v1/realtime/transcription_sessions": _post("The same, to transcribe", "BetaSessionRequest", "BetaSession"),
    }
    gets = {
        "/v1/models": _get("Models a client may ask for", "Models"),
        "/v1/models/{model}": _one_model(),
        "/v1/usage": _get("What was spent, and what the limits are", "Usage"),
        "/v1/status": _get("Routes, breakers, cache and spend right now", "Status"),
        "/health": _health(),
        "/metrics": _get("Prometheus metrics", "", kind="text/plain"),
        "/openapi.json": {**_get("This document", "", kind="application/json"), "security": []},
    }
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "mrblue gateway",
            "version": __version__,
            "description": "One OpenAI-compatible door to every provider. Every address is served without /v1 as well. "
            "Realtime sessions are websockets at /v1/realtime, which OpenAPI cannot describe.",
        },
        "security": [{"bearer": []}, {"key": []}, {}],
        "paths": {path: {"post": operation} for path, operation in posts.items()}
        | {path: {"get": operation} for path, operation in gets.items()},
        "components": {
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "key": {"type": "apiKey", "in": "header", "name": "x-api-key"},
            },
            "schemas": {**requests(models), **answers()},
        },
    }


def _post(
    summary: str, asks: str, gets: str, *, kind: str = "application/json", stream: bool = False, anthropic: bool = False
) -> Json:
    """`gets` empty: sound."""
    content: Json = (
        {"application/json": {"schema": _ref(gets)}} if gets else {"audio/*": {}, "application/octet-stream": {}}
    )
    if stream or not gets:
        content["text/event-stream"] = {}
    if kind != "application/json":
        content["text/plain"] = {}
    return {
        "summary": summary,
        "requestBody": {"required": True, "content": {kind: {"schema": _ref(asks)}}},
        "responses": {
            "200": _answer(summary, content),
            **_errors({**_REFUSALS, **_BODY_REFUSALS}, anthropic=anthropic),
        },
    }


def _get(summary: str, gets: str, *, kind: str = "application/json") -> Json:
    content: Json = {kind: {"schema": _ref(gets)} if gets else {}}
    return {"summary": summary, "responses": {"200": _answer(summary, content), **_errors(_REFUSALS)}}


def _one_model() -> Json:
    name = {"name": "model", "in": "path", "required": True, "schema": {**TEXT, "minLength": 1}}
    return {**_get("One model", "Model"), "parameters": [name]}


def _health() -> Json:
    operation = {**_get("Whether the gateway can serve", "Health"), "security": []}
    down = {"description": "Nothing can be served", "content": {"application/json": {"schema": _ref("Health")}}}
    operation["responses"] = {**operation["responses"], "503": down}
    return operation


def _answer(summary: str, content: Json) -> Json:
    headers = {name: {"description": said, "schema": TEXT} for name, said in _HEADERS.items()}
    return {"description": summary, "headers": headers, "content": content}


def _errors(statuses: dict[int, str], *, anthropic: bool = False) -> Json:
    schema = _ref("AnthropicError" if anthropic else "Error")
    return {
        str(status): {"description": said, "content": {"application/json": {"schema": schema}}}
        for status, said in statuses.items()
    }


def _ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}
