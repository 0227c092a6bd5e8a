"""What may be asked, as JSON schemas: what this gateway reads itself. Every other field passes on as it is."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]
TEXT: Json = {"type": "string"}
NAME: Json = {"type": "string", "minLength": 1}
TABLE: Json = {"type": "object"}
_STREAM: Json = {"type": "boolean", "default": False, "description": "Answer with server-sent events."}
_COUNT: Json = {"type": ["integer", "null"], "minimum": 1, "maximum": 9_000_000_000}


def table(properties: Json, *required: str, **more: Any) -> Json:
    """An object that may have other fields as well."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": True,
        **more,
    }


def rows(items: Json, least: int = 0) -> Json:
    """A list of `items`."""
    return {"type": "array", "items": items, "minItems": least} if least else {"type": "array", "items": items}


def requests(models: list[str]) -> dict[str, Json]:
    """The request bodies by name, with the models as examples."""
    model: Json = {**NAME, "maxLength": 256, "description": "A model of this gateway; see /v1/models."}
    if models:
        model["examples"] = models[:5]
    return {
        "ChatRequest": _chat(model),
        "ResponsesRequest": _responses(model),
        "MessagesRequest": _messages(model),
        "EmbeddingsRequest": table(
            {
                "model": model,
                "input": {"anyOf": [TEXT, rows(TEXT, 1), rows({"type": "integer"}, 1)]},
                "encoding_format": {"enum": ["float", "base64"], "default": "float"},
                "dimensions": {"type": "integer", "minimum": 1},
                "user": TEXT,
            },
            "model",
            "input",
        ),
        "SpeechRequest": table(
            {
                "model": model,
                "input": {**NAME, "description": "What is to be said."},
                "voice": {"description": "A voice's name, or an object as the provider has it."},
                "response_format": {"enum": ["mp3", "opus", "aac", "flac", "wav", "pcm"]},
                "speed": {"type": "number", "minimum": 0.25, "maximum": 4},
                "instructions": TEXT,
            },
            "model",
            "input",
            "voice",
        ),
        "TranscriptionRequest": table(
            {
                "model": model,
                "file": {"type": "string", "format": "binary", "description": "Sound in any format."},
                "language": TEXT,
                "prompt": TEXT,
                "response_format": {"enum": ["json", "text", "srt", "verbose_json", "vtt"]},
                "temperature": {"type": "number", "minimum": 0, "maximum": 1},
            },
            "model",
            "file",
        ),
        "ClientSecretRequest": table({"expires_after": _EXPIRY, "session": _SESSION}),
        "BetaSessionRequest": table({"model": model, "client_secret": table({"expires_after": _EXPIRY})}),
    }


def _chat(model: Json) -> Json:
    part = table({"type": TEXT, "text": TEXT, "image_url": table({"url": TEXT}, "url")}, "type")
    message = table(
        {
            "role": {"enum": ["system", "developer", "user", "assistant", "tool", "function"]},
            "content": {"anyOf": [TEXT, rows(part), {"type": "null"}]},
            "tool_call_id": TEXT,
            "tool_calls": rows(table({"id": TEXT, "type": TEXT, "function": table({"name": TEXT}, "name")})),
        },
        "role",
    )
    function = table(
        {"name": NAME, "description": TEXT, "parameters": TABLE, "strict": {"type": ["boolean", "null"]}}, "name"
    )
    return table(
        {
            "model": model,
            "messages": rows(message, 1),
            "stream": _STREAM,
            "stream_options": table({"include_usage": {"type": "boolean"}}),
            "max_tokens": _COUNT,
            "max_completion_tokens": _COUNT,
            "n": {"type": "integer", "minimum": 1, "maximum": 128},
            "temperature": {"type": ["number", "null"], "minimum": 0, "maximum": 2},
            "top_p": {"type": ["number", "null"], "minimum": 0, "maximum": 1},
            "frequency_penalty": {"type": ["number", "null"], "minimum": -2, "maximum": 2},
            "presence_penalty": {"type": ["number", "null"], "minimum": -2, "maximum": 2},
            "stop": {"anyOf": [TEXT, rows(TEXT), {"type": "null"}]},
            "seed": {"type": ["integer", "null"]},
            "tools": rows(table({"type": TEXT, "function": function}, "type")),
            "tool_choice": {"anyOf": [TEXT, table({"type": TEXT}, "type")]},
            "response_format": table(
                {"type": {"enum": ["text", "json_object", "json_schema"]}, "json_schema": TABLE}, "type"
            ),
            "reasoning_effort": {"type": ["string", "null"]},
            "user": TEXT,
        },
        "model",
        "messages",
    )


def _responses(model: Json) -> Json:
    part = table({"type": TEXT, "text": TEXT}, "type")
    item = table({"type": TEXT, "role": TEXT, "content": {"anyOf": [TEXT, rows(part)]}})
    return table(
        {
            "model": model,
            "input": {"anyOf": [TEXT, rows(item, 1)]},
            "instructions": {"type": ["string", "null"]},
            "stream": _STREAM,
            "max_output_tokens": _COUNT,
            "temperature": {"type": ["number", "null"], "minimum": 0, "maximum": 2},
            "top_p": {"type": ["number", "null"], "minimum": 0, "maximum": 1},
            "tools": rows(table({"type": TEXT}, "type")),
            "tool_choice": {"anyOf": [TEXT, table({"type": TEXT}, "type")]},
            "text": table({"format": table({"type": TEXT}, "type")}),
            "reasoning": table({"effort": {"type": ["string", "null"]}}),
            "previous_response_id": {"type": ["string", "null"]},
        },
        "model",
        "input",
    )


def _messages(model: Json) -> Json:
    block = table({"type": TEXT, "text": TEXT}, "type")
    message = table(
        {"role": {"enum": ["user", "assistant"]}, "content": {"anyOf": [TEXT, rows(block)]}}, "role", "content"
    )
    return table(
        {
            "model": model,
            "max_tokens": {"type": "integer", "minimum": 1, "maximum": 9_000_000_000},
            "messages": rows(message, 1),
            "system": {"anyOf": [TEXT, rows(block)]},
            "stream": _STREAM,
            "temperature": {"type": "number", "minimum": 0, "maximum": 1},
            "top_p": {"type": "number", "minimum": 0, "maximum": 1},
            "stop_sequences": rows(TEXT),
            "tools": rows(table({"name": NAME, "description": TEXT, "input_schema": TABLE}, "name")),
            "tool_choice": table({"type": {"enum": ["auto", "any", "tool", "none"]}, "name": TEXT}, "type"),
            "thinking": table({"type": TEXT, "budget_tokens": {"type": "integer"}}, "type"),
        },
        "model",
        "max_tokens",
        "messages",
    )


_EXPIRY: Json = table(
    {
        "anchor": {"const": "created_at"},
        "seconds": {"type": "integer", "minimum": 10, "maximum": 7200, "default": 600},
    }
)
_SESSION: Json = table({"type": {"enum": ["realtime", "transcription"]}, "model": TEXT, "instructions": TEXT})
