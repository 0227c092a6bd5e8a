"""Checks on entries: small validators, one after another, then checks across the collection."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from rapidfuzz import fuzz

from mrblue_cli.knowledge.base import KnowledgeBase
from mrblue_cli.knowledge.captures import FIELD, NEVER_IN_STEPS, fields_of, kind_of
from mrblue_cli.knowledge.compiled import build
from mrblue_cli.knowledge.loader import Fault, load_folder
from mrblue_cli.knowledge.model import Entry, Risk

_PLATFORMS = {"linux", "macos", "windows"}


@dataclass(frozen=True, slots=True)
class LintReport:
    """What was checked and what was found."""

    entries: int
    faults: tuple[Fault, ...]

    @property
    def errors(self) -> int:
        """How many faults must be mended."""
        return sum(fault.severity == "error" for fault in self.faults)


def _complete(entry: Entry) -> Iterator[str]:
    for name in ("symptoms", "spoken", "causes", "solutions", "sources", "matches", "rejects"):
        if not getattr(entry, name):
            yield f"'{name}' is empty"
    for solution in entry.solutions:
        if not solution.steps:
            yield f"solution '{solution.title}' has no steps"


def _template(entry: Entry) -> Iterator[str]:
    for text in (*entry.symptoms, *entry.spoken, *entry.causes, *entry.matches, *entry.rejects):
        if text in TEMPLATE_TEXTS:
            yield f"'{text}' still stands there from the template"


TEMPLATE_TEXTS = frozenset(
    {
        "the exact message, with {port} or {file} where it varies",
        "the message in spoken words",
        "What usually causes it",
        "a real text that must find this entry first",
        "a similar text that must not find it",
    }
)
"""What `mrblue kb new` writes, to be replaced."""


def _solutions(entry: Entry) -> Iterator[str]:
    for solution in entry.solutions:
        if not 0 <= solution.success_rate <= 100:
            yield f"solution '{solution.title}': success_rate {solution.success_rate} is not in 0..100"
        for platform in set(solution.platforms) - _PLATFORMS:
            yield f"solution '{solution.title}': unknown platform '{platform}'"
    if entry.solutions and entry.solutions[0].risk is Risk.DESTRUCTIVE:
        yield "the first solution is destructive: offer a safer way first"


def _fields(entry: Entry) -> Iterator[str]:
    used = {name for solution in entry.solutions for step in solution.steps for name in fields_of(step)}
    offered = {name for text in (*entry.symptoms, *entry.spoken) for name in fields_of(text)}
    for name in sorted(used | offered):
        if kind_of(name) is None:
            yield f"'{{{name}}}' is no known kind of value"
    for name in sorted(name for name in used if kind_of(name) in NEVER_IN_STEPS):
        yield f"a step uses '{{{name}}}', which may hold anything: name a narrower kind"
    for name in sorted(used - offered):
        yield f"a step uses '{{{name}}}', which no symptom captures"


def _sources(entry: Entry) -> Iterator[str]:
    for source in entry.sources:
        if not source.startswith("https://"):
            yield f"source '{source}' is not an https address"


def _symptoms(entry: Entry) -> Iterator[str]:
    for symptom in entry.symptoms:
        if len(FIELD.sub("", symptom).strip()) < 5:
            yield f"symptom '{symptom}' is too short to mean anything"


VALIDATORS: tuple[Callable[[Entry], Iterator[str]], ...] = (
    _complete,
    _template,
    _solutions,
    _fields,
    _sources,
    _symptoms,
)


def _advice(entry: Entry) -> Iterator[str]:
    for solution in entry.solutions:
        if not solution.why:
            yield f"solution '{solution.title}' does not say why it works and what it changes ('why')"


def lint_folder(folder: Path, others: Iterable[Entry] = ()) -> LintReport:
    """Check every entry below a folder; `others` are entries it must live beside (the bundled ones)."""
    loaded = load_folder(folder)
    faults = list(loaded.faults)
    for entry in loaded.entries:
        path = loaded.paths[entry.id]
        faults += [Fault(path, 1, message) for validator in VALIDATORS for message in validator(entry)]
        faults += [Fault(path, 1, message, severity="warning") for message in _advice(entry)]
    own = {entry.id for entry in loaded.entries}
    together = (*loaded.entries, *(entry for entry in others if entry.id not in own))
    base, unseen = KnowledgeBase(together), KnowledgeBase(index=build(together, examples=False))
    for entry in loaded.entries:
        path = loaded.paths[entry.id]
        faults += [Fault(path, 1, message) for message in _examples(base, entry)]
        faults += [Fault(path, 1, message, severity=severity) for severity, message in _unaided(unseen, entry)]
        faults += [Fault(path, 1, message, severity="warning") for message in _doubtful(base, entry)]
    faults += [
        Fault(loaded.paths[first.id], 1, f"nearly the same as {second.id}: merge them", severity="warning")
        for first, second in _near_duplicates(loaded.entries)
    ]
    return LintReport(len(loaded.entries), tuple(sorted(faults, key=lambda fault: (str(fault.path), fault.line))))


def _examples(base: KnowledgeBase, entry: Entry) -> Iterator[str]:
    for text in entry.matches:
        result = base.search(text)
        first = result.hits[0].entry.id if result.hits else "nothing"
        if first != entry.id:
            yield f"'{_short(text)}' finds {first} first"
    for text in entry.rejects:
        result = base.search(text)
        if result.confident and result.hits[0].entry.id == entry.id:
            yield f"'{_short(text)}' must not find this entry"


def _doubtful(base: KnowledgeBase, entry: Entry) -> Iterator[str]:
    for text in entry.matches:
        result = base.search(text)
        if result.hits and result.hits[0].entry.id == entry.id and not result.confident:
            yield f"'{_short(text)}' finds the entry with little confidence ({result.hits[0].confidence:.2f})"


def _unaided(base: KnowledgeBase, entry: Entry) -> Iterator[tuple[str, str]]:
    """What the entry finds by what it says alone, its examples kept out of the index: (severity, message)."""
    for text in entry.matches:
        found = [hit.entry.id for hit in base.search(text, top=5).hits]
        if entry.id not in found:
            yield "error", f"no symptom leads from '{_short(text)}' to the entry: add one"
        elif found[0] != entry.id:
            yield "warning", f"by symptoms alone '{_short(text)}' finds {found[0]} first"
    for text in entry.spoken:
        said = FIELD.sub("3000", text)
        if entry.id not in [hit.entry.id for hit in base.search(said, top=5).hits]:
            yield "error", f"the spoken form '{_short(said)}' does not find the entry"


def _near_duplicates(entries: tuple[Entry, ...]) -> Iterator[tuple[Entry, Entry]]:
    texts = [" ".join((entry.title, *entry.symptoms)).lower() for entry in entries]
    for index, first in enumerate(entries):
        for offset, second in enumerate(entries[index + 1 :], index + 1):
            if fuzz.token_sort_ratio(texts[index], texts[offset]) > 88:
                yield first, second


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 70 else f"{line[:67]}…"
