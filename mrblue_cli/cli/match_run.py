"""Run `mrblue match`: read, search or pair, show. Everything heavy is imported from here on."""

from __future__ import annotations

import datetime as dt
import os
import shlex
import sys
from collections.abc import Callable, Iterable
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

from mrblue_cli.app.match import (
    BEST,
    Case,
    How,
    Searching,
    coming_monday,
    everyone,
    explained,
    find_method,
    one,
    open_case,
)
from mrblue_cli.cli.errors import INTERRUPTED, report
from mrblue_cli.cli.match_answer import Answer
from mrblue_cli.cli.match_options import Mode, Typed, how_of, mode_of, week_of
from mrblue_cli.cli.match_write import Places, places, write_all

TOP = 5
_BAR_FROM = 2000
"""People from whom on a search takes long enough for a progress bar."""
_KEEP_FROM = 20000
"""People from whom on a search keeps what is done, for --resume."""


def run_match(typed: Typed) -> int:
    """The exit code; raises `MrBlueError`."""
    mode = mode_of(typed)
    where = places(typed)
    for family, method in (("pair", typed.pair), ("rot", typed.method)):
        if method is not None:
            find_method(family, method)
    today = dt.datetime.now(tz=dt.UTC).date()
    week = week_of(typed.week) or coming_monday(today)
    try:
        case = _open(where.source, How(**how_of(typed)), week, typed.zone or "UTC")
    except KeyboardInterrupt:
        report("stopped; nothing was written")
        return INTERRUPTED
    for warning in case.warnings:
        sys.stderr.write(f"mrblue: {warning}\n")
    bar = _Bar(len(case.community))
    finished: list[Path] = []
    searching = _searching(typed, case, mode, finished.append)
    printed = not where.targets or None in where.targets.values()
    writing = False
    try:
        with bar:
            answer = _answer(case, mode, typed, searching, bar)
        writing = True
        _put(answer, where)
    except KeyboardInterrupt:
        # Lists of a million people take minutes to write: what was searched for them is still kept.
        return _stopped(bar, case, searching, cut_off=writing and printed)
    except BrokenPipeError:
        _forget(finished)
        raise
    _forget(finished)
    return 0


def _put(answer: Answer, where: Places) -> None:
    """Show the answer, or write it."""
    if not where.targets:
        from mrblue_cli.cli.match_view import show

        show(answer, sys.stdout)
        return
    for path in write_all(where.targets, _renderers(answer)):
        report(f"wrote {path}")


def _forget(finished: list[Path]) -> None:
    for path in finished:
        path.unlink(missing_ok=True)


def _open(source: str | None, how: How, week: dt.date, zone: str) -> Case:
    if source is None:
        with as_file(files("mrblue_cli.data") / "community.json") as path:
            return open_case(path, how, week=week, zone=zone)
    return open_case(None if source == "-" else Path(source), how, week=week, zone=zone)


def _answer(case: Case, mode: Mode, typed: Typed, searching: Searching, bar: _Bar) -> Answer:
    top = typed.top or TOP
    common: dict[str, Any] = {"case": case, "mode": mode, "top": top}
    match mode:
        case Mode.BEST | Mode.ALL:
            # Lists of half as many give the best pairs of all, exactly.
            k = max(top, BEST // 2) if mode is Mode.BEST and not (typed.diverse or typed.max_shown) else top
            lists = everyone(case, k, searching, bar.show)
            return Answer(**common, lists=lists, max_shown=typed.max_shown)
        case Mode.ONE:
            return Answer(**common, lists=one(case, typed.only_for or "", top, searching))
        case Mode.EXPLAIN:
            assert typed.explain is not None  # noqa: S101 - what the mode is for
            return Answer(**common, pair=explained(case, *typed.explain))
        case _:
            return _floor_answer(common, typed)


def _floor_answer(common: dict[str, Any], typed: Typed) -> Answer:
    from mrblue_cli.app.match_floor import balanced, paired, rotated

    case, mode = common["case"], common["mode"]
    shared: dict[str, Any] = {"seed": typed.seed, "together": typed.together, "fix_roles": typed.balance}
    if mode is Mode.PAIR:
        pairs = paired(case, typed.pair or "", proposes=typed.proposes, **shared)
        return Answer(**{**common, "case": pairs.case}, paired=pairs, balanced=pairs.balanced)
    if mode is Mode.ROTATE:
        turns = rotated(case, typed.rotate or 1, method=typed.method, **shared)
        return Answer(**{**common, "case": turns.case}, rotated=turns, balanced=turns.balanced)
    return Answer(**common, balanced=balanced(case))


def _searching(typed: Typed, case: Case, mode: Mode, on_finished: Callable[[Path], None]) -> Searching:
    return Searching(
        diverse=typed.diverse,
        max_shown=typed.max_shown,
        workers=typed.workers,
        engine="ray" if typed.engine == "ray" else "local",
        ray_address=typed.ray_address,
        state=_state(typed, case) if mode in {Mode.BEST, Mode.ALL} else None,
        resume=typed.resume,
        on_finished=on_finished,
    )


def _state(typed: Typed, case: Case) -> Path | None:
    """Where a long search keeps what is done; None for a short one, and where no cache folder can be had."""
    from mrblue_cli.settings.places import place

    folder = place("cache") / "match"
    if typed.resume:
        return folder
    if len(case.community) < _KEEP_FROM:
        return None
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    # Not to be able to resume is no reason not to search.
    return folder if os.access(folder, os.W_OK) else None


def _renderers(answer: Answer) -> dict[str, Callable[[], Iterable[str]]]:
    def as_json() -> Iterable[str]:
        from mrblue_cli.cli.match_json import document

        return document(answer)

    def as_csv() -> Iterable[str]:
        from mrblue_cli.cli.match_csv import lines

        return lines(answer)

    def as_html() -> Iterable[str]:
        from mrblue_cli.cli.match_html import page

        return page(answer)

    return {"json": as_json, "csv": as_csv, "html": as_html}


def _stopped(bar: _Bar, case: Case, searching: Searching, *, cut_off: bool) -> int:
    """Says what was kept, and the command that goes on. `cut_off`: some of the answer was printed already."""
    written = "what was printed is not whole" if cut_off else "nothing was written"
    if searching.state is None:
        report(f"stopped; {written}")
        return INTERRUPTED
    again = shlex.join(["mrblue", *(word for word in sys.argv[1:] if word != "--resume"), "--resume"])
    done = f"{bar.done:,} of {len(case.community):,} people are done and kept"
    report(f"stopped; {done}, {written}", f"go on with: {again}")
    return INTERRUPTED


class _Bar:
    """How far a long search is, on a terminal's standard error; elsewhere only the number."""

    def __init__(self, total: int) -> None:
        self.done = 0
        self._progress: Any = None
        if total >= _BAR_FROM and sys.stderr is not None and sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

            self._progress = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TextColumn("people,"),
                TimeRemainingColumn(),
                TextColumn("left"),
                console=Console(stderr=True),
                transient=True,
            )
            # The first search of all is compiled before anybody is found.
            self._task = self._progress.add_task("getting ready", total=total)

    def __enter__(self) -> None:
        if self._progress is not None:
            self._progress.start()

    def __exit__(self, *_: object) -> None:
        if self._progress is not None:
            self._progress.stop()

    def show(self, done: int, total: int) -> None:
        """Called with people done and people in all."""
        self.done = done
        if self._progress is not None:
            words = "searching" if done else "getting ready"
            self._progress.update(self._task, description=words, completed=done, total=total)
