"""The least that a proxy on uvicorn and aiohttp can do: body in, body out, kept connections, no look inside.

What a gateway adds to this is its own work. Run as a program: `python -m bench.bare_hop --upstream http://127.0.0.1:9/v1`;
on standard output one line `bare hop ready on http://127.0.0.1:PORT/v1`.
"""

from __future__ import annotations

import argparse
import asyncio
import socket
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import aiohttp
import uvicorn

Message = MutableMapping[str, Any]


class Hop:
    """An ASGI application that asks `upstream` whatever it is asked."""

    def __init__(self, upstream: str) -> None:
        self.upstream = upstream.removesuffix("/v1")
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        """Close its connections."""
        if self._session is not None:
            await self._session.close()

    async def __call__(
        self,
        scope: Message,
        receive: Callable[[], Awaitable[Message]],
        send: Callable[[Message], Awaitable[None]],
    ) -> None:
        """Serve one request."""
        if scope["type"] == "lifespan":
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await send({"type": "lifespan.shutdown.complete"})
            return
        if self._session is None:
            connector = aiohttp.TCPConnector(limit=0)
            self._session = aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())
        message = await receive()
        body = message["body"]
        while message.get("more_body"):
            message = await receive()
            body += message["body"]
        headers = {"content-type": "application/json", "authorization": "Bearer sk-mock"}
        async with self._session.post(self.upstream + scope["path"], data=body, headers=headers) as answer:
            kind = answer.headers["content-type"].encode()
            if not kind.startswith(b"text/event-stream"):
                whole = await answer.read()
                head = [(b"content-type", kind), (b"content-length", str(len(whole)).encode())]
                await send({"type": "http.response.start", "status": answer.status, "headers": head})
                await send({"type": "http.response.body", "body": whole})
                return
            await send({"type": "http.response.start", "status": answer.status, "headers": [(b"content-type", kind)]})
            async for data in answer.content.iter_any():
                await send({"type": "http.response.body", "body": data, "more_body": True})
            await send({"type": "http.response.body", "body": b""})


async def serve(upstream: str, port: int) -> None:
    """Until killed."""
    listener = socket.create_server(("127.0.0.1", port), backlog=1024)
    config = uvicorn.Config(Hop(upstream), log_level="warning", access_log=False, lifespan="off", http="httptools")
    print(f"bare hop ready on http://127.0.0.1:{listener.getsockname()[1]}/v1", flush=True)
    await uvicorn.Server(config).serve(sockets=[listener])


def main() -> None:
    """Listen."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--upstream", required=True)
    parser.add_argument("--port", type=int, default=0)
    options = parser.parse_args()
    import uvloop

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(options.upstream, options.port))


if __name__ == "__main__":
    main()
