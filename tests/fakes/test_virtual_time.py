"""The virtual loop keeps order and never waits for real."""

from __future__ import annotations

import asyncio

import pytest

from tests.fakes.virtual_time import LoopClock, run_virtual


def test_an_hour_passes_at_once_and_in_order():
    seen = []

    async def sleeper(name, seconds):
        await asyncio.sleep(seconds)
        seen.append((name, LoopClock().now()))

    async def main():
        await asyncio.gather(sleeper("late", 3600), sleeper("early", 0.02))
        return "done"

    assert run_virtual(main()) == "done"
    assert seen == [("early", pytest.approx(0.02)), ("late", pytest.approx(3600))]


def test_a_deadlock_is_an_error_not_a_hang():
    async def main():
        await asyncio.sleep(8000)

    with pytest.raises(TimeoutError):
        run_virtual(main())
