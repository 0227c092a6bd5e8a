"""Posting over real sockets: tried again where that helps, never done twice, never sent where it should not go."""

from __future__ import annotations

import asyncio
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrblue_cli.app.tools.post import PATIENCE_SECONDS, TRIES, Poster, checked, retry_after
from mrblue_cli.core.errors import ConfigError, ConnectError, ProviderError
from tests.app.tools.stand_in import OK, StandIn

DOCUMENT = {"operation": "design", "keywords": {"subject": "lobo é"}}


class Waits:
    """Stands for sleeping: notes how long, and does not."""

    def __init__(self):
        self.seconds = []

    async def __call__(self, seconds):
        self.seconds.append(seconds)


def poster(url, waits, **more):
    return Poster(url, "TGA_URL", sleep=waits, chance=lambda: 1.0, **more)


async def test_a_document_arrives_once_with_its_key():
    waits = Waits()
    async with StandIn() as service:
        delivery = await poster(service.url, waits).post(DOCUMENT, "key-1")
    assert (delivery.status, delivery.tries, delivery.answer) == (200, 1, {"job": "7"})
    ((line, headers, body),) = service.asked
    assert line == "POST /jobs?x=1 HTTP/1.1"
    assert headers["content-type"] == "application/json"
    assert headers["idempotency-key"] == "key-1"
    assert body == DOCUMENT
    assert waits.seconds == []


@pytest.mark.parametrize("trouble", [(500, {}, {}), (503, {}, b"no json"), (429, {}, {}), "drop"])
async def test_trouble_twice_then_done_is_done_once(trouble):
    waits = Waits()
    async with StandIn(trouble, trouble, OK) as service:
        delivery = await poster(service.url, waits).post(DOCUMENT, "key-2")
    assert delivery.tries == 3
    assert len(service.asked) == 3
    assert service.done == ["key-2"]
    assert len(waits.seconds) == 2
    assert waits.seconds[0] < waits.seconds[1]


async def test_the_wait_that_is_asked_for_is_kept():
    waits = Waits()
    async with StandIn((429, {"Retry-After": "7"}, {}), OK) as service:
        await poster(service.url, waits).post(DOCUMENT, "k")
    assert waits.seconds == [7.0]


async def test_a_long_wait_is_told_instead():
    waits = Waits()
    async with StandIn((429, {"Retry-After": "120"}, {})) as service:
        with pytest.raises(ProviderError) as caught:
            await poster(service.url, waits).post(DOCUMENT, "k")
    assert "asks for 120 seconds" in caught.value.what
    assert len(service.asked) == 1
    assert waits.seconds == []


async def test_nobody_there_is_tried_three_times_and_told():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/secret-path"
        waits = Waits()
        with pytest.raises(ConnectError) as caught:
            await poster(url, waits).post(DOCUMENT, "k")
    assert len(waits.seconds) == TRIES - 1
    assert caught.value.what == "127.0.0.1 did not take it: it cannot be reached"
    assert "secret-path" not in f"{caught.value.what}{caught.value.hint}"


async def test_a_stall_ends_at_the_time_limit():
    waits = Waits()
    async with StandIn("stall") as service:
        with pytest.raises(ConnectError) as caught:
            await poster(service.url, waits, try_seconds=0.15).post(DOCUMENT, "k")
    assert "did not answer in time" in caught.value.what
    assert service.done == ["k"]


@pytest.mark.parametrize("status", [400, 401, 404, 409, 422])
async def test_a_refusal_is_not_tried_again(status):
    waits = Waits()
    async with StandIn((status, {}, {"error": "no"})) as service:
        with pytest.raises(ProviderError) as caught:
            await poster(service.url, waits).post(DOCUMENT, "k")
    assert f"status {status}" in caught.value.what
    assert len(service.asked) == 1


async def test_redirects_are_not_followed():
    async with StandIn() as elsewhere, StandIn((307, {"Location": "http://127.0.0.1/x"}, {})) as service:
        with pytest.raises(ProviderError) as caught:
            await poster(service.url, Waits()).post(DOCUMENT, "k")
        assert "another address" in caught.value.what
        assert elsewhere.asked == []


async def test_an_answer_without_end_is_read_to_a_bound():
    async with StandIn((200, {}, b"x" * 200_000)) as service:
        delivery = await poster(service.url, Waits()).post(DOCUMENT, "k")
    assert delivery.answer == {}


async def test_whoever_stops_waiting_stops_the_try():
    async with StandIn("stall") as service:
        job = asyncio.ensure_future(poster(service.url, Waits(), try_seconds=30).post(DOCUMENT, "k"))
        while not service.asked:
            await asyncio.sleep(0.01)
        job.cancel()
        with pytest.raises(asyncio.CancelledError):
            await job


@pytest.mark.parametrize(
    ("url", "allow", "fine"),
    [
        ("https://studio.example/api", False, True),
        ("http://127.0.0.1:8000/x", False, True),
        ("http://localhost/x", False, True),
        ("http://[::1]:9/x", False, True),
        ("http://studio.example/api", False, False),
        ("http://studio.example/api", True, True),
        ("http://192.168.1.4/api", False, False),
        ("http://127.0.0.1.evil.example/", False, False),
        ("ftp://studio.example", False, False),
        ("studio.example", False, False),
        ("https://user:word@studio.example/", True, False),
        ("https://studio.example:99999/", False, False),
        ("https://studio.example/a b", False, False),
        ("https://studio.example/\nX: y", False, False),
        ("http://[::1", False, False),
        ("", False, False),
    ],
)
def test_where_things_may_be_posted(url, allow, fine):
    if fine:
        assert checked(url, "TGA_URL", allow_http=allow) == url
        return
    with pytest.raises(ConfigError) as caught:
        checked(url, "TGA_URL", allow_http=allow)
    assert "TGA_URL" in caught.value.what
    assert caught.value.hint
    assert "word" not in caught.value.what + caught.value.hint.replace("password", "")


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("", None), ("0", 0.0), (" 12 ", 12.0), ("soon", None), ("-3", None), ("1.5", None), ("9" * 12, None),
        ("Thu, 01 Jan 1970 00:01:40 GMT", 90.0), ("Thu, 01 Jan 1970 00:00:00 GMT", 0.0), ("Thu, 41 Jan 1970", None),
    ],
)  # fmt: skip
def test_retry_after(header, seconds):
    assert retry_after(header, 10.0) == seconds


@given(st.text(max_size=40), st.floats(0, 1e9))
def test_any_retry_after_is_a_wait_or_none(header, now):
    found = retry_after(header, now)
    assert found is None or found >= 0
    assert PATIENCE_SECONDS > 0
