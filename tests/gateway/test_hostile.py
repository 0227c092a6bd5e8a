"""Ten thousand mangled requests over real sockets: no fault of ours, nothing told that is secret, nothing that grows.

A failure names the request: `case(SEED, NUMBER, token)` of `mangling` makes it again.
"""

from __future__ import annotations

import asyncio
import ctypes
import gc
import itertools
import json
import logging
import re
import sys
from collections import Counter
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote

import psutil
import pytest

from mrblue_cli.gateway.model import Surface
from mrblue_cli.gateway.options import (
    AlertOptions,
    BreakerOptions,
    BudgetOptions,
    CacheOptions,
    DeadlineOptions,
    FailoverOptions,
    GatewayOptions,
    KeyOptions,
    LimitOptions,
    ModelOptions,
    ProviderOptions,
    SmtpOptions,
)
from mrblue_cli.gateway.server.endpoints import SURFACE_PATHS
from tests.fakes.upstream import Exchange, Said, Upstream
from tests.fakes.upstream_behaviours import failing, reset
from tests.fakes.upstream_wires import tokens, wire_of
from tests.gateway.budget.audit import check as audit
from tests.gateway.good_bodies import CHAT, EMBEDS, FAILING, HEARS, KINDS, SPEAKS
from tests.gateway.mangling import Case, case
from tests.gateway.running import RunningGateway, nano_reserved, running_gateway
from tests.gateway.wire import Got, Line, exchange, request

REQUESTS = {"open": 6500, "keyed": 3500}
WARM = 0.3
"""Share of the requests after which memory is measured for the first time."""
AT_ONCE = 24
MOST_FAILURES = 40
"""After which it stops: they are told all at once."""
PATIENCE = 5.0
"""Seconds an answer may take on a busy machine; every one of them takes milliseconds."""
MOST_GROWTH = 24 * 1024 * 1024
"""Bytes of resident memory that the later seven tenths may add: arenas in which long texts left holes."""
MOST_OBJECTS = 20_000
"""Objects that they may add. One kept for each request would be some 4,600 times a record's parts."""
PROVIDER_KEY, SICK_KEY, SMTP_PASSWORD, REDIS_PASSWORD = (
    "sk-live-4f9a7c11d2e8", "gsk_5b21e0c9aa77", "mail-pw-83ba1", "redis-pw-19cc2",
)  # fmt: skip
PRICES = {"input_price": 3.0, "output_price": 12.0}
ALLOWED = {502, 503, 504}


async def calm(exchange: Exchange) -> None:
    """An upstream that answers whatever it is asked, in five tokens."""
    exchange.upstream.calls.clear()  # it would keep every body, and look like the gateway's growth
    usage = Said(12, 5)
    wire = wire_of(exchange.asked)
    if not exchange.asked.json.get("stream"):
        await exchange.send(200, wire.plain("".join(tokens(5)), usage, "stop"))
        return
    stream = wire.stream(tokens(5), usage, "stop", exchange.asked)
    await exchange.begin()
    await exchange.write(stream.head + b"".join(stream.tokens) + b"".join(stream.tail))
    await exchange.end()


_TOLD = f"boom at http://10.1.2.3:99/x with key {SICK_KEY}"
_FAILURES = itertools.cycle((
    failing(500, message=_TOLD), failing(401, message=_TOLD), failing(429, message=_TOLD), failing(404, message=_TOLD),
    reset(),
))  # fmt: skip


async def sickly(exchange: Exchange) -> None:
    """Failures of every kind, each telling what it should not."""
    exchange.upstream.calls.clear()
    await (failing(404) if "realtime" in exchange.asked.path else next(_FAILURES))(exchange)


def options(folder: Path, well: Upstream, sick: Upstream, *, keyed: bool) -> GatewayOptions:
    """Everything a gateway may have that hostile requests could meet."""
    providers = (
        ProviderOptions(
            name="near", kind="openai-compatible", base_url=well.url, keys=(KeyOptions(secret=PROVIDER_KEY),),
            models=(ModelOptions(name=CHAT, **PRICES),),
        ),
        ProviderOptions(
            name="sick", kind="openai-compatible", base_url=sick.url, keys=(KeyOptions(secret=SICK_KEY),),
            models=(
                ModelOptions(name=FAILING, **PRICES),
                ModelOptions(name="rt-1", surfaces=(Surface.REALTIME,), endpoint=f"ws://127.0.0.1:{sick.port}/v1/realtime"),
            ),
        ),
        *(
            ProviderOptions(
                name=f"p-{kind}", kind=kind, base_url=well.url, keys=(KeyOptions(secret=PROVIDER_KEY),),
                models=(ModelOptions(name=f"m-{kind}", **PRICES),),
            )
            for kind in KINDS
        ),
        ProviderOptions(
            name="demo", kind="scripted", options=(("steady", "true"),),
            models=(
                ModelOptions(name="demo", surfaces=(Surface.CHAT,), **PRICES),
                ModelOptions(name=EMBEDS, surfaces=(Surface.EMBEDDINGS,), **PRICES),
                ModelOptions(name=SPEAKS, surfaces=(Surface.SPEECH,), **PRICES),
                ModelOptions(name=HEARS, surfaces=(Surface.TRANSCRIPTION,), **PRICES),
            ),
        ),
    )  # fmt: skip
    return GatewayOptions(
        providers=providers,
        aliases=(("fast", CHAT),),
        caching=CacheOptions(semantic=False, max_size=50),
        budget=BudgetOptions(
            daily_limit=1e6,
            alerts=(AlertOptions(threshold=1e-9, action="notify", email="ops@localhost"),),
            smtp=SmtpOptions(host="127.0.0.1", port=1, user="u", password=SMTP_PASSWORD),
        ),
        failover=FailoverOptions(
            models="same", max_retries=1, retry_delay=0.001, max_delay=0.002,
            breaker=BreakerOptions(failure_threshold=1000),
            deadlines=DeadlineOptions(connect=1.0, first_token=2.0, idle=2.0, answer=2.0, total=4.0),
        ),
        limits=LimitOptions(body_bytes=1 << 20, upload_bytes=1 << 18, body_seconds=0.1, concurrent=200),
        redis_url=f"redis://:{REDIS_PASSWORD}@127.0.0.1:1/0" if keyed else "",
        require_key=keyed,
        state_folder=folder,
        log_format="json" if keyed else "text",
    )  # fmt: skip


class Loud(logging.Handler):
    """Every record of every logger, as text: also what a server's default handler would print."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(f"{record.name}: {record.getMessage()}")


class Watch(NamedTuple):
    """What every answer is held against."""

    secrets: tuple[str, ...]

    def clean(self, text: str, what: str) -> None:
        """Nothing in the text that must stay here."""
        for secret in (*self.secrets, "Traceback (most", 'File "', "site-packages"):
            assert secret not in text, f"{what} tells {secret!r}"

    def answer(self, got: Got, one: Case) -> None:
        """One answer by itself."""
        text = (got.head + got.body).decode("latin-1")
        self.clean(text, "an answer")
        assert b"internal_error" not in got.body, "a defect"
        assert got.status < 500 or (one.sick and got.status in ALLOWED) or _webrtc(got), f"status {got.status}"
        if got.status == 101 or (got.header("x-request-id") == "" and _of_websockets(got)):
            return
        given = got.header("x-request-id")
        assert re.fullmatch(r"[A-Za-z0-9_.:-]{1,128}", given), f"x-request-id {given!r}"
        below = one.kind == "headers" and got.status in {400, 431} and given.startswith("req_")
        assert not one.request_id or given == one.request_id or below
        assert "x-evil" not in {name for name, _ in got.headers}
        if got.status >= 400 and not one.head_only:
            assert got.header("content-type") == "application/json"
            error = got.json["error"]
            assert error["message"]
            assert len(got.body) < 4000, "an error of that length repeats what was sent"
            if "messages" in unquote(one.path) and "type" in got.json:
                assert got.json["type"] == "error"
            else:
                assert set(error) >= {"message", "type", "param", "code"}
        if one.ok:
            assert got.status == 200, got.body
        assert got.whole or got.status == 200


def _webrtc(got: Got) -> bool:
    return got.status == 501 and b"webrtc" in got.body


def _of_websockets(got: Got) -> bool:
    """Refused handshakes are answered below us, without anything of ours."""
    return got.status in {400, 403, 426} and b"text/plain" in got.head


async def send(address: str, one: Case, watch: Watch, kept: list[Line]) -> Got | None:
    """Send one case, on a kept connection where it is a whole request. Returns the last answer."""
    plain = one.kind in {"json", "good", "form", "paths"}
    line = kept.pop() if plain and kept else await Line.open(address)
    came, reusable, last = 0, False, None
    try:
        await line.send(one.data)
        if one.cut:
            line.end()
        async with asyncio.timeout(PATIENCE):
            while came < one.many and (got := await line.answer(head_only=one.head_only)) is not None:
                came, last = came + 1, got
                watch.answer(got, one)
                reusable = plain and got.whole and got.header("connection") != "close"
                if got.status == 101:
                    await line.send(one.then)
                    line.end()
                    watch.clean((await line.reader.read()).decode("latin-1"), "a websocket")
                    break
        assert came or not one.answered, "no answer"
    finally:
        if reusable:
            kept.append(line)
        else:
            await line.close()
    return last


async def bombard(seed: str, address: str, token: str, numbers: range, watch: Watch) -> dict[str, str]:
    """All of these cases, several at once; and the paths, by their ids, of those that were answered."""
    waiting = iter(numbers)
    answered: dict[str, str] = {}
    wrong: list[Exception] = []

    async def work() -> None:
        kept: list[Line] = []
        for number in waiting:
            one = case(seed, number, token)
            try:
                got = await send(address, one, watch, kept)
            except Exception as error:
                error.add_note(f"case({seed!r}, {number}) {one.kind}: {one.data[:1500]!r}")
                wrong.append(error)
            else:
                if got is not None and one.request_id and got.header("x-request-id") == one.request_id:
                    answered[one.request_id] = one.path
            if len(wrong) >= MOST_FAILURES:
                break
        for line in kept:
            await line.close()

    async with asyncio.TaskGroup() as group:
        for _ in range(AT_ONCE):
            group.create_task(work())
    if wrong:
        raise ExceptionGroup(f"{len(wrong)} requests of {seed} went wrong", wrong)
    return answered


class Weight(NamedTuple):
    """What the process holds."""

    objects: int
    resident: int


def weigh(running: RunningGateway, loud: Loud, *upstreams: Upstream) -> Weight:
    """Objects and bytes now, without what the test itself collects."""
    for upstream in upstreams:
        upstream.reported.clear()
    loud.lines.clear()
    running.log.seek(0)
    running.log.truncate()
    gc.collect()
    if sys.platform == "linux":
        ctypes.CDLL(None).malloc_trim(0)  # what is free but not given back is no growth
    return Weight(len(gc.get_objects()), psutil.Process().memory_info().rss)


LINE = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ (?:(?:info|warning|error): .*|(?P<id>\S+) \S+ \S+ \S+ cache=.* -> .* \d{3} .*)"
)
"""A line for people."""


def read_log(running: RunningGateway, answered: dict[str, str], watch: Watch, *, as_json: bool) -> None:
    """Every line is one of ours, each decision has exactly one, and none tells a secret."""
    seen: Counter[str] = Counter()
    for line in running.log.getvalue().split("\n")[:-1]:
        watch.clean(line, "the log")
        assert len(line) < 2000, line
        assert "internal error" not in line, line
        assert "Exception in ASGI" not in line, line
        if as_json:
            seen[json.loads(line).get("request_id", "")] += 1
        else:
            found = LINE.fullmatch(line)
            assert found is not None, f"forged: {line!r}"
            seen[found["id"] or ""] += 1
    decided = {ident for ident, path in answered.items() if path.removeprefix("/v1") in SURFACE_PATHS}
    assert {ident for ident in decided if seen[ident] != 1} == set()


async def at_rest(running: RunningGateway, token: str, folder: Path) -> None:
    """Nobody is waited for, nothing is set aside, and what grows with names has not grown."""
    gateway = running.gateway
    running.nobody_waits()
    assert gateway._in_flight == 0
    assert gateway.realtime.sessions == 0
    assert nano_reserved(folder) == 0
    assert len(gateway.table._memo) <= len(gateway.table.names()) * len(Surface)
    assert gateway._cache is not None
    assert (
        len(gateway._cache._store._local if hasattr(gateway._cache._store, "_local") else gateway._cache._store) <= 50
    )
    key = [("authorization", f"Bearer {token}")] if token else []
    page = await exchange(running.address, request("/metrics", b"", *key, method=b"GET"))
    assert page is not None
    models = set(re.findall(r'model="([^"]*)"', page.body.decode()))
    assert models <= {*gateway.table.names(), "other"}
    assert len(page.body) < 200_000
    assert b"mrblue_in_flight 0.0" in page.body


@pytest.fixture
def loud():
    """Hears all loggers."""
    handler = Loud()
    logging.getLogger().addHandler(handler)
    yield handler
    logging.getLogger().removeHandler(handler)


@pytest.mark.parametrize("seed", ["open", "keyed"])
async def test_mangled_requests_do_no_harm(seed, tmp_path, loud):
    keyed = seed == "keyed"
    async with Upstream(calm) as well, Upstream(sickly) as sick:
        async with running_gateway(options(tmp_path, well, sick, keyed=keyed)) as running:
            token = running.gateway.keys.create("tester", requests_per_minute=10**9)[1] if keyed else ""
            watch = Watch((
                PROVIDER_KEY, SICK_KEY, SMTP_PASSWORD, REDIS_PASSWORD, str(tmp_path), "10.1.2.3",
                f"127.0.0.1:{well.port}", f"127.0.0.1:{sick.port}", *([token] if token else []),
            ))  # fmt: skip
            total = REQUESTS[seed]
            weights = []
            for numbers in (range(int(total * WARM)), range(int(total * WARM), total)):
                answered = await bombard(seed, running.address, token, numbers, watch)
                read_log(running, answered, watch, as_json=keyed)
                assert len(answered) > len(numbers) * 0.6
                weights.append(weigh(running, loud, well, sick))
            await at_rest(running, token, tmp_path)
        assert (well.waiting, sick.waiting) == (0, 0)
    assert weights[1].objects - weights[0].objects < MOST_OBJECTS
    assert weights[1].resident - weights[0].resident < MOST_GROWTH
    audit(tmp_path / "gateway.sqlite3")
