"""The gateway's SQLite files: opened the same way by every process that shares them."""

from __future__ import annotations

import os
import sqlite3
import time
from pathlib import Path

_PATIENCE = 5.0
_PAUSE = 0.01
_PAGE = 1024
"""Bytes of a page in a new file. Each short transaction writes whole pages to the log; rows here are small."""
_inherited: list[sqlite3.Connection] = []
"""Connections that a fork carried over. They must be neither used nor closed: SQLite's locks belong to the parent."""


class StateFile:
    """One file, opened when first needed and anew after a fork. Not thread-safe: one per event loop."""

    def __init__(self, path: Path, schema: str, *, busy: float = 5.0) -> None:
        """`busy` is how long, in seconds, a transaction waits for another process."""
        self.path = path
        self._schema = schema
        self._busy = busy
        self._base: sqlite3.Connection | None = None
        self._process = 0

    def open(self) -> sqlite3.Connection:
        """The connection, in autocommit mode: begin transactions yourself. Raises `sqlite3.Error`, `OSError`."""
        if self._base is not None:
            if self._process == os.getpid():
                return self._base
            _inherited.append(self._base)
            self._base = None
        self._base = open_state(self.path, self._schema, busy=self._busy)
        self._process = os.getpid()
        return self._base

    def close(self) -> None:
        """Close it; a later `open` opens it again."""
        if self._base is not None:
            if self._process == os.getpid():
                self._base.close()
            else:
                _inherited.append(self._base)
        self._base = None


def write_ahead(base: sqlite3.Connection) -> None:
    """Switch a file to write-ahead mode. Raises `sqlite3.Error`.

    SQLite refuses the switch at once while another process is about to do the same, rather than risk a deadlock, so
    workers that start together on a new file need a few tries.
    """
    until = time.monotonic() + _PATIENCE
    while True:
        try:
            base.execute(f"PRAGMA page_size={_PAGE}")  # heeded by a file that is still empty
            base.execute("PRAGMA journal_mode=WAL")
            base.execute("PRAGMA synchronous=NORMAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
            time.sleep(_PAUSE)
        else:
            return


def open_state(path: Path, schema: str, *, busy: float = 5.0) -> sqlite3.Connection:
    """A connection in write-ahead mode with the tables of `schema`; a new file is readable by its owner alone.

    Raises `sqlite3.Error`, `OSError`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        path.touch(mode=0o600)
    base = sqlite3.connect(path, timeout=_PATIENCE, isolation_level=None)
    try:
        write_ahead(base)
        base.executescript(schema)
        base.execute(f"PRAGMA busy_timeout={int(busy * 1000)}")
    except BaseException:
        base.close()
        raise
    return base
