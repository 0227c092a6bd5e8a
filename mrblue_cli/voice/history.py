"""The history: every conversation in one SQLite file, text only. One connection; not for two threads at once.

What is stored was redacted before (`history_keeper`); what is read is as it was stored.
"""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from mrblue_cli.core.errors import NothingFound, UsageError
from mrblue_cli.core.texts import tell
from mrblue_cli.voice.history_model import ID_LENGTH, ID_LETTERS, Conversation, Line, Snippet, storable
from mrblue_cli.voice.history_schema import BUSY_SECONDS, changing, connect, explained, indexed

HISTORY_FILE = "history.db"
LAST = "last"
"""Stands for the conversation in which something was said last."""
_HEAD = ", ".join(f"c.{name}" for name in Conversation.__struct_fields__)
_LINE = ", ".join(f"l.{name}" for name in Line.__struct_fields__)
_WIDTH = len(Conversation.__struct_fields__)
_NEWEST = "ORDER BY c.updated DESC, c.rowid DESC"


def new_id() -> str:
    """An id short enough to type and rare enough not to meet another (27^7, ten thousand millions)."""
    return "".join(secrets.choice(ID_LETTERS) for _ in range(ID_LENGTH))


class HistoryStore:
    """The file. Every method raises `HistoryError` when it cannot be used."""

    def __init__(self, path: Path, *, busy_seconds: float = BUSY_SECONDS, full_text: bool | None = None) -> None:
        self.path = path
        self._base = connect(path, busy_seconds=busy_seconds, full_text=full_text)
        self._indexed = indexed(self._base)

    def close(self) -> None:
        """Close the file."""
        with self._reading():
            self._base.close()

    # Keeping ----------------------------------------------------------------------------------------------------

    def begin(self, conversation: Conversation) -> None:
        """A new conversation."""
        with self._changing() as base:
            _insert(base, conversation)

    def resume(self, conversation_id: str, now: float) -> int | None:
        """The conversation goes on; returns the number of the sitting, None when it is gone."""
        with self._changing() as base:
            row = base.execute(
                "UPDATE conversations SET updated = ?, ended = NULL, sittings = 1 + max(sittings, "
                "(SELECT coalesce(max(sitting), 0) FROM lines WHERE conversation = conversations.id)) WHERE id = ? "
                "RETURNING sittings", (now, conversation_id),
            ).fetchone()  # fmt: skip
        return None if row is None else int(row[0])

    def put(self, state: Conversation, lines: Iterable[Line]) -> bool:
        """Add lines, each in the place of what was there under its number (an empty one only takes that away), and
        bring the conversation's figures up to date. False: the conversation was deleted meanwhile; nothing is kept.
        """
        with self._changing() as base:
            known = base.execute(
                "UPDATE conversations SET updated = ?, ended = ?, profile = ?, language = ?, engine = ?, model = ?, "
                "title = CASE title WHEN '' THEN ? ELSE title END, turns = ?, cost_usd = ?, "
                "recorded = max(recorded, ?) WHERE id = ?",
                (state.updated, state.ended, state.profile, state.language, state.engine, state.model, state.title,
                 state.turns, state.cost_usd, state.recorded, state.id),
            ).rowcount  # fmt: skip
            if not known:
                return False
            for line in lines:
                _put_line(base, state.id, line)
        return True

    def restore(self, conversation: Conversation, lines: Iterable[Line]) -> None:
        """Put back what was exported; one with the same id is replaced."""
        with self._changing() as base:
            base.execute("DELETE FROM conversations WHERE id = ?", (conversation.id,))
            _insert(base, conversation)
            for line in lines:
                _put_line(base, conversation.id, line)

    # Reading ----------------------------------------------------------------------------------------------------

    def conversations(self, limit: int | None = None) -> list[Conversation]:
        """The newest first."""
        with self._reading():
            rows = self._base.execute(
                f"SELECT {_HEAD} FROM conversations c {_NEWEST} LIMIT ?", (-1 if limit is None else limit,)  # noqa: S608
            ).fetchall()  # fmt: skip
        return [_conversation(row) for row in rows]

    def find(self, name: str) -> Conversation:
        """The conversation with this id, or the beginning of one, or `last`.

        Raises `NothingFound`, or `UsageError` when several begin like that.
        """
        wanted = storable(name).strip().lower()
        if wanted == LAST:
            found = self.conversations(1)
        else:
            with self._reading():
                rows = self._base.execute(
                    f"SELECT {_HEAD} FROM conversations c WHERE substr(c.id, 1, ?) = ? {_NEWEST} LIMIT 6",  # noqa: S608
                    (len(wanted), wanted),
                ).fetchall()
            found = [_conversation(row) for row in rows] if wanted else []
            found = [one for one in found if one.id == wanted] or found
        if not found:
            raise nothing_kept(name)
        if len(found) > 1:
            ids = ", ".join(one.id for one in found)
            raise UsageError(
                tell("several conversations begin with '{name}': {ids}", name=name, ids=ids),
                hint=tell("give more of the id"),
            )
        return found[0]

    def lines(self, conversation_id: str) -> list[Line]:
        """All that was said in it, in the order in which it began."""
        with self._reading():
            rows = self._base.execute(
                f"SELECT {_LINE} FROM lines l WHERE l.conversation = ? ORDER BY l.sitting, l.seq",  # noqa: S608
                (conversation_id,),
            ).fetchall()
        return [_line(row) for row in rows]

    def search(self, text: str, limit: int = 20) -> list[Snippet]:
        """Lines that hold every word of `text` (or words that begin so), the newest first."""
        words = storable(text).split()
        if not words:
            return []
        if self._indexed and all(_has_token(word) for word in words):
            # Each word a quoted phrase: nothing in it is an operator (sqlite.org, "SQLite FTS5", section 3).
            condition = "l.id IN (SELECT rowid FROM words WHERE words MATCH ?)"
            values: list[object] = [" ".join('"{}"*'.format(word.replace('"', '""')) for word in words)]
        else:
            condition = " AND ".join(["l.text LIKE ? ESCAPE '\\'"] * len(words))
            values = [f"%{_literal(word)}%" for word in words]
        query = (
            f"SELECT {_HEAD}, {_LINE} FROM lines l JOIN conversations c ON c.id = l.conversation "  # noqa: S608
            f"WHERE {condition} ORDER BY l.at DESC, l.id DESC LIMIT ?"
        )
        with self._reading():
            rows = self._base.execute(query, (*values, limit)).fetchall()
        return [Snippet(conversation=_conversation(row[:_WIDTH]), line=_line(row[_WIDTH:])) for row in rows]

    # Forgetting -------------------------------------------------------------------------------------------------

    def older_than(self, moment: float) -> list[Conversation]:
        """Conversations in which nothing was said since `moment`, seconds since 1970."""
        with self._reading():
            rows = self._base.execute(
                f"SELECT {_HEAD} FROM conversations c WHERE c.updated < ? {_NEWEST}", (moment,)  # noqa: S608
            ).fetchall()  # fmt: skip
        return [_conversation(row) for row in rows]

    def delete(self, ids: Sequence[str]) -> int:
        """Forget conversations: their words leave the file, too. Returns how many there were."""
        with self._changing() as base:
            count = sum(base.execute("DELETE FROM conversations WHERE id = ?", (one,)).rowcount for one in ids)
            if count and self._indexed:
                # Deleted words would stay in the index until its next merge.
                base.execute("INSERT INTO words (words) VALUES ('rebuild')")
        if count:
            try:
                self._base.execute("VACUUM")
                self._base.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            except sqlite3.OperationalError:
                # A talk is writing just now. The words are overwritten already; only the room comes back later.
                return count
        return count

    @contextmanager
    def _changing(self) -> Iterator[sqlite3.Connection]:
        with self._reading(), changing(self._base) as base:
            yield base

    @contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise explained(self.path, error) from None


def nothing_kept(name: str) -> NothingFound:
    """There is no such conversation."""
    what = (
        tell("no conversation is kept yet") if name == LAST else tell("no conversation begins with '{name}'", name=name)
    )
    return NothingFound(what, hint=tell("see them with: mrblue history list"))


def _insert(base: sqlite3.Connection, conversation: Conversation) -> None:
    names = Conversation.__struct_fields__
    base.execute(
        f"INSERT INTO conversations ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})",  # noqa: S608
        [getattr(conversation, name) for name in names],
    )


def _put_line(base: sqlite3.Connection, conversation_id: str, line: Line) -> None:
    if not line.text:
        base.execute(
            "DELETE FROM lines WHERE conversation = ? AND sitting = ? AND seq = ?",
            (conversation_id, line.sitting, line.seq),
        )
        return
    names = Line.__struct_fields__
    base.execute(
        f"INSERT INTO lines (conversation, {', '.join(names)}) VALUES (?, {', '.join('?' * len(names))}) "  # noqa: S608
        "ON CONFLICT (conversation, sitting, seq) DO UPDATE SET text = excluded.text, cut = excluded.cut",
        (conversation_id, *(getattr(line, name) for name in names)),
    )


def _conversation(row: Sequence[object]) -> Conversation:
    values = dict(zip(Conversation.__struct_fields__, row, strict=True))
    return Conversation(**{**values, "recorded": bool(values["recorded"])})  # type: ignore[arg-type]


def _line(row: Sequence[object]) -> Line:
    values = dict(zip(Line.__struct_fields__, row, strict=True))
    return Line(**{**values, "cut": bool(values["cut"])})  # type: ignore[arg-type]


def _has_token(word: str) -> bool:
    return any(letter.isalnum() for letter in word)


def _literal(word: str) -> str:
    return word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
