"""Taste criteria against other roads to the same numbers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import jensenshannon
from scipy.stats import kendalltau

from mrblue_cli.core.errors import UsageError
from mrblue_cli.matcher import registry
from mrblue_cli.matcher.compiled import Community
from mrblue_cli.matcher.criteria import taste, taste_ranks
from mrblue_cli.matcher.model import Role, User

TAGS = tuple(f"t{number}" for number in range(6))
ENTRIES = {entry.name: entry for entry in registry.family("taste")}
WEIGHTS = st.one_of(st.sampled_from((1.0, 1.0, 2.0, 3.0)), st.floats(0.01, 100))
tastes = st.dictionaries(st.sampled_from(TAGS), WEIGHTS, min_size=1)
quick = settings(deadline=None, max_examples=60)


def person(name, music):
    return User(id=name, roles=Role.BOTH, music=tuple(sorted(music.items())))


def score(name, ours, theirs, *others, **parameters):
    """The plain form, after the fast one said the same."""
    people = [person("a", ours), person("b", theirs), *(person(f"o{n}", music) for n, music in enumerate(others))]
    community, entry = Community(people), ENTRIES[name]
    more = {"community": community} if entry.needs_community else {}
    value = entry.scalar(*people[:2], **more, **parameters).value
    rows = [np.array([community.rows[name]]) for name in "ab"]
    assert entry.fast(community, *rows, **parameters)[0] == pytest.approx(value, abs=1e-9, nan_ok=True)
    return value


def dense(music, tags=TAGS):
    return np.array([music.get(tag, 0.0) for tag in tags])


@quick
@given(tastes, tastes)
def test_vectors_and_shares_by_libraries(ours, theirs):
    u, v = dense(ours), dense(theirs)
    assert score("taste.cosine", ours, theirs) == pytest.approx(100 * u @ v / np.linalg.norm(u) / np.linalg.norm(v))
    assert score("taste.ruzicka", ours, theirs) == pytest.approx(100 * np.minimum(u, v).sum() / np.maximum(u, v).sum())
    assert score("taste.bhatta", ours, theirs) == pytest.approx(100 * np.sqrt(u / u.sum() * v / v.sum()).sum())
    # The library gives the root of the divergence.
    divergence = np.nan_to_num(jensenshannon(u, v, base=2)) ** 2
    assert score("taste.jsd", ours, theirs) == pytest.approx(100 * (1 - divergence), abs=1e-5)


@quick
@given(tastes, tastes)
def test_pearson_is_the_correlation_over_all_tags_of_the_community(ours, theirs):
    u, v = dense(ours), dense(theirs)
    assume(np.ptp(u) > 0.01 and np.ptp(v) > 0.01)
    others = dict.fromkeys(TAGS, 1.0)
    expected = 50 * (1 + np.corrcoef(u, v)[0, 1])
    assert score("taste.pearson", ours, theirs, others) == pytest.approx(expected, abs=1e-7)


def test_pearson_of_somebody_who_likes_everything_alike():
    flat, other = dict.fromkeys(TAGS[:3], 0.1), dict.fromkeys(TAGS[:3], 7.0)
    assert score("taste.pearson", flat, other) == 100
    assert score("taste.pearson", flat, {"t0": 1.0}) == 50
    assert score("taste.pearson", flat, {"t0": 1.0, "t1": 1.0, "t2": 1.0 + 1e-12}) == 100
    # One more tag in the community and there is a direction again.
    assert score("taste.pearson", flat, {"t0": 1.0}, {"t5": 1.0}) == pytest.approx(50 * (1 + 1 / 3))


@quick
@given(st.permutations(TAGS), st.permutations(TAGS))
def test_kendall_of_full_rankings_is_tau(ours, theirs):
    u, v = ({tag: 1.0 + place for place, tag in enumerate(order)} for order in (ours, theirs))
    expected = 50 * (1 + kendalltau(dense(u), dense(v)).statistic)
    assert score("taste.kendall", u, v) == pytest.approx(expected)


@quick
@given(tastes, tastes)
def test_kendall_pair_by_pair(ours, theirs):
    union = sorted(ours.keys() | theirs.keys())
    verdicts = []
    for at, one in enumerate(union):
        for other in union[at + 1 :]:
            signs = [np.sign(music.get(one, 0) - music.get(other, 0)) for music in (ours, theirs)]
            if any(signs):
                verdicts.append(1.0 if signs[0] == signs[1] else 0.0 if signs[0] == -signs[1] else 0.5)
    assert score("taste.kendall", ours, theirs) == pytest.approx(100 * np.mean(verdicts) if verdicts else 100)


@quick
@given(st.permutations(TAGS), st.permutations(TAGS), st.integers(1, 6), st.integers(1, 6), st.floats(0.05, 0.95))
def test_rbo_without_ties_is_the_published_formula(ours, theirs, size, other, p):
    ours, theirs = ours[:size], theirs[:other]
    short, long = sorted((ours, theirs), key=len)
    s, l = len(short), len(long)  # noqa: E741 - the letters of the paper
    overlap = [len(set(short[:d]) & set(long[:d])) for d in range(l + 1)]
    total = sum(overlap[d] / d * p**d for d in range(1, l + 1))
    total += sum(overlap[s] * (d - s) / (s * d) * p**d for d in range(s + 1, l + 1))
    expected = (1 - p) / p * total + ((overlap[l] - overlap[s]) / l + overlap[s] / s) * p**l
    found = score(
        "taste.rbo", *({tag: 10.0 - place for place, tag in enumerate(order)} for order in (ours, theirs)), p=p
    )
    assert found == pytest.approx(100 * expected, abs=1e-7)


@quick
@given(st.tuples(*[WEIGHTS] * 6).map(lambda weights: dict(zip(TAGS, weights, strict=True))), st.floats(0.05, 0.95))
def test_rbo_of_one_list_goes_on_to_the_end_of_the_world(music, p):
    # Agreement at each depth, seen far enough: the extrapolated value is the limit.
    other = {"t0": 3.0, "t1": 2.0, "t2": 2.0, "t3": 1.0, "t4": 0.5, "t5": 0.25}

    def top(ranked, depth):
        return {tag for tag in ranked if 1 + sum(weight > ranked[tag] for weight in ranked.values()) <= depth}

    total = 0.0
    for depth in range(1, 400):
        seen, mine = top(music, depth), top(other, depth)
        total += (1 - p) * p ** (depth - 1) * 2 * len(seen & mine) / (len(seen) + len(mine))
    assert score("taste.rbo", music, other, p=p) == pytest.approx(100 * total, abs=1e-4)


@pytest.mark.parametrize("p", [0.0, 1.0, -0.5, float("nan")])
def test_rbo_refuses_a_p_that_is_no_chance(p):
    with pytest.raises(UsageError, match="between 0 and 1"):
        score("taste.rbo", {"t0": 1.0}, {"t0": 1.0}, p=p)
    with pytest.raises(UsageError, match="between 0 and 1"):
        taste_ranks.rbo_fast(Community(()), np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64), p=p)


@quick
@given(tastes, tastes, st.sampled_from((0.001, 3.0, 1e200)))
def test_only_ruzicka_minds_the_unit_of_weights(ours, theirs, scale):
    louder = {tag: weight * scale for tag, weight in ours.items()}
    for name in ENTRIES.keys() - {"taste.ruzicka", "taste.emd"}:
        assert score(name, louder, theirs) == pytest.approx(score(name, ours, theirs), abs=1e-6), name
    both = {tag: weight * scale for tag, weight in theirs.items()}
    assert score("taste.ruzicka", louder, both) == pytest.approx(score("taste.ruzicka", ours, theirs), abs=1e-6)


@quick
@given(tastes)
def test_the_same_taste_is_a_hundred_and_no_common_tag_is_nothing(music):
    stranger = {"elsewhere": 1.0, "nowhere": 2.0}
    for name in ENTRIES.keys() - {"taste.emd"}:
        assert score(name, music, dict(music)) == pytest.approx(100), name
        apart = score(name, music, stranger)
        # Orders within one side's own tags are no disagreement, and a correlation of strangers is weakly negative.
        mild = name in {"taste.kendall", "taste.pearson"}
        assert apart < 50 if mild else apart == pytest.approx(0, abs=1e-9), name


def test_weights_at_the_ends_of_the_scale():
    huge, tiny = {"t0": 1.7e308, "t1": 1.7e308, "t2": 5e-324}, {"t0": 5e-324, "t1": 1e-300}
    for name in ENTRIES.keys() - {"taste.emd"}:
        for ours, theirs in ((huge, huge), (huge, tiny), (tiny, tiny)):
            value = score(name, ours, theirs, {"t5": 1.0})
            assert 0 <= value <= 100, name
        assert score(name, huge, huge) == pytest.approx(100), name


def test_long_lists_and_many_pairs_are_done_in_parts():
    chance = np.random.default_rng(1)
    names = [f"tag {number:03}" for number in range(200)]
    people = [
        person(f"p{number}", dict(zip(names, (chance.integers(1, 9, 200 - 20 * number) / 1).tolist(), strict=False)))
        for number in range(8)
    ]
    community = Community(people)
    left, right = chance.integers(0, 8, (2, 3000))
    for name in ("taste.kendall", "taste.rbo"):
        values = ENTRIES[name].fast(community, left, right)
        for at in (0, 1400, 2999):
            plain = ENTRIES[name].scalar(people[left[at]], people[right[at]])
            assert values[at] == pytest.approx(plain.value, abs=1e-9), name


def test_reasons_name_what_both_like():
    ours, theirs = person("Ana", {"biagi": 1.0, "troilo": 2.0}), person("Beto", {"troilo": 1.0})
    assert "troilo" in taste.cosine(ours, theirs).why
    assert "biagi" not in taste.cosine(ours, theirs).why
    unknown = taste.cosine(ours, User(id="Caro", roles=Role.BOTH))
    assert unknown.value is None
    assert "Caro" in unknown.why
