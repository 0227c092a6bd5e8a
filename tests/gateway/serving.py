"""An ASGI application on a real socket inside the test's own loop."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from typing import Any

import uvicorn

from mrblue_cli.gateway.server.protocol import SERVER_OPTIONS


@contextlib.asynccontextmanager
async def serving(app: Any, **more: Any) -> AsyncIterator[str]:
    """Any ASGI application on a free port of 127.0.0.1; yields its address. `more`: options of uvicorn."""
    config = uvicorn.Config(app, lifespan="on", **{**SERVER_OPTIONS, **more})
    config.load()
    server = uvicorn.Server(config)
    server.lifespan = config.lifespan_class(config)
    # Named as TCP, since asyncio turns Nagle's delay off only for sockets that say so; else answers take 40 ms.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    address = f"http://127.0.0.1:{listener.getsockname()[1]}"
    try:
        await server.startup(sockets=[listener])
        assert not server.should_exit, "the application did not start"
        yield address
    finally:
        # As uvicorn's own shutdown, but for its naps, of which a hundred tests would have a hundred.
        for door in getattr(server, "servers", ()):  # there are none when the application did not start
            door.close()
        for connection in tuple(server.server_state.connections):
            connection.shutdown()
        async with asyncio.timeout(5):
            while server.server_state.connections or server.server_state.tasks:
                await asyncio.sleep(0)
        await server.lifespan.shutdown()
        listener.close()
