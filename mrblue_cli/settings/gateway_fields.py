"""Readers of single values, and of tables made of them: each takes what a file holds and gives what an option needs."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from urllib.parse import urlsplit

import msgspec

from mrblue_cli.settings.gateway_problems import Findings, nearest, safe_name, shown

Field = Callable[[Any], Any]
Table = dict[str, Any]
S = TypeVar("S", bound=msgspec.Struct)

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
_DURATION = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,9})?)\s*(ms|s|m|h|d)")
_NUMBER = re.compile(r"[+-]?[0-9]{1,15}(\.[0-9]{1,9})?")
_WORDS = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}
_REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


class Bad(Exception):
    """A value cannot be used."""

    def __init__(self, text: str, hint: str = "") -> None:
        super().__init__(text)
        self.text = text
        self.hint = hint


class FromText(str):
    """A value that came as text for lack of types: from an environment variable."""

    __slots__ = ()


class Source(msgspec.Struct, frozen=True):
    """A table of a file, with what is needed to read it."""

    table: Table
    path: str
    found: Findings
    milliseconds: bool
    """Bare times under `failover` and `budget` are milliseconds, as in the YAML layout."""
    origins: Mapping[str, str] = {}
    """Path to the environment variable that a value came from."""

    def at(self, key: str) -> str:
        """The path of one key, as errors name it."""
        path = f"{self.path}.{key}" if self.path else key
        return self.origins.get(path, path)

    def under(self, key: str) -> Source:
        """The table below `key`; empty when there is none, or when it is no table (which is a problem)."""
        value = self.table.get(key)
        path = f"{self.path}.{key}" if self.path else key
        if value is not None and not isinstance(value, dict):
            self.found.problem(path, f"must be a table, not {shown(value)}")
            value = None
        return Source(value or {}, path, self.found, self.milliseconds, self.origins)

    def tables(self, key: str) -> list[Source]:
        """The tables listed below `key`."""
        value = self.table.get(key)
        path = f"{self.path}.{key}" if self.path else key
        if value is None:
            return []
        if not isinstance(value, list):
            self.found.problem(path, f"must be a list, not {shown(value)}")
            return []
        sources = []
        for place, item in enumerate(value):
            if isinstance(item, dict):
                sources.append(Source(item, f"{path}[{place}]", self.found, self.milliseconds, self.origins))
            else:
                self.found.problem(f"{path}[{place}]", f"must be a table, not {shown(item)}")
        return sources

    def value(self, key: str, field: Field, default: Any) -> Any:
        """One value; the default when it is missing, null or wrong (which is a problem)."""
        raw = self.table.get(key)
        if raw is None:
            return default
        try:
            return field(raw)
        except Bad as bad:
            self.found.problem(self.at(key), bad.text, bad.hint)
            return default

    def check_names(self, known: set[str]) -> None:
        """Every unknown key is a problem, with the nearest valid name."""
        for key in self.table:
            if key in known:
                continue
            path = f"{self.path}.{safe_name(key)}" if self.path else safe_name(key)
            self.found.problem(path, "there is no such option", nearest(key, known))


def build(source: Source, kind: type[S], fields: Mapping[str, Field], **given: Any) -> S:
    """The options of a table: `fields` are read, the rest is `given`. Keys that are neither are problems."""
    source.check_names({*fields, *given})
    values = {}
    for key, field in fields.items():
        missing = object()
        value = source.value(key, field, missing)
        if value is not missing:
            values[key] = value
    return kind(**values, **given)


def flag(value: Any) -> bool:
    """true or false."""
    if isinstance(value, FromText) and value.strip().lower() in _WORDS:
        return _WORDS[value.strip().lower()]
    if isinstance(value, bool):
        return value
    raise Bad(f"must be true or false, not {shown(value)}")


def number(low: float, high: float, hint: str = "") -> Field:
    """A finite number within bounds."""

    def read(value: Any) -> float:
        if isinstance(value, FromText) and _NUMBER.fullmatch(value.strip()):
            value = float(value)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise Bad(f"must be a number, not {shown(value)}", hint)
        # Bounds first: a whole number may be too large for a float.
        if not low <= value <= high or not math.isfinite(value):
            raise Bad(f"must be {_bounds(low, high)}, not {shown(value)}", hint)
        return float(value)

    return read


def whole(low: int, high: int, hint: str = "") -> Field:
    """A whole number within bounds."""
    inner = number(low, high, hint)

    def read(value: Any) -> int:
        result: float = inner(value)
        if isinstance(value, float) or not result.is_integer():
            raise Bad(f"must be a whole number, not {shown(value)}", hint)
        return int(result)

    return read


def seconds(low: float, high: float, *, milliseconds: bool = False) -> Field:
    """A length of time in seconds: a number in the layout's unit, or a text with a unit such as "1500ms" or "2m"."""
    scale = 0.001 if milliseconds else 1.0
    unit = "milliseconds" if milliseconds else "seconds"
    hint = f'bare numbers are {unit} here; "1500ms", "20s" and "5m" say it themselves'
    inner = number(low / scale, high / scale, hint)

    def read(value: Any) -> float:
        if isinstance(value, str):
            parts = _DURATION.fullmatch(value.strip())
            if parts:
                length = float(parts[1]) * _UNITS[parts[2]]
                if not low <= length <= high:
                    raise Bad(f"must be {_bounds(low, high)} seconds, not {shown(value)}")
                return length
        return float(inner(value)) * scale

    return read


def text(most: int = 200, *, empty: bool = True, pattern: str = "", what: str = "") -> Field:
    """One line of text."""
    wanted = re.compile(pattern) if pattern else None

    def read(value: Any) -> str:
        if not isinstance(value, str):
            raise Bad(f"must be a text, not {shown(value)}", "put it in quotes")
        result = str(value).strip()
        if not result.isprintable() or len(result) > most or not (result or empty):
            raise Bad(f"must be one line of {'at most' if empty else '1 to'} {most} characters, not {shown(result)}")
        if result and wanted is not None and not wanted.fullmatch(result):
            raise Bad(f"must be {what}, not {shown(result)}")
        return result

    return read


def choice(*names: str) -> Field:
    """One of a few words."""

    def read(value: Any) -> str:
        if not isinstance(value, str) or str(value).strip() not in names:
            raise Bad(f"must be one of {', '.join(names)}, not {shown(value)}", _only_near(value, names))
        return str(value).strip()

    return read


def url(*schemes: str, words: tuple[str, ...] = ()) -> Field:
    """An address without credentials and fragment; or one of `words`, or empty."""

    def read(value: Any) -> str:
        line: str = text(2000)(value)
        if not line or line in words:
            return line
        try:
            parts = urlsplit(line)
            host, _ = parts.hostname, parts.port
        except ValueError:
            raise Bad(f"is not an address: {shown(line)}") from None
        if parts.scheme not in schemes or not host or re.search(r"[\s\\<>\"]", line):
            kinds = ", ".join(f"{scheme}://" for scheme in schemes)
            raise Bad(f"must be an address that begins with {kinds}, not {shown(line)}")
        if parts.username is not None or parts.password is not None:
            raise Bad("an address with a user or password in it", "keep secrets out of the file: see docs/config.md")
        if parts.fragment or line.endswith("#"):
            raise Bad("an address with a '#' part, which would never be sent")
        if re.search(r"(?i)(^|[&?])(key|api[-_]?key|token|access_token|secret|password)=", parts.query):
            raise Bad("an address with a key in it", "name the variable that holds it in key_variables")
        return line

    return read


def reference(value: str) -> str | None:
    """The variable's name of a `${NAME}` text, else None."""
    found = _REFERENCE.fullmatch(value.strip())
    return found[1] if found else None


def _bounds(low: float, high: float) -> str:
    return f"{low:g} to {high:g}" if math.isfinite(high) else f"at least {low:g}"


def _only_near(value: Any, names: tuple[str, ...]) -> str:
    hint = nearest(value, names) if isinstance(value, str) else ""
    return hint if hint.startswith("did") else ""
