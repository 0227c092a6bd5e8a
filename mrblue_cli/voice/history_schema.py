"""The history's file: its tables, their versions, opening it, and what may be wrong with it.

Write-ahead log with `synchronous=NORMAL`: what was committed survives the death of the process (`kill -9`), and a file
is never left half changed. Only the machine losing power may take the last moments (sqlite.org, "Write-Ahead Logging",
and PRAGMA synchronous).
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path

from mrblue_cli.core.errors import ConfigError
from mrblue_cli.core.texts import tell

BUSY_SECONDS = 2.0
_MIGRATIONS = (
    """
    CREATE TABLE conversations (
      id TEXT PRIMARY KEY, started REAL NOT NULL, updated REAL NOT NULL, ended REAL, profile TEXT NOT NULL,
      engine TEXT NOT NULL, model TEXT NOT NULL, language TEXT NOT NULL, title TEXT NOT NULL, turns INTEGER NOT NULL,
      cost_usd REAL, sittings INTEGER NOT NULL, recorded INTEGER NOT NULL
    );
    CREATE INDEX conversations_updated ON conversations (updated);
    CREATE TABLE lines (
      id INTEGER PRIMARY KEY, conversation TEXT NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
      sitting INTEGER NOT NULL, seq INTEGER NOT NULL, item_id TEXT NOT NULL, who TEXT NOT NULL, text TEXT NOT NULL,
      cut INTEGER NOT NULL, at_ms INTEGER NOT NULL, at REAL NOT NULL,
      UNIQUE (conversation, sitting, seq)
    );
    """,
)
"""One script for each version of the file; never changed once released, only followed by another."""
_INDEX = """
CREATE VIRTUAL TABLE IF NOT EXISTS words USING fts5(
  text, content='lines', content_rowid='id', tokenize="unicode61 remove_diacritics 2"
);
CREATE TRIGGER lines_added AFTER INSERT ON lines BEGIN
  INSERT INTO words (rowid, text) VALUES (new.id, new.text);
END;
CREATE TRIGGER lines_removed AFTER DELETE ON lines BEGIN
  INSERT INTO words (words, rowid, text) VALUES ('delete', old.id, old.text);
END;
CREATE TRIGGER lines_changed AFTER UPDATE OF text ON lines BEGIN
  INSERT INTO words (words, rowid, text) VALUES ('delete', old.id, old.text);
  INSERT INTO words (rowid, text) VALUES (new.id, new.text);
END;
INSERT INTO words (words) VALUES ('rebuild');
"""
_NO_INDEX = "DROP TRIGGER lines_added; DROP TRIGGER lines_removed; DROP TRIGGER lines_changed;"


class HistoryError(ConfigError):
    """The history's file cannot be used; what it held is unchanged."""

    code = "history"

    def __init__(self, what: str, *, hint: str = "", busy: bool = False) -> None:
        super().__init__(what, hint=hint)
        self.busy = busy
        """Another program holds the file: worth trying again."""


def connect(
    path: Path, *, busy_seconds: float = BUSY_SECONDS, full_text: bool | None = None,
    migrations: Sequence[str] = _MIGRATIONS,
) -> sqlite3.Connection:  # fmt: skip
    """The file, made when missing, brought up to date. Raises `HistoryError`.

    `full_text` False does without the index of words, as an SQLite built without FTS5 must; None asks it.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not path.exists():
            path.touch(mode=0o600)
        elif path.stat().st_mode & 0o077:
            path.chmod(0o600)  # what people say is their own business
        base = sqlite3.connect(path, timeout=busy_seconds, isolation_level=None)
    except (sqlite3.Error, OSError) as error:
        raise explained(path, error) from None
    try:
        base.execute("PRAGMA journal_mode=WAL")
        base.execute("PRAGMA synchronous=NORMAL")
        base.execute("PRAGMA foreign_keys=ON")
        base.execute("PRAGMA secure_delete=ON")
        _migrate(path, base, migrations)
        _index_words(base, wanted=_has_fts5(base) if full_text is None else full_text)
    except sqlite3.Error as error:
        base.close()
        raise explained(path, error) from None
    except HistoryError:
        base.close()
        raise
    return base


def indexed(base: sqlite3.Connection) -> bool:
    """Whether the index of words is kept up to date."""
    found = base.execute("SELECT 1 FROM sqlite_master WHERE type = 'trigger' AND name = 'lines_added'").fetchone()
    return found is not None


def explained(path: Path, error: Exception) -> HistoryError:
    """What is wrong with the file and what to do, from what SQLite or the system says."""
    words = str(error)
    low = words.lower()
    busy = "locked" in low or "busy" in low
    if "malformed" in low or "not a database" in low:
        hint = tell("move the file away to begin a new history; `sqlite3 FILE .recover` may save its lines")
    elif busy:
        hint = tell("another program holds the file; end it (a backup? a database browser?)")
    elif "full" in low or "no space" in low:
        hint = tell("make room on the disk")
    else:
        hint = tell("check the permissions of the file and its folder, and the space there")
    what = tell("{path}: the history cannot be used: {words}", path=path, words=words)
    return HistoryError(what, hint=hint, busy=busy)


def _migrate(path: Path, base: sqlite3.Connection, migrations: Sequence[str]) -> None:
    if _version(base) == len(migrations):
        return
    with changing(base):
        # Asked again inside the transaction: another process may have done it in between.
        version = _version(base)
        if version > len(migrations):
            raise HistoryError(
                tell("{path}: written by a later mrblue (version {version})", path=path, version=version),
                hint=tell("update mrblue, or move the file away to begin a new history"),
            )
        for script in migrations[version:]:
            run_script(base, script)
        base.execute(f"PRAGMA user_version={len(migrations):d}")


def _index_words(base: sqlite3.Connection, *, wanted: bool) -> None:
    """The index follows what this SQLite can do: one made elsewhere must not stop lines from being written here."""
    if indexed(base) == wanted:
        return
    with changing(base):
        if indexed(base) != wanted:
            run_script(base, _INDEX if wanted else _NO_INDEX)


def _version(base: sqlite3.Connection) -> int:
    return int(base.execute("PRAGMA user_version").fetchone()[0])


def _has_fts5(base: sqlite3.Connection) -> bool:
    return base.execute("SELECT 1 FROM pragma_module_list WHERE name = 'fts5'").fetchone() is not None


def run_script(base: sqlite3.Connection, script: str) -> None:
    """Run statements within the open transaction (`executescript` would commit it)."""
    statement = ""
    for piece in script.split(";"):
        statement += piece + ";"
        if sqlite3.complete_statement(statement):
            base.execute(statement)
            statement = ""


@contextlib.contextmanager
def changing(base: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """One transaction: all of it or nothing."""
    base.execute("BEGIN IMMEDIATE")
    try:
        yield base
        base.execute("COMMIT")
    finally:
        if base.in_transaction:
            base.execute("ROLLBACK")
