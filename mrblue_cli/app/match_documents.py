"""JSON and NDJSON of a community: one decoded person after the other, never all of them decoded at once.

The quick way cuts a document into slices without copying and decodes each; what it refuses goes the careful way.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import msgspec
import numpy as np

from mrblue_cli.app.match_careful import FOREIGN, Careful, Data, Item, Malformed, first_sign

_FIRST_LINE = 16 * 1024 * 1024
_QUICK_ERRORS = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_LOOSE_COLONS = (b" :", b"\n:", b"\t:", b"\r:")


def people(data: Data, others: list[str]) -> Iterator[Item]:
    """The entries of a JSON list, of `{"users": [...]}` or of NDJSON. Raises `Malformed`.

    Names beside "users" are added to `others`.
    """
    start = first_sign(data)
    if data[start : start + 1] == b"[":
        yield from _list(data)
        return
    try:
        whole = msgspec.json.decode(data, type=dict[str, msgspec.Raw])
    except _QUICK_ERRORS:
        yield from _lines(data) if _begins_with_a_person(data) else _walked(data, others)
        return
    if "users" in whole:
        yield from _wrapped(data, whole, others)
    elif whole.keys() & {"id", "roles"}:
        yield Careful(data).whole()
    else:
        raise Malformed('there are no people: neither a list nor a list under "users"', 0)


def _begins_with_a_person(data: Data) -> bool:
    """Whether the first line is an object by itself, which is no document around people: then it is NDJSON."""
    start = first_sign(data)
    end = data.find(b"\n", start, start + _FIRST_LINE)
    try:
        first = json.loads(data[start : end if end >= 0 else start + _FIRST_LINE])
    except (ValueError, RecursionError):
        return False
    return isinstance(first, dict) and "users" not in first


def _list(data: Data) -> Iterator[Item]:
    try:
        slices = msgspec.json.decode(data, type=list[msgspec.Raw])
    except _QUICK_ERRORS:
        yield from _walked(data, [])
    else:
        yield from _slices(data, slices)


def _wrapped(data: Data, whole: dict[str, msgspec.Raw], others: list[str]) -> Iterator[Item]:
    users = whole["users"]
    start = _offset(data, users)
    # What stands around the people is small: read anew with a 0 in their place, it shows a key that stands twice.
    around = bytes(data[:start]) + b"0" + bytes(data[start + len(memoryview(users)) :])
    twice = Careful(around).whole().doubled
    if twice:
        raise Malformed(f"the name {twice[0]} stands twice", 0)
    others += [key for key in whole if key != "users"]
    try:
        slices = msgspec.json.decode(users, type=list[msgspec.Raw])
    except _QUICK_ERRORS:
        raise Malformed('"users" is not a list', start) from None
    yield from _slices(data, slices)


def _slices(data: Data, slices: list[msgspec.Raw]) -> Iterator[Item]:
    decode = msgspec.json.Decoder().decode
    for part in slices:
        text = bytes(part)
        try:
            value = decode(text)
            quick = not _may_repeat(text, value)
        except _QUICK_ERRORS:
            quick = False
        if quick:
            yield Item(value)
            continue
        try:
            found = Careful(text).whole()
        except Malformed as error:
            raise error.moved(_offset(data, part)) from None
        yield found


def _lines(data: Data) -> Iterator[Item]:
    decode = msgspec.json.Decoder().decode
    start, line = 0, 0
    while start < len(data):
        end = data.find(b"\n", start)
        end = len(data) if end < 0 else end
        text = bytes(data[start:end]).strip()
        start, line = end + 1, line + 1
        if not text:
            continue
        try:
            value = decode(text)
            quick = not _may_repeat(text, value)
        except _QUICK_ERRORS:
            quick = False
        if quick:
            yield Item(value, line)
            continue
        try:
            yield Careful(text).whole()._replace(line=line)
        except Malformed as error:
            # Other lines are read all the same: each stands for itself.
            yield Item(None, line, fault=f"is not valid JSON: {error.what} (byte {error.offset + 1} of the line)")


def _walked(data: Data, others: list[str]) -> Iterator[Item]:
    """The careful way through a whole document, up to where it breaks."""
    cursor = Careful(data)
    if cursor.text.lstrip(" \t\r\n")[:1] == "[":
        yield from cursor.entries()
        cursor.end()
        return
    seen = False
    for name in cursor.members():
        if name != "users":
            others.append(name)
            if cursor.item().fault:
                raise Malformed(f"{name[:40]} {FOREIGN}", 0)
        elif seen:
            raise Malformed("the name users stands twice", 0)
        else:
            seen = True
            yield from cursor.entries()
    cursor.end()
    if not seen:
        raise Malformed('there are no people: neither a list nor a list under "users"', 0)


def _may_repeat(text: bytes, value: Any) -> bool:
    """Whether a key might stand twice in an object; False is certain, and quickly found.

    A quote before a colon ends a key or stands escaped in a string. As many of them as there are keys in the decoded
    value means that none was lost; white space before a colon makes the count unsure.
    """
    if text.count(b'":') != _keys(value):
        return True
    return any(loose in text for loose in _LOOSE_COLONS)


def _keys(value: Any) -> int:
    count, waiting = 0, [value]
    while waiting:
        found = waiting.pop()
        kind = type(found)
        if kind is dict:
            count += len(found)
            found = found.values()
        elif kind is not list:
            continue
        for inner in found:
            kind = type(inner)
            if kind is dict or kind is list:
                waiting.append(inner)
    return count


def _offset(data: Data, part: msgspec.Raw) -> int:
    """Where a slice begins in the document of which it is a view."""
    addresses = [np.frombuffer(view, np.uint8).__array_interface__["data"][0] for view in (data, memoryview(part))]
    offset = int(addresses[1] - addresses[0])
    return offset if 0 <= offset < len(data) else 0
