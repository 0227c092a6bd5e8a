"""What a long search has found so far, on disk, so that nothing is searched twice after Ctrl-C or a power cut.

One file for each search, named by its digest, in the platform's cache folder. It begins with a line of JSON that says
what was searched; then come chunks, each with its length and checksum. A file that ends in the middle of a chunk was
cut off while writing: that chunk is searched again. A chunk whose checksum is wrong is refused: it may be anything.
"""

from __future__ import annotations

import contextlib
import io
import os
import struct
import tempfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

import msgspec
import numpy as np

from mrblue_cli.core.errors import InputFileError, UsageError
from mrblue_cli.matcher.columns import Floats, Ints

_FRAME = struct.Struct("<III")
"""Number of the chunk, length of what follows in bytes, checksum of both."""
_FORMAT = 1
_SUFFIX = ".part"
_OTHERS_KEPT = 3
"""Interrupted searches of other communities that are left in the folder."""


class Plan(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is searched, and in which pieces."""

    digest: str
    """`identity.search_digest`."""
    people: int
    """How many rows are asked about."""
    k: int
    chunk: int
    """Rows a chunk."""
    format: int = _FORMAT

    @property
    def chunks(self) -> int:
        """How many chunks."""
        return -(-self.people // self.chunk)

    def size(self, number: int) -> int:
        """Rows of a chunk."""
        return min(self.chunk, self.people - number * self.chunk)


Part = tuple[int, Ints, Floats]
"""Number of a chunk, rows found [n, k], scores [n, k]."""


def kept(folder: Path, plan: Plan) -> tuple[Plan, list[Part]]:
    """The plan under which this search was begun, and its finished chunks; the given plan and none if there are none.

    Raises `UsageError` when the folder keeps other searches but not this one, `InputFileError` for a damaged file.
    """
    path = _path(folder, plan)
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        if next(folder.glob(f"*{_SUFFIX}"), None) is not None:
            raise UsageError(
                "the search that was interrupted had other people, another recipe or another number of partners",
                hint="give the same file and options as then, or leave --resume out to begin anew",
            ) from None
        return plan, []
    except OSError as error:
        raise InputFileError(f"{path} cannot be read: {error.strerror or error}", hint=_ANEW) from error
    return _parsed(path, data, plan)


_ANEW = "leave --resume out to begin anew"


def _parsed(path: Path, data: bytes, plan: Plan) -> tuple[Plan, list[Part]]:
    line, found, rest = data.partition(b"\n")
    if not found:
        return plan, []
    try:
        begun = msgspec.json.decode(line, type=Plan)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InputFileError(f"{path} is damaged: it does not begin with a plan", hint=_ANEW) from error
    if begun.chunk < 1 or begun != msgspec.structs.replace(plan, chunk=begun.chunk):
        raise InputFileError(f"{path} is damaged: it holds another search than its name says", hint=_ANEW)
    parts: dict[int, Part] = {}
    stream = io.BytesIO(rest)
    while len(frame := stream.read(_FRAME.size)) == _FRAME.size:
        number, length, checksum = _FRAME.unpack(frame)
        if number >= begun.chunks or length != begun.size(number) * plan.k * 16:
            raise InputFileError(f"{path} is damaged after {len(parts)} of {begun.chunks} chunks", hint=_ANEW)
        payload = stream.read(length)
        if len(payload) < length:
            break
        if _checksum(number, payload) != checksum:
            raise InputFileError(f"{path} is damaged in chunk {number + 1} of {begun.chunks}", hint=_ANEW)
        rows = np.frombuffer(payload[: length // 2], dtype="<i8").reshape(-1, plan.k)
        scores = np.frombuffer(payload[length // 2 :], dtype="<f8").reshape(-1, plan.k)
        parts[number] = (number, rows, scores)
    return begun, list(parts.values())


class Keeper:
    """Writes chunks as they are found. Each is safe on disk when `add` returns."""

    def __init__(
        self, folder: Path, plan: Plan, parts: list[Part], on_finished: Callable[[Path], None] | None = None
    ) -> None:
        """Begins the file anew with the chunks that are there. Raises `UsageError` when the folder cannot be used.

        A new file takes the place of the old one only when it holds all of it: two searches at a time cannot mix.
        """
        self._path = _path(folder, plan)
        self._on_finished = on_finished
        try:
            folder.mkdir(parents=True, exist_ok=True)
            _forget_oldest(folder, self._path)
            handle, name = tempfile.mkstemp(dir=folder, prefix=".", suffix=".new")
            self._file: BinaryIO = os.fdopen(handle, "wb")
            self._file.write(msgspec.json.encode(plan) + b"\n")
            for part in parts:
                self._file.write(_framed(part))
            self._sync()
            Path(name).replace(self._path)
        except OSError as error:
            raise UsageError(
                f"what is found cannot be kept in {folder}: {error.strerror or error}",
                hint="make room there, or set XDG_CACHE_HOME to a folder that can be written",
            ) from error

    def add(self, part: Part) -> None:
        """One chunk. Raises `UsageError` when the disk is full."""
        try:
            self._file.write(_framed(part))
            self._sync()
        except OSError as error:
            raise UsageError(
                f"what is found cannot be kept in {self._path}: {error.strerror or error}", hint="make room there"
            ) from error

    def _sync(self) -> None:
        self._file.flush()
        os.fsync(self._file.fileno())

    def close(self, *, finished: bool) -> None:
        """What is finished needs no keeping, unless somebody takes it over until the answer is written."""
        self._file.close()
        if finished and self._on_finished is not None:
            self._on_finished(self._path)
        elif finished:
            self._path.unlink(missing_ok=True)


def _path(folder: Path, plan: Plan) -> Path:
    return folder / f"{plan.digest[:32]}{_SUFFIX}"


def _framed(part: Part) -> bytes:
    number, rows, scores = part
    payload = rows.astype("<i8").tobytes() + scores.astype("<f8").tobytes()
    return _FRAME.pack(number, len(payload), _checksum(number, payload)) + payload


def _checksum(number: int, payload: bytes) -> int:
    return zlib.crc32(payload, zlib.crc32(number.to_bytes(4, "little")))


def _forget_oldest(folder: Path, own: Path) -> None:
    """A million people's lists are 160 MB: those of searches long given up are not kept for ever."""
    found = [path for path in folder.glob(f"*{_SUFFIX}") if path != own]
    for path in sorted(found, key=_age, reverse=True)[_OTHERS_KEPT:]:
        with contextlib.suppress(OSError):
            path.unlink()


def _age(path: Path) -> float:
    with contextlib.suppress(OSError):
        return path.stat().st_mtime
    return 0.0


def pieces(order: Ints, plan: Plan, done: set[int]) -> Iterator[tuple[int, Ints]]:
    """Number and rows of each chunk that is not done."""
    for number in range(plan.chunks):
        if number not in done:
            yield number, order[number * plan.chunk : (number + 1) * plan.chunk]
