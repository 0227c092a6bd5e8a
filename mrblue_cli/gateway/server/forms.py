"""Multipart forms: plain fields as a table, the file apart. PURE.

The body is in memory already, within its limit, so nothing here is spooled to disk. What is not clear is refused: a
field that comes twice could mean one thing to us and another to the provider.
"""

from __future__ import annotations

from typing import Any

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from mrblue_cli.gateway.model import CallError, Json, Part
from mrblue_cli.gateway.surfaces.fields import bad

MOST_PARTS = 100
_MOST_VALUES = 1024 * 1024
"""Bytes of all plain fields together: a prompt and some names."""
_LONGEST_NAME = 100
_LONGEST_BOUNDARY = 200
"""RFC 2046 allows 70."""


def read_form(content_type: str, body: bytes) -> tuple[Json, tuple[Part, ...]]:
    """(fields, files) of a form. A name that ends in `[]` holds a list. Raises `CallError` (400)."""
    kind, options = parse_options_header(content_type)
    boundary = options.get(b"boundary", b"")
    if kind != b"multipart/form-data" or not 0 < len(boundary) <= _LONGEST_BOUNDARY:
        raise _broken("its content type names no boundary")
    reader = _Reader()
    parser = MultipartParser(boundary, reader.callbacks())
    try:
        parser.write(body)
        parser.finalize()
    except FormParserError:
        # Its words quote the bytes that it did not expect.
        raise _broken("it cannot be read") from None
    if not reader.ended:
        raise _broken("its end is missing")
    return reader.fields, tuple(reader.files)


class _Reader:
    """Collects what the parser finds."""

    def __init__(self) -> None:
        self.fields: Json = {}
        self.files: list[Part] = []
        self.ended = False
        self._count = 0
        self._room = _MOST_VALUES
        self._header = [b"", b""]
        self._headers: dict[bytes, bytes] = {}
        self._data: list[bytes] = []

    def callbacks(self) -> Any:
        """What the parser calls."""
        return {
            "on_part_begin": self._begin,
            "on_header_field": lambda data, start, end: self._more(0, data[start:end]),
            "on_header_value": lambda data, start, end: self._more(1, data[start:end]),
            "on_header_end": self._end_of_header,
            "on_part_data": lambda data, start, end: self._data.append(data[start:end]),
            "on_part_end": self._end_of_part,
            "on_end": self._end,
        }

    def _begin(self) -> None:
        self._count += 1
        if self._count > MOST_PARTS:
            raise _broken(f"it has more than {MOST_PARTS} parts")
        self._headers, self._data = {}, []

    def _more(self, which: int, data: bytes) -> None:
        self._header[which] += data

    def _end_of_header(self) -> None:
        name, value = self._header
        self._headers[name.lower()] = value
        self._header = [b"", b""]

    def _end_of_part(self) -> None:
        disposition, options = parse_options_header(self._headers.get(b"content-disposition", b""))
        name = _text(options.get(b"name", b""), "the name of a field")
        if disposition != b"form-data" or not name or len(name) > _LONGEST_NAME or not name.isprintable():
            raise _broken("a part has no name, or none that can be read")
        data = b"".join(self._data)
        if b"filename" in options:
            self._file(name, options[b"filename"], data)
            return
        self._room -= len(data)
        if self._room < 0:
            raise _broken("its fields are too long")
        value = _text(data, f"the field '{name}'")
        if name.endswith("[]"):
            self.fields.setdefault(name, []).append(value)
        elif name in self.fields:
            raise bad(name, f"The field '{name}' comes twice.")
        else:
            self.fields[name] = value

    def _file(self, name: str, filename: bytes, data: bytes) -> None:
        if name != "file":
            raise bad(name, f"Only the field 'file' may hold a file, not '{name}'.")
        if self.files:
            raise bad(name, "The form has more than one file.")
        shown = "".join(c if c.isprintable() else "_" for c in filename.decode("utf-8", "replace"))
        # Only the last step of a path, and no more of it than a file system would take.
        shown = shown.replace("\\", "/").rpartition("/")[2][-200:] or "file"
        kind, _ = parse_options_header(self._headers.get(b"content-type", b""))
        plain = kind.decode("latin-1")
        known = plain.isascii() and plain.isprintable() and 0 < len(plain) <= _LONGEST_NAME and " " not in plain
        self.files.append(Part(name=name, data=data, filename=shown, content_type=plain if known else None))

    def _end(self) -> None:
        self.ended = True


def _text(data: bytes, what: str) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise _broken(f"{what} is not UTF-8") from None


def _broken(why: str) -> CallError:
    return bad("", f"The form is not valid multipart/form-data: {why}.")
