"""The chat model behind a real loopback server that speaks server-sent events."""

from __future__ import annotations

import asyncio
import json

import pytest

from mrblue_cli.assistant.brain import Exchange, KnowledgeBrain, Question
from mrblue_cli.assistant.chat import ChatBrain
from mrblue_cli.assistant.options import ChatOptions
from mrblue_cli.knowledge.base import load_base

KNOWLEDGE = KnowledgeBrain(load_base())
KEY = "sk-secret-of-the-test"


class Upstream:
    """One HTTP/1.1 server; `answer` decides what a request gets."""

    def __init__(self, status=200, words=("Par", "is."), cut_after=None):
        self.status, self.words, self.cut_after = status, words, cut_after
        self.requests = []

    async def __aenter__(self):
        self.server = await asyncio.start_server(self.serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self.server.sockets[0].getsockname()[1]}/v1"
        return self

    async def __aexit__(self, *_):
        self.server.close()
        await self.server.wait_closed()

    async def serve(self, reader, writer):
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = int(
            next(line.split(":")[1] for line in head.splitlines() if line.lower().startswith("content-length"))
        )
        self.requests.append((head, json.loads(await reader.readexactly(length))))
        if self.status != 200:
            body = json.dumps({"error": {"message": f"bad key {KEY}"}}).encode()
            writer.write(f"HTTP/1.1 {self.status} No\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
        else:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n")
            for number, word in enumerate((*self.words, None)):
                if number == self.cut_after:
                    writer.transport.abort()
                    return
                chunk = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m"}
                finish = "stop" if word is None else None
                chunk["choices"] = [{"index": 0, "delta": {"content": word}, "finish_reason": finish}]
                writer.write(f"data: {json.dumps(chunk)}\n\n".encode())
                await writer.drain()
            writer.write(b"data: [DONE]\n\n")
        await writer.drain()
        writer.close()
        await writer.wait_closed()


async def ask(upstream, text="what is the capital of France", history=()):
    brain = ChatBrain(ChatOptions(base_url=upstream.url, model="m", api_key=KEY, timeout_seconds=5), KNOWLEDGE)
    try:
        return "".join([piece async for piece in brain.answer(Question(text, tuple(history), "be kind"))])
    finally:
        await brain.close()


async def test_words_stream_and_the_request_carries_history_and_facts():
    async with Upstream() as upstream:
        answer = await ask(
            upstream, "address already in use port 3000", [Exchange("user", "hi"), Exchange("assistant", "yo")]
        )
    assert answer == "Paris."
    head, body = upstream.requests[0]
    assert f"Bearer {KEY}" in head
    assert [message["role"] for message in body["messages"]] == ["system", "user", "assistant", "user"]
    assert "be kind" in body["messages"][0]["content"]
    assert "lsof" in body["messages"][0]["content"]


@pytest.mark.parametrize(("status", "words"), [(401, "refused the key"), (429, "over its limit"), (500, "failed")])
async def test_a_failure_is_said_without_the_key(status, words):
    async with Upstream(status=status) as upstream:
        answer = await ask(upstream)
    assert words in answer
    assert KEY not in answer


async def test_a_dead_endpoint_is_said():
    async with Upstream() as upstream:
        pass
    assert "can't reach" in await ask(upstream)


async def test_an_empty_answer_is_said():
    async with Upstream(words=()) as upstream:
        assert "nothing to say" in await ask(upstream)


async def test_a_stream_that_is_cut_ends_in_an_honest_line():
    async with Upstream(words=("Par", "is."), cut_after=1) as upstream:
        answer = await ask(upstream)
    assert answer.startswith("Par")
    assert "cut off" in answer
    assert KEY not in answer
