"""Sixteen faults, played by real sockets against the whole gateway: what the client sees, who is called, what is booked.

Deadlines are scaled down (a second stands for a minute and less); nothing else is. A case is one fault in one setting;
settings are: the provider alone, a second provider behind it, and one behind it that goes on from a prefill.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import aiohttp
import pytest

from mrblue_cli.gateway.options import (
    BreakerOptions,
    CacheOptions,
    DeadlineOptions,
    FailoverOptions,
    GatewayOptions,
    KeyOptions,
    ModelOptions,
    ProviderOptions,
)
from tests.fakes import upstream_behaviours as does
from tests.fakes.upstream import Behaviour, Upstream
from tests.fakes.upstream_wires import text
from tests.gateway.running import Heard, ask, question, running_gateway

GOOD = does.answer(60)
CONTINUES = does.answer(60, prefill="continue")
REJECTS = does.answer(60, prefill="reject")
FIRST_SECRET, SECOND_SECRET = "sk-first-key-0001", "sk-second-key-0002"
PRICES = {"input_price": 3.0, "output_price": 12.0}
PLAIN, STREAM = False, True


class Case(NamedTuple):
    """One fault in one setting, and all that must come of it."""

    fault: int
    name: str
    first: list[Behaviour]
    second: Behaviour | None = None
    """None: the first provider is alone."""
    prefill: bool = False
    """Whether the second provider is one that takes prefills (Anthropic), as far as the gateway knows."""
    modes: tuple[bool, ...] = (PLAIN, STREAM)
    status: int = 200
    provider: str = "second"
    attempts: int = 2
    calls: tuple[int, int] = (1, 1)
    said: int | None = 60
    """Tokens the client has at the end; None: no answer at all."""
    code: str | None = None
    """Of the error; None: not looked at."""
    broken: bool = False
    """The stream ends with an error event."""
    finish: str = "stop"


ONCE = (does.failing(500), GOOD)
ALONE: dict[str, Any] = {"provider": "first", "calls": (2, 0)}
FAILS: dict[str, Any] = {"provider": "first", "said": None, "attempts": 3, "calls": (3, 0)}
REFUSED: dict[str, Any] = {"status": 400, "provider": "first", "said": None, "attempts": 1, "calls": (1, 0)}
HALF: dict[str, Any] = {"modes": (STREAM,), "provider": "first", "broken": True}
RESUMED: dict[str, Any] = {"modes": (STREAM,), "prefill": True, "provider": "first"}

CASES = [
    Case(1, "429 with Retry-After, waited for", [does.rate_limited(0.1), GOOD], **ALONE),
    Case(1, "429 with Retry-After, a second provider", [does.rate_limited(30)], GOOD),
    Case(2, "429 for ever, alone", [does.rate_limited()], **FAILS, status=429),
    Case(2, "429 for ever, a second provider", [does.rate_limited()], GOOD),
    Case(3, "500 once, alone", [*ONCE], **ALONE),
    Case(3, "500 once, a second provider", [*ONCE], GOOD),
    Case(4, "503 for ever, alone", [does.failing(503)], **FAILS, status=503),
    Case(4, "503 for ever, a second provider", [does.failing(503)], GOOD),
    Case(5, "reset once, alone", [does.reset(), GOOD], **ALONE),
    Case(5, "reset for ever, alone", [does.reset()], **FAILS, status=502),
    Case(5, "reset, a second provider", [does.reset()], GOOD),
    Case(6, "silence, alone, then well", [does.silence(), GOOD], **ALONE),
    Case(6, "silence, a second provider", [does.silence()], GOOD),
    Case(7, "signs of life and no token, a second provider", [does.slow_first_token()], GOOD),
    Case(7, "signs of life and no token, alone, then well", [does.slow_first_token(), GOOD], **ALONE),
    Case(8, "cut before the first token", [does.cut(0)], GOOD, modes=(STREAM,)),
    Case(8, "cut after 40 of 60, nobody to go on", [does.cut()], GOOD, **HALF, said=40, attempts=1, calls=(1, 0)),
    Case(8, "cut after 40 of 60, plain", [does.cut()], GOOD, modes=(PLAIN,)),
    Case(8, "cut after 40 of 60, continued", [does.cut()], CONTINUES, **RESUMED),
    Case(9, "stall, nobody to go on", [does.stall()], GOOD, **HALF, said=20, attempts=1, calls=(1, 0)),
    Case(9, "stall, plain", [does.stall()], GOOD, modes=(PLAIN,)),
    Case(9, "stall, continued", [does.stall()], CONTINUES, **RESUMED),
    Case(10, "broken chunk, nobody to go on", [does.broken_chunk()], GOOD, **HALF, said=20, attempts=1, calls=(1, 0)),
    Case(10, "broken first chunk", [does.broken_chunk(0)], GOOD, modes=(STREAM,)),
    Case(10, "broken body, plain", [does.broken_chunk()], GOOD, modes=(PLAIN,)),
    Case(10, "broken chunk, continued", [does.broken_chunk()], CONTINUES, **RESUMED),
    Case(10, "an error inside the stream", [does.error_event()], CONTINUES, **RESUMED),
    Case(11, "no end marker, nobody to go on", [does.no_end()], GOOD, **HALF, said=60, attempts=1, calls=(1, 0)),
    Case(11, "no end marker, continued", [does.no_end(50)], CONTINUES, **RESUMED),
    Case(12, "context too long", [does.context_too_long()], GOOD, **REFUSED, code="context_length_exceeded"),
    Case(13, "content filter", [does.content_filter()], GOOD, **REFUSED, code="content_filter"),
    Case(
        13, "filtered at the end", [does.answer(9, finish="content_filter")], GOOD,
        provider="first", attempts=1, calls=(1, 0), said=9, finish="content_filter",
    ),
    Case(14, "cut, the prefill is rejected", [does.cut()], REJECTS, **HALF, prefill=True, said=40, calls=(1, 1)),
]  # fmt: skip


def provider(name: str, kind: str, upstream: Upstream, priority: int, secret: str) -> ProviderOptions:
    """A provider with the one model that all have."""
    return ProviderOptions(
        name=name,
        kind=kind,
        priority=priority,
        base_url=upstream.url,
        keys=(KeyOptions(secret=secret),),
        models=(ModelOptions(name="m-1", **PRICES),),
    )


def gateway(folder, *providers: ProviderOptions, caching: bool = False, **failover: Any) -> GatewayOptions:
    """Options with the issue's failover settings scaled down."""
    deadlines = DeadlineOptions(connect=0.4, first_token=0.4, idle=0.4, answer=0.4, total=5.0)
    breaker = BreakerOptions(failure_threshold=5, reset_timeout=0.2)
    scaled = {"max_retries": 2, "retry_delay": 0.02, "max_delay": 0.3, "deadlines": deadlines, "breaker": breaker}
    return GatewayOptions(
        providers=providers,
        failover=FailoverOptions(**{**scaled, **failover}),
        caching=CacheOptions(enabled=caching, semantic=False),
        state_folder=folder,
    )


@pytest.fixture
async def client():
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as session:
        yield session


def each_mode():
    for case in CASES:
        for stream in case.modes:
            manner = ("stream" if stream else "plain") if len(case.modes) > 1 else ""
            yield pytest.param(case, stream, id=f"{case.fault:02}-{case.name} {manner}".strip().replace(" ", "-"))


@pytest.mark.parametrize(("case", "stream"), each_mode())
async def test_a_fault(case, stream, client, tmp_path):
    async with Upstream(case.first) as first, Upstream(case.second) as second:
        kind = "anthropic" if case.prefill else "openai-compatible"
        providers = [provider("first", "openai-compatible", first, 1, FIRST_SECRET)]
        if case.second is not None:
            providers.append(provider("second", kind, second, 2, SECOND_SECRET))
        async with running_gateway(gateway(tmp_path, *providers)) as address:
            heard = await ask(client, f"{address}/v1/chat/completions", question(stream=stream))
    check_answer(case, heard)
    assert (first.count, second.count) == case.calls
    assert heard.headers["x-mrblue-attempts"] == str(case.attempts if not case.prefill else 1)
    assert heard.headers["x-mrblue-provider"] == case.provider
    if case.fault == 1 and case.second is None:
        assert first.calls[1].at - first.calls[0].at >= 0.1, "Retry-After was not honoured"
    spoken = heard.body.decode() + str(heard.headers)
    assert not any(secret in spoken for secret in (FIRST_SECRET, SECOND_SECRET, str(first.port), str(second.port)))


def check_answer(case: Case, heard: Heard) -> None:
    """Status and content; a half answer must be told as one, and nothing else may be."""
    assert (heard.status, heard.broken) == (case.status, "")
    if case.said is None:
        assert not heard.streamed
        assert set(heard.error) >= {"message", "type", "code", "param"}
        assert case.code in (None, heard.error["code"])
        return
    assert heard.text == text(case.said)
    if case.broken:
        assert heard.error, "a half answer that looks like a whole one"
        assert set(heard.error) >= {"message", "type", "code", "param"}
        assert (heard.done, heard.finish) == (False, None)
        return
    assert heard.error is None
    assert heard.finish == case.finish
    assert heard.done or not heard.streamed
