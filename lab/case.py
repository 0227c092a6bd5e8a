"""What a case of the lab is, and how one is played."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import msgspec
import yaml

SHOWN_HOME = "/home/dev"
"""What stands in recorded output for the temporary folder that a case ran in."""
_PASSED = (
    "path",
    "java_home",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "pip_",
    "npm_config_",
    "cargo_",
    "uv_",
    "ssl_cert",
    "node_extra",
)
"""Variables that a package client of this machine may need."""
_HERE = str(Path(__file__).resolve().parent)
"""Shown to the scripts as $LAB."""
_TERMINAL_CODES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Case(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """One error, made and cured. Every part is bash, run with `-eu -o pipefail` in the same folder."""

    entry: str
    """The id of the entry that must be found."""
    provoke: str
    """Prints the error; its exit status does not matter."""
    cure: str
    """The entry's first solution; must exit with 0."""
    setup: str = ""
    """Runs first; must exit with 0."""
    confirm: str = ""
    """Must exit with 0 and no longer print the error; default: `provoke` again."""
    seconds: int = 120
    """The time limit of each part."""


class CaseFile(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """`lab/cases/<tool>.yaml`."""

    tool: str
    version: str
    """A command whose first line of output tells the version."""
    cases: tuple[Case, ...]


class Seen(msgspec.Struct, frozen=True):
    """What a run of a case showed."""

    entry: str
    printed: str
    """The text of the entry's `matches` that the tool printed."""
    cure: str
    """`step`: the cure types a command of the first solution as it stands; `edit`: it does what a step tells."""


class Report(msgspec.Struct, frozen=True):
    """`lab/results/<tool>.json`."""

    tool: str
    version: str
    platform: str
    date: str
    cases: tuple[Seen, ...]


@dataclass(frozen=True, slots=True)
class Output:
    """What one part of a case printed and how it ended."""

    status: int
    text: str


def load_cases(path: Path) -> CaseFile:
    """Read a file of cases; raises `msgspec.ValidationError` or `yaml.YAMLError` on a fault."""
    return msgspec.convert(yaml.safe_load(path.read_text(encoding="utf-8")), CaseFile)


class Room:
    """A temporary folder with a home, in which the parts of one case run."""

    def __init__(self, folder: Path) -> None:
        self.home = folder
        self.place = folder / "app"
        self.place.mkdir()

    def run(self, script: str, seconds: int) -> Output:
        """Run bash; everything it started in its process group is ended with it."""
        environment = _client_settings() | {
            "HOME": str(self.home),
            "LC_ALL": "C.UTF-8",
            "TERM": "dumb",
            "NO_COLOR": "1",
            "LAB": _HERE,
        }
        with tempfile.TemporaryFile() as output:
            process = subprocess.Popen(
                ["/bin/bash", "-eu", "-o", "pipefail", "-c", script],
                cwd=self.place,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            try:
                status = process.wait(seconds)
            except subprocess.TimeoutExpired:
                status = 124
            finally:
                _end(process)
            return Output(status, self._shown(output))

    def _shown(self, output: IO[bytes]) -> str:
        output.seek(0)
        text = output.read(2_000_000).decode("utf-8", "replace")
        text = _TERMINAL_CODES.sub("", text).replace("\r\n", "\n")
        return text.replace(os.path.realpath(self.home), SHOWN_HOME).replace(str(self.home), SHOWN_HOME)


def _client_settings() -> dict[str, str]:
    """What package clients of this machine need, although the case has a home of its own."""
    home = Path.home()
    kept = {name: value for name, value in os.environ.items() if name.lower().startswith(_PASSED)}
    files = {
        "NPM_CONFIG_USERCONFIG": home / ".npmrc",
        "PIP_CONFIG_FILE": home / ".config/pip/pip.conf",
        "CARGO_HOME": home / ".cargo",
        "RUSTUP_HOME": home / ".rustup",
    }
    return {name: str(path) for name, path in files.items() if path.exists()} | kept


def _end(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def printed_match(output: str, matches: tuple[str, ...]) -> str | None:
    """The first of an entry's texts whose every line stands in the output; None when none does."""
    lines = " ".join(output.split())
    for text in matches:
        wanted = [" ".join(line.split()) for line in text.splitlines() if line.strip()]
        if wanted and all(line in lines for line in wanted):
            return text
    return None
