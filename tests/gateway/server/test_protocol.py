"""The socket's own rules: heads within bounds, refusals in JSON, and patience that ends."""

from __future__ import annotations

import asyncio

import pytest

from mrblue_cli.gateway.server.protocol import HEAD_BYTES, HEAD_LINES, GatewayProtocol, handshake_flaw
from tests.gateway.serving import serving
from tests.gateway.wire import Line, exchange, request


async def echo(scope, receive, send):
    """Answers with the names of the headers that it was given."""
    if scope["type"] == "lifespan":
        while (message := await receive())["type"] != "lifespan.shutdown":
            await send({"type": f"{message['type']}.complete"})
        await send({"type": "lifespan.shutdown.complete"})
        return
    while (await receive()).get("more_body"):
        pass
    body = b",".join(name for name, _ in scope["headers"])
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
    await send({"type": "http.response.body", "body": body})


@pytest.mark.parametrize(
    "data",
    [
        b"rubbish\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET / HTTP/1.1\r\nbad name: 1\r\n\r\n",
        request("/", b"x", ("content-length", "2")),
        request("/", b"x", ("transfer-encoding", "chunked")),
        b"GET /\xff HTTP/1.1\r\n\r\n",
        b"CONNECT evil.example:443 HTTP/1.1\r\n\r\n",
    ],
)
async def test_what_is_no_http_is_refused_in_json(data):
    async with serving(echo) as address:
        got = await exchange(address, data)
    assert got is not None
    assert got.status == 400
    assert got.json["error"]["type"] == "invalid_request_error"
    assert got.header("x-request-id").startswith("req_")
    assert got.header("connection") == "close"


@pytest.mark.parametrize(
    "lines",
    [
        [("x-a", "v" * (HEAD_BYTES + 1))],
        [(f"x-{n}", "v") for n in range(HEAD_LINES + 1)],
        [(f"x-{n}", "v" * 1000) for n in range(70)],
    ],
    ids=["long", "many", "both"],
)
async def test_a_head_that_is_too_large_is_refused(lines):
    async with serving(echo) as address:
        got = await exchange(address, request("/", b"", *lines, method=b"GET"))
        assert got is not None
        assert got.status == 431
        assert "64 KiB" in got.json["error"]["message"]
        long = await exchange(address, request("/" + "a" * HEAD_BYTES, method=b"GET"))
        assert long is not None
        assert long.status == 431


async def test_a_head_without_end_is_cut_off_while_it_comes():
    async with serving(echo) as address:
        line = await Line.open(address)
        await line.send(b"GET / HTTP/1.1\r\nx-a: ")
        for _ in range(HEAD_BYTES // 8192 + 2):
            await line.send(b"v" * 8192)
        async with asyncio.timeout(5):
            got = await line.answer()
        assert got is None or got.status == 431
        await line.close()


class Impatient(GatewayProtocol):
    """Waits for a head as long as a test may."""

    head_seconds = 0.05


@pytest.mark.parametrize("begun", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nx-a"])
async def test_who_never_finishes_a_head_is_hung_up_on(begun):
    async with serving(echo, http=Impatient) as address:
        line = await Line.open(address)
        await line.send(begun)
        async with asyncio.timeout(5):
            assert await line.reader.read() == b""
        await line.close()


async def test_half_of_the_next_head_does_not_end_the_answer_before_it():
    going = asyncio.Event()

    async def slow(scope, receive, send):
        if scope["type"] == "lifespan":
            await echo(scope, receive, send)
            return
        await going.wait()
        await echo(scope, receive, send)

    async with serving(slow, http=Impatient) as address:
        line = await Line.open(address)
        await line.send(request("/", method=b"GET") + b"GET /second HTTP/1.1\r\n")
        # The second head's patience runs out a few times before the first answer comes.
        asyncio.get_running_loop().call_later(4 * Impatient.head_seconds, going.set)
        async with asyncio.timeout(5):
            got = await line.answer()
            assert got is not None
            assert got.status == 200
            assert await line.reader.read() == b""
        await line.close()


async def test_trailers_are_no_headers():
    head = request("/", b"", ("transfer-encoding", "chunked"), length=None)
    async with serving(echo) as address:
        got = await exchange(address, head + b"1\r\nx\r\n0\r\nauthorization: Bearer evil\r\n\r\n")
    assert got is not None
    assert got.status == 200
    assert b"authorization" not in got.body


async def test_several_requests_on_one_connection_are_answered_in_order():
    async with serving(echo) as address:
        line = await Line.open(address)
        await line.send(b"".join(request("/", b"", (f"x-{n}", "v"), method=b"GET") for n in range(5)))
        for n in range(5):
            got = await line.answer()
            assert got is not None
            assert f"x-{n}".encode() in got.body
        await line.close()


GOOD = [
    (b"host", b"h"), (b"upgrade", b"websocket"), (b"connection", b"upgrade"), (b"sec-websocket-version", b"13"),
    (b"sec-websocket-key", b"AAAAAAAAAAAAAAAAAAAAAA=="),
]  # fmt: skip


@pytest.mark.parametrize(
    ("method", "url", "headers", "flaw"),
    [
        ("GET", b"/", GOOD, ""),
        ("POST", b"/", GOOD, "method"),
        ("GET", b"/", GOOD[:-1], "sec-websocket-key"),
        ("GET", b"/", [*GOOD[:-1], (b"sec-websocket-key", b"x")], "sec-websocket-key"),
        ("GET", b"/", [*GOOD[:3], GOOD[4]], "version"),
        ("GET", b"/", [*GOOD, (b"origin", b"\xff")], "ASCII"),
        ("GET", b"/", [*GOOD, GOOD[-1]], "twice"),
        ("GET", b"/", [*GOOD, (b"origin", b"a"), (b"origin", b"b")], "twice"),
        ("GET", b"/" + b"a" * 9000, GOOD, "too large"),
        ("GET", b"/", GOOD + [(b"x", b"1")] * 120, "too large"),
    ],
)
def test_a_handshake_is_checked_before_it_is_handed_over(method, url, headers, flaw):
    found = handshake_flaw(method, url, headers)
    assert flaw in found if flaw else found == ""


async def test_a_broken_handshake_is_refused_in_json():
    lines = [(name.decode(), value.decode()) for name, value in GOOD[1:-1]]
    async with serving(echo) as address:
        got = await exchange(address, request("/v1/realtime", b"", *lines, method=b"GET", length=None))
    assert got is not None
    assert got.status == 400
    assert "no websocket handshake" in got.json["error"]["message"]
