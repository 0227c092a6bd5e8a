"""A service on loopback that answers POSTs as a script says, and remembers what it was asked."""

from __future__ import annotations

import asyncio
import json

OK = (200, {}, {"job": "7"})


class StandIn:
    """`answers`: for each request (status, headers, JSON), the last one for all that follow; or "stall", or "drop"."""

    def __init__(self, *answers):
        self._answers = list(answers) or [OK]
        self.asked = []
        self.keys = []

    @property
    def done(self):
        """What a receiver that knows keys would have carried out: each key once."""
        return list(dict.fromkeys(self.keys))

    async def __aenter__(self):
        self._tasks = set()
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/jobs?x=1"
        return self

    async def __aexit__(self, *_):
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    async def _serve(self, reader, writer):
        task = asyncio.current_task()
        self._tasks.add(task)
        try:
            await self._one(reader, writer)
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _one(self, reader, writer):
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)}
        body = await reader.readexactly(int(headers["content-length"]))
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        self.asked.append((head[0], headers, json.loads(body)))
        self.keys.append(headers["idempotency-key"])
        if answer == "stall":
            await asyncio.sleep(3600)
        if answer == "drop":
            return
        status, extra, document = answer
        text = json.dumps(document).encode() if not isinstance(document, bytes) else document
        lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(text)}", "Connection: close"]
        lines += [f"{name}: {value}" for name, value in extra.items()]
        writer.write("\r\n".join([*lines, "", ""]).encode() + text)
        await writer.drain()
