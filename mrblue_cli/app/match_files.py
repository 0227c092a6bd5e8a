"""A community from a file: JSON, NDJSON or CSV, each also packed with gzip, told apart by content. Reference section 2.

Nothing of a bad file is used: `load` gives back everybody or raises one error that lists what to put right.
"""

from __future__ import annotations

import datetime as dt
import functools
import gzip
import io
import sys
import zlib
import zoneinfo
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from mrblue_cli.app import match_documents, match_table
from mrblue_cli.app.match_careful import Data, Item, Malformed, first_sign
from mrblue_cli.core.errors import InputFileError, MissingPart
from mrblue_cli.matcher.compiled import Community
from mrblue_cli.matcher.model import User
from mrblue_cli.matcher.records import Reader, Skipped
from mrblue_cli.matcher.records_notes import shown

__all__ = ["MOST_BYTES", "Loaded", "Skipped", "load", "zone_named"]
MOST_BYTES = 2 * 1024**3
"""Of a document once unpacked: three million people, and an end for a file that unpacks without one."""
_CHUNK = 1024 * 1024
_GZIP, _ZIP, _BOM = b"\x1f\x8b", b"PK\x03\x04", b"\xef\xbb\xbf"
_MEND = "mend the text there and try again"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a file held."""

    community: Community
    skipped: tuple[Skipped, ...]
    """Who is in the file but takes no part, in the order of the file."""
    warnings: tuple[str, ...]
    """One line each."""
    week: dt.date
    """The Monday of the week in which free time is compared."""


def load(
    path: Path | None,
    *,
    week: dt.date,
    zone: str = "UTC",
    most_bytes: int = MOST_BYTES,
    stdin: IO[bytes] | None = None,
) -> Loaded:
    """Everybody in a file; None: standard input, or `stdin` in its place.

    `week`: any day of the week in which free time is compared. `zone`: of people who name no time zone.
    Raises `InputFileError` that names the file and up to 20 places in it, `UsageError` for the week or the zone,
    `MissingPart` when this machine knows no time zones.
    """
    name = "standard input" if path is None else str(path)
    reader = Reader(week, zone, zone_named)
    data = _unpacked(_content(path, stdin, name, most_bytes), name, most_bytes)
    data = data.removeprefix(_BOM)
    _refuse_foreign(data, name)
    community = Community(_people(data, name, reader))
    monday = week - dt.timedelta(days=week.weekday())
    return Loaded(community, tuple(reader.skipped), tuple(reader.warnings), monday)


def zone_named(name: str) -> dt.tzinfo | None:
    """The time zone of an IANA name; None: there is none. Raises `MissingPart` when this machine knows none at all."""
    if name == "UTC":
        return dt.UTC
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        # Names that point at a folder, out of the folder or at no text at all end in the last two.
        if not _knows_zones():
            raise MissingPart("this machine has no time zone data", hint="pip install tzdata") from None
        return None


@functools.cache
def _knows_zones() -> bool:
    # Walks a folder tree: once, not for each wrong name in a file.
    return bool(zoneinfo.available_timezones())


def _people(data: Data, name: str, reader: Reader) -> Iterator[User]:
    others: list[str] = []
    start = first_sign(data)
    table = not data.startswith((b"[", b"{"), start)
    items = match_table.rows(data, others) if table else match_documents.people(data, others)
    try:
        for index, item in enumerate(items):
            user = reader.read(item.value, f"users[{index}]", line=item.line) if _plain(item) else None
            if user is None and not _plain(item):
                _judge(item, f"users[{index}]", reader)
            elif user is not None and not reader.problem_count:
                yield user
    except Malformed as error:
        line, column = _position(data, error.offset)
        reader.refuse(f"line {line}, column {column}", error.what, _MEND)
    for other in others:
        reader.warn(f"{'column' if table else 'top-level name'} {shown(other)} is not read", "")
    reader.finish()
    if reader.problem_count:
        raise _refusal(name, reader)


def _plain(item: Item) -> bool:
    return not item.fault and not item.doubled


def _judge(item: Item, path: str, reader: Reader) -> None:
    """An entry whose text is at fault: what the reader can name is told first."""
    before = reader.problem_count
    where = f" (line {item.line})" if item.line else ""
    for key in item.doubled:
        reader.refuse(f"{path}.{key}{where}", "stands twice in one object", "keep one of the two")
    if item.value is not None:
        reader.read(item.value, path, line=item.line)
    if item.fault and reader.problem_count == before:
        reader.refuse(f"{path}{where}", item.fault, _MEND)


def _refusal(name: str, reader: Reader) -> InputFileError:
    problems, count = reader.problems, reader.problem_count
    if count == 1:
        return InputFileError(f"{name}: {problems[0].path}: {problems[0].what}", hint=problems[0].hint)
    lines = [f"{name}: {count} things are wrong", *(f"  {problem}" for problem in problems)]
    if count > len(problems):
        lines.append(f"  and {count - len(problems)} more")
    return InputFileError("\n".join(lines), hint="put these right and try again; nothing was written")


def _position(data: Data, offset: int) -> tuple[int, int]:
    """Line and column, from 1, of a byte."""
    end = b"\n" if b"\n" in data else b"\r"
    start = data.rfind(end, 0, offset) + 1
    return data.count(end, 0, offset) + 1, len(data[start:offset].decode("utf-8", "replace")) + 1


def _content(path: Path | None, stdin: IO[bytes] | None, name: str, most: int) -> Data:
    try:
        if path is None:
            return _all_of(stdin or sys.stdin.buffer, name, most)
        if path.is_dir():
            raise InputFileError(f"{name} is a directory", hint="name the file with the people in it")
        with path.open("rb") as file:
            return _all_of(file, name, most)
    except FileNotFoundError:
        raise InputFileError(f"there is no file {name}", hint="try: mrblue match --sample") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise InputFileError(f"{name} cannot be read: {reason}", hint="check its name and permissions") from None


def _all_of(file: IO[bytes], name: str, most: int) -> Data:
    found = bytearray()
    while chunk := file.read(_CHUNK):
        found += chunk
        _limit(found, name, most)
    return found


def _limit(found: Data, name: str, most: int) -> None:
    if len(found) > most:
        size = f"{most / 1024**3:g} GiB" if most >= 1024**3 else f"{most} bytes"
        raise InputFileError(
            f"{name} holds more than {size} of text", hint="split the community, for example by region"
        )


def _unpacked(data: Data, name: str, most: int) -> Data:
    if not data.startswith(_GZIP):
        return data
    found = bytearray()
    try:
        with gzip.open(io.BytesIO(data)) as stream:
            while chunk := stream.read(_CHUNK):
                found += chunk
                _limit(found, name, most)
    except (EOFError, zlib.error, OSError) as error:
        raise InputFileError(f"{name} is damaged gzip data: {error}", hint="copy or pack it again") from None
    if found.startswith(_GZIP):
        raise InputFileError(f"{name} is packed twice", hint="unpack it once: gunzip")
    return found


def _refuse_foreign(data: Data, name: str) -> None:
    if data.startswith(_ZIP):
        # Before the look for zero bytes: every workbook has some.
        raise InputFileError(f"{name} is a workbook or a zip archive", hint="save it as CSV UTF-8 and give that")
    if data[:2] in _UTF16 or b"\0" in data[:512]:
        if data.startswith(_UTF16) or data[:4].count(b"\0") in {2, 3}:
            raise InputFileError(f"{name} is UTF-16 text", hint="save it as UTF-8; in a spreadsheet choose: CSV UTF-8")
        raise InputFileError(f"{name} is not text", hint="give JSON, NDJSON or CSV, also packed with gzip")
    if first_sign(data) == len(data):
        raise InputFileError(f"{name} is empty", hint="an empty community is written []")
