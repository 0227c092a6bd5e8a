"""Reading a client's JSON with care: the value of the right type, or a `CallError` that names the place."""

from __future__ import annotations

import math
from typing import Any, TypeVar

from mrblue_cli.gateway.model import CallError, Fault, FaultKind, Json

T = TypeVar("T")

_NAMES: dict[type, str] = {str: "a string", bool: "true or false", int: "an integer", list: "a list", dict: "an object"}


def bad(param: str, message: str) -> CallError:
    """The request is wrong at `param`; no provider would do better."""
    return CallError(
        Fault(kind=FaultKind.BAD_REQUEST, message=message, type="invalid_request_error", param=param or None)
    )


def unsupported(param: str, what: str) -> CallError:
    """The request is fine, but chat completions cannot say it; a provider that speaks the surface natively can."""
    message = f"{what} cannot be translated to chat completions; it needs a provider that speaks this API natively."
    return CallError(
        Fault(
            kind=FaultKind.UNSUPPORTED,
            message=message,
            type="invalid_request_error",
            code="unsupported_parameter",
            param=param or None,
        )
    )


def check(value: Any, kind: type[T], param: str) -> T:
    """`value` when it is of JSON type `kind`. A boolean is no integer here. Raises `CallError`."""
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise bad(param, f"'{param}' must be {_NAMES[kind]}.")
    return value


def maybe(body: Json, key: str, kind: type[T], at: str = "") -> T | None:
    """The value of an optional field; null counts as absent. Raises `CallError`."""
    value = body.get(key)
    return None if value is None else check(value, kind, at + key)


def need(body: Json, key: str, kind: type[T], at: str = "") -> T:
    """The value of a required field; an empty string counts as missing. Raises `CallError`."""
    value = body.get(key)
    if value is None or value == "":
        raise bad(at + key, f"'{at}{key}' is required.")
    return check(value, kind, at + key)


def number(body: Json, key: str, low: float = -math.inf, high: float = math.inf) -> float | None:
    """An optional finite number within bounds. Raises `CallError`."""
    value = body.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise bad(key, f"'{key}' must be a number.")
    if not low <= value <= high:
        raise bad(key, f"'{key}' must be {_bounds(low, high)}.")
    return value


def whole(body: Json, key: str, low: int, high: float = math.inf) -> int | None:
    """An optional integer within bounds. Raises `CallError`."""
    value = maybe(body, key, int)
    if value is not None and not low <= value <= high:
        raise bad(key, f"'{key}' must be {_bounds(low, high)}.")
    return value


def objects(values: list[Any], param: str) -> list[Json]:
    """A list whose members are all objects. Raises `CallError` naming the member."""
    for index, value in enumerate(values):
        if not isinstance(value, dict):
            raise bad(f"{param}[{index}]", f"'{param}[{index}]' must be an object.")
    return values


def _bounds(low: float, high: float) -> str:
    if math.isinf(high):
        return f"at least {low:g}"
    return f"at most {high:g}" if math.isinf(low) else f"between {low:g} and {high:g}"


# A provider's JSON, where nothing may raise: what is not of the right type counts as absent.


def table(value: Any) -> Json:
    """`value` if it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def rows(value: Any) -> list[Json]:
    """The objects in `value` if it is a list, else none."""
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []


def text(value: Any) -> str:
    """`value` if it is a string, else an empty one."""
    return value if isinstance(value, str) else ""


def count(value: Any) -> int:
    """`value` as a count of tokens: a whole number of at least 0, else 0."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return 0
    return max(0, int(value))
