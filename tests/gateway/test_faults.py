"""Sixteen faults, played by real sockets against the whole gateway: what clients see, who is called, what is booked.

Deadlines are scaled down (a second stands for a minute and less); nothing else is. A case is one fault in one setting;
settings are: the provider alone, a second provider behind it, and one behind it that goes on from a prefill.
"""

from __future__ import annotations

import asyncio
from collections import Counter
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
from tests.fakes.clock import ManualClock
from tests.fakes.upstream import Behaviour, Said, Upstream
from tests.fakes.upstream_wires import text
from tests.gateway.asking import Heard, ask, question
from tests.gateway.running import Line, ledger, nano_reserved, running_gateway

GOOD = does.answer(60)
CONTINUES = does.answer(60, prefill="continue")
REJECTS = does.answer(60, prefill="reject")
FIRST_SECRET, SECOND_SECRET = "sk-first-key-0001", "sk-second-key-0002"
PRICES = {"input_price": 3.0, "output_price": 12.0}
UPSTREAM_NAMES = {"anthropic": "claude-sonnet-4-20250514"}
"""Anthropic's later models no longer take prefills."""
PLAIN, STREAM = False, True


class Case(NamedTuple):
    """One fault in one setting, and all that must come of it."""

    fault: int
    name: str
    first: list[Behaviour]
    second: Behaviour | None = None
    """None: the first provider is alone."""
    prefill: bool = False
    """Whether the second provider is of a kind that takes prefills, as far as the gateway knows."""
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
    Case(
        11, "why it stopped, but no end marker", [does.no_end(stopped=True)], GOOD,
        modes=(STREAM,), provider="first", attempts=1, calls=(1, 0),
    ),
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
        models=(ModelOptions(name="m-1", upstream=UPSTREAM_NAMES.get(kind, ""), **PRICES),),
    )


def gateway(folder, *providers: ProviderOptions, caching: bool = False, **failover: Any) -> GatewayOptions:
    """Options with the issue's failover settings scaled down."""
    deadlines = DeadlineOptions(connect=0.8, first_token=0.8, idle=0.8, answer=0.8, total=8.0)
    breaker = BreakerOptions(failure_threshold=5, reset_timeout=0.2)
    scaled = {"max_retries": 2, "retry_delay": 0.02, "max_delay": 0.3, "deadlines": deadlines, "breaker": breaker}
    return GatewayOptions(
        providers=providers,
        failover=FailoverOptions(**{**scaled, **failover}),
        caching=CacheOptions(enabled=caching, semantic=False),
        state_folder=folder,
    )


PLAYED: Counter[int] = Counter()
"""Settings of each fault that ended as they should."""


@pytest.fixture(scope="module", autouse=True)
def summary(request):
    """One line for people when the faults are over (with one process; several would each know a part)."""
    yield
    capture = request.config.pluginmanager.getplugin("capturemanager")
    if request.session.testscollected >= len(list(each_setting())):
        with capture.global_and_fixture_disabled():
            print(f"\nfaults withstood: {len(PLAYED)} of 16, in {PLAYED.total()} settings")


@pytest.fixture
async def client():
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as session:
        yield session


PREFILL_KINDS = ("groq", "anthropic")


def each_setting():
    for case in CASES:
        for stream in case.modes:
            for kind in PREFILL_KINDS if case.prefill else ("openai-compatible",):
                manner = ("stream" if stream else "plain") if len(case.modes) > 1 else ""
                how = f"{manner} {kind if case.prefill else ''}"
                name = f"{case.fault:02} {case.name} {how}".strip().replace(" ", "-")
                yield pytest.param(case, stream, kind, id=name)


@pytest.mark.parametrize(("case", "stream", "kind"), each_setting())
async def test_a_fault(case, stream, kind, client, tmp_path):
    async with Upstream(case.first) as first, Upstream(case.second) as second:
        providers = [provider("first", "openai-compatible", first, 1, FIRST_SECRET)]
        if case.second is not None:
            providers.append(provider("second", kind, second, 2, SECOND_SECRET))
        async with running_gateway(gateway(tmp_path, *providers)) as running:
            heard = await ask(client, running.chat, question(stream=stream))
    check_answer(case, heard)
    assert (first.count, second.count) == case.calls
    assert heard.headers["x-mrblue-attempts"] == str(case.attempts if not case.prefill else 1)
    assert heard.headers["x-mrblue-provider"] == case.provider
    if case.fault == 1 and case.second is None:
        assert first.calls[1].at - first.calls[0].at >= 0.1, "Retry-After was not honoured"
    told = heard.body.decode() + str(heard.headers)
    assert not any(secret in told for secret in (FIRST_SECRET, SECOND_SECRET, f":{first.port}", f":{second.port}"))
    assert not any(secret in running.log.getvalue() for secret in (FIRST_SECRET, SECOND_SECRET))
    check_books(ledger(tmp_path), {"first": first, "second": second}, case)
    PLAYED[case.fault] += 1


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


def check_books(lines: list[Line], upstreams: dict[str, Upstream], case: Case) -> None:
    """What a provider reported is booked to the token and the nano-dollar; what it could not report is estimated."""
    for name, upstream in upstreams.items():
        exact = [Said(line.input, line.output) for line in lines if line.provider == name and not line.estimated]
        assert exact == upstream.reported
    for line in lines:
        assert line.cost_nano == line.input * 3_000 + line.output * 12_000
        assert line.outcome != "ok" or not line.estimated or not upstreams[line.provider].reported
    good = [line.provider for line in lines if line.outcome == "ok"]
    assert len(good) == (0 if case.broken or case.said is None else 1)


@pytest.mark.parametrize("kind", PREFILL_KINDS)
async def test_a_stream_in_another_shape_is_continued_too(kind, client, tmp_path):
    """Fault 8 for a client of Anthropic's messages: one message, whoever spoke it."""
    async with Upstream(does.cut()) as first, Upstream(CONTINUES) as second:
        options = gateway(tmp_path, *two(first, second, kind))
        async with running_gateway(options) as running:
            asked = {**question(stream=True), "max_tokens": 100}
            heard = await ask(client, f"{running.address}/v1/messages", asked)
    kinds = [event["type"] for event in heard.events]
    deltas = [event["delta"].get("text", "") for event in heard.events if event["type"] == "content_block_delta"]
    assert "".join(deltas) == text(60)
    assert (kinds[0], kinds[-1]) == ("message_start", "message_stop")
    assert (kinds.count("message_start"), kinds.count("content_block_start")) == (1, 1)
    assert (first.count, second.count) == (1, 1)


async def test_a_provider_that_asks_for_time_is_left_alone_until_then(client, tmp_path):
    """Fault 1: Retry-After of 30 s, with somebody else to ask meanwhile."""
    clock = ManualClock()
    async with Upstream([does.rate_limited(30), GOOD]) as first, Upstream(GOOD) as second:
        options = gateway(tmp_path, *two(first, second))
        async with running_gateway(options, clock=clock) as running:
            calls = []
            for seconds in (0, 10, 19, 2):
                clock.advance(seconds)
                assert (await ask(client, running.chat, question())).text == text(60)
                calls.append((first.count, second.count))
    assert calls == [(1, 1), (1, 2), (1, 3), (2, 3)]


def nano_spent(usage: dict[str, Any]) -> int:
    """What `/v1/usage` says was spent today, in nano-dollars."""
    return round(usage["today"]["spent_usd"] * 1e9)


def two(first: Upstream, second: Upstream, kind: str = "openai-compatible") -> tuple[ProviderOptions, ProviderOptions]:
    """The usual two providers, the first preferred."""
    return (
        provider("first", "openai-compatible", first, 1, FIRST_SECRET),
        provider("second", kind, second, 2, SECOND_SECRET),
    )


DEATHS = {"503": does.failing(503), "reset": does.reset(), "429": does.rate_limited()}


@pytest.mark.parametrize("stream", [PLAIN, STREAM], ids=["plain", "stream"])
@pytest.mark.parametrize("death", ["503", "reset"])
async def test_an_outage_of_a_minute_under_twenty_requests(death, stream, client, tmp_path):
    """Fault 15, on a clock of its own: 20 requests, one every 3 s, with a breaker of 5 failures and 20 s."""
    clock = ManualClock()
    outage = does.Outage(GOOD, DEATHS[death])
    states = []
    async with Upstream(outage) as first, Upstream(GOOD) as second:
        options = gateway(
            tmp_path, *two(first, second), breaker=BreakerOptions(failure_threshold=5, reset_timeout=20.0)
        )
        async with running_gateway(options, clock=clock) as running:
            for _ in range(20):
                heard = await ask(client, running.chat, question(stream=stream))
                assert (heard.text, heard.headers["x-mrblue-provider"]) == (text(60), "second")
                states.append(running.breaker("first"))
                clock.advance(3.0)
            dead_calls = first.count
            outage.down = False
            clock.advance(20.0)
            assert running.breaker("first") == "half-open"
            back = await ask(client, running.chat, question(stream=stream))
            assert running.breaker("first") == "closed"
    # Five until the breaker opens at 12 s, then one probe in 20 s: at 33 s and at 54 s.
    assert dead_calls == 7
    assert states[3:5] == ["closed", "open"]
    assert second.count == 20
    assert back.headers["x-mrblue-provider"] == "first"
    assert first.count == 8
    PLAYED[15] += 1


async def test_an_outage_under_twenty_requests_at_once(client, tmp_path):
    """Fault 15 in a crowd: all may go out before the first failure is known; then none is sent."""
    async with Upstream(does.reset()) as first, Upstream(GOOD) as second:
        options = gateway(
            tmp_path, *two(first, second), breaker=BreakerOptions(failure_threshold=5, reset_timeout=60.0)
        )
        async with running_gateway(options) as running:
            heard = await asyncio.gather(*(ask(client, running.chat, question()) for _ in range(20)))
            crowd = first.count
            more = [await ask(client, running.chat, question()) for _ in range(20)]
            assert running.breaker("first") == "open"
    assert {one.text for one in (*heard, *more)} == {text(60)}
    assert crowd <= 20
    assert first.count == crowd
    assert second.count == 40


@pytest.mark.parametrize("death", list(DEATHS))
async def test_with_everybody_down_the_answer_comes_at_once(death, client, tmp_path):
    """When every breaker is open (or every key rests) nothing is sent, and the client hears when to come back."""
    clock = ManualClock()
    async with Upstream(DEATHS[death]) as first:
        only = provider("first", "openai-compatible", first, 1, FIRST_SECRET)
        breaker = BreakerOptions(failure_threshold=3, reset_timeout=30.0)
        async with running_gateway(gateway(tmp_path, only, breaker=breaker), clock=clock) as running:
            heard = [await ask(client, running.chat, question()) for _ in range(2)]
            before = first.count
            last = await ask(client, running.chat, question())
    assert before == first.count, "a provider that is down was called"
    assert {one.status for one in (*heard, last)} <= {429, 502, 503}
    assert last.error["message"]
    assert float(last.headers["retry-after"]) >= 1


async def test_the_books_are_right_after_every_kind_of_failover(client, tmp_path):
    """Fault 16: failures, a continued stream, a refusal and good answers; every line against what was reported."""
    script = [
        does.failing(503), does.cut(), does.answer(7), does.rate_limited(), does.answer(9, cached=4),
        does.stall(30), does.content_filter(), does.answer(11),
    ]  # fmt: skip
    clock = ManualClock()
    statuses = []
    async with Upstream(script) as first, Upstream(CONTINUES) as second:
        options = gateway(tmp_path, *two(first, second, "anthropic"))
        async with running_gateway(options, clock=clock) as running:
            for number in range(len(script)):
                clock.advance(120.0)  # nobody rests any more
                heard = await ask(client, running.chat, question(stream=number % 2 == 1))
                statuses.append((heard.status, heard.headers["x-mrblue-provider"]))
            async with client.get(f"{running.address}/v1/usage") as answer:
                usage = await answer.json()
    assert statuses == [
        (200, "second"), (200, "first"), (200, "first"), (200, "second"), (200, "first"),
        (200, "first"), (400, "first"), (200, "first"),
    ]  # fmt: skip
    assert first.count == len(script)
    lines = ledger(tmp_path)
    for name, upstream in (("first", first), ("second", second)):
        exact = [Said(line.input, line.output) for line in lines if line.provider == name and not line.estimated]
        assert exact == [Said(said.input, said.output) for said in upstream.reported]
    broken = [line for line in lines if line.estimated]
    assert [(line.provider, line.outcome, line.output) for line in broken] == [
        ("first", "failed", 40),
        ("first", "failed", 30),
    ]
    assert [line.provider for line in lines if line.outcome == "ok"].count("second") == 4
    assert nano_spent(usage) == sum(line.cost_nano for line in lines)
    assert nano_reserved(tmp_path) == 0
    PLAYED[16] += 1


async def test_what_broke_is_never_cached(client, tmp_path):
    """A half answer and an error are asked for anew; a whole one is then remembered."""
    script = [does.cut(), does.failing(400), does.answer(60), does.failing(500)]
    async with Upstream(script) as first:
        only = provider("first", "openai-compatible", first, 1, FIRST_SECRET)
        async with running_gateway(gateway(tmp_path, only, caching=True, max_retries=0)) as running:
            heard = [await ask(client, running.chat, question(stream=True)) for _ in range(4)]
    assert [one.status for one in heard] == [200, 400, 200, 200]
    assert [one.done for one in heard if one.streamed] == [False, True, True]
    assert heard[3].headers["x-mrblue-cache"].startswith("hit-exact")
    assert heard[3].text == text(60)
    assert first.count == 3


def test_all_sixteen_faults_are_played():
    """The table has the first fourteen; outage and accounting are played above."""
    assert {case.fault for case in CASES} == set(range(1, 15))
