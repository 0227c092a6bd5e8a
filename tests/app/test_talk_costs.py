"""The record of costs: what is kept, by several processes at once, through a kill, and with a file that cannot be."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import stat
import subprocess
import sys
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mrblue_cli.app.talk_costs import TalkCosts, costs_file, open_costs
from mrblue_cli.app.talk_costs_report import as_document, read_costs
from mrblue_cli.core.errors import ConfigError
from mrblue_cli.core.prices import NANO
from mrblue_cli.voice import events as ev
from mrblue_cli.voice.charges import Charge, ChargeKind
from tests.program import environment

DAY = 86_400.0
NOON = 20_000 * DAY + DAY / 2
"""2024-10-04 12:00 UTC."""


def charge(usd=0.01, model="gpt-realtime-2.1", kind=ChargeKind.REPLY, **fields):
    nano = None if usd is None else round(usd * NANO)
    fields |= {"engine": "openai", "rung": "realtime", "cost_nano": nano}
    return Charge(kind, model, text_input=10, audio_output=4, **fields)


def spent(*charges):
    return ev.Spent(None, None, None, charges)


def keep(path, conversation, *events, wall=lambda: NOON, profile="blue"):
    told = []
    costs = TalkCosts(told.append, conversation=conversation, profile=profile, path=path, wall=wall)
    for event in events:
        costs.see(event)
    assert costs.close()
    return told


def test_each_reply_and_transcription_is_a_line(tmp_path):
    path = tmp_path / "costs.db"
    heard = charge(0.001, "gpt-transcribe", ChargeKind.TRANSCRIPTION, seconds=12.0)
    assert keep(path, "one", ev.Advice("x"), spent(charge(), heard), spent(charge(None, "unheard-of")), spent()) == []
    base = sqlite3.connect(path)
    rows = base.execute(
        "SELECT at, conversation, profile, rung, kind, model, seconds, cost_nano FROM charges"
    ).fetchall()
    base.close()
    assert rows == [
        (NOON, "one", "blue", "realtime", "reply", "gpt-realtime-2.1", 0.0, NANO // 100),
        (NOON, "one", "blue", "realtime", "transcription", "gpt-transcribe", 12.0, NANO // 1000),
        (NOON, "one", "blue", "realtime", "reply", "unheard-of", 0.0, None),
    ]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_talk_that_used_nothing_makes_no_file(tmp_path):
    keep(tmp_path / "costs.db", "one", ev.StatusChanged(ev.State.LISTENING), ev.Ended("quit"))
    assert list(tmp_path.iterdir()) == []


def test_sums_by_day_model_profile_and_conversation(tmp_path):
    path = tmp_path / "costs.db"
    keep(path, "old", spent(charge(9.0)), wall=lambda: NOON - 9 * DAY)
    keep(path, "a", spent(charge(0.02), charge(0.001, "gpt-transcribe", ChargeKind.TRANSCRIPTION)))
    keep(path, "b", spent(charge(0.5)), spent(charge(None, "unheard-of")), wall=lambda: NOON - DAY, profile="tattoo")

    def rows(by, days=7):
        report = read_costs(path, days=days, by=by, now=NOON)
        return {row.name: (row.replies, row.cost_usd, row.unpriced) for row in report.rows}, report.total

    assert rows("day")[0] == {"2024-10-03": (2, 0.5, 1), "2024-10-04": (1, 0.021, 0)}
    assert list(rows("model")[0]) == ["gpt-realtime-2.1", "gpt-transcribe", "unheard-of"]
    assert rows("model")[0]["unheard-of"] == (1, None, 1)
    assert list(rows("profile")[0]) == ["tattoo", "blue"]
    assert list(rows("conversation")[0]) == ["b", "a"]
    total = rows("day")[1]
    assert (total.conversations, total.replies, total.input_tokens, total.output_tokens) == (2, 3, 40, 16)
    assert total.cost_usd == pytest.approx(0.521)
    assert rows("day", days=1)[1].cost_usd == pytest.approx(0.021)
    assert rows("day", days=10)[1].cost_usd == pytest.approx(9.521)


def test_the_document_has_stable_keys_and_nothing_is_an_empty_report(tmp_path):
    document = as_document(read_costs(tmp_path / "none.db", days=30, by="day", now=NOON))
    assert list(document) == ["from", "to", "by", "rows", "total"]
    assert (document["from"], document["to"], document["rows"]) == ("2024-09-05", "2024-10-04", [])
    assert list(document["total"]) == [
        "name", "began", "conversations", "replies", "input_tokens", "cached_tokens", "output_tokens", "unpriced",
        "cost_usd",
    ]  # fmt: skip
    assert not (tmp_path / "none.db").exists()


@settings(max_examples=15)
@given(st.lists(st.tuples(st.sampled_from("abc"), st.one_of(st.none(), st.integers(0, 10**15))), max_size=20))
def test_whatever_is_kept_the_parts_sum_to_the_total(tmp_path_factory, lines):
    path = tmp_path_factory.mktemp("costs") / "costs.db"
    for name in "abc":
        keep(path, name, *[spent(Charge(ChargeKind.REPLY, who, cost_nano=nano)) for who, nano in lines if who == name])
    for by in ("day", "model", "profile", "conversation"):
        report = read_costs(path, days=1, by=by, now=NOON)
        assert sum(row.cost_nano or 0 for row in report.rows) == sum(nano or 0 for _, nano in lines)
        assert sum(row.unpriced for row in report.rows) == sum(nano is None for _, nano in lines)
        assert (report.total.cost_nano or 0) == sum(nano or 0 for _, nano in lines)


def test_a_file_that_cannot_be_used_is_told_once_and_the_talk_goes_on(tmp_path):
    (tmp_path / "costs.db").write_bytes(b"this is no database, but somebody's letter" * 100)
    told = []
    costs = TalkCosts(told.append, conversation="one", path=tmp_path / "costs.db")
    costs.see(spent(charge()))
    deadline = threading.Event()
    while costs._trouble is None:
        assert not deadline.wait(0.005)
    for _ in range(3):
        costs.see(spent(charge()))
    assert costs.close()
    (failure,) = told
    assert (failure.code, failure.fatal) == ("config", False)
    assert "costs.db: the record of costs cannot be used" in failure.message
    with pytest.raises(ConfigError, match="cannot be used"):
        read_costs(tmp_path / "costs.db", days=1, by="day", now=NOON)


def test_what_could_not_be_written_is_written_with_the_next(tmp_path):
    path = tmp_path / "folder" / "costs.db"
    path.parent.write_text("a file where a folder belongs")
    told = []
    costs = TalkCosts(told.append, conversation="one", path=path, wall=lambda: NOON)
    costs.see(spent(charge(0.25)))
    deadline = threading.Event()
    while costs._trouble is None:
        assert not deadline.wait(0.005)
    path.parent.unlink()
    costs.see(spent(charge(0.5)))
    assert costs.close()
    assert read_costs(path, days=1, by="day", now=NOON).total.cost_usd == 0.75


def test_the_record_of_a_later_version_is_left_alone(tmp_path):
    path = tmp_path / "costs.db"
    open_costs(path).close()
    base = sqlite3.connect(path)
    base.execute("PRAGMA user_version=99")
    base.close()
    told = []
    costs = TalkCosts(told.append, conversation="one", path=path)
    costs.see(spent(charge()))
    assert costs.close()
    costs.see(ev.Advice("what went wrong is told with the next event"))
    (failure,) = told
    assert "written by a later mrblue" in failure.message
    with pytest.raises(ConfigError, match="later mrblue"):
        read_costs(path, days=1, by="day", now=NOON)


def test_the_record_stands_in_the_data_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "here"))
    assert costs_file() == tmp_path / "here" / "mrblue" / "talk_costs.db"


WRITER = """
import sys
from pathlib import Path
from mrblue_cli.app.talk_costs import TalkCosts
from mrblue_cli.voice.charges import Charge, ChargeKind
from mrblue_cli.voice.events import Spent
path, name, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
costs = TalkCosts(print, conversation=name, path=path)
for number in range(count):
    costs.see(Spent(None, None, None, (Charge(ChargeKind.REPLY, "m", cost_nano=1),)))
    if number == 0 or count > 1000:
        while costs._waiting.qsize():
            pass
        print(number + 1, flush=True)
assert costs.close()
"""


def writer(path, name, count):
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path), name, str(count)], stdout=subprocess.PIPE, text=True,
        env=environment(),
    )  # fmt: skip


def kept(path):
    base = sqlite3.connect(path)
    try:
        assert base.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return dict(base.execute("SELECT conversation, COUNT(*) FROM charges GROUP BY conversation").fetchall())
    finally:
        base.close()


def test_two_processes_write_one_record(tmp_path):
    path = tmp_path / "costs.db"
    children = [writer(path, name, 200) for name in ("left", "right")]
    for child in children:
        child.communicate(timeout=60)
        assert child.returncode == 0
    assert kept(path) == {"left": 200, "right": 200}


def test_what_was_written_survives_a_kill(tmp_path):
    path = tmp_path / "costs.db"
    child = writer(path, "killed", 10**9)
    said = 0
    for line in child.stdout:
        said = int(line)
        if said >= 50:
            os.kill(child.pid, signal.SIGKILL)
            break
    child.stdout.read()
    child.wait(20)
    child.stdout.close()
    # What the thread has taken from its queue but not committed at that moment is one line at most.
    assert kept(path)["killed"] >= said - 1
    assert read_costs(path, days=3660, by="conversation", now=4e9).rows is not None
    assert json.dumps(as_document(read_costs(path, days=2, by="day", now=NOON)))
