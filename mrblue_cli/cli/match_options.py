"""What was typed for `mrblue match`, checked: one mode, no option that the mode would ignore, files that are safe."""

from __future__ import annotations

import datetime as dt
import enum
import math
from dataclasses import dataclass
from typing import Any

from mrblue_cli.core.errors import UsageError


class Mode(enum.StrEnum):
    """What is wanted; the value is how a person asks for it."""

    BEST = "the default table"
    ONE = "--for"
    ALL = "--all"
    PAIR = "--pair"
    ROTATE = "--rotate"
    BALANCE = "--balance"
    EXPLAIN = "--explain"


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """The command line as it came."""

    file: str | None = None
    sample: bool = False
    only_for: str | None = None
    top: int | None = None
    everybody: bool = False
    pair: str | None = None
    proposes: str | None = None
    rotate: int | None = None
    method: str | None = None
    balance: bool = False
    together: bool = False
    explain: tuple[str, str] | None = None
    weight: list[str] | None = None
    level: str | None = None
    location: str | None = None
    style: str | None = None
    schedule: str | None = None
    music: str | None = None
    age: str | None = None
    history: str | None = None
    preference: str | None = None
    mixed: str | None = None
    fuse: str | None = None
    aggregate: str | None = None
    strict: bool = False
    missing: str | None = None
    session_minutes: float | None = None
    week: str | None = None
    zone: str | None = None
    seed: int | None = None
    diverse: bool = False
    max_shown: int | None = None
    engine: str | None = None
    ray_address: str | None = None
    resume: bool = False
    workers: int | None = None
    as_json: str | None = None
    as_csv: str | None = None
    as_html: str | None = None


_ENTRIES = ("level", "location", "style", "schedule", "music", "age", "history", "preference", "mixed")
_LISTS = (Mode.BEST, Mode.ONE, Mode.ALL)
_EVERYBODY = (Mode.BEST, Mode.ALL)
_FLOOR = (Mode.PAIR, Mode.ROTATE)
_GOES_WITH: dict[str, tuple[str, tuple[Mode, ...]]] = {
    "top": ("--top", _LISTS),
    "diverse": ("--diverse", _LISTS),
    "max_shown": ("--max-shown", _EVERYBODY),
    "engine": ("--engine", _EVERYBODY),
    "ray_address": ("--ray-address", _EVERYBODY),
    "resume": ("--resume", _EVERYBODY),
    "workers": ("--workers", _EVERYBODY),
    "proposes": ("--proposes", (Mode.PAIR,)),
    "method": ("--method", (Mode.ROTATE,)),
    "together": ("--together", _FLOOR),
    "seed": ("--seed", _FLOOR),
}
"""Options that only some modes use."""


def mode_of(typed: Typed) -> Mode:
    """The one mode. Raises `UsageError` when several exclude each other, or an option would be ignored."""
    asked = [
        mode
        for mode, there in (
            (Mode.ONE, typed.only_for is not None),
            (Mode.ALL, typed.everybody),
            (Mode.PAIR, typed.pair is not None),
            (Mode.ROTATE, typed.rotate is not None),
            (Mode.EXPLAIN, typed.explain is not None),
        )
        if there
    ]
    if len(asked) > 1:
        raise UsageError(f"{asked[0]} and {asked[1]} exclude each other", hint="ask for one at a time")
    mode = asked[0] if asked else Mode.BALANCE if typed.balance else Mode.BEST
    if typed.balance and mode not in {*_FLOOR, Mode.BALANCE}:
        raise UsageError(f"--balance and {mode} exclude each other", hint="it goes alone, or with --pair or --rotate")
    for field, (option, modes) in _GOES_WITH.items():
        value = getattr(typed, field)
        if value is not None and value is not False and mode not in modes:
            where = " or ".join(sorted("the lists of everybody" if m is Mode.BEST else m.value for m in modes))
            raise UsageError(f"{option} has no effect here ({mode})", hint=f"it goes with {where}; leave it out")
    _check_pairs_of_options(typed)
    return mode


def _check_pairs_of_options(typed: Typed) -> None:
    if typed.diverse and typed.max_shown is not None:
        raise UsageError("--diverse and --max-shown exclude each other", hint="choose one way to shape the lists")
    if typed.ray_address is not None and typed.engine != "ray":
        raise UsageError("--ray-address has no effect without Ray", hint="add --engine ray")
    one_of("--engine", typed.engine, ("local", "ray"))
    one_of("--missing", typed.missing, ("half", "drop"))
    one_of("--proposes", typed.proposes, ("leader", "follower"))
    minutes = typed.session_minutes
    if minutes is not None and not (math.isfinite(minutes) and 0 < minutes <= 7 * 24 * 60):
        raise UsageError(f"--session-minutes is {minutes:g}", hint="minutes of one session, for example 120")
    if typed.proposes is not None and (typed.pair or "").rpartition(".")[2] != "stable":
        raise UsageError(f"--proposes has no effect with --pair {typed.pair}", hint="it goes with --pair stable")


def one_of(option: str, value: str | None, known: tuple[str, ...]) -> None:
    """Raises `UsageError` for a word that is none of the known ones."""
    if value is not None and value not in known:
        raise UsageError(f"{option}: there is no '{value}'", hint=f"{' or '.join(known)}")


def how_of(typed: Typed) -> dict[str, Any]:
    """Fields of `app.match.How`, those that were typed. Raises `UsageError`."""
    entries = {slot: value for slot in _ENTRIES if (value := getattr(typed, slot)) is not None}
    found: dict[str, Any] = {
        "weights": weights_of(typed.weight or []),
        "entries": entries,
        "missing": typed.missing,
        "fuse": typed.fuse,
        "aggregate": typed.aggregate,
        "strict": typed.strict,
        "session_minutes": typed.session_minutes,
    }
    return {name: value for name, value in found.items() if value is not None}


def weights_of(typed: list[str]) -> dict[str, float]:
    """`music=0.1`, each criterion once. Raises `UsageError`."""
    found: dict[str, float] = {}
    for word in typed:
        name, sign, number = word.partition("=")
        try:
            weight = float(number)
        except ValueError:
            weight = math.nan
        if not sign or not math.isfinite(weight):
            raise UsageError(f"--weight {word} is not NAME=NUMBER", hint="for example: --weight music=0.1")
        if name in found:
            raise UsageError(f"--weight {name} is given twice", hint="leave one of them out")
        found[name] = weight
    return found


def week_of(typed: str | None) -> dt.date | None:
    """A date, YYYY-MM-DD. Raises `UsageError`."""
    if typed is None:
        return None
    try:
        return dt.date.fromisoformat(typed)
    except ValueError:
        raise UsageError(f"--week {typed} is not a date", hint="write it like 2026-03-30") from None
