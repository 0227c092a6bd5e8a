"""Files that several processes share."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys

import pytest

from mrblue_cli.gateway.state import open_state
from tests.program import environment

SCHEMA = "CREATE TABLE IF NOT EXISTS t (x INTEGER);"
ADD = "INSERT INTO t VALUES (1)"


def test_it_is_in_write_ahead_mode_and_private(tmp_path):
    path = tmp_path / "below" / "s.sqlite3"
    base = open_state(path, SCHEMA, busy=0.25)
    assert base.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert base.execute("PRAGMA synchronous").fetchone() == (1,)
    assert base.execute("PRAGMA busy_timeout").fetchone() == (250,)
    assert base.execute("SELECT COUNT(*) FROM t").fetchone() == (0,)
    base.close()
    if os.name == "posix":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_what_is_no_such_file_is_an_error_at_once(tmp_path):
    (tmp_path / "s.sqlite3").write_bytes(b"not a database, by any means " * 100)
    with pytest.raises(sqlite3.DatabaseError):
        open_state(tmp_path / "s.sqlite3", SCHEMA)
    with pytest.raises((sqlite3.Error, OSError)):
        open_state(tmp_path, SCHEMA)


def test_processes_that_open_a_new_file_at_once_all_can(tmp_path):
    code = (
        "import sys; from pathlib import Path; from mrblue_cli.gateway.state import open_state; sys.stdin.readline();"
        "base = open_state(Path(sys.argv[1]), sys.argv[2]); base.execute(sys.argv[3]); base.close()"
    )
    path = tmp_path / "s.sqlite3"
    children = [
        subprocess.Popen([sys.executable, "-c", code, str(path), SCHEMA, ADD], stdin=subprocess.PIPE, env=environment())
        for _ in range(5)
    ]
    for child in children:
        child.stdin.write(b"go\n")
        child.stdin.flush()
    assert [child.communicate() and child.returncode for child in children] == [0] * 5
    base = open_state(path, SCHEMA)
    assert base.execute("SELECT COUNT(*) FROM t").fetchone() == (5,)
    base.close()
