"""Where the answers of `mrblue match` go: standard output, or files that appear whole or not at all."""

from __future__ import annotations

import contextlib
import os
import re
import sys
import tempfile
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from mrblue_cli.cli.match_options import Typed
from mrblue_cli.core.errors import UsageError

_LOOK_AT = 65536
"""Bytes of an existing file that are looked at before it is replaced."""

# How a person's roles stand in JSON and in the first line of a table; an answer of ours has neither.
_PEOPLE = re.compile(rb'"roles"\s*:\s*(\[|"(both|leader|follower))', re.IGNORECASE)
_COLUMN = re.compile(rb'(^|[,;\t"\xbf])roles([,;\t"\r]|$)', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Places:
    """Where people come from (None: the sample; "-": standard input) and where each format goes (None: stdout)."""

    source: str | None
    targets: dict[str, Path | None]


def places(typed: Typed) -> Places:
    """Sort out files and formats. Raises `UsageError`.

    `mrblue match --json users.json` reads users.json and prints JSON: with no input left, what follows a format is it.
    """
    values = {"json": typed.as_json, "csv": typed.as_csv, "html": typed.as_html}
    given = {name: value for name, value in values.items() if value is not None}
    source = typed.file
    if source is not None and typed.sample:
        raise UsageError("--sample and a file exclude each other", hint="leave one of the two out")
    if source is None and not typed.sample:
        files = [name for name, value in given.items() if value]
        if len(files) != 1:
            raise UsageError(
                "there is no file with people" if not files else "which file holds the people is not clear",
                hint="name it first: mrblue match users.json …, or try: mrblue match --sample",
            )
        source, given[files[0]] = given[files[0]], ""
    targets = {name: None if value in {"", "-"} else Path(value) for name, value in given.items()}
    printed = [name for name, target in targets.items() if target is None]
    if len(printed) > 1:
        raise UsageError(
            f"--{printed[0]} and --{printed[1]} cannot both go to standard output", hint=f"--{printed[1]} FILE"
        )
    _check(source, targets)
    return Places(source, targets)


def _check(source: str | None, targets: dict[str, Path | None]) -> None:
    seen: dict[Path, str] = {}
    for name, target in targets.items():
        if target is None:
            continue
        if source not in {None, "-"} and _same(Path(source or ""), target):
            raise UsageError(f"--{name} {target} would overwrite the people", hint="name another file")
        whole = Path(os.path.realpath(target))
        if whole in seen:
            raise UsageError(f"--{seen[whole]} and --{name} name the same file, {target}", hint="name two files")
        seen[whole] = name
        check_target(target)


def check_target(target: Path) -> None:
    """Raises `UsageError` for a place where no file can be, and for a file of people: it is somebody's only copy."""
    if target.is_dir():
        raise UsageError(f"{target} is a folder", hint="name a file in it")
    if not target.parent.is_dir():
        raise UsageError(f"there is no folder {target.parent}", hint="make it first, or name another file")
    if target.is_file():
        with contextlib.suppress(OSError, zlib.error):
            with target.open("rb") as there:
                found = there.read(_LOOK_AT)
            if found.startswith(b"\x1f\x8b"):
                found = zlib.decompressobj(wbits=31).decompress(found, _LOOK_AT)
            table = not found.lstrip().startswith((b"{", b"[", b"<"))
            if _PEOPLE.search(found) or (table and _COLUMN.search(found.partition(b"\n")[0])):
                raise UsageError(f"{target} holds people, and would be replaced", hint="name another file")


def _same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:
        return False


class Writer:
    """Files under a temporary name until all of them are whole; then they take their places together."""

    def __init__(self) -> None:
        self._waiting: list[tuple[Path, Path]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        try:
            while self._waiting and kind is None:
                temporary, target = self._waiting[0]
                try:
                    temporary.replace(target)
                except OSError as error:
                    raise _cannot(target, error) from error
                del self._waiting[0]
        finally:
            for left, _place in self._waiting:
                left.unlink(missing_ok=True)

    def write(self, target: Path, pieces: Iterable[str]) -> None:
        """One file. Raises `UsageError` when it cannot be written."""
        try:
            if target.exists() and not target.is_file():
                # A pipe or a device is written to, never replaced.
                with target.open("w", encoding="utf-8", newline="") as there:
                    there.writelines(pieces)
                return
            # A link is followed: what it points to is replaced.
            target = Path(os.path.realpath(target))
            handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=".new")
            self._waiting.append((Path(name), target))
            with os.fdopen(handle, "w", encoding="utf-8", newline="") as there:
                there.writelines(pieces)
                there.flush()
                os.fsync(there.fileno())
            Path(name).chmod(_mode(target))
        except OSError as error:
            raise _cannot(target, error) from error


def _cannot(target: Path, error: OSError) -> UsageError:
    return UsageError(f"{target} cannot be written: {error.strerror or error}", hint="name a file in a folder of yours")


def _mode(target: Path) -> int:
    """What a plain new file would get; an existing one keeps its own."""
    if target.exists():
        return target.stat().st_mode & 0o777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


def write_all(targets: dict[str, Path | None], renderers: dict[str, Callable[[], Iterable[str]]]) -> list[Path]:
    """Files first, then what is printed: a file that fails leaves standard output clean. The files written."""
    files = [(name, target) for name, target in targets.items() if target is not None]
    with Writer() as writer:
        for name, target in files:
            writer.write(target, renderers[name]())
    for name in (name for name, target in targets.items() if target is None):
        sys.stdout.writelines(renderers[name]())
    sys.stdout.flush()
    return [target for _, target in files]
