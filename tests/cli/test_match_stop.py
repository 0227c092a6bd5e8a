"""Ctrl-C in the middle of a long `mrblue match`: what is done is kept, and the command that goes on is told."""

from __future__ import annotations

import shlex

import pytest

from mrblue_cli.app.match_people import written
from mrblue_cli.matcher.generate import people
from tests.program import environment, mrblue, python

# The program itself, with somebody who presses Ctrl-C when it tells its progress for the third time.
PRESSED = """
import os, signal, sys
from mrblue_cli.cli import match_run
from mrblue_cli.cli.entry import main
told = []
class Bar(match_run._Bar):
    def show(self, done, total):
        super().show(done, total)
        told.append(done)
        if len(told) == 3:
            os.kill(os.getpid(), signal.SIGINT)
match_run._Bar = Bar
sys.argv = ['mrblue', *sys.argv[1:]]
main()
"""


@pytest.fixture
def crowd(tmp_path):
    path = tmp_path / "crowd.ndjson"
    path.write_text("".join(written(people(900, 2), "ndjson")), encoding="utf-8")
    return path


def test_a_long_search_is_kept_and_gone_on_with(tmp_path, crowd):
    env = environment(XDG_CACHE_HOME=str(tmp_path / "cache"))
    out = tmp_path / "lists.csv"
    command = ["match", str(crowd), "--all", "--csv", str(out), "--workers", "1", "--resume"]
    stopped = python(PRESSED, *command, env=env)
    assert stopped.returncode == 130
    assert "Traceback" not in stopped.stderr
    what, todo = stopped.stderr.strip().splitlines()[-2:]
    assert "people are done and kept, nothing was written" in what
    done = int(what.split("stopped; ")[1].split(" of ")[0].replace(",", ""))
    assert 0 < done < 900
    again = shlex.split(todo.partition("go on with: ")[2])
    assert again == ["mrblue", *command]
    assert not out.exists()
    assert list((tmp_path / "cache" / "mrblue" / "match").iterdir())

    other = mrblue("match", str(crowd), "--all", "--top", "2", "--csv", "--resume", env=env)
    assert other.returncode == 2
    assert "interrupted" in other.stderr

    assert mrblue(*again[1:], env=env).returncode == 0
    whole = mrblue("match", str(crowd), "--all", "--csv", env=environment(XDG_CACHE_HOME=str(tmp_path / "fresh")))
    assert out.read_text(encoding="utf-8") == whole.stdout
    assert list((tmp_path / "cache" / "mrblue" / "match").iterdir()) == []
    assert not (tmp_path / "fresh" / "mrblue" / "match").exists()  # short searches are not kept unasked


# The same, with Ctrl-C while the answer is written.
WRITING = """
import os, signal, sys
from mrblue_cli.cli import match_csv
from mrblue_cli.cli.entry import main
def lines(answer):
    yield 'half of it'
    os.kill(os.getpid(), signal.SIGINT)
    yield 'never'
match_csv.lines = lines
sys.argv = ['mrblue', *sys.argv[1:]]
main()
"""


def test_a_search_that_is_done_is_kept_until_its_answer_is_written(tmp_path, crowd):
    env = environment(XDG_CACHE_HOME=str(tmp_path / "cache"))
    out = tmp_path / "lists.csv"
    command = ["match", str(crowd), "--all", "--csv", str(out), "--resume"]
    stopped = python(WRITING, *command, env=env)
    assert stopped.returncode == 130
    what, todo = stopped.stderr.strip().splitlines()[-2:]
    count = what.split("stopped; ")[1].split(" of ")[0]
    assert what == f"mrblue: stopped; {count} of {count} people are done and kept, nothing was written"
    assert shlex.split(todo.partition("go on with: ")[2]) == ["mrblue", *command]
    assert not out.exists()
    [kept] = (tmp_path / "cache" / "mrblue" / "match").iterdir()

    printing = python(WRITING, *command[:4], "-", "--resume", env=env)
    assert printing.returncode == 130
    assert "what was printed is not whole" in printing.stderr
    assert kept.exists()

    assert mrblue(*command, env=env).returncode == 0
    assert out.exists()
    assert not kept.exists()


def test_a_short_search_says_that_nothing_was_written(tmp_path, crowd):
    stopped = python(PRESSED, "match", str(crowd), "--all", "--html", str(tmp_path / "o.html"), "--workers", "1")
    assert stopped.returncode == 130
    assert stopped.stderr.strip().splitlines()[-1] == "mrblue: stopped; nothing was written"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["crowd.ndjson"]
