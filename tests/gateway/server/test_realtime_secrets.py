"""Ephemeral keys: minted by the stock client, used by a browser, never a real key in sight."""

from __future__ import annotations

import json

import openai
import pytest

from tests.engine.conftest import running_engine
from tests.gateway.realtime.harness import QUICK, recv, relaying, route, until
from tests.realtime.peer import BETA_CREATED, GA_CREATED, scripted

CONFIG = {"type": "realtime", "model": "voice", "instructions": "Speak like a pirate.", "output_modalities": ["text"]}
UPDATED = {"type": "session.updated", "session": {"id": "s", "type": "realtime", "instructions": "Speak."}}


class UnixClock:
    def __init__(self):
        self.now = 1_800_000_000.0

    def __call__(self):
        return self.now


def browser(secret):
    return {"key": "", "subprotocols": ["realtime", f"openai-insecure-api-key.{secret}"]}


async def test_the_stock_client_mints_and_a_browser_connects():
    async with (
        running_engine() as (_, address),
        relaying(route(address.url, "engine", key=address.token)) as gateway,
        gateway.stock_client() as client,
    ):
        secret = await client.realtime.client_secrets.create(
            session=CONFIG, expires_after={"anchor": "created_at", "seconds": 60}
        )
        assert secret.value.startswith("ek_")
        assert secret.expires_at == 1_800_000_060
        assert secret.session.instructions == "Speak like a pirate."
        assert secret.session.type == "realtime"
        async with gateway.connect("", **browser(secret.value)) as socket:
            created = await recv(socket)
            assert created["type"] == "session.created"
            assert created["session"]["instructions"] == "Speak like a pirate."
            assert created["session"]["output_modalities"] == ["text"]
            await socket.send('{"type":"response.create"}')
            assert (await until(socket, "response.done"))[-1]["response"]["status"] == "completed"
        assert gateway.house.asked_models == ["voice", "voice"]


async def test_a_beta_key_with_its_flat_session():
    async with (
        running_engine() as (_, address),
        relaying(route(address.url, "engine", key=address.token)) as gateway,
        gateway.stock_client() as client,
    ):
        session = await client.beta.realtime.sessions.create(model="voice", modalities=["text"], temperature=0.7)
        assert session.modalities == ["text"]
        secret = session.client_secret
        assert secret.expires_at == 1_800_000_600
        protocols = browser(secret.value)
        protocols["subprotocols"].append("openai-beta.realtime-v1")
        async with gateway.connect("model=anything", **protocols) as socket:
            assert (await recv(socket))["session"]["modalities"] == ["text"]
        assert gateway.house.asked_models[-1] == "voice"  # what it was minted for


async def test_a_key_without_a_configuration_changes_nothing():
    async with scripted(("send", GA_CREATED), ("stall",)) as (_, url), relaying(route(url)) as gateway:
        async with gateway.stock_client() as client:
            secret = await client.realtime.client_secrets.create()
        async with gateway.connect("model=mine", **browser(secret.value)) as socket:
            assert await recv(socket) == GA_CREATED
        assert gateway.house.asked_models == ["", "mine"]


async def test_a_transcription_key_at_a_beta_server():
    flat = {"input_audio_format": "pcm16", "input_audio_transcription": {"model": "whisper-1"}}
    created = {**BETA_CREATED, "type": "transcription_session.created"}
    steps = [("send", created), ("expect", "transcription_session.update")]
    steps.append(("send", {"type": "transcription_session.updated", "session": {"id": "t", **flat}}))
    async with scripted(*steps) as (_, url), relaying(route(url)) as gateway, gateway.stock_client() as client:
        answer = await client.beta.realtime.transcription_sessions.create(**flat)
        assert answer.input_audio_transcription.model == "whisper-1"
        async with gateway.connect("intent=transcription", **browser(answer.client_secret.value)) as socket:
            session = (await recv(socket))["session"]
    assert session["type"] == "transcription"
    assert session["audio"]["input"]["transcription"] == {"model": "whisper-1"}


async def test_a_configuration_that_one_provider_refuses_goes_to_the_next():
    refusal = {"type": "error", "error": {"code": "unknown_parameter", "message": "no", "param": "session.tools"}}
    first = scripted(("send", GA_CREATED), ("expect", "session.update"), ("send", refusal))
    second = scripted(("send", GA_CREATED), ("expect", "session.update"), ("send", UPDATED))
    async with first as (_, bad), second as (_, good), relaying(route(bad, "bad"), route(good)) as gateway:
        async with gateway.stock_client() as client:
            secret = await client.realtime.client_secrets.create(session=CONFIG)
        async with gateway.connect("", **browser(secret.value)) as socket:
            assert (await recv(socket)) == {"type": "session.created", "session": UPDATED["session"]}
        gateway.house.all_routes.pop()
    assert [name for name, _ in gateway.house.attempts] == ["bad", "up"]


async def test_keys_expire_and_die_with_the_key_that_minted_them():
    clock = UnixClock()
    async with (
        scripted(("send", GA_CREATED), ("stall",)) as (_, url),
        relaying(route(url), unix_now=clock) as gateway,
        gateway.stock_client() as client,
    ):
        secret = await client.realtime.client_secrets.create(expires_after={"anchor": "created_at", "seconds": 10})
        clock.now += 9
        async with gateway.connect(**browser(secret.value)) as socket:
            assert await recv(socket) == GA_CREATED
            clock.now += 2  # a running session stays
            async with gateway.connect(**browser(secret.value)) as late:
                assert (await recv(late))["error"]["code"] == "invalid_api_key"
        other = await client.realtime.client_secrets.create()
        gateway.house.revoked.add("k1")
        async with gateway.connect(**browser(other.value)) as socket:
            assert (await recv(socket))["error"]["message"] == "This key was revoked."


BAD = [
    ({"expires_after": {"anchor": "created_at", "seconds": 9}}, "expires_after.seconds"),
    ({"expires_after": {"anchor": "created_at", "seconds": 7201}}, "expires_after.seconds"),
    ({"expires_after": {"anchor": "now", "seconds": 60}}, "expires_after.anchor"),
    ({"session": {"type": "psychic"}}, "session.type"),
    ({"session": {"type": "realtime", "model": 5}}, "session.model"),
    ({"session": {"type": "realtime", "instructions": "x" * 300_000}}, "session"),
    ({"session": {"type": "realtime", "model": "forbidden"}}, "model"),
    ({"session": []}, None),
]


@pytest.mark.parametrize(("body", "param"), BAD, ids=lambda value: json.dumps(value)[:60])
async def test_bad_requests_name_the_place(body, param):
    async with relaying() as gateway, gateway.stock_client() as client:
        if param is None:  # an empty session is the default one
            assert (await client.realtime.client_secrets.create(**body)).value
            return
        with pytest.raises(openai.APIStatusError) as caught:
            await client.realtime.client_secrets.create(**body)
        assert caught.value.body["param"] == param


async def test_webrtc_is_refused_with_the_reason():
    async with relaying(options=QUICK) as gateway, gateway.stock_client() as client:
        with pytest.raises(openai.InternalServerError) as caught:
            await client.with_options(max_retries=0).post("/realtime/calls", cast_to=object, body={})
        assert caught.value.status_code == 501
        assert "websocket" in caught.value.message
