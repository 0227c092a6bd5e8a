"""Settings remembered between runs: never stale, never trusted when damaged, and without secrets."""

from __future__ import annotations

import marshal
import os
import subprocess
import sys
import zlib

import pytest

from mrblue_cli.core.errors import ConfigError
from mrblue_cli.settings.memo import AskSettings, ask_settings
from tests.program import environment

SECRET = "hunter2" + "hunter2"


@pytest.fixture
def env(tmp_path):
    return {"XDG_CONFIG_HOME": str(tmp_path / "config"), "XDG_CACHE_HOME": str(tmp_path / "cache")}


@pytest.fixture
def memory(tmp_path):
    return tmp_path / "cache" / "mrblue" / "ask-settings.bin"


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "config" / "mrblue" / "config.toml"
    path.parent.mkdir(parents=True)
    return path


DEFAULTS = AskSettings((), 3, "never", True, "god", "global")


def forge(memory, change):
    """Change what is remembered, with a checksum that fits."""
    wanted, values = marshal.loads(memory.read_bytes()[4:])  # noqa: S302 - written by this test
    body = marshal.dumps(change(wanted, values))
    memory.write_bytes(zlib.crc32(body).to_bytes(4, "big") + body)


def test_defaults_without_a_file(env):
    assert ask_settings(None, env) == DEFAULTS


def test_the_second_time_nothing_is_parsed(env, memory):
    ask_settings(None, env)
    forge(memory, lambda wanted, values: (wanted, (("/remembered",), 7, *values[2:])))
    assert ask_settings(None, env).folders == ("/remembered",)
    assert ask_settings(None, env).top == 7


def test_everything_that_a_search_needs_is_read(env, file):
    file.write_text(
        '[ask]\ntop = 5\nai = "fallback"\nfeedback_prompt = false\n[knowledge]\nfolders = ["/a", "~/b"]\n'
        '[assistant]\nrole = "user"\nmode = "chat"\n'
    )
    expected = AskSettings(("/a", "~/b"), 5, "fallback", False, "user", "chat")
    assert ask_settings(None, env) == expected
    assert ask_settings(None, env) == expected


def test_a_change_of_the_file_is_noticed(env, file):
    assert ask_settings(None, env).top == 3
    file.write_text("[ask]\ntop = 5\n")
    assert ask_settings(None, env).top == 5
    file.write_text("[ask]\ntop = 6\n")
    os.utime(file, ns=(1, 10**15))
    assert ask_settings(None, env).top == 6
    file.unlink()
    assert ask_settings(None, env).top == 3


def test_a_variable_is_noticed(env):
    assert ask_settings(None, env).top == 3
    assert ask_settings(None, {**env, "MRBLUE_ASK_TOP": "9"}).top == 9
    assert ask_settings(None, {**env, "MRBLUE_ASK_TOP": "8"}).top == 8
    assert ask_settings(None, env).top == 3


def test_another_file_is_noticed(env, tmp_path):
    for number in (4, 5):
        (tmp_path / f"{number}.toml").write_text(f"[ask]\ntop = {number}\n")
    assert ask_settings(tmp_path / "4.toml", env).top == 4
    assert ask_settings(tmp_path / "5.toml", env).top == 5
    assert ask_settings(None, {**env, "MRBLUE_CONFIG": str(tmp_path / "4.toml")}).top == 4
    assert ask_settings(None, env).top == 3


def test_a_named_file_that_is_gone_is_an_error_and_not_a_memory(env, tmp_path):
    path = tmp_path / "x.toml"
    path.write_text("")
    ask_settings(path, env)
    path.unlink()
    for _ in range(2):
        with pytest.raises(ConfigError):
            ask_settings(path, env)


def test_a_faulty_file_is_never_remembered(env, file, memory):
    file.write_text("[ask]\ntop = 99\n")
    for _ in range(2):
        with pytest.raises(ConfigError):
            ask_settings(None, env)
    assert not memory.exists()


DAMAGE = {
    "empty": lambda data: b"",
    "short": lambda data: data[:3],
    "truncated": lambda data: data[:-5],
    "flipped": lambda data: data[:-3] + bytes([data[-3] ^ 1]) + data[-2:],
    "foreign": lambda data: b"\x89PNG\r\n\x1a\n" + bytes(500),
    "checksum alone": lambda data: zlib.crc32(b"").to_bytes(4, "big"),
}
FORGED = {
    "number": lambda wanted, values: 7,
    "three": lambda wanted, values: (wanted, values, 1),
    "few values": lambda wanted, values: (wanted, values[:2]),
    "no values": lambda wanted, values: (wanted, None),
    "other stamp": lambda wanted, values: (wanted + "x", ("/wrong",) * 6),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_memory_is_ignored_and_replaced(env, memory, damage):
    ask_settings(None, env)
    whole = memory.read_bytes()
    memory.write_bytes(damage(whole))
    assert ask_settings(None, env) == DEFAULTS
    assert memory.read_bytes() == whole


@pytest.mark.parametrize("change", FORGED.values(), ids=FORGED)
def test_a_memory_of_something_else_is_ignored(env, memory, change):
    ask_settings(None, env)
    forge(memory, change)
    assert ask_settings(None, env) == DEFAULTS


def test_no_secret_reaches_the_memory_in_any_form(env, memory):
    secrets = {"OPENAI_API_KEY": SECRET, "MRBLUE_CHAT_API_KEY": SECRET, "MRBLUE_X_TOKEN": SECRET}
    ask_settings(None, {**env, **secrets})
    first = memory.read_bytes()
    assert SECRET.encode() not in first
    # Not even a checksum changes with it, from which it could be guessed.
    ask_settings(None, {**env, **dict.fromkeys(secrets, "another")})
    assert memory.read_bytes() == first


def test_a_place_that_cannot_be_written_costs_nothing_but_time(env, tmp_path):
    (tmp_path / "cache").write_text("a file where the folder should be")
    for _ in range(2):
        assert ask_settings(None, env) == DEFAULTS


def test_processes_that_remember_at_once_leave_one_whole_memory(env, memory):
    code = "import sys; sys.stdin.readline(); from mrblue_cli.settings.memo import ask_settings; ask_settings(None)"
    children = [
        subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, env=environment(**env)) for _ in range(3)
    ]
    for child in children:
        child.stdin.write(b"go\n")
        child.stdin.flush()
    for child in children:
        child.communicate()
        assert child.returncode == 0
    assert [file.name for file in memory.parent.iterdir()] == [memory.name]
    data = memory.read_bytes()
    assert zlib.crc32(data[4:]).to_bytes(4, "big") == data[:4]
