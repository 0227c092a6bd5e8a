"""The answers of `mrblue match` as one page: nothing from outside, escaped, to look at and to print on A4."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape

from mrblue_cli.app.match import BEST, best_pairs, each, partners_of
from mrblue_cli.app.match_floor import Dance
from mrblue_cli.cli.match_answer import HONESTY, Answer, clean, many, nobody, reason_of, two
from mrblue_cli.cli.match_heat import STYLE as HEAT_STYLE
from mrblue_cli.cli.match_heat import heat_map
from mrblue_cli.cli.match_options import Mode
from mrblue_cli.cli.match_view import head, sheet, summary, tie_rule
from mrblue_cli.matcher.model import Pair, Role

SHOWN = 200
"""People whose lists stand in a page, unless everybody's are asked for."""
_STYLE = """
:root { color-scheme: light; --ink: #16202b; --dim: #5a6773; --line: #d5dce3; --blue: #1f6fb2; }
* { box-sizing: border-box; }
body { font: 15px/1.45 system-ui, sans-serif; color: var(--ink); background: #fff; margin: 2rem auto; max-width: 70rem;
  padding: 0 1.2rem; }
h1 { font-size: 1.7rem; margin: 0 0 .4rem; } h2 { font-size: 1.2rem; margin: 2rem 0 .5rem; }
h3 { font-size: 1rem; margin: 1.2rem 0 .3rem; }
.honest { border-left: 4px solid var(--blue); background: #eef5fb; padding: .6rem .9rem; margin: .8rem 0; }
.dim { color: var(--dim); }
table { border-collapse: collapse; width: 100%; } caption { text-align: left; color: var(--dim); }
th, td, h3 { overflow-wrap: anywhere; }
th, td { text-align: left; vertical-align: top; padding: .28rem .6rem .28rem 0; border-bottom: 1px solid var(--line); }
thead th { color: var(--dim); font-weight: 600; font-size: .85rem; }
.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; padding-right: .9rem; }
.n { width: 4rem; } .who { width: 8rem; } .both { width: 13rem; }
.label { white-space: nowrap; color: var(--dim); width: 7.5rem; }
.excellent { font-weight: 700; }
.never { color: #8a2b00; font-weight: 600; }
section.one { break-inside: avoid; } .tandas { display: grid; gap: 0 2rem;
  grid-template-columns: repeat(auto-fill, minmax(17rem, 1fr)); }
.tandas section { break-inside: avoid; } .tandas table, .sheet { table-layout: fixed; }
.sheet { margin-bottom: 1rem; font-size: .85rem; } .sheet td, .sheet th { padding-right: .5rem; }
@page { size: A4; margin: 14mm; }
@media print { html, body { font-size: 10pt; } body { margin: 0; max-width: none; padding: 0; }
  h2 { break-after: avoid; } tr { break-inside: avoid; } thead { display: table-header-group; }
  .tandas, .sheet { font-size: 8pt; } .tandas td, .sheet td, .sheet th { padding-top: .15rem; padding-bottom: .15rem; }
  .tandas { grid-template-columns: repeat(3, 1fr); gap: 0 1rem; } .paper { break-before: page; } }
"""
_ABREAST = 8
"""Tandas side by side in the sheet of the dancers, as many as A4 has room for."""
_TITLES = {
    Mode.BEST: "Who fits whom",
    Mode.ONE: "Partners",
    Mode.ALL: "Partners for everybody",
    Mode.PAIR: "Pairs for the practica",
    Mode.ROTATE: "Rotation",
    Mode.BALANCE: "Roles",
    Mode.EXPLAIN: "Two people",
}


def page(answer: Answer) -> Iterator[str]:
    """Pieces of one HTML document."""
    title = f"{_TITLES[answer.mode]} · mrblue match"
    # The page needs nothing from anywhere; the policy makes sure that nothing in a name can ask for it.
    yield (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}{HEAT_STYLE}</style>\n</head>\n<body>\n"
        f"<h1>{escape(_TITLES[answer.mode])}</h1>\n"
        f'<p class="honest"><strong>What the score is, and what it is not.</strong> {_text(HONESTY)} '
        "0 to 100; above 80 excellent, above 60 good. What somebody did not say is unknown and never counts as zero."
        "</p>\n"
        f'<p class="dim">{_text(head(answer))}</p>\n'
    )
    yield from _body(answer)
    yield from _left_out(answer)
    yield "</body>\n</html>\n"


def _body(answer: Answer) -> Iterator[str]:
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


def _lists(answer: Answer) -> Iterator[str]:
    lists = answer.lists
    assert lists is not None  # noqa: S101 - what this is called for
    shown = len(lists.rows)
    if answer.mode is Mode.BEST:
        pairs = [answer.case.pair(*rows) for rows in each(best_pairs(lists, BEST))]
        if not pairs:
            yield f"<p>{_text(nobody(len(lists.rows)))}</p>\n"
            return
        yield "<h2>The best pairs</h2>\n"
        yield from _table(("score", "", "pair", "leads", "why"), (_pair_row(answer, pair, both=True) for pair in pairs))
        yield from heat_map(answer)
        shown = min(shown, SHOWN)
        yield "<h2>For each person</h2>\n"
    for index in range(shown):
        row = int(lists.rows[index])
        yield f'<section class="one"><h3>{_text(answer.full(row))}</h3>\n'
        pairs = [pair for number, pair in enumerate(partners_of(answer.case, lists, index)) if number < answer.top]
        if pairs:
            yield from _table(("score", "", "with", "leads", "why"), (_pair_row(answer, pair) for pair in pairs))
        else:
            yield f'<p class="dim">{_text(answer.alone)}</p>\n'
        yield "</section>\n"
    if shown < len(lists.rows):
        yield f'<p class="dim">… and {len(lists.rows) - shown:,} more people: --all --html FILE has everybody.</p>\n'


def _pair_row(answer: Answer, pair: Pair, *, both: bool = False) -> list[str]:
    rows = answer.case.community.rows
    names = [answer.called(rows[pair.b])]
    if both:
        names.insert(0, answer.called(rows[pair.a]))
    return [
        *_score(pair),
        _cell(" + ".join(names), "both" if both else "who"),
        _cell(answer.leader(pair), "who"),
        _cell(reason_of(pair)),
    ]


def _score(pair: Pair) -> tuple[str, str]:
    kind = " excellent" if pair.label == "excellent" else ""
    return _cell(two(pair.overall), f"n{kind}"), _cell(pair.label, "label")


def _paired(answer: Answer) -> Iterator[str]:
    found = answer.paired
    assert found is not None  # noqa: S101 - what this is called for
    yield f"<p>{_text(summary(answer, found.dance))}; method {_text(found.method)}</p>\n"
    swap = False
    rows = []
    for couple in answer.couples(found.dance):
        pair = answer.case.pair(couple.left, couple.right, leader=couple.leader)
        swap = swap or couple.leader is None
        why = f"{'couple; ' if couple.kept else ''}{reason_of(pair)}"
        rows.append([*(_cell(name, "who") for name in answer.names(couple)), *_score(pair), _cell(why)])
    yield from _table(("leads", "follows", "score", "", "why"), rows)
    yield _sits_out(answer, found.dance)
    yield from _small_print(answer, found.note, found.seed, swap=swap)
    yield from heat_map(answer)


def _sits_out(answer: Answer, dance: Dance) -> str:
    names = ", ".join(answer.called(row) for row in dance.sits_out)
    return f"<p>{'Sits out: ' + _text(names) if names else 'Nobody sits out.'}</p>\n"


def _small_print(answer: Answer, note: str, seed: int | None, *, swap: bool) -> Iterator[str]:
    if answer.tonight:
        yield f'<p class="dim">{_text(answer.tonight)}</p>\n'
    if swap:
        yield '<p class="dim">* either of the two may lead</p>\n'
    yield f'<p class="dim">{_text(tie_rule(note))}</p>\n'
    if seed is not None:
        yield f'<p class="dim">seed {seed}: the same seed gives the same result</p>\n'


def _rotated(answer: Answer) -> Iterator[str]:
    found = answer.rotated
    assert found is not None  # noqa: S101 - what this is called for
    if not found.tandas:
        yield f"<p>{_text(nobody(len(answer.case.community)))}</p>\n"
        return
    yield '<div class="tandas">\n'
    for number, dance in enumerate(found.tandas, 1):
        yield f"<section><h3>Tanda {number}</h3>\n"
        rows = [[_cell(name) for name in answer.names(couple)] for couple in answer.couples(dance)]
        yield from _table(("leads", "follows"), rows)
        yield f"{_sits_out(answer, dance)}</section>\n"
    yield '</div>\n<section class="paper"><h2>For each dancer</h2>\n'
    yield '<p class="dim">1, 2, … are the tandas; (lead): this dancer leads</p>\n'
    yield from _sheets(answer, len(found.tandas))
    total = sum(dance.total for dance in found.tandas)
    yield f'<p class="dim">{many(len(found.tandas), "tanda")} by {_text(found.method)}, total {two(total)}</p>\n'
    swap = any(couple.leader is None for dance in found.tandas for couple in dance.couples)
    yield from _small_print(answer, found.note, found.seed, swap=swap)
    yield "</section>\n"
    yield from heat_map(answer)


def _sheets(answer: Answer, tandas: int) -> Iterator[str]:
    """A line for each dancer; a long evening in several tables below each other, none wider than the paper."""
    evenings = sheet(answer)
    tables = -(-tandas // _ABREAST)
    for part in range(tables):
        first, end = part * tandas // tables, (part + 1) * tandas // tables
        titles = ("", *(str(number) for number in range(first + 1, end + 1)))
        lines = (
            [f'<th scope="row">{_text(answer.called(row))}</th>', *(_cell(name) for name in partners[first:end])]
            for row, partners in evenings.items()
        )
        yield from _table(titles, lines, kind="sheet")


def _balanced(answer: Answer) -> Iterator[str]:
    found = answer.balanced
    assert found is not None  # noqa: S101 - what this is called for
    yield f"<p>{many(found.leaders, 'leader')}, {many(found.followers, 'follower')} in all</p>\n"
    if not found.chosen:
        yield "<p>Nobody dances both roles: there is nothing to choose.</p>\n"
        return
    rows = [
        [_cell(answer.full(row)), _cell("leads" if found.roles[row] is Role.LEADER else "follows")]
        for row in found.chosen
    ]
    yield from _table(("who dances both", "tonight"), rows)


def _explained(answer: Answer, pair: Pair) -> Iterator[str]:
    rows = answer.case.community.rows
    yield f"<h2>{_text(answer.full(rows[pair.a]))} + {_text(answer.full(rows[pair.b]))}</h2>\n"
    yield (
        f"<p><strong>{two(pair.overall)}</strong> {pair.label} · leads: {_text(answer.leader(pair))} · between "
        f"{two(pair.low)} and {two(pair.high)} · {pair.coverage:.0%} of the weight is known</p>\n"
    )
    if not pair.feasible:
        yield f'<p class="never">Never paired: {_text(pair.barred or "neither can lead the other")}</p>\n'
    lines = []
    for slot, term in pair.breakdown.items():
        score = "?" if term.score is None else two(term.score)
        why = term.why
        if term.views is not None:
            shown = ["?" if view is None else two(view) for view in term.views]
            why += f" ({answer.called(rows[pair.a])}'s view {shown[0]}, {answer.called(rows[pair.b])}'s {shown[1]})"
        numbers = (score, two(term.weight), two(term.points))
        lines.append([_cell(slot), *(_cell(number, "n") for number in numbers), _cell(why)])
    yield from _table(("", "score", "weight", "points", "why"), lines)


def _left_out(answer: Answer) -> Iterator[str]:
    skipped = answer.case.skipped
    if skipped or answer.case.warnings:
        yield "<h2>What to know of the file</h2>\n<ul>\n"
        yield from (f"<li>left out: {_text(one.id)}: {_text(one.why)}</li>\n" for one in skipped[:SHOWN])
        if len(skipped) > SHOWN:
            yield f"<li>left out: {len(skipped) - SHOWN:,} more</li>\n"
        yield from (f"<li>{_text(warning)}</li>\n" for warning in answer.case.warnings)
        yield "</ul>\n"


def _table(titles: Iterable[str], rows: Iterable[Iterable[str]], kind: str = "") -> Iterator[str]:
    """Cells come escaped, from `_cell`."""
    heads = "".join(
        f'<th scope="col"{" class=n" if title in {"score", "weight", "points"} else ""}>{escape(title)}</th>'
        if title
        else "<td></td>"
        for title in titles
    )
    yield f"<table{f' class={kind}' if kind else ''}><thead><tr>{heads}</tr></thead><tbody>\n"
    for row in rows:
        yield f"<tr>{''.join(row)}</tr>\n"
    yield "</tbody></table>\n"


def _cell(text: str, kind: str = "") -> str:
    return f'<td class="{kind}">{_text(text)}</td>' if kind else f"<td>{_text(text)}</td>"


def _text(text: str) -> str:
    return escape(clean(text))
