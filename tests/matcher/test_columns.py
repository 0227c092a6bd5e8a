"""Rows of different length, names as codes, people as columns."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrblue_cli.matcher.columns import NameBuilder, Ragged, RaggedBuilder, Vocabulary
from mrblue_cli.matcher.compiled import Community
from mrblue_cli.matcher.model import Place, Role, User

rows = st.lists(st.lists(st.integers(0, 150), max_size=5, unique=True).map(sorted), max_size=8)


def listed(ragged):
    return [ragged.row(index).tolist() for index in range(len(ragged.start) - 1)]


@given(rows)
def test_rows_come_back_from_both_ways_in(drawn):
    builder = RaggedBuilder("q")
    for row in drawn:
        builder.append(row)
    for made in (Ragged.of(drawn), builder.done()):
        assert listed(made) == drawn
        assert made.sizes.tolist() == [len(row) for row in drawn]
        assert made.values.dtype == np.int64


@given(rows.filter(bool), st.data())
def test_taking_rows_in_another_order_some_twice_some_not_at_all(drawn, data):
    order = data.draw(st.lists(st.integers(0, len(drawn) - 1), max_size=10))
    taken = Ragged.of(drawn).take(np.array(order, dtype=np.int64))
    assert listed(taken) == [drawn[index] for index in order]


@given(rows)
def test_bits_hold_the_same_codes(drawn):
    bits = Ragged.of(drawn).bits(151)
    assert bits.shape == (len(drawn), 3)
    for row, words in zip(drawn, bits.tolist(), strict=True):
        assert [code for code in range(192) if words[code // 64] >> (code % 64) & 1] == row


def test_bits_of_no_codes_are_one_empty_word():
    assert Ragged.of([[], []]).bits(0).tolist() == [[0], [0]]
    assert Ragged.of([]).bits(0).shape == (0, 1)
    assert Ragged.of([[63, 64]]).bits(65).tolist() == [[1 << 63, 1]]


@given(rows, st.permutations(range(151)))
def test_codes_that_changed_their_meaning_are_sorted_anew(drawn, codes):
    assert listed(Ragged.of(drawn).remapped(np.array(codes))) == [sorted(codes[code] for code in row) for row in drawn]


@given(st.lists(st.text(max_size=3), max_size=10))
def test_codes_follow_the_order_of_names_whatever_came_first(names):
    builder = NameBuilder()
    first = [builder.code(name) for name in names]
    vocabulary, codes = builder.done()
    assert list(vocabulary.names) == sorted(set(names) - {""})
    assert [vocabulary.name(int(codes[code])) for code in first] == names
    assert vocabulary.code("never seen") == -1


def test_an_unknown_name_has_no_code_and_no_text():
    vocabulary = Vocabulary(["b", "a", "b"])
    assert (len(vocabulary), vocabulary.code("b"), vocabulary.code("c"), vocabulary.name(-1)) == (2, 1, -1, "")


def test_an_id_that_comes_twice_is_refused():
    with pytest.raises(ValueError, match="twice"):
        Community([User(id="a", roles=Role.LEADER), User(id="a", roles=Role.FOLLOWER)])


def test_nobody_is_a_community_too():
    nobody = Community([])
    assert len(nobody) == 0
    assert nobody.ids == []
    assert nobody.styles.shape == nobody.music.shape == (0, 1)
    assert nobody.lat.shape == nobody.roles.shape == nobody.city.shape == (0,)
    assert nobody.hours.sizes.tolist() == []


def test_one_city_name_in_two_countries_is_two_cities():
    places = [
        *(Place(city="Paris", country="FR"), Place(city="PARIS", country="FR"), Place(city="Paris", country="US")),
        *(Place(city="Paris"), Place(country="FR"), Place()),
    ]
    made = Community(User(id=str(n), roles=Role.BOTH, place=place) for n, place in enumerate(places))
    assert made.city[0] == made.city[1]
    assert len(set(made.city.tolist())) == 4
    assert made.city[4] == made.city[5] == made.country[3] == -1


def test_what_is_derived_is_made_once():
    community, made = Community([]), []
    for _ in range(2):
        assert community.derived("key", lambda: made.append(1) or "value") == "value"
    assert made == [1]


def test_strangers_leave_no_row_in_history():
    people = [
        User(id="b", roles=Role.BOTH, history=(("a", 2.0), ("gone", 9.0)), blocked=frozenset({"gone"})),
        User(id="a", roles=Role.BOTH, history=(("b", 1.0),), partners=("gone", "b")),
    ]
    community = Community(people)
    assert listed(community.history) == [[1], [0]]
    assert listed(community.history_counts) == [[1.0], [2.0]]
    assert listed(community.blocked) == [[], []]
    assert listed(community.partners) == [[1], []]
