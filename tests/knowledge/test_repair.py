"""Typos, run-together words and identifiers cut apart are understood."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mrblue_cli.knowledge.compiled import build
from mrblue_cli.knowledge.model import Entry, Risk, Solution
from mrblue_cli.knowledge.repair import repaired, split_run

ENTRY = Entry(
    id="docker/daemon",
    title="The Docker daemon is not running",
    category="docker",
    symptoms=("Cannot connect to the Docker daemon", "EADDRINUSE: address already in use", "no such file or directory"),
    spoken=(),
    causes=("stopped",),
    solutions=(Solution("Start it", ("systemctl start docker",), 90, Risk.CHANGES),),
    sources=(),
    matches=(),
    rejects=(),
)
INDEX = build([ENTRY])


def test_a_typo_is_what_it_was_meant_to_be():
    found = repaired(INDEX, ["dcoker", "damon"])
    assert found.meant == {"dcoker": ("docker",), "damon": ("daemon",)}
    assert all(0.7 < sure < 1.0 for sure in found.quality.values())


def test_words_run_together_are_cut():
    assert split_run(INDEX.tables.weights, "nosuchfile") == ("no", "such", "file")
    assert repaired(INDEX, ["nosuchfile"]).meant["nosuchfile"] == ("no", "such", "file")


def test_identifiers_cut_apart_are_joined():
    assert "eaddrinuse" in repaired(INDEX, ["eaddr", "inuse"]).quality


def test_words_that_resemble_nothing_stay_unknown():
    assert repaired(INDEX, ["zzyzx", "12345", "ab"]).quality == {}


@given(st.lists(st.text(alphabet="abcdefghijklmnopqrstuvwxyz", max_size=30), max_size=40))
def test_any_words(words):
    found = repaired(INDEX, words)
    assert all(word in INDEX.tables.weights for word in found.quality)
    assert all(0 <= sure <= 1 for sure in found.quality.values())
