"""Transcription, chat and speech as an OpenAI-compatible service on 127.0.0.1, with every fault on request."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager

import numpy as np
from aiohttp import web

from mrblue_cli.audio.wav import parse_wav

PCM = (np.sin(np.arange(24_000) * 0.05) * 8000).astype("<i2").tobytes()
"""A second of sound; every clause sounds like this."""
KEY = "sk-of-the-test"


class SpeechService:
    """What it is asked stands in `requests`; `faults` holds, by route, what happens to the next requests there.

    Routes: models, transcriptions, speech, chat. Faults: a status as a number, `quota`, `stall`, `cut`, `riff`,
    `html`; None is a good answer. The last entry holds for all that follow.
    """

    def __init__(self, heard="what is the capital of France", said=("Paris is ", "the capital."), calls=()):
        self.heard, self.said, self.calls = heard, list(said), list(calls)
        self.faults = {}
        self.requests = []
        self.usage = {"type": "duration", "seconds": 2}
        self.broken_off = 0
        self.slow = 0.0

    def of(self, route):
        return [request for name, request in self.requests if name == route]

    async def answer(self, route, request, good):
        queue = self.faults.get(route, [])
        fault = queue[0] if queue else None
        if len(queue) > 1:
            queue.pop(0)
        if fault == "stall":
            await asyncio.sleep(60)
        if fault == "html":
            return web.Response(text="<html>hello</html>", content_type="text/html")
        if fault == "quota":
            return self.refusal(429, "insufficient_quota", request)
        if isinstance(fault, int):
            return self.refusal(fault, "some_code", request)
        return await good(fault)

    @staticmethod
    def refusal(status, code, request):
        error = {"message": f"no: {request.headers.get('authorization')}", "type": code, "code": code}
        return web.json_response({"error": error}, status=status)

    async def models(self, request):
        self.requests.append(("models", dict(request.headers)))

        async def good(_):
            return web.json_response({"object": "list", "data": []})

        return await self.answer("models", request, good)

    async def transcriptions(self, request):
        form = dict(await request.post())
        with form["file"].file as upload:
            form["file"] = parse_wav(upload.read(), "upload.wav")
        self.requests.append(("transcriptions", form))

        async def good(_):
            return web.json_response({"text": self.heard, "usage": self.usage})

        return await self.answer("transcriptions", request, good)

    async def speech(self, request):
        self.requests.append(("speech", await request.json()))

        async def good(fault):
            response = web.StreamResponse(headers={"content-type": "audio/pcm", "content-length": str(len(PCM))})
            await response.prepare(request)
            try:
                await response.write(b"RIFF" if fault == "riff" else PCM[:9601])
                await asyncio.sleep(self.slow)
                if fault == "cut":
                    request.transport.abort()
                    return response
                await response.write(PCM[4:9601] if fault == "riff" else b"")
                await response.write(PCM[9601:])
                await response.write_eof()
            except (ConnectionResetError, asyncio.CancelledError):
                self.broken_off += 1
                raise
            return response

        return await self.answer("speech", request, good)

    async def chat(self, request):
        body = await request.json()
        self.requests.append(("chat", body))

        async def good(fault):
            response = web.StreamResponse(headers={"content-type": "text/event-stream"})
            await response.prepare(request)
            deltas = [{"content": word} for word in self.said]
            if self.calls and body["messages"][-1]["role"] == "user":
                deltas = self.pieces_of_calls()
            for number, delta in enumerate(deltas):
                if fault == "cut" and number == 1:
                    request.transport.abort()
                    return response
                await response.write(chunk(delta, None))
            await response.write(chunk({}, "stop"))
            usage = {"prompt_tokens": 50, "completion_tokens": 7, "total_tokens": 57}
            usage["prompt_tokens_details"] = {"cached_tokens": 30}
            await response.write(chunk(None, None, usage) + b"data: [DONE]\n\n")
            return response

        return await self.answer("chat", request, good)

    def pieces_of_calls(self):
        """The calls as a model streams them: the name first, the arguments in two halves, calls interleaved."""
        names, halves = [], [[], []]
        for index, (name, arguments) in enumerate(self.calls):
            middle = len(arguments) // 2
            names.append({"index": index, "id": f"call_{index}", "type": "function", "function": {"name": name}})
            for half, text in zip(halves, (arguments[:middle], arguments[middle:]), strict=True):
                half.append({"index": index, "function": {"arguments": text}})
        return [{"tool_calls": [piece]} for piece in (*names, *halves[0], *halves[1])]


def chunk(delta, finish, usage=None):
    choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": finish}]
    body = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": choices}
    return f"data: {json.dumps({**body, 'usage': usage})}\n\n".encode()


@asynccontextmanager
async def running_service(**options):
    """Yields the service; its address is in `url`."""
    service = SpeechService(**options)
    app = web.Application()
    app.router.add_get("/v1/models", service.models)
    app.router.add_post("/v1/audio/transcriptions", service.transcriptions)
    app.router.add_post("/v1/audio/speech", service.speech)
    app.router.add_post("/v1/chat/completions", service.chat)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    service.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    try:
        yield service
    finally:
        await runner.cleanup()
