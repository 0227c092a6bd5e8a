"""The gateway as one object: its parts made from options, started, reloaded and closed together."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import random
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import msgspec

from mrblue_cli.core.clock import Clock, SystemClock
from mrblue_cli.core.errors import ConfigError, MissingPart
from mrblue_cli.core.ids import RandomIds
from mrblue_cli.gateway.access.auth import Door, key_required
from mrblue_cli.gateway.access.keys import ANONYMOUS, Caller, KeyStore
from mrblue_cli.gateway.access.limits import Limits, SqliteWindows
from mrblue_cli.gateway.answers import Record
from mrblue_cli.gateway.budget.alerts import Alerts, aiohttp_post
from mrblue_cli.gateway.budget.prices import cheapest_chat_model
from mrblue_cli.gateway.budget.service import LEDGER_FILE, Budget, Charge, LedgerError
from mrblue_cli.gateway.cache import guards
from mrblue_cli.gateway.cache.embedder import Embedder, EndpointEmbedder, bundled, bundled_missing
from mrblue_cli.gateway.cache.service import Cache
from mrblue_cli.gateway.cache.store import MemoryStore, Store
from mrblue_cli.gateway.model import CallError, Fault, FaultKind, Json, Surface
from mrblue_cli.gateway.options import CacheOptions, GatewayOptions
from mrblue_cli.gateway.pipeline import Pipeline
from mrblue_cli.gateway.providers.base import Provider
from mrblue_cli.gateway.providers.registry import provider, takes_prefill
from mrblue_cli.gateway.realtime.ephemeral import PREFIX as EPHEMERAL
from mrblue_cli.gateway.realtime.ephemeral import EphemeralKeys
from mrblue_cli.gateway.routing.build import build_table
from mrblue_cli.gateway.routing.health import Health, Lane
from mrblue_cli.gateway.routing.routes import RouteTable
from mrblue_cli.gateway.run import Noted, Surroundings
from mrblue_cli.gateway.server.log import DecisionLog
from mrblue_cli.gateway.server.origin import stranger
from mrblue_cli.gateway.server.realtime import RealtimeEndpoints
from mrblue_cli.gateway.server.realtime_door import GatewayDoor
from mrblue_cli.gateway.server.telemetry import Telemetry, usage_document
from mrblue_cli.gateway.upstream import Upstream

if TYPE_CHECKING:
    from mrblue_cli.gateway.server.tracing import Tracing
    from mrblue_cli.gateway.shared import SharedRedis

FIXED = ("host", "port", "workers", "redis_url", "state_folder", "demo", "log_format", "telemetry")
"""Options that a reload leaves alone: sockets, files and connections were opened by them."""
_HOUSEKEEPING = 1.0
"""Seconds between two rounds of shared breakers."""


class Gateway:
    """Everything behind the addresses."""

    table: RouteTable
    pipeline: Pipeline

    def __init__(
        self,
        options: GatewayOptions,
        *,
        log: TextIO | None = None,
        clock: Clock | None = None,
        wall: Callable[[], float] = time.time,
        chance: Callable[[], float] = random.random,
    ) -> None:
        """Nothing is opened before `start`. Raises `ConfigError` for kinds of providers that do not exist."""
        self.options = options
        self.clock = clock or SystemClock()
        self.wall = wall
        self.log = DecisionLog(log or sys.stderr, as_json=options.log_format == "json", wall=wall)
        self.log.take_over("mrblue.gateway")
        # The web server's warnings and errors; what it says of connections may hold addresses with keys in them.
        self.log.take_over("uvicorn.error", logging.WARNING)
        # It warns of every byte of a form that it does not like; the client is told once.
        self.log.take_over("python_multipart", logging.CRITICAL)
        shared_folder = options.state_folder / "workers" if options.workers > 1 else None
        self.telemetry = Telemetry(wall=wall, folder=shared_folder)
        self.stopping = False
        """Set when what is still under way is to be ended, with a word to whoever waits for it."""
        self._chance = chance
        self._in_flight = 0
        self._began = self.clock.now()
        self._jobs: list[asyncio.Task[None]] = []
        self._redis: SharedRedis | None = None
        self._cache: Cache | None = None
        self._tracing: Tracing | None = None
        self._route(options)
        self.health = self._new_health(options)

    async def start(self) -> None:
        """Open the ledger, the caches and the connection pool. Raises `LedgerError`, `ConfigError`."""
        folder = self.options.state_folder
        _make_folder(folder)
        self.upstream = Upstream(connect_timeout=self.options.failover.deadlines.connect)
        try:
            self._open(self.options, folder)
        except BaseException:
            await self.upstream.close()
            raise
        self.telemetry.publish()
        self._jobs.append(asyncio.create_task(self._keep_house()))

    def _open(self, options: GatewayOptions, folder: Path) -> None:
        if options.redis_url:
            from mrblue_cli.gateway.shared import SharedRedis  # a tenth of the start, which most do without

            self._redis = SharedRedis(options.redis_url, clock=self.clock, on_lost=self._warn, on_back=self.log.say)
        if options.telemetry.otlp_endpoint:
            self._tracing = self._new_tracing(options)
        self.keys = KeyStore(folder / LEDGER_FILE)
        self._open_door()
        shared = options.workers > 1
        windows = SqliteWindows(folder / "gateway-limits.sqlite3", on_lost=self._warn) if shared else None
        self.limits = Limits(windows=windows, redis=self._redis)
        self.alerts = Alerts(options.budget, post=aiohttp_post(self.upstream.session))
        self.budget = Budget(
            options.budget,
            folder / LEDGER_FILE,
            request_limit_s=options.failover.deadlines.total,
            cheaper_model=cheapest_chat_model(options.providers),
            alarm=self.alerts.send,
            redis=self._redis,
            now=self.wall,
        )
        self._cache = self._new_cache(options)
        secrets_file = folder / "realtime-keys.sqlite3" if options.workers > 1 else None
        self.realtime = RealtimeEndpoints(
            GatewayDoor(self, RandomIds()),
            EphemeralKeys(secrets_file, unix_now=self.wall),
            observer=self.telemetry.realtime(),
        )
        self._assemble()

    async def reload(self, options: GatewayOptions) -> None:
        """Serve by other options from the next request on; requests under way end as they began.

        What cannot change while it runs (`FIXED`) stays as it is. Raises `ConfigError`, and then nothing has changed.
        """
        old = self.options
        options = reloadable(old, options)
        # Nothing waits before the new parts are all in their place, so that two reloads cannot mix.
        cache_before = self._cache
        cache = cache_before if options.caching == old.caching else self._new_cache(options)
        self._route(options)
        self.options = options
        health = self._new_health(options)
        if options.failover.breaker == old.failover.breaker:
            health.inherit(self.health, self.table.routes)
        self.health = health
        self.upstream.connect_timeout = options.failover.deadlines.connect
        self.budget.configure(options.budget, cheapest_chat_model(options.providers))
        self.alerts.configure(options.budget)
        self._open_door()
        self._cache = cache
        self._assemble()
        if cache_before is not None and cache_before is not cache:
            await cache_before.close()

    async def close(self) -> None:
        """Finish what is open, in the order in which parts need each other."""
        for job in self._jobs:
            job.cancel()
        await asyncio.gather(*self._jobs, return_exceptions=True)
        await self.realtime.close()
        if self._cache is not None:
            await self._cache.close()
        await self.budget.close()
        self.keys.close()
        self.limits.close()
        await self.upstream.close()
        if self._redis is not None:
            await self._redis.close()
        if self._tracing is not None:
            await self._tracing.close()
        self.telemetry.publish()

    # What the endpoints ask.

    def authenticate(self, headers: dict[str, str]) -> Caller:
        """Who asks. Raises `CallError` (401, 403)."""
        self.refuse_strangers(headers)
        return _or_raise(self._door.caller(headers, self.wall()))

    def refuse_strangers(self, headers: dict[str, str], token: str = "") -> None:
        """Keep foreign web pages out where no key is asked for. Raises `CallError` (403).

        A page that brings an ephemeral key as `token` is no stranger: its own server got the key here.
        """
        if self._keys_required() or token.startswith(EPHEMERAL):
            return
        if (fault := stranger(headers, self.options.host)) is not None:
            raise CallError(fault)

    def caller_of_token(self, token: str) -> Caller | Fault:
        """Who holds a key, by the rules of `authenticate`."""
        return self._door.caller({"authorization": f"Bearer {token}"} if token else {}, self.wall())

    def caller_of_id(self, key_id: str) -> Caller | Fault:
        """Whose key this is, as it stands now."""
        if key_id == ANONYMOUS.key_id and not self._keys_required():
            return ANONYMOUS
        for record in self.keys.list():
            if record.caller.key_id == key_id and record.state(self.wall()) == "active":
                return record.caller
        return Fault(kind=FaultKind.AUTH, message="The key behind this secret is revoked or expired.", status=401)

    def monotonic(self) -> float:
        """Now, as breakers count."""
        return self.clock.now()

    @contextlib.contextmanager
    def admitted(self) -> Iterator[None]:
        """Room for one more request. Raises `CallError` (503) when there is none."""
        if self._in_flight >= self.options.limits.concurrent:
            raise CallError(
                Fault(
                    kind=FaultKind.OVERLOADED,
                    message="The gateway serves as many requests as it may; try again in a moment.",
                    type="server_error",
                    code="too_many_requests_in_flight",
                    retry_after=1.0,
                )
            )
        self._in_flight += 1
        self.telemetry.began()
        try:
            yield
        finally:
            self._in_flight -= 1
            self.telemetry.ended()

    def turned_away(self, surface: Surface, request_id: str, fault: Fault, status: int) -> None:
        """A request that never reached the pipeline: a line, and the counters."""
        record = Record(
            request_id=request_id, key_id="", surface=surface, asked="", stream=False, began=0.0,
            cache_reason="refused", status=status, fault=fault,
        )  # fmt: skip
        self.log.finished(record)
        self.telemetry.turned_away(surface, status)

    def defect(self, request_id: str, error: Exception) -> Fault:
        """A rule of ours was broken: told to the client without detail, to the log with the place it happened at."""
        self.log.say(f"{request_id} internal error: {type(error).__name__} at {_place(error)}", level="error")
        return Fault(
            kind=FaultKind.SERVER,
            message=f"The gateway made a mistake of its own. Its log has the place under {request_id}.",
            type="server_error",
            code="internal_error",
        )

    def models(self, caller: Caller) -> list[Json]:
        """The models this caller may ask for, in OpenAI's shape."""
        owners = {route.model: route.provider for route in reversed(self.table.routes)}
        return [
            {"id": name, "object": "model", "created": 0, "owned_by": owners.get(name, "alias")}
            for name in self.table.names()
            if caller.allows(*self.table.known_as(name))
        ]

    def unknown_model(self, name: str) -> Fault:
        """The fault for a model nobody has."""
        return self.table.unknown(Surface.CHAT, name)

    def health_report(self) -> tuple[bool, Json]:
        """Whether anything can be served, and by which routes."""
        now = self.clock.now()
        states = {route.id: self.health.breaker_state(route, now).value for route in self.table.routes}
        able = [name for name, state in states.items() if state != "open"]
        return bool(able), {
            "status": "ok" if len(able) == len(states) else "degraded" if able else "down",
            "uptime_s": round(now - self._began, 1),
            "routes_up": len(able),
            "routes": len(states),
        }

    async def usage(self, caller: Caller) -> Json:
        """What was spent: of this key, or of everything for callers without one."""
        return usage_document(await self.budget.usage(), caller)

    async def status(self) -> Json:
        """Everything `mrblue gateway top` shows."""
        now = self.clock.now()
        return self.telemetry.status(self.table, self.health, now, await self.budget.usage(), self._warnings())

    async def metrics_page(self) -> bytes:
        """Prometheus' text format; without the budget while the ledger cannot be read."""
        try:
            budget = await self.budget.usage()
        except LedgerError:
            budget = None
        return self.telemetry.page(self.table, self.health, self.clock.now(), budget)

    # What the pipeline tells.

    def finished(self, record: Record) -> None:
        """One request is over: a line, and the counters."""
        self.log.finished(record)
        self.telemetry.finished(record)
        if self._tracing is not None:
            self._tracing.finished(record)

    def attempted(self, lane: Lane, note: Noted) -> None:
        """One attempt is over."""
        self.telemetry.attempted(lane, note)

    def charged(self, charge: Charge) -> None:
        """A call was booked."""
        self.telemetry.charged(charge)

    def puzzled(self, error: Exception) -> None:
        """Something was raised that no contract foresees; the request goes on elsewhere, or is told that it cannot."""
        self.log.say(f"unforeseen: {type(error).__name__} at {_place(error)}", level="error")

    # How it is put together.

    def _route(self, options: GatewayOptions) -> None:
        # Names from here on may be labels of metrics.
        kinds: dict[str, Provider] = {one.kind: provider(one.kind) for one in options.providers}
        self.table = build_table(
            options, lambda kind: kinds[kind].traits, lambda kind, model: takes_prefill(kinds[kind], model)
        )
        self._providers = kinds
        self.telemetry.learn(self.table)

    def _assemble(self) -> None:
        around = Surroundings(
            providers=self._providers,
            health=self.health,
            upstream=self.upstream,
            deadlines=self.options.failover.deadlines,
            clock=self.clock,
            sleep=asyncio.sleep,
            watcher=self,
        )
        self.pipeline = Pipeline(
            self.options,
            self.table,
            around,
            cache=self._cache,
            budget=self.budget,
            limits=self.limits,
            observer=self,
            chance=self._chance,
            wall=self.wall,
        )

    def _new_health(self, options: GatewayOptions) -> Health:
        def opened(route: str) -> None:
            breaker = options.failover.breaker
            self._warn(
                f"{route} failed {breaker.failure_threshold} times in a row: left alone for "
                f"{breaker.reset_timeout:g} s, then tried with one request"
            )

        return Health(options.failover.breaker, retry_delay=options.failover.retry_delay, on_open=opened)

    def _new_cache(self, options: GatewayOptions) -> Cache | None:
        caching = options.caching
        if not caching.enabled:
            return None
        embedder = self._embedder(caching)
        local = MemoryStore(max_size=caching.max_size, ttl=caching.ttl, wall=self.wall)
        store: Store = local
        if self._redis is not None:
            from mrblue_cli.gateway.cache.redis_store import RedisStore

            store = RedisStore(
                self._redis,
                local,
                clock=self.clock,
                wall=self.wall,
                ttl=caching.ttl,
                max_size=caching.max_size,
                space="" if embedder is None else f"{embedder.name}-{embedder.dimensions}",
            )
        choose = None if embedder is None else guards.choose
        return Cache(
            caching,
            store=store,
            embedder=embedder,
            choose=choose,
            wall=self.wall,
            chance=self._chance,
            warn=self._warn,
        )

    def _embedder(self, caching: CacheOptions) -> Embedder | None:
        """The embedder of the semantic tier; without one the exact tier goes on alone, and the log says why."""
        if not caching.semantic or caching.embedder == "none":
            return None
        if caching.embedder != "auto":
            return EndpointEmbedder(caching.embedder, caching.embedder_model, self.upstream.fetch)
        missing = bundled_missing()
        if missing is None:
            return bundled()
        self._warn(f"semantic cache off: {missing.what}" + (f" ({missing.hint})" if missing.hint else ""))
        return None

    def _new_tracing(self, options: GatewayOptions) -> Tracing:
        try:
            from mrblue_cli.gateway.server.tracing import Tracing
        except ImportError as error:
            raise MissingPart(
                f"telemetry.otlp_endpoint is set, but the package '{error.name}' is not installed",
                hint='install it with: pip install "mrblue-cli[gateway,otel]", or leave the address empty',
            ) from None
        return Tracing(options.telemetry, wall=self.wall, say=self.log.say)

    def _keys_required(self) -> bool:
        return key_required(self.options.host, self.options.require_key)

    def _open_door(self) -> None:
        self._door = Door(self.keys, required=self._keys_required())

    async def _keep_house(self) -> None:
        """Once a second: leave the numbers for the other workers; trade open breakers with other gateways."""
        breakers = None
        if self._redis is not None:
            from mrblue_cli.gateway.shared_breakers import SharedBreakers

            breakers = SharedBreakers(self._redis)
        failed: set[type[Exception]] = set()
        while True:
            await asyncio.sleep(_HOUSEKEEPING)
            try:
                self.telemetry.publish()
                if breakers is not None:
                    opened = await breakers.exchange(self.health.opened(self.clock.now()))
                    self.health.adopt(opened, self.clock.now())
            except Exception as error:  # noqa: BLE001 - one bad round (a full disk) must not be the last
                if type(error) not in failed:
                    failed.add(type(error))
                    self.puzzled(error)

    def _warnings(self) -> list[str]:
        """What whoever looks at the status should know."""
        if self._redis is not None and not self._redis.healthy:
            return ["Redis is lost: cache, budget, limits and breakers are this machine's own until it is back"]
        return []

    def _warn(self, text: str) -> None:
        self.log.say(text, level="warning")


def reloadable(running: GatewayOptions, wanted: GatewayOptions) -> GatewayOptions:
    """The wanted options with what cannot change (`FIXED`) as it runs.

    The host above all: whether keys are required depends on where the socket really listens.
    """
    return msgspec.structs.replace(wanted, **{name: getattr(running, name) for name in FIXED})


def _make_folder(folder: Path) -> None:
    """Raises `ConfigError` when it is neither there nor can be made."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise folder_error(folder, error) from None


def folder_error(folder: Path, error: OSError) -> ConfigError:
    """A state folder that cannot be used."""
    why = "it is a file" if isinstance(error, FileExistsError) else os.strerror(error.errno or 0).lower()
    return ConfigError(
        f"the state folder {folder} cannot be used: {why}",
        hint="give the gateway's user the right to write there, or name another folder: --state FOLDER",
    )


def _or_raise(outcome: Caller | Fault) -> Caller:
    """The caller. Raises `CallError` with the door's own status: it is the client's key that was refused."""
    if isinstance(outcome, Caller):
        return outcome
    kind = FaultKind.BAD_REQUEST if outcome.kind is FaultKind.AUTH else outcome.kind
    raise CallError(msgspec.structs.replace(outcome, kind=kind))


def _place(error: Exception) -> str:
    """Where it was raised; its words are left out, since they may quote a request or a key."""
    places = traceback.extract_tb(error.__traceback__)[-3:]
    return " < ".join(f"{Path(place.filename).name}:{place.lineno}" for place in reversed(places))
