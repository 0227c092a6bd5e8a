"""The gateway's core without a web server and without sockets, in virtual time: pipeline, books and all between.

Budget, limits, cache, health and adapters are the real ones; only the wire is a script (`fakes.incoming`).
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sqlite3
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from mrblue_cli.gateway.access.keys import ANONYMOUS, Caller
from mrblue_cli.gateway.access.limits import Limits
from mrblue_cli.gateway.answers import Answer, Ask, BrokenOff, Record
from mrblue_cli.gateway.budget.service import Budget, Charge
from mrblue_cli.gateway.cache.service import Cache
from mrblue_cli.gateway.model import Surface
from mrblue_cli.gateway.options import (
    BreakerOptions,
    BudgetOptions,
    CacheOptions,
    DeadlineOptions,
    FailoverOptions,
    GatewayOptions,
    KeyOptions,
    ModelOptions,
    ProviderOptions,
)
from mrblue_cli.gateway.pipeline import Pipeline
from mrblue_cli.gateway.providers.registry import provider
from mrblue_cli.gateway.routing.build import build_table
from mrblue_cli.gateway.routing.health import Health
from mrblue_cli.gateway.run import Surroundings
from tests.fakes.incoming import Wires
from tests.fakes.virtual_time import LoopClock

PRICES = {"input_price": 3.0, "output_price": 12.0}
DEADLINES = DeadlineOptions(connect=5.0, first_token=15.0, idle=20.0, answer=120.0, total=600.0)


def one(
    name: str, priority: int = 1, *more: ModelOptions, kind: str = "openai-compatible", model: str = "m-1", **about: Any
) -> ProviderOptions:
    """A provider at `http://NAME.test/v1` with a model at a known price, and perhaps more models."""
    return ProviderOptions(
        name=name,
        kind=kind,
        priority=priority,
        base_url=f"http://{name}.test/v1",
        keys=(KeyOptions(secret=f"sk-{name}"),),
        models=(ModelOptions(**{"name": model, **PRICES, **about}), *more),
    )


class CountedBudget(Budget):
    """Notes how often each reservation was ended."""

    lag = 0.0
    """Seconds that settling takes, as over a slow Redis."""

    def __init__(self, *given: Any, **more: Any) -> None:
        self.opened: list[str] = []
        self.ended: Counter[str] = Counter()
        super().__init__(*given, **more)

    async def reserve(self, **given: Any) -> Any:
        made = await super().reserve(**given)
        self.opened.append(given["request_id"])
        return made

    @property
    def shared(self) -> bool:
        return super().shared or self.lag > 0

    async def settle(self, reservation: Any, charges: Any, **more: Any) -> None:
        if self.lag:
            await asyncio.sleep(self.lag)
        self.ended[reservation.request_id] += 1
        await super().settle(reservation, charges, **more)

    async def release(self, reservation: Any) -> None:
        self.ended[reservation.request_id] += 1
        await super().release(reservation)


class Line(NamedTuple):
    """A line of the ledger that names a provider."""

    provider: str
    outcome: str
    cost: int | None
    input: int
    output: int
    estimated: bool


class Core:
    """One pipeline with its books. Make it inside the loop."""

    stopping = False

    def __init__(
        self,
        folder: Path,
        wires: Wires,
        *providers: ProviderOptions,
        budget: BudgetOptions | None = None,
        caching: bool = False,
        chance: Callable[[], float] = lambda: 0.5,
        breaker: BreakerOptions | None = None,
        deadlines: DeadlineOptions = DEADLINES,
        aliases: tuple[tuple[str, str], ...] = (),
        cheaper: str | None = None,
        **failover: Any,
    ) -> None:
        self.records: list[Record] = []
        self.charges: list[Charge] = []
        self.defects: list[Exception] = []
        self.folder = folder
        self.wires = wires
        self.wall = lambda: 1_800_000_000.0 + asyncio.get_running_loop().time()
        self.options = GatewayOptions(
            providers=providers,
            aliases=aliases,
            caching=CacheOptions(enabled=caching, semantic=False),
            budget=budget or BudgetOptions(),
            failover=FailoverOptions(**{"breaker": breaker or BreakerOptions(), "deadlines": deadlines, **failover}),
        )
        kinds = {each.kind: provider(each.kind) for each in providers}
        self.table = build_table(self.options, lambda kind: kinds[kind].traits)
        self.health = Health(self.options.failover.breaker, retry_delay=self.options.failover.retry_delay)
        self.budget = CountedBudget(
            self.options.budget, folder / "ledger.sqlite3", cheaper_model=cheaper, now=self.wall
        )
        self.limits = Limits()
        self.cache = Cache(self.options.caching, wall=self.wall) if caching else None
        self.around = Surroundings(
            providers=kinds,
            health=self.health,
            upstream=wires,  # type: ignore[arg-type]
            deadlines=deadlines,
            clock=LoopClock(),
            sleep=asyncio.sleep,
            watcher=self,
        )
        self.pipeline = Pipeline(
            self.options, self.table, self.around, cache=self.cache, budget=self.budget, limits=self.limits,
            observer=self, chance=chance, wall=self.wall,
        )  # fmt: skip
        self._asked = 0

    # What the core tells.

    def finished(self, record: Record) -> None:
        self.records.append(record)

    def attempted(self, lane: Any, note: Any) -> None:
        pass

    def charged(self, charge: Charge) -> None:
        self.charges.append(charge)

    def puzzled(self, error: Exception) -> None:
        self.defects.append(error)

    # What a test asks.

    def ask(
        self,
        surface: Surface = Surface.CHAT,
        *,
        caller: Caller = ANONYMOUS,
        parts: Any = (),
        control: str = "",
        **body: Any,
    ) -> Ask:
        """A request of this surface for `m-1`."""
        self._asked += 1
        given = {**_usual(surface), **body}
        return Ask(
            surface=surface, body=given, caller=caller, request_id=f"req-{self._asked}", parts=parts, control=control
        )

    async def answer(self, ask: Ask) -> Heard:
        """Ask, and read all there is."""
        return await heard(await self.pipeline.answer(ask))

    def ledger(self) -> list[Line]:
        """Its lines in order."""
        with contextlib.closing(sqlite3.connect(self.folder / "ledger.sqlite3")) as base:
            rows = base.execute(
                "SELECT provider, outcome, cost_nano, input_tokens, output_tokens, usage FROM charges"
                " WHERE provider <> '' ORDER BY reservation, line"
            ).fetchall()
        return [Line(*row[:5], bool(json.loads(row[5] or "{}").get("estimated"))) for row in rows]

    def in_order(self) -> None:
        """All that must hold when nothing is under way."""
        assert self.budget.ended == Counter(self.budget.opened), "a reservation was not ended exactly once"
        left = {name: state.in_flight for name, state in self.health._routes.items() if state.in_flight}
        assert not left, f"calls that never ended: {left}"
        lines = self.ledger()
        booked = Counter((line.provider, line.outcome, line.cost, line.input, line.output) for line in lines)
        told = Counter(
            (it.provider, it.outcome, it.cost_nano, it.usage.input_tokens, it.usage.output_tokens)
            for it in self.charges
        )
        assert booked == told, "the ledger and the metrics differ"
        with contextlib.closing(sqlite3.connect(self.folder / "ledger.sqlite3")) as base:
            totals = base.execute("SELECT reserved, spent FROM totals WHERE scope = '*'").fetchall()
        assert all(reserved == 0 for reserved, _ in totals)
        assert all(spent == sum(line.cost or 0 for line in lines) for _, spent in totals)
        assert len(self.records) == self._asked, "a request without its one line"
        self.wires.all_closed()


class Heard(NamedTuple):
    """An answer, read to its end."""

    status: int
    headers: dict[str, str]
    content_type: str
    body: bytes
    broken: bool
    """The connection breaks off."""

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def events(self) -> list[Any]:
        said = [line[6:] for line in self.body.decode().split("\n") if line.startswith("data: ")]
        return [json.loads(each) if each.startswith("{") else each for each in said]

    @property
    def text(self) -> str:
        return text_of(self.events)

    @property
    def done(self) -> bool:
        """A chat stream with its end mark."""
        return bool(self.events) and self.events[-1] == "[DONE]"

    @property
    def error(self) -> Any:
        if self.content_type.startswith("text/event-stream"):
            return next((each["error"] for each in self.events if isinstance(each, dict) and "error" in each), None)
        return self.json.get("error")

    @property
    def usage(self) -> Any:
        return next((each["usage"] for each in self.events if isinstance(each, dict) and each.get("usage")), None)


async def heard(answer: Answer) -> Heard:
    """Read all of it, as the web server does."""
    body, broken = answer.body, False
    if answer.frames is not None:
        try:
            async for data in answer.frames:
                body += data
        except BrokenOff:
            broken = True
        finally:
            await answer.frames.aclose()
    return Heard(answer.status, answer.headers, answer.content_type, body, broken)


def text_of(events: list[Any]) -> str:
    """The visible text of a stream on any of the three surfaces."""
    said = []
    for event in events:
        if not isinstance(event, dict):
            continue
        said += [(choice.get("delta") or {}).get("content") or "" for choice in event.get("choices") or ()]
        if event.get("type") == "content_block_delta":
            said.append(event["delta"].get("text", ""))
        if event.get("type") == "response.output_text.delta":
            said.append(event["delta"])
    return "".join(said)


def _usual(surface: Surface) -> dict[str, Any]:
    match surface:
        case Surface.RESPONSES:
            return {"model": "m-1", "input": "Why is port 3000 busy?"}
        case Surface.EMBEDDINGS:
            return {"model": "m-1", "input": "port 3000"}
        case Surface.SPEECH:
            return {"model": "m-1", "input": "Port 3000 is busy.", "voice": "alloy"}
        case Surface.TRANSCRIPTION:
            return {"model": "m-1"}
        case Surface.MESSAGES:
            return {"model": "m-1", "max_tokens": 100, "messages": [{"role": "user", "content": "Why is it busy?"}]}
        case _:
            return {"model": "m-1", "messages": [{"role": "user", "content": "Why is port 3000 busy?"}]}
