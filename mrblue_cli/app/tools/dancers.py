"""The tool that finds dance partners: who is meant, the best three, and why, in a few sentences."""

from __future__ import annotations

import asyncio
import datetime as dt
import difflib
from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec

from mrblue_cli.app.tools.surroundings import Surroundings
from mrblue_cli.assistant.skills.base import plain
from mrblue_cli.assistant.tools import Answer, Tool
from mrblue_cli.core.errors import InputFileError, NothingFound, UsageError
from mrblue_cli.core.texts import tell

if TYPE_CHECKING:
    from mrblue_cli.app.match import Case

BEST = 3
_ALIKE = 0.72
"""Names this alike are taken for a misheard one."""
_ORDER = ("first", "second", "third")


class PartnerParameters(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What `find_dance_partners` takes."""

    name: Annotated[str, msgspec.Meta(description="The dancer's name or id, as said.", min_length=1, max_length=200)]
    file: Annotated[
        str,
        msgspec.Meta(description="Another file of dancers beside the usual one: its bare name. Usually left out."),
    ] = ""


def find_dance_partners(around: Surroundings) -> Tool:
    """Finds the three best partners of a dancer."""
    configured = around.settings.tools.dancers_file

    async def run(given: PartnerParameters) -> Answer:
        path = dancers_file(configured, given.file)
        return await asyncio.to_thread(_find, path, given.name)

    description = (
        "Find the best dance partners of one dancer of the tango community, with scores from 0 to 100 and reasons. "
        "Say the reasons; do not read the scores aloud unless asked."
    )
    return Tool("find_dance_partners", description, PartnerParameters, run, seconds=20.0)


def dancers_file(configured: str, wanted: str) -> Path | None:
    """Where the dancers are; None: the sample that ships. A model names files only beside the configured one."""
    if not wanted:
        return Path(configured).expanduser() if configured else None
    if Path(wanted).name != wanted or wanted.startswith("."):
        raise UsageError(tell("'{file}' is not the bare name of a file", file=wanted[:80]))
    if not configured:
        raise UsageError(
            tell("no file of dancers is configured, so there is none beside it"), hint=tell("set [tools] dancers_file")
        )
    return Path(configured).expanduser().with_name(wanted)


def _find(path: Path | None, name: str) -> Answer:
    from mrblue_cli.app.match import How, Searching, coming_monday, one, open_case, partners_of

    week = coming_monday(dt.datetime.now(tz=dt.UTC).date())
    if path is not None and not path.is_file():
        raise InputFileError(
            tell("the file of dancers, {path}, is not there", path=path), hint=tell("correct [tools] dancers_file")
        )
    if path is None:
        with as_file(files("mrblue_cli.data") / "community.json") as sample:
            case = open_case(sample, How(), week=week)
    else:
        case = open_case(path, How(), week=week)
    row = row_of(case, name)
    found = one(case, case.community.ids[row], BEST, Searching(workers=1))
    pairs = list(partners_of(case, found, 0))
    asked = called(case, row)
    if not pairs:
        raise NothingFound(tell("nobody in the list can dance with {name}", name=asked))
    partners = [_partner(case, pair) for pair in pairs]
    told = [
        tell("{name}, {score}: {why}", name=partner["name"], score=partner["label"], why=partner["why"])
        for partner in partners
    ]
    say = tell("For {name} I would ask {partners}.", name=asked, partners="; ".join(told))
    return Answer({"for": asked, "partners": partners, "sample": path is None}, say)


def _partner(case: Case, pair: Any) -> dict[str, Any]:
    from mrblue_cli.matcher.scoring import reason

    role = msgspec.structs.replace(pair.breakdown["role"], brief="")
    why = reason(msgspec.structs.replace(pair, breakdown={**pair.breakdown, "role": role}))
    return {
        "id": pair.b,
        "name": called(case, case.community.rows[pair.b]),
        "score": round(pair.overall, 1),
        "label": pair.label,
        "leads": pair.leads.value if pair.leads is not None else None,
        "why": why.rstrip("."),
    }


def called(case: Case, row: int) -> str:
    """How a person is named aloud."""
    return case.community.names[row] or case.community.ids[row]


def row_of(case: Case, said: str) -> int:
    """Who is meant by a name that was heard. Raises `NothingFound` with the nearest, `UsageError` when several are."""
    wanted = plain(said)
    names = [plain(name) for name in case.community.names]
    ids = [plain(name) for name in case.community.ids]
    everybody = range(len(ids))
    for rows in (
        [row for row in everybody if wanted in {ids[row], names[row]}],
        [row for row in everybody if wanted and wanted in names[row].split()],
        [row for row in everybody if wanted and names[row].startswith(wanted)],
    ):
        if len(rows) > 1:
            several = ", ".join(called(case, row) for row in rows[:5])
            raise UsageError(tell("there are several: {names}; which one?", names=several))
        if rows:
            return rows[0]
    alike = [max(_alike(wanted, word) for word in (names[row], ids[row], *names[row].split()[:1])) for row in everybody]
    order = sorted(everybody, key=lambda row: -alike[row])
    if order and alike[order[0]] >= _ALIKE and (len(order) == 1 or alike[order[0]] - alike[order[1]] > 0.05):
        return order[0]
    near = ", ".join(called(case, row) for row in order[:3])
    raise NothingFound(
        tell("there is nobody called {name} in the list", name=said[:60]),
        hint=tell("the nearest: {names}", names=near) if near else "",
    )


def _alike(one: str, other: str) -> float:
    return difflib.SequenceMatcher(None, one, other).ratio()
