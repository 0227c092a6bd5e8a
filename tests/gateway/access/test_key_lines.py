"""Keys on their way to other machines: digests alone, all or none, and never back to life."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrblue_cli.core.errors import InputFileError, UsageError
from mrblue_cli.gateway.access.key_lines import Imported, KeyLine, line_of, read_lines
from mrblue_cli.gateway.access.keys import KeyStore
from mrblue_cli.gateway.model import KeyLimits

NOW = 1_800_000_000.0


@pytest.fixture
def here(tmp_path):
    made = KeyStore(tmp_path / "here" / "gateway.sqlite3")
    yield made
    made.close()


@pytest.fixture
def there(tmp_path):
    made = KeyStore(tmp_path / "there" / "gateway.sqlite3")
    yield made
    made.close()


KEYS = st.builds(
    KeyLine,
    id=st.from_regex(r"key_[0-9a-f]{12}", fullmatch=True),
    name=st.text(min_size=1, max_size=20),
    sha256=st.from_regex(r"[0-9a-f]{64}", fullmatch=True),
    models=st.lists(st.text(min_size=1, max_size=5), max_size=3).map(tuple),
    daily_nano=st.none() | st.integers(0, 2**62),
    requests_per_minute=st.none() | st.integers(1, 2**53),
    expires_at=st.none() | st.floats(0, 1e11),
    created_at=st.floats(0, 1e11),
    revoked_at=st.none() | st.floats(0, 1e11),
)


@given(st.lists(KEYS, max_size=5, unique_by=lambda key: key.id))
def test_lines_carry_everything(keys):
    text = "".join(f"{line_of(key)}\n" for key in keys)
    assert text.count("\n") == len(keys)
    assert read_lines(text, "keys") == keys


@given(st.text(max_size=200))
def test_any_text_is_keys_or_an_error_that_names_the_line(text):
    try:
        assert read_lines(text, "keys.jsonl") == []
    except InputFileError as error:
        assert error.what.startswith("keys.jsonl: line ")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"id": "key_../../etc"}, "$.id"),
        ({"sha256": "00"}, "$.sha256"),
        ({"daily_nano": -1}, "$.daily_nano"),
        ({"requests_per_minute": 0}, "$.requests_per_minute"),
        ({"token": "mrb_x"}, "token"),
    ],
)
def test_what_is_wrong_is_named(change, words):
    line = {"id": "key_0123456789ab", "name": "x", "sha256": "0" * 64, "created_at": 1.0}
    good = msgspec.json.encode(line).decode()
    bad = msgspec.json.encode({**line, **change}).decode()
    assert len(read_lines(good, "f")) == 1
    with pytest.raises(InputFileError, match="f: line 3: not a key") as caught:
        read_lines(f"{good}\n\n{bad}\n", "f")
    assert words in caught.value.what
    with pytest.raises(InputFileError, match="line 2: key_0123456789ab stands here twice"):
        read_lines(f"{good}\n{good}\n", "f")


def test_the_same_key_is_good_on_both_machines_with_the_same_id(here, there):
    caller, token = here.create(
        "team", limits=KeyLimits(daily_nano=5), models=("gpt-4o*",), requests_per_minute=3, now=NOW
    )
    exported = here.export()
    assert token not in "".join(map(line_of, exported))
    assert there.take_in(exported, now=NOW) == Imported(1, 0, 0)
    assert there.verify(token, NOW) == caller
    assert there.take_in(exported, now=NOW) == Imported(0, 0, 1)
    assert there.export() == exported


def test_changes_and_ends_are_taken_over_but_nothing_comes_back_to_life(here, there):
    caller, token = here.create("team", now=NOW)
    old = here.export()
    there.take_in(old, now=NOW)
    assert there.verify(token, NOW) is not None
    more = [msgspec.structs.replace(old[0], requests_per_minute=9)]
    assert there.take_in(more, now=NOW) == Imported(0, 1, 0)
    changed = there.verify(token, NOW)
    assert changed is not None
    assert changed.requests_per_minute == 9
    here.revoke("team", now=NOW)
    assert there.take_in(here.export(), now=NOW).updated == 1
    assert there.verify(token, NOW) is None
    assert there.take_in(old, now=NOW) == Imported(0, 0, 1)
    assert there.verify(token, NOW + 10) is None
    assert [record.state(NOW) for record in there.list()] == ["revoked"]
    assert there.list()[0].caller.key_id == caller.key_id


def test_contradictions_are_refused_whole(here, there):
    here.create("first", now=NOW)
    here.create("team", now=NOW + 1)
    there.create("team", now=NOW)
    with pytest.raises(UsageError, match="two active keys named 'team'"):
        there.take_in(here.export(), now=NOW + 2)
    assert [record.caller.name for record in there.list()] == ["team"]
    there.revoke("team", now=NOW)
    assert there.take_in(here.export(), now=NOW + 2).added == 2
    first, *_ = here.export()
    for stranger in (
        msgspec.structs.replace(first, sha256="0" * 64),
        msgspec.structs.replace(first, id="key_0123456789ab"),
    ):
        with pytest.raises(UsageError, match="is another key here"):
            there.take_in([stranger], now=NOW + 2)
    with pytest.raises(UsageError, match="name is one line"):
        there.take_in([msgspec.structs.replace(first, name="two\nlines")], now=NOW)


def test_a_machine_without_keys_has_nothing_to_tell(here):
    assert here.export() == ()
