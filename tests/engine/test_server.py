"""The engine's door: who may enter, what a failed start says, hostile frames, several clients, the end of a session."""

from __future__ import annotations

import asyncio
import base64
import json
import threading

import pytest
from websockets.asyncio.client import connect as open_socket
from websockets.exceptions import ConnectionClosed, InvalidStatus

from mrblue_cli.core.errors import MissingPart, ProviderError
from mrblue_cli.realtime.client import connect
from mrblue_cli.realtime.endpoints import endpoint_from_url
from tests.engine.conftest import running_engine, spoken_question
from tests.fakes.speech import FakeStt


def socket(address, **headers):
    names = {"Authorization": f"Bearer {address.token}", **{k.replace("_", "-"): v for k, v in headers.items()}}
    return open_socket(address.url, additional_headers=names)


async def events(peer, *kinds):
    seen = []
    async with asyncio.timeout(20):
        while not seen or seen[-1]["type"] not in kinds:
            seen.append(json.loads(await peer.recv()))
    return seen


async def test_our_own_client_connects_and_a_wrong_token_is_one_line():
    async with running_engine() as (_, address):
        connection = await connect(endpoint_from_url(address.url, api_key=address.token))
        assert connection.created.session["model"] == "mrblue-local"
        await connection.close()
        with pytest.raises(Exception, match="refused the key"):
            await connect(endpoint_from_url(address.url, api_key="wrong"))


@pytest.mark.parametrize("way", ["query", "subprotocol"])
async def test_browsers_may_enter_their_way(way):
    async with running_engine() as (_, address):
        if way == "query":
            peer = await open_socket(f"{address.url}?token={address.token}")
        else:
            peer = await open_socket(
                address.url, additional_headers={"Sec-WebSocket-Protocol": f"openai-insecure-api-key.{address.token}"}
            )
        assert (await events(peer, "session.created", "error"))[-1]["type"] == "session.created"
        await peer.close()


async def test_other_paths_are_not_found():
    async with running_engine() as (_, address):
        with pytest.raises(InvalidStatus) as caught:
            await open_socket(f"ws://127.0.0.1:{address.port}/v1/chat")
        assert caught.value.response.status_code == 404


async def test_models_that_cannot_be_loaded_are_told_to_the_client():
    broken = FakeStt(fails=MissingPart("speech recognition is not installed", hint="pip install it"))
    async with running_engine(stt=broken) as (server, address):
        with pytest.raises(ProviderError) as caught:
            await connect(endpoint_from_url(address.url, api_key=address.token))
        assert "speech recognition is not installed" in caught.value.what
        assert caught.value.hint == "pip install it"
        with pytest.raises(MissingPart):
            await server.wait_warm()


async def test_the_beta_dialect_on_request():
    async with running_engine() as (_, address), socket(address, OpenAI_Beta="realtime=v1") as peer:
        created = (await events(peer, "session.created"))[-1]
        assert created["session"]["input_audio_format"] == "pcm16"
        await peer.send(json.dumps({"type": "response.create", "response": {"modalities": ["text"]}}))
        kinds = [event["type"] for event in await events(peer, "response.done")]
        assert "response.text.delta" in kinds


@pytest.mark.parametrize("frame", [b"\x00\x01", "{", "[]", '{"type": 5}', '{"type": "x"}', "null", '"hello"'])
async def test_hostile_frames_are_answered_and_the_session_lives(frame):
    async with running_engine() as (_, address), socket(address) as peer:
        await events(peer, "session.created")
        await peer.send(frame)
        assert (await events(peer, "error"))[-1]["error"]["code"]
        await peer.send(json.dumps({"type": "input_audio_buffer.clear"}))
        await events(peer, "input_audio_buffer.cleared")


async def test_clients_do_not_disturb_each_other():
    async with running_engine() as (_, address):
        peers = [await socket(address) for _ in range(3)]
        for number, peer in enumerate(peers):
            await events(peer, "session.created")
            part = {"type": "input_text", "text": f"jwt expired {number}"}
            item = {"type": "message", "role": "user", "content": [part]}
            await peer.send(json.dumps({"type": "conversation.item.create", "item": item}))
            await peer.send(json.dumps({"type": "response.create"}))
        for peer in peers:
            done = (await events(peer, "response.done"))[-1]
            assert done["response"]["status"] == "completed"
            await peer.close()


async def test_a_session_has_an_end():
    async with running_engine(session_limit_seconds=0.3) as (_, address), socket(address) as peer:
        last = (await events(peer, "error"))[-1]
        assert last["error"]["code"] == "session_expired"
        with pytest.raises(ConnectionClosed) as caught:
            await peer.recv()
        assert caught.value.rcvd.code == 1001


class Broken:
    async def answer(self, question):
        yield "I begin and "
        raise RuntimeError("the brain broke")


async def test_a_reply_that_breaks_ends_exactly_once():
    async with running_engine(brain=Broken()) as (_, address), socket(address) as peer:
        await events(peer, "session.created")
        item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hello"}]}
        await peer.send(json.dumps({"type": "conversation.item.create", "item": item}))
        await peer.send(json.dumps({"type": "response.create", "response": {"output_modalities": ["text"]}}))
        seen = await events(peer, "response.done")
        assert seen[-1]["response"]["status"] == "failed"
        assert "the brain broke" in seen[-1]["response"]["status_details"]["error"]["message"]
        await peer.send(json.dumps({"type": "input_audio_buffer.clear"}))
        rest = await events(peer, "input_audio_buffer.cleared")
        assert [event["type"] for event in rest] == ["input_audio_buffer.cleared"]


async def test_closing_is_idempotent_and_ends_sessions():
    async with running_engine() as (server, address):
        peer = await socket(address)
        await events(peer, "session.created")
        await server.close()
        await server.close()
        with pytest.raises(ConnectionClosed):
            await peer.recv()


class Patient:
    """Starts to answer and never ends."""

    async def answer(self, question):
        yield "I am thinking about it. "
        await asyncio.Event().wait()


async def test_words_survive_the_reply_that_is_spoken_over():
    class Slow(FakeStt):
        def transcribe(self, samples, *, prompt="", language="en"):
            self.gate.wait(10)
            return super().transcribe(samples, prompt=prompt, language=language)

    stt = Slow("these words must not be lost")
    stt.gate = threading.Event()
    async with running_engine(stt=stt, brain=Patient()) as (_, address), socket(address) as peer:
        await events(peer, "session.created")
        update = {"type": "realtime", "audio": {"input": {"turn_detection": None}}}
        await peer.send(json.dumps({"type": "session.update", "session": update}))
        audio = base64.b64encode(spoken_question()).decode()
        await peer.send(json.dumps({"type": "input_audio_buffer.append", "audio": audio}))
        await peer.send(json.dumps({"type": "input_audio_buffer.commit"}))
        await peer.send(json.dumps({"type": "response.create"}))
        await events(peer, "response.created")
        await peer.send(json.dumps({"type": "response.cancel"}))
        await events(peer, "response.done")
        stt.gate.set()
        done = (await events(peer, "conversation.item.input_audio_transcription.completed"))[-1]
        assert done["transcript"] == "these words must not be lost"
