"""OpenAI's Responses request as a chat completion request (OpenAI API reference, "Create a model response")."""

from __future__ import annotations

from typing import Any

from mrblue_cli.gateway.model import Json
from mrblue_cli.gateway.surfaces.fields import bad, check, maybe, need, number, objects, unsupported, whole
from mrblue_cli.gateway.surfaces.ids import OURS

_STATE = {
    "previous_response_id": "A response that goes on from a stored one",
    "conversation": "A stored conversation",
    "background": "A response in the background",
    "prompt": "A stored prompt",
}
_ROLES = {"user": "user", "assistant": "assistant", "system": "system", "developer": "system"}
"""`developer` is known to OpenAI alone, and it reads `system` the same way."""
_EFFORTS = frozenset({"none", "minimal", "low", "medium", "high", "xhigh", "max"})


def to_chat(body: Json) -> Json:
    """The chat request. Raises `CallError`."""
    for key, what in _STATE.items():
        if body.get(key):
            raise unsupported(key, what)
    chat: Json = {"model": need(body, "model", str), "messages": _conversation(body)}
    if limit := whole(body, "max_output_tokens", 1):
        chat["max_tokens"] = limit
    for key, value in (("temperature", number(body, "temperature", 0, 2)), ("top_p", number(body, "top_p", 0, 1))):
        if value is not None:
            chat[key] = value
    maybe(body, "metadata", dict)  # echoed by the answer; chat providers other than OpenAI refuse it
    _tools(body, chat)
    _output(body, chat)
    if user := (maybe(body, "safety_identifier", str) or maybe(body, "user", str)):
        chat["user"] = user
    if maybe(body, "stream", bool):
        chat |= {"stream": True, "stream_options": {"include_usage": True}}
    return chat


def to_native(body: Json) -> Json:
    """The body for a provider that speaks this surface: without the ids that we gave, which it would look up in vain.

    Raises `CallError` for a request that goes on from a response of ours: nobody has stored it.
    """
    before = body.get("previous_response_id")
    if isinstance(before, str) and before.startswith(f"resp_{OURS}"):
        message = "This response was not stored by its provider; send the whole conversation as 'input' instead."
        raise bad("previous_response_id", message)
    items = body.get("input")
    if not isinstance(items, list) or not any(_ours(item) for item in items):
        return body
    kept = [_without_id(item) if _ours(item) else item for item in items]
    return body | {"input": [item for item in kept if item is not None]}


def _ours(item: Any) -> bool:
    name = item.get("id") if isinstance(item, dict) else None
    return isinstance(name, str) and name.partition("_")[2].startswith(OURS)


def _without_id(item: Json) -> Json | None:
    """None for a thought: another model had it."""
    if item.get("type") == "reasoning":
        return None
    return {key: value for key, value in item.items() if key != "id"}


# Input


class _Conversation:
    """Chat messages from items; what belongs to one turn is spread over several items."""

    def __init__(self) -> None:
        self.messages: list[Json] = []
        self._images: list[Json] = []

    def add(self, message: Json) -> None:
        self.flush()
        self.messages.append(message)

    def call(self, call: Json) -> None:
        """A call joins the assistant's message before it: chat wants all calls of a turn in one message."""
        last = self.messages[-1] if self.messages else {}
        if last.get("role") != "assistant" or self._images:
            self.add({"role": "assistant", "content": None})
        message = self.messages[-1]
        message.setdefault("tool_calls", []).append(call)
        message["content"] = message["content"] or None

    def result(self, message: Json, images: list[Json]) -> None:
        """A chat tool message holds text only: images wait for the end of the results."""
        self.messages.append(message)
        if images:
            note = f"Images from the result of tool call {message['tool_call_id']}:"
            self._images += [{"type": "text", "text": note}, *images]

    def flush(self) -> None:
        if self._images:
            self.messages.append({"role": "user", "content": self._images})
            self._images = []


def _conversation(body: Json) -> list[Json]:
    talk = _Conversation()
    if instructions := maybe(body, "instructions", str):
        talk.add({"role": "system", "content": instructions})
    given = body.get("input")
    if given is None:
        raise bad("input", "'input' is required.")
    if isinstance(given, str):
        talk.add({"role": "user", "content": given})
    elif not isinstance(given, list) or not given:
        raise bad("input", "'input' must be a string or a list of at least one item.")
    else:
        for index, item in enumerate(objects(given, "input")):
            _item(talk, item, f"input[{index}]")
    talk.flush()
    return talk.messages


def _item(talk: _Conversation, item: Json, at: str) -> None:
    kind = maybe(item, "type", str, f"{at}.") or ("message" if "role" in item else "")
    if kind == "message":
        talk.add(_message(item, at))
    elif kind == "function_call":
        function = {"name": need(item, "name", str, f"{at}.")}
        function["arguments"] = check(item.get("arguments", ""), str, f"{at}.arguments")
        talk.call({"id": need(item, "call_id", str, f"{at}."), "type": "function", "function": function})
    elif kind == "function_call_output":
        call_id = need(item, "call_id", str, f"{at}.")
        texts, images = _output_parts(item.get("output"), f"{at}.output")
        words = "\n\n".join(texts) or ("The result is in the images that follow." if images else "")
        talk.result({"role": "tool", "tool_call_id": call_id, "content": words}, images)
    elif kind == "reasoning":
        return  # a thought is of use to the model alone that had it
    elif not kind:
        raise bad(f"{at}.type", f"'{at}' needs a 'type', or a 'role' if it is a message.")
    else:
        raise unsupported(at, f"An input item of type '{kind[:60]}'")


def _message(item: Json, at: str) -> Json:
    role = need(item, "role", str, f"{at}.")
    if role not in _ROLES:
        raise bad(f"{at}.role", f"'{at}.role' must be one of {', '.join(_ROLES)}; it is '{role[:40]}'.")
    content = item.get("content")
    if isinstance(content, str):
        return {"role": _ROLES[role], "content": content}
    if not isinstance(content, list):
        raise bad(f"{at}.content", f"'{at}.content' must be a string or a list of content parts.")
    parts = [_part(part, f"{at}.content[{index}]") for index, part in enumerate(objects(content, f"{at}.content"))]
    if all(part["type"] == "text" for part in parts):
        glue = "" if role == "assistant" else "\n\n"
        return {"role": _ROLES[role], "content": glue.join(part["text"] for part in parts)}
    if role != "user":
        raise bad(f"{at}.content", f"'{at}.content' may hold nothing but text, since its role is {role}.")
    return {"role": "user", "content": parts}


def _part(part: Json, at: str) -> Json:
    """A content part in chat's shape."""
    kind = need(part, "type", str, f"{at}.")
    if kind in {"input_text", "output_text", "text", "refusal"}:
        key = "refusal" if kind == "refusal" else "text"
        return {"type": "text", "text": check(part.get(key), str, f"{at}.{key}")}
    if kind == "input_image":
        if part.get("file_id"):
            raise unsupported(f"{at}.file_id", "An image that is stored as a file")
        image = {"url": need(part, "image_url", str, f"{at}.")}
        if (detail := maybe(part, "detail", str, f"{at}.")) in {"low", "high"}:  # auto is the default
            image["detail"] = detail
        return {"type": "image_url", "image_url": image}
    if kind == "input_audio":
        return {"type": "input_audio", "input_audio": need(part, "input_audio", dict, f"{at}.")}
    raise unsupported(at, f"A content part of type '{kind[:60]}'")


def _output_parts(output: Any, at: str) -> tuple[list[str], list[Json]]:
    """The text and the images of a function's result."""
    if isinstance(output, str):
        return [output], []
    if not isinstance(output, list):
        raise bad(at, f"'{at}' must be a string or a list of content parts.")
    parts = [_part(part, f"{at}[{index}]") for index, part in enumerate(objects(output, at))]
    texts = [part["text"] for part in parts if part["type"] == "text"]
    return texts, [part for part in parts if part["type"] != "text"]


# Tools and output


def _tools(body: Json, chat: Json) -> None:
    tools = []
    for index, tool in enumerate(objects(maybe(body, "tools", list) or [], "tools")):
        at = f"tools[{index}]."
        kind = need(tool, "type", str, at)
        if kind != "function":
            raise unsupported(f"{at}type", f"The tool '{kind[:60]}', which is no function,")
        function: Json = {"name": need(tool, "name", str, at)}
        for key, value in (
            ("description", maybe(tool, "description", str, at)),
            ("parameters", maybe(tool, "parameters", dict, at)),
            ("strict", maybe(tool, "strict", bool, at)),
        ):
            if value is not None:
                function[key] = value
        tools.append({"type": "function", "function": function})
    parallel, choice = maybe(body, "parallel_tool_calls", bool), body.get("tool_choice")
    if choice is not None and not isinstance(choice, str | dict):
        raise bad("tool_choice", "'tool_choice' must be a string or an object.")
    if tools and isinstance(choice, dict) and choice.get("type") == "allowed_tools":
        tools, choice = _allowed(tools, choice)
    if not tools:
        return  # chat refuses a choice among no tools
    chat["tools"] = tools
    if parallel is not None:
        chat["parallel_tool_calls"] = parallel
    if isinstance(choice, dict):
        kind = need(choice, "type", str, "tool_choice.")
        if kind != "function":
            raise unsupported("tool_choice", f"A tool choice of type '{kind[:60]}'")
        name = need(choice, "name", str, "tool_choice.")
        chat["tool_choice"] = {"type": "function", "function": {"name": name}}
    elif choice is not None:
        if choice not in {"auto", "none", "required"}:
            raise bad("tool_choice", "'tool_choice' must be auto, none, required or an object.")
        chat["tool_choice"] = choice


def _allowed(tools: list[Json], choice: Json) -> tuple[list[Json], str]:
    """Chat elsewhere than at OpenAI has no list of allowed tools: the others are left out."""
    mode = need(choice, "mode", str, "tool_choice.")
    allowed = objects(need(choice, "tools", list, "tool_choice."), "tool_choice.tools")
    names = {name for tool in allowed if isinstance(name := tool.get("name"), str)}
    return [tool for tool in tools if tool["function"]["name"] in names], mode


def _output(body: Json, chat: Json) -> None:
    form = maybe(maybe(body, "text", dict) or {}, "format", dict, "text.")
    kind = "text" if form is None else need(form, "type", str, "text.format.")
    if kind == "json_object":
        chat["response_format"] = {"type": "json_object"}
    elif form is not None and kind == "json_schema":
        described: Json = {"name": need(form, "name", str, "text.format.")}
        described["schema"] = check(form.get("schema"), dict, "text.format.schema")
        for key, value in (
            ("description", maybe(form, "description", str, "text.format.")),
            ("strict", maybe(form, "strict", bool, "text.format.")),
        ):
            if value is not None:
                described[key] = value
        chat["response_format"] = {"type": "json_schema", "json_schema": described}
    elif kind != "text":
        raise bad("text.format.type", "'text.format.type' must be text, json_object or json_schema.")
    effort = maybe(maybe(body, "reasoning", dict) or {}, "effort", str, "reasoning.")
    if effort is not None:
        if effort not in _EFFORTS:
            raise bad("reasoning.effort", f"'reasoning.effort' must be one of {', '.join(sorted(_EFFORTS))}.")
        chat["reasoning_effort"] = effort
    top = whole(body, "top_logprobs", 0, 20)
    if top or "message.output_text.logprobs" in (maybe(body, "include", list) or []):
        chat["logprobs"] = True
        if top:
            chat["top_logprobs"] = top
