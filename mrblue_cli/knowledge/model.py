"""What an entry and a search result are. Format: DESIGN, section 4; guide: docs/knowledge-base.md.

Named tuples rather than dataclasses, here and wherever `mrblue ask` passes: importing `dataclasses` takes a tenth of
its time.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple


class Risk(StrEnum):
    """What a solution may do to the machine it is run on."""

    SAFE = "safe"
    CHANGES = "changes"
    DESTRUCTIVE = "destructive"


def is_prose(step: str) -> bool:
    """True for a step that is told, not typed: a sentence with a capital first and `.` or `:` last.

    Everything else is a command or text to copy as it stands. `git add .` is a command: a blank stands before its dot.
    """
    words = step.split(maxsplit=1)
    return len(words) == 2 and words[0][:1].isupper() and step[-1:] in ".:" and step[-2:-1] not in " ./~"


class Solution(NamedTuple):
    """One way out, with the exact steps."""

    title: str
    steps: tuple[str, ...]
    success_rate: int
    """The editor's prior, in percent (0-100)."""
    risk: Risk
    platforms: tuple[str, ...] = ()
    """Empty: every platform. Otherwise `linux`, `macos`, `windows`."""
    why: str = ""
    """Why it works and what it changes, in a sentence or two."""


class Entry(NamedTuple):
    """One troubleshooting entry: `kb/<category>/<slug>.yaml`."""

    id: str
    """`category/slug`, from the file's place."""
    title: str
    category: str
    symptoms: tuple[str, ...]
    """Text as programs print it; `{name}` captures a value."""
    spoken: tuple[str, ...]
    """The same, as a person says it."""
    causes: tuple[str, ...]
    solutions: tuple[Solution, ...]
    """Most promising first."""
    sources: tuple[str, ...]
    matches: tuple[str, ...]
    """Texts that must find this entry first."""
    rejects: tuple[str, ...]
    """Texts that must not find it."""
    wrapper: bool = False
    """The message only says that something failed: it yields to the entry of the cause in the same text."""


class Hit(NamedTuple):
    """An entry that fits a text, with how well and why."""

    entry: Entry
    confidence: float
    """0..1, calibrated: of hits shown with 0.8, about 80 % should be right."""
    matched: tuple[str, ...] = ()
    """The symptoms and terms that fitted, for the reader's eyes."""
    captures: Mapping[str, str] = MappingProxyType({})
    """Values found in the text, limited to the characters of their kind and not yet quoted."""
    solutions: tuple[Solution, ...] = ()
    """The entry's solutions with the captured values filled in, shell-quoted; ready to show or copy."""


def for_platform(hit: Hit, platform: str | None) -> Hit:
    """The hit without ways out that are for other systems; all of them when none is left, or without a platform."""
    fitting = tuple(
        solution
        for solution in hit.solutions
        if platform is None or not solution.platforms or platform in solution.platforms
    )
    return hit._replace(solutions=fitting or hit.solutions)


class SearchResult(NamedTuple):
    """The answer to one query, best hit first."""

    query: str
    category: str | None
    """The detected error type's category, also when no entry fits."""
    confident: bool
    """False: we would rather say nothing than mislead."""
    hits: tuple[Hit, ...]
    error_type: str | None = None
    """The detected error type's name, e.g. `port in use`."""
