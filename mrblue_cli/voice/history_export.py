"""A conversation as JSON (which can be read back), as Markdown, and its recording, or one side of it, as WAV."""

from __future__ import annotations

import array
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Literal

import msgspec

from mrblue_cli.core.errors import InputFileError, NothingFound
from mrblue_cli.core.texts import tell
from mrblue_cli.voice.history_model import Conversation, Line, Speaker

_PIECE = 1 << 20
_HEADER_BYTES = 44
Side = Literal["person", "assistant"]


class Export(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What `mrblue history export --format json` writes."""

    format: Literal["mrblue-conversation-1"] = "mrblue-conversation-1"
    conversation: Conversation
    lines: tuple[Line, ...]


def to_json(conversation: Conversation, lines: Sequence[Line]) -> str:
    """One document; keys never change their meaning within a format."""
    data = msgspec.json.encode(Export(conversation=conversation, lines=tuple(lines)))
    return msgspec.json.format(data, indent=2).decode() + "\n"


def from_json(data: str | bytes, source: str) -> Export:
    """Read an export back; `source` names the file in errors. Raises `InputFileError`."""
    try:
        return msgspec.json.decode(data, type=Export)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise InputFileError(
            tell("{source}: not a conversation that was exported as JSON: {error}", source=source, error=error),
            hint=tell("write one with: mrblue history export ID --format json"),
        ) from None


def to_markdown(conversation: Conversation, lines: Sequence[Line], zone: tzinfo | None = None) -> str:
    """The conversation to read; times in `zone`, None: this machine's."""
    out = [f"# {_one_line(conversation.title) or tell('A conversation')}", ""]
    out += [f"{moment(conversation.started, zone)} · {_one_line(about(conversation))}", ""]
    for line in lines:
        text = f"{line.text} —" if line.cut else line.text
        out.append(f"**{name_of(line.who)}** {clock_time(line.at, zone)}")
        # Quoted, so that nothing said becomes a heading or a rule of the document.
        out += [f"> {part}" if part else ">" for part in text.split("\n")]
        out.append("")
    return "\n".join(out)


def name_of(who: Speaker) -> str:
    """Whose words, as a heading."""
    match who:
        case "user":
            return tell("You")
        case "assistant":
            return tell("Blue")
        case "tool":
            return tell("Tool")
        case "note":
            return tell("Note")


def about(conversation: Conversation) -> str:
    """Engine, turns and cost on one line."""
    parts = [" ".join(filter(None, (conversation.engine, conversation.model)))]
    if conversation.profile:
        parts.append(conversation.profile)
    count = conversation.turns
    parts.append(tell("1 turn") if count == 1 else tell("{count} turns", count=count))
    if conversation.cost_usd is not None:
        parts.append(f"${conversation.cost_usd:.2f}")
    if conversation.recorded:
        parts.append(tell("recorded"))
    return " · ".join(filter(None, parts))


def moment(seconds: float, zone: tzinfo | None = None) -> str:
    """Date and time of day; `zone` None: where this machine is."""
    return f"{_local(seconds, zone):%Y-%m-%d %H:%M}"


def clock_time(seconds: float, zone: tzinfo | None = None) -> str:
    """Time of day with seconds."""
    return f"{_local(seconds, zone):%H:%M:%S}"


def recorded_sound(path: Path, side: Side | None = None) -> Iterator[bytes]:
    """The WAV file of a recording in pieces: whole (left the person, right the assistant), or one side of it as mono.

    Raises `NothingFound` when there is none, `InputFileError` when it cannot be read.
    """
    try:
        with path.open("rb") as file:
            head = file.read(_HEADER_BYTES)
            frames = max(0, path.stat().st_size - _HEADER_BYTES) // 4
            if side is None:
                yield head
            else:
                yield _mono_header(head, frames)
            left = frames * 4
            while left > 0 and (piece := file.read(min(_PIECE, left))):
                left -= len(piece)
                yield piece if side is None else _one_side(piece, 0 if side == "person" else 1)
    except FileNotFoundError:
        raise NothingFound(
            tell("there is no sound of this conversation"),
            hint=tell("sound is kept with: mrblue talk --record"),
        ) from None
    except OSError as error:
        what = tell("{path}: cannot be read: {words}", path=path, words=error.strerror or error)
        raise InputFileError(what, hint=tell("check its permissions")) from None


def _mono_header(stereo: bytes, frames: int) -> bytes:
    """The header of one side; written here because sound's own room would load numpy."""
    rate = int.from_bytes(stereo[24:28], "little")
    size = frames * 2

    def number(value: int, width: int = 4) -> bytes:
        return value.to_bytes(width, "little")

    return (
        stereo[:4] + number(36 + size) + stereo[8:20] + number(1, 2) + number(1, 2) + number(rate) + number(rate * 2)
        + number(2, 2) + number(16, 2) + stereo[36:40] + number(size)
    )  # fmt: skip


def _one_side(piece: bytes, channel: int) -> bytes:
    samples = array.array("h", piece)
    if sys.byteorder == "big":
        samples.byteswap()
    samples = samples[channel::2]
    if sys.byteorder == "big":
        samples.byteswap()
    return samples.tobytes()


def _local(seconds: float, zone: tzinfo | None) -> datetime:
    return datetime.fromtimestamp(seconds, tz=UTC).astimezone(zone)


def _one_line(text: str) -> str:
    return " ".join(text.split())
