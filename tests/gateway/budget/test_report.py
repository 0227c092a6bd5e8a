"""The report adds up what the ledger holds, and says how it projects."""

from __future__ import annotations

import contextlib
import sqlite3

import pytest

from mrblue_cli.gateway.budget.ledger import Ledger
from mrblue_cli.gateway.budget.report import as_document, read_report
from mrblue_cli.gateway.budget.schema import LedgerError
from mrblue_cli.gateway.budget.worker import Worker, this_worker
from mrblue_cli.gateway.model import NANO, Surface
from tests.gateway.budget.conftest import START, charge

DAY = 86_400


@pytest.fixture
def path(tmp_path):
    return tmp_path / "gateway.sqlite3"


@pytest.fixture
def ledger(path):
    with contextlib.closing(Ledger(path)) as made:
        yield made


def call(ledger, charges, *, day=0, key="", cache="miss", saved=0, amount=NANO):
    """One request, `day` days from START."""
    now = START + day * DAY
    held = ledger.reserve(
        request_id="r", key_id=key, surface=Surface.CHAT, model="gpt-4o", amount=amount, now=now
    ).reservation
    if charges is not None:
        ledger.settle(held, charges, now, cache=cache, saved=saved)


def report(path, *, days=30, by="day", now=START):
    return read_report(path, days=days, by=by, now=now)


def rows(path, field, **how):
    return {row.name: getattr(row, field) for row in report(path, **how).rows}


def test_without_a_ledger_there_is_nothing(path):
    empty = report(path, days=7)
    assert (empty.first, empty.last, empty.rows, empty.projection) == ("2026-11-15", "2026-11-21", [], None)
    assert not path.exists()
    with contextlib.closing(sqlite3.connect(path)) as base:
        base.execute("CREATE TABLE keys (id TEXT)")
    assert report(path).rows == []


def test_spending_by_day_model_key_and_provider(path, ledger):
    call(ledger, [charge(5 * NANO, model="a", provider="p")], key="k1")
    call(ledger, [charge(2 * NANO, model="b", provider="q")], day=-1)
    call(ledger, [charge(NANO, outcome="failed", model="a", provider="p"), charge(NANO, model="b", provider="q")])
    call(ledger, [charge(NANO)], day=-30)
    assert rows(path, "spent") == {"2026-11-20": 2 * NANO, "2026-11-21": 7 * NANO}
    assert rows(path, "spent", by="model") == {"a": 6 * NANO, "b": 3 * NANO}
    assert rows(path, "spent", by="key") == {"k1": 5 * NANO, "(no key)": 4 * NANO}
    assert rows(path, "requests", by="provider") == {"p": 2, "q": 2}
    assert rows(path, "spent", days=1) == {"2026-11-21": 7 * NANO}
    total = report(path).total
    assert (total.requests, total.failed, total.failed_calls) == (3, NANO, 1)
    assert (total.input_tokens, total.output_tokens) == (40, 80)


def test_what_the_cache_saved_stands_beside_what_was_spent(path, ledger):
    call(ledger, [charge(3 * NANO)])
    call(ledger, [], cache="hit-exact", saved=2 * NANO)
    call(ledger, [], cache="hit-semantic", saved=NANO)
    call(ledger, [])
    document = as_document(report(path))
    assert document["cache"] == {"hits": 2, "saved_usd": 3.0, "with_cache_usd": 3.0, "without_cache_usd": 6.0}
    assert rows(path, "requests", by="provider") == {"openai": 1, "(cache)": 2, "(none)": 1}


def test_open_lost_and_unpriced_calls_are_told_apart(path, ledger):
    with contextlib.closing(Ledger(path, worker=Worker(this_worker().host, 2**22 + 1, "1"))) as killed:
        call(killed, None, amount=NANO // 2)
    ledger.resolve_lost(START, older_than_s=1e9)
    call(ledger, None, amount=NANO // 4)
    call(ledger, [charge(None, model="mystery", tokens=(7, 8))], amount=None)
    call(ledger, [charge(None, model="mystery", tokens=(1, 1))], amount=None)
    found = report(path, now=START + 30)
    assert (found.total.unknown_calls, found.total.unknown, found.total.spent) == (1, NANO // 2, NANO // 2)
    assert (found.open.count, found.open.reserved, found.open.oldest_s) == (1, NANO // 4, 30.0)
    assert as_document(found)["unpriced"] == [
        {"provider": "openai", "model": "mystery", "calls": 2, "input_tokens": 8, "output_tokens": 9}
    ]
    assert "(never reported)" in rows(path, "spent", by="provider")


def test_the_month_is_projected_from_the_last_full_days(path, ledger):
    for day in range(-10, 0):
        call(ledger, [charge(NANO if day >= -7 else 9 * NANO)], day=day)
    call(ledger, [charge(4 * NANO)])
    it = report(path, days=1, now=START - 3600 + DAY // 2).projection
    # Half of the 21st and nine days are left.
    assert (it.month, it.so_far, it.a_day) == ("2026-11", 38 * NANO, NANO)
    assert it.total == pytest.approx((38 + 9.5) * NANO)
    assert "mean of the last 7 full days" in it.method


def test_a_young_ledger_is_projected_from_today_or_not_at_all(path, ledger):
    call(ledger, [charge(NANO)])
    midnight = START - 3600
    assert report(path, now=midnight + 60).projection is None
    it = report(path, now=midnight + DAY // 4).projection
    assert it.a_day == 4 * NANO
    assert "no full day yet" in it.method


def test_reading_disturbs_nobody_and_sees_one_moment(path, ledger):
    call(ledger, [charge(NANO)])
    held = ledger.reserve(request_id="r", key_id="", surface=Surface.CHAT, model="m", amount=1, now=START).reservation
    assert report(path).total.spent == NANO
    ledger.settle(held, [charge(NANO)], START)
    assert report(path).total.spent == 2 * NANO


def test_a_later_or_damaged_ledger_is_named(path, ledger):
    with contextlib.closing(sqlite3.connect(path)) as base:
        base.execute("UPDATE versions SET version = 99")
        base.commit()
    with pytest.raises(LedgerError, match="later mrblue"):
        report(path)
    ledger.close()
    path.write_bytes(b"no database at all, and long enough" * 200)
    for beside in path.parent.glob("gateway.sqlite3-*"):
        beside.unlink()
    with pytest.raises(LedgerError, match="cannot be used"):
        report(path)
