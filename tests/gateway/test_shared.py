"""Redis that goes away and comes back: real servers, real sockets."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import pytest
import redis.asyncio

from mrblue_cli.core.errors import ConfigError
from mrblue_cli.gateway.shared import SharedRedis
from tests.fakes.clock import ManualClock
from tests.gateway.redis_server import RedisServer, needs_redis


class Rig:
    def __init__(self, url: str, *, limit: float = 5.0) -> None:
        self.clock = ManualClock()
        self.lost: list[str] = []
        self.back: list[str] = []
        self.shared = SharedRedis(
            url, clock=self.clock, on_lost=self.lost.append, on_back=self.back.append, limit=limit, probe_every=3.0
        )

    async def get(self, name: str = "a") -> bytes | str | None:
        async def action(client: redis.asyncio.Redis) -> bytes | str | None:
            return await client.get(name)

        return await self.shared.run("reading", action, lambda: "local")

    async def put(self, value: str, name: str = "a") -> str:
        async def action(client: redis.asyncio.Redis) -> str:
            await client.set(name, value)
            return "shared"

        async def otherwise() -> str:
            return "local"

        return await self.shared.run("writing", action, otherwise)

    async def recovered(self) -> None:
        """Use it, as time goes on, until the probe in the background has found Redis."""
        async with asyncio.timeout(20):
            while not self.shared.healthy:
                self.clock.advance(3.0)
                await self.get()
                if self.shared._probe is not None:
                    await self.shared._probe


@needs_redis
class TestWithRedis:
    async def test_what_one_writes_the_other_reads(self, redis_server: RedisServer) -> None:
        one, other = Rig(redis_server.url), Rig(redis_server.url)
        assert await one.put("hello") == "shared"
        assert await other.get() == b"hello"
        assert (one.lost, one.shared.healthy) == ([], True)
        await one.shared.close()
        await other.shared.close()

    async def test_an_outage(self, redis_server: RedisServer) -> None:
        rig = Rig(redis_server.url)
        await rig.put("hello")
        redis_server.stop()
        assert [await rig.get() for _ in range(5)] == ["local"] * 5
        assert await rig.put("x") == "local"
        assert len(rig.lost) == 1
        assert f"127.0.0.1:{redis_server.port}" in rig.lost[0]
        assert (rig.shared.healthy, rig.shared.outages) == (False, 1)
        rig.clock.advance(3.0)
        assert await rig.get() == "local"  # probes, in vain, behind the answer
        redis_server.start()
        await rig.recovered()
        assert await rig.put("again") == "shared"
        assert await rig.get() == b"again"
        assert (len(rig.lost), len(rig.back)) == (1, 1)
        await rig.shared.close()

    async def test_a_second_outage_warns_again(self, redis_server: RedisServer) -> None:
        rig = Rig(redis_server.url)
        for outage in (1, 2):
            redis_server.stop()
            await rig.get()
            assert len(rig.lost) == outage
            redis_server.start()
            await rig.recovered()
        await rig.shared.close()

    async def test_many_at_once_warn_once(self, redis_server: RedisServer) -> None:
        rig = Rig(redis_server.url)
        await rig.put("hello")
        redis_server.stop()
        assert await asyncio.gather(*(rig.get() for _ in range(50))) == ["local"] * 50
        assert len(rig.lost) == 1
        await rig.shared.close()

    async def test_more_at_once_than_connections(self, redis_server: RedisServer) -> None:
        rig = Rig(redis_server.url)
        await rig.put("hello")
        assert await asyncio.gather(*(rig.get() for _ in range(300))) == [b"hello"] * 300
        assert rig.lost == []
        await rig.shared.close()

    async def test_no_request_probes_before_its_time(self, redis_server: RedisServer) -> None:
        rig = Rig(redis_server.url)
        redis_server.stop()
        await rig.get()
        rig.clock.advance(2.9)
        await rig.get()
        assert rig.shared._probe is None
        await rig.shared.close()

    async def test_silence_is_an_outage(self, redis_server: RedisServer) -> None:
        rig = Rig(redis_server.url, limit=0.1)
        await rig.put("hello")
        redis_server.freeze()
        try:
            assert await rig.get() == "local"
            assert len(rig.lost) == 1
        finally:
            redis_server.thaw()
        await rig.recovered()
        assert await rig.get() == b"hello"  # and not the answer that came too late for another question
        await rig.shared.close()

    async def test_a_cancelled_request_leaves_no_answer_behind_for_the_next(self, redis_server: RedisServer) -> None:
        rig = Rig(redis_server.url)
        await rig.put("for a", "a")
        await rig.put("for b", "b")
        for _ in range(50):
            task = asyncio.create_task(rig.get("a"))
            for _ in range(3):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            assert await rig.get("b") == b"for b"
        await rig.shared.close()

    async def test_a_refused_command_is_no_outage(self, redis_server: RedisServer) -> None:
        rig = Rig(redis_server.url)

        async def wrong(client: redis.asyncio.Redis) -> str:
            await client.set("text", "x")
            await client.lpush("text", "y")
            return "shared"

        for _ in range(3):
            assert await rig.shared.run("pushing", wrong, lambda: "local") == "local"
        assert rig.shared.healthy
        assert len(rig.lost) == 1
        assert "WRONGTYPE" in rig.lost[0]
        assert await rig.put("fine") == "shared"
        await rig.shared.close()

    async def test_our_own_mistakes_are_not_hidden(self, redis_server: RedisServer) -> None:
        rig = Rig(redis_server.url)

        async def broken(_client: redis.asyncio.Redis) -> str:
            raise KeyError("ours")

        with pytest.raises(KeyError):
            await rig.shared.run("breaking", broken, lambda: "local")
        assert rig.shared.healthy
        await rig.shared.close()

    async def test_a_wrong_password_is_an_outage_that_tells_no_secret(self, tmp_path: Path) -> None:
        server = RedisServer(tmp_path, password="right-one")
        server.start()
        try:
            rig = Rig(server.url.replace("right-one", "wrong-secret"))
            assert await rig.get() == "local"
            assert len(rig.lost) == 1
            good = Rig(server.url)
            assert await good.put("x") == "shared"
            for text in (*rig.lost, repr(rig.shared), repr(good.shared), good.shared.where):
                assert "secret" not in text
                assert "right-one" not in text
            await rig.shared.close()
            await good.shared.close()
        finally:
            server.stop()


async def test_nobody_there_from_the_start() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, not listening: connections are refused
        rig = Rig(f"redis://user:secret@127.0.0.1:{taken.getsockname()[1]}/3")
        assert await rig.get() == "local"
        assert len(rig.lost) == 1
        assert "secret" not in rig.lost[0]
        assert rig.lost[0].startswith(f"Redis at 127.0.0.1:{taken.getsockname()[1]}/3 is lost")
        await rig.shared.close()


@pytest.mark.parametrize(
    "url",
    [
        "",
        "secret",
        "http://:secret@host",
        "redis://",
        "redis://:secret@host:port/0",
        "redis://:secret@h?socket_timeout=secret",
    ],
)
def test_an_address_that_is_none(url: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Rig(url)
    assert "redis://" in caught.value.hint
    assert "secret" not in f"{caught.value} {caught.value.what}"
    assert caught.value.__cause__ is None


def test_places() -> None:
    places = {
        "redis://h": "h:6379",
        "rediss://user:pw@h:1/2": "h:1/2",
        "redis://h:7/x?password=pw": "h:7",
        "unix:///run/r.sock": "/run/r.sock",
    }
    for url, place in places.items():
        assert Rig(url).shared.where == place
