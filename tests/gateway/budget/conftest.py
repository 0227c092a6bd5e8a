"""What the tests of the budget share."""

from __future__ import annotations

import contextlib

import pytest

from mrblue_cli.gateway.budget.service import Budget, Charge, KeyLimits
from mrblue_cli.gateway.model import NANO, Surface, Usage
from mrblue_cli.gateway.options import BudgetOptions

START = 1_795_219_200.0 + 3600.0
"""2026-11-21, one in the morning, UTC."""


class WallClock:
    """Unix time that moves only when told."""

    def __init__(self, at: float = START) -> None:
        self.at = at

    def __call__(self) -> float:
        return self.at

    def advance(self, seconds: float) -> None:
        self.at += seconds


class Bell:
    """An alarm that keeps what it was told."""

    def __init__(self) -> None:
        self.rung = []

    async def __call__(self, alert) -> None:
        self.rung.append(alert)


def charge(cost=1000, *, outcome="ok", model="gpt-4o", provider="openai", tokens=(10, 20)):
    return Charge(provider, model, Usage(input_tokens=tokens[0], output_tokens=tokens[1]), cost, outcome)


def ask(budget, amount, *, key="", limits=None, surface=Surface.CHAT, request="req_1", model="gpt-4o"):
    """Reserve `amount` dollars (None: unknown price)."""
    return budget.reserve(
        request_id=request,
        key_id=key,
        key_limits=limits or KeyLimits(),
        estimate_nano=None if amount is None else round(amount * NANO),
        surface=surface,
        model=model,
    )


@pytest.fixture
def clock():
    return WallClock()


@pytest.fixture
def bell():
    return Bell()


@pytest.fixture
async def open_budget(tmp_path, clock, bell):
    """Makes budgets over one file; closes them afterwards."""
    async with contextlib.AsyncExitStack() as stack:

        def make(*, path=None, redis=None, **options):
            made = Budget(
                BudgetOptions(**options),
                path or tmp_path / "gateway.sqlite3",
                now=clock,
                alarm=bell,
                redis=redis,
                cheaper_model="small",
            )
            stack.push_async_callback(made.close)
            return made

        yield make
