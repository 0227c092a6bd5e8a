"""Nearest questions, against a plain list that is searched the slow way."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from mrblue_cli.gateway.cache.index import Index

DIMENSIONS = 6


def unit(seed: int, dimensions: int = DIMENSIONS) -> np.ndarray:
    vector = np.random.default_rng(seed).normal(size=dimensions)
    return (vector / np.linalg.norm(vector)).astype(np.float32)


class AgainstAList(RuleBasedStateMachine):
    """Any order of additions, removals, uses and expiries leaves what a simple model holds."""

    MAX = 12
    TTL = 50.0

    def __init__(self) -> None:
        super().__init__()
        self.index = Index(DIMENSIONS, max_size=self.MAX, ttl=self.TTL)
        self.model: dict[str, tuple[str, int, float]] = {}  # in order of last use
        self.now = 0.0

    @rule(key=st.integers(0, 20), partition=st.sampled_from("pq"), seed=st.integers(0, 10_000))
    def add(self, key: int, partition: str, seed: int) -> None:
        self.index.add(f"k{key}", partition, f"text {key}", unit(seed), stored_at=self.now)
        self.model.pop(f"k{key}", None)
        while len(self.model) >= self.MAX:
            del self.model[next(iter(self.model))]
        self.model[f"k{key}"] = (partition, seed, self.now)

    @rule(key=st.integers(0, 20))
    def remove(self, key: int) -> None:
        self.index.remove(f"k{key}")
        self.model.pop(f"k{key}", None)

    @rule(key=st.integers(0, 20))
    def touch(self, key: int) -> None:
        self.index.touch(f"k{key}")
        if f"k{key}" in self.model:
            self.model[f"k{key}"] = self.model.pop(f"k{key}")

    @rule(seconds=st.floats(0, 40))
    def expire(self, seconds: float) -> None:
        self.now += seconds
        self.index.expire(self.now)
        self.model = {key: kept for key, kept in self.model.items() if kept[2] + self.TTL > self.now}

    @rule(seed=st.integers(0, 10_000), partition=st.sampled_from("pqr"), count=st.integers(1, 6))
    def search(self, seed: int, partition: str, count: int) -> None:
        asked = unit(seed)
        wanted = sorted(
            (float(unit(kept[1]) @ asked) for kept in self.model.values() if kept[0] == partition), reverse=True
        )
        found = self.index.nearest(partition, asked, count)
        assert [near.similarity for near in found] == pytest.approx(wanted[:count], abs=1e-5)
        for near in found:
            assert near.text == f"text {near.key[1:]}"
            assert near.similarity == pytest.approx(float(unit(self.model[near.key][1]) @ asked), abs=1e-5)

    @invariant()
    def same_size(self) -> None:
        assert len(self.index) == len(self.model) <= self.MAX
        for partition in "pq":
            assert self.index.size_of(partition) == sum(kept[0] == partition for kept in self.model.values())
        assert all(key in self.index and self.index.stored_at(key) == kept[2] for key, kept in self.model.items())


TestAgainstAList = AgainstAList.TestCase
TestAgainstAList.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)


def test_memory_is_given_back() -> None:
    index = Index(DIMENSIONS, max_size=1000, ttl=60.0)
    for number in range(1000):
        index.add(f"k{number}", "p", "t", unit(number), stored_at=0.0)
    for number in range(5, 1000):
        index.remove(f"k{number}")
    rows = index._partitions["p"]
    assert len(rows._matrix) <= 32
    assert {near.key for near in index.nearest("p", unit(1), 9)} == {f"k{number}" for number in range(5)}
    assert len(index._by_age) < 100


def test_a_vector_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match="6 dimensions"):
        Index(DIMENSIONS, max_size=1, ttl=1.0).add("k", "p", "t", unit(1, 5), stored_at=0.0)


def test_ten_thousand_in_one_partition() -> None:
    index = Index(384, max_size=10_000, ttl=60.0)
    vectors = np.random.default_rng(3).normal(size=(10_000, 384)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    for number, vector in enumerate(vectors):
        index.add(f"k{number}", "p", "t", vector, stored_at=0.0)
    near = index.nearest("p", vectors[4321], 5)
    assert near[0].key == "k4321"
    assert near[0].similarity == pytest.approx(1.0, abs=1e-4)
    assert [found.similarity for found in near] == sorted((found.similarity for found in near), reverse=True)
