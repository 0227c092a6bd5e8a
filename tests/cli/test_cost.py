"""`mrblue cost` from outside, and the options of `mrblue talk` that have to do with money and numbers."""

from __future__ import annotations

import json
import socket
import time
from types import SimpleNamespace

import pytest

from mrblue_cli.app.talk_costs import TalkCosts, costs_file
from mrblue_cli.cli.errors import run
from mrblue_cli.cli.main import app
from mrblue_cli.voice.charges import Charge, ChargeKind
from mrblue_cli.voice.events import Spent


@pytest.fixture
def mrblue(capsys):
    """The program in this process."""

    def call(*args):
        capsys.readouterr()
        code = run(lambda: app([*map(str, args)], standalone_mode=False), debug=False)
        printed = capsys.readouterr()
        return SimpleNamespace(returncode=code, stdout=printed.out, stderr=printed.err)

    return call


def keep(conversation, *charges, days_ago=0.0, profile="blue"):
    at = time.time() - days_ago * 86_400
    costs = TalkCosts(print, conversation=conversation, profile=profile, wall=lambda: at)
    costs.see(Spent(None, None, None, charges))
    assert costs.close()


TOKENS = {"text_input": 900, "cached_input": 600, "audio_output": 300}
REPLY = Charge(ChargeKind.REPLY, "gpt-realtime-2.1", **TOKENS, cost_nano=40_000_000)
ODD = Charge(ChargeKind.REPLY, "odd\x1b[31m", text_input=5)


def test_the_table_and_its_total(mrblue):
    keep("talk_1", REPLY, REPLY)
    keep("talk_2", ODD, days_ago=1.5)
    done = mrblue("cost", "--by", "model")
    assert done.returncode == 0, done.stderr
    assert "\x1b" not in done.stdout
    [total] = [line for line in done.stdout.splitlines() if line.startswith("total")]
    assert total.split()[1:] == ["2", "3", "1,805", "1,200", "600", "$0.0800"]
    [odd] = [line for line in done.stdout.splitlines() if line.startswith("odd")]
    assert odd.split()[-1] == "–"
    assert "Without a known price, so in the tokens and not in the money: 1." in done.stdout
    assert "gateway" not in done.stdout


def test_json_is_one_document_and_days_limit_it(mrblue):
    keep("talk_1", REPLY, profile="tattoo")
    keep("talk_2", REPLY, days_ago=40)
    document = json.loads(mrblue("cost", "--json", "--by", "conversation").stdout)
    assert [row["name"] for row in document["rows"]] == ["talk_1"]
    assert document["total"]["cost_usd"] == 0.04
    everything = json.loads(mrblue("cost", "--json", "--days", "60", "--by", "profile").stdout)
    assert {row["name"]: row["replies"] for row in everything["rows"]} == {"tattoo": 1, "blue": 1}


def test_conversations_say_when_they_began(mrblue):
    keep("talk_1", REPLY)
    assert time.strftime("%Y-%m-%d", time.gmtime()) in mrblue("cost", "--by", "conversation").stdout


def test_nothing_yet_and_the_gateways_own_command(mrblue):
    assert mrblue("cost").stdout.startswith("No talk cost anything from ")
    costs_file().parent.mkdir(parents=True, exist_ok=True)
    (costs_file().parent / "gateway.sqlite3").touch()
    assert mrblue("cost").stdout.endswith("What the gateway spent: mrblue gateway cost\n")


def test_a_broken_record_is_a_configuration_error(mrblue):
    costs_file().parent.mkdir(parents=True, exist_ok=True)
    costs_file().write_bytes(b"nonsense" * 1000)
    done = mrblue("cost")
    assert done.returncode == 3
    assert "the record of costs cannot be used" in done.stderr


def test_a_taken_port_ends_before_the_talk_begins(mrblue):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = mrblue("talk", "--headless", "--text", "hello", "--metrics-port", taken.getsockname()[1])
    assert done.returncode == 2
    assert done.stdout == ""
    assert "numbers cannot be offered at 127.0.0.1" in done.stderr


@pytest.mark.parametrize(
    "args", [("--max-cost", "-1"), ("--max-cost", "much"), ("--max-cost", "nan"), ("--metrics-port", "70000")]
)
def test_numbers_that_make_no_sense_are_usage_errors(mrblue, args):
    assert mrblue("talk", "--headless", "--text", "hello", *args).returncode == 2
