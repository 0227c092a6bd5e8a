"""People as hypothesis draws them: few distinct values, so that ties come up; gaps everywhere; corners of the globe."""

from __future__ import annotations

import msgspec
from hypothesis import strategies as st

from mrblue_cli.matcher.compiled import Community
from mrblue_cli.matcher.model import AgeRange, Place, Role, User, Wishes

LEVELS = (None, 1.0, 2.0, 4.5, 5.0, 5.5, 6.0, 8.0, 10.0)
STYLES = ("milonga", "nuevo", "salon", "tango milonguero", "tango vals", "vals")
MUSIC = ("1930s", "1940s", "biagi", "d'arienzo", "di sarli", "pugliese", "troilo")
PLACES = (
    Place(),
    Place(city="Berlin", country="DE"),
    Place(city="berlin", country="DE", region="Berlin"),
    Place(city="Paris", country="FR", region="Île-de-France"),
    Place(city="Paris", country="US", region="Texas"),
    Place(city="Paris"),
    Place(country="FR"),
    Place(lat=52.52, lon=13.405, city="Berlin", country="DE"),
    Place(lat=52.52, lon=13.405),
    Place(lat=52.5215, lon=13.4113, city="Berlin", country="DE"),
    Place(lat=52.3906, lon=13.0645, city="Potsdam", country="DE", region="Brandenburg"),
    Place(lat=48.8566, lon=2.3522, city="Paris", country="FR"),
    Place(lat=-34.6037, lon=-58.3816, city="Buenos Aires", country="AR"),
    Place(lat=-34.5886, lon=-58.4306, city="Buenos Aires", country="AR"),
    Place(lat=90.0, lon=0.0),
    Place(lat=90.0, lon=135.0),
    Place(lat=-90.0, lon=-45.0),
    Place(lat=0.0, lon=0.0),
    Place(lat=0.0, lon=180.0),
    Place(lat=0.3, lon=179.8),
    Place(lat=-17.0, lon=179.99, country="FJ"),
    Place(lat=-17.0, lon=-179.99, country="FJ"),
)
HOURS = (
    (),
    ((0, 90),),
    ((0, 60), (90, 150)),
    ((60, 300),),
    ((1140, 1380),),
    ((1200, 1320), (4080, 4200)),
    ((0, 30), (60, 90), (120, 150)),
    ((0, 10080),),
    ((9900, 10080),),
)
AGES = (None, 18.0, 30.0, 30.5, 40.0, 120.0)
SPANS = (
    *(None, AgeRange(), AgeRange(min=25.0), AgeRange(max=39.0), AgeRange(min=25.0, max=40.0)),
    *(AgeRange(min=30.0, max=30.0), AgeRange(min=18.0, max=120.0)),
)
WISHES = (
    *(Wishes(), Wishes(), Wishes(max_km=10.0), Wishes(level_min=5.0), Wishes(level_max=4.5)),
    Wishes(max_km=0.0, level_min=2.0, level_max=6.0),
)
SHARES = (None, 0.0, 0.25, 0.5, 0.9, 1.0)
WEIGHTS = (0.5, 1.0, 1.0, 3.0)


def _tags(names, most=4):
    return st.lists(st.sampled_from(names), max_size=most, unique=True).map(sorted).map(tuple)


def places():
    """Named places, corners of the globe, and anywhere."""
    anywhere = st.builds(Place, lat=st.floats(-90, 90), lon=st.floats(-180, 180))
    return st.one_of(st.sampled_from(PLACES), st.sampled_from(PLACES), anywhere)


@st.composite
def users(draw, name="a", *, complete=False):
    """One person with no tie to anybody. `complete`: everything that the baseline asks for is known."""
    role = draw(st.sampled_from(list(Role)))
    level = st.sampled_from(LEVELS[1:] if complete else LEVELS)
    music = draw(_tags(MUSIC))
    return User(
        id=name,
        name=draw(st.sampled_from(("", name.upper()))),
        roles=role,
        leader_level=draw(level) if Role.LEADER in role else None,
        follower_level=draw(level) if Role.FOLLOWER in role else None,
        place=draw(places().filter(lambda place: place.lat is not None or place.country) if complete else places()),
        styles=draw(_tags(STYLES).filter(bool) if complete else _tags(STYLES)),
        music=tuple(zip(music, draw(st.tuples(*[st.sampled_from(WEIGHTS)] * len(music))), strict=True)),
        hours=draw(st.sampled_from(HOURS[1:] if complete else HOURS)),
        age=draw(st.sampled_from(AGES)),
        age_pref=draw(st.sampled_from(SPANS)),
        wishes=draw(st.sampled_from(WISHES)),
        lead_share=draw(st.sampled_from(SHARES)) if role is Role.BOTH else None,
    )


@st.composite
def people(draw, min_size=0, max_size=8, *, complete=False):
    """A list of people in no order, with who danced with whom, partners and blocked ones, some of them not there."""
    size = draw(st.integers(min_size, max_size))
    # p10 comes before p2: the order of ids is not that of numbers.
    names = [f"p{number}" for number in draw(st.permutations(range(size)))]
    known = [*names, "gone"]
    few = st.lists(st.sampled_from(known), max_size=2, unique=True)
    made = []
    for name in names:
        person = draw(users(name, complete=complete))
        danced = sorted(set(draw(few)) - {name})
        made.append(
            msgspec.structs.replace(
                person,
                blocked=frozenset(set(draw(few)) - {name}) if draw(st.integers(0, 3)) == 0 else frozenset(),
                partners=tuple(sorted(set(draw(few)) - {name})) if draw(st.integers(0, 3)) == 0 else (),
                history=tuple((other, float(draw(st.sampled_from((1, 1, 2, 5))))) for other in danced),
            )
        )
    return made


def communities(min_size=0, max_size=8, *, complete=False):
    """The same, compiled."""
    return people(min_size, max_size, complete=complete).map(Community)
