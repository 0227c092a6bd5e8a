"""The ASGI application: every address, with and without `/v1`."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

from starlette.applications import Starlette
from starlette.routing import BaseRoute, Match, Route, WebSocketRoute
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket

from mrblue_cli.gateway.access.auth import presented
from mrblue_cli.gateway.answers import Answer, refusal, safe_header
from mrblue_cli.gateway.budget.estimate import estimate
from mrblue_cli.gateway.gateway import Gateway
from mrblue_cli.gateway.model import CallError, Json, Surface
from mrblue_cli.gateway.server.endpoints import (
    SURFACE_PATHS,
    SurfaceEndpoint,
    json_answer,
    not_found,
    request_id_of,
)
from mrblue_cli.gateway.server.http import bad, headers_of, parse_json, read_body, send_answer
from mrblue_cli.gateway.server.openapi import document
from mrblue_cli.gateway.server.realtime import PATHS as REALTIME_PATHS

Reader = Callable[[Gateway, Scope, dict[str, str]], Awaitable[Answer]]


def build_app(gateway: Gateway) -> ASGIApp:
    """The application over a gateway; a server with lifespan events starts and closes it."""

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:  # noqa: ARG001 - the signature is Starlette's
        await gateway.start()
        try:
            yield
        finally:
            await gateway.close()

    hot = {
        f"{prefix}{path}": SurfaceEndpoint(gateway, s) for path, s in SURFACE_PATHS.items() for prefix in ("", "/v1")
    }
    routes: list[BaseRoute] = [WebSocketRoute(path, _RealtimeSocket(gateway)) for path in REALTIME_PATHS]
    for prefix in ("", "/v1"):
        routes += [
            _Exact(f"{prefix}/realtime/client_secrets", ("POST",), gateway, _client_secrets),
            _Exact(f"{prefix}/realtime/sessions", ("POST",), gateway, _beta_sessions),
            _Exact(f"{prefix}/realtime/transcription_sessions", ("POST",), gateway, _beta_transcriptions),
            _Exact(f"{prefix}/realtime/calls", ("POST",), gateway, _calls),
            _Exact(f"{prefix}/messages/count_tokens", ("POST",), gateway, _count_tokens, surface=Surface.MESSAGES),
            _Exact(f"{prefix}/models", ("GET",), gateway, _models),
            _Exact(f"{prefix}/models/{{model:path}}", ("GET",), gateway, _model),
            _Exact(f"{prefix}/usage", ("GET",), gateway, _usage),
            _Exact(f"{prefix}/status", ("GET",), gateway, _status),
        ]
    routes += [
        _Exact("/health", ("GET",), gateway, _health, open_to_all=True),
        _Exact("/metrics", ("GET",), gateway, _metrics),
        _Exact("/openapi.json", ("GET",), gateway, _openapi, open_to_all=True),
    ]
    starlette = Starlette(routes=routes, lifespan=lifespan)
    starlette.router.default = _nobody
    # A redirect to an address without its slash would be made of the Host that the client sends.
    starlette.router.redirect_slashes = False

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        # The hot addresses are looked up in one table; the router would try each pattern in turn.
        if scope["type"] == "http" and (endpoint := hot.get(scope["path"])) is not None:
            await endpoint(scope, receive, send)
        else:
            await starlette(scope, receive, send)

    return app


class _Exact(Route):
    """A path whose errors, wrong methods among them, are answered in the shape of its surface."""

    def __init__(
        self,
        path: str,
        methods: tuple[str, ...],
        gateway: Gateway,
        reader: Reader,
        *,
        open_to_all: bool = False,
        surface: Surface = Surface.CHAT,
    ) -> None:
        """`surface`: in whose shape errors are told."""

        async def serve(scope: Scope, receive: Receive, send: Send) -> None:
            headers = headers_of(scope)
            extra = {"x-request-id": request_id_of(headers)}
            method = "GET" if scope["method"] == "HEAD" else scope["method"]
            try:
                if not open_to_all:
                    scope["mrblue.caller"] = gateway.authenticate(headers)
                scope["mrblue.receive"] = receive
                if method in methods:
                    answer = await reader(gateway, scope, headers)
                else:
                    extra["allow"] = ", ".join(methods)
                    fault = bad(f"{safe_header(scope['path'])} is asked for with {' or '.join(methods)}.", status=405)
                    answer = refusal(surface, fault)
            except CallError as error:
                answer = refusal(surface, error.fault)
            except Exception as error:  # noqa: BLE001 - the last line between a defect and a client
                answer = refusal(surface, gateway.defect(extra["x-request-id"], error))
            await send_answer(answer, extra, receive, send)

        super().__init__(path, _Callable(serve))

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        match, child = super().matches(scope)
        return (Match.FULL if match is Match.PARTIAL else match), child


class _Callable:
    """An ASGI callable that Starlette does not take for a function of a request."""

    def __init__(self, serve: Callable[[Scope, Receive, Send], Awaitable[None]]) -> None:
        self._serve = serve

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._serve(scope, receive, send)


async def _nobody(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 4004, "reason": "unknown URL"})
        return
    answer = not_found(scope["method"], scope["path"])
    await send_answer(answer, {"x-request-id": request_id_of(headers_of(scope))}, receive, send)


class _RealtimeSocket:
    """A websocket endpoint; the sessions' own endpoints are made when the gateway starts."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = headers_of(scope)
        try:
            self._gateway.refuse_strangers(headers, presented(headers))
        except CallError:
            # Before the upgrade: browsers ask nobody whether a page may open a websocket to this machine.
            await receive()
            await send({"type": "websocket.close", "code": 1008, "reason": "foreign origin"})
            return
        await self._gateway.realtime.websocket(WebSocket(scope, receive, send))


async def _client_secrets(gateway: Gateway, scope: Scope, headers: dict[str, str]) -> Answer:
    body = await _json_body(gateway, scope, headers)
    return json_answer(await gateway.realtime.client_secrets(scope["mrblue.caller"], body))


async def _beta_sessions(gateway: Gateway, scope: Scope, headers: dict[str, str]) -> Answer:
    body = await _json_body(gateway, scope, headers)
    return json_answer(await gateway.realtime.beta_sessions(scope["mrblue.caller"], body))


async def _beta_transcriptions(gateway: Gateway, scope: Scope, headers: dict[str, str]) -> Answer:
    body = await _json_body(gateway, scope, headers)
    return json_answer(await gateway.realtime.beta_sessions(scope["mrblue.caller"], body, transcription=True))


async def _calls(gateway: Gateway, scope: Scope, headers: dict[str, str]) -> Answer:  # noqa: ARG001
    return json_answer(await gateway.realtime.calls())


async def _count_tokens(gateway: Gateway, scope: Scope, headers: dict[str, str]) -> Answer:
    """Anthropic's counting endpoint, from our own estimate: an upper bound rather than a count."""
    body = await _json_body(gateway, scope, headers)
    return json_answer({"input_tokens": estimate(Surface.MESSAGES, body, None).input_tokens})


async def _json_body(gateway: Gateway, scope: Scope, headers: dict[str, str]) -> Json:
    limits = gateway.options.limits
    body = await read_body(scope["mrblue.receive"], headers, limits.body_bytes, limits.body_seconds)
    return parse_json(body) if body.strip() else {}


async def _models(gateway: Gateway, scope: Scope, headers: dict[str, str]) -> Answer:  # noqa: ARG001
    return json_answer({"object": "list", "data": gateway.models(scope["mrblue.caller"])})


async def _model(gateway: Gateway, scope: Scope, headers: dict[str, str]) -> Answer:  # noqa: ARG001
    name = scope["path_params"]["model"]
    found = next((one for one in gateway.models(scope["mrblue.caller"]) if one["id"] == name), None)
    if found is None:
        raise CallError(gateway.unknown_model(name))
    return json_answer(found)


async def _usage(gateway: Gateway, scope: Scope, headers: dict[str, str]) -> Answer:  # noqa: ARG001
    return json_answer(await gateway.usage(scope["mrblue.caller"]))


async def _status(gateway: Gateway, scope: Scope, headers: dict[str, str]) -> Answer:  # noqa: ARG001
    return json_answer(await gateway.status())


async def _health(gateway: Gateway, scope: Scope, headers: dict[str, str]) -> Answer:  # noqa: ARG001
    healthy, document_ = gateway.health_report()
    return json_answer(document_, status=200 if healthy else 503)


async def _metrics(gateway: Gateway, scope: Scope, headers: dict[str, str]) -> Answer:  # noqa: ARG001
    return Answer(content_type="text/plain; version=0.0.4; charset=utf-8", body=await gateway.metrics_page())


async def _openapi(gateway: Gateway, scope: Scope, headers: dict[str, str]) -> Answer:  # noqa: ARG001
    return json_answer(document(gateway.table.names()))
