"""One budget over two machines through a real Redis: shared, lost, emptied, late."""

from __future__ import annotations

import asyncio
import contextlib
import random

import pytest

from mrblue_cli.gateway.budget.ledger import Snapshot
from mrblue_cli.gateway.budget.model import ALL
from mrblue_cli.gateway.budget.policy import AlertDue, Limit, Rules, Standing, decide, stop_at
from mrblue_cli.gateway.budget.service import SWEEP_S, BudgetExceeded, KeyLimits
from mrblue_cli.gateway.budget.shared_totals import Ceiling, SharedTotals
from mrblue_cli.gateway.model import NANO, Surface
from mrblue_cli.gateway.options import AlertOptions
from mrblue_cli.gateway.shared import SharedRedis
from tests.fakes.clock import ManualClock
from tests.gateway.budget.conftest import ask, charge
from tests.gateway.redis_server import needs_redis

pytestmark = needs_redis
DAY = "2026-11-21"


@pytest.fixture
async def connect(redis_server):
    """Makes connections to one Redis; `.ticks` is their clock, `.lost` what they warned of."""
    async with contextlib.AsyncExitStack() as stack:

        def make(limit=5.0):
            shared = SharedRedis(
                redis_server.url, clock=make.ticks, on_lost=make.lost.append, limit=limit, probe_every=3.0
            )
            stack.push_async_callback(shared.close)
            return shared

        make.ticks, make.lost = ManualClock(), []
        yield make


@pytest.fixture
def machines(open_budget, connect, tmp_path):
    """Makes budgets of two machines: a ledger each, one Redis."""

    def make(wait=5.0, **options):
        return [
            open_budget(path=tmp_path / name / "gateway.sqlite3", redis=connect(wait), **options)
            for name in ("one", "two")
        ]

    return make


async def found_again(shared, ticks):
    async with asyncio.timeout(20):
        while not shared.healthy:
            ticks.advance(3.0)
            await shared.run("probing", lambda client: client.ping(), lambda: None)
            if shared._probe is not None:
                await shared._probe


async def test_what_one_machine_sets_aside_the_other_cannot_spend(machines):
    one, two = machines(daily_limit=1.0)
    held = await ask(one, 0.6)
    with pytest.raises(BudgetExceeded, match=r"\$0\.60 set aside"):
        await ask(two, 0.6)
    await one.settle(held, [charge(NANO // 10)])
    await ask(two, 0.6)
    for budget in (one, two):
        usage = await budget.usage()
        assert usage.shared
        assert (usage.today.spent_usd, usage.today.reserved_usd) == (0.1, 0.6)


async def test_a_refused_request_holds_nothing_anywhere(machines):
    one, two = machines(daily_limit=1.0)
    await ask(one, 0.9)
    with pytest.raises(BudgetExceeded):
        await ask(two, 0.2)
    assert (await one.usage()).today.reserved_usd == pytest.approx(0.9)
    await ask(two, 0.1)


async def test_a_key_has_one_budget_everywhere(machines):
    one, two = machines()
    mine = KeyLimits(monthly_nano=NANO)
    await ask(one, 0.7, key="k", limits=mine)
    await ask(two, 0.7, key="other", limits=mine)
    with pytest.raises(BudgetExceeded, match="monthly budget of this key"):
        await ask(two, 0.7, key="k", limits=mine)


async def test_a_rush_on_both_machines_gets_no_more_than_there_is(machines):
    budgets = machines(daily_limit=1.0)
    results = await asyncio.gather(*(ask(budgets[n % 2], 0.07) for n in range(40)), return_exceptions=True)
    granted = [it for it in results if not isinstance(it, BaseException)]
    assert {type(it) for it in results if isinstance(it, BaseException)} == {BudgetExceeded}
    # A request that is being refused counts for a moment, so the last one that would fit may be refused beside it.
    assert 10 <= len(granted) <= 14
    usage = await budgets[0].usage()
    assert usage.today.reserved_usd == pytest.approx(0.07 * len(granted))


async def test_a_lost_redis_leaves_each_machine_its_own_totals_until_it_is_back(machines, connect, redis_server, clock):
    one, two = machines(daily_limit=1.0)
    await one.settle(await ask(one, 0.5), [charge(NANO // 2)])
    redis_server.stop()
    await two.settle(await ask(two, 0.4), [charge(NANO * 4 // 10)])
    assert not (await two.usage()).shared
    assert len(connect.lost) == 1
    redis_server.start()  # empty: it kept nothing
    for budget in (one, two):
        await found_again(budget._shared._redis, connect.ticks)
    clock.advance(SWEEP_S)
    # Neither has to touch what it spent before: the sweep announces it.
    await one.release(await ask(one, 0.01))
    await two.release(await ask(two, 0.01))
    async with asyncio.timeout(5):
        while one._jobs or two._jobs:
            await asyncio.wait(one._jobs | two._jobs)
    assert (await one.usage()).today.spent_usd == pytest.approx(0.9)
    with pytest.raises(BudgetExceeded):
        await ask(one, 0.2)


async def test_thresholds_are_told_by_one_machine(machines, bell):
    one, two = machines(daily_limit=1.0, alerts=(AlertOptions(threshold=0.5),))
    await one.settle(await ask(one, 0.4), [charge(NANO * 4 // 10)])
    await two.settle(await ask(two, 0.2), [charge(NANO * 2 // 10)])
    await one.settle(await ask(one, 0.1), [charge(NANO // 10)])
    await one.close()
    await two.close()
    assert [alert.threshold for alert in bell.rung] == [0.5]


async def test_throttling_goes_by_what_all_spent(machines):
    one, two = machines(daily_limit=1.0, alerts=(AlertOptions(threshold=0.5, action="throttle"),))
    await one.settle(await ask(one, 0.6), [charge(NANO * 6 // 10)])
    assert (await ask(two, 0.01)).throttle is not None


async def test_a_request_that_is_given_up_while_asking_holds_nothing(machines, redis_server):
    one, _ = machines(wait=0.5, daily_limit=1.0)
    await ask(one, 0.1)
    redis_server.freeze()
    asking = asyncio.ensure_future(ask(one, 0.5))
    await asyncio.sleep(0)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    redis_server.thaw()
    held = one._ledger.totals(DAY)
    assert {it.reserved for it in held if it.scope == ALL} == {NANO // 10}


async def test_late_news_does_not_overwrite_newer(connect):
    totals = SharedTotals(connect(), "m1")
    new, old = Snapshot(DAY, ALL, 70, 5, 12), Snapshot(DAY, ALL, 50, 25, 11)
    assert await totals.publish([new]) == [Standing(70, 5)]
    assert await totals.publish([old]) == [Standing(70, 5)]
    other = SharedTotals(connect(), "m2")
    assert await other.publish([Snapshot(DAY, ALL, 1, 2, 1)]) == [Standing(71, 7)]
    assert await other.publish([]) == []


async def test_an_alert_is_claimed_once(connect):
    due = AlertDue(DAY, ALL, "daily", 0.5, "notify", 5, 10)
    one, two = SharedTotals(connect(), "m1"), SharedTotals(connect(), "m2")
    assert [await it.is_news(due) for it in (one, two, one)] == [True, False, False]
    assert await two.is_news(due._replace(threshold=0.9))


async def test_the_script_and_the_policy_agree(connect):
    """What Redis lets pass is what `policy.decide` lets pass, for amounts around every edge."""
    chance = random.Random(11)
    shared, rivals = connect(), 0
    for number in range(150):
        spent, held, rival, amount = (chance.randrange(6) for _ in range(4))
        ceiling = chance.choice([None, *range(12)])
        rules = Rules((AlertOptions(threshold=0.5, action="block"),) if chance.random() < 0.5 else ())
        limit = None if ceiling is None else Limit("daily", ALL, f"2026-11-{number}", ceiling, 60.0)
        period = f"2026-11-{number}"
        await SharedTotals(shared, "rival").publish([Snapshot(period, ALL, rival, 0, 1)])
        mine = Snapshot(period, ALL, spent, held + amount, 1)
        bound = Ceiling(None, None) if limit is None else Ceiling(limit.amount, stop_at(limit, rules.alerts))
        if amount == 0:
            bound = Ceiling(None, None)
        [standing] = await SharedTotals(shared, "mine").reserve([mine], amount, [bound])
        assert standing == Standing(spent + rival, held)
        decision = decide([(limit, standing)] if limit else [], amount, Surface.CHAT, rules, 0.0)
        [after] = await SharedTotals(shared, "third").publish([Snapshot(period, ALL, 0, 0, 1)])
        announced = after.spent - rival == spent and after.reserved == held + amount
        refused = after == Standing(rival, 0)
        assert announced or refused
        if (spent, held, amount) != (0, 0, 0):
            assert refused == (decision.block is not None), (spent, held, rival, amount, ceiling, rules)
        rivals += refused
    assert 30 < rivals < 120
