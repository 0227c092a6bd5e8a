"""The named families of errors, read from `error_types.txt` beside this file."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple


class ErrorType(NamedTuple):
    """A family of errors."""

    name: str
    category: str
    phrases: tuple[str, ...]
    """Runs of whole lower-case words, as programs and people put it."""
    checks: tuple[str, ...]
    """What to look at when no entry fits."""


def parse(text: str) -> tuple[ErrorType, ...]:
    """The types of a text in the format of `error_types.txt`; raises `ValueError` with the line that breaks it."""
    types: list[ErrorType] = []
    for number, line in enumerate(text.splitlines(), 1):
        content = line.strip()
        if not content or content.startswith("#"):
            continue
        if line[0] != " ":
            name, dot, category = content.partition(" · ")
            if not dot:
                raise ValueError(f"line {number}: expected 'name · category'")
            types.append(ErrorType(name, category, (), ()))
        elif not types:
            raise ValueError(f"line {number}: stands before the first type")
        elif content.startswith("- "):
            types[-1] = types[-1]._replace(checks=(*types[-1].checks, content[2:]))
        else:
            phrases = tuple(phrase.strip() for phrase in content.split("|") if phrase.strip())
            types[-1] = types[-1]._replace(phrases=types[-1].phrases + phrases)
    return tuple(types)


ERROR_TYPES = parse(Path(__file__).with_name("error_types.txt").read_text(encoding="utf-8"))
"""All named types."""
