"""What the session climbs down and up: one way to hold the conversation, and the connection it opens."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from mrblue_cli.core.errors import ConnectError
from mrblue_cli.protocol.client_events import ClientEvent
from mrblue_cli.protocol.notices import Dialect
from mrblue_cli.protocol.server_events import ServerEvent, SessionCreated
from mrblue_cli.protocol.session import Session


class Transport(Protocol):
    """An open connection, as `realtime.client.RealtimeConnection` is one."""

    created: SessionCreated

    @property
    def dialect(self) -> Dialect:
        """The dialect spoken here."""
        ...

    async def send(self, *events: ClientEvent) -> None:
        """Send events in order; raises `ConnectError` when the connection is gone."""
        ...

    def __aiter__(self) -> AsyncIterator[ServerEvent]:
        """Events until the connection ends."""
        ...

    def lost_error(self) -> ConnectError:
        """Why it ended; `retryable` says whether the same connection is worth trying again."""
        ...

    async def close(self) -> None:
        """End it."""
        ...


Connect = Callable[[], Awaitable[Transport]]


class RungName(StrEnum):
    """The four ways, best first (voice-craft section 13)."""

    REALTIME = "realtime"
    """A Realtime speech model."""
    BATCH = "batch"
    """Transcription, streamed chat and clause-wise speech as single requests."""
    LOCAL = "local"
    """The engine on this machine."""
    TEXT = "text"
    """Typed words and read answers; needs nothing at all."""


@dataclass(frozen=True, slots=True)
class Rung:
    """One way to hold the conversation."""

    name: RungName
    engine: str
    """For the screen and the price list: `local`, `openai`, or the host."""
    connect: Connect
    """Opens a new session on this rung; raises `MrBlueError` when that fails."""
    desired: Session
    """What to ask this rung's server for."""
    hears: bool = True
    """Takes speech; False: the microphone is of no use here."""
    speaks: bool = True
    """Answers aloud; False: replies are read."""
