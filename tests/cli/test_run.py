"""`mrblue run -- COMMAND`: the command untouched, the fix below it, the step remembered."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from tests.fakes.terminal import Terminal
from tests.program import mrblue

SECRET = "hunter2" + "hunter2"
PORT_ERROR = "Error: listen EADDRINUSE: address already in use :::3000"


@pytest.fixture
def run(ask_env):
    return lambda *command, stdin="", **more: mrblue("run", *command, stdin=stdin, env=ask_env(), **more)


def py(code):
    return ("--", sys.executable, "-c", code)


def kept():
    path = Path(os.environ["XDG_DATA_HOME"]) / "mrblue" / "breadcrumbs.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def test_a_success_is_passed_on_byte_for_byte_and_remembered(run, tmp_path):
    done = run(*py("import os; os.write(1, os.read(0, 9)); os.write(2, b'\\xfe')"), stdin=b"\x00\xff\r\n", cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"\x00\xff\r\n", b"\xfe")
    (row,) = kept()
    assert (row["action"], row["place"], row["metadata"]["status"]) == ("run", str(tmp_path), 0)
    assert "output" not in row["metadata"]


def test_below_a_failure_stands_the_fix_on_stderr(run):
    done = run(*py(f"import sys; print('out'); print('{PORT_ERROR}', file=sys.stderr); sys.exit(3)"))
    assert done.returncode == 3
    assert done.stdout == "out\n"
    assert done.stderr.startswith(PORT_ERROR + "\n")
    assert "── mrblue: exit status 3 ──" in done.stderr
    assert "lsof -i :3000" in done.stderr
    assert "\x1b" not in done.stderr
    (row,) = kept()
    assert row["metadata"]["status"] == 3
    assert PORT_ERROR in row["metadata"]["output"]


def test_its_output_answers_the_next_question(run, ask_env):
    run(*py(f"raise SystemExit('{PORT_ERROR}')"))
    table = json.loads(mrblue("ask", "--json", env=ask_env()).stdout)
    assert table["hits"][0]["id"] == "node/port-in-use"


def test_a_silent_failure_is_explained_by_its_end(run):
    done = run("--", "sh", "-c", "kill -SEGV $$")
    assert done.returncode == 139
    assert "exit status 139" in done.stderr


def test_options_belong_to_the_command(run):
    assert run("--", "echo", "--json", "-v", "--help").stdout == "--json -v --help\n"
    assert run("echo", "--json", "-v").stdout == "--json -v\n"


def test_secrets_are_not_remembered(run):
    run("--", "sh", "-c", f"echo password={SECRET} >&2; exit 1", "--token", SECRET)
    path = Path(os.environ["XDG_DATA_HOME"]) / "mrblue" / "breadcrumbs.jsonl"
    assert SECRET not in path.read_text()
    assert "[redacted]" in kept()[0]["metadata"]["output"]


def test_a_secret_at_the_cut_of_a_long_output_is_not_kept_in_half(run):
    run(*py(f"print('password={SECRET}' + 'y' * 3480); raise SystemExit(1)"))
    assert "hunter2" not in kept()[0]["metadata"]["output"]


def test_nothing_to_run_and_nothing_there(run):
    for command in ((), ("--",), ("--", "no-such-program-here")):
        done = run(*command)
        assert done.returncode == 2
        assert len(done.stderr.splitlines()) == 2
        assert "Traceback" not in done.stderr


def test_a_folder_whose_name_is_no_unicode_changes_nothing(run, tmp_path):
    folder = os.fsencode(tmp_path) + b"/caf\xe9"
    os.mkdir(folder)  # noqa: PTH102 - a name of bytes
    done = run("--", "sh", "-c", "echo there; exit 4", b"caf\xe9", cwd=folder)
    assert (done.returncode, done.stdout) == (4, "there\n")
    assert "internal error" not in done.stderr
    assert kept()[0]["metadata"]["status"] == 4


def test_without_a_place_for_breadcrumbs_the_command_still_counts(run, tmp_path):
    (tmp_path / "data").write_text("a file where the folder should be")
    done = run("--", "sh", "-c", "echo there; exit 5")
    assert (done.returncode, done.stdout) == (5, "there\n")
    assert "breadcrumb could not be kept" in done.stderr


def test_faulty_settings_do_not_change_the_exit_status(run, tmp_path):
    (tmp_path / "config" / "mrblue").mkdir(parents=True)
    (tmp_path / "config" / "mrblue" / "config.toml").write_text("[")
    done = run("--", "sh", "-c", "exit 6")
    assert done.returncode == 6
    assert "config.toml" in done.stderr


def on_terminal(ask_env, *command):
    return Terminal([sys.executable, "-m", "mrblue_cli", "run", "--", *command], env=ask_env())


def test_on_a_terminal_the_fix_stands_below_coloured(ask_env):
    code = f"import sys; print(sys.stdout.isatty()); print('{PORT_ERROR}'); sys.exit(3)"
    with on_terminal(ask_env, sys.executable, "-c", code) as terminal:
        assert terminal.wait() == 3
    assert terminal.text.startswith(f"True\n{PORT_ERROR}\n")
    assert "── mrblue: exit status 3 ──" in terminal.text
    assert "\x1b[" in terminal.text


def test_ctrl_c_is_told_and_gets_no_lecture(ask_env):
    with on_terminal(ask_env, "sh", "-c", "echo ready; exec sleep 600") as terminal:
        terminal.expect("ready")
        terminal.type("\x03")
        assert terminal.wait() == 130
    assert "── mrblue" not in terminal.text
    assert kept()[0]["metadata"]["status"] == 130
