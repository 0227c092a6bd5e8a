"""The program from outside: exit codes, one line of what and one of what to do, nothing heavy loaded for light work."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mrblue_cli.cli.errors import exit_code_of, exit_code_of_word, run
from mrblue_cli.core import errors as e


def mrblue(*args, stdin="", env=None, timeout=60):
    environment = {**os.environ, **(env or {})}
    return subprocess.run(
        [sys.executable, "-m", "mrblue_cli", *args],
        capture_output=True,
        text=True,
        input=stdin,
        env=environment,
        timeout=timeout,
        check=False,
    )


QUESTION = str(Path(__file__).parents[2] / "mrblue_cli" / "data" / "question.wav")


def complaint(done, code):
    """The two lines on stderr of a failed run."""
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    lines = done.stderr.strip().splitlines()
    assert lines[-2].startswith("mrblue: ")
    assert lines[-1].startswith("  → ")
    return lines[-2]


def test_help_names_every_command_and_version():
    done = mrblue("--help")
    assert done.returncode == 0
    for command in ("talk", "engine", "doctor", "match", "kb"):
        assert command in done.stdout
    assert mrblue("--version").stdout.startswith("mrblue 0.")


@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        (["talk", "--json"], 2, "belong to --headless"),
        (["talk"], 2, "no terminal"),
        (["talk", "--headless"], 2, "nothing to say"),
        (["talk", "--headless", "--text", " "], 2, "says nothing"),
        (["talk", "--headless", "--input", "/no/such.wav"], 2, "/no/such.wav"),
        (["talk", "--headless", "--fallback", "text", "--input", QUESTION], 2, "cannot be heard"),
        (["talk", "--headless", "--text", "x", "--turn-end", "later"], 3, "no 'later'"),
        (["talk", "--headless", "--text", "x", "--turn-mode", "telepathy"], 3, "talk.turn_mode"),
        (["talk", "--headless", "--text", "x", "--engine", "smoke-signals"], 3, "no Realtime address"),
        (["talk", "--headless", "--text", "x", "--engine", "openai"], 3, "OPENAI_API_KEY"),
        (
            ["talk", "--headless", "--text", "x", "--engine", "ws://127.0.0.1:9/", "--fallback", "none"],
            5,
            "nothing listens",
        ),
        (["--config", "/no/such.toml", "kb", "list"], 3, "/no/such.toml"),
        (["kb", "show", "no/entry"], 2, "no entry"),
        (["kb", "search", "hello there"], 1, "no entry fits"),
        (["kb", "list", "nonsense"], 2, "no category"),
        (["kb", "new", "../x"], 2, "no entry id"),
        (["engine", "--host", "203.0.113.1"], 4, "cannot listen"),
        (["nonsense"], 2, "nonsense"),
        (["kb", "search"], 2, ""),
    ],
)
def test_what_goes_wrong_is_named_with_its_exit_code(args, code, words):
    assert words in complaint(mrblue(*args), code)


@pytest.mark.parametrize(
    ("args", "help_of"),
    [
        (["match", "--sample", "--foo"], "mrblue match"),
        (["match", "generate"], "mrblue match generate"),
        (["kb", "search"], "mrblue kb search"),
        (["nonsense"], "mrblue"),
    ],
)
def test_a_usage_error_names_the_help_that_tells_more(args, help_of):
    done = mrblue(*args)
    complaint(done, 2)
    assert done.stderr.endswith(f"  → see: {help_of} --help\n")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a full disk")
@pytest.mark.parametrize("args", [["match", "schema"], ["match", "--sample"], ["match", "--sample", "--json"]], ids=str)
def test_a_full_disk_is_no_defect_of_the_program(args):
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "mrblue_cli", *args], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert complaint(done, 2) == "mrblue: what it prints cannot be written: No space left on device"


@pytest.mark.skipif(os.name != "posix", reason="needs a shell that closes descriptors")
def test_closed_output_leaves_the_exit_code():
    run_it = f"{sys.executable} -m mrblue_cli match"
    assert subprocess.run(f"{run_it} schema >&-", shell=True, stderr=subprocess.PIPE, check=False).returncode == 0  # noqa: S602 - a shell closes them
    assert subprocess.run(f"{run_it} /no/such 2>&-", shell=True, stdout=subprocess.PIPE, check=False).returncode == 2  # noqa: S602 - a shell closes them


@pytest.mark.parametrize(
    ("data", "words"),
    [(b"", "empty"), (b"not a wav at all", "not a WAV file"), (b"RIFF\x00\x00\x00\x00WAVEfmt ", "cut off or damaged")],
)
def test_bad_recordings_are_bad_input(tmp_path, data, words):
    path = tmp_path / "bad.wav"
    path.write_bytes(data)
    assert words in complaint(mrblue("talk", "--headless", "--input", str(path)), 2)


def test_debug_shows_the_traceback():
    done = mrblue("--debug", "kb", "show", "no/entry")
    assert done.returncode == 2
    assert "Traceback" in done.stderr


def test_search_prints_the_fix_and_json_is_one_document():
    done = mrblue("kb", "search", "Error: listen EADDRINUSE: address already in use :::3000")
    assert done.returncode == 0
    assert "lsof -i :3000" in done.stdout
    table = json.loads(mrblue("kb", "search", "-", "--json", stdin="jwt expired").stdout)
    assert table["confident"] is True
    assert table["hits"][0]["id"] == "auth/jwt-expired"
    unsure = mrblue("kb", "search", "--json", "hello there")
    assert unsure.returncode == 1
    assert json.loads(unsure.stdout)["hits"] == []


def test_list_show_stats_lint():
    assert "node/port-in-use" in mrblue("kb", "list", "node").stdout
    assert json.loads(mrblue("kb", "show", "--json", "node/port-in-use").stdout)["title"] == "Port already in use"
    assert "Sources" in mrblue("kb", "show", "node/port-in-use").stdout
    assert json.loads(mrblue("kb", "stats", "--json").stdout)["entries"] >= 40
    assert "0 errors" in mrblue("kb", "lint").stdout


def test_a_new_entry_is_a_template_that_lint_reads(tmp_path):
    done = mrblue("kb", "new", "node/my-thing", "--folder", str(tmp_path))
    assert done.returncode == 0
    again = mrblue("kb", "new", "node/my-thing", "--folder", str(tmp_path))
    assert "exists already" in complaint(again, 2)
    report = mrblue("kb", "lint", str(tmp_path), "--json")
    assert report.returncode == 2
    assert json.loads(report.stdout)["entries"] == 1


def test_a_closed_pipe_is_no_error():
    reader = subprocess.Popen(["head", "-n", "1"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    done = subprocess.run(
        [sys.executable, "-m", "mrblue_cli", "kb", "list"], stdout=reader.stdin, stderr=subprocess.PIPE, check=False
    )
    reader.communicate()
    assert done.returncode == 0
    assert done.stderr == b""


LIGHT = [
    ["--help"],
    ["match", "--help"],
    ["match"],
    ["kb", "search", "jwt expired"],
    ["kb", "list"],
    ["talk", "--json"],
    ["cost"],
    ["history", "list"],
    ["history", "search", "port"],
]


@pytest.mark.parametrize("args", LIGHT, ids=" ".join)
def test_light_commands_load_nothing_heavy(args):
    code = (
        "import sys; sys.argv = ['mrblue', *sys.argv[1:]]\n"
        "from mrblue_cli.cli.entry import main\n"
        "try: main()\nexcept SystemExit: pass\n"
        "named = ('textual', 'numpy', 'openai', 'websockets', 'sounddevice', 'prometheus_client')\n"
        "heavy = [m for m in named if m in sys.modules]\n"
        "print('HEAVY', heavy)"
    )
    out = subprocess.run([sys.executable, "-c", code, *args], capture_output=True, text=True, check=True)
    assert out.stdout.strip().splitlines()[-1] == "HEAVY []"


def test_doctor_without_sound():
    done = mrblue("doctor", "--no-sound", env={"OPENAI_API_KEY": ""})
    assert "knowledge base" in done.stdout
    table = json.loads(mrblue("doctor", "--no-sound", "--json").stdout)
    assert {finding["name"] for finding in table} >= {"configuration", "engine", "local engine", "terminal"}


def test_doctor_never_shows_the_key():
    done = mrblue("doctor", "--no-sound", env={"OPENAI_API_KEY": "sk-do-not-show", "MRBLUE_TALK_ENGINE": "local"})
    assert "set, from the environment" in done.stdout
    assert "sk-do-not-show" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (e.NothingFound("x"), 1),
        (e.InputFileError("x"), 2),
        (e.UsageError("x"), 2),
        (e.ConfigError("x"), 3),
        (e.MissingPart("x"), 4),
        (e.DeviceError("x"), 4),
        (e.AuthError("x"), 5),
        (e.ConnectError("x"), 5),
        (e.InternalError("x"), 70),
    ],
)
def test_every_error_has_its_exit_code(error, code, capsys):
    def fail():
        raise error

    assert exit_code_of(error) == code
    assert run(fail, debug=False) == code
    assert "mrblue: x" in capsys.readouterr().err
    assert exit_code_of_word(error.code) == code


def test_interruption_and_defects(capsys):
    def interrupted():
        raise KeyboardInterrupt

    def broken():
        raise ZeroDivisionError("oops")

    assert run(interrupted, debug=False) == 130
    assert run(broken, debug=False) == 70
    err = capsys.readouterr().err
    assert "--debug" in err
    assert "Traceback" not in err


def test_without_portaudio_text_works_and_doctor_says_what_to_install(tmp_path):
    (tmp_path / "sounddevice.py").write_text("raise OSError('PortAudio library not found')\n")
    env = {"PYTHONPATH": f"{tmp_path}{os.pathsep}{Path.cwd()}"}
    findings = {f["name"]: f for f in json.loads(mrblue("doctor", "--json", env=env).stdout)}
    for name in ("microphone", "speaker"):
        assert not findings[name]["ok"]
        assert "PortAudio" in findings[name]["detail"]
        assert "install" in findings[name]["hint"]
    done = mrblue("talk", "--headless", "--text", "x", "--engine", "local", "--output-device", "any", env=env)
    assert done.returncode == 0
    assert "PortAudio" in done.stderr
    assert "replies are shown, not heard" in done.stderr
