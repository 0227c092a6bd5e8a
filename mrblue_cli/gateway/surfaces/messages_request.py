"""Anthropic's Messages request as a chat completion request (Anthropic API reference, "Create a message")."""

from __future__ import annotations

from typing import Any

import msgspec

from mrblue_cli.gateway.model import Json
from mrblue_cli.gateway.surfaces.fields import bad, check, maybe, need, number, unsupported, whole

_DROPPED = frozenset({"thinking", "redacted_thinking"})
"""A thought is signed by the model that had it; no other provider can take it back."""
_EFFORT = {"low": "low", "medium": "medium", "high": "high", "xhigh": "high", "max": "high"}
"""Reasoning models everywhere know these three; not all of them know more."""


def to_chat(body: Json) -> Json:
    """The chat request. Raises `CallError`."""
    chat: Json = {"model": need(body, "model", str)}
    limit = whole(body, "max_tokens", 0)
    if limit is None:
        raise bad("max_tokens", "'max_tokens' is required.")
    if limit == 0:
        raise unsupported("max_tokens", "Filling the prompt cache with max_tokens 0")
    chat["messages"] = _conversation(body)
    chat["max_tokens"] = limit
    for key, value in (("temperature", number(body, "temperature", 0, 1)), ("top_p", number(body, "top_p", 0, 1))):
        if value is not None:
            chat[key] = value
    whole(body, "top_k", 0)  # checked and left out: chat completions do not know it
    if stops := maybe(body, "stop_sequences", list):
        chat["stop"] = [check(stop, str, f"stop_sequences.{index}") for index, stop in enumerate(stops)]
    _tools(body, chat)
    _output(body, chat)
    if user := maybe(maybe(body, "metadata", dict) or {}, "user_id", str, "metadata."):
        chat["user"] = user
    for key in ("container", "mcp_servers"):
        if body.get(key):
            raise unsupported(key, f"'{key}'")
    if maybe(body, "stream", bool):
        chat |= {"stream": True, "stream_options": {"include_usage": True}}
    return chat


def to_native(body: Json) -> Json:
    """The body for a provider that speaks this surface: without thoughts that another provider had.

    Answers made from chat carry them unsigned, and Anthropic refuses a thought that it did not sign.
    """
    turns = body.get("messages")
    if not isinstance(turns, list) or not any(_unsigned(turn) for turn in turns):
        return body
    return body | {"messages": [_signed_only(turn) if _unsigned(turn) else turn for turn in turns]}


def _unsigned(turn: Any) -> bool:
    content = turn.get("content") if isinstance(turn, dict) and turn.get("role") == "assistant" else None
    return isinstance(content, list) and any(_is_unsigned(block) for block in content)


def _is_unsigned(block: Any) -> bool:
    return isinstance(block, dict) and block.get("type") == "thinking" and not block.get("signature")


def _signed_only(turn: Json) -> Json:
    """A turn that held nothing else keeps an empty place, since turns take turns."""
    kept = [block for block in turn["content"] if not _is_unsigned(block)]
    return turn | {"content": kept or [{"type": "text", "text": "(no answer)"}]}


# Messages


def _conversation(body: Json) -> list[Json]:
    messages: list[Json] = []
    if system := _plain(body.get("system"), "system"):
        messages.append({"role": "system", "content": system})
    turns = need(body, "messages", list)
    if not turns:
        raise bad("messages", "'messages' must hold at least one message.")
    for index, turn in enumerate(turns):
        at = f"messages.{index}"
        check(turn, dict, at)
        role = need(turn, "role", str, f"{at}.")
        if role == "system":
            messages.append({"role": "system", "content": _plain(turn.get("content"), f"{at}.content")})
        elif role == "user":
            messages.extend(_user(turn, f"{at}.content"))
        elif role == "assistant":
            messages.append(_assistant(turn, f"{at}.content"))
        else:
            raise bad(f"{at}.role", f"'{at}.role' must be user or assistant; it is '{role[:40]}'.")
    return messages


def _plain(content: Any, at: str) -> str:
    """A string, or blocks of nothing but text, as one string."""
    if content is None or isinstance(content, str):
        return content or ""
    texts = []
    for index, block in enumerate(check(content, list, at)):
        place = f"{at}.{index}"
        if need(check(block, dict, place), "type", str, f"{place}.") != "text":
            raise bad(place, f"'{place}' must be a text block.")
        texts.append(_text(block, place))
    return "\n\n".join(texts)


def _text(block: Json, at: str) -> str:
    return check(block.get("text"), str, f"{at}.text")


def _blocks(content: Any, at: str) -> list[tuple[str, str, Json]]:
    """Each block of a message's content with its type and place."""
    if isinstance(content, str):
        return [("text", at, {"type": "text", "text": content})]
    if content is None:
        raise bad(at, f"'{at}' is required.")
    blocks = []
    for index, block in enumerate(check(content, list, at)):
        place = f"{at}.{index}"
        blocks.append((need(check(block, dict, place), "type", str, f"{place}."), place, block))
    return blocks


def _user(turn: Json, at: str) -> list[Json]:
    """Tool results come first, each its own message, since they must follow the calls; then what the user says.

    A chat tool message holds text only: images of a result move into the user's message behind it.
    """
    results: list[Json] = []
    parts: list[Json] = []
    for kind, place, block in _blocks(turn.get("content"), at):
        if kind == "tool_result":
            message, images = _tool_result(block, place)
            results.append(message)
            parts.extend(images)
        else:
            parts.append(_part(kind, block, place))
    if parts or not results:
        results.append({"role": "user", "content": _content(parts)})
    return results


def _content(parts: list[Json]) -> str | list[Json]:
    """Text alone as a string, which every provider takes."""
    if all(part["type"] == "text" for part in parts):
        return "\n\n".join(part["text"] for part in parts)
    return parts


def _part(kind: str, block: Json, at: str) -> Json:
    """A block as a chat content part."""
    if kind == "text":
        return {"type": "text", "text": _text(block, at)}
    if kind == "image":
        return {"type": "image_url", "image_url": {"url": _image(block, at)}}
    if kind == "document":
        source = need(block, "source", dict, f"{at}.")
        if source.get("type") == "text":
            title = maybe(block, "title", str, f"{at}.")
            words = check(source.get("data"), str, f"{at}.source.data")
            return {"type": "text", "text": f"{title}\n\n{words}" if title else words}
        raise unsupported(at, "A document that is not plain text")
    if kind == "search_result":
        head = [need(block, "title", str, f"{at}."), need(block, "source", str, f"{at}.")]
        return {"type": "text", "text": "\n".join([*head, _plain(block.get("content"), f"{at}.content")])}
    raise unsupported(at, f"A block of type '{kind[:60]}'")


def _image(block: Json, at: str) -> str:
    source = need(block, "source", dict, f"{at}.")
    kind = need(source, "type", str, f"{at}.source.")
    if kind == "base64":
        media = need(source, "media_type", str, f"{at}.source.")
        return f"data:{media};base64,{need(source, 'data', str, f'{at}.source.')}"
    if kind == "url":
        return need(source, "url", str, f"{at}.source.")
    raise unsupported(f"{at}.source", f"An image source of type '{kind[:60]}'")


def _tool_result(block: Json, at: str) -> tuple[Json, list[Json]]:
    """The tool message, and the images that it cannot hold."""
    call_id = need(block, "tool_use_id", str, f"{at}.")
    content, texts, images = block.get("content"), [], []
    for kind, place, inner in _blocks("" if content is None else content, f"{at}.content"):
        part = _part(kind, inner, place)
        if part["type"] == "text":
            texts.append(part["text"])
        else:
            images.append(part)
    words = "\n\n".join(texts)
    if maybe(block, "is_error", bool, f"{at}."):
        words = f"Error: {words}" if words else "Error"  # chat has no flag for it; the model must still learn of it
    if images:
        images.insert(0, {"type": "text", "text": f"Images from the result of tool call {call_id}:"})
        words = words or "The result is in the images that follow."
    return {"role": "tool", "tool_call_id": call_id, "content": words}, images


def _assistant(turn: Json, at: str) -> Json:
    texts: list[str] = []
    calls: list[Json] = []
    for kind, place, block in _blocks(turn.get("content"), at):
        if kind == "text":
            texts.append(_text(block, place))
        elif kind == "tool_use":
            arguments = _arguments(block, f"{place}.input")
            function = {"name": need(block, "name", str, f"{place}."), "arguments": arguments}
            calls.append({"id": need(block, "id", str, f"{place}."), "type": "function", "function": function})
        elif kind not in _DROPPED:
            raise unsupported(place, f"A block of type '{kind[:60]}'")
    message: Json = {"role": "assistant", "content": "".join(texts)}
    if calls:
        message |= {"content": message["content"] or None, "tool_calls": calls}
    return message


def _arguments(block: Json, at: str) -> str:
    try:
        return msgspec.json.encode(check(block.get("input", {}), dict, at)).decode()
    except RecursionError:
        raise bad(at, f"'{at}' is nested too deeply.") from None


# Tools and output


def _tools(body: Json, chat: Json) -> None:
    tools = []
    for index, tool in enumerate(maybe(body, "tools", list) or []):
        at = f"tools.{index}."
        check(tool, dict, at[:-1])
        kind = maybe(tool, "type", str, at) or "custom"
        if kind != "custom":
            raise unsupported(f"{at}type", f"The tool '{kind[:60]}', which Anthropic runs or defines,")
        function: Json = {"name": need(tool, "name", str, at)}
        if description := maybe(tool, "description", str, at):
            function["description"] = description
        function["parameters"] = check(tool.get("input_schema"), dict, f"{at}input_schema")
        if (strict := maybe(tool, "strict", bool, at)) is not None:
            function["strict"] = strict
        tools.append({"type": "function", "function": function})
    choice = maybe(body, "tool_choice", dict)
    if not tools:
        return
    chat["tools"] = tools
    if choice is None:
        return
    kind = need(choice, "type", str, "tool_choice.")
    if kind == "tool":
        chat["tool_choice"] = {
            "type": "function",
            "function": {"name": need(choice, "name", str, "tool_choice.")},
        }
    elif kind in {"auto", "any", "none"}:
        chat["tool_choice"] = "required" if kind == "any" else kind
    else:
        raise bad("tool_choice.type", "'tool_choice.type' must be auto, any, tool or none.")
    if maybe(choice, "disable_parallel_tool_use", bool, "tool_choice."):
        chat["parallel_tool_calls"] = False


def _output(body: Json, chat: Json) -> None:
    """How to answer: a schema to keep to, and how hard to think."""
    config = maybe(body, "output_config", dict) or {}
    at = "output_config.format"
    form = maybe(config, "format", dict, "output_config.")
    if form is None and (form := maybe(body, "output_format", dict)) is not None:  # its name while in beta
        at = "output_format"
    if form is not None:
        if need(form, "type", str, f"{at}.") != "json_schema":
            raise unsupported(f"{at}.type", "An output format other than json_schema")
        schema = check(form.get("schema"), dict, f"{at}.schema")
        described: Json = {"name": "answer", "schema": schema, "strict": _closed(schema)}
        chat["response_format"] = {"type": "json_schema", "json_schema": described}
    effort = maybe(config, "effort", str, "output_config.")
    if effort is not None and effort not in _EFFORT:
        raise bad("output_config.effort", f"'output_config.effort' must be one of {', '.join(_EFFORT)}.")
    thinking = maybe(body, "thinking", dict)
    if thinking is not None and need(thinking, "type", str, "thinking.") == "enabled":
        budget = whole({"thinking.budget_tokens": thinking.get("budget_tokens")}, "thinking.budget_tokens", 1)
        if budget is None:
            raise bad("thinking.budget_tokens", "'thinking.budget_tokens' is required.")
        chat["reasoning_effort"] = "low" if budget < 4096 else "medium" if budget < 16384 else "high"
    if effort is not None:
        chat["reasoning_effort"] = _EFFORT[effort]


def _closed(schema: Any) -> bool:
    """Whether a schema is one that OpenAI's strict mode takes: objects list all their members and allow no others.

    Anthropic's structured output also allows optional members; sent as strict such a schema would be refused.
    """
    left = [schema]  # no recursion: how deep a client nests is not ours to choose
    while left:
        inner = left.pop()
        if isinstance(inner, list):
            left.extend(inner)
        elif isinstance(inner, dict):
            if isinstance(members := inner.get("properties"), dict):
                required = inner.get("required")
                if inner.get("additionalProperties") is not False or not isinstance(required, list):
                    return False
                if not set(members) <= {name for name in required if isinstance(name, str)}:
                    return False
            left.extend(inner.values())
    return True
