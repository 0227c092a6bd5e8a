"""Two latent-factor models of who danced with whom, fused. PURE.

One model learns how leaders choose followers, the other how followers choose leaders. Each person is a short list of
numbers in each model, found by alternating least squares on implicit feedback (Hu, Koren & Volinsky 2008): having
danced is a 1 that is trusted the more, the larger the share of the person's dances; not having danced is a 0 of weight
1. The first numbers are chance from a seed, given out in the order of ids.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from mrblue_cli.core.errors import UsageError
from mrblue_cli.matcher.compiled import Community, Floats, Ints
from mrblue_cli.matcher.criteria.base import Score, called, here
from mrblue_cli.matcher.criteria.history_graph import (
    Bools,
    contacts,
    danced,
    graph,
    known_fast,
    members,
    rows_of,
    unmet,
)
from mrblue_cli.matcher.criteria.role import can_lead
from mrblue_cli.matcher.model import Role, User
from mrblue_cli.matcher.registry import Entry, Example

if TYPE_CHECKING:
    from scipy.sparse import csr_array

MOST = 5000
"""People with a history."""
FACTORS, ROUNDS, TRUST, PENALTY, SEED = 8, 10, 9.0, 1.0, 0
Fit = Callable[["csr_array", "Settings"], "Model"]


class Settings(NamedTuple):
    """What a model is learnt with."""

    factors: int = FACTORS
    """Numbers a person."""
    rounds: int = ROUNDS
    trust: float = TRUST
    """A dance weighs 1 + trust * its share against 1 for none."""
    penalty: float = PENALTY
    """Ridge: small, and the model remembers who danced instead of foretelling who would."""
    seed: int = SEED


class Model(NamedTuple):
    """One side's choices. The model's wish of x for y is `choosing[x] . chosen[y]`, cut to 0..1."""

    choosing: Floats
    """[members, factors]"""
    chosen: Floats
    """[members, factors]"""
    chooses: Bools
    """[members] whether anything is known of their choices."""
    known: Bools
    """[members] whether anybody chose them."""


def lfrr(
    a: User,
    b: User,
    *,
    factors: int = FACTORS,
    rounds: int = ROUNDS,
    trust: float = TRUST,
    penalty: float = PENALTY,
    seed: int = SEED,
    community: Community | None = None,
) -> Score:
    """Whether both sides' past dances speak for this pair: harmonic mean of the leader's and the follower's model.

    Of two orientations the better one counts. An orientation in which one of the two has danced with nobody is
    unknown. Two people who can dance neither way score 0. Raises `UsageError` without a community, above `MOST` people
    with a history, for settings out of range.
    """
    community, settings = here(community, "hist.lfrr"), Settings(factors, rounds, trust, penalty, seed)
    rows = _checked(community, settings)
    met, (one, other) = contacts(community), rows_of(community, a, b)
    unknown = unmet(met, community, a, b)
    if unknown:
        return unknown
    ways = [pair for pair in ((a, b), (b, a)) if can_lead(*pair)]
    if not ways:
        return Score(0.0, f"{called(a)} and {called(b)} dance the same role only")
    leading, following = community.derived(("lfrr", settings), lambda: _learnt(community, rows, settings, _plain))
    found = []
    for leader, _ in ways:
        first, second = (int(np.searchsorted(rows, row)) for row in ((one, other) if leader is a else (other, one)))
        if leading.chooses[first] and leading.known[second]:
            p = min(1.0, max(0.0, float(leading.choosing[first] @ leading.chosen[second])))
            q = min(1.0, max(0.0, float(following.choosing[second] @ following.chosen[first])))
            found.append(200.0 * p * q / (p + q) if p + q > 0 else 0.0)
    if not found:
        return Score(None, f"{called(a)} and {called(b)} have not danced in the roles that they would take")
    value = max(found)
    said = "speaks for" if value >= 50.0 else "says little for"
    return Score(value, f"whom {called(a)} and {called(b)} danced with so far {said} this pair", f"the past {said} it")


def lfrr_fast(
    community: Community,
    left: Ints,
    right: Ints,
    *,
    factors: int = FACTORS,
    rounds: int = ROUNDS,
    trust: float = TRUST,
    penalty: float = PENALTY,
    seed: int = SEED,
) -> Floats:
    """`lfrr` for many pairs; NaN: unknown."""
    settings = Settings(factors, rounds, trust, penalty, seed)
    rows = _checked(community, settings)
    leading, following = community.derived(("lfrrs", settings), lambda: _learnt(community, rows, settings, _batched))
    best, able = np.full(len(left), np.nan), np.zeros(len(left), dtype=np.bool_)
    known = known_fast(community, left, right)
    for leader, follower in ((left, right), (right, left)):
        way = _leads(community, leader) & _follows(community, follower)
        able |= way
        at = np.flatnonzero(way & known)
        first, second = np.searchsorted(rows, leader[at]), np.searchsorted(rows, follower[at])
        p = np.clip(np.einsum("nk,nk->n", leading.choosing[first], leading.chosen[second]), 0.0, 1.0)
        q = np.clip(np.einsum("nk,nk->n", following.choosing[second], following.chosen[first]), 0.0, 1.0)
        fused = 200.0 * p * q / np.where(p + q > 0, p + q, 1.0)
        told = leading.chooses[first] & leading.known[second]
        best[at] = np.fmax(best[at], np.where(told, fused, np.nan))
    return np.where(known & ~able, 0.0, best)


def _leads(community: Community, rows: Ints) -> Bools:
    return np.asarray(community.roles[rows] & Role.LEADER.value > 0)


def _follows(community: Community, rows: Ints) -> Bools:
    return np.asarray(community.roles[rows] & Role.FOLLOWER.value > 0)


def _checked(community: Community, settings: Settings) -> Ints:
    """Rows of those with a history. Raises `UsageError`."""
    if settings.factors < 1 or settings.rounds < 1 or not settings.trust >= 0 or not settings.penalty > 0:
        raise UsageError(
            f"hist.lfrr cannot learn with {settings._asdict()}",
            hint="factors and rounds are 1 or more, trust is 0 or more, penalty above 0",
        )
    return members(community, "hist.lfrr", MOST)


def _learnt(community: Community, rows: Ints, settings: Settings, fit: Fit) -> tuple[Model, Model]:
    """The model of leaders' choices and that of followers'."""
    from scipy.sparse import csr_array

    dances = csr_array(graph(community)[rows][:, rows]).tocoo()
    leads, follows = _leads(community, rows), _follows(community, rows)
    models = []
    for chooses, chosen in ((leads, follows), (follows, leads)):
        there = chooses[dances.row] & chosen[dances.col]
        most = np.zeros(len(rows))
        np.maximum.at(most, dances.row[there], dances.data[there])
        share = dances.data[there] / most[dances.row[there]]
        models.append(fit(csr_array((share, (dances.row[there], dances.col[there])), shape=dances.shape), settings))
    return models[0], models[1]


def _begin(choices: csr_array, settings: Settings) -> tuple[Floats, Bools, Bools]:
    """First numbers of the chosen (of length 1, so that no round starts from nothing), who chooses, who is chosen."""
    numbers = np.random.default_rng(settings.seed).standard_normal((choices.shape[0], settings.factors))
    numbers /= np.linalg.norm(numbers, axis=1, keepdims=True)
    known = np.bincount(choices.indices, minlength=choices.shape[0]) > 0
    return np.where(known[:, None], numbers, 0.0), np.diff(choices.indptr) > 0, known


def _plain(choices: csr_array, settings: Settings) -> Model:
    """Person by person: the ridge regression of one person's choices on the numbers of the others."""
    chosen, chooses, known = _begin(choices, settings)
    choosing, back = np.zeros_like(chosen), choices.T.tocsr()

    def regressed(table: Any, numbers: Floats) -> Floats:
        found = np.zeros_like(numbers)
        everybody = numbers.T @ numbers + settings.penalty * np.eye(settings.factors)
        for row in range(len(found)):
            part = slice(table.indptr[row], table.indptr[row + 1])
            if part.start == part.stop:
                continue
            theirs, extra = numbers[table.indices[part]], settings.trust * table.data[part]
            found[row] = np.linalg.solve(everybody + (theirs.T * extra) @ theirs, theirs.T @ (1.0 + extra))
        return found

    for _ in range(settings.rounds):
        choosing = regressed(choices, chosen)
        chosen = regressed(back, choosing)
    return Model(choosing, chosen, chooses, known)


def _batched(choices: csr_array, settings: Settings) -> Model:
    """Everybody at once: sums over the sparse matrix, then many small systems."""
    chosen, chooses, known = _begin(choices, settings)
    choosing, size = np.zeros_like(chosen), settings.factors
    extra = settings.trust * choices
    total = extra.copy()
    total.data = total.data + 1.0
    tables = [(extra, total), (extra.T.tocsr(), total.T.tocsr())]

    def regressed(table: tuple[Any, Any], numbers: Floats) -> Floats:
        outer = (numbers[:, :, None] * numbers[:, None, :]).reshape(-1, size * size)
        systems = (table[0] @ outer).reshape(-1, size, size)
        systems += numbers.T @ numbers + settings.penalty * np.eye(size)
        return np.asarray(np.linalg.solve(systems, (table[1] @ numbers)[:, :, None])[:, :, 0])

    for _ in range(settings.rounds):
        choosing = regressed(tables[0], chosen)
        chosen = regressed(tables[1], choosing)
    return Model(choosing, chosen, chooses, known)


_LEADER = danced("a", "b", roles=Role.LEADER)
_FOLLOWER = danced("b", roles=Role.FOLLOWER)
_NEWCOMER = danced("n", roles=Role.FOLLOWER)
_SECOND = danced("l", "b", roles=Role.LEADER)

ENTRIES: tuple[Entry, ...] = (
    Entry(
        name="hist.lfrr",
        words="two models learnt from past dances, the leader's wish and the follower's, fused",
        formula="harmonic mean of x_a . y_b (how leaders choose) and u_b . v_a (how followers do), each cut to 0..1",
        source="Neve & Palomares 2019",
        scalar=lfrr,
        fast=lfrr_fast,
        needs_community=True,
        needs_history=True,
        parameters=Settings()._asdict(),
        examples=(
            Example(
                given={"a": _LEADER, "b": _FOLLOWER, "community": Community((_LEADER, _FOLLOWER)), "rounds": 1},
                expected=89.21,
                note="|y| = 1: |x| = 10 / 11 = 0.9091, |y| = 10 |x| / (10 |x|^2 + 1) = 0.9813",
            ),
            Example(
                given={"a": _LEADER, "b": _NEWCOMER, "community": Community((_LEADER, _FOLLOWER, _NEWCOMER))},
                expected=None,
                note="the newcomer has no history",
            ),
            Example(
                given={"a": _LEADER, "b": _SECOND, "community": Community((_LEADER, _FOLLOWER, _SECOND))},
                expected=0.0,
                note="two leaders",
            ),
        ),
    ),
)
