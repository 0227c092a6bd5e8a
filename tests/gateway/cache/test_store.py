"""Answers in memory: bounded by number, by bytes and by age."""

from __future__ import annotations

from collections import OrderedDict

import msgspec
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from mrblue_cli.gateway.cache.records import CachedAnswer, Question
from mrblue_cli.gateway.cache.store import MemoryStore
from tests.gateway.cache.fakes import START, FakeClock, answer


def sized(size: int, at: float) -> CachedAnswer:
    return msgspec.structs.replace(answer(at=at), body=b"x" * size)


def instantly(work):
    """The memory store never waits: its coroutines end on the first step."""
    try:
        work.send(None)
    except StopIteration as end:
        return end.value
    raise AssertionError("the memory store waited")


class AgainstADict(RuleBasedStateMachine):
    MAX = 6
    BYTES = 64_000
    TTL = 30.0

    def __init__(self) -> None:
        super().__init__()
        self.clock = FakeClock()
        self.gone: list[str] = []
        self.store = MemoryStore(max_size=self.MAX, ttl=self.TTL, wall=self.clock.wall, max_bytes=self.BYTES)
        self.store.on_gone(self.gone.append)
        self.model: OrderedDict[str, CachedAnswer] = OrderedDict()

    def expire(self) -> None:
        for key in [key for key, kept in self.model.items() if kept.stored_at + self.TTL <= self.clock.time]:
            del self.model[key]

    @rule(key=st.integers(0, 9), size=st.integers(0, 5000))
    def put(self, key: int, size: int) -> None:
        self.expire()
        kept = sized(size, self.clock.time)
        fits = kept.size <= self.BYTES // 16
        assert instantly(self.store.put(f"k{key}", kept)) == fits
        self.model.pop(f"k{key}", None)
        if fits:
            self.model[f"k{key}"] = kept
        while len(self.model) > self.MAX or sum(kept.size for kept in self.model.values()) > self.BYTES:
            self.model.popitem(last=False)

    @rule(key=st.integers(0, 9))
    def get(self, key: int) -> None:
        self.expire()
        assert instantly(self.store.get(f"k{key}")) == self.model.get(f"k{key}")
        if f"k{key}" in self.model:
            self.model.move_to_end(f"k{key}")

    @rule(seconds=st.floats(0, 20))
    def wait(self, seconds: float) -> None:
        self.clock.time += seconds

    @invariant()
    def bounded(self) -> None:
        assert len(self.store) <= self.MAX
        assert self.store.bytes <= self.BYTES
        assert self.store.bytes == sum(kept.size for kept in self.store._kept.values())
        assert set(self.model) <= set(self.store._kept) | set(self.gone)


def test_any_order_of_puts_gets_and_time() -> None:
    run_state_machine_as_test(AgainstADict, settings=settings(max_examples=60, stateful_step_count=40, deadline=None))


def test_whoever_watches_hears_what_left() -> None:
    clock, gone = FakeClock(), []
    store = MemoryStore(max_size=2, ttl=10.0, wall=clock.wall)
    store.on_gone(gone.append)
    for key in "abc":
        instantly(store.put(key, answer()))
    assert gone == ["a"]
    clock.time += 10
    assert instantly(store.get("b")) is None
    assert gone == ["a", "b"]
    instantly(store.put("d", answer(at=clock.time)))
    assert gone == ["a", "b", "c"]


def test_a_newer_answer_takes_the_older_ones_place_without_a_farewell() -> None:
    gone: list[str] = []
    store = MemoryStore(max_size=2, ttl=10.0, wall=lambda: START)
    store.on_gone(gone.append)
    instantly(store.put("a", answer("old")))
    instantly(store.put("a", answer("new")))
    assert instantly(store.get("a")) == answer("new")
    assert (len(store), gone) == (1, [])


def test_one_answer_cannot_push_out_all_others() -> None:
    store = MemoryStore(max_size=10, ttl=10.0, wall=lambda: START, max_bytes=16_000)
    instantly(store.put("a", answer()))
    assert not instantly(store.put("b", sized(2000, START)))
    assert instantly(store.get("a")) is not None
    assert instantly(store.get("b")) is None


def test_the_same_key_again_and_again_does_not_grow() -> None:
    store = MemoryStore(max_size=10, ttl=1e9, wall=lambda: START)
    for _ in range(2000):
        instantly(store.put("a", answer()))
    assert len(store._by_age) < 100


def test_alone_there_is_no_news() -> None:
    store = MemoryStore(max_size=10, ttl=10.0, wall=lambda: START)
    instantly(store.publish(Question(key="k", partition="p", text="t", vector=b"", stored_at=START)))
    assert instantly(store.news()) == ((), False)
    instantly(store.close())
