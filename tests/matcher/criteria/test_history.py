"""History criteria against brute force on small graphs, and their limits."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mrblue_cli.core.errors import UsageError
from mrblue_cli.matcher import registry
from mrblue_cli.matcher.compiled import Community
from mrblue_cli.matcher.criteria import history_factors, history_graph, history_walks
from mrblue_cli.matcher.model import Role, User

ENTRIES = {entry.name: entry for entry in registry.family("hist")}
quick = settings(deadline=None, max_examples=40)
TIMES = st.sampled_from((1.0, 1.0, 2.0, 5.0))


def person(name, history=None, roles=Role.BOTH, called=""):
    return User(id=name, name=called, roles=roles, history=tuple(sorted((history or {}).items())))


@st.composite
def dances(draw, most=7):
    """[n, n] times danced together, symmetric."""
    n = draw(st.integers(2, most))
    pairs = draw(st.dictionaries(st.tuples(*[st.integers(0, n - 1)] * 2).filter(lambda ab: ab[0] < ab[1]), TIMES))
    table = np.zeros((n, n))
    for (a, b), times in pairs.items():
        table[a, b] = table[b, a] = times
    return table


def community_of(table, roles=None):
    """Everybody tells of their dances."""
    return Community(
        person(f"p{a}", {f"p{b}": times for b, times in enumerate(row) if times}, roles[a] if roles else Role.BOTH)
        for a, row in enumerate(table)
    )


def matrix(name, community, **parameters):
    n = len(community)
    left, right = np.repeat(np.arange(n), n), np.tile(np.arange(n), n)
    return ENTRIES[name].fast(community, left, right, **parameters).reshape(n, n)


def compare(found, expected, table):
    """Equal off the diagonal wherever both have a history, unknown elsewhere."""
    some = table.any(axis=1)
    known = some[:, None] & some[None, :]
    assert np.isnan(found[~known]).all()
    apart = known & ~np.eye(len(table), dtype=bool)
    np.testing.assert_allclose(found[apart], np.asarray(expected)[apart], rtol=0, atol=1e-7)


@quick
@given(dances())
def test_adamic_and_adar_by_sets(table):
    met = [set(np.flatnonzero(row)) for row in table]

    def weight(group):
        return sum(1 / math.log(max(2, len(met[row]))) for row in group)

    expected = [
        [100 * weight(a & b) / math.sqrt(weight(a) * weight(b)) if a and b else math.nan for b in met] for a in met
    ]
    compare(matrix("hist.adamic", community_of(table)), expected, table)


@quick
@given(dances())
def test_reciprocal_neighbours_by_sets(table):
    met = [set(np.flatnonzero(row)) for row in table]

    def view(a, b):
        return np.mean([len(met[a] & met[y]) / len(met[a] | met[y]) for y in met[b]])

    expected = np.zeros_like(table)
    for a, b in product(range(len(table)), repeat=2):
        if met[a] and met[b]:
            p, q = view(a, b), view(b, a)
            expected[a, b] = 200 * p * q / (p + q) if p + q else 0.0
    compare(matrix("hist.rcf", community_of(table)), expected, table)


@quick
@given(dances(), st.floats(0.05, 0.95))
def test_walks_by_solving_for_where_they_rest(table, restart):
    some = np.flatnonzero(table.any(axis=1))
    inner = table[np.ix_(some, some)]
    strength = inner.sum(axis=1)
    steps = inner / np.where(strength, strength, 1)[:, None]
    rest = restart * np.linalg.inv(np.eye(len(some)) - (1 - restart) * steps.T) if len(some) else inner
    # Column a: where a walk from a is. Times dances of a over those of b it is symmetric.
    even = rest.T * np.sqrt(strength[:, None] / np.where(strength, strength, 1)[None, :])
    np.testing.assert_allclose(even, even.T, atol=1e-9)
    own = np.sqrt(np.diag(even))
    expected = np.zeros_like(table)
    expected[np.ix_(some, some)] = 100 * even / own[:, None] / own[None, :]
    compare(matrix("hist.walk", community_of(table), restart=restart), expected, table)


@quick
@given(dances(5), st.integers(1, 4), st.sampled_from((0.3, 0.8)))
def test_similarity_by_the_definition(table, rounds, decay):
    met, n = [list(np.flatnonzero(row)) for row in table], len(table)
    alike = np.eye(n)
    for _ in range(rounds):
        before, alike = alike, np.eye(n)
        for a, b in product(range(n), repeat=2):
            if a != b and met[a] and met[b]:
                alike[a, b] = decay * np.mean([before[x, y] for x in met[a] for y in met[b]])
    expected = np.zeros((n, n))
    for a, b in product(range(n), repeat=2):
        if met[a] and met[b]:
            expected[a, b] = 50 * (np.mean([alike[a, y] for y in met[b]]) + np.mean([alike[x, b] for x in met[a]]))
    compare(matrix("hist.simrank", community_of(table), rounds=rounds, decay=decay), expected, table)


@quick
@given(dances(), st.data())
def test_one_side_telling_is_enough_and_nobody_dances_alone(table, data):
    people = []
    for a, row in enumerate(table):
        told = {f"p{b}": times for b, times in enumerate(row) if times and (a < b or data.draw(st.booleans()))}
        # The one who says more is right; oneself and people who are not here do not count.
        told |= {name: 1.0 for name in told if a > int(name[1:])}
        people.append(person(f"p{a}", told | {f"p{a}": 9.0, "gone": 3.0}))
    some, whole = Community(people), community_of(table)
    np.testing.assert_array_equal(history_graph.graph(some).toarray(), table)
    assert history_graph.contacts(some) == history_graph.contacts(whole)
    for name in ENTRIES:
        np.testing.assert_array_equal(matrix(name, some), matrix(name, whole), err_msg=name)


@quick
@given(dances(), st.data())
def test_of_two_ways_to_dance_the_better_one_counts(table, data):
    roles = [data.draw(st.sampled_from((Role.LEADER, Role.FOLLOWER, Role.BOTH, Role.BOTH))) for _ in table]
    community, entry = community_of(table, roles), ENTRIES["hist.lfrr"]
    found = matrix("hist.lfrr", community)
    for a, b in product(range(len(table)), repeat=2):
        value = entry.scalar(community.user(a), community.user(b), community=community).value
        assert found[a, b] == pytest.approx(np.nan if value is None else value, abs=1e-9, nan_ok=True)


def test_what_a_leader_and_a_follower_who_never_met_can_score():
    # L1 and L2 both danced with F1; L2 danced with F2: L1 and F2 are a step apart, though they share nobody.
    roles = [Role.LEADER, Role.LEADER, Role.FOLLOWER, Role.FOLLOWER, Role.FOLLOWER]
    table = np.zeros((5, 5))
    for a, b in ((0, 2), (1, 2), (1, 3), (1, 4)):
        table[a, b] = table[b, a] = 1.0
    community = community_of(table, roles)
    assert matrix("hist.adamic", community)[0, 3] == 0
    for name in ("hist.walk", "hist.simrank", "hist.rcf", "hist.lfrr"):
        assert matrix(name, community)[0, 3] > 0, name
        assert matrix(name, community)[0, 2] > matrix(name, community)[0, 3], name


def circles(per_side=6, missing=((0, 0),)):
    """Two circles that never mix; inside a circle everybody danced with everybody, but for the missing pairs."""
    n = 4 * per_side
    roles = [Role.LEADER] * (2 * per_side) + [Role.FOLLOWER] * (2 * per_side)
    table = np.zeros((n, n))
    for leader, follower in product(range(2 * per_side), repeat=2):
        if leader // per_side == follower // per_side and (leader, follower) not in missing:
            table[leader, 2 * per_side + follower] = table[2 * per_side + follower, leader] = 1.0
    return community_of(table, roles), 2 * per_side


@pytest.mark.parametrize("seed", range(5))
def test_factors_foretell_a_dance_inside_a_circle_and_none_across(seed):
    community, side = circles()
    found = matrix("hist.lfrr", community, seed=seed)
    names = {community.ids[row]: row for row in range(len(community))}
    first, unmet, across = names["p0"], names[f"p{side}"], names[f"p{side + 7}"]
    assert found[first, unmet] > 60
    assert found[first, across] < 20
    assert found[first, names[f"p{side + 1}"]] > 90


def loss(choices, model, trust, penalty):
    """What alternating least squares make small."""
    members = np.flatnonzero(model.known)
    guessed = model.choosing @ model.chosen.T
    share = choices.toarray()
    error = (1 + trust * share) * ((share > 0) - guessed) ** 2
    return error[:, members].sum() + penalty * ((model.choosing**2).sum() + (model.chosen**2).sum())


@quick
@given(dances().filter(lambda table: table.any()))
def test_each_round_of_learning_lowers_the_loss_in_both_forms(table):
    from scipy.sparse import csr_array

    choices = csr_array(table / np.where(table.any(axis=1), table.max(axis=1), 1)[:, None])
    losses = []
    for rounds in (1, 2, 5):
        settings_ = history_factors.Settings(rounds=rounds)
        plain, quick_ = (fit(choices, settings_) for fit in (history_factors._plain, history_factors._batched))
        np.testing.assert_allclose(plain.choosing, quick_.choosing, atol=1e-9)
        np.testing.assert_allclose(plain.chosen, quick_.chosen, atol=1e-9)
        losses.append(loss(choices, quick_, settings_.trust, settings_.penalty))
    assert losses[0] >= losses[1] - 1e-9
    assert losses[1] >= losses[2] - 1e-9


def test_a_role_never_danced_is_unknown_but_two_leaders_are_not():
    # d dances both roles and has only followed: what d would choose as a leader is not known.
    a, d = person("a", {"d": 2.0}, Role.LEADER), person("d", {}, Role.BOTH)
    f, g = person("f", {"g": 1.0}, Role.FOLLOWER), person("g", {}, Role.LEADER)
    community, entry = Community((a, d, f, g)), ENTRIES["hist.lfrr"]
    found = matrix("hist.lfrr", community)
    assert np.isnan(found[1, 2])
    assert entry.scalar(d, f, community=community).value is None
    assert found[0, 3] == entry.scalar(a, g, community=community).value == 0


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("hist.walk", {"restart": 0.0}),
        ("hist.walk", {"restart": 1.0}),
        ("hist.simrank", {"decay": 1.5}),
        ("hist.simrank", {"rounds": 0}),
        ("hist.lfrr", {"factors": 0}),
        ("hist.lfrr", {"rounds": 0}),
        ("hist.lfrr", {"penalty": 0.0}),
        ("hist.lfrr", {"trust": -1.0}),
    ],
)
def test_settings_out_of_range_are_refused_by_both_forms(name, parameters):
    a, b = person("a", {"b": 1.0}), person("b")
    community = Community((a, b))
    with pytest.raises(UsageError, match=name):
        ENTRIES[name].scalar(a, b, community=community, **parameters)
    with pytest.raises(UsageError, match=name):
        ENTRIES[name].fast(community, np.array([0]), np.array([1]), **parameters)


def test_somebody_from_elsewhere_is_refused():
    a, b, stranger = person("a", {"b": 1.0}), person("b"), person("z", {"a": 1.0})
    for name, entry in ENTRIES.items():
        with pytest.raises(UsageError, match="z is not in this community"):
            entry.scalar(a, stranger, community=Community((a, b)))
        assert name.startswith("hist.")


def ring(count):
    return Community(person(f"p{n:05}", {f"p{(n + 1) % count:05}": 1.0 + n % 3}) for n in range(count))


def test_tables_of_everybody_have_a_limit_and_the_others_have_none():
    large = ring(history_walks.MOST_FOR_WALK + 1)
    left, right = np.arange(2999), np.arange(2999) + 1
    for name in ("hist.walk", "hist.simrank"):
        with pytest.raises(UsageError, match=r"3,001 people are more than 3,000"):
            ENTRIES[name].fast(large, left[:1], right[:1])
        with pytest.raises(UsageError, match="3,000"):
            ENTRIES[name].scalar(large.user(0), large.user(1), community=large)
    for name in ("hist.adamic", "hist.rcf"):
        values = ENTRIES[name].fast(large, left, right + 1)
        for row in (0, 1397, 1398, 2900):
            plain = ENTRIES[name].scalar(large.user(row), large.user(row + 2), community=large)
            assert values[row] == pytest.approx(plain.value, abs=1e-9), name
    with pytest.raises(UsageError, match="5,001"):
        ENTRIES["hist.lfrr"].fast(ring(history_factors.MOST + 1), left[:1], right[:1])


def test_reasons_name_who_links_two_people():
    people = (
        person("a", {"c": 1.0, "d": 1.0}, called="Ana"),
        person("b", {"c": 1.0}, called="Beto"),
        person("c", called="Caro"),
        person("d", called="Dario"),
        person("e", {"f": 1.0}, called="Eva"),
        person("f", called="Fabio"),
        person("n", called="Nina"),
    )
    community = Community(people)

    def why(name, a, b):
        return ENTRIES[name].scalar(people[a], people[b], community=community).why

    assert why("hist.adamic", 0, 1) == "Ana and Beto both danced with Caro"
    assert why("hist.adamic", 0, 4) == "Ana and Eva have no partner in common"
    assert why("hist.walk", 0, 2) == "Ana and Caro danced together before"
    assert why("hist.walk", 0, 1) == "Ana and Beto both danced with Caro"
    assert why("hist.walk", 1, 3) == "a chain of partners leads from Beto to Dario"
    assert why("hist.walk", 0, 5) == "no chain of partners leads from Ana to Fabio"
    assert why("hist.rcf", 3, 1) == "Beto danced with Caro, who shares partners with Dario"
    assert why("hist.rcf", 3, 0) == "Dario and Ana danced together before"
    assert why("hist.rcf", 0, 1) == "Ana and Beto have not both danced with people like the other"
    assert why("hist.rcf", 0, 2) == "Ana and Caro danced together before"
    for name in ENTRIES:
        assert why(name, 0, 6) == "nobody is known to have danced with Nina"
        assert why(name, 6, 6) == "nobody is known to have danced with Nina and Nina"
