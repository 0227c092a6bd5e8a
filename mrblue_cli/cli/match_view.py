"""The answers of `mrblue match` for the eye: tables, coloured on a terminal and plain in a pipe, the same words."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import TextIO

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from mrblue_cli.app.match import BEST, best_pairs, each, partners_of
from mrblue_cli.app.match_floor import Dance
from mrblue_cli.cli.match_answer import HONESTY, Answer, clean, many, nobody, reason_of, two
from mrblue_cli.cli.match_options import Mode
from mrblue_cli.matcher.model import Pair, Role

SHOWN_WHOLE = 60
"""Up to so many people the default table has everybody's list."""
SHOWN_FIRST = 10
"""Above that, the lists of the first so many."""
_NARROWEST, _WIDEST, _IN_A_PIPE = 60, 130, 120
_WIDEST_NAME = 20
_LABELS = {"excellent": "bold green", "good": "green", "fair": "", "not enough data": "yellow"}


def show(answer: Answer, out: TextIO) -> None:
    """Write the answer."""
    width = shutil.get_terminal_size((_IN_A_PIPE, 24)).columns if out.isatty() else _IN_A_PIPE
    console = Console(
        file=out,
        width=max(_NARROWEST, min(_WIDEST, width)),
        highlight=False,
        markup=False,
        emoji=False,
    )
    # Colour goes to a terminal that wants it; rich looks at NO_COLOR and TERM itself.
    for part in _parts(answer):
        console.print(part)


def head(answer: Answer) -> str:
    """How many people, of which week."""
    case = answer.case
    words = [many(len(case.community), "person")]
    if case.skipped:
        words.append(f"{len(case.skipped):,} left out")
    words.append(f"free times as in the week of Monday {case.loaded.week.isoformat()}")
    return " · ".join(words)


def _parts(answer: Answer) -> Iterator[Text | Table]:
    yield Text(HONESTY, style="dim")
    yield Text(head(answer), style="dim")
    skipped = answer.case.skipped
    for one in skipped[:5]:
        yield Text(f"left out: {clean(one.id)}: {clean(one.why)}", style="dim")
    if len(skipped) > 5:
        yield Text(f"left out: {len(skipped) - 5:,} more; --json names them all", style="dim")
    if answer.lists is not None:
        yield from _lists(answer)
    elif answer.paired is not None:
        yield from _paired(answer)
    elif answer.rotated is not None:
        yield from _rotated(answer)
    elif answer.balanced is not None:
        yield from _balanced(answer)
    elif answer.pair is not None:
        yield from _explained(answer, answer.pair)


def _table(*columns: str, right: tuple[str, ...] = ("score",), names: int = 0) -> Table:
    """`names`: how wide columns of names are, so that tables below each other line up."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 2, 0, 0))
    for column in columns:
        numeric = column in right
        width = {"with": names, "leads": names, "": len("excellent") if names else 0}.get(column, 0)
        table.add_column(
            column, justify="right" if numeric else "left", no_wrap=numeric, overflow="fold", min_width=width
        )
    return table


def _title(text: str) -> Text:
    return Text(f"\n{text}", style="bold")


def _score(pair: Pair) -> tuple[Text, Text]:
    return Text(two(pair.overall)), Text(pair.label, style=_LABELS[pair.label])


def _why(pair: Pair) -> Text:
    return Text(reason_of(pair))


def _lists(answer: Answer) -> Iterator[Text | Table]:
    lists = answer.lists
    assert lists is not None  # noqa: S101 - what this is called for
    rows = answer.case.community.rows
    shown = len(lists.rows)
    if answer.mode is Mode.BEST:
        pairs = best_pairs(lists, BEST)
        if not len(pairs):
            yield Text(f"\n{nobody(len(lists.rows))}")
            return
        yield _title("The best pairs")
        table = _table("score", "", "pair", "leads", "why")
        for one, other in each(pairs):
            pair = answer.case.pair(one, other)
            names = f"{answer.called(one)} + {answer.called(other)}"
            table.add_row(*_score(pair), Text(names), Text(answer.leader(pair)), _why(pair))
        yield table
        shown = shown if shown <= SHOWN_WHOLE else SHOWN_FIRST
    widths = (len(answer.called(row)) for index in range(min(shown, SHOWN_WHOLE)) for row in lists.of(index))
    wide = min(_WIDEST_NAME, max(widths, default=0))
    for index in range(shown):
        row = int(lists.rows[index])
        yield _title(f"For {answer.full(row)}")
        table = _table("score", "", "with", "leads", "why", names=wide)
        for number, pair in enumerate(partners_of(answer.case, lists, index)):
            # A default list is as long as asked for, though the best pairs of all needed longer ones.
            if number == answer.top:
                break
            table.add_row(
                *_score(pair), Text(answer.called(rows[pair.b])), Text(answer.leader(pair)), _why(pair)
            )  # fmt: skip
        yield table if table.row_count else Text("nobody here can dance with them", style="dim")
    if shown < len(lists.rows):
        yield Text(
            f"\n… and {len(lists.rows) - shown:,} more people. Everybody: --all; for a spreadsheet: --all --csv FILE; "
            "one person: --for ID",
            style="dim",
        )


def _couples(answer: Answer, dance: Dance) -> Table:
    table = _table("score", "", "leads", "follows", "why")
    for couple in answer.couples(dance):
        pair = answer.case.pair(couple.left, couple.right, leader=couple.leader)
        leader, follower = answer.names(couple)
        why = f"{'couple; ' if couple.kept else ''}{reason_of(pair)}"
        table.add_row(*_score(pair), Text(leader), Text(follower), Text(why))
    return table


def _sits_out(answer: Answer, dance: Dance) -> Text:
    names = ", ".join(answer.called(row) for row in dance.sits_out)
    return Text(f"sits out: {names}" if names else "nobody sits out")


def summary(answer: Answer, dance: Dance) -> str:
    """Total, mean and worst of one dance."""
    worst = dance.worst
    if worst is None:
        return f"no pair. {nobody(len(answer.case.community))}"
    names = " + ".join(answer.names(worst)).replace("*", "")
    return (
        f"{many(len(dance.couples), 'pair')}, total {two(dance.total)}, mean {two(dance.mean)}, "
        f"worst {two(worst.score)} ({names})"
    )


def _paired(answer: Answer) -> Iterator[Text | Table]:
    found = answer.paired
    assert found is not None  # noqa: S101 - what this is called for
    yield _title(f"Pairs by {found.method}")
    if found.dance.couples:
        yield _couples(answer, found.dance)
    yield Text(summary(answer, found.dance))
    yield _sits_out(answer, found.dance)
    yield from _small_print(
        answer, found.note, found.seed, any(couple.leader is None for couple in found.dance.couples)
    )


def tie_rule(note: str) -> str:
    """What a method says of its result, and how ties are settled where it does not say so itself."""
    if "tie" in note or "smaller id" in note:
        return note
    rule = "ties are settled by id, never by the order of the file"
    return f"{note}; {rule}" if note else rule


def _small_print(answer: Answer, note: str, seed: int | None, swap: bool) -> Iterator[Text]:
    if answer.tonight:
        yield Text(answer.tonight, style="dim")
    if swap:
        yield Text("* either of the two may lead", style="dim")
    yield Text(clean(tie_rule(note)), style="dim")
    if seed is not None:
        yield Text(f"seed {seed}: the same seed gives the same result", style="dim")


def _rotated(answer: Answer) -> Iterator[Text | Table]:
    found = answer.rotated
    assert found is not None  # noqa: S101 - what this is called for
    if not found.tandas:
        yield Text(f"\n{nobody(len(answer.case.community))}")
        return
    for number, dance in enumerate(found.tandas, 1):
        yield _title(f"Tanda {number}")
        table = _table("score", "leads", "follows")
        for couple in answer.couples(dance):
            table.add_row(two(couple.score), *(Text(name) for name in answer.names(couple)))
        yield table
        yield _sits_out(answer, dance)
    yield _title("For each dancer")
    table = _table("", "1, 2, … are the tandas; (lead): you lead")
    for row, partners in sheet(answer).items():
        same = len(partners) > 1 and len(set(partners)) == 1
        evening = " · ".join(f"{number} {name}" for number, name in enumerate(partners, 1))
        evening = f"{partners[0]}, all evening" if same else evening
        table.add_row(Text(answer.called(row)), Text(evening))
    yield table
    total = sum(dance.total for dance in found.tandas)
    yield Text(f"\n{many(len(found.tandas), 'tanda')} by {found.method}, total {two(total)}")
    yield from _small_print(
        answer, found.note, found.seed, any(c.leader is None for d in found.tandas for c in d.couples)
    )


def sheet(answer: Answer) -> dict[int, list[str]]:
    """Each dancer's evening: with whom in each tanda, who leads marked where people dance both roles."""
    found = answer.rotated
    assert found is not None  # noqa: S101 - what this is called for
    roles = answer.case.community.roles
    evening = {row: ["sits out"] * len(found.tandas) for row in range(len(answer.case.community))}
    for number, dance in enumerate(found.tandas):
        for couple in dance.couples:
            for row, other in ((couple.left, couple.right), (couple.right, couple.left)):
                leads = roles[row] == Role.BOTH.value and couple.leader == row
                evening[row][number] = answer.called(other) + (" (lead)" if leads else "")
    return evening


def _balanced(answer: Answer) -> Iterator[Text | Table]:
    found = answer.balanced
    assert found is not None  # noqa: S101 - what this is called for
    if not found.chosen:
        yield Text("\nNobody dances both roles: there is nothing to choose.")
    else:
        yield _title("Who takes which role")
        table = _table("", "role")
        for row in found.chosen:
            table.add_row(Text(answer.full(row)), "leads" if found.roles[row] is Role.LEADER else "follows")
        yield table
    yield Text(f"{many(found.leaders, 'leader')}, {many(found.followers, 'follower')} in all")


def _explained(answer: Answer, pair: Pair) -> Iterator[Text | Table]:
    rows = answer.case.community.rows
    yield _title(f"{answer.full(rows[pair.a])} + {answer.full(rows[pair.b])}")
    line = Text(f"{two(pair.overall)} ")
    line.append(pair.label, style=_LABELS[pair.label])
    line.append(f" · leads: {answer.leader(pair)} · between {two(pair.low)} and {two(pair.high)}")
    line.append(f" · {pair.coverage:.0%} of the weight is known")
    yield line
    if not pair.feasible:
        yield Text(f"never paired: {pair.barred or 'neither can lead the other'}", style="bold yellow")
    table = _table("", "score", "weight", "points", "why", right=("score", "weight", "points"))
    for slot, term in pair.breakdown.items():
        score = "?" if term.score is None else two(term.score)
        table.add_row(slot, score, two(term.weight), two(term.points), Text(clean(term.why)))
        if term.views is not None:
            sides = ((pair.a, pair.b, term.views[0]), (pair.b, pair.a, term.views[1]))
            for one, other, view in sides:
                words = f"{answer.called(rows[one])} about {answer.called(rows[other])}"
                table.add_row("", "?" if view is None else two(view), "", "", Text(words, style="dim"))
    table.add_section()
    table.add_row("overall", two(pair.overall), "", two(sum(term.points for term in pair.breakdown.values())), "")
    yield table
    if any(not term.known for term in pair.breakdown.values()):
        counted = " and counts 50" if answer.case.recipe.missing == "half" else " and is left out (--missing drop)"
        # What has no weight counts nothing, known or not.
        yield Text(f"? is not known{counted if pair.coverage < 1 - 1e-9 else ''}", style="dim")
