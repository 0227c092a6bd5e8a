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
import os
import sys
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from mrblue_cli.knowledge.compiled import Index, Tables

VERSION = 1
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
            for file in _listed(category.path):
                if file.name.endswith(".yaml"):
                    try:
                        status = file.stat()
                        seen = f"{category.name}/{file.name}:{status.st_mtime_ns}:{status.st_size}"
                    except OSError:
                        # A link to nowhere, such as an editor's lock, or a file that is just going away.
                        seen = f"{category.name}/{file.name}:gone"
                    total = zlib.crc32(os.fsencode(seen), total)
                    count += 1
        total = zlib.crc32(os.fsencode(folder), total)
    python = f"{sys.implementation.cache_tag}-{marshal.version}"
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
            return sorted(found, key=lambda item: item.name)
    except OSError:
        return []


def read(path: Path, wanted: str) -> Index | None:
    """The index kept in a file, None when there is none, it is damaged, or it was built from something else."""
    try:
        data = path.read_bytes()
    except OSError:
        return None
    header, _, body = data.removeprefix(_MAGIC).partition(b"\n")
    name, _, checksum = header.decode("ascii", "replace").rpartition(" ")
    if not data.startswith(_MAGIC) or name != wanted or checksum != f"{zlib.crc32(body):08x}":
        return None
    # Nothing of what is read is garbage: looking for some would double the time.
    collecting = gc.isenabled()
    gc.disable()
    try:
        values: dict[str, Any] = marshal.loads(body)  # noqa: S302 - our own file, checked above
        return Index(Tables(**values))
    except (ValueError, TypeError, EOFError):
        return None
    finally:
        if collecting:
            gc.enable()


def write(path: Path, wanted: str, index: Index) -> bool:
    """Keep an index; False when the place cannot be written, which costs time at the next start and nothing else."""
    tables = index.tables
    body = marshal.dumps({name: getattr(tables, name) for name in Tables.__slots__})
    content = _MAGIC + f"{wanted} {zlib.crc32(body):08x}\n".encode() + body
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
