"""The decision is a function of numbers: hard limits hold, actions begin where they should, waits end with periods."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrblue_cli.gateway.budget.calendar import day_end, day_of, month_end
from mrblue_cli.gateway.budget.model import ALL, dollars
from mrblue_cli.gateway.budget.policy import BUSY_RETRY_S, Limit, Rules, Standing, crossed, decide
from mrblue_cli.gateway.model import NANO, Surface
from mrblue_cli.gateway.options import AlertOptions
from tests.gateway.budget.conftest import START

NOW = 1000.0
money = st.integers(0, 10_000)
alerts = st.lists(
    st.builds(AlertOptions, threshold=st.floats(0.01, 1.5), action=st.sampled_from(["notify", "throttle", "block"])),
    max_size=4,
).map(tuple)


def limit(amount, *, what="daily", scope=ALL, ends_at=NOW + 3600):
    return Limit(what, scope, "2026-11-21" if what == "daily" else "2026-11", amount, ends_at)


def judge(spent, reserved, amount, *, ceiling=1000, rules=None, surface=Surface.CHAT, more=()):
    return decide([(limit(ceiling), Standing(spent, reserved)), *more], amount, surface, rules or Rules(), NOW)


def alert(threshold, action="notify"):
    return AlertOptions(threshold=threshold, action=action)


@given(money, money, money, money, alerts)
def test_nothing_passes_that_could_pass_the_limit(spent, reserved, amount, ceiling, some):
    decision = judge(spent, reserved, amount, ceiling=ceiling, rules=Rules(some))
    if amount and spent + reserved + amount > ceiling:
        assert decision.block is not None
    if decision.block is None and amount:
        assert spent + reserved + amount <= ceiling
    if decision.block is not None:
        assert decision.throttle is None
        assert 1.0 <= decision.block.retry_after_s <= 3600
    if amount == 0:
        assert decision.block is None
        assert decision.throttle is None


@given(money, money, money, alerts)
def test_more_spent_is_never_judged_more_kindly(spent, more, amount, some):
    def severity(used):
        decision = judge(used, 0, amount, rules=Rules(some, cheaper_model="small"))
        if decision.block:
            return 3
        return (2 if decision.throttle.model else 1) if decision.throttle else 0

    assert severity(spent + more) >= severity(spent)


@given(money, money, alerts)
def test_crossed_thresholds_stay_crossed(spent, more, some):
    def crossings(used):
        return {(it.threshold, it.action) for it in crossed(limit(1000), used, some)}

    assert crossings(spent) <= crossings(spent + more)


@pytest.mark.parametrize(
    ("spent", "reserved", "amount", "wait"),
    [
        (0, 0, 1000, None),
        (0, 0, 1001, 3600),  # it will never fit, today
        (1000, 0, 1, 3600),
        (1000, 0, None, 3600),
        (999, 0, None, None),
        (0, 500, 501, BUSY_RETRY_S),  # it fits when the others give back
        (600, 300, 401, 3600),
        (2000, 0, 0, None),
    ],
)
def test_how_long_to_wait(spent, reserved, amount, wait):
    block = judge(spent, reserved, amount).block
    assert (block.retry_after_s if block else None) == wait


def test_the_tightest_limit_decides_and_the_longest_wait_counts():
    monthly = limit(900, what="monthly", ends_at=NOW + 99_999)
    key = limit(10_000, scope="k")
    more = [(monthly, Standing(900, 0)), (key, Standing(0, 0))]
    decision = judge(1000, 0, 1, more=more)
    assert decision.block.retry_after_s == 99_999
    assert "monthly budget" in decision.block.what
    mine = judge(0, 0, 600, more=[(limit(500, scope="k"), Standing())])
    assert "daily budget of this key is" in mine.block.what


def test_throttling_begins_slow_and_gets_cheaper():
    rules = Rules((alert(0.8, "throttle"),), delay_s=0.5, cheaper_model="small")
    found = {used: judge(used, 0, 1, rules=rules).throttle for used in (799, 800, 899, 900, 999)}
    assert found[799] is None
    assert {used: (it.delay_s, it.model) for used, it in found.items() if it} == {
        800: (0.5, None), 899: (0.5, None), 900: (0.5, "small"), 999: (0.5, "small"),
    }  # fmt: skip
    assert judge(900, 0, 1, rules=rules, surface=Surface.SPEECH).throttle.model is None
    assert judge(0, 900, 1, rules=rules).throttle.model == "small"


def test_a_blocking_alert_stops_before_the_limit():
    rules = Rules((alert(0.5, "block"),))
    assert judge(499, 0, 100, rules=rules).block is None
    stopped = judge(500, 0, 1, rules=rules)
    assert stopped.block.retry_after_s == 3600
    assert [(it.threshold, it.action) for it in stopped.alerts] == [(0.5, "block")]
    assert judge(100, 400, 1, rules=rules).block.retry_after_s == BUSY_RETRY_S


def test_alerts_go_by_what_is_spent():
    rules = Rules((alert(0.5), alert(0.8)))
    assert [it.threshold for it in judge(0, 900, 1, rules=rules).alerts] == []
    assert [it.threshold for it in judge(500, 0, 1, rules=rules).alerts] == [0.5]
    assert [it.threshold for it in judge(500, 0, 0, rules=rules).alerts] == [0.5]
    assert [(it.threshold, it.action) for it in judge(1000, 0, 1, rules=rules).alerts] == [
        (0.5, "notify"), (0.8, "notify"), (1.0, "block"),
    ]  # fmt: skip
    assert judge(100, 900, 1, rules=rules).alerts == ()


@pytest.mark.parametrize(
    ("spent", "amount", "told"),
    [
        (0, 5000, False),  # it asks for more than all there is
        (900, 5000, False),
        (100, 950, False),  # nearly nothing is spent
        (600, 401, True),  # what is left is not enough for what is asked
        (999, 2, True),
        (1000, 5000, True),
        (1000, None, True),
    ],
)
def test_the_end_is_told_when_the_budget_is_at_its_end_and_not_for_one_big_request(spent, amount, told):
    decision = judge(spent, 0, amount)
    assert decision.block is not None
    assert [(it.threshold, it.action) for it in decision.alerts] == ([(1.0, "block")] if told else [])


def test_a_refusal_says_what_would_help():
    assert "less with a lower limit on its output" in judge(0, 0, 5000).block.what
    assert "output" not in judge(1000, 0, None).block.what
    assert "output" not in judge(1000, 0, 1).block.what
    assert "output" not in judge(0, 0, 5000, surface=Surface.EMBEDDINGS).block.what


@pytest.mark.parametrize(
    ("amount", "shown"),
    [
        (0, "$0.00"), (NANO, "$1.00"), (1234 * NANO + 567_000_000, "$1,234.57"), (50_000_000, "$0.0500"),
        (999_999_999, "$1.00"), (123_456, "$0.0001"), (1, "$0.000000001"), (-NANO, "-$1.00"),
    ],
)  # fmt: skip
def test_amounts_for_people(amount, shown):
    assert dollars(amount) == shown


@pytest.mark.parametrize(
    ("at", "day", "end_of_month"),
    [
        (START, "2026-11-21", "2026-12-01"),
        (1_798_761_599.9, "2026-12-31", "2027-01-01"),
        (1_798_761_600.0, "2027-01-01", "2027-02-01"),
        (1_835_395_200.0, "2028-02-29", "2028-03-01"),
    ],
)
def test_days_and_months_are_utc(at, day, end_of_month):
    assert day_of(at) == day
    assert day_of(month_end(at)) == end_of_month
    assert 0 < day_end(at) - at <= 86_400
