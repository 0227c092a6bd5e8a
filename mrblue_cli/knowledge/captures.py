"""Values taken from an error text and put into steps.

The text is anybody's. A value is limited to the characters of its kind, may not begin like an option, and is quoted
for the shell before it enters a step: an error message must never smuggle a command into what a person pastes.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping

_KINDS = {
    "port": r"\d{2,5}",
    "number": r"\d{1,12}",
    "code": r"\d{1,5}",
    "host": r"(?:[A-Za-z0-9][A-Za-z0-9.-]{0,252}|\[?[0-9A-Fa-f:]{2,39}\]?|::|\*)",
    "package": r"@?[A-Za-z0-9_][A-Za-z0-9._/-]{0,120}",
    "module": r"[A-Za-z0-9_@~.][A-Za-z0-9_./@-]{0,160}",
    "file": r"[A-Za-z0-9_./~@][A-Za-z0-9_./@~+ -]{0,200}?",
    "path": r"[A-Za-z0-9_./~@][A-Za-z0-9_./@~+-]{0,200}",
    "user": r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}",
    "name": r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,120}",
    "version": r"[0-9][0-9A-Za-z.+-]{0,40}",
    "url": r"https?://[A-Za-z0-9][A-Za-z0-9.:/_~-]{0,200}",
    "command": r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}",
    "branch": r"[A-Za-z0-9_][A-Za-z0-9_./-]{0,120}",
    "text": r"[^\n]{0,160}?",
}
NEVER_IN_STEPS = frozenset({"text"})
"""`{text}` stands for anything on the line: too loose to enter a command."""
KINDS = frozenset(_KINDS)
"""The names that may stand in braces; a digit may follow (`{file2}`)."""

FIELD = re.compile(r"\{([a-z]+)(\d?)\}")
_LOOSE = {
    "port": re.compile(r"\bport\W{0,3}(\d{2,5})\b|:(\d{2,5})\b", re.IGNORECASE),
    "module": re.compile(r"\bmodule (?:named |called )?['\"]?([A-Za-z_][A-Za-z0-9_.]{1,60})", re.IGNORECASE),
    "host": re.compile(r"\b((?:\d{1,3}\.){3}\d{1,3}|localhost)\b"),
}
_BLANK = re.compile(r"\s+")


def kind_of(name: str) -> str | None:
    """The kind behind a field's name, None when there is no such kind."""
    kind = name.rstrip("0123456789")
    return kind if kind in KINDS else None


def fields_of(text: str) -> set[str]:
    """The names in braces."""
    return {match[1] + match[2] for match in FIELD.finditer(text)}


def compile_pattern(symptom: str) -> re.Pattern[str]:
    """A symptom as a pattern: blanks match any blanks, case is ignored, `{name}` captures its kind."""
    parts: list[str] = []
    position = 0
    seen: set[str] = set()
    for match in FIELD.finditer(symptom):
        parts.append(_literal(symptom[position : match.start()]))
        name = match[1] + match[2]
        kind = kind_of(name)
        if kind is None:
            parts.append(r"\S{1,200}?")
        elif name in seen or kind in NEVER_IN_STEPS:
            parts.append(f"(?:{_KINDS[kind]})")
        else:
            seen.add(name)
            parts.append(f"(?P<{name}>{_KINDS[kind]})")
        position = match.end()
    parts.append(_literal(symptom[position:]))
    pattern = "".join(parts)
    if FIELD.search(symptom[-12:]) and symptom.rstrip().endswith("}"):
        pattern += r"(?![A-Za-z0-9_])"
    return re.compile(pattern, re.IGNORECASE)


def literal_length(symptom: str) -> int:
    """How many characters of a symptom are its own words."""
    return len(_BLANK.sub("", FIELD.sub("", symptom)))


def loose_values(text: str, wanted: set[str]) -> dict[str, str]:
    """Values of well-known kinds anywhere in a text, for phrases that did not capture them."""
    found: dict[str, str] = {}
    for name in wanted:
        pattern = _LOOSE.get(name)
        match = pattern.search(text) if pattern else None
        if match:
            value = next(group for group in match.groups() if group)
            if is_valid(name, value):
                found[name] = value
    return found


def is_valid(name: str, value: str) -> bool:
    """True when a value has only the characters of its kind and does not begin like an option."""
    kind = kind_of(name)
    if kind is None or kind in NEVER_IN_STEPS or value.startswith("-") or "\n" in value:
        return False
    if kind == "port" and not 0 < int(value if value.isascii() and value.isdigit() else 0) < 65_536:
        return False
    return re.fullmatch(_KINDS[kind], value, re.ASCII) is not None


def fill(step: str, values: Mapping[str, str]) -> str:
    """Put values into a step, shell-quoted; a field without a value becomes `<NAME>` for the person to fill in."""

    def value(match: re.Match[str]) -> str:
        name = match[1] + match[2]
        if kind_of(name) is None:
            return match[0]
        found = values.get(name)
        return shlex.quote(found.strip()) if found is not None and is_valid(name, found) else f"<{name.upper()}>"

    return FIELD.sub(value, step)


def _literal(text: str) -> str:
    return "".join(r"\s+" if part.isspace() else re.escape(part) for part in re.split(r"(\s+)", text) if part)
