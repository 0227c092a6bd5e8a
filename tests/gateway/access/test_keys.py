"""Virtual keys: told once, stored as digests, ended everywhere within two seconds."""

from __future__ import annotations

import os
import re
import sqlite3
import stat
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrblue_cli.core.errors import ConfigError, UsageError
from mrblue_cli.gateway.access.keys import PREFIX, Caller, KeyStore, KeysUnavailable, new_token
from mrblue_cli.gateway.model import KeyLimits
from tests.program import environment

NOW = 1_800_000_000.0


@pytest.fixture
def path(tmp_path):
    return tmp_path / "state" / "gateway.sqlite3"


@pytest.fixture
def store(path):
    made = KeyStore(path)
    yield made
    made.close()


def test_a_key_is_found_again_with_all_that_it_may(store):
    caller, token = store.create(
        "laptop", limits=KeyLimits(daily_nano=5, monthly_nano=7), models=("gpt-4o*", "tts-1"), requests_per_minute=3,
        tokens_per_minute=4, expires_at=NOW + 10, now=NOW,
    )  # fmt: skip
    assert caller.key_id.startswith("key_")
    assert store.verify(token, NOW) == caller
    limits = KeyLimits(daily_nano=5, monthly_nano=7)
    assert caller == Caller(caller.key_id, "laptop", ("gpt-4o*", "tts-1"), limits, 3, 4, NOW + 10)


def test_tokens_are_random_and_of_one_shape():
    tokens = {new_token() for _ in range(200)}
    assert len(tokens) == 200
    assert all(re.fullmatch(r"mrb_[0-9A-Za-z]{43}", token) for token in tokens)


def test_the_file_holds_no_token_and_is_nobody_elses(store, path):
    _, token = store.create("laptop", now=NOW)
    store.close()
    data = b"".join(file.read_bytes() for file in path.parent.iterdir())
    assert token.encode() not in data
    assert token[len(PREFIX) :].encode() not in data
    if os.name == "posix":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


@given(st.text(max_size=60))
def test_no_other_text_is_a_key(tmp_path_factory, text):
    store = KeyStore(tmp_path_factory.getbasetemp() / "any" / "gateway.sqlite3")
    for token in (text, PREFIX + text, PREFIX + (text * 43)[:43]):
        assert store.verify(token, NOW) is None
    store.close()


def test_one_wrong_letter_is_another_key(store):
    _, token = store.create("laptop", now=NOW)
    for place in range(len(token)):
        wrong = token[:place] + ("x" if token[place] != "x" else "y") + token[place + 1 :]
        assert store.verify(wrong, NOW) is None


def test_a_key_ends_when_it_expires_also_from_memory(store):
    _, token = store.create("laptop", expires_at=NOW + 0.5, now=NOW)
    assert store.verify(token, NOW + 0.4) is not None
    assert store.verify(token, NOW + 0.5) is None
    assert store.list()[0].state(NOW + 0.5) == "expired"
    with pytest.raises(UsageError):
        store.create("late", expires_at=NOW, now=NOW)


def test_another_process_notices_a_revocation_within_two_seconds(store, path):
    caller, token = store.create("laptop", now=NOW)
    assert store.verify(token, NOW) == caller
    elsewhere = KeyStore(path)
    elsewhere.revoke(caller.key_id, now=NOW)
    assert store.verify(token, NOW + 0.5) == caller  # from memory: that is what makes it quick
    assert store.verify(token, NOW + 1.9) is None
    assert elsewhere.verify(token, NOW) is None
    _, second = elsewhere.create("laptop", now=NOW + 2)
    assert store.verify(second, NOW + 2) is not None
    elsewhere.close()


def test_who_revokes_notices_at_once(store):
    caller, token = store.create("laptop", now=NOW)
    assert store.verify(token, NOW) == caller
    store.revoke("laptop", now=NOW)
    assert store.verify(token, NOW) is None


def test_a_clock_that_is_set_back_does_not_keep_a_revoked_key_alive(store, path):
    caller, token = store.create("laptop", now=NOW)
    assert store.verify(token, NOW) == caller
    elsewhere = KeyStore(path)
    elsewhere.revoke("laptop", now=NOW)
    elsewhere.close()
    assert store.verify(token, NOW - 3600) is None


def test_names_are_unique_among_keys_in_use(store):
    first, _ = store.create("laptop", now=NOW)
    with pytest.raises(UsageError) as caught:
        store.create("laptop", now=NOW)
    assert first.key_id in caught.value.what
    store.revoke(first.key_id, now=NOW)
    second, _ = store.create("laptop", now=NOW + 1)
    assert [record.state(NOW + 1) for record in store.list()] == ["revoked", "active"]
    assert store.revoke("laptop", now=NOW + 2).caller == second
    # Twice is not an error, and the first time counts.
    assert store.revoke(second.key_id, now=NOW + 9).revoked_at == NOW + 2
    for gone in ("laptop", "key_nothing", ""):
        with pytest.raises(UsageError):
            store.revoke(gone, now=NOW)


@pytest.mark.parametrize(
    "values",
    [
        {"name": ""},
        {"name": "  "},
        {"name": "a\nb"},
        {"name": "x" * 101},
        {"models": [""]},
        {"models": ["a\x1b[31m"]},
        {"requests_per_minute": 0},
        {"tokens_per_minute": -5},
        {"limits": KeyLimits(daily_nano=-1)},
    ],
)
def test_what_makes_no_sense_is_refused(store, values):
    with pytest.raises(UsageError):
        store.create(**{"name": "laptop", "now": NOW, **values})
    assert store.list() == ()


MODELS = [
    ((), ("anything",), True),
    (("gpt-4o*",), ("gpt-4o-mini",), True),
    (("gpt-4o*",), ("gpt-4",), False),
    (("gpt-4o*", "claude-*"), ("claude-3",), True),
    (("openai/*",), ("gpt-4o", "openai/gpt-4o"), True),
    (("openai/*",), ("claude", "anthropic/claude"), False),
    (("GPT-4O",), ("gpt-4o",), False),
]


@pytest.mark.parametrize(("globs", "names", "allowed"), MODELS)
def test_globs_say_which_models(globs, names, allowed):
    assert Caller("k", "n", globs).allows(*names) is allowed


def test_a_file_that_cannot_be_used_is_said_and_known_keys_go_on_for_a_minute(store, path):
    caller, token = store.create("laptop", now=NOW)
    assert store.verify(token, NOW) == caller
    store._file.open().execute("DROP TABLE virtual_keys_version")
    assert store.verify(token, NOW + 30) == caller
    with pytest.raises(KeysUnavailable):
        store.verify(token, NOW + 61)
    store.close()
    for file in path.parent.iterdir():
        file.unlink()
    path.write_bytes(b"not a database, by any means " * 100)
    damaged = KeyStore(path)
    with pytest.raises(KeysUnavailable):
        damaged.verify(token, NOW)
    for use in (damaged.list, lambda: damaged.create("x", now=NOW), lambda: damaged.revoke("x", now=NOW)):
        with pytest.raises(ConfigError) as caught:
            use()
        assert str(path) in caught.value.what


def test_a_store_without_a_file_has_no_keys(store, path):
    assert store.list() == ()
    assert not path.exists()
    assert store.verify(new_token(), NOW) is None


def test_the_file_may_be_shared_with_other_tables(store, path):
    path.parent.mkdir()
    base = sqlite3.connect(path)
    base.execute("CREATE TABLE ledger (id INTEGER)")
    base.commit()
    _, token = store.create("laptop", now=NOW)
    assert store.verify(token, NOW)
    assert base.execute("SELECT COUNT(*) FROM virtual_keys").fetchone() == (1,)
    base.close()


def test_workers_that_start_at_once_all_get_their_keys(path):
    code = (
        "import sys, time; from pathlib import Path; from mrblue_cli.gateway.access.keys import KeyStore;"
        "sys.stdin.readline();"
        "store = KeyStore(Path(sys.argv[1])); caller, token = store.create(sys.argv[2]);"
        "assert store.verify(token, time.time()) == caller"
    )
    children = [
        subprocess.Popen([sys.executable, "-c", code, str(path), f"worker-{number}"], stdin=subprocess.PIPE,
                         stderr=subprocess.PIPE, env=environment())
        for number in range(5)
    ]  # fmt: skip
    for child in children:
        child.stdin.write(b"go\n")
        child.stdin.flush()
    for child in children:
        _, errors = child.communicate()
        assert child.returncode == 0, errors.decode()
    assert len(KeyStore(path).list()) == 5


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_forked_worker_opens_the_file_anew(store, path):
    caller, token = store.create("laptop", now=NOW)
    code = f"""
import os, sys
from pathlib import Path
from mrblue_cli.gateway.access.keys import KeyStore
store = KeyStore(Path({str(path)!r}))
assert store.verify({token!r}, {NOW}).name == "laptop"
child = os.fork()
if child == 0:
    before = store._file._base
    assert store.verify({token!r}, {NOW + 5}).name == "laptop"
    os._exit(0 if store._file._base is not before else 1)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    done = subprocess.run([sys.executable, "-c", code], env=environment(), check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert caller.name == "laptop"
