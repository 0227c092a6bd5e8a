"""`python -m lab [TOOL …] [--only ENTRY] [--show]`: play the cases, write what was seen."""

from __future__ import annotations

import argparse
import datetime as dt
import platform
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import msgspec

from lab.case import Case, CaseFile, Report, Room, Seen, load_cases, printed_match
from mrblue_cli.knowledge.captures import FIELD
from mrblue_cli.knowledge.loader import load_folder
from mrblue_cli.knowledge.model import Entry, is_prose
from mrblue_cli.knowledge.places import bundled_folder

HERE = Path(__file__).parent


class CaseFailed(Exception):
    """A case did not go as it says."""


def play(case: Case, entry: Entry, *, show: bool = False) -> Seen:
    """Provoke the error, cure it, see it gone; raises `CaseFailed` with what was printed."""
    with tempfile.TemporaryDirectory(prefix="lab-", ignore_cleanup_errors=True) as folder:
        room = Room(Path(folder))
        _must_work(room, "setup", case.setup, case.seconds)
        output = room.run(case.provoke, case.seconds)
        if show:
            print(output.text)
        printed = printed_match(output.text, entry.matches)
        if printed is None:
            raise CaseFailed(f"none of the entry's matches was printed, but this:\n{output.text[-3000:]}")
        _must_work(room, "cure", case.cure, case.seconds)
        after = room.run(case.confirm or case.provoke, case.seconds)
        if after.status != 0:
            raise CaseFailed(f"after the cure the confirmation exits with {after.status}:\n{after.text[-3000:]}")
        if printed_match(after.text, (printed,)):
            raise CaseFailed(f"after the cure the error is still printed:\n{after.text[-3000:]}")
        return Seen(entry.id, printed, "step" if _types_a_step(case.cure, entry) else "edit")


def _must_work(room: Room, part: str, script: str, seconds: int) -> None:
    output = room.run(script, seconds)
    if output.status != 0:
        raise CaseFailed(f"{part} exits with {output.status}:\n{output.text[-3000:]}")


def _types_a_step(cure: str, entry: Entry) -> bool:
    """Whether the cure holds a command of the first solution, any values in its places."""
    typed = " ".join(cure.split())
    for step in entry.solutions[0].steps:
        if is_prose(step):
            continue
        command = " ".join(step.removeprefix("sudo ").split())
        pattern = re.escape(FIELD.sub("\0", re.sub(r"<[A-Z][A-Z0-9_-]*>", "\0", command))).replace("\0", ".+?")
        if re.search(pattern, typed):
            return True
    return False


def run_file(
    file: CaseFile, entries: dict[str, Entry], *, only: str | None, show: bool
) -> tuple[list[Seen], list[str]]:
    """Play every case of a file; what was seen, and one text per failure."""
    seen: list[Seen] = []
    failures: list[str] = []
    for case in file.cases:
        if only not in (None, case.entry):
            continue
        try:
            seen.append(play(case, entries[case.entry], show=show))
            print(f"  ok      {case.entry}", flush=True)
        except KeyError:
            failures.append(f"{case.entry}: there is no such entry")
        except CaseFailed as failure:
            failures.append(f"{case.entry}: {failure}")
            print(f"  FAILED  {case.entry}", flush=True)
    return seen, failures


def version_of(command: str) -> str:
    """The first line that a version command prints; empty when the tool is not here."""
    done = subprocess.run(["/bin/bash", "-c", command], capture_output=True, text=True, timeout=60, check=False)
    lines = (done.stdout or done.stderr).strip().splitlines()
    return lines[0].strip() if lines and done.returncode == 0 else ""


def main(arguments: list[str] | None = None) -> int:
    """Entry point; exit code 1 when a case failed."""
    parser = argparse.ArgumentParser(prog="python -m lab", description=__doc__)
    parser.add_argument("tools", nargs="*", help="files in lab/cases without .yaml; default: all of them")
    parser.add_argument("--only", help="only the case of this entry (writes no results)")
    parser.add_argument("--show", action="store_true", help="print what the provoked tool printed")
    options = parser.parse_args(arguments)
    entries = {entry.id: entry for entry in load_folder(bundled_folder()).entries}
    failures: list[str] = []
    for name in options.tools or sorted(path.stem for path in (HERE / "cases").glob("*.yaml")):
        file = load_cases(HERE / "cases" / f"{name}.yaml")
        version = version_of(file.version)
        print(f"{name}: {version or 'not here, skipped'}")
        if not version:
            continue
        seen, failed = run_file(file, entries, only=options.only, show=options.show)
        failures += failed
        if seen and not options.only:
            today = dt.datetime.now(tz=dt.UTC).date().isoformat()
            report = Report(file.tool, version, f"{platform.system()} {platform.machine()}", today, tuple(seen))
            results = HERE / "results" / f"{name}.json"
            results.write_bytes(msgspec.json.format(msgspec.json.encode(report), indent=1) + b"\n")
    for failure in failures:
        print(f"\n{failure}", file=sys.stderr)
    print(f"{len(failures)} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    raise SystemExit(main())
