"""The walk over the catalogue: each entry of each family keeps what an entry promises.

A family that has no entries yet is passed over, so that its tests begin with its first entry; the last test counts.
"""

from __future__ import annotations

import inspect
import warnings

import msgspec
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mrblue_cli.core.errors import UsageError
from mrblue_cli.matcher import registry
from mrblue_cli.matcher.compiled import Community
from mrblue_cli.matcher.criteria.base import Score
from mrblue_cli.matcher.criteria.role import can_lead
from mrblue_cli.matcher.model import AgeRange, Place, Role, User
from mrblue_cli.matcher.pairing.base import Floor, Matching
from mrblue_cli.matcher.recipe import make_recipe
from mrblue_cli.matcher.rotation.base import Rotation
from mrblue_cli.matcher.topk.base import Found
from tests.matcher.strategies import HOURS, STYLES, people

CATALOGUE = """
role.orient project | role.chance project
level.table project | level.linear Gower 1971 | level.gauss Scholkopf & Smola 2002 | level.laplace Shepard 1987
level.epan Epanechnikov 1969 | level.elo Elo 1978 | level.trueskill Herbrich et al. 2006 | level.stretch Vygotsky 1978
geo.half Sinnott 1984 | geo.gauss Ingram 1971 | geo.power Hansen 1959 | geo.geodesic Vincenty 1975
geo.cell Sahr et al. 2003 | geo.admin Wu & Palmer 1994
set.jaccard Jaccard 1912 | set.dice Dice 1945 | set.overlap Simpson 1943 | set.ochiai Ochiai 1957
set.kulczynski Kulczynski 1927 | set.tversky Tversky 1977 | set.smc Sokal & Michener 1958
set.tfidf Salton & Buckley 1988 | set.soft Sidorov et al. 2014 | set.minhash ~ Broder 1997
taste.cosine Salton et al. 1975 | taste.ruzicka Ruzicka 1958 | taste.pearson Resnick et al. 1994
taste.kendall Kendall 1938 | taste.rbo Webber et al. 2010 | taste.bhatta Bhattacharyya 1943 | taste.jsd Lin 1991
taste.emd Rubner et al. 2000
time.enough project | time.slots Allen 1983 | age.window project | age.trapezoid Zadeh 1965
pref.recon H Pizzato et al. 2010
mix.gower Gower 1971 | mix.heom Wilson & Martinez 1997 | mix.mahalanobis Mahalanobis 1936
hist.adamic H Adamic & Adar 2003 | hist.walk H Tong et al. 2006 | hist.simrank H Jeh & Widom 2002
hist.rcf H Xia et al. 2015 | hist.lfrr H Neve & Palomares 2019
agg.mean Keeney & Raiffa 1976 | agg.geo Aczel & Saaty 1983 | agg.power Dyckhoff & Pedrycz 1984 | agg.min Wald 1950
agg.owa Yager 1988 | agg.choquet Grabisch 1996 | agg.sugeno Sugeno 1974 | agg.topsis Hwang & Yoon 1981
agg.vikor Opricovic & Tzeng 2004 | agg.promethee Brans & Vincke 1985 | agg.lex Fishburn 1974 | agg.borda Borda 1781
agg.rrf Cormack et al. 2009 | agg.logodds Fellegi & Sunter 1969 | agg.logit H Cox 1958
two.harmonic Pizzato et al. 2010 | two.geo Neve & Palomares 2019 | two.mean Neve & Palomares 2019 | two.min Zadeh 1965
two.product Zadeh 1965 | two.uninorm Appel et al. 2017 | two.tu Choo & Siow 2006; Tomita et al. 2023
pair.total Jonker & Volgenant 1987 | pair.hungarian Kuhn 1955 | pair.auction Bertsekas 1988 | pair.greedy Avis 1983
pair.blossom Edmonds 1965; Galil 1986 | pair.bottleneck Gross 1959 | pair.leximin Burkard & Rendl 1991
pair.most Hopcroft & Karp 1973 | pair.stable Gale & Shapley 1962 | pair.egalitarian Irving, Leather & Gusfield 1987
pair.regret Gusfield 1987 | pair.roommates Irving 1985 | pair.ttc Shapley & Scarf 1974
pair.lottery Abdulkadiroglu & Sonmez 1998 | pair.rankmax Irving et al. 2006 | pair.sinkhorn ~ Cuturi 2013
pair.flow Ahuja et al. 1993 | pair.online Karp et al. 1990
rot.circle Kirkman 1847 | rot.latin Euler 1782 | rot.repeat Kuhn 1955 | rot.exact Konig 1916
rot.vizing Misra & Gries 1992 | rot.golfer ~ Harvey (CSPLib 010)
top.bound project | top.ta Fagin et al. 2003 | rank.mmr Carbonell & Goldstein 1998 | rank.exposure Singh & Joachims 2018
"""
"""Name, H where it needs contact history, ~ where it is approximate, source: as section 3 of the specification."""


def _listed():
    rows = {}
    for item in CATALOGUE.replace("\n", " | ").split(" | "):
        name, _, rest = item.strip().partition(" ")
        if name:
            mark, _, source = rest.partition(" ") if rest[0] in "~H" and rest[1] == " " else ("", "", rest)
            rows[name] = (mark, source)
    return rows


LISTED = _listed()
FAMILIES = tuple(dict.fromkeys(name.partition(".")[0] for name in LISTED))
CRITERIA = ("role", "level", "geo", "set", "taste", "time", "age", "pref", "mix", "hist")
ENTRIES = registry.catalogue()
OF_CRITERIA = [entry for entry in ENTRIES if entry.family in CRITERIA]


def family(name):
    entries = registry.family(name)
    assert entries, f"no {name}.*"
    return entries


def named(entries):
    return pytest.mark.parametrize("entry", entries, ids=lambda entry: entry.name)


quick = settings(deadline=None, max_examples=25, suppress_health_check=list(HealthCheck))


def plain(entry, a, b, community, **parameters):
    """The scalar form, given the community if it asks for it."""
    more = {"community": community} if entry.needs_community else {}
    found = entry.scalar(a, b, **more, **parameters)
    assert isinstance(found, Score)
    return found


def fast(entry, community, left, right, **parameters):
    return entry.fast(community, np.array(left, dtype=np.int64), np.array(right, dtype=np.int64), **parameters)


def every_pair(community):
    n = len(community)
    return [(a, b) for a in range(n) for b in range(n) if a != b]


def agrees(value, number):
    return np.isnan(number) if value is None else abs(value - number) <= 1e-9


# --- what each entry says of itself ---------------------------------------------------------------------------------


@named(ENTRIES)
def test_an_entry_says_what_it_is(entry):
    assert entry.name in LISTED
    mark, source = LISTED[entry.name]
    assert entry.source == source
    assert entry.needs_history is (mark == "H")
    assert entry.approximate is (mark == "~")
    assert entry.words.strip()
    assert entry.formula.strip()
    assert entry.examples
    assert entry.fast is not None
    assert entry.scalar is not entry.fast


@named(ENTRIES)
def test_what_may_be_tuned_is_what_both_forms_take(entry):
    for form in (entry.scalar, entry.fast):
        takes = inspect.signature(form).parameters
        loose = any(parameter.kind is parameter.VAR_KEYWORD for parameter in takes.values())
        for name, default in entry.parameters.items():
            assert loose or takes[name].default == default, (form, name)


# --- worked examples ------------------------------------------------------------------------------------------------


def same(found, expected):
    """Whether a result is what an example says: numbers to 2 decimals, tables and matchings as they are."""
    if isinstance(found, Score):
        return same(found.value, expected)
    if isinstance(found, Found):
        return np.array_equal(found.rows, expected.rows) and np.allclose(found.scores, expected.scores, equal_nan=True)
    if isinstance(found, Matching):
        return found.pairs == (expected.pairs if isinstance(expected, Matching) else tuple(expected))
    if isinstance(found, Rotation):
        return found.tandas == (expected.tandas if isinstance(expected, Rotation) else tuple(expected))
    if expected is None:
        return found is None or bool(np.isnan(found))
    if found is None:
        return False
    return np.array_equal(np.round(np.asarray(found, dtype=np.float64), 2), np.asarray(expected, dtype=np.float64))


def fast_example(entry, given):
    """The fast form on the arguments of the scalar one."""
    kind, arguments = entry.family, dict(given)
    if kind in CRITERIA:
        a, b = arguments.pop("a"), arguments.pop("b")
        community = arguments.pop("community", None) or Community((a, b))
        return fast(entry, community, [community.rows[a.id]], [community.rows[b.id]], **arguments)[0]
    if kind == "agg":
        rows = arguments.pop("rows") if entry.listwise else [arguments.pop("scores")]
        found = entry.fast(np.array(rows, dtype=np.float64), np.array(arguments.pop("weights")), **arguments)
        return found if entry.listwise else found[0]
    if kind == "two":
        p, q = (np.array(arguments.pop(side), dtype=np.float64) for side in "pq")
        if p.ndim == 0:
            shape = (1, 1) if entry.listwise else (1,)
            return entry.fast(p.reshape(shape), q.reshape(shape), **arguments).item()
        return entry.fast(p, q, **arguments)
    return entry.fast(**arguments)


@named(ENTRIES)
def test_worked_examples(entry):
    for example in entry.examples:
        assert same(entry.scalar(**example.given), example.expected), example
        assert same(fast_example(entry, example.given), example.expected), example


# --- criteria -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", CRITERIA)
@quick
@given(made=people(0, 6), data=st.data())
def test_both_forms_of_a_criterion_agree(kind, made, data):
    community = Community(made)
    shuffled = Community(data.draw(st.permutations(made), label="order"))
    pairs = every_pair(community)
    left, right = [a for a, _ in pairs], [b for _, b in pairs]
    everybody = [community.user(row) for row in range(len(community))]
    for entry in family(kind):
        values = fast(entry, community, left, right)
        assert values.shape == (len(pairs),)
        assert values.dtype == np.float64
        known = values[~np.isnan(values)]
        assert ((known >= 0) & (known <= 100)).all(), entry.name
        np.testing.assert_array_equal(values, fast(entry, shuffled, left, right), err_msg=entry.name)
        np.testing.assert_allclose(values[::-1], fast(entry, community, left[::-1], right[::-1]), rtol=0, atol=1e-9)
        table = dict(zip(pairs, values, strict=True))
        for (a, b), value in table.items():
            found = plain(entry, everybody[a], everybody[b], community)
            assert agrees(found.value, value), (entry.name, found, value, everybody[a], everybody[b])
            assert found.value is None or 0 <= found.value <= 100
            assert found.why.strip(), entry.name
            assert "\n" not in found.why + found.brief
            if entry.symmetric:
                assert table[b, a] == pytest.approx(value, abs=1e-9, nan_ok=True), entry.name
                assert plain(entry, everybody[b], everybody[a], community).value == pytest.approx(found.value, abs=1e-9)


@pytest.mark.parametrize("kind", CRITERIA)
def test_no_pairs_and_nobody(kind):
    for entry in family(kind):
        for crowd in ((), (User(id="a", roles=Role.BOTH),), crowded(5)):
            assert fast(entry, Community(crowd), [], []).shape == (0,)


HOMES = (
    Place(lat=52.52, lon=13.405, city="Berlin", country="DE", region="Berlin"),
    Place(lat=52.3906, lon=13.0645, city="Potsdam", country="DE", region="Brandenburg"),
    Place(lat=-34.6037, lon=-58.3816, city="Buenos Aires", country="AR", region="CABA"),
)
DATED = ("1930s", "1940s", "biagi", "d'arienzo", "di sarli", "pugliese", "troilo")


def crowded(count, seed=0):
    """People who said everything and danced with two who dance both roles: no criterion lacks anything."""
    chance = np.random.default_rng(seed)
    made = []
    for number in range(count):
        role = Role.BOTH if number < 3 else Role(int(chance.integers(1, 4)))
        levels = chance.integers(2, 21, 2) / 2
        tags = sorted(chance.choice(DATED, int(chance.integers(1, 5)), replace=False).tolist())
        youngest = float(chance.integers(18, 50))
        met = sorted({f"p{other}" for other in (0, 1, 2, int(chance.integers(count)))} - {f"p{number}"})
        made.append(
            User(
                id=f"p{number}",
                roles=role,
                leader_level=float(levels[0]) if Role.LEADER in role else None,
                follower_level=float(levels[1]) if Role.FOLLOWER in role else None,
                lead_share=float(chance.integers(0, 5)) / 4 if role is Role.BOTH else None,
                place=HOMES[int(chance.integers(3))],
                styles=tuple(sorted(chance.choice(STYLES, int(chance.integers(1, 5)), replace=False).tolist())),
                music=tuple((tag, float(chance.integers(1, 4))) for tag in tags),
                hours=HOURS[1 + int(chance.integers(len(HOURS) - 1))],
                age=float(chance.integers(18, 80)),
                age_pref=AgeRange(min=youngest, max=youngest + 20),
                history=tuple((other, float(chance.integers(1, 4))) for other in met if int(other[1:]) < count),
            )
        )
    return tuple(made)


@named(OF_CRITERIA)
def test_whoever_said_everything_has_a_score(entry):
    community = Community(crowded(12))
    pairs = every_pair(community)
    values = fast(entry, community, [a for a, _ in pairs], [b for _, b in pairs])
    assert not np.isnan(values).any()


@named([entry for entry in OF_CRITERIA if entry.family != "role"])
def test_whoever_said_nothing_is_unknown_and_never_zero(entry):
    silent = User(id="silent", roles=Role.BOTH)
    other = User(id="silent too", roles=Role.FOLLOWER)
    community = Community((*crowded(6), silent, other))
    assert plain(entry, silent, other, community).value is None
    # Somebody who wants nothing and danced with nobody has no view; being seen needs only a role.
    assert plain(entry, silent, community.user(0), community).value is None
    row, first = community.rows["silent"], community.rows["p0"]
    assert np.isnan(fast(entry, community, [row], [first])).all()


@named([entry for entry in OF_CRITERIA if not entry.symmetric])
def test_a_directed_criterion_can_see_two_people_differently(entry):
    community = Community(crowded(20))
    pairs = every_pair(community)
    there = fast(entry, community, [a for a, _ in pairs], [b for _, b in pairs])
    back = fast(entry, community, [b for _, b in pairs], [a for a, _ in pairs])
    assert np.nanmax(np.abs(there - back)) > 1


@named([entry for entry in OF_CRITERIA if entry.needs_community])
def test_a_criterion_over_everybody_asks_for_everybody(entry):
    a, b = crowded(2)
    with pytest.raises((UsageError, TypeError), match=f"{entry.name}|community"):
        entry.scalar(a, b)


@named(OF_CRITERIA)
def test_oneself_over_again_is_not_worse_than_others(entry):
    # Not a law for every formula, but none may fail on a row that meets itself: rankings ask for such tables.
    community = Community(crowded(8))
    rows = list(range(8))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        values = fast(entry, community, rows, rows)
    assert values.shape == (8,)
    assert ((values >= 0) & (values <= 100) | np.isnan(values)).all()


# --- many criteria into one, two views into one ---------------------------------------------------------------------

POINTS = st.one_of(st.sampled_from((0.0, 12.5, 50.0, 50.0, 80.0, 100.0)), st.floats(0, 100))
WEIGHTS = st.sampled_from((0.0, 0.05, 0.1, 0.3, 0.3, 1.0))


@st.composite
def tables(draw, least=0):
    """(scores [n, m], weights [m])"""
    size = draw(st.integers(1, 5))
    row = st.lists(POINTS, min_size=size, max_size=size)
    weights = draw(st.lists(WEIGHTS, min_size=size, max_size=size).filter(any))
    rows = draw(st.lists(row, min_size=least, max_size=6))
    return np.array(rows, dtype=np.float64).reshape(-1, size), np.array(weights)


def aggregated(entry, matrix, weights):
    if entry.listwise:
        return entry.scalar(matrix.tolist(), weights.tolist())
    return [entry.scalar(row, weights.tolist()) for row in matrix.tolist()]


@quick
@given(tables())
def test_both_forms_of_an_aggregation_agree(table):
    matrix, weights = table
    for entry in family("agg"):
        values = entry.fast(matrix, weights)
        assert values.shape == (len(matrix),), entry.name
        assert ((values >= 0) & (values <= 100)).all(), entry.name
        np.testing.assert_allclose(values, aggregated(entry, matrix, weights), rtol=0, atol=1e-9, err_msg=entry.name)
        backwards = entry.fast(matrix[::-1], weights)[::-1]
        np.testing.assert_allclose(values, backwards, rtol=0, atol=1e-9, err_msg=entry.name)


@quick
@given(tables(least=1), st.data())
def test_a_better_criterion_never_lowers_the_score(table, data):
    matrix, weights = table
    row = data.draw(st.integers(0, len(matrix) - 1))
    column = data.draw(st.integers(0, len(weights) - 1))
    better = matrix.copy()
    better[row, column] = data.draw(st.floats(float(matrix[row, column]), 100))
    for entry in family("agg"):
        if not entry.listwise:
            assert entry.fast(better, weights)[row] >= entry.fast(matrix, weights)[row] - 1e-9, entry.name


@quick
@given(st.lists(st.tuples(POINTS, POINTS), max_size=6))
def test_both_forms_of_two_views_agree(views):
    p, q = (np.array([view[side] for view in views], dtype=np.float64) for side in (0, 1))
    for entry in family("two"):
        if entry.listwise:
            ours, theirs = (np.array(side, dtype=np.float64).reshape(1, -1) for side in (p, q))
            values = entry.fast(ours, theirs)
            expected = np.array(entry.scalar(ours.tolist(), theirs.tolist())).reshape(ours.shape)
            back = entry.fast(theirs.T, ours.T).T
        else:
            values, back = entry.fast(p, q), entry.fast(q, p)
            expected = np.array([entry.scalar(*view) for view in views])
        assert ((values >= 0) & (values <= 100)).all(), entry.name
        np.testing.assert_allclose(values, expected, rtol=0, atol=1e-9, err_msg=entry.name)
        assert entry.symmetric
        np.testing.assert_allclose(values, back, rtol=0, atol=1e-9, err_msg=entry.name)


@pytest.mark.parametrize("side", [0, 1])
def test_a_view_that_is_not_known_stays_unknown(side):
    for entry in family("two"):
        views = [np.array([50.0, 80.0]), np.array([60.0, 70.0])]
        views[side][1] = np.nan
        shape = (1, 2) if entry.listwise else (2,)
        values = entry.fast(*(view.reshape(shape) for view in views)).ravel()
        assert np.isnan(values).tolist() == [False, True], entry.name


# --- pairing and rotation -------------------------------------------------------------------------------------------


@st.composite
def floors(draw, roles=(1, 2), most=6):
    """A few people, ties, some who cannot dance together, views that differ or do not."""
    kinds = np.array(draw(st.lists(st.sampled_from(roles), max_size=most)), dtype=np.uint8)
    n = len(kinds)
    square = st.lists(st.sampled_from((np.nan, 41.0, 55.5, 60.0, 70.0, 70.0, 92.0)), min_size=n * n, max_size=n * n)
    scores = np.array(draw(square), dtype=np.float64).reshape(n, n)
    scores = np.triu(scores, 1) + np.triu(scores, 1).T
    able = (kinds[:, None] & 1 > 0) & (kinds[None, :] & 2 > 0)
    scores = np.where((able | able.T) & ~np.eye(n, dtype=bool), scores, np.nan)
    views = np.nan_to_num(np.array(draw(square)).reshape(n, n), nan=50.0) if draw(st.booleans()) else scores
    views = np.where(np.isnan(scores), np.nan, views)
    return Floor(ids=tuple(f"p{row}" for row in range(n)), roles=kinds, scores=scores, views=views)


def outcome(form, *arguments, **more):
    """What came out, or the word for a floor that is not for this method."""
    try:
        return form(*arguments, **more)
    except UsageError as error:
        assert error.what
        return "refused"


def is_matching(floor, found):
    rows = [row for pair in found.pairs for row in pair]
    assert len(rows) == len(set(rows))
    assert list(found.pairs) == sorted((min(pair), max(pair)) for pair in found.pairs)
    assert all(not np.isnan(floor.scores[a, b]) for a, b in found.pairs)


def by_choice(floor, found):
    """How many leaders dance with their first choice, their second, …; people liked equally share a place."""
    places = []
    for leader, follower in (pair if floor.roles[pair[0]] == 1 else pair[::-1] for pair in found.pairs):
        places.append(int((floor.views[leader] > floor.views[leader, follower]).sum()))
    return [places.count(place) for place in range(len(floor))]


def total_of(floor, found):
    return round(sum(points(floor, found)), 6)


def points(floor, found):
    return sorted(float(floor.scores[a, b]) for a, b in found.pairs)


SHARED = {
    "pair.auction": total_of,
    "pair.blossom": total_of,
    "pair.bottleneck": lambda floor, found: (len(found.pairs), points(floor, found)[:1], total_of(floor, found)),
    "pair.flow": total_of,
    "pair.hungarian": total_of,
    "pair.leximin": points,
    "pair.most": lambda floor, found: len(found.pairs),
    "pair.rankmax": by_choice,
    # Where no stable pairing exists, the quick form may leave more people unhappy than need be.
    "pair.roommates": lambda floor, found: bool(found.blocking) or sorted(row for pair in found.pairs for row in pair),
    "pair.total": total_of,
}
"""What the plain and the quick form must share where several answers are equally good; else the pairs themselves."""


@pytest.mark.parametrize("roles", [(1, 2), (1, 2, 3, 3)], ids=["two sides", "both roles"])
@quick
@given(data=st.data())
def test_both_forms_of_a_pairing_agree(roles, data):
    entries = family("pair")
    floor = data.draw(floors(roles))
    seed = data.draw(st.integers(0, 3))
    for entry in entries:
        found = outcome(entry.fast, floor, seed=seed)
        other = outcome(entry.scalar, floor, seed=seed)
        if found == "refused" or other == "refused":
            assert found == other, entry.name
            assert (floor.roles == 3).any(), entry.name
            continue
        for one in (found, other):
            is_matching(floor, one)
        assert outcome(entry.fast, floor, seed=seed) == found, entry.name
        if not entry.approximate:
            shared = SHARED.get(entry.name, lambda _, matching: matching.pairs)
            assert shared(floor, found) == shared(floor, other), entry.name


def is_rotation(floor, found, tandas):
    assert len(found.tandas) <= tandas
    met = []
    for tanda in found.tandas:
        rows = [row for pair in tanda.pairs for row in pair]
        assert sorted([*rows, *tanda.sits_out]) == list(range(len(floor)))
        for leader, follower in tanda.pairs:
            assert floor.roles[leader] & 1
            assert floor.roles[follower] & 2
            assert not np.isnan(floor.scores[leader, follower])
        met += [frozenset(pair) for pair in tanda.pairs]
    assert len(met) == len(set(met))


@pytest.mark.parametrize("roles", [(1, 2), (1, 2, 3, 3)], ids=["two sides", "both roles"])
@quick
@given(data=st.data())
def test_both_forms_of_a_rotation_agree(roles, data):
    entries = family("rot")
    floor = data.draw(floors(roles, most=5))
    tandas = data.draw(st.integers(1, 3))
    for entry in entries:
        found = outcome(entry.fast, floor, tandas, seed=1)
        other = outcome(entry.scalar, floor, tandas, seed=1)
        if found == "refused" or other == "refused":
            assert found == other, entry.name
            continue
        for one in (found, other):
            is_rotation(floor, one, tandas)
        assert outcome(entry.fast, floor, tandas, seed=1) == found, entry.name
        if not entry.approximate:
            sums = [sum(sum(points(floor, tanda)) for tanda in one.tandas) for one in (found, other)]
            assert sums[0] == pytest.approx(sums[1], abs=1e-6), entry.name


# --- the best k, and what is shown of them --------------------------------------------------------------------------


@quick
@given(made=people(0, 8), data=st.data())
def test_the_best_of_everybody_by_each_way(made, data):
    entries = family("top")
    community, recipe = Community(made), make_recipe({"music": data.draw(st.sampled_from((0.0, 0.3)))})
    k = data.draw(st.integers(1, 4))
    rows = np.arange(len(community), dtype=np.int64)
    for entry in entries:
        found, other = (form(community, recipe, rows, k) for form in (entry.fast, entry.scalar))
        assert found.rows.shape == (len(community), k)
        np.testing.assert_allclose(found.scores, other.scores, rtol=0, atol=1e-9, err_msg=entry.name)
        for row, best in enumerate(found.rows.tolist()):
            # Scores that differ in their last bit only may order two people either way.
            if np.array_equal(found.scores[row], other.scores[row], equal_nan=True):
                assert best == other.rows[row].tolist(), entry.name
            there = [other for other in best if other >= 0]
            assert row not in there
            assert len(there) == len(set(there))
            user = community.user(row)
            for other_row in there:
                other_user = community.user(other_row)
                assert can_lead(user, other_user) or can_lead(other_user, user)


RANKINGS = {"rank.mmr", "rank.exposure"}


@quick
@given(st.data())
def test_both_forms_of_a_ranking_agree(data):
    entries = {entry.name: entry for entry in family("rank")}
    assert set(entries) <= RANKINGS
    n, k = data.draw(st.integers(1, 5)), data.draw(st.integers(1, 4))
    if "rank.mmr" in entries:
        scores = [data.draw(st.sampled_from((np.nan, 40.0, 80.0, 80.0, 90.0))) for _ in range(n)]
        half = np.array([[data.draw(st.sampled_from((0.0, 30.0, 100.0))) for _ in range(n)] for _ in range(n)])
        alike = np.maximum(half, half.T)
        chosen = entries["rank.mmr"].fast(np.array(scores), alike, k).tolist()
        assert chosen == list(entries["rank.mmr"].scalar(scores, alike.tolist(), k))
        shown = [row for row in chosen if row >= 0]
        assert len(shown) == len(set(shown)) == min(k, sum(not np.isnan(score) for score in scores))
    if "rank.exposure" in entries:
        cap = data.draw(st.integers(1, 3))
        scores = np.array([data.draw(st.lists(st.floats(0, 100), min_size=3, max_size=3)) for _ in range(n)])
        rows = np.array([data.draw(st.permutations(range(4)))[:3] for _ in range(n)])
        longer = Found(rows=rows, scores=scores)
        found, other = (
            form(longer, k, cap) for form in (entries["rank.exposure"].fast, entries["rank.exposure"].scalar)
        )
        assert np.nansum(found.scores) == pytest.approx(np.nansum(other.scores), abs=1e-6)
        for one in (found, other):
            assert one.rows.shape == (n, k)
            assert np.bincount(one.rows[one.rows >= 0], minlength=1).max() <= cap


# --- the whole ------------------------------------------------------------------------------------------------------


def test_entries_are_found_by_name_and_each_comes_once():
    names = [entry.name for entry in ENTRIES]
    assert len(names) == len(set(names))
    assert [entry.family for entry in ENTRIES] == sorted((e.family for e in ENTRIES), key=FAMILIES.index)
    for entry in ENTRIES:
        assert registry.find(entry.name) is entry
        assert msgspec.structs.replace(entry).family in FAMILIES
    for nobody in ("level.nothing", "nothing.table", "level", ""):
        with pytest.raises(KeyError):
            registry.find(nobody)


def test_the_catalogue_holds_all_97():
    """Green only when every family is there: the count that anyone advertises is this one."""
    assert len(LISTED) == 97
    assert sorted(entry.name for entry in ENTRIES) == sorted(LISTED)
