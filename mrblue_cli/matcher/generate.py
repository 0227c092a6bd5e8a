"""Tango communities that look real, for tests, demos and measurements. PURE: all chance comes from the seed.

People come in blocks, each from a generator of its own (seed, block): a person depends on the seed and on the number
of the person, not on how many are asked for. A small community lives in one city; more cities join as it grows, until
their sizes fall off like those of real scenes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from mrblue_cli.core.errors import UsageError
from mrblue_cli.matcher.generate_places import CITIES, City

BLOCK = 2048
"""People drawn at once; even, so that couples stay together."""
PEOPLE_PER_NEW_CITY = 120
_KM_PER_DEGREE = 111.195
_NAMES = (
    "Ana", "Lucía", "Sofía", "Martín", "Diego", "Carlos", "Valentina", "Camila", "Julián", "Mateo", "Elena", "Laura",
    "Marco", "Giulia", "Chiara", "Luca", "Francesca", "Paolo", "Anna", "Lena", "Jonas", "Felix", "Katharina", "Uwe",
    "Sabine", "Thomas", "Petra", "Jan", "Claire", "Camille", "Antoine", "Julien", "Hélène", "Luc", "Ayşe", "Elif",
    "Mehmet", "Emre", "Deniz", "Zeynep", "Olga", "Natalia", "Dmitri", "Ivan", "Katya", "Piotr", "Agnieszka", "Ewa",
    "Tomasz", "Maria", "Nikos", "Eleni", "Yannis", "Min-jun", "Seo-yeon", "Ji-woo", "Haruto", "Yuki", "Aiko", "Kenji",
    "Wei", "Li", "Mei", "James", "Emma", "Oliver", "Grace", "Michael", "Sarah", "David", "Rachel", "Erik", "Astrid",
    "Lars", "Ingrid", "Mikko", "Aino", "Rui", "Inês", "João", "Beatriz", "Radu", "Ioana", "Zsófia", "Gábor", "Noa",
    "Yael", "Tomás", "Renata", "Alejandro", "Pilar", "Ignacio", "Rosa", "Ahmed", "Leila", "Priya", "Samir", "Nadia",
)  # fmt: skip
_STYLES = {
    "salon": 9.0, "milonguero": 7.0, "vals": 6.0, "milonga": 6.0, "nuevo": 3.0, "canyengue": 1.0, "orillero": 0.5,
    "fantasia": 0.6, "queer": 1.2, "candombe": 0.5,
}  # fmt: skip
_MUSIC = {
    "di sarli": 8.0, "d'arienzo": 8.0, "pugliese": 7.0, "troilo": 7.0, "canaro": 5.0, "caló": 4.5, "tanturi": 4.5,
    "biagi": 4.0, "fresedo": 4.0, "laurenz": 3.0, "de angelis": 3.0, "demare": 2.5, "rodríguez": 2.5, "malerba": 1.5,
    "piazzolla": 2.0, "otv": 2.0, "donato": 2.5, "1930s": 2.0, "1940s": 3.0, "castillo": 1.5, "berón": 1.5,
}  # fmt: skip
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_SLOTS = (("19:00", "22:00"), ("20:00", "23:30"), ("18:30", "21:00"), ("21:00", "01:30"), ("15:00", "18:00"))
_ROLES = (["follower"], ["leader"], ["leader", "follower"])
_ROLE_SHARES = (0.45, 0.40, 0.15)
_LEAVES_OUT = {
    "level": 0.12, "coordinates": 0.12, "place": 0.03, "styles": 0.10, "music": 0.35, "hours": 0.25, "age": 0.45,
    "age_pref": 0.55, "wishes": 0.92, "blocked": 0.99, "history": 0.90, "share": 0.6, "couple": 0.86,
    "second_level": 0.25, "tz": 0.02,
}  # fmt: skip
_INACTIVE = 0.02
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


def people(count: int, seed: int) -> Iterator[dict[str, Any]]:
    """Records of `count` people as they stand in users.json, one after the other. Raises `UsageError`.

    The first n are the same whatever `count` is, but for a couple that `count` cuts apart.
    """
    if count < 0:
        raise UsageError(f"{count} people cannot be made", hint="ask for 0 or more")
    if seed < 0:
        raise UsageError(f"{seed} is no seed", hint="seeds are 0 or more")
    cities = _Cities(seed)
    for start in range(0, count, BLOCK):
        yield from _block(cities, seed, start, min(BLOCK, count - start))


class _Cities:
    """In which order cities join, and how people fall on those that are there."""

    def __init__(self, seed: int) -> None:
        chance = np.random.default_rng([seed, 0])
        sizes = np.array([city.dancers for city in CITIES], dtype=np.float64)
        # Larger scenes tend to join sooner: exponential arrival times with rates by size.
        self.order: Ints = np.argsort(chance.exponential(1.0, len(CITIES)) / sizes)
        self.shares = np.cumsum(sizes[self.order])
        # Evenings on which practicas are held, by city.
        self.evenings: Ints = np.argsort(chance.random((len(CITIES), len(_DAYS))), axis=1)[:, :4]

    def draw(self, chance: np.random.Generator, numbers: Ints) -> Ints:
        """[n] city of each person by number."""
        there = np.minimum(numbers // PEOPLE_PER_NEW_CITY, len(CITIES) - 1)
        return np.asarray(
            self.order[np.searchsorted(self.shares, chance.random(len(numbers)) * self.shares[there], side="right")]
        )


class _Draws:
    """All chance of one block, as columns."""

    def __init__(self, cities: _Cities, seed: int, start: int) -> None:
        chance = np.random.default_rng([seed, 1, start // BLOCK])
        n = BLOCK
        numbers = np.arange(start, start + n, dtype=np.int64)
        # Couples are neighbours by number: the second of each two lives where the first does if they are one.
        couple = np.repeat(chance.random(n // 2) > _LEAVES_OUT["couple"], 2)
        city = cities.draw(chance, numbers)
        city[1::2] = np.where(couple[1::2], city[::2], city[1::2])
        self.couple: list[bool] = couple.tolist()
        self.city: list[int] = city.tolist()
        self.given = {name: (chance.random(n) > share).tolist() for name, share in _LEAVES_OUT.items()}
        self.active: list[bool] = (chance.random(n) > _INACTIVE).tolist()
        role = np.searchsorted(np.cumsum(_ROLE_SHARES), chance.random(n), side="right").clip(0, 2)
        # One of a couple leads, the other follows, unless they dance both.
        swap = couple[1::2] & (role[::2] < 2) & (role[1::2] < 2)
        role[1::2] = np.where(swap, 1 - role[::2], role[1::2])
        self.role: list[int] = role.tolist()
        self.name: list[int] = chance.integers(0, len(_NAMES), n).tolist()
        self.initial: list[int] = chance.integers(0, 26, n).tolist()
        self._levels(chance, n)
        self._places(chance, city)
        self._tastes(chance, n)
        self.evening: list[list[int]] = np.argsort(chance.random((n, 4)), axis=1).tolist()
        self.slots: list[list[int]] = chance.choice(len(_SLOTS), (n, 4), p=[0.4, 0.3, 0.15, 0.1, 0.05]).tolist()
        self.nights: list[int] = chance.choice([1, 2, 3, 4], n, p=[0.3, 0.4, 0.2, 0.1]).tolist()
        age = (18 + chance.gamma(4.5, 6.2, n)).clip(18, 88).round()
        self.age: list[int] = age.astype(np.int64).tolist()
        self.younger: list[int] = chance.integers(4, 18, n).tolist()
        self.older: list[int] = chance.integers(4, 18, n).tolist()
        self.wish: list[list[float]] = chance.random((n, 3)).tolist()
        self.others: Floats = chance.random((n, 4))
        self.share: list[float] = chance.beta(2.5, 2.5, n).round(2).tolist()

    def _levels(self, chance: np.random.Generator, n: int) -> None:
        years = chance.exponential(6.0, n)
        level = _half_steps(1.0 + 3.0 * np.log1p(years) + chance.normal(0, 0.6, n))
        other = _half_steps(level - 0.5 - chance.exponential(1.5, n))
        self.level: list[float] = level.tolist()
        self.other_level: list[float] = other.tolist()

    def _places(self, chance: np.random.Generator, city: Ints) -> None:
        n = len(city)
        km = np.array([place.spread_km for place in CITIES])[city] * chance.gamma(2.0, 0.55, n)
        angle = chance.random(n) * 2 * np.pi
        lat = np.array([place.lat for place in CITIES])[city]
        lon = np.array([place.lon for place in CITIES])[city]
        # A couple shares one address.
        km[1::2], angle[1::2] = (
            np.where(self.couple[1::2], one[::2], one[1::2]) for one in (km, angle)
        )  # fmt: skip
        self.lat: list[float] = (lat + km * np.cos(angle) / _KM_PER_DEGREE).round(4).tolist()
        self.lon: list[float] = (
            (lon + km * np.sin(angle) / (_KM_PER_DEGREE * np.cos(np.radians(lat)))).round(4).tolist()
        )

    def _tastes(self, chance: np.random.Generator, n: int) -> None:
        self.styles: list[list[int]] = _ranked(chance, n, list(_STYLES.values())).tolist()
        self.style_count: list[int] = chance.choice([1, 2, 3, 4], n, p=[0.2, 0.35, 0.3, 0.15]).tolist()
        self.music: list[list[int]] = _ranked(chance, n, list(_MUSIC.values()))[:, :6].tolist()
        self.music_count: list[int] = chance.integers(1, 7, n).tolist()
        self.weighs: list[bool] = (chance.random(n) < 0.5).tolist()
        self.weight: list[list[int]] = chance.integers(1, 6, (n, 6)).tolist()


def _ranked(chance: np.random.Generator, n: int, weights: list[float]) -> Ints:
    """[n, tags] tags in a random order in which popular ones tend to come first (exponential arrival times)."""
    return np.asarray(np.argsort(chance.exponential(1.0, (n, len(weights))) / np.array(weights), axis=1))


def _half_steps(level: Floats) -> Floats:
    return np.asarray((level * 2).round() / 2).clip(1.0, 10.0)


def _block(cities: _Cities, seed: int, start: int, count: int) -> Iterator[dict[str, Any]]:
    draws = _Draws(cities, seed, start)
    neighbours: dict[int, list[int]] = {}
    for index in range(count):
        city = CITIES[draws.city[index]]
        given = {name: column[index] for name, column in draws.given.items()}
        found: dict[str, Any] = {
            "id": f"u{start + index:06d}",
            "name": f"{_NAMES[draws.name[index]]} {chr(65 + draws.initial[index])}.",
            "roles": list(_ROLES[draws.role[index]]),
        }
        _say_levels(found, draws, index, given)
        _say_place(found, draws, index, given, city)
        _say_tastes(found, draws, index, given)
        if given["hours"]:
            evenings, nights = cities.evenings[draws.city[index]], draws.nights[index]
            found["availability"] = [
                {"day": _DAYS[evenings[at]], "start": _SLOTS[slot][0], "end": _SLOTS[slot][1]}
                for at, slot in zip(draws.evening[index][:nights], draws.slots[index], strict=False)
            ]
            if given["tz"]:
                found["tz"] = city.tz
        _say_wishes(found, draws, index, given)
        before = neighbours.setdefault(draws.city[index], [])
        _say_others(found, draws, index, given, start, count, before)
        before.append(index)
        if not draws.active[index]:
            found["active"] = False
        yield found


def _say_levels(found: dict[str, Any], draws: _Draws, index: int, given: dict[str, bool]) -> None:
    role = draws.role[index]
    if given["level"]:
        found["follower_level" if role == 0 else "leader_level"] = draws.level[index]
        if role == 2 and given["second_level"]:
            found["follower_level"] = draws.other_level[index]
    if role == 2 and given["share"]:
        found["lead_share"] = draws.share[index]


def _say_place(found: dict[str, Any], draws: _Draws, index: int, given: dict[str, bool], city: City) -> None:
    if not given["place"]:
        return
    place: dict[str, Any] = {"city": city.name, "country": city.country, "region": city.region}
    if given["coordinates"]:
        place |= {"lat": draws.lat[index], "lon": draws.lon[index]}
    found["location"] = place


def _say_tastes(found: dict[str, Any], draws: _Draws, index: int, given: dict[str, bool]) -> None:
    if given["styles"]:
        found["styles"] = [_STYLE_NAMES[tag] for tag in draws.styles[index][: draws.style_count[index]]]
    if given["music"]:
        tags = [_MUSIC_NAMES[tag] for tag in draws.music[index][: draws.music_count[index]]]
        weighed = draws.weighs[index]
        found["music"] = dict(zip(tags, draws.weight[index], strict=False)) if weighed else tags


def _say_wishes(found: dict[str, Any], draws: _Draws, index: int, given: dict[str, bool]) -> None:
    if given["age"]:
        age = found["age"] = draws.age[index]
        if given["age_pref"]:
            found["age_pref"] = {
                "min": max(18, age - draws.younger[index]),
                "max": min(120, age + draws.older[index]),
            }
    if given["wishes"]:
        far, low, both = draws.wish[index]
        wishes: dict[str, Any] = {"max_km": 5 * round(2 + 10 * far)} if far < 0.6 or both < 0.5 else {}
        if far >= 0.6:
            wishes["level_min"] = 1 + round(6 * low)
        found["wishes"] = wishes


def _say_others(
    found: dict[str, Any],
    draws: _Draws,
    index: int,
    given: dict[str, bool],
    start: int,
    count: int,
    before: list[int],
) -> None:
    """Whom this person knows. But for couples these are people who came before, in the same city."""
    other = index ^ 1
    if draws.couple[index] and other < count:
        found["partners"] = [f"u{start + other:06d}"]
    history: dict[str, int] = {}
    if before and (given["history"] or given["blocked"]):
        drawn = draws.others[index].tolist()
        chosen = [before[int(share * len(before))] for share in drawn[:3]]
        if given["history"]:
            history = {f"u{start + one:06d}": 1 + int(9 * drawn[3] ** 3) for one in chosen}
        if given["blocked"]:
            unwanted = [one for one in chosen[:1] if one != other]
            if unwanted:
                found["blocked"] = [f"u{start + unwanted[0]:06d}"]
    if history:
        found["history"] = history


_STYLE_NAMES, _MUSIC_NAMES = tuple(_STYLES), tuple(_MUSIC)
