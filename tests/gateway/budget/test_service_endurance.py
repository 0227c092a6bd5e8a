"""The budget when things go wrong around it: killed processes, a file that cannot be written, a race for the rest."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sqlite3
import threading

import pytest

from mrblue_cli.gateway.budget.ledger import Ledger
from mrblue_cli.gateway.budget.model import ALL
from mrblue_cli.gateway.budget.policy import AlertDue, Limit, Rules, decide
from mrblue_cli.gateway.budget.service import SWEEP_S, Budget, BudgetExceeded, LedgerError
from mrblue_cli.gateway.model import NANO, Surface
from mrblue_cli.gateway.options import AlertOptions, BudgetOptions
from tests.gateway.budget.audit import check
from tests.gateway.budget.conftest import START, ask, charge
from tests.gateway.budget.test_ledger import dead

DUE = AlertDue("2026-11-21", ALL, "daily", 0.5, "notify", 5, 10)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "gateway.sqlite3"


def leave_open(path, amount, *, worker=None):
    """A process that reserved and was killed."""
    with contextlib.closing(Ledger(path, worker=worker or dead())) as ledger:
        ledger.reserve(request_id="r", key_id="", surface=Surface.CHAT, model="m", amount=amount, now=START)


async def test_what_a_killed_process_left_open_counts_as_spent_from_the_start(path, open_budget, caplog):
    leave_open(path, NANO * 6 // 10)
    budget = open_budget(daily_limit=1.0)
    usage = await budget.usage()
    assert (usage.today.spent_usd, usage.today.reserved_usd) == (0.6, 0.0)
    assert "1 request(s) ended without a word" in caplog.text
    with pytest.raises(BudgetExceeded):
        await ask(budget, 0.5)


async def test_a_worker_that_dies_later_is_found_by_the_others(path, open_budget, clock):
    budget = open_budget(daily_limit=1.0)
    leave_open(path, NANO * 6 // 10)
    assert (await budget.usage()).today.reserved_usd == 0.6
    clock.advance(SWEEP_S)
    await budget.release(await ask(budget, 0.1))
    await asyncio.gather(*budget._jobs)
    assert (await budget.usage()).today.spent_usd == 0.6
    check(path)


async def test_our_own_requests_count_as_lost_only_when_none_may_last_so_long(path, open_budget, clock):
    budget = open_budget()
    held = await ask(budget, 0.5)
    for spent in (0.0, 0.5):
        clock.advance(SWEEP_S if not spent else 660)
        await budget.release(await ask(budget, 0))
        await asyncio.gather(*budget._jobs)
        assert (await budget.usage()).today.spent_usd == spent
    await budget.settle(held, [charge(NANO // 5)])
    assert (await budget.usage()).today.spent_usd == 0.2
    check(path)


async def test_an_alert_a_killed_process_did_not_send_is_sent_by_the_next(path, open_budget, bell):
    with contextlib.closing(Ledger(path, worker=dead())) as killed:
        killed.mark_alerts([DUE], START)
    budget = open_budget()
    await budget.release(await ask(budget, 0))
    await budget.close()
    assert bell.rung == [DUE]
    again = open_budget()
    await again.release(await ask(again, 0))
    await again.close()
    assert bell.rung == [DUE]


async def test_what_cannot_be_written_is_written_later(path, open_budget, caplog):
    budget = open_budget(daily_limit=1.0)
    first, second = await ask(budget, 0.2), await ask(budget, 0.2)
    budget._ledger._base.execute("PRAGMA query_only=1")
    await budget.settle(first, [charge(NANO // 10)])
    await budget.settle(second, [charge(NANO // 10)])
    assert "cannot be written now" in caplog.text
    assert (await budget.usage()).today.reserved_usd == 0.4
    budget._ledger._base.execute("PRAGMA query_only=0")
    await budget.settle(await ask(budget, 0.2), [charge(NANO // 10)])
    usage = await budget.usage()
    assert (usage.today.spent_usd, usage.today.reserved_usd) == (pytest.approx(0.3), 0.0)
    check(path)


async def test_a_ledger_that_cannot_be_used_says_so_to_whoever_asks(path, open_budget):
    budget = open_budget(daily_limit=1.0)
    budget._ledger._base.execute("PRAGMA query_only=1")
    with pytest.raises(LedgerError, match="readonly") as refused:
        await ask(budget, 0.1)
    assert refused.value.hint
    budget._ledger._base.execute("PRAGMA query_only=0")
    assert await ask(budget, 0.1)
    path2 = path.with_name("broken")
    path2.write_bytes(b"no database at all, and long enough" * 200)
    with pytest.raises(LedgerError):
        Budget(BudgetOptions(), path2)


async def test_an_alarm_that_hangs_does_not_hold_up_the_end(path, clock):
    hanging = asyncio.Event()

    async def hang(_alert):
        await hanging.wait()

    options = BudgetOptions(daily_limit=1.0, alerts=(AlertOptions(threshold=0.5),))
    budget = Budget(options, path, alarm=hang, now=clock)
    await budget.settle(await ask(budget, 0.6), [charge(NANO * 6 // 10)])
    async with asyncio.timeout(5):
        await budget.close(grace_s=0.05)
    with contextlib.closing(sqlite3.connect(path)) as base:
        assert base.execute("SELECT sent FROM alerts").fetchall() == [(0,)]


async def test_the_log_is_moved_into_the_file_behind_the_requests(path, open_budget):
    budget = open_budget()
    for _ in range(401):
        await budget.settle(await ask(budget, 0), [charge(0)])
    await asyncio.gather(*budget._jobs)
    before = path.stat().st_size
    assert before > 50_000, "nothing was moved"
    check(path)


async def test_every_alert_leaves_a_line_in_the_log(open_budget, caplog):
    caplog.set_level(logging.WARNING)
    budget = open_budget(daily_limit=1.0, alerts=(AlertOptions(threshold=0.8),))
    await budget.settle(await ask(budget, 0.9), [charge(NANO * 9 // 10)])
    await budget.close()
    assert "80% of $1.00 daily (2026-11-21, all keys): $0.90 spent; action: notify" in caplog.text


def test_writers_that_race_for_the_last_money_get_exactly_what_is_there(path):
    limit = Limit("daily", ALL, "2026-11-21", 1000, START + 60)
    granted, start = [], threading.Barrier(4)

    def judge(standings):
        return decide([(limit, standings[0])], 7, Surface.CHAT, Rules(), START)

    def work():
        with contextlib.closing(Ledger(path)) as ledger:
            start.wait(10)
            for _ in range(60):
                held = ledger.reserve(
                    request_id="r", key_id="", surface=Surface.CHAT, model="m", amount=7, now=START,
                    limits=[limit], judge=judge,
                ).reservation  # fmt: skip
                if held:
                    granted.append(held.id)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(granted) == len(set(granted)) == 1000 // 7
    _, _, totals = check(path)
    assert totals["2026-11-21", ALL][1] == 1000 // 7 * 7
