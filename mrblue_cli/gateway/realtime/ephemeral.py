"""Ephemeral keys of the gateway's own (`ek_…`): let a browser open a session without holding any real key.

A key is bound to the virtual key that minted it and to a session configuration, and is good for any number of sessions
until it expires. Only its SHA-256 is kept. With several workers the table is a file in the state folder, so that a key
minted by one opens a session at another.
"""

from __future__ import annotations

import hashlib
import secrets
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from mrblue_cli.gateway.model import CallError, Fault, FaultKind, Json
from mrblue_cli.gateway.realtime.handshake import MAX_NAME
from mrblue_cli.gateway.state import write_ahead
from mrblue_cli.protocol.codec import UNREADABLE
from mrblue_cli.protocol.codec_beta import session_to_beta
from mrblue_cli.protocol.redialect import session_request_to_ga

PREFIX = "ek_"
SHORTEST, LONGEST, USUAL = 10, 7200, 600
"""Seconds of life, as OpenAI has them."""
_MAX_CONFIG_BYTES = 256 * 1024
_SWEEP_EVERY = 64
_TABLE = """CREATE TABLE IF NOT EXISTS ephemeral_keys (
    hash BLOB PRIMARY KEY, key_id TEXT NOT NULL, expires_at REAL NOT NULL, session BLOB NOT NULL) WITHOUT ROWID"""


class Grant(msgspec.Struct, frozen=True, kw_only=True):
    """What an ephemeral key stands for."""

    key_id: str
    """The virtual key that minted it."""
    session: Json
    """The session configuration, in the GA shape."""
    expires_at: float
    """Unix seconds."""

    @property
    def model(self) -> str:
        """The model it was minted for, empty when none was named."""
        model = self.session.get("model")
        return model if isinstance(model, str) else ""

    @property
    def config(self) -> Json | None:
        """What an initial `session.update` must say; None when there is nothing beyond the model."""
        return self.session if set(self.session) - {"type", "model"} else None


class EphemeralKeys:
    """Mints and finds them. Calls take well under a millisecond; made for the event loop's thread."""

    def __init__(self, path: Path | None, *, unix_now: Callable[[], float]) -> None:
        """`path`: a file shared by this machine's workers; None: this process alone."""
        self._now = unix_now
        self._minted = 0
        if path is not None:
            path.touch(mode=0o600)
        self._db = sqlite3.connect(path or ":memory:", timeout=5, isolation_level=None)
        write_ahead(self._db)
        self._db.execute(_TABLE)

    def mint(self, key_id: str, session: Json, seconds: int) -> tuple[str, int]:
        """(key, expiry in Unix seconds). The key is shown here and never again."""
        value = PREFIX + secrets.token_urlsafe(32)
        expires_at = int(self._now()) + seconds
        row = (_hash(value), key_id, expires_at, msgspec.json.encode(session))
        self._db.execute("INSERT INTO ephemeral_keys VALUES (?, ?, ?, ?)", row)
        self._minted += 1
        if self._minted % _SWEEP_EVERY == 0:
            self._db.execute("DELETE FROM ephemeral_keys WHERE expires_at <= ?", (self._now(),))
        return value, expires_at

    def find(self, value: str) -> Grant | None:
        """What a key stands for; None when it never was, or is no more."""
        query = "SELECT key_id, session, expires_at FROM ephemeral_keys WHERE hash = ? AND expires_at > ?"
        row = self._db.execute(query, (_hash(value), self._now())).fetchone()
        if row is None:
            return None
        return Grant(key_id=row[0], session=msgspec.json.decode(row[1]), expires_at=row[2])

    def close(self) -> None:
        """Let go of the table."""
        self._db.close()


def _hash(value: str) -> bytes:
    return hashlib.sha256(value.encode("utf-8", "surrogatepass")).digest()


def read_ga_request(body: Any) -> tuple[Json, int]:
    """(session, seconds) of `POST /realtime/client_secrets`. Raises `CallError` (BAD_REQUEST)."""
    table = _table(body, "")
    session = _table(table.get("session") or {"type": "realtime"}, "session")
    kind = session.get("type", "realtime")
    if kind not in ("realtime", "transcription"):  # a tuple: what JSON holds need not be hashable
        raise _bad("session.type", "must be 'realtime' or 'transcription'")
    return _limited({**session, "type": kind}), _seconds(table.get("expires_after"))


def read_beta_request(body: Any, *, transcription: bool = False) -> tuple[Json, int]:
    """(session in the GA shape, seconds) of beta's `POST /realtime/sessions` and `/transcription_sessions`."""
    flat = _table(body, "")
    asked = flat.pop("client_secret", None)
    expiry = asked.get("expires_after") if isinstance(asked, dict) else None
    try:
        session = session_request_to_ga(flat, transcription=transcription)
    except UNREADABLE as error:
        raise _bad("", str(error)) from None
    return _limited(session), _seconds(expiry)


def ga_answer(value: str, expires_at: int, session: Json, session_id: str) -> Json:
    """The answer of `client_secrets`."""
    kind = "realtime.transcription_session" if session["type"] == "transcription" else "realtime.session"
    shown = {**session, "object": kind, "id": session_id, "expires_at": 0}
    return {"value": value, "expires_at": expires_at, "session": shown}


def beta_answer(value: str, expires_at: int, session: Json, session_id: str) -> Json:
    """The answer of beta's `sessions` and `transcription_sessions`."""
    kind = "realtime.transcription_session" if session["type"] == "transcription" else "realtime.session"
    secret = {"value": value, "expires_at": expires_at}
    return {"id": session_id, "object": kind, **session_to_beta(session), "client_secret": secret}


def _seconds(expiry: Any) -> int:
    if expiry is None:
        return USUAL
    table = _table(expiry, "expires_after")
    if table.get("anchor", "created_at") != "created_at":
        raise _bad("expires_after.anchor", "must be 'created_at'")
    seconds = table.get("seconds", USUAL)
    if not isinstance(seconds, int) or isinstance(seconds, bool) or not SHORTEST <= seconds <= LONGEST:
        raise _bad("expires_after.seconds", f"must be a whole number from {SHORTEST} to {LONGEST}")
    return seconds


def _limited(session: Json) -> Json:
    model = session.get("model", "")
    if not isinstance(model, str) or len(model) > MAX_NAME:
        raise _bad("session.model", "must be the name of a model")
    audio = session.get("audio")
    if audio is not None and not isinstance(audio, dict):
        raise _bad("session.audio", "must be an object")
    if len(msgspec.json.encode(session)) > _MAX_CONFIG_BYTES:
        raise _bad("session", f"is longer than {_MAX_CONFIG_BYTES // 1024} KiB")
    return session


def _table(value: Any, param: str) -> Json:
    if not isinstance(value, dict):
        raise _bad(param, "must be an object")
    return dict(value)


def _bad(param: str, what: str) -> CallError:
    message = f"Invalid value for '{param}': {what}." if param else f"Invalid request: {what}."
    return CallError(
        Fault(kind=FaultKind.BAD_REQUEST, message=message, code="invalid_value", param=param or None, status=400)
    )
