"""Use cases of `mrblue match`: who fits whom, for one person or for everybody. Values out, nothing printed.

`app/match_floor.py` has the use cases of one dance floor: pairs for a practica, rotations, roles.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Literal

import msgspec
import numpy as np

from mrblue_cli.app.match_files import Loaded, load
from mrblue_cli.core.errors import UsageError
from mrblue_cli.matcher import registry
from mrblue_cli.matcher.compiled import Community, Floats, Ints
from mrblue_cli.matcher.model import Leads, Pair, Role
from mrblue_cli.matcher.recipe import SLOTS, Missing, Recipe, make_recipe
from mrblue_cli.matcher.scoring import explain, terms
from mrblue_cli.matcher.topk.base import Found

Progress = Callable[[int, int], None]
"""Called with people done and people in all."""
BEST = 10
"""How many of the best pairs a table begins with."""
_POOL_FACTOR, _POOL_LEAST = 4, 50
"""A list that is to be varied or evened out is chosen from this many times as many people, and at least so many."""
_BLOCK = 1 << 14


class How(msgspec.Struct, frozen=True, kw_only=True):
    """How to score, as asked for; see `matcher.recipe.make_recipe`."""

    weights: dict[str, float] = {}
    entries: dict[str, str] = {}
    missing: Missing = "half"
    fuse: str = "two.harmonic"
    aggregate: str = "agg.mean"
    strict: bool = False
    session_minutes: float | None = None


class Searching(msgspec.Struct, frozen=True, kw_only=True):
    """How to search, and how to shape what was found."""

    diverse: bool = False
    """Lists of people who differ from each other (rank.mmr)."""
    max_shown: int | None = None
    """Nobody stands in more lists than this (rank.exposure)."""
    workers: int | None = None
    engine: Literal["local", "ray"] = "local"
    ray_address: str | None = None
    state: Path | None = None
    """Where a long search keeps what is done."""
    resume: bool = False
    on_finished: Callable[[Path], None] | None = None
    """Takes the file of a finished search, to be removed when the answer is written; else it is removed at once."""


class Lists(msgspec.Struct, frozen=True, kw_only=True):
    """The best partners of some people: row i of `found` is for person `rows[i]`."""

    rows: Ints
    found: Found

    def first(self, k: int) -> Lists:
        """The same lists, no longer than this."""
        return Lists(rows=self.rows, found=Found(rows=self.found.rows[:, :k], scores=self.found.scores[:, :k]))

    def of(self, index: int) -> list[int]:
        """The rows of one person's partners, best first."""
        return [row for row in self.found.rows[index].tolist() if row >= 0]


class Case:
    """A community together with the way to score it."""

    def __init__(self, loaded: Loaded, recipe: Recipe, warnings: tuple[str, ...] = ()) -> None:
        self.loaded = loaded
        self.recipe = recipe
        self.warnings = (*loaded.warnings, *warnings)
        self.skipped = tuple(sorted(loaded.skipped, key=lambda one: (one.id, one.why)))
        """Who takes no part, by id: the order of the file never shows."""

    @property
    def community(self) -> Community:
        """The people."""
        return self.loaded.community

    def pair(self, one: int, other: int, *, leader: int | None = None, first: int | None = None) -> Pair:
        """Two rows, explained. `a` is the smaller id, or the row `first`; `leader` is who leads where that is fixed."""
        a, b = min(one, other), max(one, other)
        if first == b:
            a, b = b, a
        pair = explain(self.community.user(a), self.community.user(b), self.recipe, self.community)
        if leader is not None:
            pair = msgspec.structs.replace(pair, leads=Leads.A if leader == a else Leads.B)
        return pair

    def with_roles(self, roles: Sequence[Role]) -> Case:
        """The same people in one role each, by row: whom they can dance with, scores and reasons follow from it."""
        users = (msgspec.structs.replace(self.community.user(row), roles=role) for row, role in enumerate(roles))
        loaded = dataclasses.replace(self.loaded, community=Community(users), warnings=self.warnings)
        return Case(loaded, self.recipe)

    def row(self, name: str) -> int:
        """The row of an id. Raises `UsageError` with the nearest ids, and says so when a name was given."""
        found = self.community.rows.get(name)
        if found is not None:
            return found
        for skipped in self.skipped:
            if skipped.id == name:
                raise UsageError(f"'{name}' was left out: {skipped.why}", hint="change the file to have them in")
        raise UsageError(f"there is nobody with the id '{name}'", hint=self._near(name))

    def _near(self, name: str) -> str:
        if not self.community.ids:
            return "there is nobody in the file"
        wanted = name.casefold()
        named = [row for row, called in enumerate(self.community.names) if called and called.casefold() == wanted]
        if named:
            ids = ", ".join(self.community.ids[row] for row in named[:5])
            return f"that is a name; the id is: {ids}"
        from rapidfuzz import process  # thousands of ids in the time that difflib needs for a few

        near = [found[0] for found in process.extract(name, self.community.ids, limit=3, score_cutoff=60)]
        near += [
            f"{self.community.ids[row]} ({self.community.names[row]})"
            for row, called in enumerate(self.community.names)
            if called and called.casefold().startswith(f"{wanted} ")
        ][:3]
        return f"the nearest: {', '.join(near)}" if near else f"ids look like this: {self.community.ids[0]}"


def coming_monday(today: dt.date) -> dt.date:
    """Today if it is a Monday, else the next one: the week whose clock changes count."""
    return today + dt.timedelta(days=-today.weekday() % 7)


def open_case(source: Path | None, how: How, *, week: dt.date, zone: str = "UTC") -> Case:
    """Read people (None: standard input) and prepare the score. Raises `InputFileError` or `UsageError`."""
    # A misspelt criterion is told before a large file is read.
    make_recipe(how.weights, how.entries, missing=how.missing, fuse=how.fuse, aggregate=how.aggregate)
    monday = week - dt.timedelta(days=week.weekday())
    return case_of(load(source, week=monday, zone=zone), how)


def case_of(loaded: Loaded, how: How) -> Case:
    """A case of people who are read already. Raises `UsageError`."""
    minutes = {} if how.session_minutes is None else {"session_minutes": how.session_minutes}
    recipe = make_recipe(
        how.weights,
        how.entries,
        missing=how.missing,
        fuse=how.fuse,
        aggregate=how.aggregate,
        strict=how.strict,
        # With nobody to dance with there is nothing to refuse: the answer is empty.
        has_history=len(loaded.community.history.values) > 0 or len(loaded.community) < 2,
        **minutes,
    )
    idle = [slot for slot in how.entries if slot in SLOTS and recipe.weight(slot) == 0]
    warnings = tuple(f"{slot} has weight 0 and changes no score; for example: --weight {slot}=0.1" for slot in idle)
    return Case(loaded, recipe, warnings)


def everyone(case: Case, k: int, searching: Searching, on_progress: Progress | None = None) -> Lists:
    """The best k of everybody, exact. Raises `UsageError`; `KeyboardInterrupt` keeps what is done."""
    n = len(case.community)
    rows = np.arange(n, dtype=np.int64)
    shaped = searching.diverse or searching.max_shown is not None
    pool = max(_POOL_FACTOR * k, _POOL_LEAST) if shaped else k
    found = _search(case, pool, None, searching, on_progress)
    if searching.max_shown is not None:
        from mrblue_cli.matcher.topk.ranking import exposure

        found = exposure(found, k, searching.max_shown)
    elif searching.diverse:
        found = _varied(case, found, k)
    return Lists(rows=rows, found=found)


def one(case: Case, name: str, k: int, searching: Searching) -> Lists:
    """The best k of one person. Raises `UsageError` for an id that is not there."""
    rows = np.array([case.row(name)], dtype=np.int64)
    pool = max(_POOL_FACTOR * k, _POOL_LEAST) if searching.diverse else k
    found = _search(case, pool, rows, searching, None)
    return Lists(rows=rows, found=_varied(case, found, k) if searching.diverse else found)


def _search(case: Case, k: int, rows: Ints | None, searching: Searching, on_progress: Progress | None) -> Found:
    from mrblue_cli.app.match_search import best

    return best(
        case.community,
        case.recipe,
        k,
        rows=rows,
        workers=searching.workers,
        engine=searching.engine,
        ray_address=searching.ray_address,
        state=searching.state,
        resume=searching.resume,
        on_finished=searching.on_finished,
        on_progress=on_progress,
    )


def _varied(case: Case, found: Found, k: int) -> Found:
    """For each person the k of the pool that fit and are not all alike."""
    from mrblue_cli.matcher.topk.ranking import mmr

    rows = np.full((len(found.rows), k), -1, dtype=np.int64)
    scores = np.full((len(found.rows), k), np.nan)
    for index in range(len(rows)):
        there = found.rows[index] >= 0
        pool, fit = found.rows[index][there], found.scores[index][there]
        chosen = mmr(fit, likeness(case, pool), k)
        chosen = chosen[chosen >= 0]
        rows[index, : len(chosen)], scores[index, : len(chosen)] = pool[chosen], fit[chosen]
    return Found(rows=rows, scores=scores)


def likeness(case: Case, rows: Ints) -> Floats:
    """[n, n] how alike candidates are, 0..100: the weighted mean of all criteria but the role, unknowns left out."""
    left, right = np.repeat(rows, len(rows)), np.tile(rows, len(rows))
    slots = [index for index, choice in enumerate(case.recipe.choices) if choice.slot != "role" and choice.weight > 0]
    if not slots or not len(rows):
        return np.zeros((len(rows), len(rows)))
    values = terms(case.community, left, right, case.recipe)[:, slots]
    weights = np.array([case.recipe.choices[index].weight for index in slots])
    known = ~np.isnan(values)
    total = (known * weights).sum(axis=1)
    alike = (np.nan_to_num(values) * weights).sum(axis=1) / np.where(total > 0, total, 1.0)
    return np.asarray(alike.reshape(len(rows), len(rows)))


def best_pairs(lists: Lists, most: int | None = None) -> Ints:
    """[pairs, 2] the pairs of all lists, each once, best first, ties by smaller ids.

    Lists of k give the best 2 k of all pairs: one that stands in neither list has k better ones on either side.
    """
    left = np.repeat(lists.rows, lists.found.rows.shape[1])
    right, scores = lists.found.rows.ravel(), lists.found.scores.ravel()
    there = right >= 0
    left, right, scores = left[there], right[there], scores[there]
    if not len(left):
        return np.empty((0, 2), dtype=np.int64)
    a, b = np.minimum(left, right), np.maximum(left, right)
    _, first = np.unique(a * (int(b.max()) + 1) + b, return_index=True)
    a, b, scores = a[first], b[first], scores[first]
    order = np.lexsort((b, a, -scores))[:most]
    return np.stack([a[order], b[order]], axis=1)


def each(pairs: Ints) -> Iterator[tuple[int, int]]:
    """The pairs one by one, a block of them at a time as Python numbers: there may be millions."""
    for start in range(0, len(pairs), _BLOCK):
        yield from ((one, other) for one, other in pairs[start : start + _BLOCK].tolist())


def explained(case: Case, first: str, second: str) -> Pair:
    """Two people, term by term, also when they cannot dance together. Raises `UsageError`."""
    one_row, other = case.row(first), case.row(second)
    if one_row == other:
        raise UsageError(f"'{first}' is asked for twice", hint="--explain takes two different ids")
    return case.pair(one_row, other)


class Algorithm(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of the catalogue, as shown."""

    name: str
    words: str
    formula: str
    source: str
    needs_history: bool
    approximate: bool
    directed: bool
    listwise: bool
    parameters: dict[str, str]


def algorithms(wanted: str | None = None) -> list[Algorithm]:
    """The catalogue, one family of it, or one entry. Raises `UsageError`."""
    everything = registry.catalogue()
    chosen = [entry for entry in everything if wanted in {None, entry.family, entry.name}]
    if not chosen:
        families = list(dict.fromkeys(entry.family for entry in everything))
        near = _nearest(wanted or "", [*families, *(entry.name for entry in everything)])
        raise UsageError(
            f"there is no algorithm and no family '{wanted}'", hint=f"{near}the families: {', '.join(families)}"
        )
    return [
        Algorithm(
            name=entry.name,
            words=entry.words,
            formula=entry.formula,
            source=entry.source,
            needs_history=entry.needs_history,
            approximate=entry.approximate,
            directed=not entry.symmetric,
            listwise=entry.listwise,
            parameters={name: f"{value:g}" if isinstance(value, float) else str(value)
                        for name, value in entry.parameters.items()},
        )
        for entry in chosen
    ]  # fmt: skip


def find_method(family: str, wanted: str) -> registry.Entry:
    """An entry by its whole name or by the word after the dot. Raises `UsageError` with the nearest."""
    known = {entry.name: entry for entry in registry.family(family)}
    full = wanted if wanted.startswith(f"{family}.") else f"{family}.{wanted}"
    if full not in known:
        what = {"pair": "pairing", "rot": "rotation"}[family]
        raise UsageError(
            f"there is no method of {what} named '{wanted}'",
            hint=f"{_nearest(full, list(known))}see: mrblue match algorithms {family}",
        )
    return known[full]


def _nearest(word: str, known: list[str]) -> str:
    import difflib

    near = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    return f"did you mean {near[0]}? " if near else ""


def partners_of(case: Case, lists: Lists, index: int) -> Iterator[Pair]:
    """One person's list with reasons; `a` is that person in each pair."""
    row = int(lists.rows[index])
    for other in lists.of(index):
        yield case.pair(row, other, first=row)
