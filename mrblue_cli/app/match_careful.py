"""The careful way through JSON text, for documents that the quick way refuses.

The standard library's scanner knows NaN and Infinity, so that the reader of people can name the field; it shows keys
that stand twice, and where a document breaks. Entries come one by one: everything in front of the break is read.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

Data = bytes | bytearray
_SPACE = re.compile(r"[ \t\n\r]*")
_MOST_DIGITS = 1000
_VISIBLE = re.compile(rb"[^ \t\r\n]")
FOREIGN = "holds NaN or Infinity, which JSON does not know"
TOO_DEEP = "it is nested too deeply"


class Item(NamedTuple):
    """One entry of the list of people, as decoded."""

    value: Any
    line: int = 0
    """In files with a person a line; 0: none."""
    doubled: tuple[str, ...] = ()
    """Paths below the person of keys that stand twice."""
    fault: str = ""
    """What is wrong with the text, should nothing be wrong with the value."""


class Malformed(Exception):
    """The text breaks off here."""

    def __init__(self, what: str, offset: int) -> None:
        super().__init__(what)
        self.what = what
        self.offset = offset
        """In bytes."""

    def moved(self, offset: int) -> Malformed:
        """The same in a document in which the text begins at `offset`."""
        return Malformed(self.what, self.offset + offset)


_TOLD = (
    ("Expecting value", "no value; texts stand in double quotes, and comments have no place in JSON"),
    ("Expecting property name", "a name in double quotes is missing"),
    ("Expecting ','", "a comma is missing, or a bracket or quote before it"),
    ("Expecting ':'", "a colon is missing"),
    ("Illegal trailing comma", "a comma too many"),
    ("Unterminated string", "the quotes that open here are never closed"),
    ("Invalid control character", "a control character inside quotes, such as a line break or a tab"),
    ("Invalid \\", "a backslash that means nothing in JSON; a plain one is written twice"),
)
"""How the decoder's messages begin, and what they mean."""


class Careful:
    """A cursor over the text of a document."""

    def __init__(self, data: Data) -> None:
        """Raises `Malformed` where it is not UTF-8."""
        try:
            self.text = data.decode("utf-8")
        except UnicodeDecodeError as error:
            raise Malformed("not UTF-8 text", error.start) from None
        self._at = 0
        self._foreign = False
        self._twice: dict[int, str] = {}
        self._decoder = json.JSONDecoder(
            object_pairs_hook=self._object, parse_int=_whole, parse_constant=self._constant
        )

    def item(self) -> Item:
        """The next value, as one entry."""
        self._foreign = False
        self._twice.clear()
        value = self._value()
        doubled = tuple(self._doubled(value)) if self._twice else ()
        return Item(value, 0, doubled, FOREIGN if self._foreign else "")

    def whole(self) -> Item:
        """The one value of the text, with nothing behind it."""
        found = self.item()
        self.end()
        return found

    def end(self) -> None:
        """Raises `Malformed` unless the text ends here."""
        if self._sign():
            raise self._malformed("there is more text after the end of the document")

    def entries(self) -> Iterator[Item]:
        """Of the list that begins here."""
        self._take("[", "a list is wanted here")
        if self._sign() == "]":
            self._at += 1
            return
        while True:
            yield self.item()
            if self._take(",]", "a comma or ] is missing") == "]":
                return

    def members(self) -> Iterator[str]:
        """Names in the object that begins here. Whoever asks for the next has taken the value before."""
        self._take("{", "an object is wanted here")
        if self._sign() == "}":
            self._at += 1
            return
        while True:
            start = self._at
            key = self._value() if self._sign() == '"' else None
            if not isinstance(key, str):
                self._at = start
                raise self._malformed("a name in quotes is missing")
            self._take(":", "a colon is missing")
            yield key
            if self._take(",}", "a comma or } is missing") == "}":
                return

    def _sign(self) -> str:
        match = _SPACE.match(self.text, self._at)
        self._at = match.end() if match else self._at
        return self.text[self._at : self._at + 1]

    def _take(self, signs: str, what: str) -> str:
        sign = self._sign()
        if not sign or sign not in signs:
            raise self._malformed(what)
        self._at += 1
        return sign

    def _value(self) -> Any:
        self._sign()
        try:
            value, self._at = self._decoder.raw_decode(self.text, self._at)
        except json.JSONDecodeError as error:
            self._at = error.pos
            raise self._malformed(self._plain(error.msg)) from None
        except RecursionError:
            raise self._malformed(TOO_DEEP) from None
        return value

    def _plain(self, message: str) -> str:
        """What the decoder says, for somebody who mends the text by hand."""
        here, before = self.text[self._at :].lstrip(" \t\r\n")[:1], self.text[: self._at].rstrip(" \t\r\n")[-1:]
        if not here:
            return "the text ends too early"
        if here in "]}" and (before == "," or "trailing comma" in message):
            return f"a comma too many before {here}"
        return next((told for begin, told in _TOLD if message.startswith(begin)), message[:1].lower() + message[1:])

    def _malformed(self, what: str) -> Malformed:
        return Malformed(what, len(self.text[: self._at].encode("utf-8")))

    def _object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            # The scanner calls this from inside out and knows no path: remembered by identity, looked up at the end.
            seen = set[str]()
            for name, _ in pairs:
                if name in seen:
                    self._twice[id(found)] = name
                seen.add(name)
        return found

    def _doubled(self, value: Any) -> Iterator[str]:
        waiting: list[tuple[str, Any]] = [("", value)]
        while waiting:
            path, found = waiting.pop()
            dot = f"{path}." if path else ""
            if id(found) in self._twice:
                yield f"{dot}{self._twice[id(found)]}"
            if isinstance(found, dict):
                waiting += [(f"{dot}{key}", inner) for key, inner in found.items() if _holds(inner)]
            elif isinstance(found, list):
                waiting += [(f"{path}[{index}]", inner) for index, inner in enumerate(found) if _holds(inner)]

    def _constant(self, name: str) -> float:
        self._foreign = True
        return float(name)


def first_sign(data: Data) -> int:
    """Where the text begins after white space; its length when there is nothing else. Copies nothing."""
    match = _VISIBLE.search(data)
    return match.start() if match else len(data)


def _whole(digits: str) -> int | float:
    # A number of thousands of digits is no number of ours, and turning it into one takes long.
    return int(digits) if len(digits) < _MOST_DIGITS else math.inf


def _holds(value: Any) -> bool:
    return isinstance(value, dict | list)
