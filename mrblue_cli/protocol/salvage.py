"""Reads a server event that almost fits: what does not fit is dropped, the rest is kept.

Compatible servers put null, a number or a string where the specification has something else. Losing a whole
`response.done` for one null would leave a client waiting for ever (huggingface/speech-to-speech#416 is such a case).
"""

from __future__ import annotations

import re
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")
MAX_REPAIRS = 50
"""A bound against hostile text; each repair reads the event once more."""
_AT = re.compile(r" - at `\$(?P<path>[^`]*)`")
_STEP = re.compile(r"\.(?P<name>[^.\[\]]+)|\[(?P<index>\d+)\]|(?P<any>\[\.\.\.\])")


def salvage(table: dict[str, Any], kind: type[T]) -> T | None:
    """Read `table` as `kind` without the values that do not fit; None when what is left is no such event."""
    if isinstance(table.get("error"), str):
        table = {**table, "error": {"message": table["error"]}}
    for _ in range(MAX_REPAIRS):
        try:
            return msgspec.convert(table, kind, strict=False)
        except msgspec.ValidationError as error:
            path = _path_of(str(error))
            if not path:
                return None
            table = _without(table, path)
    return None


def _path_of(text: str) -> list[str | int]:
    """The way to the value at fault; it ends before a step that the error does not name."""
    at = _AT.search(text)
    path: list[str | int] = []
    for step in _STEP.finditer(at["path"] if at else ""):
        if step["any"]:
            break
        path.append(step["name"] if step["name"] is not None else int(step["index"]))
    return path


def _without(value: Any, path: list[str | int]) -> Any:
    """A copy of `value` that lacks what stands at `path`; nothing else is copied or changed."""
    head, rest = path[0], path[1:]
    if isinstance(value, dict) and head in value:
        if rest:
            return {**value, head: _without(value[head], rest)}
        return {name: inner for name, inner in value.items() if name != head}
    if isinstance(value, list) and isinstance(head, int) and head < len(value):
        return [*value[:head], *([_without(value[head], rest)] if rest else []), *value[head + 1 :]]
    return value
