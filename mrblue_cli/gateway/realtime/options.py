"""How long and how much: the relay's limits."""

from __future__ import annotations

import msgspec


class RelayOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Times are seconds, sizes bytes."""

    connect: float = 5.0
    """To an open socket at the provider."""
    ready: float = 15.0
    """From there to `session.created` (and `session.updated`, where a stored configuration is applied)."""
    idle: float = 900.0
    """Without a frame in either direction."""
    session: float = 3660.0
    """Of a whole session; OpenAI ends its own after 60 minutes and says so first."""
    settle: float = 3.0
    """For the usage of a reply that was cut short, once the client is gone."""
    flush: float = 5.0
    """For what the client has not read yet, once the provider is gone."""
    buffer_bytes: int = 8 * 1024 * 1024
    """Of frames that wait for a slow client; then the provider is no longer read."""
    sessions: int = 500
    """At once in this process."""
    sessions_per_key: int = 50
    """At once for one key."""
