"""Sets of tags: the family's inequalities, and everybody's tags counted by hand."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mrblue_cli.core.errors import UsageError
from mrblue_cli.matcher.compiled import Community
from mrblue_cli.matcher.criteria import set_minhash, set_weighted, sets
from mrblue_cli.matcher.model import Role, User
from mrblue_cli.matcher.registry import family, find

TAGS = ("canyengue", "milonga", "nuevo", "salon", "vals")
some = st.lists(st.sampled_from(TAGS), min_size=1, unique=True).map(sorted)
COUNTED = ("set.jaccard", "set.dice", "set.overlap", "set.ochiai", "set.kulczynski", "set.tversky", "set.minhash")


def likes(name, tags):
    return User(id=name, roles=Role.BOTH, styles=tuple(sorted(tags)))


def value(name, ours, theirs, **more):
    return find(name).scalar(likes("a", ours), likes("b", theirs), **more).value


@given(some, some)
def test_how_the_indexes_lie_to_each_other(ours, theirs):
    jaccard, dice, overlap, ochiai, kulczynski = (value(name, ours, theirs) for name in COUNTED[:5])
    assert jaccard <= dice + 1e-9
    assert dice <= ochiai + 1e-9
    assert ochiai <= kulczynski + 1e-9
    assert kulczynski <= overlap + 1e-9
    assert dice == pytest.approx(100 * 2 * jaccard / (100 + jaccard))
    assert value("set.tversky", ours, theirs, mine=1.0, yours=1.0) == pytest.approx(jaccard)
    assert value("set.tversky", ours, theirs, mine=0.5, yours=0.5) == pytest.approx(dice)
    # What I like and the other does not weighs more in my eyes.
    seen_by_longer = value("set.tversky", *sorted((ours, theirs), key=len, reverse=True))
    assert seen_by_longer <= value("set.tversky", *sorted((ours, theirs), key=len)) + 1e-9


@pytest.mark.parametrize("name", COUNTED)
@given(ours=some, theirs=some)
def test_the_same_tags_are_100_and_none_in_common_0(name, ours, theirs):
    assert value(name, ours, ours) == 100
    assert value(name, ours, [f"not {tag}" for tag in theirs]) == 0


@pytest.mark.parametrize("name", ["set.smc", "set.tfidf", "set.soft"])
@given(drawn=st.lists(some, min_size=2, max_size=6))
def test_the_same_tags_are_100_whoever_else_is_there(name, drawn):
    people = [likes(f"p{n}", tags) for n, tags in enumerate((drawn[0], *drawn))]
    community = Community(people)
    assert find(name).scalar(people[0], people[1], community=community).value == pytest.approx(100, abs=1e-9)
    # Somebody's own row against itself stays within bounds too.
    rows = np.arange(len(people))
    np.testing.assert_allclose(find(name).fast(community, rows, rows), 100.0, rtol=0, atol=1e-9)


@settings(max_examples=60)
@given(st.lists(st.one_of(st.just([]), some), min_size=2, max_size=7))
def test_everybodys_tags_counted_one_by_one(drawn):
    people = [likes(f"p{n}", tags) for n, tags in enumerate(drawn)]
    community = Community(people)
    named = [set(tags) for tags in drawn]
    used = sorted(set().union(*named))
    holders = {tag: {n for n, tags in enumerate(named) if tag in tags} for tag in used}
    talkers = sum(bool(tags) for tags in named)
    for i, j in combinations(range(len(people)), 2):
        found = {
            name: find(name).scalar(people[i], people[j], community=community).value
            for name in ("set.smc", "set.tfidf", "set.soft")
        }
        if not named[i] or not named[j]:
            assert set(found.values()) == {None}
            continue
        agreed = sum((tag in named[i]) == (tag in named[j]) for tag in used)
        assert found["set.smc"] == pytest.approx(100 * agreed / len(used))
        weight = np.array([math.log(1 + talkers / len(holders[tag])) for tag in used])
        u, v = (np.array([tag in named[n] for tag in used]) for n in (i, j))
        cosine = (u * weight) @ (v * weight) / np.linalg.norm(u * weight) / np.linalg.norm(v * weight)
        assert found["set.tfidf"] == pytest.approx(100 * cosine)
        alike = np.array([
            [len(holders[s] & holders[t]) / math.sqrt(len(holders[s]) * len(holders[t])) for s in used] for t in used
        ])  # fmt: skip
        soft = u @ alike @ v / math.sqrt((u @ alike @ u) * (v @ alike @ v))
        assert found["set.soft"] == pytest.approx(100 * soft)


def test_a_rare_tag_in_common_says_more_than_one_that_everybody_has():
    people = [likes("a", ["salon", "canyengue"]), likes("b", ["canyengue", "vals"]), likes("c", ["salon", "vals"])]
    people += [likes(f"p{n}", ["salon"]) for n in range(20)]
    community = Community(people)
    rare = set_weighted.rare(people[0], people[1], community=community).value
    common = set_weighted.rare(people[0], people[2], community=community).value
    assert rare > 60
    assert common < 10


def test_related_tags_help_and_it_is_said():
    bridge = [likes(f"p{n}", ["nuevo", "salon"]) for n in range(3)]
    a, b = likes("a", ["nuevo"]), likes("b", ["salon"])
    told = set_weighted.related(a, b, community=Community([a, b, *bridge]))
    assert told.value == pytest.approx(75)
    assert told.why == "a and b have no styles in common, but related ones"
    assert set_weighted.related(a, b, community=Community([a, b])).why == "a and b have no styles in common"


def test_more_tags_than_fit_a_square_give_the_same():
    # 1,100 tags in chains: each person shares a tag with the next.
    people = [likes(f"p{n:03}", [f"t{n * 10 + k}" for k in range(11)]) for n in range(110)]
    community = Community(people)
    assert len(community.style_names) > set_weighted._DENSE
    rows = np.arange(109)
    fast = set_weighted.related_fast(community, rows, rows + 1)
    # Each has nine tags that nobody else has, and one link to either neighbour. The nine are named by the same one
    # person, so they are wholly related; a link is named by two, and related to the nine by 1 / sqrt(2), to the link
    # on the other side by 1/2.
    nine = 9 / math.sqrt(2)
    whole = 9 * 9 + 2 * 2 * nine + 2 + 2 / 2
    # The shared link with itself, with the nine and the far link of the next, and likewise from the other side.
    shared = 1 + nine + 1 / 2 + nine + 1 / 2
    assert fast[1:-1].tolist() == pytest.approx([100 * shared / whole] * 107)
    plain = [set_weighted.related(people[n], people[n + 1], community=community).value for n in (0, 50, 108)]
    assert plain == pytest.approx(fast[[0, 50, 108]].tolist())
    assert set_weighted.related_fast(community, np.array([0]), np.array([5])).tolist() == [0.0]


def test_a_stranger_is_refused_not_misread():
    a, b = likes("a", ["salon"]), likes("b", ["vals"])
    for name in ("set.tfidf", "set.soft"):
        with pytest.raises(UsageError, match="not of this community"):
            find(name).scalar(a, b, community=Community([a]))
    assert find("set.smc").scalar(a, b, community=Community([a])).value == 0


def test_signatures_estimate_jaccard():
    made = np.random.default_rng(7)
    names = [f"tag {n}" for n in range(60)]
    people = [
        likes(f"p{n:03}", [names[k] for k in made.choice(60, size=int(made.integers(1, 40)), replace=False)])
        for n in range(120)
    ]
    community = Community(people)
    left, right = np.triu_indices(len(people), 1)
    error = set_minhash.minhash_fast(community, left, right) - sets.jaccard_fast(community, left, right)
    # Standard error at most 4.4 points; estimates lean to neither side.
    assert abs(error.mean()) < 1.0
    assert math.sqrt((error**2).mean()) < 4.5
    more = set_minhash.minhash_fast(community, left, right, hashes=1024)
    assert math.sqrt(((more - sets.jaccard_fast(community, left, right)) ** 2).mean()) < 1.7


def test_signatures_depend_on_the_tags_alone():
    a, b = likes("a", ["salon", "vals"]), likes("b", ["salon", "nuevo"])
    others = [likes(f"p{n}", [f"x{n}"]) for n in range(30)]
    pair = np.array([0]), np.array([1])
    alone, among = (set_minhash.minhash_fast(Community(people), *pair)[0] for people in ([a, b], [b, *others, a]))
    assert alone == among == set_minhash.minhash(b, a).value
    first, second = set_minhash.hashed(["salon"], 16), set_minhash.hashed(["salon"], 128)
    np.testing.assert_array_equal(first, second[:, :16])


def test_all_entries_read_the_music_when_told_to():
    a = User(id="a", roles=Role.BOTH, styles=("salon",), music=(("biagi", 1.0), ("troilo", 2.0)))
    b = User(id="b", roles=Role.BOTH, styles=("vals",), music=(("biagi", 5.0), ("troilo", 0.5)))
    community = Community([a, b])
    for entry in family("set"):
        more = {"community": community} if entry.needs_community else {}
        assert entry.scalar(a, b, of="music", **more).value == pytest.approx(100), entry.name
        assert entry.scalar(a, b, **more).value == 0, entry.name


def test_reasons_name_what_is_shared_but_not_for_ever():
    told = sets.jaccard(likes("a", TAGS), likes("b", TAGS))
    assert told.brief == "both like canyengue, milonga, nuevo, salon and 1 more"
    assert told.why == f"{told.brief}: 5 of the 5 styles that they name"
    rare = sets.jaccard(likes("a", TAGS), likes("b", [TAGS[0]]))
    assert rare.brief == f"only {TAGS[0]} in common"
    assert sets.jaccard(likes("b", []), likes("a", [])).why == "a and b named no styles"
