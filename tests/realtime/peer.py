"""A scripted Realtime server over a real loopback socket: strict about what the client sends, able to misbehave."""

from __future__ import annotations

import http
import json
from contextlib import asynccontextmanager

from websockets.asyncio.server import serve


class ScriptedPeer:
    """Steps: ("send", table) sends; ("fragments", table, size) sends it in many frames; ("expect", type) fails on
    anything else; ("close", code) and ("close", code, reason); ("abort",); ("stall",). Steps left over fail."""

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
                case ("fragments", table, size):
                    text = json.dumps(table)
                    await socket.send(text[at : at + size] for at in range(0, len(text), size))
                case ("expect", kind):
                    got = json.loads(await socket.recv())["type"]
                    if got != kind:
                        self.problem = f"expected {kind}, got {got}"
                        await socket.close(1002)
                        return
                case ("close", code, *reason):
                    self.left = self.left[1:]
                    await socket.close(code, *reason or ["scripted"])
                    return
                case ("abort",):
                    self.left = self.left[1:]
                    socket.transport.abort()
                    return
                case ("stall",):
                    self.left = self.left[1:]
                    await socket.wait_closed()
                    return
            self.left = self.left[1:]
        await socket.wait_closed()


@asynccontextmanager
async def scripted(*steps, status=None, location=None):
    """Yields (peer, url). `status` answers the upgrade with that HTTP status instead, `location` says where to go."""
    peer = ScriptedPeer(steps)

    def refuse(connection, request):
        if status is None:
            return None
        answer = connection.respond(http.HTTPStatus(status), "no\n")
        if location is not None:
            answer.headers["Location"] = location
        return answer

    async with serve(peer.play, "127.0.0.1", 0, process_request=refuse, compression=None) as server:
        port = server.sockets[0].getsockname()[1]
        yield peer, f"ws://127.0.0.1:{port}/v1/realtime"
        assert peer.problem is None, peer.problem
        assert peer.left == [] or status, f"steps left over: {peer.left}"


GA_CREATED = {"type": "session.created", "session": {"id": "s", "type": "realtime", "model": "m", "audio": {}}}
BETA_SESSION = {"id": "s", "modalities": ["text"], "voice": "alloy", "model": "m"}
BETA_CREATED = {"type": "session.created", "session": BETA_SESSION}
