"""The learnt error bound: on streams whose truth is known, wrong answers among hits stay within it."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrblue_cli.gateway.cache.bound import CHECKED, Curves, ErrorBound, assured

Truth = Callable[[int, float], float]
"""(entry, similarity) -> chance that the entry's answer is right."""

ENTRIES = 60


def always(_chance: np.random.Generator) -> Truth:
    return lambda _entry, _similarity: 1.0


def sharp(chance: np.random.Generator) -> Truth:
    """Each entry is right above a similarity of its own, which may lie beyond 1."""
    centres = chance.uniform(0.8, 1.02, ENTRIES)
    return lambda entry, similarity: float(similarity > centres[entry])


def blurred(chance: np.random.Generator) -> Truth:
    centres = chance.uniform(0.75, 1.0, ENTRIES)
    return lambda entry, similarity: 1 / (1 + math.exp(-60 * (similarity - centres[entry])))


def mixed(chance: np.random.Generator) -> Truth:
    """Some entries are wrong now and then at any similarity."""
    right = chance.choice([1.0, 0.97, 0.9, 0.5], ENTRIES, p=[0.6, 0.1, 0.15, 0.15])
    return lambda entry, _similarity: float(right[entry])


def careless(_chance: np.random.Generator) -> Truth:
    """Every entry is wrong a little too often."""
    return lambda _entry, _similarity: 0.93


def upside_down(_chance: np.random.Generator) -> Truth:
    """No curve of the model fits: the more similar, the worse."""
    return lambda _entry, similarity: 1.0 if similarity < 0.93 else 0.8


def play(bound: ErrorBound, truth: Truth, seed: int, requests: int = 3000) -> tuple[int, int]:
    """Hits and wrong hits over a stream in which some entries are asked for often and most rarely."""
    chance = np.random.default_rng(seed)
    share = 1 / np.arange(1, ENTRIES + 1)
    entries = chance.choice(ENTRIES, requests, p=share / share.sum())
    hits = wrong = 0
    for entry in entries:
        similarity = chance.uniform(0.8, 1.0)
        right = chance.random() < truth(int(entry), similarity)
        if bound.serve(str(entry), similarity, chance.random()):
            hits += 1
            wrong += not right
        else:
            bound.learn(str(entry), similarity, right=bool(right))
    return hits, wrong


@pytest.mark.parametrize("limit", [0.02, 0.05, 0.1])
@pytest.mark.parametrize("world", [always, sharp, blurred, mixed, careless, upside_down])
def test_wrong_hits_stay_within_the_bound(world: Callable[[np.random.Generator], Truth], limit: float) -> None:
    hits = wrong = 0
    for seed in range(3):
        more, bad = play(ErrorBound(limit), world(np.random.default_rng(seed + 100)), seed, 1500)
        hits, wrong = hits + more, wrong + bad
    assert wrong <= limit * hits + 2.5 * math.sqrt(limit * hits) + 1, f"{wrong} of {hits}"


@pytest.mark.parametrize(("limit", "share"), [(0.02, 0.2), (0.05, 0.4), (0.1, 0.6)])
def test_trust_is_earned_where_it_is_deserved(limit: float, share: float) -> None:
    hits, _ = play(ErrorBound(limit), always(np.random.default_rng(0)), seed=1)
    assert hits / 3000 > share


def test_good_entries_are_told_from_bad_ones() -> None:
    bound = ErrorBound(0.05)
    play(bound, lambda entry, _similarity: float(entry % 2 == 0), seed=3)
    assert [bound.trusts(str(entry), 0.97) for entry in range(6)] == [True, False] * 3


def test_the_threshold_of_an_entry_is_found() -> None:
    bound = ErrorBound(0.05)
    chance = np.random.default_rng(5)
    for _ in range(300):
        similarity = chance.uniform(0.8, 1.0)
        bound.learn("e", similarity, right=bool(similarity > 0.9))
    assert bound.trusts("e", 0.97)
    assert not bound.trusts("e", 0.88)


def test_a_new_entry_profits_from_the_others() -> None:
    def needed(bound: ErrorBound) -> int:
        count = 0
        while not bound.trusts("new", 0.97):
            bound.learn("new", 0.97, right=True)
            count += 1
        return count

    seasoned = ErrorBound(0.05)
    play(seasoned, always(np.random.default_rng(0)), seed=1)
    assert needed(seasoned) < needed(ErrorBound(0.05))


def test_when_the_world_turns_hits_stop() -> None:
    bound = ErrorBound(0.05)
    hits, _ = play(bound, always(np.random.default_rng(0)), seed=1)
    play(bound, lambda _entry, _similarity: 0.6, seed=2)
    later, _ = play(bound, lambda _entry, _similarity: 0.6, seed=3)
    assert later < hits / 10


def test_checks_go_on_for_ever() -> None:
    bound = ErrorBound(0.1)
    for _ in range(1000):
        bound.learn("e", 0.98, right=True)
    assert bound.trusts("e", 0.98)
    assert not bound.serve("e", 0.98, CHECKED / 2)
    assert bound.serve("e", 0.98, CHECKED)


def test_young_trust_is_checked_more_often_and_broken_trust_again() -> None:
    bound = ErrorBound(0.1)
    rates = []
    for _ in range(300):
        bound.learn("e", 0.98, right=True)
        rates.append(bound.checked)
    assert rates == sorted(rates, reverse=True)
    bound.learn("e", 0.98, right=False)
    assert bound.checked > rates[-1]


def test_the_allowance_never_exceeds_the_bound_nor_ends_all_checks() -> None:
    bound = ErrorBound(0.1)
    for right in (True, False) * 3:
        for _ in range(300):
            bound.learn("e", 0.98, right=right)
            assert 0 < bound.allowance <= 0.1


@pytest.mark.parametrize("limit", [-0.1, 1.1, math.nan])
def test_a_bound_is_a_share(limit: float) -> None:
    with pytest.raises(ValueError, match="share"):
        ErrorBound(limit)


def test_the_ends_of_the_range() -> None:
    assert ErrorBound(1.0).trusts("e", 0.5)
    never = ErrorBound(0.0)
    for _ in range(300):
        never.learn("e", 1.0, right=True)
    assert not never.trusts("e", 1.0)


def test_the_oldest_model_goes_first_and_a_forgotten_entry_starts_anew() -> None:
    bound = ErrorBound(0.2, max_size=2)
    for key in "abc":
        for _ in range(40):
            bound.learn(key, 0.98, right=False)
    assert set(bound._models) == {"b", "c"}
    bound.forget("b")
    bound.forget("unknown")
    assert set(bound._models) == {"c"}


@given(st.lists(st.tuples(st.floats(0.0, 1.0), st.booleans()), max_size=60), st.sampled_from([0.01, 0.1, 0.5]))
def test_any_history_leaves_a_posterior(history: list[tuple[float, bool]], limit: float) -> None:
    bound = ErrorBound(limit)
    for similarity, right in history:
        bound.learn("e", similarity, right=right)
    posterior = bound._posterior(bound._models.get("e"))
    assert posterior.sum() == pytest.approx(1.0)
    assert (posterior >= 0).all()
    assert np.isfinite(bound._common).all()


@given(st.floats(0.0, 1.0), st.floats(0.0, 1.0))
def test_more_similar_is_never_less_likely(one: float, other: float) -> None:
    curves = Curves(0.05)
    low, high = sorted((one, other))
    assert (curves.at(low) <= curves.at(high) + 1e-12).all()


@given(st.lists(st.tuples(st.floats(0.0, 1.0), st.floats(0.001, 1.0)), min_size=1, max_size=20))
def test_what_is_assured_is_below_what_is_expected(pairs: list[tuple[float, float]]) -> None:
    chances = np.array([chance for chance, _ in pairs])
    weights = np.array([weight for _, weight in pairs])
    weights /= weights.sum()
    assert assured(chances, weights) <= float(chances @ weights) + 1e-9
    assert assured(chances, weights) >= float(chances.min()) - 1e-9
