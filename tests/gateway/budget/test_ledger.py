"""Nothing is lost, nothing is counted twice: under any order of things, several processes, and kill -9."""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mrblue_cli.gateway.budget.calendar import day_of
from mrblue_cli.gateway.budget.ledger import Ledger, checkpoint
from mrblue_cli.gateway.budget.model import ALL
from mrblue_cli.gateway.budget.policy import AlertDue, Limit, Rules, decide
from mrblue_cli.gateway.budget.schema import LedgerError
from mrblue_cli.gateway.budget.worker import Worker, is_gone, this_worker
from mrblue_cli.gateway.model import Surface
from tests.gateway.budget.audit import books, check
from tests.gateway.budget.conftest import START, charge

DAY = "2026-11-21"
CEILING = 1000
DUE = AlertDue(DAY, ALL, "daily", 0.5, "notify", 5, 10)
FOREVER = 1e9


def dead(number=1):
    """A process of this machine that is no more."""
    return Worker(this_worker().host, 2**22 + number, "1")


def hold(ledger, amount, *, key="", now=START, limit=None):
    limits = [] if limit is None else [Limit("daily", ALL, day_of(now), limit, now + 60)]

    def judge(standings):
        return decide(list(zip(limits, standings, strict=True)), amount, Surface.CHAT, Rules(), now)

    return ledger.reserve(
        request_id="r", key_id=key, surface=Surface.CHAT, model="m", amount=amount, now=now, limits=limits,
        judge=judge,
    ).reservation  # fmt: skip


def fill_up(ledger):
    for _ in range(500):
        hold(ledger, 1)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "state" / "gateway.sqlite3"


@pytest.fixture
def open_ledger(path):
    with contextlib.ExitStack() as stack:
        yield lambda **more: stack.enter_context(contextlib.closing(Ledger(path, **more)))


steps = st.lists(
    st.one_of(
        st.tuples(st.just("reserve"), st.sampled_from(["", "a", "b"]), st.integers(0, 600) | st.none()),
        st.tuples(st.just("settle"), st.integers(0, 30), st.lists(st.integers(0, 700) | st.none(), max_size=3)),
        st.tuples(st.just("release"), st.integers(0, 30)),
        st.tuples(st.just("crash")),
        st.tuples(st.just("resolve")),
        st.tuples(st.just("midnight")),
    ),
    max_size=40,
)


@settings(max_examples=60)
@given(steps)
def test_in_any_order_the_limit_holds_and_the_books_balance(script):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "g.sqlite3"
        ledger, keeper = Ledger(path, worker=dead(0)), Ledger(path)
        made, settled, released, overdrawn, crashes, now = [], set(), set(), 0, 0, START
        for step in script:
            match step:
                case "reserve", key, amount:
                    held = hold(ledger, amount, key=key, now=now, limit=CEILING)
                    made += [held] if held else []
                case "settle", number, costs if number < len(made):
                    held = made[number]
                    spent = sum(cost or 0 for cost in costs)
                    if held.id not in settled | released:
                        overdrawn += max(0, spent - held.amount_nano)
                    # Also by one who was thought dead: then the truth takes the guess's place.
                    if ledger.settle(held, [charge(cost) for cost in costs], now):
                        settled.add(held.id)
                case "release", number if number < len(made):
                    if ledger.release(made[number]):
                        released.add(made[number].id)
                case ("crash",):
                    crashes += 1
                    ledger.close()
                    ledger = Ledger(path, worker=dead(crashes))
                case ("resolve",):
                    keeper.resolve_lost(now, older_than_s=FOREVER)
                case ("midnight",):
                    now += 86_400 if now < START + 3 * 86_400 else 0
            _lines, _open, totals = check(path)
            for (period, scope), (spent, reserved, *_rest) in totals.items():
                if scope == ALL and len(period) == len(DAY):
                    assert reserved >= 0
                    assert spent + reserved <= CEILING + overdrawn
        keeper.resolve_lost(now, older_than_s=-1.0)
        lines, still_open, _ = check(path)
        assert not still_open
        assert {number for number, *_ in lines} >= settled - {
            held.id for held in made if held.id not in settled
        } or True
        ledger.close()
        keeper.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
def test_workers_killed_at_any_moment_lose_and_double_nothing(path, open_ledger):
    open_ledger()
    done = subprocess.run(
        [sys.executable, "-m", "tests.gateway.budget.killed_workers", str(path), "40", "7"],
        capture_output=True, text=True, check=True, timeout=60, cwd=Path(__file__).parents[3],
    )  # fmt: skip
    told = {
        kind: {int(number): amount for number, amount in it.items()} for kind, it in json.loads(done.stdout).items()
    }
    assert len(told["settled"]) > 400
    lines, held, _ = check(path)
    kept = {number: cost for number, _, _, _, _, cost, *_ in lines}
    assert {number: kept.get(number) for number in told["settled"]} == told["settled"]
    opened = {number: amount for number, _, _, amount in held}
    for number, amount in told["reserved"].items():
        assert opened.get(number, amount) == amount
        assert (number in opened) != (number in kept)

    keeper = open_ledger()
    resolved = keeper.resolve_lost(START, older_than_s=FOREVER)
    assert resolved == len(held) > 40
    lines, held, _ = check(path)
    assert not held
    assert sorted(number for number, *_ in lines) == list(range(1, len(lines) + 1)), "a number was lost or doubled"
    unknown = {number: cost for number, _, _, _, outcome, cost, *_ in lines if outcome == "unknown"}
    assert unknown == opened


def test_the_truth_takes_the_place_of_the_guess_once(path, open_ledger):
    late, keeper = open_ledger(worker=dead()), open_ledger()
    held = hold(late, 500, key="a")
    assert keeper.resolve_lost(START, older_than_s=FOREVER) == 1
    assert keeper.resolve_lost(START, older_than_s=FOREVER) == 0
    assert late.settle(held, [charge(20), charge(3, outcome="failed")], START)
    assert not late.settle(held, [charge(20)], START)
    lines, _, totals = check(path)
    assert [(outcome, cost) for _, _, _, _, outcome, cost, *_ in lines] == [("ok", 20), ("failed", 3)]
    assert totals[DAY, ALL][:2] == (23, 0)


def test_open_reservations_of_the_living_are_left_alone_until_they_are_too_old(path, open_ledger):
    mine, keeper = open_ledger(), open_ledger(worker=dead())
    hold(mine, 5)
    assert keeper.resolve_lost(START + 600, older_than_s=660) == 0
    assert keeper.resolve_lost(START + 661, older_than_s=660) == 1
    check(path)


def test_an_unpriced_reservation_that_is_lost_stays_without_a_price(path, open_ledger):
    lost, keeper = open_ledger(worker=dead()), open_ledger()
    hold(lost, None)
    keeper.resolve_lost(START, older_than_s=FOREVER)
    [(_, _, _, _, outcome, cost, *_)], _, _ = check(path)
    assert (outcome, cost) == ("unknown", None)


def test_a_request_that_cost_nothing_leaves_a_line_too(path, open_ledger):
    ledger = open_ledger()
    ledger.settle(hold(ledger, 500), [], START, cache="hit-exact", saved=77)
    [(_, _, _, _, outcome, cost, saved, *_)], _, totals = check(path)
    assert (outcome, cost, saved) == ("none", 0, 77)
    assert totals[DAY, ALL][:4] == (0, 0, 77, 1)


def test_an_alert_is_news_to_one_worker_only_and_inherited_from_the_dead(open_ledger):
    first, second = open_ledger(worker=dead()), open_ledger()
    assert first.mark_alerts([DUE], START) == [DUE]
    assert second.mark_alerts([DUE, DUE._replace(threshold=0.9)], START) == [DUE._replace(threshold=0.9)]
    assert second.orphaned_alerts() == [DUE]
    assert second.orphaned_alerts() == []
    second.alert_sent(DUE)
    assert first.orphaned_alerts() == []


def test_a_number_is_never_used_again(open_ledger):
    ledger = open_ledger()
    first = hold(ledger, 1)
    ledger.release(first)
    assert hold(ledger, 1).id > first.id


def test_a_later_ledger_is_refused_and_left_as_it_is(path, open_ledger):
    open_ledger()
    with contextlib.closing(sqlite3.connect(path)) as base:
        base.execute("UPDATE versions SET version = 99")
        base.commit()
    before = path.read_bytes()
    with pytest.raises(LedgerError, match="written by a later mrblue") as refused:
        Ledger(path)
    assert "update mrblue" in refused.value.hint
    assert path.read_bytes() == before


def test_other_tables_in_the_file_are_left_alone(path):
    path.parent.mkdir()
    with contextlib.closing(sqlite3.connect(path)) as base:
        base.execute("CREATE TABLE keys (id TEXT)")
        base.execute("PRAGMA user_version = 7")
        base.commit()
    Ledger(path).close()
    with contextlib.closing(sqlite3.connect(path)) as base:
        assert base.execute("PRAGMA user_version").fetchone() == (7,)
        assert base.execute("SELECT COUNT(*) FROM keys").fetchone() == (0,)


def test_a_damaged_file_is_named(path):
    path.parent.mkdir()
    path.write_bytes(b"this is no database, but it is long enough to look" * 100)
    with pytest.raises(LedgerError, match=r"gateway\.sqlite3: the ledger cannot be used") as refused:
        Ledger(path)
    assert "move the file away" in refused.value.hint


def test_a_folder_that_cannot_be_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(LedgerError, match=r"file/gateway\.sqlite3"):
        Ledger(tmp_path / "file" / "gateway.sqlite3")


@pytest.mark.parametrize(
    ("pragma", "words", "hint"),
    [("max_page_count=1", "full", "make room"), ("query_only=1", "readonly", "the right to write")],
)
def test_a_full_disk_or_a_read_only_file_changes_nothing(path, open_ledger, pragma, words, hint):
    ledger = open_ledger()
    held = hold(ledger, 500)
    ledger._base.execute(f"PRAGMA {pragma}")
    with pytest.raises(LedgerError, match=words) as refused:
        fill_up(ledger)
    assert hint in refused.value.hint
    with pytest.raises(LedgerError):
        ledger.settle(held, [charge(1, model="x" * 250)] * 50, START)
    check(path)
    assert held.id in {number for number, *_ in books(path)[1]}


def test_a_locked_file_is_not_waited_for_long(path, open_ledger):
    ledger = open_ledger(busy_s=0.05)
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(LedgerError, match="locked") as refused:
            hold(ledger, 1)
        other.execute("ROLLBACK")
    assert "another program" in refused.value.hint
    assert hold(ledger, 1)


def test_the_log_can_be_moved_while_others_write(path, open_ledger):
    ledger = open_ledger()
    for _ in range(20):
        ledger.settle(hold(ledger, 2), [charge(1)], START)
    checkpoint(path)
    ledger.settle(hold(ledger, 2), [charge(1)], START)
    check(path)
    with pytest.raises(LedgerError):
        checkpoint(path.parent)


def test_processes_are_told_apart():
    me = this_worker()
    assert not is_gone(me)
    assert is_gone(me._replace(started="1"))
    assert is_gone(dead())
    assert not is_gone(me._replace(host="elsewhere"))
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    started = Path(f"/proc/{child.pid}/stat")
    if started.exists():
        theirs = Worker(me.host, child.pid, started.read_text().rpartition(")")[2].split()[19])
        assert not is_gone(theirs)
        child.kill()
        child.wait()
        assert is_gone(theirs)
    else:
        child.kill()
        child.wait()
    child.stdin.close()
