"""`mrblue gateway cost` from outside: table, JSON, CSV, an empty ledger, and what goes wrong."""

from __future__ import annotations

import contextlib
import csv
import json
import subprocess
import sys
import time

import pytest

from mrblue_cli.gateway.budget.ledger import Ledger
from mrblue_cli.gateway.model import NANO, Surface
from tests.cli.test_commands import complaint, mrblue
from tests.gateway.budget.conftest import charge


@pytest.fixture
def state(tmp_path):
    """A ledger with three calls of now, still open for writing as in a running gateway."""
    folder = tmp_path / "state"
    now = time.time()

    def hold():
        return ledger.reserve(
            request_id="r", key_id="team", surface=Surface.CHAT, model="gpt-4o", amount=NANO, now=now
        ).reservation

    with contextlib.closing(Ledger(folder / "gateway.sqlite3")) as ledger:
        ledger.settle(hold(), [charge(1_500_000_000)], now)
        ledger.settle(hold(), [], now, cache="hit-exact", saved=500_000_000)
        ledger.settle(hold(), [charge(None, model="=mystery\x1b[31m", provider="acme")], now)
        hold()
        yield folder


def test_the_table_says_what_matters(state):
    done = mrblue("gateway", "cost", "--state", str(state))
    assert done.returncode == 0, done.stderr
    assert "With the cache $1.50, without it $2.00." in done.stdout
    assert "Under way: 1 request, $1.00 set aside" in done.stdout
    assert "acme/=mystery�[31m: 1 call, 10 tokens in, 20 out" in done.stdout
    assert "\x1b" not in done.stdout
    [total] = [line for line in done.stdout.splitlines() if line.startswith("total")]
    assert total.split()[1:] == ["3", "20", "40", "1", "$1.50", "$0.50"]


def test_json_and_csv_hold_the_same_sums(state):
    document = json.loads(mrblue("gateway", "cost", "--state", str(state), "--json", "--by", "model").stdout)
    assert document["total"]["spent_usd"] == 1.5
    assert document["cache"]["without_cache_usd"] == 2.0
    assert document["unpriced"][0]["provider"] == "acme"
    rows = list(
        csv.DictReader(mrblue("gateway", "cost", "--state", str(state), "--csv", "--by", "model").stdout.splitlines())
    )
    assert {row["model"]: row["spent_usd"] for row in rows} == {"gpt-4o": "1.5", "'=mystery�[31m": "0"}
    assert [row["requests"] for row in rows] == [str(row["requests"]) for row in document["rows"]]


def test_the_data_folder_is_the_default_and_an_empty_one_is_no_error(tmp_path):
    env = {"XDG_DATA_HOME": str(tmp_path / "data")}
    done = mrblue("gateway", "cost", env=env)
    assert done.returncode == 0
    assert done.stdout.startswith("Nothing was counted")
    assert not (tmp_path / "data" / "mrblue" / "gateway.sqlite3").exists()
    assert json.loads(mrblue("gateway", "cost", "--json", env=env).stdout)["rows"] == []


def test_what_goes_wrong_is_named(tmp_path):
    assert "/no/such/folder" in complaint(mrblue("gateway", "cost", "--state", "/no/such/folder"), 2)
    assert "exclude" in complaint(mrblue("gateway", "cost", "--json", "--csv"), 2)
    assert "days" in complaint(mrblue("gateway", "cost", "--days", "0"), 2)
    (tmp_path / "gateway.sqlite3").write_bytes(b"no database at all, and long enough" * 200)
    assert "gateway.sqlite3" in complaint(mrblue("gateway", "cost", "--state", str(tmp_path)), 3)


def test_it_loads_nothing_heavy(state):
    code = (
        "import sys; from mrblue_cli.cli.main import app\n"
        f"app(['gateway', 'cost', '--state', {str(state)!r}], standalone_mode=False)\n"
        "print([name for name in ('aiohttp', 'numpy', 'redis', 'openai', 'starlette') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
