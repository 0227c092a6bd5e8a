"""Server-sent events (WHATWG HTML, section 9.2), as providers use them: bytes in, events out, no I/O."""

from __future__ import annotations

from typing import Any

import msgspec

_encode = msgspec.json.Encoder().encode
MAX_EVENT = 16 * 1024 * 1024
"""Bytes. A peer that sends more without a blank line is broken, or hostile."""

DONE = b"data: [DONE]\n\n"


class Event(msgspec.Struct, frozen=True):
    """One event; `data` lines are joined by newlines, `raw` holds it as it came with its blank line."""

    data: bytes
    name: str = ""
    raw: bytes = b""


class EventTooLong(Exception):  # a defect of the peer, turned into a fault by whoever feeds
    """The peer sent more than `MAX_EVENT` bytes without ending an event."""


class SseParser:
    """Feed it what arrives; line ends may be LF, CRLF or CR, and may be split anywhere."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[Event]:
        """The events that are complete now. Raises `EventTooLong`."""
        buffer = self._rest + data if self._rest else data
        if b"\r" in buffer:
            # A CR at the end may be half of a CRLF: it waits for what follows.
            held = buffer[-1:] if buffer.endswith(b"\r") else b""
            buffer = buffer[: len(buffer) - len(held)].replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        else:
            held = b""
        *blocks, rest = buffer.split(b"\n\n")
        self._rest = rest + held
        if len(self._rest) > MAX_EVENT:
            raise EventTooLong
        return [event for block in blocks if (event := _event(block)) is not None]

    @property
    def pending(self) -> bool:
        """True while an event has begun and not ended."""
        return bool(self._rest.strip())


def _event(block: bytes) -> Event | None:
    """The event of a block of lines, None for comments and empty blocks."""
    if block.startswith(b"data: ") and b"\n" not in block:  # nearly every event of nearly every provider
        return Event(block[6:], "", block + b"\n\n")
    lines, name = [], ""
    for line in block.split(b"\n"):
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"data":
            lines.append(value)
        elif field == b"event":
            name = value.decode("utf-8", "replace")
    if not lines:
        return None
    return Event(b"\n".join(lines), name, block.lstrip(b"\n") + b"\n\n")


def frame(data: dict[str, Any], name: str = "") -> bytes:
    """One event as bytes; with `name`, an `event:` line before it."""
    head = f"event: {name}\n".encode() if name else b""
    return b"%sdata: %s\n\n" % (head, _encode(data))
