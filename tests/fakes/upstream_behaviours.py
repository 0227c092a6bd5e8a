"""What an upstream may do with a call: answer, and every way of not answering.

Waiting is never done by the clock: a silent upstream stays silent until the caller hangs up.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable
from typing import Literal

from tests.fakes.upstream import GONE, Behaviour, Exchange, Said
from tests.fakes.upstream_wires import Wire, prefill, tells_usage, text, tokens, wire_of

INPUT = 12
"""Tokens of every prompt, as this upstream counts them."""
Prefill = Literal["continue", "reject", "ignore"]
PING = b": still working\n\n"
PACE = 0.02
"""Seconds between the pings of a slow upstream."""


def answer(
    count: int = 5, *, finish: str = "stop", cached: int = 0, prefill: Prefill = "ignore", pace: float = 0.0
) -> Behaviour:
    """The answer of `count` tokens, streamed when asked so. `pace`: seconds before each token.

    prefill: what a last assistant message does: it is continued exactly, refused with 400, or not noticed.
    """

    async def behave(exchange: Exchange):
        if (words := await _words(exchange, count, prefill)) is None:
            return
        usage = Said(INPUT + (count - len(words)), len(words), cached)
        if not exchange.asked.json.get("stream"):
            exchange.report(usage)
            await exchange.send(200, wire_of(exchange.asked).plain("".join(words), usage, finish))
            return
        wire = wire_of(exchange.asked).stream(words, usage, finish, exchange.asked)
        await exchange.begin()
        await exchange.write(wire.head)
        for token in wire.tokens:
            if pace:
                await asyncio.sleep(pace)
            await exchange.write(token)
        if tells_usage(exchange.asked):
            exchange.report(usage)
        for part in wire.tail:
            await exchange.write(part)
        await exchange.end()

    return behave


async def _words(exchange: Exchange, count: int, manner: Prefill) -> list[str] | None:
    """The tokens to say; None when the call was refused."""
    begun = prefill(exchange.asked)
    if not begun or manner == "ignore":
        return tokens(count)
    if manner == "reject" or begun != begun.rstrip():
        # Anthropic refuses trailing white space even where it takes a prefill.
        await failing(400, message="This model does not support assistant message prefill.")(exchange)
        return None
    whole = text(count)
    if not whole.startswith(begun):
        await failing(400, message=f"prefill is not what the first upstream said: {begun[-40:]!r}")(exchange)
        return None
    rest = whole[len(begun) :]
    words = rest.split(" ")
    return [word for word in (words[0], *(f" {word}" for word in words[1:])) if word]


def failing(
    status: int,
    *,
    retry_after: float | None = None,
    code: str | None = None,
    kind: str = "server_error",
    message: str = "The upstream says no.",
) -> Behaviour:
    """An error. `retry_after`, seconds: whole ones go out as Retry-After, parts of one as OpenAI's retry-after-ms."""

    async def behave(exchange: Exchange):
        headers = {}
        if retry_after is not None:
            whole = retry_after == int(retry_after)
            headers = {"retry-after": str(int(retry_after))} if whole else {"retry-after-ms": f"{retry_after * 1000:g}"}
        await exchange.send(status, wire_of(exchange.asked).error(status, kind, code, message), headers)

    return behave


def rate_limited(retry_after: float | None = None) -> Behaviour:
    """429."""
    said = "Rate limit reached for requests"
    return failing(429, retry_after=retry_after, code="rate_limit_exceeded", kind="requests", message=said)


def context_too_long() -> Behaviour:
    """400 as OpenAI says it."""
    said = "This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens."
    return failing(400, code="context_length_exceeded", kind="invalid_request_error", message=said)


def content_filter() -> Behaviour:
    """400 as Azure says it."""
    said = "The response was filtered due to the prompt triggering content management policy."
    return failing(400, code="content_filter", kind="invalid_request_error", message=said)


def reset() -> Behaviour:
    """TCP reset instead of an answer."""
    return Exchange.reset


def silence() -> Behaviour:
    """Takes the call and says nothing."""
    return Exchange.gone


def slow_first_token() -> Behaviour:
    """Head and role at once, then signs of life, and never a token. Plain answers: nothing at all."""

    async def then(exchange: Exchange, _: Wire):
        await _pings(exchange)

    async def behave(exchange: Exchange):
        await (_partial(0, 60, then) if exchange.asked.json.get("stream") else Exchange.gone)(exchange)

    return behave


async def _pings(exchange: Exchange):
    """Comments until the caller hangs up; they prove that the connection is alive, and no more."""
    leaving = asyncio.ensure_future(exchange.gone())
    try:
        while not leaving.done():
            await exchange.write(PING)
            await asyncio.wait([leaving], timeout=PACE)
    except GONE:
        pass
    finally:
        leaving.cancel()


def _partial(after: int, of: int, then: Callable[[Exchange, Wire | None], Awaitable[None]]) -> Behaviour:
    """A stream that goes well for `after` tokens, those of a prefill counted. A plain answer loses the same part."""

    async def behave(exchange: Exchange):
        usage = Said(INPUT, of)
        if not exchange.asked.json.get("stream"):
            body = wire_of(exchange.asked).plain(text(of), usage, "stop")
            await exchange.send(200, body[: len(body) * after // (of + 1)], {"content-length": str(len(body))})
            await (then if then in (_hang_up, _reset, _stay) else _hang_up)(exchange, None)
            return
        if (words := await _words(exchange, of, "continue")) is None:
            return
        wire = wire_of(exchange.asked).stream(words, usage, "stop", exchange.asked)
        await exchange.begin()
        await exchange.write(wire.head)
        begun = of - len(words)
        for token in wire.tokens[: max(0, after - begun)]:
            await exchange.write(token)
        await then(exchange, wire)

    return behave


async def _hang_up(exchange: Exchange, _: Wire | None):
    await exchange.hang_up()


async def _reset(exchange: Exchange, _: Wire | None):
    await exchange.reset()


async def _stay(exchange: Exchange, _: Wire | None):
    await exchange.gone()


def cut(after: int = 40, of: int = 60, *, how: Literal["close", "reset"] = "close") -> Behaviour:
    """The connection ends in the middle of the answer."""

    return _partial(after, of, _hang_up if how == "close" else _reset)


def stall(after: int = 20, of: int = 60) -> Behaviour:
    """The connection stays and nothing more comes."""

    return _partial(after, of, _stay)


def broken_chunk(after: int = 20, of: int = 60) -> Behaviour:
    """An event that is no JSON; then the stream goes on as if nothing had been."""

    async def then(exchange: Exchange, wire: Wire):
        await exchange.write((wire.tokens or wire.tail)[-1][:-9] + b"\n\n")
        for part in wire.tail:
            await exchange.write(part)
        await exchange.end()

    return _partial(after, of, then)


def no_end(after: int = 60, of: int = 60, *, stopped: bool = False) -> Behaviour:
    """HTTP ends as it should, but the stream lacks its end marker, and (but for `stopped`) why the model stopped."""

    async def then(exchange: Exchange, wire: Wire):
        if stopped:
            await exchange.write(wire.tail[0])
        await exchange.end()

    return _partial(after, of, then)


def error_event(after: int = 20, of: int = 60) -> Behaviour:
    """The provider reports its own failure inside the stream."""

    async def then(exchange: Exchange, _: Wire):
        error = {"error": {"message": "The server had an error", "type": "server_error", "code": None, "param": None}}
        await exchange.write(b"data: " + json.dumps(error).encode() + b"\n\n")
        await exchange.end()

    return _partial(after, of, then)


class Outage:
    """Dead while `down`, with the behaviour `dead`, else `alive`."""

    def __init__(self, alive: Behaviour, dead: Behaviour):
        self.alive, self.dead, self.down = alive, dead, True

    async def __call__(self, exchange: Exchange):
        await (self.dead if self.down else self.alive)(exchange)


def embeddings(dimensions: int = 8) -> Behaviour:
    """Vectors that follow from the text; one token a word."""

    async def behave(exchange: Exchange):
        asked = exchange.asked.json
        texts = [asked["input"]] if isinstance(asked["input"], str) else asked["input"]
        rows = [
            {
                "object": "embedding",
                "index": n,
                "embedding": [byte / 255 for byte in hashlib.sha256(said.encode()).digest()[:dimensions]],
            }
            for n, said in enumerate(texts)
        ]
        used = sum(len(said.split()) for said in texts)
        exchange.report(Said(used, 0))
        usage = {"prompt_tokens": used, "total_tokens": used}
        said = {"object": "list", "data": rows, "model": asked["model"], "usage": usage}
        await exchange.send(200, json.dumps(said).encode())

    return behave


def speech(sound: bytes = b"ID3 sound", kind: str = "audio/mpeg") -> Behaviour:
    """Bytes of sound."""

    async def behave(exchange: Exchange):
        await exchange.send(200, sound, {"content-type": kind})

    return behave


def transcription(heard: str = "port already in use") -> Behaviour:
    """What was heard, with usage by tokens."""

    async def behave(exchange: Exchange):
        exchange.report(Said(INPUT, 5))
        usage = {"type": "tokens", "input_tokens": INPUT, "output_tokens": 5, "total_tokens": INPUT + 5}
        await exchange.send(200, json.dumps({"text": heard, "usage": usage}).encode())

    return behave
