"""The gateway on a real socket inside the test's own loop, and its ledger as it stands in the file."""

from __future__ import annotations

import contextlib
import io
import json
import random
import sqlite3
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import NamedTuple

from mrblue_cli.core.clock import Clock
from mrblue_cli.gateway.gateway import Gateway
from mrblue_cli.gateway.options import GatewayOptions
from mrblue_cli.gateway.server.app import build_app
from tests.gateway.serving import serving


def nano_reserved(folder: Path) -> int:
    """What is still set aside; nothing, when all is over."""
    with contextlib.closing(sqlite3.connect(folder / "gateway.sqlite3")) as base:
        return int(base.execute("SELECT coalesce(sum(reserved), 0) FROM totals").fetchone()[0])


@contextlib.asynccontextmanager
async def running_gateway(
    options: GatewayOptions, *, clock: Clock | None = None, chance: Callable[[], float] = random.random
) -> AsyncIterator[RunningGateway]:
    """The gateway with these options, until the block ends."""
    log = io.StringIO()
    gateway = Gateway(options, log=log, clock=clock, chance=chance)
    async with serving(build_app(gateway)) as address:
        yield RunningGateway(address, gateway, log)


class RunningGateway(NamedTuple):
    """A gateway that serves."""

    address: str
    """`http://127.0.0.1:PORT`, without `/v1`."""
    gateway: Gateway
    log: io.StringIO

    @property
    def chat(self) -> str:
        """Where chat completions are asked for."""
        return f"{self.address}/v1/chat/completions"

    def breaker(self, provider: str) -> str:
        """The state of the breaker of that provider's first route."""
        route = next(one for one in self.gateway.table.routes if one.provider == provider)
        return str(self.gateway.health.breaker_state(route, self.gateway.clock.now()))

    def nobody_waits(self) -> None:
        """No call is counted as under way any more."""
        left = {route.id: self.gateway.health.of(route).in_flight for route in self.gateway.table.routes}
        assert not any(left.values()), f"calls that never ended: {left}"


class Line(NamedTuple):
    """One line of the ledger."""

    provider: str
    outcome: str
    cost_nano: int | None
    input: int
    output: int
    estimated: bool


def ledger(folder: Path) -> list[Line]:
    """The ledger's lines in order, from the file itself."""
    with contextlib.closing(sqlite3.connect(folder / "gateway.sqlite3")) as base:
        rows = base.execute(
            "SELECT provider, outcome, cost_nano, input_tokens, output_tokens, usage FROM charges"
            " WHERE provider <> '' ORDER BY reservation, line"
        ).fetchall()
    return [Line(*row[:5], bool(json.loads(row[5] or "{}").get("estimated"))) for row in rows]
