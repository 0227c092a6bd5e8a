"""How often `mrblue ask` is right, on texts from public places that no entry was written from.

`python -m bench.ask_quality [--json FILE] [--misses]`. `tests/data/ask` may be looked at while working on retrieval;
`tests/data/ask_heldout`, collected later by others, is only ever counted, and is what docs/benchmarks.md reports. Each
text stands there with its source and the entries that answer it. hit@1 counts every error text, also those for which
the base has no entry.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from bench.report import arguments, show
from mrblue_cli.knowledge.base import KnowledgeBase, load_base

DATA = Path(__file__).parent.parent / "tests" / "data"


class Case(NamedTuple):
    """A text with the entries that answer it; none: the base does not cover it, or it is no error."""

    text: str
    area: str
    right: frozenset[str]
    half: str
    error: bool


class Outcome(NamedTuple):
    """What a search made of a case."""

    case: Case
    hits: tuple[str, ...]
    confidence: float
    confident: bool

    @property
    def first(self) -> bool:
        """The first hit is right."""
        return bool(self.hits) and self.hits[0] in self.case.right


def load_cases(folder: Path = DATA) -> list[Case]:
    """All labelled texts, in a stable order."""
    cases = []
    for path in sorted(folder.glob("ask*/*.yaml")):
        rows: list[dict[str, Any]] = yaml.safe_load(path.read_text(encoding="utf-8"))
        for row in rows:
            half = "held out" if path.parent.name.endswith("heldout") else "known"
            error = path.stem != "nonerrors"
            cases.append(Case(row["text"], row.get("area", "talk"), frozenset(row.get("expect", ())), half, error))
    return cases


def run(base: KnowledgeBase, cases: list[Case]) -> list[Outcome]:
    """Search for every text."""
    outcomes = []
    for case in cases:
        result = base.search(case.text)
        hits = tuple(hit.entry.id for hit in result.hits)
        outcomes.append(Outcome(case, hits, result.hits[0].confidence if hits else 0.0, result.confident))
    return outcomes


def share(part: int, whole: int) -> str:
    """A percentage with its counts."""
    return f"{100 * part / max(1, whole):.1f} %  ({part} of {whole})"


def measure(outcomes: list[Outcome]) -> dict[str, Any]:
    """The figures of one set."""
    errors = [item for item in outcomes if item.case.error]
    covered = [item for item in errors if item.case.right]
    talk = [item for item in outcomes if not item.case.error]
    wrong = [item for item in outcomes if item.confident and not item.first]
    return {
        "texts": len(errors),
        "covered": len(covered),
        "hit1": sum(item.first for item in errors),
        "hit1_covered": sum(item.first for item in covered),
        "hit3": sum(bool(item.case.right & set(item.hits[:3])) for item in errors),
        "hit3_covered": sum(bool(item.case.right & set(item.hits[:3])) for item in covered),
        "answered": sum(item.confident for item in errors),
        "answered_right": sum(item.confident and item.first for item in errors),
        "false_confident": len(wrong),
        "all": len(outcomes),
        "talk": len(talk),
        "talk_confident": sum(item.confident for item in talk),
        "calibration_error": calibration_error(outcomes),
    }


def bins(outcomes: list[Outcome]) -> list[tuple[float, float, int]]:
    """Calibration: mean confidence, share that was right, how many, for five bands of confidence."""
    bands: defaultdict[int, list[Outcome]] = defaultdict(list)
    for item in outcomes:
        if item.hits:
            bands[min(4, int(item.confidence * 5))].append(item)
    return [
        (sum(i.confidence for i in band) / len(band), sum(i.first for i in band) / len(band), len(band))
        for _, band in sorted(bands.items())
    ]


def calibration_error(outcomes: list[Outcome]) -> float:
    """Expected calibration error (Naeini et al., AAAI 2015): mean distance of the two, weighted by how many."""
    rows = bins(outcomes)
    return sum(count * abs(said - right) for said, right, count in rows) / max(1, sum(count for *_, count in rows))


def main() -> None:
    """Measure both sets; print the table, with --misses also what went wrong in the known one."""
    parser: argparse.ArgumentParser = arguments(__doc__ or "")
    parser.add_argument("--misses", action="store_true", help="print what went wrong in the known set")
    options = parser.parse_args()
    base = load_base()
    outcomes = run(base, load_cases())
    rows: list[tuple[str, str, str]] = []
    figures: dict[str, object] = {}
    for half in ("held out", "known"):
        mine = [item for item in outcomes if item.case.half == half]
        if not mine:
            continue
        found = measure(mine)
        figures[half] = found
        rows += [
            (f"{half}: hit@1, all error texts", share(found["hit1"], found["texts"]), ">= 92 %"),
            (f"{half}: hit@3, all error texts", share(found["hit3"], found["texts"]), ">= 97 %"),
            (f"{half}: hit@1 where the base has an entry", share(found["hit1_covered"], found["covered"]), ""),
            (f"{half}: hit@3 where the base has an entry", share(found["hit3_covered"], found["covered"]), ""),
            (f"{half}: answered with confidence", share(found["answered"], found["texts"]), ""),
            (f"{half}: confident and wrong, of all texts", share(found["false_confident"], found["all"]), "<= 3 %"),
            (f"{half}: confident about ordinary talk", share(found["talk_confident"], found["talk"]), ""),
            (f"{half}: calibration error", f"{found['calibration_error']:.3f}", ""),
        ]
        for least in (0.6, 0.75, 0.9):
            sure = [item for item in mine if item.hits and item.confidence >= least]
            bad = sum(not item.first for item in sure)
            rows.append((f"{half}:   at a threshold of {least:.0%}, wrong", share(bad, len(mine)), ""))
            rows.append((f"{half}:   at a threshold of {least:.0%}, right", f"{len(sure) - bad}", ""))
        for said, right, count in bins(mine):
            rows.append((f"{half}:   said {said:.0%}", f"right {right:.0%} of {count}", ""))
    show(f"ask: quality with {base.size} entries", rows, figures, options.json)
    if options.misses:
        _print_misses([item for item in outcomes if item.case.half == "known"])


def _print_misses(outcomes: list[Outcome]) -> None:
    for item in outcomes:
        bad = not item.first if item.case.error else item.confident
        if bad:
            text = " ".join(item.case.text.split())
            mark = "WRONG" if item.confident else "miss "
            print(f"{mark} {item.confidence:.2f} {item.case.area}: {text[:150]}")
            print(f"        wanted {', '.join(sorted(item.case.right)) or '-'}; found {', '.join(item.hits) or '-'}")


if __name__ == "__main__":
    main()
