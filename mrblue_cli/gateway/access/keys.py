"""Virtual keys: who may ask, for which models, how much and until when. Only digests are stored.

The table `virtual_keys` stands in the gateway's one SQLite file. Every process that serves keeps what it verified in
memory and looks once a second whether the table has changed, so that a revoked key ends everywhere at once.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import sqlite3
import time
from collections.abc import Collection, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Literal

import msgspec

from mrblue_cli.core.errors import ConfigError, UsageError
from mrblue_cli.gateway.access.key_lines import Imported, KeyLine
from mrblue_cli.gateway.model import KeyLimits
from mrblue_cli.gateway.state import StateFile

PREFIX = "mrb_"
RECHECK = 1.0
"""Seconds for which a verified key is trusted without a look at the table."""

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_BYTES = 32
_LENGTH = 43
"""Digits of base 62 that 32 bytes need: ceil(256 / log2(62))."""
_MOST_CACHED = 10_000
_PATIENCE = 60.0
"""Seconds for which verified keys stay good while the file cannot be read."""
_SCHEMA = """
CREATE TABLE IF NOT EXISTS virtual_keys (
  id TEXT PRIMARY KEY, digest BLOB NOT NULL UNIQUE, name TEXT NOT NULL, models TEXT NOT NULL,
  daily_nano INTEGER, monthly_nano INTEGER, requests_per_minute INTEGER, tokens_per_minute INTEGER,
  expires_at REAL, created_at REAL NOT NULL, revoked_at REAL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS virtual_keys_version (only INTEGER PRIMARY KEY CHECK (only = 1), version INTEGER NOT NULL);
INSERT OR IGNORE INTO virtual_keys_version VALUES (1, 0);
"""
_COLUMNS = (
    "id, name, models, daily_nano, monthly_nano, requests_per_minute, tokens_per_minute, expires_at, created_at, "
    "revoked_at"
)


class Caller(msgspec.Struct, frozen=True):
    """Whoever asks: the bearer of a key, or anyone where none is required."""

    key_id: str
    name: str
    models: tuple[str, ...] = ()
    """Globs such as `gpt-4o*`; empty: all models."""
    limits: KeyLimits = KeyLimits()
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    expires_at: float | None = None
    """Unix seconds."""

    def allows(self, *names: str) -> bool:
        """Whether the key may use a model, under any of the names it goes by ("gpt-4o", "openai/gpt-4o")."""
        return not self.models or any(fnmatchcase(name, glob) for glob in self.models for name in names)


ANONYMOUS = Caller("anonymous", "anonymous")
"""Anyone, where keys are not required."""


class KeyRecord(msgspec.Struct, frozen=True):
    """A key as its owner sees it."""

    caller: Caller
    created_at: float
    revoked_at: float | None

    def state(self, now: float) -> str:
        """`active`, `revoked` or `expired`."""
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if self.caller.expires_at is not None and self.caller.expires_at <= now else "active"


class KeysUnavailable(Exception):
    """The file with the keys cannot be read, so nobody can be told from anybody."""


def new_token() -> str:
    """A fresh token: 256 random bits in base 62."""
    number = int.from_bytes(secrets.token_bytes(_BYTES), "big")
    digits = []
    for _ in range(_LENGTH):
        number, digit = divmod(number, 62)
        digits.append(_DIGITS[digit])
    return PREFIX + "".join(reversed(digits))


class KeyStore:
    """The keys of one file. Not thread-safe: one per event loop."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = StateFile(path, _SCHEMA)
        self._known: dict[bytes, Caller] = {}
        self._version = -1
        self._checked = float("-inf")

    def create(
        self,
        name: str,
        *,
        limits: KeyLimits = KeyLimits(),  # noqa: B008 - frozen
        models: Sequence[str] = (),
        requests_per_minute: int | None = None,
        tokens_per_minute: int | None = None,
        expires_at: float | None = None,
        now: float | None = None,
    ) -> tuple[Caller, str]:
        """A new key and its token, which is told this once. Raises `UsageError`, `ConfigError`."""
        at = time.time() if now is None else now
        _check(name, limits, models, requests_per_minute, tokens_per_minute)
        if expires_at is not None and expires_at <= at:
            raise UsageError("the key would have expired already", hint="give a later date, or leave it out")
        token = new_token()
        caller = Caller(
            f"key_{secrets.token_hex(6)}",
            name,
            tuple(models),
            limits,
            requests_per_minute,
            tokens_per_minute,
            expires_at,
        )
        try:
            base = self._file.open()
            with base:
                base.execute("BEGIN IMMEDIATE")
                taken = base.execute(
                    "SELECT id FROM virtual_keys WHERE name = ? AND revoked_at IS NULL "
                    "AND (expires_at IS NULL OR expires_at > ?)", (name, at),
                ).fetchone()  # fmt: skip
                if taken:
                    raise UsageError(
                        f"there is a key '{name}' already: {taken[0]}", hint="revoke it, or take another name"
                    )
                row = (
                    caller.key_id, _digest(token), name, json.dumps(list(models)), limits.daily_nano,
                    limits.monthly_nano, requests_per_minute, tokens_per_minute, expires_at, at, None,
                )  # fmt: skip
                base.execute("INSERT INTO virtual_keys VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
                _count_change(base)
        except (sqlite3.Error, OSError) as error:
            raise self._unusable(error) from None
        return caller, token

    def verify(self, token: str, now: float) -> Caller | None:
        """Whose token this is at `now` (Unix seconds); None for unknown, revoked and expired ones.

        Raises `KeysUnavailable` when the file cannot be read and the key was not seen lately.
        """
        if len(token) != len(PREFIX) + _LENGTH or not token.startswith(PREFIX) or not token.isascii():
            return None
        digest = _digest(token)
        if not 0 <= now - self._checked < RECHECK:
            self._look(now)
        caller = self._known.get(digest)
        if caller is None:
            caller = self._find(digest)
        if caller is None or (caller.expires_at is not None and caller.expires_at <= now):
            return None
        return caller

    def list(self) -> tuple[KeyRecord, ...]:
        """All keys, oldest first, also those revoked and expired. Raises `ConfigError`."""
        if not self._path.exists():
            return ()
        try:
            rows = self._file.open().execute(f"SELECT {_COLUMNS} FROM virtual_keys ORDER BY created_at, id").fetchall()  # noqa: S608
        except (sqlite3.Error, OSError) as error:
            raise self._unusable(error) from None
        return tuple(_record(row) for row in rows)

    def revoke(self, key: str, *, now: float | None = None) -> KeyRecord:
        """End a key, by its id or by the name of an active one. Raises `UsageError`, `ConfigError`."""
        at = time.time() if now is None else now
        found = [
            record
            for record in self.list()
            if key == record.caller.key_id or (key == record.caller.name and record.state(at) == "active")
        ]
        if not found:
            ended = any(key == record.caller.name for record in self.list())
            why = f"the key '{key}' is revoked or expired already" if ended else f"there is no key '{key}'"
            raise UsageError(why, hint="mrblue gateway keys list")
        record = found[0]
        try:
            base = self._file.open()
            with base:
                base.execute("BEGIN IMMEDIATE")
                base.execute(
                    "UPDATE virtual_keys SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL",
                    (at, record.caller.key_id),
                )
                _count_change(base)
        except (sqlite3.Error, OSError) as error:
            raise self._unusable(error) from None
        self._known.clear()
        return msgspec.structs.replace(record, revoked_at=record.revoked_at or at)

    def export(self) -> tuple[KeyLine, ...]:
        """All keys with their digests, for `take_in` on another machine. Raises `ConfigError`."""
        if not self._path.exists():
            return ()
        query = f"SELECT digest, {_COLUMNS} FROM virtual_keys ORDER BY created_at, id"  # noqa: S608
        try:
            rows = self._file.open().execute(query).fetchall()
        except (sqlite3.Error, OSError) as error:
            raise self._unusable(error) from None
        return tuple(_line(row) for row in rows)

    def take_in(self, keys: Sequence[KeyLine], *, now: float | None = None) -> Imported:
        """Add keys of another machine, or bring ours up to theirs: all of them, or none.

        A key that is revoked here stays so, whatever an older export says. Raises `UsageError`, `ConfigError`.
        """
        at = time.time() if now is None else now
        for key in keys:
            _check(key.name, KeyLimits(), key.models)
        counts = {"added": 0, "updated": 0, "unchanged": 0}
        try:
            base = self._file.open()
            with base:
                base.execute("BEGIN IMMEDIATE")
                for key in keys:
                    counts[_taken_in(base, key)] += 1
                _refuse_twins(base, {key.name for key in keys}, at)
                _count_change(base)
        except (sqlite3.Error, OSError) as error:
            raise self._unusable(error) from None
        self._known.clear()
        return Imported(**counts)

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        self._known.clear()
        self._version = -1

    def _look(self, now: float) -> None:
        """Forget what was verified when the table has changed since."""
        try:
            version: int = self._file.open().execute("SELECT version FROM virtual_keys_version").fetchone()[0]
        except (sqlite3.Error, OSError):
            if not 0 <= now - self._checked < _PATIENCE:
                raise KeysUnavailable from None
            return
        self._checked = now
        if version != self._version:
            self._known.clear()
            self._version = version

    def _find(self, digest: bytes) -> Caller | None:
        query = f"SELECT digest, {_COLUMNS} FROM virtual_keys WHERE digest = ? AND revoked_at IS NULL"  # noqa: S608
        try:
            row = self._file.open().execute(query, (digest,)).fetchone()
        except (sqlite3.Error, OSError):
            raise KeysUnavailable from None
        # The index finds by an unguessable digest; the comparison makes sure that its timing tells nothing either.
        if row is None or not hmac.compare_digest(row[0], digest):
            return None
        caller = _record(row[1:]).caller
        if len(self._known) >= _MOST_CACHED:
            self._known.clear()
        self._known[digest] = caller
        return caller

    def _unusable(self, error: Exception) -> ConfigError:
        return ConfigError(
            f"{self._path}: the keys cannot be used: {error}", hint="check its permissions and the space on that disk"
        )


def _digest(token: str) -> bytes:
    # Plain SHA-256, no salt, no stretching: with 256 random bits there is nothing to guess.
    return hashlib.sha256(token.encode("ascii")).digest()


def _count_change(base: sqlite3.Connection) -> None:
    base.execute("UPDATE virtual_keys_version SET version = version + 1")


def _line(row: Sequence[Any]) -> KeyLine:
    digest, *rest = row
    record = _record(rest)
    caller = record.caller
    return KeyLine(
        id=caller.key_id,
        name=caller.name,
        sha256=digest.hex(),
        models=caller.models,
        daily_nano=caller.limits.daily_nano,
        monthly_nano=caller.limits.monthly_nano,
        requests_per_minute=caller.requests_per_minute,
        tokens_per_minute=caller.tokens_per_minute,
        expires_at=caller.expires_at,
        created_at=record.created_at,
        revoked_at=record.revoked_at,
    )


def _taken_in(base: sqlite3.Connection, key: KeyLine) -> Literal["added", "updated", "unchanged"]:
    """Write one key of another machine. Raises `UsageError` when it contradicts one of ours."""
    query = f"SELECT digest, {_COLUMNS} FROM virtual_keys WHERE id = ? OR digest = ?"  # noqa: S608
    rows = base.execute(query, (key.id, bytes.fromhex(key.sha256))).fetchall()
    ours = [_line(row) for row in rows]
    if any((one.id, one.sha256) != (key.id, key.sha256) for one in ours):
        raise UsageError(
            f"{key.id} ({key.name}) is another key here", hint="it does not come from where this machine's keys come"
        )
    if ours and ours[0].revoked_at is not None:
        key = msgspec.structs.replace(key, revoked_at=ours[0].revoked_at)
    if ours and ours[0] == key:
        return "unchanged"
    row = (
        key.id, bytes.fromhex(key.sha256), key.name, json.dumps(list(key.models)), key.daily_nano, key.monthly_nano,
        key.requests_per_minute, key.tokens_per_minute, key.expires_at, key.created_at, key.revoked_at,
    )  # fmt: skip
    base.execute("INSERT OR REPLACE INTO virtual_keys VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
    return "updated" if ours else "added"


def _refuse_twins(base: sqlite3.Connection, names: Collection[str], now: float) -> None:
    """Names stay the names of one active key. Raises `UsageError`."""
    rows = base.execute(
        "SELECT name FROM virtual_keys WHERE revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ?) "
        "GROUP BY name HAVING count(*) > 1", (now,),
    ).fetchall()  # fmt: skip
    twins = sorted(name for (name,) in rows if name in names)
    if twins:
        raise UsageError(
            f"there would be two active keys named '{twins[0]}', of here and of there",
            hint=f"revoke one of them: mrblue gateway keys revoke '{twins[0]}'",
        )


def _record(row: Sequence[object]) -> KeyRecord:
    key_id, name, models, daily, monthly, requests, tokens, expires, created, revoked = row
    limits = {"daily_nano": daily, "monthly_nano": monthly}
    caller = {
        "key_id": key_id, "name": name, "models": json.loads(str(models)), "limits": limits,
        "requests_per_minute": requests, "tokens_per_minute": tokens, "expires_at": expires,
    }  # fmt: skip
    return msgspec.convert({"caller": caller, "created_at": created, "revoked_at": revoked}, KeyRecord)


def _check(name: str, limits: KeyLimits, models: Sequence[str], *counts: int | None) -> None:
    if not name.strip() or not name.isprintable() or len(name) > 100:
        raise UsageError("a key's name is one line of 1 to 100 characters", hint="mrblue gateway keys create laptop")
    for glob in models:
        if not glob.strip() or not glob.isprintable() or len(glob) > 200:
            raise UsageError("a model is one word, with * for any letters", hint="--model 'gpt-4o*'")
    if any(count is not None and count < 1 for count in counts):
        raise UsageError("a limit per minute is at least 1", hint="leave it out for none; revoke a key to end it")
    if any(nano is not None and nano < 0 for nano in (limits.daily_nano, limits.monthly_nano)):
        raise UsageError("a limit of money is not negative", hint="leave it out for none")
