"""Bodies and answers on bare ASGI: sizes, chunks, early ends, slow clients, depth, heads."""

from __future__ import annotations

import asyncio
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrblue_cli.gateway.answers import Answer, refusal, safe_header, safe_type
from mrblue_cli.gateway.model import CallError, Fault, FaultKind, Surface
from mrblue_cli.gateway.server.http import bad, headers_of, parse_json, read_body, send_answer


def arriving(*messages):
    """A `receive` that gives these, then waits for ever."""
    waiting = list(messages)

    async def receive():
        if not waiting:
            await asyncio.Event().wait()
        return waiting.pop(0)

    return receive


def piece(data: bytes, *, more: bool = True):
    """One message of a body."""
    return {"type": "http.request", "body": data, "more_body": more}


async def refused(receive, headers=None, limit=10, seconds=5.0) -> Fault:
    """The fault that reading this body ends with."""
    with pytest.raises(CallError) as caught:
        await read_body(receive, headers or {}, limit, seconds)
    return caught.value.fault


@given(st.lists(st.binary(max_size=8), max_size=6), st.integers(0, 30))
def test_a_body_is_what_came_or_too_large_however_it_is_cut(parts, limit):
    receive = arriving(*(piece(part) for part in parts), piece(b"", more=False))
    whole = b"".join(parts)
    if len(whole) > limit:
        assert asyncio.run(refused(receive, limit=limit)).status == 413
    else:
        assert asyncio.run(read_body(receive, {}, limit, 5.0)) == whole


@pytest.mark.parametrize(
    ("length", "limit", "read"), [("11", 10, False), ("10", 10, True), ("abc", 10, True), ("-5", 10, True)]
)
async def test_a_body_that_says_it_is_too_large_is_not_read(length, limit, read):
    receive = arriving(piece(b"x", more=False)) if read else arriving()
    if read:
        assert await read_body(receive, {"content-length": length}, limit) == b"x"
    else:
        assert (await refused(receive, {"content-length": length}, limit)).status == 413


async def test_a_client_that_leaves_or_stops_half_way_is_told_so():
    early = await refused(arriving(piece(b"a"), {"type": "http.disconnect"}))
    assert (early.status, "ended early" in early.message) == (400, True)
    late = await refused(arriving(piece(b"a")), seconds=0.01)
    assert (late.status, "0.01 s" in late.message) == (408, True)
    assert (await refused(arriving(), seconds=0.01)).status == 408


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "not valid JSON"),
        (b"{", "not valid JSON"),
        (b"[]", "must be a JSON object"),
        (b"null", "must be a JSON object"),
        (b'{"a": NaN}', "not valid JSON"),
        (b'{"a": "\xff"}', "not UTF-8"),
        (b'{"\xff": 1}', "not UTF-8"),
        (b'{"a": "\\ud800"}', "not valid JSON"),
        (b"\xef\xbb\xbf{}", "not valid JSON"),
        ("{}".encode("utf-16"), "not valid JSON"),
        (b'{"a": ' + b"[" * 300 + b"]" * 300 + b"}", "nested more than 200"),
        (b'{"a":' * 100_000, "deep"),
        (b"[" * 100_000, "deep"),
    ],
)
def test_what_is_no_request_is_refused_with_its_reason(body, says):
    with pytest.raises(CallError) as caught:
        parse_json(body)
    assert says in caught.value.fault.message
    assert caught.value.fault.status == 400
    assert len(caught.value.fault.message) < 400


@given(st.integers(1, 230), st.booleans())
def test_depth_is_counted_not_brackets(depth, in_text):
    """Brackets inside of texts are no nesting."""
    inner = '"' + "[" * depth + '"' if in_text else "[" * depth + "]" * depth
    body = ('{"a": ' + inner + "}").encode()
    if not in_text and depth + 1 > 200:
        with pytest.raises(CallError):
            parse_json(body)
    else:
        assert parse_json(body) == json.loads(body)


def test_of_repeated_headers_the_first_counts_and_bytes_are_kept():
    scope = {"headers": [(b"authorization", b"one"), (b"authorization", b"two"), (b"x", b"\xff")]}
    assert headers_of(scope) == {"authorization": "one", "x": "ÿ"}


class Wire:
    """Collects what is sent."""

    def __init__(self):
        self.said = []

    async def __call__(self, message):
        self.said.append(message)

    @property
    def head(self):
        """The headers of the answer."""
        return dict(self.said[0]["headers"])

    @property
    def body(self):
        """All of its bytes."""
        return b"".join(one.get("body", b"") for one in self.said[1:])


async def test_a_plain_answer_has_its_length_and_its_headers_stay_one_line():
    wire = Wire()
    await send_answer(Answer(body=b"{}", headers={"x-a": "žluť"}), {"x-request-id": "r"}, arriving(), wire)
    assert wire.head[b"content-length"] == b"2"
    assert wire.head[b"x-content-type-options"] == b"nosniff"
    assert wire.head[b"x-a"] == b"?lu?"
    assert wire.body == b"{}"


async def test_a_stream_ends_and_is_closed_when_the_client_leaves():
    closed, wire = asyncio.Event(), Wire()

    async def frames():
        try:
            yield b"one"
            await asyncio.Event().wait()
        finally:
            closed.set()

    answer = Answer(content_type="text/event-stream", frames=frames())
    async with asyncio.timeout(5):
        await send_answer(answer, {}, arriving(piece(b"", more=False), {"type": "http.disconnect"}), wire)
    assert closed.is_set()
    assert asyncio.current_task().cancelling() == 0
    assert wire.body in {b"one", b""}
    assert b"content-length" not in wire.head


async def test_a_stream_that_ends_by_itself_ends_the_answer():
    async def frames():
        yield b"one"
        yield b"two"

    wire = Wire()
    await send_answer(Answer(frames=frames()), {}, arriving(), wire)
    assert wire.body == b"onetwo"
    assert not wire.said[-1].get("more_body")


async def test_the_servers_own_cancellation_is_not_taken_for_a_client_that_left():
    async def frames():
        yield b"one"
        await asyncio.Event().wait()

    wire = Wire()
    task = asyncio.create_task(send_answer(Answer(frames=frames()), {}, arriving(), wire))
    async with asyncio.timeout(5):
        while len(wire.said) < 2:
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


# Answers


@pytest.mark.parametrize(
    ("given_type", "sent"),
    [
        ("audio/mpeg", "audio/mpeg"),
        ("Audio/WAV; rate=24000", "Audio/WAV; rate=24000"),
        ("application/json; charset=utf-8", "application/json; charset=utf-8"),
        ("text/html", "application/octet-stream"),
        ("image/svg+xml", "application/octet-stream"),
        ("audio/", "application/octet-stream"),
        ("", "application/octet-stream"),
        ("text/plain\r\nx-evil: 1", "application/octet-stream"),
        ("text/plain;\r\nx-evil: 1", "text/plain;??x-evil: 1"),
    ],
)
def test_only_types_that_no_browser_runs_are_passed_on(given_type, sent):
    assert safe_type(given_type) == sent


@given(st.text())
def test_a_header_is_one_short_line_of_ascii(text):
    made = safe_header(text)
    assert len(made) <= 200
    assert made.isascii()
    assert made.isprintable() or not made


@pytest.mark.parametrize("surface", list(Surface))
def test_refusals_have_the_surfaces_shape(surface):
    fault = Fault(kind=FaultKind.RATE_LIMITED, message="Slow down.", retry_after=0.2)
    answer = refusal(surface, fault)
    said = json.loads(answer.body)
    assert answer.status == 429
    assert answer.headers["retry-after"] == "1"
    assert said["error"]["message"] == "Slow down."
    assert (said.get("type") == "error") is (surface is Surface.MESSAGES)


def test_a_budget_tells_stock_clients_not_to_try_again():
    fault = Fault(kind=FaultKind.QUOTA, message="Over.", code="budget_exceeded", retry_after=3600.0)
    assert refusal(Surface.CHAT, fault).headers == {"retry-after": "3600", "x-should-retry": "false"}
    assert bad("Wrong.", "model", status=415).status == 415
