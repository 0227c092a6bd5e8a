"""The answers of `mrblue match` as JSON (DESIGN, section 4): one document, written piece by piece. 2 decimals."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any

from mrblue_cli.app.match import best_pairs, each, partners_of
from mrblue_cli.app.match_floor import Couple, Dance
from mrblue_cli.cli.match_answer import Answer
from mrblue_cli.cli.match_options import Mode
from mrblue_cli.matcher.model import Pair, Term


def document(answer: Answer) -> Iterator[str]:
    """Pieces of one JSON document. Lists of everybody are made while they are written."""
    case = answer.case
    head = {
        "users": len(case.community),
        "skipped": [{"id": skipped.id, "why": skipped.why} for skipped in case.skipped],
        "warnings": list(case.warnings),
    }
    yield _text(head)[:-1]
    match answer.mode:
        case Mode.BEST:
            yield ', "pairs": '
            yield from _list(_text(pair_of(case.pair(*rows))) for rows in _pairs(answer))
        case Mode.ALL:
            yield from _everybody(answer)
        case _:
            for key, value in _small(answer).items():
                yield f", {_text(key)}: {_text(value)}"
    yield "}\n"


def _pairs(answer: Answer) -> Iterator[tuple[int, int]]:
    return iter(()) if answer.lists is None else each(best_pairs(answer.lists.first(answer.top)))


def _everybody(answer: Answer) -> Iterator[str]:
    yield ', "matches": {'
    lists = answer.lists
    for index in range(0 if lists is None else len(lists.rows)):
        assert lists is not None  # noqa: S101 - there are rows
        identity = answer.case.community.ids[int(lists.rows[index])]
        yield f"{', ' if index else ''}\n{_text(identity)}: "
        yield from _list(_text(pair_of(pair)) for pair in partners_of(answer.case, lists, index))
    yield "}"


def _list(items: Iterator[str]) -> Iterator[str]:
    yield "["
    for number, item in enumerate(items):
        yield f",\n{item}" if number else f"\n{item}"
    yield "]"


def _small(answer: Answer) -> dict[str, Any]:
    """The keys of a mode whose answer is small."""
    case, ids = answer.case, answer.case.community.ids
    if answer.lists is not None:
        pairs = [pair_of(pair) for pair in partners_of(case, answer.lists, 0)]
        return {"for": ids[int(answer.lists.rows[0])], "matches": pairs}
    if answer.pair is not None:
        return {"pair": pair_of(answer.pair)}
    if answer.paired is not None:
        found = answer.paired
        worst = found.dance.worst
        return {
            **_dance(answer, found.dance),
            "method": found.method,
            "total": number(found.dance.total),
            "mean": number(found.dance.mean),
            "worst": None if worst is None else number(worst.score),
            "note": found.note,
            "seed": found.seed,
        }
    if answer.rotated is not None:
        turns = answer.rotated
        tandas = [_dance(answer, dance) for dance in turns.tandas]
        total = number(sum(dance.total for dance in turns.tandas))
        return {"tandas": tandas, "method": turns.method, "total": total, "note": turns.note, "seed": turns.seed}
    if answer.balanced is not None:
        roles = answer.balanced
        return {
            "roles": {ids[row]: _role(role.name) for row, role in enumerate(roles.roles)},
            "chosen": [ids[row] for row in roles.chosen],
            "leaders": roles.leaders,
            "followers": roles.followers,
        }
    return {}


def _role(name: str | None) -> str:
    return (name or "").lower()


def _dance(answer: Answer, dance: Dance) -> dict[str, Any]:
    ids = answer.case.community.ids
    return {
        "pairs": [pair_of(_explained(answer, couple)) for couple in dance.couples],
        "sits_out": [ids[row] for row in dance.sits_out],
    }


def _explained(answer: Answer, couple: Couple) -> Pair:
    return answer.case.pair(couple.left, couple.right, leader=couple.leader)


def pair_of(pair: Pair) -> dict[str, Any]:
    """PAIR."""
    found: dict[str, Any] = {
        "a": pair.a,
        "b": pair.b,
        "overall": number(pair.overall),
        "label": pair.label,
        "feasible": pair.feasible,
        "leads": None if pair.leads is None else str(pair.leads),
        "low": number(pair.low),
        "high": number(pair.high),
        "coverage": number(pair.coverage),
        "breakdown": {slot: _term(term) for slot, term in pair.breakdown.items()},
    }
    # Only where there is something to say, so that the usual shape stays what it is.
    return {**found, "barred": pair.barred} if pair.barred else found


def _term(term: Term) -> dict[str, Any]:
    found: dict[str, Any] = {
        "score": number(term.score),
        "weight": number(term.weight),
        "points": number(term.points),
        "known": term.known,
        "why": term.why,
    }
    if term.views is not None:
        found["views"] = {"a": number(term.views[0]), "b": number(term.views[1])}
    return found


def number(value: float | None) -> float | None:
    """Two decimals; null for what is not known."""
    return None if value is None or math.isnan(value) else round(float(value), 2) + 0.0


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)
