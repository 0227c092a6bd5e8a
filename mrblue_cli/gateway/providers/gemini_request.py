"""A chat body as a body of Gemini's generateContent, and embeddings as batchEmbedContents (API v1beta)."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from mrblue_cli.gateway.model import Call, Json, Target
from mrblue_cli.gateway.providers.gemini_schema import convert
from mrblue_cli.gateway.providers.wire import (
    bad_request,
    limit_of,
    rows,
    split_data_url,
    stop_words,
    string,
    table,
    text_of,
    unsupported,
)

_VERSION = re.compile(r"gemini-(\d+)(?:\.(\d+))?")
_BUDGETS = {"none": 0, "minimal": 1024, "low": 1024, "medium": 8192, "high": 24576, "xhigh": 24576, "max": 24576}
_SOUNDS = {"wav": "audio/wav", "mp3": "audio/mp3"}
_ENDINGS = {
    "gif": "image/gif",
    "heic": "image/heic",
    "jpeg": "image/jpeg",
    "jpg": "image/jpeg",
    "pdf": "application/pdf",
    "png": "image/png",
    "webp": "image/webp",
}
UNSIGNED = "skip_thought_signature_validator"
"""Documented stand-in for a signature of thought that another model's tool call cannot have."""


def version(model: str) -> tuple[int, int]:
    """(major, minor); a name without a number, such as gemini-flash-latest, is the newest."""
    found = _VERSION.search(model)
    return (int(found[1]), int(found[2] or 0)) if found else (99, 0)


def chat_body(call: Call, target: Target) -> Json:
    """The generateContent body. Raises `CallError` for what Gemini cannot do."""
    body = call.body
    if call.prefill:
        raise unsupported("Gemini does not go on from a broken answer")
    for name in ("logprobs", "top_logprobs", "audio"):
        if body.get(name):
            raise unsupported(f"Gemini does not know {name} by this way", name)
    system, contents = messages(body.get("messages"), signed=version(target.model) >= (3, 0))
    made: Json = {"contents": contents}
    if system:
        made["systemInstruction"] = {"parts": system}
    _tools(made, body)
    made["generationConfig"] = _config(body, target, tools="tools" in made)
    if not made["generationConfig"]:
        del made["generationConfig"]
    return made


def messages(value: Any, *, signed: bool) -> tuple[list[Json], list[Json]]:
    """(system parts, contents). `signed`: tool calls need a signature of thought (since Gemini 3)."""
    if not isinstance(value, list) or not value:
        raise bad_request("messages must be a list of at least one message", "messages")
    system: list[Json] = []
    contents: list[Json] = []
    names: dict[str, str] = {}
    for message in value:
        if not isinstance(message, dict):
            raise bad_request("each message must be an object", "messages")
        role = string(message.get("role"))
        if role in {"system", "developer"}:
            system += _parts(message.get("content"))
        elif role == "user":
            _add(contents, "user", _parts(message.get("content")))
        elif role == "assistant":
            _add(contents, "model", _parts(message.get("content")) + _calls(message, names, signed=signed))
        elif role in {"tool", "function"}:
            _add(contents, "user", [_result(message, names)])
        else:
            raise bad_request(f"unknown role {role[:40]!r}", "messages")
    if not contents:
        raise unsupported("Gemini needs at least one message that is not a system message", "messages")
    return system, contents


def _add(contents: list[Json], role: str, parts: list[Json]) -> None:
    if not parts:
        return
    if contents and contents[-1]["role"] == role:
        contents[-1] = {"role": role, "parts": contents[-1]["parts"] + parts}
    else:
        contents.append({"role": role, "parts": parts})


def _parts(content: Any) -> list[Json]:
    if content is None:
        return []
    if isinstance(content, str):
        return [{"text": content}] if content else []
    if not isinstance(content, list):
        raise bad_request("a message's content must be text or a list of parts", "messages")
    return [made for part in content if (made := _part(table(part)))]


def _part(part: Json) -> Json:
    kind = string(part.get("type"))
    if kind in {"text", "refusal"}:
        text = string(part.get("text", part.get("refusal")))
        return {"text": text} if text else {}
    if kind == "image_url":
        image = part.get("image_url")
        return _media(string(image) or string(table(image).get("url")), "image/jpeg")
    if kind == "input_audio":
        sound = table(part.get("input_audio"))
        form = _SOUNDS.get(string(sound.get("format")))
        if form is None or not string(sound.get("data")):
            raise bad_request("input_audio needs data and a format of wav or mp3", "messages")
        return {"inlineData": {"mimeType": form, "data": sound["data"]}}
    if kind == "file" and string(table(part.get("file")).get("file_data")):
        return _media(part["file"]["file_data"], "application/pdf")
    raise unsupported(f"Gemini does not take parts of type {kind[:40]!r}", "messages")


def _media(url: str, otherwise: str) -> Json:
    data = split_data_url(url)
    if data is not None:
        return {"inlineData": {"mimeType": data[0], "data": data[1]}}
    if not url.startswith(("https://", "http://")):
        raise bad_request("an image needs an http address or a data URL", "messages")
    ending = re.split(r"[?#]", url, maxsplit=1)[0].rpartition(".")[2].lower()
    return {"fileData": {"fileUri": url, "mimeType": _ENDINGS.get(ending, otherwise)}}


def _calls(message: Json, names: dict[str, str], *, signed: bool) -> list[Json]:
    parts: list[Json] = []
    for call in rows(message.get("tool_calls")):
        function = table(call.get("function"))
        name = string(function.get("name"))
        if not name:
            raise bad_request("a tool call needs a function with a name", "messages")
        names[string(call.get("id"))] = name
        part: Json = {"functionCall": {"name": name, "args": _object(function.get("arguments"), "arguments")}}
        signature = table(table(call.get("extra_content")).get("google")).get("thought_signature")
        if isinstance(signature, str) and signature:
            part["thoughtSignature"] = signature
        elif signed and not parts:  # of calls side by side the first carries it
            part["thoughtSignature"] = UNSIGNED
        parts.append(part)
    return parts


def _result(message: Json, names: dict[str, str]) -> Json:
    name = names.get(string(message.get("tool_call_id"))) or string(message.get("name"))
    if not name:
        raise bad_request("a tool's message answers no tool call of this conversation", "messages")
    return {"functionResponse": {"name": name, "response": _object(text_of(message.get("content")), "result")}}


def _object(value: Any, name: str) -> Json:
    """JSON text as an object; anything else goes under a name."""
    if isinstance(value, dict):
        return value
    text = string(value)
    if not text.strip():
        return {}
    try:
        made = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        made = text
    return made if isinstance(made, dict) else {name: made}


def _tools(made: Json, body: Json) -> None:
    declared = []
    for tool in rows(body.get("tools")):
        function = table(tool.get("function"))
        if tool.get("type") != "function" or not string(function.get("name")):
            raise unsupported(f"Gemini does not take tools of type {str(tool.get('type'))[:40]!r} by this way", "tools")
        entry: Json = {"name": function["name"], "description": string(function.get("description"))}
        if table(table(function.get("parameters")).get("properties")):  # an object without any is refused
            entry["parameters"] = convert(function["parameters"])
        declared.append(entry)
    if not declared:
        return
    made["tools"] = [{"functionDeclarations": declared}]
    choice = body.get("tool_choice")
    named = string(table(table(choice).get("function")).get("name"))
    if named:
        made["toolConfig"] = {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": [named]}}
    elif string(choice) in {"none", "required"}:
        made["toolConfig"] = {"functionCallingConfig": {"mode": "NONE" if choice == "none" else "ANY"}}


def _config(body: Json, target: Target, *, tools: bool) -> Json:
    made: Json = {}
    for ours, theirs in _SETTINGS.items():
        if body.get(ours) is not None:
            made[theirs] = body[ours]
    if "temperature" not in made and target.temperature is not None:
        made["temperature"] = target.temperature
    limit = limit_of(body, target)
    if limit is not None:
        made["maxOutputTokens"] = limit
    words = stop_words(body)
    if words:
        made["stopSequences"] = words[:5]
    made.update(_format(body, target, tools=tools))
    thinking = _thinking(string(body.get("reasoning_effort")), target.model)
    if thinking:
        made["thinkingConfig"] = thinking
    return made


_SETTINGS = {
    "temperature": "temperature",
    "top_p": "topP",
    "top_k": "topK",
    "n": "candidateCount",
    "seed": "seed",
    "presence_penalty": "presencePenalty",
    "frequency_penalty": "frequencyPenalty",
}


def _format(body: Json, target: Target, *, tools: bool) -> Json:
    asked = table(body.get("response_format"))
    if string(asked.get("type")) not in {"json_object", "json_schema"}:
        return {}
    if tools and version(target.model) < (3, 0):
        raise unsupported("this Gemini model takes either tools or a JSON format, not both", "response_format")
    made: Json = {"responseMimeType": "application/json"}
    schema = table(table(asked.get("json_schema")).get("schema"))
    if schema:
        made["responseSchema"] = convert(schema)
    return made


def _thinking(effort: str, model: str) -> Json:
    at = version(model)
    if effort not in _BUDGETS or at < (2, 5):
        return {}
    small = "flash" in model
    if at < (3, 0):
        return {"thinkingBudget": max(_BUDGETS[effort], 0 if small else 128)}  # 2.5 Pro always thinks
    if effort in {"none", "minimal"}:
        return {"thinkingLevel": "minimal" if small else "low"}
    if effort == "medium":
        return {"thinkingLevel": "medium" if small or at >= (3, 1) else "high"}
    return {"thinkingLevel": "low" if effort == "low" else "high"}


def embeddings_body(call: Call, target: Target) -> Json:
    """The batchEmbedContents body: one request for each text."""
    value = call.body.get("input")
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list) or not texts:
        raise bad_request("input must be a text or a list of texts", "input")
    if not all(isinstance(text, str) for text in texts):
        raise unsupported("Gemini embeds texts, not tokens", "input")
    name = target.model if target.model.startswith("models/") else f"models/{target.model}"
    more: Json = {}
    if call.body.get("dimensions") is not None:
        more["outputDimensionality"] = call.body["dimensions"]
    return {"requests": [{"model": name, "content": {"parts": [{"text": text}]}, **more} for text in texts]}
