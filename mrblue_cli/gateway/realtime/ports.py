"""What the relay needs from the rest of the gateway: who is calling, where to, and what it may cost."""

from __future__ import annotations

from collections.abc import MutableMapping, Sequence
from typing import Any, Literal, Protocol, TypeVar

import msgspec

from mrblue_cli.gateway.model import Fault, Target, Usage
from mrblue_cli.gateway.realtime.address import RealtimeRoute


class Keyed(Protocol):
    """A caller, as far as the relay is concerned (`access.keys.Caller` is one)."""

    @property
    def key_id(self) -> str:
        """Which virtual key; one name for all where no key is needed."""
        ...


C = TypeVar("C", bound=Keyed)


class Account(Protocol):
    """The budget of one session."""

    async def allow(self) -> Fault | None:
        """Asked before each reply; a fault (kind QUOTA or RATE_LIMITED) refuses it.

        Asked too when a reply began that no client asked for (voice detection), and after each transcription of a
        session that does nothing else; then a fault ends the session.
        """
        ...

    async def on_usage(self, target: Target, model: str, usage: Usage) -> None:
        """What one reply, or one transcription at its own model, used."""
        ...

    async def close(self) -> None:
        """The session is over; no more usage will come."""
        ...


class Door(Protocol[C]):
    """The gateway's own rules. Faults are told to the client as they are."""

    async def authenticate(self, token: str) -> C | Fault:
        """Who holds this virtual key; the token is empty when the client brought none."""
        ...

    async def caller(self, key_id: str) -> C | Fault:
        """Who minted an ephemeral key; a fault when the virtual key is revoked or expired by now."""
        ...

    def routes(self, caller: C, model: str) -> Sequence[RealtimeRoute] | Fault:
        """Where the session may go, in order. The model is empty when the client named none."""
        ...

    def account(self, caller: C, model: str) -> Account:
        """The budget of a new session."""
        ...


class SessionEnd(msgspec.Struct, frozen=True, kw_only=True):
    """How a session ended."""

    by: Literal["client", "provider", "limit", "budget", "gateway"]
    code: int = 1000
    reason: str = ""
    fault: Fault | None = None
    """What the client is told before the close; None when there is nothing to tell."""


class Observer(Protocol):
    """Metrics and the log."""

    def attempted(self, target: Target, fault: Fault | None, seconds: float) -> None:
        """One try to open a session at a provider; without a fault it opened."""
        ...

    def opened(self, target: Target) -> None:
        """A client's session runs."""
        ...

    def ended(self, target: Target, end: SessionEnd) -> None:
        """It is over; once for each `opened`."""
        ...


class Silent:
    """An observer that looks away."""

    def attempted(self, target: Target, fault: Fault | None, seconds: float) -> None:
        """Nothing."""

    def opened(self, target: Target) -> None:
        """Nothing."""

    def ended(self, target: Target, end: SessionEnd) -> None:
        """Nothing."""


class ClientSocket(Protocol):
    """An accepted ASGI websocket (Starlette's is one)."""

    async def receive(self) -> MutableMapping[str, Any]:
        """The next ASGI message."""
        ...

    async def send(self, message: MutableMapping[str, Any]) -> None:
        """Send an ASGI message; raises when the client is gone."""
        ...
