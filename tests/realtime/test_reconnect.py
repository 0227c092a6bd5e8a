"""A talk over real sockets that break: the order of the first events, and which close codes are retried."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager

import pytest
from websockets.asyncio.server import serve

from mrblue_cli.assistant.reasoning import Reasoner
from mrblue_cli.core.clock import SystemClock
from mrblue_cli.core.ids import RandomIds
from mrblue_cli.knowledge.base import load_base
from mrblue_cli.protocol.session import Session
from mrblue_cli.realtime.client import RETRYABLE_CLOSES, connect
from mrblue_cli.realtime.options import ConnectOptions
from mrblue_cli.voice import controls as do
from mrblue_cli.voice import events as ev
from mrblue_cli.voice.options import TalkOptions
from mrblue_cli.voice.rungs import Rung, RungName
from mrblue_cli.voice.session import TalkSession
from mrblue_cli.voice.speakers import PacedSpeaker
from tests.realtime.peer import GA_CREATED

BASE = load_base()
DESIRED = Session(tools=[{"type": "function", "name": "look", "description": "Look.", "parameters": {}}])
CERTAIN_JITTER = 1.0
"""All of it: the shortest waits, for a short test."""


class Peer:
    """Answers typed words in writing; `ends[n]` says how the n-th connection ends after its first answer."""

    def __init__(self, *ends):
        self.ends = list(ends)
        self.heard = []

    async def serve(self, socket):
        number = len(self.heard)
        self.heard.append([])
        await socket.send(json.dumps(GA_CREATED))
        async for message in socket:
            event = json.loads(message)
            self.heard[number].append(event)
            if event["type"] == "session.update":
                await socket.send(json.dumps({"type": "session.updated", "session": {}}))
            if event["type"] == "response.create":
                await self.answer(socket, number)
                if number < len(self.ends):
                    await self.end(socket, self.ends[number])

    async def answer(self, socket, number):
        response = {"id": f"r{number}", "status": "in_progress", "conversation_id": "c"}
        where = {"response_id": f"r{number}", "item_id": "same", "output_index": 0, "content_index": 0}
        text = {"type": "response.output_text.done", "text": f"answer {number}", **where}
        done = {"type": "response.done", "response": {**response, "status": "completed", "output": []}}
        for event in ({"type": "response.created", "response": response}, text, done):
            await socket.send(json.dumps(event))

    @staticmethod
    async def end(socket, how):
        if how == "abort":
            socket.transport.abort()
        elif how == "half":
            # The head of a frame of 100 bytes, and three of them.
            socket.transport.write(b"\x81\x64abc")
            socket.transport.abort()
        else:
            await socket.close(how, "scripted")

    def kinds(self, number):
        return [event["type"] for event in self.heard[number]]

    def words(self, number):
        items = [event["item"] for event in self.heard[number] if event["type"] == "conversation.item.create"]
        return [(item["role"], item["content"][0]["text"]) for item in items]


@asynccontextmanager
async def talking(peer):
    """Yields (session, events) over a real socket; typed only."""
    events = []
    async with serve(peer.serve, "127.0.0.1", 0, compression=None) as server:
        url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1/realtime"
        session = TalkSession(
            TalkOptions(),
            rungs=(Rung(RungName.REALTIME, "peer", lambda: connect(ConnectOptions(url)), DESIRED),),
            microphone=None,
            speaker=PacedSpeaker(SystemClock()),
            reasoner=Reasoner(BASE),
            clock=SystemClock(),
            ids=RandomIds(),
            emit=events.append,
            chance=lambda: CERTAIN_JITTER,
        )
        running = asyncio.ensure_future(session.run())
        try:
            yield session, events
        finally:
            session.end("done")
            await running


async def until(met):
    async with asyncio.timeout(10):
        while not met():  # what is awaited comes over a real socket
            await asyncio.sleep(0.01)


def of(events, kind):
    return [event for event in events if isinstance(event, kind)]


@pytest.mark.parametrize("how", ["abort", "half", 1011, 1012])
async def test_the_next_session_learns_settings_then_the_talk_then_the_new_words(how):
    peer = Peer(how)
    async with talking(peer) as (session, events):
        await until(lambda: session.flow.settled)
        session.control(do.Say("first"))
        await until(lambda: of(events, ev.RungChanged))
        session.control(do.Say("second"))
        await until(lambda: session.turns_finished == 2)
    create = "conversation.item.create"
    assert peer.kinds(1) == ["session.update", create, create, create, "response.create"]
    assert peer.heard[1][0]["session"]["tools"][0]["name"] == "look"
    assert peer.words(1) == [("user", "first"), ("assistant", "answer 0"), ("user", "second")]
    assert [event.reconnected for event in of(events, ev.RungChanged)] == [True]
    assert of(events, ev.Failure) == []
    finals = [(event.item_id, event.text) for event in of(events, ev.AssistantTranscript) if event.final]
    assert [text for _, text in finals] == ["answer 0", "answer 1"]
    assert len({item_id for item_id, _ in finals}) == 2


@pytest.mark.parametrize("code", [1000, 1008, 3000, 4000])
async def test_who_is_not_wanted_does_not_come_back(code):
    peer = Peer(code)
    async with talking(peer) as (session, events):
        await until(lambda: session.flow.settled)
        session.control(do.Say("first"))
        await until(lambda: of(events, ev.Ended))
    assert len(peer.heard) == 1
    (failure,) = of(events, ev.Failure)
    assert (failure.code, failure.fatal) == ("connect", True)
    assert f"code {code}" in failure.message


@pytest.mark.parametrize("code", [1000, 1001, 1008, 1011, 1012, 1013, 3000, 4000])
async def test_the_error_says_whether_the_same_connection_is_worth_another_try(code):
    async def end(socket):
        await socket.send(json.dumps(GA_CREATED))
        await socket.close(code, "scripted")

    async with serve(end, "127.0.0.1", 0, compression=None) as server:
        port = server.sockets[0].getsockname()[1]
        connection = await connect(ConnectOptions(f"ws://127.0.0.1:{port}/v1/realtime"))
        assert [event async for event in connection] == []
        assert connection.lost_error().retryable == (code in RETRYABLE_CLOSES)
        await connection.close()
