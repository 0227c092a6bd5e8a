"""What really helped on this machine: counts per solution, as Beta posteriors over the editor's prior.

A prior of 90 % counts like `PRIOR_STRENGTH` earlier cases of which 90 % went well: Beta(0.9 n, 0.1 n). Each report adds
one to its side (conjugate update; Gelman et al., Bayesian Data Analysis, section 2.4).
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from mrblue_cli.core.errors import ConfigError
from mrblue_cli.knowledge.model import Hit, Risk, SearchResult, Solution

PRIOR_STRENGTH = 8.0
_NEAR = 0.05
_SCHEMA = """
CREATE TABLE IF NOT EXISTS reports (
  id INTEGER PRIMARY KEY, entry TEXT NOT NULL, solution TEXT NOT NULL, worked INTEGER NOT NULL, at REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS reports_entry ON reports (entry);
"""


@dataclass(frozen=True, slots=True)
class Tally:
    """Reports about one solution."""

    worked: int = 0
    failed: int = 0

    @property
    def total(self) -> int:
        """How many there are."""
        return self.worked + self.failed

    def rate(self, prior: int) -> float:
        """The posterior mean in percent, from the editor's prior in percent."""
        worked = PRIOR_STRENGTH * prior / 100.0 + self.worked
        return 100.0 * worked / (PRIOR_STRENGTH + self.total)


Tallies = Mapping[tuple[str, str], Tally]
"""(entry id, solution title as in the entry) to its reports."""


class FeedbackStore:
    """A small SQLite file in the user's data folder; write-ahead log, so that a killed process loses nothing."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def add(self, entry: str, solution: str, *, worked: bool, now: float | None = None) -> None:
        """Keep one report; raises `ConfigError` when the file cannot be written."""
        with self._open() as base:
            base.execute(
                "INSERT INTO reports (entry, solution, worked, at) VALUES (?, ?, ?, ?)",
                (entry, solution, int(worked), time.time() if now is None else now),
            )

    def tallies(self, entries: tuple[str, ...] | None = None) -> dict[tuple[str, str], Tally]:
        """The counts of these entries, or of all. Nothing when there is no file yet."""
        if not self._path.exists():
            return {}
        query = "SELECT entry, solution, SUM(worked), COUNT(*) FROM reports"
        if entries is not None:
            query += f" WHERE entry IN ({','.join('?' * len(entries))})"
        with self._open() as base:
            rows = base.execute(f"{query} GROUP BY entry, solution", entries or ()).fetchall()
        return {(entry, solution): Tally(int(worked), int(total - worked)) for entry, solution, worked, total in rows}

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with closing(sqlite3.connect(self._path, timeout=5.0)) as base:
                base.execute("PRAGMA journal_mode=WAL")
                base.executescript(_SCHEMA)
                with base:
                    yield base
        except (sqlite3.Error, OSError) as error:
            raise ConfigError(
                f"{self._path}: the record of what helped cannot be used: {error}",
                hint="check its permissions and the space there, or move the file away to begin anew",
            ) from None


def apply(result: SearchResult, tallies: Tallies) -> SearchResult:
    """The result with solutions ranked by what is known of them here, and near ties between hits settled by it."""
    if not tallies:
        return result
    hits = [_ranked(hit, tallies) for hit in result.hits]
    for place in range(len(hits) - 1, 0, -1):
        first, second = hits[place - 1], hits[place]
        # Only hits that both go as right: a doubtful one does not become the answer by having helped elsewhere.
        near = first.confidence - second.confidence <= _NEAR and second.confidence >= 0.5
        if near and _shift(second, tallies) > _shift(first, tallies) + 5.0:
            hits[place - 1 : place + 1] = [
                second._replace(confidence=first.confidence), first._replace(confidence=second.confidence),
            ]  # fmt: skip
    return result._replace(hits=tuple(hits))


def tally_of(hit: Hit, solution: Solution, tallies: Tallies) -> Tally:
    """What is known of a solution of a hit."""
    return tallies.get((hit.entry.id, solution.title), Tally())


def _ranked(hit: Hit, tallies: Tallies) -> Hit:
    rated = [
        item._replace(success_rate=round(tally_of(hit, item, tallies).rate(item.success_rate)))
        for item in hit.solutions
    ]
    priors = {item.title: place for place, item in enumerate(hit.solutions)}
    known = any(tally_of(hit, item, tallies).total for item in hit.solutions)
    if known:
        rated.sort(key=lambda item: (item.risk is Risk.DESTRUCTIVE, -item.success_rate, priors[item.title]))
    return hit._replace(solutions=tuple(rated))


def _shift(hit: Hit, tallies: Tallies) -> float:
    """How many percent the entry's best way out gained or lost by what was reported."""
    shifts = [
        tally_of(hit, item, tallies).rate(item.success_rate) - item.success_rate
        for item in hit.entry.solutions
        if tally_of(hit, item, tallies).total
    ]
    return max(shifts, default=0.0)
