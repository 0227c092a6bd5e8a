"""The stock `openai` client through the relay to our own engine, in every pairing of dialects."""

from __future__ import annotations

import asyncio
import base64

import pytest

from tests.engine.conftest import running_engine, spoken_question
from tests.gateway.realtime.harness import relaying, route

TEXT_ITEM = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "npm ERR! code EACCES"}]}


async def until(connection, *kinds):
    seen = []
    async with asyncio.timeout(20):
        while not seen or seen[-1].type not in kinds:
            seen.append(await connection.recv())
    return seen


def engine_route(address, **options):
    return route(address.url, "engine", key=address.token, model="mrblue-local", **options)


@pytest.mark.parametrize("upstream", ["ga", "beta"])
async def test_a_ga_client_takes_a_text_turn(upstream):
    async with (
        running_engine() as (_, address),
        relaying(engine_route(address, dialect=upstream)) as gateway,
        gateway.stock_client() as client,
        client.realtime.connect(model="voice") as connection,
    ):
        created = (await until(connection, "session.created"))[-1]
        assert created.session.type == "realtime"
        assert created.session.audio.input.format.type == "audio/pcm"
        await connection.session.update(session={"type": "realtime", "output_modalities": ["text"]})
        updated = (await until(connection, "session.updated"))[-1]
        assert updated.session.output_modalities == ["text"]
        await connection.conversation.item.create(item=TEXT_ITEM)
        await connection.response.create()
        events = await until(connection, "response.done")
        kinds = [event.type for event in events]
        assert kinds[:2] == ["conversation.item.added", "conversation.item.done"]
        assert kinds.count("conversation.item.done") == 2
        text = "".join(event.delta for event in events if event.type == "response.output_text.delta")
        assert "npm" in text
        assert events[-1].response.output[0].content[0].type == "output_text"
        assert events[-1].response.output_modalities == ["text"]
        used = gateway.house.accounts[0].used
        assert [(provider, model) for provider, model, _ in used] == [("engine", "mrblue-local")]
        assert used[0][2].output_tokens == events[-1].response.usage.output_tokens > 0
        assert gateway.house.asked_models == ["voice"]


@pytest.mark.parametrize("upstream", ["ga", "beta"])
async def test_a_beta_client_takes_a_text_turn(upstream):
    async with (
        running_engine() as (_, address),
        relaying(engine_route(address, dialect=upstream)) as gateway,
        gateway.stock_client() as client,
        client.beta.realtime.connect(model="voice") as connection,
    ):
        created = (await until(connection, "session.created"))[-1]
        assert created.session.input_audio_format == "pcm16"
        session = {"modalities": ["text"], "temperature": 0.8, "max_response_output_tokens": 200}
        await connection.session.update(session=session)
        updated = (await until(connection, "session.updated", "error"))[-1]
        assert updated.session.modalities == ["text"]
        assert updated.session.max_response_output_tokens == 200
        await connection.conversation.item.create(item=TEXT_ITEM)
        await connection.response.create(response={"modalities": ["text"], "temperature": 0.7})
        events = await until(connection, "response.done")
        kinds = [event.type for event in events]
        assert kinds.count("conversation.item.created") == 2
        assert "conversation.item.done" not in kinds
        assert "npm" in "".join(event.delta for event in events if event.type == "response.text.delta")
        assert events[-1].response.output[0].content[0].type == "text"


@pytest.mark.parametrize(("client_dialect", "upstream"), [("ga", "ga"), ("ga", "beta"), ("beta", "ga")])
async def test_a_hands_free_audio_turn(client_dialect, upstream):
    async with (
        running_engine() as (_, address),
        relaying(engine_route(address, dialect=upstream)) as gateway,
        gateway.stock_client() as client,
    ):
        realtime = client.realtime if client_dialect == "ga" else client.beta.realtime
        async with realtime.connect(model="voice") as connection:
            pcm = spoken_question()
            for start in range(0, len(pcm), 4800):
                part = base64.b64encode(pcm[start : start + 4800]).decode()
                await connection.input_audio_buffer.append(audio=part)
            events = await until(connection, "response.done")
    delta = "response.output_audio.delta" if client_dialect == "ga" else "response.audio.delta"
    assert len(b"".join(base64.b64decode(event.delta) for event in events if event.type == delta)) > 24_000
    heard = next(event for event in events if event.type.endswith("input_audio_transcription.completed"))
    assert heard.transcript == "address already in use port 3000"
    used = {model: usage for _, model, usage in gateway.house.accounts[0].used}
    assert used["fake-stt"].seconds > 0
    assert used["mrblue-local"].audio_output_tokens > 0
