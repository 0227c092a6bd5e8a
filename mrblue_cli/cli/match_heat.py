"""A heat map of leaders by followers as an HTML table: each cell holds its number, so that colour only helps."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

import numpy as np

from mrblue_cli.app.match import best_pairs, each
from mrblue_cli.cli.match_answer import Answer, two
from mrblue_cli.matcher.columns import Ints
from mrblue_cli.matcher.model import Role
from mrblue_cli.matcher.scoring import score

MOST = 60
"""Rows and columns that can still be read."""
_LONGEST_NAME = 26
"""Signs of a name in the margin."""
_SMALL_FROM = 26
"""Columns from which on the numbers are printed small."""
_LOWEST = 40
"""Scores at or below this have the palest colour; a pair that can dance rarely has less."""
STYLE = """
.heat { width: auto; border-collapse: separate; border-spacing: 1px; font-variant-numeric: tabular-nums; }
.heat th { font-weight: 400; font-size: .75rem; border: 0; padding: 0 .3rem 0 0; white-space: nowrap; }
.heat thead th { writing-mode: vertical-rl; transform: rotate(180deg); padding: .3rem 0 0; vertical-align: top; }
.heat td { border: 0; padding: 0; width: 1.75rem; height: 1.5rem; text-align: center; vertical-align: middle;
  font-size: .72rem; print-color-adjust: exact; -webkit-print-color-adjust: exact; }
.heat.small td { width: .95rem; height: .85rem; font-size: .5rem; } .heat.small th { font-size: .6rem; }
.scroll { overflow-x: auto; }
@media print { .heat.small td { width: 2.6mm; height: 2.6mm; font-size: 3.5pt; } .heat.small th { font-size: 5pt; }
  .scroll { overflow: visible; } }
""" + "".join(
    f".h{step} {{ background: hsl(207 62% {97 - 3 * step}%); color: {'#fff' if step > 16 else '#16202b'}; }}\n"
    for step in range(21)
)


def heat_map(answer: Answer) -> Iterator[str]:
    """Leaders as rows, followers as columns, by falling best score when not all fit; nothing without both."""
    leaders, followers = _people(answer, Role.LEADER), _people(answer, Role.FOLLOWER)
    if not len(leaders) or not len(followers):
        return
    community = answer.case.community
    left, right = np.repeat(leaders, len(followers)), np.tile(followers, len(leaders))
    found = score(community, left, right, answer.case.recipe)
    scores = np.where(found.feasible, found.overall, np.nan).reshape(len(leaders), len(followers))
    cut = max((community.roles & role.value > 0).sum() for role in (Role.LEADER, Role.FOLLOWER)) > MOST
    what = f", the {len(leaders)} leaders and {len(followers)} followers with the best pairs" if cut else ""
    small = " small" if len(followers) >= _SMALL_FROM else ""
    yield (
        f'<section class="paper"><h2>Everybody with everybody</h2>\n<div class="scroll"><table class="heat{small}">'
        f"<caption>Rows lead, columns follow{what}. The darker, the better; empty: never paired.</caption>\n"
        "<thead><tr><td></td>"
    )
    names = [escape(answer.called(row)) for row in followers.tolist()]
    yield "".join(_heading("col", answer.called(row)) for row in followers.tolist())
    yield "</tr></thead><tbody>\n"
    for index, row in enumerate(leaders.tolist()):
        leader = escape(answer.called(row))
        yield f"<tr>{_heading('row', answer.called(row))}"
        yield "".join(
            _cell(f"{leader} + {name}", value) for name, value in zip(names, scores[index].tolist(), strict=True)
        )
        yield "</tr>\n"
    yield "</tbody></table></div></section>\n"


def _heading(scope: str, name: str) -> str:
    """A name; of a very long one the beginning, because the map is as wide and high as its longest."""
    if len(name) <= _LONGEST_NAME:
        return f'<th scope="{scope}">{escape(name)}</th>'
    return f'<th scope="{scope}" title="{escape(name)}">{escape(name[: _LONGEST_NAME - 1].rstrip())}…</th>'


def _cell(names: str, value: float) -> str:
    if value != value:  # noqa: PLR0124 - not a number: never paired
        return "<td></td>"
    step = min(20, max(0, round((value - _LOWEST) / (100 - _LOWEST) * 20)))
    # Cut, not rounded: a pair of 80.00 is good and one of 79.99 must not look the same.
    return f'<td class="h{step}" title="{names}: {two(value)}">{int(value)}</td>'


def _people(answer: Answer, role: Role) -> Ints:
    community = answer.case.community
    rows = np.flatnonzero(community.roles & role.value > 0)
    if len(rows) <= MOST:
        return rows
    # As many people as this stand in the best pairs, whatever the size of the community.
    pairs = [] if answer.lists is None else list(each(best_pairs(answer.lists, 50 * MOST)))
    dances = [answer.paired.dance] if answer.paired is not None else []
    dances += answer.rotated.tandas if answer.rotated is not None else ()
    if dances:
        couples = sorted((couple for dance in dances for couple in dance.couples), key=lambda couple: -couple.score)
        pairs = [(couple.left, couple.right) for couple in couples]
    wanted = set(rows.tolist())
    ordered = [row for row in dict.fromkeys(row for pair in pairs for row in pair) if row in wanted]
    rest = [row for row in rows.tolist() if row not in set(ordered[:MOST])]
    return np.array(sorted([*ordered[:MOST], *rest][:MOST]), dtype=np.int64)
