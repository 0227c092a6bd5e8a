"""The answers of `mrblue match` as CSV: one row a pair, numbers only, so that a million lists need little memory."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from mrblue_cli.app.match import Lists, best_pairs, each
from mrblue_cli.app.match_floor import Dance
from mrblue_cli.cli.match_answer import Answer
from mrblue_cli.cli.match_options import Mode
from mrblue_cli.matcher.model import Role, label_of
from mrblue_cli.matcher.scoring import score

_AT_ONCE = 1 << 14
"""Pairs that are scored together."""
_LEADS = ("", "a", "b", "either")
_FORMULAS = frozenset("=+-@\t\r")
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
        pairs = each(best_pairs(answer.lists.first(answer.top)))
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
    """Column by column, then turned into rows: several times as fast as row by row, which millions of pairs notice."""
    if not pairs:
        return iter(())
    community = answer.case.community
    before, left, right, leaders = zip(*pairs, strict=True)
    found = score(community, np.array(left), np.array(right), answer.case.recipe)
    overall, coverage = found.overall.tolist(), found.coverage.tolist()
    who = [
        _LEADS[code] if leader is None else "a" if leader == row else "b"
        for code, leader, row in zip(found.leads.tolist(), leaders, left, strict=True)
    ]
    return zip(
        *zip(*before, strict=True),
        *(
            [harmless(names[row]) for row in rows]
            for rows in (left, right)
            for names in (community.ids, community.names)
        ),
        _numbers(overall),
        map(label_of, overall, coverage),
        ["yes" if feasible else "no" for feasible in found.feasible.tolist()],
        who,
        *(_numbers(column.tolist()) for column in (found.low, found.high)),
        _numbers(coverage),
        *(_numbers(column.tolist()) for column in found.terms.T),
        strict=True,
    )


def _numbers(column: list[float]) -> list[str]:
    """Rounded as everywhere; empty where unknown, which is not equal to itself."""
    return [f"{value:.2f}" if value == value else "" for value in column]  # noqa: PLR0124


def _sitting(answer: Answer, dance: Dance, before: Line) -> Iterator[Line]:
    community = answer.case.community
    for row in dance.sits_out:
        yield [*before, harmless(community.ids[row]), harmless(community.names[row]), "", "", "", "sits out"]


def _roles(answer: Answer) -> Iterator[str]:
    community, found = answer.case.community, answer.balanced
    assert found is not None  # noqa: S101 - what this is called for
    yield _written([["id", "name", "role", "chosen"]])
    yield _written(
        [
            harmless(community.ids[row]),
            harmless(community.names[row]),
            "leader" if role is Role.LEADER else "follower",
            "yes" if row in found.chosen else "no",
        ]
        for row, role in enumerate(found.roles)
    )


def _written(rows: Iterable[Line]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def harmless(text: str) -> str:
    """A spreadsheet takes some first characters for a formula."""
    return f"'{text}" if text[:1] in _FORMULAS else text
