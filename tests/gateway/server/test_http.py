<<<<<<< HEAD
"""Bodies and answers on bare ASGI: sizes, chunks, early ends, slow clients, depth, heads."""
=======
"""Answers and bodies on bare ASGI: clients that leave, that read nothing or send nothing, and what is left then."""
>>>>>>> review

from __future__ import annotations

import asyncio
<<<<<<< HEAD
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
=======
from typing import Any

import pytest

from mrblue_cli.gateway.answers import Answer, BrokenOff
from mrblue_cli.gateway.model import CallError
from mrblue_cli.gateway.server.http import parse_form, parse_json, read_body, send_answer
from tests.fakes.virtual_time import run_virtual

FOREVER = 1e6


class Pieces:
    """`answers.Frames` that notes what becomes of it."""

    def __init__(self, *steps: bytes | float | Exception) -> None:
        """Bytes, seconds to wait, failures."""
        self.steps = list(steps)
        self.read = self.closed = 0
        self.cancelled = False

    def __aiter__(self) -> Pieces:
        return self

    async def __anext__(self) -> bytes:
        while self.steps:
            step = self.steps.pop(0)
            if isinstance(step, Exception):
                raise step
            if isinstance(step, bytes):
                self.read += 1
                return step
            try:
                await asyncio.sleep(step)
            except asyncio.CancelledError:
                self.cancelled = True
                raise
        raise StopAsyncIteration

    async def aclose(self) -> None:
        self.closed += 1
        await asyncio.sleep(0.01)  # settling takes a moment


class Client:
    """Both ends of ASGI. `leaves`: when it goes; `takes`: how many messages it takes before it stops reading."""

    def __init__(self, *, leaves: float = FOREVER, takes: int = 1000) -> None:
        self.leaves, self.takes = leaves, takes
        self.sent: list[Any] = []

    async def receive(self) -> Any:
        await asyncio.sleep(max(0.0, self.leaves - asyncio.get_running_loop().time()))
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        if len(self.sent) >= self.takes:
            await asyncio.sleep(FOREVER)
        self.sent.append(message)

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.sent)

    @property
    def ended(self) -> bool:
        """The answer's last message came."""
        return bool(self.sent) and not self.sent[-1].get("more_body", self.sent[-1]["type"] != "http.response.body")


def served(frames: Pieces, client: Client) -> float:
    """Send a stream; returns how long it took."""

    async def play() -> float:
        answer = Answer(content_type="text/event-stream", frames=frames)
        await send_answer(answer, {"x-request-id": "r"}, client.receive, client.send)
        task = asyncio.current_task()
        assert task is not None
        assert not task.cancelling(), "the cancellation of one request reaches the next"
        await asyncio.sleep(0)  # whatever was left behind would strike here
        return asyncio.get_running_loop().time()

    return run_virtual(play())


def test_a_stream_is_sent_piece_by_piece_and_ended() -> None:
    frames, client = Pieces(b"a", 1.0, b"b"), Client()
    served(frames, client)
    assert (client.body, client.ended, frames.closed, frames.cancelled) == (b"ab", True, 1, False)
    head = dict(client.sent[0]["headers"])
    assert (head[b"content-type"], head[b"cache-control"]) == (b"text/event-stream", b"no-cache")
    assert head[b"x-accel-buffering"] == b"no"
    assert b"content-length" not in head


@pytest.mark.parametrize("leaves", [0.0, 5.0, 10.0])
def test_the_work_for_a_client_that_leaves_is_stopped(leaves: float) -> None:
    frames, client = Pieces(b"a", 100.0, b"b"), Client(leaves=leaves)
    took = served(frames, client)
    assert took == pytest.approx(leaves + 0.01)
    assert (frames.closed, frames.cancelled, client.ended) == (1, True, False)


def test_a_client_that_takes_nothing_for_a_minute_counts_as_gone() -> None:
    frames, client = Pieces(b"a", b"b", b"c"), Client(takes=2)
    took = served(frames, client)
    assert 60.0 <= took <= 121.0
    assert (client.body, frames.closed, client.ended) == (b"a", 1, False)


def test_a_long_silence_of_the_provider_is_not_the_clients() -> None:
    frames, client = Pieces(b"a", 500.0, b"b"), Client()
    served(frames, client)
    assert (client.body, client.ended) == (b"ab", True)


def test_a_client_that_is_not_there_for_the_head_leaves_nothing_open() -> None:
    frames, client = Pieces(b"a"), Client(takes=0)
    served(frames, client)
    assert (frames.read, frames.closed, client.sent) == (0, 1, [])


def test_what_cannot_be_completed_is_not_ended_either() -> None:
    """The server breaks the connection of an answer without an end."""
    frames, client = Pieces(b"half a sound", BrokenOff()), Client()
    served(frames, client)
    assert (client.body, client.ended, frames.closed) == (b"half a sound", False, 1)


def test_a_cancellation_from_outside_is_passed_on() -> None:
    """A server that stops is no client that left."""
    frames, client = Pieces(b"a", 100.0), Client()

    async def play() -> None:
        answer = Answer(content_type="text/event-stream", frames=frames)
        serving = asyncio.create_task(send_answer(answer, {}, client.receive, client.send))
        await asyncio.sleep(1.0)
        serving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await serving

    run_virtual(play())
    assert (frames.closed, client.ended) == (1, False)


def test_a_plain_answer_says_how_long_it_is() -> None:
    client = Client()
    run_virtual(send_answer(Answer(body=b"{}", headers={"x-a": "b"}), {"x-c": "d"}, client.receive, client.send))
    assert client.sent[0]["status"] == 200
    assert {(b"content-length", b"2"), (b"x-a", b"b"), (b"x-c", b"d")} <= set(client.sent[0]["headers"])
    assert client.body == b"{}"


# Bodies


class Sending:
    """A client's request: bytes, seconds to wait, None for its leaving."""

    def __init__(self, *steps: bytes | float | None) -> None:
        self.steps = list(steps)

    async def __call__(self) -> Any:
        while True:
            step = self.steps.pop(0)
            if isinstance(step, float):
                await asyncio.sleep(step)
            elif step is None:
                return {"type": "http.disconnect"}
            else:
                return {"type": "http.request", "body": step, "more_body": bool(self.steps)}


def test_a_body_comes_in_one_piece_or_in_many() -> None:
    assert run_virtual(read_body(Sending(b"abc"), {}, 3)) == b"abc"
    assert run_virtual(read_body(Sending(b"a", 50.0, b"b", 50.0, b"c"), {}, 3)) == b"abc"


@pytest.mark.parametrize(
    ("steps", "headers", "status"),
    [
        ((b"abcd",), {}, 413),
        ((b"ab", b"cd", b"e"), {}, 413),
        ((b"ab",), {"content-length": "4"}, 413),
        ((b"ab", None), {}, 400),
        ((None,), {}, 400),
        ((b"ab", 61.0, b"c"), {}, 408),
        ((FOREVER, b"a"), {}, 408),
    ],
)
def test_bodies_that_are_refused(steps: Any, headers: dict[str, str], status: int) -> None:
    with pytest.raises(CallError) as refused:
        run_virtual(read_body(Sending(*steps), headers, 3))
    assert refused.value.fault.status == status


@pytest.mark.parametrize("length", ["²", "-1", "1e9", "abc"])
def test_a_length_that_is_no_number_is_not_believed(length: str) -> None:
    assert run_virtual(read_body(Sending(b"ab"), {"content-length": length}, 3)) == b"ab"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "not valid JSON"),
        (b"{", "not valid JSON"),
        (b"\xff{}", "not valid JSON"),
        (b"[1]", "must be a JSON object"),
        (b'{"a":' + b"[" * 300 + b"]" * 300 + b"}", "levels deep"),
        (b"[" * 100_000, "not valid JSON|nested"),
    ],
)
def test_bodies_that_are_no_request(body: bytes, words: str) -> None:
    with pytest.raises(CallError, match=words):
        parse_json(body)


def test_a_form_is_read_in_its_order() -> None:
    head = {"content-type": "multipart/form-data; boundary=x"}
    body = (
        b'--x\r\nContent-Disposition: form-data; name="model"\r\n\r\nwhisper-1\r\n'
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n'
        b"Content-Type: audio/wav\r\n\r\nRIFF\r\n"
        b"--x--\r\n"
    )
    fields, parts = run_virtual(parse_form(Sending(body[:40], body[40:]), head, 1000))
    assert fields == {"model": "whisper-1"}
    assert [(part.name, part.data, part.filename) for part in parts] == [
        ("model", b"whisper-1", None), ("file", b"RIFF", "a.wav"),
    ]  # fmt: skip


@pytest.mark.parametrize("head", ["multipart/form-data", "multipart/form-data; boundary=\u00e9", "text/plain"])
def test_a_form_without_its_frame_is_refused(head: str) -> None:
    with pytest.raises(CallError) as refused:
        run_virtual(parse_form(Sending(b"--x"), {"content-type": head}, 1000))
    assert refused.value.fault.status == 400
>>>>>>> review
