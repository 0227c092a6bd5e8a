"""What an interrupted search leaves on disk."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mrblue_cli.app.match_state import Keeper, Plan, kept, pieces
from mrblue_cli.core.errors import InputFileError, UsageError

PLAN = Plan(digest="d" * 64, people=25, k=3, chunk=10)


def part(number, plan=PLAN):
    chance = np.random.default_rng(number)
    size = plan.size(number)
    return number, chance.integers(-1, 99, (size, plan.k)), chance.random((size, plan.k))


def keep(folder, numbers, plan=PLAN, *, finished=False):
    keeper = Keeper(folder, plan, [])
    for number in numbers:
        keeper.add(part(number, plan))
    keeper.close(finished=finished)
    return next(folder.glob("*.part"), None)


def same(parts, numbers):
    assert [number for number, _, _ in parts] == list(numbers)
    for number, rows, scores in parts:
        _, expected_rows, expected = part(number)
        np.testing.assert_array_equal(rows, expected_rows)
        np.testing.assert_array_equal(scores, expected)


def test_a_plan_is_cut_into_chunks():
    assert PLAN.chunks == 3
    assert [PLAN.size(number) for number in range(3)] == [10, 10, 5]
    order = np.arange(25)[::-1]
    found = list(pieces(order, PLAN, {1}))
    assert [number for number, _ in found] == [0, 2]
    assert np.concatenate([rows for _, rows in found]).tolist() == [*range(24, 14, -1), *range(4, -1, -1)]


def test_chunks_come_back_as_they_were(tmp_path):
    keep(tmp_path, (2, 0))
    plan, parts = kept(tmp_path, PLAN)
    assert plan == PLAN
    same(parts, (2, 0))


def test_a_finished_search_leaves_nothing(tmp_path):
    assert keep(tmp_path, (0, 1, 2), finished=True) is None
    assert list(tmp_path.iterdir()) == []
    assert kept(tmp_path, PLAN) == (PLAN, [])


def test_nothing_kept_is_no_error(tmp_path):
    assert kept(tmp_path / "not there", PLAN) == (PLAN, [])


def test_it_goes_on_with_the_chunks_with_which_it_began(tmp_path):
    keep(tmp_path, (1,))
    plan, parts = kept(tmp_path, msgspec.structs.replace(PLAN, chunk=4))
    assert plan.chunk == 10
    same(parts, (1,))


@pytest.mark.parametrize("change", [{"digest": "e" * 64}])
def test_another_search_is_refused(tmp_path, change):
    keep(tmp_path, (1,))
    with pytest.raises(UsageError, match="other people, another recipe") as caught:
        kept(tmp_path, msgspec.structs.replace(PLAN, **change))
    assert "--resume" in caught.value.hint


@pytest.mark.parametrize("change", [{"people": 24}, {"k": 4}, {"format": 2}])
def test_a_name_that_does_not_fit_is_damage(tmp_path, change):
    keep(tmp_path, (1,))
    with pytest.raises(InputFileError, match="another search than its name says"):
        kept(tmp_path, msgspec.structs.replace(PLAN, **change))


@settings(max_examples=60)
@given(st.data())
def test_a_file_cut_off_anywhere_keeps_its_whole_chunks(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("state")
    path = keep(folder, (0, 2, 1))
    whole = path.read_bytes()
    head = whole.index(b"\n") + 1
    ends = np.cumsum([head, *(12 + PLAN.size(number) * 3 * 16 for number in (0, 2, 1))]).tolist()
    assert ends[-1] == len(whole)
    cut = data.draw(st.one_of(st.integers(0, len(whole)), st.sampled_from(ends)))
    path.write_bytes(whole[:cut])
    plan, parts = kept(folder, PLAN)
    assert plan == PLAN
    same(parts, (0, 2, 1)[: sum(end <= cut for end in ends[1:])] if cut >= head else ())


@settings(max_examples=60)
@given(st.data())
def test_a_byte_changed_anywhere_is_refused(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("state")
    path = keep(folder, (0, 2, 1))
    whole = bytearray(path.read_bytes())
    # Without the end of its first line a file holds nothing yet, which is no damage.
    at = data.draw(st.integers(0, len(whole) - 1).filter(lambda at: at != whole.index(b"\n")))
    whole[at] ^= data.draw(st.integers(1, 255))
    path.write_bytes(whole)
    with pytest.raises(InputFileError, match=r"damaged|does not begin") as caught:
        kept(folder, PLAN)
    assert str(path) in caught.value.what
    assert "--resume" in caught.value.hint


def test_a_plan_of_nothing_is_damage(tmp_path):
    path = keep(tmp_path, ())
    path.write_bytes(path.read_bytes().replace(b'"chunk":10', b'"chunk":0'))
    with pytest.raises(InputFileError, match="damaged"):
        kept(tmp_path, PLAN)


def test_two_searches_at_a_time_do_not_mix(tmp_path):
    first, second = Keeper(tmp_path, PLAN, []), Keeper(tmp_path, PLAN, [])
    first.add(part(0))
    second.add(part(1))
    second.add(part(2))
    first.close(finished=False)
    second.close(finished=False)
    same(kept(tmp_path, PLAN)[1], (1, 2))


def test_going_on_keeps_what_was_there(tmp_path):
    keep(tmp_path, (1,))
    keeper = Keeper(tmp_path, PLAN, kept(tmp_path, PLAN)[1])
    keeper.add(part(0))
    keeper.close(finished=False)
    same(kept(tmp_path, PLAN)[1], (1, 0))


def test_searches_long_given_up_are_forgotten(tmp_path):
    for letter in "abcdefg":
        keep(tmp_path, (0,), msgspec.structs.replace(PLAN, digest=letter * 64))
    names = {path.name[0] for path in tmp_path.glob("*.part")}
    assert len(names) == 4
    assert "g" in names


def test_a_folder_that_cannot_be_used_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot be kept") as caught:
        Keeper(tmp_path / "file" / "below", PLAN, [])
    assert caught.value.hint


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    (tmp_path / f"{PLAN.digest[:32]}.part").mkdir()
    with pytest.raises(InputFileError, match="cannot be read"):
        kept(tmp_path, PLAN)
