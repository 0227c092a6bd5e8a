"""A chat body as a body of Anthropic's Messages API (version 2023-06-01)."""

from __future__ import annotations

from typing import Any

from mrblue_cli.gateway.model import Call, Json, Target
from mrblue_cli.gateway.providers.anthropic_messages import convert
from mrblue_cli.gateway.providers.anthropic_models import Claude, claude
from mrblue_cli.gateway.providers.compatible import schema_text
from mrblue_cli.gateway.providers.wire import bad_request, bounded, rows, stop_words, string, table, unsupported

JSON_TOOL = "answer_in_json"
"""The tool that older models are made to call when the client wants a schema; its input is the answer's text."""

_BUDGETS = {"minimal": 1024, "low": 2048, "medium": 8192, "high": 16384, "xhigh": 24576, "max": 32768}
_EFFORTS = {"minimal": "low", "low": "low", "medium": "medium", "high": "high", "xhigh": "xhigh", "max": "max"}
_LEAST_BUDGET = 1024
_SCHEMA_WORDS = frozenset(
    {"type", "required", "enum", "const", "$ref", "description", "title", "default"}  # those with parts stand below
)
_FORMATS = frozenset({"date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"})


def chat_body(call: Call, target: Target) -> Json:
    """The Messages body. Raises `CallError` for what Claude cannot do or the model does not take."""
    body, model = call.body, claude(target.model)
    _check(body)
    system, messages = convert(body.get("messages"))
    made: Json = {"model": target.model, "max_tokens": 0, "messages": messages}
    asked = body.get("max_completion_tokens")
    limit = bounded(asked if asked is not None else body.get("max_tokens"), target)
    made["max_tokens"] = limit if limit is not None else model.output
    _tools(made, body)
    _format(made, body, model, system)
    _thinking(made, body, model, grow=limit is None)
    _sampling(made, body, model, target)
    if system:
        made["system"] = system
    words = [word for word in stop_words(body) if isinstance(word, str) and word.strip()]  # blank ones are refused
    if words:
        made["stop_sequences"] = words
    user = string(body.get("user") or body.get("safety_identifier"))
    if user:
        made["metadata"] = {"user_id": user[:256]}
    if call.stream:
        made["stream"] = True
    go_on(made, call, model)
    return made


def _check(body: Json) -> None:
    many = body.get("n")
    if isinstance(many, int) and many > 1:
        raise unsupported("Claude gives one answer at a time", "n")
    for name in ("logprobs", "top_logprobs", "audio"):
        if body.get(name):
            raise unsupported(f"Claude does not know {name}", name)
    modes = body.get("modalities")
    if isinstance(modes, list) and "audio" in modes:
        raise unsupported("Claude does not speak", "modalities")


def go_on(made: Json, call: Call, model: Claude) -> None:
    """Adds a broken answer to be continued, and holds what a client left at the end to the rules."""
    messages: list[Json] = made["messages"]
    if call.prefill:
        # Neither thinking nor a forced form goes with the beginning of an answer in plain text.
        forced = "format" in table(made.get("output_config")) or "tool" in table(made.get("tool_choice")).values()
        if not model.prefill or "thinking" in made or forced:
            raise unsupported(f"{made['model']} does not go on from a broken answer")
        messages = [*messages, {"role": "assistant", "content": call.prefill}]
    last = messages[-1]
    if last.get("role") == "assistant":
        if not model.prefill:
            raise unsupported(f"{made['model']} does not take a conversation that ends with the assistant", "messages")
        messages = [*messages[:-1], {**last, "content": _without_blank_end(last.get("content"))}]
    made["messages"] = messages


def _without_blank_end(content: Any) -> Any:
    """The API refuses blanks at the end of what it is to continue."""
    if isinstance(content, str):
        return content.rstrip()
    if isinstance(content, list) and content and table(content[-1]).get("type") == "text":
        return [*content[:-1], {**content[-1], "text": string(content[-1].get("text")).rstrip()}]
    return content


def _tools(made: Json, body: Json) -> None:
    tools = []
    for tool in rows(body.get("tools")):
        function = table(tool.get("function"))
        if tool.get("type") != "function" or not string(function.get("name")):
            raise unsupported(f"Claude does not take tools of type {str(tool.get('type'))[:40]!r} by this way", "tools")
        schema = {"type": "object", "properties": {}, **table(function.get("parameters"))}
        entry: Json = {"name": function["name"], "input_schema": schema}
        if string(function.get("description")):
            entry["description"] = function["description"]
        if isinstance(tool.get("cache_control"), dict):
            entry["cache_control"] = tool["cache_control"]
        tools.append(entry)
    if not tools:
        _past_tools(made)
        return
    made["tools"] = tools
    choice = body.get("tool_choice")
    name = string(table(table(choice).get("function")).get("name"))
    if name:
        picked: Json = {"type": "tool", "name": name}
    elif choice is None or string(choice) in {"auto", "required", "none"}:
        picked = {"type": {"required": "any", "none": "none"}.get(string(choice), "auto")}
    else:
        raise unsupported("Claude does not know this tool_choice", "tool_choice")
    if body.get("parallel_tool_calls") is False and picked["type"] != "none":
        picked["disable_parallel_tool_use"] = True
    if picked != {"type": "auto"}:
        made["tool_choice"] = picked


def _past_tools(made: Json) -> None:
    """Tools that were called earlier must be declared, also when none is offered now."""
    blocks = [block for turn in made["messages"] for block in turn["content"] if block["type"] == "tool_use"]
    names = sorted({block["name"] for block in blocks})
    if names:
        made["tools"] = [{"name": name, "input_schema": {"type": "object", "properties": {}}} for name in names]
        made["tool_choice"] = {"type": "none"}


def _format(made: Json, body: Json, model: Claude, system: list[Json]) -> None:
    asked = table(body.get("response_format"))
    if asked.get("type") == "json_object":
        system.append({"type": "text", "text": "Answer with one JSON object and nothing else."})
    if asked.get("type") != "json_schema":
        return
    described = table(asked.get("json_schema"))
    schema = table(described.get("schema"))
    if not schema:
        raise bad_request("response_format needs a schema", "response_format")
    if model.schema:
        try:
            closed = strict(schema)
        except RecursionError as error:
            raise bad_request("the schema is nested too deep", "response_format") from error
        made["output_config"] = {"format": {"type": "json_schema", "schema": closed}}
    elif "tools" in made:  # the tool for JSON would keep the others from being called
        system.append({"type": "text", "text": schema_text(schema)})
    else:
        about = string(described.get("description")) or "Gives the answer."
        made["tools"] = [{"name": JSON_TOOL, "description": about, "input_schema": {"type": "object", **schema}}]
        made["tool_choice"] = {"type": "tool", "name": JSON_TOOL}


def strict(schema: Any) -> Any:
    """The schema in the words that structured outputs know: bounds and patterns go, objects are closed."""
    if isinstance(schema, list):
        return [strict(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    made: Json = {}
    for word, value in schema.items():
        if word in {"properties", "$defs", "definitions"}:
            made[word] = {name: strict(part) for name, part in table(value).items()}
        elif word in {"items", "anyOf", "allOf"}:
            made[word] = strict(value)
        elif word == "oneOf":
            made["anyOf"] = strict(value)
        elif word == "format":
            if string(value) in _FORMATS:
                made[word] = value
        elif word in _SCHEMA_WORDS:
            made[word] = value
    kind = made.get("type")
    if kind == "object" or (isinstance(kind, list) and "object" in kind) or "properties" in made:
        made["additionalProperties"] = False
    return made


def _thinking(made: Json, body: Json, model: Claude, *, grow: bool) -> None:
    """`reasoning_effort` in Claude's terms. A client's own `thinking` passes where the model takes it."""
    own, effort = table(body.get("thinking")), string(body.get("reasoning_effort"))
    forced = table(made.get("tool_choice")).get("type") in {"any", "tool"}
    if own and not forced:
        made["thinking"] = own
    elif effort in _EFFORTS and model.adaptive:
        said = _EFFORTS[effort]
        made.setdefault("output_config", {})["effort"] = "high" if said == "xhigh" and not model.extra_effort else said
        if not forced:  # thinking goes only with a free choice of tools
            made["thinking"] = {"type": "adaptive"}
    elif effort in _BUDGETS and model.budget and not forced and not _in_tool_turn(made["messages"]):
        budget = _BUDGETS[effort]
        if grow:
            made["max_tokens"] += budget
        budget = min(budget, made["max_tokens"] - 512)
        if budget >= _LEAST_BUDGET:
            made["thinking"] = {"type": "enabled", "budget_tokens": budget}


def _in_tool_turn(messages: list[Json]) -> bool:
    """True between a tool's result and the answer: there the API wants the old thinking, which chat cannot carry."""
    last = messages[-1]
    return last["role"] == "user" and any(table(block).get("type") == "tool_result" for block in last["content"])


def _sampling(made: Json, body: Json, model: Claude, target: Target) -> None:
    if not model.sampling or string(table(made.get("thinking")).get("type")) in {"enabled", "adaptive"}:
        return
    heat = body.get("temperature")
    heat = target.temperature if heat is None else heat
    if isinstance(heat, int | float) and not isinstance(heat, bool):
        made["temperature"] = max(0.0, min(1.0, heat))  # OpenAI's goes up to 2
    if body.get("top_p") is not None and not (model.one_sampler and "temperature" in made):
        made["top_p"] = body["top_p"]
    if body.get("top_k") is not None:
        made["top_k"] = body["top_k"]
