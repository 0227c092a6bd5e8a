"""What the scripted provider says: texts, tool calls and JSON, all from the request alone, the same each time."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from mrblue_cli.gateway.model import Json
from mrblue_cli.gateway.providers.gemini_schema import resolve
from mrblue_cli.gateway.providers.wire import encode, rows, short_hash, string, table, text_of

_WORD = re.compile(r"\S+\s*")
_COMMAND = re.compile(
    r"(?<!\S)/(?P<name>fail|slow|pace|cut|stall|garble|unended|filter|long|reset)\b"
    r"(?:[ \t]+(?P<value>\d{1,6}(?:\.\d{1,3})?))?(?:[ \t]+@(?P<who>[\w.-]+))?"
)
_QUOTED = re.compile(r"[\"'“‘](?P<text>[^\"'“”‘’]{1,80})[\"'”’]")
_CAPITAL = re.compile(r"(?<![.!?]\s)(?<!^)\b[A-Z]\w+(?:\s[A-Z]\w+)*")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
_FORMATS = {
    "date": "2026-01-31",
    "date-time": "2026-01-31T12:00:00Z",
    "time": "12:00:00Z",
    "email": "demo@example.org",
    "uri": "https://example.org/",
    "uuid": "00000000-0000-4000-8000-000000000000",
    "ipv4": "192.0.2.1",
    "hostname": "example.org",
}
_DEFAULTS = {"fail": 503.0, "slow": 3.0, "pace": 0.05, "cut": 40.0, "stall": 10.0, "garble": 5.0}


class Orders(msgspec.Struct, frozen=True, kw_only=True):
    """What the commands in a message ask for; 0 or False: nothing."""

    fail: int = 0
    """HTTP status to answer with."""
    slow: float = 0.0
    """Seconds before the first byte."""
    pace: float = 0.0
    """Seconds between tokens of a stream."""
    cut: int = 0
    """The connection breaks after so many tokens."""
    stall: float = 0.0
    """Seconds of silence in the middle of a stream."""
    garble: int = 0
    """The chunk after so many tokens cannot be read."""
    unended: bool = False
    filter: bool = False
    long: bool = False
    reset: bool = False


def orders(text: str, provider: str, base: Orders) -> tuple[Orders, str]:
    """The commands for this provider (`/cut 40`, or `/cut 40 @name` for one alone) and the text without any command."""
    found: dict[str, Any] = {}
    for match in _COMMAND.finditer(text):
        name = match["name"]
        if match["who"] in {None, provider}:
            found[name] = float(match["value"]) if match["value"] else _DEFAULTS.get(name, 1.0)
    whole = {name: int(value) for name, value in found.items() if name in {"cut", "garble"}}
    if "fail" in found:
        whole["fail"] = int(found["fail"]) if 400 <= found["fail"] <= 599 else 503
    flags = {name: True for name in found if name in {"unended", "filter", "long", "reset"}}
    lengths = {name: min(found[name], 3600.0) for name in ("slow", "pace", "stall") if name in found}
    return msgspec.structs.replace(base, **whole, **flags, **lengths), " ".join(_COMMAND.sub(" ", text).split())


def tokens(text: str) -> list[str]:
    """The text in the units that the demo counts and streams: words with the space behind them."""
    return _WORD.findall(text) or ([text] if text else [])


def question(messages: Any) -> str:
    """The text of the last user message."""
    asked = [row for row in rows(messages) if row.get("role") == "user"]
    return text_of(asked[-1].get("content")) if asked else ""


def words_in(messages: Any) -> int:
    """Tokens of all messages, as the demo counts them."""
    return sum(len(tokens(text_of(row.get("content")))) + 3 for row in rows(messages))


def answer(messages: Any, asked: str, model: str) -> str:
    """A reply that says what it is, repeats what was asked and says how to get more."""
    last = rows(messages)[-1] if rows(messages) else {}
    if last.get("role") == "tool":
        return f"The tool answered: {text_of(last.get('content'))[:500]} That is all that the demo makes of it."
    shown = asked if len(asked) <= 300 else asked[:299].rstrip() + "…"
    count = len(asked.split())
    return (
        f"This is the demo of the mrblue gateway: {model} is a script on this machine, not an AI. "
        f"You wrote {count} {'word' if count == 1 else 'words'}: “{shown}” "
        "The same question always gets the same answer, so you can watch the cache, the failover and the budget at "
        "work. Ask again and look at the header x-mrblue-cache; write /fail 503 or /cut 40 into a message to provoke a "
        "fault. "
        "For real answers put a provider and its key into the configuration and start the gateway without --demo."
    )


def tool_calls(body: Json, asked: str) -> list[Json]:
    """Calls of the tools that the text asks for by name, or that `tool_choice` demands; none otherwise."""
    functions = [table(tool.get("function")) for tool in rows(body.get("tools")) if tool.get("type") == "function"]
    functions = [function for function in functions if string(function.get("name"))]
    choice = body.get("tool_choice")
    last = rows(body.get("messages"))[-1] if rows(body.get("messages")) else {}
    if not functions or choice == "none" or last.get("role") == "tool":
        return []
    named = string(table(table(choice).get("function")).get("name"))
    if named:
        chosen = [function for function in functions if function["name"] == named]
    else:
        chosen = [function for function in functions if _mentions(asked, function["name"])]
        if choice == "required" and not chosen:
            chosen = functions[:1]
    return [_tool_call(function, asked, index) for index, function in enumerate(chosen)]


def _mentions(asked: str, name: str) -> bool:
    plain = re.sub(r"[^a-z0-9]+", " ", asked.lower())
    wanted = re.sub(r"[^a-z0-9]+", " ", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower()).strip()
    parts = [part for part in wanted.split() if part not in {"get", "set", "the", "a"}]
    return bool(parts) and all(re.search(rf"\b{part}", plain) for part in parts)


def _tool_call(function: Json, asked: str, index: int) -> Json:
    arguments = encode({"": example(function.get("parameters"), asked)})[4:-1].decode()
    ident = f"call_{short_hash(asked, function['name'], str(index))}"
    return {"id": ident, "type": "function", "function": {"name": function["name"], "arguments": arguments}}


def json_answer(body: Json, asked: str, text: str) -> str:
    """The answer as JSON when `response_format` wants it: an example of the schema, or the text in an object."""
    form = table(body.get("response_format"))
    if form.get("type") == "json_schema":
        value = example(table(form.get("json_schema")).get("schema"), asked)
    elif form.get("type") == "json_object":
        value = {"answer": text}
    else:
        return text
    return encode({"": value})[4:-1].decode()


def example(schema: Any, asked: str) -> Any:
    """A value that fits a JSON schema (2020-12, the parts that structured outputs use), filled from the question."""
    return _example(table(schema), asked, _Root(table(schema)), "", 0)


class _Root:
    def __init__(self, schema: Json) -> None:
        self.schema = schema
        self.parts = 0


def _example(schema: Json, asked: str, root: _Root, name: str, depth: int) -> Any:
    root.parts += 1
    if depth > 24 or root.parts > 2000:  # a schema that refers to itself without an end
        return None
    if "const" in schema:
        return schema["const"]
    if isinstance(schema.get("enum"), list) and schema["enum"]:
        return next((item for item in schema["enum"] if str(item).lower() in asked.lower()), schema["enum"][0])
    if "default" in schema:
        return schema["default"]
    if isinstance(schema.get("$ref"), str):
        return _example(resolve(schema["$ref"], root.schema), asked, root, name, depth + 1)
    for key in ("anyOf", "oneOf"):
        options = [option for option in rows(schema.get(key)) if option.get("type") != "null"]
        if options:
            return _example(options[0], asked, root, name, depth + 1)
    if rows(schema.get("allOf")):
        merged: Json = {}
        for part in rows(schema["allOf"]):
            resolved = resolve(part["$ref"], root.schema) if isinstance(part.get("$ref"), str) else part
            properties = {**table(merged.get("properties")), **table(resolved.get("properties"))}
            merged = {**merged, **resolved, "properties": properties}
        return _example(merged, asked, root, name, depth + 1)
    return _typed(schema, asked, root, name, depth)


def _typed(schema: Json, asked: str, root: _Root, name: str, depth: int) -> Any:
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = next((item for item in kind if item != "null"), "null")
    kind = string(kind) or None
    if kind == "object" or (kind is None and "properties" in schema):
        properties = table(schema.get("properties"))
        needed = schema.get("required")
        wanted = [key for key in properties if depth < 12 or (isinstance(needed, list) and key in needed)]
        return {key: _example(table(properties[key]), asked, root, key, depth + 1) for key in wanted}
    if kind == "array":
        least = schema.get("minItems", 1)
        size = min(max(least if isinstance(least, int) else 1, 1 if depth < 12 else 0), 50)
        return [_example(table(schema.get("items")), asked, root, name, depth + 1) for _ in range(size)]
    if kind in {"integer", "number"}:
        return _number(schema, asked, whole=kind == "integer")
    if kind == "boolean":
        return True
    if kind == "null":
        return None
    return _string(schema, asked, name)


def _number(schema: Json, asked: str, *, whole: bool) -> float | int:
    found = _NUMBER.search(asked)
    value = float(found[0]) if found and len(found[0]) < 12 else 1.0
    low, high = schema.get("minimum", schema.get("exclusiveMinimum")), schema.get("maximum")
    if isinstance(low, int | float) and value <= low:
        value = float(low) + (1 if "exclusiveMinimum" in schema else 0)
    if isinstance(high, int | float) and value > high:
        value = float(high)
    return int(value) if whole else value


def _string(schema: Json, asked: str, name: str) -> str:
    if string(schema.get("format")) in _FORMATS:
        return _FORMATS[schema["format"]]
    found = _QUOTED.search(asked) or _CAPITAL.search(asked)
    text = (found["text"] if found and "text" in found.groupdict() else found[0]) if found else (name or "demo")
    least, most = schema.get("minLength"), schema.get("maxLength")
    if isinstance(least, int) and len(text) < least:
        text = (text + " demo" * (min(least, 10_000) // 5 + 1))[:least]
    return text[:most] if isinstance(most, int) and most >= 0 else text
