"""YAML files to entries. Every file is hostile until parsed; all faults are collected, with file and line."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import yaml

from mrblue_cli.knowledge.model import Entry, Risk, Solution

MAX_FILE_BYTES = 64 * 1024
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class Fault:
    """Something wrong with an entry. Severity: `error` or `warning`."""

    path: Path
    line: int
    message: str
    severity: str = "error"

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.severity}: {self.message}"


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a folder held."""

    entries: tuple[Entry, ...]
    faults: tuple[Fault, ...]
    paths: dict[str, Path]
    """Entry id to file."""


class _SolutionFile(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    title: str
    steps: tuple[str, ...]
    success_rate: int
    risk: Risk
    platforms: tuple[str, ...] = ()
    why: str = ""


class _EntryFile(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    title: str
    symptoms: tuple[str, ...]
    spoken: tuple[str, ...]
    causes: tuple[str, ...]
    solutions: tuple[_SolutionFile, ...]
    sources: tuple[str, ...]
    matches: tuple[str, ...]
    rejects: tuple[str, ...]
    wrapper: bool = False


_MAYBE_ALIAS = re.compile(r"(?:^|[\s\[{,:-])\*\w", re.MULTILINE)
_NAMES = {*_EntryFile.__struct_fields__, *_SolutionFile.__struct_fields__}


def load_folder(folder: Path) -> Loaded:
    """Read `<category>/<slug>.yaml` below a folder, in a stable order."""
    entries: list[Entry] = []
    faults: list[Fault] = []
    paths: dict[str, Path] = {}
    if not folder.is_dir():
        return Loaded((), (Fault(folder, 0, "no such folder of entries"),), {})
    for path in sorted(folder.glob("*/*.yaml")):
        entry, found = load_file(path)
        faults += found
        if entry is not None:
            entries.append(entry)
            paths[entry.id] = path
    for path in sorted(folder.glob("*/*.yml")):
        faults.append(Fault(path, 1, "entries end in .yaml, this one is not read"))
    return Loaded(tuple(entries), tuple(faults), paths)


def load_file(path: Path) -> tuple[Entry | None, list[Fault]]:
    """Read one entry; on any fault the entry is None."""
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            return None, [Fault(path, 1, f"larger than {MAX_FILE_BYTES // 1024} KiB")]
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        return None, [Fault(path, 1, f"cannot be read: {error}")]
    try:
        if _MAYBE_ALIAS.search(text) and any(
            isinstance(token, yaml.AliasToken) for token in yaml.scan(text, Loader=_Loader)
        ):
            return None, [Fault(path, 1, "YAML aliases are not allowed")]
        raw = yaml.load(text, Loader=_Loader)  # noqa: S506 - a safe loader
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or str(error)
        return None, [Fault(path, mark.line + 1 if mark else 1, f"not valid YAML: {problem}")]
    try:
        file = msgspec.convert(raw, _EntryFile)
    except msgspec.ValidationError as error:
        return None, [Fault(path, _line_of(text, str(error)), _explain(str(error)))]
    category, slug = path.parent.name, path.stem
    return _entry(f"{category}/{slug}", category, file), []


def _entry(entry_id: str, category: str, file: _EntryFile) -> Entry:
    solutions = tuple(
        Solution(item.title, item.steps, item.success_rate, item.risk, item.platforms, item.why)
        for item in file.solutions
    )
    return Entry(
        id=entry_id,
        title=file.title,
        category=category,
        symptoms=file.symptoms,
        spoken=file.spoken,
        causes=file.causes,
        solutions=solutions,
        sources=file.sources,
        matches=file.matches,
        rejects=file.rejects,
        wrapper=file.wrapper,
    )


def _explain(message: str) -> str:
    if "unknown field" in message:
        name = message.split("`")[1]
        near = difflib.get_close_matches(name, _NAMES, n=1)
        return f"unknown key '{name}'" + (f", did you mean '{near[0]}'?" if near else "")
    return message.replace("Object ", "the entry ").replace(" - at `$", " at `").replace("`.", "`")


def _line_of(text: str, message: str) -> int:
    """The line of the key that a validation message names, 1 when it cannot be told."""
    names = [part.lstrip(".").split("[")[0] for part in message.split("`") if part]
    for name in reversed(names):
        key = name.rsplit(".", 1)[-1]
        for number, line in enumerate(text.splitlines(), 1):
            if key and line.strip().lstrip("- ").startswith(f"{key}:"):
                return number
    return 1
