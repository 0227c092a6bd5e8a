"""Limits over workers of one machine (SQLite) and over machines (a real Redis); a lost store never stops a request."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
import tempfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrblue_cli.gateway.access.keys import ANONYMOUS, Caller
from mrblue_cli.gateway.access.limits import Limits, SqliteWindows
from tests.fakes.clock import ManualClock
from tests.program import environment

NOW = 1_800_000_000.0
CALLER = Caller("key_1", "laptop", requests_per_minute=5, tokens_per_minute=100)
OTHER = Caller("key_2", "other", requests_per_minute=5)


def silent(text):
    raise AssertionError(text)


@pytest.fixture
def windows(tmp_path):
    made = []

    def make(on_lost=silent):
        made.append(SqliteWindows(tmp_path / "limits.sqlite3", on_lost=on_lost))
        return made[-1]

    yield make
    for item in made:
        item.close()


async def admitted(limits, caller, count, now=NOW, tokens=0):
    return [await limits.take(caller, tokens, now) is None for _ in range(count)]


async def test_each_key_has_its_own_limit_and_no_limit_is_none():
    limits = Limits()
    assert await admitted(limits, CALLER, 6) == [True] * 5 + [False]
    assert await admitted(limits, OTHER, 6) == [True] * 5 + [False]
    assert all(await admitted(limits, ANONYMOUS, 1000, tokens=10**9))
    assert (await limits.check(ANONYMOUS, 1, NOW)).headers() == {}
    assert await admitted(limits, CALLER, 6, NOW + 61) == [True] * 5 + [False]


async def test_what_is_left_is_said():
    verdict = await Limits().check(CALLER, 30, NOW)
    assert (verdict.requests.remaining, verdict.tokens.remaining, verdict.tokens.reset) == (4, 70, 61.0)


async def test_two_workers_share_one_limit(windows):
    one, two = Limits(windows=windows()), Limits(windows=windows())
    taken = [await limits.take(CALLER, 0, NOW + place) is None for place in range(4) for limits in (one, two)]
    assert taken == [True] * 5 + [False] * 3
    assert await admitted(one, OTHER, 1) == [True]


def test_processes_at_once_never_admit_more_than_the_limit(tmp_path):
    path = tmp_path / "limits.sqlite3"
    code = """
import asyncio, sys
from pathlib import Path
from mrblue_cli.gateway.access.keys import Caller
from mrblue_cli.gateway.access.limits import Limits, SqliteWindows
sys.stdin.readline()
def lost(text): raise SystemExit(text)
limits = Limits(windows=SqliteWindows(Path(sys.argv[1]), on_lost=lost))
caller = Caller("key_1", "x", requests_per_minute=50)
async def run():
    return sum([await limits.take(caller, 1, 1.8e9 + n / 100) is None for n in range(100)])
print(asyncio.run(run()))
"""
    # The file is made first: who serves starts its workers one after another, and these begin within a millisecond.
    first = Limits(windows=SqliteWindows(path, on_lost=silent))
    asyncio.run(first.take(OTHER, 0, NOW))
    first.close()
    children = [
        subprocess.Popen([sys.executable, "-c", code, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE, env=environment(), text=True)
        for _ in range(3)
    ]  # fmt: skip
    for child in children:
        child.stdin.write("go\n")
        child.stdin.flush()
    outcomes = [child.communicate() for child in children]
    assert [child.returncode for child in children] == [0, 0, 0], outcomes
    assert sum(int(out) for out, _ in outcomes) == 50


@given(st.lists(st.tuples(st.floats(0, 30), st.integers(0, 60), st.booleans()), max_size=25))
def test_the_file_decides_as_memory_does(tmp_path_factory, steps):
    async def run():
        path = tmp_path_factory.mktemp("limits") / "l.sqlite3"
        shared, alone, now = Limits(windows=SqliteWindows(path, on_lost=silent)), Limits(), NOW
        for pause, tokens, back in steps:
            now += pause
            one, two = await shared.check(CALLER, tokens, now), await alone.check(CALLER, tokens, now)
            assert (one.wait, one.second if one.wait is None else 0) == (
                two.wait,
                two.second if two.wait is None else 0,
            )
            assert (one.requests.remaining, one.tokens.remaining) == (two.requests.remaining, two.tokens.remaining)
            if back:
                for limits, verdict in ((shared, one), (alone, two)):
                    await limits.give_back(CALLER, verdict, tokens // 2, now)
        shared.close()

    asyncio.run(run())


async def test_a_lost_file_is_said_once_and_limits_go_on_in_memory(tmp_path):
    path = tmp_path / "limits.sqlite3"
    path.mkdir()
    said = []
    limits = Limits(windows=SqliteWindows(path, on_lost=said.append))
    assert await admitted(limits, CALLER, 6) == [True] * 5 + [False]
    assert len(said) == 1
    assert "limits.sqlite3" in said[0]
    path.rmdir()
    # Looked at again after a while: two workers share one limit once more.
    later = Limits(windows=SqliteWindows(path, on_lost=said.append))
    assert await admitted(limits, OTHER, 3, NOW + 6) == [True] * 3
    assert await admitted(later, OTHER, 3, NOW + 6) == [True] * 2 + [False]
    assert len(said) == 1
    limits.close()
    later.close()


async def test_the_file_does_not_grow(windows):
    store = windows()
    limits = Limits(windows=store)
    for place in range(600):
        await limits.take(OTHER, 0, NOW + 100 * place)
    assert store._file.open().execute("SELECT COUNT(*) FROM rate_windows").fetchone()[0] < 300


class Degrading:
    """As `SharedRedis`, with the means of a test: told whether Redis is there."""

    def __init__(self, client):
        self.client = client
        self.there = True

    async def run(self, name, action, otherwise):
        return await action(self.client) if self.there else otherwise()


@pytest.fixture
def redis_server(tmp_path):
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("no redis-server on this machine")
    folder = tempfile.mkdtemp(prefix="mrblue-redis-")  # a socket's path may have some hundred characters, no more
    where = f"{folder}/socket"
    server = subprocess.Popen(
        [program, "--port", "0", "--unixsocket", where, "--save", "", "--appendonly", "no", "--dir", str(tmp_path)],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    for line in server.stdout:
        if "ready to accept connections" in line.lower():
            break
    yield where, server
    server.terminate()
    server.communicate()
    shutil.rmtree(folder)


@pytest.fixture
async def redis(redis_server):
    library = pytest.importorskip("redis.asyncio")
    client = library.Redis(unix_socket_path=redis_server[0])
    yield Degrading(client)
    await client.aclose()


async def test_machines_share_one_limit_through_redis(redis):
    one, two = Limits(redis=redis, redis_clock=False), Limits(redis=redis, redis_clock=False)
    taken = [await limits.take(CALLER, 10, NOW + place) is None for place in range(4) for limits in (one, two)]
    assert taken == [True] * 5 + [False] * 3
    verdict = await two.check(CALLER, 10, NOW + 4)
    assert (verdict.requests.remaining, verdict.tokens.remaining, verdict.wait.what) == (0, 50, "requests")
    # The first of them was admitted at NOW: it leaves the window a minute later.
    assert verdict.wait.seconds == 57.0
    assert 0 < await redis.client.ttl("mrblue:limits:key_1") <= 122


async def test_redis_decides_as_memory_does(redis):
    shared, alone = Limits(redis=redis, redis_clock=False), Limits()
    steps = [(0.25 * place % 7, 13 * place % 70, place % 3 == 0) for place in range(150)]
    now = NOW
    for pause, tokens, back in steps:
        now += pause
        one, two = await shared.check(CALLER, tokens, now), await alone.check(CALLER, tokens, now)
        assert one.wait == two.wait
        assert (one.requests.remaining, one.tokens.remaining) == (two.requests.remaining, two.tokens.remaining)
        if back:
            for limits, verdict in ((shared, one), (alone, two)):
                await limits.give_back(CALLER, verdict, tokens // 2, now)


async def test_concurrent_requests_never_pass_the_limit_in_redis(redis):
    limits = [Limits(redis=redis) for _ in range(3)]
    waits = await asyncio.gather(*(item.take(CALLER, 1, NOW) for item in limits for _ in range(10)))
    assert sum(wait is None for wait in waits) == 5


async def test_a_lost_redis_leaves_the_limits_of_this_machine(redis, windows):
    limits = Limits(redis=redis, windows=windows())
    redis.there = False
    assert await admitted(limits, CALLER, 6) == [True] * 5 + [False]
    verdict = await limits.check(OTHER, 5, NOW)
    await limits.give_back(OTHER, verdict, 5, NOW)
    redis.there = True
    assert await admitted(limits, CALLER, 6) == [True] * 5 + [False]


async def test_limits_survive_a_redis_that_dies(redis_server):
    pytest.importorskip("redis.asyncio")
    from mrblue_cli.gateway.shared import SharedRedis

    where, server = redis_server
    said = []
    shared = SharedRedis(f"unix://{where}", clock=ManualClock(), on_lost=said.append)
    limits = Limits(redis=shared)
    assert await admitted(limits, CALLER, 6) == [True] * 5 + [False]
    server.kill()
    await asyncio.to_thread(server.wait)
    assert await admitted(limits, CALLER, 6) == [True] * 5 + [False]
    assert len(said) == 1
    await shared.close()
