"""The realtime endpoints: the websocket, and the requests that mint ephemeral keys for browsers.

The upgrade always succeeds and a refusal is an `error` event with a close, as OpenAI does it: a browser learns nothing
from a refused upgrade.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Any, Generic

import msgspec
from starlette.websockets import WebSocket

from mrblue_cli.core.clock import Clock, SystemClock
from mrblue_cli.core.ids import IdSource, RandomIds
from mrblue_cli.gateway.model import CallError, Fault, FaultKind, Json
from mrblue_cli.gateway.realtime.ephemeral import (
    PREFIX,
    EphemeralKeys,
    Grant,
    beta_answer,
    ga_answer,
    read_beta_request,
    read_ga_request,
)
from mrblue_cli.gateway.realtime.faults import close_of
from mrblue_cli.gateway.realtime.handshake import read_ask, token_of
from mrblue_cli.gateway.realtime.options import RelayOptions
from mrblue_cli.gateway.realtime.ports import C, Door, Observer, SessionEnd, Silent
from mrblue_cli.gateway.realtime.relay import farewell, relay
from mrblue_cli.realtime.socket import MAX_MESSAGE_BYTES

UVICORN_OPTIONS: dict[str, Any] = {
    "ws": "websockets-sansio",
    "ws_max_size": MAX_MESSAGE_BYTES,
    "ws_ping_interval": 20.0,
    "ws_ping_timeout": 20.0,
    "ws_per_message_deflate": False,
}
"""How the HTTP server must be set up for sessions: large frames, pings, no compression of audio that is none.

Its own log of connections must stay off (`log_level="warning"`): it prints addresses, and Azure's clients may put their
key there.
"""
PATHS = ("/v1/realtime", "/realtime", "/openai/v1/realtime", "/openai/realtime")
"""Where clients look for the websocket; the last two are Azure's."""


class RealtimeEndpoints(Generic[C]):
    """All realtime endpoints of one process."""

    def __init__(
        self,
        door: Door[C],
        keys: EphemeralKeys,
        *,
        options: RelayOptions | None = None,
        observer: Observer | None = None,
        clock: Clock | None = None,
        ids: IdSource | None = None,
    ) -> None:
        self._door = door
        self._keys = keys
        self._options = options or RelayOptions()
        self._observer: Observer = observer or Silent()
        self._clock = clock or SystemClock()
        self._ids = ids or RandomIds()
        self._sessions: Counter[str] = Counter()
        self._stop = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()

    @property
    def sessions(self) -> int:
        """How many run now."""
        return self._sessions.total()

    async def websocket(self, websocket: WebSocket) -> None:
        """One client, from its handshake to its close."""
        headers, query = dict(websocket.headers), dict(websocket.query_params)
        offered = [name.strip() for name in headers.get("sec-websocket-protocol", "").split(",")]
        ask = read_ask(headers, offered, query)
        await websocket.accept(subprotocol=ask.subprotocol)
        outcome = await self._enter(token_of(headers, offered, query))
        if isinstance(outcome, Fault):
            await self._refuse(websocket, outcome)
            return
        caller, grant = outcome
        if grant is not None and grant.model:
            ask = msgspec.structs.replace(ask, model=grant.model)
        routes = self._door.routes(caller, ask.model)
        if isinstance(routes, Fault):
            await self._refuse(websocket, routes)
            return
        full = self._full(caller)
        if full is not None:
            await self._refuse(websocket, full)
            return
        self._sessions[caller.key_id] += 1
        self._idle.clear()
        try:
            await relay(
                websocket,
                ask,
                routes,
                account=self._door.account(caller, ask.model),
                options=self._options,
                clock=self._clock,
                ids=self._ids,
                observer=self._observer,
                config=grant.config if grant is not None else None,
                stop=self._stop,
            )
        finally:
            self._sessions[caller.key_id] -= 1
            if self._sessions[caller.key_id] <= 0:
                del self._sessions[caller.key_id]
            if not self._sessions:
                self._idle.set()

    async def client_secrets(self, caller: C, body: object) -> Json:
        """`POST /v1/realtime/client_secrets`: the answer's JSON. Raises `CallError`."""
        return self._mint(caller, *read_ga_request(body), ga_answer)

    async def beta_sessions(self, caller: C, body: object, *, transcription: bool = False) -> Json:
        """`POST /v1/realtime/sessions` and `/v1/realtime/transcription_sessions`. Raises `CallError`."""
        return self._mint(caller, *read_beta_request(body, transcription=transcription), beta_answer)

    async def calls(self) -> Json:
        """`POST /v1/realtime/calls` (WebRTC): always raises `CallError` with status 501."""
        raise CallError(
            Fault(
                kind=FaultKind.UNSUPPORTED,
                status=501,
                code="webrtc_not_supported",
                message="This gateway relays realtime sessions over websockets only: sound of a WebRTC call would go "
                "around it, with neither failover nor budget. Connect to wss://…/v1/realtime instead; an ephemeral "
                "key of /v1/realtime/client_secrets works there as well.",
            )
        )

    async def close(self) -> None:
        """Tell every client, end every session, wait for them."""
        self._stop.set()
        await self._idle.wait()
        self._keys.close()

    async def _enter(self, token: str) -> tuple[C, Grant | None] | Fault:
        """Who comes in, by virtual or by ephemeral key."""
        if not token.startswith(PREFIX):
            caller = await self._door.authenticate(token)
            return caller if isinstance(caller, Fault) else (caller, None)
        grant = self._keys.find(token)
        if grant is None:
            message = "This client secret is unknown or has expired. Ask for a new one."
            return Fault(kind=FaultKind.AUTH, message=message, code="invalid_api_key", status=401)
        caller = await self._door.caller(grant.key_id)
        return caller if isinstance(caller, Fault) else (caller, grant)

    def _full(self, caller: C) -> Fault | None:
        whole, own = self.sessions, self._sessions[caller.key_id]
        if self._stop.is_set():
            return Fault(kind=FaultKind.OVERLOADED, message="The gateway is shutting down.", code="shutting_down")
        if whole >= self._options.sessions:
            message = f"The gateway already carries {whole} realtime sessions. Try again later."
            return Fault(kind=FaultKind.OVERLOADED, message=message, code="too_many_sessions")
        if own >= self._options.sessions_per_key:
            message = f"This key already has {own} realtime sessions open. Close one, or try again later."
            return Fault(kind=FaultKind.RATE_LIMITED, message=message, code="too_many_sessions")
        return None

    async def _refuse(self, websocket: WebSocket, fault: Fault) -> None:
        code, reason = close_of(fault)
        await farewell(websocket, SessionEnd(by="gateway", code=code, reason=reason, fault=fault), self._ids)

    def _mint(self, caller: C, session: Json, seconds: int, answer: Callable[[str, int, Json, str], Json]) -> Json:
        model = session.get("model", "")
        routes = self._door.routes(caller, model)
        if model and isinstance(routes, Fault):
            raise CallError(routes)
        value, expires_at = self._keys.mint(caller.key_id, session, seconds)
        return answer(value, expires_at, session, self._ids.new("sess"))
