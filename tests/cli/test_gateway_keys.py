"""`mrblue gateway keys` and `check` from outside."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrblue_cli.cli.gateway_keys import until
from mrblue_cli.core.errors import UsageError
from mrblue_cli.gateway.access.keys import KeyStore
from mrblue_cli.gateway.model import NANO
from tests.program import environment, mrblue
from tests.settings.gateway_texts import ISSUE

NOW = 1_800_000_000.0


def keys(state, *args):
    return mrblue("gateway", "keys", *args, "--state", str(state))


def test_a_key_from_its_making_to_its_end(tmp_path):
    made = keys(tmp_path, "create", "laptop", "--daily", "5", "--monthly", "0.1", "--model", "gpt-4o*",
                "--model", "tts-1", "--rpm", "60", "--tpm", "1000", "--expires", "2100-01-01")  # fmt: skip
    assert made.returncode == 0, made.stderr
    token = made.stdout.strip()
    assert re.fullmatch(r"mrb_[0-9A-Za-z]{43}", token)
    caller = KeyStore(tmp_path / "gateway.sqlite3").verify(token, NOW)
    assert (caller.limits.daily_nano, caller.limits.monthly_nano) == (5 * NANO, NANO // 10)
    assert (caller.models, caller.requests_per_minute, caller.tokens_per_minute) == (("gpt-4o*", "tts-1"), 60, 1000)
    listed = keys(tmp_path, "list", "--json")
    (row,) = json.loads(listed.stdout)
    assert (row["id"], row["state"], row["expires"]) == (caller.key_id, "active", "2100-01-01T00:00:00Z")
    assert (row["daily_usd"], row["monthly_usd"]) == (5.0, 0.1)
    shown = keys(tmp_path, "list").stdout
    assert "gpt-4o*, tts-1 · $5 a day · $0.1 a month · 60 requests a minute" in shown
    assert token not in shown + listed.stdout
    assert "is revoked" in keys(tmp_path, "revoke", caller.key_id).stdout
    assert KeyStore(tmp_path / "gateway.sqlite3").verify(token, NOW) is None


def test_scripts_get_the_key_alone_or_as_json(tmp_path):
    made = keys(tmp_path, "create", "ci", "--json")
    document = json.loads(made.stdout)
    assert set(document) == {"id", "name", "key"}
    assert made.stderr == ""
    assert KeyStore(tmp_path / "gateway.sqlite3").verify(document["key"], NOW).name == "ci"


@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        (["create", "x", "--expires", "tomorrow"], 2, "no length of time and no date"),
        (["create", "x", "--expires", "2001-01-01"], 2, "expired already"),
        (["create", "x", "--daily", "-1"], 2, "--daily"),
        (["create", "x", "--daily", "nan"], 2, "--daily"),
        (["create", "x", "--rpm", "0"], 2, "--rpm"),
        (["create", " "], 2, "name"),
        (["revoke", "nobody"], 2, "no key 'nobody'"),
        (["list", "--config", "/no/such.toml"], 0, "no keys"),
    ],
)
def test_mistakes_are_named(tmp_path, args, code, words):
    done = keys(tmp_path, *args)
    assert done.returncode == code
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_the_folder_comes_from_the_configuration_which_need_not_work_yet(tmp_path):
    file = tmp_path / "gateway.toml"
    file.write_text(f"state_folder = '{tmp_path}/state'\n[[providers]]\nname = 'openai'\n")
    done = mrblue("gateway", "--config", str(file), "keys", "create", "one")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "state" / "gateway.sqlite3").exists()
    for args in (
        ["gateway", "keys", "list", "--config", str(file)],
        ["--config", str(file), "gateway", "keys", "list"],
    ):
        assert "one" in mrblue(*args).stdout
    env = environment(MRBLUE_GATEWAY_STATE_FOLDER=str(tmp_path / "other"))
    assert "no keys" in mrblue("gateway", "--config", str(file), "keys", "list", env=env).stderr


def test_lengths_of_time_and_dates():
    assert until("30d", NOW) == NOW + 30 * 86_400
    assert until(" 12h ", NOW) == NOW + 12 * 3600
    assert until("2w", NOW) == NOW + 14 * 86_400
    assert until("1970-01-02", NOW) == 86_400.0


@given(st.text(max_size=12))
def test_any_text_is_a_time_or_a_usage_error(text):
    try:
        assert until(text, NOW) > 0 or "-" in text
    except UsageError as error:
        assert "--expires" in error.what


def test_check_explains_and_says_what_is_wrong(tmp_path):
    file = tmp_path / "gateway.yaml"
    file.write_text(ISSUE)
    env = environment(OPENAI_API_KEY="sk-secret-0123456789", GROQ_API_KEY=None, ANTHROPIC_API_KEY=None)
    done = mrblue("gateway", "check", str(file), env=env)
    assert done.returncode == 0, done.stderr
    assert "  gpt-4o: openai" in done.stdout
    assert "sk-secret" not in done.stdout
    document = json.loads(mrblue("gateway", "check", str(file), "--json", env=env).stdout)
    assert document["ok"] is True
    assert [line["name"] for line in document["providers"]] == ["openai", "groq", "anthropic"]
    bare = environment(OPENAI_API_KEY=None, GROQ_API_KEY=None, ANTHROPIC_API_KEY=None)
    done = mrblue("gateway", "check", str(file), env=bare)
    assert done.returncode == 3
    assert "  gpt-4o: openai" in done.stdout
    assert "no key was found in OPENAI_API_KEY" in done.stderr
    file.write_text(ISSUE.replace("0.95, ttl", "95, ttl").replace("max_tokens: 4096, temp", "max_token: 4096, temp"))
    done = mrblue("gateway", "check", str(file), env=env)
    assert done.returncode == 3
    assert "2 things are wrong" in done.stderr
    assert "providers[0].models[0].max_token: there is no such option (did you mean 'max_tokens'?)" in done.stderr
    assert "caching.similarity_threshold: must be 0 to 1, not 95" in done.stderr
    done = mrblue("gateway", "check", str(file), "--json", env=env)
    assert done.returncode == 3
    assert done.stderr == ""
    assert [row["path"] for row in json.loads(done.stdout)["problems"]] == [
        "providers[0].models[0].max_token", "caching.similarity_threshold",
    ]  # fmt: skip


def test_keys_travel_to_another_machine(tmp_path):
    here, there = tmp_path / "here", tmp_path / "there"
    token = keys(here, "create", "team", "--rpm", "3").stdout.strip()
    out = keys(here, "export")
    assert out.returncode == 0
    assert token not in out.stdout
    done = mrblue("gateway", "keys", "import", "-", "--state", str(there), stdin=out.stdout)
    assert (done.returncode, done.stdout) == (0, "1 added, 0 updated, 0 as they were\n")
    (tmp_path / "keys.jsonl").write_text(out.stdout)
    assert keys(there, "import", str(tmp_path / "keys.jsonl")).stdout == "0 added, 0 updated, 1 as they were\n"
    assert KeyStore(there / "gateway.sqlite3").verify(token, NOW).requests_per_minute == 3
    (tmp_path / "keys.jsonl").write_text(token)
    refused = keys(there, "import", str(tmp_path / "keys.jsonl"))
    assert refused.returncode == 2
    assert "keys.jsonl: line 1: not a key" in refused.stderr
    assert token not in refused.stderr
    missing = keys(there, "import", str(tmp_path / "none"))
    assert missing.returncode == 2
    assert "no such file" in missing.stderr
    assert "there are no keys" in keys(tmp_path / "empty", "export").stderr
