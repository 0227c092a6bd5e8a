"""JSON schema as Gemini's `Schema` (a part of OpenAPI 3.0): references are put in, the unknown is left out."""

from __future__ import annotations

from typing import Any

from mrblue_cli.gateway.model import Json
from mrblue_cli.gateway.providers.wire import rows, string, table, unsupported

_PLAIN = frozenset(
    {"title", "description", "maxItems", "minItems", "minLength", "maxLength", "pattern", "minimum", "maximum"}
    | {"minProperties", "maxProperties", "nullable", "example"}
)
_FORMATS = {"STRING": {"enum", "date-time"}, "NUMBER": {"float", "double"}, "INTEGER": {"int32", "int64"}}
_TYPES = frozenset({"STRING", "NUMBER", "INTEGER", "BOOLEAN", "ARRAY", "OBJECT"})
MAX_DEPTH = 32
MAX_PARTS = 5000
"""A small schema can unfold to a huge one when its references branch."""


def convert(schema: Any) -> Json:
    """The schema in Gemini's words. Raises `CallError` (UNSUPPORTED) when it refers to itself: Gemini has no names."""
    return _convert(table(schema), _Root(table(schema)), 0)


class _Root:
    def __init__(self, schema: Json) -> None:
        self.schema = schema
        self.parts = 0


def _convert(schema: Json, root: _Root, depth: int) -> Json:
    root.parts += 1
    if depth > MAX_DEPTH or root.parts > MAX_PARTS:
        raise unsupported(
            "Gemini does not take a schema that contains itself, or is as large as this", "response_format"
        )
    if isinstance(schema.get("$ref"), str):
        rest = {name: value for name, value in schema.items() if name != "$ref"}
        return _convert({**resolve(schema["$ref"], root.schema), **rest}, root, depth + 1)
    schema = _merged(schema, root)
    made: Json = {name: schema[name] for name in _PLAIN if schema.get(name) is not None}
    kind = _type(schema, made)
    options = rows(schema.get("anyOf")) or rows(schema.get("oneOf"))
    if options:
        _choice(made, options, root, depth)
    if kind:
        made["type"] = kind
    _values(made, schema, kind)
    if kind == "OBJECT":
        _object(made, schema, root, depth)
    elif kind == "ARRAY":
        made["items"] = _convert(table(schema.get("items")), root, depth + 1) or {"type": "STRING"}
    form = string(schema.get("format"))
    if form in _FORMATS.get(kind, ()):
        made["format"] = form
    return made


def resolve(ref: str, root: Json) -> Json:
    """What a reference inside the document points to (RFC 6901); empty for any other."""
    place: Any = root
    for step in ref.removeprefix("#").strip("/").split("/"):
        if step:
            place = table(place).get(step.replace("~1", "/").replace("~0", "~"))
    return table(place)


def _merged(schema: Json, root: _Root) -> Json:
    """`allOf` as one schema: the parts' properties side by side, for the rest the last word counts."""
    if "allOf" not in schema:
        return schema
    made = {name: value for name, value in schema.items() if name != "allOf"}
    for part in rows(schema.get("allOf")):
        base = resolve(part["$ref"], root.schema) if isinstance(part.get("$ref"), str) else {}
        whole = {name: value for name, value in {**base, **part}.items() if name not in {"$ref", "allOf"}}
        needed = [*_list(made.get("required")), *_list(whole.get("required"))]
        properties = {**table(made.get("properties")), **table(whole.get("properties"))}
        made = {**made, **whole, **({"properties": properties, "required": needed} if properties else {})}
    return made


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _type(schema: Json, made: Json) -> str:
    kind = schema.get("type")
    if isinstance(kind, list):
        if "null" in kind:
            made["nullable"] = True
        kind = next((item for item in kind if item != "null"), "")
    kind = string(kind).upper()
    if not kind:
        kind = "OBJECT" if "properties" in schema else "ARRAY" if "items" in schema else ""
    if not kind and ("const" in schema or schema.get("enum")):
        kind = "STRING"
    return kind if kind in _TYPES else ""


def _choice(made: Json, options: list[Json], root: _Root, depth: int) -> None:
    some = [option for option in options if option.get("type") != "null"]
    if len(some) < len(options):
        made["nullable"] = True
    parts = [_convert(option, root, depth + 1) for option in some]
    if len(parts) == 1:
        made.update({**parts[0], **made})
    elif parts:
        made["anyOf"] = parts


def _values(made: Json, schema: Json, kind: str) -> None:
    """Only texts can be enumerated there; numbers that are one of a few become plain numbers."""
    values = [schema["const"]] if "const" in schema else schema.get("enum")
    if isinstance(values, list) and kind == "STRING":
        made["enum"] = [value for value in values if isinstance(value, str)]
        if not made["enum"]:
            del made["enum"]


def _object(made: Json, schema: Json, root: _Root, depth: int) -> None:
    properties = {
        name: _convert(table(part), root, depth + 1) for name, part in table(schema.get("properties")).items()
    }
    if not properties:
        return
    made["properties"] = properties
    made["propertyOrdering"] = list(properties)  # else the answer's members come in the order of the alphabet
    needed = schema.get("required")
    kept = [name for name in needed if name in properties] if isinstance(needed, list) else []
    if kept:
        made["required"] = kept
