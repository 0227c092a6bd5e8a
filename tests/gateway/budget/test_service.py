"""Reserve before, settle after: limits hold, whatever order things happen in."""

from __future__ import annotations

import asyncio

import pytest

from mrblue_cli.gateway.budget.service import Budget, BudgetExceeded, Charge, KeyLimits
from mrblue_cli.gateway.model import NANO, Surface, Usage
from mrblue_cli.gateway.options import AlertOptions, BudgetOptions
from tests.gateway.budget.conftest import ask, charge

DOLLAR = NANO


async def test_what_is_set_aside_counts_until_it_is_settled(open_budget):
    budget = open_budget(daily_limit=1.0)
    first = await ask(budget, 0.6)
    with pytest.raises(BudgetExceeded, match=r"\$0\.60 set aside") as refused:
        await ask(budget, 0.6)
    assert refused.value.retry_after_s <= 15
    await budget.settle(first, [charge(DOLLAR // 10)])
    await ask(budget, 0.6)
    usage = await budget.usage()
    assert usage.today.spent_usd == pytest.approx(0.1)
    assert usage.today.reserved_usd == pytest.approx(0.6)
    assert usage.today.limit_usd == 1.0
    assert (usage.today.requests, usage.today.input_tokens, usage.today.output_tokens) == (1, 10, 20)


async def test_usage_before_anything_was_used_and_after_a_hit(open_budget):
    budget = open_budget(monthly_limit=9.0)
    empty = await budget.usage()
    assert (empty.today.spent_usd, empty.this_month.limit_usd, empty.keys_today) == (0.0, 9.0, {})
    await budget.settle(await ask(budget, 0.5), [], cache="hit-exact", saved_nano=DOLLAR // 4)
    assert (await budget.usage()).this_month.saved_usd == 0.25


async def test_a_spent_day_is_closed_until_the_next_utc_day(open_budget, clock):
    budget = open_budget(daily_limit=1.0)
    await budget.settle(await ask(budget, 1.0), [charge(DOLLAR)])
    with pytest.raises(BudgetExceeded, match="daily budget") as refused:
        await ask(budget, 0.01)
    assert refused.value.retry_after_s == pytest.approx(23 * 3600)
    clock.advance(refused.value.retry_after_s)
    assert await ask(budget, 1.0)


async def test_a_spent_month_is_closed_until_the_next_month(open_budget, clock):
    budget = open_budget(monthly_limit=1.0)
    await budget.settle(await ask(budget, 1.0), [charge(DOLLAR)])
    with pytest.raises(BudgetExceeded, match="monthly budget") as refused:
        await ask(budget, 0.01)
    assert refused.value.retry_after_s == pytest.approx((10 - 1 / 24) * 86_400)
    clock.advance(refused.value.retry_after_s)
    assert await ask(budget, 1.0)


async def test_a_key_has_limits_of_its_own(open_budget):
    budget = open_budget(daily_limit=10.0)
    mine = KeyLimits(daily_nano=DOLLAR)
    await ask(budget, 1.0, key="a", limits=mine)
    with pytest.raises(BudgetExceeded, match="of this key"):
        await ask(budget, 0.1, key="a", limits=mine)
    await ask(budget, 1.0, key="b", limits=mine)
    usage = await budget.usage()
    assert {name: it.reserved_usd for name, it in usage.keys_today.items()} == {"a": 1.0, "b": 1.0}
    assert set((await budget.usage("a")).keys_today) == {"a"}


async def test_settling_twice_counts_once_and_releasing_leaves_nothing(open_budget):
    budget = open_budget(daily_limit=1.0)
    held = await ask(budget, 0.5)
    for _ in range(2):
        await budget.settle(held, [charge(DOLLAR // 4)])
    await budget.release(held)
    other = await ask(budget, 0.5)
    await budget.release(other)
    await budget.release(other)
    usage = await budget.usage()
    assert (usage.today.spent_usd, usage.today.reserved_usd) == (0.25, 0.0)


async def test_a_call_that_ends_after_midnight_is_charged_to_its_own_day(open_budget, clock):
    budget = open_budget(daily_limit=1.0)
    held = await ask(budget, 1.0)
    clock.advance(86_400)
    await budget.settle(held, [charge(DOLLAR)])
    usage = await budget.usage()
    assert usage.today.spent_usd == 0.0
    assert usage.this_month.spent_usd == 1.0


async def test_a_free_call_passes_a_spent_budget_and_an_unpriced_one_does_not(open_budget):
    budget = open_budget(daily_limit=1.0)
    await ask(budget, None)
    await budget.settle(await ask(budget, 1.0), [charge(DOLLAR)])
    await ask(budget, 0)
    with pytest.raises(BudgetExceeded, match="daily budget"):
        await ask(budget, None)


async def test_models_without_a_price_are_refused_when_the_options_say_so(open_budget):
    budget = open_budget(unknown_price="block")
    with pytest.raises(BudgetExceeded, match="no price is known for the model 'mystery'") as refused:
        await ask(budget, None, model="mystery")
    assert refused.value.code == "price_unknown"
    assert await ask(budget, 0.1)


async def test_near_the_limit_requests_get_slower_then_cheaper(open_budget, bell):
    budget = open_budget(daily_limit=1.0, alerts=(AlertOptions(threshold=0.8, action="throttle"),), throttle_delay=0.7)
    assert (await ask(budget, 0.8)).throttle is None
    slowed = await ask(budget, 0.1)
    assert slowed.throttle.delay_s == 0.7
    assert slowed.throttle.model is None
    assert (await ask(budget, 0.01)).throttle.model == "small"
    assert (await ask(budget, 0.01, surface=Surface.EMBEDDINGS)).throttle.model is None
    await asyncio.sleep(0)
    assert [alert.action for alert in bell.rung] == ["throttle"]


async def test_thresholds_are_told_once_even_over_a_restart(open_budget, bell, tmp_path, clock):
    alerts = (AlertOptions(threshold=0.5), AlertOptions(threshold=0.9))
    budget = open_budget(daily_limit=1.0, alerts=alerts)
    for _ in range(3):
        await budget.settle(await ask(budget, 0.2), [charge(DOLLAR // 5)])
    await budget.close()
    assert [(alert.threshold, alert.what) for alert in bell.rung] == [(0.5, "daily")]
    again, beside = (open_budget(daily_limit=1.0, alerts=alerts) for _ in range(2))
    for one in (again, beside):
        await one.settle(await ask(one, 0.16), [charge(DOLLAR * 16 // 100)])
    await again.close()
    await beside.close()
    assert [alert.threshold for alert in bell.rung] == [0.5, 0.9]
    clock.advance(86_400)
    later = open_budget(daily_limit=1.0, alerts=alerts)
    await later.settle(await ask(later, 0.6), [charge(DOLLAR * 6 // 10)])
    await later.close()
    assert [alert.threshold for alert in bell.rung] == [0.5, 0.9, 0.5]


async def test_a_large_estimate_that_is_given_back_alarms_nobody(open_budget, bell):
    budget = open_budget(daily_limit=1.0, alerts=(AlertOptions(threshold=0.5),))
    await budget.settle(await ask(budget, 0.9), [charge(DOLLAR // 100)])
    await ask(budget, 0.9)
    await budget.close()
    assert bell.rung == []


async def test_names_and_counts_from_outside_cannot_break_the_ledger(open_budget):
    budget = open_budget(daily_limit=1.0)
    held = await ask(budget, 0.1, request="\ud800" * 9, model="\udfff" + "x" * 100_000)
    await budget.settle(held, [charge(5, model="\ud83d", tokens=(10**30, -5))])
    usage = await budget.usage()
    assert usage.today.reserved_usd == 0.0


async def test_new_limits_apply_from_the_next_request_on(open_budget):
    budget = open_budget(daily_limit=1.0)
    held = await ask(budget, 1.0)
    budget.configure(budget._options.__class__(daily_limit=2.0))
    await ask(budget, 1.0)
    await budget.settle(held, [charge(DOLLAR)])
    with pytest.raises(BudgetExceeded):
        await ask(budget, 0.5)


async def test_what_was_spent_without_asking_is_booked_beyond_any_limit(tmp_path):
    """A realtime server that starts replies by itself: the line must stand, and the next question is refused."""
    budget = Budget(BudgetOptions(daily_limit=1.0), tmp_path / "gateway.sqlite3")
    try:
        charge = Charge("openai", "gpt-realtime", Usage(input_tokens=10), 3 * NANO, "ok")
        for number in range(2):
            await budget.book(
                request_id=f"rt.{number}", key_id="team", key_limits=KeyLimits(daily_nano=NANO),
                surface=Surface.REALTIME, model="gpt-realtime", charges=(charge,),
            )  # fmt: skip
        used = await budget.usage()
        assert used.today.spent_usd == 6.0
        assert used.today.reserved_usd == 0.0
        assert used.keys_today["team"].spent_usd == 6.0
        with pytest.raises(BudgetExceeded):
            await budget.reserve(
                request_id="next", key_id="team", key_limits=KeyLimits(), estimate_nano=1, surface=Surface.CHAT,
                model="m",
            )  # fmt: skip
    finally:
        await budget.close()
