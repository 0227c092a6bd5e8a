"""Communities for the tests of exact top-k: of any size, of few different values, so that scores tie all the time."""

from __future__ import annotations

import msgspec
import numpy as np

from mrblue_cli.matcher.compiled import Community
from mrblue_cli.matcher.model import AgeRange, Place, Role, User, Wishes
from tests.matcher.strategies import HOURS, MUSIC, PLACES, STYLES, WEIGHTS, WISHES

LEVELS = (None, 1.0, 4.5, 5.0, 5.5, 6.0, 8.0)
SPANS = (None, AgeRange(), AgeRange(min=25.0, max=40.0), AgeRange(max=35.0))


def crowd(n, seed=0, *, styles=STYLES, spread_km=30.0):
    """People by chance: half of them in a cloud around Berlin, the rest in places that many share."""
    chance = np.random.default_rng(seed)

    def pick(values, most=None):
        if most is None:
            return values[int(chance.integers(len(values)))]
        return tuple(sorted(chance.choice(values, int(chance.integers(most + 1)), replace=False).tolist()))

    def somewhere():
        if chance.random() < 0.5:
            return pick(PLACES)
        north, east = chance.normal(0, spread_km / 111, 2).tolist()
        return Place(lat=52.52 + north, lon=13.4 + 1.6 * east, city="Berlin", country="DE")

    def somebody(number):
        role = Role(int(chance.integers(1, 4)))
        return User(
            id=f"p{number}",
            roles=role,
            leader_level=pick(LEVELS) if Role.LEADER in role else None,
            follower_level=pick(LEVELS) if Role.FOLLOWER in role else None,
            place=somewhere(),
            styles=pick(styles, 4),
            music=tuple((tag, pick(WEIGHTS)) for tag in pick(MUSIC, 3)),
            hours=pick(HOURS),
            age=pick((None, 30.0, 45.0)),
            age_pref=pick(SPANS),
            wishes=pick((Wishes(), *WISHES)),
            blocked=frozenset(f"p{int(other)}" for other in chance.integers(0, n, 2)) if chance.random() < 0.2 else (),
        )

    return Community(somebody(number) for number in range(n))


def twins(n, one, other=None):
    """n people all the same, or by turns like one and like another."""
    kinds = (one, other or one)
    return Community(msgspec.structs.replace(kinds[number % 2], id=f"p{number:06d}") for number in range(n))
