from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mrblue_cli.matcher import registry
from mrblue_cli.matcher.aggregation import two_sided
from tests.matcher.aggregation.tables import scores

ENTRIES = registry.family("two")
PAIRWISE = [entry for entry in ENTRIES if not entry.listwise]
MEANS = ("two.harmonic", "two.geo", "two.mean", "two.min")
by_name = pytest.mark.parametrize("entry", PAIRWISE, ids=lambda entry: entry.name)
views = st.lists(st.tuples(scores, scores), min_size=1, max_size=6)
few = settings(max_examples=20)


def test_the_family_is_that_of_the_reference():
    assert {entry.name for entry in ENTRIES} == {
        *("two.harmonic", "two.geo", "two.mean", "two.min", "two.product", "two.uninorm", "two.tu"),
    }


@pytest.mark.parametrize(
    ("name", "expected"),
    [("mean", 62.5), ("geo", 50), ("harmonic", 40), ("min", 25), ("product", 25), ("uninorm", 100), ("tu", 62.5)],
)
def test_a_hundred_and_twenty_five(name, expected):
    entry = registry.find(f"two.{name}")
    assert entry.scalar(100.0, 25.0) == pytest.approx(expected)
    assert entry.scalar(25.0, 100.0) == pytest.approx(expected)
    assert np.ravel(entry.fast(np.array([100.0]), np.array([25.0]))) == pytest.approx([expected])


@by_name
def test_worked_examples(entry):
    assert entry.examples
    for example in entry.examples:
        assert entry.scalar(**example.given) == pytest.approx(example.expected, abs=0.005)


@by_name
@few
@given(pairs=views)
def test_both_forms_agree_on_the_scale_and_either_way_round(entry, pairs):
    p, q = np.array(pairs).T
    fast = entry.fast(p, q)
    assert ((fast >= 0) & (fast <= 100)).all()
    assert fast == pytest.approx([entry.scalar(one, other) for one, other in pairs], abs=1e-9)
    assert fast.tolist() == entry.fast(q, p).tolist()


@by_name
def test_a_view_that_is_not_known_leaves_the_pair_unknown(entry):
    p, q = np.array([np.nan, 50.0, np.nan, 0.0]), np.array([50.0, np.nan, np.nan, np.nan])
    assert np.isnan(entry.fast(p, q)).all()


@by_name
@few
@given(p=scores, q=scores, better=scores)
def test_a_warmer_view_never_lowers_the_score(entry, p, q, better):
    assert entry.scalar(max(p, better), q) >= entry.scalar(p, q) - 1e-9


@pytest.mark.parametrize("name", MEANS)
@few
@given(p=scores, q=scores)
def test_means_lie_between_both_views(name, p, q):
    found = registry.find(name).scalar(p, q)
    assert min(p, q) - 1e-9 <= found <= max(p, q) + 1e-9
    assert two_sided.worse(p, q) <= two_sided.harmonic(p, q) + 1e-9
    assert two_sided.harmonic(p, q) <= two_sided.geometric(p, q) + 1e-9
    assert two_sided.geometric(p, q) <= two_sided.mean(p, q) + 1e-9


@few
@given(p=scores, q=scores)
def test_a_uninorm_strengthens_what_both_feel(p, q):
    found = two_sided.uninorm(p, q)
    if min(p, q) >= 50:
        assert found >= max(p, q) - 1e-9
    elif max(p, q) <= 50:
        assert found <= min(p, q) + 1e-9
    assert two_sided.uninorm(p, 50.0) == pytest.approx(p)
    assert two_sided.uninorm(p, 0.0) == 0.0


def test_a_full_yes_against_a_full_no_is_a_no():
    assert two_sided.uninorm(0.0, 100.0) == two_sided.uninorm(100.0, 0.0) == 0.0
    assert two_sided.uninorm_fast(np.array([0.0, 100.0]), np.array([100.0, 0.0])).tolist() == [0.0, 0.0]
