"""`python -m lab.report`: write what the lab saw into docs/knowledge-base.md, between its two marks."""

from __future__ import annotations

from pathlib import Path

import msgspec

from lab.case import Report

HERE = Path(__file__).parent
PAGE = HERE.parent / "docs" / "knowledge-base.md"
BEGIN, END = "<!-- lab: begin -->", "<!-- lab: end -->"


def reports() -> list[Report]:
    """What is kept in lab/results."""
    paths = sorted((HERE / "results").glob("*.json"))
    return [msgspec.json.decode(path.read_bytes(), type=Report) for path in paths]


def section(found: list[Report]) -> str:
    """The table: tool, version, the entries that it proved; a star where the cure types a step as it stands."""
    entries = {case.entry for report in found for case in report.cases}
    typed = {case.entry for report in found for case in report.cases if case.cure == "step"}
    lines = [
        f"{len(entries)} entries were seen: a tool printed one of their `matches`, the first solution cured it.",
        f"In {len(typed)} of them (marked *) the cure types at least one command of that solution as it stands (some",
        "of these commands only look); in the others it does what a step tells.",
        "",
        "| tool | version | entries |",
        "|---|---|---|",
    ]
    for report in found:
        names = ", ".join(f"{case.entry}{'*' if case.cure == 'step' else ''}" for case in report.cases)
        lines.append(f"| {report.tool} | {report.version.replace('|', '/')} | {names} |")
    return "\n".join(lines)


def updated(page: str, found: list[Report]) -> str:
    """The page with a fresh table."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{section(found)}\n{END}{after}"


def main() -> None:
    """Rewrite the page."""
    PAGE.write_text(updated(PAGE.read_text(encoding="utf-8"), reports()), encoding="utf-8")
    print(f"wrote {PAGE}")


if __name__ == "__main__":
    main()
