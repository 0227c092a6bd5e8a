"""Answers and bodies on bare ASGI: clients that leave, that read nothing or send nothing, and what is left then."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from mrblue_cli.gateway.answers import Answer, BrokenOff
from mrblue_cli.gateway.model import CallError
from mrblue_cli.gateway.server.http import parse_json, read_body, send_answer
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
