"""The compiled index in a file: built once, used by every later process, built anew when an entry or the code changes.

The file is for one machine's cache directory and no format to exchange: `marshal` reads it three times faster than any
library that was tried, and importing one would cost more than reading. A checksum guards against torn or foreign
files. Two processes that build at once each write a file of their own and rename it into place: the later one wins,
both are whole.
"""

from __future__ import annotations

import contextlib
import gc
import marshal
import mmap
import os
import sys
import zlib
from array import array
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from mrblue_cli.knowledge.compiled import Index, Packed, Tables

VERSION = 2
"""Raised with every change of what is built from an entry."""
_MAGIC = b"mrblue-index\n"


def stamp(folders: Iterable[Path]) -> str:
    """What the entries below these folders look like: changes when any file is added, removed or written."""
    total = 0
    count = 0
    for folder in folders:
        for category in _listed(folder):
            if not category.is_dir():
                continue
            above = category.name
            for file in _listed(category.path):
                if file.name.endswith(".yaml"):
                    try:
                        status = file.stat()
                        seen = f"{above}/{file.name}:{status.st_mtime_ns}:{status.st_size}"
                    except OSError:
                        # A link to nowhere, such as an editor's lock, or a file that is just going away.
                        seen = f"{above}/{file.name}:gone"
                    # A sum, because a folder lists its files in any order.
                    total += zlib.crc32(os.fsencode(seen))
                    count += 1
        total = zlib.crc32(os.fsencode(folder), total & 0xFFFFFFFF)
    python = f"{sys.implementation.cache_tag}-{marshal.version}-{sys.byteorder}"
    return f"{VERSION}:{python}:{_code_stamp()}:{count}:{total:08x}"


def _code_stamp() -> int:
    """Changes with the code that builds an index, so that a checkout never reads what older code built."""
    here = Path(__file__).parent
    total = 0
    for name in ("compiled.py", "normalize.py", "lexicon.py", "captures.py", "model.py", "loader.py"):
        with contextlib.suppress(OSError):
            status = os.stat(here / name)  # noqa: PTH116 - runs at every start; Path.stat takes twice as long
            total = zlib.crc32(f"{status.st_mtime_ns}:{status.st_size}".encode(), total)
    return total


def _listed(folder: Path | str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as found:
            return list(found)
    except OSError:
        return []


def read(path: Path, wanted: str) -> Index | None:
    """The index kept in a file, None when there is none, it is damaged, or it was built from something else."""
    try:
        with path.open("rb") as file:
            header = file.read(len(_MAGIC) + 200)
            name, size, checksum = _header(header)
            if name != wanted:
                return None
            # Mapped, not read: a search touches a hundredth of the rows.
            data = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    except (OSError, ValueError):
        return None
    start = header.index(b"\n", len(_MAGIC)) + 1
    body, rows = data[start : start + size], data[start + size :]
    if zlib.crc32(data[start:]) != checksum:
        return None
    # Nothing of what is read is garbage: looking for some would double the time.
    collecting = gc.isenabled()
    gc.disable()
    try:
        values: dict[str, Any] = marshal.loads(body)  # noqa: S302 - our own file, checked above
        spans: dict[str, bytes] = values.pop("spans")
        values |= {name: Packed(rows, array("Q", ends)) for name, ends in spans.items()}
        return Index(Tables(**values))
    except (ValueError, TypeError, EOFError, KeyError):
        return None
    finally:
        if collecting:
            gc.enable()


def _header(data: bytes) -> tuple[str, int, int]:
    """Stamp, size and checksum of the tables; raises `ValueError` for anything else."""
    if not data.startswith(_MAGIC):
        raise ValueError("not an index")
    line, end, _ = data[len(_MAGIC) :].partition(b"\n")
    name, size, checksum = line.decode("ascii", "replace").rsplit(" ", 2)
    if not end:
        raise ValueError("cut off")
    return name, int(size), int(checksum, 16)


def write(path: Path, wanted: str, index: Index) -> bool:
    """Keep an index; False when the place cannot be written, which costs time at the next start and nothing else."""
    values = index.tables._asdict()
    spans: dict[str, bytes] = {}
    rows = bytearray()
    for name in ("entries", "phrases", "patterns"):
        ends = array("Q", [len(rows)])
        for row in values.pop(name):
            rows += row
            ends.append(len(rows))
        spans[name] = ends.tobytes()
    body = marshal.dumps({**values, "spans": spans})
    content = _MAGIC + f"{wanted} {len(body)} {zlib.crc32(rows, zlib.crc32(body)):08x}\n".encode() + body + bytes(rows)
    import tempfile  # only the one process that builds needs it

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".new")
    except OSError:
        return False
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(temporary).replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            Path(temporary).unlink()
        return False
    return True
