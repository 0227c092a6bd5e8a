"""Where to connect and how to be let in."""

from __future__ import annotations

from dataclasses import dataclass, field

from mrblue_cli.protocol.notices import Dialect


@dataclass(frozen=True, slots=True)
class ConnectOptions:
    """One Realtime endpoint. `realtime/endpoints.py` builds these from what a person writes."""

    url: str = field(repr=False)
    """ws:// or wss://, query included; not shown, since keys may stand in it."""
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    """Keys travel here, so they are never shown."""
    label: str = ""
    """The engine's name for screens: `openai`, `local`, or the host."""
    dialect: Dialect | None = None
    """None: told from `session.created`."""
    connect_timeout_seconds: float = 10.0
    ready_timeout_seconds: float = 60.0
    """From the open socket to `session.created`: a local engine may still load its models."""
