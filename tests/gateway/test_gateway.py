"""The gateway as one object, over real sockets: reloads under way, connections kept, what is listed for whom."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import sqlite3

import aiohttp
import msgspec
import pytest

from mrblue_cli.core.errors import ConfigError
from mrblue_cli.core.ids import RandomIds
from mrblue_cli.gateway.access.keys import Caller
from mrblue_cli.gateway.model import FaultKind
from mrblue_cli.gateway.options import DeadlineOptions, KeyOptions, ModelOptions
from mrblue_cli.gateway.server.realtime_door import GatewayDoor
from tests.fakes import upstream_behaviours as does
from tests.fakes.upstream import Exchange, Upstream
from tests.fakes.upstream_wires import text, wire_of
from tests.gateway.asking import ask, question
from tests.gateway.running import ledger, nano_reserved, running_gateway
from tests.gateway.test_faults import FIRST_SECRET, gateway, provider

PATIENT = DeadlineOptions(first_token=5.0, idle=5.0, answer=5.0, total=9.0)


@pytest.fixture
async def client():
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as session:
        yield session


class Held:
    """An answer of 60 tokens whose second half, and whose HTTP end, wait for `go`."""

    def __init__(self, at: int = 30) -> None:
        self.at = at
        self.begun, self.go = asyncio.Event(), asyncio.Event()

    async def __call__(self, exchange: Exchange) -> None:
        words = text(60).split(" ")
        spoken = [words[0], *(f" {word}" for word in words[1:])]
        wire = wire_of(exchange.asked).stream(spoken, does.Said(12, 60), "stop", exchange.asked)
        await exchange.begin()
        parts = [wire.head, *wire.tokens, *wire.tail]
        for part in parts[: self.at]:
            await exchange.write(part)
        self.begun.set()
        await self.go.wait()
        for part in parts[self.at :]:
            await exchange.write(part)
        await exchange.end()


async def test_a_reload_changes_the_pool_under_a_request(client, tmp_path):
    """Two keys become one while a stream runs: it ends as it began, and nobody is sent to the key that is gone."""
    held = Held()
    async with Upstream([held, does.answer(60)]) as first:
        before = provider("first", "openai-compatible", first, 1, FIRST_SECRET)
        both = (KeyOptions(secret="sk-gone-key-00001", weight=1e9), KeyOptions(secret="sk-kept-key-00002", weight=1e-9))
        two = msgspec.structs.replace(before, keys=both)
        one = msgspec.structs.replace(before, keys=both[1:])
        options = gateway(tmp_path, two, deadlines=PATIENT)
        async with running_gateway(options) as running:
            streaming = asyncio.create_task(ask(client, running.chat, question(stream=True)))
            await asyncio.wait_for(held.begun.wait(), 5)
            await running.gateway.reload(msgspec.structs.replace(options, providers=(one,)))
            held.go.set()
            heard = await streaming
            more = [await ask(client, running.chat, question()) for _ in range(4)]
            running.nobody_waits()
        keys = [asked.headers["authorization"].removeprefix("Bearer ") for asked in first.calls]
    assert (heard.text, heard.done) == (text(60), True)
    assert [each.status for each in more] == [200] * 4
    assert keys == ["sk-gone-key-00001", *["sk-kept-key-00002"] * 4]
    assert [line.outcome for line in ledger(tmp_path)] == ["ok"] * 5
    assert nano_reserved(tmp_path) == 0


async def test_a_key_that_was_corrected_is_used_at_once(client, tmp_path):
    """The old one rests for a minute; the new one has done nothing wrong."""

    def by_key(asked):
        return does.answer(60) if asked.headers["authorization"] == "Bearer sk-good" else does.failing(401)

    async with Upstream(choose=by_key) as first:
        bad = provider("first", "openai-compatible", first, 1, "sk-typo")
        options = gateway(tmp_path, bad)
        async with running_gateway(options) as running:
            refused = [(await ask(client, running.chat, question())).status for _ in range(2)]
            good = msgspec.structs.replace(bad, keys=(KeyOptions(secret="sk-good"),))
            await running.gateway.reload(msgspec.structs.replace(options, providers=(good,)))
            assert (await ask(client, running.chat, question())).status == 200
    assert refused == [502, 503]
    assert first.count == 2


async def test_the_time_to_connect_follows_a_reload(tmp_path):
    async with Upstream(does.answer(5)) as first:
        options = gateway(tmp_path, provider("first", "openai-compatible", first, 1, FIRST_SECRET))
        async with running_gateway(options) as running:
            deadlines = msgspec.structs.replace(options.failover.deadlines, connect=7.5)
            failover = msgspec.structs.replace(options.failover, deadlines=deadlines)
            await running.gateway.reload(msgspec.structs.replace(options, failover=failover))
            assert running.gateway.upstream.connect_timeout == 7.5


async def test_a_stream_leaves_its_connection_to_the_next(client, tmp_path):
    """Also when HTTP's own end comes a moment after the end mark."""
    late = Held(at=60 + 4)  # all but the framing
    async with Upstream([late, does.answer(60)]) as first:
        only = provider("first", "openai-compatible", first, 1, FIRST_SECRET)
        async with running_gateway(gateway(tmp_path, only)) as running:
            one = await ask(client, running.chat, question(stream=True))
            assert one.done, "the client has its answer before the framing ends"
            late.go.set()
            async with asyncio.timeout(5):
                while running.gateway.upstream._lingering:
                    await asyncio.sleep(0)
            two = await ask(client, running.chat, question(stream=True))
    assert two.text == text(60)
    assert first.connections == 1


async def test_a_framing_that_never_ends_keeps_no_connection(client, tmp_path):
    late = Held(at=60 + 4)
    async with Upstream([late, does.answer(60)]) as first:
        only = provider("first", "openai-compatible", first, 1, FIRST_SECRET)
        async with running_gateway(gateway(tmp_path, only)) as running:
            assert (await ask(client, running.chat, question(stream=True))).done
            assert (await ask(client, running.chat, question(stream=True))).done
        assert first.connections == 2
        late.go.set()


async def test_a_compressed_answer_is_bounded_by_what_comes_out_of_it(client, tmp_path):
    """The length in the head is that of the packed bytes; the read one is counted as it grows."""

    async def packed(exchange: Exchange) -> None:
        body = wire_of(exchange.asked).plain(text(60), does.Said(12, 60), "stop")
        await exchange.send(200, gzip.compress(body), {"content-encoding": "gzip"})

    async with Upstream(packed) as first:
        only = provider("first", "openai-compatible", first, 1, FIRST_SECRET)
        async with running_gateway(gateway(tmp_path, only)) as running:
            assert (await ask(client, running.chat, question())).text == text(60)


async def test_models_are_listed_for_those_who_may_use_them(tmp_path):
    models = (ModelOptions(name="gpt-4o"), ModelOptions(name="gpt-4o-mini"), ModelOptions(name="*"))
    async with Upstream(does.answer(5)) as first:
        made = msgspec.structs.replace(provider("first", "openai-compatible", first, 1, FIRST_SECRET), models=models)
        options = msgspec.structs.replace(
            gateway(tmp_path, made), aliases=(("small", "gpt-4o-mini"), ("gpt-4o-alias", "gpt-4o-mini"))
        )
        async with running_gateway(options) as running:

            def listed(*globs: str) -> list[str]:
                return [each["id"] for each in running.gateway.models(Caller("key_1", "k", models=globs))]

            assert listed() == ["gpt-4o", "gpt-4o-mini", "small", "gpt-4o-alias"]
            assert listed("gpt-4o") == ["gpt-4o"]
            assert listed("first/gpt-4o") == ["gpt-4o"]
            assert listed("gpt-4o-m*") == ["gpt-4o-mini", "small", "gpt-4o-alias"]
            assert listed("small", "gpt-4o-alias") == []


async def test_realtime_is_no_way_around_a_keys_models(tmp_path):
    models = (ModelOptions(name="gpt-realtime"), ModelOptions(name="gpt-realtime-mini"))
    async with Upstream(does.answer(5)) as first:
        made = msgspec.structs.replace(provider("first", "openai-compatible", first, 1, FIRST_SECRET), models=models)
        options = msgspec.structs.replace(gateway(tmp_path, made), aliases=(("gpt-realtime-mini-2", "gpt-realtime"),))
        async with running_gateway(options) as running:
            door = GatewayDoor(running.gateway, RandomIds())

            def may(model: str, *globs: str) -> bool:
                return isinstance(door.routes(Caller("key_1", "k", models=globs), model), list)

            assert may("gpt-realtime-mini", "gpt-realtime-mini*")
            assert may("first/gpt-realtime-mini", "gpt-realtime-mini*")
            assert may("gpt-realtime-mini", "first/*")
            assert not may("gpt-realtime-mini-2", "gpt-realtime-mini*")
            assert not may("gpt-realtime", "gpt-realtime-mini*")
            unknown = door.routes(Caller("key_1", "k"), "nobody")
            assert unknown.kind is FaultKind.NOT_FOUND


async def test_other_doors_tell_errors_in_their_shape_and_defects_without_detail(client, tmp_path):
    async with Upstream(does.answer(5)) as first:
        only = provider("first", "openai-compatible", first, 1, FIRST_SECRET)
        async with running_gateway(gateway(tmp_path, only)) as running:
            counted = await ask(client, f"{running.address}/v1/messages/count_tokens", ["no", "request"])
            with contextlib.closing(sqlite3.connect(tmp_path / "gateway.sqlite3")) as base:
                base.execute("ALTER TABLE totals RENAME TO secret_totals")
            async with client.get(f"{running.address}/v1/usage") as answer:
                usage, status = await answer.json(), answer.status
            with contextlib.closing(sqlite3.connect(tmp_path / "gateway.sqlite3")) as base:
                base.execute("ALTER TABLE secret_totals RENAME TO totals")
            log = running.log.getvalue()
    assert (counted.status, counted.json["type"]) == (400, "error")
    assert status >= 500
    assert usage["error"]["code"] == "internal_error"
    assert "totals" not in str(usage)
    assert "internal error: LedgerError" in log


async def test_a_reload_gives_the_cache_other_rules_and_lets_what_runs_end(client, tmp_path):
    """The answer under way is for the old cache, which nobody asks any more; the new one begins empty."""
    held = Held()
    async with Upstream([held, does.answer(60)]) as first:
        only = provider("first", "openai-compatible", first, 1, FIRST_SECRET)
        options = gateway(tmp_path, only, caching=True, deadlines=PATIENT)
        async with running_gateway(options) as running:
            streaming = asyncio.create_task(ask(client, running.chat, question(stream=True)))
            await asyncio.wait_for(held.begun.wait(), 5)
            caching = msgspec.structs.replace(options.caching, ttl=60.0)
            await asyncio.gather(
                running.gateway.reload(msgspec.structs.replace(options, caching=caching)),
                running.gateway.reload(msgspec.structs.replace(options, caching=caching)),
            )
            held.go.set()
            heard = await streaming
            more = [await ask(client, running.chat, question()) for _ in range(2)]
    assert (heard.text, heard.done) == (text(60), True)
    assert [each.headers["x-mrblue-cache"].partition(";")[0] for each in more] == ["miss", "hit-exact"]


async def test_a_reload_that_cannot_be_done_changes_nothing(client, tmp_path):
    async with Upstream(does.answer(60)) as first:
        good = provider("first", "openai-compatible", first, 1, FIRST_SECRET)
        options = gateway(tmp_path, good)
        async with running_gateway(options) as running:
            before = (running.gateway.table, running.gateway.pipeline, running.gateway.health)
            with pytest.raises(ConfigError, match="nonsense"):
                await running.gateway.reload(
                    msgspec.structs.replace(options, providers=(msgspec.structs.replace(good, kind="nonsense"),))
                )
            assert before == (running.gateway.table, running.gateway.pipeline, running.gateway.health)
            assert running.gateway.options is options
            assert (await ask(client, running.chat, question())).status == 200
