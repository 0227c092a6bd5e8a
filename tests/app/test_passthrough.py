"""A command run through us is run as if nobody stood between: on pipes, and on a real terminal."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import pytest

from mrblue_cli.app.passthrough import KEPT_BYTES
from tests.fakes.terminal import Terminal
from tests.program import environment

RUN = """
import json, sys
from mrblue_cli.app.passthrough import run
from mrblue_cli.core.errors import UsageError
report = sys.argv[1]
try:
    done = run(sys.argv[2:])
    told = {"status": done.status, "output": done.output}
except UsageError as error:
    told = {"error": error.what, "hint": error.hint}
with open(report, "w") as file:
    json.dump(told, file)
"""


@pytest.fixture
def report(tmp_path):
    return tmp_path / "report.json"


def through(report, *command):
    return [sys.executable, "-c", RUN, str(report), *command]


def on_pipes(report, *command, stdin=b""):
    done = subprocess.run(through(report, *command), capture_output=True, input=stdin, env=environment(), check=True)
    return done, json.loads(report.read_text())


def py(code):
    return (sys.executable, "-c", code)


def test_both_streams_stay_apart_and_exact(report):
    done, told = on_pipes(
        report,
        *py("import os; os.write(1, bytes(range(256))); os.write(2, b'\\xff\\r\\n\\0err'); os.write(1, b'end')"),
    )
    assert done.stdout == bytes(range(256)) + b"end"
    assert done.stderr == b"\xff\r\n\x00err"
    assert told["status"] == 0
    assert "err" in told["output"]
    assert told["output"].endswith("end") or "end" in told["output"]


def test_stdin_reaches_the_command(report):
    done, _ = on_pipes(report, "cat", stdin=b"\x00\xffin")
    assert done.stdout == b"\x00\xffin"


@pytest.mark.parametrize("status", [0, 1, 3, 126, 127, 255])
def test_the_exit_status_is_kept(report, status):
    assert on_pipes(report, *py(f"raise SystemExit({status})"))[1]["status"] == status


@pytest.mark.parametrize("name", ["SIGKILL", "SIGTERM", "SIGSEGV", "SIGABRT", "SIGINT"])
def test_death_by_a_signal_is_told_as_a_shell_does(report, name):
    number = int(getattr(signal, name))
    code = f"""
import os, signal
if {number} != signal.SIGKILL:
    signal.signal({number}, signal.SIG_DFL)
os.kill(os.getpid(), {number})
"""
    assert on_pipes(report, *py(code))[1]["status"] == 128 + number


def test_a_missing_program_is_a_usage_error_that_names_it(report):
    told = on_pipes(report, "no-such-program-here", "x")[1]
    assert "no-such-program-here" in told["error"]
    assert "PATH" in told["hint"]


def test_a_file_that_cannot_be_run_is_a_usage_error(report, tmp_path):
    (tmp_path / "plain").write_text("text")
    told = on_pipes(report, str(tmp_path / "plain"))[1]
    assert "ermission denied" in told["error"]


def test_large_output_comes_whole_and_its_end_is_kept(report):
    code = """
import sys
for number in range(200_000):
    (sys.stdout if number % 2 else sys.stderr).write(f"line {number}\\n")
"""
    done, told = on_pipes(report, *py(code))
    assert done.stdout.split(b"\n")[:-1] == [b"line %d" % number for number in range(1, 200_000, 2)]
    assert done.stderr.split(b"\n")[:-1] == [b"line %d" % number for number in range(0, 200_000, 2)]
    assert len(told["output"].encode()) == KEPT_BYTES
    assert told["output"].rstrip().endswith(("line 199999", "line 199998"))


def test_a_reader_who_leaves_does_not_stop_us(report):
    command = through(report, *py("print('x' * 200_000); print('y' * 200_000)"))
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment())
    with child:
        child.stdout.read(10)
        child.stdout.close()
    assert child.returncode == 0
    assert json.loads(report.read_text())["status"] == 0


def test_signals_meant_for_the_command_reach_it(report):
    code = """
import signal, sys
told = {signal.SIGTERM, signal.SIGUSR1}
signal.pthread_sigmask(signal.SIG_BLOCK, told)
print("ready", flush=True)
while signal.sigwait(told) != signal.SIGTERM:
    print("one", flush=True)
sys.exit(42)
"""
    child = subprocess.Popen(through(report, *py(code)), stdout=subprocess.PIPE, env=environment())
    with child:
        assert child.stdout.readline() == b"ready\n"
        child.send_signal(signal.SIGUSR1)
        assert child.stdout.readline() == b"one\n"
        child.send_signal(signal.SIGTERM)
        assert child.stdout.read() == b""
    assert child.returncode == 0
    assert json.loads(report.read_text())["status"] == 42


def on_terminal(report, *command, **options):
    return Terminal(through(report, *command), env=environment(**options.pop("env", {})), **options)


def test_the_command_has_a_terminal_with_our_size(report):
    code = "import os, sys; print([os.isatty(n) for n in (0, 1, 2)], os.get_terminal_size())"
    with on_terminal(report, *py(code), rows=31, columns=117) as terminal:
        assert terminal.wait() == 0
    assert "[True, True, True] os.terminal_size(columns=117, lines=31)" in terminal.text
    assert "[True, True, True]" in json.loads(report.read_text())["output"]


def test_a_change_of_size_is_passed_on(report):
    code = """
import os, signal
# A handler could come due just before input() blocks, and then wait with it; a signal waited for cannot.
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGWINCH})
print("ready", flush=True)
signal.sigwait({signal.SIGWINCH})
print("size", os.get_terminal_size().columns, flush=True)
input()
"""
    with on_terminal(report, *py(code)) as terminal:
        place = terminal.expect("ready")
        terminal.resize(40, 91)
        terminal.expect("size 91", after=place)
        terminal.type("\n")
        assert terminal.wait() == 0


def test_keys_reach_the_command_one_by_one(report):
    code = """
import sys, tty
tty.setcbreak(0)
print("ready", flush=True)
keys = [sys.stdin.read(1) for _ in range(4)]
print("got", keys, flush=True)
sys.exit(7)
"""
    with on_terminal(report, *py(code)) as terminal:
        terminal.expect("ready")
        terminal.type("\x1b[A")
        terminal.type("ü")
        terminal.expect("got ['\\x1b', '[', 'A', 'ü']")
        assert terminal.wait() == 0
    assert json.loads(report.read_text())["status"] == 7


@pytest.mark.parametrize(("code", "status"), [("raise SystemExit(3)", 3), ("import os; os.kill(os.getpid(), 9)", 137)])
def test_the_exit_status_is_kept_on_a_terminal(report, code, status):
    with on_terminal(report, *py(code)) as terminal:
        assert terminal.wait() == 0
    assert json.loads(report.read_text())["status"] == status


def test_a_missing_program_is_told_on_a_terminal_too(report):
    with on_terminal(report, "no-such-program-here") as terminal:
        assert terminal.wait() == 0
    told = json.loads(report.read_text())
    assert "no-such-program-here" in told["error"]
    assert "PATH" in told["hint"]


def test_ctrl_c_ends_the_command_and_not_us(report):
    code = "import signal\nsignal.signal(2, signal.SIG_DFL)\nprint('set', flush=True)\nsignal.pause()"
    with on_terminal(report, *py(code)) as terminal:
        terminal.expect("set")
        terminal.type("\x03")
        assert terminal.wait() == 0
    assert json.loads(report.read_text())["status"] == 130


def test_a_command_may_handle_ctrl_c_itself(report):
    code = """
import signal, sys
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
print("ready", flush=True)
signal.sigwait({signal.SIGINT})
print("caught", flush=True)
sys.exit(5)
"""
    with on_terminal(report, *py(code)) as terminal:
        terminal.expect("ready")
        terminal.type("\x03")
        terminal.expect("caught")
        assert terminal.wait() == 0
    assert json.loads(report.read_text())["status"] == 5


def test_ctrl_d_ends_the_commands_input(report):
    with on_terminal(report, "cat") as terminal:
        terminal.type("hello\n")
        terminal.expect("hello\r\nhello")
        terminal.type("\x04")
        assert terminal.wait() == 0
    assert json.loads(report.read_text())["status"] == 0


def test_the_terminal_is_given_back_as_it_was(report):
    show = "stty -a > {0}; {1}; stty -a > {0}.after"
    command = show.format(report.parent / "modes", " ".join(f"'{part}'" for part in through(report, "true")))
    with Terminal(["sh", "-c", command], env=environment()) as terminal:
        assert terminal.wait() == 0
    assert (report.parent / "modes").read_text() == (report.parent / "modes.after").read_text()


def test_colours_and_large_output_come_through_a_terminal(report):
    code = "print('\\x1b[31mred\\x1b[0m'); [print('line', n) for n in range(20_000)]"
    with on_terminal(report, *py(code)) as terminal:
        assert terminal.wait() == 0
    assert "\x1b[31mred\x1b[0m\n" in terminal.text
    assert [line for line in terminal.text.splitlines() if line.startswith("line ")] == [
        f"line {number}" for number in range(20_000)
    ]


def test_what_outlives_the_command_does_not_hold_us(report):
    """A daemon that the command leaves behind may keep the terminal open for ever."""
    pid = report.parent / "pid"
    code = f"(trap '' HUP; sleep 600 & echo $! > {pid}; wait) & while [ ! -s {pid} ]; do :; done; exit 4"
    with on_terminal(report, "sh", "-c", code) as terminal:
        try:
            assert terminal.wait() == 0
        finally:
            os.kill(int(pid.read_text()), signal.SIGKILL)
    assert json.loads(report.read_text())["status"] == 4
