"""The record of what talks cost: one line for each reply and transcription, in a small SQLite file.

Written by a thread of its own, because a disk may take longer than sound can wait. A line is committed at once, in
write-ahead mode with `synchronous=NORMAL`: it survives the death of the process (sqlite.org, "Write-Ahead Logging").
"""

from __future__ import annotations

import queue
import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from mrblue_cli.core.errors import ConfigError
from mrblue_cli.core.texts import tell
from mrblue_cli.gateway.state import write_ahead
from mrblue_cli.settings.places import place
from mrblue_cli.voice.charges import Charge
from mrblue_cli.voice.events import Failure, Spent, TalkEvent

VERSION = 1
BUSY_SECONDS = 5.0
CLOSE_SECONDS = 3.0
_MOST_WAITING = 1000
_SCHEMA = """
CREATE TABLE IF NOT EXISTS charges (
  id INTEGER PRIMARY KEY, at REAL NOT NULL, conversation TEXT NOT NULL, profile TEXT NOT NULL, engine TEXT NOT NULL,
  rung TEXT NOT NULL, kind TEXT NOT NULL, model TEXT NOT NULL, text_input INTEGER NOT NULL,
  audio_input INTEGER NOT NULL, image_input INTEGER NOT NULL, cached_input INTEGER NOT NULL,
  text_output INTEGER NOT NULL, audio_output INTEGER NOT NULL, seconds REAL NOT NULL, characters INTEGER NOT NULL,
  cost_nano INTEGER
);
CREATE INDEX IF NOT EXISTS charges_at ON charges (at);
"""
_LINE = "INSERT INTO charges VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"


class _Line(NamedTuple):
    at: float
    conversation: str
    profile: str
    charge: Charge

    @property
    def values(self) -> tuple[object, ...]:
        it = self.charge
        return (
            self.at, self.conversation, self.profile, it.engine, it.rung, str(it.kind), it.model, it.text_input,
            it.audio_input, it.image_input, it.cached_input, it.text_output, it.audio_output, it.seconds,
            it.characters, it.cost_nano,
        )  # fmt: skip


def costs_file() -> Path:
    """Where the record is."""
    return place("data") / "talk_costs.db"


def open_costs(path: Path) -> sqlite3.Connection:
    """The record, made when missing, readable by its owner alone. Raises `sqlite3.Error`, `OSError`, `ConfigError`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        path.touch(mode=0o600)
    base = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
    try:
        write_ahead(base)
        check_version(base, path)
        base.executescript(f"{_SCHEMA} PRAGMA user_version={VERSION:d};")
    except BaseException:
        base.close()
        raise
    return base


def check_version(base: sqlite3.Connection, path: Path) -> None:
    """Refuse a record of a later mrblue: what it means by a line, this one cannot know."""
    (version,) = base.execute("PRAGMA user_version").fetchone()
    if version > VERSION:
        raise ConfigError(
            tell("{path}: written by a later mrblue", path=path), hint=tell("update mrblue, or move the file away")
        )


def explained(path: Path, error: Exception) -> ConfigError:
    """What is wrong with the file, and what to do."""
    return ConfigError(
        tell("{path}: the record of costs cannot be used: {words}", path=path, words=error),
        hint=tell("check its permissions and the space there, or move the file away to begin anew"),
    )


class TalkCosts:
    """Follows one talk and keeps what it cost. `see` never waits; what goes wrong is told once."""

    def __init__(
        self, emit: Callable[[TalkEvent], None], *, conversation: str, profile: str = "", path: Path | None = None,
        wall: Callable[[], float] = time.time,
    ) -> None:  # fmt: skip
        """`wall` gives unix seconds. Nothing is opened before there is something to keep."""
        self._emit = emit
        self._conversation = conversation
        self._profile = profile
        self._path = path or costs_file()
        self._wall = wall
        self._waiting: queue.SimpleQueue[_Line | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._trouble: ConfigError | None = None
        self._told = False

    def see(self, event: TalkEvent) -> None:
        """Take in one event."""
        if self._trouble is not None and not self._told:
            self._told = True
            self._emit(Failure(self._trouble.code, self._trouble.what, fatal=False, hint=self._trouble.hint))
        if not isinstance(event, Spent) or not event.charges:
            return
        at = self._wall()
        for charge in event.charges:
            self._waiting.put(_Line(at, self._conversation, self._profile, charge))
        if self._thread is None:
            self._thread = threading.Thread(target=self._write, name="talk-costs", daemon=True)
            self._thread.start()

    def close(self) -> bool:
        """Write the rest. False: the disk did not take it in time, and what is left is given up."""
        if self._thread is None:
            return True
        self._waiting.put(None)
        self._thread.join(CLOSE_SECONDS)
        return not self._thread.is_alive()

    def _write(self) -> None:
        base: sqlite3.Connection | None = None
        unwritten: list[_Line] = []
        try:
            while (line := self._waiting.get()) is not None:
                # What could not be written is tried again with the next line; never more than a talk's worth.
                unwritten = [*unwritten, line][-_MOST_WAITING:]
                try:
                    base = base or open_costs(self._path)
                    base.execute("BEGIN IMMEDIATE")
                    base.executemany(_LINE, [one.values for one in unwritten])
                    base.execute("COMMIT")
                    unwritten = []
                except (sqlite3.Error, OSError, ConfigError) as error:
                    self._trouble = error if isinstance(error, ConfigError) else explained(self._path, error)
                    if base is not None and base.in_transaction:
                        base.execute("ROLLBACK")
        finally:
            if base is not None:
                base.close()
