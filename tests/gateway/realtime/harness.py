"""The relay on a real socket: uvicorn in this process, the rules of the gateway played by the test."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager

import msgspec
import openai
import uvicorn
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route, WebSocketRoute
from websockets.asyncio.client import connect

from mrblue_cli.core.ids import CountingIds
from mrblue_cli.gateway.model import CallError, Fault, FaultKind, Target
from mrblue_cli.gateway.realtime.address import RealtimeRoute
from mrblue_cli.gateway.realtime.ephemeral import EphemeralKeys
from mrblue_cli.gateway.realtime.options import RelayOptions
from mrblue_cli.gateway.server.realtime import PATHS, UVICORN_OPTIONS, RealtimeEndpoints

KEY = "mrb_good"
QUICK = RelayOptions(connect=2, ready=2, settle=1, flush=1)


class Caller(msgspec.Struct, frozen=True):
    key_id: str


def route(url, name="up", *, key="sk-provider", model="real-model", **options):
    target = Target(provider=name, model=model, url=url, endpoint=True, api_key=key, options=tuple(options.items()))
    return RealtimeRoute(target=target)


class Ledger:
    """Implements `ports.Account`: refuses after `replies`, keeps what was used."""

    def __init__(self, replies):
        self.replies = replies
        self.asked = 0
        self.used = []
        self.closed = asyncio.Event()

    async def allow(self):
        self.asked += 1
        if self.asked > self.replies:
            return Fault(kind=FaultKind.QUOTA, message="The daily budget is used up.", code="budget_exceeded")
        return None

    async def on_usage(self, target, model, usage):
        self.used.append((target.provider, model, usage))

    async def close(self):
        self.closed.set()


class House:
    """Implements `ports.Door` and `ports.Observer`."""

    def __init__(self, routes, replies=1000):
        self.all_routes = list(routes)
        self.replies = replies
        self.revoked = set()
        self.accounts = []
        self.asked_models = []
        self.attempts = []
        self.running = 0
        self.ends = asyncio.Queue()

    async def authenticate(self, token):
        if token == KEY:
            return Caller("k1")
        return Fault(kind=FaultKind.AUTH, message="This key is not known here.", status=401)

    async def caller(self, key_id):
        if key_id in self.revoked:
            return Fault(kind=FaultKind.AUTH, message="This key was revoked.", status=401)
        return Caller(key_id)

    def routes(self, caller, model):
        self.asked_models.append(model)
        if model == "forbidden":
            return Fault(kind=FaultKind.NOT_FOUND, message="The model 'forbidden' does not exist here.", param="model")
        return self.all_routes

    def account(self, caller, model):
        self.accounts.append(Ledger(self.replies))
        return self.accounts[-1]

    def attempted(self, target, fault, seconds):
        self.attempts.append((target.provider, fault and fault.kind))

    def opened(self, target):
        self.running += 1

    def ended(self, target, end):
        self.running -= 1
        self.ends.put_nowait(end)

    async def end(self):
        async with asyncio.timeout(10):
            return await self.ends.get()


class Running:
    """A gateway that has nothing but its realtime endpoints."""

    def __init__(self, house, endpoints, port):
        self.house, self.endpoints, self.port = house, endpoints, port
        self.url = f"ws://127.0.0.1:{port}/v1/realtime"

    def connect(self, query="model=voice", *, key=KEY, headers=(), path="/v1/realtime", **options):
        auth = [("Authorization", f"Bearer {key}")] if key else []
        url = f"ws://127.0.0.1:{self.port}{path}?{query}"
        return connect(url, additional_headers=[*auth, *headers], max_size=None, proxy=None, **options)

    @asynccontextmanager
    async def stock_client(self, key=KEY):
        async with openai.AsyncOpenAI(api_key=key, base_url=f"http://127.0.0.1:{self.port}/v1") as client:
            client.websocket_base_url = f"ws://127.0.0.1:{self.port}/v1"
            yield client


@asynccontextmanager
async def relaying(*routes, options=QUICK, replies=1000, unix_now=lambda: 1_800_000_000.0, ids=None):
    """Yields `Running`."""
    house = House(routes, replies)
    keys = EphemeralKeys(None, unix_now=unix_now)
    endpoints = RealtimeEndpoints(house, keys, options=options, observer=house, ids=ids or CountingIds())

    async def post(request):
        caller = await house.authenticate(request.headers.get("authorization", "").removeprefix("Bearer "))
        assert isinstance(caller, Caller)
        body = json.loads(await request.body() or b"{}")
        try:
            match request.url.path.rpartition("/")[2]:
                case "client_secrets":
                    return JSONResponse(await endpoints.client_secrets(caller, body))
                case "sessions":
                    return JSONResponse(await endpoints.beta_sessions(caller, body))
                case "transcription_sessions":
                    return JSONResponse(await endpoints.beta_sessions(caller, body, transcription=True))
            return JSONResponse(await endpoints.calls())
        except CallError as error:
            fault = error.fault
            told = {"message": fault.message, "type": fault.type, "code": fault.code, "param": fault.param}
            return JSONResponse({"error": told}, status_code=fault.status or 400)

    names = ("client_secrets", "sessions", "transcription_sessions", "calls")
    posts = [Route(f"/v1/realtime/{name}", post, methods=["POST"]) for name in names]
    app = Starlette(routes=[*posts, *(WebSocketRoute(path, endpoints.websocket) for path in PATHS)])
    config = uvicorn.Config(app, port=0, log_level="critical", lifespan="off", **UVICORN_OPTIONS)
    server = uvicorn.Server(config)
    serving = asyncio.ensure_future(server.serve())
    try:
        async with asyncio.timeout(10):
            while not server.started:
                await asyncio.sleep(0.005)
        yield Running(house, endpoints, server.servers[0].sockets[0].getsockname()[1])
        async with asyncio.timeout(10):
            await endpoints.close()
    finally:
        server.should_exit = True
        await serving


async def recv(socket):
    """The next event as a table; a bound instead of a hang."""
    async with asyncio.timeout(10):
        return json.loads(await socket.recv())


async def until(socket, *kinds):
    """Events up to the first of one of these types."""
    seen = []
    while not seen or seen[-1]["type"] not in kinds:
        seen.append(await recv(socket))
    return seen


async def say(socket, table):
    await socket.send(table if isinstance(table, str | bytes) else json.dumps(table))
