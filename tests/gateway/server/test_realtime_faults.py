"""What goes wrong on either side of the relay, over real sockets."""

from __future__ import annotations

import asyncio
import http
import json
from contextlib import asynccontextmanager

import msgspec
import pytest
from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed

from mrblue_cli.gateway.model import FaultKind, Usage
from tests.gateway.realtime.harness import KEY, QUICK, recv, relaying, route, say, until
from tests.realtime.peer import BETA_CREATED, GA_CREATED, scripted

USAGE = {"input_tokens": 20, "output_tokens": 30, "output_token_details": {"text_tokens": 10, "audio_tokens": 20}}
CREATED = {"type": "response.created", "response": {"id": "r1"}}
DONE = {"type": "response.done", "response": {"id": "r1", "status": "completed", "output": [], "usage": USAGE}}
BAD_KEY = {"type": "error", "error": {"type": "invalid_request_error", "code": "invalid_api_key", "message": "sk-a***"}}
DELTA = {"type": "response.output_audio.delta", "response_id": "r1", "item_id": "a", "delta": "A" * 32_200}


async def closed(socket):
    """(code, reason) once the gateway has closed; whatever still came is dropped."""
    async with asyncio.timeout(10):
        try:
            while True:
                await socket.recv()
        except ConnectionClosed:
            return socket.close_code, socket.close_reason


@asynccontextmanager
async def provider(play):
    """A provider that runs `play(socket)` for each session; yields its address."""
    async with serve(play, "127.0.0.1", 0, compression=None, max_size=None) as server:
        yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1/realtime"


@asynccontextmanager
async def one_session(*steps, **options):
    """Yields (gateway, client socket past session.created, peer) over one scripted GA provider."""
    async with (
        scripted(("send", GA_CREATED), *steps) as (peer, url),
        relaying(route(url), **options) as gateway,
        gateway.connect() as socket,
    ):
        assert (await recv(socket)) == GA_CREATED
        yield gateway, socket, peer


FAILURES = {
    "refused key": ([("send", BAD_KEY), ("close", 3000)], {}, FaultKind.AUTH),
    "closed for the key": ([("close", 3000, "invalid_request_error.invalid_api_key")], {}, FaultKind.AUTH),
    "closed for the model": ([("close", 4000, "invalid_request_error.invalid_model")], {}, FaultKind.NOT_FOUND),
    "aborted": ([("abort",)], {}, FaultKind.CONNECT),
    "no json": ([("send", "<html>"), ("stall",)], {}, FaultKind.BROKEN),
    "silent": ([("stall",)], {}, FaultKind.TIMEOUT),
    "401": ([], {"status": 401}, FaultKind.AUTH),
    "429": ([], {"status": 429}, FaultKind.RATE_LIMITED),
    "503": ([], {"status": 503}, FaultKind.OVERLOADED),
    "redirect": ([], {"status": 302, "location": "ws://127.0.0.1:9/steal"}, FaultKind.UNSUPPORTED),
}


@pytest.mark.parametrize(("steps", "answer", "kind"), FAILURES.values(), ids=FAILURES)
async def test_a_provider_that_opens_no_session_is_passed_over(steps, answer, kind):
    options = msgspec.structs.replace(QUICK, ready=0.3)
    good = scripted(("send", GA_CREATED), ("expect", "response.create"), ("send", CREATED), ("send", DONE))
    async with scripted(*steps, **answer) as (_, bad_url), good as (peer, good_url):
        async with (
            relaying(route(bad_url, "bad"), route(good_url, "good"), options=options) as gateway,
            gateway.connect() as socket,
        ):
            assert await recv(socket) == GA_CREATED  # and nothing of the other one
            await say(socket, {"type": "response.create"})
            assert await until(socket, "response.done") == [CREATED, DONE]
        assert gateway.house.attempts == [("bad", kind), ("good", None)]
        assert peer.requests[0].headers["Authorization"] == "Bearer sk-provider"
        assert "model=real-model" in peer.requests[0].path


async def test_nobody_listens_and_nobody_else_is_left():
    async with relaying(route("ws://127.0.0.1:9/v1/realtime")) as gateway, gateway.connect() as socket:
        error = (await recv(socket))["error"]
        assert "up cannot be reached" in error["message"]
        assert error["type"] == "server_error"
        assert (await closed(socket))[0] == 1011
    assert gateway.house.accounts[0].closed.is_set()


async def test_an_unknown_model_everywhere_is_the_clients_fault():
    step = ("close", 4000, "invalid_request_error.invalid_model")
    async with scripted(step) as (_, url), relaying(route(url)) as gateway, gateway.connect() as socket:
        assert (await recv(socket))["error"]["code"] == "invalid_model"
        assert (await closed(socket)) == (4000, "invalid_request_error.invalid_model")


async def test_a_client_that_leaves_while_a_provider_is_being_opened():
    async with scripted(("stall",)) as (_, url), relaying(route(url)) as gateway:
        async with gateway.connect():
            pass
        async with asyncio.timeout(10):
            while not gateway.house.accounts:
                await asyncio.sleep(0)
            await gateway.house.accounts[0].closed.wait()
    assert gateway.house.attempts == []


async def test_a_provider_that_dies_is_told_plainly():
    async with one_session(("expect", "response.create"), ("send", CREATED), ("abort",)) as (gateway, socket, _):
        await say(socket, {"type": "response.create"})
        assert (await recv(socket))["type"] == "response.created"
        error = (await recv(socket))["error"]
        assert (error["type"], error["code"]) == ("server_error", "session_lost")
        assert "up ended the session" in error["message"]
        assert (await closed(socket))[0] == 1011
        end = await gateway.house.end()
        assert (end.by, gateway.house.running) == ("provider", 0)


@pytest.mark.parametrize(
    ("code", "passed", "told"), [(1000, 1000, False), (1001, 1001, True), (4321, 4321, True), (1013, 1013, True)]
)
async def test_close_codes_pass(code, passed, told):
    async with one_session(("close", code, "why")) as (_, socket, _):
        if told:
            assert (await recv(socket))["error"]["code"] == "session_lost"
        assert await closed(socket) == (passed, "why")


async def test_a_provider_that_said_why_is_not_repeated():
    expired = {"type": "error", "error": {"code": "session_expired", "message": "60 minutes"}}
    async with one_session(("send", expired), ("close", 1001, "done")) as (_, socket, _):
        assert await recv(socket) == expired
        with pytest.raises(ConnectionClosed):
            await recv(socket)
        assert socket.close_code == 1001


async def test_a_client_that_dies_in_a_reply_stops_it_and_pays_what_was_used():
    gone, cancelled = asyncio.Event(), asyncio.Event()

    async def play(socket):
        await socket.send(json.dumps(GA_CREATED))
        await socket.recv()
        await socket.send(json.dumps(CREATED))
        assert json.loads(await socket.recv()) == {"type": "response.cancel", "response_id": "r1"}
        cancelled.set()
        await socket.send(json.dumps(DONE))
        await socket.wait_closed()
        gone.set()

    async with provider(play) as url, relaying(route(url)) as gateway:
        async with gateway.connect() as socket:
            await recv(socket)
            await say(socket, {"type": "response.create"})
            await recv(socket)
            socket.transport.abort()
        async with asyncio.timeout(5):
            await cancelled.wait()
            await gone.wait()
        assert (await gateway.house.end()).by == "client"
        assert gateway.house.accounts[0].used == [
            ("up", "real-model", Usage(input_tokens=20, output_tokens=30, audio_output_tokens=20))
        ]


async def test_what_a_lost_reply_used_is_estimated():
    steps = [("send", DONE), ("send", {**CREATED, "response": {"id": "r2"}}), *[("send", DELTA)] * 4, ("abort",)]
    async with one_session(*steps) as (gateway, socket, _):
        await closed(socket)
        await gateway.house.end()
    usages = [usage for _, _, usage in gateway.house.accounts[0].used]
    assert usages[1] == Usage(input_tokens=20, output_tokens=40, audio_output_tokens=40, estimated=True)


async def test_a_stubborn_provider_is_left_within_bounds():
    left = asyncio.Event()

    async def play(socket):
        await socket.send(json.dumps(GA_CREATED))
        await socket.recv()
        await socket.send(json.dumps(CREATED))
        socket.transport.pause_reading()  # never sees the close
        await left.wait()
        socket.transport.abort()

    options = msgspec.structs.replace(QUICK, settle=0.2)
    async with provider(play) as url, relaying(route(url), options=options) as gateway:
        async with gateway.connect() as socket:
            await recv(socket)
            await say(socket, {"type": "response.create"})
            await recv(socket)
        assert (await gateway.house.end()).code == 1000
        left.set()


GARBAGE = [
    (b"\x00\x01", "invalid_event"),
    ("", "invalid_json"),
    ("{", "invalid_json"),
    ("[]", "invalid_event"),
    ('{"type":5}', "invalid_event"),
    ("{}", "missing_required_parameter"),
    ("[" * 100_000, "invalid_event"),
    ('{"x":' * 100_000, "invalid_json"),
]


async def test_garbage_is_answered_and_never_forwarded():
    async with one_session(("expect", "input_audio_buffer.clear")) as (_, socket, peer):
        for garbage, code in GARBAGE:
            await say(socket, garbage)
            assert (await recv(socket))["error"]["code"] == code
        await say(socket, {"type": "input_audio_buffer.clear"})
        async with asyncio.timeout(5):
            while peer.left:
                await asyncio.sleep(0)


async def test_unknown_events_and_fields_pass_untouched():
    text = '{ "type":"made.up",  "x":[1e3, null],"event_id" : "e" }'
    echoed = asyncio.get_running_loop().create_future()

    async def play(socket):
        await socket.send(json.dumps(GA_CREATED))
        echoed.set_result(await socket.recv())
        await socket.send(echoed.result())
        await socket.wait_closed()

    async with provider(play) as url, relaying(route(url)) as gateway, gateway.connect() as socket:
        await recv(socket)
        await socket.send(text)
        async with asyncio.timeout(5):
            assert await echoed == text
            assert await socket.recv() == text


async def test_large_frames_pass_and_oversized_ones_end_the_session():
    big = {"type": "input_audio_buffer.append", "audio": "A" * (20 * 1024 * 1024)}
    async with one_session(("expect", "input_audio_buffer.append")) as (gateway, socket, peer):
        # The scripted peer takes a mebibyte at most, and closes with 1009: that, too, must be passed on.
        await say(socket, big)
        assert (await recv(socket))["error"]["code"] == "session_lost"
        assert (await closed(socket))[0] == 1009
        peer.left = []

    async def play(socket):
        await socket.send(json.dumps(GA_CREATED))
        await socket.send(json.dumps({"type": "got", "size": len(json.loads(await socket.recv())["audio"])}))
        await socket.wait_closed()

    async with provider(play) as url, relaying(route(url)) as gateway, gateway.connect() as socket:
        await recv(socket)
        await say(socket, big)
        assert (await recv(socket))["size"] == 20 * 1024 * 1024
        with pytest.raises(ConnectionClosed):
            await say(socket, {"type": "x", "audio": "A" * (33 * 1024 * 1024)})
        assert socket.close_code == 1009
        assert (await gateway.house.end()).by == "client"


async def test_a_slow_client_slows_the_provider_and_loses_nothing():
    count, slowed = 400, asyncio.Event()

    async def play(socket):
        await socket.send(json.dumps(GA_CREATED))
        for number in range(count):
            text = json.dumps({"type": "x", "number": number, "delta": "A" * 100_000})
            try:
                async with asyncio.timeout(0.3):
                    await socket.send(text)  # the frame is written before it waits
            except TimeoutError:
                slowed.set()
        await socket.close(1000)

    options = msgspec.structs.replace(QUICK, buffer_bytes=200_000, flush=10)
    async with (
        provider(play) as url,
        relaying(route(url), options=options) as gateway,
        gateway.connect(max_queue=1) as socket,
    ):
        await recv(socket)
        async with asyncio.timeout(10):
            await slowed.wait()
        assert [(await recv(socket))["number"] for _ in range(count)] == list(range(count))
        assert (await closed(socket))[0] == 1000


async def test_a_refused_reply_is_not_asked_for():
    async with one_session(
        ("expect", "response.create"), ("send", CREATED), ("send", DONE), ("expect", "input_audio_buffer.clear"),
        replies=1,
    ) as (gateway, socket, peer):  # fmt: skip
        await say(socket, {"type": "response.create"})
        await until(socket, "response.done")
        await say(socket, {"type": "response.create", "event_id": "mine"})
        error = (await recv(socket))["error"]
        assert (error["code"], error["event_id"]) == ("budget_exceeded", "mine")
        await say(socket, {"type": "input_audio_buffer.clear"})
        async with asyncio.timeout(5):
            while peer.left:
                await asyncio.sleep(0)
    assert gateway.house.accounts[0].asked == 2


async def test_replies_the_server_makes_by_itself_end_the_session_at_the_limit():
    steps = [("send", CREATED), ("send", DONE), ("send", CREATED), ("expect", "response.cancel"), ("send", DONE)]
    async with one_session(*steps, replies=1) as (gateway, socket, _):
        events = await until(socket, "error")
        assert [event["type"] for event in events] == ["response.created", "response.done", "response.created", "error"]
        assert events[-1]["error"]["code"] == "budget_exceeded"
        assert (await closed(socket)) == (1008, "insufficient_quota.budget_exceeded")
        assert (await gateway.house.end()).by == "budget"
    assert len(gateway.house.accounts[0].used) == 2  # the cancelled one is paid for, too


async def test_a_session_that_only_listens_ends_at_the_limit():
    heard = {"type": "conversation.item.input_audio_transcription.completed", "item_id": "u", "transcript": "hi"}
    heard["usage"] = {"type": "duration", "seconds": 2}
    session = {"type": "transcription", "audio": {"input": {"transcription": {"model": "ear"}}}}
    steps = [("send", {"type": "session.updated", "session": session}), ("send", heard), ("send", heard), ("stall",)]
    async with one_session(*steps, replies=1) as (gateway, socket, _):
        events = await until(socket, "error")
        assert [event["type"] for event in events[1:-1]] == [heard["type"]] * 2
        assert events[-1]["error"]["code"] == "budget_exceeded"
        assert (await closed(socket))[0] == 1008
    assert gateway.house.accounts[0].used == [("up", "ear", Usage(seconds=2))] * 2


async def test_what_strict_readers_refuse_passes_as_it_came():
    odd = '{"type":"x","logprob":NaN}'
    async with one_session(("send", odd), ("stall",)) as (_, socket, _):
        assert await socket.recv() == odd


async def test_a_budget_that_breaks_ends_the_session_without_details(caplog):
    async with one_session(("stall",)) as (gateway, socket, _):

        async def broken():
            raise RuntimeError("secret detail")

        gateway.house.accounts[0].allow = broken
        await say(socket, {"type": "response.create"})
        error = (await recv(socket))["error"]
        assert (error["type"], "secret" in error["message"]) == ("server_error", False)
        assert (await closed(socket))[0] == 1011
    assert "a realtime session broke" in caplog.text


async def test_a_reply_that_the_provider_refused_gives_its_grant_back():
    busy = {"type": "error", "error": {"code": "conversation_already_has_active_response", "message": "busy"}}
    steps = [("expect", "response.create"), ("send", busy), ("send", CREATED), ("expect", "response.cancel")]
    steps.append(("send", DONE))
    async with one_session(*steps, replies=1) as (gateway, socket, _):
        await say(socket, {"type": "response.create"})
        await until(socket, "response.created")
        await closed(socket)
        assert (await gateway.house.end()).by == "budget"


@pytest.mark.parametrize(("limit", "code"), [("idle", "idle_timeout"), ("session", "session_expired")])
async def test_sessions_end_in_time(limit, code):
    options = msgspec.structs.replace(QUICK, **{limit: 0.2})
    async with one_session(("stall",), options=options) as (gateway, socket, _):
        assert (await recv(socket))["error"]["code"] == code
        assert (await closed(socket))[0] == 1001
        assert (await gateway.house.end()).by == "limit"


async def test_sessions_are_counted():
    options = msgspec.structs.replace(QUICK, sessions_per_key=1)
    async with one_session(("stall",), options=options) as (gateway, _, _), gateway.connect() as second:
        assert (await recv(second))["error"]["code"] == "too_many_sessions"
        assert (await closed(second))[0] == 1013
    assert gateway.endpoints.sessions == 0


async def test_a_gateway_that_goes_down_says_so():
    async with one_session(("stall",)) as (gateway, socket, _):
        async with asyncio.timeout(5):
            await gateway.endpoints.close()
        assert (await recv(socket))["error"]["code"] == "shutting_down"
        assert (await closed(socket))[0] == 1012


@pytest.mark.parametrize(("key", "code"), [("wrong", 3000), ("", 3000), ("ek_made_up", 3000)])
async def test_strangers_are_told_and_closed(key, code):
    async with relaying() as gateway, gateway.connect(key=key) as socket:
        assert (await recv(socket))["error"]["code"] == "invalid_api_key"
        assert await closed(socket) == (code, "invalid_request_error.invalid_api_key")


async def test_a_model_that_is_not_allowed():
    async with relaying() as gateway, gateway.connect("model=forbidden") as socket:
        error = (await recv(socket))["error"]
        assert (error["code"], error["param"]) == ("invalid_model", "model")
        assert (await closed(socket))[0] == 4000


async def test_the_providers_key_never_reaches_the_client():
    leak = {"type": "error", "error": {"code": "x", "message": "Incorrect API key provided: sk-provider."}}
    async with one_session(("send", leak), ("close", 4000, "bad key sk-provider")) as (_, socket, peer):
        first = await socket.recv()
        assert "sk-provider" not in first
        assert "[key]" in first
        assert await closed(socket) == (4000, "bad key [key]")
    sent = str(peer.requests[0].headers)
    assert KEY not in sent
    assert KEY not in peer.requests[0].path


WAYS_IN = [
    {"headers": [("api-key", KEY)]},
    {"subprotocols": ["realtime", f"openai-insecure-api-key.{KEY}"]},
    {"query": f"model=voice&api-key={KEY}"},
    {"path": "/realtime", "headers": [("Authorization", f"bearer {KEY}")]},
    {"path": "/openai/v1/realtime", "headers": [("api-key", KEY)]},
]


@pytest.mark.parametrize("way", WAYS_IN, ids=str)
async def test_every_way_in(way):
    query = way.get("query", "model=voice")
    more = {name: value for name, value in way.items() if name != "query"}
    async with (
        scripted(("send", GA_CREATED), ("stall",)) as (peer, url),
        relaying(route(url)) as gateway,
        gateway.connect(query, key="", **more) as socket,
    ):
        assert await recv(socket) == GA_CREATED
        assert socket.subprotocol == ("realtime" if "subprotocols" in way else None)
    assert "Sec-WebSocket-Protocol" not in peer.requests[0].headers
    assert "OpenAI-Beta" not in peer.requests[0].headers


BETA_WAYS = [
    {"headers": [("OpenAI-Beta", "realtime=v1")]},
    {"subprotocols": ["realtime", "openai-beta.realtime-v1"]},
    {"query": "model=voice&dialect=beta"},
    {"path": "/openai/realtime", "query": "deployment=voice&api-version=2025-04-01-preview"},
]


@pytest.mark.parametrize("way", BETA_WAYS, ids=str)
async def test_every_way_to_ask_for_beta(way):
    query = way.get("query", "model=voice")
    more = {name: value for name, value in way.items() if name != "query"}
    async with (
        scripted(("send", GA_CREATED), ("stall",)) as (peer, url),
        relaying(route(url)) as gateway,
        gateway.connect(query, **more) as socket,
    ):
        created = await recv(socket)
    assert created == {"type": "session.created", "session": {"id": "s", "model": "m"}}
    assert "OpenAI-Beta" not in peer.requests[0].headers


async def test_a_beta_server_is_told_from_its_first_words():
    async with (
        scripted(("send", BETA_CREATED), ("expect", "session.update")) as (_, url),
        relaying(route(url)) as gateway,
        gateway.connect() as socket,
    ):
        session = (await recv(socket))["session"]
        assert session["type"] == "realtime"
        assert session["audio"]["output"] == {"voice": "alloy"}
        await say(socket, {"type": "session.update", "session": {"type": "realtime"}})


async def test_settings_that_cannot_be_translated_are_refused_by_name():
    async with one_session(("stall",)) as (gateway, _, _), gateway.connect("model=voice&dialect=beta") as socket:
        await recv(socket)
        bad = {"type": "session.update", "event_id": "e", "session": {"input_audio_format": "mp3"}}
        await say(socket, bad)
        error = (await recv(socket))["error"]
        assert (error["code"], error["event_id"], error["param"]) == ("invalid_value", "e", "session")


async def test_the_clients_name_of_the_model_becomes_the_providers():
    got = asyncio.get_running_loop().create_future()

    async def play(socket):
        await socket.send(json.dumps(GA_CREATED))
        got.set_result(json.loads(await socket.recv()))
        await socket.wait_closed()

    async with provider(play) as url, relaying(route(url)) as gateway, gateway.connect() as socket:
        await say(socket, {"type": "session.update", "session": {"type": "realtime", "model": "voice"}})
        async with asyncio.timeout(5):
            assert (await got)["session"] == {"type": "realtime", "model": "real-model"}


async def test_a_plain_request_is_no_session():
    async with relaying() as gateway, gateway.stock_client() as client:
        answer = await client._client.get(f"http://127.0.0.1:{gateway.port}/v1/realtime")
        assert answer.status_code in {http.HTTPStatus.NOT_FOUND, http.HTTPStatus.METHOD_NOT_ALLOWED}
