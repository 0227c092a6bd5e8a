"""Two gateways and a real Redis: cache, budget, limits and breakers are one; losing it costs a warning, no request."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import aiohttp
import msgspec

from mrblue_cli.gateway.access.keys import KeyStore
from mrblue_cli.gateway.options import (
    BreakerOptions,
    BudgetOptions,
    CacheOptions,
    FailoverOptions,
    GatewayOptions,
    KeyOptions,
    ModelOptions,
    ProviderOptions,
)
from tests.fakes import upstream_behaviours as does
from tests.fakes.upstream import Upstream
from tests.fakes.upstream_wires import text
from tests.gateway.asking import ask, question
from tests.gateway.redis_server import RedisServer, needs_redis
from tests.gateway.running import RunningGateway, running_gateway

pytestmark = needs_redis


def options(folder: Path, redis_url: str, upstream: Upstream, **more: object) -> GatewayOptions:
    """A gateway whose one call costs 12 * 3 + 10 * 12 = 156 millionths of a dollar."""
    model = ModelOptions(name="m-1", input_price=3.0, output_price=12.0)
    made = GatewayOptions(
        providers=(
            ProviderOptions(
                name="p",
                kind="openai-compatible",
                base_url=upstream.url,
                keys=(KeyOptions(secret="k"),),
                models=(model,),
            ),
        ),
        caching=CacheOptions(semantic=False),
        failover=FailoverOptions(
            max_retries=0, retry_delay=0.01, breaker=BreakerOptions(failure_threshold=2, reset_timeout=30.0)
        ),
        state_folder=folder,
        redis_url=redis_url,
    )
    return msgspec.structs.replace(made, **more)


@contextlib.asynccontextmanager
async def pair(
    tmp_path: Path, redis_url: str, upstream: Upstream, **more: object
) -> AsyncIterator[tuple[RunningGateway, RunningGateway, aiohttp.ClientSession]]:
    """Two gateways with a state folder each, as on two machines."""
    async with (
        running_gateway(options(tmp_path / "one", redis_url, upstream, **more)) as one,
        running_gateway(options(tmp_path / "two", redis_url, upstream, **more)) as two,
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=20)) as client,
    ):
        yield one, two, client


async def until(condition: Callable[[], bool], seconds: float = 15.0) -> None:
    """Wait for something that another task brings about."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.02)


async def test_what_one_has_asked_the_other_knows(tmp_path: Path, redis_server: RedisServer) -> None:
    async with Upstream(does.answer(10)) as upstream, pair(tmp_path, redis_server.url, upstream) as (one, two, client):
        first = await ask(client, one.chat, question())
        again = await ask(client, two.chat, question(stream=True))
    assert first.headers["x-mrblue-cache"].startswith("miss;")
    assert again.headers["x-mrblue-cache"].startswith("hit-exact;")
    assert again.text == text(10)
    assert again.done
    assert upstream.count == 1


async def test_the_budget_is_one_over_both(tmp_path: Path, redis_server: RedisServer) -> None:
    asked = question(max_tokens=10)
    budget = BudgetOptions(daily_limit=0.0006)
    async with (
        Upstream(does.answer(10)) as upstream,
        pair(tmp_path, redis_server.url, upstream, budget=budget, caching=CacheOptions(enabled=False)) as (
            one,
            two,
            client,
        ),
    ):
        statuses = [(await ask(client, where.chat, asked)).status for where in (one, two, one, two, one, two)]
        refused = await ask(client, two.chat, asked)
    served = statuses.count(200)
    assert 2 <= served <= 3, "the limit holds 3.8 calls, and what a call may cost at most is set aside before it"
    assert statuses == [200] * served + [429] * (6 - served)
    assert upstream.count == served
    assert refused.error is not None
    assert refused.error["code"] == "budget_exceeded"
    assert int(refused.headers["retry-after"]) > 0
    assert refused.headers["x-should-retry"] == "false"


async def test_a_keys_rate_limit_is_one_over_both(tmp_path: Path, redis_server: RedisServer) -> None:
    async with Upstream(does.answer(5)) as upstream, pair(tmp_path, redis_server.url, upstream) as (one, two, client):
        store = KeyStore(tmp_path / "one" / "gateway.sqlite3")
        caller, token = store.create("team", requests_per_minute=3)
        exported = store.export()
        store.close()
        second = KeyStore(tmp_path / "two" / "gateway.sqlite3")
        second.create("someone else")
        assert second.take_in(exported).added == 1
        second.close()
        heard = [
            await ask(client, where.chat, question(said=f"{n}?"), authorization=f"Bearer {token}")
            for n, where in enumerate((one, two, one, two))
        ]
    assert [one.status for one in heard] == [200, 200, 200, 429]
    assert heard[0].headers["x-ratelimit-limit-requests"] == "3"
    assert heard[2].headers["x-ratelimit-remaining-requests"] == "0"
    assert heard[3].error is not None
    assert heard[3].error["code"] == "rate_limit_exceeded"
    assert caller.name == "team"


async def test_a_provider_found_dead_by_one_is_left_alone_by_the_other(
    tmp_path: Path, redis_server: RedisServer
) -> None:
    async with (
        Upstream(does.failing(503)) as upstream,
        pair(tmp_path, redis_server.url, upstream, caching=CacheOptions(enabled=False)) as (one, two, client),
    ):
        for _ in range(2):
            await ask(client, one.chat, question())
        assert one.breaker("p") == "open"
        await until(lambda: two.breaker("p") == "open")
        heard = await ask(client, two.chat, question())
    assert heard.status == 503
    assert heard.error is not None
    assert heard.error["code"] == "providers_unavailable"
    assert upstream.count == 2, "the second gateway never called it"


async def test_a_lost_redis_costs_one_warning_and_no_request(tmp_path: Path, redis_server: RedisServer) -> None:
    async with Upstream(does.answer(10)) as upstream, pair(tmp_path, redis_server.url, upstream) as (one, two, client):
        await ask(client, one.chat, question())
        redis_server.stop()
        heard = [await ask(client, where.chat, question(said=f"{n}?")) for n in range(4) for where in (one, two)]
        assert [one.status for one in heard] == [200] * 8
        assert one.log.getvalue().count("warning") == 1, one.log.getvalue()
        assert "redis" in one.log.getvalue().lower()
        redis_server.start()
        await until(lambda: "back" in one.log.getvalue() and "back" in two.log.getvalue())
        await ask(client, one.chat, question(said="after?"))
        again = await ask(client, two.chat, question(said="after?"))
    assert again.headers["x-mrblue-cache"].startswith("hit-exact;")
