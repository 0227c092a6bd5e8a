"""What the supervisor and its workers tell each other, as lines of JSON over a socket pair."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from mrblue_cli.core import errors
from mrblue_cli.core.errors import ConfigError, MrBlueError
from mrblue_cli.gateway.options import GatewayOptions


class Stop(msgspec.Struct, frozen=True, tag="stop"):
    """To a worker: finish what is under way and end."""

    now: bool = False
    """Do not wait for what is under way."""


class Reload(msgspec.Struct, frozen=True, tag="reload"):
    """To a worker: serve by these options."""

    options: GatewayOptions


class Ready(msgspec.Struct, frozen=True, tag="ready"):
    """From a worker: it serves."""


class Failed(msgspec.Struct, frozen=True, tag="failed"):
    """From a worker: it could not start."""

    kind: str
    """The name of an error in `core.errors`."""
    what: str
    hint: str

    @classmethod
    def of(cls, error: MrBlueError) -> Failed:
        """The nearest kind that every part of the program knows."""
        known = next(kind.__name__ for kind in type(error).__mro__ if hasattr(errors, kind.__name__))
        return cls(known, error.what, error.hint)

    def error(self) -> MrBlueError:
        """The error again, on the other side."""
        kind = getattr(errors, self.kind, ConfigError)
        error: MrBlueError = kind(self.what, hint=self.hint)
        return error


Order = Stop | Reload
News = Ready | Failed


def _plain(value: Any) -> Any:
    if isinstance(value, Path):
        return str(value)
    raise NotImplementedError(type(value))


def _path(kind: type, value: Any) -> Any:
    if kind is Path:
        return Path(value)
    raise NotImplementedError(kind)


_encode = msgspec.json.Encoder(enc_hook=_plain).encode
_decode = msgspec.json.Decoder(Stop | Reload | Ready | Failed, dec_hook=_path).decode


def line_of(message: Order | News) -> bytes:
    """One message as it travels."""
    return _encode(message) + b"\n"


class Lines:
    """Messages out of a stream of bytes that arrives in any pieces."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[Order | News]:
        """The messages that are complete now. Raises `msgspec.DecodeError` for what no side of ours sends."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        return [_decode(line) for line in lines]
