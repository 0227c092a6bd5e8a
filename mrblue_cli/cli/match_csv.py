"""The answers of `mrblue match` as CSV: one row a pair, numbers only, so that a million lists need little memory."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from mrblue_cli.app.match import Lists, best_pairs, each
from mrblue_cli.app.match_floor import Dance
from mrblue_cli.cli.match_answer import Answer, two
from mrblue_cli.cli.match_options import Mode
from mrblue_cli.matcher.model import Role, label_of
from mrblue_cli.matcher.scoring import score

_AT_ONCE = 1 << 14
"""Pairs that are scored together."""
_LEADS = ("", "a", "b", "either")
Line = Sequence[object]
Rows = tuple[Line, int, int, int | None]
"""What stands before a pair (list, rank, tanda), its two rows, and who leads where that is fixed."""


def lines(answer: Answer) -> Iterator[str]:
    """Pieces of one CSV file: a header, then a line for each pair."""
    if answer.mode is Mode.BALANCE:
        yield from _roles(answer)
        return
    before, rows = _rows(answer)
    slots = [choice.slot for choice in answer.case.recipe.choices]
    numbers = ("overall", "label", "feasible", "leads", "low", "high", "coverage")
    yield _written([[*before, "a", "a_name", "b", "b_name", *numbers, *slots]])
    waiting: list[Rows] = []
    for row in rows:
        waiting.append(row)
        if len(waiting) == _AT_ONCE:
            yield _written(_scored(answer, waiting))
            waiting.clear()
    yield _written(_scored(answer, waiting))
    if answer.paired is not None:
        yield _written(_sitting(answer, answer.paired.dance, ()))
    if answer.rotated is not None:
        for number, dance in enumerate(answer.rotated.tandas, 1):
            yield _written(_sitting(answer, dance, (number,)))


def _rows(answer: Answer) -> tuple[tuple[str, ...], Iterable[Rows]]:
    """The columns before a pair, and the pairs."""
    if answer.lists is not None and answer.mode is Mode.BEST:
        pairs = each(best_pairs(answer.lists))
        return ("rank",), (((number,), one, other, None) for number, (one, other) in enumerate(pairs, 1))
    if answer.lists is not None:
        return ("rank",), _listed(answer.lists)
    if answer.paired is not None:
        return (), (((), couple.left, couple.right, couple.leader) for couple in answer.paired.dance.couples)
    if answer.rotated is not None:
        tandas = enumerate(answer.rotated.tandas, 1)
        return ("tanda",), (
            ((number,), couple.left, couple.right, couple.leader)
            for number, dance in tandas
            for couple in dance.couples
        )
    pair = answer.pair
    where = answer.case.community.rows
    return (), [] if pair is None else [((), where[pair.a], where[pair.b], None)]


def _listed(lists: Lists) -> Iterator[Rows]:
    for index, row in enumerate(lists.rows.tolist()):
        for rank, other in enumerate(lists.of(index), 1):
            yield (rank,), row, other, None


def _scored(answer: Answer, pairs: list[Rows]) -> Iterator[Line]:
    if not pairs:
        return
    community = answer.case.community
    left = np.array([pair[1] for pair in pairs], dtype=np.int64)
    right = np.array([pair[2] for pair in pairs], dtype=np.int64)
    found = score(community, left, right, answer.case.recipe)
    columns = (found.overall, found.low, found.high, found.coverage, found.feasible, found.leads, found.terms)
    numbers = zip(*(column.tolist() for column in columns), strict=True)
    for (before, a, b, leader), (overall, low, high, coverage, feasible, leads, terms) in zip(
        pairs, numbers, strict=True
    ):
        who = _LEADS[leads] if leader is None else "a" if leader == a else "b"
        yield [
            *(*before, community.ids[a], community.names[a], community.ids[b], community.names[b]),
            *(two(overall), label_of(overall, coverage), "yes" if feasible else "no", who),
            *(two(low), two(high), two(coverage)),
            *("" if term != term else two(term) for term in terms),  # noqa: PLR0124 - not a number: unknown
        ]


def _sitting(answer: Answer, dance: Dance, before: Line) -> Iterator[Line]:
    community = answer.case.community
    for row in dance.sits_out:
        yield [*before, community.ids[row], community.names[row], "", "", "", "sits out"]


def _roles(answer: Answer) -> Iterator[str]:
    community, found = answer.case.community, answer.balanced
    assert found is not None  # noqa: S101 - what this is called for
    yield _written([["id", "name", "role", "chosen"]])
    yield _written(
        [
            community.ids[row],
            community.names[row],
            "leader" if role is Role.LEADER else "follower",
            "yes" if row in found.chosen else "no",
        ]
        for row, role in enumerate(found.roles)
    )


def _written(rows: Iterable[Line]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([_harmless(cell) for cell in row] for row in rows)
    return text.getvalue()


def _harmless(cell: object) -> object:
    """A spreadsheet takes some first characters for a formula."""
    return f"'{cell}" if isinstance(cell, str) and cell[:1] in {"=", "+", "-", "@", "\t", "\r"} else cell
