"""The gateway's SQLite files: opened the same way by every process that shares them."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path
from typing import Literal

_PATIENCE = 5.0
_PAUSE = 0.01


def open_state(
    path: Path, schema: str, *, busy: float = 5.0, synchronous: Literal["NORMAL", "OFF"] = "NORMAL"
) -> sqlite3.Connection:
    """A connection in write-ahead mode with the tables of `schema`, in autocommit mode: begin transactions yourself.

    `busy` is how long, in seconds, a transaction waits for another process. A new file is readable by its owner alone.
    Raises `sqlite3.Error`, `OSError`.

    The change to write-ahead mode does not wait for other processes that are about to do the same (SQLite refuses it at
    once rather than risk a deadlock), so workers that start together on a new file need a few tries.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        path.touch(mode=0o600)
    base = sqlite3.connect(path, timeout=_PATIENCE, isolation_level=None)
    try:
        until = time.monotonic() + _PATIENCE
        while True:
            try:
                base.execute("PRAGMA journal_mode=WAL")
                base.execute(f"PRAGMA synchronous={synchronous}")
                base.executescript(schema)
                break
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                    raise
                time.sleep(_PAUSE)
        base.execute(f"PRAGMA busy_timeout={int(busy * 1000)}")
    except BaseException:
        base.close()
        raise
    return base
