"""A community as arrays: one row a person, ordered by id, so that fast forms work on columns. PURE.

Unknown numbers are NaN, unknown codes -1, unknown sets empty rows. Row order is the order of ids: ties break by row.
Nothing but columns is kept, so that a million people fit (see docs/benchmarks.md); `user(row)` builds a person
again.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable
from functools import cached_property
from typing import TypeVar, cast

import numpy as np
import numpy.typing as npt

from mrblue_cli.matcher.columns import Floats, Ints, NameBuilder, Ragged, RaggedBuilder, Vocabulary, Words
from mrblue_cli.matcher.model import AgeRange, Place, Role, User, Wishes

__all__ = ["Community", "Floats", "Ints", "Ragged", "Vocabulary", "Words"]
T = TypeVar("T")
_NUMBERS = (
    "leader_level",
    "follower_level",
    "lat",
    "lon",
    "age",
    "age_min",
    "age_max",
    "max_km",
    "level_min",
    "level_max",
    "lead_share",
)


class _Builder:
    """Columns while people come in, in the order in which they come."""

    def __init__(self) -> None:
        self.ids: list[str] = []
        self.names: list[str] = []
        self.roles: array[int] = array("B")
        self.numbers: dict[str, array[float]] = {name: array("d") for name in _NUMBERS}
        self.asks_age: array[int] = array("B")
        self.places = {name: array("q") for name in ("city", "country", "region", "city_key")}
        self.place_names = {name: NameBuilder() for name in self.places}
        self.style_names, self.music_names, self.id_names = NameBuilder(), NameBuilder(), NameBuilder()
        self.styles, self.hours = RaggedBuilder("q"), RaggedBuilder("q")
        self.music, self.music_weights = RaggedBuilder("q"), RaggedBuilder("d")
        self.blocked, self.partners = RaggedBuilder("q"), RaggedBuilder("q")
        self.history, self.history_counts = RaggedBuilder("q"), RaggedBuilder("d")

    def add(self, user: User) -> None:
        self.ids.append(user.id)
        self.names.append(user.name)
        self.roles.append(user.roles.value)
        self.asks_age.append(user.age_pref is not None)
        place, wishes, span = user.place, user.wishes, user.age_pref or AgeRange()
        numbers = (
            *(user.leader_level, user.follower_level, place.lat, place.lon, user.age, span.min, span.max),
            *(wishes.max_km, wishes.level_min, wishes.level_max, user.lead_share),
        )
        for name, value in zip(_NUMBERS, numbers, strict=True):
            self.numbers[name].append(np.nan if value is None else value)
        # The same city name abroad is another city: its key carries the country.
        key = f"{place.city.casefold()}|{place.country}" if place.city else ""
        for name, text in (
            ("city", place.city), ("country", place.country), ("region", place.region), ("city_key", key)
        ):  # fmt: skip
            self.places[name].append(self.place_names[name].code(text))
        self.styles.append(self.style_names.code(tag) for tag in user.styles)
        self.hours.append(minute for interval in user.hours for minute in interval)
        self.music.append(self.music_names.code(tag) for tag, _ in user.music)
        self.music_weights.append(weight for _, weight in user.music)
        self.blocked.append(self.id_names.code(other) for other in sorted(user.blocked))
        self.partners.append(self.id_names.code(other) for other in user.partners)
        self.history.append(self.id_names.code(other) for other, _ in user.history)
        self.history_counts.append(count for _, count in user.history)


class Community:
    """People as columns, ordered by id."""

    def __init__(self, users: Iterable[User]) -> None:
        """Order of input does not matter. `users` is read once. Raises `ValueError` for an id that comes twice."""
        self._derived: dict[object, object] = {}
        made = _Builder()
        for user in users:
            made.add(user)
        order = np.array(sorted(range(len(made.ids)), key=made.ids.__getitem__), dtype=np.int64)
        self.ids: list[str] = [made.ids[index] for index in order]
        self.names: list[str] = [made.names[index] for index in order]
        if len(self.rows) != len(self.ids):
            raise ValueError("an id comes twice")
        self.roles: npt.NDArray[np.uint8] = np.array(made.roles, dtype=np.uint8)[order]
        """[n] 1 leader, 2 follower, 3 both."""
        self._numbers = {name: np.array(column, dtype=np.float64)[order] for name, column in made.numbers.items()}
        self.asks_age: npt.NDArray[np.bool_] = np.array(made.asks_age, dtype=np.bool_)[order]
        """[n] whether an age range was wished for, open ends included."""
        self._place_of(made, order)
        self.style_names, codes = made.style_names.done()
        self.style_tags: Ragged = made.styles.done().remapped(codes).take(order)
        """Codes of each person's style tags, ascending; empty: unknown."""
        self.music_names, codes = made.music_names.done()
        # Tags come sorted by name, and codes follow the order of names: a remapped row keeps its order and its weights.
        self.music_tags: Ragged = made.music.done().remapped(codes).take(order)
        """Codes of each person's music tags, ascending; empty: unknown."""
        self.music_weights: Ragged = made.music_weights.done().take(order)
        """Their weights, in the same order."""
        self.hours: Ragged = made.hours.done().take(order)
        """Free UTC minutes of the week: start, end, start, end, … ascending; empty: unknown."""
        names, codes = made.id_names.done()
        # Ids that are not here stay in the vocabulary but name no row.
        rows = np.array([self.rows.get(name, -1) for name in names.names] + [-1], dtype=np.int64)
        self.blocked: Ragged = _present(made.blocked.done(), rows[codes]).take(order)
        """Rows of the people that each one does not want to dance with."""
        self.partners: Ragged = _present(made.partners.done(), rows[codes]).take(order)
        """Rows of each person's partners."""
        history, counts = made.history.done(), made.history_counts.done()
        self.history: Ragged = _present(history, rows[codes]).take(order)
        """Rows of the people that each one danced with, ascending."""
        self.history_counts: Ragged = _present(history, rows[codes], counts).take(order)
        """How many times, in the same order."""

    def _place_of(self, made: _Builder, order: Ints) -> None:
        columns: dict[str, Ints] = {}
        vocabularies: dict[str, Vocabulary] = {}
        for name, column in made.places.items():
            vocabularies[name], codes = made.place_names[name].done()
            columns[name] = codes[np.array(column, dtype=np.int64)][order]
        self.city_names, self.country_names = vocabularies["city"], vocabularies["country"]
        self.region_names = vocabularies["region"]
        self._city_text = columns["city"]
        self.city: Ints = columns["city_key"]
        """[n] code of the city together with its country, -1 unknown. Equal codes: same name, same country."""
        self.country: Ints = columns["country"]
        """[n] code of the country, -1 unknown."""
        self.region: Ints = columns["region"]
        """[n] code of the region's name, -1 unknown."""

    def __len__(self) -> int:
        """How many people."""
        return len(self.ids)

    def derived(self, key: object, make: Callable[[], T]) -> T:
        """What was computed from this community before under `key`, else `make()`, kept (counts, graphs, indexes)."""
        if key not in self._derived:
            self._derived[key] = make()
        return cast("T", self._derived[key])

    @cached_property
    def rows(self) -> dict[str, int]:
        """Row of each id."""
        return {name: row for row, name in enumerate(self.ids)}

    def number(self, name: str) -> Floats:
        """[n] one of: leader_level, follower_level, lat, lon, age, age_min, age_max, max_km, level_min, level_max,
        lead_share; NaN unknown."""
        return self._numbers[name]

    @property
    def leader_level(self) -> Floats:
        """[n] 1..10, NaN unknown."""
        return self._numbers["leader_level"]

    @property
    def follower_level(self) -> Floats:
        """[n] 1..10, NaN unknown."""
        return self._numbers["follower_level"]

    @property
    def lat(self) -> Floats:
        """[n] degrees, NaN unknown."""
        return self._numbers["lat"]

    @property
    def lon(self) -> Floats:
        """[n] degrees, NaN unknown."""
        return self._numbers["lon"]

    @property
    def age(self) -> Floats:
        """[n] years, NaN unknown."""
        return self._numbers["age"]

    @cached_property
    def styles(self) -> Words:
        """[n, words] style tags as bits; all zero: unknown."""
        return self.style_tags.bits(len(self.style_names))

    @cached_property
    def music(self) -> Words:
        """[n, words] music tags as bits; all zero: unknown."""
        return self.music_tags.bits(len(self.music_names))

    def user(self, row: int) -> User:
        """The person of a row. Ids that nobody here has are gone from `blocked`, `partners` and `history`."""
        value = {name: None if np.isnan(column[row]) else float(column[row]) for name, column in self._numbers.items()}
        minutes = self.hours.row(row).tolist()
        music = zip(self.music_tags.row(row).tolist(), self.music_weights.row(row).tolist(), strict=True)
        history = zip(self.history.row(row).tolist(), self.history_counts.row(row).tolist(), strict=True)
        return User(
            id=self.ids[row],
            name=self.names[row],
            roles=Role(int(self.roles[row])),
            leader_level=value["leader_level"],
            follower_level=value["follower_level"],
            place=Place(
                lat=value["lat"],
                lon=value["lon"],
                city=self.city_names.name(int(self._city_text[row])),
                country=self.country_names.name(int(self.country[row])),
                region=self.region_names.name(int(self.region[row])),
            ),
            styles=tuple(self.style_names.names[code] for code in self.style_tags.row(row).tolist()),
            music=tuple((self.music_names.names[code], weight) for code, weight in music),
            hours=tuple(zip(minutes[::2], minutes[1::2], strict=True)),
            age=value["age"],
            age_pref=AgeRange(min=value["age_min"], max=value["age_max"]) if self.asks_age[row] else None,
            wishes=Wishes(max_km=value["max_km"], level_min=value["level_min"], level_max=value["level_max"]),
            blocked=frozenset(self.ids[other] for other in self.blocked.row(row).tolist()),
            partners=tuple(self.ids[other] for other in self.partners.row(row).tolist()),
            history=tuple((self.ids[other], count) for other, count in history),
            lead_share=value["lead_share"],
        )


def _present(ragged: Ragged, rows: Ints, values: Ragged | None = None) -> Ragged:
    """Codes turned into rows of people, those of nobody left out, ascending; or `values` chosen and ordered
    likewise."""
    mapped = rows[ragged.values.astype(np.int64)] if len(ragged.values) else ragged.values.astype(np.int64)
    owner = np.repeat(np.arange(len(ragged.start) - 1), ragged.sizes)
    order = np.lexsort((mapped, owner))
    order = order[mapped[order] >= 0]
    start = np.zeros(len(ragged.start), dtype=np.int64)
    np.cumsum(np.bincount(owner[order], minlength=len(start) - 1), out=start[1:])
    return Ragged(start, (mapped if values is None else values.values)[order])
