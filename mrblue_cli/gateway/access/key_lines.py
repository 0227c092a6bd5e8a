"""Virtual keys as lines of JSON, to carry them from one machine to others. A line holds a digest, never a key. PURE."""

from __future__ import annotations

from typing import Annotated

import msgspec

from mrblue_cli.core.errors import InputFileError

_Count = Annotated[int, msgspec.Meta(ge=1, le=2**53)]
_Nano = Annotated[int, msgspec.Meta(ge=0, le=2**62)]
_Moment = Annotated[float, msgspec.Meta(ge=0, le=1e11)]


class KeyLine(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One key. Times are Unix seconds, money is nano-dollars."""

    id: Annotated[str, msgspec.Meta(pattern="^key_[0-9a-f]{12}$")]
    name: str
    sha256: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
    models: tuple[str, ...] = ()
    daily_nano: _Nano | None = None
    monthly_nano: _Nano | None = None
    requests_per_minute: _Count | None = None
    tokens_per_minute: _Count | None = None
    expires_at: _Moment | None = None
    created_at: _Moment
    revoked_at: _Moment | None = None


class Imported(msgspec.Struct, frozen=True):
    """What became of the lines."""

    added: int
    updated: int
    unchanged: int


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(KeyLine).decode


def line_of(key: KeyLine) -> str:
    """A key as one line, without its end."""
    return _encode(key).decode()


def read_lines(text: str, where: str) -> list[KeyLine]:
    """The keys of a file, in order; empty lines are skipped. Raises `InputFileError` that names the line."""
    found: list[KeyLine] = []
    ids: set[str] = set()
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            key = _decode(line)
        except (msgspec.DecodeError, RecursionError) as error:
            raise InputFileError(
                f"{where}: line {number}: not a key: {error}",
                hint="lines come from: mrblue gateway keys export",
            ) from None
        if key.id in ids:
            raise InputFileError(f"{where}: line {number}: {key.id} stands here twice", hint="remove one of the lines")
        ids.add(key.id)
        found.append(key)
    return found
