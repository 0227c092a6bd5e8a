"""Two gateways, one Redis: shared answers, outages, and rubbish that somebody else wrote."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import msgspec
import numpy as np
import pytest
import redis.asyncio
from hypothesis import given
from hypothesis import strategies as st

from mrblue_cli.gateway.cache import redis_store
from mrblue_cli.gateway.cache.records import Question
from mrblue_cli.gateway.cache.redis_store import HELPING, POLL, PREFIX, RedisStore
from mrblue_cli.gateway.cache.service import Cache, Lookup
from mrblue_cli.gateway.cache.store import MemoryStore
from mrblue_cli.gateway.model import Surface
from mrblue_cli.gateway.options import CacheOptions
from mrblue_cli.gateway.shared import SharedRedis
from tests.gateway.cache.fakes import FakeClock, WordEmbedder, answer, chat, choose, embedding
from tests.gateway.redis_server import RedisServer, needs_redis

pytestmark = needs_redis

CAPITAL = "what is the capital of the country called France"
SIMILAR = "what is the capital of the country named France"
TTL = 60.0


class Gateway:
    """One process of several: its own index and memory, a common Redis and clock."""

    def __init__(self, server: RedisServer, clock: FakeClock) -> None:
        self.clock = clock
        self.lost: list[str] = []
        self.embedder = WordEmbedder()
        self.shared = SharedRedis(server.url, clock=clock, on_lost=self.lost.append, limit=5.0)
        self.local = MemoryStore(max_size=1000, ttl=TTL, wall=clock.wall)
        self.store = RedisStore(
            self.shared, self.local, clock=clock, wall=clock.wall, ttl=TTL, max_size=1000, space="words-256"
        )
        self.cache = Cache(
            CacheOptions(similarity_threshold=0.8, ttl=TTL, max_size=1000),
            store=self.store,
            embedder=self.embedder,
            choose=choose,
            wall=clock.wall,
        )

    async def ask(self, text: str, **more: Any) -> Lookup:
        self.clock.time += POLL
        return await self.cache.lookup(surface=Surface.CHAT, body=chat(text, **more), key_id="k")

    async def teach(self, text: str, said: str = "Paris.", **more: Any) -> str:
        found = await self.ask(text, **more)
        assert found.ticket is not None
        await self.cache.store(found.ticket, answer(said, at=self.clock.wall()))
        await self.cache.settled()
        return found.ticket.key

    async def recovered(self) -> None:
        async with asyncio.timeout(20):
            while not self.shared.healthy:
                self.clock.time += 3.0
                await self.shared.run("probing", lambda client: client.ping(), bool)
                if self.shared._probe is not None:
                    await self.shared._probe

    async def close(self) -> None:
        await self.cache.close()
        await self.shared.close()


@pytest.fixture
async def pair(redis_server: RedisServer) -> AsyncIterator[tuple[Gateway, Gateway]]:
    clock = FakeClock()
    one, other = Gateway(redis_server, clock), Gateway(redis_server, clock)
    yield one, other
    await one.close()
    await other.close()


Pair = tuple[Gateway, Gateway]


class TestSharing:
    async def test_the_exact_tier(self, pair: Pair) -> None:
        one, other = pair
        at = one.clock.time + POLL
        await one.teach(CAPITAL)
        found = await other.ask(CAPITAL)
        assert (found.kind, found.answer) == ("hit-exact", answer("Paris.", at=at))

    async def test_the_semantic_tier(self, pair: Pair) -> None:
        one, other = pair
        await one.teach(CAPITAL)
        found = await other.ask(SIMILAR)
        assert found.kind == "hit-semantic"
        assert other.embedder.texts == [SIMILAR], "the vector came through Redis"

    async def test_a_guard_on_the_other_side_still_guards(self, pair: Pair) -> None:
        one, other = pair
        await one.teach("may i eat this red mushroom from the woods")
        assert (await other.ask("may i not eat this red mushroom from the woods")).reason == "guard-negation"

    async def test_a_late_gateway_catches_up(self, pair: Pair, redis_server: RedisServer) -> None:
        one, _ = pair
        count = HELPING + 20
        for number in range(count):
            question = Question(
                key=f"{number:064x}",
                partition="a" * 64,
                text=f"question {number}",
                vector=embedding(f"question {number}").tobytes(),
                stored_at=one.clock.time,
            )
            await one.store.publish(question)
        late = Gateway(redis_server, one.clock)
        await late.ask("x")
        await late.cache.settled()
        assert late.cache._semantic is not None
        assert len(late.cache._semantic.index) == count
        await late.close()

    async def test_a_fresh_answer_replaces_the_old_one_everywhere(self, pair: Pair) -> None:
        one, other = pair
        await one.teach(CAPITAL, "Lyon.")
        assert (await other.ask(CAPITAL)).kind == "hit-exact"
        found = await other.cache.lookup(surface=Surface.CHAT, body=chat(CAPITAL), key_id="k", control="no-cache")
        assert found.ticket is not None
        await other.cache.store(found.ticket, answer("Paris.", at=other.clock.wall()))
        await other.cache.settled()
        for gateway in pair:
            for question in (CAPITAL, SIMILAR):
                kept = (await gateway.ask(question)).answer
                assert kept is not None
                assert b"Paris" in kept.body

    async def test_time_to_live(self, pair: Pair) -> None:
        one, other = pair
        key = await one.teach(CAPITAL)
        left = await one.shared.run("ttl", lambda client: client.pttl(PREFIX + key), lambda: -9)
        assert 0 < left <= TTL * 1000
        one.clock.time += TTL
        assert (await other.ask(CAPITAL)).kind == "miss"
        assert (await other.ask(SIMILAR)).reason == "first-time"

    async def test_between_two_polls_redis_is_not_asked(self, pair: Pair) -> None:
        one, _ = pair
        await one.ask("x")
        asked: list[str] = []
        run = one.shared.run

        class Listening:
            healthy, outages = True, 0

            async def run(self, name: str, action: Any, otherwise: Any) -> Any:
                asked.append(name)
                return await run(name, action, otherwise)

        store = RedisStore(
            Listening(),  # type: ignore[arg-type]
            one.local, clock=one.clock, wall=one.clock.wall, ttl=TTL, max_size=9,
        )  # fmt: skip
        for _ in range(5):
            await store.news()
        assert asked == ["reading questions"]
        one.clock.time += POLL
        await store.news()
        assert len(asked) == 2

    async def test_embedders_do_not_mix(self, pair: Pair) -> None:
        one, other = pair
        await one.teach(CAPITAL)
        strange = RedisStore(
            other.shared, other.local, clock=one.clock, wall=one.clock.wall, ttl=TTL, max_size=9, space="another one"
        )
        assert await strange.news() == ([], False)


class TestOutage:
    async def test_it_degrades_to_what_this_process_knows_and_comes_back(
        self, pair: Pair, redis_server: RedisServer
    ) -> None:
        one, other = pair
        await one.teach(CAPITAL)
        assert (await other.ask(CAPITAL)).kind == "hit-exact"
        redis_server.stop()
        assert (await one.ask(CAPITAL)).kind == "hit-exact", "its own answers are in memory"
        assert (await one.ask(SIMILAR)).kind == "hit-semantic"
        assert (await other.ask(CAPITAL)).kind == "miss", "the other's are not"
        await other.teach("something else entirely")
        assert (await other.ask("something else entirely")).kind == "hit-exact"
        assert [len(gateway.lost) for gateway in pair] == [1, 1]
        redis_server.start()
        for gateway in pair:
            await gateway.recovered()
        await one.teach("how tall is the tower of the city of Paris", "330 m.")
        found = await other.ask("how tall is the tower of the town of Paris")
        assert (found.kind, [len(gateway.lost) for gateway in pair]) == ("hit-semantic", [1, 1])

    async def test_a_redis_that_came_back_empty_costs_only_misses(self, pair: Pair, redis_server: RedisServer) -> None:
        one, other = pair
        await one.teach(CAPITAL)
        assert (await other.ask(SIMILAR)).kind == "hit-semantic"
        redis_server.stop()
        await other.ask("something else entirely", temperature=0.1)
        redis_server.start()
        await other.recovered()
        assert (await other.ask(SIMILAR)).reason == "expired"
        assert (await other.ask(SIMILAR)).reason == "first-time"


Spoil = Callable[[redis.asyncio.Redis, str, str], Any]


class TestRubbish:
    """Values that other programs, other versions or bad people left under our names."""

    @pytest.mark.parametrize(
        "value",
        [b"", b"\xc1", b"not msgpack", b"\x80", msgspec.msgpack.encode({"key": 7}), b"\x91" * 100_000, b"\xff" * 100],
        ids=["empty", "no-msgpack", "text", "empty-map", "wrong-type", "deep", "numbers"],
    )
    async def test_an_answer_that_does_not_parse_is_not_there(self, pair: Pair, value: bytes) -> None:
        one, other = pair
        key = await one.teach(CAPITAL)
        await one.shared.run("spoiling", lambda client: client.set(PREFIX + key, value), lambda: None)
        assert (await other.ask(CAPITAL)).kind == "miss"
        assert other.lost == []

    async def test_an_answer_under_a_foreign_key_is_not_served(self, pair: Pair) -> None:
        one, other = pair
        key, foreign = await one.teach(CAPITAL), await one.teach("who wrote the book", "Someone.")

        async def swap(client: redis.asyncio.Redis) -> None:
            await client.set(PREFIX + key, await client.get(PREFIX + foreign))

        await one.shared.run("swapping", swap, lambda: None)
        assert (await other.ask(CAPITAL)).answer is None

    async def test_a_value_of_another_type_is_a_miss_and_one_line(self, pair: Pair) -> None:
        one, _ = pair
        key = await one.teach(CAPITAL)

        async def spoil(client: redis.asyncio.Redis) -> None:
            await client.delete(PREFIX + key, one.store._stream)
            await client.rpush(PREFIX + key, "x")
            await client.set(one.store._stream, "x")

        await one.shared.run("spoiling", spoil, lambda: None)
        one.clock.time += TTL
        for _ in range(3):
            assert (await one.ask(CAPITAL)).kind == "miss"
        assert one.shared.healthy
        assert len(one.lost) == 2  # reading answers, reading questions: once each

    async def test_questions_that_do_not_parse_are_passed_over(self, pair: Pair) -> None:
        one, other = pair
        good = embedding(CAPITAL)
        sound = Question(key="a" * 64, partition="b" * 64, text="t", vector=good.tobytes(), stored_at=one.clock.time)
        changes: list[dict[str, Any]] = [
            {"key": "../../etc"},
            {"partition": "B" * 64},
            {"text": ""},
            {"text": "x" * 100_000},
            {"vector": b"123"},
            {"vector": good[:8].tobytes()},
            {"vector": (good * 7).tobytes()},
            {"vector": np.full(256, np.nan, np.float32).tobytes()},
            {"vector": np.full(256, np.inf, np.float32).tobytes()},
            {"stored_at": 0.0},
            {"stored_at": float("nan")},
            {"stored_at": float("inf")},
        ]
        rubbish = [b"", b"\xc1", b"text", b"\x91" * 100_000]
        rubbish += [msgspec.msgpack.encode(msgspec.structs.replace(sound, **change)) for change in changes]

        async def spoil(client: redis.asyncio.Redis) -> None:
            for data in rubbish:
                await client.xadd(one.store._stream, {b"q": data})
            await client.xadd(one.store._stream, {b"other": b"field"})

        await one.shared.run("spoiling", spoil, lambda: None)
        await one.teach(CAPITAL)
        assert (await other.ask(SIMILAR)).kind == "hit-semantic"
        assert other.cache._semantic is not None
        assert len(other.cache._semantic.index) == 1

    @given(st.binary(max_size=300))
    def test_any_bytes(self, data: bytes) -> None:
        number, question = redis_store._read_entry((b"1-1", {b"q": data}))
        assert number == b"1-1"
        assert question is None or isinstance(question, Question)
