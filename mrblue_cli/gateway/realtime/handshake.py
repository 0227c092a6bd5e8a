"""PURE: what a client's websocket handshake says: its key, its dialect, the model it wants.

Keys come in every way that clients of OpenAI and Azure have: `Authorization: Bearer`, the `api-key` header or query,
and the browser's subprotocol `openai-insecure-api-key.KEY`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import msgspec

from mrblue_cli.protocol.notices import Dialect

_KEY_PROTOCOL = "openai-insecure-api-key."
_BETA_PROTOCOL = "openai-beta.realtime-v1"
_SPOKEN = ("realtime", _BETA_PROTOCOL)
_DATED_VERSION = re.compile(r"\d{4}-\d{2}-\d{2}(-preview)?")
MAX_NAME = 256
"""Characters of a model's name; longer ones are nobody's."""


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """What a client asks for. The key is kept apart, so that this may be shown."""

    model: str = ""
    """Empty: not named (transcription sessions name theirs in the session, ephemeral keys hold it)."""
    dialect: Dialect = Dialect.GA
    intent: str = ""
    """`transcription`, or empty."""
    call_id: str = ""
    """Of a running call to join."""
    subprotocol: str | None = None
    """The one to accept: never the one that holds the key."""
    safety_identifier: str = ""
    """The hashed end user, passed on for abuse monitoring."""


def token_of(headers: Mapping[str, str], subprotocols: Sequence[str], query: Mapping[str, str]) -> str:
    """The client's key, empty when it brought none. Header names are lower case."""
    scheme, _, given = headers.get("authorization", "").strip().partition(" ")
    if scheme.lower() == "bearer" and given.strip():
        return given.strip()
    if headers.get("api-key"):
        return headers["api-key"].strip()
    for name in subprotocols:
        if name.startswith(_KEY_PROTOCOL):
            return name.removeprefix(_KEY_PROTOCOL).strip()
    return query.get("api-key", "").strip()


def read_ask(headers: Mapping[str, str], subprotocols: Sequence[str], query: Mapping[str, str]) -> Ask:
    """What the handshake asks for; long names are cut, since they can match nothing."""
    accepted = next((name for name in _SPOKEN if name in subprotocols), None)
    return Ask(
        model=(query.get("model") or query.get("deployment") or "")[:MAX_NAME],
        dialect=_dialect(headers, subprotocols, query),
        intent="transcription" if query.get("intent") == "transcription" else "",
        call_id=query.get("call_id", "")[:MAX_NAME],
        subprotocol=accepted,
        safety_identifier=headers.get("openai-safety-identifier", "")[:MAX_NAME],
    )


def _dialect(headers: Mapping[str, str], subprotocols: Sequence[str], query: Mapping[str, str]) -> Dialect:
    """Beta when the client opts in (header, subprotocol, `?dialect=beta`) or uses Azure's dated preview address."""
    asked = query.get("dialect", "").lower()
    if asked in {Dialect.GA.value, Dialect.BETA.value}:
        return Dialect(asked)
    if "realtime=v1" in headers.get("openai-beta", "") or _BETA_PROTOCOL in subprotocols:
        return Dialect.BETA
    preview = "deployment" in query and _DATED_VERSION.fullmatch(query.get("api-version", ""))
    return Dialect.BETA if preview else Dialect.GA
