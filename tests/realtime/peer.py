"""A scripted Realtime server over a real loopback socket: strict about what the client sends, able to misbehave."""

from __future__ import annotations

import http
import json
from contextlib import asynccontextmanager

from websockets.asyncio.server import serve


class ScriptedPeer:
    """Steps: ("send", table) sends; ("expect", type) fails on anything else; ("close", code); ("stall",)."""

    def __init__(self, steps):
        self.steps = list(steps)
        self.requests = []
        self.problem = None
        self.left = list(steps)

    async def play(self, socket):
        self.requests.append(socket.request)
        for step in self.steps:
            match step:
                case ("send", table):
                    await socket.send(table if isinstance(table, str) else json.dumps(table))
                case ("expect", kind):
                    got = json.loads(await socket.recv())["type"]
                    if got != kind:
                        self.problem = f"expected {kind}, got {got}"
                        await socket.close(1002)
                        return
                case ("close", code):
                    self.left = []
                    await socket.close(code, "scripted")
                    return
                case ("abort",):
                    self.left = []
                    socket.transport.abort()
                    return
                case ("stall",):
                    self.left = []
                    await socket.wait_closed()
            self.left = self.left[1:]
        await socket.wait_closed()


@asynccontextmanager
async def scripted(*steps, status=None):
    """Yields (peer, url). `status` answers the upgrade with that HTTP status instead."""
    peer = ScriptedPeer(steps)

    def refuse(connection, request):
        return connection.respond(http.HTTPStatus(status), "no\n") if status else None

    async with serve(peer.play, "127.0.0.1", 0, process_request=refuse, compression=None) as server:
        port = server.sockets[0].getsockname()[1]
        yield peer, f"ws://127.0.0.1:{port}/v1/realtime"
        assert peer.problem is None, peer.problem


GA_CREATED = {"type": "session.created", "session": {"id": "s", "type": "realtime", "model": "m", "audio": {}}}
BETA_SESSION = {"id": "s", "modalities": ["text"], "voice": "alloy", "model": "m"}
BETA_CREATED = {"type": "session.created", "session": BETA_SESSION}
