"""`mrblue match`: who should dance with whom, and why. The run is the default; the words around it are commands."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from mrblue_cli.cli import match_more

FORMATS = ("--json", "--csv", "--html")
SHORT_HELP = """\
mrblue match FILE: who should dance with whom, and why. FILE holds the people (users.json; - reads a pipe).

  mrblue match --sample                             look at it: a small invented community
  mrblue match users.json --for ana --top 3         the best partners of one person
  mrblue match users.json --pair total --html page.html      pairs for a practica, as a page to print

Everything else: mrblue match --help
"""
_EPILOG = (
    "Around it: mrblue match algorithms [FAMILY] · mrblue match schema · mrblue match generate --users N. "
    "A file that is called like one of these: ./schema. Formats without FILE print to standard output."
)


class _Group(TyperGroup):
    """A group whose default is the run: whatever is not the name of a command is for it."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if not args:
            sys.stderr.write(SHORT_HELP)
            raise typer.Exit(2)
        named = self.commands.get(args[0])
        if named is None or named.hidden:
            args = ["run", *args]
        return super().parse_args(ctx, args)


class _Run(TyperCommand):
    """The run: a format may stand without a file."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        return super().parse_args(ctx, with_values(args))

    def format_usage(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002 - the interface is given
        formatter.write_usage("mrblue match", "[OPTIONS] FILE")


def with_values(args: list[str]) -> list[str]:
    """Each format with what follows it as its value; with none when an option follows, or nothing."""
    found: list[str] = []
    waiting = list(args)
    while waiting:
        word = waiting.pop(0)
        if word == "--":
            return [*found, word, *waiting]
        if word in FORMATS:
            takes = bool(waiting) and (waiting[0] == "-" or not waiting[0].startswith("-"))
            word = f"{word}={waiting.pop(0) if takes else ''}"
        found.append(word)
    return found


app = typer.Typer(
    cls=_Group,
    help="Who should dance with whom, and why.",
    add_completion=False,
    rich_markup_mode=None,
)

Json = Annotated[str | None, typer.Option("--json", metavar="[FILE]", help="One JSON document.")]
Csv = Annotated[str | None, typer.Option("--csv", metavar="[FILE]", help="Numbers for a spreadsheet.")]
Html = Annotated[str | None, typer.Option("--html", metavar="[FILE]", help="One page to look at and to print.")]
File = Annotated[str | None, typer.Argument(metavar="FILE", help="JSON, NDJSON or CSV, also gzip; - reads a pipe.")]
Sample = Annotated[bool, typer.Option("--sample", help="The small invented community that comes with mrblue.")]
For = Annotated[str | None, typer.Option("--for", metavar="ID", help="The best partners of one person.")]
Top = Annotated[int | None, typer.Option("--top", metavar="K", min=1, max=1000, help="How many each; default 5.")]
All = Annotated[bool, typer.Option("--all", help="The best partners of everybody.")]
PairBy = Annotated[str | None, typer.Option("--pair", metavar="METHOD", help="Pairs for a practica: total, stable, …")]
Proposes = Annotated[str | None, typer.Option(metavar="SIDE", help="Who proposes in --pair stable: leader, follower.")]
Rotate = Annotated[int | None, typer.Option(metavar="T", min=1, max=1000, help="Pairs for T tandas in a row.")]
Method = Annotated[str | None, typer.Option(metavar="METHOD", help="How --rotate goes about it; default: exact.")]
Balance = Annotated[bool, typer.Option("--balance", help="Who takes which role; with --pair, --rotate: fixed first.")]
Together = Annotated[bool, typer.Option("--together", help="Couples (partners of each other) stay together.")]
Explain = Annotated[
    tuple[str, str] | None, typer.Option(metavar="A B", help="Two people, term by term, from both sides.")
]
Weight = Annotated[
    list[str] | None, typer.Option(metavar="NAME=X", help="Weight of a criterion, e.g. music=0.1; repeatable.")
]
Level = Annotated[str | None, typer.Option(metavar="ENTRY", help="How levels compare: level.*.")]
Location = Annotated[str | None, typer.Option(metavar="ENTRY", help="How places compare: geo.*.")]
Style = Annotated[str | None, typer.Option(metavar="ENTRY", help="How styles compare: set.*.")]
Schedule = Annotated[str | None, typer.Option(metavar="ENTRY", help="How free times compare: time.*.")]
Music = Annotated[str | None, typer.Option(metavar="ENTRY", help="How music compares: taste.*, set.*.")]
Age = Annotated[str | None, typer.Option(metavar="ENTRY", help="How ages compare: age.*.")]
History = Annotated[str | None, typer.Option(metavar="ENTRY", help="What past dances tell: hist.*.")]
Preference = Annotated[str | None, typer.Option(metavar="ENTRY", help="What past partners tell: pref.*.")]
Mixed = Annotated[str | None, typer.Option(metavar="ENTRY", help="Many fields at once: mix.*.")]
Fuse = Annotated[str | None, typer.Option(metavar="two.*", help="How two views of one pair become one score.")]
Aggregate = Annotated[str | None, typer.Option(metavar="agg.*", help="How criteria become one score.")]
Strict = Annotated[bool, typer.Option("--strict", help="Wishes that are known not to be met exclude a pair.")]
Missing = Annotated[str | None, typer.Option(metavar="half|drop", help="Unknowns count 50, or are left out.")]
Session = Annotated[float | None, typer.Option(metavar="MINUTES", help="Common time that is enough; default 120.")]
Week = Annotated[str | None, typer.Option(metavar="DATE", help="The week of the free times; default: the coming one.")]
Zone = Annotated[str | None, typer.Option(metavar="ZONE", help="Time zone of people who gave none; default UTC.")]
Seed = Annotated[int | None, typer.Option(metavar="N", min=0, help="For methods with chance; default 0.")]
Diverse = Annotated[bool, typer.Option("--diverse", help="Lists of people who differ from each other (rank.mmr).")]
MaxShown = Annotated[
    int | None, typer.Option(metavar="N", min=1, help="Nobody stands in more than N lists (rank.exposure).")
]
Engine = Annotated[str | None, typer.Option(metavar="local|ray", help="Search here, or on a Ray cluster.")]
RayAddress = Annotated[str | None, typer.Option(metavar="ADDRESS", help="The Ray cluster; default: one started here.")]
Resume = Annotated[bool, typer.Option("--resume", help="Go on with a long search that was interrupted.")]
Workers = Annotated[int | None, typer.Option(metavar="N", min=1, max=1024, help="Threads, or tasks of Ray.")]


@app.command("run", cls=_Run, hidden=True, epilog=_EPILOG)
def match(
    file: File = None,
    *,
    sample: Sample = False,
    only_for: For = None,
    top: Top = None,
    everybody: All = False,
    pair: PairBy = None,
    proposes: Proposes = None,
    rotate: Rotate = None,
    method: Method = None,
    balance: Balance = False,
    together: Together = False,
    explain: Explain = None,
    weight: Weight = None,
    level: Level = None,
    location: Location = None,
    style: Style = None,
    schedule: Schedule = None,
    music: Music = None,
    age: Age = None,
    history: History = None,
    preference: Preference = None,
    mixed: Mixed = None,
    fuse: Fuse = None,
    aggregate: Aggregate = None,
    strict: Strict = False,
    missing: Missing = None,
    session_minutes: Session = None,
    week: Week = None,
    zone: Zone = None,
    seed: Seed = None,
    diverse: Diverse = False,
    max_shown: MaxShown = None,
    engine: Engine = None,
    ray_address: RayAddress = None,
    resume: Resume = False,
    workers: Workers = None,
    as_json: Json = None,
    as_csv: Csv = None,
    as_html: Html = None,
) -> int:
    """Who should dance with whom, and why.

    The score (0 to 100) says how well stated facts fit. It is not chemistry: questionnaires did not predict
    who is drawn to whom (Joel, Eastwick & Finkel 2017).
    """
    typed = dict(locals())
    from mrblue_cli.cli.match_options import Typed
    from mrblue_cli.cli.match_run import run_match

    return run_match(Typed(**typed))


app.command("algorithms")(match_more.algorithms)
app.command("schema")(match_more.schema)
app.command("generate")(match_more.generate)
