"""Real shells with the hook, in a real terminal: what was typed becomes a breadcrumb, and nothing else changes."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from mrblue_cli.app.shell_hooks import HOOKS, LINES
from tests.fakes.terminal import Terminal
from tests.program import environment, mrblue

SECRET = "hunter2" + "hunter2"
PROMPT = "ready>"
BASH = f"""
PS1='{PROMPT}'
HISTCONTROL=ignoreboth
PROMPT_COMMAND='custom=ran$?'
trap 'true' DEBUG
"""
ZSH = f"""
PROMPT='{PROMPT}'
unsetopt zle prompt_cr prompt_sp
precmd() {{ custom=ran$? }}
"""
FISH = f"""
function fish_prompt; printf '{PROMPT}'; end
function fish_greeting; end
function custom_event --on-event fish_postexec; set -g custom ran$status; end
"""


@pytest.fixture(scope="module")
def programs(tmp_path_factory):
    """A folder with `mrblue` of this checkout, to stand first on PATH."""
    folder = tmp_path_factory.mktemp("bin")
    script = folder / "mrblue"
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m mrblue_cli "$@"\n')
    script.chmod(0o755)
    return folder


@pytest.fixture
def repository(tmp_path):
    folder = tmp_path / "shop"
    (folder / ".git").mkdir(parents=True)
    (folder / ".git" / "HEAD").write_text("ref: refs/heads/feature/cart\n")
    return folder


def shell_command(shell, home):
    """How the shell is started with the hook in its own start-up file."""
    line = LINES[shell].split("#")[0]
    if shell == "bash":
        (home / "rc").write_text(f"{BASH}\n{line}\n")
        return ["bash", "--noprofile", "--rcfile", str(home / "rc"), "-i"]
    if shell == "zsh":
        (home / ".zshrc").write_text(f"{ZSH}\n{line}\n")
        return ["zsh", "-d", "-i"]
    (home / "config" / "fish").mkdir(parents=True)
    (home / "config" / "fish" / "config.fish").write_text(f"{FISH}\n{line}\n")
    return ["fish", "-i"]


class Kept:
    """The breadcrumbs as they lie in the file."""

    def __init__(self, path):
        self.path = path

    def rows(self):
        try:
            return [json.loads(line) for line in self.path.read_text().splitlines()]
        except OSError:
            return []

    def of(self, word):
        return [row for row in self.rows() if word in row["metadata"]["command"]]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_session(shell, programs, repository, tmp_path):
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    status = "$status" if shell == "fish" else "$?"
    env = environment(
        PATH=f"{programs}{os.pathsep}{os.environ['PATH']}", HOME=str(tmp_path), ZDOTDIR=str(tmp_path),
        XDG_CONFIG_HOME=str(tmp_path / "config"), XDG_DATA_HOME=str(tmp_path / "data"), HISTFILE=str(tmp_path / "hist"),
    )  # fmt: skip
    (tmp_path / "hist").write_text("echo of-an-older-session\n")
    kept = Kept(tmp_path / "data" / "mrblue" / "breadcrumbs.jsonl")
    with Terminal(shell_command(shell, tmp_path), env=env, cwd=str(repository), columns=300) as terminal:
        place = terminal.expect(PROMPT)

        def enter(line, shows=PROMPT):
            nonlocal place
            terminal.type(line + "\r")
            place = terminal.expect(shows, after=place)
            if shows != PROMPT:
                place = terminal.expect(PROMPT, after=place)

        enter(" echo private-first", "private-first\r\n")
        # A failure with a secret, which takes a moment; the hook must not change what the next command sees.
        enter(f"sh -c 'sleep 0.2; exit 7' --token {SECRET}")
        enter(f"echo was-{status}-{status} was=$custom", "was-7-7 was=ran7")
        terminal.until(lambda: kept.of("exit 7"))
        # Private, empty, and a question to mrblue itself.
        enter(" echo private-thing", "private-thing\r\n")
        enter("")
        enter("mrblue --version", "mrblue 0.")
        # Quoting, and a failing builtin in another place.
        enter("false 'a  b' \"c;d\" | false")
        enter(f"cd {tmp_path}")
        enter("cd /no-such-folder-here")
        terminal.until(lambda: kept.of("/no-such-folder-here"))
        terminal.until(lambda: kept.of("a  b"))
        enter("echo last-one", "last-one\r\n")
        terminal.until(lambda: kept.of("last-one"))
        terminal.type("exit 9\r")
        assert terminal.wait() == 9
        assert " Done" not in terminal.text
        assert "[1]" not in terminal.text

    (failed,) = kept.of("exit 7")
    assert failed["metadata"]["command"] == "sh -c 'sleep 0.2; exit 7' --token [redacted]"
    assert failed["metadata"]["status"] == 7
    assert 0.15 <= failed["metadata"]["seconds"] < 30
    assert failed["metadata"]["branch"] == "feature/cart"
    assert failed["place"] == str(repository)
    assert failed["action"] == "command"
    (told,) = kept.of("was-")
    assert told["metadata"]["status"] == 0
    (piped,) = kept.of("a  b")
    assert piped["metadata"]["command"] == "false 'a  b' \"c;d\" | false"
    assert piped["metadata"]["status"] == 1
    (lost,) = kept.of("/no-such-folder-here")
    assert lost["metadata"]["status"] != 0
    assert lost["place"] == str(tmp_path)
    assert "branch" not in lost["metadata"]
    assert kept.of("private") == []
    assert kept.of("mrblue") == []
    assert len(kept.rows()) == 6
    assert SECRET not in kept.path.read_text()
    assert stat.S_IMODE(kept.path.stat().st_mode) == 0o600


@pytest.mark.parametrize("shell", sorted(HOOKS))
def test_the_hook_is_printed_as_it_is_and_the_shell_can_read_it(shell):
    done = mrblue("shell-init", shell)
    assert (done.returncode, done.stdout) == (0, HOOKS[shell])
    assert shell in LINES[shell]
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    checked = subprocess.run([shell, "-n"], input=done.stdout, text=True, capture_output=True, check=False)
    assert (checked.returncode, checked.stderr) == (0, "")


def test_an_unknown_shell_is_named():
    done = mrblue("shell-init", "tcsh")
    assert done.returncode == 2
    assert "tcsh" in done.stderr
    assert "bash" in done.stderr


def record(*arguments, command="make", cwd=None):
    return mrblue("record", *arguments, stdin=command, cwd=cwd)


@pytest.fixture
def kept():
    return Kept(Path(os.environ["XDG_DATA_HOME"]) / "mrblue" / "breadcrumbs.jsonl")


@pytest.mark.parametrize(
    ("told", "seconds"),
    [("1.5", 1.5), ("1500ms", 1.5), ("1500000us", 1.5), ("-3", 0), ("0", 0), ("1e2", 100)],
)
def test_seconds_come_in_the_units_of_each_shell(kept, told, seconds):
    assert record("3", told, "/srv").returncode == 0
    assert kept.rows()[0]["metadata"] == {"command": "make", "status": 3, "seconds": seconds}


@pytest.mark.parametrize("arguments", [(), ("1",), ("1", "2"), ("x", "1", "/"), ("1", "soon", "/"), ("1", "nan", "/")])
def test_arguments_that_make_no_sense_are_refused_and_nothing_is_kept(kept, arguments):
    done = record(*arguments)
    assert done.returncode == 2
    assert "shell hooks" in done.stderr
    assert kept.rows() == []


@pytest.mark.parametrize("command", ["", "  \n", "mrblue", "mrblue ask x", "mrblue run -- make"])
def test_nothing_and_mrblue_itself_are_not_kept(kept, command):
    assert record("1", "1", "/", command=command).returncode == 0
    assert kept.rows() == []


def test_bytes_that_are_no_text_are_kept_as_far_as_they_go(kept):
    done = mrblue("record", "1", "1", b"/srv/caf\xe9", stdin=b"ls caf\xe9 \x00")
    assert done.returncode == 0
    assert kept.rows()[0]["metadata"]["command"].startswith("ls caf")


def test_the_branch_is_found_from_below_in_worktrees_and_when_detached(kept, repository, tmp_path):
    below = repository / "src" / "deep"
    below.mkdir(parents=True)
    record("1", "1", str(below), command="below")
    (repository / ".git" / "HEAD").write_text("0123456789abcdef0123456789abcdef01234567\n")
    record("1", "1", str(repository), command="detached")
    tree = tmp_path / "tree"
    tree.mkdir()
    (repository / ".git" / "worktrees" / "tree").mkdir(parents=True)
    (repository / ".git" / "worktrees" / "tree" / "HEAD").write_text("ref: refs/heads/hotfix\n")
    (tree / ".git").write_text(f"gitdir: {repository}/.git/worktrees/tree\n")
    record("1", "1", str(tree), command="tree")
    assert [row["metadata"]["branch"] for row in kept.rows()] == ["feature/cart", "0123456789ab", "hotfix"]


def test_recording_starts_without_anything_heavy():
    code = """
import sys
sys.argv = ["mrblue", "record", "1", "1", "/"]
from mrblue_cli.cli.entry import main
try:
    main()
finally:
    print([name for name in ("typer", "rich", "textual", "numpy", "openai", "yaml", "msgspec", "sqlite3", "asyncio")
           if name in sys.modules])
"""
    done = subprocess.run(
        [sys.executable, "-c", code], input="make", text=True, capture_output=True, env=environment(), check=False
    )
    assert (done.returncode, done.stdout) == (0, "[]\n")


def test_breadcrumbs_are_shown_and_forgotten(kept):
    record("127", "1", "/srv/shop", command=f"gti --password {SECRET}")
    shown = mrblue("breadcrumbs").stdout
    assert "127" in shown
    assert "/srv/shop" in shown
    assert "gti --password [redacted]" in shown
    (row,) = json.loads(mrblue("breadcrumbs", "--json").stdout)
    assert row["metadata"]["status"] == 127
    assert set(row) == {"place", "action", "time", "metadata"}
    assert mrblue("breadcrumbs", "--clear").returncode == 0
    assert kept.rows() == []
    assert "nothing is kept" in mrblue("breadcrumbs").stdout
