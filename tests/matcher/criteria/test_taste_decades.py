"""Which decade a tag means, and how far tastes lie apart in decades."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import wasserstein_distance

from mrblue_cli.core.errors import UsageError
from mrblue_cli.matcher.compiled import Community
from mrblue_cli.matcher.criteria.taste_decades import ORCHESTRAS, dated, decades, emd, emd_fast, folded
from mrblue_cli.matcher.model import Role, User


def person(name, *tags, **music):
    weights = dict.fromkeys(tags, 1.0) | {tag.replace("_", " "): weight for tag, weight in music.items()}
    return User(id=name, roles=Role.BOTH, music=tuple(sorted(weights.items())))


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        ("1940s", (1940,)),
        ("40s", (1940,)),
        ("'40s", (1940,)),
        ("1940's", (1940,)),
        ("años 40", (1940,)),
        ("an\u0303os 40", (1940,)),
        ("los 40", (1940,)),
        ("anni 50", (1950,)),
        ("années 30", (1930,)),
        ("40er", (1940,)),
        ("1940er jahre", (1940,)),
        ("1938", (1930,)),
        ("the 2010s", (2010,)),
        ("00s", (2000,)),
        ("20s", (1920,)),
        ("1935-1939", (1930,)),
        ("1935–1952", (1930, 1940, 1950)),
        ("30s and 40s", (1930, 1940)),
        ("troilo", (1940,)),
        ("aníbal troilo", (1940,)),
        ("d'arienzo", (1930,)),
        ("d’arienzo", (1930,)),
        ("juan darienzo", (1930,)),
        ("d'arienzo 1950s", (1950,)),
        ("la juan d'arienzo", (2010,)),
        ("lucio demare", (1940,)),
        ("miguel caló", (1940,)),
        ("tanturi-castillo", (1940,)),
        ("canaro / troilo", (1930, 1940)),
        ("orquesta típica víctor", (1930,)),
        ("carlos di sarli", (1940,)),
        ("gotan project", (2000,)),
        ("vals", ()),
        ("calor", ()),
        ("milonga 2x4", ()),
        ("1780", ()),
        ("1810s", ()),
        ("2090", ()),
        ("100s", ()),
        ("40", ()),
        ("", ()),
    ],
)
def test_a_tag_and_its_decade(tag, expected):
    assert decades(tag) == expected


def test_every_orchestra_of_the_table_is_written_as_tags_are_read():
    names = [name for group in ORCHESTRAS.values() for name in group]
    assert len(names) == len(set(names))
    for decade, group in ORCHESTRAS.items():
        for name in group:
            assert folded(name) == name
            assert decades(name) == (decade,)
            assert decades(f"Orquesta {name.upper()}") == (decade,)


@given(st.text(max_size=30))
def test_any_text_is_read_and_folding_is_final(text):
    found = decades(text)
    assert list(found) == sorted(set(found))
    assert all(1900 <= decade <= 2050 and decade % 10 == 0 for decade in found)
    assert folded(folded(text)) == folded(text)


def test_weights_go_to_decades_by_share():
    assert dated(person("a", **{"1930s": 1.0, "1940s": 3.0, "vals": 9.0})) == {1930: 0.25, 1940: 0.75}
    assert dated(person("a", **{"canaro / troilo": 1.0, "1930s": 1.0})) == {1930: 0.75, 1940: 0.25}
    assert dated(person("a", "vals")) == {}
    assert dated(person("a")) == {}


YEARS = ("1930s", "1940s", "1950s", "1960s", "2010s", "1935-1944")
tastes = st.dictionaries(st.sampled_from(YEARS), st.floats(0.1, 10), min_size=1)


@settings(deadline=None)
@given(tastes, tastes, st.sampled_from((1.0, 4.0, 11.0)))
def test_work_is_that_of_a_library(ours, theirs, span):
    people = person("a", **ours), person("b", **theirs)
    shares = [dated(user) for user in people]
    moved = wasserstein_distance(*([decade / 10 for decade in s] for s in shares), *(list(s.values()) for s in shares))
    expected = 100 * max(0.0, 1 - moved / span)
    assert emd(*people, span=span).value == pytest.approx(expected, abs=1e-9)
    found = emd_fast(Community(people), np.array([0, 1]), np.array([1, 0]), span=span)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-9)


@pytest.mark.parametrize("span", [0.0, -1.0, float("nan"), float("inf")])
def test_a_span_is_some_decades(span):
    with pytest.raises(UsageError, match="span"):
        emd(person("a", "1930s"), person("b", "1940s"), span=span)


def test_reasons_speak_of_decades():
    ana, beto, vals = person("Ana", "troilo", "biagi", "canaro"), person("Beto", "1930s"), person("Caro", "vals")
    assert emd(ana, beto).why == "Ana leans to the 1940s, Beto to the 1930s"
    assert emd(beto, person("D", "donato")).brief == "both lean to the 1930s"
    assert emd(ana, vals).value is None
    assert emd(ana, vals).why.startswith("Caro ")
    # Equal shares: the earlier decade is named, whatever came first.
    assert "1930s" in emd(person("E", "1950s", "1930s"), beto).brief
