"""The ledger's tables, opening them, and what may be wrong with the file.

The file is shared with the gateway's other records, so the version stands in a table of its own row by row, not in
SQLite's `user_version`.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from mrblue_cli.core.errors import ConfigError
from mrblue_cli.gateway.state import write_ahead

LEDGER_FILE = "gateway.sqlite3"
VERSION = 1
_COMPONENT = "ledger"
_TABLES = """
CREATE TABLE IF NOT EXISTS workers (
  id INTEGER PRIMARY KEY, host TEXT NOT NULL, pid INTEGER NOT NULL, started TEXT NOT NULL
);
-- AUTOINCREMENT: a number is never used again, because lines are found by it after the reservation is gone.
CREATE TABLE IF NOT EXISTS reservations (
  id INTEGER PRIMARY KEY AUTOINCREMENT, worker INTEGER NOT NULL, opened_at REAL NOT NULL, day TEXT NOT NULL,
  request_id TEXT NOT NULL, key_id TEXT NOT NULL, surface TEXT NOT NULL, model TEXT NOT NULL, amount_nano INTEGER
);
CREATE TABLE IF NOT EXISTS charges (
  reservation INTEGER NOT NULL, line INTEGER NOT NULL, at REAL NOT NULL, day TEXT NOT NULL,
  request_id TEXT NOT NULL, key_id TEXT NOT NULL, surface TEXT NOT NULL, provider TEXT NOT NULL, model TEXT NOT NULL,
  outcome TEXT NOT NULL, cache TEXT NOT NULL, cost_nano INTEGER, saved_nano INTEGER NOT NULL,
  input_tokens INTEGER NOT NULL, output_tokens INTEGER NOT NULL, usage TEXT NOT NULL,
  PRIMARY KEY (reservation, line)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS totals (
  period TEXT NOT NULL, scope TEXT NOT NULL, spent INTEGER NOT NULL DEFAULT 0, reserved INTEGER NOT NULL DEFAULT 0,
  saved INTEGER NOT NULL DEFAULT 0, calls INTEGER NOT NULL DEFAULT 0, input_tokens INTEGER NOT NULL DEFAULT 0,
  output_tokens INTEGER NOT NULL DEFAULT 0, version INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (period, scope)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS alerts (
  period TEXT NOT NULL, scope TEXT NOT NULL, what TEXT NOT NULL, threshold REAL NOT NULL, action TEXT NOT NULL,
  at REAL NOT NULL, worker INTEGER NOT NULL, sent INTEGER NOT NULL DEFAULT 0, spent INTEGER NOT NULL,
  amount INTEGER NOT NULL,
  PRIMARY KEY (period, scope, what, threshold, action)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS ledger_facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
"""
_VERSIONS = "CREATE TABLE IF NOT EXISTS versions (component TEXT PRIMARY KEY, version INTEGER NOT NULL)"


class LedgerError(ConfigError):
    """The ledger's file cannot be used; what was under way is unchanged."""

    code = "ledger"


def connect(path: Path, *, busy_s: float, checkpoint_pages: int) -> sqlite3.Connection:
    """The file, made when missing, with its tables. Raises `LedgerError`."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            path.touch(mode=0o600)  # who asked what, and for how much, is the owner's business
        base = sqlite3.connect(path, timeout=busy_s, isolation_level=None, check_same_thread=False)
    except (sqlite3.Error, OSError) as error:
        raise explained(path, error) from None
    try:
        write_ahead(base)
        base.execute(f"PRAGMA wal_autocheckpoint={checkpoint_pages:d}")
        base.execute("BEGIN IMMEDIATE")
        base.execute(_VERSIONS)
        check_version(path, base)
        for statement in _TABLES.split(";"):
            if statement.strip():
                base.execute(statement)
        base.execute("INSERT OR IGNORE INTO versions VALUES (?, ?)", (_COMPONENT, VERSION))
        base.execute("COMMIT")
    except sqlite3.Error as error:
        base.close()
        raise explained(path, error) from None
    except LedgerError:
        base.close()
        raise
    return base


def connect_to_read(path: Path) -> sqlite3.Connection:
    """The existing file, for reading only, while others write it. Raises `LedgerError`."""
    try:
        base = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=5.0, isolation_level=None)
    except sqlite3.Error as error:
        raise explained(path, error) from None
    try:
        check_version(path, base)
    except sqlite3.Error as error:
        base.close()
        raise explained(path, error) from None
    except LedgerError:
        base.close()
        raise
    return base


def has_ledger(base: sqlite3.Connection) -> bool:
    """Whether the file holds a ledger (and not only other records of the gateway)."""
    found = base.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'charges'").fetchone()
    return found is not None


def check_version(path: Path, base: sqlite3.Connection) -> None:
    """Refuse a file that a later mrblue has written: what it means to a line, this one cannot know."""
    if not base.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'versions'").fetchone():
        return
    row = base.execute("SELECT version FROM versions WHERE component = ?", (_COMPONENT,)).fetchone()
    if row is not None and row[0] > VERSION:
        raise LedgerError(
            f"{path}: written by a later mrblue (ledger version {row[0]}, this one knows {VERSION})",
            hint="update mrblue, or name another state folder",
        )


def explained(path: Path, error: Exception) -> LedgerError:
    """What is wrong with the file and what to do, from what SQLite or the system says."""
    words = str(error)
    low = words.lower()
    if "malformed" in low or "not a database" in low:
        hint = "move the file away to begin a new ledger; `sqlite3 FILE .recover` may save its lines"
    elif "readonly" in low or "read-only" in low or "unable to open" in low or "permission" in low:
        hint = "give the gateway's user the right to write the file and its folder"
    elif "full" in low or "no space" in low:
        hint = "make room on the disk; requests under way stay counted with what was set aside for them"
    elif "locked" in low or "busy" in low:
        hint = "another program holds the file; end it (a backup? a database browser?)"
    else:
        hint = "check the file's permissions and the space on its disk"
    return LedgerError(f"{path}: the ledger cannot be used: {words}", hint=hint)
