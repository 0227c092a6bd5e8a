"""The websocket client against real sockets: connected means session.created, and every refusal is one clear line."""

from __future__ import annotations

import asyncio
import socket

import pytest

from mrblue_cli.core.errors import AuthError, ConnectError, ProviderError
from mrblue_cli.protocol.client_events import ClearAudio, CommitAudio, CreateResponse
from mrblue_cli.protocol.notices import Dialect
from mrblue_cli.protocol.server_events import AudioCleared, AudioDelta, Unknown
from mrblue_cli.realtime.client import connect
from mrblue_cli.realtime.options import ConnectOptions
from tests.realtime.peer import BETA_CREATED, GA_CREATED, scripted


async def test_a_session_opens_carries_events_and_closes():
    steps = [
        ("send", GA_CREATED),
        ("expect", "input_audio_buffer.clear"),
        ("expect", "input_audio_buffer.commit"),
        ("send", {"type": "response.output_audio.delta", "delta": "AAAA", "response_id": "r"}),
        ("send", {"type": "brand.new"}),
        ("send", "not json"),
        ("close", 1000),
    ]
    async with scripted(*steps) as (peer, url):
        connection = await connect(ConnectOptions(url))
        assert connection.dialect is Dialect.GA
        assert connection.created.session["model"] == "m"
        await connection.send(ClearAudio(), CommitAudio())
        events = [event async for event in connection]
        assert events[0] == AudioDelta(delta="AAAA", response_id="r")
        assert [event.type for event in events[1:] if isinstance(event, Unknown)] == ["brand.new", "malformed"]
        assert connection.closed is not None
        assert connection.closed.clean
        await connection.close()
        await connection.close()
        assert peer.left == []


async def test_the_beta_dialect_is_detected_and_spoken():
    done = {"type": "response.audio.delta", "delta": "AAAA", "response_id": "r"}
    steps = [("send", BETA_CREATED), ("expect", "response.create"), ("send", done), ("close", 1000)]
    async with scripted(*steps) as (_, url):
        connection = await connect(ConnectOptions(url))
        assert connection.dialect is Dialect.BETA
        await connection.send(CreateResponse())
        assert [event async for event in connection] == [AudioDelta(delta="AAAA", response_id="r")]
        await connection.close()


def error(code, message="no"):
    return {"type": "error", "error": {"type": "invalid_request_error", "code": code, "message": message}}


REFUSALS = [
    ([("send", error("invalid_api_key")), ("close", 3000)], AuthError, "refused the key"),
    ([("send", error("invalid_model", "no model x")), ("close", 4000)], ProviderError, "no model x"),
    ([("send", error("missing_part", "no voice; pip install it")), ("close", 1011)], ProviderError, "no voice"),
    ([("close", 1011)], ConnectError, "code 1011"),
    ([("abort",)], ConnectError, "before a session began"),
    ([("close", 3000, "invalid_request_error")], AuthError, "refused the key"),
    ([("close", 3000, "invalid_request_error.invalid_api_key")], AuthError, "refused the key"),
    ([("close", 4000, "invalid_request_error.missing_model")], ProviderError, "missing_model"),
    ([("close", 1000, "")], ConnectError, "code 1000"),
]


@pytest.mark.parametrize(("steps", "kind", "words"), REFUSALS)
async def test_a_refusal_after_the_upgrade_is_one_clear_line(steps, kind, words):
    async with scripted(*steps) as (_, url):
        with pytest.raises(kind) as caught:
            await connect(ConnectOptions(url))
    assert words in caught.value.what
    assert caught.value.hint
    assert "\n" not in caught.value.what


@pytest.mark.parametrize(
    ("status", "kind", "words"),
    [(401, AuthError, "refused the key"), (404, ConnectError, "no Realtime service"), (503, ConnectError, "HTTP 503")],
)
async def test_a_refusal_before_the_upgrade(status, kind, words):
    async with scripted(status=status) as (_, url):
        with pytest.raises(kind) as caught:
            await connect(ConnectOptions(url, (("Authorization", "Bearer sk-secret"),)))
    assert words in caught.value.what
    assert "sk-secret" not in f"{caught.value.what}{caught.value.hint}"


async def test_nothing_listens():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"ws://127.0.0.1:{free.getsockname()[1]}/v1/realtime"
    with pytest.raises(ConnectError) as caught:
        await connect(ConnectOptions(url))
    assert "nothing listens" in caught.value.what


async def test_a_server_that_is_no_websocket():
    async def http_only(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"SSH-2.0-OpenSSH_9\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(http_only, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(ConnectError) as caught:
            await connect(ConnectOptions(f"ws://127.0.0.1:{port}/"))
    assert "does not speak websocket" in caught.value.what


async def test_a_server_that_opens_no_session():
    async with scripted(("stall",)) as (_, url):
        with pytest.raises(ConnectError) as caught:
            await connect(ConnectOptions(url, ready_timeout_seconds=0.2))
    assert "opened no session" in caught.value.what


@pytest.mark.parametrize("step", [("close", 1001), ("close", 1011), ("abort",)])
async def test_a_lost_connection_ends_the_events_and_says_why(step):
    async with scripted(("send", GA_CREATED), step) as (_, url):
        connection = await connect(ConnectOptions(url))
        assert [event async for event in connection] == []
        assert connection.closed is not None
        assert not connection.closed.clean
        assert "connection was lost" in connection.lost_error().what
        with pytest.raises(ConnectError):
            await connection.send(ClearAudio())
        await connection.close()


async def test_a_slow_consumer_never_holds_back_the_reader():
    many = [("send", {"type": "response.output_audio.delta", "delta": "A" * 40_000})] * 300
    steps = [("send", GA_CREATED), *many, ("expect", "input_audio_buffer.clear"), ("close", 1000)]
    async with scripted(*steps) as (_, url):
        connection = await connect(ConnectOptions(url))
        # Nobody reads events, and still the peer could send all of it and hear us.
        await connection.send(ClearAudio())
        assert len([event async for event in connection]) == 300
        await connection.close()


async def test_headers_reach_the_server():
    async with scripted(("send", GA_CREATED), ("close", 1000)) as (peer, url):
        connection = await connect(ConnectOptions(url, (("Authorization", "Bearer k"),)))
        await connection.close()
    assert peer.requests[0].headers["Authorization"] == "Bearer k"


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_a_redirect_is_not_followed_with_the_key(status):
    async with scripted() as (other, elsewhere), scripted(status=status, location=elsewhere) as (_, url):
        with pytest.raises(ConnectError) as caught:
            await connect(ConnectOptions(url, (("Authorization", "Bearer sk-secret"),)))
        assert other.requests == []
    assert f"redirects to {elsewhere.split('/')[2]}" in caught.value.what
    assert "sk-secret" not in f"{caught.value.what}{caught.value.hint}"


async def test_a_message_in_many_frames_is_one_event():
    delta = {"type": "response.output_audio.delta", "delta": "AAAA" * 50, "response_id": "r"}
    async with scripted(("fragments", GA_CREATED, 3), ("fragments", delta, 7), ("close", 1000)) as (_, url):
        connection = await connect(ConnectOptions(url))
        assert [event async for event in connection] == [AudioDelta(delta="AAAA" * 50, response_id="r")]
        await connection.close()


async def test_the_end_of_the_events_is_seen_by_every_reader():
    async with scripted(("send", GA_CREATED), ("close", 1000)) as (_, url):
        connection = await connect(ConnectOptions(url))
        assert [event async for event in connection] == []
        assert [event async for event in connection] == []
        await connection.close()


async def test_bottomless_nesting_does_not_end_the_connection():
    deep = '{"type":"response.done","x":' + "[" * 100_000 + "]" * 100_000 + "}"
    after = {"type": "input_audio_buffer.cleared"}
    async with scripted(("send", GA_CREATED), ("send", deep), ("send", after), ("close", 1000)) as (_, url):
        connection = await connect(ConnectOptions(url))
        events = [event async for event in connection]
        assert [type(event) for event in events] == [Unknown, AudioCleared]
        await connection.close()


async def test_passwords_in_an_address_are_not_told():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(ConnectError) as caught:
        await connect(ConnectOptions(f"ws://me:hunter2@127.0.0.1:{port}/v1/realtime?api-key=hunter2"))
    assert "hunter2" not in f"{caught.value.what}{caught.value.hint}"
    assert f"127.0.0.1:{port}" in caught.value.what
