"""What reading people found wrong or odd: up to 20 problems in full, warnings gathered by kind. PURE."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable
from typing import Any

import msgspec

MOST_PROBLEMS = 20
"""Problems told in full; the rest are counted."""
_MOST_KINDS = 40
_SHOWN = 40


class Problem(msgspec.Struct, frozen=True):
    """One thing that must be put right before anybody can be matched."""

    path: str
    """`users[3].leader_level`, with `(line 4)` where the file has a person a line."""
    what: str
    hint: str = ""

    def __str__(self) -> str:
        """One line."""
        return f"{self.path}: {self.what}{'; ' if self.hint else ''}{self.hint}"


class _Kind:
    """One kind of warning: how often, and where first."""

    __slots__ = ("count", "first")

    def __init__(self) -> None:
        self.count, self.first = 0, ""

    def where(self) -> str:
        if not self.first:
            return ""
        return f" ({f'{self.count} times, first ' if self.count > 1 else ''}at {self.first})"


class Notes:
    """Problems and warnings while people are read one after the other. `at` says whose turn it is."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        """The first `MOST_PROBLEMS`."""
        self.count = 0
        """All of them."""
        self._path, self._line = "", 0
        self._kinds: dict[str, _Kind] = {}
        self._more_kinds = 0

    def at(self, path: str, line: int) -> None:
        """From here on fields belong to this person; `line` 0: no line of its own."""
        self._path, self._line = path, line

    def place(self, field: str) -> str:
        """Where a field of the present person stands; empty: the person."""
        dot = "." if field and not field.startswith("[") else ""
        return f"{self._path}{dot}{field}{f' (line {self._line})' if self._line else ''}"

    def refuse(self, field: str, what: str, hint: str = "") -> None:
        """A problem of the present person."""
        self.add(self.place(field), what, hint)

    def add(self, path: str, what: str, hint: str = "") -> None:
        """A problem anywhere."""
        self.count += 1
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(Problem(path, what, hint))

    def warn(self, kind: str, field: str = "") -> None:
        """A warning of the present person: one line for each kind, with its count."""
        found = self._kind(kind)
        if found is not None:
            found.count += 1
            found.first = found.first or self.place(field)

    def unknown(self, field: str, known: Iterable[str]) -> None:
        """A field that nobody reads; `known` are the names that would have been read in its place."""
        found = self._kind(f"unknown field {shown(field)}")
        if found is not None:
            found.count += 1
            # The nearest name is looked up once: a million people may have the same extra field.
            found.first = found.first or f"{self.place(_short(field))}{_nearest(field, known)}"

    def _kind(self, kind: str) -> _Kind | None:
        found = self._kinds.get(kind)
        if found is None:
            if len(self._kinds) >= _MOST_KINDS:
                self._more_kinds += 1
                return None
            found = self._kinds[kind] = _Kind()
        return found

    @property
    def warnings(self) -> list[str]:
        """One line for each kind, in the order of first sight."""
        found = [f"{kind}{entry.where()}" for kind, entry in self._kinds.items()]
        return [*found, f"and {self._more_kinds} more warnings of other kinds"] if self._more_kinds else found


def clean(text: str) -> str:
    """Without what could take over a terminal or turn a line around; white space at the ends trimmed."""
    if text.isprintable():
        return text.strip()
    return "".join(" " if _meddles(sign) else sign for sign in text).strip()


def has_surrogate(text: str) -> bool:
    """Whether a half of a UTF-16 pair stands alone: it cannot be written to any file."""
    return not text.isascii() and any("\ud800" <= sign <= "\udfff" for sign in text)


def has_control(text: str) -> bool:
    """Whether it holds a control character or one that turns the direction of a line."""
    return not text.isprintable() and any(_meddles(sign) for sign in text)


def _meddles(sign: str) -> bool:
    code = ord(sign)
    return (
        code < 0x20
        or 0x7F <= code < 0xA0
        or 0x2028 <= code <= 0x202E  # line and paragraph ends, direction overrides
        or 0x2066 <= code <= 0x2069
        or 0xD800 <= code <= 0xDFFF
    )


def _nearest(field: str, known: Iterable[str]) -> str:
    name = field.rpartition(".")[2][:_SHOWN].casefold()
    near = difflib.get_close_matches(name, list(known), n=1, cutoff=0.8)
    return f"; did you mean '{near[0]}'?" if near else ""


def _short(field: str) -> str:
    return shown(field)[1:-1]


def shown(value: Any) -> str:
    """A value as an error quotes it: short, on one line, never raising."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int() if value.bit_length() > 100:
            return f"a number of about {int(value.bit_length() * math.log10(2)) + 1} digits"
        case int() | float():
            return _numeral(value)
        case str():
            short = value if len(value) <= _SHOWN else f"{value[:_SHOWN]}…"
            escaped = "".join(f"\\u{ord(sign):04x}" if _meddles(sign) else sign for sign in short)
            return f'"{escaped}"'
        case list():
            return f"a list of {len(value)}" if value else "an empty list"
        case dict():
            return "an object"
    return "something else"


def _numeral(value: float) -> str:
    if isinstance(value, int):
        return str(value)
    if math.isnan(value):
        return "NaN"
    return f"{value:.12g}" if math.isfinite(value) else f"{'-' if value < 0 else ''}Infinity"


def joined(names: Iterable[str], most: int = 3) -> str:
    """The first few of some names, in sorted order, and how many more there are."""
    every = sorted(names)
    more = f" and {len(every) - most} more" if len(every) > most else ""
    return ", ".join(shown(name) for name in every[:most]) + more
